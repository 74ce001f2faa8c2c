//! The judgement: an event in, a decision out.

use crate::answer::{self, Answer, Manner};
use crate::line::{FenceError, Line};
use crate::narrow::{Inputs, Knowledge, normal};
use crate::rules;
use crate::schema::shortened;
use events::{Event, Expect, Format, Part, Record, TriggerKind, Whose};
use fence::FunctionFence;
use records::{Match, Mode, Verdict};
use serde_json::Value;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use waf::seclang::RuleSet;
use waf::{Context, Engine, FieldKind};

/// One function's fence, compiled. Inspecting needs no lock and changes nothing.
pub struct Inspector {
    lines: Vec<Line>,
    inputs: Inputs,
    mode: Mode,
    hint: Option<TriggerKind>,
    /// An event without an envelope may come in, so its sender could make one up.
    forgeable: bool,
    /// Rules in SecLang that speak beside the firewall's own.
    rules: Option<Arc<RuleSet>>,
    event_limits: events::Limits,
    text_limits: waf::Limits,
    incidents: Incidents,
}

/// What becomes of an event.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// What the guard does.
    pub action: Action,
    /// What there is to record; its `matches` are empty for an event that nothing was said about.
    pub verdict: Verdict,
    /// The event without the records that were set aside; none where it passes as it came or doesn't pass.
    pub rewritten: Option<Vec<u8>>,
    /// What to answer in the function's place, where nothing of the event passes.
    pub answer: Option<Answer>,
    /// The request's method and path, where it is one.
    pub http: Option<events::Http>,
    /// The lines of the fence that list the event, as labels.
    pub lines: Vec<String>,
}

/// What the guard does with an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// It goes to the function as it came.
    Pass,
    /// It goes nowhere; the caller is told.
    Refuse,
    /// These records go nowhere; the others, if there are any, go to the function.
    SetAside {
        /// Their places in the batch.
        indices: Vec<usize>,
    },
    /// It goes nowhere, and nobody waits for an answer.
    Drop,
}

impl Decision {
    /// The bytes the function gets for an event: as it came, without some records, or nothing.
    pub fn passes<'a>(&'a self, event: &'a [u8]) -> Option<&'a [u8]> {
        match (&self.answer, &self.rewritten) {
            (Some(_), _) => None,
            (None, Some(rewritten)) => Some(rewritten),
            (None, None) => Some(event),
        }
    }

    /// Whether there is anything to record beside the invocation.
    pub fn is_notable(&self) -> bool {
        self.verdict.action != records::Action::Pass || !self.verdict.matches.is_empty()
    }
}

/// Matches a verdict tells at most.
const MAX_MATCHES: usize = 32;
/// Matches in one record beyond which the firewall keeps no more.
const FULL: usize = 256;
/// Different hints in one record that are weighed against each other.
const MAX_HINTS: usize = 200;
/// Ids of records a reason tells at most.
const MAX_IDS: usize = 10;

/// What was found in one record.
#[derive(Default)]
struct Findings {
    own: Vec<Match>,
    /// What rules in SecLang said, and whether they refuse.
    rules: rules::Said,
    injections: Vec<waf::Match>,
}

impl Findings {
    fn add(&mut self, rule: &'static str, severity: &str, field: impl Into<String>, excerpt: String, message: String) {
        self.own.push(Match {
            rule: rule.into(),
            family: "fence".into(),
            severity: severity.into(),
            field: field.into(),
            excerpt,
            message,
            // Improper input validation; incomplete list of allowed inputs is a kind of it.
            cwe: Some(20),
        });
    }

    fn refuses(&self) -> bool {
        if !self.own.is_empty()
            || self.rules.denied
            || self.injections.iter().any(|found| found.confidence >= waf::Confidence::Likely)
        {
            return true;
        }
        // Hints are cheap to write: what compares each with each must not see all of them.
        let mut seen = std::collections::HashSet::new();
        let once = self.injections.iter().filter(|found| seen.insert((found.rule, found.excerpt.as_str())));
        let once: Vec<waf::Match> = once.take(MAX_HINTS + 1).cloned().collect();
        // That many different hints are more than there are families.
        once.len() > MAX_HINTS || waf::refuses(&once) && waf::refuses(&distinct(&once))
    }

