//! What libraries do with text that matters to few of them: patterns, XML, archives, mail, merged objects, keys and ciphers,
//! verified identities. The places where text is run or asked are in `sinks`.
//!
//! Deliberately absent: what a pattern costs in fact (its shape decides), and options of parsers that are set elsewhere.

use crate::Language;
use crate::call::Arguments;
use crate::evaluate::Evaluator;
use crate::heap::Object;
use crate::library::habits;
use crate::library::practices::{note, note_with};
use crate::syntax::Place;
use crate::taint;
use crate::value::{External, Value};
use graph::{PracticeKind, Sink, words};

/// Libraries whose answers come from another host.
const CLIENTS: [&str; 12] = [
    "requests",
    "httpx",
    "urllib",
    "urllib3",
    "aiohttp",
    "axios",
    "fetch",
    "got",
    "node-fetch",
    "undici",
    "superagent",
    "needle",
];

/// Looks at a call of a library; gives what it returns, where this knows that better than others.
pub(crate) fn call(evaluator: &mut Evaluator<'_>, external: &External, arguments: &Arguments) -> Option<Value> {
    let path = external.path.as_str();
    let root = path.split(['.', '(', '/']).next().unwrap_or(path);
    let last = path.rsplit(['.', '/']).next().unwrap_or(path);
    signatures(evaluator, path, last);
    let value = match evaluator.language {
        Language::Python => python(evaluator, external, root, last, arguments),
        Language::JavaScript => javascript(evaluator, external, root, last, arguments),
    };
    value.or_else(|| identity(evaluator, external, root, last, arguments))
}

/// Calls that check who signed something.
fn signatures(evaluator: &mut Evaluator<'_>, path: &str, last: &str) {
    const NAMES: [&str; 16] = [
        "compare_digest",
        "timingSafeEqual",
        "constructEvent",
        "constructEventAsync",
        "construct_event",
        "validateRequest",
        "isValidRequest",
        "is_valid_request",
        "verifyKey",
        "verify_key",
        "verifySignature",
        "verify_signature",
        "verify_header",
        "validateExpressRequest",
        "verifyWebhookSignature",
        "verifyAsync",
    ];
    if NAMES.contains(&last)
        || last == "verify" && !path.starts_with("jsonwebtoken")
        || last == "validate" && path.contains("RequestValidator")
    {
        evaluator.record.checks_signatures = true;
    }
    let lower = last.to_ascii_lowercase();
    let asks = [
        "is_authorized",
        "isauthorized",
        "check_permission",
        "checkpermission",
        "has_permission",
        "haspermission",
        "can_access",
        "canaccess",
        "assert_owner",
        "ensure_owner",
        "enforce",
    ];
    if asks.iter().any(|name| lower == *name) {
        let stack = super::records::stack(evaluator);
        evaluator.record.comparisons.push((stack, true));
        evaluator.record.checks_roles = true;
    }
}

