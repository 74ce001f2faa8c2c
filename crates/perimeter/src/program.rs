//! The program behind a command: through the search path, symbolic links, `#!` lines and `env`, down to what the kernel loads.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Scripts that are run by scripts; the kernel has 4 as well.
const MAX_DEPTH: usize = 5;
/// Of a file's beginning: enough for a `#!` line and a program's headers.
const HEAD: u64 = 8192;
/// Where programs are looked for without a search path.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";
/// Programs that run what they are told.
const SHELLS: [&str; 12] =
    ["sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish", "csh", "tcsh", "busybox", "toybox"];

/// A command, resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// What was asked for.
    pub command: OsString,
    /// What the kernel executes; symbolic links are left, since runtimes find their home by them.
    pub path: PathBuf,
    /// Its arguments, from the name it is called by.
    pub arguments: Vec<OsString>,
    /// The shell that interprets it, if one does.
    pub shell: Option<PathBuf>,
    /// All files that starting it executes: scripts, interpreters, the loader; without symbolic links.
    pub files: Vec<PathBuf>,
    /// Whether it is loaded by a loader, so that `LD_PRELOAD` reaches it.
    pub dynamic: bool,
}

impl Program {
    /// Resolves a command by the search path `path`.
    ///
    /// # Errors
    /// When there is no such file, or it isn't a program.
    pub fn find(command: &OsStr, arguments: &[OsString], path: Option<&OsStr>) -> std::io::Result<Self> {
        let found = locate(command, path)?;
        let mut program = Self {
            command: command.to_owned(),
            path: found,
            arguments: std::iter::once(command.to_owned()).chain(arguments.iter().cloned()).collect(),
            shell: None,
            files: Vec::new(),
            dynamic: false,
        };
        for _ in 0..MAX_DEPTH {
            let real = program.path.canonicalize()?;
            let head = head(&real);
            program.files.push(real.clone());
            let Some(line) = head.strip_prefix(b"#!") else {
                if real.file_name().and_then(OsStr::to_str).is_some_and(|name| SHELLS.contains(&name)) {
                    program.shell = Some(program.path.clone());
                }
                if let Some(loader) = loader(&head) {
                    program.dynamic = true;
                    program.files.push(loader.canonicalize()?);
                }
                return Ok(program);
            };
            program.interpret(line, path)?;
        }
        Err(std::io::Error::other("too many scripts that are run by scripts"))
    }

    /// From a script to what runs it, as the kernel does; `env` is gone through, since it would execute a second time.
    fn interpret(&mut self, line: &[u8], path: Option<&OsStr>) -> std::io::Result<()> {
        let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii();
        let (interpreter, argument) = match line.iter().position(|byte| matches!(byte, b' ' | b'\t')) {
            Some(at) => (&line[..at], line[at..].trim_ascii()),
            None => (line, &b""[..]),
        };
        let script = std::mem::take(&mut self.path).into_os_string();
        let mut words: Vec<OsString> = vec![OsString::from_vec(interpreter.to_vec())];
        if Path::new(&words[0]).file_name() == Some(OsStr::new("env")) {
            let split = argument.strip_prefix(b"-S").map(<[u8]>::trim_ascii);
            let given: Vec<&[u8]> = match split {
                Some(split) => split.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect(),
                None => vec![argument],
            };
            // Options, variables and quotes of `env` are its own business.
            let plain = |word: &&[u8]| !word.starts_with(b"-") && !word.contains(&b'=');
            let simple = given.first().is_some_and(plain) && !argument.iter().any(|byte| b"'\"\\$".contains(byte));
            if simple {
                words = given.into_iter().map(|word| OsString::from_vec(word.to_vec())).collect();
            } else {
                // It executes something, and it can't be told what.
                self.shell = Some(PathBuf::from(&words[0]));
                words.push(OsString::from_vec(argument.to_vec()));
            }
        } else if !argument.is_empty() {
            words.push(OsString::from_vec(argument.to_vec()));
        }
        self.path = locate(&words[0], path)?;
        words.push(script);
        words.extend(self.arguments.drain(..).skip(1));
        self.arguments = words;
        Ok(())
    }
}

/// The file of a command's name.
fn locate(command: &OsStr, path: Option<&OsStr>) -> std::io::Result<PathBuf> {
    let missing = || std::io::Error::from(std::io::ErrorKind::NotFound);
    if command.is_empty() {
        return Err(missing());
    }
    if command.as_bytes().contains(&b'/') {
        let path = PathBuf::from(command);
        return if path.exists() { Ok(path) } else { Err(missing()) };
    }
    let runs =
        |path: &PathBuf| path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0);
    let folders = path.unwrap_or(OsStr::new(DEFAULT_PATH));
    std::env::split_paths(folders).map(|folder| folder.join(command)).find(runs).ok_or_else(missing)
}

/// The beginning of a file; nothing of one that may be executed but not read.
fn head(path: &Path) -> Vec<u8> {
    let mut head = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    if read.is_err() {
        head.clear();
    }
    head
}

/// The loader a 64-bit little-endian ELF program names (`PT_INTERP`).
fn loader(head: &[u8]) -> Option<PathBuf> {
    let number = |at: usize, bytes: usize| -> Option<usize> {
        let field = head.get(at..at.checked_add(bytes)?)?;
        field.iter().rev().try_fold(0usize, |sum, byte| sum.checked_mul(256)?.checked_add(usize::from(*byte)))
    };
    if head.get(..6)? != b"\x7fELF\x02\x01" {
        return None;
    }
    let (table, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
    for index in 0..count.min(64) {
        let entry = table.checked_add(index.checked_mul(size)?)?;
        if number(entry, 4)? == 3 {
            let (offset, length) = (number(entry.checked_add(8)?, 8)?, number(entry.checked_add(32)?, 8)?);
            let name = head.get(offset..offset.checked_add(length)?)?;
            let name = name.split(|byte| *byte == 0).next()?;
            return Some(PathBuf::from(OsStr::from_bytes(name)));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(folder: &Path, name: &str, text: &str) -> OsString {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        path.into_os_string()
    }

    #[test]
    fn a_script_is_what_runs_it_and_env_is_gone_through() {
        let folder = std::env::temp_dir().join(format!("perimeter-program-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let inner = script(&folder, "runtime", "#!/bin/sh -e\necho\n");
        let through = script(&folder, "app", "#!/usr/bin/env runtime\n");
        let program = Program::find(&through, &["x".into()], Some(folder.as_os_str())).unwrap();
        assert_eq!(program.arguments, ["/bin/sh", "-e", inner.to_str().unwrap(), through.to_str().unwrap(), "x"]);
        assert_eq!((program.path.to_str(), program.shell.is_some()), (Some("/bin/sh"), true));
        assert!(program.files.contains(&Path::new("/bin/sh").canonicalize().unwrap()), "{:?}", program.files);
        let odd = script(&folder, "odd", "#!/usr/bin/env -i runtime\n");
        let program = Program::find(&odd, &[], Some(folder.as_os_str())).unwrap();
        assert_eq!((program.path.to_str(), program.shell.is_some()), (Some("/usr/bin/env"), true));
        assert!(Program::find(OsStr::new("nowhere-to-be-found"), &[], None).is_err());
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn headers_that_lie_are_no_loader() {
        let mut head = b"\x7fELF\x02\x01".to_vec();
        head.resize(64, 0xff);
        assert_eq!(loader(&head), None);
        assert_eq!(loader(b"\x7fELF\x02\x01"), None);
        assert_eq!(loader(b""), None);
    }
}
