//! One page for whoever decides: numbers, the map, the ways in, every finding with its source, what runs where, and what wasn't read.
//!
//! The page is one file that fetches nothing. All text of the repository is escaped; should something slip through, the policy in the head
//! lets nothing run but our own script, known by its hash. Without the script everything is there but the filters.
//!
//! Large estates: maps and excerpts are bounded, the worst come first, and what is left out is counted.

mod finding;
mod sections;

use super::{capital, compared, plural};
use crate::callers::Callers;
use crate::{Loaded, Report};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use diagram::escape;
use findings::{Level, Severity};
use graph::{Application, Exposure};
use sha2::{Digest, Sha256};
use source::{SourceFile, Sources, Span};
use std::collections::BTreeMap;
use std::fmt::{Result, Write};

const SCRIPT: &str = include_str!("html/report.js");

/// Maps at most, those of the applications with the worst findings.
const MAX_MAPS: usize = 24;
/// Bytes of all maps together at most; the first is drawn whatever its size.
const MAX_MAP_BYTES: usize = 3 << 20;

/// What all sections are drawn from.
struct Page<'a> {
    loaded: &'a Loaded,
    report: &'a Report,
    secrets: Vec<Span>,
    applications: Vec<Part<'a>>,
    /// The application of each finding, where one can be told.
    owners: Vec<Option<usize>>,
}

/// An application with what is asked about it more than once.
struct Part<'a> {
    application: &'a Application,
    callers: Callers<'a>,
    /// How many findings of each severity concern it, mildest first.
    counts: [usize; 5],
}

impl<'a> Page<'a> {
    fn sources(&self) -> &Sources {
        &self.loaded.sources
    }

    /// A function's name as the page shows it: with its application, where there are several.
    fn named(&self, owner: Option<usize>, function: &str) -> String {
        match owner.and_then(|index| self.applications.get(index)) {
            Some(part) if self.applications.len() > 1 => format!("{function} · {}", part.application.name),
            _ => function.to_string(),
        }
    }

    /// The function of a finding, by its number, as the page shows it; empty where none is concerned.
    fn function_of(&self, index: usize) -> String {
        let function = self.report.findings.get(index).and_then(|finding| finding.function.as_deref());
        let owner = self.owners.get(index).copied().flatten();
        function.map(|function| self.named(owner, function)).unwrap_or_default()
    }
}

pub(super) fn report(loaded: &Loaded, report: &Report, date: &str) -> String {
    let mut applications: Vec<Part<'_>> = loaded
        .estate
        .applications
        .iter()
        .map(|application| Part { application, callers: Callers::of(application), counts: [0; 5] })
        .collect();
    let owner = owners(loaded);
    let mut found = Vec::with_capacity(report.findings.len());
    for finding in &report.findings {
        let place = loaded.sources.path(finding.primary.span);
        let named = finding.function.as_deref();
        let index = named.and_then(|name| owner.function(name, place)).or_else(|| owner.file(place));
        if let Some(part) = index.and_then(|index| applications.get_mut(index)) {
            part.counts[rank(finding.severity)] += 1;
        }
        found.push(index);
    }
    let page = Page { loaded, report, secrets: report.secrets(), applications, owners: found };
    let style = format!("{}\n{}", diagram::css(), include_str!("html/report.css"));
    let mut out = String::new();
    // Writing to a string can't fail.
    let _ = write_page(&mut out, &page, date, &style);
    out
}

fn rank(severity: Severity) -> usize {
    Severity::ALL.iter().position(|known| *known == severity).unwrap_or(0)
}

/// Which application a finding belongs to: functions of the same name are told apart by the folder their finding is in.
struct Owners<'a> {
    by_function: BTreeMap<&'a str, Vec<usize>>,
    folders: Vec<(String, usize)>,
}

