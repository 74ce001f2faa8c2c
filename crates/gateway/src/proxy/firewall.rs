//! What the proxy asks about a request: rules in SecLang, and the fences of the functions behind.

use crate::Incoming;
use serde_json::{Value as Json, json};
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use waf::seclang::{Intervention, MatchedRule, MemoryCollections, RuleSet, Transaction};

/// Most records of `initcol` collections (clients, sessions) that are kept in memory.
const MAX_COLLECTIONS: usize = 100_000;

/// Whether the proxy acts on what it sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// What is refused goes nowhere.
    #[default]
    Block,
    /// Everything goes on; the log tells what would have been refused.
    Observe,
}

/// What the fences say of a request.
#[derive(Debug, Clone, Default)]
pub struct Judgement {
    /// Whether it is to be refused.
    pub refuse: bool,
    /// The function it is for, where a route says so.
    pub function: Option<String>,
    /// Everything that was found in it.
    pub matches: Vec<records::Match>,
    /// A number to quote, where it is refused.
    pub incident: Option<String>,
}

/// Whoever knows the fences; the program wires it to the guard.
pub trait Fences: Send + Sync + 'static {
    /// Judges a request; `path` is its target without the query, as sent.
    fn judge(&self, request: &Incoming, path: &str) -> Judgement;
}

/// Rules and fences in front of functions.
pub struct Firewall {
    rules: Option<RuleSet>,
    collections: MemoryCollections,
    fences: Option<Arc<dyn Fences>>,
    pub(super) mode: Mode,
}

impl std::fmt::Debug for Firewall {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Firewall({} rules)", self.rules.as_ref().map_or(0, RuleSet::len))
    }
}

impl Firewall {
    /// A firewall of rules, fences, or both. In [`Mode::Observe`] the rules should be compiled with `SecRuleEngine DetectionOnly`,
    /// or the first that denies ends what they see.
    pub fn new(rules: Option<RuleSet>, fences: Option<Arc<dyn Fences>>, mode: Mode) -> Self {
        Self { rules, collections: MemoryCollections::new(MAX_COLLECTIONS), fences, mode }
    }

    pub(super) fn rules(&self) -> Option<&RuleSet> {
        self.rules.as_ref()
    }

    pub(super) fn collections(&self) -> &MemoryCollections {
        &self.collections
    }

    pub(super) fn judge(&self, request: &Incoming, path: &str) -> Judgement {
        self.fences.as_ref().map(|fences| fences.judge(request, path)).unwrap_or_default()
    }

    pub(super) fn has_fences(&self) -> bool {
        self.fences.is_some()
    }
}

/// Where the log goes: a line of JSON for every request, written whole before its answer is.
pub struct Log {
    out: Mutex<Box<dyn Write + Send>>,
    redact: bool,
}

impl std::fmt::Debug for Log {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Log")
    }
}

impl Log {
    /// A log into a file, a pipe or a buffer. With `redact`, it tells where something was found but not what.
    pub fn new(out: Box<dyn Write + Send>, redact: bool) -> Self {
        Self { out: Mutex::new(out), redact }
    }

    /// Writes a line.
    ///
    /// # Errors
    /// When it can't be written: the request it tells of must then be refused.
    pub(super) fn write(&self, line: &Line<'_>) -> std::io::Result<()> {
        let mut bytes = serde_json::to_vec(&line.json(self.redact))?;
        bytes.push(b'\n');
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        out.write_all(&bytes)?;
        out.flush()
    }
}

/// What is told of one request.
pub(super) struct Line<'a> {
    pub(super) time: i64,
    pub(super) request_id: &'a [u8],
    pub(super) method: &'a [u8],
    pub(super) target: &'a [u8],
    pub(super) peer: std::net::IpAddr,
    pub(super) status: u16,
    pub(super) action: &'static str,
    pub(super) why: Option<&'a str>,
    pub(super) transaction: Option<&'a Transaction<'a>>,
    pub(super) judgement: &'a Judgement,
    pub(super) microseconds: u64,
}

impl Line<'_> {
    fn json(&self, redact: bool) -> Json {
        let text = |bytes: &[u8]| shown(bytes.get(..bytes.len().min(2000)).unwrap_or(bytes));
        let target = match redact {
            true => text(self.target.split(|byte| *byte == b'?').next().unwrap_or_default()),
            false => text(self.target),
        };
        let logged: Vec<&MatchedRule> = self
            .transaction
            .map(|found| found.matched().iter().filter(|rule| rule.logged).collect())
            .unwrap_or_default();
        let details: Vec<Json> = logged
            .iter()
            .map(|rule| {
                let mut detail = json!({
                    "id": rule.id,
                    "msg": text(&rule.message),
                    "field": text(&rule.field),
                    "severity": rule.severity,
                });
                if !redact && let Some(object) = detail.as_object_mut() {
                    object.insert("data".into(), text(&rule.data).into());
                    object.insert("value".into(), text(&rule.value).into());
                }
                detail
            })
            .collect();
        let score = self
            .transaction
            .and_then(|found| found.variable("blocking_inbound_anomaly_score"))
            .and_then(|score| std::str::from_utf8(&score).ok()?.parse::<i64>().ok());
        let own: Vec<Json> = self
            .judgement
            .matches
            .iter()
            .map(|found| {
                json!({
                    "rule": found.rule,
                    "family": found.family,
                    "severity": found.severity,
                    "field": found.field,
                    "excerpt": if redact { "" } else { found.excerpt.as_str() },
                    "message": found.message,
                    "cwe": found.cwe,
                })
            })
            .collect();
        json!({
            "time": self.time,
            "request_id": text(self.request_id),
            "peer": self.peer.to_string(),
            "method": text(self.method),
            "target": target,
            "status": self.status,
            "action": self.action,
            "why": self.why,
            "score": score,
            "matched": logged.iter().map(|rule| rule.id).collect::<Vec<_>>(),
            "details": details,
            "function": self.judgement.function,
            "incident": self.judgement.incident,
            "fence": own,
            "inspection_us": self.microseconds,
        })
    }
}

/// What was sent, for a line of a log: control characters escaped, so that nobody writes lines of their own (CWE-117).
fn shown(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(bytes.len());
    for character in String::from_utf8_lossy(bytes).chars() {
        match character.is_control() {
            // Writing to a string can't fail.
            true => drop(write!(out, "\\x{:02x}", u32::from(character))),
            false => out.push(character),
        }
    }
    out
}

/// Why a request is refused by rules.
pub(super) fn because(intervention: &Intervention) -> String {
    match intervention.rule {
        0 => "a limit of the firewall is exceeded".to_owned(),
        rule => format!("rule {rule}"),
    }
}
