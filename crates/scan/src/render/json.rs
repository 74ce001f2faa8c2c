//! Our own JSON: what other programs build on.

use crate::callers::Callers;
use crate::fingerprint::fingerprints;
use crate::{Loaded, Report};
use findings::{AttackPath, Diagnostic, Finding, Label};
use serde_json::{Value, json};
use source::{Sources, Span};

pub(super) fn report(loaded: &Loaded, report: &Report) -> Value {
    let sources = &loaded.sources;
    let prints = fingerprints(sources, report);
    let all = |findings: &[Finding], prints: &[String]| -> Vec<Value> {
        findings.iter().zip(prints).map(|(found, print)| finding(sources, found, print)).collect()
    };
    let functions: Vec<Value> = loaded
        .estate
        .applications
        .iter()
        .flat_map(|application| {
            let callers = Callers::of(application);
            application.functions.iter().map(move |function| (application, function, callers.exposure(application, function)))
        })
        .map(|(application, function, exposure)| {
            let triggers: Vec<Value> = application
                .triggers_of(&function.name)
                .map(|trigger| {
                    json!({
                        "kind": trigger.kind.name(),
                        "label": trigger.label(),
                        "exposure": trigger.exposure().name(),
                        "authorization": trigger.authorization.as_ref().map(ToString::to_string),
                        "location": place(sources, trigger.span),
                    })
                })
                .collect();
            json!({
                "name": function.name,
                "application": application.name,
                "runtime": function.runtime.as_ref().map(|runtime| &runtime.value),
                "handler": function.handler.as_ref().map(|handler| &handler.value),
                "triggers": triggers,
                "exposure": exposure.name(),
                "identity": function.identity.clone().or_else(|| function.role.as_ref().map(|role| role.value.to_string())),
                "can": abilities(application, function),
                "location": place(sources, function.span),
            })
        })
        .collect();
    json!({
        "ringfence": env!("CARGO_PKG_VERSION"),
        "files": loaded.files,
        "templates": loaded.templates,
        "baseline": report.comparison,
        "findings": all(&report.findings, &prints.findings),
        "allowed": all(&report.allowed, &prints.allowed),
        "attack_paths": report.attack_paths.iter().map(|path| attack_path(sources, path)).collect::<Vec<_>>(),
        "functions": functions,
        "diagnostics": report.diagnostics.iter().map(|said| diagnostic(sources, said)).collect::<Vec<_>>(),
    })
}

fn finding(sources: &Sources, finding: &Finding, fingerprint: &str) -> Value {
    let location = |label: &Label, role: &str| {
        let mut value = place(sources, label.span);
        if let Some(object) = value.as_object_mut() {
            object.insert("role".into(), role.into());
            if !label.message.is_empty() {
                object.insert("message".into(), label.message.clone().into());
            }
        }
        value
    };
    let mut locations = vec![location(&finding.primary, "primary")];
    locations.extend(finding.related.iter().map(|label| location(label, "related")));
    json!({
        "id": finding.id,
        "severity": finding.severity,
        "confidence": finding.confidence,
        "title": finding.title,
        "function": finding.function,
        "cwe": finding.cwe,
        "owasp": findings::owasp(&finding.cwe).iter().map(|risk| risk.id).collect::<Vec<_>>(),
        "locations": locations,
        "trace": finding.trace.iter().map(|label| location(label, "step")).collect::<Vec<_>>(),
        "remediation": finding.remediation,
        "fingerprint": fingerprint,
    })
}

/// What a function's role may do to what matters: of each kind of thing what is done to all of it, or to which of the template's.
fn abilities(application: &graph::Application, function: &graph::Function) -> Vec<Value> {
    let Some(identity) = application.identity_of(function) else { return Vec::new() };
    let permissions = iam::Permissions::of(application, identity);
    let all = iam::access(application, &permissions);
    let wide = |one: &iam::Access| {
        all.iter().any(|other| other.name.is_none() && (other.matter, other.verb) == (one.matter, one.verb))
    };
    all.iter()
        // Beside all of a kind its single ones say nothing.
        .filter(|one| one.name.is_none() || !wide(one))
        .map(|one| json!({ "verb": one.verb, "kind": one.matter, "name": one.name, "certain": one.certain }))
        .collect()
}

fn attack_path(sources: &Sources, path: &AttackPath) -> Value {
    let steps: Vec<Value> = path
        .steps
        .iter()
        .enumerate()
        .map(|(index, step)| {
            json!({
                "number": index + 1,
                "what": step.what,
                "node": step.node,
                "finding": step.finding,
                "location": step.span.map(|span| place(sources, span)),
            })
        })
        .collect();
    json!({
        "id": path.id,
        "severity": path.severity,
        "title": path.title,
        "functions": path.functions,
        "steps": steps,
    })
}

fn diagnostic(sources: &Sources, diagnostic: &Diagnostic) -> Value {
    json!({
        "level": diagnostic.level,
        "reader": diagnostic.reader,
        "message": diagnostic.message,
        "help": diagnostic.help,
        "location": diagnostic.span.map(|span| place(sources, span)),
    })
}

pub(super) fn place(sources: &Sources, span: Span) -> Value {
    let position = sources.position(span);
    json!({ "file": sources.path(span), "line": position.line, "column": position.column })
}
