//! Finds a handler, runs it with the event, and then what it left to be called.

use crate::call::Arguments;
use crate::evaluate::Evaluator;
use crate::locate::{Located, locate};
use crate::project::{Loaded, Project, Roots, join};
use crate::report::{Draft, READER};
use crate::syntax::Place;
use crate::value::Value;
use crate::{Files, Handler, Language};
use findings::{Diagnostic, Level, near_miss};
use source::{FileId, Span};
use std::sync::Arc;

/// Functions that are run because something was handed them.
const MAX_REFERENCED: usize = 2_000;

/// Reads one handler.
pub(crate) fn read(project: &Project<'_>, handler: &Handler<'_>) -> Draft {
    let name = handler.handler;
    let (path, language, function, started) = match locate(project, handler) {
        Located::Function { path, function } => (path, handler.language, Some(function), false),
        Located::Program { path, application, language } => (path, language, application, true),
        Located::Archive => {
            let message = format!("`{}` is an archive, which isn't read", handler.code_root);
            return Draft::error(Diagnostic::general(Level::Note, READER, message));
        }
        Located::Script(path) => {
            let message = format!("what `{path}` starts can't be told, so the function's code isn't read");
            return Draft::error(Diagnostic::general(Level::Note, READER, message));
        }
        Located::Missing { root, base } => return missing_file(project.files, handler, &root, &base),
        Located::NoName => {
            let message = format!("`{name}` is no handler: it has to name a file and a function");
            return Draft::error(
                Diagnostic::general(Level::Error, READER, message).help("write it as `file.function`"),
            );
        }
        Located::Outside => {
            let message = format!("the handler `{name}` lies outside of what is scanned");
            return Draft::error(Diagnostic::general(Level::Error, READER, message));
        }
    };
    let is_file = path == handler.code_root;
    let code = match is_file {
        true => path.rsplit_once('/').map_or("", |(folder, _)| folder).to_string(),
        false => join("", handler.code_root).unwrap_or_default(),
    };
    let roots = Roots { code, layers: handler.layers.iter().filter_map(|layer| join("", layer)).collect() };
    let mut evaluator = Evaluator::new(project, roots, language);
    let Some(index) = evaluator.load(&path) else {
        let message = format!("`{path}` can't be read");
        return Draft::error(Diagnostic::general(Level::Error, READER, message));
    };
    match started {
        false => run(evaluator, index, function.as_deref().unwrap_or_default()),
        true => serve(evaluator, index, function.as_deref()),
    }
}

/// Reads code that isn't in a file.
pub(crate) fn read_inline(code: &str, handler: &str, language: Language) -> Draft {
    let project = Project::new(&NoFiles);
    let function = handler.rsplit_once('.').map_or(handler, |(_, function)| function);
    let mut evaluator = Evaluator::new(&project, Roots::default(), language);
    let path = if language == Language::Python { "index.py" } else { "index.js" };
    let file = Loaded::parse(path.to_string(), code.to_string(), language);
    let index = evaluator.run_module(Arc::new(file));
    run(evaluator, index, function)
}

struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &str) -> Option<String> {
        None
    }
    fn exists(&self, _: &str) -> bool {
        false
    }
    fn list(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
}

fn run(mut evaluator: Evaluator<'_>, module: usize, function: &str) -> Draft {
    let value = evaluator.export(module, function);
    let language = evaluator.language;
    let mut handler = None;
    let found = value.is_some();
    if let Some(value) = value {
        handler = defined_at(&evaluator, &value);
        evaluator.handler_place =
            handler.map(|span| (span.file.0 as usize, Place { start: span.start, end: span.start }));
        let mut given = vec![Value::Event("".into()), Value::external("context")];
        if language == Language::JavaScript {
            given.push(Value::external("callback"));
        }
        let answer = evaluator.call(&value, Arguments::of(given, Place::default()));
        crate::library::sinks::answer(&mut evaluator, &answer);
    }
    crate::library::routes::run(&mut evaluator);
    leftovers(&mut evaluator);
    crate::dead::look_through(&mut evaluator, module);
    let missing = (!found).then(|| missing_function(&evaluator, module, function));
    let mut draft = Draft::new(evaluator, handler);
    draft.reading.diagnostics.splice(0..0, missing);
    draft
}

/// Runs what a server that a script starts does: its file, and what it hands to its framework. The request comes in by the routes.
fn serve(mut evaluator: Evaluator<'_>, module: usize, application: Option<&str>) -> Draft {
    if let Some(value) = application.and_then(|name| evaluator.export(module, name)) {
        // A factory, or an application that is itself called with the request.
        if matches!(value, Value::Function(_)) {
            evaluator.call(&value, Arguments::default());
        }
    }
    crate::library::routes::run(&mut evaluator);
    leftovers(&mut evaluator);
    let start = FileId(u32::try_from(module).unwrap_or(u32::MAX));
    Draft::new(evaluator, Some(Span::new(start, 0, 0)))
}

