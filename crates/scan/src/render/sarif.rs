//! SARIF 2.1.0 (OASIS), with what code scanning services ask of it: rules with help, fingerprints, security severities.

use crate::{Loaded, Report};
use findings::{AuditInfo, Diagnostic, Finding, Label, Level, Severity};
use serde_json::{Value, json};
use source::{Sources, Span};
use std::hash::{DefaultHasher, Hash, Hasher};

pub(super) fn report(loaded: &Loaded, report: &Report) -> Value {
    let sources = &loaded.sources;
    let rules: Vec<Value> = audits::audits().iter().map(|audit| rule(audit.info())).collect();
    let index = |id: &str| audits::audits().iter().position(|audit| audit.info().id == id);
    let results: Vec<Value> = report
        .findings
        .iter()
        .map(|finding| result(sources, finding, index(finding.id), None))
        .chain(report.allowed.iter().map(|finding| {
            result(sources, finding, index(finding.id), Some(json!([{ "kind": "inSource", "status": "accepted" }])))
        }))
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "Ringfence",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": { "ROOT": { "description": { "text": "the folder that was scanned" } } },
            "invocations": [{
                "executionSuccessful": !report.is_incomplete(),
                "toolExecutionNotifications": report.diagnostics.iter().map(|said| notification(sources, said)).collect::<Vec<_>>(),
            }],
            "results": results,
        }],
    })
}

fn rule(info: &AuditInfo) -> Value {
    let mut tags = vec!["security".to_string(), "serverless".to_string()];
    tags.extend(info.cwe.iter().map(|cwe| format!("external/cwe/cwe-{cwe:03}")));
    json!({
        "id": info.id,
        "shortDescription": { "text": info.title },
        "fullDescription": { "text": info.title },
        "help": { "text": info.docs, "markdown": info.docs },
        "defaultConfiguration": { "level": level(info.severity) },
        "properties": { "tags": tags, "precision": "high", "security-severity": score(info.severity) },
    })
}

fn result(sources: &Sources, finding: &Finding, index: Option<usize>, suppressions: Option<Value>) -> Value {
    let related: Vec<Value> = finding
        .related
        .iter()
        .enumerate()
        .map(|(id, label)| {
            let mut value = location(sources, label);
            value["id"] = id.into();
            value
        })
        .collect();
    let mut result = json!({
        "ruleId": finding.id,
        "level": level(finding.severity),
        "message": { "text": format!("{}. {}", finding.title, finding.remediation) },
        "locations": [location(sources, &finding.primary)],
        "partialFingerprints": { "ringfence/v1": fingerprint(sources, finding) },
        "properties": {
            "severity": finding.severity,
            "confidence": finding.confidence,
            "function": finding.function,
            "security-severity": score(finding.severity),
        },
    });
    if let Some(index) = index {
        result["ruleIndex"] = index.into();
    }
    if !related.is_empty() {
        result["relatedLocations"] = related.into();
    }
    if let Some(suppressions) = suppressions {
        result["suppressions"] = suppressions;
    }
    result
}

/// The same for a finding whose lines have moved: what is said of which function, and the text it points at.
fn fingerprint(sources: &Sources, finding: &Finding) -> String {
    let mut hasher = DefaultHasher::new();
    let span = finding.primary.span;
    (finding.id, &finding.function, &finding.title, sources.path(span), sources.slice(span)).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn location(sources: &Sources, label: &Label) -> Value {
    let mut value = json!({ "physicalLocation": physical(sources, label.span) });
    if !label.message.is_empty() {
        value["message"] = json!({ "text": label.message });
    }
    value
}

fn physical(sources: &Sources, span: Span) -> Value {
    let start = sources.position(span);
    let end = sources.get(span.file).map_or(start, |file| file.position(span.end));
    json!({
        "artifactLocation": { "uri": uri(sources.path(span)), "uriBaseId": "ROOT" },
        "region": { "startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column },
    })
}

/// A relative path as a URI reference.
fn uri(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => out.push(byte as char),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

fn notification(sources: &Sources, diagnostic: &Diagnostic) -> Value {
    let text = match &diagnostic.help {
        Some(help) => format!("{} ({help})", diagnostic.message),
        None => diagnostic.message.clone(),
    };
    let level = match diagnostic.level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "note",
    };
    let mut value = json!({ "level": level, "message": { "text": text }, "descriptor": { "id": diagnostic.reader } });
    if let Some(span) = diagnostic.span {
        value["locations"] = json!([{ "physicalLocation": physical(sources, span) }]);
    }
    value
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// The number that code scanning services sort by (CVSS's bands).
fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "3.0",
        Severity::Info => "0.5",
    }
}
