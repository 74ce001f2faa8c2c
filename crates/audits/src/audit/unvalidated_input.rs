//! `unvalidated-input`: a trigger whose input nobody checks before the function has it.

use crate::flow::from_aws;
use crate::{Audit, Context};
use fence::EventFence;
use findings::{AuditInfo, Confidence, Severity};
use graph::{Exposure, Function, Trigger, TriggerKind, UrlAuth, Value};

const INFO: AuditInfo = AuditInfo {
    id: "unvalidated-input",
    title: "A trigger whose input nobody validates",
    severity: Severity::Low,
    since: "0.1.0",
    cwe: &[20],
    docs: r##"What a sender writes reaches the function as it is: neither the template has a schema that the platform enforces,
nor does the fence describe the body, nor does the code import a library that validates. Medium where anyone can send, low
where senders authenticate or write to a queue, topic, stream or bus.

## Why it matters
Injection, type confusion and surprises in nested fields all start with input of another shape than the code expects. No web
firewall stands before a queue or a topic.

## Remediation
Describe the body in `fence.yaml`, and the guard holds it for every kind of trigger; or attach a model to the route, which
REST APIs enforce.

```yaml
functions:
  ChargeOrder:
    events:
      - { source: sqs, queue: OrderPaid, body: { $ref: "#/schemas/OrderPaid" } }
```

## When it doesn't fire
Not for methods without a body (`GET`, `HEAD`, `DELETE`, `OPTIONS`), for events that the platform itself writes (S3
notifications, table streams, schedules, AWS services on the default bus, mail, Cognito), and not where the code imports a
validator. Code that validates by hand isn't recognised: hence the medium confidence.
"##,
};

/// Libraries that check shapes, by the name code imports them.
const VALIDATORS: &[&str] = &[
    "pydantic",
    "jsonschema",
    "fastjsonschema",
    "marshmallow",
    "cerberus",
    "voluptuous",
    "attrs",
    "cattrs",
    "msgspec",
    "ajv",
    "zod",
    "joi",
    "@hapi/joi",
    "yup",
    "superstruct",
    "valibot",
    "io-ts",
    "class-validator",
    "express-validator",
    "@middy/validator",
    "validator",
    "typebox",
    "@sinclair/typebox",
    "runtypes",
    "arktype",
];

pub(super) struct UnvalidatedInput;

impl Audit for UnvalidatedInput {
    fn info(&self) -> &'static AuditInfo {
        &INFO
    }

    fn function(&self, function: &Function, context: &mut Context<'_>) {
        // Readers may give a URL as a trigger as well; that one is reported there.
        let Some(url) = &function.url else { return };
        let has_trigger =
            context.application().triggers_of(&function.name).any(|trigger| trigger.kind == TriggerKind::FunctionUrl);
        if has_trigger || fenced(context, &function.name, |event| event.source == TriggerKind::FunctionUrl.name()) {
            return;
        }
        let exposure = if url.auth == UrlAuth::None { Exposure::Public } else { Exposure::Authenticated };
        report(function, "its function URL", exposure, url.span, context);
    }

    fn trigger(&self, trigger: &Trigger, context: &mut Context<'_>) {
        if trigger.body_schema.is_some() || !sender_writes(trigger) {
            return;
        }
        let Some(function) = context.application().function(&trigger.function) else { return };
        if fenced(context, &function.name, |event| describes(event, trigger)) {
            return;
        }
        let span = context.head(trigger.span);
        report(function, &from(trigger), trigger.exposure(), span, context);
    }
}

/// What a trigger is called.
fn from(trigger: &Trigger) -> String {
    if trigger.kind == TriggerKind::FunctionUrl {
        return "its function URL".to_string();
    }
    if trigger.kind.is_http() {
        return format!("`{}`", trigger.label());
    }
    let kind = trigger.kind.name();
    match trigger.source.as_ref().and_then(Value::resource) {
        Some(resource) => format!("{kind} `{resource}`"),
        None => format!("{kind} event `{}`", trigger.name),
    }
}

fn report(function: &Function, from: &str, exposure: Exposure, span: source::Span, context: &mut Context<'_>) {
    let severity = match exposure {
        Exposure::Public => Severity::Medium,
        Exposure::Authenticated | Exposure::Fed => Severity::Low,
        Exposure::Internal | Exposure::None => return,
    };
    if validates(function) {
        return;
    }
    let head = context.head(function.span);
    let handler = function.behaviour.as_ref().and_then(|behaviour| behaviour.handler);
    let mut finding = context
        .report(span, format!("nobody validates what `{}` is sent by {from}", function.name))
        .severity(severity)
        .confidence(Confidence::Medium)
        .function(&function.name)
        .primary(match exposure {
            Exposure::Public => "anyone can send it anything",
            Exposure::Authenticated => "every caller who authenticates can send it anything",
            _ => "whoever can write there can send it anything",
        })
        .related(head, "the function takes it as it comes");
    if let Some(handler) = handler {
        finding = finding.related(handler, "here");
    }
    finding.remediation("describe the body's shape in `fence.yaml` (`ringfence fence` writes a first version), or validate it first thing in the handler");
}

