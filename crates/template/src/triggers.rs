//! What starts functions in plain CloudFormation: mappings, rules, notifications, subscriptions and everything else that
//! names a function.

use crate::events::{reports_failures, shown_json, shown_list};
use crate::functions::trigger;
use crate::model::{Block, Template};
use crate::normalize::{intrinsic, normalize};
use crate::policy::document_in_text;
use crate::reader::Reader;
use crate::resources::reference;
use graph::{Authorization, Part, Trigger, TriggerKind, Value};
use source::{Node, NodeKind, Span};

impl Reader<'_, '_> {
    /// Reads the triggers that stand in resources of their own.
    pub(crate) fn read_triggers(&mut self) {
        let template = self.template.clone();
        for block in &template.blocks {
            match block.resource_type.as_str() {
                "AWS::Lambda::EventSourceMapping" => self.read_mapping(&template, block),
                "AWS::Events::Rule" => self.read_rule(&template, block),
                "AWS::Scheduler::Schedule" => {
                    if let Some(function) = self.named(&template, block.at(&["Target", "Arn"])) {
                        let filter = block.get("ScheduleExpression").map(|text| template.value(text).to_string());
                        self.trigger(Trigger {
                            filter,
                            ..trigger(&function, &block.name, TriggerKind::Schedule, block.name_span)
                        });
                    }
                }
                "AWS::S3::Bucket" => self.read_notifications(&template, block),
                "AWS::SNS::Subscription" => {
                    let lambda =
                        block.get("Protocol").and_then(|kind| template.text(kind)).is_none_or(|kind| kind == "lambda");
                    if let Some(function) = self.named(&template, block.get("Endpoint")).filter(|_| lambda) {
                        let source = block.get("TopicArn").map(|topic| template.value(topic));
                        let filter = block.get("FilterPolicy").map(shown_json);
                        self.trigger(Trigger {
                            source,
                            filter,
                            ..trigger(&function, &block.name, TriggerKind::Sns, block.name_span)
                        });
                    }
                }
                "AWS::SNS::Topic" => {
                    for subscription in block.get("Subscription").map_or(&[][..], Node::one_or_many) {
                        if let Some(function) = self.named(&template, subscription.get("Endpoint")) {
                            let source = Some(reference(&block.name));
                            self.trigger(Trigger {
                                source,
                                ..trigger(&function, &block.name, TriggerKind::Sns, subscription.span)
                            });
                        }
                    }
                }
                "AWS::Logs::SubscriptionFilter" => {
                    if let Some(function) = self.named(&template, block.get("DestinationArn")) {
                        let source = block.get("LogGroupName").map(|group| template.value(group));
                        let filter = block.get("FilterPattern").map(|text| template.value(text).to_string());
                        self.trigger(Trigger {
                            source,
                            filter,
                            ..trigger(&function, &block.name, TriggerKind::Logs, block.name_span)
                        });
                    }
                }
                "AWS::IoT::TopicRule" => {
                    let sql = block.at(&["TopicRulePayload", "Sql"]).map(|sql| template.value(sql).to_string());
                    for action in block.at(&["TopicRulePayload", "Actions"]).map_or(&[][..], Node::one_or_many) {
                        if let Some(function) = self.named(&template, action.at(&["Lambda", "FunctionArn"])) {
                            self.trigger(Trigger {
                                filter: sql.clone(),
                                ..trigger(&function, &block.name, TriggerKind::Iot, block.name_span)
                            });
                        }
                    }
                }
                "AWS::Cognito::UserPool" => self.read_user_pool(&template, block),
                "AWS::StepFunctions::StateMachine" | "AWS::Serverless::StateMachine" => {
                    self.read_state_machine(&template, block)
                }
                "AWS::ElasticLoadBalancingV2::TargetGroup" => self.read_target_group(&template, block),
                "AWS::CloudFront::Distribution" => self.read_distribution(&template, block),
                "AWS::AppSync::DataSource" => self.read_data_source(&template, block),
                "AWS::Serverless::GraphQLApi" => self.read_graphql(&template, block),
                "AWS::SES::ReceiptRule" => {
                    for action in block.at(&["Rule", "Actions"]).map_or(&[][..], Node::one_or_many) {
                        if let Some(function) = self.named(&template, action.at(&["LambdaAction", "FunctionArn"])) {
                            let filter = block.at(&["Rule", "Recipients"]).map(|list| shown_list(&template, list));
                            self.trigger(Trigger {
                                filter,
                                ..trigger(&function, &block.name, TriggerKind::Email, block.name_span)
                            });
                        }
                    }
                }
                "AWS::CodeCommit::Repository" => {
                    for entry in block.get("Triggers").map_or(&[][..], Node::one_or_many) {
                        if let Some(function) = self.named(&template, entry.get("DestinationArn")) {
                            let source = Some(reference(&block.name));
                            self.trigger(Trigger {
                                source,
                                ..trigger(&function, &block.name, TriggerKind::CodeCommit, entry.span)
                            });
                        }
                    }
                }
                "AWS::Config::ConfigRule" => {
                    if let Some(function) = self.named(&template, block.at(&["Source", "SourceIdentifier"])) {
                        self.trigger(trigger(&function, &block.name, TriggerKind::Config, block.name_span));
                    }
                }
                "AWS::KinesisFirehose::DeliveryStream" => self.read_firehose(&template, block),
                "AWS::Serverless::Function" => {
                    if let Some(configuration) = block.get("EventInvokeConfig") {
                        self.read_destinations(&template, &block.name, configuration);
                    }
                }
                "AWS::Lambda::EventInvokeConfig" => {
                    if let Some(caller) = self.named(&template, block.get("FunctionName")) {
                        self.read_destinations(&template, &caller, &block.properties);
                    }
                }
                _ => self.read_other(&template, block),
            }
        }
    }

