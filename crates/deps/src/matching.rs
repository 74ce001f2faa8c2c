//! Which packages are vulnerable, and what mends them.

use crate::advisories::{Advisory, Affected, Event, Index, IndexError, intervals};
use crate::versions::{Intervals, Scheme, by_scheme};
use crate::{Ecosystem, Package, Version};
use findings::Severity;
use std::collections::{BTreeMap, BTreeSet};

/// How sure it is that an affected version is what gets deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// A range allows affected versions and others; which one gets installed can't be told without a lockfile.
    Possible,
    /// A range, and every version that it allows is affected.
    EveryAllowed,
    /// The file pins an affected version.
    Pinned,
}

/// One weakness of one package.
#[derive(Debug, Clone)]
pub struct Vulnerable {
    /// Which package, as its place in what was asked about.
    pub package: usize,
    /// The advisory; where several databases speak of the same weakness, one of them, with the ids of all among its aliases.
    pub advisory: Advisory,
    /// How sure.
    pub certainty: Certainty,
    /// The smallest version above the present one that this weakness no longer has; none where no mend is known.
    pub fixed_in: Option<String>,
    /// The smallest version above the present one that has none of the weaknesses the index knows of, where it differs.
    pub clear_in: Option<String>,
}

/// What came of asking.
#[derive(Debug, Default)]
pub struct Matching {
    /// The weaknesses, in the order of the packages, then worst first.
    pub vulnerable: Vec<Vulnerable>,
    /// Packages that were compared with advisories.
    pub compared: usize,
    /// Packages that couldn't be, because their version or range can't be read, by place.
    pub unreadable: Vec<usize>,
    /// Packages of ecosystems that the index holds nothing of, by ecosystem.
    pub uncovered: BTreeMap<Ecosystem, usize>,
}

impl Matching {
    /// The smallest version of a package (by place) that leaves the fewest known weaknesses: without any where such a version
    /// is known, else the one that mends most of what can be mended. None where no mend is known.
    pub fn upgrade(&self, package: usize) -> Option<&str> {
        let of = || self.vulnerable.iter().filter(move |one| one.package == package);
        let clear = of().find_map(|one| one.clear_in.as_deref());
        // Where every weakness is mended by the same version, that one is clear, and isn't repeated.
        clear.or_else(|| {
            of().filter_map(|one| one.fixed_in.as_deref()).max_by(|left, right| versions_order(left, right))
        })
    }
}

/// An order that is good enough to choose among mends of one package: numbers by value, the rest as text.
fn versions_order(left: &str, right: &str) -> std::cmp::Ordering {
    let parts = |text: &str| -> Vec<(u64, String)> {
        let part = |part: &str| (part.parse::<u64>().unwrap_or(0), part.to_string());
        text.trim_start_matches('v').split(['.', '-', '+']).map(part).collect()
    };
    parts(left).cmp(&parts(right))
}

/// Asks the index about packages.
///
/// # Errors
/// Where the index can't be read on.
pub fn match_packages(packages: &[Package], index: &Index) -> Result<Matching, IndexError> {
    let mut matching = Matching::default();
    let mut known: BTreeMap<(Ecosystem, String), Vec<(Advisory, Affected)>> = BTreeMap::new();
    for (at, package) in packages.iter().enumerate() {
        if !index.covers(package.ecosystem) {
            *matching.uncovered.entry(package.ecosystem).or_default() += 1;
            continue;
        }
        let key = (package.ecosystem, package.key());
        if !known.contains_key(&key) {
            let found = index.look_up(key.0, &key.1)?;
            known.insert(key.clone(), found);
        }
        let Some(advisories) = known.get(&key) else { continue };
        let found = by_scheme!(package.ecosystem, S => one::<S>(at, package, advisories));
        match found {
            Some(found) => {
                matching.compared += 1;
                matching.vulnerable.extend(found);
            }
            None => matching.unreadable.push(at),
        }
    }
    Ok(matching)
}

/// One advisory that hits, with what it says of versions.
struct Hit<'a, V> {
    advisory: &'a Advisory,
    affected: Intervals<V>,
    fixes: Vec<(V, &'a str)>,
    certainty: Certainty,
}

