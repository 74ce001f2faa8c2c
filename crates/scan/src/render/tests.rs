//! Reports of what no small application has: attack paths, thousands of findings, lines without end.

use super::*;
use crate::{Loaded, Report};
use findings::{AttackPath, Confidence, Finding, Label, PathStep};

const TEMPLATE: &str = "Resources:\n  Open:\n    Type: AWS::Lambda::Function\n    Properties: { Runtime: python3.13, Handler: app.handler, Code: ., Role: 'arn:aws:iam::1:role/x' }\n";

fn loaded(template: &str) -> (Loaded, Report) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("template.yaml"), template).unwrap();
    let mut loaded = crate::load(folder.path(), &crate::Options::default()).unwrap();
    let report = crate::report(&mut loaded, (2026, 1, 1));
    (loaded, report)
}

fn options() -> Options {
    Options::new(Style { colour: false, width: 100 })
}

fn span_of(loaded: &Loaded, needle: &str) -> Span {
    let (id, file) = loaded.sources.find("template.yaml").unwrap();
    let start = file.text().find(needle).unwrap();
    Span::new(id, start, start + needle.len())
}

fn finding(span: Span, title: &str) -> Finding {
    Finding {
        id: "public-function-url",
        severity: Severity::High,
        confidence: Confidence::High,
        title: title.to_string(),
        function: Some("Open".into()),
        cwe: vec![306],
        primary: Label { span, message: "here".into() },
        related: vec![],
        trace: vec![],
        remediation: "mend it".into(),
    }
}

#[test]
fn an_attack_path_is_a_numbered_story_in_every_format() {
    let (loaded, mut report) = loaded(TEMPLATE);
    let span = span_of(&loaded, "Open:");
    report.findings = vec![finding(span, "anyone can call `Open`")];
    let step = |what: &str, span, finding| PathStep { what: what.into(), node: Some("Open".into()), span, finding };
    report.attack_paths = vec![AttackPath {
        id: "public-to-data",
        severity: Severity::Critical,
        title: "a stranger reads <every> order".into(),
        functions: vec!["Open".into()],
        steps: vec![
            step("a stranger calls `Open`", Some(span), Some("public-function-url")),
            step("and reads `Orders`", None, None),
        ],
    }];
    for format in [Format::Html, Format::Markdown, Format::Junit] {
        let text = super::report(&loaded, &report, format, &options());
        assert!(!text.contains("<every>") && text.contains("order"), "{text}");
        assert!(text.contains("stranger calls") && text.contains("and reads") || text.contains("And reads"), "{text}");
    }
    let page = super::report(&loaded, &report, Format::Html, &options());
    assert!(page.contains("<a href=\"#n0\">public-function-url</a>"), "the step leads to its finding");
    let sarif: serde_json::Value =
        serde_json::from_str(&super::report(&loaded, &report, Format::Sarif, &options())).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "public-to-data");
    // A step without a place is in the words, and no place is made up for it.
    assert!(result["message"]["text"].as_str().unwrap().contains("2. and reads"));
    assert_eq!(result["codeFlows"][0]["threadFlows"][0]["locations"].as_array().unwrap().len(), 1);
}

#[test]
fn a_baseline_knows_attack_paths_too() {
    let (loaded, mut report) = loaded(TEMPLATE);
    report.findings.clear();
    let path = |title: &str| AttackPath {
        id: "public-to-data",
        severity: Severity::High,
        title: title.into(),
        functions: vec!["Open".into()],
        steps: vec![],
    };
    report.attack_paths = vec![path("the old way")];
    let written = crate::Baseline::of(&loaded, &report).write();
    report.attack_paths.push(path("a new way"));
    crate::Baseline::read(&written).unwrap().apply(&loaded, &mut report);
    assert_eq!(report.attack_paths, [path("a new way")]);
    assert_eq!(report.comparison, Some(crate::Comparison { known: 1, fixed: 0 }));
}

#[test]
fn a_comment_on_a_pull_request_stays_short_enough_whatever_is_found() {
    let (loaded, mut report) = loaded(TEMPLATE);
    let span = span_of(&loaded, "Open:");
    report.findings = (0..5_000).map(|number| finding(span, &format!("number {number} of `many` * things"))).collect();
    let text = super::report(&loaded, &report, Format::Markdown, &options());
    assert!(text.chars().count() < 65_536, "{}", text.chars().count());
    assert!(text.contains("findings more_"), "what is left out is counted");
    assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
}

#[test]
fn a_page_of_thousands_of_findings_stays_a_page() {
    let (loaded, mut report) = loaded(TEMPLATE);
    let span = span_of(&loaded, "Open:");
    report.findings = (0..20_000).map(|number| finding(span, &format!("number {number}"))).collect();
    let page = super::report(&loaded, &report, Format::Html, &options());
    assert!(page.len() < 16 << 20, "{}", page.len());
    assert!(page.contains("14000 findings more"), "what is left out is counted");
    assert_eq!(page.matches("<details").count(), page.matches("</details>").count());
}

#[test]
fn of_a_line_without_end_the_page_shows_what_is_meant() {
    let filler = "ä".repeat(4_000);
    let template = TEMPLATE.replace("app.handler", &format!("'{filler}<needle>{filler}'"));
    let (loaded, mut report) = loaded(&template);
    report.findings = vec![finding(span_of(&loaded, "<needle>"), "here")];
    report.diagnostics.clear();
    let page = super::report(&loaded, &report, Format::Html, &options());
    assert!(page.contains("<mark>&lt;needle&gt;</mark>"));
    let line = page.split("<span class=\"line hit\"").nth(1).unwrap().split("</span>").next().unwrap();
    assert!(line.chars().count() < 400 && line.contains('…'), "{line}");
}
