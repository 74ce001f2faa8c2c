//! The Lambda Runtime API (version 2018-06-01) for one function process: what a runtime client, or the guard's proxy before
//! it, asks for its next event and gives its answers to.
//!
//! Each process gets a listener of its own. A process that was killed but left something behind can therefore neither take
//! an event nor answer one: its door is gone.

use crate::http::{self, Reply};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderValue;
use hyper::{Method, Request, StatusCode};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc};

/// The most bytes a buffered answer may have, as Lambda has it: 6 MiB and a little.
pub const MAX_ANSWER_BYTES: usize = 6 * 1024 * 1024 + 100;
/// The most bytes a streamed answer may have: 20 MiB.
pub const MAX_STREAMED_BYTES: usize = 20 * 1024 * 1024;
/// The most bytes an error report may have.
const MAX_ERROR_BYTES: usize = 256 * 1024;

/// An event on its way to the process.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    pub(crate) request_id: String,
    pub(crate) event: Bytes,
    pub(crate) deadline_ms: i64,
    pub(crate) function_arn: String,
    pub(crate) trace_id: String,
}

/// What the process said.
#[derive(Debug)]
pub(crate) enum Said {
    /// It asked for work.
    Ready,
    /// It could not start; the error as JSON.
    InitError(Bytes),
    /// It answered the event it was given.
    Answer { request_id: String, payload: Bytes, streamed: bool, content_type: Option<String> },
    /// It answered with an error, as JSON.
    Failure { request_id: String, payload: Bytes },
}

/// The server for one process. Dropping it closes the door and every connection.
#[derive(Debug)]
pub(crate) struct RuntimeApi {
    address: SocketAddr,
    state: Arc<State>,
    said: mpsc::Receiver<Said>,
    server: tokio::task::JoinHandle<()>,
}

#[derive(Debug)]
struct State {
    inner: Mutex<Inner>,
    offered: Notify,
    said: mpsc::Sender<Said>,
}

#[derive(Debug, Default)]
struct Inner {
    offer: Option<Offer>,
    /// The event the process has and hasn't answered yet.
    active: Option<String>,
    /// The event it answered last: a second answer is told apart from a wrong id.
    answered: Option<String>,
    initialised: bool,
}

