//! Container images of functions: what they are built from, and what their build takes from elsewhere unchecked.

use super::{MAX_RELATED, finding, head};
use crate::files::{Found, Root};
use crate::load::Loaded;
use deps::image;
use findings::{AuditInfo, Confidence, Finding, Label, Severity};
use graph::Code;
use source::{FileId, SourceFile, Span};
use std::collections::BTreeMap;

pub(crate) const OUTDATED_BASE_IMAGE: AuditInfo = AuditInfo {
    id: "outdated-base-image",
    title: "A container image built on a language version that gets no more updates",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[1104],
    docs: r#"The Dockerfile of a function's image names a base with a version of its language that AWS has stopped patching (the dates
are those of the Lambda runtime of the same version).

## Why it matters
Flaws found in the language, its standard library or the system beneath stay open in the image, however often it is rebuilt.

## Remediation
Build on a version that is still patched, and test.

```dockerfile
FROM public.ecr.aws/lambda/python:3.14
```

## When it doesn't fire
Not for images of other makers' names, for tags without a version, and for images whose Dockerfile the template doesn't name.
"#,
};

pub(crate) const UNPINNED_BASE_IMAGE: AuditInfo = AuditInfo {
    id: "unpinned-base-image",
    title: "A container image whose base is left to the day of the build",
    severity: Severity::Low,
    since: "0.1.0",
    cwe: &[1357],
    docs: r#"The Dockerfile of a function's image names its base without a tag, or as `latest`; or the template names the function's image
so.

## Why it matters
Two builds of the same source make different images, with another version of the language at that.

## Remediation
Name a version, best with a digest, and let a tool propose the upgrades.

```dockerfile
FROM public.ecr.aws/lambda/python:3.14@sha256:...
```

## When it doesn't fire
Not where a tag or a digest is written, and not for images whose Dockerfile the template doesn't name.
"#,
};

pub(crate) const UNVERIFIED_DOWNLOAD: AuditInfo = AuditInfo {
    id: "unverified-download",
    title: "Something is downloaded and run unchecked",
    severity: Severity::Low,
    since: "0.1.0",
    cwe: &[494],
    docs: r#"The Dockerfile of a function's image downloads a script and hands it to a shell, or adds a file over plain HTTP. Medium over
plain HTTP, where anyone on the way can change it, else low.

## Why it matters
What the other side sends on that day becomes part of the function, with its role and its secrets.

## Remediation
Download a fixed version, compare its checksum, then run it.

```dockerfile
RUN curl -fsSLo tool.tgz https://example.com/tool-1.2.3.tgz && echo "SHA256  tool.tgz" | sha256sum -c
```

## When it doesn't fire
Not for package managers, which check signatures or hashes by themselves, and not for images whose Dockerfile the template
doesn't name.
"#,
};

/// Names of images that hold a language, with the prefix of the runtime whose dates say how long it is patched.
const LANGUAGES: [(&str, &str, &str); 5] = [
    ("python", "python", ""),
    ("nodejs", "nodejs", ".x"),
    ("node", "nodejs", ".x"),
    ("ruby", "ruby", ""),
    ("dotnet", "dotnet", ""),
];

/// Looks at the Dockerfile of every function that is an image.
pub(super) fn findings(loaded: &mut Loaded, root: &Root, files: &[Found], today: (u16, u8, u8)) -> Vec<Finding> {
    let mut built: BTreeMap<String, Vec<(String, Span)>> = BTreeMap::new();
    let mut found = Vec::new();
    for (application, function) in loaded.estate.functions() {
        let Code::Image(named) = &function.code else { continue };
        found.extend(deployed(&function.name, &named.value, named.span));
        let template = loaded.sources.get(application.template).map_or("", SourceFile::path);
        if let Some(build) = image::build(function, template, &loaded.sources)
            && files.binary_search_by(|found| found.path.as_str().cmp(&build.dockerfile)).is_ok()
        {
            let place = head(&loaded.sources, function.span);
            built.entry(build.dockerfile).or_default().push((function.name.clone(), place));
        }
    }
    for (path, functions) in built {
        let Some(text) = root.read(&path) else { continue };
        let file = loaded.sources.add(SourceFile::new(&path, text.clone()));
        let mut own = base(file, &text, today);
        own.extend(downloads(file, &text));
        for one in &mut own {
            if let [(only, _)] = functions.as_slice() {
                one.function = Some(only.clone());
            }
            for (name, place) in functions.iter().take(MAX_RELATED) {
                one.related.push(Label { span: *place, message: format!("the image of `{name}`") });
            }
        }
        found.extend(own);
    }
    found
}

