//! The gateway over a real loopback connection, spoken to byte by byte as a client would.
#![allow(clippy::unwrap_used)]

use gateway::{Answer, Answering, Config, Flavor, Gateway, Invoker, Limits, Refused, Route, Routes};
use graph::Authorization;
use hyper::body::Bytes;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// A function that answers with its event, or with what the path asks for.
struct Echo;

impl Invoker for Echo {
    fn invoke<'a>(&'a self, function: &'a str, event: Bytes) -> Answering<'a> {
        Box::pin(async move {
            match function {
                "Echo" => {
                    let body = String::from_utf8_lossy(&event).into_owned();
                    let payload = serde_json::json!({ "statusCode": 200, "body": body }).to_string();
                    Ok(Answer { payload: payload.into(), ..Answer::default() })
                }
                "Slow" => Ok(Answer { failed: true, timed_out: true, ..Answer::default() }),
                _ => Err(Refused::NotRunning),
            }
        })
    }
}

async fn gateway() -> Gateway {
    let mut routes = Routes::default();
    let mut add = |function: &str, method: &str, path: &str, flavor, authorization| {
        routes.add(Route {
            function: function.into(),
            method: method.into(),
            path: path.into(),
            flavor,
            authorization,
        });
    };
    add("Echo", "POST", "/orders/{id}", Flavor::Http, Authorization::None);
    add("Slow", "GET", "/slow", Flavor::Rest, Authorization::None);
    add("Echo", "GET", "/staff", Flavor::Http, Authorization::Jwt("Staff".into()));
    add("Echo", "GET", "/keyed", Flavor::Http, Authorization::ApiKey);
    add("Echo", "ANY", "$default", Flavor::FunctionUrl, Authorization::None);
    let limits = Limits { head: Duration::from_millis(700), body: Duration::from_millis(700), ..Limits::default() };
    Gateway::start(Config { listen: ([127, 0, 0, 1], 0).into(), routes, invoker: Arc::new(Echo), limits })
        .await
        .unwrap()
}

async fn say(gateway: &Gateway, request: &[u8]) -> String {
    let mut stream = tokio::net::TcpStream::connect(gateway.address()).await.unwrap();
    // The answer may come before everything was taken.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn requests_become_events_and_answers_become_http() {
    let gateway = gateway().await;
    for (request, status, contains) in [
        (
            "POST /orders/o1?x=1 HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
            200,
            r#""pathParameters":{"id":"o1"}"#,
        ),
        (
            "POST /orders/o1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            200,
            r#""body":"abc""#,
        ),
        ("GET /_url/Echo/a/b?c=d HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 200, r#""rawPath":"/a/b""#),
        ("GET /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 404, r#"{"message":"Not Found"}"#),
        ("GET /orders/1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 405, "allow: POST"),
        ("GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 504, "Endpoint request timed out"),
        ("GET /staff HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 401, "Unauthorized"),
        ("GET /staff HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\nConnection: close\r\n\r\n", 200, "rawPath"),
        ("GET /keyed HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 403, "Forbidden"),
    ] {
        let answer = say(&gateway, request.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request}\n{answer}");
        let unescaped = answer.replace("\\\"", "\"");
        assert!(unescaped.contains(contains), "{request}\n{answer}");
    }
}

#[tokio::test]
async fn too_much_is_refused_before_it_becomes_an_event() {
    let gateway = gateway().await;
    let long = "x".repeat(11_000);
    let request = format!("GET /_url/Echo/ HTTP/1.1\r\nHost: a\r\nX-Long: {long}\r\nConnection: close\r\n\r\n");
    assert!(say(&gateway, request.as_bytes()).await.starts_with("HTTP/1.1 431 "));
    let many: String = (0..150).map(|number| format!("X-{number}: 1\r\n")).collect();
    let request = format!("GET /_url/Echo/ HTTP/1.1\r\nHost: a\r\n{many}Connection: close\r\n\r\n");
    assert!(say(&gateway, request.as_bytes()).await.starts_with("HTTP/1.1 431 "));
    let announced = "POST /orders/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\nabc";
    assert!(say(&gateway, announced.as_bytes()).await.starts_with("HTTP/1.1 413 "));
    // Two lengths that disagree: the classic way to smuggle a request past a proxy.
    let smuggled = "POST /orders/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 30\r\n\r\nabc";
    assert!(say(&gateway, smuggled.as_bytes()).await.starts_with("HTTP/1.1 400 "));
}

#[tokio::test]
async fn clients_that_dawdle_are_let_go() {
    let gateway = gateway().await;
    for request in ["GET /orders", "", "POST /orders/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc"] {
        let began = Instant::now();
        say(&gateway, request.as_bytes()).await;
        assert!(began.elapsed() < Duration::from_secs(5), "{request}");
    }
}

#[tokio::test]
async fn a_port_in_use_is_an_error_that_says_so() {
    let gateway = gateway().await;
    let second = Config {
        listen: gateway.address(),
        routes: Routes::default(),
        invoker: Arc::new(Echo),
        limits: Limits::default(),
    };
    assert_eq!(Gateway::start(second).await.unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
}
