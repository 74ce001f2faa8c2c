//! `public-bucket`: a bucket whose objects anyone may read or write.

use crate::context::less;
use crate::policy::{denies_strangers, for_anyone, keeps_strangers_out, written_in};
use crate::{Audit, Context};
use facts::Access;
use findings::{AuditInfo, Confidence, Severity};
use graph::{Effect, Resource, ResourceKind, Statement};
use serde_json::Value as Json;

const INFO: AuditInfo = AuditInfo {
    id: "public-bucket",
    title: "A bucket that anyone can read or write",
    severity: Severity::High,
    since: "0.1.0",
    cwe: &[732, 284],
    docs: r#"A bucket opens itself to everyone: by its canned access list (`AccessControl: PublicRead`), or by a policy with
`Principal: "*"` and no condition that tells callers apart. Critical where strangers may write, high where they may list or
read. For a bucket that is set up as a web site, reading is low, being meant so, and listing is medium, since no site needs it.

## Why it matters
Buckets hold more over time than they were made for. Who may write also feeds every function that an upload starts.

## Remediation
Close the bucket, and let CloudFront read it with an origin access control, or hand out signed URLs.

```yaml
Files:
  Type: AWS::S3::Bucket
  Properties:
    PublicAccessBlockConfiguration:
      BlockPublicAcls: true
      BlockPublicPolicy: true
      IgnorePublicAcls: true
      RestrictPublicBuckets: true
```

## When it doesn't fire
Not where the block on public access makes the access list or policy moot, and not for policies that ask for a known
network, account or organisation. Buckets made since April 2023 have that block unless it is switched off: where the
template doesn't mention it, the finding is less certain.
"#,
};

pub(super) struct PublicBucket;

impl Audit for PublicBucket {
    fn info(&self) -> &'static AuditInfo {
        &INFO
    }

    fn resource(&self, resource: &Resource, context: &mut Context<'_>) {
        let is_bucket = resource.kind == ResourceKind::Bucket;
        if !is_bucket && resource.resource_type != "AWS::S3::BucketPolicy" {
            return;
        }
        if is_bucket {
            by_access_list(resource, context);
        }
        by_policy(resource, is_bucket, context);
        if is_bucket {
            unblocked(resource, context);
        }
    }
}

/// A bucket that isn't open, and that nothing keeps from being opened: by a policy, or object by object.
fn unblocked(bucket: &Resource, context: &mut Context<'_>) {
    let names = ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"];
    let off = block(bucket, [names[0], names[1]]) == Block::Off && block(bucket, [names[2], names[3]]) == Block::Off;
    // A policy is a decision about who may come in.
    let is_open = bucket.property("AccessControl").is_some() || !bucket.policy.is_empty();
    if !off || is_open || is_website(bucket) {
        return;
    }
    let span = context.head(bucket.property_span("PublicAccessBlockConfiguration"));
    context
        .report(span, format!("nothing keeps the objects of bucket `{}` from being made public", bucket.name))
        .severity(Severity::Medium)
        .confidence(Confidence::Medium)
        .primary("the block on public access is switched off")
        .remediation(remediation(false, "leave the block on public access on"));
}

/// How a part of the block on public access stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    On,
    Off,
    Unsaid,
}

fn block(bucket: &Resource, names: [&str; 2]) -> Block {
    let Some(configuration) = bucket.property("PublicAccessBlockConfiguration") else { return Block::Unsaid };
    let states = names.map(|name| match configuration.get(name) {
        Some(Json::Bool(on)) => Some(*on),
        Some(Json::String(text)) if text.eq_ignore_ascii_case("true") => Some(true),
        Some(Json::String(text)) if text.eq_ignore_ascii_case("false") => Some(false),
        // A setting left out of a block that is written is off.
        None => Some(false),
        Some(_) => None,
    });
    if states.contains(&Some(true)) {
        Block::On
    } else if states.contains(&None) {
        Block::Unsaid
    } else {
        Block::Off
    }
}

fn is_website(bucket: &Resource) -> bool {
    bucket.property("WebsiteConfiguration").is_some_and(|configuration| !configuration.is_null())
}

