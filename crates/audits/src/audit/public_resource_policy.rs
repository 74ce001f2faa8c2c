//! `public-resource-policy`: a queue, topic, secret, key, bus or function that anyone may use.

use crate::context::less;
use crate::policy::{denies_strangers, for_anyone, keeps_strangers_out};
use crate::{Audit, Context};
use facts::Access;
use findings::{AuditInfo, Confidence, Severity};
use graph::{Effect, Resource, ResourceKind};
use serde_json::Value as Json;

const INFO: AuditInfo = AuditInfo {
    id: "public-resource-policy",
    title: "A resource policy that lets anyone in",
    severity: Severity::High,
    since: "0.1.0",
    cwe: &[284, 732],
    docs: r#"The policy of a queue, topic, secret, key, event bus or other resource, or a permission on a function, names `*` as
its principal and has no condition that tells callers apart: any AWS account may use it.

## Why it matters
Messages in an open queue or topic are read, forged or flooded from outside, and the functions behind take them as the
application's own. An open secret or key gives away what it protects.

## Remediation
Name the service or account, and the source it acts for.

```yaml
Principal: { Service: sns.amazonaws.com }
Action: sqs:SendMessage
Condition: { ArnEquals: { aws:SourceArn: !Ref OrderEvents } }
```

## When it doesn't fire
Not where a condition asks for a known source, account, organisation or network, not for APIs (whose policy is meant for
anyone; see `unauthenticated-endpoint`), buckets (`public-bucket`) and function URLs (`public-function-url`).
"#,
};

pub(super) struct PublicResourcePolicy;

impl Audit for PublicResourcePolicy {
    fn info(&self) -> &'static AuditInfo {
        &INFO
    }

    fn resource(&self, resource: &Resource, context: &mut Context<'_>) {
        if matches!(resource.kind, ResourceKind::Api | ResourceKind::Bucket)
            // The policy of a network's own endpoint narrows what passes through it; being there is what lets anyone use it.
            || matches!(resource.resource_type.as_str(), "AWS::S3::BucketPolicy" | "AWS::EC2::VPCEndpoint")
        {
            return;
        }
        match resource.resource_type.as_str() {
            "AWS::Lambda::Permission" | "AWS::Lambda::LayerVersionPermission" => return permission(resource, context),
            "AWS::Events::EventBusPolicy" if resource.policy.is_empty() => return bus(resource, context),
            _ => {}
        }
        if denies_strangers(&resource.policy) {
            return;
        }
        for statement in &resource.policy {
            if statement.effect != Effect::Allow
                || !for_anyone(statement)
                || keeps_strangers_out(statement.condition.as_ref())
            {
                continue;
            }
            let reads_only = !statement.not_actions
                && !matches!(resource.kind, ResourceKind::Queue | ResourceKind::Secret | ResourceKind::Key)
                && statement.actions.iter().all(|pattern| {
                    !crate::policy::is_all(pattern)
                        && facts::actions_matching(pattern).map(facts::Action::access).max() <= Some(Access::Read)
                });
            let mut confidence = Confidence::High;
            if statement.condition.is_some() {
                confidence = less(confidence);
            }
            let shown =
                statement.actions.iter().take(3).map(|action| format!("`{action}`")).collect::<Vec<_>>().join(", ");
            let not = if statement.not_actions { "everything but " } else { "" };
            let span = context.head(statement.span);
            let head = context.head(resource.span);
            context
                .report(span, format!("any AWS account may {not}{shown} on `{}`", resource.name))
                .severity(match (resource.kind, reads_only) {
                    // Whoever mounts a file system has to reach its network first.
                    (ResourceKind::FileSystem, _) => Severity::Low,
                    (_, true) => Severity::Medium,
                    _ => Severity::High,
                })
                .confidence(confidence)
                .primary(match statement.condition {
                    Some(_) => "for anyone, and its condition doesn't tell callers apart",
                    None => "for anyone, without a condition",
                })
                .related(head, "the resource it opens")
                .remediation(
                    "name the service or account in `Principal`, and add a condition on `aws:SourceArn`, `aws:SourceAccount` or \
                     `aws:PrincipalOrgID`",
                );
        }
    }
}

/// A permission on an event bus in its short form.
fn bus(resource: &Resource, context: &mut Context<'_>) {
    let limited = resource.property("Condition").is_some_and(|condition| !condition.is_null());
    if resource.property("Principal").and_then(Json::as_str) != Some("*") || limited {
        return;
    }
    let span = resource.property_span("Principal");
    context
        .report(span, format!("any AWS account may put events on the bus of policy `{}`", resource.name))
        .primary("given to everyone")
        .remediation("name the account in `Principal`, or ask for your organisation with `Condition: { Type: StringEquals, Key: aws:PrincipalOrgID, Value: o-… }`");
}

