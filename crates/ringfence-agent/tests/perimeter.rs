//! An intruder inside a function, behind the agent's perimeter: in Python and, where a compiler is there, in C.
//!
//! Where the kernel doesn't offer what is tried, the tests say that they were skipped.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const AGENT: &str = env!("CARGO_BIN_EXE_ringfence-agent");

/// The kernel offers what the tests need; otherwise says that they are skipped.
fn offered() -> bool {
    let report = Command::new(AGENT).args(["doctor", "--json"]).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&report.stdout).unwrap();
    let landlock = report["landlock"]["Ok"].as_i64().unwrap_or(0);
    let filter = report["seccomp_filter"].get("Ok").is_some();
    if landlock < 6 || !filter {
        eprintln!("skipped: Landlock version {landlock}, seccomp filter {filter}");
    }
    landlock >= 6 && filter
}

/// The interpreter itself: `python3` may be a script that looks for it.
fn python() -> Option<PathBuf> {
    let told = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output().ok();
    let found = told.filter(|told| told.status.success());
    let found = found.map(|told| PathBuf::from(String::from_utf8(told.stdout).unwrap().trim()));
    if found.is_none() {
        eprintln!("skipped: no python3");
    }
    found
}

struct Scene {
    folder: tempfile::TempDir,
    platform: TcpListener,
    allowed: TcpListener,
    denied: TcpListener,
    denied_6: Option<TcpListener>,
}

impl Scene {
    fn new() -> Scene {
        let listener = || TcpListener::bind("127.0.0.1:0").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (platform, allowed, denied) = (listener(), listener(), listener());
        std::fs::create_dir(folder.path().join("w")).unwrap();
        std::fs::write(folder.path().join("kept"), "kept").unwrap();
        Scene { folder, platform, allowed, denied, denied_6: TcpListener::bind("[::1]:0").ok() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The agent before `command`, with `fence` as the function's lines; `PORT` in it is the allowed port.
    fn agent(&self, fence: &str, command: &[&Path]) -> Command {
        let port = |listener: &TcpListener| listener.local_addr().unwrap().port().to_string();
        let lines = fence.replace("PORT", &port(&self.allowed));
        let write = format!("    files: {{ write: [{}] }}\n", self.path("w").display());
        let text = format!("version: 1\nfunctions:\n  F:\n    events: []\n{write}{lines}");
        std::fs::write(self.path("fence.yaml"), text).unwrap();
        let mut agent = Command::new(AGENT);
        agent
            .arg("--fence")
            .arg(self.path("fence.yaml"))
            .args(["--function", "F", "--"])
            .args(command)
            .env("RINGFENCE_RECORDS", self.path("records"))
            .env("AWS_LAMBDA_RUNTIME_API", self.platform.local_addr().unwrap().to_string())
            .env("FOLDER", self.folder.path())
            .env("ALLOWED", port(&self.allowed))
            .env("DENIED", port(&self.denied))
            .env("DENIED6", self.denied_6.as_ref().map_or_else(|| port(&self.denied), port))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env_remove("RINGFENCE_PERIMETER")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        agent
    }

    fn tier(&self) -> String {
        let records = std::fs::read_to_string(self.path("records")).unwrap();
        let started = records.lines().find(|line| line.contains("\"started\"")).expect("no function was started");
        serde_json::from_str::<serde_json::Value>(started).unwrap()["tier"].as_str().unwrap().to_owned()
    }
}

fn finished(mut agent: Command) -> Output {
    let mut child = agent.spawn().unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > end {
            child.kill().unwrap();
            panic!("it should have ended long ago");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().unwrap()
}

/// What the intruder says it got, and what not.
fn outcomes(output: &Output) -> BTreeMap<String, bool> {
    let text = String::from_utf8_lossy(&output.stdout);
    let outcomes: BTreeMap<String, bool> = text
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            Some((words.next()?.to_owned(), matches!(words.next()?, "got")))
        })
        .collect();
    assert!(!outcomes.is_empty(), "it said nothing: {output:?}");
    outcomes
}

fn got(outcomes: &BTreeMap<String, bool>) -> Vec<&str> {
    outcomes.iter().filter(|(_, got)| **got).map(|(name, _)| name.as_str()).collect()
}

fn intruder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/perimeter/intruder.py")
}

