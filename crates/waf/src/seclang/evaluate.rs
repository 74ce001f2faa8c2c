//! Running the phases: which rules match, what they change, and what becomes of the transaction.

use super::action::{Change, Disruption, Effect, Scope, Switch};
use super::compile::{NONE, Needs, Rule, RuleSet, Side, bit};
use super::operator::{Captured, Operator};
use super::store::Entry;
use super::transaction::{Found, Name, Own, Transaction, Value};
use super::variable::{Kind, Part, Selector, Store, Target, Variable};

/// Most matches that one rule reports.
const MAX_REPORTED: usize = 8;
/// Most matches that a transaction reports.
const MAX_REPORT: usize = 2000;
/// Longest value that a report repeats, in bytes.
const MAX_SHOWN: usize = 512;

/// A rule that matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchedRule {
    /// The rule's id.
    pub id: u32,
    /// The phase it ran in.
    pub phase: u8,
    /// Whether the rule is one to report (`log`), rather than one that does sums (`nolog`).
    pub logged: bool,
    /// Its message.
    pub message: Vec<u8>,
    /// Its `logdata`.
    pub data: Vec<u8>,
    /// The value's field, `ARGS:id`.
    pub field: Vec<u8>,
    /// The value as the operator saw it, its first part when it is long.
    pub value: Vec<u8>,
    /// Its severity, 0 (emergency) to 7 (debug).
    pub severity: Option<u8>,
}

/// What must become of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intervention {
    /// The rule that wants it; 0 for the engine itself, when a limit is exceeded.
    pub rule: u32,
    /// The HTTP status to answer.
    pub status: u16,
    /// Close the connection without an answer.
    pub drop: bool,
    /// Where to send the client instead.
    pub redirect: Option<Vec<u8>>,
}

/// What a rule that matched wants for the flow of the phase.
enum Flow {
    Go,
    Stop(Option<Intervention>),
}

impl<'r> Transaction<'r> {
    /// Phase 1: the request's header is complete.
    pub fn process_request_headers(&mut self) -> Option<Intervention> {
        self.header_complete();
        self.phase(1)
    }

    /// Phase 2: the request's body is complete.
    pub fn process_request_body(&mut self) -> Option<Intervention> {
        if self.engine == Switch::Off {
            return None;
        }
        if !self.read_request_body() && self.engine == Switch::On {
            return Some(Intervention { rule: 0, status: 413, drop: false, redirect: None });
        }
        self.phase(2)
    }

    /// Phase 3: the response's header is complete.
    pub fn process_response_headers(&mut self) -> Option<Intervention> {
        self.phase(3)
    }

    /// Phase 4: the response's body is complete.
    pub fn process_response_body(&mut self) -> Option<Intervention> {
        if self.outbound_error && self.set.settings.reject_long_response && self.engine == Switch::On {
            return Some(Intervention { rule: 0, status: 500, drop: false, redirect: None });
        }
        self.read_response_body();
        self.phase(4)
    }

    /// Phase 5: the transaction is over. Keeps what rules want to remember.
    pub fn process_logging(&mut self) {
        self.allowed = None;
        self.phase(5);
        let Some(store) = self.persistence else { return };
        let expires = self.now.saturating_add(self.set.settings.collection_timeout);
        for (collection, key, record) in std::mem::take(&mut self.persistent) {
            store.write(&collection.name().to_ascii_lowercase(), &key, record, expires);
        }
    }

    /// The rules that matched so far, those that only do sums included.
    pub fn matched(&self) -> &[MatchedRule] {
        &self.report
    }

    /// A transaction variable such as `blocking_inbound_anomaly_score`.
    pub fn variable(&self, name: &str) -> Option<Vec<u8>> {
        let lower = name.to_ascii_lowercase();
        let slot = self.set.names.find(lower.as_bytes()).or_else(|| {
            let at = self.extra_names.iter().position(|known| known == lower.as_bytes())?;
            Some((self.set.names.len() + at) as u32)
        })?;
        let own = self.tx.get(slot as usize).filter(|own| own.is_set())?;
        let mut out = Vec::new();
        own.append(&mut out);
        Some(out)
    }

