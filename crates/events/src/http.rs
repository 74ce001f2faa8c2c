//! Requests: API Gateway in both payload formats, WebSocket, function URLs, load balancers, CloudFront.

use crate::part::{
    Body, CALLER, Collector, Content, Expect, FORM, Field, Format, HEADER, PLATFORM, Whose, take_object, take_text,
    text_of,
};
use crate::text::{Said, form_decoded};
use crate::{Event, Limits, Record, Shape, TriggerKind};
use serde_json::{Map, Value};

/// The request, as far as it decides which line of a fence it meets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Http {
    /// The method, as sent; `MESSAGE`, `CONNECT`, `DISCONNECT` for a WebSocket.
    pub method: String,
    /// The path, without the stage and without the query; a WebSocket's route key.
    pub path: String,
    /// The path template of the route the platform chose (`/orders/{id}`); none for a catch-all and where there are no routes.
    pub route: Option<String>,
}

const UNKNOWN: Field = Field::Is(CALLER);

pub(crate) fn version_two(mut map: Map<String, Value>, limits: &Limits) -> Event {
    let mut collector = Collector::default();
    let mut http = Http { path: text_of(&map, "rawPath").unwrap_or_default(), ..Http::default() };
    let mut source = None;
    let mut kind = TriggerKind::HttpApi;
    if let Some(mut context) = take_object(&mut map, "requestContext") {
        if text_of(&context, "domainName").is_some_and(|domain| domain.contains(".lambda-url.")) {
            kind = TriggerKind::FunctionUrl;
        }
        let stage = text_of(&context, "stage");
        if let Some(inner) = take_object(&mut context, "http") {
            http.method = text_of(&inner, "method").unwrap_or_default();
            source = text_of(&inner, "sourceIp");
            let table = [("userAgent", HEADER), ("path", UNKNOWN), ("method", UNKNOWN)];
            collector.object_or("requestContext.http", inner, &table, Whose::Platform(Format::Any));
        }
        http.path = without_stage(&http.path, stage.as_deref());
        request_context(&mut collector, context);
    }
    http.route = text_of(&map, "routeKey").and_then(|key| key.split_once(' ').map(|(_, path)| path.to_owned()));
    cookies(&mut collector, &map);
    let body = body(&mut collector, &mut map, limits);
    let table = [
        ("version", PLATFORM),
        ("routeKey", PLATFORM),
        ("rawQueryString", FORM),
        ("headers", HEADER),
        ("cookies", HEADER),
        ("stageVariables", PLATFORM),
        ("isBase64Encoded", Field::Drop),
    ];
    collector.object("", map, &table);
    finish(kind, Shape::HttpV2, source, http, body, collector)
}

pub(crate) fn version_one(kind: TriggerKind, mut map: Map<String, Value>, limits: &Limits) -> Event {
    let mut collector = Collector::default();
    let mut source = None;
    let mut shape = Shape::HttpV1;
    let mut http = Http {
        method: text_of(&map, "httpMethod").unwrap_or_default(),
        path: text_of(&map, "path").unwrap_or_default(),
        route: text_of(&map, "resource").filter(|route| route.starts_with('/')),
    };
    if let Some(mut context) = take_object(&mut map, "requestContext") {
        if let Some(mut identity) = take_object(&mut context, "identity") {
            source = text_of(&identity, "sourceIp");
            if let Some(agent) = identity.remove("userAgent") {
                collector.push("requestContext.identity.userAgent", agent, Whose::Caller(Expect::Header));
            }
            collector.push("requestContext.identity", Value::Object(identity), Whose::Platform(Format::Any));
        }
        if kind == TriggerKind::WebSocket {
            http.path = text_of(&context, "routeKey").unwrap_or_default();
            http.method = text_of(&context, "eventType").unwrap_or_default();
        }
        request_context(&mut collector, context);
    }
    if kind == TriggerKind::LoadBalancer {
        shape = Shape::LoadBalancer { multi_value: map.contains_key("multiValueHeaders") };
        source = header(&map, "x-forwarded-for").map(str::to_owned);
        // A load balancer leaves queries as they came.
        for key in ["queryStringParameters", "multiValueQueryStringParameters"] {
            if let Some(query) = take_object(&mut map, key) {
                collector.push(key, decoded_query(query), CALLER);
            }
        }
    }
    cookies(&mut collector, &map);
    let body = body(&mut collector, &mut map, limits);
    let table = [
        ("version", PLATFORM),
        ("resource", PLATFORM),
        ("headers", HEADER),
        ("multiValueHeaders", HEADER),
        ("stageVariables", PLATFORM),
        ("isBase64Encoded", Field::Drop),
    ];
    collector.object("", map, &table);
    finish(kind, shape, source, http, body, collector)
}

