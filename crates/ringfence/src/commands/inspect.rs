//! `ringfence inspect`: one event or request through the firewall, with the reason for its verdict.

use super::exit;
use crate::terminal;
use anyhow::{Context, bail};
use fence::{EventFence, Fence, FunctionFence};
use guard::{Answer, Decision, Inspector};
use records::Mode;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use waf::seclang::RuleSet;

/// Puts one event or request through the firewall and says why it passes or is refused.
///
/// The file holds an event as its platform delivers it, an HTTP request as it goes over the wire, or one of an example's
/// traffic files. Without a fence only the rules of the firewall apply; with one, its lines and schemas do too.
/// Exits with 0 when the event passes, 1 when it is refused, and 2 when there was nothing to inspect.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The event or request; `-` for standard input.
    file: PathBuf,
    /// The fence to hold it against.
    #[arg(long, value_name = "FILE")]
    fence: Option<PathBuf>,
    /// Whose fence; otherwise the first function of the fence that lists such an event.
    #[arg(long, value_name = "NAME", requires = "fence")]
    function: Option<String>,
    /// Rules in SecLang that look at every text of the event as well: files, or folders such as the Core Rule Set's.
    #[arg(long, value_name = "PATH")]
    rules: Vec<PathBuf>,
    /// Paranoia level of the Core Rule Set; what its setup file says where this isn't given.
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=4), value_name = "LEVEL", requires = "rules")]
    paranoia: Option<u8>,
    /// `text` for people, `json` for programs.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Largest file that is read: over what any event may have, so that the firewall is the one to say so.
const MAX_BYTES: u64 = 64 << 20;

/// What there is to inspect.
struct Subject {
    event: Vec<u8>,
    /// The function a traffic file names.
    function: Option<String>,
}

pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let subject = subject(read(&args.file)?);
    let rules = super::gateway::compiled(&args.rules, args.paranoia, None, false)?.map(Arc::new);
    let (function, decision) = match &args.fence {
        None => (None, without_fence(&subject.event, rules)?),
        Some(path) => {
            let fence = read_fence(path)?;
            let (function, decision) = with_fence(&fence, path, &args, &subject, rules)?;
            (Some(function), decision)
        }
    };
    let text = match args.format {
        Format::Text => text(function.as_deref(), &decision, &subject.event, terminal::style().colour),
        Format::Json => {
            let mut text = serde_json::to_string_pretty(&as_json(function.as_deref(), &decision, &subject.event))?;
            text.push('\n');
            text
        }
    };
    terminal::print(&text)?;
    Ok(if decision.action == guard::Action::Pass { ExitCode::SUCCESS } else { ExitCode::from(exit::FOUND) })
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        let read = std::io::stdin().lock().take(MAX_BYTES + 1).read_to_end(&mut bytes);
        read.context("can't read the event from standard input")?;
    } else {
        let file = std::fs::File::open(path).with_context(|| format!("can't open `{}`", path.display()))?;
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes).with_context(|| format!("can't read `{}`", path.display()))?;
    }
    if bytes.len() as u64 > MAX_BYTES {
        bail!("`{}` has more than {} MiB, which is no event", path.display(), MAX_BYTES >> 20);
    }
    if bytes.is_empty() {
        bail!("`{}` is empty", path.display());
    }
    Ok(bytes)
}

/// An event, or what a request becomes on its way to a function; anything else goes to the firewall as it is.
fn subject(bytes: Vec<u8>) -> Subject {
    if let Some(event) = wire_request(&bytes) {
        return Subject { event: event.to_string().into_bytes(), function: None };
    }
    let wrapped = serde_json::from_slice::<Value>(&bytes).ok().filter(|value| {
        let known = ["about", "function", "event", "request"];
        value.as_object().is_some_and(|map| {
            map.keys().all(|key| known.contains(&key.as_str()))
                && (map.get("event").is_some() && map.contains_key("function") || is_request(map.get("request")))
        })
    });
    let Some(mut wrapped) = wrapped else { return Subject { event: bytes, function: None } };
    let function = wrapped.get("function").and_then(Value::as_str).map(str::to_owned);
    let event = match wrapped.get("request") {
        Some(request) => described_request(request),
        None => wrapped.get_mut("event").map(Value::take).unwrap_or_default(),
    };
    Subject { event: event.to_string().into_bytes(), function }
}

fn is_request(value: Option<&Value>) -> bool {
    value.is_some_and(|request| request.get("method").is_some_and(Value::is_string) && request.get("path").is_some())
}

