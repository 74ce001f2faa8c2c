//! `cargo xtask bench waf`: what a transaction costs in the firewall's engine, beside libmodsecurity with the same rules
//! on the same requests. Instructions are counted by valgrind, so that other load on the machine doesn't matter; the
//! difference of two runs leaves out what starting costs.

mod corpus;

use crate::setup::{self, Tool, say};
use anyhow::{Context, bail, ensure};
use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Counts instructions.
const VALGRIND: Tool =
    Tool { probe: &["valgrind", "--version"], packages: &["valgrind"], purpose: "counts instructions" };

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The rule set: a folder with `crs-setup.conf.example` and `rules`.
    #[arg(long, value_name = "FOLDER")]
    rules: PathBuf,
    /// Requests, a folder per scenario (`*.http`, `response.http`); made here when not given.
    #[arg(long, value_name = "FOLDER")]
    corpus: Option<PathBuf>,
    /// Paranoia level; 1 and 4 when not given.
    #[arg(long = "level", value_parser = clap::value_parser!(u8).range(1..=4))]
    levels: Vec<u8>,
    /// Only these scenarios.
    #[arg(long = "scenario", value_name = "NAME")]
    scenarios: Vec<String>,
    /// Seconds for each measurement of time.
    #[arg(long, default_value_t = 0.5)]
    seconds: f64,
    /// Leaves libmodsecurity out.
    #[arg(long)]
    alone: bool,
}

/// A program that runs transactions: `PROGRAM RULES CORPUS SECONDS|nCOUNT [SCENARIO]`.
struct Driver {
    name: &'static str,
    program: PathBuf,
    /// Transactions of the two runs that are counted.
    counts: (u64, u64),
}

/// What one driver needs for a scenario.
#[derive(Clone, Copy, Default)]
struct Cost {
    instructions: u64,
    microseconds: f64,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    setup::tools(&[&VALGRIND])?;
    let work = setup::target().join("bench-waf");
    fs::create_dir_all(&work)?;
    let rules = arguments.rules.canonicalize().context("the rules aren't there")?;
    let corpus = match &arguments.corpus {
        Some(folder) => folder.clone(),
        None => {
            let folder = work.join("corpus");
            corpus::write(&folder)?;
            folder
        }
    };
    say("building the driver");
    setup::run(setup::cargo().args(["build", "--release", "--locked", "--package", "waf", "--example", "crs_bench"]))?;
    let ours = Driver { name: "ours", program: setup::target().join("release/examples/crs_bench"), counts: (32, 160) };
    let peer = if arguments.alone { None } else { peer(&work)? };
    let levels = if arguments.levels.is_empty() { vec![1, 4] } else { arguments.levels.clone() };
    let mut scenarios: Vec<String> = fs::read_dir(&corpus)?
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
        .filter(|name| corpus.join(name).is_dir())
        .filter(|name| arguments.scenarios.is_empty() || arguments.scenarios.contains(name))
        .collect();
    scenarios.sort();
    ensure!(!scenarios.is_empty(), "there is no scenario in {}", corpus.display());

    let mut table = String::from("level  scenario        M instr      peer   ratio         us      peer   ratio\n");
    let mut notes = String::new();
    for level in levels {
        let main = work.join(format!("level-{level}.conf"));
        fs::write(&main, configuration(&rules, level))?;
        let mut drivers: Vec<(&Driver, &Path)> = vec![(&ours, &rules)];
        drivers.extend(peer.as_ref().map(|peer| (peer, main.as_path())));
        for (driver, rules) in &drivers {
            let start = driver.lines(level, rules, &corpus, &arguments.seconds.to_string(), None)?;
            let _ = writeln!(notes, "level {level}, {}: {}", driver.name, start.first().unwrap_or(&Value::Null));
        }
        for scenario in &scenarios {
            let mut costs = [Cost::default(); 2];
            for (cost, (driver, rules)) in costs.iter_mut().zip(&drivers) {
                *cost = driver.cost(level, rules, &corpus, scenario, arguments.seconds)?;
            }
            let [own, other] = costs;
            let ratio = |peer: f64, own: f64| if own > 0.0 { peer / own } else { 0.0 };
            let _ = writeln!(
                table,
                "{level:>5}  {scenario:<13} {:>9.3} {:>9.2} {:>6.1}x  {:>9.1} {:>9.0} {:>6.1}x",
                own.instructions as f64 / 1e6,
                other.instructions as f64 / 1e6,
                ratio(other.instructions as f64, own.instructions as f64),
                own.microseconds,
                other.microseconds,
                ratio(other.microseconds, own.microseconds),
            );
            say(&format!("level {level}, {scenario}: done"));
        }
    }
    println!("{table}\n{notes}");
    Ok(())
}

