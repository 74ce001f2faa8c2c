//! The AWS SDKs for JavaScript: version 3 with its clients, commands and helpers, version 2 with its classes.

use crate::call::Arguments;
use crate::evaluate::Evaluator;
use crate::library::cloud::{Parameters, only_tidies, record, record_named};
use crate::value::{Client, External, Flavour, Value};
use facts::Service;
use std::rc::Rc;

/// Calls of the SDKs' exports.
pub(crate) fn call(
    evaluator: &mut Evaluator<'_>,
    path: &str,
    external: &Rc<External>,
    arguments: &Arguments,
) -> Option<Value> {
    if let Some(rest) = path.strip_prefix("aws-sdk") {
        return version2(evaluator, rest, arguments);
    }
    let (package, export) = if path.starts_with("@aws-sdk/") || path.starts_with("@aws-lambda-powertools/") {
        path.split_once('.')?
    } else {
        return None;
    };
    if package.starts_with("@aws-lambda-powertools/") {
        return powertools(evaluator, package, export, &external.carried, arguments);
    }
    match (package, export) {
        ("@aws-sdk/lib-dynamodb", "DynamoDBDocumentClient.from" | "DynamoDBDocument.from") => {
            let another = matches!(arguments.positional.first(), Some(Value::Client(client)) if client.another);
            return facts::service_by_boto3("dynamodb")
                .map(|service| Value::Client(Client { service, flavour: Flavour::Document3, another }));
        }
        ("@aws-sdk/credential-providers", "fromTemporaryCredentials") => {
            let options = arguments.positional.first().cloned()?;
            let parameters = evaluator.member(&options, "params", true, arguments.place);
            let operation = facts::service_by_boto3("sts")?.operation("AssumeRole")?;
            record(evaluator, operation, &Parameters::Object(Some(&parameters)), arguments.place);
            return None;
        }
        // The command it signs was noted where it was made.
        ("@aws-sdk/s3-request-presigner", _) => return Some(Value::Unknown),
        ("@aws-sdk/s3-presigned-post", "createPresignedPost") => {
            let parameters = arguments.positional.get(1);
            let operation = facts::service_by_boto3("s3")?.operation("PutObject")?;
            record(evaluator, operation, &Parameters::Object(parameters), arguments.place);
            return Some(Value::Unknown);
        }
        _ => {}
    }
    if package == "@aws-sdk/lib-dynamodb"
        && let Some(operation) =
            facts::service_by_boto3("dynamodb").and_then(|service| service.operation_by_js_paginator(export))
    {
        return Some(record(evaluator, operation, &Parameters::Object(arguments.positional.get(1)), arguments.place));
    }
    if let Some(helper) = facts::js_v3_helper(package, export) {
        let options = arguments.positional.first();
        // lib-storage and paginators take the request inside or beside their options.
        let inner = options.map(|options| evaluator.member(options, "params", true, arguments.place));
        let parameters = match (&inner, arguments.positional.get(1)) {
            (Some(inner @ (Value::Object(_) | Value::Any(_))), _) => Some(inner),
            (_, Some(second)) if export.starts_with("paginate") => Some(second),
            _ => options,
        };
        // An upload sets tags of its own only where it is given some.
        let tagged = options
            .map(|options| evaluator.member(options, "tags", true, arguments.place))
            .is_some_and(|tags| tags != Value::Nothing);
        let counts = |operation: &facts::Operation| {
            !only_tidies(*operation) && (tagged || operation.name() != "PutObjectTagging")
        };
        let operations: Vec<_> = helper.operations.into_iter().filter(counts).collect();
        let mut answers: Vec<Value> = operations
            .iter()
            .map(|operation| record(evaluator, *operation, &Parameters::Object(parameters), arguments.place))
            .collect();
        // A command is one operation in other words.
        if let (Some(answer), true, true) = (answers.pop(), answers.is_empty(), export.ends_with("Command")) {
            return Some(answer);
        }
        return Some(Value::Unknown);
    }
    let service = facts::service_by_js_package(package)?;
    if let Some(operation) = service.operation_by_js_command(export) {
        let request = Parameters::Object(arguments.positional.first());
        return Some(record(evaluator, operation, &request, arguments.place));
    }
    if let Some(operation) = service.operation_by_js_paginator(export) {
        record(evaluator, operation, &Parameters::Object(arguments.positional.get(1)), arguments.place);
        return Some(Value::Unknown);
    }
    if export.starts_with("waitUntil")
        && let Some(waiter) = service.waiter(export)
    {
        record(evaluator, waiter.operation, &Parameters::Object(arguments.positional.get(1)), arguments.place);
        return Some(Value::Unknown);
    }
    let is_client = service.js_client().strip_suffix("Client") == Some(export.trim_end_matches("Client"));
    if !(arguments.construct && is_client) {
        return None;
    }
    let another = is_another(evaluator, arguments);
    Some(Value::Client(Client { service, flavour: Flavour::JavaScript3, another }))
}

