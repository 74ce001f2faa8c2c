//! Versions and ranges of npm: Semantic Versioning 2.0 with the range language of its registry client.

use super::{Intervals, Scheme};
use semver::{BuildMetadata, Prerelease, Version};
use std::ops::Bound;

/// The npm scheme.
pub(crate) struct Npm;

/// The most alternatives and comparators that one range may have.
const MAX_COMPARATORS: usize = 256;

impl Scheme for Npm {
    type Version = Version;

    fn version(text: &str) -> Option<Version> {
        let partial = Partial::read(text.trim())?;
        // Advisories write `0` for the very first version; a missing part is a zero.
        partial.is_number().then(|| partial.lowest())
    }

    fn range(text: &str) -> Option<Intervals<Version>> {
        let text = text.trim();
        if text.len() > 4096 || text.matches("||").count() >= MAX_COMPARATORS {
            return None;
        }
        text.split("||").try_fold(Intervals::none(), |set, part| Some(set.union(&alternative(part.trim())?)))
    }

    fn key(name: &str) -> String {
        name.to_string()
    }
}

/// A version of which parts may be missing or `x`.
struct Partial {
    major: Option<u64>,
    minor: Option<u64>,
    patch: Option<u64>,
    pre: Prerelease,
    wild: bool,
}

impl Partial {
    fn read(text: &str) -> Option<Self> {
        let text = text.trim_start_matches(['v', '=', ' ']);
        let text = text.split('+').next()?;
        let (numbers, pre) = match text.split_once('-') {
            Some((numbers, pre)) => (numbers, Prerelease::new(pre).ok()?),
            None => (text, Prerelease::EMPTY),
        };
        let mut parts = [None; 3];
        let mut wild = false;
        for (at, part) in numbers.split('.').enumerate() {
            let slot = parts.get_mut(at)?;
            match part {
                "x" | "X" | "*" => wild = true,
                "" if numbers.is_empty() => wild = true,
                _ if part.bytes().all(|byte| byte.is_ascii_digit()) => {
                    let number = part.parse::<u64>().ok()?;
                    *slot = (!wild).then_some(number);
                }
                _ => return None,
            }
        }
        let [major, minor, patch] = parts;
        Some(Self { major, minor, patch, pre: if patch.is_some() { pre } else { Prerelease::EMPTY }, wild })
    }

    fn is_number(&self) -> bool {
        self.major.is_some() && !self.wild
    }

    /// The first version it stands for.
    fn lowest(&self) -> Version {
        Version {
            major: self.major.unwrap_or(0),
            minor: self.minor.unwrap_or(0),
            patch: self.patch.unwrap_or(0),
            pre: self.pre.clone(),
            build: BuildMetadata::EMPTY,
        }
    }

    /// The first version after all it stands for, where some part is missing; its pre-releases don't belong to it either.
    fn after(&self) -> Option<Bound<Version>> {
        match (self.major, self.minor, self.patch) {
            (None, ..) => Some(Bound::Unbounded),
            (Some(major), None, _) => Some(before(major.saturating_add(1), 0, 0)),
            (Some(major), Some(minor), None) => Some(before(major, minor.saturating_add(1), 0)),
            _ => None,
        }
    }
}

/// The bound that leaves out a release together with its pre-releases.
fn before(major: u64, minor: u64, patch: u64) -> Bound<Version> {
    let pre = Prerelease::new("0").unwrap_or(Prerelease::EMPTY);
    Bound::Excluded(Version { major, minor, patch, pre, build: BuildMetadata::EMPTY })
}

fn alternative(text: &str) -> Option<Intervals<Version>> {
    if let Some((low, high)) = text.split_once(" - ") {
        let (low, high) = (Partial::read(low.trim())?, Partial::read(high.trim())?);
        let upper = high.after().unwrap_or_else(|| Bound::Included(high.lowest()));
        return Some(Intervals::between(Bound::Included(low.lowest()), upper));
    }
    comparators(text, "")
}

/// Comparators that all have to hold; one without an operator has the `default` one.
pub(super) fn comparators(text: &str, default: &str) -> Option<Intervals<Version>> {
    if text.len() > 4096 {
        return None;
    }
    let mut set = Intervals::all();
    let mut words = text.split([' ', '\t', ',']).filter(|word| !word.is_empty());
    let mut count = 0;
    while let Some(word) = words.next() {
        count += 1;
        if count > MAX_COMPARATORS {
            return None;
        }
        let operator_end = word.find(|c: char| !matches!(c, '<' | '>' | '=' | '^' | '~')).unwrap_or(word.len());
        let (operator, version) = word.split_at_checked(operator_end)?;
        // An operator may stand apart from its version.
        let version = if version.is_empty() && !operator.is_empty() { words.next()? } else { version };
        let partial = Partial::read(version)?;
        let operator = if operator.is_empty() && !partial.wild { default } else { operator };
        set = set.intersect(&comparator(operator, &partial)?);
    }
    Some(set)
}

