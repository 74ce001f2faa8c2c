//! The tables of the lake: one list of columns, from which the tables are made and the documentation is drawn.

use serde::Serialize;

/// The layout's number, kept in the file. Raise it with every change of the list below, and write the step in `Lake::open`.
pub(crate) const LAYOUT: i64 = 1;

/// One column of the lake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Its name in a query.
    pub name: &'static str,
    /// `TEXT` or `INTEGER`; every column but the first few may be NULL.
    pub kind: &'static str,
    /// What it holds and in which unit.
    pub meaning: &'static str,
}

/// One table or view of the lake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableInfo {
    /// Its name in a query.
    pub name: &'static str,
    /// What one row of it is.
    pub meaning: &'static str,
    /// Its columns, in order.
    pub columns: Vec<Column>,
}

const fn text(name: &'static str, meaning: &'static str) -> Column {
    Column { name, kind: "TEXT", meaning }
}

const fn integer(name: &'static str, meaning: &'static str) -> Column {
    Column { name, kind: "INTEGER", meaning }
}

/// The columns of `events`, without `id`.
pub(crate) const EVENTS: &[Column] = &[
    text("time", "when, as 2026-01-01T00:00:00.000Z; sorts as text"),
    integer("time_ms", "when, in milliseconds since 1970"),
    integer("class_uid", "the OCSF class, as 2004"),
    text("class_name", "the OCSF class's name, as Detection Finding"),
    text("type", "started, stopped, invocation, verdict, function_error, log, cloud_call, egress"),
    text("function", "the function it happened to"),
    text("request_id", "the platform's id of the invocation"),
    text("trigger", "the kind of event as the fence names it: http-api, sqs, s3, schedule"),
    text("action", "what the guard did: pass, refuse, set_aside, drop, would_refuse"),
    text("outcome", "how an invocation ended: ok, error, refused, timeout, crashed"),
    text("mode", "the guard's mode: block, observe"),
    text("rule", "the rule of the gravest match"),
    text("family", "its kind of attack, as sql-injection"),
    text("field", "where in the event it matched"),
    text("excerpt", "the bytes that matched; hostile by definition"),
    text("incident", "the id the sender was given"),
    text("reason", "why, in one sentence"),
    text("severity", "informational, low, medium, high, critical, unknown"),
    integer("duration_us", "the whole invocation, in microseconds; for `started` the initialisation"),
    integer("guard_us", "the guard's share of it, in microseconds"),
    integer("status", "the HTTP or cloud status; for `stopped` the exit code"),
    text("method", "the HTTP method"),
    text("path", "the HTTP path, without the query"),
    integer("cold", "1 when a process was started for the invocation"),
    integer("bytes_in", "the event's size in bytes"),
    integer("bytes_out", "the answer's size in bytes"),
    integer("records_total", "records in the event"),
    integer("records_refused", "records of it that were refused"),
    text("service", "the cloud service called, as dynamodb"),
    text("api_action", "the cloud action, as dynamodb:PutItem"),
    text("resource", "what the cloud action was done to"),
    text("host", "the host a connection went to"),
    integer("port", "its port"),
    integer("allowed", "1 when a call or connection was let through"),
    integer("in_fence", "1 when the fence has a line for it"),
    text("source", "where the event came from: an address, an ARN"),
    text("message", "the log line, the error's message, the rule's message"),
    text("kind", "the error's type, as KeyError; for a log its stream"),
    text("ocsf", "the whole OCSF event as JSON: ocsf->>'$.unmapped.tier'"),
];

/// The columns of a match, beside those it takes from its event.
pub(crate) const MATCHES: &[Column] = &[
    integer("event_id", "the id of its verdict in events"),
    integer("position", "its place in the verdict, from 0"),
    text("rule", "the rule"),
    text("family", "the kind of attack, as sql-injection"),
    text("severity", "the rule's word for it"),
    text("field", "where in the event it matched"),
    text("excerpt", "the bytes that matched; hostile by definition"),
    text("message", "what the rule has to say"),
    integer("cwe", "the weakness's number in the CWE list"),
];

/// What the view `matches` takes from the verdict.
const MATCH_CONTEXT: &[&str] =
    &["time", "time_ms", "function", "request_id", "trigger", "action", "mode", "incident", "source"];

