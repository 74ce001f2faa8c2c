//! The roles of a service: the one that all functions share, those that are named, those of their own; and what the framework
//! grants them without being asked.

use super::service::{Function, Implied, SHARED_ROLE, Service, normalized};
use super::tree::{attribute, list, object, substitution};
use crate::READER;
use crate::normalize::{intrinsic, text_node};
use findings::{Diagnostic, Level};
use source::{Entry, Node, Span};
use std::collections::HashSet;

impl Service {
    /// The role that is named for all functions, if one is.
    fn named_role(&self) -> Option<&Node> {
        let role = self.provider(&["iam", "role"]);
        role.filter(|role| !role.is_mapping() || intrinsic(role).is_some()).or_else(|| self.provider(&["role"]))
    }

    /// A role as written: a logical id, an ARN, or a reference.
    pub(super) fn role_value(role: &Node) -> Node {
        match role.scalar() {
            Some(name) if !name.contains([':', '/']) => attribute(name, "Arn", role.span),
            _ => role.clone(),
        }
    }

    pub(super) fn role_of(&self, function: &Function) -> Option<Entry> {
        let entry = |span: Span, value| Some(Entry { key: "Role".into(), key_span: span, value });
        if let Some(role) = &function.role {
            return entry(function.key_span, attribute(role, "Arn", function.key_span));
        }
        if let Some(own) = function.node.entry("role").filter(|own| !own.value.is_null()) {
            return entry(own.key_span, Self::role_value(&own.value));
        }
        let named = self.named_role()?;
        entry(named.span, Self::role_value(named))
    }

    pub(super) fn make_roles(&mut self, diagnostics: &mut Vec<Diagnostic>) {
        let plugin = self.has_plugin("iam-roles-per-function") || self.has_plugin("granular-iam");
        let separate = self.provider(&["iam", "role", "mode"]).and_then(Node::scalar) == Some("perFunction");
        let inherit = ["serverless-iam-roles-per-function", "serverless-granular-iam"]
            .iter()
            .find_map(|name| self.root.at(&["custom", name, "defaultInherit"])?.as_bool())
            .unwrap_or(false);
        let mut shared = false;
        for at in 0..self.functions.len() {
            let Some(function) = self.functions.get(at) else { break };
            let own = function.node.entry("iamRoleStatements").or_else(|| function.node.entry("iam"));
            if function.node.get("role").is_some_and(|role| !role.is_null()) {
                continue;
            }
            let legacy = function.node.entry("iamRoleStatements");
            if let Some(entry) = legacy.filter(|_| !plugin) {
                let message = format!("`iamRoleStatements` of `{}` have no effect", function.key);
                diagnostics.push(
                    Diagnostic::at(Level::Warning, READER, entry.key_span, message)
                        .help("they need the plugin `serverless-iam-roles-per-function`"),
                );
            }
            let (key, span) = (function.key.clone(), function.key_span);
            let (statements, inherits) = if plugin && legacy.is_some() {
                let inherits = function.node.get("iamRoleStatementsInherit").and_then(Node::as_bool).unwrap_or(inherit);
                (legacy.map(|entry| entry.value.clone()), inherits)
            } else if separate {
                let inherits = function.node.at(&["iam", "inheritStatements"]).and_then(Node::as_bool);
                let own_statements = function.node.at(&["iam", "role", "statements"]).cloned();
                (own_statements, inherits.unwrap_or(own.is_none()))
            } else {
                if self.named_role().is_none() {
                    shared = true;
                    if let Some(function) = self.functions.get_mut(at) {
                        function.role = Some(SHARED_ROLE.to_string());
                    }
                }
                continue;
            };
            let boundary = function
                .node
                .get("iamPermissionsBoundary")
                .or_else(|| {
                    self.root.at(&["custom", "serverless-iam-roles-per-function", "iamGlobalPermissionsBoundary"])
                })
                .cloned();
            let managed = function.node.at(&["iam", "role", "managedPolicies"]).cloned();
            let name =
                function.node.get("iamRoleStatementsName").or_else(|| function.node.at(&["iam", "role", "name"]));
            let name = name.cloned();
            let role = format!("{}{SHARED_ROLE}", normalized(&key));
            let mut all: Vec<Node> = statements.iter().flat_map(|node| node.one_or_many()).cloned().collect();
            if inherits {
                all.extend(self.shared_statements());
            }
            let managed: Vec<Node> = managed.iter().flat_map(|node| node.one_or_many()).cloned().collect();
            self.make_role(&role, span, all, managed, boundary, name);
            if let Some(function) = self.functions.get_mut(at) {
                function.role = Some(role);
                function.plugin_role = plugin;
            }
        }
        if shared {
            let entry = self.provider_entry("iam").or_else(|| self.provider_entry("iamRoleStatements"));
            let span = entry.map_or(self.provider_span(), |entry| entry.key_span);
            let statements = self.shared_statements();
            let managed =
                self.provider(&["iam", "role", "managedPolicies"]).or_else(|| self.provider(&["iamManagedPolicies"]));
            let managed: Vec<Node> = managed.map_or(&[][..], Node::one_or_many).to_vec();
            let boundary = ["permissionsBoundary", "permissionBoundary"]
                .iter()
                .find_map(|name| self.provider(&["iam", "role", name]))
                .or_else(|| self.provider(&["rolePermissionsBoundary"]))
                .cloned();
            let name = self.provider(&["iam", "role", "name"]).cloned();
            self.make_role(SHARED_ROLE, span, statements, managed, boundary, name);
        }
        self.imply_basics();
    }

