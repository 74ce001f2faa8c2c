//! `package.json`: the ranges that a JavaScript application asks for.

use super::{Input, Node, asked};
use crate::{Ecosystem, Package};
use source::{Document, FileId, Span};
use std::collections::BTreeMap;

/// The lists of a manifest, and whether what they name is for development only. Peers are asked of others, but npm installs them.
const LISTS: [(&str, bool); 4] =
    [("dependencies", false), ("optionalDependencies", false), ("peerDependencies", false), ("devDependencies", true)];

pub(super) fn read(input: &mut Input<'_>) {
    let root = input.json();
    for (list, dev) in LISTS {
        for entry in root.get(list).map(Node::entries).unwrap_or_default() {
            let Some(range) = entry.value.scalar() else { continue };
            if let Some(package) = requirement(&entry.key, range, entry.key_span.to(entry.value.span), dev) {
                input.push(package);
            } else {
                let message =
                    format!("`{}` comes from `{range}`, not from the registry: no advisory can speak of it", entry.key);
                input.note(entry.value.span, message);
            }
        }
    }
}

/// One line of a list; none where it doesn't name a version of the registry.
pub(super) fn requirement(name: &str, range: &str, span: Span, dev: bool) -> Option<Package> {
    let range = range.strip_prefix("workspace:").map_or(range, |_| "workspace:");
    let (name, range) = aliased(name, range);
    // Files, repositories, addresses and `owner/repository`.
    if range.contains([':', '/']) {
        return None;
    }
    let version = asked(Ecosystem::Npm, range);
    let (direct, requires) = (Some(true), Vec::new());
    Some(Package { ecosystem: Ecosystem::Npm, name: name.to_string(), version, direct, dev, requires, span })
}

/// `npm:real@range` under another name.
pub(super) fn aliased<'a>(name: &'a str, range: &'a str) -> (&'a str, &'a str) {
    let Some(target) = range.strip_prefix("npm:") else { return (name, range) };
    match target.char_indices().skip(1).find(|(_, letter)| *letter == '@') {
        Some((at, _)) => (target.get(..at).unwrap_or(target), target.get(at + 1..).unwrap_or("")),
        // Berry writes `npm:^1.0` for a plain range of the same package.
        None if target.starts_with(|c: char| c.is_ascii_digit() || "^~<>=*v".contains(c)) => (name, target),
        None => (target, ""),
    }
}

/// What a manifest's text asks for: name, and whether for development only.
pub(super) fn direct_names(text: &str) -> BTreeMap<String, bool> {
    let root = Document::json(FileId(0), text).root;
    let mut names = BTreeMap::new();
    for (list, dev) in LISTS {
        for entry in root.get(list).map(Node::entries).unwrap_or_default() {
            names.entry(entry.key.clone()).or_insert(dev);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::super::testing::{lines, read_files};

    #[test]
    fn ranges_pins_aliases_and_strangers() {
        let text = r#"{
  "dependencies": {
    "lodash": "^4.17.0",
    "express": "4.16.0",
    "old": "npm:@scope/new@~2.0",
    "mine": "file:../mine",
    "fork": "someone/fork#main",
    "any": ""
  },
  "devDependencies": { "jest": ">=29 <30" }
}"#;
        assert_eq!(
            lines(&[("package.json", text)]),
            [
                "lodash [^4.17.0] direct :3",
                "express 4.16.0 direct :4",
                "@scope/new [~2.0] direct :5",
                "any [] direct :8",
                "jest [>=29 <30] direct dev :10",
            ]
        );
        let (_, reading) = read_files(&[("package.json", text)]);
        assert_eq!(reading.diagnostics.len(), 2, "{:?}", reading.diagnostics);
    }

    #[test]
    fn half_a_manifest_gives_half_its_packages() {
        let (_, reading) = read_files(&[("package.json", r#"{"dependencies": {"a": "1.0.0", "b": "#)]);
        assert_eq!(reading.packages[0].name, "a");
        assert!(!reading.diagnostics.is_empty());
    }
}