    fn into_matches(self) -> impl Iterator<Item = Match> {
        let word = |value: Result<Value, serde_json::Error>| match value {
            Ok(Value::String(word)) => word,
            _ => String::new(),
        };
        self.own.into_iter().chain(self.rules.matches).chain(self.injections.into_iter().map(move |found| Match {
            rule: found.rule.into(),
            family: word(serde_json::to_value(found.family)),
            severity: word(serde_json::to_value(found.severity)),
            field: found.field,
            excerpt: found.excerpt,
            message: found.message.into(),
            cwe: Some(found.cwe),
        }))
    }
}

/// The matches without the hints that tell another's bytes again: a platform shows a path, a query or a cookie in several
/// fields, and one hint seen twice is still one hint.
fn distinct(matches: &[waf::Match]) -> Vec<waf::Match> {
    let repeats = |at: usize, found: &waf::Match| {
        found.confidence == waf::Confidence::Hint
            && matches.iter().enumerate().any(|(other_at, other)| {
                other.rule == found.rule
                    && other_at != at
                    && other.excerpt.contains(&found.excerpt)
                    && (other.excerpt.len() > found.excerpt.len() || other_at < at)
            })
    };
    matches.iter().enumerate().filter(|(at, found)| !repeats(*at, found)).map(|(_, found)| found.clone()).collect()
}

