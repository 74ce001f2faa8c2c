//! The text of rule files: logical lines, words, quoting, and where everything stood.
//!
//! It knows no directive by name; [`super::compile`] does.

use std::fmt;

/// How much a [`Diagnostic`] matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something was left out or read in the nearest sense; the rules around it work.
    Warning,
    /// A rule or directive was not taken over.
    Error,
}

/// A complaint about a rule file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file's name, as the caller gave it.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// How much it matters.
    pub level: Level,
    /// What is wrong, in lower case and without a final stop.
    pub message: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = if self.level == Level::Error { "error" } else { "warning" };
        write!(f, "{}:{}:{}: {level}: {}", self.file, self.line, self.column, self.message)
    }
}

/// A piece of a file: its characters, and for each byte the offset where it stood.
#[derive(Debug, Clone, Default)]
pub(crate) struct Text {
    pub(crate) value: String,
    offsets: Vec<u32>,
}

impl Text {
    fn push(&mut self, c: char, offset: u32) {
        self.value.push(c);
        self.offsets.extend(std::iter::repeat_n(offset, c.len_utf8()));
    }

    /// Where byte `at` of the text stood in the file.
    pub(crate) fn offset(&self, at: usize) -> u32 {
        self.offsets.get(at).or(self.offsets.last()).copied().unwrap_or(0)
    }

    /// The part between two byte positions.
    pub(crate) fn slice(&self, start: usize, end: usize) -> Text {
        Text {
            value: self.value.get(start..end).unwrap_or_default().to_string(),
            offsets: self.offsets.get(start..end).unwrap_or_default().to_vec(),
        }
    }

    pub(crate) fn trimmed(&self) -> Text {
        let start = self.value.len() - self.value.trim_start().len();
        let end = self.value.trim_end().len().max(start);
        let mut text = self.slice(start, end);
        if text.offsets.is_empty() {
            text.offsets.push(self.offset(start));
        }
        text
    }
}

/// A directive with its words.
#[derive(Debug, Clone)]
pub(crate) struct Directive {
    pub(crate) name: Text,
    pub(crate) arguments: Vec<Text>,
}

/// Longest rule file that is read.
pub(crate) const MAX_FILE: usize = 16 << 20;

/// The directives of a file, in order, and the offsets of quotes that were never closed.
pub(crate) fn directives(text: &str) -> (Vec<Directive>, Vec<u32>) {
    let mut out = Vec::new();
    let mut unclosed = Vec::new();
    let mut logical = Text::default();
    let mut offset = 0u32;
    for line in text.split_inclusive('\n') {
        let body = line.trim_end_matches(['\n', '\r']);
        let content = body.trim_start();
        let fresh = logical.value.is_empty();
        // A comment ends nothing and continues nothing, wherever it stands.
        if !(content.starts_with('#') && fresh) {
            let trimmed = body.trim_end();
            let (part, continues) = match trimmed.strip_suffix('\\') {
                Some(part) if body.ends_with('\\') => (part, true),
                _ => (body, false),
            };
            // Indentation of continued lines means nothing; a comment line inside a continued directive is dropped.
            if fresh || !content.starts_with('#') {
                for (at, c) in part.char_indices() {
                    logical.push(c, offset + at as u32);
                }
            }
            if !continues {
                words(&logical, &mut out, &mut unclosed);
                logical = Text::default();
            } else if logical.value.is_empty() {
                logical.push(' ', offset);
            }
        }
        offset += line.len() as u32;
    }
    words(&logical, &mut out, &mut unclosed);
    (out, unclosed)
}