    /// Sets a transaction variable before the first phase, as a setup file would.
    pub fn set_variable(&mut self, name: &str, value: &[u8]) {
        if let Some(slot) = self.slot(name.as_bytes()) {
            self.set_own(slot, Own::from_text(value));
        }
    }

    /// Whether a limit on values was exceeded, so that rules have not seen everything.
    pub fn limit_exceeded(&self) -> bool {
        self.exceeded
    }

    fn set_own(&mut self, slot: u32, value: Own) {
        if let Some(own) = self.tx.get_mut(slot as usize) {
            *own = value;
        }
    }

    fn phase(&mut self, phase: u8) -> Option<Intervention> {
        if self.engine == Switch::Off {
            return None;
        }
        match self.allowed {
            Some(Scope::All) if phase < 5 => return None,
            Some(Scope::Request) if phase < 3 => return None,
            _ => self.allowed = None,
        }
        self.epoch += 1;
        let set = self.set;
        let list = set.phases.get(usize::from(phase) - 1)?;
        let mut at = 0;
        let mut skip = 0;
        while let Some(&number) = list.get(at) {
            at += 1;
            if skip > 0 {
                skip -= 1;
                continue;
            }
            if bit(&self.removed, number) {
                continue;
            }
            let Some(rule) = set.rules.get(number as usize) else { continue };
            if !self.chain(number, rule) {
                continue;
            }
            match self.consequence(phase, rule) {
                Flow::Go => {}
                Flow::Stop(intervention) => return intervention,
            }
            if let Some(jump) = rule.jump {
                at = jump as usize;
            }
            skip = rule.actions.skip;
            if self.engine == Switch::Off {
                return None;
            }
        }
        if self.exceeded && self.engine == Switch::On && phase < 3 {
            return Some(Intervention { rule: 0, status: 413, drop: false, redirect: None });
        }
        None
    }

    fn consequence(&mut self, phase: u8, rule: &'r Rule) -> Flow {
        let default = &self.set.defaults[usize::from(phase) - 1];
        let mut disruption = rule.actions.disruption.as_ref().unwrap_or(&default.disruption);
        if *disruption == Disruption::Block {
            disruption = &default.disruption;
        }
        let status = rule.actions.status.unwrap_or(default.status);
        let mut intervention = Intervention { rule: rule.actions.id.unwrap_or(0), status, drop: false, redirect: None };
        match disruption {
            Disruption::Pass | Disruption::Block => return Flow::Go,
            Disruption::Allow(scope) => {
                if *scope != Scope::Phase {
                    self.allowed = Some(*scope);
                }
                return Flow::Stop(None);
            }
            Disruption::Deny => {}
            Disruption::Drop => intervention.drop = true,
            Disruption::Redirect(target) => {
                intervention.redirect = Some(self.expand(target));
                intervention.status = rule.actions.status.filter(|status| (300..400).contains(status)).unwrap_or(302);
            }
        }
        // Phase 5 comes too late to stop anything.
        if self.engine == Switch::On && phase < 5 { Flow::Stop(Some(intervention)) } else { Flow::Go }
    }

    /// Runs a rule with the rest of its chain; whether all of it matched.
    fn chain(&mut self, number: u32, first: &'r Rule) -> bool {
        let set: &'r RuleSet = self.set;
        let alone = first.next.is_none();
        let mut number = number;
        let mut rule = first;
        let before = self.report.len();
        loop {
            self.running = number;
            if !self.rule(number, rule, alone.then_some(first)) {
                return false;
            }
            match rule.next.and_then(|next| Some((next, set.rules.get(next as usize)?))) {
                Some((next, link)) => (number, rule) = (next, link),
                None => break,
            }
        }
        if !alone || self.report.len() == before {
            self.note(first);
        }
        if let Some(severity) = first.actions.severity {
            self.highest_severity = self.highest_severity.min(severity);
        }
        true
    }

