//! Watching: records come in from gateway, host and agents, go to the lake in few writes, and out to whoever looks on.
//!
//! ```text
//! Handle::record ─┐                        ┌─► Handle::subscribe   (what was stored, live)
//! Handle::store  ─┼─► bounded queue ─► lake ┤
//! ingest_lines   ─┘    (waits when full)   └─► Handle::summary     (counters)
//! ```
//!
//! Which way it fails: a full queue makes the sender wait; a failing lake is said aloud and tried again, and the queue fills
//! behind it. Nothing is dropped but at a shutdown during which the lake still fails, and that is an error with a number.
//!
//! Deliberately absent: detections and baselines, and counters from before this start (the lake has those).
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod counters;
mod ingest;
mod lines;

pub use counters::{FunctionSummary, Summary};
pub use ingest::{Closed, Handle, Live, News, Options, Unstored, Watch};
pub use lines::{BadLine, Ingested, SocketError, bind, ingest_lines, serve};
