//! `fetched-code`: code that another host answers with.

use crate::practice::{Habit, HabitAudit};
use findings::{AuditInfo, Confidence, Severity};
use graph::PracticeKind;

const INFO: AuditInfo = AuditInfo {
    id: "fetched-code",
    title: "Code that another host answers with",
    severity: Severity::High,
    since: "0.1.0",
    cwe: &[494, 94],
    docs: r##"What an HTTP request returned is evaluated or deserialised with a format that can run code.

## Why it matters
The other side, a proxy or a stale domain decides what runs with the credentials of the function.

## Remediation
Ship the code.

```python
import rules  # deployed with the function
```

## When it doesn't fire
Not for data.
"##,
};

pub(super) const AUDIT: HabitAudit = HabitAudit(Habit {
    info: &INFO,
    kind: PracticeKind::FetchedCode,
    does: "runs code that another host answers with",
    primary: "whoever has that host, or the way to it, runs code here",
    remediation: "deploy the code with the function, or check a signature of it first",
    confidence: Confidence::High,
    severity: |_, _| Severity::High,
});
