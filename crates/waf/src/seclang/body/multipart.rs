//! Multipart form data, with a record of everything that a strict reader would not have accepted.

/// A part of a form.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) name: Vec<u8>,
    pub(crate) filename: Option<Vec<u8>>,
    /// Header lines as they were sent, folded lines joined.
    pub(crate) headers: Vec<Vec<u8>>,
    pub(crate) content: Vec<u8>,
}

/// What a body held and what was odd about it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) parts: Vec<Part>,
    pub(crate) boundary_quoted: bool,
    pub(crate) boundary_whitespace: bool,
    pub(crate) data_before: bool,
    pub(crate) data_after: bool,
    pub(crate) header_folding: bool,
    pub(crate) invalid_header_folding: bool,
    pub(crate) lf_line: bool,
    pub(crate) crlf_lines: bool,
    pub(crate) missing_semicolon: bool,
    pub(crate) invalid_quoting: bool,
    pub(crate) invalid_part: bool,
    pub(crate) file_limit_exceeded: bool,
    pub(crate) unmatched_boundary: bool,
    pub(crate) error: Option<&'static str>,
}

impl Form {
    /// Whether anything happened that the strict rules don't allow.
    pub(crate) fn strict_error(&self) -> bool {
        self.error.is_some()
            || self.boundary_quoted
            || self.boundary_whitespace
            || self.data_before
            || self.data_after
            || self.header_folding
            || self.invalid_header_folding
            || self.lf_line
            || self.missing_semicolon
            || self.invalid_quoting
            || self.invalid_part
            || self.file_limit_exceeded
    }
}

const MAX_PARTS: usize = 1000;
const MAX_HEADERS: usize = 64;

/// Reads a body with the boundary that the content type names.
pub(crate) fn read(content_type: &[u8], body: &[u8], max_files: usize) -> Form {
    let mut form = Form::default();
    let Some(boundary) = boundary(content_type, &mut form) else { return form };
    let delimiter = [b"--", boundary.as_slice()].concat();
    let mut part: Option<Part> = None;
    let mut in_headers = false;
    let mut ended = false;
    // The line break before a delimiter belongs to the delimiter.
    let mut pending: &[u8] = b"";
    let mut rest = body;
    while !rest.is_empty() {
        let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        let (line, tail) = rest.split_at(length);
        rest = tail;
        let (text, ending) = split_ending(line);
        match ending {
            b"\r\n" => form.crlf_lines = true,
            b"\n" if !in_headers && part.is_some() && !text.starts_with(&delimiter) => {}
            b"\n" => form.lf_line = true,
            _ => {}
        }
        if text.starts_with(&delimiter) {
            let suffix = text.get(delimiter.len()..).unwrap_or_default();
            let last = suffix.starts_with(b"--");
            let trailing = if last { suffix.get(2..).unwrap_or_default() } else { suffix };
            if trailing.iter().all(|byte| matches!(byte, b' ' | b'\t')) && !ended {
                form.boundary_whitespace |= !trailing.is_empty();
                if let Some(done) = part.take() {
                    form.invalid_part |= in_headers;
                    finish(done, &mut form, max_files);
                }
                if form.parts.len() >= MAX_PARTS {
                    form.error = Some("too many multipart parts");
                    return form;
                }
                pending = b"";
                if last {
                    ended = true;
                } else {
                    part = Some(Part::default());
                    in_headers = true;
                }
                continue;
            }
            form.unmatched_boundary = true;
        } else if text.starts_with(b"--") && looks_like_boundary(text, &boundary) {
            form.unmatched_boundary = true;
        }
        match part.as_mut() {
            None if ended => form.data_after |= !text.is_empty(),
            None => form.data_before |= !text.is_empty() || !line.is_empty(),
            Some(part) if in_headers => {
                if text.is_empty() {
                    in_headers = false;
                    disposition(part, &mut form);
                } else if matches!(text.first(), Some(b' ' | b'\t')) {
                    form.header_folding = true;
                    match part.headers.last_mut() {
                        Some(header) => {
                            header.push(b' ');
                            header.extend_from_slice(text.trim_ascii_start());
                        }
                        None => form.invalid_header_folding = true,
                    }
                } else if part.headers.len() >= MAX_HEADERS {
                    form.error = Some("too many headers in a multipart part");
                    return form;
                } else {
                    form.invalid_part |= !text.contains(&b':');
                    part.headers.push(text.to_vec());
                }
            }
            Some(part) => {
                part.content.extend_from_slice(pending);
                part.content.extend_from_slice(text);
                pending = ending;
            }
        }
    }
    if let Some(done) = part {
        form.error = Some("the multipart body ends inside a part");
        finish(done, &mut form, max_files);
    } else if !ended {
        form.error = Some("the multipart body has no final boundary");
    }
    form
}

