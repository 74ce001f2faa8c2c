//! What is weak in an application: audits that read the graph and make findings. Each audit is one file under `audit/`,
//! with its identity, its documentation, its logic and its tests; one line in `audit.rs` registers it.
//!
//! Audits are pure: they are handed the graph, the sources and the date, and give back findings that point at source.
//!
//! What flows through code is read from the graph's behaviours; a flow that went through a store is told from the function that
//! fills it. Credentials are looked for in the environment, in code, in settings beside it and in templates, and are masked in
//! every text made here; the excerpt under a finding's span is the renderer's to mask.
//!
//! Deliberately absent: reading templates and code, rendering, ignores (the `scan` product applies those), and evaluating
//! policies as IAM does: statements are weighed one by one, and of denials only those count that take the same actions back
//! from everything. Whose a record is, is told by names, keys and what other code of the application does with the same
//! records; nothing here knows what a record means.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod audit;
mod context;
mod date;
mod flow;
mod leak;
mod policy;
mod practice;
mod secret;
#[cfg(test)]
mod testing;

pub use audit::audits;
pub use context::{Audit, Context};

use findings::{AuditInfo, Finding};
use graph::Application;
use source::Sources;

/// What audits are given.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The application.
    pub application: &'a Application,
    /// The text it was read from.
    pub sources: &'a Sources,
    /// Its fence, where there is one: input that the fence describes counts as validated.
    pub fence: Option<&'a fence::Fence>,
    /// Settings beside the code (`.env`, JSON, YAML, keys), which are looked through for credentials.
    pub settings: &'a [source::FileId],
    /// Today as year, month (1 to 12) and day (1 to 31).
    pub today: (u16, u8, u8),
}

/// Runs every audit. The findings come most severe first, then by file, place and id.
pub fn run(input: &Input<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for audit in audits() {
        let mut context = Context::new(*input, audit.info());
        audit.application(input.application, &mut context);
        for function in &input.application.functions {
            audit.function(function, &mut context);
        }
        for trigger in &input.application.triggers {
            audit.trigger(trigger, &mut context);
        }
        for identity in &input.application.identities {
            audit.identity(identity, &mut context);
        }
        for resource in &input.application.resources {
            audit.resource(resource, &mut context);
        }
        findings.append(&mut context.finish());
    }
    findings.sort_by(|left, right| {
        let place = |finding: &Finding| (finding.primary.span.start, finding.primary.span.end, finding.id);
        right
            .severity
            .cmp(&left.severity)
            .then_with(|| input.sources.path(left.primary.span).cmp(input.sources.path(right.primary.span)))
            .then_with(|| place(left).cmp(&place(right)))
            .then_with(|| left.title.len().cmp(&right.title.len()))
            .then_with(|| left.title.cmp(&right.title))
    });
    findings.dedup();
    // A template or module that is used several times is wrong once: told under the shortest name.
    let mut told = std::collections::BTreeSet::new();
    findings.retain(|finding| {
        let about = finding.function.as_deref().or_else(|| finding.title.split('`').nth(1));
        if about.is_some_and(is_of_a_library) {
            return false;
        }
        let place = (finding.primary.span.file, finding.primary.span.start, finding.primary.span.end);
        finding.function.is_some() || told.insert((finding.id, place, unqualified(&finding.title)))
    });
    findings
}

/// Whether a name is of a function, or its role, that the CDK's library brings along for its own work: one of a kind in a
/// stack, named after a constant of 32 hexadecimal digits, or a provider of custom resources. Nobody here wrote them.
fn is_of_a_library(name: &str) -> bool {
    const DIGITS: usize = 32;
    let name = name.rsplit('.').next().unwrap_or(name);
    let provider = name.split_once("CustomResourceProvider").is_some_and(|(before, rest)| {
        before.starts_with("Custom") && (rest.starts_with("Handler") || rest.starts_with("Role"))
    });
    let longest = name.split(|character: char| !character.is_ascii_hexdigit()).map(str::len).max().unwrap_or(0);
    provider || name.bytes().all(|byte| byte.is_ascii_alphanumeric()) && longest >= DIGITS
}

