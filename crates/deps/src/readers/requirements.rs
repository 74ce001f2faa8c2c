//! `requirements.txt`: pip's own line format, with its continuations, options and includes.

use super::requirement::Requirement;
use super::{READER, asked, in_folder_of};
use crate::{Ecosystem, MAX_PACKAGES, Package, Reading};
use findings::{Diagnostic, Level};
use source::{FileId, SourceFile, Sources, Span};
use std::collections::BTreeSet;

/// How deep includes may nest, and how many files one requirements file may bring.
const MAX_INCLUDE_DEPTH: usize = 8;
const MAX_INCLUDES: usize = 64;

/// Reads a requirements file with what it includes.
pub(super) fn read(sources: &mut Sources, file: FileId, load: &mut dyn FnMut(&str) -> Option<String>) -> Reading {
    let own = sources.get(file).map(|source| source.path().to_string());
    let mut reader = Reader { sources, load, visited: own.into_iter().collect(), reading: Reading::default() };
    reader.file(file, 0);
    reader.reading
}

struct Reader<'a> {
    sources: &'a mut Sources,
    load: &'a mut dyn FnMut(&str) -> Option<String>,
    visited: BTreeSet<String>,
    reading: Reading,
}

impl Reader<'_> {
    fn file(&mut self, file: FileId, depth: usize) {
        let Some((path, text)) =
            self.sources.get(file).map(|source| (source.path().to_string(), source.text().to_string()))
        else {
            return;
        };
        let name = path.rsplit('/').next().unwrap_or(&path);
        let dev = ["dev", "test", "lint", "docs"].iter().any(|word| name.contains(word));
        for (start, line) in logical_lines(&text) {
            let span = Span::new(file, start, start + line.trim_end().len());
            let line = without_comment(&line);
            let line = line.trim();
            if line.is_empty() || self.reading.packages.len() >= MAX_PACKAGES {
                continue;
            }
            if line.starts_with('-') {
                self.option(line, &path, span, depth);
            } else {
                self.requirement(line, span, dev);
            }
        }
    }

    fn option(&mut self, line: &str, path: &str, span: Span, depth: usize) {
        let argument = |names: [&str; 2]| {
            names.iter().find_map(|name| {
                let rest = line.strip_prefix(name)?;
                let short = name.len() == 2;
                (short || rest.starts_with([' ', '=', '\t'])).then(|| rest.trim_start_matches(['=', ' ', '\t']).trim())
            })
        };
        if let Some(target) = argument(["--requirement", "-r"]) {
            self.include(target, path, span, depth);
        } else if let Some(target) = argument(["--editable", "-e"]).filter(|target| !matches!(*target, "." | "./")) {
            let target = shortened(target);
            self.say(
                Level::Note,
                span,
                format!("`{target}` is installed from where it lies: no advisory can speak of it"),
            );
        }
        // Other options (index, constraints, hashes, binaries) name no package.
    }

    fn include(&mut self, target: &str, path: &str, span: Span, depth: usize) {
        if target.contains("://") {
            return self.say(
                Level::Warning,
                span,
                format!("`{target}` isn't fetched, so what it asks for isn't known"),
            );
        }
        let target = in_folder_of(path, target);
        if !self.visited.insert(target.clone()) {
            return;
        }
        if depth >= MAX_INCLUDE_DEPTH || self.reading.included.len() >= MAX_INCLUDES {
            return self.say(Level::Warning, span, format!("`{target}` is left out: too many includes"));
        }
        match (self.load)(&target) {
            Some(text) => {
                let file = self.sources.add(SourceFile::new(target, text));
                self.reading.included.push(file);
                self.file(file, depth + 1);
            }
            None => self.say(Level::Warning, span, format!("`{target}` can't be read")),
        }
    }

    fn requirement(&mut self, line: &str, span: Span, dev: bool) {
        // Options of one requirement (`--hash=...`) stand behind it.
        let line = line.split(" --").next().unwrap_or(line).trim();
        let is_address =
            line.contains("://") && !line.contains(" @ ") || line.starts_with(['.', '/']) || line.ends_with(".whl");
        let Some(requirement) = Requirement::read(line).filter(|_| !is_address) else {
            let (level, what) = if is_address {
                (Level::Note, "isn't from the index: no advisory can speak of it")
            } else {
                (Level::Warning, "isn't a requirement")
            };
            return self.say(level, span, format!("`{}` {what}", shortened(line)));
        };
        if requirement.never_deployed() {
            return;
        }
        if let Some(address) = requirement.address {
            let message = format!("`{}` comes from `{}`, not from the index", requirement.name, shortened(address));
            return self.say(Level::Note, span, message);
        }
        let version = asked(Ecosystem::PyPi, requirement.specifiers);
        self.reading.packages.push(Package {
            ecosystem: Ecosystem::PyPi,
            name: requirement.name.to_string(),
            version,
            direct: None,
            dev,
            requires: Vec::new(),
            span,
        });
    }

    fn say(&mut self, level: Level, span: Span, message: String) {
        self.reading.diagnostics.push(Diagnostic::at(level, READER, span, message));
    }
}

