//! Frameworks that hand requests to routes: which function a route is, and which of the function's arguments come out of the
//! event. Routes run after the handler, when everything they use is defined.
//!
//! Deliberately absent: parameters that FastAPI takes from the query by name, middleware that changes the request.

use crate::Language;
use crate::call::Arguments;
use crate::evaluate::Evaluator;
use crate::heap::Object;
use crate::syntax::{Name, Place};
use crate::taint;
use crate::value::{External, Value};
use graph::Sink;

/// Routes of one handler.
const MAX_ROUTES: usize = 500;

/// A function that a framework calls for requests.
pub(crate) struct Route {
    function: Value,
    arguments: Arguments,
    /// Whether text that it returns is a page.
    is_page: bool,
}

fn is_verb(name: &str) -> bool {
    matches!(name, "get" | "post" | "put" | "patch" | "delete" | "head" | "options" | "route" | "all" | "any" | "use")
}

/// Whether a path is of a router: `express().get`, `aws_lambda_powertools.event_handler.APIGatewayRestResolver().get`.
fn is_router(language: Language, path: &str) -> bool {
    let root = path.split(['.', '(', '/']).next().unwrap_or(path);
    let known = match language {
        Language::Python => {
            matches!(root, "aws_lambda_powertools" | "flask" | "fastapi" | "chalice" | "bottle" | "starlette")
        }
        Language::JavaScript => {
            matches!(root, "express" | "fastify" | "hono" | "lambda-api" | "@hono" | "koa-router" | "@koa")
        }
    };
    known && path.contains("()") && path.trim_end_matches("()").rsplit('.').next().is_some_and(is_verb)
}

/// `@app.get("/orders/<id>")`: the path's parameters are the function's.
pub(crate) fn decorated(evaluator: &mut Evaluator<'_>, decorator: &External, function: &Value) {
    if !decorator.path.ends_with("()") || !is_router(evaluator.language, &decorator.path) {
        return;
    }
    let Some(path) = decorator.carried.iter().find_map(Value::as_text).map(str::to_string) else { return };
    let named_by_signature = decorator.path.starts_with("fastapi");
    let mut arguments = Arguments::new(Place::default());
    for piece in path.split(['<', '{']).skip(1) {
        let name = piece.split(['>', '}']).next().unwrap_or("");
        // `<int:id>`, `{id:path}`.
        let (kind, name) = match (name.split_once(':'), path.contains('<')) {
            (Some((kind, name)), true) => (kind, name),
            (Some((name, kind)), false) => (kind, name),
            (None, _) => ("", name),
        };
        let value = Value::Event(format!("pathParameters.{name}").into());
        let value = match kind {
            "int" | "float" | "uuid" => taint::harmless(&[&value], taint::EVERYWHERE),
            _ => value,
        };
        arguments.named.push((Name::from(name), value));
    }
    if named_by_signature && let Value::Function(closure) = function {
        let names: Vec<Name> = evaluator
            .definition(closure, |function| {
                let plain = |parameter: &crate::syntax::Parameter| match (&parameter.target, &parameter.default) {
                    (_, Some(default)) if matches!(default.kind, crate::syntax::Kind::Call { .. }) => None,
                    (crate::syntax::Pattern::Name(name), _) => Some(name.clone()),
                    _ => None,
                };
                function.parameters.iter().filter_map(plain).collect()
            })
            .unwrap_or_default();
        let reads = decorator.path.ends_with(".get()") || decorator.path.ends_with(".delete()");
        for name in names {
            if arguments.named(&name).is_none() {
                let value = if reads { format!("queryStringParameters.{name}").into() } else { Name::from("body") };
                arguments.named.push((name, Value::Event(value)));
            }
        }
    }
    let is_page = decorator.path.starts_with("flask") || decorator.path.starts_with("bottle");
    add(evaluator, function.clone(), arguments, is_page);
}

/// `app.get("/orders/:id", (request, response) => ...)`.
pub(crate) fn call(evaluator: &mut Evaluator<'_>, external: &External, arguments: &Arguments) {
    if evaluator.language != Language::JavaScript {
        return;
    }
    if let Some(method) = external.path.strip_prefix("route.response.") {
        answered(evaluator, method, arguments);
        return;
    }
    if !is_router(Language::JavaScript, &external.path) {
        return;
    }
    for function in &arguments.positional {
        if super::callee_like(function) {
            let request = request(evaluator);
            let given = vec![request, Value::external("route.response"), Value::external("route.next")];
            add(evaluator, function.clone(), Arguments::of(given, Place::default()), false);
        }
    }
}

fn add(evaluator: &mut Evaluator<'_>, function: Value, arguments: Arguments, is_page: bool) {
    if evaluator.routes.len() < MAX_ROUTES {
        evaluator.routes.push(Route { function, arguments, is_page });
    }
}

