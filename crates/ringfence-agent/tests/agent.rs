//! The real agent before a small Runtime API. The function behind it is this test program again, run with
//! [`PART`] in its environment.

#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Tells this program that it is the function, and which.
const PART: &str = "RINGFENCE_TEST_FUNCTION";
const NEXT: &str = "/2018-06-01/runtime/invocation/next";

/// One HTTP message: its first line, its headers in lower case, its body.
struct Message {
    first: String,
    headers: Vec<String>,
    body: Vec<u8>,
}

fn read(stream: &mut BufReader<TcpStream>) -> Option<Message> {
    let mut line = || {
        let mut line = String::new();
        (stream.read_line(&mut line).ok()? > 0).then(|| line.trim_end().to_owned())
    };
    let first = line()?;
    let mut headers = Vec::new();
    for _ in 0..100 {
        match line()? {
            end if end.is_empty() => break,
            header => headers.push(header.to_lowercase()),
        }
    }
    let length = headers.iter().find_map(|header| header.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(Message { first, headers, body })
}

fn write(stream: &mut TcpStream, first: &str, headers: &str, body: &[u8]) -> std::io::Result<()> {
    write!(stream, "{first}\r\n{headers}Content-Length: {}\r\n\r\n", body.len())?;
    stream.write_all(body)
}

/// The function: answers each event with what it got, or does what the part says.
#[test]
fn function() {
    let Ok(part) = std::env::var(PART) else { return };
    if part == "leaver" {
        std::process::exit(7);
    }
    let kept: Vec<String> =
        std::env::vars().map(|(name, _)| name).filter(|name| name.starts_with("RINGFENCE_") && name != PART).collect();
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API").unwrap();
    let mut out = TcpStream::connect(&api).unwrap();
    let mut answers = BufReader::new(out.try_clone().unwrap());
    for _ in 0..100 {
        write(&mut out, &format!("GET {NEXT} HTTP/1.1"), "Host: x\r\n", b"").unwrap();
        let Some(event) = read(&mut answers) else { std::process::exit(3) };
        if !event.first.contains("200") {
            std::process::exit(4);
        }
        if part == "crasher" {
            std::process::abort();
        }
        let id =
            event.headers.iter().find_map(|header| header.strip_prefix("lambda-runtime-aws-request-id: ")).unwrap();
        let path = format!("POST /2018-06-01/runtime/invocation/{id}/response HTTP/1.1");
        let body = [event.body.as_slice(), kept.join(",").as_bytes()].concat();
        write(&mut out, &path, "Host: x\r\n", &body).unwrap();
        if read(&mut answers).is_none() {
            std::process::exit(5);
        }
    }
}

/// A Runtime API: hands out what it is given and tells what it was answered.
struct Platform {
    address: SocketAddr,
    events: Sender<(String, String)>,
    answers: Receiver<(String, String)>,
}

impl Platform {
    fn start() -> Platform {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (events, waiting) = channel::<(String, String)>();
        let waiting = Arc::new(Mutex::new(waiting));
        let (answered, answers) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().take(50) {
                let (waiting, answered) = (Arc::clone(&waiting), answered.clone());
                std::thread::spawn(move || {
                    let mut out = stream.unwrap();
                    let mut requests = BufReader::new(out.try_clone().unwrap());
                    while let Some(request) = read(&mut requests) {
                        let path = request.first.split(' ').nth(1).unwrap().to_owned();
                        let written = if path == NEXT {
                            let Ok((id, event)) = waiting.lock().unwrap().recv() else { return };
                            let headers = format!("Lambda-Runtime-Aws-Request-Id: {id}\r\n");
                            write(&mut out, "HTTP/1.1 200 OK", &headers, event.as_bytes())
                        } else {
                            let body = String::from_utf8(request.body).unwrap();
                            let _ = answered.send((path.replace("/2018-06-01/runtime/", ""), body));
                            write(&mut out, "HTTP/1.1 202 Accepted", "", b"{}")
                        };
                        if written.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Platform { address, events, answers }
    }

    fn event(&self, id: &str, event: &str) {
        self.events.send((id.into(), event.into())).unwrap();
    }

    fn answered(&self) -> (String, String) {
        self.answers.recv_timeout(Duration::from_secs(20)).expect("nothing was answered")
    }
}

const FENCE: &str = "version: 1
functions:
  Echo:
    events:
      - source: function
        body: { $ref: \"#/schemas/Order\" }
  Watched:
    mode: observe
    events: []
  Strong:
    perimeter: { tier: kernel }
    events: []
  Broken:
    events:
      - { source: sqs, body: { type: objet } }
schemas:
  Order: { type: object, properties: { id: { type: string, maxLength: 10 } } }
";

struct Agent {
    folder: tempfile::TempDir,
    command: Command,
}

impl Agent {
    /// An agent with the fence above, running this program as `part`.
    fn new(platform: &str, function: &str, part: &str) -> Agent {
        let folder = tempfile::tempdir().unwrap();
        let fence = folder.path().join("fence.yaml");
        std::fs::write(&fence, FENCE).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_ringfence-agent"));
        command
            .args(["--fence".as_ref(), fence.as_os_str(), "--function".as_ref(), function.as_ref(), "--".as_ref()])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "function", "--nocapture"])
            .env("RINGFENCE_RECORDS", folder.path().join("records"))
            .env(PART, part)
            .env("AWS_LAMBDA_RUNTIME_API", platform)
            .env_remove("RINGFENCE_MODE")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        Agent { folder, command }
    }

    fn records(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("records")).unwrap()
    }

    fn run(&mut self) -> Output {
        finished(self.command.spawn().unwrap())
    }
}

/// A process that has to end by itself.
fn finished(mut child: Child) -> Output {
    let end = Instant::now() + Duration::from_secs(20);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > end {
            child.kill().unwrap();
            panic!("it should have ended long ago");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().unwrap()
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn only_what_passes_reaches_the_function_and_a_signal_ends_both() {
    let platform = Platform::start();
    let mut agent = Agent::new(&platform.address.to_string(), "Echo", "echo");
    let child = agent.command.spawn().unwrap();
    platform.event("a", "{\"id\":\"1\"}");
    platform.event("b", "{\"id\":\"x' OR '1'='1' --\"}");
    platform.event("c", "{\"id\":\"far too long for it\"}");
    platform.event("d", "{\"id\":\"2\"}");
    // The function gives back what it saw: the event, and none of the agent's own variables.
    assert_eq!(platform.answered(), ("invocation/a/response".into(), "{\"id\":\"1\"}".into()));
    for id in ["b", "c"] {
        let (path, body) = platform.answered();
        assert_eq!(path, format!("invocation/{id}/error"));
        assert!(body.contains("Ringfence.Refused") && body.contains("rf-"), "{body}");
    }
    assert_eq!(platform.answered().1, "{\"id\":\"2\"}");
    signal(&child, "TERM");
    let output = finished(child);
    assert_eq!(output.status.code(), Some(128 + 15), "{}", String::from_utf8_lossy(&output.stderr));
    let records = agent.records();
    for expected in [
        "\"type\":\"started\",\"runtime\":",
        "\"tier\":\"none\"",
        "\"rule\":\"sql-tautology\"",
        "\"rule\":\"schema\"",
        "\"field\":\"event.id\"",
        "\"outcome\":\"refused\"",
        "\"type\":\"stopped\",\"reason\":\"shutdown\"",
    ] {
        assert!(records.contains(expected), "no {expected} in\n{records}");
    }
}

#[test]
fn the_agent_ends_as_its_function_ends() {
    let platform = Platform::start();
    let mut leaver = Agent::new(&platform.address.to_string(), "Echo", "leaver");
    assert_eq!(leaver.run().status.code(), Some(7));
    assert!(leaver.records().contains("\"exit_code\":7"));
    let mut crasher = Agent::new(&platform.address.to_string(), "Echo", "crasher");
    platform.event("a", "{}");
    assert_eq!(crasher.run().status.code(), Some(128 + 6));
    let records = crasher.records();
    assert!(records.contains("\"outcome\":\"crashed\"") && records.contains("\"reason\":\"crashed\""), "{records}");
}

#[test]
fn observing_passes_what_no_line_lists() {
    let platform = Platform::start();
    let mut agent = Agent::new(&platform.address.to_string(), "Watched", "echo");
    let child = agent.command.spawn().unwrap();
    platform.event("a", "{\"id\":\"x' OR '1'='1' --\"}");
    assert_eq!(platform.answered().0, "invocation/a/response");
    signal(&child, "INT");
    finished(child);
    assert!(agent.records().contains("\"action\":\"would_refuse\""));
}

#[test]
fn a_fence_that_cannot_be_held_keeps_the_function_from_starting() {
    let platform = Platform::start();
    for (function, kind, message) in [
        ("Ecko", "Ringfence.Fence", "did you mean `Echo`?"),
        ("Strong", "Ringfence.Perimeter", "demands the tier `kernel`"),
        ("Broken", "Ringfence.Fence", "schema can't be used"),
    ] {
        let mut agent = Agent::new(&platform.address.to_string(), function, "leaver");
        let output = agent.run();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(78), "{said}");
        assert!(said.contains(message) && said.trim_end().lines().count() == 1, "{said}");
        let (path, body) = platform.answered();
        assert_eq!(path, "init/error");
        assert!(body.contains(kind) && body.contains("was not started"), "{body}");
    }
}

#[test]
fn other_misconfigurations_say_what_is_wrong() {
    let missing = |change: &dyn Fn(&mut Command, &Path)| {
        let mut agent = Agent::new("127.0.0.1:1", "Echo", "leaver");
        change(&mut agent.command, &PathBuf::from("/"));
        let output = agent.run();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = missing(&|_, _| {});
    assert!(code == Some(78) && said.contains("the Runtime API at `127.0.0.1:1` can't be reached"), "{said}");
    let (code, said) = missing(&|command, _| {
        command.env_remove("AWS_LAMBDA_RUNTIME_API");
    });
    assert!(code == Some(78) && said.contains("AWS_LAMBDA_RUNTIME_API is not set"), "{said}");
    let (code, said) = missing(&|command, _| {
        command.env("RINGFENCE_RECORDS", "/nowhere/at/all");
    });
    assert!(code == Some(78) && said.contains("records can't be written"), "{said}");
    let (code, said) = missing(&|command, _| {
        command.env("RINGFENCE_MODE", "loud");
    });
    assert!(code == Some(78) && said.contains("`loud` is not a mode"), "{said}");
}

#[test]
fn a_platform_that_goes_away_takes_the_function_with_it() {
    // It answers that it is there, and the first request for an event with silence and a closed door.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut agent = Agent::new(&listener.local_addr().unwrap().to_string(), "Echo", "echo");
    let child = agent.command.spawn().unwrap();
    let _first = listener.accept().unwrap();
    let asking = listener.accept().unwrap();
    drop(listener);
    drop(asking);
    let output = finished(child);
    assert_ne!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stderr).contains("is lost"));
}
