//! `go.mod`: the least version of every module that is built in, since Go 1.17 the indirect ones included. `go.sum` isn't
//! read: it also holds modules that are only weighed and never built in.

use super::Input;
use crate::{Ecosystem, Package, Version};
use source::Span;
use std::collections::BTreeMap;

pub(super) fn read(input: &mut Input<'_>) {
    let (text, file) = (input.text, input.file);
    let mut required: Vec<Package> = Vec::new();
    let mut replaced: BTreeMap<String, Option<(String, String)>> = BTreeMap::new();
    let mut block = String::new();
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        let (content, comment) = line.split_once("//").unwrap_or((line, ""));
        let mut words: Vec<&str> = content.split_whitespace().collect();
        if words.first() == Some(&")") {
            block.clear();
            continue;
        }
        if words.last() == Some(&"(") {
            block = words.first().unwrap_or(&"").to_string();
            continue;
        }
        let directive = if block.is_empty() {
            if words.is_empty() {
                continue;
            }
            words.remove(0).to_string()
        } else {
            block.clone()
        };
        let words: Vec<String> = words.iter().map(|word| word.trim_matches(['"', '`']).to_string()).collect();
        match (directive.as_str(), words.as_slice()) {
            ("require", [name, version, ..]) => {
                let lead = line.len() - line.trim_start().len();
                let end = start + content.trim_end().len().max(lead);
                required.push(Package {
                    ecosystem: Ecosystem::Go,
                    name: name.clone(),
                    version: Version::Exact(version.clone()),
                    direct: Some(!comment.trim().starts_with("indirect")),
                    dev: false,
                    requires: Vec::new(),
                    span: Span::new(file, start + lead, end.max(start + lead)),
                });
            }
            // What it is built with, which brings the standard library along; the line `go 1.21` only says the least.
            ("toolchain", [version]) if version.starts_with("go") => {
                let at = start + line.find(version.as_str()).unwrap_or(0);
                required.push(Package {
                    ecosystem: Ecosystem::Go,
                    name: "stdlib".to_string(),
                    version: Version::Exact(version.clone()),
                    direct: Some(true),
                    dev: false,
                    requires: Vec::new(),
                    span: Span::new(file, at, at + version.len()),
                });
            }
            ("replace", words) => {
                let Some(arrow) = words.iter().position(|word| word == "=>") else { continue };
                let (from, to) = words.split_at(arrow);
                let target = match to {
                    [_, name, version] => Some((name.clone(), version.clone())),
                    // A folder of one's own.
                    _ => None,
                };
                if let [name, ..] = from {
                    replaced.insert(name.clone(), target);
                }
            }
            _ => {}
        }
    }
    for mut package in required {
        match replaced.get(&package.name) {
            Some(Some((name, version))) => {
                package.name = name.clone();
                package.version = Version::Exact(version.clone());
            }
            Some(None) => {
                input.note(
                    package.span,
                    format!("`{}` is replaced by a folder: no advisory can speak of it", package.name),
                );
                continue;
            }
            None => {}
        }
        if Ecosystem::Go.compare(package.version.text(), package.version.text()).is_some() {
            input.push(package);
        } else {
            input.warn(package.span, format!("`{}` isn't a version", package.version.text()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{lines, read_files};

    #[test]
    fn blocks_single_lines_and_replacements() {
        let text = "module example.com/shop\n\ngo 1.21\ntoolchain go1.21.3\nrequire github.com/aws/aws-lambda-go v1.41.0\n\nrequire (\n\tgolang.org/x/net v0.7.0 // indirect\n\
                    \tgopkg.in/yaml.v2 v2.2.1\n\texample.com/mine v1.0.0\n\texample.com/fork v1.0.0\n)\n\
                    replace example.com/mine => ../mine\nreplace example.com/fork v1.0.0 => example.com/other v1.5.0\nexclude a.b/c v1.0.0\n";
        assert_eq!(
            lines(&[("go.mod", text)]),
            [
                "stdlib go1.21.3 direct :4",
                "github.com/aws/aws-lambda-go v1.41.0 direct :5",
                "golang.org/x/net v0.7.0 indirect :8",
                "gopkg.in/yaml.v2 v2.2.1 direct :9",
                "example.com/other v1.5.0 direct :11",
            ]
        );
        assert!(read_files(&[("go.mod", text)]).1.diagnostics[0].message.contains("replaced by a folder"));
    }
}
