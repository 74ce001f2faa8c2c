//! Seeds and dictionaries of the fuzz targets, from what the project holds anyway.
//!
//! A test of a reader is a text that someone could have written, as a literal in Rust: those literals are the seeds. The words that a
//! reader looks for are literals too: those are the dictionary.

use anyhow::Context;
use regex::Regex;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Larger files make poor seeds.
const MAX_SEED_BYTES: u64 = 20_000;

/// Where one target's seeds come from.
struct Recipe {
    target: &'static str,
    /// Crates whose tests hold inputs; the words of the first are the dictionary.
    crates: &'static [&'static str],
    /// Names that an input may have, where the name decides who reads it. Those of JSON, of XML and all others take what looks like it.
    names: &'static [&'static str],
    /// Endings of files in `examples` and `crates` that are inputs; matched at the end of the path.
    files: &'static [&'static str],
    /// Inputs that no test writes down.
    written: &'static [&'static str],
}

const RECIPES: [Recipe; 15] = [
    Recipe {
        target: "advisories",
        crates: &["deps"],
        names: &[],
        files: &[],
        written: &[
            r#"{"id":"A-1","modified":"2024-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"a"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.2.4"}]}],"versions":["1.0.0"]}],"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]}"#,
        ],
    },
    Recipe {
        target: "code",
        crates: &["code", "audits"],
        names: &["app.py", "app.js", "app.ts"],
        files: &[".py", ".js", ".mjs", ".ts"],
        written: &[],
    },
    Recipe {
        target: "dockerfile",
        crates: &["code", "deps"],
        names: &[],
        files: &["Dockerfile"],
        written: &[
            "FROM public.ecr.aws/lambda/python:3.12\nCOPY app.py ${LAMBDA_TASK_ROOT}\nCMD [\"app.handler\"]\n%%% app.py\ndef handler(event, context): pass\n",
        ],
    },
    Recipe { target: "events", crates: &["events", "guard"], names: &[], files: &["fixtures/*.json"], written: &[] },
    Recipe {
        target: "fence",
        crates: &["fence", "guard"],
        names: &[],
        files: &["fence.yaml"],
        written: &[
            "version: 1\nfunctions:\n  F:\n    permissions: []\n%%% derived.yaml\nversion: 1\nfunctions:\n  G:\n    mode: enforce\n",
        ],
    },
    Recipe {
        target: "gateway",
        crates: &["gateway"],
        names: &[],
        files: &[],
        written: &[
            "/orders/{id}\nGET\n/orders/1%2F2\na=1&b=%20&a=2\ncookie:a=b; c=d;content-type:application/json\n{\"statusCode\":200,\"headers\":{\"a\":\"b\"},\"multiValueHeaders\":{\"c\":[\"d\"]},\"cookies\":[\"a=b\"],\"body\":\"eA==\",\"isBase64Encoded\":true}",
            "/{proxy+}\nPOST\n/a/b\n\nauthorization:Basic YTpi\n{\"statusCode\":\"301\",\"body\":{}}",
            "$default\nPUT\n/\nx\nauthorization:Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.\n\"x\"",
            "/a\nGET\n/a\n\n\n{\"statusCode\":200}\0\0\0\0\0\0\0\0hello",
        ],
    },
    Recipe {
        target: "iam",
        crates: &["iam"],
        names: &[],
        files: &[],
        written: &[
            r#"{"identity":{"Statement":[{"Effect":"Allow","Action":["s3:Get*"],"Resource":["arn:aws:s3:::b/*",{"Fn::Sub":"arn:aws:s3:::${B}/*"}],"Condition":{"StringEquals":{"aws:SourceAccount":"1"},"IpAddress":{"aws:SourceIp":"10.0.0.0/8"},"NumericLessThan":{"n":"1"},"Null":{"x":"true"},"ForAllValues:StringLike":{"x":["a*"]},"DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}}}]},"action":"s3:GetObject","on":"arn:aws:s3:::b/k","context":{"aws:SourceAccount":"1","aws:SourceIp":"10.1.1.1","n":"0","x":"a"}}"#,
            r#"{"identity":{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}},"resource":{"Statement":[{"Effect":"Deny","NotAction":"iam:*","NotResource":"*","Principal":{"AWS":"*"}}]},"boundary":{"Statement":[]},"session":{"Statement":[]},"organization":{"Statement":[]},"action":"iam:PassRole","on":{"Fn::GetAtt":["R","Arn"]},"principal":"arn:aws:iam::1:role/r"}"#,
        ],
    },
    Recipe {
        target: "manifests",
        crates: &["deps"],
        names: &[
            "package-lock.json",
            "yarn.lock",
            "pnpm-lock.yaml",
            "package.json",
            "Pipfile.lock",
            "poetry.lock",
            "uv.lock",
            "pyproject.toml",
            "Pipfile",
            "setup.cfg",
            "setup.py",
            "bun.lock",
            "go.mod",
            "pom.xml",
            "gradle.lockfile",
            "libs.versions.toml",
            "build.gradle",
            "packages.lock.json",
            "packages.config",
            "Cargo.lock",
            "Cargo.toml",
            "a.dist-info/METADATA",
            "a.csproj",
            "requirements.txt",
        ],
        files: &["package.json", "package-lock.json", "requirements.txt", "Cargo.toml", "pyproject.toml"],
        written: &[],
    },
    Recipe {
        target: "patterns",
        crates: &["iam"],
        names: &[],
        files: &[],
        written: &[
            "s3:*\ns3:Get*\ns3:GetObject",
            "arn:aws:s3:::*/a?b*c\narn:aws:s3:::x/*\narn:aws:s3:::x/a1bc",
            "*a*b*\n*b*a*\nab",
        ],
    },
    Recipe { target: "plan", crates: &["terraform"], names: &["plan.json"], files: &[], written: &[] },
    Recipe { target: "records", crates: &["records", "lake", "watch"], names: &[], files: &[], written: &[] },
    Recipe {
        target: "source",
        crates: &["source", "template", "fence"],
        names: &[],
        files: &[".yaml", ".yml"],
        written: &[],
    },
    Recipe {
        target: "template",
        crates: &["template", "scan"],
        names: &["template.yaml", "template.json", "serverless.yml", "serverless.ts", "cdk.json", "manifest.json"],
        files: &["template.yaml", "template.yml", "serverless.yml"],
        written: &[],
    },
    Recipe { target: "terraform", crates: &["terraform"], names: &[], files: &[".tf"], written: &[] },
    Recipe {
        target: "versions",
        crates: &["deps"],
        names: &[],
        files: &[],
        written: &[
            "\u{0}1.2.3\n1.2.3-alpha.1\n^1.2 || ~2\n>=1.0 <2",
            "\u{1}1!2.0.post1.dev3\n2.0rc1\n2.0+local\n>=1.0,<2",
            "\u{2}v0.0.0-20200101000000-abcdef012345\nv1.2.3\nv2.0.0+incompatible",
            "\u{3}1.0-SNAPSHOT\n1.0.0-rc1\n1.ga\n[1.0,2.0),(3,]",
            "\u{4}1.2.3.4\n1.2.3-a.1\n1.*\n[1.0,2.0)",
            "\u{5}1.2.3\n1.2\n0.0.1\n^1.2, <1.9",
        ],
    },
];

