//! What the functions' languages need on this machine, installed when it is missing and only then: AWS's Python runtime client
//! and boto3 in a virtual environment, the AWS SDK for JavaScript, and each function's own dependencies.
//!
//! Everything lands under the application's `.ringfence` folder; nothing is installed for the whole machine.

use crate::stage;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long one installation may take.
const INSTALL_LIMIT: Duration = Duration::from_secs(600);
/// Marks a virtual environment that was set up to its end.
const READY: &str = ".ringfence-ready";
/// What AWS's Python runtimes bring along.
const PYTHON_PACKAGES: &[&str] = &["awslambdaric", "boto3"];

/// Why something couldn't be installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// A program isn't there.
    #[error("`{program}` is not installed (Debian and Ubuntu have it in the package `{package}`)")]
    Missing {
        /// The program.
        program: &'static str,
        /// The package that has it.
        package: &'static str,
    },
    /// An installer failed; the end of what it said.
    #[error("`{what}` failed: {said}")]
    Failed {
        /// What was run.
        what: String,
        /// What it said last.
        said: String,
    },
    /// An installer took too long.
    #[error("`{0}` took longer than {1} seconds and was ended")]
    TooLong(String, u64),
    /// Reading or writing failed.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Says what is going on.
pub type Progress<'a> = &'a (dyn Fn(&str) + Sync);

/// The program of a name on `PATH`.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|candidate| {
        fs::metadata(candidate).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    })
}

/// What `program --version` says, without the language's name: `3.11.7`, `20.20.2`.
pub(crate) fn version_of(program: &Path) -> Option<String> {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = text.trim().rsplit([' ', 'v']).next()?.to_owned();
    (!version.is_empty()).then_some(version)
}

/// The Python interpreter of the application's own virtual environment, made on first use.
pub(crate) fn python(state: &Path, progress: Progress<'_>) -> Result<PathBuf, InstallError> {
    let folder = state.join("python");
    let interpreter = folder.join("bin/python");
    if folder.join(READY).is_file() && interpreter.exists() {
        return Ok(interpreter);
    }
    let python = on_path("python3").ok_or(InstallError::Missing { program: "python3", package: "python3-venv" })?;
    progress(&format!("making a Python environment in {}", folder.display()));
    let made = run(Command::new(&python).args(["-m", "venv", "--clear"]).arg(&folder), "python3 -m venv");
    if let Err(InstallError::Failed { said, what }) = made {
        let no_pip = said.contains("ensurepip") || said.contains("No module named venv");
        return Err(if no_pip {
            InstallError::Missing { program: "python3 -m venv", package: "python3-venv" }
        } else {
            InstallError::Failed { what, said }
        });
    }
    made?;
    progress(&format!("installing {} (once, for all Python functions)", PYTHON_PACKAGES.join(" and ")));
    run(pip(&interpreter).args(PYTHON_PACKAGES), "pip install awslambdaric boto3")?;
    fs::write(folder.join(READY), "")?;
    Ok(interpreter)
}

fn pip(interpreter: &Path) -> Command {
    let mut command = Command::new(interpreter);
    command.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]);
    command
}

/// Installs a `requirements.txt` of `folder` into `target`, if it hasn't been. What the runtime brings along is left out.
pub(crate) fn requirements(
    name: &str,
    interpreter: &Path,
    folder: &Path,
    target: &Path,
    progress: Progress<'_>,
) -> Result<(), InstallError> {
    let Ok(text) = fs::read_to_string(folder.join("requirements.txt")) else { return Ok(()) };
    let wanted: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#') && !brought(line))
        .collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let marker = folder.join(".ringfence-requirements.txt");
    let wanted = wanted.join("\n");
    if fs::read_to_string(&marker).ok().as_deref() == Some(wanted.as_str()) {
        return Ok(());
    }
    progress(&format!("installing the requirements of {name}"));
    fs::create_dir_all(target)?;
    let before = stage::names_in(folder)?;
    let list = folder.join(".ringfence-requirements.new");
    fs::write(&list, &wanted)?;
    let mut command = pip(interpreter);
    command.arg("--upgrade").arg("--target").arg(target).arg("-r").arg(&list).current_dir(folder);
    let installed = run(&mut command, "pip install -r requirements.txt");
    fs::remove_file(&list)?;
    installed?;
    fs::write(&marker, &wanted)?;
    stage::note_installed(folder, &before)?;
    Ok(())
}

