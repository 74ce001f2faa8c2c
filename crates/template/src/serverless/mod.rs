//! Services of the Serverless Framework (`serverless.yml` and the like): variables are put in, then the service is turned into
//! the template that the framework would deploy and read as one, so that everything points at what a person wrote.
//!
//! Functions bear the names they have in the service; in `Ref` and `Fn::GetAtt` they go by their logical ids.
//!
//! Deliberately absent: services written in TypeScript or JavaScript, which only run; variables that a program gives
//! (`${file(x.js):…}`); other clouds' providers; roles and resources that plugins make, apart from those that are read here
//! (roles per function, Step Functions, AppSync, Lift, WSGI); Compose files.

mod events;
mod lift;
mod roles;
mod service;
mod sources;
mod step_functions;
mod tree;
mod variables;

use crate::files::Files;
use crate::nested::rename_application;
use crate::normalize::normalize;
use crate::policy::{implied, managed};
use crate::reader::{Nesting, Reader, Written, read_written};
use crate::{READER, has_key};
use findings::{Diagnostic, Level};
use graph::{Application, Format, Origin};
use service::Service;
use source::{FileId, Span};
use std::collections::{HashMap, HashSet};

/// Whether a file is a service of the framework: it says who provides, and what runs there.
pub(crate) fn looks_like_service(path: &str, text: &str, json: bool) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    if matches!(name, "serverless.ts" | "serverless.js") {
        return text.contains("provider");
    }
    // Looking for a word is cheaper than looking for a key.
    if !text.contains("provider") || !text.contains("service") {
        return false;
    }
    let key = |name: &str| has_key(text, json, name);
    key("provider") && key("service") && (key("functions") || key("resources") || name.starts_with("serverless."))
}

/// Reads a service.
pub(crate) fn read(files: &mut Files<'_>, file: FileId, diagnostics: &mut Vec<Diagnostic>) -> Option<Application> {
    let path = files.path(file);
    if path.ends_with(".ts") || path.ends_with(".js") {
        diagnostics.push(
            Diagnostic::at(
                Level::Warning,
                READER,
                Span::new(file, 0, 0),
                format!("`{path}` is a program, which isn't run"),
            )
            .help("write what `serverless print` gives beside it as `serverless.yml`"),
        );
        return None;
    }
    let document = files.document(file);
    diagnostics.extend(document.complaints.into_iter().map(crate::complaint));
    if !document.root.is_mapping() {
        diagnostics.push(Diagnostic::at(Level::Error, READER, document.root.span, "the service is not an object"));
        return None;
    }
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder).to_string();
    let mut variables = variables::Variables::new(document.root, &folder, files, diagnostics);
    let stage = variables.stage();
    let root = variables.service();
    let holes = std::mem::take(&mut variables.holes);
    drop(variables);
    let root = normalize(root, diagnostics);
    let cloud = root.at(&["provider", "name"]).or_else(|| root.get("provider")).and_then(source::Node::scalar);
    if let Some(cloud) = cloud.filter(|cloud| !cloud.eq_ignore_ascii_case("aws")) {
        diagnostics.push(
            Diagnostic::at(Level::Warning, READER, Span::new(file, 0, 0), format!("provider `{cloud}` isn't read"))
                .help("services on AWS are"),
        );
        return None;
    }
    let mut service = Service::new(root, stage);
    service.make(diagnostics);
    service.make_sources();
    service.make_constructs();
    let root = service.template(holes.into_iter(), diagnostics);
    let written = Written {
        file,
        root,
        // The framework makes more resources than are made here, and a service may name any of them.
        whole: false,
        foreign_types: HashMap::new(),
        format: Some(Format::ServerlessFramework),
    };
    let mut nesting = Nesting { open: Vec::new(), count: 1 };
    let mut extend = |reader: &mut Reader<'_, '_>| {
        grant(reader, &service);
        events::read(reader, &service);
    };
    let outcome = read_written(files, written, &HashMap::new(), &mut nesting, diagnostics, &mut extend)?;
    let mut application = outcome.application;
    rename(&mut application, &service);
    Some(application)
}

/// Adds what events and properties need to the roles that the framework makes.
fn grant(reader: &mut Reader<'_, '_>, service: &Service) {
    let template = reader.template.clone();
    let index: HashMap<String, usize> =
        reader.application.identities.iter().enumerate().map(|(at, identity)| (identity.name.clone(), at)).collect();
    // Ten functions that poll one queue need its permission once.
    let mut known: HashSet<(&str, &[&str], Vec<graph::Value>)> = HashSet::new();
    for wanted in &service.implied {
        let resources: Vec<graph::Value> = wanted.resources.iter().map(|node| template.value(node)).collect();
        let Some(identity) = index.get(&wanted.role).and_then(|at| reader.application.identities.get_mut(*at)) else {
            continue;
        };
        if !known.insert((&wanted.role, wanted.actions, resources.clone())) {
            continue;
        }
        match wanted.actions.is_empty() {
            // Access to a VPC is a managed policy.
            true => {
                let origin = Origin::Implied(wanted.reason.clone());
                let found = managed("AWSLambdaVPCAccessExecutionRole", &origin, wanted.span);
                identity.statements.extend(found.unwrap_or_default());
            }
            false => identity.statements.push(implied(wanted.actions, resources, &wanted.reason, wanted.span)),
        }
    }
    let generated: HashSet<&str> = service.generated_roles.iter().map(String::as_str).collect();
    for identity in &mut reader.application.identities {
        // The shared role is written down, under the provider.
        identity.generated = identity.name != service::SHARED_ROLE
            && generated.contains(identity.name.as_str())
            && !service.brings(&identity.name);
    }
}

/// Gives functions the names that they have in the service.
fn rename(application: &mut Application, service: &Service) {
    let taken: HashSet<String> = application
        .resources
        .iter()
        .map(|resource| resource.name.clone())
        .chain(application.identities.iter().map(|identity| identity.name.clone()))
        .collect();
    let names: HashMap<String, String> = service
        .functions
        .iter()
        .filter(|function| !taken.contains(&function.key))
        .map(|function| (function.id.clone(), function.key.clone()))
        .collect();
    rename_application(application, &|name| names.get(name).cloned());
    for resource in &mut application.resources {
        rename_json(&mut resource.properties, &names, 0);
    }
}

/// Renames functions in properties, where they stand in intrinsics.
fn rename_json(json: &mut serde_json::Value, names: &HashMap<String, String>, depth: usize) {
    use serde_json::Value;
    if depth > 200 {
        return;
    }
    match json {
        Value::Array(items) => items.iter_mut().for_each(|item| rename_json(item, names, depth + 1)),
        Value::Object(members) => {
            for (key, value) in members {
                let named = match (key.as_str(), value) {
                    ("Ref", value) => value,
                    ("Fn::GetAtt", Value::Array(items)) => match items.first_mut() {
                        Some(first) => first,
                        None => continue,
                    },
                    (_, value) => {
                        rename_json(value, names, depth + 1);
                        continue;
                    }
                };
                if let Some(new) = named.as_str().and_then(|name| names.get(name)) {
                    *named = Value::String(new.clone());
                }
            }
        }
        _ => {}
    }
}
