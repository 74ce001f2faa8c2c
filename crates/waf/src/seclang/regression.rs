//! Regression tests in the format that authors of rules write (YAML with stages of input and output), run in process.
//!
//! The caller reads the YAML, with every scalar as a string, and hands it over as a value; nothing here opens a file.
//! Requests are built as the format's reference runner builds them, read as a strict HTTP server would, and answered
//! by a backend that reflects what a `POST /reflect` asks for.

use base64::Engine as _;
use serde_json::Value;

use super::{Connection, MatchedRule, RuleSet, Transaction};
use crate::seclang::pattern::Pattern;

/// A test: one or more requests with what rules must say to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Rule and number, `942100-3`.
    pub name: String,
    /// What the test is about, when it says so.
    pub description: String,
    /// The requests, in order.
    pub stages: Vec<Stage>,
}

/// A request and what is expected of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stage {
    /// The request's bytes.
    pub request: Vec<u8>,
    /// Ids that must match.
    pub expected: Vec<u32>,
    /// Ids that must not.
    pub unexpected: Vec<u32>,
    /// A regular expression that a line of the log must match.
    pub log: Option<String>,
    /// One that none may.
    pub no_log: Option<String>,
    /// The status that the client must see.
    pub status: Option<u16>,
    /// The server must refuse to answer.
    pub error: bool,
    /// Exactly one rule may match.
    pub isolated: bool,
}

/// How a test went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What went wrong; nothing, when the test passed.
    pub failure: Option<String>,
    /// The ids of the rules that matched and are to be logged, in ascending order.
    pub matched: Vec<u32>,
}

/// A setup for tests: paranoia level `level`, limits on arguments as the Core Rule Set's own tests assume them, nothing
/// held up. Put it between the set's setup and its rules.
pub fn setup(level: u8) -> String {
    format!(
        "SecRuleEngine DetectionOnly\nSecAction \"id:1000001,phase:1,nolog,pass,t:none,\
         setvar:tx.blocking_paranoia_level={level},setvar:tx.detection_paranoia_level={level},\
         setvar:tx.max_num_args=255,setvar:tx.arg_name_length=100,setvar:tx.arg_length=400,setvar:tx.total_arg_length=6400,setvar:tx.max_file_size=64100,\
         setvar:tx.combined_file_sizes=65535\"\n"
    )
}

/// The tests of a file; `fallback` is the rule's id, from the file's name, when the file doesn't say it.
///
/// # Errors
/// Why the document is no test file.
pub fn cases(document: &Value, fallback: &str) -> Result<Vec<Case>, String> {
    let tests = document.get("tests").and_then(Value::as_array).ok_or("there is no list `tests`")?;
    let rule = document.get("rule_id").and_then(Value::as_str).unwrap_or(fallback);
    tests
        .iter()
        .enumerate()
        .map(|(at, test)| {
            let id = ["test_id", "test_title", "id"].iter().find_map(|key| test.get(key).and_then(Value::as_str));
            let id = id.map_or_else(|| (at + 1).to_string(), str::to_string);
            let stages = test.get("stages").and_then(Value::as_array).ok_or(format!("test {id} has no stages"))?;
            let stages = stages
                .iter()
                .map(|stage| stage.get("stage").unwrap_or(stage))
                .map(Stage::new)
                .collect::<Result<_, _>>()?;
            let description = test.get("desc").and_then(Value::as_str).unwrap_or_default().trim().to_string();
            Ok(Case { name: format!("{rule}-{id}"), description, stages })
        })
        .collect()
}

impl Stage {
    fn new(stage: &Value) -> Result<Stage, String> {
        let input = stage.get("input").ok_or("a stage has no input")?;
        let empty = Value::Null;
        let output = stage.get("output").unwrap_or(&empty);
        let log = output.get("log").unwrap_or(&empty);
        let ids = |key: &str| -> Vec<u32> {
            let list = log.get(key).and_then(Value::as_array);
            list.map_or(&[][..], Vec::as_slice).iter().filter_map(|id| id.as_str()?.trim().parse().ok()).collect()
        };
        let text = |place: &Value, key: &str| place.get(key).and_then(Value::as_str).map(str::to_string);
        let yes =
            |key: &str| output.get(key).and_then(Value::as_str).is_some_and(|text| text.eq_ignore_ascii_case("true"));
        Ok(Stage {
            request: request(input)?,
            expected: ids("expect_ids"),
            unexpected: ids("no_expect_ids"),
            log: text(log, "match_regex").or(text(output, "log_contains")),
            no_log: text(log, "no_match_regex").or(text(output, "no_log_contains")),
            status: text(output, "status").and_then(|status| status.trim().parse().ok()),
            error: yes("expect_error"),
            isolated: yes("isolated"),
        })
    }
}

