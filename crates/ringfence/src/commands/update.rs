//! `ringfence update`: advisories from files into the local index.
//!
//! Deliberately absent: fetching them from the network.

use crate::terminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Makes the local index of advisories that `ringfence deps` asks.
///
/// Reads OSV documents from a folder or a ZIP archive (such as a database's own export). What the index held of the
/// ecosystems that they speak of is replaced; other ecosystems stay as they are.
///
/// Exits with 0, or with 2 when nothing could be taken or some documents could not be read.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A folder, a ZIP archive or one document in OSV's form; may be given several times.
    #[arg(long, required = true, value_name = "PATH")]
    from: Vec<PathBuf>,
    /// Where the index is kept. Without it: the user's cache folder.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// Builds the index and says what it holds.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let folder = index_folder(args.data.as_deref())?;
    let mut build = deps::Build::new();
    for path in &args.from {
        build.path(path)?;
    }
    let built = build.write(&folder)?;
    let mut text = String::new();
    for holding in &built.holdings {
        text += &format!("{}: {}\n", holding.ecosystem, describe(holding));
    }
    let left_out: Vec<String> = [
        (built.withdrawn, "withdrawn"),
        (built.silent, "that name no version"),
        (built.unreadable_ranges, "version ranges that can't be compared"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{count} {what}"))
    .chain(built.strange.iter().map(|(name, count)| format!("{count} about {}", name.escape_debug())))
    .collect();
    if !left_out.is_empty() {
        text += &format!("left out: {}\n", left_out.join(", "));
    }
    text += &format!("index: {}\n", folder.display());
    terminal::print(&text)?;
    if built.broken > 0 {
        let named: String = built.broken_names.iter().map(|name| format!("\n  {}", name.escape_debug())).collect();
        terminal::say(&format!("{} documents could not be read, among them:{named}", built.broken));
    }
    if built.holdings.is_empty() {
        anyhow::bail!("no advisory about {} in {} documents: the index is unchanged", known(), built.documents);
    }
    Ok(if built.broken > 0 { ExitCode::from(super::exit::FAILED) } else { ExitCode::SUCCESS })
}

/// The ecosystems that are known, for people.
pub(crate) fn known() -> String {
    deps::Ecosystem::ALL.map(deps::Ecosystem::name).join(" or ")
}

/// What an index holds of one ecosystem, for people.
pub(crate) fn describe(holding: &deps::Holding) -> String {
    let newest = if holding.newest.is_empty() { String::new() } else { format!(", newest of {}", holding.newest) };
    format!("{} advisories about {} packages{newest}", holding.advisories, holding.packages)
}

/// Where the index is kept.
pub(crate) fn index_folder(data: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(data) = data {
        return Ok(deps::index_folder(data));
    }
    deps::default_index_folder().ok_or_else(|| {
        anyhow::anyhow!("no cache folder: neither `XDG_CACHE_HOME` nor `HOME` is set; name one with `--data`")
    })
}
