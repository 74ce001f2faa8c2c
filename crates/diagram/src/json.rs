//! The graph for other programs: every node and edge with its place in the source.

use crate::reach::{Names, accesses};
use graph::{Application, Code, Function, Identity, Resource, Trigger};
use serde_json::{Value, json};
use source::{Sources, Span};

/// The application as nodes and edges.
///
/// Ids start with the kind of node (`function:`, `trigger:`, `identity:`, `resource:`), since a template may name a function as it names a
/// table. Edges: `feeds` (resource or function to trigger), `triggers` (trigger to function), `runs-as` (function to identity),
/// `accesses` (function to what it acts on by name: `granted` says whether a policy names it, `called` whether the code that was read
/// calls it).
pub fn json(application: &Application, sources: &Sources) -> Value {
    let mut nodes = Vec::new();
    let mut edges = Vec::new();
    for function in &application.functions {
        nodes.push(function_node(application, function, sources));
        if application.identity_of(function).is_some()
            && let Some(identity) = &function.identity
        {
            edges.push(json!({
                "from": format!("function:{}", function.name),
                "to": format!("identity:{identity}"),
                "kind": "runs-as",
                "place": place(sources, function.role.as_ref().map_or(function.span, |role| role.span)),
            }));
        }
    }
    let names = Names::of(application);
    for trigger in &application.triggers {
        let id = trigger_id(trigger);
        nodes.push(trigger_node(trigger, sources));
        let place = place(sources, trigger.span);
        let source = trigger.source.as_ref().and_then(|source| names.targets(source, None).first().copied());
        let source = source.and_then(|name| target(application, name));
        if let Some(source) = source {
            edges.push(json!({ "from": source, "to": id, "kind": "feeds", "place": place }));
        }
        edges.push(json!({
            "from": id,
            "to": format!("function:{}", trigger.function),
            "kind": "triggers",
            "label": trigger.label(),
            "exposure": trigger.exposure(),
            "place": place,
        }));
    }
    for identity in &application.identities {
        nodes.push(identity_node(identity, sources));
    }
    for resource in &application.resources {
        nodes.push(resource_node(resource, sources));
    }
    for access in accesses(application) {
        let Some(to) = target(application, &access.target) else { continue };
        edges.push(json!({
            "from": format!("function:{}", access.function),
            "to": to,
            "kind": "accesses",
            "actions": access.actions,
            "granted": access.granted,
            "called": access.called,
            "place": place(sources, access.span),
        }));
    }
    json!({
        "application": application.name,
        "provider": application.provider,
        "template": sources.get(application.template).map(source::SourceFile::path),
        "nodes": nodes,
        "edges": edges,
    })
}

fn place(sources: &Sources, span: Span) -> Value {
    let position = sources.position(span);
    json!({ "path": sources.path(span), "line": position.line, "column": position.column })
}

/// The id of what a name stands for: a resource or a function.
fn target(application: &Application, name: &str) -> Option<String> {
    match application.resource(name) {
        Some(_) => Some(format!("resource:{name}")),
        None => application.function(name).map(|_| format!("function:{name}")),
    }
}

fn trigger_id(trigger: &Trigger) -> String {
    format!("trigger:{}/{}", trigger.function, trigger.name)
}

fn function_node(application: &Application, function: &Function, sources: &Sources) -> Value {
    let (code, path) = match &function.code {
        Code::Local(setting) => ("local", Some(setting.value.as_str())),
        // The text itself is in the template.
        Code::Inline(_) => ("inline", None),
        Code::Image(setting) => ("image", Some(setting.value.as_str())),
        Code::Remote(setting) => ("remote", Some(setting.value.as_str())),
        Code::Unknown => ("unknown", None),
    };
    let mut node = json!({
        "id": format!("function:{}", function.name),
        "kind": "function",
        "name": function.name,
        "type": function.resource_type,
        "runtime": function.runtime.as_ref().map(|setting| &setting.value),
        "handler": function.handler.as_ref().map(|setting| &setting.value),
        "code": { "kind": code, "path": path },
        "identity": function.identity,
        "url": function.url.as_ref().map(|url| url.auth),
        "exposure": application.exposure(function),
        "place": place(sources, function.span),
    });
    if let Some(behaviour) = &function.behaviour {
        node["behaviour"] = json!({
            "calls": behaviour.calls.iter().map(|call| json!({
                "service": call.service,
                "operation": call.operation,
                "target": call.target,
                "place": place(sources, call.span),
            })).collect::<Vec<_>>(),
            "hosts": behaviour.hosts.iter().map(|host| json!({
                "host": host.host,
                "environment": host.environment,
                "port": host.port,
                "from_event": host.from_event,
                "place": place(sources, host.span),
            })).collect::<Vec<_>>(),
            "processes": behaviour.processes.iter().map(|process| json!({
                "program": process.program,
                "shell": process.shell,
                "place": place(sources, process.span),
            })).collect::<Vec<_>>(),
        });
    }
    node
}

fn trigger_node(trigger: &Trigger, sources: &Sources) -> Value {
    json!({
        "id": trigger_id(trigger),
        "kind": "trigger",
        "name": trigger.name,
        "trigger": trigger.kind,
        "source": trigger.source.as_ref().map(graph::Value::to_string),
        "method": trigger.method,
        "path": trigger.path,
        "authorization": trigger.authorization,
        "filter": trigger.filter,
        "exposure": trigger.exposure(),
        "place": place(sources, trigger.span),
    })
}

fn identity_node(identity: &Identity, sources: &Sources) -> Value {
    json!({
        "id": format!("identity:{}", identity.name),
        "kind": "identity",
        "name": identity.name,
        "generated": identity.generated,
        "statements": identity.statements.iter().map(|statement| json!({
            "effect": statement.effect,
            (if statement.not_actions { "not_actions" } else { "actions" }): statement.actions,
            (if statement.not_resources { "not_resources" } else { "resources" }):
                statement.resources.iter().map(graph::Value::to_string).collect::<Vec<_>>(),
            "condition": statement.condition,
            "origin": statement.origin,
            "place": place(sources, statement.span),
        })).collect::<Vec<_>>(),
        "unresolved_policies": identity.unresolved_policies.iter().map(|policy| policy.value.to_string()).collect::<Vec<_>>(),
        "place": place(sources, identity.span),
    })
}

fn resource_node(resource: &Resource, sources: &Sources) -> Value {
    json!({
        "id": format!("resource:{}", resource.name),
        "kind": "resource",
        "name": resource.name,
        "type": resource.resource_type,
        "resource": resource.kind,
        "deployed_name": resource.deployed_name.as_ref().map(graph::Value::to_string),
        "place": place(sources, resource.span),
    })
}