/// Writes the seeds and dictionaries of some targets into `seeds` and `dictionaries` below `folder`.
pub(super) fn write(root: &Path, folder: &Path, targets: &[String]) -> anyhow::Result<()> {
    let literals = Literals::new()?;
    let mut files = Vec::new();
    collect(&root.join("examples"), &mut files);
    collect(&root.join("crates"), &mut files);
    files.sort();
    fs::create_dir_all(folder.join("dictionaries"))?;
    for target in targets {
        let mut seeds = BTreeSet::new();
        let mut words = BTreeSet::new();
        if let Some(recipe) = RECIPES.iter().find(|recipe| recipe.target == target) {
            let of = |name: &str| {
                let folder = root.join("crates").join(name);
                files
                    .iter()
                    .filter(move |file| file.starts_with(&folder) && file.extension().is_some_and(|e| e == "rs"))
            };
            for file in recipe.crates.iter().flat_map(|name| of(name)) {
                seeds.extend(literals.inputs(file).into_iter().flat_map(|text| named(recipe.names, &text)));
            }
            for file in files.iter().filter(|file| recipe.files.iter().any(|end| ends(file, end))) {
                let Ok(text) = fs::read_to_string(file) else { continue };
                seeds.extend(named(recipe.names, &text));
            }
            seeds.extend(recipe.written.iter().map(|text| text.to_string()));
            words =
                recipe.crates.iter().take(1).flat_map(|name| of(name)).flat_map(|file| literals.words(file)).collect();
        }
        let own = folder.join("seeds").join(target);
        fs::create_dir_all(&own).with_context(|| format!("making `{}`", own.display()))?;
        for (number, seed) in seeds.iter().enumerate() {
            fs::write(own.join(number.to_string()), seed)?;
        }
        let lines: String = words.iter().map(|word| format!("\"{word}\"\n")).collect();
        fs::write(folder.join("dictionaries").join(target), lines)?;
    }
    Ok(())
}

