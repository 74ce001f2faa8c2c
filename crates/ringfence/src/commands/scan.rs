//! `ringfence scan`: the application in numbers, and what is wrong with it.

mod progress;

use super::exit;
use crate::terminal;
use ::scan::{Baseline, Rules};
use anyhow::Context;
use clap::ValueEnum;
use findings::Severity;
use std::path::{Path, PathBuf};
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
    /// A file or folder of the team's own rules in Rego; docs/reference/rules.md has their form.
    #[arg(long, value_name = "FOLDER")]
    rules: Option<PathBuf>,
    /// Reports only what this file, written by --write-baseline, doesn't know.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Writes everything that is found to a file, so that it counts as known from now on.
    #[arg(long, value_name = "FILE")]
    write_baseline: Option<PathBuf>,
    /// A folder above PATH that places in SARIF and Markdown are relative to: the root of the repository.
    #[arg(long, value_name = "FOLDER")]
    relative_to: Option<PathBuf>,
    /// What links in Markdown begin with, such as https://github.com/OWNER/REPOSITORY/blob/main.
    #[arg(long, value_name = "URL", value_parser = link_base)]
    link_base: Option<String>,
    /// Files larger than this are not read, and said so.
    #[arg(long, default_value_t = 16, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..=1024))]
    max_file_mib: u64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// Source excerpts and tables for a terminal.
    Table,
    /// For programs; docs/reference/scan-json.md has its schema.
    Json,
    /// For code scanning services.
    Sarif,
    /// One page that opens offline in any browser.
    Html,
    /// For a comment on a pull request.
    Markdown,
    /// For build servers.
    Junit,
}

impl Format {
    fn render(self) -> ::scan::render::Format {
        match self {
            Self::Table => ::scan::render::Format::Table,
            Self::Json => ::scan::render::Format::Json,
            Self::Sarif => ::scan::render::Format::Sarif,
            Self::Html => ::scan::render::Format::Html,
            Self::Markdown => ::scan::render::Format::Markdown,
            Self::Junit => ::scan::render::Format::Junit,
        }
    }
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

/// An address that links can begin with: of the web, and without what would end a link.
fn link_base(text: &str) -> Result<String, String> {
    let plain = |letter: char| letter.is_ascii_graphic() && !"()<>[]`\"'\\".contains(letter);
    match (text.starts_with("https://") || text.starts_with("http://")) && text.chars().all(plain) {
        true => Ok(format!("{}/", text.trim_end_matches('/'))),
        false => Err("an address that begins with https:// or http://".to_string()),
    }
}

pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    // What can't be read is told before the work is done.
    let baseline = args.baseline.as_deref().map(read_baseline).transpose()?;
    let rules = args.rules.as_deref().map(Rules::read).transpose()?;
    let prefix = args.relative_to.as_deref().map(|folder| prefix(folder, &args.path)).transpose()?.unwrap_or_default();
    let options = ::scan::Options { max_file_bytes: args.max_file_mib << 20, ..::scan::Options::default() };
    let line = progress::Line::begin(&options.progress);
    let mut loaded = super::load(&args.path, &options)?;
    let mut report = ::scan::report_with_rules(&mut loaded, super::today(), rules.as_ref());
    drop(line);
    let written = match &args.write_baseline {
        Some(path) => {
            let written = Baseline::of(&loaded, &report);
            std::fs::write(path, written.write()).with_context(|| format!("can't write `{}`", path.display()))?;
            terminal::say(&format!("{}: {} known from now on", path.display(), written.len()));
            Some(written)
        }
        None => None,
    };
    if let Some(known) = written.or(baseline) {
        known.apply(&loaded, &mut report);
    }
    let failing = args.fail_on.severity().is_some_and(|least| report.worst().is_some_and(|worst| worst >= least));
    if let Some(least) = args.min_severity {
        report.findings.retain(|finding| finding.severity >= least);
    }
    let style = match args.output {
        Some(_) => ::scan::render::Style { colour: false, ..terminal::style() },
        None => terminal::style(),
    };
    let (year, month, day) = super::today();
    let render = ::scan::render::Options {
        style,
        prefix,
        link_base: args.link_base.unwrap_or_default(),
        failing: args.fail_on.severity(),
        date: format!("{year:04}-{month:02}-{day:02}"),
    };
    let text = ::scan::render::report(&loaded, &report, args.format.render(), &render);
    terminal::deliver(&text, args.output.as_deref())?;
    Ok(match (failing, report.is_incomplete()) {
        (true, _) => ExitCode::from(exit::FOUND),
        // What could not be read may hide what would have failed.
        (false, true) => ExitCode::from(exit::FAILED),
        (false, false) => ExitCode::SUCCESS,
    })
}

fn read_baseline(path: &Path) -> anyhow::Result<Baseline> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("can't read the baseline `{}`", path.display()))?;
    Baseline::read(&text).map_err(|error| anyhow::anyhow!("`{}` {error}", path.display()))
}

/// The way from a folder down to what is scanned, with slashes; for a template, to its folder.
fn prefix(folder: &Path, scanned: &Path) -> anyhow::Result<String> {
    let resolve = |path: &Path| path.canonicalize().with_context(|| format!("can't open `{}`", path.display()));
    let (folder, mut resolved) = (resolve(folder)?, resolve(scanned)?);
    if resolved.is_file() {
        resolved.pop();
    }
    let Ok(below) = resolved.strip_prefix(&folder) else {
        anyhow::bail!(
            "`{}` is not below `{}`, which places are to be relative to",
            scanned.display(),
            folder.display()
        );
    };
    let parts: Vec<_> = below.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    Ok(parts.join("/"))
}
