//! What libraries do: the models that the evaluator asks when a call leaves the repository's own code.
//!
//! A library's thing is known by the dotted path that leads to it (`requests.Session().get`, `fs/promises.writeFile`).
//! Each topic has a file; what no file claims tells nothing and hands its callbacks over as callable.

pub(crate) mod aws_javascript;
pub(crate) mod checks;
pub(crate) mod cloud;
pub(crate) mod commands;
pub(crate) mod dangers;
pub(crate) mod durable;
pub(crate) mod effects;
pub(crate) mod extension;
pub(crate) mod habits;
pub(crate) mod network;
pub(crate) mod objects;
pub(crate) mod packages;
pub(crate) mod practices;
pub(crate) mod records;
pub(crate) mod routes;
pub(crate) mod sinks;
pub(crate) mod system;
pub(crate) mod targets;
pub(crate) mod text;
pub(crate) mod tokens;

use crate::Language;
use crate::call::Arguments;
use crate::evaluate::Evaluator;
use crate::taint;
use crate::value::{External, Value};
pub(crate) use packages::package;
use std::rc::Rc;

/// How a module's name starts a path: without `node:`, and with the one name where a library has several.
pub(crate) fn normal(name: &str) -> &str {
    match name.strip_prefix("node:").unwrap_or(name) {
        "fs-extra" | "graceful-fs" => "fs",
        "node-fetch" | "cross-fetch" | "isomorphic-fetch" => "fetch",
        "mysql2/promise" | "mysql2" | "promise-mysql" | "serverless-mysql" => "mysql",
        "urllib2" => "urllib.request",
        "request-promise" | "request-promise-native" => "request",
        "aws-xray-sdk-core" => "aws-xray-sdk",
        other => other,
    }
}

/// What `from module import *` brings of libraries whose names matter.
pub(crate) fn star_names(module: &str) -> &'static [&'static str] {
    match module {
        "os" => &["environ", "getenv", "system", "popen", "path", "mkdir", "makedirs"],
        "boto3" => &["client", "resource", "Session"],
        "subprocess" => &["run", "call", "check_call", "check_output", "Popen"],
        "urllib.request" => &["urlopen", "Request", "urlretrieve"],
        "requests" => &["get", "post", "put", "patch", "delete"],
        "json" => &["loads", "load", "dumps"],
        "pathlib" => &["Path"],
        _ => &[],
    }
}

/// Decorators that run the function themselves when it is called, and don't call it otherwise.
pub(crate) fn is_transparent_decorator(path: &str) -> bool {
    const NAMES: [&str; 31] = [
        "inject_lambda_context",
        "injectLambdaContext",
        "captureMethod",
        "captureLambdaHandler",
        "logMetrics",
        "idempotent_handler",
        "capture_method",
        "capture_lambda_handler",
        "log_metrics",
        "capture",
        "lru_cache",
        "cache",
        "cached",
        "wraps",
        "contextmanager",
        "asynccontextmanager",
        "dataclass",
        "retry",
        "event_source",
        "event_parser",
        "validator",
        "idempotent",
        "idempotent_function",
        "lambda_handler_decorator",
        "singledispatch",
        "total_ordering",
        "on_exception",
        "capture_async",
        "timeit",
        "metric_scope",
        "backoff",
    ];
    let path = path.trim_end_matches("()");
    let last = path.rsplit('.').next().unwrap_or(path);
    NAMES.contains(&last.trim_end_matches("()"))
}

/// `library.name`.
pub(crate) fn member(evaluator: &mut Evaluator<'_>, external: &Rc<External>, name: &str) -> Value {
    match external.path.as_str() {
        "process.env" => return Value::Environment(name.into()),
        path if evaluator.language == Language::Python => {
            let is_app = path.ends_with("()") && path.starts_with("aws_lambda_powertools.event_handler");
            if is_app && name == "current_event" {
                return Value::Event("".into());
            }
            if matches!(path, "flask_login.current_user" | "flask.g") {
                return taint::made(format!("{}{name}", taint::CLAIM));
            }
            if let Some(part) = routes::member(path, name) {
                return part;
            }
            // A package without `__init__.py` is a folder of modules.
            if !path.contains('(')
                && let Some(module) = namespace_module(evaluator, path, name)
            {
                return Value::Module(module);
            }
        }
        _ if name == "default" => return Value::External(external.clone()),
        _ => {}
    }
    evaluator.extend(external, &format!(".{name}"))
}

