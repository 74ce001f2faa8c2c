//! The files a template names: opened through the caller, added to the sources, each read once.

use crate::flow;
use graph::Value;
use source::{Document, FileId, SourceFile, Sources};
use std::collections::HashMap;
use std::rc::Rc;

/// The largest file that is read; AWS refuses templates over 1 MB.
pub const MAX_BYTES: usize = 8 << 20;

/// What the stacks of one application know of each other.
#[derive(Debug, Clone, Default)]
pub(crate) struct Siblings {
    /// What stacks export, by the export's name; also by `stack/output`.
    pub(crate) exports: HashMap<String, Value>,
    /// Types of the stacks' resources, by name.
    pub(crate) types: HashMap<String, String>,
    /// Paths of assets by their key in the deployment's bucket.
    pub(crate) assets: HashMap<String, String>,
}

/// Access to the repository's files by path relative to what is scanned.
pub(crate) struct Files<'a> {
    sources: &'a mut Sources,
    open: &'a mut dyn FnMut(&str) -> Option<String>,
    /// Files that were read besides the template itself.
    pub(crate) included: Vec<FileId>,
    /// What stacks that were read before are known by.
    pub(crate) siblings: Rc<Siblings>,
}

impl<'a> Files<'a> {
    pub(crate) fn new(sources: &'a mut Sources, open: &'a mut dyn FnMut(&str) -> Option<String>) -> Self {
        Self { sources, open, included: Vec::new(), siblings: Rc::default() }
    }

    /// The path of a file.
    pub(crate) fn path(&self, file: FileId) -> String {
        self.sources.get(file).map_or_else(String::new, |file| file.path().to_string())
    }

    /// How long a file is, in bytes.
    pub(crate) fn length(&self, file: FileId) -> usize {
        self.sources.get(file).map_or(0, |file| file.text().len())
    }

    /// The text of a file.
    pub(crate) fn text(&self, file: FileId) -> &str {
        self.sources.get(file).map_or("", SourceFile::text)
    }

    /// The document in a file.
    pub(crate) fn document(&self, file: FileId) -> Document {
        let text = self.sources.get(file).map_or("", SourceFile::text);
        let document = Document::detect(file, text);
        if !document.complaints.iter().any(|complaint| complaint.message.contains("indentation")) {
            return document;
        }
        // AWS reads brackets and quotes that go on further left than they should, so they must not cost a resource here.
        let again = Document::detect(file, &flow::joined(text));
        if again.complaints.len() < document.complaints.len() { again } else { document }
    }

    /// Whether there is a file of this path; it isn't read into the sources.
    pub(crate) fn exists(&mut self, path: &str) -> bool {
        self.sources.find(path).is_some() || (self.open)(path).is_some()
    }

    /// The file that `folder` means by `written`, if it lies in the repository.
    pub(crate) fn load(&mut self, folder: &str, written: &str) -> Option<(FileId, String)> {
        let path = local_path(folder, written)?;
        let file = match self.sources.find(&path) {
            Some((file, _)) => file,
            None => {
                let text = (self.open)(&path).filter(|text| text.len() <= MAX_BYTES)?;
                self.sources.add(SourceFile::new(path.clone(), text))
            }
        };
        if !self.included.contains(&file) {
            self.included.push(file);
        }
        Some((file, path))
    }
}

/// A path as written in a template of `folder`, relative to what is scanned; none for addresses and for paths that lead out.
pub(crate) fn local_path(folder: &str, written: &str) -> Option<String> {
    let written = written.strip_prefix("file://").unwrap_or(written);
    if written.is_empty() || written.contains("://") || written.starts_with("arn:") || written.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    for part in written.split(['/', '\\']) {
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
