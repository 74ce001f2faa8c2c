//! Places where text is more than data: which libraries' calls have them, and in which argument.
//!
//! Command lines and files are noted where `system` reads them, addresses where `network` does, resources where `cloud` does.

use crate::Language;
use crate::call::Arguments;
use crate::evaluate::Evaluator;
use crate::syntax::{Entry, Expression, Kind, Place};
use crate::taint;
use crate::value::{External, Value};
use facts::Operation;
use graph::{PracticeKind, Sink, words};

/// Libraries whose `execute` and `query` take SQL.
const SQL: [&str; 24] = [
    "sqlite3",
    "psycopg2",
    "psycopg",
    "pymysql",
    "MySQLdb",
    "mysql",
    "pg8000",
    "redshift_connector",
    "asyncpg",
    "aiomysql",
    "sqlalchemy",
    "pyodbc",
    "cx_Oracle",
    "oracledb",
    "snowflake",
    "duckdb",
    "records",
    "pg",
    "postgres",
    "sequelize",
    "knex",
    "better-sqlite3",
    "mssql",
    "data-api-client",
];

/// Calls of libraries.
pub(crate) fn call(evaluator: &mut Evaluator<'_>, external: &External, arguments: &Arguments) {
    let path = external.path.as_str();
    let place = arguments.place;
    let first =
        arguments.positional.first().cloned().or_else(|| arguments.named.first().map(|(_, value)| value.clone()));
    let Some(first) = first else { return };
    let root = path.split(['.', '(']).next().unwrap_or(path);
    let last = path.rsplit('.').next().unwrap_or(path).trim_end_matches("()");
    if let Some((sink, at)) = match evaluator.language {
        Language::Python => python(path, root, last, arguments),
        Language::JavaScript => javascript(path, root, last),
    } {
        // A template that was compiled is handed data.
        if sink == Sink::Template && path.ends_with("()") {
            return;
        }
        let value = arguments.positional.get(at).cloned().unwrap_or(first);
        // What comes out of a store was put there by somebody.
        let stored = taint::all_sources(&value).iter().any(|source| source.starts_with(taint::STORED));
        if sink == Sink::Deserialize && (stored || matches!(value, Value::Unknown | Value::Answer(_))) {
            super::practices::note(evaluator, PracticeKind::StoredDeserialization, place);
        }
        taint::sink(evaluator, sink, &value, place);
        return;
    }
    if is_query(last) && path.contains('.') && !matches!(root, "concurrent" | "asyncio") {
        let known = SQL.contains(&root);
        query(evaluator, &first, known, place);
        super::records::sql(evaluator, &first, arguments.positional.get(1), place);
        return;
    }
    if evaluator.language == Language::JavaScript && path == "Function" {
        for value in &arguments.positional {
            taint::sink(evaluator, Sink::Eval, value, place);
        }
        return;
    }
    if matches!(root, "pymongo" | "motor" | "mongodb" | "mongoose") && is_find(last) {
        operators(evaluator, &first, place);
        return;
    }
    if is_log(evaluator.language, path, root, last) {
        for value in arguments.all().cloned().collect::<Vec<_>>() {
            log(evaluator, &value, place);
            private_log(evaluator, &value, place);
        }
    }
}

fn python(path: &str, root: &str, last: &str, arguments: &Arguments) -> Option<(Sink, usize)> {
    Some(match path {
        "eval"
        | "exec"
        | "compile"
        | "builtins.eval"
        | "builtins.exec"
        | "__import__"
        | "importlib.import_module"
        | "runpy.run_path"
        | "runpy.run_module"
        | "code.interact"
        | "timeit.timeit"
        | "pandas.eval" => (Sink::Eval, 0),
        "yaml.load" | "yaml.load_all" if !safe_loader(arguments) => (Sink::Deserialize, 0),
        "yaml.unsafe_load"
        | "yaml.full_load"
        | "yaml.unsafe_load_all"
        | "jsonpickle.decode"
        | "jsonpickle.loads"
        | "joblib.load"
        | "pandas.read_pickle"
        | "torch.load"
        | "shelve.open" => (Sink::Deserialize, 0),
        "jinja2.Template"
        | "flask.render_template_string"
        | "render_template_string"
        | "mako.template.Template"
        | "tornado.template.Template"
        | "django.template.Template" => (Sink::Template, 0),
        _ if matches!(root, "pickle" | "cPickle" | "_pickle" | "dill" | "cloudpickle" | "marshal")
            && matches!(last, "load" | "loads" | "Unpickler") =>
        {
            (Sink::Deserialize, 0)
        }
        _ if root == "jinja2" && last == "from_string" => (Sink::Template, 0),
        _ => return None,
    })
}

