//! `ringfence gateway`: the reverse proxy in front of deployed functions.
//!
//! It wires the proxy to the rules and to the fences: a request becomes the event its function would be handed, and the guard
//! judges that, as it would inside the function.

use super::waf::Rules;
use crate::terminal;
use anyhow::{Context as _, bail};
use fence::{EventFence, Fence, FunctionFence};
use gateway::proxy::{Config, Fences, Firewall, Judgement, Log, Mode, Proxy};
use gateway::{Flavor, Incoming, Limits, Route, Routes};
use guard::Inspector;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use waf::seclang::{CompiledError, Level, RuleSet};

/// Stands in front of functions: every request goes through the firewall, and only what passes goes on.
///
/// Without --app, the firewall's own rules look at every part of a request. With --app, each request is also held against the fence
/// of the function it is for: routes, shapes of bodies, and what the fence allows. With --rules, rules in SecLang such as the OWASP
/// Core Rule Set run over requests and answers.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where requests go, `http://HOST:PORT`.
    #[arg(long, value_name = "URL")]
    upstream: String,
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// The application whose fences hold: a folder or a template. Its `fence.yaml` is used where there is one.
    #[arg(long, value_name = "PATH")]
    app: Option<PathBuf>,
    /// Rules in SecLang: files, or folders such as the Core Rule Set's.
    #[arg(long, value_name = "PATH")]
    rules: Vec<PathBuf>,
    /// Paranoia level of the Core Rule Set; what its setup file says where this isn't given.
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=4), value_name = "LEVEL")]
    paranoia: Option<u8>,
    /// A file with more SecLang settings, read between the rules' setup and the rules.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Leaves the firewall's own rules out, so that only --rules speak.
    #[arg(long, requires = "rules", conflicts_with = "app")]
    only_rules: bool,
    /// Whether refused requests are stopped, or only told of.
    #[arg(long, value_enum, default_value = "block")]
    mode: ModeArgument,
    /// A file for one line of JSON per request; `-` for standard output.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Leaves what was sent out of the log: it tells rules and fields, but no values.
    #[arg(long)]
    redact: bool,
    /// A header whose value is told as `request_id` in the log.
    #[arg(long, default_value = "X-Request-Id", value_name = "NAME")]
    id_header: String,
    /// How long the functions may take, in seconds.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=900), value_name = "SECONDS")]
    timeout: u64,
    /// The largest body of a request that is taken.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=1024), value_name = "MIB")]
    max_body_mib: u64,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum ModeArgument {
    Block,
    Observe,
}

/// Stands between proxy and guard.
struct Guarded {
    routes: Routes,
    inspectors: BTreeMap<String, Inspector>,
    /// Whether a route is wanted: a request for none is refused.
    strict: bool,
}

impl Fences for Guarded {
    fn judge(&self, request: &Incoming, path: &str) -> Judgement {
        let found = self.routes.event(request, path);
        let inspected = found.and_then(|(function, event)| {
            let inspector = self.inspectors.get(&function)?;
            Some((function, inspector.inspect(event.to_string().as_bytes())))
        });
        match inspected {
            Some((function, decision)) => Judgement {
                refuse: decision.action != guard::Action::Pass,
                function: self.strict.then_some(function),
                matches: decision.verdict.matches,
                incident: decision.verdict.incident,
            },
            None => Judgement {
                refuse: true,
                function: None,
                matches: vec![records::Match {
                    rule: "fence-unlisted-event".into(),
                    family: "fence".into(),
                    severity: "high".into(),
                    field: "event".into(),
                    excerpt: format!("{} {path}", request.method).chars().take(80).collect(),
                    message: "the application has no such route".into(),
                    cwe: Some(20),
                }],
                incident: None,
            },
        }
    }
}

/// Runs the command until it is interrupted.
///
/// # Errors
/// When rules, fences or the listener can't be had: it doesn't start with less than what was asked for.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let upstream = upstream(&args.upstream)?;
    let mode = match args.mode {
        ModeArgument::Block => Mode::Block,
        ModeArgument::Observe => Mode::Observe,
    };
    let rules = compiled(&args.rules, args.paranoia, args.settings.as_deref(), mode == Mode::Observe)?;
    let guarded = match &args.app {
        Some(path) => Some(of_application(path)?),
        None if args.only_rules => None,
        None => Some(of_anything()?),
    };
    let listing = guarded.as_ref().filter(|guarded| guarded.strict).map(|guarded| guarded.inspectors.len());
    let told = rules.as_ref().map(RuleSet::len);
    let log = match &args.log {
        Some(path) if path.as_os_str() == "-" => Some(Log::new(Box::new(std::io::stdout()), args.redact)),
        Some(path) => {
            let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
            let file = file.with_context(|| format!("can't write the log `{}`", path.display()))?;
            Some(Log::new(Box::new(file), args.redact))
        }
        None => None,
    };
    let config = Config {
        listen: args.listen,
        upstream,
        firewall: Firewall::new(rules, guarded.map(|guarded| Arc::new(guarded) as Arc<dyn Fences>), mode),
        log,
        id_header: Some(args.id_header),
        limits: Limits {
            body_bytes: usize::try_from(args.max_body_mib << 20).unwrap_or(usize::MAX),
            header_bytes: 64 * 1024,
            headers: 256,
            ..Limits::default()
        },
        patience: Duration::from_secs(args.timeout),
        response_bytes: 16 << 20,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let proxy = Proxy::start(config).await.with_context(|| format!("can't listen on {}", args.listen))?;
        let mut parts = Vec::new();
        parts.extend(told.map(|count| format!("{count} rules in SecLang")));
        parts.extend(match listing {
            Some(count) => Some(format!("the fences of {count} functions")),
            None if args.only_rules => None,
            None => Some("the firewall's own rules".to_owned()),
        });
        terminal::say(&format!(
            "listening on http://{}, passing on to {} ({}; {})\n",
            proxy.address(),
            args.upstream,
            parts.join(", "),
            match mode {
                Mode::Block => "blocking",
                Mode::Observe => "only looking",
            }
        ));
        tokio::signal::ctrl_c().await?;
        drop(proxy);
        anyhow::Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}