fn python(
    evaluator: &mut Evaluator<'_>,
    external: &External,
    root: &str,
    last: &str,
    arguments: &Arguments,
) -> Option<Value> {
    let path = external.path.as_str();
    let place = arguments.place;
    let argument = |index: usize| arguments.positional.get(index).cloned().unwrap_or(Value::Unknown);
    match (root, last) {
        (
            "re" | "regex",
            "compile" | "search" | "match" | "fullmatch" | "findall" | "finditer" | "sub" | "subn" | "split",
        ) => {
            let compiled = path.contains("compile()");
            let (pattern, text) = match compiled {
                true => (external.carried.first().cloned().unwrap_or(Value::Unknown), argument(0)),
                false => (argument(0), argument(if last.starts_with("sub") { 2 } else { 1 })),
            };
            if !compiled {
                taint::sink(evaluator, Sink::Pattern, &pattern, place);
            }
            slow(evaluator, &pattern, &text, place);
        }
        ("random", "random" | "randint" | "randrange" | "getrandbits" | "choices" | "sample" | "uniform") => {
            return Some(taint::made(taint::RANDOM.to_string()));
        }
        ("random", "choice") if !argument(0).alternatives().iter().any(|one| matches!(one, Value::Object(_))) => {
            return Some(taint::made(taint::RANDOM.to_string()));
        }
        ("csv", "reader" | "DictReader") | ("openpyxl", "load_workbook") | ("codecs", "getreader()") => {
            let read = argument(0);
            return read.is_tainted().then(|| taint::derived(&[&read]));
        }
        ("pandas" | "polars" | "awswrangler", _) if last.starts_with("read_") => {
            let read = argument(0);
            return read.is_tainted().then(|| taint::derived(&[&read]));
        }
        ("re", "escape") => return Some(taint::harmless(&[&argument(0)], taint::only(&[Sink::Pattern]))),
        ("range", _) if path == "range" => {
            for value in &arguments.positional {
                taint::sink(evaluator, Sink::Amount, value, place);
            }
        }
        ("time" | "asyncio", "sleep") => taint::sink(evaluator, Sink::Amount, &argument(0), place),
        ("lxml", "fromstring" | "parse" | "XML" | "iterparse" | "fromstringlist") => {
            let parser = arguments.get(1, "parser");
            let closed = parser.is_some_and(|parser| match parser {
                Value::External(made) => made.carried.contains(&Value::Boolean(false)),
                _ => true,
            });
            if !closed {
                taint::sink(evaluator, Sink::Xml, &argument(0), place);
            }
            return argument(0).is_tainted().then(|| taint::derived(&[&argument(0)]));
        }
        ("xml", "fromstring" | "parse" | "XML" | "parseString" | "iterparse") if argument(0).is_of_event() => {
            note(evaluator, PracticeKind::ExternalEntities, place);
        }
        ("xmltodict", "parse") | ("defusedxml", _) => {
            return argument(0).is_tainted().then(|| taint::derived(&[&argument(0)]));
        }
        ("tarfile", "extractall" | "extract") => {
            let filtered = arguments.named("filter").is_some() || arguments.get(1, "members").is_some();
            if !filtered {
                note(evaluator, PracticeKind::UnsafeExtraction, place);
            }
        }
        ("shutil", "unpack_archive") if arguments.named("filter").is_none() => {
            note(evaluator, PracticeKind::UnsafeExtraction, place);
        }
        ("zipfile", "namelist" | "infolist") | ("tarfile", "getmembers" | "getnames") => {
            return Some(taint::made(taint::ARCHIVE.to_string()));
        }
        ("os", "chmod") if path == "os.chmod" && is_open(&argument(1)) => {
            note(evaluator, PracticeKind::OpenFileMode, place)
        }
        ("os", "umask") if argument(0) == Value::Number(0) => note(evaluator, PracticeKind::OpenFileMode, place),
        ("os", "makedirs" | "mkdir" | "open") if arguments.named("mode").is_some_and(is_open) => {
            note(evaluator, PracticeKind::OpenFileMode, place);
        }
        ("jwt" | "jose", "encode" | "decode") => {
            literal(evaluator, arguments.get(1, "key"), "a key that signs tokens", place);
            let none = arguments.get(2, "algorithms").is_some_and(|list| names_none(evaluator, list));
            if none {
                note(evaluator, PracticeKind::UnverifiedToken, place);
            }
        }
        ("hmac", "new") => literal(evaluator, arguments.get(0, "key"), "a key that signs messages", place),
        ("cryptography", "Fernet") => literal(evaluator, arguments.get(0, "key"), "an encryption key", place),
        ("cryptography", "ECB" | "TripleDES" | "ARC4" | "Blowfish") => note(evaluator, PracticeKind::WeakCipher, place),
        ("Crypto" | "Cryptodome", "new") => {
            if path.contains("AES.") {
                literal(evaluator, arguments.get(0, "key"), "an encryption key", place);
            }
            let ecb = arguments
                .get(1, "mode")
                .is_some_and(|mode| matches!(mode, Value::External(mode) if mode.path.ends_with("MODE_ECB")));
            if ecb || [".DES.", ".DES3.", ".ARC4.", ".Blowfish.", ".ARC2."].iter().any(|cipher| path.contains(cipher)) {
                note(evaluator, PracticeKind::WeakCipher, place);
            }
        }
        (_, "connect" | "Redis" | "StrictRedis" | "create_pool" | "login") => {
            let password = ["password", "passwd", "pwd"].iter().find_map(|name| arguments.named(name));
            let password =
                password.or_else(|| arguments.positional.get(1).filter(|_| last == "login" && root == "smtplib"));
            literal(evaluator, password, "a password", place);
        }
        ("ldap" | "ldap3", "search" | "search_s" | "search_ext_s" | "search_ext") => {
            let at = if root == "ldap" { 2 } else { 1 };
            let filter = arguments.get(at, "search_filter").or(arguments.named("filterstr")).cloned();
            taint::sink(evaluator, Sink::DirectoryQuery, &filter.unwrap_or(Value::Unknown), place);
        }
        (_, "xpath") if path.contains("etree") || root == "lxml" => {
            taint::sink(evaluator, Sink::DirectoryQuery, &argument(0), place);
        }
        ("paramiko" | "fabric" | "invoke" | "asyncssh", "exec_command" | "run" | "sudo" | "local") => {
            taint::sink(evaluator, Sink::Shell, &argument(0), place);
        }
        ("smtplib", "sendmail") => taint::sink(evaluator, Sink::Recipient, &argument(1), place),
        ("twilio", "create") => {
            if let Some(to) = arguments.named("to").cloned() {
                taint::sink(evaluator, Sink::Recipient, &to, place);
            }
        }
        ("stripe", "create" | "create_async") => amount(evaluator, arguments.named("amount").cloned(), place),
        ("jinja2", "render") => {
            let escapes = external.carried.iter().any(|value| match value {
                Value::Boolean(true) => true,
                Value::External(one) => one.path.contains("autoescape"),
                _ => false,
            });
            let inside: Vec<Value> = arguments.all().flat_map(|value| taint::inside(evaluator, value)).collect();
            let all: Vec<&Value> = inside.iter().collect();
            let to = if escapes { taint::only(&[Sink::Html]) } else { 0 };
            return Some(taint::harmless(&all, to));
        }
        ("flask", "redirect") | ("starlette" | "fastapi", "RedirectResponse") => {
            let to = arguments.get(0, "url").or(arguments.named("location")).cloned().unwrap_or(Value::Unknown);
            redirect(evaluator, &to, place);
        }
        (
            "flask" | "bottle" | "chalice" | "fastapi" | "starlette",
            "jsonify" | "make_response" | "Response" | "JSONResponse" | "HTMLResponse" | "HTTPException"
            | "PlainTextResponse",
        ) => {
            for value in arguments.all().cloned().collect::<Vec<_>>() {
                habits::answered(evaluator, &value, place);
            }
            if last == "HTMLResponse" {
                taint::sink(evaluator, Sink::Html, &argument(0), place);
            }
        }
        ("aws_lambda_powertools", "Response") => {
            if let Some(body) = arguments.get(2, "body").cloned() {
                habits::answered(evaluator, &body, place);
                let page = arguments.get(1, "content_type").is_some_and(|kind| match kind {
                    Value::External(kind) => kind.path.ends_with("TEXT_HTML"),
                    kind => kind.prefix().is_some_and(|text| text.contains("html")),
                });
                if page {
                    taint::sink(evaluator, Sink::Html, &body, place);
                }
            }
        }
        ("eval" | "exec", _) | ("pickle" | "marshal" | "dill" | "cloudpickle", "loads") => {
            fetched(evaluator, &argument(0), place)
        }
        ("getattr", _) if path == "getattr" => {
            let plain = matches!(argument(0), Value::Event(_) | Value::FromEvent(_));
            // A beginning of its own keeps to the methods that are meant.
            let whole = matches!(argument(1), Value::Event(_) | Value::FromEvent(_));
            if !plain && whole && argument(1).is_of_event() {
                taint::sink(evaluator, Sink::MemberName, &argument(1), place);
            }
        }
        ("traceback", "format_exc" | "format_exception" | "format_tb" | "format_stack") => {
            return Some(taint::made(format!("{}*stack", taint::ERROR)));
        }
        _ => {}
    }
    None
}