/// `yaml.load(text, Loader=SafeLoader)`.
fn safe_loader(arguments: &Arguments) -> bool {
    match arguments.get(1, "Loader") {
        Some(Value::External(loader)) => {
            let name = loader.path.rsplit('.').next().unwrap_or("");
            name.contains("Safe") || name.contains("BaseLoader")
        }
        _ => false,
    }
}

fn javascript(path: &str, root: &str, last: &str) -> Option<(Sink, usize)> {
    Some(match path {
        "eval" | "require" | "import" | "globalThis.eval" | "global.eval" | "setTimeout" | "setInterval" => {
            (Sink::Eval, 0)
        }
        "node-serialize.unserialize"
        | "serialize-to-js.deserialize"
        | "funcster.deepDeserialize"
        | "cryo.parse"
        | "node-serialize.deserialize" => (Sink::Deserialize, 0),
        "lodash.template" | "_.template" | "underscore.template" => (Sink::Template, 0),
        _ if root == "vm" || root == "vm2" => match last {
            "runInNewContext" | "runInThisContext" | "runInContext" | "Script" | "compileFunction" | "run" => {
                (Sink::Eval, 0)
            }
            _ => return None,
        },
        _ if matches!(root, "static-eval" | "safe-eval" | "notevil" | "eval") && path == root => (Sink::Eval, 0),
        _ if matches!(root, "mathjs") && last == "evaluate" => (Sink::Eval, 0),
        _ if matches!(
            root,
            "ejs" | "handlebars" | "Handlebars" | "pug" | "jade" | "nunjucks" | "dot" | "eta" | "swig"
        ) =>
        {
            match last {
                "render" | "compile" | "renderString" | "precompile" | "template" | "compileString" => {
                    (Sink::Template, 0)
                }
                _ => return None,
            }
        }
        _ => return None,
    })
}

fn is_query(name: &str) -> bool {
    matches!(
        name,
        "execute"
            | "executemany"
            | "executescript"
            | "query"
            | "raw"
            | "run_query"
            | "read_sql"
            | "read_sql_query"
            | "fetchrow"
            | "fetchval"
            | "$queryRawUnsafe"
            | "$executeRawUnsafe"
            | "mogrify"
            | "prepare"
            | "exec_driver_sql"
    )
}

fn is_find(name: &str) -> bool {
    matches!(
        name,
        "find"
            | "findOne"
            | "find_one"
            | "findOneAndUpdate"
            | "find_one_and_update"
            | "updateOne"
            | "update_one"
            | "updateMany"
            | "update_many"
            | "deleteOne"
            | "delete_one"
            | "deleteMany"
            | "delete_many"
            | "countDocuments"
            | "count_documents"
            | "aggregate"
    )
}

fn is_log(language: Language, path: &str, root: &str, last: &str) -> bool {
    let level = matches!(
        last,
        "log" | "info" | "debug" | "warn" | "warning" | "error" | "exception" | "critical" | "trace" | "fatal"
    );
    match language {
        Language::Python => {
            path == "print" || level && (root == "logging" || path.contains("Logger()") || path.contains("getLogger()"))
        }
        Language::JavaScript => {
            level && (root == "console" || path.contains("Logger()") || matches!(root, "winston" | "pino" | "bunyan"))
        }
    }
}

