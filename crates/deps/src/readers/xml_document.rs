//! Just enough XML for build files: elements with attributes and text, each with its place.
//!
//! Deliberately absent: namespaces, document types, entities of one's own. What is broken ends the element it is in.

use source::{FileId, Span};

/// How deep elements may nest, and how many there may be.
const MAX_DEPTH: usize = 64;
const MAX_ELEMENTS: usize = 200_000;

/// One element.
#[derive(Debug, Default, Clone)]
pub(super) struct Element {
    pub(super) name: String,
    /// From its opening tag to the end of its closing one.
    pub(super) start: usize,
    pub(super) end: usize,
    /// Name, value, where the value stands.
    pub(super) attributes: Vec<(String, String, (usize, usize))>,
    pub(super) children: Vec<Element>,
    /// Its own text, trimmed.
    pub(super) text: String,
    /// Where the text stands.
    pub(super) text_at: (usize, usize),
}

impl Element {
    /// The first child of a name.
    pub(super) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All children of a name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The element at the end of a path of names.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Element> {
        path.iter().try_fold(self, |element, name| element.child(name))
    }

    /// The text of a child; none where it is absent or empty.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str()).filter(|text| !text.is_empty())
    }

    /// An attribute by its name, whatever its case.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(own, ..)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value, _)| value.as_str())
    }

    pub(super) fn span(&self, file: FileId) -> Span {
        Span::new(file, self.start, self.end)
    }

    /// Every element below it, itself included, without recursion.
    pub(super) fn descendants(&self) -> Vec<&Element> {
        let (mut all, mut queue) = (Vec::new(), vec![self]);
        while let Some(next) = queue.pop() {
            all.push(next);
            queue.extend(next.children.iter().rev());
        }
        all
    }
}

/// Reads a document: its root element, and whether something in it was broken.
pub(super) fn read(text: &str) -> (Element, bool) {
    let mut stack: Vec<Element> = vec![Element::default()];
    let mut broken = false;
    let (mut at, mut count) = (0, 0);
    while let Some(open) = text.get(at..).and_then(|rest| rest.find('<')).map(|found| at + found) {
        add_text(&mut stack, text, at, open);
        let rest = text.get(open..).unwrap_or_default();
        let skip = |end: &str| rest.find(end).map(|found| open + found + end.len());
        if rest.starts_with("<!--") {
            at = skip("-->").unwrap_or(text.len());
        } else if rest.starts_with("<![CDATA[") {
            at = skip("]]>").unwrap_or(text.len());
            let inner = (open + "<![CDATA[".len(), at.saturating_sub(3));
            add_text(&mut stack, text, inner.0, inner.1.max(inner.0));
        } else if rest.starts_with("<?") || rest.starts_with("<!") {
            at = skip(">").unwrap_or(text.len());
        } else if let Some(name) = rest.strip_prefix("</") {
            let name = local(name.split('>').next().unwrap_or_default().trim());
            at = skip(">").unwrap_or(text.len());
            // An element that nobody closed ends with what holds it.
            if stack.iter().skip(1).any(|element| element.name == name) {
                while stack.len() > 1 {
                    let same = stack.last().is_some_and(|element| element.name == name);
                    broken |= !same;
                    close(&mut stack, at);
                    if same {
                        break;
                    }
                }
            } else {
                broken = true;
            }
        } else {
            count += 1;
            let Some((element, end, empty)) = tag(text, open).filter(|_| count <= MAX_ELEMENTS) else {
                broken = true;
                break;
            };
            at = end;
            stack.push(element);
            if empty || stack.len() > MAX_DEPTH {
                close(&mut stack, at);
            }
        }
    }
    while stack.len() > 1 {
        broken = true;
        close(&mut stack, text.len());
    }
    let document = stack.pop().unwrap_or_default();
    match document.children.into_iter().next() {
        Some(root) => (root, broken),
        None => (Element::default(), true),
    }
}

