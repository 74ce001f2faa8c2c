//! `unauthenticated-endpoint`: a route that anyone can call.

use crate::policy::{narrows, touches, writes, written_in};
use crate::{Audit, Context};
use findings::{AuditInfo, Confidence, Severity};
use graph::{Application, Authorization, Resource, Trigger, TriggerKind, Value};
use serde_json::Value as Json;

const INFO: AuditInfo = AuditInfo {
    id: "unauthenticated-endpoint",
    title: "A route that anyone on the internet can call",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[306],
    docs: r#"A route of an HTTP, REST or WebSocket API, or of a load balancer, that leads to a function without telling its
callers apart. High where a changing method reaches a function that may change data, low where a reading method reaches a
function that may do nothing at all.

## Why it matters
The function's role is what strangers can borrow: any mistake in the code behind an open route is a mistake that everyone
can use. API keys don't help, they are shared by all clients and count calls rather than callers.

## Remediation
Set a default authorizer on the API, and open the few routes that are meant to be open one by one.

```yaml
Api:
  Type: AWS::Serverless::HttpApi
  Properties:
    Auth:
      DefaultAuthorizer: Customers
      Authorizers:
        Customers:
          IdentitySource: $request.header.Authorization
          JwtConfiguration: { issuer: !Ref Issuer, audience: [shop] }
```

## When it doesn't fire
Not for `OPTIONS` (browsers send preflight requests without credentials), for health checks and well-known files, for
private APIs and internal load balancers, for APIs that ask for client certificates, for APIs whose resource policy asks for a known network or account, for routes of a
WebSocket API other than `$connect` (the connection carries the identity), and for function URLs, which have an audit of
their own. Sign-in routes have to be open, web hooks prove their sender by a signature, and code may check tokens itself:
these are reported low, as a reminder of what then has to be in the code.
"#,
};

pub(super) struct UnauthenticatedEndpoint;

impl Audit for UnauthenticatedEndpoint {
    fn info(&self) -> &'static AuditInfo {
        &INFO
    }

    fn trigger(&self, trigger: &Trigger, context: &mut Context<'_>) {
        let application = context.application();
        let by_key = match (&trigger.authorization, trigger.kind) {
            (_, TriggerKind::FunctionUrl) => return,
            (Some(Authorization::ApiKey), kind) if kind.is_http() || kind == TriggerKind::AppSync => true,
            (None | Some(Authorization::None), kind) if kind.is_http() => false,
            (Some(Authorization::None), TriggerKind::AppSync) => false,
            _ => return,
        };
        let method = trigger.method.as_deref().unwrap_or("ANY").to_ascii_uppercase();
        let path = trigger.path.as_deref().unwrap_or("");
        let reads = matches!(method.as_str(), "GET" | "HEAD");
        if method == "OPTIONS" || (reads && meant_to_be_open(path)) || is_closed_off(application, trigger) {
            return;
        }
        if trigger.kind == TriggerKind::WebSocket && !carries_identity(application, trigger) {
            return;
        }
        let Some(function) = application.function(&trigger.function) else { return };
        let writing = writes(application, function);
        let (mut severity, mut confidence) = match (reads, writing) {
            (false, Some(_)) => (Severity::High, Confidence::Medium),
            (true, None) if !touches(application, function) => (Severity::Low, Confidence::Low),
            _ => (Severity::Medium, Confidence::Medium),
        };
        let purpose = Purpose::of(path);
        if purpose != Purpose::Other {
            (severity, confidence) = (Severity::Low, Confidence::Low);
        }
        // Code that checks tokens or signatures itself is in the authorizer's place; for which routes isn't told here.
        let checks = purpose == Purpose::Other
            && function.behaviour.as_ref().is_some_and(|behaviour| behaviour.checks_signatures);
        if checks {
            (severity, confidence) = (Severity::Low, Confidence::Low);
        }
        // Whoever opens one route of an API that is closed by default has thought about it.
        let opened = purpose == Purpose::Other && !by_key && has_default_authorizer(application, trigger);
        if opened {
            confidence = Confidence::Low;
        }
        let route = route(trigger, &method);
        let title = if by_key {
            format!("`{route}` leads to `{}` with nothing but an API key, which tells no callers apart", function.name)
        } else {
            format!("anyone can call `{route}`, which leads to `{}`", function.name)
        };
        let head = context.head(function.span);
        let span = context.head(trigger.span);
        let mut report = context
            .report(span, title)
            .severity(severity)
            .confidence(confidence)
            .function(&function.name)
            .primary(match purpose {
                Purpose::Other if by_key => "an API key is all that is asked for",
                Purpose::Other if opened => "the API's default authorizer is switched off for it",
                Purpose::Other if checks => {
                    "no authorizer; the code checks tokens itself: see that it does so for this route"
                }
                Purpose::Other => "no authorizer",
                Purpose::SignIn => "no authorizer, as a sign-in route must have it; see that attempts are limited",
                Purpose::WebHook => "no authorizer; see that the function checks the sender's signature first",
            })
            .related(head, "it runs this function");
        if let Some((statement, action)) = writing {
            report = report.related(statement.span, format!("which may `{action}`"));
        }
        report.remediation(match trigger.kind {
            TriggerKind::LoadBalancer => {
                "add an `authenticate-oidc` or `authenticate-cognito` action before the `forward` action of the listener's rule"
            }
            TriggerKind::WebSocket => "set `AuthorizationType: CUSTOM` and an `AuthorizerId` on the `$connect` route",
            TriggerKind::AppSync => "use `AMAZON_COGNITO_USER_POOLS`, `OPENID_CONNECT` or `AWS_IAM` as authentication type",
            TriggerKind::RestApi => {
                "set `Auth: { DefaultAuthorizer: … }` on the API, or `Auth: { Authorizer: … }` on this event \
                 (`AuthorizationType` and `AuthorizerId` on an `AWS::ApiGateway::Method`)"
            }
            _ => {
                "set `Auth: { DefaultAuthorizer: … }` on the API, or `Auth: { Authorizer: … }` on this event \
                 (`AuthorizationType` and `AuthorizerId` on an `AWS::ApiGatewayV2::Route`)"
            }
        });
    }
}

