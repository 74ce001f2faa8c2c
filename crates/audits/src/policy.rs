//! What policy statements amount to: how much an action pattern gives, how far a resource pattern reaches, whether a
//! condition keeps strangers out. One statement at a time; nothing here evaluates a policy as a whole.

use facts::Access;
use findings::Severity;
use graph::{Application, Effect, Function, Origin, Part, Statement, Value};
use serde_json::Value as Json;
use source::Span;

/// How far a resource pattern reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Breadth {
    /// Something named, or something that can't be told.
    Named,
    /// All resources of one kind, as `arn:aws:dynamodb:*:*:table/*`.
    Kind,
    /// Everything: `*`.
    Everything,
}

/// How far a resource pattern reaches. Holes that deployment fills count as names, but region and account don't narrow.
pub(crate) fn breadth(value: &Value) -> Breadth {
    let text: String = value
        .parts()
        .iter()
        .map(|part| match part {
            Part::Text(text) => text.as_str(),
            Part::Pseudo(_) => "-",
            _ => "\u{1}",
        })
        .collect();
    if !text.is_empty() && text.bytes().all(|byte| byte == b'*') {
        return Breadth::Everything;
    }
    let mut fields = text.splitn(6, ':');
    if fields.next() != Some("arn") {
        return Breadth::Named;
    }
    let (service, resource) = (fields.nth(1).unwrap_or(""), fields.nth(2).unwrap_or(""));
    if service == "*" {
        return if resource.trim_matches(['*', '/', ':']).is_empty() { Breadth::Everything } else { Breadth::Named };
    }
    let mut segments = resource.split(['/', ':']).peekable();
    // Most services put the type before the name; these put the name first.
    let typed = !matches!(service, "s3" | "sqs" | "sns" | "execute-api" | "codecommit");
    if typed
        && segments.peek().is_some_and(|first| {
            !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
    {
        segments.next();
    }
    let mut rest = segments.peekable();
    let open =
        rest.peek().is_some() && rest.all(|segment| !segment.is_empty() && segment.bytes().all(|byte| byte == b'*'));
    if open { Breadth::Kind } else { Breadth::Named }
}

/// The widest of a statement's resources.
pub(crate) fn statement_breadth(statement: &Statement) -> Breadth {
    if statement.not_resources {
        return Breadth::Everything;
    }
    statement.resources.iter().map(breadth).max().unwrap_or(Breadth::Named)
}

/// The service of an action pattern, lower case: `s3` of `S3:Get*`.
pub(crate) fn service(action: &str) -> String {
    action.split(':').next().unwrap_or("").to_ascii_lowercase()
}

/// Whether a pattern is every action there is.
pub(crate) fn is_all(pattern: &str) -> bool {
    !pattern.is_empty() && pattern.bytes().all(|byte| matches!(byte, b'*' | b':'))
}

/// Services that only tell how the application is doing.
fn observes(service: &str) -> bool {
    matches!(service, "logs" | "xray" | "cloudwatch" | "application-signals" | "rum" | "observabilityadmin")
}

/// Services that work on what they are handed and keep nothing of the account.
fn processes(service: &str) -> bool {
    matches!(service, "bedrock" | "comprehend" | "polly" | "textract" | "translate")
}

/// Actions that every function in a network, or every function that is watched, has on everything: either the platform asks
/// for them so, or naming a resource narrows nothing.
pub(crate) fn customary(action: &str) -> bool {
    let action = action.to_ascii_lowercase();
    matches!(
        action.as_str(),
        "logs:createloggroup"
            | "logs:createlogstream"
            | "logs:putlogevents"
            | "logs:describeloggroups"
            | "logs:describelogstreams"
            | "cloudwatch:putmetricdata"
            | "polly:synthesizespeech"
            | "translate:translatetext"
            | "ec2:createnetworkinterface"
            | "ec2:deletenetworkinterface"
            | "ec2:describenetworkinterfaces"
            | "ec2:assignprivateipaddresses"
            | "ec2:unassignprivateipaddresses"
            | "ec2:detachnetworkinterface"
            | "ec2:attachnetworkinterface"
            | "s3-object-lambda:writegetobjectresponse"
    ) || action.starts_with("ec2:describe")
}

/// Whether an action works on what the call hands over, so that naming a resource would narrow nothing.
pub(crate) fn works_on_input(action: facts::Action) -> bool {
    let operation = action.name().split(':').nth(1).unwrap_or("");
    ["Detect", "Recognize", "Analyze", "Translate", "Synthesize", "Classify"]
        .iter()
        .any(|verb| operation.starts_with(verb))
        && !action.resource_types().any(|kind| kind.required)
}

/// Whether a wide pattern reaches resources of a type: same service, and the same word before the name.
fn reaches(pattern: &Value, prefix: &str, resource_type: &str) -> bool {
    let Some(arn) = facts::resource_arn(prefix, resource_type) else { return true };
    let text = pattern.to_string();
    let fields = |text: &str| -> Option<(String, String)> {
        // Variables in an ARN never hold a colon, except those of pseudo parameters.
        let text = text.replace("AWS::", "");
        let mut fields = text.splitn(6, ':').skip(2);
        let service = fields.next()?.to_string();
        let resource = fields.nth(2)?;
        Some((service, resource.split(['/', ':']).next().unwrap_or("").to_string()))
    };
    let (Some((service, word)), Some((known_service, known_word))) = (fields(&text), fields(arn)) else { return true };
    let open = |text: &str| text.contains(['*', '$', '?']) || text.is_empty();
    (open(&service) || open(&known_service) || service == known_service)
        && (open(&word) || open(&known_word) || word == known_word)
}

/// The wide resource of a statement through which a pattern gets at everything of a kind.
pub(crate) fn wide_resource<'s>(statement: &'s Statement, pattern: &str) -> Option<&'s Value> {
    let prefix = service(pattern);
    statement.resources.iter().filter(|resource| breadth(resource) == Breadth::Kind).find(|resource| {
        facts::actions_matching(pattern)
            .any(|action| action.resource_types().any(|kind| reaches(resource, &prefix, kind.name)))
    })
}