/// Runs a test. `transaction` is used again and again; it must belong to `set`.
pub fn run(set: &RuleSet, case: &Case) -> Outcome {
    let mut outcome = Outcome { failure: None, matched: Vec::new() };
    for stage in &case.stages {
        let (status, matched) = exchange(set, &stage.request);
        let mut ids: Vec<u32> = matched.iter().filter(|rule| rule.logged).map(|rule| rule.id).collect();
        ids.sort_unstable();
        ids.dedup();
        if outcome.failure.is_none() {
            outcome.failure = judge(stage, status, &ids, &matched);
        }
        outcome.matched.extend(ids);
    }
    outcome.matched.sort_unstable();
    outcome.matched.dedup();
    outcome
}

fn judge(stage: &Stage, status: Option<u16>, ids: &[u32], matched: &[MatchedRule]) -> Option<String> {
    if stage.error {
        return status
            .filter(|status| *status != 400)
            .map(|status| format!("a refusal was expected, not status {status}"));
    }
    let Some(status) = status else { return Some("the server closes the connection".into()) };
    if let Some(wanted) = stage.status.filter(|wanted| *wanted != status) {
        return Some(format!("status {wanted} was expected, not {status}"));
    }
    if let Some(missing) = stage.expected.iter().find(|id| !ids.contains(id)) {
        return Some(format!("rule {missing} must match (status {status})"));
    }
    if let Some(extra) = stage.unexpected.iter().find(|id| ids.contains(id)) {
        return Some(format!("rule {extra} must not match"));
    }
    if stage.isolated && ids.len() != 1 {
        return Some(format!("one rule must match, not {}", ids.len()));
    }
    let in_log = |pattern: &String| {
        let Ok(pattern) = Pattern::new(pattern) else { return false };
        matched.iter().filter(|rule| rule.logged).any(|rule| pattern.is_match(&log_line(rule)))
    };
    if let Some(pattern) = stage.log.as_ref().filter(|pattern| !in_log(pattern)) {
        return Some(format!("the log must match `{pattern}`"));
    }
    stage.no_log.as_ref().filter(|pattern| in_log(pattern)).map(|pattern| format!("the log must not match `{pattern}`"))
}

fn log_line(rule: &MatchedRule) -> Vec<u8> {
    let id = rule.id.to_string();
    [b"[id \"", id.as_bytes(), b"\"] [msg \"", &rule.message, b"\"] [data \"", &rule.data, b"\"]"].concat()
}

/// Sends a raw request through the rules and the reflecting backend: the status, and what matched.
pub fn exchange(set: &RuleSet, raw: &[u8]) -> (Option<u16>, Vec<MatchedRule>) {
    let Some(request) = Request::read(raw) else { return (Some(400), Vec::new()) };
    let connection =
        Connection { remote_address: "127.0.0.1", remote_port: 40_000, server_address: "127.0.0.1", server_port: 80 };
    let mut transaction = Transaction::new(set, connection);
    transaction.unique_id(b"0");
    transaction.request_line(request.line);
    for (name, value) in &request.headers {
        transaction.request_header(name, value);
    }
    let mut stopped = transaction.process_request_headers();
    if stopped.is_none() {
        transaction.request_body(&request.body);
        stopped = transaction.process_request_body();
    }
    let mut status = 200;
    if stopped.is_none() {
        let answer = reflect(&request);
        status = answer.status;
        transaction.response_line(b"HTTP/1.1", answer.status);
        for (name, value) in &answer.headers {
            transaction.response_header(name.as_bytes(), value.as_bytes());
        }
        stopped = transaction.process_response_headers();
        if stopped.is_none() {
            transaction.response_body(&answer.body);
            stopped = transaction.process_response_body();
        }
    }
    transaction.process_logging();
    let status = stopped.map_or(status, |intervention| intervention.status);
    (Some(status), transaction.matched().to_vec())
}