fn route(trigger: &Trigger, method: &str) -> String {
    match (&trigger.path, &trigger.method) {
        (Some(path), Some(_)) => format!("{method} {path}"),
        (Some(path), None) => path.clone(),
        _ => match trigger.source.as_ref().and_then(Value::resource) {
            Some(resource) => format!("{} {resource}", trigger.kind.name()),
            None => trigger.label(),
        },
    }
}

/// Paths that exist to be asked for by anyone.
fn meant_to_be_open(path: &str) -> bool {
    let path = path.trim_end_matches('/').to_ascii_lowercase();
    let last = path.rsplit('/').next().unwrap_or("");
    path.contains("/.well-known/")
        || matches!(
            last,
            "favicon.ico"
                | "robots.txt"
                | "health"
                | "healthz"
                | "healthcheck"
                | "health-check"
                | "livez"
                | "readyz"
                | "ping"
        )
}

/// What a route's path says about why it is open.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    SignIn,
    WebHook,
    Other,
}

impl Purpose {
    fn of(path: &str) -> Self {
        let path = path.to_ascii_lowercase();
        let words: Vec<String> = path.split('/').map(|segment| segment.replace(['-', '_'], "")).collect();
        let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
        if has(&["webhook", "webhooks", "hook", "hooks"]) {
            Self::WebHook
        } else if has(&[
            "login",
            "signin",
            "signup",
            "register",
            "oauth",
            "oauth2",
            "callback",
            "forgotpassword",
            "resetpassword",
            "confirmsignup",
        ]) {
            Self::SignIn
        } else {
            Self::Other
        }
    }
}

/// Whether callers can only come from inside, whatever the route says.
fn is_closed_off(application: &Application, trigger: &Trigger) -> bool {
    if trigger.kind == TriggerKind::LoadBalancer {
        let mut balancers = application
            .resources
            .iter()
            .filter(|resource| resource.resource_type == "AWS::ElasticLoadBalancingV2::LoadBalancer")
            .peekable();
        return balancers.peek().is_some()
            && balancers.all(|resource| resource.property("Scheme").and_then(Json::as_str) == Some("internal"));
    }
    let api = trigger.source.as_ref().and_then(Value::resource).and_then(|name| application.resource(name));
    api.is_some_and(|api| is_private(api) || has_narrowing_policy(api) || asks_for_certificates(application, api))
}

