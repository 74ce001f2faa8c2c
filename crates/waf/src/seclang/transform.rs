//! Transformations: what `t:` names, each a function from bytes to bytes.
//!
//! Each also says which bytes a value must hold to be changed at all, so that the engine leaves an honest value where
//! it is: [`Transformation::touches`] is empty for "never" and full for "always".

use super::bytes::ByteSet;
use super::digest;
use super::ordinary::weight;

macro_rules! transformations {
    ($($(#[$doc:meta])* $name:ident = $($text:literal)|+;)*) => {
        /// A transformation, by its SecLang name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        pub(crate) enum Transformation { $($(#[$doc])* $name,)* }

        impl Transformation {
            /// The transformation called `name`, in any case.
            pub(crate) fn named(name: &str) -> Option<Transformation> {
                let name = name.to_ascii_lowercase();
                match name.as_str() {
                    $($($text)|+ => Some(Transformation::$name),)*
                    _ => None,
                }
            }
        }
    };
}

transformations! {
    Base64Decode = "base64decode";
    Base64DecodeExt = "base64decodeext";
    Base64Encode = "base64encode";
    CmdLine = "cmdline";
    CompressWhitespace = "compresswhitespace";
    CssDecode = "cssdecode";
    EscapeSeqDecode = "escapeseqdecode";
    HexDecode = "hexdecode";
    HexEncode = "hexencode";
    HtmlEntityDecode = "htmlentitydecode";
    JsDecode = "jsdecode";
    Length = "length";
    Lowercase = "lowercase";
    Uppercase = "uppercase";
    Md5 = "md5";
    NormalizePath = "normalizepath" | "normalisepath";
    NormalizePathWin = "normalizepathwin" | "normalisepathwin";
    ParityEven = "parityeven7bit";
    ParityOdd = "parityodd7bit";
    ParityZero = "parityzero7bit";
    RemoveCommentsChar = "removecommentschar";
    RemoveComments = "removecomments";
    RemoveNulls = "removenulls";
    RemoveWhitespace = "removewhitespace";
    ReplaceComments = "replacecomments";
    ReplaceNulls = "replacenulls";
    Sha1 = "sha1";
    SqlHexDecode = "sqlhexdecode";
    Trim = "trim";
    TrimLeft = "trimleft";
    TrimRight = "trimright";
    UrlDecode = "urldecode";
    UrlDecodeUni = "urldecodeuni";
    UrlEncode = "urlencode";
    Utf8ToUnicode = "utf8tounicode";
}

const UPPER: ByteSet = ByteSet::range(b'A', b'Z');
const LOWER: ByteSet = ByteSet::range(b'a', b'z');
const WIDE: ByteSet = ByteSet::range(128, 255);
const SPACE: ByteSet = ByteSet::of(b" \t\n\r\x0b\x0c\xa0");

/// 1 for every byte but white space.
const KEPT: [u8; 256] = {
    let mut kept = [1; 256];
    let mut byte = 0;
    while byte < 256 {
        if matches!(byte as u8, b' ' | b'\t'..=b'\r' | 0xa0) {
            kept[byte] = 0;
        }
        byte += 1;
    }
    kept
};

/// Whether `removeWhitespace` removes a byte.
pub(crate) fn is_white_space(byte: u8) -> bool {
    KEPT[usize::from(byte)] == 0
}

/// Whether a text would hold a literal in lower case, whatever the case in the text, if its white space were removed.
pub(crate) fn occurs_spread(text: &[u8], literal: &[u8]) -> bool {
    // Marks are everywhere in markup, whatever is rare elsewhere.
    let rare = |byte: &u8| weight(*byte) + if byte.is_ascii_alphabetic() { 0 } else { 100 };
    let Some((pivot, byte)) = literal.iter().enumerate().min_by_key(|(_, byte)| rare(byte)) else { return true };
    let (before, after) = (literal.get(..pivot).unwrap_or_default(), literal.get(pivot + 1..).unwrap_or_default());
    let kept = |byte: &&u8| !is_white_space(**byte);
    let same = |pair: (&u8, &u8)| pair.0.eq_ignore_ascii_case(pair.1);
    memchr::memchr2_iter(byte.to_ascii_lowercase(), byte.to_ascii_uppercase(), text).any(|at| {
        let left = text.get(..at).unwrap_or_default().iter().rev().filter(kept);
        let right = text.get(at + 1..).unwrap_or_default().iter().filter(kept);
        // The shorter text ends the comparison: what was compared must be all of the literal.
        let left = left.zip(before.iter().rev()).take_while(|pair| same(*pair)).count();
        left == before.len() && right.zip(after).take_while(|pair| same(*pair)).count() == after.len()
    })
}

impl Transformation {
    /// A value without any of these bytes comes out as it went in.
    pub(crate) fn touches(self) -> ByteSet {
        use Transformation as T;
        match self {
            T::Base64Decode
            | T::Base64DecodeExt
            | T::Base64Encode
            | T::HexDecode
            | T::HexEncode
            | T::Length
            | T::Md5
            | T::Sha1
            | T::ParityEven
            | T::ParityOdd => ByteSet::ALL,
            T::ParityZero | T::Utf8ToUnicode => WIDE,
            T::CmdLine => UPPER.or(ByteSet::of(b"\"'\\^,; \t\r\n")),
            T::CompressWhitespace | T::RemoveWhitespace | T::Trim | T::TrimLeft | T::TrimRight => SPACE,
            T::CssDecode | T::EscapeSeqDecode | T::JsDecode => ByteSet::of(b"\\"),
            T::HtmlEntityDecode => ByteSet::of(b"&"),
            T::Lowercase => UPPER,
            T::Uppercase => LOWER,
            T::NormalizePath => ByteSet::of(b"/"),
            T::NormalizePathWin => ByteSet::of(b"/\\"),
            T::RemoveCommentsChar => ByteSet::of(b"*#-"),
            T::RemoveComments => ByteSet::of(b"*#-<"),
            T::ReplaceComments => ByteSet::of(b"*"),
            T::RemoveNulls | T::ReplaceNulls => ByteSet::of(b"\0"),
            T::SqlHexDecode => ByteSet::of(b"xX"),
            T::UrlDecode | T::UrlDecodeUni => ByteSet::of(b"%+"),
            T::UrlEncode => ByteSet::ALL,
        }
    }

    /// [`Transformation::touches`] for someone who doesn't look at the case of letters.
    pub(crate) fn touches_beyond_case(self) -> ByteSet {
        match self {
            Transformation::Lowercase | Transformation::Uppercase => ByteSet::EMPTY,
            Transformation::CmdLine => self.touches().minus(UPPER),
            _ => self.touches(),
        }
    }

    /// The length that an input must have for an output of `length` bytes.
    pub(crate) fn least_input(self, length: usize) -> usize {
        use Transformation as T;
        match self {
            T::Base64Decode | T::Base64DecodeExt => (length * 4).div_ceil(3),
            T::HexDecode => length * 2,
            T::Base64Encode | T::HexEncode | T::UrlEncode | T::Utf8ToUnicode => length / 4,
            T::Length | T::Md5 | T::Sha1 => 0,
            // All others take bytes away or leave their number alone.
            _ => length,
        }
    }

    /// Writes the transformed `input` to `out`, which is cleared first.
    pub(crate) fn apply(self, input: &[u8], out: &mut Vec<u8>) {
        use Transformation as T;
        out.clear();
        match self {
            T::Base64Decode => base64_decode(input, false, out),
            T::Base64DecodeExt => base64_decode(input, true, out),
            T::Base64Encode => {
                use base64::Engine as _;
                out.extend_from_slice(base64::engine::general_purpose::STANDARD.encode(input).as_bytes());
            }
            T::CmdLine => command_line(input, out),
            T::CompressWhitespace => compress_white_space(input, out),
            T::CssDecode => css_decode(input, out),
            T::EscapeSeqDecode => escape_decode(input, out),
            T::HexDecode => {
                for pair in input.chunks(2) {
                    match pair {
                        [high, low] => match (hex(*high), hex(*low)) {
                            (Some(high), Some(low)) => out.push(high << 4 | low),
                            _ => break,
                        },
                        _ => break,
                    }
                }
            }
            T::HexEncode => {
                for byte in input {
                    out.extend_from_slice(&hex_digits(*byte));
                }
            }
            T::HtmlEntityDecode => html_entity_decode(input, out),
            T::JsDecode => js_decode(input, out),
            T::Length => out.extend_from_slice(input.len().to_string().as_bytes()),
            T::Lowercase => out.extend(input.iter().map(u8::to_ascii_lowercase)),
            T::Uppercase => out.extend(input.iter().map(u8::to_ascii_uppercase)),
            T::Md5 => out.extend_from_slice(&digest::md5(input)),
            T::Sha1 => out.extend_from_slice(&digest::sha1(input)),
            T::NormalizePath => normalize_path(input, out),
            T::NormalizePathWin => {
                let slashed: Vec<u8> = input.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect();
                normalize_path(&slashed, out);
            }
            T::ParityEven => out.extend(input.iter().map(|byte| byte & 0x7f | parity(*byte) << 7)),
            T::ParityOdd => out.extend(input.iter().map(|byte| byte & 0x7f | (parity(*byte) ^ 1) << 7)),
            T::ParityZero => out.extend(input.iter().map(|byte| byte & 0x7f)),
            T::RemoveCommentsChar => remove_comment_marks(input, out),
            T::RemoveComments => remove_comments(input, out),
            T::RemoveNulls => out.extend(input.iter().filter(|byte| **byte != 0)),
            T::ReplaceNulls => out.extend(input.iter().map(|byte| if *byte == 0 { b' ' } else { *byte })),
            T::RemoveWhitespace => {
                // Every byte is written, and the next one over it when it was a space.
                out.resize(input.len(), 0);
                let mut length = 0;
                for &byte in input {
                    if let Some(place) = out.get_mut(length) {
                        *place = byte;
                    }
                    length += usize::from(KEPT[usize::from(byte)]);
                }
                out.truncate(length);
            }
            T::ReplaceComments => replace_comments(input, out),
            T::SqlHexDecode => sql_hex_decode(input, out),
            T::Trim => out.extend_from_slice(trim_right(trim_left(input))),
            T::TrimLeft => out.extend_from_slice(trim_left(input)),
            T::TrimRight => out.extend_from_slice(trim_right(input)),
            T::UrlDecode => {
                url_decode(input, out);
            }
            T::UrlDecodeUni => url_decode_uni(input, out),
            T::UrlEncode => {
                for &byte in input {
                    if byte.is_ascii_alphanumeric() || byte == b'*' || byte == b'-' || byte == b'_' {
                        out.push(byte);
                    } else if byte == b' ' {
                        out.push(b'+');
                    } else {
                        out.push(b'%');
                        out.extend_from_slice(&hex_digits(byte));
                    }
                }
            }
            T::Utf8ToUnicode => utf8_to_unicode(input, out),
        }
    }
}

/// C's white space and the no-break space of Latin-1.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r' | 0xa0)
}

fn trim_left(input: &[u8]) -> &[u8] {
    let start = input.iter().position(|byte| !is_space(*byte)).unwrap_or(input.len());
    input.get(start..).unwrap_or_default()
}

fn trim_right(input: &[u8]) -> &[u8] {
    let end = input.iter().rposition(|byte| !is_space(*byte)).map_or(0, |last| last + 1);
    input.get(..end).unwrap_or_default()
}

fn parity(byte: u8) -> u8 {
    (byte & 0x7f).count_ones() as u8 & 1
}

pub(crate) fn hex(byte: u8) -> Option<u8> {
    (byte as char).to_digit(16).map(|digit| digit as u8)
}

fn hex_digits(byte: u8) -> [u8; 2] {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]
}

