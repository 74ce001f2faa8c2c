//! What a function's code does, as far as its source tells: the code reader fills it, the fence's derivation reads it.

use crate::Value;
use serde::Serialize;
use source::{FileId, Span};

/// What one function's code does, everything reachable from its handler.
#[derive(Debug, Clone, Default)]
pub struct Behaviour {
    /// The files that were read for it, the handler's first.
    pub files: Vec<FileId>,
    /// Where the handler is defined, if it was found.
    pub handler: Option<Span>,
    /// Calls of the cloud's services.
    pub calls: Vec<CloudCall>,
    /// Hosts it talks to by other means than the cloud's SDK.
    pub hosts: Vec<OutboundHost>,
    /// Programs it starts.
    pub processes: Vec<ProcessStart>,
    /// Folders or files it writes.
    pub writes: Vec<FileWrite>,
    /// Fields of the event that it reads.
    pub event_fields: Vec<EventField>,
    /// Modules it imports that are neither its own files nor of the standard library (`boto3`, `@aws-sdk/client-s3`).
    pub imports: Vec<String>,
}

/// One call of a cloud service.
#[derive(Debug, Clone, PartialEq)]
pub struct CloudCall {
    /// Service as the SDK names it (`dynamodb`).
    pub service: String,
    /// Operation in the service's own spelling (`PutItem`).
    pub operation: String,
    /// Permissions it needs (`dynamodb:PutItem`); empty where the published data doesn't tell.
    pub actions: Vec<String>,
    /// What it acts on.
    pub target: CallTarget,
    /// The call.
    pub span: Span,
}

/// What a cloud call acts on, as its source says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CallTarget {
    /// The value of an environment variable.
    Environment(String),
    /// A literal name, ARN or URL.
    Literal(String),
    /// The caller of the function chooses it: it comes out of the event.
    Event,
    /// The operation names no resource.
    None,
    /// Can't be told.
    Unknown,
}

/// A host the code talks to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboundHost {
    /// The host, lower case; none where it can't be told from the source.
    pub host: Option<String>,
    /// The environment variable that holds the host or URL, where one does.
    pub environment: Option<String>,
    /// The port (443 and 80 by scheme where none is written).
    pub port: u16,
    /// Whether the caller of the function chooses it.
    pub from_event: bool,
    /// Where.
    pub span: Span,
}

/// A program the code starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessStart {
    /// The program's name, where the source tells it.
    pub program: Option<String>,
    /// Whether a shell reads the command line.
    pub shell: bool,
    /// Where.
    pub span: Span,
}

/// A file or folder the code writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileWrite {
    /// The path as far as it is literal (`/tmp/report-`), none where nothing of it is.
    pub path: Option<String>,
    /// Where.
    pub span: Span,
}

/// A field of the event that the code reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventField {
    /// Path from the event: `body.items[].sku`, `Records[].body.order_id`; what stands behind a decoded JSON string continues the path.
    pub path: String,
    /// Whether the code fails without it (`event["x"]` rather than `event.get("x")`).
    pub required: bool,
    /// Where.
    pub span: Span,
}

impl CallTarget {
    /// The target as a template value, environment variables looked up among `environment`.
    pub fn resolve(&self, environment: &[crate::EnvironmentVariable]) -> Option<Value> {
        match self {
            Self::Environment(name) => {
                environment.iter().find(|variable| variable.name == *name).map(|variable| variable.value.clone())
            }
            Self::Literal(text) => Some(Value::text(text.clone())),
            Self::Event | Self::None | Self::Unknown => None,
        }
    }
}
