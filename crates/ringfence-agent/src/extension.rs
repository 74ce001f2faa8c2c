//! Lambda's managed runtimes: an external extension that holds the proxy, and the wrapper that has the runtime use it.
//!
//! Lambda starts extensions before the runtime and waits until each has registered, so the address is left for the wrapper before
//! that, over whatever an earlier run in the same environment left there. Should the extension die, Lambda ends the environment; until
//! then the runtime has nobody to ask for events. The wrapper starts nothing where it doesn't find the extension listening.
//!
//! Deliberately absent: `provided` runtimes and images, for which Lambda ignores the wrapper: they have the `ENTRYPOINT` form. The
//! function's code runs as the same user and could ask the platform's own address for events; where the kernel lets the agent hold
//! nothing (as in Lambda's functions) nothing here prevents that.

use crate::options::{Options, VARIABLES};
use crate::report::Problem;
use crate::run::{LAST_WORDS, inspector, reachable, read_fence};
use guard::Inspector;
use guard::journal::Journal;
use guard::proxy::Proxy;
use records::{Outcome, Started, Stopped};
use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Variables by which extension and wrapper meet.
const PORT: &str = "RINGFENCE_PORT";
const HANDOVER: &str = "RINGFENCE_HANDOVER";
/// How long the wrapper looks for the extension.
const PATIENCE: Duration = Duration::from_secs(2);
/// Longest answer of the Extensions API that is read.
const MAX_ANSWER: u64 = 1 << 20;

