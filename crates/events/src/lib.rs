//! What a platform hands a function, read into one shape.
//!
//! [`decode`] tells by an event's shape which of a platform's services sent it, and lays it out: one [`Record`] for each
//! message in it (one for an event that carries a single message), each with its *body*, which a fence may hold against a
//! schema, and its *parts*: every field, marked as the sender's own words or as the platform's ([`Whose`]). The platform's
//! fields have a [`Format`] they never leave; a field that does was not written by the platform.
//!
//! How it decides where readers differ: an event with the same key twice in one object is refused, since languages
//! disagree on which of the two counts. So is one that isn't UTF-8, is nested too deep or is too large. Inside a
//! message the sender's text stays text until [`Body::read`] reads it as JSON, by the same strict reading.
//!
//! Deliberately absent: any verdict (that is the guard's); decompressing anything but gzip and
//! zlib (a body that says it is compressed otherwise is a [`Problem`]); messages packed into one Kinesis record by the
//! producer library (their bytes are shown as text where they are text).

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod azure;
mod cloud;
mod decode;
mod http;
mod json;
mod part;
mod records;
mod request;
mod rewrite;
mod single;
mod text;

pub use azure::azure_envelope;
pub use decode::decode;
pub use graph::TriggerKind;
pub use http::Http;
pub use json::DecodeError;
pub use part::{Body, Expect, Format, Part, Problem, Whose, unwrapped};
pub use request::Request;

/// How much of an event is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole event. Default 7 MiB: the platform's 6 MB with room for its envelope.
    pub max_bytes: usize,
    /// Objects and arrays inside each other. Default 80, which has room for an item of a table: 32 levels of two each, in
    /// its envelope. At most 120 are honoured.
    pub max_depth: usize,
    /// Records of one batch. Default 20 000: twice the largest batch a platform delivers.
    pub max_records: usize,
    /// Bytes that compressed content may have when inflated. Default 16 MiB.
    pub max_inflated: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { max_bytes: 7 << 20, max_depth: 80, max_records: 20_000, max_inflated: 16 << 20 }
    }
}

/// An event, read.
#[derive(Debug, Clone)]
pub struct Event {
    /// What sent it. Where the shape tells nothing this is the hint, or [`TriggerKind::Function`].
    pub kind: TriggerKind,
    /// Whether the shape told the kind.
    pub recognised: bool,
    /// How its answer and its records are laid out.
    pub shape: Shape,
    /// Where it came from: an ARN, a bucket, a log group, an HTTP client's address.
    pub source: Option<String>,
    /// The request, where it is one.
    pub http: Option<Http>,
    /// The messages in it, never none.
    pub records: Vec<Record>,
    /// The fields beside the records.
    pub parts: Vec<Part>,
}

/// How an event is laid out, for those who answer it or take records out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// HTTP, payload format 1.0 (also WebSocket).
    HttpV1,
    /// HTTP, payload format 2.0.
    HttpV2,
    /// HTTP from a load balancer; whether it wants headers as lists.
    LoadBalancer {
        /// The event has `multiValueHeaders`, and so must the answer.
        multi_value: bool,
    },
    /// HTTP at the edge of a content network.
    Edge,
    /// Records in an array under this key.
    Array(&'static str),
    /// Records in arrays, by topic or queue, in an object under this key.
    ArraysByName(&'static str),
    /// A single message.
    Single,
}

/// One message of an event.
#[derive(Debug, Clone)]
pub struct Record {
    /// Its place in the batch, counted from 0; through all arrays where there are several.
    pub index: usize,
    /// The platform's id of it, by which a batch's failures are reported: message id, sequence number.
    pub id: Option<String>,
    /// Where it came from: an ARN, a bucket.
    pub source: Option<String>,
    /// What the sender meant to say.
    pub body: Body,
    /// Every field, the body's included.
    pub parts: Vec<Part>,
    /// Why it could not be read whole, if it couldn't.
    pub problem: Option<Problem>,
}

impl Event {
    /// The bytes of the event without the records of these indices; everything else stays byte for byte. None where the
    /// event carries a single message, or is not laid out as it was when it was decoded.
    pub fn without(&self, event: &[u8], indices: &[usize]) -> Option<Vec<u8>> {
        rewrite::without(self.shape, event, indices)
    }

    /// What the source of the whole may be called by; see [`Record::source_names`].
    pub fn source_names(&self) -> impl Iterator<Item = &str> {
        self.source.iter().flat_map(|source| names_in(source))
    }
}

impl Record {
    /// The text by which a name is matched: the last part of an ARN that names something (`OrdersTable` of a table's stream).
    pub fn source_names(&self) -> impl Iterator<Item = &str> {
        self.source.iter().flat_map(|source| names_in(source))
    }
}

/// What a source may be called by: the whole, and the names inside an ARN.
fn names_in(source: &str) -> impl Iterator<Item = &str> {
    let inside = source.strip_prefix("arn:").and_then(|rest| rest.splitn(5, ':').nth(4)).unwrap_or_default();
    let mut words = inside.split(['/', ':']);
    let first = words.next().filter(|word| !word.is_empty());
    let second = words.next();
    let kinds = ["table", "stream", "deliverystream", "cluster", "broker", "rule", "schedule", "log-group", "function"];
    let last = inside.rsplit(['/', ':']).next().filter(|_| inside.contains("rule/") || inside.contains("schedule/"));
    // `//pubsub.googleapis.com/projects/shop/topics/orders`, `projects/shop/subscriptions/orders`.
    let google = source.starts_with("//") || source.starts_with("projects/");
    let last = if google { source.rsplit('/').next().filter(|word| !word.is_empty()) } else { last };
    let named = match first {
        Some(kind) if kinds.contains(&kind) => second,
        other => other,
    };
    [Some(source), named, last].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_known_by_the_name_inside_its_arn() {
        for (arn, name) in [
            ("arn:aws:sqs:eu-west-1:1:OrderPaid", "OrderPaid"),
            ("arn:aws:dynamodb:eu-west-1:1:table/Orders/stream/2024-01-01T00:00:00.000", "Orders"),
            ("arn:aws:kinesis:eu-west-1:1:stream/clicks", "clicks"),
            ("arn:aws:kinesis:eu-west-1:1:stream/clicks/consumer/c:1", "clicks"),
            ("arn:aws:kafka:eu-west-1:1:cluster/events/uuid-1", "events"),
            ("arn:aws:mq:eu-west-1:1:broker:jobs:b-1", "jobs"),
            ("arn:aws:events:eu-west-1:1:rule/shop-bus/nightly", "nightly"),
            ("arn:aws:scheduler:eu-west-1:1:schedule/default/weekly", "weekly"),
            ("catalogue", "catalogue"),
            ("//pubsub.googleapis.com/projects/shop/topics/orders", "orders"),
            ("//storage.googleapis.com/projects/_/buckets/uploads", "uploads"),
        ] {
            assert!(names_in(arn).any(|candidate| candidate == name), "{arn}: {:?}", names_in(arn).collect::<Vec<_>>());
        }
    }
}
