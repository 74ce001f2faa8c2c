//! Dependencies: what manifests and lockfiles bring along, and which of it advisories warn of.
//!
//! [`read`] gives the packages of one file with their places, [`Build`] makes a compact index of OSV documents, and
//! [`match_packages`] asks it. Version ranges are compared by each ecosystem's own rules.
//!
//! Deliberately absent: the network (the caller brings text and files), resolving ranges to versions, `go.sum`, `bun.lockb`,
//! ranges of commits in advisories, and what dependencies need in turn where no lockfile tells.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod advisories;
mod cyclonedx;
pub mod image;
mod inventory;
mod location;
mod matching;
mod package;
mod purl;
mod reach;
mod readers;
mod report;
mod survey;
mod versions;

pub use advisories::{Advisory, Build, BuildError, Built, Holding, Index, IndexError, IndexFiles};
pub use cyclonedx::cyclonedx;
pub use location::{DATA_VARIABLE, default_index_folder, index_folder};
pub use matching::{Certainty, Matching, Vulnerable, match_packages, worst};
pub use package::{MAX_PACKAGES, Package, Reading, Version};
pub use reach::{Imported, Reach};
pub use readers::{Format, read};
pub use report::json;
pub use survey::{FunctionDependencies, Read, Survey, survey};
pub use versions::Ecosystem;
