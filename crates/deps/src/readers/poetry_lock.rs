//! `poetry.lock`: everything that is installed; which of it is asked for stands in `pyproject.toml`.

use super::{Input, Node, keys, locked, pyproject};
use crate::{Ecosystem, Package};

pub(super) fn read(input: &mut Input<'_>) {
    let root = input.toml();
    let manifest = input.beside("pyproject.toml").map(|text| pyproject::direct_names(&text));
    for entry in root.get("package").map(Node::items).unwrap_or_default() {
        let Some(name) = entry.get("name").and_then(Node::as_str) else {
            input.warn(entry.span, "a package without a name");
            continue;
        };
        let span = entry.get("name").map_or(entry.span, |node| node.span);
        let text = entry.get("version").and_then(Node::as_str).unwrap_or_default();
        let elsewhere = entry.at(&["source", "type"]).and_then(Node::as_str).is_some_and(|kind| kind != "legacy");
        let version = match locked(Ecosystem::PyPi, text) {
            Some(version) if !elsewhere => version,
            _ => {
                input.note(span, format!("`{name}` has no version of the index"));
                continue;
            }
        };
        // Older files have a category, newer ones groups, those between neither.
        let category = entry.get("category").and_then(Node::as_str).map(|category| category == "dev");
        let groups =
            entry.get("groups").map(|groups| !groups.items().iter().any(|group| group.as_str() == Some("main")));
        let key = Ecosystem::PyPi.key(name);
        let asked = manifest.as_ref().map(|names| names.get(&key).copied());
        let dev = category.or(groups).unwrap_or(asked.flatten() == Some(true));
        input.push(Package {
            ecosystem: Ecosystem::PyPi,
            name: name.to_string(),
            version,
            direct: asked.map(|asked| asked.is_some()),
            dev,
            requires: keys(entry.get("dependencies")),
            span,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{lines, read_files};

    #[test]
    fn categories_groups_and_sources() {
        let text = "[[package]]\nname = \"Requests\"\nversion = \"2.19.0\"\ncategory = \"main\"\n\n[package.dependencies]\nurllib3 = \">=1.21\"\n\n\
                    [[package]]\nname = \"urllib3\"\nversion = \"1.23\"\ngroups = [\"main\"]\n\n\
                    [[package]]\nname = \"pytest\"\nversion = \"5.0\"\ngroups = [\"dev\"]\n\n\
                    [[package]]\nname = \"mine\"\nversion = \"1.0\"\n[package.source]\ntype = \"git\"\nurl = \"x\"\n";
        let manifest = "[tool.poetry.dependencies]\npython = \"^3.8\"\nrequests = \"^2\"\n";
        assert_eq!(
            lines(&[("poetry.lock", text), ("pyproject.toml", manifest)]),
            ["Requests 2.19.0 direct :2", "urllib3 1.23 indirect :10", "pytest 5.0 indirect dev :15"]
        );
        assert_eq!(read_files(&[("poetry.lock", text)]).1.packages[0].requires, ["urllib3"]);
    }
}
