//! Copies of the functions' code, so that what is installed beside it never lands in the repository.
//!
//! A file is copied when its size or time differ from the copy's; what has gone from the source goes from the copy, apart from
//! what was installed there.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The largest file that is copied: Lambda takes no more than 250 MB altogether.
const MAX_FILE_BYTES: u64 = 250 * 1024 * 1024;
/// How many files one function may have.
const MAX_FILES: usize = 50_000;
/// How deep its folders may lie.
const MAX_DEPTH: usize = 40;
/// Never copied: not code, or made anew.
const LEFT_OUT: &[&str] = &[".git", "node_modules", ".ringfence", ".aws-sam", "__pycache__", ".venv", ".serverless"];
/// Lists what was installed into a copy: names at its top that a refresh must leave alone.
const INSTALLED: &str = ".ringfence-installed";

/// Why code couldn't be staged.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// There is nothing at the path the template names.
    #[error("its code is not there: `{0}`")]
    Missing(PathBuf),
    /// It is an archive, not a folder.
    #[error("its code is an archive, `{0}`: unpack it, or point the template at the folder")]
    Archive(PathBuf),
    /// The path leads out of the application.
    #[error("its code lies outside the application: `{0}`")]
    Outside(PathBuf),
    /// More than a function can have.
    #[error("its folder has over {MAX_FILES} files or is over {MAX_DEPTH} levels deep: `{0}`")]
    TooMuch(PathBuf),
    /// Reading or writing failed.
    #[error("could not copy its code: {0}")]
    Io(#[from] io::Error),
}

/// Brings the copy of `from` at `to` up to date. `root` is what the copy may not reach out of.
pub(crate) fn folder(root: &Path, from: &Path, to: &Path) -> Result<(), StageError> {
    let real = from.canonicalize().map_err(|_| StageError::Missing(from.to_owned()))?;
    let root = root.canonicalize()?;
    if !real.starts_with(&root) {
        return Err(StageError::Outside(from.to_owned()));
    }
    fs::create_dir_all(to)?;
    if real.is_file() {
        let extension = real.extension().and_then(|extension| extension.to_str()).unwrap_or("");
        if matches!(extension, "zip" | "jar" | "gz" | "tgz" | "tar") {
            return Err(StageError::Archive(from.to_owned()));
        }
        if let Some(name) = real.file_name() {
            refresh(&real, &to.join(name))?;
        }
        return Ok(());
    }
    let installed: HashSet<String> =
        fs::read_to_string(to.join(INSTALLED)).unwrap_or_default().lines().map(str::to_owned).collect();
    let mut copied = 0;
    // A source that contains its own copy must not copy that in turn.
    let own = to.canonicalize()?;
    copy(&root, &own, &real, to, 0, &mut copied, &installed)
}

fn copy(
    root: &Path,
    own: &Path,
    from: &Path,
    to: &Path,
    depth: usize,
    copied: &mut usize,
    installed: &HashSet<String>,
) -> Result<(), StageError> {
    if depth > MAX_DEPTH {
        return Err(StageError::TooMuch(from.to_owned()));
    }
    let mut present = HashSet::new();
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| LEFT_OUT.contains(&name)) {
            continue;
        }
        // Links are followed as far as they stay in the application and lead to no folder we are in.
        let Ok(real) = entry.path().canonicalize() else { continue };
        let loops = real.is_dir() && from.starts_with(&real);
        if !real.starts_with(root) || real.starts_with(own) || loops {
            continue;
        }
        *copied += 1;
        if *copied > MAX_FILES {
            return Err(StageError::TooMuch(from.to_owned()));
        }
        let target = to.join(&name);
        if real.is_dir() {
            if target.is_file() {
                fs::remove_file(&target)?;
            }
            fs::create_dir_all(&target)?;
            copy(root, own, &real, &target, depth + 1, copied, &HashSet::new())?;
        } else if real.is_file() {
            refresh(&real, &target)?;
        } else {
            // A socket or a pipe isn't code.
            continue;
        }
        present.insert(name);
    }
    for entry in fs::read_dir(to)? {
        let entry = entry?;
        let name = entry.file_name();
        let kept = name.to_str().is_some_and(|name| {
            name == INSTALLED || LEFT_OUT.contains(&name) || installed.contains(name) || installed.contains("*")
        });
        if !kept && !present.contains(&name) {
            let path = entry.path();
            if entry.file_type()?.is_dir() { fs::remove_dir_all(&path)? } else { fs::remove_file(&path)? }
        }
    }
    Ok(())
}