fn comparator(operator: &str, partial: &Partial) -> Option<Intervals<Version>> {
    let lowest = partial.lowest();
    let from = Bound::Included(lowest.clone());
    Some(match operator {
        "" | "=" | "==" => match partial.after() {
            None => Intervals::one(lowest),
            Some(_) if partial.major.is_none() => Intervals::all(),
            Some(upper) => Intervals::between(from, upper),
        },
        "^" => {
            if partial.major.is_none() {
                return Some(Intervals::all());
            }
            // Of `^0.0.3` nothing but 0.0.3 itself is a release.
            if (lowest.major, partial.minor) == (0, Some(0)) && partial.patch.is_some() && lowest.pre.is_empty() {
                return Some(Intervals::one(lowest));
            }
            let upper = match (lowest.major, partial.minor, partial.patch) {
                (0, Some(0), Some(patch)) => before(0, 0, patch.saturating_add(1)),
                (0, Some(minor), _) => before(0, minor.saturating_add(1), 0),
                (major, ..) => before(major.saturating_add(1), 0, 0),
            };
            Intervals::between(from, upper)
        }
        "~" | "~>" => match partial.after() {
            None => Intervals::between(from, before(lowest.major, lowest.minor.saturating_add(1), 0)),
            Some(_) if partial.major.is_none() => Intervals::all(),
            Some(upper) => Intervals::between(from, upper),
        },
        ">=" => Intervals::between(from, Bound::Unbounded),
        ">" => match partial.after() {
            None => Intervals::between(Bound::Excluded(lowest), Bound::Unbounded),
            Some(Bound::Excluded(next)) => {
                Intervals::between(Bound::Included(Version { pre: Prerelease::EMPTY, ..next }), Bound::Unbounded)
            }
            Some(_) => Intervals::none(),
        },
        // A manifest that says `<2.0.0` doesn't mean 2.0.0's own pre-releases.
        "<" if partial.major.is_none() => Intervals::none(),
        "<" if lowest.pre.is_empty() => {
            Intervals::between(Bound::Unbounded, before(lowest.major, lowest.minor, lowest.patch))
        }
        "<" => Intervals::between(Bound::Unbounded, Bound::Excluded(lowest)),
        "<=" => {
            Intervals::between(Bound::Unbounded, partial.after().unwrap_or_else(|| Bound::Included(lowest.clone())))
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(range: &str, version: &str) -> bool {
        Npm::range(range).unwrap().contains(&Npm::version(version).unwrap())
    }

    #[test]
    fn the_order_is_that_of_the_specification() {
        let rising = [
            "0",
            "0.0.1",
            "0.9.0",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "1.0.1",
            "1.2.0",
            "1.10.0",
            "v2.0.0",
        ];
        for pair in rising.windows(2) {
            assert!(Npm::version(pair[0]) < Npm::version(pair[1]), "{pair:?}");
        }
        assert_eq!(Npm::version("1.0.0+build.5"), Npm::version("1.0.0"));
        for nonsense in ["", "latest", "1.x", "1.2.3.4", "99999999999999999999.0.0", "file:../x"] {
            assert_eq!(Npm::version(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn ranges_allow_what_the_registry_client_would_install() {
        for (range, yes, no) in [
            ("^1.2.3", "1.9.0", "2.0.0-rc.1"),
            ("^0.2.3", "0.2.9", "0.3.0"),
            ("^0.0.3", "0.0.3", "0.0.4"),
            ("^0.x", "0.9.9", "1.0.0"),
            ("~1.2.3", "1.2.9", "1.3.0"),
            ("~1", "1.9.0", "2.0.0"),
            ("1.2.x", "1.2.0", "1.3.0"),
            ("1.2", "1.2.7", "1.1.9"),
            ("1.2.3 - 2.3", "2.3.9", "2.4.0"),
            (">= 1.0.0 <2.0.0", "1.5.0", "2.0.0"),
            ("<1.0.0 || >=2.3.1", "2.4.0", "1.5.0"),
            (">1.2", "1.3.0", "1.2.9"),
            ("<=1.2", "1.2.9", "1.3.0"),
            ("=1.2.3", "1.2.3", "1.2.4"),
            ("1.2.3", "1.2.3", "1.2.2"),
        ] {
            assert!(allows(range, yes), "{range} should allow {yes}");
            assert!(!allows(range, no), "{range} should not allow {no}");
        }
        assert!(allows("*", "7.0.0") && allows("", "7.0.0") && allows("x", "0.0.1"));
        for tag in ["latest", "git+ssh://x", "file:..", "workspace:*", "1.2.3.4", "^"] {
            assert!(Npm::range(tag).is_none(), "{tag}");
        }
    }
}
