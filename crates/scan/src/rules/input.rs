//! What a team's rules are handed as `input`: the estate as JSON, described in `docs/reference/rules.md`.

use crate::Loaded;
use crate::callers::Callers;
use findings::Finding;
use graph::{
    Application, Behaviour, CallTarget, Code, Function, Identity, Resource, Statement, Trigger, Value as Text,
};
use serde_json::{Value, json};
use source::{SourceFile, Sources, Span};

/// The estate. `secrets` are places whose text is handed to nobody.
pub(super) fn input(loaded: &Loaded, findings: &[Finding], secrets: &[Span]) -> Value {
    let sources = &loaded.sources;
    let mut all = Lists::default();
    for application in &loaded.estate.applications {
        let template = sources.get(application.template).map_or("", SourceFile::path);
        let callers = Callers::of(application);
        let scope = Scope { sources, secrets, application, template };
        all.applications.push(json!({ "name": application.name, "template": template, "format": application.format }));
        for function in &application.functions {
            let exposure = callers.exposure(application, function).name();
            all.functions.push(scope.function(function, exposure, callers.names(function)));
        }
        all.triggers.extend(application.triggers.iter().map(|trigger| scope.trigger(trigger)));
        all.identities.extend(application.identities.iter().map(|identity| scope.identity(identity)));
        all.resources.extend(application.resources.iter().map(|resource| scope.resource(resource)));
    }
    let findings: Vec<Value> = findings
        .iter()
        .map(|finding| {
            json!({
                "id": finding.id,
                "severity": finding.severity,
                "confidence": finding.confidence,
                "title": finding.title,
                "function": finding.function,
                "cwe": finding.cwe,
                "location": place(sources, finding.primary.span),
            })
        })
        .collect();
    let mut input = json!({
        "ringfence": env!("CARGO_PKG_VERSION"),
        "applications": all.applications,
        "functions": all.functions,
        "triggers": all.triggers,
        "identities": all.identities,
        "resources": all.resources,
        "findings": findings,
    });
    drop_nulls(&mut input);
    input
}

/// Leaves out what isn't said: `not f.timeout` holds for what isn't there, and doesn't for null. What people wrote stays as it is.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            for (_, field) in fields.iter_mut().filter(|(key, _)| !matches!(key.as_str(), "properties" | "condition")) {
                drop_nulls(field);
            }
        }
        Value::Array(entries) => entries.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

#[derive(Default)]
struct Lists {
    applications: Vec<Value>,
    functions: Vec<Value>,
    triggers: Vec<Value>,
    identities: Vec<Value>,
    resources: Vec<Value>,
}

/// What every node of an application is written with.
struct Scope<'a> {
    sources: &'a Sources,
    secrets: &'a [Span],
    application: &'a Application,
    template: &'a str,
}