    /// What all functions may do by the provider.
    fn shared_statements(&self) -> Vec<Node> {
        let statements =
            self.provider(&["iam", "role", "statements"]).or_else(|| self.provider(&["iamRoleStatements"]));
        statements.map_or(&[][..], Node::one_or_many).to_vec()
    }

    fn make_role(
        &mut self,
        role: &str,
        span: Span,
        statements: Vec<Node>,
        managed: Vec<Node>,
        boundary: Option<Node>,
        name: Option<Node>,
    ) {
        let service = object(span, vec![("Service", text_node("lambda.amazonaws.com", span))]);
        let trust = object(
            span,
            vec![
                ("Effect", text_node("Allow", span)),
                ("Principal", service),
                ("Action", text_node("sts:AssumeRole", span)),
            ],
        );
        let trust = object(span, vec![("Statement", list(span, vec![trust]))]);
        let mut properties = vec![("AssumeRolePolicyDocument", trust)];
        properties.extend(name.map(|name| ("RoleName", name)));
        properties.extend(boundary.map(|boundary| ("PermissionsBoundary", boundary)));
        if !statements.is_empty() {
            let document = object(span, vec![("Statement", list(span, statements))]);
            let policy = object(span, vec![("PolicyName", text_node(role, span)), ("PolicyDocument", document)]);
            properties.push(("Policies", list(span, vec![policy])));
        }
        if !managed.is_empty() {
            properties.push(("ManagedPolicyArns", list(span, managed)));
        }
        let properties = object(span, properties);
        self.add(role, span, span, "AWS::IAM::Role", properties);
        self.generated_roles.push(role.to_string());
    }

    /// Notes what a function's role may do because of one of its properties or events.
    pub(super) fn imply(
        &mut self,
        key: &str,
        actions: &'static [&'static str],
        resources: Vec<Node>,
        reason: &str,
        span: Span,
    ) {
        let Some(function) = self.function(key) else { return };
        let Some(role) = function.role.clone() else { return };
        const BY_PLUGIN: [&str; 5] = ["logs", "VPC access", "dead letter topic", "event sqs", "event stream"];
        if function.plugin_role && !BY_PLUGIN.contains(&reason) {
            return;
        }
        self.implied.push(Implied { role, actions, resources, reason: reason.to_string(), span });
    }

    /// Logs, network interfaces and traces, which the framework grants without being asked.
    fn imply_basics(&mut self) {
        let mut known: HashSet<(String, &'static str)> = HashSet::new();
        let networked = self.functions.iter().find_map(|function| Some(self.setting(function, "vpc")?.key_span));
        for at in 0..self.functions.len() {
            let Some(function) = self.functions.get(at) else { break };
            let (key, span) = (function.key.clone(), function.key_span);
            let Some(role) = function.role.clone() else { continue };
            let mut first_of = |reason: &'static str| known.insert((role.clone(), reason));
            let first = first_of("logs");
            let own = role != SHARED_ROLE;
            let name = match function.node.get("name").map(|name| name.scalar()) {
                Some(Some(name)) => name.to_string(),
                Some(None) => format!("${{{}}}", function.id),
                None if own => format!("{}-{}-{key}", self.name, self.stage),
                None => format!("{}-{}*", self.name, self.stage),
            };
            let logs = function.node.get("disableLogs").and_then(Node::as_bool) != Some(true);
            // One function in a network is enough for the role that all share.
            let vpc = match own {
                true => self.setting(function, "vpc").map(|entry| entry.key_span),
                false => networked,
            };
            let vpc = vpc.filter(|_| first_of("VPC access"));
            let traced = self.tracing(function).map(|(entry, _)| entry.key_span).filter(|_| first_of("tracing"));
            let dead_letter = function.node.entry("onError").cloned();
            if logs && function.plugin_role {
                let group = format!(
                    "arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:/aws/lambda/{name}:*:*"
                );
                let actions = &["logs:CreateLogStream", "logs:CreateLogGroup", "logs:PutLogEvents"];
                self.imply(&key, actions, vec![substitution(&group, span)], "logs", span);
            } else if logs && (first || function.node.get("name").is_some()) {
                let span = if own { span } else { self.provider_span() };
                let group = format!(
                    "arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:/aws/lambda/{name}"
                );
                let streams = vec![substitution(&format!("{group}:*"), span)];
                let events = vec![substitution(&format!("{group}:*:*"), span)];
                self.imply(
                    &key,
                    &["logs:CreateLogStream", "logs:CreateLogGroup", "logs:TagResource"],
                    streams,
                    "logs",
                    span,
                );
                self.imply(&key, &["logs:PutLogEvents"], events, "logs", span);
            }
            if let Some(span) = vpc {
                // What AWSLambdaVPCAccessExecutionRole holds, which the framework attaches.
                self.imply(&key, &[], Vec::new(), "VPC access", span);
            }
            if let Some(span) = traced {
                let all = vec![text_node("*", span)];
                self.imply(&key, &["xray:PutTraceSegments", "xray:PutTelemetryRecords"], all, "tracing", span);
            }
            if let Some(entry) = dead_letter {
                self.imply(&key, &["sns:Publish"], vec![entry.value.clone()], "dead letter topic", entry.key_span);
            }
        }
    }
}
