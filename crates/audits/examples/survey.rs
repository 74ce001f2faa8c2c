//! Reads every template under the given folders and prints what the audits say, to be read by eye:
//! `cargo run -p audits --example survey -- FOLDER...`. With `--count`, only how many of each.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const MAX_FILES: usize = 200_000;

fn main() {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let count_only = arguments.iter().any(|argument| argument == "--count");
    arguments.retain(|argument| argument != "--count");
    let mut counts: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    let (mut templates, mut functions) = (0, 0);
    for root in arguments.iter().map(PathBuf::from) {
        let mut nested = std::collections::BTreeSet::new();
        let mut said = Vec::new();
        for path in files(&root) {
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            let shown = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().into_owned();
            if !template::looks_like_template(&shown, &text) {
                continue;
            }
            let mut sources = source::Sources::new();
            let file = sources.add(source::SourceFile::new(shown.clone(), text));
            let mut open = |path: &str| std::fs::read_to_string(root.join(path)).ok();
            let reading = template::read(&mut sources, file, &mut open);
            nested.extend(reading.included.iter().filter_map(|file| Some(sources.get(*file)?.path().to_string())));
            let Some(application) = reading.application else { continue };
            templates += 1;
            functions += application.functions.len();
            let input = audits::Input {
                application: &application,
                sources: &sources,
                fence: None,
                settings: &[],
                today: (2026, 11, 23),
            };
            for finding in audits::run(&input) {
                *counts.entry((finding.id, finding.severity.name(), finding.confidence.name())).or_default() += 1;
                let line = sources.slice(finding.primary.span).lines().next().unwrap_or("").trim().to_string();
                said.push((
                    shown.clone(),
                    format!(
                        "{} {}/{} {}: {}\n    | {line}",
                        finding.id,
                        finding.severity,
                        finding.confidence.name(),
                        sources.place(finding.primary.span),
                        finding.title
                    ),
                ));
            }
        }
        for (path, text) in said.iter().filter(|(path, _)| !count_only && !nested.contains(path)) {
            println!("{}{text}", if path.is_empty() { "?" } else { "" });
        }
    }
    println!("{templates} templates, {functions} functions");
    for ((id, severity, confidence), count) in counts {
        println!("{count:6} {id} {severity}/{confidence}");
    }
}

/// All files below a folder, links not followed, in order.
fn files(root: &Path) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![root.to_path_buf()]);
    while let Some(folder) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() && entry.file_name() != "node_modules" && entry.file_name() != ".git" {
                open.push(entry.path());
            } else if kind.is_file() && found.len() < MAX_FILES {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found
}
