//! What an expression amounts to before deployment: values whose text may have holes, each with its place.

use graph::Part;
use source::{Document, FileId, Node, NodeKind, Span};
use std::rc::Rc;

/// The longest text that is put together, in bytes.
pub(crate) const MAX_TEXT: usize = 2 << 20;

/// A value with its place.
#[derive(Debug, Clone)]
pub(crate) struct Datum {
    pub(crate) span: Span,
    pub(crate) kind: Kind,
}

/// What a [`Datum`] is.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Number(f64),
    Text(Vec<Chunk>),
    List(Vec<Datum>),
    Object(Vec<Field>),
    /// Text that is the JSON of something.
    Json(Box<Datum>),
    /// A resource or data source, one instance of it.
    Resource(Rc<Reference>),
    /// What can't be told, and why.
    Unknown(String),
}

/// One attribute of an object.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) key: String,
    pub(crate) key_span: Span,
    pub(crate) value: Datum,
}

/// A piece of text.
#[derive(Debug, Clone)]
pub(crate) enum Chunk {
    /// Known text, and where its first byte stands.
    Known(String, Span),
    /// What only deployment knows.
    Hole(Part, Span),
}

/// One instance of a resource or data source.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Reference {
    pub(crate) module: usize,
    pub(crate) data: bool,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) key: Option<Key>,
}

/// What tells instances apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Number(usize),
    Text(String),
}

impl std::fmt::Display for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(formatter, "[{number}]"),
            Self::Text(text) => write!(formatter, "[\"{text}\"]"),
        }
    }
}

impl Datum {
    pub(crate) fn new(span: Span, kind: Kind) -> Self {
        Self { span, kind }
    }

    pub(crate) fn null(span: Span) -> Self {
        Self::new(span, Kind::Null)
    }

    pub(crate) fn text(span: Span, text: impl Into<String>) -> Self {
        Self::new(span, Kind::Text(vec![Chunk::Known(text.into(), span)]))
    }

    pub(crate) fn hole(span: Span, part: Part) -> Self {
        Self::new(span, Kind::Text(vec![Chunk::Hole(part, span)]))
    }

