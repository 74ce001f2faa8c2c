//! The search: from every way in, through what functions hand on to each other and what attackers can do with a function that runs
//! their code, to what is lost there. Breadth first, the widest ways in first, each function once for each kind of control.

use super::loss::{self, Loss, and};
use super::start::{Entry, entries, named};
use super::weakness::{Gives, carries, flow, gives, reads_files};
use super::{escalate, head_of};
use findings::{AttackPath, Confidence, Finding, PathStep, Severity};
use graph::{Application, Exposure, Function, TriggerKind};
use iam::{Access, Escalation, Matter, Reach, Verb};
use source::{Sources, Span};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Steps of loss that one path tells.
const MAX_LOSSES: usize = 6;
/// Functions that one path leads through.
const MAX_FUNCTIONS: usize = 6;

/// A function under some control, and how it came to that.
#[derive(Debug, Clone)]
struct State<'a> {
    function: &'a Function,
    /// What it is handed, or that it runs the attacker's code.
    control: Control<'a>,
    exposure: Exposure,
    who: String,
    steps: Vec<PathStep>,
    functions: Vec<String>,
    /// Whether nothing on the way is only likely.
    certain: bool,
    /// Whether it came here by replacing the function's code: then it is one of many, and told with them.
    replaced: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Control<'a> {
    /// The attacker writes what it is handed.
    Input(TriggerKind),
    /// The attacker writes what it reads from this store.
    Stored(&'a str),
    /// The attacker's code runs in it.
    Code,
}

pub(super) struct Stories<'a> {
    application: &'a Application,
    findings: &'a [Finding],
    ways: &'a [Escalation],
    sources: &'a Sources,
    /// What each role may do, worked out when somebody gets there.
    access: BTreeMap<String, Vec<Access>>,
    /// Which functions a resource feeds.
    feeds: BTreeMap<&'a str, Vec<(&'a str, TriggerKind)>>,
    weak: BTreeMap<&'a str, Vec<(Gives, &'a Finding)>>,
    /// Which functions have a weakness towards what a store holds.
    readers: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

impl<'a> Stories<'a> {
    pub(super) fn new(
        application: &'a Application,
        findings: &'a [Finding],
        ways: &'a [Escalation],
        sources: &'a Sources,
    ) -> Self {
        let mut feeds: BTreeMap<&str, Vec<(&str, TriggerKind)>> = BTreeMap::new();
        for trigger in &application.triggers {
            if let Some(source) = trigger.source.as_ref().and_then(|value| named(application, value)) {
                feeds.entry(source).or_default().push((trigger.function.as_str(), trigger.kind));
            }
        }
        let mut weak: BTreeMap<&str, Vec<(Gives, &Finding)>> = BTreeMap::new();
        for finding in findings {
            // What the audit itself calls a trifle here is no step of a path.
            if let (Some(function), Some(gives)) = (&finding.function, gives(finding))
                && finding.severity >= Severity::Medium
            {
                weak.entry(function.as_str()).or_default().push((gives, finding));
            }
        }
        for known in weak.values_mut() {
            known.sort_by_key(|(_, finding)| std::cmp::Reverse((finding.severity, finding.confidence)));
        }
        let mut readers: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for function in &application.functions {
            let Some(behaviour) = &function.behaviour else { continue };
            for (_, finding) in weak.get(function.name.as_str()).into_iter().flatten() {
                let store = flow(behaviour, finding).and_then(|flow| store_of(&flow.source));
                if let Some(store) = store.and_then(|name| application.resource(name)) {
                    readers.entry(&store.name).or_default().insert(&function.name);
                }
            }
        }
        Self { application, findings, ways, sources, access: BTreeMap::new(), feeds, weak, readers }
    }