/// Whether the part of the event that matters is what a sender wrote.
fn sender_writes(trigger: &Trigger) -> bool {
    let method = trigger.method.as_deref().unwrap_or("ANY").to_ascii_uppercase();
    match trigger.kind {
        TriggerKind::RestApi | TriggerKind::HttpApi | TriggerKind::LoadBalancer | TriggerKind::FunctionUrl => {
            !matches!(method.as_str(), "GET" | "HEAD" | "DELETE" | "OPTIONS")
        }
        TriggerKind::WebSocket => !matches!(trigger.path.as_deref(), Some("$connect" | "$disconnect")),
        TriggerKind::EventBridge => !from_aws(trigger),
        TriggerKind::Sqs
        | TriggerKind::Sns
        | TriggerKind::Kinesis
        | TriggerKind::Firehose
        | TriggerKind::Iot
        | TriggerKind::Kafka
        | TriggerKind::Mq => true,
        _ => false,
    }
}

fn validates(function: &Function) -> bool {
    function.behaviour.as_ref().is_some_and(|behaviour| {
        behaviour.imports.iter().any(|import| {
            let import = import.to_ascii_lowercase();
            VALIDATORS.iter().any(|known| {
                import == *known || import.strip_prefix(known).is_some_and(|rest| rest.starts_with(['.', '/']))
            }) || import.starts_with("aws_lambda_powertools.utilities.validation")
                || import.starts_with("aws_lambda_powertools.utilities.parser")
                || import.starts_with("@aws-lambda-powertools/parser")
                || import.starts_with("@aws-lambda-powertools/validation")
        })
    })
}

fn fenced(context: &Context<'_>, function: &str, covers: impl Fn(&EventFence) -> bool) -> bool {
    context
        .fence()
        .and_then(|fence| fence.functions.get(function))
        .is_some_and(|fence| fence.events.iter().any(|event| event.body.is_some() && covers(event)))
}

/// Whether a line of the fence is about this trigger.
fn describes(event: &EventFence, trigger: &Trigger) -> bool {
    if event.source != trigger.kind.name() {
        return false;
    }
    if trigger.kind.is_http() {
        let any = event.method.as_deref().is_none_or(|method| method.eq_ignore_ascii_case("ANY"));
        return event.path == trigger.path && (any || event.method == trigger.method);
    }
    let Some(named) = event.resource() else { return true };
    trigger
        .source
        .as_ref()
        .is_none_or(|source| Value::resource(source).map_or_else(|| source.to_string(), str::to_string) == named)
}

#[cfg(test)]
mod tests {
    use crate::Input;
    use crate::testing::{TODAY, application, lines_of};

    const TEMPLATE: &str = r#"
        Transform: AWS::Serverless-2016-10-31
        Globals: { Function: { Runtime: python3.14, Handler: app.handler, CodeUri: src/ } }
        Resources:
          Paid: { Type: AWS::SQS::Queue }
          Orders:
            Type: AWS::Serverless::Function
            Properties:
              Events:
                Post: { Type: HttpApi, Properties: { Method: POST, Path: /orders } }
                Get: { Type: HttpApi, Properties: { Method: GET, Path: /orders } }
          Charge:
            Type: AWS::Serverless::Function
            Properties:
              Events:
                Paid: { Type: SQS, Properties: { Queue: !GetAtt Paid.Arn } }
                Nightly: { Type: Schedule, Properties: { Schedule: rate(1 day) } }
                Instances: { Type: EventBridgeRule, Properties: { Pattern: { source: [aws.ec2] } } }
                Parcels: { Type: EventBridgeRule, Properties: { Pattern: { source: [shop.parcels] } } }
        "#;

    #[test]
    fn senders_input_is_reported_by_who_can_send_it() {
        let (sources, application) = application(TEMPLATE);
        let input = Input { application: &application, sources: &sources, fence: None, settings: &[], today: TODAY };
        let found = lines_of("unvalidated-input", &input);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].starts_with("medium/medium") && found[0].contains("POST /orders"), "{found:?}");
        assert!(found[1].starts_with("low/medium") && found[1].contains("sqs"), "{found:?}");
        assert!(found[2].starts_with("low/medium") && found[2].contains("eventbridge"), "{found:?}");
    }

    #[test]
    fn a_body_in_the_fence_or_a_validator_in_the_code_settles_it() {
        let (sources, mut application) = application(TEMPLATE);
        let mut fence = fence::derive(&application, &sources);
        let charge = fence.functions.get_mut("Charge").unwrap();
        for event in charge.events.iter_mut().filter(|event| event.source == "sqs") {
            event.body = Some(fence::Body::reference("Paid"));
        }
        application.functions[0].behaviour =
            Some(graph::Behaviour { imports: vec!["pydantic".into()], ..graph::Behaviour::default() });
        let input =
            Input { application: &application, sources: &sources, fence: Some(&fence), settings: &[], today: TODAY };
        let found = lines_of("unvalidated-input", &input);
        assert!(matches!(found.as_slice(), [one] if one.contains("eventbridge")), "{found:?}");
    }
}