    /// Functions that are handed what became of another one's events.
    fn read_destinations(&mut self, template: &Template, caller: &str, configuration: &Node) {
        for outcome in ["OnSuccess", "OnFailure"] {
            let Some(entry) = configuration.get("DestinationConfig").and_then(|config| config.entry(outcome)) else {
                continue;
            };
            let Some(function) = self.named(template, entry.value.get("Destination")) else { continue };
            self.trigger(Trigger {
                source: Some(reference(caller)),
                filter: Some(outcome.to_string()),
                ..trigger(&function, caller, TriggerKind::Function, entry.key_span)
            });
        }
    }

    fn named(&self, template: &Template, node: Option<&Node>) -> Option<String> {
        self.names.function_of(&template.value(node?))
    }

    fn read_mapping(&mut self, template: &Template, block: &Block) {
        let Some(function) = self.named(template, block.get("FunctionName")) else { return };
        let source = block.get("EventSourceArn").map(|arn| template.value(arn));
        let kind = match &source {
            Some(source) => mapping_kind(template, block, source),
            None => TriggerKind::Kafka,
        };
        let servers = || {
            let servers = block.at(&["SelfManagedEventSource", "Endpoints", "KafkaBootstrapServers"])?;
            template.values(servers).into_iter().next().map(|server| server.value)
        };
        let filter = block
            .get("FilterCriteria")
            .map(shown_json)
            .or_else(|| Some(shown_list(template, block.get("Topics").or_else(|| block.get("Queues"))?)));
        self.trigger(Trigger {
            source: source.or_else(servers),
            filter,
            report_batch_item_failures: reports_failures(template, &block.properties),
            ..trigger(&function, &block.name, kind, block.name_span)
        });
    }

    fn read_rule(&mut self, template: &Template, block: &Block) {
        for target in block.get("Targets").map_or(&[][..], Node::one_or_many) {
            let Some(function) = self.named(template, target.get("Arn")) else { continue };
            let span = block.name_span;
            if let Some(pattern) = block.get("EventPattern") {
                self.trigger(Trigger {
                    source: block.get("EventBusName").map(|bus| template.value(bus)),
                    filter: Some(shown_json(pattern)),
                    ..trigger(&function, &block.name, TriggerKind::EventBridge, span)
                });
            }
            if let Some(schedule) = block.get("ScheduleExpression") {
                let filter = Some(template.value(schedule).to_string());
                self.trigger(Trigger { filter, ..trigger(&function, &block.name, TriggerKind::Schedule, span) });
            }
        }
    }

