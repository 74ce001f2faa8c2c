//! The files of what is scanned: found by one parallel walk, opened only below its root.

use std::path::{Component, Path, PathBuf};
use std::sync::Mutex;

/// Folders that hold what tools made or fetched, not what people wrote.
const SKIPPED: [&str; 8] =
    ["node_modules", ".git", ".ringfence", ".aws-sam", "__pycache__", ".venv", "venv", ".terraform"];

/// Whether a folder is the CDK's output where `cdk.json` leads to it anyway, or a copy of somebody's code in it.
fn is_synthesized(folder: &Path) -> bool {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or("");
    let around = folder.parent();
    match name {
        "cdk.out" => around.is_some_and(|around| around.join("cdk.json").is_file()),
        name => name.starts_with("asset.") && around.is_some_and(|around| around.join("manifest.json").is_file()),
    }
}

/// A file that the walk met.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// Path relative to the root, `/` between parts.
    pub(crate) path: String,
    /// Size in bytes.
    pub(crate) size: u64,
}

/// All files below `root`, ordered by path. Symbolic links are not followed, so a loop of them ends nothing; what
/// `.gitignore` leaves out is left out here.
pub(crate) fn walk(root: &Path) -> (Vec<Found>, Vec<String>) {
    let found = Mutex::new((Vec::new(), Vec::new()));
    let walker = ignore::WalkBuilder::new(root)
        .hidden(false)
        .parents(false)
        .require_git(false)
        .follow_links(false)
        .filter_entry(|entry| {
            let skipped = |name: &str| SKIPPED.contains(&name);
            entry.depth() == 0
                || !(entry.file_type().is_some_and(|kind| kind.is_dir())
                    && (entry.file_name().to_str().is_some_and(skipped) || is_synthesized(entry.path())))
        })
        .build_parallel();
    walker.run(|| {
        Box::new(|entry| {
            let mut lists = found.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            match entry {
                Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_file()) => {
                    let Ok(path) = entry.path().strip_prefix(root) else { return ignore::WalkState::Continue };
                    match display(path) {
                        Some(path) => {
                            let size = entry.metadata().map_or(0, |metadata| metadata.len());
                            lists.0.push(Found { path, size });
                        }
                        // Of other files nobody expects a report.
                        None if crate::load::has_template_extension(&path.to_string_lossy()) => {
                            lists.1.push(format!("`{}` isn't read: its name isn't UTF-8", path.to_string_lossy()));
                        }
                        None => {}
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    let text = error.to_string();
                    let inside = text.strip_prefix(&format!("{}/", root.display())).unwrap_or(&text);
                    lists.1.push(format!("can't read {inside}"));
                }
            }
            ignore::WalkState::Continue
        })
    });
    let (mut files, mut errors) = found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    files.sort_by(|left, right| left.path.cmp(&right.path));
    errors.sort();
    (files, errors)
}

/// A relative path as reports show it; none where it isn't Unicode.
fn display(path: &Path) -> Option<String> {
    let parts: Option<Vec<&str>> = path.iter().map(|part| part.to_str()).collect();
    Some(parts?.join("/"))
}

/// Opens files below a root by their relative paths.
#[derive(Debug, Clone)]
pub(crate) struct Root {
    /// The root, links resolved.
    pub(crate) path: PathBuf,
    /// The largest file that is opened, in bytes.
    pub(crate) max_bytes: u64,
}

impl Root {
    /// Where a relative path leads; none where it would leave the root, by `..` or through a link.
    pub(crate) fn resolve(&self, relative: &str) -> Option<PathBuf> {
        let mut depth = 0_i32;
        for component in Path::new(relative).components() {
            match component {
                Component::Normal(_) => depth += 1,
                Component::CurDir => {}
                Component::ParentDir => depth -= 1,
                Component::RootDir | Component::Prefix(_) => return None,
            }
            if depth < 0 {
                return None;
            }
        }
        let resolved = self.path.join(relative).canonicalize().ok()?;
        resolved.starts_with(&self.path).then_some(resolved)
    }

    /// The text of a file; bytes that aren't UTF-8 become replacement characters. None where it is absent, too large or outside.
    pub(crate) fn read(&self, relative: &str) -> Option<String> {
        let path = self.resolve(relative)?;
        let metadata = std::fs::metadata(&path).ok()?;
        if !metadata.is_file() || metadata.len() > self.max_bytes {
            return None;
        }
        let bytes = std::fs::read(path).ok()?;
        Some(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    /// The first bytes of a file, for telling what a file too large to read is.
    pub(crate) fn head(&self, relative: &str, bytes: usize) -> Option<String> {
        use std::io::Read;
        let mut head = Vec::new();
        std::fs::File::open(self.resolve(relative)?).ok()?.take(bytes as u64).read_to_end(&mut head).ok()?;
        Some(String::from_utf8_lossy(&head).into_owned())
    }

    /// Names in a folder, sorted.
    pub(crate) fn list(&self, relative: &str) -> Vec<String> {
        let Some(path) = self.resolve(relative) else { return Vec::new() };
        let Ok(entries) = std::fs::read_dir(path) else { return Vec::new() };
        let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
        names.sort();
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_the_root_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), "s").unwrap();
        std::fs::write(folder.path().join("inside"), "i").unwrap();
        std::os::unix::fs::symlink(outside.path().join("secret"), folder.path().join("link")).unwrap();
        std::os::unix::fs::symlink(folder.path(), folder.path().join("loop")).unwrap();
        let root = Root { path: folder.path().canonicalize().unwrap(), max_bytes: 100 };
        assert_eq!(root.read("inside").as_deref(), Some("i"));
        assert_eq!(root.read("loop/inside").as_deref(), Some("i"));
        for outside in ["link", "../x", "a/../../x", "/etc/passwd"] {
            assert_eq!(root.read(outside), None, "{outside}");
        }
        let (files, errors) = walk(folder.path());
        assert_eq!(files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["inside"]);
        assert!(errors.is_empty());
    }
}
