//! The nodes of the graph.

use crate::{Authorization, Exposure, Value};
use serde::Serialize;
use source::{FileId, Span};
use std::collections::BTreeSet;

/// Everything that was read under one path: one application per root template.
#[derive(Debug, Clone, Default)]
pub struct Estate {
    /// The applications, ordered by the path of their template.
    pub applications: Vec<Application>,
}

impl Estate {
    /// All functions with the application they belong to.
    pub fn functions(&self) -> impl Iterator<Item = (&Application, &Function)> {
        self.applications
            .iter()
            .flat_map(|application| application.functions.iter().map(move |function| (application, function)))
    }
}

/// Whose cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Amazon Web Services.
    Aws,
}

/// What an application is described in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)] // the names are the documentation
pub enum Format {
    #[default]
    CloudFormation,
    Sam,
    Cdk,
    ServerlessFramework,
    Terraform,
}

/// One deployable application: a template (with what it nests).
#[derive(Debug, Clone)]
pub struct Application {
    /// A name for people: the template's folder, or its file stem where the folder says nothing.
    pub name: String,
    /// The template it was read from.
    pub template: FileId,
    /// Whose cloud.
    pub provider: Provider,
    /// What it is described in.
    pub format: Format,
    /// The functions, in the template's order.
    pub functions: Vec<Function>,
    /// What starts them.
    pub triggers: Vec<Trigger>,
    /// Roles (and other identities) that functions run as.
    pub identities: Vec<Identity>,
    /// Everything else in the template.
    pub resources: Vec<Resource>,
}

impl Application {
    /// The function of a name.
    pub fn function(&self, name: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.name == name)
    }

    /// The resource of a logical id.
    pub fn resource(&self, name: &str) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.name == name)
    }

    /// The identity of a name.
    pub fn identity(&self, name: &str) -> Option<&Identity> {
        self.identities.iter().find(|identity| identity.name == name)
    }

    /// The identity a function runs as, if it is of this template.
    pub fn identity_of(&self, function: &Function) -> Option<&Identity> {
        self.identity(function.identity.as_deref()?)
    }

    /// The triggers of a function, in the template's order.
    pub fn triggers_of<'a>(&'a self, function: &'a str) -> impl Iterator<Item = &'a Trigger> {
        self.triggers.iter().filter(move |trigger| trigger.function == function)
    }

    /// From where a function can be reached: the widest of its triggers and URLs.
    pub fn exposure(&self, function: &Function) -> Exposure {
        let triggers = self.triggers_of(&function.name).map(|trigger| trigger.exposure());
        let url = function.url.iter().map(|url| match url.auth {
            UrlAuth::None => Exposure::Public,
            UrlAuth::Iam | UrlAuth::Unknown => Exposure::Authenticated,
        });
        triggers.chain(url).max().unwrap_or(Exposure::None)
    }

    /// What connects a function with other nodes: who feeds it, and what its identity may touch.
    pub fn flows(&self) -> Vec<Flow> {
        let mut flows = Vec::new();
        for trigger in &self.triggers {
            let from = trigger.source.as_ref().and_then(Value::resource).map(str::to_string);
            flows.push(Flow {
                from: from.unwrap_or_else(|| trigger.kind.name().to_string()),
                to: trigger.function.clone(),
                kind: FlowKind::Triggers,
                label: trigger.label(),
                span: trigger.span,
            });
        }
        for function in &self.functions {
            let Some(identity) = self.identity_of(function) else { continue };
            for statement in identity.statements.iter().filter(|statement| statement.effect == Effect::Allow) {
                let touched: BTreeSet<&str> = statement
                    .resources
                    .iter()
                    .flat_map(|resource| resource.resources())
                    .filter(|name| self.resource(name).is_some() || self.function(name).is_some())
                    .collect();
                for to in touched.into_iter().filter(|to| *to != function.name) {
                    flows.push(Flow {
                        from: function.name.clone(),
                        to: to.to_string(),
                        kind: FlowKind::Accesses,
                        label: statement.actions.join(", "),
                        span: statement.span,
                    });
                }
            }
        }
        flows
    }
}

/// An edge of the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// Name of the node it leaves (a resource's logical id, a function, or a trigger kind where nothing of the template feeds it).
    pub from: String,
    /// Name of the node it reaches.
    pub to: String,
    /// What it is.
    pub kind: FlowKind,
    /// What to write at it.
    pub label: String,
    /// Where the source says so.
    pub span: Span,
}

/// What an edge means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowKind {
    /// The first starts the second.
    Triggers,
    /// The first is allowed to act on the second.
    Accesses,
}

/// A property as it was written, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where it was written. For a value that came from `Globals`, there.
    pub span: Span,
}

