//! Versions and ranges of NuGet: Semantic Versioning without regard to case, a fourth number allowed, ranges as intervals.

use super::{Intervals, Scheme, maven};
use semver::Prerelease;
use std::ops::Bound;

/// The NuGet scheme.
pub(crate) struct NuGet;

/// Four numbers and a pre-release.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    numbers: [u64; 4],
    pre: PreRelease,
}

/// A release comes after all of its pre-releases, as in Semantic Versioning.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct PreRelease(Prerelease);

impl Scheme for NuGet {
    type Version = Version;

    fn version(text: &str) -> Option<Version> {
        let text = text.trim().trim_start_matches('v');
        if text.len() > 256 {
            return None;
        }
        let text = text.split('+').next()?;
        let (numbers, pre) = match text.split_once('-') {
            Some((numbers, pre)) => (numbers, Prerelease::new(&pre.to_ascii_lowercase()).ok()?),
            None => (text, Prerelease::EMPTY),
        };
        let mut version = Version { numbers: [0; 4], pre: PreRelease(pre) };
        for (at, part) in numbers.split('.').enumerate() {
            *version.numbers.get_mut(at)? = part.parse().ok()?;
        }
        Some(version)
    }

    fn range(text: &str) -> Option<Intervals<Version>> {
        let text = text.trim();
        if text.is_empty() || text == "*" {
            return Some(Intervals::all());
        }
        if text.starts_with(['[', '(']) {
            return maven::interval_notation::<Self>(text);
        }
        // Floating: the highest that fits is taken.
        if let Some(prefix) = text.strip_suffix(".*") {
            let low = Self::version(prefix)?;
            let count = prefix.split('.').count();
            let mut high = low.clone();
            let last = high.numbers.get_mut(count.checked_sub(1)?)?;
            *last = last.saturating_add(1);
            high.pre = PreRelease(Prerelease::new("0").ok()?);
            return Some(Intervals::between(Bound::Included(low), Bound::Excluded(high)));
        }
        Self::version(text).map(|version| Intervals::between(Bound::Included(version), Bound::Unbounded))
    }

    fn key(name: &str) -> String {
        name.trim().to_ascii_lowercase()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_numbers_and_case_less_pre_releases() {
        let rising = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-Beta", "1.0.0-rc.2", "1.0", "1.0.0.1", "1.0.1", "1.10.0"];
        for pair in rising.windows(2) {
            assert!(NuGet::version(pair[0]) < NuGet::version(pair[1]), "{pair:?}");
        }
        assert_eq!(NuGet::version("1.0.0-RC1"), NuGet::version("1.0.0.0-rc1+build"));
        assert_eq!(NuGet::version("1.2.3.4.5"), None);
        assert_eq!(NuGet::key("Newtonsoft.Json"), NuGet::key("newtonsoft.json"));
    }

    #[test]
    fn ranges() {
        let allows =
            |range: &str, version: &str| NuGet::range(range).unwrap().contains(&NuGet::version(version).unwrap());
        assert!(allows("1.0", "2.0") && !allows("1.0", "0.9"));
        assert!(allows("[1.0]", "1.0.0") && !allows("[1.0]", "1.0.1"));
        assert!(allows("[1.0,2.0)", "1.9.9") && !allows("[1.0,2.0)", "2.0.0"));
        assert!(allows("(,1.0]", "0.1") && !allows("(1.0,)", "1.0"));
        assert!(allows("1.*", "1.9") && !allows("1.*", "2.0.0-beta"));
        assert!(NuGet::range("[1.0").is_none() && NuGet::range("$(Version)").is_none());
    }
}
