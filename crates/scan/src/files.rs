//! The files of what is scanned: found by one parallel walk, opened only below its root.

use std::collections::HashMap;
use std::io::{ErrorKind, Read};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

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
            let mut lists = found.lock().unwrap_or_else(PoisonError::into_inner);
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
    let (mut files, mut errors) = found.into_inner().unwrap_or_else(PoisonError::into_inner);
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
///
/// What lies in a folder is looked up once and kept, since code asks for many files that aren't there.
#[derive(Debug)]
pub(crate) struct Root {
    /// The root, links resolved.
    pub(crate) path: PathBuf,
    /// The largest file that is opened, in bytes.
    max_bytes: u64,
    folders: RwLock<HashMap<String, Arc<Folder>>>,
}

/// A folder as it was when somebody first asked.
#[derive(Debug)]
struct Folder {
    /// Where it is, links resolved.
    path: PathBuf,
    /// What lies in it, by name.
    entries: Vec<(String, Kind)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Folder,
    /// A link, or what isn't to be opened.
    Other,
}

/// Longer paths are left to the system, which has a limit of its own.
const MAX_PATH: usize = 4096;

impl Root {
    /// A root, links resolved.
    pub(crate) fn new(path: PathBuf, max_bytes: u64) -> Self {
        Self { path, max_bytes, folders: RwLock::default() }
    }

    /// The largest file that is opened, in bytes.
    pub(crate) fn max_bytes(&self) -> u64 {
        self.max_bytes
    }

    /// Where a relative path leads; none where it would leave the root, by `..` or through a link.
    pub(crate) fn resolve(&self, relative: &str) -> Option<PathBuf> {
        self.find(relative).map(|(path, _)| path)
    }

    /// Where a relative path leads, and to what, where that is known without asking the system.
    fn find(&self, relative: &str) -> Option<(PathBuf, Kind)> {
        let mut depth = 0_i32;
        let mut plain: Vec<&str> = Vec::new();
        let mut climbs = relative.len() > MAX_PATH || relative.ends_with('/');
        for component in Path::new(relative).components() {
            match component {
                Component::Normal(part) => {
                    plain.extend(part.to_str());
                    depth += 1;
                }
                Component::CurDir => {}
                Component::ParentDir => {
                    climbs = true;
                    depth -= 1;
                }
                Component::RootDir | Component::Prefix(_) => return None,
            }
            if depth < 0 {
                return None;
            }
        }
        let Some((name, folder)) = plain.split_last().filter(|_| !climbs) else { return self.asked(relative) };
        match self.folder(&folder.join("/")) {
            Ok(folder) => {
                let at = folder.entries.binary_search_by(|(entry, _)| entry.as_str().cmp(name)).ok()?;
                match folder.entries.get(at)?.1 {
                    Kind::Other => self.asked(relative),
                    kind => Some((folder.path.join(name), kind)),
                }
            }
            Err(true) => None,
            Err(false) => self.asked(relative),
        }
    }

    /// Where a path leads, by the system's word.
    fn asked(&self, relative: &str) -> Option<(PathBuf, Kind)> {
        let resolved = self.path.join(relative).canonicalize().ok()?;
        resolved.starts_with(&self.path).then_some((resolved, Kind::Other))
    }

