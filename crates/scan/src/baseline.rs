//! Baselines: what was known on some day, so that a report tells of what has come since.
//!
//! A baseline is a file that people keep beside their source: one line per finding, by its fingerprint, with words beside it for whoever
//! reviews a change of it. Deliberately absent: decisions with a reason; those stand in the source (`ringfence: allow`).

use crate::fingerprint::{fingerprints, of_path};
use crate::{Loaded, Report};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// The version of the file's form.
const VERSION: u32 = 1;

/// What was known.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// The version of the form: 1.
    baseline: u32,
    /// The findings, by file.
    findings: Vec<Known>,
    /// The attack paths.
    #[serde(default)]
    attack_paths: Vec<Known>,
}

/// One that was known; only its fingerprint counts.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    function: Option<String>,
    title: String,
    fingerprint: String,
}

/// How a report compares with a baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// How many findings and paths were known, and are left out of the report.
    pub known: usize,
    /// How many of the baseline are there no longer.
    pub fixed: usize,
}

impl Baseline {
    /// Everything in a report, as known from now on. What the source allows isn't among it: it has its own reasons.
    pub fn of(loaded: &Loaded, report: &Report) -> Self {
        let sources = &loaded.sources;
        let prints = fingerprints(sources, report);
        let mut findings: Vec<Known> = report
            .findings
            .iter()
            .zip(prints.findings)
            .map(|(finding, fingerprint)| Known {
                file: Some(sources.path(finding.primary.span).to_string()),
                id: finding.id.to_string(),
                function: finding.function.clone(),
                title: finding.title.clone(),
                fingerprint,
            })
            .collect();
        findings.sort();
        let mut attack_paths: Vec<Known> = report
            .attack_paths
            .iter()
            .map(|path| Known {
                file: None,
                id: path.id.to_string(),
                function: None,
                title: path.title.clone(),
                fingerprint: of_path(path),
            })
            .collect();
        attack_paths.sort();
        attack_paths.dedup();
        Self { baseline: VERSION, findings, attack_paths }
    }

    /// Reads a baseline's file.
    ///
    /// # Errors
    /// Says with its line what is wrong with the text.
    pub fn read(text: &str) -> Result<Self, String> {
        let baseline: Self = serde_json::from_str(text).map_err(|error| format!("is no baseline: {error}"))?;
        match baseline.baseline {
            VERSION => Ok(baseline),
            other => Err(format!("is a baseline of form {other}, and this program knows form {VERSION}")),
        }
    }

    /// The file, one line per finding: changes of it are read in reviews.
    pub fn write(&self) -> String {
        let lines = |known: &[Known]| match known {
            [] => "[]".to_string(),
            known => {
                let lines: Vec<String> = known
                    .iter()
                    .map(|known| format!("    {}", serde_json::to_string(known).unwrap_or_default()))
                    .collect();
                format!("[\n{}\n  ]", lines.join(",\n"))
            }
        };
        format!(
            "{{\n  \"baseline\": {VERSION},\n  \"findings\": {},\n  \"attack_paths\": {}\n}}\n",
            lines(&self.findings),
            lines(&self.attack_paths)
        )
    }

    /// How many findings and paths it knows.
    pub fn len(&self) -> usize {
        self.findings.len() + self.attack_paths.len()
    }

    /// Whether it knows nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Leaves what is known out of a report, and says there how much that was.
    pub fn apply(&self, loaded: &Loaded, report: &mut Report) {
        let known: HashSet<&str> =
            self.findings.iter().chain(&self.attack_paths).map(|known| known.fingerprint.as_str()).collect();
        let prints = fingerprints(&loaded.sources, report);
        let mut met: HashSet<String> = HashSet::new();
        let mut is_new = |print: String| {
            let new = !known.contains(print.as_str());
            if !new {
                met.insert(print);
            }
            new
        };
        let before = report.findings.len() + report.attack_paths.len();
        let mut keep = prints.findings.into_iter().map(&mut is_new).collect::<Vec<bool>>().into_iter();
        report.findings.retain(|_| keep.next().unwrap_or(true));
        report.attack_paths.retain(|path| is_new(of_path(path)));
        // What was known and is allowed by now isn't fixed.
        for print in prints.allowed {
            is_new(print);
        }
        let left = report.findings.len() + report.attack_paths.len();
        report.comparison = Some(Comparison { known: before - left, fixed: known.len() - met.len() });
    }
}