fn owners(loaded: &Loaded) -> Owners<'_> {
    let mut by_function: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut folders = Vec::new();
    for (index, application) in loaded.estate.applications.iter().enumerate() {
        for function in &application.functions {
            by_function.entry(&function.name).or_default().push(index);
        }
        let path = loaded.sources.get(application.template).map_or("", SourceFile::path);
        folders.push((path.rsplit_once('/').map_or("", |(folder, _)| folder).to_string(), index));
    }
    // The deepest folder that holds a file is the one it belongs to.
    folders.sort_by_key(|(folder, _)| std::cmp::Reverse(folder.len()));
    Owners { by_function, folders }
}

impl Owners<'_> {
    fn function(&self, name: &str, file: &str) -> Option<usize> {
        match self.by_function.get(name)?.as_slice() {
            [only] => Some(*only),
            several => self
                .folders
                .iter()
                .find(|(folder, index)| several.contains(index) && holds(folder, file))
                .map(|(_, index)| *index),
        }
    }

    fn file(&self, file: &str) -> Option<usize> {
        self.folders.iter().find(|(folder, _)| holds(folder, file)).map(|(_, index)| *index)
    }
}

fn holds(folder: &str, file: &str) -> bool {
    folder.is_empty() || file.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn hash(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text.as_bytes()))
}

fn write_page(out: &mut String, page: &Page<'_>, date: &str, style: &str) -> Result {
    let name = name(page.loaded);
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; \
         base-uri 'none'; form-action 'none'\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><meta name=\"referrer\" content=\"no-referrer\">\
         <title>Security report: {name}</title><style>{style}</style></head><body>",
        hash(style),
        hash(SCRIPT),
        name = escape(&name),
    )?;
    out.push_str(
        "<a class=\"skip\" href=\"#findings\">To the findings</a><header class=\"bar\"><span class=\"brand\"><svg viewBox=\"0 0 24 24\" \
         aria-hidden=\"true\"><circle cx=\"12\" cy=\"12\" r=\"9\"/><circle class=\"core\" cx=\"12\" cy=\"12\" r=\"3.4\"/></svg>Ringfence</span>\
         <nav aria-label=\"Sections\">",
    );
    let unread = page.report.diagnostics.iter().filter(|diagnostic| diagnostic.level > Level::Note).count();
    let sections = [
        ("summary", "Summary", None),
        ("map", "Map", None),
        ("paths", "Attack paths", Some(page.report.attack_paths.len())),
        ("findings", "Findings", Some(page.report.findings.len())),
        ("functions", "Functions", Some(page.loaded.estate.functions().count())),
        ("unread", "Not read", Some(unread)),
    ];
    for (id, title, count) in sections {
        if count == Some(0) && matches!(id, "paths" | "unread") {
            continue;
        }
        let count = count.map(|count| format!(" <small>{count}</small>")).unwrap_or_default();
        write!(out, "<a href=\"#{id}\">{title}{count}</a>")?;
    }
    out.push_str("</nav></header><main>");
    summary(out, page, &name, date)?;
    maps(out, page)?;
    sections::paths(out, page)?;
    finding::all(out, page)?;
    sections::meanings(out, page)?;
    sections::functions(out, page)?;
    sections::unread(out, page)?;
    writeln!(
        out,
        "</main><footer>Made by Ringfence {} from the source alone; nothing was deployed or run. What it could not read stands above: \
         silence about it means nothing.</footer><script>{SCRIPT}</script></body></html>",
        env!("CARGO_PKG_VERSION")
    )
}

/// What the report is about: the folder that was scanned.
fn name(loaded: &Loaded) -> String {
    match loaded.estate.applications.as_slice() {
        [application] => application.name.clone(),
        _ => loaded.root.file_name().map_or_else(|| "application".into(), |name| name.to_string_lossy().into_owned()),
    }
}

