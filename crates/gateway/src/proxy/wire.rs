//! HTTP/1.1 as bytes: heads kept as they were sent, bodies by their framing.
//!
//! A firewall must see what the client wrote, not what a tolerant parser made of it; and two servers that disagree about where a
//! request ends are an attack of their own (request smuggling, CWE-444). So the head's bytes stay as they are, and whatever RFC
//! 9112 lets servers read in two ways is refused: bare line feeds, folded lines, spaces before the colon, length and chunks together,
//! two lengths.
//!
//! Deliberately absent: what headers mean beyond framing, HTTP/2.

use std::io;
use std::ops::Range;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::timeout;

/// Longest line before a chunk: its size and extensions.
const MAX_CHUNK_LINE: usize = 256;
/// Most bytes of trailers, which are read and dropped.
const MAX_TRAILERS: usize = 8 * 1024;
/// Bytes read at a time.
const PIECE: usize = 16 * 1024;

/// Why a message can't be taken.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// It breaks the rules; the status to answer and why.
    Malformed(u16, &'static str),
    /// The other side took too long.
    TimedOut,
    /// The other side went away, or the system failed.
    Io(io::Error),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The head of a message: its first line and its fields, as sent.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    bytes: Vec<u8>,
    line: Range<usize>,
    fields: Vec<(Range<usize>, Range<usize>)>,
}

impl Head {
    /// Takes a head apart; `bytes` ends with the empty line.
    fn parse(bytes: Vec<u8>, most_fields: usize) -> Result<Self, Trouble> {
        let end = bytes.len().saturating_sub(4);
        let mut at = 0;
        let mut line = None;
        let mut fields = Vec::new();
        while at <= end {
            let rest = bytes.get(at..).unwrap_or_default();
            let length =
                memchr::memmem::find(rest, b"\r\n").ok_or(Trouble::Malformed(400, "a line without its end"))?;
            let text = rest.get(..length).unwrap_or_default();
            if text.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
                return Err(Trouble::Malformed(400, "a line break or NUL inside a line"));
            }
            if line.is_none() {
                line = Some(at..at + length);
            } else if length > 0 {
                if fields.len() >= most_fields {
                    return Err(Trouble::Malformed(431, "too many header fields"));
                }
                let colon = memchr::memchr(b':', text).ok_or(Trouble::Malformed(400, "a header without a colon"))?;
                if colon == 0 || !text.iter().take(colon).all(is_token) {
                    return Err(Trouble::Malformed(400, "a header name that is no token"));
                }
                let value = text.get(colon + 1..).unwrap_or_default();
                let start = value.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
                let trail = value.iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
                let from = at + colon + 1 + start.min(value.len());
                let to = (at + length).saturating_sub(trail).max(from);
                fields.push((at..at + colon, from..to));
            }
            at += length + 2;
        }
        let line = line.filter(|line| !line.is_empty()).ok_or(Trouble::Malformed(400, "no first line"))?;
        Ok(Self { bytes, line, fields })
    }

    fn text(&self, range: &Range<usize>) -> &[u8] {
        self.bytes.get(range.clone()).unwrap_or_default()
    }

    /// The first line.
    pub(crate) fn line(&self) -> &[u8] {
        self.text(&self.line)
    }

    /// The fields in their order.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.fields.iter().map(|(name, value)| (self.text(name), self.text(value)))
    }

    /// The values of a field.
    pub(crate) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.fields().filter(move |(found, _)| found.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value)
    }

    /// Whether a field that is a list of words has this one.
    pub(crate) fn lists(&self, name: &str, word: &str) -> bool {
        self.values(name)
            .flat_map(|value| value.split(|byte| *byte == b','))
            .any(|item| item.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
    }

    /// Bytes of all names and values.
    pub(crate) fn size(&self) -> usize {
        self.fields().map(|(name, value)| name.len() + value.len()).sum()
    }

    fn length(&self) -> Result<Option<u64>, Trouble> {
        let mut lengths = self.values("content-length");
        let Some(first) = lengths.next() else { return Ok(None) };
        let number = std::str::from_utf8(first).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        let length =
            number.and_then(|text| text.parse().ok()).ok_or(Trouble::Malformed(400, "Content-Length is no number"))?;
        if lengths.next().is_some() {
            return Err(Trouble::Malformed(400, "two Content-Length headers"));
        }
        Ok(Some(length))
    }

    /// Whether the body comes in chunks.
    fn chunked(&self) -> Result<bool, Trouble> {
        let mut encodings = self.values("transfer-encoding");
        match (encodings.next(), encodings.next()) {
            (None, _) => Ok(false),
            (Some(value), None) if value.eq_ignore_ascii_case(b"chunked") => Ok(true),
            _ => Err(Trouble::Malformed(501, "only `chunked` is understood as Transfer-Encoding")),
        }
    }
}

