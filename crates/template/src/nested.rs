//! Nested stacks: their resources become part of the application that nests them.
//!
//! A nested template names its own resources; what a parent hands in through parameters names the parent's. The parent's are
//! marked (`^Table`) while the child is read, so that neither is taken for the other.

use crate::READER;
use crate::files::Files;
use crate::model::Template;
use crate::reader::{MAX_NESTING, Nesting, Outcome, read_stack};
use findings::{Diagnostic, Level};
use graph::{Application, Part, Setting, Statement, Value};
use source::Node;
use std::collections::{HashMap, HashSet};

/// Marks a resource of the parent in a nested template.
pub(crate) const OUTER: char = '^';

/// Reads the stacks that a template nests, and notes their outputs in it.
pub(crate) fn read_children(
    template: &mut Template,
    files: &mut Files<'_>,
    nesting: &mut Nesting,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Application> {
    let mut children: Vec<Application> = Vec::new();
    let stacks: Vec<(String, Node, Node)> = template
        .blocks
        .iter()
        .filter_map(|block| {
            let property = match block.resource_type.as_str() {
                "AWS::Serverless::Application" => "Location",
                "AWS::CloudFormation::Stack" => "TemplateURL",
                _ => return None,
            };
            // The CDK writes an address in a bucket, and beside it which file of its output goes there.
            let asset = block.node.at(&["Metadata", "aws:asset:path"]).filter(|path| path.as_str().is_some());
            let location = asset.or_else(|| block.get(property))?.clone();
            let parameters = block.get("Parameters").cloned().unwrap_or_else(|| Node::null(block.name_span));
            Some((block.name.clone(), location, parameters))
        })
        .collect();
    for (stack, location, parameters) in stacks {
        if location.is_mapping() && location.get("ApplicationId").is_some() {
            diagnostics.push(
                Diagnostic::at(
                    Level::Note,
                    READER,
                    location.span,
                    format!("`{stack}` is an application of the Serverless Application Repository, which is not here"),
                )
                .help("its functions are missing from what is said about this template"),
            );
            continue;
        }
        let written = template.value(&location);
        let loaded = match written.as_text().and_then(|path| files.load(&template.folder, path)) {
            Some(loaded) => Some(loaded),
            None => in_bucket(&written.to_string()).find_map(|path| files.load(&template.folder, path)),
        };
        let Some((file, path)) = loaded else {
            diagnostics.push(
                Diagnostic::at(
                    Level::Warning,
                    READER,
                    location.span,
                    format!("the template `{written}` of nested stack `{stack}` is not here"),
                )
                .help("its functions are missing from what is said about this template"),
            );
            continue;
        };
        if nesting.open.contains(&file) || nesting.open.len() >= MAX_NESTING {
            let message = if nesting.open.contains(&file) {
                format!("nested stack `{stack}` leads back to `{path}`")
            } else {
                format!("nested stack `{stack}` is more than {MAX_NESTING} deep")
            };
            diagnostics.push(Diagnostic::at(Level::Error, READER, location.span, message).help("it is not read again"));
            continue;
        }
        let mut foreign = HashMap::new();
        let given = parameters
            .entries()
            .iter()
            .map(|entry| {
                let value = template.value(&entry.value);
                for name in value.resources() {
                    if let Some(resource_type) = template.type_of(name) {
                        foreign.insert(format!("{OUTER}{name}"), resource_type.to_string());
                    }
                }
                (entry.key.clone(), renamed(&value, &|name| Some(format!("{OUTER}{name}"))))
            })
            .collect();
        let outcome = read_stack(files, file, &given, foreign, nesting, diagnostics);
        let Some(Outcome { mut application, outputs, .. }) = outcome else { continue };
        let mut taken: HashSet<String> = template.blocks.iter().map(|block| block.name.clone()).collect();
        children.iter().for_each(|child| taken.extend(node_names(child).map(str::to_string)));
        // Only what would be mistaken for something of the parent gets the stack's name in front.
        let own: HashSet<String> =
            node_names(&application).filter(|name| taken.contains(*name)).map(str::to_string).collect();
        let rename = |name: &str| match name.strip_prefix(OUTER) {
            Some(outer) => Some(outer.to_string()),
            None => own.contains(name).then(|| format!("{stack}.{name}")),
        };
        rename_application(&mut application, &rename);
        let outputs = outputs.into_iter().map(|(name, value)| (name, renamed(&value, &rename))).collect();
        template.nested_outputs.insert(stack.clone(), outputs);
        children.push(application);
    }
    children
}

/// The names of everything in an application.
pub(crate) fn node_names(application: &Application) -> impl Iterator<Item = &str> {
    let functions = application.functions.iter().map(|function| function.name.as_str());
    let resources = application.resources.iter().map(|resource| resource.name.as_str());
    let identities = application.identities.iter().map(|identity| identity.name.as_str());
    functions.chain(resources).chain(identities)
}

/// The paths that a template in a bucket may have had before it was uploaded, longest first:
/// `https://bucket.s3.amazonaws.com/release/stacks/b.yaml` may be `release/stacks/b.yaml`, `stacks/b.yaml` or `b.yaml`.
fn in_bucket(address: &str) -> impl Iterator<Item = &str> {
    const MAX_PARTS: usize = 8;
    let path = address.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path);
    let path = path.split(['?', '#']).next().unwrap_or(path);
    std::iter::successors(Some(path), |path| path.split_once('/').map(|(_, rest)| rest))
        .take(MAX_PARTS)
        .filter(|path| !path.is_empty() && !path.contains('$'))
}

