//! Findings that people decided to live with: comments in the source, each with a reason.
//!
//! ```yaml
//! # ringfence: allow public-function-url -- the status page is for everyone
//! StatusUrl:
//!   FunctionUrlConfig: { AuthType: NONE }
//! # ringfence: allow-file missing-log-retention -- retention is set for the whole account
//! ```
//!
//! A comment covers its own line, the line below its block of comments, and all of a resource that begins there. In JSON,
//! which has no comments, any string that holds the same text does (a `Metadata` entry, say).

use findings::{Diagnostic, Finding, Level, near_miss};
use graph::Application;
use source::{FileId, SourceFile, Sources, Span};
use std::collections::{HashMap, HashSet};

const MARK: &str = "ringfence:";

/// One decision.
#[derive(Debug)]
struct Allowance {
    id: String,
    /// The lines it covers; none for the whole file.
    lines: Option<(u32, u32)>,
    span: Span,
    used: std::cell::Cell<bool>,
}

/// A finding that somebody allowed.
#[derive(Debug)]
pub(crate) struct Sorted {
    pub(crate) reported: Vec<Finding>,
    pub(crate) allowed: Vec<Finding>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Sets aside what the source allows. `known` are the ids of all audits.
pub(crate) fn sort(findings: Vec<Finding>, applications: &[Application], sources: &Sources, known: &[&str]) -> Sorted {
    let mut sorted = Sorted { reported: Vec::new(), allowed: Vec::new(), diagnostics: Vec::new() };
    let blocks = blocks(applications, sources);
    let mut allowances: HashMap<FileId, Vec<Allowance>> = HashMap::new();
    for (id, file) in sources.iter() {
        if memchr_contains(file.text()) {
            let found = read(id, file, blocks.get(&id), known, &mut sorted.diagnostics);
            allowances.insert(id, found);
        }
    }
    for finding in findings {
        let line = sources.position(finding.primary.span).line;
        let covering = allowances.get(&finding.primary.span.file).and_then(|allowances| {
            allowances.iter().find(|allowance| {
                allowance.id == finding.id && allowance.lines.is_none_or(|(first, last)| first <= line && line <= last)
            })
        });
        match covering {
            Some(allowance) => {
                allowance.used.set(true);
                sorted.allowed.push(finding);
            }
            None => sorted.reported.push(finding),
        }
    }
    for allowance in allowances.values().flatten().filter(|allowance| !allowance.used.get()) {
        let message = format!("nothing here needs `allow {}` any more", allowance.id);
        sorted
            .diagnostics
            .push(Diagnostic::at(Level::Note, "scan", allowance.span, message).help("remove the comment"));
    }
    sorted.diagnostics.sort_by_key(|diagnostic| diagnostic.span);
    sorted
}

fn memchr_contains(text: &str) -> bool {
    text.contains(MARK)
}

/// First and last line of every node of the graph, by the file and line it begins at.
fn blocks(applications: &[Application], sources: &Sources) -> HashMap<FileId, HashMap<u32, u32>> {
    let mut blocks: HashMap<FileId, HashMap<u32, u32>> = HashMap::new();
    for application in applications {
        let spans = application
            .functions
            .iter()
            .map(|function| function.span)
            .chain(application.resources.iter().map(|resource| resource.span))
            .chain(application.identities.iter().filter(|identity| !identity.generated).map(|identity| identity.span))
            .chain(application.triggers.iter().map(|trigger| trigger.span));
        for span in spans {
            let first = sources.position(span).line;
            let last = sources.get(span.file).map_or(first, |file| file.position(span.end.saturating_sub(1)).line);
            let entry = blocks.entry(span.file).or_default().entry(first).or_insert(last);
            *entry = (*entry).max(last);
        }
    }
    blocks
}

fn read(
    id: FileId,
    file: &SourceFile,
    blocks: Option<&HashMap<u32, u32>>,
    known: &[&str],
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Allowance> {
    let mut allowances = Vec::new();
    let comment_only: HashSet<u32> = (1..=u32::try_from(file.line_count()).unwrap_or(u32::MAX))
        .filter(|number| file.line(*number).is_some_and(|line| line.trim_start().starts_with(['#', '/'])))
        .collect();
    for (at, _) in file.text().match_indices(MARK) {
        let position = file.position(u32::try_from(at).unwrap_or(u32::MAX));
        let rest = file.text().get(at + MARK.len()..).and_then(|rest| rest.lines().next()).unwrap_or("");
        let span = Span::new(id, at, at + MARK.len() + rest.trim_end().len());
        let mut words = rest.trim_start().splitn(2, ' ');
        let whole_file = match words.next() {
            Some("allow") => false,
            Some("allow-file") => true,
            // Prose that happens to end in our name.
            _ => continue,
        };
        let (ids, reason) =
            words.next().unwrap_or("").split_once("--").map_or((words_of(rest), ""), |(ids, reason)| (ids, reason));
        if reason.trim_matches(|letter: char| !letter.is_alphanumeric()).is_empty() {
            let message = "an allowed finding needs a reason";
            let help = "write it behind `--`: `# ringfence: allow ID -- why`";
            diagnostics.push(Diagnostic::at(Level::Warning, "scan", span, message).help(help));
            continue;
        }
        let lines = (!whole_file).then(|| {
            let mut target = position.line;
            if comment_only.contains(&target) {
                while comment_only.contains(&target) {
                    target += 1;
                }
            }
            let last = blocks.and_then(|blocks| blocks.get(&target)).copied().unwrap_or(target);
            (position.line, last)
        });
        for word in ids.split([',', ' ']).filter(|word| !word.is_empty()) {
            if known.contains(&word) {
                allowances.push(Allowance { id: word.to_string(), lines, span, used: std::cell::Cell::new(false) });
            } else {
                let diagnostic = Diagnostic::at(Level::Warning, "scan", span, format!("there is no audit `{word}`"));
                diagnostics.push(match near_miss(word, known.iter().copied()) {
                    Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                    None => diagnostic.help("`ringfence explain --list` lists them"),
                });
            }
        }
    }
    allowances
}

fn words_of(rest: &str) -> &str {
    rest.trim_start().split_once(' ').map_or("", |(_, ids)| ids)
}

#[cfg(test)]
mod tests {
    use super::*;
    use findings::{Confidence, Label, Severity};

    fn sort_text(text: &str, at: &[&str]) -> Sorted {
        let mut sources = Sources::new();
        let file = sources.add(SourceFile::new("template.yaml", text));
        let finding = |needle: &&str| {
            let start = text.find(*needle).unwrap();
            Finding {
                id: "public-bucket",
                severity: Severity::High,
                confidence: Confidence::High,
                title: String::new(),
                function: None,
                cwe: vec![],
                primary: Label { span: Span::new(file, start, start + needle.len()), message: String::new() },
                related: vec![],
                trace: vec![],
                remediation: String::new(),
            }
        };
        let reading = template::read(&mut sources, file, &mut |_| None);
        let applications: Vec<Application> = reading.application.into_iter().collect();
        sort(at.iter().map(finding).collect(), &applications, &sources, &["public-bucket", "shared-role"])
    }

    const TEMPLATE: &str = "Resources:\n  # ringfence: allow public-bucket -- it is the website\n  Site:\n    Type: AWS::S3::Bucket\n    Properties:\n      AccessControl: PublicRead\n  Other:\n    Type: AWS::S3::Bucket\n    Properties:\n      AccessControl: PublicReadWrite\n";

    #[test]
    fn a_comment_above_a_resource_covers_it_and_nothing_else() {
        let sorted = sort_text(TEMPLATE, &["PublicRead\n", "PublicReadWrite"]);
        assert_eq!((sorted.allowed.len(), sorted.reported.len()), (1, 1));
        assert!(sorted.diagnostics.is_empty(), "{:?}", sorted.diagnostics);
    }

    #[test]
    fn without_a_reason_nothing_is_allowed() {
        let sorted = sort_text(&TEMPLATE.replace(" -- it is the website", ""), &["PublicRead\n"]);
        assert_eq!(sorted.reported.len(), 1);
        assert!(sorted.diagnostics[0].message.contains("needs a reason"));
    }

    #[test]
    fn a_misspelt_id_is_named_and_one_without_use_as_well() {
        let sorted = sort_text(&TEMPLATE.replace("public-bucket", "public-buckets"), &["PublicRead\n"]);
        assert_eq!(sorted.diagnostics[0].help.as_deref(), Some("did you mean `public-bucket`?"));
        let sorted = sort_text(&TEMPLATE.replace("public-bucket", "shared-role"), &["PublicRead\n"]);
        assert!(sorted.diagnostics[0].message.contains("nothing here needs"));
    }

    #[test]
    fn a_whole_file_can_be_allowed() {
        let text = TEMPLATE.replace("  # ringfence: allow ", "  # ringfence: allow-file ");
        let sorted = sort_text(&text, &["PublicRead\n", "PublicReadWrite"]);
        assert_eq!(sorted.allowed.len(), 2);
    }
}
