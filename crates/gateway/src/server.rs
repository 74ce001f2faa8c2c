//! The listener: limits on what a client may send and how long it may take, then route, event, function, answer.

use crate::Invoker;
use crate::answer::{self, message};
use crate::event::{self, Incoming};
use crate::route::{Lookup, Route, Routes};
use graph::Authorization;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Body as _, Bytes};
use hyper::header::{self, HeaderValue};
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What a client may do.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The most bytes of a body: 10 MiB, as with API Gateway.
    pub body_bytes: usize,
    /// The most bytes of all headers together, names and values: 10,240, as with API Gateway.
    pub header_bytes: usize,
    /// How many headers: 100.
    pub headers: usize,
    /// How long a request's head may take, and how long a connection may idle: 15 s.
    pub head: Duration,
    /// How long a body may take: 30 s.
    pub body: Duration,
    /// How many connections at once: 512.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 10 * 1024 * 1024,
            header_bytes: 10_240,
            headers: 100,
            head: Duration::from_secs(15),
            body: Duration::from_secs(30),
            connections: 512,
        }
    }
}

/// What the gateway needs to know.
pub struct Config {
    /// Where to listen; port 0 for a free one.
    pub listen: SocketAddr,
    /// The ways in.
    pub routes: Routes,
    /// Whoever runs the functions.
    pub invoker: Arc<dyn Invoker>,
    /// What a client may do.
    pub limits: Limits,
}

/// A running gateway; dropping it ends it.
#[derive(Debug)]
pub struct Gateway {
    address: SocketAddr,
    server: tokio::task::JoinHandle<()>,
}

impl Gateway {
    /// Opens the listener and serves; must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the port can't be opened: [`io::ErrorKind::AddrInUse`] when another program has it.
    pub async fn start(config: Config) -> io::Result<Self> {
        let listener = TcpListener::bind(config.listen).await?;
        let address = listener.local_addr()?;
        let server = tokio::spawn(serve(listener, address.port(), Arc::new(config)));
        Ok(Self { address, server })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, port: u16, config: Arc<Config>) {
    let limits = config.limits;
    let limits = Accept { head: limits.head, headers: limits.headers, connections: limits.connections };
    accept(listener, limits, move |request, peer| {
        let config = Arc::clone(&config);
        async move { handle(&config, request, peer, port).await }
    })
    .await;
}

/// What a listener allows before anything is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Accept {
    pub(crate) head: Duration,
    pub(crate) headers: usize,
    pub(crate) connections: usize,
}

/// Serves until it is dropped; all connections end with it.
pub(crate) async fn accept<H, F>(listener: TcpListener, limits: Accept, handler: H)
where
    H: Fn(Request<hyper::body::Incoming>, SocketAddr) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let handler = Arc::new(handler);
    connections(listener, limits.connections, move |stream, peer| {
        let handler = Arc::clone(&handler);
        async move {
            let service = hyper::service::service_fn(move |request| {
                let answer = handler(request, peer);
                async move { Ok::<_, Infallible>(answer.await) }
            });
            // A client that breaks off or breaks the rules is its own affair; hyper has answered it where it could.
            let _ = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(limits.head)
                .max_headers(limits.headers)
                .max_buf_size(64 * 1024)
                .serve_connection(TokioIo::new(stream), service)
                .await;
        }
    })
    .await;
}

/// Hands each connection to `converse`, at most `most` of them at once; all end with it.
pub(crate) async fn connections<H, F>(listener: TcpListener, most: usize, converse: H)
where
    H: Fn(TcpStream, SocketAddr) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        while connections.len() >= most {
            connections.join_next().await;
        }
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "accept failed");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        connections.spawn(converse(stream, peer));
    }
}

async fn handle(
    config: &Config,
    request: Request<hyper::body::Incoming>,
    peer: SocketAddr,
    port: u16,
) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let head_only = parts.method == Method::HEAD;
    let mut response = answer_to(config, parts, body, peer, port).await;
    if head_only {
        *response.body_mut() = Full::default();
    }
    response
}

