//! What an operation acts on: which member of its request names the resource, and how names are put together where it takes several.

use super::cloud::{Found, Parameters, field};
use crate::evaluate::Evaluator;
use crate::syntax::Place;
use crate::value::Value;
use facts::Operation;
use graph::CallTarget;

/// Members of requests that name the resource, the telling ones first.
const NAMING: &[&str] = &[
    "TableName",
    "TableArn",
    "Bucket",
    "QueueUrl",
    "QueueName",
    "TopicArn",
    "TargetArn",
    "FunctionName",
    "StreamName",
    "StreamARN",
    "DeliveryStreamName",
    "SecretId",
    "stateMachineArn",
    "executionArn",
    "activityArn",
    "KeyId",
    "UserPoolId",
    "IdentityPoolId",
    "logGroupName",
    "logGroupIdentifier",
    "resourceArn",
    "EventBusName",
    "WorkGroup",
    "CollectionId",
    "EndpointName",
    "StackName",
    "projectName",
    "pipelineName",
    "StateMachineArn",
    "thingName",
    "FileSystemId",
    "RepositoryName",
    "repositoryName",
    "ClusterIdentifier",
    "DBInstanceIdentifier",
    "DBClusterIdentifier",
    "DatabaseName",
    "InstanceIds",
    "InstanceId",
    "AutoScalingGroupName",
    "cluster",
    "RoleName",
    "RoleArn",
    "UserName",
    "DistributionId",
    "HostedZoneId",
    "restApiId",
    "ApiId",
    "apiId",
    "knowledgeBaseId",
    "agentId",
    "flowIdentifier",
    "modelId",
    "guardrailIdentifier",
    "JobName",
    "jobName",
    "CrawlerName",
    "IndexName",
    "PlaceIndexName",
    "CalculatorName",
    "TrackerName",
    "ApplicationId",
    "applicationId",
    "ApplicationArn",
    "DomainName",
    "botId",
    "GroupName",
    "ScheduleName",
    "resourceId",
    "ResourceArn",
    "ResourceARN",
    "Resource",
    "StreamArn",
    "ShardIterator",
    "Arn",
    "SecretIdList",
    "Names",
    "Name",
    "name",
    "Path",
    "Rule",
    "topic",
    "DocumentName",
];

/// What an operation acts on.
pub(crate) fn targets(evaluator: &mut Evaluator<'_>, operation: Operation, parameters: &Parameters<'_>) -> Value {
    let service = operation.service().boto3();
    match (service, operation.name()) {
        ("events", "PutEvents") => return event_bus(evaluator, parameters),
        ("dynamodb", "BatchGetItem" | "BatchWriteItem") => {
            let Some(items) = parameters.known(evaluator, "RequestItems") else { return Value::Unknown };
            let names: Vec<Value> = items
                .alternatives()
                .iter()
                .flat_map(|one| evaluator.fields(one))
                .map(|(name, value)| if &*name == "\0key" { value } else { Value::Text(name) })
                .collect();
            return names.into_iter().reduce(Value::or).unwrap_or(Value::Unknown);
        }
        ("dynamodb", "TransactWriteItems" | "TransactGetItems") => {
            let Some(list) = parameters.known(evaluator, "TransactItems") else { return Value::Unknown };
            let item = evaluator.iterate(&list, Place::default());
            let tables: Vec<Value> = item
                .alternatives()
                .iter()
                .flat_map(|one| evaluator.fields(one))
                .filter_map(|(_, part)| match field(evaluator, &part, "TableName") {
                    Found::Known(value) => Some(value),
                    Found::Absent | Found::Unknown => None,
                })
                .collect();
            return tables.into_iter().reduce(Value::or).unwrap_or(Value::Unknown);
        }
        // A schedule is named within its group, a rule within its bus.
        ("scheduler", "GetSchedule" | "CreateSchedule" | "UpdateSchedule" | "DeleteSchedule") => {
            let group = parameters.known(evaluator, "GroupName").unwrap_or(Value::text("default"));
            let name = parameters.known(evaluator, "Name").unwrap_or(Value::Unknown);
            return Value::concat(vec![group, Value::text("/"), name]);
        }
        ("kendra", name) if name.contains("DataSource") && parameters.known(evaluator, "Id").is_some() => {
            let index = parameters.known(evaluator, "IndexId").unwrap_or(Value::Unknown);
            let source = parameters.known(evaluator, "Id").unwrap_or(Value::Unknown);
            return Value::concat(vec![index, Value::text("/data-source/"), source]);
        }
        ("bedrock-agent-runtime", "InvokeAgent") => {
            let agent = parameters.known(evaluator, "agentId").unwrap_or(Value::Unknown);
            let alias = parameters.known(evaluator, "agentAliasId").unwrap_or(Value::Unknown);
            return Value::concat(vec![agent, Value::text("/"), alias]);
        }
        ("ecs", "RunTask" | "StartTask") => {
            return parameters.known(evaluator, "taskDefinition").unwrap_or(Value::Unknown);
        }
        ("ses" | "sesv2", name) if name.starts_with("Send") => {
            // A raw message may say in its own text who sends it.
            for name in ["FromEmailAddressIdentityArn", "SourceArn", "FromEmailAddress", "Source"] {
                if let Some(sender) = parameters.known(evaluator, name) {
                    return sender.map(mail_address);
                }
            }
            return Value::Unknown;
        }
        ("dynamodb", "ExecuteStatement" | "BatchExecuteStatement" | "ExecuteTransaction") => {
            return partiql_table(evaluator, parameters);
        }
        _ => {}
    }
    let resourceless = operation.actions().is_some() && operation.resource_types().is_empty();
    if resourceless {
        return Value::Nothing;
    }
    let name_counts = matches!(
        service,
        "ssm"
            | "events"
            | "scheduler"
            | "glue"
            | "secretsmanager"
            | "stepfunctions"
            | "kinesis"
            | "sns"
            | "athena"
            | "codepipeline"
            | "cloudwatch"
            | "iot"
    );
    let mut unknown = false;
    for name in NAMING {
        if matches!(*name, "Name" | "name" | "Names" | "Path") && !name_counts {
            continue;
        }
        match parameters.find(evaluator, name) {
            Found::Known(value) => {
                // A list of names is each of them.
                return match &value {
                    Value::Object(_) => evaluator.iterate(&value, Place::default()),
                    _ => value,
                };
            }
            Found::Unknown => unknown = true,
            Found::Absent => {}
        }
    }
    if unknown { Value::Unknown } else { Value::Nothing }
}

