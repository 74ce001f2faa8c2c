//! Names that lead nowhere: references, attributes and conditions that the template doesn't have.

use crate::READER;
use crate::evaluate::{Piece, pieces};
use crate::model::{Block, Template};
use crate::normalize::intrinsic;
use findings::{Diagnostic, Level, near_miss};
use source::{Node, Span};
use std::collections::{HashMap, HashSet};

const PSEUDO: [&str; 8] = [
    "AWS::AccountId",
    "AWS::NotificationARNs",
    "AWS::NoValue",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
];

/// Attributes of types that have few and rarely get new ones. Names with dots are left alone.
const ATTRIBUTES: [(&str, &[&str]); 12] = [
    ("AWS::IAM::Role", &["Arn", "RoleId"]),
    ("AWS::SQS::Queue", &["Arn", "QueueName", "QueueUrl"]),
    ("AWS::SNS::Topic", &["TopicArn", "TopicName"]),
    ("AWS::DynamoDB::Table", &["Arn", "StreamArn"]),
    ("AWS::Serverless::SimpleTable", &["Arn", "StreamArn"]),
    ("AWS::S3::Bucket", &["Arn", "DomainName", "DualStackDomainName", "RegionalDomainName", "WebsiteURL"]),
    ("AWS::Kinesis::Stream", &["Arn", "WarmThroughputObject"]),
    ("AWS::KinesisFirehose::DeliveryStream", &["Arn"]),
    ("AWS::Logs::LogGroup", &["Arn"]),
    ("AWS::Events::Rule", &["Arn"]),
    ("AWS::StepFunctions::StateMachine", &["Arn", "Name", "StateMachineRevisionId"]),
    ("AWS::Serverless::StateMachine", &["Arn", "Name", "StateMachineRevisionId"]),
];

/// The most names that are reported: a template with more isn't misspelt but something else.
const MAX_REPORTS: usize = 300;

/// Reports names that lead nowhere, and resources that wait for each other. Of a template that isn't `whole`, only what is
/// there is judged.
pub(crate) fn check(template: &Template, whole: bool, diagnostics: &mut Vec<Diagnostic>) {
    let generators: Vec<&str> = template
        .blocks
        .iter()
        .filter(|block| block.resource_type.starts_with("AWS::Serverless::") || block.node.get("Connectors").is_some())
        .map(|block| block.name.as_str())
        .collect();
    let mut checker = Checker { template, generators, whole, diagnostics, seen: HashSet::new() };
    for block in &template.blocks {
        checker.walk(&block.raw, &[], 0);
        if let Some(node) = block.node.get("Condition")
            && let Some(name) = node.as_str()
        {
            checker.condition(name, node.span);
        }
        for node in block.node.get("DependsOn").map_or(&[][..], Node::one_or_many) {
            if let Some(name) = node.as_str() {
                checker.name(name, node.span, false);
            }
        }
        for entry in block.node.get("Connectors").map_or(&[][..], Node::entries) {
            checker.walk(&entry.value, &[], 0);
        }
    }
    for entry in &template.outputs {
        if let Some(value) = entry.value.get("Value") {
            checker.walk(value, &[], 0);
        }
    }
    for entry in &template.condition_nodes {
        checker.walk(&entry.value, &[], 0);
    }
    cycles(template, diagnostics);
}

struct Checker<'a> {
    template: &'a Template,
    /// Resources that SAM makes more resources for, named after them.
    generators: Vec<&'a str>,
    /// Whether all of the template could be read.
    whole: bool,
    diagnostics: &'a mut Vec<Diagnostic>,
    /// Places that were reported; `Globals` are part of many resources.
    seen: HashSet<Span>,
}

