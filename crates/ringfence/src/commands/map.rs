//! `ringfence map`: the inventory, and the graph as a picture.

use crate::terminal;
use clap::ValueEnum;
use std::path::PathBuf;
use std::process::ExitCode;

/// Lists functions, triggers, identities, resources and exposure, and draws the graph.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A folder, or one template.
    path: PathBuf,
    /// How to write the map; html opens offline in any browser.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// Writes to a file instead of standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Table,
    Html,
    Mermaid,
    Dot,
    Json,
}

pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let loaded = super::load(&args.path, &::scan::Options::default())?;
    let format = match args.format {
        Format::Table => ::scan::map::Format::Table,
        Format::Html => ::scan::map::Format::Html,
        Format::Mermaid => ::scan::map::Format::Mermaid,
        Format::Dot => ::scan::map::Format::Dot,
        Format::Json => ::scan::map::Format::Json,
    };
    let text = ::scan::map::render(&loaded.estate, &loaded.sources, format);
    terminal::deliver(&text, args.output.as_deref())?;
    super::tell_errors(&loaded);
    Ok(ExitCode::SUCCESS)
}
