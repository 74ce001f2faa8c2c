//! `package-lock.json` and `npm-shrinkwrap.json`: version 1 nests by `dependencies`, 2 and 3 list install paths in `packages`.

use super::{Input, Node, keys, locked, package_json};
use crate::{Ecosystem, Package};
use std::collections::BTreeMap;

pub(super) fn read(input: &mut Input<'_>) {
    let root = input.json();
    if root.get("packages").is_some_and(|packages| packages.is_mapping() && !packages.entries().is_empty()) {
        by_path(input, &root);
    } else if let Some(dependencies) = root.get("dependencies") {
        let direct = input.beside("package.json").map(|text| package_json::direct_names(&text));
        nested(input, dependencies, direct.as_ref(), 0);
    } else if !root.is_mapping() {
        input.warn(input.start(), "not a lockfile of npm: neither `packages` nor `dependencies`");
    }
}

fn by_path(input: &mut Input<'_>, root: &Node) {
    let packages = root.get("packages").map(Node::entries).unwrap_or_default();
    // What the root and the workspaces ask for is direct; workspaces are the entries outside `node_modules`.
    let mut direct: BTreeMap<&str, bool> = BTreeMap::new();
    for entry in packages.iter().filter(|entry| !entry.key.contains("node_modules/")) {
        for list in ["dependencies", "optionalDependencies", "peerDependencies", "devDependencies"] {
            for wanted in entry.value.get(list).map(Node::entries).unwrap_or_default() {
                direct.insert(&wanted.key, true);
            }
        }
    }
    for entry in packages {
        let Some(at) = entry.key.rfind("node_modules/") else { continue };
        let installed_as = entry.key.get(at + "node_modules/".len()..).unwrap_or_default();
        let flag = |name: &str| entry.value.get(name).and_then(Node::as_bool) == Some(true);
        if installed_as.is_empty() || flag("link") {
            continue;
        }
        // An alias is installed under one name and is another package.
        let name = entry.value.get("name").and_then(Node::as_str).unwrap_or(installed_as).to_string();
        let Some(text) = entry.value.get("version").and_then(Node::as_str) else {
            input.note(entry.key_span, format!("`{name}` has no version"));
            continue;
        };
        let Some(version) = locked(Ecosystem::Npm, text) else {
            input.note(entry.key_span, format!("`{name}` is at `{text}`, not a version of the registry"));
            continue;
        };
        let top = entry.key.matches("node_modules/").count() == 1;
        let mut requires = keys(entry.value.get("dependencies"));
        requires.extend(keys(entry.value.get("optionalDependencies")));
        requires.extend(keys(entry.value.get("peerDependencies")));
        input.push(Package {
            ecosystem: Ecosystem::Npm,
            name,
            version,
            direct: Some(top && direct.contains_key(installed_as)),
            dev: flag("dev"),
            requires,
            span: entry.key_span,
        });
    }
}

fn nested(input: &mut Input<'_>, dependencies: &Node, direct: Option<&BTreeMap<String, bool>>, depth: usize) {
    // The document reader limits depth already; this keeps the promise visible here.
    if depth > 64 {
        return;
    }
    for entry in dependencies.entries() {
        let text = entry.value.get("version").and_then(Node::as_str).unwrap_or_default();
        let (name, text) = package_json::aliased(&entry.key, text);
        let flag = |name: &str| entry.value.get(name).and_then(Node::as_bool) == Some(true);
        match locked(Ecosystem::Npm, text) {
            Some(version) => input.push(Package {
                ecosystem: Ecosystem::Npm,
                name: name.to_string(),
                version,
                direct: if depth > 0 { Some(false) } else { direct.map(|names| names.contains_key(&entry.key)) },
                dev: flag("dev"),
                requires: keys(entry.value.get("requires")),
                span: entry.key_span,
            }),
            None => input.note(entry.key_span, format!("`{name}` is at `{text}`, not a version of the registry")),
        }
        if let Some(inner) = entry.value.get("dependencies") {
            nested(input, inner, direct, depth + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{lines, read_files};

    const V1: &str = r#"{
  "name": "a", "lockfileVersion": 1, "requires": true,
  "dependencies": {
    "a": { "version": "1.0.0", "requires": { "b": "^2.0.0" },
      "dependencies": {
        "b": { "version": "2.1.0" } } },
    "c": { "version": "npm:real@3.0.0", "dev": true },
    "d": { "version": "git+ssh://git@x/y.git#abc" }
  }
}"#;

    #[test]
    fn version_one_nests() {
        assert_eq!(
            lines(&[("package-lock.json", V1), ("package.json", r#"{"dependencies": {"a": "^1.0.0"}}"#)]),
            ["a 1.0.0 direct :4", "b 2.1.0 indirect :6", "real 3.0.0 indirect dev :7"]
        );
        assert_eq!(lines(&[("npm-shrinkwrap.json", V1)])[0], "a 1.0.0 ? :4");
        let (_, reading) = read_files(&[("package-lock.json", V1)]);
        assert!(reading.diagnostics[0].message.contains("git+ssh"), "{:?}", reading.diagnostics);
        assert_eq!(reading.packages[0].requires, ["b"]);
    }

    #[test]
    fn versions_two_and_three_list_install_paths() {
        for version in [2, 3] {
            let text = r#"{
  "lockfileVersion": VERSION,
  "packages": {
    "": { "dependencies": { "@s/a": "^1.0.0", "alias": "npm:real@2.0.0" }, "devDependencies": { "t": "1.0.0" } },
    "node_modules/@s/a": { "version": "1.0.0", "dependencies": { "b": "^1.0.0" } },
    "node_modules/@s/a/node_modules/b": { "version": "1.5.0" },
    "node_modules/alias": { "name": "real", "version": "2.0.0" },
    "node_modules/ws": { "resolved": "packages/ws", "link": true },
    "packages/ws": { "version": "0.0.1", "dependencies": { "b": "2" } },
    "node_modules/b": { "version": "2.0.0" },
    "node_modules/t": { "version": "1.0.0", "dev": true }
  },
  "dependencies": { "b": { "version": "2.0.0" } }
}"#
            .replace("VERSION", &version.to_string());
            assert_eq!(
                lines(&[("package-lock.json", &text)]),
                [
                    "@s/a 1.0.0 direct :5",
                    "b 1.5.0 indirect :6",
                    "real 2.0.0 direct :7",
                    "b 2.0.0 direct :10",
                    "t 1.0.0 direct dev :11",
                ]
            );
        }
    }
}
