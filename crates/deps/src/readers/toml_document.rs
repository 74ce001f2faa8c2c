//! TOML as the same tree that YAML and JSON give, so that the readers above know one kind of node.

use super::complaint;
use source::document::MAX_DEPTH;
use source::{Document, Entry, FileId, Node, NodeKind, Span};
use toml::de::{DeTable, DeValue};

/// Reads TOML; what is broken is left out with a complaint.
pub(super) fn read(file: FileId, text: &str) -> Document {
    let (table, errors) = DeTable::parse_recoverable(text);
    let complaints = errors
        .iter()
        .take(16)
        .map(|error| {
            let range = error.span().unwrap_or(0..0);
            let message = error.message().trim().replace('\n', ", ");
            complaint(Span::new(file, range.start, range.end), message)
        })
        .collect();
    let range = table.span();
    let root = self::table(file, table.get_ref(), Span::new(file, range.start, range.end), 0);
    Document { root, complaints }
}

fn table(file: FileId, table: &DeTable<'_>, span: Span, depth: usize) -> Node {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| {
            let at = key.span();
            let range = value.span();
            Entry {
                key: key.get_ref().to_string(),
                key_span: Span::new(file, at.start, at.end),
                value: self::value(file, value.get_ref(), Span::new(file, range.start, range.end), depth + 1),
            }
        })
        .collect();
    // The parser orders by key; people read by place.
    entries.sort_by_key(|entry| entry.key_span.start);
    Node { span, tag: None, kind: NodeKind::Mapping(entries) }
}

fn value(file: FileId, value: &DeValue<'_>, span: Span, depth: usize) -> Node {
    if depth > MAX_DEPTH {
        return Node::null(span);
    }
    let scalar = |text: String, plain| Node { span, tag: None, kind: NodeKind::Scalar { text, plain } };
    match value {
        DeValue::String(text) => scalar(text.to_string(), false),
        DeValue::Integer(number) => scalar(number.to_string(), true),
        DeValue::Float(number) => scalar(number.to_string(), true),
        DeValue::Boolean(yes) => scalar(yes.to_string(), true),
        DeValue::Datetime(time) => scalar(time.to_string(), false),
        DeValue::Table(inner) => table(file, inner, span, depth),
        DeValue::Array(items) => {
            let item = |one: &toml::Spanned<DeValue<'_>>| {
                let range = one.span();
                self::value(file, one.get_ref(), Span::new(file, range.start, range.end), depth + 1)
            };
            Node { span, tag: None, kind: NodeKind::Sequence(items.iter().map(item).collect()) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_keep_their_places_and_a_broken_line_spares_the_rest() {
        let text = "[[package]]\nname = \"ä\"\n[[package]]\nname = \"b\"\nversion = = 1\n[[package]]\nname = \"c\"\n";
        let document = read(FileId(0), text);
        assert!(!document.complaints.is_empty());
        let names: Vec<&str> =
            document.root.get("package").unwrap().items().iter().filter_map(|one| one.get("name")?.as_str()).collect();
        assert_eq!(names, ["ä", "b", "c"]);
        let name = document.root.get("package").unwrap().items()[2].get("name").unwrap();
        assert_eq!(&text[name.span.range()], "\"c\"");
    }
}
