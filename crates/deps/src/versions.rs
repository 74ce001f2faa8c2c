//! Version order and version ranges, by each ecosystem's own rules behind one trait.
//!
//! The order itself is the business of `semver` and `pep440_rs`; here ranges become sets of intervals, so that "every
//! version this manifest allows is affected" is a question of sets and needs no list of published versions.

mod crates_io;
mod go;
mod intervals;
mod maven;
mod npm;
mod nuget;
mod pypi;

pub(crate) use crates_io::CratesIo;
pub(crate) use go::Go;
pub(crate) use intervals::Intervals;
pub(crate) use maven::Maven;
pub(crate) use npm::Npm;
pub(crate) use nuget::NuGet;
pub(crate) use pypi::PyPi;

/// Runs an expression with the scheme of an ecosystem under a name of one's own.
macro_rules! by_scheme {
    ($ecosystem:expr, $scheme:ident => $body:expr) => {
        match $ecosystem {
            $crate::Ecosystem::Npm => {
                type $scheme = $crate::versions::Npm;
                $body
            }
            $crate::Ecosystem::PyPi => {
                type $scheme = $crate::versions::PyPi;
                $body
            }
            $crate::Ecosystem::Go => {
                type $scheme = $crate::versions::Go;
                $body
            }
            $crate::Ecosystem::Maven => {
                type $scheme = $crate::versions::Maven;
                $body
            }
            $crate::Ecosystem::NuGet => {
                type $scheme = $crate::versions::NuGet;
                $body
            }
            $crate::Ecosystem::CratesIo => {
                type $scheme = $crate::versions::CratesIo;
                $body
            }
        }
    };
}
pub(crate) use by_scheme;

/// What an ecosystem has to say about versions and names.
pub(crate) trait Scheme {
    /// A version that can be compared.
    type Version: Ord + Clone + std::fmt::Debug;

    /// Reads one version; none where it isn't one.
    fn version(text: &str) -> Option<Self::Version>;

    /// Reads what a manifest asks for; none where it isn't a range of versions (a tag, an address).
    fn range(text: &str) -> Option<Intervals<Self::Version>>;

    /// The name that two spellings of the same package share.
    fn key(name: &str) -> String;
}

/// Where packages come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Ecosystem {
    /// The registry of JavaScript packages.
    Npm,
    /// The Python Package Index.
    PyPi,
    /// Modules of Go.
    Go,
    /// Artifacts of the Java world, whichever tool builds with them; names are `group:artifact`.
    Maven,
    /// Packages of .NET.
    NuGet,
    /// Crates of Rust.
    CratesIo,
}

impl Ecosystem {
    /// All of them.
    pub const ALL: [Ecosystem; 6] = [Self::Npm, Self::PyPi, Self::Go, Self::Maven, Self::NuGet, Self::CratesIo];

    /// The name that OSV uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::PyPi => "PyPI",
            Self::Go => "Go",
            Self::Maven => "Maven",
            Self::NuGet => "NuGet",
            // OSV's own name for it, which happens to look like an address.
            Self::CratesIo => "crates.io",
        }
    }

    /// The ecosystem of an OSV name; a suffix after `:` (a release or a mirror) is left out of account.
    pub fn of_name(name: &str) -> Option<Self> {
        let base = name.split(':').next().unwrap_or(name);
        Self::ALL.into_iter().find(|ecosystem| ecosystem.name() == base)
    }

    /// The name that all spellings of one package share: PyPI's `Flask_Login` and `flask-login` are the same.
    pub fn key(self, name: &str) -> String {
        by_scheme!(self, S => S::key(name))
    }

    /// Compares two versions; none where one of them isn't a version of this ecosystem.
    pub fn compare(self, left: &str, right: &str) -> Option<std::cmp::Ordering> {
        fn by<S: Scheme>(left: &str, right: &str) -> Option<std::cmp::Ordering> {
            Some(S::version(left)?.cmp(&S::version(right)?))
        }
        by_scheme!(self, S => by::<S>(left, right))
    }

    /// Whether a range allows a version; none where either can't be read.
    pub fn allows(self, range: &str, version: &str) -> Option<bool> {
        fn by<S: Scheme>(range: &str, version: &str) -> Option<bool> {
            Some(S::range(range)?.contains(&S::version(version)?))
        }
        by_scheme!(self, S => by::<S>(range, version))
    }
}

impl std::fmt::Display for Ecosystem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.name())
    }
}
