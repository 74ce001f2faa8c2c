//! Formulas for the spreadsheet in which somebody will open an export.
//!
//! `=SUM(A1:A3)`, `-5` and `@ann` are honest cells. What counts is a formula that starts a program, loads an address or
//! sends other cells away.

use super::{Family, Rule, RuleInfo, Severity, certain, likely};

pub(super) static RULES: &[Rule] = &[Rule {
    info: RuleInfo {
        id: "spreadsheet-formula",
        family: Family::Formula,
        severity: Severity::Medium,
        cwe: 1236,
        message: "a spreadsheet formula that starts a program or sends cells to an address",
        why: "Written into a CSV or a sheet as it is, the value becomes a formula in the hands of whoever opens the export: `cmd|'…'!A0` starts a program there, HYPERLINK, WEBSERVICE and IMPORTXML carry other cells away.",
        example: "=cmd|' /C calc'!A0",
    },
    patterns: &[
        // Dynamic data exchange: a program, a bar, its argument in quotes, a cell.
        certain(
            &["'!", "\"!"],
            r"(?:^|[\n\r,;\t\x22])[\s'\x22]*[=+@-][^\r\n|]{0,200}?\b\w[\w.]*\s*\|\s*['\x22][^'\x22\r\n]{1,300}['\x22]\s*!\s*['\x22]?\w",
        ),
        likely(&["dde(", "dde ("], r"(?:^|[\n\r,;\t\x22=+@*-])\s*[=+@-]?\s*\bDDE\s*\(\s*['\x22]"),
        likely(
            &[
                "hyperlink(",
                "webservice(",
                "importxml(",
                "importdata(",
                "importhtml(",
                "importfeed(",
                "importrange(",
                "filterxml(",
                "rtd(",
                "call(",
                "register(",
                "register.id(",
                "exec(",
            ],
            r"(?:^|[\n\r;\t]|,\x22?)\s*['\x22]?[=+@-][\w\s.()+*/&,;-]{0,80}?\b(?:(?:HYPERLINK|WEBSERVICE|IMPORT(?:XML|DATA|HTML|FEED|RANGE)|FILTERXML)\s*\(\s*(?:CONCAT\w*\s*\(\s*)?['\x22]?\s*(?:\w+:|//|\\\\|\w+\s*\(|[a-z]{1,3}\d)|(?:RTD|CALL|REGISTER(?:\.ID)?|EXEC)\s*\(\s*['\x22]\w)",
        ),
    ],
}];
