//! JSON request bodies: one walk without a tree, each leaf handed over under its path.

use crate::seclang::transform::hex;

/// Walks a JSON text and hands over its leaves: `json.items.array_0.name` and the value, strings decoded, other scalars
/// as written, `null` empty. An array comes once more under its own path, with the number of its items.
///
/// # Errors
/// What is malformed, or which limit the text exceeds; leaves before it have been handed over.
pub(crate) fn read(
    text: &[u8],
    max_depth: usize,
    leaf: &mut dyn FnMut(&[u8], &[u8]) -> bool,
) -> Result<(), &'static str> {
    let mut walk = Walk { text, at: 0, path: b"json".to_vec(), scratch: Vec::new(), leaf };
    walk.space();
    if walk.at >= text.len() {
        return Ok(());
    }
    walk.document(max_depth)?;
    walk.space();
    if walk.at < text.len() { Err("something follows the JSON value") } else { Ok(()) }
}

struct Walk<'a, 'b> {
    text: &'a [u8],
    at: usize,
    path: Vec<u8>,
    scratch: Vec<u8>,
    leaf: &'b mut dyn FnMut(&[u8], &[u8]) -> bool,
}

/// A container that is open: where its path ends, and for an array the index of the next item.
struct Open {
    path: usize,
    array: Option<usize>,
}

impl Walk<'_, '_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn document(&mut self, max_depth: usize) -> Result<(), &'static str> {
        let mut open: Vec<Open> = Vec::new();
        loop {
            // A value starts here.
            self.space();
            match self.peek() {
                Some(first @ (b'{' | b'[')) => {
                    if open.len() >= max_depth {
                        return Err("JSON nested too deeply");
                    }
                    self.at += 1;
                    open.push(Open { path: self.path.len(), array: (first == b'[').then_some(0) });
                    self.space();
                    let close = if first == b'[' { b']' } else { b'}' };
                    if self.peek() != Some(close) {
                        self.name(&mut open)?;
                        continue;
                    }
                }
                Some(b'"') => {
                    let mut value = std::mem::take(&mut self.scratch);
                    self.string(&mut value)?;
                    let go_on = (self.leaf)(&self.path, &value);
                    self.scratch = value;
                    if !go_on {
                        return Err("too many arguments");
                    }
                }
                Some(_) => {
                    let start = self.at;
                    while self
                        .peek()
                        .is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
                    {
                        self.at += 1;
                    }
                    let value = self.text.get(start..self.at).unwrap_or_default();
                    let value = match value {
                        b"null" => b"",
                        b"true" | b"false" => value,
                        _ if is_number(value) => value,
                        _ => return Err("not a JSON value"),
                    };
                    if !(self.leaf)(&self.path, value) {
                        return Err("too many arguments");
                    }
                }
                None => return Err("the JSON text ends too early"),
            }
            // What follows a value: closing brackets, then a comma and the next value.
            loop {
                self.space();
                let Some(top) = open.last() else { return Ok(()) };
                self.path.truncate(top.path);
                match (self.peek(), top.array.is_some()) {
                    (Some(b','), _) => {
                        self.at += 1;
                        self.space();
                        self.name(&mut open)?;
                        break;
                    }
                    (Some(b']'), true) | (Some(b'}'), false) => {
                        self.at += 1;
                        let items = top.array;
                        open.pop();
                        if items.is_some_and(|items| !(self.leaf)(&self.path, items.to_string().as_bytes())) {
                            return Err("too many arguments");
                        }
                    }
                    (None, _) => return Err("the JSON text ends too early"),
                    _ => return Err("a comma or a closing bracket is missing in JSON"),
                }
            }
        }
    }

    /// Adds what the next value is called to the path: an index, or the key that stands here.
    fn name(&mut self, open: &mut [Open]) -> Result<(), &'static str> {
        let Some(top) = open.last_mut() else { return Ok(()) };
        self.path.truncate(top.path);
        match &mut top.array {
            Some(index) => {
                self.path.extend_from_slice(b".array_");
                self.path.extend_from_slice(index.to_string().as_bytes());
                *index += 1;
            }
            None => {
                if self.peek() != Some(b'"') {
                    return Err("a key is missing in JSON");
                }
                let mut key = std::mem::take(&mut self.scratch);
                self.string(&mut key)?;
                self.path.push(b'.');
                self.path.extend_from_slice(&key);
                self.scratch = key;
                self.space();
                if self.peek() != Some(b':') {
                    return Err("a colon is missing in JSON");
                }
                self.at += 1;
            }
        }
        Ok(())
    }

    /// Reads the string that starts here.
    fn string(&mut self, out: &mut Vec<u8>) -> Result<(), &'static str> {
        out.clear();
        self.at += 1;
        loop {
            let start = self.at;
            while self.peek().is_some_and(|byte| byte != b'"' && byte != b'\\' && byte >= 0x20) {
                self.at += 1;
            }
            out.extend_from_slice(self.text.get(start..self.at).unwrap_or_default());
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => {
                    self.at += 1;
                    self.escape(out)?;
                }
                Some(_) => return Err("a control character in a JSON string"),
                None => return Err("a JSON string is never closed"),
            }
        }
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Result<(), &'static str> {
        let byte = self.peek().ok_or("a JSON string is never closed")?;
        self.at += 1;
        out.push(match byte {
            b'"' | b'\\' | b'/' => byte,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let mut code = u32::from(self.code()?);
                if (0xd800..0xdc00).contains(&code) && self.text.get(self.at..self.at + 2) == Some(b"\\u") {
                    self.at += 2;
                    let low = u32::from(self.code()?);
                    code = if (0xdc00..0xe000).contains(&low) {
                        0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00)
                    } else {
                        low
                    };
                }
                let character = char::from_u32(code).unwrap_or('?');
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                return Ok(());
            }
            _ => return Err("an unknown escape in a JSON string"),
        });
        Ok(())
    }

    fn code(&mut self) -> Result<u16, &'static str> {
        let digits = self.text.get(self.at..self.at + 4).ok_or("a JSON string is never closed")?;
        self.at += 4;
        digits
            .iter()
            .try_fold(0u16, |code, digit| Some(code << 4 | u16::from(hex(*digit)?)))
            .ok_or("a bad escape in a JSON string")
    }
}

