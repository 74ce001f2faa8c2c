//! What the terminal shows while an application runs: what is there, and then one line for everything worth one.

use super::Mode;
use super::events::Verdicts;
use super::fences::Fences;
use crate::terminal;
use graph::{Application, TriggerKind};
use host::aws::{Endpoint, Provisioned};
use host::{FunctionState, Host, Plan};
use records::{Action, Body, Outcome, Record};
use std::path::Path;
use std::sync::Arc;
use watch::{Live, News};

/// Where things are.
pub(super) struct Urls<'a> {
    pub(super) gateway: &'a str,
    pub(super) console: &'a str,
    pub(super) door: &'a str,
    pub(super) records: &'a Path,
}

pub(super) fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Says what was made in the endpoint.
pub(super) fn provisioned(made: &[Provisioned], endpoint: &Endpoint) {
    let well = made.iter().filter(|one| one.problem.is_none()).count();
    if well > 0 {
        terminal::say(&format!("  {} in {}", plural(well, "resource"), endpoint.url()));
    }
    for (name, problem) in made.iter().filter_map(|one| Some((&one.name, one.problem.as_ref()?))) {
        terminal::say(&format!("  {name} could not be made: {problem}"));
    }
}

/// The table shown once everything is ready.
#[allow(clippy::too_many_arguments)] // one call, one table
pub(super) fn table(
    application: &Application,
    plan: &Plan,
    host: &Host,
    verdicts: &Verdicts,
    routes: &gateway::Routes,
    urls: &Urls<'_>,
    mode: Option<Mode>,
    fences: &Fences,
) {
    let guard = match mode {
        Some(Mode::Off) => "with no guard in front",
        Some(Mode::Observe) => "observed, nothing is refused",
        _ => "guarded",
    };
    let mut text = format!("\n{} on this machine, {guard}\n\n", application.name);
    let states: std::collections::BTreeMap<String, FunctionState> = host.states().into_iter().collect();
    let width = plan.functions.iter().map(|planned| planned.name.len()).max().unwrap_or(0).max(8);
    text += &format!("  {:width$}  {:16}  {:10}  started by\n", "function", "runs on", "held");
    for planned in &plan.functions {
        let tier = match mode {
            Some(Mode::Off) => "-".to_owned(),
            // The guard holds what comes in, and nothing of what the function does: said as it is.
            _ => match verdicts.tier(&planned.name).as_deref() {
                Some("none") => "events".to_owned(),
                Some(tier) => tier.to_owned(),
                None => "-".to_owned(),
            },
        };
        let mut starts: Vec<String> = routes
            .list()
            .filter(|(route, _)| route.function == planned.name)
            .map(|(route, path)| {
                let method = if route.method == "ANY" { "any" } else { &route.method };
                format!("{method} {}{}", urls.gateway, if path == "$default" { "/" } else { &path })
            })
            .collect();
        let others = application.triggers_of(&planned.name).filter(|trigger| {
            let served = matches!(
                trigger.kind,
                TriggerKind::HttpApi | TriggerKind::RestApi | TriggerKind::LoadBalancer | TriggerKind::FunctionUrl
            );
            !served
        });
        starts.extend(others.map(label));
        starts.dedup();
        let mut starts = starts.into_iter();
        let first = starts.next().unwrap_or_else(|| "ringfence send".into());
        text += &format!("  {:width$}  {:16}  {:10}  {}\n", planned.name, planned.runs_on, tier, plain(&first));
        for more in starts {
            text += &format!("  {:width$}  {:16}  {:10}  {}\n", "", "", "", plain(&more));
        }
        if let Some(FunctionState::Failed(why)) = states.get(&planned.name) {
            text += &format!("  {:width$}  does not start: {}\n", "", plain(why));
        }
    }
    for left in &plan.left_out {
        text += &format!("  {:width$}  {}\n", left.name, plain(&left.reason));
    }
    if mode != Some(Mode::Off) {
        text += &format!("\n  fence    {}\n", plain(&fences.origin));
    } else {
        text.push('\n');
    }
    if !routes.is_empty() {
        text += &format!("  gateway  {}\n", urls.gateway);
    }
    text += &format!("  console  {}\n  door     {}  (ringfence send FUNCTION event.json)\n", urls.console, urls.door);
    text += &format!("  records  {}\n\nCtrl-C ends it.\n", urls.records.display());
    // A reader that has gone is no reason to stop.
    let _ = terminal::print(&text);
}

/// What a trigger is called: the resource by its name, however the template refers to it.
fn label(trigger: &graph::Trigger) -> String {
    match trigger.source.as_ref().and_then(graph::Value::resource) {
        Some(resource) => format!("{} {resource}", trigger.kind.name()),
        None => short(&trigger.label(), 80),
    }
}

