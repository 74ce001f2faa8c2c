//! `endless-loop`: a loop that may never end.

use crate::practice::{Habit, HabitAudit};
use findings::{AuditInfo, Confidence, Severity};
use graph::PracticeKind;

const INFO: AuditInfo = AuditInfo {
    id: "endless-loop",
    title: "A loop that may never end",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[835, 400],
    docs: r##"A loop over the pages of an answer asks for the next one without saying which, or a loop without a condition has no way out.

## Why it matters
It runs until the timeout, reads the same page over and over, and bills both.

## Remediation
Use the SDK's paginators.

```python
for page in client.get_paginator("scan").paginate(TableName=table):
```

## When it doesn't fire
Not where the page is handed on in any way, and not for loops with `break`, `return` or an exception.
"##,
};

pub(super) const AUDIT: HabitAudit = HabitAudit(Habit {
    info: &INFO,
    kind: PracticeKind::EndlessLoop,
    does: "has a loop that may never end",
    primary: "nothing in this loop ends it, or it asks for the same page again and again",
    remediation: "hand the page on (`ExclusiveStartKey=response[\"LastEvaluatedKey\"]`), or use a paginator; bound the rounds",
    confidence: Confidence::Medium,
    severity: |_, _| Severity::Medium,
});
