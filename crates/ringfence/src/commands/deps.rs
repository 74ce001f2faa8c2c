//! `ringfence deps`: what each function brings along, and which of it advisories warn of.

use super::{exit, update};
use crate::terminal;
use clap::ValueEnum;
use deps::{Certainty, Imported, Index, Matching, Survey, Vulnerable};
use source::Sources;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Lists the packages that an application's functions bring along, and those that advisories warn of.
///
/// Reads lockfiles and manifests of npm, yarn, pnpm, Bun, pip, Pipenv, Poetry, uv, Go, Maven, Gradle, NuGet and Cargo, and Python
/// packages that lie in the source as they were installed, and asks the local index of advisories
/// (`ringfence update` makes it). Nothing is fetched.
///
/// Exits with 1 when a package that isn't for development only is pinned to a vulnerable version, or asked for by a range
/// that allows no other; with 2 when something could not be checked, as without advisories; else with 0.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A folder.
    path: PathBuf,
    /// How to write the report.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// Lists in the table also what only may be vulnerable: ranges that allow vulnerable versions among others.
    #[arg(long)]
    possible: bool,
    /// Where the index of advisories is kept. Without it: the user's cache folder.
    #[arg(long, value_name = "DIR", env = "RINGFENCE_DATA")]
    data: Option<PathBuf>,
    /// Writes the report to a file instead of standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Table,
    Json,
    /// A bill of materials, version 1.6.
    Cyclonedx,
}

/// Lists, asks and reports.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let mut loaded = ::scan::load(&args.path, &::scan::Options::default())?;
    let (paths, unread) = if args.path.is_dir() {
        manifests(&loaded.root)
    } else {
        (args.path.file_name().and_then(|name| name.to_str()).map(str::to_string).into_iter().collect(), Vec::new())
    };
    let root = loaded.root.clone();
    let survey = deps::survey(&loaded.estate, &mut loaded.sources, &paths, &mut |path| text(&root, path));
    if survey.manifests.is_empty() && survey.diagnostics.is_empty() {
        anyhow::bail!("no lockfile or manifest of {} under `{}`", update::known(), args.path.display());
    }
    let folder = update::index_folder(args.data.as_deref())?;
    let index = Index::open(&folder)?;
    let holdings = index.holds();
    let matching = if holdings.is_empty() { None } else { Some(deps::match_packages(&survey.packages, &index)?) };
    let name = root.file_name().and_then(|name| name.to_str()).unwrap_or("application");
    let report = match args.format {
        Format::Table => table(&survey, matching.as_ref(), &loaded.sources, args.possible),
        Format::Json => lines(&deps::json(&survey, matching.as_ref(), &holdings, &loaded.sources))?,
        Format::Cyclonedx => lines(&deps::cyclonedx(name, &survey.packages, matching.as_ref(), &loaded.sources))?,
    };
    terminal::deliver(&report, args.output.as_deref())?;
    let errors = survey.diagnostics.iter().filter(|one| one.level == findings::Level::Error);
    for diagnostic in errors.clone() {
        terminal::say(&::scan::render::diagnostic(&loaded.sources, diagnostic, terminal::style()));
    }
    unread.iter().for_each(|folder| terminal::say(&format!("`{}` can't be looked into", plain(folder))));
    let mut complete = unread.is_empty() && errors.count() == 0;
    match &matching {
        None => {
            terminal::say(&format!(
                "nothing was checked: there are no advisories in `{}`; `ringfence update` brings them, `ringfence update --from PATH` without the network",
                folder.display()
            ));
            return Ok(ExitCode::from(exit::FAILED));
        }
        Some(matching) => {
            for (ecosystem, count) in &matching.uncovered {
                terminal::say(&format!(
                    "not checked: {count} packages of {ecosystem}, of which there are no advisories here"
                ));
            }
            if !matching.unreadable.is_empty() {
                let named: Vec<String> = matching
                    .unreadable
                    .iter()
                    .take(5)
                    .filter_map(|at| survey.packages.get(*at))
                    .map(|package| format!("`{} {}`", plain(&package.name), plain(package.version.text())))
                    .collect();
                terminal::say(&format!(
                    "not checked: {} packages whose version can't be compared, such as {}",
                    matching.unreadable.len(),
                    named.join(", ")
                ));
            }
            complete &= matching.uncovered.is_empty() && matching.unreadable.is_empty();
        }
    }
    let found = matching.iter().flat_map(|one| &one.vulnerable).any(|one| counts(&survey, one));
    Ok(match (found, complete) {
        (true, _) => ExitCode::from(exit::FOUND),
        // What was not checked may hide what would have been found.
        (false, false) => ExitCode::from(exit::FAILED),
        (false, true) => ExitCode::SUCCESS,
    })
}

