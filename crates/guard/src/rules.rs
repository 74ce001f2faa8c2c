//! Rules in SecLang over the texts of events: each text is an argument with its path for a name, in a request that has nothing else
//! to object to.
//!
//! Deliberately absent: what rules say of requests as such (methods, headers, responses); the gateway runs those.

use records::Match;
use waf::seclang::{Connection, MatchedRule, RuleSet, Transaction};

/// Most bytes of a value or message that are told.
const MAX_SHOWN: usize = 200;

/// What the rules said of one record.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// Whether they deny it.
    pub(crate) denied: bool,
    pub(crate) matches: Vec<Match>,
}

/// A question to the rules on its way.
pub(crate) struct Asked<'r> {
    transaction: Transaction<'r>,
}

impl<'r> Asked<'r> {
    pub(crate) fn new(rules: &'r RuleSet) -> Self {
        let mut transaction = Transaction::new(rules, Connection::default());
        transaction.unique_id(b"event");
        // Rules about protocol find a request as plain as can be.
        transaction.request_line(b"POST /event HTTP/1.1");
        for (name, value) in [
            ("Host", "function.event"),
            ("User-Agent", "event source"),
            ("Accept", "*/*"),
            ("Content-Type", "application/json"),
            ("Content-Length", "0"),
        ] {
            transaction.request_header(name.as_bytes(), value.as_bytes());
        }
        Self { transaction }
    }

    /// One text with its path.
    pub(crate) fn field(&mut self, path: &str, text: &str) {
        self.transaction.path_parameter(path.as_bytes(), text.as_bytes());
    }

    /// What the rules have to say.
    pub(crate) fn answer(mut self) -> Said {
        let stopped = self.transaction.process_request_headers().or_else(|| self.transaction.process_request_body());
        // Sums over everything say that there was something, not what.
        let told = self.transaction.matched().iter().filter(|rule| rule.logged && !is_sum(rule));
        let mut matches: Vec<Match> = told.map(told_as).collect();
        if stopped.is_some() && matches.is_empty() {
            matches.extend(self.transaction.matched().iter().filter(|rule| rule.logged).map(told_as));
        }
        let denied = stopped.is_some();
        if denied && matches.is_empty() {
            let message = "a limit of the rules is exceeded".to_owned();
            let severity = "medium".to_owned();
            matches.push(Match { rule: "seclang-limit".into(), severity, message, ..Match::default() });
        }
        Said { denied, matches }
    }
}

/// Whether a rule only looks at what others have added up.
fn is_sum(rule: &MatchedRule) -> bool {
    rule.field.starts_with(b"TX:")
}

fn told_as(rule: &MatchedRule) -> Match {
    let text =
        |bytes: &[u8]| String::from_utf8_lossy(bytes.get(..bytes.len().min(MAX_SHOWN)).unwrap_or(bytes)).into_owned();
    let field = text(&rule.field);
    let field = field.split_once(':').map_or(field.as_str(), |(_, name)| name).to_owned();
    Match {
        rule: format!("seclang-{}", rule.id),
        family: "seclang".into(),
        severity: match rule.severity {
            Some(0..=2) => "critical",
            Some(3) => "high",
            Some(4) => "medium",
            _ => "low",
        }
        .into(),
        field,
        excerpt: text(&rule.value),
        message: text(&rule.message),
        cwe: None,
    }
}
