//! The side of the functions: connections that are kept and used again.
//!
//! Deliberately absent: TLS to the functions; a relay or the platform's own edge stands there.

use super::wire::{Body, Head, Reader, RequestLine, Trouble};
use std::sync::Mutex;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Most idle connections that are kept.
const MAX_IDLE: usize = 64;
/// Most bytes of an answer's head, and of its fields.
const MAX_HEAD: usize = 64 * 1024;
const MAX_FIELDS: usize = 256;

/// Headers that concern one connection only (RFC 9110, 7.6.1), and those that we write ourselves.
const OURS: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "content-length",
    "expect",
];

/// Where requests go.
#[derive(Debug)]
pub(crate) struct Upstream {
    /// `host:port`.
    address: String,
    connect: Duration,
    idle: Mutex<Vec<Reader<TcpStream>>>,
}

/// An answer whose head has come.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) head: Head,
    pub(crate) status: u16,
    pub(crate) body: Body,
    pub(crate) reader: Reader<TcpStream>,
    reusable: bool,
}

impl Upstream {
    pub(crate) fn new(address: String, connect: Duration) -> Self {
        Self { address, connect, idle: Mutex::default() }
    }

    /// Sends a request and waits for the head of its answer.
    pub(crate) async fn send(&self, request: &[u8], method: &[u8], patience: Duration) -> Result<Answer, Trouble> {
        // A kept connection may have been closed meanwhile. What is repeated then has not been answered, and only what may be done
        // twice is repeated.
        let repeatable = matches!(method, b"GET" | b"HEAD" | b"OPTIONS" | b"PUT" | b"DELETE");
        if repeatable && let Some(kept) = self.take() {
            match self.exchange(kept, request, method, patience).await {
                Err(Trouble::Io(_)) => {}
                done => return done,
            }
        }
        let connecting = timeout(self.connect, TcpStream::connect(&self.address));
        let stream = connecting.await.map_err(|_| Trouble::TimedOut)??;
        let _ = stream.set_nodelay(true);
        self.exchange(Reader::new(stream), request, method, patience).await
    }

    async fn exchange(
        &self,
        mut reader: Reader<TcpStream>,
        request: &[u8],
        method: &[u8],
        patience: Duration,
    ) -> Result<Answer, Trouble> {
        let written = timeout(patience, reader.stream.write_all(request)).await.map_err(|_| Trouble::TimedOut)?;
        // Who refuses a large body early answers before it has read all of it.
        let mut wrote = written.is_ok();
        for _ in 0..8 {
            let head = match reader.head(MAX_HEAD, MAX_FIELDS, patience).await? {
                Some(head) => head,
                None => return Err(Trouble::Io(std::io::ErrorKind::UnexpectedEof.into())),
            };
            let (status, keeps) = status(head.line())?;
            if (100..200).contains(&status) && status != 101 {
                continue;
            }
            let body = Body::of_response(&head, status, method)?;
            wrote &= keeps && !head.lists("connection", "close") && body != Body::Close && status != 101;
            return Ok(Answer { head, status, body, reader, reusable: wrote });
        }
        Err(Trouble::Malformed(502, "too many interim answers"))
    }

    fn take(&self) -> Option<Reader<TcpStream>> {
        self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop()
    }

    /// Keeps the connection of an answer that has been read whole.
    pub(crate) fn give_back(&self, answer: Answer) {
        if answer.reusable && answer.body == Body::Done && answer.reader.is_clean() {
            let mut idle = self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if idle.len() < MAX_IDLE {
                idle.push(answer.reader);
            }
        }
    }
}

/// The status of `HTTP/1.1 200 OK`, and whether the connection stays open unless it is said otherwise.
fn status(line: &[u8]) -> Result<(u16, bool), Trouble> {
    let mut words = line.splitn(3, |byte| *byte == b' ');
    let keeps = match words.next() {
        Some(b"HTTP/1.1") => true,
        Some(b"HTTP/1.0") => false,
        _ => return Err(Trouble::Malformed(502, "the answer is no HTTP/1.1")),
    };
    let digits = words.next().and_then(|word| std::str::from_utf8(word).ok()).filter(|word| word.len() == 3);
    let status =
        digits.and_then(|word| word.parse().ok()).ok_or(Trouble::Malformed(502, "the answer has no status"))?;
    Ok((status, keeps))
}

/// The request as it goes on: the same line and headers, without those of the client's connection, with our own framing.
pub(crate) fn forwarded(head: &Head, line: RequestLine<'_>, body: &[u8], peer: std::net::IpAddr) -> Vec<u8> {
    let mut out = Vec::with_capacity(head.size() + body.len() + 256);
    for part in [line.method, b" ", line.target, b" HTTP/1.1\r\n"] {
        out.extend_from_slice(part);
    }
    let named: Vec<&[u8]> = head.values("connection").flat_map(|value| value.split(|byte| *byte == b',')).collect();
    let mut chain = Vec::new();
    for (name, value) in head.fields() {
        let hop = OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours.as_bytes()))
            || named.iter().any(|word| word.trim_ascii().eq_ignore_ascii_case(name))
                && !name.eq_ignore_ascii_case(b"host");
        if name.eq_ignore_ascii_case(b"x-forwarded-for") {
            chain.extend_from_slice(value);
            chain.extend_from_slice(b", ");
        } else if !hop {
            field(&mut out, name, value);
        }
    }
    chain.extend_from_slice(peer.to_string().as_bytes());
    field(&mut out, b"X-Forwarded-For", &chain);
    // Whoever ended TLS before us said so.
    if head.values("x-forwarded-proto").next().is_none() {
        field(&mut out, b"X-Forwarded-Proto", b"http");
    }
    if !body.is_empty() || matches!(line.method, b"POST" | b"PUT" | b"PATCH") {
        field(&mut out, b"Content-Length", body.len().to_string().as_bytes());
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
    out
}

/// The head of the answer as it goes to the client. `length` none: chunked where the client understands it.
pub(crate) fn answered(head: &Head, status: u16, length: Option<u64>, chunked: bool, keep: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(head.size() + 256);
    let reason = head.line().splitn(3, |byte| *byte == b' ').nth(2).unwrap_or_default();
    out.extend_from_slice(format!("HTTP/1.1 {status} ").as_bytes());
    out.extend_from_slice(reason);
    out.extend_from_slice(b"\r\n");
    let named: Vec<&[u8]> = head.values("connection").flat_map(|value| value.split(|byte| *byte == b',')).collect();
    for (name, value) in head.fields() {
        let hop = OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours.as_bytes()))
            || named.iter().any(|word| word.trim_ascii().eq_ignore_ascii_case(name));
        if !hop {
            field(&mut out, name, value);
        }
    }
    match length {
        Some(length) => field(&mut out, b"Content-Length", length.to_string().as_bytes()),
        None if chunked => field(&mut out, b"Transfer-Encoding", b"chunked"),
        None => {}
    }
    if !keep {
        field(&mut out, b"Connection", b"close");
    }
    out.extend_from_slice(b"\r\n");
    out
}

fn field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    for part in [name, b": ", value, b"\r\n"] {
        out.extend_from_slice(part);
    }
}
