//! What the engine says of a text: matches with their evidence, and whether they are reason enough to refuse.

use std::ops::Range;

use crate::rules::{Confidence, Family, Severity};

/// One rule that spoke, with the bytes that made it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Match {
    /// The rule's name, as in `ringfence explain sql-tautology`.
    pub rule: &'static str,
    /// What is attacked.
    pub family: Family,
    /// How bad it is if it works.
    pub severity: Severity,
    /// How sure the rule is in this field.
    pub confidence: Confidence,
    /// Where: a path such as `Records[0].body|json.name`; each `|` is a layer that was decoded.
    pub field: String,
    /// The matched bytes with a little context, at most about 80 characters, control characters escaped.
    pub excerpt: String,
    /// What it means, in plain words.
    pub message: &'static str,
    /// The number of the weakness in the Common Weakness Enumeration.
    pub cwe: u16,
}

/// Whether `matches` are reason to refuse the event: one that is certain or likely, or two different hints of one family.
pub fn refuses(matches: &[Match]) -> bool {
    matches.iter().enumerate().any(|(index, this)| {
        this.confidence >= Confidence::Likely
            || matches
                .iter()
                .skip(index + 1)
                .any(|other| other.family == this.family && (other.rule != this.rule || other.excerpt != this.excerpt))
    })
}

const EXCERPT: usize = 80;
const LEAD: usize = 16;

/// The bytes of `range` in `text` with a little around them, safe to print on one line.
pub(crate) fn excerpt(text: &[u8], range: Range<usize>) -> String {
    let end = range.end.min(text.len());
    let start = range.start.min(end);
    let from = if end - start >= EXCERPT { start } else { start.saturating_sub(LEAD) };
    let to = (from + EXCERPT).min(text.len());
    let window = text.get(from..to).unwrap_or_default();
    let mut out = String::with_capacity(EXCERPT + 8);
    let mut room = EXCERPT;
    let lossy = String::from_utf8_lossy(window);
    // A window cut inside a character begins or ends with replacement characters that are not in the text.
    for character in lossy.trim_matches('\u{fffd}').chars() {
        let piece: String = match character {
            '\n' => "\\n".into(),
            '\r' => "\\r".into(),
            '\t' => "\\t".into(),
            other if other.is_control() || is_invisible(other) => other.escape_unicode().to_string(),
            other => other.into(),
        };
        let width = piece.chars().count();
        if width > room {
            break;
        }
        room -= width;
        out.push_str(&piece);
    }
    out
}

/// Characters that turn or hide text on a terminal.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{ad}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(family: Family, excerpt: &str) -> Match {
        Match {
            rule: "x",
            family,
            severity: Severity::Low,
            confidence: Confidence::Hint,
            field: "a".into(),
            excerpt: excerpt.into(),
            message: "",
            cwe: 0,
        }
    }

    #[test]
    fn one_hint_passes_and_two_of_a_family_do_not() {
        assert!(!refuses(&[hint(Family::Sql, "a")]));
        assert!(!refuses(&[hint(Family::Sql, "a"), hint(Family::Xss, "b")]));
        assert!(!refuses(&[hint(Family::Sql, "a"), hint(Family::Sql, "a")]), "the same hint in two layers is one hint");
        assert!(refuses(&[hint(Family::Sql, "a"), hint(Family::Sql, "b")]));
    }

    #[test]
    fn excerpts_are_short_and_printable() {
        let text = format!("{}\u{1b}[31m\r\n<script>{}", "ä".repeat(60), "x".repeat(500));
        let at = text.find("<script>").unwrap();
        let shown = excerpt(text.as_bytes(), at..at + 8);
        assert!(shown.contains("<script>"), "{shown}");
        assert!(shown.chars().count() <= 80 && !shown.chars().any(char::is_control), "{shown}");
        assert_eq!(excerpt(b"", 5..9), "");
    }
}
