//! The texts and attributes of an XML document, each a value of its own.
//!
//! No parser: one pass that takes a document apart the way a lenient reader would, so that what is wrapped in one of its
//! texts is seen from its beginning. Pages and pieces of pages are left alone: their texts are one text to a reader.
//!
//! Deliberately absent: entities a document defines itself (defining them is refused), and names of elements.

use std::borrow::Cow;

use crate::decode;

/// Elements of pages, which are no documents of data.
const PAGE: &[&str] = &[
    "html",
    "head",
    "body",
    "div",
    "p",
    "span",
    "table",
    "a",
    "b",
    "i",
    "em",
    "strong",
    "ul",
    "ol",
    "li",
    "br",
    "img",
    "h1",
    "h2",
    "h3",
    "h4",
    "section",
    "article",
    "main",
    "pre",
    "code",
    "blockquote",
    "svg",
    "math",
    "form",
    "input",
    "script",
    "style",
    "details",
    "font",
    "center",
    "video",
    "audio",
    "iframe",
    "template",
    "math",
    "td",
    "tr",
];

fn name(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'))).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// Whether `text` is a document of data rather than a page: one element, closed by its own name.
fn is_document(text: &str) -> bool {
    let text = text.trim();
    if !text.starts_with('<') || !text.ends_with('>') {
        return false;
    }
    if text.starts_with("<?xml") {
        return true;
    }
    let root = name(text.get(1..).unwrap_or_default());
    let closed = text.ends_with("/>")
        || text.rfind("</").is_some_and(|at| text.get(at + 2..).is_some_and(|end| name(end) == root));
    !root.is_empty() && closed && !PAGE.iter().any(|known| known.eq_ignore_ascii_case(root))
}

/// Name and value of every attribute and every text, in the document's order; none where `text` is no document.
pub(crate) fn leaves(text: &str) -> Option<Vec<(&str, Cow<'_, str>)>> {
    if !is_document(text) {
        return None;
    }
    let value = |raw: &'_ str| -> Option<String> { decode::html(raw) };
    let mut found: Vec<(&str, Cow<'_, str>)> = Vec::new();
    let (mut rest, mut element) = (text, "");
    while let Some(open) = rest.find('<') {
        let (before, tag) = rest.split_at(open);
        if !before.trim().is_empty() {
            found.push((element, value(before).map_or(Cow::Borrowed(before.trim()), Cow::Owned)));
        }
        if let Some(data) = tag.strip_prefix("<![CDATA[") {
            let end = data.find("]]>").unwrap_or(data.len());
            found.push((element, Cow::Borrowed(data.get(..end).unwrap_or_default())));
            rest = data.get(end + 3..).unwrap_or_default();
            continue;
        }
        if let Some(comment) = tag.strip_prefix("<!--") {
            rest = comment.split_once("-->").map_or("", |(_, after)| after);
            continue;
        }
        let inside = tag.get(1..).unwrap_or_default();
        if !inside.starts_with('/') {
            element = name(inside);
        }
        rest = attributes(inside, &mut found);
    }
    Some(found)
}

/// Takes the attributes of a tag; gives what stands behind it.
fn attributes<'a>(inside: &'a str, found: &mut Vec<(&'a str, Cow<'a, str>)>) -> &'a str {
    let mut rest = inside;
    loop {
        let Some(at) = rest.find(['>', '=']) else { return "" };
        let (before, after) = rest.split_at(at);
        let after = after.get(1..).unwrap_or_default();
        if rest.as_bytes().get(at) == Some(&b'>') {
            return after;
        }
        let key = before.trim_end().rsplit(char::is_whitespace).next().unwrap_or_default();
        let quoted = after.trim_start();
        let Some(quote) = quoted.chars().next().filter(|first| matches!(first, '"' | '\'')) else {
            rest = after;
            continue;
        };
        let body = quoted.get(1..).unwrap_or_default();
        let end = body.find(quote).unwrap_or(body.len());
        let raw = body.get(..end).unwrap_or_default();
        if !raw.is_empty() && !key.starts_with("xmlns") && !key.contains("schemaLocation") {
            found.push((key, decode::html(raw).map_or(Cow::Borrowed(raw), Cow::Owned)));
        }
        rest = body.get(end + 1..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_taken_apart_and_a_page_is_not() {
        let text = "<?xml version=\"1.0\"?><o:order xmlns:o=\"urn:x\" id='7 &amp; 8'> <name>O&#39;Brien</name><note><![CDATA[a<b]]></note><!-- x --></o:order>";
        let leaves = leaves(text).unwrap();
        let told: Vec<_> = leaves.iter().map(|(name, value)| (*name, value.as_ref())).collect();
        assert_eq!(told, [("version", "1.0"), ("id", "7 & 8"), ("name", "O'Brien"), ("note", "a<b")]);
        for page in ["<p>Hello <b>you</b></p>", "<div class='a'>x</div>", "a < b and c > d", "<3", "<>", "< a >", "<a"]
        {
            assert!(super::leaves(page).is_none(), "{page}");
        }
        for torn in ["<a b=\"", "<a b='c' d=>", "<x><![CDATA[</x>", "<x><!-- </x>", "<x a=/>", "<é ü='ö'>ä</é>"] {
            let _ = super::leaves(torn);
        }
    }
}
