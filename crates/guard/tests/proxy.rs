//! The proxy between a platform and a runtime, both played by the test, over real connections on loopback.

#![allow(clippy::unwrap_used)]

use fence::{EventFence, FunctionFence};
use guard::Inspector;
use guard::journal::{Journal, Target};
use guard::proxy::{Lost, Proxy};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::HeaderMap;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use records::{Action, Body, Mode, Outcome, Record};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

type Sent = BoxBody<Bytes, Infallible>;

/// What the platform is given for one event.
#[derive(Debug)]
struct Answered {
    path: String,
    headers: HeaderMap,
    body: Bytes,
    trailers: Option<HeaderMap>,
}

/// A Runtime API with a list of events.
struct Platform {
    address: SocketAddr,
    events: mpsc::UnboundedSender<(String, Bytes)>,
    answers: mpsc::UnboundedReceiver<Answered>,
    first_frames: mpsc::UnboundedReceiver<()>,
    /// Drops every connection there is.
    hang_up: Arc<Notify>,
    serving: JoinHandle<()>,
}

impl Platform {
    async fn start() -> Platform {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (events, waiting) = mpsc::unbounded_channel::<(String, Bytes)>();
        let (answered, answers) = mpsc::unbounded_channel();
        let (first, first_frames) = mpsc::unbounded_channel();
        let waiting = Arc::new(tokio::sync::Mutex::new(waiting));
        let hang_up = Arc::new(Notify::new());
        let stop = Arc::clone(&hang_up);
        let serving = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    () = stop.notified() => { connections.abort_all(); continue; }
                };
                let (waiting, answered, first) = (Arc::clone(&waiting), answered.clone(), first.clone());
                connections.spawn(async move {
                    let service = service_fn(move |request: Request<Incoming>| {
                        let (waiting, answered, first) = (Arc::clone(&waiting), answered.clone(), first.clone());
                        async move { Ok::<_, Infallible>(answer(request, &waiting, &answered, &first).await) }
                    });
                    let stream = TokioIo::new(accepted.unwrap().0);
                    let _ = hyper::server::conn::http1::Builder::new().serve_connection(stream, service).await;
                });
            }
        });
        Platform { address, events, answers, first_frames, hang_up, serving }
    }

    fn event(&self, id: &str, event: impl Into<Bytes>) {
        self.events.send((id.to_owned(), event.into())).unwrap();
    }

    async fn answered(&mut self) -> Answered {
        soon(self.answers.recv()).await.unwrap()
    }
}

async fn answer(
    request: Request<Incoming>,
    waiting: &tokio::sync::Mutex<mpsc::UnboundedReceiver<(String, Bytes)>>,
    answered: &mpsc::UnboundedSender<Answered>,
    first: &mpsc::UnboundedSender<()>,
) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_owned();
    if path.ends_with("/invocation/next") {
        let (id, event) = waiting.lock().await.recv().await.unwrap();
        return Response::builder()
            .header("Lambda-Runtime-Aws-Request-Id", id)
            .header("Lambda-Runtime-Brand-New", "kept")
            .header("Content-Type", "application/json")
            .body(Full::new(event))
            .unwrap();
    }
    let (parts, mut body) = request.into_parts();
    let (mut bytes, mut trailers) = (Vec::new(), None);
    while let Some(frame) = body.frame().await {
        match frame.unwrap().into_data() {
            Ok(data) => {
                bytes.extend_from_slice(&data);
                let _ = first.send(());
            }
            Err(frame) => trailers = frame.into_trailers().ok(),
        }
    }
    let _ = answered.send(Answered { path, headers: parts.headers, body: bytes.into(), trailers });
    Response::builder().status(StatusCode::ACCEPTED).body(Full::new(Bytes::from("{}"))).unwrap()
}

/// Nothing here may take long; a test that hangs says where.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), future).await.expect("this should have happened long ago")
}

/// A runtime's connection.
struct Runtime {
    sender: hyper::client::conn::http1::SendRequest<Sent>,
}

