//! Batches: what comes in records. One function per service, each with the table of the platform's own fields.

use crate::part::{
    ARN, Body, CALLER, Collector, Content, Expect, Field, Format, PLATFORM, PLATFORM_URL, TIME, TOKEN, WORD, Whose,
    child, take_object, take_text, text_of,
};
use crate::text::{Said, base64, form_decoded, inflated};
use crate::{Event, Limits, Record, Shape, TriggerKind, json};
use serde_json::{Map, Value};

type Object = Map<String, Value>;

/// Reads one record's object at a path.
pub(crate) type Reader = fn(&mut Collector, &str, Object, &Limits) -> Read;

/// What a reader gives back beside the parts.
pub(crate) struct Read {
    pub(crate) id: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) body: Body,
}

/// The reader of a record by its `eventSource`.
pub(crate) fn reader(source: &str) -> Option<(TriggerKind, Reader)> {
    Some(match source {
        "aws:sqs" => (TriggerKind::Sqs, sqs),
        "aws:sns" => (TriggerKind::Sns, sns),
        "aws:s3" => (TriggerKind::S3, s3),
        "aws:dynamodb" => (TriggerKind::DynamodbStream, dynamodb),
        "aws:kinesis" => (TriggerKind::Kinesis, kinesis),
        "aws:ses" => (TriggerKind::Email, email),
        "aws:codecommit" => (TriggerKind::CodeCommit, code_commit),
        _ => return None,
    })
}

/// A batch out of an array of records under `key`.
pub(crate) fn batch(kind: TriggerKind, key: &'static str, records: Vec<Value>, read: Reader, limits: &Limits) -> Event {
    let named = records.into_iter().enumerate().map(|(index, record)| (format!("{key}[{index}]"), record));
    let records = named.enumerate().map(|(index, (path, record))| one(index, &path, record, read, limits)).collect();
    event(kind, Shape::Array(key), records)
}

/// A batch out of an object of arrays of records under `key`.
pub(crate) fn batch_by_name(
    kind: TriggerKind,
    key: &'static str,
    lists: Object,
    read: Reader,
    limits: &Limits,
) -> Event {
    let mut records = Vec::new();
    for (name, list) in lists {
        let Value::Array(list) = list else { continue };
        for (index, record) in list.into_iter().enumerate() {
            let path = format!("{key}[\"{}\"][{index}]", json::shortened(&name));
            records.push(one(records.len(), &path, record, read, limits));
        }
    }
    event(kind, Shape::ArraysByName(key), records)
}

fn one(index: usize, path: &str, record: Value, read: Reader, limits: &Limits) -> Record {
    let mut collector = Collector::default();
    let read = match record {
        Value::Object(map) => read(&mut collector, path, map, limits),
        other => {
            collector.problem(path, "not an object");
            let at = collector.push(path, other, CALLER);
            Read { id: None, source: None, body: Body::new(path, Content::Value(at)) }
        }
    };
    let Collector { parts, problem } = collector;
    Record { index, id: read.id, source: read.source, body: read.body, parts, problem }
}

fn event(kind: TriggerKind, shape: Shape, records: Vec<Record>) -> Event {
    let source = records.first().and_then(|record| record.source.clone());
    Event { kind, recognised: true, shape, source, http: None, records, parts: Vec::new() }
}

const COMMON: [(&str, Field); 5] =
    [("eventSource", WORD), ("eventVersion", WORD), ("eventName", WORD), ("awsRegion", WORD), ("eventSourceARN", ARN)];

