//! The constructs of serverless-lift: queues with their workers, storage, tables, and what all functions may do with them.
//!
//! Deliberately absent: websites, which start no function of the service; webhooks, whose events go to a bus.

use super::service::{Function, Service, normalized};
use super::tree::{attribute, list, object, object_of, put, substitution};
use source::{Entry, Node, NodeKind};

/// The logical id of what a construct keeps things in, its type, and what functions may do with it.
fn kept(name: &str, construct: &Node) -> Option<(String, &'static str, &'static [&'static str])> {
    match construct.get("type").and_then(Node::scalar)? {
        "queue" => Some((format!("{name}Queue"), "AWS::SQS::Queue", &["sqs:SendMessage"])),
        "storage" => Some((
            format!("{name}Bucket"),
            "AWS::S3::Bucket",
            &["s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:ListBucket"],
        )),
        "database/dynamodb-single-table" => Some((
            format!("{name}Table"),
            "AWS::DynamoDB::Table",
            &[
                "dynamodb:GetItem",
                "dynamodb:BatchGetItem",
                "dynamodb:Query",
                "dynamodb:Scan",
                "dynamodb:BatchWriteItem",
                "dynamodb:PutItem",
                "dynamodb:DeleteItem",
                "dynamodb:UpdateItem",
                "dynamodb:ConditionCheckItem",
            ],
        )),
        _ => None,
    }
}

/// What `${construct:NAME.PROPERTY}` stands for.
pub(super) fn variable(root: &Node, address: &str) -> Option<Node> {
    let (name, property) = address.split_once('.')?;
    let construct = root.get("constructs")?.entry(name)?;
    let (id, _, _) = kept(name, &construct.value)?;
    let text = match property {
        "queueUrl" | "bucketName" | "tableName" => format!("${{{id}}}"),
        "queueArn" | "bucketArn" => format!("${{{id}.Arn}}"),
        "tableStreamArn" => format!("${{{id}.StreamArn}}"),
        _ => return None,
    };
    Some(substitution(&text, construct.key_span))
}

/// The functions that constructs bring: the workers of queues.
pub(super) fn workers(root: &Node) -> Vec<Function> {
    let constructs = root.get("constructs").map_or(&[][..], Node::entries);
    let worker = |construct: &Entry| {
        let (id, "AWS::SQS::Queue", _) = kept(&construct.key, &construct.value)? else { return None };
        let worker = construct.value.entry("worker")?;
        let span = worker.key_span;
        let event = object(span, vec![("sqs", object(span, vec![("arn", attribute(&id, "Arn", span))]))]);
        let mut entries = worker.value.entries().to_vec();
        entries.push(Entry { key: "events".into(), key_span: span, value: list(span, vec![event]) });
        let key = format!("{}Worker", construct.key);
        Some(Function {
            id: format!("{}LambdaFunction", normalized(&key)),
            key,
            key_span: span,
            node: Node { span: worker.value.span, tag: None, kind: NodeKind::Mapping(entries) },
            role: None,
            plugin_role: false,
        })
    };
    constructs.iter().filter_map(worker).collect()
}

impl Service {
    /// Makes what constructs keep things in, and lets functions at it.
    pub(super) fn make_constructs(&mut self) {
        let constructs = self.root.get("constructs").map_or(&[][..], Node::entries).to_vec();
        for construct in &constructs {
            let Some((id, resource_type, actions)) = kept(&construct.key, &construct.value) else { continue };
            let span = construct.key_span;
            let mut properties = Vec::new();
            if let Some(fifo) = construct.value.entry("fifo") {
                put(&mut properties, "FifoQueue", fifo, fifo.value.clone());
            }
            let properties = object_of(construct.value.span, properties);
            self.add(&id, span, construct.value.span, resource_type, properties);
            let mut resources = vec![attribute(&id, "Arn", span)];
            match resource_type {
                "AWS::S3::Bucket" => resources.push(substitution(&format!("${{{id}.Arn}}/*"), span)),
                "AWS::DynamoDB::Table" => resources.push(substitution(&format!("${{{id}.Arn}}/index/*"), span)),
                _ => {}
            }
            // Lift grants it to the role that functions share.
            let sharing = self.functions.iter().find(|function| function.role.is_some() && !function.plugin_role);
            if let Some(key) = sharing.map(|function| function.key.clone()) {
                self.imply(&key, actions, resources, &format!("construct {}", construct.key), span);
            }
        }
    }
}