    /// What lies in a folder, named without `.` and `..`; an error tells whether it surely isn't there.
    fn folder(&self, relative: &str) -> Result<Arc<Folder>, bool> {
        if let Some(known) = self.folders.read().unwrap_or_else(PoisonError::into_inner).get(relative) {
            return Ok(Arc::clone(known));
        }
        let path = if relative.is_empty() { self.path.clone() } else { self.resolve(relative).ok_or(true)? };
        let absent = |error: &std::io::Error| matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory);
        let read = std::fs::read_dir(&path).map_err(|error| absent(&error))?;
        let mut entries: Vec<(String, Kind)> = read
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let kind = match entry.file_type() {
                    Ok(kind) if kind.is_file() => Kind::File,
                    Ok(kind) if kind.is_dir() => Kind::Folder,
                    _ => Kind::Other,
                };
                Some((entry.file_name().into_string().ok()?, kind))
            })
            .collect();
        entries.sort_unstable_by(|left, right| left.0.cmp(&right.0));
        let folder = Arc::new(Folder { path, entries });
        let mut folders = self.folders.write().unwrap_or_else(PoisonError::into_inner);
        folders.insert(relative.to_string(), Arc::clone(&folder));
        Ok(folder)
    }

    /// Whether a path leads to a file.
    pub(crate) fn is_file(&self, relative: &str) -> bool {
        match self.find(relative) {
            Some((_, Kind::File)) => true,
            Some((path, Kind::Other)) => path.is_file(),
            Some((_, Kind::Folder)) | None => false,
        }
    }

    /// The text of a file; bytes that aren't UTF-8 become replacement characters. None where it is absent, too large or outside.
    pub(crate) fn read(&self, relative: &str) -> Option<String> {
        let (path, kind) = self.find(relative)?;
        // What isn't a file is never opened: a pipe would keep us waiting.
        if kind != Kind::File && !std::fs::metadata(&path).ok()?.is_file() {
            return None;
        }
        self.open(&path)
    }

    /// The text of a file that the walk met: no link leads to it.
    pub(crate) fn read_walked(&self, found: &Found) -> Option<String> {
        self.open(&self.path.join(&found.path))
    }

    fn open(&self, path: &Path) -> Option<String> {
        let file = std::fs::File::open(path).ok()?;
        let size = file.metadata().ok().map(|metadata| metadata.len()).filter(|size| *size <= self.max_bytes)?;
        // One byte more than there is, so that the end is met without making room again.
        let mut bytes = Vec::with_capacity(usize::try_from(size).ok()?.saturating_add(1));
        file.take(self.max_bytes).read_to_end(&mut bytes).ok()?;
        Some(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    /// The first bytes of a file, for telling what a file too large to read is.
    pub(crate) fn head(&self, relative: &str, bytes: usize) -> Option<String> {
        let mut head = Vec::new();
        std::fs::File::open(self.resolve(relative)?).ok()?.take(bytes as u64).read_to_end(&mut head).ok()?;
        Some(String::from_utf8_lossy(&head).into_owned())
    }

    /// Names in a folder, sorted.
    pub(crate) fn list(&self, relative: &str) -> Vec<String> {
        let names = |folder: &Folder| folder.entries.iter().map(|(name, _)| name.clone()).collect();
        let plain = relative.split('/').filter(|part| !matches!(*part, "" | ".")).collect::<Vec<_>>().join("/");
        if !relative.starts_with('/')
            && !plain.split('/').any(|part| part == "..")
            && let Ok(folder) = self.folder(&plain)
        {
            return names(&folder);
        }
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
        let root = Root::new(folder.path().canonicalize().unwrap(), 100);
        assert_eq!(root.read("inside").as_deref(), Some("i"));
        assert_eq!(root.read("loop/inside").as_deref(), Some("i"));
        for outside in ["link", "../x", "a/../../x", "/etc/passwd"] {
            assert_eq!(root.read(outside), None, "{outside}");
        }
        assert!(root.is_file("inside") && root.is_file("loop/inside") && root.is_file("./inside"));
        for absent in
            ["outside", "inside/x", "inside/", "loop", "link", "loop/link", "loop/../inside", "no/such/file", ""]
        {
            assert!(!root.is_file(absent), "{absent}");
        }
        assert_eq!(root.list("loop"), ["inside", "link", "loop"]);
        assert_eq!(root.list("."), root.list(""));
        assert!(root.list("/etc").is_empty() && root.list("../").is_empty() && root.list("inside").is_empty());
        let (files, errors) = walk(folder.path());
        assert_eq!(files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["inside"]);
        assert!(errors.is_empty());
    }
}
