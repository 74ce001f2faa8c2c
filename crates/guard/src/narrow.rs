//! What is known of single fields before their text is read: from the fence's `inputs`, drawn from the code, and from the schema that
//! the body has already met.
//!
//! A UUID that the schema has checked needs no look for SQL; a field whose text reaches a shell is looked at as a shell would.
//!
//! Deliberately absent: what a schema says in alternatives (`anyOf`, `oneOf`), since which of them was met isn't told.

use fence::{FunctionFence, InputKind, Reach};
use serde_json::Value;
use std::collections::BTreeMap;
use waf::{Context, FieldKind, Sink, Sinks};

/// How deep a schema is followed, references included.
const MAX_DEPTH: usize = 16;
/// How many of its fields are remembered.
const MAX_FIELDS: usize = 2000;

/// What the code does with fields of the event.
#[derive(Debug, Default)]
pub(crate) struct Inputs(Vec<(String, Sinks, Option<FieldKind>)>);

impl Inputs {
    pub(crate) fn of(function: &FunctionFence) -> Self {
        let known = function.inputs.iter().map(|input| {
            let sinks = input.reaches.iter().map(|reach| match reach {
                Reach::Shell => Sink::Shell,
                Reach::Sql => Sink::Sql,
                Reach::Path => Sink::Path,
                Reach::Url => Sink::Url,
                Reach::Html => Sink::Html,
                Reach::Code => Sink::Code,
                Reach::Model => Sink::Model,
            });
            let kind = input.kind.map(|kind| match kind {
                InputKind::FreeText => FieldKind::FreeText,
                InputKind::Identifier => FieldKind::Identifier,
                InputKind::ObjectKey => FieldKind::ObjectKey,
                InputKind::Url => FieldKind::Url,
            });
            (input.field.clone(), sinks.collect(), kind)
        });
        Self(known.collect())
    }

    fn at(&self, field: &str) -> (Sinks, Option<FieldKind>) {
        let mut sinks = Sinks::NONE;
        let mut kind = None;
        for (known, reaches, meant) in &self.0 {
            if field.strip_prefix(known.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '['])) {
                sinks = reaches.iter().fold(sinks, Sinks::with);
                kind = kind.or(*meant);
            }
        }
        (sinks, kind)
    }
}

/// What a schema says of the fields of a body, by their path below it: `.items[].sku`.
#[derive(Debug, Default)]
pub(crate) struct Kinds(BTreeMap<String, FieldKind>);

impl Kinds {
    /// Reads a schema; `root` is the document its references lead into.
    pub(crate) fn of(root: &Value) -> Self {
        let mut kinds = Self::default();
        kinds.read(root, root, String::new(), 0);
        kinds
    }

    fn read(&mut self, root: &Value, schema: &Value, path: String, depth: usize) {
        if depth > MAX_DEPTH || self.0.len() >= MAX_FIELDS {
            return;
        }
        let referred = schema.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
        if let Some(target) = referred.and_then(|pointer| root.pointer(pointer)) {
            self.read(root, target, path.clone(), depth + 1);
        }
        for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.read(root, part, path.clone(), depth + 1);
        }
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            self.read(root, property, format!("{path}.{name}"), depth + 1);
        }
        if let Some(items) = schema.get("items").filter(|items| items.is_object()) {
            self.read(root, items, format!("{path}[]"), depth + 1);
        }
        if let Some(kind) = kind(schema) {
            self.0.insert(path, kind);
        }
    }

    fn at(&self, field: &str) -> Option<FieldKind> {
        self.0.get(field).copied()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What a text that has met this schema can be.
fn kind(schema: &Value) -> Option<FieldKind> {
    match schema.get("x-kind").and_then(Value::as_str) {
        Some("free-text") => return Some(FieldKind::FreeText),
        Some("identifier") => return Some(FieldKind::Identifier),
        Some("object-key") => return Some(FieldKind::ObjectKey),
        Some("url") => return Some(FieldKind::Url),
        _ => {}
    }
    // Nothing that the schema lists by itself, and no text of such a form, can be an injection.
    if schema.get("enum").is_some() || schema.get("const").is_some() {
        return Some(FieldKind::Envelope);
    }
    if schema.get("pattern").and_then(Value::as_str).is_some_and(harmless) {
        return Some(FieldKind::Envelope);
    }
    // Formats are only annotations unless a validator is told otherwise, so they narrow where they make the guard stricter.
    match schema.get("format").and_then(Value::as_str) {
        Some("uri" | "url" | "iri" | "uri-reference") => Some(FieldKind::Url),
        Some("uuid" | "date" | "date-time" | "time" | "hostname" | "ipv4" | "ipv6") => Some(FieldKind::Identifier),
        _ => None,
    }
}

/// Whether whatever matches a pattern is made of letters, digits and the marks of names: `^ord-[0-9]+$`.
fn harmless(pattern: &str) -> bool {
    let Some(inner) = pattern.strip_prefix('^').and_then(|rest| rest.strip_suffix('$')) else { return false };
    // An alternative would end what the anchors hold together.
    if inner.is_empty() || inner.contains('|') || inner.ends_with('\\') {
        return false;
    }
    let mut class = false;
    let mut characters = inner.chars().peekable();
    while let Some(character) = characters.next() {
        let plain = character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | ':' | '@');
        let fine = match character {
            '\\' => matches!(characters.next(), Some('d' | 'w' | '-' | '.' | '_')),
            '[' if !class => {
                class = true;
                characters.peek() != Some(&'^')
            }
            ']' if class => {
                class = false;
                true
            }
            // Outside a class a full stop is anything.
            '.' | ' ' | '+' => class || character == '+',
            '{' | '}' | ',' | '*' | '?' | '(' | ')' => !class,
            _ => plain,
        };
        if !fine {
            return false;
        }
    }
    !class
}