impl Scope<'_> {
    fn function(&self, function: &Function, exposure: &str, callers: &[&str]) -> Value {
        let setting = |setting: &Option<graph::Setting<i64>>| setting.as_ref().map(|setting| setting.value);
        let environment: Vec<Value> = function
            .environment
            .iter()
            .map(|variable| {
                let secret = self.secrets.iter().any(|secret| {
                    secret.file == variable.span.file
                        && secret.start < variable.span.end
                        && variable.span.start < secret.end
                });
                let value = (!secret).then(|| variable.value.to_string());
                json!({ "name": variable.name, "value": value, "location": place(self.sources, variable.span) })
            })
            .collect();
        let (code, path) = match &function.code {
            Code::Local(path) => ("local", Some(&path.value)),
            Code::Image(image) => ("image", Some(&image.value)),
            Code::Remote(place) => ("remote", Some(&place.value)),
            Code::Inline(_) => ("inline", None),
            Code::Unknown => ("unknown", None),
        };
        json!({
            "name": function.name,
            "application": self.application.name,
            "template": self.template,
            "type": function.resource_type,
            "deployed_name": text(function.deployed_name.as_ref()),
            "runtime": function.runtime.as_ref().map(|runtime| &runtime.value),
            "handler": function.handler.as_ref().map(|handler| &handler.value),
            "code": { "kind": code, "path": path },
            "exposure": exposure,
            "callers": callers,
            "identity": function.identity,
            "role": text(function.role.as_ref().map(|role| &role.value)),
            "url": function.url.as_ref().map(|url| json!({ "auth": url.auth })),
            "timeout": setting(&function.timeout),
            "memory": setting(&function.memory),
            "reserved_concurrency": setting(&function.reserved_concurrency),
            "architecture": function.architecture,
            "tracing": function.tracing,
            "in_vpc": function.in_vpc,
            "layers": function.layers.iter().map(|layer| layer.value.to_string()).collect::<Vec<_>>(),
            "dead_letter": text(function.dead_letter.as_ref().map(|target| &target.value)),
            "log_group": function.log_group,
            "environment": environment,
            "triggers": self.application.triggers_of(&function.name).map(|trigger| self.trigger(trigger)).collect::<Vec<_>>(),
            "behaviour": function.behaviour.as_ref().map(|behaviour| self.behaviour(behaviour, function)),
            "location": place(self.sources, function.span),
        })
    }

    fn behaviour(&self, behaviour: &Behaviour, function: &Function) -> Value {
        let at = |span| place(self.sources, span);
        let calls: Vec<Value> = behaviour
            .calls
            .iter()
            .map(|call| {
                let target = match &call.target {
                    CallTarget::Event => Some("caller's choice".to_string()),
                    target => target.resolve(&function.environment).map(|value| value.to_string()),
                };
                json!({ "service": call.service, "operation": call.operation, "actions": call.actions, "target": target, "location": at(call.span) })
            })
            .collect();
        let hosts: Vec<Value> = behaviour
            .hosts
            .iter()
            .map(|host| json!({ "host": host.host, "port": host.port, "from_event": host.from_event, "location": at(host.span) }))
            .collect();
        let processes: Vec<Value> = behaviour
            .processes
            .iter()
            .map(|process| json!({ "program": process.program, "shell": process.shell, "location": at(process.span) }))
            .collect();
        let writes: Vec<Value> =
            behaviour.writes.iter().map(|write| json!({ "path": write.path, "location": at(write.span) })).collect();
        json!({ "calls": calls, "hosts": hosts, "processes": processes, "writes": writes, "imports": behaviour.imports })
    }

    fn trigger(&self, trigger: &Trigger) -> Value {
        json!({
            "function": trigger.function,
            "name": trigger.name,
            "application": self.application.name,
            "template": self.template,
            "kind": trigger.kind.name(),
            "exposure": trigger.exposure().name(),
            "authorization": trigger.authorization.as_ref().map(ToString::to_string),
            "method": trigger.method,
            "path": trigger.path,
            "source": text(trigger.source.as_ref()),
            "filter": trigger.filter,
            "body_schema": trigger.body_schema.is_some(),
            "location": place(self.sources, trigger.span),
        })
    }

    fn identity(&self, identity: &Identity) -> Value {
        json!({
            "name": identity.name,
            "application": self.application.name,
            "template": self.template,
            "kind": identity.kind,
            "generated": identity.generated,
            "deployed_name": text(identity.deployed_name.as_ref()),
            "groups": identity.groups,
            "statements": self.statements(&identity.statements),
            "trust": self.statements(&identity.trust),
            "boundary": text(identity.boundary.as_ref()),
            "unresolved_policies": identity.unresolved_policies.iter().map(|policy| policy.value.to_string()).collect::<Vec<_>>(),
            "location": place(self.sources, identity.span),
        })
    }

    fn resource(&self, resource: &Resource) -> Value {
        json!({
            "name": resource.name,
            "application": self.application.name,
            "template": self.template,
            "type": resource.resource_type,
            "kind": resource.kind.name(),
            "deployed_name": text(resource.deployed_name.as_ref()),
            "properties": resource.properties,
            "policy": self.statements(&resource.policy),
            "location": place(self.sources, resource.span),
        })
    }

    fn statements(&self, statements: &[Statement]) -> Vec<Value> {
        let texts = |values: &[Text]| values.iter().map(ToString::to_string).collect::<Vec<_>>();
        statements
            .iter()
            .map(|statement| {
                json!({
                    "effect": statement.effect,
                    "actions": statement.actions,
                    "not_actions": statement.not_actions,
                    "resources": texts(&statement.resources),
                    "not_resources": statement.not_resources,
                    "principals": texts(&statement.principals),
                    "condition": statement.condition,
                    "origin": statement.origin,
                    "location": place(self.sources, statement.span),
                })
            })
            .collect()
    }
}

fn text(value: Option<&Text>) -> Option<String> {
    value.map(ToString::to_string)
}

fn place(sources: &Sources, span: Span) -> Value {
    let position = sources.position(span);
    json!({ "file": sources.path(span), "line": position.line, "column": position.column })
}