/// Whether a weakness makes the command exit with 1.
fn counts(survey: &Survey, one: &Vulnerable) -> bool {
    one.certainty > Certainty::Possible && survey.packages.get(one.package).is_some_and(|package| !package.dev)
}

fn lines(value: &serde_json::Value) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

/// Folders that hold what was installed or built rather than what was asked for.
const SKIPPED: [&str; 7] = ["node_modules", ".git", ".ringfence", ".aws-sam", "__pycache__", ".venv", "venv"];
const MAX_DEPTH: usize = 32;
/// No manifest is larger: a lockfile of ten thousand packages has some five megabytes.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// Every manifest below a folder, and the folders that can't be looked into.
pub(crate) fn manifests(root: &Path) -> (Vec<String>, Vec<String>) {
    let (mut paths, mut unread) = (Vec::new(), Vec::new());
    find(root, "", 0, &mut paths, &mut unread);
    (paths, unread)
}

/// Every manifest below a folder, ordered by path. Links are not followed.
fn find(root: &Path, folder: &str, depth: usize, paths: &mut Vec<String>, unread: &mut Vec<String>) {
    let entries = match std::fs::read_dir(root.join(folder)) {
        Ok(entries) if depth < MAX_DEPTH => entries,
        _ => return unread.push(folder.to_string()),
    };
    let mut names: Vec<(String, bool)> = entries
        .flatten()
        .filter_map(|entry| {
            let kind = entry.file_type().ok()?;
            let name = entry.file_name().into_string().ok()?;
            (kind.is_dir() || kind.is_file()).then_some((name, kind.is_dir()))
        })
        .collect();
    names.sort();
    for (name, is_folder) in names {
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        if is_folder && !SKIPPED.contains(&name.as_str()) {
            find(root, &path, depth + 1, paths, unread);
        } else if !is_folder && deps::Format::of(&path).is_some() {
            paths.push(path);
        }
    }
}

/// A file's text, if it lies below the root and is no larger than a manifest.
pub(crate) fn text(root: &Path, path: &str) -> Option<String> {
    let path = root.join(path).canonicalize().ok().filter(|path| path.starts_with(root))?;
    let small =
        std::fs::metadata(&path).ok().is_some_and(|metadata| metadata.is_file() && metadata.len() <= MAX_FILE_BYTES);
    let bytes = small.then(|| std::fs::read(&path).ok()).flatten()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// What others wrote, without what moves a terminal's cursor.
fn plain(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).collect()
}

fn table(survey: &Survey, matching: Option<&Matching>, sources: &Sources, possible: bool) -> String {
    let mut out = String::new();
    let found = matching.map(|one| one.vulnerable.as_slice()).unwrap_or_default();
    let listed: Vec<&Vulnerable> = found.iter().filter(|one| possible || one.certainty > Certainty::Possible).collect();
    if !listed.is_empty() {
        let _ = writeln!(out, "{}", weaknesses(survey, &listed, sources));
    }
    let bare = survey.functions.iter().filter(|function| function.manifests.is_empty()).count();
    if bare < survey.functions.len() {
        let _ = writeln!(out, "{}", functions(survey, matching, found));
    }
    if bare > 0 {
        let _ = writeln!(out, "{bare} of {} functions have no manifest that could be found", survey.functions.len());
    }
    let (dev, exact) = (
        survey.packages.iter().filter(|package| package.dev).count(),
        survey.packages.iter().filter(|package| package.version.exact().is_some()).count(),
    );
    let _ = writeln!(
        out,
        "{} packages in {} manifests: {exact} pinned, {} by range; {dev} for development only",
        survey.packages.len(),
        survey.manifests.len(),
        survey.packages.len() - exact
    );
    let Some(matching) = matching else {
        out.push_str("nothing was checked for weaknesses: there are no advisories\n");
        return out;
    };
    let certain = found.iter().filter(|one| one.certainty > Certainty::Possible).count();
    let _ = writeln!(out, "{} compared with advisories: {certain} weaknesses", matching.compared);
    let open = found.len() - certain;
    if open > 0 {
        let hint = if possible { "" } else { " (`--possible` lists them)" };
        let _ = writeln!(
            out,
            "{open} times a range allows vulnerable versions among others; only a lockfile tells which is installed{hint}"
        );
    }
    out
}

