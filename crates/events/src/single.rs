//! Events that carry one message: buses, schedules, user pools, direct calls, and whatever has no envelope at all.

use crate::part::{
    ARN, Body, CALLER, Collector, Content, Field, HEADER, PLATFORM, PLATFORM_URL, TIME, TOKEN, WORD, Whose, text_of,
};
use crate::{Event, Record, Shape, TriggerKind};
use serde_json::{Map, Value};

/// An event of a bus, or of its clock.
pub(crate) fn bus(mut map: Map<String, Value>) -> Event {
    let source = text_of(&map, "source").unwrap_or_default();
    let clock = matches!(source.as_str(), "aws.events" | "aws.scheduler")
        && text_of(&map, "detail-type").as_deref() == Some("Scheduled Event");
    let mut collector = Collector::default();
    let body = match map.remove("detail") {
        None | Some(Value::Null) => Body::absent("detail"),
        Some(detail) => {
            let text = detail.is_string();
            let at = collector.push("detail", detail, CALLER);
            Body::new("detail", if text { Content::Text(at) } else { Content::Value(at) })
        }
    };
    let kind = if clock { TriggerKind::Schedule } else { TriggerKind::EventBridge };
    let name = if clock {
        map.get("resources")
            .and_then(|resources| resources.get(0))
            .and_then(Value::as_str)
            .unwrap_or(&source)
            .to_owned()
    } else {
        source
    };
    // Who puts an event on a bus names its resources; a clock's are the platform's.
    let resources = if clock { ARN } else { Field::Is(CALLER) };
    let table = [
        ("version", WORD),
        ("id", TOKEN),
        ("account", WORD),
        ("time", TIME),
        ("region", WORD),
        ("resources", resources),
        ("replay-name", PLATFORM),
    ];
    collector.object("", map, &table);
    finish(kind, Some(name), body, collector)
}

/// A trigger of a user pool (or the synchronisation of an identity pool).
pub(crate) fn cognito(map: Map<String, Value>) -> Event {
    let source = text_of(&map, "userPoolId").or_else(|| text_of(&map, "identityPoolId"));
    let mut collector = Collector::default();
    let body = match map.get("request") {
        Some(request) => Body::new("request", Content::Own(request.clone())),
        None => Body::absent("request"),
    };
    let table = [
        ("version", WORD),
        ("triggerSource", WORD),
        ("region", WORD),
        ("userPoolId", TOKEN),
        ("identityPoolId", TOKEN),
        ("callerContext", PLATFORM),
    ];
    collector.object("", map, &table);
    finish(TriggerKind::Cognito, source, body, collector)
}

/// A resource of a stack that the function creates.
pub(crate) fn custom_resource(map: Map<String, Value>) -> Event {
    let source = text_of(&map, "StackId");
    let mut collector = Collector::default();
    let body = match map.get("ResourceProperties") {
        Some(properties) => Body::new("ResourceProperties", Content::Own(properties.clone())),
        None => Body::absent("ResourceProperties"),
    };
    let table = [
        ("RequestType", WORD),
        ("ResponseURL", PLATFORM_URL),
        ("StackId", ARN),
        ("RequestId", TOKEN),
        ("ServiceToken", ARN),
        ("ResourceType", WORD),
        ("LogicalResourceId", WORD),
        ("ResourceProperties", PLATFORM),
        ("OldResourceProperties", PLATFORM),
    ];
    collector.object("", map, &table);
    finish(TriggerKind::CustomResource, source, body, collector)
}

/// A field of a GraphQL API.
pub(crate) fn app_sync(map: Map<String, Value>) -> Event {
    let mut collector = Collector::default();
    let body = match map.get("arguments") {
        Some(arguments) => Body::new("arguments", Content::Own(arguments.clone())),
        None => Body::absent("arguments"),
    };
    let mut map = map;
    if let Some(Value::Object(mut request)) = map.remove("request") {
        if let Some(headers) = request.remove("headers") {
            collector.push("request.headers", headers, Whose::Caller(crate::Expect::Header));
        }
        collector.object("request", request, &[]);
    }
    collector.object("", map, &[("stash", PLATFORM)]);
    finish(TriggerKind::AppSync, None, body, collector)
}

/// What a service sends whose fields are all treated as the sender's.
pub(crate) fn plain(kind: TriggerKind, recognised: bool, value: Value) -> Event {
    let mut collector = Collector::default();
    let at = collector.push("event", value, CALLER);
    let body = Body::new("event", Content::Value(at));
    Event { recognised, ..finish(kind, None, body, collector) }
}

/// A call by a voice assistant: the request is the speaker's, the rest is addressed with tokens.
pub(crate) fn alexa(map: Map<String, Value>) -> Event {
    let mut collector = Collector::default();
    let source =
        map.get("session").and_then(|session| session.pointer("/application/applicationId")).and_then(Value::as_str);
    let source = source.map(str::to_owned);
    let body = match map.get("request") {
        Some(request) => Body::new("request", Content::Own(request.clone())),
        None => Body::absent("request"),
    };
    collector.object("", map, &[("version", WORD), ("context", PLATFORM), ("headers", HEADER)]);
    finish(TriggerKind::Alexa, source, body, collector)
}

fn finish(kind: TriggerKind, source: Option<String>, body: Body, collector: Collector) -> Event {
    let Collector { parts, problem } = collector;
    let record = Record { index: 0, id: None, source: source.clone(), body, parts, problem };
    Event { kind, recognised: true, shape: Shape::Single, source, http: None, records: vec![record], parts: Vec::new() }
}