/// Makes a nested application part of the one that nests it.
pub(crate) fn adopt(application: &mut Application, mut nested: Application) {
    // A role that the parent handed in is known only here.
    for function in &mut nested.functions {
        if function.identity.is_none()
            && let Some(role) = function.role.as_ref().and_then(|role| role.value.resource())
            && application.identity(role).is_some()
        {
            function.identity = Some(role.to_string());
        }
    }
    application.functions.append(&mut nested.functions);
    application.triggers.append(&mut nested.triggers);
    application.identities.append(&mut nested.identities);
    application.resources.append(&mut nested.resources);
}

/// The new name of a node, where it gets one.
pub(crate) type Rename<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// A value with the resources in it renamed.
pub(crate) fn renamed(value: &Value, rename: &Rename<'_>) -> Value {
    let mut out = Value::default();
    for part in value.parts() {
        let part = match part {
            Part::Ref(name) => Part::Ref(rename(name).unwrap_or_else(|| name.clone())),
            Part::Attribute(name, attribute) => {
                Part::Attribute(rename(name).unwrap_or_else(|| name.clone()), attribute.clone())
            }
            other => other.clone(),
        };
        out.push(part);
    }
    out
}

/// Renames functions, resources and identities wherever the application names them.
pub(crate) fn rename_application(application: &mut Application, rename: &Rename<'_>) {
    let name = |name: &mut String| {
        if let Some(new) = rename(name) {
            *name = new;
        }
    };
    let value = |value: &mut Value| *value = renamed(value, rename);
    let setting = |setting: &mut Setting<Value>| setting.value = renamed(&setting.value, rename);
    let statements = |statements: &mut Vec<Statement>| {
        for statement in statements {
            statement.resources.iter_mut().chain(&mut statement.principals).for_each(value);
        }
    };
    for function in &mut application.functions {
        name(&mut function.name);
        function.identity.iter_mut().chain(&mut function.log_group).for_each(name);
        function.deployed_name.iter_mut().for_each(value);
        function.role.iter_mut().chain(&mut function.dead_letter).chain(&mut function.layers).for_each(setting);
        function.environment.iter_mut().for_each(|variable| value(&mut variable.value));
    }
    for trigger in &mut application.triggers {
        name(&mut trigger.function);
        trigger.source.iter_mut().for_each(value);
    }
    for identity in &mut application.identities {
        name(&mut identity.name);
        identity.trusted.iter_mut().chain(&mut identity.boundary).for_each(value);
        identity.unresolved_policies.iter_mut().for_each(setting);
        identity.deployed_name.iter_mut().for_each(value);
        identity.groups.iter_mut().for_each(name);
        statements(&mut identity.statements);
        statements(&mut identity.trust);
    }
    for resource in &mut application.resources {
        name(&mut resource.name);
        resource.deployed_name.iter_mut().for_each(value);
        statements(&mut resource.policy);
    }
}