/// A line of the log. Objects are printed with their line breaks escaped.
fn log(evaluator: &mut Evaluator<'_>, value: &Value, place: Place) {
    for one in value.alternatives() {
        let is_text = matches!(one, Value::Event(_) | Value::FromEvent(_) | Value::Pattern(_));
        if is_text && !is_container(one) {
            taint::sink(evaluator, Sink::Log, one, place);
        }
    }
}

/// What nobody is to read in the log: passwords and the like by their names, the event as a whole, secrets.
fn private_log(evaluator: &mut Evaluator<'_>, value: &Value, place: Place) {
    for one in taint::inside(evaluator, value) {
        let told = |source: &str| {
            let last = source.rsplit('.').next().unwrap_or(source);
            matches!(source, "" | "body" | "headers" | "multiValueHeaders" | "request") || words::is_private(last)
        };
        for source in taint::all_sources(&one) {
            if source.starts_with(taint::SECRET) && !source.ends_with("environment") {
                super::practices::note(evaluator, PracticeKind::SecretInLog, place);
            }
        }
        if taint::sources(&one).iter().any(|source| told(source)) {
            taint::sink(evaluator, Sink::PrivateLog, &one, place);
        }
    }
    let mut variables = value.alternatives().to_vec();
    if let Value::Pattern(parts) = value {
        variables.extend(parts.iter().cloned());
    }
    if variables.iter().any(|one| matches!(one, Value::Environment(name) if words::is_private(name))) {
        super::practices::note(evaluator, PracticeKind::SecretInLog, place);
    }
    if super::habits::holds_environment(evaluator, value) {
        super::practices::note_with(evaluator, PracticeKind::EnvironmentExposed, place, "log", None);
    }
}

/// `text.match(pattern)`, `text.search(pattern)`.
pub(crate) fn pattern_method(evaluator: &mut Evaluator<'_>, receiver: &Value, name: &str, arguments: &Arguments) {
    let Some(pattern) = arguments.positional.first().cloned() else { return };
    if evaluator.language == Language::JavaScript {
        if matches!(name, "match" | "matchAll" | "search") {
            taint::sink(evaluator, Sink::Pattern, &pattern, arguments.place);
        }
        super::dangers::slow(evaluator, &pattern, receiver, arguments.place);
    }
}

/// Whether all of the event in a value is a part that holds others rather than text.
fn is_container(value: &Value) -> bool {
    const NAMES: [&str; 10] = [
        "Records",
        "records",
        "headers",
        "queryStringParameters",
        "pathParameters",
        "requestContext",
        "detail",
        "dynamodb",
        "rmqMessagesByQueue",
        "messages",
    ];
    taint::sources(value).iter().all(|source| {
        let last = source.rsplit('.').next().unwrap_or(source);
        last.is_empty() || last.ends_with("[]") || NAMES.contains(&last)
    })
}

/// A method of something that can't be told, by its name and by what it is handed.
pub(crate) fn unknown_method(evaluator: &mut Evaluator<'_>, name: &str, arguments: &Arguments) {
    if is_query(name)
        && let Some(first) = arguments.positional.first().cloned()
    {
        query(evaluator, &first, false, arguments.place);
        if is_sql(&first) {
            super::records::sql(evaluator, &first, arguments.positional.get(1), arguments.place);
        }
    }
}

/// Text that a database reads as a statement. Where it isn't sure that a database does, its words tell.
fn query(evaluator: &mut Evaluator<'_>, value: &Value, known: bool, place: Place) {
    for one in value.alternatives() {
        match one {
            Value::Pattern(_) if known || is_sql(one) => taint::sink(evaluator, Sink::Sql, one, place),
            Value::Event(_) | Value::FromEvent(_) if known => taint::sink(evaluator, Sink::Sql, one, place),
            // mysql2 and pg: `query({ sql, text, values })`.
            Value::Object(_) => {
                for name in ["sql", "text"] {
                    if let Some(text) = evaluator.own_field(one, name)
                        && (known || is_sql(&text))
                    {
                        taint::sink(evaluator, Sink::Sql, &text, place);
                    }
                }
            }
            // `sqlalchemy.text(...)` and the like.
            Value::External(external) if known && external.path.ends_with("text()") => {
                if let Some(text) = external.carried.first().cloned() {
                    taint::sink(evaluator, Sink::Sql, &text, place);
                }
            }
            _ => {}
        }
    }
}