/// The byte two hexadecimal digits at `at` stand for.
fn hex_byte(input: &[u8], at: usize) -> Option<u8> {
    Some(hex(*input.get(at)?)? << 4 | hex(*input.get(at + 1)?)?)
}

fn hex_word(input: &[u8], at: usize) -> Option<u16> {
    Some(u16::from(hex_byte(input, at)?) << 8 | u16::from(hex_byte(input, at + 2)?))
}

/// Stops at the first character that doesn't belong; with `lenient` skips such characters.
fn base64_decode(input: &[u8], lenient: bool, out: &mut Vec<u8>) {
    let (mut bits, mut held) = (0u32, 0);
    for &byte in input {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ if lenient => continue,
            _ => break,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
        }
    }
}

/// Takes away what a command interpreter would not see.
fn command_line(input: &[u8], out: &mut Vec<u8>) {
    for &byte in input {
        match byte {
            b'"' | b'\'' | b'\\' | b'^' => {}
            b' ' | b',' | b';' | b'\t' | b'\r' | b'\n' => {
                if out.last() != Some(&b' ') {
                    out.push(b' ');
                }
            }
            b'/' | b'(' => {
                if out.last() == Some(&b' ') {
                    out.pop();
                }
                out.push(byte);
            }
            _ => out.push(byte.to_ascii_lowercase()),
        }
    }
}