/// The address in `Name <address>`.
fn mail_address(sender: &Value) -> Value {
    match sender {
        Value::Text(text) => match text.split_once('<') {
            Some((_, rest)) => Value::text(rest.trim_end().trim_end_matches('>')),
            None => sender.clone(),
        },
        Value::Pattern(parts) => {
            let at = parts.iter().position(|part| part.as_text().is_some_and(|text| text.contains('<')));
            let Some(at) = at else { return sender.clone() };
            let mut inner = Vec::new();
            for (index, part) in parts.iter().enumerate().skip(at) {
                match part.as_text() {
                    Some(text) => {
                        let text = if index == at { text.split_once('<').map_or(text, |(_, rest)| rest) } else { text };
                        inner.push(Value::text(text.split('>').next().unwrap_or(text)));
                    }
                    None => inner.push(part.clone()),
                }
            }
            inner.retain(|part| part.as_text() != Some(""));
            if inner.is_empty() { Value::Unknown } else { Value::concat(inner) }
        }
        _ => sender.clone(),
    }
}

/// The tables of a transaction's entries that ask for an action: those of `Put` for `dynamodb:PutItem`.
pub(crate) fn transacted(evaluator: &mut Evaluator<'_>, parameters: &Parameters<'_>, action: &str) -> Vec<CallTarget> {
    let Some(list) = parameters.known(evaluator, "TransactItems") else { return Vec::new() };
    let entry = evaluator.iterate(&list, Place::default());
    let verb = action.split_once(':').map_or(action, |(_, name)| name).trim_end_matches("Item");
    let mut tables: Vec<CallTarget> = Vec::new();
    for one in entry.alternatives() {
        for (name, part) in evaluator.fields(one) {
            if !name.eq_ignore_ascii_case(verb) {
                continue;
            }
            let found = match field(evaluator, &part, "TableName") {
                Found::Known(table) => table.targets(),
                Found::Absent | Found::Unknown => vec![CallTarget::Unknown],
            };
            for table in found {
                if !tables.contains(&table) {
                    tables.push(table);
                }
            }
        }
    }
    tables
}

fn event_bus(evaluator: &mut Evaluator<'_>, parameters: &Parameters<'_>) -> Value {
    let Some(entries) = parameters.known(evaluator, "Entries") else { return Value::Unknown };
    let entry = evaluator.iterate(&entries, Place::default());
    let mut buses: Option<Value> = None;
    for one in entry.alternatives() {
        let bus = match (one, field(evaluator, one, "EventBusName")) {
            (_, Found::Known(bus)) => bus,
            // Without a name it is the account's default bus.
            (Value::Object(_), Found::Absent) => Value::text("default"),
            _ => Value::Unknown,
        };
        buses = Some(match buses {
            Some(before) => before.or(bus),
            None => bus,
        });
    }
    buses.unwrap_or(Value::Unknown)
}

/// The table in `SELECT * FROM "table"`.
fn partiql_table(evaluator: &Evaluator<'_>, parameters: &Parameters<'_>) -> Value {
    let Some(statement) = parameters.known(evaluator, "Statement") else { return Value::Unknown };
    // One of several statements goes to the table of one of them.
    statement.alternatives().iter().map(table_of_statement).reduce(Value::or).unwrap_or(Value::Unknown)
}

fn table_of_statement(statement: &Value) -> Value {
    let parts = match statement {
        Value::Pattern(parts) => parts.to_vec(),
        one => vec![one.clone()],
    };
    let mut wanted = false;
    for part in &parts {
        if wanted && !matches!(part, Value::Text(_)) {
            return part.clone();
        }
        let Some(text) = part.as_text() else { continue };
        for word in text.split_whitespace() {
            let name = word.trim_matches(['"', '\'', ';']);
            if name.is_empty() {
                continue;
            }
            if wanted {
                return Value::text(name.split('"').next().unwrap_or(name));
            }
            wanted = ["from", "into", "update"].iter().any(|keyword| name.eq_ignore_ascii_case(keyword));
        }
    }
    Value::Unknown
}