fn is_sql(value: &Value) -> bool {
    let Some(text) = value.prefix() else { return false };
    let word: String = text.trim_start().chars().take_while(char::is_ascii_alphabetic).collect();
    let words = [
        "select", "insert", "update", "delete", "replace", "create", "drop", "alter", "merge", "with", "truncate",
        "grant", "call", "exec", "copy", "use", "show",
    ];
    words.iter().any(|known| word.eq_ignore_ascii_case(known)) && text.trim().contains(char::is_whitespace)
}

/// Filters of a document store: an object from the caller may bring operators along.
fn operators(evaluator: &mut Evaluator<'_>, value: &Value, place: Place) {
    for one in value.alternatives() {
        match one {
            Value::Event(_) => taint::sink(evaluator, Sink::Expression, one, place),
            Value::Object(_) => {
                for (name, inner) in evaluator.fields(one) {
                    let built = matches!(&*name, "$where" | "$function" | "$expr");
                    // Text can't hold an operator; a decoded part of a body can.
                    let decoded = matches!(&inner, Value::Event(path) if path.split('.').any(|part| part == "body"));
                    if built || decoded {
                        taint::sink(evaluator, Sink::Expression, &inner, place);
                    }
                }
            }
            _ => {}
        }
    }
}

/// The members of a cloud operation that are a language of their own.
pub(crate) fn of_operation(operation: Operation) -> Vec<(&'static str, Sink)> {
    let expressions = ["FilterExpression", "KeyConditionExpression", "ConditionExpression", "UpdateExpression"];
    match (operation.service().boto3(), operation.name()) {
        ("dynamodb", "ExecuteStatement" | "BatchExecuteStatement" | "ExecuteTransaction") => {
            vec![("Statement", Sink::Sql), ("Statements", Sink::Sql), ("TransactStatements", Sink::Sql)]
        }
        ("dynamodb", _) => expressions.into_iter().map(|name| (name, Sink::Expression)).collect(),
        ("rds-data", _) => vec![("sql", Sink::Sql), ("sqlStatements", Sink::Sql)],
        ("redshift-data", _) => vec![("Sql", Sink::Sql), ("Sqls", Sink::Sql)],
        ("athena", "StartQueryExecution") => vec![("QueryString", Sink::Sql)],
        ("timestream-query", "Query") => vec![("QueryString", Sink::Sql)],
        ("s3", "SelectObjectContent") => vec![("Expression", Sink::Sql)],
        ("logs", "StartQuery") => vec![("queryString", Sink::Expression)],
        ("cloudtrail", "StartQuery") => vec![("QueryStatement", Sink::Sql)],
        ("ssm", "SendCommand") => vec![("Parameters", Sink::Shell)],
        _ => Vec::new(),
    }
}

/// A statement or expression of a cloud operation; in lists of statements their text counts, not their parameters.
pub(crate) fn statement(evaluator: &mut Evaluator<'_>, sink: Sink, value: &Value, place: Place) {
    for one in value.alternatives() {
        match one {
            Value::Object(_) if sink != Sink::Shell => {
                let item = evaluator.iterate(one, place);
                for entry in item.alternatives() {
                    let text = match entry {
                        Value::Object(_) => evaluator.own_field(entry, "Statement"),
                        other => Some(other.clone()),
                    };
                    if let Some(text) = text {
                        taint::sink(evaluator, sink, &text, place);
                    }
                }
            }
            other => taint::sink(evaluator, sink, other, place),
        }
    }
}

