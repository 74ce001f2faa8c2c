//! Source files and byte spans into them.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
///
/// Files come in segments: readers that work side by side fill one each, and [`absorb`](Self::absorb) joins them without
/// renumbering, so that spans stay what they were.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    segment: u32,
    files: Vec<SourceFile>,
    absorbed: BTreeMap<u32, Vec<SourceFile>>,
}

/// Bits of a [`FileId`] that count files inside a segment.
const FILE_BITS: u32 = 14;
/// The most segments there can be; readers share the last one beyond that.
pub const MAX_SEGMENTS: u32 = 1 << (32 - FILE_BITS);

impl Sources {
    /// An empty collection.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty collection whose files get ids that no other segment gives. Numbers from [`MAX_SEGMENTS`] on are taken modulo it.
    pub fn segment(number: u32) -> Self {
        Self { segment: number % MAX_SEGMENTS, ..Self::default() }
    }

    /// Adds a file and gives it its id. Adding the same path twice makes two files. Beyond 16,384 files a segment
    /// holds no more, and further files share the last id.
    pub fn add(&mut self, file: SourceFile) -> FileId {
        let id = self.next_id();
        if self.files.len() < 1 << FILE_BITS {
            self.files.push(file);
        }
        id
    }

    /// The id that the next [`add`](Self::add) will give, so that a reader can make spans before the file is added.
    pub fn next_id(&self) -> FileId {
        let within = u32::try_from(self.files.len()).unwrap_or(u32::MAX).min((1 << FILE_BITS) - 1);
        FileId((self.segment << FILE_BITS) | within)
    }

    /// Takes over the files of another segment; what it has of the same segment already stays.
    pub fn absorb(&mut self, other: Sources) {
        for (segment, files) in other.absorbed.into_iter().chain([(other.segment, other.files)]) {
            if segment != self.segment {
                self.absorbed.entry(segment).or_insert(files);
            } else if self.files.is_empty() {
                self.files = files;
            }
        }
    }

    /// The file of an id, if it is of this collection.
    pub fn get(&self, id: FileId) -> Option<&SourceFile> {
        let (segment, within) = (id.0 >> FILE_BITS, (id.0 & ((1 << FILE_BITS) - 1)) as usize);
        let files = if segment == self.segment { &self.files } else { self.absorbed.get(&segment)? };
        files.get(within)
    }

    /// The file under a display path, if it was added.
    pub fn find(&self, path: &str) -> Option<(FileId, &SourceFile)> {
        self.iter().find(|(_, file)| file.path() == path)
    }

    /// All files with their ids, this segment's own first, in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        let own = std::iter::once((self.segment, &self.files));
        own.chain(self.absorbed.iter().map(|(segment, files)| (*segment, files))).flat_map(|(segment, files)| {
            (0_u32..).zip(files).map(move |(within, file)| (FileId((segment << FILE_BITS) | within), file))
        })
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

    #[test]
    fn segments_join_without_renumbering() {
        let (mut first, mut second) = (Sources::segment(0), Sources::segment(7));
        first.add(SourceFile::new("a", "a"));
        let id = second.add(SourceFile::new("b", "bcd"));
        first.absorb(second);
        assert_eq!(first.slice(Span::new(id, 1, 3)), "cd");
        assert_eq!(first.find("b").unwrap().0, id);
        assert_eq!(first.iter().count(), 2);
    }
}