async fn answer_to(
    config: &Config,
    parts: hyper::http::request::Parts,
    body: hyper::body::Incoming,
    peer: SocketAddr,
    port: u16,
) -> Response<Full<Bytes>> {
    // In the order they act: sizes, route, credential, body, function.
    let size: usize = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if size > config.limits.header_bytes {
        return message(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "Request Header Fields Too Large");
    }
    let found = match config.routes.find(parts.method.as_str(), parts.uri.path()) {
        Lookup::Found(found) => found,
        Lookup::WrongMethod(methods) => {
            let mut response = message(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
            if let Ok(allow) = HeaderValue::from_str(&methods.join(", ")) {
                response.headers_mut().insert(header::ALLOW, allow);
            }
            return response;
        }
        Lookup::Nothing => return message(StatusCode::NOT_FOUND, "Not Found"),
    };
    if let Some(refused) = without_credential(&found.route, &parts.headers) {
        return refused;
    }
    let too_large = || {
        let mut response = message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        response
    };
    // What announces itself as too large isn't waited for.
    if body.size_hint().lower() > config.limits.body_bytes as u64 {
        return too_large();
    }
    let read = tokio::time::timeout(config.limits.body, Limited::new(body, config.limits.body_bytes).collect()).await;
    let body = match read {
        Ok(Ok(collected)) => collected.to_bytes(),
        Ok(Err(problem)) if problem.is::<http_body_util::LengthLimitError>() => return too_large(),
        Ok(Err(_)) => return message(StatusCode::BAD_REQUEST, "Bad Request"),
        Err(_) => {
            let mut response = message(StatusCode::REQUEST_TIMEOUT, "Request Timeout");
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            return response;
        }
    };
    let request_id = request_id();
    let incoming = Incoming {
        method: parts.method.as_str().to_owned(),
        query: parts.uri.query().unwrap_or("").to_owned(),
        headers: parts.headers,
        body,
        peer: peer.ip(),
        protocol: format!("{:?}", parts.version),
        port,
        request_id: request_id.clone(),
        time: jiff::Timestamp::now().as_millisecond(),
    };
    let event = event::event(&incoming, &found).to_string();
    let result = config.invoker.invoke(&found.route.function, Bytes::from(event)).await;
    let mut response = answer::response(found.route.flavor, result);
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        let name =
            if matches!(found.route.flavor, crate::Flavor::Rest) { "x-amzn-requestid" } else { "apigw-requestid" };
        response.headers_mut().entry(name).or_insert(id);
    }
    response
}

/// The refusal of a request without any credential to a route that wants one. What a credential is worth isn't checked here.
fn without_credential(route: &Route, headers: &HeaderMap) -> Option<Response<Full<Bytes>>> {
    let brings = |name: &str| headers.get(name).is_some_and(|value| !value.is_empty());
    match &route.authorization {
        Authorization::ApiKey if !brings("x-api-key") => Some(message(StatusCode::FORBIDDEN, "Forbidden")),
        Authorization::Iam if !brings("authorization") => Some(message(StatusCode::FORBIDDEN, "Forbidden")),
        Authorization::Cognito(_) | Authorization::Jwt(_) if !brings("authorization") => {
            Some(message(StatusCode::UNAUTHORIZED, "Unauthorized"))
        }
        // A Lambda authorizer may look at anything.
        _ => None,
    }
}

/// Unique in this process and hard to mix up with another's; no secret.
pub(crate) fn request_id() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let now = jiff::Timestamp::now().as_nanosecond();
    let now = u64::try_from(now.rem_euclid(i128::from(u64::MAX))).unwrap_or(0);
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        now >> 32,
        (now >> 16) & 0xffff,
        now & 0xfff,
        std::process::id() & 0xfff,
        count
    )
}