    fn read_notifications(&mut self, template: &Template, block: &Block) {
        let configurations = block.at(&["NotificationConfiguration", "LambdaConfigurations"]);
        for configuration in configurations.map_or(&[][..], Node::one_or_many) {
            let Some(function) = self.named(template, configuration.get("Function")) else { continue };
            let event = configuration.get("Event").map(|event| template.value(event).to_string()).unwrap_or_default();
            let filter = match configuration.get("Filter") {
                Some(filter) => format!("{event} {}", shown_json(filter)),
                None => event,
            };
            self.trigger(Trigger {
                source: Some(reference(&block.name)),
                filter: Some(filter),
                ..trigger(&function, &block.name, TriggerKind::S3, configuration.span)
            });
        }
    }

    /// The CDK's way of setting a bucket's notifications: a custom resource that holds what S3 is told.
    fn read_custom_notifications(&mut self, template: &Template, block: &Block) {
        let configurations = block.at(&["NotificationConfiguration", "LambdaFunctionConfigurations"]);
        for configuration in configurations.map_or(&[][..], Node::one_or_many) {
            let Some(function) = self.named(template, configuration.get("LambdaFunctionArn")) else { continue };
            let events = configuration.get("Events").map(|events| shown_list(template, events)).unwrap_or_default();
            let filter = match configuration.get("Filter") {
                Some(filter) => format!("{events} {}", shown_json(filter)),
                None => events,
            };
            self.trigger(Trigger {
                source: block.get("BucketName").map(|bucket| template.value(bucket)),
                filter: Some(filter),
                ..trigger(&function, &block.name, TriggerKind::S3, configuration.span)
            });
        }
    }

    fn read_user_pool(&mut self, template: &Template, block: &Block) {
        for entry in block.get("LambdaConfig").map_or(&[][..], Node::entries) {
            let arn = entry.value.get("LambdaArn").unwrap_or(&entry.value);
            let Some(function) = self.named(template, Some(arn)) else { continue };
            self.trigger(Trigger {
                source: Some(reference(&block.name)),
                filter: Some(entry.key.clone()),
                ..trigger(&function, &block.name, TriggerKind::Cognito, entry.key_span)
            });
        }
    }

    fn read_state_machine(&mut self, template: &Template, block: &Block) {
        let mut found: Vec<(String, Span)> = Vec::new();
        for entry in block.get("DefinitionSubstitutions").map_or(&[][..], Node::entries) {
            if let Some(function) = self.named(template, Some(&entry.value)) {
                found.push((function, entry.key_span));
            }
        }
        for property in ["DefinitionString", "Definition"] {
            if let Some(node) = block.get(property) {
                let written = document_in_text(node);
                self.functions_in(template, written.as_ref().unwrap_or(node), &mut found, 0);
            }
        }
        if let Some(uri) = block.get("DefinitionUri")
            && let Some((file, _)) = template.text(uri).and_then(|path| self.files.load(&template.folder, &path))
        {
            // Functions come in through substitutions; what else the file says is read for ARNs by name.
            let document = normalize(self.files.document(file).root, &mut Vec::new());
            self.functions_in(template, &document, &mut found, 0);
        }
        let mut seen = Vec::new();
        for (function, span) in found {
            if !seen.contains(&function) {
                let source = Some(reference(&block.name));
                self.trigger(Trigger { source, ..trigger(&function, &block.name, TriggerKind::StepFunctions, span) });
                seen.push(function);
            }
        }
    }

