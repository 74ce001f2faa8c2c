//! What the event has a say in: from which of its fields a value was made, on which way, and what that way made harmless.
//!
//! A [`Taint`] travels inside values. Two taints are equal where their sources and what was made harmless are: the way is
//! for people, and mustn't make the evaluator follow the same call twice. [`sink`] notes a value that arrives where text is
//! more than data.
//!
//! Besides the event there are other sources, told apart by how their names begin: what a store gave back, the text of an
//! exception, a secret, what a verified token says of the caller, and the names in an archive.
//!
//! Deliberately absent: checks that are told apart by their branches: a value that was compared with a list of constants or a
//! whole pattern counts as checked from there on.

use crate::evaluate::Evaluator;
use crate::record::{Site, site};
use crate::syntax::{Name, Place};
use crate::value::Value;
use graph::Sink;
use std::rc::Rc;

/// Fields of the event that one value is said to come from.
const MAX_ORIGINS: usize = 4;
/// Steps that are told of one way.
const MAX_STEPS: u8 = 8;
/// Containers inside one another that a sink looks into.
const MAX_DEPTH: usize = 3;
/// Flows noted for one handler.
const MAX_FLOWS: usize = 1_000;
/// Flows after which lines of the log aren't noted any more: they mustn't crowd out what matters.
const MAX_FLOWS_WITH_LOGS: usize = 200;

/// Kinds of sinks that a value can do no harm to, a bit for each.
pub(crate) type Harmless = u32;

/// Tells nothing any more: a comparison's result, a length.
pub(crate) const NOTHING_LEFT: Harmless = u32::MAX;

/// Harmless wherever text is more than data: a number, an identifier of a fixed form. What it says, it still says.
pub(crate) const EVERYWHERE: Harmless = !only(&[
    Sink::PrivateLog,
    Sink::PlainStore,
    Sink::WholeRecord,
    Sink::Amount,
    Sink::Identity,
    Sink::Store,
    Sink::Recipient,
    Sink::Price,
]);

/// What a store gave back: followed by the index of the read, a colon, and the path.
pub(crate) const STORED: char = '\u{1}';
/// The text of an exception; followed by `*` where any exception is caught.
pub(crate) const ERROR: char = '\u{2}';
/// A secret, or the variable that holds it.
pub(crate) const SECRET: char = '\u{3}';
/// What is known of the caller for sure.
pub(crate) const CLAIM: char = '\u{4}';
/// What an archive says of itself.
pub(crate) const ARCHIVE: char = '\u{5}';
/// What another host answered.
pub(crate) const FETCHED: char = '\u{6}';

/// Numbers that can be foreseen.
pub(crate) const RANDOM: char = '\u{7}';

/// Whether a source is a part of the event.
pub(crate) fn is_event(source: &str) -> bool {
    !source.starts_with([STORED, ERROR, SECRET, CLAIM, ARCHIVE, FETCHED, RANDOM])
}

/// Whether a source says who the caller is, and somebody else than the caller says so.
pub(crate) fn is_claim(source: &str) -> bool {
    if source.starts_with(CLAIM) {
        return true;
    }
    let below =
        |part: &str| source.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
    below("requestContext.authorizer")
        || below("requestContext.identity.cognitoIdentityId")
        || below("requestContext.identity.userArn")
        || below("requestContext.identity.caller")
        || below("requestContext.authentication")
        || below("requestContext.connectionId")
        || below("identity")
        || source.ends_with("userAttributes.sub")
}

pub(crate) const fn only(sinks: &[Sink]) -> Harmless {
    let mut mask = 0;
    let mut index = 0;
    while index < sinks.len() {
        mask |= 1 << sinks[index] as u32;
        index += 1;
    }
    mask
}

pub(crate) const PATHS: Harmless = only(&[Sink::PathRead, Sink::PathWrite]);

/// Fields of the event with their ways.
#[derive(Debug, Clone)]
pub(crate) struct Taint(Rc<[Origin]>);

#[derive(Debug, Clone)]
pub(crate) struct Origin {
    pub(crate) source: Name,
    pub(crate) harmless: Harmless,
    /// A path without `..` and links left in it.
    pub(crate) normal: bool,
    way: Option<Rc<Step>>,
}

