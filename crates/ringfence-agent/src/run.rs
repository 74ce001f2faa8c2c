//! From options to a running function, and its end.

use crate::launch;
use crate::options::{Options, VARIABLES};
use crate::report::Problem;
use fence::{Fence, FunctionFence, Tier};
use guard::Inspector;
use guard::journal::Journal;
use guard::proxy::Proxy;
use perimeter::Demand;
use records::{Mode, Outcome, Started, Stopped};
use rustix::process::{Pid, Signal, kill_process};
use source::FileId;
use std::net::ToSocketAddrs;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use waf::seclang::RuleSet;

/// Largest fence that is read.
const MAX_FENCE_BYTES: u64 = 16 << 20;
/// Largest file of compiled rules.
const MAX_RULES_BYTES: u64 = 64 << 20;
/// How long the last records may take.
pub(crate) const LAST_WORDS: Duration = Duration::from_secs(2);
/// How long a function may go on that has lost its platform.
pub(crate) const GRACE: Duration = Duration::from_secs(2);

/// Runs the function behind its fence; gives back the exit code.
pub(crate) fn run(options: Options, started: Instant) -> Result<u8, Problem> {
    // While the function's own runtime starts. Where no thread can be had, the first event waits for it.
    let _ = std::thread::Builder::new().name("rules".into()).spawn(Inspector::prepare);
    let (function, schemas) = read_fence(&options)?;
    let demand = demand(&options, &function)?;
    let inspector = inspector(&options, &function, &schemas)?;
    let journal = Journal::start(&options.records, &options.function).map_err(|error| {
        Problem::configuration(format!("records can't be written to {:?}: {error}", options.records))
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // Only large events are inspected beside the others.
        .max_blocking_threads(2)
        .build()
        .map_err(|error| Problem::configuration(format!("no runtime to work in: {error}")))?;
    let code = runtime.block_on(serve(&options, &function, demand, inspector, journal.clone(), started));
    let lost = journal.finish(LAST_WORDS);
    if lost > 0 {
        eprintln!("ringfence-agent: {lost} records were lost");
    }
    code
}

/// A function's fence, ready to be held against events.
pub(crate) fn inspector(options: &Options, function: &FunctionFence, schemas: &Schemas) -> Result<Inspector, Problem> {
    let mode = options.mode.unwrap_or(match function.mode.unwrap_or_default() {
        fence::Mode::Block => Mode::Block,
        fence::Mode::Observe => Mode::Observe,
    });
    let inspector = Inspector::new(function, schemas, mode)
        .map_err(|error| Problem::fence(format!("the fence of `{}` can't be held: {error}", options.function)))?;
    Ok(match &options.rules {
        None => inspector,
        Some(path) => inspector.with_rules(Arc::new(read_rules(path)?)),
    })
}

/// The compiled rules of a file. Without them the function doesn't start: it would run with less than was asked for.
pub(crate) fn read_rules(path: &std::path::Path) -> Result<RuleSet, Problem> {
    let shown = path.display();
    let failed = |error: std::io::Error| Problem::configuration(format!("the rules `{shown}` can't be read: {error}"));
    let size = std::fs::metadata(path).map_err(failed)?.len();
    if size > MAX_RULES_BYTES {
        let why = format!("the rules `{shown}` have {size} bytes, over the limit of {MAX_RULES_BYTES}");
        return Err(Problem::configuration(why));
    }
    let bytes = std::fs::read(path).map_err(failed)?;
    RuleSet::from_compiled(&bytes)
        .map_err(|error| Problem::configuration(format!("the rules `{shown}` can't be used: {error}")))
}

/// What is asked of the perimeter: the option may say more than the fence, but not less than it demands.
fn demand(options: &Options, function: &FunctionFence) -> Result<Demand, Problem> {
    let own = Demand::of(function);
    match options.perimeter {
        None => Ok(own),
        Some(Demand::Off) if own >= Demand::Require => Err(Problem::perimeter(format!(
            "the fence of `{}` demands {}, and `--perimeter off` forbids it",
            options.function,
            demanded(own)
        ))),
        Some(asked) if own >= Demand::Require => Ok(own.max(asked)),
        Some(asked) => Ok(asked),
    }
}

/// For messages: what demands that something is held.
pub(crate) fn demanded(demand: Demand) -> String {
    match demand {
        Demand::Kernel => format!("the tier `{}`", tier_name(Tier::Kernel)),
        Demand::Require => format!("the tier `{}`", tier_name(Tier::UserSpace)),
        Demand::Auto | Demand::Off => format!("the tier `{}`", tier_name(Tier::Platform)),
    }
}

fn tier_name(tier: Tier) -> &'static str {
    match tier {
        Tier::Platform => "platform",
        Tier::UserSpace => "user-space",
        Tier::Kernel => "kernel",
    }
}

pub(crate) type Schemas = std::collections::BTreeMap<String, serde_json::Value>;

/// The fence that the options name, whole.
pub(crate) fn read_fence_file(options: &Options) -> Result<Fence, Problem> {
    let path = options.fence.display();
    let failed = |error: std::io::Error| Problem::fence(format!("the fence `{path}` can't be read: {error}"));
    let size = std::fs::metadata(&options.fence).map_err(failed)?.len();
    if size > MAX_FENCE_BYTES {
        return Err(Problem::fence(format!(
            "the fence `{path}` has {size} bytes, over the limit of {MAX_FENCE_BYTES}"
        )));
    }
    let text = std::fs::read_to_string(&options.fence).map_err(failed)?;
    let reading = fence::read(FileId(0), &text);
    let Some(fence) = reading.fence else {
        let complaint = reading.complaints.first().map(|complaint| {
            let line = text.bytes().take(complaint.span.start as usize).filter(|byte| *byte == b'\n').count() + 1;
            let help = complaint.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
            format!("line {line}: {}{help}", complaint.message)
        });
        let complaint = complaint.unwrap_or_else(|| "it holds no fence".to_owned());
        return Err(Problem::fence(format!("the fence `{path}` can't be used: {complaint}")));
    };
    Ok(fence)
}

pub(crate) fn read_fence(options: &Options) -> Result<(FunctionFence, Schemas), Problem> {
    let path = options.fence.display();
    let fence = read_fence_file(options)?;
    let mut functions = fence.functions;
    match functions.remove(&options.function) {
        Some(function) => Ok((function, fence.schemas)),
        None => {
            let names: Vec<&str> = functions.keys().map(String::as_str).collect();
            let help = match guard::nearest(&options.function, names.iter().copied()) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("it has {}", names.join(", ")),
            };
            Err(Problem::fence(format!("the fence `{path}` has no function `{}`; {help}", options.function)))
        }
    }
}