fn javascript(
    evaluator: &mut Evaluator<'_>,
    external: &External,
    root: &str,
    last: &str,
    arguments: &Arguments,
) -> Option<Value> {
    let path = external.path.as_str();
    let place = arguments.place;
    let argument = |index: usize| arguments.positional.get(index).cloned().unwrap_or(Value::Unknown);
    match (root, last) {
        ("RegExp", _) if path == "RegExp" => taint::sink(evaluator, Sink::Pattern, &argument(0), place),
        ("RegExp", "test" | "exec") => {
            let pattern = external.carried.first().cloned().unwrap_or(Value::Unknown);
            slow(evaluator, &pattern, &argument(0), place);
        }
        (
            "lodash" | "_" | "underscore" | "escape-string-regexp",
            "escapeRegExp" | "escape-string-regexp" | "escapeStringRegexp" | "default",
        ) => {
            return Some(taint::harmless(&[&argument(0)], taint::only(&[Sink::Pattern])));
        }
        ("lodash" | "_", "clamp") => return Some(Value::Unknown),
        ("Math", "random") => return Some(taint::made(taint::RANDOM.to_string())),
        ("Math", "min") => {
            let bounded = arguments.positional.iter().any(|value| !value.is_of_event());
            let all: Vec<&Value> = arguments.positional.iter().collect();
            return Some(taint::harmless(&all, if bounded { taint::NOTHING_LEFT } else { taint::EVERYWHERE }));
        }
        ("Math", "max" | "floor" | "round" | "ceil" | "abs" | "trunc") => {
            return Some(taint::harmless(&[&argument(0)], taint::EVERYWHERE));
        }
        ("Array", _)
            if path == "Array" && arguments.positional.len() == 1 && !matches!(argument(0), Value::Event(_)) =>
        {
            taint::sink(evaluator, Sink::Amount, &argument(0), place);
        }
        ("Array", "from") => {
            if let Some(length) = evaluator.own_field(&argument(0), "length") {
                taint::sink(evaluator, Sink::Amount, &length, place);
            }
        }
        ("Buffer", "alloc" | "allocUnsafe") | ("crypto", "randomBytes") => {
            taint::sink(evaluator, Sink::Amount, &argument(0), place);
        }
        ("setTimeout", _) => taint::sink(evaluator, Sink::Amount, &argument(1), place),
        (
            "lodash" | "_" | "hoek" | "@hapi" | "deep-extend" | "merge-deep" | "defaults-deep" | "mixin-deep"
            | "assign-deep" | "node.extend" | "extend" | "just-extend" | "deap" | "merge" | "jquery" | "deepmerge",
            _,
        ) if matches!(
            last.trim_end_matches("()"),
            "merge" | "mergeWith" | "defaultsDeep" | "applyToDefaults" | "extend" | "recursive" | "default"
        ) || path == root && root != "_" && root != "lodash" =>
        {
            for value in arguments.positional.iter().skip(1).cloned().collect::<Vec<_>>() {
                if matches!(value, Value::Event(_) | Value::FromEvent(_)) {
                    taint::sink(evaluator, Sink::MemberName, &value, place);
                }
            }
            let merged: Vec<Value> =
                arguments.positional.iter().flat_map(|value| taint::inside(evaluator, value)).collect();
            let merged: Vec<&Value> = merged.iter().collect();
            return (!merged.is_empty()).then(|| taint::derived(&merged));
        }
        (
            "lodash" | "_" | "object-path" | "dot-prop" | "dset" | "set-value",
            "set" | "setWith" | "update" | "dset" | "zipObjectDeep" | "set-value",
        ) => {
            taint::sink(evaluator, Sink::MemberName, &argument(1), place);
        }
        ("flat", "unflatten") => taint::sink(evaluator, Sink::MemberName, &argument(0), place),
        ("lodash" | "_", "pick") => {
            // What is picked by name isn't the whole any more.
            return argument(0)
                .is_tainted()
                .then(|| taint::harmless(&[&argument(0)], taint::only(&[Sink::WholeRecord])));
        }
        (
            "lodash" | "_",
            "get" | "cloneDeep" | "clone" | "trim" | "toLower" | "omit" | "mapValues" | "defaults" | "assign",
        ) => {
            return argument(0).is_tainted().then(|| taint::derived(&[&argument(0)]));
        }
        ("libxmljs" | "libxmljs2", "parseXml" | "parseXmlString" | "parseXmlAsync") => {
            let opens = ["noent", "replaceEntities"]
                .iter()
                .any(|name| evaluator.own_field(&argument(1), name) == Some(Value::Boolean(true)));
            if opens {
                taint::sink(evaluator, Sink::Xml, &argument(0), place);
            }
        }
        ("adm-zip", "extractAllTo" | "extractAllToAsync") => note(evaluator, PracticeKind::UnsafeExtraction, place),
        ("adm-zip", "getEntries") | ("jszip", "loadAsync") => return Some(taint::made(taint::ARCHIVE.to_string())),
        ("fs" | "fs-extra", "chmod" | "chmodSync") if is_open(&argument(1)) => {
            note(evaluator, PracticeKind::OpenFileMode, place)
        }
        ("fs", "writeFile" | "writeFileSync" | "mkdir" | "mkdirSync") => {
            let mode = arguments.positional.iter().skip(1).find_map(|options| evaluator.own_field(options, "mode"));
            if mode.as_ref().is_some_and(is_open) {
                note(evaluator, PracticeKind::OpenFileMode, place);
            }
        }
        ("process", "umask") if argument(0) == Value::Number(0) => note(evaluator, PracticeKind::OpenFileMode, place),
        ("jsonwebtoken" | "jwt-simple", "sign" | "verify" | "encode" | "decode")
            if !(root == "jsonwebtoken" && last == "decode") =>
        {
            literal(evaluator, arguments.positional.get(1), "a key that signs tokens", place);
            let options =
                arguments.positional.iter().skip(2).find_map(|options| evaluator.own_field(options, "algorithms"));
            if options.is_some_and(|list| names_none(evaluator, &list)) {
                note(evaluator, PracticeKind::UnverifiedToken, place);
            }
        }
        ("crypto", "createHmac") => literal(evaluator, arguments.positional.get(1), "a key that signs messages", place),
        ("crypto", "createCipheriv" | "createDecipheriv") => {
            literal(evaluator, arguments.positional.get(1), "an encryption key", place);
            let weak = argument(0).as_text().is_some_and(|name| {
                let name = name.to_ascii_lowercase();
                name.contains("ecb") || name.starts_with("des") || name.starts_with("rc4") || name.starts_with("bf")
            });
            if weak {
                note(evaluator, PracticeKind::WeakCipher, place);
            }
        }
        ("crypto", "createCipher" | "createDecipher") => note(evaluator, PracticeKind::WeakCipher, place),
        ("mysql" | "pg" | "ioredis" | "redis" | "nodemailer" | "mssql" | "sequelize" | "knex", _) => {
            for options in &arguments.positional {
                let auth = evaluator.own_field(options, "auth").or_else(|| evaluator.own_field(options, "connection"));
                for one in [Some(options.clone()), auth].into_iter().flatten() {
                    let password = ["password", "pass"].iter().find_map(|name| evaluator.own_field(&one, name));
                    literal(evaluator, password.as_ref(), "a password", place);
                }
            }
            if root == "nodemailer" && last == "sendMail" {
                mail(evaluator, &argument(0), place);
            }
        }
        ("ldapjs", "search") => {
            if let Some(filter) = evaluator.own_field(&argument(1), "filter") {
                taint::sink(evaluator, Sink::DirectoryQuery, &filter, place);
            }
        }
        ("xpath", "select" | "select1" | "evaluate") => {
            taint::sink(evaluator, Sink::DirectoryQuery, &argument(0), place)
        }
        ("twilio", "create") => {
            if let Some(to) = evaluator.own_field(&argument(0), "to") {
                taint::sink(evaluator, Sink::Recipient, &to, place);
            }
        }
        ("@sendgrid", "send") => mail(evaluator, &argument(0), place),
        ("stripe", "create") => {
            let value = evaluator.own_field(&argument(0), "amount");
            amount(evaluator, value, place);
        }
        ("eval" | "Function", _) => {
            for value in arguments.positional.clone() {
                fetched(evaluator, &value, place);
            }
        }
        ("vm", "runInNewContext" | "runInThisContext" | "Script") => fetched(evaluator, &argument(0), place),
        ("@aws-sdk", "marshall" | "unmarshall") | ("aws-sdk", "marshall" | "unmarshall") => return Some(argument(0)),
        ("Object", "fromEntries") => return argument(0).is_tainted().then(|| taint::derived(&[&argument(0)])),
        _ => {}
    }
    None
}

