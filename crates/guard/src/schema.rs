//! A body held against a JSON Schema. Compiled at load, offline, and without the kind of pattern that can take for ever.

use crate::line::{FenceError, nearest};
use crate::narrow::Kinds;
use jsonschema::{PatternOptions, Validator};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(crate) struct Schema {
    validator: Validator,
    /// What its fields can be once it is met.
    pub(crate) kinds: Kinds,
}

/// One way in which a body isn't what the fence asks for.
pub(crate) struct Violation {
    /// Where, below the body: `.items[0].note`; empty for the body itself.
    pub(crate) path: String,
    pub(crate) expected: String,
    pub(crate) excerpt: String,
}

/// More of them tell nobody more.
const MAX_VIOLATIONS: usize = 8;
/// Steps of the one kind of matching that goes back; beyond them a text counts as not matching.
const MAX_BACKTRACKS: usize = 100_000;

impl Schema {
    pub(crate) fn compile(
        event: &str,
        body: &fence::Body,
        schemas: &BTreeMap<String, Value>,
    ) -> Result<Schema, FenceError> {
        let document = match body.referred() {
            Some(name) => schemas.get(name).ok_or_else(|| FenceError::UnknownSchema {
                event: event.to_owned(),
                name: name.to_owned(),
                help: nearest(name, schemas.keys().map(String::as_str)),
            })?,
            None => &body.0,
        };
        // The schema is the root of its document, so that what it says of `#` and `#/definitions` still holds, and the
        // fence's other schemas stand beside it.
        let mut root = document.clone();
        if let Some(root) = root.as_object_mut() {
            root.entry("schemas").or_insert_with(|| json!(schemas));
        }
        let failed = |why: String| FenceError::Schema { event: event.to_owned(), why };
        let linear = jsonschema::options().offline().with_pattern_options(PatternOptions::regex()).build(&root);
        let built = linear.or_else(|_| {
            let patterns = PatternOptions::fancy_regex().backtrack_limit(MAX_BACKTRACKS);
            jsonschema::options().offline().with_pattern_options(patterns).build(&root)
        });
        let validator = built.map_err(|error| failed(shortened(&error.to_string(), 300)))?;
        Ok(Schema { validator, kinds: Kinds::of(&root) })
    }

    pub(crate) fn violations(&self, body: &Value) -> Vec<Violation> {
        if self.validator.is_valid(body) {
            return Vec::new();
        }
        self.validator
            .iter_errors(body)
            .take(MAX_VIOLATIONS)
            .map(|error| Violation {
                path: path(&error.instance_path().to_string()),
                expected: shortened(&error.masked().to_string(), 200),
                excerpt: shortened(&error.instance().to_string(), 80),
            })
            .collect()
    }
}

/// `/items/0/note` as `.items[0].note`.
fn path(pointer: &str) -> String {
    let mut path = String::new();
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        if !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit()) {
            path.push_str(&format!("[{step}]"));
        } else {
            path.push('.');
            path.push_str(&shortened(&step, 60));
        }
    }
    path
}

/// At most so many characters, safe on one line.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    let mut shown = String::new();
    for (count, character) in text.chars().enumerate() {
        if count >= most {
            shown.push('…');
            break;
        }
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use fence::Body;

    fn schemas() -> BTreeMap<String, Value> {
        BTreeMap::from([
            (
                "Order".into(),
                json!({"type": "object", "required": ["id"], "properties": {"id": {"$ref": "#/schemas/Id"}, "note": {"$ref": "#/definitions/Note"}}, "definitions": {"Note": {"maxLength": 3}}}),
            ),
            ("Id".into(), json!({"type": "string", "pattern": "^ord-[0-9]+$"})),
        ])
    }

    #[test]
    fn a_violation_says_where_and_what_was_expected() {
        let schema = Schema::compile("POST /orders", &Body::reference("Order"), &schemas()).unwrap();
        assert!(schema.violations(&json!({"id": "ord-1", "note": "abc"})).is_empty());
        let found = schema.violations(&json!({"id": "../../etc", "note": "abcd"}));
        assert_eq!(found.iter().map(|violation| violation.path.as_str()).collect::<Vec<_>>(), [".id", ".note"]);
        assert!(found[0].expected.contains("ord-[0-9]+") && found[0].excerpt.contains("../../etc"));
        assert!(schema.violations(&Value::Null)[0].expected.contains("object"));
    }

    #[test]
    fn a_schema_that_cannot_be_used_is_an_error_not_a_hole() {
        let compile = |body: Value| Schema::compile("e", &Body(body), &schemas()).err().map(|error| error.to_string());
        assert_eq!(
            compile(json!({"$ref": "#/schemas/Ordr"})).unwrap(),
            "`e`: the fence has no schema `Ordr`; did you mean `Order`?"
        );
        assert!(compile(json!({"type": "objet"})).is_some());
        assert!(compile(json!({"pattern": "("})).is_some());
        assert!(compile(json!({"$ref": "https://example.com/schema.json"})).is_some(), "nothing is fetched");
        assert!(compile(json!({"$ref": "#/definitions/none"})).is_some());
        assert_eq!(compile(json!({"pattern": "^(?!admin).*$"})), None, "look-ahead is common in schemas");
    }

    #[test]
    fn a_pattern_that_could_take_for_ever_is_given_up_and_refused() {
        let schema = Schema::compile("e", &Body(json!({"pattern": "^(?=(a+)+$)a*b$"})), &BTreeMap::new()).unwrap();
        assert!(!schema.violations(&json!("a".repeat(60))).is_empty());
    }
}
