//! `ringfence up`: the application's real functions on this machine, behind gateway and guard, watched, with the console.
//!
//! This file wires; the host runs the functions, the gateway and its door let events in, the agents judge them, the watch stores
//! what happened. Beside it: `up/fences.rs` (which fence holds), `up/events.rs` (from door and gateway to the host, with the
//! verdict), `up/people.rs` (what the terminal shows).

mod events;
mod fences;
mod people;

pub(in crate::commands) use people::plain;

use crate::terminal;
use anyhow::{Context, bail};
use events::{Events, Verdicts};
use graph::Application;
use host::aws::{Endpoint, Relay, RelayConfig};
use host::{Host, LocalNames, Places, Surroundings};
use records::Record;
use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// How many records may wait for the watch before those of functions' lines are left out.
const RECORD_QUEUE: usize = 16_384;
/// How long everything may take to get ready before the table is shown anyway.
const READY_LIMIT: Duration = Duration::from_secs(120);
/// The longest path a socket may have, a little under the system's own limit.
const MAX_SOCKET_PATH: usize = 100;

/// Runs an application on this machine: its real functions, guarded and watched, with the console.
///
/// HTTP goes to the gateway's address; events of any other kind are sent with `ringfence send`. Everything listens on loopback.
/// What is needed for Python and JavaScript functions is installed into the application's `.ringfence` folder the first time.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The application's folder, or its template.
    path: PathBuf,
    /// A stand-in for AWS that functions' calls go to, such as http://127.0.0.1:5000; the template's tables, buckets, queues and
    /// topics are made in it. Without one, every call is answered with an error.
    #[arg(long, value_name = "URL")]
    aws_endpoint: Option<String>,
    /// Lets the endpoint be on another machine.
    #[arg(long)]
    allow_remote_endpoint: bool,
    /// What the guard does: refuses, only records, or isn't there. Where it isn't given, each function's fence says it.
    #[arg(long, value_enum)]
    mode: Option<Mode>,
    /// The gateway's port; a free one where none is given.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The console's port; a free one where none is given.
    #[arg(long, default_value_t = 0)]
    console_port: u16,
    /// Doesn't open the console in a browser.
    #[arg(long)]
    no_open: bool,
    /// Where records are kept; the application's `.ringfence` folder where none is given.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Sets an environment variable in every function, whatever the template says; may be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    env: Vec<String>,
    /// Shows the lines that functions write.
    #[arg(long)]
    logs: bool,
}

/// What the guard does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Mode {
    /// It refuses what the fence doesn't allow.
    Block,
    /// It only records.
    Observe,
    /// There is none: functions are run as they are.
    Off,
}

pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let loaded = super::load(&args.path, &::scan::Options::default())?;
    super::tell_errors(&loaded);
    let application = choose(&loaded, &args.path)?;
    let template = loaded.sources.get(application.template).map_or("", source::SourceFile::path);
    let template_folder = loaded.root.join(Path::new(template).parent().unwrap_or(Path::new("")));
    let state = template_folder.join(".ringfence");
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&state)
        .with_context(|| format!("can't make `{}`", state.display()))?;
    // Nothing in it belongs into the repository.
    std::fs::write(state.join(".gitignore"), "*\n")
        .with_context(|| format!("can't write into `{}`", state.display()))?;

    let endpoint = match &args.aws_endpoint {
        Some(url) => Some(Endpoint::parse(url, args.allow_remote_endpoint).map_err(|error| match error {
            host::aws::EndpointError::Remote(_) => anyhow::anyhow!("{error}; --allow-remote-endpoint lets it"),
            other => other.into(),
        })?),
        None => None,
    };
    let extra = environment(&args.env)?;
    let fences = fences::effective(&loaded, application, &state)?;
    let agent = if args.mode == Some(Mode::Off) { None } else { Some(find_agent()?) };
    let places = Places { root: &loaded.root, template_folder: &template_folder, state: &state };
    let plan = host::prepare(application, places, &|line| terminal::say(&format!("  {line}")));
    if plan.functions.is_empty() {
        for left in &plan.left_out {
            terminal::say(&format!("  {}: {}", left.name, left.reason));
        }
        bail!("none of the functions of `{}` can be run here", application.name);
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("can't start the runtime")?;
    let scene =
        Scene { args: &args, application, plan: &plan, fences, agent, endpoint, state: &state, extra, loaded: &loaded };
    let outcome = runtime.block_on(scene.play());
    // Whatever still hangs on a slow disk doesn't keep the terminal.
    runtime.shutdown_timeout(Duration::from_secs(1));
    outcome
}

