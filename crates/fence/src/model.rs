//! The types of a fence, as the file has them.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// The fences of one application: the content of `fence.yaml`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Fence {
    /// Version of the format; `1`.
    #[serde(default = "first_version")]
    pub version: u32,
    /// One fence per function, by its name in the template.
    #[serde(default)]
    pub functions: BTreeMap<String, FunctionFence>,
    /// JSON Schemas that events refer to as `#/schemas/NAME`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub schemas: BTreeMap<String, Json>,
}

fn first_version() -> u32 {
    1
}

/// The fence of one function.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FunctionFence {
    /// The handler: `path/to/file.py#function`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What the guard does with an event it would refuse; `block` where it isn't said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// What the perimeter must be able to hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub perimeter: Option<Perimeter>,
    /// What may come in. Events of a source that isn't listed are refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventFence>,
    /// What is known of fields of its events: where their text ends up, and what they are meant to hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<InputFence>,
    /// What it may do in the cloud.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<PermissionFence>,
    /// Which hosts it may talk to, beside the cloud's own endpoints.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub network: Vec<NetworkFence>,
    /// Which programs it may start.
    #[serde(default)]
    pub processes: Processes,
    /// Which files it may write.
    #[serde(default)]
    pub files: FileFence,
    /// Which functions it may call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub invokes: Vec<String>,
    /// What the source does but doesn't say where: to be settled by a person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unresolved: Vec<Unresolved>,
}

/// What the guard does with what it would refuse.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Refuse it.
    #[default]
    Block,
    /// Let it through and record it.
    Observe,
}

/// What must be able to hold the fence, or the function does not start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Perimeter {
    /// The weakest tier that will do.
    pub tier: Tier,
}

/// By what a perimeter is held, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// Network and identity rules of the platform only.
    Platform,
    /// Hooks in the process: stop scripts and shells, not native code.
    UserSpace,
    /// The kernel.
    Kernel,
}

/// One kind of event that may come in.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EventFence {
    /// The trigger kind: `sqs`, `http-api`, `s3`, ... (the names of [`graph::TriggerKind`]).
    pub source: String,
    /// HTTP: the method, `ANY` for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// HTTP: the path as the API declares it (`/orders/{id}`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// HTTP: how callers are told apart, for the reader.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization: Option<String>,
    /// The queue (by its name in the template).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// The topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// The bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    /// The table whose stream it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// The stream, topic of a broker, bus, rule or other source that has no key of its own above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Glob for the deployed name of the source; where given, events of another name are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The shape of the body: HTTP body, SQS body, SNS message, Kinesis data, EventBridge detail, IoT payload, whole event otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
    /// Whether the platform retries single records (`ReportBatchItemFailures`).
    #[serde(default, skip_serializing_if = "is_false")]
    pub report_batch_item_failures: bool,
    /// Rules of the firewall that don't apply here, each by its id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// What is known of one field of a function's events, so that the guard looks there for what matters there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct InputFence {
    /// Path of the field, as the code reads it: `body.items[].sku`, `Records[].s3.object.key`. What is below it is meant as well.
    pub field: String,
    /// Where its text becomes more than data; the guard is strict about what is special there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reaches: Vec<Reach>,
    /// What it is meant to hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<InputKind>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// A place where text is more than data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// A command line.
    Shell,
    /// A query.
    Sql,
    /// A path of the file system.
    Path,
    /// An address that is fetched.
    Url,
    /// A page or mail.
    Html,
    /// An evaluator or template engine.
    Code,
    /// The prompt of a language model.
    Model,
}

impl Reach {
    /// The name used in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Shell => "shell",
            Self::Sql => "sql",
            Self::Path => "path",
            Self::Url => "url",
            Self::Html => "html",
            Self::Code => "code",
            Self::Model => "model",
        }
    }
}

/// What a field is meant to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum InputKind {
    /// Sentences that people write: what looks odd there is only a hint.
    FreeText,
    /// A name, key or number.
    Identifier,
    /// The name of an object in a bucket.
    ObjectKey,
    /// An address.
    Url,
}

/// A JSON Schema, inline or `{ $ref: "#/schemas/NAME" }`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Body(pub Json);

impl Body {
    /// A reference to a schema of the fence.
    pub fn reference(name: &str) -> Self {
        Self(serde_json::json!({ "$ref": format!("#/schemas/{name}") }))
    }

    /// The name it refers to, if it is a reference into the fence.
    pub fn referred(&self) -> Option<&str> {
        self.0.get("$ref")?.as_str()?.strip_prefix("#/schemas/")
    }
}

/// One permission in the cloud, given or withheld.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PermissionFence {
    /// `service:Action` that it may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow: Option<String>,
    /// `service:Action` that it may not, whatever else is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deny: Option<String>,
    /// On what: a name of the template, an ARN or name pattern, `*`.
    pub on: String,
    /// Glob for the deployed name, where the template gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// One host it may talk to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NetworkFence {
    /// Host name or address; `*` stands for any run of characters (`*.example.com`: any subdomain).
    pub host: String,
    /// Port.
    pub port: u16,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// Which programs may be started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Processes {
    /// `none` (or `any`).
    Word(ProcessWord),
    /// These.
    List(Vec<ProcessFence>),
}

