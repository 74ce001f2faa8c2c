//! The few pieces of HTTP/1.1 that every small server of this crate is made of.

use http_body_util::{BodyExt as _, Full, combinators::BoxBody};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A body that streams, or doesn't.
pub(crate) type Body = BoxBody<Bytes, hyper::Error>;
/// An answer of one of our servers.
pub(crate) type Reply = Response<Body>;

/// What a server allows its clients.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// How long a client may take for a request's head, and how long a connection may idle.
    pub(crate) head: Option<Duration>,
    /// How many connections at once; further ones wait in the kernel's queue.
    pub(crate) connections: usize,
}

impl Limits {
    /// For a client that may idle for days.
    pub(crate) fn none() -> Self {
        Self { head: None, connections: 64 }
    }
}

/// Serves until it is dropped; all connections end with it.
pub(crate) async fn serve<H, F>(listener: TcpListener, limits: Limits, handler: H)
where
    H: Fn(Request<Incoming>, SocketAddr) -> F + Send + Sync + 'static,
    F: Future<Output = Reply> + Send + 'static,
{
    let handler = Arc::new(handler);
    let mut connections = JoinSet::new();
    loop {
        while connections.len() >= limits.connections {
            connections.join_next().await;
        }
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, most likely: others may give some back.
                tracing::warn!(%error, "accept failed");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let handler = Arc::clone(&handler);
        connections.spawn(async move {
            let service = hyper::service::service_fn(move |request| {
                let answer = handler(request, peer);
                async move { Ok::<_, Infallible>(answer.await) }
            });
            let mut builder = hyper::server::conn::http1::Builder::new();
            match limits.head {
                Some(head) => builder.timer(TokioTimer::new()).header_read_timeout(head),
                None => builder.header_read_timeout(None),
            };
            // A client that goes away in mid-request is its own affair.
            let _ = builder.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// A whole answer.
pub(crate) fn bytes(status: StatusCode, content_type: &'static str, body: Bytes) -> Reply {
    let mut reply = Response::new(Full::new(body).map_err(|never| match never {}).boxed());
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    reply
}

/// A short text.
pub(crate) fn text(status: StatusCode, text: &str) -> Reply {
    bytes(status, "text/plain; charset=utf-8", Bytes::copy_from_slice(text.as_bytes()))
}
