//! The relay before a stand-in for AWS that answers every request with what it was asked.
#![allow(clippy::unwrap_used)]

use fence::{FunctionFence, PermissionFence};
use host::aws::{Endpoint, Relay, RelayConfig};
use host::{CurrentRequest, Recorder};
use records::{Body, CloudCall, Record};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Answers each connection's request with its head and body, until the test ends.
async fn echo() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut seen = Vec::new();
                let mut chunk = [0; 64 * 1024];
                while let Ok(read @ 1..) = stream.read(&mut chunk).await {
                    seen.extend_from_slice(&chunk[..read]);
                    let text = String::from_utf8_lossy(&seen).into_owned();
                    let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                    let length = head
                        .to_ascii_lowercase()
                        .split("content-length: ")
                        .nth(1)
                        .and_then(|rest| rest.split("\r\n").next()?.trim().parse::<usize>().ok());
                    if body.len() >= length.unwrap_or(0) {
                        break;
                    }
                }
                let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", seen.len());
                let _ = stream.write_all(head.as_bytes()).await;
                let _ = stream.write_all(&seen).await;
            });
        }
    });
    url
}

struct Scene {
    relay: Relay,
    records: Arc<Mutex<Vec<Record>>>,
}

async fn scene(block: bool, endpoint: Option<&str>) -> Scene {
    let records = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&records);
    let recorder: Recorder = Arc::new(move |record| kept.lock().unwrap().push(record));
    let allow = |action: &str, on: &str| PermissionFence {
        allow: Some(action.into()),
        on: on.into(),
        name: Some(format!("*{on}*")),
        because: Some("src/app.py:3".into()),
        ..PermissionFence::default()
    };
    let permissions = vec![allow("dynamodb:PutItem", "OrdersTable"), allow("s3:PutObject", "CatalogBucket")];
    let config = RelayConfig {
        function: "CreateOrder".into(),
        fence: Some(FunctionFence { permissions, ..FunctionFence::default() }),
        block,
        endpoint: endpoint.map(|url| Endpoint::parse(url, false).unwrap()),
        current: CurrentRequest::default(),
        recorder,
    };
    Scene { relay: Relay::start(config).await.unwrap(), records }
}