/// What is known around one record: the code's knowledge, and what the schema of its line says below its body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Knowledge<'a> {
    pub(crate) inputs: &'a Inputs,
    /// The body's path, [`normal`], and what its schema says.
    pub(crate) body: Option<(&'a str, &'a Kinds)>,
}

impl Knowledge<'_> {
    /// Whether nothing is known of any field.
    pub(crate) fn is_empty(&self) -> bool {
        self.inputs.0.is_empty() && self.body.is_none_or(|(_, kinds)| kinds.is_empty())
    }

    /// What is known of the field at `path`, beyond `context`.
    pub(crate) fn narrow(&self, path: &str, mut context: Context) -> Context {
        let field = normal(path);
        let (sinks, meant) = self.inputs.at(&field);
        context.reaches = sinks.iter().fold(context.reaches, Sinks::with);
        let below = self.body.and_then(|(body, kinds)| kinds.at(field.strip_prefix(body)?));
        // What a person says of a field goes before what a schema implies; a field that reaches a sink is never waved through.
        if let Some(kind) = meant.or(below)
            && (kind != FieldKind::Envelope || context.reaches.is_empty())
        {
            context.kind = kind;
        }
        context
    }
}

/// A path without places in lists and layers: `Records[0].body|json.items[2].sku` is `Records[].body.items[].sku`.
pub(crate) fn normal(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut characters = path.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '[' => {
                out.push('[');
                while characters.peek().is_some_and(char::is_ascii_digit) {
                    characters.next();
                }
            }
            '|' => {
                while characters.peek().is_some_and(|next| !matches!(next, '.' | '[' | '|')) {
                    characters.next();
                }
            }
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_of_events_are_those_of_the_code() {
        assert_eq!(normal("Records[0].body|json.items[2].sku"), "Records[].body.items[].sku");
        assert_eq!(normal("body|base64|json.a"), "body.a");
        assert_eq!(normal("headers.x-y"), "headers.x-y");
    }

    #[test]
    fn a_pattern_of_names_alone_is_harmless() {
        for pattern in ["^ord-[0-9]+$", "^[A-Za-z0-9_-]{1,36}$", r"^\d{4}-\d\d$", "^[a-z]+(-[a-z]+)*$", "^[a-z. ]+$"] {
            assert!(harmless(pattern), "{pattern}");
        }
        for pattern in
            ["ord-[0-9]+", "^.+$", "^[^<]+$", r"^\S+$", "^a$|.", "^[a-z';]+$", "^[a-z", "^$", r"^\W$", "^a|b$"]
        {
            assert!(!harmless(pattern), "{pattern}");
        }
    }

    #[test]
    fn a_schema_says_what_its_fields_can_be() {
        let kinds = Kinds::of(&json!({
            "properties": {
                "id": { "$ref": "#/schemas/Id" },
                "note": { "type": "string", "x-kind": "free-text" },
                "items": { "items": { "properties": { "state": { "enum": ["new", "done"] } } } },
                "link": { "format": "uri" },
                "loop": { "$ref": "#" },
                "other": { "type": "string" },
            },
            "schemas": { "Id": { "pattern": "^[a-z0-9]+$" } },
        }));
        assert_eq!(kinds.at(".id"), Some(FieldKind::Envelope));
        assert_eq!(kinds.at(".note"), Some(FieldKind::FreeText));
        assert_eq!(kinds.at(".items[].state"), Some(FieldKind::Envelope));
        assert_eq!(kinds.at(".link"), Some(FieldKind::Url));
        assert_eq!(kinds.at(".other"), None);
    }
}
