//! What functions may act on and what their code acts on, by name: the template's references, and names and ARNs written out that are
//! those of the template's own resources.
//!
//! Permissions on everything name nothing; [`wide_actions`] lists those. An ARN with a pattern counts where the pattern starts with a name.

use graph::{Application, Effect, Function, Origin, ResourceKind, Statement, Value};
use source::Span;
use std::collections::{BTreeSet, HashMap};

/// Something of the application that a function may act on or, by its code, does act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Name of the function.
    pub function: String,
    /// Name of the resource or function it acts on.
    pub target: String,
    /// Actions: allowed ones as the policy writes them, or the call of the code.
    pub actions: Vec<String>,
    /// Whether a policy names the target. Otherwise the code does, under a permission that names less.
    pub granted: bool,
    /// Whether the code was read and calls something that may be the target; none where no code was read.
    pub called: Option<bool>,
    /// The statement, or the call.
    pub span: Span,
}

/// Everything that functions act on by name: first what policies name, in the order of the functions and their statements, then what only
/// the code names.
pub fn accesses(application: &Application) -> Vec<Access> {
    let names = Names::of(application);
    let mut accesses = Vec::new();
    for function in &application.functions {
        let called = called(function, &names);
        let mut granted = BTreeSet::new();
        let statements = application.identity_of(function).map_or(&[][..], |identity| &identity.statements);
        for statement in statements.iter().filter(|statement| statement.effect == Effect::Allow) {
            if statement.not_resources {
                continue;
            }
            let targets: BTreeSet<&str> =
                statement.resources.iter().flat_map(|value| names.targets(value, None)).collect();
            for target in targets.into_iter().filter(|target| *target != function.name) {
                granted.insert(target);
                accesses.push(Access {
                    function: function.name.clone(),
                    target: target.to_owned(),
                    actions: statement.actions.clone(),
                    granted: true,
                    called: called.as_ref().map(|called| called.contains(target)),
                    span: statement.span,
                });
            }
        }
        for call in function.behaviour.iter().flat_map(|behaviour| &behaviour.calls) {
            let Some(value) = call.target.resolve(&function.environment) else { continue };
            for target in names.targets(&value, Some(&call.service)) {
                if target != function.name && !granted.contains(target) {
                    accesses.push(Access {
                        function: function.name.clone(),
                        target: target.to_owned(),
                        actions: vec![format!("{}:{}", call.service, call.operation)],
                        granted: false,
                        called: Some(true),
                        span: call.span,
                    });
                }
            }
        }
    }
    accesses
}

/// What a function's code calls by name; none where it wasn't read, or where a call could be on anything.
fn called<'a>(function: &Function, names: &Names<'a>) -> Option<BTreeSet<&'a str>> {
    let behaviour = function.behaviour.as_ref()?;
    let mut called = BTreeSet::new();
    for call in &behaviour.calls {
        match call.target.resolve(&function.environment) {
            Some(value) => {
                let targets = names.targets(&value, Some(&call.service));
                if targets.is_empty() && value.as_text().is_none() {
                    called.extend(names.of_service(&call.service));
                }
                called.extend(targets);
            }
            // The caller chooses or it can't be told: anything of the service.
            None => called.extend(names.of_service(&call.service)),
        }
    }
    Some(called)
}

/// The names of an application's resources and functions.
pub(crate) struct Names<'a> {
    /// By logical id, with the service.
    logical: HashMap<&'a str, &'static str>,
    /// By service and deployed name.
    deployed: Vec<(&'static str, String, &'a str)>,
}

impl<'a> Names<'a> {
    pub(crate) fn of(application: &'a Application) -> Self {
        let mut names = Self { logical: HashMap::new(), deployed: Vec::new() };
        let functions =
            application.functions.iter().map(|function| (&function.name, "lambda", &function.deployed_name));
        let resources = application
            .resources
            .iter()
            .map(|resource| (&resource.name, service(resource.kind), &resource.deployed_name));
        for (name, service, deployed) in functions.chain(resources) {
            names.logical.entry(name).or_insert(service);
            if let Some(deployed) = deployed {
                names.deployed.push((service, deployed.to_string(), name));
            }
        }
        names
    }

    /// What a value names. A plain name counts only where the service is known.
    pub(crate) fn targets(&self, value: &Value, service: Option<&str>) -> Vec<&'a str> {
        let mut targets: Vec<&'a str> =
            value.resources().filter_map(|name| self.logical.get_key_value(name).map(|(name, _)| *name)).collect();
        if !targets.is_empty() {
            return targets;
        }
        let text = value.to_string();
        let (service, name) = match (arn(&text), service) {
            (Some(parts), _) => (parts[2].clone(), arn_name(&parts[2], &parts[5]).to_owned()),
            (None, Some(service)) => {
                let name = if text.contains("://") { text.rsplit('/').next().unwrap_or("") } else { text.as_str() };
                (service.to_owned(), name.to_owned())
            }
            (None, None) => return targets,
        };
        let pattern = name.find(['*', '?']).map(|at| &name[..at]);
        if pattern.map_or(name.is_empty(), str::is_empty) {
            return targets;
        }
        for (of, deployed, logical) in &self.deployed {
            let fits = pattern.map_or(*deployed == name, |start| deployed.starts_with(start));
            if fits && *of == service {
                targets.push(logical);
            }
        }
        targets
    }

    fn of_service(&self, service: &str) -> impl Iterator<Item = &'a str> {
        self.logical.iter().filter(move |(_, of)| **of == service).map(|(name, _)| *name)
    }
}

