//! What no value may hold when the application's source shows where it ends up.
//!
//! These speak only for fields whose [`crate::Context`] says so. They take the honest odd name into account of safety:
//! an apostrophe that reaches a shell is a broken command line, whoever typed it.

use super::{Family, Rule, RuleInfo, Severity, at_sink};
use crate::context::Sink;

const fn info(
    id: &'static str,
    family: Family,
    cwe: u16,
    message: &'static str,
    why: &'static str,
    example: &'static str,
) -> RuleInfo {
    RuleInfo { id, family, severity: Severity::High, cwe, message, why, example }
}

pub(super) static RULES: &[Rule] = &[
    Rule {
        info: info(
            "shell-metacharacter",
            Family::Shell,
            78,
            "a character with a meaning for a shell, in a value that reaches one",
            "The application's source shows this field on a command line. Any of a shell's own characters changes that line, and a leading dash becomes an option.",
            "report;1",
        ),
        patterns: &[at_sink(Sink::Shell, r"[;&|`$<>\n\r\\'\x22(){}*?~!#\x00^]|^-")],
    },
    Rule {
        info: info(
            "sql-syntax",
            Family::Sql,
            89,
            "query syntax in a value that is written into a query",
            "The application's source shows this field in the text of a query. A quote followed by more of a query, a comment or a semicolon changes what is asked. A name such as O'Brien alone stays silent.",
            "5; commit",
        ),
        patterns: &[at_sink(
            Sink::Sql,
            r"['\x22`][\s)]*(?:or|and|xor|union|in|like|is|between|limit|order|group|having|where)\b|['\x22`][\s)]*(?:;|--|#|/\*|\|\||,|=|<|>|\))|--\s*$|;\s*\w+|/\*|\bunion\s+(?:all\s+)?select\b|\b(?:or|and)\s+[\w'\x22.]+\s*(?:=|<|>|like\b|is\b|in\b)|\\$|['\x22]$|^'|\x00",
        )],
    },
    Rule {
        info: info(
            "path-escape",
            Family::Path,
            22,
            "a path that leaves its folder, in a value that names a file",
            "The application's source shows this field in a file's path. A leading slash or `..` replaces or leaves the folder it is joined to.",
            "/srv/data",
        ),
        patterns: &[at_sink(Sink::Path, r"^[/\\~]|^[a-z]:[/\\]|(?:^|[/\\])\.\.(?:[/\\]|$)|\x00|\\\.\.|^file:")],
    },
    Rule {
        info: info(
            "url-scheme",
            Family::Ssrf,
            918,
            "a scheme other than https or http, in a value the function connects to",
            "The application's source shows this field as an address. Other schemes read files or speak other protocols; credentials before an `@` hide the real host.",
            "file:/x",
        ),
        patterns: &[at_sink(
            Sink::Url,
            r"^\s*(?:file|ftp|gopher|dict|ldap|jar|netdoc|data|javascript|tftp|sftp|unix|phar|php)\s*:|[\r\n]|^\s*https?:[/\\]*[^/\\?#]*@|\\",
        )],
    },
    Rule {
        info: info(
            "html-markup",
            Family::Xss,
            79,
            "markup in a value that is shown as a page or mail",
            "The application's source shows this field in HTML without escaping. Any tag, handler or attribute boundary is the sender's.",
            "<b>hi",
        ),
        patterns: &[at_sink(Sink::Html, r"<[a-z!/?]|\bon\w{3,}\s*=|\bjavascript\s*:|['\x22]\s*>|&#x?[0-9a-f]+;?")],
    },
    Rule {
        info: info(
            "code-syntax",
            Family::Code,
            95,
            "program syntax in a value that is evaluated",
            "The application's source shows this field in an evaluator or a template. A call, a statement or a template mark runs there.",
            "open('x')",
        ),
        patterns: &[at_sink(
            Sink::Code,
            r"[\w\])]\(|__\w+__|[;`]|=>|\blambda\b|\bimport\b|\{\{|\{%|[$#]\{|<%|\brequire\b|\bprocess\.|\bconstructor\b|\[\s*['\x22]",
        )],
    },
];
