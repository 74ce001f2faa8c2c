//! A service as the template that the framework would deploy: functions, the roles they share or have, what events need of a
//! role, layers, APIs, and the service's own resources merged in. Events themselves are `events`' business.

use super::tree::{attribute, list, merge, object, object_of, put, reference, substitution};
use crate::READER;
use crate::normalize::{intrinsic, text_node};
use findings::{Diagnostic, Level, near_miss};
use source::{Entry, Node, NodeKind, Span};
use std::collections::{HashMap, HashSet};

/// The role that all functions share.
pub(super) const SHARED_ROLE: &str = "IamRoleLambdaExecution";

/// Plugins that neither change roles nor what functions are handed, or are read here.
const KNOWN_PLUGINS: [&str; 45] = [
    "offline",
    "webpack",
    "esbuild",
    "bundle",
    "typescript",
    "python-requirements",
    "prune",
    "dotenv",
    "domain-manager",
    "step-functions",
    "appsync",
    "warmup",
    "s3-sync",
    "common-excludes",
    "include-dependencies",
    "pseudo-parameters",
    "iam-roles-per-function",
    "granular-iam",
    "export-env",
    "stage-manager",
    "canary-deployments",
    "split-stacks",
    "finch",
    "documentation",
    "openapi",
    "optimize",
    "lumigo",
    "datadog",
    "package-python-functions",
    "rust",
    "lift",
    "wsgi",
    "rack",
    "ruby-layer",
    "apigw-binary",
    "dynamodb-local",
    "babel",
    "hooks",
    "scripts",
    "alexa-skills",
    "plugin-chrome",
    "dependson",
    "resource-tagging",
    "deployment-bucket",
    "log-retention",
];

/// What a role may do because an event or property of a function needs it.
#[derive(Debug)]
pub(super) struct Implied {
    /// Logical id of the role.
    pub(super) role: String,
    pub(super) actions: &'static [&'static str],
    pub(super) resources: Vec<Node>,
    pub(super) reason: String,
    pub(super) span: Span,
}

/// One function of a service.
#[derive(Debug)]
pub(super) struct Function {
    /// The name it has in the service.
    pub(super) key: String,
    /// Its logical id in the template.
    pub(super) id: String,
    pub(super) key_span: Span,
    pub(super) node: Node,
    /// The role of the service that it runs as, if it is one the framework makes.
    pub(super) role: Option<String>,
    /// Whether a plugin makes that role, which knows less of what a function needs than the framework.
    pub(super) plugin_role: bool,
}

/// A service, variables put in.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) root: Node,
    pub(super) name: String,
    pub(super) stage: String,
    pub(super) functions: Vec<Function>,
    /// Where each function is among them.
    index: HashMap<String, usize>,
    plugins: Vec<(String, Span)>,
    /// The resources made so far.
    resources: Vec<Entry>,
    /// Their logical ids.
    made: HashSet<String>,
    pub(super) implied: Vec<Implied>,
    /// Logical ids of the roles that the framework makes.
    pub(super) generated_roles: Vec<String>,
}

/// A name as the framework writes it into logical ids.
pub(super) fn normalized(name: &str) -> String {
    let name = name.replace('-', "Dash").replace('_', "Underscore");
    upper_first(&name)
}

/// Letters and digits of a name, the first in upper case.
pub(super) fn alphanumeric(name: &str) -> String {
    upper_first(&name.chars().filter(char::is_ascii_alphanumeric).collect::<String>())
}