fn finish(part: Part, form: &mut Form, max_files: usize) {
    if part.filename.is_some() && form.parts.iter().filter(|part| part.filename.is_some()).count() >= max_files {
        form.file_limit_exceeded = true;
        return;
    }
    form.parts.push(part);
}

fn split_ending(line: &[u8]) -> (&[u8], &[u8]) {
    let length = if line.ends_with(b"\r\n") { 2 } else { usize::from(line.ends_with(b"\n")) };
    line.split_at(line.len() - length)
}

/// A line that could be taken for a delimiter by a reader that trims or compares less.
fn looks_like_boundary(text: &[u8], boundary: &[u8]) -> bool {
    let inner = text.get(2..).unwrap_or_default();
    !boundary.is_empty() && memchr::memmem::find(inner, boundary).is_some()
}

/// The boundary that a content type names.
fn boundary(content_type: &[u8], form: &mut Form) -> Option<Vec<u8>> {
    let lower = content_type.to_ascii_lowercase();
    let Some(at) = memchr::memmem::find(&lower, b"boundary") else {
        form.error = Some("the multipart body has no boundary");
        return None;
    };
    // The word may be part of a boundary, too; what counts is where a value follows.
    let named = |at: usize| lower.get(at + 8..).is_some_and(|rest| rest.trim_ascii_start().starts_with(b"="));
    if memchr::memmem::find_iter(&lower, b"boundary").filter(|at| named(*at)).count() > 1 {
        form.error = Some("the content type names several boundaries");
        return None;
    }
    let before = lower.get(..at).unwrap_or_default().trim_ascii_end();
    if !before.ends_with(b";") && !before.ends_with(b",") {
        form.missing_semicolon = true;
    }
    let rest = content_type.get(at + 8..).unwrap_or_default();
    let stripped = rest.trim_ascii_start();
    form.boundary_whitespace |= stripped.len() != rest.len();
    let Some(value) = stripped.strip_prefix(b"=") else {
        form.error = Some("the multipart boundary has no value");
        return None;
    };
    let trimmed = value.trim_ascii();
    form.boundary_whitespace |= value.first().is_some_and(u8::is_ascii_whitespace);
    let value = if let Some(inner) = trimmed.strip_prefix(b"\"") {
        form.boundary_quoted = true;
        let end = memchr::memchr(b'"', inner);
        if end.is_none() {
            form.error = Some("the multipart boundary's quote is never closed");
            return None;
        }
        inner.get(..end.unwrap_or(inner.len())).unwrap_or_default()
    } else {
        let end = trimmed.iter().position(|byte| matches!(byte, b';' | b',' | b' ' | b'\t')).unwrap_or(trimmed.len());
        form.boundary_whitespace |= matches!(trimmed.get(end), Some(b' ' | b'\t'));
        trimmed.get(..end).unwrap_or_default()
    };
    if value.is_empty() || value.len() > 200 {
        form.error = Some("the multipart boundary is empty or too long");
        return None;
    }
    Some(value.to_vec())
}

