//! What Ringfence says about an application: findings of audits and diagnostics of readers, as plain data.
//!
//! Deliberately absent: rendering (the `scan` product does that, in one place) and any knowledge of what is audited.

mod owasp;

pub use owasp::{Owasp, owasp};

use serde::{Deserialize, Serialize};
use source::{Complaint, Span};

/// How bad it is if the finding is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Should be mended when the place is touched.
    Low,
    /// Weakens the application.
    Medium,
    /// Can be used by an attacker.
    High,
    /// Can be used by anyone, now, for much.
    Critical,
}

impl Severity {
    /// All of them, mildest first.
    pub const ALL: [Severity; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The lower-case name used in every output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl std::fmt::Display for Severity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.name())
    }
}

/// How sure the audit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// A hint; look before acting.
    Low,
    /// Likely; something outside the source could make it harmless.
    Medium,
    /// The source says so.
    High,
}

impl Confidence {
    /// The lower-case name used in every output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// A place with what is to be said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is to be said, lower case, without a final stop; may be empty for a related place that explains itself.
    pub message: String,
}

/// What an audit found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The audit's id, as in `ringfence explain ID`.
    pub id: &'static str,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// One sentence that names the thing that is wrong, lower case, without a final stop.
    pub title: String,
    /// The function it concerns (its name in the graph), if it concerns one.
    pub function: Option<String>,
    /// Common Weakness Enumeration ids.
    pub cwe: Vec<u16>,
    /// Where it is.
    pub primary: Label,
    /// Other places that tell the story.
    pub related: Vec<Label>,
    /// For flows: every step from where the data comes in to where it does harm, in order; the last is the primary place.
    pub trace: Vec<Label>,
    /// What to do about it.
    pub remediation: String,
}

/// How a stranger, or somebody with few rights, gets to what matters: a story in numbered steps, each with its evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttackPath {
    /// What kind of path, kebab-case: `public-code-execution-to-data`, `privilege-escalation`.
    pub id: &'static str,
    /// How bad it is if somebody walks it.
    pub severity: Severity,
    /// One sentence, lower case, without a final stop.
    pub title: String,
    /// The functions it leads through (their names in the graph), in order.
    pub functions: Vec<String>,
    /// The steps in order: from where somebody stands to what is lost.
    pub steps: Vec<PathStep>,
}

/// One step of an [`AttackPath`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathStep {
    /// What happens, one sentence, lower case, without a final stop.
    pub what: String,
    /// Node of the graph it arrives at: a function, an identity or a resource; none for a place outside the application.
    pub node: Option<String>,
    /// The evidence, where the source has it.
    pub span: Option<Span>,
    /// Id of the finding that makes the step possible, where one does.
    pub finding: Option<&'static str>,
}

/// What is known of an audit without running it: drawn from the audit's own file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AuditInfo {
    /// Kebab-case id that reads well after "allow".
    pub id: &'static str,
    /// What it finds, in a few words.
    pub title: &'static str,
    /// The usual severity; a finding may rise or fall with its context.
    pub severity: Severity,
    /// Version that brought it.
    pub since: &'static str,
    /// Common Weakness Enumeration ids.
    pub cwe: &'static [u16],
    /// Markdown: what it is, why it matters, what to do.
    pub docs: &'static str,
}

/// How serious a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Something was left out that doesn't change what is said.
    Note,
    /// Something was not understood; what is said may be incomplete.
    Warning,
    /// Something could not be read.
    Error,
}

/// What a reader has to say about its input: not a weakness, but something not read or not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How serious.
    pub level: Level,
    /// The reader that says it (`template`, `code`, `fence`).
    pub reader: &'static str,
    /// Where; `None` where there is no text to point at (a file that can't be opened).
    pub span: Option<Span>,
    /// One sentence, lower case, without a final stop; user text in backticks.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A diagnostic that points at source.
    pub fn at(level: Level, reader: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self { level, reader, span: Some(span), message: message.into(), help: None }
    }

    /// A diagnostic about something that has no text.
    pub fn general(level: Level, reader: &'static str, message: impl Into<String>) -> Self {
        Self { level, reader, span: None, message: message.into(), help: None }
    }

    /// The same with a hint.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// A document reader's complaint, as an error of `reader`.
    pub fn from_complaint(reader: &'static str, complaint: Complaint) -> Self {
        Self {
            level: Level::Error,
            reader,
            span: Some(complaint.span),
            message: complaint.message,
            help: complaint.help,
        }
    }
}

/// The longest word that a near miss is looked for, in characters.
const LONGEST_WORD: usize = 128;

/// The entry of `candidates` nearest to `word` by edit distance, if it is near enough to be what was meant.
pub fn near_miss<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    // Nobody's slip of the pen is as long as that, and comparing it with a thousand names would take seconds.
    if length > LONGEST_WORD {
        return None;
    }
    let limit = (length / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= limit)
        .map(|candidate| (edit_distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance in characters, case ignored.
fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.to_lowercase().chars().collect();
    let mut previous: Vec<usize> = (0..=right.len()).collect();
    for (row, a) in left.to_lowercase().chars().enumerate() {
        let mut current = vec![row + 1];
        for (column, b) in right.iter().enumerate() {
            let substitute = previous[column] + usize::from(a != *b);
            current.push(substitute.min(previous[column + 1] + 1).min(current[column] + 1));
        }
        previous = current;
    }
    previous.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_miss_is_offered_and_a_stranger_is_not() {
        assert_eq!(near_miss("Arnn", ["Arn", "RoleId"]), Some("Arn"));
        assert_eq!(near_miss("handler", ["Handler", "Runtime"]), Some("Handler"));
        assert_eq!(near_miss("Colour", ["Arn", "RoleId"]), None);
    }

    #[test]
    fn a_word_of_thousands_of_letters_is_near_nothing() {
        let long = "ComprehendBasicAccessPolicy".repeat(400);
        assert_eq!(near_miss(&long, [long.as_str(), "Arn"]), None);
    }

    #[test]
    fn severities_are_ordered() {
        assert!(Severity::Critical > Severity::High && Severity::Low > Severity::Info);
    }
}
