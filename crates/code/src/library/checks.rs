//! What makes a part of the event harmless: conversions, escaping, comparison with constants and whole patterns, schemas.

use crate::call::Arguments;
use crate::evaluate::Evaluator;
use crate::taint::{self, EVERYWHERE, Harmless, PATHS};
use crate::value::{External, Value};
use graph::Sink;

/// Calls that check or clean what they are handed.
pub(crate) fn call(evaluator: &mut Evaluator<'_>, external: &External, arguments: &Arguments) -> Option<Value> {
    let path = external.path.as_str();
    let argument = |index: usize| arguments.positional.get(index).cloned().unwrap_or(Value::Unknown);
    match path {
        // Only ends of paths are left.
        "os.path.basename"
        | "path.basename"
        | "ntpath.basename"
        | "posixpath.basename"
        | "path.extname"
        | "path.win32.basename"
        | "path.posix.basename" => Some(taint::harmless(&[&argument(0)], PATHS)),
        "os.path.dirname" | "path.dirname" | "os.path.splitext" | "os.path.normpath" => {
            Some(taint::derived(&[&argument(0)]))
        }
        "urllib.parse.parse_qs"
        | "urllib.parse.parse_qsl"
        | "querystring.parse"
        | "qs.parse"
        | "html.unescape"
        | "zlib.decompress"
        | "gzip.decompress"
        | "zlib.gunzipSync"
        | "zlib.inflateSync"
        | "Object.keys"
        | "Object.entries"
        | "lodash.get"
        | "textwrap.dedent"
        | "base64.decodebytes"
        | "base64.b32decode"
        | "codecs.decode"
        | "node-jose.util.base64url.decode"
        | "jose.base64url.decode"
        | "base64url.decode"
        | "jwt.utils.base64url_decode"
        | "bytes.fromhex"
        | "bytearray"
        | "memoryview" => match argument(0) {
            value if value.is_tainted() => Some(taint::derived(&[&value])),
            _ => None,
        },
        "re.sub" => {
            let text = argument(2);
            Some(match only_keeps(&argument(0)) {
                true => taint::harmless(&[&text], EVERYWHERE),
                false => taint::derived(&[&text, &argument(1)]),
            })
        }
        "re.fullmatch" => {
            taint::checked(evaluator, &argument(1), EVERYWHERE);
            None
        }
        "re.match" | "re.search" => {
            if is_whole(&argument(0), path == "re.match") {
                taint::checked(evaluator, &argument(1), EVERYWHERE);
            }
            None
        }
        "re.compile().fullmatch" => {
            taint::checked(evaluator, &argument(0), EVERYWHERE);
            None
        }
        "re.compile().match" | "re.compile().search" => {
            let pattern = external.carried.first().cloned().unwrap_or(Value::Unknown);
            if is_whole(&pattern, path.ends_with("match")) {
                taint::checked(evaluator, &argument(0), EVERYWHERE);
            }
            None
        }
        "RegExp().test" | "RegExp().exec" => {
            let pattern = external.carried.first().cloned().unwrap_or(Value::Unknown);
            if is_whole(&pattern, false) {
                taint::checked(evaluator, &argument(0), EVERYWHERE);
            }
            None
        }
        "Set().has" | "Map().has" | "Set().includes" => {
            let list = external.carried.iter().rfind(|value| matches!(value, Value::Object(_))).cloned();
            if let Some(list) = list {
                let list = match evaluator.heap.objects.get(match list {
                    Value::Object(id) => id,
                    _ => usize::MAX,
                }) {
                    // Pairs: their first parts are the keys.
                    Some(object) if path.starts_with("Map") && object.items.is_some() => {
                        let keys: Vec<Value> = evaluator
                            .items(&list)
                            .unwrap_or_default()
                            .iter()
                            .map(|pair| evaluator.item(pair, 0))
                            .collect();
                        evaluator.heap.list(keys)
                    }
                    _ => list,
                };
                membership(evaluator, &argument(0), &list);
            }
            None
        }
        "isNaN"
        | "Number.isNaN"
        | "Number.isInteger"
        | "Number.isSafeInteger"
        | "Number.isFinite"
        | "isFinite"
        | "uuid.validate"
        | "net.isIP"
        | "ipaddress.ip_address"
        | "datetime.date.fromisoformat"
        | "datetime.datetime.fromisoformat"
        | "datetime.datetime.strptime" => {
            taint::checked(evaluator, &argument(0), EVERYWHERE);
            None
        }
        "isinstance" => {
            let kind = argument(1);
            if matches!(&kind, Value::External(kind) if matches!(kind.path.as_str(), "int" | "float" | "bool")) {
                taint::checked(evaluator, &argument(0), EVERYWHERE);
            }
            None
        }
        "uuid.UUID" => {
            taint::checked(evaluator, &argument(0), EVERYWHERE);
            None
        }
        "validate"
        | "jsonschema.validate"
        | "fastjsonschema.validate"
        | "jsonschema.Draft7Validator().validate"
        | "aws_lambda_powertools.utilities.validation.validate"
        | "fastjsonschema.compile()" => {
            let value = arguments.named("event").or_else(|| arguments.named("instance")).cloned();
            taint::validated(evaluator, &value.unwrap_or_else(|| argument(0)));
            None
        }
        _ if path.starts_with("ajv") && path.contains("compile") && path.ends_with(")") => {
            taint::validated(evaluator, &argument(0));
            None
        }
        _ if path.starts_with("validator.is") || path.starts_with("validators.") => {
            taint::checked(evaluator, &argument(0), EVERYWHERE);
            None
        }
        _ => None,
    }
}

