//! The agent: the small program that stands inside a function and holds its fence.
//!
//! `ringfence-agent -- CMD` reads the fence, puts [`guard::proxy`] between CMD and the Runtime API, starts CMD, and ends as
//! CMD ends. It fails closed: where the fence can't be read or held, CMD is never started, and the platform is told
//! why; where the agent itself fails, CMD is left without events. In its other forms it stands before a function that is a
//! server (containers, Google's functions, Azure's custom handlers), or is an external extension of Lambda with the wrapper that
//! sends the runtime to it.
//!
//! Beside what comes in it holds, where it is asked to and the kernel lets it, what the function does then: files, programs,
//! TCP ports, system calls ([`perimeter`]). It records at start what is really held, and a fence that demands more than that
//! keeps the function from starting.
//!
//! Deliberately absent: holding by host names, hooks in libraries, its credentials, Azure's language workers,
//! a perimeter in the other forms, and reaping the orphans of others where it is a container's first process.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod doctor;
mod extension;
mod forms;
#[cfg_attr(not(target_os = "linux"), path = "launch_elsewhere.rs")]
mod launch;
mod options;
mod report;
mod run;
mod server;

use options::Asked;
use std::process::ExitCode;

fn main() -> ExitCode {
    // A guard in an unknown state must not go on passing events. The function notices that nobody answers any more.
    std::panic::set_hook(Box::new(|panic| {
        eprintln!("ringfence-agent: internal error: {panic}");
        std::process::abort();
    }));
    let started = std::time::Instant::now();
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == launch::LAUNCHED) {
        return launch::become_function(arguments.next().as_deref());
    }
    if let Some(code) = forms::run(started) {
        return code;
    }
    match options::asked(std::env::args_os().skip(1), &|name| std::env::var_os(name)) {
        Ok(Asked::Help) => {
            print!("{}", options::HELP);
            ExitCode::SUCCESS
        }
        Ok(Asked::Version) => {
            println!("ringfence-agent {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        Ok(Asked::Doctor { json, command }) => {
            doctor::print(json, command.as_deref());
            ExitCode::SUCCESS
        }
        Ok(Asked::Run(options)) => match run::run(options, started) {
            Ok(code) => ExitCode::from(code),
            Err(problem) => report::give_up(&problem),
        },
        Err(message) => report::give_up(&report::Problem::configuration(message)),
    }
}
