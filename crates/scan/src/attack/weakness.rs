//! What a weakness gives to whoever reaches it, by the audit that found it.

use findings::Finding;
use graph::{Behaviour, Sink, TaintFlow, TriggerKind};

/// What it gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Gives {
    /// Requests from inside the function's network.
    Network,
    /// Acting as another user of the application.
    Impersonation,
    /// The statement or the resource of what the function does to its stores.
    Data,
    /// Files of the function, and what is written in its environment.
    Files,
    /// Code in the function, with its role.
    Code,
}

impl Gives {
    /// The id of a path that ends so.
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Code => "code-execution",
            Self::Files => "file-access",
            Self::Data => "data-access",
            Self::Impersonation => "impersonation",
            Self::Network => "internal-requests",
        }
    }

    /// To be read after "anyone can".
    pub(super) fn words(self, function: &str) -> String {
        match self {
            Self::Code => format!("run code in `{function}`"),
            Self::Files => format!("choose the files that `{function}` opens"),
            Self::Data => format!("choose what `{function}` does to its data"),
            Self::Impersonation => format!("act as somebody else in `{function}`"),
            Self::Network => format!("have `{function}` send requests to hosts inside"),
        }
    }
}

/// What a finding gives; none for findings that open nothing by themselves.
pub(super) fn gives(finding: &Finding) -> Option<Gives> {
    // Options of a program aren't its command line.
    if finding.cwe == [88] {
        return None;
    }
    Some(match finding.id {
        "code-injection" | "shell-injection" | "unsafe-deserialization" | "template-injection" | "fetched-code" => {
            Gives::Code
        }
        "path-traversal" | "unsafe-extraction" | "xml-external-entities" => Gives::Files,
        "sql-injection" | "nosql-injection" | "caller-chosen-resource" | "mass-assignment" | "directory-injection" => {
            Gives::Data
        }
        "unverified-token"
        | "identity-from-caller"
        | "role-from-caller"
        | "missing-ownership-check"
        | "missing-role-check" => Gives::Impersonation,
        "server-side-request-forgery" => Gives::Network,
        _ => return None,
    })
}

/// The flow that a finding was made of, if it was made of one.
pub(super) fn flow<'a>(behaviour: &'a Behaviour, finding: &Finding) -> Option<&'a TaintFlow> {
    behaviour.flows.iter().find(|flow| flow.span == finding.primary.span)
}

/// Whether what a trigger delivers can hold the part of the event that a flow begins with.
pub(super) fn carries(kind: TriggerKind, source: &str) -> bool {
    let root = source.split(['.', '[']).next().unwrap_or(source);
    if source.is_empty() {
        return true;
    }
    let records = |inner: &str| {
        let path = format!("Records[].{inner}");
        path.starts_with(source) || source.starts_with(&path)
    };
    match kind {
        TriggerKind::Sqs => records("body") || records("messageAttributes"),
        TriggerKind::Sns => records("Sns"),
        TriggerKind::S3 => records("s3") || root == "detail",
        TriggerKind::DynamodbStream => records("dynamodb"),
        TriggerKind::Kinesis => records("kinesis"),
        TriggerKind::Email => records("ses"),
        TriggerKind::CloudFront => records("cf"),
        TriggerKind::EventBridge | TriggerKind::Schedule => {
            matches!(root, "detail" | "resources" | "source" | "time" | "detail-type")
        }
        TriggerKind::Cognito => matches!(root, "request" | "userName" | "callerContext"),
        TriggerKind::Firehose => root == "records",
        kind if kind.is_http() => root != "Records",
        TriggerKind::Function => root != "Records",
        _ => true,
    }
}

/// Whether a finding about files lets them be read.
pub(super) fn reads_files(behaviour: &Behaviour, finding: &Finding) -> bool {
    finding.id == "xml-external-entities" || flow(behaviour, finding).is_some_and(|flow| flow.sink == Sink::PathRead)
}
