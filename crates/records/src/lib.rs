//! What happened to a function, as one small typed value per event, and its form in OCSF.
//!
//! The agent, the gateway and the function host each make [`Record`]s; they travel as JSON lines
//! ([`Record::to_line`], [`Record::from_line`]) to `watch`, which stores them. [`ocsf::to_ocsf`] puts a record in the
//! Open Cybersecurity Schema Framework's terms for anyone who reads the lake with other tools.
//!
//! The dependency tree stays tiny because the agent links it. Transport, storage and clocks are the caller's.
//!
//! Deliberately absent: reading cloud logs (CloudTrail, CloudWatch) into records; redaction (whoever makes a
//! [`Match`] decides how much of the input its excerpt shows).
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod line;
pub mod ocsf;
mod time;

pub use line::{LineError, MAX_LINE_BYTES};
pub use time::{iso, now_ms};

use serde::{Deserialize, Serialize};

/// One thing that happened to one function.
///
/// On a line its body lies flat beside the other fields:
/// `{"time":1767225600000,"function":"ChargeCard","request_id":"r-1","type":"log","stream":"stdout","line":"hi"}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// When, in milliseconds since 1970-01-01T00:00:00Z.
    pub time: i64,
    /// The function's name as the fence has it.
    pub function: String,
    /// The platform's id of the invocation, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// What happened.
    #[serde(flatten)]
    pub body: Body,
}

impl Record {
    /// A record of something outside any invocation; see [`Record::with_request_id`]. `time` is in milliseconds since the epoch.
    pub fn new(time: i64, function: impl Into<String>, body: impl Into<Body>) -> Self {
        Self { time, function: function.into(), request_id: None, body: body.into() }
    }

    /// The same record, tied to an invocation.
    #[must_use]
    pub fn with_request_id(mut self, request_id: impl Into<String>) -> Self {
        self.request_id = Some(request_id.into());
        self
    }
}

/// What a record tells; the `type` field of its line names the variant in `snake_case`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Body {
    /// A function's process began.
    Started(Started),
    /// A function's process ended.
    Stopped(Stopped),
    /// An event was handed to the function, or refused before it got there.
    Invocation(Invocation),
    /// The guard looked at an event and decided.
    Verdict(Verdict),
    /// The function's own code failed.
    FunctionError(FunctionError),
    /// A line the function wrote.
    Log(Log),
    /// The function called its cloud's API.
    CloudCall(CloudCall),
    /// The function opened, or tried to open, a connection.
    Egress(Egress),
}

impl Body {
    /// The variant's name as the `type` field has it.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Started(_) => "started",
            Self::Stopped(_) => "stopped",
            Self::Invocation(_) => "invocation",
            Self::Verdict(_) => "verdict",
            Self::FunctionError(_) => "function_error",
            Self::Log(_) => "log",
            Self::CloudCall(_) => "cloud_call",
            Self::Egress(_) => "egress",
        }
    }
}

macro_rules! body_from {
    ($($name:ident),*) => {$(
        impl From<$name> for Body {
            fn from(value: $name) -> Self {
                Self::$name(value)
            }
        }
    )*};
}
body_from!(Started, Stopped, Invocation, Verdict, FunctionError, Log, CloudCall, Egress);

/// A function's process began.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// The platform's name of the runtime, as `python3.13`.
    pub runtime: String,
    /// How strongly the fence is held there: `kernel`, `user-space`, `platform` or `none`.
    pub tier: String,
    /// The process, where the reporter can see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// From start to the first request for work, in microseconds.
    #[serde(default)]
    pub init_us: u64,
}

/// A function's process ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    /// Why, in a few words: `shutdown`, `timeout`, `crashed`.
    pub reason: String,
    /// Its exit status, absent when a signal ended it or nobody saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
}

/// One event's way through the function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Invocation {
    /// The kind of event by the name the fence has for it, as `http-api`, `sqs`, `schedule`; `http` where all that is known is HTTP.
    pub trigger: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The whole of it, guard included, in microseconds.
    #[serde(default)]
    pub duration_us: u64,
    /// The guard's share of it, in microseconds.
    #[serde(default)]
    pub guard_us: u64,
    /// The event's size in bytes.
    #[serde(default)]
    pub bytes_in: u64,
    /// The answer's size in bytes.
    #[serde(default)]
    pub bytes_out: u64,
    /// Whether a process had to be started for it.
    #[serde(default)]
    pub cold: bool,
    /// Where the event came from: a client's address, a queue's ARN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The request line and status, when the trigger was HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpSummary>,
}

