//! Repairs of templates.

use crate::yaml::Template;
use crate::{Edit, Input, Repair};
use findings::Finding;
use graph::{Code, Resource};
use serde_json::{Value, json};

type Made = Result<Repair, String>;

const OTHER_FORM: &str = "templates of this form aren't edited yet";

/// The runtime to move to, where the old one is written.
pub(crate) fn runtime(input: &Input<'_>, finding: &Finding) -> Made {
    let (path, text) = input.file(finding.primary.span).ok_or("its file isn't known")?;
    let written = text.get(finding.primary.span.range()).unwrap_or_default();
    let old = facts::runtimes()
        .filter(|runtime| written.contains(runtime.id))
        // `python3.1` is part of `python3.12`.
        .max_by_key(|runtime| runtime.id.len())
        .ok_or("the runtime isn't written where it is used")?;
    let new = old.successor.ok_or_else(|| format!("AWS names no runtime to move to from `{}`", old.id))?;
    let start = finding.primary.span.start as usize + written.find(old.id).unwrap_or(0);
    let edit = Edit::new(path, start, start + old.id.len(), new);
    let repair = Repair::new(format!("move from `{}` to `{new}`", old.id), vec![edit]);
    Ok(repair.remark(format!("run the tests on `{new}` before deploying: the language may have changed on the way")))
}

/// Callers of a function URL have to sign their requests.
pub(crate) fn function_url(input: &Input<'_>, finding: &Finding) -> Made {
    let (path, text) = input.file(finding.primary.span).ok_or("its file isn't known")?;
    let start = finding.primary.span.start as usize;
    let written = text.get(finding.primary.span.range()).unwrap_or_default();
    let from = ["AuthType", "authorization_type"].iter().find_map(|key| written.find(key)).unwrap_or(0);
    let at = written.get(from..).and_then(|rest| rest.find("NONE")).ok_or("`NONE` isn't written in the template")?;
    let at = start + from + at;
    let edit = Edit::new(path, at, at + "NONE".len(), "AWS_IAM");
    let repair = Repair::new("let only callers in that sign their requests", vec![edit]);
    Ok(repair.remark(
        "browsers and webhooks that call the URL today will be refused: they need a gateway or signed requests",
    ))
}

/// The resource of the graph that a finding points at.
fn resource_of<'a>(input: &Input<'a>, finding: &Finding) -> Option<&'a Resource> {
    let span = finding.primary.span;
    let application = input.application(span)?;
    application
        .resources
        .iter()
        .find(|one| one.span.file == span.file && one.span.start <= span.start && span.end <= one.span.end)
}

/// Closes a bucket with all four settings.
pub(crate) fn bucket(input: &Input<'_>, finding: &Finding) -> Made {
    let resource = resource_of(input, finding).ok_or(OTHER_FORM)?;
    if resource.resource_type != "AWS::S3::Bucket" {
        return Err("the policy opens the bucket: whom it is meant for has to be decided".to_string());
    }
    if resource.property("WebsiteConfiguration").is_some_and(|site| !site.is_null()) {
        return Err("a web site is meant to be read: serve it through CloudFront before closing the bucket".to_string());
    }
    let opened_by_policy =
        !finding.primary.message.contains("Public") && !finding.primary.message.contains("Authenticated");
    if opened_by_policy {
        return Err("the bucket's policy opens it: whom it is meant for has to be decided".to_string());
    }
    let template = Template::of(input, finding.primary.span).ok_or(OTHER_FORM)?;
    let entry = template.resource(&resource.name).ok_or(OTHER_FORM)?;
    let mut edits = Vec::new();
    if let Some(list) = entry.value.at(&["Properties", "AccessControl"]) {
        // A bucket that blocks public access lists refuses to be given one.
        edits.push(template.replace(list, &json!("Private")));
    }
    let names = ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"];
    let all: serde_json::Map<String, Value> = names.iter().map(|name| ((*name).to_string(), json!(true))).collect();
    match entry.value.at(&["Properties", "PublicAccessBlockConfiguration"]) {
        Some(present) if present.is_mapping() && names.iter().all(|name| present.get(name).is_some()) => {
            let open = names.iter().filter_map(|name| present.get(name)).filter(|node| node.as_bool() != Some(true));
            edits.extend(open.map(|node| template.replace(node, &json!(true))));
        }
        Some(_) => return Err("its block on public access is written only in part".to_string()),
        None => {
            edits.push(template.set(entry, "PublicAccessBlockConfiguration", &Value::Object(all)).ok_or(OTHER_FORM)?)
        }
    }
    let repair = Repair::new(format!("close bucket `{}` to the public", resource.name), edits);
    Ok(repair.remark("who reads its objects by their plain addresses today will be refused"))
}