/// A permission on a function or layer that is given to everyone.
fn permission(resource: &Resource, context: &mut Context<'_>) {
    let text = |name: &str| resource.property(name).and_then(Json::as_str);
    if text("Principal") != Some("*")
        || text("FunctionUrlAuthType").is_some()
        || text("Action") == Some("lambda:InvokeFunctionUrl")
    {
        return;
    }
    // The second half of what an open function URL needs since October 2025.
    if resource.property("InvokedViaFunctionUrl").is_some_and(|flag| !matches!(flag, Json::Bool(false) | Json::Null)) {
        return;
    }
    let narrowing = ["SourceArn", "SourceAccount", "PrincipalOrgID", "OrganizationId", "EventSourceToken"];
    if narrowing.iter().any(|name| resource.property(name).is_some()) {
        return;
    }
    let layer = resource.resource_type.ends_with("LayerVersionPermission");
    let what = if layer { "use the layer" } else { "invoke the function" };
    let span = resource.property_span("Principal");
    context
        .report(span, format!("any AWS account may {what} of permission `{}`", resource.name))
        .severity(if layer { Severity::Low } else { Severity::High })
        .confidence(if layer { Confidence::Medium } else { Confidence::High })
        .primary("given to everyone")
        .remediation("name the service or account in `Principal`, and its source in `SourceArn` and `SourceAccount`");
}

#[cfg(test)]
mod tests {
    use crate::testing::lines;

    fn queue(statement: &str) -> Vec<String> {
        lines(
            "public-resource-policy",
            &format!(
                r#"
                Resources:
                  Paid: {{ Type: AWS::SQS::Queue }}
                  Open:
                    Type: AWS::SQS::QueuePolicy
                    Properties:
                      Queues: [!Ref Paid]
                      PolicyDocument:
                        Statement:
                          - {statement}
                "#
            ),
        )
    }

    #[test]
    fn an_open_queue_is_reported_and_one_that_asks_for_its_topic_is_not() {
        let open = queue("{ Effect: Allow, Principal: '*', Action: sqs:SendMessage, Resource: !GetAtt Paid.Arn }");
        assert!(
            matches!(open.as_slice(), [one] if one.starts_with("high/high") && one.contains("on `Paid`")),
            "{open:?}"
        );
        let closed = queue(
            "{ Effect: Allow, Principal: '*', Action: sqs:SendMessage, Resource: !GetAtt Paid.Arn, Condition: { ArnEquals: { aws:SourceArn: arn:aws:sns:eu-west-1:1:t } } }",
        );
        assert!(closed.is_empty(), "{closed:?}");
        let service = queue(
            "{ Effect: Allow, Principal: { Service: sns.amazonaws.com }, Action: sqs:SendMessage, Resource: !GetAtt Paid.Arn }",
        );
        assert!(service.is_empty(), "{service:?}");
    }

    #[test]
    fn a_bus_for_everyone_is_reported_and_one_for_an_organisation_is_not() {
        let bus = |more: &str| {
            let text = format!(
                "Resources:\n  Open: {{ Type: AWS::Events::EventBusPolicy, Properties: {{ StatementId: s, Principal: '*', Action: events:PutEvents{more} }} }}\n"
            );
            lines("public-resource-policy", &text)
        };
        let open = bus("");
        assert!(matches!(open.as_slice(), [one] if one.starts_with("high/high")), "{open:?}");
        let organisation = bus(", Condition: { Type: StringEquals, Key: aws:PrincipalOrgID, Value: o-12345 }");
        assert!(organisation.is_empty(), "{organisation:?}");
    }

    #[test]
    fn a_function_that_any_account_may_invoke() {
        let template = |more: &str| {
            format!(
                r#"
                Transform: AWS::Serverless-2016-10-31
                Resources:
                  Hello:
                    Type: AWS::Serverless::Function
                    Properties: {{ Runtime: python3.14, Handler: app.handler, CodeUri: src/ }}
                  Open:
                    Type: AWS::Lambda::Permission
                    Properties: {{ FunctionName: !Ref Hello, Action: lambda:InvokeFunction, Principal: "*"{more} }}
                "#
            )
        };
        let open = lines("public-resource-policy", &template(""));
        assert!(matches!(open.as_slice(), [one] if one.starts_with("high/high")), "{open:?}");
        for narrowed in
            [", SourceAccount: !Ref AWS::AccountId", ", PrincipalOrgID: o-12345", ", FunctionUrlAuthType: NONE"]
        {
            let found = lines("public-resource-policy", &template(narrowed));
            assert!(found.is_empty(), "{narrowed}: {found:?}");
        }
    }
}
