//! XML request bodies: all text of the document, and the values of all attributes.
//!
//! Deliberately absent: a tree, namespaces, validation, external entities (never fetched) and entities of the
//! document's own (left as they are written).

/// What a document holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Document {
    /// Text and CDATA sections, one after the other.
    pub(crate) text: Vec<u8>,
    pub(crate) attributes: Vec<Vec<u8>>,
    /// What is malformed; the rest was read up to there.
    pub(crate) error: Option<&'static str>,
}

const MAX_DEPTH: usize = 512;
const MAX_ATTRIBUTES: usize = 10_000;

/// Reads a document as far as it is well-formed.
pub(crate) fn read(text: &[u8]) -> Document {
    let mut document = Document::default();
    if let Err(error) = walk(text, &mut document) {
        document.error = Some(error);
    }
    document
}

fn walk(text: &[u8], out: &mut Document) -> Result<(), &'static str> {
    let mut open: Vec<&[u8]> = Vec::new();
    let mut rest = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut roots = 0;
    while !rest.is_empty() {
        let markup = memchr::memchr(b'<', rest).unwrap_or(rest.len());
        let (plain, tail) = rest.split_at(markup);
        if open.is_empty() {
            if !plain.trim_ascii().is_empty() {
                return Err("text outside of the XML document's element");
            }
        } else {
            unescape(plain, &mut out.text);
        }
        rest = tail;
        if rest.is_empty() {
            break;
        }
        if let Some(inside) = rest.strip_prefix(b"<!--") {
            rest = after(inside, b"-->").ok_or("an XML comment is never closed")?.1;
        } else if let Some(inside) = rest.strip_prefix(b"<![CDATA[") {
            let (data, tail) = after(inside, b"]]>").ok_or("an XML CDATA section is never closed")?;
            if open.is_empty() {
                return Err("text outside of the XML document's element");
            }
            out.text.extend_from_slice(data);
            rest = tail;
        } else if let Some(inside) = rest.strip_prefix(b"<?") {
            rest = after(inside, b"?>").ok_or("an XML instruction is never closed")?.1;
        } else if let Some(inside) = rest.strip_prefix(b"<!") {
            rest = declaration(inside).ok_or("an XML declaration is never closed")?;
        } else if let Some(inside) = rest.strip_prefix(b"</") {
            let (name, tail) = after(inside, b">").ok_or("an XML tag is never closed")?;
            if open.pop() != Some(name.trim_ascii_end()) {
                return Err("an XML tag closes what was not opened");
            }
            rest = tail;
        } else {
            let inside = rest.get(1..).unwrap_or_default();
            let length = inside.iter().position(|byte| !is_name(*byte)).unwrap_or(inside.len());
            if length == 0 {
                return Err("an XML tag without a name");
            }
            let (name, tail) = inside.split_at(length);
            if open.is_empty() {
                roots += 1;
                if roots > 1 {
                    return Err("a second element beside the XML document's");
                }
            }
            let (closed, tail) = attributes(tail, &mut out.attributes)?;
            if !closed {
                if open.len() >= MAX_DEPTH {
                    return Err("XML nested too deeply");
                }
                open.push(name);
            }
            rest = tail;
        }
    }
    if roots == 0 {
        return Err("no XML element");
    }
    if open.is_empty() { Ok(()) } else { Err("the XML document ends too early") }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'-' | b'.' | 128..)
}

/// What stands before and after `close`.
fn after<'a>(text: &'a [u8], close: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = memchr::memmem::find(text, close)?;
    Some((text.get(..at)?, text.get(at + close.len()..)?))
}

/// Skips a declaration, with its internal subset when it has one.
fn declaration(text: &[u8]) -> Option<&[u8]> {
    let mut depth = 1;
    let mut quote = None;
    for (at, &byte) in text.iter().enumerate() {
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'<') => depth += 1,
            (None, b'>') => {
                depth -= 1;
                if depth == 0 {
                    return text.get(at + 1..);
                }
            }
            _ => {}
        }
    }
    None
}