/// What verified tokens and sessions say of the caller, and schemas of what is left.
fn identity(
    evaluator: &mut Evaluator<'_>,
    external: &External,
    root: &str,
    last: &str,
    arguments: &Arguments,
) -> Option<Value> {
    let path = external.path.as_str();
    let claims = || taint::made(format!("{}claims", taint::CLAIM));
    match (root, last) {
        ("jwt" | "jose", "decode") if evaluator.language == Language::Python => {
            let options = arguments.named("options").cloned();
            let off = options
                .and_then(|options| evaluator.own_field(&options, "verify_signature"))
                .is_some_and(|value| value == Value::Boolean(false))
                || matches!(arguments.named("verify"), Some(Value::Boolean(false)));
            let token = arguments.positional.first().cloned().unwrap_or(Value::Unknown);
            evaluator.record.checks_signatures |= !off;
            Some(if off { taint::derived(&[&token]) } else { claims() })
        }
        ("jose", "get_unverified_claims")
        | ("jsonwebtoken", "decode")
        | ("jwt-decode" | "jwt_decode", _)
        | ("jose", "decodeJwt") => {
            let token = arguments.positional.first().cloned().unwrap_or(Value::Unknown);
            Some(taint::derived(&[&token]))
        }
        ("jsonwebtoken", "verify") => {
            evaluator.record.checks_signatures = true;
            let callback = arguments.positional.iter().find(|value| super::callee_like(value)).cloned();
            if let Some(callback) = callback {
                evaluator.call(&callback, Arguments::of(vec![Value::Nothing, claims()], arguments.place));
            }
            Some(claims())
        }
        ("jose", "jwtVerify" | "compactVerify") => {
            evaluator.record.checks_signatures = true;
            let fields = vec![("payload".into(), claims())];
            Some(evaluator.heap.object(Object { fields, ..Object::default() }))
        }
        ("aws-jwt-verify", "verify" | "verifySync") => {
            evaluator.record.checks_signatures = true;
            Some(claims())
        }
        ("google", "verify_oauth2_token" | "verify_token")
        | ("firebase_admin", "verify_id_token")
        | ("firebase-admin", "verifyIdToken") => {
            evaluator.record.checks_signatures = true;
            Some(claims())
        }
        ("flask_jwt_extended", "get_jwt_identity" | "get_jwt" | "get_current_user") => Some(claims()),
        ("fastapi", "Depends" | "Security") => {
            let callee = arguments.positional.first().cloned().unwrap_or(Value::Unknown);
            evaluator.refer(&callee);
            Some(claims())
        }
        (
            "zod" | "joi" | "@hapi" | "yup" | "superstruct" | "valibot",
            "parse" | "safeParse" | "parseAsync" | "validate" | "validateAsync" | "validateSync" | "attempt" | "assert",
        ) => shaped(evaluator, external, root, last, arguments),
        _ => {
            let _ = path;
            None
        }
    }
}