struct Event {
    id: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Runtime {
    async fn connect(address: SocketAddr) -> Runtime {
        let stream = TcpStream::connect(address).await.unwrap();
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(async move {
            let _ = connection.await;
        });
        Runtime { sender }
    }

    async fn request(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Sent,
    ) -> Response<Incoming> {
        self.sender.ready().await.unwrap();
        let mut request = Request::builder().method(method).uri(path).header("host", "runtime");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        soon(self.sender.send_request(request.body(body).unwrap())).await.unwrap()
    }

    async fn next(&mut self) -> Result<Event, StatusCode> {
        let response =
            self.request(Method::GET, "/2018-06-01/runtime/invocation/next", &[], Empty::new().boxed()).await;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = soon(response.into_body().collect()).await.unwrap().to_bytes();
        if status != StatusCode::OK {
            return Err(status);
        }
        let id = headers["lambda-runtime-aws-request-id"].to_str().unwrap().to_owned();
        Ok(Event { id, headers, body })
    }

    async fn answer(&mut self, id: &str, verb: &str, body: &str) {
        let path = format!("/2018-06-01/runtime/invocation/{id}/{verb}");
        let body = Full::new(Bytes::from(body.to_owned())).boxed();
        let response = self.request(Method::POST, &path, &[], body).await;
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        soon(response.into_body().collect()).await.unwrap();
    }
}

struct Setup {
    platform: Platform,
    proxy: Arc<Proxy>,
    address: SocketAddr,
    served: JoinHandle<Lost>,
    journal: Journal,
    folder: tempfile::TempDir,
}

impl Setup {
    async fn new(sources: &[&str], mode: Mode) -> Setup {
        let platform = Platform::start().await;
        let events = sources.iter().map(|source| EventFence { source: (*source).into(), ..EventFence::default() });
        let fence = FunctionFence { events: events.collect(), ..FunctionFence::default() };
        let inspector = Inspector::new(&fence, &BTreeMap::new(), mode).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::start(&Target::File(folder.path().join("records")), "F").unwrap();
        let proxy = Arc::new(Proxy::new(inspector, platform.address.to_string(), "F", Some(journal.clone())));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let served = tokio::spawn(Arc::clone(&proxy).serve(listener));
        Setup { platform, proxy, address, served, journal, folder }
    }

    async fn runtime(&self) -> Runtime {
        Runtime::connect(self.address).await
    }