/// The weaknesses of one package; none where its version can't be read.
fn one<S: Scheme>(at: usize, package: &Package, advisories: &[(Advisory, Affected)]) -> Option<Vec<Vulnerable>> {
    let wanted = match &package.version {
        Version::Exact(text) => Intervals::one(S::version(text)?),
        Version::Range(text) => S::range(text)?,
    };
    let pinned = package.version.exact().is_some();
    let all: Vec<Intervals<S::Version>> = advisories.iter().map(|(_, affected)| intervals::<S>(affected)).collect();
    let mut hits = Vec::new();
    for ((advisory, versions), affected) in advisories.iter().zip(&all) {
        if wanted.intersect(affected).is_empty() {
            continue;
        }
        let certainty = match (pinned, wanted.is_within(affected)) {
            (true, _) => Certainty::Pinned,
            (false, true) => Certainty::EveryAllowed,
            (false, false) => Certainty::Possible,
        };
        let fixes = versions.ranges.iter().flatten().filter_map(|event| match event {
            Event::Fixed(text) => Some((S::version(text)?, text.as_str())),
            _ => None,
        });
        hits.push(Hit { advisory, affected: affected.clone(), fixes: fixes.collect(), certainty });
    }
    let every_fix: Vec<(S::Version, &str)> = hits.iter().flat_map(|hit| hit.fixes.clone()).collect();
    let clear_in = smallest(&every_fix, &wanted, &all);
    let mut found: Vec<Vulnerable> = groups(&hits)
        .into_iter()
        .map(|group| {
            let members: Vec<&Hit<'_, S::Version>> = group.iter().filter_map(|at| hits.get(*at)).collect();
            let affected: Vec<Intervals<S::Version>> = members.iter().map(|hit| hit.affected.clone()).collect();
            let fixes: Vec<(S::Version, &str)> = members.iter().flat_map(|hit| hit.fixes.clone()).collect();
            let fixed_in = smallest(&fixes, &wanted, &affected);
            Vulnerable {
                package: at,
                advisory: merged(&members),
                certainty: members.iter().map(|hit| hit.certainty).max().unwrap_or(Certainty::Possible),
                clear_in: clear_in.clone().filter(|clear| Some(clear) != fixed_in.as_ref()),
                fixed_in,
            }
        })
        .collect();
    found.sort_by(|left, right| {
        let worst = |one: &Vulnerable| std::cmp::Reverse((one.certainty, one.advisory.severity, one.advisory.score));
        (worst(left), &left.advisory.id).cmp(&(worst(right), &right.advisory.id))
    });
    Some(found)
}

/// The smallest of `fixes` above what is wanted now that lies in none of `affected`.
fn smallest<V: Ord + Clone>(fixes: &[(V, &str)], wanted: &Intervals<V>, affected: &[Intervals<V>]) -> Option<String> {
    let above = |fix: &V| wanted.start().is_none_or(|start| fix > start);
    let mut candidates: Vec<&(V, &str)> = fixes.iter().filter(|(fix, _)| above(fix)).collect();
    candidates.sort();
    let clean = |fix: &V| affected.iter().all(|affected| !affected.contains(fix));
    candidates.into_iter().find(|(fix, _)| clean(fix)).map(|(_, text)| (*text).to_string())
}

