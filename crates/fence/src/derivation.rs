//! From the graph to fences: each line with the place in the source that needs it.

use crate::{
    Body, EventFence, Fence, FunctionFence, InputFence, NetworkFence, PermissionFence, ProcessFence, Processes, Reach,
    Unresolved,
};
use graph::{Application, Behaviour, CallTarget, Code, Function, Part, Sink, Trigger, TriggerKind, Value};
use source::{Sources, Span};
use std::collections::{BTreeMap, BTreeSet};

/// Calls that every identity may make, whatever its policies say.
const NEEDS_NOTHING: [(&str, &str); 2] = [("sts", "GetCallerIdentity"), ("sts", "GetSessionToken")];

/// Works out the fence of every function of an application.
pub fn derive(application: &Application, sources: &Sources) -> Fence {
    let mut fence = Fence { version: 1, ..Fence::default() };
    let callers = callers(application);
    for function in &application.functions {
        let derived = FunctionDerivation { application, sources, function, callers: &callers }.run(&mut fence.schemas);
        fence.functions.insert(function.name.clone(), derived);
    }
    fence
}

/// Who invokes whom: by the name of a function, those whose code was seen to invoke it, each with the calls that do.
pub fn callers(application: &Application) -> BTreeMap<&str, Vec<(&Function, BTreeSet<Span>)>> {
    let deployed: BTreeMap<&str, &str> = application
        .functions
        .iter()
        .filter_map(|function| Some((function.deployed_name.as_ref()?.as_text()?, function.name.as_str())))
        .filter(|(deployed, _)| !deployed.is_empty())
        .collect();
    let mut callers: BTreeMap<&str, Vec<(&Function, BTreeSet<Span>)>> = BTreeMap::new();
    for caller in &application.functions {
        for call in caller.behaviour.iter().flat_map(|behaviour| &behaviour.calls) {
            if !call.actions.iter().any(|action| action == "lambda:InvokeFunction") {
                continue;
            }
            let Some(target) = call.target.resolve(&caller.environment) else { continue };
            let named = target.resources().filter_map(|name| application.function(name));
            let written = target.as_text().and_then(|name| application.function(deployed.get(name)?));
            for callee in named.chain(written) {
                let known = callers.entry(callee.name.as_str()).or_default();
                match known.last_mut().filter(|(last, _)| last.name == caller.name) {
                    Some((_, calls)) => {
                        calls.insert(call.span);
                    }
                    None => known.push((caller, BTreeSet::from([call.span]))),
                }
            }
        }
    }
    callers
}

struct FunctionDerivation<'a> {
    application: &'a Application,
    sources: &'a Sources,
    function: &'a Function,
    callers: &'a BTreeMap<&'a str, Vec<(&'a Function, BTreeSet<Span>)>>,
}

/// Lines under construction: what they say, and every place that needs them.
type Evidence<K> = BTreeMap<K, BTreeSet<Span>>;

