//! `pyproject.toml`: what a Python project asks for, as PEP 621 and PEP 735 write it or as Poetry does.

use super::requirement::Requirement;
use super::{Input, Node, asked, toml_document};
use crate::{Ecosystem, Package, Version};
use source::{FileId, Span};
use std::collections::BTreeMap;

/// One thing asked for.
struct Wanted {
    name: String,
    /// None where it doesn't come from the index.
    version: Option<Version>,
    dev: bool,
    span: Span,
}

pub(super) fn read(input: &mut Input<'_>) {
    let root = input.toml();
    for wanted in wanted(&root) {
        match wanted.version {
            Some(version) => input.push(Package {
                ecosystem: Ecosystem::PyPi,
                name: wanted.name,
                version,
                direct: Some(true),
                dev: wanted.dev,
                requires: Vec::new(),
                span: wanted.span,
            }),
            None => input.note(
                wanted.span,
                format!("`{}` doesn't come from the index: no advisory can speak of it", wanted.name),
            ),
        }
    }
}

/// The keys of what a manifest's text asks for, and whether for development only.
pub(super) fn direct_names(text: &str) -> BTreeMap<String, bool> {
    let mut names = BTreeMap::new();
    for wanted in wanted(&toml_document::read(FileId(0), text).root) {
        let dev = names.entry(Ecosystem::PyPi.key(&wanted.name)).or_insert(wanted.dev);
        *dev &= wanted.dev;
    }
    names
}

fn wanted(root: &Node) -> Vec<Wanted> {
    let mut all = Vec::new();
    standard(root.at(&["project", "dependencies"]), false, &mut all);
    for (table, dev) in [(root.at(&["project", "optional-dependencies"]), false), (root.get("dependency-groups"), true)]
    {
        for group in table.map(Node::entries).unwrap_or_default() {
            standard(Some(&group.value), dev, &mut all);
        }
    }
    let Some(tool) = root.at(&["tool", "poetry"]) else { return all };
    poetry(tool.get("dependencies"), false, &mut all);
    poetry(tool.get("dev-dependencies"), true, &mut all);
    for group in tool.get("group").map(Node::entries).unwrap_or_default() {
        poetry(group.value.get("dependencies"), group.key != "main", &mut all);
    }
    all
}

fn standard(list: Option<&Node>, dev: bool, all: &mut Vec<Wanted>) {
    for item in list.map(Node::items).unwrap_or_default() {
        let Some(one) = item.as_str().and_then(Requirement::read) else { continue };
        if one.never_deployed() {
            continue;
        }
        let version = one.address.is_none().then(|| asked(Ecosystem::PyPi, one.specifiers));
        all.push(Wanted { name: one.name.to_string(), version, dev, span: item.span });
    }
}

fn poetry(table: Option<&Node>, dev: bool, all: &mut Vec<Wanted>) {
    for entry in table.map(Node::entries).unwrap_or_default().iter().filter(|entry| entry.key != "python") {
        let constraint = entry.value.as_str().or_else(|| entry.value.get("version")?.as_str());
        let span = entry.key_span.to(entry.value.span);
        let version = match constraint {
            Some(text) => Some(match specifiers(text) {
                Some(text) => asked(Ecosystem::PyPi, &text),
                // Said as it is written; nothing is claimed of a range that can't be read.
                None => Version::Range(text.to_string()),
            }),
            // Several constraints, one for each platform or Python: any of them.
            None if entry.value.is_sequence() => Some(Version::Range(String::new())),
            None => None,
        };
        all.push(Wanted { name: entry.key.clone(), version, dev, span });
    }
}

/// Poetry's constraint in PEP 440's language; none where it has no equal there (`||`).
fn specifiers(text: &str) -> Option<String> {
    let text = text.trim();
    if text.is_empty() || text == "*" {
        return Some(String::new());
    }
    if text.contains('|') {
        return None;
    }
    let parts: Option<Vec<String>> = text.split(',').map(|part| constraint(part.trim())).collect();
    Some(parts?.join(","))
}

fn constraint(part: &str) -> Option<String> {
    let numbers = |text: &str| -> Option<Vec<u64>> {
        let release = text.trim().split(|c: char| c != '.' && !c.is_ascii_digit()).next()?;
        release.trim_end_matches('.').split('.').map(|number| number.parse().ok()).collect()
    };
    let below = |text: &str, release: &[u64], at: usize| {
        let mut upper: Vec<u64> = release.get(..=at).unwrap_or(release).to_vec();
        if let Some(last) = upper.last_mut() {
            *last = last.saturating_add(1);
        }
        let upper: Vec<String> = upper.iter().map(u64::to_string).collect();
        format!(">={},<{}", text.trim(), upper.join("."))
    };
    if let Some(text) = part.strip_prefix('^') {
        let release = numbers(text)?;
        // Everything may change up to the first part that isn't zero.
        let at = release.iter().position(|number| *number > 0).unwrap_or(release.len().saturating_sub(1));
        return Some(below(text, &release, at));
    }
    if let Some(text) = part.strip_prefix('~').filter(|text| !text.starts_with('=')) {
        let release = numbers(text)?;
        return Some(below(text, &release, release.len().saturating_sub(1).min(1)));
    }
    if part.starts_with(|c: char| c.is_ascii_digit()) {
        return Some(format!("=={part}"));
    }
    Some(part.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::testing::lines;
    use super::specifiers;

    #[test]
    fn pep_621_and_dependency_groups() {
        let text = "[project]\nname = \"app\"\ndependencies = [\n  \"requests>=2.0,<3\",\n  \"Django==2.2.0\",\n  \"x @ https://h.example/x.whl\",\n]\n\
                    [project.optional-dependencies]\nxml = [\"lxml\"]\n[dependency-groups]\ndev = [\"pytest>7\", {include-group = \"x\"}]\n";
        assert_eq!(
            lines(&[("pyproject.toml", text)]),
            [
                "requests [>=2.0,<3] direct :4",
                "Django 2.2.0 direct :5",
                "lxml [] direct :9",
                "pytest [>7] direct dev :11"
            ]
        );
    }

    #[test]
    fn poetry_writes_ranges_of_its_own() {
        let text = "[tool.poetry.dependencies]\npython = \"^3.8\"\nrequests = \"^2.19\"\nflask = { version = \"~1.0\", extras = [\"x\"] }\n\
                    mine = { path = \"../mine\" }\npinned = \"1.2.3\"\n[tool.poetry.group.dev.dependencies]\npytest = \"*\"\n";
        assert_eq!(
            lines(&[("pyproject.toml", text)]),
            [
                "requests [>=2.19,<3] direct :3",
                "flask [>=1.0,<1.1] direct :4",
                "pinned 1.2.3 direct :6",
                "pytest [] direct dev :8"
            ]
        );
    }

    #[test]
    fn carets_and_tildes_become_specifiers() {
        for (poetry, standard) in [
            ("^1.2.3", ">=1.2.3,<2"),
            ("^0.2.3", ">=0.2.3,<0.3"),
            ("^0.0.3", ">=0.0.3,<0.0.4"),
            ("^0", ">=0,<1"),
            ("~1.2.3", ">=1.2.3,<1.3"),
            ("~1", ">=1,<2"),
            ("~=1.4", "~=1.4"),
            (">=1, <2", ">=1,<2"),
            ("1.2.*", "==1.2.*"),
        ] {
            assert_eq!(specifiers(poetry).as_deref(), Some(standard));
        }
        assert_eq!(specifiers("^1 || ^2"), None);
    }
}