/// The service that ARNs of a resource carry; empty where its kind doesn't tell.
fn service(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::Api => "execute-api",
        ResourceKind::Queue => "sqs",
        ResourceKind::Topic => "sns",
        ResourceKind::Bucket => "s3",
        ResourceKind::Table => "dynamodb",
        ResourceKind::Stream => "kinesis",
        ResourceKind::DeliveryStream => "firehose",
        ResourceKind::EventBus | ResourceKind::Rule => "events",
        ResourceKind::Secret => "secretsmanager",
        ResourceKind::Key => "kms",
        ResourceKind::UserPool => "cognito-idp",
        ResourceKind::StateMachine => "states",
        ResourceKind::LogGroup => "logs",
        ResourceKind::Database => "rds",
        ResourceKind::FileSystem => "elasticfilesystem",
        ResourceKind::Layer | ResourceKind::Distribution | ResourceKind::Application | ResourceKind::Other => "",
    }
}

/// The six parts of an ARN pattern. Holes may hold colons of their own (`${AWS::Region}`).
fn arn(pattern: &str) -> Option<[String; 6]> {
    if !pattern.starts_with("arn:") {
        return None;
    }
    let mut parts: [String; 6] = Default::default();
    let (mut depth, mut part) = (0_usize, 0);
    for character in pattern.chars() {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ':' if depth == 0 && part < 5 => {
                part += 1;
                continue;
            }
            _ => {}
        }
        parts[part].push(character);
    }
    (part == 5).then_some(parts)
}

/// The name in an ARN's last part: without its type before and what lies below it after.
fn arn_name<'a>(service: &str, resource: &'a str) -> &'a str {
    let typed = match service {
        // `bucket/key`, `queue` and `topic` have no type.
        "s3" | "sqs" | "sns" => resource,
        "states" | "lambda" | "secretsmanager" | "logs" => resource.split_once(':').map_or(resource, |(_, name)| name),
        _ => resource.split_once('/').map_or(resource, |(_, name)| name),
    };
    typed.split(['/', ':']).next().unwrap_or(typed)
}

/// Whether a resource pattern names every resource of a service: `*`, `arn:aws:s3:::*`, `arn:..:table/*`.
fn is_everything(pattern: &str) -> bool {
    pattern == "*"
        || arn(pattern)
            .is_some_and(|parts| parts[5].starts_with('*') || arn_name(&parts[2], &parts[5]).starts_with('*'))
}

/// Actions that are allowed on every resource of a service.
///
/// Left out are writing logs and traces, what the platform adds by itself, and actions that only list or describe, most of which can't be
/// allowed on less.
pub fn wide_actions(statements: &[Statement]) -> Vec<String> {
    let mut actions = BTreeSet::new();
    for statement in statements.iter().filter(|statement| statement.effect == Effect::Allow) {
        let everything =
            statement.not_resources || statement.resources.iter().any(|value| is_everything(&value.to_string()));
        if !everything || matches!(statement.origin, Origin::Implied(_)) {
            continue;
        }
        if statement.not_actions {
            actions.insert("all but some".to_owned());
            continue;
        }
        for action in &statement.actions {
            let action_lower = action.to_ascii_lowercase();
            let (service, name) = action_lower.split_once(':').unwrap_or(("", &action_lower));
            let harmless =
                matches!(service, "logs" | "xray") || name.starts_with("list") || name.starts_with("describe");
            if !harmless {
                actions.insert(action.clone());
            }
        }
    }
    actions.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_with_holes_still_has_six_parts() {
        let parts =
            arn("arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/Orders/index/*").unwrap();
        assert_eq!(arn_name(&parts[2], &parts[5]), "Orders");
        let parts = arn("arn:aws:lambda:eu-west-1:1:function:Ship:live").unwrap();
        assert_eq!(arn_name(&parts[2], &parts[5]), "Ship");
        assert_eq!(arn("arn:aws:s3"), None);
    }

    #[test]
    fn everything_is_told_from_everything_below_one_thing() {
        for pattern in
            ["*", "arn:aws:s3:::*", "arn:aws:s3:::*/*", "arn:aws:dynamodb:*:*:table/*", "arn:aws:lambda:*:*:function:*"]
        {
            assert!(is_everything(pattern), "{pattern}");
        }
        for pattern in [
            "arn:aws:s3:::bucket/*",
            "arn:aws:dynamodb:*:*:table/Orders/index/*",
            "${Table.Arn}",
            "arn:aws:s3:::${B}/*",
        ] {
            assert!(!is_everything(pattern), "{pattern}");
        }
    }
}
