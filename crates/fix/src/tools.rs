//! The ecosystems' own tools, run in a folder of their own so that nothing of people's files changes before they agree.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a tool may take.
const MAX_TIME: Duration = Duration::from_secs(300);
/// How much of what a tool says is kept, in bytes.
const MAX_SAID: usize = 2_000;

/// Runs tools; a trait, so that tests can do without.
pub trait Tools {
    /// Whether a program is installed.
    fn has(&self, program: &str) -> bool;

    /// Runs a program in a folder and waits for it.
    ///
    /// # Errors
    /// What it said where it failed.
    fn run(&self, program: &str, arguments: &[String], folder: &Path) -> Result<(), String>;
}

/// What is installed on this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct Installed;

impl Tools for Installed {
    fn has(&self, program: &str) -> bool {
        let paths = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&paths).any(|folder| folder.join(program).is_file())
    }

    fn run(&self, program: &str, arguments: &[String], folder: &Path) -> Result<(), String> {
        // What it says goes into files: a pipe that nobody empties would stop it.
        let said = folder.join(".ringfence-said");
        let file =
            std::fs::File::create(&said).map_err(|error| format!("can't write `{}`: {error}", said.display()))?;
        let other = file.try_clone().map_err(|error| error.to_string())?;
        let mut child = Command::new(program)
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(other)
            .spawn()
            .map_err(|error| format!("can't start `{program}`: {error}"))?;
        let started = Instant::now();
        let status = loop {
            match child.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if started.elapsed() > MAX_TIME => {
                    // It may have ended meanwhile; either way it is gone afterwards.
                    let _ = child.kill();
                    let _ = child.wait();
                    return Err(format!("`{program}` took longer than {} seconds", MAX_TIME.as_secs()));
                }
                Ok(None) => std::thread::sleep(Duration::from_millis(20)),
                Err(error) => return Err(format!("can't wait for `{program}`: {error}")),
            }
        };
        if status.success() {
            return Ok(());
        }
        let text = std::fs::read(&said).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        let from = text.char_indices().rev().nth(MAX_SAID).map_or(0, |(at, _)| at);
        let text: String =
            text.get(from..).unwrap_or_default().chars().filter(|c| !c.is_control() || *c == '\n').collect();
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let last = lines.len().saturating_sub(4);
        Err(format!("`{program}` failed: {}", lines.get(last..).unwrap_or_default().join("; ")))
    }
}

/// A folder that goes when it is dropped.
pub(crate) struct Scratch(std::path::PathBuf);

impl Scratch {
    /// Makes one that nobody else has.
    pub(crate) fn new() -> Result<Self, String> {
        for attempt in 0..1000_u32 {
            let path = std::env::temp_dir().join(format!("ringfence-fix-{}-{attempt}", std::process::id()));
            match std::fs::create_dir(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(format!("can't make a folder to work in: {error}")),
            }
        }
        Err("can't make a folder to work in".to_string())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> Result<(), String> {
        let path = self.0.join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|error| error.to_string())?;
        }
        std::fs::write(path, text).map_err(|error| error.to_string())
    }

    pub(crate) fn read(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.0.join(name)).ok()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays behind in the folder for temporary files does no harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