    /// Writes a match down.
    fn note(&mut self, rule: &'r Rule) {
        if self.report.len() >= MAX_REPORT {
            return;
        }
        let logged = rule.actions.log.unwrap_or(self.set.defaults[usize::from(rule.phase) - 1].log);
        let mut matched = MatchedRule {
            id: rule.actions.id.unwrap_or(0),
            phase: rule.phase,
            logged,
            message: Vec::new(),
            data: Vec::new(),
            field: Vec::new(),
            value: Vec::new(),
            severity: rule.actions.severity,
        };
        // Rules that only do sums match in every request: their texts are not worth making.
        if logged {
            matched.message = rule.actions.message.as_ref().map(|message| self.expand(message)).unwrap_or_default();
            matched.data = rule.actions.data.as_ref().map(|data| self.expand(data)).unwrap_or_default();
            if let Some(found) = &self.current {
                self.append_name(found, &mut matched.field);
                self.append_value(&found.value, &mut matched.value);
                matched.value.truncate(MAX_SHOWN);
            }
        }
        self.report.push(matched);
    }

    /// Runs one rule over its targets. `report` is the rule to write down at each match.
    fn rule(&mut self, number: u32, rule: &'r Rule, report: Option<&'r Rule>) -> bool {
        if let Some(quick) = rule.quick {
            let own = self.tx.get(quick.left as usize);
            let set = own.is_some_and(Own::is_set);
            if !set && !quick.count {
                return false;
            }
            let left = if quick.count { i64::from(set) } else { own.map_or(0, Own::number) };
            let right = match quick.right {
                Side::Number(number) => number,
                Side::Slot(slot) => self.tx.get(slot as usize).map_or(0, Own::number),
            };
            if quick.comparison.holds(left, right) == rule.negated {
                return false;
            }
            let value = Value::Number(left);
            self.hit(rule, Found { variable: Variable::Tx, name: Name::Slot(quick.left), value }, report);
            return true;
        }
        if rule.targets.is_empty() {
            self.effects(rule);
            return true;
        }
        if !rule.probes.is_empty() && !self.worth_a_look(rule) {
            return false;
        }
        self.previous_vars.clear();
        std::mem::swap(&mut self.previous_vars, &mut self.matched_vars);
        let mut matches = 0;
        for target in &rule.targets {
            if target.count {
                let count = self.count(target, number, rule);
                // Mostly `&X @eq 0`: no need to write the number down.
                let matched = match &rule.operator {
                    Operator::Number(comparison, template) if rule.actions.transformations.is_empty() => {
                        let right = match template.literal() {
                            Some(literal) => super::bytes::integer(literal),
                            None => super::bytes::integer(&self.expand(template)),
                        };
                        comparison.holds(count as i64, right) != rule.negated
                    }
                    _ => {
                        let value = count.to_string().into_bytes();
                        self.test(rule, &value)
                    }
                };
                if matched {
                    matches += 1;
                    let name = match &target.selector {
                        Selector::Named(name) => Name::Text(name.clone()),
                        _ => Name::None,
                    };
                    let value = Value::Number(count as i64);
                    self.hit(
                        rule,
                        Found { variable: target.variable, name, value },
                        report.filter(|_| matches <= MAX_REPORTED),
                    );
                }
                continue;
            }
            match target.variable.kind() {
                Kind::Stored(stores, part) => {
                    let whole = matches!(target.selector, Selector::All);
                    for store in stores {
                        if self.stores[*store as usize].is_empty() {
                            continue;
                        }
                        if let ([node], true, Some(needs)) = (rule.nodes.as_slice(), whole, rule.filter()) {
                            matches =
                                self.try_store(rule, needs, target.variable, *store, part, *node, report, matches);
                            continue;
                        }
                        if let (true, Some(needs)) = (whole, rule.filter()) {
                            let worth = self.worth_asking(needs, *store, part, &rule.nodes);
                            for at in worth {
                                let Some(item) = self.stores[*store as usize].get(at).copied() else { break };
                                let content = if part == Part::Value { item.content } else { item.name_content };
                                let name = Name::Span(item.name);
                                let report = report.filter(|_| matches < MAX_REPORTED);
                                matches += usize::from(self.try_content(rule, target.variable, name, content, report));
                            }
                            continue;
                        }
                        for at in 0..self.stores[*store as usize].len() {
                            let item = self.stores[*store as usize][at];
                            if !whole && !target.selector.takes(item.name.of(&self.arena)) {
                                continue;
                            }
                            let content = if part == Part::Value { item.content } else { item.name_content };
                            let name = Name::Span(item.name);
                            let report = report.filter(|_| matches < MAX_REPORTED);
                            matches += usize::from(self.try_content(rule, target.variable, name, content, report));
                        }
                    }
                }
                Kind::Computed | Kind::Own => {
                    for (variable, name, value) in self.values(target) {
                        let found = Found { variable, name, value };
                        if self.leaves_out(rule, variable, &found.name) {
                            continue;
                        }
                        let report = report.filter(|_| matches < MAX_REPORTED);
                        let hit = match found.value {
                            Value::Content(content) => self.try_content(rule, variable, found.name, content, report),
                            _ => self.try_text(rule, found, report),
                        };
                        matches += usize::from(hit);
                    }
                }
                Kind::Absent => {}
            }
        }
        matches > 0
    }

