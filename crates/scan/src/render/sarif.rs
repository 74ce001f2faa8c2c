//! SARIF 2.1.0 (OASIS), with what code scanning services ask of it: rules with help, fingerprints, security severities, flows; and no
//! more of anything than GitHub's takes.

use super::{capital, uri};
use crate::fingerprint::{fingerprints, of_path};
use crate::{Loaded, Report};
use findings::{AttackPath, AuditInfo, Diagnostic, Finding, Label, Level, Severity};
use serde_json::{Value, json};
use source::{Sources, Span};

/// Results of a run at most; those that come first are the worst.
const MAX_RESULTS: usize = 25_000;
/// Places of a result at most.
const MAX_RELATED: usize = 500;
/// Steps of a flow at most.
const MAX_STEPS: usize = 1_000;
/// The base that paths are relative to: the root of the repository, for whoever reads the file.
const BASE: &str = "%SRCROOT%";

pub(super) fn report(loaded: &Loaded, report: &Report, prefix: &str) -> Value {
    let writer = Writer { sources: &loaded.sources, prefix };
    let prints = fingerprints(writer.sources, report);
    let mut rules = Rules::new();
    let mut results: Vec<Value> = Vec::new();
    for path in &report.attack_paths {
        results.extend(writer.path(path, &mut rules));
    }
    for (finding, print) in report.findings.iter().zip(&prints.findings) {
        results.push(writer.finding(finding, print, &mut rules));
    }
    for (finding, print) in report.allowed.iter().zip(&prints.allowed) {
        let mut result = writer.finding(finding, print, &mut rules);
        result["suppressions"] = json!([{ "kind": "inSource", "status": "accepted" }]);
        results.push(result);
    }
    let mut notifications: Vec<Value> = report.diagnostics.iter().map(|said| writer.notification(said)).collect();
    if results.len() > MAX_RESULTS {
        let text =
            format!("{} of {} results are left out; the worst come first", results.len() - MAX_RESULTS, results.len());
        notifications
            .insert(0, json!({ "level": "warning", "message": { "text": text }, "descriptor": { "id": "scan" } }));
        results.truncate(MAX_RESULTS);
    }
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "Ringfence",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.rules,
            } },
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": { BASE: { "description": { "text": "the root of the repository" } } },
            "invocations": [{
                "executionSuccessful": !report.is_incomplete(),
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
        }],
    })
}

/// The rules that results name by their number: all audits, and what else there are results of.
struct Rules {
    rules: Vec<Value>,
    ids: Vec<String>,
}

impl Rules {
    fn new() -> Self {
        let infos = crate::own::all;
        Self { rules: infos().map(rule).collect(), ids: infos().map(|info| info.id.to_string()).collect() }
    }

    fn index(&mut self, id: &str, make: impl FnOnce() -> Value) -> usize {
        self.ids.iter().position(|known| known == id).unwrap_or_else(|| {
            self.ids.push(id.to_string());
            self.rules.push(make());
            self.ids.len() - 1
        })
    }
}

fn rule(info: &AuditInfo) -> Value {
    json!({
        "id": info.id,
        "name": info.id,
        "shortDescription": { "text": info.title },
        "fullDescription": { "text": first_paragraph(info.docs) },
        "help": { "text": info.docs, "markdown": info.docs },
        "defaultConfiguration": { "level": level(info.severity) },
        "properties": { "tags": tags(info.cwe), "precision": "high", "security-severity": score(info.severity) },
    })
}

/// A rule that isn't an audit's: a team's own, or a kind of attack path.
fn other_rule(id: &str, about: &str, severity: Severity, cwe: &[u16]) -> Value {
    json!({
        "id": id,
        "name": id,
        "shortDescription": { "text": about },
        "fullDescription": { "text": about },
        "help": { "text": about, "markdown": about },
        "defaultConfiguration": { "level": level(severity) },
        "properties": { "tags": tags(cwe), "precision": "high", "security-severity": score(severity) },
    })
}

fn tags(cwe: &[u16]) -> Vec<String> {
    let mut tags = vec!["security".to_string(), "serverless".to_string()];
    tags.extend(cwe.iter().map(|cwe| format!("external/cwe/cwe-{cwe:03}")));
    tags.extend(
        findings::owasp(cwe).iter().map(|risk| format!("external/owasp/{}", risk.id.to_lowercase().replace(':', "-"))),
    );
    // GitHub takes twenty.
    tags.truncate(20);
    tags
}