/// What a schema lets through: each member of its shape, harmless where the shape says more than that it is text.
fn shaped(
    evaluator: &mut Evaluator<'_>,
    external: &External,
    root: &str,
    last: &str,
    arguments: &Arguments,
) -> Option<Value> {
    let input = arguments.positional.first().cloned()?;
    if !input.is_tainted() {
        return None;
    }
    let shape = external.carried.iter().find(|value| matches!(value, Value::Object(_))).cloned()?;
    let mut fields = Vec::new();
    for (name, kind) in evaluator.fields(&shape) {
        let value = evaluator.member(&input, &name, true, arguments.place);
        let narrow = match &kind {
            Value::External(kind) => {
                const NARROW: [&str; 26] = [
                    "number",
                    "boolean",
                    "date",
                    "uuid",
                    "enum",
                    "nativeEnum",
                    "literal",
                    "regex",
                    "pattern",
                    "guid",
                    "valid",
                    "int",
                    "datetime",
                    "cuid",
                    "ulid",
                    "ip",
                    "alphanum",
                    "oneOf",
                    "picklist",
                    "bigint",
                    "matches",
                    "hex",
                    "integer",
                    "isoDate",
                    "token",
                    "coerce",
                ];
                kind.path.split(['.', '(', ')']).any(|step| NARROW.contains(&step))
            }
            _ => false,
        };
        let value =
            if narrow { taint::harmless(&[&value], taint::EVERYWHERE | taint::only(&[Sink::Amount])) } else { value };
        fields.push((name, value));
    }
    let whole = evaluator.heap.object(Object { fields, ..Object::default() });
    Some(match (root, last) {
        (_, "safeParse") => evaluator.heap.object(Object {
            fields: vec![("data".into(), whole), ("success".into(), Value::Unknown)],
            ..Object::default()
        }),
        ("joi" | "@hapi", "validate") => evaluator.heap.object(Object {
            fields: vec![("value".into(), whole), ("error".into(), Value::Unknown)],
            ..Object::default()
        }),
        _ => whole,
    })
}

