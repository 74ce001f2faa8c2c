//! Records into rows.

use crate::schema::{EVENTS, MATCHES};
use records::{Body, Match, Record, Verdict, ocsf};
use rusqlite::types::Value;
use rusqlite::{Connection, TransactionBehavior};
use std::fmt::Display;

/// Stores the batch in one transaction: all of it or nothing.
pub(crate) fn append(connection: &mut Connection, batch: &[Record]) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    {
        let mut event = transaction.prepare(&insert("events", EVENTS))?;
        let mut matched = transaction.prepare(&insert("match_rows", MATCHES))?;
        for record in batch {
            let row = Row::of(record);
            event.execute(rusqlite::params_from_iter(row.values))?;
            let id = transaction.last_insert_rowid();
            if let Body::Verdict(verdict) = &record.body {
                for (position, one) in verdict.matches.iter().enumerate() {
                    matched.execute(rusqlite::params![
                        id,
                        i64::try_from(position).unwrap_or(i64::MAX),
                        one.rule,
                        one.family,
                        one.severity,
                        one.field,
                        one.excerpt,
                        one.message,
                        one.cwe,
                    ])?;
                }
            }
        }
    }
    transaction.commit()
}

fn insert(table: &str, columns: &[crate::Column]) -> String {
    let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    let places = vec!["?"; names.len()].join(", ");
    format!("INSERT INTO {table} ({}) VALUES ({places})", names.join(", "))
}

/// A row of `events`, one value per entry of [`EVENTS`], NULL where the record has nothing to say.
struct Row {
    values: Vec<Value>,
}

impl Row {
    fn of(record: &Record) -> Self {
        let mut row = Self { values: vec![Value::Null; EVENTS.len()] };
        let (class_uid, class_name) = ocsf::class_of(&record.body);
        row.text("time", records::iso(record.time));
        row.integer("time_ms", record.time);
        row.integer("class_uid", class_uid);
        row.text("class_name", class_name);
        row.text("type", record.body.type_name());
        row.text("function", &record.function);
        row.maybe("request_id", record.request_id.as_ref());
        row.text("severity", ocsf::severity_of(&record.body).1.to_ascii_lowercase());
        row.text("ocsf", ocsf::to_ocsf(record));
        match &record.body {
            Body::Started(started) => {
                row.unsigned("duration_us", started.init_us);
                row.text("message", format!("{}, tier {}", started.runtime, started.tier));
            }
            Body::Stopped(stopped) => {
                row.text("reason", &stopped.reason);
                if let Some(code) = stopped.exit_code {
                    row.integer("status", code);
                }
            }
            Body::Invocation(invocation) => {
                row.text("trigger", &invocation.trigger);
                row.text("outcome", invocation.outcome.as_str());
                row.unsigned("duration_us", invocation.duration_us);
                row.unsigned("guard_us", invocation.guard_us);
                row.unsigned("bytes_in", invocation.bytes_in);
                row.unsigned("bytes_out", invocation.bytes_out);
                row.integer("cold", invocation.cold);
                row.maybe("source", invocation.source.as_ref());
                if let Some(http) = &invocation.http {
                    row.text("method", &http.method);
                    row.text("path", &http.path);
                    row.integer("status", http.status);
                }
            }
            Body::Verdict(verdict) => row.verdict(verdict),
            Body::FunctionError(error) => {
                row.text("kind", &error.kind);
                row.text("message", &error.message);
            }
            Body::Log(log) => {
                row.text("kind", &log.stream);
                row.text("message", &log.line);
            }
            Body::CloudCall(call) => {
                row.text("service", &call.service);
                row.text("api_action", &call.action);
                row.maybe("resource", call.resource.as_ref());
                row.integer("allowed", call.allowed);
                row.integer("in_fence", call.in_fence);
                row.maybe("reason", call.because.as_ref());
                if let Some(status) = call.status {
                    row.integer("status", status);
                }
            }
            Body::Egress(egress) => {
                row.text("host", &egress.host);
                row.integer("port", egress.port);
                row.integer("allowed", egress.allowed);
                row.integer("in_fence", egress.in_fence);
                row.maybe("reason", egress.because.as_ref());
            }
        }
        row
    }

    fn verdict(&mut self, verdict: &Verdict) {
        self.text("trigger", &verdict.trigger);
        self.text("mode", verdict.mode.as_str());
        self.text("action", verdict.action.as_str());
        self.maybe("incident", verdict.incident.as_ref());
        self.text("reason", &verdict.reason);
        self.integer("records_total", verdict.records_total);
        self.integer("records_refused", verdict.records_refused);
        self.maybe("source", verdict.source.as_ref());
        if let Some(one) = gravest(&verdict.matches) {
            self.text("rule", &one.rule);
            self.text("family", &one.family);
            self.text("field", &one.field);
            self.text("excerpt", &one.excerpt);
            self.text("message", &one.message);
        }
    }

    fn put(&mut self, name: &str, value: Value) {
        let place = EVENTS.iter().position(|column| column.name == name);
        debug_assert!(place.is_some(), "no column {name}");
        if let Some(cell) = place.and_then(|place| self.values.get_mut(place)) {
            *cell = value;
        }
    }

    fn text(&mut self, name: &str, value: impl Display) {
        self.put(name, Value::Text(value.to_string()));
    }

    fn maybe(&mut self, name: &str, value: Option<&String>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    fn integer(&mut self, name: &str, value: impl Into<i64>) {
        self.put(name, Value::Integer(value.into()));
    }

    fn unsigned(&mut self, name: &str, value: u64) {
        self.integer(name, i64::try_from(value).unwrap_or(i64::MAX));
    }
}

/// The gravest match, the first of them when several are equally grave.
fn gravest(matches: &[Match]) -> Option<&Match> {
    matches.iter().rev().max_by_key(|one| ocsf::severity(&one.severity).0)
}
