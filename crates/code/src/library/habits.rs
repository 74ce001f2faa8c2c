//! Habits of control and state: comparisons that decide who may do what, loops without an end, what outlives an invocation,
//! what handlers of exceptions hand out.
//!
//! Deliberately absent: how often a loop runs in fact, and variables that every invocation sets before it reads them (those
//! are told as overwritten, for audits to weigh).

use crate::Language;
use crate::evaluate::Evaluator;
use crate::library::practices::{note, note_with};
use crate::library::records::{self, stack};
use crate::syntax::{Comparison, Expression, Kind, Name, Pattern, Place, Statement};
use crate::taint;
use crate::value::Value;
use crate::walk;
use graph::{PracticeKind, Sink, words};

/// Values of one comparison that are looked at.
const MAX_COMPARED: usize = 32;
/// Comparisons noted for one handler.
const MAX_COMPARISONS: usize = 2_000;
/// Records and errors that one call hands on, at most.
const MAX_HANDED_ON: usize = 16;

fn last_part(source: &str) -> &str {
    source.rsplit('.').next().unwrap_or(source)
}

fn is_claim(value: &Value) -> bool {
    taint::all_sources(value).iter().any(|source| taint::is_claim(source))
}

/// Whether a value says what the caller may do, and the caller says so.
fn role(evaluator: &mut Evaluator<'_>, value: &Value, place: Place) {
    for source in taint::all_sources(value) {
        // A record of who may do what is asked.
        if source.starts_with(taint::STORED) && source.split('.').any(words::is_role) {
            evaluator.record.checks_roles = true;
        }
        if !words::is_role(last_part(&source)) {
            continue;
        }
        if taint::is_claim(&source) {
            evaluator.record.checks_roles = true;
        } else if taint::is_event(&source) {
            taint::sink(evaluator, Sink::Identity, value, place);
        }
    }
}

/// `a == b`, `a < b`.
pub(crate) fn compared(evaluator: &mut Evaluator<'_>, how: Comparison, values: &[Value], place: Place) {
    // `a < b < c`: each is held against each.
    let values = values.get(..MAX_COMPARED).unwrap_or(values);
    let constant = |value: &Value| matches!(value, Value::Text(_) | Value::Number(_) | Value::Boolean(_));
    let any_claim = values.iter().any(is_claim);
    let any_constant = values.iter().any(constant);
    if any_claim && any_constant {
        evaluator.record.checks_roles = true;
    }
    if !any_constant && values.len() > 1 && evaluator.record.comparisons.len() < MAX_COMPARISONS {
        let stack = stack(evaluator);
        evaluator.record.comparisons.push((stack, any_claim));
    }
    if how == Comparison::Instance {
        return;
    }
    let of_event = values.iter().any(Value::is_of_event);
    // Who speaks in a conversation isn't who may do what.
    let speaks = values.iter().any(|value| {
        matches!(
            value.as_text(),
            Some("user" | "assistant" | "system" | "human" | "bot" | "ai" | "model" | "tool" | "function")
        )
    });
    for value in values {
        if !speaks {
            role(evaluator, value, place);
        }
        // What it is held against tells whose it is, where that is somebody.
        let whose = how == Comparison::Equality
            && values.iter().any(|other| {
                other != value && (is_claim(other) || of_event && !other.is_tainted() && !constant(other))
            });
        records::looked_at(evaluator, value, !whose);
        if how == Comparison::Order
            && value.is_of_event()
            && values.iter().any(|other| !other.is_of_event())
            && !evaluator.in_loop_head
        {
            taint::checked(evaluator, value, taint::only(&[Sink::Amount]));
        }
        let guards_members =
            values.iter().any(|other| matches!(other.as_text(), Some("__proto__" | "constructor" | "prototype")));
        if guards_members {
            taint::checked(evaluator, value, taint::only(&[Sink::MemberName]));
        }
    }
    let is_digest = |value: &Value| match value {
        Value::External(external) => {
            let path = external.path.to_ascii_lowercase();
            path.contains("hmac") && path.contains("digest")
        }
        _ => false,
    };
    if values.iter().any(is_digest) {
        evaluator.record.checks_signatures = true;
        if how == Comparison::Equality && of_event {
            note(evaluator, PracticeKind::TimedComparison, place);
        }
    }
}

