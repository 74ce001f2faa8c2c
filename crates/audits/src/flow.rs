//! For audits of flows: which parts of an event somebody hostile writes, by what triggers the function, and the common form
//! of their findings.
//!
//! Deliberately absent: who exactly may write to a queue, bucket or table; that somebody else than the function's own team can
//! is taken for granted there, and weighs less than an open route.

use crate::context::{less, listed};
use crate::{Audit, Context};
use findings::{AuditInfo, Confidence, Severity};
use graph::{Application, CallTarget, Exposure, Function, Sink, TaintFlow, Trigger, TriggerKind, UrlAuth};
use source::Span;
use std::collections::{BTreeMap, BTreeSet};

/// How much a sink gives away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// Runs what the caller likes.
    Heavy,
    /// Reads or changes what the caller likes.
    Middle,
    /// Needs something else to be of use.
    Light,
    /// Worth knowing.
    Trifle,
}

/// What an audit of flows says.
pub(crate) struct Story {
    pub(crate) info: &'static AuditInfo,
    pub(crate) sinks: &'static [(Sink, Weight)],
    /// What is made, before "in `Function`": "a shell command".
    pub(crate) thing: &'static str,
    /// At the place itself: "a shell reads this".
    pub(crate) primary: &'static str,
    pub(crate) remediation: &'static str,
    /// Once for each function rather than for each place.
    pub(crate) once: bool,
}

/// An audit that is a story.
pub(crate) struct FlowAudit(pub(crate) Story);

impl Audit for FlowAudit {
    fn info(&self) -> &'static AuditInfo {
        self.0.info
    }

    fn function(&self, function: &Function, context: &mut Context<'_>) {
        tell(&self.0, function, context);
    }
}

/// Who writes a part of the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Writer {
    exposure: Exposure,
    who: &'static str,
    confidence: Confidence,
}

/// The flows that end at one place.
struct Place<'a> {
    flow: &'a TaintFlow,
    writer: Writer,
    weight: Weight,
    sources: BTreeSet<&'a str>,
}

fn tell(story: &Story, function: &Function, context: &mut Context<'_>) {
    let Some(behaviour) = &function.behaviour else { return };
    let mut places: BTreeMap<Span, Place<'_>> = BTreeMap::new();
    for flow in &behaviour.flows {
        let Some((_, weight)) = story.sinks.iter().find(|(sink, _)| *sink == flow.sink) else { continue };
        let Some(writer) = writer(context.application(), function, &flow.source) else { continue };
        // A step of a workflow is told by the workflow which resource is meant.
        if flow.sink == Sink::CloudResource && writer.exposure < Exposure::Fed {
            continue;
        }
        let found = Place { flow, writer, weight: *weight, sources: BTreeSet::from([shown(&flow.source)]) };
        match places.get_mut(&flow.span) {
            Some(place) => {
                place.sources.insert(shown(&flow.source));
                let rank = |place: &Place<'_>| {
                    (severity(place), place.writer.confidence, place.flow.certain, place.flow.steps.len())
                };
                if rank(&found) > rank(place) {
                    (place.flow, place.writer, place.weight) = (found.flow, found.writer, found.weight);
                }
            }
            None => {
                places.insert(flow.span, found);
            }
        }
    }
    let mut others: Vec<Span> = Vec::new();
    if story.once && places.len() > 1 {
        let first = places.pop_first();
        others = std::mem::take(&mut places).into_keys().collect();
        places.extend(first);
    }
    for (span, place) in places {
        let flow = place.flow;
        let title = format!(
            "{} in `{}` is made of {}, which {} writes",
            story.thing,
            function.name,
            listed(place.sources.iter().copied()),
            place.writer.who
        );
        let confidence = if flow.certain { place.writer.confidence } else { less(place.writer.confidence) };
        let mut report = context
            .report(span, title)
            .severity(severity(&place))
            .confidence(confidence)
            .function(&function.name)
            .primary(story.primary);
        for (index, step) in flow.steps.iter().enumerate() {
            report = report.related(
                step.span,
                match index {
                    0 => format!("`{}` {}", shown(&flow.source), step.what),
                    _ => format!("it {}", step.what),
                },
            );
        }
        for other in others.iter().take(8) {
            report = report.related(*other, "and here");
        }
        report.remediation(story.remediation);
    }
}

