//! Before a function that is a server: its platform's requests come here first, and the function gets what the inspector passed.
//!
//! A request's body is read whole before any of it goes on, since half a request can't be judged. The function's answer streams
//! through as it comes. What is refused is answered here:
//!
//! | what | answer |
//! |---|---|
//! | a request | 403 with the incident's id |
//! | a CloudEvent | 204 with the incident's id in a header: any error would have the platform deliver it again, for days |
//! | Azure's envelope of a request | a 403 as the function's output, so that the host tells the caller |
//! | Azure's envelope of anything else | success without outputs: the message is gone, and recorded |
//!
//! Deliberately absent: upgrades of a connection (WebSocket), `CONNECT`, HTTP/2, and trailers of requests.

use super::body::{Captured, Outgoing};
use super::is_passing;
use super::upstream::{Lost, Upstream};
use crate::answer::message;
use crate::inspect::{Action, Decision, Inspector};
use crate::journal::Journal;
use crate::line::FenceError;
use events::Request as Wire;
use fence::FunctionFence;
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, UPGRADE};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use records::{HttpSummary, Invocation, Outcome, Record, Verdict};
use serde_json::json;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};

/// Bodies beyond this are not read, in whichever mode.
const READ_AT_MOST: usize = 64 << 20;
/// Bodies this large are inspected on a thread of their own.
const LARGE: usize = 256 << 10;
/// How long a client may take to write the head of a request.
const HEAD: Duration = Duration::from_secs(30);
/// How long a client may take to write a body.
const BODY: Duration = Duration::from_secs(300);
/// How long a connection to the server is used again after the last time: shorter than servers wait before they hang up.
const IDLE: Duration = Duration::from_secs(1);
/// Connections at once; those beyond wait to be accepted.
const MOST: usize = 4096;

/// Whose requests come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Anybody's, as plain HTTP or CloudEvents.
    Http,
    /// Those of Azure's host: envelopes, requests it forwards, and its question whether anybody is there.
    AzureHandler,
}

/// The proxy before one server.
pub struct Front {
    inspectors: Vec<(String, Inspector)>,
    nobody: Inspector,
    door: Door,
    upstream: String,
    journal: Option<Journal>,
    warm: AtomicBool,
    count: AtomicU64,
}

impl Front {
    /// A proxy before the server at `upstream` (`host:port`), for these functions: with one, everything is held against its fence; with
    /// several, an envelope against that of the function it names. Records go to `journal`, if there is one.
    ///
    /// # Errors
    /// Never in practice: when a fence that lists nothing can't be held.
    pub fn new(
        inspectors: Vec<(String, Inspector)>,
        door: Door,
        upstream: impl Into<String>,
        journal: Option<Journal>,
    ) -> Result<Front, FenceError> {
        Ok(Front {
            nobody: Inspector::new(&FunctionFence::default(), &BTreeMap::new(), records::Mode::Block)?,
            inspectors,
            door,
            upstream: upstream.into(),
            journal,
            warm: AtomicBool::new(false),
            count: AtomicU64::new(0),
        })
    }

    /// Whose fence a request is held against: that of the function named, of the first that lists such a request, of nobody.
    fn whose(&self, name: Option<&str>, asked: &Asked) -> (&str, &Inspector) {
        let lists = |inspector: &Inspector| inspector.lists_request(&asked.method, &asked.path);
        let found = match (self.inspectors.as_slice(), name) {
            ([only], _) => Some(only),
            (all, Some(name)) => all.iter().find(|(function, _)| function.eq_ignore_ascii_case(name)),
            (all, None) => all.iter().find(|(_, inspector)| lists(inspector)),
        };
        found.map_or(("unknown", &self.nobody), |(name, inspector)| (name.as_str(), inspector))
    }

