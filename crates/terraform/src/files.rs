//! The files a configuration names: opened through the caller, added to the sources, each read once.

use source::{FileId, SourceFile, Sources};
use std::collections::HashMap;

/// The largest file that is read.
pub const MAX_BYTES: usize = 8 << 20;

/// What a reader may ask of the repository; paths are relative to what is scanned.
pub trait Repository {
    /// The text of a file, if it is there and may be read.
    fn read(&self, path: &str) -> Option<String>;
    /// The names in a folder, sorted; none where there is no such folder. `""` is the top.
    fn list(&self, folder: &str) -> Vec<String>;
}

/// Access to the repository's files.
pub(crate) struct Files<'a> {
    sources: &'a mut Sources,
    repository: &'a dyn Repository,
    known: HashMap<String, Option<FileId>>,
    /// Every file that was read.
    pub(crate) included: Vec<FileId>,
}

impl<'a> Files<'a> {
    pub(crate) fn new(sources: &'a mut Sources, repository: &'a dyn Repository) -> Self {
        Self { sources, repository, known: HashMap::new(), included: Vec::new() }
    }

    pub(crate) fn sources(&mut self) -> &mut Sources {
        self.sources
    }

    pub(crate) fn repository(&self) -> &'a dyn Repository {
        self.repository
    }

    pub(crate) fn list(&self, folder: &str) -> Vec<String> {
        self.repository.list(folder)
    }

    /// The file at a path, if it can be read.
    pub(crate) fn load(&mut self, path: &str) -> Option<FileId> {
        if let Some(known) = self.known.get(path) {
            return *known;
        }
        let text = self.repository.read(path).filter(|text| text.len() <= MAX_BYTES);
        let file = text.map(|text| self.sources.add(SourceFile::new(path, text)));
        self.included.extend(file);
        self.known.insert(path.to_string(), file);
        file
    }

    pub(crate) fn text(&self, file: FileId) -> &str {
        self.sources.get(file).map_or("", SourceFile::text)
    }

    /// A text of our own, which nothing of the repository holds.
    pub(crate) fn virtual_file(&mut self, path: &str, text: &str) -> FileId {
        if let Some(Some(known)) = self.known.get(path) {
            return *known;
        }
        let file = self.sources.add(SourceFile::new(path, text));
        self.known.insert(path.to_string(), Some(file));
        file
    }
}

/// A path as written, seen from `folder`, relative to what is scanned; none for addresses and for what leads out.
pub(crate) fn local_path(folder: &str, written: &str) -> Option<String> {
    if written.is_empty() || written.contains("://") || written.starts_with('/') || written.contains('\0') {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    for part in written.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// How `to` is written from `from`, both relative to what is scanned: `./modules/api`, `..`.
pub(crate) fn relative(from: &str, to: &str) -> String {
    let split =
        |path: &str| -> Vec<String> { path.split('/').filter(|part| !part.is_empty()).map(str::to_string).collect() };
    let (from, to) = (split(from), split(to));
    let common = from.iter().zip(&to).take_while(|(left, right)| left == right).count();
    let mut parts = vec!["..".to_string(); from.len() - common];
    parts.extend(to.into_iter().skip(common));
    if parts.is_empty() { ".".into() } else { parts.join("/") }
}
