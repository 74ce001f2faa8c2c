//! Gradle: `gradle.lockfile`, version catalogs (`libs.versions.toml`), and what `build.gradle` or `build.gradle.kts` declare
//! in plain words.
//!
//! Build scripts are programs; only declarations whose coordinates are literals (or use a variable that is assigned a literal
//! in the same file) are understood.

use super::{Input, Node, asked, locked};
use crate::{Ecosystem, Package};
use source::Span;
use std::collections::BTreeMap;

/// `gradle.lockfile`: `group:artifact:version=configurations`.
pub(super) fn lockfile(input: &mut Input<'_>) {
    let (text, file) = (input.text, input.file);
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        let line = line.trim_end();
        let Some((coordinates, configurations)) = line.split_once('=').filter(|_| !line.starts_with('#')) else {
            continue;
        };
        let Some((name, version)) = coordinates.rsplit_once(':') else { continue };
        let span = Span::new(file, start, start + coordinates.len());
        let Some(version) = locked(Ecosystem::Maven, version) else {
            input.warn(span, format!("`{version}` isn't a version"));
            continue;
        };
        let shipped = configurations.split(',').any(|one| {
            let one = one.to_ascii_lowercase();
            !one.contains("test") && !one.contains("annotationprocessor") && !one.contains("kapt")
        });
        push(input, name, version, None, !shipped, span);
    }
}

/// `libs.versions.toml`: what a catalog lists; which of it is used, the build script says.
pub(super) fn catalog(input: &mut Input<'_>) {
    let root = input.toml();
    let versions: BTreeMap<String, String> = root
        .get("versions")
        .map(Node::entries)
        .unwrap_or_default()
        .iter()
        .filter_map(|entry| Some((entry.key.clone(), plain_or_rich(&entry.value)?)))
        .collect();
    for entry in root.get("libraries").map(Node::entries).unwrap_or_default() {
        let span = entry.key_span.to(entry.value.span);
        let (name, version) = match entry.value.as_str() {
            Some(text) => match text.rsplit_once(':') {
                Some((name, version)) => (name.to_string(), Some(version.to_string())),
                None => continue,
            },
            None => {
                let part = |name: &str| entry.value.get(name).and_then(Node::as_str);
                let module = match (part("module"), part("group").zip(part("name"))) {
                    (Some(module), _) => module.to_string(),
                    (None, Some((group, name))) => format!("{group}:{name}"),
                    (None, None) => continue,
                };
                let reference = entry.value.at(&["version", "ref"]).and_then(Node::as_str);
                let version = match reference {
                    Some(reference) => versions.get(reference).cloned(),
                    None => entry.value.get("version").and_then(plain_or_rich),
                };
                (module, version)
            }
        };
        match version.filter(|version| !version.is_empty()) {
            Some(version) => push(input, &name, asked(Ecosystem::Maven, &version), Some(true), false, span),
            None => input
                .note(span, format!("the version of `{name}` is decided elsewhere: it isn't compared with advisories")),
        }
    }
}

/// A version, or what a rich one prefers.
fn plain_or_rich(node: &Node) -> Option<String> {
    let rich = ["strictly", "require", "prefer"].iter().find_map(|name| node.get(name)?.as_str());
    node.as_str().or(rich).map(str::to_string)
}

/// Configurations of the usual plugins, and whether what they name is deployed.
const CONFIGURATIONS: [(&str, bool); 16] = [
    ("implementation", true),
    ("api", true),
    ("compile", true),
    ("runtime", true),
    ("runtimeOnly", true),
    ("shadow", true),
    ("compileOnly", false),
    ("compileOnlyApi", false),
    ("providedCompile", false),
    ("annotationProcessor", false),
    ("kapt", false),
    ("testImplementation", false),
    ("testCompile", false),
    ("testRuntimeOnly", false),
    ("testCompileOnly", false),
    ("testAnnotationProcessor", false),
];