/// `if value`.
pub(crate) fn tested(evaluator: &mut Evaluator<'_>, value: &Value, place: Place) {
    if value.is_tainted() {
        let told = taint::origins(&[value]).iter().all(|origin| origin.harmless == taint::NOTHING_LEFT);
        if !told {
            role(evaluator, value, place);
            records::looked_at(evaluator, value, true);
        }
    }
}

/// `key in container`.
pub(crate) fn contained(evaluator: &mut Evaluator<'_>, key: &Value, container: &Value, place: Place) {
    if is_claim(container) {
        evaluator.record.checks_roles = true;
    }
    if (is_claim(key) && !matches!(container, Value::Text(_))) || is_claim(container) && key.is_tainted() {
        let stack = stack(evaluator);
        evaluator.record.comparisons.push((stack, true));
    }
    role(evaluator, container, place);
}

/// What a handler of exceptions has in hand.
pub(crate) fn caught(evaluator: &Evaluator<'_>, types: Option<&Value>) -> Value {
    let broad = match types {
        None => true,
        Some(types) => {
            let any = |one: &Value| match one {
                Value::External(external) => matches!(
                    external.path.rsplit('.').next().unwrap_or(""),
                    "Exception"
                        | "BaseException"
                        | "ClientError"
                        | "BotoCoreError"
                        | "DatabaseError"
                        | "OperationalError"
                        | "Error"
                        | "RequestException"
                        | "ProgrammingError"
                ),
                _ => false,
            };
            match evaluator.items(types) {
                Some(items) => items.iter().any(any),
                None => types.alternatives().iter().any(any),
            }
        }
    };
    taint::made(format!("{}{}", taint::ERROR, if broad { "*" } else { "" }))
}

/// Whether a value has the text of any exception in it.
pub(crate) fn tells_errors(evaluator: &Evaluator<'_>, value: &Value) -> bool {
    let broad = format!("{}*", taint::ERROR);
    taint::inside(evaluator, value)
        .iter()
        .any(|one| taint::all_sources(one).iter().any(|source| source.starts_with(&broad)))
}

/// What the caller gets: the text of an exception, the environment.
///
/// A function that makes answers of whatever it is given does nothing wrong: what it was given there is told where it is
/// called.
pub(crate) fn answered(evaluator: &mut Evaluator<'_>, value: &Value, place: Place) {
    let mut at = (evaluator.module(), place);
    let mut outer = evaluator.frames.len();
    while let Some(index) = outer.checked_sub(1) {
        let Some(called_at) = evaluator.frames.get(index).and_then(|frame| frame.called_at) else { break };
        if !was_given(evaluator, index, value) {
            break;
        }
        if let Some(frame) = evaluator.frames.get_mut(index)
            && frame.handed_on.len() < MAX_HANDED_ON
            && !frame.handed_on.contains(value)
        {
            frame.handed_on.push(value.clone());
        }
        at = called_at;
        outer = index;
    }
    evaluator.enter_module(at.0);
    answered_there(evaluator, value, at.1);
    evaluator.leave_module();
}

