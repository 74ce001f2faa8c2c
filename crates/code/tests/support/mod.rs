//! A repository in memory, and readings as lines that are easy to compare.

#![allow(dead_code)] // each test file uses its own part

use code::{Files, Language, Reading, read_handler};
use graph::{Behaviour, CallTarget};
use source::Sources;

pub(crate) struct Repository(pub(crate) Vec<(&'static str, String)>);

impl Files for Repository {
    fn read(&self, path: &str) -> Option<String> {
        self.0.iter().find(|(name, _)| *name == path).map(|(_, text)| text.clone())
    }
    fn exists(&self, path: &str) -> bool {
        self.0.iter().any(|(name, _)| *name == path)
    }
    fn list(&self, directory: &str) -> Vec<String> {
        let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
        let mut names: Vec<String> = self
            .0
            .iter()
            .filter_map(|(path, _)| path.strip_prefix(&prefix)?.split('/').next().map(str::to_string))
            .collect();
        names.sort();
        names.dedup();
        names
    }
}

/// Reads `handler` of the given files; the code root is the repository.
pub(crate) fn read(files: &[(&'static str, &str)], handler: &str, language: Language) -> (Reading, Sources) {
    let repository = Repository(files.iter().map(|(path, text)| (*path, (*text).to_string())).collect());
    let mut sources = Sources::new();
    let reading = read_handler(&repository, &mut sources, "", handler, language);
    (reading, sources)
}

/// What `app.handler` of one Python file does; nothing may be left in doubt.
pub(crate) fn python(text: &str) -> Behaviour {
    clean(read(&[("app.py", text)], "app.handler", Language::Python).0)
}

/// What `index.handler` of one JavaScript file does; nothing may be left in doubt.
pub(crate) fn javascript(text: &str) -> Behaviour {
    clean(read(&[("index.mjs", text)], "index.handler", Language::JavaScript).0)
}

pub(crate) fn clean(reading: Reading) -> Behaviour {
    assert_eq!(messages(&reading), Vec::<String>::new());
    reading.behaviour.unwrap()
}

pub(crate) fn messages(reading: &Reading) -> Vec<String> {
    reading
        .diagnostics
        .iter()
        .map(|diagnostic| match &diagnostic.help {
            Some(help) => format!("{:?}: {} ({help})", diagnostic.level, diagnostic.message),
            None => format!("{:?}: {}", diagnostic.level, diagnostic.message),
        })
        .collect()
}

pub(crate) fn target(target: &CallTarget) -> String {
    match target {
        CallTarget::Environment(name) => format!("${name}"),
        CallTarget::Literal(text) => text.clone(),
        CallTarget::Event => "the event".to_string(),
        CallTarget::None => "nothing".to_string(),
        CallTarget::Unknown => "?".to_string(),
        CallTarget::Pattern(pieces) => pieces
            .iter()
            .map(|piece| match piece {
                CallTarget::Literal(text) => text.clone(),
                other => format!("{{{}}}", self::target(other)),
            })
            .collect(),
    }
}

/// `s3:GetObject on $BUCKET` for each permission that is asked for, sorted and without repetition.
pub(crate) fn needs(behaviour: &Behaviour) -> Vec<String> {
    let mut lines: Vec<String> = behaviour
        .calls
        .iter()
        .flat_map(|call| call.actions.iter().map(|action| format!("{action} on {}", target(&call.target))))
        .collect();
    lines.sort();
    lines.dedup();
    lines
}

/// `dynamodb.PutItem on $TABLE`, sorted and without repetition.
pub(crate) fn calls(behaviour: &Behaviour) -> Vec<String> {
    let mut lines: Vec<String> = behaviour
        .calls
        .iter()
        .map(|call| format!("{}.{} on {}", call.service, call.operation, target(&call.target)))
        .collect();
    lines.sort();
    lines.dedup();
    lines
}

/// `api.example.com:443`, `$URL:443`, `the event:443`, `?:443`.
pub(crate) fn hosts(behaviour: &Behaviour) -> Vec<String> {
    let mut lines: Vec<String> = behaviour
        .hosts
        .iter()
        .map(|host| {
            let name = match (&host.host, &host.environment, host.from_event) {
                (Some(name), ..) => name.clone(),
                (_, Some(name), _) => format!("${name}"),
                (.., true) => "the event".to_string(),
                _ => "?".to_string(),
            };
            format!("{name}:{}", host.port)
        })
        .collect();
    lines.sort();
    lines.dedup();
    lines
}

/// Event fields, `!` behind those the code fails without.
pub(crate) fn fields(behaviour: &Behaviour) -> Vec<String> {
    behaviour
        .event_fields
        .iter()
        .map(|field| format!("{}{}", field.path, if field.required { "!" } else { "" }))
        .collect()
}

pub(crate) fn processes(behaviour: &Behaviour) -> Vec<String> {
    behaviour
        .processes
        .iter()
        .map(|process| {
            let program = process.program.as_deref().unwrap_or("?");
            format!("{program}{}", if process.shell { " in a shell" } else { "" })
        })
        .collect()
}

pub(crate) fn writes(behaviour: &Behaviour) -> Vec<String> {
    behaviour.writes.iter().map(|write| write.path.clone().unwrap_or_else(|| "?".to_string())).collect()
}

/// `Sql from body.id: 3 comes in here, 4 becomes part of `query`, 5`, by line; `text` is the file they are in.
pub(crate) fn flows(behaviour: &Behaviour, text: &str) -> Vec<String> {
    let line = |span: source::Span| text[..span.start as usize].matches('\n').count() + 1;
    behaviour
        .flows
        .iter()
        .map(|flow| {
            let steps: Vec<String> =
                flow.steps.iter().map(|step| format!("{} {}", line(step.span), step.what)).collect();
            format!("{:?} from {}: {}, {}", flow.sink, flow.source, steps.join(", "), line(flow.span))
        })
        .collect()
}