fn with_common(more: &[(&'static str, Field)]) -> Vec<(&'static str, Field)> {
    COMMON.iter().chain(more).copied().collect()
}

fn sqs(collector: &mut Collector, path: &str, mut map: Object, limits: &Limits) -> Read {
    let (id, source) = (text_of(&map, "messageId"), text_of(&map, "eventSourceARN"));
    let body = text_body(collector, &child(path, "body"), map.remove("body"), limits);
    if let Some(attributes) = map.get("messageAttributes") {
        binary_attributes(collector, &child(path, "messageAttributes"), attributes, "binaryValue", limits);
    }
    if let Some(attributes) = take_object(&mut map, "attributes") {
        let sender = Field::Is(CALLER);
        let table = [("MessageGroupId", sender), ("MessageDeduplicationId", sender), ("AWSTraceHeader", sender)];
        collector.object_or(&child(path, "attributes"), attributes, &table, Whose::Platform(Format::Any));
    }
    let table = with_common(&[
        ("messageId", TOKEN),
        ("receiptHandle", TOKEN),
        ("md5OfBody", TOKEN),
        ("md5OfMessageAttributes", TOKEN),
    ]);
    collector.object(path, map, &table);
    Read { id, source, body }
}

/// Attributes in base64, decoded: functions know that they are, however short, and decode them too. The attributes themselves stay
/// among the sender's other fields.
fn binary_attributes(collector: &mut Collector, path: &str, attributes: &Value, key: &str, limits: &Limits) {
    for (name, attribute) in attributes.as_object().into_iter().flatten() {
        let kind = attribute.get("dataType").or_else(|| attribute.get("Type")).and_then(Value::as_str);
        if let Some(text) = attribute.get(key).and_then(Value::as_str)
            && kind.is_some_and(|kind| kind.starts_with("Binary"))
            && let Some(bytes) = base64(text)
        {
            let place = format!("{path}.{}.{key}|base64", json::shortened(name));
            collector.message(&place, bytes, &Said::default(), limits);
        }
    }
}

fn sns(collector: &mut Collector, path: &str, mut map: Object, limits: &Limits) -> Read {
    let mut read = Read { id: None, source: None, body: Body::absent(child(path, "Sns.Message")) };
    if let Some(mut message) = take_object(&mut map, "Sns") {
        let inside = child(path, "Sns");
        read.id = text_of(&message, "MessageId");
        read.source = text_of(&message, "TopicArn");
        read.body = text_body(collector, &child(&inside, "Message"), message.remove("Message"), limits);
        if let Some(attributes) = message.get("MessageAttributes") {
            binary_attributes(collector, &child(&inside, "MessageAttributes"), attributes, "Value", limits);
        }
        let table = [
            ("Type", WORD),
            ("MessageId", TOKEN),
            ("TopicArn", ARN),
            ("Timestamp", TIME),
            ("SignatureVersion", WORD),
            ("Signature", TOKEN),
            ("SigningCertUrl", PLATFORM_URL),
            ("SigningCertURL", PLATFORM_URL),
            ("UnsubscribeUrl", PLATFORM_URL),
            ("UnsubscribeURL", PLATFORM_URL),
        ];
        collector.object(&inside, message, &table);
    }
    collector.object(path, map, &[("EventSource", WORD), ("EventVersion", WORD), ("EventSubscriptionArn", ARN)]);
    read
}

fn s3(collector: &mut Collector, path: &str, mut map: Object, _: &Limits) -> Read {
    let mut read = Read { id: None, source: None, body: Body::absent(child(path, "s3.object.key")) };
    if let Some(mut inner) = take_object(&mut map, "s3") {
        let inside = child(path, "s3");
        if let Some(bucket) = inner.remove("bucket") {
            read.source = bucket.get("name").and_then(Value::as_str).map(str::to_owned);
            collector.push(child(&inside, "bucket"), bucket, Whose::Platform(Format::Any));
        }
        if let Some(mut object) = take_object(&mut inner, "object") {
            read.id = text_of(&object, "sequencer");
            let inside = child(&inside, "object");
            if let Some(key) = take_text(&mut object, "key") {
                let (at, place) = object_key(collector, &child(&inside, "key"), &key);
                read.body = Body::new(place, Content::Value(at));
            }
            let table = [("size", TOKEN), ("eTag", TOKEN), ("versionId", TOKEN), ("sequencer", TOKEN)];
            collector.object(&inside, object, &table);
        }
        collector.object(&inside, inner, &[("s3SchemaVersion", WORD), ("configurationId", PLATFORM)]);
    }
    let table = with_common(&[
        ("eventTime", TIME),
        ("userIdentity", PLATFORM),
        ("requestParameters", PLATFORM),
        ("responseElements", PLATFORM),
        ("glacierEventData", PLATFORM),
        ("lifecycleEventData", PLATFORM),
        ("replicationEventData", PLATFORM),
    ]);
    collector.object(path, map, &table);
    read
}

/// Keys arrive as in a form: `+` is a space.
fn object_key(collector: &mut Collector, path: &str, key: &str) -> (usize, String) {
    let decoded = form_decoded(key);
    let place = if decoded == key { path.to_owned() } else { format!("{path}|percent") };
    (collector.push(place.clone(), Value::String(decoded), Whose::Caller(Expect::ObjectKey)), place)
}

fn dynamodb(collector: &mut Collector, path: &str, mut map: Object, _: &Limits) -> Read {
    let mut read =
        Read { id: None, source: text_of(&map, "eventSourceARN"), body: Body::absent(child(path, "dynamodb")) };
    if let Some(mut change) = take_object(&mut map, "dynamodb") {
        let inside = child(path, "dynamodb");
        read.id = text_of(&change, "SequenceNumber");
        // The body is the item as it is now, or as it was before it was deleted.
        for key in ["Keys", "OldImage", "NewImage"] {
            if let Some(item) = take_object(&mut change, key) {
                let place = child(&inside, key);
                let plain = item.into_iter().map(|(name, value)| (name, unmarshalled(value))).collect();
                let at = collector.push(place.clone(), Value::Object(plain), CALLER);
                read.body = Body::new(place, Content::Value(at));
            }
        }
        let table = [
            ("ApproximateCreationDateTime", TIME),
            ("ApproximateCreationDateTimePrecision", WORD),
            ("SequenceNumber", TOKEN),
            ("SizeBytes", TOKEN),
            ("StreamViewType", WORD),
        ];
        collector.object(&inside, change, &table);
    }
    collector.object(path, map, &with_common(&[("eventID", TOKEN), ("userIdentity", PLATFORM)]));
    read
}

/// `{"M":{"a":{"N":"1"}}}` as `{"a":1}`; what isn't well formed stays as it is. Recursion is bounded by the decoder's depth.
fn unmarshalled(value: Value) -> Value {
    let Value::Object(map) = value else { return value };
    if map.len() != 1 {
        return Value::Object(map);
    }
    let Some((tag, inner)) = map.into_iter().next() else { return Value::Null };
    match (tag.as_str(), inner) {
        ("M", Value::Object(fields)) => fields.into_iter().map(|(name, value)| (name, unmarshalled(value))).collect(),
        ("L", Value::Array(items)) => items.into_iter().map(unmarshalled).collect(),
        ("N", Value::String(digits)) => number(digits),
        ("NS", Value::Array(items)) => items
            .into_iter()
            .map(|item| match item {
                Value::String(digits) => number(digits),
                other => other,
            })
            .collect(),
        ("NULL", Value::Bool(true)) => Value::Null,
        ("BOOL", flag @ Value::Bool(_)) => flag,
        ("S" | "B", text @ Value::String(_)) => text,
        ("SS" | "BS", list @ Value::Array(_)) => list,
        (_, inner) => Value::Object(Map::from_iter([(tag, inner)])),
    }
}

/// A number where the text is one that JSON can write, the text otherwise.
fn number(digits: String) -> Value {
    match serde_json::from_str::<serde_json::Number>(&digits) {
        Ok(number) => Value::Number(number),
        Err(_) => Value::String(digits),
    }
}

fn kinesis(collector: &mut Collector, path: &str, mut map: Object, limits: &Limits) -> Read {
    let mut read =
        Read { id: None, source: text_of(&map, "eventSourceARN"), body: Body::absent(child(path, "kinesis.data")) };
    if let Some(mut inner) = take_object(&mut map, "kinesis") {
        let inside = child(path, "kinesis");
        read.id = text_of(&inner, "sequenceNumber");
        read.body = data(collector, &child(&inside, "data"), &mut inner, "data", limits);
        let table = [
            ("kinesisSchemaVersion", WORD),
            ("sequenceNumber", TOKEN),
            ("approximateArrivalTimestamp", TIME),
            ("encryptionType", WORD),
        ];
        collector.object(&inside, inner, &table);
    }
    collector.object(path, map, &with_common(&[("eventID", TOKEN), ("invokeIdentityArn", ARN)]));
    read
}

pub(crate) fn firehose(collector: &mut Collector, path: &str, mut map: Object, limits: &Limits) -> Read {
    let id = text_of(&map, "recordId");
    let body = data(collector, &child(path, "data"), &mut map, "data", limits);
    if let Some(metadata) = take_object(&mut map, "kinesisRecordMetadata") {
        let table = [
            ("shardId", TOKEN),
            ("sequenceNumber", TOKEN),
            ("subsequenceNumber", TOKEN),
            ("approximateArrivalTimestamp", TIME),
        ];
        collector.object(&child(path, "kinesisRecordMetadata"), metadata, &table);
    }
    collector.object(path, map, &[("recordId", TOKEN), ("approximateArrivalTimestamp", TIME)]);
    Read { id, source: None, body }
}

pub(crate) fn kafka(collector: &mut Collector, path: &str, mut map: Object, limits: &Limits) -> Read {
    let source = text_of(&map, "topic");
    let id = match (map.get("partition"), map.get("offset")) {
        (Some(partition), Some(offset)) => {
            Some(format!("{}-{partition}-{offset}", source.as_deref().unwrap_or_default()))
        }
        _ => None,
    };
    let _ = data(collector, &child(path, "key"), &mut map, "key", limits);
    let body = data(collector, &child(path, "value"), &mut map, "value", limits);
    if let Some(Value::Array(headers)) = map.remove("headers") {
        let headers = headers.into_iter().map(bytes_as_text).collect();
        collector.push(child(path, "headers"), Value::Array(headers), CALLER);
    }
    let table = [("topic", WORD), ("timestampType", WORD), ("timestamp", TIME)];
    collector.object(path, map, &table);
    Read { id, source, body }
}

pub(crate) fn active_mq(collector: &mut Collector, path: &str, mut map: Object, limits: &Limits) -> Read {
    let id = text_of(&map, "messageID");
    let body = data(collector, &child(path, "data"), &mut map, "data", limits);
    // ActiveMQ's message ids hold a host's name and colons, its destinations what the broker's owner named them.
    let table = [("messageID", TOKEN), ("messageType", WORD), ("destination", PLATFORM), ("timestamp", TIME)];
    collector.object(path, map, &table);
    Read { id, source: None, body }
}

pub(crate) fn rabbit_mq(collector: &mut Collector, path: &str, mut map: Object, limits: &Limits) -> Read {
    let body = data(collector, &child(path, "data"), &mut map, "data", limits);
    let mut id = None;
    if let Some(properties) = map.remove("basicProperties") {
        id = properties.get("messageId").and_then(Value::as_str).map(str::to_owned);
        collector.push(child(path, "basicProperties"), bytes_as_text(properties), CALLER);
    }
    collector.object(path, map, &[]);
    Read { id, source: None, body }
}

/// Headers of brokers come as arrays of bytes, signed or not: `{"x":[104,105]}`, `{"x":{"bytes":[104,105]}}`.
fn bytes_as_text(value: Value) -> Value {
    match value {
        Value::Array(items) => {
            let bytes: Option<Vec<u8>> = items
                .iter()
                .map(|item| item.as_i64().filter(|byte| (-128..256).contains(byte)).map(|byte| byte as u8))
                .collect();
            match bytes {
                Some(bytes) if !bytes.is_empty() => Value::String(String::from_utf8_lossy(&bytes).into_owned()),
                _ => items.into_iter().map(bytes_as_text).collect(),
            }
        }
        Value::Object(map) => map.into_iter().map(|(name, value)| (name, bytes_as_text(value))).collect(),
        other => other,
    }
}

pub(crate) fn document_db(collector: &mut Collector, path: &str, mut map: Object, _: &Limits) -> Read {
    let mut body = Body::absent(child(path, "event.fullDocument"));
    let mut id = None;
    if let Some(mut event) = take_object(&mut map, "event") {
        let inside = child(path, "event");
        id = event.get("_id").and_then(|id| id.get("_data")).and_then(Value::as_str).map(str::to_owned);
        if let Some(document) = event.remove("fullDocument") {
            let place = child(&inside, "fullDocument");
            let at = collector.push(place.clone(), document, CALLER);
            body = Body::new(place, Content::Value(at));
        }
        // Extended JSON marks its types with keys that begin like a query's operators.
        let table = [
            ("_id", PLATFORM),
            ("clusterTime", PLATFORM),
            ("operationType", WORD),
            ("ns", PLATFORM),
            ("documentKey", PLATFORM),
        ];
        collector.object(&inside, event, &table);
    }
    collector.object(path, map, &[]);
    Read { id, source: None, body }
}

fn email(collector: &mut Collector, path: &str, mut map: Object, _: &Limits) -> Read {
    let mut read = Read { id: None, source: None, body: Body::absent(child(path, "ses")) };
    if let Some(mut ses) = take_object(&mut map, "ses") {
        let inside = child(path, "ses");
        if let Some(mut mail) = take_object(&mut ses, "mail") {
            read.id = text_of(&mail, "messageId");
            let place = child(&inside, "mail");
            read.body = Body::new(place.clone(), Content::Own(Value::Object(mail.clone())));
            for key in ["headers", "commonHeaders"] {
                if let Some(headers) = mail.remove(key) {
                    collector.push(child(&place, key), headers, Whose::Caller(Expect::Header));
                }
            }
            collector.object(&place, mail, &[("timestamp", TIME), ("messageId", TOKEN)]);
        }
        if let Some(receipt) = ses.remove("receipt") {
            read.source = receipt.pointer("/action/functionArn").and_then(Value::as_str).map(str::to_owned);
            collector.push(child(&inside, "receipt"), receipt, Whose::Platform(Format::Any));
        }
        collector.object(&inside, ses, &[]);
    }
    collector.object(path, map, &COMMON);
    read
}

fn code_commit(collector: &mut Collector, path: &str, map: Object, _: &Limits) -> Read {
    let (id, source) = (text_of(&map, "eventId"), text_of(&map, "eventSourceARN"));
    let table = with_common(&[
        ("eventId", TOKEN),
        ("eventTime", TIME),
        ("userIdentityARN", ARN),
        ("eventTriggerConfigId", TOKEN),
    ]);
    collector.object(path, map, &table);
    Read { id, source, body: Body::absent(child(path, "codecommit")) }
}

/// `{"awslogs":{"data":..}}`: base64 of gzip of JSON.
pub(crate) fn logs(mut map: Object, limits: &Limits) -> Event {
    let mut collector = Collector::default();
    let mut source = None;
    let mut body = Body::absent("awslogs.data");
    let data = take_object(&mut map, "awslogs").and_then(|mut logs| take_text(&mut logs, "data")).unwrap_or_default();
    let path = "awslogs.data|base64|gzip";
    let inner = match base64(&data).ok_or("not base64").and_then(|bytes| inflated(&bytes, limits)) {
        Ok(bytes) => json::parse(&bytes, limits).map_err(|error| error.to_string()),
        Err(what) => Err(what.to_owned()),
    };
    match inner {
        Ok(Value::Object(delivery)) => {
            source = text_of(&delivery, "logGroup");
            body = Body::new(path, Content::Own(Value::Object(delivery.clone())));
            let table =
                [("messageType", WORD), ("owner", WORD), ("logGroup", PLATFORM), ("subscriptionFilters", PLATFORM)];
            collector.object(path, delivery, &table);
        }
        Ok(other) => {
            let at = collector.push(path, other, CALLER);
            body = Body::new(path, Content::Value(at));
        }
        Err(what) => collector.problem("awslogs.data", what),
    }
    collector.object("", map, &[]);
    let Collector { parts, problem } = collector;
    let record = Record { index: 0, id: None, source: source.clone(), body, parts, problem };
    let shape = Shape::Single;
    Event {
        kind: TriggerKind::Logs,
        recognised: true,
        shape,
        source,
        http: None,
        records: vec![record],
        parts: Vec::new(),
    }
}

/// A base64 field that holds the message.
fn data(collector: &mut Collector, path: &str, map: &mut Object, key: &str, limits: &Limits) -> Body {
    match take_text(map, key) {
        Some(text) => collector.base64_message(path, text, &Said::default(), limits),
        None => Body::absent(path),
    }
}

/// A text field that holds the message.
fn text_body(collector: &mut Collector, path: &str, value: Option<Value>, limits: &Limits) -> Body {
    match value {
        None | Some(Value::Null) => Body::absent(path),
        Some(Value::String(text)) => {
            nested_keys(collector, path, &text, limits, 0);
            let at = collector.push(path, Value::String(text), CALLER);
            Body::new(path, Content::Text(at))
        }
        Some(other) => {
            let at = collector.push(path, other, CALLER);
            Body::new(path, Content::Value(at))
        }
    }
}

/// A bucket's notification inside a message: its keys are shown decoded, as the function will decode them.
fn nested_keys(collector: &mut Collector, path: &str, text: &str, limits: &Limits, level: usize) {
    if level > 2 || !text.contains("aws:s3") {
        return;
    }
    let Ok(Value::Object(map)) = json::parse_text(text, limits.max_depth) else { return };
    if let Some(Value::String(message)) = map.get("Message") {
        nested_keys(collector, &format!("{path}|json.Message"), message, limits, level + 1);
    }
    let Some(Value::Array(records)) = map.get("Records") else { return };
    for (index, record) in records.iter().enumerate().take(1000) {
        if let Some(key) = record.pointer("/s3/object/key").and_then(Value::as_str) {
            object_key(collector, &format!("{path}|json.Records[{index}].s3.object.key"), key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn items_lose_the_marks_of_their_types() {
        let item = json!({"M": {
            "id": {"S": "o-1"}, "total": {"N": "42.50"}, "big": {"N": "123456789012345678901234567890.5"}, "tags": {"SS": ["a"]},
            "lines": {"L": [{"M": {"n": {"N": "2"}}}]}, "gone": {"NULL": true}, "ok": {"BOOL": false}, "raw": {"B": "AAA="}
        }});
        let plain = unmarshalled(item);
        assert_eq!(plain["id"], "o-1");
        assert_eq!(plain["total"], json!(42.5));
        assert_eq!(plain["lines"], json!([{"n": 2}]));
        assert_eq!(plain["gone"], Value::Null);
        assert!(plain["big"].is_number());
        // Nothing that isn't quite a typed value disappears.
        for odd in [
            json!({"S": 1}),
            json!({"S": "a", "evil": "b"}),
            json!({"X": "a"}),
            json!({"NULL": false}),
            json!({"M": "a"}),
        ] {
            assert_eq!(unmarshalled(odd.clone()), odd);
        }
        assert_eq!(unmarshalled(json!({"N": "1; drop"})), "1; drop");
    }

    #[test]
    fn headers_of_brokers_are_text() {
        let headers = json!([{"trace": [104, 105]}, {"empty": []}, {"count": {"bytes": [-61, -92]}}, {"n": [1000]}]);
        assert_eq!(
            bytes_as_text(headers),
            json!([{"trace": "hi"}, {"empty": []}, {"count": {"bytes": "ä"}}, {"n": [1000]}])
        );
    }
}
