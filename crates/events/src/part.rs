//! The fields of an event: whose words they are, and what the sender's message among them is.

use crate::json::{self, DecodeError};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// One field of an event.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Its path; each `|` is a layer that was taken off: `Records[0].kinesis.data|base64`. Empty for the event itself, of which the
    /// value then holds the fields that nothing is known of.
    pub path: String,
    /// What it holds.
    pub value: Value,
    /// Whose words these are.
    pub whose: Whose,
}

/// Whose words a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The sender's.
    Caller(Expect),
    /// The platform's.
    Platform(Format),
}

/// What a field of the sender's is meant to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Anything.
    Anything,
    /// Values of protocol headers.
    Header,
    /// An `application/x-www-form-urlencoded` text.
    Form,
    /// The name of an object in a bucket.
    ObjectKey,
}

/// What a field of the platform's never strays from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The name of a resource.
    Arn,
    /// A moment, as text or number.
    Time,
    /// An id, checksum or signature.
    Token,
    /// One word: a region, a version, the name of an operation.
    Word,
    /// An address of the platform's own, over https.
    PlatformUrl,
    /// No one format.
    Any,
}

/// Longest text a formatted field of the platform's may hold.
const MAX_FORMATTED: usize = 4096;

impl Format {
    /// Whether a value is what the platform would write there. Numbers, booleans and nulls always are.
    pub fn admits(self, value: &Value) -> bool {
        let text = match value {
            Value::String(text) => text,
            Value::Array(items) => {
                return self == Self::Any || items.iter().all(|item| !item.is_array() && self.admits(item));
            }
            Value::Object(_) => return self == Self::Any,
            _ => return true,
        };
        let all = |extra: &str| {
            text.len() <= MAX_FORMATTED
                && text.chars().all(|character| character.is_ascii_alphanumeric() || extra.contains(character))
        };
        // The name of a thing is often made part of a path.
        let stays = !text.contains("..");
        match self {
            Self::Any => true,
            Self::Arn => all(":/_-.+=@,#*$%~") && (text.is_empty() || text.starts_with("arn:")),
            Self::Time => all(":.+-") && text.len() <= 64,
            Self::Token => stays && all("+/=_-.:~"),
            Self::Word => stays && all("_-.:/*") && text.len() <= 256,
            Self::PlatformUrl => is_platform_url(text) && all(":/?&=._-%+~"),
        }
    }

    /// What the field has to be, for messages.
    pub fn expected(self) -> &'static str {
        match self {
            Self::Arn => "an ARN",
            Self::Time => "a time",
            Self::Token => "an id",
            Self::Word => "a word",
            Self::PlatformUrl => "an https address of the platform",
            Self::Any => "anything",
        }
    }
}

fn is_platform_url(text: &str) -> bool {
    let host = text.strip_prefix("https://").and_then(|rest| rest.split(['/', '?']).next()).unwrap_or_default();
    ["amazonaws.com", "amazonaws.com.cn", "amazonaws.eu"]
        .iter()
        .any(|domain| host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')))
}

/// Why a record could not be read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The field.
    pub path: String,
    /// What is wrong, lower case, no full stop.
    pub what: String,
}

/// What the sender meant to say with a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Body {
    path: String,
    content: Content,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content {
    Absent,
    /// The value of the part of this index.
    Value(usize),
    /// The text of the part of this index, which may be JSON.
    Text(usize),
    /// Made out of something that is no part by itself.
    Own(Value),
}

impl Body {
    pub(crate) fn new(path: impl Into<String>, content: Content) -> Body {
        Body { path: path.into(), content }
    }

    pub(crate) fn absent(path: impl Into<String>) -> Body {
        Body::new(path, Content::Absent)
    }

    /// Where it stands in the event.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The body as a value, with its path. Text that is JSON is read as JSON; text that is not stays text; an absent body is null.
    ///
    /// # Errors
    /// When the text is JSON that readers would understand differently, or is nested too deep.
    pub fn read<'a>(&'a self, parts: &'a [Part], max_depth: usize) -> Result<(String, Cow<'a, Value>), Problem> {
        let at = |index: &usize| parts.get(*index).map_or(&Value::Null, |part| &part.value);
        let value = match &self.content {
            Content::Absent => return Ok((self.path.clone(), Cow::Owned(Value::Null))),
            Content::Own(value) => return Ok((self.path.clone(), Cow::Borrowed(value))),
            Content::Value(index) => return Ok((self.path.clone(), Cow::Borrowed(at(index)))),
            Content::Text(index) => at(index),
        };
        let Value::String(text) = value else { return Ok((self.path.clone(), Cow::Borrowed(value))) };
        match read_text(text, max_depth) {
            Ok(Some(read)) => Ok((format!("{}|json", self.path), Cow::Owned(read))),
            Ok(None) => Ok((self.path.clone(), Cow::Borrowed(value))),
            Err(error) => Err(Problem { path: self.path.clone(), what: error.to_string() }),
        }
    }
}

