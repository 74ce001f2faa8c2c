//! The wrappings a string can come in, one function each: `Some` only where the wrapping is really there.
//!
//! Every function is one linear pass and gives back at most as many bytes as it was given. How often they are applied
//! to each other's results is [`crate::walk`]'s to bound. JSON is not here: the walk reads it in place.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// `%2e`, `%u002e`, and UTF-8 longer than need be (`%c0%ae`), which old decoders take for a dot.
pub fn percent(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut changed = false;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte == b'%' {
            if let Some(value) = hex(bytes, at + 1, 2) {
                out.push(value as u8);
                changed = true;
                at += 3;
                continue;
            }
            if matches!(bytes.get(at + 1), Some(b'u' | b'U'))
                && let Some(value) = hex(bytes, at + 2, 4)
            {
                push_character(&mut out, value);
                changed = true;
                at += 6;
                continue;
            }
        }
        out.push(byte);
        at += 1;
    }
    changed.then(|| text_of(shorten(out)))
}

/// `&lt;`, `&#60;`, `&#x3c`, with or without the semicolon, as browsers take them.
pub fn html(text: &str) -> Option<String> {
    const NAMED: [(&str, char); 28] = [
        ("lt", '<'),
        ("gt", '>'),
        ("quot", '"'),
        ("apos", '\''),
        ("amp", '&'),
        ("colon", ':'),
        ("semi", ';'),
        ("sol", '/'),
        ("bsol", '\\'),
        ("lpar", '('),
        ("rpar", ')'),
        ("lbrace", '{'),
        ("lcub", '{'),
        ("rbrace", '}'),
        ("rcub", '}'),
        ("lsqb", '['),
        ("rsqb", ']'),
        ("grave", '`'),
        ("equals", '='),
        ("dollar", '$'),
        ("period", '.'),
        ("comma", ','),
        ("excl", '!'),
        ("num", '#'),
        ("vert", '|'),
        ("tab", '\t'),
        ("newline", '\n'),
        ("nbsp", ' '),
    ];
    let mut out = String::with_capacity(text.len());
    let mut changed = false;
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        let (before, entity) = rest.split_at(start);
        out.push_str(before);
        let body = entity.get(1..).unwrap_or_default();
        let (character, length) = if let Some(number) = body.strip_prefix('#') {
            let (digits, radix, skip) = match number.as_bytes().first() {
                Some(b'x' | b'X') => (number.get(1..).unwrap_or_default(), 16, 2),
                _ => (number, 10, 1),
            };
            let length = digits.bytes().take(12).take_while(|byte| char::from(*byte).is_digit(radix)).count();
            let value = digits.get(..length).and_then(|digits| u32::from_str_radix(digits, radix).ok());
            (value.and_then(char::from_u32), skip + length)
        } else {
            // Longest names first would matter only if one were the beginning of another that follows it here.
            let length = body.bytes().take(10).take_while(u8::is_ascii_alphabetic).count();
            let name = body.get(..length).unwrap_or_default();
            let exact = NAMED.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            // `&notit=1` in a query is no entity; only those four work without a semicolon.
            let open = body.as_bytes().get(length) != Some(&b';');
            let allowed = exact.filter(|(known, _)| !open || matches!(*known, "lt" | "gt" | "quot" | "amp"));
            (allowed.map(|(_, character)| *character), length)
        };
        match character {
            Some(character) => {
                out.push(character);
                changed = true;
                let after = body.get(length..).unwrap_or_default();
                rest = after.strip_prefix(';').unwrap_or(after);
            }
            None => {
                out.push('&');
                rest = body;
            }
        }
    }
    out.push_str(rest);
    changed.then_some(out)
}

/// `\u0027`, `\u{27}`, `\x27`, `\47`: the escapes of JavaScript, Python and shells.
pub fn escapes(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut changed = false;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte == b'\\' {
            let (value, length) = match bytes.get(at + 1) {
                Some(b'u' | b'U') if bytes.get(at + 2) == Some(&b'{') => {
                    let digits = bytes.iter().skip(at + 3).take(7).position(|byte| *byte == b'}').unwrap_or(0);
                    (hex(bytes, at + 3, digits), digits + 4)
                }
                Some(b'u') => (hex(bytes, at + 2, 4), 6),
                Some(b'U') => (
                    hex(bytes, at + 2, 8).or_else(|| hex(bytes, at + 2, 4)),
                    if hex(bytes, at + 2, 8).is_some() { 10 } else { 6 },
                ),
                Some(b'x' | b'X') => (hex(bytes, at + 2, 2), 4),
                Some(b'0'..=b'3') => {
                    let digits = bytes
                        .get(at + 1..at + 4)
                        .filter(|digits| digits.iter().all(|digit| matches!(digit, b'0'..=b'7')));
                    let value =
                        digits.map(|digits| digits.iter().fold(0, |sum, digit| sum * 8 + u32::from(digit - b'0')));
                    (value, 4)
                }
                _ => (None, 0),
            };
            if let Some(value) = value {
                push_character(&mut out, value);
                changed = true;
                at += length;
                continue;
            }
        }
        out.push(byte);
        at += 1;
    }
    changed.then(|| text_of(out))
}

