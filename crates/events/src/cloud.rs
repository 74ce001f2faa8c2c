//! What CloudEvents carry: Google's Pub/Sub, Cloud Storage, Firestore and audit logs by their own layout, any other as it is.
//!
//! Deliberately absent: the protobuf that Firestore's events may come in, whose bytes are shown as text where they are text.

use crate::part::{
    Body, CALLER, Collector, Content, Expect, Field, Format, HEADER, PLATFORM, TIME, TOKEN, WORD, Whose, take_object,
    take_text, text_of,
};
use crate::text::Said;
use crate::{Limits, TriggerKind, json};
use serde_json::{Map, Value};

/// The data of a CloudEvent.
pub(crate) enum Data {
    Absent,
    Value(Value),
    Base64(String),
    Bytes(Vec<u8>),
}

fn kind(name: &str) -> TriggerKind {
    let google = name.strip_prefix("google.cloud.").unwrap_or_default();
    match google {
        "pubsub.topic.v1.messagePublished" => TriggerKind::PubSub,
        "audit.log.v1.written" => TriggerKind::AuditLog,
        _ if google.starts_with("storage.object.v1.") => TriggerKind::CloudStorage,
        _ if google.starts_with("firestore.document.v1.") => TriggerKind::Firestore,
        _ => TriggerKind::CloudEvent,
    }
}

type Told = (TriggerKind, Option<String>, Option<String>, Body);

/// Lays out an event by its attributes: its kind, source, id and body.
pub(crate) fn event(
    collector: &mut Collector,
    attributes: Map<String, Value>,
    data: Data,
    encoding: Option<&str>,
    limits: &Limits,
) -> Told {
    let kind = kind(&text_of(&attributes, "type").unwrap_or_default());
    let (source, id) = (text_of(&attributes, "source"), text_of(&attributes, "id"));
    let media_type = text_of(&attributes, "datacontenttype");
    let said = Said { media_type: media_type.as_deref(), encoding };
    let subject = match kind {
        TriggerKind::CloudStorage => Field::Is(Whose::Caller(Expect::ObjectKey)),
        _ => Field::Is(CALLER),
    };
    // Who made up the whole event made up these too.
    let table = [
        ("specversion", WORD),
        ("time", TIME),
        ("type", PLATFORM),
        ("source", PLATFORM),
        ("dataschema", PLATFORM),
        ("datacontenttype", HEADER),
        ("traceparent", TOKEN),
        ("subject", subject),
    ];
    let named = attributes.into_iter().map(|(name, value)| (format!("ce-{name}"), value)).collect();
    let table: Vec<(String, Field)> = table.iter().map(|(name, field)| (format!("ce-{name}"), *field)).collect();
    let table: Vec<(&str, Field)> = table.iter().map(|(name, field)| (name.as_str(), *field)).collect();
    collector.object("", named, &table);

    let known = !matches!(kind, TriggerKind::CloudEvent | TriggerKind::AuditLog);
    let plain = said.encoding.is_none_or(str::is_empty);
    let data = match data {
        Data::Bytes(bytes) if known && plain => match json::parse(&bytes, limits) {
            Ok(value) => Data::Value(value),
            Err(_) => Data::Bytes(bytes),
        },
        other => other,
    };
    let body = match data {
        Data::Absent => Body::absent("data"),
        Data::Base64(text) => collector.base64_message("data", text, &said, limits),
        Data::Bytes(bytes) => collector.message("data", bytes, &said, limits),
        Data::Value(Value::Object(map)) if kind == TriggerKind::PubSub => message(collector, map, limits),
        Data::Value(Value::Object(map)) if kind == TriggerKind::CloudStorage => object(collector, map),
        Data::Value(value) => {
            let text = value.is_string();
            let at = collector.push("data", value, CALLER);
            Body::new("data", if text { Content::Text(at) } else { Content::Value(at) })
        }
    };
    (kind, source, id, body)
}

/// A message of Pub/Sub, in its delivery: `{"message": {"data": …, "attributes": …}, "subscription": …}`.
fn message(collector: &mut Collector, mut map: Map<String, Value>, limits: &Limits) -> Body {
    let mut body = Body::absent("data.message.data");
    if let Some(mut message) = take_object(&mut map, "message") {
        if let Some(text) = take_text(&mut message, "data") {
            body = collector.base64_message("data.message.data", text, &Said::default(), limits);
        }
        let table = [
            ("messageId", TOKEN),
            ("message_id", TOKEN),
            ("publishTime", TIME),
            ("publish_time", TIME),
            ("@type", PLATFORM),
        ];
        collector.object("data.message", message, &table);
    }
    collector.object("data", map, &[("subscription", PLATFORM), ("deliveryAttempt", TOKEN)]);
    body
}

/// A message as Pub/Sub pushes it to an address, if the object is one: nothing beside the delivery's own keys.
pub(crate) fn pushed(
    map: &Map<String, Value>,
    limits: &Limits,
) -> Option<(Collector, Option<String>, Option<String>, Body)> {
    let subscription = text_of(map, "subscription")?;
    let message = map.get("message")?.as_object()?;
    let id = text_of(message, "messageId").or_else(|| text_of(message, "message_id"))?;
    let own = |key: &String| matches!(key.as_str(), "message" | "subscription" | "deliveryAttempt");
    if !map.keys().all(own) || !subscription.starts_with("projects/") || !Format::Token.admits(&id.as_str().into()) {
        return None;
    }
    let mut collector = Collector::default();
    let body = self::message(&mut collector, map.clone(), limits);
    Some((collector, Some(subscription), Some(id), body))
}

/// An object of Cloud Storage. Whoever uploads it chooses its name, its media type and its metadata.
fn object(collector: &mut Collector, map: Map<String, Value>) -> Body {
    let body = Body::new("data", Content::Own(Value::Object(map.clone())));
    let key = Field::Is(Whose::Caller(Expect::ObjectKey));
    let table = [
        ("name", key),
        ("id", key),
        ("selfLink", PLATFORM),
        ("mediaLink", PLATFORM),
        ("bucket", WORD),
        ("kind", PLATFORM),
        ("generation", TOKEN),
        ("metageneration", TOKEN),
        ("size", TOKEN),
        ("md5Hash", TOKEN),
        ("crc32c", TOKEN),
        ("etag", TOKEN),
        ("timeCreated", TIME),
        ("updated", TIME),
        ("timeStorageClassUpdated", TIME),
        ("storageClass", WORD),
        ("contentType", HEADER),
        ("contentEncoding", HEADER),
        ("contentDisposition", HEADER),
        ("contentLanguage", HEADER),
        ("cacheControl", HEADER),
    ];
    collector.object("data", map, &table);
    body
}