/// JSON where `text` is JSON, none where it is any other text.
fn read_text(text: &str, max_depth: usize) -> Result<Option<Value>, DecodeError> {
    match json::parse_text(text, max_depth) {
        Ok(value) => Ok(Some(value)),
        // Well-formed, yet unreadable (half a surrogate pair, a number out of range): some reader will read it.
        Err(error) if error.is_about_syntax() && !json::is_well_formed(text) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The message inside a body that is nothing but another service's envelope: a notification that was delivered to a queue, an
/// event of a bus. With the path of the message below the body's.
///
/// A body with a single key beside the envelope's own, without one that every envelope has, or with one that holds what the service
/// never writes there, is not taken for one: nobody smuggles fields past a schema by wrapping something that fits it.
pub fn unwrapped(body: &Value, max_depth: usize) -> Option<(&'static str, Value)> {
    const NOTIFICATION: [&str; 12] = [
        "Type",
        "MessageId",
        "TopicArn",
        "Subject",
        "Message",
        "Timestamp",
        "SignatureVersion",
        "Signature",
        "SigningCertURL",
        "UnsubscribeURL",
        "MessageAttributes",
        "SequenceNumber",
    ];
    const BUS: [&str; 10] =
        ["version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail", "replay-name"];
    let map = body.as_object()?;
    let only = |keys: &[&str]| map.keys().all(|key| keys.contains(&key.as_str()));
    let written = |fields: &[(&str, Format)]| {
        fields.iter().all(|(key, format)| map.get(*key).is_some_and(|value| value.is_string() && format.admits(value)))
    };
    if map.get("Type").and_then(Value::as_str) == Some("Notification")
        && only(&NOTIFICATION)
        && written(&[("MessageId", Format::Token), ("TopicArn", Format::Arn), ("Timestamp", Format::Time)])
    {
        let text = map.get("Message")?.as_str()?;
        let read = read_text(text, max_depth).ok()?;
        return Some(match read {
            Some(value) => (".Message|json", value),
            None => (".Message", text.into()),
        });
    }
    let bus = [
        ("version", Format::Word),
        ("id", Format::Token),
        ("detail-type", Format::Any),
        ("source", Format::Any),
        ("account", Format::Word),
        ("time", Format::Time),
        ("region", Format::Word),
    ];
    if only(&BUS) && written(&bus) && map.get("resources").is_some_and(Value::is_array) {
        return Some((".detail", map.get("detail")?.clone()));
    }
    None
}

/// What to do with a known field of an object.
#[derive(Clone, Copy)]
pub(crate) enum Field {
    Is(Whose),
    /// Read by the caller of [`Collector::object`] beforehand, or of no interest.
    Drop,
}

pub(crate) const ARN: Field = Field::Is(Whose::Platform(Format::Arn));
pub(crate) const TIME: Field = Field::Is(Whose::Platform(Format::Time));
pub(crate) const TOKEN: Field = Field::Is(Whose::Platform(Format::Token));
pub(crate) const WORD: Field = Field::Is(Whose::Platform(Format::Word));
pub(crate) const PLATFORM_URL: Field = Field::Is(Whose::Platform(Format::PlatformUrl));
pub(crate) const PLATFORM: Field = Field::Is(Whose::Platform(Format::Any));
pub(crate) const HEADER: Field = Field::Is(Whose::Caller(Expect::Header));
pub(crate) const FORM: Field = Field::Is(Whose::Caller(Expect::Form));
pub(crate) const CALLER: Whose = Whose::Caller(Expect::Anything);

/// Gathers the parts of a record (or of the envelope around the records).
#[derive(Default)]
pub(crate) struct Collector {
    pub(crate) parts: Vec<Part>,
    pub(crate) problem: Option<Problem>,
}

impl Collector {
    /// Adds a part and says at which index.
    pub(crate) fn push(&mut self, path: impl Into<String>, value: Value, whose: Whose) -> usize {
        self.parts.push(Part { path: path.into(), value, whose });
        self.parts.len() - 1
    }

    /// The first problem stays.
    pub(crate) fn problem(&mut self, path: impl Into<String>, what: impl Into<String>) {
        self.problem.get_or_insert(Problem { path: path.into(), what: what.into() });
    }

    /// Lays out an object by a table of the platform's fields; what the table doesn't know is the sender's, keys included.
    pub(crate) fn object(&mut self, path: &str, map: Map<String, Value>, table: &[(&str, Field)]) {
        self.object_or(path, map, table, CALLER);
    }

    /// As [`Collector::object`], with another owner for the unknown fields.
    pub(crate) fn object_or(&mut self, path: &str, map: Map<String, Value>, table: &[(&str, Field)], rest: Whose) {
        let mut unknown = Map::new();
        for (key, value) in map {
            match table.iter().find(|(known, _)| *known == key) {
                Some((_, Field::Drop)) => {}
                Some((_, Field::Is(_))) if value.is_null() => {}
                Some((_, Field::Is(whose))) => {
                    self.push(child(path, &key), value, *whose);
                }
                None => {
                    unknown.insert(key, value);
                }
            }
        }
        if !unknown.is_empty() {
            self.push(path, Value::Object(unknown), rest);
        }
    }
}

/// The path of a known key.
pub(crate) fn child(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Takes an object out of a map; anything else stays where it is.
pub(crate) fn take_object(map: &mut Map<String, Value>, key: &str) -> Option<Map<String, Value>> {
    if !map.get(key)?.is_object() {
        return None;
    }
    match map.remove(key)? {
        Value::Object(inner) => Some(inner),
        _ => None,
    }
}

/// Takes a text out of a map; anything else stays where it is.
pub(crate) fn take_text(map: &mut Map<String, Value>, key: &str) -> Option<String> {
    if !map.get(key)?.is_string() {
        return None;
    }
    match map.remove(key)? {
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// A text of a map, copied.
pub(crate) fn text_of(map: &Map<String, Value>, key: &str) -> Option<String> {
    map.get(key)?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_platforms_fields_are_told_from_forged_ones() {
        for (format, honest, forged) in [
            (
                Format::Arn,
                "arn:aws:events:eu-central-1:1:rule/shop-bus/a.b_c-1",
                "arn:aws:events:x:1:rule/x'); DROP TABLE",
            ),
            (Format::Time, "2024-06-03T02:15:00.123+02:00", "2024', (SELECT 1)"),
            (Format::Token, "AQEBiDsno8Npq9Z9H/SOISEsQmn+DcbP==", "id; touch /tmp/x"),
            (Format::Word, "ObjectCreated:CompleteMultipartUpload", "${7*7}"),
            (
                Format::PlatformUrl,
                "https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=arn:aws:sns:eu-central-1:1:t",
                "https://sns.eu-central-1.amazonaws.com.evil.example/",
            ),
        ] {
            assert!(format.admits(&honest.into()), "{format:?} {honest}");
            assert!(!format.admits(&forged.into()), "{format:?} {forged}");
            assert!(!format.admits(&json!({"a": honest})), "{format:?}");
        }
    }

    #[test]
    fn only_a_pure_envelope_is_unwrapped() {
        let mut body = json!({
            "Type": "Notification",
            "MessageId": "m-1",
            "TopicArn": "arn:aws:sns:x:1:t",
            "Message": "{\"id\":1}",
            "Timestamp": "2026-05-27T09:11:02.513Z",
        });
        assert_eq!(unwrapped(&body, 9), Some((".Message|json", json!({"id": 1}))));
        body["orderId"] = "../../etc".into();
        assert_eq!(unwrapped(&body, 9), None);
        let mut bus = json!({
            "version": "0", "id": "e-1", "detail-type": "Order Paid", "source": "shop", "account": "1", "time": "2026-05-27T09:11:02Z",
            "region": "eu-central-1", "resources": [], "detail": {"id": 1},
        });
        assert_eq!(unwrapped(&bus, 9), Some((".detail", json!({"id": 1}))));
        bus["id"] = json!({"$ne": 1});
        assert_eq!(unwrapped(&bus, 9), None);
        assert_eq!(unwrapped(&json!({"detail-type": "x", "source": "y", "id": "admin", "detail": {"id": 1}}), 9), None);
    }
}
