//! Reading a template that stands in a test, and looking at what came of it.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use graph::{Application, Function, Identity, Trigger};
use source::{SourceFile, Sources};
use template::Reading;

pub struct Read {
    pub sources: Sources,
    pub reading: Reading,
}

/// Reads `text` as `template.yaml` at the top of a repository with nothing else in it.
pub fn read(text: &str) -> Read {
    read_with("template.yaml", text, &[])
}

/// Reads `text` as `path` of a repository that also has `files`.
pub fn read_with(path: &str, text: &str, files: &[(&str, &str)]) -> Read {
    let mut sources = Sources::new();
    let file = sources.add(SourceFile::new(path, text));
    let mut open = |path: &str| files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_string());
    let reading = template::read(&mut sources, file, &mut open);
    Read { sources, reading }
}

impl Read {
    pub fn application(&self) -> &Application {
        self.reading.application.as_ref().unwrap_or_else(|| panic!("no application: {:?}", self.reading.diagnostics))
    }

    pub fn function(&self, name: &str) -> &Function {
        self.application().function(name).unwrap_or_else(|| panic!("no function {name}"))
    }

    pub fn identity(&self, name: &str) -> &Identity {
        self.application().identity(name).unwrap_or_else(|| panic!("no identity {name}"))
    }

    /// The value of an environment variable of a function as a template would show it.
    pub fn variable(&self, function: &str, name: &str) -> String {
        let function = self.function(function);
        function.environment.iter().find(|variable| variable.name == name).unwrap().value.to_string()
    }

    /// The one trigger of a function.
    pub fn trigger(&self, function: &str) -> &Trigger {
        let triggers: Vec<&Trigger> =
            self.application().triggers.iter().filter(|trigger| trigger.function == function).collect();
        assert_eq!(triggers.len(), 1, "{triggers:#?}");
        triggers[0]
    }

    /// `effect actions on resources` of every statement of an identity.
    pub fn grants(&self, identity: &str) -> Vec<String> {
        self.identity(identity)
            .statements
            .iter()
            .map(|statement| {
                let resources: Vec<String> = statement.resources.iter().map(ToString::to_string).collect();
                format!("{:?} {} on {}", statement.effect, statement.actions.join(" "), resources.join(" "))
            })
            .collect()
    }

    /// Each diagnostic as `line: message (help)`.
    pub fn complaints(&self) -> Vec<String> {
        self.reading
            .diagnostics
            .iter()
            .map(|diagnostic| {
                let line = diagnostic.span.map_or(0, |span| self.sources.position(span).line);
                match &diagnostic.help {
                    Some(help) => format!("{line}: {} ({help})", diagnostic.message),
                    None => format!("{line}: {}", diagnostic.message),
                }
            })
            .collect()
    }

    /// The text a span covers.
    pub fn at(&self, span: source::Span) -> &str {
        self.sources.slice(span)
    }
}
