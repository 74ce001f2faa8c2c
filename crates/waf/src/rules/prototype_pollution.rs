//! Keys that reach an object's prototype (JavaScript) or class (Python).

use super::{Confidence, Family, Rule, RuleInfo, Severity, certain, key, likely};

pub(super) static RULES: &[Rule] = &[
    Rule {
        info: RuleInfo {
            id: "prototype-pollution",
            family: Family::PrototypePollution,
            severity: Severity::High,
            cwe: 1321,
            message: "a key that reaches the prototype all objects share",
            why: "Merged into an object, `__proto__` changes every other object of the process, and stays for the next invocations.",
            example: "__proto__",
        },
        patterns: &[
            key(&["__proto__", "__defineGetter__", "__defineSetter__", "__lookupGetter__"], Confidence::Certain),
            key(&["constructor", "prototype"], Confidence::Hint),
            certain(&["__proto__"], r"(?:^|[.\[\x22'\s{&?/])__proto__(?:[.\]\x22'\s:=\[]|$)").plain(),
            // A filter that deletes the word once leaves the word.
            certain(
                &["__pro__proto__to__", "__proto____proto__", "constconstructorructor", "proto__proto__"],
                r"__pro__proto__to__|__proto____proto__|constconstructorructor|[a-z]proto__proto__",
            )
            .plain(),
            likely(&["constructor"], r"(?:^|[.\[\x22'?&])constructor[.\]\[\x22']{1,4}prototype\b").plain(),
        ],
    },
    Rule {
        info: RuleInfo {
            id: "class-pollution",
            family: Family::PrototypePollution,
            severity: Severity::High,
            cwe: 915,
            message: "a key that reaches a Python object's class or globals",
            why: "Recursive merges in Python follow `__class__.__init__.__globals__` up to the program's own settings.",
            example: "__globals__",
        },
        patterns: &[
            key(
                &[
                    "__class__",
                    "__init__",
                    "__globals__",
                    "__builtins__",
                    "__mro__",
                    "__dict__",
                    "__bases__",
                    "__subclasses__",
                    "__reduce__",
                    "__kwdefaults__",
                ],
                Confidence::Likely,
            ),
            likely(
                &["__init__", "__globals__"],
                r"__init__[.\]\[]+__\w+__|__class__[.\]\[]+__(?:init|globals)__|\[__globals__\]",
            )
            .plain(),
        ],
    },
];