/// A raw request, taken apart as a strict server does.
struct Request<'a> {
    line: &'a [u8],
    method: &'a [u8],
    path: &'a [u8],
    headers: Vec<(&'a [u8], &'a [u8])>,
    body: Vec<u8>,
}

impl<'a> Request<'a> {
    fn read(raw: &'a [u8]) -> Option<Request<'a>> {
        let end = memchr::memmem::find(raw, b"\r\n\r\n")?;
        let mut lines =
            raw.get(..end)?.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let line = lines.next()?;
        let mut words = line.split(|byte| *byte == b' ');
        let (method, uri, version) = (words.next()?, words.next()?, words.next()?);
        let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
        let authority = method == b"CONNECT"
            && uri
                .rsplit(|byte| *byte == b':')
                .next()
                .is_some_and(|port| port.len() < uri.len() && port.iter().all(u8::is_ascii_digit));
        let target = uri.starts_with(b"/") || uri == b"*" || authority || memchr::memmem::find(uri, b"://").is_some();
        let known = match version.strip_prefix(b"HTTP/") {
            Some([major @ b'1'..=b'9']) => *major > b'1',
            Some([b'1'..=b'9', b'.', b'0'..=b'9']) => true,
            _ => false,
        };
        // A fragment is the client's own affair and never sent.
        if uri.contains(&b'#')
            || words.next().is_some()
            || method.is_empty()
            || !method.iter().all(token)
            || !target
            || !known
        {
            return None;
        }
        let mut headers: Vec<(&[u8], &[u8])> = Vec::new();
        for line in lines {
            let colon = memchr::memchr(b':', line)?;
            let (name, value) = (line.get(..colon)?, line.get(colon + 1..)?.trim_ascii());
            if name.is_empty() || !name.iter().all(token) || value.iter().any(|byte| matches!(byte, b'\r' | 0)) {
                return None;
            }
            headers.push((name, value));
        }
        let header =
            |wanted: &[u8]| headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| *value);
        if version == b"HTTP/1.1" && header(b"host").is_none_or(<[u8]>::is_empty) {
            return None;
        }
        // No host has control characters in its name, however they are spelled.
        let hides = |host: &[u8]| host.windows(2).any(|two| matches!(two, [b'%', b'0' | b'1']));
        if header(b"host").is_some_and(hides) {
            return None;
        }
        let rest = raw.get(end + 4..)?;
        let chunked =
            header(b"transfer-encoding").is_some_and(|value| value.to_ascii_lowercase().ends_with(b"chunked"));
        let body = if chunked {
            // The encoding overrides the length, which then must not be passed on.
            headers.retain(|(name, _)| !name.eq_ignore_ascii_case(b"content-length"));
            unchunk(rest)
        } else {
            let length: usize = match header(b"content-length") {
                // Only digits are a length.
                Some(value) if !value.iter().all(u8::is_ascii_digit) => return None,
                Some(value) => std::str::from_utf8(value).ok()?.parse().unwrap_or(0),
                None => 0,
            };
            rest.get(..length.min(rest.len()))?.to_vec()
        };
        let path = uri.split(|byte| *byte == b'?').next()?;
        Some(Request { line, method, path, headers, body })
    }
}

fn unchunk(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = raw;
    while let Some(end) = memchr::memmem::find(rest, b"\r\n") {
        let size = rest.get(..end).and_then(|line| line.split(|byte| *byte == b';').next());
        let size =
            size.and_then(|size| usize::from_str_radix(std::str::from_utf8(size).ok()?.trim(), 16).ok()).unwrap_or(0);
        let tail = rest.get(end + 2..).unwrap_or_default();
        let (chunk, tail) = tail.split_at(size.min(tail.len()));
        out.extend_from_slice(chunk);
        rest = tail.strip_prefix(b"\r\n").unwrap_or(tail);
        if size == 0 {
            break;
        }
    }
    out
}

struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// What the backend answers: nothing, or what the request asks for.
fn reflect(request: &Request<'_>) -> Answer {
    let mut answer = Answer { status: 200, headers: Vec::new(), body: Vec::new() };
    if request.method != b"POST" || !(request.path == b"/reflect" || request.path.starts_with(b"/reflect/")) {
        return answer;
    }
    let Ok(Value::Object(wanted)) = serde_json::from_slice::<Value>(&request.body) else {
        answer.status = 400;
        return answer;
    };
    let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
    answer.status = wanted.get("status").and_then(number).and_then(|status| u16::try_from(status).ok()).unwrap_or(200);
    if let Some(Value::Object(headers)) = wanted.get("headers") {
        for (name, value) in headers {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_string);
            answer.headers.push((name.clone(), value));
        }
    }
    if let Some(text) = wanted.get("body").and_then(Value::as_str).filter(|text| !text.is_empty()) {
        answer.body = text.as_bytes().to_vec();
    } else if let Some(text) = wanted.get("encodedBody").and_then(Value::as_str) {
        answer.body = base64::engine::general_purpose::STANDARD.decode(text).unwrap_or_default();
    }
    if !answer.body.is_empty() && !answer.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        answer.headers.push(("Content-Type".into(), sniff(&answer.body).into()));
    }
    answer
}

/// The content type that servers guess from a body's first bytes.
fn sniff(body: &[u8]) -> &'static str {
    const TAGS: [&[u8]; 16] = [
        b"<!DOCTYPE HTML",
        b"<HTML",
        b"<HEAD",
        b"<SCRIPT",
        b"<IFRAME",
        b"<H1",
        b"<DIV",
        b"<FONT",
        b"<TABLE",
        b"<A",
        b"<STYLE",
        b"<TITLE",
        b"<B",
        b"<BODY",
        b"<BR",
        b"<P",
    ];
    const MAGIC: [(&[u8], &str); 7] = [
        (b"%PDF-", "application/pdf"),
        (b"%!PS-Adobe-", "application/postscript"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"GIF8", "image/gif"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"PK\x03\x04", "application/zip"),
        (b"\x1f\x8b\x08", "application/x-gzip"),
    ];
    let start = body.get(..512).unwrap_or(body);
    let trimmed = start.trim_ascii_start();
    let tag = |tag: &&[u8]| {
        trimmed.get(..tag.len()).is_some_and(|text| text.eq_ignore_ascii_case(tag))
            && matches!(trimmed.get(tag.len()), Some(b' ' | b'>'))
    };
    if trimmed.starts_with(b"<!--") || TAGS.iter().any(tag) {
        return "text/html; charset=utf-8";
    }
    if trimmed.starts_with(b"<?xml") {
        return "text/xml; charset=utf-8";
    }
    if let Some((_, kind)) = MAGIC.iter().find(|(magic, _)| start.starts_with(magic)) {
        return kind;
    }
    if trimmed.iter().any(|byte| matches!(byte, 0..=8 | 11 | 14..=26 | 28..=31)) {
        return "application/octet-stream";
    }
    "text/plain; charset=utf-8"
}

