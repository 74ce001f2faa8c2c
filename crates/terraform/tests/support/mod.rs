//! A repository in memory, and short ways to ask what was made of it.

#![allow(dead_code)] // each test file uses its part

use graph::{Application, Identity};
use source::{SourceFile, Sources};
use std::collections::BTreeMap;

pub(crate) struct Folder(BTreeMap<String, String>);

impl terraform::Repository for Folder {
    fn read(&self, path: &str) -> Option<String> {
        self.0.get(path).cloned()
    }

    fn list(&self, folder: &str) -> Vec<String> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let names = self.0.keys().filter_map(|path| path.strip_prefix(&prefix));
        let mut names: Vec<String> = names.map(|rest| rest.split('/').next().unwrap_or(rest).to_string()).collect();
        names.dedup();
        names
    }
}

pub(crate) fn folder(files: &[(&str, &str)]) -> Folder {
    Folder(files.iter().map(|(path, text)| (path.to_string(), text.to_string())).collect())
}

pub(crate) struct Read {
    pub(crate) sources: Sources,
    pub(crate) reading: terraform::Reading,
}

impl Read {
    pub(crate) fn application(&self) -> &Application {
        self.reading.application.as_ref().unwrap_or_else(|| panic!("no application: {:?}", self.reading.diagnostics))
    }

    pub(crate) fn identity(&self, name: &str) -> &Identity {
        self.application().identity(name).unwrap_or_else(|| {
            panic!(
                "{name} is not among {:?}",
                self.application().identities.iter().map(|one| &one.name).collect::<Vec<_>>()
            )
        })
    }

    /// `Effect actions on resources by principals`, one for each statement.
    pub(crate) fn statements(&self, name: &str) -> Vec<String> {
        self.identity(name).statements.iter().map(shown).collect()
    }

    /// `path:line` of a span.
    pub(crate) fn place(&self, span: source::Span) -> String {
        let file = self.sources.get(span.file).unwrap();
        format!("{}:{}", file.path(), file.position(span.start).line)
    }

    pub(crate) fn messages(&self) -> Vec<String> {
        self.reading
            .diagnostics
            .iter()
            .map(|diagnostic| match diagnostic.span {
                Some(span) => format!("{} {}", self.place(span), diagnostic.message),
                None => diagnostic.message.clone(),
            })
            .collect()
    }

    /// The triggers of a function as `kind label authorization`.
    pub(crate) fn triggers(&self, function: &str) -> Vec<String> {
        self.application()
            .triggers_of(function)
            .map(|trigger| {
                let authorization = trigger.authorization.as_ref().map_or(String::new(), |found| format!(" ({found})"));
                format!("{} {}{authorization}", trigger.kind.name(), trigger.label())
            })
            .collect()
    }
}

pub(crate) fn shown(statement: &graph::Statement) -> String {
    let list = |values: &[graph::Value]| values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let mut text = format!("{:?} {}", statement.effect, statement.actions.join(" "));
    if !statement.resources.is_empty() {
        text.push_str(&format!(" on {}", list(&statement.resources)));
    }
    if !statement.principals.is_empty() {
        text.push_str(&format!(" by {}", list(&statement.principals)));
    }
    if let Some(condition) = &statement.condition {
        text.push_str(&format!(" if {condition}"));
    }
    text
}

pub(crate) fn read(at: &str, files: &[(&str, &str)]) -> Read {
    let mut sources = Sources::segment(0);
    let reading = terraform::read(&mut sources, at, &folder(files));
    Read { sources, reading }
}

pub(crate) fn read_main(text: &str) -> Read {
    read("", &[("main.tf", text)])
}

pub(crate) fn read_plan(text: &str) -> Read {
    let mut sources = Sources::segment(0);
    let file = sources.add(SourceFile::new("plan.json", text));
    let reading = terraform::read_plan(&mut sources, file, &folder(&[]));
    Read { sources, reading }
}
