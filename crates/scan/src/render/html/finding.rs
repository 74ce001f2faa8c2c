//! Findings on the page: filters, each finding with its source, the way the data takes, and what to do.

use super::{Page, chip, place, rank, text};
use crate::excerpt::{clamp, first_line, line_start, masked};
use crate::render::{capital, plural};
use diagram::escape;
use findings::{Finding, Label, Severity};
use source::Span;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Result, Write};

/// Findings with their source at most.
const MAX_WHOLE: usize = 1_500;
/// Findings at most; the others are counted.
const MAX_FINDINGS: usize = 6_000;
/// Lines before and after the one that is meant.
const AROUND: u32 = 2;
/// Lines of an excerpt at most.
const MAX_LINES: u32 = 12;
/// Characters of a line at most.
const MAX_COLUMNS: usize = 180;
/// Related places and steps at most.
const MAX_LABELS: usize = 40;

pub(super) fn all(out: &mut String, page: &Page<'_>) -> Result {
    let findings = &page.report.findings;
    out.push_str("<section id=\"findings\"><h2>Findings</h2>");
    if findings.is_empty() {
        out.push_str("<p class=\"about\">None.</p></section>");
        return Ok(());
    }
    filters(out, page)?;
    out.push_str("<div class=\"findings\">");
    for (index, finding) in findings.iter().take(MAX_FINDINGS).enumerate() {
        one(out, page, finding, index)?;
    }
    out.push_str("</div><p class=\"nothing\" hidden>No finding fits these filters.</p>");
    if findings.len() > MAX_FINDINGS {
        write!(
            out,
            "<p class=\"note\">{} more, milder than these, are in the other formats.</p>",
            plural(findings.len() - MAX_FINDINGS, "finding")
        )?;
    }
    out.push_str("</section>");
    Ok(())
}

fn filters(out: &mut String, page: &Page<'_>) -> Result {
    let findings = &page.report.findings;
    out.push_str("<form class=\"filters\" hidden><fieldset><legend>Severity</legend>");
    for severity in Severity::ALL.into_iter().rev() {
        let count = page.report.count(severity);
        if count > 0 {
            write!(
                out,
                "<label class=\"toggle {severity}\"><input type=\"checkbox\" name=\"severity\" value=\"{severity}\" checked> {severity} <small>{count}</small></label>"
            )?;
        }
    }
    out.push_str("</fieldset>");
    let functions: BTreeSet<String> = by_function(page).into_keys().collect();
    let audits: BTreeSet<String> = findings.iter().map(|finding| finding.id.to_string()).collect();
    for (name, title, entries) in [("function", "Any function", functions), ("audit", "Any audit", audits)] {
        write!(out, "<select name=\"{name}\" aria-label=\"{}\"><option value=\"\">{title}</option>", capital(name))?;
        for entry in entries {
            write!(out, "<option>{}</option>", escape(&entry))?;
        }
        out.push_str("</select>");
    }
    out.push_str(
        "<input type=\"search\" name=\"text\" placeholder=\"Search\" aria-label=\"Search findings\"><output aria-live=\"polite\"></output>\
         <button type=\"button\" name=\"open\">Open all</button><button type=\"reset\">Reset</button></form>",
    );
    Ok(())
}

fn one(out: &mut String, page: &Page<'_>, finding: &Finding, index: usize) -> Result {
    let function = page.function_of(index);
    write!(
        out,
        "<details class=\"finding {severity}\" id=\"n{index}\" data-severity=\"{severity}\" data-function=\"{}\" data-audit=\"{}\"><summary>{}\
         <span class=\"what\"><b>{}</b><small>{} {}</small></span>{}</summary>",
        escape(&function),
        escape(finding.id),
        chip(finding.severity),
        text(&capital(&finding.title)),
        escape(finding.id),
        if function.is_empty() { String::new() } else { format!("· {}", escape(&function)) },
        place(page.sources(), finding.primary.span),
        severity = finding.severity,
    )?;
    out.push_str("<div class=\"body\">");
    if index < MAX_WHOLE {
        excerpt(out, page, &finding.primary, AROUND)?;
        if !finding.trace.is_empty() {
            out.push_str("<h4>The way the data takes</h4>");
            steps(out, page, &finding.trace)?;
        }
        // What the steps tell isn't told again.
        let told = |label: &&Label| !finding.trace.iter().any(|step| step.span == label.span);
        let related: Vec<&Label> = finding.related.iter().filter(told).collect();
        if !related.is_empty() {
            out.push_str("<h4>See also</h4><ul class=\"related\">");
            for label in related.into_iter().take(MAX_LABELS) {
                let message = if label.message.is_empty() { String::new() } else { text(&capital(&label.message)) };
                write!(out, "<li><p>{message} {}</p>", place(page.sources(), label.span))?;
                excerpt(out, page, &Label { span: label.span, message: String::new() }, 0)?;
                out.push_str("</li>");
            }
            out.push_str("</ul>");
        }
    }
    write!(
        out,
        "<p class=\"remedy\"><b>What to do</b> {}</p><p class=\"classes\">",
        text(&capital(&finding.remediation))
    )?;
    write!(out, "<span>{} confidence</span>", capital(finding.confidence.name()))?;
    for cwe in &finding.cwe {
        write!(out, "<span>CWE-{cwe}</span>")?;
    }
    for risk in findings::owasp(&finding.cwe) {
        write!(out, "<span title=\"{}\">{} {}</span>", risk.list(), risk.id, risk.name)?;
    }
    if crate::own::all().any(|info| info.id == finding.id) {
        write!(out, "<a href=\"#audit-{}\">What this audit means</a>", escape(finding.id))?;
    }
    write!(
        out,
        "<a class=\"self\" href=\"#n{index}\" aria-label=\"Link to this finding\">#{}</a></p></div></details>",
        index + 1
    )
}

