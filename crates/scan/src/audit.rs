//! From what was loaded to a report: audits run, decisions honoured, everything in a stable order.

use crate::load::{Loaded, fence_paths};
use crate::rules::Rules;
use crate::{allow, attack};
use fence::Fence;
use findings::{AttackPath, Diagnostic, Finding, Level, Severity};
use rayon::prelude::*;
use source::{SourceFile, Sources, Span};

/// Audits whose findings point at a secret itself.
const SECRET_AUDITS: [&str; 2] = ["secret-in-code", "secret-in-environment"];

/// What `ringfence scan` has to say.
#[derive(Debug)]
pub struct Report {
    /// Findings, worst first.
    pub findings: Vec<Finding>,
    /// Findings that the source allows, with its reasons beside them there.
    pub allowed: Vec<Finding>,
    /// How somebody gets to what matters, worst first.
    pub attack_paths: Vec<AttackPath>,
    /// What was not read or not understood, in the order of the files.
    pub diagnostics: Vec<Diagnostic>,
    /// How it compares with the baseline it was held against, if it was.
    pub comparison: Option<crate::baseline::Comparison>,
}

impl Report {
    /// The worst severity among the findings.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }

    /// How many findings there are of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// Text that no output may show whole: what the audits of secrets point at.
    pub(crate) fn secrets(&self) -> Vec<Span> {
        secrets(&self.findings).chain(secrets(&self.allowed)).collect()
    }

    /// Whether something could not be read at all, so that silence about it means nothing.
    pub fn is_incomplete(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.level == Level::Error)
    }
}

/// Runs all audits. `today` is year, month and day; fences beside the templates are read, since what they say counts.
pub fn report(loaded: &mut Loaded, today: (u16, u8, u8)) -> Report {
    report_with_rules(loaded, today, None)
}

/// Runs all audits, and a team's own rules over what they leave.
pub fn report_with_rules(loaded: &mut Loaded, today: (u16, u8, u8), rules: Option<&Rules>) -> Report {
    let mut diagnostics = std::mem::take(&mut loaded.diagnostics);
    let fences = fences(loaded, &mut diagnostics);
    let index = deps::default_index_folder();
    let brought = crate::dependencies::findings(loaded, index.as_deref(), today, &mut diagnostics);
    let sources = &loaded.sources;
    let settings = crate::secrets::by_template(&loaded.estate.applications, &loaded.settings, sources);
    let (found, paths): (Vec<Vec<Finding>>, Vec<Vec<AttackPath>>) = loaded
        .estate
        .applications
        .par_iter()
        .zip(&fences)
        .map(|(application, fence)| {
            let settings = settings.get(&application.template).map_or(&[][..], Vec::as_slice);
            let input = audits::Input { application, sources, fence: fence.as_ref(), settings, today };
            let mut found = audits::run(&input);
            let paths = attack::walk(application, &mut found, sources, today);
            (found, paths)
        })
        .unzip();
    let mut findings: Vec<Finding> = found.into_iter().flatten().chain(brought).collect();
    let mut attack_paths: Vec<AttackPath> = paths.into_iter().flatten().collect();
    attack::sort(&mut attack_paths);
    if let Some(rules) = rules {
        let secrets: Vec<Span> = secrets(&findings).collect();
        let found = rules.findings(loaded, &findings, &secrets, &mut diagnostics);
        findings.extend(found);
    }
    findings.sort_by(|left, right| {
        let place = |finding: &Finding| (sources.path(finding.primary.span), finding.primary.span.start);
        right
            .severity
            .cmp(&left.severity)
            .then_with(|| place(left).cmp(&place(right)))
            .then_with(|| left.id.cmp(right.id))
    });
    let known: Vec<&'static str> = crate::own::all().map(|info| info.id).collect();
    let known = known.into_iter().chain(rules.into_iter().flat_map(Rules::ids)).collect::<Vec<_>>();
    let sorted = allow::sort(findings, &loaded.estate.applications, sources, &known);
    diagnostics.extend(sorted.diagnostics);
    let place = |diagnostic: &Diagnostic| diagnostic.span.map(|span| (sources.path(span), span.start));
    diagnostics.sort_by(|left, right| place(left).cmp(&place(right)));
    Report { findings: sorted.reported, allowed: sorted.allowed, attack_paths, diagnostics, comparison: None }
}

/// What the audits of secrets point at.
fn secrets(findings: &[Finding]) -> impl Iterator<Item = Span> {
    findings.iter().filter(|finding| SECRET_AUDITS.contains(&finding.id)).map(|finding| finding.primary.span)
}

/// The fences beside the templates, in the order of the applications; a broken one is none, and said so.
fn fences(loaded: &mut Loaded, diagnostics: &mut Vec<Diagnostic>) -> Vec<Option<Fence>> {
    let mut fences = Vec::with_capacity(loaded.estate.applications.len());
    for (index, path) in fence_paths(loaded).into_iter().enumerate() {
        let Ok(text) = std::fs::read_to_string(loaded.root.join(&path)) else {
            fences.push(None);
            continue;
        };
        // Segments from the end: those of the readers begin at the other one.
        let mut segment = Sources::segment(source::MAX_SEGMENTS - 1 - u32::try_from(index).unwrap_or(0));
        let reading = fence::read(segment.add(SourceFile::new(&path, &text)), &text);
        if !reading.complaints.is_empty() {
            let complaints = reading.complaints.into_iter();
            diagnostics.extend(complaints.map(|complaint| Diagnostic::from_complaint("fence", complaint)));
            loaded.sources.absorb(segment);
        }
        fences.push(reading.fence);
    }
    fences
}
