//! Addresses inside the function's own network, in all their spellings, and schemes that make a client speak to them.

use std::ops::Range;

use super::{
    Confidence, Family, Hit, Pattern, Rule, RuleInfo, Scope, Severity, Subject, Test, analyser, certain, likely,
};
use crate::context::{FieldKind, Sink};
use crate::host::{Place, place};

pub(super) static RULES: &[Rule] = &[
    Rule {
        info: RuleInfo {
            id: "ssrf-internal-address",
            family: Family::Ssrf,
            severity: Severity::High,
            cwe: 918,
            message: "an address inside the network the function runs in",
            why: "A function that fetches it hands out what only it may reach: credentials of the metadata service, services without a password. Hosts are read as resolvers do: decimal, octal, hexadecimal, mapped IPv6. An IP alone, outside of an address, stays silent.",
            example: "http://0xa9fea9fe/latest/meta-data/",
        },
        patterns: &[
            analyser(&["http:0", "http:1", "http:2", "https:0", "https:1", "https:2", "://", ":/\\", ":\\\\", ":/", "\\\\", "//"], addresses),
            // The URL kind is looked at even where no scheme stands; the engine runs patterns without literals for it.
            Pattern { literals: &[], scope: Scope::Everywhere, plain: true, prose: false, confidence: Confidence::Likely, test: Test::Analyser(bare) },
        ],
    },
    Rule {
        info: RuleInfo {
            id: "ssrf-metadata-path",
            family: Family::Ssrf,
            severity: Severity::High,
            cwe: 918,
            message: "the path of a metadata service that hands out credentials",
            why: "Whatever host is written before it, this path exists on metadata services only.",
            example: "x/latest/meta-data/iam/security-credentials/",
        },
        patterns: &[
            certain(&["latest/meta-data", "computemetadata/v1", "latest/user-data", "latest/api/token", "latest/dynamic/instance", "security-credentials", "metadata/identity/oauth2", "metadata/instance?"], r"\blatest/+(?:meta-data|user-data|api/token|dynamic/instance)|\bcomputeMetadata/v1|iam/security-credentials|metadata/(?:identity/oauth2/token|instance\?api-version)").prose(),
            likely(&["metadata.google.internal", "metadata.goog", "169.254.169.254/", "169.254.169.254:", "169.254.170.2/", "metadata.azure."], r"\bmetadata\.google\.internal\b|\bmetadata\.goog\b|\b169\.254\.1(?:69\.254|70\.2)(?::\d+)?/|\bmetadata\.azure\.(?:internal|com)\b").plain().prose(),
            likely(&["2018-06-01/runtime", "2020-01-01/extension", "/2021-08-23/"], r"/20\d\d-\d\d-\d\d/(?:runtime/invocation|extension/(?:register|event)|runtime/init)"),
        ],
    },
    Rule {
        info: RuleInfo {
            id: "ssrf-collector",
            family: Family::Ssrf,
            severity: Severity::Medium,
            cwe: 918,
            message: "the address of a service that tells testers of holes whether somebody connected",
            why: "Blind injections of every kind prove themselves by a connection to such a host. No honest value names one.",
            example: "http://c7f2.oast.live/",
        },
        patterns: &[likely(
            &["oast.", "burpcollaborator.", "oastify.", "interact.sh", "interactsh.", "dnslog.", "ceye.io", ".bxss.", ".xss.ht", "r3dir.me", "dnsbin.", "requestcatcher.com", "eyes.sh", "ezxss."],
            r"[\w-]\.(?:oast\.(?:pro|live|site|online|fun|me)|burpcollaborator\.net|oastify\.com|interact\.sh|interactsh\.com|dnslog\.(?:cn|link|pw)|ceye\.io|bxss\.(?:me|in)|xss\.ht|r3dir\.me|dnsbin\.\w+|requestcatcher\.com|eyes\.sh|ezxss\.com)\b",
        ).plain().prose()],
    },
    Rule {
        info: RuleInfo {
            id: "ssrf-scheme",
            family: Family::Ssrf,
            severity: Severity::High,
            cwe: 918,
            message: "a scheme that makes a client read files or speak to other services",
            why: "`gopher:` and `dict:` speak to Redis and mail servers, `file:` reads the disk, `phar:` and `php:` run code in PHP.",
            example: "gopher://10.0.0.5:6379/_FLUSHALL",
        },
        patterns: &[
            certain(&["gopher:", "dict:", "php://", "phar:", "expect://", "netdoc:", "jar:", "zip://", "glob://", "ogg://", "ssh2.", "compress.zlib", "local_file:", "file:", "url:file", "data://"], r"\b(?:gopher|dict|expect|netdoc|phar|ogg|glob|ssh2\.\w+|compress\.(?:zlib|bzip2))://|\bnetdoc:/|\bjar:(?:https?|file|ftp):|\bphp://(?:filter|input|data|memory|temp|stdin|fd|expect)|\blocal_file:|\burl:file:|\bphar:/|\bdata://\w|\bzip://[^\s]*#"),
            analyser(&["\\\\"], share),
            // An address that hides its host behind slashes browsers and servers count differently.
            likely(&["http:", "https:"], r"^/?https?:[\d]{4,10}(?:[/:].*)?$|^https?:[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}(?:[/:?#]|$)|^https?:(?:0x[0-9a-f]{2}|0\d+)\.").plain(),
            likely(&["//", "/\\", "\\/", "/\t", "\t/", ":/"], r"^/(?:[\t\r\n\\]|%(?:09|0a|0d|5c))+/?[\w.-]+\.[a-z]{2,}|^/{3,}[\w@.-]+\.[a-z]{2,}|^[\\/]*\\/+\\?[\w.-]+\.[a-z]{2,}|^//[\\;@]|^///[\w]|^/+https?:/|^https?:/?\\|^https?:/{0,1}[\w-]+\.[a-z]{2,}|^/{2}https?:|^https?:/{3,}[\w.-]+\.[a-z]{2,}"),
            likely(&["file:"], r"(?:(?:^|[^\w-])file:|^\s*file:\s*)/{1,4}(?:\w|%|\.|~|\\|$)|(?:^|[^\w-])file:\\\\").prose(),
            likely(&["ldap://", "ldaps://", "ldapi://", "rmi://", "tftp://", "smb://", "nfs://", "iiop://", "unix:", "ws://", "wss://"], r"(?:^|[^\w])(?:ldap[si]?|rmi|tftp|smb|nfs|iiop)://\S|(?:^|\s)(?:http\+)?unix:/").prose(),
        ],
    },
];

