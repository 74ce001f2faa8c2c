//! Before a function that is a server: containers, and Azure's custom handlers.
//!
//! The platform's port opens only when the function listens on its own, so that nobody takes the agent's readiness for the
//! function's. A function that others could reach past the agent, because it listens on more than the loopback address, is
//! warned about: whether its network lets anybody do that isn't known here.

use crate::forms::Served;
use crate::options::{Options, VARIABLES};
use crate::report::Problem;
use crate::run::{GRACE, LAST_WORDS, exit_code, inspector, pass_on, read_fence, read_fence_file, read_rules};
use fence::{FunctionFence, Tier};
use guard::Inspector;
use guard::journal::Journal;
use guard::proxy::{Door, Front};
use records::{Started, Stopped};
use rustix::process::Signal;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

/// How long a function may take until it listens; platforms give up before.
const START: Duration = Duration::from_secs(600);
const PORTS: [&str; 3] = ["PORT", "FUNCTIONS_CUSTOMHANDLER_PORT", "FUNCTIONS_HTTPWORKER_PORT"];

/// Runs the server behind its fence; gives back the exit code.
pub(crate) fn run(served: &Served, started: Instant) -> Result<u8, Problem> {
    let _ = std::thread::Builder::new().name("rules".into()).spawn(Inspector::prepare);
    let options = &served.options;
    let inspectors = inspectors(options, served.named)?;
    let journal = Journal::start(&options.records, &options.function).map_err(|error| {
        Problem::configuration(format!("records can't be written to {:?}: {error}", options.records))
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(2)
        .build()
        .map_err(|error| Problem::configuration(format!("no runtime to work in: {error}")))?;
    let code = runtime.block_on(serve(served, inspectors, &journal, started));
    let lost = journal.finish(LAST_WORDS);
    if lost > 0 {
        eprintln!("ringfence-agent: {lost} records were lost");
    }
    code
}

fn inspectors(options: &Options, named: bool) -> Result<Vec<(String, Inspector)>, Problem> {
    let (functions, schemas) = if named {
        let (function, schemas) = read_fence(options)?;
        (vec![(options.function.clone(), function)], schemas)
    } else {
        let fence = read_fence_file(options)?;
        (fence.functions.into_iter().collect(), fence.schemas)
    };
    let rules = options.rules.as_deref().map(read_rules).transpose()?.map(Arc::new);
    let one = |(name, function): (String, FunctionFence)| {
        let options = Options { function: name, rules: None, ..options.clone() };
        if function.perimeter.as_ref().is_some_and(|perimeter| perimeter.tier > Tier::Platform)
            || options.perimeter.is_some_and(|demand| demand >= perimeter::Demand::Require)
        {
            return Err(Problem::perimeter(format!(
                "a perimeter is demanded for `{}`, and this form of the agent holds no more than events",
                options.function
            )));
        }
        let inspector = inspector(&options, &function, &schemas)?;
        let inspector = match &rules {
            Some(rules) => inspector.with_rules(Arc::clone(rules)),
            None => inspector,
        };
        Ok((options.function, inspector))
    };
    functions.into_iter().map(one).collect()
}

async fn serve(
    served: &Served,
    inspectors: Vec<(String, Inspector)>,
    journal: &Journal,
    started: Instant,
) -> Result<u8, Problem> {
    let options = &served.options;
    let problem = |what: &str, error: std::io::Error| Problem::configuration(format!("{what}: {error}"));
    let address = address(served)?;
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let socket = socket.map_err(|error| problem("no socket", error))?;
    let _ = socket.set_reuseaddr(true);
    // Taken now, so that nobody else does; opened when the function is there.
    socket.bind(address).map_err(|error| problem(&format!("no listening at {address}"), error))?;
    let port = match served.app_port {
        Some(port) => port,
        None => free_port().await.map_err(|error| problem("no port for the function", error))?,
    };

    let signals = |kind| signal(kind).map_err(|error| problem("signals can't be watched", error));
    let (mut terminate, mut interrupt) = (signals(SignalKind::terminate())?, signals(SignalKind::interrupt())?);
    let mut command = Command::new(&options.command);
    command.args(&options.arguments).kill_on_drop(true);
    for variable in PORTS {
        if std::env::var_os(variable).is_some() || served.door == Door::Http && variable == "PORT" {
            command.env(variable, port.to_string());
        }
    }
    for variable in VARIABLES.iter().chain(&["RINGFENCE_LISTEN", "RINGFENCE_APP_PORT"]) {
        command.env_remove(variable);
    }
    let front = Front::new(inspectors, served.door, format!("127.0.0.1:{port}"), Some(journal.clone()))
        .map_err(|error| Problem::fence(error.to_string()))?;
    let record = |body: records::Body| {
        journal.record(records::Record::new(records::now_ms(), options.function.clone(), body));
    };
    let mut child = command.spawn().map_err(|error| {
        Problem::configuration(format!("`{}` can't be started: {error}", options.command.to_string_lossy()))
    })?;
    let pid = child.id();
    let mut waiting = Some((socket, front));
    let (failed, mut failures) = tokio::sync::mpsc::channel::<std::io::Error>(1);
    let late = started + START;
    let mut asked_to_stop = false;
    let mut tick = tokio::time::interval(Duration::from_millis(5));
    let (status, reason) = loop {
        tokio::select! {
            ended = child.wait() => break match ended {
                Ok(status) if asked_to_stop => (Some(status), "shutdown"),
                Ok(status) if status.success() => (Some(status), "exited"),
                Ok(status) => (Some(status), "crashed"),
                Err(_) => (None, "nobody saw how it ended"),
            },
            _ = terminate.recv() => { asked_to_stop = true; pass_on(&child, Signal::TERM); }
            _ = interrupt.recv() => { asked_to_stop = true; pass_on(&child, Signal::INT); }
            _ = tick.tick(), if waiting.is_some() => {
                if TcpStream::connect(("127.0.0.1", port)).await.is_ok()
                    && let Some((socket, front)) = waiting.take()
                {
                    warn_if_reachable(port, &options.command.to_string_lossy());
                    let init_us = started.elapsed().as_micros().try_into().unwrap_or(u64::MAX);
                    let runtime = std::path::Path::new(&options.command).file_name().unwrap_or(&options.command);
                    let runtime = runtime.to_string_lossy().into_owned();
                    record(Started { runtime, tier: "none".into(), pid, init_us }.into());
                    let listener = socket.listen(4096).map_err(|error| problem("no listening", error))?;
                    tokio::spawn(open(front, listener, failed.clone()));
                } else if Instant::now() > late {
                    eprintln!("ringfence-agent: nobody listens on port {port} of the loopback address; the function ends");
                    end(&mut child).await;
                    break (None, "never listened");
                }
            }
            Some(error) = failures.recv() => {
                eprintln!("ringfence-agent: connections can't be accepted: {error}; the function ends");
                end(&mut child).await;
                break (None, "platform lost");
            }
        }
    };
    record(Stopped { reason: reason.into(), exit_code: status.and_then(|status| status.code()) }.into());
    Ok(status.map_or(1, exit_code))
}

async fn open(front: Front, listener: TcpListener, failed: tokio::sync::mpsc::Sender<std::io::Error>) {
    let error = Arc::new(front).serve(listener).await;
    let _ = failed.send(error).await;
}

async fn end(child: &mut Child) {
    pass_on(child, Signal::TERM);
    if tokio::time::timeout(GRACE, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
}

/// Where the platform's requests come in.
fn address(served: &Served) -> Result<SocketAddr, Problem> {
    let port = |name: &str| std::env::var(name).ok().and_then(|port| port.parse::<u16>().ok());
    let chosen = match (&served.listen, served.door) {
        (Some(listen), _) => listen.clone(),
        (None, Door::Http) => format!("0.0.0.0:{}", port("PORT").unwrap_or(8080)),
        (None, Door::AzureHandler) => {
            let port = port("FUNCTIONS_CUSTOMHANDLER_PORT").or_else(|| port("FUNCTIONS_HTTPWORKER_PORT"));
            let why = "FUNCTIONS_CUSTOMHANDLER_PORT is not set: there is no host here to listen to";
            format!("127.0.0.1:{}", port.ok_or_else(|| Problem::configuration(why))?)
        }
    };
    let mut found = chosen
        .to_socket_addrs()
        .map_err(|error| Problem::configuration(format!("`{chosen}` is not an address to listen at: {error}")))?;
    found.next().ok_or_else(|| Problem::configuration(format!("`{chosen}` has no address")))
}

async fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port())
}

/// Says so where the function's own port is open on more than the loopback address.
fn warn_if_reachable(port: u16, command: &str) {
    let suffix = format!(":{port:04X}");
    for (table, loopback) in [("/proc/net/tcp", "0100007F"), ("/proc/net/tcp6", "00000000000000000000000001000000")] {
        let Ok(text) = std::fs::read_to_string(table) else { continue };
        let open = text.lines().skip(1).filter_map(|line| {
            let mut fields = line.split_whitespace().skip(1);
            let (local, _, state) = (fields.next()?, fields.next()?, fields.next()?);
            // 0A: it listens.
            local.strip_suffix(&suffix).filter(|_| state == "0A")
        });
        // The loopback address of IPv4, as IPv6 writes it.
        if open.into_iter().any(|address| address != loopback && !address.ends_with("FFFF00000100007F")) {
            eprintln!(
                "ringfence-agent: `{command}` listens on port {port} of every address; what reaches that port meets no fence. \
                 Have it listen on 127.0.0.1"
            );
            return;
        }
    }
}
