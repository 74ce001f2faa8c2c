//! Versions, specifiers and names of PyPI: PEP 440 and PEP 503.

use super::{Intervals, Scheme};
use pep440_rs::{Operator, Version, VersionSpecifier, VersionSpecifiers};
use std::ops::Bound;
use std::str::FromStr;

/// The PyPI scheme.
pub(crate) struct PyPi;

/// The longest text that is taken for a version or a specifier, in bytes.
const MAX_TEXT: usize = 4096;

impl Scheme for PyPi {
    type Version = Version;

    fn version(text: &str) -> Option<Version> {
        let text = text.trim().trim_start_matches("===").trim_start_matches("==").trim();
        if text.len() > MAX_TEXT {
            return None;
        }
        // A local build (`2.1.0+cu118`) has the weaknesses of the public version it was made from.
        Version::from_str(text).ok().map(Version::without_local)
    }

    fn range(text: &str) -> Option<Intervals<Version>> {
        let text = text.trim().trim_start_matches('(').trim_end_matches(')').trim();
        if text.len() > MAX_TEXT {
            return None;
        }
        if text.is_empty() || text == "*" {
            return Some(Intervals::all());
        }
        let specifiers = VersionSpecifiers::from_str(text).ok()?;
        Some(specifiers.iter().fold(Intervals::all(), |set, one| set.intersect(&specifier(one))))
    }

    fn key(name: &str) -> String {
        let mut key = String::with_capacity(name.len());
        for letter in name.trim().chars() {
            if !matches!(letter, '-' | '_' | '.') {
                key.extend(letter.to_lowercase());
            } else if !key.ends_with('-') {
                key.push('-');
            }
        }
        key
    }
}

fn specifier(specifier: &VersionSpecifier) -> Intervals<Version> {
    let version = specifier.version().clone().without_local();
    match specifier.operator() {
        Operator::Equal | Operator::ExactEqual => Intervals::one(version),
        Operator::NotEqual => Intervals::one(version).complement(),
        Operator::EqualStar => series(&version, version.release()),
        Operator::NotEqualStar => series(&version, version.release()).complement(),
        Operator::TildeEqual => {
            let release = version.release();
            let kept = release.get(..release.len().saturating_sub(1)).unwrap_or(release);
            let above = Intervals::between(Bound::Included(version.clone()), Bound::Unbounded);
            above.intersect(&series(&version, kept))
        }
        // Exclusive comparison leaves out the pre-releases of what it names.
        Operator::LessThan if version.any_prerelease() => {
            Intervals::between(Bound::Unbounded, Bound::Excluded(version))
        }
        Operator::LessThan => Intervals::between(Bound::Unbounded, Bound::Excluded(version.with_dev(Some(0)))),
        Operator::LessThanEqual => Intervals::between(Bound::Unbounded, Bound::Included(version)),
        Operator::GreaterThan => Intervals::between(Bound::Excluded(version), Bound::Unbounded),
        Operator::GreaterThanEqual => Intervals::between(Bound::Included(version), Bound::Unbounded),
    }
}

/// All versions whose release starts with `prefix`, in the epoch of `version`.
fn series(version: &Version, prefix: &[u64]) -> Intervals<Version> {
    let at = |release: &[u64]| Version::new(release.iter().copied()).with_epoch(version.epoch()).with_dev(Some(0));
    let mut next = prefix.to_vec();
    match next.last_mut() {
        Some(last) => *last = last.saturating_add(1),
        None => return Intervals::all(),
    }
    Intervals::between(Bound::Included(at(prefix)), Bound::Excluded(at(&next)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_pep_440() {
        let rising = [
            "0",
            "0.9",
            "1.0.dev1",
            "1.0a1.dev1",
            "1.0a1",
            "1.0a2",
            "1.0b1",
            "1.0rc1",
            "1.0",
            "1.0.post1",
            "1.0.1",
            "1.1.dev1",
            "1.9",
            "1.10",
            "2013.10",
            "1!0.1",
        ];
        for pair in rising.windows(2) {
            assert!(PyPi::version(pair[0]) < PyPi::version(pair[1]), "{pair:?}");
        }
        for (left, right) in
            [("1.0", "1.0.0"), ("1.0-rc.1", "1.0rc1"), ("v1.0", "1.0"), ("1.0+cu118", "1.0"), ("1.0-1", "1.0.post1")]
        {
            assert_eq!(PyPi::version(left), PyPi::version(right), "{left} {right}");
            assert!(PyPi::version(left).is_some());
        }
        for nonsense in ["", "latest", "2004d-final-release", "1.0+", "../x"] {
            assert_eq!(PyPi::version(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn specifiers_allow_what_pip_would_install() {
        for (range, yes, no) in [
            (">=2.0,<3", "2.31.0", "3.0rc1"),
            ("~=1.4.2", "1.4.9", "1.5"),
            ("~=2.2", "2.9", "3.0"),
            ("==1.2.*", "1.2.7", "1.3"),
            ("!=1.5", "1.6", "1.5"),
            ("!=1.5.*", "1.6", "1.5.1"),
            (">1.0", "1.1", "1.0"),
            ("<=1.0", "1.0", "1.0.1"),
            ("===1.0", "1.0", "1.1"),
            ("(>=1.0)", "1.0", "0.9"),
        ] {
            let set = PyPi::range(range).unwrap();
            assert!(set.contains(&PyPi::version(yes).unwrap()), "{range} should allow {yes}");
            assert!(!set.contains(&PyPi::version(no).unwrap()), "{range} should not allow {no}");
        }
        assert!(PyPi::range("").unwrap().contains(&PyPi::version("9").unwrap()));
        assert!(PyPi::range("^1.0").is_none() && PyPi::range("git+x").is_none());
    }

    #[test]
    fn names_are_compared_as_pep_503_says() {
        assert_eq!(PyPi::key("Flask_Login"), PyPi::key("flask--login"));
        assert_eq!(PyPi::key("zope.interface"), "zope-interface");
    }
}