/// The pairs of a form, names and values decoded. `None` when `text` is no form.
pub fn form(text: &str) -> Option<Vec<(String, String)>> {
    if !text.contains('=') {
        return None;
    }
    let piece = |raw: &str| {
        let spaced = raw.replace('+', " ");
        percent(&spaced).unwrap_or(spaced)
    };
    Some(
        text.split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                pair.split_once('=')
                    .map_or_else(|| (piece(pair), String::new()), |(name, value)| (piece(name), piece(value)))
            })
            .collect(),
    )
}

/// The query of an address, or the whole of a text that has the shape of a form.
pub fn form_part(text: &str) -> Option<&str> {
    let part = text.split_once('?').map_or(text, |(_, query)| query);
    let part = part.split('#').next().unwrap_or_default();
    let shaped =
        part.contains('=') && part.bytes().any(|byte| matches!(byte, b'+' | b'&' | b'%')) && !part.contains(' ');
    let name = part.split('=').next().unwrap_or_default();
    (shaped && name.len() <= 128 && !name.contains(['/', '<', '"'])).then_some(part)
}

/// Values that stand behind a name and an equals sign anywhere in a text and look wrapped themselves: cookies, parameters
/// of headers, forms with spaces. Gives name and value, percent-encoding taken off; plain values are left out, for they
/// have been seen as part of the text.
pub fn wrapped_values(text: &str) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let equals = at + text.get(at..)?.find('=')?;
            let name = text.get(at..equals)?;
            let name =
                name.rsplit(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '[' | ']'))).next()?;
            let after = text.get(equals + 1..)?;
            let quotes = usize::from(after.starts_with('"'));
            let value = after.get(quotes..)?;
            let json = value.starts_with(['{', '[']);
            let ends = |c: char| {
                matches!(c, ';' | '&') || (!json && (c.is_whitespace() || matches!(c, ',' | '"' | '\'' | '<' | '>')))
            };
            let value = value.get(..value.find(ends).unwrap_or(value.len()))?;
            at = equals + 1 + quotes + value.len();
            if name.is_empty() || name.len() > 128 || value.len() < 8 {
                continue;
            }
            let value = if value.contains('%') {
                percent(value).map_or(Cow::Borrowed(value), Cow::Owned)
            } else {
                value.into()
            };
            let wrapping =
                |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=' | b'.');
            if value.starts_with(['{', '[', '"']) || (value.len() >= MIN_BASE64 && value.bytes().all(wrapping)) {
                return Some((name, value));
            }
        }
    })
}

/// Shorter than this, base64 is indistinguishable from words and holds no injection worth the name.
pub const MIN_BASE64: usize = 12;

/// What base64 turned out to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decoded {
    /// Text, nearly all of it printable.
    Text(String),
    /// Bytes that begin like a serialised object.
    Binary(Vec<u8>),
}