#[derive(Debug)]
struct Step {
    site: Site,
    what: Rc<str>,
    before: Option<Rc<Step>>,
    length: u8,
}

impl PartialEq for Taint {
    fn eq(&self, other: &Self) -> bool {
        self.identity().eq(other.identity())
    }
}

impl Taint {
    /// What makes two taints differ.
    pub(crate) fn identity(&self) -> impl Iterator<Item = (&str, Harmless, bool)> {
        self.0.iter().map(|origin| (&*origin.source, origin.harmless, origin.normal))
    }

    fn map(&self, change: impl Fn(&Origin) -> Origin) -> Self {
        Self(self.0.iter().map(change).collect())
    }

    /// Whether some of it comes with the event.
    pub(crate) fn is_of_event(&self) -> bool {
        self.0.iter().any(|origin| is_event(&origin.source))
    }
}

impl Origin {
    pub(crate) fn of(source: Name) -> Self {
        Self { source, harmless: 0, normal: false, way: None }
    }

    fn step(&self, site: Site, what: &Rc<str>, replaces: Option<Place>) -> Self {
        let mut origin = self.clone();
        // A variable's name says more than that text was put together for it.
        if let (Some(place), Some(last)) = (replaces, &self.way)
            && last.site.0 == site.0
            && last.site.1 >= place.start
            && last.site.2 <= place.end
        {
            let step = Step { site: last.site, what: what.clone(), before: last.before.clone(), length: last.length };
            origin.way = Some(Rc::new(step));
            return origin;
        }
        let length = self.way.as_ref().map_or(0, |way| way.length);
        if length < MAX_STEPS {
            let step = Step { site, what: what.clone(), before: self.way.clone(), length: length + 1 };
            origin.way = Some(Rc::new(step));
        }
        origin
    }

    pub(crate) fn steps(&self) -> Vec<(Site, String)> {
        let mut steps = Vec::new();
        let mut at = self.way.as_ref();
        while let Some(step) = at {
            steps.push((step.site, step.what.to_string()));
            at = step.before.as_ref();
        }
        steps.reverse();
        steps
    }
}

/// The fields that values come from, containers left out.
pub(crate) fn origins(values: &[&Value]) -> Vec<Origin> {
    let mut found: Vec<Origin> = Vec::new();
    let mut waiting: Vec<&Value> = values.iter().rev().copied().collect();
    while let Some(value) = waiting.pop() {
        if found.len() >= MAX_ORIGINS {
            break;
        }
        let mut add = |origin: Origin| {
            let known = found.iter_mut().find(|known| known.source == origin.source && known.normal == origin.normal);
            match known {
                Some(known) => known.harmless &= origin.harmless,
                None => found.push(origin),
            }
        };
        match value {
            Value::Event(path) => add(Origin::of(path.clone())),
            Value::FromEvent(taint) => taint.0.iter().cloned().for_each(add),
            Value::Pattern(parts) | Value::Any(parts) => waiting.extend(parts.iter().rev()),
            _ => {}
        }
    }
    found.truncate(MAX_ORIGINS);
    found
}

/// The parts of the event that a value comes from.
pub(crate) fn sources(value: &Value) -> Vec<Name> {
    origins(&[value]).into_iter().map(|origin| origin.source).filter(|source| is_event(source)).collect()
}

/// Everything that a value comes from, other sources included.
pub(crate) fn all_sources(value: &Value) -> Vec<Name> {
    origins(&[value]).into_iter().map(|origin| origin.source).collect()
}

/// A value of another source than the event.
pub(crate) fn made(source: impl Into<Name>) -> Value {
    Value::FromEvent(Taint(Rc::new([Origin::of(source.into())])))
}

/// Any exception.
pub(crate) fn any_error() -> Value {
    made(format!("{ERROR}*"))
}

/// What a store gave back, read at a site.
pub(crate) fn read(source: Name, site: Site) -> Value {
    Value::FromEvent(Taint(Rc::new([Origin::of(source).step(site, &"is read from a store".into(), None)])))
}

/// The values inside a value, containers opened.
pub(crate) fn inside(evaluator: &Evaluator<'_>, value: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    flatten(evaluator, value, MAX_DEPTH, &mut found);
    found
}

