//! The application's tables, buckets, queues, topics, streams, buses, secrets and parameters, made in the local endpoint under the
//! names that [`LocalNames`] gives them. What is there already is left as it is.
//!
//! Deliberately absent: subscriptions, notifications and stream mappings (events are sent with `ringfence send`), policies,
//! state machines, user pools and keys.

use super::{Endpoint, client};
use crate::{LocalNames, REGION};
use graph::{Application, Resource, ResourceKind};
use hyper::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value as Json, json};

/// One resource, made or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provisioned {
    /// Its name in the template.
    pub name: String,
    /// Its name at the endpoint.
    pub physical_name: String,
    /// Why it couldn't be made, if it couldn't.
    pub problem: Option<String>,
}

/// How to ask for a resource.
enum Ask {
    Json { service: &'static str, target: &'static str, body: Json },
    Form { service: &'static str, body: String },
    Bucket,
}

/// Makes what can be made. Each failure is told and the rest goes on.
pub async fn provision(application: &Application, names: &LocalNames<'_>, endpoint: &Endpoint) -> Vec<Provisioned> {
    let mut done = Vec::new();
    for resource in &application.resources {
        let physical_name = match parameter_name(resource, names) {
            Some(name) => name,
            None => names.physical_name(&resource.name),
        };
        let problem = match ask(resource, &physical_name, names) {
            None => continue,
            Some(Err(problem)) => Some(problem),
            Some(Ok(ask)) => send(endpoint, &physical_name, ask).await.err(),
        };
        done.push(Provisioned { name: resource.name.clone(), physical_name, problem });
    }
    done
}

fn parameter_name(resource: &Resource, names: &LocalNames<'_>) -> Option<String> {
    (resource.resource_type == "AWS::SSM::Parameter").then(|| match resource.property("Name").and_then(Json::as_str) {
        Some(name) => name.to_owned(),
        None => names.physical_name(&resource.name),
    })
}

/// What to ask for; none for what isn't made here.
fn ask(resource: &Resource, name: &str, names: &LocalNames<'_>) -> Option<Result<Ask, String>> {
    let json = |service, target, body| Some(Ok(Ask::Json { service, target, body }));
    let truth = |property: &str| resource.property(property).is_some_and(|value| value == true || value == "true");
    match resource.kind {
        ResourceKind::Table => {
            let body = table(resource, name);
            Some(body.map(|body| Ask::Json { service: "dynamodb", target: "DynamoDB_20120810.CreateTable", body }))
        }
        ResourceKind::Queue => {
            let attributes = if truth("FifoQueue") { json!({ "FifoQueue": "true" }) } else { json!({}) };
            json("sqs", "AmazonSQS.CreateQueue", json!({ "QueueName": name, "Attributes": attributes }))
        }
        ResourceKind::Topic => {
            let name = utf8_percent_encode(name, NON_ALPHANUMERIC);
            let fifo =
                if truth("FifoTopic") { "&Attributes.entry.1.key=FifoTopic&Attributes.entry.1.value=true" } else { "" };
            let body = format!("Action=CreateTopic&Version=2010-03-31&Name={name}{fifo}");
            Some(Ok(Ask::Form { service: "sns", body }))
        }
        ResourceKind::Bucket => Some(Ok(Ask::Bucket)),
        ResourceKind::Stream => {
            json("kinesis", "Kinesis_20131202.CreateStream", json!({ "StreamName": name, "ShardCount": 1 }))
        }
        ResourceKind::EventBus => json("events", "AWSEvents.CreateEventBus", json!({ "Name": name })),
        ResourceKind::Secret => {
            let written = resource.property("SecretString").and_then(Json::as_str);
            let body = json!({ "Name": name, "SecretString": written.unwrap_or("{\"local\":\"made up\"}"), "ClientRequestToken": "00000000-0000-4000-8000-000000000000" });
            json("secretsmanager", "secretsmanager.CreateSecret", body)
        }
        ResourceKind::LogGroup => json("logs", "Logs_20140328.CreateLogGroup", json!({ "logGroupName": name })),
        _ if resource.resource_type == "AWS::SSM::Parameter" => {
            let value = match resource.property("Value") {
                Some(Json::String(text)) => text.clone(),
                Some(Json::Object(reference)) => reference
                    .get("Ref")
                    .and_then(Json::as_str)
                    .map_or_else(|| "local".into(), |name| names.reference_of(name)),
                _ => "local".into(),
            };
            let value = if value.is_empty() { "local".to_owned() } else { value };
            let body = json!({ "Name": name, "Value": value, "Type": "String", "Overwrite": true });
            json("ssm", "AmazonSSM.PutParameter", body)
        }
        _ => None,
    }
}

/// A table's request: keys and indexes as the template has them, paid per request, streams as asked for.
fn table(resource: &Resource, name: &str) -> Result<Json, String> {
    if resource.resource_type.ends_with("SimpleTable") {
        let text = |path: &str| resource.property(path).and_then(Json::as_str);
        let key = text("PrimaryKey.Name").unwrap_or("id");
        let kind = match text("PrimaryKey.Type") {
            Some("Number") => "N",
            Some("Binary") => "B",
            _ => "S",
        };
        return Ok(json!({
            "TableName": name,
            "AttributeDefinitions": [{ "AttributeName": key, "AttributeType": kind }],
            "KeySchema": [{ "AttributeName": key, "KeyType": "HASH" }],
            "BillingMode": "PAY_PER_REQUEST",
        }));
    }
    let keys = resource.property("KeySchema").ok_or("the template gives no key")?;
    let attributes = resource.property("AttributeDefinitions").ok_or("the template gives no attributes")?;
    let mut body = json!({
        "TableName": name,
        "AttributeDefinitions": attributes,
        "KeySchema": keys,
        "BillingMode": "PAY_PER_REQUEST",
    });
    for property in ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"] {
        let Some(indexes) = resource.property(property).and_then(Json::as_array) else { continue };
        let indexes: Vec<Json> = indexes
            .iter()
            .map(|index| {
                let mut kept = serde_json::Map::new();
                for field in ["IndexName", "KeySchema", "Projection"] {
                    if let Some(value) = index.get(field) {
                        kept.insert(field.into(), value.clone());
                    }
                }
                kept.entry("Projection").or_insert_with(|| json!({ "ProjectionType": "ALL" }));
                Json::Object(kept)
            })
            .collect();
        if !indexes.is_empty() {
            body[property] = Json::Array(indexes);
        }
    }
    if let Some(view) = resource.property("StreamSpecification.StreamViewType") {
        body["StreamSpecification"] = json!({ "StreamEnabled": true, "StreamViewType": view });
    }
    if has_intrinsic(&body, 0) {
        return Err("its keys depend on what the template doesn't say".into());
    }
    Ok(body)
}

