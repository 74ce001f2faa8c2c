//! JSON as all readers read it: no key twice, valid UTF-8, bounded depth.

use crate::Limits;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::fmt;

/// Why bytes are not an event that can be looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// More than the limit allows.
    #[error("the event has {bytes} bytes, over the limit of {limit}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// [`Limits::max_bytes`].
        limit: usize,
    },
    /// Not text.
    #[error("not UTF-8 at byte {at}")]
    NotUtf8 {
        /// The first byte that isn't.
        at: usize,
    },
    /// Not JSON.
    #[error("not JSON: {what}")]
    NotJson {
        /// What is wrong and where.
        what: String,
    },
    /// Nested deeper than the limit allows.
    #[error("nested deeper than {limit} levels")]
    TooDeep {
        /// [`Limits::max_depth`].
        limit: usize,
    },
    /// Readers disagree on which of the two values counts.
    #[error("the key `{key}` stands twice in one object")]
    DuplicateKey {
        /// The key, shortened, control characters escaped.
        key: String,
    },
    /// A batch of records that no single service would send.
    #[error("the event's records are of different kinds: `{first}` and `{other}`")]
    MixedRecords {
        /// The source of the first record.
        first: String,
        /// The source of one that differs.
        other: String,
    },
    /// More records than the limit allows.
    #[error("the event has more than {limit} records")]
    TooManyRecords {
        /// [`Limits::max_records`].
        limit: usize,
    },
    /// A field the kind of event cannot be without is not what it has to be.
    #[error("`{field}` is not {expected}")]
    Malformed {
        /// Its path.
        field: &'static str,
        /// What it has to be.
        expected: &'static str,
    },
}

/// serde_json itself gives up at 128.
const DEEPEST: usize = 120;

/// Reads bytes strictly.
pub(crate) fn parse(bytes: &[u8], limits: &Limits) -> Result<Value, DecodeError> {
    let text = std::str::from_utf8(bytes).map_err(|error| DecodeError::NotUtf8 { at: error.valid_up_to() })?;
    parse_text(text, limits.max_depth)
}

/// Reads text strictly.
pub(crate) fn parse_text(text: &str, max_depth: usize) -> Result<Value, DecodeError> {
    let limit = max_depth.min(DEEPEST);
    let refused = RefCell::new(None);
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = Strict { room: limit, limit, refused: &refused }
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value));
    read.map_err(|error| refused.take().unwrap_or_else(|| DecodeError::NotJson { what: error.to_string() }))
}

/// At most some eighty characters, safe on one line.
pub(crate) fn shortened(text: &str) -> String {
    let mut shown: String = text.chars().take(80).flat_map(safe).collect();
    if text.chars().nth(80).is_some() {
        shown.push('…');
    }
    shown
}

fn safe(character: char) -> Box<dyn Iterator<Item = char>> {
    if character.is_control() { Box::new(character.escape_default()) } else { Box::new(std::iter::once(character)) }
}

#[derive(Clone, Copy)]
struct Strict<'a> {
    room: usize,
    limit: usize,
    refused: &'a RefCell<Option<DecodeError>>,
}

impl Strict<'_> {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        match self.room.checked_sub(1) {
            Some(room) => Ok(Self { room, ..self }),
            None => Err(self.refuse(DecodeError::TooDeep { limit: self.limit })),
        }
    }

    fn refuse<E: serde::de::Error>(self, error: DecodeError) -> E {
        self.refused.replace(Some(error));
        E::custom("refused")
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inside = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inside)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inside = self.deeper()?;
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if map.contains_key(&key) {
                return Err(self.refuse(DecodeError::DuplicateKey { key: shortened(&key) }));
            }
            let value = entries.next_value_seed(inside)?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

/// Whether `text` is well-formed JSON, however readers differ about what it says.
pub(crate) fn is_well_formed(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// A failure to read that isn't about the text being JSON at all.
impl DecodeError {
    pub(crate) fn is_about_syntax(&self) -> bool {
        matches!(self, Self::NotJson { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Value, DecodeError> {
        parse_text(text, 4)
    }

    #[test]
    fn honest_json_is_read_as_it_is() {
        let text = r#"{"a":[1,-2,3.5,true,null,"ü\u00e9"],"b":{"c":{}}}"#;
        assert_eq!(read(text).unwrap(), serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn what_readers_disagree_on_is_refused() {
        assert_eq!(read(r#"{"a":{"id":1,"\u0069d":2}}"#), Err(DecodeError::DuplicateKey { key: "id".into() }));
        for text in ["{} {}", "{'a':1}", "[1,]", "NaN", "{\"a\":\"\\ud800\"}", "\u{feff}{}", "", "{\"a\":1e999}"] {
            assert!(matches!(read(text), Err(DecodeError::NotJson { .. })), "{text}");
        }
        assert_eq!(parse(b"{\"a\":\"\xff\"}", &Limits::default()), Err(DecodeError::NotUtf8 { at: 6 }));
    }

    #[test]
    fn depth_is_bounded_just_there() {
        assert!(read("[[[[1]]]]").is_ok());
        assert_eq!(read("[[[[[1]]]]]"), Err(DecodeError::TooDeep { limit: 4 }));
        let deep = "[".repeat(1_000_000);
        assert!(parse_text(&deep, usize::MAX).is_err());
    }

    #[test]
    fn a_hostile_key_is_shown_safely() {
        let key = format!("\\u001b[2J{}", "x".repeat(200));
        let error = read(&format!(r#"{{"{key}":1,"{key}":2}}"#)).unwrap_err().to_string();
        assert!(error.contains("\\u{1b}[2J") && error.chars().count() < 140, "{error}");
    }
}
