#![cfg_attr(test, allow(clippy::unwrap_used))]
//! The project's own chores: `cargo xtask <chore>`. Each chore is a module; this file only knows the command line.

mod bench;
mod demo;
mod fuzz;
mod r#gen;
mod http;
mod setup;
mod test;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "xtask", about = "The project's own chores")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Sets up what is missing and runs the whole loop on the example
    Demo(demo::Arguments),
    /// Sets up what is missing and runs all tests
    Test(test::Arguments),
    /// Measures, beside a peer where there is one
    Bench(bench::Arguments),
    /// Runs the fuzz targets of the readers and prints what came of it
    Fuzz(fuzz::Arguments),
    /// Regenerates the tables of published facts in `crates/facts/data`
    Gen(r#gen::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().chore {
        Chore::Demo(arguments) => demo::run(&arguments),
        Chore::Test(arguments) => test::run(&arguments),
        Chore::Bench(arguments) => bench::run(&arguments),
        Chore::Fuzz(arguments) => fuzz::run(&arguments),
        Chore::Gen(arguments) => r#gen::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