/// `host:port` of a URL.
fn upstream(url: &str) -> anyhow::Result<String> {
    let help = "give the functions' address as `http://HOST:PORT`";
    let Some(rest) = url.strip_prefix("http://") else {
        bail!("`{url}` can't be passed on to: {help} (TLS is ended elsewhere)");
    };
    let host = rest.trim_end_matches('/');
    if host.is_empty() || host.contains(['/', '?', '#', '@']) {
        bail!("`{url}` is more than an address: {help}");
    }
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    Ok(if has_port { host.to_owned() } else { format!("{host}:80") })
}

/// Rules in SecLang for a program that runs them, set to a paranoia level, with more settings; none where none are given.
///
/// # Errors
/// When a file can't be read, or a rule has a mistake: without it less would be held than was asked for.
pub(crate) fn compiled(
    paths: &[PathBuf],
    paranoia: Option<u8>,
    settings_file: Option<&Path>,
    only_look: bool,
) -> anyhow::Result<Option<RuleSet>> {
    if paths.is_empty() {
        return Ok(None);
    }
    // Rules that were compiled ahead bring their settings with them.
    if let [path] = paths
        && path.is_file()
        && let Ok(bytes) = std::fs::read(path)
        && let read = RuleSet::from_compiled(&bytes)
        && !matches!(read, Err(CompiledError::Foreign))
    {
        if paranoia.is_some() || settings_file.is_some() || only_look {
            bail!("`{}` is compiled, so its settings stand: give them to `ringfence waf compile`", path.display());
        }
        let set = read.with_context(|| format!("can't use `{}`", path.display()))?;
        return Ok(Some(set));
    }
    let mut settings: Vec<(String, String)> = paranoia.map(super::waf::paranoia_setting).into_iter().collect();
    if let Some(path) = settings_file {
        let text = std::fs::read_to_string(path).with_context(|| format!("can't read `{}`", path.display()))?;
        settings.push((path.display().to_string(), text));
    }
    if only_look {
        settings.push(("(--mode observe)".to_owned(), "SecRuleEngine DetectionOnly\n".to_owned()));
    }
    let (set, diagnostics) = Rules::find(paths)?.compile_with(&settings);
    let mut errors = 0;
    for diagnostic in diagnostics.iter().filter(|diagnostic| diagnostic.level == Level::Error) {
        errors += 1;
        terminal::say(&format!("{diagnostic}\n"));
    }
    if errors > 0 {
        bail!("{errors} mistakes in the rules; without them less would be held than was asked for");
    }
    Ok(Some(set))
}

/// Every request is listed, so that only the firewall's rules speak.
fn of_anything() -> anyhow::Result<Guarded> {
    let event = EventFence { source: events::TriggerKind::HttpApi.name().to_owned(), ..EventFence::default() };
    let function = FunctionFence { events: vec![event], ..FunctionFence::default() };
    let mut routes = Routes::default();
    routes.add(Route {
        function: String::new(),
        method: "ANY".into(),
        path: "$default".into(),
        flavor: Flavor::Http,
        authorization: graph::Authorization::None,
    });
    let inspector = Inspector::new(&function, &BTreeMap::new(), records::Mode::Block)?;
    Ok(Guarded { routes, inspectors: BTreeMap::from([(String::new(), inspector)]), strict: false })
}

/// The fences of an application's functions that have routes.
fn of_application(path: &Path) -> anyhow::Result<Guarded> {
    let loaded = super::load(path, &::scan::Options::default())?;
    super::tell_errors(&loaded);
    let mut routes = Routes::default();
    let mut inspectors = BTreeMap::new();
    for application in &loaded.estate.applications {
        let file = loaded.root.join(::scan::fence_path(&loaded, application));
        let derived = fence::derive(application, &loaded.sources);
        let (functions, schemas) = match file.is_file() {
            true => {
                let Fence { mut functions, mut schemas, .. } = super::inspect::read_fence(&file)?;
                for (name, function) in derived.functions {
                    functions.entry(name).or_insert(function);
                }
                for (name, schema) in derived.schemas {
                    schemas.entry(name).or_insert(schema);
                }
                (functions, schemas)
            }
            false => (derived.functions, derived.schemas),
        };
        for (route, _) in Routes::of(application).list() {
            routes.add(route.clone());
        }
        for (name, function) in functions {
            let inspector = Inspector::new(&function, &schemas, records::Mode::Block);
            let inspector = inspector.with_context(|| format!("the fence of `{name}` can't be held"))?;
            inspectors.insert(name, inspector);
        }
    }
    if routes.is_empty() {
        bail!("no function under `{}` has a route: there is nothing to stand in front of", path.display());
    }
    Ok(Guarded { routes, inspectors, strict: true })
}