/// A serverless function.
#[derive(Debug, Clone)]
pub struct Function {
    /// Logical id; unique in its application.
    pub name: String,
    /// The template type it was read from (`AWS::Serverless::Function`, `AWS::Lambda::Function`).
    pub resource_type: String,
    /// Where its block stands; starts at its logical id.
    pub span: Span,
    /// The name it is deployed under, where the template gives one.
    pub deployed_name: Option<Value>,
    /// `python3.12`, `nodejs20.x`; none for container images.
    pub runtime: Option<Setting<String>>,
    /// `app.handler`.
    pub handler: Option<Setting<String>>,
    /// Where its code is.
    pub code: Code,
    /// Environment variables in the template's order.
    pub environment: Vec<EnvironmentVariable>,
    /// Name of the identity it runs as; an identity of the same application, generated ones included. None where the role
    /// comes from outside the template.
    pub identity: Option<String>,
    /// The role as the template wrote it, where it names one.
    pub role: Option<Setting<Value>>,
    /// Its URL, if it has one.
    pub url: Option<FunctionUrl>,
    /// Timeout in seconds.
    pub timeout: Option<Setting<i64>>,
    /// Memory in MiB.
    pub memory: Option<Setting<i64>>,
    /// Layers.
    pub layers: Vec<Setting<Value>>,
    /// Whether it is attached to a VPC.
    pub in_vpc: bool,
    /// `ReservedConcurrentExecutions`.
    pub reserved_concurrency: Option<Setting<i64>>,
    /// Where failed asynchronous events go.
    pub dead_letter: Option<Setting<Value>>,
    /// `x86_64` or `arm64`, as written.
    pub architecture: Option<String>,
    /// Tracing mode as written (`Active`, `PassThrough`).
    pub tracing: Option<String>,
    /// The log group resource of the template that belongs to it, if there is one.
    pub log_group: Option<String>,
    /// What its code does; none until the code reader has been there, or where it can't read the language.
    pub behaviour: Option<crate::Behaviour>,
}

/// Where a function's code is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Code {
    /// A folder or archive of the repository, relative to what was scanned.
    Local(Setting<String>),
    /// Written into the template.
    Inline(Setting<String>),
    /// A container image.
    Image(Setting<String>),
    /// In a bucket or elsewhere that isn't here.
    Remote(Setting<String>),
    /// Not said.
    Unknown,
}

/// One environment variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentVariable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Value,
    /// Where the value stands.
    pub span: Span,
}

/// A function URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionUrl {
    /// Who may call it.
    pub auth: UrlAuth,
    /// Where it was written.
    pub span: Span,
}

/// `AuthType` of a function URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UrlAuth {
    /// `NONE`.
    None,
    /// `AWS_IAM`.
    Iam,
    /// Something that can't be told.
    Unknown,
}

/// What starts a function.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// Name of the function.
    pub function: String,
    /// Name of the event in the template, or of the resource that makes it.
    pub name: String,
    /// What kind.
    pub kind: TriggerKind,
    /// The resource or ARN that the events come from.
    pub source: Option<Value>,
    /// HTTP only: how callers are told apart.
    pub authorization: Option<Authorization>,
    /// HTTP only: method, upper case; `ANY` for all.
    pub method: Option<String>,
    /// HTTP only: path as the API declares it (`/orders/{id}`).
    pub path: Option<String>,
    /// The shape of the body that the template declares and the platform enforces, if it does.
    pub body_schema: Option<Schema>,
    /// Whether failed records can be reported one by one (`FunctionResponseTypes: [ReportBatchItemFailures]`).
    pub report_batch_item_failures: bool,
    /// Event filters and rules as written, for people.
    pub filter: Option<String>,
    /// Where it was written.
    pub span: Span,
}

impl Trigger {
    /// From where its events come.
    pub fn exposure(&self) -> Exposure {
        match self.kind {
            TriggerKind::HttpApi
            | TriggerKind::RestApi
            | TriggerKind::WebSocket
            | TriggerKind::LoadBalancer
            | TriggerKind::Http
            | TriggerKind::AppSync => self.authorization.as_ref().map_or(Exposure::Public, Authorization::exposure),
            TriggerKind::FunctionUrl => self.authorization.as_ref().map_or(Exposure::Public, Authorization::exposure),
            TriggerKind::Schedule
            | TriggerKind::CustomResource
            | TriggerKind::StepFunctions
            | TriggerKind::Function => Exposure::Internal,
            TriggerKind::Cognito | TriggerKind::Email | TriggerKind::Alexa | TriggerKind::CloudFront => {
                Exposure::Public
            }
            _ => Exposure::Fed,
        }
    }

