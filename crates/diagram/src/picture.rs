//! What is drawn: the application reduced to boxes and lines, the same for every output.
//!
//! Routes of one API to one function become one box, parallel lines become one, and a role that several functions share becomes a
//! box of its own where that saves lines. Permissions on everything have no line; they are a mark at the function.

use crate::reach::{Names, accesses, wide_actions};
use graph::{
    Application, Authorization, Exposure, FlowKind, Function, Resource, ResourceKind, Trigger, TriggerKind, UrlAuth,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;

/// What a box stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Who or what sends from outside.
    Outside(Outside),
    /// What an event comes in by without being a resource of the template: an API that SAM makes, another account's queue.
    Source(TriggerKind),
    /// Routes, a schedule, a URL.
    Entry(TriggerKind),
    Function,
    /// An identity that several functions share.
    Role,
    Resource(ResourceKind),
}

/// Who or what sends from outside of the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outside {
    Internet,
    Callers,
    Devices,
    Mail,
    Clock,
    Account,
    Deployment,
}

impl Outside {
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Internet => ("Internet", "anyone", "Anyone on the internet, without credentials"),
            Self::Callers => ("Callers", "authenticated", "Callers who authenticate first"),
            Self::Devices => ("Devices", "IoT messages", "Devices that publish messages"),
            Self::Mail => ("Mail", "anyone's letters", "Anyone who writes to an address of the application"),
            Self::Clock => ("Clock", "schedules", "The platform's own clock"),
            Self::Account => ("Account", "events", "Events of services and applications in this account"),
            Self::Deployment => ("Deployment", "CloudFormation", "CloudFormation, when the stack is deployed"),
        }
    }

    fn exposure(self) -> Exposure {
        match self {
            Self::Internet | Self::Mail => Exposure::Public,
            Self::Callers => Exposure::Authenticated,
            Self::Devices | Self::Account => Exposure::Fed,
            Self::Clock | Self::Deployment => Exposure::Internal,
        }
    }
}

/// A box.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    /// As the template names it; not yet escaped or cut.
    pub(crate) name: String,
    /// The small second line.
    pub(crate) detail: String,
    /// Everything else worth saying, line by line.
    pub(crate) title: String,
    /// Functions and what leads to them.
    pub(crate) exposure: Option<Exposure>,
    /// The function is allowed something on every resource of a service.
    pub(crate) wide: bool,
}

/// A line.
#[derive(Debug, Clone)]
pub(crate) struct Edge {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) kind: FlowKind,
    /// The public comes in along it.
    pub(crate) public: bool,
    /// The other direction is there as well.
    pub(crate) both: bool,
    /// Allowed, but the code was read and doesn't do it.
    pub(crate) unused: bool,
    pub(crate) labels: BTreeSet<String>,
}

/// Boxes and lines.
#[derive(Debug, Clone, Default)]
pub(crate) struct Picture {
    pub(crate) nodes: Vec<Node>,
    pub(crate) edges: Vec<Edge>,
    /// Keys start with what kind of name they hold, since a template may name anything anything.
    nodes_by_key: HashMap<String, usize>,
    edges_by_ends: HashMap<(usize, usize), usize>,
}

impl Picture {
    /// The picture of an application.
    pub(crate) fn of(application: &Application) -> Self {
        let mut picture = Self::default();
        for function in &application.functions {
            picture.function(application, function);
        }
        let names = Names::of(application);
        for trigger in &application.triggers {
            picture.trigger(application, &names, trigger);
        }
        for function in &application.functions {
            picture.url(application, function);
        }
        picture.accesses(application);
        for resource in &application.resources {
            if resource.kind != ResourceKind::Other {
                picture.resource(resource);
            }
        }
        picture.merge_opposites();
        picture
    }

    /// The box of a function.
    pub(crate) fn function_index(&self, name: &str) -> Option<usize> {
        self.nodes_by_key.get(&format!("function {name}")).copied()
    }

    /// For each box whether a line touches it.
    pub(crate) fn connected(&self) -> Vec<bool> {
        let mut connected = vec![false; self.nodes.len()];
        for edge in &self.edges {
            connected[edge.from] = true;
            connected[edge.to] = true;
        }
        connected
    }

    /// Drops what comes after so many boxes and lines; says how many of them that were.
    pub(crate) fn limit(&mut self, boxes: usize, lines: usize) -> usize {
        let before = self.nodes.len() + self.edges.len();
        self.nodes.truncate(boxes);
        let count = self.nodes.len();
        self.edges.retain(|edge| edge.from < count && edge.to < count);
        self.edges.truncate(lines);
        before - self.nodes.len() - self.edges.len()
    }

