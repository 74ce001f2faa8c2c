//! What Lambda does in the name of a function's role, whatever its code does: logs, polling, network interfaces, traces, dead letters.
//!
//! The actions are those of AWS's own managed policies, limited to the resource where a policy can be.

use crate::arn::{Named, Namer, by_name, kind};
use crate::need::{Need, PlatformNeed};
use graph::{Application, Function, Origin, Part, TriggerKind, Value};
use source::Span;

/// The actions of an AWS managed policy, those of other policies left out.
fn actions_of(policy: &str, without: &[String]) -> Vec<String> {
    let document = facts::managed_policy(policy).and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok());
    let mut actions: Vec<String> = document
        .map(|document| crate::document::statements(&document))
        .unwrap_or_default()
        .into_iter()
        .flat_map(|statement| statement.actions)
        .filter(|action| !without.contains(action))
        .collect();
    actions.sort();
    actions.dedup();
    actions
}

/// Splits actions into those that can be limited to `resource` and those that can't.
fn on(actions: Vec<String>, resource: &Value) -> Vec<(Vec<String>, Value)> {
    let (limited, open): (Vec<String>, Vec<String>) =
        actions.into_iter().partition(|name| facts::action(name).is_some_and(|action| kind(action).is_some()));
    [(limited, resource.clone()), (open, Value::text("*"))]
        .into_iter()
        .filter(|(actions, _)| !actions.is_empty())
        .collect()
}

/// Everything the platform needs for a function.
pub(crate) fn needs(application: &Application, function: &Function) -> Vec<PlatformNeed> {
    let mut needs = Vec::new();
    let namer = Namer { application };
    let mut add = |label: String, actions: Vec<String>, resource: Value, span: Span, added_by_sam: bool| {
        for (actions, resource) in on(actions, &resource) {
            let need = Need { actions, resources: vec![resource], because: vec![span] };
            needs.push(PlatformNeed { label: label.clone(), need, added_by_sam });
        }
    };
    let basic = actions_of("AWSLambdaBasicExecutionRole", &[]);
    add("logs".into(), basic.clone(), log_group(application, function), function.span, true);
    if function.in_vpc {
        let actions = actions_of("AWSLambdaVPCAccessExecutionRole", &basic);
        add("VPC access".into(), actions, Value::text("*"), function.span, true);
    }
    if function.tracing.as_deref().is_some_and(|mode| mode.eq_ignore_ascii_case("active")) {
        let actions = vec!["xray:PutTelemetryRecords".to_string(), "xray:PutTraceSegments".to_string()];
        add("tracing".into(), actions, Value::text("*"), function.span, true);
    }
    for trigger in application.triggers_of(&function.name) {
        let (managed, prefix, kind) = match trigger.kind {
            TriggerKind::Sqs => ("AWSLambdaSQSQueueExecutionRole", "sqs", "queue"),
            TriggerKind::Kinesis => ("AWSLambdaKinesisExecutionRole", "kinesis", "stream"),
            TriggerKind::DynamodbStream => ("AWSLambdaDynamoDBExecutionRole", "dynamodb", "stream"),
            TriggerKind::Kafka => ("AWSLambdaMSKExecutionRole", "kafka", "cluster"),
            _ => continue,
        };
        let Some(source) = &trigger.source else { continue };
        let resource = match (prefix, source.parts()) {
            // The stream of a table is an attribute of it.
            ("dynamodb", [Part::Ref(name) | Part::Attribute(name, _)]) if namer.fits(name, prefix, "table") => {
                Value::part(Part::Attribute(name.clone(), "StreamArn".into()))
            }
            _ => match namer.name(source, prefix, kind) {
                Named::Arn(arn) => arn,
                Named::Unknown(_) => crate::arn::all_of(prefix, kind),
            },
        };
        let vpc = if prefix == "kafka" { actions_of("AWSLambdaVPCAccessExecutionRole", &basic) } else { Vec::new() };
        let without: Vec<String> = basic.iter().chain(&vpc).cloned().collect();
        add(format!("polling of {source}"), actions_of(managed, &without), resource, trigger.span, true);
        add(format!("polling of {source} inside its network"), vpc, Value::text("*"), trigger.span, true);
    }
    if let Some(target) = &function.dead_letter {
        let topic = target.value.resource().is_some_and(|name| namer.fits(name, "sns", "topic"))
            || target.value.to_string().contains(":sns:");
        let (action, prefix, kind) =
            if topic { ("sns:Publish", "sns", "topic") } else { ("sqs:SendMessage", "sqs", "queue") };
        if let Named::Arn(arn) = namer.name(&target.value, prefix, kind) {
            add("dead letters".into(), vec![action.to_string()], arn, target.span, true);
        }
    }
    // Destinations and what else SAM found the template to ask for.
    let statements = application.identity_of(function).map_or(&[][..], |identity| &identity.statements);
    for statement in statements {
        let Origin::Implied(reason) = &statement.origin else { continue };
        let special = reason == "event destination" || reason.starts_with("event ");
        let named = statement.resources.iter().any(|resource| resource.as_text() != Some("*"));
        if special && named {
            for resource in &statement.resources {
                add(reason.clone(), statement.actions.clone(), resource.clone(), statement.span, true);
            }
        }
    }
    needs
}

/// The log group of a function. A generated name begins with the stack's and the function's; naming the function itself here would
/// make its role depend on it.
fn log_group(application: &Application, function: &Function) -> Value {
    let own = function
        .log_group
        .as_ref()
        .and_then(|name| application.resource(name))
        .and_then(|group| group.deployed_name.clone())
        .filter(|name| !name.resources().any(|resource| resource == function.name));
    let group = own.unwrap_or_else(|| {
        let mut name = Value::text("/aws/lambda/");
        match &function.deployed_name {
            Some(deployed) => name.extend(deployed.clone()),
            None => {
                name.push(Part::Pseudo("AWS::StackName".into()));
                name.push(Part::Text(format!("-{}-*", function.name)));
            }
        }
        name
    });
    let mut arn = by_name("logs", "log-group", group).unwrap_or_else(|| Value::text("*"));
    arn.push(Part::Text(":*".into()));
    arn
}
