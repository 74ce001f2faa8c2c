//! The lines of a fence that say what may come in, ready to be held against an event.

use crate::schema::Schema;
use events::{Event, Record, TriggerKind};
use fence::EventFence;
use serde_json::Value;
use std::collections::BTreeMap;

/// Why a fence can't be held.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FenceError {
    /// A source nobody knows.
    #[error("`{event}`: `{source_name}` is not a kind of event{}", near(.help))]
    UnknownSource {
        /// The line.
        event: String,
        /// What it says.
        source_name: String,
        /// What it may mean.
        help: Option<String>,
    },
    /// A rule nobody knows.
    #[error("`{event}`: there is no rule `{rule}` to allow{}", near(.help))]
    UnknownRule {
        /// The line.
        event: String,
        /// What it says.
        rule: String,
        /// What it may mean.
        help: Option<String>,
    },
    /// A schema the fence doesn't have.
    #[error("`{event}`: the fence has no schema `{name}`{}", near(.help))]
    UnknownSchema {
        /// The line.
        event: String,
        /// What it refers to.
        name: String,
        /// What it may mean.
        help: Option<String>,
    },
    /// A schema that isn't one.
    #[error("`{event}`: its schema can't be used: {why}")]
    Schema {
        /// The line.
        event: String,
        /// What is wrong with it.
        why: String,
    },
}