/// `build.gradle` and `build.gradle.kts`.
pub(super) fn script(input: &mut Input<'_>) {
    let (text, file) = (input.text, input.file);
    let mut variables: BTreeMap<String, String> = BTreeMap::new();
    if let Some(properties) = input.beside("gradle.properties") {
        variables.extend(properties.lines().filter_map(|line| {
            let (name, value) = line.split_once('=')?;
            Some((name.trim().to_string(), value.trim().to_string()))
        }));
    }
    for line in text.lines() {
        // `def x = "1"`, `ext.x = '1'`, `val x = "1"`, `x = '1'`, `set("x", "1")`.
        let Some((left, right)) = line.split_once('=') else { continue };
        let name = left.trim().rsplit([' ', '.']).next().unwrap_or_default();
        if let Some(value) = quoted(right.trim()).filter(|_| !name.is_empty()) {
            variables.insert(name.to_string(), value.to_string());
        }
    }
    let (mut offset, mut comment) = (0, false);
    for line in text.split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        let trimmed = line.trim();
        if comment || trimmed.starts_with("/*") {
            comment = !trimmed.contains("*/");
            continue;
        }
        let word_end = trimmed.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(trimmed.len());
        let Some((word, rest)) = trimmed.split_at_checked(word_end) else { continue };
        let Some((_, shipped)) = CONFIGURATIONS.iter().find(|(name, _)| *name == word) else { continue };
        let rest = rest.trim_start().trim_start_matches('(').trim_start();
        // Bills of materials give versions to others and are none themselves.
        if rest.starts_with("platform") || rest.starts_with("enforcedPlatform") || rest.starts_with("project") {
            continue;
        }
        let lead = line.len() - line.trim_start().len();
        let span = Span::new(file, start + lead, start + lead + trimmed.len());
        let coordinates = match quoted(rest) {
            Some(text) => text.to_string(),
            None => {
                let named = |key: &str| {
                    let (_, after) = rest.split_once(key)?;
                    quoted(after.trim_start().trim_start_matches([':', '=']).trim_start())
                };
                match (named("group"), named("name"), named("version")) {
                    (Some(group), Some(name), Some(version)) => format!("{group}:{name}:{version}"),
                    _ => continue,
                }
            }
        };
        let parts: Vec<&str> = coordinates.split(':').collect();
        let [group, artifact, version, ..] = parts.as_slice() else { continue };
        let version = version.split('@').next().unwrap_or(version);
        let name = format!("{group}:{artifact}");
        let version =
            match version.strip_prefix("${").map_or(version.strip_prefix('$'), |inner| inner.strip_suffix('}')) {
                Some(variable) => variables.get(variable.rsplit('.').next().unwrap_or(variable)).cloned(),
                None => Some(version.to_string()).filter(|version| !version.contains('$')),
            };
        match version {
            Some(version) => push(input, &name, asked(Ecosystem::Maven, &version), Some(true), !shipped, span),
            None => input
                .note(span, format!("the version of `{name}` is decided elsewhere: it isn't compared with advisories")),
        }
    }
}

/// The text between the quotes that something begins with.
fn quoted(text: &str) -> Option<&str> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    text.get(1..)?.split_once(quote).map(|(inner, _)| inner)
}

fn push(input: &mut Input<'_>, name: &str, version: crate::Version, direct: Option<bool>, dev: bool, span: Span) {
    let (ecosystem, name, requires) = (Ecosystem::Maven, name.to_string(), Vec::new());
    input.push(Package { ecosystem, name, version, direct, dev, requires, span });
}

#[cfg(test)]
mod tests {
    use super::super::testing::lines;

    #[test]
    fn a_lockfile() {
        let text = "# written by Gradle\ncom.a:b:1.0=compileClasspath,runtimeClasspath\norg.junit:j:5.0=testRuntimeClasspath\nempty=annotationProcessor\n";
        assert_eq!(lines(&[("gradle.lockfile", text)]), ["com.a:b 1.0 ? :2", "org.junit:j 5.0 ? dev :3"]);
    }

    #[test]
    fn a_catalog() {
        let text = "[versions]\njackson = \"2.9.8\"\nrich = { strictly = \"1.5\" }\n[libraries]\nplain = \"a.b:c:1.0\"\n\
                    databind = { module = \"com.x:databind\", version.ref = \"jackson\" }\nother = { group = \"g\", name = \"n\", version.ref = \"rich\" }\nopen = { module = \"g:open\" }\n";
        assert_eq!(
            lines(&[("gradle/libs.versions.toml", text)]),
            ["a.b:c 1.0 direct :5", "com.x:databind 2.9.8 direct :6", "g:n 1.5 direct :7"]
        );
    }

    #[test]
    fn plain_declarations_of_a_build_script() {
        let text = "def log = '2.14.0'\ndependencies {\n  implementation 'com.a:b:1.0'\n  api(\"org.log:core:$log\")\n  // implementation 'no:no:1'\n\
                    \n  compile group: 'g', name: 'n', version: '3.1'\n  testImplementation(\"j:j:5\")\n  implementation platform('bom:bom:1')\n  implementation \"x:y:${unknown}\"\n  implementation 'r:r:1.+'\n}\n";
        assert_eq!(
            lines(&[("build.gradle", text)]),
            [
                "com.a:b 1.0 direct :3",
                "org.log:core 2.14.0 direct :4",
                "g:n 3.1 direct :7",
                "j:j 5 direct dev :8",
                "r:r [1.+] direct :11"
            ]
        );
        assert_eq!(
            lines(&[
                ("build.gradle.kts", "dependencies {\n implementation(\"a:b:$v\")\n}"),
                ("gradle.properties", "v=1.2\n")
            ]),
            ["a:b 1.2 direct :2"]
        );
    }
}