/// A request's first line, taken apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestLine<'a> {
    /// The method.
    pub(crate) method: &'a [u8],
    /// The target as sent.
    pub(crate) target: &'a [u8],
    /// Whether the connection stays open unless it is said otherwise.
    pub(crate) keeps: bool,
}

impl<'a> RequestLine<'a> {
    /// Reads `METHOD target HTTP/1.1`.
    pub(crate) fn of(line: &'a [u8]) -> Result<Self, Trouble> {
        let mut words = line.split(|byte| *byte == b' ');
        let (Some(method), Some(target), Some(version), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(Trouble::Malformed(400, "the request line is not `METHOD target HTTP/1.1`"));
        };
        if method.is_empty() || !method.iter().all(is_token) {
            return Err(Trouble::Malformed(400, "the method is no token"));
        }
        let absolute = memchr::memmem::find(target, b"://").is_some();
        let authority = method == b"CONNECT" && target.iter().rposition(|byte| *byte == b':').is_some();
        if !(target.starts_with(b"/") || target == b"*" || absolute || authority)
            || target.iter().any(|byte| *byte < 0x21 || matches!(byte, 0x7f | b'#'))
        {
            return Err(Trouble::Malformed(400, "the target is no path"));
        }
        match version {
            // Newer versions that nobody speaks are judged by the rules and read as 1.1.
            b"HTTP/1.0" => Ok(Self { method, target, keeps: false }),
            [b'H', b'T', b'T', b'P', b'/', b'1'..=b'9', b'.', b'0'..=b'9'] => Ok(Self { method, target, keeps: true }),
            [b'H', b'T', b'T', b'P', b'/', b'2'..=b'9'] => Ok(Self { method, target, keeps: false }),
            _ => Err(Trouble::Malformed(400, "an unknown version of HTTP")),
        }
    }
}

fn is_token(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte)
}

/// A body on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    /// This many bytes are to come.
    Length(u64),
    /// A chunk begins next.
    Chunk,
    /// This many bytes of a chunk are to come, and its line break.
    InChunk(u64),
    /// Everything until the connection ends.
    Close,
    /// All of it has come.
    Done,
}

impl Body {
    /// The body of a request. With `lenient`, chunks win over a length that is sent along, which RFC 9112 (6.3) allows to whoever
    /// passes the request on without it.
    pub(crate) fn of_request(head: &Head, lenient: bool) -> Result<Self, Trouble> {
        match (head.chunked()?, head.length()?) {
            (true, Some(_)) if lenient => Ok(Self::Chunk),
            (true, Some(_)) => Err(Trouble::Malformed(400, "Content-Length and Transfer-Encoding together")),
            (true, None) => Ok(Self::Chunk),
            (false, Some(0) | None) => Ok(Self::Done),
            (false, Some(length)) => Ok(Self::Length(length)),
        }
    }

    /// The body of a response to a request with this method.
    pub(crate) fn of_response(head: &Head, status: u16, method: &[u8]) -> Result<Self, Trouble> {
        if method == b"HEAD" || matches!(status, 100..=199 | 204 | 304) {
            return Ok(Self::Done);
        }
        match (head.chunked()?, head.length()?) {
            (true, _) => Ok(Self::Chunk),
            (false, Some(0)) => Ok(Self::Done),
            (false, Some(length)) => Ok(Self::Length(length)),
            (false, None) => Ok(Self::Close),
        }
    }

    /// How many bytes are announced.
    pub(crate) fn announced(self) -> Option<u64> {
        match self {
            Self::Length(length) => Some(length),
            Self::Done => Some(0),
            _ => None,
        }
    }
}

