//! Prints what the reader makes of every configuration below a folder: `cargo run -p terraform --example show -- FOLDER`.

use std::path::{Path, PathBuf};

struct Folder(PathBuf);

impl terraform::Repository for Folder {
    fn read(&self, path: &str) -> Option<String> {
        std::fs::read(self.0.join(path)).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    fn list(&self, folder: &str) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.0.join(folder)) else { return Vec::new() };
        let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
        names.sort();
        names
    }
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<String>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            walk(root, &path, found);
        } else if let Ok(relative) = path.strip_prefix(root) {
            found.push(relative.to_string_lossy().into_owned());
        }
    }
}

fn main() {
    let root = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| ".".into()));
    let mut paths = Vec::new();
    walk(&root, &root, &mut paths);
    paths.sort();
    let repository = Folder(root);
    for folder in terraform::roots(paths.iter().map(String::as_str), &repository) {
        let mut sources = source::Sources::segment(0);
        let reading = terraform::read(&mut sources, &folder, &repository);
        println!("== {folder}");
        for diagnostic in &reading.diagnostics {
            let place = diagnostic.span.map(|span| sources.path(span).to_string()).unwrap_or_default();
            let line = diagnostic.span.and_then(|span| Some(sources.get(span.file)?.position(span.start).line));
            println!("  ! {place}:{} {}", line.unwrap_or(0), diagnostic.message);
        }
        let Some(application) = reading.application else { continue };
        for function in &application.functions {
            let runtime = function.runtime.as_ref().map_or("-", |runtime| &runtime.value);
            let handler = function.handler.as_ref().map_or("-", |handler| &handler.value);
            println!("  function {} {runtime} {handler} {:?} as {:?}", function.name, function.code, function.identity);
            for variable in &function.environment {
                println!("    {}={}", variable.name, variable.value);
            }
            for trigger in application.triggers_of(&function.name) {
                println!("    <- {} {:?} {}", trigger.label(), trigger.authorization, trigger.name);
            }
        }
        for identity in &application.identities {
            let line = sources.get(identity.span.file).map_or(0, |file| file.position(identity.span.start).line);
            println!("  {:?} {} line {line} groups {:?}", identity.kind, identity.name, identity.groups);
            for statement in identity.statements.iter().chain(&identity.trust) {
                let line = sources.get(statement.span.file).map_or(0, |file| file.position(statement.span.start).line);
                let shown = |values: &[graph::Value]| values.iter().map(ToString::to_string).collect::<Vec<_>>();
                println!(
                    "    {:?} {:?}{} on {:?} by {:?} if {:?} [{:?} line {line}]",
                    statement.effect,
                    statement.actions.iter().take(6).collect::<Vec<_>>(),
                    if statement.not_actions { " (not)" } else { "" },
                    shown(&statement.resources),
                    shown(&statement.principals),
                    statement.condition,
                    statement.origin,
                );
            }
            for policy in &identity.unresolved_policies {
                println!("    ? {}", policy.value);
            }
        }
        for resource in &application.resources {
            println!("  resource {} {}", resource.name, resource.resource_type);
        }
    }
}