/// `{"method", "path", "query", "headers", "body"}`.
fn described_request(request: &Value) -> Value {
    let text = |key: &str| request.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let headers = request.get("headers").and_then(Value::as_object).cloned().unwrap_or_default();
    let headers = headers.into_iter().filter_map(|(name, value)| Some((name, value.as_str()?.to_owned()))).collect();
    let body = match request.get("body") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone().into_bytes()),
        Some(other) => Some(other.to_string().into_bytes()),
    };
    http_event(&text("method"), &text("path"), &text("query"), headers, body)
}

/// `POST /orders HTTP/1.1`, headers, an empty line, the body.
fn wire_request(bytes: &[u8]) -> Option<Value> {
    let line_end = bytes.iter().take(64 << 10).position(|byte| *byte == b'\n')?;
    let line = std::str::from_utf8(bytes.get(..line_end)?).ok()?.trim_end();
    let mut words = line.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    if words.next().is_some() || !version.starts_with("HTTP/") || !method.bytes().all(|byte| byte.is_ascii_uppercase())
    {
        return None;
    }
    let mut rest = bytes.get(line_end + 1..)?;
    let mut headers = Vec::new();
    loop {
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let line = String::from_utf8_lossy(rest.get(..end)?).trim_end_matches('\r').to_owned();
        rest = rest.get(end + 1..).unwrap_or_default();
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Some(http_event(method, path, query, headers, (!rest.is_empty()).then(|| rest.to_vec())))
}

/// The event an HTTP API makes of a request.
fn http_event(method: &str, path: &str, query: &str, headers: Vec<(String, String)>, body: Option<Vec<u8>>) -> Value {
    let (path, inline) = path.split_once('?').unwrap_or((path, ""));
    let query = [inline, query].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("&");
    let mut named = Map::new();
    let mut cookies = Vec::new();
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        if name == "cookie" {
            cookies.extend(value.split(';').map(|cookie| Value::from(cookie.trim())));
        } else {
            named.insert(name, value.into());
        }
    }
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "cookies": cookies,
        "headers": named,
        "requestContext": {"http": {"method": method, "path": path}, "stage": "$default"},
        "isBase64Encoded": false,
    });
    if let Some(body) = body {
        match String::from_utf8(body) {
            Ok(text) => event["body"] = text.into(),
            Err(error) => {
                event["body"] = base64(error.as_bytes()).into();
                event["isBase64Encoded"] = true.into();
            }
        }
    }
    event
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = group >> (18 - 6 * place) & 63;
            text.push(if place <= chunk.len() { char::from(ALPHABET[digit as usize]) } else { '=' });
        }
    }
    text
}

pub(crate) fn read_fence(path: &Path) -> anyhow::Result<Fence> {
    let text = std::fs::read_to_string(path).with_context(|| format!("can't read the fence `{}`", path.display()))?;
    let reading = fence::read(source::FileId(0), &text);
    reading.fence.with_context(|| {
        let complaint = reading.complaints.first().map(|complaint| {
            let before = text.bytes().take(complaint.span.start as usize);
            let line = before.filter(|byte| *byte == b'\n').count() + 1;
            format!("line {line}: {}", complaint.message)
        });
        format!("the fence `{}` can't be used: {}", path.display(), complaint.unwrap_or_else(|| "it is empty".into()))
    })
}

/// A fence that lists whatever came, so that only the firewall's own rules speak.
fn without_fence(event: &[u8], rules: Option<Arc<RuleSet>>) -> anyhow::Result<Decision> {
    let kind = events::decode(event, None, &events::Limits::default()).map(|event| event.kind);
    let source = kind.unwrap_or(events::TriggerKind::Function).name().to_owned();
    let function =
        FunctionFence { events: vec![EventFence { source, ..EventFence::default() }], ..FunctionFence::default() };
    let inspector = Inspector::new(&function, &Default::default(), Mode::Block)?;
    Ok(ruled(inspector, rules).inspect(event))
}

/// An inspector with the rules there are.
fn ruled(inspector: Inspector, rules: Option<Arc<RuleSet>>) -> Inspector {
    match rules {
        Some(rules) => inspector.with_rules(rules),
        None => inspector,
    }
}

