//! Container images: what a function's image is built from, as its template and Dockerfile say.
//!
//! Deliberately absent: registries (what a tag means today), and what `RUN` lines install.

use crate::readers::in_folder_of;
use graph::{Code, Function};
use source::{FileId, Sources, Span};
use std::collections::BTreeMap;

/// How many stages and arguments of a Dockerfile are read.
const MAX_STAGES: usize = 64;

/// Where a function's image is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageBuild {
    /// The folder that is built from, relative to the root.
    pub context: String,
    /// The Dockerfile, relative to the root.
    pub dockerfile: String,
}

/// Where a function's image is built, by the metadata that SAM builds images from; none where the template doesn't tell.
/// `template` is the path of its template.
pub fn build(function: &Function, template: &str, sources: &Sources) -> Option<ImageBuild> {
    let Code::Image(_) = &function.code else { return None };
    let block = sources.slice(function.span);
    let value = |key: &str| {
        block.lines().find_map(|line| {
            let line = line.trim().trim_start_matches('{').trim();
            let rest = line.trim_start_matches(['"', '\'']).strip_prefix(key)?;
            let rest = rest.trim_start_matches(['"', '\'']).trim_start().strip_prefix(':')?;
            let text = rest.split(" #").next()?.trim().trim_end_matches(',').trim_matches(['"', '\'', '}', ' ']);
            (!text.is_empty() && !text.contains("://")).then(|| text.to_string())
        })
    };
    let context = in_folder_of(template, &value("DockerContext")?);
    let dockerfile = value("Dockerfile").unwrap_or_else(|| "Dockerfile".to_string());
    let dockerfile = in_folder_of(&format!("{context}/x"), &dockerfile);
    Some(ImageBuild { context, dockerfile })
}

/// The image that a Dockerfile's last stage stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The name without tag and digest (`public.ecr.aws/lambda/python`).
    pub name: String,
    /// The tag, where one is written.
    pub tag: Option<String>,
    /// The digest, where one is written.
    pub digest: Option<String>,
    /// The `FROM` line.
    pub span: Span,
}

/// Reads the base of what a Dockerfile makes in the end; none where it is `scratch`, an argument without a default, or not said.
pub fn base(file: FileId, text: &str) -> Option<Base> {
    let mut arguments: BTreeMap<String, String> = BTreeMap::new();
    // Name of the stage, image, place.
    let mut stages: Vec<(Option<String>, String, Span)> = Vec::new();
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        let trimmed = line.trim();
        let mut words = trimmed.split_whitespace();
        match words.next().map(str::to_ascii_uppercase).as_deref() {
            Some("ARG") if stages.is_empty() => {
                for word in words {
                    if let Some((name, value)) = word.split_once('=') {
                        arguments.insert(name.to_string(), value.trim_matches(['"', '\'']).to_string());
                    }
                }
            }
            Some("FROM") if stages.len() < MAX_STAGES => {
                let words: Vec<&str> = words.filter(|word| !word.starts_with("--")).collect();
                let Some(image) = words.first() else { continue };
                let named = words.get(1).is_some_and(|word| word.eq_ignore_ascii_case("as"));
                let stage = words.get(2).filter(|_| named).map(|name| name.to_ascii_lowercase());
                let lead = line.len() - line.trim_start().len();
                let span = Span::new(file, start + lead, start + lead + trimmed.len());
                stages.push((stage, substituted(image, &arguments), span));
            }
            _ => {}
        }
    }
    let (_, mut image, mut span) = stages.last().cloned()?;
    // A stage may stand on an earlier one.
    let mut at = stages.len() - 1;
    while let Some(before) = stages
        .get(..at)
        .and_then(|all| all.iter().rposition(|(name, ..)| name.as_deref() == Some(image.to_ascii_lowercase().as_str())))
    {
        (_, image, span) = stages.get(before).cloned()?;
        at = before;
    }
    if image == "scratch" || image.contains('$') {
        return None;
    }
    let (name, tag, digest) = reference(&image);
    Some(Base { name, tag, digest, span })
}

/// The parts of an image's reference: name, tag, digest.
pub fn reference(image: &str) -> (String, Option<String>, Option<String>) {
    let (rest, digest) = match image.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest.to_string())),
        None => (image, None),
    };
    // A colon before the last slash belongs to a registry's port.
    match rest.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name.to_string(), Some(tag.to_string()), digest),
        _ => (rest.to_string(), None, digest),
    }
}

fn substituted(text: &str, arguments: &BTreeMap<String, String>) -> String {
    let mut text = text.to_string();
    for (name, value) in arguments {
        text = text.replace(&format!("${{{name}}}"), value).replace(&format!("${name}"), value);
    }
    // `${NAME:-default}` where nothing else is said.
    if let Some((before, rest)) = text.split_once("${")
        && let Some((inner, after)) = rest.split_once('}')
        && let Some((_, default)) = inner.split_once(":-")
    {
        return format!("{before}{default}{after}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(String, Option<String>, bool)> {
        base(FileId(0), text).map(|base| (base.name, base.tag, base.digest.is_some()))
    }

    #[test]
    fn stages_arguments_tags_and_digests() {
        let some = |name: &str, tag: Option<&str>, digest| Some((name.to_string(), tag.map(str::to_string), digest));
        assert_eq!(
            read("FROM public.ecr.aws/lambda/python:3.7\nCOPY . .\n"),
            some("public.ecr.aws/lambda/python", Some("3.7"), false)
        );
        assert_eq!(
            read("ARG V=14\nFROM node:${V} AS build\nRUN x\nfrom --platform=linux/amd64 build as final\n"),
            some("node", Some("14"), false)
        );
        assert_eq!(
            read("FROM golang:1.21 AS build\nFROM registry:5000/base\n"),
            some("registry:5000/base", None, false)
        );
        assert_eq!(read("FROM a:1@sha256:00\n"), some("a", Some("1"), true));
        assert_eq!(read("FROM ${X:-node:18}\n"), some("node", Some("18"), false));
        assert_eq!(read("FROM scratch\n"), None);
        assert_eq!(read("ARG X\nFROM $X\n"), None);
        assert_eq!(read("# nothing\n"), None);
        assert_eq!(read("FROM a AS a\n"), some("a", None, false));
    }
}