/// Steps with the line of each.
fn steps(out: &mut String, page: &Page<'_>, labels: &[Label]) -> Result {
    out.push_str("<ol class=\"steps\">");
    for label in labels.iter().take(MAX_LABELS) {
        write!(out, "<li><p>{} {}</p>", text(&capital(&label.message)), place(page.sources(), label.span))?;
        excerpt(out, page, &Label { span: label.span, message: String::new() }, 0)?;
        out.push_str("</li>");
    }
    out.push_str("</ol>");
    if labels.len() > MAX_LABELS {
        write!(out, "<p class=\"note\">and {}</p>", plural(labels.len() - MAX_LABELS, "step"))?;
    }
    Ok(())
}

/// The lines of a place with the place marked, and what is said of it under it.
pub(super) fn excerpt(out: &mut String, page: &Page<'_>, label: &Label, around: u32) -> Result {
    let Some(file) = page.sources().get(label.span.file) else { return Ok(()) };
    let marked = first_line(file, label.span);
    let line = file.position(clamp(marked.start)).line;
    let end = file.position(label.span.end.max(clamp(marked.end))).line;
    let last = end.min(line + MAX_LINES - 1).max(line);
    let (from, to) = (line.saturating_sub(around).max(1), last.saturating_add(around));
    if file.line(line).is_none_or(|text| text.trim().is_empty()) {
        return Ok(());
    }
    out.push_str("<pre class=\"code\">");
    for number in from..=to.min(from + MAX_LINES + 2 * AROUND) {
        let Some(text) = file.line(number) else { break };
        let start = line_start(file, number);
        let mark = (number >= line && number <= last).then(|| within(label.span, start, text));
        code_line(out, page, label.span, number, (start, text), mark)?;
        if number == line && !label.message.is_empty() {
            let inset = text.chars().take_while(|letter| letter.is_whitespace()).count().min(24);
            write!(out, "<span class=\"said\">{:inset$}▲ {}</span>", "", super::text(&label.message))?;
        }
    }
    out.push_str("</pre>");
    Ok(())
}

/// The bytes of a line that a span covers; white space at its ends isn't among them.
fn within(span: Span, start: usize, line: &str) -> std::ops::Range<usize> {
    let from = (span.start as usize).saturating_sub(start).min(line.len());
    let to = (span.end as usize).saturating_sub(start).clamp(from, line.len());
    let boundary = |at: usize| (0..=at).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
    let (from, to) = (boundary(from), boundary(to));
    let text = &line[from..to];
    let lead = text.len() - text.trim_start().len();
    from + lead..from + lead.max(text.trim_end().len())
}

/// One line, with where it starts in its file, and the bytes of it that are meant where some are.
fn code_line(
    out: &mut String,
    page: &Page<'_>,
    span: Span,
    number: u32,
    (start, line): (usize, &str),
    mark: Option<std::ops::Range<usize>>,
) -> Result {
    let shown = masked(line, span.file, start, &page.secrets);
    let hit = if mark.is_some() { " hit" } else { "" };
    write!(out, "<span class=\"line{hit}\" data-n=\"{number}\">")?;
    let mark = mark.unwrap_or(0..0);
    // A window of the line around what is marked: some lines are whole programs.
    let columns = |text: &str| text.chars().count();
    let before = columns(shown.get(..mark.start).unwrap_or(""));
    let skip = if columns(&shown) > MAX_COLUMNS { before.saturating_sub(MAX_COLUMNS / 3) } else { 0 };
    let byte = |column: usize| shown.char_indices().nth(column).map_or(shown.len(), |(at, _)| at);
    let (from, to) = (byte(skip), byte(skip + MAX_COLUMNS));
    let piece = |range: std::ops::Range<usize>| {
        let range = range.start.clamp(from, to)..range.end.clamp(from, to);
        escape(shown.get(range).unwrap_or(""))
    };
    if from > 0 {
        out.push('…');
    }
    out.push_str(&piece(0..mark.start));
    if mark.start < mark.end {
        write!(out, "<mark>{}</mark>", piece(mark.clone()))?;
    }
    out.push_str(&piece(mark.end..shown.len()));
    if to < shown.len() {
        out.push('…');
    }
    out.push_str("</span>");
    Ok(())
}

/// The place of a finding in the report, for links: of this audit, of one of these functions where one fits.
pub(super) fn find(page: &Page<'_>, id: &str, functions: &[&str]) -> Option<usize> {
    let findings = page.report.findings.iter().take(MAX_FINDINGS).enumerate();
    let mut of_id = findings.filter(|(_, finding)| finding.id == id).peekable();
    let first = of_id.peek().map(|(index, _)| *index);
    of_id
        .find(|(_, finding)| finding.function.as_deref().is_some_and(|function| functions.contains(&function)))
        .map(|(index, _)| index)
        .or(first)
}

/// How many findings there are of each severity for each function, by the name the page shows.
pub(super) fn by_function(page: &Page<'_>) -> BTreeMap<String, [usize; 5]> {
    let mut counts: BTreeMap<String, [usize; 5]> = BTreeMap::new();
    for (index, finding) in page.report.findings.iter().enumerate() {
        if finding.function.is_some() {
            counts.entry(page.function_of(index)).or_default()[rank(finding.severity)] += 1;
        }
    }
    counts
}
