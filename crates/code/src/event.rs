//! The event and its parts: which fields the code reads, and which it can do without.

use crate::Language;
use crate::evaluate::Evaluator;
use crate::syntax::{Name, Place};
use crate::taint;
use crate::value::Value;

/// The part of the event under a key, noted as read.
pub(crate) fn field(evaluator: &mut Evaluator<'_>, path: &Name, key: &str, required: bool, place: Place) -> Value {
    let path = child(path, key);
    let site = evaluator.site(place);
    evaluator.record.field(site, path.clone(), required);
    Value::Event(path)
}

fn child(path: &str, key: &str) -> Name {
    if path.is_empty() { key.into() } else { format!("{path}.{key}").into() }
}

/// An element of a list in the event.
pub(crate) fn element(path: &str) -> Value {
    // The event itself is seldom a list; a loop over it goes over its keys.
    if path.is_empty() || path.len() > 280 {
        taint::derived(&[&Value::Event(path.into())])
    } else {
        Value::Event(format!("{path}[]").into())
    }
}

/// A library's data class gives the event's fields other names: `event.json_body`, `record.body`.
pub(crate) fn attribute(evaluator: &mut Evaluator<'_>, path: &Name, name: &str, place: Place) -> Value {
    match name {
        "json_body" | "decoded_body" => field(evaluator, path, "body", false, place),
        "records" | "record" => {
            let records = field(evaluator, path, "Records", false, place);
            match records {
                Value::Event(path) if name == "records" => Value::Event(path),
                Value::Event(path) => element(&path),
                other => other,
            }
        }
        "raw_event" => Value::Event(path.clone()),
        _ => {
            let mut camel = String::new();
            let mut upper = false;
            for character in name.chars() {
                match character {
                    '_' => upper = true,
                    character if upper => {
                        camel.extend(character.to_uppercase());
                        upper = false;
                    }
                    character => camel.push(character),
                }
            }
            field(evaluator, path, &camel, false, place)
        }
    }
}

/// The code fails where this part of the event is missing.
pub(crate) fn require(evaluator: &mut Evaluator<'_>, value: &Value) {
    // What may be something else as well has a way around.
    if let Value::Event(path) = value
        && let Some(field) = evaluator.record.fields.get_mut(path)
    {
        field.required = true;
    }
}

/// The code looks whether this part of the event is there.
pub(crate) fn guard(evaluator: &mut Evaluator<'_>, value: &Value) {
    for value in value.alternatives() {
        if let Value::Event(path) = value
            && !path.is_empty()
        {
            evaluator.record.guarded.insert(path.clone());
        }
    }
}

/// `key in event`: read, and not required.
pub(crate) fn guard_key(evaluator: &mut Evaluator<'_>, container: &Value, key: &Value, place: Place) {
    guard(evaluator, key);
    let Some(key) = key.as_text() else { return };
    for value in container.alternatives() {
        if let Value::Event(path) = value {
            // In Python `in` also asks whether a text holds another; a field of that odd name would be no harm, but
            // most of those texts are no names.
            let is_name = key.chars().all(|character| character.is_alphanumeric() || matches!(character, '_' | '-'));
            let is_decoded = path.is_empty() || evaluator.language == Language::Python;
            if is_name && is_decoded {
                let path = child(path, key);
                let site = evaluator.site(place);
                evaluator.record.field(site, path.clone(), false);
                evaluator.record.guarded.insert(path);
            }
        }
    }
}