/// Whether an action gets at everything of a kind through a statement: one of its wide patterns fits the action, and no other
/// resource that each call has to name as well is named.
pub(crate) fn reaches_all(statement: &Statement, action: facts::Action) -> bool {
    if statement.not_resources || statement_breadth(statement) == Breadth::Everything {
        return true;
    }
    let prefix = service(action.name());
    let (wide, named): (Vec<&Value>, Vec<&Value>) =
        statement.resources.iter().partition(|resource| breadth(resource) == Breadth::Kind);
    let fits = |patterns: &[&Value], name: &str| patterns.iter().any(|pattern| reaches(pattern, &prefix, name));
    action.resource_types().any(|kind| fits(&wide, kind.name))
        && !action.resource_types().any(|kind| kind.required && !fits(&wide, kind.name) && fits(&named, kind.name))
}

/// How bad it is to have an action on everything.
pub(crate) fn weight(action: facts::Action) -> Severity {
    let name = action.name();
    let (service, operation) = name.split_once(':').unwrap_or((name, ""));
    if observes(service) {
        return Severity::Low;
    }
    match name {
        "kms:Decrypt" | "kms:Encrypt" | "kms:GenerateDataKey" | "kms:ReEncryptFrom" | "kms:ReEncryptTo" => {
            return Severity::Medium;
        }
        // What a durable function needs to go on; its own ARN isn't known while its role is written.
        "lambda:CheckpointDurableExecution" | "lambda:GetDurableExecutionState" => return Severity::Low,
        "iam:PassRole" | "sts:AssumeRole" | "secretsmanager:GetSecretValue" | "secretsmanager:BatchGetSecretValue" => {
            return Severity::High;
        }
        _ => {}
    }
    match action.access() {
        Access::Permissions => Severity::High,
        // Handing something on is an abuse of what receives it, not the loss of what is there.
        Access::Write
            if ["Publish", "Send", "Invoke", "Start", "PutRecord", "PutEvents", "PutMetric", "ManageConnections"]
                .iter()
                .any(|verb| operation.starts_with(verb)) =>
        {
            if processes(service) {
                Severity::Low
            } else {
                Severity::Medium
            }
        }
        Access::Write => Severity::High,
        // How things are set up, rather than what is in them.
        Access::Read
            if processes(service)
                || operation.starts_with("Describe")
                || operation.starts_with("List")
                || operation == "GetBucketLocation" =>
        {
            Severity::Low
        }
        Access::Read => Severity::Medium,
        Access::Tagging | Access::List => Severity::Low,
    }
}

/// Policies that are made for nothing but running a function; what they allow is the least that works.
pub(crate) fn runs_functions(managed_policy: &str) -> bool {
    let name = managed_policy.rsplit('/').next().unwrap_or(managed_policy);
    (name.contains("Lambda") && (name.ends_with("ExecutionRole") || name.ends_with("ExecutionRolePolicy")))
        || matches!(
            name,
            "AWSLambdaENIManagementAccess"
                | "AWSXRayDaemonWriteAccess"
                | "AWSXrayWriteOnlyAccess"
                | "AmazonAPIGatewayPushToCloudWatchLogs"
        )
}

