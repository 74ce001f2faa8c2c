//! What the framework makes because events ask for it: APIs, buckets, topics and user pools, and what roles need to poll.

use super::service::{Service, alphanumeric, normalized};
use super::tree::{list, object, object_of, put};
use crate::normalize::{intrinsic, text_node};
use source::{Entry, Node, Span};

/// Logical ids of the APIs that the framework makes.
pub(super) const REST_API: &str = "ApiGatewayRestApi";
pub(super) const HTTP_API: &str = "HttpApi";
pub(super) const WEBSOCKET_API: &str = "WebsocketsApi";

/// One event of a function, its properties under the type's name.
#[derive(Debug, Clone)]
pub(super) struct Event {
    /// `http`, `sqs`, ...
    pub(super) kind: String,
    /// Where the type is written.
    pub(super) span: Span,
    /// What is written under it; null where nothing is.
    pub(super) properties: Node,
}

/// The events of a function.
pub(super) fn events(function: &Node) -> Vec<Event> {
    let written = function.get("events").map_or(&[][..], Node::one_or_many);
    written
        .iter()
        .filter_map(|event| match event.scalar() {
            Some(kind) => Some(Event { kind: kind.to_string(), span: event.span, properties: Node::null(event.span) }),
            None => {
                let first = event.entries().first()?;
                // Properties that stand beside their type instead of below it.
                let beside = first.value.is_null() && event.entries().len() > 1;
                let properties = if beside { event } else { &first.value };
                Some(Event { kind: first.key.clone(), span: first.key_span, properties: properties.clone() })
            }
        })
        .collect()
}

const NETWORK: &[&str] = &[
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeVpcs",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeSubnets",
    "ec2:DescribeSecurityGroups",
];

impl Service {
    /// Makes what the events of all functions ask for.
    pub(super) fn make_sources(&mut self) {
        for at in 0..self.functions.len() {
            let Some(function) = self.functions.get(at) else { break };
            let key = function.key.clone();
            for event in events(&function.node) {
                self.make_source(&key, &event);
            }
        }
    }