    /// Every function that a value anywhere in a tree names.
    fn functions_in(&self, template: &Template, node: &Node, found: &mut Vec<(String, Span)>, depth: usize) {
        if depth > 130 {
            return;
        }
        if intrinsic(node).is_some() || matches!(node.kind, NodeKind::Scalar { .. }) {
            let value = template.value(node);
            for name in value.resources() {
                let part = Value::part(Part::Ref(name.to_string()));
                if let Some(function) = self.names.function_of(&part) {
                    found.push((function, node.span));
                }
            }
            // A bare word is a state's name more often than a function's.
            if value.to_string().contains(":function:")
                && let Some(function) = self.names.function_of(&value)
            {
                found.push((function, node.span));
            }
            return;
        }
        for item in node.items() {
            self.functions_in(template, item, found, depth + 1);
        }
        for entry in node.entries() {
            // The one place where a bare name is a function's.
            if entry.key == "FunctionName"
                && let Some(function) = self.names.function_of(&template.value(&entry.value))
            {
                found.push((function, entry.key_span));
            } else {
                self.functions_in(template, &entry.value, found, depth + 1);
            }
        }
    }

    fn read_target_group(&mut self, template: &Template, block: &Block) {
        for target in block.get("Targets").map_or(&[][..], Node::one_or_many) {
            let Some(function) = self.named(template, target.get("Id")) else { continue };
            let (authorization, paths) = listeners(template, &block.name);
            self.trigger(Trigger {
                source: Some(reference(&block.name)),
                authorization: Some(authorization),
                method: Some("ANY".into()),
                path: paths,
                ..trigger(&function, &block.name, TriggerKind::LoadBalancer, block.name_span)
            });
        }
    }

    fn read_distribution(&mut self, template: &Template, block: &Block) {
        let empty = Node::null(block.name_span);
        let configuration = block.get("DistributionConfig").unwrap_or(&empty);
        let default = configuration.get("DefaultCacheBehavior").into_iter();
        for behavior in default.chain(configuration.get("CacheBehaviors").map_or(&[][..], Node::one_or_many)) {
            for association in behavior.get("LambdaFunctionAssociations").map_or(&[][..], Node::one_or_many) {
                let Some(function) = self.named(template, association.get("LambdaFunctionARN")) else { continue };
                self.trigger(Trigger {
                    source: Some(reference(&block.name)),
                    filter: association.get("EventType").map(|kind| template.value(kind).to_string()),
                    path: behavior.get("PathPattern").map(|path| template.value(path).to_string()),
                    ..trigger(&function, &block.name, TriggerKind::CloudFront, association.span)
                });
            }
        }
    }

    fn read_data_source(&mut self, template: &Template, block: &Block) {
        let Some(function) = self.named(template, block.at(&["LambdaConfig", "LambdaFunctionArn"])) else { return };
        let api = block.get("ApiId").map(|api| template.value(api));
        let api_block = api.as_ref().and_then(Value::resource).and_then(|name| template.block(name));
        let authorization = match api_block.and_then(|api| api.get("AuthenticationType")) {
            Some(kind) => graphql_authorization(template, kind, api_block),
            None => Authorization::Unknown("API outside the template".into()),
        };
        let fields: Vec<String> = template
            .of_type("AWS::AppSync::Resolver")
            .filter(|resolver| {
                resolver.get("DataSourceName").is_some_and(|name| {
                    let name = template.value(name);
                    name.resource() == Some(&block.name)
                        || block.get("Name").is_some_and(|own| template.value(own) == name && !name.parts().is_empty())
                })
            })
            .map(|resolver| {
                let text =
                    |name: &str| resolver.get(name).map(|node| template.value(node).to_string()).unwrap_or_default();
                format!("{}.{}", text("TypeName"), text("FieldName"))
            })
            .collect();
        self.trigger(Trigger {
            source: api,
            authorization: Some(authorization),
            filter: (!fields.is_empty()).then(|| fields.join(", ")),
            ..trigger(&function, &block.name, TriggerKind::AppSync, block.name_span)
        });
    }

    fn read_graphql(&mut self, template: &Template, block: &Block) {
        let authorization = match block.at(&["Auth", "Type"]) {
            Some(kind) => graphql_authorization(template, kind, Some(block)),
            None => Authorization::Unknown("Auth".into()),
        };
        for entry in block.at(&["DataSources", "Lambda"]).map_or(&[][..], Node::entries) {
            let Some(function) = self.named(template, entry.value.get("FunctionArn")) else { continue };
            self.trigger(Trigger {
                source: Some(reference(&block.name)),
                authorization: Some(authorization.clone()),
                ..trigger(&function, &entry.key, TriggerKind::AppSync, entry.key_span)
            });
        }
    }

