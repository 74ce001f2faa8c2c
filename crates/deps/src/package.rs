//! What every reader gives: packages with their places.

use crate::Ecosystem;
use findings::Diagnostic;
use source::{FileId, Span};

/// The most packages that are taken from one file.
pub const MAX_PACKAGES: usize = 100_000;

/// One package that a manifest or a lockfile names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Where it comes from.
    pub ecosystem: Ecosystem,
    /// Its name as written.
    pub name: String,
    /// Which version.
    pub version: Version,
    /// Whether the application asks for it by itself; none where the file doesn't tell.
    pub direct: Option<bool>,
    /// Whether it is known to serve development only, and so isn't deployed.
    pub dev: bool,
    /// Names of the packages it needs, as far as the file tells.
    pub requires: Vec<String>,
    /// Where the file names it.
    pub span: Span,
}

/// Which version of a package.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Version {
    /// This one.
    Exact(String),
    /// Any that the range allows, in the ecosystem's own language; empty for any at all.
    Range(String),
}

impl Version {
    /// The text of it.
    pub fn text(&self) -> &str {
        match self {
            Self::Exact(text) | Self::Range(text) => text,
        }
    }

    /// The version, where there is just one.
    pub fn exact(&self) -> Option<&str> {
        match self {
            Self::Exact(text) => Some(text),
            Self::Range(_) => None,
        }
    }
}

impl Package {
    /// The file that names it.
    pub fn file(&self) -> FileId {
        self.span.file
    }

    /// The name that all spellings of it share.
    pub fn key(&self) -> String {
        self.ecosystem.key(&self.name)
    }

    /// Its package URL (`pkg:npm/%40scope/name@1.0.0`); without a version where a range leaves it open.
    pub fn purl(&self) -> String {
        crate::purl::purl(self)
    }
}

/// What a file gave.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// The packages, in the order of the file.
    pub packages: Vec<Package>,
    /// What was not read or not understood.
    pub diagnostics: Vec<Diagnostic>,
    /// Other files that were read for it (`-r base.txt`).
    pub included: Vec<FileId>,
}
