//! `ringfence-agent doctor`: what this place offers, printed from inside.

use perimeter::probe::{Report, probe};
use std::ffi::OsStr;

/// Prints the report, as JSON or for people.
pub(crate) fn print(json: bool, command: Option<&OsStr>) {
    let report = probe(command);
    if json {
        println!("{}", as_json(&report));
        return;
    }
    for line in report.lines() {
        println!("{:27} {}\n{:27} {}", line.what, line.found, "", line.means);
    }
}

fn as_json(report: &Report) -> serde_json::Value {
    let mut value = serde_json::to_value(report).unwrap_or_default();
    let means: serde_json::Map<String, serde_json::Value> =
        report.lines().into_iter().map(|line| (line.what.to_owned(), line.means.into())).collect();
    if let Some(object) = value.as_object_mut() {
        object.insert("means".into(), means.into());
    }
    value
}
