//! SAM connectors: what a line between two resources grants.

use crate::model::{Block, Template};
use crate::normalize::json_node;
use crate::policy::{PolicyKind, flatten, statements};
use crate::reader::Reader;
use findings::{Level, near_miss};
use graph::{Origin, Part, Value};
use serde_json::{Value as Json, json};
use source::{Entry, Node, Span};

/// One end of a connector.
#[derive(Debug, Clone)]
struct End {
    name: String,
    resource_type: String,
    role: Option<String>,
}

impl Reader<'_, '_> {
    /// Reads `AWS::Serverless::Connector` resources and the `Connectors` of other resources.
    pub(crate) fn read_connectors(&mut self) {
        let template = self.template.clone();
        for block in &template.blocks {
            if block.resource_type == "AWS::Serverless::Connector" {
                let Some(source) = block.get("Source").and_then(|source| self.end(&template, source, block.name_span))
                else {
                    continue;
                };
                self.connect(&template, &block.name, block.name_span, &source, &block.properties);
            }
            for entry in block.node.get("Connectors").map_or(&[][..], Node::entries) {
                self.read_embedded(&template, block, entry);
            }
        }
    }

    fn read_embedded(&mut self, template: &Template, block: &Block, entry: &Entry) {
        let properties = entry.value.get("Properties").and_then(|properties| template.resolve(properties));
        let Some(properties) = properties else { return };
        let mut source = End { name: block.name.clone(), resource_type: plain_type(&block.resource_type), role: None };
        source.role = self.role_of_end(template, &source.name);
        self.connect(template, &entry.key, entry.key_span, &source, &properties);
    }

    /// A resource as a connector names it: by `Id`, or by type and ARN.
    fn end(&mut self, template: &Template, node: &Node, span: Span) -> Option<End> {
        match node.get("Id").and_then(|id| template.text(id)) {
            Some(name) => {
                let Some(resource_type) = template.type_of(&name) else {
                    let help = match near_miss(&name, template.blocks.iter().map(|block| block.name.as_str())) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => "a connector names resources of its own template by `Id`".to_string(),
                    };
                    let at = node.get("Id").map_or(span, |id| id.span);
                    self.report(Level::Warning, at, format!("connector names unknown resource `{name}`"), help);
                    return None;
                };
                let resource_type = plain_type(resource_type);
                let role = self.role_of_end(template, &name);
                Some(End { name, resource_type, role })
            }
            None => {
                let resource_type = plain_type(&template.text(node.get("Type")?)?);
                let arn = node.get("Arn").map(|arn| template.value(arn));
                let name = arn.as_ref().and_then(Value::resource).unwrap_or("").to_string();
                let role = node.get("RoleName").map(|role| template.value(role));
                let role = role.as_ref().and_then(Value::resource).map(str::to_string);
                Some(End { name, resource_type, role })
            }
        }
    }

    fn role_of_end(&self, template: &Template, name: &str) -> Option<String> {
        if let Some(function) = self.application.function(name) {
            return function.identity.clone();
        }
        let role = template.block(name)?.get("RoleArn").or_else(|| template.block(name)?.get("Role"));
        match role {
            Some(role) => template.value(role).resource().map(str::to_string),
            None => Some(format!("{name}Role")),
        }
    }

    fn connect(&mut self, template: &Template, connector: &str, span: Span, source: &End, properties: &Node) {
        let wanted: Vec<String> = properties
            .get("Permissions")
            .map(|permissions| template.values(permissions).into_iter().map(|one| one.value.to_string()).collect())
            .unwrap_or_default();
        let mut destinations = Vec::new();
        if let Some(node) = properties.get("Destination") {
            flatten(node, &mut |destination| destinations.push(destination.clone()));
        }
        let source = match properties.get("SourceReference").and_then(|reference| reference.get("RoleName")) {
            Some(role) => End { role: template.value(role).resource().map(str::to_string), ..source.clone() },
            None => source.clone(),
        };
        for node in destinations {
            let Some(destination) = self.end(template, &node, span) else { continue };
            let Some(profile) = facts::connector(&source.resource_type, &destination.resource_type) else {
                let message = format!(
                    "connector `{connector}` joins {} with {}, which SAM doesn't know",
                    source.resource_type, destination.resource_type
                );
                self.report(Level::Warning, span, message, "what it grants isn't known; write a policy instead");
                continue;
            };
            let Ok(profile) = serde_json::from_str::<Json>(profile) else { continue };
            if profile["Type"] != "AWS_IAM_ROLE_MANAGED_POLICY" {
                continue;
            }
            // The policy goes to the role of the source, or of the destination where that does the polling.
            let holder = if profile["Properties"]["SourcePolicy"] == Json::Bool(true) { &source } else { &destination };
            let Some(role) = holder.role.clone() else { continue };
            for (access, document) in profile["Properties"]["AccessCategories"].as_object().into_iter().flatten() {
                if !wanted.iter().any(|wanted| wanted == access) {
                    continue;
                }
                let filled = fill(document, &source, &destination, 0);
                let node = json_node(&filled, span);
                let origin = Origin::Connector(connector.to_string());
                let mut found = statements(template, &node, PolicyKind::Identity, &origin, &mut Vec::new());
                for statement in &mut found {
                    statement.span = span;
                }
                if let Some(identity) = self.application.identities.iter_mut().find(|identity| identity.name == role) {
                    identity.statements.extend(found);
                }
            }
        }
    }
}

/// The type that a SAM type becomes.
fn plain_type(resource_type: &str) -> String {
    match resource_type {
        "AWS::Serverless::Function" => "AWS::Lambda::Function",
        "AWS::Serverless::SimpleTable" => "AWS::DynamoDB::Table",
        "AWS::Serverless::Api" => "AWS::ApiGateway::RestApi",
        "AWS::Serverless::HttpApi" => "AWS::ApiGatewayV2::Api",
        "AWS::Serverless::StateMachine" => "AWS::StepFunctions::StateMachine",
        other => other,
    }
    .to_string()
}

/// Fills `%{Source.Arn}` and the like in: an intrinsic where it is the whole text, a `Fn::Sub` where it is a part.
fn fill(node: &Json, source: &End, destination: &End, depth: usize) -> Json {
    if depth > 32 {
        return Json::Null;
    }
    match node {
        Json::Array(items) => items.iter().map(|item| fill(item, source, destination, depth + 1)).collect(),
        Json::Object(members) => {
            members.iter().map(|(key, value)| (key.clone(), fill(value, source, destination, depth + 1))).collect()
        }
        Json::String(text) if text.contains("%{") => {
            let mut out = text.clone();
            for (which, end) in [("Source", source), ("Destination", destination)] {
                for (property, value) in
                    [("Arn", arn(end)), ("Name", Value::part(Part::Ref(end.name.clone())).to_string())]
                {
                    out = out.replace(&format!("%{{{which}.{property}}}"), &value);
                }
            }
            json!({ "Fn::Sub": out.replace("%{", "${") })
        }
        other => other.clone(),
    }
}

/// A resource's ARN as `Fn::Sub` writes it; some resources give it as their reference.
fn arn(end: &End) -> String {
    match end.resource_type.as_str() {
        "AWS::SNS::Topic" | "AWS::StepFunctions::StateMachine" => format!("${{{}}}", end.name),
        "AWS::AppSync::DataSource" => format!("${{{}.DataSourceArn}}", end.name),
        _ => format!("${{{}.Arn}}", end.name),
    }
}