fn shown(source: &str) -> &str {
    if source.is_empty() { "event" } else { source }
}

fn severity(place: &Place<'_>) -> Severity {
    use Severity::{Critical, High, Low, Medium};
    match (place.weight, place.writer.exposure) {
        (Weight::Trifle, _) | (_, Exposure::None) => Low,
        (Weight::Heavy, Exposure::Public) => Critical,
        (Weight::Heavy, Exposure::Authenticated | Exposure::Fed)
        | (Weight::Middle, Exposure::Public | Exposure::Authenticated) => High,
        (Weight::Heavy, Exposure::Internal)
        | (Weight::Middle, Exposure::Fed)
        | (Weight::Light, Exposure::Public | Exposure::Authenticated) => Medium,
        (Weight::Middle | Weight::Light, _) => Low,
    }
}

/// Who writes this part of the function's event, the widest of its triggers; none where only the platform or the team does.
fn writer(application: &Application, function: &Function, source: &str) -> Option<Writer> {
    let mut found: Option<Writer> = None;
    let mut take = |one: Option<Writer>| {
        if let Some(one) = one
            && found.is_none_or(|found| found.exposure < one.exposure)
        {
            found = Some(one);
        }
    };
    let mut any = false;
    for trigger in application.triggers_of(&function.name) {
        any = true;
        take(by_trigger(trigger, source));
    }
    if let Some(url) = &function.url {
        any = true;
        let exposure = if url.auth == UrlAuth::None { Exposure::Public } else { Exposure::Authenticated };
        take(http(source, exposure));
    }
    take(by_invocation(application, function));
    if found.is_none() && !any && function.behaviour.is_some() {
        // Nothing in the template starts it, so whatever does is somewhere else.
        found = Some(Writer { exposure: Exposure::None, who: "whoever invokes it", confidence: Confidence::Low });
    }
    found
}

/// Another function that invokes this one may hand on what its own callers wrote.
fn by_invocation(application: &Application, function: &Function) -> Option<Writer> {
    let named = |text: &str| {
        text == function.name
            || text.rsplit([':', '/']).next() == Some(function.name.as_str())
            || function.deployed_name.as_ref().is_some_and(|name| {
                let name = name.to_string();
                !name.is_empty() && (text == name || text.rsplit(':').next() == Some(name.as_str()))
            })
    };
    let mut widest: Option<Exposure> = None;
    for other in application.functions.iter().filter(|other| other.name != function.name) {
        let Some(behaviour) = &other.behaviour else { continue };
        let invokes =
            behaviour.calls.iter().filter(|call| call.service == "lambda" && call.operation.starts_with("Invoke"));
        for call in invokes {
            let meant = match &call.target {
                CallTarget::Literal(text) => named(text),
                target => target
                    .resolve(&other.environment)
                    .is_some_and(|value| value.resource() == Some(function.name.as_str()) || named(&value.to_string())),
            };
            if meant {
                widest = widest.max(Some(application.exposure(other)));
            }
        }
    }
    let exposure = widest.filter(|exposure| *exposure >= Exposure::Fed)?.min(Exposure::Authenticated);
    Some(Writer { exposure, who: "a caller of the function that invokes it", confidence: Confidence::Medium })
}

fn http(source: &str, exposure: Exposure) -> Option<Writer> {
    const PLATFORM: [&str; 10] = [
        "requestContext",
        "httpMethod",
        "isBase64Encoded",
        "stageVariables",
        "resource",
        "version",
        "routeKey",
        "apiId",
        "identity",
        "info",
    ];
    const CALLER: [&str; 11] = [
        "body",
        "queryStringParameters",
        "multiValueQueryStringParameters",
        "rawQueryString",
        "pathParameters",
        "path",
        "rawPath",
        "headers",
        "multiValueHeaders",
        "cookies",
        "arguments",
    ];
    let root = root(source);
    if PLATFORM.contains(&root) {
        return None;
    }
    // With a mapping the event has whatever form the mapping gives it.
    let confidence = if CALLER.contains(&root) { Confidence::High } else { Confidence::Medium };
    let who = if exposure == Exposure::Public { "anyone" } else { "the caller" };
    Some(Writer { exposure, who, confidence })
}

