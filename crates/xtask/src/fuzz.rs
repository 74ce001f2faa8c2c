//! `cargo xtask fuzz`: runs the fuzz targets in `fuzz`, one after the other, and prints what came of it.
//!
//! Seeds and dictionaries are made here, from the project's own fixtures, examples and tests: nothing of them is committed.
//! Deliberately absent: memory checkers, since the workspace forbids `unsafe`; minimising, which `cargo fuzz tmin` does.

mod seeds;

use crate::setup::{self, say};
use anyhow::{Context, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Targets to run; all of them where none is named.
    targets: Vec<String>,
    /// Minutes for each target.
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Longest input in bytes.
    #[arg(long, default_value_t = 16_384)]
    max_len: usize,
    /// A folder with more seeds: one folder in it per target.
    #[arg(long)]
    seeds: Option<PathBuf>,
}

/// What came of one target.
struct Outcome {
    target: String,
    seconds: u64,
    executions: u64,
    inputs: u64,
    covered: u64,
    slowest: u64,
    memory: u64,
    findings: Vec<String>,
    failed: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    setup::tools(&[&setup::C_COMPILER])?;
    let folder = setup::root().join("fuzz");
    let known = targets(&folder)?;
    let wanted = if arguments.targets.is_empty() { known.clone() } else { arguments.targets.clone() };
    if let Some(strange) = wanted.iter().find(|target| !known.contains(target)) {
        bail!("`{strange}` is no target: there are {}", known.join(", "));
    }
    if !Command::new("cargo-fuzz").arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success())
    {
        say("cargo install cargo-fuzz: builds and starts the targets");
        setup::run(setup::cargo().args(["install", "--locked", "cargo-fuzz"]))?;
    }
    say("seeds from fixtures, examples and tests");
    seeds::write(&setup::root(), &folder, &wanted)?;
    let mut outcomes = Vec::new();
    for target in wanted {
        say(&format!("{target}: {} minutes", arguments.minutes));
        outcomes.push(one(&folder, &target, arguments)?);
    }
    print(&outcomes);
    if outcomes.iter().any(|outcome| outcome.failed || !outcome.findings.is_empty()) {
        bail!("some inputs make trouble: they are in `fuzz/artifacts`");
    }
    Ok(())
}

/// The targets there are: the files in `targets`.
fn targets(folder: &Path) -> anyhow::Result<Vec<String>> {
    let entries = std::fs::read_dir(folder.join("targets")).context("reading `fuzz/targets`")?;
    let mut names: Vec<String> =
        entries.filter_map(|entry| Some(entry.ok()?.file_name().to_str()?.strip_suffix(".rs")?.to_string())).collect();
    names.sort();
    Ok(names)
}

fn one(folder: &Path, target: &str, arguments: &Arguments) -> anyhow::Result<Outcome> {
    let artifacts = folder.join("artifacts").join(target);
    let before = names(&artifacts);
    let found = folder.join("corpus").join(target);
    std::fs::create_dir_all(&found)?;
    let mut command = setup::cargo();
    // The coverage that guides it needs flags of the compiler that are unstable; no other compiler is needed.
    command.env("RUSTC_BOOTSTRAP", "1").current_dir(folder.join(".."));
    command.args(["fuzz", "run", "--sanitizer", "none", target]).arg(&found).arg(folder.join("seeds").join(target));
    command.args(arguments.seeds.iter().map(|seeds| seeds.join(target)).filter(|seeds| seeds.is_dir()));
    command.arg("--");
    command.arg(format!("-max_total_time={}", (arguments.minutes * 60.0) as u64));
    command.arg(format!("-max_len={}", arguments.max_len));
    command.arg(format!("-dict={}", folder.join("dictionaries").join(target).display()));
    command.args(["-timeout=10", "-report_slow_units=1", "-rss_limit_mb=2048", "-print_final_stats=1"]);
    let started = Instant::now();
    let output = command.stdout(Stdio::null()).stderr(Stdio::piped()).output().context("running `cargo fuzz`")?;
    let log = String::from_utf8_lossy(&output.stderr);
    let number = |name: &str| {
        let line = log.lines().rev().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.trim().parse().ok()).unwrap_or(0)
    };
    let covered = log.lines().rev().find_map(|line| line.split(" cov: ").nth(1)?.split(' ').next()?.parse().ok());
    if !output.status.success() {
        eprintln!("{}", tail(&log, 40));
    }
    Ok(Outcome {
        target: target.to_string(),
        seconds: started.elapsed().max(Duration::from_secs(1)).as_secs(),
        executions: number("stat::number_of_executed_units:"),
        inputs: number("stat::new_units_added:"),
        covered: covered.unwrap_or(0),
        slowest: number("stat::slowest_unit_time_sec:"),
        memory: number("stat::peak_rss_mb:"),
        findings: names(&artifacts).into_iter().filter(|name| !before.contains(name)).collect(),
        failed: !output.status.success(),
    })
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

fn print(outcomes: &[Outcome]) {
    println!(
        "{:<12} {:>8} {:>12} {:>8} {:>8} {:>8} {:>7}  findings",
        "target", "seconds", "executions", "inputs", "covered", "slowest", "memory"
    );
    for outcome in outcomes {
        let findings = match (&outcome.findings[..], outcome.failed) {
            ([], false) => "none".to_string(),
            ([], true) => "it failed".to_string(),
            (findings, _) => findings.join(" "),
        };
        println!(
            "{:<12} {:>8} {:>12} {:>8} {:>8} {:>6} s {:>4} MB  {findings}",
            outcome.target,
            outcome.seconds,
            outcome.executions,
            outcome.inputs,
            outcome.covered,
            outcome.slowest,
            outcome.memory
        );
    }
}
