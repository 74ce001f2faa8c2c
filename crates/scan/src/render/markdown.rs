//! GitHub's Markdown, short enough for a comment on a pull request: counts, attack paths, a table of findings with links, the rest folded.
//!
//! A comment may have 65 536 characters. What doesn't fit is counted, the mildest first.

use super::{Options, capital, compared, place, plural, uri};
use crate::callers::Callers;
use crate::{Loaded, Report};
use findings::{AttackPath, Diagnostic, Finding, Level, Severity};
use graph::Exposure;
use source::{Sources, Span};
use std::fmt::{Result, Write};

/// Bytes of the whole at most; some room is left for what a bot puts around it.
const MOST: usize = 60_000;
/// Bytes up to which a section may fill the text, so that what comes after it has room too.
const PATHS: usize = 18_000;
const TABLE: usize = 40_000;
const DETAILS: usize = 55_000;

pub(super) fn report(loaded: &Loaded, report: &Report, options: &Options) -> String {
    let mut out = String::new();
    // Writing to a string can't fail.
    let _ = write(&mut out, loaded, report, options);
    debug_assert!(out.len() <= MOST + 4096);
    out
}

fn write(out: &mut String, loaded: &Loaded, report: &Report, options: &Options) -> Result {
    let links = Links { sources: &loaded.sources, options };
    writeln!(out, "## Ringfence: {}\n", headline(report))?;
    let functions: usize = loaded.estate.applications.iter().map(|application| application.functions.len()).sum();
    let public: usize = loaded
        .estate
        .applications
        .iter()
        .map(|application| {
            let callers = Callers::of(application);
            let exposed = |function| callers.exposure(application, function) == Exposure::Public;
            application.functions.iter().filter(|function| exposed(function)).count()
        })
        .sum();
    let mut facts = vec![
        format!("{} in {}", plural(functions, "function"), plural(loaded.estate.applications.len(), "application")),
        format!("{public} open to the public"),
    ];
    if !report.attack_paths.is_empty() {
        facts.push(plural(report.attack_paths.len(), "attack path"));
    }
    if !report.allowed.is_empty() {
        facts.push(format!("{} allowed in the source", report.allowed.len()));
    }
    facts.extend(report.comparison.map(compared));
    writeln!(out, "{}\n", facts.join(" · "))?;
    if !report.attack_paths.is_empty() {
        out.push_str("### Attack paths\n\n");
        fill(out, PATHS, &report.attack_paths, "attack path", |path| attack_path(&links, path))?;
    }
    if !report.findings.is_empty() {
        out.push_str("### Findings\n\n| | Finding | Function | Place |\n|---|---|---|---|\n");
        fill(out, TABLE, &report.findings, "finding", |finding| row(&links, finding))?;
        out.push_str("<details><summary>What to do about them</summary>\n\n");
        fill(out, DETAILS, &report.findings, "finding", |finding| details(&links, finding))?;
        out.push_str("</details>\n\n");
    }
    let unread: Vec<&Diagnostic> =
        report.diagnostics.iter().filter(|diagnostic| diagnostic.level > Level::Note).collect();
    if !unread.is_empty() {
        let errors = unread.iter().filter(|diagnostic| diagnostic.level == Level::Error).count();
        writeln!(
            out,
            "<details><summary>{} not read, {} not wholly understood</summary>\n",
            plural(errors, "place"),
            unread.len() - errors
        )?;
        fill(out, MOST, &unread, "place", |diagnostic| {
            let at = diagnostic.span.map(|span| format!(" ({})", links.link(span))).unwrap_or_default();
            format!("- {}{at}\n", text(&diagnostic.message))
        })?;
        out.push_str("</details>\n\n");
    }
    if !report.findings.is_empty() {
        out.push_str("<sub>`ringfence explain ID` tells more of any of them.</sub>\n");
    }
    Ok(())
}

/// `2 critical, 1 high`, or that there is nothing.
fn headline(report: &Report) -> String {
    let counts: Vec<String> = Severity::ALL
        .into_iter()
        .rev()
        .filter(|severity| report.count(*severity) > 0)
        .map(|severity| format!("{} {severity}", report.count(severity)))
        .collect();
    match (counts.is_empty(), report.comparison.is_some(), report.is_incomplete()) {
        (false, true, _) => format!("{} new", counts.join(", ")),
        (false, false, _) => counts.join(", "),
        (true, _, true) => "no findings in what could be read".to_string(),
        (true, true, false) => "nothing new".to_string(),
        (true, false, false) => "no findings".to_string(),
    }
}

