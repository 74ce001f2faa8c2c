//! What `cdk synth` leaves: the stacks of one application, read together, so that what one stack exports and another imports is
//! the same resource.
//!
//! Read by way of `cdk.json`, which stands where people work, or of the output's own `manifest.json`. Stacks, their order and
//! their assets are taken from there. Functions are called by their logical ids.
//!
//! Deliberately absent: the application's own source, which only runs; references between stacks by way of parameters in SSM;
//! the place in the repository that an asset was copied from.

use crate::READER;
use crate::files::{Files, Siblings, local_path};
use crate::nested::{OUTER, adopt, node_names, rename_application, renamed};
use crate::reader::{Nesting, Outcome, application_name, read_stack};
use findings::{Diagnostic, Level};
use graph::{Application, Code, Format, Provider};
use source::{FileId, Node, Span};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// The most stacks of one application.
const MAX_STACKS: usize = 200;
/// How deep stages may nest.
const MAX_STAGES: usize = 4;

/// A stack that a manifest lists.
struct Stack {
    /// The name it is called by among its application's.
    name: String,
    /// The name it is deployed under.
    deployed_name: String,
    /// Folder and file of its template.
    folder: String,
    template: String,
    /// Artifacts that have to be there first.
    needs: Vec<String>,
}

/// Whether a file leads to a CDK application.
pub(crate) fn looks_like_application(path: &str, text: &str) -> bool {
    match path.rsplit('/').next().unwrap_or(path) {
        "cdk.json" => crate::has_key(text, true, "app"),
        "manifest.json" => {
            text.contains("aws:cloudformation:stack") && crate::has_key(text, true, "artifacts")
                || text.contains("cdk:cloud-assembly")
        }
        _ => false,
    }
}

/// Reads an application by its `cdk.json` or by the manifest of its output.
pub(crate) fn read(files: &mut Files<'_>, file: FileId, diagnostics: &mut Vec<Diagnostic>) -> Option<Application> {
    let path = files.path(file);
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder).to_string();
    if !path.ends_with("cdk.json") {
        return read_output(files, file, &folder, diagnostics);
    }
    let document = files.document(file);
    let output =
        document.root.get("output").and_then(Node::as_str).unwrap_or("cdk.out").trim_end_matches('/').to_string();
    // `cdk.json` may say that the application is there already.
    let app = document.root.get("app").and_then(Node::as_str).filter(|app| !app.contains(' '));
    let manifest = [Some(output.as_str()), app]
        .into_iter()
        .flatten()
        .find_map(|output| files.load(&folder, &format!("{output}/manifest.json")));
    let Some((_, manifest)) = manifest else {
        let message = format!("this CDK application has no `{output}` to read");
        diagnostics.push(
            Diagnostic::at(Level::Warning, READER, Span::new(file, 0, 0), message)
                .help("run `cdk synth` before scanning"),
        );
        return None;
    };
    let output = manifest.rsplit_once('/').map_or("", |(folder, _)| folder).to_string();
    let application = read_output(files, file, &output, diagnostics);
    if application.is_none() && !files.included.contains(&file) {
        // What could be said stands in the output's files; this one has nothing to add.
        files.included.push(file);
    }
    application
}

