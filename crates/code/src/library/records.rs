//! Records of tables, objects of buckets and rows of databases: what they are found by, what is put into them, and what is
//! read and then written again without a condition. Who may do so is for the audits to say.
//!
//! Deliberately absent: what batches and transactions touch besides what they put, and joins of SQL.

use crate::evaluate::{AFTER, Evaluator};
use crate::library::cloud::Parameters;
use crate::library::practices;
use crate::record::{Access, Read, Stack, Stored};
use crate::syntax::{Name, Place};
use crate::taint;
use crate::value::{Answer, External, Value};
use facts::Operation;
use graph::{AccessKind, CallTarget, PracticeKind, Sink, words};
use std::rc::Rc;

/// Accesses, reads and fillings of stores noted for one handler, each.
const MAX_NOTED: usize = 400;
/// Conditions inside one another.
const MAX_DEPTH: usize = 8;

pub(crate) fn stack(evaluator: &Evaluator<'_>) -> Stack {
    evaluator.frames.iter().filter_map(|frame| Some((frame.module, frame.function?))).collect()
}

/// `Attr("a").eq(b) & Attr("c").lt(d)`: both count.
pub(crate) fn conditions(values: &[Value]) -> Option<Value> {
    let is_condition =
        |value: &Value| matches!(value, Value::External(one) if one.path.starts_with("boto3.dynamodb.conditions"));
    values.iter().any(is_condition).then(|| {
        let path = "boto3.dynamodb.conditions.And()".to_string();
        Value::External(Rc::new(External { path, carried: values.to_vec() }))
    })
}

/// A part of what an operation answered.
pub(crate) fn part(evaluator: &Evaluator<'_>, answer: &Answer, name: &str) -> Value {
    let operation = answer.operation.name();
    let parameter = matches!(operation, "GetParameter" | "GetParameters" | "GetParametersByPath");
    if parameter && answer.read.is_none() {
        return Value::Unknown;
    }
    if parameter || matches!(operation, "GetSecretValue" | "Decrypt") {
        let secret = matches!(name, "SecretString" | "SecretBinary" | "Parameter" | "Parameters" | "Plaintext");
        return if secret { taint::made(format!("{}{operation}", taint::SECRET)) } else { Value::Unknown };
    }
    let Some(index) = answer.read else { return Value::Unknown };
    let holds = matches!(
        name,
        "Item"
            | "Items"
            | "Attributes"
            | "Responses"
            | "Body"
            | "Contents"
            | "Messages"
            | "Records"
            | "Key"
            | "Metadata"
    );
    match evaluator.record.reads.get(index) {
        Some(read) if holds => taint::read(format!("{}{index}:{name}", taint::STORED).into(), read.site),
        _ => Value::Unknown,
    }
}