/// The part of each URL-like argument that decides whom a request goes to.
pub(crate) fn addresses(evaluator: &mut Evaluator<'_>, arguments: &Arguments) -> Vec<Value> {
    const NAMES: [&str; 9] = ["url", "uri", "hostname", "host", "baseURL", "baseUrl", "base_url", "origin", "hosts"];
    let mut found = Vec::new();
    let positional = arguments.positional.iter().take(2);
    let named = arguments.named.iter().filter(|(name, _)| NAMES.contains(&&**name)).map(|(_, value)| value);
    let candidates: Vec<Value> = positional.chain(named).flat_map(|value| value.alternatives().to_vec()).collect();
    for value in candidates {
        match &value {
            Value::Object(_) => {
                found.extend(NAMES.iter().filter_map(|name| evaluator.own_field(&value, name)));
            }
            Value::External(request) => {
                found.extend(request.carried.iter().filter(|value| value.is_textual()).take(1).cloned());
            }
            Value::Event(_) | Value::FromEvent(_) | Value::Pattern(_) => found.push(value),
            _ => {}
        }
        if !found.is_empty() {
            break;
        }
    }
    found.iter().map(host_part).collect()
}

/// The first hole of a URL: what follows the host does no harm.
fn host_part(value: &Value) -> Value {
    match value {
        Value::Pattern(parts) => {
            parts.iter().find(|part| !matches!(part, Value::Text(_))).cloned().unwrap_or(Value::Unknown)
        }
        Value::Any(values) => values.iter().map(host_part).reduce(Value::or).unwrap_or(Value::Unknown),
        other => other.clone(),
    }
}

/// `wording.format(...)` where the caller has a say in the wording.
pub(crate) fn format(evaluator: &mut Evaluator<'_>, receiver: &Value, arguments: &Arguments) {
    if evaluator.language == Language::Python && arguments.all().next().is_some() {
        taint::sink(evaluator, Sink::Template, receiver, arguments.place);
    }
}

/// A dictionary that is an answer to an HTTP caller: its page and its headers.
pub(crate) fn response(evaluator: &mut Evaluator<'_>, entries: &[Entry], map: &Value) {
    if evaluator.own_field(map, "statusCode").is_some()
        && let Some(body) = evaluator.own_field(map, "body")
    {
        super::habits::answered(evaluator, &body, place_of(entries, "body", ""));
    }
    if let Some(cookies) = evaluator.own_field(map, "cookies")
        && evaluator.own_field(map, "statusCode").is_some()
    {
        let item = evaluator.iterate(&cookies, Place::default());
        cookie(evaluator, &item, place_of(entries, "cookies", ""));
    }
    let Some(headers) = evaluator.own_field(map, "headers").or_else(|| evaluator.own_field(map, "Headers")) else {
        return;
    };
    if evaluator.own_field(map, "statusCode").is_none() {
        return;
    }
    let mut is_page = false;
    for (name, value) in headers.alternatives().iter().flat_map(|one| evaluator.fields(one)).collect::<Vec<_>>() {
        if name.eq_ignore_ascii_case("content-type") {
            is_page |= value.alternatives().iter().any(|one| {
                one.prefix().is_some_and(|text| {
                    let text = text.to_ascii_lowercase();
                    text.contains("html") || text.contains("svg") || text.contains("xml")
                })
            });
        }
        let place = place_of(entries, "headers", &name);
        if name.eq_ignore_ascii_case("location") {
            super::dangers::redirect(evaluator, &value, place);
        }
        if name.eq_ignore_ascii_case("set-cookie") {
            cookie(evaluator, &value, place);
        }
        if name.eq_ignore_ascii_case("access-control-allow-origin") {
            let any = value.as_text() == Some("*") || value.is_of_event();
            let together = headers.alternatives().iter().flat_map(|one| evaluator.fields(one)).any(|(name, value)| {
                name.eq_ignore_ascii_case("access-control-allow-credentials")
                    && (value == Value::Boolean(true)
                        || value.as_text().is_some_and(|text| text.eq_ignore_ascii_case("true")))
            });
            let checked = taint::sources(&value).iter().any(|source| evaluator.record.checked.contains_key(source));
            if any && together && !checked {
                super::practices::note(evaluator, PracticeKind::OpenCors, place);
            }
        } else if value.is_of_event() {
            taint::sink(evaluator, Sink::ResponseHeader, &value, place);
        }
    }
    if is_page && let Some(body) = evaluator.own_field(map, "body") {
        taint::sink(evaluator, Sink::Html, &body, place_of(entries, "body", ""));
    }
}