/// Whether `text` begins with a share of a machine in an office's own network, which no Linux client connects to.
fn office_share(text: &str) -> bool {
    let Some((host, _)) = text.strip_prefix("\\\\").and_then(|rest| rest.split_once('\\')) else { return false };
    host.ends_with(|last: char| last.is_ascii_alphabetic())
        && host.contains('.')
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
}

/// `\\host\share`, to which Windows connects with its user's credentials. A name without dots or of an office network is
/// how colleagues tell each other where a file lies.
fn share(subject: &Subject<'_>) -> Option<Hit> {
    let (text, bytes) = (subject.text, subject.text.as_bytes());
    for (start, _) in text.match_indices("\\\\").take(16) {
        let outside = start
            .checked_sub(1)
            .and_then(|at| bytes.get(at))
            .is_none_or(|byte| byte.is_ascii_whitespace() || matches!(byte, b'=' | b'"' | b'\'' | b'(' | b','));
        let mut steps = text.get(start + 2..).unwrap_or_default().split('\\');
        let (Some(host), Some(folder)) = (steps.next(), steps.next()) else { continue };
        let (host, port) = host.split_once('@').unwrap_or((host, ""));
        let named = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
        if !outside || host.is_empty() || host.len() > 253 || !host.bytes().all(named) || folder.is_empty() {
            continue;
        }
        let zone = host.rsplit_once('.').map(|(_, zone)| zone).unwrap_or_default();
        let office = ["", "local", "lan", "corp", "intra", "intranet", "internal", "home", "ad"]
            .iter()
            .any(|known| zone.eq_ignore_ascii_case(known));
        let hidden = folder.starts_with(|first: char| first.is_ascii_alphabetic())
            && folder.split(['/', ' ']).next().is_some_and(|folder| folder.ends_with('$'));
        let range = start..start + 2 + host.len() + 1;
        let foreign = !office && zone.len() >= 2 && zone.bytes().all(|byte| byte.is_ascii_alphabetic());
        let number = host.parse::<std::net::Ipv4Addr>().is_ok();
        if foreign || number || hidden || !port.is_empty() {
            return Some(Hit { range, confidence: Confidence::Likely });
        }
    }
    None
}

