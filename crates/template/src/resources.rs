//! Everything in a template that is neither a function nor a role, and the policies attached to it.

use crate::model::{Block, Template};
use crate::normalize::intrinsic;
use crate::policy::{PolicyKind, flatten, statements};
use crate::reader::Reader;
use graph::{Effect, Origin, Part, Resource, ResourceKind, Statement, Value};
use source::{Entry, Node, NodeKind, Span};

impl Reader<'_, '_> {
    /// Reads every other resource.
    pub(crate) fn read_resources(&mut self) {
        let template = self.template.clone();
        for block in &template.blocks {
            if matches!(
                block.resource_type.as_str(),
                "AWS::Serverless::Function"
                    | "AWS::Lambda::Function"
                    | "AWS::IAM::Role"
                    | "AWS::IAM::User"
                    | "AWS::IAM::Group"
            ) {
                continue;
            }
            let mut properties = block.raw.to_json();
            // The CDK writes a place in a bucket, and beside it the folder that goes there.
            let asset = block.node.at(&["Metadata", "aws:asset:path"]).and_then(Node::as_str);
            if let Some(asset) = asset.filter(|_| block.resource_type == "AWS::Lambda::LayerVersion") {
                properties["Content"] = serde_json::Value::from(asset);
            }
            self.application.resources.push(Resource {
                name: block.name.clone(),
                resource_type: block.resource_type.clone(),
                kind: kind(&block.resource_type),
                span: block.span,
                deployed_name: deployed_name(&template, block),
                properties,
                property_spans: property_spans(&block.raw),
                policy: Vec::new(),
            });
        }
    }

    /// Attaches resource policies to what they are for.
    pub(crate) fn read_resource_policies(&mut self) {
        let template = self.template.clone();
        for block in &template.blocks {
            // Where the policy stands, and under which property it says what it is for; its own where there is none.
            let (document, targets) = match block.resource_type.as_str() {
                "AWS::S3::BucketPolicy" => ("PolicyDocument", Some("Bucket")),
                "AWS::SQS::QueuePolicy" => ("PolicyDocument", Some("Queues")),
                "AWS::SQS::QueueInlinePolicy" => ("PolicyDocument", Some("Queue")),
                "AWS::SNS::TopicPolicy" => ("PolicyDocument", Some("Topics")),
                "AWS::SNS::TopicInlinePolicy" => ("PolicyDocument", Some("TopicArn")),
                "AWS::SecretsManager::ResourcePolicy" => ("ResourcePolicy", Some("SecretId")),
                "AWS::Events::EventBusPolicy" => ("Statement", Some("EventBusName")),
                "AWS::Kinesis::ResourcePolicy" => ("ResourcePolicy", Some("ResourceArn")),
                "AWS::KMS::Key" => ("KeyPolicy", None),
                "AWS::ApiGateway::RestApi" => ("Policy", None),
                "AWS::Events::EventBus" => ("Policy", None),
                "AWS::DynamoDB::Table" => ("ResourcePolicy", None),
                "AWS::EFS::FileSystem" => ("FileSystemPolicy", None),
                "AWS::ECR::Repository" => ("RepositoryPolicyText", None),
                "AWS::Serverless::Api" => ("Auth", None),
                "AWS::Lambda::Permission" => {
                    if let Some(statement) = permission_statement(&template, block) {
                        self.attach(&block.name, vec![statement]);
                    }
                    continue;
                }
                "AWS::Lambda::LayerVersionPermission" => {
                    self.attach(&block.name, vec![layer_statement(&template, block)]);
                    continue;
                }
                _ => continue,
            };
            let Some(document) = block.get(document) else { continue };
            let found = match block.resource_type.as_str() {
                "AWS::Serverless::Api" => {
                    document.get("ResourcePolicy").map(|policy| api_policy(&template, policy, self)).unwrap_or_default()
                }
                "AWS::DynamoDB::Table" => match document.get("PolicyDocument") {
                    Some(document) => {
                        statements(&template, document, PolicyKind::Resource, &Origin::Inline, self.diagnostics)
                    }
                    None => Vec::new(),
                },
                "AWS::Events::EventBusPolicy" => {
                    let wrapped = wrap(document);
                    statements(&template, &wrapped, PolicyKind::Resource, &Origin::Inline, self.diagnostics)
                }
                _ => statements(&template, document, PolicyKind::Resource, &Origin::Inline, self.diagnostics),
            };
            match targets {
                None => self.attach(&block.name, found),
                Some(property) => {
                    let Some(targets) = block.get(property) else { continue };
                    for target in template.values(targets) {
                        if let Some(name) = self.resource_named(&target.value) {
                            self.attach(&name, found.clone());
                        }
                    }
                }
            }
        }
    }

