//! Starting the function behind its perimeter.
//!
//! The agent starts itself once more. That second one gets its plan over a socket, puts it on itself, says what is held, and then
//! executes the function in its own place. So the restrictions are the function's from its first instruction, the agent has none
//! of them, and the process the agent watches is the function. The socket closes as the function begins: until then whatever
//! goes wrong is told, and the function hasn't run.

use crate::options::Options;
use crate::report::Problem;
use crate::run::demanded;
use fence::FunctionFence;
use perimeter::{Demand, Held, Missing, Place, Plan, Program};
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

/// First argument of the agent's second self.
pub(crate) const LAUNCHED: &str = "--become-function";
/// How long the way to the function may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest plan or answer.
const MAX_BYTES: u64 = 4 << 20;
/// The second self couldn't become the function.
const FAILED: u8 = 78;

/// A function about to be started behind its perimeter.
pub(crate) struct Launch {
    plan: Plan,
    demand: Demand,
    function: String,
    name: String,
    listener: UnixListener,
}

impl Launch {
    /// Plans it. The errors are those of starting the command.
    pub(crate) fn new(
        options: &Options,
        function: &FunctionFence,
        api_port: u16,
        demand: Demand,
    ) -> std::io::Result<Launch> {
        let environment = |name: &str| std::env::var_os(name);
        let program = Program::find(&options.command, &options.arguments, environment("PATH").as_deref())?;
        let plan = Plan::new(function, &program, Place { environment: &environment, api_port }, demand);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let name = format!("ringfence-{}-{:x}", std::process::id(), now.as_nanos());
        let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name)?)?;
        listener.set_nonblocking(true)?;
        Ok(Launch { plan, demand, function: options.function.clone(), name, listener })
    }

    /// The agent's second self.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new("/proc/self/exe");
        command.arg0("ringfence-agent").args([LAUNCHED, &self.name]);
        if !self.plan.udp && std::env::var_os("RES_OPTIONS").is_none() {
            // Without UDP, names are looked up over TCP; the C library has to be told.
            command.env("RES_OPTIONS", "use-vc");
        }
        command
    }

    /// Sees the child through until it is the function; gives back the tier as it is recorded.
    pub(crate) async fn through(self, child: &mut Child) -> Result<String, Problem> {
        let lost = |why: String| Problem::perimeter(format!("the perimeter of `{}` failed: {why}", self.function));
        let pid = child.id();
        let called = async {
            let listener = tokio::net::UnixListener::from_std(self.listener)?;
            loop {
                let (stream, _) = listener.accept().await?;
                // Anybody may connect; only the child is told.
                let peer = stream.peer_cred()?.pid().and_then(|pid| u32::try_from(pid).ok());
                if peer.is_some() && peer == pid {
                    return Ok::<_, std::io::Error>(stream);
                }
            }
        };
        let late = |_| lost("it took too long".into());
        let mut stream = tokio::select! {
            called = tokio::time::timeout(PATIENCE, called) => {
                called.map_err(late)?.map_err(|error| lost(error.to_string()))?
            }
            ended = child.wait() => {
                let how = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
                return Err(lost(format!("it ended before the function began ({how})")));
            }
        };
        // From here on its end is the end of the stream as well.
        let talk = async {
            stream.write_all(&serde_json::to_vec(&self.plan)?).await?;
            stream.shutdown().await?;
            let mut answer = String::new();
            stream.take(MAX_BYTES).read_to_string(&mut answer).await?;
            Ok::<String, std::io::Error>(answer)
        };
        let answer =
            tokio::time::timeout(PATIENCE, talk).await.map_err(late)?.map_err(|error| lost(error.to_string()))?;
        let mut lines = answer.lines();
        let held = lines.next().and_then(|line| serde_json::from_str::<Held>(line).ok());
        let held = held.ok_or_else(|| lost("it didn't say what is held".into()))?;
        if let Some(why) = lines.next() {
            return Err(lost(why.to_owned()));
        }
        let lacks = told(held.lacks(&self.plan.required));
        if !lacks.is_empty() {
            return Err(Problem::perimeter(format!(
                "the fence of `{}` demands {}, and this isn't held: {}",
                self.function,
                match self.demand {
                    Demand::Require => "a perimeter".to_owned(),
                    other => demanded(other),
                },
                lacks
            )));
        }
        let tier = held.tier();
        if tier == "none" {
            let why = told(held.missing.iter());
            eprintln!("ringfence-agent: nothing of the perimeter of `{}` is held: {why}", self.function);
        }
        for note in &held.notes {
            eprintln!("ringfence-agent: perimeter of `{}`: {note}", self.function);
        }
        Ok(tier)
    }
}

/// What is missing, by reason: `files, tcp-ports (no Landlock); hosts (...)`.
fn told<'a>(missing: impl Iterator<Item = &'a Missing>) -> String {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for missing in missing {
        match reasons.iter_mut().find(|(why, _)| *why == missing.why) {
            Some((_, names)) => names.push(missing.aspect.name()),
            None => reasons.push((&missing.why, vec![missing.aspect.name()])),
        }
    }
    let texts: Vec<_> = reasons.iter().map(|(why, names)| format!("{} ({why})", names.join(", "))).collect();
    texts.join("; ")
}

/// The second self: what `main` does when it is called with [`LAUNCHED`].
pub(crate) fn become_function(name: Option<&OsStr>) -> ExitCode {
    match try_become(name) {
        Ok(never) => match never {},
        Err(why) => {
            // The agent has it over the socket, where there was one.
            if let Some(why) = why {
                eprintln!("ringfence-agent: {why}");
            }
            ExitCode::from(FAILED)
        }
    }
}

fn try_become(name: Option<&OsStr>) -> Result<std::convert::Infallible, Option<String>> {
    let failed = |error: std::io::Error| Some(format!("the agent can't be reached: {error}"));
    let name = name.and_then(OsStr::to_str).ok_or_else(|| Some(format!("`{LAUNCHED}` is the agent's own option")))?;
    let address = SocketAddr::from_abstract_name(name).map_err(failed)?;
    let mut agent = UnixStream::connect_addr(&address).map_err(failed)?;
    let mut plan = Vec::new();
    (&agent).take(MAX_BYTES).read_to_end(&mut plan).map_err(failed)?;
    let plan: Plan = serde_json::from_slice(&plan).map_err(|error| Some(error.to_string()))?;

    // Rust programs ignore SIGPIPE, and what is ignored stays so in the function. What has a handler is set back.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let pipe = {
        let _inside = runtime.enter();
        signal(SignalKind::pipe()).map_err(failed)?
    };

    let held = perimeter::kernel::apply(&plan);
    let mut say = |line: &str| agent.write_all(format!("{line}\n").as_bytes());
    let told = serde_json::to_string(&held).map_err(|error| Some(error.to_string()))?;
    say(&told).map_err(failed)?;
    if held.lacks(&plan.required).next().is_some() {
        return Err(None);
    }
    let why = match perimeter::kernel::become_program(&plan, &held) {
        Ok(ready) => format!("`{}` can't be started: {}", plan.path.display(), ready.run()),
        Err(why) => why,
    };
    drop(pipe);
    let _ = say(&why);
    Err(None)
}
