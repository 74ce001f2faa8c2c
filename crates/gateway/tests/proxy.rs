//! The reverse proxy over sockets: what reaches the function behind it, and what the client is told.
#![allow(clippy::unwrap_used)]

use gateway::proxy::{Config, Fences, Firewall, Judgement, Log, Mode, Proxy};
use gateway::{Incoming, Limits};
use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use waf::seclang::{BASE, RuleSet};

const RULES: &str = r#"
SecRule ARGS "@contains <script" "id:1,phase:2,deny,status:403,log,msg:'markup in %{MATCHED_VAR_NAME}',logdata:'%{MATCHED_VAR}'"
SecRule REQUEST_HEADERS:X-Bad "@streq 1" "id:2,phase:1,deny,status:406,log"
SecResponseBodyMimeType text/html
SecRule RESPONSE_BODY "@contains Traceback" "id:3,phase:4,deny,status:500,log"
"#;

fn rules(mode: Mode) -> RuleSet {
    let only_look = if mode == Mode::Observe { "SecRuleEngine DetectionOnly\n" } else { "" };
    let (set, complaints) = RuleSet::compile(&[("base", BASE), ("mine", &format!("{only_look}{RULES}"))], &|_| None);
    assert!(complaints.is_empty(), "{complaints:?}");
    set
}

/// Keeps what is written.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Kept {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
    fn lines(&self) -> Vec<serde_json::Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Answers every connection with these bytes, once, and keeps what it was sent.
async fn backend(answer: &'static [u8]) -> (SocketAddr, Kept) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let kept = Kept::default();
    let log = kept.clone();
    tokio::spawn(async move {
        for _ in 0..16 {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut log = log.clone();
            tokio::spawn(async move {
                let mut buffer = vec![0; 65_536];
                let mut seen = 0;
                for _ in 0..64 {
                    let read = stream.read(&mut buffer[seen..]).await.unwrap_or(0);
                    seen += read;
                    let text = String::from_utf8_lossy(&buffer[..seen]).into_owned();
                    let Some(end) = text.find("\r\n\r\n") else {
                        if read == 0 {
                            return;
                        }
                        continue;
                    };
                    let length: usize =
                        text.lines().find_map(|line| line.strip_prefix("Content-Length: ")?.parse().ok()).unwrap_or(0);
                    if seen >= end + 4 + length {
                        break;
                    }
                }
                log.write_all(&buffer[..seen]).unwrap();
                stream.write_all(answer).await.unwrap();
            });
        }
    });
    (address, kept)
}

struct Setup {
    proxy: Proxy,
    sent: Kept,
    log: Kept,
}

async fn setup(answer: &'static [u8], mode: Mode, fences: Option<Arc<dyn Fences>>) -> Setup {
    let (upstream, sent) = backend(answer).await;
    let log = Kept::default();
    let proxy = Proxy::start(Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        upstream: upstream.to_string(),
        firewall: Firewall::new(Some(rules(mode)), fences, mode),
        log: Some(Log::new(Box::new(log.clone()), false)),
        id_header: Some("X-Request-Id".into()),
        limits: Limits { body_bytes: 1000, body: Duration::from_secs(5), ..Limits::default() },
        patience: Duration::from_secs(5),
        response_bytes: 1000,
    })
    .await
    .unwrap();
    Setup { proxy, sent, log }
}

impl Setup {
    /// Sends bytes and reads until the connection ends.
    async fn send(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.proxy.address()).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut answer = Vec::new();
        tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await.unwrap().unwrap();
        String::from_utf8(answer).unwrap()
    }
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Own: 1\r\nConnection: close\r\n\r\nhi";

