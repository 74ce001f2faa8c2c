//! A batch without some of its records, everything else byte for byte: numbers, spaces and the order of keys stay.

use crate::Shape;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// The members of an object in their order, each value as it was written.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Gather;
        impl<'de> Visitor<'de> for Gather {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = entries.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Gather).map(Members)
    }
}

pub(crate) fn without(shape: Shape, event: &[u8], indices: &[usize]) -> Option<Vec<u8>> {
    let (key, by_name) = match shape {
        Shape::Array(key) => (key, false),
        Shape::ArraysByName(key) => (key, true),
        _ => return None,
    };
    let text = std::str::from_utf8(event).ok()?;
    let Members(members) = serde_json::from_str(text).ok()?;
    let mut out = Vec::with_capacity(event.len());
    let mut counted = 0;
    object(&mut out, &members, |name, value, out| {
        if name != key {
            out.extend_from_slice(value.get().as_bytes());
            return Some(());
        }
        if by_name {
            let Members(lists) = serde_json::from_str(value.get()).ok()?;
            return object(out, &lists, |_, list, out| kept(out, list, &mut counted, indices));
        }
        kept(out, value, &mut counted, indices)
    })?;
    Some(out)
}

fn object<'a>(
    out: &mut Vec<u8>,
    members: &[(String, &'a RawValue)],
    mut value: impl FnMut(&str, &'a RawValue, &mut Vec<u8>) -> Option<()>,
) -> Option<()> {
    out.push(b'{');
    for (number, (name, member)) in members.iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        serde_json::to_writer(&mut *out, name).ok()?;
        out.push(b':');
        value(name, member, out)?;
    }
    out.push(b'}');
    Some(())
}

fn kept(out: &mut Vec<u8>, list: &RawValue, counted: &mut usize, indices: &[usize]) -> Option<()> {
    let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(list.get()) else {
        // A list that is none has no records, neither here nor where they were counted.
        out.extend_from_slice(list.get().as_bytes());
        return Some(());
    };
    out.push(b'[');
    let mut first = true;
    for item in items {
        let index = *counted;
        *counted += 1;
        if indices.contains(&index) {
            continue;
        }
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        out.extend_from_slice(item.get().as_bytes());
    }
    out.push(b']');
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_records_that_stay_keep_their_bytes() {
        let event = br#"{ "x": 1.10, "Records": [ {"n":1e2, "b":"\u00e4"}, {"bad":1}, {"big":123456789012345678901234567890} ] , "z":null}"#;
        let rest = without(Shape::Array("Records"), event, &[1]).unwrap();
        assert_eq!(
            String::from_utf8(rest).unwrap(),
            r#"{"x":1.10,"Records":[{"n":1e2, "b":"\u00e4"},{"big":123456789012345678901234567890}],"z":null}"#
        );
    }

    #[test]
    fn records_are_counted_through_all_topics() {
        let event = br#"{"records":{"a-0":[{"v":0},{"v":1}],"b-0":[{"v":2}]}}"#;
        let rest = without(Shape::ArraysByName("records"), event, &[0, 2]).unwrap();
        assert_eq!(String::from_utf8(rest).unwrap(), r#"{"records":{"a-0":[{"v":1}],"b-0":[]}}"#);
        assert_eq!(without(Shape::Single, event, &[0]), None);
    }
}
