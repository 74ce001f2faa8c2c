//! Advisories: OSV documents made into a compact index, and the index asked about packages.

mod build;
mod codec;
mod cvss;
mod cvss4;
mod index;
mod osv;
mod zip;

pub use build::{Build, BuildError, Built, Holding, IndexFiles};
pub(crate) use index::intervals;
pub use index::{Index, IndexError};

use findings::Severity;

/// What is kept of an advisory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Advisory {
    /// Its id (`GHSA-…`, `PYSEC-…`).
    pub id: String,
    /// Other ids of the same weakness (`CVE-…`).
    pub aliases: Vec<String>,
    /// What it is about, one line of at most 200 characters.
    pub summary: String,
    /// How bad, where it says so by a CVSS vector or by a word.
    pub severity: Option<Severity>,
    /// CVSS score in tenths (`98` for 9.8), of the vector.
    pub score: Option<u8>,
    /// The CVSS vector as it was given, whichever version.
    pub vector: Option<String>,
}

/// Which versions of one package an advisory speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Affected {
    pub(crate) ranges: Vec<Vec<Event>>,
    /// Versions that are named one by one and lie in no range.
    pub(crate) versions: Vec<String>,
}

/// A turn in a range of affected versions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Event {
    /// Affected from here on; `0` for from the beginning.
    Introduced(String),
    /// Mended here.
    Fixed(String),
    /// The last one affected.
    LastAffected(String),
}

impl Event {
    pub(crate) fn version(&self) -> &str {
        match self {
            Self::Introduced(version) | Self::Fixed(version) | Self::LastAffected(version) => version,
        }
    }
}
