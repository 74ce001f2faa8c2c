//! `authorizer-unattached`: an API with authorizers that no route uses.

use crate::context::listed;
use crate::{Audit, Context};
use findings::{AuditInfo, Confidence, Severity};
use graph::{Authorization, Resource, Trigger, Value};
use serde_json::Value as Json;

const INFO: AuditInfo = AuditInfo {
    id: "authorizer-unattached",
    title: "An authorizer that no route uses",
    severity: Severity::High,
    since: "0.1.0",
    cwe: &[862],
    docs: r#"An API defines an authorizer, and every one of its routes is open.

## Why it matters
Somebody meant to ask callers who they are, and whoever reads the template thinks that it happens. It doesn't: an authorizer
acts only on the routes that name it, or as the API's default.

## Remediation
Make it the default, and open the routes that are to stay open one by one.

```yaml
Auth:
  DefaultAuthorizer: Customers
```

## When it doesn't fire
Not where a single route of the API authenticates its callers, by whatever means, and not for APIs without routes to
functions in this template.
"#,
};

pub(super) struct AuthorizerUnattached;

impl Audit for AuthorizerUnattached {
    fn info(&self) -> &'static AuditInfo {
        &INFO
    }

    fn resource(&self, resource: &Resource, context: &mut Context<'_>) {
        let (api, names, place) = match resource.resource_type.as_str() {
            "AWS::Serverless::Api" | "AWS::Serverless::HttpApi" => {
                let Some(authorizers) = resource.property("Auth.Authorizers").and_then(Json::as_object) else { return };
                let names: Vec<&str> = authorizers.keys().map(String::as_str).collect();
                (resource.name.as_str(), names, resource.property_span("Auth.Authorizers"))
            }
            "AWS::ApiGateway::Authorizer" | "AWS::ApiGatewayV2::Authorizer" => {
                let api = resource.property("RestApiId").or_else(|| resource.property("ApiId"));
                let Some(api) = api.and_then(|api| api.get("Ref")).and_then(Json::as_str) else { return };
                (api, vec![resource.name.as_str()], resource.span)
            }
            _ => return,
        };
        let routes: Vec<&Trigger> = context
            .application()
            .triggers
            .iter()
            .filter(|trigger| trigger.kind.is_http() && trigger.source.as_ref().and_then(Value::resource) == Some(api))
            .filter(|trigger| trigger.method.as_deref() != Some("OPTIONS"))
            .collect();
        let open = |trigger: &&Trigger| {
            matches!(trigger.authorization, None | Some(Authorization::None | Authorization::ApiKey))
        };
        if names.is_empty() || routes.is_empty() || !routes.iter().all(open) {
            return;
        }
        let span = context.head(place);
        let places: Vec<_> = routes.iter().take(20).map(|route| (context.head(route.span), route.label())).collect();
        let mut report = context
            .report(span, format!("no route of `{api}` uses its authorizer {}", listed(names)))
            .confidence(Confidence::Medium)
            .primary("defined, and attached to nothing");
        for (place, label) in places {
            report = report.related(place, format!("`{label}` is open"));
        }
        report.remediation(
            "name it as `DefaultAuthorizer` under the API's `Auth`, or as `Authorizer` of each event (`AuthorizerId` of each \
             method or route in plain CloudFormation)",
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::lines;

    fn api(default: &str) -> Vec<String> {
        lines(
            "authorizer-unattached",
            &format!(
                r#"
                Transform: AWS::Serverless-2016-10-31
                Resources:
                  Shop:
                    Type: AWS::Serverless::HttpApi
                    Properties:
                      Auth:
                        {default}
                        Authorizers:
                          Customers:
                            IdentitySource: $request.header.Authorization
                            JwtConfiguration: {{ issuer: "https://login.example", audience: [shop] }}
                  Orders:
                    Type: AWS::Serverless::Function
                    Properties:
                      Runtime: python3.14
                      Handler: app.handler
                      CodeUri: src/
                      Events:
                        Post: {{ Type: HttpApi, Properties: {{ ApiId: !Ref Shop, Method: POST, Path: /orders }} }}
                "#
            ),
        )
    }

    #[test]
    fn an_authorizer_that_nothing_names_is_reported() {
        let found = api("EnableIamAuthorizer: false");
        assert!(matches!(found.as_slice(), [one] if one.contains("`Customers`")), "{found:?}");
    }

    #[test]
    fn a_default_authorizer_is_attached() {
        let found = api("DefaultAuthorizer: Customers");
        assert!(found.is_empty(), "{found:?}");
    }
}