/// Whether what is told in an answer was handed to the function that runs in a frame. Functions that are given an error by
/// that name choose themselves what they tell of it.
fn was_given(evaluator: &Evaluator<'_>, index: usize, value: &Value) -> bool {
    let Some(frame) = evaluator.frames.get(index) else { return false };
    let Some(file) = evaluator.modules.get(frame.module).map(|module| &module.file) else { return false };
    let function = frame.function.and_then(|function| file.module.functions.get(function));
    let tells = tells_errors(evaluator, value);
    let stored = stored(evaluator, value);
    let environment = holds_environment(evaluator, value);
    if !tells && stored.is_empty() && !environment {
        return false;
    }
    function.into_iter().flat_map(|function| &function.parameters).any(|parameter| {
        let Pattern::Name(name) = &parameter.target else { return false };
        let Some(given) = evaluator.heap.variable(frame.scope, name) else { return false };
        let lower = name.to_ascii_lowercase();
        let is_error =
            matches!(&*lower, "e" | "ex" | "err" | "exc") || lower.contains("error") || lower.contains("exception");
        tells && !is_error && tells_errors(evaluator, given)
            || !stored.is_empty() && self::stored(evaluator, given).iter().any(|one| stored.contains(one))
            || environment && holds_environment(evaluator, given)
    })
}

/// Which whole records of stores are in a value.
fn stored(evaluator: &Evaluator<'_>, value: &Value) -> Vec<Name> {
    let whole =
        |source: &Name| source.starts_with(taint::STORED) && (source.ends_with(":Item") || source.ends_with(":Items"));
    taint::inside(evaluator, value).iter().flat_map(taint::all_sources).filter(whole).collect()
}

fn answered_there(evaluator: &mut Evaluator<'_>, value: &Value, place: Place) {
    if tells_errors(evaluator, value) {
        let trace = format!("{}*stack", taint::ERROR);
        let traced = taint::inside(evaluator, value)
            .iter()
            .any(|one| taint::all_sources(one).iter().any(|source| **source == *trace));
        note(evaluator, if traced { PracticeKind::StackTrace } else { PracticeKind::ErrorText }, place);
    }
    // A record as it was read, with whatever is in it.
    for one in taint::inside(evaluator, value) {
        let whole = taint::all_sources(&one).iter().any(|source| {
            source.starts_with(taint::STORED) && (source.ends_with(":Item") || source.ends_with(":Items"))
        });
        if whole {
            taint::sink(evaluator, Sink::Answer, &one, place);
        }
    }
    if holds_environment(evaluator, value) {
        note_with(evaluator, PracticeKind::EnvironmentExposed, place, "response", None);
    }
}

/// Whether a value is or has all of the environment.
pub(crate) fn is_environment(evaluator: &Evaluator<'_>, value: &Value) -> bool {
    let source = format!("{}environment", taint::SECRET);
    taint::inside(evaluator, value).iter().any(|one| taint::all_sources(one).iter().any(|found| **found == *source))
}

/// Whether a value is all of the environment, or something with that in it.
pub(crate) fn holds_environment(evaluator: &Evaluator<'_>, value: &Value) -> bool {
    let is_it =
        |one: &Value| matches!(one, Value::External(all) if matches!(all.path.as_str(), "process.env" | "os.environ"));
    value.alternatives().iter().any(|one| is_it(one) || evaluator.fields(one).iter().any(|(_, field)| is_it(field)))
        || is_environment(evaluator, value)
}

/// Names under which services hand out the next page.
const PAGES: [&str; 14] = [
    "LastEvaluatedKey",
    "ExclusiveStartKey",
    "NextToken",
    "nextToken",
    "next_token",
    "NextContinuationToken",
    "ContinuationToken",
    "NextMarker",
    "Marker",
    "IsTruncated",
    "nextPageToken",
    "pageToken",
    "StartAfter",
    "nextForwardToken",
];