/// What frameworks for JavaScript call a request.
fn request(evaluator: &mut Evaluator<'_>) -> Value {
    let parts = [
        ("query", "queryStringParameters"),
        ("params", "pathParameters"),
        ("body", "body"),
        ("headers", "headers"),
        ("cookies", "cookies"),
        ("path", "path"),
        ("url", "path"),
        ("originalUrl", "path"),
        ("requestContext", "requestContext"),
    ];
    let mut fields: Vec<(Name, Value)> =
        parts.into_iter().map(|(name, path)| (name.into(), Value::Event(path.into()))).collect();
    let event =
        evaluator.heap.object(Object { fields: vec![("event".into(), Value::Event("".into()))], ..Object::default() });
    fields.push(("apiGateway".into(), event));
    // What middleware found out of a token or a session.
    for name in ["user", "auth", "session"] {
        fields.push((name.into(), taint::made(format!("{}{name}", taint::CLAIM))));
    }
    evaluator.heap.object(Object { fields, ..Object::default() })
}

/// `response.send("<p>" + ...)`.
fn answered(evaluator: &mut Evaluator<'_>, method: &str, arguments: &Arguments) {
    let method = method.rsplit('.').next().unwrap_or(method);
    let Some(first) = arguments.positional.first().cloned() else { return };
    if matches!(method, "send" | "json" | "end" | "write" | "html" | "jsonp") {
        super::habits::answered(evaluator, &first, arguments.place);
    }
    match method {
        "send" | "end" | "write" | "html" => {
            for one in first.alternatives() {
                let is_markup = matches!(one, Value::Pattern(parts) if parts.iter().any(|part| {
                    part.as_text().is_some_and(|text| text.contains('<'))
                }));
                if is_markup {
                    taint::sink(evaluator, Sink::Html, one, arguments.place);
                }
            }
        }
        "redirect" | "location" => {
            let to = arguments.positional.last().cloned().unwrap_or(first);
            super::dangers::redirect(evaluator, &to, arguments.place);
        }
        "cookie" => {
            let options = arguments.positional.get(2).cloned().unwrap_or(Value::Nothing);
            let on = |evaluator: &Evaluator<'_>, name: &str| {
                evaluator.own_field(&options, name).is_some_and(|value| value != Value::Boolean(false))
            };
            let name = first.as_text().unwrap_or("").to_ascii_lowercase();
            let is_session = ["session", "sid", "token", "auth", "jwt"].iter().any(|word| name.contains(word));
            if is_session && !(on(evaluator, "httpOnly") && on(evaluator, "secure")) {
                super::practices::note(evaluator, graph::PracticeKind::OpenCookie, arguments.place);
            }
        }
        "set" | "header" | "setHeader" | "append" => {
            let value = arguments.positional.get(1).cloned().unwrap_or(Value::Unknown);
            taint::sink(evaluator, Sink::ResponseHeader, &value, arguments.place);
        }
        "render" => {}
        "sendFile" | "download" => taint::sink(evaluator, Sink::PathRead, &first, arguments.place),
        _ => {}
    }
}

/// Runs the routes that are known by now.
pub(crate) fn run(evaluator: &mut Evaluator<'_>) {
    for route in std::mem::take(&mut evaluator.routes) {
        let python = evaluator.language == Language::Python;
        let before =
            std::mem::replace(&mut evaluator.route, python.then_some((evaluator.frames.len() + 1, route.is_page)));
        evaluator.call(&route.function, route.arguments);
        evaluator.route = before;
    }
}

/// What a route's function returns is what the caller gets; with some frameworks text is a page.
pub(crate) fn returned(evaluator: &mut Evaluator<'_>, value: &Value, place: Place) {
    let Some((_, is_page)) = evaluator.route.filter(|(depth, _)| *depth == evaluator.frames.len()) else { return };
    if super::habits::tells_errors(evaluator, value) {
        super::habits::answered(evaluator, value, place);
    }
    // `return page, 200`.
    let first = evaluator.items(value).and_then(|items| items.first().cloned()).unwrap_or_else(|| value.clone());
    if is_page {
        for one in first
            .alternatives()
            .iter()
            .filter(|one| matches!(one, Value::Pattern(_) | Value::FromEvent(_) | Value::Event(_)))
        {
            taint::sink(evaluator, Sink::Html, one, place);
        }
    }
}

/// `flask.request.args` and the like.
pub(crate) fn member(path: &str, name: &str) -> Option<Value> {
    if !matches!(path, "flask.request" | "bottle.request") {
        return None;
    }
    let part = match name {
        "args" | "query" => "queryStringParameters",
        "json" | "form" | "data" | "values" | "files" => "body",
        "headers" => "headers",
        "cookies" => "cookies",
        "path" | "url" | "full_path" => "path",
        _ => return None,
    };
    Some(Value::Event(part.into()))
}
