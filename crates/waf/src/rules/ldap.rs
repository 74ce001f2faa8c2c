//! Directory filters: parentheses and stars that end one condition and begin another.

use super::{Family, Rule, RuleInfo, Severity, certain, hint, likely};

pub(super) static RULES: &[Rule] = &[Rule {
    info: RuleInfo {
        id: "ldap-filter",
        family: Family::Ldap,
        severity: Severity::High,
        cwe: 90,
        message: "a piece of a directory filter that would widen a search",
        why: "`*)(uid=*` in a user name ends the application's condition and adds one that everybody meets.",
        example: "*)(uid=*))(|(uid=*",
    },
    patterns: &[
        certain(
            &[")("],
            r"\*\s*\)+\s*\(+\s*[|&!]?\s*\(?\s*\w+\s*[~<>:]?=|\)\s*\(\s*[|&!]\s*\(|\)\(\s*(?:uid|cn|sn|mail|objectclass|userpassword|samaccountname|member(?:of)?|ou|dc|givenname|displayname|description|department|telephonenumber)\s*[~<>:]?=",
        ),
        likely(
            &[")(", "))", ")|(", ")&", "(|(", "(&(", "(!("],
            r"^\w*\*?\)\s*\(\s*[|&!]|\(\s*[|&]\s*\(\s*[\w.;-]+\s*[~<>:]?=|\(!\s*\(\s*\w+=|^\w*\)\s*\(\s*&\s*\)?|^\*?\)\)+(?:%00|\x00|\(|$)|^\w+\)\)\x00|\)\(\w+=\*\)?",
        ),
        likely(
            &["objectclass=", "=*)", "userpassword=", "uid=*", "cn=*", "samaccountname=*"],
            r"\(\s*(?:objectclass=|userpassword=|uid=\*|cn=\*|samaccountname=\*)|=\*\)\s*\\?00",
        ),
        // Rules of comparison by their number ask for single bytes and bits.
        likely(&["1.2.840.113556", "2.5.13."], r"\b\w+:(?:dn:)?(?:1\.2\.840\.113556\.1\.4\.\d+|2\.5\.13\.\d+):=")
            .plain(),
        likely(&["()|", "()&", "()!"], r"^\w*\*?\(\)[|&!]"),
        likely(&["*)", ")*"], r"^\(\*\)\*\)+$|^\*\)\*"),
        hint(&["*)"], r"^\w*\*\)$"),
    ],
}];
