//! Putting a plan on the calling process, and becoming the function.
//!
//! Meant for a process that exists for nothing else and has one thread: what is put on it can't be taken off again.

use crate::plan::{Aspect, Held, Plan, Programs};
use crate::{capabilities, files, syscalls};
use std::collections::hash_map::RandomState;
use std::ffi::{CStr, CString, OsStr};
use std::hash::BuildHasher;
use std::os::unix::ffi::OsStrExt;

/// Memory in which the program's path is hidden.
const HAYSTACK: usize = 4 << 20;

/// Puts the plan on this thread and says what is held. Nothing that failed is claimed; whether that will do is the caller's to say.
pub fn apply(plan: &Plan) -> Held {
    let mut held = Held::default();
    files::hold(plan, &mut held);
    let filtered = syscalls::filters(plan).and_then(|filters| {
        filters
            .iter()
            .try_for_each(|filter| seccompiler::apply_filter(filter).map_err(|error| filter_error(&error)))?;
        capabilities::give_up()
    });
    held.note(Aspect::Syscalls, filtered.clone());
    if let Programs::OnlyItself { .. } = plan.programs {
        // That nothing is executed afterwards comes with `become_program`, which fails where it can't be had.
        held.note(Aspect::Programs, filtered.clone());
    }
    match (plan.udp, filtered) {
        (true, _) => {
            let why = "names are looked up by UDP, and Landlock doesn't know UDP's ports";
            held.note(Aspect::Udp, Err(why.into()));
        }
        (false, filtered) => held.note(Aspect::Udp, filtered),
    }
    if plan.names_hosts {
        let ports = plan.ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
        held.note(Aspect::Hosts, Err(format!("Landlock knows ports only: {ports} are open towards every host")));
    }
    held.held.sort_unstable();
    held
}

pub(crate) fn filter_error(error: &seccompiler::Error) -> String {
    match error {
        seccompiler::Error::Prctl(error) => format!("no_new_privs can't be set: {error}"),
        seccompiler::Error::Seccomp(error) => format!("a seccomp filter can't be set: {error}"),
        other => other.to_string(),
    }
}

/// A program about to replace this process.
#[derive(Debug)]
pub struct Ready {
    path: Vec<u8>,
    at: usize,
    length: usize,
    arguments: Vec<CString>,
    environment: Vec<CString>,
}

/// Gets the plan's program ready, and sees to it that nothing but it can be executed from here on, where the plan is that.
/// After this only [`Ready::run`] does anything sensible.
///
/// # Errors
/// When the path or an argument holds a zero byte, or the filter can't be had.
pub fn become_program(plan: &Plan, held: &Held) -> Result<Ready, String> {
    let zero = |text: &OsStr| CString::new(text.as_bytes()).map_err(|_| format!("{text:?} holds a zero byte"));
    let arguments = plan.arguments.iter().map(|argument| zero(argument)).collect::<Result<Vec<_>, _>>()?;
    let environment = std::env::vars_os()
        .map(|(name, value)| {
            let mut pair = name;
            pair.push("=");
            pair.push(value);
            zero(&pair)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let name = zero(plan.path.as_os_str())?;
    let name = name.as_bytes_with_nul();
    let room = HAYSTACK.checked_sub(name.len()).filter(|room| *room > 0).ok_or("the program's path is far too long")?;
    let mut path = vec![0; HAYSTACK];
    let random = RandomState::new().hash_one(std::process::id());
    let at = usize::try_from(random % u64::try_from(room).unwrap_or(1)).unwrap_or(0);
    if let Some(place) = path.get_mut(at..at + name.len()) {
        place.copy_from_slice(name);
    }
    let ready = Ready { path, at, length: name.len(), arguments, environment };
    if matches!(plan.programs, Programs::OnlyItself { .. }) && held.held.contains(&Aspect::Programs) {
        let address = ready.name()?.as_ptr().addr();
        let filter = syscalls::only_this_program(u64::try_from(address).map_err(|error| error.to_string())?)?;
        seccompiler::apply_filter(&filter).map_err(|error| filter_error(&error))?;
    }
    Ok(ready)
}

impl Ready {
    fn name(&self) -> Result<&CStr, String> {
        let bytes = self.path.get(self.at..self.at + self.length).unwrap_or_default();
        CStr::from_bytes_with_nul(bytes).map_err(|error| error.to_string())
    }

    /// Replaces this process; comes back only when that failed.
    pub fn run(self) -> String {
        match self.name() {
            Ok(name) => match nix::unistd::execve(name, &self.arguments, &self.environment) {
                Ok(never) => match never {},
                Err(error) => std::io::Error::from(error).to_string(),
            },
            Err(error) => error,
        }
    }
}