impl Inspector {
    /// Compiles a function's fence. `schemas` are the fence's, which its lines may refer to; `mode` decides, whatever the
    /// fence itself says.
    ///
    /// # Errors
    /// When a line says something nobody could hold: an unknown source or rule, a schema that doesn't compile.
    pub fn new(
        function: &FunctionFence,
        schemas: &BTreeMap<String, Value>,
        mode: Mode,
    ) -> Result<Inspector, FenceError> {
        let lines = function.events.iter().map(|event| Line::new(event, schemas)).collect::<Result<Vec<_>, _>>()?;
        let hint = lines.iter().find(|line| line.is_bare()).map(|line| line.kind);
        let event_limits = events::Limits::default();
        // The walk counts the layers it takes off as depth too.
        let text_limits = waf::Limits { max_depth: event_limits.max_depth + 16, ..waf::Limits::default() };
        Ok(Inspector {
            // A clock's events are told by their envelope unless someone replaced it, and nobody sends those from outside.
            forgeable: lines
                .iter()
                .any(|line| line.is_bare() && line.kind != TriggerKind::Schedule || line.kind.is_cloud_event()),
            hint,
            inputs: Inputs::of(function),
            rules: None,
            lines,
            mode,
            event_limits,
            text_limits,
            incidents: Incidents::default(),
        })
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(self, event_limits: events::Limits, text_limits: waf::Limits) -> Inspector {
        Inspector { event_limits, text_limits, ..self }
    }

    /// The same with rules in SecLang, such as the Core Rule Set, which see every text of a record under its path and refuse the
    /// record where they would deny a request.
    #[must_use]
    pub fn with_rules(self, rules: Arc<RuleSet>) -> Inspector {
        Inspector { rules: Some(rules), ..self }
    }

    /// Builds the rules all inspectors share, which otherwise happens at the first event. It takes some milliseconds, and any
    /// thread may spend them while something else starts.
    pub fn prepare() {
        Engine::shared();
    }

    /// Whether it acts or only looks.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// How much of an event is read.
    pub fn limits(&self) -> events::Limits {
        self.event_limits
    }

    /// Judges one event, in the order: can it be read, does the fence list it, does its body have the shape, is anything in it
    /// a command to somebody.
    pub fn inspect(&self, bytes: &[u8]) -> Decision {
        let event = match events::decode(bytes, self.hint, &self.event_limits) {
            Ok(event) => event,
            Err(error) => return self.unreadable(bytes, &error.to_string()),
        };
        self.weigh(&event, bytes)
    }

    /// Judges a request that a server read off the wire: one of HTTP, or a CloudEvent.
    pub fn inspect_request(&self, request: &events::Request<'_>) -> Decision {
        let pushed = self.lines.iter().any(|line| line.kind == TriggerKind::PubSub);
        match request.read(pushed, &self.event_limits) {
            Ok(event) => self.weigh(&event, &[]),
            Err(error) => self.unreadable(request.body, &error.to_string()),
        }
    }

    /// Judges what Azure's host hands a custom handler for `function`; none where it is no envelope of the host's.
    pub fn inspect_envelope(&self, function: &str, bytes: &[u8]) -> Option<Decision> {
        match events::azure_envelope(function, bytes, &self.event_limits) {
            Ok(event) => event.map(|event| self.weigh(&event, &[])),
            Err(error) => Some(self.unreadable(bytes, &error.to_string())),
        }
    }

    /// Whether a line lists plain requests like this one.
    pub(crate) fn lists_request(&self, method: &str, path: &str) -> bool {
        self.lines.iter().any(|line| line.lists_plain(method, path))
    }

    fn weigh(&self, event: &Event, bytes: &[u8]) -> Decision {
        let mut budget = Budget::new(self.text_limits, event.records.len());
        let mut around = Findings::default();
        let knowledge = Knowledge { inputs: &self.inputs, body: None };
        self.look(&event.parts, knowledge, &mut budget, &mut around);
        let mut matches: Vec<Match> = Vec::new();
        let mut refused = Vec::new();
        let mut labels: Vec<String> = Vec::new();
        let total = event.records.len();
        let all = around.refuses();
        matches.extend(around.into_matches().take(MAX_MATCHES));
        for record in &event.records {
            let mut findings = Findings::default();
            budget.next_record();
            if let Some(line) = self.judge(event, record, &mut budget, &mut findings)
                && !labels.contains(&line.label)
            {
                labels.push(line.label.clone());
            }
            if all || findings.refuses() {
                refused.push(record.index);
            }
            matches.extend(findings.into_matches().take(MAX_MATCHES.saturating_sub(matches.len())));
        }
        let reason = reason(&matches, &refused, event);
        let mut decision = Decision {
            action: Action::Pass,
            verdict: Verdict {
                mode: self.mode,
                action: records::Action::Pass,
                trigger: event.kind.name().into(),
                incident: None,
                reason,
                matches,
                records_total: total.try_into().unwrap_or(u32::MAX),
                records_refused: refused.len().try_into().unwrap_or(u32::MAX),
                source: event.source.as_deref().map(|source| shortened(source, 200)),
            },
            rewritten: None,
            answer: None,
            http: event.http.clone(),
            lines: labels,
        };
        if refused.is_empty() {
            return decision;
        }
        let incident = self.incidents.next();
        if self.mode == Mode::Observe {
            decision.verdict.action = records::Action::WouldRefuse;
        } else {
            self.stop(&mut decision, event, bytes, refused, &incident);
        }
        decision.verdict.incident = Some(incident);
        decision
    }

    /// Takes the refused records out, or everything where nothing is left or nothing can be taken out.
    fn stop(&self, decision: &mut Decision, event: &Event, bytes: &[u8], refused: Vec<usize>, incident: &str) {
        let some_pass = refused.len() < event.records.len();
        if some_pass && event.kind != TriggerKind::Firehose {
            decision.rewritten = event.without(bytes, &refused);
            if decision.rewritten.is_some() {
                decision.verdict.action = records::Action::SetAside;
                decision.action = Action::SetAside { indices: refused };
                return;
            }
        }
        let (manner, answer) = answer::answer(event, incident, &refused);
        decision.answer = Some(answer);
        (decision.verdict.action, decision.action) = match manner {
            Manner::Refuse => (records::Action::Refuse, Action::Refuse),
            Manner::Drop => (records::Action::Drop, Action::Drop),
            Manner::SetAside => (records::Action::SetAside, Action::SetAside { indices: refused }),
        };
    }

    fn unreadable(&self, bytes: &[u8], why: &str) -> Decision {
        let incident = self.incidents.next();
        let kinds: Vec<TriggerKind> = self.lines.iter().map(|line| line.kind).collect();
        let (manner, answer) = answer::answer_unreadable(&kinds, &incident);
        let block = self.mode == Mode::Block;
        let (said, action) = match manner {
            _ if !block => (records::Action::WouldRefuse, Action::Pass),
            Manner::Drop => (records::Action::Drop, Action::Drop),
            Manner::Refuse | Manner::SetAside => (records::Action::Refuse, Action::Refuse),
        };
        let beginning = bytes.get(..bytes.len().min(200)).unwrap_or_default();
        let mut findings = Findings::default();
        findings.add(
            "unreadable",
            "medium",
            "event",
            shortened(&String::from_utf8_lossy(beginning), 80),
            why.to_owned(),
        );
        Decision {
            action,
            verdict: Verdict {
                mode: self.mode,
                action: said,
                trigger: match kinds.as_slice() {
                    [kind] => kind.name().into(),
                    _ => TriggerKind::Other.name().into(),
                },
                incident: Some(incident),
                reason: format!("the event could not be read: {why}"),
                matches: findings.into_matches().collect(),
                records_total: 1,
                records_refused: 1,
                source: None,
            },
            rewritten: None,
            answer: block.then_some(answer),
            http: None,
            lines: Vec::new(),
        }
    }

    /// One record against the fence. Gives back the line it met.
    fn judge(&self, event: &Event, record: &Record, budget: &mut Budget, findings: &mut Findings) -> Option<&Line> {
        let mut listed: Vec<&Line> = self.lines.iter().filter(|line| line.lists(event)).collect();
        // A line for CloudEvents of any kind doesn't loosen the one for this kind.
        if event.kind.is_cloud_event() && self.lines.iter().any(|line| line.kind == event.kind) {
            listed.retain(|line| line.kind == event.kind);
        }
        let field = whole(record);
        if listed.is_empty() {
            let (shown, message) = self.unlisted(event);
            findings.add("fence-unlisted-event", "high", field, shown, message);
            return None;
        }
        let named: Vec<&Line> = listed.into_iter().filter(|line| line.names(event, record)).collect();
        if named.is_empty() {
            let source = record.source.as_deref().or(event.source.as_deref()).unwrap_or("nobody");
            let message = format!("the fence lists {} events, but not from this source", event.kind.name());
            findings.add("fence-unlisted-source", "high", field, shortened(source, 80), message);
            return None;
        }
        let shaped = findings.own.len();
        let line = self.shape(&named, record, findings)?;
        let met = findings.own.len() == shaped;
        if let Some(problem) = &record.problem {
            findings.add("unreadable", "medium", problem.path.clone(), String::new(), problem.what.clone());
        }
        // A schema that wasn't met, or that this line allows to be broken, says nothing of what is there.
        let schema = line.schema.as_ref().filter(|_| met && !line.allow.iter().any(|allowed| allowed == "schema"));
        let path = normal(record.body.path());
        let body = schema.map(|schema| (path.as_str(), &schema.kinds));
        self.look(&record.parts, Knowledge { inputs: &self.inputs, body }, budget, findings);
        findings.own.retain(|found| !line.allow.contains(&found.rule));
        findings.injections.retain(|found| !line.allow.iter().any(|allowed| allowed == found.rule));
        Some(line)
    }

    fn unlisted(&self, event: &Event) -> (String, String) {
        let kind = event.kind.name();
        match &event.http {
            Some(http) => {
                let request = format!("{} {}", http.method, http.path);
                (shortened(&request, 80), format!("the fence lists no such request for this function ({kind})"))
            }
            None => (kind.to_owned(), format!("the fence lists no {kind} event for this function")),
        }
    }

    /// The first of the lines whose schema the record's body meets; none, with the violations of the first, where it meets
    /// none of them.
    fn shape<'a>(&self, lines: &[&'a Line], record: &Record, findings: &mut Findings) -> Option<&'a Line> {
        let first = *lines.first()?;
        if let Some(free) = lines.iter().find(|line| line.schema.is_none()) {
            // Where one line asks for a shape and another for none, none is asked for; the narrower one still goes first.
            let narrow = lines.iter().find(|line| line.schema.is_some() && self.violations(line, record).is_empty());
            return Some(narrow.copied().unwrap_or(free));
        }
        let mut wrong = None;
        for line in lines {
            let violations = self.violations(line, record);
            if violations.is_empty() {
                return Some(line);
            }
            wrong.get_or_insert(violations);
        }
        findings.own.extend(wrong.into_iter().flatten());
        // The other checks still run: a verdict that also names the injection is worth more.
        Some(first)
    }

    /// Where a record's body isn't what a line's schema asks for.
    fn violations(&self, line: &Line, record: &Record) -> Vec<Match> {
        let Some(schema) = &line.schema else { return Vec::new() };
        let delivers = matches!(
            line.kind,
            TriggerKind::Sqs | TriggerKind::Sns | TriggerKind::Kinesis | TriggerKind::Firehose | TriggerKind::Kafka
        );
        let depth = self.event_limits.max_depth;
        let mut findings = Findings::default();
        match record.body.read(&record.parts, depth) {
            Err(problem) => findings.add("schema", "medium", problem.path, String::new(), problem.what),
            Ok((path, body)) => {
                let wrong = schema.violations(&body);
                // Only where other services deliver is their envelope around what was meant.
                let inner = || {
                    delivers
                        && events::unwrapped(&body, depth)
                            .is_some_and(|(_, inner)| schema.violations(&inner).is_empty())
                };
                if !wrong.is_empty() && !inner() {
                    for violation in wrong {
                        let field = format!("{path}{}", violation.path);
                        findings.add("schema", "medium", field, violation.excerpt, violation.expected);
                    }
                }
            }
        }
        if line.allow.iter().any(|allowed| allowed == "schema") { Vec::new() } else { findings.own }
    }

    /// Looks through fields with all rules there are.
    fn look(&self, parts: &[Part], knowledge: Knowledge<'_>, budget: &mut Budget, findings: &mut Findings) {
        let Some(set) = self.rules.as_deref() else {
            return self.parts(parts, knowledge, budget, findings, None);
        };
        let mut asked = rules::Asked::new(set);
        self.parts(parts, knowledge, budget, findings, Some(&mut asked));
        findings.rules = asked.answer();
    }

    /// Looks through fields: the platform's for what the platform never writes, the sender's for commands to somebody.
    fn parts(
        &self,
        parts: &[Part],
        knowledge: Knowledge<'_>,
        budget: &mut Budget,
        findings: &mut Findings,
        mut asked: Option<&mut rules::Asked<'_>>,
    ) {
        let blank = knowledge.is_empty();
        for part in parts {
            let kind = match part.whose {
                Whose::Platform(Format::Any) if !self.forgeable => FieldKind::Envelope,
                Whose::Platform(Format::Any) => FieldKind::Unknown,
                Whose::Platform(format) => {
                    if !format.admits(&part.value) {
                        let message =
                            format!("the platform writes {} here, and never anything else", format.expected());
                        let excerpt = match &part.value {
                            Value::String(text) => shortened(text, 80),
                            other => shortened(&other.to_string(), 80),
                        };
                        findings.add("envelope-shape", "high", part.path.clone(), excerpt, message);
                    }
                    continue;
                }
                Whose::Caller(Expect::Anything) => FieldKind::Unknown,
                Whose::Caller(Expect::Header) => FieldKind::Header,
                Whose::Caller(Expect::Form) => FieldKind::Form,
                Whose::Caller(Expect::ObjectKey) => FieldKind::ObjectKey,
            };
            let context = Context::of(kind);
            let before = findings.injections.len();
            let of_path = |path: &str| if blank { context } else { knowledge.narrow(path, context) };
            let (engine, limits, found) = (Engine::shared(), budget.left(), &mut findings.injections);
            let walked = match &mut asked {
                None => engine.walk(&part.path, &part.value, &limits, &of_path, found),
                Some(asked) => {
                    let mut hear = |path: &str, text: &str| asked.field(path, text);
                    engine.walk_telling(&part.path, &part.value, &limits, &of_path, found, &mut hear)
                }
            };
            match walked {
                Ok(work) => {
                    budget.spend(work);
                    if findings.injections.len() >= FULL {
                        // What was written behind the last that was kept may be the one that matters.
                        let message = "so much in it looks like an attack that not all of it was weighed";
                        findings.add("unreadable", "high", part.path.clone(), String::new(), message.to_owned());
                        return;
                    }
                }
                Err(exceeded) => {
                    budget.spent();
                    findings.add("unreadable", "medium", exceeded.path.clone(), String::new(), exceeded.to_string());
                    return;
                }
            }
            if part.path.is_empty() {
                // Steps below the event itself: `.detail` is `detail`.
                for found in findings.injections.iter_mut().skip(before).filter(|found| found.field.starts_with('.')) {
                    found.field.remove(0);
                }
            }
        }
    }
}