/// Notes what an operation does to records; gives the index of the read, where it is one.
pub(crate) fn note(
    evaluator: &mut Evaluator<'_>,
    operation: Operation,
    parameters: &Parameters<'_>,
    target: &Value,
    place: Place,
) -> Option<usize> {
    let service = operation.service().boto3();
    let name = operation.name();
    let targets = target.targets();
    special(evaluator, service, name, parameters, place);
    let known = |evaluator: &Evaluator<'_>, name: &str| parameters.known(evaluator, name);
    let kind = match (service, name) {
        ("dynamodb", "GetItem" | "Query") | ("s3", "GetObject" | "HeadObject") => Some(AccessKind::Read),
        ("dynamodb", "PutItem") | ("s3", "PutObject") => Some(AccessKind::Write),
        ("dynamodb", "UpdateItem") => Some(AccessKind::Change),
        ("dynamodb", "DeleteItem") | ("s3", "DeleteObject") => Some(AccessKind::Delete),
        _ => None,
    };
    let mut key: Vec<(Name, Value)> = Vec::new();
    if let Some(kind) = kind {
        if service == "s3" {
            key.extend(known(evaluator, "Key").map(|value| ("Key".into(), value)));
        } else if let Some(value) = known(evaluator, "Key") {
            key = entries(evaluator, &value);
        } else if name == "Query" {
            key = query(evaluator, parameters);
        } else if let Some(item) = known(evaluator, "Item") {
            key = entries(evaluator, &item);
            whole(evaluator, &item, place);
            private(evaluator, &key, place);
        }
        let around = ["ExpressionAttributeValues", "ConditionExpression", "FilterExpression", "KeyConditionExpression"];
        let around: Vec<Value> = around.iter().filter_map(|name| known(evaluator, name)).collect();
        let conditional = known(evaluator, "ConditionExpression").is_some() || known(evaluator, "Expected").is_some();
        if matches!(kind, AccessKind::Change | AccessKind::Write | AccessKind::Delete) && service == "dynamodb" {
            race(evaluator, kind, &targets, &key, parameters, conditional, place);
        }
        access(evaluator, kind, (service, name), &targets, &key, &around, conditional, place);
    }
    fill(evaluator, (service, name), parameters, &targets, place);
    let reads = matches!(
        (service, name),
        ("dynamodb", "GetItem" | "Query" | "Scan" | "BatchGetItem" | "TransactGetItems" | "ExecuteStatement")
            | ("s3", "GetObject" | "ListObjects" | "ListObjectsV2")
            | ("sqs", "ReceiveMessage")
            | ("kinesis", "GetRecords")
    ) || service == "ssm" && known(evaluator, "WithDecryption") == Some(Value::Boolean(true));
    if !reads || evaluator.record.reads.len() >= MAX_NOTED {
        return None;
    }
    let site = evaluator.site(place);
    if let Some(index) = evaluator.record.reads.iter().position(|read| read.site == site && read.targets == targets) {
        return Some(index);
    }
    let arms = evaluator.frames.last().map(|frame| frame.arms.clone()).unwrap_or_default();
    let stack = stack(evaluator);
    evaluator.record.reads.push(Read { service, targets, site, key, stack, arms });
    Some(evaluator.record.reads.len() - 1)
}

/// The names and values of a dictionary, DynamoDB's types taken off.
fn entries(evaluator: &Evaluator<'_>, value: &Value) -> Vec<(Name, Value)> {
    let mut found = Vec::new();
    for one in value.alternatives() {
        match one {
            Value::Object(id) => {
                for (name, value) in evaluator.fields(one) {
                    let inner = match &value {
                        Value::Object(_) => {
                            let typed = evaluator.fields(&value);
                            match typed.as_slice() {
                                [(name, inner)] if matches!(&**name, "S" | "N" | "B" | "BOOL") => inner.clone(),
                                _ => value,
                            }
                        }
                        _ => value,
                    };
                    found.push((if &*name == "\0key" { "".into() } else { name }, inner));
                }
                if let Some(others) = evaluator.heap.objects.get(*id).and_then(|object| object.others.clone())
                    && others.is_tainted()
                {
                    found.push(("".into(), others));
                }
            }
            other if other.is_tainted() => found.push(("".into(), other.clone())),
            _ => {}
        }
    }
    found
}

/// What the condition on the key compares.
fn query(evaluator: &mut Evaluator<'_>, parameters: &Parameters<'_>) -> Vec<(Name, Value)> {
    let Some(condition) = parameters.known(evaluator, "KeyConditionExpression") else { return Vec::new() };
    let mut found = Vec::new();
    built(&condition, MAX_DEPTH, &mut found);
    let Some(text) = condition.as_text() else { return found };
    let values = parameters.known(evaluator, "ExpressionAttributeValues").unwrap_or(Value::Unknown);
    let names = parameters.known(evaluator, "ExpressionAttributeNames").unwrap_or(Value::Unknown);
    for (token, value) in entries(evaluator, &values) {
        match attribute_of(text, &token) {
            Some(name) if name.starts_with('#') => {
                let real = evaluator.own_field(&names, &name).and_then(|value| value.as_text().map(Name::from));
                found.push((real.unwrap_or_else(|| name.trim_start_matches('#').into()), value));
            }
            Some(name) => found.push((name.into(), value)),
            None if token.is_empty() => found.push((token, value)),
            None => {}
        }
    }
    found
}