    fn read_firehose(&mut self, template: &Template, block: &Block) {
        let mut found = Vec::new();
        self.functions_in(template, &block.properties, &mut found, 0);
        found.dedup_by(|left, right| left.0 == right.0);
        for (function, span) in found {
            let source = Some(reference(&block.name));
            self.trigger(Trigger { source, ..trigger(&function, &block.name, TriggerKind::Firehose, span) });
        }
    }

    /// Resources that start functions without a kind of their own: custom resources, pipes, rotation and the like.
    fn read_other(&mut self, template: &Template, block: &Block) {
        let resource_type = block.resource_type.as_str();
        if resource_type == "Custom::S3BucketNotifications" {
            self.read_custom_notifications(template, block);
        }
        if let Some(token) = block.properties.entry("ServiceToken") {
            if let Some(function) = self.named(template, Some(&token.value)) {
                let source = Some(reference(&block.name));
                self.trigger(Trigger {
                    source,
                    ..trigger(&function, &block.name, TriggerKind::CustomResource, token.key_span)
                });
            }
            return;
        }
        if resource_type == "AWS::Pipes::Pipe" {
            for property in ["Enrichment", "Target"] {
                if let Some(entry) = block.properties.entry(property)
                    && let Some(function) = self.named(template, Some(&entry.value))
                {
                    let source = block.get("Source").map(|source| template.value(source));
                    let filter = Some(format!("pipe {}", property.to_ascii_lowercase()));
                    self.trigger(Trigger {
                        source,
                        filter,
                        ..trigger(&function, &block.name, TriggerKind::Other, entry.key_span)
                    });
                }
            }
            return;
        }
        // These name functions without starting them, or are read elsewhere.
        if [
            "AWS::Lambda::",
            "AWS::IAM::",
            "AWS::ApiGateway",
            "AWS::Serverless::",
            "AWS::CloudWatch::",
            "AWS::CodeDeploy::",
            "AWS::ApplicationAutoScaling::",
            "AWS::CloudFormation::Stack",
            "AWS::SSM::",
            "AWS::Logs::",
        ]
        .iter()
        .any(|prefix| resource_type.starts_with(prefix))
        {
            return;
        }
        let mut found = Vec::new();
        self.function_properties(template, &block.properties, &mut found, 0);
        let mut seen = Vec::new();
        for (function, key, span) in found {
            if seen.contains(&function) {
                continue;
            }
            seen.push(function.clone());
            self.trigger(Trigger {
                source: Some(reference(&block.name)),
                filter: Some(format!("{resource_type} {key}")),
                ..trigger(&function, &block.name, TriggerKind::Other, span)
            });
        }
    }

    /// Properties that hold a function: by their name (`RotationLambdaARN`, `FunctionArn`), or because they hold its ARN.
    fn function_properties(
        &self,
        template: &Template,
        node: &Node,
        found: &mut Vec<(String, String, Span)>,
        depth: usize,
    ) {
        if depth > 130 || found.len() > 100 {
            return;
        }
        for entry in node.entries() {
            let key = entry.key.to_ascii_lowercase();
            let telling = key.contains("lambda") || key.contains("function");
            for value in template.values(&entry.value) {
                let arn = matches!(value.value.parts(), [Part::Attribute(_, attribute)] if attribute == "Arn");
                if (telling || arn)
                    && let Some(function) = self.names.function_of(&value.value)
                {
                    found.push((function, entry.key.clone(), entry.key_span));
                }
            }
            if intrinsic(&entry.value).is_none() {
                self.function_properties(template, &entry.value, found, depth + 1);
            }
        }
        for item in node.items() {
            self.function_properties(template, item, found, depth + 1);
        }
    }

