//! What the template's names are on this machine: `!Ref OrderPaid` becomes a queue's URL at the local endpoint, `!GetAtt
//! OrdersTable.Arn` an ARN of a made-up account. Provisioning and the functions' environment both ask here, so they agree.
//!
//! Deliberately absent: the stack's own export names, and dynamic references (`{{resolve:..}}`), which stay as written.

use graph::{Application, Part, Resource, ResourceKind, Value};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// The region everything is in here.
pub const REGION: &str = "us-east-1";
/// The account everything is of here; the one that AWS's documentation uses.
pub const ACCOUNT: &str = "123456789012";

/// How deep names may refer to each other before we take it for a loop.
const MAX_DEPTH: usize = 16;

/// The names of one application on this machine.
#[derive(Debug)]
pub struct LocalNames<'a> {
    application: &'a Application,
    /// Where queue URLs point; without a final slash.
    endpoint: String,
    /// Parts of the application that have an address here: functions' URLs and APIs, by their name.
    addresses: BTreeMap<String, String>,
    warnings: RefCell<Vec<String>>,
}

impl<'a> LocalNames<'a> {
    /// The names of `application`, its queues at `endpoint` (`http://127.0.0.1:4566`).
    pub fn new(application: &'a Application, endpoint: impl Into<String>) -> Self {
        let endpoint = endpoint.into().trim_end_matches('/').to_owned();
        Self { application, endpoint, addresses: BTreeMap::new(), warnings: RefCell::default() }
    }

    /// Says under which URL a function (`FunctionUrl` of `<Function>Url`) or an API is reached here.
    #[must_use]
    pub fn with_address(mut self, name: impl Into<String>, url: impl Into<String>) -> Self {
        self.addresses.insert(name.into(), url.into());
        self
    }

    /// The text of a value. What can't be told becomes nothing, and a warning.
    pub fn text(&self, value: &Value) -> String {
        self.resolve(value, 0)
    }

