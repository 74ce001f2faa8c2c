//! The inventory as JSON: packages with their weaknesses, functions with their packages, and what wasn't checked.

use crate::{Ecosystem, Holding, Imported, Matching, Package, Survey, Version, Vulnerable};
use findings::Diagnostic;
use serde_json::{Value, json};
use source::Sources;
use std::collections::BTreeMap;

/// The whole report. `matching` is none where there are no advisories at all.
pub fn json(survey: &Survey, matching: Option<&Matching>, holdings: &[Holding], sources: &Sources) -> Value {
    let mut found: BTreeMap<usize, Vec<&Vulnerable>> = BTreeMap::new();
    for one in matching.map(|matching| matching.vulnerable.as_slice()).unwrap_or_default() {
        found.entry(one.package).or_default().push(one);
    }
    let owners = owners(survey);
    let packages: Vec<Value> = survey
        .packages
        .iter()
        .enumerate()
        .map(|(at, package)| {
            let functions = owners.get(&at).map(Vec::as_slice).unwrap_or_default();
            self::package(survey, package, functions, found.get(&at).map(Vec::as_slice), matching, at, sources)
        })
        .collect();
    let functions: Vec<Value> = survey
        .functions
        .iter()
        .map(|function| {
            let manifests = function.manifests.iter().filter_map(|at| survey.manifests.get(*at));
            let paths: Vec<&str> = manifests.map(|manifest| manifest.path.as_str()).collect();
            let vulnerable = function.packages.iter().filter(|at| found.contains_key(at)).count();
            json!({"application": function.application, "function": function.function, "manifests": paths,
                "packages": function.packages.len(), "checked": matching.is_some_and(|one| function.is_checked(survey, one)), "vulnerable": matching.map(|_| vulnerable)})
        })
        .collect();
    let advisories: Vec<Value> = holdings
        .iter()
        .map(|one| {
            json!({"ecosystem": one.ecosystem.name(), "advisories": one.advisories, "packages": one.packages,
                "newest": one.newest})
        })
        .collect();
    let unchecked: BTreeMap<&str, usize> = Ecosystem::ALL
        .into_iter()
        .map(|ecosystem| {
            let all = || survey.packages.iter().filter(|package| package.ecosystem == ecosystem).count();
            let left = match matching {
                None => all(),
                Some(matching) => matching.uncovered.get(&ecosystem).copied().unwrap_or(0),
            };
            (ecosystem.name(), left)
        })
        .filter(|(_, count)| *count > 0)
        .collect();
    json!({
        "advisories": advisories,
        "unchecked": unchecked,
        "functions": functions,
        "packages": packages,
        "superseded": survey.superseded,
        "diagnostics": survey.diagnostics.iter().map(|one| diagnostic(one, sources)).collect::<Vec<_>>(),
    })
}

/// The functions that bring each package along, by place in the survey.
fn owners(survey: &Survey) -> BTreeMap<usize, Vec<usize>> {
    let mut owners: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, function) in survey.functions.iter().enumerate() {
        for package in &function.packages {
            owners.entry(*package).or_default().push(at);
        }
    }
    owners
}

fn package(
    survey: &Survey,
    package: &Package,
    functions: &[usize],
    found: Option<&[&Vulnerable]>,
    matching: Option<&Matching>,
    at: usize,
    sources: &Sources,
) -> Value {
    let (version, range) = match &package.version {
        Version::Exact(text) => (Some(text), None),
        Version::Range(text) => (None, Some(text)),
    };
    let functions: Vec<Value> = functions
        .iter()
        .filter_map(|at| survey.functions.get(*at))
        .map(|function| {
            let imported = function.imported(package);
            let through = match &imported {
                Imported::Through(name) => Some(name),
                _ => None,
            };
            json!({"application": function.application, "function": function.function, "imported": imported.name(),
                "through": through})
        })
        .collect();
    let checked =
        matching.is_some_and(|one| !one.uncovered.contains_key(&package.ecosystem) && !one.unreadable.contains(&at));
    let weaknesses: Vec<Value> = found
        .unwrap_or_default()
        .iter()
        .map(|one| {
            let advisory = &one.advisory;
            json!({"id": advisory.id, "aliases": advisory.aliases, "summary": advisory.summary,
                "severity": advisory.severity, "score": advisory.score.map(|score| f64::from(score) / 10.0),
                "certainty": one.certainty, "fixed_in": one.fixed_in, "clear_in": one.clear_in})
        })
        .collect();
    json!({"ecosystem": package.ecosystem.name(), "name": package.name, "version": version, "range": range,
        "purl": package.purl(), "direct": package.direct, "dev": package.dev, "file": sources.path(package.span),
        "line": sources.position(package.span).line, "checked": checked, "functions": functions,
        "vulnerabilities": weaknesses})
}

fn diagnostic(one: &Diagnostic, sources: &Sources) -> Value {
    json!({"level": one.level, "message": one.message, "file": one.span.map(|span| sources.path(span)),
        "line": one.span.map(|span| sources.position(span).line)})
}