/// Mail of JavaScript's libraries.
fn mail(evaluator: &mut Evaluator<'_>, message: &Value, place: Place) {
    for name in ["to", "cc", "bcc"] {
        if let Some(to) = evaluator.own_field(message, name) {
            taint::sink(evaluator, Sink::Recipient, &to, place);
        }
    }
    if let Some(html) = evaluator.own_field(message, "html") {
        taint::sink(evaluator, Sink::Html, &html, place);
    }
}

fn amount(evaluator: &mut Evaluator<'_>, value: Option<Value>, place: Place) {
    if let Some(value) = value
        && taint::sources(&value).iter().any(|source| words::is_price(source.rsplit('.').next().unwrap_or("")))
    {
        taint::sink(evaluator, Sink::Price, &value, place);
    }
}

/// Where a browser is sent, if the caller decides on the host.
pub(crate) fn redirect(evaluator: &mut Evaluator<'_>, to: &Value, place: Place) {
    for one in to.alternatives() {
        let decides = match one {
            Value::Event(_) | Value::FromEvent(_) => true,
            Value::Pattern(parts) => match (parts.first(), parts.get(1)) {
                (Some(first), _) if first.is_of_event() => true,
                (Some(Value::Text(text)), Some(second)) => {
                    second.is_of_event() && (text.ends_with("://") || text.ends_with("://www."))
                }
                _ => false,
            },
            _ => false,
        };
        if decides {
            taint::sink(evaluator, Sink::Redirect, one, place);
        }
    }
}

