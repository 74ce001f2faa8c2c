//! `cargo xtask bench`: what Ringfence costs, measured beside what it is compared with, in one run.

use crate::setup::{self, say};
use anyhow::bail;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

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
    /// How long `ringfence scan` takes for a tree
    Scan {
        /// The tree.
        path: PathBuf,
        /// How often.
        #[arg(long, default_value_t = 5)]
        runs: usize,
    },
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
        What::Scan { path, runs } => {
            let ringfence = setup::build_release()?.join("ringfence");
            let mut seconds = Vec::new();
            for _ in 0..*runs {
                let started = Instant::now();
                let output = Command::new(&ringfence).arg("scan").arg(path).args(["--format", "json"]).output()?;
                seconds.push(started.elapsed().as_secs_f64());
                // 2 says that some template could not be read whole, which is the tree's affair.
                if !matches!(output.status.code(), Some(0..=2)) {
                    bail!("`ringfence scan` ended with {}", output.status);
                }
            }
            seconds.sort_by(f64::total_cmp);
            println!(
                "ringfence scan {}: median {:.2} s, fastest {:.2} s, of {} runs",
                path.display(),
                seconds[seconds.len() / 2],
                seconds[0],
                seconds.len()
            );
            Ok(())
        }
    }
}
