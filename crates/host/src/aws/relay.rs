//! A relay on loopback between one function and the AWS endpoint: it records every call, and in block mode answers those outside
//! the function's fence itself, as AWS answers what a role doesn't allow.
//!
//! Deliberately absent: checking signatures (the keys are made up, the stand-in doesn't check them either), and holding a function
//! that goes around the relay: connections are the guard's to hold.

use super::operation::{self, Call, Errors, Head, Need};
use super::{Endpoint, client};
use crate::http::{self, Limits, Reply};
use crate::{CurrentRequest, Recorder};
use fence::FunctionFence;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderName};
use hyper::{Request, Response, StatusCode};
use records::{CloudCall, Record, now_ms};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// The most bytes of a body that says what the call does; services take less.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

/// What a relay needs to know.
pub struct RelayConfig {
    /// The function.
    pub function: String,
    /// Its fence, if there is one.
    pub fence: Option<FunctionFence>,
    /// Whether calls outside the fence are refused; recorded they are in any case.
    pub block: bool,
    /// Where calls go; nowhere without one.
    pub endpoint: Option<Endpoint>,
    /// The invocation under way, for the records.
    pub current: CurrentRequest,
    /// Where records go.
    pub recorder: Recorder,
}

/// A running relay; dropping it ends it.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    server: tokio::task::JoinHandle<()>,
}

impl Relay {
    /// Opens the relay on a free loopback port; must be called within a tokio runtime.
    ///
    /// # Errors
    /// When no port can be opened.
    pub async fn start(config: RelayConfig) -> io::Result<Self> {
        let listener = tokio::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let config = Arc::new(config);
        let limits = Limits { head: Some(Duration::from_secs(120)), connections: 256 };
        let server = tokio::spawn(http::serve(listener, limits, move |request, _| {
            let config = Arc::clone(&config);
            async move { pass(&config, request).await }
        }));
        Ok(Self { address, server })
    }

    /// The URL functions are given.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn pass(config: &RelayConfig, request: Request<Incoming>) -> Reply {
    let (mut parts, body) = request.into_parts();
    let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let method = parts.method.as_str().to_owned();
    let clear = is_clear(&parts.headers);
    // What says two things at once is judged as what says nothing.
    let head = if !clear {
        Head { method: &method, path: "/", ..Head::default() }
    } else {
        Head {
            method: &method,
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or(""),
            authorization: text("authorization"),
            target: text("x-amz-target"),
            content_type: text("content-type"),
            copy_source: text("x-amz-copy-source"),
        }
    };
    let (body, call): (BoxBody<Bytes, client::Error>, Call) = if head.body_matters() {
        match Limited::new(body, MAX_BODY_BYTES).collect().await {
            Ok(collected) => {
                let body = collected.to_bytes();
                let call = operation::read(head, &body);
                (Full::new(body).map_err(|never| match never {}).boxed(), call)
            }
            Err(_) => {
                return http::text(StatusCode::PAYLOAD_TOO_LARGE, "the request's body is over the limit or broke off");
            }
        }
    } else {
        let call = operation::read(head, b"");
        (body.map_err(client::Error::from).boxed(), call)
    };
    let judged: Vec<(Need, Option<String>, bool)> = call
        .needs
        .iter()
        .map(|need| {
            let because = covering(config.fence.as_ref(), need);
            (need.clone(), because.clone().flatten(), because.is_some())
        })
        .collect();
    let outside = judged.iter().find(|(_, _, inside)| !inside).map(|(need, _, _)| need);
    if let (true, Some(outside)) = (config.block, outside) {
        let reply = denied(&config.function, &call, outside);
        record(config, &call, &judged, false, Some(reply.status()));
        return reply;
    }
    let Some(endpoint) = &config.endpoint else {
        let reply = error(
            &call,
            StatusCode::BAD_REQUEST,
            "RingfenceNoEndpoint",
            "no AWS endpoint was named: start `ringfence up` with --aws-endpoint",
        );
        record(config, &call, &judged, true, Some(reply.status()));
        return reply;
    };
    // The relay answered the client's wish to be asked first by reading its body.
    parts.headers.remove(header::EXPECT);
    for name in hop_by_hop(&parts.headers) {
        parts.headers.remove(name);
    }
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    parts.uri = path.parse().unwrap_or_default();
    parts.version = hyper::Version::HTTP_11;
    match client::send(endpoint, Request::from_parts(parts, body)).await {
        Ok(response) => {
            record(config, &call, &judged, true, Some(response.status()));
            let (mut parts, body) = response.into_parts();
            for name in hop_by_hop(&parts.headers) {
                parts.headers.remove(name);
            }
            parts.version = hyper::Version::HTTP_11;
            Response::from_parts(parts, body.boxed())
        }
        Err(problem) => {
            tracing::warn!(function = config.function, error = %problem, "the AWS endpoint did not answer");
            let text = format!("the AWS endpoint {} did not answer: {problem}", endpoint.url());
            let reply = error(&call, StatusCode::BAD_GATEWAY, "RingfenceEndpointUnreachable", &text);
            record(config, &call, &judged, true, Some(reply.status()));
            reply
        }
    }
}

