//! What a place offers a perimeter: asked of the kernel, not guessed from the platform's name.
//!
//! Trials are made in a thread that ends afterwards, so that nothing of them stays on the process.

use crate::program::Program;
use serde::Serialize;
use std::ffi::OsStr;
use std::path::Path;

/// What was found. Trials that failed hold the reason.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// System, release and machine, as the kernel names itself.
    pub kernel: String,
    /// The user's number; 0 is the superuser.
    pub uid: Option<u32>,
    /// `NoNewPrivs` of this process: whether privileges can be gained any more.
    pub no_new_privs: Option<u32>,
    /// `Seccomp` of this process: 0 none, 1 strict, 2 filtered by whoever started it.
    pub seccomp: Option<u32>,
    /// Effective capabilities, as the kernel prints them (hexadecimal).
    pub capabilities: Option<String>,
    /// Whether `prctl` lets a thread give up gaining privileges; without it no filter can be had.
    pub set_no_new_privs: Trial,
    /// Whether a seccomp filter can be had.
    pub seccomp_filter: Trial,
    /// Landlock's version, 0 where it isn't there; the reason where the trial failed.
    pub landlock: Result<i32, String>,
    /// How many user namespaces there may be; 0 is none.
    pub user_namespaces: Option<u64>,
    /// Yama's `ptrace_scope`: 0 anybody of the same user, 1 descendants, 2 administrators, 3 nobody.
    pub ptrace_scope: Option<u32>,
    /// Whether the environment of the process that started this one can be read.
    pub read_parent: Trial,
    /// `io_uring_disabled`: 0 for all, 1 for administrators, 2 for nobody.
    pub io_uring_disabled: Option<u32>,
    /// Free bytes in `/tmp`.
    pub tmp_free: Option<u64>,
    /// What is mounted: place, type and whether it can be written, without the kernel's own file systems.
    pub mounts: Vec<String>,
    /// Address of the Runtime API.
    pub runtime_api: Option<String>,
    /// Whether the command's loader would heed `LD_PRELOAD`; where a command was given.
    pub ld_preload: Option<bool>,
    /// Whether the command would heed `NODE_OPTIONS`; where a command was given.
    pub node_options: Option<bool>,
}

/// How a trial ended: nothing, or why it failed.
pub type Trial = Result<(), String>;

/// One line of the report for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What was asked.
    pub what: &'static str,
    /// What was found.
    pub found: String,
    /// What it means for the fence.
    pub means: String,
}

/// Asks. `command` is the function's, where it is known.
pub fn probe(command: Option<&OsStr>) -> Report {
    let status = read("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        Some(line.trim().to_owned())
    };
    let number = |name: &str| field(name)?.split_whitespace().next()?.parse().ok();
    let program = command.and_then(|command| Program::find(command, &[], std::env::var_os("PATH").as_deref()).ok());
    let parent = format!("/proc/{}/environ", field("PPid").unwrap_or_default());
    Report {
        kernel: kernel(),
        uid: number("Uid"),
        no_new_privs: number("NoNewPrivs"),
        seccomp: number("Seccomp"),
        capabilities: field("CapEff"),
        set_no_new_privs: trial(trials::no_new_privs),
        seccomp_filter: trial(trials::seccomp_filter),
        landlock: trials::landlock(),
        user_namespaces: setting("/proc/sys/user/max_user_namespaces").map(|most| {
            // Two distributions' own switches.
            let off = setting("/proc/sys/kernel/unprivileged_userns_clone") == Some(0)
                || setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == Some(1);
            if off { 0 } else { most }
        }),
        ptrace_scope: setting("/proc/sys/kernel/yama/ptrace_scope").and_then(|scope| scope.try_into().ok()),
        read_parent: std::fs::read(parent).map(drop).map_err(|error| error.to_string()),
        io_uring_disabled: setting("/proc/sys/kernel/io_uring_disabled").and_then(|off| off.try_into().ok()),
        tmp_free: trials::free(Path::new("/tmp")),
        mounts: mounts(),
        runtime_api: std::env::var("AWS_LAMBDA_RUNTIME_API").ok(),
        ld_preload: program.as_ref().map(|program| program.dynamic),
        node_options: program.as_ref().map(|program| {
            let name = program.path.file_name().and_then(OsStr::to_str).unwrap_or_default();
            name == "node" || name == "nodejs"
        }),
    }
}

fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

fn setting(path: &str) -> Option<u64> {
    read(path)?.trim().parse().ok()
}

fn trial(try_it: fn() -> Trial) -> Trial {
    let thread = std::thread::Builder::new().spawn(try_it).map_err(|error| error.to_string())?;
    thread.join().unwrap_or_else(|_| Err("the trial didn't end".into()))
}

/// Mounts that hold files of their own, at most 64.
fn mounts() -> Vec<String> {
    const KERNEL: [&str; 14] = [
        "proc",
        "sysfs",
        "devpts",
        "mqueue",
        "cgroup",
        "cgroup2",
        "debugfs",
        "tracefs",
        "bpf",
        "pstore",
        "securityfs",
        "configfs",
        "fusectl",
        "hugetlbfs",
    ];
    let lines = read("/proc/self/mounts").unwrap_or_default();
    let mounts = lines.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        let (place, kind, options) = (words.next()?, words.next()?, words.next()?);
        let writes = if options.split(',').any(|option| option == "ro") { "read-only" } else { "writable" };
        (!KERNEL.contains(&kind)).then(|| format!("{place} {kind} {writes}"))
    });
    mounts.take(64).collect()
}

#[cfg(target_os = "linux")]
fn kernel() -> String {
    let name = rustix::system::uname();
    let text = [name.sysname(), name.release(), name.machine()].map(|part| part.to_string_lossy().into_owned());
    text.join(" ")
}

#[cfg(not(target_os = "linux"))]
fn kernel() -> String {
    std::env::consts::OS.to_owned()
}

#[cfg(target_os = "linux")]
mod trials {
    use super::Trial;
    use std::path::Path;

    pub(super) fn no_new_privs() -> Trial {
        rustix::thread::set_no_new_privs(true).map_err(|error| error.to_string())
    }

    pub(super) fn seccomp_filter() -> Trial {
        seccompiler::apply_filter(&crate::syscalls::nothing()).map_err(|error| crate::kernel::filter_error(&error))
    }

    pub(super) fn landlock() -> Result<i32, String> {
        crate::files::abi()
    }

    pub(super) fn free(path: &Path) -> Option<u64> {
        let found = rustix::fs::statvfs(path).ok()?;
        found.f_bavail.checked_mul(found.f_frsize)
    }
}

#[cfg(not(target_os = "linux"))]
mod trials {
    use super::Trial;
    use std::path::Path;

    const ELSEWHERE: &str = "this is not Linux";

    pub(super) fn no_new_privs() -> Trial {
        Err(ELSEWHERE.into())
    }

    pub(super) fn seccomp_filter() -> Trial {
        Err(ELSEWHERE.into())
    }

    pub(super) fn landlock() -> Result<i32, String> {
        Err(ELSEWHERE.into())
    }

    pub(super) fn free(_: &Path) -> Option<u64> {
        None
    }
}

