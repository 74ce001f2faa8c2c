//! The application's real functions on this machine: the part of `ringfence up` that stands in for the platform.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod host;
mod http;
mod process;
mod random;
mod runtime_api;
mod worker;

pub use host::{
    Config, FunctionConfig, FunctionState, Host, InvocationType, InvokeError, MAX_EVENT_BYTES, Recorder, Response,
};
pub use process::{GRACE, MAX_LOG_LINE_BYTES};
pub use random::{request_id, token};
pub use runtime_api::{MAX_ANSWER_BYTES, MAX_STREAMED_BYTES};
