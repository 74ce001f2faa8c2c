//! Bytes that travel as text: base64, gzip, percent-encoding, character sets, multipart bodies.

use crate::Limits;
use crate::part::{Body, CALLER, Collector, Content, Expect, Whose};
use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use miniz_oxide::inflate::stream::InflateState;
use miniz_oxide::{DataFormat, MZFlush, MZStatus};
use serde_json::{Map, Value};

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD_BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const URL_SAFE_BASE64: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

/// Base64 in either alphabet, padded or not.
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_ascii();
    STANDARD_BASE64.decode(text).or_else(|_| URL_SAFE_BASE64.decode(text)).ok()
}

/// What gzip (`1f 8b`) or zlib holds. Readers of gzip go on with the next member where one ends, so this does as well; what
/// stands behind the end and is no member is an error, since nobody knows who reads it.
pub(crate) fn inflated(bytes: &[u8], limits: &Limits) -> Result<Vec<u8>, &'static str> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        let mut plain = Vec::new();
        let used = inflate(bytes, DataFormat::Zlib, &mut plain, limits.max_inflated)?;
        return if used == bytes.len() { Ok(plain) } else { Err("compressed, with something else behind it") };
    }
    let mut plain = Vec::new();
    let mut rest = bytes;
    for _ in 0..MAX_MEMBERS {
        let data = gzip_data(rest).ok_or("not a gzip stream")?;
        let used = inflate(data, DataFormat::Raw, &mut plain, limits.max_inflated)?;
        // A checksum and a length end a member; readers skip zeros behind the last.
        rest = data.get(used + 8..).unwrap_or_default();
        if rest.iter().all(|byte| *byte == 0) {
            return Ok(plain);
        }
        if !rest.starts_with(&[0x1f, 0x8b]) {
            return Err("compressed, with something else behind it");
        }
    }
    Err("compressed in more pieces than anyone sends")
}

/// Members of one gzip stream.
const MAX_MEMBERS: usize = 1000;

/// Inflates one stream to the end of `out`, of which it may make `most` bytes; says how many bytes it took.
fn inflate(bytes: &[u8], format: DataFormat, out: &mut Vec<u8>, most: usize) -> Result<usize, &'static str> {
    let mut state = InflateState::new_boxed(format);
    let mut used = 0;
    let mut piece = vec![0; 32 << 10];
    loop {
        let input = bytes.get(used..).unwrap_or_default();
        let result = miniz_oxide::inflate::stream::inflate(&mut state, input, &mut piece, MZFlush::None);
        used += result.bytes_consumed;
        out.extend_from_slice(piece.get(..result.bytes_written).unwrap_or_default());
        if out.len() > most {
            return Err("inflates to more than the limit allows");
        }
        match result.status {
            Ok(MZStatus::StreamEnd) => return Ok(used),
            Ok(_) if result.bytes_consumed > 0 || result.bytes_written > 0 => {}
            _ => return Err("not well compressed"),
        }
    }
}

/// The deflate stream behind a gzip header.
fn gzip_data(bytes: &[u8]) -> Option<&[u8]> {
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    const CHECKSUM: u8 = 2;
    let (header, mut rest) = bytes.split_at_checked(10)?;
    let flags = *header.get(3)?;
    if header.get(2) != Some(&8) {
        return None;
    }
    if flags & EXTRA != 0 {
        let length = usize::from(u16::from_le_bytes([*rest.first()?, *rest.get(1)?]));
        rest = rest.get(2 + length..)?;
    }
    for flag in [NAME, COMMENT] {
        if flags & flag != 0 {
            let end = rest.iter().position(|byte| *byte == 0)?;
            rest = rest.get(end + 1..)?;
        }
    }
    if flags & CHECKSUM != 0 { rest.get(2..) } else { Some(rest) }
}