/// Holds the proxy until the platform shuts down; gives back the exit code.
pub(crate) fn run(options: &Options, name: &str, started: Instant) -> Result<u8, Problem> {
    let _ = std::thread::Builder::new().name("rules".into()).spawn(Inspector::prepare);
    let held = read_fence(options).and_then(|(function, schemas)| {
        let tier = function.perimeter.as_ref().map(|perimeter| perimeter.tier);
        if tier.is_some_and(|tier| tier > fence::Tier::Platform)
            || options.perimeter.is_some_and(|demand| demand >= perimeter::Demand::Require)
        {
            return Err(Problem::perimeter(format!(
                "a perimeter is demanded for `{}`, and an extension holds no more than events",
                options.function
            )));
        }
        let inspector = inspector(options, &function, &schemas)?;
        let journal = Journal::start(&options.records, &options.function).map_err(|error| {
            Problem::configuration(format!("records can't be written to {:?}: {error}", options.records))
        })?;
        Ok((inspector, journal))
    });
    let (inspector, journal) = match held {
        Ok(held) => held,
        Err(problem) => {
            refuse_to_start(&options.runtime_api, name, &problem);
            return Err(problem);
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(3)
        .build()
        .map_err(|error| Problem::configuration(format!("no runtime to work in: {error}")))?;
    let code = runtime.block_on(hold(options, name, inspector, &journal, started));
    if let Err(problem) = &code {
        refuse_to_start(&options.runtime_api, name, problem);
    }
    let lost = journal.finish(LAST_WORDS);
    if lost > 0 {
        eprintln!("ringfence-agent: {lost} records were lost");
    }
    // A thread may still wait for the platform's next word.
    runtime.shutdown_background();
    code
}

async fn hold(
    options: &Options,
    name: &str,
    inspector: Inspector,
    journal: &Journal,
    started: Instant,
) -> Result<u8, Problem> {
    reachable(&options.runtime_api).await?;
    let wrong = |what: &str, error: &dyn std::fmt::Display| Problem::configuration(format!("{what}: {error}"));
    let port = match std::env::var(PORT) {
        Err(_) => 0,
        Ok(port) => port.parse().map_err(|_| Problem::configuration(format!("{PORT}: `{port}` is not a port")))?,
    };
    let listener = TcpListener::bind(("127.0.0.1", port)).await;
    let listener = listener.map_err(|error| wrong("no port to listen on", &error))?;
    let address = listener.local_addr().map_err(|error| wrong("no address to listen on", &error))?;
    if port == 0 {
        let place = handover();
        leave(&place, address).map_err(|error| wrong(&format!("`{}` can't be written", place.display()), &error))?;
    }
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| wrong("signals can't be watched", &error))?;
    let begun = {
        let (journal, function) = (journal.clone(), options.function.clone());
        let runtime = std::env::var("AWS_EXECUTION_ENV").unwrap_or_default();
        let runtime = runtime.strip_prefix("AWS_Lambda_").unwrap_or(&runtime).to_owned();
        move || {
            let init_us = started.elapsed().as_micros().try_into().unwrap_or(u64::MAX);
            let record = Started { runtime, tier: "none".into(), pid: None, init_us };
            journal.record(records::Record::new(records::now_ms(), function, record));
        }
    };
    let proxy = Proxy::new(inspector, &options.runtime_api, &options.function, Some(journal.clone()));
    let proxy = Arc::new(proxy.on_first_next(begun));
    let mut serving = tokio::spawn(Arc::clone(&proxy).serve(listener));

    let (api, named) = (options.runtime_api.clone(), name.to_owned());
    let id = tokio::task::spawn_blocking(move || register(&api, &named)).await;
    let id = id.map_err(|error| wrong("registering failed", &error))?;
    let id = id.map_err(|error| wrong("the platform doesn't take this extension", &error))?;
    let api = options.runtime_api.clone();
    let mut shutdown = tokio::task::spawn_blocking(move || wait_for_shutdown(&api, &id));
    let (reason, code) = tokio::select! {
        told = &mut shutdown => match told {
            Ok(Ok(())) => ("shutdown", 0),
            Ok(Err(error)) => {
                eprintln!("ringfence-agent: the Extensions API is lost: {error}");
                ("platform lost", 1)
            }
            Err(_) => ("platform lost", 1),
        },
        _ = terminate.recv() => ("shutdown", 0),
        lost = &mut serving => {
            match lost {
                Ok(lost) => eprintln!("ringfence-agent: {lost}"),
                Err(error) => eprintln!("ringfence-agent: the proxy failed: {error}"),
            }
            ("platform lost", 1)
        }
    };
    proxy.abandon(Outcome::Crashed);
    proxy.record(Stopped { reason: reason.into(), exit_code: None });
    Ok(code)
}

fn handover() -> PathBuf {
    let named = std::env::var_os(HANDOVER).filter(|name| !name.is_empty());
    named.map_or_else(|| PathBuf::from("/tmp/.ringfence-agent"), PathBuf::from)
}

/// Leaves the address in a file of its own making, readable by this user alone.
fn leave(place: &std::path::Path, address: SocketAddr) -> std::io::Result<()> {
    // What is there may be an earlier function's, pointing elsewhere.
    match std::fs::remove_file(place) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(place)?;
    write!(file, "{address}")
}

/// Puts the agent's address in the place of the platform's, and becomes the runtime. Gives back why that failed.
pub(crate) fn wrap(command: &OsStr, arguments: &[OsString]) -> Problem {
    let address = match found() {
        Ok(address) => address,
        Err(why) => return Problem::configuration(format!("the extension that holds the fence isn't there: {why}")),
    };
    let mut runtime = std::process::Command::new(command);
    runtime.args(arguments).env("AWS_LAMBDA_RUNTIME_API", address.to_string());
    for variable in VARIABLES.iter().chain(&[PORT, HANDOVER, "AWS_LAMBDA_EXEC_WRAPPER"]) {
        runtime.env_remove(variable);
    }
    let error = runtime.exec();
    Problem::configuration(format!("`{}` can't be started: {error}", command.to_string_lossy()))
}

/// The address of a proxy that listens.
fn found() -> Result<SocketAddr, String> {
    let end = Instant::now() + PATIENCE;
    loop {
        let tried = address().and_then(|address| {
            let connected = TcpStream::connect_timeout(&address, PATIENCE);
            connected.map(|_| address).map_err(|error| format!("{address}: {error}"))
        });
        match tried {
            Err(_) if Instant::now() < end => std::thread::sleep(Duration::from_millis(5)),
            other => return other,
        }
    }
}

fn address() -> Result<SocketAddr, String> {
    if let Ok(port) = std::env::var(PORT) {
        let port: u16 = port.parse().map_err(|_| format!("{PORT}: `{port}` is not a port"))?;
        return Ok(SocketAddr::from(([127, 0, 0, 1], port)));
    }
    let place = handover();
    let shown = place.display();
    let failed = |error: std::io::Error| format!("`{shown}` can't be read: {error}");
    let link = std::fs::symlink_metadata(&place).map_err(failed)?;
    let file = std::fs::File::open(&place).map_err(failed)?;
    let opened = file.metadata().map_err(failed)?;
    let own = opened.uid() == rustix::process::geteuid().as_raw() && opened.mode() & 0o077 == 0;
    if !link.is_file() || link.ino() != opened.ino() || !own {
        return Err(format!("`{shown}` is not a file that the extension made"));
    }
    let mut text = String::new();
    file.take(100).read_to_string(&mut text).map_err(failed)?;
    let address: SocketAddr = text.parse().map_err(|_| format!("`{shown}` holds no address"))?;
    if address.ip().is_loopback() { Ok(address) } else { Err(format!("`{shown}` leads elsewhere")) }
}

/// Registers for the end alone: an extension that waits for each event prolongs each.
fn register(api: &str, name: &str) -> std::io::Result<String> {
    let header = format!("Lambda-Extension-Name: {name}\r\n");
    let (headers, _) = ask(api, "POST", "register", &header, "{\"events\":[\"SHUTDOWN\"]}")?;
    let id = headers.iter().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("lambda-extension-identifier").then(|| value.trim().to_owned())
    });
    id.ok_or_else(|| std::io::Error::other("it gives no identifier"))
}

