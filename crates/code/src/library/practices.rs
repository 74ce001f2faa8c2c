//! Habits that weaken code by themselves: certificates and signatures that aren't checked, hashes that can be forged, secrets
//! made of predictable numbers, stack traces for the caller.

use crate::Language;
use crate::call::Arguments;
use crate::evaluate::Evaluator;
use crate::record::{Note, Site};
use crate::syntax::{Entry, Expression, Kind, Pattern, Place};
use crate::taint;
use crate::value::{External, Value};
use graph::{PracticeKind, words};

/// Expressions that are looked through for one habit.
const MAX_EXPRESSIONS: usize = 200;

pub(crate) fn note(evaluator: &mut Evaluator<'_>, kind: PracticeKind, place: Place) {
    note_with(evaluator, kind, place, "", None);
}

/// The same with something to say of this one.
pub(crate) fn note_with(
    evaluator: &mut Evaluator<'_>,
    kind: PracticeKind,
    place: Place,
    detail: impl Into<String>,
    related: Option<Site>,
) {
    let site = evaluator.site(place);
    let reachable = !evaluator.in_dead_code;
    let note = Note { detail: detail.into(), related, reachable };
    let known = evaluator.record.practices.entry((site, kind)).or_insert(note);
    known.reachable |= reachable;
}

/// Calls of libraries.
pub(crate) fn call(evaluator: &mut Evaluator<'_>, external: &External, arguments: &Arguments) {
    let path = external.path.as_str();
    let place = arguments.place;
    let root = path.split(['.', '(']).next().unwrap_or(path);
    let last = path.rsplit('.').next().unwrap_or(path);
    let is_false = |name: &str| matches!(arguments.named(name), Some(Value::Boolean(false)));
    let names_weak = |value: Option<&Value>| {
        value
            .and_then(Value::as_text)
            .is_some_and(|name| ["md5", "sha1", "sha-1", "md4"].iter().any(|weak| name.eq_ignore_ascii_case(weak)))
    };
    match evaluator.language {
        Language::Python => {
            let is_client = matches!(root, "requests" | "httpx" | "boto3" | "niquests");
            let unverified = is_client && is_false("verify")
                || path == "ssl._create_unverified_context"
                || root == "urllib3"
                    && matches!(arguments.named("cert_reqs"), Some(Value::Text(text)) if &**text == "CERT_NONE")
                || root == "aiohttp" && (is_false("ssl") || is_false("verify_ssl"));
            if unverified {
                note(evaluator, PracticeKind::UnverifiedTls, place);
            }
            let weak = matches!(path, "hashlib.md5" | "hashlib.sha1")
                || path == "hashlib.new" && names_weak(arguments.positional.first());
            let of_password = is_password(evaluator, arguments.positional.first());
            let fast = matches!(path, "hashlib.sha256" | "hashlib.sha512" | "hashlib.sha224" | "hashlib.sha384")
                && of_password;
            if (weak || fast) && !is_false("usedforsecurity") {
                note_with(evaluator, PracticeKind::WeakHash, place, if of_password { "password" } else { "" }, None);
            }
        }
        Language::JavaScript => {
            if path.ends_with("crypto.createHash") && names_weak(arguments.positional.first()) {
                note(evaluator, PracticeKind::WeakHash, place);
            }
            let updates = path.ends_with("createHash().update") && is_password(evaluator, arguments.positional.first());
            if updates {
                note_with(evaluator, PracticeKind::WeakHash, place, "password", None);
            }
        }
    }
    token(evaluator, path, root, last, arguments);
}

/// `process.env.SECRET || "literal"`: what is used where nobody set it.
pub(crate) fn fallback(evaluator: &mut Evaluator<'_>, first: &Value, second: &Value, place: Place) {
    if let Value::Environment(name) = first
        && words::is_private(name)
    {
        // What stands in for it while developing is no credential.
        let serious =
            second.as_text().is_some_and(|text| text.len() >= 8 && text.bytes().any(|byte| byte.is_ascii_digit()));
        if serious {
            super::dangers::literal(evaluator, Some(second), "the default of a credential", place);
        }
    }
}

/// Whether a value is a password that somebody sent.
fn is_password(evaluator: &Evaluator<'_>, value: Option<&Value>) -> bool {
    let Some(value) = value else { return false };
    taint::inside(evaluator, value).iter().flat_map(taint::sources).any(|source| {
        let last = source.rsplit('.').next().unwrap_or("").to_ascii_lowercase();
        last.contains("password") || last.contains("passwd") || last == "pwd"
    })
}