fn with_fence(
    fence: &Fence,
    path: &Path,
    args: &Args,
    subject: &Subject,
    rules: Option<Arc<RuleSet>>,
) -> anyhow::Result<(String, Decision)> {
    let inspect = |name: &str, function: &FunctionFence| {
        let inspector = Inspector::new(function, &fence.schemas, Mode::Block);
        let inspector = inspector.with_context(|| format!("the fence of `{name}` can't be held"))?;
        Ok::<_, anyhow::Error>((name.to_owned(), ruled(inspector, rules.clone()).inspect(&subject.event)))
    };
    if let Some(name) = args.function.as_ref().or(subject.function.as_ref()) {
        let Some(function) = fence.functions.get(name) else {
            let help = match findings::near_miss(name, fence.functions.keys().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("it has {}", fence.functions.keys().cloned().collect::<Vec<_>>().join(", ")),
            };
            bail!("the fence `{}` has no function `{name}`; {help}", path.display());
        };
        return inspect(name, function);
    }
    let mut first = None;
    for (name, function) in &fence.functions {
        let inspected = inspect(name, function)?;
        if !inspected.1.lines.is_empty() {
            return Ok(inspected);
        }
        first.get_or_insert(inspected);
    }
    first.with_context(|| format!("the fence `{}` has no functions", path.display()))
}

fn verdict(decision: &Decision) -> &'static str {
    match &decision.action {
        guard::Action::Pass => "passes",
        guard::Action::Refuse => "refused",
        guard::Action::Drop => "dropped",
        guard::Action::SetAside { .. } => "set aside",
    }
}

fn text(function: Option<&str>, decision: &Decision, event: &[u8], colour: bool) -> String {
    let verdict_of = &decision.verdict;
    let paint =
        |code: &str, text: &str| if colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() };
    let mut out = String::new();
    let row = |out: &mut String, name: &str, value: &str| {
        let _ = writeln!(out, "{name:10} {value}");
    };
    let mut what = verdict_of.trigger.clone();
    if let Some(http) = &decision.http {
        let _ = write!(what, "  {} {}", plain(&http.method), plain(&http.path));
    }
    row(&mut out, "event", &format!("{what}  ({} bytes, {})", event.len(), records_of(verdict_of.records_total)));
    if let Some(source) = &verdict_of.source {
        row(&mut out, "from", &plain(source));
    }
    if let Some(function) = function {
        row(&mut out, "function", &plain(function));
        let lines = decision.lines.iter().map(|line| plain(line)).collect::<Vec<_>>().join(", ");
        row(&mut out, "fence", if lines.is_empty() { "no line lists it" } else { &lines });
    } else {
        row(&mut out, "fence", "none given: only the firewall's rules apply");
    }
    let passes = decision.action == guard::Action::Pass;
    let mut word = paint(if passes { "1;32" } else { "1;31" }, verdict(decision));
    if verdict_of.records_total > 1 && !passes {
        let left = verdict_of.records_total.saturating_sub(verdict_of.records_refused);
        let _ = write!(word, "  {} of {} records; ", verdict_of.records_refused, verdict_of.records_total);
        word.push_str(&match left {
            0 => "nothing reaches the function".to_owned(),
            left => format!("the other {left} reach the function"),
        });
    }
    row(&mut out, "verdict", &word);
    if let Some(answer) = &decision.answer {
        let (kind, body) = match answer {
            Answer::Response(body) => ("answered", body),
            Answer::Error(body) => ("error", body),
        };
        row(&mut out, kind, &plain(&String::from_utf8_lossy(body)));
    }
    for found in &verdict_of.matches {
        let _ = writeln!(out, "\n  {}  {} {}", paint("1", &found.rule), found.severity, cwe(found.cwe));
        let (field, layers) = layers(&found.field);
        let _ = writeln!(out, "    in       {}", plain(&field));
        if !layers.is_empty() {
            let _ = writeln!(out, "    through  {}", plain(&layers.join(" > ")));
        }
        if !found.excerpt.is_empty() {
            let shown = plain(&found.excerpt);
            let shown = if colour { paint("7", &shown) } else { format!("»{shown}«") };
            let _ = writeln!(out, "    bytes    {shown}");
        }
        let _ = writeln!(out, "    because  {}", plain(&found.message));
        if passes {
            let _ = writeln!(
                out,
                "             only a hint: honest senders write this too, so it refuses nothing by itself"
            );
        }
    }
    out
}

fn records_of(count: u32) -> String {
    if count == 1 { "1 record".to_owned() } else { format!("{count} records") }
}

