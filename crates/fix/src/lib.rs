//! Repairs: the smallest change of people's own files that removes a finding, as edits of spans, so that comments and
//! formatting stay as they are.
//!
//! [`repairs`] mends templates and code for findings whose remedy is mechanical; [`upgrades`] lifts packages to versions without
//! known weaknesses, through the ecosystem's own tool where a lockfile has to follow; [`diff`] shows a change. The caller writes.
//!
//! Deliberately absent: repairs that need a decision (who may call, what input is valid, which hash other systems expect), new
//! resources in place of ones whose data would be lost, and lockfiles of yarn, pnpm, Pipenv, Gradle and NuGet, for which the
//! command to run is named instead.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod code;
mod diff;
mod edit;
mod policy;
mod template;
mod tools;
mod upgrade;
mod yaml;

pub use diff::diff;
pub use edit::{Edit, apply};
pub use tools::{Installed, Tools};
pub use upgrade::{Lifted, Load, Upgrades, upgrades};

use findings::Finding;
use graph::{Application, Estate};
use source::{Sources, Span};

/// What repairs are made from.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The applications.
    pub estate: &'a Estate,
    /// The text they were read from.
    pub sources: &'a Sources,
}

impl<'a> Input<'a> {
    /// The text of the file that a span is of, with its path.
    pub(crate) fn file(&self, span: Span) -> Option<(&'a str, &'a str)> {
        let file = self.sources.get(span.file)?;
        Some((file.path(), file.text()))
    }

    /// The application whose template holds a span.
    pub(crate) fn application(&self, span: Span) -> Option<&'a Application> {
        let holds = |other: Span| other.file == span.file && other.start <= span.start && span.end <= other.end;
        self.estate.applications.iter().find(|one| {
            one.template == span.file
                || one.functions.iter().any(|function| holds(function.span))
                || one.resources.iter().any(|resource| holds(resource.span))
        })
    }
}

/// What a finding needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remedy {
    /// A change that removes it.
    Repair(Repair),
    /// Nothing mechanical; why, one sentence, lower case, without a final stop.
    Decision(String),
}

/// A change that removes a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// What it does, one sentence, lower case, without a final stop.
    pub title: String,
    /// The edits.
    pub edits: Vec<Edit>,
    /// What to think of before it is deployed.
    pub remark: Option<String>,
}

impl Repair {
    pub(crate) fn new(title: impl Into<String>, edits: Vec<Edit>) -> Self {
        Self { title: title.into(), edits, remark: None }
    }

    pub(crate) fn remark(mut self, remark: impl Into<String>) -> Self {
        self.remark = Some(remark.into());
        self
    }
}

/// The remedy of each finding, in their order. Findings about packages aren't among those that are mended here.
pub fn repairs(input: &Input<'_>, findings: &[&Finding]) -> Vec<Remedy> {
    findings.iter().map(|finding| repair(input, finding)).collect()
}

fn repair(input: &Input<'_>, finding: &Finding) -> Remedy {
    let made = match finding.id {
        "deprecated-runtime" => template::runtime(input, finding),
        "public-function-url" => template::function_url(input, finding),
        "public-bucket" => template::bucket(input, finding),
        "unencrypted-resource" => template::encryption(input, finding),
        "missing-log-retention" => template::retention(input, finding),
        "wildcard-permission" => policy::least_privilege(input, finding),
        "unsafe-deserialization" | "stored-deserialization" => code::deserialization(input, finding),
        "unverified-tls" => code::tls(input, finding),
        "plaintext-connection" => code::https(input, finding),
        _ => Err("what to do depends on what is meant: `ringfence explain` tells the choices".to_string()),
    };
    match made {
        Ok(repair) => Remedy::Repair(repair),
        Err(why) => Remedy::Decision(why),
    }
}
