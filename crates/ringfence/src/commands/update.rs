//! `ringfence update`: advisories into the local index, from OSV's public export or from files.

mod download;

use crate::terminal;
use deps::{Build, Built, Ecosystem, Index};
use download::{Brought, Downloader};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Where OSV publishes an archive for each ecosystem, as its documentation of data dumps tells.
const EXPORT: &str = "https://osv-vulnerabilities.storage.googleapis.com";

/// Makes the local index of advisories that `ringfence scan`, `deps` and `fix` ask.
///
/// Brings OSV's public export, one archive for each ecosystem; what broke off is resumed, and what didn't change isn't brought
/// again. With --from nothing is fetched: OSV documents are read from folders or ZIP archives. What the index held of the
/// ecosystems that come is replaced; others stay as they are.
///
/// Exits with 0, or with 2 when nothing could be taken or some documents could not be read.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A folder, a ZIP archive or one document in OSV's form, instead of the network; may be given several times.
    #[arg(long, value_name = "PATH")]
    from: Vec<PathBuf>,
    /// Only this ecosystem (npm, PyPI, Go, Maven, NuGet, crates.io); may be given several times. Without it: all of them.
    #[arg(long, value_name = "NAME", value_parser = ecosystem, conflicts_with = "from")]
    ecosystem: Vec<Ecosystem>,
    /// Another address that serves the export, ECOSYSTEM/all.zip below it.
    #[arg(long, value_name = "URL", default_value = EXPORT, conflicts_with = "from")]
    mirror: String,
    /// Where the index is kept. Without it: the user's cache folder.
    #[arg(long, value_name = "DIR", env = "RINGFENCE_DATA")]
    data: Option<PathBuf>,
}

/// An ecosystem by its name, whatever its case.
fn ecosystem(name: &str) -> Result<Ecosystem, String> {
    let found = Ecosystem::ALL.into_iter().find(|one| one.name().eq_ignore_ascii_case(name));
    found.ok_or_else(|| format!("one of {}", Ecosystem::ALL.map(Ecosystem::name).join(", ")))
}

/// Builds the index and says what it holds.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let folder = index_folder(args.data.as_deref())?;
    if args.from.is_empty() {
        return bring(&args, &folder);
    }
    let mut build = Build::new();
    for path in &args.from {
        build.path(path)?;
    }
    let built = build.write(&folder)?;
    for holding in &built.holdings {
        // It didn't come from the export: what that has now is news again.
        forget(&folder, holding.ecosystem);
    }
    terminal::print(&format!("{}index: {}\n", told(&built), folder.display()))?;
    if built.holdings.is_empty() {
        anyhow::bail!("no advisory about {} in {} documents: the index is unchanged", known(), built.documents);
    }
    Ok(if tell_broken(&built) { ExitCode::from(super::exit::FAILED) } else { ExitCode::SUCCESS })
}

/// Brings the export.
fn bring(args: &Args, folder: &Path) -> anyhow::Result<ExitCode> {
    let downloads = folder.join("downloads");
    let downloader = Downloader::new(&downloads)?;
    let wanted = if args.ecosystem.is_empty() { Ecosystem::ALL.to_vec() } else { args.ecosystem.clone() };
    let held: Vec<Ecosystem> =
        Index::open(folder).map(|index| index.holds().iter().map(|one| one.ecosystem).collect()).unwrap_or_default();
    let mut failed = Vec::new();
    let mut broken = false;
    for ecosystem in wanted {
        let url = format!("{}/{}/all.zip", args.mirror.trim_end_matches('/'), ecosystem.name());
        let mark = mark(folder, ecosystem);
        // Without the index the mark says nothing.
        let last = std::fs::read_to_string(&mark).ok().filter(|_| held.contains(&ecosystem));
        match downloader.bring(&url, &ecosystem.name().to_ascii_lowercase(), last.as_deref().map(str::trim)) {
            Ok(Brought::Unchanged) => terminal::print(&format!("{ecosystem}: unchanged\n"))?,
            Ok(Brought::Archive(archive, etag)) => {
                let mut build = Build::new();
                let taken = build.path(&archive).and_then(|()| build.write(folder));
                // The index has what matters of it.
                let _ = std::fs::remove_file(&archive);
                match taken {
                    Ok(built) if built.holdings.iter().any(|one| one.ecosystem == ecosystem) => {
                        if let Some(etag) = etag {
                            let _ = std::fs::write(&mark, etag);
                        }
                        terminal::print(&told(&built))?;
                        broken |= tell_broken(&built);
                    }
                    Ok(_) => failed.push(format!("{url} holds no advisory about {ecosystem}")),
                    Err(error) => failed.push(format!("{url}: {error}")),
                }
            }
            Err(error) => {
                let reasons: Vec<String> = error.chain().map(ToString::to_string).collect();
                failed.push(reasons.join(": "));
                // Where there is no way out, the others needn't be tried.
                if error.chain().any(|cause| {
                    matches!(
                        cause.downcast_ref::<ureq::Error>(),
                        Some(
                            ureq::Error::HostNotFound
                                | ureq::Error::ConnectionFailed
                                | ureq::Error::Io(_)
                                | ureq::Error::Timeout(_)
                        )
                    )
                }) {
                    failed.push("the others weren't tried".to_string());
                    break;
                }
            }
        }
    }
    // Goes only where nothing is left to resume.
    let _ = std::fs::remove_dir(&downloads);
    terminal::print(&format!("index: {}\n", folder.display()))?;
    for why in &failed {
        // The other side may have had a hand in the text.
        terminal::say(&why.chars().filter(|letter| !letter.is_control()).collect::<String>());
    }
    if !failed.is_empty() {
        anyhow::bail!(
            "not everything could be brought; what was there before is kept. Without a way to the network, bring the archives \
             here by other means and give them with `--from PATH`"
        );
    }
    Ok(if broken { ExitCode::from(super::exit::FAILED) } else { ExitCode::SUCCESS })
}

/// The file that says which archive an ecosystem's index was made of.
fn mark(folder: &Path, ecosystem: Ecosystem) -> PathBuf {
    folder.join(format!("{}.etag", ecosystem.name().to_ascii_lowercase()))
}

fn forget(folder: &Path, ecosystem: Ecosystem) {
    // Where there is none, nothing has to be forgotten.
    let _ = std::fs::remove_file(mark(folder, ecosystem));
}

/// What was taken and what was left out, in lines.
fn told(built: &Built) -> String {
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
    text
}

/// Says which documents couldn't be read, and whether there were any.
fn tell_broken(built: &Built) -> bool {
    if built.broken > 0 {
        let named: String = built.broken_names.iter().map(|name| format!("\n  {}", name.escape_debug())).collect();
        terminal::say(&format!("{} documents could not be read, among them:{named}", built.broken));
    }
    built.broken > 0
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