/// Reads a tag's attributes; whether it closes itself, and what follows it.
fn attributes<'a>(text: &'a [u8], out: &mut Vec<Vec<u8>>) -> Result<(bool, &'a [u8]), &'static str> {
    let mut rest = text;
    loop {
        rest = rest.trim_ascii_start();
        match rest {
            [b'>', tail @ ..] => return Ok((false, tail)),
            [b'/', b'>', tail @ ..] => return Ok((true, tail)),
            [] => return Err("an XML tag is never closed"),
            _ => {}
        }
        let length = rest.iter().position(|byte| !is_name(*byte)).unwrap_or(rest.len());
        let (name, tail) = rest.split_at(length);
        let tail = tail.trim_ascii_start();
        let Some(tail) = tail.strip_prefix(b"=").filter(|_| length > 0).map(<[u8]>::trim_ascii_start) else {
            return Err("a malformed XML attribute");
        };
        let Some((&quote, tail)) = tail.split_first().filter(|(quote, _)| matches!(quote, b'"' | b'\'')) else {
            return Err("an XML attribute without quotes");
        };
        let (value, tail) = after(tail, &[quote]).ok_or("an XML attribute is never closed")?;
        // Declarations of namespaces are no attributes to XPath.
        if name != b"xmlns" && !name.starts_with(b"xmlns:") {
            if out.len() >= MAX_ATTRIBUTES {
                return Err("too many XML attributes");
            }
            let mut decoded = Vec::new();
            unescape(value, &mut decoded);
            out.push(decoded);
        }
        rest = tail;
    }
}

/// Resolves the five entities XML knows, and character references.
fn unescape(text: &[u8], out: &mut Vec<u8>) {
    const NAMES: [(&[u8], u8); 5] = [(b"lt", b'<'), (b"gt", b'>'), (b"amp", b'&'), (b"quot", b'"'), (b"apos", b'\'')];
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'&', rest) {
        out.extend_from_slice(rest.get(..at).unwrap_or_default());
        let tail = rest.get(at + 1..).unwrap_or_default();
        let end = tail.iter().take(12).position(|byte| *byte == b';');
        let name = end.and_then(|end| tail.get(..end)).unwrap_or_default();
        let number = |digits: &[u8], radix| {
            let digits = std::str::from_utf8(digits).ok()?;
            u32::from_str_radix(digits, radix).ok().and_then(char::from_u32)
        };
        let character = match name {
            [b'#', b'x' | b'X', digits @ ..] => number(digits, 16),
            [b'#', digits @ ..] => number(digits, 10),
            _ => NAMES.iter().find(|(known, _)| *known == name).map(|(_, byte)| char::from(*byte)),
        };
        match (character, end) {
            (Some(character), Some(end)) => {
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                rest = tail.get(end + 1..).unwrap_or_default();
            }
            _ => {
                out.push(b'&');
                rest = tail;
            }
        }
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_attributes() {
        let document = read(
            b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY x \"y>\">]><a b='1 &lt; 2' xmlns='u'>t<!-- no --><c/>&#x41;<![CDATA[<d>]]></a>\n",
        );
        assert_eq!(document.error, None);
        assert_eq!(document.text, b"tA<d>");
        assert_eq!(document.attributes, [b"1 < 2".to_vec()]);
    }

    #[test]
    fn malformed_documents_are_told() {
        let cases = ["<a>", "<a></b>", "x", "<a b></a>", "<a b=c></a>", "<a/><b/>", "<a>\u{0}<", "<!-- ", "", "<a b='"];
        for text in cases {
            assert!(read(text.as_bytes()).error.is_some(), "{text}");
        }
        assert_eq!(read(b"<a>one<b>two</a>").text, b"onetwo");
    }
}