/// What handing a value on through one of these does to it.
pub(crate) fn handed_on(path: &str, value: Value) -> Value {
    if !value.is_tainted() {
        return value;
    }
    let to: Harmless = match path {
        "encodeURIComponent" => taint::only(&[
            Sink::Url,
            Sink::Html,
            Sink::ResponseHeader,
            Sink::Log,
            Sink::PathRead,
            Sink::PathWrite,
            Sink::CloudResource,
        ]),
        "urllib.parse.quote" | "urllib.parse.quote_plus" => taint::only(&[
            Sink::Url,
            Sink::Html,
            Sink::ResponseHeader,
            Sink::Log,
            Sink::Shell,
            Sink::Sql,
            Sink::Expression,
        ]),
        "base64.b64encode" | "btoa" => EVERYWHERE,
        "repr" => taint::only(&[Sink::Log, Sink::ResponseHeader]),
        "os.path.abspath" | "os.path.realpath" | "path.normalize" => return taint::normal(&value),
        _ => return value,
    };
    taint::cleaned(&value, to)
}

/// `key in container`: a check where the container is constants, or where the key is what leads out of a folder.
pub(crate) fn membership(evaluator: &mut Evaluator<'_>, key: &Value, container: &Value) {
    if key.as_text().is_some_and(|text| matches!(text, ".." | "../" | "/" | "\\")) {
        taint::checked(evaluator, container, PATHS);
        return;
    }
    if !key.is_tainted() {
        return;
    }
    let constant = container.alternatives().iter().all(|one| match one {
        Value::Object(id) => evaluator.heap.objects.get(*id).is_some_and(|object| match &object.items {
            Some(items) => {
                let known = |item: &Value| matches!(item, Value::Text(_) | Value::Number(_) | Value::Environment(_));
                !items.is_empty() && items.iter().all(known) && object.others.as_ref().is_none_or(known)
            }
            None => !object.fields.is_empty() && object.others.is_none(),
        }),
        _ => false,
    });
    if constant {
        taint::checked(evaluator, key, taint::NOTHING_LEFT & !taint::only(&[Sink::PrivateLog, Sink::Store]));
    }
}