impl FunctionDerivation<'_> {
    fn run(&self, schemas: &mut BTreeMap<String, serde_json::Value>) -> FunctionFence {
        let mut fence = FunctionFence { code: self.code(), ..FunctionFence::default() };
        for trigger in self.application.triggers_of(&self.function.name) {
            fence.events.push(self.event(trigger, schemas));
        }
        if let Some(url) = &self.function.url
            && !fence.events.iter().any(|event| event.source == TriggerKind::FunctionUrl.name())
        {
            fence.events.push(EventFence {
                source: TriggerKind::FunctionUrl.name().into(),
                authorization: Some(match url.auth {
                    graph::UrlAuth::None => "none".into(),
                    graph::UrlAuth::Iam => "IAM".into(),
                    graph::UrlAuth::Unknown => "unresolved".into(),
                }),
                because: Some(self.sources.place(url.span)),
                ..EventFence::default()
            });
        }
        if let Some(behaviour) = &self.function.behaviour {
            self.inputs(behaviour, &mut fence);
            self.calls(behaviour, &mut fence);
            self.network(behaviour, &mut fence);
            self.processes(behaviour, &mut fence);
            self.writes(behaviour, &mut fence);
        }
        if self.function.behaviour.as_ref().is_none_or(|behaviour| behaviour.handler.is_none()) {
            // Empty lists would read as "it needs nothing", which nobody has seen.
            let place = self.function.handler.as_ref().map_or(self.function.span, |handler| handler.span);
            let what = format!("all that its code does: {}", self.unread());
            self.unresolved(Evidence::from([(what, BTreeSet::from([place]))]), &mut fence);
        }
        self.callers(&mut fence);
        fence.events.sort_by(|left, right| (&left.source, left.label()).cmp(&(&right.source, right.label())));
        fence.events.dedup_by(|later, first| later.source == first.source && later.label() == first.label());
        fence
    }

    /// Why the function's code tells nothing.
    fn unread(&self) -> String {
        match (&self.function.behaviour, &self.function.code, &self.function.runtime) {
            (Some(_), ..) => "its handler wasn't found".to_string(),
            (None, Code::Local(_) | Code::Inline(_), Some(runtime)) => match runtime.value.as_str() {
                known if known.starts_with("python") || known.starts_with("nodejs") => {
                    "its handler wasn't found".to_string()
                }
                other => format!("code of `{other}` isn't read"),
            },
            (None, Code::Local(_) | Code::Inline(_), None) => "the template names no runtime".to_string(),
            _ => "it isn't among what was scanned".to_string(),
        }
    }

    fn code(&self) -> Option<String> {
        let handler = self.function.handler.as_ref()?;
        let name = handler.value.rsplit('.').next().unwrap_or(&handler.value);
        if let Some(span) = self.function.behaviour.as_ref().and_then(|behaviour| behaviour.handler) {
            return Some(format!("{}#{name}", self.sources.path(span)));
        }
        match &self.function.code {
            Code::Local(root) => Some(format!("{}/{}", root.value.trim_end_matches('/'), handler.value)),
            _ => Some(handler.value.clone()),
        }
    }

    fn event(&self, trigger: &Trigger, schemas: &mut BTreeMap<String, serde_json::Value>) -> EventFence {
        let mut event = EventFence {
            source: trigger.kind.name().into(),
            method: trigger.method.clone(),
            path: trigger.path.clone(),
            authorization: trigger.authorization.as_ref().map(ToString::to_string),
            report_batch_item_failures: trigger.report_batch_item_failures,
            because: Some(self.sources.place(trigger.span)),
            ..EventFence::default()
        };
        // A URL takes any method and any path.
        if trigger.kind == TriggerKind::FunctionUrl {
            event.method = None;
            event.path = None;
        }
        if let Some(source) = &trigger.source {
            let shown = source.resource().map_or_else(|| source.to_string(), str::to_string);
            event.name = self.deployed_glob(source);
            let key = match trigger.kind {
                TriggerKind::Sqs => &mut event.queue,
                TriggerKind::Sns => &mut event.topic,
                TriggerKind::S3 => &mut event.bucket,
                TriggerKind::DynamodbStream => &mut event.table,
                _ => &mut event.from,
            };
            // An API names itself by its route; its logical id would only be noise.
            if !trigger.kind.is_http() {
                *key = Some(shown);
            } else {
                event.name = None;
            }
        }
        if let Some(schema) = &trigger.body_schema {
            let mut document = schema.schema.clone();
            if let Some(object) = document.as_object_mut() {
                object.insert("because".into(), self.sources.place(schema.span).into());
            }
            schemas.entry(schema.name.clone()).or_insert(document);
            event.body = Some(Body::reference(&schema.name));
        }
        event
    }

    /// A glob for the name a resource gets when it is deployed: what the template says, with `*` for what it leaves open.
    fn deployed_glob(&self, value: &Value) -> Option<String> {
        let Some(name) = value.resource() else {
            // An ARN or a name written out: its last part is the name.
            let text = glob(value);
            let last = text.rsplit(['/', ':']).next().unwrap_or(&text).to_string();
            return (!last.is_empty() && last != "*").then_some(last);
        };
        match self.application.resource(name).map(|resource| &resource.deployed_name) {
            Some(Some(deployed)) => Some(glob(deployed)).filter(|text| text.chars().any(|letter| letter != '*')),
            // The platform makes the name up around the logical id; buckets in lower case, which globs here don't mind.
            Some(None) => Some(format!("*{name}*")),
            None => None,
        }
    }

    fn calls(&self, behaviour: &Behaviour, fence: &mut FunctionFence) {
        let mut permissions: Evidence<(String, String, Option<String>)> = Evidence::new();
        let mut unresolved: Evidence<String> = Evidence::new();
        for call in &behaviour.calls {
            if call.actions.is_empty() {
                if NEEDS_NOTHING.contains(&(call.service.as_str(), call.operation.as_str())) {
                    continue;
                }
                let what = format!("calls {}.{}, whose permission the data doesn't tell", call.service, call.operation);
                unresolved.entry(what).or_default().insert(call.span);
                continue;
            }
            let target = call.target.resolve(&self.function.environment).or_else(|| self.triggering_bucket(call));
            let (on, name) = match target {
                Some(value) if !value.has_unknown() && !value.parts().is_empty() => self.target(&value),
                _ => {
                    let why = match &call.target {
                        CallTarget::None => None,
                        CallTarget::Environment(variable) => {
                            Some(format!("on what `{variable}` holds, which the template doesn't set"))
                        }
                        CallTarget::Event => Some("on what the caller chooses".to_string()),
                        _ => Some("on something its source doesn't tell".to_string()),
                    };
                    if let Some(why) = why {
                        let what = format!("{} {why}", call.actions.join(", "));
                        unresolved.entry(what).or_default().insert(call.span);
                    }
                    ("*".to_string(), None)
                }
            };
            // An operation may ask for a permission of another service besides its own: to read the secret that opens a
            // database, to pass a role. That one is about something else than what the call names.
            let own = call.actions.iter().find_map(|action| {
                let (service, operation) = action.split_once(':')?;
                (operation == call.operation).then_some(service)
            });
            for action in &call.actions {
                let foreign = own.is_some_and(|own| action.split_once(':').is_some_and(|(service, _)| service != own));
                if foreign && on != "*" {
                    let what = format!("{action} on something its source doesn't tell");
                    unresolved.entry(what).or_default().insert(call.span);
                    let anything = ("*".to_string(), action.clone(), None);
                    permissions.entry(anything).or_default().insert(call.span);
                    continue;
                }
                if action == "lambda:InvokeFunction"
                    && self.application.function(&on).is_some()
                    && !fence.invokes.contains(&on)
                {
                    fence.invokes.push(on.clone());
                }
                permissions.entry((on.clone(), action.clone(), name.clone())).or_default().insert(call.span);
            }
        }
        fence.invokes.sort();
        fence.permissions = permissions
            .into_iter()
            .map(|((on, action, name), spans)| PermissionFence {
                allow: Some(action),
                deny: None,
                on,
                name,
                because: Some(self.because(&spans)),
            })
            .collect();
        self.unresolved(unresolved, fence);
    }

    /// The bucket whose events start the function, where an object of the event is what a call is about: events of another
    /// bucket are outside the fence, so this is the only one it can be.
    fn triggering_bucket(&self, call: &graph::CloudCall) -> Option<Value> {
        if call.service != "s3" || call.target != CallTarget::Event {
            return None;
        }
        let mut buckets = self.application.triggers_of(&self.function.name).map(|trigger| match trigger.kind {
            TriggerKind::S3 => trigger.source.clone(),
            _ => None,
        });
        let bucket = buckets.next()??;
        buckets.all(|other| other.as_ref() == Some(&bucket)).then_some(bucket)
    }

    /// The name of a call's target for people, and a glob for its deployed name.
    fn target(&self, value: &Value) -> (String, Option<String>) {
        if let Some(name) = value.resource() {
            let glob = self.deployed_glob(value);
            return (name.to_string(), glob);
        }
        // `https://sqs.../${Queue}` and `${Bucket}/prefix` still name one resource of the template.
        let named: BTreeSet<&str> = value
            .resources()
            .filter(|name| self.application.resource(name).is_some() || self.application.function(name).is_some())
            .collect();
        if let (1, Some(name)) = (named.len(), named.iter().next()) {
            return ((*name).to_string(), self.deployed_glob(&Value::part(Part::Ref((*name).to_string()))));
        }
        let text = glob(value);
        // The name alone, where the whole is a queue's URL or an ARN written out.
        let name = match text.rsplit_once(['/', ':']) {
            Some((before, last)) if before.starts_with("https://sqs.") || before.starts_with("arn:") => last,
            _ => &text,
        };
        // A name that some resource or function is deployed under means that one.
        let resources = self.application.resources.iter().map(|resource| (&resource.name, &resource.deployed_name));
        let functions = self.application.functions.iter().map(|function| (&function.name, &function.deployed_name));
        let mut owners = resources.chain(functions).filter(|(_, deployed)| {
            let Some(deployed) = deployed else { return false };
            let pattern = glob(deployed);
            // Where all of a name is open, any name would do, unless both are open in the same way (one parameter for both).
            if pattern.contains(char::is_alphanumeric) { pattern == name } else { deployed == value }
        });
        match owners.next() {
            // A parameter that names two resources doesn't tell which of them is meant.
            Some((owner, _)) if name.contains(char::is_alphanumeric) || owners.next().is_none() => {
                (owner.clone(), Some(name.to_string()))
            }
            _ => (text, None),
        }
    }

    /// Fields whose text reaches a place where it is more than data. The event as a whole is no field: what holds of it holds of
    /// nothing in particular.
    fn inputs(&self, behaviour: &Behaviour, fence: &mut FunctionFence) {
        let mut fields: BTreeMap<&str, (BTreeSet<Reach>, BTreeSet<Span>)> = BTreeMap::new();
        for flow in &behaviour.flows {
            let reach = match flow.sink {
                Sink::Shell | Sink::Process => Reach::Shell,
                Sink::Sql => Reach::Sql,
                Sink::PathRead | Sink::PathWrite => Reach::Path,
                Sink::Url => Reach::Url,
                Sink::Html => Reach::Html,
                Sink::Eval | Sink::Template => Reach::Code,
                _ => continue,
            };
            if matches!(flow.source.as_str(), "" | "body" | "Records" | "Records[]" | "detail") {
                continue;
            }
            let (reaches, spans) = fields.entry(flow.source.as_str()).or_default();
            reaches.insert(reach);
            spans.insert(flow.span);
        }
        fence.inputs = fields
            .into_iter()
            .map(|(field, (reaches, spans))| InputFence {
                field: field.to_string(),
                reaches: reaches.into_iter().collect(),
                kind: None,
                because: Some(self.because(&spans)),
            })
            .collect();
    }

    fn network(&self, behaviour: &Behaviour, fence: &mut FunctionFence) {
        let mut hosts: Evidence<(String, u16)> = Evidence::new();
        let mut unresolved: Evidence<String> = Evidence::new();
        for outbound in &behaviour.hosts {
            let from_environment = || {
                let variable = outbound.environment.as_ref()?;
                let held = self.function.environment.iter().find(|candidate| candidate.name == *variable)?;
                host_and_port(held.value.as_text()?, outbound.port)
            };
            let known = outbound.host.clone().map(|host| (host, outbound.port)).or_else(from_environment);
            match known {
                Some(line) => {
                    hosts.entry(line).or_default().insert(outbound.span);
                }
                None => {
                    let what = match (&outbound.environment, outbound.from_event) {
                        (_, true) => "talks to a host that the caller chooses".to_string(),
                        (Some(variable), _) => {
                            let held = self.function.environment.iter().find(|candidate| candidate.name == *variable);
                            match held.map(|held| &held.value).filter(|value| !value.has_unknown()) {
                                Some(value) if !value.parts().is_empty() && value.as_text().is_none() => {
                                    let text = glob(value);
                                    let host = text.split_once("://").map_or(text.as_str(), |(_, rest)| rest);
                                    let host = host.split('/').next().and_then(|host| host.rsplit('@').next());
                                    let host = host.unwrap_or("*");
                                    format!(
                                        "talks to the host in `{variable}`, which only deployment settles (`{host}`)"
                                    )
                                }
                                _ => format!("talks to the host in `{variable}`, which the template doesn't tell"),
                            }
                        }
                        _ => "talks to a host that its source doesn't tell".to_string(),
                    };
                    unresolved.entry(what).or_default().insert(outbound.span);
                }
            }
        }
        fence.network = hosts
            .into_iter()
            .map(|((host, port), spans)| NetworkFence { host, port, because: Some(self.because(&spans)) })
            .collect();
        self.unresolved(unresolved, fence);
    }

    fn processes(&self, behaviour: &Behaviour, fence: &mut FunctionFence) {
        let mut programs: Evidence<String> = Evidence::new();
        let mut unresolved: Evidence<String> = Evidence::new();
        for start in &behaviour.processes {
            if start.shell {
                programs.entry("sh".into()).or_default().insert(start.span);
            }
            match &start.program {
                Some(program) => {
                    let name = program.rsplit('/').next().unwrap_or(program).to_string();
                    programs.entry(name).or_default().insert(start.span);
                }
                None => {
                    let what = "starts a program that its source doesn't tell".to_string();
                    unresolved.entry(what).or_default().insert(start.span);
                }
            }
        }
        if !programs.is_empty() {
            let list =
                programs.into_iter().map(|(run, spans)| ProcessFence { run, because: Some(self.because(&spans)) });
            fence.processes = Processes::List(list.collect());
        }
        self.unresolved(unresolved, fence);
    }

    fn writes(&self, behaviour: &Behaviour, fence: &mut FunctionFence) {
        for write in &behaviour.writes {
            let Some(path) = write.path.as_deref().filter(|path| path.starts_with('/')) else { continue };
            let folder = match path.trim_start_matches('/').split_once('/') {
                Some((first, _)) => format!("/{first}"),
                None => path.to_string(),
            };
            if !fence.files.write.contains(&folder) {
                fence.files.write.push(folder);
            }
        }
        fence.files.write.sort();
    }

    /// Other functions whose code invokes this one are a source of events.
    fn callers(&self, fence: &mut FunctionFence) {
        for (caller, invoking) in self.callers.get(self.function.name.as_str()).into_iter().flatten() {
            fence.events.push(EventFence {
                source: TriggerKind::Function.name().into(),
                from: Some(caller.name.clone()),
                because: Some(self.because(invoking)),
                ..EventFence::default()
            });
        }
    }

    fn unresolved(&self, lines: Evidence<String>, fence: &mut FunctionFence) {
        for (what, spans) in lines {
            fence.unresolved.push(Unresolved { what, because: Some(self.because(&spans)) });
        }
        fence.unresolved.sort_by(|left, right| left.what.cmp(&right.what));
    }

    /// `src/app.py:12, src/app.py:31`: at most three places, then how many more there are.
    fn because(&self, spans: &BTreeSet<Span>) -> String {
        const SHOWN: usize = 3;
        let places: BTreeSet<(String, u32)> = spans
            .iter()
            .map(|span| (self.sources.path(*span).to_string(), self.sources.position(*span).line))
            .collect();
        let shown: Vec<String> = places.iter().take(SHOWN).map(|(path, line)| format!("{path}:{line}")).collect();
        let mut text = shown.join(", ");
        if places.len() > SHOWN {
            text.push_str(&format!(" and {} more", places.len() - SHOWN));
        }
        text
    }
}