fn by_access_list(bucket: &Resource, context: &mut Context<'_>) {
    let acl = bucket.property("AccessControl").and_then(Json::as_str).unwrap_or("");
    let (who, what, writes) = match acl {
        "PublicRead" => ("anyone", "list", false),
        "PublicReadWrite" => ("anyone", "list, overwrite and delete", true),
        "AuthenticatedRead" => ("anyone with an AWS account", "list", false),
        _ => return,
    };
    let state = block(bucket, ["BlockPublicAcls", "IgnorePublicAcls"]);
    if state == Block::On {
        return;
    }
    let website = is_website(bucket);
    let kind = if website { "web site bucket" } else { "bucket" };
    let span = bucket.property_span("AccessControl");
    let mut report = context
        .report(span, format!("{who} can {what} the objects of {kind} `{}`", bucket.name))
        // No web site needs its list of files open: what nobody links to is found by it.
        .severity(severity(writes, website).max(Severity::Medium))
        .confidence(if state == Block::Off { Confidence::High } else { Confidence::Medium })
        .primary(format!("`{acl}` lets {who} {what} what is in it"));
    if state == Block::Off {
        let place = bucket.property_span("PublicAccessBlockConfiguration");
        report = report.related(place, "and nothing blocks public access");
    }
    report.remediation(remediation(website, "remove `AccessControl`"));
}

fn by_policy(bucket: &Resource, is_bucket: bool, context: &mut Context<'_>) {
    // The policy of a bucket that isn't in the template has its statements only in its text.
    let elsewhere = || {
        let inside = |statement: &Statement| {
            let (outer, inner) = (bucket.span, statement.span);
            inner.file == outer.file && inner.start >= outer.start && inner.end <= outer.end
        };
        let attached = || context.application().resources.iter().any(|other| other.policy.iter().any(inside));
        bucket.property("PolicyDocument").filter(|_| !is_bucket && !attached())
    };
    let read: Vec<Statement> = match elsewhere() {
        Some(document) => written_in(document, bucket.property_span("PolicyDocument")),
        None => bucket.policy.clone(),
    };
    let state = if is_bucket { block(bucket, ["BlockPublicPolicy", "RestrictPublicBuckets"]) } else { Block::Unsaid };
    if state == Block::On || denies_strangers(&read) {
        return;
    }
    for statement in &read {
        let open = statement.effect == Effect::Allow
            && for_anyone(statement)
            && !keeps_strangers_out(statement.condition.as_ref());
        if !open {
            continue;
        }
        let website = is_bucket && is_website(bucket);
        let Some((what, writes)) = given(statement) else { continue };
        let kind = match (is_bucket, website) {
            (true, true) => format!("web site bucket `{}`", bucket.name),
            (true, false) => format!("bucket `{}`", bucket.name),
            _ => format!("the bucket of policy `{}`", bucket.name),
        };
        let mut confidence = if state == Block::Off { Confidence::High } else { Confidence::Medium };
        if statement.condition.is_some() {
            confidence = less(confidence);
        }
        let span = context.head(statement.span);
        let head = context.head(bucket.span);
        let mut report = context
            .report(span, format!("anyone can {what} in {kind}"))
            .severity(severity(writes, website))
            .confidence(confidence)
            .primary(match statement.condition {
                Some(_) => "for anyone, and its condition doesn't tell callers apart".to_string(),
                None => format!("lets anyone {what}"),
            });
        if is_bucket {
            report = report.related(head, "the bucket");
        }
        report
            .remediation(remediation(website, "name the principals, or add a condition such as `aws:PrincipalOrgID`"));
    }
}

fn severity(writes: bool, website: bool) -> Severity {
    match (writes, website) {
        (true, _) => Severity::Critical,
        (false, true) => Severity::Low,
        (false, false) => Severity::High,
    }
}

fn remediation(website: bool, first: &str) -> String {
    if website {
        "serve the site through CloudFront with an origin access control and close the bucket with \
         `PublicAccessBlockConfiguration`; if it stays open, keep nothing in it but the site"
            .to_string()
    } else {
        format!("{first}, and close the bucket with all four settings of `PublicAccessBlockConfiguration`")
    }
}

/// What a statement gives, in words, and whether that is more than reading.
fn given(statement: &Statement) -> Option<(String, bool)> {
    if statement.not_actions {
        return Some(("do all but a few things".to_string(), true));
    }
    let mut access = None;
    for pattern in &statement.actions {
        if crate::policy::is_all(pattern) {
            access = access.max(Some(Access::Permissions));
        }
        access = access.max(facts::actions_matching(pattern).map(facts::Action::access).max());
    }
    let shown = statement.actions.iter().take(3).map(|action| format!("`{action}`")).collect::<Vec<_>>().join(", ");
    Some((shown, !access?.read_only()))
}

#[cfg(test)]
mod tests {
    use crate::testing::lines;

    fn bucket(properties: &str, rest: &str) -> Vec<String> {
        let text = format!(
            "Resources:\n  Files:\n    Type: AWS::S3::Bucket\n    Properties:\n      BucketName: files\n      {properties}\n{rest}"
        );
        lines("public-bucket", &text)
    }

