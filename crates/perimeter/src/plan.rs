//! What is to be held for one function, and what of it is held in the end.

use crate::program::Program;
use fence::{FunctionFence, ProcessWord, Processes, Tier};
use serde::{Deserialize, Serialize};
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// HTTPS: where the cloud's own endpoints listen.
const HTTPS: u16 = 443;
/// DNS over TCP.
const DNS: u16 = 53;

/// One thing a perimeter holds, or doesn't.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aspect {
    /// Only the fence's files are written.
    Files,
    /// Only the fence's programs are started.
    Programs,
    /// TCP goes to the fence's ports only, and nothing listens.
    TcpPorts,
    /// What no function needs of the kernel is refused.
    Syscalls,
    /// Processes outside can't be signalled.
    Signals,
    /// The loader of a listed program can't be given other files to run.
    Loader,
    /// There are no UDP sockets.
    Udp,
    /// Connections go to the fence's hosts only.
    Hosts,
}

impl Aspect {
    /// The name in records and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Programs => "programs",
            Self::TcpPorts => "tcp-ports",
            Self::Syscalls => "syscalls",
            Self::Signals => "signals",
            Self::Loader => "loader",
            Self::Udp => "udp",
            Self::Hosts => "hosts",
        }
    }
}

/// How much is asked of the perimeter, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Demand {
    /// Nothing is put on the function.
    Off,
    /// As much as this place allows.
    Auto,
    /// Files, programs, TCP ports and system calls are held, or the function doesn't start.
    Require,
    /// Everything the fence claims is held, or the function doesn't start.
    Kernel,
}

impl Demand {
    /// What a fence asks for by itself.
    pub fn of(function: &FunctionFence) -> Self {
        match function.perimeter.map(|perimeter| perimeter.tier) {
            None => Self::Off,
            Some(Tier::Platform) => Self::Auto,
            Some(Tier::UserSpace) => Self::Require,
            Some(Tier::Kernel) => Self::Kernel,
        }
    }

    fn required(self) -> Vec<Aspect> {
        use Aspect::{Files, Hosts, Loader, Programs, Signals, Syscalls, TcpPorts, Udp};
        match self {
            Self::Off | Self::Auto => Vec::new(),
            Self::Require => vec![Files, Programs, TcpPorts, Syscalls],
            Self::Kernel => vec![Files, Programs, TcpPorts, Syscalls, Signals, Loader, Udp, Hosts],
        }
    }
}

/// Which programs the function may turn into, or start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Programs {
    /// Any: the fence says so.
    Any,
    /// Nothing after its own runtime; no second process either.
    OnlyItself {
        /// Files that starting the runtime executes: itself, its loader.
        files: Vec<PathBuf>,
    },
    /// Its own runtime and the fence's programs.
    Listed {
        /// Files that may be executed.
        files: Vec<PathBuf>,
    },
    /// It can't be told which; why.
    Untold(String),
}

/// Where the function is started: what the fence doesn't know.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// One variable of its environment.
    pub environment: &'a dyn Fn(&str) -> Option<OsString>,
    /// The port of the Runtime API it is given.
    pub api_port: u16,
}

/// What is to be put on one function's process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The file that is executed.
    pub path: PathBuf,
    /// Its arguments, the name it is called by first.
    pub arguments: Vec<OsString>,
    /// Folders and files that may be written.
    pub write: Vec<PathBuf>,
    /// Programs.
    pub programs: Programs,
    /// TCP ports that may be connected to, on any host.
    pub ports: Vec<u16>,
    /// Whether UDP sockets may be had.
    pub udp: bool,
    /// Whether the fence says which hosts.
    pub names_hosts: bool,
    /// What must be held.
    pub required: Vec<Aspect>,
}

