//! The application's real functions on this machine: the part of `ringfence up` that stands in for the platform.
//!
//! ```text
//! prepare ─► Plan ─► Planned::configure ─► Host::start ─► Host::invoke
//!  code staged,        environment,          one worker and one process per function,
//!  languages there     names, guard          each with a Runtime API of its own
//! ```
//!
//! [`prepare`] stages the code and installs what is missing, [`LocalNames`] says what the template's names are here, [`Host`] runs
//! the functions under real runtime clients (AWS's for Python, `runtime/bootstrap.mjs` for Node.js), and [`aws`] stands between
//! them and the endpoint that stands in for AWS. Records of what happens leave through a [`Recorder`].
//!
//! What goes wrong with one function stays with it: a crash, a hang, a flooded log, code that isn't there.
//!
//! Deliberately absent: other languages than Python and JavaScript (and TypeScript before it is built), container images, archives
//! as code, more than one process per function, retries of asynchronous events, memory limits, snapshots, VPCs. A program that
//! leaves the function's process group *and* clears its environment outlives the stop; keeping functions from starting programs
//! is the guard's part.
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
