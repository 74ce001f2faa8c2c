//! What a sender is told when the guard stops an event, in the form the sender's service understands.

use events::{Event, Shape, TriggerKind};
use serde_json::{Value, json};

/// What to answer the platform in the function's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The result of the invocation.
    Response(Vec<u8>),
    /// The error of the invocation, for callers to whom any result would be a success.
    Error(Vec<u8>),
}

/// The type of every error the guard answers.
pub(crate) const ERROR_TYPE: &str = "Ringfence.Refused";

/// Whether the sender gets a refusal, or nobody waits and the event is dropped.
pub(crate) enum Manner {
    Refuse,
    SetAside,
    Drop,
}

/// The answer to an event of which nothing reaches the function.
pub(crate) fn answer(event: &Event, incident: &str, refused: &[usize]) -> (Manner, Answer) {
    let response = |value: Value| Answer::Response(value.to_string().into_bytes());
    match event.shape {
        Shape::HttpV1 | Shape::HttpV2 => (Manner::Refuse, response(forbidden(incident, false))),
        Shape::LoadBalancer { multi_value } => {
            let mut value = forbidden(incident, multi_value);
            value["statusDescription"] = "403 Forbidden".into();
            (Manner::Refuse, response(value))
        }
        Shape::Edge => (
            Manner::Refuse,
            response(json!({
                "status": "403",
                "statusDescription": "Forbidden",
                "headers": {"content-type": [{"key": "Content-Type", "value": "application/json"}]},
                "body": message(incident),
            })),
        ),
        Shape::Array(_) | Shape::ArraysByName(_) | Shape::Single => match event.kind {
            TriggerKind::Firehose => (Manner::SetAside, response(firehose(event, refused))),
            // Success, so that what is malicious today is not delivered again until the end of its retention.
            TriggerKind::Sqs
            | TriggerKind::Kinesis
            | TriggerKind::DynamodbStream
            | TriggerKind::Kafka
            | TriggerKind::Mq
            | TriggerKind::DocumentDb => (Manner::SetAside, response(json!({"batchItemFailures": []}))),
            TriggerKind::Email => (Manner::Drop, response(json!({"disposition": "STOP_RULE_SET"}))),
            TriggerKind::S3
            | TriggerKind::Sns
            | TriggerKind::EventBridge
            | TriggerKind::Schedule
            | TriggerKind::Iot
            | TriggerKind::Logs
            | TriggerKind::CodeCommit
            | TriggerKind::Config
            | TriggerKind::CloudEvent
            | TriggerKind::PubSub
            | TriggerKind::CloudStorage
            | TriggerKind::Firestore
            | TriggerKind::AuditLog
            | TriggerKind::StorageQueue
            | TriggerKind::ServiceBus
            | TriggerKind::EventHub
            | TriggerKind::Blob
            | TriggerKind::EventGrid
            | TriggerKind::Binding => (Manner::Drop, response(Value::Null)),
            _ => (Manner::Refuse, error(incident)),
        },
    }
}

/// The answer to bytes that could not be read as an event, by the kinds of events the function gets.
pub(crate) fn answer_unreadable(kinds: &[TriggerKind], incident: &str) -> (Manner, Answer) {
    let all = |test: fn(&TriggerKind) -> bool| !kinds.is_empty() && kinds.iter().all(test);
    if all(|kind| kind.is_http() && *kind != TriggerKind::LoadBalancer) {
        return (Manner::Refuse, Answer::Response(forbidden(incident, false).to_string().into_bytes()));
    }
    if all(|kind| {
        matches!(
            kind,
            TriggerKind::Iot | TriggerKind::S3 | TriggerKind::Sns | TriggerKind::EventBridge | TriggerKind::Schedule
        )
    }) {
        return (Manner::Drop, Answer::Response(b"null".to_vec()));
    }
    (Manner::Refuse, error(incident))
}

pub(crate) fn message(incident: &str) -> String {
    json!({"message": "Forbidden", "incident": incident}).to_string()
}

fn forbidden(incident: &str, multi_value: bool) -> Value {
    let (name, headers) = match multi_value {
        true => ("multiValueHeaders", json!({"content-type": ["application/json"]})),
        false => ("headers", json!({"content-type": "application/json"})),
    };
    json!({"statusCode": 403, name: headers, "body": message(incident), "isBase64Encoded": false})
}

fn error(incident: &str) -> Answer {
    let error = json!({
        "errorType": ERROR_TYPE,
        "errorMessage": format!("the event was refused (incident {incident})"),
        "stackTrace": [],
    });
    Answer::Error(error.to_string().into_bytes())
}

/// A delivery stream wants every record back. Refused ones are dropped; the others count as failed, which puts them into
/// the stream's error output: nothing that is honest is lost.
fn firehose(event: &Event, refused: &[usize]) -> Value {
    let record = |record: &events::Record| {
        let result = if refused.contains(&record.index) { "Dropped" } else { "ProcessingFailed" };
        json!({"recordId": record.id, "result": result})
    };
    json!({"records": event.records.iter().map(record).collect::<Vec<_>>()})
}