/// `Key("a").eq(b)`.
fn built(condition: &Value, depth: usize, found: &mut Vec<(Name, Value)>) {
    let Value::External(external) = condition else { return };
    if depth == 0 || !external.path.starts_with("boto3.dynamodb.conditions") {
        return;
    }
    if external.path.ends_with("And()") {
        external.carried.iter().for_each(|part| built(part, depth - 1, found));
        return;
    }
    if let Some((name, values)) = external.carried.split_last() {
        let name: Name = name.as_text().unwrap_or("").into();
        found.extend(values.iter().map(|value| (name.clone(), value.clone())));
    }
}

/// The attribute that a placeholder is compared with or written to: `owner = :o`, `begins_with(owner, :o)`.
fn attribute_of(expression: &str, token: &str) -> Option<String> {
    if !token.starts_with(':') {
        return None;
    }
    let at = expression.match_indices(token).map(|(at, _)| at).find(|at| {
        let after = expression.get(at + token.len()..).and_then(|rest| rest.chars().next());
        !after.is_some_and(|character| character.is_alphanumeric() || character == '_')
    })?;
    let before = expression.get(..at)?.trim_end();
    let before = before.trim_end_matches(['=', '<', '>', ',', '+', '-', '(']).trim_end();
    let before = before.strip_suffix("BETWEEN").or_else(|| before.strip_suffix("between")).unwrap_or(before).trim_end();
    let word = before
        .rsplit(|character: char| !(character.is_alphanumeric() || matches!(character, '_' | '#' | '.' | '-')))
        .next()?;
    (!word.is_empty()).then(|| word.to_string())
}

#[allow(clippy::too_many_arguments)] // one place calls it, and all of it is of the one operation
fn access(
    evaluator: &mut Evaluator<'_>,
    kind: AccessKind,
    (service, operation): (&'static str, &'static str),
    targets: &[CallTarget],
    key: &[(Name, Value)],
    around: &[Value],
    conditional: bool,
    place: Place,
) {
    if evaluator.record.accesses.len() >= MAX_NOTED || evaluator.in_dead_code {
        return;
    }
    let is_claim = |value: &Value| taint::all_sources(value).iter().any(|source| taint::is_claim(source));
    let mut inside: Vec<Value> = key.iter().map(|(_, value)| value.clone()).collect();
    for value in around {
        let mut compared = Vec::new();
        built(value, MAX_DEPTH, &mut compared);
        inside.extend(compared.into_iter().map(|(_, value)| value));
        inside.extend(entries(evaluator, value).into_iter().map(|(_, value)| value));
    }
    let of_caller = inside.iter().any(is_claim);
    let event_parts = |value: &Value| -> Vec<Name> {
        taint::sources(value).into_iter().filter(|source| !taint::is_claim(source)).collect()
    };
    // A name of its own in front keeps objects apart.
    let unguessable = service == "s3"
        && key.iter().any(|(_, value)| {
            matches!(value, Value::Pattern(parts) if parts.iter().take_while(|part| !part.is_of_event()).any(|part| *part == Value::Unknown))
        });
    if unguessable {
        return;
    }
    let names: Vec<(Name, Vec<Name>)> = key.iter().map(|(name, value)| (name.clone(), event_parts(value))).collect();
    let of_event = names.iter().any(|(_, sources)| !sources.is_empty());
    if !of_event {
        return;
    }
    let way = key.iter().find_map(|(_, value)| {
        let origin = taint::origins(&[value]).into_iter().find(|origin| taint::is_event(&origin.source))?;
        Some(origin.steps())
    });
    let access = Access {
        kind,
        service,
        operation,
        target: targets.first().cloned().unwrap_or(CallTarget::Unknown),
        key: names,
        of_caller,
        conditional,
        way: way.unwrap_or_default(),
        site: evaluator.site(place),
        stack: stack(evaluator),
    };
    let same = |other: &Access| {
        other.site == access.site
            && other.key == access.key
            && other.stack == access.stack
            && other.of_caller == of_caller
    };
    if !evaluator.record.accesses.iter().any(same) {
        evaluator.record.accesses.push(access);
    }
}