    /// A short text for people: `POST /orders`, `sqs OrderPaid`.
    pub fn label(&self) -> String {
        match (&self.method, &self.path, &self.source) {
            (Some(method), Some(path), _) => format!("{method} {path}"),
            (_, Some(path), _) => path.clone(),
            (_, _, Some(source)) => format!("{} {source}", self.kind.name()),
            _ => match &self.filter {
                Some(filter) => format!("{} {filter}", self.kind.name()),
                None => self.kind.name().to_string(),
            },
        }
    }
}

/// Kinds of triggers, by what the function is handed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)] // the names are the documentation: AWS's own services
pub enum TriggerKind {
    RestApi,
    HttpApi,
    WebSocket,
    LoadBalancer,
    FunctionUrl,
    Sqs,
    Sns,
    S3,
    DynamodbStream,
    Kinesis,
    Firehose,
    EventBridge,
    Schedule,
    Iot,
    Cognito,
    Email,
    Logs,
    Kafka,
    Mq,
    DocumentDb,
    AppSync,
    StepFunctions,
    CloudFront,
    Alexa,
    CodeCommit,
    Config,
    CustomResource,
    /// A request to a container or a function of a platform that hands over plain HTTP.
    Http,
    /// A CloudEvent of a sender that has no kind of its own here.
    CloudEvent,
    /// A message of Google's Pub/Sub.
    PubSub,
    /// A change of an object in Google's Cloud Storage.
    CloudStorage,
    /// A change of a document in Firestore.
    Firestore,
    /// An entry of Google's audit logs.
    AuditLog,
    /// A message of an Azure storage queue.
    StorageQueue,
    /// A message of an Azure Service Bus queue or topic.
    ServiceBus,
    /// Messages of an Azure Event Hub.
    EventHub,
    /// A blob of Azure's storage.
    Blob,
    /// An event of Azure's Event Grid.
    EventGrid,
    /// Any other binding of an Azure function: documents, tables, ones of extensions.
    Binding,
    /// Another function of the application invokes it.
    Function,
    /// Something the reader doesn't know by name.
    Other,
}

impl TriggerKind {
    /// The name used in fences, records and every output.
    pub fn name(self) -> &'static str {
        match self {
            Self::RestApi => "rest-api",
            Self::HttpApi => "http-api",
            Self::WebSocket => "websocket",
            Self::LoadBalancer => "load-balancer",
            Self::FunctionUrl => "function-url",
            Self::Sqs => "sqs",
            Self::Sns => "sns",
            Self::S3 => "s3",
            Self::DynamodbStream => "dynamodb-stream",
            Self::Kinesis => "kinesis",
            Self::Firehose => "firehose",
            Self::EventBridge => "eventbridge",
            Self::Schedule => "schedule",
            Self::Iot => "iot",
            Self::Cognito => "cognito",
            Self::Email => "email",
            Self::Logs => "logs",
            Self::Kafka => "kafka",
            Self::Mq => "mq",
            Self::DocumentDb => "documentdb",
            Self::AppSync => "appsync",
            Self::StepFunctions => "step-functions",
            Self::CloudFront => "cloudfront",
            Self::Alexa => "alexa",
            Self::CodeCommit => "codecommit",
            Self::Config => "config",
            Self::CustomResource => "custom-resource",
            Self::Http => "http",
            Self::CloudEvent => "cloudevent",
            Self::PubSub => "pubsub",
            Self::CloudStorage => "cloud-storage",
            Self::Firestore => "firestore",
            Self::AuditLog => "audit-log",
            Self::StorageQueue => "storage-queue",
            Self::ServiceBus => "service-bus",
            Self::EventHub => "event-hub",
            Self::Blob => "blob",
            Self::EventGrid => "event-grid",
            Self::Binding => "binding",
            Self::Function => "function",
            Self::Other => "other",
        }
    }

    /// Whether an HTTP caller waits for the answer.
    pub fn is_http(self) -> bool {
        matches!(
            self,
            Self::RestApi | Self::HttpApi | Self::WebSocket | Self::LoadBalancer | Self::FunctionUrl | Self::Http
        )
    }

    /// Whether its events are delivered as CloudEvents.
    pub fn is_cloud_event(self) -> bool {
        matches!(self, Self::CloudEvent | Self::PubSub | Self::CloudStorage | Self::Firestore | Self::AuditLog)
    }
}

/// A JSON Schema with the place it was written at.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// A name for it (the model's).
    pub name: String,
    /// The schema.
    pub schema: serde_json::Value,
    /// Where.
    pub span: Span,
}

/// What kind of identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)] // the names are the documentation
pub enum IdentityKind {
    #[default]
    Role,
    User,
    Group,
}