fn compress_white_space(input: &[u8], out: &mut Vec<u8>) {
    let mut before = false;
    for &byte in input {
        let space = is_space(byte);
        if !space {
            out.push(byte);
        } else if !before {
            out.push(b' ');
        }
        before = space;
    }
}

/// Full-width forms (U+FF01 to U+FF5E) become the ASCII character they picture.
fn narrow(code: u16) -> u8 {
    let low = code as u8;
    if (0xff01..=0xff5e).contains(&code) { low.wrapping_add(0x20) } else { low }
}

fn css_decode(input: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(&byte) = input.get(at) {
        at += 1;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let digits = input.iter().skip(at).take(6).take_while(|byte| byte.is_ascii_hexdigit()).count();
        if digits > 0 {
            let code = input.get(at..at + digits).unwrap_or_default().iter();
            let code = code.fold(0u32, |code, digit| code << 4 | u32::from(hex(*digit).unwrap_or(0)));
            // Longer escapes keep the low byte, except for the full-width forms.
            let narrowed = if digits >= 4 && code <= 0xffff { narrow(code as u16) } else { code as u8 };
            out.push(narrowed);
            at += digits;
            if input.get(at).is_some_and(|next| matches!(next, b' ' | b'\t'..=b'\r')) {
                at += 1;
            }
        } else {
            match input.get(at) {
                // An escaped line break is no character at all.
                Some(b'\n') => at += 1,
                Some(&next) => {
                    out.push(next);
                    at += 1;
                }
                None => {}
            }
        }
    }
}

