//! Inserting into templates: properties in the style of the mapping that they go into, block or flow, YAML or JSON.

use crate::Edit;
use serde_json::Value;
use source::{Document, Entry, FileId, Node, Span};

/// A template as a tree, with its text.
pub(crate) struct Template<'a> {
    pub(crate) path: &'a str,
    pub(crate) text: &'a str,
    pub(crate) root: Node,
}

impl<'a> Template<'a> {
    /// Reads the template that holds a span; none where it has no resources of CloudFormation's form.
    pub(crate) fn of(input: &crate::Input<'a>, span: Span) -> Option<Self> {
        let (path, text) = input.file(span)?;
        let extension = path.rsplit('.').next().unwrap_or_default();
        if !matches!(extension, "yaml" | "yml" | "json" | "template") {
            return None;
        }
        let root = Document::detect(FileId(span.file.0), text).root;
        root.get("Resources").is_some_and(Node::is_mapping).then_some(Self { path, text, root })
    }

    /// The resource whose block holds a place.
    pub(crate) fn resource_at(&self, at: u32) -> Option<&Entry> {
        let entries = self.root.get("Resources").map(Node::entries).unwrap_or_default();
        // The last that begins before it: blocks end where the next begins.
        let entry = entries.iter().rev().find(|entry| entry.key_span.start <= at)?;
        (at <= entry.value.span.end.max(entry.key_span.end)).then_some(entry)
    }

    /// The resource of a logical id.
    pub(crate) fn resource(&self, name: &str) -> Option<&Entry> {
        self.root.get("Resources")?.entry(name)
    }

    fn is_flow(&self, node: &Node) -> bool {
        self.text.get(node.span.start as usize..).is_some_and(|rest| rest.starts_with('{'))
    }

    fn is_json(&self) -> bool {
        self.text.trim_start_matches('\u{feff}').trim_start().starts_with('{')
    }

    /// The column a place stands in, in bytes, and whether only white space stands before it on its line.
    fn column(&self, at: usize) -> (usize, bool) {
        let line = self.text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |found| found + 1);
        let before = self.text.get(line..at).unwrap_or_default();
        (before.len(), before.chars().all(|c| c == ' '))
    }

    /// Puts a property first into a mapping.
    fn first(&self, mapping: &Node, key: &str, value: &Value) -> Option<Edit> {
        let first = mapping.entries().first();
        if self.is_flow(mapping) {
            let at = mapping.span.start as usize + 1;
            let json = self.is_json();
            let rendered =
                if json { format!("{}: {value}", Value::from(key)) } else { format!("{key}: {}", flow(value)) };
            let Some(first) = first else { return Some(Edit::new(self.path, at, at, format!(" {rendered} "))) };
            let gap = self.text.get(at..first.key_span.start as usize)?;
            // What separates the brace from the first key separates the new one from it as well.
            let separator = if gap.contains('\n') { format!(",{gap}") } else { ", ".to_string() };
            let start = first.key_span.start as usize;
            return Some(Edit::new(self.path, start, start, format!("{rendered}{separator}")));
        }
        let start = first?.key_span.start as usize;
        let (column, alone) = self.column(start);
        let indent = " ".repeat(column);
        let body = block(key, value, column);
        // At the beginning of the line; behind a dash the key's own indentation follows.
        Some(if alone {
            Edit::new(self.path, start - column, start - column, body)
        } else {
            Edit::new(self.path, start, start, format!("{}{indent}", body.get(column..)?))
        })
    }

    /// Sets a property of a resource: what is there is replaced, what isn't is put in.
    pub(crate) fn set(&self, resource: &Entry, key: &str, value: &Value) -> Option<Edit> {
        match resource.value.get("Properties") {
            Some(properties) if properties.is_mapping() => match properties.get(key) {
                Some(present) => Some(self.replace(present, value)),
                None => self.first(properties, key, value),
            },
            // `Properties:` may be left out where there are none.
            None => {
                let mut inner = serde_json::Map::new();
                inner.insert(key.to_string(), value.clone());
                let of_type = resource.value.entry("Type")?;
                if self.is_flow(&resource.value) {
                    return self.first(&resource.value, "Properties", &Value::Object(inner));
                }
                let (column, _) = self.column(of_type.key_span.start as usize);
                let end = of_type.value.span.end as usize;
                let line_end = self.text.get(end..)?.find('\n').map_or(self.text.len(), |found| end + found);
                let body = block("Properties", &Value::Object(inner), column);
                Some(Edit::new(self.path, line_end, line_end, format!("\n{}", body.trim_end())))
            }
            Some(_) => None,
        }
    }

    /// Replaces a value by one that fits on its line.
    pub(crate) fn replace(&self, node: &Node, value: &Value) -> Edit {
        let rendered = if self.is_json() { value.to_string() } else { flow(value) };
        Edit::new(self.path, node.span.start as usize, node.span.end as usize, rendered)
    }

    /// Puts a resource before another one.
    pub(crate) fn add_before(&self, resource: &Entry, name: &str, value: &Value) -> Option<Edit> {
        let resources = self.root.get("Resources")?;
        let start = resource.key_span.start as usize;
        if self.is_flow(resources) {
            let rendered = if self.is_json() {
                format!("{}: {value}", Value::from(name))
            } else {
                format!("{name}: {}", flow(value))
            };
            let (column, alone) = self.column(start);
            let separator = if alone { format!(",\n{}", " ".repeat(column)) } else { ", ".to_string() };
            return Some(Edit::new(self.path, start, start, format!("{rendered}{separator}")));
        }
        let (column, alone) = self.column(start);
        // Comments right above a resource belong to it.
        let mut at = start - column;
        while let Some(before) = self.text.get(..at).and_then(|text| text.strip_suffix('\n')) {
            let line = before.rfind('\n').map_or(0, |found| found + 1);
            if before.get(line..).is_some_and(|text| text.trim_start().starts_with('#')) {
                at = line;
            } else {
                break;
            }
        }
        alone.then(|| Edit::new(self.path, at, at, block(name, value, column)))
    }
}

/// A key with its value as lines of block style, each ended.
pub(crate) fn block(key: &str, value: &Value, column: usize) -> String {
    let indent = " ".repeat(column);
    match value {
        Value::Object(members) if intrinsic(value).is_none() && !members.is_empty() => {
            let inner: String = members.iter().map(|(key, value)| block(key, value, column + 2)).collect();
            format!("{indent}{key}:\n{inner}")
        }
        _ => format!("{indent}{key}: {}\n", flow(value)),
    }
}

/// A value on one line.
fn flow(value: &Value) -> String {
    if let Some(short) = intrinsic(value) {
        return short;
    }
    match value {
        Value::Object(members) => {
            let inner: Vec<String> = members.iter().map(|(key, value)| format!("{key}: {}", flow(value))).collect();
            format!("{{ {} }}", inner.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::String(text) => {
            let plain = !text.is_empty()
                && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.'))
                && text.starts_with(|c: char| c.is_ascii_alphabetic());
            if plain { text.clone() } else { value.to_string() }
        }
        other => other.to_string(),
    }
}

/// The short form of an intrinsic.
fn intrinsic(value: &Value) -> Option<String> {
    let members = value.as_object().filter(|members| members.len() == 1)?;
    let (key, inner) = members.iter().next()?;
    let text = inner.as_str()?;
    match key.as_str() {
        "Ref" => Some(format!("!Ref {text}")),
        "Fn::Sub" => Some(format!("!Sub {}", Value::from(text))),
        _ => None,
    }
}