fn new_table(header: &[&str]) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::UTF8_FULL_CONDENSED);
    table.set_content_arrangement(comfy_table::ContentArrangement::Dynamic);
    table.set_width(u16::try_from(terminal::style().width).unwrap_or(u16::MAX));
    table.set_header(header);
    table
}

fn weaknesses(survey: &Survey, listed: &[&Vulnerable], sources: &Sources) -> comfy_table::Table {
    let mut table = new_table(&["severity", "package", "advisory", "mended in", "imported by", "where"]);
    for one in listed {
        let Some(package) = survey.packages.get(one.package) else { continue };
        let advisory = &one.advisory;
        let known_as = advisory.aliases.iter().find(|alias| alias.starts_with("CVE-"));
        let id = known_as.map_or(advisory.id.clone(), |cve| format!("{} {cve}", advisory.id));
        let mended = match (&one.fixed_in, &one.clear_in) {
            (Some(fixed), Some(clear)) => format!("{fixed} (all known: {clear})"),
            (Some(fixed), None) => fixed.clone(),
            (None, _) => "no mend known".to_string(),
        };
        let doubt = match one.certainty {
            Certainty::Pinned | Certainty::EveryAllowed => "",
            Certainty::Possible => " (possible)",
        };
        let dev = if package.dev { " (development)" } else { "" };
        table.add_row([
            format!("{}{doubt}", advisory.severity.map_or("not rated", findings::Severity::name)),
            plain(&format!("{} {}{dev}", package.name, package.version.text())),
            plain(&format!("{id}: {}", advisory.summary)),
            plain(&mended),
            plain(&importers(survey, one)),
            plain(&sources.place(package.span)),
        ]);
    }
    table
}

/// Which functions import a vulnerable package, as far as it can be told.
fn importers(survey: &Survey, one: &Vulnerable) -> String {
    let Some(package) = survey.packages.get(one.package) else { return String::new() };
    let owners: Vec<_> = survey.functions.iter().filter(|function| function.packages.contains(&one.package)).collect();
    if owners.is_empty() {
        return "belongs to no function".to_string();
    }
    let mut parts = Vec::new();
    let (mut not, mut unknown) = (0, 0);
    for function in owners {
        match function.imported(package) {
            Imported::Directly => parts.push(function.function.clone()),
            Imported::Through(name) => parts.push(format!("{} through {name}", function.function)),
            Imported::No => not += 1,
            Imported::Unknown => unknown += 1,
        }
    }
    let more = parts.len().saturating_sub(3);
    parts.truncate(3);
    if more > 0 {
        parts.push(format!("{more} more"));
    }
    if not > 0 {
        parts.push(format!("not by {not}"));
    }
    if unknown > 0 {
        parts.push(format!("unknown for {unknown}"));
    }
    parts.join(", ")
}

fn functions(survey: &Survey, matching: Option<&Matching>, found: &[Vulnerable]) -> comfy_table::Table {
    let mut table = new_table(&["application", "function", "packages", "vulnerable", "from"]);
    for function in survey.functions.iter().filter(|function| !function.manifests.is_empty()) {
        let vulnerable: std::collections::BTreeSet<usize> = found
            .iter()
            .filter(|one| one.certainty > Certainty::Possible && function.packages.contains(&one.package))
            .map(|one| one.package)
            .collect();
        let paths: Vec<&str> =
            function.manifests.iter().filter_map(|at| Some(survey.manifests.get(*at)?.path.as_str())).collect();
        let checked = match matching {
            Some(matching) if function.is_checked(survey, matching) => vulnerable.len().to_string(),
            Some(_) if !vulnerable.is_empty() => format!("{} or more", vulnerable.len()),
            _ => "not checked".to_string(),
        };
        table.add_row([
            plain(&function.application),
            plain(&function.function),
            function.packages.len().to_string(),
            checked,
            plain(&paths.join(", ")),
        ]);
    }
    table
}
