//! What paths say about findings: a weakness that stands on one rises, a weakness in a function that nothing starts falls. Never
//! by more than one level, and never without saying why.
//!
//! What rises is at least medium, and sure: an innocent look-alike stays where its audit left it. Nothing falls below medium.

use crate::callers::Callers;
use findings::{AttackPath, Confidence, Finding, Label, Severity};
use graph::{Application, Exposure};

/// Findings whose weight doesn't depend on who reaches the function.
const INDEPENDENT: &[&str] = &[
    "deprecated-runtime",
    "missing-log-retention",
    "permissive-role-trust",
    "privilege-escalation",
    "public-bucket",
    "public-object",
    "public-function-url",
    "public-resource-policy",
    "secret-in-code",
    "secret-in-environment",
    "unauthenticated-endpoint",
    "unencrypted-resource",
];

pub(super) fn apply(application: &Application, findings: &mut [Finding], paths: &[AttackPath]) {
    for path in paths.iter().filter(|path| path.id != "privilege-escalation") {
        let Some(start) = path.steps.first() else { continue };
        for step in path.steps.iter().skip(1) {
            let (Some(id), Some(span)) = (step.finding, step.span) else { continue };
            let meant = findings.iter_mut().filter(|finding| {
                finding.id == id && finding.primary.span == span && finding.function.as_deref() == step.node.as_deref()
            });
            for finding in meant {
                let raised = match finding.severity {
                    Severity::Medium => Severity::High,
                    Severity::High => Severity::Critical,
                    _ => continue,
                };
                if raised > path.severity || finding.confidence < Confidence::High {
                    continue;
                }
                let because = format!("{raised} rather than {}, since {}", finding.severity, path.title);
                finding.severity = raised;
                finding.related.push(Label { span: start.span.unwrap_or(span), message: because });
            }
        }
    }
    // Where nothing at all is triggered, what does it stands somewhere else.
    if application.triggers.is_empty() && application.functions.iter().all(|function| function.url.is_none()) {
        return;
    }
    let callers = Callers::of(application);
    for function in &application.functions {
        if callers.exposure(application, function) != Exposure::None {
            continue;
        }
        let own = findings.iter_mut().filter(|finding| {
            finding.function.as_deref() == Some(&function.name)
                && finding.severity > Severity::Medium
                && !INDEPENDENT.contains(&finding.id)
        });
        for finding in own {
            let lowered = if finding.severity == Severity::Critical { Severity::High } else { Severity::Medium };
            let because = format!(
                "{lowered} rather than {}, since nothing in the application starts `{}`",
                finding.severity, function.name
            );
            finding.severity = lowered;
            finding.related.push(Label { span: function.span, message: because });
        }
    }
}