fn words(line: &Text, out: &mut Vec<Directive>, unclosed: &mut Vec<u32>) {
    let mut words: Vec<Text> = Vec::new();
    let mut chars = line.value.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c.is_whitespace() {
            continue;
        }
        let mut word = Text::default();
        if c == '"' || c == '\'' {
            let mut closed = false;
            // An empty word stands where its quote does.
            word.offsets.push(line.offset(at));
            word.offsets.clear();
            while let Some((at, inner)) = chars.next() {
                if inner == '\\' && chars.peek().is_some_and(|(_, next)| *next == c) {
                    chars.next();
                    word.push(c, line.offset(at));
                } else if inner == '\\' {
                    // The backslash and what follows belong to whoever reads the word.
                    word.push(inner, line.offset(at));
                    if let Some((at, next)) = chars.next() {
                        word.push(next, line.offset(at));
                    }
                } else if inner == c {
                    closed = true;
                    break;
                } else {
                    word.push(inner, line.offset(at));
                }
            }
            if !closed {
                unclosed.push(line.offset(at));
            }
        } else {
            word.push(c, line.offset(at));
            while let Some((at, inner)) = chars.next_if(|(_, inner)| !inner.is_whitespace()) {
                word.push(inner, line.offset(at));
            }
        }
        if word.offsets.is_empty() {
            word.offsets.push(line.offset(at));
        }
        words.push(word);
    }
    let mut words = words.into_iter();
    if let Some(name) = words.next() {
        out.push(Directive { name, arguments: words.collect() });
    }
}

/// One action of a list: `name` or `name:value`.
#[derive(Debug, Clone)]
pub(crate) struct RawAction {
    pub(crate) name: Text,
    pub(crate) value: Option<Text>,
}

/// Splits an action list at its commas; single quotes keep a value together and `\'` stands for one.
pub(crate) fn actions(list: &Text) -> Vec<RawAction> {
    let mut out = Vec::new();
    let bytes = list.value.as_bytes();
    let mut start = 0;
    let mut at = 0;
    let mut quoted = false;
    loop {
        match bytes.get(at) {
            Some(b'\\') => at += 1,
            Some(b'\'') => quoted = !quoted,
            Some(b',') if !quoted => {
                action(&list.slice(start, at), &mut out);
                start = at + 1;
            }
            None => {
                action(&list.slice(start, list.value.len()), &mut out);
                return out;
            }
            _ => {}
        }
        at += 1;
    }
}

fn action(text: &Text, out: &mut Vec<RawAction>) {
    let text = text.trimmed();
    if text.value.is_empty() {
        return;
    }
    match text.value.find(':') {
        None => out.push(RawAction { name: text, value: None }),
        Some(colon) => {
            let name = text.slice(0, colon).trimmed();
            let value = unquote(&text.slice(colon + 1, text.value.len()).trimmed());
            out.push(RawAction { name, value: Some(value) });
        }
    }
}

/// The text without single quotes around it, `\'` resolved.
fn unquote(text: &Text) -> Text {
    let inner = match text.value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        Some(_) => text.slice(1, text.value.len() - 1),
        None => text.clone(),
    };
    let mut out = Text::default();
    let mut chars = inner.value.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' && chars.peek().is_some_and(|(_, next)| *next == '\'') {
            continue;
        }
        out.push(c, inner.offset(at));
    }
    if out.offsets.is_empty() {
        out.offsets.push(inner.offset(0));
    }
    out
}

/// The text of a file, with the places where its lines start.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    text: String,
    starts: Vec<u32>,
}

impl Lines {
    pub(crate) fn new(text: &str) -> Lines {
        let breaks = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at as u32 + 1);
        Lines { text: text.to_string(), starts: std::iter::once(0).chain(breaks).collect() }
    }

    /// Line and column of an offset, from 1.
    pub(crate) fn position(&self, offset: u32) -> (u32, u32) {
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        let before = self.text.get(start as usize..offset as usize).unwrap_or_default();
        (line as u32, before.chars().count() as u32 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn continued_lines_keep_their_places() {
        let text = "# a comment\nSecRule ARGS \"@rx a\\\"b\" \\\n    \"id:1,\\\n    msg:'it\\'s, well',pass\"\n";
        let (directives, unclosed) = directives(text);
        assert!(unclosed.is_empty());
        let rule = &directives[0];
        assert_eq!(rule.arguments[1].value, "@rx a\"b");
        let actions = actions(&rule.arguments[2]);
        assert_eq!(actions.len(), 3);
        let msg = actions[1].value.as_ref().unwrap();
        assert_eq!(msg.value, "it's, well");
        assert_eq!(Lines::new(text).position(msg.offset(0)), (4, 10));
    }

    #[test]
    fn a_quote_that_stays_open_is_told() {
        let (_, unclosed) = directives("SecRule ARGS \"@rx a\nSecMarker x\n");
        assert_eq!(unclosed.len(), 1);
    }
}