fn root(source: &str) -> &str {
    source.split(['.', '[']).next().unwrap_or(source)
}

/// Who writes this part of what the trigger delivers.
fn by_trigger(trigger: &Trigger, source: &str) -> Option<Writer> {
    // The names of a notification's bucket are the platform's, in whatever envelope it comes.
    if source.ends_with("s3.bucket.name") || source.ends_with("s3.bucket.arn") {
        return None;
    }
    let fed = |who: &'static str| Some(Writer { exposure: trigger.exposure(), who, confidence: Confidence::High });
    let below = |paths: &[&str]| {
        paths.iter().any(|path| {
            // The whole of the event, or of the record, has it as well.
            source.is_empty()
                || path.starts_with(source)
                || source.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    };
    match trigger.kind {
        TriggerKind::RestApi
        | TriggerKind::HttpApi
        | TriggerKind::WebSocket
        | TriggerKind::LoadBalancer
        | TriggerKind::FunctionUrl
        | TriggerKind::AppSync => http(source, trigger.exposure()),
        TriggerKind::Sqs if below(&["Records[].body", "Records[].messageAttributes"]) => fed("the sender"),
        TriggerKind::Sns
            if below(&["Records[].Sns.Message", "Records[].Sns.Subject", "Records[].Sns.MessageAttributes"]) =>
        {
            fed("the publisher")
        }
        TriggerKind::S3 if below(&["Records[].s3.object.key", "detail.object.key"]) => fed("the uploader"),
        TriggerKind::DynamodbStream if below(&["Records[].dynamodb"]) => fed("whoever fills the table"),
        TriggerKind::Kinesis if below(&["Records[].kinesis.data", "Records[].kinesis.partitionKey"]) => {
            fed("the producer")
        }
        TriggerKind::Firehose if below(&["records[].data"]) => fed("the producer"),
        TriggerKind::Kafka | TriggerKind::Mq | TriggerKind::DocumentDb
            if !matches!(root(source), "eventSource" | "eventSourceArn" | "bootstrapServers") =>
        {
            fed("the producer")
        }
        TriggerKind::Iot => fed("the device"),
        TriggerKind::EventBridge => {
            let written = match from_aws(trigger) {
                true => below(&["detail.object.key"]),
                false => below(&["detail", "detail-type", "resources", "time", "source"]),
            };
            if written { fed("whoever puts the event on the bus") } else { None }
        }
        TriggerKind::Cognito if below(&["request", "userName"]) => fed("whoever signs up"),
        TriggerKind::Email if below(&["Records[].ses.mail", "Records[].ses.receipt"]) => fed("the sender"),
        TriggerKind::Logs => fed("whoever can write a line of the log"),
        TriggerKind::Alexa if below(&["request"]) => fed("the speaker"),
        TriggerKind::CloudFront if below(&["Records[].cf.request"]) => fed("anyone"),
        TriggerKind::StepFunctions | TriggerKind::Function => {
            Some(Writer { exposure: Exposure::Internal, who: "whatever starts it", confidence: Confidence::Low })
        }
        TriggerKind::Other => {
            Some(Writer { exposure: Exposure::Fed, who: "whatever starts it", confidence: Confidence::Low })
        }
        _ => None,
    }
}

/// Whether a rule takes only events that AWS services write.
pub(crate) fn from_aws(trigger: &Trigger) -> bool {
    let Some(filter) = &trigger.filter else { return false };
    let Ok(pattern) = serde_json::from_str::<serde_json::Value>(filter) else {
        return filter.contains("\"aws.") || filter.contains("'aws.");
    };
    pattern.get("source").and_then(serde_json::Value::as_array).is_some_and(|sources| {
        !sources.is_empty()
            && sources.iter().all(|source| {
                let prefix = source.get("prefix").and_then(serde_json::Value::as_str);
                source.as_str().or(prefix).is_some_and(|name| name.starts_with("aws."))
            })
    })
}