/// A whole record that the caller wrote, with whatever fields it has.
fn whole(evaluator: &mut Evaluator<'_>, item: &Value, place: Place) {
    for one in item.alternatives() {
        match one {
            Value::Event(_) | Value::FromEvent(_) => taint::sink(evaluator, Sink::WholeRecord, one, place),
            Value::Object(id) => {
                let others = evaluator.heap.objects.get(*id).and_then(|object| object.others.clone());
                if let Some(others) = others {
                    taint::sink(evaluator, Sink::WholeRecord, &others, place);
                }
            }
            _ => {}
        }
    }
}

/// Passwords, card numbers and prices as the caller wrote them.
fn private(evaluator: &mut Evaluator<'_>, fields: &[(Name, Value)], place: Place) {
    for (name, value) in fields {
        let parts = match value {
            Value::Object(_) => evaluator.fields(value),
            _ => vec![(name.clone(), value.clone())],
        };
        for (name, value) in parts {
            let replaced = taint::sources(&value).iter().any(|source| {
                let last = source.rsplit('.').next().unwrap_or("").to_ascii_lowercase();
                ["token", "hash", "last4", "masked", "encrypted", "reference"].iter().any(|word| last.contains(word))
            });
            if is_kept_secret(&name) && !replaced {
                taint::sink(evaluator, Sink::PlainStore, &value, place);
            }
            if words::is_price(&name)
                && taint::sources(&value).iter().any(|source| words::is_price(source.rsplit('.').next().unwrap_or("")))
            {
                taint::sink(evaluator, Sink::Price, &value, place);
            }
        }
    }
}

/// What has to be hashed, encrypted or not kept at all; tokens and cookies are kept by those who make them.
fn is_kept_secret(name: &str) -> bool {
    let lower: String =
        name.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    words::is_private(name)
        && [
            "password",
            "passwd",
            "pwd",
            "passphrase",
            "passcode",
            "pin",
            "card",
            "cvv",
            "cvc",
            "ccn",
            "pan",
            "ssn",
            "socialsecurity",
            "iban",
            "passport",
            "secret",
            "nationalid",
            "taxid",
            "bankaccount",
            "accountnumber",
        ]
        .iter()
        .any(|word| {
            if word.len() <= 3 {
                lower == *word || lower.ends_with(word) && lower.starts_with("card")
            } else {
                lower.contains(word)
            }
        })
}

/// A record that is read, looked at and then written, where nothing makes sure that it is still what was looked at.
fn race(
    evaluator: &mut Evaluator<'_>,
    kind: AccessKind,
    targets: &[CallTarget],
    key: &[(Name, Value)],
    parameters: &Parameters<'_>,
    conditional: bool,
    place: Place,
) {
    if conditional {
        return;
    }
    let same_key = |read: &Read| match kind {
        // What is put holds its key among the rest.
        AccessKind::Write => read.key.iter().all(|part| key.contains(part)),
        _ => read.key == key,
    };
    let candidates: Vec<usize> = (0..evaluator.record.reads.len())
        .filter(|index| {
            evaluator.record.reads.get(*index).is_some_and(|read| {
                read.service == "dynamodb"
                    && !read.key.is_empty()
                    && read.targets == targets
                    && same_key(read)
                    && !is_elsewhere(evaluator, read)
            })
        })
        .collect();
    if candidates.is_empty() {
        return;
    }
    let mut written: Vec<Value> = Vec::new();
    for name in ["ExpressionAttributeValues", "Item"] {
        if let Some(value) = parameters.known(evaluator, name) {
            written.extend(entries(evaluator, &value).into_iter().map(|(_, value)| value));
        }
    }
    let from_read = |index: usize| {
        let start = format!("{}{index}:", taint::STORED);
        written.iter().any(|value| {
            // A copy is no calculation; a sum is put together like text.
            let calculated = matches!(value, Value::Pattern(_));
            taint::origins(&[value])
                .iter()
                .any(|origin| origin.source.starts_with(&start) && (calculated || origin.harmless == taint::EVERYWHERE))
        })
    };
    for index in candidates {
        let looked = evaluator.record.looked.iter().find(|looked| looked.read == index && looked.state);
        let detail = match looked {
            Some(looked) => looked.attribute.clone(),
            // Worked out from what was read: a counter, a balance.
            None if from_read(index) => String::new(),
            None => continue,
        };
        let related = evaluator.record.reads.get(index).map(|read| read.site);
        practices::note_with(evaluator, PracticeKind::CheckThenWrite, place, detail, related);
        return;
    }
}