/// The first paragraph of Markdown on one line, without its marks of code; GitHub takes 1024 characters.
fn first_paragraph(docs: &str) -> String {
    let lines: Vec<&str> = docs.trim().lines().take_while(|line| !line.trim().is_empty()).collect();
    lines.join(" ").replace('`', "").chars().take(1000).collect()
}

struct Writer<'a> {
    sources: &'a Sources,
    prefix: &'a str,
}

impl Writer<'_> {
    fn finding(&self, finding: &Finding, fingerprint: &str, rules: &mut Rules) -> Value {
        let make = || other_rule(finding.id, "A rule of the team's own", finding.severity, &finding.cwe);
        let index = rules.index(finding.id, make);
        let mut result = json!({
            "ruleId": finding.id,
            "ruleIndex": index,
            "level": level(finding.severity),
            "message": { "text": sentence(&finding.title, &finding.remediation) },
            "locations": [self.location(&finding.primary)],
            "partialFingerprints": { "ringfence/v1": fingerprint },
            "properties": {
                "severity": finding.severity,
                "confidence": finding.confidence,
                "function": finding.function,
                "security-severity": score(finding.severity),
            },
        });
        if !finding.related.is_empty() {
            let related = finding.related.iter().take(MAX_RELATED).enumerate().map(|(id, label)| {
                let mut value = self.location(label);
                value["id"] = id.into();
                value
            });
            result["relatedLocations"] = related.collect();
        }
        if !finding.trace.is_empty() {
            result["codeFlows"] = self.flow(finding.trace.iter().map(|label| self.location(label)));
        }
        result
    }

    /// A path stands at its first step that has a place; one without any can't be shown beside source.
    fn path(&self, path: &AttackPath, rules: &mut Rules) -> Option<Value> {
        let steps = || {
            path.steps.iter().enumerate().filter_map(|(index, step)| {
                Some(Label { span: step.span?, message: format!("{}. {}", index + 1, step.what) })
            })
        };
        let first = steps().next()?;
        let about = "A way from where a stranger stands to what matters";
        let index = rules.index(path.id, || other_rule(path.id, about, path.severity, &[]));
        let told: Vec<String> =
            path.steps.iter().enumerate().map(|(index, step)| format!("{}. {}", index + 1, step.what)).collect();
        Some(json!({
            "ruleId": path.id,
            "ruleIndex": index,
            "level": level(path.severity),
            "message": { "text": format!("{}.\n{}", capital(&path.title), told.join("\n")) },
            "locations": [self.location(&Label { message: String::new(), ..first })],
            "partialFingerprints": { "ringfence/v1": of_path(path) },
            "codeFlows": self.flow(steps().map(|label| self.location(&label))),
            "properties": { "severity": path.severity, "security-severity": score(path.severity), "functions": path.functions },
        }))
    }

    fn flow(&self, steps: impl Iterator<Item = Value>) -> Value {
        let steps: Vec<Value> = steps.take(MAX_STEPS).map(|location| json!({ "location": location })).collect();
        json!([{ "threadFlows": [{ "locations": steps }] }])
    }

    fn location(&self, label: &Label) -> Value {
        let mut value = json!({ "physicalLocation": self.physical(label.span) });
        if !label.message.is_empty() {
            value["message"] = json!({ "text": label.message });
        }
        value
    }

    fn physical(&self, span: Span) -> Value {
        let start = self.sources.position(span);
        let end = self.sources.get(span.file).map_or(start, |file| file.position(span.end));
        json!({
            "artifactLocation": { "uri": uri(self.prefix, self.sources.path(span)), "uriBaseId": BASE },
            "region": { "startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column },
        })
    }

    fn notification(&self, diagnostic: &Diagnostic) -> Value {
        let text = match &diagnostic.help {
            Some(help) => format!("{} ({help})", diagnostic.message),
            None => diagnostic.message.clone(),
        };
        let level = match diagnostic.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "note",
        };
        let mut value =
            json!({ "level": level, "message": { "text": text }, "descriptor": { "id": diagnostic.reader } });
        if let Some(span) = diagnostic.span {
            value["locations"] = json!([{ "physicalLocation": self.physical(span) }]);
        }
        value
    }
}

/// What is wrong and what to do, as two sentences.
fn sentence(title: &str, remediation: &str) -> String {
    let stop = |text: &str| match text.ends_with(['.', '!', '?']) || text.is_empty() {
        true => text.to_string(),
        false => format!("{text}."),
    };
    format!("{} {}", stop(&capital(title)), stop(&capital(remediation))).trim().to_string()
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