/// A component of a form or of an S3 key: `+` is a space, `%41` a byte. Broken sequences stay as they are.
pub(crate) fn form_decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let mut ahead = bytes.clone();
                let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
                match (digit(ahead.next()), digit(ahead.next())) {
                    (Some(high), Some(low)) => {
                        out.push((high * 16 + low) as u8);
                        bytes = ahead;
                    }
                    _ => out.push(b'%'),
                }
            }
            other => out.push(other),
        }
    }
    match String::from_utf8(out) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    }
}

/// The pairs of a form as an object; a name given several times holds a list.
pub(crate) fn form_object(text: &str) -> Value {
    let mut object = Map::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        add(&mut object, form_decoded(name), Value::String(form_decoded(value)));
    }
    Value::Object(object)
}

fn add(object: &mut Map<String, Value>, name: String, value: Value) {
    match object.get_mut(&name) {
        None => {
            object.insert(name, value);
        }
        Some(Value::Array(values)) => values.push(value),
        Some(first) => {
            let values = vec![first.take(), value];
            *first = Value::Array(values);
        }
    }
}

/// Text as some readers guess it: UTF-8, or UTF-16 and UTF-32 by their zero bytes, as JSON readers do. Bytes that are text both
/// ways are given back both ways, the likelier first: which of the two a function reads isn't known.
fn decoded(bytes: Vec<u8>) -> Result<(String, Option<String>), Vec<u8>> {
    let zeros = bytes.iter().take(64).filter(|byte| **byte == 0).count();
    let many = zeros * 4 >= bytes.len().min(64) && zeros > 0;
    // JSON readers look at the first four bytes and no further.
    let at_first = bytes.get(..4).is_some_and(|first| first.contains(&0));
    let marked = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    let wide = if (many || at_first || marked) && bytes.len() >= 2 { wide(&bytes) } else { None };
    match (wide, String::from_utf8(bytes)) {
        (Some(wide), Ok(text)) => Ok((wide, Some(text))),
        (Some(wide), Err(_)) => Ok((wide, None)),
        // A mark in front keeps no reader of bytes from reading JSON.
        (None, Ok(text)) => Ok((without_mark(text), None)),
        (None, Err(error)) => Err(error.into_bytes()),
    }
}

fn wide(bytes: &[u8]) -> Option<String> {
    let width = match bytes.get(..4) {
        Some([0, 0, _, _] | [_, 0, 0, 0] | [0xff, 0xfe, 0, 0]) => 4,
        _ => 2,
    };
    let big = matches!(bytes, [0, ..] | [0xfe, 0xff, ..]);
    if width == 4 {
        let units = bytes.chunks_exact(4).map(|unit| {
            let unit = [unit[0], unit[1], unit[2], unit[3]];
            char::from_u32(if big { u32::from_be_bytes(unit) } else { u32::from_le_bytes(unit) })
        });
        return units.collect::<Option<String>>().map(without_mark);
    }
    let units = bytes.chunks_exact(2).map(|unit| {
        let unit = [unit[0], unit[1]];
        if big { u16::from_be_bytes(unit) } else { u16::from_le_bytes(unit) }
    });
    char::decode_utf16(units).collect::<Result<String, _>>().ok().map(without_mark)
}

fn without_mark(text: String) -> String {
    text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)
}

/// What is said about bytes that someone sent.
#[derive(Default)]
pub(crate) struct Said<'a> {
    /// `content-type`.
    pub(crate) media_type: Option<&'a str>,
    /// `content-encoding`.
    pub(crate) encoding: Option<&'a str>,
}

impl Collector {
    /// Base64 that carries a message; the body it makes.
    pub(crate) fn base64_message(&mut self, path: &str, text: String, said: &Said<'_>, limits: &Limits) -> Body {
        match base64(&text) {
            Some(bytes) => self.message(&format!("{path}|base64"), bytes, said, limits),
            None => {
                self.problem(path, "not base64");
                let at = self.push(path, Value::String(text), CALLER);
                Body::new(path, Content::Text(at))
            }
        }
    }

