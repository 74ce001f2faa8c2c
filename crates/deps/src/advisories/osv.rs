//! One OSV document: what of it says anything about the packages that are known here.

use super::{Advisory, Affected, Event, cvss};
use crate::Ecosystem;
use crate::versions::{Scheme, by_scheme};
use findings::Severity;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The longest summary that is kept, in characters.
const MAX_SUMMARY: usize = 200;

#[derive(Deserialize)]
struct Document {
    id: String,
    #[serde(default)]
    modified: String,
    withdrawn: Option<String>,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    details: String,
    #[serde(default)]
    affected: Vec<AffectedPackage>,
    #[serde(default)]
    severity: Vec<Rating>,
    #[serde(default)]
    database_specific: Specific,
}

#[derive(Deserialize)]
struct AffectedPackage {
    package: Option<PackageName>,
    #[serde(default)]
    ranges: Vec<Range>,
    #[serde(default)]
    versions: Vec<String>,
    #[serde(default)]
    severity: Vec<Rating>,
    #[serde(default)]
    ecosystem_specific: Specific,
    #[serde(default)]
    database_specific: Specific,
}

#[derive(Deserialize)]
struct PackageName {
    ecosystem: String,
    name: String,
}

#[derive(Deserialize)]
struct Range {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    events: Vec<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct Rating {
    #[serde(rename = "type")]
    kind: String,
    score: String,
}

/// Fields whose shape each database chooses for itself; a severity in words is all that is looked for.
#[derive(Deserialize, Default)]
struct Specific {
    #[serde(default)]
    severity: serde_json::Value,
}

/// What a document says.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) advisory: Advisory,
    /// When it was last changed, as written.
    pub(super) modified: String,
    pub(super) withdrawn: bool,
    /// Ecosystem, key of the name, versions.
    pub(super) affected: Vec<(Ecosystem, String, Affected)>,
    /// Ecosystems it speaks of that aren't known here.
    pub(super) strange: Vec<String>,
    /// Ranges whose versions can't be compared.
    pub(super) unreadable_ranges: usize,
}

/// Reads one document.
pub(super) fn read(bytes: &[u8]) -> Result<Read, serde_json::Error> {
    let document: Document = serde_json::from_slice(bytes)?;
    let mut strange = Vec::new();
    let mut affected: Vec<(Ecosystem, String, Affected)> = Vec::new();
    let mut unreadable_ranges = 0;
    for one in &document.affected {
        let Some(package) = &one.package else { continue };
        let Some(ecosystem) = Ecosystem::of_name(&package.ecosystem) else {
            strange.push(package.ecosystem.split(':').next().unwrap_or_default().to_string());
            continue;
        };
        let (versions, unreadable) = by_scheme!(ecosystem, S => versions::<S>(one));
        unreadable_ranges += unreadable;
        let key = ecosystem.key(&package.name);
        // A package may be listed once for each of its branches.
        match affected.iter_mut().find(|(other, name, _)| *other == ecosystem && *name == key) {
            Some((.., known)) => {
                known.ranges.extend(versions.ranges);
                known.versions.extend(versions.versions);
            }
            None => affected.push((ecosystem, key, versions)),
        }
    }
    affected.retain(|(.., versions)| !versions.ranges.is_empty() || !versions.versions.is_empty());
    Ok(Read {
        modified: document.modified.clone(),
        withdrawn: document.withdrawn.is_some(),
        advisory: advisory(document),
        affected,
        strange,
        unreadable_ranges,
    })
}

fn advisory(document: Document) -> Advisory {
    let ratings = || document.severity.iter().chain(document.affected.iter().flat_map(|one| &one.severity));
    let scored = ratings().filter_map(|rating| Some((cvss::base_score(&rating.score)?, rating.score.clone())));
    // Of several vectors that of version 3 counts, whose scale most people have in mind; then 4, then 2.
    let scored = scored.min_by_key(|(_, vector)| match vector.as_str() {
        _ if vector.starts_with("CVSS:3") => 0,
        _ if vector.starts_with("CVSS:4") => 1,
        _ => 2,
    });
    let words = std::iter::once(&document.database_specific)
        .chain(document.affected.iter().flat_map(|one| [&one.ecosystem_specific, &one.database_specific]));
    let word = words.filter_map(|specific| specific.severity.as_str()).find_map(severity);
    // A package that is itself the attack needs no score.
    let malicious = document.id.starts_with("MAL-").then_some(Severity::Critical);
    let vector = scored
        .as_ref()
        .map(|(_, vector)| vector.clone())
        .or_else(|| ratings().find(|rating| rating.kind.starts_with("CVSS")).map(|rating| rating.score.clone()));
    let score = scored.map(|(score, _)| score);
    let text = if document.summary.trim().is_empty() { &document.details } else { &document.summary };
    let mut aliases = document.aliases.clone();
    aliases.sort();
    aliases.dedup();
    Advisory {
        id: document.id,
        aliases,
        summary: first_line(text),
        severity: score.map(cvss::rating).or(word).or(malicious),
        score,
        vector,
    }
}

