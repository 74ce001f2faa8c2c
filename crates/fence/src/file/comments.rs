//! The comments of an existing file, kept by what they stand at, so that they can be written again.

use super::merge::{LISTS, key_of};
use serde_json::Value as Json;
use source::{Node, SourceFile};
use std::collections::HashMap;

/// Comments by the path of what they belong to.
#[derive(Debug, Default)]
pub(super) struct Comments {
    leading: HashMap<String, Vec<String>>,
    trailing: HashMap<String, String>,
    footer: Vec<String>,
    schemas: HashMap<String, (Json, String)>,
}

/// Something a comment can belong to: its path, its first and last line, and the offset behind which a trailing comment begins.
struct Place {
    path: String,
    first: u32,
    last: u32,
    end: u32,
}

impl Comments {
    /// Collects the comments of a fence's text.
    pub(super) fn read(text: &str, root: &Node) -> Self {
        let file = SourceFile::new("fence.yaml", text);
        let mut comments = Self::default();
        let mut places = Vec::new();
        let mut add = |path: String, start: u32, end: u32| {
            places.push(Place {
                path,
                first: file.position(start).line,
                last: file.position(end.saturating_sub(1).max(start)).line,
                end,
            });
        };
        for top in root.entries() {
            let container = top.value.is_mapping();
            add(top.key.clone(), top.key_span.start, if container { top.key_span.end } else { top.value.span.end });
            if top.key == "schemas" {
                for schema in top.value.entries() {
                    add(format!("schemas/{}", schema.key), schema.key_span.start, schema.value.span.end);
                    let column = file.position(schema.key_span.start).column;
                    if column == 3 && schema.value.span.end > schema.key_span.start {
                        let line_start = schema.key_span.start as usize - 2;
                        let line_end = text[schema.value.span.end as usize..]
                            .find('\n')
                            .map_or(text.len(), |at| schema.value.span.end as usize + at + 1);
                        comments.schemas.insert(
                            schema.key.clone(),
                            (schema.value.to_json(), text[line_start..line_end].to_string()),
                        );
                    }
                }
            }
            if top.key != "functions" {
                continue;
            }
            for function in top.value.entries() {
                let path = format!("functions/{}", function.key);
                add(path.clone(), function.key_span.start, function.key_span.end);
                for section in function.value.entries() {
                    let path = format!("{path}/{}", section.key);
                    let is_list =
                        LISTS.iter().any(|(name, _)| *name == section.key) && !section.value.items().is_empty();
                    add(
                        path.clone(),
                        section.key_span.start,
                        if is_list { section.key_span.end } else { section.value.span.end },
                    );
                    if is_list {
                        for item in section.value.items() {
                            let key = key_of(&section.key, &item.to_json());
                            add(format!("{path}/{key}"), item.span.start, item.span.end);
                        }
                    }
                }
            }
        }
        comments.attach(&file, text, &places);
        comments
    }

    fn attach(&mut self, file: &SourceFile, text: &str, places: &[Place]) {
        let mut pending: Vec<String> = Vec::new();
        let (mut starting, mut ending): (HashMap<u32, &Place>, HashMap<u32, Vec<&Place>>) = Default::default();
        // Those that span lines, to look a comment line up in; most places stand on one.
        let mut spanning: Vec<&Place> = Vec::new();
        for place in places {
            starting.entry(place.first).or_insert(place);
            ending.entry(place.last).or_default().push(place);
            spanning.extend((place.first < place.last).then_some(place));
        }
        for number in 1..=u32::try_from(file.line_count()).unwrap_or(u32::MAX) {
            let Some(line) = file.line(number) else { break };
            let trimmed = line.trim();
            if trimmed.starts_with('#') {
                // Inside something that spans lines, a comment belongs to that; a schema keeps its own text.
                match spanning.iter().rev().find(|place| place.first < number && number <= place.last) {
                    Some(place) if place.path.starts_with("schemas/") => {}
                    Some(place) => self.leading.entry(place.path.clone()).or_default().push(trimmed.to_string()),
                    None => pending.push(trimmed.to_string()),
                }
                continue;
            }
            if let Some(place) = starting.get(&number) {
                self.leading.entry(place.path.clone()).or_default().append(&mut pending);
            }
            for place in ending.get(&number).into_iter().flatten() {
                let end = place.end as usize;
                let rest = text.get(end..).and_then(|rest| rest.lines().next()).unwrap_or("");
                let rest = rest.trim_start_matches([':', '"', '\'', ' ', '\t']);
                if rest.starts_with('#') {
                    self.trailing.insert(place.path.clone(), rest.trim_end().to_string());
                }
            }
        }
        self.footer = pending;
    }

    /// The comment lines that stand above something, without their indentation.
    pub(super) fn leading(&self, path: &str) -> impl Iterator<Item = &str> {
        self.leading.get(path).into_iter().flatten().map(String::as_str)
    }

    /// The comment behind something.
    pub(super) fn trailing(&self, path: &str) -> Option<&str> {
        self.trailing.get(path).map(String::as_str)
    }

    /// The comments at the end of the file.
    pub(super) fn footer(&self) -> impl Iterator<Item = &str> {
        self.footer.iter().map(String::as_str)
    }

    /// The text of a schema, if it still says the same.
    pub(super) fn raw_schema(&self, name: &str, schema: &Json) -> Option<&str> {
        self.schemas.get(name).filter(|(earlier, _)| earlier == schema).map(|(_, raw)| raw.as_str())
    }
}