impl Plan {
    /// The plan for a function's fence, the program it is run by, and the place.
    pub fn new(function: &FunctionFence, program: &Program, place: Place<'_>, demand: Demand) -> Self {
        let talks = !(function.network.is_empty()
            && function.permissions.iter().all(fence::PermissionFence::denies)
            && function.invokes.is_empty()
            && function.unresolved.is_empty());
        let mut ports: Vec<u16> = function.network.iter().map(|line| line.port).collect();
        ports.push(place.api_port);
        if talks {
            ports.extend([HTTPS, DNS]);
            ports.extend(ENDPOINTS.iter().filter_map(|name| port_of(&(place.environment)(name)?)));
            if (place.environment)("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").is_some() {
                ports.push(80);
            }
        }
        ports.sort_unstable();
        ports.dedup();
        // Any host at all, written down by a person: then there is nothing to hold.
        let any_host = function.network.iter().any(|line| line.host == "*" && line.port == HTTPS)
            && function.network.iter().all(|line| line.host == "*");
        Self {
            path: program.path.clone(),
            arguments: program.arguments.clone(),
            write: function.files.write.iter().map(|path| folder(path)).collect(),
            programs: programs(function, program, place),
            ports,
            udp: talks && demand < Demand::Kernel,
            names_hosts: !any_host,
            required: demand.required(),
        }
    }
}

/// Variables by which whoever deploys a function says where the cloud's endpoints are.
const ENDPOINTS: [&str; 10] = [
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_SQS",
    "AWS_ENDPOINT_URL_SNS",
    "AWS_ENDPOINT_URL_DYNAMODB",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
];

/// The port of `http://host:port/path`.
fn port_of(address: &OsStr) -> Option<u16> {
    let (scheme, rest) = address.to_str()?.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    // An IPv6 address has colons of its own.
    let after = authority.rsplit_once(']').map_or(authority, |(_, after)| after);
    match after.rsplit_once(':') {
        Some((_, port)) => port.parse().ok(),
        None => match scheme {
            "https" => Some(HTTPS),
            "http" => Some(80),
            _ => None,
        },
    }
}

/// A line of `files.write` as a path: `/tmp/**` is the folder `/tmp`.
fn folder(line: &str) -> PathBuf {
    let line = line.trim_end_matches('*').trim_end_matches('/');
    PathBuf::from(if line.is_empty() { "/" } else { line })
}

fn programs(function: &FunctionFence, program: &Program, place: Place<'_>) -> Programs {
    let listed = match &function.processes {
        Processes::Word(ProcessWord::Any) => return Programs::Any,
        Processes::Word(ProcessWord::None) => &[][..],
        Processes::List(list) => list,
    };
    if let Some(shell) = &program.shell
        && !listed.iter().any(|line| PathBuf::from(&line.run).file_name() == shell.file_name())
    {
        let (command, shell) = (program.command.display(), shell.display());
        return Programs::Untold(format!("`{command}` is run by the shell {shell}, and what that runs isn't known"));
    }
    let mut files = program.files.clone();
    if listed.is_empty() {
        return Programs::OnlyItself { files };
    }
    let path = (place.environment)("PATH");
    for line in listed {
        // One that isn't installed can't be started either.
        if let Ok(listed) = Program::find(OsStr::new(&line.run), &[], path.as_deref()) {
            files.extend(listed.files);
        }
    }
    files.sort();
    files.dedup();
    Programs::Listed { files }
}

/// What isn't held, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// What.
    pub aspect: Aspect,
    /// Why not.
    pub why: String,
}

/// What is really held, after it was put on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Held by the kernel.
    pub held: Vec<Aspect>,
    /// Claimed by the fence and not held.
    pub missing: Vec<Missing>,
    /// What else whoever looks for the reason of a refusal should know.
    pub notes: Vec<String>,
}

impl Held {
    /// The tier as records have it: `kernel` where all the fence claims is held, `none` where nothing is, otherwise what is and what isn't.
    pub fn tier(&self) -> String {
        let names =
            |aspects: &mut dyn Iterator<Item = Aspect>| aspects.map(Aspect::name).collect::<Vec<_>>().join(", ");
        let held = names(&mut self.held.iter().copied());
        let missing = names(&mut self.missing.iter().map(|missing| missing.aspect));
        match (self.held.is_empty(), self.missing.is_empty()) {
            (true, _) => "none".into(),
            (false, true) => "kernel".into(),
            (false, false) => format!("{held}; not {missing}"),
        }
    }

    /// What of `required` is missing.
    pub fn lacks<'a>(&'a self, required: &'a [Aspect]) -> impl Iterator<Item = &'a Missing> {
        self.missing.iter().filter(|missing| required.contains(&missing.aspect))
    }

    pub(crate) fn note(&mut self, aspect: Aspect, outcome: Result<(), String>) {
        match outcome {
            Ok(()) => self.held.push(aspect),
            Err(why) => self.missing.push(Missing { aspect, why }),
        }
    }
}
