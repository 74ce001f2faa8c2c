//! One request to the endpoint, over a connection of its own: loopback connections are cheap, and nothing can go stale.

use crate::aws::Endpoint;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::time::Duration;

/// How long the endpoint may take to begin its answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);
/// How much of an answer is read where we want the whole of it.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// What went wrong on the way to the endpoint.
pub(crate) type Error = Box<dyn std::error::Error + Send + Sync>;

/// Sends a request; the answer's body may still be on its way.
pub(crate) async fn send<B>(endpoint: &Endpoint, request: Request<B>) -> Result<Response<Incoming>, Error>
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Error>,
{
    let connect = tokio::net::TcpStream::connect(endpoint.address());
    let stream = tokio::time::timeout(Duration::from_secs(5), connect).await??;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async move {
        // Its failure shows in the answer, or in its body.
        let _ = connection.await;
    });
    Ok(tokio::time::timeout(ANSWER_LIMIT, sender.send_request(request)).await??)
}

/// Sends a small request and reads the whole answer.
pub(crate) async fn call(
    endpoint: &Endpoint,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: String,
) -> Result<(StatusCode, Bytes), Error> {
    let mut request = Request::builder().method(method).uri(path).header("host", endpoint.authority());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = send(endpoint, request.body(Full::new(Bytes::from(body)))?).await?;
    let status = response.status();
    let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES);
    let body = tokio::time::timeout(ANSWER_LIMIT, body.collect()).await??.to_bytes();
    Ok((status, body))
}