    /// Bytes that are a message; the body they make.
    pub(crate) fn message(&mut self, path: &str, bytes: Vec<u8>, said: &Said<'_>, limits: &Limits) -> Body {
        let encoding = said.encoding.unwrap_or_default().trim().to_ascii_lowercase();
        let compressed = match encoding.as_str() {
            "" | "identity" | "aws-chunked" => bytes.starts_with(&[0x1f, 0x8b, 8]),
            "gzip" | "x-gzip" | "deflate" => true,
            other => {
                self.problem(
                    path,
                    format!("compressed with `{}`, which can't be looked into", crate::json::shortened(other)),
                );
                false
            }
        };
        if compressed {
            match inflated(&bytes, limits) {
                Ok(plain) => return self.plain(&format!("{path}|gzip"), plain, said),
                Err(what) => self.problem(path, what),
            }
        }
        self.plain(path, bytes, said)
    }

    fn plain(&mut self, path: &str, bytes: Vec<u8>, said: &Said<'_>) -> Body {
        if let Some(boundary) = boundary(said.media_type)
            && let Some(fields) = multipart(&bytes, &boundary)
        {
            self.charset(path, &said.media_type.unwrap_or_default().to_ascii_lowercase());
            self.other_readings(path, &bytes, &boundary);
            return self.multipart(path, fields);
        }
        match decoded(bytes) {
            Ok((text, other)) => {
                if let Some(other) = other {
                    self.push(path, Value::String(other), CALLER);
                }
                self.text_message(path, text, said)
            }
            Err(bytes) => {
                let at = self.binary(path, &bytes);
                Body::new(path, Content::Value(at))
            }
        }
    }

    /// Bytes that are no text. They are shown as base64, and as what a careless reader makes of them where most of it is text.
    fn binary(&mut self, path: &str, bytes: &[u8]) -> usize {
        let printable = bytes.iter().filter(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t')).count();
        if printable * 10 >= bytes.len() * 7 {
            self.push(path, Value::String(String::from_utf8_lossy(bytes).into_owned()), CALLER);
        }
        let text = base64::engine::general_purpose::STANDARD.encode(bytes);
        self.push(path, Value::String(text), CALLER)
    }

    /// A text that is a message; the body it makes.
    pub(crate) fn text_message(&mut self, path: &str, text: String, said: &Said<'_>) -> Body {
        let media_type = said.media_type.unwrap_or_default().trim().to_ascii_lowercase();
        self.charset(path, &media_type);
        if let Some(boundary) = boundary(said.media_type)
            && let Some(fields) = multipart(text.as_bytes(), &boundary)
        {
            self.other_readings(path, text.as_bytes(), &boundary);
            return self.multipart(path, fields);
        }
        if media_type.starts_with("application/x-www-form-urlencoded") {
            let body = Body::new(format!("{path}|form"), Content::Own(form_object(&text)));
            // Whoever reads it as something else gets to see something else.
            if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"*-._~+%&=".contains(&byte)) {
                self.push(path, Value::String(text.clone()), CALLER);
            }
            self.push(path, Value::String(text), Whose::Caller(Expect::Form));
            return body;
        }
        let at = self.push(path, Value::String(text), CALLER);
        Body::new(path, Content::Text(at))
    }

    /// A character set in which ASCII is something else than ASCII is a problem: who obeys it reads another text. `media_type`
    /// is in lower case.
    fn charset(&mut self, path: &str, media_type: &str) {
        const KNOWN: [&str; 14] = [
            "utf-8",
            "utf8",
            "ascii",
            "us-ascii",
            "latin1",
            "latin-1",
            "shift_jis",
            "euc-jp",
            "euc-kr",
            "gbk",
            "gb2312",
            "gb18030",
            "big5",
            "utf-8-sig",
        ];
        let Some(charset) = parameter(media_type, "charset") else { return };
        let charset = charset.trim().trim_matches('\'');
        let family = ["iso-8859-", "windows-125", "cp125", "koi8-"];
        if !charset.is_empty() && !KNOWN.contains(&charset) && !family.iter().any(|family| charset.starts_with(family))
        {
            let shown = crate::json::shortened(charset);
            self.problem(path, format!("written in `{shown}`, which can't be looked into"));
        }
    }