    /// Serves connections until accepting fails; gives back why.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) -> std::io::Error {
        let room = Arc::new(tokio::sync::Semaphore::new(MOST));
        loop {
            let place = Arc::clone(&room).acquire_owned().await;
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) if is_passing(&error) => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    continue;
                }
                Err(error) => return error,
            };
            let _ = stream.set_nodelay(true);
            let front = Arc::clone(&self);
            tokio::spawn(async move {
                front.connection(stream).await;
                drop(place);
            });
        }
    }

    async fn connection(self: Arc<Self>, stream: TcpStream) {
        let upstream = Upstream::new(self.upstream.clone());
        let upstream = Arc::new(tokio::sync::Mutex::new(Kept { upstream, used: Instant::now() }));
        let service = service_fn(move |request| {
            let (front, upstream) = (Arc::clone(&self), Arc::clone(&upstream));
            async move { Ok::<_, Infallible>(front.request(request, &upstream).await) }
        });
        // An error here is the client hanging up, or one that writes no HTTP.
        let _ = hyper::server::conn::http1::Builder::new()
            .preserve_header_case(true)
            .auto_date_header(false)
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD)
            .serve_connection(TokioIo::new(stream), service)
            .await;
    }

    async fn request(
        self: &Arc<Self>,
        request: Request<Incoming>,
        upstream: &tokio::sync::Mutex<Kept>,
    ) -> Response<Answering> {
        let arrived = Instant::now();
        if request.method() == Method::CONNECT || request.headers().contains_key(UPGRADE) {
            return short(StatusCode::NOT_IMPLEMENTED, "{\"message\":\"Connections can't be upgraded here\"}");
        }
        if request.uri().authority().is_some() {
            // `GET http://elsewhere/ HTTP/1.1` is a question to a proxy, and this is none.
            return short(StatusCode::BAD_REQUEST, "{\"message\":\"A path is needed\"}");
        }
        let (mut parts, body) = request.into_parts();
        if body.size_hint().lower() > READ_AT_MOST as u64 {
            return short(StatusCode::PAYLOAD_TOO_LARGE, "{\"message\":\"Content too large\"}");
        }
        let body = match tokio::time::timeout(BODY, Limited::new(body, READ_AT_MOST).collect()).await {
            Ok(Ok(collected)) => collected.to_bytes(),
            Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
                return short(StatusCode::PAYLOAD_TOO_LARGE, "{\"message\":\"Content too large\"}");
            }
            Ok(Err(_)) => return short(StatusCode::BAD_REQUEST, "{\"message\":\"The body broke off\"}"),
            Err(_) => return short(StatusCode::REQUEST_TIMEOUT, "{\"message\":\"The body took too long\"}"),
        };
        let read = Instant::now();
        let asked = Asked {
            method: parts.method.as_str().to_owned(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: worded(&parts.headers),
            body: body.clone(),
        };
        let Some(judged) = self.judge(asked).await else {
            return short(StatusCode::INTERNAL_SERVER_ERROR, "{\"message\":\"The request could not be judged\"}");
        };
        let landing = Landing {
            front: Arc::clone(self),
            arrived,
            guarded: read.elapsed(),
            bytes_in: body.len(),
            verdict: judged.decision.verdict.clone(),
            notable: judged.decision.is_notable(),
            http: judged.decision.http.clone(),
            silent: judged.manner == Manner::HostAsks,
            function: judged.function.clone(),
            status: 0,
        };
        if judged.decision.answer.is_some() {
            return self.refused(judged, landing);
        }
        without_hops(&mut parts.headers);
        if !body.is_empty() || parts.headers.contains_key(CONTENT_LENGTH) || parts.method == Method::POST {
            parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        }
        let request = Request::from_parts(parts, Outgoing::full(body));
        let answered = {
            let mut upstream = upstream.lock().await;
            if upstream.used.elapsed() > IDLE {
                upstream.upstream.remake();
            }
            let answered = upstream.upstream.send(request).await;
            upstream.used = Instant::now();
            answered
        };
        match answered {
            Ok(response) => {
                let (mut parts, body) = response.into_parts();
                without_hops(&mut parts.headers);
                let landing = Landing { status: parts.status.as_u16(), ..landing };
                Response::from_parts(parts, Answering::through(body, landing))
            }
            Err(lost) => self.lost(&lost, landing),
        }
    }

    /// Judges a request; none where the judgement itself broke.
    async fn judge(self: &Arc<Self>, asked: Asked) -> Option<Judged> {
        if asked.body.len() < LARGE {
            return Some(self.judged(&asked));
        }
        let front = Arc::clone(self);
        tokio::task::spawn_blocking(move || front.judged(&asked)).await.ok()
    }

    fn judged(&self, asked: &Asked) -> Judged {
        let wire = Wire {
            method: &asked.method,
            path: &asked.path,
            query: &asked.query,
            headers: &asked.headers,
            body: &asked.body,
        };
        if self.door == Door::AzureHandler {
            let plain = asked.body.is_empty() && asked.query.is_empty() && asked.path == "/";
            let (function, inspector) = self.whose(None, asked);
            if asked.method == "GET" && plain && !inspector.lists_request("GET", "/") {
                // The host asks until somebody answers. What it tells besides is nothing a function acts upon.
                return Judged::new(Manner::HostAsks, function, host_asks(inspector));
            }
            let name = asked.path.trim_start_matches('/');
            if asked.method == "POST" && !name.contains('/') {
                let (function, inspector) = self.whose(Some(name), asked);
                if let Some(decision) = inspector.inspect_envelope(name, &asked.body) {
                    // Where a caller's own request could be taken for an envelope, it has to be right as both.
                    let forwarded = inspector.lists_request("POST", &asked.path);
                    let plain = forwarded.then(|| inspector.inspect_request(&wire));
                    if let Some(decision) = plain.filter(|decision| decision.answer.is_some()) {
                        return Judged::new(Manner::Request, function, decision);
                    }
                    let manner = match (&decision.http, &decision.action) {
                        (Some(_), _) => Manner::EnvelopeOfRequest,
                        (None, Action::Drop) => Manner::Envelope,
                        _ => Manner::Unread,
                    };
                    return Judged::new(manner, function, decision);
                }
            }
        }
        let (function, inspector) = self.whose(None, asked);
        let decision = inspector.inspect_request(&wire);
        let delivery = wire.is_cloud_event() || decision.action == Action::Drop;
        Judged::new(if delivery { Manner::Delivery } else { Manner::Request }, function, decision)
    }

    fn refused(&self, judged: Judged, landing: Landing) -> Response<Answering> {
        let incident = judged.decision.verdict.incident.clone().unwrap_or_default();
        let logged = format!("ringfence refused the event (incident {incident})");
        let (status, body) = match judged.manner {
            Manner::Delivery => (StatusCode::NO_CONTENT, String::new()),
            Manner::EnvelopeOfRequest => {
                let response = json!({
                    "statusCode": 403,
                    "status": "403",
                    "headers": {"Content-Type": "application/json"},
                    "body": message(&incident),
                });
                // The output binding's name is the function's own choice; the host takes a return value for `$return` and for the only
                // one there is.
                let value = json!({"Outputs": {"res": response}, "Logs": [logged], "ReturnValue": response});
                (StatusCode::OK, value.to_string())
            }
            Manner::Envelope => {
                (StatusCode::OK, json!({"Outputs": {}, "Logs": [logged], "ReturnValue": null}).to_string())
            }
            // Nobody knows what it was, so it counts as failed: the host retries a few times and then sets it apart.
            Manner::Unread => (StatusCode::INTERNAL_SERVER_ERROR, message(&incident)),
            Manner::Request | Manner::HostAsks => (StatusCode::FORBIDDEN, message(&incident)),
        };
        let landing = Landing { status: status.as_u16(), ..landing };
        landing.land(Outcome::Refused, body.len() as u64);
        let mut response = short(status, &body);
        if let Ok(incident) = HeaderValue::from_str(&incident) {
            response.headers_mut().insert(HeaderName::from_static("ringfence-incident"), incident);
        }
        response
    }

    fn lost(&self, lost: &Lost, landing: Landing) -> Response<Answering> {
        let landing = Landing { status: 502, ..landing };
        let body = json!({"message": "Bad gateway", "detail": lost.why}).to_string();
        landing.land(Outcome::Crashed, 0);
        short(StatusCode::BAD_GATEWAY, &body)
    }
}

