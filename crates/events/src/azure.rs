//! What Azure's host hands a custom handler: one envelope for every trigger, `{"Data": {binding: value}, "Metadata": {…}}`.
//!
//! The envelope doesn't say which kind of trigger it comes from; what the host tells about the message does.

use crate::http::{Http, cookies};
use crate::json::{self, DecodeError};
use crate::part::{Body, CALLER, Collector, Content, Expect, FORM, Field, HEADER, PLATFORM, Whose, text_of};
use crate::request::percent_decoded;
use crate::text::Said;
use crate::{Event, Limits, Record, Shape, TriggerKind};
use serde_json::{Map, Value};

/// Reads an envelope the host sent for `function`. None where the bytes are JSON but no envelope.
///
/// # Errors
/// When the bytes are not what every JSON reader would read alike, or exceed the limits.
pub fn azure_envelope(function: &str, bytes: &[u8], limits: &Limits) -> Result<Option<Event>, DecodeError> {
    if bytes.len() > limits.max_bytes {
        return Err(DecodeError::TooLarge { bytes: bytes.len(), limit: limits.max_bytes });
    }
    let Value::Object(mut map) = json::parse(bytes, limits)? else { return Ok(None) };
    if map.len() != 2 || !map.contains_key("Metadata") {
        return Ok(None);
    }
    let (Some(Value::Object(data)), Some(Value::Object(metadata))) = (map.remove("Data"), map.remove("Metadata"))
    else {
        return Ok(None);
    };
    let kind = kind(&data, &metadata);
    let mut collector = Collector::default();
    let mut body = None;
    let mut http = None;
    let mut source = Some(function.to_owned());
    if kind == TriggerKind::Blob {
        let place = text_of(&metadata, "BlobTrigger").unwrap_or_default();
        source = place.trim_matches('"').split('/').next().map(str::to_owned);
    }
    for (name, value) in data {
        let path = format!("Data.{}", json::shortened(&name));
        match value {
            Value::Object(request) if kind == TriggerKind::Http && is_request(&request) && http.is_none() => {
                let (read, said) = self::request(&mut collector, &path, request, limits);
                (http, body) = (Some(read), Some(said));
            }
            value => {
                let said = message(&mut collector, &path, value, limits);
                body.get_or_insert(said);
            }
        }
    }
    let id = ["MessageId", "Id", "id"].iter().find_map(|key| text_of(&metadata, key));
    let key = Field::Is(Whose::Caller(Expect::ObjectKey));
    // The host also spreads a message's own fields out here, so what isn't known is the sender's.
    let table = [
        ("sys", PLATFORM),
        ("Headers", HEADER),
        ("BlobTrigger", key),
        ("Uri", PLATFORM),
        ("Properties", PLATFORM),
        ("DequeueCount", PLATFORM),
        ("ExpirationTime", PLATFORM),
        ("InsertionTime", PLATFORM),
        ("NextVisibleTime", PLATFORM),
        ("PopReceipt", PLATFORM),
        ("DeliveryCount", PLATFORM),
        ("EnqueuedTimeUtc", PLATFORM),
        ("ExpiresAtUtc", PLATFORM),
        ("ExpiresAt", PLATFORM),
        ("LockToken", PLATFORM),
        ("SequenceNumber", PLATFORM),
        ("SequenceNumberArray", PLATFORM),
        ("PartitionContext", PLATFORM),
        ("Offset", PLATFORM),
        ("OffsetArray", PLATFORM),
        ("EnqueuedTimeUtcArray", PLATFORM),
        ("MessageReceiver", PLATFORM),
        ("MessageActions", PLATFORM),
        ("Client", PLATFORM),
    ];
    collector.object("Metadata", metadata, &table);
    let Collector { parts, problem } = collector;
    let body = body.unwrap_or_else(|| Body::absent("Data"));
    let record = Record { index: 0, id, source: source.clone(), body, parts, problem };
    let shape = if http.is_some() { Shape::HttpV2 } else { Shape::Single };
    Ok(Some(Event { kind, recognised: true, shape, source, http, records: vec![record], parts: Vec::new() }))
}

fn is_request(value: &Map<String, Value>) -> bool {
    value.get("Url").is_some_and(Value::is_string)
        && value.get("Method").is_some_and(Value::is_string)
        && value.contains_key("Headers")
}

