//! What the targets share: an input that stands for a small repository.
//!
//! Such an input is text: a line `%%% path` begins a file, the lines up to the next one are what it holds. What stands before the
//! first such line belongs to a file whose name the target chooses. A person can read it and write one by hand.

use std::collections::BTreeMap;

/// What begins the line that names a file.
const MARK: &str = "%%% ";

/// The most files an input may hold.
const MAX_FILES: usize = 32;

/// A small repository.
pub struct Repository {
    /// The path of its first file: the one that reading starts with.
    pub first: String,
    files: BTreeMap<String, String>,
}

impl Repository {
    /// The repository an input stands for; none where it isn't text. `first` names the file that stands before any mark.
    pub fn of(input: &[u8], first: &str) -> Option<Self> {
        let mut rest = std::str::from_utf8(input).ok()?;
        let mut names = vec![first];
        let mut texts = vec![String::new()];
        if let Some(marked) = rest.strip_prefix(MARK) {
            let (name, after) = marked.split_once('\n').unwrap_or((marked, ""));
            names = vec![name];
            rest = after;
        }
        for line in rest.split_inclusive('\n') {
            match line.strip_prefix(MARK) {
                Some(name) if names.len() < MAX_FILES => {
                    names.push(name.trim_end_matches('\n'));
                    texts.push(String::new());
                }
                _ => texts.last_mut()?.push_str(line),
            }
        }
        let first = names.first()?.to_string();
        let mut files = BTreeMap::new();
        for (name, text) in names.into_iter().zip(texts) {
            files.entry(name.to_string()).or_insert(text);
        }
        Some(Self { first, files })
    }

    /// The text of a file.
    pub fn text(&self, path: &str) -> Option<String> {
        self.files.get(path).cloned()
    }

    /// Every file with its path.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The names in a folder.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let inside = |path: &str| match folder {
            "" => Some(path.to_string()),
            _ => path.strip_prefix(folder)?.strip_prefix('/').map(str::to_string),
        };
        let mut names: Vec<String> = self
            .files
            .keys()
            .filter_map(|path| inside(path))
            .filter_map(|path| path.split('/').next().map(str::to_string))
            .collect();
        names.sort();
        names.dedup();
        names
    }
}

impl terraform::Repository for Repository {
    fn read(&self, path: &str) -> Option<String> {
        self.text(path)
    }

    fn list(&self, folder: &str) -> Vec<String> {
        self.names(folder)
    }
}

impl code::Files for Repository {
    fn read(&self, path: &str) -> Option<String> {
        self.text(path)
    }

    fn exists(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    fn list(&self, directory: &str) -> Vec<String> {
        self.names(directory)
    }
}

/// Every span of a tree lies in its file and on the borders of characters.
pub fn check_spans(node: &source::Node, text: &str) {
    check_span(node.span, text);
    for entry in node.entries() {
        check_span(entry.key_span, text);
        check_spans(&entry.value, text);
    }
    node.items().iter().for_each(|item| check_spans(item, text));
}

/// A span lies in its file and on the borders of characters.
pub fn check_span(span: source::Span, text: &str) {
    assert!(text.get(span.range()).is_some(), "{span:?} is no part of a text of {} bytes", text.len());
}
