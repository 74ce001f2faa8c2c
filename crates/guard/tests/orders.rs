//! The example application's own traffic against fences as they would be derived from its template: every honest event
//! passes, every hostile one is stopped, in the way its trigger asks for.

#![allow(clippy::unwrap_used)]

use fence::{EventFence, FunctionFence};
use guard::{Action, Decision, Inspector};
use records::Mode;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn event(source: &str) -> EventFence {
    EventFence { source: source.into(), ..EventFence::default() }
}

fn route(method: &str, path: &str) -> EventFence {
    EventFence { method: Some(method.into()), path: Some(path.into()), ..event("http-api") }
}

fn named(source: &str, name: &str) -> EventFence {
    EventFence { name: Some(format!("*{name}*")), ..event(source) }
}

fn events_of(function: &str) -> Vec<EventFence> {
    match function {
        "CreateOrder" => vec![route("POST", "/orders")],
        "GetOrder" => {
            vec![
                route("GET", "/orders"),
                route("GET", "/orders/{id}"),
                route("GET", "/admin/orders"),
                event("function-url"),
            ]
        }
        "ChargeOrder" => vec![named("sqs", "OrderPaid")],
        "ImportCatalog" => vec![named("s3", "CatalogBucket")],
        "DeviceTelemetry" => vec![event("iot")],
        "Housekeeping" => vec![event("schedule"), event("eventbridge")],
        "Notify" => vec![named("sns", "OrderEvents"), named("dynamodb-stream", "OrdersTable")],
        other => panic!("who is {other}?"),
    }
}

fn inspector(function: &str, mode: Mode) -> Inspector {
    let fence = FunctionFence { events: events_of(function), ..FunctionFence::default() };
    Inspector::new(&fence, &BTreeMap::new(), mode).unwrap()
}

/// A query's value as the platform decodes it.
fn decoded(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let hex = (*byte == b'%').then(|| after.get(..2)).flatten().and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(decoded) => {
                bytes.push(decoded);
                rest = &after[2..];
            }
            None => {
                bytes.push(if *byte == b'+' { b' ' } else { *byte });
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A request as an HTTP API hands it to the function of its route.
fn http_event(request: &Value) -> (String, Value) {
    let (method, path) = (request["method"].as_str().unwrap(), request["path"].as_str().unwrap());
    let (path, inline) = path.split_once('?').unwrap_or((path, ""));
    let function = if method == "POST" { "CreateOrder" } else { "GetOrder" };
    let mut query: Vec<String> = inline.split('&').filter(|pair| !pair.is_empty()).map(str::to_owned).collect();
    query.extend(request["query"].as_str().map(str::to_owned));
    let decoded: serde_json::Map<String, Value> = query
        .iter()
        .flat_map(|query| query.split('&'))
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), decoded(value).into()))
        .collect();
    let headers: serde_json::Map<String, Value> = request["headers"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.to_lowercase(), value.clone()))
        .collect();
    let body = match &request["body"] {
        Value::Null => Value::Null,
        Value::String(text) => text.clone().into(),
        other => other.to_string().into(),
    };
    let context = json!({"http": {"method": method, "path": path, "sourceIp": "203.0.113.9"}, "stage": "$default"});
    let event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query.join("&"), "headers": headers,
        "queryStringParameters": decoded, "requestContext": context, "body": body, "isBase64Encoded": false,
    });
    (function.to_owned(), event)
}

fn read(path: &Path) -> (String, Vec<u8>) {
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let (function, event) = match file.get("request") {
        Some(request) => http_event(request),
        None => (file["function"].as_str().unwrap().to_owned(), file["event"].clone()),
    };
    (function, event.to_string().into_bytes())
}

fn traffic(intent: &str) -> Vec<(PathBuf, String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/orders/traffic");
    let mut all = Vec::new();
    for trigger in std::fs::read_dir(root).unwrap() {
        for file in std::fs::read_dir(trigger.unwrap().path().join(intent)).unwrap() {
            let path = file.unwrap().path();
            let (function, event) = read(&path);
            all.push((path, function, event));
        }
    }
    all.sort();
    assert!(all.len() > 30, "the example's traffic is not where it was");
    all
}

fn show(path: &Path, decision: &Decision) -> String {
    let shown: Vec<String> = decision
        .verdict
        .matches
        .iter()
        .map(|found| format!("{} {} {}", found.rule, found.field, found.excerpt))
        .collect();
    format!("{}: {:?} {shown:#?}", path.display(), decision.action)
}

#[test]
fn honest_events_pass_as_they_came() {
    let mut wrong = Vec::new();
    for (path, function, event) in traffic("honest") {
        let decision = inspector(&function, Mode::Block).inspect(&event);
        if decision.passes(&event) != Some(event.as_slice()) {
            wrong.push(show(&path, &decision));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn hostile_events_are_stopped_and_the_verdict_says_where() {
    let mut wrong = Vec::new();
    for (path, function, event) in traffic("hostile") {
        let decision = inspector(&function, Mode::Block).inspect(&event);
        let evidence = decision.verdict.matches.iter().any(|found| !found.field.is_empty() && !found.rule.is_empty());
        if decision.action == Action::Pass || !evidence || decision.verdict.incident.is_none() {
            wrong.push(show(&path, &decision));
        }
        let observed = inspector(&function, Mode::Observe).inspect(&event);
        assert_eq!(observed.passes(&event), Some(event.as_slice()), "{}", path.display());
        assert_eq!(observed.verdict.action == records::Action::WouldRefuse, decision.action != Action::Pass);
    }
    assert!(wrong.is_empty(), "{} of them pass\n{}", wrong.len(), wrong.join("\n"));
}