/// A loop over pages that asks for the same page for ever, or one that nothing ends.
pub(crate) fn endless(evaluator: &mut Evaluator<'_>, test: &Expression, body: &[Statement]) {
    let mut always = matches!(&test.kind, Kind::Boolean(true) | Kind::Number(1));
    if let Kind::Test(inner) = &test.kind {
        always |= matches!(&inner.kind, Kind::Boolean(true) | Kind::Number(1));
    }
    if always {
        let mut ends = false;
        walk::statements(body, &mut |statement| {
            ends |= matches!(statement, Statement::Return(_) | Statement::Stop | Statement::Break);
        });
        walk::expressions(body, &mut |expression| {
            ends |= match &expression.kind {
                Kind::Yield(_) => true,
                Kind::Call { callee, .. } => {
                    matches!(&callee.kind, Kind::Member { name, .. } if matches!(&**name, "exit" | "_exit" | "abort"))
                        || matches!(&callee.kind, Kind::Name(name) if matches!(&**name, "exit" | "quit"))
                }
                _ => false,
            };
        });
        if !ends {
            note(evaluator, PracticeKind::EndlessLoop, test.place);
        }
        return;
    }
    let (mut asked, mut over) = (None::<Name>, None::<Name>);
    walk::expression(test, &mut |expression| match &expression.kind {
        Kind::Text(text) if PAGES.contains(&&**text) => asked = Some(text.clone()),
        Kind::Member { name, .. } if PAGES.contains(&&**name) => asked = Some(name.clone()),
        Kind::Name(name) => over = Some(name.clone()),
        _ => {}
    });
    let (Some(page), Some(over)) = (asked, over) else { return };
    let (mut mentions, mut calls) = (false, false);
    walk::expressions(body, &mut |expression| match &expression.kind {
        Kind::Text(text) => mentions |= PAGES.contains(&&**text),
        Kind::Member { name, .. } => mentions |= PAGES.contains(&&**name),
        Kind::Call { arguments, .. } => {
            mentions |=
                arguments.iter().any(|argument| argument.name.as_ref().is_some_and(|name| PAGES.contains(&&**name)));
            // What the loop looks at is handed to something that may look for the page itself.
            mentions |=
                arguments.iter().any(|argument| matches!(&argument.value.kind, Kind::Name(name) if *name == over));
        }
        Kind::Assign(target, value) => calls |= sets(target, &over) && has_call(value),
        _ => {}
    });
    walk::statements(body, &mut |statement| {
        if let Statement::Assign { target, value, .. } = statement {
            calls |= sets(target, &over) && has_call(value);
        }
    });
    if calls && !mentions {
        note_with(evaluator, PracticeKind::EndlessLoop, test.place, &*page, None);
    }
}

fn sets(target: &crate::syntax::Pattern, name: &Name) -> bool {
    matches!(target, crate::syntax::Pattern::Name(found) if found == name)
}

fn has_call(value: &Expression) -> bool {
    let mut found = false;
    walk::expression(value, &mut |expression| found |= matches!(expression.kind, Kind::Call { .. }));
    found
}

/// How often a loop runs, where the caller says so.
pub(crate) fn bound(evaluator: &mut Evaluator<'_>, test: &Expression) {
    let mut at = test;
    while let Kind::Test(inner) = &at.kind {
        at = inner;
    }
    let Kind::Compare(Comparison::Order, parts) = &at.kind else { return };
    let before = std::mem::replace(&mut evaluator.in_loop_head, true);
    for part in parts {
        let value = evaluator.expression(part);
        taint::sink(evaluator, Sink::Amount, &value, test.place);
    }
    evaluator.in_loop_head = before;
}

/// A variable of the module gets something of the event.
pub(crate) fn outlives(evaluator: &mut Evaluator<'_>, value: &Value, name: &Name, grows: bool) {
    let sources: Vec<Name> =
        taint::inside(evaluator, value).iter().flat_map(taint::sources).filter(|source| !source.is_empty()).collect();
    let told =
        taint::origins(&[value]).iter().all(|origin| origin.harmless == taint::NOTHING_LEFT) && value.is_tainted();
    if sources.is_empty() || told {
        return;
    }
    let Some(place) = evaluator.statement_place else { return };
    let how = if grows {
        "grows"
    } else if evaluator.heap.in_branch() {
        "stays"
    } else {
        "is overwritten"
    };
    note_with(evaluator, PracticeKind::SharedState, place, format!("{name} {how}"), None);
}