/// Whether a client is made with credentials that aren't the function's own.
fn is_another(evaluator: &mut Evaluator<'_>, arguments: &Arguments) -> bool {
    let Some(options) = arguments.positional.first().cloned() else { return false };
    if !matches!(options, Value::Object(_)) {
        return false;
    }
    let place = arguments.place;
    let given = match evaluator.member(&options, "credentials", true, place) {
        Value::Nothing => options,
        given => given,
    };
    match &given {
        Value::Object(_) => match evaluator.member(&given, "accessKeyId", true, place) {
            Value::Nothing => false,
            // What Lambda itself puts there.
            Value::Environment(name) => &*name != "AWS_ACCESS_KEY_ID",
            _ => true,
        },
        Value::External(external) => {
            let path = external.path.as_str();
            [
                "fromTemporaryCredentials",
                "fromWebToken",
                "fromCognitoIdentity",
                "ChainableTemporaryCredentials",
                "TemporaryCredentials",
            ]
            .iter()
            .any(|provider| path.contains(provider))
        }
        _ => false,
    }
}

/// `AWS.S3`, `aws-sdk/clients/s3`.
fn version2(evaluator: &mut Evaluator<'_>, rest: &str, arguments: &Arguments) -> Option<Value> {
    let another = is_another(evaluator, arguments);
    let service_of = |class: &str| facts::service_by_js_v2(class);
    let (class, document) = if let Some(file) = rest.strip_prefix("/clients/") {
        let (file, export) = file.split_once('.').unwrap_or((file, ""));
        let service = facts::services().find(|service| client_file(*service, file))?;
        let flavour = if export.ends_with("DocumentClient") { Flavour::Document2 } else { Flavour::JavaScript2 };
        return Some(Value::Client(Client { service, flavour, another }));
    } else {
        let class = rest.strip_prefix('.')?;
        match class.strip_suffix(".DocumentClient") {
            Some(class) => (class, true),
            None => (class, false),
        }
    };
    // `AWSXRay.captureAWS(require("aws-sdk"))` comes out as the SDK itself.
    let flavour = if document { Flavour::Document2 } else { Flavour::JavaScript2 };
    Some(Value::Client(Client { service: service_of(class)?, flavour, another }))
}

/// Whether `aws-sdk/clients/FILE` is this service's: the class in lower case.
fn client_file(service: Service, file: &str) -> bool {
    let class = service.js_client();
    let class = class.strip_suffix("Client").unwrap_or(&class);
    class.eq_ignore_ascii_case(file) || service.boto3().replace('-', "") == file
}

/// A method of a client.
pub(crate) fn client_method(evaluator: &mut Evaluator<'_>, client: Client, name: &str, arguments: &Arguments) -> Value {
    let answer = operate(evaluator, client, name, arguments);
    // `(error, data) => ...`
    for callback in
        arguments.positional.iter().skip(1).filter(|value| super::callee_like(value)).cloned().collect::<Vec<_>>()
    {
        evaluator.call(&callback, Arguments::of(vec![crate::taint::any_error(), answer.clone()], arguments.place));
    }
    answer
}

