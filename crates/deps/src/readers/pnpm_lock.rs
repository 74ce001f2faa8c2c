//! `pnpm-lock.yaml`, versions 5 (`/name/1.0.0_peers`), 6 (`/name@1.0.0(peers)`) and 9 (`name@1.0.0`, with `snapshots`).

use super::{Input, Node, keys, locked};
use crate::{Ecosystem, Package};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub(super) fn read(input: &mut Input<'_>) {
    let root = input.yaml();
    let slashes = root.get("lockfileVersion").and_then(Node::scalar).is_some_and(|version| version.starts_with('5'));
    // A lone project stands at the root in older versions, several under `importers`.
    let mut importers: Vec<&Node> = vec![&root];
    importers.extend(root.get("importers").map(Node::entries).unwrap_or_default().iter().map(|entry| &entry.value));
    let (mut wanted, mut wanted_for_production) = (BTreeSet::new(), BTreeSet::new());
    for importer in importers {
        for (list, dev) in [("dependencies", false), ("optionalDependencies", false), ("devDependencies", true)] {
            for entry in importer.get(list).map(Node::entries).unwrap_or_default() {
                let Some(reference) = entry.value.as_str().or_else(|| entry.value.get("version")?.as_str()) else {
                    continue;
                };
                let key = target(&entry.key, reference, slashes);
                if !dev {
                    wanted_for_production.insert(key.clone());
                }
                wanted.insert(key);
            }
        }
    }
    let snapshots = root.get("snapshots").map(Node::entries).unwrap_or_default();
    // Version 9 no longer marks what serves development: what production reaches tells.
    let needs: BTreeMap<String, BTreeSet<String>> = snapshots
        .iter()
        .map(|entry| {
            let lists = ["dependencies", "optionalDependencies"].iter().filter_map(|list| entry.value.get(list));
            let targets =
                lists.flat_map(Node::entries).filter_map(|one| Some(target(&one.key, one.value.as_str()?, slashes)));
            (without_peers(&entry.key).to_string(), targets.collect::<BTreeSet<_>>())
        })
        .fold(BTreeMap::new(), |mut all: BTreeMap<String, BTreeSet<String>>, (key, targets)| {
            // Several sets of peers make several snapshots of one package.
            all.entry(key).or_default().extend(targets);
            all
        });
    let deployed = (!snapshots.is_empty()).then(|| reach(&wanted_for_production, &needs));
    for entry in root.get("packages").map(Node::entries).unwrap_or_default() {
        let own_name = entry.value.get("name").and_then(Node::as_str);
        let Some((name, text)) = split(&entry.key, slashes) else {
            input.note(entry.key_span, format!("`{}` doesn't come from the registry", entry.key));
            continue;
        };
        let (name, text) =
            (own_name.unwrap_or(name), entry.value.get("version").and_then(Node::as_str).unwrap_or(text));
        let Some(version) = locked(Ecosystem::Npm, text) else {
            input.note(entry.key_span, format!("`{name}` is at `{text}`, not a version of the registry"));
            continue;
        };
        let id = format!("{name}@{text}");
        let dev = match (&deployed, entry.value.get("dev").and_then(Node::as_bool)) {
            (_, Some(dev)) => dev,
            (Some(deployed), None) => !deployed.contains(&id),
            (None, None) => false,
        };
        let mut requires = keys(entry.value.get("dependencies"));
        requires.extend(keys(entry.value.get("optionalDependencies")));
        if let Some(targets) = needs.get(&id) {
            requires.extend(targets.iter().filter_map(|target| Some(split(target, false)?.0.to_string())));
        }
        let direct = Some(wanted.contains(&id));
        let (ecosystem, name) = (Ecosystem::Npm, name.to_string());
        input.push(Package { ecosystem, name, version, direct, dev, requires, span: entry.key_span });
    }
}

