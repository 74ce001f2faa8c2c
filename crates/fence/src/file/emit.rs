//! The text of a fence: one line per line of the contract, in a stable order.

use super::comments::Comments;
use super::merge::{LISTS, key_of};
use serde_json::{Map, Value as Json};

/// The comment that opens every file.
pub(super) const HEADER: [&str; 4] = [
    "# The fence of this application: what may come into each function, what it may do, what may go out.",
    "# `ringfence fence` keeps it up to date, `ringfence fence --check` fails where the source has moved on.",
    "# A line whose `because` names a place in the source is Ringfence's; any other line, and every comment, is yours.",
    "# `deny:` takes away what the code would ask for. Format: docs/reference/fence.md",
];
/// The order of the keys of a function.
const ORDER: [&str; 10] =
    ["code", "mode", "perimeter", "events", "permissions", "network", "processes", "files", "invokes", "unresolved"];

/// Writes the file.
pub(super) fn emit(root: &Json, comments: &Comments) -> String {
    let mut out = Writer { text: String::new(), comments };
    for line in HEADER {
        out.text.push_str(line);
        out.text.push('\n');
    }
    out.leading("version", 0);
    out.line(0, "version: 1", "version");
    out.leading("functions", 0);
    let empty = Map::new();
    let functions = root.get("functions").and_then(Json::as_object).unwrap_or(&empty);
    out.line(0, if functions.is_empty() { "functions: {}" } else { "functions:" }, "functions");
    for (name, function) in functions {
        out.function(name, function.as_object().unwrap_or(&empty));
    }
    if let Some(schemas) = root.get("schemas").and_then(Json::as_object) {
        out.leading("schemas", 0);
        out.line(0, "schemas:", "schemas");
        for (name, schema) in schemas {
            let path = format!("schemas/{name}");
            out.leading(&path, 2);
            // A schema that is as it was keeps its layout and the comments in it.
            match comments.raw_schema(name, schema) {
                Some(raw) => out.text.push_str(raw),
                None => {
                    out.line(2, &format!("{}:", scalar(name)), &path);
                    block(schema, 4, &mut out.text);
                }
            }
            if !out.text.ends_with('\n') {
                out.text.push('\n');
            }
        }
    }
    for line in comments.footer() {
        out.text.push_str(line);
        out.text.push('\n');
    }
    out.text
}

struct Writer<'a> {
    text: String,
    comments: &'a Comments,
}

impl Writer<'_> {
    fn leading(&mut self, path: &str, indent: usize) {
        for line in self.comments.leading(path).filter(|line| !HEADER.contains(line)) {
            self.text.push_str(&" ".repeat(indent));
            self.text.push_str(line);
            self.text.push('\n');
        }
    }

    fn line(&mut self, indent: usize, content: &str, path: &str) {
        self.text.push_str(&" ".repeat(indent));
        self.text.push_str(content);
        if let Some(comment) = self.comments.trailing(path) {
            self.text.push(' ');
            self.text.push_str(comment);
        }
        self.text.push('\n');
    }

    fn function(&mut self, name: &str, function: &Map<String, Json>) {
        let path = format!("functions/{name}");
        self.leading(&path, 2);
        self.line(2, &format!("{}:", scalar(name)), &path);
        for key in ORDER {
            let value = match (function.get(key), key) {
                (Some(value), _) => value.clone(),
                (None, "events" | "permissions" | "network") => Json::Array(Vec::new()),
                (None, _) => continue,
            };
            let path = format!("{path}/{key}");
            self.leading(&path, 4);
            match &value {
                Json::Array(lines) if !lines.is_empty() && LISTS.iter().any(|(section, _)| *section == key) => {
                    self.line(4, &format!("{key}:"), &path);
                    for line in lines {
                        let path = format!("{path}/{}", key_of(key, line));
                        self.leading(&path, 6);
                        self.line(6, &format!("- {}", flow(line)), &path);
                    }
                }
                other => self.line(4, &format!("{key}: {}", flow(other)), &path),
            }
        }
    }
}

/// A value on one line.
fn flow(value: &Json) -> String {
    match value {
        Json::Object(map) if map.is_empty() => "{}".into(),
        Json::Object(map) => {
            let fields: Vec<String> =
                map.iter().map(|(key, value)| format!("{}: {}", scalar(key), flow(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Json::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Json::String(text) => scalar(text),
        other => other.to_string(),
    }
}

/// A value over several lines, for schemas.
fn block(value: &Json, indent: usize, out: &mut String) {
    let pad = " ".repeat(indent);
    match value {
        Json::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                let small = flow(value);
                if small.len() + indent < 100 || !value.is_object() {
                    out.push_str(&format!("{pad}{}: {small}\n", scalar(key)));
                } else {
                    out.push_str(&format!("{pad}{}:\n", scalar(key)));
                    block(value, indent + 2, out);
                }
            }
        }
        other => out.push_str(&format!("{pad}{}\n", flow(other))),
    }
}

/// A scalar, quoted unless every reader of YAML takes it for the same plain text.
fn scalar(text: &str) -> String {
    const RESERVED: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let first_ok = text.starts_with(|letter: char| letter.is_ascii_alphabetic() || matches!(letter, '/' | '_' | '$'));
    let rest_ok = text
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '/' | '_' | '.' | '-' | '$' | '#'));
    // `on` is a key of ours; as a key and as text it is read as such by YAML 1.2, and quoting it would only look odd.
    if first_ok && rest_ok && (text == "on" || !RESERVED.contains(&text.to_ascii_lowercase().as_str())) {
        text.to_string()
    } else {
        serde_json::Value::String(text.to_string()).to_string()
    }
}