/// Reading a token's claims, with its signature or without.
fn token(evaluator: &mut Evaluator<'_>, path: &str, root: &str, last: &str, arguments: &Arguments) {
    let place = arguments.place;
    let is_library = ["jwt", "jose", "jsonwebtoken", "aws-jwt-verify", "authlib", "jwt-decode", "jwks", "express-jwt"]
        .iter()
        .any(|name| root.contains(name));
    if is_library && matches!(last.trim_end_matches("()"), "verify" | "jwtVerify" | "verifySync" | "compactVerify") {
        evaluator.record.verifies_tokens = true;
        return;
    }
    match (root, last) {
        ("jwt" | "jose", "decode") if evaluator.language == Language::Python => {
            let options = arguments.named("options").cloned();
            let off = options
                .and_then(|options| evaluator.own_field(&options, "verify_signature"))
                .is_some_and(|value| value == Value::Boolean(false));
            let unverified = off || matches!(arguments.named("verify"), Some(Value::Boolean(false)));
            match unverified {
                true => note(evaluator, PracticeKind::UnverifiedToken, place),
                false => evaluator.record.verifies_tokens = true,
            }
        }
        ("jose", "get_unverified_claims")
        | ("jsonwebtoken", "decode")
        | ("jwt-decode", _)
        | ("jose", "decodeJwt")
        | ("jwt-simple", "decode")
            if root != "jwt-simple" || matches!(arguments.positional.get(2), Some(Value::Boolean(true))) =>
        {
            note(evaluator, PracticeKind::UnverifiedToken, place);
        }
        // The middle of the token, taken apart by hand.
        _ if matches!(path, "JSON.parse" | "json.loads") => {
            let Some(first) = arguments.positional.first() else { return };
            let by_hand = taint::sources(first).iter().any(|source| {
                let field = source.rsplit('.').next().unwrap_or(source);
                field.eq_ignore_ascii_case("authorization") || field.eq_ignore_ascii_case("authorizationToken")
            });
            if by_hand {
                note(evaluator, PracticeKind::UnverifiedToken, place);
            }
        }
        _ => {}
    }
}

/// Options and answers that are written as a dictionary.
pub(crate) fn map(evaluator: &mut Evaluator<'_>, entries: &[Entry], made: &Value) {
    let mut answers = false;
    let mut body = None;
    for entry in entries {
        let Entry::Pair(Expression { kind: Kind::Text(name), .. }, value) = entry else { continue };
        match (&**name, &value.kind) {
            ("rejectUnauthorized" | "strictSSL" | "checkServerIdentity", Kind::Boolean(false)) => {
                note(evaluator, PracticeKind::UnverifiedTls, value.place);
            }
            (
                "msg" | "message" | "error" | "err" | "errorMessage" | "error_message" | "detail" | "details"
                | "reason" | "cause",
                _,
            ) if super::habits::tells_errors(evaluator, &evaluator.own_field(made, name).unwrap_or(Value::Unknown)) => {
                let site = evaluator.site(value.place);
                evaluator.record.error_texts.insert(site);
            }
            ("Effect" | "isAuthorized", _) => {
                let given = evaluator.own_field(made, name).unwrap_or(Value::Unknown);
                let lets_in = given.as_text() == Some("Allow") || given == Value::Boolean(true);
                let of_api = &**name == "isAuthorized"
                    || evaluator.own_field(made, "Action").is_some_and(|action| {
                        action
                            .alternatives()
                            .iter()
                            .any(|one| one.as_text().is_some_and(|text| text.starts_with("execute-api")))
                    });
                if lets_in && of_api {
                    let site = evaluator.site(value.place);
                    evaluator.record.allows.insert(site);
                }
            }
            (name, _) if SECRET.iter().any(|word| name.to_ascii_lowercase().contains(word)) => {
                let given = evaluator.own_field(made, name).unwrap_or(Value::Unknown);
                random(evaluator, name, given, value.place);
            }
            ("statusCode", _) => answers = true,
            ("body", _) => body = Some(value),
            _ => {}
        }
    }
    if answers
        && let Some(body) = body
        && contains(body, &mut |expression| is_trace(evaluator, expression))
    {
        note(evaluator, PracticeKind::StackTrace, body.place);
    }
}

fn is_trace(evaluator: &Evaluator<'_>, expression: &Expression) -> bool {
    match (&expression.kind, evaluator.language) {
        (Kind::Member { name, .. }, Language::JavaScript) => &**name == "stack",
        (Kind::Member { name, .. }, Language::Python) => {
            matches!(&**name, "format_exc" | "format_exception" | "format_tb" | "format_stack")
        }
        (Kind::Name(name), Language::Python) => {
            matches!(evaluator.lookup(name), Value::External(value) if value.path.starts_with("traceback.format_"))
        }
        _ => false,
    }
}

