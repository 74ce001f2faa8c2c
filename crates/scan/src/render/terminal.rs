//! For people: what there is in numbers, each finding with its source, what was not understood, and the sum.

use super::{compared, plural};
use crate::excerpt::{clamp, first_line, line_start, masked};
use crate::{Loaded, Report};
use annotate_snippets::{AnnotationKind, Group, Level as Tone, Renderer, Snippet};
use findings::{AttackPath, Diagnostic, Finding, Label, Level, Severity};
use graph::{Exposure, ResourceKind};
use source::{Sources, Span};
use std::collections::BTreeMap;
use std::fmt::Write;

/// How text for a terminal is to look.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// With colours.
    pub colour: bool,
    /// How many columns there are.
    pub width: usize,
}

impl Style {
    fn renderer(self) -> Renderer {
        let renderer = if self.colour { Renderer::styled() } else { Renderer::plain() };
        renderer.term_width(self.width.clamp(60, 400))
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_string() }
    }
}

/// How many diagnostics of one reader are shown whole; the rest are counted.
const DIAGNOSTICS_SHOWN: usize = 25;

pub(super) fn report(loaded: &Loaded, report: &Report, style: Style) -> String {
    let mut out = String::new();
    numbers(loaded, style, &mut out);
    let secrets = report.secrets();
    for finding in &report.findings {
        out.push_str(&render_finding(&loaded.sources, finding, &secrets, style));
        out.push_str("\n\n");
    }
    stories(&loaded.sources, &report.attack_paths, style, &mut out);
    let spoken: Vec<&Diagnostic> =
        report.diagnostics.iter().filter(|diagnostic| diagnostic.level > Level::Note).collect();
    for shown in spoken.iter().take(DIAGNOSTICS_SHOWN) {
        out.push_str(&diagnostic(&loaded.sources, shown, style));
        out.push_str("\n\n");
    }
    if spoken.len() > DIAGNOSTICS_SHOWN {
        let _ = writeln!(
            out,
            "... and {} more of these; `--format json` lists them all\n",
            spoken.len() - DIAGNOSTICS_SHOWN
        );
    }
    sum(report, style, &mut out);
    out
}

/// How many attack paths are told whole; the rest are counted.
const PATHS_SHOWN: usize = 10;

/// The attack paths as numbered stories, each step with its place.
fn stories(sources: &Sources, paths: &[AttackPath], style: Style, out: &mut String) {
    for (index, path) in paths.iter().take(PATHS_SHOWN).enumerate() {
        let severity = style.paint(colour(path.severity), path.severity.name());
        let title = format!("{} [{}]", path.title, path.id);
        let head = format!("attack path {}: {title}", index + 1);
        let mut lines = wrap(&head, style.width.saturating_sub(12).max(40)).into_iter();
        let _ = writeln!(out, "{severity} {}", style.paint("1", &lines.next().unwrap_or_default()));
        for line in lines {
            let _ = writeln!(out, "{:4}{}", "", style.paint("1", &line));
        }
        for (number, step) in path.steps.iter().enumerate() {
            let mut lines = wrap(&step.what, style.width.saturating_sub(7).max(40)).into_iter();
            let _ = writeln!(out, "{:>4}. {}", number + 1, lines.next().unwrap_or_default());
            for line in lines {
                let _ = writeln!(out, "{:6}{line}", "");
            }
            let finding = step.finding.map_or_else(String::new, |id| format!(" ({id})"));
            if let Some(span) = step.span {
                let place = format!("--> {}:{}", sources.path(span), sources.position(span).line);
                let _ = writeln!(out, "{:6}{}{finding}", "", style.paint("1;34", &place));
            }
        }
        out.push('\n');
    }
    if paths.len() > PATHS_SHOWN {
        let _ = writeln!(
            out,
            "... and {}; `--format json` tells them all\n",
            plural(paths.len() - PATHS_SHOWN, "more attack path")
        );
    }
}

