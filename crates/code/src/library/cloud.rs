//! Calls of AWS: what boto3's clients and resources do, and what both SDKs share (targets, actions).

use super::targets::{targets, transacted};
use crate::call::Arguments;
use crate::evaluate::Evaluator;
use crate::syntax::{Name, Place};
use crate::taint;
use crate::value::{Answer, Client, External, Flavour, Resource, Value};
use facts::{ClientMethod, MemberKind, Operation, Service};
use graph::{CallTarget, Sink};
use std::rc::Rc;

/// The arguments of an operation.
pub(crate) enum Parameters<'a> {
    /// boto3: keywords.
    Named(&'a Arguments),
    /// JavaScript: one object.
    Object(Option<&'a Value>),
    /// Known by the reader itself (helpers).
    Only(&'static str, Value),
}

/// How a session with other credentials is known by its path.
const ANOTHER: &str = "session of another";

pub(crate) enum Found {
    Known(Value),
    Absent,
    Unknown,
}

impl Parameters<'_> {
    pub(crate) fn find(&self, evaluator: &Evaluator<'_>, name: &str) -> Found {
        match self {
            Self::Named(arguments) => match arguments.named(name) {
                Some(Value::Nothing) => Found::Absent,
                Some(value) => Found::Known(value.clone()),
                None if arguments.open => Found::Unknown,
                None => Found::Absent,
            },
            Self::Object(None) => Found::Absent,
            Self::Object(Some(value)) => field(evaluator, value, name),
            Self::Only(only, value) => match *only == name {
                true => Found::Known(value.clone()),
                false => Found::Absent,
            },
        }
    }

    pub(crate) fn known(&self, evaluator: &Evaluator<'_>, name: &str) -> Option<Value> {
        match self.find(evaluator, name) {
            Found::Known(value) => Some(value),
            Found::Absent | Found::Unknown => None,
        }
    }
}

/// A member of an object, any of its shapes.
pub(crate) fn field(evaluator: &Evaluator<'_>, value: &Value, name: &str) -> Found {
    let mut found: Option<Value> = None;
    let mut unknown = false;
    for one in value.alternatives() {
        match one {
            Value::Object(id) => {
                let Some(object) = evaluator.heap.objects.get(*id) else { continue };
                match object.field(name) {
                    Some(Value::Nothing) => {}
                    Some(value) => {
                        found = Some(match found {
                            Some(before) => before.or(value.clone()),
                            None => value.clone(),
                        });
                    }
                    None => unknown |= object.others.is_some() && object.items.is_none(),
                }
            }
            Value::Nothing => {}
            value if value.is_of_event() => return Found::Known(taint::derived(&[value])),
            _ => unknown = true,
        }
    }
    match found {
        Some(value) => Found::Known(value),
        None if unknown => Found::Unknown,
        None => Found::Absent,
    }
}

/// The permissions of an operation with these arguments.
fn actions(
    evaluator: &mut Evaluator<'_>,
    operation: Operation,
    parameters: &Parameters<'_>,
    site: crate::record::Site,
) -> Vec<String> {
    let mut actions: Vec<String> = operation.actions().unwrap_or_default().into_iter().map(str::to_string).collect();
    if operation.by_arguments() {
        let asked = asked_words(evaluator, parameters);
        let kept: Vec<String> = actions
            .iter()
            .filter(|action| {
                let name = action.split_once(':').map_or("", |(_, name)| name);
                let verb = name.trim_start_matches("PartiQL").trim_end_matches("Item");
                asked.iter().any(|word| word.eq_ignore_ascii_case(verb))
            })
            .cloned()
            .collect();
        if !kept.is_empty() {
            actions = kept;
        }
    }
    for conditional in operation.conditional() {
        let given = conditional.arguments.iter().find(|path| {
            let mut parts = path.split('.');
            let first = parts.next().and_then(|name| parameters.known(evaluator, name));
            first.is_some_and(|first| {
                parts
                    .try_fold(first, |value, name| {
                        // A list is each of its entries.
                        let value = match evaluator.items(&value) {
                            Some(items) => items.into_iter().reduce(Value::or).unwrap_or(Value::Nothing),
                            None => value,
                        };
                        match field(evaluator, &value, name) {
                            Found::Known(value) => Some(value),
                            Found::Absent | Found::Unknown => None,
                        }
                    })
                    .is_some()
            })
        });
        let Some(argument) = given else { continue };
        let service = |action: &str| action.split(':').next().map(str::to_string);
        let own = actions.first().and_then(|action| service(action));
        if own.is_some() && service(conditional.action) != own {
            // Another service's action is about what the argument names.
            super::effects::of_argument(evaluator, operation, parameters, conditional.action, argument, site);
        } else if !actions.iter().any(|action| action == conditional.action) {
            actions.push(conditional.action.to_string());
        }
    }
    actions
}

/// What an argument names.
pub(crate) fn targets_of(evaluator: &mut Evaluator<'_>, parameters: &Parameters<'_>, name: &str) -> Vec<CallTarget> {
    match parameters.find(evaluator, name) {
        Found::Known(value) => match &value {
            Value::Object(_) => evaluator.iterate(&value, Place::default()).targets(),
            value => value.targets(),
        },
        Found::Absent | Found::Unknown => vec![CallTarget::Unknown],
    }
}

/// What the entries of a transaction or the verb of a statement ask for.
fn asked_words(evaluator: &mut Evaluator<'_>, parameters: &Parameters<'_>) -> Vec<String> {
    let mut words = Vec::new();
    if let Some(list) = parameters.known(evaluator, "TransactItems") {
        let item = evaluator.iterate(&list, Place::default());
        for one in item.alternatives() {
            words.extend(evaluator.fields(one).into_iter().map(|(name, _)| name.to_string()));
        }
    }
    if let Some(statement) = parameters.known(evaluator, "Statement") {
        for one in statement.alternatives() {
            let verb = one.prefix().and_then(|text| text.split_whitespace().next());
            words.extend(verb.map(str::to_string));
        }
    }
    words
}

/// Notes a call and gives what it answers.
pub(crate) fn record(
    evaluator: &mut Evaluator<'_>,
    operation: Operation,
    parameters: &Parameters<'_>,
    place: Place,
) -> Value {
    let target = targets(evaluator, operation, parameters);
    record_on(evaluator, operation, parameters, target, place)
}

fn record_on(
    evaluator: &mut Evaluator<'_>,
    operation: Operation,
    parameters: &Parameters<'_>,
    target: Value,
    place: Place,
) -> Value {
    let site = evaluator.site(place);
    let actions = actions(evaluator, operation, parameters, site);
    if target.is_of_event() {
        taint::sink(evaluator, Sink::CloudResource, &target, place);
    }
    for (name, sink) in super::sinks::of_operation(operation) {
        if let Some(value) = parameters.known(evaluator, name) {
            super::sinks::statement(evaluator, sink, &value, place);
        }
    }
    let targets = call_targets(&target);
    let source = parameters.known(evaluator, "CopySource");
    match source {
        // What is copied is read in one bucket and written in another.
        Some(source) if operation.service().boto3() == "s3" => {
            let from = copied_bucket(evaluator, &source);
            let (reads, writes): (Vec<String>, Vec<String>) =
                actions.into_iter().partition(|action| action.starts_with("s3:Get") || action.starts_with("s3:List"));
            evaluator.record.call(site, operation, reads, from.targets());
            if !writes.is_empty() {
                evaluator.record.call(site, operation, writes, targets.clone());
            }
        }
        _ if parameters.known(evaluator, "TransactItems").is_some() && actions.len() > 1 => {
            // Each entry is on its own table.
            let mut by_tables: Vec<(Vec<CallTarget>, Vec<String>)> = Vec::new();
            for action in actions {
                let tables = transacted(evaluator, parameters, &action);
                let tables = if tables.is_empty() { targets.clone() } else { tables };
                match by_tables.iter_mut().find(|(same, _)| *same == tables) {
                    Some((_, actions)) => actions.push(action),
                    None => by_tables.push((tables, vec![action])),
                }
            }
            for (tables, actions) in by_tables {
                evaluator.record.call(site, operation, actions, tables);
            }
        }
        _ => evaluator.record.call(site, operation, actions, targets.clone()),
    }
    super::effects::note(evaluator, operation, parameters, site);
    let index = match parameters.find(evaluator, "IndexName") {
        Found::Known(_) => Some(true),
        Found::Absent if operation.service().boto3() == "dynamodb" => Some(false),
        Found::Absent | Found::Unknown => None,
    };
    if let Some(index) = index.filter(|_| matches!(operation.name(), "Query" | "Scan")) {
        *evaluator.record.indexes.entry(site).or_default() |= index;
    }
    let read = super::records::note(evaluator, operation, parameters, &target, place);
    Value::Answer(Rc::new(Answer { operation, targets, site, read }))
}

fn call_targets(target: &Value) -> Vec<CallTarget> {
    match target {
        Value::Nothing => vec![CallTarget::None],
        value => value.targets(),
    }
}

fn copied_bucket(evaluator: &Evaluator<'_>, source: &Value) -> Value {
    match source {
        Value::Text(text) => Value::text(text.trim_start_matches('/').split('/').next().unwrap_or_default()),
        Value::Pattern(parts) => match parts.first() {
            Some(Value::Text(text)) if text.trim_start_matches('/').contains('/') => {
                Value::text(text.trim_start_matches('/').split('/').next().unwrap_or_default())
            }
            Some(Value::Text(text)) if &**text == "/" => parts.get(1).cloned().unwrap_or(Value::Unknown),
            Some(Value::Text(_)) | None => Value::Unknown,
            Some(first) => first.clone(),
        },
        value => match field(evaluator, value, "Bucket") {
            Found::Known(bucket) => bucket,
            Found::Absent | Found::Unknown => Value::Unknown,
        },
    }
}

/// A call whose arguments aren't seen.
pub(crate) fn record_plain(evaluator: &mut Evaluator<'_>, operation: Operation, place: Place) {
    let arguments = Arguments { open: true, place, ..Arguments::default() };
    record(evaluator, operation, &Parameters::Named(&arguments), place);
}

/// `paginator.paginate(...)`, `waiter.wait(...)`.
pub(crate) fn pending_call(evaluator: &mut Evaluator<'_>, operation: Operation, arguments: &Arguments) -> Value {
    record(evaluator, operation, &Parameters::Named(arguments), arguments.place)
}

/// A method of a client, in any SDK.
pub(crate) fn client_method(
    evaluator: &mut Evaluator<'_>,
    client: Client,
    name: &Name,
    arguments: &Arguments,
) -> Value {
    if client.flavour != Flavour::Python {
        return super::aws_javascript::client_method(evaluator, client, name, arguments);
    }
    let place = arguments.place;
    let service = client.service;
    let site = evaluator.site(place);
    evaluator.record.made_as(site, client.another);
    match service.client_method(name) {
        Some(ClientMethod::Operation(operation)) => record(evaluator, operation, &Parameters::Named(arguments), place),
        Some(ClientMethod::Helper(operations)) => {
            helper(evaluator, name, &operations, arguments);
            match &**name {
                "generate_presigned_post" if arguments.get(3, "Conditions").is_none() => {
                    super::practices::note(evaluator, graph::PracticeKind::OpenUpload, place);
                    taint::made(format!("{}presigned", taint::SECRET))
                }
                "generate_presigned_post" => taint::made(format!("{}presigned", taint::SECRET)),
                _ => Value::Unknown,
            }
        }
        Some(ClientMethod::NamesMethod) => {
            let method = arguments.get(0, "ClientMethod").cloned().unwrap_or(Value::Unknown);
            let parameters = arguments.get(1, "Params").cloned();
            for one in method.alternatives() {
                match one.as_text().and_then(|name| service.operation_by_method(name)) {
                    Some(operation) => {
                        record(evaluator, operation, &Parameters::Object(parameters.as_ref()), place);
                    }
                    None => dynamic(evaluator, service, place),
                }
            }
            taint::made(format!("{}presigned", taint::SECRET))
        }
        Some(ClientMethod::NamesPaginator) => {
            let name = arguments.get(0, "operation_name").cloned().unwrap_or(Value::Unknown);
            match name.as_text().and_then(|name| service.operation_by_method(name)) {
                Some(operation) => Value::Pending(operation, false),
                None => {
                    dynamic(evaluator, service, place);
                    Value::Unknown
                }
            }
        }
        Some(ClientMethod::NamesWaiter) => {
            let name = arguments.get(0, "waiter_name").cloned().unwrap_or(Value::Unknown);
            match name.as_text().and_then(|name| service.waiter(name)) {
                Some(waiter) => Value::Pending(waiter.operation, true),
                None => {
                    dynamic(evaluator, service, place);
                    Value::Unknown
                }
            }
        }
        None => {
            if let Some(token) = super::tokens::of_method(evaluator, service, name, arguments) {
                return token;
            }
            let own = ["close", "can_paginate", "meta", "exceptions", "get_bucket_region"];
            if !own.contains(&&**name) {
                evaluator.doubt(place, format!("`{name}` isn't a method of the client of `{}`", service.boto3()));
            }
            Value::Unknown
        }
    }
}

/// A method of something that can't be told whose name and keywords are those of an operation of a service that the code
/// has a client for: taken to be that operation.
pub(crate) fn by_name(evaluator: &mut Evaluator<'_>, name: &str, arguments: &Arguments) -> Option<Value> {
    let all_named = arguments.positional.is_empty() && !arguments.named.is_empty();
    if evaluator.language != crate::Language::Python || !name.contains('_') || !all_named {
        return None;
    }
    // boto3's own members begin with a capital or are as long as words get; another library's seldom do.
    let capital = |(name, _): &(Name, Value)| name.chars().next().is_some_and(char::is_uppercase);
    if !arguments.named.iter().all(capital) {
        return None;
    }
    let operation = evaluator.clients.iter().find_map(|service| service.operation_by_method(name))?;
    Some(record(evaluator, operation, &Parameters::Named(arguments), arguments.place))
}

fn dynamic(evaluator: &mut Evaluator<'_>, service: Service, place: Place) {
    evaluator.doubt(place, format!("which operation of `{}` is called is worked out at run time", service.boto3()));
}

/// boto3's own methods that make other operations' calls take their arguments by position, too.
fn helper(evaluator: &mut Evaluator<'_>, name: &str, operations: &[Operation], arguments: &Arguments) {
    let positions: &[&str] = match name {
        "upload_file" => &["Filename", "Bucket", "Key", "ExtraArgs"],
        "upload_fileobj" => &["Fileobj", "Bucket", "Key", "ExtraArgs"],
        "download_file" => &["Bucket", "Key", "Filename"],
        "download_fileobj" => &["Bucket", "Key", "Fileobj"],
        "copy" => &["CopySource", "Bucket", "Key", "ExtraArgs"],
        "generate_presigned_post" => &["Bucket", "Key"],
        _ => &[],
    };
    let mut named = arguments.clone();
    for (position, value) in positions.iter().zip(&arguments.positional) {
        named.named.push(((*position).into(), value.clone()));
    }
    if name == "download_file"
        && let Some(path) = named.named("Filename").cloned()
    {
        super::system::write(evaluator, &path, arguments.place);
    }
    for operation in operations.iter().filter(|operation| !only_tidies(**operation)) {
        record(evaluator, *operation, &Parameters::Named(&named), arguments.place);
    }
}

/// What a helper does only after its own failure: it works without.
pub(crate) fn only_tidies(operation: Operation) -> bool {
    operation.name() == "AbortMultipartUpload"
}

// --- boto3's resource interface ---

fn member_of(resource: &Resource, name: &str) -> Option<facts::Member> {
    resource.service.resource_member(resource.kind, name)
}

/// An attribute of a resource that isn't called.
pub(crate) fn resource_attribute(evaluator: &mut Evaluator<'_>, resource: &Rc<Resource>, name: &str) -> Value {
    if name == "meta" {
        return Value::Resource(Rc::new(Resource {
            service: resource.service,
            kind: "meta",
            collection: None,
            target: Value::Unknown,
            another: resource.another,
        }));
    }
    if resource.kind == "meta" && name == "client" {
        return Value::Client(Client {
            service: resource.service,
            flavour: Flavour::Python,
            another: resource.another,
        });
    }
    if resource.collection.is_none()
        && let Some(member) = member_of(resource, name)
        && member.kind == MemberKind::Collection
    {
        return Value::Resource(Rc::new(Resource {
            service: resource.service,
            kind: resource.kind,
            collection: Some((name.into(), member.gives)),
            target: resource.target.clone(),
            another: resource.another,
        }));
    }
    match name {
        "name" | "bucket_name" | "table_name" | "url" | "arn" | "queue_url" if resource.collection.is_none() => {
            resource.target.clone()
        }
        _ => {
            let _ = evaluator;
            Value::ResourceMember(resource.clone(), name.into())
        }
    }
}

/// Whether the first argument of a constructor names the resource that permissions are about.
fn names_target(resource: &Resource) -> bool {
    resource.kind == "ServiceResource"
}

/// A method of a resource or of a collection of them.
pub(crate) fn resource_method(
    evaluator: &mut Evaluator<'_>,
    resource: &Rc<Resource>,
    name: &Name,
    arguments: &Arguments,
) -> Value {
    let place = arguments.place;
    let site = evaluator.site(place);
    evaluator.record.made_as(site, resource.another);
    if let Some((collection, gives)) = &resource.collection {
        return match &**name {
            "all" | "filter" | "limit" | "page_size" | "pages" => {
                record_collection(evaluator, resource, collection, place);
                Value::Resource(resource.clone())
            }
            _ => {
                let key = format!("{collection}.{name}");
                match member_of(resource, &key) {
                    Some(member) => {
                        let versions = collection.contains("version") && &**name == "delete";
                        if versions {
                            // Each of them is deleted as the version it is.
                            let site = evaluator.site(place);
                            let list = member.operations.iter().find(|operation| operation.name().starts_with("List"));
                            if let Some(operation) = list {
                                record_member(evaluator, resource, &[*operation], arguments);
                            }
                            if let Some(operation) = resource.service.operation("DeleteObjects") {
                                let targets = resource.target.targets();
                                evaluator.record.call(site, operation, vec!["s3:DeleteObjectVersion".into()], targets);
                            }
                        } else {
                            record_member(evaluator, resource, &member.operations, arguments);
                        }
                    }
                    None => {
                        let _ = gives;
                    }
                }
                Value::Unknown
            }
        };
    }
    let Some(member) = member_of(resource, name) else { return Value::Unknown };
    match member.kind {
        MemberKind::Constructor => {
            let first = arguments.positional.first().or(arguments.named.first().map(|(_, value)| value)).cloned();
            let target = if names_target(resource) { first.unwrap_or(Value::Unknown) } else { resource.target.clone() };
            match member.gives {
                Some(kind) => evaluator.resource(resource, kind, target),
                None => Value::Unknown,
            }
        }
        MemberKind::Action | MemberKind::BatchAction | MemberKind::Collection => {
            // A bucket's own methods take the key by position.
            let mut named = arguments.clone();
            if matches!(&**name, "upload_file" | "upload_fileobj")
                && resource.kind == "Bucket"
                && let Some(key) = arguments.positional.get(1)
            {
                named.named.push(("Key".into(), key.clone()));
            }
            let (target, answer) = record_member(evaluator, resource, &member.operations, &named);
            if &**name == "download_file" {
                let at = usize::from(resource.kind == "Bucket");
                if let Some(path) = arguments.get(at, "Filename").cloned() {
                    super::system::write(evaluator, &path, place);
                }
            }
            match member.gives {
                Some(kind) => evaluator.resource(resource, kind, target),
                None => answer,
            }
        }
    }
}

fn record_member(
    evaluator: &mut Evaluator<'_>,
    resource: &Rc<Resource>,
    operations: &[Operation],
    arguments: &Arguments,
) -> (Value, Value) {
    let mut answer = Value::Unknown;
    let mut last = Value::Unknown;
    // `object.copy(source)` and `bucket.copy(source, key)`.
    let mut arguments = arguments.clone();
    if operations.iter().any(|operation| operation.name() == "CopyObject")
        && arguments.named("CopySource").is_none()
        && let Some(source) = arguments.positional.first().cloned()
    {
        arguments.named.push(("CopySource".into(), source));
    }
    let parameters = Parameters::Named(&arguments);
    let helps = operations.len() > 1;
    for operation in operations.iter().filter(|operation| !(helps && only_tidies(**operation))) {
        let target = match names_target(resource) {
            true => targets(evaluator, *operation, &parameters),
            false => resource.target.clone(),
        };
        let target = match operation.actions().is_some() && operation.resource_types().is_empty() {
            true => Value::Nothing,
            false => target,
        };
        last = target.clone();
        answer = record_on(evaluator, *operation, &parameters, target, arguments.place);
    }
    (last, answer)
}

fn record_collection(evaluator: &mut Evaluator<'_>, resource: &Rc<Resource>, collection: &str, place: Place) {
    if let Some(member) = member_of(resource, collection) {
        record_member(evaluator, resource, &member.operations, &Arguments::new(place));
    }
}

/// A loop over a collection lists it.
pub(crate) fn iterate(evaluator: &mut Evaluator<'_>, resource: &Rc<Resource>, place: Place) -> Value {
    let Some((collection, gives)) = &resource.collection else { return Value::Unknown };
    let listed = evaluator.record.calls.keys().any(|(site, service, ..)| {
        let (module, start, end) = *site;
        module == evaluator.module() && start >= place.start && end <= place.end && *service == resource.service.boto3()
    });
    if !listed {
        record_collection(evaluator, resource, collection, place);
    }
    match gives {
        Some(kind) => {
            // A bucket's objects are in the bucket; the service's buckets are each their own.
            let target = if names_target(resource) { Value::Unknown } else { resource.target.clone() };
            evaluator.resource(resource, kind, target)
        }
        None => Value::Unknown,
    }
}

// --- boto3 itself ---

/// Calls of boto3 and of libraries around it.
pub(crate) fn call(
    evaluator: &mut Evaluator<'_>,
    path: &str,
    external: &Rc<External>,
    arguments: &Arguments,
) -> Option<Value> {
    let root = path.split('.').next().unwrap_or(path);
    if matches!(root, "boto3" | "aioboto3" | "aiobotocore" | "botocore") {
        let last = path.rsplit('.').next().unwrap_or(path);
        return match last {
            "client" | "create_client" => Some(client(evaluator, arguments, false, path.contains(ANOTHER))),
            "resource" => Some(client(evaluator, arguments, true, path.contains(ANOTHER))),
            "Session" if is_another(arguments) => Some(Value::external(format!("boto3.{ANOTHER}()"))),
            _ => None,
        };
    }
    if root == "aws_secretsmanager_caching" {
        // The cache asks for the secret's versions before it asks for one.
        let asks = ["get_secret_string", "get_secret_binary", "InjectSecretString", "InjectKeywordedSecretString"];
        let last = path.rsplit('.').next().unwrap_or(path);
        if asks.contains(&last) {
            let secret = arguments.get(0, "secret_id").cloned();
            record_named(
                evaluator,
                "secretsmanager",
                &["DescribeSecret", "GetSecretValue"],
                "SecretId",
                secret,
                arguments.place,
            );
            return Some(Value::Unknown);
        }
        return None;
    }
    if root == "aws_lambda_powertools" {
        return powertools(evaluator, path, external, arguments);
    }
    None
}

/// Whether a client or session is made with credentials that aren't the function's own.
fn is_another(arguments: &Arguments) -> bool {
    arguments.named("aws_access_key_id").is_some_and(|key| match key {
        Value::Nothing => false,
        // What Lambda itself puts there.
        Value::Environment(name) => &**name != "AWS_ACCESS_KEY_ID",
        _ => true,
    })
}

fn client(evaluator: &mut Evaluator<'_>, arguments: &Arguments, is_resource: bool, another: bool) -> Value {
    let another = another || is_another(arguments);
    let name = arguments.get(0, "service_name").cloned().unwrap_or(Value::Unknown);
    let mut result: Option<Value> = None;
    for one in name.alternatives() {
        let value = match one.as_text() {
            Some(text) => match facts::service_by_boto3(text) {
                Some(service) if is_resource => Value::Resource(Rc::new(Resource {
                    service,
                    kind: "ServiceResource",
                    collection: None,
                    target: Value::Unknown,
                    another,
                })),
                Some(service) => {
                    if !evaluator.clients.contains(&service) {
                        evaluator.clients.push(service);
                    }
                    Value::Client(Client { service, flavour: Flavour::Python, another })
                }
                None => {
                    evaluator.doubt(arguments.place, format!("boto3 has no service `{text}`"));
                    Value::Unknown
                }
            },
            None => {
                evaluator.doubt(arguments.place, "which service this client is for is worked out at run time");
                Value::Unknown
            }
        };
        result = Some(match result {
            Some(before) => before.or(value),
            None => value,
        });
    }
    result.unwrap_or(Value::Unknown)
}

/// Records operations by name on one target.
pub(crate) fn record_named(
    evaluator: &mut Evaluator<'_>,
    service: &str,
    names: &[&str],
    member: &'static str,
    target: Option<Value>,
    place: Place,
) {
    let Some(service) = facts::service_by_boto3(service) else { return };
    for operation in names.iter().filter_map(|name| service.operation(name)) {
        let parameters = Parameters::Only(member, target.clone().unwrap_or(Value::Unknown));
        record(evaluator, operation, &parameters, place);
    }
}

/// Powertools for Python: what its helpers call.
fn powertools(
    evaluator: &mut Evaluator<'_>,
    path: &str,
    external: &Rc<External>,
    arguments: &Arguments,
) -> Option<Value> {
    let place = arguments.place;
    let last = path.rsplit('.').next().unwrap_or(path);
    let first = arguments.get(0, "name").cloned();
    if path.contains(".parameters") {
        // A provider's methods carry the arguments it was made with.
        let made_with = external.carried.first().cloned();
        let provider = path.rsplit_once("().").map(|(provider, _)| provider.rsplit('.').next().unwrap_or(provider));
        match (provider, last) {
            (None, "get_parameter") | (Some("SSMProvider"), "get") => {
                record_named(evaluator, "ssm", &["GetParameter"], "Name", first, place);
            }
            (None, "get_parameters") | (Some("SSMProvider"), "get_multiple") => {
                let path = arguments.get(0, "path").cloned();
                record_named(evaluator, "ssm", &["GetParametersByPath"], "Path", path, place);
            }
            (None, "get_parameters_by_name") => {
                let names = arguments.get(0, "parameters").cloned();
                let names = names.map(|names| evaluator.iterate(&names, place));
                record_named(evaluator, "ssm", &["GetParameters"], "Names", names, place);
            }
            (None, "set_parameter") => {
                record_named(evaluator, "ssm", &["PutParameter"], "Name", first, place);
            }
            (None, "get_secret") | (Some("SecretsProvider"), "get") => {
                record_named(evaluator, "secretsmanager", &["GetSecretValue"], "SecretId", first, place);
            }
            (None, "set_secret") => {
                let names = ["PutSecretValue", "CreateSecret"];
                record_named(evaluator, "secretsmanager", &names, "SecretId", first, place);
            }
            (None, "get_app_config") | (Some("AppConfigProvider"), "get") => {
                let names = ["StartConfigurationSession", "GetLatestConfiguration"];
                record_named(evaluator, "appconfigdata", &names, "Name", None, place);
            }
            (Some("DynamoDBProvider"), "get") => {
                record_named(evaluator, "dynamodb", &["GetItem"], "TableName", made_with, place);
            }
            (Some("DynamoDBProvider"), "get_multiple") => {
                record_named(evaluator, "dynamodb", &["Query"], "TableName", made_with, place);
            }
            _ => return None,
        }
        return Some(Value::Unknown);
    }
    match last {
        "DynamoDBPersistenceLayer" => {
            let table = arguments.get(0, "table_name").cloned();
            let names = ["GetItem", "PutItem", "UpdateItem", "DeleteItem"];
            record_named(evaluator, "dynamodb", &names, "TableName", table, place);
        }
        "AppConfigStore" => {
            let names = ["StartConfigurationSession", "GetLatestConfiguration"];
            record_named(evaluator, "appconfigdata", &names, "Name", None, place);
        }
        _ => return None,
    }
    Some(Value::Unknown)
}
