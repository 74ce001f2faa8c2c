//! Rust: `Cargo.lock`, and `Cargo.toml` where there is no lockfile.

use super::{Input, Node, asked, locked};
use crate::{Ecosystem, Package};
use std::collections::BTreeMap;

/// `Cargo.lock`: everything that is built, development included; what of it is asked for stands in `Cargo.toml`.
pub(super) fn lockfile(input: &mut Input<'_>) {
    let root = input.toml();
    let direct = input.beside("Cargo.toml").map(|text| {
        let manifest = super::toml_document::read(source::FileId(0), &text).root;
        wanted(&manifest).into_iter().map(|one| (one.0, one.2)).collect::<BTreeMap<String, bool>>()
    });
    for entry in root.get("package").map(Node::items).unwrap_or_default() {
        let Some(name) = entry.get("name").and_then(Node::as_str) else {
            input.warn(entry.span, "a package without a name");
            continue;
        };
        let span = entry.get("name").map_or(entry.span, |node| node.span);
        // Without a source it is a crate of the workspace itself.
        let Some(source) = entry.get("source").and_then(Node::as_str) else { continue };
        let text = entry.get("version").and_then(Node::as_str).unwrap_or_default();
        let version = match locked(Ecosystem::CratesIo, text) {
            Some(version) if source.starts_with("registry+") || source.starts_with("sparse+") => version,
            _ => {
                input.note(span, format!("`{name}` has no version of the registry"));
                continue;
            }
        };
        let needs = entry.get("dependencies").map(Node::items).unwrap_or_default();
        let requires = needs.iter().filter_map(|need| Some(need.as_str()?.split(' ').next()?.to_string())).collect();
        let asked = direct.as_ref().map(|names| names.get(name).copied());
        input.push(Package {
            ecosystem: Ecosystem::CratesIo,
            name: name.to_string(),
            version,
            direct: asked.map(|asked| asked.is_some()),
            dev: asked.flatten() == Some(true),
            requires,
            span,
        });
    }
}

/// `Cargo.toml`.
pub(super) fn manifest(input: &mut Input<'_>) {
    let root = input.toml();
    for (name, range, dev, span) in wanted(&root) {
        match range {
            Some(range) => input.push(Package {
                ecosystem: Ecosystem::CratesIo,
                name,
                version: asked(Ecosystem::CratesIo, &range),
                direct: Some(true),
                dev,
                requires: Vec::new(),
                span,
            }),
            None => input.note(span, format!("`{name}` has no version here: it isn't compared with advisories")),
        }
    }
}

/// Name, range where one is written, whether for development or building only, place.
fn wanted(root: &Node) -> Vec<(String, Option<String>, bool, source::Span)> {
    let mut tables: Vec<(&Node, bool)> = Vec::new();
    let kinds = [("dependencies", false), ("dev-dependencies", true), ("build-dependencies", true)];
    let own = kinds.iter().filter_map(|(name, dev)| Some((root.get(name)?, *dev)));
    tables.extend(own);
    tables.extend(root.at(&["workspace", "dependencies"]).map(|table| (table, false)));
    for target in root.get("target").map(Node::entries).unwrap_or_default() {
        tables.extend(kinds.iter().filter_map(|(name, dev)| Some((target.value.get(name)?, *dev))));
    }
    let mut all = Vec::new();
    for (table, dev) in tables {
        for entry in table.entries() {
            let name = entry.value.get("package").and_then(Node::as_str).unwrap_or(&entry.key).to_string();
            let range = entry.value.as_str().or_else(|| entry.value.get("version")?.as_str()).map(str::to_string);
            all.push((name, range, dev, entry.key_span.to(entry.value.span)));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::super::testing::lines;

    #[test]
    fn a_lockfile_beside_its_manifest_and_a_manifest_alone() {
        let lock = "version = 4\n[[package]]\nname = \"shop\"\nversion = \"0.1.0\"\ndependencies = [\"time\"]\n\
                    [[package]]\nname = \"time\"\nversion = \"0.1.42\"\nsource = \"registry+x\"\ndependencies = [\"libc 0.2.1\"]\n\
                    [[package]]\nname = \"libc\"\nversion = \"0.2.1\"\nsource = \"registry+x\"\n[[package]]\nname = \"fork\"\nversion = \"1.0.0\"\nsource = \"git+x\"\n";
        let manifest = "[dependencies]\ntime = \"0.1\"\nold = { package = \"real\", version = \"=1.2.3\" }\nmine = { path = \"x\" }\n[dev-dependencies]\ninsta = \"1\"\n";
        assert_eq!(
            lines(&[("Cargo.lock", lock), ("Cargo.toml", manifest)]),
            ["time 0.1.42 direct :7", "libc 0.2.1 indirect :12"]
        );
        assert_eq!(
            lines(&[("Cargo.toml", manifest)]),
            ["time [0.1] direct :2", "real 1.2.3 direct :3", "insta [1] direct dev :6"]
        );
    }
}
