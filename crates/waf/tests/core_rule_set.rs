//! The OWASP Core Rule Set's regression tests, as far as they are at hand: `RINGFENCE_CRS` names a folder with
//! `rules`, `crs-setup.conf.example` and `tests`; without it `../shared/data/crs-4` beside the workspace is looked for.
//!
//! Neither rules nor tests are part of this project; the score is.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use source::{Document, FileId, Node, NodeKind};
use waf::seclang::{BASE, RuleSet, regression};

/// Tests that must pass, of those in the folder this was last measured with.
const EXPECTED: (usize, usize) = (3033, 3034);

fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("RINGFENCE_CRS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/crs-4"), PathBuf::from);
    folder.join("rules").is_dir().then_some(folder)
}

fn rules(folder: &Path) -> RuleSet {
    let mut names: Vec<PathBuf> = fs::read_dir(folder.join("rules"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "conf"))
        .collect();
    names.sort();
    let mut files = vec![
        ("base".to_string(), BASE.to_string()),
        ("crs-setup".to_string(), fs::read_to_string(folder.join("crs-setup.conf.example")).unwrap()),
        ("setup".to_string(), regression::setup(4)),
    ];
    files.extend(names.iter().map(|path| (path.display().to_string(), fs::read_to_string(path).unwrap())));
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let (set, diagnostics) = RuleSet::compile(&files, &|name| fs::read_to_string(folder.join("rules").join(name)).ok());
    let told: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
    set
}

/// The document with every scalar as a string.
fn value(node: &Node) -> Value {
    match &node.kind {
        NodeKind::Scalar { text, .. } => Value::String(text.clone()),
        NodeKind::Sequence(items) => Value::Array(items.iter().map(value).collect()),
        NodeKind::Mapping(entries) => {
            Value::Object(entries.iter().map(|entry| (entry.key.clone(), value(&entry.value))).collect())
        }
    }
}

fn tests(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tests(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            out.push(path);
        }
    }
}

#[test]
fn score_at_paranoia_level_4() {
    let Some(folder) = folder() else {
        println!("skipped: no Core Rule Set at hand");
        return;
    };
    let set = rules(&folder);
    let slow = rules(&folder).without_prefilter();
    let compiled = RuleSet::from_compiled(&set.to_compiled().unwrap()).unwrap();
    let mut files = Vec::new();
    tests(&folder.join("tests"), &mut files);
    files.sort();
    let (mut passed, mut total) = (0, 0);
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let document = Document::yaml(FileId(0), &text);
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        for case in regression::cases(&value(&document.root), &stem).unwrap() {
            total += 1;
            // What the prefilter leaves out must be what would not have matched.
            assert_eq!(regression::run(&slow, &case).matched, regression::run(&set, &case).matched, "{}", case.name);
            let outcome = regression::run(&set, &case);
            // And the compiled form says what the text says.
            assert_eq!(regression::run(&compiled, &case), outcome, "{}", case.name);
            match outcome.failure {
                None => passed += 1,
                Some(failure) => println!("{}: {failure}; matched {:?}", case.name, outcome.matched),
            }
        }
    }
    println!("{passed} of {total} tests passed");
    assert!(passed * EXPECTED.1 >= EXPECTED.0 * total, "{passed} of {total} tests passed, fewer than before");
}
