//! Records as JSON lines: one object per line, unknown fields ignored, so that an older reader understands a newer writer.
//! Splitting a stream into lines is the caller's; a line over [`MAX_LINE_BYTES`] is refused here.

use crate::Record;
use std::fmt;

/// The longest line [`Record::from_line`] reads, in bytes: 1 MiB.
pub const MAX_LINE_BYTES: usize = 1024 * 1024;

/// How much of a bad line its error shows, in characters.
const EXCERPT_CHARS: usize = 80;

/// Why a line isn't a record, and the beginning of the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineError {
    /// What is wrong, and where in the line.
    pub problem: String,
    /// The line's beginning, control characters shown as `\u{..}`.
    pub excerpt: String,
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a record: {}, in `{}`", self.problem, self.excerpt)
    }
}

impl std::error::Error for LineError {}

impl Record {
    /// The record as one JSON line, without the line end.
    pub fn to_line(&self) -> String {
        // A record is strings, integers and booleans; nothing in it can fail to serialise.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads one line, with or without its line end. Fields nobody knows are ignored.
    ///
    /// # Errors
    /// When the line is too long, isn't JSON, or lacks a field; the error names it and shows the line's beginning.
    pub fn from_line(line: &str) -> Result<Self, LineError> {
        let line = line.trim();
        let error = |problem: String| LineError { problem, excerpt: excerpt(line) };
        if line.len() > MAX_LINE_BYTES {
            return Err(error(format!("the line has {} bytes, over the limit of {MAX_LINE_BYTES}", line.len())));
        }
        serde_json::from_str(line).map_err(|problem| {
            // A field's absence is reported at the end of the line by serde, which helps nobody.
            let text = problem.to_string();
            error(match problem.classify() {
                serde_json::error::Category::Data => text.split(" at line ").next().unwrap_or_default().to_owned(),
                _ => text.replacen(" at line 1 column ", " at column ", 1),
            })
        })
    }
}

fn excerpt(line: &str) -> String {
    let mut shown = String::new();
    let mut characters = line.chars();
    for character in characters.by_ref().take(EXCERPT_CHARS) {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::*;

    #[test]
    fn every_kind_of_record_survives_its_line() {
        let bodies: Vec<Body> = vec![
            Started { runtime: "python3.13".into(), tier: "user-space".into(), pid: Some(7), init_us: 90_000 }.into(),
            Stopped { reason: "shutdown".into(), exit_code: Some(0) }.into(),
            Invocation {
                trigger: "http".into(),
                outcome: Outcome::Refused,
                duration_us: 120,
                guard_us: 60,
                bytes_in: 10,
                bytes_out: 20,
                cold: true,
                source: Some("203.0.113.9".into()),
                http: Some(HttpSummary { method: "POST".into(), path: "/orders".into(), status: 403 }),
            }
            .into(),
            Verdict {
                mode: Mode::Block,
                action: Action::SetAside,
                trigger: "sqs".into(),
                incident: Some("i-1".into()),
                reason: "sql injection".into(),
                matches: vec![Match {
                    rule: "sql-1".into(),
                    excerpt: "' OR 1=1\n\u{0}".into(),
                    cwe: Some(89),
                    ..Match::default()
                }],
                records_total: 10,
                records_refused: 1,
                source: None,
            }
            .into(),
            FunctionError { kind: "KeyError".into(), message: "'id'".into(), trace: vec!["app.py:3".into()] }.into(),
            Log { stream: "stderr".into(), line: "\u{2028}\u{1b}[31m".into() }.into(),
            CloudCall { service: "dynamodb".into(), action: "dynamodb:PutItem".into(), ..CloudCall::default() }.into(),
            Egress { host: "api.stripe.com".into(), port: 443, allowed: true, in_fence: true, because: None }.into(),
        ];
        for body in bodies {
            let record = Record::new(-1, "Ünïcode", body).with_request_id("r");
            let line = record.to_line();
            assert!(!line.contains('\n'), "{line}");
            assert!(line.contains(&format!("\"type\":\"{}\"", record.body.type_name())), "{line}");
            assert_eq!(Record::from_line(&line).unwrap(), record);
        }
    }

    #[test]
    fn a_newer_writers_fields_are_ignored() {
        let line =
            r#"{"type":"log","colour":"red","function":"F","line":"x","stream":"stdout","time":5,"nested":{"a":[1]}}"#;
        let record = Record::from_line(line).unwrap();
        assert_eq!(record.time, 5);
        assert_eq!(record.request_id, None);
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let problem = |line: &str| Record::from_line(line).unwrap_err().to_string();
        assert_eq!(
            problem(r#"{"type":"log","time":5,"line":"x","stream":"stdout"}"#),
            r#"not a record: missing field `function`, in `{"type":"log","time":5,"line":"x","stream":"stdout"}`"#
        );
        assert!(problem(r#"{"function":"F","time":5,"type":"gossip"}"#).contains("unknown variant `gossip`"));
        assert!(problem(r#"{"function":"F","time":5}"#).contains("missing field `type`"));
        assert!(problem("hello\u{1b}[2J").contains(r"`hello\u{1b}[2J`"));
        assert!(problem("").contains("EOF"));
    }

    #[test]
    fn a_line_at_the_limit_is_read_and_one_over_is_not() {
        let record =
            |size: usize| Record::new(0, "F", Log { stream: "stdout".into(), line: "x".repeat(size) }).to_line();
        let overhead = record(0).len();
        assert!(Record::from_line(&record(MAX_LINE_BYTES - overhead)).is_ok());
        let error = Record::from_line(&record(MAX_LINE_BYTES - overhead + 1)).unwrap_err();
        assert!(error.problem.contains("over the limit of 1048576"), "{error}");
        assert!(error.excerpt.ends_with('…'));
    }

    #[test]
    fn deeply_nested_unknown_fields_are_an_error_not_a_stack_overflow() {
        let line = format!(
            r#"{{"type":"log","time":1,"function":"F","stream":"stdout","line":"","x":{}{}}}"#,
            "[".repeat(100_000),
            "]".repeat(100_000)
        );
        assert!(Record::from_line(&line).unwrap_err().problem.contains("recursion limit"));
    }
}