/// Whether clients have to show a certificate: mutual TLS on the domain, and no other way in.
fn asks_for_certificates(application: &Application, api: &Resource) -> bool {
    let closed = api.property("DisableExecuteApiEndpoint").is_some_and(|flag| {
        flag.as_bool() == Some(true) || flag.as_str().is_some_and(|text| text.eq_ignore_ascii_case("true"))
    });
    let asks = |resource: &Resource, path: &str| resource.property(path).is_some_and(|value| !value.is_null());
    closed
        && (asks(api, "Domain.MutualTlsAuthentication")
            || application.resources.iter().any(|resource| {
                resource.resource_type.ends_with("::DomainName") && asks(resource, "MutualTlsAuthentication")
            }))
}

fn has_default_authorizer(application: &Application, trigger: &Trigger) -> bool {
    let api = trigger.source.as_ref().and_then(Value::resource).and_then(|name| application.resource(name));
    api.and_then(|api| api.property("Auth.DefaultAuthorizer"))
        .is_some_and(|name| !name.is_null() && name.as_str() != Some("NONE"))
}

fn is_private(api: &Resource) -> bool {
    let configuration = api.property("EndpointConfiguration");
    match configuration {
        Some(Json::String(text)) => text == "PRIVATE",
        Some(configuration) => {
            configuration.get("Type").and_then(Json::as_str) == Some("PRIVATE")
                || configuration
                    .get("Types")
                    .and_then(Json::as_array)
                    .is_some_and(|types| types.iter().any(|kind| kind.as_str() == Some("PRIVATE")))
        }
        None => false,
    }
}

/// Whether the API's resource policy asks for a known network or account.
fn has_narrowing_policy(api: &Resource) -> bool {
    let sam = api
        .property("Auth.ResourcePolicy")
        .and_then(Json::as_object)
        .is_some_and(|policy| policy.keys().any(|key| key.ends_with("Whitelist")));
    let documents = ["Policy", "Auth.ResourcePolicy.CustomStatements"];
    let written =
        documents.iter().filter_map(|path| api.property(path)).any(|document| narrows(&written_in(document, api.span)));
    sam || written || narrows(&api.policy)
}

/// Whether a WebSocket route is the one that decides who may connect: `$connect`, or the first of an API that has none.
fn carries_identity(application: &Application, trigger: &Trigger) -> bool {
    let is_connect = |trigger: &Trigger| trigger.path.as_deref() == Some("$connect");
    let mut siblings = application
        .triggers
        .iter()
        .filter(|other| other.kind == TriggerKind::WebSocket && other.source == trigger.source);
    if is_connect(trigger) {
        return true;
    }
    !siblings.clone().any(is_connect) && siblings.next().is_some_and(|first| std::ptr::eq(first, trigger))
}

#[cfg(test)]
mod tests {
    use crate::testing::{findings, lines};

    fn sam(api: &str, function: &str, events: &str) -> String {
        format!(
            r#"
            Transform: AWS::Serverless-2016-10-31
            Resources:
              Shop: {{ Type: AWS::Serverless::Api, Properties: {{ StageName: live{api} }} }}
              Orders:
                Type: AWS::Serverless::Function
                Properties:
                  Runtime: python3.13
                  Handler: app.handler
                  CodeUri: src/
                  {function}
                  Events:
                    {events}
            "#
        )
    }

    const WRITES: &str = "Policies: [{ DynamoDBCrudPolicy: { TableName: orders } }]";
    const READS: &str = "Policies: [{ DynamoDBReadPolicy: { TableName: orders } }]";