/// Hits that share an id or an alias speak of the same weakness.
fn groups<V>(hits: &[Hit<'_, V>]) -> Vec<Vec<usize>> {
    let mut groups: Vec<(BTreeSet<&str>, Vec<usize>)> = Vec::new();
    for (at, hit) in hits.iter().enumerate() {
        let mut ids: BTreeSet<&str> = hit.advisory.aliases.iter().map(String::as_str).collect();
        ids.insert(&hit.advisory.id);
        let mut members = vec![at];
        // One advisory may join two groups that had nothing in common before.
        groups.retain(|(known, others)| {
            let joined = !known.is_disjoint(&ids);
            if joined {
                ids.extend(known);
                members.extend(others);
            }
            !joined
        });
        groups.push((ids, members));
    }
    groups.into_iter().map(|(_, members)| members).collect()
}

/// One advisory for a group: that of the first with a severity, the ids of all.
fn merged<V>(members: &[&Hit<'_, V>]) -> Advisory {
    let mut advisories: Vec<&Advisory> = members.iter().map(|hit| hit.advisory).collect();
    advisories.sort_by_key(|one| (one.severity.is_none(), one.summary.is_empty(), &one.id));
    let Some(first) = advisories.first() else { return Advisory::default() };
    let mut advisory = (*first).clone();
    let aliases: BTreeSet<&String> =
        advisories.iter().flat_map(|one| one.aliases.iter().chain([&one.id])).filter(|id| **id != first.id).collect();
    advisory.aliases = aliases.into_iter().cloned().collect();
    advisory.severity = advisories.iter().filter_map(|one| one.severity).max();
    advisory
}

/// The worst severity among weaknesses; none where none says.
pub fn worst<'a>(vulnerable: impl IntoIterator<Item = &'a Vulnerable>) -> Option<Severity> {
    vulnerable.into_iter().filter_map(|one| one.advisory.severity).max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Build;
    use source::{FileId, Span};

    fn index(documents: &[&str]) -> Index {
        let mut build = Build::new();
        documents.iter().for_each(|text| build.document("x", text.as_bytes()));
        let (files, built) = build.finish().unwrap();
        assert_eq!(built.broken, 0, "{:?}", built.broken_names);
        Index::of_bytes(files).unwrap()
    }

    fn package(ecosystem: Ecosystem, name: &str, version: Version) -> Package {
        let (direct, dev, requires, span) = (None, false, Vec::new(), Span::new(FileId(0), 0, 0));
        Package { ecosystem, name: name.to_string(), version, direct, dev, requires, span }
    }

    fn exact(name: &str, version: &str) -> Package {
        package(Ecosystem::Npm, name, Version::Exact(version.to_string()))
    }

    fn range(name: &str, range: &str) -> Package {
        package(Ecosystem::Npm, name, Version::Range(range.to_string()))
    }

    const TWO_BRANCHES: &str = r#"{"id": "GHSA-2", "aliases": ["CVE-2"], "affected": [{"package": {"ecosystem": "npm", "name": "a"},
        "ranges": [{"type": "SEMVER", "events": [{"introduced": "1.0.0"}, {"fixed": "1.5.0"}, {"introduced": "2.0.0"}, {"fixed": "2.3.0"}]}]}]}"#;
    const LAST: &str = r#"{"id": "GHSA-3", "affected": [{"package": {"ecosystem": "npm", "name": "a"},
        "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"last_affected": "1.5.0"}]}], "versions": ["9.0.0"]}]}"#;

    #[test]
    fn the_smallest_mend_above_the_present_version() {
        let index = index(&[TWO_BRANCHES]);
        let asked =
            ["0.9.0", "1.0.0", "1.5.0-rc.1", "1.5.0", "2.0.0", "2.2.9", "2.3.0"].map(|version| exact("a", version));
        let matching = match_packages(&asked, &index).unwrap();
        let found: Vec<(usize, &str)> =
            matching.vulnerable.iter().map(|one| (one.package, one.fixed_in.as_deref().unwrap_or("-"))).collect();
        assert_eq!(found, [(1, "1.5.0"), (2, "1.5.0"), (4, "2.3.0"), (5, "2.3.0")]);
        assert_eq!((matching.compared, matching.unreadable.len()), (7, 0));
    }

    #[test]
    fn a_mend_that_another_weakness_spoils_is_told() {
        let index = index(&[TWO_BRANCHES, LAST]);
        let matching =
            match_packages(&[exact("a", "1.2.0"), exact("a", "9.0.0"), exact("b", "1.0.0")], &index).unwrap();
        let found: Vec<(&str, Option<&str>, Option<&str>)> = matching
            .vulnerable
            .iter()
            .map(|one| (one.advisory.id.as_str(), one.fixed_in.as_deref(), one.clear_in.as_deref()))
            .collect();
        assert_eq!(
            found,
            [("GHSA-2", Some("1.5.0"), Some("2.3.0")), ("GHSA-3", None, Some("2.3.0")), ("GHSA-3", None, None)]
        );
    }

    #[test]
    fn a_range_is_judged_as_a_set() {
        let index = index(&[TWO_BRANCHES]);
        let asked =
            ["~1.4.0", "^1.0.0", ">=2.3.0", "1.0.0 - 1.4.9", "*", "<1.0.0", "latest"].map(|text| range("a", text));
        let matching = match_packages(&asked, &index).unwrap();
        let found: Vec<(usize, Certainty)> =
            matching.vulnerable.iter().map(|one| (one.package, one.certainty)).collect();
        assert_eq!(
            found,
            [
                (0, Certainty::EveryAllowed),
                (1, Certainty::Possible),
                (3, Certainty::EveryAllowed),
                (4, Certainty::Possible)
            ]
        );
        assert_eq!(matching.unreadable, [6]);
    }

    #[test]
    fn two_databases_on_one_weakness_are_one_finding() {
        let python = |id: &str, alias: &str, fixed: &str, rest: &str| {
            format!(
                r#"{{"id": "{id}", "aliases": ["{alias}"], {rest} "affected": [{{"package": {{"ecosystem": "PyPI", "name": "Py_YAML"}},
                "ranges": [{{"type": "ECOSYSTEM", "events": [{{"introduced": "0"}}, {{"fixed": "{fixed}"}}]}}]}}]}}"#
            )
        };
        let rated = r#""database_specific": {"severity": "CRITICAL"}, "summary": "code execution","#;
        let (one, two) = (python("PYSEC-1", "CVE-1", "5.4", ""), python("GHSA-1", "CVE-1", "5.3.1", rated));
        let index = index(&[&one, &two]);
        let package = package(Ecosystem::PyPi, "py-yaml", Version::Exact("5.3+local".to_string()));
        let matching = match_packages(&[package, exact("x", "1.0.0")], &index).unwrap();
        assert_eq!(matching.vulnerable.len(), 1);
        let found = &matching.vulnerable[0];
        assert_eq!((found.advisory.id.as_str(), found.advisory.severity), ("GHSA-1", Some(Severity::Critical)));
        assert_eq!(found.advisory.aliases, ["CVE-1", "PYSEC-1"]);
        assert_eq!(found.fixed_in.as_deref(), Some("5.4"));
        assert_eq!(matching.uncovered.get(&Ecosystem::Npm), Some(&1));
    }
}