/// Whether what runs now never runs together with a read: another arm of a branch, or after one that didn't come back.
fn is_elsewhere(evaluator: &Evaluator<'_>, read: &Read) -> bool {
    let Some(frame) = evaluator.frames.last() else { return false };
    stack(evaluator) == read.stack
        && read.arms.iter().any(|one| {
            frame
                .arms
                .iter()
                .any(|now| now.0 == one.0 && now.1 != one.1 && (now.1 != AFTER || frame.left.contains(one)))
        })
}

/// Notes that a decision rests on a part of what was read.
pub(crate) fn looked_at(evaluator: &mut Evaluator<'_>, value: &Value, state: bool) {
    for source in taint::all_sources(value) {
        let Some((index, path)) = source.strip_prefix(taint::STORED).and_then(|rest| rest.split_once(':')) else {
            continue;
        };
        let Ok(read) = index.parse() else { continue };
        let attribute = path.split('.').nth(1).unwrap_or("").to_string();
        if evaluator.record.looked.len() < MAX_NOTED && !attribute.is_empty() {
            let state = state && !words::is_identity(&attribute) && !words::is_private(&attribute);
            evaluator.record.looked.push(crate::record::Looked { read, attribute, state });
        }
    }
}

/// What of the event an operation puts where others read it.
fn fill(
    evaluator: &mut Evaluator<'_>,
    (service, name): (&'static str, &'static str),
    parameters: &Parameters<'_>,
    targets: &[CallTarget],
    place: Place,
) {
    let members: &[&str] = match (service, name) {
        ("dynamodb", "PutItem") => &["Item"],
        ("dynamodb", "UpdateItem") => &["ExpressionAttributeValues"],
        ("dynamodb", "BatchWriteItem") => &["RequestItems"],
        ("dynamodb", "TransactWriteItems") => &["TransactItems"],
        ("s3", "PutObject") => &["Body", "Key"],
        ("sqs", "SendMessage") => &["MessageBody", "MessageAttributes"],
        ("sqs", "SendMessageBatch") => &["Entries"],
        ("sns", "Publish") => &["Message", "Subject", "MessageAttributes"],
        ("events", "PutEvents") => &["Entries"],
        ("kinesis", "PutRecord") => &["Data"],
        ("kinesis", "PutRecords") | ("firehose", "PutRecord" | "PutRecordBatch") => &["Records", "Record"],
        ("stepfunctions", "StartExecution" | "StartSyncExecution") => &["input"],
        ("lambda", "Invoke" | "InvokeAsync") => &["Payload", "InvokeArgs"],
        _ => return,
    };
    let target = targets.first().cloned().unwrap_or(CallTarget::Unknown);
    let update = parameters.known(evaluator, "UpdateExpression");
    let names = parameters.known(evaluator, "ExpressionAttributeNames").unwrap_or(Value::Unknown);
    for member in members {
        let Some(value) = parameters.known(evaluator, member) else { continue };
        let split = service == "dynamodb" && matches!(name, "PutItem" | "UpdateItem");
        let parts = match split {
            true => entries(evaluator, &value),
            false => vec![("".into(), value)],
        };
        for (attribute, value) in parts {
            let attribute: Option<String> = match attribute.starts_with(':') {
                true => update.as_ref().and_then(Value::as_text).and_then(|text| attribute_of(text, &attribute)).map(
                    |name| {
                        let real = evaluator.own_field(&names, &name);
                        real.as_ref().and_then(Value::as_text).unwrap_or(name.trim_start_matches('#')).to_string()
                    },
                ),
                false => Some(attribute.to_string()).filter(|name| !name.is_empty()),
            };
            let all = taint::inside(evaluator, &value);
            let refs: Vec<&Value> = all.iter().collect();
            for origin in taint::origins(&refs) {
                let known = evaluator.record.stores.iter().any(|stored| {
                    stored.site == evaluator.site(place)
                        && stored.source == origin.source
                        && stored.attribute == attribute
                });
                let checked = evaluator
                    .record
                    .checked
                    .get(&origin.source)
                    .is_some_and(|to| *to & taint::EVERYWHERE == taint::EVERYWHERE);
                if known
                    || checked
                    || !taint::is_event(&origin.source)
                    || taint::is_claim(&origin.source)
                    || origin.harmless & taint::EVERYWHERE == taint::EVERYWHERE
                    || evaluator.record.stores.len() >= MAX_NOTED
                {
                    continue;
                }
                let stored = Stored {
                    service,
                    target: target.clone(),
                    attribute: attribute.clone(),
                    source: origin.source.clone(),
                    way: origin.steps(),
                    site: evaluator.site(place),
                };
                evaluator.record.stores.push(stored);
            }
        }
    }
}