    fn attach(&mut self, name: &str, statements: Vec<Statement>) {
        if let Some(resource) = self.application.resources.iter_mut().find(|resource| resource.name == name) {
            resource.policy.extend(statements);
        }
    }

    /// The resource that a value names: by reference, or by its deployed name or an ARN or address that ends in it.
    pub(crate) fn resource_named(&self, value: &Value) -> Option<String> {
        if let Some(name) = value.resources().find(|name| self.application.resource(name).is_some()) {
            return Some(name.to_string());
        }
        if value.parts().is_empty() {
            return None;
        }
        let shown = value.to_string();
        let last = shown.rsplit([':', '/']).next().unwrap_or(&shown);
        self.application
            .resources
            .iter()
            .find(|resource| {
                resource.deployed_name.as_ref().is_some_and(|name| *name == *value || name.to_string() == last)
            })
            .map(|resource| resource.name.clone())
    }
}

/// One statement as a document of its own.
fn wrap(statement: &Node) -> Node {
    let entry = Entry { key: "Statement".into(), key_span: statement.span, value: statement.clone() };
    Node { span: statement.span, tag: None, kind: NodeKind::Mapping(vec![entry]) }
}

/// SAM's `ResourcePolicy` of an API: own statements and lists of who is let in or kept out.
fn api_policy(template: &Template, policy: &Node, reader: &mut Reader<'_, '_>) -> Vec<Statement> {
    let mut found = Vec::new();
    if let Some(custom) = policy.get("CustomStatements") {
        flatten(custom, &mut |statement| {
            found.extend(statements(
                template,
                &wrap(statement),
                PolicyKind::Resource,
                &Origin::Inline,
                reader.diagnostics,
            ));
        });
    }
    for (list, effect, operator, key) in [
        ("IpRangeWhitelist", Effect::Deny, "NotIpAddress", "aws:SourceIp"),
        ("IpRangeBlacklist", Effect::Deny, "IpAddress", "aws:SourceIp"),
        ("SourceVpcWhitelist", Effect::Deny, "StringNotEquals", "aws:SourceVpc"),
        ("SourceVpcBlacklist", Effect::Deny, "StringEquals", "aws:SourceVpc"),
        ("IntrinsicVpcWhitelist", Effect::Deny, "StringNotEquals", "aws:SourceVpc"),
        ("IntrinsicVpcBlacklist", Effect::Deny, "StringEquals", "aws:SourceVpc"),
        ("IntrinsicVpceWhitelist", Effect::Deny, "StringNotEquals", "aws:SourceVpce"),
        ("IntrinsicVpceBlacklist", Effect::Deny, "StringEquals", "aws:SourceVpce"),
        ("AwsAccountWhitelist", Effect::Allow, "", ""),
        ("AwsAccountBlacklist", Effect::Deny, "", ""),
    ] {
        let Some(entry) = policy.entry(list) else { continue };
        let items: Vec<Value> = template.values(&entry.value).into_iter().map(|item| item.value).collect();
        let shown: Vec<String> = items.iter().map(Value::to_string).collect();
        found.push(Statement {
            effect,
            actions: vec!["execute-api:Invoke".into()],
            not_actions: false,
            resources: vec![Value::text("execute-api:/*")],
            not_resources: false,
            principals: if operator.is_empty() { items } else { vec![Value::text("*")] },
            condition: (!operator.is_empty()).then(|| serde_json::json!({ operator: { key: shown } })),
            origin: Origin::Inline,
            span: entry.key_span,
        });
    }
    found
}

