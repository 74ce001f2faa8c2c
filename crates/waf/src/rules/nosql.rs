//! Query operators of document stores where a plain value was meant, and DynamoDB expressions.

use super::{Confidence, Family, Rule, RuleInfo, Severity, certain, hint, key, likely};

pub(super) static RULES: &[Rule] = &[
    Rule {
        info: RuleInfo {
            id: "nosql-operator",
            family: Family::NoSql,
            severity: Severity::High,
            cwe: 943,
            message: "a query operator where a plain value was meant",
            why: "`{\"password\": {\"$ne\": null}}` matches every password. Operators arrive as keys of objects, as `user[$ne]=` in forms, and as JSON in strings.",
            example: "user[$ne]=1",
        },
        patterns: &[
            key(
                &[
                    "$ne", "$gt", "$gte", "$lt", "$lte", "$eq", "$in", "$nin", "$not", "$nor", "$or", "$and", "$regex", "$exists",
                    "$elemMatch", "$expr", "$mod", "$all", "$size", "$jsonSchema", "$options", "$text", "$search", "$lookup",
                    "$unionWith", "$out", "$merge", "$rename", "$func",
                ],
                Confidence::Likely,
            ),
            key(&["$where", "$function", "$accumulator"], Confidence::Certain),
            certain(&["[$", "[%24"], r"\[\$(?:ne|gte?|lte?|eq|n?in|not|n?or|and|regex|exists|where|elemMatch|expr|mod|all|size|options|function)\]"),
            certain(&["$ne", "$gt", "$lt", "$eq", "$in", "$nin", "$not", "$nor", "$or", "$and", "$regex", "$exists", "$where", "$elemmatch", "$expr", "$function", "$comment", "$func", "$lookup"], r"[{,]\s*['\x22]?\$(?:ne|gte?|lte?|eq|n?in|not|n?or|and|regex|exists|where|elemMatch|expr|function|comment|func|lookup)['\x22]?\s*:"),
        ],
    },
    Rule {
        info: RuleInfo {
            id: "nosql-script",
            family: Family::NoSql,
            severity: Severity::Critical,
            cwe: 943,
            message: "JavaScript for a document store's `$where`",
            why: "A quote closes the application's string and the rest runs inside the database for every document.",
            example: "'; return true; var x='",
        },
        patterns: &[
            likely(&["return", "sleep(", "while(", "while ("], r"(?:^\S{0,24}[;'\x22)}]|^|['\x22]\s*[)}]*)\s*;?\s*return\s*\(?\s*(?:(?:true|1|this|!0)\s*\)?\s*(?:[;}&|)]|//|$)|\d+\s*==|'[^']*'\s*==|\w+\s*(?:==|!=))|['\x22]\s*;\s*(?:sleep|while|do|for)\s*\("),
            likely(&["$where", "do{", "do {"], r"(?:^|[\s,;{'\x22])\$where\s*:\s*['\x22\w]|\bdo\s*\{.{0,200}new\s+Date\b"),
            likely(&["this."], r"(?:^\W{0,8}|\|\||&&|['\x22][;(!\s]*|return)\s*\(*!?this\.\w+(?:\.\w+)?\s*(?:[=!<>]=|[<>]|\.match\s*\(|\[|\.length|\.charAt|\.startsWith|\.test)"),
            likely(&["||", "&&"], r"['\x22]\s*(?:\|\||&&)\s*['\x22\d][^=]{0,20}==?\s*['\x22\d]|['\x22]\s*(?:\|\||&&)\s*\(?\s*(?:this\b|true\b|!0|\w+\.\w+\()|['\x22]\s*\|\|\s*1\s*==?\s*1"),
            // The application's own document closed, and another begun.
            likely(&["}"], r"^\s*['\x22]?\s*\]?\s*\}\s*[\])]?\s*,\s*\{\s*['\x22]?[\w$]+['\x22]?\s*:"),
            likely(&["db."], r"\bdb\.(?:getCollection\w*\(|runCommand\(|adminCommand\(|\w+\.(?:find|insert\w*|remove|drop|deleteMany|updateMany|aggregate)\s*\()").prose(),
        ],
    },
    Rule {
        info: RuleInfo {
            id: "nosql-expression",
            family: Family::NoSql,
            severity: Severity::High,
            cwe: 943,
            message: "a piece of a DynamoDB expression inside a value",
            why: "Values joined into a filter or condition expression widen it: `OR attribute_exists(id)` matches every item.",
            example: "x OR attribute_exists(id)",
        },
        patterns: &[
            likely(&["attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains(", "size("], r"\b(?:attribute_(?:not_)?exists|attribute_type|begins_with)\s*\(\s*[\w#:.]+\s*[),]|\b(?:or|and|not)\s+(?:contains|size)\s*\(\s*[#\w.]+"),
            likely(&[":"], r"\b(?:or|and)\s+(?:not\s+)?[#\w.]+\s*(?:=|<>|<|>|<=|>=)\s*:\w+\s*$|,\s*#?\w+\s*=\s*:\w+\s*(?:,|$|remove\b|set\b)"),
            likely(&["redis.call", "redis.pcall"], r"\bredis\.p?call\s*\(\s*['\x22]"),
            hint(&["comparisonoperator", "scanfilter", "attributevaluelist"], r"\b(?:ComparisonOperator|ScanFilter|AttributeValueList)\b\s*['\x22]?\s*:"),
            likely(&["_all_docs", "_design/", "/_search", "flushall", "config set", "\r\nset ", "slaveof"], r"/_all_docs\b|/_design/\w+/_|/_search\?|\bflushall\b\s*(?:\r|\n|$)|\bconfig\s+set\s+(?:dir|dbfilename)\b|\r\n(?:set|get|del|eval|slaveof|auth|keys)\s+\S"),
        ],
    },
];