/// The value as a glob: `*` for every part that only deployment knows.
fn glob(value: &Value) -> String {
    let mut text = String::new();
    for part in value.parts() {
        match part {
            Part::Text(known) => text.push_str(known),
            _ if text.ends_with('*') => {}
            _ => text.push('*'),
        }
    }
    text
}

/// Host and port of a URL or of `host[:port]`.
fn host_and_port(text: &str, port: u16) -> Option<(String, u16)> {
    let (scheme_port, rest) = match text.split_once("://") {
        Some(("http", rest)) => (80, rest),
        Some((_, rest)) => (443, rest),
        None => (port, text),
    };
    let authority = rest.split(['/', '?', '#']).next()?.rsplit('@').next()?;
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, digits)) => (host, digits.parse().ok()?),
        None => (authority, scheme_port),
    };
    let valid = !host.is_empty()
        && host.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_'));
    valid.then(|| (host.to_ascii_lowercase(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_and_bare_hosts_are_told_apart() {
        assert_eq!(host_and_port("https://api.stripe.com/v1", 443), Some(("api.stripe.com".into(), 443)));
        assert_eq!(host_and_port("http://user@h.example:8080/x", 443), Some(("h.example".into(), 8080)));
        assert_eq!(host_and_port("db.internal", 5432), Some(("db.internal".into(), 5432)));
        assert_eq!(host_and_port("not a host", 443), None);
    }
}