/// The connection to the server that belongs to one of a client's.
struct Kept {
    upstream: Upstream,
    used: Instant,
}

/// What is judged of a request.
struct Asked {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Bytes,
}

/// How a refusal is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    HostAsks,
    Request,
    Delivery,
    Envelope,
    EnvelopeOfRequest,
    Unread,
}

struct Judged {
    decision: Decision,
    manner: Manner,
    function: String,
}

impl Judged {
    fn new(manner: Manner, function: &str, decision: Decision) -> Judged {
        Judged { decision, manner, function: function.to_owned() }
    }
}

/// A decision about the host's question whether anybody is there: it passes.
fn host_asks(inspector: &Inspector) -> Decision {
    let wire = Wire { method: "GET", path: "/", query: "", headers: &[], body: b"" };
    let decision = inspector.inspect_request(&wire);
    let verdict = Verdict { action: records::Action::Pass, matches: Vec::new(), ..decision.verdict };
    Decision { action: Action::Pass, answer: None, verdict, ..decision }
}

fn worded(headers: &HeaderMap) -> Vec<(String, String)> {
    let word = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), word(value))).collect()
}

/// Takes out what is meant for this connection alone.
fn without_hops(headers: &mut HeaderMap) {
    for name in ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "te", "trailer", "expect"] {
        headers.remove(name);
    }
}