/// Every address in the text: the first internal host decides.
fn addresses(subject: &Subject<'_>) -> Option<Hit> {
    let text = subject.text;
    let mut weak = None;
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find([':', '/', '\\'])).map(|offset| at + offset) {
        at = found + 1;
        let rest = text.get(found..).unwrap_or_default();
        let slashes = |text: &str| text.bytes().take_while(|byte| matches!(byte, b'/' | b'\\')).count();
        let authority = match rest.strip_prefix(':') {
            Some(after) => {
                let count = slashes(after);
                let scheme = scheme_before(text, found);
                // Browsers and several clients take `http:/host` and `http:host` for `http://host`.
                let web =
                    ["http", "https", "ftp", "ws", "wss", "url"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
                let number = after.as_bytes().first().is_some_and(u8::is_ascii_digit);
                if scheme.is_empty() || !(count >= 2 || (web && (count == 1 || number))) {
                    continue;
                }
                found + 1 + count
            }
            // `//host` at the start, or as a value of its own.
            None if slashes(rest) >= 2
                && (found == 0
                    || text
                        .as_bytes()
                        .get(found - 1)
                        .is_some_and(|byte| matches!(byte, b'=' | b'"' | b'\'' | b'('))) =>
            {
                found + slashes(rest)
            }
            None => continue,
        };
        at = at.max(authority);
        if let Some(hit) = judge(subject, found, authority) {
            if hit.confidence >= Confidence::Likely {
                return Some(hit);
            }
            weak = weak.or(Some(hit));
        }
    }
    weak
}

/// A host without a scheme, where the field is known to be an address.
fn bare(subject: &Subject<'_>) -> Option<Hit> {
    let wanted = subject.context.kind == FieldKind::Url || subject.context.reaches.contains(Sink::Url);
    if !wanted || subject.context.key || subject.text.contains("://") {
        return None;
    }
    let text = subject.text.trim_start();
    let start = subject.text.len() - text.len();
    if text.starts_with('/') && !text.starts_with("//") {
        return None;
    }
    let slashes = text.bytes().take_while(|byte| matches!(byte, b'/' | b'\\')).count();
    // `10`, `0.5` and `metadata` are values of their own; a number is a host here only in four parts or in disguise.
    let host = text.split(['/', '?', '#']).next().unwrap_or_default();
    let number = host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let word = host.bytes().all(|byte| byte.is_ascii_alphanumeric()) && !host.starts_with("0x");
    let alone = slashes == 0 && host.len() == text.len();
    let value = (number && host.matches('.').count() != 3) || (word && !host.eq_ignore_ascii_case("localhost"));
    if alone && value {
        return None;
    }
    judge(subject, start, start + slashes)
}

fn scheme_before(text: &str, colon: usize) -> &str {
    let before = text.get(..colon).unwrap_or_default();
    let start = before
        .bytes()
        .rev()
        .take(24)
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
        .count();
    before.get(colon - start..).unwrap_or_default()
}

