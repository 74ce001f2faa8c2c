//! From the parsers' events to our tree: limits, anchors, merge keys, and going on after an error.

use super::{Complaint, Document, Entry, MAX_ALIASED, MAX_DEPTH, MAX_NODES, MAX_RECOVERIES, Node, NodeKind};
use crate::{FileId, Span};
use jsonc_parser::ast::Value;
use jsonc_parser::common::Ranged;
use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// Reads YAML; each error costs the block it stands in, and the rest is read again without it.
pub(super) fn yaml(file: FileId, text: &str) -> Document {
    let mut complaints = Vec::new();
    let mut remaining: Cow<'_, str> = Cow::Borrowed(text);
    let mut blanked: HashSet<usize> = HashSet::new();
    for _ in 0..MAX_RECOVERIES {
        let mut builder = Builder::new(file, &remaining);
        let outcome = builder.run();
        let Err(error) = outcome else {
            complaints.append(&mut builder.complaints);
            return Document { root: builder.finish(), complaints };
        };
        complaints.push(error.complaint.clone());
        let block = block_around(&remaining, error.complaint.span.start as usize);
        let fresh = block.clone().is_some_and(|range| blanked.insert(range.start));
        match block {
            Some(range) if error.recoverable && fresh => remaining = Cow::Owned(blank(&remaining, range)),
            _ => {
                complaints.append(&mut builder.complaints);
                return Document { root: builder.finish(), complaints };
            }
        }
    }
    let mut builder = Builder::new(file, &remaining);
    // The last complaint already tells where reading ended.
    let _ = builder.run();
    Document { root: builder.finish(), complaints }
}

/// Reads JSON with the exact parser, and what that refuses as YAML.
pub(super) fn json(file: FileId, text: &str) -> Document {
    let body = text.trim_start_matches('\u{feff}');
    let shift = text.len() - body.len();
    match jsonc_parser::parse_to_ast(body, &Default::default(), &Default::default()) {
        Ok(parsed) => {
            let mut complaints = Vec::new();
            let root = match parsed.value {
                Some(value) => from_json(file, shift, &value, 0, &mut complaints),
                None => Node::null(Span::new(file, 0, 0)),
            };
            Document { root, complaints }
        }
        Err(error) => {
            // The parser counts a character of several bytes as one where it says how far its mistake reaches.
            let range = body.floor_char_boundary(error.range().start)..body.ceil_char_boundary(error.range().end);
            let complaint = Complaint {
                span: Span::new(file, range.start + shift, range.end + shift),
                message: format!("not valid JSON: {}", lower_first(&error.kind().to_string())),
                help: Some("what stands before this place was read; mend it to have the rest read".into()),
            };
            let mut complaints = vec![complaint];
            let repaired = close_brackets(body.get(..range.start).unwrap_or(""));
            let root = jsonc_parser::parse_to_ast(&repaired, &Default::default(), &Default::default())
                .ok()
                .and_then(|parsed| Some(from_json(file, shift, &parsed.value?, 0, &mut complaints)));
            Document { root: root.unwrap_or_else(|| Node::null(Span::new(file, 0, 0))), complaints }
        }
    }
}

/// The text up to its last whole member, with every bracket that is then still open closed.
fn close_brackets(text: &str) -> String {
    let (mut open, mut in_string, mut escaped) = (Vec::new(), false, false);
    let mut cut = (0, Vec::new());
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' if open.len() > MAX_DEPTH => break,
            b'{' | b'[' => {
                open.push(if byte == b'{' { '}' } else { ']' });
                cut = (at + 1, open.clone());
            }
            b'}' | b']' => {
                open.pop();
                cut = (at + 1, open.clone());
            }
            b',' => cut = (at, open.clone()),
            _ => {}
        }
    }
    let (at, closers) = cut;
    let mut out = text.get(..at).unwrap_or("").to_string();
    out.extend(closers.iter().rev());
    out
}

fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}