impl RuntimeApi {
    /// Opens the door on a free loopback port.
    pub(crate) async fn open() -> io::Result<Self> {
        let listener = tokio::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (sender, said) = mpsc::channel(16);
        let state = Arc::new(State { inner: Mutex::default(), offered: Notify::new(), said: sender });
        let handler = Arc::clone(&state);
        let server = tokio::spawn(http::serve(listener, http::Limits::none(), move |request, _| {
            let state = Arc::clone(&handler);
            async move { answer(&state, request).await }
        }));
        Ok(Self { address, state, said, server })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Puts an event up for the process's next request for work.
    pub(crate) fn offer(&self, offer: Offer) {
        self.state.lock().offer = Some(offer);
        self.state.offered.notify_one();
    }

    /// What the process says next; none once nobody can say anything any more.
    pub(crate) async fn listen(&mut self) -> Option<Said> {
        self.said.recv().await
    }

    /// The event the process is working at.
    pub(crate) fn active(&self) -> Option<String> {
        self.state.lock().active.clone()
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl State {
    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        // The state is a few plain fields, whole after every statement: a panic elsewhere doesn't make it wrong.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn say(&self, said: Said) {
        // Nobody listening any more means that the process is being stopped.
        let _ = self.said.send(said).await;
    }
}

async fn answer(state: &State, request: Request<Incoming>) -> Reply {
    let path = request.uri().path().to_owned();
    let Some(path) = path.strip_prefix("/2018-06-01/") else {
        return match path.as_str() {
            "/2018-06-01/ping" | "/ping" => http::text(StatusCode::OK, "pong"),
            _ => refusal(StatusCode::NOT_FOUND, "InvalidRequest", "there is no such path in the Runtime API"),
        };
    };
    match (request.method(), path) {
        (&Method::GET, "runtime/invocation/next") => next(state).await,
        (&Method::GET, "ping") => http::text(StatusCode::OK, "pong"),
        (&Method::POST, "runtime/init/error") => init_error(state, request).await,
        // Snapshots don't exist here: a runtime that asks goes straight on.
        (&Method::GET, "runtime/restore/next") => http::text(StatusCode::OK, ""),
        (&Method::POST, "runtime/restore/error") => accepted(),
        (&Method::POST, path) => {
            let rest = path.strip_prefix("runtime/invocation/").unwrap_or("");
            match rest.split_once('/') {
                Some((id, "response")) => response(state, id, request).await,
                Some((id, "error")) => failure(state, id, request).await,
                _ => refusal(StatusCode::NOT_FOUND, "InvalidRequest", "there is no such path in the Runtime API"),
            }
        }
        _ => refusal(StatusCode::METHOD_NOT_ALLOWED, "InvalidRequest", "the Runtime API has no such method here"),
    }
}

async fn next(state: &State) -> Reply {
    {
        let mut inner = state.lock();
        inner.initialised = true;
    }
    state.say(Said::Ready).await;
    // Waits as long as it takes: an idle function waits for days.
    let offer = loop {
        let taken = {
            let mut inner = state.lock();
            let taken = inner.offer.take();
            if let Some(offer) = &taken {
                inner.active = Some(offer.request_id.clone());
            }
            taken
        };
        match taken {
            Some(offer) => break offer,
            None => state.offered.notified().await,
        }
    };
    let mut reply = http::bytes(StatusCode::OK, "application/json", offer.event);
    let headers = reply.headers_mut();
    for (name, value) in [
        ("lambda-runtime-aws-request-id", offer.request_id.as_str()),
        ("lambda-runtime-deadline-ms", &offer.deadline_ms.to_string()),
        ("lambda-runtime-invoked-function-arn", &offer.function_arn),
        ("lambda-runtime-trace-id", &offer.trace_id),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    reply
}

async fn init_error(state: &State, request: Request<Incoming>) -> Reply {
    if state.lock().initialised {
        return refusal(StatusCode::FORBIDDEN, "InvalidStateTransition", "the runtime has already asked for work");
    }
    match read(request, MAX_ERROR_BYTES).await {
        Ok(payload) => {
            state.say(Said::InitError(payload)).await;
            accepted()
        }
        Err(reply) => reply,
    }
}

/// Whether an answer for `id` is due; the refusal otherwise.
fn due(state: &State, id: &str) -> Option<Reply> {
    let inner = state.lock();
    if inner.active.as_deref() == Some(id) {
        None
    } else if inner.answered.as_deref() == Some(id) {
        Some(refusal(StatusCode::FORBIDDEN, "InvalidStateTransition", "this invocation has been answered"))
    } else {
        Some(refusal(StatusCode::BAD_REQUEST, "InvalidRequestID", "no such invocation is under way"))
    }
}

fn done(state: &State, id: &str) -> bool {
    let mut inner = state.lock();
    let was_active = inner.active.as_deref() == Some(id);
    if was_active {
        inner.answered = inner.active.take();
    }
    was_active
}

async fn response(state: &State, id: &str, request: Request<Incoming>) -> Reply {
    if let Some(refused) = due(state, id) {
        return refused;
    }
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let streamed =
        header("lambda-runtime-function-response-mode").is_some_and(|mode| mode.eq_ignore_ascii_case("streaming"));
    let content_type = header("content-type");
    let limit = if streamed { MAX_STREAMED_BYTES } else { MAX_ANSWER_BYTES };
    let collected = Limited::new(request.into_body(), limit).collect().await;
    let said = match collected {
        Ok(collected) => {
            let trailer = |name: &str| {
                collected.trailers().and_then(|trailers| trailers.get(name)).map(|value| value.as_bytes().to_vec())
            };
            match trailer("lambda-runtime-function-error-body") {
                // A stream that broke off midway says so in its trailers, in base64.
                Some(error) => {
                    use base64::Engine as _;
                    let kind = trailer("lambda-runtime-function-error-type").unwrap_or_default();
                    let payload = base64::engine::general_purpose::STANDARD
                        .decode(&error)
                        .unwrap_or_else(|_| error_json(&String::from_utf8_lossy(&kind), "the stream broke off"));
                    Said::Failure { request_id: id.to_owned(), payload: payload.into() }
                }
                None => {
                    Said::Answer { request_id: id.to_owned(), payload: collected.to_bytes(), streamed, content_type }
                }
            }
        }
        Err(problem) if problem.is::<http_body_util::LengthLimitError>() => {
            if done(state, id) {
                let text = format!("Response payload size exceeded maximum allowed payload size ({limit} bytes).");
                let payload = error_json("Function.ResponseSizeTooLarge", &text).into();
                state.say(Said::Failure { request_id: id.to_owned(), payload }).await;
            }
            return refusal(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", "the answer is over the limit");
        }
        Err(_) => return refusal(StatusCode::BAD_REQUEST, "InvalidRequest", "the answer broke off"),
    };
    if done(state, id) {
        state.say(said).await;
    }
    accepted()
}

async fn failure(state: &State, id: &str, request: Request<Incoming>) -> Reply {
    if let Some(refused) = due(state, id) {
        return refused;
    }
    let kind = request.headers().get("lambda-runtime-function-error-type").map(|kind| kind.as_bytes().to_vec());
    match read(request, MAX_ERROR_BYTES).await {
        Ok(payload) => {
            if done(state, id) {
                let payload = if payload.is_empty() {
                    error_json(
                        &String::from_utf8_lossy(&kind.unwrap_or_default()),
                        "the runtime reported an error without a body",
                    )
                    .into()
                } else {
                    payload
                };
                state.say(Said::Failure { request_id: id.to_owned(), payload }).await;
            }
            accepted()
        }
        Err(reply) => reply,
    }
}

async fn read(request: Request<Incoming>, limit: usize) -> Result<Bytes, Reply> {
    match tokio::time::timeout(Duration::from_secs(30), Limited::new(request.into_body(), limit).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(problem)) if problem.is::<http_body_util::LengthLimitError>() => {
            Err(refusal(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", "the error report is over the limit"))
        }
        _ => Err(refusal(StatusCode::BAD_REQUEST, "InvalidRequest", "the body broke off")),
    }
}

/// An error in the form every runtime client reports one.
pub(crate) fn error_json(kind: &str, message: &str) -> Vec<u8> {
    serde_json::json!({ "errorType": kind, "errorMessage": message }).to_string().into_bytes()
}

fn accepted() -> Reply {
    http::bytes(StatusCode::ACCEPTED, "application/json", Bytes::from_static(br#"{"status":"OK"}"#))
}

fn refusal(status: StatusCode, kind: &str, message: &str) -> Reply {
    http::bytes(status, "application/json", error_json(kind, message).into())
}