    /// A multipart body in which readers find boundaries in different places, as the others read it: those who want them at the
    /// beginning of a line, those who want that line to end as the standard has it, and those who know of none.
    fn other_readings(&mut self, path: &str, body: &[u8], boundary: &str) {
        if is_plain_multipart(body, boundary) {
            return;
        }
        let mut readings = Vec::new();
        for line_end in ["\r\n", "\n"] {
            let body = [line_end.as_bytes(), body].concat();
            let mark = format!("{line_end}--{boundary}");
            let pieces: Vec<&[u8]> = split(&body, mark.as_bytes()).take(MAX_FIELDS + 2).collect();
            // Without an end there is nothing that such a reader would take for a field.
            if pieces.len() > 2 {
                readings.extend(pieces.into_iter().map(|piece| behind_headers(piece).1.to_vec()));
            }
        }
        if !body.trim_ascii_start().starts_with(format!("--{boundary}").as_bytes()) {
            readings.push(body.to_vec());
        }
        for reading in readings.into_iter().filter(|reading| !reading.is_empty()) {
            match String::from_utf8(reading) {
                Ok(text) => self.push(path, Value::String(text), CALLER),
                Err(error) => self.binary(path, error.as_bytes()),
            };
        }
    }

    fn multipart(&mut self, path: &str, fields: Vec<FormField>) -> Body {
        let mut object = Map::new();
        for (number, field) in fields.into_iter().enumerate() {
            let place = format!("{path}|multipart[{number}]");
            let lines = field.headers.lines().map(Value::from).collect();
            self.push(format!("{place}.headers"), Value::Array(lines), Whose::Caller(Expect::Header));
            let names: Vec<Value> =
                [field.name.clone(), field.filename].into_iter().flatten().map(Value::String).collect();
            self.push(format!("{place}.names"), Value::Array(names), CALLER);
            let headers = field.headers.to_ascii_lowercase();
            let said = |name: &str| {
                headers.lines().filter_map(|line| line.split_once(':')).find(|(key, _)| key.trim() == name)
            };
            if let Some((_, media_type)) = said("content-type") {
                self.charset(&place, media_type);
            }
            // Some readers take this encoding off and some don't.
            match said("content-transfer-encoding").map(|(_, encoding)| encoding.trim()) {
                None | Some("" | "7bit" | "8bit" | "binary") => {}
                Some("base64") => {
                    let letters = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte);
                    let clean: Vec<u8> = field.content.iter().copied().filter(letters).collect();
                    let inner = format!("{place}|base64");
                    match String::from_utf8(clean).ok().as_deref().and_then(base64).map(decoded) {
                        None => self.problem(&place, "not base64"),
                        Some(Err(bytes)) => {
                            self.binary(&inner, &bytes);
                        }
                        Some(Ok((text, other))) => {
                            for text in [Some(text), other].into_iter().flatten() {
                                self.push(inner.clone(), Value::String(text), CALLER);
                            }
                        }
                    }
                }
                Some(other) => {
                    let shown = crate::json::shortened(other);
                    self.problem(&place, format!("encoded as `{shown}`, which can't be looked into"));
                }
            }
            match decoded(field.content) {
                Ok((text, other)) => {
                    if let Some(other) = other {
                        self.push(place.clone(), Value::String(other), CALLER);
                    }
                    self.push(place, Value::String(text.clone()), CALLER);
                    if let Some(name) = field.name {
                        add(&mut object, name, Value::String(text));
                    }
                }
                Err(bytes) => {
                    self.binary(&place, &bytes);
                }
            }
        }
        Body::new(format!("{path}|multipart"), Content::Own(Value::Object(object)))
    }
}