fn from_json(file: FileId, shift: usize, value: &Value<'_>, depth: usize, complaints: &mut Vec<Complaint>) -> Node {
    let range = value.range();
    let span = Span::new(file, range.start + shift, range.end + shift);
    if depth > MAX_DEPTH {
        if complaints.last().is_none_or(|last| last.message != too_deep()) {
            complaints.push(Complaint { span, message: too_deep(), help: None });
        }
        return Node::null(span);
    }
    let scalar = |text: &str, plain| NodeKind::Scalar { text: text.to_string(), plain };
    let kind = match value {
        Value::StringLit(literal) => scalar(&literal.value, false),
        Value::NumberLit(literal) => scalar(literal.value, true),
        Value::BooleanLit(literal) => scalar(if literal.value { "true" } else { "false" }, true),
        Value::NullKeyword(_) => scalar("null", true),
        Value::Array(array) => NodeKind::Sequence(
            array.elements.iter().map(|element| from_json(file, shift, element, depth + 1, complaints)).collect(),
        ),
        Value::Object(object) => {
            let mut entries: Vec<Entry> = Vec::with_capacity(object.properties.len());
            let mut seen = HashSet::new();
            for property in &object.properties {
                let range = property.name.range();
                let key_span = Span::new(file, range.start + shift, range.end + shift);
                let key = property.name.as_str().to_string();
                if !seen.insert(key.clone()) {
                    complaints.push(duplicate(&key, key_span));
                    continue;
                }
                let value = from_json(file, shift, &property.value, depth + 1, complaints);
                entries.push(Entry { key, key_span, value });
            }
            NodeKind::Mapping(entries)
        }
    };
    Node { span, tag: None, kind }
}

fn too_deep() -> String {
    format!("nested more than {MAX_DEPTH} levels deep")
}

fn duplicate(key: &str, span: Span) -> Complaint {
    Complaint {
        span,
        message: format!("duplicate key `{key}`"),
        help: Some("the first one counts here; remove or rename the other".into()),
    }
}

/// The block of lines to leave out for an error at `offset`: the nearest entry above it that is indented by the least
/// amount in use, or the line itself at the top level.
fn block_around(text: &str, offset: usize) -> Option<std::ops::Range<usize>> {
    let lines: Vec<(usize, &str)> = text
        .split_inclusive('\n')
        .scan(0, |at, line| {
            let start = *at;
            *at += line.len();
            Some((start, line))
        })
        .collect();
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let content = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let mut at = lines.partition_point(|(start, _)| *start <= offset).checked_sub(1)?;
    while at > 0 && !content(lines[at].1) {
        at -= 1;
    }
    // The block is closed by the next top-level key, so the least indentation is looked for inside one section only.
    let section = (0..=at).rev().find(|index| content(lines[*index].1) && indent(lines[*index].1) == 0).unwrap_or(0);
    let entry_indent = lines[section + 1..=at.max(section)]
        .iter()
        .filter(|(_, line)| content(line))
        .map(|(_, line)| indent(line))
        .min();
    let first = match entry_indent {
        Some(least) => {
            (section + 1..=at).rev().find(|index| content(lines[*index].1) && indent(lines[*index].1) <= least)?
        }
        None => section,
    };
    let least = indent(lines[first].1);
    let last = (first + 1..lines.len())
        .find(|index| content(lines[*index].1) && indent(lines[*index].1) <= least)
        .unwrap_or(lines.len());
    let end = lines.get(last).map_or(text.len(), |(start, _)| *start);
    let start = lines[first].0;
    (start < end).then_some(start..end)
}

/// The same text with a range turned to white space, so that all other offsets stay.
fn blank(text: &str, range: std::ops::Range<usize>) -> String {
    let mut out = String::with_capacity(text.len());
    out.push_str(&text[..range.start]);
    // Byte for byte: a multi-byte character becomes as many spaces as it had bytes.
    out.extend(text[range.clone()].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
    out.push_str(&text[range.end..]);
    out
}

struct Failure {
    complaint: Complaint,
    recoverable: bool,
}

enum Open {
    Sequence {
        items: Vec<Node>,
        start: usize,
        end: usize,
        tag: Option<String>,
        anchor: usize,
    },
    Mapping {
        entries: Vec<Entry>,
        key: Option<(String, Span)>,
        seen: HashSet<String>,
        merges: Vec<Node>,
        start: usize,
        end: usize,
        tag: Option<String>,
        anchor: usize,
    },
}

struct Builder<'text> {
    file: FileId,
    text: &'text str,
    /// Byte offset of each character, empty for ASCII where both are the same.
    offsets: Vec<u32>,
    stack: Vec<Open>,
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
    /// How many of them stand where an alias does.
    aliased: usize,
    root: Option<Node>,
    complaints: Vec<Complaint>,
}