fn near(help: &Option<String>) -> String {
    help.as_ref().map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

/// The candidate nearest to what was written, if one is near.
pub fn nearest<'a>(written: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    candidates
        .map(|candidate| (distance(written, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4)
        .min()
        .map(|(_, candidate)| candidate.to_owned())
}

/// How many letters have to change, case ignored; names longer than a line count as far apart.
fn distance(left: &str, right: &str) -> usize {
    if left.len().max(right.len()) > 80 {
        return usize::MAX;
    }
    let right: Vec<char> = right.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (at, letter) in left.to_lowercase().chars().enumerate() {
        let mut diagonal = at;
        let mut left = at + 1;
        let mut next = vec![left];
        for (column, other) in right.iter().enumerate() {
            let above = row.get(column + 1).copied().unwrap_or_default();
            let cost = (diagonal + usize::from(letter != *other)).min(above + 1).min(left + 1);
            diagonal = above;
            left = cost;
            next.push(cost);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

const KINDS: [TriggerKind; 41] = [
    TriggerKind::RestApi,
    TriggerKind::HttpApi,
    TriggerKind::WebSocket,
    TriggerKind::LoadBalancer,
    TriggerKind::FunctionUrl,
    TriggerKind::Sqs,
    TriggerKind::Sns,
    TriggerKind::S3,
    TriggerKind::DynamodbStream,
    TriggerKind::Kinesis,
    TriggerKind::Firehose,
    TriggerKind::EventBridge,
    TriggerKind::Schedule,
    TriggerKind::Iot,
    TriggerKind::Cognito,
    TriggerKind::Email,
    TriggerKind::Logs,
    TriggerKind::Kafka,
    TriggerKind::Mq,
    TriggerKind::DocumentDb,
    TriggerKind::AppSync,
    TriggerKind::StepFunctions,
    TriggerKind::CloudFront,
    TriggerKind::Alexa,
    TriggerKind::CodeCommit,
    TriggerKind::Config,
    TriggerKind::CustomResource,
    TriggerKind::Http,
    TriggerKind::CloudEvent,
    TriggerKind::PubSub,
    TriggerKind::CloudStorage,
    TriggerKind::Firestore,
    TriggerKind::AuditLog,
    TriggerKind::StorageQueue,
    TriggerKind::ServiceBus,
    TriggerKind::EventHub,
    TriggerKind::Blob,
    TriggerKind::EventGrid,
    TriggerKind::Binding,
    TriggerKind::Function,
    TriggerKind::Other,
];

/// Sources whose events may have no envelope that tells them apart, the likelier first.
const BARE: [TriggerKind; 5] =
    [TriggerKind::Iot, TriggerKind::Function, TriggerKind::StepFunctions, TriggerKind::Schedule, TriggerKind::Other];

/// A line of the fence.
pub(crate) struct Line {
    pub(crate) kind: TriggerKind,
    pub(crate) label: String,
    method: Option<String>,
    path: Option<String>,
    name: Option<String>,
    pub(crate) schema: Option<Schema>,
    pub(crate) allow: Vec<String>,
}

impl Line {
    pub(crate) fn new(event: &EventFence, schemas: &BTreeMap<String, Value>) -> Result<Line, FenceError> {
        let label = event.label();
        let kind =
            KINDS.into_iter().find(|kind| kind.name() == event.source).ok_or_else(|| FenceError::UnknownSource {
                event: label.clone(),
                source_name: event.source.clone(),
                help: nearest(&event.source, KINDS.into_iter().map(TriggerKind::name)),
            })?;
        let rules = || waf::rules().iter().map(|rule| rule.id).chain(crate::RULES.iter().skip(2).map(|(id, _)| *id));
        if let Some(rule) = event.allow.iter().find(|allowed| !rules().any(|id| id == *allowed)) {
            let help = nearest(rule, rules());
            return Err(FenceError::UnknownRule { event: label, rule: rule.clone(), help });
        }
        let schema = event.body.as_ref().map(|body| Schema::compile(&label, body, schemas)).transpose()?;
        let any = |method: &String| !matches!(method.to_ascii_uppercase().as_str(), "ANY" | "*");
        Ok(Line {
            kind,
            label,
            method: event.method.clone().filter(any),
            path: event.path.clone(),
            name: event.name.clone(),
            schema,
            allow: event.allow.clone(),
        })
    }

    /// Whether an event of this line's source may come without an envelope.
    pub(crate) fn is_bare(&self) -> bool {
        BARE.contains(&self.kind)
    }

    /// Whether the line lists events of this kind, wherever they come from.
    pub(crate) fn lists(&self, event: &Event) -> bool {
        let kind = if event.recognised { self.meets(event.kind) } else { self.is_bare() };
        kind && event.http.as_ref().is_none_or(|http| self.lists_request(event.kind, http))
    }

    /// Whether events of a kind are this line's, which may be of a wider kind.
    fn meets(&self, kind: TriggerKind) -> bool {
        self.kind == kind
            // Which of them sits before a container doesn't show in what it hands over.
            || kind == TriggerKind::Http && self.kind.is_http() && self.kind != TriggerKind::WebSocket
            || self.kind == TriggerKind::CloudEvent && kind.is_cloud_event()
    }

    /// Whether the line lists plain requests of this method and path.
    pub(crate) fn lists_plain(&self, method: &str, path: &str) -> bool {
        let http = events::Http { method: method.to_owned(), path: path.to_owned(), route: None };
        self.meets(TriggerKind::Http) && self.lists_request(TriggerKind::Http, &http)
    }

    fn lists_request(&self, kind: TriggerKind, http: &events::Http) -> bool {
        if kind.is_cloud_event() {
            // Platforms deliver to the root unless told otherwise. Anybody can write the headers of an event, and must not reach another
            // path by them.
            return http.method == "POST" && segments(self.path.as_deref().unwrap_or("/")).eq(segments(&http.path));
        }
        let Some(path) = self.path.as_deref().filter(|path| *path != "$default") else {
            return self.allows_method(&http.method);
        };
        if kind == TriggerKind::WebSocket {
            return path == http.path;
        }
        if !self.allows_method(&http.method) {
            return false;
        }
        match &http.route {
            // The platform chose a route; the path may begin with the mapping of a custom domain.
            Some(route) => same_route(path, route) && matches_path(path, &http.path, true),
            None => matches_path(path, &http.path, false),
        }
    }

    fn allows_method(&self, method: &str) -> bool {
        self.method.as_ref().is_none_or(|listed| listed.eq_ignore_ascii_case(method))
    }

    /// Whether the line lists this record's source, where it names one.
    pub(crate) fn names(&self, event: &Event, record: &Record) -> bool {
        // What these hand over doesn't say which bus, rule or API handed it over.
        let nameless = event.http.is_some() && !event.kind.is_cloud_event()
            || !event.recognised
            || matches!(event.kind, TriggerKind::EventBridge);
        let Some(glob) = self.name.as_ref().filter(|_| !nameless) else { return true };
        let meets = |name: &str| fence::matches_glob(glob, name);
        // A batch goes by the source of its first record, which says nothing of the others. Only with Kafka the batch has a source of
        // its own, the cluster, beside the topic of each record.
        let of_batch = record.source.is_none() || event.kind == TriggerKind::Kafka;
        record.source_names().any(meets) || of_batch && event.source_names().any(meets)
    }
}

/// Whether two templates are the same but for the names of their parameters.
fn same_route(left: &str, right: &str) -> bool {
    let shape = |segment: &str| match parameter(segment) {
        Some(greedy) => if greedy { "{+}" } else { "{}" }.to_owned(),
        None => segment.to_owned(),
    };
    segments(left).map(shape).eq(segments(right).map(shape))
}

/// `{id}` and `{path+}`: whether it is greedy.
fn parameter(segment: &str) -> Option<bool> {
    let name = segment.strip_prefix('{')?.strip_suffix('}')?;
    Some(name.ends_with('+'))
}

fn segments(path: &str) -> impl DoubleEndedIterator<Item = &str> {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.strip_suffix('/').unwrap_or(path).split('/')
}

/// Whether a path is one of a template's; with `tail`, whether it ends like one.
fn matches_path(template: &str, path: &str, tail: bool) -> bool {
    let template: Vec<&str> = segments(template).collect();
    let path: Vec<&str> = segments(path).collect();
    let (fixed, greedy) = match template.split_last() {
        Some((last, rest)) if parameter(last) == Some(true) => (rest, true),
        _ => (template.as_slice(), false),
    };
    let fits = |path: &[&str]| {
        let length = if greedy { path.len() > fixed.len() } else { path.len() == fixed.len() };
        length
            && fixed.iter().zip(path).all(|(expected, given)| match parameter(expected) {
                Some(_) => !given.is_empty(),
                None => expected == given,
            })
    };
    // A mapping is at most a few segments long.
    (0..=if tail { path.len().min(4) } else { 0 }).any(|skipped| path.get(skipped..).is_some_and(fits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_meet_their_templates() {
        for (template, path, tail, expected) in [
            ("/orders", "/orders", false, true),
            ("/orders", "/orders/", false, true),
            ("/orders", "/orders/1", false, false),
            ("/orders/{id}", "/orders/1", false, true),
            ("/orders/{id}", "/orders/", false, false),
            ("/orders/{id}", "/admin/orders", false, false),
            ("/{proxy+}", "/a/b/c", false, true),
            ("/orders/{proxy+}", "/orders", false, false),
            ("/", "/", false, true),
            ("/", "/orders", false, false),
            ("/orders/{id}", "/shop/v1/orders/1", true, true),
            ("/orders/{id}", "/shop/v1/orders/1", false, false),
            ("/orders/{id}", "/orders/1/../admin", true, false),
        ] {
            assert_eq!(matches_path(template, path, tail), expected, "{template} {path}");
        }
        assert!(same_route("/orders/{id}", "/orders/{orderId}") && !same_route("/orders/{id}", "/orders/{id+}"));
    }

    #[test]
    fn a_typing_error_gets_its_near_miss() {
        let line = |source: &str, allow: &[&str]| {
            let allow = allow.iter().map(ToString::to_string).collect();
            Line::new(&EventFence { source: source.into(), allow, ..EventFence::default() }, &BTreeMap::new())
                .err()
                .unwrap()
                .to_string()
        };
        assert_eq!(
            line("dynamodb-streem", &[]),
            "`dynamodb-streem`: `dynamodb-streem` is not a kind of event; did you mean `dynamodb-stream`?"
        );
        assert!(line("sqs", &["sql-tautologie"]).ends_with("did you mean `sql-tautology`?"));
        assert!(line("sqs", &["fence-unlisted-event"]).contains("no rule"), "a fence can't allow what it doesn't list");
    }
}
