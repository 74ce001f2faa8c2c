//! What stays the same about a finding while the file around it changes: the audit, the function, the file and the line it points at, its
//! white space evened out. Several that agree in all of that are numbered in the order they stand in.
//!
//! Baselines and code scanning services tell by it what they have seen before. Nothing of a secret goes into it that a report wouldn't show.

use crate::Report;
use crate::excerpt::{first_line, masked};
use findings::{AttackPath, Finding};
use sha2::{Digest, Sha256};
use source::{Sources, Span};
use std::collections::HashMap;

/// The fingerprints of a report, in its order.
#[derive(Debug)]
pub(crate) struct Fingerprints {
    pub(crate) findings: Vec<String>,
    pub(crate) allowed: Vec<String>,
}

/// The fingerprints of all findings, those that are allowed included: allowing one leaves the others' as they are.
pub(crate) fn fingerprints(sources: &Sources, report: &Report) -> Fingerprints {
    let secrets = report.secrets();
    let all: Vec<&Finding> = report.findings.iter().chain(&report.allowed).collect();
    let mut order: Vec<usize> = (0..all.len()).collect();
    let place = |index: usize| all.get(index).map(|finding| (finding.primary.span.start, finding.title.as_str()));
    order.sort_by_key(|index| place(*index));
    let mut prints = vec![String::new(); all.len()];
    let mut seen: HashMap<[u8; 32], usize> = HashMap::new();
    for index in order {
        let (Some(finding), Some(print)) = (all.get(index), prints.get_mut(index)) else { continue };
        let key = key(sources, finding, &secrets);
        let ordinal = seen.entry(key).or_default();
        *print = hex(&Sha256::new().chain_update(key).chain_update(ordinal.to_le_bytes()).finalize());
        *ordinal += 1;
    }
    let allowed = prints.split_off(report.findings.len());
    Fingerprints { findings: prints, allowed }
}

/// The fingerprint of an attack path: what it says, and through which functions.
pub(crate) fn of_path(path: &AttackPath) -> String {
    let mut hash = Sha256::new();
    for part in ["path", path.id, &path.title].into_iter().chain(path.functions.iter().map(String::as_str)) {
        update(&mut hash, part);
    }
    hex(&hash.finalize())
}

fn key(sources: &Sources, finding: &Finding, secrets: &[Span]) -> [u8; 32] {
    let span = finding.primary.span;
    let mut hash = Sha256::new();
    update(&mut hash, finding.id);
    update(&mut hash, finding.function.as_deref().unwrap_or(""));
    update(&mut hash, sources.path(span));
    if let Some(file) = sources.get(span.file) {
        let range = first_line(file, span);
        let start = range.start;
        let text = masked(file.text().get(range).unwrap_or(""), span.file, start, secrets);
        update(&mut hash, &text.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    hash.finalize().into()
}

/// A part and its length, so that no two lists of parts are the same bytes.
fn update(hash: &mut Sha256, part: &str) {
    hash.update((part.len() as u64).to_le_bytes());
    hash.update(part);
}

/// The first 16 bytes.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
