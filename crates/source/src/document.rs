//! YAML and JSON documents as one tree, every node with its span, built within limits.
//!
//! A document that is broken in places still gives a tree: the block around each error is left out, the rest is read, and
//! the [`Complaint`]s say what was passed over. What tags such as `!Ref` mean is left to the caller.

mod build;

use crate::{FileId, Span};

/// The most nodes one document may have once its aliases are expanded.
pub const MAX_NODES: usize = 1_000_000;
/// The most nodes that the aliases of one document may stand for, altogether.
pub const MAX_ALIASED: usize = 100_000;
/// The deepest nesting that is read.
pub const MAX_DEPTH: usize = 128;
/// How many broken blocks are left out before the rest of the document is given up.
pub const MAX_RECOVERIES: usize = 16;

/// One document, possibly incomplete, with what is to be said about it.
#[derive(Debug, Clone)]
pub struct Document {
    /// The root; a null node where nothing could be read.
    pub root: Node,
    /// What was wrong, in the order it was met.
    pub complaints: Vec<Complaint>,
}

/// Something in a document's text that could not be read as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// Where.
    pub span: Span,
    /// What is wrong, one lower-case sentence without a final stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// A value of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it stands. An alias's nodes stand where the anchor is.
    pub span: Span,
    /// A local tag without its `!` (`Ref`, `GetAtt`), if the node has one.
    pub tag: Option<String>,
    /// What it holds.
    pub kind: NodeKind,
}

/// What a [`Node`] holds.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeKind {
    /// A scalar as it was written; `plain` when it was not quoted, so that it may be a number, a boolean or null.
    Scalar {
        /// The text, quotes and escapes resolved.
        text: String,
        /// Written without quotes.
        plain: bool,
    },
    /// A list.
    Sequence(Vec<Node>),
    /// Keys and values in the order they were written, duplicates left out (the first one stays).
    Mapping(Vec<Entry>),
}

/// One key with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key's text.
    pub key: String,
    /// Where the key stands.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

impl Document {
    /// Reads YAML (the first document of a stream).
    pub fn yaml(file: FileId, text: &str) -> Document {
        build::yaml(file, text)
    }

    /// Reads JSON, comments and trailing commas allowed. Broken JSON is read again as YAML's flow style, to save what can be saved.
    pub fn json(file: FileId, text: &str) -> Document {
        build::json(file, text)
    }

    /// Reads YAML or JSON, told apart by the first character that isn't white space.
    pub fn detect(file: FileId, text: &str) -> Document {
        if text.trim_start_matches('\u{feff}').trim_start().starts_with('{') {
            Self::json(file, text)
        } else {
            Self::yaml(file, text)
        }
    }
}

impl Node {
    /// A null that stands at `span`.
    pub fn null(span: Span) -> Node {
        Node { span, tag: None, kind: NodeKind::Scalar { text: String::new(), plain: true } }
    }

    /// The value under `key`, if this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The entry under `key`, if this is a mapping that has it.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// The value at the end of a path of keys.
    pub fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The entries of a mapping; empty for anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.kind {
            NodeKind::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a sequence; empty for anything else.
    pub fn items(&self) -> &[Node] {
        match &self.kind {
            NodeKind::Sequence(items) => items,
            _ => &[],
        }
    }

    /// The items of a sequence, or the node itself where a single value may stand for a list of one.
    pub fn one_or_many(&self) -> &[Node] {
        match &self.kind {
            NodeKind::Sequence(items) if self.tag.is_none() => items,
            _ if self.is_null() => &[],
            _ => std::slice::from_ref(self),
        }
    }

    /// The text of an untagged scalar.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::Scalar { text, .. } if self.tag.is_none() && !self.is_null() => Some(text),
            _ => None,
        }
    }

    /// The text of a scalar, tagged or not.
    pub fn scalar(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// A boolean; YAML 1.1's and CloudFormation's spellings (`true`, `"true"`, `yes`, `on`) count.
    pub fn as_bool(&self) -> Option<bool> {
        match self.as_str()?.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Some(true),
            "false" | "no" | "off" => Some(false),
            _ => None,
        }
    }

    /// A whole number, quoted or not.
    pub fn as_i64(&self) -> Option<i64> {
        self.as_str()?.trim().parse().ok()
    }

    /// Whether it is null (absent value, `~`, `null`).
    pub fn is_null(&self) -> bool {
        matches!(&self.kind, NodeKind::Scalar { text, plain: true } if self.tag.is_none() && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// Whether it is a mapping.
    pub fn is_mapping(&self) -> bool {
        matches!(self.kind, NodeKind::Mapping(_))
    }

    /// Whether it is a sequence.
    pub fn is_sequence(&self) -> bool {
        matches!(self.kind, NodeKind::Sequence(_))
    }

    /// How many nodes there are in it, itself included.
    pub fn count(&self) -> usize {
        1 + match &self.kind {
            NodeKind::Scalar { .. } => 0,
            NodeKind::Sequence(items) => items.iter().map(Node::count).sum(),
            NodeKind::Mapping(entries) => entries.iter().map(|entry| entry.value.count()).sum(),
        }
    }

    /// The JSON value of it. Tags are dropped; plain scalars become numbers, booleans and null as YAML 1.2's core schema says.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value;
        match &self.kind {
            NodeKind::Sequence(items) => Value::Array(items.iter().map(Node::to_json).collect()),
            NodeKind::Mapping(entries) => {
                Value::Object(entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json())).collect())
            }
            NodeKind::Scalar { text, plain: false } => Value::String(text.clone()),
            NodeKind::Scalar { text, plain: true } => match text.as_str() {
                "" | "~" | "null" | "Null" | "NULL" => Value::Null,
                "true" | "True" | "TRUE" => Value::Bool(true),
                "false" | "False" | "FALSE" => Value::Bool(false),
                other => number(other).unwrap_or_else(|| Value::String(text.clone())),
            },
        }
    }
}

