//! `Pipfile.lock`: everything that is installed, in `default` and `develop`.

use super::{Input, Node, locked, requirement, toml_document};
use crate::{Ecosystem, Package};
use source::FileId;
use std::collections::BTreeSet;

pub(super) fn read(input: &mut Input<'_>) {
    let root = input.json();
    let direct: Option<BTreeSet<String>> = input.beside("Pipfile").map(|text| {
        let manifest = toml_document::read(FileId(0), &text).root;
        let lists = ["packages", "dev-packages"].into_iter().filter_map(|list| manifest.get(list));
        lists.flat_map(|list| list.entries().iter().map(|entry| Ecosystem::PyPi.key(&entry.key))).collect()
    });
    for (list, dev) in [("default", false), ("develop", true)] {
        for entry in root.get(list).map(Node::entries).unwrap_or_default() {
            let marker = entry.value.get("markers").and_then(Node::as_str).unwrap_or_default();
            if requirement::excluded(marker) {
                continue;
            }
            let text = entry.value.get("version").and_then(Node::as_str).unwrap_or_default();
            let Some(version) = locked(Ecosystem::PyPi, text.trim_start_matches('=').trim()) else {
                input.note(entry.key_span, format!("`{}` has no version of the index", entry.key));
                continue;
            };
            let direct = direct.as_ref().map(|names| names.contains(&Ecosystem::PyPi.key(&entry.key)));
            let (ecosystem, name, requires) = (Ecosystem::PyPi, entry.key.clone(), Vec::new());
            input.push(Package { ecosystem, name, version, direct, dev, requires, span: entry.key_span });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::lines;

    #[test]
    fn default_and_develop() {
        let text = r#"{
  "_meta": {},
  "default": {
    "requests": { "version": "==2.19.0", "markers": "python_version >= '3.7'" },
    "urllib3": { "version": "==1.23" },
    "colorama": { "version": "==0.4", "markers": "sys_platform == 'win32'" },
    "mine": { "git": "x", "ref": "y" }
  },
  "develop": { "pytest": { "version": "==5.0" } }
}"#;
        assert_eq!(
            lines(&[
                ("Pipfile.lock", text),
                ("Pipfile", "[packages]\nRequests = \"*\"\n[dev-packages]\npytest = \"*\"\n")
            ]),
            ["requests 2.19.0 direct :4", "urllib3 1.23 indirect :5", "pytest 5.0 direct dev :9"]
        );
        assert_eq!(lines(&[("Pipfile.lock", text)])[0], "requests 2.19.0 ? :4");
    }
}
