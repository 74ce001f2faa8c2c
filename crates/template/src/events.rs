//! `Events` of SAM functions: each becomes a trigger.

use crate::functions::trigger;
use crate::model::{Block, Template};
use crate::reader::Reader;
use crate::sam_api::{IMPLICIT_HTTP, IMPLICIT_REST, implicit_properties};
use findings::{Level, near_miss};
use graph::{Part, Resource, ResourceKind, Schema, Trigger, TriggerKind, Value};
use source::{Entry, Node, Span};

/// SAM's event types.
const TYPES: [&str; 20] = [
    "Api",
    "HttpApi",
    "SQS",
    "SNS",
    "S3",
    "DynamoDB",
    "Kinesis",
    "EventBridgeRule",
    "CloudWatchEvent",
    "Schedule",
    "ScheduleV2",
    "IoTRule",
    "Cognito",
    "AlexaSkill",
    "CloudWatchLogs",
    "MSK",
    "SelfManagedKafka",
    "MQ",
    "DocumentDB",
    "Alexa",
];

impl Reader<'_, '_> {
    /// Reads the events of every SAM function.
    pub(crate) fn read_sam_events(&mut self) {
        let template = self.template.clone();
        for block in template.of_type("AWS::Serverless::Function") {
            let Some(events) = block.get("Events") else { continue };
            for event in events.entries() {
                self.read_event(&template, block, event);
            }
        }
        // A state machine's routes start no function, but they too can be all there is to an implicit API.
        for block in template.of_type("AWS::Serverless::StateMachine") {
            for event in block.get("Events").map_or(&[][..], Node::entries) {
                let api = event.value.get("Type").and_then(Node::as_str) == Some("Api");
                if api && event.value.at(&["Properties", "RestApiId"]).is_none() {
                    self.add_implicit_api(&template, IMPLICIT_REST, true, event.key_span);
                }
            }
        }
        for block in template.of_type("AWS::Serverless::WebSocketApi") {
            self.read_websocket(&template, block);
        }
        self.add_authorizer_triggers();
    }

