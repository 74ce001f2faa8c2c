//! Telling by its shape what sent an event.

use crate::json::{self, DecodeError};
use crate::part::{ARN, Collector, PLATFORM, TOKEN, WORD, text_of};
use crate::records::{self, Reader};
use crate::{Event, Limits, TriggerKind, http, single};
use serde_json::{Map, Value};

/// Reads an event. `hint` is what an event without any known envelope is taken for (a rule of IoT Core hands over what the
/// device sent, and nothing else); without it such an event is a direct call, [`TriggerKind::Function`].
///
/// An event that has an envelope is what its envelope says, whatever the hint: a device that sends a queue's batch has
/// sent a queue's batch, and the fence says whether one may come in.
///
/// # Errors
/// When the bytes are not what every JSON reader would read alike, or exceed the limits.
pub fn decode(bytes: &[u8], hint: Option<TriggerKind>, limits: &Limits) -> Result<Event, DecodeError> {
    if bytes.len() > limits.max_bytes {
        return Err(DecodeError::TooLarge { bytes: bytes.len(), limit: limits.max_bytes });
    }
    let map = match json::parse(bytes, limits)? {
        Value::Object(map) => map,
        other => return Ok(unknown(hint, other)),
    };
    let has = |key: &str| map.contains_key(key);
    if let Some(Value::Array(list)) = map.get("Records")
        && !list.is_empty()
    {
        return from_records(map, hint, limits);
    }
    if let Some(context) = map.get("requestContext").and_then(Value::as_object) {
        let version_two = map.get("version").and_then(Value::as_str) == Some("2.0") && context.contains_key("http");
        let one = |kind| Some((kind, false));
        let kind = if context.contains_key("elb") {
            one(TriggerKind::LoadBalancer)
        } else if context.contains_key("connectionId") {
            one(TriggerKind::WebSocket)
        } else if version_two {
            Some((TriggerKind::HttpApi, true))
        } else if has("httpMethod") && map.get("version").and_then(Value::as_str) == Some("1.0") {
            one(TriggerKind::HttpApi)
        } else if has("httpMethod") {
            one(TriggerKind::RestApi)
        } else {
            None
        };
        match kind {
            Some((_, true)) => return Ok(http::version_two(map, limits)),
            Some((kind, false)) => return Ok(http::version_one(kind, map, limits)),
            None => {}
        }
    }
    if let Some(broker) = broker_of(&map) {
        return from_broker(map, broker, limits);
    }
    if map.get("awslogs").and_then(|logs| logs.get("data")).is_some() {
        return Ok(records::logs(map, limits));
    }
    if has("detail-type") && has("source") && has("detail") {
        return Ok(single::bus(map));
    }
    if has("triggerSource") && has("userPoolId") || has("identityPoolId") && has("datasetRecords") {
        return Ok(single::cognito(map));
    }
    if has("RequestType") && has("ResponseURL") && has("StackId") {
        return Ok(single::custom_resource(map));
    }
    if has("configRuleName") && has("invokingEvent") {
        return Ok(single::plain(TriggerKind::Config, true, Value::Object(map)));
    }
    if map.get("info").is_some_and(|info| info.get("fieldName").is_some()) && has("arguments") {
        return Ok(single::app_sync(map));
    }
    if has("session") && map.get("request").is_some_and(|request| request.get("type").is_some()) && has("context") {
        return Ok(single::alexa(map));
    }
    Ok(unknown(hint, Value::Object(map)))
}

fn unknown(hint: Option<TriggerKind>, value: Value) -> Event {
    single::plain(hint.unwrap_or(TriggerKind::Function), false, value)
}

fn source_of(record: &Value) -> Option<&str> {
    record.get("eventSource").or_else(|| record.get("EventSource")).and_then(Value::as_str)
}

fn from_records(mut map: Map<String, Value>, hint: Option<TriggerKind>, limits: &Limits) -> Result<Event, DecodeError> {
    let Some(list) = map.get("Records").and_then(Value::as_array) else { return Ok(unknown(hint, Value::Object(map))) };
    if list.len() > limits.max_records {
        return Err(DecodeError::TooManyRecords { limit: limits.max_records });
    }
    let Some(first) = list.first() else { return Ok(unknown(hint, Value::Object(map))) };
    if first.get("cf").is_some() && source_of(first).is_none() {
        return Ok(http::edge(map, limits));
    }
    let Some((kind, read)) = source_of(first).and_then(records::reader) else {
        return Ok(unknown(hint, Value::Object(map)));
    };
    let source = source_of(first).unwrap_or_default();
    if let Some(other) = list.iter().find(|record| source_of(record) != Some(source)) {
        return Err(DecodeError::MixedRecords {
            first: json::shortened(source),
            other: json::shortened(source_of(other).unwrap_or("none")),
        });
    }
    let Some(Value::Array(list)) = map.remove("Records") else { return Ok(unknown(hint, Value::Object(map))) };
    let mut event = records::batch(kind, "Records", list, read, limits);
    event.parts = envelope(map, &[]);
    Ok(event)
}

type Broker = (TriggerKind, &'static str, Reader);

/// Streams and brokers that have a layout of their own.
fn broker_of(map: &Map<String, Value>) -> Option<Broker> {
    Some(match map.get("eventSource").and_then(Value::as_str).unwrap_or_default() {
        "aws:kafka" | "SelfManagedKafka" => (TriggerKind::Kafka, "records", records::kafka),
        "aws:mq" => (TriggerKind::Mq, "messages", records::active_mq),
        "aws:rmq" => (TriggerKind::Mq, "rmqMessagesByQueue", records::rabbit_mq),
        "aws:docdb" => (TriggerKind::DocumentDb, "events", records::document_db),
        _ if map.contains_key("deliveryStreamArn") => (TriggerKind::Firehose, "records", records::firehose),
        _ => return None,
    })
}

fn from_broker(mut map: Map<String, Value>, (kind, key, read): Broker, limits: &Limits) -> Result<Event, DecodeError> {
    let count = |value: &Value| match value {
        Value::Array(list) => list.len(),
        Value::Object(lists) => lists.values().filter_map(Value::as_array).map(Vec::len).sum(),
        _ => 0,
    };
    let held = map.get(key).map(count).unwrap_or_default();
    if held > limits.max_records {
        return Err(DecodeError::TooManyRecords { limit: limits.max_records });
    }
    let mut event = match map.remove(key) {
        Some(Value::Array(list)) if held > 0 => records::batch(kind, key, list, read, limits),
        Some(Value::Object(lists)) if held > 0 => records::batch_by_name(kind, key, lists, read, limits),
        _ => return Err(DecodeError::Malformed { field: key, expected: "a list of records" }),
    };
    let name = ["eventSourceArn", "eventSourceARN", "deliveryStreamArn"].iter().find_map(|key| text_of(&map, key));
    event.source = name.or(event.source);
    let table = [
        ("eventSource", WORD),
        ("eventSourceArn", ARN),
        ("eventSourceARN", ARN),
        ("deliveryStreamArn", ARN),
        ("sourceKinesisStreamArn", ARN),
        ("invocationId", TOKEN),
        ("region", WORD),
        ("bootstrapServers", PLATFORM),
    ];
    event.parts = envelope(map, &table);
    Ok(event)
}

fn envelope(map: Map<String, Value>, table: &[(&str, crate::part::Field)]) -> Vec<crate::Part> {
    let mut collector = Collector::default();
    collector.object("", map, table);
    collector.parts
}