/// The views: name, what a row is, the condition, the columns.
const VIEWS: &[(&str, &str, &str, &[&str])] = &[
    (
        "verdicts",
        "what the guard decided about an event",
        "type = 'verdict'",
        &[
            "time",
            "time_ms",
            "function",
            "request_id",
            "trigger",
            "action",
            "mode",
            "severity",
            "rule",
            "family",
            "field",
            "excerpt",
            "message",
            "reason",
            "incident",
            "source",
            "records_total",
            "records_refused",
            "ocsf",
        ],
    ),
    (
        "invocations",
        "an event's way through a function",
        "type = 'invocation'",
        &[
            "time",
            "time_ms",
            "function",
            "request_id",
            "trigger",
            "outcome",
            "duration_us",
            "guard_us",
            "status",
            "method",
            "path",
            "cold",
            "bytes_in",
            "bytes_out",
            "source",
            "ocsf",
        ],
    ),
    (
        "errors",
        "a failure of a function's own code",
        "type = 'function_error'",
        &["time", "time_ms", "function", "request_id", "kind", "message", "ocsf"],
    ),
    (
        "cloud_calls",
        "a call of the cloud's API",
        "type = 'cloud_call'",
        &[
            "time",
            "time_ms",
            "function",
            "request_id",
            "service",
            "api_action",
            "resource",
            "allowed",
            "in_fence",
            "status",
            "reason",
            "ocsf",
        ],
    ),
    (
        "egress",
        "a connection a function opened or tried to",
        "type = 'egress'",
        &["time", "time_ms", "function", "request_id", "host", "port", "allowed", "in_fence", "reason", "ocsf"],
    ),
    (
        "logs",
        "a line a function wrote",
        "type = 'log'",
        &["time", "time_ms", "function", "request_id", "kind", "message"],
    ),
];

/// The statements that make an empty lake. Each is safe to run again.
pub(crate) fn statements() -> String {
    let columns = |columns: &[Column]| {
        columns.iter().map(|column| format!("{} {}", column.name, column.kind)).collect::<Vec<_>>().join(", ")
    };
    let mut sql = format!(
        "CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY, {});
         CREATE TABLE IF NOT EXISTS match_rows ({}, PRIMARY KEY (event_id, position)) WITHOUT ROWID;
         CREATE INDEX IF NOT EXISTS events_by_time ON events (time_ms);
         CREATE INDEX IF NOT EXISTS events_by_function ON events (function, type, time_ms);
         CREATE INDEX IF NOT EXISTS events_by_request ON events (request_id) WHERE request_id IS NOT NULL;
         CREATE INDEX IF NOT EXISTS events_by_incident ON events (incident) WHERE incident IS NOT NULL;\n",
        columns(EVENTS),
        columns(MATCHES)
    );
    for (name, _, condition, columns) in VIEWS {
        sql.push_str(&format!(
            "CREATE VIEW IF NOT EXISTS {name} AS SELECT id, {} FROM events WHERE {condition};\n",
            columns.join(", ")
        ));
    }
    let context: Vec<String> = MATCH_CONTEXT.iter().map(|name| format!("events.{name}")).collect();
    let own: Vec<String> = MATCHES.iter().map(|column| format!("match_rows.{}", column.name)).collect();
    sql.push_str(&format!(
        "CREATE VIEW IF NOT EXISTS matches AS SELECT {}, {} FROM match_rows JOIN events ON events.id = match_rows.event_id;\n",
        context.join(", "),
        own.join(", ")
    ));
    sql
}

/// Every table and view a query can use, with the meaning of each column.
pub fn schema() -> Vec<TableInfo> {
    let id = integer("id", "the row's number, in the order of arrival");
    let of_events = |names: &[&str]| -> Vec<Column> {
        names.iter().filter_map(|name| EVENTS.iter().find(|column| column.name == *name)).cloned().collect()
    };
    let with_id = |columns: Vec<Column>| {
        let mut all = vec![id.clone()];
        all.extend(columns);
        all
    };
    let mut tables = vec![TableInfo {
        name: "events",
        meaning: "everything that happened, one row per record",
        columns: with_id(EVENTS.to_vec()),
    }];
    tables.extend(VIEWS.iter().map(|(name, meaning, _, columns)| TableInfo {
        name,
        meaning,
        columns: with_id(of_events(columns)),
    }));
    let mut columns = of_events(MATCH_CONTEXT);
    columns.extend(MATCHES.iter().cloned());
    tables.push(TableInfo {
        name: "matches",
        meaning: "one rule that matched one field of an event; a verdict has several",
        columns,
    });
    tables
}
