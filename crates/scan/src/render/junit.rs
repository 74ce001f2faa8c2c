//! JUnit's XML, as build servers read it: a suite per audit, a test per finding, and one passed test for an audit that found nothing.

use super::place;
use crate::{Loaded, Report};
use findings::{Finding, Level, Severity};
use std::fmt::{Result, Write};

/// Tests of a suite at most.
const MAX_TESTS: usize = 5_000;

/// A test as it is written.
enum Outcome {
    Passed(String),
    Failed { kind: &'static str, message: String, text: String },
    Skipped(String),
    Broken { message: String, text: String },
}

struct Suite {
    name: String,
    /// The name of each test, and how it went.
    tests: Vec<(String, Outcome)>,
}

pub(super) fn report(loaded: &Loaded, report: &Report, failing: Option<Severity>) -> String {
    let mut suites = suites(loaded, report, failing);
    for suite in &mut suites {
        suite.tests.truncate(MAX_TESTS);
    }
    let mut out = String::new();
    // Writing to a string can't fail.
    let _ = write(&mut out, &suites);
    out
}

fn suites(loaded: &Loaded, report: &Report, failing: Option<Severity>) -> Vec<Suite> {
    let mut ids: Vec<&str> = crate::own::all().map(|info| info.id).collect();
    for finding in &report.findings {
        if !ids.contains(&finding.id) {
            ids.push(finding.id);
        }
    }
    let fails = |severity: Severity| failing.is_some_and(|least| severity >= least);
    let name = |finding: &Finding| format!("{} ({})", finding.title, place(&loaded.sources, finding.primary.span));
    let mut suites = Vec::new();
    for id in ids {
        let mut tests: Vec<(String, Outcome)> = Vec::new();
        for finding in report.findings.iter().filter(|finding| finding.id == id) {
            let text = told(loaded, finding);
            let outcome = match fails(finding.severity) {
                true => Outcome::Failed { kind: finding.severity.name(), message: finding.title.clone(), text },
                false => Outcome::Passed(text),
            };
            tests.push((name(finding), outcome));
        }
        for finding in report.allowed.iter().filter(|finding| finding.id == id) {
            tests.push((name(finding), Outcome::Skipped("allowed in the source".to_string())));
        }
        if tests.is_empty() {
            tests.push(("finds nothing".to_string(), Outcome::Passed(String::new())));
        }
        suites.push(Suite { name: id.to_string(), tests });
    }
    if !report.attack_paths.is_empty() {
        let tests = report.attack_paths.iter().map(|path| {
            let steps: Vec<String> = path
                .steps
                .iter()
                .enumerate()
                .map(|(index, step)| {
                    let at = step.span.map(|span| format!(" ({})", place(&loaded.sources, span))).unwrap_or_default();
                    format!("{}. {}{at}", index + 1, step.what)
                })
                .collect();
            let outcome = match fails(path.severity) {
                true => {
                    Outcome::Failed { kind: path.severity.name(), message: path.title.clone(), text: steps.join("\n") }
                }
                false => Outcome::Passed(steps.join("\n")),
            };
            (path.title.clone(), outcome)
        });
        suites.push(Suite { name: "attack-paths".to_string(), tests: tests.collect() });
    }
    let broken: Vec<(String, Outcome)> = report
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.level == Level::Error)
        .map(|diagnostic| {
            let at = diagnostic.span.map_or(diagnostic.reader.to_string(), |span| place(&loaded.sources, span));
            let text = diagnostic.help.clone().unwrap_or_default();
            (format!("reading {at}"), Outcome::Broken { message: diagnostic.message.clone(), text })
        })
        .collect();
    if !broken.is_empty() {
        suites.push(Suite { name: "reading".to_string(), tests: broken });
    }
    suites
}

fn told(loaded: &Loaded, finding: &Finding) -> String {
    let sources = &loaded.sources;
    let mut lines = vec![format!("{}: {}", place(sources, finding.primary.span), finding.primary.message)];
    lines.extend(finding.related.iter().map(|label| format!("{}: {}", place(sources, label.span), label.message)));
    if let Some(function) = &finding.function {
        lines.push(format!("function: {function}"));
    }
    let mut classes: Vec<String> = finding.cwe.iter().map(|cwe| format!("CWE-{cwe}")).collect();
    classes.extend(findings::owasp(&finding.cwe).iter().map(|risk| risk.id.to_string()));
    lines.push(format!(
        "severity: {}, confidence: {}, {}",
        finding.severity,
        finding.confidence.name(),
        classes.join(", ")
    ));
    for (number, step) in finding.trace.iter().enumerate() {
        lines.push(format!("{}. {} ({})", number + 1, step.message, place(sources, step.span)));
    }
    lines.push(format!("help: {}", finding.remediation));
    lines.join("\n")
}

fn write(out: &mut String, suites: &[Suite]) -> Result {
    let count =
        |suite: &Suite, wanted: fn(&Outcome) -> bool| suite.tests.iter().filter(|(_, outcome)| wanted(outcome)).count();
    let failed = |outcome: &Outcome| matches!(outcome, Outcome::Failed { .. });
    let broken = |outcome: &Outcome| matches!(outcome, Outcome::Broken { .. });
    let skipped = |outcome: &Outcome| matches!(outcome, Outcome::Skipped(_));
    let all = |wanted: fn(&Outcome) -> bool| suites.iter().map(|suite| count(suite, wanted)).sum::<usize>();
    writeln!(
        out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"ringfence\" tests=\"{}\" failures=\"{}\" errors=\"{}\">",
        all(|_| true),
        all(failed),
        all(broken)
    )?;
    for suite in suites {
        writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">",
            escape(&suite.name),
            suite.tests.len(),
            count(suite, failed),
            count(suite, broken),
            count(suite, skipped)
        )?;
        for (name, outcome) in &suite.tests {
            write!(out, "    <testcase classname=\"ringfence.{}\" name=\"{}\"", escape(&suite.name), escape(name))?;
            match outcome {
                Outcome::Passed(text) if text.is_empty() => writeln!(out, "/>")?,
                Outcome::Passed(text) => {
                    writeln!(out, ">\n      <system-out>{}</system-out>\n    </testcase>", escape(text))?;
                }
                Outcome::Skipped(why) => {
                    writeln!(out, ">\n      <skipped message=\"{}\"/>\n    </testcase>", escape(why))?;
                }
                Outcome::Failed { kind, message, text } => writeln!(
                    out,
                    ">\n      <failure type=\"{kind}\" message=\"{}\">{}</failure>\n    </testcase>",
                    escape(message),
                    escape(text)
                )?,
                Outcome::Broken { message, text } => writeln!(
                    out,
                    ">\n      <error type=\"unreadable\" message=\"{}\">{}</error>\n    </testcase>",
                    escape(message),
                    escape(text)
                )?,
            }
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    Ok(())
}

/// Text for XML 1.0, which has no way to write most control characters: those are shown as the sign for what can't be shown.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(letter),
            '\r' => out.push_str("&#13;"),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}