fn cwe(number: Option<u16>) -> String {
    number.map(|number| format!("CWE-{number}")).unwrap_or_default()
}

/// A match's path without the layers that were taken off, and those layers in their order.
fn layers(field: &str) -> (String, Vec<String>) {
    let mut path = String::new();
    let mut layers = Vec::new();
    for (number, piece) in field.split('|').enumerate() {
        if number == 0 {
            path.push_str(piece);
            continue;
        }
        // `json.name` is the layer `json` and a step inside it.
        let end = piece.find(['.', '[']).unwrap_or(piece.len());
        layers.push(piece.get(..end).unwrap_or(piece).to_owned());
        path.push_str(piece.get(end..).unwrap_or_default());
    }
    (path, layers)
}

/// Text someone else wrote, safe on a terminal.
fn plain(text: &str) -> String {
    let hidden = |character: char| {
        character.is_control()
            || matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    text.chars()
        .flat_map(|character| {
            let escaped = hidden(character).then(|| character.escape_unicode().collect::<String>());
            escaped.unwrap_or_else(|| character.to_string()).chars().collect::<Vec<_>>()
        })
        .collect()
}

fn as_json(function: Option<&str>, decision: &Decision, event: &[u8]) -> Value {
    let answer = decision.answer.as_ref().map(|answer| {
        let (kind, body) = match answer {
            Answer::Response(body) => ("response", body),
            Answer::Error(body) => ("error", body),
        };
        json!({"as": kind, "body": String::from_utf8_lossy(body)})
    });
    let matches: Vec<Value> = decision
        .verdict
        .matches
        .iter()
        .map(|found| {
            let mut value = json!(found);
            value["layers"] = layers(&found.field).1.into();
            value
        })
        .collect();
    let set_aside: &[usize] = match &decision.action {
        guard::Action::SetAside { indices } => indices,
        _ => &[],
    };
    json!({
        "event": decision.verdict.trigger,
        "bytes": event.len(),
        "source": decision.verdict.source,
        "request": decision.http.as_ref().map(|http| json!({"method": http.method, "path": http.path})),
        "function": function,
        "fence": function.map_or(&[][..], |_| decision.lines.as_slice()),
        "verdict": decision.verdict.action,
        "reason": decision.verdict.reason,
        "incident": decision.verdict.incident,
        "records": {"total": decision.verdict.records_total, "refused": decision.verdict.records_refused, "set_aside": set_aside},
        "matches": matches,
        "answer": answer,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_over_the_wire_becomes_the_event_of_an_http_api() {
        let bytes = b"POST /orders?x=1 HTTP/1.1\r\nHost: shop\r\nCookie: a=1; b=2\r\nContent-Type: application/json\r\n\r\n{\"id\":\"' OR 1=1 --\"}";
        let subject = subject(bytes.to_vec());
        let decision = without_fence(&subject.event, None).unwrap();
        assert_eq!(decision.verdict.trigger, "http-api");
        let text = text(None, &decision, &subject.event, false);
        assert!(text.contains("POST /orders") && text.contains("refused") && text.contains("through  json"), "{text}");
        assert!(text.contains("in       body.id"), "{text}");
    }

    #[test]
    fn what_is_no_event_is_still_inspected() {
        for bytes in [&b"not json"[..], b"{\"a\":1,\"a\":2}", b"\xff\xfe", b"GET /"] {
            let subject = subject(bytes.to_vec());
            let decision = without_fence(&subject.event, None).unwrap();
            assert_ne!(decision.action, guard::Action::Pass, "{bytes:?}");
            assert_eq!(decision.verdict.matches[0].rule, "unreadable");
        }
    }

    #[test]
    fn layers_are_told_apart_from_steps() {
        assert_eq!(
            layers("Records[0].body|json.a[0]|base64|json.x"),
            ("Records[0].body.a[0].x".into(), vec!["json".into(), "base64".into(), "json".into()])
        );
        assert_eq!(base64(b"\xff\x00a"), "/wBh");
        assert_eq!(base64(b"\xff"), "/w==");
        assert_eq!(base64(b""), "");
    }

    #[test]
    fn hostile_text_does_not_reach_the_terminal() {
        let event = "{\"note\":\"\\u001b[2J' OR 1=1 --\\u202e\"}".to_owned().into_bytes();
        let decision = without_fence(&event, None).unwrap();
        let shown = text(None, &decision, &event, false);
        assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'), "{shown}");
    }
}