/// Rules for the peer: what the engine of ours has in front of a rule set, the set's setup, the level, the set.
fn configuration(rules: &Path, level: u8) -> String {
    let base = setup::root().join("crates/waf/src/seclang/base.conf");
    format!(
        "Include {}\nInclude {}/crs-setup.conf.example\nSecAction \"id:1000001,phase:1,nolog,pass,t:none,\
         setvar:tx.blocking_paranoia_level={level},setvar:tx.detection_paranoia_level={level}\"\nInclude {}/rules/*.conf\n",
        base.display(),
        rules.display(),
        rules.display()
    )
}

/// Compiles the peer's driver, when libmodsecurity is there.
fn peer(work: &Path) -> anyhow::Result<Option<Driver>> {
    let source = work.join("peer.c");
    fs::write(&source, include_str!("waf/peer.c"))?;
    let program = work.join("peer");
    let compiled = Command::new("cc")
        .args(["-O2", "-o"])
        .arg(&program)
        .arg(&source)
        .arg("-lmodsecurity")
        .stderr(Stdio::null())
        .status();
    if !compiled.is_ok_and(|status| status.success()) {
        say("no libmodsecurity (Debian's libmodsecurity-dev): our side only");
        return Ok(None);
    }
    // A transaction there costs tens of times as much: a few are enough.
    Ok(Some(Driver { name: "libmodsecurity", program, counts: (4, 12) }))
}

impl Driver {
    fn command(&self, level: u8, wrapper: &[&str]) -> Command {
        let mut command = match wrapper.split_first() {
            Some((program, arguments)) => {
                let mut command = Command::new(program);
                command.args(arguments).arg(&self.program);
                command
            }
            None => Command::new(&self.program),
        };
        command.env("RINGFENCE_PARANOIA", level.to_string()).stdin(Stdio::null());
        command
    }

    /// The lines of JSON that a run prints.
    fn lines(
        &self,
        level: u8,
        rules: &Path,
        corpus: &Path,
        budget: &str,
        scenario: Option<&str>,
    ) -> anyhow::Result<Vec<Value>> {
        let output = self.command(level, &[]).arg(rules).arg(corpus).arg(budget).args(scenario).output()?;
        ensure!(output.status.success(), "{} ended with {}", self.name, output.status);
        String::from_utf8(output.stdout)?.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
    }

    fn cost(&self, level: u8, rules: &Path, corpus: &Path, scenario: &str, seconds: f64) -> anyhow::Result<Cost> {
        let count = |transactions: u64| -> anyhow::Result<u64> {
            let wrapper = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"];
            let output = self
                .command(level, &wrapper)
                .arg(rules)
                .arg(corpus)
                .arg(format!("n{transactions}"))
                .arg(scenario)
                .output()?;
            let told = String::from_utf8_lossy(&output.stderr);
            let collected = told.lines().find_map(|line| line.split("Collected :").nth(1)?.trim().parse().ok());
            match collected {
                Some(instructions) if output.status.success() => Ok(instructions),
                _ => bail!("valgrind told nothing about {}: {told}", self.name),
            }
        };
        let (few, many) = self.counts;
        let instructions = count(many)?.saturating_sub(count(few)?) / (many - few);
        let lines = self.lines(level, rules, corpus, &seconds.to_string(), Some(scenario))?;
        let microseconds = lines.iter().find_map(|line| line.get("p50_us")?.as_f64()).unwrap_or(0.0);
        Ok(Cost { instructions, microseconds })
    }
}