/// Functions that were handed to something that may call them, and methods called on something that can't be told.
fn leftovers(evaluator: &mut Evaluator<'_>) {
    let mut rounds = 0;
    loop {
        let referenced = std::mem::take(&mut evaluator.referenced);
        let methods = std::mem::take(&mut evaluator.unknown_methods);
        let mut any = false;
        for value in referenced {
            rounds += 1;
            let (Value::Function(closure) | Value::Method(closure, _)) = &value else { continue };
            if rounds < MAX_REFERENCED && !evaluator.applied.contains(&(closure.module, closure.function)) {
                any = true;
                evaluator.call(&value, Arguments::default());
            }
        }
        for instance in evaluator.instances.clone() {
            for name in &methods {
                rounds += 1;
                let Value::Object(id) = instance else { continue };
                let class = evaluator.heap.objects.get(id).and_then(|object| object.class.clone());
                let Some(class) = class else { continue };
                if let Some(Value::Function(closure)) = evaluator.class_member(&class, name, 0)
                    && rounds < MAX_REFERENCED
                    && !evaluator.applied.contains(&(closure.module, closure.function))
                {
                    any = true;
                    evaluator.apply(&closure, Some(instance.clone()), Arguments::default());
                }
            }
        }
        if !any {
            break;
        }
    }
}

/// Where the function behind a value stands.
fn defined_at(evaluator: &Evaluator<'_>, value: &Value) -> Option<Span> {
    match value {
        Value::Function(closure) | Value::Method(closure, _) => {
            let place = evaluator.definition(closure, |function| function.place)?;
            let file = FileId(u32::try_from(closure.module).ok()?);
            Some(Span::new(file, place.start as usize, place.end as usize))
        }
        Value::Any(values) => values.iter().find_map(|value| defined_at(evaluator, value)),
        Value::External(external) => external.carried.iter().find_map(|value| defined_at(evaluator, value)),
        _ => None,
    }
}

fn missing_file(files: &dyn Files, handler: &Handler<'_>, root: &str, base: &str) -> Draft {
    let (folder, name) = base.rsplit_once('/').unwrap_or(("", base));
    let ends: &[&str] = match handler.language {
        Language::Python => &[".py"],
        Language::JavaScript => &[".js", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts"],
    };
    let stem = |file: &str| ends.iter().find_map(|end| file.strip_suffix(end)).map(str::to_string);
    let mut here: Vec<String> = files.list(folder).iter().filter_map(|file| stem(file)).collect();
    here.sort();
    let place = if root.is_empty() { "the root of what is scanned".to_string() } else { format!("`{root}`") };
    let wanted = format!("{base}{}", ends.first().copied().unwrap_or_default());
    let message = format!("the handler `{}` isn't in {place}: there is no `{wanted}`", handler.handler);
    let diagnostic = Diagnostic::general(Level::Error, READER, message);
    Draft::error(match near_miss(name, here.iter().map(String::as_str)) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None if here.is_empty() => diagnostic,
        None => diagnostic.help(format!("there is {}", listed(&here))),
    })
}

fn missing_function(evaluator: &Evaluator<'_>, module: usize, function: &str) -> Diagnostic {
    let path = evaluator.modules.get(module).map_or("", |module| module.file.path.as_str());
    let mut names: Vec<String> = match evaluator.modules.get(module) {
        Some(local) => {
            let exported = local.module.as_ref().and_then(|object| evaluator.own_field(object, "exports"));
            match exported {
                Some(exports) => evaluator.fields(&exports).into_iter().map(|(name, _)| name.to_string()).collect(),
                None => local
                    .file
                    .module
                    .body
                    .iter()
                    .filter_map(|statement| match statement {
                        crate::syntax::Statement::Define { name, .. } => Some(name.to_string()),
                        _ => None,
                    })
                    .collect(),
            }
        }
        None => Vec::new(),
    };
    names.sort();
    names.dedup();
    let broken = evaluator.modules.get(module).and_then(|module| module.file.module.broken);
    if let Some(place) = broken {
        // What it would have defined is behind the error.
        let file = FileId(u32::try_from(module).unwrap_or(u32::MAX));
        let message = format!("a syntax error here hides `{function}`");
        let span = Span::new(file, place.start as usize, place.end as usize);
        return Diagnostic::at(Level::Error, READER, span, message);
    }
    let what = if evaluator.language == Language::Python { "defines" } else { "exports" };
    let message = format!("`{path}` {what} no `{function}`");
    let file = FileId(u32::try_from(module).unwrap_or(u32::MAX));
    let diagnostic = Diagnostic::at(Level::Error, READER, Span::new(file, 0, 0), message);
    match near_miss(function, names.iter().map(String::as_str)) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None if names.is_empty() => diagnostic,
        None => diagnostic.help(format!("it {what} {}", listed(&names))),
    }
}

fn listed(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(5).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > 5 { format!(" and {} more", names.len() - 5) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}
