//! What an application brings along from elsewhere: packages, base images, bundled programs, and what its pages load.
//!
//! The files that the graph doesn't know are looked through. Advisories come from the local index that
//! `ringfence update` makes; without one a single note says that packages weren't checked.

pub(crate) mod binaries;
pub(crate) mod images;
pub(crate) mod packages;
pub(crate) mod web;

use crate::files::{Found, Root, walk};
use crate::load::Loaded;
use deps::Index;
use findings::{Confidence, Diagnostic, Finding, Label, Level, Severity};
use graph::Code;
use source::{Sources, Span};

/// The largest manifest, page or Dockerfile that is read, in bytes: a lockfile of ten thousand packages has some five megabytes.
const MAX_FILE_BYTES: u64 = 64 << 20;
/// How many related places a finding names.
const MAX_RELATED: usize = 20;

/// Everything found outside the graph. `index` is the folder of the index of advisories, where one is known.
pub(crate) fn findings(
    loaded: &mut Loaded,
    index: Option<&std::path::Path>,
    today: (u16, u8, u8),
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Finding> {
    let root = Root::new(loaded.root.clone(), MAX_FILE_BYTES);
    let files = files(loaded);
    let index = match index.map(Index::open).transpose() {
        Ok(index) => index.filter(|index| !index.holds().is_empty()),
        Err(error) => {
            diagnostics.push(Diagnostic::general(Level::Error, "deps", error.to_string()));
            None
        }
    };
    let mut findings = packages::findings(loaded, &root, &files, index.as_ref(), diagnostics);
    findings.extend(images::findings(loaded, &root, &files, today));
    findings.extend(binaries::findings(loaded, &root, &files));
    findings.extend(web::findings(loaded, &root, &files, index.as_ref()));
    if loaded.files != 1 {
        loaded.walked = files;
    }
    findings
}

/// The files below what was loaded. Of a template that was named alone only the folders of its code are looked through.
fn files(loaded: &mut Loaded) -> Vec<Found> {
    if loaded.files != 1 {
        return std::mem::take(&mut loaded.walked);
    }
    let mut roots: Vec<&str> = Vec::new();
    for (_, function) in loaded.estate.functions() {
        if let Code::Local(folder) = &function.code {
            roots.push(folder.value.trim_start_matches("./").trim_end_matches('/'));
        }
    }
    roots.sort_unstable();
    roots.dedup();
    let mut files: Vec<Found> = Vec::new();
    for folder in roots {
        // A folder within another one has been walked with it.
        if folder.split('/').any(|part| part == "..") || files.iter().any(|one| inside(&one.path, folder)) {
            continue;
        }
        let prefix = if matches!(folder, "" | ".") { String::new() } else { format!("{folder}/") };
        let (found, _) = walk(&loaded.root.join(folder));
        files.extend(found.into_iter().map(|one| Found { path: format!("{prefix}{}", one.path), size: one.size }));
    }
    files.sort_by(|left, right| left.path.cmp(&right.path));
    files
}

/// Whether a path lies in a folder; everything lies in the root.
fn inside(path: &str, folder: &str) -> bool {
    let folder = folder.trim_start_matches("./").trim_end_matches('/');
    matches!(folder, "" | ".") || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// The first line of a block, which is enough to point at it.
fn head(sources: &Sources, span: Span) -> Span {
    let length = sources.slice(span).lines().next().unwrap_or("").trim_end().len();
    Span::new(span.file, span.start as usize, span.start as usize + length.min(160))
}

/// A finding without related places.
fn finding(info: &'static findings::AuditInfo, title: String, primary: Span, message: impl Into<String>) -> Finding {
    Finding {
        id: info.id,
        severity: info.severity,
        confidence: Confidence::High,
        title,
        function: None,
        cwe: info.cwe.to_vec(),
        primary: Label { span: primary, message: message.into() },
        related: Vec::new(),
        trace: Vec::new(),
        remediation: String::new(),
    }
}

/// One step milder; nothing is milder than low here, since what doesn't matter isn't reported.
fn milder(severity: Severity) -> Severity {
    match severity {
        Severity::Critical => Severity::High,
        Severity::High => Severity::Medium,
        _ => Severity::Low,
    }
}

/// What others wrote, without what moves a terminal's cursor.
fn plain(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).collect()
}