async fn serve(
    options: &Options,
    function: &FunctionFence,
    demand: Demand,
    inspector: Inspector,
    journal: Journal,
    started: Instant,
) -> Result<u8, Problem> {
    reachable(&options.runtime_api).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.map_err(|error| Problem::configuration(format!("no port to listen on: {error}")))?;
    let address =
        listener.local_addr().map_err(|error| Problem::configuration(format!("no address to listen on: {error}")))?;

    // Before the child, so that no signal falls between.
    let signals =
        |kind| signal(kind).map_err(|error| Problem::configuration(format!("signals can't be watched: {error}")));
    let (mut terminate, mut interrupt) = (signals(SignalKind::terminate())?, signals(SignalKind::interrupt())?);

    let failed = |error: std::io::Error| {
        let command = options.command.to_string_lossy();
        Problem::configuration(format!("`{command}` can't be started: {error}"))
    };
    let launch = match demand {
        Demand::Off => None,
        Demand::Auto if !cfg!(target_os = "linux") => None,
        asked => Some(launch::Launch::new(options, function, address.port(), asked).map_err(failed)?),
    };
    let mut command = match &launch {
        None => {
            let mut command = Command::new(&options.command);
            command.args(&options.arguments);
            command
        }
        Some(launch) => launch.command(),
    };
    command.env("AWS_LAMBDA_RUNTIME_API", address.to_string()).kill_on_drop(true);
    for variable in VARIABLES {
        command.env_remove(variable);
    }
    let pid = Arc::new(AtomicU32::new(0));
    let tier = Arc::new(OnceLock::new());
    let proxy = Proxy::new(inspector, &options.runtime_api, &options.function, Some(journal.clone()));
    let begun = {
        let (journal, function, pid) = (journal.clone(), options.function.clone(), Arc::clone(&pid));
        let tier = Arc::clone(&tier);
        let runtime = runtime_name(options);
        move |init: Duration| {
            let pid = Some(pid.load(Ordering::Relaxed)).filter(|pid| *pid > 0);
            let init_us = init.as_micros().try_into().unwrap_or(u64::MAX);
            let tier = tier.get().cloned().unwrap_or_else(|| "none".to_owned());
            let record = Started { runtime, tier, pid, init_us };
            journal.record(records::Record::new(records::now_ms(), function, record));
        }
    };
    let proxy = Arc::new(proxy.on_first_next(move || begun(started.elapsed())));
    let mut serving = tokio::spawn(Arc::clone(&proxy).serve(listener));

    let mut child = command.spawn().map_err(failed)?;
    pid.store(child.id().unwrap_or_default(), Ordering::Relaxed);
    if let Some(launch) = launch {
        // The child is this program still; it becomes the function when all is put on it.
        let _ = tier.set(launch.through(&mut child).await?);
    }

    let mut asked_to_stop = false;
    let ended = loop {
        tokio::select! {
            ended = child.wait() => break Ended::Child(ended),
            _ = terminate.recv() => { asked_to_stop = true; pass_on(&child, Signal::TERM); }
            _ = interrupt.recv() => { asked_to_stop = true; pass_on(&child, Signal::INT); }
            lost = &mut serving => break Ended::Platform(match lost {
                Ok(lost) => lost.to_string(),
                Err(error) => format!("the proxy failed: {error}"),
            }),
        }
    };
    let (status, reason) = match ended {
        Ended::Child(Ok(status)) if asked_to_stop => (Some(status), "shutdown".to_owned()),
        Ended::Child(Ok(status)) => (Some(status), if status.success() { "exited" } else { "crashed" }.to_owned()),
        Ended::Child(Err(error)) => (None, format!("nobody saw how it ended: {error}")),
        Ended::Platform(why) => {
            eprintln!("ringfence-agent: {why}; the function ends");
            pass_on(&child, Signal::TERM);
            let status = tokio::time::timeout(GRACE, child.wait()).await;
            if status.is_err() {
                let _ = child.kill().await;
            }
            proxy.abandon(Outcome::Crashed);
            proxy.record(Stopped { reason: "platform lost".into(), exit_code: None });
            return Ok(1);
        }
    };
    proxy.abandon(Outcome::Crashed);
    proxy.record(Stopped { reason, exit_code: status.and_then(|status| status.code()) });
    Ok(status.map_or(1, exit_code))
}