fn numbers(loaded: &Loaded, style: Style, out: &mut String) {
    let functions: Vec<_> = loaded.estate.functions().collect();
    let public =
        functions.iter().filter(|(application, function)| application.exposure(function) == Exposure::Public).count();
    let mut triggers: BTreeMap<&str, usize> = BTreeMap::new();
    let mut resources: BTreeMap<ResourceKind, usize> = BTreeMap::new();
    let (mut identities, mut statements) = (0, 0);
    for application in &loaded.estate.applications {
        for trigger in &application.triggers {
            *triggers.entry(trigger.kind.name()).or_default() += 1;
        }
        for resource in application.resources.iter().filter(|resource| resource.kind != ResourceKind::Other) {
            *resources.entry(resource.kind).or_default() += 1;
        }
        identities += application.identities.len();
        statements += application.identities.iter().map(|identity| identity.statements.len()).sum::<usize>();
    }
    let listed = |counts: Vec<String>| if counts.is_empty() { "none".to_string() } else { counts.join(", ") };
    let applications = loaded.estate.applications.len();
    let rows = [
        (
            "applications",
            format!("{applications} from {} of {}", plural(loaded.templates, "template"), plural(loaded.files, "file")),
        ),
        ("functions", format!("{}, {public} open to the public", functions.len())),
        ("triggers", listed(triggers.iter().map(|(kind, count)| format!("{count} {kind}")).collect())),
        ("identities", format!("{identities} with {}", plural(statements, "statement"))),
        ("resources", listed(resources.iter().map(|(kind, count)| format!("{count} {}", kind.name())).collect())),
    ];
    for (name, value) in rows {
        let label = style.paint("1", &format!("{name:>12}"));
        let mut lines = wrap(&value, style.width.saturating_sub(15).max(40)).into_iter();
        let _ = writeln!(out, "{label}  {}", lines.next().unwrap_or_default());
        for line in lines {
            let _ = writeln!(out, "{:14}{line}", "");
        }
    }
    out.push('\n');
}

/// Breaks at spaces.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { break };
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_string());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

fn sum(report: &Report, style: Style, out: &mut String) {
    let counts: Vec<String> = Severity::ALL
        .iter()
        .rev()
        .filter(|severity| report.count(**severity) > 0)
        .map(|severity| style.paint(colour(*severity), &format!("{} {severity}", report.count(*severity))))
        .collect();
    let mut line = match report.findings.len() {
        0 => "no findings".to_string(),
        count => format!("{}: {}", plural(count, "finding"), counts.join(", ")),
    };
    if !report.attack_paths.is_empty() {
        let _ = write!(line, "; {}", plural(report.attack_paths.len(), "attack path"));
    }
    if !report.allowed.is_empty() {
        let _ = write!(line, "; {} allowed in the source", report.allowed.len());
    }
    if let Some(comparison) = report.comparison {
        let _ = write!(line, "; {}", compared(comparison));
    }
    let of = |level| report.diagnostics.iter().filter(|diagnostic| diagnostic.level == level).count();
    if of(Level::Error) > 0 {
        let _ = write!(line, "; {} that could not be read", plural(of(Level::Error), "place"));
    }
    if of(Level::Warning) + of(Level::Note) > 0 {
        let _ = write!(line, "; {} not wholly understood", of(Level::Warning) + of(Level::Note));
    }
    let _ = writeln!(out, "{line}");
    if !report.findings.is_empty() {
        let _ = writeln!(out, "`ringfence explain ID` tells more of any of them");
    }
}

fn colour(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "1;35",
        Severity::High => "1;31",
        Severity::Medium => "1;33",
        Severity::Low => "1;36",
        Severity::Info => "1",
    }
}