/// A title with the names in it as their own template or module has them.
fn unqualified(title: &str) -> String {
    let part = |(at, part): (usize, &str)| match at % 2 {
        0 => part.to_string(),
        _ => part.rsplit('.').next().unwrap_or(part).to_string(),
    };
    title.split('`').enumerate().map(part).collect::<Vec<_>>().join("`")
}

/// What is known of the audit of this id, or of one that was called so once.
pub fn info(id: &str) -> Option<&'static AuditInfo> {
    let id = audit::RENAMED.iter().find(|(old, _)| *old == id).map_or(id, |(_, new)| *new);
    audits().iter().map(|audit| audit.info()).find(|info| info.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn what_the_cdks_library_brings_along_is_nobodys_mistake() {
        let said = testing::all(
            r#"
            Resources:
              BucketNotificationsHandler050a0587b7544547bf325f094a3db834RoleB6FB88EC:
                Type: AWS::IAM::Role
                Properties:
                  AssumeRolePolicyDocument:
                    Statement: [{ Effect: Allow, Principal: { Service: lambda.amazonaws.com }, Action: sts:AssumeRole }]
                  Policies:
                    - PolicyName: p
                      PolicyDocument: { Statement: [{ Effect: Allow, Action: 's3:PutBucketNotification', Resource: '*' }] }
              BucketNotificationsHandler050a0587b7544547bf325f094a3db8347ECC3691:
                Type: AWS::Lambda::Function
                Properties:
                  Runtime: python3.9
                  Handler: index.handler
                  Code: { ZipFile: 'x' }
                  Role: !GetAtt BucketNotificationsHandler050a0587b7544547bf325f094a3db834RoleB6FB88EC.Arn
            "#,
        );
        assert!(said.is_empty(), "{said:?}");
        assert!(is_of_a_library("CustomS3AutoDeleteObjectsCustomResourceProviderHandler9D90184F"));
        for written in ["OrdersHandler5A3B2C1D", "CustomResourceProvider", "aws_lambda_function.orders", "deadbeefcafe"]
        {
            assert!(!is_of_a_library(written), "{written}");
        }
    }

    #[test]
    fn what_a_template_does_wrong_is_told_once_however_often_it_is_used() {
        assert_eq!(unqualified("role `Orders.Prod.Deploy` may `iam:*`"), "role `Deploy` may `iam:*`");
        assert_eq!(unqualified("role `Deploy` may `iam:*`"), "role `Deploy` may `iam:*`");
        assert_ne!(unqualified("role `Orders.Deploy` may"), unqualified("role `Orders.Build` may"));
    }

    #[test]
    fn every_audit_explains_itself() {
        let mut ids = BTreeSet::new();
        for audit in audits() {
            let info = audit.info();
            assert!(ids.insert(info.id), "{} is registered twice", info.id);
            assert!(info.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", info.id);
            for heading in ["## Why it matters", "## Remediation", "```", "## When it doesn't fire"] {
                assert!(info.docs.contains(heading), "{} lacks {heading}", info.id);
            }
            assert!(!info.cwe.is_empty() && !info.title.ends_with('.'), "{}", info.id);
        }
    }

    #[test]
    fn a_renamed_audit_leads_to_one_that_is_there() {
        for (old, new) in audit::RENAMED {
            assert!(audits().iter().all(|audit| audit.info().id != *old), "{old} is still in use");
            assert_eq!(info(old).map(|info| info.id), Some(*new));
        }
        assert!(info("public-function-url").is_some());
        assert!(info("no-such-audit").is_none());
    }

    #[test]
    fn the_order_is_by_severity_and_then_by_place() {
        let findings = testing::all(
            r#"
            Resources:
              Topic: { Type: AWS::SNS::Topic }
              Files:
                Type: AWS::S3::Bucket
                Properties:
                  AccessControl: PublicReadWrite
                  PublicAccessBlockConfiguration: { BlockPublicAcls: false, IgnorePublicAcls: false }
              Second: { Type: AWS::SNS::Topic }
            "#,
        );
        let seen: Vec<_> = findings.iter().map(|finding| finding.title.as_str()).collect();
        assert_eq!(findings[0].id, "public-bucket", "{seen:?}");
        assert!(seen[1].contains("`Topic`") && seen[2].contains("`Second`"), "{seen:?}");
    }
}