/// Code that another host answered with.
fn fetched(evaluator: &mut Evaluator<'_>, value: &Value, place: Place) {
    if let Value::External(external) = value {
        let root = external.path.split(['.', '(']).next().unwrap_or("");
        if CLIENTS.contains(&root) && external.path.contains("()") {
            note(evaluator, PracticeKind::FetchedCode, place);
        }
    }
}

/// A credential that is written where it is used.
pub(crate) fn literal(evaluator: &mut Evaluator<'_>, value: Option<&Value>, what: &str, place: Place) {
    let Some(value) = value else { return };
    let written = value
        .alternatives()
        .iter()
        .find_map(|one| one.as_text().filter(|text| text.len() >= 4 && !text.contains("BEGIN PUBLIC")));
    if let Some(written) = written {
        // Whether it is one that was found where it is written can be told by its hash.
        let detail = format!("{what}#{:016x}", words::fingerprint(written));
        note_with(evaluator, PracticeKind::LiteralCredential, place, detail, None);
    }
}

fn names_none(evaluator: &Evaluator<'_>, list: &Value) -> bool {
    evaluator.items(list).is_some_and(|items| {
        items.iter().any(|item| item.as_text().is_some_and(|name| name.eq_ignore_ascii_case("none")))
    })
}

/// Whether everyone may write a file of this mode.
fn is_open(mode: &Value) -> bool {
    match mode {
        Value::Number(mode) => mode & 0o002 != 0 && *mode <= 0o7777,
        Value::Text(text) => u32::from_str_radix(text.trim_start_matches("0o"), 8).is_ok_and(|mode| mode & 0o002 != 0),
        _ => false,
    }
}