fn operate(evaluator: &mut Evaluator<'_>, client: Client, name: &str, arguments: &Arguments) -> Value {
    let service = client.service;
    let place = arguments.place;
    let first = arguments.positional.first();
    let site = match (name, first) {
        // The command may have been made elsewhere.
        ("send", Some(Value::Answer(answer))) => answer.site,
        _ => evaluator.site(place),
    };
    evaluator.record.made_as(site, client.another);
    match (client.flavour, name) {
        // A command was noted where it was made.
        (Flavour::JavaScript3 | Flavour::Document3, "send") => {
            return match first {
                Some(answer @ Value::Answer(_)) => answer.clone(),
                _ => Value::Unknown,
            };
        }
        (_, "destroy" | "on" | "use" | "setEndpoint" | "middlewareStack" | "config" | "endpoint" | "makeRequest") => {
            return Value::Unknown;
        }
        (Flavour::JavaScript2, "getSignedUrl" | "getSignedUrlPromise") => {
            let operation = first.and_then(Value::as_text).and_then(|name| service.operation_by_js_method(name));
            match operation {
                Some(operation) => {
                    record(evaluator, operation, &Parameters::Object(arguments.positional.get(1)), place);
                }
                None => unknown_operation(evaluator, service, arguments),
            }
            return Value::Unknown;
        }
        (Flavour::JavaScript2, "waitFor") => {
            let waiter = first.and_then(Value::as_text).and_then(|name| service.waiter(name));
            match waiter {
                Some(waiter) => {
                    record(evaluator, waiter.operation, &Parameters::Object(arguments.positional.get(1)), place);
                }
                None => unknown_operation(evaluator, service, arguments),
            }
            return Value::Unknown;
        }
        (Flavour::JavaScript2, "createPresignedPost") => {
            let params = first.cloned();
            if let Some(operation) = service.operation("PutObject") {
                record(evaluator, operation, &Parameters::Object(params.as_ref()), place);
            }
            return Value::Unknown;
        }
        _ => {}
    }
    let helper = match client.flavour {
        Flavour::Document2 => facts::js_v2_document_client(name),
        Flavour::Document3 => facts::js_v3_helper("@aws-sdk/lib-dynamodb", &format!("DynamoDBDocument.{name}")),
        Flavour::JavaScript2 => {
            let class = service.js_client();
            facts::js_v2_helper(class.strip_suffix("Client").unwrap_or(&class), name)
        }
        Flavour::JavaScript3 | Flavour::Python => None,
    };
    if let Some(helper) = helper {
        let mut answer = Value::Unknown;
        for operation in helper.operations.into_iter().filter(|operation| !only_tidies(*operation)) {
            answer = record(evaluator, operation, &Parameters::Object(first), place);
        }
        return answer;
    }
    match service.operation_by_js_method(name) {
        Some(operation) => record(evaluator, operation, &Parameters::Object(first), place),
        None => {
            evaluator.doubt(place, format!("`{name}` isn't a method of the client of `{}`", service.boto3()));
            Value::Unknown
        }
    }
}

fn unknown_operation(evaluator: &mut Evaluator<'_>, service: Service, arguments: &Arguments) {
    let message = format!("which operation of `{}` is called is worked out at run time", service.boto3());
    evaluator.doubt(arguments.place, message);
}

/// Powertools for TypeScript: what its helpers call.
fn powertools(
    evaluator: &mut Evaluator<'_>,
    package: &str,
    export: &str,
    carried: &[Value],
    arguments: &Arguments,
) -> Option<Value> {
    let place = arguments.place;
    let first = arguments.positional.first().cloned();
    match (package, export) {
        (_, "getParameter") => record_named(evaluator, "ssm", &["GetParameter"], "Name", first, place),
        (_, "getParameters") => record_named(evaluator, "ssm", &["GetParametersByPath"], "Path", first, place),
        (_, "getParametersByName") | (_, "SSMProvider().getParametersByName") => {
            // The names are the keys.
            let names = first.map(|map| {
                let names = evaluator.fields(&map).into_iter();
                let names = names.map(|(name, value)| if &*name == "\0key" { value } else { Value::Text(name) });
                names.reduce(Value::or).unwrap_or(Value::Unknown)
            });
            record_named(evaluator, "ssm", &["GetParameters"], "Names", names, place);
        }
        (_, "SSMProvider().get") => record_named(evaluator, "ssm", &["GetParameter"], "Name", first, place),
        (_, "SSMProvider().set" | "setParameter") => {
            record_named(evaluator, "ssm", &["PutParameter"], "Name", first, place);
        }
        (_, "SSMProvider().getMultiple") => {
            record_named(evaluator, "ssm", &["GetParametersByPath"], "Path", first, place);
        }
        (_, "SecretsProvider().get") => {
            record_named(evaluator, "secretsmanager", &["GetSecretValue"], "SecretId", first, place);
        }
        (_, "AppConfigProvider().get") => {
            let names = ["StartConfigurationSession", "GetLatestConfiguration"];
            record_named(evaluator, "appconfigdata", &names, "Name", None, place);
        }
        (_, "DynamoDBProvider().get" | "DynamoDBProvider().getMultiple") => {
            let options = carried.first().cloned().unwrap_or(Value::Unknown);
            let table = evaluator.member(&options, "tableName", true, place);
            let name = if export.ends_with("getMultiple") { "Query" } else { "GetItem" };
            record_named(evaluator, "dynamodb", &[name], "TableName", Some(table), place);
        }
        (_, "getSecret") => {
            record_named(evaluator, "secretsmanager", &["GetSecretValue"], "SecretId", first, place);
        }
        (_, "getAppConfig") => {
            let names = ["StartConfigurationSession", "GetLatestConfiguration"];
            record_named(evaluator, "appconfigdata", &names, "Name", None, place);
        }
        (_, "DynamoDBPersistenceLayer") => {
            let table = first.map(|options| evaluator.member(&options, "tableName", true, place));
            let names = ["GetItem", "PutItem", "UpdateItem", "DeleteItem"];
            record_named(evaluator, "dynamodb", &names, "TableName", table, place);
        }
        (_, "makeIdempotent") => return first,
        _ => return None,
    }
    Some(Value::Unknown)
}