fn short(status: StatusCode, body: &str) -> Response<Answering> {
    let outgoing = Outgoing::full(Bytes::copy_from_slice(body.as_bytes()));
    let mut response = Response::new(Answering { body: outgoing, landing: None });
    *response.status_mut() = status;
    if !body.is_empty() {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    response
}

/// The function's answer on its way; recorded when it is through.
struct Answering {
    body: Outgoing,
    landing: Option<(Landing, Captured, bool)>,
}

impl Answering {
    fn through(body: Incoming, landing: Landing) -> Answering {
        let captured = Captured::of(Bytes::new());
        Answering { body: Outgoing::Through(body, Some(captured.clone())), landing: Some((landing, captured, false)) }
    }
}

impl Body for Answering {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.body).poll_frame(context);
        if let (Poll::Ready(Some(Err(_))), Some((_, _, broken))) = (&polled, &mut this.landing) {
            *broken = true;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        if let Some((landing, captured, broken)) = self.landing.take() {
            let failed = broken || landing.status >= 500;
            landing.land(if failed { Outcome::Error } else { Outcome::Ok }, captured.bytes());
        }
    }
}

/// What there will be to record of a request.
struct Landing {
    front: Arc<Front>,
    arrived: Instant,
    guarded: Duration,
    bytes_in: usize,
    verdict: Verdict,
    notable: bool,
    http: Option<events::Http>,
    /// There is nothing to record of it.
    silent: bool,
    function: String,
    status: u16,
}

impl Landing {
    fn land(self, outcome: Outcome, bytes_out: u64) {
        let Some(journal) = self.front.journal.clone() else { return };
        if self.silent {
            return;
        }
        let cold = !self.front.warm.swap(true, Ordering::Relaxed);
        let id = format!("{}-{}", std::process::id(), self.front.count.fetch_add(1, Ordering::Relaxed));
        let function = self.function.clone();
        let time = records::now_ms();
        let took = self.arrived.elapsed();
        journal.later(move || {
            let microseconds = |duration: Duration| duration.as_micros().try_into().unwrap_or(u64::MAX);
            let record = |body: records::Body| Record::new(time, &function, body).with_request_id(id.clone());
            let invocation = Invocation {
                trigger: self.verdict.trigger.clone(),
                outcome,
                duration_us: microseconds(took),
                guard_us: microseconds(self.guarded),
                bytes_in: self.bytes_in as u64,
                bytes_out,
                cold,
                source: self.verdict.source.clone(),
                http: self.http.as_ref().map(|http| HttpSummary {
                    method: http.method.chars().take(40).collect(),
                    path: http.path.chars().take(400).collect(),
                    status: self.status,
                }),
            };
            let mut made = Vec::new();
            if self.notable {
                made.push(record(self.verdict.into()));
            }
            made.push(record(invocation.into()));
            made
        });
    }
}