fn simple_escape(byte: u8) -> Option<u8> {
    Some(match byte {
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        _ => return None,
    })
}

/// An octal escape of up to three digits at `at`: its value and length.
fn octal(input: &[u8], at: usize) -> Option<(u8, usize)> {
    let mut digits = input.iter().skip(at).take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
    if digits == 0 {
        return None;
    }
    if digits == 3 && input.get(at).is_some_and(|first| *first > b'3') {
        digits = 2;
    }
    let value = input.iter().skip(at).take(digits).fold(0u32, |value, digit| value * 8 + u32::from(digit - b'0'));
    Some((value as u8, digits))
}

fn escape_decode(input: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(&byte) = input.get(at) {
        at += 1;
        let Some(&next) = input.get(at).filter(|_| byte == b'\\') else {
            out.push(byte);
            continue;
        };
        if let Some(code) = simple_escape(next) {
            out.push(code);
            at += 1;
        } else if let Some(code) = hex_byte(input, at + 1).filter(|_| matches!(next, b'x' | b'X')) {
            out.push(code);
            at += 3;
        } else if let Some((code, digits)) = octal(input, at) {
            out.push(code);
            at += digits;
        } else {
            out.push(next);
            at += 1;
        }
    }
}

fn js_decode(input: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(&byte) = input.get(at) {
        at += 1;
        let Some(&next) = input.get(at).filter(|_| byte == b'\\') else {
            out.push(byte);
            continue;
        };
        if let Some(code) = hex_word(input, at + 1).filter(|_| next == b'u') {
            out.push(narrow(code));
            at += 5;
        } else if let Some(code) = hex_byte(input, at + 1).filter(|_| next == b'x') {
            out.push(code);
            at += 3;
        } else if let Some((code, digits)) = octal(input, at) {
            out.push(code);
            at += digits;
        } else {
            out.push(simple_escape(next).unwrap_or(next));
            at += 1;
        }
    }
}

