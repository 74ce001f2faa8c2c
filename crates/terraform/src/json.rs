//! Configuration written as JSON (`.tf.json`, `.tfvars.json`), brought into the same tree as HCL.

use crate::parse::parse_template;
use crate::syntax::{Attribute, Block, Body, Expr, ExprKind};
use source::{Complaint, Document, Entry, FileId, Node, NodeKind, Span};

/// Reads `.tf.json`.
pub(crate) fn read(file: FileId, text: &str) -> (Body, Vec<Complaint>) {
    let document = Document::json(file, text);
    let mut body = Body::default();
    for entry in document.root.entries() {
        let labels = match entry.key.as_str() {
            "resource" | "data" => 2,
            "module" | "variable" | "output" | "provider" => 1,
            "locals" | "terraform" => 0,
            _ => continue,
        };
        blocks(file, &entry.key, entry, labels, Vec::new(), &mut body.blocks);
    }
    (body, document.complaints)
}

/// Reads `.tfvars.json`.
pub(crate) fn values(file: FileId, text: &str) -> (Body, Vec<Complaint>) {
    let document = Document::json(file, text);
    let body = Body { attributes: attributes(file, &document.root, true), blocks: Vec::new() };
    (body, document.complaints)
}

/// Unfolds the labels, which are nested objects here.
fn blocks(file: FileId, kind: &str, entry: &Entry, labels: usize, known: Vec<String>, out: &mut Vec<Block>) {
    for node in entry.value.one_or_many() {
        if known.len() < labels {
            for inner in node.entries() {
                let mut known = known.clone();
                known.push(inner.key.clone());
                blocks(file, kind, inner, labels, known, out);
            }
            continue;
        }
        // References inside a variable's type or default are none.
        let plain = kind == "variable";
        let mut body = Body { attributes: attributes(file, node, plain), blocks: Vec::new() };
        // Blocks that have a meaning of their own; all others may as well be lists of objects.
        if let Some(dynamic) = node.entry("dynamic") {
            body.attributes.retain(|attribute| attribute.name != "dynamic");
            blocks(file, "dynamic", dynamic, 1, Vec::new(), &mut body.blocks);
            for (block, inner) in body.blocks.iter_mut().zip(dynamic.value.entries()) {
                if let Some(content) = inner.value.one_or_many().first().and_then(|node| node.entry("content")) {
                    blocks(file, "content", content, 0, Vec::new(), &mut block.body.blocks);
                }
            }
        }
        out.push(Block {
            kind: kind.to_string(),
            labels: known.clone(),
            head: entry.key_span,
            span: entry.key_span.to(node.span),
            body,
        });
    }
}

fn attributes(file: FileId, node: &Node, plain: bool) -> Vec<Attribute> {
    let entries = node.entries().iter().filter(|entry| entry.key != "//");
    entries
        .map(|entry| Attribute {
            name: entry.key.clone(),
            name_span: entry.key_span,
            value: expression(file, &entry.value, plain),
        })
        .collect()
}

fn expression(file: FileId, node: &Node, plain: bool) -> Expr {
    let span = node.span;
    let kind = match &node.kind {
        NodeKind::Sequence(items) => ExprKind::List(items.iter().map(|item| expression(file, item, plain)).collect()),
        NodeKind::Mapping(entries) => ExprKind::Object(
            entries
                .iter()
                .map(|entry| (text(&entry.key, entry.key_span), expression(file, &entry.value, plain)))
                .collect(),
        ),
        NodeKind::Scalar { text: written, plain: false }
            if !plain && (written.contains("${") || written.contains("%{")) =>
        {
            match parse_template(file, written) {
                Ok(mut pieces) => {
                    place(&mut pieces, span);
                    ExprKind::Template(pieces)
                }
                Err(_) => return text(written, span),
            }
        }
        NodeKind::Scalar { text: written, plain: false } => return text(written, span),
        NodeKind::Scalar { text: written, .. } => match written.as_str() {
            "true" => ExprKind::Bool(true),
            "false" => ExprKind::Bool(false),
            "null" | "" => ExprKind::Null,
            number => match number.parse() {
                Ok(number) => ExprKind::Number(number),
                Err(_) => return text(written, span),
            },
        },
    };
    Expr { span, kind }
}

/// Expressions inside a JSON string have the string's place.
fn place(pieces: &mut [crate::syntax::Piece], span: Span) {
    use crate::syntax::Piece;
    for piece in pieces {
        match piece {
            Piece::Text(_, at) => *at = span,
            Piece::Value(expr) => expr.span = span,
            Piece::If(parts) => {
                let (_, then, otherwise) = parts.as_mut();
                place(then, span);
                place(otherwise, span);
            }
            Piece::For(parts) => place(&mut parts.3, span),
        }
    }
}

fn text(text: &str, span: Span) -> Expr {
    Expr { span, kind: ExprKind::Template(vec![crate::syntax::Piece::Text(text.to_string(), span)]) }
}