    pub(crate) fn unknown(span: Span, why: impl Into<String>) -> Self {
        Self::new(span, Kind::Unknown(why.into()))
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null)
    }

    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self.kind, Kind::Unknown(_))
    }

    /// The field of an object; the one object of a list stands for itself, as a block does that may be repeated.
    pub(crate) fn get(&self, key: &str) -> Option<&Datum> {
        self.field(key).map(|field| &field.value)
    }

    pub(crate) fn field(&self, key: &str) -> Option<&Field> {
        self.fields().iter().find(|field| field.key == key && !field.value.is_null())
    }

    /// The value at the end of a dotted path.
    pub(crate) fn at(&self, path: &str) -> Option<&Datum> {
        path.split('.').try_fold(self, |datum, key| datum.get(key))
    }

    /// The fields of an object, or of the one object in a list.
    pub(crate) fn fields(&self) -> &[Field] {
        match &self.kind {
            Kind::Object(fields) => fields,
            Kind::List(items) => match items.as_slice() {
                [one] if matches!(one.kind, Kind::Object(_)) => one.fields(),
                _ => &[],
            },
            _ => &[],
        }
    }

    /// The items of a list; a value by itself is a list of one, null none.
    pub(crate) fn items(&self) -> &[Datum] {
        match &self.kind {
            Kind::List(items) => items,
            Kind::Null => &[],
            _ => std::slice::from_ref(self),
        }
    }

    /// The whole text, where all of it is known.
    pub(crate) fn as_text(&self) -> Option<String> {
        match &self.kind {
            Kind::Text(chunks) => {
                let mut text = String::new();
                for chunk in chunks {
                    match chunk {
                        Chunk::Known(known, _) => text.push_str(known),
                        Chunk::Hole(..) => return None,
                    }
                }
                Some(text)
            }
            Kind::Bool(_) | Kind::Number(_) => Some(self.scalar()),
            Kind::Json(_) => {
                let chunks = self.chunks();
                Datum::new(self.span, Kind::Text(chunks)).as_text()
            }
            _ => None,
        }
    }

    pub(crate) fn as_bool(&self) -> Option<bool> {
        match &self.kind {
            Kind::Bool(flag) => Some(*flag),
            Kind::Text(_) => match self.as_text()?.as_str() {
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    pub(crate) fn as_number(&self) -> Option<f64> {
        match &self.kind {
            Kind::Number(number) => Some(*number),
            Kind::Text(_) => self.as_text()?.trim().parse().ok().filter(|number: &f64| number.is_finite()),
            _ => None,
        }
    }

    /// A whole number that can stand for a position or count.
    pub(crate) fn as_index(&self) -> Option<usize> {
        let number = self.as_number()?;
        ((0.0..=1e9).contains(&number) && number.fract() == 0.0).then_some(number as usize)
    }

    fn scalar(&self) -> String {
        match &self.kind {
            Kind::Bool(flag) => flag.to_string(),
            Kind::Number(number) => number_text(*number),
            _ => String::new(),
        }
    }

    /// Its text in pieces; what has no text is a hole.
    pub(crate) fn chunks(&self) -> Vec<Chunk> {
        match &self.kind {
            Kind::Null => Vec::new(),
            Kind::Bool(_) | Kind::Number(_) => vec![Chunk::Known(self.scalar(), self.span)],
            Kind::Text(chunks) => chunks.clone(),
            Kind::Json(inner) => {
                let mut writer = Writer::default();
                writer.json(inner, 0);
                writer.chunks
            }
            Kind::List(_) | Kind::Object(_) => vec![Chunk::Hole(Part::Unknown("a collection".into()), self.span)],
            Kind::Resource(reference) => {
                vec![Chunk::Hole(Part::Unknown(format!("{}.{}", reference.kind, reference.name)), self.span)]
            }
            Kind::Unknown(why) => vec![Chunk::Hole(Part::Unknown(why.clone()), self.span)],
        }
    }

    /// The first resource that any part of its text names.
    pub(crate) fn names(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(chunks) => chunks.iter().find_map(|chunk| match chunk {
                Chunk::Hole(Part::Ref(name) | Part::Attribute(name, _), _) => Some(name.as_str()),
                _ => None,
            }),
            _ => None,
        }
    }

    /// How people would see it; equal for equal values.
    pub(crate) fn shown(&self) -> String {
        let mut value = graph::Value::default();
        for chunk in self.chunks() {
            value.push(match chunk {
                Chunk::Known(text, _) => Part::Text(text),
                Chunk::Hole(part, _) => part,
            });
        }
        value.to_string()
    }

    /// The document in it: what was encoded, or what its text holds.
    pub(crate) fn document(&self) -> Option<Datum> {
        match &self.kind {
            Kind::Json(inner) => Some((**inner).clone()),
            Kind::Object(_) | Kind::List(_) => Some(self.clone()),
            Kind::Text(chunks) => decode(chunks, self.span),
            _ => None,
        }
    }

    /// How many values there are in it.
    pub(crate) fn weight(&self) -> usize {
        match &self.kind {
            Kind::List(items) => 1 + items.iter().map(Datum::weight).sum::<usize>(),
            Kind::Object(fields) => 1 + fields.iter().map(|field| field.value.weight()).sum::<usize>(),
            Kind::Json(inner) => 1 + inner.weight(),
            Kind::Text(chunks) => {
                chunks
                    .iter()
                    .map(|chunk| match chunk {
                        Chunk::Known(text, _) => 1 + text.len() / 64,
                        Chunk::Hole(..) => 2,
                    })
                    .sum::<usize>()
                    + 1
            }
            _ => 1,
        }
    }
}

/// A number as Terraform writes it.
pub(crate) fn number_text(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < 1e15 { format!("{}", number as i64) } else { number.to_string() }
}

/// Appends a chunk, joining known text that continues.
pub(crate) fn push(chunks: &mut Vec<Chunk>, chunk: Chunk) {
    match chunk {
        Chunk::Known(text, _) if text.is_empty() => {}
        chunk => chunks.push(chunk),
    }
}

/// Writes JSON with holes.
#[derive(Default)]
struct Writer {
    chunks: Vec<Chunk>,
}

impl Writer {
    fn put(&mut self, text: &str, span: Span) {
        // Punctuation belongs to what stands before it.
        match self.chunks.last_mut() {
            Some(Chunk::Known(known, _)) => known.push_str(text),
            _ => self.chunks.push(Chunk::Known(text.to_string(), span)),
        }
    }

    fn json(&mut self, datum: &Datum, depth: usize) {
        let span = datum.span;
        if depth > 128 {
            return self.put("null", span);
        }
        match &datum.kind {
            Kind::Null => self.put("null", span),
            Kind::Bool(_) | Kind::Number(_) => self.put(&datum.scalar(), span),
            Kind::List(items) => {
                self.put("[", span);
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        self.put(",", span);
                    }
                    self.json(item, depth + 1);
                }
                self.put("]", span);
            }
            Kind::Object(fields) => {
                self.put("{", span);
                for (at, field) in fields.iter().enumerate() {
                    let comma = if at > 0 { "," } else { "" };
                    self.put(&format!("{comma}\"{}\":", escaped(&field.key)), span);
                    self.json(&field.value, depth + 1);
                }
                self.put("}", span);
            }
            _ => {
                // A new piece, so that its place is kept.
                self.chunks.push(Chunk::Known("\"".into(), span));
                for chunk in datum.chunks() {
                    match chunk {
                        Chunk::Known(text, place) => self.chunks.push(Chunk::Known(escaped(&text), place)),
                        hole => self.chunks.push(hole),
                    }
                }
                self.put("\"", span);
            }
        }
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if u32::from(control) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out
}

