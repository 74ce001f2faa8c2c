//! `uv.lock`: everything that is installed, with what the project itself asks for in its own entry.

use super::{Input, Node, locked};
use crate::{Ecosystem, Package};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub(super) fn read(input: &mut Input<'_>) {
    let root = input.toml();
    let entries = root.get("package").map(Node::items).unwrap_or_default();
    let is_own =
        |entry: &Node| ["virtual", "editable", "directory"].iter().any(|kind| entry.at(&["source", kind]).is_some());
    let (mut direct, mut production) = (BTreeSet::new(), BTreeSet::new());
    let mut needs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in entries {
        let mut own = names(entry.get("dependencies"));
        own.extend(
            entry
                .get("optional-dependencies")
                .map(Node::entries)
                .unwrap_or_default()
                .iter()
                .flat_map(|extra| names(Some(&extra.value))),
        );
        if is_own(entry) {
            direct.extend(own.iter().cloned());
            production.extend(own);
            let groups = entry.get("dev-dependencies").map(Node::entries).unwrap_or_default();
            direct.extend(groups.iter().flat_map(|group| names(Some(&group.value))));
        } else if let Some(name) = entry.get("name").and_then(Node::as_str) {
            needs.entry(Ecosystem::PyPi.key(name)).or_default().extend(own);
        }
    }
    let knows_project = entries.iter().any(is_own);
    let mut queue: VecDeque<String> = production.iter().cloned().collect();
    while let Some(next) = queue.pop_front() {
        for need in needs.get(&next).into_iter().flatten() {
            if production.insert(need.clone()) {
                queue.push_back(need.clone());
            }
        }
    }
    for entry in entries.iter().filter(|entry| !is_own(entry)) {
        let Some(name) = entry.get("name").and_then(Node::as_str) else {
            input.warn(entry.span, "a package without a name");
            continue;
        };
        let span = entry.get("name").map_or(entry.span, |node| node.span);
        let registry = entry.get("source").is_none_or(|source| source.get("registry").is_some());
        let text = entry.get("version").and_then(Node::as_str).unwrap_or_default();
        let version = match locked(Ecosystem::PyPi, text) {
            Some(version) if registry => version,
            _ => {
                input.note(span, format!("`{name}` has no version of the index"));
                continue;
            }
        };
        let key = Ecosystem::PyPi.key(name);
        input.push(Package {
            ecosystem: Ecosystem::PyPi,
            name: name.to_string(),
            version,
            direct: knows_project.then(|| direct.contains(&key)),
            dev: knows_project && !production.contains(&key),
            requires: needs.get(&key).cloned().unwrap_or_default(),
            span,
        });
    }
}

/// The keys of a list of `{ name = ... }`.
fn names(list: Option<&Node>) -> Vec<String> {
    let items = list.map(Node::items).unwrap_or_default();
    items.iter().filter_map(|item| Some(Ecosystem::PyPi.key(item.get("name")?.as_str()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::lines;

    #[test]
    fn the_project_tells_what_is_direct_and_what_is_for_development() {
        let text = r#"version = 1
[[package]]
name = "app"
version = "0.1.0"
source = { virtual = "." }
dependencies = [{ name = "requests" }]

[package.dev-dependencies]
dev = [{ name = "pytest" }]

[[package]]
name = "requests"
version = "2.19.0"
source = { registry = "x" }
dependencies = [{ name = "urllib3", marker = "a" }]

[[package]]
name = "urllib3"
version = "1.23"
source = { registry = "x" }

[[package]]
name = "pytest"
version = "5.0"
source = { registry = "x" }

[[package]]
name = "fork"
version = "5.0"
source = { git = "x" }
"#;
        assert_eq!(
            lines(&[("uv.lock", text)]),
            ["requests 2.19.0 direct :12", "urllib3 1.23 indirect :18", "pytest 5.0 direct dev :23"]
        );
    }
}