impl Report {
    /// The report for people, with what each line means for the fence.
    pub fn lines(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut line = |what, found: String, means: &str| lines.push(Line { what, found, means: means.to_owned() });
        fn known<T: ToString>(value: Option<T>) -> String {
            value.map_or_else(|| "not told".to_owned(), |value| value.to_string())
        }
        let tried = |trial: &Trial| trial.as_ref().map_or_else(|why| format!("no: {why}"), |()| "yes".to_owned());
        line("kernel", self.kernel.clone(), "Landlock is in 5.13 and later, its TCP ports in 6.7, its scopes in 6.12");
        line(
            "user",
            known(self.uid),
            match self.uid {
                Some(0) => "the superuser: the perimeter leaves a function no more than the care of its own files",
                _ => "as it should be",
            },
        );
        line("capabilities", known(self.capabilities.as_ref()), "what of the superuser's privileges there is");
        line(
            "NoNewPrivs, Seccomp",
            format!("{}, {}", known(self.no_new_privs), known(self.seccomp)),
            match self.seccomp {
                Some(2) => "whoever started this filters system calls already; the perimeter comes on top",
                _ => "nothing is filtered yet",
            },
        );
        line(
            "prctl no_new_privs",
            tried(&self.set_no_new_privs),
            match self.set_no_new_privs {
                Ok(()) => "the kernel's means can be had by anybody",
                Err(_) => "without it neither filters nor Landlock can be had: no kernel tier here, events only",
            },
        );
        line(
            "seccomp filter",
            tried(&self.seccomp_filter),
            match self.seccomp_filter {
                Ok(()) => "system calls, and programs where the fence lists none, can be held",
                Err(_) => "`syscalls`, and `programs` where the fence lists none, can't be held",
            },
        );
        let (found, means) = match &self.landlock {
            Err(why) => (format!("no: {why}"), "`files`, `tcp-ports` and `signals` can't be held"),
            Ok(version) => (
                format!("version {version}"),
                match version {
                    ..=0 => "`files`, `tcp-ports` and `signals` can't be held",
                    1..=2 => "listed programs can be held; files could still be cut short",
                    3 => "files can be held, TCP ports and signals can't",
                    4..=5 => "files and TCP ports can be held, signals can't",
                    _ => "files, TCP ports and signals can be held; host names and UDP can't",
                },
            ),
        };
        line("Landlock", found, means);
        line(
            "user namespaces",
            known(self.user_namespaces),
            match self.user_namespaces {
                Some(0) => "a function can't make any",
                _ => {
                    "a function could make its own, and more of the kernel would be open to it; the filter refuses them"
                }
            },
        );
        line(
            "Yama ptrace scope",
            known(self.ptrace_scope),
            match self.ptrace_scope {
                Some(2..) => "processes of the same user are closed to each other",
                _ => "processes of the same user may be open to each other; the perimeter closes them",
            },
        );
        line(
            "environment of the parent",
            self.read_parent.as_ref().map_or_else(|why| format!("closed: {why}"), |()| "readable".to_owned()),
            match self.read_parent {
                Ok(()) => "a function without perimeter reads what others of its user were given",
                Err(_) => "closed without a perimeter as well",
            },
        );
        line("io_uring_disabled", known(self.io_uring_disabled), "the filter refuses io_uring whatever this says");
        line(
            "/tmp",
            self.tmp_free.map_or_else(|| "not told".to_owned(), |free| format!("{} MiB free", free >> 20)),
            "what a function may write to, unless its fence says otherwise; nothing in it can be executed behind a perimeter",
        );
        line(
            "Runtime API",
            known(self.runtime_api.as_ref()),
            "its port at the agent stays open; the platform's own doesn't, unless it is one of the fence's ports",
        );
        let heeds = |heeds: Option<bool>| match heeds {
            None => "no command was given",
            Some(true) => "reaches it",
            Some(false) => "doesn't reach it",
        };
        let hooks = "hooks in libraries are not used yet: they would stop scripts, not native code";
        line("LD_PRELOAD", heeds(self.ld_preload).into(), hooks);
        line("NODE_OPTIONS", heeds(self.node_options).into(), hooks);
        line("mounts", self.mounts.join(", "), "what is read-only can't be written with or without a perimeter");
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_says_what_its_findings_mean() {
        let mut report = probe(None);
        assert_eq!(report.ld_preload, None);
        report.set_no_new_privs = Err("Operation not permitted".into());
        report.landlock = Ok(0);
        let lines = report.lines();
        let means = |what: &str| lines.iter().find(|line| line.what == what).unwrap().means.clone();
        assert!(means("prctl no_new_privs").contains("no kernel tier here"));
        assert!(means("Landlock").contains("can't be held"));
        // A trial leaves nothing behind.
        assert_eq!(probe(None).seccomp, report.seccomp);
    }
}
