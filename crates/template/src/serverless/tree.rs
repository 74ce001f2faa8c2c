//! Trees made from pieces of a service: what the framework would have written into its template.

use crate::normalize::text_node;
use source::{Entry, Node, NodeKind, Span};
use std::collections::HashMap;

/// An object that stands at `span`.
pub(super) fn object(span: Span, entries: Vec<(&str, Node)>) -> Node {
    let entries =
        entries.into_iter().map(|(key, value)| Entry { key: key.to_string(), key_span: value.span, value }).collect();
    Node { span, tag: None, kind: NodeKind::Mapping(entries) }
}

/// A list that stands at `span`.
pub(super) fn list(span: Span, items: Vec<Node>) -> Node {
    Node { span, tag: None, kind: NodeKind::Sequence(items) }
}

/// `{"Ref": name}`.
pub(super) fn reference(name: &str, span: Span) -> Node {
    object(span, vec![("Ref", text_node(name, span))])
}

/// `{"Fn::GetAtt": [name, attribute]}`.
pub(super) fn attribute(name: &str, attribute: &str, span: Span) -> Node {
    object(span, vec![("Fn::GetAtt", list(span, vec![text_node(name, span), text_node(attribute, span)]))])
}

/// `{"Fn::Sub": text}`.
pub(super) fn substitution(text: &str, span: Span) -> Node {
    object(span, vec![("Fn::Sub", text_node(text, span))])
}

/// Adds a property under the key it was written with, so that it can be pointed at.
pub(super) fn put(entries: &mut Vec<Entry>, key: &str, written: &Entry, value: Node) {
    entries.push(Entry { key: key.to_string(), key_span: written.key_span, value });
}

/// An object of entries.
pub(super) fn object_of(span: Span, entries: Vec<Entry>) -> Node {
    Node { span, tag: None, kind: NodeKind::Mapping(entries) }
}

/// Adds what another object says to an object; what both say is merged, and the other one wins.
pub(super) fn merge(into: &mut Vec<Entry>, other: &[Entry], depth: usize) {
    let mut index: HashMap<String, usize> =
        into.iter().enumerate().map(|(at, entry)| (entry.key.clone(), at)).collect();
    for entry in other {
        match index.get(&entry.key).and_then(|at| into.get_mut(*at)) {
            Some(known) => match (&mut known.value.kind, &entry.value.kind) {
                (NodeKind::Mapping(own), NodeKind::Mapping(more)) if depth < 64 => {
                    let intrinsic = |entries: &[Entry]| {
                        entries.iter().any(|entry| entry.key == "Ref" || entry.key.starts_with("Fn::"))
                    };
                    if intrinsic(own) || intrinsic(more) {
                        *known = entry.clone();
                    } else {
                        merge(own, more, depth + 1);
                    }
                }
                _ => *known = entry.clone(),
            },
            None => {
                index.insert(entry.key.clone(), into.len());
                into.push(entry.clone());
            }
        }
    }
}