/// What a function must go on having.
const HONEST: [&str; 9] = [
    "next",
    "read-own-code",
    "resolve",
    "signal-self",
    "stream-pair",
    "temporary-file",
    "threads",
    "write-null",
    "write-own",
];

fn honest(more: &[&'static str]) -> Vec<&'static str> {
    let mut all: Vec<&str> = HONEST.iter().chain(more).copied().collect();
    all.sort_unstable();
    all
}

#[test]
fn an_intruder_in_python_gets_nothing_beyond_the_fence() {
    let (true, Some(python)) = (offered(), python()) else { return };
    let scene = Scene::new();
    // It needs no network at all.
    let agent = scene.agent("    perimeter: { tier: user-space }\n", &[&python, &intruder()]);
    let output = finished(agent);
    let outcomes = outcomes(&output);
    assert_eq!(got(&outcomes), honest(&[]), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(outcomes.len() > 45, "it gave up early: {output:?}");
    // To execute something in place ends the function: 128 and SIGSYS.
    assert_eq!(output.status.code(), Some(128 + 31));
    assert_eq!(scene.tier(), "files, programs, tcp-ports, syscalls, signals, udp; not hosts");
    assert_eq!(std::fs::read_to_string(scene.path("kept")).unwrap(), "kept");
}

#[test]
fn a_function_with_a_host_gets_its_port_and_the_record_says_what_that_leaves_open() {
    let (true, Some(python)) = (offered(), python()) else { return };
    let scene = Scene::new();
    let fence = "    network: [{ host: 127.0.0.1, port: PORT }]\n";
    let mut agent = scene.agent(fence, &[&python, &intruder()]);
    agent.env("RINGFENCE_PERIMETER", "require");
    let output = finished(agent);
    assert_eq!(got(&outcomes(&output)), honest(&["connect-allowed", "udp", "udp-6"]));
    assert_eq!(scene.tier(), "files, programs, tcp-ports, syscalls, signals; not udp, hosts");
}

#[test]
fn a_listed_program_runs_and_no_other() {
    let (true, Some(python)) = (offered(), python()) else { return };
    let scene = Scene::new();
    let mut agent = scene.agent("    processes: [{ run: \"true\" }]\n", &[&python, &intruder()]);
    agent.env("RINGFENCE_PERIMETER", "require");
    let output = finished(agent);
    assert_eq!(got(&outcomes(&output)), honest(&["fork", "program"]), "{output:?}");
    assert_eq!(scene.tier(), "files, programs, tcp-ports, syscalls, signals, udp; not loader, hosts");
}

#[test]
fn without_being_asked_nothing_is_held_and_nothing_claimed() {
    let Some(python) = python() else { return };
    let scene = Scene::new();
    let simple = scene.path("simple.py");
    let text = [
        "import os, socket, subprocess",
        "api = socket.create_connection(os.environ['AWS_LAMBDA_RUNTIME_API'].split(':'), 5)",
        "api.sendall(b'GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n')",
        "open(os.path.join(os.environ['FOLDER'], 'outside'), 'w')",
        "socket.create_connection(('127.0.0.1', os.environ['DENIED']), 5)",
        "subprocess.run(['/bin/sh', '-c', 'sleep 0.5'], check=True)",
    ];
    std::fs::write(&simple, text.join("\n")).unwrap();
    let output = finished(scene.agent("", &[&python, &simple]));
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(scene.tier(), "none");
}

#[test]
fn native_code_with_its_own_system_calls_gets_no_further() {
    if !offered() {
        return;
    }
    let scene = Scene::new();
    let program = scene.path("intruder");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/perimeter/intruder.c");
    match Command::new("cc").arg("-o").arg(&program).arg(&source).output() {
        Ok(compiled) => assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr)),
        Err(_) => return eprintln!("skipped: no C compiler"),
    }
    let output = finished(scene.agent("    perimeter: { tier: user-space }\n", &[&program]));
    assert_eq!(got(&outcomes(&output)), ["code-memory", "thread"], "{output:?}");
    // A second program, itself again, one that has no file: each ends the function.
    for attempt in ["exec", "exec-self", "exec-memory"] {
        let output = finished(scene.agent("    perimeter: { tier: user-space }\n", &[&program, Path::new(attempt)]));
        assert_eq!(output.status.code(), Some(128 + 31), "{attempt}: {output:?}");
        assert!(output.stdout.is_empty(), "{attempt}: {output:?}");
    }
}

#[test]
fn what_cannot_be_held_keeps_the_function_from_starting() {
    let (true, Some(python)) = (offered(), python()) else { return };
    let scene = Scene::new();
    let script = scene.path("start.sh");
    std::fs::write(&script, "#!/bin/sh\necho started\n").unwrap();
    assert!(Command::new("chmod").arg("755").arg(&script).status().unwrap().success());
    let refused = |fence: &str, perimeter: &str, command: &[&Path]| {
        let mut agent = scene.agent(fence, command);
        if !perimeter.is_empty() {
            agent.env("RINGFENCE_PERIMETER", perimeter);
        }
        let output = finished(agent);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(78), 0), "{said}");
        said
    };
    let kernel = "    perimeter: { tier: kernel }\n";
    let said = refused(kernel, "", &[&python, &intruder()]);
    assert!(said.contains("demands the tier `kernel`") && said.contains("hosts (Landlock knows ports only"), "{said}");
    let said = refused(kernel, "off", &[&python, &intruder()]);
    assert!(said.contains("`--perimeter off` forbids it"), "{said}");
    let said = refused("", "require", &[&script]);
    assert!(said.contains("is run by the shell"), "{said}");
    let said = refused("", "require", &[Path::new("/nowhere/at/all")]);
    assert!(said.contains("`/nowhere/at/all` can't be started"), "{said}");

    // As much as can be had: the script runs, and it isn't claimed that programs are held.
    let mut agent = scene.agent("", &[&script]);
    agent.env("RINGFENCE_PERIMETER", "auto");
    let output = finished(agent);
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"started\n"[..]), "{output:?}");
}

