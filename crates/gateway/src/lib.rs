//! HTTP in front of functions: takes a request, hands the function the event API Gateway or a function URL would have made of it,
//! and turns the function's answer back into HTTP.
//!
//! [`Routes`] come from the graph's HTTP triggers; whoever runs the functions implements [`Invoker`]; [`Gateway::start`] serves.
//! Functions with a URL of their own are found under `/_url/<Function>/…`. [`door`] is the way in for events of every other kind.
//!
//! The gateway only listens where it is told, bounds what a client may send and how slowly, and fails closed: a request that can't
//! be read whole never becomes an event.
//!
//! Deliberately absent: verifying tokens and signatures. A route with an authorizer refuses requests that bring no credential at
//! all, as the platform does, and takes any other at its word; claims of a bearer token reach the function unverified. CORS
//! preflights, WebSocket and AppSync APIs, stages and base paths are absent too.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod answer;
pub mod door;
mod event;
pub mod proxy;
mod route;
mod server;

pub use answer::response;
pub use event::{Incoming, event};
pub use route::{Flavor, Found, Route, Routes};
pub use server::{Config, Gateway, Limits};

pub use hyper::body::Bytes;
use std::pin::Pin;

/// What a function answered.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// The payload; the error as JSON when `failed`.
    pub payload: Bytes,
    /// Whether the function failed rather than answered.
    pub failed: bool,
    /// Whether it didn't answer in its time.
    pub timed_out: bool,
    /// Whether it streamed its answer.
    pub streamed: bool,
    /// The content type that came with a streamed answer.
    pub content_type: Option<String>,
    /// The invocation's id.
    pub request_id: String,
}

/// Why a function got no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It isn't running here.
    NotRunning,
    /// Too many events wait for it.
    Busy,
    /// The event is larger than a function takes.
    TooLarge,
}

/// A function's answer on its way.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Result<Answer, Refused>> + Send + 'a>>;

/// Whoever runs the functions.
pub trait Invoker: Send + Sync + 'static {
    /// Hands a function an event and waits for its answer.
    fn invoke<'a>(&'a self, function: &'a str, event: Bytes) -> Answering<'a>;
}