/// Methods of text that check the text, or what they are handed.
pub(crate) fn text_method(evaluator: &mut Evaluator<'_>, receiver: &Value, name: &str, arguments: &Arguments) {
    let first = arguments.positional.first().cloned().unwrap_or(Value::Unknown);
    match name {
        "isdigit" | "isalnum" | "isnumeric" | "isdecimal" | "isalpha" | "isidentifier" => {
            taint::checked(evaluator, receiver, EVERYWHERE);
        }
        "test" | "exec" if is_whole(receiver, false) => taint::checked(evaluator, &first, EVERYWHERE),
        "match" | "search" if is_whole(&first, false) => taint::checked(evaluator, receiver, EVERYWHERE),
        "includes" | "indexOf" | "find" | "count" => membership(evaluator, &first, receiver),
        "startswith" | "startsWith" => {
            let wanted = first.prefix().unwrap_or("");
            let host = wanted.split_once("://").is_some_and(|(_, rest)| rest.contains('/'));
            if host {
                taint::checked(evaluator, receiver, taint::only(&[Sink::Url]));
            }
            if is_normal(receiver) {
                taint::checked(evaluator, receiver, PATHS);
            }
        }
        "is_relative_to" | "relative_to" if is_normal(receiver) => taint::checked(evaluator, receiver, PATHS),
        _ => {}
    }
}

/// Methods whose result tells of the text without being part of it.
pub(crate) fn tells(name: &str) -> bool {
    matches!(
        name,
        "startswith"
            | "startsWith"
            | "endswith"
            | "endsWith"
            | "includes"
            | "indexOf"
            | "lastIndexOf"
            | "find"
            | "rfind"
            | "index"
            | "count"
            | "isdigit"
            | "isalnum"
            | "isnumeric"
            | "isalpha"
            | "localeCompare"
            | "charCodeAt"
            | "codePointAt"
            | "test"
            | "hasOwnProperty"
            | "some"
            | "every"
    )
}

/// What is left of a text after `replace` and the like.
pub(crate) fn replaced(name: &str, receiver: &Value, arguments: &Arguments) -> Value {
    let pattern = arguments.positional.first().cloned().unwrap_or(Value::Unknown);
    match name {
        "replace" | "replaceAll" if only_keeps(&pattern) => taint::harmless(&[receiver], EVERYWHERE),
        // Without separators a name stays in its folder.
        "replace" | "replaceAll" if matches!(pattern.as_text(), Some("/" | "..") | Some("/\\//g")) => {
            taint::cleaned(&taint::derived(&[receiver]), PATHS)
        }
        // What a browser would take for markup is taken out.
        "replace" | "replaceAll" if takes(&pattern, '<') => {
            taint::cleaned(&taint::derived(&[receiver]), taint::only(&[Sink::Html]))
        }
        "replace" | "replaceAll"
            if takes(&pattern, '\n') || pattern.as_text().is_some_and(|text| text.contains("\\n")) =>
        {
            taint::cleaned(&taint::derived(&[receiver]), taint::only(&[Sink::Log, Sink::ResponseHeader]))
        }
        _ => taint::derived(&[receiver]),
    }
}

fn takes(pattern: &Value, character: char) -> bool {
    pattern.as_text().is_some_and(|text| text.contains(character))
}

/// Whether a pattern is of everything but what it lists: what is replaced is all the rest.
fn only_keeps(pattern: &Value) -> bool {
    pattern.as_text().is_some_and(|text| text.contains("[^") || text.contains("\\W") || text.contains("\\D"))
}

/// Whether a pattern speaks about the text from its start to its end, and doesn't let anything pass.
fn is_whole(pattern: &Value, from_start: bool) -> bool {
    let Some(text) = pattern.as_text() else { return false };
    let inner = match text.strip_prefix('/') {
        Some(rest) => rest.rsplit_once('/').map_or(rest, |(inner, _)| inner),
        None => text,
    };
    let starts = from_start || inner.starts_with('^') || inner.starts_with("\\A");
    let ends = inner.ends_with('$') || inner.ends_with("\\Z") || inner.ends_with("\\z");
    starts && ends && !inner.contains(".*") && !inner.contains(".+")
}

/// Whether a path was normalised before.
fn is_normal(value: &Value) -> bool {
    match value {
        Value::FromEvent(taint) => taint.identity().all(|(.., normal)| normal),
        Value::Pattern(parts) => parts.iter().filter(|part| part.is_tainted()).all(is_normal),
        _ => false,
    }
}