impl<'text> Builder<'text> {
    fn new(file: FileId, text: &'text str) -> Self {
        let offsets = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices()
                .map(|(at, _)| at)
                .chain([text.len()])
                .map(|at| u32::try_from(at).unwrap_or(u32::MAX))
                .collect()
        };
        Self {
            file,
            text,
            offsets,
            stack: Vec::new(),
            anchors: HashMap::new(),
            nodes: 0,
            aliased: 0,
            root: None,
            complaints: Vec::new(),
        }
    }

    fn byte(&self, character: usize) -> usize {
        if self.offsets.is_empty() {
            character.min(self.text.len())
        } else {
            self.offsets.get(character).map_or(self.text.len(), |at| *at as usize)
        }
    }

    fn run(&mut self) -> Result<(), Failure> {
        let mut parser = Parser::new_from_str(self.text);
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| {
                let at = self.byte(error.marker().index());
                Failure {
                    complaint: Complaint {
                        span: Span::new(self.file, at, at),
                        message: format!("not valid YAML: {}", error.info()),
                        help: Some("the block around this place was left out; the rest was read".into()),
                    },
                    recoverable: true,
                }
            })?;
            let (start, end) = (self.byte(span.start.index()), self.byte(span.end.index()));
            match event {
                Event::Scalar(text, style, anchor, tag) => {
                    let plain = style == ScalarStyle::Plain;
                    let (tag, core_string) = local_tag(tag);
                    let kind = NodeKind::Scalar { text: text.into_owned(), plain: plain && !core_string };
                    // Block scalars end where the next line begins; their span should not run into it.
                    let end = start + self.text.get(start..end).map_or(0, |slice| slice.trim_end().len());
                    self.place(Node { span: Span::new(self.file, start, end), tag, kind }, anchor, 1)?;
                }
                Event::Alias(id) => match self.anchors.get(&id) {
                    Some((_, weight)) if self.aliased + weight > MAX_ALIASED || self.nodes + weight > MAX_NODES => {
                        let span = Span::new(self.file, start, end);
                        if self.complaints.iter().all(|complaint| !complaint.message.contains("alias")) {
                            self.complaints.push(Complaint {
                                span,
                                message: format!("aliases expand to more than {MAX_ALIASED} nodes"),
                                help: Some("this alias and those after it are read as null".into()),
                            });
                        }
                        self.place(Node::null(span), 0, 1)?;
                    }
                    Some((node, weight)) => {
                        let (node, weight) = (node.clone(), *weight);
                        self.aliased += weight;
                        self.place(node, 0, weight)?;
                    }
                    None => self.place(Node::null(Span::new(self.file, start, end)), 0, 1)?,
                },
                Event::SequenceStart(anchor, tag) => {
                    self.deeper(start)?;
                    let tag = local_tag(tag).0;
                    self.stack.push(Open::Sequence { items: Vec::new(), start, end, tag, anchor });
                }
                Event::MappingStart(anchor, tag) => {
                    self.deeper(start)?;
                    let tag = local_tag(tag).0;
                    self.stack.push(Open::Mapping {
                        entries: Vec::new(),
                        key: None,
                        seen: HashSet::new(),
                        merges: Vec::new(),
                        start,
                        end,
                        tag,
                        anchor,
                    });
                }
                Event::SequenceEnd | Event::MappingEnd => self.close()?,
                Event::DocumentEnd => break,
                Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) => {}
            }
        }
        Ok(())
    }

    fn deeper(&self, start: usize) -> Result<(), Failure> {
        if self.stack.len() < MAX_DEPTH {
            return Ok(());
        }
        let complaint = Complaint { span: Span::new(self.file, start, start), message: too_deep(), help: None };
        Err(Failure { complaint, recoverable: false })
    }

    /// Closes the innermost collection.
    fn close(&mut self) -> Result<(), Failure> {
        let Some(open) = self.stack.pop() else { return Ok(()) };
        let (kind, start, content_end, tag, anchor) = match open {
            Open::Sequence { items, start, end, tag, anchor } => (NodeKind::Sequence(items), start, end, tag, anchor),
            Open::Mapping { mut entries, key, mut seen, merges, start, end, tag, anchor } => {
                if let Some((key, key_span)) = key {
                    entries.push(Entry { key, key_span, value: Node::null(key_span) });
                }
                for merge in merges.iter().flat_map(Node::one_or_many) {
                    for entry in merge.entries() {
                        if seen.insert(entry.key.clone()) {
                            entries.push(entry.clone());
                        }
                    }
                }
                (NodeKind::Mapping(entries), start, end, tag, anchor)
            }
        };
        let start = self.trim_start(start);
        let span = Span::new(self.file, start, self.closing(start, content_end).unwrap_or(content_end).max(start));
        let weight = 1;
        self.place(Node { span, tag, kind }, anchor, weight)
    }

    /// The end of a flow collection, its bracket included; none for block collections.
    fn closing(&self, start: usize, content_end: usize) -> Option<usize> {
        let bracket = match self.text.as_bytes().get(start)? {
            b'{' => '}',
            b'[' => ']',
            _ => return None,
        };
        let inside = content_end.max(start + 1);
        let rest = self.text.get(inside..)?;
        let after = rest.trim_start_matches([',', ' ', '\t', '\r', '\n']);
        after.starts_with(bracket).then(|| inside + (rest.len() - after.len()) + 1)
    }

    fn trim_start(&self, start: usize) -> usize {
        let rest = self.text.get(start..).unwrap_or("");
        start + (rest.len() - rest.trim_start().len())
    }

    fn place(&mut self, node: Node, anchor: usize, weight: usize) -> Result<(), Failure> {
        self.nodes += weight;
        if self.nodes > MAX_NODES {
            let complaint = Complaint {
                span: node.span,
                message: format!("the document has more than {MAX_NODES} nodes"),
                help: Some("what follows this place was not read".into()),
            };
            return Err(Failure { complaint, recoverable: false });
        }
        if anchor != 0 {
            let count = node.count();
            self.anchors.insert(anchor, (node.clone(), count));
        }
        let reach = node.span.end as usize;
        let file = node.span.file;
        match self.stack.last_mut() {
            None => self.root = Some(node),
            Some(Open::Sequence { items, end, .. }) => {
                *end = (*end).max(reach);
                items.push(node);
            }
            Some(Open::Mapping { entries, key, seen, merges, end, .. }) => {
                *end = (*end).max(reach);
                match key.take() {
                    None => {
                        let text = match node.kind {
                            NodeKind::Scalar { text, .. } => text,
                            // A collection as a key has no meaning in any format read here; its place is kept.
                            _ => self.text.get(node.span.range()).unwrap_or("").to_string(),
                        };
                        *key = Some((text, node.span));
                    }
                    Some((name, _)) if name == "<<" => merges.push(node),
                    Some((name, key_span)) => {
                        if seen.insert(name.clone()) {
                            entries.push(Entry { key: name, key_span, value: node });
                        } else {
                            self.complaints.push(duplicate(&name, Span { file, ..key_span }));
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Closes whatever an error left open, and gives the root.
    fn finish(mut self) -> Node {
        while !self.stack.is_empty() {
            if self.close().is_err() {
                break;
            }
        }
        self.root.take().unwrap_or_else(|| Node::null(Span::new(self.file, 0, 0)))
    }
}

/// A local tag without its `!`, and whether the core schema's `!!str` forces text.
fn local_tag(tag: Option<Cow<'_, Tag>>) -> (Option<String>, bool) {
    match tag {
        Some(tag) if tag.is_yaml_core_schema() => (None, tag.suffix == "str"),
        Some(tag) if tag.suffix.is_empty() => (None, true),
        Some(tag) => (Some(tag.suffix.clone()), false),
        None => (None, false),
    }
}
