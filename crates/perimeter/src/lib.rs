//! The perimeter: what a function's own process may do, held by the kernel it runs on.
//!
//! [`Plan::new`] turns a function's fence into what is to be held, [`kernel::apply`] puts it on the calling process and says what
//! is really held, [`kernel::become_program`] replaces that process by the function, and [`probe::probe`] says what a place offers.
//! Who starts processes, talks to the platform and records things is elsewhere (`ringfence-agent`).
//!
//! Everything is put on the process that becomes the function, before it becomes it: nothing of the function's code has run by
//! then, and nobody but that process has lost anything.
//!
//! Deliberately absent: host names (Landlock knows ports only, and a filter can't look behind pointers), which files may be read,
//! the limits of resources, and anything that would need `unsafe` code here: the kernel's interfaces are reached through crates.

#![cfg_attr(test, allow(clippy::unwrap_used))]

#[cfg(target_os = "linux")]
mod capabilities;
#[cfg(target_os = "linux")]
mod files;
#[cfg(target_os = "linux")]
pub mod kernel;
mod plan;
pub mod probe;
mod program;
#[cfg(target_os = "linux")]
mod syscalls;

pub use plan::{Aspect, Demand, Held, Missing, Place, Plan, Programs};
pub use program::Program;
