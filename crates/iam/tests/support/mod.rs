//! Applications in memory: a template, and handlers for its functions.

#![allow(dead_code)] // each test file uses its own part

use code::{Files, Language};
use graph::Application;
use source::{SourceFile, Sources};

struct Repository(Vec<(String, String)>);

impl Files for Repository {
    fn read(&self, path: &str) -> Option<String> {
        self.0.iter().find(|(name, _)| name == path).map(|(_, text)| text.clone())
    }
    fn exists(&self, path: &str) -> bool {
        self.0.iter().any(|(name, _)| name == path)
    }
    fn list(&self, directory: &str) -> Vec<String> {
        let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
        self.0
            .iter()
            .filter_map(|(path, _)| path.strip_prefix(&prefix)?.split('/').next().map(str::to_string))
            .collect()
    }
}

/// Reads a template.
pub(crate) fn template(text: &str) -> (Application, Sources) {
    let mut sources = Sources::new();
    let file = sources.add(SourceFile::new("template.yaml", text));
    let reading = template::read(&mut sources, file, &mut |_| None);
    (reading.application.unwrap(), sources)
}

/// Reads a template whose functions all have the handler `app.handler` in this file, `app.py` or `app.mjs`.
pub(crate) fn application(text: &str, file: &str, code: &str) -> (Application, Sources) {
    let (mut application, mut sources) = template(text);
    let repository = Repository(vec![(file.to_string(), code.to_string())]);
    let language = if file.ends_with(".py") { Language::Python } else { Language::JavaScript };
    for function in &mut application.functions {
        function.behaviour = code::read_handler(&repository, &mut sources, "", "app.handler", language).behaviour;
    }
    (application, sources)
}

/// The least policy of the first function: one line per action and resource, `dynamodb:GetItem ${Table.Arn}`, and `?` for what isn't told.
pub(crate) fn needs(text: &str, file: &str, code: &str) -> Vec<String> {
    let (application, sources) = application(text, file, code);
    let policy = iam::least_privilege(&application, &application.functions[0], &sources);
    assert!(policy.code_read, "the handler wasn't read");
    let mut lines: Vec<String> = policy
        .statements
        .iter()
        .flat_map(|need| {
            need.actions.iter().flat_map(|action| need.resources.iter().map(move |on| format!("{action} {on}")))
        })
        .collect();
    lines.extend(policy.unresolved.iter().map(|unresolved| format!("? {}", unresolved.actions.join(","))));
    lines.sort();
    lines
}