/// Base64, standard or for addresses, padded or not, in one line or many; also after `data:…;base64,` or `Basic `.
pub fn base64(text: &str) -> Option<Decoded> {
    let text = text.trim();
    let body = match text.split_once(";base64,") {
        Some((head, body)) if head.starts_with("data:") => body,
        _ => text.strip_prefix("Basic ").or_else(|| text.strip_prefix("basic ")).unwrap_or(text),
    };
    if body.len() < MIN_BASE64 {
        return None;
    }
    let mut upper_or_digit = false;
    let mut dirty = false;
    for byte in body.bytes() {
        match byte {
            b'a'..=b'z' | b'=' => {}
            b'A'..=b'Z' | b'0'..=b'9' => upper_or_digit = true,
            b'+' | b'/' | b'-' | b'_' => {}
            b'\r' | b'\n' => dirty = true,
            _ => return None,
        }
    }
    if !upper_or_digit {
        return None;
    }
    let clean: Cow<'_, str> =
        if dirty { body.chars().filter(|c| !c.is_ascii_whitespace()).collect::<String>().into() } else { body.into() };
    // Images and random identifiers show within their first bytes that they are no text.
    let head = decode(clean.get(..clean.len().min(64)).map(|head| head.get(..head.len() / 4 * 4).unwrap_or(head))?)?;
    if is_payload(&head) {
        return decode(&clean).map(Decoded::Binary);
    }
    if !printable(&head) {
        return None;
    }
    let bytes = decode(&clean)?;
    // UTF-16, as PowerShell takes its commands.
    if bytes.len() >= 8 && bytes.iter().skip(1).step_by(2).all(|byte| *byte == 0) {
        return Some(Decoded::Text(bytes.iter().step_by(2).map(|byte| char::from(*byte)).collect()));
    }
    printable(&bytes).then(|| Decoded::Text(text_of(bytes)))
}

/// Hexadecimal digits of bytes that begin like a serialised object. Other bytes have too many honest meanings.
pub fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim();
    let digits = digits.strip_prefix("0x").unwrap_or(digits);
    // The first byte of every format in question, before any work.
    let opens = matches!(digits.as_bytes(), [b'a' | b'A', b'c' | b'C', ..] | [b'8' | b'0', b'0' | b'4', ..]);
    if digits.len() < 16 || !digits.len().is_multiple_of(2) || !opens {
        return None;
    }
    let bytes = digits.as_bytes();
    let head: Vec<u8> = (0..8).map_while(|index| hex(bytes, index * 2, 2)).map(|value| value as u8).collect();
    if !is_payload(&head) {
        return None;
    }
    (0..bytes.len() / 2).map(|index| hex(bytes, index * 2, 2).map(|value| value as u8)).collect()
}

/// The bytes of a text whose characters stand for one byte each, where they begin like a serialised object: what
/// `\x80\x04\x95…` becomes without its escapes.
pub fn latin(text: &str) -> Option<Vec<u8>> {
    if !text.starts_with(['\u{80}', '\u{ac}']) {
        return None;
    }
    let bytes = text.chars().map(|character| u8::try_from(character).ok()).collect::<Option<Vec<u8>>>()?;
    is_payload(&bytes).then_some(bytes)
}

/// The parts of a JSON Web Token that hold claims: header and payload.
pub fn token(text: &str) -> Option<[String; 2]> {
    let text = text.strip_prefix("Bearer ").unwrap_or(text).trim();
    if !text.starts_with("eyJ") {
        return None;
    }
    let mut parts = text.split('.');
    let (head, claims, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    let part = |part: &str| decode(part).and_then(|bytes| String::from_utf8(bytes).ok());
    Some([part(head)?, part(claims).unwrap_or_default()])
}

/// Whether bytes begin as a serialised object of Java, Python, .NET or Ruby does.
fn is_payload(head: &[u8]) -> bool {
    matches!(head, [0xac, 0xed, 0, 5, ..] | [0x80, 2..=5, ..] | [0, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, ..])
        || matches!(head, [4, 8, b'o' | b'[' | b'{' | b'I' | b'c' | b'e' | b'U' | b'u', ..])
}

fn decode(text: &str) -> Option<Vec<u8>> {
    const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CONFIG);
    const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, CONFIG);
    if text.contains(['-', '_']) { URL_SAFE.decode(text) } else { STANDARD.decode(text) }.ok()
}

/// Whether at least nineteen of twenty bytes belong to text (a character may be cut off at the end).
fn printable(bytes: &[u8]) -> bool {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            bytes.get(..error.valid_up_to()).and_then(|valid| std::str::from_utf8(valid).ok()).unwrap_or_default()
        }
        Err(_) => {
            // UTF-16 fails only the count of control characters below; anything else is not text.
            return false;
        }
    };
    let zeros = bytes.iter().filter(|byte| **byte == 0).count();
    if zeros > 0
        && zeros == bytes.iter().skip(1).step_by(2).filter(|byte| **byte == 0).count()
        && zeros >= bytes.len() / 2
    {
        return true;
    }
    let odd = text.chars().filter(|character| character.is_control() && !character.is_ascii_whitespace()).count();
    !text.is_empty() && odd * 20 <= text.len()
}

