//! Where there is no Linux there is no perimeter: a function that demands one isn't started.

use crate::options::Options;
use crate::report::Problem;
use fence::FunctionFence;
use perimeter::Demand;
use std::ffi::OsStr;
use std::process::ExitCode;
use tokio::process::{Child, Command};

/// First argument of the agent's second self, where it has one.
pub(crate) const LAUNCHED: &str = "--become-function";
const WHY: &str = "this is not Linux, and no perimeter can be held here";

/// Never made.
pub(crate) enum Launch {}

impl Launch {
    /// Fails.
    pub(crate) fn new(_: &Options, _: &FunctionFence, _: u16, _: Demand) -> std::io::Result<Launch> {
        Err(std::io::Error::new(std::io::ErrorKind::Unsupported, WHY))
    }

    pub(crate) fn command(&self) -> Command {
        match *self {}
    }

    pub(crate) async fn through(self, _: &mut Child) -> Result<String, Problem> {
        match self {}
    }
}

/// Fails.
pub(crate) fn become_function(_: Option<&OsStr>) -> ExitCode {
    eprintln!("ringfence-agent: {WHY}");
    ExitCode::from(78)
}