/// The application that a path means: the only one below it, or the one whose template lies in it.
fn choose<'a>(loaded: &'a ::scan::Loaded, path: &Path) -> anyhow::Result<&'a Application> {
    let with_functions: Vec<&Application> =
        loaded.estate.applications.iter().filter(|application| !application.functions.is_empty()).collect();
    let template = |application: &Application| {
        loaded.sources.get(application.template).map_or(String::new(), |file| file.path().to_owned())
    };
    let at_root: Vec<&Application> =
        with_functions.iter().copied().filter(|application| !template(application).contains('/')).collect();
    match (with_functions.as_slice(), at_root.as_slice()) {
        ([], _) => bail!("no function under `{}` to run", path.display()),
        ([only], _) | (_, [only]) => Ok(only),
        _ => {
            let names: Vec<String> = with_functions
                .iter()
                .take(20)
                .map(|one| format!("  {}", loaded.root.join(template(one)).display()))
                .collect();
            bail!(
                "`{}` holds {} applications; name one of them:\n{}",
                path.display(),
                with_functions.len(),
                names.join("\n")
            )
        }
    }
}

fn environment(given: &[String]) -> anyhow::Result<Vec<(String, String)>> {
    given
        .iter()
        .map(|pair| {
            let (name, value) = pair.split_once('=').with_context(|| format!("`--env {pair}` is not NAME=VALUE"))?;
            let plain = !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
            if !plain || name.starts_with("AWS_") {
                bail!("`{name}` can't be set with --env");
            }
            Ok((name.to_owned(), value.to_owned()))
        })
        .collect()
}

/// The agent's program: the one `RINGFENCE_AGENT` names, or the one beside this.
fn find_agent() -> anyhow::Result<PathBuf> {
    if let Some(named) = std::env::var_os("RINGFENCE_AGENT") {
        let named = PathBuf::from(named);
        if !named.is_file() {
            bail!("RINGFENCE_AGENT names `{}`, and there is no such file", named.display());
        }
        return Ok(named);
    }
    let own = std::env::current_exe().context("can't tell where this program lies")?;
    let beside = own.with_file_name("ringfence-agent");
    if beside.is_file() {
        return Ok(beside);
    }
    bail!(
        "the guard, `{}`, is not there: build it (`cargo build -p ringfence-agent`), name it in RINGFENCE_AGENT, or run without it (`--mode off`)",
        beside.display()
    )
}

/// Everything that is known before anything runs.
struct Scene<'a> {
    args: &'a Args,
    application: &'a Application,
    loaded: &'a ::scan::Loaded,
    plan: &'a host::Plan,
    fences: fences::Fences,
    agent: Option<PathBuf>,
    endpoint: Option<Endpoint>,
    state: &'a Path,
    extra: Vec<(String, String)>,
}