/// Whether a statement takes part in what an identity may do by the application's own choice.
pub(crate) fn chosen(statement: &Statement) -> bool {
    statement.effect == Effect::Allow
        && match &statement.origin {
            Origin::Implied(_) => false,
            Origin::Managed(name) => !runs_functions(name),
            _ => true,
        }
}

/// The services a statement gives something in that isn't just telling how things go; `*` for all.
pub(crate) fn services(statement: &Statement) -> Vec<String> {
    if !chosen(statement) {
        return Vec::new();
    }
    if statement.not_actions || statement.actions.iter().any(|action| is_all(action)) {
        return vec!["*".to_string()];
    }
    let mut services: Vec<String> = statement
        .actions
        .iter()
        .filter(|action| !customary(action))
        .map(|action| service(action))
        .filter(|service| !observes(service) && !service.is_empty())
        .collect();
    services.sort();
    services.dedup();
    services
}

/// The first pattern of a statement that changes something; watching, networking and taking from queues don't count.
pub(crate) fn writing_action(statement: &Statement) -> Option<&str> {
    if !chosen(statement) {
        return None;
    }
    if statement.not_actions {
        return Some("everything but a few actions");
    }
    statement.actions.iter().map(String::as_str).find(|pattern| {
        is_all(pattern)
            || (!observes(&service(pattern))
                && facts::actions_matching(pattern).any(|action| {
                    action.access() >= Access::Write
                        && !customary(action.name())
                        && !matches!(
                            action.name(),
                            "sqs:DeleteMessage"
                                | "sqs:ReceiveMessage"
                                | "sqs:ChangeMessageVisibility"
                                | "lambda:CheckpointDurableExecution"
                        )
                }))
    })
}

/// The statement that lets a function change data, and the pattern that does.
pub(crate) fn writes<'a>(application: &'a Application, function: &Function) -> Option<(&'a Statement, &'a str)> {
    let identity = application.identity_of(function)?;
    identity.statements.iter().find_map(|statement| Some((statement, writing_action(statement)?)))
}

/// Whether a function may do anything with data at all.
pub(crate) fn touches(application: &Application, function: &Function) -> bool {
    application
        .identity_of(function)
        // A role from elsewhere may do anything, as far as is known here.
        .is_none_or(|identity| {
            !identity.unresolved_policies.is_empty()
                || identity.statements.iter().any(|statement| !services(statement).is_empty())
        })
}

/// Whether anyone is a principal of a statement.
pub(crate) fn for_anyone(statement: &Statement) -> bool {
    statement.principals.iter().any(|principal| principal.as_text() == Some("*"))
}

/// Keys whose values only the platform sets and that tell callers apart.
const TELLING_KEYS: [&str; 22] = [
    "aws:sourceip",
    "aws:vpcsourceip",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourcevpcarn",
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:sourceowner",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalisawsservice",
    "aws:principalservicename",
    "aws:userid",
    "kms:calleraccount",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
    "lambda:eventsourcetoken",
    "elasticfilesystem:accessedviamounttarget",
];

/// Whether a condition keeps strangers out: it asks for a known network, account, organisation or source. Asking for TLS, a
/// referrer or a user agent doesn't.
pub(crate) fn keeps_strangers_out(condition: Option<&Json>) -> bool {
    tells_callers_apart(condition, |operator| {
        !operator.contains("not")
            && !operator.ends_with("ifexists")
            && !operator.starts_with("forallvalues:")
            && operator != "null"
    })
}

/// Whether some denial turns strangers away, as in "deny whoever does not come from this network".
pub(crate) fn denies_strangers(policy: &[Statement]) -> bool {
    policy.iter().any(|statement| {
        statement.effect == Effect::Deny
            && for_anyone(statement)
            && tells_callers_apart(statement.condition.as_ref(), |operator| operator.contains("not"))
    })
}

/// Whether a resource policy admits only callers it tells apart, or turns strangers away.
pub(crate) fn narrows(policy: &[Statement]) -> bool {
    let mut allowing = policy.iter().filter(|statement| statement.effect == Effect::Allow).peekable();
    denies_strangers(policy)
        || (allowing.peek().is_some()
            && allowing.all(|statement| !for_anyone(statement) || keeps_strangers_out(statement.condition.as_ref())))
}