    pub(super) fn tell(mut self) -> Vec<AttackPath> {
        let mut paths: BTreeMap<(String, Gives), AttackPath> = BTreeMap::new();
        let mut open = Vec::new();
        let mut replaced: BTreeMap<Vec<String>, Vec<(State<'a>, Vec<Loss>)>> = BTreeMap::new();
        let mut seen: BTreeSet<(&str, Control<'_>)> = BTreeSet::new();
        let mut starts: Vec<(&Function, Entry)> = self
            .application
            .functions
            .iter()
            .flat_map(|function| {
                entries(self.application, function, self.findings).into_iter().map(move |entry| (function, entry))
            })
            .collect();
        starts.sort_by_key(|(_, entry)| std::cmp::Reverse(entry.exposure));
        let mut told_open: BTreeSet<&str> = BTreeSet::new();
        for (function, entry) in &starts {
            if entry.open && told_open.insert(&function.name) {
                open.extend(self.open(function, entry));
            }
        }
        let mut starts = starts.into_iter().peekable();
        // One round for each kind of start, so that no short way of a signed-in user hides a longer one of anyone.
        while let Some(exposure) = starts.peek().map(|(_, entry)| entry.exposure) {
            let mut queue = VecDeque::new();
            while let Some((function, entry)) = starts.next_if(|(_, entry)| entry.exposure == exposure) {
                queue.push_back(State {
                    function,
                    control: Control::Input(entry.kind),
                    exposure,
                    who: entry.who,
                    steps: vec![entry.step],
                    functions: vec![function.name.clone()],
                    certain: true,
                    replaced: false,
                });
            }
            while let Some(state) = queue.pop_front() {
                if !seen.insert((&state.function.name, state.control)) {
                    continue;
                }
                queue.extend(self.next(&state));
                if state.replaced {
                    let losses = loss::of_role(&self.role(state.function));
                    replaced
                        .entry(state.functions.iter().rev().skip(1).rev().cloned().collect())
                        .or_default()
                        .push((state, losses));
                    continue;
                }
                for (gives, path) in self.losses(&state) {
                    paths.entry((state.function.name.clone(), gives)).or_insert(path);
                }
            }
        }
        let code: BTreeSet<String> =
            paths.keys().filter(|(_, gives)| *gives == Gives::Code).map(|(function, _)| function.clone()).collect();
        // Who runs code in a function has no need of its lesser weaknesses.
        paths.retain(|(function, gives), _| *gives == Gives::Code || !code.contains(function));
        open.retain(|path: &AttackPath| !path.functions.iter().any(|function| code.contains(function)));
        let onwards: Vec<AttackPath> = replaced.into_values().filter_map(|states| self.onwards(states)).collect();
        paths.into_values().chain(open).chain(onwards).filter(|path| path.severity >= Severity::Medium).collect()
    }

    /// One path for all functions whose code is replaced from the same place.
    fn onwards(&self, states: Vec<(State<'a>, Vec<Loss>)>) -> Option<AttackPath> {
        let (first, _) = states.first()?;
        let mut losses: Vec<(&str, &Loss)> = Vec::new();
        let sorted = {
            let all = states
                .iter()
                .flat_map(|(state, losses)| losses.iter().map(move |loss| (state.function.name.as_str(), loss)));
            let mut all: Vec<(&str, &Loss)> = all.filter(|(_, loss)| loss.weight > 1).collect();
            all.sort_by_key(|(_, loss)| std::cmp::Reverse(loss.weight));
            all
        };
        for (function, loss) in sorted {
            if !losses.iter().any(|(_, known)| known.short == loss.short) {
                losses.push((function, loss));
            }
        }
        let (last, before) = first.steps.split_last()?;
        let from = first.functions.iter().rev().nth(1)?;
        let names: Vec<String> = states.iter().map(|(state, _)| format!("`{}`", state.function.name)).collect();
        let listed = match names.as_slice() {
            [one] => one.clone(),
            [one, two] => format!("{one} and {two}"),
            [one, two, rest @ ..] => format!("{one}, {two} and {} more", rest.len()),
            [] => return None,
        };
        let mut steps = before.to_vec();
        let role =
            self.application.function(from).and_then(|function| function.identity.as_deref()).unwrap_or_default();
        steps.push(PathStep { what: format!("the role `{role}` replaces the code of {listed}"), ..last.clone() });
        steps.extend(losses.iter().take(MAX_LOSSES).map(|(function, loss)| PathStep {
            what: format!("the role of `{function}` can {}", loss.words),
            node: loss.node.clone(),
            span: loss.span.and_then(|span| head_of(self.sources, span)),
            finding: None,
        }));
        let short: Vec<&str> = losses.iter().take(3).map(|(_, loss)| loss.short.as_str()).collect();
        let mut title = format!("{} can replace the code of {listed} from within `{from}`", first.who);
        if !short.is_empty() {
            title.push_str(&format!(", and with their roles {}", and(&short)));
        }
        let worst = losses.first().map_or(0, |(_, loss)| loss.weight);
        Some(AttackPath {
            id: "code-replacement",
            severity: severity(Gives::Code, first.exposure, worst, first.certain),
            title,
            functions: first
                .functions
                .iter()
                .rev()
                .skip(1)
                .rev()
                .cloned()
                .chain(states.iter().map(|(state, _)| state.function.name.clone()))
                .collect(),
            steps,
        })
    }

    fn role(&mut self, function: &Function) -> Vec<Access> {
        let Some(identity) = self.application.identity_of(function) else { return Vec::new() };
        if let Some(known) = self.access.get(&identity.name) {
            return known.clone();
        }
        let permissions = iam::Permissions::of(self.application, identity);
        let found = iam::access(self.application, &permissions);
        self.access.insert(identity.name.clone(), found.clone());
        found
    }

    /// The weaknesses of a function that what it is handed leads to.
    fn weaknesses(&self, state: &State<'a>) -> Vec<(Gives, &'a Finding)> {
        if state.control == Control::Code {
            return Vec::new();
        }
        let known = self.weak.get(state.function.name.as_str()).map_or(&[][..], Vec::as_slice);
        known
            .iter()
            .filter(|(_, finding)| {
                let source = state
                    .function
                    .behaviour
                    .as_ref()
                    .and_then(|behaviour| flow(behaviour, finding))
                    .map(|flow| &flow.source);
                match (state.control, source) {
                    (Control::Stored(name), Some(source)) => store_of(source) == Some(name),
                    (Control::Stored(_) | Control::Code, _) => false,
                    (Control::Input(_), None) => true,
                    (Control::Input(kind), Some(source)) => store_of(source).is_none() && carries(kind, source),
                }
            })
            .copied()
            .collect()
    }

    /// Where one gets from here.
    fn next(&mut self, state: &State<'a>) -> Vec<State<'a>> {
        let mut found = Vec::new();
        if state.functions.len() > MAX_FUNCTIONS {
            return found;
        }
        let known = self.weaknesses(state);
        if let Some((_, finding)) = known.iter().find(|(gives, _)| *gives == Gives::Code) {
            let places = known.iter().filter(|(gives, _)| *gives == Gives::Code).count();
            let mut what = format!("`{}` runs it as code: {}", state.function.name, finding.title);
            if places > 1 {
                what.push_str(&format!(" (and {} more such places)", places - 1));
            }
            found.push(State {
                control: Control::Code,
                ..self.with(
                    state,
                    state.function,
                    step(&what, state.function, finding),
                    finding.confidence > Confidence::Low,
                )
            });
        }
        match state.control {
            Control::Input(_) => self.hands_on(state, &mut found),
            // What it makes of a stored text is anyone's guess.
            Control::Stored(_) => {}
            Control::Code => self.acts(state, &mut found),
        }
        found
    }

    fn with(&self, state: &State<'a>, function: &'a Function, step: PathStep, certain: bool) -> State<'a> {
        let mut next = state.clone();
        next.steps.push(step);
        if next.functions.last() != Some(&function.name) {
            next.functions.push(function.name.clone());
        }
        next.function = function;
        next.replaced = false;
        next.certain &= certain;
        next
    }

    /// What the code of a function itself puts where other functions read it.
    fn hands_on(&self, state: &State<'a>, found: &mut Vec<State<'a>>) {
        for call in state.function.behaviour.iter().flat_map(|behaviour| &behaviour.calls) {
            let sends = |action: &String| {
                matches!(
                    action.as_str(),
                    "sqs:SendMessage"
                        | "sns:Publish"
                        | "kinesis:PutRecord"
                        | "kinesis:PutRecords"
                        | "events:PutEvents"
                        | "s3:PutObject"
                        | "dynamodb:PutItem"
                        | "dynamodb:UpdateItem"
                        | "dynamodb:BatchWriteItem"
                        | "firehose:PutRecord"
                )
            };
            let invokes = call.actions.iter().any(|action| action == "lambda:InvokeFunction");
            if !invokes && !call.actions.iter().any(sends) {
                continue;
            }
            let Some(target) = call.target.resolve(&state.function.environment) else { continue };
            let fed: Vec<(&str, TriggerKind, String)> = match invokes {
                true => self
                    .callee(&target)
                    .map(|name| {
                        (name, TriggerKind::Function, format!("`{}` starts `{name}` with it", state.function.name))
                    })
                    .into_iter()
                    .collect(),
                false => named(self.application, &target)
                    .into_iter()
                    .flat_map(|resource| {
                        let readers = self.feeds.get(resource).map_or(&[][..], Vec::as_slice);
                        readers.iter().map(move |(name, kind)| {
                            (
                                *name,
                                *kind,
                                format!("`{}` hands it on to `{resource}`, which feeds `{name}`", state.function.name),
                            )
                        })
                    })
                    .collect(),
            };
            for (name, kind, what) in fed {
                let Some(function) = self.application.function(name).filter(|next| next.name != state.function.name)
                else {
                    continue;
                };
                let step = PathStep { what, node: Some(name.to_string()), span: Some(call.span), finding: None };
                // What one function calls another with is its input; what it puts into a queue may be anything.
                found.push(State { control: Control::Input(kind), ..self.with(state, function, step, invokes) });
            }
            if !invokes && let Some(store) = named(self.application, &target) {
                let what =
                    |name: &str| format!("`{}` puts it into `{store}`, which `{name}` reads", state.function.name);
                self.stored(state, store, &what, call.span, false, found);
            }
        }
    }

    /// Functions that believe what a store holds.
    fn stored(
        &self,
        state: &State<'a>,
        store: &str,
        what: &dyn Fn(&str) -> String,
        span: Span,
        certain: bool,
        found: &mut Vec<State<'a>>,
    ) {
        let Some((store, readers)) = self.readers.get_key_value(store) else { return };
        for name in readers.iter().filter(|name| **name != state.function.name) {
            let Some(function) = self.application.function(name) else { continue };
            let step = PathStep { what: what(name), node: Some((*store).to_string()), span: Some(span), finding: None };
            found.push(State { control: Control::Stored(store), ..self.with(state, function, step, certain) });
        }
    }

    fn callee(&self, target: &graph::Value) -> Option<&'a str> {
        let by_name = target.resources().find_map(|name| self.application.function(name));
        let text = target.as_text().map(|text| text.rsplit(':').next().unwrap_or(text));
        let deployed = || {
            self.application.functions.iter().find(|function| {
                text.is_some() && function.deployed_name.as_ref().and_then(graph::Value::as_text) == text
            })
        };
        by_name.or_else(deployed).map(|function| function.name.as_str())
    }

    /// What somebody who runs code in a function does with its role to other functions.
    fn acts(&mut self, state: &State<'a>, found: &mut Vec<State<'a>>) {
        let role = state.function.identity.clone().unwrap_or_default();
        for one in self.role(state.function) {
            let Some(name) = one.name.as_deref() else { continue };
            let place = |what: String, node: &str| PathStep {
                what,
                node: Some(node.to_string()),
                span: one
                    .because
                    .filter(|span| escalate::is_known(self.sources, *span))
                    .map(|span| escalate::head(self.sources, span)),
                finding: None,
            };
            if one.matter == Matter::Function {
                let Some(function) = self.application.function(name).filter(|next| next.name != state.function.name)
                else {
                    continue;
                };
                let (control, what) = match one.verb {
                    Verb::Rewrite => (Control::Code, format!("the role `{role}` replaces the code of `{name}`")),
                    _ => (
                        Control::Input(TriggerKind::Function),
                        format!("the role `{role}` starts `{name}` with any event"),
                    ),
                };
                let replaced = control == Control::Code;
                // From a function whose code was replaced nothing further is told: it is one of many already.
                if state.replaced {
                    continue;
                }
                found.push(State { control, replaced, ..self.with(state, function, place(what, name), one.certain) });
            } else if one.verb == Verb::Write {
                let words = |reader: &str| format!("the role `{role}` writes to `{name}`, which `{reader}` reads");
                let span = one.because.and_then(|span| head_of(self.sources, span)).unwrap_or(state.function.span);
                self.stored(state, name, &words, span, one.certain, found);
                let Some((resource, readers)) = self.feeds.get_key_value(name) else { continue };
                for (reader, kind) in readers {
                    let Some(function) =
                        self.application.function(reader).filter(|next| next.name != state.function.name)
                    else {
                        continue;
                    };
                    let what = format!("the role `{role}` writes to `{resource}`, which feeds `{reader}`");
                    found.push(State {
                        control: Control::Input(*kind),
                        ..self.with(state, function, place(what, reader), one.certain)
                    });
                }
            }
        }
    }

    /// What is lost here.
    fn losses(&mut self, state: &State<'a>) -> Vec<(Gives, AttackPath)> {
        let function = state.function;
        if state.control == Control::Code {
            let access = self.role(function);
            let mut losses = loss::of_role(&access);
            // Starting functions and sending messages matters less than what holds data.
            losses.retain(|loss| loss.weight > 1 || losses_are_few(&access));
            let mut path = self.path(state, Gives::Code, losses, &[]);
            self.environment(function, &mut path);
            self.upwards(function, state, &mut path);
            return vec![(Gives::Code, path)];
        }
        let mut classes: BTreeMap<Gives, Vec<&Finding>> = BTreeMap::new();
        for (gives, finding) in self.weaknesses(state).into_iter().filter(|(gives, _)| *gives != Gives::Code) {
            classes.entry(gives).or_default().push(finding);
        }
        let mut found = Vec::new();
        for (gives, findings) in classes {
            let reads = gives == Gives::Files
                && findings.iter().any(|finding| {
                    function.behaviour.as_ref().is_some_and(|behaviour| reads_files(behaviour, finding))
                });
            let losses = match gives {
                Gives::Files if reads => loss::of_role(&self.role(function)),
                Gives::Network | Gives::Files => Vec::new(),
                _ => loss::of_code(self.application, function),
            };
            // A path leads somewhere.
            if losses.is_empty() && gives != Gives::Files && gives != Gives::Network {
                continue;
            }
            let mut path = self.path(state, gives, losses, &findings);
            if reads {
                let credentials = PathStep {
                    what: format!(
                        "`/proc/self/environ` holds the credentials of the role of `{}` while it runs",
                        function.name
                    ),
                    node: function.identity.clone(),
                    span: None,
                    finding: None,
                };
                let at =
                    path.steps.iter().rposition(|step| step.finding.is_some()).map_or(path.steps.len(), |at| at + 1);
                path.steps.insert(at, credentials);
            }
            found.push((gives, path));
        }
        found
    }

    fn path(&self, state: &State<'a>, gives: Gives, losses: Vec<Loss>, findings: &[&Finding]) -> AttackPath {
        let function = state.function;
        let mut steps = state.steps.clone();
        if let Some((first, rest)) = findings.split_first() {
            let mut what = first.title.clone();
            if !rest.is_empty() {
                what.push_str(&format!(" (and {} more such places)", rest.len()));
            }
            steps.push(step(&what, function, first));
        }
        let short: Vec<&str> =
            losses.iter().filter(|loss| loss.weight > 1).take(3).map(|loss| loss.short.as_str()).collect();
        let mut title = format!("{} can {}", state.who, gives.words(&function.name));
        if !short.is_empty() {
            title.push_str(match gives {
                Gives::Code => ", and with its role ",
                Gives::Files => ", and with what it holds ",
                _ => ", which can ",
            });
            title.push_str(&and(&short));
        }
        let role = function.identity.as_deref().unwrap_or("of the function");
        let subject = match gives {
            Gives::Code | Gives::Files => format!("the role `{role}` can"),
            _ => "what it does then can".to_string(),
        };
        for loss in losses.iter().take(MAX_LOSSES) {
            let mut what = format!("{subject} {}", loss.words);
            if !loss.certain {
                what.push_str(", if a condition or boundary lets it");
            }
            steps.push(PathStep {
                what,
                node: loss.node.clone(),
                span: loss
                    .span
                    .filter(|span| escalate::is_known(self.sources, *span))
                    .map(|span| escalate::head(self.sources, span)),
                finding: None,
            });
        }
        let worst = losses.iter().map(|loss| loss.weight).max().unwrap_or(0);
        let sure = findings.first().is_none_or(|finding| finding.confidence > Confidence::Low);
        AttackPath {
            id: gives.id(),
            severity: severity(gives, state.exposure, worst, state.certain && sure),
            title,
            functions: state.functions.clone(),
            steps,
        }
    }

    /// Secrets in the environment, which code in the function reads.
    fn environment(&self, function: &Function, path: &mut AttackPath) {
        let secret = self.findings.iter().find(|finding| {
            finding.id == "secret-in-environment"
                && finding.severity >= Severity::Medium
                && (finding.function.as_deref() == Some(&function.name)
                    || function.environment.iter().any(|variable| variable.span == finding.primary.span))
        });
        if let Some(secret) = secret {
            path.steps.push(PathStep {
                what: format!("the environment of `{}` holds a secret", function.name),
                node: Some(function.name.clone()),
                span: Some(secret.primary.span),
                finding: Some(secret.id),
            });
        }
    }

    /// What the role makes of itself.
    fn upwards(&self, function: &Function, state: &State<'a>, path: &mut AttackPath) {
        let Some(identity) = self.application.identity_of(function) else { return };
        let administrator = iam::Permissions::of(self.application, identity).administrator();
        if administrator.is_some() {
            path.steps.push(PathStep {
                what: format!("the role `{}` is administrator of the account", escalate::called(identity)),
                node: Some(identity.name.clone()),
                span: head_of(self.sources, identity.span),
                finding: None,
            });
            path.title = format!(
                "{} can run code in `{}`, whose role is administrator of the account",
                state.who, function.name
            );
            path.severity = Severity::Critical;
            return;
        }
        // The roles of functions whose code it replaces are told by that.
        let best = self.ways.iter().find(|way| {
            way.identity == identity.name
                && match &way.reach {
                    Reach::Others => false,
                    Reach::Administrator | Reach::Boundary => true,
                    Reach::Identity(name) => !self
                        .application
                        .functions
                        .iter()
                        .any(|function| function.identity.as_deref() == Some(name.as_str())),
                }
        });
        if let Some(way) = best {
            path.steps.extend(escalate::steps(self.application, way, self.sources));
            path.title.push_str(&format!(", and {} by it", escalate::reach(self.application, way)));
            if way.reach == Reach::Administrator && way.certain() && path.severity >= Severity::High {
                path.severity = Severity::Critical;
            }
        }
    }

    /// A function that anyone can call and whose own code is what harms: no other weakness is needed.
    fn open(&self, function: &'a Function, entry: &Entry) -> Option<AttackPath> {
        // A signature says who sends it; who connects to a socket says so later.
        let signed = function.behaviour.as_ref().is_some_and(|behaviour| behaviour.checks_signatures);
        if signed || entry.kind == TriggerKind::WebSocket {
            return None;
        }
        let finding = self.findings.iter().find(|finding| {
            matches!(finding.id, "unauthenticated-endpoint" | "public-function-url")
                && finding.severity >= Severity::Medium
                && finding.function.as_deref() == Some(&function.name)
        })?;
        let losses: Vec<Loss> =
            loss::of_code(self.application, function).into_iter().filter(|loss| loss.weight >= 3).collect();
        let worst = losses.first()?;
        let short: Vec<&str> = losses.iter().take(3).map(|loss| loss.short.as_str()).collect();
        let mut steps = vec![entry.step.clone(), step(&finding.title, function, finding)];
        steps.extend(losses.iter().take(MAX_LOSSES).map(|loss| PathStep {
            what: format!("the code of `{}` can {}", function.name, loss.words),
            node: loss.node.clone(),
            span: loss.span,
            finding: None,
        }));
        let severity = if worst.weight >= 4 {
            finding.severity.max(Severity::High)
        } else {
            finding.severity.min(Severity::Medium)
        };
        Some(AttackPath {
            id: "open-function",
            severity,
            title: format!("anyone can have `{}` {} without saying who they are", function.name, and(&short)),
            functions: vec![function.name.clone()],
            steps,
        })
    }
}

/// The store that a flow begins in, where it doesn't begin in the event: `Orders: note`.
fn store_of(source: &str) -> Option<&str> {
    source.split_once(": ").map(|(store, _)| store)
}

/// Whether a role may do so little that even the little counts.
fn losses_are_few(access: &[Access]) -> bool {
    !access.iter().any(|one| one.matter.holds_data())
}

fn step(what: &str, function: &Function, finding: &Finding) -> PathStep {
    PathStep {
        what: what.to_string(),
        node: Some(function.name.clone()),
        span: Some(finding.primary.span),
        finding: Some(finding.id),
    }
}

fn severity(gives: Gives, exposure: Exposure, worst: u8, certain: bool) -> Severity {
    use Severity::{Critical, High, Low, Medium};
    let public = exposure == Exposure::Public;
    let severity = match (gives, public) {
        (Gives::Code, true) if worst > 0 => Critical,
        (Gives::Code, _) => High,
        (Gives::Files | Gives::Data | Gives::Impersonation, true) if worst > 2 => High,
        (Gives::Data | Gives::Impersonation, _) if exposure == Exposure::Authenticated && worst > 2 => High,
        (Gives::Files | Gives::Data | Gives::Impersonation, _) => Medium,
        (Gives::Network, true) => High,
        (Gives::Network, false) => Medium,
    };
    match (severity, certain) {
        (severity, true) => severity,
        (Critical, false) => High,
        (High, false) => Medium,
        (_, false) => Low,
    }
}
