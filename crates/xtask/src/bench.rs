//! `cargo xtask bench`: what Ringfence costs, measured beside what it is compared with, in one run.

mod scan;
mod waf;

use crate::setup::{self, say};
use std::process::Command;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// What the agent adds to an invocation: the same host with and without it, in pairs
    Agent {
        /// Invocations per round and side.
        #[arg(long, default_value_t = 1000)]
        invocations: usize,
        /// Rounds; the sides take turns.
        #[arg(long, default_value_t = 6)]
        rounds: usize,
        /// Size of the event in bytes.
        #[arg(long, default_value_t = 1024)]
        size: usize,
    },
    /// `ringfence scan` beside Checkov over the same tree: time and memory
    Scan(scan::Arguments),
    /// What a transaction costs in the firewall, beside libmodsecurity with the same rules
    Waf(waf::Arguments),
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    setup::tools(&[&setup::C_COMPILER])?;
    match &arguments.what {
        What::Agent { invocations, rounds, size } => {
            let programs = setup::build_release()?;
            say("building the driver");
            setup::run(setup::cargo().args([
                "build",
                "--release",
                "--locked",
                "--package",
                "host",
                "--example",
                "bench_agent",
            ]))?;
            setup::run(
                Command::new(programs.join("examples/bench_agent")).arg(programs.join("ringfence-agent")).args([
                    invocations.to_string(),
                    rounds.to_string(),
                    size.to_string(),
                ]),
            )
        }
        What::Scan(arguments) => scan::run(arguments),
        What::Waf(arguments) => waf::run(arguments),
    }
}