    /// Whether the running rule leaves an item out; most rules leave nothing out.
    fn leaves_out(&self, rule: &Rule, variable: Variable, name: &Name) -> bool {
        if rule.excluded.is_empty() && self.removed_targets.is_empty() {
            return false;
        }
        let name = match name {
            Name::None => b"",
            Name::Span(span) => span.of(&self.arena),
            Name::Slot(slot) => self.slot_name(*slot),
            Name::Text(text) => text,
        };
        self.excluded(self.running, rule, variable, name)
    }

    fn excluded(&self, number: u32, rule: &Rule, variable: Variable, name: &[u8]) -> bool {
        rule.excluded.iter().any(|target| target.covers(variable, name))
            || self.removed_targets.iter().any(|(rules, targets)| {
                bit(rules, number) && targets.iter().any(|target| target.covers(variable, name))
            })
    }

    fn count(&self, target: &Target, number: u32, rule: &Rule) -> usize {
        match target.variable.kind() {
            Kind::Stored(stores, _) => stores
                .iter()
                .flat_map(|store| &self.stores[*store as usize])
                .map(|item| item.name.of(&self.arena))
                .filter(|name| target.selector.takes(name) && !self.excluded(number, rule, target.variable, name))
                .count(),
            _ => match target.slot {
                Some(slot) => usize::from(self.tx.get(slot as usize).is_some_and(Own::is_set)),
                None => self.values(target).len(),
            },
        }
    }

    /// The values of a variable that isn't stored.
    fn values(&self, target: &Target) -> Vec<(Variable, Name, Value)> {
        let variable = target.variable;
        let found = |found: &Found| (found.variable, found.name.clone(), found.value.clone());
        match variable {
            Variable::Tx => {
                if let Some(slot) = target.slot {
                    let own = self.tx.get(slot as usize).filter(|own| own.is_set());
                    return own.map(|own| (variable, Name::Slot(slot), value_of(own))).into_iter().collect();
                }
                let takes = |slot: usize| target.selector.takes(self.slot_name(slot as u32));
                self.tx
                    .iter()
                    .enumerate()
                    .filter(|(slot, own)| own.is_set() && takes(*slot))
                    .map(|(slot, own)| (variable, Name::Slot(slot as u32), value_of(own)))
                    .collect()
            }
            Variable::MatchedVar => self.current.iter().map(found).collect(),
            Variable::MatchedVars => self.previous_vars.iter().map(found).collect(),
            Variable::MatchedVarName => self.current.iter().map(|found| self.name_value(variable, found)).collect(),
            Variable::MatchedVarsNames => {
                self.previous_vars.iter().map(|found| self.name_value(variable, found)).collect()
            }
            Variable::Env => self
                .environment
                .iter()
                .filter(|(name, _)| target.selector.takes(name))
                .map(|(name, value)| (variable, Name::Text(name.clone()), Value::Text(value.clone())))
                .collect(),
            Variable::Rule => {
                let rule = self.set.rules.get(self.running as usize);
                let id = rule.and_then(|rule| rule.actions.id).unwrap_or(0);
                vec![(variable, Name::Text(b"id".to_vec()), Value::Number(i64::from(id)))]
            }
            _ if variable.kind() == Kind::Own => self
                .persistent
                .iter()
                .filter(|(collection, ..)| *collection == variable)
                .flat_map(|(_, _, record)| record)
                .filter(|(name, _)| target.selector.takes(name))
                .map(|(name, entry)| (variable, Name::Text(name.clone()), Value::Text(entry.value.clone())))
                .collect(),
            _ => self.computed(variable).map(|value| (variable, Name::None, Value::Text(value))).into_iter().collect(),
        }
    }