/// What some operations have that others don't: receivers of mail, access lists, passwords.
fn special(evaluator: &mut Evaluator<'_>, service: &str, name: &str, parameters: &Parameters<'_>, place: Place) {
    let known = |evaluator: &Evaluator<'_>, name: &str| parameters.known(evaluator, name);
    match (service, name) {
        ("s3", _) => {
            let open = known(evaluator, "ACL").or_else(|| {
                let extra = known(evaluator, "ExtraArgs")?;
                evaluator.own_field(&extra, "ACL")
            });
            if open.is_some_and(|acl| {
                acl.alternatives().iter().any(|one| matches!(one.as_text(), Some("public-read" | "public-read-write")))
            }) {
                practices::note(evaluator, PracticeKind::PublicObject, place);
            }
            let kind = known(evaluator, "ContentType").or_else(|| {
                let extra = known(evaluator, "ExtraArgs")?;
                evaluator.own_field(&extra, "ContentType")
            });
            let is_page = kind
                .is_some_and(|kind| kind.prefix().is_some_and(|text| text.contains("html") || text.contains("svg")));
            if is_page && let Some(body) = known(evaluator, "Body") {
                taint::sink(evaluator, Sink::Html, &body, place);
            }
        }
        ("ses" | "sesv2", "SendEmail" | "SendRawEmail" | "SendTemplatedEmail" | "SendBulkTemplatedEmail") => {
            if let Some(to) = known(evaluator, "Destination").or_else(|| known(evaluator, "Destinations")) {
                taint::sink(evaluator, Sink::Recipient, &to, place);
            }
            let html = known(evaluator, "Message")
                .or_else(|| known(evaluator, "Content").and_then(|content| evaluator.own_field(&content, "Simple")))
                .and_then(|message| evaluator.own_field(&message, "Body"))
                .and_then(|body| evaluator.own_field(&body, "Html"))
                .and_then(|html| evaluator.own_field(&html, "Data"));
            if let Some(html) = html {
                taint::sink(evaluator, Sink::Html, &html, place);
            }
        }
        ("sns", "Publish") => {
            if let Some(to) = known(evaluator, "PhoneNumber") {
                taint::sink(evaluator, Sink::Recipient, &to, place);
            }
        }
        ("cognito-idp", _) => {
            for member in ["TemporaryPassword", "Password"] {
                if known(evaluator, member).is_some_and(|value| value.as_text().is_some_and(|text| text.len() > 3)) {
                    let given = known(evaluator, member);
                    super::dangers::literal(evaluator, given.as_ref(), "a password", place);
                }
            }
        }
        ("verifiedpermissions", _) => {
            evaluator.record.checks_roles = true;
            let stack = stack(evaluator);
            evaluator.record.comparisons.push((stack, true));
        }
        ("lambda", "Invoke" | "InvokeAsync") => {
            if let Some(function) = known(evaluator, "FunctionName") {
                let own = function.alternatives().iter().any(|one| match one {
                    Value::Environment(name) => &**name == "AWS_LAMBDA_FUNCTION_NAME",
                    Value::External(external) => matches!(
                        external.path.as_str(),
                        "context.function_name"
                            | "context.functionName"
                            | "context.invoked_function_arn"
                            | "context.invokedFunctionArn"
                    ),
                    _ => false,
                });
                if own {
                    practices::note(evaluator, PracticeKind::SelfInvocation, place);
                }
            }
        }
        _ => {}
    }
}

