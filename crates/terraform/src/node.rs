//! Values in the form documents have in CloudFormation: text with holes becomes `Ref`, `Fn::GetAtt` and `Fn::Join`.

use crate::datum::{Chunk, Datum, Kind};
use graph::Part;
use source::{Entry, Node, NodeKind, Span};

/// The deepest tree that is made.
const MAX_DEPTH: usize = 100;

/// A value as a node; what is JSON text stays text.
pub(crate) fn node(datum: &Datum) -> Node {
    made(datum, false, 0)
}

/// A list or object with the keys of inner blocks in CloudFormation's spelling: the items of lists of objects are blocks, and
/// one block stands for itself.
pub(crate) fn spelled(datum: &Datum) -> Node {
    made(datum, true, 0)
}

fn made(datum: &Datum, spelled: bool, depth: usize) -> Node {
    let span = datum.span;
    if depth > MAX_DEPTH {
        return Node::null(span);
    }
    match &datum.kind {
        Kind::Null => plain("null", span),
        Kind::Bool(flag) => plain(if *flag { "true" } else { "false" }, span),
        Kind::Number(number) => plain(&crate::datum::number_text(*number), span),
        Kind::List(items) => {
            let blocks = spelled && items.iter().all(|item| matches!(item.kind, Kind::Object(_)));
            let block = |item: &Datum| {
                let entries = item.fields().iter().filter(|field| !field.value.is_null()).map(|field| Entry {
                    key: crate::attributes::camel(&field.key),
                    key_span: field.key_span,
                    value: made(&field.value, true, depth + 1),
                });
                mapping(entries.collect(), item.span)
            };
            match items.as_slice() {
                [one] if blocks => block(one),
                _ if blocks => sequence(items.iter().map(block).collect(), span),
                _ => sequence(items.iter().map(|item| made(item, spelled, depth + 1)).collect(), span),
            }
        }
        Kind::Object(fields) => {
            let entries = fields.iter().filter(|field| !field.value.is_null()).map(|field| Entry {
                key: field.key.clone(),
                key_span: field.key_span,
                value: made(&field.value, spelled, depth + 1),
            });
            mapping(entries.collect(), span)
        }
        _ => text_with_holes(datum.chunks(), span),
    }
}

/// Text as a scalar, an intrinsic, or pieces that are joined.
pub(crate) fn text_with_holes(chunks: Vec<Chunk>, span: Span) -> Node {
    let mut nodes: Vec<Node> = Vec::new();
    for chunk in chunks {
        match chunk {
            Chunk::Known(text, place) => match nodes.last_mut() {
                Some(Node { kind: NodeKind::Scalar { text: known, .. }, .. }) => known.push_str(&text),
                _ => nodes.push(text_node(text, place)),
            },
            Chunk::Hole(part, place) => nodes.push(intrinsic(&part, place)),
        }
    }
    match nodes.len() {
        0 => text_node("", span),
        1 => match nodes.pop() {
            Some(node) => Node { span, ..node },
            None => text_node("", span),
        },
        _ => call("Fn::Join", sequence(vec![text_node("", span), sequence(nodes, span)], span), span),
    }
}

fn intrinsic(part: &Part, span: Span) -> Node {
    match part {
        Part::Text(text) => text_node(text, span),
        Part::Ref(name) | Part::Parameter(name) | Part::Pseudo(name) => call("Ref", text_node(name, span), span),
        Part::Attribute(name, attribute) => {
            call("Fn::GetAtt", sequence(vec![text_node(name, span), text_node(attribute, span)], span), span)
        }
        Part::Unknown(why) => call(template::UNRESOLVED, text_node(why, span), span),
    }
}

fn call(name: &str, argument: Node, span: Span) -> Node {
    mapping(vec![Entry { key: name.to_string(), key_span: span, value: argument }], span)
}

pub(crate) fn mapping(entries: Vec<Entry>, span: Span) -> Node {
    Node { span, tag: None, kind: NodeKind::Mapping(entries) }
}

pub(crate) fn sequence(items: Vec<Node>, span: Span) -> Node {
    Node { span, tag: None, kind: NodeKind::Sequence(items) }
}

pub(crate) fn text_node(text: impl Into<String>, span: Span) -> Node {
    Node { span, tag: None, kind: NodeKind::Scalar { text: text.into(), plain: false } }
}

pub(crate) fn plain(text: &str, span: Span) -> Node {
    Node { span, tag: None, kind: NodeKind::Scalar { text: text.to_string(), plain: true } }
}

/// Puts a value at the end of a path of keys, making the objects on the way.
pub(crate) fn put(entries: &mut Vec<Entry>, path: &str, key_span: Span, value: Node) {
    let (first, rest) = match path.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (path, None),
    };
    let at = match entries.iter().position(|entry| entry.key == first) {
        Some(at) => at,
        None => {
            let value = mapping(Vec::new(), value.span);
            entries.push(Entry { key: first.to_string(), key_span, value });
            entries.len() - 1
        }
    };
    let Some(entry) = entries.get_mut(at) else { return };
    match (rest, &mut entry.value.kind) {
        (Some(rest), NodeKind::Mapping(inner)) => put(inner, rest, key_span, value),
        (Some(_), _) => {}
        (None, _) => {
            entry.key_span = key_span;
            entry.value = value;
        }
    }
}

/// Adds an item to the list under a key.
pub(crate) fn append(entries: &mut Vec<Entry>, key: &str, key_span: Span, item: Node) {
    match entries.iter_mut().find(|entry| entry.key == key) {
        Some(Entry { value: Node { kind: NodeKind::Sequence(items), .. }, .. }) => items.push(item),
        Some(entry) => {
            let first = std::mem::replace(&mut entry.value, Node::null(key_span));
            entry.value = sequence(vec![first, item], key_span);
        }
        None => {
            let span = item.span;
            entries.push(Entry { key: key.to_string(), key_span, value: sequence(vec![item], span) });
        }
    }
}