/// Hexadecimal digits at `at`, exactly `count` of them.
fn hex(bytes: &[u8], at: usize, count: usize) -> Option<u32> {
    let digits = bytes.get(at..at.checked_add(count)?)?;
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u32, |sum, digit| Some(sum.checked_mul(16)? + char::from(*digit).to_digit(16)?))
}

fn push_character(out: &mut Vec<u8>, value: u32) {
    let character = char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Two and three byte sequences that stand for an ASCII character become that character.
fn shorten(bytes: Vec<u8>) -> Vec<u8> {
    if !bytes.iter().any(|byte| matches!(byte, 0xc0 | 0xc1 | 0xe0)) {
        return bytes;
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let next = |offset: usize| bytes.get(at + offset).filter(|byte| **byte & 0xc0 == 0x80).map(|byte| byte & 0x3f);
        let (value, length) = match byte {
            0xc0 | 0xc1 => (next(1).map(|low| (byte & 1) << 6 | low), 2),
            0xe0 => (next(1).filter(|mid| *mid < 2).and_then(|mid| next(2).map(|low| mid << 6 | low)), 3),
            _ => (None, 0),
        };
        match value {
            Some(value) => {
                out.push(value);
                at += length;
            }
            None => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

fn text_of(bytes: Vec<u8>) -> String {
    // Bytes that are no UTF-8 stay visible as their Latin-1 characters: `%ff` must not swallow what follows it.
    String::from_utf8(bytes).unwrap_or_else(|error| error.into_bytes().into_iter().map(char::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wrapping_comes_off() {
        assert_eq!(percent("%2e%2e%2fetc%00").as_deref(), Some("../etc\0"));
        assert_eq!(percent("%c0%ae%e0%80%af%u002e").as_deref(), Some("./."));
        assert_eq!(percent("100% sure, 5%"), None);
        assert_eq!(html("&lt;b&#62;&#x2F&amp;x").as_deref(), Some("<b>/&x"));
        assert_eq!(html("AT&T and R&D?a=1&lang=de"), None);
        assert_eq!(escapes(r"\u003cs\x63ript\u{3e}\57").as_deref(), Some(r"<script>\57"));
        assert_eq!(escapes(r"C:\Users\me"), None);
        assert_eq!(form("a=1+OR+1%3D1&b").unwrap(), [("a".into(), "1 OR 1=1".into()), ("b".into(), String::new())]);
    }

    #[test]
    fn base64_is_told_from_words_and_images() {
        assert_eq!(base64("JyBvciAxPTEtLQ=="), Some(Decoded::Text("' or 1=1--".into())));
        assert_eq!(base64("JyBvciAxPTEtLQ"), Some(Decoded::Text("' or 1=1--".into())));
        assert_eq!(base64("data:text/plain;base64,PHNjcmlwdD4="), Some(Decoded::Text("<script>".into())));
        assert!(matches!(base64("rO0ABXNyABFqYXZhLnV0aWw="), Some(Decoded::Binary(_))));
        for honest in [
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
            "internationalization",
            "short",
            "/9j/4AAQSkZJRgABAQEAYABgAAD",
        ] {
            assert_eq!(base64(honest), None, "{honest}");
        }
        assert_eq!(base64("aQBkADsAbABzAA=="), Some(Decoded::Text("id;ls".into())), "UTF-16 as PowerShell takes it");
    }

    #[test]
    fn values_behind_names_are_found_where_they_wrap_something() {
        let found = |text| wrapped_values(text).map(|(name, value)| format!("{name}:{value}")).collect::<Vec<_>>();
        assert_eq!(found("sid=abc; prefs=eyJhIjoiYiJ9; lang=en"), ["prefs:eyJhIjoiYiJ9"]);
        assert_eq!(found("a=1&state=eyJhIjoiYiJ9=="), ["state:eyJhIjoiYiJ9=="]);
        assert_eq!(found("cart=%7B%22a%22%3A1%7D; b={\"c\": 2}"), ["cart:{\"a\":1}", "b:{\"c\": 2}"]);
        assert_eq!(found("form-data; token=\"eyJhIjoiYiJ9\"; x=y"), ["token:eyJhIjoiYiJ9"]);
        assert_eq!(found("x = eyJhIjoiYiJ9, 2=2, =a="), [""; 0]);
    }

    #[test]
    fn tokens_show_their_claims() {
        let parts = token("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.sig").unwrap();
        assert_eq!(parts, [r#"{"alg":"none"}"#, r#"{"sub":"1"}"#]);
    }
}