fn kind(data: &Map<String, Value>, metadata: &Map<String, Value>) -> TriggerKind {
    let told = |keys: &[&str]| keys.iter().all(|key| metadata.contains_key(*key));
    if data.values().filter_map(Value::as_object).any(is_request) {
        return TriggerKind::Http;
    }
    if told(&["DequeueCount", "PopReceipt"]) {
        return TriggerKind::StorageQueue;
    }
    if told(&["PartitionContext"]) || told(&["SystemPropertiesArray"]) {
        return TriggerKind::EventHub;
    }
    if told(&["DeliveryCount", "SequenceNumber"]) || told(&["DeliveryCountArray"]) {
        return TriggerKind::ServiceBus;
    }
    if told(&["BlobTrigger"]) {
        return TriggerKind::Blob;
    }
    // Values may be JSON in a text.
    let mut values = data.values().map(|value| match value {
        Value::String(text) => serde_json::from_str(text).unwrap_or(Value::Null),
        other => other.clone(),
    });
    let Some(value) = values.next() else { return TriggerKind::Binding };
    let value = value.as_object().cloned().unwrap_or_default();
    let has = |keys: &[&str]| keys.iter().all(|key| value.contains_key(*key));
    if has(&["IsPastDue"]) || has(&["Schedule", "ScheduleStatus"]) {
        return TriggerKind::Schedule;
    }
    if has(&["eventType", "topic", "subject", "eventTime"]) || has(&["specversion", "type", "source", "id"]) {
        return TriggerKind::EventGrid;
    }
    TriggerKind::Binding
}

/// A value of a binding. The host writes a text as JSON in a text.
fn message(collector: &mut Collector, path: &str, value: Value, limits: &Limits) -> Body {
    let Value::String(text) = value else {
        let at = collector.push(path, value, CALLER);
        return Body::new(path, Content::Value(at));
    };
    match json::parse_text(&text, limits.max_depth) {
        Ok(Value::String(inner)) => collector.text_message(&format!("{path}|json"), inner, &Said::default()),
        _ => collector.text_message(path, text, &Said::default()),
    }
}

/// The request of an HTTP trigger, whose objects may be texts of JSON.
fn request(collector: &mut Collector, path: &str, mut map: Map<String, Value>, limits: &Limits) -> (Http, Body) {
    let url = text_of(&map, "Url").unwrap_or_default();
    let method = text_of(&map, "Method").unwrap_or_default();
    let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
    let target = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/");
    let (raw, query) = target.split_once('?').unwrap_or((target, ""));
    let decoded = percent_decoded(raw);
    collector.push(format!("{path}.Url"), decoded.clone().into(), CALLER);
    if !query.is_empty() {
        collector.push(format!("{path}.Url?"), query.into(), Whose::Caller(Expect::Form));
    }
    let mut object = |key: &str| match map.remove(key) {
        Some(Value::String(text)) => json::parse_text(&text, limits.max_depth).unwrap_or(Value::String(text)),
        other => other.unwrap_or_default(),
    };
    let headers = object("Headers");
    let fields = object("Query");
    let params = object("Params");
    let said = |name: &str| {
        let (_, value) = headers.as_object()?.iter().find(|(given, _)| given.eq_ignore_ascii_case(name))?;
        value.as_array().map_or(Some(value), |values| values.last())?.as_str().map(str::to_owned)
    };
    let (media_type, encoding) = (said("content-type"), said("content-encoding"));
    let body = match map.remove("Body") {
        None | Some(Value::Null) => Body::absent(format!("{path}.Body")),
        Some(Value::String(text)) => {
            let said = Said { media_type: media_type.as_deref(), encoding: encoding.as_deref() };
            collector.text_message(&format!("{path}.Body"), text, &said)
        }
        Some(other) => {
            let at = collector.push(format!("{path}.Body"), other, CALLER);
            Body::new(format!("{path}.Body"), Content::Value(at))
        }
    };
    map.remove("Url");
    map.remove("Method");
    let mut around = Map::new();
    around.insert("headers".into(), headers.clone());
    cookies(collector, &around);
    collector.push(format!("{path}.Headers"), headers, Whose::Caller(Expect::Header));
    collector.push(format!("{path}.Query"), fields, CALLER);
    collector.push(format!("{path}.Params"), params, CALLER);
    collector.object(path, map, &[("Identities", PLATFORM), ("Query", FORM)]);
    (Http { method, path: decoded, route: None }, body)
}