const SECRET: [&str; 16] = [
    "token",
    "secret",
    "password",
    "passwd",
    "otp",
    "nonce",
    "session_id",
    "sessionid",
    "api_key",
    "apikey",
    "csrf",
    "salt",
    "voucher",
    "coupon",
    "invite",
    "verification",
];

/// A name for something secret that gets what was made of predictable numbers elsewhere.
pub(crate) fn random(evaluator: &mut Evaluator<'_>, name: &str, value: Value, place: Place) -> Value {
    let lower = name.to_ascii_lowercase();
    let is_random = |source: &crate::syntax::Name| source.starts_with(taint::RANDOM);
    let sources = if value.is_tainted() { taint::all_sources(&value) } else { Vec::new() };
    if lower.contains("tokens") || !sources.iter().any(is_random) || !SECRET.iter().any(|word| lower.contains(word)) {
        return value;
    }
    note(evaluator, PracticeKind::WeakRandomness, place);
    // Told once: where it is handed on, it isn't told again.
    if sources.iter().all(is_random) { Value::Unknown } else { value }
}

/// A name for something secret that gets predictable numbers, and the switch that turns all certificates' checks off.
pub(crate) fn assignment(evaluator: &mut Evaluator<'_>, target: &Pattern, value: &Expression) {
    let name = match target {
        Pattern::Name(name) => name,
        Pattern::Part(part) => match &part.kind {
            Kind::Member { name, .. } => name,
            Kind::Index { index, .. } => match &index.kind {
                Kind::Text(name) => name,
                _ => return,
            },
            _ => return,
        },
        _ => return,
    };
    if &**name == "NODE_TLS_REJECT_UNAUTHORIZED" && matches!(&value.kind, Kind::Text(text) if &**text == "0")
        || &**name == "_create_default_https_context"
        || &**name == "NODE_TLS_REJECT_UNAUTHORIZED" && matches!(&value.kind, Kind::Number(0))
    {
        note(evaluator, PracticeKind::UnverifiedTls, value.place);
        return;
    }
    let lower = name.to_ascii_lowercase();
    if lower.contains("tokens") || !SECRET.iter().any(|word| lower.contains(word)) {
        return;
    }
    let language = evaluator.language;
    if contains(value, &mut |expression| is_predictable(language, expression)) {
        note(evaluator, PracticeKind::WeakRandomness, value.place);
    }
}

fn is_predictable(language: Language, expression: &Expression) -> bool {
    let Kind::Member { object, name, .. } = &expression.kind else { return false };
    let Kind::Name(of) = &object.kind else { return false };
    match language {
        Language::JavaScript => &**of == "Math" && &**name == "random",
        Language::Python => {
            &**of == "random"
                && matches!(
                    &**name,
                    "random" | "randint" | "choice" | "choices" | "randrange" | "sample" | "getrandbits" | "uniform"
                )
        }
    }
}

/// Whether some part of an expression is wanted; functions inside it aren't looked into.
fn contains(expression: &Expression, wanted: &mut dyn FnMut(&Expression) -> bool) -> bool {
    let mut waiting = vec![expression];
    let mut seen = 0;
    while let Some(expression) = waiting.pop() {
        seen += 1;
        if seen > MAX_EXPRESSIONS {
            return false;
        }
        if wanted(expression) {
            return true;
        }
        match &expression.kind {
            Kind::Concat(parts)
            | Kind::List(parts)
            | Kind::Choice(parts)
            | Kind::Sequence(parts)
            | Kind::Opaque(parts) => {
                waiting.extend(parts);
            }
            Kind::Percent(left, right) | Kind::Divide(left, right) | Kind::Fallback(left, right) => {
                waiting.extend([&**left, &**right]);
            }
            Kind::Member { object, .. } => waiting.push(object),
            Kind::Index { object, index, .. } => waiting.extend([&**object, &**index]),
            Kind::Call { callee, arguments, .. } => {
                waiting.push(callee);
                waiting.extend(arguments.iter().map(|argument| &argument.value));
            }
            Kind::Map(entries) => {
                for entry in entries {
                    match entry {
                        Entry::Pair(_, value) | Entry::Spread(value) => waiting.push(value),
                    }
                }
            }
            Kind::Spread(inner) => waiting.push(inner),
            Kind::Comprehension { element, .. } => waiting.push(element),
            _ => {}
        }
    }
    false
}
