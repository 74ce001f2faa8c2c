//! Versions and requirements of Rust crates: Semantic Versioning, where a bare requirement is a caret one.

use super::npm::comparators;
use super::{Intervals, Npm, Scheme};

/// The scheme of Rust's registry.
pub(crate) struct CratesIo;

impl Scheme for CratesIo {
    type Version = semver::Version;

    fn version(text: &str) -> Option<Self::Version> {
        Npm::version(text)
    }

    fn range(text: &str) -> Option<Intervals<Self::Version>> {
        comparators(text.trim(), "^")
    }

    fn key(name: &str) -> String {
        name.trim().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_requirement_is_a_caret_one() {
        let allows =
            |range: &str, version: &str| CratesIo::range(range).unwrap().contains(&CratesIo::version(version).unwrap());
        assert!(allows("1.2", "1.9.0") && !allows("1.2", "2.0.0") && !allows("1.2", "1.1.9"));
        assert!(allows("0.3.1", "0.3.9") && !allows("0.3.1", "0.4.0"));
        assert!(allows("=1.2.3", "1.2.3") && !allows("=1.2.3", "1.2.4"));
        assert!(allows(">=1, <1.5", "1.4.0") && !allows(">=1, <1.5", "1.5.0"));
        assert!(allows("1.*", "1.4.0") && allows("*", "9.0.0"));
    }
}
