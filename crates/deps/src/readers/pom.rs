//! `pom.xml`: what a Maven project asks for, with the properties, managed versions and dependencies of its parents in the tree.
//!
//! Deliberately absent: parents and bills of materials that aren't in the tree, profiles, and what dependencies need in turn.

use super::xml_document::{self, Element};
use super::{Input, asked, in_folder_of};
use crate::{Ecosystem, Package};
use source::Span;
use std::collections::BTreeMap;

/// How many parents are followed.
const MAX_PARENTS: usize = 8;
/// How often a property may lead to another.
const MAX_STEPS: usize = 8;

/// A project with its parents, the nearest first.
struct Project {
    chain: Vec<Element>,
    properties: BTreeMap<String, String>,
}

impl Project {
    fn resolve(&self, text: &str) -> String {
        let mut text = text.to_string();
        for _ in 0..MAX_STEPS {
            let Some((start, end)) =
                text.find("${").and_then(|start| Some((start, start + text.get(start..)?.find('}')?)))
            else {
                break;
            };
            let name = text.get(start + 2..end).unwrap_or_default().to_string();
            let Some(value) = self.properties.get(name.trim()) else { break };
            text.replace_range(start..=end, value);
            if text.len() > 4096 {
                break;
            }
        }
        text
    }

    /// The version that `dependencyManagement` gives an artifact, with its scope.
    fn managed(&self, group: &str, artifact: &str) -> Option<(String, Option<String>)> {
        self.chain
            .iter()
            .flat_map(|project| project.at(&["dependencyManagement", "dependencies"]))
            .flat_map(|list| list.all("dependency"))
            .find(|one| {
                self.resolve(one.text_of("groupId").unwrap_or_default()) == group
                    && self.resolve(one.text_of("artifactId").unwrap_or_default()) == artifact
            })
            .map(|one| {
                (self.resolve(one.text_of("version").unwrap_or_default()), one.text_of("scope").map(str::to_string))
            })
    }
}

pub(super) fn read(input: &mut Input<'_>) {
    let (root, broken) = xml_document::read(input.text);
    if broken || root.name != "project" {
        let message =
            if root.name == "project" { "not all of this project could be read" } else { "not a project of Maven" };
        input.warn(input.start(), message);
    }
    let project = project(root, input);
    let mut seen = std::collections::BTreeSet::new();
    for (level, own) in project.chain.iter().enumerate() {
        for one in own.child("dependencies").map(|list| list.all("dependency")).into_iter().flatten() {
            let group = project.resolve(one.text_of("groupId").unwrap_or_default());
            let artifact = project.resolve(one.text_of("artifactId").unwrap_or_default());
            if group.is_empty() || artifact.is_empty() || !seen.insert((group.clone(), artifact.clone())) {
                continue;
            }
            let managed = project.managed(&group, &artifact);
            let version = one.text_of("version").map(|text| project.resolve(text));
            let scope = one.text_of("scope").map(str::to_string).or_else(|| managed.as_ref()?.1.clone());
            let version = version.or_else(|| managed.map(|(version, _)| version)).unwrap_or_default();
            // What a parent brings stands in another file: here the line that names the parent does.
            let span = match level {
                0 => place(one, input),
                _ => project
                    .chain
                    .first()
                    .and_then(|own| own.child("parent"))
                    .map_or(input.start(), |one| one.span(input.file)),
            };
            let name = format!("{group}:{artifact}");
            if version.is_empty() || version.contains("${") {
                let message =
                    format!("the version of `{name}` is decided outside this tree: it isn't compared with advisories");
                input.note(span, message);
                continue;
            }
            input.push(Package {
                ecosystem: Ecosystem::Maven,
                name,
                version: asked(Ecosystem::Maven, &version),
                direct: Some(true),
                dev: matches!(scope.as_deref(), Some("test" | "provided" | "system")),
                requires: Vec::new(),
                span,
            });
        }
    }
}

/// From the artifact's name to the end of its version: what people look at.
fn place(one: &Element, input: &Input<'_>) -> Span {
    let named = ["artifactId", "version"].into_iter().filter_map(|name| one.child(name));
    let (mut start, mut end) = (usize::MAX, 0);
    for element in named {
        start = start.min(element.start);
        end = end.max(element.end);
    }
    if start < end { Span::new(input.file, start, end) } else { one.span(input.file) }
}