    /// What couldn't be told since the last call, in words.
    pub fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut *self.warnings.borrow_mut())
    }

    fn warn(&self, text: String) -> String {
        let mut warnings = self.warnings.borrow_mut();
        if !warnings.contains(&text) {
            warnings.push(text);
        }
        String::new()
    }

    fn resolve(&self, value: &Value, depth: usize) -> String {
        if depth > MAX_DEPTH {
            return self.warn("names that refer to each other in a circle".into());
        }
        value
            .parts()
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.clone(),
                Part::Ref(name) => self.reference(name, depth),
                Part::Attribute(name, attribute) => self.attribute(name, attribute, depth),
                Part::Pseudo(name) => self.pseudo(name),
                Part::Parameter(name) => self.warn(format!("parameter `{name}` has no default")),
                Part::Unknown(why) => self.warn(format!("`{why}` can't be told from the template")),
            })
            .collect()
    }

    fn pseudo(&self, name: &str) -> String {
        let stack = &self.application.name;
        match name {
            "AWS::Region" => REGION.into(),
            "AWS::AccountId" => ACCOUNT.into(),
            "AWS::Partition" => "aws".into(),
            "AWS::URLSuffix" => "amazonaws.com".into(),
            "AWS::StackName" => stack.clone(),
            "AWS::StackId" => format!("arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{stack}/local"),
            "AWS::NoValue" | "AWS::NotificationARNs" => String::new(),
            other => self.warn(format!("`{other}` has no value here")),
        }
    }

    /// The physical name of a resource or function: the template's where it gives one, made up otherwise.
    pub fn physical_name(&self, name: &str) -> String {
        self.physical(name, 0)
    }

    fn physical(&self, name: &str, depth: usize) -> String {
        if let Some(function) = self.application.function(name) {
            let deployed = function.deployed_name.as_ref().map(|value| self.resolve(value, depth + 1));
            return deployed.filter(|text| !text.is_empty()).unwrap_or_else(|| name.to_owned());
        }
        let Some(resource) = self.application.resource(name) else { return name.to_owned() };
        let deployed = resource.deployed_name.as_ref().map(|value| self.resolve(value, depth + 1));
        if let Some(deployed) = deployed.filter(|text| !text.is_empty()) {
            return deployed;
        }
        let stack = &self.application.name;
        match resource.kind {
            ResourceKind::Bucket => bucket_name(&format!("{stack}-{name}")),
            ResourceKind::Queue | ResourceKind::Topic => {
                let fifo = resource.property("FifoQueue").or_else(|| resource.property("FifoTopic"));
                let suffix = if fifo.is_some_and(|fifo| fifo == true || fifo == "true") { ".fifo" } else { "" };
                format!("{}{suffix}", plain_name(&format!("{stack}-{name}")))
            }
            _ => plain_name(&format!("{stack}-{name}")),
        }
    }

    /// What `!Ref` of a name gives.
    pub fn reference_of(&self, name: &str) -> String {
        self.reference(name, 0)
    }

    fn reference(&self, name: &str, depth: usize) -> String {
        if self.application.function(name).is_some() {
            return self.physical(name, depth);
        }
        if self.application.identity(name).is_some() {
            return name.to_owned();
        }
        let Some(resource) = self.application.resource(name) else {
            return match self.addresses.get(name) {
                Some(_) => name.to_owned(),
                None => self.warn(format!("`{name}` is not in the template")),
            };
        };
        match resource.kind {
            ResourceKind::Queue => self.queue_url(resource, depth),
            ResourceKind::Topic | ResourceKind::Secret | ResourceKind::StateMachine => self.arn(resource, depth),
            _ => self.physical(name, depth),
        }
    }

    fn queue_url(&self, queue: &Resource, depth: usize) -> String {
        format!("{}/{ACCOUNT}/{}", self.endpoint, self.physical(&queue.name, depth))
    }

    /// The ARN of a function of the template.
    pub fn function_arn(&self, name: &str) -> String {
        format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{}", self.physical(name, 0))
    }

    fn attribute(&self, name: &str, attribute: &str, depth: usize) -> String {
        if self.application.function(name).is_some() {
            return match attribute {
                "Arn" => format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{}", self.physical(name, depth)),
                other => self.warn(format!("`{name}.{other}` has no value here")),
            };
        }
        if self.application.identity(name).is_some() {
            return match attribute {
                "Arn" => format!("arn:aws:iam::{ACCOUNT}:role/{name}"),
                _ => name.to_owned(),
            };
        }
        if let Some(address) = self.addresses.get(name)
            && matches!(attribute, "FunctionUrl" | "ApiEndpoint" | "DefaultEndpoint")
        {
            return address.clone();
        }
        let Some(resource) = self.application.resource(name) else {
            return self.warn(format!("`{name}.{attribute}` is not in the template"));
        };
        let physical = self.physical(name, depth);
        match (resource.kind, attribute) {
            (ResourceKind::Table, "StreamArn") => {
                format!("{}/stream/2026-01-01T00:00:00.000", self.arn(resource, depth))
            }
            (ResourceKind::Queue, "QueueName")
            | (ResourceKind::Topic, "TopicName")
            | (ResourceKind::StateMachine | ResourceKind::EventBus, "Name") => physical,
            (ResourceKind::Queue, "QueueUrl") => self.queue_url(resource, depth),
            (ResourceKind::Bucket, "DomainName" | "RegionalDomainName") => format!("{physical}.s3.amazonaws.com"),
            (ResourceKind::Bucket, "WebsiteURL") => format!("http://{physical}.s3-website-{REGION}.amazonaws.com"),
            (ResourceKind::Key, "KeyId") => physical,
            (ResourceKind::UserPool, "UserPoolId") => physical,
            (ResourceKind::UserPool, "ProviderName") => format!("cognito-idp.{REGION}.amazonaws.com/{physical}"),
            (ResourceKind::UserPool, "ProviderURL") => {
                format!("https://cognito-idp.{REGION}.amazonaws.com/{physical}")
            }
            (ResourceKind::Api, "RootResourceId") => "root".into(),
            (_, "Arn" | "TopicArn" | "TableArn" | "Id" | "LogGroupArn") => match attribute {
                "Id" => physical,
                _ => self.arn(resource, depth),
            },
            (_, other) => self.warn(format!("`{name}.{other}` has no value here")),
        }
    }

    /// The ARN of a resource of the template.
    pub fn arn_of(&self, resource: &Resource) -> String {
        self.arn(resource, 0)
    }

    fn arn(&self, resource: &Resource, depth: usize) -> String {
        let name = self.physical(&resource.name, depth);
        let arn = |service: &str, rest: String| format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}");
        match resource.kind {
            ResourceKind::Table => arn("dynamodb", format!("table/{name}")),
            ResourceKind::Queue => arn("sqs", name),
            ResourceKind::Topic => arn("sns", name),
            ResourceKind::Bucket => format!("arn:aws:s3:::{name}"),
            ResourceKind::Stream => arn("kinesis", format!("stream/{name}")),
            ResourceKind::DeliveryStream => arn("firehose", format!("deliverystream/{name}")),
            ResourceKind::EventBus => arn("events", format!("event-bus/{name}")),
            ResourceKind::Rule => arn("events", format!("rule/{name}")),
            ResourceKind::Secret => arn("secretsmanager", format!("secret:{name}")),
            ResourceKind::Key => arn("kms", format!("key/{name}")),
            ResourceKind::UserPool => arn("cognito-idp", format!("userpool/{name}")),
            ResourceKind::StateMachine => arn("states", format!("stateMachine:{name}")),
            ResourceKind::LogGroup => arn("logs", format!("log-group:{name}:*")),
            _ => {
                // `AWS::ApiGateway::RestApi`: the middle part is the service, near enough.
                let service = resource.resource_type.split("::").nth(1).unwrap_or("unknown").to_ascii_lowercase();
                arn(&service, name)
            }
        }
    }
}

/// A name as most services take it: letters, digits, `-`, `_`, `.`, at most 80 of them.
fn plain_name(text: &str) -> String {
    let allowed = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
    text.chars().map(|character| if allowed(character) { character } else { '-' }).take(75).collect()
}

/// A name as S3 takes it.
fn bucket_name(text: &str) -> String {
    let name: String = text
        .to_lowercase()
        .chars()
        .map(|character| if character.is_ascii_alphanumeric() { character } else { '-' })
        .take(63)
        .collect();
    let name = name.trim_matches('-').to_owned();
    if name.len() < 3 { format!("{name}-bucket") } else { name }
}