/// Everything that can be reached from `from`.
fn reach(from: &BTreeSet<String>, needs: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<String> {
    let mut seen = from.clone();
    let mut queue: VecDeque<&String> = from.iter().collect();
    while let Some(next) = queue.pop_front() {
        for target in needs.get(next).into_iter().flatten() {
            if seen.insert(target.clone()) {
                queue.push_back(target);
            }
        }
    }
    seen
}

/// `name@version` of what a list refers to: a version, or for an alias the key of another package.
fn target(name: &str, reference: &str, slashes: bool) -> String {
    let alias = reference.starts_with('/') || without_peers(reference).get(1..).is_some_and(|rest| rest.contains('@'));
    if alias && let Some((name, version)) = split(reference, slashes) {
        return format!("{name}@{version}");
    }
    let version = without_peers(reference);
    let version = if slashes { version.split('_').next().unwrap_or(version) } else { version };
    format!("{name}@{version}")
}

fn without_peers(key: &str) -> &str {
    key.split('(').next().unwrap_or(key)
}

/// The name and version of a key.
fn split(key: &str, slashes: bool) -> Option<(&str, &str)> {
    let key = without_peers(key);
    let key = key.strip_prefix('/').unwrap_or(key);
    if slashes {
        let (name, version) = key.rsplit_once('/')?;
        return Some((name, version.split('_').next().unwrap_or(version)));
    }
    let at = key.char_indices().skip(1).find(|(_, letter)| *letter == '@').map(|(at, _)| at)?;
    Some((key.get(..at)?, key.get(at + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::super::testing::lines;

    #[test]
    fn version_five_separates_by_slashes() {
        let text = "lockfileVersion: 5.4\nspecifiers:\n  a: ^1.0.0\ndependencies:\n  a: 1.0.0_b@2.0.0\ndevDependencies:\n  t: 3.0.0\n\
                    packages:\n  /a/1.0.0_b@2.0.0:\n    dependencies:\n      '@s/c': 1.0.0\n    dev: false\n  /@s/c/1.0.0:\n    dev: false\n  \
                    /t/3.0.0:\n    dev: true\n";
        assert_eq!(
            lines(&[("pnpm-lock.yaml", text)]),
            ["a 1.0.0 direct :9", "@s/c 1.0.0 indirect :13", "t 3.0.0 direct dev :15"]
        );
    }

    #[test]
    fn version_six_separates_by_at_signs() {
        let text = "lockfileVersion: '6.0'\ndependencies:\n  '@s/a':\n    specifier: ^1.0.0\n    version: 1.0.0(b@2.0.0)\n\
                    packages:\n  /@s/a@1.0.0(b@2.0.0):\n    dependencies:\n      b: 2.0.0\n    dev: false\n  /b@2.0.0:\n    dev: false\n  \
                    github.com/x/y/0123:\n    name: y\n    version: 1.0.0\n";
        assert_eq!(lines(&[("pnpm-lock.yaml", text)]), ["@s/a 1.0.0 direct :7", "b 2.0.0 indirect :11"]);
    }

    #[test]
    fn version_nine_keeps_the_graph_in_snapshots() {
        let text = "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      '@s/a':\n        specifier: ^1\n        version: 1.0.0(p@2.0.0)\n      \
                    alias:\n        specifier: npm:real@4\n        version: real@4.0.0\n    \
                    devDependencies:\n      t:\n        specifier: '3'\n        version: 3.0.0\n\
                    packages:\n  '@s/a@1.0.0':\n    resolution: {integrity: x}\n  b@2.0.0: {}\n  real@4.0.0: {}\n  t@3.0.0: {}\n\
                    snapshots:\n  '@s/a@1.0.0(p@2.0.0)':\n    dependencies:\n      b: 2.0.0\n  b@2.0.0: {}\n  real@4.0.0: {}\n  t@3.0.0: {}\n";
        assert_eq!(
            lines(&[("pnpm-lock.yaml", text)]),
            ["@s/a 1.0.0 direct :16", "b 2.0.0 indirect :18", "real 4.0.0 direct :19", "t 3.0.0 direct dev :20"]
        );
    }
}