/// The words that may stand for a list of programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ProcessWord {
    /// No program.
    None,
    /// Any program; a decision to be written down by a person.
    Any,
}

impl Default for Processes {
    fn default() -> Self {
        Self::Word(ProcessWord::None)
    }
}

impl Processes {
    /// The programs listed.
    pub fn list(&self) -> &[ProcessFence] {
        match self {
            Self::Word(_) => &[],
            Self::List(list) => list,
        }
    }

    /// Whether a program may be started.
    pub fn allows(&self, program: &str) -> bool {
        match self {
            Self::Word(word) => *word == ProcessWord::Any,
            Self::List(list) => list.iter().any(|entry| entry.run == program),
        }
    }
}

/// One program that may be started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ProcessFence {
    /// The program's name.
    pub run: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// Which files may be written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FileFence {
    /// Folders (with everything below) and files.
    #[serde(default)]
    pub write: Vec<String>,
}

impl Default for FileFence {
    fn default() -> Self {
        // The one folder that every platform gives a function to write to.
        Self { write: vec!["/tmp".into()] }
    }
}

/// Something the source does without saying on what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Unresolved {
    /// What it does, in words.
    pub what: String,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

impl EventFence {
    /// The name of the source in the template, whichever key holds it.
    pub fn resource(&self) -> Option<&str> {
        [&self.queue, &self.topic, &self.bucket, &self.table, &self.from].into_iter().find_map(|name| name.as_deref())
    }

    /// A short text for people: `POST /orders`, `sqs OrderPaid`.
    pub fn label(&self) -> String {
        match (&self.method, &self.path, self.resource()) {
            (Some(method), Some(path), _) => format!("{method} {path}"),
            (None, Some(path), _) => path.clone(),
            (_, _, Some(resource)) => format!("{} {resource}", self.source),
            _ => self.source.clone(),
        }
    }
}

impl PermissionFence {
    /// The action, allowed or denied.
    pub fn action(&self) -> &str {
        self.allow.as_deref().or(self.deny.as_deref()).unwrap_or("")
    }

    /// Whether it withholds.
    pub fn denies(&self) -> bool {
        self.deny.is_some()
    }
}

impl FunctionFence {
    /// Whether a call of `action` on a resource is within the fence. `resource` is whatever the call names (a name, an ARN, a URL);
    /// none where the call names nothing.
    pub fn permits(&self, action: &str, resource: Option<&str>) -> bool {
        let covers = |permission: &&PermissionFence| {
            crate::matches_glob(permission.action(), action)
                && resource.is_none_or(|resource| crate::name::names(permission, resource))
        };
        let mut covering = self.permissions.iter().filter(covers).peekable();
        covering.peek().is_some() && covering.all(|permission| !permission.denies())
    }

    /// Whether a connection is within the fence.
    pub fn reaches(&self, host: &str, port: u16) -> bool {
        self.network.iter().any(|line| line.port == port && crate::matches_glob(&line.host, host))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permission(allow: &str, on: &str, name: Option<&str>) -> PermissionFence {
        PermissionFence { allow: Some(allow.into()), on: on.into(), name: name.map(Into::into), ..Default::default() }
    }

    #[test]
    fn a_denied_action_stays_denied_however_wide_the_rest_is() {
        let mut function =
            FunctionFence { permissions: vec![permission("dynamodb:*", "Orders", None)], ..Default::default() };
        assert!(function.permits("dynamodb:DeleteItem", Some("Orders")));
        function.permissions.push(PermissionFence {
            deny: Some("dynamodb:DeleteItem".into()),
            on: "Orders".into(),
            ..Default::default()
        });
        assert!(!function.permits("dynamodb:DeleteItem", Some("Orders")));
        assert!(!function.permits("s3:GetObject", Some("Orders")));
    }

    #[test]
    fn a_subdomain_pattern_needs_a_dot() {
        let line = NetworkFence { host: "*.stripe.com".into(), port: 443, because: None };
        let function = FunctionFence { network: vec![line], ..Default::default() };
        assert!(function.reaches("API.stripe.com", 443));
        assert!(!function.reaches("evilstripe.com", 443) && !function.reaches("api.stripe.com", 80));
    }

    #[test]
    fn generated_names_and_arns_are_the_resource_they_come_from() {
        let function = FunctionFence {
            permissions: vec![
                permission("dynamodb:PutItem", "OrdersTable", Some("*OrdersTable*")),
                permission("s3:GetObject", "arn:aws:s3:::cat/*", None),
            ],
            ..Default::default()
        };
        assert!(function.permits("dynamodb:PutItem", Some("shop-OrdersTable-1X2Y")));
        assert!(function.permits("dynamodb:PutItem", Some("arn:aws:dynamodb:eu-west-1:1:table/shop-OrdersTable-1X2Y")));
        assert!(!function.permits("dynamodb:PutItem", Some("UsersTable")));
        assert!(function.permits("s3:GetObject", Some("arn:aws:s3:::cat/x.csv")));
    }
}