enum Ended {
    Child(std::io::Result<ExitStatus>),
    Platform(String),
}

/// Somebody listens where the Runtime API should be.
pub(crate) async fn reachable(api: &str) -> Result<(), Problem> {
    let failed = |why: String| Problem::configuration(format!("the Runtime API at `{api}` can't be reached: {why}"));
    let mut addresses = api.to_socket_addrs().map_err(|error| failed(error.to_string()))?;
    let address = addresses.next().ok_or_else(|| failed("it has no address".into()))?;
    match tokio::time::timeout(Duration::from_secs(2), TcpStream::connect(address)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(failed(error.to_string())),
        Err(_) => Err(failed("nobody answers".into())),
    }
}

/// `AWS_Lambda_python3.13` as `python3.13`; otherwise the command's name.
fn runtime_name(options: &Options) -> String {
    let environment = std::env::var("AWS_EXECUTION_ENV").ok();
    let named = environment.as_deref().and_then(|name| name.strip_prefix("AWS_Lambda_"));
    let command = std::path::Path::new(&options.command).file_name().unwrap_or(&options.command);
    named.map_or_else(|| command.to_string_lossy().into_owned(), str::to_owned)
}

pub(crate) fn pass_on(child: &Child, signal: Signal) {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // It may have ended a moment ago.
        let _ = kill_process(pid, signal);
    }
}

/// As a shell has it: 128 and the signal's number for a process that a signal ended.
pub(crate) fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(code & 0xff).unwrap_or(1)
}