/// An image that is named in the template by a tag that moves.
fn deployed(function: &str, image: &str, span: Span) -> Option<Finding> {
    let literal = image.contains('/') && image.chars().all(|c| c.is_ascii_graphic() && !"${}[]!()<>".contains(c));
    let (name, tag, digest) = image::reference(image);
    if !literal || digest.is_some() || tag.as_deref().is_some_and(|tag| tag != "latest") {
        return None;
    }
    let title = format!("`{function}` runs whichever image `{name}` is the newest on the day of deployment");
    let mut one =
        finding(&UNPINNED_BASE_IMAGE, title, span, if tag.is_some() { "`latest` is no version" } else { "no tag" });
    one.function = Some(function.to_string());
    one.remediation = "name a version, best the digest".to_string();
    Some(one)
}

fn base(file: FileId, text: &str, today: (u16, u8, u8)) -> Vec<Finding> {
    let Some(base) = image::base(file, text) else { return Vec::new() };
    if base.digest.is_none() && base.tag.as_deref().is_none_or(|tag| tag == "latest") {
        let title = format!("base image `{}` is whichever version is the newest on the day of the build", base.name);
        let message = if base.tag.is_some() { "`latest` is no version" } else { "no tag" };
        let mut one = finding(&UNPINNED_BASE_IMAGE, title, base.span, message);
        one.remediation = "name a version, best with its digest".to_string();
        return vec![one];
    }
    let Some(tag) = &base.tag else { return Vec::new() };
    let name = base.name.rsplit('/').next().unwrap_or(&base.name);
    let name = name.strip_prefix("aws-lambda-").unwrap_or(name);
    let Some((_, prefix, suffix)) = LANGUAGES.iter().find(|(known, ..)| *known == name) else { return Vec::new() };
    let numbers: Vec<&str> = tag
        .split(['-', '@'])
        .next()
        .unwrap_or(tag)
        .split('.')
        .filter(|part| part.bytes().all(|b| b.is_ascii_digit()))
        .collect();
    // Node and .NET are told apart by their first number, the others by two.
    let version = match (*prefix, numbers.as_slice()) {
        ("nodejs" | "dotnet", [major, ..]) => (*major).to_string(),
        (_, [major, minor, ..]) => format!("{major}.{minor}"),
        _ => return Vec::new(),
    };
    let Some(runtime) = facts::runtime(&format!("{prefix}{version}{suffix}")) else { return Vec::new() };
    let day = format!("{:04}-{:02}-{:02}", today.0, today.1, today.2);
    // Dates of one form are in the order of their text.
    let Some(ended) = runtime.deprecated.filter(|date| *date <= day.as_str()) else { return Vec::new() };
    let title = format!("base image `{}:{tag}` holds a version that gets no security updates since {ended}", base.name);
    let mut one = finding(&OUTDATED_BASE_IMAGE, title, base.span, format!("unpatched since {ended}"));
    one.remediation = match runtime.successor {
        Some(successor) => format!(
            "build on version {} and test",
            successor.trim_start_matches(char::is_alphabetic).trim_end_matches(".x")
        ),
        None => "build on a version that is still patched".to_string(),
    };
    vec![one]
}

