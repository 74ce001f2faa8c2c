//! Source files and byte spans into them.

use serde::{Deserialize, Serialize};

/// Which file of a [`Sources`] collection; stable for the life of that collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileId(pub u32);

/// A half-open byte range of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// The file it lies in.
    pub file: FileId,
    /// Offset of the first byte.
    pub start: u32,
    /// Offset one past the last byte.
    pub end: u32,
}

impl Span {
    /// The span of `start..end` in `file`; offsets past 4 GiB are clamped (no reader accepts files that long).
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        let clamp = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { file, start: clamp(start), end: clamp(end.max(start)) }
    }

    /// The smallest span that covers both; `self` where they lie in different files.
    pub fn to(self, other: Span) -> Span {
        if self.file != other.file {
            return self;
        }
        Span { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The byte range, for slicing the file's text.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A place as a person names it: one-based line, one-based column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// One-based line.
    pub line: u32,
    /// One-based column, counted in Unicode scalar values.
    pub column: u32,
}

/// One file's text under the path that reports show (relative to what was scanned, `/` between parts).
#[derive(Debug, Clone)]
pub struct SourceFile {
    path: String,
    text: String,
    lines: Vec<u32>,
}

impl SourceFile {
    /// A file with its display path and its text.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let lines = std::iter::once(0)
            .chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| u32::try_from(at + 1).unwrap_or(u32::MAX)))
            .collect();
        Self { path: path.into(), text, lines }
    }

    /// The path that reports show.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How many lines there are (a trailing newline opens one more, empty line).
    pub fn line_count(&self) -> usize {
        self.lines.len()
    }

    /// The line and column of a byte offset; offsets past the end give the last position.
    pub fn position(&self, offset: u32) -> Position {
        let index = self.lines.partition_point(|start| *start <= offset).saturating_sub(1);
        let start = self.lines.get(index).copied().unwrap_or(0) as usize;
        let end = (offset as usize).min(self.text.len());
        let column = self.text.get(start..end).map_or(end.saturating_sub(start), |prefix| prefix.chars().count());
        let to_u32 = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Position { line: to_u32(index + 1), column: to_u32(column + 1) }
    }

    /// The text of one line (one-based) without its line break, if there is such a line.
    pub fn line(&self, line: u32) -> Option<&str> {
        let index = (line as usize).checked_sub(1)?;
        let start = *self.lines.get(index)? as usize;
        let end = self.lines.get(index + 1).map_or(self.text.len(), |next| *next as usize);
        Some(self.text.get(start..end)?.trim_end_matches(['\n', '\r']))
    }

    /// The text under a span; empty where the span doesn't fall on this text.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or("")
    }
}

/// All files that were read, addressed by [`FileId`].
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
}

impl Sources {
    /// An empty collection.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file and gives it its id. Adding the same path twice makes two files.
    pub fn add(&mut self, file: SourceFile) -> FileId {
        let id = self.next_id();
        self.files.push(file);
        id
    }

    /// The id that the next [`add`](Self::add) will give, so that a reader can make spans before the file is added.
    pub fn next_id(&self) -> FileId {
        FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX))
    }

    /// The file of an id, if it is of this collection.
    pub fn get(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)
    }

    /// The file under a display path, if it was added.
    pub fn find(&self, path: &str) -> Option<(FileId, &SourceFile)> {
        self.iter().find(|(_, file)| file.path() == path)
    }

    /// All files with their ids, in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.files.iter().enumerate().map(|(index, file)| (FileId(u32::try_from(index).unwrap_or(u32::MAX)), file))
    }

    /// The display path of a span's file; `?` for a file of another collection.
    pub fn path(&self, span: Span) -> &str {
        self.get(span.file).map_or("?", SourceFile::path)
    }

    /// Where a span starts.
    pub fn position(&self, span: Span) -> Position {
        self.get(span.file).map_or(Position { line: 1, column: 1 }, |file| file.position(span.start))
    }

    /// The text under a span.
    pub fn slice(&self, span: Span) -> &str {
        self.get(span.file).map_or("", |file| file.slice(span))
    }

    /// `path:line`, the form that fences and reports use for evidence.
    pub fn place(&self, span: Span) -> String {
        format!("{}:{}", self.path(span), self.position(span).line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_and_survive_offsets_past_the_end() {
        let file = SourceFile::new("a.yaml", "grün: 1\nzwei: 2\n");
        assert_eq!(file.position(7), Position { line: 1, column: 7 });
        assert_eq!(file.position(9), Position { line: 2, column: 1 });
        assert_eq!(file.position(9_000).line, 3);
        assert_eq!(file.line(2), Some("zwei: 2"));
        assert_eq!(file.line(9), None);
    }

    #[test]
    fn a_place_is_path_and_line() {
        let mut sources = Sources::new();
        let id = sources.add(SourceFile::new("src/app.py", "a\nb\nc\n"));
        assert_eq!(sources.place(Span::new(id, 2, 3)), "src/app.py:2");
    }
}
