//! The host against a runtime client of a few lines: this very test binary, started again with `HOST_TEST_CLIENT` set.
#![allow(clippy::unwrap_used)]

use host::{Config, FunctionConfig, FunctionState, Host, InvocationType, Recorder};
use records::{Body, Outcome, Record};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Not a test of its own: the runtime client, when the host starts this binary. It does what each event tells it.
#[test]
#[allow(clippy::zombie_processes)] // the child that is left behind is the point
fn client() {
    let Ok(start) = std::env::var("HOST_TEST_CLIENT") else { return };
    let address = std::env::var("AWS_LAMBDA_RUNTIME_API").unwrap();
    match start.as_str() {
        "exit" => std::process::exit(3),
        "init-error" => {
            let body = r#"{"errorType":"Runtime.ImportModuleError","errorMessage":"Unable to import module 'app'"}"#;
            request(&address, "POST", "/2018-06-01/runtime/init/error", body.as_bytes());
            std::process::exit(1);
        }
        "never-ready" => std::thread::sleep(Duration::from_secs(60)),
        _ => {}
    }
    for _ in 0..10_000 {
        let (_, headers, event) = request(&address, "GET", "/2018-06-01/runtime/invocation/next", b"");
        let header = |name: &str| {
            headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let id = header("lambda-runtime-aws-request-id");
        let text = String::from_utf8_lossy(&event).into_owned();
        let answer = match text.as_str() {
            "\"exit\"" => std::process::exit(7),
            "\"abort\"" => std::process::abort(),
            "\"hang\"" => {
                std::thread::sleep(Duration::from_secs(60));
                b"late".to_vec()
            }
            "\"big\"" => vec![b'x'; 6 * 1024 * 1024],
            "\"too big\"" => vec![b'x'; 7 * 1024 * 1024],
            "\"headers\"" => format!("{headers:?}").into_bytes(),
            "\"env\"" => format!("{:?}", std::env::vars().collect::<Vec<_>>()).into_bytes(),
            "\"log\"" => {
                println!("a line for the log");
                eprint!("an unfinished one, {}", "long ".repeat(4000));
                std::io::stdout().flush().unwrap();
                b"logged".to_vec()
            }
            "\"flood\"" => {
                let line = format!("{}\n", "flood ".repeat(20)).repeat(50);
                loop {
                    std::io::stdout().write_all(line.as_bytes()).unwrap();
                }
            }
            "\"child\"" => {
                let child = std::process::Command::new(std::env::current_exe().unwrap())
                    .args(["--exact", "client", "--nocapture"])
                    .env("HOST_TEST_CLIENT", "never-ready")
                    .spawn()
                    .unwrap();
                child.id().to_string().into_bytes()
            }
            "\"daemon\"" => {
                // Its parent ends at once and it has a group of its own: nobody above it knows it any more.
                let script = "setsid sleep 60 >/dev/null 2>&1 & echo $!";
                let output = std::process::Command::new("sh").args(["-c", script]).output().unwrap();
                output.stdout.trim_ascii().to_vec()
            }
            "\"error\"" => {
                let body =
                    r#"{"errorType":"KeyError","errorMessage":"'id'","stackTrace":["  File \"app.py\", line 3\n"]}"#;
                request(&address, "POST", &format!("/2018-06-01/runtime/invocation/{id}/error"), body.as_bytes());
                continue;
            }
            "\"stale\"" => {
                let stale = request(&address, "POST", "/2018-06-01/runtime/invocation/nobody/response", b"x");
                let path = format!("/2018-06-01/runtime/invocation/{id}/response");
                let status = stale.0.to_string();
                request(&address, "POST", &path, status.as_bytes());
                let again = request(&address, "POST", &path, b"again");
                println!("second answer: {}", again.0);
                continue;
            }
            "\"stream\"" => {
                let mut stream = TcpStream::connect(&address).unwrap();
                write!(
                    stream,
                    "POST /2018-06-01/runtime/invocation/{id}/response HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
                     Lambda-Runtime-Function-Response-Mode: streaming\r\nContent-Type: text/x-tale\r\n\
                     Transfer-Encoding: chunked\r\n\r\n6\r\nonce, \r\n4\r\nupon\r\n0\r\n\r\n"
                )
                .unwrap();
                let mut answer = String::new();
                stream.read_to_string(&mut answer).unwrap();
                assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
                continue;
            }
            _ => event,
        };
        request(&address, "POST", &format!("/2018-06-01/runtime/invocation/{id}/response"), &answer);
    }
}

type Answer = (u16, Vec<(String, String)>, Vec<u8>);

fn request(address: &str, method: &str, path: &str, body: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // The other side may answer before it has read everything.
    let _ = stream.write_all(body);
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let mut headers = Vec::new();
    loop {
        line.clear();
        reader.read_line(&mut line).unwrap();
        match line.trim_end().split_once(": ") {
            Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.to_owned())),
            None => break,
        }
    }
    let mut body = Vec::new();
    reader.read_to_end(&mut body).unwrap();
    (status, headers, body)
}

