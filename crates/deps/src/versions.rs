//! Version order and version ranges, by each ecosystem's own rules behind one trait.
//!
//! The order itself is the business of `semver` and `pep440_rs`; here ranges become sets of intervals, so that "every
//! version this manifest allows is affected" is a question of sets and needs no list of published versions.

mod intervals;
mod npm;
mod pypi;

pub(crate) use intervals::Intervals;
pub(crate) use npm::Npm;
pub(crate) use pypi::PyPi;

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
}

impl Ecosystem {
    /// All of them.
    pub const ALL: [Ecosystem; 2] = [Self::Npm, Self::PyPi];

    /// The name that OSV uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::PyPi => "PyPI",
        }
    }

    /// The ecosystem of an OSV name; a suffix after `:` (a release or a mirror) is left out of account.
    pub fn of_name(name: &str) -> Option<Self> {
        let base = name.split(':').next().unwrap_or(name);
        Self::ALL.into_iter().find(|ecosystem| ecosystem.name() == base)
    }

    /// The name that all spellings of one package share: PyPI's `Flask_Login` and `flask-login` are the same.
    pub fn key(self, name: &str) -> String {
        match self {
            Self::Npm => Npm::key(name),
            Self::PyPi => PyPi::key(name),
        }
    }

    /// Compares two versions; none where one of them isn't a version of this ecosystem.
    pub fn compare(self, left: &str, right: &str) -> Option<std::cmp::Ordering> {
        fn by<S: Scheme>(left: &str, right: &str) -> Option<std::cmp::Ordering> {
            Some(S::version(left)?.cmp(&S::version(right)?))
        }
        match self {
            Self::Npm => by::<Npm>(left, right),
            Self::PyPi => by::<PyPi>(left, right),
        }
    }

    /// Whether a range allows a version; none where either can't be read.
    pub fn allows(self, range: &str, version: &str) -> Option<bool> {
        fn by<S: Scheme>(range: &str, version: &str) -> Option<bool> {
            Some(S::range(range)?.contains(&S::version(version)?))
        }
        match self {
            Self::Npm => by::<Npm>(range, version),
            Self::PyPi => by::<PyPi>(range, version),
        }
    }
}

impl std::fmt::Display for Ecosystem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.name())
    }
}