/// A pattern that takes exponential time, on text that the caller wrote.
pub(crate) fn slow(evaluator: &mut Evaluator<'_>, pattern: &Value, text: &Value, place: Place) {
    if text.is_of_event() && pattern.as_text().is_some_and(is_slow) {
        note(evaluator, PracticeKind::SlowPattern, place);
    }
}

/// Whether something that repeats is repeated as a whole: `(a+)+`, `(\w+\s?)*$`, `(.*)*`.
fn is_slow(pattern: &str) -> bool {
    let mut open: Vec<(bool, bool)> = Vec::new();
    let mut escaped = false;
    let mut in_class = false;
    let characters: Vec<char> = pattern.chars().take(2_000).collect();
    for (at, character) in characters.iter().enumerate() {
        let next = characters.get(at + 1);
        if std::mem::take(&mut escaped) {
            continue;
        }
        match character {
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            _ if in_class => {}
            // Whether something inside repeats without a bound, and whether something else has to follow it.
            '(' => open.push((false, false)),
            ')' => {
                let (repeats, fixed) = open.pop().unwrap_or_default();
                let again = matches!(next, Some('+' | '*'))
                    || next == Some(&'{') && characters.get(at + 2..at + 6).is_some_and(|rest| rest.contains(&','));
                if repeats && !fixed && again {
                    return true;
                }
                if let Some(outer) = open.last_mut() {
                    outer.0 |= repeats;
                }
            }
            '+' | '*' => {
                if let Some(group) = open.last_mut() {
                    // An optional part after the repetition keeps it slow, a fixed one tells the rounds apart.
                    group.0 = true;
                    let optional = |at: usize| matches!(characters.get(at), Some('?' | '*'));
                    group.1 = match next {
                        Some(')' | '+' | '*' | '?' | '|') | None => false,
                        Some('\\') => !optional(at + 3),
                        Some('[' | '.' | '(') => false,
                        Some(_) => !optional(at + 2),
                    };
                }
            }
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::is_slow;

    #[test]
    fn nested_repetition_is_slow_and_separated_repetition_is_not() {
        for slow in
            ["^(a+)+$", r"(\w+\s?)*$", "(.*)*x", r"^([a-zA-Z0-9]+)*$", "/^(\\d+)+$/", r"^(([a-z])+.)+[A-Z]([a-z])+$"]
        {
            assert!(is_slow(slow), "{slow}");
        }
        for quick in ["^[a-z]+$", r"^(\d+,)+$", r"^[\w.]+@[\w.]+$", "(ab)+", r"^\d{3}-\d{4}$", r"^(?:[a-z]+-)*[a-z]+$"]
        {
            assert!(!is_slow(quick), "{quick}");
        }
    }
}