/// A connection's incoming side, with what has been read ahead.
#[derive(Debug)]
pub(crate) struct Reader<S> {
    pub(crate) stream: S,
    buffer: Vec<u8>,
}

impl<S: AsyncRead + Unpin> Reader<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, buffer: Vec::new() }
    }

    /// Whether nothing has been read that wasn't asked for.
    pub(crate) fn is_clean(&self) -> bool {
        self.buffer.is_empty()
    }

    async fn more(&mut self) -> Result<usize, Trouble> {
        self.buffer.reserve(PIECE);
        Ok(self.stream.read_buf(&mut self.buffer).await?)
    }

    /// The next head of at most `most` bytes; none where the connection ends before it begins.
    pub(crate) async fn head(
        &mut self,
        most: usize,
        fields: usize,
        patience: Duration,
    ) -> Result<Option<Head>, Trouble> {
        let reading = async {
            let mut searched = 0;
            loop {
                // An empty line between two messages is passed over, once.
                if searched == 0 && self.buffer.starts_with(b"\r\n") {
                    self.buffer.drain(..2);
                }
                let from = usize::saturating_sub(searched, 3);
                if let Some(end) = memchr::memmem::find(self.buffer.get(from..).unwrap_or_default(), b"\r\n\r\n") {
                    let rest = self.buffer.split_off(from + end + 4);
                    let bytes = std::mem::replace(&mut self.buffer, rest);
                    return Head::parse(bytes, fields).map(Some);
                }
                searched = self.buffer.len();
                if searched > most {
                    return Err(Trouble::Malformed(431, "the head is too large"));
                }
                if self.more().await? == 0 {
                    return match self.buffer.is_empty() {
                        true => Ok(None),
                        false => Err(Trouble::Io(io::ErrorKind::UnexpectedEof.into())),
                    };
                }
            }
        };
        timeout(patience, reading).await.map_err(|_| Trouble::TimedOut)?
    }

    /// The next piece of a body; none at its end.
    pub(crate) async fn piece(&mut self, body: &mut Body) -> Result<Option<Vec<u8>>, Trouble> {
        loop {
            match *body {
                Body::Done => return Ok(None),
                Body::Close => {
                    if self.buffer.is_empty() && self.more().await? == 0 {
                        *body = Body::Done;
                        return Ok(None);
                    }
                    return Ok(Some(std::mem::take(&mut self.buffer)));
                }
                Body::Length(left) => {
                    let piece = self.some(left).await?;
                    let left = left - piece.len() as u64;
                    *body = if left == 0 { Body::Done } else { Body::Length(left) };
                    return Ok(Some(piece));
                }
                Body::InChunk(0) => {
                    if !self.line(0).await?.is_empty() {
                        return Err(Trouble::Malformed(400, "a chunk is longer than it says"));
                    }
                    *body = Body::Chunk;
                }
                Body::InChunk(left) => {
                    let piece = self.some(left).await?;
                    *body = Body::InChunk(left - piece.len() as u64);
                    return Ok(Some(piece));
                }
                Body::Chunk => {
                    let line = self.line(MAX_CHUNK_LINE).await?;
                    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii_end();
                    let size = std::str::from_utf8(digits)
                        .ok()
                        .filter(|text| {
                            (1..=15).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
                        })
                        .and_then(|text| u64::from_str_radix(text, 16).ok())
                        .ok_or(Trouble::Malformed(400, "a chunk without its size"))?;
                    if size > 0 {
                        *body = Body::InChunk(size);
                        continue;
                    }
                    let mut trailers = 0;
                    while trailers <= MAX_TRAILERS {
                        let line = self.line(MAX_TRAILERS).await?;
                        if line.is_empty() {
                            *body = Body::Done;
                            return Ok(None);
                        }
                        trailers += line.len() + 2;
                    }
                    return Err(Trouble::Malformed(431, "too many trailers"));
                }
            }
        }
    }

    /// All of a body, if it is no longer than `most`.
    pub(crate) async fn whole(&mut self, mut body: Body, most: usize, patience: Duration) -> Result<Vec<u8>, Trouble> {
        const TOO_LARGE: Trouble = Trouble::Malformed(413, "the body is too large");
        if body.announced().is_some_and(|length| length > most as u64) {
            return Err(TOO_LARGE);
        }
        let reading = async {
            let mut whole = Vec::new();
            while let Some(piece) = self.piece(&mut body).await? {
                if whole.len() + piece.len() > most {
                    return Err(TOO_LARGE);
                }
                match whole.is_empty() {
                    true => whole = piece,
                    false => whole.extend_from_slice(&piece),
                }
            }
            Ok(whole)
        };
        timeout(patience, reading).await.map_err(|_| Trouble::TimedOut)?
    }

    /// Some bytes, at most `most` of them and at least one.
    async fn some(&mut self, most: u64) -> Result<Vec<u8>, Trouble> {
        if self.buffer.is_empty() && self.more().await? == 0 {
            return Err(Trouble::Io(io::ErrorKind::UnexpectedEof.into()));
        }
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(self.buffer.len());
        let rest = self.buffer.split_off(most);
        Ok(std::mem::replace(&mut self.buffer, rest))
    }

    /// A line without its end.
    async fn line(&mut self, most: usize) -> Result<Vec<u8>, Trouble> {
        loop {
            if let Some(end) = memchr::memmem::find(&self.buffer, b"\r\n") {
                let rest = self.buffer.split_off(end + 2);
                let mut line = std::mem::replace(&mut self.buffer, rest);
                line.truncate(end);
                // A lone line feed ends a line for some servers and not for others.
                if line.len() > most || line.contains(&b'\n') {
                    return Err(Trouble::Malformed(400, "a malformed line between chunks"));
                }
                return Ok(line);
            }
            if self.buffer.len() > most + 2 {
                return Err(Trouble::Malformed(400, "a line between chunks is too long"));
            }
            if self.more().await? == 0 {
                return Err(Trouble::Io(io::ErrorKind::UnexpectedEof.into()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(5);

    async fn request(text: &[u8]) -> Result<(Head, Vec<u8>), Trouble> {
        let mut reader = Reader::new(text);
        let head = reader.head(8192, 50, PATIENCE).await?.expect("a request");
        RequestLine::of(head.line())?;
        let body = Body::of_request(&head, false)?;
        let whole = reader.whole(body, 1000, PATIENCE).await?;
        Ok((head, whole))
    }

    #[tokio::test]
    async fn a_request_is_kept_as_it_was_sent() {
        let sent = b"POST /a?q=<b> HTTP/1.1\r\nHost:  h \r\nX_Odd.Name: 1\r\nContent-Length: 3\r\n\r\nabc";
        let (head, body) = request(sent).await.unwrap();
        assert_eq!(head.line(), b"POST /a?q=<b> HTTP/1.1");
        let fields: Vec<_> = head.fields().collect();
        assert_eq!(fields[0], (&b"Host"[..], &b"h"[..]));
        assert_eq!(fields[1], (&b"X_Odd.Name"[..], &b"1"[..]));
        assert_eq!(body, b"abc");
    }

    #[tokio::test]
    async fn chunks_are_joined_and_trailers_dropped() {
        let sent = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-Late: 1\r\n\r\n";
        assert_eq!(request(sent).await.unwrap().1, b"abcde");
    }

    #[tokio::test]
    async fn what_servers_read_in_two_ways_is_refused() {
        for (sent, status) in [
            ("POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400),
            ("POST / HTTP/1.1\r\nContent-Length: +3\r\n\r\nabc", 400),
            ("POST / HTTP/1.1\r\nContent-Length: 3, 3\r\n\r\nabc", 400),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n", 501),
            ("POST / HTTP/1.1\r\nTransfer-Encoding : chunked\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: h\nX: y\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: h\r\n folded\r\n\r\n", 400),
            ("GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
            ("GET / HTTP/x\r\nHost: h\r\n\r\n", 400),
            ("GET index HTTP/1.1\r\nHost: h\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nContent-Length: 2000\r\n\r\n", 413),
        ] {
            match request(sent.as_bytes()).await {
                Err(Trouble::Malformed(found, why)) => assert_eq!(found, status, "{sent:?}: {why}"),
                other => panic!("{sent:?}: {other:?}"),
            }
        }
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_no_body() {
        let sent = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc";
        assert!(matches!(request(sent).await, Err(Trouble::Io(_))));
    }
}