/// Reads name and file name from the part's `Content-Disposition`.
fn disposition(part: &mut Part, form: &mut Form) {
    let header = part.headers.iter().find_map(|header| {
        let colon = header.iter().position(|byte| *byte == b':')?;
        let (name, value) = header.split_at(colon);
        name.trim_ascii()
            .eq_ignore_ascii_case(b"content-disposition")
            .then(|| value.get(1..).unwrap_or_default().to_vec())
    });
    let Some(header) = header else {
        form.invalid_part = true;
        return;
    };
    let mut rest = header.trim_ascii();
    let kind = rest.iter().position(|byte| matches!(byte, b';' | b' ' | b'\t')).unwrap_or(rest.len());
    form.invalid_part |= !rest.get(..kind).unwrap_or_default().eq_ignore_ascii_case(b"form-data");
    rest = rest.get(kind..).unwrap_or_default();
    let mut named = false;
    loop {
        rest = rest.trim_ascii_start();
        if rest.is_empty() {
            break;
        }
        match rest.strip_prefix(b";") {
            Some(tail) => rest = tail.trim_ascii_start(),
            None => form.missing_semicolon = true,
        }
        if rest.is_empty() {
            break;
        }
        let length = rest.iter().position(|byte| matches!(byte, b'=' | b';' | b' ' | b'\t')).unwrap_or(rest.len());
        let (key, tail) = rest.split_at(length);
        let Some(tail) = tail.trim_ascii_start().strip_prefix(b"=").map(<[u8]>::trim_ascii_start) else {
            form.invalid_part = true;
            rest = tail.get(1..).unwrap_or_default();
            continue;
        };
        let (value, tail) = parameter(tail, form);
        rest = tail;
        match key.to_ascii_lowercase().as_slice() {
            b"name" => {
                form.invalid_part |= named;
                named = true;
                part.name = value;
            }
            b"filename" => {
                form.invalid_part |= part.filename.is_some();
                part.filename = Some(value);
            }
            // The extended form (`filename*=utf-8''x`): what stands after the last quote.
            b"filename*" => {
                let encoded = value.rsplit(|byte| *byte == b'\'').next().unwrap_or_default();
                let mut decoded = Vec::new();
                crate::seclang::transform::Transformation::UrlDecode.apply(encoded, &mut decoded);
                part.filename.get_or_insert(decoded);
            }
            _ => {}
        }
    }
    form.invalid_part |= !named;
}

/// A parameter's value, quoted or not, and what follows it.
fn parameter<'a>(text: &'a [u8], form: &mut Form) -> (Vec<u8>, &'a [u8]) {
    match text.first() {
        Some(b'"') => {
            let mut value = Vec::new();
            let mut at = 1;
            loop {
                match (text.get(at), text.get(at + 1)) {
                    (Some(b'\\'), Some(next @ (b'"' | b'\\'))) => {
                        value.push(*next);
                        at += 2;
                    }
                    (Some(b'"'), _) => return (value, text.get(at + 1..).unwrap_or_default()),
                    (Some(byte), _) => {
                        value.push(*byte);
                        at += 1;
                    }
                    (None, _) => {
                        form.invalid_quoting = true;
                        return (value, b"");
                    }
                }
            }
        }
        first => {
            form.invalid_quoting |= first == Some(&b'\'');
            let end = text.iter().position(|byte| matches!(byte, b';' | b' ' | b'\t')).unwrap_or(text.len());
            let (value, tail) = text.split_at(end);
            (value.to_vec(), tail)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &[u8] = b"multipart/form-data; boundary=b0";

    #[test]
    fn parts_of_an_honest_form() {
        let body = b"--b0\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nA\r\nB\r\n--b0\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a \\\"b\\\".txt\"\r\nContent-Type: text/plain\r\n\r\nx\r\n--b0--\r\n";
        let form = read(TYPE, body, 10);
        assert!(!form.strict_error(), "{form:?}");
        assert_eq!(form.parts[0].content, b"A\r\nB");
        assert_eq!(form.parts[1].filename.as_deref(), Some(&b"a \"b\".txt"[..]));
        assert_eq!(form.parts[1].headers[1], b"Content-Type: text/plain");
    }

    #[test]
    fn what_is_odd_is_flagged() {
        let flagged = |content_type: &[u8], body: &[u8]| read(content_type, body, 1);
        let part = b"--b0\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b0--\r\n";
        assert!(flagged(b"multipart/form-data; boundary=\"b0\"", part).boundary_quoted);
        assert!(flagged(b"multipart/form-data boundary=b0", part).missing_semicolon);
        assert!(flagged(TYPE, &[b"x\r\n", &part[..]].concat()).data_before);
        assert!(flagged(TYPE, &[&part[..], b"x"].concat()).data_after);
        assert!(flagged(TYPE, b"--b0\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1").error.is_some());
        assert!(flagged(TYPE, b"--b0\nContent-Disposition: form-data; name=\"a\"\n\n1\n--b0--\n").lf_line);
        assert!(
            flagged(TYPE, b"--b0\r\nContent-Disposition: form-data;\r\n name='a'\r\n\r\n1\r\n--b0--\r\n")
                .header_folding
        );
        assert!(
            flagged(TYPE, b"--b0\r\nContent-Disposition: form-data; name='a'\r\n\r\n1\r\n--b0--\r\n").invalid_quoting
        );
        assert!(flagged(TYPE, b"--b0\r\n\r\n1\r\n--b0--\r\n").invalid_part);
        assert!(
            flagged(TYPE, b"--b0\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n--xb0\r\n--b0--\r\n")
                .unmatched_boundary
        );
    }
}
