//! `ringfence scan`: the application in numbers, and what is wrong with it.

use super::exit;
use crate::terminal;
use clap::ValueEnum;
use findings::Severity;
use std::path::PathBuf;
use std::process::ExitCode;

/// Reads an application and reports its weaknesses, each with the source it stands in.
///
/// Exits with 0 when no finding reaches --fail-on, 1 when one does, and 2 when the path could not be read (or not all of it).
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A folder, or one template.
    path: PathBuf,
    /// How to write the report.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// The mildest severity that makes the command exit with 1.
    #[arg(long, value_enum, default_value = "high", value_name = "SEVERITY")]
    fail_on: FailOn,
    /// Leaves milder findings out of the report: info, low, medium, high or critical.
    #[arg(long, value_parser = severity, value_name = "SEVERITY")]
    min_severity: Option<Severity>,
    /// Writes the report to a file instead of standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Files larger than this are not read, and said so.
    #[arg(long, default_value_t = 16, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..=1024))]
    max_file_mib: u64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Table,
    Json,
    Sarif,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum FailOn {
    Info,
    Low,
    Medium,
    High,
    Critical,
    /// Findings never make the command fail.
    Never,
}

impl FailOn {
    fn severity(self) -> Option<Severity> {
        match self {
            Self::Info => Some(Severity::Info),
            Self::Low => Some(Severity::Low),
            Self::Medium => Some(Severity::Medium),
            Self::High => Some(Severity::High),
            Self::Critical => Some(Severity::Critical),
            Self::Never => None,
        }
    }
}

/// A severity by its name.
fn severity(name: &str) -> Result<Severity, String> {
    Severity::ALL
        .into_iter()
        .find(|severity| severity.name() == name)
        .ok_or_else(|| "one of info, low, medium, high, critical".to_string())
}

pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let options = ::scan::Options { max_file_bytes: args.max_file_mib << 20, ..::scan::Options::default() };
    let mut loaded = super::load(&args.path, &options)?;
    let mut report = ::scan::report(&mut loaded, super::today());
    let failing = args.fail_on.severity().is_some_and(|least| report.worst().is_some_and(|worst| worst >= least));
    if let Some(least) = args.min_severity {
        report.findings.retain(|finding| finding.severity >= least);
    }
    let format = match args.format {
        Format::Table => ::scan::render::Format::Table,
        Format::Json => ::scan::render::Format::Json,
        Format::Sarif => ::scan::render::Format::Sarif,
    };
    let style = if args.output.is_some() {
        ::scan::render::Style { colour: false, ..terminal::style() }
    } else {
        terminal::style()
    };
    let text = ::scan::render::report(&loaded, &report, format, style);
    terminal::deliver(&text, args.output.as_deref())?;
    Ok(match (failing, report.is_incomplete()) {
        (true, _) => ExitCode::from(exit::FOUND),
        // What could not be read may hide what would have failed.
        (false, true) => ExitCode::from(exit::FAILED),
        (false, false) => ExitCode::SUCCESS,
    })
}
