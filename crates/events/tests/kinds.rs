//! One event of each kind as its platform delivers it: what it is told to be, where it comes from, what its messages say.

#![allow(clippy::unwrap_used)]

use events::{DecodeError, Event, Limits, Shape, TriggerKind, Whose, decode};
use serde_json::{Value, json};

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn read(name: &str) -> Event {
    decode(&fixture(name), (name == "iot").then_some(TriggerKind::Iot), &Limits::default()).unwrap()
}

fn bodies(event: &Event) -> Vec<(String, Value)> {
    let body =
        |record: &events::Record| record.body.read(&record.parts, 64).map(|(path, body)| (path, body.into_owned()));
    event.records.iter().map(|record| body(record).unwrap()).collect()
}

#[test]
fn each_kind_is_told_by_its_shape() {
    for (name, kind, source) in [
        ("http-api", TriggerKind::HttpApi, "203.0.113.24"),
        ("function-url", TriggerKind::FunctionUrl, "203.0.113.24"),
        ("rest-api", TriggerKind::RestApi, "203.0.113.24"),
        ("load-balancer", TriggerKind::LoadBalancer, "203.0.113.24"),
        ("websocket", TriggerKind::WebSocket, "203.0.113.24"),
        ("sqs", TriggerKind::Sqs, "arn:aws:sqs:eu-central-1:123456789012:shop-OrderPaid-1X2Y"),
        ("sns", TriggerKind::Sns, "arn:aws:sns:eu-central-1:123456789012:OrderEvents"),
        ("s3", TriggerKind::S3, "shop-catalogue"),
        (
            "dynamodb-stream",
            TriggerKind::DynamodbStream,
            "arn:aws:dynamodb:eu-central-1:123456789012:table/shop-OrdersTable-1X/stream/2026-05-27T09:11:02.513",
        ),
        ("kinesis", TriggerKind::Kinesis, "arn:aws:kinesis:eu-central-1:123456789012:stream/clicks"),
        ("firehose", TriggerKind::Firehose, "arn:aws:firehose:eu-central-1:123456789012:deliverystream/to-lake"),
        ("eventbridge", TriggerKind::EventBridge, "shop.orders"),
        ("schedule", TriggerKind::Schedule, "arn:aws:events:eu-central-1:123456789012:rule/nightly-tidy"),
        ("iot", TriggerKind::Iot, ""),
        ("cognito", TriggerKind::Cognito, "eu-central-1_uXboG5pAb"),
        ("email", TriggerKind::Email, "arn:aws:lambda:eu-central-1:123456789012:function:inbox"),
        ("logs", TriggerKind::Logs, "/aws/lambda/orders"),
        (
            "kafka",
            TriggerKind::Kafka,
            "arn:aws:kafka:eu-central-1:123456789012:cluster/events/751d2973-a626-431c-9d4e-d7975eb44dd7-2",
        ),
        (
            "mq",
            TriggerKind::Mq,
            "arn:aws:mq:eu-central-1:123456789012:broker:jobs:b-bcd1e2f3-1111-2222-3333-444455556666",
        ),
        (
            "mq-rabbit",
            TriggerKind::Mq,
            "arn:aws:mq:eu-central-1:123456789012:broker:jobs:b-9bcfa592-423a-4942-879d-eb284b418fc8",
        ),
        ("documentdb", TriggerKind::DocumentDb, "arn:aws:rds:eu-central-1:123456789012:cluster:shop"),
        ("appsync", TriggerKind::AppSync, ""),
        ("cloudfront", TriggerKind::CloudFront, "203.0.113.24"),
        (
            "custom-resource",
            TriggerKind::CustomResource,
            "arn:aws:cloudformation:eu-central-1:123456789012:stack/shop/1a2b3c4d-5678-90ab-cdef-EXAMPLE11111",
        ),
        ("config", TriggerKind::Config, ""),
        ("alexa", TriggerKind::Alexa, "amzn1.ask.skill.4321"),
        ("codecommit", TriggerKind::CodeCommit, "arn:aws:codecommit:eu-central-1:123456789012:shop"),
    ] {
        let event = read(name);
        assert_eq!((event.kind, event.source.as_deref().unwrap_or("")), (kind, source), "{name}");
        assert_eq!(event.recognised, name != "iot", "{name}");
        for record in &event.records {
            assert_eq!(record.problem, None, "{name}");
        }
        let parts = event.parts.iter().chain(event.records.iter().flat_map(|record| &record.parts));
        for part in parts {
            // What an honest platform writes is never taken for a forgery.
            if let Whose::Platform(format) = part.whose {
                assert!(format.admits(&part.value), "{name}: {} {}", part.path, part.value);
            }
        }
    }
}