fn html_entity_decode(input: &[u8], out: &mut Vec<u8>) {
    const NAMES: [(&[u8], u8); 6] =
        [(b"quot", b'"'), (b"amp", b'&'), (b"lt", b'<'), (b"gt", b'>'), (b"nbsp", 0xa0), (b"apos", b'\'')];
    let mut at = 0;
    while let Some(&byte) = input.get(at) {
        at += 1;
        if byte != b'&' {
            out.push(byte);
            continue;
        }
        let rest = input.get(at..).unwrap_or_default();
        let (code, used) = match rest {
            [b'#', b'x' | b'X', digits @ ..] => {
                let count = digits.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
                let code = digits
                    .iter()
                    .take(count)
                    .fold(0u32, |code, digit| code.wrapping_shl(4) | u32::from(hex(*digit).unwrap_or(0)));
                (code, if count == 0 { 0 } else { count + 2 })
            }
            [b'#', digits @ ..] => {
                let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
                let code = digits
                    .iter()
                    .take(count)
                    .fold(0u32, |code, digit| code.wrapping_mul(10).wrapping_add(u32::from(digit - b'0')));
                (code, if count == 0 { 0 } else { count + 1 })
            }
            _ => {
                let length = rest.iter().take(8).take_while(|byte| byte.is_ascii_alphanumeric()).count();
                let name = rest.get(..length).unwrap_or_default();
                NAMES
                    .iter()
                    .find(|(known, _)| name.eq_ignore_ascii_case(known))
                    .map_or((0, 0), |(known, code)| (u32::from(*code), known.len()))
            }
        };
        if used == 0 {
            out.push(b'&');
            continue;
        }
        out.push(code as u8);
        at += used;
        if input.get(at) == Some(&b';') {
            at += 1;
        }
    }
}

/// Resolves `.`, `..` and repeated slashes; a path that climbs above its start keeps the `..`.
fn normalize_path(input: &[u8], out: &mut Vec<u8>) {
    if !input.contains(&b'/') {
        // A name, even `.`, is a path that needs no resolving.
        out.extend_from_slice(input);
        return;
    }
    let absolute = input.first() == Some(&b'/');
    let directory = input.ends_with(b"/") || input.ends_with(b"/.") || input.ends_with(b"/..") || input == b".";
    if absolute {
        out.push(b'/');
    }
    let root = out.len();
    // Where each kept segment starts; `..` segments at the front can't be taken back.
    let mut starts: Vec<usize> = Vec::new();
    for segment in input.split(|byte| *byte == b'/') {
        match segment {
            b"" | b"." => {}
            b".." if !starts.is_empty() => {
                let start = starts.pop().unwrap_or(root);
                out.truncate(start);
            }
            b".." if absolute => {}
            _ => {
                if out.len() > root {
                    out.push(b'/');
                }
                let start = if out.len() > root { out.len() - 1 } else { root };
                if segment != b".." {
                    starts.push(start);
                }
                out.extend_from_slice(segment);
            }
        }
    }
    if directory && out.len() > root && !out.ends_with(b"..") {
        out.push(b'/');
    }
}