/// A role or other identity, with everything its policies say.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Logical id, or `<Function>Role` for one that SAM generates.
    pub name: String,
    /// Role, user or group.
    pub kind: IdentityKind,
    /// The name it is deployed under, where the template gives one.
    pub deployed_name: Option<Value>,
    /// Names of the groups a user is in; their statements aren't among the user's own.
    pub groups: Vec<String>,
    /// Where it was written; for a generated one, the function.
    pub span: Span,
    /// Whether SAM generates it.
    pub generated: bool,
    /// All statements of its policies, inline, attached, managed and from SAM policy templates.
    pub statements: Vec<Statement>,
    /// Who may assume it: service names and ARNs.
    pub trusted: Vec<Value>,
    /// The statements of its trust policy, with their conditions; `trusted` has the principals of those that allow.
    pub trust: Vec<Statement>,
    /// The permissions boundary, if there is one.
    pub boundary: Option<Value>,
    /// Policies that are named but whose content isn't known here (customer-managed, or managed ones that the data lacks).
    pub unresolved_policies: Vec<Setting<Value>>,
}

/// `Allow` or `Deny`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Effect {
    Allow,
    Deny,
}

/// One statement of a policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// Allow or deny.
    pub effect: Effect,
    /// `service:Action` patterns; of `NotAction` where `not_actions`.
    pub actions: Vec<String>,
    /// `actions` are those that are left out.
    pub not_actions: bool,
    /// ARN patterns; of `NotResource` where `not_resources`. Empty in trust and resource policies without one.
    pub resources: Vec<Value>,
    /// `resources` are those that are left out.
    pub not_resources: bool,
    /// Principals as written, for resource policies; `*` for anyone.
    pub principals: Vec<Value>,
    /// The condition block as JSON, if there is one.
    pub condition: Option<serde_json::Value>,
    /// Where it comes from.
    pub origin: Origin,
    /// Where it was written; for managed policies and SAM templates, where those are named.
    pub span: Span,
}

/// Where a statement comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Written in the template.
    Inline,
    /// An AWS managed policy, by name.
    Managed(String),
    /// A SAM policy template, by name.
    SamTemplate(String),
    /// A SAM connector, by name.
    Connector(String),
    /// What the platform or SAM adds by itself (event source polling, basic execution), by what adds it.
    Implied(String),
}

/// Any other resource of the template.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Logical id.
    pub name: String,
    /// Template type (`AWS::DynamoDB::Table`).
    pub resource_type: String,
    /// What it is to us.
    pub kind: ResourceKind,
    /// Where its block stands; starts at its logical id.
    pub span: Span,
    /// The name it is deployed under, where the template gives one.
    pub deployed_name: Option<Value>,
    /// Its properties as JSON, intrinsics in their long form (`{"Ref": ..}`).
    pub properties: serde_json::Value,
    /// Span of each property, by dotted path (`BucketEncryption`, `SSESpecification.SSEEnabled`), two levels deep.
    pub property_spans: Vec<(String, Span)>,
    /// Statements of resource policies attached to it (bucket, queue, topic policies, Lambda permissions).
    pub policy: Vec<Statement>,
}

impl Resource {
    /// A property by dotted path.
    pub fn property(&self, path: &str) -> Option<&serde_json::Value> {
        path.split('.').try_fold(&self.properties, |value, key| value.get(key))
    }

    /// Where a property was written: it, its parent, or else the resource.
    pub fn property_span(&self, path: &str) -> Span {
        let mut path = path;
        loop {
            if let Some((_, span)) = self.property_spans.iter().find(|(name, _)| name == path) {
                return *span;
            }
            match path.rsplit_once('.') {
                Some((parent, _)) => path = parent,
                None => return self.span,
            }
        }
    }
}

/// What a resource is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)] // the names are the documentation
pub enum ResourceKind {
    Api,
    Queue,
    Topic,
    Bucket,
    Table,
    Stream,
    DeliveryStream,
    EventBus,
    Rule,
    Secret,
    Key,
    UserPool,
    StateMachine,
    LogGroup,
    Database,
    FileSystem,
    Layer,
    Distribution,
    Application,
    Other,
}

impl ResourceKind {
    /// The kebab-case name used in every output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Queue => "queue",
            Self::Topic => "topic",
            Self::Bucket => "bucket",
            Self::Table => "table",
            Self::Stream => "stream",
            Self::DeliveryStream => "delivery-stream",
            Self::EventBus => "event-bus",
            Self::Rule => "rule",
            Self::Secret => "secret",
            Self::Key => "key",
            Self::UserPool => "user-pool",
            Self::StateMachine => "state-machine",
            Self::LogGroup => "log-group",
            Self::Database => "database",
            Self::FileSystem => "file-system",
            Self::Layer => "layer",
            Self::Distribution => "distribution",
            Self::Application => "application",
            Self::Other => "other",
        }
    }
}