fn namespace_module(evaluator: &mut Evaluator<'_>, path: &str, name: &str) -> Option<usize> {
    let first = path.split('.').next()?;
    let project = evaluator.project;
    let root = &evaluator.roots.code;
    let names = evaluator.root_names.get_or_insert_with(|| project.files.list(root).into_iter().collect());
    if !names.contains(first) {
        return None;
    }
    let base = crate::project::join(&evaluator.roots.code, &format!("{}/{name}", path.replace('.', "/")))?;
    let path = evaluator.project.python_module(&base)?;
    evaluator.load(&path)
}

/// `library["key"]`.
pub(crate) fn index(evaluator: &mut Evaluator<'_>, external: &Rc<External>, key: &str) -> Value {
    match external.path.as_str() {
        "process.env" | "os.environ" | "os.environb" => Value::Environment(key.into()),
        "globals()" | "locals()" => evaluator.lookup(key),
        _ if evaluator.language == Language::JavaScript => member(evaluator, external, key),
        _ => evaluator.extend(external, "[]"),
    }
}

/// Calls something of a library.
pub(crate) fn call(evaluator: &mut Evaluator<'_>, external: &Rc<External>, arguments: Arguments) -> Value {
    let path = external.path.as_str();
    if path == "getattr" {
        dangers::call(evaluator, external, &arguments);
    }
    if path == "getattr" || path == "Reflect.get" {
        return get_attribute(evaluator, &arguments);
    }
    if matches!(path, "partial" | "functools.partial") {
        let mut positional = arguments.positional.into_iter();
        let callee = positional.next().unwrap_or(Value::Unknown);
        let positional = evaluator.heap.list(positional.collect());
        let named = evaluator.heap.object(crate::heap::Object { fields: arguments.named, ..Default::default() });
        evaluator.refer(&callee);
        return Value::External(Rc::new(External {
            path: "functools.partial()".to_string(),
            carried: vec![callee, positional, named],
        }));
    }
    if let ("functools.partial()", [callee, positional, named]) = (path, external.carried.as_slice()) {
        let mut whole = arguments;
        let mut first = evaluator.items(positional).unwrap_or_default();
        first.append(&mut whole.positional);
        whole.positional = first;
        for (name, value) in evaluator.fields(named) {
            if whole.named(&name).is_none() {
                whole.named.push((name, value));
            }
        }
        return evaluator.call(&callee.clone(), whole);
    }
    if let Some(value) = listeners(evaluator, path, &arguments) {
        return value;
    }
    sinks::call(evaluator, external, &arguments);
    practices::call(evaluator, external, &arguments);
    routes::call(evaluator, external, &arguments);
    if let Some(value) = dangers::call(evaluator, external, &arguments) {
        return value;
    }
    if matches!(path, "flask.request.get_json" | "flask.request.get_data") {
        return Value::Event("body".into());
    }
    if let Some(value) = checks::call(evaluator, external, &arguments) {
        return value;
    }
    if let Some(value) = text::call(evaluator, path, external, &arguments) {
        return value;
    }
    if evaluator.language == Language::JavaScript
        && let Some(value) = objects::call(evaluator, path, &arguments)
    {
        return value;
    }
    if let Some(value) = durable::step(evaluator, external, &arguments) {
        return value;
    }
    if let Some(value) = durable::call(evaluator, path, &arguments) {
        return value;
    }
    if let Some(value) = tokens::call(evaluator, external, &arguments) {
        return value;
    }
    let known = match evaluator.language {
        Language::Python => cloud::call(evaluator, path, external, &arguments),
        Language::JavaScript => aws_javascript::call(evaluator, path, external, &arguments),
    };
    if let Some(value) = known {
        return value;
    }
    extension::note(evaluator, &arguments);
    network::call(evaluator, external, &arguments);
    system::call(evaluator, external, &arguments);
    if let Some(output) = system::output(evaluator, path, &arguments) {
        return output;
    }
    let last = path.rsplit('.').next().unwrap_or(path);
    match (last, arguments.positional.as_slice()) {
        // Something else runs the function with these arguments.
        ("submit" | "run_in_executor" | "to_thread" | "create_task", [callee, rest @ ..])
            if callee_like(callee) || rest.first().is_some_and(callee_like) =>
        {
            let (callee, rest) = match callee_like(callee) {
                true => (callee.clone(), rest),
                false => (rest[0].clone(), &rest[1..]),
            };
            let mut handed = Arguments::of(rest.to_vec(), arguments.place);
            handed.named.clone_from(&arguments.named);
            return evaluator.call(&callee, handed);
        }
        ("map" | "starmap" | "imap" | "imap_unordered" | "filter", [callee, over, ..]) if callee_like(callee) => {
            let (callee, over) = (callee.clone(), over.clone());
            let item = evaluator.iterate(&over, arguments.place);
            let result = evaluator.call(&callee, Arguments::of(vec![item], arguments.place));
            let list = crate::heap::Object { items: Some(Vec::new()), others: Some(result), ..Default::default() };
            return evaluator.heap.object(list);
        }
        ("Thread" | "Process" | "Timer", _) => {
            let handed = arguments.named("args").cloned().and_then(|list| evaluator.items(&list)).unwrap_or_default();
            if let Some(target) = arguments.get(1, "target").cloned() {
                evaluator.call(&target, Arguments::of(handed, arguments.place));
            }
        }
        ("process_partial_response" | "async_process_partial_response", _) => {
            if let Some(handler) = arguments.get(1, "record_handler").cloned() {
                let event = arguments.get(0, "event").cloned().unwrap_or(Value::Unknown);
                let records = match &event {
                    Value::Event(path) => crate::event::field(evaluator, path, "Records", true, arguments.place),
                    _ => Value::Unknown,
                };
                let record = evaluator.iterate(&records, arguments.place);
                evaluator.call(&handler, Arguments::of(vec![record], arguments.place));
            }
        }
        // What a wrapped handler is called with, it is handed on.
        _ if !external.carried.is_empty()
            && external.path.ends_with("()")
            && external.carried.iter().any(callee_like) =>
        {
            let wrapped: Vec<Value> = external.carried.iter().filter(|value| callee_like(value)).cloned().collect();
            for one in wrapped {
                evaluator.call(&one, arguments.clone());
            }
        }
        _ => {}
    }
    // A route or a listener is called by the library; a wrapped handler by whoever calls what this gives back.
    evaluator.hand_over(&arguments);
    let mut carried: Vec<Value> = arguments.all().take(4).cloned().collect();
    carried.extend(external.carried.iter().take(4).cloned());
    match evaluator.extend(external, "()") {
        Value::External(made) => Value::External(Rc::new(External { path: made.path.clone(), carried })),
        other => other,
    }
}