struct FormField {
    headers: String,
    name: Option<String>,
    filename: Option<String>,
    content: Vec<u8>,
}

const MAX_FIELDS: usize = 1000;

fn boundary(media_type: Option<&str>) -> Option<String> {
    let media_type = media_type?;
    media_type.get(..10).filter(|start| start.eq_ignore_ascii_case("multipart/"))?;
    parameter(media_type, "boundary").filter(|boundary| !boundary.is_empty() && boundary.len() <= 200)
}

/// `name="value"` or `name=value` among the parameters of a header.
fn parameter(header: &str, name: &str) -> Option<String> {
    let at = header.split(';').skip(1).find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
    })?;
    Some(at.trim_matches('"').to_owned())
}

/// A part's headers and what stands behind the empty line.
fn behind_headers(piece: &[u8]) -> (&[u8], &[u8]) {
    let end = find(piece, b"\r\n\r\n").map(|at| (at, 4)).or_else(|| find(piece, b"\n\n").map(|at| (at, 2)));
    match end {
        Some((at, width)) => (piece.get(..at).unwrap_or_default(), piece.get(at + width..).unwrap_or_default()),
        None => (b"", piece),
    }
}

/// Whether every reader finds the same fields: the body begins with the boundary, which else occurs only at the beginning of lines
/// that end as the standard has it.
fn is_plain_multipart(body: &[u8], boundary: &str) -> bool {
    let mark = format!("--{boundary}");
    let mut from = 0;
    let mut ended = false;
    while let Some(at) = body.get(from..).and_then(|rest| find(rest, mark.as_bytes())).map(|at| from + at) {
        let (before, after) = body.split_at(at);
        let after = after.get(mark.len()..).unwrap_or_default();
        let begins = if at == 0 { from == 0 } else { before.ends_with(b"\r\n") };
        if (from == 0 && at != 0) || ended || !begins {
            return false;
        }
        ended = after.starts_with(b"--");
        if ended && !after.get(2..).unwrap_or_default().trim_ascii().is_empty() || !ended && !after.starts_with(b"\r\n")
        {
            return false;
        }
        from = at + mark.len();
    }
    ended
}

/// The fields of a multipart body; none where the boundary doesn't occur, or there are more fields than anyone sends.
fn multipart(body: &[u8], boundary: &str) -> Option<Vec<FormField>> {
    let mark = format!("--{boundary}");
    let mut pieces = split(body, mark.as_bytes());
    let mut preambles = vec![pieces.next()?];
    let mut fields = Vec::new();
    let mut ended = false;
    for piece in pieces {
        if fields.len() >= MAX_FIELDS {
            return None;
        }
        if piece.starts_with(b"--") {
            ended = true;
            // What stands behind the end is for nobody, and therefore looked at as well.
            preambles.push(piece.get(2..)?);
            continue;
        }
        let piece = piece.strip_prefix(b"\r\n").or_else(|| piece.strip_prefix(b"\n")).unwrap_or(piece);
        let (head, content) = behind_headers(piece);
        let content = content.strip_suffix(b"\r\n").or_else(|| content.strip_suffix(b"\n")).unwrap_or(content);
        let headers = String::from_utf8_lossy(head).into_owned();
        let disposition = headers.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition"));
        let named = |name: &str| disposition.and_then(|line| parameter(line, name));
        fields.push(FormField { name: named("name"), filename: named("filename"), headers, content: content.to_vec() });
    }
    for outside in preambles.into_iter().filter(|outside| !outside.trim_ascii().is_empty()) {
        fields.push(FormField { headers: String::new(), name: None, filename: None, content: outside.to_vec() });
    }
    (ended || !fields.is_empty()).then_some(fields)
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    while let Some(offset) = haystack.get(from..)?.iter().position(|byte| *byte == first) {
        if haystack.get(from + offset..)?.starts_with(needle) {
            return Some(from + offset);
        }
        from += offset + 1;
    }
    None
}

