//! `ringfence fence`: writes `fence.yaml` or brings it up to date, and tells how it differs.

use super::exit;
use crate::terminal;
use anyhow::Context;
use findings::Diagnostic;
use source::{SourceFile, Sources};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Works out the fence of every function and writes it to fence.yaml beside the template.
///
/// What people wrote into the file stays: comments, lines of their own, schemas, modes.
/// Exits with 0 when all is well, 1 when --check or --diff meets a difference, and 2 when the work could not be done.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A folder, or one template.
    #[arg(required_unless_present = "schema")]
    path: Option<PathBuf>,
    /// Writes nothing; fails if the file isn't there or the source has moved on.
    #[arg(long, conflicts_with = "diff")]
    check: bool,
    /// Writes nothing; tells in words what would change.
    #[arg(long)]
    diff: bool,
    /// Where to write, instead of beside the template (`-` for standard output); needs a path that holds one application.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Prints the JSON Schema of fence.yaml and does nothing else.
    #[arg(long)]
    schema: bool,
}

pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    if args.schema {
        terminal::print(&(serde_json::to_string_pretty(&::fence::schema())? + "\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let path = args.path.context("a path is needed")?;
    let loaded = super::load(&path, &::scan::Options::default())?;
    let applications: Vec<_> =
        loaded.estate.applications.iter().filter(|application| !application.functions.is_empty()).collect();
    super::tell_errors(&loaded);
    if applications.is_empty() {
        terminal::say(&format!("no function under `{}`: nothing to draw a fence around", path.display()));
        return Ok(ExitCode::SUCCESS);
    }
    if args.output.is_some() && applications.len() > 1 {
        anyhow::bail!("`--output` takes one application, and `{}` holds {}", path.display(), applications.len());
    }
    let (mut differs, mut failed) = (false, false);
    for application in applications {
        let shown = ::scan::fence_path(&loaded, application);
        let to_stdout = args.output.as_deref() == Some(Path::new("-"));
        let file = args.output.clone().unwrap_or_else(|| loaded.root.join(&shown));
        let existing = if to_stdout { None } else { read(&file)? };
        let derived = ::fence::derive(application, &loaded.sources);
        let update = match ::fence::update(existing.as_deref(), &derived) {
            Ok(update) => update,
            Err(complaints) => {
                tell_complaints(&shown, existing.as_deref().unwrap_or(""), complaints);
                failed = true;
                continue;
            }
        };
        let count = plural(update.fence.functions.len(), "function");
        if to_stdout {
            terminal::print(&update.text)?;
            continue;
        }
        if args.check || args.diff {
            let drifted = existing.is_none() || !update.changes.is_empty();
            differs |= drifted;
            match (&existing, drifted) {
                (None, _) if args.check => {
                    terminal::print(&format!("{shown} is missing; `ringfence fence` writes it\n"))?
                }
                (_, true) => {
                    terminal::print(&format!("{shown}: the source has moved on\n{}", in_words(&update.changes)))?;
                }
                (_, false) => terminal::print(&format!("{shown} holds: {count}\n"))?,
            }
            continue;
        }
        if existing.as_deref() == Some(update.text.as_str()) {
            terminal::print(&format!("{shown} is up to date: {count}\n"))?;
            continue;
        }
        write(&file, &update.text)?;
        match existing {
            None => terminal::print(&format!("{shown} written: {count}{}\n", unresolved(&update.fence)))?,
            Some(_) => terminal::print(&format!("{shown} brought up to date\n{}", in_words(&update.changes)))?,
        }
    }
    Ok(match (failed, differs) {
        (true, _) => ExitCode::from(exit::FAILED),
        (false, true) => ExitCode::from(exit::FOUND),
        (false, false) => ExitCode::SUCCESS,
    })
}

fn read(file: &Path) -> anyhow::Result<Option<String>> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("can't read `{}`", file.display())),
    }
}

/// Writes beside the file and renames, so that a crash leaves the old one or the new one.
fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    let beside = file.with_extension("yaml.new");
    std::fs::write(&beside, text)
        .and_then(|()| std::fs::rename(&beside, file))
        .with_context(|| format!("can't write `{}`", file.display()))
}

/// One line per change: `+` where more may happen than before, `-` where less.
fn in_words(changes: &[::fence::Change]) -> String {
    changes.iter().map(|change| format!("  {} {change}\n", if change.widens { '+' } else { '-' })).collect()
}

fn unresolved(fence: &::fence::Fence) -> String {
    match fence.functions.values().map(|function| function.unresolved.len()).sum() {
        0 => String::new(),
        lines => format!("; {} that the source leaves open stand under `unresolved`", plural(lines, "thing")),
    }
}

fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn tell_complaints(path: &str, text: &str, complaints: Vec<source::Complaint>) {
    let mut sources = Sources::new();
    sources.add(SourceFile::new(path, text));
    let style = terminal::error_style();
    for complaint in complaints {
        let diagnostic = Diagnostic::from_complaint("fence", complaint);
        terminal::say(&format!("{}\n", ::scan::render::diagnostic(&sources, &diagnostic, style)));
    }
}