impl Checker<'_> {
    fn walk(&mut self, node: &Node, variables: &[&str], depth: usize) {
        // As deep as documents are read, with room for the long form of tags.
        if depth > 300 {
            return;
        }
        if let Some((name, argument)) = intrinsic(node) {
            match name {
                "Ref" => {
                    if let Some(name) = argument.scalar() {
                        self.name(name, argument.span, true);
                        return;
                    }
                }
                "Fn::GetAtt" => {
                    if let [resource, attribute, rest @ ..] = argument.items()
                        && let (Some(name), Some(text)) = (resource.scalar(), attribute.scalar())
                    {
                        self.attribute(name, resource.span, text, attribute.span, rest.is_empty());
                        return;
                    }
                }
                "Fn::Sub" => {
                    let (text, given) = match argument.items() {
                        [text, given, ..] => (text, Some(given)),
                        [text] => (text, None),
                        [] => (argument, None),
                    };
                    if let Some(given) = given {
                        self.walk(given, variables, depth + 1);
                    }
                    let mut variables = variables.to_vec();
                    variables.extend(given.map_or(&[][..], Node::entries).iter().map(|entry| entry.key.as_str()));
                    if let Some(template) = text.scalar() {
                        self.substitution(template, text.span, &variables);
                    }
                    return;
                }
                "Fn::If" => {
                    if let Some(condition) = argument.items().first()
                        && let Some(name) = condition.as_str()
                    {
                        self.condition(name, condition.span);
                    }
                }
                "Condition" => {
                    if let Some(name) = argument.as_str() {
                        self.condition(name, argument.span);
                        return;
                    }
                }
                // Macros bring their own names.
                "Fn::Transform" => return,
                _ => {}
            }
        }
        for item in node.items() {
            self.walk(item, variables, depth + 1);
        }
        for entry in node.entries() {
            self.walk(&entry.value, variables, depth + 1);
        }
    }

    fn substitution(&mut self, text: &str, span: Span, variables: &[&str]) {
        for piece in pieces(text) {
            let Piece::Name(name) = piece else { continue };
            if variables.contains(&name) || name.is_empty() {
                continue;
            }
            match name.split_once('.') {
                Some((resource, attribute)) => self.attribute(resource, span, attribute, span, true),
                None => self.name(name, span, true),
            }
        }
    }

    fn known(&self, name: &str) -> bool {
        self.template.block(name).is_some()
            || self.template.parameters.contains_key(name)
            || matches!(name, "ServerlessRestApi" | "ServerlessHttpApi")
            || name.starts_with("ServerlessRestApi")
            || name.starts_with("ServerlessHttpApi")
            || name == "ServerlessDeploymentApplication"
            || name == "CodeDeployServiceRole"
    }

    /// Whether SAM may make a resource of that name.
    fn generated(&self, name: &str) -> bool {
        self.generators.iter().any(|generator| name.len() > generator.len() && name.starts_with(generator))
    }

    fn name(&mut self, name: &str, span: Span, parameters: bool) {
        let name = name.trim();
        if self.seen.len() >= MAX_REPORTS {
            return;
        }
        if name.starts_with("AWS::") {
            if !PSEUDO.contains(&name) {
                self.report(span, format!("unknown pseudo parameter `{name}`"), near_miss(name, PSEUDO));
            }
            return;
        }
        let base = name.split_once('.').map_or(name, |(base, _)| base);
        if !self.whole || self.known(base) || self.generated(base) || base.is_empty() {
            return;
        }
        let resources = self.template.blocks.iter().map(|block| block.name.as_str());
        let near = near_miss(
            base,
            resources.chain(self.template.parameters.keys().map(String::as_str).filter(|_| parameters)),
        );
        let what = if parameters { "neither a parameter nor a resource" } else { "not a resource" };
        let near = near.map(str::to_string);
        self.report(span, format!("`{base}` is {what} of this template"), near.as_deref());
    }

    fn attribute(&mut self, name: &str, span: Span, attribute: &str, attribute_span: Span, whole: bool) {
        let Some(block) = self.template.block(name) else {
            return self.name(name, span, false);
        };
        if !whole || attribute.contains(['.', '$']) {
            return;
        }
        let resource_type = block.resource_type.as_str();
        let Some((_, known)) = ATTRIBUTES.iter().find(|(known, _)| *known == resource_type) else { return };
        if !known.contains(&attribute) {
            let near = near_miss(attribute, known.iter().copied());
            let message = format!("unknown attribute `{attribute}` of `{name}`");
            match near {
                Some(near) => self.report(attribute_span, message, Some(near)),
                None => {
                    let help = format!("{resource_type} has {}", known.join(", "));
                    self.push(Diagnostic::at(Level::Warning, READER, attribute_span, message).help(help));
                }
            }
        }
    }

    fn condition(&mut self, name: &str, span: Span) {
        if !self.whole || self.template.has_condition(name) {
            return;
        }
        let near = near_miss(name, self.template.condition_nodes.iter().map(|entry| entry.key.as_str()));
        let near = near.map(str::to_string);
        self.report(span, format!("`{name}` is not a condition of this template"), near.as_deref());
    }

    fn report(&mut self, span: Span, message: String, near: Option<&str>) {
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "it is read as something that can't be told".to_string(),
        };
        self.push(Diagnostic::at(Level::Warning, READER, span, message).help(help));
    }

    fn push(&mut self, diagnostic: Diagnostic) {
        if diagnostic.span.is_none_or(|span| self.seen.insert(span)) {
            self.diagnostics.push(diagnostic);
        }
    }
}

