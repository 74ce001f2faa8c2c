//! Attack paths: from where somebody stands, through a weakness and what it allows, to what is lost. Findings on a path
//! rise, findings that nobody can reach fall, and each says why.
//!
//! Everything is worked out per application from its graph and its findings. Deliberately absent: paths from one application into
//! another, and what a live account would add.

pub(crate) mod escalate;

use findings::{AttackPath, Finding};
use graph::Application;
use source::Sources;

/// Adds what is found about identities to an application's findings, and tells the paths through all of them.
pub(crate) fn walk(
    application: &Application,
    findings: &mut Vec<Finding>,
    sources: &Sources,
    today: (u16, u8, u8),
) -> Vec<AttackPath> {
    let situation = iam::Situation { today: Some(today), ..iam::Situation::default() };
    let ways = iam::escalations(application, &situation);
    findings.extend(escalate::findings(application, &ways, sources));
    escalate::paths(application, &ways, sources)
}

/// Paths in the order a person reads them: the worst first.
pub(crate) fn sort(paths: &mut [AttackPath]) {
    paths.sort_by(|left, right| {
        let key = |path: &AttackPath| (std::cmp::Reverse(path.severity), path.id == "privilege-escalation");
        key(left).cmp(&key(right)).then_with(|| left.title.cmp(&right.title))
    });
}