/// A part of a value: what a store gave back, and what a token says, know their parts by name.
pub(crate) fn part(value: &Value, name: &str) -> Value {
    match value {
        Value::FromEvent(taint) => Value::FromEvent(taint.map(|origin| {
            if origin.source.starts_with(ERROR) && name == "stack" {
                return Origin { source: format!("{ERROR}*stack").into(), ..origin.clone() };
            }
            let knows = origin.source.starts_with([STORED, CLAIM]);
            match knows && origin.source.len() + name.len() < 120 && origin.source.matches('.').count() < 5 {
                true => Origin { source: format!("{}.{name}", origin.source).into(), ..origin.clone() },
                false => origin.clone(),
            }
        })),
        other => other.clone(),
    }
}

/// What is worked out from values: of the event where one of them is.
pub(crate) fn derived(values: &[&Value]) -> Value {
    harmless(values, 0)
}

/// The same, harmless to some sinks.
pub(crate) fn harmless(values: &[&Value], to: Harmless) -> Value {
    let mut origins = origins(values);
    if origins.is_empty() {
        return Value::Unknown;
    }
    origins.iter_mut().for_each(|origin| origin.harmless |= to);
    Value::FromEvent(Taint(origins.into()))
}

/// A value as it is, harmless to some sinks; what isn't of the event stays as it is.
pub(crate) fn cleaned(value: &Value, to: Harmless) -> Value {
    change(value, &|origin| Origin { harmless: origin.harmless | to, ..origin.clone() })
}

/// A path as it is, known to be without `..`.
pub(crate) fn normal(value: &Value) -> Value {
    change(value, &|origin| Origin { normal: true, ..origin.clone() })
}

fn change(value: &Value, each: &dyn Fn(&Origin) -> Origin) -> Value {
    match value {
        Value::Event(path) => Value::FromEvent(Taint(Rc::new([each(&Origin::of(path.clone()))]))),
        Value::FromEvent(taint) => Value::FromEvent(taint.map(each)),
        Value::Pattern(parts) => Value::Pattern(parts.iter().map(|part| change(part, each)).collect()),
        Value::Any(parts) => Value::Any(parts.iter().map(|part| change(part, each)).collect()),
        other => other.clone(),
    }
}

/// Text that was put together at a place.
pub(crate) fn joined(evaluator: &Evaluator<'_>, value: Value, place: Place) -> Value {
    match &value {
        Value::Pattern(_) | Value::FromEvent(_) if value.is_tainted() => {
            let here = evaluator.site(place);
            let what: Rc<str> = "becomes part of a longer text".into();
            change(&value, &|origin| origin.step(here, &what, None))
        }
        _ => value,
    }
}

/// A value that gets a name.
pub(crate) fn named(evaluator: &Evaluator<'_>, value: Value, name: &str, place: Place) -> Value {
    match &value {
        Value::Pattern(_) | Value::FromEvent(_) if value.is_tainted() => {
            let here = evaluator.site(place);
            let part = if matches!(value, Value::Pattern(_)) { "becomes part of" } else { "goes into" };
            let what: Rc<str> = format!("{part} `{name}`").into();
            change(&value, &|origin| origin.step(here, &what, Some(place)))
        }
        _ => value,
    }
}

/// A value that is handed to a local function.
pub(crate) fn handed(module: usize, value: Value, name: &str, place: Place) -> Value {
    match &value {
        Value::Pattern(_) | Value::FromEvent(_) if value.is_tainted() && place != Place::default() => {
            let what: Rc<str> = format!("is handed on as `{name}`").into();
            change(&value, &|origin| origin.step(site(module, place), &what, None))
        }
        _ => value,
    }
}

/// A value that was compared with constants or a whole pattern: from here on it counts as checked for these sinks.
pub(crate) fn checked(evaluator: &mut Evaluator<'_>, value: &Value, to: Harmless) {
    for origin in origins(&[value]) {
        if origin.source.is_empty() || origin.source.starts_with([ERROR, SECRET, FETCHED, RANDOM]) {
            continue;
        }
        // The host of an address was looked at for the address.
        let whole = [".hostname", ".host", ".netloc", ".origin"].iter().find_map(|end| origin.source.strip_suffix(end));
        if let Some(whole) = whole {
            *evaluator.record.checked.entry(whole.into()).or_default() |= to;
        }
        *evaluator.record.checked.entry(origin.source).or_default() |= to;
    }
}