fn render_finding(sources: &Sources, finding: &Finding, secrets: &[Span], style: Style) -> String {
    let tone = match finding.severity {
        Severity::Critical | Severity::High => Tone::ERROR,
        Severity::Medium => Tone::WARNING,
        Severity::Low => Tone::INFO,
        Severity::Info => Tone::NOTE,
    };
    let title = tone.with_name(finding.severity.name()).primary_title(finding.title.as_str()).id(finding.id);
    let group = excerpts(sources, title, &finding.primary, &finding.related, secrets);
    let mut text = style.renderer().render(&[group.element(Tone::HELP.message(finding.remediation.as_str()))]);
    // Under the `=` of the help, which stands as far in as the longest line number asks for.
    let mut help = text.lines().rev().map(uncoloured);
    let mark = |plain: &String| plain.find("= ").filter(|at| plain[..*at].trim().is_empty());
    let indent = help.find_map(|plain| mark(&plain)).unwrap_or(3);
    let mut classes: Vec<String> = finding.cwe.iter().map(|cwe| format!("CWE-{cwe}")).collect();
    classes.extend(findings::owasp(&finding.cwe).iter().map(|risk| format!("OWASP {}", risk.id)));
    if !classes.is_empty() {
        let _ = write!(text, "\n{:indent$}= class: {}", "", classes.join(", "));
    }
    if finding.confidence != findings::Confidence::High {
        let _ = write!(text, "\n{:indent$}= confidence: {}", "", finding.confidence.name());
    }
    text
}

/// A line without the escape sequences that colour it.
fn uncoloured(line: &str) -> String {
    let mut plain = String::new();
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\u{1b}' => {
                letters.by_ref().find(char::is_ascii_alphabetic);
            }
            letter => plain.push(letter),
        }
    }
    plain
}

/// A diagnostic with its place.
pub fn diagnostic(sources: &Sources, diagnostic: &Diagnostic, style: Style) -> String {
    let tone = match diagnostic.level {
        Level::Error => Tone::ERROR,
        Level::Warning => Tone::WARNING,
        Level::Note => Tone::NOTE,
    };
    let title = tone.primary_title(diagnostic.message.as_str()).id(diagnostic.reader);
    let place;
    let mut group = match diagnostic.span {
        Some(span) => {
            place = Label { span, message: String::new() };
            excerpts(sources, title, &place, &[], &[])
        }
        None => Group::with_title(title),
    };
    if let Some(help) = &diagnostic.help {
        group = group.element(Tone::HELP.message(help.as_str()));
    }
    style.renderer().render(&[group])
}

/// One snippet per file, the primary place's first.
fn excerpts<'a>(
    sources: &'a Sources,
    title: annotate_snippets::Title<'a>,
    primary: &'a Label,
    related: &'a [Label],
    secrets: &[Span],
) -> Group<'a> {
    let mut files = vec![primary.span.file];
    for label in related {
        if !files.contains(&label.span.file) {
            files.push(label.span.file);
        }
    }
    let mut group = Group::with_title(title);
    for id in files {
        let Some(file) = sources.get(id) else { continue };
        let labels = std::iter::once((AnnotationKind::Primary, primary))
            .chain(related.iter().map(|label| (AnnotationKind::Context, label)))
            .filter(|(_, label)| label.span.file == id);
        let marks: Vec<_> = labels.map(|(kind, label)| (kind, first_line(file, label.span), label)).collect();
        // Only the lines between the first and the last mark are handed over: templates can be long.
        let first = marks.iter().map(|(_, range, _)| file.position(clamp(range.start)).line).min().unwrap_or(1);
        let last = marks.iter().map(|(_, range, _)| file.position(clamp(range.end)).line).max().unwrap_or(1);
        let start = line_start(file, first);
        let end = file.line(last).map_or(file.text().len(), |line| line_start(file, last) + line.len());
        let Some(text) = file.text().get(start..end) else { continue };
        let mut snippet =
            Snippet::source(masked(text, id, start, secrets)).path(file.path()).line_start(first as usize);
        for (kind, range, label) in marks {
            let range = range.start.saturating_sub(start)..range.end.saturating_sub(start).min(text.len());
            let annotation = kind.span(range);
            snippet = snippet.annotation(match label.message.as_str() {
                "" => annotation,
                message => annotation.label(message),
            });
        }
        group = group.element(snippet);
    }
    group
}