fn is_number(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut rest = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest.first() == Some(&b'0')) {
        return false;
    }
    rest = rest.get(whole..).unwrap_or_default();
    if let Some(fraction) = rest.strip_prefix(b".") {
        let count = digits(fraction);
        if count == 0 {
            return false;
        }
        rest = fraction.get(count..).unwrap_or_default();
    }
    match rest {
        [] => true,
        [b'e' | b'E', exponent @ ..] => {
            let exponent = exponent.strip_prefix(b"+").or(exponent.strip_prefix(b"-")).unwrap_or(exponent);
            !exponent.is_empty() && digits(exponent) == exponent.len()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(text: &str) -> (Vec<String>, Result<(), &'static str>) {
        let mut out = Vec::new();
        let result = read(text.as_bytes(), 8, &mut |name, value| {
            out.push(format!("{}={}", String::from_utf8_lossy(name), String::from_utf8_lossy(value)));
            true
        });
        (out, result)
    }

    #[test]
    fn leaves_carry_their_paths() {
        let (out, result) = leaves(r#" {"a":{"b":[1,"x\u00e9\ud83d\ude00\n",{"c":null}]},"d":true,"e":[],"f":{} } "#);
        assert_eq!(result, Ok(()));
        assert_eq!(
            out,
            [
                "json.a.b.array_0=1",
                "json.a.b.array_1=xé😀\n",
                "json.a.b.array_2.c=",
                "json.a.b=3",
                "json.d=true",
                "json.e=0"
            ]
        );
        assert_eq!(leaves("[\"x\"]").0, ["json.array_0=x", "json=1"]);
        assert_eq!(leaves("7").0, ["json=7"]);
    }

    #[test]
    fn what_is_malformed_is_told_and_what_came_before_is_kept() {
        for text in
            ["{", "{\"a\":1,}", "[1 2]", "{\"a\" 1}", "\"\\x\"", "01", "nul", "{}{}", "[[[[[[[[[1]]]]]]]]]", "\"a\nb\""]
        {
            assert!(leaves(text).1.is_err(), "{text}");
        }
        assert_eq!(leaves("{\"a\":1,\"b\":").0, ["json.a=1"]);
    }
}
