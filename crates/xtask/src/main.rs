#![cfg_attr(test, allow(clippy::unwrap_used))]
//! The project's own chores: `cargo xtask <chore>`. Each chore is a module; this file only knows the command line.

mod r#gen;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "xtask", about = "The project's own chores")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Regenerates the tables of published facts in `crates/facts/data`
    Gen(r#gen::Arguments),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().chore {
        Chore::Gen(arguments) => r#gen::run(&arguments),
    }
}