/// A cookie that keeps a session, and who else can read it.
pub(crate) fn cookie(evaluator: &mut Evaluator<'_>, value: &Value, place: Place) {
    for one in value.alternatives() {
        let text = match one {
            Value::Text(text) => text.to_string(),
            Value::Pattern(parts) => parts.iter().filter_map(Value::as_text).collect::<Vec<_>>().join("\u{0}"),
            _ => continue,
        };
        let lower = text.to_ascii_lowercase();
        let name = lower.split('=').next().unwrap_or("");
        let is_session = !name.contains("csrf")
            && !name.contains("xsrf")
            && ["session", "sid", "token", "auth", "jwt", "login"].iter().any(|word| name.contains(word));
        // Taken away again.
        let ends = lower.contains("max-age=0") || lower.contains("1970");
        if is_session && !ends && (!lower.contains("httponly") || !lower.contains("secure")) {
            super::practices::note(evaluator, PracticeKind::OpenCookie, place);
        }
    }
}

/// What the handler gives back, where its page and its content type were put together in several places.
pub(crate) fn answer(evaluator: &mut Evaluator<'_>, answer: &Value) {
    let gives_errors = answer
        .alternatives()
        .iter()
        .any(|one| evaluator.own_field(one, "statusCode").is_none() && super::habits::tells_errors(evaluator, one));
    if gives_errors {
        for site in std::mem::take(&mut evaluator.record.error_texts) {
            let note = crate::record::Note { detail: String::new(), related: None, reachable: true };
            evaluator.record.practices.entry((site, PracticeKind::ErrorText)).or_insert(note);
        }
    }
    for one in answer.alternatives() {
        if let Some(body) =
            evaluator.own_field(one, "body").or_else(|| matches!(one, Value::FromEvent(_)).then(|| one.clone()))
            && evaluator
                .record
                .practices
                .keys()
                .all(|(_, kind)| !matches!(kind, PracticeKind::ErrorText | PracticeKind::StackTrace))
            && super::habits::tells_errors(evaluator, &body)
            && let Some(handler) = evaluator.handler_place
        {
            evaluator.enter_module(handler.0);
            super::habits::answered(evaluator, &body, handler.1);
            evaluator.leave_module();
        }
        let Some(headers) = evaluator.own_field(one, "headers") else { continue };
        let is_page =
            headers.alternatives().iter().flat_map(|headers| evaluator.fields(headers)).any(|(name, value)| {
                let is_html = |one: &Value| one.prefix().is_some_and(|text| text.to_ascii_lowercase().contains("html"));
                name.eq_ignore_ascii_case("content-type") && value.alternatives().iter().any(is_html)
            });
        if is_page && let Some(body) = evaluator.own_field(one, "body") {
            taint::arrived(evaluator, Sink::Html, &body);
        }
    }
}

/// Where an entry's value stands, or one of its own entries.
fn place_of(entries: &[Entry], key: &str, inner: &str) -> Place {
    for entry in entries {
        if let Entry::Pair(Expression { kind: Kind::Text(name), .. }, value) = entry {
            match &value.kind {
                _ if &**name != key => {}
                Kind::Map(nested) if !inner.is_empty() => {
                    return nested
                        .iter()
                        .find_map(|entry| match entry {
                            Entry::Pair(Expression { kind: Kind::Text(name), .. }, value) if &**name == inner => {
                                Some(value.place)
                            }
                            _ => None,
                        })
                        .unwrap_or(value.place);
                }
                _ => return value.place,
            }
        }
    }
    Place::default()
}