fn remove_comment_marks(input: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(&byte) = input.get(at) {
        match (byte, input.get(at + 1)) {
            (b'/', Some(b'*')) | (b'*', Some(b'/')) | (b'-', Some(b'-')) => at += 2,
            (b'#', _) => at += 1,
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
}

fn remove_comments(input: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(&byte) = input.get(at) {
        let rest = input.get(at..).unwrap_or_default();
        let close: &[u8] = if rest.starts_with(b"/*") {
            b"*/"
        } else if rest.starts_with(b"<!--") {
            b"-->"
        } else if byte == b'#' || rest.starts_with(b"--") {
            return;
        } else {
            out.push(byte);
            at += 1;
            continue;
        };
        match super::bytes::find(rest, close) {
            Some(end) => at += end + close.len(),
            None => return,
        }
    }
}

fn replace_comments(input: &[u8], out: &mut Vec<u8>) {
    let mut rest = input;
    while let Some(start) = super::bytes::find(rest, b"/*") {
        out.extend_from_slice(rest.get(..start).unwrap_or_default());
        out.push(b' ');
        let inside = rest.get(start + 2..).unwrap_or_default();
        match super::bytes::find(inside, b"*/") {
            Some(end) => rest = inside.get(end + 2..).unwrap_or_default(),
            None => return,
        }
    }
    out.extend_from_slice(rest);
}

fn sql_hex_decode(input: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(&byte) = input.get(at) {
        let start = at + 2;
        let prefixed = byte == b'0' && matches!(input.get(at + 1), Some(b'x' | b'X'));
        if prefixed && hex_byte(input, start).is_some() {
            at = start;
            while let Some(code) = hex_byte(input, at) {
                out.push(code);
                at += 2;
            }
        } else {
            out.push(byte);
            at += 1;
        }
    }
}

/// Decodes `%HH` and `+`. Says how many `%` were not followed by two digits; those stay as they are.
pub(crate) fn url_decode(input: &[u8], out: &mut Vec<u8>) -> usize {
    let mut invalid = 0;
    let mut at = 0;
    while let Some(&byte) = input.get(at) {
        at += 1;
        match byte {
            b'+' => out.push(b' '),
            b'%' => match hex_byte(input, at) {
                Some(code) => {
                    out.push(code);
                    at += 2;
                }
                None => {
                    invalid += 1;
                    out.push(b'%');
                }
            },
            _ => out.push(byte),
        }
    }
    invalid
}

/// [`url_decode`], and `%uHHHH` as some servers read it: best fit to ASCII.
fn url_decode_uni(input: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(&byte) = input.get(at) {
        at += 1;
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                if let Some(code) = hex_word(input, at + 1).filter(|_| matches!(input.get(at), Some(b'u' | b'U'))) {
                    out.push(best_fit(code));
                    at += 5;
                } else if let Some(code) = hex_byte(input, at) {
                    out.push(code);
                    at += 2;
                } else {
                    out.push(b'%');
                }
            }
            _ => out.push(byte),
        }
    }
}

/// The ASCII character that Windows' US-ASCII code page shows for a character; the low byte where it has none.
fn best_fit(code: u16) -> u8 {
    /// U+00A0 to U+017F by what they look like without their accent; a backtick where there is nothing alike.
    const LATIN: &[u8; 224] = b" !c`$Y|``Ca<`-R```23```.,1o>````AAAAAAACEEEEIIIIDNOOOOO`OUUUUY``aaaaaaaceeeeiiii`nooooo`ouuuuy`yAaAa\
        AaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIi``JjKk`LlLlLl``LlNnNnNn```OoOoOoOoRrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZz`";
    match code {
        0..=0x7f => code as u8,
        0xa0..=0x17f => match LATIN.get(usize::from(code - 0xa0)) {
            Some(b'`') | None => code as u8,
            Some(&alike) => alike,
        },
        0xff01..=0xff5e => narrow(code),
        0x2b9 | 0x2bb | 0x2bc | 0x2c8 | 0x2018..=0x201b | 0x2032 | 0x2035 => b'\'',
        0x2ba | 0x201c..=0x201f | 0x2033 | 0x2036 => b'"',
        0x2010..=0x2015 | 0x2212 => b'-',
        0x2000..=0x2006 | 0x3000 => b' ',
        0x2039 | 0x2329 | 0x3008 | 0x27e8 => b'<',
        0x203a | 0x232a | 0x3009 | 0x27e9 => b'>',
        0x2044 | 0x2215 | 0x2571 => b'/',
        0x2216 | 0x29f5 => b'\\',
        0x2223 | 0x2758 => b'|',
        0x2236 | 0x589 => b':',
        0x2217 | 0x204e => b'*',
        0x223c | 0x2dc => b'~',
        0x2c6 | 0x2303 => b'^',
        0x2026 | 0x2024 => b'.',
        0x37e => b';',
        _ => code as u8,
    }
}

