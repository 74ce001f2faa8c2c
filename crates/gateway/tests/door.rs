//! The door: who may come in, and what is told about an event.
#![allow(clippy::unwrap_used)]

use gateway::door::{Deliver, Delivered, Delivering, Door, NotTaken, SendError, send};
use hyper::body::Bytes;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

struct Guarded;

impl Deliver for Guarded {
    fn deliver<'a>(&'a self, function: &'a str, event: Bytes, asynchronous: bool) -> Delivering<'a> {
        Box::pin(async move {
            match function {
                "Notify" => Ok(Delivered {
                    payload: event,
                    request_id: "r-1".into(),
                    verdict: if asynchronous { "dropped" } else { "refused" }.into(),
                    incident: Some("inc-1".into()),
                    reason: Some("line one\r\nx-evil: 1 é".into()),
                    matches: Some(r#"[{"rule":"sql"}]"#.into()),
                    ..Delivered::default()
                }),
                other => Err(NotTaken { status: 404, message: format!("there is no function `{other}` here") }),
            }
        })
    }
}

async fn raw(url: &str, request: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn an_event_is_taken_as_it_is_and_its_verdict_told() {
    let door = Door::open("secret".into(), Arc::new(Guarded)).await.unwrap();
    let told = send(&door.url(), "secret", "Notify", "{not json".into(), false).await.unwrap();
    assert_eq!(&told.payload[..], b"{not json");
    assert_eq!((told.verdict.as_str(), told.incident.as_deref()), ("refused", Some("inc-1")));
    assert_eq!(told.reason.as_deref(), Some("line one\r\nx-evil: 1 é"));
    assert_eq!(told.matches.as_deref(), Some(r#"[{"rule":"sql"}]"#));
    assert_eq!(send(&door.url(), "secret", "Notify", "1".into(), true).await.unwrap().verdict, "dropped");
    let SendError::Refused(refused) = send(&door.url(), "secret", "No/body", "1".into(), false).await.unwrap_err()
    else {
        panic!("it should have been refused");
    };
    assert_eq!(refused.status, 404);
}

#[tokio::test]
async fn nobody_comes_in_without_the_token_or_under_another_name() {
    let door = Door::open("secret".into(), Arc::new(Guarded)).await.unwrap();
    for (request, status) in [
        ("POST /invoke/Notify HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nConnection: close\r\n\r\n1", 401),
        (
            "POST /invoke/Notify HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer secreT\r\nContent-Length: 1\r\nConnection: close\r\n\r\n1",
            401,
        ),
        (
            "POST /invoke/Notify HTTP/1.1\r\nHost: evil.example:80\r\nAuthorization: Bearer secret\r\nContent-Length: 1\r\nConnection: close\r\n\r\n1",
            421,
        ),
        (
            "GET /invoke/Notify HTTP/1.1\r\nHost: localhost:1\r\nAuthorization: Bearer secret\r\nConnection: close\r\n\r\n",
            405,
        ),
        ("GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 200),
        ("GET /other HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 404),
        (
            "POST /invoke/Notify HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret\r\nContent-Length: 99999999\r\nConnection: close\r\n\r\n",
            413,
        ),
    ] {
        let answer = raw(&door.url(), request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request}\n{answer}");
    }
    let nowhere = send("http://127.0.0.1:1", "secret", "Notify", "1".into(), false).await;
    assert!(matches!(nowhere, Err(SendError::NotRunning(_))));
}