/// The few facts of an HTTP exchange worth a record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpSummary {
    /// The request's method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The status answered.
    pub status: u16,
}

/// What became of an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The function answered.
    Ok,
    /// The function answered with an error.
    Error,
    /// The guard stopped the event before the function saw it.
    Refused,
    /// The function didn't answer in its time.
    Timeout,
    /// The function's process ended under the event.
    Crashed,
}

impl Outcome {
    /// The word a line has for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Refused => "refused",
            Self::Timeout => "timeout",
            Self::Crashed => "crashed",
        }
    }
}

/// What the guard decided about an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether the guard acts or only looks.
    pub mode: Mode,
    /// What it did.
    pub action: Action,
    /// The kind of event, named as in [`Invocation::trigger`].
    pub trigger: String,
    /// The id the sender was given, to find this record by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// Why, in one sentence.
    #[serde(default)]
    pub reason: String,
    /// The rules that matched and where; empty for a pass, or when the event could not be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub matches: Vec<Match>,
    /// How many records the event carried (a batch of queue messages), 1 for a single event.
    #[serde(default)]
    pub records_total: u32,
    /// How many of them were refused.
    #[serde(default)]
    pub records_refused: u32,
    /// Where the event came from: a client's address, a queue's ARN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// One rule that matched one place in an event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Match {
    /// The rule's id.
    pub rule: String,
    /// The kind of attack, as `sql-injection`.
    pub family: String,
    /// `informational`, `low`, `medium`, `high` or `critical`.
    pub severity: String,
    /// The path of the field in the event, as `body.items[0].note`.
    pub field: String,
    /// The bytes that matched, shortened. Hostile by definition: escape before showing.
    #[serde(default)]
    pub excerpt: String,
    /// What the rule has to say.
    #[serde(default)]
    pub message: String,
    /// The number of the weakness in the CWE list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwe: Option<u16>,
}

/// Whether the guard acts on what it sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It refuses.
    Block,
    /// It only records.
    Observe,
}

impl Mode {
    /// The word a line has for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Observe => "observe",
        }
    }
}

/// What the guard did with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Let it through.
    Pass,
    /// Answered the caller with a refusal.
    Refuse,
    /// Took records out of a batch and put them aside, not to be retried.
    SetAside,
    /// Dropped an event nobody waits for.
    Drop,
    /// Let it through in observe mode though block mode would not have.
    WouldRefuse,
}

impl Action {
    /// The word a line has for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Refuse => "refuse",
            Self::SetAside => "set_aside",
            Self::Drop => "drop",
            Self::WouldRefuse => "would_refuse",
        }
    }

    /// Whether the function was kept from seeing something.
    pub const fn stopped_it(self) -> bool {
        matches!(self, Self::Refuse | Self::SetAside | Self::Drop)
    }
}

/// The function's own code failed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionError {
    /// The error's type in its language, as `KeyError`.
    pub kind: String,
    /// Its message.
    pub message: String,
    /// The stack, innermost call last, one frame per entry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trace: Vec<String>,
}

/// A line the function wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    /// `stdout` or `stderr`.
    pub stream: String,
    /// The line, without its end.
    pub line: String,
}

/// The function called its cloud's API.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloudCall {
    /// The service's prefix, as `dynamodb`.
    pub service: String,
    /// The action as a policy would name it, as `dynamodb:PutItem`.
    pub action: String,
    /// What it was done to, where the call tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Whether it was let through.
    pub allowed: bool,
    /// Whether the fence has a permission for it.
    pub in_fence: bool,
    /// The status the cloud answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The line in the fence or the reason of the refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// The function opened, or tried to open, a connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Egress {
    /// The name or address asked for.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Whether it was let through.
    pub allowed: bool,
    /// Whether the fence names it.
    pub in_fence: bool,
    /// The line in the fence or the reason of the refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}