    /// Permissions that let a service start a function that nothing else in the template connects with it.
    pub(crate) fn read_permissions(&mut self) {
        let template = self.template.clone();
        for block in template.of_type("AWS::Lambda::Permission") {
            let Some(function) = self.named(&template, block.get("FunctionName")) else { continue };
            let Some(principal) = block.get("Principal").map(|principal| template.value(principal).to_string()) else {
                continue;
            };
            if block.get("FunctionUrlAuthType").is_some() {
                continue;
            }
            let source = block.get("SourceArn").map(|arn| template.value(arn));
            let kinds = principal_kinds(&principal);
            // Authorizers and the like have triggers of no particular kind.
            let matched = self.application.triggers.iter().any(|trigger| {
                trigger.function == function && (kinds.contains(&trigger.kind) || trigger.kind == TriggerKind::Other)
            });
            if matched {
                continue;
            }
            let websocket = |api: &str| {
                template
                    .block(api)
                    .is_some_and(|api| api.at(&["ProtocolType"]).and_then(Node::as_str) == Some("WEBSOCKET"))
            };
            let api = source.as_ref().and_then(|source| source.resources().next());
            let kind = match (kinds.first(), api) {
                (Some(TriggerKind::RestApi), Some(api)) if websocket(api) => TriggerKind::WebSocket,
                (Some(TriggerKind::RestApi), Some(api)) if template.type_of(api) == Some("AWS::ApiGatewayV2::Api") => {
                    TriggerKind::HttpApi
                }
                (Some(kind), _) => *kind,
                (None, _) => TriggerKind::Other,
            };
            self.trigger(Trigger {
                source,
                // How the API tells its callers apart isn't said here.
                authorization: kind.is_http().then(|| Authorization::Unknown(principal.clone())),
                filter: Some(format!("permission of {principal}")),
                ..trigger(&function, &block.name, kind, block.name_span)
            });
        }
    }
}

/// The kinds of triggers that a service principal stands for; none for principals that aren't known.
fn principal_kinds(principal: &str) -> &'static [TriggerKind] {
    match principal.split('.').next().unwrap_or("") {
        "apigateway" => &[TriggerKind::RestApi, TriggerKind::HttpApi, TriggerKind::WebSocket],
        "s3" => &[TriggerKind::S3],
        "sns" => &[TriggerKind::Sns],
        "events" => &[TriggerKind::EventBridge, TriggerKind::Schedule],
        "scheduler" => &[TriggerKind::Schedule],
        "iot" => &[TriggerKind::Iot],
        "cognito-idp" | "cognito-sync" => &[TriggerKind::Cognito],
        "alexa-appkit" | "alexa-connectedhome" => &[TriggerKind::Alexa],
        "ses" => &[TriggerKind::Email],
        "logs" => &[TriggerKind::Logs],
        "elasticloadbalancing" => &[TriggerKind::LoadBalancer],
        "config" => &[TriggerKind::Config],
        "codecommit" => &[TriggerKind::CodeCommit],
        "appsync" => &[TriggerKind::AppSync],
        "edgelambda" | "cloudfront" => &[TriggerKind::CloudFront, TriggerKind::FunctionUrl],
        "states" => &[TriggerKind::StepFunctions],
        "firehose" => &[TriggerKind::Firehose],
        "lambda" => &[TriggerKind::Function],
        _ => &[],
    }
}

/// What a mapping polls, by the type of the resource it names or by its ARN.
fn mapping_kind(template: &Template, block: &Block, source: &Value) -> TriggerKind {
    let named = source.resources().next().and_then(|name| template.type_of(name)).unwrap_or("");
    match named {
        "AWS::SQS::Queue" => return TriggerKind::Sqs,
        "AWS::Kinesis::Stream" | "AWS::Kinesis::StreamConsumer" => return TriggerKind::Kinesis,
        "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable" | "AWS::Serverless::SimpleTable" => {
            return TriggerKind::DynamodbStream;
        }
        "AWS::MSK::Cluster" | "AWS::MSK::ServerlessCluster" => return TriggerKind::Kafka,
        "AWS::AmazonMQ::Broker" => return TriggerKind::Mq,
        "AWS::DocDB::DBCluster" => return TriggerKind::DocumentDb,
        _ => {}
    }
    let shown = source.to_string();
    for (service, kind) in [
        (":sqs:", TriggerKind::Sqs),
        (":kinesis:", TriggerKind::Kinesis),
        (":dynamodb:", TriggerKind::DynamodbStream),
        (":kafka:", TriggerKind::Kafka),
        (":mq:", TriggerKind::Mq),
        (":rds:", TriggerKind::DocumentDb),
    ] {
        if shown.contains(service) {
            return kind;
        }
    }
    // An ARN from outside: what else the mapping says tells the services apart.
    if block.get("Topics").is_some() || block.get("AmazonManagedKafkaEventSourceConfig").is_some() {
        TriggerKind::Kafka
    } else if block.get("DocumentDBEventSourceConfig").is_some() {
        TriggerKind::DocumentDb
    } else if block.get("Queues").is_some() {
        TriggerKind::Mq
    } else if shown.ends_with("StreamArn}") {
        TriggerKind::DynamodbStream
    } else {
        TriggerKind::Other
    }
}