/// `emitter.on("name", listener)` and `emitter.emit("name", value)`.
fn listeners(evaluator: &mut Evaluator<'_>, path: &str, arguments: &Arguments) -> Option<Value> {
    let (before, last) = path.rsplit_once('.')?;
    if !before.contains("EventEmitter") && !before.starts_with("events") {
        return None;
    }
    let name = arguments.positional.first()?.as_text()?.to_string();
    match last {
        "on" | "once" | "addListener" | "prependListener" => {
            let listener = arguments.positional.get(1)?.clone();
            evaluator.refer(&listener);
            if evaluator.listeners.len() < 200 {
                evaluator.listeners.push((name, listener));
            }
        }
        "emit" => {
            let listeners: Vec<Value> = evaluator
                .listeners
                .iter()
                .filter(|(known, _)| *known == name)
                .map(|(_, listener)| listener.clone())
                .collect();
            for listener in listeners {
                let handed = arguments.positional.iter().skip(1).cloned().collect();
                evaluator.call(&listener, Arguments::of(handed, arguments.place));
            }
        }
        _ => return None,
    }
    Some(Value::Unknown)
}

pub(crate) fn callee_like(value: &Value) -> bool {
    matches!(value, Value::Function(_) | Value::Method(..) | Value::ClientMethod(..) | Value::ResourceMember(..))
}

fn get_attribute(evaluator: &mut Evaluator<'_>, arguments: &Arguments) -> Value {
    let (Some(object), Some(name)) = (arguments.positional.first(), arguments.positional.get(1)) else {
        return Value::Unknown;
    };
    let (object, name) = (object.clone(), name.clone());
    let mut result: Option<Value> = None;
    for name in name.alternatives() {
        let value = match name {
            Value::Text(name) => evaluator.member(&object, name, true, arguments.place),
            _ => {
                for one in object.alternatives() {
                    let service = match one {
                        Value::Client(client) => client.service.boto3(),
                        Value::Resource(resource) => resource.service.boto3(),
                        _ => continue,
                    };
                    evaluator.doubt(
                        arguments.place,
                        format!("which operation of `{service}` is called is worked out at run time"),
                    );
                }
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

/// Methods of paths and of what is printed like one.
pub(crate) fn path_method(evaluator: &mut Evaluator<'_>, receiver: &Value, name: &str, arguments: &Arguments) {
    system::path_method(evaluator, receiver, name, arguments);
}