/// `Records[0].cf.request`, at the edge of a content network.
pub(crate) fn edge(mut map: Map<String, Value>, limits: &Limits) -> Event {
    let mut collector = Collector::default();
    let mut http = Http::default();
    let mut source = None;
    let mut body = Body::absent("Records[0].cf.request.body");
    let record = match map.get_mut("Records") {
        Some(Value::Array(records)) => records.first_mut().and_then(Value::as_object_mut),
        _ => None,
    };
    if let Some(record) = record
        && let Some(mut edge) = take_object(record, "cf")
    {
        if let Some(config) = edge.remove("config") {
            collector.push("Records[0].cf.config", config, Whose::Platform(Format::Any));
        }
        if let Some(mut request) = take_object(&mut edge, "request") {
            http.method = text_of(&request, "method").unwrap_or_default();
            http.path = text_of(&request, "uri").unwrap_or_default();
            source = text_of(&request, "clientIp");
            if let Some(mut sent) = take_object(&mut request, "body") {
                let path = "Records[0].cf.request.body.data";
                if text_of(&sent, "encoding").as_deref() == Some("base64")
                    && let Some(data) = take_text(&mut sent, "data")
                {
                    body = collector.base64_message(path, data, &Said::default(), limits);
                }
                collector.object("Records[0].cf.request.body", sent, &[]);
            }
            let table = [("querystring", FORM), ("headers", HEADER), ("origin", PLATFORM)];
            collector.object("Records[0].cf.request", request, &table);
        }
        collector.object("Records[0].cf", edge, &[]);
    }
    collector.object("", map, &[]);
    finish(TriggerKind::CloudFront, Shape::Edge, source, http, body, collector)
}

fn finish(
    kind: TriggerKind,
    shape: Shape,
    source: Option<String>,
    http: Http,
    body: Body,
    collector: Collector,
) -> Event {
    let Collector { parts, problem } = collector;
    let record = Record { index: 0, id: None, source: None, body, parts, problem };
    Event { kind, recognised: true, shape, source, http: Some(http), records: vec![record], parts: Vec::new() }
}

/// What the platform says of a request. Claims are written by whoever has the token; paths and agents repeat the request.
fn request_context(collector: &mut Collector, context: Map<String, Value>) {
    let table = [("authorizer", UNKNOWN), ("path", UNKNOWN), ("httpMethod", UNKNOWN), ("authentication", PLATFORM)];
    collector.object_or("requestContext", context, &table, Whose::Platform(Format::Any));
}

fn body(collector: &mut Collector, map: &mut Map<String, Value>, limits: &Limits) -> Body {
    let encoded = map.get("isBase64Encoded") == Some(&Value::Bool(true));
    let Some(text) = take_text(map, "body") else {
        // Not a text: left among the sender's other fields, and held against the schema as it is.
        return match map.get("body") {
            None | Some(Value::Null) => Body::absent("body"),
            Some(other) => Body::new("body", Content::Own(other.clone())),
        };
    };
    let media_type = header(map, "content-type").map(str::to_owned);
    let encoding = header(map, "content-encoding").map(str::to_owned);
    let said = Said { media_type: media_type.as_deref(), encoding: encoding.as_deref() };
    if encoded {
        return collector.base64_message("body", text, &said, limits);
    }
    collector.text_message("body", text, &said)
}

/// Cookies one by one, beside the header that holds them all: what is wrapped in a cookie's value shows only then.
pub(crate) fn cookies(collector: &mut Collector, map: &Map<String, Value>) {
    const MOST: usize = 200;
    let listed = map.get("cookies").and_then(Value::as_array);
    let listed = listed.into_iter().flatten().filter_map(Value::as_str);
    let all = listed.chain(header(map, "cookie")).flat_map(|header| header.split(';'));
    let values: Vec<Value> = all
        .take(MOST)
        .filter_map(|cookie| cookie.split_once('='))
        .map(|(name, value)| {
            Value::Object(Map::from_iter([(name.trim().to_owned(), value.trim().trim_matches('"').into())]))
        })
        .collect();
    if !values.is_empty() {
        collector.push("cookies", Value::Array(values), CALLER);
    }
}

/// A header's (last) value, whichever case its name has and whether or not it comes as a list.
fn header<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    ["headers", "multiValueHeaders"].into_iter().find_map(|key| {
        let (_, value) = map.get(key)?.as_object()?.iter().find(|(given, _)| given.eq_ignore_ascii_case(name))?;
        match value {
            Value::Array(values) => values.last()?.as_str(),
            value => value.as_str(),
        }
    })
}

fn decoded_query(query: Map<String, Value>) -> Value {
    let decoded = |value: Value| match value {
        Value::String(text) => Value::String(form_decoded(&text)),
        Value::Array(items) => items
            .into_iter()
            .map(|item| match item {
                Value::String(text) => Value::String(form_decoded(&text)),
                other => other,
            })
            .collect(),
        other => other,
    };
    Value::Object(query.into_iter().map(|(name, value)| (form_decoded(&name), decoded(value))).collect())
}

/// `/live/orders` of the stage `live` is `/orders`.
fn without_stage(path: &str, stage: Option<&str>) -> String {
    let rest = stage
        .filter(|stage| *stage != "$default" && !stage.is_empty())
        .and_then(|stage| path.strip_prefix('/')?.strip_prefix(stage))
        .filter(|rest| rest.is_empty() || rest.starts_with('/'));
    match rest {
        Some("") => "/".to_owned(),
        Some(rest) => rest.to_owned(),
        None => path.to_owned(),
    }
}
