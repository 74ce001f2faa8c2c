//! Hosts that code talks to by other means than the cloud's SDK: HTTP clients, sockets, mail and databases.

use crate::Language;
use crate::call::Arguments;
use crate::evaluate::Evaluator;
use crate::library::sinks;
use crate::record::Host;
use crate::taint;
use crate::value::{External, Value};
use graph::Sink;

/// Where a call says whom it talks to.
enum Says {
    /// A URL at this position or under these keywords.
    Url(usize, &'static str),
    /// Host and port at these positions or keywords, and the port by default.
    Host(usize, &'static str, u16),
    /// A pair `(host, port)` at a position.
    Address(usize),
    /// JavaScript: a URL, or an object with `url`/`hostname`/`host`/`port`.
    UrlOrOptions(u16),
    /// JavaScript: port and host by position, or an object.
    PortHost,
}

const VERBS: [&str; 10] = ["get", "post", "put", "patch", "delete", "head", "options", "request", "stream", "del"];

pub(crate) fn call(evaluator: &mut Evaluator<'_>, external: &External, arguments: &Arguments) {
    let says = match evaluator.language {
        Language::Python => python(&external.path),
        Language::JavaScript => javascript(&external.path),
    };
    let Some(says) = says else { return };
    let hosts = hosts(evaluator, &says, external, arguments);
    if hosts.iter().any(|host| host.from_event) {
        let certain = hosts.len() == 1;
        for value in sinks::addresses(evaluator, arguments) {
            taint::arrives(evaluator, Sink::Url, &value, arguments.place, certain);
        }
    }
    for host in hosts {
        let site = evaluator.site(arguments.place);
        evaluator.record.hosts.insert((site, host));
    }
}

fn python(path: &str) -> Option<Says> {
    let (before, last) = path.rsplit_once('.').unwrap_or(("", path));
    let root = path.split(['.', '(']).next().unwrap_or(path);
    let is_verb = VERBS.contains(&last);
    match root {
        "requests" | "httpx" | "aiohttp" | "niquests" | "requests_futures" | "requests_toolbelt" if is_verb => {
            Some(Says::Url(usize::from(matches!(last, "request" | "stream")), "url"))
        }
        "aiohttp" if last == "ws_connect" => Some(Says::Url(0, "url")),
        "urllib3" if matches!(last, "request" | "urlopen" | "request_encode_url" | "request_encode_body") => {
            Some(Says::Url(1, "url"))
        }
        "urllib" | "urllib_request"
            if matches!(last, "urlopen" | "urlretrieve" | "open") && before.contains("request") =>
        {
            Some(Says::Url(0, "url"))
        }
        "httplib2" if last == "request" => Some(Says::Url(0, "uri")),
        "http" | "httplib" if last == "HTTPSConnection" => Some(Says::Host(0, "host", 443)),
        "http" | "httplib" if last == "HTTPConnection" => Some(Says::Host(0, "host", 80)),
        "botocore" if path == "botocore.httpsession.URLLib3Session().send" => Some(Says::Url(0, "request")),
        "socket" if matches!(last, "connect" | "connect_ex" | "create_connection" | "sendto") => {
            Some(Says::Address(usize::from(last == "sendto")))
        }
        "smtplib" if last == "SMTP_SSL" => Some(Says::Host(0, "host", 465)),
        "smtplib" if last == "SMTP" => Some(Says::Host(0, "host", 25)),
        "smtplib" if last == "connect" => Some(Says::Host(0, "host", 25)),
        "ftplib" if matches!(last, "FTP" | "FTP_TLS") => Some(Says::Host(0, "host", 21)),
        "paramiko" if last == "connect" => Some(Says::Host(0, "hostname", 22)),
        "paramiko" if last == "Transport" => Some(Says::Address(0)),
        "pymysql" | "MySQLdb" | "aiomysql" if matches!(last, "connect" | "Connection" | "create_pool") => {
            Some(Says::Host(0, "host", 3306))
        }
        "mysql" if last == "connect" || last == "MySQLConnectionPool" => Some(Says::Host(9, "host", 3306)),
        "psycopg2" | "psycopg" | "asyncpg" | "pg8000" | "redshift_connector" | "aurora_dsql_psycopg2"
            if matches!(last, "connect" | "create_pool" | "ThreadedConnectionPool" | "SimpleConnectionPool") =>
        {
            Some(Says::Host(9, "host", if root == "redshift_connector" { 5439 } else { 5432 }))
        }
        "redis" | "valkey" | "rediscluster" | "aioredis" if last == "from_url" => Some(Says::Url(0, "url")),
        "redis" | "valkey" | "rediscluster" | "aioredis"
            if matches!(
                last,
                "Redis" | "StrictRedis" | "RedisCluster" | "ConnectionPool" | "Valkey" | "ValkeyCluster"
            ) =>
        {
            Some(Says::Host(0, "host", 6379))
        }
        "pymongo" | "motor" if last.ends_with("MongoClient") || last.ends_with("MotorClient") => {
            Some(Says::Host(0, "host", 27017))
        }
        "pymemcache" if last == "Client" => Some(Says::Address(0)),
        "elasticsearch" | "opensearchpy" if matches!(last, "OpenSearch" | "Elasticsearch" | "AsyncOpenSearch") => {
            Some(Says::Host(0, "hosts", 443))
        }
        "sqlalchemy" if last == "create_engine" => Some(Says::Url(0, "url")),
        "websocket" | "websockets" if matches!(last, "create_connection" | "connect") => Some(Says::Url(0, "url")),
        "gql" if last.ends_with("HTTPTransport") => Some(Says::Url(0, "url")),
        "slack_sdk" if last == "WebhookClient" => Some(Says::Url(0, "url")),
        _ => None,
    }
}

fn javascript(path: &str) -> Option<Says> {
    let (before, last) = path.rsplit_once('.').unwrap_or(("", path));
    let root = path.split(['.', '(']).next().unwrap_or(path);
    let is_verb = VERBS.contains(&last);
    match root {
        "fetch" if path == "fetch" || last == "fetch" => Some(Says::UrlOrOptions(443)),
        "undici" if is_verb || last == "fetch" => Some(Says::UrlOrOptions(443)),
        "axios" | "got" | "ky" | "request" | "superagent" | "needle" | "phin" | "bent" | "wreck"
            if path == root || is_verb && (before == root || before.ends_with("()") || before.ends_with("default")) =>
        {
            Some(Says::UrlOrOptions(443))
        }
        "https" if matches!(last, "request" | "get") => Some(Says::UrlOrOptions(443)),
        "http" if matches!(last, "request" | "get") => Some(Says::UrlOrOptions(80)),
        "http2" if last == "connect" => Some(Says::UrlOrOptions(443)),
        "net" | "tls" if matches!(last, "connect" | "createConnection") => Some(Says::PortHost),
        "mysql" if matches!(last, "createConnection" | "createPool" | "mysql") || path == "mysql" => {
            Some(Says::UrlOrOptions(3306))
        }
        "pg" if matches!(last, "Client" | "Pool") => Some(Says::UrlOrOptions(5432)),
        "ioredis" if path == root || matches!(last, "Redis" | "Cluster") => Some(Says::UrlOrOptions(6379)),
        "redis" if last.starts_with("create") => Some(Says::UrlOrOptions(6379)),
        "mongodb" if matches!(last, "MongoClient" | "connect") && !path.contains("()") => {
            Some(Says::UrlOrOptions(27017))
        }
        "mongoose" if matches!(last, "connect" | "createConnection") => Some(Says::UrlOrOptions(27017)),
        "nodemailer" if last == "createTransport" => Some(Says::UrlOrOptions(587)),
        "ws" if path == root || last == "WebSocket" => Some(Says::UrlOrOptions(443)),
        "WebSocket" | "EventSource" if path == root => Some(Says::UrlOrOptions(443)),
        "@opensearch-project/opensearch" | "@elastic/elasticsearch" if last == "Client" => {
            Some(Says::UrlOrOptions(443))
        }
        _ => None,
    }
}

fn hosts(evaluator: &mut Evaluator<'_>, says: &Says, external: &External, arguments: &Arguments) -> Vec<Host> {
    match says {
        Says::Url(position, keyword) => {
            let url = arguments.get(*position, keyword).cloned().unwrap_or(Value::Unknown);
            urls(evaluator, &url, external, 443)
        }
        Says::Host(position, keyword, port) => {
            let host = arguments
                .get(*position, keyword)
                .or_else(|| arguments.named("url").or_else(|| arguments.named("dsn")))
                .or_else(|| arguments.named("startup_nodes"))
                .cloned()
                .or_else(|| arguments.positional.first().filter(|value| value.is_textual()).cloned());
            let Some(host) = host else {
                // Said later (`smtp.connect`), or by what can't be seen.
                let later = external.path.ends_with("SMTP") || external.path.starts_with("ftplib");
                return if later && !arguments.open { Vec::new() } else { vec![unknown(*port)] };
            };
            let port = match arguments.named("port").or_else(|| arguments.positional.get(position + 1)) {
                Some(Value::Number(number)) => u16::try_from(*number).unwrap_or(*port),
                _ => *port,
            };
            entries(evaluator, &host, port)
        }
        Says::Address(position) => {
            let pair = arguments.positional.get(*position).cloned().unwrap_or(Value::Unknown);
            let host = evaluator.item(&pair, 0);
            let port = match evaluator.item(&pair, 1) {
                Value::Number(number) => u16::try_from(number).unwrap_or(0),
                _ => 0,
            };
            all(&host, port)
        }
        Says::UrlOrOptions(port) => {
            let first = arguments.positional.first().cloned().unwrap_or(Value::Unknown);
            if first.alternatives().iter().any(|one| matches!(one, Value::Object(_))) {
                return options(evaluator, &first, external, *port);
            }
            urls(evaluator, &first, external, *port)
        }
        Says::PortHost => {
            let first = arguments.positional.first().cloned().unwrap_or(Value::Unknown);
            match &first {
                Value::Object(_) => options(evaluator, &first, external, 0),
                _ => {
                    let port = match &first {
                        Value::Number(number) => u16::try_from(*number).unwrap_or(0),
                        _ => 0,
                    };
                    let host = arguments.positional.get(1).cloned();
                    match host {
                        Some(host) if host.is_textual() || matches!(host, Value::Any(_)) => all(&host, port),
                        // A socket's path, or a port of this machine.
                        _ if first.is_textual() => vec![at("localhost", port)],
                        _ => vec![unknown(port)],
                    }
                }
            }
        }
    }
}

/// One or several hosts: text, `{"host": ..., "port": ...}`, or a list of these.
fn entries(evaluator: &mut Evaluator<'_>, value: &Value, port: u16) -> Vec<Host> {
    let mut found = Vec::new();
    for one in value.alternatives() {
        match one {
            Value::Object(id) => {
                let is_list = evaluator.heap.objects.get(*id).is_some_and(|object| object.items.is_some());
                if is_list {
                    let item = evaluator.iterate(one, crate::syntax::Place::default());
                    for item in item.alternatives() {
                        match item {
                            Value::Object(_) => found.extend(from_fields(evaluator, item, port)),
                            other => found.extend(all(other, port)),
                        }
                    }
                } else {
                    found.extend(from_fields(evaluator, one, port));
                }
            }
            other => found.extend(all(other, port)),
        }
    }
    found
}

fn from_fields(evaluator: &mut Evaluator<'_>, value: &Value, port: u16) -> Vec<Host> {
    let field = |name: &str| evaluator.own_field(value, name);
    let port = match field("port") {
        Some(Value::Number(number)) => u16::try_from(number).unwrap_or(port),
        _ => port,
    };
    match field("host").or_else(|| field("hostname")) {
        Some(host) => all(&host, port),
        None => vec![unknown(port)],
    }
}

/// The options of JavaScript's clients.
fn options(evaluator: &mut Evaluator<'_>, value: &Value, external: &External, port: u16) -> Vec<Host> {
    let mut found = Vec::new();
    for one in value.alternatives() {
        let field = |name: &str| evaluator.own_field(one, name).filter(|value| *value != Value::Nothing);
        let names = ["url", "uri", "hostname", "host", "node", "connectionString", "origin", "baseURL", "baseUrl"];
        let host = names.iter().find_map(|name| field(name));
        let scheme = field("protocol").and_then(|value| value.as_text().map(str::to_string));
        let mut port = match scheme.as_deref() {
            Some("http:") => 80,
            _ => port,
        };
        if let Some(Value::Number(number)) = field("port") {
            port = u16::try_from(number).unwrap_or(port);
        }
        match host {
            Some(host) => {
                let base = field("baseURL").or_else(|| field("baseUrl"));
                let relative = host.prefix().is_some_and(|text| text.starts_with('/'));
                match (relative, base) {
                    (true, Some(base)) => found.extend(all(&base, port)),
                    (true, None) => found.extend(urls(evaluator, &host, external, port)),
                    _ => found.extend(all(&host, port)),
                }
            }
            None => {
                let nested = ["socket", "config"].iter().find_map(|name| field(name));
                match nested {
                    Some(nested @ Value::Object(_)) => found.extend(from_fields(evaluator, &nested, port)),
                    _ => found.extend(base_of(evaluator, external, port).unwrap_or_else(|| vec![unknown(port)])),
                }
            }
        }
    }
    found
}

/// A URL, which may be relative to one that the client was made with, or a request that carries one.
fn urls(evaluator: &mut Evaluator<'_>, url: &Value, external: &External, port: u16) -> Vec<Host> {
    let mut found = Vec::new();
    for one in url.alternatives() {
        let relative = match one.prefix() {
            Some(text) => !text.contains("://"),
            None => false,
        };
        match one {
            Value::External(request) if !request.carried.is_empty() => {
                // `urllib.request.Request(url)`: the URL is its first argument that is text.
                let carried = request
                    .carried
                    .iter()
                    .find(|value| value.alternatives().iter().any(|one| one.is_textual() && !is_method(one)));
                match carried {
                    Some(carried) => found.extend(all(carried, port)),
                    None => found.push(unknown(port)),
                }
            }
            _ if relative && let Some(base) = base_of(evaluator, external, port) => found.extend(base),
            other => found.extend(all(other, port)),
        }
    }
    found
}

fn is_method(value: &Value) -> bool {
    value.as_text().is_some_and(|text| text.len() <= 7 && text.bytes().all(|byte| byte.is_ascii_uppercase()))
}

/// What the client was made with: `axios.create({ baseURL })`, `httpx.Client(base_url=...)`.
fn base_of(evaluator: &mut Evaluator<'_>, external: &External, port: u16) -> Option<Vec<Host>> {
    for carried in &external.carried {
        match carried {
            Value::Object(_) => {
                let names = ["baseURL", "baseUrl", "prefixUrl", "base_url", "hostname", "host", "url"];
                if let Some(base) = names.iter().find_map(|name| evaluator.own_field(carried, name)) {
                    return Some(all(&base, port));
                }
            }
            value if value.prefix().is_some_and(|text| text.contains("://")) => return Some(all(value, port)),
            _ => {}
        }
    }
    None
}

fn unknown(port: u16) -> Host {
    Host { host: None, environment: None, port, from_event: false }
}

fn at(host: &str, port: u16) -> Host {
    Host { host: Some(host.to_ascii_lowercase()), environment: None, port, from_event: false }
}

/// The hosts a URL or host name may be.
fn all(value: &Value, port: u16) -> Vec<Host> {
    let mut found: Vec<Host> =
        value.alternatives().iter().filter(|one| **one != Value::Nothing).map(|one| host_of(one, port)).collect();
    if found.is_empty() {
        found.push(unknown(port));
    }
    found
}

/// The host in a URL or host name that may have holes.
fn host_of(value: &Value, port: u16) -> Host {
    let parts = match value {
        Value::Pattern(parts) => parts.to_vec(),
        one => vec![one.clone()],
    };
    let mut port = port;
    let mut host = String::new();
    let mut at_start = true;
    let mut scheme_seen = false;
    for (index, part) in parts.iter().enumerate() {
        match part {
            Value::Text(text) => {
                let mut rest = &**text;
                if at_start && let Some((scheme, after)) = rest.split_once("://") {
                    port = scheme_port(scheme).unwrap_or(port);
                    rest = after;
                    scheme_seen = true;
                    host.clear();
                }
                at_start = false;
                let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
                host.push_str(rest.get(..end).unwrap_or(rest));
                if end < rest.len() {
                    break;
                }
            }
            hole => {
                // Credentials before the host and a port behind it may be anything.
                let next = parts.get(index + 1).and_then(Value::as_text);
                if scheme_seen
                    && next.is_some_and(|text| text.starts_with('@') || text.starts_with(':') && text.contains('@'))
                {
                    host.clear();
                    continue;
                }
                if host.ends_with(':') && host.len() > 1 {
                    break;
                }
                let whole = host.is_empty() && next.is_none_or(|text| text.starts_with(['/', ':', '?', '#']));
                return match hole {
                    Value::Environment(name) if whole => {
                        let next_port = next.and_then(|text| text.strip_prefix(':')).and_then(leading_number);
                        Host {
                            host: None,
                            environment: Some(name.to_string()),
                            port: next_port.unwrap_or(port),
                            from_event: false,
                        }
                    }
                    hole if hole.is_of_event() => Host { host: None, environment: None, port, from_event: true },
                    _ => unknown(port),
                };
            }
        }
    }
    let host = host.rsplit_once('@').map_or(host.as_str(), |(_, host)| host);
    let (name, written) = match host.rsplit_once(':') {
        Some((name, number)) if !name.contains(':') || name.ends_with(']') => (name, leading_number(number)),
        _ => (host, None),
    };
    let port = written.unwrap_or(port);
    let plausible = !name.is_empty()
        && name.len() <= 253
        && !name.bytes().any(|byte| byte.is_ascii_whitespace() || matches!(byte, b'{' | b'}' | b'<' | b'>' | b'='));
    if plausible { at(name, port) } else { unknown(port) }
}

fn leading_number(text: &str) -> Option<u16> {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}

fn scheme_port(scheme: &str) -> Option<u16> {
    match scheme.split('+').next().unwrap_or(scheme) {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        "redis" | "rediss" | "valkey" => Some(6379),
        "mongodb" => Some(27017),
        "postgres" | "postgresql" => Some(5432),
        "mysql" => Some(3306),
        "smtp" => Some(25),
        "smtps" => Some(465),
        "ftp" => Some(21),
        _ => None,
    }
}
