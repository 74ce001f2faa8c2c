//! Versions of Go modules: Semantic Versioning with a `v` in front; pseudo-versions are pre-releases and need no rule of their
//! own. A go.mod names the least version of each module, and the build takes the highest of those: no ranges.

use super::{Intervals, Npm, Scheme};

/// The Go scheme.
pub(crate) struct Go;

impl Scheme for Go {
    type Version = semver::Version;

    fn version(text: &str) -> Option<Self::Version> {
        // Advisories about the toolchain write `go1.20.1`.
        Npm::version(text.trim().trim_start_matches("go"))
    }

    fn range(text: &str) -> Option<Intervals<Self::Version>> {
        if text.trim().is_empty() { Some(Intervals::all()) } else { Self::version(text).map(Intervals::one) }
    }

    fn key(name: &str) -> String {
        name.trim().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pseudo_versions_lie_before_the_release_they_lead_to() {
        let rising = [
            "v0.0.0-20170915032832-14c0d48ead0c",
            "v0.0.0-20210220033148-5ea612d1eb83",
            "v0.1.0",
            "v1.2.4-0.20191109021931-daa7c04131f5",
            "v1.2.4",
            "v1.9.0",
            "v1.10.0",
            "v2.0.0+incompatible",
        ];
        for pair in rising.windows(2) {
            assert!(Go::version(pair[0]) < Go::version(pair[1]), "{pair:?}");
        }
        assert_eq!(Go::version("v2.0.0+incompatible"), Go::version("2.0.0"));
    }
}