    const OFF: &str = "PublicAccessBlockConfiguration: { BlockPublicAcls: false, BlockPublicPolicy: false, \
                       IgnorePublicAcls: false, RestrictPublicBuckets: false }";
    const ON: &str = "PublicAccessBlockConfiguration: { BlockPublicAcls: true, BlockPublicPolicy: true, \
                      IgnorePublicAcls: true, RestrictPublicBuckets: true }";
    const SITE: &str = "WebsiteConfiguration: { IndexDocument: index.html }";

    fn policy(statement: &str) -> String {
        format!(
            "  Open:\n    Type: AWS::S3::BucketPolicy\n    Properties:\n      Bucket: !Ref Files\n      PolicyDocument:\n        \
             Statement:\n          - {statement}\n"
        )
    }

    #[test]
    fn a_canned_access_list_opens_a_bucket_unless_that_is_blocked() {
        assert_eq!(
            bucket(&format!("AccessControl: PublicRead\n      {OFF}"), ""),
            ["high/high 6: anyone can list the objects of bucket `Files`"]
        );
        assert_eq!(
            bucket("AccessControl: PublicReadWrite", ""),
            ["critical/medium 6: anyone can list, overwrite and delete the objects of bucket `Files`"]
        );
        assert_eq!(
            bucket(&format!("AccessControl: PublicRead\n      {SITE}"), ""),
            ["medium/medium 6: anyone can list the objects of web site bucket `Files`"]
        );
        assert_eq!(bucket(&format!("AccessControl: PublicRead\n      {ON}"), ""), [""; 0]);
        assert_eq!(bucket("AccessControl: LogDeliveryWrite", ""), [""; 0]);
    }

    #[test]
    fn a_policy_for_anyone_opens_a_bucket() {
        let read = policy("{ Effect: Allow, Principal: '*', Action: s3:GetObject, Resource: !Sub '${Files.Arn}/*' }");
        let found = bucket(OFF, &read);
        assert!(matches!(found.as_slice(), [one] if one.starts_with("high/high")), "{found:?}");
        let found = bucket(SITE, &read);
        assert!(
            matches!(found.as_slice(), [one] if one.starts_with("low/medium") && one.contains("web site")),
            "{found:?}"
        );
        let write = policy("{ Effect: Allow, Principal: { AWS: '*' }, Action: s3:*, Resource: !Sub '${Files.Arn}/*' }");
        let found = bucket(SITE, &write);
        assert!(matches!(found.as_slice(), [one] if one.starts_with("critical")), "{found:?}");
        assert_eq!(bucket(ON, &write), [""; 0]);
    }

    #[test]
    fn a_policy_that_names_its_bucket_by_its_deployed_name_is_one_finding() {
        let read = policy("{ Effect: Allow, Principal: '*', Action: s3:GetObject, Resource: 'arn:aws:s3:::files/*' }");
        let found = bucket(OFF, &read.replace("!Ref Files", "files"));
        assert!(matches!(found.as_slice(), [one] if one.contains("bucket `Files`")), "{found:?}");
    }

    #[test]
    fn the_policy_of_a_bucket_that_is_not_here_counts_too() {
        let found = lines(
            "public-bucket",
            r#"
            Resources:
              Open:
                Type: AWS::S3::BucketPolicy
                Properties:
                  Bucket: not-here
                  PolicyDocument:
                    Statement: { Effect: Allow, Principal: { AWS: ["*"] }, Action: "s3:Get*", Resource: "arn:aws:s3:::not-here/*" }
            "#,
        );
        assert!(matches!(found.as_slice(), [one] if one.starts_with("high/medium")), "{found:?}");
    }

    #[test]
    fn a_condition_that_tells_callers_apart_closes_it_again() {
        let limited = policy(
            "{ Effect: Allow, Principal: '*', Action: s3:GetObject, Resource: !Sub '${Files.Arn}/*', Condition: { StringEquals: { aws:PrincipalOrgID: o-1 } } }",
        );
        assert_eq!(bucket(OFF, &limited), [""; 0]);
        let tls = policy(
            "{ Effect: Allow, Principal: '*', Action: s3:GetObject, Resource: !Sub '${Files.Arn}/*', Condition: { Bool: { aws:SecureTransport: true } } }",
        );
        assert_eq!(bucket(OFF, &tls).len(), 1);
        let deny = policy(
            "{ Effect: Deny, Principal: '*', Action: s3:*, Resource: '*', Condition: { Bool: { aws:SecureTransport: false } } }",
        );
        assert_eq!(bucket(OFF, &deny), [""; 0]);
    }
}