fn severity(word: &str) -> Option<Severity> {
    Some(match word.to_ascii_uppercase().as_str() {
        "LOW" => Severity::Low,
        "MODERATE" | "MEDIUM" => Severity::Medium,
        "HIGH" | "IMPORTANT" => Severity::High,
        "CRITICAL" => Severity::Critical,
        _ => return None,
    })
}

fn first_line(text: &str) -> String {
    let line =
        text.lines().map(str::trim).find(|line| !line.trim_matches(['#', '*', ' ']).is_empty()).unwrap_or_default();
    // Nothing that moves a terminal's cursor gets into the index.
    let line: String = line.chars().filter(|letter| !letter.is_control()).collect();
    match line.char_indices().nth(MAX_SUMMARY) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default().trim_end()),
        None => line,
    }
}

fn versions<S: Scheme>(one: &AffectedPackage) -> (Affected, usize) {
    let mut affected = Affected::default();
    let mut unreadable = 0;
    for range in one.ranges.iter().filter(|range| range.kind != "GIT") {
        let events: Option<Vec<Event>> = range
            .events
            .iter()
            .flatten()
            .filter(|(kind, _)| kind.as_str() != "limit")
            .map(|(kind, version)| {
                S::version(version)?;
                match kind.as_str() {
                    "introduced" => Some(Event::Introduced(version.clone())),
                    "fixed" => Some(Event::Fixed(version.clone())),
                    "last_affected" => Some(Event::LastAffected(version.clone())),
                    _ => None,
                }
            })
            .collect();
        match events {
            Some(mut events) if !events.is_empty() => {
                // At the same version a mend comes before a new beginning, and a beginning before the last one affected.
                let order = |event: &Event| match event {
                    Event::Fixed(_) => 0,
                    Event::Introduced(_) => 1,
                    Event::LastAffected(_) => 2,
                };
                events.sort_by(|left, right| {
                    let key = |event: &Event| (S::version(event.version()), order(event));
                    key(left).cmp(&key(right))
                });
                affected.ranges.push(events);
            }
            _ => unreadable += 1,
        }
    }
    let covered = super::index::intervals::<S>(&affected);
    affected.versions = one
        .versions
        .iter()
        .filter(|text| S::version(text).is_none_or(|version| !covered.contains(&version)))
        .cloned()
        .collect();
    affected.versions.sort();
    affected.versions.dedup();
    (affected, unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_as_a_database_writes_it() {
        let text = r##"{"id": "GHSA-1", "modified": "2024-01-01T00:00:00Z", "aliases": ["CVE-2024-1"],
          "details": "\n## Impact\nmore", "summary": "",
          "severity": [{"type": "CVSS_V4", "score": "CVSS:4.0/AV:N"}],
          "database_specific": {"severity": "MODERATE", "cwe_ids": []},
          "affected": [
            {"package": {"ecosystem": "npm", "name": "lodash"}, "ranges": [
              {"type": "SEMVER", "events": [{"fixed": "4.17.21"}, {"introduced": "0"}]},
              {"type": "GIT", "events": [{"introduced": "abc"}]}], "versions": ["4.0.0", "5.0.0"]},
            {"package": {"ecosystem": "Hex", "name": "x"}},
            {"package": {"ecosystem": "npm", "name": "odd"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "one"}]}]}
          ]}"##;
        let read = read(text.as_bytes()).unwrap();
        assert_eq!(read.affected.len(), 1);
        let (_, name, affected) = &read.affected[0];
        assert_eq!(name, "lodash");
        assert_eq!(affected.ranges, [[Event::Introduced("0".into()), Event::Fixed("4.17.21".into())]]);
        assert_eq!(affected.versions, ["5.0.0"]);
        assert_eq!((read.strange.len(), read.unreadable_ranges), (1, 1));
        assert_eq!((read.advisory.severity, read.advisory.score), (Some(Severity::Medium), None));
        assert_eq!(read.advisory.summary, "## Impact");
        assert!(super::read(b"{").is_err() && super::read(b"[]").is_err());
    }
}
