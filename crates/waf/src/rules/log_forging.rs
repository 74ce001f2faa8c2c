//! Line breaks that forge headers, mails or log records.
//!
//! Honest texts have many lines and colons. What counts is a line that only a protocol or a log writes.

use super::{Confidence, Family, Hit, Rule, RuleInfo, Severity, Subject, analyser, certain, hint, likely};
use crate::context::FieldKind;

pub(super) static RULES: &[Rule] = &[
    Rule {
        info: RuleInfo {
            id: "header-injection",
            family: Family::LogForging,
            severity: Severity::Medium,
            cwe: 113,
            message: "a line break followed by a protocol header",
            why: "Copied into a response, a mail or a request, the second line becomes a header of its own: a cookie, a redirect, a hidden recipient.",
            example: "en\r\nSet-Cookie: session=stolen",
        },
        patterns: &[
            certain(&["set-cookie", "transfer-encoding", "content-length", "access-control-", "x-xss-protection", "http/1.", "http/2", "x-forwarded-", "proxy-"], r"[\r\n]\s*(?:(?:Set-Cookie2?|Transfer-Encoding|Content-Length|Access-Control-[\w-]+|X-XSS-Protection|X-Forwarded-\w+|Proxy-\w+)\s*:|(?:(?:GET|POST|PUT|DELETE|HEAD|PATCH|OPTIONS|TRACE|CONNECT) \S+ )HTTP/[12](?:\.[01])?\b|HTTP/[12](?:\.[01])?\s+\d{3}\b|[^\r\n]{0,80}HTTP/1\.[01] \d{3}\b)").prose(),
            likely(&["content-type:", "location:", "bcc:", "host:", "refresh:", "mime-version:", "x-injected", "content-disposition:", "cookie:", "referer:", "link:"], r"[\r\n](?:Content-Type\s*:\s*\w+/|Location\s*:\s*(?:https?:)?//|Bcc\s*:\s*\S+@|Host\s*:\s*[\w.-]+\.\w+\s*[\r\n]|Refresh\s*:\s*\d|MIME-Version\s*:|X-Injected|Content-Disposition\s*:|Cookie\s*:\s*\w+=|Referer\s*:\s*http)").prose(),
            likely(&["\ncc:", "\nto:", "\nfrom:", "\nsubject:", "\rcc:", "\rto:", "\rfrom:", "\nreply-to:", "\rreply-to:"], r"\r\n?(?:cc|to|from|reply-to)\s*:\s*[\w.+-]+@").prose(),
            // A whole answer behind the end of the headers.
            likely(&["<html", "<body", "<!doctype", "<script"], r"^\S{0,80}\r\n\r\n\s*<(?:html|body|!doctype|script)").prose(),
            // Characters whose last byte is a line break's, for a writer that keeps only that byte.
            certain(&["\u{560a}", "\u{560d}"], r"(?:\xe5\x98[\x8a\x8d])+\s*[a-z][\w-]{1,40}\s*:"),
            analyser(&["\r", "\n"], single_line),
        ],
    },
    Rule {
        info: RuleInfo {
            id: "mail-command",
            family: Family::LogForging,
            severity: Severity::Medium,
            cwe: 147,
            message: "a line break followed by a command for a mail server",
            why: "Where a value becomes part of a conversation with a mail server, the second line is a command of its own: another recipient, another mailbox, the end of the mail.",
            example: "a@b.example\r\nRCPT TO:<someone@evil.example>",
        },
        patterns: &[
            likely(&["mail from", "rcpt to"], r"[\r\n]\s*(?:MAIL\s+FROM|RCPT\s+TO)\s*:\s*\S").prose(),
            likely(&["\rdata", "\ndata", "\rquit", "\nquit", "\rrset", "\nrset", "\rvrfy", "\nvrfy", "\rexpn", "\nexpn", "\rehlo", "\nehlo", "\rhelo", "\nhelo"], r"\r\n?(?-i:DATA|QUIT|RSET)\r\n?|[\r\n](?-i:VRFY|EXPN|EHLO|HELO)\s+[\w.@<>-]+\s*(?:[\r\n]|$)").prose(),
            likely(&["capability", "fetch", "logout", "login", "examine", "select", "lsub", "list", "expunge", "authenticate", "append", "search", "store", "create", "delete", "noop"], r"[\r\n]\s*(?-i:[A-Z]{1,4}\d{1,4}\s+(?:UID\s+)?(?:CAPABILITY|FETCH|LOGOUT|LOGIN|EXAMINE|SELECT|LSUB|LIST|EXPUNGE|AUTHENTICATE|APPEND|SEARCH|STORE|CREATE|DELETE|NOOP))\b").prose(),
        ],
    },
    Rule {
        info: RuleInfo {
            id: "log-forging",
            family: Family::LogForging,
            severity: Severity::Low,
            cwe: 117,
            message: "a line break followed by what looks like a log record, or an escape sequence for a terminal",
            why: "Written to a log as it is, the second line is a record that never happened; escape sequences hide or change what a reader sees.",
            example: "bob\n2026-01-01T00:00:00Z INFO login ok user=admin",
        },
        patterns: &[
            likely(&["info", "warn", "error", "debug", "fatal", "critical", "trace", "notice"], r"[\r\n]\s*(?:\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d[\d:.,Z+-]*\]?\s*[|-]?\s*\[?(?-i:INFO|WARN(?:ING)?|ERROR|DEBUG|FATAL|CRITICAL|TRACE|NOTICE)\b|\[(?-i:INFO|WARN(?:ING)?|ERROR|DEBUG|FATAL|CRITICAL|TRACE|NOTICE)\]|(?-i:INFO|WARN(?:ING)?|ERROR|DEBUG|FATAL|CRITICAL|TRACE|NOTICE)[: ][^\r\n]*\b\w+=\S)|^\S{0,64}[\r\n]+(?-i:INFO|WARN(?:ING)?|ERROR|DEBUG|FATAL|CRITICAL|TRACE|NOTICE)(?:[:|]|\s+\w)").prose(),
            certain(&["requestid:"], r"[\r\n]\s*(?:START|END|REPORT)\s+RequestId:\s*[0-9a-f-]{8,}"),
            likely(&["\n{", "\r{"], r"[\r\n]\s*\{\s*\x22(?:level|severity|timestamp|time|ts|msg|message|event)\x22\s*:").prose(),
            likely(&["\r127.", "\n127.", "\n10.", "\n192.", "http/1"], r"[\r\n]\s*\d{1,3}(?:\.\d{1,3}){3}\s+-\s+\S+\s+\[\d"),
            likely(&["\x1b[", "\x1b]"], r"\x1b\[[\d;?]*[a-ln-zA-Z]|\x1b\]"),
            // Colours alone hide nothing; a record that is written in them is somebody's log.
            hint(&["\x1b["], r"\x1b\[[\d;]*m"),
        ],
    },
];

/// A line break in a field that is one line by its nature.
fn single_line(subject: &Subject<'_>) -> Option<Hit> {
    if !matches!(subject.context.kind, FieldKind::Header | FieldKind::Identifier | FieldKind::ObjectKey) {
        return None;
    }
    let text = subject.text.trim_end();
    let at = text.find(['\r', '\n'])?;
    // Cookies hold texts of many lines, their breaks encoded; what forges a header has the shape of one.
    let sentence = text.split(['\r', '\n']).next().unwrap_or_default().split_whitespace().count() > 3;
    let header = |line: &str| {
        line.trim_start().split_once(':').is_some_and(|(name, value)| {
            (2..=40).contains(&name.len())
                && !value.starts_with(':')
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
    };
    let forged = subject.context.kind != FieldKind::Header || !sentence && text.split(['\r', '\n']).skip(1).any(header);
    forged.then_some(Hit { range: at..at + 1, confidence: Confidence::Likely })
}