    fn name_value(&self, variable: Variable, found: &Found) -> (Variable, Name, Value) {
        let mut name = Vec::new();
        self.append_name(found, &mut name);
        (variable, Name::None, Value::Text(name))
    }

    /// The items of a store that meet a rule's needs at one of several nodes.
    fn worth_asking(&mut self, needs: &Needs, store: Store, part: Part, nodes: &[u32]) -> Vec<usize> {
        let places: Vec<usize> = nodes.iter().map(|node| self.unite_store(store, part, *node)).collect();
        let meets = |place: &usize, at: usize| {
            let known = self.store_unions.get(*place).and_then(|union| union.contents.get(at));
            known.and_then(|known| self.contents.get(*known as usize)).is_some_and(|content| {
                needs.met_by(content.bytes, self.bits.get(content.bits as usize..).unwrap_or_default())
            })
        };
        let likely: Vec<usize> = places
            .into_iter()
            .filter(|place| self.store_unions.get(*place).is_some_and(|union| needs.met_by(union.bytes, &union.bits)))
            .collect();
        if likely.is_empty() {
            return Vec::new();
        }
        (0..self.stores[store as usize].len()).filter(|at| likely.iter().any(|place| meets(place, *at))).collect()
    }

    /// Asks a rule's operator about all values of a store that meet its needs. Gives the number of matches so far.
    #[allow(clippy::too_many_arguments)]
    fn try_store(
        &mut self,
        rule: &'r Rule,
        needs: &Needs,
        variable: Variable,
        store: Store,
        part: Part,
        node: u32,
        report: Option<&'r Rule>,
        mut matches: usize,
    ) -> usize {
        let place = self.unite_store(store, part, node);
        let Some(union) = self.store_unions.get(place) else { return matches };
        if !needs.met_by(union.bytes, &union.bits) {
            return matches;
        }
        for at in 0..union.contents.len() {
            let Some(known) = self.store_unions.get(place).and_then(|union| union.contents.get(at)) else { break };
            let Some(content) = self.contents.get(*known as usize) else { continue };
            let bits = self.bits.get(content.bits as usize..).unwrap_or_default();
            if !needs.met_by(content.bytes, bits) {
                continue;
            }
            let Some(item) = self.stores[store as usize].get(at).copied() else { break };
            let name = Name::Span(item.name);
            let origin = if part == Part::Value { item.content } else { item.name_content };
            if self.length(origin) < needs.least_input || self.leaves_out(rule, variable, &name) {
                continue;
            }
            let derived = self.derive(origin, node);
            let report = report.filter(|_| matches < MAX_REPORTED);
            matches += usize::from(self.ask(rule, variable, name, derived, report));
        }
        matches
    }

    /// Asks a rule's operator about a stored value, after its transformations.
    fn try_content(
        &mut self,
        rule: &'r Rule,
        variable: Variable,
        name: Name,
        content: u32,
        report: Option<&'r Rule>,
    ) -> bool {
        let mut last = NONE;
        let mut any = false;
        for &node in &rule.nodes {
            if let Some(needs) = rule.filter() {
                let Some(scannable) = self.scannable(content, node) else { continue };
                if !self.meets(scannable, needs) {
                    continue;
                }
            }
            if self.leaves_out(rule, variable, &name) {
                return any;
            }
            let derived = self.derive(content, node);
            // With `multiMatch`, steps that changed nothing are not asked again.
            if derived == last {
                continue;
            }
            last = derived;
            any |= self.ask(rule, variable, name.clone(), derived, report);
        }
        any
    }

