//! `cargo xtask bench scan`: `ringfence scan` beside Checkov over the same tree, and how the cost grows with the tree.
//!
//! Checkov is installed from the Python registry into a folder of its own below `target`. It is asked for the kinds of templates that
//! Ringfence reads and for nothing else (neither secrets nor packages), which favours it; Ringfence reads the functions' code as
//! well. Times and memory are what the kernel counts for a process and those it waited for.

use crate::setup;
use anyhow::{Context, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The tree; the project's own examples where none is given.
    path: Option<PathBuf>,
    /// How often Ringfence runs; the median counts.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: u32,
    /// Only the first so many folders of the tree, by name: Checkov takes its time.
    #[arg(long, value_name = "FOLDERS")]
    subset: Option<usize>,
    /// Ringfence only.
    #[arg(long)]
    alone: bool,
    /// How the cost grows instead: 1, 2 and 4 copies of the tree.
    #[arg(long)]
    linear: bool,
}

/// The version that is compared with, so that numbers can be compared too.
const CHECKOV: &str = "checkov==3.3.30";
/// Runs a command and writes what it cost as the last line: the parent of a process is who may ask the kernel.
const MEASURE: &str = "
import os, sys, time
started = time.monotonic()
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=[
    (os.POSIX_SPAWN_OPEN, 0, '/dev/null', os.O_RDONLY, 0), (os.POSIX_SPAWN_OPEN, 1, '/dev/null', os.O_WRONLY, 0)])
_, status, used = os.wait4(pid, 0)
print(time.monotonic() - started, used.ru_utime + used.ru_stime, used.ru_maxrss, os.waitstatus_to_exitcode(status))
";

/// What a run cost.
#[derive(Debug, Clone, Copy)]
struct Cost {
    /// From start to end, in seconds.
    wall: f64,
    /// Of all cores together, in seconds.
    cpu: f64,
    /// The largest process, in MiB.
    peak: f64,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    setup::tools(&[&setup::PYTHON])?;
    let path = arguments.path.clone().unwrap_or_else(|| setup::root().join("examples"));
    let path = path.canonicalize().with_context(|| format!("can't open `{}`", path.display()))?;
    let folder = setup::target().join("bench");
    std::fs::create_dir_all(&folder)?;
    let ringfence = setup::build_release()?.join("ringfence");
    let scratch = tempfile::tempdir_in(&folder)?;
    let tree = match arguments.subset {
        Some(count) => {
            let tree = scratch.path().join("subset");
            for part in folders(&path)?.into_iter().take(count) {
                copy(&path.join(&part), &tree.join(&part))?;
            }
            tree
        }
        None => path.clone(),
    };
    if arguments.linear {
        return linear(&ringfence, &tree, scratch.path(), arguments.runs);
    }
    let ours = ours(&ringfence, &tree, arguments.runs)?;
    let files = count(&tree)?;
    println!("\n{} ({files} files)\n", path.display());
    println!("{:26} {:>10} {:>10} {:>10}", "", "wall s", "CPU s", "peak MiB");
    println!("{:26} {:>10.2} {:>10.2} {:>10.0}", "ringfence scan, with code", ours.wall, ours.cpu, ours.peak);
    if arguments.alone {
        return Ok(());
    }
    let python = setup::python(&folder.join("checkov"), &[CHECKOV])?;
    let theirs = measure(
        Command::new("python3")
            .args(["-c", MEASURE])
            .arg(python.with_file_name("checkov"))
            .arg("--directory")
            .arg(&tree)
            .args([
                "--framework",
                "cloudformation",
                "terraform",
                "serverless",
                "--quiet",
                "--compact",
                "--skip-download",
                "--output",
                "json",
            ]),
    )?;
    println!("{CHECKOV:26} {:>10.2} {:>10.2} {:>10.0}", theirs.wall, theirs.cpu, theirs.peak);
    println!(
        "{:26} {:>9.0}x {:>9.0}x {:>9.1}x",
        "ratio",
        theirs.wall / ours.wall,
        theirs.cpu / ours.cpu,
        theirs.peak / ours.peak
    );
    Ok(())
}

/// The cost of copies of a tree, beside what twice the tree should cost.
fn linear(ringfence: &Path, tree: &Path, scratch: &Path, runs: u32) -> anyhow::Result<()> {
    println!(
        "\n{:>6} {:>9} {:>10} {:>10} {:>10} {:>14}",
        "copies", "files", "wall s", "CPU s", "peak MiB", "CPU per file"
    );
    for copies in [1, 2, 4] {
        let folder = scratch.join(format!("{copies}"));
        for number in 0..copies {
            copy(tree, &folder.join(format!("copy-{number}")))?;
        }
        let files = count(&folder)?;
        let cost = ours(ringfence, &folder, runs)?;
        let each = cost.cpu * 1e6 / f64::from(u32::try_from(files.max(1)).unwrap_or(u32::MAX));
        println!("{copies:>6} {files:>9} {:>10.2} {:>10.2} {:>10.0} {each:>11.0} µs", cost.wall, cost.cpu, cost.peak);
        std::fs::remove_dir_all(&folder)?;
    }
    Ok(())
}

/// The median run by wall time.
fn ours(ringfence: &Path, tree: &Path, runs: u32) -> anyhow::Result<Cost> {
    let mut costs = Vec::new();
    for _ in 0..runs {
        costs.push(measure(
            Command::new("python3")
                .args(["-c", MEASURE])
                .arg(ringfence)
                .arg("scan")
                .arg(tree)
                .args(["--format", "json"]),
        )?);
    }
    costs.sort_by(|left, right| left.wall.total_cmp(&right.wall));
    costs.get(costs.len() / 2).copied().context("no run")
}

fn measure(command: &mut Command) -> anyhow::Result<Cost> {
    let output = command.stdin(Stdio::null()).env("LOG_LEVEL", "ERROR").output().context("can't start python3")?;
    let said = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<f64> = said.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [wall, cpu, peak, code] = numbers[..] else {
        bail!("nothing was measured: {}", String::from_utf8_lossy(&output.stderr));
    };
    // 1 says that something was found, 2 that some template could not be read whole: the tree's affairs.
    if ![0.0, 1.0, 2.0].contains(&code) {
        bail!("{command:?} ended with {code}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(Cost { wall, cpu, peak: peak / 1024.0 })
}

/// The folders in a folder by name, those that tools hide left out.
fn folders(path: &Path) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        if let Ok(name) = entry.file_name().into_string()
            && entry.file_type()?.is_dir()
            && !name.starts_with('.')
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Copies a folder; what git keeps for itself stays behind, and so do links.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let target = to.join(entry.file_name());
        if kind.is_dir() && entry.file_name() != ".git" {
            copy(&entry.path(), &target)?;
        } else if kind.is_file() {
            // A second name for the same file costs nothing, where the file system can.
            if std::fs::hard_link(entry.path(), &target).is_err() {
                std::fs::copy(entry.path(), &target)?;
            }
        }
    }
    Ok(())
}

fn count(path: &Path) -> anyhow::Result<usize> {
    let mut files = 0;
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() && entry.file_name() != ".git" {
            files += count(&entry.path())?;
        } else if kind.is_file() {
            files += 1;
        }
    }
    Ok(files)
}