    fn records(&self) -> Vec<Record> {
        assert_eq!(self.journal.finish(Duration::from_secs(5)), 0);
        let text = std::fs::read_to_string(self.folder.path().join("records")).unwrap();
        text.lines().map(|line| Record::from_line(line).unwrap()).collect()
    }
}

fn request(path: &str) -> Vec<u8> {
    let context = json!({"http": {"method": "GET", "path": path, "sourceIp": "203.0.113.9"}, "stage": "$default"});
    json!({"version": "2.0", "rawPath": path, "rawQueryString": "", "requestContext": context}).to_string().into_bytes()
}

fn queue(bodies: &[&str]) -> Vec<u8> {
    let record = |(number, body): (usize, &&str)| json!({"messageId": format!("m-{number}"), "body": body, "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:1:Q"});
    json!({"Records": bodies.iter().enumerate().map(record).collect::<Vec<_>>()}).to_string().into_bytes()
}

const HOSTILE: &str = "x' UNION SELECT card, 1 FROM customers -- ";

#[tokio::test]
async fn an_honest_event_arrives_byte_for_byte_with_every_header() {
    let mut setup = Setup::new(&["function"], Mode::Block).await;
    let event = "{ \"n\" : 1.0,\t\"text\":\"\\u00e4\"}";
    setup.platform.event("id-1", event);
    let mut runtime = setup.runtime().await;
    let received = runtime.next().await.unwrap();
    assert_eq!((received.id.as_str(), received.body.as_ref()), ("id-1", event.as_bytes()));
    assert_eq!(received.headers["lambda-runtime-brand-new"], "kept");
    runtime.answer("id-1", "response", "\"done\"").await;
    let answered = setup.platform.answered().await;
    assert_eq!(answered.path, "/2018-06-01/runtime/invocation/id-1/response");
    assert_eq!(answered.body, "\"done\"");
    assert_eq!(answered.headers["host"], setup.platform.address.to_string());
    let records = setup.records();
    let [Record { request_id, body: Body::Invocation(invocation), .. }] = records.as_slice() else {
        panic!("{records:?}")
    };
    assert_eq!(request_id.as_deref(), Some("id-1"));
    assert_eq!(
        (invocation.outcome, invocation.bytes_in, invocation.bytes_out, invocation.cold),
        (Outcome::Ok, event.len() as u64, 6, true)
    );
}

#[tokio::test]
async fn a_refused_request_is_answered_and_the_runtime_sees_only_the_next_one() {
    let mut setup = Setup::new(&["http-api"], Mode::Block).await;
    setup.platform.event("bad", request("/orders/%27%20UNION%20SELECT%20a%2Cb%20FROM%20users--"));
    setup.platform.event("unlisted", queue(&["hi"]));
    setup.platform.event("broken", "{\"version\":\"2.0\"");
    setup.platform.event("good", request("/orders/1"));
    let mut runtime = setup.runtime().await;
    assert_eq!(runtime.next().await.unwrap().id, "good");
    for id in ["bad", "unlisted", "broken"] {
        let answered = setup.platform.answered().await;
        assert_eq!(answered.path, format!("/2018-06-01/runtime/invocation/{id}/response"));
        let body: Value = serde_json::from_slice(&answered.body).unwrap();
        if id != "unlisted" {
            assert_eq!(body["statusCode"], 403);
            let told: Value = serde_json::from_str(body["body"].as_str().unwrap()).unwrap();
            let incident = told["incident"].as_str().unwrap();
            assert_eq!((told["message"].as_str(), incident.len()), (Some("Forbidden"), 19), "{incident}");
        } else {
            assert_eq!(body, json!({"batchItemFailures": []}));
        }
    }
    let records = setup.records();
    let verdicts: Vec<_> = records
        .iter()
        .filter_map(|record| match &record.body {
            Body::Verdict(verdict) => {
                Some((record.request_id.as_deref().unwrap(), verdict.action, verdict.matches[0].rule.as_str()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(
        verdicts,
        [
            ("bad", Action::Refuse, "sql-union"),
            ("unlisted", Action::SetAside, "fence-unlisted-event"),
            ("broken", Action::Refuse, "unreadable")
        ]
    );
    let http = records.iter().find_map(|record| match &record.body {
        Body::Invocation(invocation) => invocation.http.clone(),
        _ => None,
    });
    assert_eq!(http.unwrap().status, 403);
}

#[tokio::test]
async fn a_direct_caller_gets_an_error_rather_than_a_result() {
    let mut setup = Setup::new(&["function"], Mode::Block).await;
    setup.platform.event("bad", json!({"q": HOSTILE}).to_string());
    setup.platform.event("good", "{}");
    let mut runtime = setup.runtime().await;
    assert_eq!(runtime.next().await.unwrap().id, "good");
    let answered = setup.platform.answered().await;
    assert_eq!(answered.path, "/2018-06-01/runtime/invocation/bad/error");
    assert_eq!(answered.headers["lambda-runtime-function-error-type"], "Ringfence.Refused");
    let error: Value = serde_json::from_slice(&answered.body).unwrap();
    assert_eq!(error["errorType"], "Ringfence.Refused");
}

#[tokio::test]
async fn a_batch_loses_its_bad_record_and_nothing_else() {
    let setup = Setup::new(&["sqs"], Mode::Block).await;
    setup.platform.event("mixed", queue(&["one", HOSTILE, "three"]));
    let mut runtime = setup.runtime().await;
    let received = runtime.next().await.unwrap();
    let event: Value = serde_json::from_slice(&received.body).unwrap();
    let bodies: Vec<&str> =
        event["Records"].as_array().unwrap().iter().map(|record| record["body"].as_str().unwrap()).collect();
    assert_eq!(bodies, ["one", "three"]);
    assert_eq!(received.headers["content-length"], received.body.len().to_string());
    runtime.answer("mixed", "response", "{\"batchItemFailures\":[]}").await;
    let records = setup.records();
    let Some(Body::Verdict(verdict)) =
        records.iter().map(|record| &record.body).find(|body| matches!(body, Body::Verdict(_)))
    else {
        panic!("{records:?}")
    };
    assert_eq!((verdict.action, verdict.records_total, verdict.records_refused), (Action::SetAside, 3, 1));
    assert!(verdict.reason.contains("m-1") && verdict.matches[0].field.starts_with("Records[1].body"), "{verdict:?}");
}

#[tokio::test]
async fn observing_lets_everything_through_and_says_what_it_would_have_done() {
    let setup = Setup::new(&["sqs"], Mode::Observe).await;
    let hostile = queue(&[HOSTILE]);
    setup.platform.event("bad", hostile.clone());
    setup.platform.event("broken", "no json at all");
    let mut runtime = setup.runtime().await;
    assert_eq!(runtime.next().await.unwrap().body, hostile);
    runtime.answer("bad", "response", "null").await;
    assert_eq!(runtime.next().await.unwrap().body, "no json at all");
    runtime
        .answer(
            "broken",
            "error",
            "{\"errorType\":\"ValueError\",\"errorMessage\":\"no\",\"stackTrace\":[\"a\",\"b\"]}",
        )
        .await;
    let records = setup.records();
    let verdicts = records
        .iter()
        .filter(|record| matches!(&record.body, Body::Verdict(verdict) if verdict.action == Action::WouldRefuse));
    assert_eq!(verdicts.count(), 2);
    assert!(records.iter().any(|record| matches!(&record.body, Body::FunctionError(error) if error.kind == "ValueError" && error.trace.len() == 2)));
}

#[tokio::test]
async fn a_streamed_answer_is_not_held_back_and_keeps_its_trailers() {
    let mut setup = Setup::new(&["function"], Mode::Block).await;
    setup.platform.event("id-1", "{}");
    let mut runtime = setup.runtime().await;
    runtime.next().await.unwrap();
    let (frames, stream) = mpsc::unbounded_channel::<Frame<Bytes>>();
    let body = Frames(Mutex::new(stream));
    let headers = [
        ("lambda-runtime-function-response-mode", "streaming"),
        ("transfer-encoding", "chunked"),
        ("trailer", "lambda-runtime-function-error-type"),
    ];
    frames.send(Frame::data(Bytes::from("first"))).unwrap();
    let answering =
        runtime.request(Method::POST, "/2018-06-01/runtime/invocation/id-1/response", &headers, body.boxed());
    let watching = async {
        // The first piece is there while the second has not been written.
        soon(setup.platform.first_frames.recv()).await.unwrap();
        frames.send(Frame::data(Bytes::from("second"))).unwrap();
        let mut trailers = HeaderMap::new();
        trailers.insert("lambda-runtime-function-error-type", "Demo.Mid".parse().unwrap());
        frames.send(Frame::trailers(trailers)).unwrap();
        drop(frames);
    };
    let (response, ()) = soon(async { tokio::join!(answering, watching) }).await;
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let answered = setup.platform.answered().await;
    assert_eq!(answered.body, "firstsecond");
    assert_eq!(answered.headers["lambda-runtime-function-response-mode"], "streaming");
    assert_eq!(answered.trailers.unwrap()["lambda-runtime-function-error-type"], "Demo.Mid");
    soon(response.into_body().collect()).await.unwrap();
    let records = setup.records();
    assert!(
        matches!(&records[0].body, Body::Invocation(invocation) if invocation.outcome == Outcome::Error && invocation.bytes_out == 11)
    );
}

/// A body out of a channel.
struct Frames(Mutex<mpsc::UnboundedReceiver<Frame<Bytes>>>);

impl hyper::body::Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.lock().unwrap().poll_recv(context).map(|frame| frame.map(Ok))
    }
}

#[tokio::test]
async fn what_nobody_here_knows_goes_through() {
    let mut setup = Setup::new(&["function"], Mode::Block).await;
    let mut runtime = setup.runtime().await;
    let body = Full::new(Bytes::from("{}")).boxed();
    let response = runtime.request(Method::POST, "/2099-01-01/runtime/new/thing", &[("x-new", "1")], body).await;
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let answered = setup.platform.answered().await;
    assert_eq!(
        (answered.path.as_str(), answered.headers["x-new"].to_str().unwrap()),
        ("/2099-01-01/runtime/new/thing", "1")
    );
}

#[tokio::test]
async fn an_event_is_had_under_no_other_spelling() {
    let setup = Setup::new(&["http-api"], Mode::Block).await;
    setup.platform.event("r-1", request("/orders"));
    let address = setup.address;
    for path in [
        "/2018-06-01/runtime/invocation/%6eext",
        "/2018-06-01/runtime/%69nvocation/next",
        "/2018-06-01/runtime/invocation/next/",
        "/2018-06-01/runtime/Invocation/Next",
    ] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes()).await.unwrap();
        let mut text = Vec::new();
        soon(tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut text)).await.unwrap();
        assert!(text.starts_with(b"HTTP/1.1 404"), "{path} {}", String::from_utf8_lossy(&text));
    }
}

#[tokio::test]
async fn a_connection_that_breaks_while_waiting_is_made_again() {
    let setup = Setup::new(&["function"], Mode::Block).await;
    let mut runtime = setup.runtime().await;
    let waiting = async { runtime.next().await.unwrap().id };
    let breaking = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        setup.platform.hang_up.notify_one();
        tokio::time::sleep(Duration::from_millis(50)).await;
        setup.platform.event("after", "{}");
    };
    let (id, ()) = soon(async { tokio::join!(waiting, breaking) }).await;
    assert_eq!(id, "after");
}