/// Reads all stacks of an output folder into one application that is known by `file`.
fn read_output(
    files: &mut Files<'_>,
    file: FileId,
    output: &str,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Application> {
    let mut stacks = Vec::new();
    list_stacks(files, output, 0, &mut HashSet::new(), &mut stacks);
    files.siblings = Rc::new(Siblings { assets: assets(files, &stacks), ..Siblings::default() });
    let mut whole = Application {
        name: project_name(&files.path(file), output),
        template: file,
        provider: Provider::Aws,
        format: Format::Cdk,
        functions: Vec::new(),
        triggers: Vec::new(),
        identities: Vec::new(),
        resources: Vec::new(),
    };
    let mut taken: HashSet<String> = HashSet::new();
    for stack in in_order(stacks) {
        let Some((template, _)) = files.load(&stack.folder, &stack.template) else {
            let message = format!("the template `{}` of stack `{}` isn't here", stack.template, stack.name);
            diagnostics.push(
                Diagnostic::at(Level::Warning, READER, Span::new(file, 0, 0), message).help("run `cdk synth` again"),
            );
            continue;
        };
        let mut nesting = Nesting { open: Vec::new(), count: 0 };
        let outcome = read_stack(files, template, &HashMap::new(), HashMap::new(), &mut nesting, diagnostics);
        let Some(Outcome { mut application, outputs, exports }) = outcome else { continue };
        let own: HashSet<String> =
            node_names(&application).filter(|name| taken.contains(*name)).map(str::to_string).collect();
        let rename = |name: &str| match name.strip_prefix(OUTER) {
            Some(outer) => Some(outer.to_string()),
            None => own.contains(name).then(|| format!("{}.{name}", stack.name)),
        };
        rename_application(&mut application, &rename);
        let siblings = Rc::make_mut(&mut files.siblings);
        for (name, value) in exports {
            siblings.exports.insert(name, renamed(&value, &rename));
        }
        for (name, value) in outputs {
            siblings.exports.insert(format!("{}/{name}", stack.deployed_name), renamed(&value, &rename));
        }
        for resource in &application.resources {
            siblings.types.insert(resource.name.clone(), resource.resource_type.clone());
        }
        for function in &application.functions {
            siblings.types.insert(function.name.clone(), function.resource_type.clone());
        }
        for identity in &application.identities {
            siblings.types.insert(identity.name.clone(), "AWS::IAM::Role".to_string());
        }
        taken.extend(node_names(&application).map(str::to_string));
        adopt(&mut whole, application);
    }
    files.siblings = Rc::default();
    if whole.functions.is_empty() && whole.resources.is_empty() && whole.identities.is_empty() {
        return None;
    }
    missing_assets(files, &mut whole, diagnostics);
    Some(whole)
}

/// Code that the templates name and the output doesn't have: said once, not once for each function.
fn missing_assets(files: &mut Files<'_>, application: &mut Application, diagnostics: &mut Vec<Diagnostic>) {
    let mut known: HashMap<(String, String), bool> = HashMap::new();
    let mut missing = Vec::new();
    for function in &mut application.functions {
        let (Code::Local(folder), Some(handler), Some(runtime)) =
            (&function.code, &function.handler, &function.runtime)
        else {
            continue;
        };
        let Some((module, _)) = handler.value.rsplit_once('.') else { continue };
        let (module, ends): (String, &[&str]) = match &runtime.value {
            runtime if runtime.starts_with("python") => (module.replace('.', "/"), &["py"]),
            runtime if runtime.starts_with("nodejs") => (module.to_string(), &["js", "mjs", "cjs", "ts"]),
            _ => continue,
        };
        // An archive is its reader's business.
        if [".zip", ".jar"].iter().any(|end| folder.value.ends_with(end)) {
            continue;
        }
        let here = *known.entry((folder.value.clone(), module.clone())).or_insert_with(|| {
            let package = format!("{module}/__init__.py");
            let names = ends.iter().map(|end| format!("{module}.{end}")).chain([package]);
            names.filter_map(|name| local_path(&folder.value, &name)).any(|path| files.exists(&path))
        });
        if !here {
            missing.push((function.name.clone(), folder.span));
            function.code = Code::Remote(folder.clone());
        }
    }
    if let Some((first, span)) = missing.first() {
        let more = match missing.len() {
            1 => String::new(),
            count => format!(" and of {} more", count - 1),
        };
        diagnostics.push(
            Diagnostic::at(
                Level::Warning,
                READER,
                *span,
                format!("the code of `{first}`{more} isn't in the CDK's output"),
            )
            .help("run `cdk synth` on this machine; until then what the code does isn't known"),
        );
    }
}

/// The folder that an application's people know: the one with `cdk.json`, or the one around the output.
fn project_name(path: &str, output: &str) -> String {
    if path.ends_with("cdk.json") {
        return application_name(&path.replace("cdk.json", "main.json"));
    }
    let around = output.rsplit_once('/').map_or("", |(around, _)| around);
    match around.rsplit('/').next().filter(|name| !name.is_empty()) {
        Some(name) => name.to_string(),
        None => "cdk".to_string(),
    }
}

/// The stacks of an output folder and of the stages in it.
fn list_stacks(files: &mut Files<'_>, folder: &str, depth: usize, seen: &mut HashSet<String>, stacks: &mut Vec<Stack>) {
    // A folder that names itself, or that two name, is listed once.
    if !seen.insert(folder.to_string()) {
        return;
    }
    let Some((manifest, _)) = files.load(folder, "manifest.json") else { return };
    let document = files.document(manifest);
    for artifact in document.root.get("artifacts").map_or(&[][..], Node::entries) {
        let properties = artifact.value.get("properties");
        let text = |name: &str| properties.and_then(|properties| properties.get(name)).and_then(Node::as_str);
        match artifact.value.get("type").and_then(Node::as_str) {
            Some("aws:cloudformation:stack") if stacks.len() < MAX_STACKS => {
                let Some(template) = text("templateFile") else { continue };
                let needs = artifact.value.get("dependencies").map_or(&[][..], Node::items);
                stacks.push(Stack {
                    name: artifact.key.clone(),
                    deployed_name: text("stackName").unwrap_or(&artifact.key).to_string(),
                    folder: folder.to_string(),
                    template: template.to_string(),
                    needs: needs.iter().filter_map(Node::as_str).map(str::to_string).collect(),
                });
            }
            Some("cdk:cloud-assembly") if depth < MAX_STAGES => {
                if let Some(inner) = text("directoryName").and_then(|inner| local_path(folder, inner)) {
                    list_stacks(files, &inner, depth + 1, seen, stacks);
                }
            }
            _ => {}
        }
    }
}

/// Stacks after those they need. A circle, which the CDK refuses, is taken as it comes.
fn in_order(stacks: Vec<Stack>) -> Vec<Stack> {
    let mut waiting = stacks;
    let mut ordered: Vec<Stack> = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let names: HashSet<String> = waiting.iter().map(|stack| stack.name.clone()).collect();
        let free = |stack: &Stack| !stack.needs.iter().any(|need| *need != stack.name && names.contains(need));
        let (ready, rest): (Vec<Stack>, Vec<Stack>) = waiting.into_iter().partition(free);
        waiting = rest;
        if ready.is_empty() {
            ordered.append(&mut waiting);
        } else {
            ordered.extend(ready);
        }
    }
    ordered
}

/// Where the assets of all stacks are, by their key in the deployment's bucket.
fn assets(files: &mut Files<'_>, stacks: &[Stack]) -> HashMap<String, String> {
    let mut found = HashMap::new();
    for stack in stacks {
        let listed = stack.template.strip_suffix(".template.json").unwrap_or(&stack.name);
        let Some((file, _)) = files.load(&stack.folder, &format!("{listed}.assets.json")) else { continue };
        let document = files.document(file);
        for asset in document.root.get("files").map_or(&[][..], Node::entries) {
            let path = asset.value.at(&["source", "path"]).and_then(Node::as_str);
            let Some(path) = path.and_then(|path| local_path(&stack.folder, path)) else { continue };
            for destination in asset.value.get("destinations").map_or(&[][..], Node::entries) {
                if let Some(key) = destination.value.get("objectKey").and_then(Node::as_str) {
                    found.insert(key.to_string(), path.clone());
                }
            }
        }
    }
    found
}