/// Whether a line of `requirements.txt` asks for what the runtime has anyway.
fn brought(line: &str) -> bool {
    let name: String = line
        .chars()
        .take_while(|character| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.'))
        .collect();
    matches!(name.to_ascii_lowercase().as_str(), "boto3" | "botocore" | "awslambdaric" | "s3transfer")
}

/// Node.js, if it is there. Version managers put a script in its place that needs its caller's environment: the program
/// itself is asked where it really lies.
pub(crate) fn node() -> Result<PathBuf, InstallError> {
    let found = on_path("node").ok_or(InstallError::Missing { program: "node", package: "nodejs" })?;
    let output = Command::new(&found).args(["-p", "process.execPath"]).stdin(Stdio::null()).output()?;
    let real = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    Ok(if output.status.success() && real.is_file() { real } else { found })
}

/// The SDK that still runs on Node.js 18, which Debian 12 has: later ones ask for 20 in their manifests.
const OLDER_NODE: &str = "@<3.900.0";

fn npm() -> Result<Command, InstallError> {
    let npm = on_path("npm").ok_or(InstallError::Missing { program: "npm", package: "npm" })?;
    let mut command = Command::new(npm);
    command.args(["install", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error"]);
    Ok(command)
}

/// Installs packages once for all functions, into `build/node_modules`, where every staged copy finds them.
pub(crate) fn shared_packages(
    build: &Path,
    packages: &BTreeSet<String>,
    progress: Progress<'_>,
) -> Result<(), InstallError> {
    let missing: Vec<&str> = packages
        .iter()
        .map(String::as_str)
        .filter(|package| !build.join("node_modules").join(package).join("package.json").is_file())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    fs::create_dir_all(build)?;
    let manifest = build.join("package.json");
    if !manifest.is_file() {
        fs::write(&manifest, "{ \"name\": \"functions\", \"private\": true }\n")?;
    }
    progress(&format!("installing {} (once, for all JavaScript functions)", missing.join(", ")));
    let mut command = npm()?;
    let bound = if node_major()? < 20 { OLDER_NODE } else { "" };
    let wanted = missing.iter().map(|package| {
        if package.starts_with("@aws-sdk/") { format!("{package}{bound}") } else { (*package).to_owned() }
    });
    command.arg("--ignore-scripts").args(wanted).current_dir(build);
    run(&mut command, "npm install")
}

/// Node.js's major version; 0 where it doesn't tell.
fn node_major() -> Result<u32, InstallError> {
    let output = Command::new(node()?).args(["-p", "process.versions.node"]).stdin(Stdio::null()).output()?;
    let version = String::from_utf8_lossy(&output.stdout);
    Ok(version.split('.').next().and_then(|major| major.trim().parse().ok()).unwrap_or(0))
}

/// Installs the dependencies that a staged copy's own `package.json` names, if they haven't been.
pub(crate) fn own_packages(name: &str, folder: &Path, progress: Progress<'_>) -> Result<(), InstallError> {
    let Ok(text) = fs::read_to_string(folder.join("package.json")) else { return Ok(()) };
    let manifest: serde_json::Value = serde_json::from_str(&text)
        .map_err(|error| InstallError::Failed { what: format!("package.json of {name}"), said: error.to_string() })?;
    let some =
        |key: &str| manifest.get(key).and_then(serde_json::Value::as_object).is_some_and(|list| !list.is_empty());
    if !some("dependencies") && !some("optionalDependencies") {
        return Ok(());
    }
    let marker = folder.join(".ringfence-package.json");
    if fs::read_to_string(&marker).ok().as_deref() == Some(text.as_str()) && folder.join("node_modules").is_dir() {
        return Ok(());
    }
    progress(&format!("installing the packages of {name}"));
    let before = stage::names_in(folder)?;
    run(npm()?.current_dir(folder), "npm install")?;
    fs::write(&marker, &text)?;
    stage::note_installed(folder, &before)?;
    Ok(())
}

/// Runs an installer to its end, its words kept for the case that it fails.
fn run(command: &mut Command, what: &str) -> Result<(), InstallError> {
    // Files rather than pipes: nothing has to be read while it runs.
    let said = tempfile_in_memory()?;
    let copy = said.try_clone()?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::from(said.try_clone()?))
        .stderr(Stdio::from(copy))
        .env_remove("PYTHONPATH")
        .env_remove("PYTHONHOME")
        .spawn()?;
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if began.elapsed() > INSTALL_LIMIT {
            child.kill()?;
            child.wait()?;
            return Err(InstallError::TooLong(what.into(), INSTALL_LIMIT.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    if status.success() {
        return Ok(());
    }
    Err(InstallError::Failed { what: what.into(), said: last_lines(said)? })
}

fn tempfile_in_memory() -> io::Result<fs::File> {
    let path = std::env::temp_dir().join(format!("ringfence-install-{}-{}", std::process::id(), crate::request_id()?));
    let file = fs::OpenOptions::new().read(true).append(true).create_new(true).open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}

fn last_lines(mut file: fs::File) -> io::Result<String> {
    use std::io::{Read as _, Seek as _};
    let length = file.metadata()?.len();
    file.seek(io::SeekFrom::Start(length.saturating_sub(4096)))?;
    let mut raw = Vec::new();
    file.read_to_end(&mut raw)?;
    let text = String::from_utf8_lossy(&raw).into_owned();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    Ok(lines.get(lines.len().saturating_sub(5)..).unwrap_or_default().join("; "))
}

/// Packages of the AWS SDK that the JavaScript under `folder` imports. With `v2`, the old SDK too.
pub(crate) fn sdk_imports(folder: &Path, v2: bool) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut budget = 2000;
    collect_imports(folder, v2, 0, &mut budget, &mut found);
    found
}

fn collect_imports(folder: &Path, v2: bool, depth: usize, budget: &mut usize, found: &mut BTreeSet<String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if depth < 20 && entry.file_name() != "node_modules" {
                collect_imports(&path, v2, depth + 1, budget, found);
            }
            continue;
        }
        let script = path.extension().and_then(OsStr::to_str).is_some_and(|end| matches!(end, "js" | "mjs" | "cjs"));
        if !script || *budget == 0 {
            continue;
        }
        *budget -= 1;
        let large = entry.metadata().is_ok_and(|found| found.len() > 4 * 1024 * 1024);
        if let (false, Ok(text)) = (large, fs::read_to_string(&path)) {
            imports_of(&text, v2, found);
        }
    }
}

fn imports_of(text: &str, v2: bool, found: &mut BTreeSet<String>) {
    for quote in ['"', '\'', '`'] {
        // Every other piece lies between quotes, apart from apostrophes in prose: harmless, since only whole names count.
        for piece in text.split(quote) {
            let mut parts = piece.split('/');
            match (parts.next(), parts.next()) {
                (Some(scope @ ("@aws-sdk" | "@smithy")), Some(name)) if is_package_name(name) => {
                    found.insert(format!("{scope}/{name}"));
                }
                (Some("aws-sdk"), _) if v2 && piece.len() < 100 => {
                    found.insert("aws-sdk".into());
                }
                _ => {}
            }
        }
    }
}

fn is_package_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() < 100
        && !name.starts_with('-')
        && name
            .chars()
            .all(|character| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sdk_packages_are_found_in_every_kind_of_import() {
        let mut found = BTreeSet::new();
        let text = r#"
            import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
            const { S3 } = require('@aws-sdk/client-s3/dist-cjs/S3');
            const x = await import(`@smithy/node-http-handler`);
            // don't take "@aws-sdk/../../etc" or "@aws-sdk/--flag" for a package
            const AWS = require("aws-sdk"), other = require("aws-sdk-mock");
        "#;
        imports_of(text, false, &mut found);
        assert_eq!(
            found.iter().map(String::as_str).collect::<Vec<_>>(),
            ["@aws-sdk/client-dynamodb", "@aws-sdk/client-s3", "@smithy/node-http-handler"]
        );
        imports_of(text, true, &mut found);
        assert!(found.contains("aws-sdk") && found.len() == 4);
    }

    #[test]
    fn what_the_runtime_brings_along_is_not_installed_again() {
        for (line, expected) in [
            ("boto3", true),
            ("Boto3>=1.34", true),
            ("botocore[crt]==1", true),
            ("boto3-stubs", false),
            ("requests", false),
        ] {
            assert_eq!(brought(line), expected, "{line}");
        }
    }

    #[test]
    fn an_installer_that_fails_is_quoted() {
        let error =
            run(Command::new("sh").args(["-c", "echo no such package >&2; exit 1"]), "pip install").unwrap_err();
        assert_eq!(error.to_string(), "`pip install` failed: no such package");
    }
}
