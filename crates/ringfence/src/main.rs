//! `ringfence`: the program for people. It knows the command line and wires the products together; what they do is theirs.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod commands;
mod terminal;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Draws a fence around every serverless function, holds it while the function runs, and tells what crossed it.
#[derive(Debug, Parser)]
#[command(name = "ringfence", version, max_term_width = 110, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Scan(commands::scan::Args),
    Map(commands::map::Args),
    Fence(commands::fence::Args),
    Policy(commands::policy::Args),
    Fix(commands::fix::Args),
    Waf(commands::waf::Args),
    Up(commands::up::Args),
    Send(commands::send::Args),
    Gateway(commands::gateway::Args),
    Inspect(commands::inspect::Args),
    Hunt(commands::hunt::Args),
    Explain(commands::explain::Args),
    Update(commands::update::Args),
    Deps(commands::deps::Args),
}

fn main() -> ExitCode {
    // A reader that closes the pipe early (`| head`) is no failure of ours to report.
    let outcome = match Arguments::parse().command {
        Command::Scan(args) => commands::scan::run(args),
        Command::Map(args) => commands::map::run(args),
        Command::Fence(args) => commands::fence::run(args),
        Command::Policy(args) => commands::policy::run(args),
        Command::Fix(args) => commands::fix::run(args),
        Command::Waf(args) => commands::waf::run(args),
        Command::Up(args) => commands::up::run(args),
        Command::Send(args) => commands::send::run(args),
        Command::Gateway(args) => commands::gateway::run(args),
        Command::Inspect(args) => commands::inspect::run(args),
        Command::Hunt(args) => commands::hunt::run(args),
        Command::Explain(args) => commands::explain::run(args),
        Command::Update(args) => commands::update::run(args),
        Command::Deps(args) => commands::deps::run(args),
    };
    outcome.unwrap_or_else(|error| {
        terminal::error(&error);
        ExitCode::from(2)
    })
}
