//! `bun.lock`: Bun's lockfile as text; the older binary `bun.lockb` isn't read.

use super::{Input, Node, keys, locked, package_json};
use crate::{Ecosystem, Package};
use std::collections::BTreeMap;

pub(super) fn read(input: &mut Input<'_>) {
    let root = input.json();
    // What the workspaces ask for by themselves, and whether for development only.
    let mut direct: BTreeMap<String, bool> = BTreeMap::new();
    for workspace in root.get("workspaces").map(Node::entries).unwrap_or_default() {
        for (list, dev) in [
            ("dependencies", false),
            ("optionalDependencies", false),
            ("peerDependencies", false),
            ("devDependencies", true),
        ] {
            for wanted in workspace.value.get(list).map(Node::entries).unwrap_or_default() {
                let known = direct.entry(wanted.key.clone()).or_insert(dev);
                *known &= dev;
            }
        }
    }
    for entry in root.get("packages").map(Node::entries).unwrap_or_default() {
        let parts = entry.value.items();
        let Some(resolved) = parts.first().and_then(Node::as_str) else {
            input.warn(entry.key_span, format!("`{}` isn't understood", entry.key));
            continue;
        };
        // `name@version`; the name may begin with an at sign of its own.
        let at = resolved.char_indices().skip(1).find(|(_, letter)| *letter == '@').map(|(at, _)| at);
        let Some((name, text)) = at.and_then(|at| Some((resolved.get(..at)?, resolved.get(at + 1..)?))) else {
            continue;
        };
        let (name, text) = package_json::aliased(name, text);
        let Some(version) = locked(Ecosystem::Npm, text) else {
            input.note(entry.key_span, format!("`{name}` is at `{text}`, not a version of the registry"));
            continue;
        };
        let details = parts.iter().find(|part| part.is_mapping());
        let mut requires = keys(details.and_then(|details| details.get("dependencies")));
        requires.extend(keys(details.and_then(|details| details.get("optionalDependencies"))));
        let asked = direct.get(&entry.key);
        input.push(Package {
            ecosystem: Ecosystem::Npm,
            name: name.to_string(),
            version,
            direct: Some(asked.is_some()),
            dev: asked == Some(&true),
            requires,
            span: entry.key_span,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::lines;

    #[test]
    fn a_lockfile_with_comments_and_trailing_commas() {
        let text = r#"{
  "lockfileVersion": 1,
  "workspaces": { "": { "dependencies": { "@s/a": "^1" }, "devDependencies": { "t": "1" }, }, },
  "packages": {
    "@s/a": ["@s/a@1.0.0", "", { "dependencies": { "b": "^2" } }, "sha512-x"],
    "b": ["b@2.1.0", "", {}, "sha512-y"],
    "t": ["t@1.0.0", "", {}, "sha512-z"],
    "mine": ["mine@workspace:packages/mine"],
  }
}"#;
        assert_eq!(
            lines(&[("bun.lock", text)]),
            ["@s/a 1.0.0 direct :5", "b 2.1.0 indirect :6", "t 1.0.0 direct dev :7"]
        );
    }
}
