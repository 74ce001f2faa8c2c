#![allow(unreachable_pub, dead_code, missing_docs)]
#[path = "/work/main/crates/ringfence/src/terminal.rs"]
mod terminal;
mod commands {
    #[path = "/work/main/crates/ringfence/src/commands/send.rs"]
    pub(crate) mod send;
    #[path = "/work/main/crates/ringfence/src/commands/up.rs"]
    pub(crate) mod up;
    pub(crate) mod exit {
        pub(crate) const FOUND: u8 = 1;
        pub(crate) const FAILED: u8 = 2;
    }
    pub(crate) fn load(path: &std::path::Path, options: &::scan::Options) -> anyhow::Result<::scan::Loaded> {
        Ok(::scan::load(path, options)?)
    }
    pub(crate) fn tell_errors(loaded: &::scan::Loaded) {
        let style = crate::terminal::style();
        for diagnostic in loaded.diagnostics.iter().filter(|diagnostic| diagnostic.level == findings::Level::Error) {
            crate::terminal::say(&::scan::render::diagnostic(&loaded.sources, diagnostic, style));
        }
    }
}
use clap::Parser;
#[derive(Parser)]
enum Cli { Up(commands::up::Args), Send(commands::send::Args) }
fn main() -> std::process::ExitCode {
    let outcome = match Cli::parse() { Cli::Up(a) => commands::up::run(a), Cli::Send(a) => commands::send::run(a) };
    outcome.unwrap_or_else(|error| { terminal::error(&error); std::process::ExitCode::from(2) })
}