    fn node(&mut self, key: String, make: impl FnOnce() -> Node) -> usize {
        if let Some(&index) = self.nodes_by_key.get(&key) {
            return index;
        }
        let index = self.nodes.len();
        self.nodes.push(make());
        self.nodes_by_key.insert(key, index);
        index
    }

    fn edge(&mut self, from: usize, to: usize, kind: FlowKind, public: bool, label: &str) -> Option<usize> {
        if from == to {
            return None;
        }
        let index = *self.edges_by_ends.entry((from, to)).or_insert(self.edges.len());
        if index == self.edges.len() {
            self.edges.push(Edge { from, to, kind, public, both: false, unused: false, labels: BTreeSet::new() });
        }
        let edge = &mut self.edges[index];
        edge.public |= public;
        if kind == FlowKind::Triggers {
            edge.kind = kind;
        }
        if !label.is_empty() {
            edge.labels.insert(label.to_owned());
        }
        Some(index)
    }

    fn function(&mut self, application: &Application, function: &Function) {
        let exposure = application.exposure(function);
        let identity = application.identity_of(function);
        let wide = identity.map(|identity| wide_actions(&identity.statements)).unwrap_or_default();
        let mut detail = function.runtime.as_ref().map_or("", |runtime| runtime.value.as_str()).to_owned();
        let runs_as = match identity {
            Some(identity) if identity.generated => "own role",
            Some(identity) => identity.name.as_str(),
            None => "role from elsewhere",
        };
        if !detail.is_empty() {
            detail.push_str(" · ");
        }
        detail.push_str(runs_as);
        let mut title = format!("{}\nReached by: {}\nRuns as: {runs_as}", function.name, describe(exposure));
        if let Some(handler) = &function.handler {
            let _ = write!(title, "\nHandler: {}", handler.value);
        }
        if !wide.is_empty() {
            let _ = write!(title, "\nOn every resource: {}", list(&wide, 12));
        }
        self.node(format!("function {}", function.name), || Node {
            kind: Kind::Function,
            name: function.name.clone(),
            detail,
            title,
            exposure: Some(exposure),
            wide: !wide.is_empty(),
        });
    }

    fn resource(&mut self, resource: &Resource) -> usize {
        self.node(format!("resource {}", resource.name), || Node {
            kind: Kind::Resource(resource.kind),
            name: resource.name.clone(),
            detail: match resource.kind {
                // Its type says more than "resource".
                ResourceKind::Other => resource.resource_type.rsplit("::").next().unwrap_or_default().to_owned(),
                kind => kind_words(kind).to_owned(),
            },
            title: format!("{}\n{}", resource.name, resource.resource_type),
            exposure: None,
            wide: false,
        })
    }

    fn outside(&mut self, outside: Outside) -> usize {
        let (name, detail, title) = outside.words();
        self.node(format!("outside {name}"), || Node {
            kind: Kind::Outside(outside),
            name: name.to_owned(),
            detail: detail.to_owned(),
            title: title.to_owned(),
            exposure: Some(outside.exposure()),
            wide: false,
        })
    }

    /// The box that a trigger's events come out of, where it has a source: of the template or not.
    fn source(&mut self, application: &Application, names: &Names<'_>, trigger: &Trigger) -> Option<usize> {
        let source = trigger.source.as_ref()?;
        if let Some(&name) = names.targets(source, None).first() {
            return match application.resource(name) {
                Some(resource) => Some(self.resource(resource)),
                None => self.function_index(name),
            };
        }
        let text = source.to_string();
        let name = source.resource().map_or_else(|| short_arn(&text), str::to_owned);
        Some(self.node(format!("source {text}"), || Node {
            kind: Kind::Source(trigger.kind),
            title: format!("{text}\nNot a resource of this template"),
            name,
            detail: trigger_words(trigger.kind).to_owned(),
            exposure: None,
            wide: false,
        }))
    }