/// Reports resources that wait for each other. SAM's own types are left out: they become several resources each, which
/// breaks many a circle.
fn cycles(template: &Template, diagnostics: &mut Vec<Diagnostic>) {
    let mut needs: HashMap<&str, Vec<&str>> = HashMap::new();
    for block in template.blocks.iter().filter(|block| !block.resource_type.starts_with("AWS::Serverless::")) {
        let mut found = Vec::new();
        needed(template, &block.properties, &mut found, 0);
        found.sort_unstable();
        found.dedup();
        needs.insert(block.name.as_str(), found);
    }
    // Depth first with an explicit stack; 1 while on the path, 2 when done.
    let mut state: HashMap<&str, u8> = HashMap::new();
    for block in &template.blocks {
        let start = block.name.as_str();
        if !needs.contains_key(start) || state.contains_key(start) {
            continue;
        }
        let mut path: Vec<(&str, usize)> = vec![(start, 0)];
        state.insert(start, 1);
        while let Some((name, at)) = path.last_mut() {
            let next = needs.get(name).and_then(|list| list.get(*at)).copied();
            *at += 1;
            let Some(next) = next else {
                state.insert(*name, 2);
                path.pop();
                continue;
            };
            match state.get(next) {
                Some(1) => report_cycle(template, &path, next, diagnostics),
                Some(_) => {}
                None if needs.contains_key(next) => {
                    state.insert(next, 1);
                    path.push((next, 0));
                }
                None => {}
            }
        }
    }
}

fn report_cycle(template: &Template, path: &[(&str, usize)], first: &str, diagnostics: &mut Vec<Diagnostic>) {
    let from = path.iter().position(|(name, _)| *name == first).unwrap_or(0);
    let names: Vec<String> = path.iter().skip(from).map(|(name, _)| format!("`{name}`")).collect();
    let span = template.block(first).map(|block: &Block| block.name_span);
    if let Some(span) = span {
        let message = if names.len() == 1 {
            format!("{} refers to itself", names.join(""))
        } else {
            format!("{} refer to each other in a circle", names.join(", "))
        };
        diagnostics.push(
            Diagnostic::at(Level::Warning, READER, span, message)
                .help("CloudFormation refuses to deploy it; break the circle with a name instead of a reference"),
        );
    }
}

/// The resources of the template that a tree refers to.
fn needed<'a>(template: &'a Template, node: &Node, found: &mut Vec<&'a str>, depth: usize) {
    if depth > 300 {
        return;
    }
    let mut add = |name: &str| {
        let name = name.split_once('.').map_or(name, |(name, _)| name);
        if let Some(block) = template.block(name) {
            found.push(&block.name);
        }
    };
    match intrinsic(node) {
        Some(("Ref", argument)) => return argument.scalar().into_iter().for_each(&mut add),
        Some(("Fn::GetAtt", argument)) => {
            return argument.items().first().and_then(Node::scalar).into_iter().for_each(&mut add);
        }
        Some(("Fn::Sub", argument)) => {
            let text = argument.items().first().unwrap_or(argument);
            let given = argument.items().get(1).map_or(&[][..], Node::entries);
            for piece in text.scalar().into_iter().flat_map(pieces) {
                if let Piece::Name(name) = piece
                    && !given.iter().any(|entry| entry.key == name)
                {
                    add(name);
                }
            }
            for entry in given {
                needed(template, &entry.value, found, depth + 1);
            }
            return;
        }
        _ => {}
    }
    for item in node.items() {
        needed(template, item, found, depth + 1);
    }
    for entry in node.entries() {
        needed(template, &entry.value, found, depth + 1);
    }
}