/// A plain scalar as a JSON number, if it is one. Leading zeros make a string, as with account ids.
fn number(text: &str) -> Option<serde_json::Value> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.starts_with('0') && digits.len() > 1 && !digits.starts_with("0.") {
        return None;
    }
    if !digits.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    text.parse::<f64>().ok().and_then(serde_json::Number::from_f64).map(serde_json::Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn yaml(text: &str) -> Document {
        Document::yaml(FileId(0), text)
    }

    #[test]
    fn tags_spans_and_scalars_arrive() {
        let text =
            "Grün:\n  Type: AWS::S3::Bucket\n  Name: !Sub '${A}-b'\n  Arn: !GetAtt [T, Arn]\n  Size: 010\n  On: true\n";
        let document = yaml(text);
        assert_eq!(document.complaints, []);
        let bucket = document.root.get("Grün").unwrap();
        let name = bucket.get("Name").unwrap();
        assert_eq!((name.tag.as_deref(), name.scalar()), (Some("Sub"), Some("${A}-b")));
        assert_eq!(&text[bucket.get("Type").unwrap().span.range()], "AWS::S3::Bucket");
        assert_eq!(bucket.get("Arn").unwrap().items().len(), 2);
        assert_eq!(bucket.get("Size").unwrap().to_json(), "010");
        assert_eq!(bucket.get("On").unwrap().to_json(), true);
        assert_eq!(&text[bucket.entry("Size").unwrap().key_span.range()], "Size");
    }

    #[test]
    fn an_alias_bomb_is_cut_with_a_complaint() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..12 {
            let items = vec![format!("*a{}", level - 1); 10].join(", ");
            text.push_str(&format!("a{level}: &a{level} [{items}]\n"));
        }
        let document = yaml(&text);
        assert!(document.root.count() <= MAX_NODES + 1);
        assert!(document.complaints[0].message.contains("alias"), "{:?}", document.complaints);
    }

    #[test]
    fn a_long_list_repeated_by_aliases_is_cut_with_a_complaint() {
        let text = format!("a: &a [{}x]\nb: [{}x]\n", "x, ".repeat(5_000), "*a, ".repeat(5_000));
        let document = yaml(&text);
        assert!(document.root.count() <= MAX_ALIASED + 20_000, "{}", document.root.count());
        assert_eq!(document.root.get("b").unwrap().items().len(), 5_001);
        assert_eq!(document.complaints.len(), 1, "said once");
        assert!(document.complaints[0].message.contains("alias"), "{:?}", document.complaints);
    }

    #[test]
    fn a_mistake_behind_letters_of_several_bytes_is_shown_whole() {
        let text = r#"{"a": {"ä": ["ä@1.0., 0""ish', R}"#;
        let document = Document::json(FileId(0), text);
        assert_eq!(document.complaints.len(), 1);
        assert!(text.get(document.complaints[0].span.range()).is_some(), "{:?}", document.complaints);
    }

    #[test]
    fn deep_nesting_is_refused_without_a_crash() {
        for text in ["[".repeat(100_000), "- ".repeat(50_000), "{a: ".repeat(50_000)] {
            assert!(!yaml(&text).complaints.is_empty());
            assert!(!Document::json(FileId(0), &text).complaints.is_empty());
        }
    }

    #[test]
    fn a_broken_resource_is_left_out_and_its_neighbours_are_read() {
        let document = yaml("Resources:\n  A:\n    Type: T\n  B:\n    Type: \"open\n    X: [1, 2\n  C:\n    Type: U\n");
        let resources = document.root.get("Resources").unwrap();
        assert!(resources.get("A").is_some(), "{document:#?}");
        assert!(!document.complaints.is_empty());
    }

    #[test]
    fn a_mapping_with_bad_indentation_spares_what_follows() {
        let document = yaml("Resources:\n  A:\n    Type: T\n  B:\n    Type: V\n   X: 1\n  C:\n    Type: U\n");
        let resources = document.root.get("Resources").unwrap();
        assert!(resources.get("A").is_some() && resources.get("C").is_some(), "{document:#?}");
        assert_eq!(document.complaints.len(), 1);
    }

    #[test]
    fn merge_keys_fill_in_what_is_missing() {
        let document = yaml("base: &b {x: 1, y: 2}\nuse:\n  <<: *b\n  y: 3\n");
        let merged = document.root.get("use").unwrap();
        assert_eq!(merged.get("x").unwrap().as_i64(), Some(1));
        assert_eq!(merged.get("y").unwrap().as_i64(), Some(3));
    }

    #[test]
    fn truncated_json_yields_what_can_be_read() {
        let document = Document::json(FileId(0), r#"{"Resources": {"A": {"Type": "T"}, "B": {"Ty"#);
        assert!(document.root.at(&["Resources", "A", "Type"]).is_some(), "{document:#?}");
        assert!(!document.complaints.is_empty());
    }

    #[test]
    fn a_duplicate_key_is_named() {
        let document = yaml("a: 1\na: 2\n");
        assert_eq!(document.root.get("a").unwrap().as_i64(), Some(1));
        assert_eq!(document.complaints[0].message, "duplicate key `a`");
    }
}