fn wait_for_shutdown(api: &str, id: &str) -> std::io::Result<()> {
    let header = format!("Lambda-Extension-Identifier: {id}\r\n");
    // No other kind was asked for; a platform that sends them without end is none.
    for _ in 0..1000 {
        let (_, body) = ask(api, "GET", "event/next", &header, "")?;
        if serde_json::from_slice::<serde_json::Value>(&body)?.get("eventType").is_some_and(|kind| kind == "SHUTDOWN") {
            return Ok(());
        }
    }
    Err(std::io::Error::other("it sends what nobody asked for"))
}

/// Tells the Extensions API why there is no function to start; the platform shows it.
fn refuse_to_start(api: &str, name: &str, problem: &Problem) {
    let Ok(id) = register(api, name) else { return };
    let header = format!(
        "Lambda-Extension-Identifier: {id}\r\nLambda-Extension-Function-Error-Type: {}\r\n",
        problem.kind.replace("Ringfence.", "Extension.Ringfence")
    );
    let body = serde_json::json!({"errorType": problem.kind, "errorMessage": problem.message, "stackTrace": []});
    // It may be the very thing that can't be reached.
    let _ = ask(api, "POST", "init/error", &header, &body.to_string());
}

/// One request to the Extensions API: its answer's headers and body. Waits as long as it takes.
fn ask(api: &str, method: &str, path: &str, headers: &str, body: &str) -> std::io::Result<(Vec<String>, Vec<u8>)> {
    let address = api.to_socket_addrs()?.next().ok_or(std::io::ErrorKind::AddrNotAvailable)?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    write!(
        stream,
        "{method} /2020-01-01/extension/{path} HTTP/1.1\r\nHost: {api}\r\nContent-Type: application/json\r\n\
         {headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = BufReader::new(stream.take(MAX_ANSWER));
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if answer.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line.trim_end().is_empty() {
            break;
        }
        lines.push(line.trim_end().to_owned());
    }
    let first = lines.first().map(String::as_str).unwrap_or_default();
    let status = first.split(' ').nth(1).unwrap_or_default();
    if !status.starts_with('2') {
        return Err(std::io::Error::other(format!("it answers {first}")));
    }
    let length = lines.iter().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<u64>().ok())?
    });
    let mut body = Vec::new();
    match length {
        Some(length) => answer.take(length).read_to_end(&mut body)?,
        None => answer.read_to_end(&mut body)?,
    };
    Ok((lines, body))
}