fn ends(file: &Path, end: &str) -> bool {
    let Some(path) = file.to_str() else { return false };
    match end.split_once('*') {
        Some((folder, end)) => path.contains(folder) && path.ends_with(end),
        None => path.ends_with(end),
    }
}

/// The inputs that a text makes: itself, or one for every name it may have.
fn named(names: &[&str], text: &str) -> Vec<String> {
    if names.is_empty() {
        return vec![text.to_string()];
    }

    let start = text.trim_start();
    let own = (start.starts_with('{'), start.starts_with('<'));
    let fits = |name: &&&str| {
        let json = name.ends_with(".json") || matches!(**name, "Pipfile.lock" | "bun.lock");
        let xml = matches!(**name, "pom.xml" | "packages.config" | "a.csproj");
        (json, xml) == own
    };
    names.iter().filter(fits).map(|name| format!("%%% {name}\n{text}")).collect()
}

/// Every file below a folder that isn't too large.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (Ok(metadata), path) = (entry.metadata(), entry.path()) else { continue };
        let skipped = matches!(entry.file_name().to_str(), Some("node_modules" | "data" | "target"));
        if metadata.is_dir() && !skipped {
            collect(&path, files);
        } else if metadata.is_file()
            && (metadata.len() <= MAX_SEED_BYTES || path.extension().is_some_and(|end| end == "rs"))
        {
            files.push(path);
        }
    }
}

/// Finds string literals in Rust, near enough for seeds.
struct Literals {
    raw: Regex,
    plain: Regex,
}

impl Literals {
    fn new() -> anyhow::Result<Self> {
        Ok(Self {
            raw: Regex::new(r##"(?s)r#"(.*?)"#|r"([^"]*)""##)?,
            plain: Regex::new(r#"(?s)"((?:[^"\\]|\\.)*)""#)?,
        })
    }

    /// The literals of a file's tests that are long enough to be inputs.
    fn inputs(&self, file: &Path) -> Vec<String> {
        let text = fs::read_to_string(file).unwrap_or_default();
        let tests = match text.split_once("#[cfg(test)]") {
            Some((_, tests)) => tests,
            None if file.components().any(|part| part.as_os_str() == "tests") => &text,
            None => return Vec::new(),
        };
        let mut found: Vec<String> = Vec::new();
        for captures in self.raw.captures_iter(tests) {
            found.extend(captures.iter().skip(1).flatten().map(|group| group.as_str().to_string()));
        }
        let rest = self.raw.replace_all(tests, "");
        found.extend(
            self.plain
                .captures_iter(&rest)
                .map(|captures| captures[1].replace("\\\n", "").replace("\\n", "\n").replace("\\\"", "\"")),
        );
        found.retain(|text| text.len() >= 12 && text.len() as u64 <= MAX_SEED_BYTES);
        found
    }

    /// The short literals of a file outside its tests, as a dictionary has them.
    fn words(&self, file: &Path) -> Vec<String> {
        if file.components().any(|part| part.as_os_str() == "tests") {
            return Vec::new();
        }
        let text = fs::read_to_string(file).unwrap_or_default();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let plain = |word: &str| word.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        self.plain
            .captures_iter(code)
            .map(|captures| captures[1].to_string())
            .filter(|word| (2..=40).contains(&word.len()) && plain(word) && !word.contains(['\\', '{']))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_a_recipe() {
        let folder = crate::setup::root().join("fuzz");
        for target in super::super::targets(&folder).unwrap() {
            assert!(RECIPES.iter().any(|recipe| recipe.target == target), "`{target}` has no seeds");
        }
    }

    #[test]
    fn a_text_becomes_an_input_for_each_reader_that_may_get_it() {
        assert_eq!(named(&["a.json", "b.txt"], "{}"), ["%%% a.json\n{}"]);
        assert_eq!(named(&["pom.xml", "b.txt"], "a = 1"), ["%%% b.txt\na = 1"]);
        assert_eq!(named(&[], "a"), ["a"]);
    }
}