fn has_intrinsic(value: &Json, depth: usize) -> bool {
    match value {
        _ if depth > 32 => true,
        Json::Object(object) => {
            object.iter().any(|(key, value)| key == "Ref" || key.starts_with("Fn::") || has_intrinsic(value, depth + 1))
        }
        Json::Array(items) => items.iter().any(|item| has_intrinsic(item, depth + 1)),
        _ => false,
    }
}

async fn send(endpoint: &Endpoint, name: &str, ask: Ask) -> Result<(), String> {
    let authorization = |service: &str| {
        format!(
            "AWS4-HMAC-SHA256 Credential=AKIALOCALLOCALLOCAL0/20260101/{REGION}/{service}/aws4_request, \
             SignedHeaders=host, Signature=0000000000000000000000000000000000000000000000000000000000000000"
        )
    };
    let answer = match ask {
        Ask::Json { service, target, body } => {
            let headers = [
                ("authorization", &*authorization(service)),
                (
                    "content-type",
                    if service == "dynamodb" || service == "sqs" {
                        "application/x-amz-json-1.0"
                    } else {
                        "application/x-amz-json-1.1"
                    },
                ),
                ("x-amz-target", target),
            ];
            client::call(endpoint, Method::POST, "/", &headers, body.to_string()).await
        }
        Ask::Form { service, body } => {
            let headers =
                [("authorization", &*authorization(service)), ("content-type", "application/x-www-form-urlencoded")];
            client::call(endpoint, Method::POST, "/", &headers, body).await
        }
        Ask::Bucket => {
            let path = format!("/{}", utf8_percent_encode(name, &PATH));
            client::call(endpoint, Method::PUT, &path, &[("authorization", &*authorization("s3"))], String::new()).await
        }
    };
    let (status, body) = answer.map_err(|problem| problem.to_string())?;
    if status.is_success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&body).into_owned();
    let there =
        ["ResourceInUseException", "AlreadyExists", "BucketAlreadyOwnedByYou", "QueueNameExists", "QueueAlreadyExists"];
    if there.iter().any(|word| text.contains(word)) {
        return Ok(());
    }
    Err(format!("{status}: {}", text.chars().take(200).collect::<String>()))
}

/// What a bucket's name keeps in a path.
const PATH: percent_encoding::AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');
