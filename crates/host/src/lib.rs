//! The application's real functions on this machine: the part of `ringfence up` that stands in for the platform.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod aws;
mod host;
mod http;
mod install;
mod names;
mod plan;
mod process;
mod random;
mod runtime_api;
mod stage;
mod worker;

pub use host::{
    Config, FunctionConfig, FunctionState, Host, InvocationType, InvokeError, MAX_EVENT_BYTES, Recorder, Response,
};
pub use install::{InstallError, Progress};
pub use names::{ACCOUNT, LocalNames, REGION};
pub use plan::{LeftOut, Places, Plan, Planned, Surroundings, prepare};
pub use process::{CurrentRequest, GRACE, MAX_LOG_LINE_BYTES};
pub use random::{request_id, token};
pub use runtime_api::{MAX_ANSWER_BYTES, MAX_STREAMED_BYTES};
pub use stage::StageError;