fn upper_first(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

impl Service {
    /// Reads functions and plugins of a service whose variables are put in.
    pub(super) fn new(root: Node, stage: String) -> Self {
        let name = root.get("service").and_then(|service| service.get("name").unwrap_or(service).scalar());
        let name = name.unwrap_or("service").to_string();
        let mut functions: Vec<Function> = Vec::new();
        let mut seen = HashSet::new();
        for group in root.get("functions").map_or(&[][..], Node::one_or_many) {
            for entry in group.entries() {
                if entry.value.is_mapping() && intrinsic(&entry.value).is_none() && seen.insert(entry.key.clone()) {
                    functions.push(Function {
                        key: entry.key.clone(),
                        id: format!("{}LambdaFunction", normalized(&entry.key)),
                        key_span: entry.key_span,
                        node: entry.value.clone(),
                        role: None,
                        plugin_role: false,
                    });
                }
            }
        }
        functions.extend(super::lift::workers(&root).into_iter().filter(|worker| seen.insert(worker.key.clone())));
        let plugins = root.get("plugins").map_or(&[][..], |plugins| plugins.get("modules").unwrap_or(plugins).items());
        let plugins = plugins.iter().filter_map(|plugin| Some((plugin.scalar()?.to_string(), plugin.span))).collect();
        Self {
            root,
            name,
            stage,
            index: functions.iter().enumerate().map(|(at, function)| (function.key.clone(), at)).collect(),
            functions,
            plugins,
            resources: Vec::new(),
            made: HashSet::new(),
            implied: Vec::new(),
            generated_roles: Vec::new(),
        }
    }

    /// The function of a name.
    pub(super) fn function(&self, key: &str) -> Option<&Function> {
        self.functions.get(*self.index.get(key)?)
    }

    /// A property of the provider.
    pub(super) fn provider(&self, path: &[&str]) -> Option<&Node> {
        self.root.get("provider")?.at(path).filter(|node| !node.is_null())
    }

    pub(super) fn provider_entry(&self, name: &str) -> Option<&Entry> {
        self.root.get("provider")?.entry(name).filter(|entry| !entry.value.is_null())
    }

    /// Where the provider is written.
    pub(super) fn provider_span(&self) -> Span {
        self.root
            .entry("provider")
            .or_else(|| self.root.entries().first())
            .map_or(self.root.span, |entry| entry.key_span)
    }

    pub(super) fn has_plugin(&self, name: &str) -> bool {
        self.plugins.iter().any(|(plugin, _)| plugin.contains(name))
    }

    /// Adds a resource that stands at `span`, unless there is one of that name.
    pub(super) fn add(&mut self, name: &str, key_span: Span, span: Span, resource_type: &str, properties: Node) {
        if !self.made.insert(name.to_string()) {
            return;
        }
        let value = object(span, vec![("Type", text_node(resource_type, key_span)), ("Properties", properties)]);
        self.resources.push(Entry { key: name.to_string(), key_span, value });
    }

    /// Whether a resource of that logical id was made.
    pub(super) fn has(&self, name: &str) -> bool {
        self.made.contains(name)
    }

    /// Whether the service's own resources have one of that name.
    fn own_resource(&self, name: &str) -> Option<&Node> {
        self.root
            .get("resources")
            .map_or(&[][..], Node::one_or_many)
            .iter()
            .find_map(|part| part.get("Resources")?.get(name))
    }

    /// Makes functions, roles and layers.
    pub(super) fn make(&mut self, diagnostics: &mut Vec<Diagnostic>) {
        self.check_provider(diagnostics);
        self.check_plugins(diagnostics);
        self.make_roles(diagnostics);
        for at in 0..self.functions.len() {
            self.make_function(at);
        }
        let layers = self.root.get("layers").map_or(&[][..], Node::entries).to_vec();
        for layer in layers {
            let mut properties = Vec::new();
            if let Some(entry) = layer.value.entry("path") {
                put(&mut properties, "Content", entry, entry.value.clone());
            }
            for (from, to) in [("name", "LayerName"), ("compatibleRuntimes", "CompatibleRuntimes")] {
                if let Some(entry) = layer.value.entry(from) {
                    put(&mut properties, to, entry, entry.value.clone());
                }
            }
            let name = format!("{}LambdaLayer", normalized(&layer.key));
            let properties = object_of(layer.value.span, properties);
            self.add(&name, layer.key_span, layer.value.span, "AWS::Lambda::LayerVersion", properties);
        }
        self.make_state_machines();
    }

    fn check_provider(&self, diagnostics: &mut Vec<Diagnostic>) {
        const KNOWN: [&str; 10] = [
            "runtime",
            "environment",
            "memorySize",
            "timeout",
            "region",
            "stage",
            "iamRoleStatements",
            "architecture",
            "apiGateway",
            "httpApi",
        ];
        for entry in self.root.get("provider").map_or(&[][..], Node::entries) {
            let known = KNOWN.iter().find(|known| known.eq_ignore_ascii_case(&entry.key) && **known != entry.key);
            if let Some(known) = known {
                let message = format!("unknown property `{}` of `provider`", entry.key);
                diagnostics.push(
                    Diagnostic::at(Level::Warning, READER, entry.key_span, message)
                        .help(format!("did you mean `{known}`? The framework overlooks it")),
                );
            }
        }
    }

    fn check_plugins(&self, diagnostics: &mut Vec<Diagnostic>) {
        for (plugin, span) in &self.plugins {
            if KNOWN_PLUGINS.iter().any(|known| plugin.contains(known)) {
                continue;
            }
            diagnostics.push(
                Diagnostic::at(Level::Note, READER, *span, format!("what plugin `{plugin}` adds isn't known here"))
                    .help("roles, resources or routes that it makes are missing from what is said about this service"),
            );
        }
    }

    /// A property of a function, or else of the provider.
    pub(super) fn setting<'a>(&'a self, function: &'a Function, name: &str) -> Option<&'a Entry> {
        function.node.entry(name).filter(|entry| !entry.value.is_null()).or_else(|| self.provider_entry(name))
    }

    fn make_function(&mut self, at: usize) {
        let Some(function) = self.functions.get(at) else { return };
        let span = function.node.span;
        let mut properties: Vec<Entry> = Vec::new();
        match function.node.entry("name") {
            Some(entry) => put(&mut properties, "FunctionName", entry, entry.value.clone()),
            None => {
                let name = format!("{}-{}-{}", self.name, self.stage, function.key);
                properties.push(Entry {
                    key: "FunctionName".into(),
                    key_span: function.key_span,
                    value: text_node(name, function.key_span),
                });
            }
        }
        let image = function.node.entry("image");
        match image {
            Some(entry) => {
                let image = &entry.value;
                let named = image.get("uri").or_else(|| image.get("name")).unwrap_or(image);
                put(&mut properties, "Code", entry, object(image.span, vec![("ImageUri", named.clone())]));
                put(&mut properties, "PackageType", entry, text_node("Image", entry.key_span));
            }
            None => {
                if let Some(handler) = function.node.entry("handler") {
                    // serverless-wsgi puts a handler of its own before an application that this names.
                    let own = handler
                        .value
                        .scalar()
                        .is_some_and(|handler| handler.starts_with("wsgi_handler.") || handler == "wsgi.handler");
                    let wrapped = self.root.at(&["custom", "wsgi", "app"]).filter(|_| own && self.has_plugin("wsgi"));
                    put(&mut properties, "Handler", handler, wrapped.unwrap_or(&handler.value).clone());
                }
                match self.setting(function, "runtime").or_else(|| self.provider_entry("Runtime")) {
                    Some(runtime) => put(&mut properties, "Runtime", runtime, runtime.value.clone()),
                    None => {
                        let newest = self.root.get("frameworkVersion").and_then(Node::scalar).is_some_and(|version| {
                            version.trim_start_matches(['^', '~', '>', '=', ' ']).starts_with('4')
                        });
                        let default = if newest { "nodejs20.x" } else { "nodejs16.x" };
                        let span = self.provider_span();
                        properties.push(Entry {
                            key: "Runtime".into(),
                            key_span: span,
                            value: text_node(default, span),
                        });
                    }
                }
                properties.push(self.code(function));
            }
        }
        let mut variables: Vec<Entry> = Vec::new();
        for environment in [self.provider(&["environment"]), function.node.get("environment")].into_iter().flatten() {
            for entry in environment.entries() {
                variables.retain(|known| known.key != entry.key);
                if !entry.value.is_null() {
                    variables.push(entry.clone());
                }
            }
        }
        if let Some(entry) = self.setting(function, "environment") {
            let variables = object_of(entry.value.span, variables);
            put(&mut properties, "Environment", entry, object(entry.value.span, vec![("Variables", variables)]));
        }
        for (from, to) in [
            ("timeout", "Timeout"),
            ("memorySize", "MemorySize"),
            ("layers", "Layers"),
            ("reservedConcurrency", "ReservedConcurrentExecutions"),
            ("kmsKeyArn", "KmsKeyArn"),
            ("ephemeralStorageSize", "EphemeralStorage"),
        ] {
            if let Some(entry) = self.setting(function, from) {
                put(&mut properties, to, entry, entry.value.clone());
            }
        }
        if let Some(entry) = self.setting(function, "vpc").filter(|entry| entry.value.is_mapping()) {
            let mut vpc = Vec::new();
            for (from, to) in [("subnetIds", "SubnetIds"), ("securityGroupIds", "SecurityGroupIds")] {
                if let Some(entry) = entry.value.entry(from) {
                    put(&mut vpc, to, entry, entry.value.clone());
                }
            }
            put(&mut properties, "VpcConfig", entry, object_of(entry.value.span, vpc));
        }
        if let Some((entry, mode)) = self.tracing(function) {
            put(&mut properties, "TracingConfig", entry, object(entry.value.span, vec![("Mode", mode)]));
        }
        if let Some(entry) = self.setting(function, "architecture") {
            put(&mut properties, "Architectures", entry, list(entry.value.span, vec![entry.value.clone()]));
        }
        if let Some(entry) = function.node.entry("onError") {
            put(
                &mut properties,
                "DeadLetterConfig",
                entry,
                object(entry.value.span, vec![("TargetArn", entry.value.clone())]),
            );
        }
        if let Some(role) = self.role_of(function) {
            properties.push(role);
        }
        let (key, id, key_span) = (function.key.clone(), function.id.clone(), function.key_span);
        let node = function.node.clone();
        self.add(&id, key_span, span, "AWS::Lambda::Function", object_of(span, properties));
        if node.get("disableLogs").and_then(Node::as_bool) != Some(true) {
            let name = node.get("name").cloned();
            let name = match name.as_ref().and_then(Node::scalar) {
                Some(name) => text_node(format!("/aws/lambda/{name}"), key_span),
                None if name.is_some() => substitution(&format!("/aws/lambda/${{{id}}}"), key_span),
                None => text_node(format!("/aws/lambda/{}-{}-{key}", self.name, self.stage), key_span),
            };
            let mut group = vec![("LogGroupName", name)];
            if let Some(days) = node.get("logRetentionInDays").or_else(|| self.provider(&["logRetentionInDays"])) {
                group.push(("RetentionInDays", days.clone()));
            }
            let group = object(key_span, group);
            self.add(&format!("{}LogGroup", normalized(&key)), key_span, key_span, "AWS::Logs::LogGroup", group);
        }
        if let Some(url) = node.entry("url").filter(|url| !url.value.is_null() && url.value.as_bool() != Some(false)) {
            let signed = url
                .value
                .get("authorizer")
                .and_then(Node::scalar)
                .is_some_and(|authorizer| authorizer.eq_ignore_ascii_case("aws_iam"));
            let mut properties = Vec::new();
            let place = url.value.entry("authorizer").unwrap_or(url);
            put(
                &mut properties,
                "AuthType",
                place,
                text_node(if signed { "AWS_IAM" } else { "NONE" }, place.value.span),
            );
            put(&mut properties, "TargetFunctionArn", url, attribute(&id, "Arn", url.key_span));
            if let Some(cors) = url.value.entry("cors") {
                let open = object(
                    cors.value.span,
                    vec![("AllowOrigins", list(cors.value.span, vec![text_node("*", cors.value.span)]))],
                );
                put(
                    &mut properties,
                    "Cors",
                    cors,
                    if cors.value.is_mapping() { upper_keys(&cors.value) } else { open },
                );
            }
            let properties = object_of(url.value.span, properties);
            let name = format!("{}LambdaFunctionUrl", normalized(&key));
            self.add(&name, url.key_span, url.value.span, "AWS::Lambda::Url", properties);
        }
        self.make_destinations(&key, &id, &node);
    }

    fn make_destinations(&mut self, key: &str, id: &str, node: &Node) {
        let Some(entry) = node.entry("destinations") else { return };
        let mut config = Vec::new();
        for (from, to) in [("onSuccess", "OnSuccess"), ("onFailure", "OnFailure")] {
            let Some(outcome) = entry.value.entry(from) else { continue };
            let named = outcome.value.get("arn").unwrap_or(&outcome.value);
            let target = match named.scalar().and_then(|name| self.function(name)) {
                Some(function) => attribute(&function.id, "Arn", named.span),
                None => named.clone(),
            };
            put(&mut config, to, outcome, object(outcome.value.span, vec![("Destination", target.clone())]));
            let kind = outcome.value.get("type").and_then(Node::scalar).unwrap_or("");
            let text = named.scalar().unwrap_or("");
            let actions: &'static [&'static str] = match kind {
                "sqs" => &["sqs:SendMessage"],
                "sns" => &["sns:Publish"],
                "eventBus" => &["events:PutEvents"],
                _ if text.contains(":sqs:") => &["sqs:SendMessage"],
                _ if text.contains(":sns:") => &["sns:Publish"],
                _ if text.contains(":event-bus/") => &["events:PutEvents"],
                _ => &["lambda:InvokeFunction"],
            };
            self.imply(key, actions, vec![target], "event destination", outcome.key_span);
        }
        let properties = object(
            entry.value.span,
            vec![
                ("FunctionName", reference(id, entry.key_span)),
                ("DestinationConfig", object_of(entry.value.span, config)),
            ],
        );
        let name = format!("{}LambdaEvConf", normalized(key));
        self.add(&name, entry.key_span, entry.value.span, "AWS::Lambda::EventInvokeConfig", properties);
    }

    /// The entry that turns tracing on, and its mode.
    pub(super) fn tracing<'a>(&'a self, function: &'a Function) -> Option<(&'a Entry, Node)> {
        let entry = function
            .node
            .entry("tracing")
            .or_else(|| self.root.get("provider")?.get("tracing")?.entry("lambda"))
            .filter(|entry| !entry.value.is_null() && entry.value.as_bool() != Some(false))?;
        let mode = match entry.value.as_bool() {
            Some(_) => text_node("Active", entry.value.span),
            None => entry.value.clone(),
        };
        Some((entry, mode))
    }

    /// Where a function's code is: an archive that is named, a module's folder, or the service's own.
    fn code(&self, function: &Function) -> Entry {
        let artifact = function
            .node
            .get("package")
            .and_then(|package| package.entry("artifact"))
            .or_else(|| self.root.get("package")?.entry("artifact"));
        if let Some(artifact) = artifact {
            return Entry { key: "Code".into(), key_span: artifact.key_span, value: artifact.value.clone() };
        }
        let module = function.node.entry("module").filter(|_| self.has_plugin("python-requirements"));
        let (span, folder) = match module.and_then(|module| Some((module.value.span, module.value.scalar()?))) {
            Some((span, folder)) => (span, folder.to_string()),
            None => (function.node.get("handler").map_or(function.key_span, |handler| handler.span), "./".to_string()),
        };
        Entry { key: "Code".into(), key_span: span, value: text_node(folder, span) }
    }

    /// The template: what was made, with the service's own resources merged in.
    pub(super) fn template(&mut self, holes: impl Iterator<Item = String>, diagnostics: &mut Vec<Diagnostic>) -> Node {
        let span = self.root.span;
        let mut resources = std::mem::take(&mut self.resources);
        let mut others: Vec<Entry> = Vec::new();
        for part in self.root.get("resources").map_or(&[][..], Node::one_or_many) {
            if !part.is_mapping() {
                continue;
            }
            for section in part.entries() {
                match section.key.as_str() {
                    "Resources" => merge(&mut resources, section.value.entries(), 0),
                    "extensions" => {
                        let known: Vec<Entry> = section
                            .value
                            .entries()
                            .iter()
                            .filter(|entry| self.made.contains(&entry.key))
                            .cloned()
                            .collect();
                        merge(&mut resources, &known, 0);
                    }
                    "Outputs" | "Conditions" | "Mappings" | "Parameters" => {
                        match others.iter_mut().find(|entry| entry.key == section.key) {
                            Some(known) => {
                                if let NodeKind::Mapping(entries) = &mut known.value.kind {
                                    merge(entries, section.value.entries(), 0);
                                }
                            }
                            None if section.value.is_mapping() => others.push(section.clone()),
                            None => {}
                        }
                    }
                    key => {
                        if let Some(near) = near_miss(key, ["Resources", "Outputs", "extensions"]) {
                            let message = format!("unknown section `{key}` of `resources`");
                            diagnostics.push(
                                Diagnostic::at(Level::Warning, READER, section.key_span, message)
                                    .help(format!("did you mean `{near}`?")),
                            );
                        }
                    }
                }
            }
        }
        let kind = |entry: &Entry| entry.value.get("Type").is_some();
        resources.retain(kind);
        let mut parameters: Vec<Entry> = Vec::new();
        for hole in holes {
            let value = object(span, vec![("Type", text_node("String", span))]);
            parameters.push(Entry { key: hole, key_span: span, value });
        }
        match others.iter_mut().find(|entry| entry.key == "Parameters") {
            Some(Entry { value: Node { kind: NodeKind::Mapping(entries), .. }, .. }) => entries.extend(parameters),
            _ => others.push(Entry { key: "Parameters".into(), key_span: span, value: object_of(span, parameters) }),
        }
        others.push(Entry { key: "Resources".into(), key_span: span, value: object_of(span, resources) });
        object_of(span, others)
    }

    /// Whether the service brings a resource of that name itself, under `resources`.
    pub(super) fn brings(&self, name: &str) -> bool {
        self.own_resource(name).is_some()
    }
}

/// Keys as CloudFormation writes them, with a capital letter, all the way down.
pub(super) fn upper_keys(node: &Node) -> Node {
    let kind = match &node.kind {
        NodeKind::Mapping(entries) if intrinsic(node).is_none() => NodeKind::Mapping(
            entries
                .iter()
                .map(|entry| Entry {
                    key: upper_first(&entry.key),
                    key_span: entry.key_span,
                    value: upper_keys(&entry.value),
                })
                .collect(),
        ),
        NodeKind::Sequence(items) => NodeKind::Sequence(items.iter().map(upper_keys).collect()),
        other => other.clone(),
    };
    Node { span: node.span, tag: None, kind }
}