/// How listeners that forward to a target group tell callers apart, and which paths they forward.
fn listeners(template: &Template, group: &str) -> (Authorization, Option<String>) {
    let forwards = |block: &Block, property: &str| {
        block.get(property).map_or(&[][..], Node::one_or_many).iter().any(|action| {
            let direct = action.get("TargetGroupArn").map(|arn| template.value(arn));
            let listed = action.at(&["ForwardConfig", "TargetGroups"]).map_or(&[][..], Node::one_or_many);
            direct.as_ref().and_then(Value::resource) == Some(group)
                || listed
                    .iter()
                    .filter_map(|one| one.get("TargetGroupArn"))
                    .any(|arn| template.value(arn).resource() == Some(group))
        })
    };
    let mut authorization = Authorization::None;
    let mut paths = Vec::new();
    for block in &template.blocks {
        let property = match block.resource_type.as_str() {
            "AWS::ElasticLoadBalancingV2::Listener" => "DefaultActions",
            "AWS::ElasticLoadBalancingV2::ListenerRule" => "Actions",
            _ => continue,
        };
        if !forwards(block, property) {
            continue;
        }
        for action in block.get(property).map_or(&[][..], Node::one_or_many) {
            match action.get("Type").and_then(|kind| template.text(kind)).as_deref() {
                Some("authenticate-cognito") => {
                    let pool = action.at(&["AuthenticateCognitoConfig", "UserPoolArn"]).map(|arn| template.value(arn));
                    authorization = Authorization::Cognito(user_pool_name(pool.as_ref(), &block.name));
                }
                Some("authenticate-oidc" | "jwt-validation") => authorization = Authorization::Jwt(block.name.clone()),
                _ => {}
            }
        }
        for condition in block.get("Conditions").map_or(&[][..], Node::one_or_many) {
            if condition.get("Field").and_then(|field| template.text(field)).as_deref() == Some("path-pattern") {
                let values = condition.get("Values").or_else(|| condition.at(&["PathPatternConfig", "Values"]));
                paths.extend(values.map(|values| shown_list(template, values)));
            }
        }
    }
    (authorization, Some(if paths.is_empty() { "/*".to_string() } else { paths.join(", ") }))
}

fn user_pool_name(arn: Option<&Value>, other: &str) -> String {
    arn.and_then(|arn| arn.resources().next()).unwrap_or(other).to_string()
}

fn graphql_authorization(template: &Template, kind: &Node, api: Option<&Block>) -> Authorization {
    let name = api.map_or_else(String::new, |api| api.name.clone());
    match template.text(kind).as_deref() {
        Some("API_KEY") => Authorization::ApiKey,
        Some("AWS_IAM") => Authorization::Iam,
        Some("AMAZON_COGNITO_USER_POOLS") => {
            let pool = api
                .and_then(|api| {
                    api.at(&["UserPoolConfig", "UserPoolId"]).or_else(|| api.at(&["Auth", "UserPool", "UserPoolId"]))
                })
                .map(|pool| template.value(pool));
            Authorization::Cognito(user_pool_name(pool.as_ref(), &name))
        }
        Some("OPENID_CONNECT") => Authorization::Jwt(name),
        Some("AWS_LAMBDA") => Authorization::Lambda(name),
        _ => Authorization::Unknown(name),
    }
}