fn project(root: Element, input: &mut Input<'_>) -> Project {
    let mut chain = vec![root];
    let mut path = input.path.to_string();
    while chain.len() <= MAX_PARENTS {
        let Some(parent) = chain.last().and_then(|own| own.child("parent")) else { break };
        let relative = match parent.child("relativePath") {
            // Written empty: not in the tree.
            Some(element) if element.text.is_empty() => break,
            Some(element) if element.text.ends_with(".xml") => element.text.clone(),
            Some(element) => format!("{}/pom.xml", element.text.trim_end_matches('/')),
            None => "../pom.xml".to_string(),
        };
        let next = in_folder_of(&path, &relative);
        let wanted = parent.text_of("artifactId").map(str::to_string);
        let Some(text) = (input.load)(&next).filter(|_| next != path) else { break };
        let (root, _) = xml_document::read(&text);
        if root.text_of("artifactId").map(str::to_string) != wanted {
            break;
        }
        chain.push(root);
        path = next;
    }
    let mut properties = BTreeMap::new();
    // The farthest first, so that the nearest has the last word.
    for own in chain.iter().rev() {
        for property in own.child("properties").map(|list| list.children.as_slice()).unwrap_or_default() {
            properties.insert(property.name.clone(), property.text.clone());
        }
    }
    if let Some(own) = chain.first() {
        let parent = own.child("parent");
        for name in ["groupId", "artifactId", "version"] {
            let inherited = parent.and_then(|parent| parent.text_of(name));
            let value = own.text_of(name).or(inherited).unwrap_or_default().to_string();
            properties.insert(format!("project.{name}"), value.clone());
            properties.insert(format!("pom.{name}"), value);
            properties.insert(format!("project.parent.{name}"), inherited.unwrap_or_default().to_string());
        }
    }
    properties.retain(|_, value| !value.is_empty());
    Project { chain, properties }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{lines, read_files};

    const CHILD: &str = "<project>
  <parent><groupId>g</groupId><artifactId>top</artifactId><version>3</version></parent>
  <artifactId>own</artifactId>
  <properties><jackson.version>2.9.8</jackson.version></properties>
  <dependencies>
    <dependency>
      <groupId>com.fasterxml.jackson.core</groupId>
      <artifactId>jackson-databind</artifactId>
      <version>${jackson.version}</version>
    </dependency>
    <dependency><groupId>org.x</groupId><artifactId>managed</artifactId></dependency>
    <dependency><groupId>junit</groupId><artifactId>junit</artifactId><version>4.12</version><scope>test</scope></dependency>
    <dependency><groupId>org.x</groupId><artifactId>elsewhere</artifactId></dependency>
    <dependency><groupId>${project.groupId}</groupId><artifactId>sibling</artifactId><version>${project.version}</version></dependency>
  </dependencies>
</project>";
    const PARENT: &str = "<project><groupId>g</groupId><artifactId>top</artifactId><version>3</version>
  <properties><jackson.version>1.0</jackson.version><x>2.5</x></properties>
  <dependencyManagement><dependencies>
    <dependency><groupId>org.x</groupId><artifactId>managed</artifactId><version>${x}</version></dependency>
  </dependencies></dependencyManagement>
  <dependencies><dependency><groupId>log4j</groupId><artifactId>log4j</artifactId><version>[1.2,1.3)</version></dependency></dependencies>
</project>";

    #[test]
    fn properties_managed_versions_and_parents() {
        assert_eq!(
            lines(&[("app/pom.xml", CHILD), ("pom.xml", PARENT)]),
            [
                "com.fasterxml.jackson.core:jackson-databind 2.9.8 direct :8",
                "org.x:managed 2.5 direct :11",
                "junit:junit 4.12 direct dev :12",
                "g:sibling 3 direct :14",
                "log4j:log4j [[1.2,1.3)] direct :2",
            ]
        );
        let (_, reading) = read_files(&[("app/pom.xml", CHILD)]);
        assert!(reading.diagnostics.iter().any(|one| one.message.contains("`org.x:managed` is decided outside")));
    }

    #[test]
    fn a_project_that_is_its_own_parent_ends() {
        let text = "<project><artifactId>a</artifactId><parent><artifactId>a</artifactId><relativePath>pom.xml</relativePath></parent>\
                    <properties><p>${p}</p></properties><dependencies><dependency><groupId>g</groupId><artifactId>b</artifactId>\
                    <version>${p}</version></dependency></dependencies></project>";
        assert!(lines(&[("pom.xml", text)]).is_empty());
    }
}
