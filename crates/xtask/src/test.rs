//! `cargo xtask test`: everything that says whether the project is sound.

use crate::demo;
use crate::setup::{self, say};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Leaves out formatting and lints.
    #[arg(long)]
    only_tests: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    setup::tools(&[&setup::C_COMPILER, &setup::PYTHON, &setup::NODE, &setup::NPM])?;
    if !arguments.only_tests {
        say("cargo fmt --check");
        setup::run(setup::cargo().args(["fmt", "--all", "--check"]))?;
        say("cargo clippy");
        setup::run(setup::cargo().args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ]))?;
    }
    // The programs first: tests drive them.
    say("cargo build");
    setup::run(setup::cargo().args(["build", "--workspace", "--bins", "--locked"]))?;
    say("cargo test");
    setup::run(setup::cargo().args(["test", "--workspace", "--locked", "--no-fail-fast"]))?;
    say("demo --once, with the programs as the tests built them");
    demo::run(&demo::Arguments { once: true, dev: true, unguarded: false })
}
