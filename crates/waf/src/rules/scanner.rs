//! Programs that look for holes, by the name they give themselves.
//!
//! Whoever hides the name isn't found here; whoever doesn't announces what the next thousand requests are.

use super::{Confidence, Family, Hit, Rule, RuleInfo, Severity, Subject, analyser};
use crate::context::FieldKind;

const NAMES: &[&str] = &[
    "sqlmap/",
    "nikto",
    "nuclei",
    "openvas",
    "acunetix",
    "netsparker",
    "w3af",
    "dirbuster",
    "gobuster",
    "feroxbuster",
    "fuzz faster u fool",
    "wpscan",
    "masscan",
    "zgrab",
    "nessus",
    "havij",
    "commix/",
    "jaeles",
    "zmeu",
    "whatweb",
    "arachni",
    "skipfish",
    "dirsearch",
    "wfuzz",
    "sqlninja",
    "xsstrike",
    "nmap scripting engine",
    "qualys",
    "burpcollaborator",
];

pub(super) static RULES: &[Rule] = &[Rule {
    info: RuleInfo {
        id: "scanner-agent",
        family: Family::Scanner,
        severity: Severity::Low,
        cwe: 200,
        message: "a header in which a scanner for weaknesses gives its name",
        why: "A test of the application's own is easily allowed in the fence; anybody else's is better stopped at its first request than at its first find. Speaks in headers only: elsewhere people write about these programs.",
        example: "sqlmap/1.8#stable (https://sqlmap.org)",
    },
    patterns: &[analyser(NAMES, agent).plain()],
}];

fn agent(subject: &Subject<'_>) -> Option<Hit> {
    if subject.context.kind != FieldKind::Header || subject.context.key {
        return None;
    }
    let text = subject.text.to_ascii_lowercase();
    let found = NAMES.iter().find_map(|name| {
        let at = text.find(name)?;
        let whole = at == 0 || !text.as_bytes().get(at - 1).is_some_and(u8::is_ascii_alphanumeric);
        whole.then_some(at..at + name.len())
    })?;
    Some(Hit { range: found, confidence: Confidence::Likely })
}