#[tokio::test]
async fn a_platform_that_is_gone_ends_the_proxy_and_the_runtime_is_told() {
    let setup = Setup::new(&["function"], Mode::Block).await;
    let mut runtime = setup.runtime().await;
    setup.platform.event("first", "{}");
    runtime.next().await.unwrap();
    setup.platform.serving.abort();
    let _ = soon(setup.platform.serving).await;
    assert_eq!(runtime.next().await.err(), Some(StatusCode::BAD_GATEWAY));
    let lost = soon(setup.served).await.unwrap();
    assert!(lost.to_string().contains("is lost"), "{lost}");
}

#[tokio::test]
async fn an_event_whose_function_dies_is_recorded_as_crashed() {
    let setup = Setup::new(&["http-api"], Mode::Block).await;
    setup.platform.event("id-1", request("/orders/1"));
    let mut runtime = setup.runtime().await;
    runtime.next().await.unwrap();
    drop(runtime);
    setup.proxy.abandon(Outcome::Crashed);
    let records = setup.records();
    assert!(
        matches!(&records[0].body, Body::Invocation(invocation) if invocation.outcome == Outcome::Crashed && invocation.http.as_ref().unwrap().status == 502)
    );
}

#[tokio::test]
async fn large_events_are_read_up_to_the_limit_and_refused_beyond() {
    let mut setup = Setup::new(&["function"], Mode::Block).await;
    let limit = events::Limits::default().max_bytes;
    let sized = |size: usize| format!("\"{}\"", "x ".repeat(size / 2 - 1));
    assert_eq!(sized(limit).len(), limit);
    setup.platform.event("over", format!("{} ", sized(limit)));
    setup.platform.event("just", sized(limit));
    let mut runtime = setup.runtime().await;
    assert_eq!(runtime.next().await.unwrap().id, "just");
    assert_eq!(setup.platform.answered().await.path, "/2018-06-01/runtime/invocation/over/error");
}

#[tokio::test]
async fn several_invocations_at_once_each_get_their_own_answer() {
    let mut setup = Setup::new(&["function"], Mode::Block).await;
    let mut out = Vec::new();
    for number in 0..4 {
        setup.platform.event(&format!("id-{number}"), format!("{{\"n\":{number}}}"));
        let mut runtime = setup.runtime().await;
        let event = runtime.next().await.unwrap();
        out.push((runtime, event));
    }
    for (runtime, event) in out.iter_mut().rev() {
        runtime.answer(&event.id, "response", std::str::from_utf8(&event.body).unwrap()).await;
        let answered = setup.platform.answered().await;
        assert!(answered.path.contains(&event.id) && answered.body == event.body);
    }
    assert_eq!(setup.records().len(), 4);
}