/// A statement with its parameters apart: which rows it is about.
pub(crate) fn sql(evaluator: &mut Evaluator<'_>, statement: &Value, parameters: Option<&Value>, place: Place) {
    let (Some(text), Some(parameters)) = (statement.prefix(), parameters) else { return };
    let lower = text.to_ascii_lowercase();
    let verb = lower.split_whitespace().next().unwrap_or("");
    let (kind, operation, before) = match verb {
        "select" => (AccessKind::Read, "Select", "from"),
        "update" => (AccessKind::Change, "Update", "update"),
        "delete" => (AccessKind::Delete, "Delete", "from"),
        _ => return,
    };
    let mut words_of = lower.split_whitespace().skip_while(|word| *word != before).skip(1);
    let table = words_of.next().unwrap_or("").trim_matches(['"', '`', ';', '(', ')']).to_string();
    let Some(clause) = lower.find(" where ").and_then(|at| lower.get(at + 7..)) else { return };
    let given = evaluator.items(parameters).unwrap_or_default();
    let named = evaluator.fields(parameters);
    // Placeholders before the condition take their parameters first.
    let count = |text: &str| text.matches('?').count() + text.matches("%s").count();
    let mut next = count(lower.split(" where ").next().unwrap_or(""));
    let mut key: Vec<(Name, Value)> = Vec::new();
    for piece in clause.split(" and ") {
        let Some((column, value)) = piece.split_once('=') else {
            next += count(piece);
            continue;
        };
        let column = column.trim().rsplit(['.', ' ', '(']).next().unwrap_or("").trim_matches(['"', '`']);
        let value = value.trim();
        let found = if value.starts_with('?') || value.starts_with("%s") {
            next += 1;
            given.get(next - 1).cloned()
        } else if let Some(number) = value.strip_prefix('$') {
            let number: String = number.chars().take_while(char::is_ascii_digit).collect();
            number.parse::<usize>().ok().and_then(|number| given.get(number.checked_sub(1)?).cloned())
        } else {
            let name: String = value
                .trim_start_matches([':', '@', '%', '('])
                .chars()
                .take_while(|character| character.is_alphanumeric() || *character == '_')
                .collect();
            named.iter().find(|(known, _)| known.eq_ignore_ascii_case(&name)).map(|(_, value)| value.clone())
        };
        if let Some(found) = found {
            key.push((column.into(), found));
        }
    }
    let mut around = given;
    around.extend(named.into_iter().map(|(_, value)| value));
    access(evaluator, kind, ("sql", operation), &[CallTarget::Literal(table)], &key, &around, false, place);
}