/// What an `AWS::Lambda::Permission` allows.
pub(crate) fn permission_statement(template: &Template, block: &Block) -> Option<Statement> {
    let value = |name: &str| block.get(name).map(|node| template.value(node));
    let mut condition = serde_json::Map::new();
    for (property, operator, key) in [
        ("SourceArn", "ArnLike", "aws:SourceArn"),
        ("SourceAccount", "StringEquals", "aws:SourceAccount"),
        ("PrincipalOrgID", "StringEquals", "aws:PrincipalOrgID"),
        ("FunctionUrlAuthType", "StringEquals", "lambda:FunctionUrlAuthType"),
        ("EventSourceToken", "StringEquals", "lambda:EventSourceToken"),
    ] {
        if let Some(value) = value(property) {
            let operands = condition.entry(operator).or_insert_with(|| serde_json::json!({}));
            operands[key] = serde_json::Value::from(value.to_string());
        }
    }
    Some(Statement {
        effect: Effect::Allow,
        actions: vec![value("Action").map_or_else(|| "lambda:InvokeFunction".into(), |action| action.to_string())],
        not_actions: false,
        resources: value("FunctionName").into_iter().collect(),
        not_resources: false,
        principals: value("Principal").into_iter().collect(),
        condition: (!condition.is_empty()).then_some(serde_json::Value::Object(condition)),
        origin: Origin::Inline,
        span: block.span,
    })
}

/// What an `AWS::Lambda::LayerVersionPermission` allows.
fn layer_statement(template: &Template, block: &Block) -> Statement {
    let value = |name: &str| block.get(name).map(|node| template.value(node));
    let organization = value("OrganizationId").map(|organization| organization.to_string());
    Statement {
        effect: Effect::Allow,
        actions: vec![value("Action").map_or_else(|| "lambda:GetLayerVersion".into(), |action| action.to_string())],
        not_actions: false,
        resources: value("LayerVersionArn").into_iter().collect(),
        not_resources: false,
        principals: value("Principal").into_iter().collect(),
        condition: organization
            .map(|organization| serde_json::json!({ "StringEquals": { "aws:PrincipalOrgID": organization } })),
        origin: Origin::Inline,
        span: block.span,
    }
}

/// The place of every property, two levels deep.
pub(crate) fn property_spans(properties: &Node) -> Vec<(String, Span)> {
    // A block is pointed at by its key: its whole body would hide what is meant.
    let place = |entry: &Entry| match entry.value.kind {
        NodeKind::Scalar { .. } => entry.key_span.to(entry.value.span),
        _ if intrinsic(&entry.value).is_some() => entry.key_span.to(entry.value.span),
        _ => entry.key_span,
    };
    let mut spans = Vec::new();
    for entry in properties.entries() {
        spans.push((entry.key.clone(), place(entry)));
        for inner in entry.value.entries() {
            spans.push((format!("{}.{}", entry.key, inner.key), place(inner)));
        }
    }
    spans
}

