//! For tests: a template's text in, findings out.

use crate::{Input, run};
use findings::Finding;
use graph::Application;
use source::{SourceFile, Sources};

/// The day on which tests run.
pub(crate) const TODAY: (u16, u8, u8) = (2026, 11, 23);

/// An application read from a template's text, which may be indented as a whole.
pub(crate) fn application(text: &str) -> (Sources, Application) {
    let text = text.strip_prefix('\n').unwrap_or(text);
    let indent = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.len() - line.trim_start().len())
        .min()
        .unwrap_or(0);
    let text: String = text.lines().map(|line| format!("{}\n", line.get(indent..).unwrap_or(""))).collect();
    let mut sources = Sources::new();
    let file = sources.add(SourceFile::new("template.yaml", text));
    let reading = template::read(&mut sources, file, &mut |_| None);
    let complaints: Vec<_> = reading.diagnostics.iter().filter(|said| said.level > findings::Level::Note).collect();
    assert!(complaints.is_empty(), "{complaints:?}");
    (sources, reading.application.expect("the template has resources"))
}

/// Everything that all audits say.
pub(crate) fn all(text: &str) -> Vec<Finding> {
    let (sources, application) = application(text);
    run(&Input { application: &application, sources: &sources, fence: None, settings: &[], today: TODAY })
}

/// What one audit says.
pub(crate) fn findings(id: &str, text: &str) -> Vec<Finding> {
    all(text).into_iter().filter(|finding| finding.id == id).collect()
}

/// What one audit says, a line for each finding: severity, confidence, place, title.
pub(crate) fn lines(id: &str, text: &str) -> Vec<String> {
    let (sources, application) = application(text);
    lines_of(id, &Input { application: &application, sources: &sources, fence: None, settings: &[], today: TODAY })
}

/// The same for an application that a test has changed by hand.
pub(crate) fn lines_of(id: &str, input: &Input<'_>) -> Vec<String> {
    run(input)
        .into_iter()
        .filter(|finding| finding.id == id)
        .map(|finding| {
            assert!(!finding.primary.message.is_empty() && !finding.remediation.is_empty(), "{finding:?}");
            let line = input.sources.position(finding.primary.span).line;
            format!("{}/{} {line}: {}", finding.severity, finding.confidence.name(), finding.title)
        })
        .collect()
}