/// Where a whole record stands, rather than one of its fields.
fn whole(record: &Record) -> String {
    let path = record.body.path();
    path.find("].").and_then(|end| path.get(..=end)).unwrap_or("event").to_owned()
}

/// The work one event may cause, over all its fields and records. A part of it is kept for each record that is still to come: a
/// sender whose message takes all it can get leaves the others of the batch at least half.
struct Budget {
    limits: waf::Limits,
    share: waf::Limits,
    to_come: usize,
}

impl Budget {
    fn new(limits: waf::Limits, records: usize) -> Budget {
        let parts = records.saturating_add(1).saturating_mul(2);
        let share = waf::Limits {
            max_bytes: limits.max_bytes / parts,
            max_leaves: limits.max_leaves / parts,
            max_decodings: limits.max_decodings / parts,
            ..limits
        };
        Budget { limits, share, to_come: records }
    }

    fn next_record(&mut self) {
        self.to_come = self.to_come.saturating_sub(1);
    }

    fn kept(&self) -> waf::Limits {
        waf::Limits {
            max_bytes: self.share.max_bytes.saturating_mul(self.to_come),
            max_leaves: self.share.max_leaves.saturating_mul(self.to_come),
            max_decodings: self.share.max_decodings.saturating_mul(self.to_come),
            ..self.limits
        }
    }

