//! Between a function and its Runtime API: the function asks here for its next event, and gets only what the inspector passed.
//!
//! Built on single HTTP/1.1 connections without a pool: each connection of the runtime has one connection to the platform,
//! made anew when it breaks and after a restore from a snapshot. A request for the next event may wait for days, so
//! nothing here has a timeout. Everything but the next event streams through as it comes: bodies, trailers, paths and
//! headers nobody here knows.
//!
//! An event the inspector stops is answered to the platform here, and the next one is asked for, without the function
//! noticing anything. Records are made when an invocation is over, never before its response is through.

mod body;
mod flight;
mod front;
mod upstream;

pub use front::{Door, Front};
pub use upstream::Lost;

use crate::answer::{Answer, ERROR_TYPE};
use crate::inspect::{Decision, Inspector};
use crate::journal::Journal;
use body::{Captured, Outgoing};
use flight::{Flight, Flights};
use http_body_util::{BodyExt, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderValue, TRANSFER_ENCODING};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use records::{Outcome, Record};
use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use upstream::Upstream;

const NEXT: &str = "/runtime/invocation/next";
const RESTORED: &str = "/runtime/restore/next";
const INVOCATIONS: &str = "/2018-06-01/runtime/invocation";
/// Bytes over the inspector's limit that are still read, to tell how large an event is and to let it pass in observe mode.
const READ_AT_MOST: usize = 64 << 20;
/// Events this large are inspected on a thread of their own, so that the responses of others don't wait.
const LARGE: usize = 256 << 10;

type Done = Box<dyn FnOnce() + Send>;

/// The proxy of one function.
pub struct Proxy {
    inspector: Arc<Inspector>,
    upstream: String,
    function: String,
    journal: Option<Journal>,
    flights: Flights,
    on_first_next: Mutex<Option<Done>>,
}

impl Proxy {
    /// A proxy before the Runtime API at `upstream` (`host:port`). Records go to `journal`, if there is one.
    pub fn new(
        inspector: Inspector,
        upstream: impl Into<String>,
        function: impl Into<String>,
        journal: Option<Journal>,
    ) -> Proxy {
        Proxy {
            inspector: Arc::new(inspector),
            upstream: upstream.into(),
            function: function.into(),
            journal,
            flights: Flights::default(),
            on_first_next: Mutex::new(None),
        }
    }

    /// Has `done` run once, when the function asks for its first event: it is initialised then.
    #[must_use]
    pub fn on_first_next(self, done: impl FnOnce() + Send + 'static) -> Proxy {
        *self.on_first_next.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(done));
        self
    }

    /// Serves the function's connections until the platform is lost or accepting fails.
    ///
    /// # Errors
    /// [`Lost`] when the Runtime API can't be reached any more; there is nothing left to do then but to end.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) -> Lost {
        let (lost, mut losses) = mpsc::channel::<Lost>(1);
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                Some(lost) = losses.recv() => return lost,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                // The runtime gave the connection up, or the process is out of descriptors for a moment.
                Err(error) if is_passing(&error) => {
                    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                    continue;
                }
                Err(error) => {
                    return Lost { upstream: self.upstream.clone(), why: format!("can't accept connections: {error}") };
                }
            };
            let _ = stream.set_nodelay(true);
            let connection = Arc::new(Connection {
                proxy: Arc::clone(&self),
                upstream: tokio::sync::Mutex::new(Upstream::new(self.upstream.clone())),
                lost: lost.clone(),
            });
            tokio::spawn(async move {
                let service = service_fn(move |request| {
                    let connection = Arc::clone(&connection);
                    async move { Ok::<_, Infallible>(connection.serve(request).await) }
                });
                // An error here is the runtime hanging up, which is its good right.
                let _ = hyper::server::conn::http1::Builder::new()
                    .preserve_header_case(true)
                    .auto_date_header(false)
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    }

    /// Records every event that was handed out and not answered as having ended so: the function's process is gone.
    pub fn abandon(&self, outcome: Outcome) {
        for flight in self.flights.drain() {
            self.land(flight, outcome, None);
        }
    }

    fn land(&self, flight: Flight, outcome: Outcome, captured: Option<Captured>) {
        if let Some(journal) = &self.journal {
            let function = self.function.clone();
            let time = records::now_ms();
            let landed = flight.landed(outcome, captured);
            journal.later(move || landed.records(time, &function));
        }
    }
}