#[tokio::test]
async fn an_honest_request_passes_and_the_connection_headers_stay_behind() {
    let setup = setup(OK, Mode::Block, None).await;
    let answer = setup
        .send(b"POST /a?b=c HTTP/1.1\r\nHost: shop\r\nX-Forwarded-For: 9.9.9.9\r\nConnection: close, X-Drop\r\nX-Drop: 1\r\nX_Odd: 2\r\nX-Request-Id: r1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        .await;
    assert!(
        answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nhi") && answer.contains("X-Own: 1"),
        "{answer}"
    );
    let sent = setup.sent.text();
    assert!(sent.starts_with("POST /a?b=c HTTP/1.1\r\nHost: shop\r\nX_Odd: 2\r\n"), "{sent}");
    assert!(
        sent.contains("X-Forwarded-For: 9.9.9.9, 127.0.0.1\r\n") && sent.ends_with("Content-Length: 3\r\n\r\nabc"),
        "{sent}"
    );
    assert!(!sent.contains("X-Drop") && !sent.contains("chunked"), "{sent}");
    let log = setup.log.lines();
    assert_eq!((log.len(), &log[0]["action"], &log[0]["request_id"]), (1, &"pass".into(), &"r1".into()));
}

#[tokio::test]
async fn what_a_rule_denies_goes_nowhere_and_the_log_tells_why() {
    let setup = setup(OK, Mode::Block, None).await;
    let answer = setup.send(b"GET /?q=%3Cscript%3E HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{answer}");
    let answer = setup.send(b"POST / HTTP/1.1\r\nHost: h\r\nX-Bad: 1\r\nContent-Length: 5\r\n\r\nabcde").await;
    assert!(answer.starts_with("HTTP/1.1 406 ") && answer.contains("Connection: close"), "{answer}");
    assert_eq!(setup.sent.text(), "");
    let log = setup.log.lines();
    assert_eq!((&log[0]["matched"], &log[0]["action"]), (&serde_json::json!([1]), &"block".into()));
    assert_eq!(log[0]["details"][0]["data"], "<script>");
    assert_eq!(log[1]["matched"], serde_json::json!([2]));
}

#[tokio::test]
async fn observing_passes_everything_on_and_still_tells() {
    let setup = setup(OK, Mode::Observe, None).await;
    let answer = setup.send(b"GET /?q=<script> HTTP/1.1\r\nHost: h\r\nX-Bad: 1\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(setup.log.lines()[0]["matched"], serde_json::json!([2, 1]));
    assert!(setup.sent.text().contains("GET /?q=<script> HTTP/1.1"));
}

#[tokio::test]
async fn an_answer_that_gives_away_a_stack_trace_is_held_back() {
    let trace = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\nTraceback (most recent call last)";
    let setup = setup(trace, Mode::Block, None).await;
    let answer = setup.send(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 500 ") && !answer.contains("Traceback"), "{answer}");
}

#[tokio::test]
async fn an_answer_that_nobody_reads_is_streamed_whatever_its_size() {
    let mut long = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n".to_vec();
    long.resize(long.len() + 100_000, b'x');
    let setup = setup(Box::leak(long.into_boxed_slice()), Mode::Block, None).await;
    let answer = setup.send(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await;
    assert!(answer.contains("Transfer-Encoding: chunked") && answer.ends_with("0\r\n\r\n"), "{}", &answer[..200]);
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    assert_eq!(body.matches('x').count(), 100_000);
}

#[tokio::test]
async fn one_connection_carries_one_request_after_the_other_and_none_is_smuggled() {
    let setup = setup(OK, Mode::Block, None).await;
    let answer = setup
        .send(b"GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\nPOST /3 HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /4 HTTP/1.1\r\nHost: h\r\n\r\n")
        .await;
    let statuses: Vec<&str> = answer.match_indices("HTTP/1.1 ").map(|(at, _)| &answer[at + 9..at + 12]).collect();
    assert_eq!(statuses, ["200", "200", "400"], "{answer}");
    let sent = setup.sent.text();
    assert!(sent.contains("/1") && sent.contains("/2") && !sent.contains("/3") && !sent.contains("/4"), "{sent}");
}

#[tokio::test]
async fn a_host_that_hides_a_line_break_is_no_host() {
    let setup = setup(OK, Mode::Block, None).await;
    for host in ["shop%0d%0aX: 1", "a b", ""] {
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        assert!(setup.send(request.as_bytes()).await.starts_with("HTTP/1.1 400 "), "{host}");
    }
    assert_eq!(setup.sent.text(), "");
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_before_it_is_read() {
    let setup = setup(OK, Mode::Block, None).await;
    let answer = setup.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5000\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn a_function_that_is_not_there_is_a_bad_gateway() {
    let mut setup = setup(OK, Mode::Block, None).await;
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let log = Kept::default();
    setup.proxy = Proxy::start(Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        upstream: address.to_string(),
        firewall: Firewall::new(None, None, Mode::Block),
        log: Some(Log::new(Box::new(log.clone()), true)),
        id_header: None,
        limits: Limits::default(),
        patience: Duration::from_secs(5),
        response_bytes: 1000,
    })
    .await
    .unwrap();
    let answer = setup.send(b"GET /?token=secret HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
    assert!(log.text().contains("\"status\":502") && !log.text().contains("secret"), "{}", log.text());
}

struct NoAdmin;

impl Fences for NoAdmin {
    fn judge(&self, request: &Incoming, path: &str) -> Judgement {
        let found = records::Match { rule: "schema".into(), field: request.query.clone(), ..records::Match::default() };
        Judgement {
            refuse: path.starts_with("/admin"),
            matches: vec![found],
            incident: Some("rf-1".into()),
            function: None,
        }
    }
}

#[tokio::test]
async fn a_fence_refuses_with_an_incident_to_quote() {
    let setup = setup(OK, Mode::Block, Some(Arc::new(NoAdmin))).await;
    let answer = setup.send(b"GET http://h/admin?x=1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains("\"incident\":\"rf-1\""), "{answer}");
    let log = setup.log.lines();
    assert_eq!((&log[0]["fence"][0]["field"], &log[0]["why"]), (&"x=1".into(), &"the fence".into()));
    assert!(
        setup.send(b"GET /open HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await.starts_with("HTTP/1.1 200")
    );
}