fn close(stack: &mut Vec<Element>, end: usize) {
    if let Some(mut element) = stack.pop() {
        element.end = end;
        if let Some(parent) = stack.last_mut() {
            parent.children.push(element);
        }
    }
}

fn add_text(stack: &mut [Element], text: &str, start: usize, end: usize) {
    let Some(raw) = text.get(start..end) else { return };
    let trimmed = raw.trim();
    if trimmed.is_empty() {
        return;
    }
    if let Some(element) = stack.last_mut()
        && element.text.is_empty()
    {
        let lead = raw.len() - raw.trim_start().len();
        element.text = unescaped(trimmed);
        element.text_at = (start + lead, start + lead + trimmed.len());
    }
}

/// The element whose tag opens at `open`, where the tag ends, and whether it closes itself.
fn tag(text: &str, open: usize) -> Option<(Element, usize, bool)> {
    let bytes = text.as_bytes();
    let mut at = open + 1;
    let word = |mut at: usize| {
        let start = at;
        while bytes.get(at).is_some_and(|byte| !byte.is_ascii_whitespace() && !matches!(byte, b'>' | b'/' | b'=')) {
            at += 1;
        }
        (text.get(start..at), at)
    };
    let (name, next) = word(at);
    let name = name.filter(|name| !name.is_empty())?;
    at = next;
    let mut element = Element { name: local(name).to_string(), start: open, ..Element::default() };
    loop {
        while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
            at += 1;
        }
        match bytes.get(at)? {
            b'>' => return Some((element, at + 1, false)),
            b'/' if bytes.get(at + 1) == Some(&b'>') => return Some((element, at + 2, true)),
            b'/' | b'=' => at += 1,
            _ => {
                let (name, next) = word(at);
                let name = name.filter(|name| !name.is_empty())?;
                at = next;
                while bytes.get(at).is_some_and(|byte| byte.is_ascii_whitespace() || *byte == b'=') {
                    at += 1;
                }
                let quote = *bytes.get(at)?;
                if !matches!(quote, b'"' | b'\'') {
                    continue;
                }
                let start = at + 1;
                let end = start + text.get(start..)?.find(char::from(quote))?;
                let value = unescaped(text.get(start..end)?);
                element.attributes.push((local(name).to_string(), value, (start, end)));
                at = end + 1;
            }
        }
    }
}

fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

fn unescaped(text: &str) -> String {
    if !text.contains('&') {
        return text.to_string();
    }
    // The ampersand last, so that what it stood before stays as it is.
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")]
        .iter()
        .fold(text.to_string(), |text, (from, to)| text.replace(from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_attributes_comments_and_places() {
        let text = "<?xml version=\"1.0\"?>\n<!-- <no/> -->\n<a x='1' y = \"&lt;2\"><b>  t </b><b/><ns:c><![CDATA[<raw>]]></ns:c></a>";
        let (root, broken) = read(text);
        assert!(!broken);
        assert_eq!((root.name.as_str(), root.attribute("X"), root.attribute("y")), ("a", Some("1"), Some("<2")));
        assert_eq!(root.all("b").count(), 2);
        assert_eq!(root.text_of("b"), Some("t"));
        let b = root.child("b").unwrap();
        assert_eq!(&text[b.text_at.0..b.text_at.1], "t");
        assert_eq!(&text[b.start..b.end], "<b>  t </b>");
        assert_eq!(root.text_of("c"), Some("<raw>"));
    }

    #[test]
    fn broken_and_deep_documents_end() {
        for text in ["", "<", "<a", "<a b", "<a b=", "<a b='", "<a><b></a>", "</a>", "<a><!--", "<a></b></a>"] {
            assert!(read(text).1, "{text}");
        }
        let deep = "<a>".repeat(100_000);
        assert!(read(&deep).0.descendants().len() > 10);
        let (root, broken) = read("<a><b><c>1</c></a>");
        assert!(broken && root.at(&["b", "c"]).is_some());
    }
}
