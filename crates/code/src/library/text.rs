//! Functions that hand text on, take it apart or read the environment.

use crate::Language;
use crate::call::Arguments;
use crate::evaluate::{Evaluator, fallback};
use crate::event;
use crate::heap::Object;
use crate::library::checks;
use crate::taint;
use crate::value::{External, Value};
use graph::Sink;
use std::rc::Rc;

/// What the call gives, where it is one of these.
pub(crate) fn call(
    evaluator: &mut Evaluator<'_>,
    path: &str,
    external: &Rc<External>,
    arguments: &Arguments,
) -> Option<Value> {
    let first = || arguments.positional.first().cloned().unwrap_or(Value::Nothing);
    let value = match path {
        "os.getenv" | "os.environ.get" | "os.environ.pop" | "os.environ.setdefault" | "environ.get" => {
            let key = arguments.get(0, "key").cloned().unwrap_or(Value::Unknown);
            let Some(name) = key.as_text() else { return Some(Value::Unknown) };
            let variable = Value::Environment(name.into());
            if let Some(default) = arguments.get(1, "default").cloned() {
                super::practices::fallback(evaluator, &variable, &default, arguments.place);
            }
            match arguments.get(1, "default") {
                Some(default) => fallback(variable, default.clone()),
                None => variable,
            }
        }
        "require" | "import" | "importlib.import_module" | "__import__" => return Some(require(evaluator, arguments)),
        "json.loads"
        | "JSON.parse"
        | "simplejson.loads"
        | "orjson.loads"
        | "ujson.loads"
        | "json.parse"
        | "ast.literal_eval"
        | "node-serialize.unserialize"
        | "yaml.load"
        | "yaml.safe_load"
        | "jsonpickle.decode" => {
            let text = first();
            event::require(evaluator, &text);
            // A reviver sees every part of it.
            if path == "JSON.parse"
                && let Some(reviver) = arguments.positional.get(1).cloned()
                && super::callee_like(&reviver)
            {
                let part = taint::derived(&[&text]);
                let handed = Arguments::of(vec![part.clone(), part.clone()], arguments.place);
                evaluator.call(&reviver, handed);
            }
            text.map(|one| match one {
                Value::Event(_) | Value::FromEvent(_) | Value::Object(_) => one.clone(),
                Value::Text(_) | Value::Nothing => Value::Nothing,
                _ => Value::Unknown,
            })
        }
        // What is printed as JSON and read again is the same thing.
        "JSON.stringify" | "json.dumps" => {
            {
                // Line breaks are escaped in it.
                if super::habits::holds_environment(evaluator, &first()) {
                    return Some(taint::made(format!("{}environment", taint::SECRET)));
                }
                let inside = taint::inside(evaluator, &first());
                let inside: Vec<&Value> = inside.iter().collect();
                taint::harmless(&inside, taint::only(&[Sink::Log, Sink::ResponseHeader]))
            }
        }
        "str"
        | "String"
        | "bytes"
        | "repr"
        | "urllib.parse.unquote_plus"
        | "urllib.parse.unquote"
        | "urllib.parse.quote"
        | "urllib.parse.quote_plus"
        | "unquote_plus"
        | "decodeURIComponent"
        | "encodeURIComponent"
        | "decodeURI"
        | "encodeURI"
        | "base64.b64decode"
        | "base64.b64encode"
        | "base64.urlsafe_b64decode"
        | "Buffer.from"
        | "Buffer"
        | "atob"
        | "btoa"
        | "structuredClone"
        | "copy.deepcopy"
        | "copy.copy"
        | "deepcopy"
        | "dict"
        | "list"
        | "tuple"
        | "set"
        | "sorted"
        | "reversed"
        | "iter"
        | "Object.freeze"
        | "Object.values"
        | "Promise.all"
        | "Promise.allSettled"
        | "Promise.resolve"
        | "Promise.race"
        | "asyncio.gather"
        | "asyncio.run"
        | "asyncio.wait_for"
        | "Array.from"
        | "Array"
        | "util.promisify"
        | "promisify"
        | "os.path.expandvars"
        | "os.path.abspath"
        | "os.path.realpath"
        | "os.path.expanduser"
        | "path.normalize"
        | "pathlib.Path"
        | "pathlib.PurePath"
        | "pathlib.PosixPath"
        | "io.BytesIO"
        | "io.StringIO"
        | "typing.cast"
        | "vars"
        | "url.fileURLToPath"
        | "contextlib.closing"
        | "closing" => {
            let value = hand_on(evaluator, path, arguments);
            // A path's parts aren't the event's.
            let value = match &value {
                Value::Event(_) if path.starts_with("pathlib.") => taint::derived(&[&value]),
                _ => value,
            };
            if matches!(path, "str" | "String" | "dict" | "repr") && super::habits::holds_environment(evaluator, &value)
            {
                return Some(taint::made(format!("{}environment", taint::SECRET)));
            }
            return Some(checks::handed_on(path, value));
        }
        "aws-xray-sdk.captureAWSv3Client"
        | "aws-xray-sdk.captureAWSClient"
        | "aws-xray-sdk.captureAWS"
        | "aws-xray-sdk.captureHTTPs" => first(),
        // Powertools' tracer, whatever it is called.
        _ if path.ends_with(".captureAWSv3Client") || path.ends_with(".captureAWSClient") => first(),
        "int" | "float" | "Number" | "parseInt" | "parseFloat" | "bool" | "Boolean" | "len" | "max" | "min" | "sum"
        | "abs" | "round" | "decimal.Decimal" | "Decimal" | "uuid.UUID" | "hash" => {
            return Some(match arguments.positional.first() {
                Some(Value::Number(number)) => Value::Number(*number),
                Some(value) if value.is_tainted() => taint::harmless(
                    &[value],
                    if matches!(path, "len" | "bool" | "Boolean" | "hash" | "min" | "max") {
                        taint::NOTHING_LEFT
                    } else {
                        taint::EVERYWHERE
                    },
                ),
                Some(value @ Value::Environment(_)) if path == "int" || path == "parseInt" => value.clone(),
                _ => Value::Unknown,
            });
        }
        "os.path.join" | "path.join" | "path.resolve" | "path.posix.join" | "posixpath.join" => {
            let mut parts: Vec<Value> = Vec::new();
            for part in &arguments.positional {
                if !parts.is_empty() {
                    let ends = parts.last().and_then(Value::as_text).is_some_and(|text| text.ends_with('/'));
                    let starts = part.prefix().is_some_and(|text| text.starts_with('/'));
                    if !ends && !starts {
                        parts.push(Value::text("/"));
                    }
                }
                parts.push(part.clone());
            }
            let joined = Value::concat(parts);
            let joined = if path == "path.resolve" { taint::normal(&joined) } else { joined };
            taint::joined(evaluator, joined, arguments.place)
        }
        "urllib.parse.urljoin" | "urljoin" => {
            let base = first();
            match base.as_text() {
                Some(text) => Value::concat(vec![
                    Value::text(text.trim_end_matches('/')),
                    Value::text("/"),
                    arguments.positional.get(1).cloned().unwrap_or(Value::Unknown),
                ]),
                None => base,
            }
        }
        "URL" | "url.URL" | "url.parse" | "urllib.parse.urlparse" | "urllib.parse.urlsplit" | "urlparse" => {
            // Its parts say the same as the whole, as far as hosts go.
            match arguments.positional.get(1) {
                Some(base) if base.prefix().is_some() || matches!(base, Value::Environment(_)) => base.clone(),
                _ => first(),
            }
        }
        "random.choice" | "secrets.choice" | "next" | "_.sample" | "lodash.sample" => {
            let list = first();
            evaluator.iterate(&list, arguments.place)
        }
        "tempfile.gettempdir" | "os.tmpdir" => Value::text("/tmp"),
        "enumerate" => {
            let item = evaluator.iterate(&first(), arguments.place);
            let pair = evaluator.heap.list(vec![Value::Unknown, item]);
            evaluator.heap.object(Object { items: Some(Vec::new()), others: Some(pair), ..Object::default() })
        }
        "zip" => {
            let parts: Vec<Value> = arguments.positional.clone();
            let items: Vec<Value> = parts.iter().map(|part| evaluator.iterate(part, arguments.place)).collect();
            let row = evaluator.heap.list(items);
            evaluator.heap.object(Object { items: Some(Vec::new()), others: Some(row), ..Object::default() })
        }
        "Object.assign" => {
            let target = first();
            for part in arguments.positional.iter().skip(1) {
                if let Value::Object(id) = target {
                    let fields = evaluator.fields(part);
                    // Each is looked for among those that are there.
                    evaluator.work(fields.len() * fields.len() / 200);
                    for (name, value) in fields {
                        evaluator.heap.set_field(id, name, value);
                    }
                    if part.is_tainted() {
                        evaluator.heap.add_other(id, taint::derived(&[part]));
                    }
                }
            }
            target
        }
        "super" | "super()" => evaluator.extend(external, "()"),
        _ => return None,
    };
    Some(value)
}