fn summary(out: &mut String, page: &Page<'_>, name: &str, date: &str) -> Result {
    let report = page.report;
    write!(
        out,
        "<section id=\"summary\"><p class=\"kind\">Security report{}</p><h1>{}</h1>",
        dated(date),
        escape(name)
    )?;
    write!(out, "<p class=\"lead\">{}</p>", escape(&lead(page)))?;
    severities(out, page)?;
    let functions = page.loaded.estate.functions().count();
    let exposed = |wanted: Exposure| -> usize {
        let of = |part: &Part<'_>| {
            let reached = |function| part.callers.exposure(part.application, function) == wanted;
            part.application.functions.iter().filter(|function| reached(function)).count()
        };
        page.applications.iter().map(of).sum()
    };
    out.push_str("<dl class=\"numbers\">");
    let mut number = |class: &str, name: &str, value: usize, detail: &str| {
        write!(out, "<div class=\"{class}\"><dt>{name}</dt><dd>{value}<small>{}</small></dd></div>", escape(detail))
    };
    let bad = |count: usize| if count > 0 { "bad" } else { "" };
    number("", "Functions", functions, &format!("in {}", plural(page.applications.len(), "application")))?;
    let public = exposed(Exposure::Public);
    number(
        bad(public),
        "Open to the public",
        public,
        &format!("{} more to callers that sign in", exposed(Exposure::Authenticated)),
    )?;
    number(bad(report.attack_paths.len()), "Attack paths", report.attack_paths.len(), "from outside to what matters")?;
    let serious = |index: &usize| {
        report
            .findings
            .get(*index)
            .is_some_and(|finding| finding.severity >= Severity::High && finding.function.is_some())
    };
    let concerned: std::collections::BTreeSet<String> =
        (0..report.findings.len()).filter(serious).map(|index| page.function_of(index)).collect();
    number(bad(concerned.len()), "Functions with serious findings", concerned.len(), "high or critical")?;
    number("", "Templates", page.loaded.templates, &format!("among {}", plural(page.loaded.files, "file")))?;
    let errors = report.diagnostics.iter().filter(|diagnostic| diagnostic.level == Level::Error).count();
    let warnings = report.diagnostics.iter().filter(|diagnostic| diagnostic.level == Level::Warning).count();
    number(bad(errors), "Could not be read", errors, &format!("{warnings} more not wholly understood"))?;
    out.push_str("</dl>");
    let mut notes = Vec::new();
    if !report.allowed.is_empty() {
        notes.push(format!("{} allowed in the source, with a reason there", plural(report.allowed.len(), "finding")));
    }
    notes.extend(report.comparison.map(compared));
    if !notes.is_empty() {
        write!(out, "<p class=\"note\">{}.</p>", escape(&capital(&notes.join("; "))))?;
    }
    sections::overview(out, page)?;
    out.push_str("</section>");
    Ok(())
}

fn dated(date: &str) -> String {
    if date.is_empty() { String::new() } else { format!(" · {}", escape(date)) }
}

/// The report in one or two sentences.
fn lead(page: &Page<'_>) -> String {
    let report = page.report;
    let serious = report.count(Severity::Critical) + report.count(Severity::High);
    let new = if report.comparison.is_some() { "new " } else { "" };
    let mut sentences = Vec::new();
    match (serious, report.findings.len()) {
        (0, 0) if report.is_incomplete() => sentences.push("Nothing was found in what could be read.".to_string()),
        (0, 0) => sentences.push(format!("Nothing {new}was found.")),
        (0, count) => {
            sentences.push(format!(
                "Nothing {new}that an attacker can use by itself; {} to mend when the place is touched.",
                plural(count, "finding")
            ));
        }
        (1, _) => sentences.push(format!("1 {new}weakness can be used by an attacker.")),
        (serious, _) => sentences.push(format!("{serious} {new}weaknesses can be used by an attacker.")),
    }
    match report.attack_paths.len() {
        0 => {}
        1 => sentences.push("1 path leads from outside to what matters.".to_string()),
        count => sentences.push(format!("{count} paths lead from outside to what matters.")),
    }
    if report.is_incomplete() && !report.findings.is_empty() {
        sentences.push("Some files could not be read.".to_string());
    }
    sentences.join(" ")
}

