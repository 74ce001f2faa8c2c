//! The console as a browser meets it: over a socket, with hostile records in the lake.
#![allow(clippy::unwrap_used)]

use lake::Lake;
use records::{Action, FunctionError, HttpSummary, Invocation, Log, Match, Mode, Outcome, Record, Verdict};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use watch::{Options, Watch};

const NOON: i64 = 1_767_268_800_000;
const SCRIPT: &str = "\"><script>alert(1)</script><img src=x onerror='alert(2)'>\u{202e}";

struct Running {
    address: SocketAddr,
    watch: Watch,
    _folder: tempfile::TempDir,
}

async fn start() -> Running {
    let folder = tempfile::tempdir().unwrap();
    let lake = Arc::new(Lake::open(folder.path()).unwrap());
    let reader = lake.reader();
    let watch = Watch::start(lake, Options::default());
    let fence: fence::Fence = serde_json::from_value(serde_json::json!({
        "functions": {
            "CreateOrder": {
                "events": [{"source": "http-api", "method": "POST", "path": "/orders", "because": SCRIPT}],
                "permissions": [{"allow": "s3:GetObject", "on": SCRIPT}],
                "network": [{"host": "api.stripe.com", "port": 443}],
            },
            SCRIPT: {},
        },
    }))
    .unwrap();
    let state = console::State {
        name: SCRIPT.into(),
        estate: graph::Estate::default(),
        fence,
        watch: watch.handle(),
        lake: reader,
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(console::serve(listener, state, std::future::pending()));
    Running { address, watch, _folder: folder }
}

impl Running {
    async fn ask(&self, target: &str, headers: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!("GET {target} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    /// The whole answer, head and body.
    async fn get(&self, target: &str) -> String {
        self.answer(target, &format!("Host: {}\r\n", self.address)).await
    }

    async fn answer(&self, target: &str, headers: &str) -> String {
        let mut stream = self.ask(target, headers).await;
        let mut answer = Vec::new();
        timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await.unwrap().unwrap();
        String::from_utf8(answer).unwrap()
    }
}

fn hostile(function: &str) -> Vec<Record> {
    let one = Match {
        rule: SCRIPT.into(),
        family: SCRIPT.into(),
        severity: "high".into(),
        field: SCRIPT.into(),
        excerpt: SCRIPT.into(),
        message: SCRIPT.into(),
        cwe: Some(79),
    };
    vec![
        Record::new(
            NOON,
            function,
            Verdict {
                mode: Mode::Block,
                action: Action::Refuse,
                trigger: SCRIPT.into(),
                incident: Some(SCRIPT.into()),
                reason: SCRIPT.into(),
                matches: vec![one],
                records_total: 2,
                records_refused: 1,
                source: Some(SCRIPT.into()),
            },
        ),
        Record::new(
            NOON,
            function,
            Invocation {
                trigger: "http".into(),
                outcome: Outcome::Refused,
                duration_us: 1,
                guard_us: 1,
                bytes_in: 1,
                bytes_out: 1,
                cold: true,
                source: Some(SCRIPT.into()),
                http: Some(HttpSummary { method: SCRIPT.into(), path: SCRIPT.into(), status: 200 }),
            },
        )
        .with_request_id(SCRIPT),
        Record::new(
            NOON,
            function,
            FunctionError { kind: SCRIPT.into(), message: SCRIPT.into(), trace: vec![SCRIPT.into()] },
        ),
        Record::new(NOON, function, Log { stream: SCRIPT.into(), line: SCRIPT.into() }),
    ]
}

#[tokio::test]
async fn no_record_becomes_markup_on_any_page() {
    let running = start().await;
    let mut records = hostile("CreateOrder");
    records.extend(hostile(SCRIPT));
    running.watch.handle().store(records).await.unwrap();
    let name = "%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E%3Cimg%20src=x%20onerror='alert(2)'%3E%E2%80%AE";
    for target in [
        "/".to_owned(),
        "/function/CreateOrder".to_owned(),
        format!("/function/{name}"),
        format!("/function/other{name}"),
        "/hunt?sql=SELECT+*+FROM+events".to_owned(),
        "/hunt?sql=SELECT+*+FROM+matches".to_owned(),
        format!("/hunt?sql={name}"),
        format!("/{name}"),
    ] {
        let page = running.get(&target).await;
        assert!(page.contains("&lt;script&gt;"), "{target} shows it: {page}");
        assert!(!page.contains("<script>"), "{target}");
        assert!(!page.contains("<img"), "{target}");
        assert!(!page.contains('\u{202e}'), "{target}");
    }
}

#[tokio::test]
async fn every_answer_forbids_inline_script_frames_and_other_sites() {
    let running = start().await;
    for target in ["/", "/hunt", "/assets/console.js", "/nothing"] {
        let answer = running.get(target).await;
        let policy = "content-security-policy: default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
        assert!(answer.contains(policy), "{answer}");
        assert!(answer.contains("x-content-type-options: nosniff"));
        assert!(!answer.contains("access-control-allow-origin"));
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        if target != "/assets/console.js" {
            assert!(!body.contains(" style=") && !body.contains(" onclick="), "{target} keeps to the policy itself");
            assert!(!body.contains("http://") && !body.contains("https://"), "{target} needs nothing from elsewhere");
        }
    }
}

#[tokio::test]
async fn a_name_that_was_made_to_resolve_to_loopback_is_turned_away() {
    let running = start().await;
    let port = running.address.port();
    for host in [format!("evil.example:{port}"), "evil.example".into(), format!("127.0.0.1.evil.example:{port}")] {
        let answer = running.answer("/hunt?sql=SELECT+1", &format!("Host: {host}\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 403"), "{host}: {answer}");
        assert!(answer.contains("answers only to 127.0.0.1"), "{answer}");
    }
    assert!(running.answer("/", &format!("Host: localhost:{port}\r\n")).await.starts_with("HTTP/1.1 200"));
    let foreign = format!("Host: localhost:{port}\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n");
    assert!(running.answer("/hunt?sql=SELECT+1", &foreign).await.starts_with("HTTP/1.1 403"));
}

#[tokio::test]
async fn the_hunt_answers_helps_and_changes_nothing() {
    let running = start().await;
    running.watch.handle().store(hostile("CreateOrder")).await.unwrap();
    let page = running.get("/hunt?sql=SELECT+count(*)+AS+many+FROM+events").await;
    assert!(page.contains("<th>many</th>") && page.contains("<td class=\"number\">4</td>"), "{page}");
    let page = running.get("/hunt?sql=SELECT+fucntion+FROM+events").await;
    assert!(page.contains("did you mean `function`?"), "{page}");
    let page = running.get("/hunt?sql=DELETE+FROM+events").await;
    assert!(page.contains("the lake is read-only for queries: DELETE isn&#39;t allowed"), "{page}");
    let page = running.get("/hunt").await;
    assert!(page.contains("What was stopped, and where it was hiding"));
}

#[tokio::test]
async fn a_functions_page_shows_each_line_of_its_fence_with_its_use() {
    let running = start().await;
    let mut request = hostile("CreateOrder").remove(1);
    if let records::Body::Invocation(invocation) = &mut request.body {
        invocation.outcome = Outcome::Ok;
        invocation.http = Some(HttpSummary { method: "POST".into(), path: "/orders".into(), status: 201 });
    }
    running.watch.handle().store(vec![request]).await.unwrap();
    let page = running.get("/function/CreateOrder").await;
    assert!(page.contains("<li class=\"used\"><div class=\"said\"><code>POST /orders</code>"), "{page}");
    assert!(page.contains("<li class=\"never\"><div class=\"said\"><code>api.stripe.com:443</code>"), "{page}");
    assert!(page.contains("2 of 3 lines were never used"), "{page}");
    assert!(running.get("/function/Nobody").await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn a_page_that_follows_gets_each_verdict_as_it_is_stored() {
    let running = start().await;
    let host = format!("Host: {}\r\n", running.address);
    let mut stream = running.ask("/live?function=CreateOrder", &host).await;
    let mut seen = String::new();
    let mut buffer = vec![0; 64 * 1024];
    // The first thing is always the counters; only then is it certain that the page follows.
    let mut stored = false;
    for _ in 0..50 {
        let count = timeout(Duration::from_secs(10), stream.read(&mut buffer)).await.unwrap().unwrap();
        seen.push_str(&String::from_utf8_lossy(&buffer[..count]));
        if !stored && seen.contains("event: summary") {
            let mut records = hostile("Another");
            records.extend(hostile("CreateOrder"));
            running.watch.handle().store(records).await.unwrap();
            stored = true;
        }
        if seen.contains("event: verdict") && seen.contains("event: pulse") {
            break;
        }
    }
    assert!(seen.contains("content-type: text/event-stream"), "{seen}");
    assert_eq!(seen.matches("event: verdict").count(), 1, "{seen}");
    assert!(seen.contains("\"function\":\"CreateOrder\"") && !seen.contains("\"function\":\"Another\""), "{seen}");
    // Only the card is put into the page as HTML; the other values are data.
    let (_, verdict) = seen.split_once("event: verdict").unwrap();
    let line = verdict.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
    let news: serde_json::Value = serde_json::from_str(line).unwrap();
    let card = news["html"].as_str().unwrap();
    assert!(card.contains("&lt;script&gt;") && !card.contains("<script>"), "{card}");
}

#[tokio::test]
async fn it_refuses_to_listen_where_others_could_reach_it() {
    let running = start().await;
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let state = console::State {
        name: "x".into(),
        estate: graph::Estate::default(),
        fence: fence::Fence::default(),
        watch: running.watch.handle(),
        lake: lake::Lake::open(tempfile::tempdir().unwrap().path()).unwrap().reader(),
    };
    let error = console::serve(listener, state, std::future::pending()).await.unwrap_err();
    assert!(error.to_string().contains("listens on loopback only"), "{error}");
}