    fn left(&self) -> waf::Limits {
        let kept = self.kept();
        waf::Limits {
            max_bytes: self.limits.max_bytes.saturating_sub(kept.max_bytes),
            max_leaves: self.limits.max_leaves.saturating_sub(kept.max_leaves),
            max_decodings: self.limits.max_decodings.saturating_sub(kept.max_decodings),
            ..self.limits
        }
    }

    fn spend(&mut self, work: waf::Work) {
        self.limits.max_bytes = self.limits.max_bytes.saturating_sub(work.bytes);
        self.limits.max_leaves = self.limits.max_leaves.saturating_sub(work.leaves);
        self.limits.max_decodings = self.limits.max_decodings.saturating_sub(work.decodings);
    }

    /// How much a walk that was stopped has cost isn't known, so it has cost all that wasn't kept.
    fn spent(&mut self) {
        self.limits = self.kept();
    }
}

fn reason(matches: &[Match], refused: &[usize], event: &Event) -> String {
    // The first that counts: a hint alone refuses nothing, but is worth telling.
    let rank = |found: &&Match| {
        ["critical", "high", "medium", "low"].iter().position(|word| *word == found.severity).unwrap_or(9)
    };
    let Some(worst) = matches.iter().min_by_key(rank) else { return String::new() };
    let mut text = format!("{} at {}: {}", worst.rule, shortened(&worst.field, 200), shortened(&worst.message, 300));
    if !refused.is_empty() && event.records.len() > 1 {
        let ids = event.records.iter().filter(|record| refused.contains(&record.index)).take(MAX_IDS);
        let ids: Vec<String> = ids.map(|record| shortened(record.id.as_deref().unwrap_or("without id"), 60)).collect();
        let more = if refused.len() > MAX_IDS { ", …" } else { "" };
        text.push_str(&format!("; {} of {} records: {}{more}", refused.len(), event.records.len(), ids.join(", ")));
    }
    text
}

/// Ids nobody can guess the next of: `rf-` and sixteen hexadecimal digits.
struct Incidents {
    state: RandomState,
    count: AtomicU64,
}

impl Default for Incidents {
    fn default() -> Self {
        Self { state: RandomState::new(), count: AtomicU64::new(0) }
    }
}

impl Incidents {
    fn next(&self) -> String {
        let mut hasher = self.state.build_hasher();
        hasher.write_u64(self.count.fetch_add(1, Ordering::Relaxed));
        // After a restore from a snapshot the keys are those of every other copy; the time is not.
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        hasher.write_u128(now.as_nanos());
        format!("rf-{:016x}", hasher.finish())
    }
}
