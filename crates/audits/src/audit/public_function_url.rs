//! `public-function-url`: a function URL that anyone can call.

use crate::policy::writes;
use crate::{Audit, Context};
use findings::{AuditInfo, Confidence, Severity};
use graph::{Application, Authorization, Function, TriggerKind, UrlAuth};
use source::Span;

const INFO: AuditInfo = AuditInfo {
    id: "public-function-url",
    title: "A function URL that anyone on the internet can call",
    severity: Severity::High,
    since: "0.1.0",
    cwe: &[306],
    docs: r#"A function URL with `AuthType: NONE`: whoever knows the address, or finds it, can run the function.

## Why it matters
A function URL has no gateway in front of it: no authorizer, no request validation, no throttling per caller and no place
for a web firewall. What the function is allowed to do, a stranger can try to make it do, and each call is billed.

## Remediation
Let callers sign their requests, or put the function behind an API with an authorizer. For a web site's back end, keep
`AWS_IAM` and let CloudFront sign with an origin access control.

```yaml
FunctionUrlConfig:
  AuthType: AWS_IAM
```

## When it doesn't fire
Not for `AWS_IAM`. In plain CloudFormation an open URL is of no use without a permission for everyone; where the template
has none, the finding is low, because one added by hand would open it.
"#,
};

pub(super) struct PublicFunctionUrl;

impl Audit for PublicFunctionUrl {
    fn info(&self) -> &'static AuditInfo {
        &INFO
    }

    fn function(&self, function: &Function, context: &mut Context<'_>) {
        let application = context.application();
        let own = function.url.as_ref().filter(|url| url.auth == UrlAuth::None).map(|url| url.span);
        let open_trigger = |trigger: &&graph::Trigger| {
            trigger.kind == TriggerKind::FunctionUrl && trigger.authorization == Some(Authorization::None)
        };
        let by_trigger = || application.triggers_of(&function.name).find(open_trigger).map(|trigger| trigger.span);
        let place: Option<Span> = if function.url.is_some() { own } else { by_trigger() };
        let Some(span) = place else { return };
        let writing = writes(application, function);
        let admitted = function.resource_type != "AWS::Lambda::Function" || admits_everyone(application, function);
        let (severity, confidence) = match (admitted, writing) {
            (false, _) => (Severity::Low, Confidence::Low),
            (true, Some(_)) => (Severity::High, Confidence::High),
            (true, None) => (Severity::Medium, Confidence::High),
        };
        let head = context.head(function.span);
        let mut report = context
            .report(span, format!("anyone on the internet can call `{}` by its function URL", function.name))
            .severity(severity)
            .confidence(confidence)
            .function(&function.name)
            .primary(if admitted {
                "no authentication"
            } else {
                "no authentication, though no permission in this template lets everyone in yet"
            })
            .related(head, "it runs this function");
        if let Some((statement, action)) = writing {
            report = report.related(statement.span, format!("which may `{action}`"));
        }
        report.remediation(
            "set `AuthType: AWS_IAM` and let callers sign their requests, or reach the function through an API that has an \
             authorizer",
        );
    }
}

/// Whether some permission lets everyone call a function's URL, as plain CloudFormation asks for.
fn admits_everyone(application: &Application, function: &Function) -> bool {
    application.resources.iter().any(|resource| {
        resource.resource_type == "AWS::Lambda::Permission"
            && resource.property("Principal").and_then(|principal| principal.as_str()) == Some("*")
            && resource.property("FunctionName").is_none_or(|named| {
                // By reference, by name or by something that can't be told: only a clear other name speaks against it.
                let text = named.to_string();
                text.contains(&function.name)
                    || function.deployed_name.as_ref().is_some_and(|name| text.contains(&name.to_string()))
                    || !application.functions.iter().any(|other| text.contains(&other.name))
            })
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::lines;

    #[test]
    fn an_open_url_is_reported_by_what_the_function_may_do() {
        let found = lines(
            "public-function-url",
            r#"
            Transform: AWS::Serverless-2016-10-31
            Resources:
              Preview:
                Type: AWS::Serverless::Function
                Properties:
                  Runtime: python3.13
                  Handler: app.handler
                  CodeUri: src/
                  FunctionUrlConfig: { AuthType: NONE }
              Upload:
                Type: AWS::Serverless::Function
                Properties:
                  Runtime: python3.13
                  Handler: app.handler
                  CodeUri: src/
                  Policies:
                    - S3WritePolicy: { BucketName: uploads }
                  FunctionUrlConfig: { AuthType: NONE }
            "#,
        );
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("high/high") && found[0].contains("`Upload`"), "{found:?}");
        assert!(found[1].starts_with("medium/high") && found[1].contains("`Preview`"), "{found:?}");
    }

    #[test]
    fn a_signed_url_is_fine() {
        let found = lines(
            "public-function-url",
            r#"
            Transform: AWS::Serverless-2016-10-31
            Resources:
              Preview:
                Type: AWS::Serverless::Function
                Properties: { Runtime: python3.13, Handler: app.handler, CodeUri: src/, FunctionUrlConfig: { AuthType: AWS_IAM } }
            "#,
        );
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn plain_cloudformation_needs_a_permission_as_well() {
        let template = |permission: &str| {
            format!(
                r#"
                Resources:
                  Role:
                    Type: AWS::IAM::Role
                    Properties:
                      AssumeRolePolicyDocument:
                        Statement: [{{ Effect: Allow, Principal: {{ Service: lambda.amazonaws.com }}, Action: sts:AssumeRole }}]
                  Hello:
                    Type: AWS::Lambda::Function
                    Properties:
                      Runtime: python3.13
                      Handler: index.handler
                      Role: !GetAtt Role.Arn
                      Code: {{ ZipFile: "def handler(event, context): pass" }}
                  Url:
                    Type: AWS::Lambda::Url
                    Properties: {{ TargetFunctionArn: !Ref Hello, AuthType: NONE }}
                  {permission}
                "#
            )
        };
        let closed = lines("public-function-url", &template(""));
        assert!(matches!(closed.as_slice(), [one] if one.starts_with("low/low")), "{closed:?}");
        let open = lines(
            "public-function-url",
            &template(
                "Open: { Type: AWS::Lambda::Permission, Properties: { FunctionName: !Ref Hello, Principal: '*', \
                 Action: lambda:InvokeFunctionUrl, FunctionUrlAuthType: NONE } }",
            ),
        );
        assert!(matches!(open.as_slice(), [one] if one.starts_with("medium/high")), "{open:?}");
    }
}
