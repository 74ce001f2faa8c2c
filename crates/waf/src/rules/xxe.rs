//! XML that reads files or addresses, or grows without end.

use super::{Family, Rule, RuleInfo, Severity, certain, likely};

pub(super) static RULES: &[Rule] = &[Rule {
    info: RuleInfo {
        id: "xml-external-entity",
        family: Family::Xxe,
        severity: Severity::High,
        cwe: 611,
        message: "XML that defines entities or includes other documents",
        why: "A parser that resolves entities reads `file:///proc/self/environ` into the document or connects to an address; nested entities fill its memory. Plain document types of HTML stay silent.",
        example: "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><x>&e;</x>",
    },
    patterns: &[
        certain(&["<!entity"], r"<!ENTITY\s"),
        certain(&["<!doctype"], r"<!DOCTYPE\s+[\w:.-]+\s*(?:(?:SYSTEM|PUBLIC)[^>\[]*)?\["),
        likely(
            &["<!doctype"],
            r"<!DOCTYPE\s+[\w:.-]+\s+SYSTEM\s+['\x22](?:[^a]|a[^b])|<!DOCTYPE\s+(?:[^h\s][\w:.-]*|h[^t\s][\w:.-]*)\s+PUBLIC\s",
        ),
        certain(
            &["xinclude", "xi:include"],
            r"<\w*:?include\b[^>]*\bhref\s*=|xmlns:\w+\s*=\s*['\x22]https?://www\.w3\.org/2001/XInclude",
        ),
        likely(
            &["<?xml-stylesheet", "encoding=", "xsl:include", "xsl:import", "document(", "schemalocation", "xsl:"],
            r"<\?xml-stylesheet\b[^>]*href|<\?xml\b[^>]*encoding\s*=\s*['\x22](?:utf-?7|ebcdic|ibm\d+|cp037)|<xsl:(?:include|import|value-of|copy-of)\b[^>]*(?:href|document\s*\(|system-property|php:)|xsi:(?:noNamespace)?schemaLocation\s*=\s*['\x22][^'\x22]*(?:file:|https?://(?:\d|localhost))|<\w*:?schema\b.{0,300}<\w*:?(?:include|import|redefine)\b[^>]*schemaLocation\s*=\s*['\x22](?:https?:|file:|ftp:|//)",
        ),
        likely(&["<!element", "<!attlist"], r"<!(?:ELEMENT|ATTLIST)\s+\w"),
    ],
}];