#[test]
fn each_message_is_read_to_what_its_sender_meant() {
    let order = json!({"id": "ord-17", "note": "Ring twice"});
    for (name, path, body) in [
        ("http-api", "body|json", order.clone()),
        ("function-url", "body|base64|json", order.clone()),
        ("rest-api", "body|json", order.clone()),
        ("load-balancer", "body", json!("")),
        ("websocket", "body|json", json!({"action": "sendMessage", "text": "hello there"})),
        ("sqs", "Records[0].body|json", order.clone()),
        ("sns", "Records[0].Sns.Message|json", order.clone()),
        ("s3", "Records[0].s3.object.key|percent", json!("lists/June 2026 (final).csv")),
        (
            "dynamodb-stream",
            "Records[0].dynamodb.NewImage",
            json!({"id": "ord-17", "total": 12.50, "lines": [{"sku": "PEN-1", "n": 2}], "tags": ["gift"]}),
        ),
        ("kinesis", "Records[0].kinesis.data|base64|json", order.clone()),
        ("firehose", "records[0].data|base64|json", order.clone()),
        ("eventbridge", "detail", order.clone()),
        ("schedule", "detail", json!({})),
        ("kafka", "records[\"orders-0\"][0].value|base64|json", order.clone()),
        ("mq", "messages[0].data|base64|json", order.clone()),
        ("mq-rabbit", "rmqMessagesByQueue[\"orders::/\"][0].data|base64|json", order.clone()),
        ("appsync", "arguments", json!({"id": "ord-17"})),
    ] {
        assert_eq!(bodies(&read(name)).swap_remove(0), (path.to_owned(), body), "{name}");
    }
    let (path, log) = bodies(&read("logs")).swap_remove(0);
    assert_eq!(
        (path.as_str(), &log["logEvents"][0]["message"]),
        ("awslogs.data|base64|gzip", &json!("order ord-17 paid\n"))
    );
    assert_eq!(bodies(&read("iot"))[0].1["deviceId"], "thermo-12");
}

#[test]
fn records_are_known_by_the_ids_their_failures_are_reported_under() {
    let ids =
        |name: &str| read(name).records.into_iter().map(|record| record.id.unwrap_or_default()).collect::<Vec<_>>();
    assert_eq!(ids("sqs"), ["059f36b4-87a3-44ab-83d2-661975700001", "059f36b4-87a3-44ab-83d2-661975700002"]);
    assert_eq!(ids("dynamodb-stream"), ["4421584500000000017450439091"]);
    assert_eq!(ids("kinesis"), ["49590338271490256608559692538361571095921575989136588898"]);
    assert_eq!(ids("kafka"), ["orders-0-15", "orders-1-3"]);
    assert_eq!(ids("firehose").len(), 2);
}

#[test]
fn requests_have_their_route_and_their_path_without_the_stage() {
    let http = |name: &str| read(name).http.unwrap();
    let api = http("http-api");
    assert_eq!(
        (api.method.as_str(), api.path.as_str(), api.route.as_deref()),
        ("POST", "/orders/ord-17", Some("/orders/{id}"))
    );
    let url = http("function-url");
    assert_eq!((url.path.as_str(), url.route), ("/preview", None));
    let rest = http("rest-api");
    assert_eq!((rest.path.as_str(), rest.route.as_deref()), ("/shop/orders/ord-17", Some("/orders/{id}")));
    assert_eq!(http("websocket").path, "sendMessage");
    assert_eq!(http("cloudfront").path, "/picture.jpg");
    assert_eq!(read("load-balancer").shape, Shape::LoadBalancer { multi_value: false });
}