/// Whether some reader of paths may take this for the request for the next event, though it isn't written like one: such a request
/// would bring an event that nobody looked at.
fn may_be_next(path: &str) -> bool {
    path.contains('%') || path.to_ascii_lowercase().contains("invocation")
}

fn not_found() -> Response<Outgoing> {
    let text = r#"{"errorType":"Ringfence.Path","errorMessage":"events are asked for at /2018-06-01/runtime/invocation/next"}"#;
    let mut response = Response::new(Outgoing::full(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

fn is_passing(error: &io::Error) -> bool {
    // ENFILE and EMFILE have no kind of their own.
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    ) || matches!(error.raw_os_error(), Some(23 | 24))
}

/// One connection of the runtime, with its connection to the platform.
struct Connection {
    proxy: Arc<Proxy>,
    /// Requests on a connection follow each other; the lock is never waited for.
    upstream: tokio::sync::Mutex<Upstream>,
    lost: mpsc::Sender<Lost>,
}

impl Connection {
    async fn serve(&self, request: Request<Incoming>) -> Response<Outgoing> {
        let served = match request.uri().path() {
            path if path.ends_with(NEXT) && request.method() == Method::GET => self.next(request).await,
            path if request.method() != Method::POST && may_be_next(path) => Ok(not_found()),
            path if path.starts_with(INVOCATIONS) => self.answered(request).await,
            _ => self.through(request).await,
        };
        match served {
            Ok(response) => response,
            Err(lost) => {
                let text = format!("{{\"errorType\":\"Ringfence.Upstream\",\"errorMessage\":{:?}}}", lost.to_string());
                if lost.is_final() {
                    let _ = self.lost.try_send(lost);
                }
                let mut response = Response::new(Outgoing::full(Bytes::from(text)));
                *response.status_mut() = StatusCode::BAD_GATEWAY;
                response
            }
        }
    }

    /// Whatever isn't an event or its answer.
    async fn through(&self, request: Request<Incoming>) -> Result<Response<Outgoing>, Lost> {
        let restored = request.uri().path().ends_with(RESTORED);
        let mut upstream = self.upstream.lock().await;
        let response = upstream.send(self.addressed(request.map(Outgoing::through))).await?;
        if restored {
            // Connections of before the snapshot lead nowhere, though nobody has told them.
            upstream.remake();
        }
        Ok(response.map(Outgoing::through))
    }

    /// The function's answer to an event: through, and when it is through, recorded.
    async fn answered(&self, request: Request<Incoming>) -> Result<Response<Outgoing>, Lost> {
        let mut steps = request.uri().path().rsplit('/');
        let (verb, id) = (steps.next().unwrap_or_default().to_owned(), steps.next().unwrap_or_default().to_owned());
        let outcome = match verb.as_str() {
            "response" => Outcome::Ok,
            "error" => Outcome::Error,
            _ => return self.through(request).await,
        };
        let whole = outcome == Outcome::Error || self.proxy.flights.is_http(&id);
        let (request, captured) = Outgoing::captured(request, whole);
        let mut upstream = self.upstream.lock().await;
        let response = upstream.send(self.addressed(request)).await?;
        // What the platform didn't take is no answer, and the event is still out; except one that is too large, which it counts as
        // the function's error.
        let too_large = response.status() == StatusCode::PAYLOAD_TOO_LARGE;
        if (response.status().is_success() || too_large)
            && let Some(flight) = self.proxy.flights.take(&id)
        {
            // A stream that was cut short by its trailers is an error, however well it began.
            let outcome = if captured.failed() || too_large { Outcome::Error } else { outcome };
            self.proxy.land(flight, outcome, Some(captured));
        }
        Ok(response.map(Outgoing::through))
    }

    /// The next event that may pass.
    async fn next(&self, request: Request<Incoming>) -> Result<Response<Outgoing>, Lost> {
        if let Some(done) = self.proxy.on_first_next.lock().unwrap_or_else(PoisonError::into_inner).take() {
            done();
        }
        let (head, _) = request.into_parts();
        let mut upstream = self.upstream.lock().await;
        loop {
            let ask = || self.addressed(Request::from_parts(head.clone(), Outgoing::empty()));
            let response = match upstream.send(ask()).await {
                Err(lost) if lost.is_final() => return Err(lost),
                // The connection went while nothing was happening on it; asking again takes nothing from anyone.
                Err(_) => upstream.send(ask()).await?,
                Ok(response) => response,
            };
            if response.status() != StatusCode::OK {
                return Ok(response.map(Outgoing::through));
            }
            let (mut parts, body) = response.into_parts();
            let Some(id) =
                parts.headers.get("lambda-runtime-aws-request-id").and_then(|id| id.to_str().ok()).map(str::to_owned)
            else {
                return Err(Lost::once(&self.proxy.upstream, "an event without a request id"));
            };
            let arrived = Instant::now();
            let collected = Limited::new(body, READ_AT_MOST).collect().await;
            let event = match collected {
                Ok(collected) => collected.to_bytes(),
                Err(error) => return Err(Lost::once(&self.proxy.upstream, &format!("the event broke off: {error}"))),
            };
            let (decision, event) = self.inspect(event).await?;
            let guarded = arrived.elapsed();
            let notable = decision.is_notable();
            let Decision { verdict, rewritten, answer, http, .. } = decision;
            let flight = Flight::new(id.clone(), arrived, guarded, event.len(), verdict, notable, http);
            if let Some(answer) = answer {
                let bytes = self.refuse(&mut upstream, &id, answer).await?;
                self.proxy.land(flight, Outcome::Refused, Some(Captured::of(bytes)));
                continue;
            }
            if rewritten.is_some() || parts.headers.contains_key(TRANSFER_ENCODING) {
                parts.headers.remove(TRANSFER_ENCODING);
                let length = rewritten.as_ref().map_or(event.len(), Vec::len);
                parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
            }
            self.proxy.flights.add(flight);
            let event = rewritten.map_or(event, Bytes::from);
            return Ok(Response::from_parts(parts, Outgoing::full(event)));
        }
    }

    async fn inspect(&self, event: Bytes) -> Result<(Decision, Bytes), Lost> {
        if event.len() < LARGE {
            return Ok((self.proxy.inspector.inspect(&event), event));
        }
        let inspector = Arc::clone(&self.proxy.inspector);
        let inspected = tokio::task::spawn_blocking(move || (inspector.inspect(&event), event)).await;
        inspected.map_err(|error| Lost::once(&self.proxy.upstream, &format!("the inspection failed: {error}")))
    }

    /// Answers an event in the function's place; gives back what was answered.
    async fn refuse(&self, upstream: &mut Upstream, id: &str, answer: Answer) -> Result<Bytes, Lost> {
        let (verb, body) = match answer {
            Answer::Response(body) => ("response", body),
            Answer::Error(body) => ("error", body),
        };
        let body = Bytes::from(body);
        let build = || {
            let mut request = Request::new(Outgoing::full(body.clone()));
            *request.method_mut() = Method::POST;
            // An id that doesn't make a path is none that the platform could be answered under.
            *request.uri_mut() = format!("{INVOCATIONS}/{id}/{verb}")
                .parse::<Uri>()
                .map_err(|_| Lost::once(&self.proxy.upstream, "a request id that is none"))?;
            let headers = request.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            if verb == "error" {
                headers.insert("lambda-runtime-function-error-type", HeaderValue::from_static(ERROR_TYPE));
            }
            Ok::<_, Lost>(self.addressed(request))
        };
        let response = match upstream.send(build()?).await {
            Err(lost) if !lost.is_final() => upstream.send(build()?).await?,
            other => other?,
        };
        // The connection is free again when the answer to the answer is read.
        let _ = Limited::new(response.into_body(), READ_AT_MOST).collect().await;
        Ok(body)
    }

    /// The request as the platform expects it: by its own name.
    fn addressed(&self, mut request: Request<Outgoing>) -> Request<Outgoing> {
        if let Ok(host) = HeaderValue::from_str(&self.proxy.upstream) {
            request.headers_mut().insert(HOST, host);
        }
        request
    }
}

/// A record of the function's process, under the proxy's function name; for the program around it.
impl Proxy {
    /// Hands a record about the function's process to the journal.
    pub fn record(&self, body: impl Into<records::Body>) {
        if let Some(journal) = &self.journal {
            journal.record(Record::new(records::now_ms(), self.function.clone(), body));
        }
    }
}
