//! `yarn.lock`: the classic form, which looks like YAML and isn't, and berry's, which is.

use super::{Input, Node, keys, locked, package_json};
use crate::{Ecosystem, Package};
use source::Span;
use std::collections::BTreeMap;

pub(super) fn read(input: &mut Input<'_>) {
    let direct = input.beside("package.json").map(|text| package_json::direct_names(&text));
    if input.text.lines().any(|line| line.starts_with("__metadata:")) {
        berry(input, direct.as_ref());
    } else {
        classic(input, direct.as_ref());
    }
}

/// The package that a descriptor such as `@scope/name@npm:^1.0` asks for: the name it is asked under and the real one.
fn descriptor(text: &str) -> Option<(&str, &str)> {
    let text = text.trim().trim_matches('"');
    let at = text.char_indices().skip(1).find(|(_, letter)| *letter == '@').map(|(at, _)| at)?;
    let (name, range) = (text.get(..at)?, text.get(at + 1..)?);
    Some((name, package_json::aliased(name, range).0))
}

fn place(direct: Option<&BTreeMap<String, bool>>, names: &[&str]) -> (Option<bool>, bool) {
    let Some(direct) = direct else { return (None, false) };
    let wanted: Vec<bool> = names.iter().filter_map(|name| direct.get(*name).copied()).collect();
    // What a development dependency shares with others can't be told from this file.
    (Some(!wanted.is_empty()), !wanted.is_empty() && wanted.iter().all(|dev| *dev))
}

fn berry(input: &mut Input<'_>, direct: Option<&BTreeMap<String, bool>>) {
    let root = input.yaml();
    for entry in root.entries().iter().filter(|entry| entry.key != "__metadata") {
        let resolution = entry.value.get("resolution").and_then(Node::as_str).unwrap_or_default();
        let asked_as: Vec<&str> = entry.key.split(',').filter_map(descriptor).map(|(name, _)| name).collect();
        let Some((name, _)) = descriptor(resolution).or_else(|| descriptor(entry.key.split(',').next()?)) else {
            input.warn(entry.key_span, format!("`{}` isn't a package", entry.key));
            continue;
        };
        if ["@workspace:", "@link:", "@portal:", "@file:"].iter().any(|kind| resolution.contains(kind)) {
            continue;
        }
        let text = entry.value.get("version").and_then(Node::as_str).unwrap_or_default();
        let Some(version) = locked(Ecosystem::Npm, text) else {
            input.note(entry.key_span, format!("`{name}` is at `{text}`, not a version of the registry"));
            continue;
        };
        let (direct, dev) = place(direct, &asked_as);
        let mut requires = keys(entry.value.get("dependencies"));
        requires.extend(keys(entry.value.get("peerDependencies")));
        let (ecosystem, name) = (Ecosystem::Npm, name.to_string());
        input.push(Package { ecosystem, name, version, direct, dev, requires, span: entry.key_span });
    }
}

/// One block of the classic form while it is read.
struct Block<'a> {
    header: &'a str,
    span: Span,
    version: Option<&'a str>,
    requires: Vec<String>,
}

fn classic(input: &mut Input<'_>, direct: Option<&BTreeMap<String, bool>>) {
    let mut block: Option<Block<'_>> = None;
    let mut in_list = false;
    let mut offset = 0;
    let text = input.text;
    for line in text.split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        let line = line.trim_end();
        let content = line.trim_start();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        match line.len() - content.len() {
            0 => {
                finish(input, block.take(), direct);
                in_list = false;
                let span = Span::new(input.file, start, start + line.len());
                match content.strip_suffix(':') {
                    Some(header) => block = Some(Block { header, span, version: None, requires: Vec::new() }),
                    None => input.warn(span, "not a line of a yarn lockfile"),
                }
            }
            1..=3 => {
                in_list = matches!(content, "dependencies:" | "optionalDependencies:");
                if let (Some(block), Some(version)) = (&mut block, content.strip_prefix("version ")) {
                    block.version = Some(version.trim().trim_matches('"'));
                }
            }
            _ => {
                if let (Some(block), true) = (&mut block, in_list) {
                    let name = content.split(' ').next().unwrap_or(content).trim_matches('"');
                    block.requires.push(name.to_string());
                }
            }
        }
    }
    finish(input, block, direct);
}

fn finish(input: &mut Input<'_>, block: Option<Block<'_>>, direct: Option<&BTreeMap<String, bool>>) {
    let Some(block) = block else { return };
    let asked: Vec<(&str, &str)> = block.header.split(", ").filter_map(descriptor).collect();
    let Some((_, name)) = asked.first() else {
        input.warn(block.span, format!("`{}` isn't a package", block.header));
        return;
    };
    let text = block.version.unwrap_or_default();
    let Some(version) = locked(Ecosystem::Npm, text) else {
        input.warn(block.span, format!("`{name}` has no version that could be read"));
        return;
    };
    let names: Vec<&str> = asked.iter().map(|(name, _)| *name).collect();
    let (direct, dev) = place(direct, &names);
    input.push(Package {
        ecosystem: Ecosystem::Npm,
        name: (*name).to_string(),
        version,
        direct,
        dev,
        requires: block.requires,
        span: block.span,
    });
}

#[cfg(test)]
mod tests {
    use super::super::testing::{lines, read_files};

    #[test]
    fn the_classic_form() {
        let text = "# yarn lockfile v1\n\n\n\"@s/a@^1.0.0\", \"@s/a@^1.1.0\":\n  version \"1.2.0\"\n  resolved \"x\"\n  \
                    dependencies:\n    b \"^2.0.0\"\n    \"@s/c\" \"1\"\n\nalias@npm:real@^3.0:\n  version \"3.0.1\"\n\n\
                    b@^2.0.0:\n  version \"2.0.0\"\n\nbroken@1:\n";
        let manifest = r#"{"dependencies": {"@s/a": "^1.0.0"}, "devDependencies": {"alias": "npm:real@^3.0"}}"#;
        assert_eq!(
            lines(&[("yarn.lock", text), ("package.json", manifest)]),
            ["@s/a 1.2.0 direct :4", "real 3.0.1 direct dev :11", "b 2.0.0 indirect :14"]
        );
        let (_, reading) = read_files(&[("yarn.lock", text)]);
        assert_eq!(reading.packages[0].requires, ["b", "@s/c"]);
        assert_eq!(reading.packages[0].direct, None);
        assert!(reading.diagnostics[0].message.contains("broken"));
    }

    #[test]
    fn the_berry_form() {
        let text = r#"__metadata:
  version: 8

"@s/a@npm:^1.0.0, @s/a@npm:^1.1.0":
  version: 1.2.0
  resolution: "@s/a@npm:1.2.0"
  dependencies:
    b: "npm:^2.0.0"
  languageName: node

"alias@npm:real@^3.0":
  version: 3.0.1
  resolution: "real@npm:3.0.1"

"app@workspace:.":
  version: 0.0.0-use.local
  resolution: "app@workspace:."

"p@patch:p@npm%3A1.0.0#./x.patch":
  version: 1.0.0
  resolution: "p@patch:p@npm%3A1.0.0#./x.patch::version=1.0.0&hash=1"
"#;
        assert_eq!(
            lines(&[("yarn.lock", text), ("package.json", r#"{"dependencies": {"alias": "npm:real@^3.0"}}"#)]),
            ["@s/a 1.2.0 indirect :4", "real 3.0.1 direct :11", "p 1.0.0 indirect :19"]
        );
    }
}
