//! A reverse proxy in front of deployed functions: every request goes through the firewall, and only what passes goes on.
//!
//! - [`wire`] keeps requests as they were sent, and refuses what two servers could read in two ways.
//! - [`firewall`] asks the rules (SecLang, such as the Core Rule Set, phases 1 to 5) and the fences, and keeps the log.
//! - [`upstream`] passes on. Answers that the rules don't read are streamed; those they do are held back until judged.
//!
//! It fails closed: what can't be read, judged or logged is refused. In [`Mode::Observe`] everything that can be read goes on.
//!
//! Deliberately absent: TLS on either side (a load balancer or the platform's edge ends it), HTTP/2, WebSocket, rate limits.

mod firewall;
mod upstream;
mod wire;

pub use firewall::{Fences, Firewall, Judgement, Log, Mode};

use crate::{Incoming, Limits};
use firewall::{Line, because};
use hyper::HeaderMap;
use hyper::body::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use upstream::{Answer, Upstream, answered, forwarded};
use waf::seclang::{Connection, Intervention, Transaction};
use wire::{Body, Head, Reader, RequestLine, Trouble};

/// What the proxy needs to know.
#[derive(Debug)]
pub struct Config {
    /// Where to listen; port 0 for a free one.
    pub listen: SocketAddr,
    /// Where requests go: `host:port`.
    pub upstream: String,
    /// What they are asked.
    pub firewall: Firewall,
    /// Where it is told.
    pub log: Option<Log>,
    /// A header whose value becomes `request_id` in the log.
    pub id_header: Option<String>,
    /// What a client may do.
    pub limits: Limits,
    /// How long the functions may take until their answer begins, and between two pieces of it.
    pub patience: Duration,
    /// The most bytes of an answer that are held back for inspection; longer ones are refused when they are to be inspected.
    pub response_bytes: usize,
}

/// A running proxy; dropping it ends it.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    server: tokio::task::JoinHandle<()>,
}