    fn trigger(&mut self, application: &Application, names: &Names<'_>, trigger: &Trigger) {
        let Some(function) = self.function_index(&trigger.function) else { return };
        let exposure = trigger.exposure();
        let public = exposure == Exposure::Public;
        let outside = outside(trigger).map(|outside| self.outside(outside));
        let source = self.source(application, names, trigger);
        let label = trigger.label();
        let has_routes = trigger.kind.is_http() || trigger.kind == TriggerKind::AppSync;

        // From outside to function: outside -> source -> entry -> function, of which any may be missing.
        let mut way: Vec<usize> = outside.into_iter().collect();
        if has_routes && trigger.kind != TriggerKind::FunctionUrl {
            let source = source.unwrap_or_else(|| {
                self.node(format!("source kind {}", trigger.kind.name()), || Node {
                    kind: Kind::Source(trigger.kind),
                    name: trigger_words(trigger.kind).to_owned(),
                    detail: "implicit".to_owned(),
                    title: "Not a resource of this template".to_owned(),
                    exposure: None,
                    wide: false,
                })
            });
            way.push(source);
        } else if let Some(source) = source {
            way.push(source);
        }
        if has_routes || source.is_none() {
            let guard = trigger.authorization.as_ref().map(Authorization::to_string).unwrap_or_default();
            let key = format!("entry {} {} {guard} {:?}", trigger.function, trigger.kind.name(), way.last());
            let entry = self.node(key, || Node {
                kind: Kind::Entry(trigger.kind),
                name: entry_name(trigger),
                detail: String::new(),
                title: match has_routes {
                    true if guard.is_empty() => "Callers are told apart by: not said".to_owned(),
                    true => format!("Callers are told apart by: {guard}"),
                    false => trigger_words(trigger.kind).to_owned(),
                },
                exposure: Some(exposure),
                wide: false,
            });
            let node = &mut self.nodes[entry];
            let _ = write!(node.title, "\n{label}");
            // The routes after the first are counted; the title lists them.
            let more = node.title.lines().count().saturating_sub(2);
            node.detail = if more > 0 { format!("+{more}") } else { String::new() };
            way.push(entry);
        }
        way.push(function);
        for pair in way.windows(2) {
            self.edge(pair[0], pair[1], FlowKind::Triggers, public, &label);
        }
    }

    /// A function's URL, where no trigger stands for it.
    fn url(&mut self, application: &Application, function: &Function) {
        let Some(url) = &function.url else { return };
        if application.triggers_of(&function.name).any(|trigger| trigger.kind == TriggerKind::FunctionUrl) {
            return;
        }
        let Some(to) = self.function_index(&function.name) else { return };
        let public = url.auth == UrlAuth::None;
        let from = self.outside(if public { Outside::Internet } else { Outside::Callers });
        let entry = self.node(format!("entry {} url", function.name), || Node {
            kind: Kind::Entry(TriggerKind::FunctionUrl),
            name: "Function URL".to_owned(),
            detail: String::new(),
            title: format!(
                "Function URL of {}\nCallers are told apart by: {}",
                function.name,
                match url.auth {
                    UrlAuth::None => "none",
                    UrlAuth::Iam => "IAM",
                    UrlAuth::Unknown => "can't be told",
                }
            ),
            exposure: Some(if public { Exposure::Public } else { Exposure::Authenticated }),
            wide: false,
        });
        self.edge(from, entry, FlowKind::Triggers, public, "function URL");
        self.edge(entry, to, FlowKind::Triggers, public, "function URL");
    }

    /// The lines of permissions and calls; a role that several functions share gets a box where that saves lines.
    fn accesses(&mut self, application: &Application) {
        let accesses = accesses(application);
        let mut ends = Vec::with_capacity(accesses.len());
        // What is written of each role, and who runs as it.
        let mut targets: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
        let mut users: BTreeMap<&str, usize> = BTreeMap::new();
        for function in &application.functions {
            if let Some(identity) = function.identity.as_deref() {
                *users.entry(identity).or_default() += 1;
            }
        }
        let identities: HashMap<&str, &str> = application
            .functions
            .iter()
            .map(|function| (function.name.as_str(), function.identity.as_deref().unwrap_or("")))
            .collect();
        for access in &accesses {
            let to = self
                .function_index(&access.target)
                .or_else(|| application.resource(&access.target).map(|resource| self.resource(resource)));
            ends.push((self.function_index(&access.function), to));
            if let (Some(to), true) = (to, access.granted) {
                targets.entry(identities.get(access.function.as_str()).copied().unwrap_or("")).or_default().insert(to);
            }
        }
        for (access, ends) in accesses.iter().zip(ends) {
            let (Some(from), Some(to)) = ends else { continue };
            let identity = identities.get(access.function.as_str()).copied().unwrap_or("");
            let users = users.get(identity).copied().unwrap_or(0);
            let things = targets.get(identity).map_or(0, BTreeSet::len);
            let label = list(&access.actions, 12);
            if access.granted && users * things > users + things {
                let role = self.node(format!("role {identity}"), || Node {
                    kind: Kind::Role,
                    name: identity.to_owned(),
                    detail: format!("role of {users} functions"),
                    title: format!("{identity}\nRole that {users} functions share"),
                    exposure: None,
                    wide: false,
                });
                self.edge(from, role, FlowKind::Accesses, false, "runs as");
                self.edge(role, to, FlowKind::Accesses, false, &label);
                continue;
            }
            let known = self.edges_by_ends.contains_key(&(from, to));
            if let Some(index) = self.edge(from, to, FlowKind::Accesses, false, &label)
                && !known
            {
                self.edges[index].unused = access.called == Some(false);
            }
        }
    }