fn split<'a>(body: &'a [u8], mark: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = Some(body);
    std::iter::from_fn(move || {
        let text = rest?;
        match find(text, mark) {
            Some(at) => {
                rest = text.get(at + mark.len()..);
                text.get(..at)
            }
            None => rest.take(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(bytes: &[u8], media_type: &str, encoding: &str) -> (Collector, Body) {
        let mut collector = Collector::default();
        let said = Said { media_type: Some(media_type), encoding: Some(encoding) };
        let body =
            collector.message("body", bytes.to_vec(), &said, &Limits { max_inflated: 1000, ..Limits::default() });
        (collector, body)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut out = vec![0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3, b'n', 0];
        out.extend(miniz_oxide::deflate::compress_to_vec(bytes, 6));
        out.extend([0; 8]);
        out
    }

    #[test]
    fn compressed_bodies_are_looked_into_or_are_a_problem() {
        let (collector, body) = message(&gzip(b"{\"a\":1}"), "application/json", "gzip");
        assert_eq!(body.read(&collector.parts, 9).unwrap().1.as_ref(), &serde_json::json!({"a": 1}));
        assert_eq!(collector.problem, None);
        let (collector, _) = message(&gzip(&[b'a'; 1001]), "", "gzip");
        assert!(collector.problem.unwrap().what.contains("more than the limit"));
        assert_eq!(message(&gzip(&[b'a'; 1000]), "", "gzip").0.problem, None);
        assert!(message(b"...", "", "br").0.problem.unwrap().what.contains("`br`"));
        assert!(message(b"\x1f\x8b\x08", "", "").0.problem.is_some());
    }

    #[test]
    fn wide_characters_are_read_as_json_readers_read_them() {
        for bytes in [
            "{\"a\":1}".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>(),
            "{\"a\":1}".encode_utf16().flat_map(u16::to_be_bytes).collect(),
            "{\"a\":1}".chars().flat_map(|unit| (unit as u32).to_be_bytes()).collect(),
            "{\"a\":1}".chars().flat_map(|unit| (unit as u32).to_le_bytes()).collect(),
        ] {
            let (collector, body) = message(&bytes, "", "");
            assert_eq!(body.read(&collector.parts, 9).unwrap().1.as_ref(), &serde_json::json!({"a": 1}));
        }
    }

    #[test]
    fn an_upload_is_taken_apart() {
        let body = b"--B\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhi; there\r\n--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"../x.png\"\r\nContent-Type: image/png\r\n\r\n\x89PNG\xff\xfe\r\n--B--\r\n";
        let (collector, body) = message(body, "multipart/form-data; boundary=B", "");
        assert_eq!(body.read(&collector.parts, 9).unwrap().1.as_ref(), &serde_json::json!({"note": "hi; there"}));
        let shown = |text: &str| collector.parts.iter().any(|part| part.value.to_string().contains(text));
        assert!(shown("../x.png") && shown("hi; there") && shown("iVBOR//+"));
    }

    #[test]
    fn forms_are_objects_and_keys_are_decoded() {
        assert_eq!(form_object("a=1&b=x+y%21&a=2&%63"), serde_json::json!({"a": ["1", "2"], "b": "x y!", "c": ""}));
        assert_eq!(form_decoded("lists/june.csv%22%0Atouch+%zz%4"), "lists/june.csv\"\ntouch %zz%4");
    }

    #[test]
    fn bytes_that_are_nearly_text_are_shown_as_text_too() {
        let (collector, _) = message(b"' OR 1=1 -- \xff", "", "");
        assert!(collector.parts.iter().any(|part| part.value.as_str().is_some_and(|text| text.contains("OR 1=1"))));
    }
}