    /// Asks a rule's operator about a transformed value.
    fn ask(&mut self, rule: &'r Rule, variable: Variable, name: Name, derived: u32, report: Option<&'r Rule>) -> bool {
        let matched = if rule.exact {
            self.has_literal(derived, &rule.needs) != rule.negated
        } else {
            let mut captured = std::mem::take(&mut self.captured);
            let wanted = rule.actions.capture.then_some(&mut captured);
            let matched =
                rule.operator.run(self.text(derived), &|template| self.expand(template), wanted) != rule.negated;
            self.captured = captured;
            matched
        };
        if matched {
            self.hit(rule, Found { variable, name, value: Value::Content(derived) }, report);
        }
        matched
    }

    /// Asks a rule's operator about a value that isn't stored.
    fn try_text(&mut self, rule: &'r Rule, found: Found, report: Option<&'r Rule>) -> bool {
        let mut value = Vec::new();
        self.append_value(&found.value, &mut value);
        let mut other = Vec::new();
        let steps = if rule.actions.multi_match { rule.actions.transformations.len() } else { 0 };
        let mut any = false;
        for (step, transformation) in rule.actions.transformations.iter().enumerate() {
            if step < steps && self.test(rule, &value) {
                any = true;
                self.hit(rule, Found { value: Value::Text(value.clone()), ..found.clone() }, report);
            }
            transformation.apply(&value, &mut other);
            std::mem::swap(&mut value, &mut other);
        }
        if self.test(rule, &value) {
            any = true;
            self.hit(rule, Found { value: Value::Text(value), ..found }, report);
        }
        any
    }

    fn test(&mut self, rule: &'r Rule, value: &[u8]) -> bool {
        let mut captured = std::mem::take(&mut self.captured);
        let wanted = rule.actions.capture.then_some(&mut captured);
        let matched = rule.operator.run(value, &|template| self.expand(template), wanted) != rule.negated;
        self.captured = captured;
        matched
    }

    /// A value matched: what the rule says is done, then it is reported.
    fn hit(&mut self, rule: &'r Rule, found: Found, report: Option<&'r Rule>) {
        if rule.next.is_some() && self.matched_vars.len() < MAX_REPORT {
            self.matched_vars.push(found.clone());
        }
        self.current = Some(found);
        if rule.actions.capture && !rule.negated {
            let captured: Captured = std::mem::take(&mut self.captured);
            let slots = self.set.captures;
            let mut groups = captured.into_iter();
            for slot in slots {
                let own = groups.next().flatten().map_or(Own::Unset, Own::Text);
                self.set_own(slot, own);
            }
        }
        self.effects(rule);
        if let Some(rule) = report {
            self.note(rule);
        }
    }

    fn effects(&mut self, rule: &'r Rule) {
        for effect in &rule.actions.effects {
            self.effect(effect);
        }
    }