impl Scene<'_> {
    async fn play(self) -> anyhow::Result<ExitCode> {
        // From here on a signal is an order to tidy up.
        let mut stop = Signals::new()?;
        let facts_file = self.state.join("up.json");
        refuse_second(&facts_file).await?;

        let data = self.args.data.clone().unwrap_or_else(|| self.state.to_owned()).join("lake");
        let lake = Arc::new(lake::Lake::open(&data)?);
        // A verdict shows up at the door soon after it was made.
        let options =
            watch::Options { batch_wait: Duration::from_millis(20), live: 16_384, ..watch::Options::default() };
        let watch = watch::Watch::start(Arc::clone(&lake), options);
        let verdicts = Arc::new(Verdicts::default());
        let follower = tokio::spawn(people::follow(watch.handle().subscribe(), Arc::clone(&verdicts), self.args.logs));

        let socket = socket_path(self.state)?;
        let listener = watch::bind(&socket).await?;
        let (socket_stop, socket_stopped) = oneshot::channel::<()>();
        let handle = watch.handle();
        let sockets = tokio::spawn(async move {
            let stopped = async {
                let _ = socket_stopped.await;
            };
            watch::serve(listener, handle, stopped).await;
        });
        let (recorder, forwarder) = recorder(watch.handle());

        // Served before there is a host, so that functions can be told its address; until then it answers that nothing runs.
        let events = Arc::new(Events::new(Arc::clone(&verdicts), self.agent.is_some()));
        let mut routes = gateway::Routes::of(self.application);
        routes.keep(|function| self.plan.functions.iter().any(|planned| planned.name == function));
        let gateway = gateway::Gateway::start(gateway::Config {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, self.args.port)),
            routes: routes.clone(),
            invoker: Arc::clone(&events) as Arc<dyn gateway::Invoker>,
            limits: gateway::Limits::default(),
        })
        .await
        .map_err(|error| in_use(error, self.args.port, "--port"))?;
        let gateway_url = format!("http://{}", gateway.address());
        let console_at = SocketAddr::from((Ipv4Addr::LOCALHOST, self.args.console_port));
        let console_listener = tokio::net::TcpListener::bind(console_at)
            .await
            .map_err(|error| in_use(error, self.args.console_port, "--console-port"))?;
        let console_url = format!("http://{}", console_listener.local_addr()?);

        if let Some(endpoint) = &self.endpoint {
            let names = LocalNames::new(self.application, endpoint.url());
            let made = tokio::select! {
                made = host::aws::provision(self.application, &names, endpoint) => made,
                () = stop.wait() => return Ok(ExitCode::SUCCESS),
            };
            people::provisioned(&made, endpoint);
        }
        let (functions, relays) = self.functions(&gateway_url, &socket, &recorder).await?;
        let host = Arc::new(Host::start(host::Config::new(functions, recorder)));
        events.open(Arc::clone(&host));
        let token = host::token().context("no random token")?;
        let door =
            gateway::door::Door::open(token.clone(), Arc::clone(&events) as Arc<dyn gateway::door::Deliver>).await?;

        let (console_stop, console_stopped) = oneshot::channel::<()>();
        let console_state = console::State {
            name: self.application.name.clone(),
            estate: self.loaded.estate.clone(),
            fence: self.fences.fence.clone(),
            watch: watch.handle(),
            lake: lake.reader(),
        };
        let console = tokio::spawn(async move {
            let stopped = async {
                let _ = console_stopped.await;
            };
            console::serve(console_listener, console_state, stopped).await
        });

        terminal::say(&format!("  starting {}", people::plural(self.plan.functions.len(), "function")));
        let ready = tokio::select! {
            () = host.settled(READY_LIMIT) => true,
            () = stop.wait() => false,
        };
        if ready {
            self.reported(&host, &verdicts).await;
            let urls = people::Urls { gateway: &gateway_url, console: &console_url, door: &door.url(), records: &data };
            people::table(self.application, self.plan, &host, &verdicts, &routes, &urls, self.args.mode, &self.fences);
            let facts = serde_json::json!({
                "application": self.application.name,
                "gateway": gateway_url,
                "door": door.url(),
                "console": console_url,
                "token": token,
                "pid": std::process::id(),
            });
            write_private(&facts_file, &format!("{facts:#}\n"))?;
            if !self.args.no_open {
                people::open(&console_url);
            }
            stop.wait().await;
        }

        terminal::say("stopping");
        // In this order: nothing new comes in, functions end, what they said is stored.
        let _ = std::fs::remove_file(&facts_file);
        drop(door);
        drop(gateway);
        let finish = async {
            host.stop().await;
            drop(relays);
            // The last holders of the recorder: with them the forwarder ends.
            events.close();
            drop(host);
            let _ = tokio::time::timeout(Duration::from_secs(1), forwarder).await;
            let _ = socket_stop.send(());
            let _ = tokio::time::timeout(Duration::from_secs(1), sockets).await;
            let _ = console_stop.send(());
            let _ = tokio::time::timeout(Duration::from_secs(1), console).await;
            watch.shutdown().await
        };
        let stored = tokio::select! {
            stored = finish => stored,
            // Someone in a hurry: processes are killed when their handles are dropped.
            () = stop.again() => Ok(()),
        };
        follower.abort();
        let _ = std::fs::remove_file(&socket);
        stored?;
        Ok(ExitCode::SUCCESS)
    }

    /// Waits a moment for the guards' own reports, which come a little after the functions are ready.
    async fn reported(&self, host: &Host, verdicts: &Verdicts) {
        if self.agent.is_none() {
            return;
        }
        let missing = || {
            let mut states = host.states().into_iter();
            states.any(|(name, state)| {
                matches!(state, host::FunctionState::Ready { .. }) && verdicts.tier(&name).is_none()
            })
        };
        for _ in 0..40 {
            if !missing() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// The functions as the host takes them, each with a relay of its own before the endpoint.
    async fn functions(
        &self,
        gateway: &str,
        socket: &Path,
        recorder: &host::Recorder,
    ) -> anyhow::Result<(Vec<host::FunctionConfig>, Vec<Relay>)> {
        let (mut functions, mut relays) = (Vec::new(), Vec::new());
        for planned in &self.plan.functions {
            let fence = self.fences.fence.functions.get(&planned.name).cloned();
            let mode = self.args.mode.unwrap_or(match fence.as_ref().and_then(|fence| fence.mode) {
                Some(::fence::Mode::Observe) => Mode::Observe,
                _ => Mode::Block,
            });
            let current = host::CurrentRequest::default();
            let relay = Relay::start(RelayConfig {
                function: planned.name.clone(),
                fence,
                block: mode == Mode::Block,
                endpoint: self.endpoint.clone(),
                current: current.clone(),
                recorder: Arc::clone(recorder),
            })
            .await
            .context("can't open a port")?;
            let mut names = LocalNames::new(self.application, relay.url());
            for function in &self.application.functions {
                if function.url.is_some() {
                    names = names
                        .with_address(format!("{}Url", function.name), format!("{gateway}/_url/{}/", function.name));
                }
            }
            for trigger in self.application.triggers.iter().filter(|trigger| trigger.kind.is_http()) {
                if let Some(api) = trigger.source.as_ref().and_then(graph::Value::resource) {
                    names = names.with_address(api, gateway);
                }
            }
            let guard = match (&self.agent, mode) {
                (Some(agent), Mode::Block | Mode::Observe) => {
                    let mode = if mode == Mode::Block { "block" } else { "observe" };
                    let mut records = OsString::from("unix:");
                    records.push(socket);
                    let mut guard: Vec<OsString> =
                        vec![agent.into(), "--fence".into(), self.fences.file.clone().into()];
                    guard.extend(["--function".into(), planned.name.clone().into(), "--mode".into(), mode.into()]);
                    guard.extend(["--records".into(), records, "--".into()]);
                    guard
                }
                _ => Vec::new(),
            };
            let surroundings = Surroundings { guard, aws_endpoint: relay.url(), current };
            let mut config = planned.configure(self.application, &names, &surroundings);
            for (name, value) in &self.extra {
                config.environment.retain(|(known, _)| known != name);
                config.environment.push((name.clone(), value.clone()));
            }
            for warning in names.take_warnings() {
                terminal::say(&format!("  {}: {warning}; it is empty here", planned.name));
            }
            functions.push(config);
            relays.push(relay);
        }
        Ok((functions, relays))
    }
}

/// Two of them would run over each other's files.
async fn refuse_second(facts: &Path) -> anyhow::Result<()> {
    let Ok(text) = std::fs::read_to_string(facts) else { return Ok(()) };
    let facts: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let door =
        facts.get("door").and_then(serde_json::Value::as_str).unwrap_or("").trim_start_matches("http://").to_owned();
    if !door.is_empty() && tokio::net::TcpStream::connect(&door).await.is_ok() {
        bail!(
            "it is running already (process {}); stop that one first",
            facts.get("pid").unwrap_or(&serde_json::Value::Null)
        );
    }
    Ok(())
}

fn in_use(error: std::io::Error, port: u16, flag: &str) -> anyhow::Error {
    if error.kind() == std::io::ErrorKind::AddrInUse {
        anyhow::anyhow!(
            "port {port} is in use by another program; `{flag}` names another, and without it a free one is taken"
        )
    } else {
        anyhow::Error::new(error).context(format!("can't listen on port {port}"))
    }
}

/// Where agents send their records. Paths of sockets must be short, so a deep folder gets one elsewhere.
fn socket_path(state: &Path) -> anyhow::Result<PathBuf> {
    let absolute = state.canonicalize()?.join("records.sock");
    if absolute.as_os_str().len() <= MAX_SOCKET_PATH {
        return Ok(absolute);
    }
    let folder = std::env::temp_dir().join(format!("ringfence-{}", host::request_id()?));
    std::fs::DirBuilder::new().mode(0o700).create(&folder)?;
    Ok(folder.join("records.sock"))
}

/// Where host and relays leave their records: a bounded queue before the watch, since they can't wait for it.
fn recorder(handle: watch::Handle) -> (host::Recorder, tokio::task::JoinHandle<()>) {
    let (sender, mut queue) = mpsc::channel::<Record>(RECORD_QUEUE);
    let forwarder = tokio::spawn(async move {
        while let Some(record) = queue.recv().await {
            if handle.record(record).await.is_err() {
                return;
            }
        }
    });
    let recorder: host::Recorder = Arc::new(move |record| {
        if let Err(error) = sender.try_send(record) {
            // Only a disk that has stopped gets us here.
            tracing::warn!(%error, "a record was left out");
        }
    });
    (recorder, forwarder)
}

fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    let beside = path.with_extension("json.new");
    let _ = std::fs::remove_file(&beside);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let written = options.open(&beside).and_then(|mut file| file.write_all(text.as_bytes()));
    written.and_then(|()| std::fs::rename(&beside, path)).with_context(|| format!("can't write `{}`", path.display()))
}

/// The orders to stop.
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
    told: bool,
}

impl Signals {
    fn new() -> anyhow::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            told: false,
        })
    }

    /// Waits for the first order; returns at once after it came.
    async fn wait(&mut self) {
        if !self.told {
            self.again().await;
            self.told = true;
        }
    }

    /// Waits for the next order.
    async fn again(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}
