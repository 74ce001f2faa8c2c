//! Findings as text: for people in a terminal, a page or a pull request, and for machines as JSON, SARIF and JUnit.
//!
//! Names, paths and source come from a repository that anyone may have written: each format escapes them for the language it is.

mod html;
mod json;
mod junit;
mod markdown;
mod sarif;
mod terminal;
#[cfg(test)]
mod tests;

use crate::{Loaded, Report};
use findings::Severity;
use source::{Sources, Span};

pub use terminal::{Style, diagnostic};

/// A format that findings can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Source excerpts and tables for a terminal.
    Table,
    /// Our own JSON (docs/reference/scan-json.md).
    Json,
    /// SARIF 2.1.0, as code scanning services take it.
    Sarif,
    /// One page that opens offline.
    Html,
    /// GitHub's Markdown, short enough for a comment on a pull request.
    Markdown,
    /// JUnit's XML, as build servers read it.
    Junit,
}

/// How a report is to be written.
#[derive(Debug, Clone)]
pub struct Options {
    /// Table: colours and width.
    pub style: Style,
    /// SARIF and Markdown: what stands before each file, so that places are right from where they are read: the path of what was
    /// scanned within the repository (`services/orders`). Empty for none.
    pub prefix: String,
    /// Markdown: the address that links to files begin with (`https://github.com/o/r/blob/main/`). Empty for relative links.
    pub link_base: String,
    /// JUnit: the mildest severity that counts as a failed test; none where nothing does.
    pub failing: Option<Severity>,
    /// HTML: when the report was made, as text for people. Empty for not said.
    pub date: String,
}

impl Options {
    /// Nothing before files and links, failures from `high`, no date.
    pub fn new(style: Style) -> Self {
        Self {
            style,
            prefix: String::new(),
            link_base: String::new(),
            failing: Some(Severity::High),
            date: String::new(),
        }
    }
}

/// Writes a report.
pub fn report(loaded: &Loaded, report: &Report, format: Format, options: &Options) -> String {
    match format {
        Format::Table => terminal::report(loaded, report, options.style),
        Format::Json => pretty(&json::report(loaded, report)),
        Format::Sarif => pretty(&sarif::report(loaded, report, &options.prefix)),
        Format::Html => html::report(loaded, report, &options.date),
        Format::Markdown => markdown::report(loaded, report, options),
        Format::Junit => junit::report(loaded, report, options.failing),
    }
}

fn pretty(value: &serde_json::Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

/// A file and a line as people write them.
fn place(sources: &Sources, span: Span) -> String {
    format!("{}:{}", sources.path(span), sources.position(span).line)
}

/// A relative path as a URI reference.
fn uri(prefix: &str, path: &str) -> String {
    let mut out = String::new();
    let prefix = prefix.trim_matches('/');
    let slash = if prefix.is_empty() { "" } else { "/" };
    for byte in prefix.bytes().chain(slash.bytes()).chain(path.bytes()) {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => out.push(byte as char),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

/// `1 finding`, `2 findings`.
fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// The words for what a baseline held back.
fn compared(comparison: crate::Comparison) -> String {
    format!("{} known from the baseline, {} of it fixed", comparison.known, comparison.fixed)
}

/// A title with a capital letter, as a heading or a sentence begins.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}