fn downloads(file: FileId, text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    let (mut offset, mut instruction) = (0, String::new());
    for line in text.split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        if instruction.is_empty() {
            instruction = trimmed.split_whitespace().next().unwrap_or("").to_ascii_uppercase();
        }
        let plaintext = trimmed.contains("http://");
        let fetches = ["curl ", "wget "].iter().any(|tool| trimmed.contains(tool)) && trimmed.contains("://");
        let shell = trimmed.split('|').skip(1).any(|part| {
            let mut words = part.split_whitespace().filter(|word| *word != "sudo");
            matches!(words.next(), Some("sh" | "bash" | "python" | "python3" | "node" | "/bin/sh" | "/bin/bash"))
        });
        let message = match instruction.as_str() {
            "RUN" if fetches && shell => Some("what the other side sends is run as it comes"),
            "ADD" if plaintext && !trimmed.contains("--checksum") => Some("anyone on the way can change it"),
            _ => None,
        };
        if let Some(message) = message {
            let lead = line.len() - line.trim_start().len();
            let span = Span::new(file, start + lead, start + lead + trimmed.len());
            let mut one = finding(
                &UNVERIFIED_DOWNLOAD,
                "the image's build runs what it downloads unchecked".to_string(),
                span,
                message,
            );
            if instruction == "ADD" {
                one.title = "the image's build takes a file over plain HTTP".to_string();
            }
            one.severity = if plaintext { Severity::Medium } else { Severity::Low };
            one.confidence = Confidence::High;
            one.remediation =
                "download a fixed version over HTTPS and compare its checksum before it is used".to_string();
            found.push(one);
        }
        if !trimmed.ends_with('\\') {
            instruction.clear();
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<String> {
        let mut all = base(FileId(0), text, (2026, 1, 1));
        all.extend(downloads(FileId(0), text));
        all.iter().map(|one| format!("{} {} {}", one.severity, one.id, one.title)).collect()
    }

    #[test]
    fn bases_without_updates_and_without_versions() {
        let old = said("FROM public.ecr.aws/lambda/python:3.7\n");
        assert!(
            matches!(old.as_slice(), [one] if one.starts_with("medium outdated-base-image") && one.contains("python:3.7")),
            "{old:?}"
        );
        assert_eq!(said("FROM node:14-alpine AS b\nRUN x\nFROM b\n").len(), 1);
        for open in ["FROM amazon/aws-lambda-python\n", "FROM amazon/aws-lambda-nodejs:latest\n"] {
            assert!(said(open)[0].starts_with("low unpinned-base-image"), "{open}");
        }
        for fine in [
            "FROM public.ecr.aws/lambda/python:3.14\n",
            "FROM mine.example/tool:7\n",
            "FROM python@sha256:00\n",
            "FROM scratch\n",
            "FROM public.ecr.aws/lambda/provided:al2023\n",
        ] {
            assert!(said(fine).is_empty(), "{fine}");
        }
    }

    #[test]
    fn images_that_the_template_names() {
        let one = |image: &str| deployed("Draw", image, Span::new(FileId(0), 0, 0)).is_some();
        assert!(one("123456789012.dkr.ecr.eu-west-1.amazonaws.com/draw:latest") && one("registry:5000/draw"));
        assert!(
            !one("registry/draw:1.2")
                && !one("registry/draw@sha256:00")
                && !one("${Account}.dkr.ecr/draw")
                && !one("draw")
        );
    }

    #[test]
    fn what_is_downloaded_and_run() {
        let text = "FROM x:1\nRUN apt-get update && \\\n    curl -sL https://x.example/setup.sh | sudo bash -\nADD http://x.example/a.tar /a\nRUN curl -o a https://x.example/a && sha256sum -c a\n# RUN curl https://x | sh\n";
        let found = said(text);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("low unverified-download") && found[1].starts_with("medium unverified-download"));
    }
}
