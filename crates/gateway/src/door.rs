//! The small door beside the gateway: `POST /invoke/<Function>` hands a function any event as it is and tells what the guard made
//! of it. It is how queue messages, schedules and everything else without HTTP reaches functions on a developer's machine.
//!
//! Only on loopback, only for who knows the token, and only under the name of a loopback address: a web page that a browser shows
//! can send requests here too, but it can't know the token, and a name that was bent to this address is not one of ours.

use crate::server::{Accept, accept};
use base64::Engine as _;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// The most bytes of an event: a little over what functions take, so that they are the ones to refuse it.
const MAX_EVENT_BYTES: usize = 7 * 1024 * 1024;
/// The most bytes of a function's answer that [`send`] reads.
const MAX_ANSWER_BYTES: usize = 32 * 1024 * 1024;

/// What became of an event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivered {
    /// The function's answer, or its error as JSON.
    pub payload: Bytes,
    /// Whether the function failed.
    pub failed: bool,
    /// The invocation's id.
    pub request_id: String,
    /// `passed`, `refused`, `set-aside`, `dropped`, or `unknown` when the guard's record didn't come.
    pub verdict: String,
    /// In observe mode, what block mode would have done.
    pub observed: Option<String>,
    /// The id the sender may ask about.
    pub incident: Option<String>,
    /// Why, in one sentence.
    pub reason: Option<String>,
    /// The rules that matched, as a JSON array of `{rule, field, excerpt, message}`.
    pub matches: Option<String>,
}

/// Why an event wasn't taken; the status says the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotTaken {
    /// The status to answer with.
    pub status: u16,
    /// Why.
    pub message: String,
}

/// An event's outcome on its way.
pub type Delivering<'a> = Pin<Box<dyn Future<Output = Result<Delivered, NotTaken>> + Send + 'a>>;

/// Whoever hands events to functions.
pub trait Deliver: Send + Sync + 'static {
    /// Hands over one event. `asynchronous`: without waiting for the answer, though for the verdict.
    fn deliver<'a>(&'a self, function: &'a str, event: Bytes, asynchronous: bool) -> Delivering<'a>;
}

/// A running door; dropping it ends it.
#[derive(Debug)]
pub struct Door {
    address: SocketAddr,
    server: tokio::task::JoinHandle<()>,
}

impl Door {
    /// Opens the door on a free loopback port; must be called within a tokio runtime.
    ///
    /// # Errors
    /// When no port can be opened.
    pub async fn open(token: String, deliver: Arc<dyn Deliver>) -> io::Result<Self> {
        let listener = tokio::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let token: Arc<str> = token.into();
        let limits = Accept { head: Duration::from_secs(15), headers: 50, connections: 64 };
        let server = tokio::spawn(accept(listener, limits, move |request, _| {
            let (token, deliver) = (Arc::clone(&token), Arc::clone(&deliver));
            async move { answer(&token, &*deliver, request).await }
        }));
        Ok(Self { address, server })
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.server.abort();
    }
}

type Reply = Response<Full<Bytes>>;

async fn answer(token: &str, deliver: &dyn Deliver, request: Request<Incoming>) -> Reply {
    if !is_loopback_name(&request) {
        return refuse(StatusCode::MISDIRECTED_REQUEST, "ask for 127.0.0.1 or localhost");
    }
    let path = request.uri().path().to_owned();
    match (request.method(), path.as_str()) {
        (&Method::GET, "/health") => json(StatusCode::OK, &serde_json::json!({ "status": "ok" })),
        (method, path) => {
            let Some(function) = path.strip_prefix("/invoke/") else {
                return refuse(StatusCode::NOT_FOUND, "there is `POST /invoke/<Function>` and `GET /health`");
            };
            if *method != Method::POST {
                return refuse(StatusCode::METHOD_NOT_ALLOWED, "events come by POST");
            }
            if !knows(token, &request) {
                return refuse(
                    StatusCode::UNAUTHORIZED,
                    "the token of `.ringfence/up.json` goes into `Authorization: Bearer …`",
                );
            }
            let function = percent_encoding::percent_decode_str(function).decode_utf8_lossy().into_owned();
            invoke(deliver, &function, request).await
        }
    }
}

async fn invoke(deliver: &dyn Deliver, function: &str, request: Request<Incoming>) -> Reply {
    let asynchronous = request
        .headers()
        .get("x-amz-invocation-type")
        .is_some_and(|kind| kind.as_bytes().eq_ignore_ascii_case(b"Event"));
    let too_large = || refuse(StatusCode::PAYLOAD_TOO_LARGE, "the event is over the limit");
    if request.body().size_hint().lower() > MAX_EVENT_BYTES as u64 {
        return too_large();
    }
    let body = Limited::new(request.into_body(), MAX_EVENT_BYTES).collect();
    let event = match tokio::time::timeout(Duration::from_secs(30), body).await {
        Ok(Ok(collected)) => collected.to_bytes(),
        Ok(Err(problem)) if problem.is::<http_body_util::LengthLimitError>() => return too_large(),
        _ => return refuse(StatusCode::BAD_REQUEST, "the event broke off"),
    };
    match deliver.deliver(function, event, asynchronous).await {
        Ok(delivered) => reply(delivered, asynchronous),
        Err(not) => refuse(StatusCode::from_u16(not.status).unwrap_or(StatusCode::BAD_GATEWAY), &not.message),
    }
}