/// Stand before and after the number of a hole while text with holes is read as a document.
const HOLE: (char, char) = ('\u{f8fe}', '\u{f8ff}');

/// Reads text with holes as JSON or YAML. Holes outside quotes are values of their own.
pub(crate) fn decode(chunks: &[Chunk], whole: Span) -> Option<Datum> {
    let mut flat = String::new();
    let mut places: Vec<(usize, Span)> = Vec::new();
    let mut holes: Vec<(Part, Span)> = Vec::new();
    let first = chunks.iter().find_map(|chunk| match chunk {
        Chunk::Known(text, _) => text.trim_start().chars().next(),
        Chunk::Hole(..) => None,
    });
    let json = matches!(first, Some('{' | '['));
    let mut quoted = false;
    let mut escape = false;
    for chunk in chunks {
        match chunk {
            Chunk::Known(text, span) => {
                places.push((flat.len(), *span));
                flat.push_str(text);
                for byte in text.bytes() {
                    match byte {
                        _ if escape => escape = false,
                        b'\\' if quoted => escape = true,
                        b'"' => quoted = !quoted,
                        _ => {}
                    }
                }
            }
            Chunk::Hole(part, span) => {
                places.push((flat.len(), *span));
                let mark = format!("{}{}{}", HOLE.0, holes.len(), HOLE.1);
                holes.push((part.clone(), *span));
                if json && !quoted { flat.push_str(&format!("\"{mark}\"")) } else { flat.push_str(&mark) }
            }
        }
        if flat.len() > MAX_TEXT {
            return None;
        }
    }
    let document = match json {
        true => Document::json(FileId(0), &flat),
        false => Document::yaml(FileId(0), &flat),
    };
    if !document.root.is_mapping() && !document.root.is_sequence() {
        return None;
    }
    let decoder = Decoder { places, holes, whole };
    Some(decoder.datum(&document.root, 0))
}

struct Decoder {
    places: Vec<(usize, Span)>,
    holes: Vec<(Part, Span)>,
    whole: Span,
}

impl Decoder {
    /// Where an offset of the flat text was written.
    fn place(&self, offset: usize) -> Option<(FileId, usize)> {
        let at = self.places.partition_point(|(from, _)| *from <= offset).saturating_sub(1);
        let (from, source) = self.places.get(at)?;
        let place = (source.start as usize + offset.saturating_sub(*from)).min(source.end as usize);
        Some((source.file, place))
    }