/// The statements of a resource policy that stands in a property, as far as telling callers apart needs them. What depends on
/// deployment is none of those.
pub(crate) fn written_in(document: &Json, span: Span) -> Vec<Statement> {
    let many = |value: Option<&Json>| -> Vec<Json> {
        match value {
            Some(Json::Array(items)) => items.clone(),
            Some(value) => vec![value.clone()],
            None => Vec::new(),
        }
    };
    let texts = |value: Option<&Json>| -> Vec<String> {
        many(value).iter().filter_map(Json::as_str).map(str::to_string).collect()
    };
    let statements = document.get("Statement").unwrap_or(document);
    many(Some(statements))
        .iter()
        .filter(|statement| statement.get("Effect").is_some())
        .map(|statement| {
            let anyone = statement.get("NotPrincipal").is_some();
            let principals = match statement.get("Principal") {
                Some(Json::Object(kinds)) => kinds.values().flat_map(|value| texts(Some(value))).collect(),
                value => texts(value),
            };
            let not_actions = statement.get("Action").is_none() && statement.get("NotAction").is_some();
            Statement {
                effect: if statement.get("Effect").and_then(Json::as_str) == Some("Deny") {
                    Effect::Deny
                } else {
                    Effect::Allow
                },
                actions: texts(statement.get(if not_actions { "NotAction" } else { "Action" })),
                not_actions,
                resources: texts(statement.get("Resource")).into_iter().map(Value::text).collect(),
                not_resources: false,
                principals: principals.into_iter().chain(anyone.then(|| "*".to_string())).map(Value::text).collect(),
                condition: statement.get("Condition").filter(|condition| !condition.is_null()).cloned(),
                origin: Origin::Inline,
                span,
            }
        })
        .collect()
}

fn tells_callers_apart(condition: Option<&Json>, counts: impl Fn(&str) -> bool) -> bool {
    let Some(operators) = condition.and_then(Json::as_object) else { return false };
    operators.iter().filter(|(operator, _)| counts(&operator.to_ascii_lowercase())).any(|(_, keys)| {
        keys.as_object().is_some_and(|keys| {
            keys.iter()
                .any(|(key, value)| TELLING_KEYS.contains(&key.to_ascii_lowercase().as_str()) && !lets_all_pass(value))
        })
    })
}

fn lets_all_pass(value: &Json) -> bool {
    match value {
        Json::Array(values) => values.iter().any(lets_all_pass),
        Json::String(text) => matches!(text.as_str(), "*" | "0.0.0.0/0" | "::/0"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pattern_is_wide_when_no_name_is_left_in_it() {
        for wide in ["arn:aws:s3:::*", "arn:aws:s3:::*/*", "arn:aws:dynamodb:*:*:table/*", "arn:aws:sqs:eu-west-1:1:*"]
        {
            assert_eq!(breadth(&Value::text(wide)), Breadth::Kind, "{wide}");
        }
        assert_eq!(breadth(&Value::text("*")), Breadth::Everything);
        assert_eq!(breadth(&Value::text("arn:aws:*:*:*:*")), Breadth::Everything);
        for named in [
            "",
            "arn:aws:s3:::photos/*",
            "arn:aws:dynamodb:*:*:table/orders",
            "arn:aws:dynamodb:*:*:table/orders/index/*",
            "arn:aws:ssm:*:*:parameter/shop/*",
            "arn:aws:ssm:*:*:parameter/shop*",
        ] {
            assert_eq!(breadth(&Value::text(named)), Breadth::Named, "{named}");
        }
        let mut table = Value::text("arn:aws:dynamodb:");
        table.push(Part::Pseudo("AWS::Region".into()));
        table.push(Part::Text(":1:table/".into()));
        let mut wide = table.clone();
        wide.push(Part::Text("*".into()));
        assert_eq!(breadth(&wide), Breadth::Kind);
        table.push(Part::Ref("Orders".into()));
        table.push(Part::Text("/*".into()));
        assert_eq!(breadth(&table), Breadth::Named);
    }

    #[test]
    fn conditions_on_who_calls_count_and_others_do_not() {
        for limiting in [
            json!({"StringEquals": {"AWS:SourceOwner": "1"}}),
            json!({"ArnLike": {"aws:SourceArn": {"Fn::GetAtt": ["T", "Arn"]}}}),
            json!({"IpAddress": {"aws:SourceIp": ["203.0.113.0/24"]}}),
        ] {
            assert!(keeps_strangers_out(Some(&limiting)), "{limiting}");
        }
        for open in [
            json!({"Bool": {"aws:SecureTransport": "true"}}),
            json!({"StringLike": {"aws:Referer": "https://x/*"}}),
            json!({"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}),
            json!({"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}),
            json!({"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}),
        ] {
            assert!(!keeps_strangers_out(Some(&open)), "{open}");
        }
        assert!(!keeps_strangers_out(None));
    }
}