    /// Two lines between the same boxes become one with two heads; the one that triggers gives the direction.
    fn merge_opposites(&mut self) {
        let mut gone = vec![false; self.edges.len()];
        for index in 0..self.edges.len() {
            let (from, to, kind) = (self.edges[index].from, self.edges[index].to, self.edges[index].kind);
            let Some(&other) = self.edges_by_ends.get(&(to, from)) else { continue };
            if gone[index]
                || gone[other]
                || (kind == FlowKind::Accesses && self.edges[other].kind == FlowKind::Triggers)
            {
                continue;
            }
            gone[other] = true;
            let labels = std::mem::take(&mut self.edges[other].labels);
            self.edges[index].both = true;
            self.edges[index].unused = false;
            self.edges[index].labels.extend(labels);
        }
        let mut gone = gone.into_iter();
        self.edges.retain(|_| !gone.next().unwrap_or(false));
        self.edges_by_ends = self.edges.iter().enumerate().map(|(index, edge)| ((edge.from, edge.to), index)).collect();
    }

    /// What a line says when one points at it.
    pub(crate) fn edge_title(&self, edge: &Edge) -> String {
        let labels: Vec<String> = edge.labels.iter().cloned().collect();
        let arrow = if edge.both { "↔" } else { "→" };
        let mut title = format!("{} {arrow} {}", self.nodes[edge.from].name, self.nodes[edge.to].name);
        for label in labels.iter().take(12) {
            let _ = write!(title, "\n{label}");
        }
        if labels.len() > 12 {
            let _ = write!(title, "\nand {} more", labels.len() - 12);
        }
        if edge.unused {
            title.push_str("\nAllowed, but not seen in its code");
        }
        title
    }
}

/// Who or what sends the events of a trigger from outside, if that isn't what its source already says.
fn outside(trigger: &Trigger) -> Option<Outside> {
    match trigger.kind {
        TriggerKind::Schedule => Some(Outside::Clock),
        TriggerKind::Iot => Some(Outside::Devices),
        TriggerKind::Email => Some(Outside::Mail),
        TriggerKind::CustomResource => Some(Outside::Deployment),
        TriggerKind::EventBridge if trigger.source.is_none() => Some(Outside::Account),
        _ => match trigger.exposure() {
            Exposure::Public => Some(Outside::Internet),
            Exposure::Authenticated => Some(Outside::Callers),
            _ => None,
        },
    }
}

/// What a trigger without a box for its source is called.
fn entry_name(trigger: &Trigger) -> String {
    if trigger.kind == TriggerKind::FunctionUrl {
        return "Function URL".to_owned();
    }
    match (&trigger.method, &trigger.path, &trigger.filter) {
        (Some(method), Some(path), _) => format!("{method} {path}"),
        (_, Some(path), _) => path.clone(),
        (_, _, Some(filter)) => pattern_words(filter),
        _ => trigger_words(trigger.kind).to_owned(),
    }
}

/// An event pattern's sources and kinds; any other filter as it is written.
pub fn pattern_words(filter: &str) -> String {
    let Ok(serde_json::Value::Object(pattern)) = serde_json::from_str(filter) else { return filter.to_owned() };
    let words = |key: &str| {
        let values = pattern.get(key).and_then(serde_json::Value::as_array).map_or(&[][..], Vec::as_slice);
        values.iter().filter_map(serde_json::Value::as_str).collect::<Vec<_>>().join(", ")
    };
    match (words("source"), words("detail-type")) {
        (source, kinds) if source.is_empty() && kinds.is_empty() => filter.to_owned(),
        (source, kinds) if source.is_empty() => kinds,
        (source, kinds) if kinds.is_empty() => source,
        (source, kinds) => format!("{source}: {kinds}"),
    }
}

