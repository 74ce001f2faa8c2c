//! Requests to the extensions of AWS that run beside a function and ask with its role: the one for parameters and secrets, the one
//! for AppConfig. They are plain HTTP on the function's own machine.

use crate::call::Arguments;
use crate::evaluate::Evaluator;
use crate::library::cloud::record_named;
use crate::value::Value;

/// Paths of the first extension, each with what it asks for and the name of the request's member.
const ASKED: [(&str, &str, &str, &str, &str); 2] = [
    ("/secretsmanager/get", "secretId=", "secretsmanager", "GetSecretValue", "SecretId"),
    ("/systemsmanager/parameters/get", "name=", "ssm", "GetParameter", "Name"),
];
/// Where AppConfig's extension listens, unless it is told otherwise.
const CONFIGURATION: &str = "localhost:2772";

/// Notes what a call asks of an extension, if any of its arguments is an address of one.
pub(crate) fn note(evaluator: &mut Evaluator<'_>, arguments: &Arguments) {
    let mut addresses: Vec<Value> = Vec::new();
    for argument in arguments.all() {
        match argument {
            Value::Object(_) => {
                let parts = ["path", "url", "uri"].iter().filter_map(|name| evaluator.own_field(argument, name));
                addresses.extend(parts);
            }
            other => addresses.extend(other.alternatives().iter().cloned()),
        }
    }
    for address in addresses {
        let parts = match &address {
            Value::Text(_) => vec![address.clone()],
            Value::Pattern(parts) => parts.to_vec(),
            _ => continue,
        };
        let known: String = parts.iter().filter_map(Value::as_text).collect();
        if let Some((_, key, service, operation, member)) = ASKED.iter().find(|(path, ..)| known.contains(path)) {
            let target = after(&parts, key);
            record_named(evaluator, service, &[*operation], member, Some(target), arguments.place);
        } else if known.contains(CONFIGURATION) {
            let names = ["StartConfigurationSession", "GetLatestConfiguration"];
            record_named(evaluator, "appconfigdata", &names, "Name", None, arguments.place);
        }
    }
}

/// What stands behind a key of a query, up to the next one.
fn after(parts: &[Value], key: &str) -> Value {
    let mut found: Option<Vec<Value>> = None;
    for part in parts {
        let Some(text) = part.as_text() else {
            if let Some(found) = &mut found {
                found.push(part.clone());
            }
            continue;
        };
        let rest = match &found {
            Some(_) => text,
            None => match text.split_once(key) {
                Some((_, rest)) => rest,
                None => continue,
            },
        };
        let found = found.get_or_insert_default();
        let end = rest.split('&').next().unwrap_or(rest);
        if !end.is_empty() {
            found.push(Value::text(end));
        }
        if end.len() < rest.len() {
            break;
        }
    }
    match found {
        Some(found) if !found.is_empty() => Value::concat(found),
        _ => Value::Unknown,
    }
}
