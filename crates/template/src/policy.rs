//! Policy documents into statements: inline ones, AWS managed ones by name or ARN, SAM policy templates.

use crate::READER;
use crate::model::Template;
use crate::normalize::{intrinsic, json_node};
use findings::{Diagnostic, Level, near_miss};
use graph::{Effect, Origin, Part, Setting, Statement, Value};
use source::{Entry, FileId, Node, NodeKind, Span};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// What kind of policy a document is, which says what its statements must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PolicyKind {
    /// Attached to an identity.
    Identity,
    /// Attached to a resource: has principals, and may leave its resource out.
    Resource,
}

/// The statements of a policy document.
pub(crate) fn statements(
    template: &Template,
    document: &Node,
    kind: PolicyKind,
    origin: &Origin,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Statement> {
    let written;
    let document = match document_in_text(document) {
        Some(found) => {
            written = found;
            &written
        }
        None => document,
    };
    let Some(entry) = document.entry("Statement") else {
        // A document that is an intrinsic (or handed in as text) has its statements elsewhere.
        if intrinsic(document).is_none() && document.is_mapping() {
            let keys = document.entries().iter().map(|entry| entry.key.as_str());
            let help = match near_miss("Statement", keys) {
                Some(near) => format!("is `{near}` meant to be `Statement`?"),
                None => "a policy document holds its statements under `Statement`".to_string(),
            };
            diagnostics.push(
                Diagnostic::at(Level::Warning, READER, document.span, "policy document without `Statement`").help(help),
            );
        }
        return Vec::new();
    };
    let mut statements = Vec::new();
    flatten(&entry.value, &mut |node| {
        if let Some(statement) = statement(template, node, kind, origin, diagnostics) {
            statements.push(statement);
        }
    });
    statements
}

/// A document written as JSON text, possibly within `Fn::Sub`.
pub(crate) fn document_in_text(document: &Node) -> Option<Node> {
    let (text, substituted) = match intrinsic(document) {
        Some(("Fn::Sub", argument)) => (argument.items().first().unwrap_or(argument).scalar()?, true),
        Some(_) => return None,
        None => (document.as_str()?, false),
    };
    let json: serde_json::Value = serde_json::from_str(text).ok()?;
    let node = json_node(&json, document.span);
    Some(if substituted { with_substitutions(node) } else { node })
}

/// The tree with every text that has holes in a `Fn::Sub` of its own.
fn with_substitutions(node: Node) -> Node {
    let kind = match node.kind {
        NodeKind::Scalar { text, plain: false } if text.contains("${") => NodeKind::Mapping(vec![Entry {
            key: "Fn::Sub".into(),
            key_span: node.span,
            value: crate::normalize::text_node(text, node.span),
        }]),
        NodeKind::Sequence(items) => NodeKind::Sequence(items.into_iter().map(with_substitutions).collect()),
        NodeKind::Mapping(entries) => NodeKind::Mapping(
            entries.into_iter().map(|entry| Entry { value: with_substitutions(entry.value), ..entry }).collect(),
        ),
        scalar => scalar,
    };
    Node { span: node.span, tag: None, kind }
}

/// Calls `each` for every item of a list that may hold lists, or for the one item itself.
pub(crate) fn flatten(node: &Node, each: &mut dyn FnMut(&Node)) {
    match &node.kind {
        NodeKind::Sequence(items) => items.iter().for_each(|item| flatten(item, each)),
        _ if node.is_null() => {}
        _ => each(node),
    }
}

fn statement(
    template: &Template,
    node: &Node,
    kind: PolicyKind,
    origin: &Origin,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Statement> {
    if intrinsic(node).is_some() {
        return None;
    }
    let mut complain = |span: Span, message: String, help: &str| {
        diagnostics.push(Diagnostic::at(Level::Warning, READER, span, message).help(help));
    };
    if !node.is_mapping() {
        complain(node.span, "policy statement is not an object".into(), "write `Effect`, `Action` and `Resource`");
        return None;
    }
    let keys =
        ["Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Condition", "Sid"];
    let start = node.entries().first().map_or(node.span, |entry| entry.key_span);
    for entry in node.entries() {
        if !keys.contains(&entry.key.as_str()) {
            let help = match near_miss(&entry.key, keys) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "it is passed over".to_string(),
            };
            complain(entry.key_span, format!("unknown element `{}` in a policy statement", entry.key), &help);
        }
    }
    let effect = match node.get("Effect").map(|effect| (effect, template.value(effect))) {
        Some((effect, value)) => match value.as_text() {
            Some("Allow") => Effect::Allow,
            Some("Deny") => Effect::Deny,
            Some(other) => {
                let help = "write `Allow` or `Deny`; read as `Allow`, the wider of both";
                complain(effect.span, format!("`{other}` is not an effect of a policy statement"), help);
                if other.eq_ignore_ascii_case("deny") { Effect::Deny } else { Effect::Allow }
            }
            None => Effect::Allow,
        },
        None => {
            complain(
                start,
                "policy statement without `Effect`".into(),
                "write `Effect: Allow` or `Effect: Deny`; read as `Allow`",
            );
            Effect::Allow
        }
    };
    let (actions, not_actions) = match (node.get("Action"), node.get("NotAction")) {
        (Some(actions), _) => (template.values(actions), false),
        (None, Some(actions)) => (template.values(actions), true),
        (None, None) => {
            complain(
                start,
                "policy statement without `Action`".into(),
                "write what it allows, such as `Action: s3:GetObject`",
            );
            (Vec::new(), false)
        }
    };
    for action in actions.iter().filter(|_| kind == PolicyKind::Identity) {
        if let Some(text) = action.value.as_text()
            && text != "*"
            && !text.contains(':')
        {
            complain(
                action.span,
                format!("`{text}` is not an action"),
                "write it with its service, as in `s3:GetObject`",
            );
        }
    }
    let (resources, not_resources) = match (node.get("Resource"), node.get("NotResource")) {
        (Some(resources), _) => (template.values(resources), false),
        (None, Some(resources)) => (template.values(resources), true),
        (None, None) => {
            if kind == PolicyKind::Identity && node.get("Principal").is_none() {
                complain(
                    start,
                    "policy statement without `Resource`".into(),
                    "write the ARN it is for, or `Resource: \"*\"`",
                );
            }
            (Vec::new(), false)
        }
    };
    let mut principals = Vec::new();
    if let Some(principal) = node.get("Principal") {
        principals = read_principals(template, principal);
    } else if let Some(principal) = node.get("NotPrincipal") {
        // Everyone but these: as wide as anyone.
        principals.push(Value::text("*"));
        principals.extend(read_principals(template, principal).into_iter().map(|value| {
            let mut not = Value::text("not ");
            not.extend(value);
            not
        }));
    }
    Some(Statement {
        effect,
        actions: actions.into_iter().map(|action| action.value.to_string()).collect(),
        not_actions,
        resources: resources.into_iter().map(|resource| resource.value).collect(),
        not_resources,
        principals,
        condition: node.get("Condition").filter(|condition| !condition.is_null()).map(Node::to_json),
        origin: origin.clone(),
        span: node.span,
    })
}

/// The principals of a statement: `*`, service names, ARNs and account ids.
fn read_principals(template: &Template, node: &Node) -> Vec<Value> {
    let nodes: Vec<&Node> = if intrinsic(node).is_none() && node.is_mapping() {
        node.entries().iter().map(|entry| &entry.value).collect()
    } else {
        vec![node]
    };
    nodes.into_iter().flat_map(|node| template.values(node)).map(|value| value.value).collect()
}

/// Who may assume a role by its trust policy.
pub(crate) fn trusted(template: &Template, document: &Node) -> Vec<Value> {
    let written = document_in_text(document);
    let document = written.as_ref().unwrap_or(document);
    let mut trusted = Vec::new();
    if let Some(entry) = document.entry("Statement") {
        flatten(&entry.value, &mut |statement| {
            let denies = statement.get("Effect").and_then(Node::as_str) == Some("Deny");
            if let Some(principal) = statement.get("Principal").filter(|_| !denies) {
                trusted.extend(read_principals(template, principal));
            }
        });
    }
    trusted
}

/// The statements of an AWS managed policy, by name or ARN, as if written at `span`.
pub(crate) fn managed(name_or_arn: &str, origin: &Origin, span: Span) -> Option<Vec<Statement>> {
    // Inflating a document costs more than reading a small template, and most functions name the same few.
    type Known = HashMap<String, Option<Arc<Vec<Statement>>>>;
    static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
    /// Enough for any repository; more is made again each time.
    const MAX_KNOWN: usize = 2_000;
    let cached = KNOWN.lock().unwrap_or_else(PoisonError::into_inner).get(name_or_arn).cloned();
    let shared = match cached {
        Some(known) => known,
        None => {
            let made = read_managed(name_or_arn).map(Arc::new);
            let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() < MAX_KNOWN {
                known.insert(name_or_arn.to_string(), made.clone());
            }
            made
        }
    };
    Some(shared?.iter().map(|statement| Statement { origin: origin.clone(), span, ..statement.clone() }).collect())
}

fn read_managed(name_or_arn: &str) -> Option<Vec<Statement>> {
    let document = facts::managed_policy(name_or_arn)?;
    let json: serde_json::Value = serde_json::from_str(&document).ok()?;
    let document = json_node(&json, Span::new(FileId(0), 0, 0));
    let origin = Origin::Managed(String::new());
    Some(statements(&Template::default(), &document, PolicyKind::Identity, &origin, &mut Vec::new()))
}

/// The name of an AWS managed policy that an ARN or a bare name means, without its path.
pub(crate) fn managed_name(name_or_arn: &str) -> &str {
    name_or_arn.rsplit('/').next().unwrap_or(name_or_arn)
}

/// The managed policy that a value names: text, or an ARN whose partition is a hole.
pub(crate) fn managed_reference(value: &Value) -> Option<String> {
    let mut text = String::new();
    for part in value.parts() {
        match part {
            Part::Text(known) => text.push_str(known),
            Part::Pseudo(name) if name == "AWS::Partition" => text.push_str("aws"),
            _ => return None,
        }
    }
    Some(text)
}

/// The statements of a SAM policy template with its parameters filled in; none where there is no such template.
pub(crate) fn sam_template(
    template: &Template,
    entry: &Entry,
    function: &str,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Vec<Statement>> {
    let known = facts::sam_policy_template(&entry.key)?;
    let parameters: Vec<&str> = known.parameters().collect();
    for parameter in &parameters {
        if entry.value.get(parameter).is_none() {
            let given = entry.value.entries().iter().map(|entry| entry.key.as_str());
            let mut diagnostic = Diagnostic::at(
                Level::Warning,
                READER,
                entry.key_span,
                format!("policy template `{}` of `{function}` lacks its parameter `{parameter}`", entry.key),
            );
            if let Some(near) = near_miss(parameter, given) {
                diagnostic = diagnostic.help(format!("is `{near}` meant to be `{parameter}`?"));
            }
            diagnostics.push(diagnostic);
        }
    }
    let json: serde_json::Value = serde_json::from_str(known.statements).ok()?;
    let nodes = fill(json_node(&json, entry.key_span), &parameters, &entry.value);
    let document = Node {
        span: entry.key_span,
        tag: None,
        kind: NodeKind::Mapping(vec![Entry {
            key: "Statement".into(),
            key_span: entry.key_span,
            value: template.resolve(&nodes)?,
        }]),
    };
    let origin = Origin::SamTemplate(entry.key.clone());
    let mut statements = statements(template, &document, PolicyKind::Identity, &origin, &mut Vec::new());
    for statement in &mut statements {
        statement.span = entry.key_span;
    }
    Some(statements)
}

/// Replaces `{"Ref": parameter}` by what is given for it.
fn fill(node: Node, parameters: &[&str], given: &Node) -> Node {
    if let Some(("Ref", argument)) = intrinsic(&node)
        && let Some(name) = argument.as_str()
        && parameters.contains(&name)
    {
        return match given.get(name) {
            Some(value) => value.clone(),
            None => json_node(&serde_json::json!({ "Fn::MissingParameter": name }), node.span),
        };
    }
    let kind = match node.kind {
        NodeKind::Sequence(items) => {
            NodeKind::Sequence(items.into_iter().map(|item| fill(item, parameters, given)).collect())
        }
        NodeKind::Mapping(entries) => NodeKind::Mapping(
            entries.into_iter().map(|entry| Entry { value: fill(entry.value, parameters, given), ..entry }).collect(),
        ),
        scalar => scalar,
    };
    Node { span: node.span, tag: None, kind }
}

/// A statement that the platform adds by itself.
pub(crate) fn implied(actions: &[&str], resources: Vec<Value>, reason: &str, span: Span) -> Statement {
    Statement {
        effect: Effect::Allow,
        actions: actions.iter().map(|action| (*action).to_string()).collect(),
        not_actions: false,
        resources,
        not_resources: false,
        principals: Vec::new(),
        condition: None,
        origin: Origin::Implied(reason.to_string()),
        span,
    }
}

/// A policy that is named but whose content isn't known.
pub(crate) fn unresolved(value: Value, span: Span) -> Setting<Value> {
    Setting { value, span }
}
