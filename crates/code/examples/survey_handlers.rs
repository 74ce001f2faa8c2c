//! Reads handlers outside of any template and prints what was found: `survey_handlers DIR GLOB [HANDLER]`.
//!
//! Every file below DIR that the glob matches is taken as a handler file with its own folder as code root; the handler's
//! function is HANDLER, or whichever usual name the file has. For looking at the reader's work by eye.

#![allow(clippy::print_stdout)]

use code::{Files, Handler, Language, read_handlers};
use graph::CallTarget;
use source::Sources;
use std::path::{Path, PathBuf};

struct Folder(PathBuf);

impl Files for Folder {
    fn read(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.0.join(path)).ok()
    }
    fn exists(&self, path: &str) -> bool {
        self.0.join(path).is_file()
    }
    fn list(&self, directory: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.join(directory)).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
    }
}

fn walk(root: &Path, folder: &Path, depth: usize, out: &mut Vec<String>) {
    let mut entries: Vec<_> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && depth < 30 && name != "node_modules" && name != ".git" && !path.is_symlink() {
            walk(root, &path, depth + 1, out);
        } else if let Some(relative) = path.strip_prefix(root).ok().and_then(Path::to_str) {
            out.push(relative.to_string());
        }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let (Some(root), Some(pattern)) = (arguments.get(1), arguments.get(2)) else {
        println!("usage: survey_handlers DIR GLOB [HANDLER]");
        return;
    };
    let root = PathBuf::from(root);
    let Ok(glob) = globset::Glob::new(pattern) else { return };
    let matcher = glob.compile_matcher();
    let mut paths = Vec::new();
    walk(&root, &root, 0, &mut paths);
    let files = Folder(root);
    let mut wanted = Vec::new();
    for path in paths.iter().filter(|path| matcher.is_match(path)) {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let Some((stem, end)) = name.rsplit_once('.') else { continue };
        let language = match end {
            "py" => Language::Python,
            "js" | "mjs" | "cjs" => Language::JavaScript,
            _ => continue,
        };
        let text = files.read(path).unwrap_or_default();
        let usual = ["lambda_handler", "handler", "lambdaHandler", "main", "default"];
        let function = match arguments.get(3) {
            Some(function) => function.clone(),
            None => match usual.iter().find(|name| text.contains(**name)) {
                Some(name) => (*name).to_string(),
                None => continue,
            },
        };
        wanted.push((path.clone(), folder.to_string(), format!("{stem}.{function}"), language));
    }
    let handlers: Vec<Handler<'_>> = wanted
        .iter()
        .map(|(_, code_root, handler, language)| Handler { code_root, handler, language: *language, layers: &[] })
        .collect();
    let mut sources = Sources::new();
    let started = std::time::Instant::now();
    let readings = read_handlers(&files, &mut sources, &handlers);
    let took = started.elapsed();
    for ((path, _, handler, _), reading) in wanted.iter().zip(&readings) {
        println!("== {path} {handler}");
        for diagnostic in &reading.diagnostics {
            let place = diagnostic.span.map(|span| sources.place(span)).unwrap_or_default();
            let help = diagnostic.help.as_deref().unwrap_or_default();
            println!("   ! {:?} {place} {} {help}", diagnostic.level, diagnostic.message);
        }
        let Some(behaviour) = &reading.behaviour else { continue };
        let line = |span| sources.place(span).rsplit_once(':').map(|(_, line)| line.to_string()).unwrap_or_default();
        for call in &behaviour.calls {
            let target = match &call.target {
                CallTarget::Environment(name) => format!("${name}"),
                CallTarget::Literal(text) => format!("{text:?}"),
                other => format!("{other:?}"),
            };
            println!(
                "   {:>4} {}.{} on {target} [{}]",
                line(call.span),
                call.service,
                call.operation,
                call.actions.join(" ")
            );
        }
        for host in &behaviour.hosts {
            let name = host.host.clone().or(host.environment.as_ref().map(|name| format!("${name}")));
            let name = name.unwrap_or_else(|| if host.from_event { "EVENT".into() } else { "?".into() });
            println!("   {:>4} host {name}:{}", line(host.span), host.port);
        }
        for process in &behaviour.processes {
            println!("   {:>4} process {:?} shell={}", line(process.span), process.program, process.shell);
        }
        for write in &behaviour.writes {
            println!("   {:>4} write {:?}", line(write.span), write.path);
        }
        if !behaviour.event_fields.is_empty() {
            let fields: Vec<String> = behaviour
                .event_fields
                .iter()
                .map(|field| format!("{}{}", field.path, if field.required { "!" } else { "" }))
                .collect();
            println!("        event {}", fields.join(" "));
        }
        if !behaviour.imports.is_empty() {
            println!("        imports {}", behaviour.imports.join(" "));
        }
    }
    let calls: usize =
        readings.iter().filter_map(|reading| reading.behaviour.as_ref()).map(|one| one.calls.len()).sum();
    println!("{} handlers, {calls} calls, {} files, {took:?}", readings.len(), sources.iter().count());
}