    fn read_event(&mut self, template: &Template, block: &Block, event: &Entry) {
        let function = block.name.as_str();
        let span = event.key_span;
        if !event.value.is_mapping() {
            let message = format!("event `{}` of `{function}` is not an object", event.key);
            return self.report(Level::Error, span, message, "an event has a `Type` and `Properties`");
        }
        let Some(kind) = event.value.get("Type").and_then(|kind| template.text(kind)) else {
            let message = format!("event `{}` of `{function}` has no `Type`", event.key);
            return self.report(Level::Error, span, message, "add one, such as `Type: Api`");
        };
        let empty = Node::null(span);
        let properties = event.value.get("Properties").unwrap_or(&empty);
        let value = |name: &str| properties.get(name).map(|node| template.value(node));
        let json = |name: &str| properties.get(name).filter(|node| !node.is_null()).map(shown_json);
        let new = |kind| trigger(function, &event.key, kind, span);
        let mut made = match kind.as_str() {
            "Api" => return self.read_route_event(template, function, event, properties, true),
            "HttpApi" => return self.read_route_event(template, function, event, properties, false),
            "SQS" => Trigger { source: value("Queue"), filter: json("FilterCriteria"), ..new(TriggerKind::Sqs) },
            "SNS" => match properties
                .get("SqsSubscription")
                .filter(|node| template.flag(node) != Some(false) && !node.is_null())
            {
                // The topic feeds a queue and the queue feeds the function. SAM makes that queue where none is named.
                Some(subscription) => Trigger {
                    source: subscription.get("QueueArn").map(|queue| template.value(queue)).or_else(|| value("Topic")),
                    filter: value("Topic").map(|topic| format!("from topic {topic}")),
                    ..new(TriggerKind::Sqs)
                },
                None => Trigger { source: value("Topic"), filter: json("FilterPolicy"), ..new(TriggerKind::Sns) },
            },
            "S3" => {
                let events = properties.get("Events").map(|node| shown_list(template, node)).unwrap_or_default();
                let filter = match json("Filter") {
                    Some(filter) => format!("{events} {filter}"),
                    None => events,
                };
                Trigger {
                    source: value("Bucket"),
                    filter: Some(filter).filter(|text| !text.is_empty()),
                    ..new(TriggerKind::S3)
                }
            }
            "DynamoDB" => {
                Trigger { source: value("Stream"), filter: json("FilterCriteria"), ..new(TriggerKind::DynamodbStream) }
            }
            "Kinesis" => {
                Trigger { source: value("Stream"), filter: json("FilterCriteria"), ..new(TriggerKind::Kinesis) }
            }
            "MSK" => {
                Trigger { source: value("Stream"), filter: topics(template, properties), ..new(TriggerKind::Kafka) }
            }
            "SelfManagedKafka" => Trigger {
                source: properties
                    .get("KafkaBootstrapServers")
                    .and_then(|servers| template.values(servers).into_iter().next())
                    .map(|server| server.value),
                filter: topics(template, properties),
                ..new(TriggerKind::Kafka)
            },
            "MQ" => Trigger {
                source: value("Broker"),
                filter: properties.get("Queues").map(|queues| shown_list(template, queues)),
                ..new(TriggerKind::Mq)
            },
            "DocumentDB" => Trigger {
                source: value("Cluster"),
                filter: value("DatabaseName").map(|name| name.to_string()),
                ..new(TriggerKind::DocumentDb)
            },
            "EventBridgeRule" | "CloudWatchEvent" => {
                Trigger { source: value("EventBusName"), filter: json("Pattern"), ..new(TriggerKind::EventBridge) }
            }
            "Schedule" => {
                Trigger { filter: value("Schedule").map(|text| text.to_string()), ..new(TriggerKind::Schedule) }
            }
            "ScheduleV2" => Trigger {
                filter: value("ScheduleExpression").map(|text| text.to_string()),
                ..new(TriggerKind::Schedule)
            },
            "IoTRule" => Trigger { filter: value("Sql").map(|text| text.to_string()), ..new(TriggerKind::Iot) },
            "Cognito" => Trigger {
                source: value("UserPool"),
                filter: properties.get("Trigger").map(|trigger| shown_list(template, trigger)),
                ..new(TriggerKind::Cognito)
            },
            "AlexaSkill" => Trigger { source: value("SkillId"), ..new(TriggerKind::Alexa) },
            "CloudWatchLogs" => Trigger {
                source: value("LogGroupName"),
                filter: value("FilterPattern").map(|text| text.to_string()),
                ..new(TriggerKind::Logs)
            },
            other => {
                let help = match near_miss(other, TYPES) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "what the function is handed isn't known".to_string(),
                };
                let at = event.value.get("Type").map_or(span, |kind| kind.span);
                self.report(Level::Warning, at, format!("unknown event type `{other}`"), help);
                Trigger { filter: Some(other.to_string()), ..new(TriggerKind::Other) }
            }
        };
        made.report_batch_item_failures = reports_failures(template, properties);
        let needed = match kind.as_str() {
            "SQS" => "Queue",
            "SNS" => "Topic",
            "S3" => "Bucket",
            "DynamoDB" | "Kinesis" | "MSK" => "Stream",
            "MQ" => "Broker",
            "DocumentDB" => "Cluster",
            "Schedule" => "Schedule",
            "ScheduleV2" => "ScheduleExpression",
            "IoTRule" => "Sql",
            "Cognito" => "UserPool",
            "CloudWatchLogs" => "LogGroupName",
            _ => "",
        };
        if !needed.is_empty() && properties.get(needed).is_none() {
            let keys = properties.entries().iter().map(|entry| entry.key.as_str());
            let help = match near_miss(needed, keys) {
                Some(near) => format!("is `{near}` meant to be `{needed}`?"),
                None => format!("an event of type `{kind}` names its source under `{needed}`"),
            };
            self.report(Level::Warning, span, format!("event `{}` of `{function}` has no `{needed}`", event.key), help);
        }
        self.trigger(made);
    }

    fn read_route_event(&mut self, template: &Template, function: &str, event: &Entry, properties: &Node, rest: bool) {
        let span = event.key_span;
        let (id, implicit, kind) = if rest {
            ("RestApiId", IMPLICIT_REST, TriggerKind::RestApi)
        } else {
            ("ApiId", IMPLICIT_HTTP, TriggerKind::HttpApi)
        };
        let source = match properties.get(id) {
            // SAM also takes the bare logical id.
            Some(node) => match template.value(node) {
                named if named.as_text().is_some_and(|name| template.block(name).is_some()) => {
                    Value::part(Part::Ref(named.to_string()))
                }
                named => named,
            },
            None => {
                self.add_implicit_api(template, implicit, rest, span);
                Value::part(Part::Ref(implicit.to_string()))
            }
        };
        let text = |name: &str| properties.get(name).map(|node| template.value(node).to_string());
        let (method, path) = (text("Method"), text("Path"));
        if rest && (method.is_none() || path.is_none()) {
            let missing = if path.is_none() { "Path" } else { "Method" };
            let message = format!("event `{}` of `{function}` has no `{missing}`", event.key);
            self.report(Level::Warning, span, message, "an event of type `Api` has a `Path` and a `Method`");
        }
        let method = match method.as_deref().map(str::to_ascii_uppercase).as_deref() {
            None | Some("*" | "X-AMAZON-APIGATEWAY-ANY-METHOD") => "ANY".to_string(),
            Some(method) => method.to_string(),
        };
        let path = path.unwrap_or_else(|| if rest { "/".into() } else { "$default".into() });
        let api = source.resource().unwrap_or("").to_string();
        let authorization = self.route_authorization(&api, properties.get("Auth"), &method);
        let body_schema =
            properties.get("RequestModel").filter(|_| rest).and_then(|model| self.request_model(template, &api, model));
        let mut made = trigger(function, &event.key, kind, span);
        made.source = Some(source);
        made.authorization = Some(authorization);
        made.method = Some(method);
        made.path = Some(path);
        made.body_schema = body_schema;
        self.trigger(made);
    }

    /// The schema that `RequestModel` names, where SAM is told to have it enforced.
    fn request_model(&mut self, template: &Template, api: &str, model: &Node) -> Option<Schema> {
        let name = template.text(model.get("Model")?)?;
        let validated = model.get("ValidateBody").and_then(|flag| template.flag(flag)) == Some(true);
        let models = &self.apis.api(api)?.models;
        match models.get(&name) {
            Some(schema) => validated.then(|| schema.clone()),
            None => {
                let help = match near_miss(&name, models.keys().map(String::as_str)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "declare it under `Models` of the API".to_string(),
                };
                self.report(Level::Warning, model.span, format!("`{api}` has no model `{name}`"), help);
                None
            }
        }
    }

    /// The API that SAM makes where events name none, as a resource of its own.
    fn add_implicit_api(&mut self, template: &Template, name: &str, rest: bool, span: Span) {
        if template.block(name).is_some() || self.application.resource(name).is_some() {
            return;
        }
        let resource_type = if rest { "AWS::Serverless::Api" } else { "AWS::Serverless::HttpApi" };
        let properties = implicit_properties(template, resource_type);
        self.application.resources.push(Resource {
            name: name.to_string(),
            resource_type: resource_type.to_string(),
            kind: ResourceKind::Api,
            span,
            deployed_name: None,
            properties: properties.to_json(),
            property_spans: crate::resources::property_spans(&properties),
            policy: Vec::new(),
        });
    }

    fn read_websocket(&mut self, template: &Template, block: &Block) {
        let Some(routes) = block.get("Routes") else { return };
        let connect = routes.at(&["$connect", "AuthorizationType"]).or_else(|| block.at(&["Auth", "AuthType"]));
        let authorization = match connect.and_then(|node| template.text(node)).as_deref() {
            None | Some("NONE") => graph::Authorization::None,
            Some("AWS_IAM") => graph::Authorization::Iam,
            Some("CUSTOM") => graph::Authorization::Lambda(block.name.clone()),
            Some(other) => graph::Authorization::Unknown(other.to_string()),
        };
        for route in routes.entries() {
            let Some(function) =
                route.value.get("FunctionArn").and_then(|arn| self.names.function_of(&template.value(arn)))
            else {
                continue;
            };
            let mut made = trigger(&function, &route.key, TriggerKind::WebSocket, route.key_span);
            made.source = Some(Value::part(Part::Ref(block.name.clone())));
            made.path = Some(route.key.clone());
            made.authorization = Some(authorization.clone());
            self.trigger(made);
        }
    }
}

fn topics(template: &Template, properties: &Node) -> Option<String> {
    properties.get("Topics").map(|topics| shown_list(template, topics))
}

/// Items with commas between, for people.
pub(crate) fn shown_list(template: &Template, node: &Node) -> String {
    let items: Vec<String> = template.values(node).into_iter().map(|item| item.value.to_string()).collect();
    items.join(", ")
}

/// JSON on one line, for people.
pub(crate) fn shown_json(node: &Node) -> String {
    node.to_json().to_string()
}

/// Whether failed records can be reported one by one.
pub(crate) fn reports_failures(template: &Template, properties: &Node) -> bool {
    properties.get("FunctionResponseTypes").is_some_and(|types| {
        template.values(types).iter().any(|kind| kind.value.as_text() == Some("ReportBatchItemFailures"))
    })
}