struct Scene {
    host: Host,
    records: Arc<Mutex<Vec<Record>>>,
}

fn function(name: &str, start: &str, timeout: Duration) -> FunctionConfig {
    FunctionConfig {
        name: name.into(),
        runtime: "provided.al2023".into(),
        command: vec![std::env::current_exe().unwrap().into(), "--exact".into(), "client".into(), "--nocapture".into()],
        guarded: false,
        directory: std::env::temp_dir(),
        environment: vec![("HOST_TEST_CLIENT".into(), start.into()), ("AWS_REGION".into(), "us-east-1".into())],
        timeout,
        arn: format!("arn:aws:lambda:us-east-1:123456789012:function:{name}"),
        triggers: vec!["sqs".into()],
        current: host::CurrentRequest::default(),
    }
}

fn scene(functions: Vec<FunctionConfig>) -> Scene {
    let records = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&records);
    let recorder: Recorder = Arc::new(move |record| kept.lock().unwrap().push(record));
    let mut config = Config::new(functions, recorder);
    config.init_timeout = Duration::from_secs(20);
    Scene { host: Host::start(config), records }
}

impl Scene {
    async fn invoke(&self, function: &str, event: &str) -> host::Response {
        let event = hyper::body::Bytes::copy_from_slice(event.as_bytes());
        self.host.invoke(function, event, InvocationType::RequestResponse).await.unwrap()
    }

    fn bodies(&self) -> Vec<Body> {
        self.records.lock().unwrap().iter().map(|record| record.body.clone()).collect()
    }

