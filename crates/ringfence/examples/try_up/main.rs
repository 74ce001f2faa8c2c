#![allow(unreachable_pub, dead_code, missing_docs)]
mod commands;
mod terminal;
use clap::Parser;
#[derive(Parser)]
enum Cli {
    Up(commands::up::Args),
    Send(commands::send::Args),
}
fn main() -> std::process::ExitCode {
    let outcome = match Cli::parse() {
        Cli::Up(a) => commands::up::run(a),
        Cli::Send(a) => commands::send::run(a),
    };
    outcome.unwrap_or_else(|error| {
        terminal::error(&error);
        std::process::ExitCode::from(2)
    })
}
