//! Settings beside the code, which are read to be looked through for credentials: which files those are, and to which
//! application each belongs. What a credential is, the audits say.
//!
//! Deliberately absent: lockfiles, tests, data, pages, and files that git ignores: what isn't in the repository isn't leaked by it.

use crate::files::{Found, Root};
use graph::Application;
use rayon::prelude::*;
use source::{FileId, SourceFile, Sources};
use std::collections::{HashMap, HashSet};

/// Longer files hold data rather than settings.
const MAX_BYTES: u64 = 128 << 10;
/// Files that are looked through.
const MAX_FILES: usize = 5_000;

/// Reads the settings among the files below the root; those that were read already are left alone.
pub(crate) fn read(root: &Root, candidates: &[Found], sources: &mut Sources) -> Vec<FileId> {
    let known: HashSet<&str> = sources.iter().map(|(_, file)| file.path()).collect();
    let chosen: Vec<&Found> = candidates
        .iter()
        .filter(|found| found.size <= MAX_BYTES && is_settings(&found.path) && !known.contains(found.path.as_str()))
        .take(MAX_FILES)
        .collect();
    let texts: Vec<(&Found, String)> = chosen
        .into_par_iter()
        .filter_map(|found| Some((found, root.read_walked(found).filter(|text| may_hold(text))?)))
        .collect();
    texts.into_iter().map(|(found, text)| sources.add(SourceFile::new(&found.path, text))).collect()
}

/// The settings of each application, by its template: those whose nearest template is its own. Of several templates in one
/// folder the first has the files.
pub(crate) fn by_template(all: &[Application], settings: &[FileId], sources: &Sources) -> HashMap<FileId, Vec<FileId>> {
    let path = |file: FileId| sources.get(file).map_or("", SourceFile::path);
    let mut folders: HashMap<&str, FileId> = HashMap::new();
    for application in all {
        folders.entry(folder(path(application.template))).or_insert(application.template);
    }
    let mut owned: HashMap<FileId, Vec<FileId>> = HashMap::new();
    for file in settings {
        let mut around = folder(path(*file));
        let nearest = loop {
            match folders.get(around) {
                Some(template) => break Some(*template),
                None if around.is_empty() => break None,
                None => around = folder(around),
            }
        };
        if let Some(template) = nearest {
            owned.entry(template).or_default().push(*file);
        }
    }
    owned
}

/// The folder of a path; empty for the root.
fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn is_settings(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let elsewhere = path.split('/').any(|part| {
        matches!(
            part,
            "node_modules"
                | "test"
                | "tests"
                | "__tests__"
                | "fixtures"
                | "docs"
                | ".github"
                | "events"
                | "vendor"
                | "site-packages"
                | "dist-packages"
                | "dependencies"
                | "botocore"
        )
    });
    let generated =
        ["lock", "package.json", "tsconfig", ".map", ".min.", "swagger", "openapi", "schema", "i18n", "locale"]
            .iter()
            .any(|part| name.contains(part));
    if elsewhere || generated {
        return false;
    }
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    name == ".env"
        || name.starts_with(".env.") && !["example", "sample", "template", "dist"].contains(&extension)
        || matches!(
            extension,
            "env"
                | "json"
                | "yaml"
                | "yml"
                | "pem"
                | "key"
                | "ini"
                | "cfg"
                | "conf"
                | "properties"
                | "toml"
                | "tfvars"
                | "npmrc"
        )
        || matches!(name, ".npmrc" | ".pypirc" | "credentials" | "id_rsa")
}

/// Whether it is worth looking closer.
fn may_hold(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["pass", "pwd", "secret", "token", "key", "://", "akia", "private", "cred"].iter().any(|stem| lower.contains(stem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_told_from_data() {
        for path in [".env", "src/.env.production", "config.json", "src/config/prod.yaml", "keys/server.pem"] {
            assert!(is_settings(path), "{path}");
        }
        for path in [
            "package-lock.json",
            ".env.example",
            "tests/config.json",
            "app.py",
            "node_modules/a/config.json",
            "openapi.yaml",
        ] {
            assert!(!is_settings(path), "{path}");
        }
    }

    #[test]
    fn settings_belong_to_the_nearest_template_and_to_the_first_of_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let template = "Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n";
        for (path, text) in [
            ("template.yaml", template),
            (".env", "API_TOKEN=1\n"),
            ("shop/a.yaml", template),
            ("shop/b.yaml", template),
            ("shop/src/config.ini", "password = 1\n"),
            ("shopping/config.ini", "password = 1\n"),
        ] {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let loaded = crate::load(folder.path(), &crate::Options::default()).unwrap();
        let path = |file: FileId| loaded.sources.get(file).unwrap().path();
        let mut owned: Vec<(&str, Vec<&str>)> =
            by_template(&loaded.estate.applications, &loaded.settings, &loaded.sources)
                .into_iter()
                .map(|(template, files)| (path(template), files.into_iter().map(path).collect()))
                .collect();
        owned.sort();
        assert_eq!(
            owned,
            [("shop/a.yaml", vec!["shop/src/config.ini"]), ("template.yaml", vec![".env", "shopping/config.ini"])]
        );
    }
}