    #[test]
    fn severity_follows_the_method_and_what_the_function_may_do() {
        let event = |method: &str| {
            format!("One: {{ Type: Api, Properties: {{ RestApiId: !Ref Shop, Method: {method}, Path: /orders }} }}")
        };
        for (function, method, expected) in [
            (WRITES, "post", "high/medium"),
            (WRITES, "get", "medium/medium"),
            (READS, "get", "medium/medium"),
            (READS, "any", "medium/medium"),
            ("Timeout: 3", "get", "low/low"),
            ("Timeout: 3", "delete", "medium/medium"),
        ] {
            let found = lines("unauthenticated-endpoint", &sam("", function, &event(method)));
            assert_eq!(found.len(), 1, "{function} {method}: {found:?}");
            assert!(found[0].starts_with(expected), "{function} {method}: {found:?}");
            assert!(found[0].contains("/orders") && found[0].contains("`Orders`"), "{found:?}");
        }
    }

    #[test]
    fn a_route_opened_against_the_default_is_less_certain() {
        let api = ", Auth: { DefaultAuthorizer: AWS_IAM }";
        let event = "One: { Type: Api, Properties: { RestApiId: !Ref Shop, Method: post, Path: /orders, Auth: { Authorizer: NONE } } }";
        let found = lines("unauthenticated-endpoint", &sam(api, WRITES, event));
        assert!(matches!(found.as_slice(), [one] if one.starts_with("high/low")), "{found:?}");
    }

    #[test]
    fn an_api_key_is_called_what_it_is() {
        let event = "One: { Type: Api, Properties: { RestApiId: !Ref Shop, Method: post, Path: /orders } }";
        let found = findings("unauthenticated-endpoint", &sam(", Auth: { ApiKeyRequired: true }", WRITES, event));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].title.contains("nothing but an API key"), "{found:?}");
        assert!(found[0].related.iter().any(|label| label.message.contains("dynamodb:")), "{found:?}");
    }

    #[test]
    fn routes_that_are_closed_or_meant_to_be_open_are_not_reported() {
        let event = |rest: &str| format!("One: {{ Type: Api, Properties: {{ RestApiId: !Ref Shop, {rest} }} }}");
        for (api, rest) in [
            ("", "Method: options, Path: /orders"),
            ("", "Method: get, Path: /health"),
            ("", "Method: post, Path: /orders, Auth: { Authorizer: AWS_IAM }"),
            (", EndpointConfiguration: { Type: PRIVATE }", "Method: post, Path: /orders"),
            (", Auth: { ResourcePolicy: { IpRangeWhitelist: [203.0.113.0/24] } }", "Method: post, Path: /orders"),
        ] {
            let found = lines("unauthenticated-endpoint", &sam(api, WRITES, &event(rest)));
            assert!(found.is_empty(), "{api} {rest}: {found:?}");
        }
    }

    #[test]
    fn sign_in_and_web_hooks_are_reminders() {
        for path in ["/auth/sign-in", "/webhooks/stripe"] {
            let event =
                format!("One: {{ Type: Api, Properties: {{ RestApiId: !Ref Shop, Method: post, Path: {path} }} }}");
            let found = lines("unauthenticated-endpoint", &sam("", WRITES, &event));
            assert!(matches!(found.as_slice(), [one] if one.starts_with("low/low")), "{path}: {found:?}");
        }
    }

    #[test]
    fn only_the_route_that_decides_who_connects_counts_for_websockets() {
        let found = lines(
            "unauthenticated-endpoint",
            r#"
            Transform: AWS::Serverless-2016-10-31
            Resources:
              Chat: { Type: AWS::ApiGatewayV2::Api, Properties: { Name: chat, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action } }
              Hello:
                Type: AWS::Serverless::Function
                Properties: { Runtime: python3.13, Handler: app.handler, CodeUri: src/ }
              Target:
                Type: AWS::ApiGatewayV2::Integration
                Properties:
                  ApiId: !Ref Chat
                  IntegrationType: AWS_PROXY
                  IntegrationUri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Hello.Arn}/invocations
              Connect: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref Chat, RouteKey: $connect, Target: !Sub "integrations/${Target}" } }
              Send: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref Chat, RouteKey: send, Target: !Sub "integrations/${Target}" } }
            "#,
        );
        assert!(matches!(found.as_slice(), [one] if one.contains("$connect")), "{found:?}");
    }
}
