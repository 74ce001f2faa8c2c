//! One spelling for everything: short intrinsics (`!GetAtt A.B`) become long ones (`{"Fn::GetAtt": ["A", "B"]}`), so that
//! the rest of the crate knows only those. What they mean is `evaluate`'s business.

use crate::READER;
use findings::{Diagnostic, Level, near_miss};
use source::{Entry, Node, NodeKind, Span};

/// The intrinsic functions by the name they have after `Fn::`.
const FUNCTIONS: [&str; 20] = [
    "And",
    "Base64",
    "Cidr",
    "Contains",
    "EachMemberEquals",
    "EachMemberIn",
    "Equals",
    "FindInMap",
    "GetAZs",
    "GetAtt",
    "If",
    "ImportValue",
    "Join",
    "Length",
    "Not",
    "Or",
    "Select",
    "Split",
    "Sub",
    "ToJsonString",
];

/// Functions that exist, but rarely: rules only, or macros.
const RARE: [&str; 5] = ["Transform", "RefAll", "ValueOf", "ValueOfAll", "GetStackOutput"];

/// The tree with every tag turned into its long form.
pub(crate) fn normalize(node: Node, diagnostics: &mut Vec<Diagnostic>) -> Node {
    let Node { span, tag, kind } = node;
    let kind = match kind {
        NodeKind::Sequence(items) => {
            NodeKind::Sequence(items.into_iter().map(|item| normalize(item, diagnostics)).collect())
        }
        NodeKind::Mapping(entries) => NodeKind::Mapping(
            entries
                .into_iter()
                .map(|entry| {
                    let value = normalize(entry.value, diagnostics);
                    let value = if entry.key == "Fn::GetAtt" { attribute_list(value) } else { value };
                    Entry { key: entry.key, key_span: entry.key_span, value }
                })
                .collect(),
        ),
        scalar => scalar,
    };
    let inner = Node { span, tag: None, kind };
    let Some(tag) = tag else { return inner };
    let name = tag.strip_prefix("Fn::").unwrap_or(&tag);
    let key = match name {
        "Ref" | "Condition" => name.to_string(),
        name => {
            if !FUNCTIONS.contains(&name) && !RARE.contains(&name) {
                let mut diagnostic =
                    Diagnostic::at(Level::Warning, READER, span, format!("unknown intrinsic function `!{name}`"));
                if let Some(near) = near_miss(name, FUNCTIONS.into_iter().chain(["Ref", "Condition"])) {
                    diagnostic = diagnostic.help(format!("did you mean `!{near}`?"));
                }
                diagnostics.push(diagnostic);
            }
            format!("Fn::{name}")
        }
    };
    let inner = if key == "Fn::GetAtt" { attribute_list(inner) } else { inner };
    Node { span, tag: None, kind: NodeKind::Mapping(vec![Entry { key, key_span: span, value: inner }]) }
}

/// `A.B.C` as `[A, B.C]`, each with its own place.
fn attribute_list(node: Node) -> Node {
    let NodeKind::Scalar { text, plain } = &node.kind else { return node };
    let Some((name, attribute)) = text.split_once('.') else { return node };
    let (start, end) = (node.span.start as usize, node.span.end as usize);
    let quote = usize::from(!plain);
    let place = |from: usize, to: usize| Span::new(node.span.file, from.clamp(start, end), to.clamp(start, end));
    let attribute_start = end.saturating_sub(attribute.len() + quote);
    let name_start = attribute_start.saturating_sub(1 + name.len());
    let scalar =
        |text: &str, span| Node { span, tag: None, kind: NodeKind::Scalar { text: text.to_string(), plain: false } };
    let items = vec![
        scalar(name, place(name_start, attribute_start.saturating_sub(1))),
        scalar(attribute, place(attribute_start, end.saturating_sub(quote))),
    ];
    Node { span: node.span, tag: None, kind: NodeKind::Sequence(items) }
}

/// The intrinsic that a normalized node is: its name (`Ref`, `Condition`, `Fn::…`) and argument.
pub(crate) fn intrinsic(node: &Node) -> Option<(&str, &Node)> {
    match node.entries() {
        [entry] if entry.key == "Ref" || entry.key == "Condition" || entry.key.starts_with("Fn::") => {
            Some((entry.key.as_str(), &entry.value))
        }
        _ => None,
    }
}

/// A text scalar that stands at `span`.
pub(crate) fn text_node(text: impl Into<String>, span: Span) -> Node {
    Node { span, tag: None, kind: NodeKind::Scalar { text: text.into(), plain: false } }
}

/// A JSON value as a tree whose nodes all stand at `span`.
pub(crate) fn json_node(value: &serde_json::Value, span: Span) -> Node {
    use serde_json::Value;
    let scalar = |text: String, plain| NodeKind::Scalar { text, plain };
    let kind = match value {
        Value::Null => scalar("null".into(), true),
        Value::Bool(flag) => scalar(flag.to_string(), true),
        Value::Number(number) => scalar(number.to_string(), true),
        Value::String(text) => scalar(text.clone(), false),
        Value::Array(items) => NodeKind::Sequence(items.iter().map(|item| json_node(item, span)).collect()),
        Value::Object(members) => NodeKind::Mapping(
            members
                .iter()
                .map(|(key, value)| Entry { key: key.clone(), key_span: span, value: json_node(value, span) })
                .collect(),
        ),
    };
    Node { span, tag: None, kind }
}