impl Proxy {
    /// Opens the listener and serves; must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the port can't be opened.
    pub async fn start(config: Config) -> std::io::Result<Self> {
        let listener = TcpListener::bind(config.listen).await?;
        let address = listener.local_addr()?;
        let upstream = Upstream::new(config.upstream.clone(), Duration::from_secs(5));
        let shared = Arc::new(Shared { config, upstream, address });
        Ok(Self { address, server: tokio::spawn(serve(listener, shared)) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the proxy ends, which it does when it is dropped.
    pub async fn wait(&mut self) {
        let _ = (&mut self.server).await;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

struct Shared {
    config: Config,
    upstream: Upstream,
    address: SocketAddr,
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let most = shared.config.limits.connections;
    crate::server::connections(listener, most, move |stream, peer| converse(stream, peer, Arc::clone(&shared))).await;
}

/// Serves one connection, request after request.
async fn converse(stream: TcpStream, peer: SocketAddr, shared: Arc<Shared>) {
    let limits = shared.config.limits;
    let mut client = Reader::new(stream);
    loop {
        let head = match client.head(limits.header_bytes + 8192, limits.headers, limits.head).await {
            Ok(Some(head)) => head,
            Ok(None) | Err(Trouble::Io(_)) => return,
            Err(Trouble::TimedOut) => return refuse(&mut client, 408, "the request took too long").await,
            Err(Trouble::Malformed(status, why)) => return refuse(&mut client, status, why).await,
        };
        match exchange(&mut client, &head, peer, &shared).await {
            Ok(true) => {}
            Ok(false) | Err(_) => {
                let _ = client.stream.shutdown().await;
                return;
            }
        }
    }
}

async fn refuse(client: &mut Reader<TcpStream>, status: u16, why: &str) {
    let _ = client.stream.write_all(&page(status, why, false, None)).await;
    let _ = client.stream.shutdown().await;
}

/// Our own answer, as JSON.
fn page(status: u16, why: &str, keep: bool, incident: Option<&str>) -> Vec<u8> {
    let reason =
        hyper::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Refused");
    let body = match incident {
        Some(incident) => serde_json::json!({ "message": why, "incident": incident }),
        None => serde_json::json!({ "message": why }),
    }
    .to_string();
    let connection = if keep { "" } else { "Connection: close\r\n" };
    format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nX-Content-Type-Options: nosniff\r\n{connection}\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// What one request came to.
struct Outcome {
    status: u16,
    /// `pass`, `block` or `would-block`.
    action: &'static str,
    why: Option<String>,
}

/// One request on its way through.
struct Passage<'s> {
    shared: &'s Shared,
    transaction: Option<Transaction<'s>>,
    judgement: Judgement,
    /// Time spent on inspection.
    spent: Duration,
    began: i64,
}

impl<'s> Passage<'s> {
    fn new(shared: &'s Shared, peer: SocketAddr) -> Self {
        let now = jiff::Timestamp::now();
        let (remote, local) = (peer.ip().to_string(), shared.address.ip().to_string());
        let transaction = shared.config.firewall.rules().map(|rules| {
            let mut transaction = Transaction::new(
                rules,
                Connection {
                    remote_address: &remote,
                    remote_port: peer.port(),
                    server_address: &local,
                    server_port: shared.address.port(),
                },
            );
            transaction.remember_in(shared.config.firewall.collections(), u64::try_from(now.as_second()).unwrap_or(0));
            transaction.unique_id(crate::server::request_id().as_bytes());
            transaction
        });
        Self {
            shared,
            transaction,
            judgement: Judgement::default(),
            spent: Duration::ZERO,
            began: now.as_millisecond(),
        }
    }

    /// Asks the rules, and counts the time.
    fn ask(&mut self, question: impl FnOnce(&mut Transaction<'s>) -> Option<Intervention>) -> Option<Intervention> {
        let start = Instant::now();
        let answer = self.transaction.as_mut().and_then(question);
        self.spent += start.elapsed();
        answer.filter(|_| self.shared.config.firewall.mode == Mode::Block)
    }

    /// Ends the transaction and tells of it; false where it can't be told.
    fn tell(&mut self, head: &Head, line: RequestLine<'_>, peer: SocketAddr, outcome: &Outcome) -> bool {
        if let Some(transaction) = &mut self.transaction {
            let start = Instant::now();
            transaction.process_logging();
            self.spent += start.elapsed();
        }
        let Some(log) = &self.shared.config.log else { return true };
        let id = self.shared.config.id_header.as_deref().and_then(|name| head.values(name).next());
        let written = log.write(&Line {
            time: self.began,
            request_id: id.unwrap_or_default(),
            method: line.method,
            target: line.target,
            peer: peer.ip(),
            status: outcome.status,
            action: outcome.action,
            why: outcome.why.as_deref(),
            transaction: self.transaction.as_ref(),
            judgement: &self.judgement,
            microseconds: u64::try_from(self.spent.as_micros()).unwrap_or(u64::MAX),
        });
        if let Err(error) = &written {
            tracing::error!(%error, "the log can't be written, so requests are refused");
        }
        written.is_ok()
    }
}

/// Takes one request through; whether the connection may be used again.
async fn exchange(
    client: &mut Reader<TcpStream>,
    head: &Head,
    peer: SocketAddr,
    shared: &Shared,
) -> Result<bool, Trouble> {
    let line = match RequestLine::of(head.line()) {
        Ok(line) => line,
        Err(Trouble::Malformed(status, why)) => {
            refuse(client, status, why).await;
            return Ok(false);
        }
        Err(trouble) => return Err(trouble),
    };
    let mut passage = Passage::new(shared, peer);
    let keep = line.keeps && !head.lists("connection", "close");
    let mut stopped = passage.ask(|transaction| {
        transaction.request_line(head.line());
        for (name, value) in head.fields() {
            transaction.request_header(name, value);
        }
        transaction.process_request_headers()
    });
    let mut trouble = None;
    let mut body = Vec::new();
    // A client that is refused by its head may still send its body, which nobody reads: the connection ends then.
    let framing = match (readable(head, line, shared), &stopped) {
        (Ok(framing), None) => {
            if framing != Body::Done && head.lists("expect", "100-continue") {
                client.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
            }
            match client.whole(framing, shared.config.limits.body_bytes, shared.config.limits.body).await {
                Ok(whole) => body = whole,
                Err(Trouble::Malformed(status, why)) => trouble = Some((status, why)),
                Err(Trouble::TimedOut) => trouble = Some((408, "the body took too long")),
                Err(gone) => return Err(gone),
            }
            Body::Done
        }
        (Ok(framing), Some(_)) => framing,
        (Err(Trouble::Malformed(status, why)), _) => {
            trouble = Some((status, why));
            Body::Close
        }
        (Err(other), _) => return Err(other),
    };
    let keep = keep && framing == Body::Done && trouble.is_none();
    if let Some((status, why)) = trouble {
        let outcome = Outcome { status, action: "block", why: Some(why.to_owned()) };
        passage.tell(head, line, peer, &outcome);
        refuse(client, status, why).await;
        return Ok(false);
    }
    if stopped.is_none() {
        stopped = passage.ask(|transaction| {
            transaction.request_body(&body);
            transaction.process_request_body()
        });
    }
    let body = Bytes::from(body);
    if stopped.is_none() && shared.config.firewall.has_fences() {
        let start = Instant::now();
        match incoming(head, line, &body, peer, shared.address.port()) {
            Some((request, path)) => passage.judgement = shared.config.firewall.judge(&request, &path),
            None => passage.judgement.refuse = true,
        }
        passage.spent += start.elapsed();
    }
    let blocks = shared.config.firewall.mode == Mode::Block;
    if let Some(intervention) = &stopped {
        return deny(client, passage, head, line, peer, intervention, keep).await;
    }
    if passage.judgement.refuse && blocks {
        let outcome = Outcome { status: 403, action: "block", why: Some("the fence".to_owned()) };
        passage.tell(head, line, peer, &outcome);
        let incident = passage.judgement.incident.take();
        client.stream.write_all(&page(403, "Forbidden", keep, incident.as_deref())).await?;
        return Ok(keep);
    }
    let request = forwarded(head, line, &body, peer.ip());
    match shared.upstream.send(&request, line.method, shared.config.patience).await {
        Ok(answer) => respond(client, passage, head, line, peer, answer, keep).await,
        Err(trouble) => {
            let (status, why) = match trouble {
                Trouble::TimedOut => (504, "the function took too long"),
                Trouble::Malformed(_, why) => (502, why),
                Trouble::Io(error) => {
                    tracing::warn!(%error, upstream = shared.config.upstream, "no answer");
                    (502, "the function can't be reached")
                }
            };
            let outcome = Outcome { status, action: action(&passage), why: Some(why.to_owned()) };
            passage.tell(head, line, peer, &outcome);
            client.stream.write_all(&page(status, why, keep, None)).await?;
            Ok(keep)
        }
    }
}

/// What can be said of the request's framing before its body is read.
fn readable(head: &Head, line: RequestLine<'_>, shared: &Shared) -> Result<Body, Trouble> {
    if head.size() > shared.config.limits.header_bytes {
        return Err(Trouble::Malformed(431, "the headers are too large"));
    }
    let mut hosts = head.values("host");
    match (hosts.next(), hosts.next()) {
        (None | Some(b""), _) if line.keeps => return Err(Trouble::Malformed(400, "there is no Host header")),
        (Some(_), Some(_)) => return Err(Trouble::Malformed(400, "two Host headers")),
        _ => {}
    }
    // No host has control characters in its name, however they are spelled.
    let hides = |host: &[u8]| {
        host.iter().any(|byte| byte.is_ascii_control() || *byte == b' ')
            || host.windows(2).any(|two| matches!(two, [b'%', b'0' | b'1']))
    };
    if head.values("host").any(hides) {
        return Err(Trouble::Malformed(400, "the Host header is no name"));
    }
    if line.method == b"CONNECT" || head.lists("connection", "upgrade") && head.values("upgrade").next().is_some() {
        return Err(Trouble::Malformed(501, "tunnels and upgrades are not passed on"));
    }
    Body::of_request(head, shared.config.firewall.mode == Mode::Observe)
}

/// `would-block` where blocking would have refused it.
fn action(passage: &Passage<'_>) -> &'static str {
    let denied = passage.transaction.as_ref().is_some_and(|transaction| {
        let score = |name: &str| {
            let value = transaction.variable(name)?;
            std::str::from_utf8(&value).ok()?.parse::<i64>().ok()
        };
        let over = |score: Option<i64>, limit: Option<i64>| matches!((score, limit), (Some(score), Some(limit)) if limit > 0 && score >= limit);
        over(score("blocking_inbound_anomaly_score"), score("inbound_anomaly_score_threshold"))
            || over(score("blocking_outbound_anomaly_score"), score("outbound_anomaly_score_threshold"))
    });
    if denied || passage.judgement.refuse { "would-block" } else { "pass" }
}

async fn deny(
    client: &mut Reader<TcpStream>,
    mut passage: Passage<'_>,
    head: &Head,
    line: RequestLine<'_>,
    peer: SocketAddr,
    intervention: &Intervention,
    keep: bool,
) -> Result<bool, Trouble> {
    let status = if intervention.redirect.is_some() { 302 } else { intervention.status.max(400) };
    let outcome = Outcome { status, action: "block", why: Some(because(intervention)) };
    passage.tell(head, line, peer, &outcome);
    if intervention.drop {
        return Ok(false);
    }
    // A location is written by the rules, but may be made of what the client sent.
    let location = intervention.redirect.as_deref().filter(|to| !to.iter().any(|byte| *byte < 0x20 || *byte == 0x7f));
    match location {
        Some(to) => {
            let mut out = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: ".to_vec();
            out.extend_from_slice(to);
            out.extend_from_slice(if keep { b"\r\n\r\n" } else { b"\r\nConnection: close\r\n\r\n" });
            client.stream.write_all(&out).await?;
        }
        None => client.stream.write_all(&page(status, "Forbidden", keep, None)).await?,
    }
    Ok(keep)
}

/// Takes the answer back: judged where the rules read it, else piece by piece.
async fn respond(
    client: &mut Reader<TcpStream>,
    mut passage: Passage<'_>,
    head: &Head,
    line: RequestLine<'_>,
    peer: SocketAddr,
    mut answer: Answer,
    keep: bool,
) -> Result<bool, Trouble> {
    let shared = passage.shared;
    let patience = shared.config.patience;
    let mut stopped = passage.ask(|transaction| {
        transaction.response_line(b"HTTP/1.1", answer.status);
        for (name, value) in answer.head.fields() {
            transaction.response_header(name, value);
        }
        transaction.process_response_headers()
    });
    let wanted = passage.transaction.as_ref().is_some_and(Transaction::wants_response_body);
    let mut held = None;
    if stopped.is_none() && wanted && answer.body != Body::Done {
        match answer.reader.whole(answer.body, shared.config.response_bytes, patience).await {
            Ok(whole) => {
                answer.body = Body::Done;
                held = Some(whole);
            }
            Err(trouble) => {
                let (status, why) = match trouble {
                    Trouble::TimedOut => (504, "the function took too long"),
                    Trouble::Malformed(413, _) => (502, "the answer is larger than what is inspected"),
                    _ => (502, "the answer broke off"),
                };
                let outcome = Outcome { status, action: "block", why: Some(why.to_owned()) };
                passage.tell(head, line, peer, &outcome);
                client.stream.write_all(&page(status, why, keep, None)).await?;
                return Ok(keep);
            }
        }
    }
    if stopped.is_none() {
        stopped = passage.ask(|transaction| {
            transaction.response_body(held.as_deref().unwrap_or_default());
            transaction.process_response_body()
        });
    }
    if let Some(intervention) = &stopped {
        return deny(client, passage, head, line, peer, intervention, keep).await;
    }
    let outcome = Outcome { status: answer.status, action: action(&passage), why: None };
    if !passage.tell(head, line, peer, &outcome) && shared.config.firewall.mode == Mode::Block {
        client.stream.write_all(&page(503, "Service Unavailable", false, None)).await?;
        return Ok(false);
    }
    let length = match (&held, line.method) {
        (Some(whole), _) => Some(whole.len() as u64),
        // The length of what a GET would give.
        (None, b"HEAD") => {
            answer.head.values("content-length").next().and_then(|text| std::str::from_utf8(text).ok()?.parse().ok())
        }
        (None, _) if matches!(answer.status, 204 | 304) => None,
        (None, _) => answer.body.announced(),
    };
    let bodiless = line.method == b"HEAD" || matches!(answer.status, 204 | 304);
    // Only an answer without a known length needs chunks; a client of HTTP/1.0 gets the end of the connection instead.
    let chunked = length.is_none() && !bodiless && line.keeps;
    let keep = keep && (length.is_some() || chunked || bodiless);
    let mut out = answered(&answer.head, answer.status, length, chunked, keep);
    if let Some(whole) = held {
        out.extend_from_slice(&whole);
        client.stream.write_all(&out).await?;
    } else {
        client.stream.write_all(&out).await?;
        stream(client, &mut answer, chunked, patience).await?;
    }
    shared.upstream.give_back(answer);
    Ok(keep)
}

async fn stream(
    client: &mut Reader<TcpStream>,
    answer: &mut Answer,
    chunked: bool,
    patience: Duration,
) -> Result<(), Trouble> {
    loop {
        let next = tokio::time::timeout(patience, answer.reader.piece(&mut answer.body));
        let Some(piece) = next.await.map_err(|_| Trouble::TimedOut)?? else { break };
        if piece.is_empty() {
            continue;
        }
        if chunked {
            client.stream.write_all(format!("{:x}\r\n", piece.len()).as_bytes()).await?;
        }
        client.stream.write_all(&piece).await?;
        if chunked {
            client.stream.write_all(b"\r\n").await?;
        }
    }
    if chunked {
        client.stream.write_all(b"0\r\n\r\n").await?;
    }
    Ok(())
}

/// The request as events are made of; none where a header can't be written down.
fn incoming(
    head: &Head,
    line: RequestLine<'_>,
    body: &Bytes,
    peer: SocketAddr,
    port: u16,
) -> Option<(Incoming, String)> {
    let mut headers = HeaderMap::new();
    for (name, value) in head.fields() {
        headers.append(HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?);
    }
    let target = String::from_utf8_lossy(line.target);
    // What is before the path names the server, and nothing else.
    let local =
        target.split_once("://").map_or(&*target, |(_, rest)| rest.find('/').map_or("/", |at| rest.split_at(at).1));
    let (path, query) = local.split_once('?').unwrap_or((local, ""));
    let request = Incoming {
        method: String::from_utf8_lossy(line.method).into_owned(),
        query: query.to_owned(),
        headers,
        body: body.clone(),
        peer: peer.ip(),
        protocol: "HTTP/1.1".to_owned(),
        port,
        request_id: crate::server::request_id(),
        time: jiff::Timestamp::now().as_millisecond(),
    };
    Some((request, path.to_owned()))
}