    fn make_source(&mut self, key: &str, event: &Event) {
        let Event { kind, span, properties } = event;
        let span = *span;
        let scalar = properties.scalar().map(|_| properties);
        let reason = format!("event {kind}");
        let own = |name: &str| properties.get(name).filter(|node| !node.is_null());
        match kind.as_str() {
            "http" => self.make_rest_api(span),
            "httpApi" if self.provider(&["httpApi", "id"]).is_none() => {
                let mut api = vec![("Name", text_node(format!("{}-{}", self.stage, self.name), span))];
                api.push(("ProtocolType", text_node("HTTP", span)));
                if let Some(cors) = self.provider(&["httpApi", "cors"]).filter(|cors| cors.as_bool() != Some(false)) {
                    let all = list(cors.span, vec![text_node("*", cors.span)]);
                    let origins = cors.get("allowedOrigins").cloned().unwrap_or(all);
                    let mut allowed = vec![("AllowOrigins", origins)];
                    allowed.extend(cors.get("allowCredentials").map(|flag| ("AllowCredentials", flag.clone())));
                    api.push(("CorsConfiguration", object(cors.span, allowed)));
                }
                self.add(HTTP_API, span, span, "AWS::ApiGatewayV2::Api", object(span, api));
            }
            "websocket" => {
                if self.provider(&["apiGateway", "websocketApiId"]).is_none() {
                    let api = object(
                        span,
                        vec![
                            ("Name", text_node(format!("{}-{}-websockets", self.stage, self.name), span)),
                            ("ProtocolType", text_node("WEBSOCKET", span)),
                        ],
                    );
                    self.add(WEBSOCKET_API, span, span, "AWS::ApiGatewayV2::Api", api);
                }
                if !self.implied.iter().any(|implied| implied.reason == reason) {
                    let arn = "arn:${AWS::Partition}:execute-api:*:*:*/@connections/*";
                    let arn = super::tree::substitution(arn, span);
                    self.imply(key, &["execute-api:ManageConnections"], vec![arn], &reason, span);
                }
            }
            "s3" => {
                let Some(bucket) = scalar.or_else(|| own("bucket")) else { return };
                let existing = own("existing").and_then(Node::as_bool) == Some(true);
                let (Some(name), false) = (bucket.scalar(), existing) else { return };
                let configured = self.provider(&["s3", name]).cloned();
                let id = format!("S3Bucket{}", alphanumeric(name));
                let mut made: Vec<Entry> = Vec::new();
                if let Some(configured) = &configured {
                    for entry in configured.entries() {
                        let named = if entry.key == "name" { "BucketName".to_string() } else { capital(&entry.key) };
                        put(&mut made, &named, entry, entry.value.clone());
                    }
                }
                if !made.iter().any(|entry| entry.key == "BucketName") {
                    made.push(Entry {
                        key: "BucketName".into(),
                        key_span: bucket.span,
                        value: text_node(name, bucket.span),
                    });
                }
                self.add(&id, span, properties.span, "AWS::S3::Bucket", object_of(properties.span, made));
            }
            "sns" => {
                let topic = match scalar {
                    Some(named) => Some(named),
                    None => own("topicName").filter(|_| own("arn").is_none()),
                };
                let Some((name, topic)) = topic.and_then(|topic| Some((topic.scalar()?, topic))) else { return };
                if name.starts_with("arn:") {
                    return;
                }
                let id = format!("SNSTopic{}", alphanumeric(name));
                let made = object(topic.span, vec![("TopicName", text_node(name, topic.span))]);
                self.add(&id, span, properties.span, "AWS::SNS::Topic", made);
            }
            "cognitoUserPool" => {
                let existing = own("existing").and_then(Node::as_bool) == Some(true);
                let Some((name, pool)) = own("pool").and_then(|pool| Some((pool.scalar()?, pool))) else { return };
                if existing {
                    return;
                }
                let id = format!("CognitoUserPool{}", alphanumeric(name));
                let made = object(pool.span, vec![("UserPoolName", text_node(name, pool.span))]);
                self.add(&id, span, properties.span, "AWS::Cognito::UserPool", made);
            }
            "eventBridge" => {
                let Some((name, bus)) = own("eventBus").and_then(|bus| Some((bus.scalar()?, bus))) else { return };
                if name.starts_with("arn:") || name == "default" || name.starts_with("aws.partner/") {
                    return;
                }
                let id = format!("{}EventBridgeEventBus", normalized(name));
                let made = object(bus.span, vec![("Name", text_node(name, bus.span))]);
                if !self.names_bus(name) {
                    self.add(&id, span, properties.span, "AWS::Events::EventBus", made);
                }
            }
            "sqs" => {
                let Some(arn) = properties_or(properties, scalar, "arn") else { return };
                let actions = &["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];
                self.imply(key, actions, vec![arn], &reason, span);
            }
            "stream" => {
                let Some(arn) = properties_or(properties, scalar, "arn") else { return };
                if is_kinesis(properties, &arn) {
                    let actions = &[
                        "kinesis:GetRecords",
                        "kinesis:GetShardIterator",
                        "kinesis:DescribeStreamSummary",
                        "kinesis:ListShards",
                        "kinesis:DescribeStream",
                        "kinesis:ListStreams",
                    ];
                    self.imply(key, actions, vec![arn], &reason, span);
                } else {
                    let actions = &[
                        "dynamodb:GetRecords",
                        "dynamodb:GetShardIterator",
                        "dynamodb:DescribeStream",
                        "dynamodb:ListStreams",
                    ];
                    self.imply(key, actions, vec![arn], &reason, span);
                }
                if let Some(failed) = properties.at(&["destinations", "onFailure"]) {
                    let target = failed.get("arn").unwrap_or(failed).clone();
                    let topic = failed.get("type").and_then(Node::scalar) == Some("sns")
                        || target.scalar().is_some_and(|arn| arn.contains(":sns:"));
                    let actions: &'static [&'static str] =
                        if topic { &["sns:Publish"] } else { &["sqs:ListQueues", "sqs:SendMessage"] };
                    self.imply(key, actions, vec![target], &reason, failed.span);
                }
            }
            "msk" => {
                let Some(arn) = own("arn").cloned() else { return };
                self.imply(key, &["kafka:DescribeCluster", "kafka:GetBootstrapBrokers"], vec![arn], &reason, span);
                self.imply(key, NETWORK, vec![text_node("*", span)], &reason, span);
            }
            "kafka" | "activemq" | "rabbitmq" => {
                let secrets = secrets(properties);
                if !secrets.is_empty() {
                    self.imply(key, &["secretsmanager:GetSecretValue"], secrets, &reason, span);
                }
                if let Some(arn) = own("arn").filter(|_| kind != "kafka").cloned() {
                    self.imply(key, &["mq:DescribeBroker"], vec![arn], &reason, span);
                }
                if kind != "kafka" || properties.at(&["accessConfigurations", "vpcSubnet"]).is_some() {
                    self.imply(key, NETWORK, vec![text_node("*", span)], &reason, span);
                }
            }
            _ => {}
        }
    }