    fn span(&self, span: Span) -> Span {
        let Some((file, start)) = self.place(span.start as usize) else { return self.whole };
        match self.place((span.end as usize).saturating_sub(1)) {
            Some((last, end)) if last == file && end >= start => Span::new(file, start, end + 1),
            _ => Span::new(file, start, start),
        }
    }

    fn text(&self, text: &str, span: Span) -> Vec<Chunk> {
        let mut chunks = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(HOLE.0) {
            push(&mut chunks, Chunk::Known(rest[..at].to_string(), span));
            let after = &rest[at + HOLE.0.len_utf8()..];
            let Some(end) = after.find(HOLE.1) else { break };
            if let Some((part, place)) = after[..end].parse::<usize>().ok().and_then(|number| self.holes.get(number)) {
                chunks.push(Chunk::Hole(part.clone(), *place));
            }
            rest = &after[end + HOLE.1.len_utf8()..];
        }
        push(&mut chunks, Chunk::Known(rest.to_string(), span));
        chunks
    }

    fn datum(&self, node: &Node, depth: usize) -> Datum {
        let span = self.span(node.span);
        if depth > 128 {
            return Datum::null(span);
        }
        let kind = match &node.kind {
            NodeKind::Sequence(items) => Kind::List(items.iter().map(|item| self.datum(item, depth + 1)).collect()),
            NodeKind::Mapping(entries) => Kind::Object(
                entries
                    .iter()
                    .map(|entry| Field {
                        key: Datum::new(span, Kind::Text(self.text(&entry.key, span))).shown(),
                        key_span: self.span(entry.key_span),
                        value: self.datum(&entry.value, depth + 1),
                    })
                    .collect(),
            ),
            NodeKind::Scalar { text, .. } if text.contains(HOLE.0) => Kind::Text(self.text(text, span)),
            NodeKind::Scalar { .. } => return from_scalar(node, span),
        };
        Datum::new(span, kind)
    }
}

fn from_scalar(node: &Node, span: Span) -> Datum {
    use scalar::Scalar;
    match Scalar::of(node) {
        Scalar::Null => Datum::null(span),
        Scalar::Bool(flag) => Datum::new(span, Kind::Bool(flag)),
        Scalar::Number(number) => Datum::new(span, Kind::Number(number)),
        Scalar::Text(text) => Datum::text(span, text),
    }
}

/// What a document's scalar is.
mod scalar {
    use source::{Node, NodeKind};

    pub(super) enum Scalar {
        Null,
        Bool(bool),
        Number(f64),
        Text(String),
    }

    impl Scalar {
        pub(super) fn of(node: &Node) -> Self {
            let json = node.to_json();
            if json.is_null() {
                return Self::Null;
            }
            if let Some(flag) = json.as_bool() {
                return Self::Bool(flag);
            }
            // Beyond this a number would lose digits, as a long account or version number would.
            if let Some(number) = json.as_f64().filter(|number| number.abs() < 1e15) {
                return Self::Number(number);
            }
            match &node.kind {
                NodeKind::Scalar { text, .. } => Self::Text(text.clone()),
                _ => Self::Null,
            }
        }
    }
}

/// A document's tree, each node with the place it has there.
pub(crate) fn from_node(node: &Node, depth: usize) -> Datum {
    if depth > 128 {
        return Datum::null(node.span);
    }
    let kind = match &node.kind {
        NodeKind::Sequence(items) => Kind::List(items.iter().map(|item| from_node(item, depth + 1)).collect()),
        NodeKind::Mapping(entries) => Kind::Object(
            entries
                .iter()
                .map(|entry| Field {
                    key: entry.key.clone(),
                    key_span: entry.key_span,
                    value: from_node(&entry.value, depth + 1),
                })
                .collect(),
        ),
        NodeKind::Scalar { .. } => return from_scalar(node, node.span),
    };
    Datum::new(node.span, kind)
}