fn reply(delivered: Delivered, asynchronous: bool) -> Reply {
    let mut response = Response::new(Full::new(delivered.payload));
    *response.status_mut() = if asynchronous { StatusCode::ACCEPTED } else { StatusCode::OK };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let failed = delivered.failed.then(|| "Unhandled".to_owned());
    for (name, value) in [
        ("x-amzn-requestid", Some(delivered.request_id)),
        ("x-amz-function-error", failed),
        ("x-ringfence-verdict", Some(delivered.verdict)),
        ("x-ringfence-observed", delivered.observed),
        ("x-ringfence-incident", delivered.incident),
        // These may hold anything an attacker wrote.
        ("x-ringfence-reason", delivered.reason.map(|text| pack(&text))),
        ("x-ringfence-matches", delivered.matches.map(|text| pack(&text))),
    ] {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    response
}

/// Any text, as a header can carry it.
fn pack(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
}

fn unpack(text: &str) -> Option<String> {
    String::from_utf8(base64::engine::general_purpose::STANDARD.decode(text).ok()?).ok()
}

fn json(status: StatusCode, value: &serde_json::Value) -> Reply {
    let mut response = Response::new(Full::new(Bytes::from(value.to_string())));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn refuse(status: StatusCode, message: &str) -> Reply {
    json(status, &serde_json::json!({ "message": message }))
}

/// Whether the client asked for us by a name that only means this machine.
fn is_loopback_name(request: &Request<Incoming>) -> bool {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("");
    let name = host.rsplit_once(':').map_or(host, |(name, port)| if port.parse::<u16>().is_ok() { name } else { host });
    matches!(name, "127.0.0.1" | "localhost" | "[::1]")
}

/// Whether the request brings the token. The comparison takes the same time wherever they differ.
fn knows(token: &str, request: &Request<Incoming>) -> bool {
    let given = request.headers().get(header::AUTHORIZATION).map_or(&b""[..], HeaderValue::as_bytes);
    let given = given.strip_prefix(b"Bearer ").unwrap_or_default();
    let differing = given.iter().zip(token.as_bytes()).fold(0, |sum, (left, right)| sum | (left ^ right));
    !token.is_empty() && given.len() == token.len() && differing == 0
}

/// Why an event couldn't be sent.
#[derive(Debug)]
pub enum SendError {
    /// Nobody listens there.
    NotRunning(io::Error),
    /// The door refused it.
    Refused(NotTaken),
    /// The answer couldn't be read.
    Broken(String),
}

impl std::fmt::Display for SendError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotRunning(error) => write!(formatter, "nobody listens there: {error}"),
            Self::Refused(not) => formatter.write_str(&not.message),
            Self::Broken(what) => write!(formatter, "the answer could not be read: {what}"),
        }
    }
}

impl std::error::Error for SendError {}

/// Sends one event through the door at `url`.
///
/// # Errors
/// When nobody listens there, the door doesn't take the event, or its answer breaks off.
pub async fn send(
    url: &str,
    token: &str,
    function: &str,
    event: Bytes,
    asynchronous: bool,
) -> Result<Delivered, SendError> {
    let broken = |what: &dyn std::fmt::Display| SendError::Broken(what.to_string());
    let authority = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let stream = tokio::net::TcpStream::connect(&authority).await.map_err(SendError::NotRunning)?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error))?;
    tokio::spawn(async move {
        // Its failure shows in the answer.
        let _ = connection.await;
    });
    let function = percent_encoding::utf8_percent_encode(function, percent_encoding::NON_ALPHANUMERIC);
    let mut request = Request::post(format!("/invoke/{function}"))
        .header(header::HOST, &authority)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/json");
    if asynchronous {
        request = request.header("x-amz-invocation-type", "Event");
    }
    let request = request.body(Full::new(event)).map_err(|error| broken(&error))?;
    let response = sender.send_request(request).await.map_err(|error| broken(&error))?;
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await.map_err(|error| broken(&error))?.to_bytes();
    let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let Some(verdict) = text("x-ringfence-verdict") else {
        let json: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
        let message = json.get("message").and_then(|message| message.as_str()).unwrap_or("no reason given");
        return Err(SendError::Refused(NotTaken { status: parts.status.as_u16(), message: message.to_owned() }));
    };
    Ok(Delivered {
        payload: body,
        failed: text("x-amz-function-error").is_some(),
        request_id: text("x-amzn-requestid").unwrap_or_default(),
        verdict,
        observed: text("x-ringfence-observed"),
        incident: text("x-ringfence-incident"),
        reason: text("x-ringfence-reason").and_then(|text| unpack(&text)),
        matches: text("x-ringfence-matches").and_then(|text| unpack(&text)),
    })
}