/// Addresses may carry credentials and be long; people need only recognise the line.
fn shortened(text: &str) -> String {
    let text = match (text.find("://"), text.find('@')) {
        (Some(scheme), Some(at)) if at > scheme => {
            format!("{}***{}", text.get(..scheme + 3).unwrap_or_default(), text.get(at..).unwrap_or_default())
        }
        _ => text.to_string(),
    };
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// Lines joined where they end in a backslash, each with where it starts.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut offset = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut open = false;
    for line in text.get(offset..).unwrap_or_default().split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        let line = line.trim_end_matches(['\n', '\r']);
        let (content, continues) = match line.strip_suffix('\\') {
            Some(content) if !line.trim_start().starts_with('#') => (content, true),
            _ => (line, false),
        };
        match lines.last_mut() {
            Some((_, last)) if open => last.push_str(content),
            _ => {
                let indent = content.len() - content.trim_start().len();
                lines.push((start + indent, content.trim_start().to_string()));
            }
        }
        open = continues;
    }
    lines
}

fn without_comment(line: &str) -> String {
    if line.starts_with('#') {
        return String::new();
    }
    // Inside a line a hash sign opens a comment only after white space: addresses hold `#egg=`.
    line.match_indices('#')
        .find(|(at, _)| line.get(..*at).is_some_and(|before| before.ends_with([' ', '\t'])))
        .map_or(line, |(at, _)| line.get(..at).unwrap_or(line))
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{lines, read_files};

    #[test]
    fn pins_ranges_hashes_markers_and_extras() {
        let text = "# what we need\n--index-url x\nDjango==2.2.0 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\nrequests[security]>=2.8,<3 # why\n\
                    pywin32==1.0 ; sys_platform == 'win32'\nflask\n  Jinja2===2.10  \nPyYAML == 5.3\n";
        assert_eq!(
            lines(&[("requirements.txt", text)]),
            ["Django 2.2.0 ? :3", "requests [>=2.8,<3] ? :6", "flask [] ? :8", "Jinja2 2.10 ? :9", "PyYAML 5.3 ? :10"]
        );
    }

    #[test]
    fn includes_are_followed_once_and_within_the_root() {
        let files = [
            ("a/requirements.txt", "-r ../base.txt\n--requirement=more.txt\n-r gone.txt\n"),
            ("base.txt", "urllib3==1.24\n-r a/requirements.txt\n"),
            ("a/more.txt", "-rmore.txt\nidna==2.8"),
        ];
        assert_eq!(lines(&files), ["urllib3 1.24 ? :1", "idna 2.8 ? :2"]);
        let (_, reading) = read_files(&files);
        assert_eq!(reading.diagnostics.len(), 1);
        assert!(reading.diagnostics[0].message.contains("gone.txt"));
    }

    #[test]
    fn what_no_advisory_can_speak_of_is_said_without_its_password() {
        let text = "git+https://user:secret@host.example/x.git#egg=x\n./local\n-e .\n-e ../lib\nx @ https://h.example/x.whl\nhello world\n";
        let (_, reading) = read_files(&[("requirements-dev.txt", text)]);
        assert!(reading.packages.is_empty());
        assert_eq!(reading.diagnostics.len(), 5, "{:?}", reading.diagnostics);
        assert!(reading.diagnostics.iter().all(|one| !one.message.contains("secret")));
    }

    #[test]
    fn files_that_include_each_other_without_end_are_cut() {
        let files: Vec<(String, String)> =
            (0..100).map(|n| (format!("r{n}.txt"), format!("-r r{}.txt\np{n}==1\n", n + 1))).collect();
        let mut all = vec![("requirements.txt", "-r r0.txt")];
        all.extend(files.iter().map(|(name, text)| (name.as_str(), text.as_str())));
        let (_, reading) = read_files(&all);
        assert_eq!(reading.packages.len(), super::MAX_INCLUDE_DEPTH);
        assert!(reading.diagnostics[0].message.contains("too many includes"));
    }
}