/// The name a resource is deployed under.
fn deployed_name(template: &Template, block: &Block) -> Option<Value> {
    let property = match block.resource_type.as_str() {
        "AWS::SQS::Queue" => "QueueName",
        "AWS::SNS::Topic" => "TopicName",
        "AWS::S3::Bucket" => "BucketName",
        "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable" | "AWS::Serverless::SimpleTable" => "TableName",
        "AWS::Logs::LogGroup" => "LogGroupName",
        "AWS::StepFunctions::StateMachine" => "StateMachineName",
        "AWS::KinesisFirehose::DeliveryStream" => "DeliveryStreamName",
        "AWS::Cognito::UserPool" => "UserPoolName",
        "AWS::Serverless::LayerVersion" | "AWS::Lambda::LayerVersion" => "LayerName",
        "AWS::RDS::DBCluster" | "AWS::DocDB::DBCluster" => "DBClusterIdentifier",
        "AWS::RDS::DBInstance" => "DBInstanceIdentifier",
        "AWS::KMS::Alias" => "AliasName",
        "AWS::IAM::ManagedPolicy" => "ManagedPolicyName",
        "AWS::IAM::Policy" => "PolicyName",
        _ => "Name",
    };
    block.get(property).map(|name| template.value(name)).filter(|name| !name.parts().is_empty())
}

fn kind(resource_type: &str) -> ResourceKind {
    match resource_type {
        "AWS::Serverless::Api"
        | "AWS::Serverless::HttpApi"
        | "AWS::Serverless::WebSocketApi"
        | "AWS::Serverless::GraphQLApi"
        | "AWS::ApiGateway::RestApi"
        | "AWS::ApiGatewayV2::Api"
        | "AWS::AppSync::GraphQLApi"
        | "AWS::AppSync::Api" => ResourceKind::Api,
        "AWS::SQS::Queue" => ResourceKind::Queue,
        "AWS::SNS::Topic" => ResourceKind::Topic,
        "AWS::S3::Bucket" | "AWS::S3Express::DirectoryBucket" => ResourceKind::Bucket,
        "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable" | "AWS::Serverless::SimpleTable" => ResourceKind::Table,
        "AWS::Kinesis::Stream" | "AWS::MSK::Cluster" | "AWS::MSK::ServerlessCluster" => ResourceKind::Stream,
        "AWS::KinesisFirehose::DeliveryStream" => ResourceKind::DeliveryStream,
        "AWS::Events::EventBus" => ResourceKind::EventBus,
        "AWS::Events::Rule" | "AWS::Scheduler::Schedule" | "AWS::IoT::TopicRule" => ResourceKind::Rule,
        "AWS::SecretsManager::Secret" | "AWS::SSM::Parameter" => ResourceKind::Secret,
        "AWS::KMS::Key" | "AWS::KMS::ReplicaKey" => ResourceKind::Key,
        "AWS::Cognito::UserPool" => ResourceKind::UserPool,
        "AWS::StepFunctions::StateMachine" | "AWS::Serverless::StateMachine" => ResourceKind::StateMachine,
        "AWS::Logs::LogGroup" => ResourceKind::LogGroup,
        "AWS::RDS::DBInstance"
        | "AWS::RDS::DBCluster"
        | "AWS::DocDB::DBCluster"
        | "AWS::Neptune::DBCluster"
        | "AWS::Redshift::Cluster"
        | "AWS::RedshiftServerless::Workgroup"
        | "AWS::OpenSearchService::Domain"
        | "AWS::OpenSearchServerless::Collection"
        | "AWS::ElastiCache::ReplicationGroup"
        | "AWS::ElastiCache::ServerlessCache"
        | "AWS::DSQL::Cluster"
        | "AWS::Timestream::Database" => ResourceKind::Database,
        "AWS::EFS::FileSystem" | "AWS::FSx::FileSystem" => ResourceKind::FileSystem,
        "AWS::Serverless::LayerVersion" | "AWS::Lambda::LayerVersion" => ResourceKind::Layer,
        "AWS::CloudFront::Distribution" => ResourceKind::Distribution,
        "AWS::Serverless::Application" | "AWS::CloudFormation::Stack" => ResourceKind::Application,
        _ => ResourceKind::Other,
    }
}

/// A reference to a resource as a value.
pub(crate) fn reference(name: &str) -> Value {
    Value::part(Part::Ref(name.to_string()))
}
