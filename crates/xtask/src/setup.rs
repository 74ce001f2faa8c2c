//! What a fresh machine lacks, installed: Debian's packages, and Python packages in a folder of the project's own.
//!
//! Everything is said before it is done. Nothing is asked, and nothing outside Debian's packages and the `target` folder changes.

use anyhow::{Context, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// A program that must be there, with Debian's package that brings it.
pub(crate) struct Tool {
    /// How to see that it is there: a program and its arguments.
    pub(crate) probe: &'static [&'static str],
    /// Debian's packages.
    pub(crate) packages: &'static [&'static str],
    /// What it is for.
    pub(crate) purpose: &'static str,
}

/// C compiler: for the grammars and SQLite.
pub(crate) const C_COMPILER: Tool =
    Tool { probe: &["cc", "--version"], packages: &["gcc", "libc6-dev"], purpose: "compiles SQLite and the grammars" };
/// Python with `venv`, for the Python functions and the stand-in for AWS.
pub(crate) const PYTHON: Tool = Tool {
    probe: &["python3", "-c", "import venv, ensurepip"],
    packages: &["python3", "python3-venv"],
    purpose: "runs Python functions and the stand-in for AWS",
};
/// Node, for the JavaScript functions.
pub(crate) const NODE: Tool =
    Tool { probe: &["node", "--version"], packages: &["nodejs"], purpose: "runs JavaScript functions" };
/// npm, for what JavaScript functions import.
pub(crate) const NPM: Tool =
    Tool { probe: &["npm", "--version"], packages: &["npm"], purpose: "installs what they import" };

/// The root of the checkout.
pub(crate) fn root() -> PathBuf {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder.ancestors().nth(2).unwrap_or(crate_folder).to_path_buf()
}

/// Where builds go: `CARGO_TARGET_DIR`, or `target` in the checkout.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// Says what is being done.
pub(crate) fn say(text: &str) {
    println!("\u{2500}\u{2500} {text}");
}

/// Installs what is missing of `tools` with apt.
pub(crate) fn tools(tools: &[&Tool]) -> anyhow::Result<()> {
    let missing: Vec<&&Tool> = tools.iter().filter(|tool| !works(tool.probe)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().flat_map(|tool| tool.packages.iter().copied()).collect();
    for tool in &missing {
        say(&format!("missing: {} ({})", tool.packages.join(" "), tool.purpose));
    }
    if !works(&["apt-get", "--version"]) {
        bail!("install these with your package manager and run this again: {}", packages.join(" "));
    }
    let apt = |arguments: &[&str]| {
        let mut command = if is_root() { Command::new("apt-get") } else { Command::new("sudo") };
        if !is_root() {
            command.args(["-n", "apt-get"]);
        }
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        run(&mut command)
    };
    say("apt-get update");
    apt(&["update", "-q"])?;
    say(&format!("apt-get install {}", packages.join(" ")));
    let mut install = vec!["install", "-q", "-y", "--no-install-recommends"];
    install.extend(packages.iter().copied());
    apt(&install)?;
    match missing.iter().find(|tool| !works(tool.probe)) {
        Some(tool) => {
            bail!("`{}` still doesn't work after installing {}", tool.probe.join(" "), tool.packages.join(" "))
        }
        None => Ok(()),
    }
}

fn works(probe: &[&str]) -> bool {
    let Some((program, arguments)) = probe.split_first() else { return true };
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// A folder with Python packages of their own; gives its Python. Packages that are there are left alone.
pub(crate) fn python(folder: &Path, packages: &[&str]) -> anyhow::Result<PathBuf> {
    let python = folder.join("bin/python3");
    let marker = folder.join("installed");
    let wanted = packages.join(" ");
    if std::fs::read_to_string(&marker).is_ok_and(|installed| installed == wanted)
        && works(&[&python.display().to_string(), "--version"])
    {
        return Ok(python);
    }
    say(&format!("pip install {wanted}"));
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder))?;
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages))?;
    std::fs::write(&marker, wanted)?;
    Ok(python)
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let shown = format!("{command:?}").replace('"', "");
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("can't start {shown}"))?;
    if !status.success() {
        bail!("{shown} ended with {status}");
    }
    Ok(())
}

/// The cargo that runs this chore.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Builds both programs for release; gives the folder they are in.
pub(crate) fn build_release() -> anyhow::Result<PathBuf> {
    let started = Instant::now();
    say("building ringfence and ringfence-agent (the first time takes some minutes)");
    run(cargo().args(["build", "--release", "--locked", "--package", "ringfence", "--package", "ringfence-agent"]))?;
    say(&format!("built in {} s", started.elapsed().as_secs()));
    Ok(target().join("release"))
}