/// Whether the headers that decide what a call does stand there once and can be read, and the host is no more than an address: a
/// bucket's name may stand before it.
fn is_clear(headers: &hyper::HeaderMap) -> bool {
    let once = |name: &str| {
        let mut values = headers.get_all(name).iter();
        values.next().is_none_or(|value| value.to_str().is_ok()) && values.next().is_none()
    };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
    let name = host.rsplit_once(':').map_or(host, |(name, port)| if port.parse::<u16>().is_ok() { name } else { host });
    ["authorization", "x-amz-target", "content-type", "x-amz-copy-source", "host"].into_iter().all(once)
        && (matches!(name, "localhost" | "[::1]") || name.parse::<std::net::Ipv4Addr>().is_ok())
}

/// Headers of one connection, not of the message.
fn hop_by_hop(headers: &hyper::HeaderMap) -> Vec<HeaderName> {
    let named = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let named = named.flat_map(|value| value.split(',')).filter_map(|name| name.trim().parse().ok());
    let fixed = [
        header::CONNECTION,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
        header::PROXY_AUTHENTICATE,
        header::PROXY_AUTHORIZATION,
        HeaderName::from_static("keep-alive"),
    ];
    named.chain(fixed).collect()
}

/// Whether the fence permits a need, and which line's reason it has.
fn covering(fence: Option<&FunctionFence>, need: &Need) -> Option<Option<String>> {
    let fence = fence?;
    if !fence.permits(&need.action, need.resource.as_deref()) {
        return None;
    }
    let line = fence.permissions.iter().find(|line| {
        let alone = FunctionFence { permissions: vec![(*line).clone()], ..FunctionFence::default() };
        alone.permits(&need.action, need.resource.as_deref())
    });
    Some(line.and_then(|line| line.because.clone()))
}

fn record(
    config: &RelayConfig,
    call: &Call,
    judged: &[(Need, Option<String>, bool)],
    allowed: bool,
    status: Option<StatusCode>,
) {
    let emit = |action: String, resource: Option<String>, in_fence: bool, because: Option<String>| {
        let body = CloudCall {
            service: call.service.clone(),
            action,
            resource: resource.map(|resource| resource.chars().take(2000).collect()),
            allowed,
            in_fence,
            status: status.map(|status| status.as_u16()),
            because,
        };
        let mut record = Record::new(now_ms(), config.function.clone(), body);
        record.request_id = config.current.get();
        (config.recorder)(record);
    };
    if judged.is_empty() {
        let operation = call.operation.as_deref().unwrap_or("?");
        emit(format!("{}:{operation}", call.service), None, true, Some("needs no permission".into()));
    }
    for (need, because, inside) in judged {
        let because = if *inside { because.clone() } else { Some("outside the fence".into()) };
        emit(need.action.clone(), need.resource.clone(), *inside, because);
    }
}

fn denied(function: &str, call: &Call, need: &Need) -> Reply {
    let resource = need.resource.as_deref().unwrap_or("*");
    let text = format!(
        "{function} is not authorized to perform: {} on resource: {resource} because it is outside the function's fence (Ringfence)",
        need.action
    );
    error(call, StatusCode::FORBIDDEN, "AccessDenied", &text)
}

/// An error as the service itself would write it.
fn error(call: &Call, status: StatusCode, code: &str, message: &str) -> Reply {
    let escaped = message.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    match call.errors {
        Errors::Json => {
            let code = if code == "AccessDenied" { "AccessDeniedException" } else { code };
            let body = serde_json::json!({ "__type": code, "message": message, "Message": message }).to_string();
            let mut reply = http::bytes(status, "application/x-amz-json-1.0", Bytes::from(body));
            if let Ok(value) = code.parse() {
                reply.headers_mut().insert("x-amzn-errortype", value);
            }
            reply
        }
        Errors::Xml => {
            let body = format!(
                "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{escaped}</Message></Error>\
                 <RequestId>local</RequestId></ErrorResponse>"
            );
            http::bytes(status, "text/xml", Bytes::from(body))
        }
        Errors::S3 => {
            let body = format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{escaped}</Message>\
                 <RequestId>local</RequestId></Error>"
            );
            http::bytes(status, "application/xml", Bytes::from(body))
        }
    }
}