    fn effect(&mut self, effect: &'r Effect) {
        match effect {
            Effect::SetVariable { collection: Variable::Tx, name, slot, change, value } => {
                let slot = slot.or_else(|| {
                    let name = self.expand(name);
                    self.slot(&name)
                });
                let Some(slot) = slot else { return };
                let number = || match (value.literal(), value.slot()) {
                    (Some(literal), _) => super::bytes::integer(literal),
                    (_, Some(slot)) => self.tx.get(slot as usize).map_or(0, Own::number),
                    _ => super::bytes::integer(&self.expand(value)),
                };
                let old = self.tx.get(slot as usize).map_or(0, Own::number);
                let new = match change {
                    Change::Unset => Own::Unset,
                    Change::Add => Own::Number(old.saturating_add(number())),
                    Change::Subtract => Own::Number(old.saturating_sub(number())),
                    Change::Set => match value.slot().and_then(|slot| self.tx.get(slot as usize)) {
                        Some(Own::Unset) => Own::Text(Vec::new()),
                        Some(own) => own.clone(),
                        None => match value.literal() {
                            Some(literal) => Own::from_text(literal),
                            None => Own::from_text(&self.expand(value)),
                        },
                    },
                };
                self.set_own(slot, new);
            }
            Effect::SetVariable { collection, name, change, value, .. } => {
                let name = self.expand(name).to_ascii_lowercase();
                let value = self.expand(value);
                let Some((_, _, record)) = self.persistent.iter_mut().find(|(open, ..)| open == collection) else {
                    return;
                };
                if *change == Change::Unset {
                    record.remove(&name);
                    return;
                }
                let entry = record.entry(name).or_default();
                let (old, operand) = (super::bytes::integer(&entry.value), super::bytes::integer(&value));
                entry.value = match change {
                    Change::Add => old.saturating_add(operand).to_string().into_bytes(),
                    Change::Subtract => old.saturating_sub(operand).to_string().into_bytes(),
                    _ => value,
                };
            }
            Effect::SetEnvironment { name, value } => {
                let (name, value) = (self.expand(name), self.expand(value));
                if self.environment.len() < MAX_REPORT {
                    self.environment.retain(|(known, _)| *known != name);
                    self.environment.push((name, value));
                }
            }
            Effect::OpenCollection { collection, key } => {
                let key = self.expand(key);
                if self.persistent.iter().any(|(open, ..)| open == collection) {
                    return;
                }
                let name = collection.name().to_ascii_lowercase();
                let mut record = self.persistence.map(|store| store.read(&name, &key)).unwrap_or_default();
                let now = self.now;
                record.retain(|_, entry: &mut Entry| entry.expires.is_none_or(|expires| expires > now));
                self.persistent.push((*collection, key, record));
            }
            Effect::SetId { variable, value } => {
                let value = self.expand(value);
                let (place, collection) = match variable {
                    Variable::SessionId => (&mut self.session, Variable::Session),
                    _ => (&mut self.user, Variable::User),
                };
                *place = value.clone();
                if !self.persistent.iter().any(|(open, ..)| *open == collection) {
                    let name = collection.name().to_ascii_lowercase();
                    let record = self.persistence.map(|store| store.read(&name, &value)).unwrap_or_default();
                    self.persistent.push((collection, value, record));
                }
            }
            Effect::Expire { collection, name, seconds } => {
                let name = self.expand(name).to_ascii_lowercase();
                let seconds = super::bytes::integer(&self.expand(seconds)).max(0) as u64;
                let expires = self.now.saturating_add(seconds);
                let record = self.persistent.iter_mut().find(|(open, ..)| open == collection);
                if let Some(entry) = record.and_then(|(_, _, record)| record.get_mut(&name)) {
                    entry.expires = Some(expires);
                }
            }
            Effect::RemoveRules { rules, .. } => {
                self.removed.resize(rules.len().max(self.removed.len()), 0);
                for (sum, word) in self.removed.iter_mut().zip(rules) {
                    *sum |= word;
                }
            }
            Effect::RemoveTargets { rules, targets, .. } => {
                if self.removed_targets.len() < MAX_REPORT {
                    self.removed_targets.push((rules, targets));
                }
            }
            Effect::Engine(switch) => self.engine = *switch,
            Effect::RequestBodyAccess(switch) => self.request_body_access = *switch == Switch::On,
            Effect::ResponseBodyAccess(switch) => self.response_body_access = *switch == Switch::On,
            Effect::BodyProcessor(processor) => self.processor = Some(*processor),
            Effect::ForceRequestBody(force) => self.force_request_body = *force,
            Effect::ResponseBodyProcessor => {}
        }
    }
}

fn value_of(own: &Own) -> Value {
    match own {
        Own::Number(number) => Value::Number(*number),
        Own::Text(text) => Value::Text(text.clone()),
        Own::Unset => Value::Text(Vec::new()),
    }
}
