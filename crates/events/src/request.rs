//! Requests as a server reads them off the wire: plain HTTP, and CloudEvents in binary and structured mode.
//!
//! Deliberately absent: batches of CloudEvents and formats of them other than JSON, which are refused as unreadable.

use crate::cloud::{self, Data};
use crate::http::{Http, cookies};
use crate::json::{self, DecodeError};
use crate::part::{Body, CALLER, Collector, Expect, FORM, Field, HEADER, Whose};
use crate::text::Said;
use crate::{Event, Limits, Record, Shape, TriggerKind};
use serde_json::{Map, Value};

/// A request, read whole.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Its method, as sent.
    pub method: &'a str,
    /// Its path, as sent: not decoded, without the query.
    pub path: &'a str,
    /// What follows the question mark, as sent.
    pub query: &'a str,
    /// Its headers in the order they came in, names in lower case.
    pub headers: &'a [(String, String)],
    /// Its body.
    pub body: &'a [u8],
}

impl<'a> Request<'a> {
    /// The value of the only header of this name.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    fn media_type(&self) -> String {
        let said = self.header("content-type").unwrap_or_default();
        said.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// Whether it says that it carries a CloudEvent, whatever becomes of that.
    pub fn is_cloud_event(&self) -> bool {
        let all = ["ce-id", "ce-source", "ce-type"].iter().all(|name| self.header(name).is_some());
        self.media_type().starts_with("application/cloudevents") || self.header("ce-specversion").is_some() || all
    }

    /// Reads it: as a CloudEvent where it says that it is one, as a plain request otherwise. With `pushed`, a body that is a message as
    /// Pub/Sub pushes it to an address is that message.
    ///
    /// # Errors
    /// When it exceeds the limits, or says that it carries a CloudEvent and doesn't.
    pub fn read(&self, pushed: bool, limits: &Limits) -> Result<Event, DecodeError> {
        if self.body.len() > limits.max_bytes {
            return Err(DecodeError::TooLarge { bytes: self.body.len(), limit: limits.max_bytes });
        }
        if self.is_cloud_event() {
            return self.cloud_event(limits);
        }
        if pushed
            && self.method == "POST"
            && let Ok(Value::Object(map)) = json::parse(self.body, limits)
            && let Some((collector, source, id, body)) = cloud::pushed(&map, limits)
        {
            let mut collector = collector;
            let http = self.around(&mut collector);
            return Ok(finish(TriggerKind::PubSub, Shape::Single, source, id, http, body, collector));
        }
        let mut collector = Collector::default();
        let http = self.around(&mut collector);
        let said = Said { media_type: self.header("content-type"), encoding: self.header("content-encoding") };
        let body = if self.body.is_empty() {
            Body::absent("body")
        } else {
            collector.message("body", self.body.to_vec(), &said, limits)
        };
        let client = self.header("x-forwarded-for").and_then(|list| list.split(',').next()).map(str::trim);
        let client = client.filter(|client| !client.is_empty()).map(str::to_owned);
        Ok(finish(TriggerKind::Http, Shape::HttpV2, client, None, http, body, collector))
    }

    fn cloud_event(&self, limits: &Limits) -> Result<Event, DecodeError> {
        let media_type = self.media_type();
        let mut attributes = Map::new();
        let mut collector = Collector::default();
        let data = if media_type.starts_with("application/cloudevents") {
            if media_type != "application/cloudevents+json" && media_type != "application/cloudevents" {
                return Err(DecodeError::Malformed { field: "content-type", expected: "one CloudEvent in JSON" });
            }
            let Value::Object(mut map) = json::parse(self.body, limits)? else {
                return Err(DecodeError::Malformed { field: "body", expected: "a CloudEvent" });
            };
            let data = match (map.remove("data"), map.remove("data_base64")) {
                (Some(_), Some(_)) => {
                    return Err(DecodeError::Malformed { field: "data", expected: "either data or data_base64" });
                }
                (Some(value), None) => Data::Value(value),
                (None, Some(Value::String(text))) => Data::Base64(text),
                (None, Some(_)) => return Err(DecodeError::Malformed { field: "data_base64", expected: "a text" }),
                (None, None) => Data::Absent,
            };
            attributes.append(&mut map);
            data
        } else {
            for (name, value) in self.headers {
                if let Some(name) = name.strip_prefix("ce-")
                    && attributes.insert(name.to_owned(), percent_decoded(value).into()).is_some()
                {
                    return Err(DecodeError::Malformed { field: "ce-", expected: "each attribute once" });
                }
            }
            match self.header("content-type") {
                Some(said) => {
                    attributes.insert("datacontenttype".into(), said.into());
                }
                None => {
                    attributes.remove("datacontenttype");
                }
            }
            if self.body.is_empty() { Data::Absent } else { Data::Bytes(self.body.to_vec()) }
        };
        let told = |field: &str| attributes.get(field).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
        if let Some(field) = ["id", "source", "type"].into_iter().find(|field| !told(field)) {
            return Err(DecodeError::Malformed { field, expected: "a text in every CloudEvent" });
        }
        let http = self.around(&mut collector);
        let encoding = self.header("content-encoding");
        let (kind, source, id, body) = cloud::event(&mut collector, attributes, data, encoding, limits);
        Ok(finish(kind, Shape::Single, source, id, http, body, collector))
    }

    /// The path, the query and the headers.
    fn around(&self, collector: &mut Collector) -> Http {
        let path = percent_decoded(self.path);
        let hidden = self.path.to_ascii_lowercase();
        let steps = path.split(['/', '\\']).any(|step| step == "." || step == "..");
        if steps || ["%2f", "%5c", "%00"].iter().any(|code| hidden.contains(code)) {
            // A fence that lists one path and a framework that serves another are of no use to each other.
            collector.problem("path", "a path that servers read differently");
        }
        let mut map = Map::new();
        map.insert("path".into(), path.clone().into());
        if !self.query.is_empty() {
            map.insert("rawQueryString".into(), self.query.into());
        }
        let mut headers = Map::new();
        for (name, value) in self.headers {
            if name.starts_with("ce-") && self.is_cloud_event() {
                continue;
            }
            match headers.get_mut(name) {
                Some(Value::Array(values)) => values.push(value.as_str().into()),
                Some(first) => *first = Value::Array(vec![first.take(), value.as_str().into()]),
                None => {
                    headers.insert(name.clone(), value.as_str().into());
                }
            }
        }
        map.insert("headers".into(), Value::Object(headers));
        cookies(collector, &map);
        let table =
            [("path", Field::Is(Whose::Caller(Expect::Anything))), ("rawQueryString", FORM), ("headers", HEADER)];
        collector.object_or("", map, &table, CALLER);
        Http { method: self.method.to_owned(), path, route: None }
    }
}

/// `%41` is `A`; what isn't UTF-8 then is shown as that.
pub(crate) fn percent_decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn finish(
    kind: TriggerKind,
    shape: Shape,
    source: Option<String>,
    id: Option<String>,
    http: Http,
    body: Body,
    collector: Collector,
) -> Event {
    let Collector { parts, problem } = collector;
    let record = Record { index: 0, id, source: source.clone(), body, parts, problem };
    Event { kind, recognised: true, shape, source, http: Some(http), records: vec![record], parts: Vec::new() }
}
