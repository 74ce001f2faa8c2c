//! What an audit is, what it sees and how it reports.

use crate::Input;
use findings::{AuditInfo, Confidence, Finding, Label, Severity};
use graph::{Application, Function, Identity, Resource, Trigger};
use source::Span;

/// The most that is pointed at where a block is meant by its first line.
const MAX_HEAD_BYTES: usize = 160;

/// A check of an application. An audit implements the visits it needs; each node of the graph is visited once.
pub trait Audit: Sync {
    /// What is known of it without running it.
    fn info(&self) -> &'static AuditInfo;

    /// The application as a whole; visited before its nodes.
    fn application(&self, _application: &Application, _context: &mut Context<'_>) {}

    /// A function.
    fn function(&self, _function: &Function, _context: &mut Context<'_>) {}

    /// A trigger.
    fn trigger(&self, _trigger: &Trigger, _context: &mut Context<'_>) {}

    /// A role.
    fn identity(&self, _identity: &Identity, _context: &mut Context<'_>) {}

    /// Any other resource.
    fn resource(&self, _resource: &Resource, _context: &mut Context<'_>) {}
}

/// What one audit sees, and what it has reported.
#[derive(Debug)]
pub struct Context<'a> {
    input: Input<'a>,
    info: &'static AuditInfo,
    findings: Vec<Finding>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(input: Input<'a>, info: &'static AuditInfo) -> Self {
        Self { input, info, findings: Vec::new() }
    }

    pub(crate) fn finish(self) -> Vec<Finding> {
        self.findings
    }

    /// The application.
    pub(crate) fn application(&self) -> &'a Application {
        self.input.application
    }

    /// The fence, where there is one.
    pub(crate) fn fence(&self) -> Option<&'a fence::Fence> {
        self.input.fence
    }

    /// The text it was read from.
    pub(crate) fn sources(&self) -> &'a source::Sources {
        self.input.sources
    }

    /// Settings beside the code.
    pub(crate) fn settings(&self) -> &'a [source::FileId] {
        self.input.settings
    }

    /// Today.
    pub(crate) fn today(&self) -> (u16, u8, u8) {
        self.input.today
    }

    /// The text under a span.
    pub(crate) fn text(&self, span: Span) -> &'a str {
        self.input.sources.slice(span)
    }

    /// The first line of a block, which is enough to point at it.
    pub(crate) fn head(&self, span: Span) -> Span {
        let text = self.text(span);
        let line = text.lines().next().unwrap_or("").trim_end();
        if line.is_empty() {
            return span;
        }
        // JSON without line breaks has everything on one line.
        let end = line.char_indices().map(|(at, _)| at).take_while(|at| *at <= MAX_HEAD_BYTES).last().unwrap_or(0);
        let length = if line.len() <= MAX_HEAD_BYTES { line.len() } else { end };
        Span::new(span.file, span.start as usize, span.start as usize + length)
    }

    /// Reports something at a place; the rest of the finding is filled in on what is given back.
    pub(crate) fn report(&mut self, span: Span, title: impl Into<String>) -> Report<'_> {
        let at = self.findings.len();
        self.findings.push(Finding {
            id: self.info.id,
            severity: self.info.severity,
            confidence: Confidence::High,
            title: title.into(),
            function: None,
            cwe: self.info.cwe.to_vec(),
            primary: Label { span, message: String::new() },
            related: Vec::new(),
            trace: Vec::new(),
            remediation: String::new(),
        });
        Report(&mut self.findings[at])
    }
}

/// A finding being filled in.
#[derive(Debug)]
pub(crate) struct Report<'c>(&'c mut Finding);

impl Report<'_> {
    /// How bad it is here; the audit's usual severity where it isn't said.
    pub(crate) fn severity(self, severity: Severity) -> Self {
        self.0.severity = severity;
        self
    }

    /// How sure the audit is here; high where it isn't said.
    pub(crate) fn confidence(self, confidence: Confidence) -> Self {
        self.0.confidence = confidence;
        self
    }

    /// What kind of weakness it is here; the audit's own kinds where it isn't said.
    pub(crate) fn cwe(self, cwe: &[u16]) -> Self {
        self.0.cwe = cwe.to_vec();
        self
    }

    /// What is to be said at the place itself.
    pub(crate) fn primary(self, message: impl Into<String>) -> Self {
        self.0.primary.message = message.into();
        self
    }

    /// Another place that tells the story.
    pub(crate) fn related(self, span: Span, message: impl Into<String>) -> Self {
        self.0.related.push(Label { span, message: message.into() });
        self
    }

    /// One step of a flow, in order from where the data comes in.
    pub(crate) fn step(self, span: Span, message: impl Into<String>) -> Self {
        self.0.trace.push(Label { span, message: message.into() });
        self
    }

    /// The function it concerns.
    pub(crate) fn function(self, name: &str) -> Self {
        self.0.function = Some(name.to_string());
        self
    }

    /// What to do about it.
    pub(crate) fn remediation(self, text: impl Into<String>) {
        self.0.remediation = text.into();
    }
}

/// Names as prose: `A`, `A and B`, `A, B and 3 more`; each in backticks.
pub(crate) fn listed<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    let quoted = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match names.as_slice() {
        [] => String::new(),
        [.., last] if names.len() <= 4 => match &names[..names.len() - 1] {
            [] => format!("`{last}`"),
            rest => format!("{} and `{last}`", quoted(rest)),
        },
        _ => format!("{} and {} more", quoted(&names[..3]), names.len() - 3),
    }
}

/// One step less sure.
pub(crate) fn less(confidence: Confidence) -> Confidence {
    match confidence {
        Confidence::High => Confidence::Medium,
        _ => Confidence::Low,
    }
}
