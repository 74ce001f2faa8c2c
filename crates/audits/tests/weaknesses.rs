//! Whole applications with planted weaknesses and innocent look-alikes. A line that ends in `weak: id` has that weakness; what is
//! medium or worse at any other line of code is a false alarm.

#![allow(clippy::unwrap_used, missing_docs)]

use code::{Files, Handler, Language};
use findings::Severity;
use graph::Code;
use source::{SourceFile, Sources};
use std::path::{Path, PathBuf};

struct Folder(PathBuf);

impl Files for Folder {
    fn read(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.0.join(path)).ok()
    }
    fn exists(&self, path: &str) -> bool {
        self.0.join(path).is_file()
    }
    fn list(&self, directory: &str) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.0.join(directory)) else { return Vec::new() };
        let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
        names.sort();
        names
    }
}

/// What the audits say of the code of an application: severity, id, file, line, title.
fn said(folder: &Path) -> Vec<(Severity, String, String, usize, String)> {
    let files = Folder(folder.to_path_buf());
    let mut sources = Sources::new();
    let text = files.read("template.yaml").unwrap();
    let file = sources.add(SourceFile::new("template.yaml", text));
    let reading = template::read(&mut sources, file, &mut |_| None);
    let mut application = reading.application.unwrap();
    let handlers: Vec<(usize, String, String, Language)> = application
        .functions
        .iter()
        .enumerate()
        .filter_map(|(index, function)| {
            let Code::Local(root) = &function.code else { return None };
            let language = Language::of_runtime(&function.runtime.as_ref()?.value)?;
            Some((index, root.value.clone(), function.handler.as_ref()?.value.clone(), language))
        })
        .collect();
    for (index, code_root, handler, language) in handlers {
        let one = Handler { code_root: &code_root, handler: &handler, language, layers: &[] };
        let reading = code::read_handlers(&files, &mut sources, &[one]).pop().unwrap();
        assert!(reading.behaviour.is_some(), "{handler}: {:?}", reading.diagnostics);
        application.functions[index].behaviour = reading.behaviour;
    }
    let input = audits::Input {
        application: &application,
        sources: &sources,
        fence: None,
        settings: &[],
        today: (2026, 11, 23),
    };
    audits::run(&input)
        .into_iter()
        .map(|finding| {
            let span = finding.primary.span;
            let line = sources.position(span).line as usize;
            if let Some(last) = finding.trace.last() {
                let ends = last.span == span || finding.id == "identity-from-caller";
                assert!(ends, "the trace ends elsewhere: {finding:?}");
            }
            (finding.severity, finding.id.to_string(), sources.path(span).to_string(), line, finding.title)
        })
        .collect()
}

/// The files below a folder.
fn below(files: &Folder, folder: &str) -> Vec<String> {
    let paths = files.list(folder).into_iter().map(|name| format!("{folder}/{name}"));
    paths.flat_map(|path| if files.exists(&path) { vec![path] } else { below(files, &path) }).collect()
}

#[test]
fn planted_weaknesses_are_found_and_look_alikes_are_not() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/applications");
    let mut applications: Vec<PathBuf> = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    applications.sort();
    assert!(applications.len() >= 12);
    let (mut planted, mut complaints) = (0, Vec::new());
    for folder in applications {
        let name = folder.file_name().unwrap().to_string_lossy().to_string();
        let said = said(&folder);
        let mut expected: Vec<(String, usize, String)> = Vec::new();
        let files = Folder(folder.clone());
        for path in below(&files, "src") {
            for (index, line) in files.read(&path).unwrap_or_default().lines().enumerate() {
                let Some((_, ids)) = line.split_once("weak: ") else { continue };
                expected.extend(ids.split(',').map(|id| (path.clone(), index + 1, id.trim().to_string())));
            }
        }
        planted += expected.len();
        for (path, line, id) in &expected {
            let found = said.iter().any(|(_, said, file, at, _)| said == id && file == path && at.abs_diff(*line) <= 1);
            if !found {
                complaints.push(format!("{name}/{path}:{line} lacks {id}"));
            }
        }
        for (severity, id, file, line, title) in &said {
            let is_planted =
                expected.iter().any(|(path, at, planted)| path == file && at.abs_diff(*line) <= 1 && planted == id);
            if *severity >= Severity::Medium && file.starts_with("src/") && !is_planted {
                complaints.push(format!("{name}/{file}:{line} is no {id} ({severity}): {title}"));
            }
        }
    }
    assert!(
        complaints.is_empty(),
        "{} complaints about {planted} weaknesses:\n{}",
        complaints.len(),
        complaints.join("\n")
    );
}