    fn make_rest_api(&mut self, span: Span) {
        if self.provider(&["apiGateway", "restApiId"]).is_some() {
            return;
        }
        let place = self.provider_span();
        let mut api = vec![("Name", text_node(format!("{}-{}", self.stage, self.name), span))];
        let policy = self.provider(&["apiGateway", "resourcePolicy"]).or_else(|| self.provider(&["resourcePolicy"]));
        if let Some(policy) = policy {
            api.push(("Policy", object(policy.span, vec![("Statement", policy.clone())])));
        }
        let endpoint = self.provider(&["endpointType"]).or_else(|| self.provider(&["apiGateway", "endpointType"]));
        if let Some(endpoint) = endpoint.filter(|endpoint| endpoint.scalar().is_some()) {
            let types =
                list(endpoint.span, vec![text_node(endpoint.scalar().unwrap_or("").to_uppercase(), endpoint.span)]);
            api.push(("EndpointConfiguration", object(endpoint.span, vec![("Types", types)])));
        }
        let api = object(place, api);
        self.add(REST_API, span, span, "AWS::ApiGateway::RestApi", api);
    }

    /// Whether the service brings an event bus of that name itself.
    fn names_bus(&self, name: &str) -> bool {
        self.root.get("resources").map_or(&[][..], Node::one_or_many).iter().any(|part| {
            part.get("Resources").map_or(&[][..], Node::entries).iter().any(|entry| {
                entry.value.get("Type").and_then(Node::scalar) == Some("AWS::Events::EventBus")
                    && entry.value.at(&["Properties", "Name"]).and_then(Node::scalar) == Some(name)
            })
        })
    }
}

/// A property, or the whole where it is text or an intrinsic.
pub(super) fn properties_or(properties: &Node, scalar: Option<&Node>, name: &str) -> Option<Node> {
    scalar.or_else(|| intrinsic(properties).map(|_| properties)).or_else(|| properties.get(name)).cloned()
}

/// Whether a stream is Kinesis': by its type, else by what its ARN says.
pub(super) fn is_kinesis(properties: &Node, arn: &Node) -> bool {
    match properties.get("type").and_then(Node::scalar) {
        Some(kind) => kind.eq_ignore_ascii_case("kinesis"),
        None => arn.to_json().to_string().contains(":kinesis:"),
    }
}

/// The ARNs of secrets that a broker's event names.
fn secrets(properties: &Node) -> Vec<Node> {
    let named = properties.get("accessConfigurations").map_or(&[][..], Node::entries).iter();
    let named =
        named.filter(|entry| !entry.key.starts_with("vpc")).flat_map(|entry| entry.value.one_or_many()).cloned();
    named.chain(properties.get("basicAuthArn").cloned()).collect()
}

fn capital(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}