    /// Waits for a record; gives up after 10 s.
    async fn until(&self, what: impl Fn(&Record) -> bool) -> Option<Record> {
        for _ in 0..200 {
            if let Some(record) = self.records.lock().unwrap().iter().find(|record| what(record)) {
                return Some(record.clone());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        None
    }
}

const LONG: Duration = Duration::from_secs(30);

fn alive(pid: &str) -> bool {
    // A zombie waits for init to look at it; it isn't alive.
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_goes_in_and_its_answer_comes_out_byte_for_byte() {
    let scene = scene(vec![function("Echo", "", LONG)]);
    let answer = scene.invoke("Echo", r#"{"order": "O'Brien \u00e9"}"#).await;
    assert_eq!(&answer.payload[..], br#"{"order": "O'Brien \u00e9"}"#);
    assert_eq!((answer.function_error, answer.outcome), (None, Outcome::Ok));
    let headers = scene.invoke("Echo", "\"headers\"").await;
    let headers = String::from_utf8_lossy(&headers.payload).into_owned();
    for expected in ["lambda-runtime-deadline-ms", "function:Echo", "Root=1-"] {
        assert!(headers.contains(expected), "{headers}");
    }
    // Not JSON: the host has no opinion on it, the guard and the function do.
    assert_eq!(&scene.invoke("Echo", "{not json").await.payload[..], b"{not json");
    assert!(scene.bodies().iter().any(|body| matches!(body, Body::Started(_))));
    let cold: Vec<bool> = scene
        .bodies()
        .iter()
        .filter_map(|body| if let Body::Invocation(one) = body { Some(one.cold) } else { None })
        .collect();
    assert_eq!(cold, [true, false, false]);
    scene.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_answers_arrive_whole_and_too_large_ones_are_an_error() {
    let scene = scene(vec![function("Big", "", LONG)]);
    assert_eq!(scene.invoke("Big", "\"big\"").await.payload.len(), 6 * 1024 * 1024);
    let refused = scene.invoke("Big", "\"too big\"").await;
    assert!(String::from_utf8_lossy(&refused.payload).contains("Function.ResponseSizeTooLarge"));
    assert_eq!(&scene.invoke("Big", "1").await.payload[..], b"1");
    let event = hyper::body::Bytes::from(vec![b' '; host::MAX_EVENT_BYTES + 1]);
    let refused = scene.host.invoke("Big", event, InvocationType::RequestResponse).await.unwrap_err();
    assert!(refused.to_string().contains("over the limit"), "{refused}");
    scene.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streamed_answers_and_stale_ids_are_told_apart() {
    let scene = scene(vec![function("Odd", "", LONG)]);
    let tale = scene.invoke("Odd", "\"stream\"").await;
    assert_eq!(
        (&tale.payload[..], tale.streamed, tale.content_type.as_deref()),
        (&b"once, upon"[..], true, Some("text/x-tale"))
    );
    assert_eq!(&scene.invoke("Odd", "\"stale\"").await.payload[..], b"400");
    let second =
        scene.until(|record| matches!(&record.body, Body::Log(log) if log.line.contains("second answer: 403"))).await;
    assert!(second.is_some(), "{:?}", scene.bodies());
    scene.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_hangs_is_ended_and_the_next_event_finds_a_new_one() {
    let scene = scene(vec![function("Slow", "", Duration::from_secs(2)), function("Other", "", LONG)]);
    scene.host.settled(Duration::from_secs(20)).await;
    let hanging = scene.invoke("Slow", "\"hang\"");
    let other = async {
        let began = Instant::now();
        scene.invoke("Other", "1").await;
        began.elapsed()
    };
    let (hung, other) = tokio::join!(hanging, other);
    assert!(other < Duration::from_secs(2), "the other function waited {other:?}");
    assert_eq!(hung.outcome, Outcome::Timeout);
    let text = String::from_utf8_lossy(&hung.payload).into_owned();
    assert!(text.contains("Task timed out after 2.00 seconds"), "{text}");
    assert_eq!(&scene.invoke("Slow", "2").await.payload[..], b"2");
    assert!(scene.bodies().iter().any(|body| matches!(body, Body::Stopped(stopped) if stopped.reason == "timeout")));
    scene.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_is_an_error_of_its_own_invocation_only() {
    let scene = scene(vec![function("Frail", "", LONG)]);
    for (event, expected) in [("\"exit\"", "exit status 7"), ("\"abort\"", "signal: 6")] {
        let crashed = scene.invoke("Frail", event).await;
        assert_eq!(crashed.outcome, Outcome::Crashed);
        let text = String::from_utf8_lossy(&crashed.payload).into_owned();
        assert!(text.contains("Runtime.ExitError") && text.contains(expected), "{text}");
        assert_eq!(&scene.invoke("Frail", "1").await.payload[..], b"1");
    }
    let failed = scene.invoke("Frail", "\"error\"").await;
    assert_eq!((failed.function_error.as_deref(), failed.outcome), (Some("Unhandled"), Outcome::Error));
    assert!(
        scene.bodies().iter().any(
            |body| matches!(body, Body::FunctionError(error) if error.kind == "KeyError" && error.trace.len() == 1)
        )
    );
    scene.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_that_do_not_start_say_why_and_stop_nobody() {
    let mut missing = function("Missing", "", LONG);
    missing.command = vec!["/nonexistent/python3".into()];
    let scene = scene(vec![
        function("Bad", "init-error", LONG),
        function("Gone", "exit", LONG),
        missing,
        function("Good", "", LONG),
    ]);
    scene.host.settled(Duration::from_secs(20)).await;
    let states: std::collections::BTreeMap<_, _> = scene.host.states().into_iter().collect();
    let says = |name: &str, text: &str| matches!(&states[name], FunctionState::Failed(why) if why.contains(text));
    assert!(says("Bad", "Unable to import module 'app'"), "{states:?}");
    assert!(says("Gone", "exit status 3"), "{states:?}");
    assert!(says("Missing", "could not start `/nonexistent/python3`"), "{states:?}");
    assert_eq!(&scene.invoke("Good", "1").await.payload[..], b"1");
    let bad = scene.invoke("Bad", "1").await;
    assert!(String::from_utf8_lossy(&bad.payload).contains("Runtime.ImportModuleError"));
    assert!(scene.host.invoke("Nobody", "1".into(), InvocationType::Event).await.is_err());
    scene.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flooded_log_is_cut_and_does_not_slow_the_others() {
    let scene = scene(vec![function("Flood", "", Duration::from_secs(3)), function("Other", "", LONG)]);
    scene.host.settled(Duration::from_secs(20)).await;
    let line = scene.invoke("Other", "\"log\"").await;
    assert_eq!(&line.payload[..], b"logged");
    let logged = scene.until(|record| matches!(&record.body, Body::Log(log) if log.line == "a line for the log")).await;
    assert_eq!(logged.unwrap().request_id, Some(line.request_id));
    let flooding = scene.invoke("Flood", "\"flood\"");
    let other = async {
        let mut slowest = Duration::ZERO;
        for _ in 0..20 {
            let began = Instant::now();
            scene.invoke("Other", "1").await;
            slowest = slowest.max(began.elapsed());
        }
        slowest
    };
    let (flooded, slowest) = tokio::join!(flooding, other);
    assert_eq!(flooded.outcome, Outcome::Timeout);
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    let lines = scene.bodies().iter().filter(|body| matches!(body, Body::Log(_))).count();
    assert!(lines < 5000, "{lines} lines were kept");
    assert!(scene.bodies().iter().any(|body| matches!(body, Body::Log(log) if log.line.contains("lines left out"))));
    let longest = scene
        .bodies()
        .iter()
        .filter_map(|body| if let Body::Log(log) = body { Some(log.line.len()) } else { None })
        .max();
    assert!(longest.unwrap() <= host::MAX_LOG_LINE_BYTES + 8);
    scene.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_leaves_nothing_behind() {
    let scene = scene(vec![function("Parent", "", LONG), function("Idle", "", LONG)]);
    let child = scene.invoke("Parent", "\"child\"").await;
    let child = String::from_utf8_lossy(&child.payload).into_owned();
    assert!(alive(&child), "the child should have been running");
    let daemon = scene.invoke("Idle", "\"daemon\"").await;
    let daemon = String::from_utf8_lossy(&daemon.payload).into_owned();
    assert!(alive(&daemon), "the daemon `{daemon}` should have been running");
    let pids: Vec<String> = scene
        .host
        .states()
        .into_iter()
        .filter_map(|(_, state)| if let FunctionState::Ready { pid, .. } = state { pid } else { None })
        .map(|pid| pid.to_string())
        .collect();
    let began = Instant::now();
    scene.host.stop().await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    for pid in pids.iter().chain([&child, &daemon]) {
        assert!(!alive(pid), "{pid} is still there");
    }
    let refused = scene.host.invoke("Idle", "1".into(), InvocationType::RequestResponse).await;
    assert!(refused.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_our_own_environment_reaches_a_function() {
    let scene = scene(vec![function("Env", "", LONG)]);
    let seen = scene.invoke("Env", "\"env\"").await;
    let seen = String::from_utf8_lossy(&seen.payload).into_owned();
    assert!(seen.contains("AWS_REGION") && !seen.contains("CARGO"), "{seen}");
    scene.host.stop().await;
}