/// A field of something that is there as long as the module.
pub(crate) fn field_outlives(
    evaluator: &mut Evaluator<'_>,
    object: &Value,
    key: Option<&str>,
    value: &Value,
    place: Place,
) {
    let Some(key) = key else { return };
    let lasting = object.alternatives().iter().any(|one| match one {
        Value::Object(id) => evaluator.heap.objects.get(*id).is_some_and(|object| object.lasting),
        _ => false,
    });
    if lasting && !evaluator.heap.loading {
        let before = evaluator.statement_place.replace(place);
        outlives(evaluator, value, &key.into(), false);
        evaluator.statement_place = before;
    }
}

/// A list of the module gets something of the event.
pub(crate) fn grows(evaluator: &mut Evaluator<'_>, list: usize, value: &Value, place: Place) {
    let lasting = evaluator.heap.objects.get(list).is_some_and(|object| object.lasting);
    if lasting && !evaluator.heap.loading {
        let before = evaluator.statement_place.replace(place);
        outlives(evaluator, value, &"a list".into(), true);
        evaluator.statement_place = before;
    }
}

/// `object[name] = value` where the event has a say in the name.
pub(crate) fn member_write(
    evaluator: &mut Evaluator<'_>,
    object: &Expression,
    index: &Value,
    value: &Value,
    place: Place,
) {
    if evaluator.language != Language::JavaScript || !index.is_of_event() {
        return;
    }
    // `object[a][b] = c` reaches what all objects share.
    if let Kind::Index { index: outer, .. } = &object.kind {
        let outer = evaluator.expression(outer);
        if outer.is_of_event() {
            taint::sink(evaluator, Sink::MemberName, &outer, place);
        }
    }
    let function = evaluator.frames.last().and_then(|frame| Some((frame.module, frame.function?)));
    if let Some(function) = function
        && evaluator.record.member_writes.len() < 200
    {
        let both = taint::derived(&[index, value]);
        evaluator.record.member_writes.push((place, function, both));
    }
}

/// What can be told only when everything has run.
pub(crate) fn finish(evaluator: &mut Evaluator<'_>) {
    // A copy that goes into what it finds takes shared parents along.
    for (place, function, value) in std::mem::take(&mut evaluator.record.member_writes) {
        if evaluator.record.recursive.contains(&function) {
            evaluator.enter_module(function.0);
            taint::sink(evaluator, Sink::MemberName, &value, place);
            evaluator.leave_module();
        }
    }
    if !evaluator.record.removes_files {
        for site in std::mem::take(&mut evaluator.record.scratch) {
            let note = crate::record::Note { detail: String::new(), related: None, reachable: true };
            evaluator.record.practices.entry((site, PracticeKind::LeftoverFile)).or_insert(note);
        }
    }
    // Who is never refused is let in, whoever it is.
    for site in std::mem::take(&mut evaluator.record.allows) {
        let text = evaluator.modules.get(site.0).map_or("", |module| module.file.text.as_str());
        let refuses = ["Deny", "deny", "Unauthorized", "raise ", "throw ", "verify", "False", "false"]
            .iter()
            .any(|word| text.contains(word));
        if !refuses {
            let note = crate::record::Note { detail: String::new(), related: None, reachable: true };
            evaluator.record.practices.entry((site, PracticeKind::AllowsEveryone)).or_insert(note);
        }
    }
    // A trace says all that the message says.
    let traces: Vec<_> = evaluator
        .record
        .practices
        .keys()
        .filter(|(_, kind)| *kind == PracticeKind::StackTrace)
        .map(|(site, _)| *site)
        .collect();
    evaluator.record.practices.retain(|(site, kind), _| {
        *kind != PracticeKind::ErrorText
            || !traces.iter().any(|trace| trace.0 == site.0 && trace.1.abs_diff(site.1) < 200)
    });
}