fn utf8_to_unicode(input: &[u8], out: &mut Vec<u8>) {
    for chunk in input.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character.is_ascii() {
                out.push(character as u8);
                continue;
            }
            let code = character as u32;
            out.extend_from_slice(b"%u");
            if code > 0xffff {
                out.extend_from_slice(&hex_digits((code >> 16) as u8));
            }
            out.extend_from_slice(&hex_digits((code >> 8) as u8));
            out.extend_from_slice(&hex_digits(code as u8));
        }
        out.extend_from_slice(chunk.invalid());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(name: &str, input: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        Transformation::named(name).unwrap().apply(input, &mut out);
        out
    }

    #[test]
    fn a_literal_is_found_across_white_space_just_when_it_stands_there_without() {
        let literal = b"<title>shellkit</title>";
        let texts: &[&[u8]] = &[
            b"<html>< TITLE >\xa0Shell K i\nt </title>",
            b"<title>shellkit</title>",
            b"k<title>shell kit</title",
            b"<title>shell-kit</title>",
            b"kk shellkit</title> <title>shellkit</titl e>",
            b"title>shellkit</title>",
            b"",
        ];
        for text in texts {
            let mut plain = apply("removeWhitespace", text);
            plain.make_ascii_lowercase();
            let expected = crate::seclang::bytes::find(&plain, literal).is_some();
            assert_eq!(occurs_spread(text, literal), expected, "{}", text.escape_ascii());
        }
        assert!(occurs_spread(texts[0], literal) && !occurs_spread(texts[3], literal));
    }

    #[test]
    fn each_undoes_its_disguise() {
        let cases: &[(&str, &[u8], &[u8])] = &[
            ("urlDecodeUni", b"%u003cscript%3e+%uff1c%zz%", b"<script> <%zz%"),
            ("urlDecode", b"a%2fb%u0041", b"a/b%u0041"),
            ("htmlEntityDecode", b"&#x3c;&#0000000000000000060;&lt;&LT;&quot&nope;&#;", b"<<<<\"&nope;&#;"),
            ("jsDecode", b"\\u0061\\x62\\143\\n\\q\\uff41", b"abc\nqa"),
            ("cssDecode", b"\\61lert\\000028 1\\29x\\q\\\ny", b"\x61lert(1\x29xqy"),
            ("cmdLine", b"C^aT \"/etc\\/pass'wd';;  (id)", b"cat/etc/passwd(id)"),
            ("normalizePath", b"/a/./b/../../../etc//passwd", b"/etc/passwd"),
            ("normalizePath", b"../../x/../y/", b"../../y/"),
            ("normalizePathWin", b"a\\..\\..\\b", b"../b"),
            ("replaceComments", b"un/**/ion/* open", b"un ion "),
            ("removeCommentsChar", b"a/*b*/c--d#e", b"abcde"),
            ("removeWhitespace", b"a b\t\xa0c", b"abc"),
            ("compressWhitespace", b"a \t\n b", b"a b"),
            ("base64Decode", b"PHNjcmlwdD4=", b"<script>"),
            ("escapeSeqDecode", b"\\x41\\101\\n\\q", b"AA\nq"),
            ("utf8toUnicode", "a\u{ff1c}\u{e9}".as_bytes(), b"a%uff1c%u00e9"),
            ("length", b"12345", b"5"),
            ("sqlHexDecode", b"x 0x414243 0xg", b"x ABC 0xg"),
            ("hexEncode", b"\x01\xff", b"01ff"),
            ("removeNulls", b"a\0b", b"ab"),
            ("trim", b" a ", b"a"),
        ];
        for (name, input, output) in cases {
            let got = apply(name, input);
            assert_eq!(String::from_utf8_lossy(&got), String::from_utf8_lossy(output), "{name}");
        }
    }

    #[test]
    fn a_value_without_the_touched_bytes_stays() {
        let names = "cmdLine compressWhitespace cssDecode escapeSeqDecode htmlEntityDecode jsDecode lowercase \
            normalizePath normalizePathWin removeCommentsChar removeComments removeNulls removeWhitespace \
            replaceComments replaceNulls sqlHexDecode trim urlDecode urlDecodeUni utf8toUnicode uppercase parityZero7bit";
        for name in names.split_whitespace() {
            let transformation = Transformation::named(name).unwrap();
            let rest: Vec<u8> = ByteSet::ALL.minus(transformation.touches()).iter().collect();
            // Each byte alone, doubled and beside every other.
            for &first in &rest {
                for &second in &rest {
                    let value = [first, second, second, first];
                    let mut out = Vec::new();
                    transformation.apply(&value, &mut out);
                    assert_eq!(out, value, "{name}");
                }
            }
        }
    }
}