/// Encryption where turning it on keeps what is stored.
pub(crate) fn encryption(input: &Input<'_>, finding: &Finding) -> Made {
    let resource = resource_of(input, finding).ok_or(OTHER_FORM)?;
    let template = Template::of(input, finding.primary.span).ok_or(OTHER_FORM)?;
    let entry = template.resource(&resource.name).ok_or(OTHER_FORM)?;
    let (key, value) = match resource.resource_type.as_str() {
        "AWS::SNS::Topic" => {
            if let Some(service) = publisher(input, finding, resource) {
                return Err(format!(
                    "{service} publishes to the topic and can't use AWS's own key: it needs a key with a policy"
                ));
            }
            ("KmsMasterKeyId", json!("alias/aws/sns"))
        }
        "AWS::SQS::Queue" => ("SqsManagedSseEnabled", json!(true)),
        "AWS::Kinesis::Stream" => ("StreamEncryption", json!({"EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"})),
        "AWS::KinesisFirehose::DeliveryStream" => {
            ("DeliveryStreamEncryptionConfigurationInput", json!({"KeyType": "AWS_OWNED_CMK"}))
        }
        _ => return Err("it can't be turned on in place: what is stored has to move to a new resource".to_string()),
    };
    let edit = template.set(entry, key, &value).ok_or(OTHER_FORM)?;
    Ok(Repair::new(format!("encrypt `{}`", resource.name), vec![edit]))
}

/// A service of AWS that publishes to a topic by itself, which the key that AWS manages doesn't let it.
fn publisher(input: &Input<'_>, finding: &Finding, topic: &Resource) -> Option<&'static str> {
    const SERVICES: [(&str, &str); 6] = [
        ("AWS::S3::Bucket", "S3"),
        ("AWS::Events::Rule", "EventBridge"),
        ("AWS::CloudWatch::Alarm", "CloudWatch"),
        ("AWS::Budgets::Budget", "Budgets"),
        ("AWS::SES::ReceiptRule", "SES"),
        ("AWS::AutoScaling::AutoScalingGroup", "Auto Scaling"),
    ];
    let application = input.application(finding.primary.span)?;
    let names = |value: &Value| value.to_string().contains(&format!("\"{}\"", topic.name));
    application
        .resources
        .iter()
        .filter(|one| names(&one.properties))
        .find_map(|one| SERVICES.iter().find(|(kind, _)| *kind == one.resource_type).map(|(_, service)| *service))
}

/// How long logs are kept, in days, where nobody said.
const RETENTION_DAYS: u32 = 30;

/// A period for a log group, or a group with one for a function.
pub(crate) fn retention(input: &Input<'_>, finding: &Finding) -> Made {
    let span = finding.primary.span;
    let template = Template::of(input, span).ok_or(OTHER_FORM)?;
    let entry = template.resource_at(span.start).ok_or(OTHER_FORM)?;
    if entry.value.get("Type").and_then(|kind| kind.as_str()) == Some("AWS::Logs::LogGroup") {
        let edit = template.set(entry, "RetentionInDays", &json!(RETENTION_DAYS)).ok_or(OTHER_FORM)?;
        return Ok(Repair::new(format!("keep the records of `{}` for {RETENTION_DAYS} days", entry.key), vec![edit]));
    }
    let application = input.application(span).ok_or(OTHER_FORM)?;
    let function = application.function(&entry.key).ok_or(OTHER_FORM)?;
    if matches!(function.code, Code::Unknown) && function.handler.is_none() {
        return Err("what it runs isn't known".to_string());
    }
    let writes_anywhere = application.identity_of(function).is_some_and(|identity| {
        identity.generated
            || identity.statements.iter().any(|one| {
                one.actions.iter().any(|action| action == "logs:PutLogEvents" || action == "logs:*")
                    && one
                        .resources
                        .iter()
                        .any(|resource| matches!(resource.as_text(), Some("*" | "arn:aws:logs:*:*:*")))
            })
    });
    if !writes_anywhere {
        return Err(
            "its role writes only to the group that Lambda makes: name the group's period where that is declared"
                .to_string(),
        );
    }
    let mut name = format!("{}Logs", entry.key);
    while template.resource(&name).is_some() {
        name.push('X');
    }
    let group = json!({"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": RETENTION_DAYS}});
    let group = template.add_before(entry, &name, &group).ok_or(OTHER_FORM)?;
    let config = template.set(entry, "LoggingConfig", &json!({"LogGroup": {"Ref": name}})).ok_or(OTHER_FORM)?;
    let repair = Repair::new(
        format!("give `{}` a log group that keeps its records for {RETENTION_DAYS} days", entry.key),
        vec![group, config],
    );
    Ok(repair.remark("the old group stays, with what is in it: delete it when it isn't needed any more"))
}
