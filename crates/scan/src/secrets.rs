//! Settings beside the code, which are read to be looked through for credentials: which files those are, and to which
//! application each belongs. What a credential is, the audits say.
//!
//! Deliberately absent: lockfiles, tests, data, pages, and files that git ignores: what isn't in the repository isn't leaked by it.

use crate::files::{Found, Root};
use graph::Application;
use source::{FileId, SourceFile, Sources};
use std::collections::HashSet;

/// Longer files hold data rather than settings.
const MAX_BYTES: u64 = 128 << 10;
/// Files that are looked through.
const MAX_FILES: usize = 5_000;

/// Reads the settings among the files below the root; those that were read already are left alone.
pub(crate) fn read(root: &Root, candidates: &[Found], sources: &mut Sources) -> Vec<FileId> {
    let known: HashSet<String> = sources.iter().map(|(_, file)| file.path().to_string()).collect();
    candidates
        .iter()
        .filter(|found| found.size <= MAX_BYTES && is_settings(&found.path) && !known.contains(&found.path))
        .take(MAX_FILES)
        .filter_map(|found| {
            let text = root.read(&found.path)?;
            may_hold(&text).then(|| sources.add(SourceFile::new(&found.path, text)))
        })
        .collect()
}

/// The settings of an application: those whose nearest template is its own.
pub(crate) fn of(
    application: &Application,
    all: &[Application],
    settings: &[FileId],
    sources: &Sources,
) -> Vec<FileId> {
    let folder = |application: &Application| -> String {
        let path = sources.get(application.template).map_or("", SourceFile::path);
        path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"))
    };
    let own = folder(application);
    let folders: Vec<String> = all.iter().map(folder).collect();
    // Of several templates in one folder the first has the files.
    let first = folders.iter().position(|other| *other == own);
    let is_first = first.and_then(|at| all.get(at)).is_some_and(|other| other.template == application.template);
    let nearest = |path: &str| folders.iter().filter(|other| path.starts_with(other.as_str())).map(String::len).max();
    settings
        .iter()
        .filter(|file| {
            let path = sources.get(**file).map_or("", SourceFile::path);
            is_first && path.starts_with(&own) && nearest(path) == Some(own.len())
        })
        .copied()
        .collect()
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
}
