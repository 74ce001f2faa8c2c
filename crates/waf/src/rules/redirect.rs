//! Places to go on to after a sign-in or a click that lead out of the application.
//!
//! The walk hands a parameter whose name says it is such a place over as `redirect:value`. A whole address is what a
//! client sends honestly (`redirect_uri`); what no client sends is a host written so that it looks like a path.

use super::{Family, Rule, RuleInfo, Severity, likely};

/// Names of parameters that say where a browser goes next, in small letters and without separators.
const NAMES: &[&str] = &[
    "next",
    "nexturl",
    "redirect",
    "redirecturl",
    "redirecturi",
    "redirectto",
    "redir",
    "return",
    "returnurl",
    "returnto",
    "returnpath",
    "returnuri",
    "rurl",
    "continue",
    "goto",
    "dest",
    "destination",
    "forward",
    "forwardurl",
    "backurl",
    "callbackurl",
    "checkouturl",
    "successurl",
    "cancelurl",
    "logouturl",
    "loginurl",
    "targeturl",
    "relaystate",
    "jump",
    "jumpto",
    "jumpurl",
];

/// Whether a field's path ends in the name of such a parameter.
pub(crate) fn is_target(path: &str) -> bool {
    let name = path.rsplit(['.', '|', '[', '/']).next().unwrap_or_default();
    if name.len() > 16 {
        return false;
    }
    let plain = |byte: &u8| !matches!(byte, b'_' | b'-' | b'"' | b']');
    NAMES.iter().any(|known| name.bytes().filter(plain).map(|byte| byte.to_ascii_lowercase()).eq(known.bytes()))
}

pub(super) static RULES: &[Rule] = &[Rule {
    info: RuleInfo {
        id: "open-redirect",
        family: Family::Redirect,
        severity: Severity::Medium,
        cwe: 601,
        message: "a foreign host written like a path, where the next page is named",
        why: "`//evil.example`, `/\\evil.example` and `https:evil.example` pass checks for a leading slash or against a scheme with two slashes, and browsers take them for another site.",
        example: "redirect://evil.example/login",
    },
    patterns: &[
        likely(
            &["redirect:"],
            r"^redirect:(?:[\s\x00-\x20]*(?:[/\\](?:[\s\x00-\x20]*[/\\])+[^/\\\s?#]*(?:\.|\xe3\x80\x82|\xef\xbd\xa1|:|@)|https?:(?:[^/\\]|[/\\][^/\\]|/{3,}|\\|/\\|$)\S*\.\w|@[\w-]+\.\w|[\w.-]+@[\w.-]+\.[a-z]{2,}/)|\.[\w-]+\.[a-z]{2,}(?:[/:?#]|$))",
        ),
        // Everything before an `@` is a user's name, and a host that goes on in another is not the one checked.
        likely(
            &["redirect:"],
            r"^redirect:\s*https?:[/\\]{2}[^/?#\s]*(?:@|%40|\\|%5c|%23|%3f|%2f)[^/?#\s]*\.[a-z]{2,}",
        ),
    ],
}];