/// A bar of all findings by severity, and the numbers under it.
fn severities(out: &mut String, page: &Page<'_>) -> Result {
    let total = page.report.findings.len();
    if total == 0 {
        return Ok(());
    }
    let worst_first = || Severity::ALL.into_iter().rev().filter(|severity| page.report.count(*severity) > 0);
    out.push_str("<svg class=\"share\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">");
    let mut x = 0.0;
    for severity in worst_first() {
        // Counts are small enough for a float to hold.
        #[allow(clippy::cast_precision_loss)]
        let width = page.report.count(severity) as f64 * 1000.0 / total as f64;
        write!(
            out,
            "<rect class=\"{severity}\" x=\"{x:.1}\" y=\"0\" width=\"{:.1}\" height=\"10\"/>",
            (width - 2.0).max(1.0)
        )?;
        x += width;
    }
    out.push_str("</svg><ul class=\"severities\">");
    for severity in worst_first() {
        write!(out, "<li class=\"{severity}\"><b>{}</b> {severity}</li>", page.report.count(severity))?;
    }
    out.push_str("</ul>");
    Ok(())
}

fn maps(out: &mut String, page: &Page<'_>) -> Result {
    let mut parts: Vec<&Part<'_>> =
        page.applications.iter().filter(|part| !part.application.functions.is_empty()).collect();
    if parts.is_empty() {
        return Ok(());
    }
    out.push_str("<section id=\"map\"><h2>Map</h2><p class=\"about\">From left to right: who sends, what events come in by, the functions, what they may act on.</p>");
    let key = |part: &&Part<'_>| {
        let mut counts = part.counts;
        counts.reverse();
        std::cmp::Reverse(counts)
    };
    parts.sort_by_key(key);
    let (mut drawn, mut bytes) = (0, 0);
    for (index, part) in parts.iter().take(MAX_MAPS).enumerate() {
        let options =
            diagram::Options { prefix: format!("m{index}-"), without_legend: index > 0, ..diagram::Options::default() };
        let svg = diagram::svg(part.application, &options);
        if index > 0 && bytes + svg.len() > MAX_MAP_BYTES {
            break;
        }
        bytes += svg.len();
        drawn += 1;
        let path = page.sources().get(part.application.template).map_or("?", SourceFile::path);
        write!(
            out,
            "<details class=\"map\"{}><summary><b>{}</b> <span class=\"place\">{}</span>{}</summary>\
             <figure tabindex=\"0\" aria-label=\"Map of {0}\">{svg}</figure></details>",
            if index == 0 { " open" } else { "" },
            escape(&part.application.name),
            escape(path),
            counts(&part.counts),
        )?;
    }
    if drawn < parts.len() {
        write!(
            out,
            "<p class=\"note\">{} with milder findings or none are not drawn here; <code>ringfence map --format html</code> draws them all.</p>",
            plural(parts.len() - drawn, "application")
        )?;
    }
    out.push_str("</section>");
    Ok(())
}

/// Numbers of findings in the colours of their severities, worst first; nothing where there are none.
fn counts(counts: &[usize; 5]) -> String {
    let mut out = String::from("<span class=\"counts\">");
    for severity in Severity::ALL.into_iter().rev() {
        let count = counts[rank(severity)];
        if count > 0 {
            let _ = write!(
                out,
                "<span class=\"chip {severity}\" title=\"{severity}\">{count}<span class=\"away\"> {severity}</span></span>"
            );
        }
    }
    out.push_str("</span>");
    out
}

/// A severity as a coloured word.
fn chip(severity: Severity) -> String {
    format!("<span class=\"chip {severity}\">{severity}</span>")
}

/// A place in the source.
fn place(sources: &Sources, span: Span) -> String {
    format!("<span class=\"place\">{}</span>", escape(&super::place(sources, span)))
}

/// A sentence of ours: what it has in backticks becomes code.
fn text(sentence: &str) -> String {
    let mut out = String::new();
    let mut parts = sentence.split('`').peekable();
    let mut code = false;
    while let Some(part) = parts.next() {
        match (code, parts.peek().is_some()) {
            (true, true) => {
                let _ = write!(out, "<code>{}</code>", escape(part));
            }
            // A backtick without its fellow is one that somebody wrote.
            (true, false) => {
                let _ = write!(out, "`{}", escape(part));
            }
            (false, _) => out.push_str(&escape(part)),
        }
        code = !code;
    }
    out
}