/// The bytes of the request that a stage's input describes.
fn request(input: &Value) -> Result<Vec<u8>, String> {
    let text = |key: &str| input.get(key).and_then(Value::as_str);
    let decode = |text: &str| {
        let clean: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        base64::engine::general_purpose::STANDARD.decode(clean).map_err(|error| format!("malformed base64: {error}"))
    };
    if let Some(encoded) = text("encoded_request").filter(|encoded| !encoded.is_empty()) {
        return decode(encoded);
    }
    let mut headers: Vec<(String, String)> = match (input.get("ordered_headers"), input.get("headers")) {
        (Some(Value::Array(list)), _) => {
            let part =
                |header: &Value, key: &str| header.get(key).and_then(Value::as_str).unwrap_or_default().to_string();
            list.iter().map(|header| (part(header, "name"), part(header, "value"))).collect()
        }
        (_, Some(Value::Object(map))) => {
            let mut headers: Vec<(String, String)> = map
                .iter()
                .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_string()))
                .collect();
            headers.sort();
            headers
        }
        _ => Vec::new(),
    };
    let flag = |key: &str| text(key).map(|text| text.eq_ignore_ascii_case("true"));
    let complete = flag("autocomplete_headers").or(flag("stop_magic").map(|stop| !stop)).unwrap_or(true);
    let mut data = match (text("data"), text("encoded_data").filter(|encoded| !encoded.is_empty())) {
        (Some(data), _) => repeat(data).into_bytes(),
        (None, Some(encoded)) => decode(encoded)?,
        (None, None) => Vec::new(),
    };
    let has =
        |headers: &[(String, String)], wanted: &str| headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
    let method = text("method").unwrap_or("GET");
    if complete && !data.is_empty() {
        if !has(&headers, "Content-Type") {
            headers.push(("Content-Type".into(), "application/x-www-form-urlencoded".into()));
        }
        let form = |(name, value): &(String, String)| {
            name.eq_ignore_ascii_case("Content-Type") && value.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        };
        if headers.iter().any(form) && !data.iter().any(|byte| matches!(byte, b'%' | b'+')) {
            data = form_encode(&data);
        }
    }
    let multipart = |(name, value): &(String, String)| {
        name.eq_ignore_ascii_case("Content-Type") && value.to_ascii_lowercase().contains("multipart/form-data;")
    };
    if headers.iter().any(multipart) {
        // Test files are written with plain line ends; bodies of this kind have others.
        data = data
            .iter()
            .flat_map(|byte| if *byte == b'\n' { &b"\r\n"[..] } else { std::slice::from_ref(byte) })
            .copied()
            .collect();
    }
    if complete {
        if !has(&headers, "Connection") {
            headers.push(("Connection".into(), "close".into()));
        }
        let takes_body = method.starts_with("POST")
            || method.contains("PUT")
            || method.contains("PATCH")
            || method.ends_with("DELETE");
        if !has(&headers, "Content-Length") && (!data.is_empty() || takes_body) {
            headers.push(("Content-Length".into(), data.len().to_string()));
        }
    }
    let (uri, version) = (text("uri").unwrap_or("/"), text("version").unwrap_or("HTTP/1.1"));
    let mut out = format!("{method} {uri} {version}\r\n").into_bytes();
    for (name, value) in headers {
        out.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(&data);
    Ok(out)
}

/// Most bytes that `{{ "x" | repeat n }}` may make.
const MAX_REPEATED: usize = 16 << 20;

/// Replaces `{{ "text" | repeat 5 }}`.
fn repeat(data: &str) -> String {
    let mut out = String::new();
    let mut rest = data;
    while let Some(start) = rest.find("{{") {
        let inside = rest.get(start + 2..).unwrap_or_default();
        let made = inside.find("}}").and_then(|end| {
            let (text, count) = inside.get(..end)?.rsplit_once('|')?;
            let text = text.trim().strip_prefix('"')?.strip_suffix('"')?;
            let count: usize = count.trim().strip_prefix("repeat")?.trim().parse().ok()?;
            (text.len().checked_mul(count)? <= MAX_REPEATED).then(|| (text.repeat(count), end))
        });
        out.push_str(rest.get(..start).unwrap_or_default());
        match made {
            Some((made, end)) => {
                out.push_str(&made);
                rest = inside.get(end + 2..).unwrap_or_default();
            }
            None => {
                out.push_str("{{");
                rest = inside;
            }
        }
    }
    out + rest
}

/// Percent-encodes the names and values of form data.
fn form_encode(data: &[u8]) -> Vec<u8> {
    let encode = |text: &[u8], out: &mut Vec<u8>| {
        for &byte in text {
            match byte {
                b' ' => out.push(b'+'),
                b'_' | b'.' | b'-' | b'~' => out.push(byte),
                _ if byte.is_ascii_alphanumeric() => out.push(byte),
                _ => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
            }
        }
    };
    let mut out = Vec::new();
    let mut pairs: Vec<&[u8]> = data.split(|byte| *byte == b'&').collect();
    if data.ends_with(b"&") {
        pairs.pop();
    }
    for (at, pair) in pairs.into_iter().enumerate() {
        if at > 0 {
            out.push(b'&');
        }
        match pair.iter().position(|byte| *byte == b'=') {
            Some(equals) => {
                encode(pair.get(..equals).unwrap_or_default(), &mut out);
                out.push(b'=');
                encode(pair.get(equals + 1..).unwrap_or_default(), &mut out);
            }
            None => encode(pair, &mut out),
        }
    }
    out
}