#[test]
fn a_message_in_another_services_envelope_is_found_inside() {
    let inner = |name: &str| events::unwrapped(&bodies(&read(name))[0].1, 64);
    let order = json!({"id": "ord-17", "note": "Ring twice"});
    assert_eq!(inner("sqs-of-sns"), Some((".Message|json", order.clone())));
    assert_eq!(inner("sqs-of-eventbridge"), Some((".detail", order)));
    let keys = read("sqs-of-s3").records[0].parts.iter().filter(|part| part.path.contains("object.key")).count();
    assert_eq!(keys, 1, "a key inside a message is shown decoded");
}

fn refused(event: &str) -> DecodeError {
    decode(event.as_bytes(), None, &Limits { max_records: 2, max_bytes: 10_000, ..Limits::default() }).unwrap_err()
}

#[test]
fn what_readers_would_understand_differently_is_refused() {
    assert!(
        refused(r#"{"Records":[],"Records":[{"eventSource":"aws:sqs"}]}"#)
            .to_string()
            .contains("`Records` stands twice")
    );
    assert!(
        refused(r#"{"Records":[{"eventSource":"aws:sqs"},{"eventSource":"aws:s3"}]}"#)
            .to_string()
            .contains("different kinds: `aws:sqs` and `aws:s3`")
    );
    assert!(matches!(refused(&"[".repeat(200)), DecodeError::TooDeep { limit: 80 }));
    let record = r#"{"eventSource":"aws:sqs"}"#;
    assert_eq!(
        refused(&format!(r#"{{"Records":[{record},{record},{record}]}}"#)),
        DecodeError::TooManyRecords { limit: 2 }
    );
    assert!(
        decode(
            format!(r#"{{"Records":[{record},{record}]}}"#).as_bytes(),
            None,
            &Limits { max_records: 2, ..Limits::default() }
        )
        .is_ok()
    );
    assert_eq!(refused(&" ".repeat(10_001)), DecodeError::TooLarge { bytes: 10_001, limit: 10_000 });
    assert!(matches!(refused(r#"{"deliveryStreamArn":"x","records":7}"#), DecodeError::Malformed { .. }));
}

#[test]
fn broken_messages_are_problems_of_their_record_alone() {
    let event = json!({"Records": [
        {"eventSource": "aws:kinesis", "kinesis": {"data": "not base64!!", "sequenceNumber": "1"}},
        {"eventSource": "aws:kinesis", "kinesis": {"data": "aGk=", "sequenceNumber": "2"}},
        {"eventSource": "aws:kinesis", "kinesis": {"data": "H4sIAAAAAAAAAA==", "sequenceNumber": "3"}},
        {"eventSource": "aws:kinesis"},
    ]});
    let event = decode(event.to_string().as_bytes(), None, &Limits::default()).unwrap();
    let problems: Vec<_> =
        event.records.iter().map(|record| record.problem.as_ref().map(|problem| problem.what.as_str())).collect();
    assert_eq!(problems, [Some("not base64"), None, Some("not well compressed"), None]);
    // A body that is JSON twice over, by different readers, can't be held against a schema.
    let event = json!({"Records": [{"eventSource": "aws:sqs", "body": "{\"id\":1,\"id\":2}"}]}).to_string();
    let event = decode(event.as_bytes(), None, &Limits::default()).unwrap();
    let record = &event.records[0];
    assert!(record.body.read(&record.parts, 64).unwrap_err().what.contains("stands twice"));
}

#[test]
fn an_envelope_is_what_it_says_whatever_was_expected() {
    let event = decode(&fixture("sqs"), Some(TriggerKind::Iot), &Limits::default()).unwrap();
    assert_eq!(event.kind, TriggerKind::Sqs);
    let event = decode(b"[1, 2]", Some(TriggerKind::Iot), &Limits::default()).unwrap();
    assert_eq!((event.kind, event.recognised), (TriggerKind::Iot, false));
    assert_eq!(decode(b"{}", None, &Limits::default()).unwrap().kind, TriggerKind::Function);
    for odd in [
        r#"{"Records":{}}"#,
        r#"{"Records":[]}"#,
        r#"{"Records":[1]}"#,
        r#"{"requestContext":1}"#,
        r#"{"awslogs":{}}"#,
        "null",
    ] {
        assert_eq!(decode(odd.as_bytes(), None, &Limits::default()).unwrap().kind, TriggerKind::Function, "{odd}");
    }
}