fn hand_on(evaluator: &mut Evaluator<'_>, path: &str, arguments: &Arguments) -> Value {
    match (path, arguments.positional.as_slice()) {
        ("asyncio.gather", items) => evaluator.heap.list(items.to_vec()),
        ("dict", _) if !arguments.named.is_empty() || arguments.positional.is_empty() => {
            let mut fields = match arguments.positional.first() {
                Some(value) => evaluator.fields(value),
                None => Vec::new(),
            };
            fields.extend(arguments.named.iter().cloned());
            evaluator.heap.object(Object { fields, ..Object::default() })
        }
        ("list" | "set" | "tuple" | "Array", []) => evaluator.heap.list(Vec::new()),
        ("pathlib.Path" | "pathlib.PurePath" | "pathlib.PosixPath", parts) if parts.len() > 1 => {
            let mut joined = Vec::new();
            for (index, part) in parts.iter().enumerate() {
                if index > 0 {
                    joined.push(Value::text("/"));
                }
                joined.push(part.clone());
            }
            Value::concat(joined)
        }
        ("typing.cast", [_, value, ..]) => value.clone(),
        ("Array.from", [over, callback, ..]) => {
            let (over, callback) = (over.clone(), callback.clone());
            let item = evaluator.iterate(&over, arguments.place);
            let made = evaluator.call(&callback, Arguments::of(vec![item], arguments.place));
            evaluator.heap.object(Object { items: Some(Vec::new()), others: Some(made), ..Object::default() })
        }
        ("Object.values", [value]) => {
            let values = evaluator.fields(value).into_iter().map(|(_, value)| value).collect();
            if value.is_tainted() { taint::derived(&[value]) } else { evaluator.heap.list(values) }
        }
        (_, [value, ..]) => value.clone(),
        _ => Value::Unknown,
    }
}

/// `require("x")`, `import("x")`, `importlib.import_module("x")`.
fn require(evaluator: &mut Evaluator<'_>, arguments: &Arguments) -> Value {
    let first = arguments.positional.first().cloned().unwrap_or(Value::Unknown);
    let Some(name) = first.as_text() else {
        evaluator.doubt(arguments.place, "which module is imported here is worked out at run time");
        return Value::Unknown;
    };
    match evaluator.import(name, arguments.place) {
        Some(module) => evaluator.module_value(module),
        None if name.starts_with('.') && evaluator.language == Language::JavaScript => Value::Unknown,
        None => Value::external(super::normal(name)),
    }
}
