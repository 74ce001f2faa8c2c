//! Findings as text: for people in a terminal, and for machines as JSON and SARIF.

mod json;
mod sarif;
mod terminal;

use crate::{Loaded, Report};

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
}

/// Writes a report.
pub fn report(loaded: &Loaded, report: &Report, format: Format, style: Style) -> String {
    match format {
        Format::Table => terminal::report(loaded, report, style),
        Format::Json => pretty(&json::report(loaded, report)),
        Format::Sarif => pretty(&sarif::report(loaded, report)),
    }
}

fn pretty(value: &serde_json::Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}