/// Writes entries while they fit, then how many are left.
fn fill<T>(out: &mut String, most: usize, entries: &[T], noun: &str, mut entry: impl FnMut(&T) -> String) -> Result {
    let mut written = 0;
    for one in entries {
        let text = entry(one);
        if out.len() + text.len() > most {
            break;
        }
        out.push_str(&text);
        written += 1;
    }
    out.push('\n');
    if written < entries.len() {
        writeln!(out, "_and {} more_\n", plural(entries.len() - written, noun))?;
    }
    Ok(())
}

fn mark(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "🟣 critical",
        Severity::High => "🔴 high",
        Severity::Medium => "🟠 medium",
        Severity::Low => "🔵 low",
        Severity::Info => "⚪ info",
    }
}

fn attack_path(links: &Links<'_>, path: &AttackPath) -> String {
    let mut out =
        format!("<details><summary>{} <b>{}</b></summary>\n\n", mark(path.severity), text(&capital(&path.title)));
    for (index, step) in path.steps.iter().enumerate() {
        let at = step.span.map(|span| format!(" ({})", links.link(span))).unwrap_or_default();
        let _ = writeln!(out, "{}. {}{at}", index + 1, text(&step.what));
    }
    out.push_str("\n</details>\n");
    out
}

fn row(links: &Links<'_>, finding: &Finding) -> String {
    let function =
        finding.function.as_deref().map(|function| format!("<code>{}</code>", escape(function))).unwrap_or_default();
    format!(
        "| {} | **{}** {} | {function} | {} |\n",
        mark(finding.severity).replace(' ', "&nbsp;"),
        text(finding.id),
        text(&finding.title),
        links.link(finding.primary.span),
    )
}

fn details(links: &Links<'_>, finding: &Finding) -> String {
    let mut out = format!(
        "**{}** at {}: {}\n",
        text(finding.id),
        links.link(finding.primary.span),
        text(&capital(&finding.remediation))
    );
    for (index, step) in finding.trace.iter().enumerate() {
        let _ = writeln!(out, "{}. {} ({})", index + 1, text(&step.message), links.link(step.span));
    }
    let mut classes: Vec<String> = finding.cwe.iter().map(|cwe| format!("CWE-{cwe}")).collect();
    classes.extend(findings::owasp(&finding.cwe).iter().map(|risk| format!("{} {}", risk.id, risk.name)));
    if !classes.is_empty() {
        let _ = writeln!(out, "\n<sub>{}</sub>", classes.join(" · "));
    }
    out.push('\n');
    out
}

struct Links<'a> {
    sources: &'a Sources,
    options: &'a Options,
}

impl Links<'_> {
    /// A place as a link to its line.
    fn link(&self, span: Span) -> String {
        let position = self.sources.position(span);
        // A link's address ends at a space or a parenthesis: neither is left in a URI.
        format!(
            "[<code>{}</code>]({}{}#L{})",
            escape(&place(self.sources, span)),
            self.options.link_base,
            uri(&self.options.prefix, self.sources.path(span)),
            position.line
        )
    }
}

/// A sentence of ours: what it has in backticks becomes code, and nothing in it is Markdown or HTML.
fn text(sentence: &str) -> String {
    let mut out = String::new();
    let mut parts = sentence.split('`').peekable();
    let mut code = false;
    while let Some(part) = parts.next() {
        // A backtick without its fellow is one that somebody wrote.
        let closed = parts.peek().is_some();
        match (code, closed) {
            (true, true) => {
                let _ = write!(out, "<code>{}</code>", escape(part));
            }
            (true, false) => {
                let _ = write!(out, "&#96;{}", escape(part));
            }
            (false, _) => out.push_str(&escape(part)),
        }
        code = !code;
    }
    out
}

/// Text that Markdown and HTML leave alone: every character that means something to either as a character reference. A name after `@`
/// and a number after `#` would still be made links of, were nothing between.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '@' | '#' => {
                let _ = write!(out, "&#{};<!-- -->", u32::from(letter));
            }
            '&' | '<' | '>' | '"' | '\'' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '|' | '\\' | '~' | '!' | '{'
            | '}' | '^' | '$' => {
                let _ = write!(out, "&#{};", u32::from(letter));
            }
            // Addresses are made links of by their two slashes.
            ':' if text.contains("//") => out.push_str("&#58;"),
            letter if letter.is_control() || is_bidi(letter) => out.push(' '),
            letter => out.push(letter),
        }
    }
    out
}

/// Characters that turn the direction of the text after them.
fn is_bidi(letter: char) -> bool {
    matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_template_names_stays_text() {
        assert_eq!(text("`A|B` is open"), "<code>A&#124;B</code> is open");
        let hostile = text("`x` <img src=x onerror=alert(1)> [a](javascript:b) @owner #1 ** `");
        for bad in ["<img", "[a]", "](", "@", "**"] {
            assert!(!hostile.contains(bad), "{bad} in {hostile}");
        }
        assert!(text("a\nb\u{202e}c").contains("a b c"));
    }
}