/// A value and everything below it was held against a schema.
pub(crate) fn validated(evaluator: &mut Evaluator<'_>, value: &Value) {
    for origin in origins(&[value]) {
        evaluator.record.validated.insert(origin.source);
    }
}

/// Notes what of the event arrives in a sink.
pub(crate) fn sink(evaluator: &mut Evaluator<'_>, sink: Sink, value: &Value, place: Place) {
    let certain = value.alternatives().len() == 1;
    arrives(evaluator, sink, value, place, certain);
}

/// The same, with a doubt of the caller's.
pub(crate) fn arrives(evaluator: &mut Evaluator<'_>, sink: Sink, value: &Value, place: Place, certain: bool) {
    let mut values = Vec::new();
    flatten(evaluator, value, MAX_DEPTH, &mut values);
    let values: Vec<&Value> = values.iter().collect();
    let here = evaluator.site(place);
    for origin in origins(&values) {
        let source = &origin.source;
        let record = &evaluator.record;
        let bit = only(&[sink]);
        let below = |whole: &Name| {
            whole.is_empty()
                || source.strip_prefix(&**whole).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        if origin.harmless & bit != 0
            || record.checked.get(source).is_some_and(|to| to & bit != 0)
            || record.validated.iter().any(below)
                && !matches!(sink, Sink::PrivateLog | Sink::PlainStore | Sink::Identity | Sink::Store)
            || record.flows.len()
                >= if matches!(sink, Sink::Log | Sink::PrivateLog) { MAX_FLOWS_WITH_LOGS } else { MAX_FLOWS }
            || !travels(source, sink)
        {
            continue;
        }
        let steps = origin.steps();
        let flow = evaluator.record.flows.entry((here, sink, origin.source)).or_insert((steps, certain));
        flow.1 |= certain;
    }
}

/// Whether a source means anything to a sink.
fn travels(source: &str, sink: Sink) -> bool {
    match source.chars().next() {
        Some(STORED) => !matches!(
            sink,
            Sink::Log
                | Sink::PrivateLog
                | Sink::Amount
                | Sink::Identity
                | Sink::WholeRecord
                | Sink::PlainStore
                | Sink::Price
                | Sink::MemberName
                | Sink::CloudResource
                | Sink::Deserialize
                | Sink::Process
                | Sink::ResponseHeader
                | Sink::Redirect
                | Sink::Pattern
                | Sink::Recipient
        ),
        Some(ERROR | SECRET | CLAIM | ARCHIVE | FETCHED | RANDOM) => false,
        _ => sink != Sink::Answer,
    }
}

/// Notes what of the event is in a value that has left the code: at the last place of its way, unless it was noted before.
pub(crate) fn arrived(evaluator: &mut Evaluator<'_>, sink: Sink, value: &Value) {
    for origin in origins(&[value]) {
        if origin.harmless & only(&[sink]) != 0 {
            continue;
        }
        let known = evaluator.record.flows.keys().any(|(_, noted, source)| *noted == sink && *source == origin.source);
        let checked = evaluator.record.checked.get(&origin.source).is_some_and(|to| to & only(&[sink]) != 0);
        let mut steps = origin.steps();
        let last = steps.pop();
        if let Some((site, _)) = last
            && !known
            && travels(&origin.source, sink)
            && !checked
            && origin.harmless & only(&[sink]) == 0
            && evaluator.record.flows.len() < MAX_FLOWS
        {
            evaluator.record.flows.insert((site, sink, origin.source), (steps, false));
        }
    }
}

/// The values inside containers.
fn flatten(evaluator: &Evaluator<'_>, value: &Value, depth: usize, into: &mut Vec<Value>) {
    for one in value.alternatives() {
        match one {
            Value::Object(id) if depth > 0 => {
                let Some(object) = evaluator.heap.objects.get(*id) else { continue };
                let fields = object.fields.iter().map(|(_, value)| value);
                for inner in fields.chain(object.items.iter().flatten()).chain(&object.others).take(40) {
                    flatten(evaluator, inner, depth - 1, into);
                }
            }
            other if other.is_tainted() && into.len() < 60 => into.push(other.clone()),
            _ => {}
        }
    }
}