#[test]
fn a_fence_that_lets_any_host_be_reached_has_its_kernel_tier() {
    let (true, Some(python)) = (offered(), python()) else { return };
    let scene = Scene::new();
    let fence = "    perimeter: { tier: kernel }\n    network: [{ host: \"*\", port: 443 }]\n";
    let output = finished(scene.agent(fence, &[&python, &intruder()]));
    assert_eq!(got(&outcomes(&output)), honest(&[]), "{output:?}");
    assert_eq!(scene.tier(), "kernel");
}

/// As in a place that refuses its functions the kernel's means: what is started from here can't have them either.
#[test]
fn where_the_platform_refuses_nothing_is_claimed_and_what_is_required_does_not_start() {
    let (true, Some(python)) = (offered(), python()) else { return };
    let scene = Scene::new();
    let agents = ["require", "auto"].map(|perimeter| {
        let mut agent = scene.agent("", &[&python, Path::new("-c"), Path::new("print('started')")]);
        agent.env("RINGFENCE_PERIMETER", perimeter);
        agent
    });
    let jailed = std::thread::spawn(move || {
        use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
        let refused = [libc::SYS_prctl, libc::SYS_seccomp, libc::SYS_landlock_create_ruleset];
        let rules = refused.into_iter().map(|call| (call, vec![])).collect();
        let (allow, refuse) = (SeccompAction::Allow, SeccompAction::Errno(libc::EPERM.cast_unsigned()));
        let filter = SeccompFilter::new(rules, allow, refuse, std::env::consts::ARCH.try_into().unwrap()).unwrap();
        seccompiler::apply_filter(&BpfProgram::try_from(filter).unwrap()).unwrap();
        agents.map(finished)
    });
    let [required, auto] = jailed.join().unwrap();
    let said = String::from_utf8_lossy(&required.stderr).into_owned();
    assert_eq!((required.status.code(), required.stdout.len()), (Some(78), 0), "{said}");
    assert!(said.contains("syscalls, programs (no_new_privs can't be set"), "{said}");
    let said = String::from_utf8_lossy(&auto.stderr).into_owned();
    assert_eq!((auto.status.code(), auto.stdout.as_slice()), (Some(0), &b"started\n"[..]), "{said}");
    assert!(said.contains("nothing of the perimeter of `F` is held"), "{said}");
}
