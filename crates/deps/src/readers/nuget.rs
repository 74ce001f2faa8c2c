//! .NET: `packages.lock.json`, `PackageReference`s of project files with centrally managed versions, and `packages.config`.

use super::xml_document;
use super::{Input, Node, asked, keys, locked};
use crate::{Ecosystem, Package};
use source::Span;
use std::collections::{BTreeMap, BTreeSet};

/// How many folders up `Directory.Packages.props` is looked for.
const MAX_UP: usize = 16;

/// `packages.lock.json`: what is installed for each framework.
pub(super) fn lockfile(input: &mut Input<'_>) {
    let root = input.json();
    let mut seen = BTreeSet::new();
    for framework in root.get("dependencies").map(Node::entries).unwrap_or_default() {
        for entry in framework.value.entries() {
            let kind = entry.value.get("type").and_then(Node::as_str).unwrap_or_default();
            let text = entry.value.get("resolved").and_then(Node::as_str).unwrap_or_default();
            if kind == "Project" || !seen.insert((entry.key.to_ascii_lowercase(), text.to_string())) {
                continue;
            }
            let Some(version) = locked(Ecosystem::NuGet, text) else {
                input.warn(entry.key_span, format!("`{}` has no version", entry.key));
                continue;
            };
            input.push(Package {
                ecosystem: Ecosystem::NuGet,
                name: entry.key.clone(),
                version,
                direct: Some(kind == "Direct"),
                dev: false,
                requires: keys(entry.value.get("dependencies")),
                span: entry.key_span,
            });
        }
    }
}

/// A project file, or `packages.config`.
pub(super) fn project(input: &mut Input<'_>) {
    let (root, broken) = xml_document::read(input.text);
    if broken {
        input.warn(input.start(), "not all of this project could be read");
    }
    let mut properties: BTreeMap<String, String> = BTreeMap::new();
    let mut central: BTreeMap<String, String> = BTreeMap::new();
    for name in ["Directory.Build.props", "Directory.Packages.props"] {
        let Some(text) = above(input, name) else { continue };
        let (props, _) = xml_document::read(&text);
        read_properties(&props, &mut properties);
        for element in props.descendants() {
            if element.name == "PackageVersion"
                && let Some((name, version)) = element.attribute("Include").zip(element.attribute("Version"))
            {
                central.insert(name.to_ascii_lowercase(), version.to_string());
            }
        }
    }
    read_properties(&root, &mut properties);
    for element in root.descendants() {
        let (name, version, dev) = match element.name.as_str() {
            "PackageReference" => {
                let name = element.attribute("Include").or_else(|| element.attribute("Update"));
                let Some(name) = name else { continue };
                let version = ["VersionOverride", "Version"]
                    .into_iter()
                    .find_map(|kind| element.attribute(kind).or_else(|| element.text_of(kind)));
                let version = version.map(str::to_string).or_else(|| central.get(&name.to_ascii_lowercase()).cloned());
                let assets = element.attribute("PrivateAssets").or_else(|| element.text_of("PrivateAssets"));
                (name, version, assets.is_some_and(|assets| assets.eq_ignore_ascii_case("all")))
            }
            "package" => {
                let Some(name) = element.attribute("id") else { continue };
                let version = element.attribute("version").map(|version| format!("[{version}]"));
                (name, version, element.attribute("developmentDependency") == Some("true"))
            }
            _ => continue,
        };
        let span = Span::new(input.file, element.start, element.end);
        let version = version.map(|version| resolved(&version, &properties)).filter(|version| !version.contains("$("));
        match version.filter(|version| !version.trim().is_empty()) {
            Some(version) => input.push(Package {
                ecosystem: Ecosystem::NuGet,
                name: name.to_string(),
                version: asked(Ecosystem::NuGet, &version),
                direct: Some(true),
                dev,
                requires: Vec::new(),
                span,
            }),
            None => input
                .note(span, format!("the version of `{name}` is decided elsewhere: it isn't compared with advisories")),
        }
    }
}

fn read_properties(root: &xml_document::Element, properties: &mut BTreeMap<String, String>) {
    for group in root.all("PropertyGroup") {
        properties.extend(group.children.iter().map(|one| (one.name.clone(), one.text.clone())));
    }
}

fn resolved(text: &str, properties: &BTreeMap<String, String>) -> String {
    let inner = text.trim().strip_prefix("$(").and_then(|rest| rest.strip_suffix(')'));
    inner.and_then(|name| properties.get(name)).cloned().unwrap_or_else(|| text.to_string())
}

/// A file of this folder or the nearest one above that has it.
fn above(input: &mut Input<'_>, name: &str) -> Option<String> {
    let mut folder: Vec<&str> = input.path.split('/').collect();
    for _ in 0..MAX_UP {
        folder.pop()?;
        let path = if folder.is_empty() { name.to_string() } else { format!("{}/{name}", folder.join("/")) };
        if let Some(text) = (input.load)(&path) {
            return Some(text);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::testing::lines;

    #[test]
    fn references_properties_and_central_versions() {
        let text = "<Project Sdk=\"Microsoft.NET.Sdk\">\n<PropertyGroup><JsonVersion>12.0.1</JsonVersion></PropertyGroup>\n<ItemGroup>\n\
                    <PackageReference Include=\"Newtonsoft.Json\" Version=\"$(JsonVersion)\" />\n<PackageReference Include=\"A\"><Version>1.*</Version></PackageReference>\n\
                    <PackageReference Include=\"Central\" />\n<PackageReference Include=\"Tool\" Version=\"2.0.0\" PrivateAssets=\"All\" />\n<PackageReference Include=\"Open\" />\n</ItemGroup></Project>";
        let central =
            "<Project><ItemGroup><PackageVersion Include=\"central\" Version=\"3.1.0\" /></ItemGroup></Project>";
        assert_eq!(
            lines(&[("src/app/app.csproj", text), ("Directory.Packages.props", central)]),
            [
                "Newtonsoft.Json 12.0.1 direct :4",
                "A [1.*] direct :5",
                "Central 3.1.0 direct :6",
                "Tool 2.0.0 direct dev :7"
            ]
        );
    }

    #[test]
    fn a_lockfile_and_an_old_list() {
        let text = r#"{ "version": 1, "dependencies": { "net8.0": {
  "Newtonsoft.Json": { "type": "Direct", "requested": "[12.0.1, )", "resolved": "12.0.1" },
  "B": { "type": "Transitive", "resolved": "4.3.0", "dependencies": { "C": "1.0" } },
  "mine": { "type": "Project" } } } }"#;
        assert_eq!(lines(&[("packages.lock.json", text)]), ["Newtonsoft.Json 12.0.1 direct :2", "B 4.3.0 indirect :3"]);
        let old = "<packages>\n<package id=\"jQuery\" version=\"1.8.0\" targetFramework=\"net45\" />\n</packages>";
        assert_eq!(lines(&[("packages.config", old)]), ["jQuery 1.8.0 direct :2"]);
    }
}
