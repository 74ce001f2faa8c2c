//! Holding a fence: what comes in is held against it, event by event.
//!
//! - [`Inspector`] is the judgement: bytes of an event in, a [`Decision`] out. It decodes the event, asks whether the
//!   fence lists such an event from such a source, holds each record's body against the fence's schema, and looks for
//!   injection in everything the sender wrote. No clock, no sockets, no files.
//! - [`proxy`] puts inspectors between a function and its platform: before Lambda's Runtime API, and before functions that are
//!   servers themselves (containers, Azure's custom handlers). The function sees only what passed.
//! - [`journal`] carries records out of the hot path to a file, a socket or a stream.
//!
//! It fails closed: what can't be decoded, can't be finished within the limits or can't be rewritten is refused. `observe`
//! mode is the explicit way to let everything through and only say what would have been refused.
//!
//! Deliberately absent: any look at what the function answers (its responses pass through untouched), Azure's
//! language workers, and the function's own doings (network, processes, files).

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod answer;
mod inspect;
pub mod journal;
mod line;
mod narrow;
pub mod proxy;
mod rules;
mod schema;

pub use answer::Answer;
pub use inspect::{Action, Decision, Inspector};
pub use line::{FenceError, nearest};

/// The rules that are the guard's own, beside those of [`waf::rules`], each with what it says.
pub const RULES: [(&str, &str); 5] = [
    ("fence-unlisted-event", "the fence lists no such event for this function"),
    ("fence-unlisted-source", "the fence lists such events, but not from this source"),
    ("schema", "the body does not have the shape that the fence asks for"),
    ("envelope-shape", "a field that only the platform writes holds something it would never write"),
    ("unreadable", "part of the event cannot be read, so nobody can say what it does"),
];