impl Scene {
    async fn ask(&self, service: &str, request: &str, headers: &str, body: &[u8]) -> String {
        let mut stream = tokio::net::TcpStream::connect(self.relay.url().trim_start_matches("http://")).await.unwrap();
        let host = if headers.contains("Host: ") { "" } else { "Host: 127.0.0.1:1\r\n" };
        let head = format!(
            "{request} HTTP/1.1\r\n{host}Connection: close\r\nContent-Length: {}\r\n{headers}Authorization: AWS4-HMAC-SHA256 \
             Credential=AKID/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let _ = stream.write_all(body).await;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn calls(&self) -> Vec<CloudCall> {
        let calls = self.records.lock().unwrap();
        calls
            .iter()
            .filter_map(|record| if let Body::CloudCall(call) = &record.body { Some(call.clone()) } else { None })
            .collect()
    }
}

const PUT: &str = "X-Amz-Target: DynamoDB_20120810.PutItem\r\nContent-Type: application/x-amz-json-1.0\r\n";
const DELETE: &str = "X-Amz-Target: DynamoDB_20120810.DeleteTable\r\nContent-Type: application/x-amz-json-1.0\r\n";

#[tokio::test]
async fn a_call_within_the_fence_passes_whole_and_is_recorded_with_its_reason() {
    let endpoint = echo().await;
    let scene = scene(true, Some(&endpoint)).await;
    let answer = scene.ask("dynamodb", "POST /", PUT, br#"{"TableName":"shop-OrdersTable","Item":{}}"#).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with(r#"{"TableName":"shop-OrdersTable","Item":{}}"#),
        "{answer}"
    );
    let large = vec![b'x'; 3 * 1024 * 1024];
    let answer = scene.ask("s3", "PUT /catalogbucket/a%20b.bin?x-id=PutObject", "", &large).await;
    assert!(answer.len() > large.len() && answer.contains("PUT /catalogbucket/a%20b.bin?x-id=PutObject HTTP/1.1"));
    let calls = scene.calls();
    assert_eq!(calls.len(), 2);
    let first = CloudCall {
        service: "dynamodb".into(),
        action: "dynamodb:PutItem".into(),
        resource: Some("shop-OrdersTable".into()),
        allowed: true,
        in_fence: true,
        status: Some(200),
        because: Some("src/app.py:3".into()),
    };
    assert_eq!(calls[0], first);
    assert_eq!(calls[1].resource.as_deref(), Some("arn:aws:s3:::catalogbucket/a b.bin"));
}

#[tokio::test]
async fn a_call_outside_the_fence_is_denied_as_aws_would() {
    let endpoint = echo().await;
    let scene = scene(true, Some(&endpoint)).await;
    for (service, request, headers, body, expected) in [
        (
            "dynamodb",
            "POST /",
            DELETE,
            &br#"{"TableName":"shop-OrdersTable"}"#[..],
            "\"__type\":\"AccessDeniedException\"",
        ),
        ("dynamodb", "POST /", PUT, br#"{"TableName":"Users"}"#, "dynamodb:PutItem on resource: Users"),
        (
            "sns",
            "POST /",
            "Content-Type: application/x-www-form-urlencoded\r\n",
            b"Action=Publish&TopicArn=<x>",
            "<Code>AccessDenied</Code>",
        ),
        ("s3", "DELETE /catalogbucket/a", "", b"", "<Error><Code>AccessDenied</Code>"),
        // What isn't recognised isn't waved through.
        ("batch", "POST /v1/submitjob", "Content-Type: application/json\r\n", b"{}", "batch:?"),
    ] {
        let answer = scene.ask(service, request, headers, body).await;
        assert!(answer.starts_with("HTTP/1.1 403") && answer.contains(expected), "{request} {answer}");
        assert!(!answer.contains("<x>"));
    }
    assert!(scene.calls().iter().all(|call| !call.allowed && !call.in_fence && call.status == Some(403)));
    assert_eq!(scene.calls().len(), 5);
}

#[tokio::test]
async fn a_call_that_says_two_things_is_none_that_the_fence_knows() {
    let endpoint = echo().await;
    let scene = scene(true, Some(&endpoint)).await;
    let body = &br#"{"TableName":"shop-OrdersTable"}"#[..];
    for (service, request, headers) in [
        ("dynamodb", "POST /", format!("{PUT}X-Amz-Target: DynamoDB_20120810.DeleteTable\r\n")),
        ("dynamodb", "POST /", format!("{PUT}Authorization: AWS4-HMAC-SHA256 Credential=A/1/r/sqs/aws4_request\r\n")),
        ("dynamodb", "POST /", "X-Amz-Target: DynamoDB_20120810.PutItem\u{e4}\r\n".to_owned()),
        // The bucket before the host is the one that is meant.
        ("s3", "PUT /catalogbucket/a", "Host: secrets.127.0.0.1:1\r\n".to_owned()),
        ("s3", "PUT /catalogbucket/a", "Host: secrets.s3.amazonaws.com\r\n".to_owned()),
        ("s3", "PUT /catalogbucket/a", "Host: moto_api\r\n".to_owned()),
    ] {
        let answer = scene.ask(service, request, &headers, body).await;
        assert!(answer.starts_with("HTTP/1.1 403"), "{request} {headers}{answer}");
    }
    assert!(scene.calls().iter().all(|call| !call.allowed && !call.in_fence));
}

#[tokio::test]
async fn observe_mode_lets_it_pass_and_says_so() {
    let endpoint = echo().await;
    let scene = scene(false, Some(&endpoint)).await;
    let answer = scene.ask("dynamodb", "POST /", DELETE, br#"{"TableName":"shop-OrdersTable"}"#).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let calls = scene.calls();
    assert!(calls[0].allowed && !calls[0].in_fence && calls[0].because.as_deref() == Some("outside the fence"));
}

#[tokio::test]
async fn without_an_endpoint_or_with_a_dead_one_the_error_says_it() {
    let none = scene(true, None).await;
    let answer = none.ask("dynamodb", "POST /", PUT, br#"{"TableName":"shop-OrdersTable"}"#).await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("--aws-endpoint"), "{answer}");
    let dead = scene(true, Some("http://127.0.0.1:1")).await;
    let answer = dead.ask("dynamodb", "POST /", PUT, br#"{"TableName":"shop-OrdersTable"}"#).await;
    assert!(answer.starts_with("HTTP/1.1 502") && answer.contains("did not answer"), "{answer}");
}
