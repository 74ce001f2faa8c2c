//! `stored-deserialization`: stored data that is read by a format which can run code.

use crate::practice::{Habit, HabitAudit};
use findings::{AuditInfo, Confidence, Severity};
use graph::{Application, Function, PracticeKind};

const INFO: AuditInfo = AuditInfo {
    id: "stored-deserialization",
    title: "Stored data that is read by a format which can run code",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[502],
    docs: r##"`pickle`, `marshal`, `yaml.load`, `jsonpickle`, `node-serialize` or the like read something that isn't part of the event: a record of
a table, an object of a bucket, an answer. Low where the function reads nothing from a store that the code shows.

## Why it matters
These formats can hold instructions, which run while they are read. Whoever can write a record then runs code in every function
that reads it, often one that may do more than they may.

## Remediation
Read JSON, or YAML with the safe loader. Where a format of this kind has to stay, sign what is stored and check the signature first.

```python
item = json.loads(record)  # not jsonpickle.decode(record)
```

## When it doesn't fire
Not for files that are deployed with the code, and not for parts of the event: those are `unsafe-deserialization`.
"##,
};

pub(super) const AUDIT: HabitAudit = HabitAudit(Habit {
    info: &INFO,
    kind: PracticeKind::StoredDeserialization,
    does: "reads stored data with a format that can run code",
    primary: "reading this can run code that it brings along",
    remediation: "use a format that holds nothing but data: `json.loads`, `yaml.safe_load`, `JSON.parse`",
    confidence: Confidence::Medium,
    severity,
});

fn severity(_: &Application, function: &Function) -> Severity {
    let reads = function.behaviour.as_ref().is_some_and(|behaviour| {
        behaviour.calls.iter().any(|call| {
            ["Get", "Query", "Scan", "Receive", "BatchGet", "Select"]
                .iter()
                .any(|verb| call.operation.starts_with(verb))
        })
    });
    if reads { Severity::Medium } else { Severity::Low }
}
