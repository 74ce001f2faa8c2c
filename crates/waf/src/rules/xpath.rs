//! Conditions and steps for a query over an XML document, inside a value.
//!
//! Selectors such as `//div[@id='x']` are honest settings of scrapers and tests; what counts is a value that closes the
//! application's own expression and goes on, or an expression that counts, cuts or fetches what an answer doesn't show.

use super::{Family, Rule, RuleInfo, Severity, likely};

pub(super) static RULES: &[Rule] = &[Rule {
    info: RuleInfo {
        id: "xpath-expression",
        family: Family::XPath,
        severity: Severity::High,
        cwe: 643,
        message: "a piece of an XPath expression that would change which nodes a query returns",
        why: "Joined into `//user[name='…']`, a quote ends the application's condition; node sets, counts and lengths then read the whole document bit by bit, and `doc()` fetches addresses.",
        example: "' or count(//user)=3 or 'a'='b",
    },
    patterns: &[
        likely(
            &["or ", "and ", "or\t", "and\t", "or\n"],
            r"['\x22\])\d][\s)\]]*\b(?:or|and)\s+(?:not\s*\(\s*)?(?:count|string-length|substring(?:-before|-after)?|starts-with|ends-with|contains|local-name|name|namespace-uri|position|last|true|false|normalize-space|text|node|doc(?:-available)?|matches|codepoints-to-string|string-to-codepoints)\s*\(\s*(?:[)/.'\x22@*]|\w+::|\w[\w-]*\s*[(\[/,]|text\(|name\()",
        ),
        // The expression's own bracket closed, and another set of nodes.
        likely(
            &["|"],
            r"['\x22]\s*\)?\s*\]\s*\|\s*(?:/{1,2}|\.{1,2}/|\*|@|\w+\[)[\w.*@(]*|\]\s*\|\s*//|['\x22]\s*\|\s*//[\w*@]",
        ),
        likely(&["]\0", "]%00"], r"['\x22\d)]\s*\](?:\x00|%00)"),
        likely(
            &[
                "count(",
                "string-length(",
                "substring(",
                "name(",
                "string(",
                "contains(",
                "starts-with(",
                "string-to-codepoints(",
            ],
            r"\b(?:count|string-length|substring|local-name|name|string|starts-with|contains|string-to-codepoints)\s*\(+\s*(?:/{1,2}(?:[\w*@:.-]+|\*)(?:\[|/|\)|::)|/\*|\.\./|(?:ancestor|child|descendant|following|parent|preceding|self|attribute)(?:-or-self|-sibling)?::)",
        ),
        likely(&["or ", "and "], r"['\x22][\s)\]]*\b(?:or|and)\s+/{1,2}[\w*@.]|['\x22]\s*or\s+/\*\s*or\s*['\x22]"),
        likely(
            &["doc(", "doc-available(", "unparsed-text"],
            r"\b(?:doc(?:-available)?|unparsed-text(?:-lines|-available)?)\s*\(\s*(?:concat\s*\(\s*)?['\x22](?:https?:|file:|ftp:|//|\\\\|/)",
        ),
    ],
}];
