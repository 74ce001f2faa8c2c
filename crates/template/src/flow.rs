//! A second look at YAML that AWS accepts and the specification doesn't: flow collections and quoted text whose later lines
//! stand further left than the block they are in.
//!
//! Inside brackets and quotes a line break means no more than a space, so it is replaced by one. Every byte keeps its place.

/// The text with the line breaks (and comments) inside brackets and quotes turned into spaces.
pub(crate) fn joined(text: &str) -> String {
    let mut out = text.as_bytes().to_vec();
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut depth = 0_usize;
    // Whether a value may begin here: quotes and brackets mean something only there.
    let mut fresh = true;
    let mut line_start = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\n' if depth > 0 => put_space(&mut out, at),
            b'\n' => {
                fresh = true;
                line_start = at + 1;
            }
            b'\r' if depth > 0 => put_space(&mut out, at),
            b' ' | b'\t' | b'\r' => {}
            b'#' if at == 0 || matches!(bytes.get(at - 1), Some(b' ' | b'\t' | b'\n')) => {
                let end = line_end(bytes, at);
                if depth > 0 {
                    out.iter_mut().take(end).skip(at).for_each(|byte| *byte = b' ');
                }
                at = end;
                continue;
            }
            b'"' | b'\'' if fresh => {
                let end = quoted_end(bytes, at);
                for place in at..end {
                    if matches!(bytes.get(place), Some(b'\n' | b'\r')) {
                        put_space(&mut out, place);
                    }
                }
                at = end;
                fresh = false;
                continue;
            }
            b'[' | b'{' if fresh || depth > 0 => {
                depth += 1;
                fresh = true;
            }
            b']' | b'}' if depth > 0 => {
                depth -= 1;
                fresh = false;
            }
            b',' if depth > 0 => fresh = true,
            b':' if matches!(bytes.get(at + 1), None | Some(b' ' | b'\t' | b'\n' | b'\r'))
                || (depth > 0 && matches!(bytes.get(at + 1), Some(b'"' | b'[' | b'{'))) =>
            {
                fresh = true;
            }
            b'-' if fresh && matches!(bytes.get(at + 1), Some(b' ' | b'\t' | b'\n' | b'\r')) => {}
            b'!' | b'&' if fresh => {
                // A tag or an anchor stands before the value.
                while bytes.get(at).is_some_and(|byte| {
                    !(byte.is_ascii_whitespace() || depth > 0 && matches!(byte, b',' | b']' | b'}'))
                }) {
                    at += 1;
                }
                continue;
            }
            b'|' | b'>' if fresh && depth == 0 => {
                at = block_end(bytes, at, line_start);
                line_start = at;
                fresh = true;
                continue;
            }
            _ => fresh = false,
        }
        at += 1;
    }
    // Only whole ASCII bytes were exchanged, so it is still text.
    String::from_utf8(out).unwrap_or_else(|_| text.to_string())
}

fn put_space(out: &mut [u8], at: usize) {
    if let Some(byte) = out.get_mut(at) {
        *byte = b' ';
    }
}

fn line_end(bytes: &[u8], from: usize) -> usize {
    bytes.iter().skip(from).position(|byte| *byte == b'\n').map_or(bytes.len(), |length| from + length)
}

/// One past the closing quote of what opens at `from`.
fn quoted_end(bytes: &[u8], from: usize) -> usize {
    let quote = bytes.get(from).copied().unwrap_or(b'"');
    let mut at = from + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' if quote == b'"' => at += 1,
            _ if byte == quote => {
                if quote == b'\'' && bytes.get(at + 1) == Some(&b'\'') {
                    at += 1;
                } else {
                    return at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// Where a block scalar ends: the first line that is not further right than the one its header stands on.
fn block_end(bytes: &[u8], header: usize, line_start: usize) -> usize {
    let indent = |start: usize| bytes.iter().skip(start).take_while(|byte| **byte == b' ').count();
    let base = indent(line_start);
    let mut at = line_end(bytes, header) + 1;
    while at < bytes.len() {
        let end = line_end(bytes, at);
        let blank = bytes.get(at..end).is_none_or(|line| line.iter().all(u8::is_ascii_whitespace));
        if !blank && indent(at) <= base {
            return at;
        }
        at = end + 1;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breaks_inside_brackets_and_quotes_become_spaces_and_nothing_moves() {
        let text = "a: [x, # one\n y\n]\nb: 'it''s\n two'\nc: don't [\nd: !Sub \"{\n}\"\n";
        let joined = joined(text);
        assert_eq!(joined, "a: [x,        y ]\nb: 'it''s  two'\nc: don't [\nd: !Sub \"{ }\"\n");
        assert_eq!(joined.len(), text.len());
    }

    #[test]
    fn block_scalars_are_left_alone() {
        let text = "a: |\n  [ {\n  '\nb: {x:\n1}\n";
        assert_eq!(joined(text), "a: |\n  [ {\n  '\nb: {x: 1}\n");
    }
}