fn refresh(from: &Path, to: &Path) -> Result<(), StageError> {
    let source = fs::metadata(from)?;
    if source.len() > MAX_FILE_BYTES {
        return Ok(());
    }
    let same = fs::metadata(to).is_ok_and(|copy| {
        copy.len() == source.len()
            && matches!((copy.modified(), source.modified()), (Ok(copy), Ok(source)) if copy >= source)
    });
    if !same {
        if to.is_dir() {
            fs::remove_dir_all(to)?;
        }
        fs::copy(from, to)?;
    }
    Ok(())
}

/// Writes code that the template holds itself.
pub(crate) fn inline(text: &str, file: &str, to: &Path) -> Result<(), StageError> {
    fs::create_dir_all(to)?;
    let path = to.join(file);
    if fs::read_to_string(&path).ok().as_deref() != Some(text) {
        fs::write(path, text)?;
    }
    Ok(())
}

/// Notes what an installer put into a copy, so that the next refresh leaves it there.
pub(crate) fn note_installed(to: &Path, before: &HashSet<std::ffi::OsString>) -> io::Result<()> {
    let mut names: Vec<String> =
        fs::read_to_string(to.join(INSTALLED)).unwrap_or_default().lines().map(str::to_owned).collect();
    for entry in fs::read_dir(to)? {
        let name = entry?.file_name();
        if !before.contains(&name) {
            names.push(name.to_string_lossy().into_owned());
        }
    }
    names.sort();
    names.dedup();
    fs::write(to.join(INSTALLED), names.join("\n"))
}

/// The names at the top of a folder.
pub(crate) fn names_in(folder: &Path) -> io::Result<HashSet<std::ffi::OsString>> {
    fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.file_name())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_follows_its_source_and_keeps_what_was_installed() {
        let root = tempfile::tempdir().unwrap();
        let (from, to) = (root.path().join("src"), root.path().join(".ringfence/build/F"));
        fs::create_dir_all(from.join("lib/node_modules")).unwrap();
        fs::write(from.join("app.py"), "one").unwrap();
        fs::write(from.join("lib/x.py"), "x").unwrap();
        std::os::unix::fs::symlink(&from, from.join("lib/loop")).unwrap();
        std::os::unix::fs::symlink("/etc/hostname", from.join("outside")).unwrap();
        folder(root.path(), &from, &to).unwrap();
        assert_eq!(fs::read_to_string(to.join("app.py")).unwrap(), "one");
        assert!(
            to.join("lib/x.py").exists()
                && !to.join("lib/loop").exists()
                && !to.join("outside").exists()
                && !to.join("lib/node_modules").exists()
        );
        let before = names_in(&to).unwrap();
        fs::create_dir(to.join("requests")).unwrap();
        note_installed(&to, &before).unwrap();
        fs::remove_dir_all(from.join("lib")).unwrap();
        fs::write(from.join("app.py"), "another").unwrap();
        folder(root.path(), &from, &to).unwrap();
        assert_eq!(fs::read_to_string(to.join("app.py")).unwrap(), "another");
        assert!(!to.join("lib").exists() && to.join("requests").exists());
    }

    #[test]
    fn code_outside_the_application_or_missing_is_said() {
        let root = tempfile::tempdir().unwrap();
        let to = root.path().join("copy");
        assert!(matches!(folder(root.path(), Path::new("/etc"), &to), Err(StageError::Outside(_))));
        assert!(matches!(folder(root.path(), &root.path().join("nothing"), &to), Err(StageError::Missing(_))));
        fs::write(root.path().join("a.zip"), "PK").unwrap();
        assert!(matches!(folder(root.path(), &root.path().join("a.zip"), &to), Err(StageError::Archive(_))));
    }
}