/// Opens the console in a browser, where there is one to be seen.
pub(super) fn open(url: &str) {
    use std::io::IsTerminal as _;
    let seen = std::env::var_os("DISPLAY").is_some() || std::env::var_os("WAYLAND_DISPLAY").is_some();
    if !seen || !std::io::stdout().is_terminal() {
        return;
    }
    let null = std::process::Stdio::null;
    if let Ok(mut child) =
        std::process::Command::new("xdg-open").arg(url).stdin(null()).stdout(null()).stderr(null()).spawn()
    {
        std::thread::spawn(move || child.wait());
    }
}

/// Follows what is stored: verdicts are kept for the door, and what is worth a line gets one.
pub(super) async fn follow(mut live: Live, verdicts: Arc<Verdicts>, logs: bool) {
    while let Some(news) = live.next().await {
        match news {
            News::Record(record) => {
                verdicts.note(&record);
                if let Some(line) = line(&record, logs) {
                    let _ = terminal::print(&format!("{line}\n"));
                }
            }
            News::Missed(count) => tracing::warn!(count, "records were stored faster than they could be shown"),
        }
    }
}

/// What is said of a record, if anything.
fn line(record: &Record, logs: bool) -> Option<String> {
    let (what, rest) = match &record.body {
        Body::Verdict(verdict) => {
            let what = match verdict.action {
                Action::Pass => return None,
                Action::Refuse => "refused",
                Action::SetAside => "set aside",
                Action::Drop => "dropped",
                Action::WouldRefuse => "would refuse",
            };
            let mut rest = verdict.trigger.clone();
            match verdict.matches.first() {
                Some(found) => {
                    rest += &format!("  {} in {}", found.rule, found.field);
                    if !found.excerpt.is_empty() {
                        rest += &format!(": {}", short(&found.excerpt, 60));
                    }
                }
                None => rest += &format!("  {}", verdict.reason),
            }
            if let Some(incident) = &verdict.incident {
                rest += &format!("  ({incident})");
            }
            (what, rest)
        }
        Body::Invocation(one) if one.outcome == Outcome::Timeout => ("timeout", one.trigger.clone()),
        Body::Invocation(one) if one.outcome == Outcome::Crashed => ("crashed", one.trigger.clone()),
        // The line above has said it.
        Body::FunctionError(error) if matches!(error.kind.as_str(), "Sandbox.Timedout" | "Runtime.ExitError") => {
            return None;
        }
        Body::FunctionError(error) => ("error", format!("{}: {}", error.kind, short(&error.message, 160))),
        Body::CloudCall(call) if !call.in_fence => {
            let what = if call.allowed { "outside" } else { "denied" };
            (what, format!("{} on {}", call.action, call.resource.as_deref().unwrap_or("?")))
        }
        Body::Egress(egress) if !egress.in_fence => {
            let what = if egress.allowed { "outside" } else { "denied" };
            (what, format!("connection to {}:{}", egress.host, egress.port))
        }
        Body::Log(log) if logs => ("log", short(&log.line, 200)),
        _ => return None,
    };
    let time = records::iso(record.time);
    let time = time.get(11..19).unwrap_or("");
    Some(format!("{time}  {what:12}  {:16}  {}", plain(&record.function), plain(&rest)))
}

fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most { text.to_owned() } else { text.chars().take(most).chain(['…']).collect() }
}

/// Excerpts are an attacker's text: what would move the cursor is shown, not sent.
pub(in crate::commands) fn plain(text: &str) -> String {
    text.chars()
        .flat_map(|letter| if letter.is_control() { letter.escape_debug().collect::<Vec<_>>() } else { vec![letter] })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use records::{Match, Mode, Verdict};

    #[test]
    fn a_verdict_is_one_line_that_cannot_move_the_cursor() {
        let verdict = Verdict {
            mode: Mode::Block,
            action: Action::Refuse,
            trigger: "http-api".into(),
            incident: Some("inc-7".into()),
            reason: String::new(),
            matches: vec![Match {
                rule: "sql-injection".into(),
                field: "body.email".into(),
                excerpt: "' or 1=1\u{1b}[2J\n".into(),
                ..Match::default()
            }],
            records_total: 1,
            records_refused: 1,
            source: None,
        };
        let record = Record::new(1_767_225_600_000, "GetOrder", verdict);
        assert_eq!(
            line(&record, false).unwrap(),
            "00:00:00  refused       GetOrder          http-api  sql-injection in body.email: ' or 1=1\\u{1b}[2J\\n  (inc-7)"
        );
    }
}
