//! Attack paths: from where somebody stands, through a weakness and what it allows, to what is lost. Findings on a path
//! rise, findings that nobody can reach fall, and each says why.
//!
//! Everything is worked out per application from its graph and its findings. Deliberately absent: paths from one application into
//! another, what a live account would add, and proof that what a function hands on is what it was handed (such a step makes a
//! path less sure).

pub(crate) mod escalate;
mod identities;
mod loss;
mod rank;
mod start;
mod stories;
#[cfg(test)]
mod tests;
mod weakness;

use findings::{AttackPath, Finding};
use graph::Application;
use source::{Sources, Span};

/// Adds what is found about identities to an application's findings, tells the paths through all of them, and ranks them by those.
pub(crate) fn walk(
    application: &Application,
    findings: &mut Vec<Finding>,
    sources: &Sources,
    today: (u16, u8, u8),
) -> Vec<AttackPath> {
    let situation = iam::Situation { today: Some(today), ..iam::Situation::default() };
    let ways = iam::escalations(application, &situation);
    findings.extend(escalate::findings(application, &ways, sources));
    let mut paths = stories::Stories::new(application, findings, &ways, sources).tell();
    paths.extend(identities::paths(application, findings, &ways, sources));
    // Whose code a stranger runs is told in that path already.
    let told: Vec<String> = paths
        .iter()
        .filter(|path| path.id == "code-execution")
        .flat_map(|path| path.functions.last().cloned())
        .collect();
    let upwards = escalate::paths(application, &ways, sources);
    paths.extend(upwards.into_iter().filter(|path| !path.functions.iter().any(|function| told.contains(function))));
    rank::apply(application, findings, &paths);
    paths
}

/// Paths in the order a person reads them: the worst first, those of strangers before those of insiders.
pub(crate) fn sort(paths: &mut [AttackPath]) {
    paths.sort_by(|left, right| {
        let key = |path: &AttackPath| {
            let kind = match path.id {
                "code-execution" | "open-role" => 0,
                "code-replacement" => 1,
                "privilege-escalation" => 3,
                _ => 2,
            };
            (std::cmp::Reverse(path.severity), kind, path.steps.len())
        };
        key(left).cmp(&key(right)).then_with(|| left.title.cmp(&right.title))
    });
}

/// The first line of a block, if it points at text.
fn head_of(sources: &Sources, span: Span) -> Option<Span> {
    escalate::is_known(sources, span).then(|| escalate::head(sources, span))
}