/// What the authority that begins at `start` says.
fn judge(subject: &Subject<'_>, from: usize, start: usize) -> Option<Hit> {
    let rest = subject.text.get(start..)?;
    let length = rest.bytes().take(300).position(|byte| {
        matches!(
            byte,
            b'/' | b'?'
                | b'#'
                | b' '
                | b'"'
                | b'\''
                | b'<'
                | b'>'
                | b'\n'
                | b'\r'
                | b'\t'
                | b'`'
                | b')'
                | b','
                | b'|'
                | b'}'
                | b';'
        )
    });
    let end =
        length.unwrap_or_else(|| (0..=rest.len().min(300)).rev().find(|at| rest.is_char_boundary(*at)).unwrap_or(0));
    let authority = rest.get(..end)?;
    let range: Range<usize> = scheme_start(subject.text, from)..start + authority.len();
    let hit = |confidence| Some(Hit { range: range.clone(), confidence });
    if authority.is_empty() {
        return None;
    }
    // Clients differ on where the host ends when a backslash or several `@` are in it: each reading is tried.
    let mut candidates = authority.split(['@', '\\']).take(8).peekable();
    let mut worst = Place::Public;
    let mut parts = 0;
    while let Some(part) = candidates.next() {
        parts += 1;
        let userinfo = candidates.peek().is_some() && !authority.contains('\\');
        let host = without_port(part);
        let found = if userinfo && !host.contains('.') { Place::Public } else { place(host) };
        worst = match (worst, found) {
            (Place::Metadata, _) | (_, Place::Metadata) => Place::Metadata,
            (Place::Internal, _) | (_, Place::Internal) => Place::Internal,
            (Place::Disguised, _) | (_, Place::Disguised) => Place::Disguised,
            _ => Place::Public,
        };
    }
    let context = subject.context;
    let known_url = context.kind == FieldKind::Url || context.reaches.contains(Sink::Url);
    match worst {
        Place::Metadata => hit(Confidence::Certain),
        Place::Internal | Place::Disguised => {
            // Developers' browsers send `Origin: http://localhost:3000`; people write about it in the middle of a sentence.
            let quoted = subject.text.get(..from).is_some_and(|before| before.contains(' '));
            let honest = context.kind == FieldKind::Header
                || office_share(subject.text.get(from..).unwrap_or_default())
                || (quoted && context.kind != FieldKind::Url && context.kind != FieldKind::ObjectKey);
            hit(if honest && !known_url { Confidence::Hint } else { Confidence::Likely })
        }
        Place::Public => {
            let (user, _) = authority.rsplit_once('@')?;
            let looks_like_host =
                ["com", "net", "org", "io", "dev", "app", "co", "gov", "edu", "de", "aws"].iter().any(|zone| {
                    let name = without_port(user.split(['#', '&']).next().unwrap_or_default());
                    name.rsplit_once('.')
                        .is_some_and(|(before, last)| !before.is_empty() && last.eq_ignore_ascii_case(zone))
                });
            if parts > 1 && (looks_like_host || authority.contains('\\')) { hit(Confidence::Likely) } else { None }
        }
    }
}

fn scheme_start(text: &str, colon: usize) -> usize {
    colon - scheme_before(text, colon).len()
}

fn without_port(host: &str) -> &str {
    if host.starts_with('[') {
        return host.split_inclusive(']').next().unwrap_or(host);
    }
    host.split(':').next().unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use crate::{Context, Engine, FieldKind, Sink, refuses};

    #[test]
    fn a_bare_value_is_a_host_only_where_it_looks_like_one() {
        let refused = |text: &str| {
            [Context::of(FieldKind::Url), Context::default().reaching(Sink::Url)].map(|context| {
                let mut matches = Vec::new();
                Engine::shared().inspect("x", text, context, &mut matches);
                refuses(&matches)
            })
        };
        for hostile in [
            "127.0.0.1",
            "localhost",
            "localhost:9001/x",
            "[::1]:80",
            "169.254.169.254/latest",
            "0x7f000001",
            "//10.0.0.1/",
            "db.internal",
        ] {
            assert_eq!(refused(hostile), [true, true], "{hostile}");
        }
        for honest in [
            "10",
            "0.5",
            "1234567890",
            "metadata",
            "orders",
            "orders/10",
            "example.com/a",
            "https://example.com/",
            "/v1/items/7",
            "",
        ] {
            assert_eq!(refused(honest), [false, false], "{honest}");
        }
    }
}