/// The last part of an ARN, or the text as it is.
fn short_arn(text: &str) -> String {
    match text.strip_prefix("arn:") {
        Some(rest) => rest.splitn(5, ':').nth(4).filter(|name| !name.is_empty()).unwrap_or(text).to_owned(),
        None => text.to_owned(),
    }
}

fn list(items: &[String], most: usize) -> String {
    let mut text = items.iter().take(most).cloned().collect::<Vec<_>>().join(", ");
    if items.len() > most {
        let _ = write!(text, " and {} more", items.len() - most);
    }
    text
}

/// From where a function can be reached, for people.
pub fn describe(exposure: Exposure) -> &'static str {
    match exposure {
        Exposure::None => "nothing in the template",
        Exposure::Internal => "the platform itself",
        Exposure::Fed => "content that others put there",
        Exposure::Authenticated => "callers who authenticate",
        Exposure::Public => "anyone",
    }
}

/// A kind of resource, for people.
pub fn kind_words(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::Api => "API",
        ResourceKind::Queue => "queue",
        ResourceKind::Topic => "topic",
        ResourceKind::Bucket => "bucket",
        ResourceKind::Table => "table",
        ResourceKind::Stream => "stream",
        ResourceKind::DeliveryStream => "delivery stream",
        ResourceKind::EventBus => "event bus",
        ResourceKind::Rule => "rule",
        ResourceKind::Secret => "secret",
        ResourceKind::Key => "key",
        ResourceKind::UserPool => "user pool",
        ResourceKind::StateMachine => "state machine",
        ResourceKind::LogGroup => "log group",
        ResourceKind::Database => "database",
        ResourceKind::FileSystem => "file system",
        ResourceKind::Layer => "layer",
        ResourceKind::Distribution => "distribution",
        ResourceKind::Application => "application",
        ResourceKind::Other => "resource",
    }
}

/// A kind of trigger, for people.
pub fn trigger_words(kind: TriggerKind) -> &'static str {
    match kind {
        TriggerKind::RestApi => "REST API",
        TriggerKind::HttpApi => "HTTP API",
        TriggerKind::WebSocket => "WebSocket API",
        TriggerKind::LoadBalancer => "Load balancer",
        TriggerKind::FunctionUrl => "Function URL",
        TriggerKind::Sqs => "SQS queue",
        TriggerKind::Sns => "SNS topic",
        TriggerKind::S3 => "S3 bucket",
        TriggerKind::DynamodbStream => "DynamoDB stream",
        TriggerKind::Kinesis => "Kinesis stream",
        TriggerKind::Firehose => "Firehose",
        TriggerKind::EventBridge => "EventBridge rule",
        TriggerKind::Schedule => "Schedule",
        TriggerKind::Iot => "IoT rule",
        TriggerKind::Cognito => "Cognito",
        TriggerKind::Email => "Incoming mail",
        TriggerKind::Logs => "Log subscription",
        TriggerKind::Kafka => "Kafka topic",
        TriggerKind::Mq => "Message broker",
        TriggerKind::DocumentDb => "DocumentDB stream",
        TriggerKind::AppSync => "AppSync API",
        TriggerKind::StepFunctions => "Step Functions",
        TriggerKind::CloudFront => "CloudFront",
        TriggerKind::Alexa => "Alexa",
        TriggerKind::CodeCommit => "CodeCommit",
        TriggerKind::Config => "AWS Config",
        TriggerKind::CustomResource => "Custom resource",
        TriggerKind::Http => "HTTP",
        TriggerKind::CloudEvent => "CloudEvent",
        TriggerKind::PubSub => "Pub/Sub topic",
        TriggerKind::CloudStorage => "Cloud Storage bucket",
        TriggerKind::Firestore => "Firestore",
        TriggerKind::AuditLog => "Audit log",
        TriggerKind::StorageQueue => "Storage queue",
        TriggerKind::ServiceBus => "Service Bus",
        TriggerKind::EventHub => "Event Hub",
        TriggerKind::Blob => "Blob container",
        TriggerKind::EventGrid => "Event Grid",
        TriggerKind::Binding => "Binding",
        TriggerKind::Function => "Function",
        TriggerKind::Other => "Event source",
    }
}
