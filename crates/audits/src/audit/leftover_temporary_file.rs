//! `leftover-temporary-file`: a file that stays in the scratch space.

use crate::practice::{Habit, HabitAudit};
use findings::{AuditInfo, Confidence, Severity};
use graph::PracticeKind;

const INFO: AuditInfo = AuditInfo {
    id: "leftover-temporary-file",
    title: "A file that stays in the scratch space",
    severity: Severity::Low,
    since: "0.1.0",
    cwe: &[459, 377],
    docs: r##"A file with a name of its own is written below `/tmp`, and nothing in the code removes files.

## Why it matters
Environments are used again: what one caller leaves, the next may be shown, and a full disk stops the function.

## Remediation
Remove it.

```python
with tempfile.TemporaryDirectory() as folder:
```

## When it doesn't fire
Not for files of a fixed name, and not where anything is removed.
"##,
};

pub(super) const AUDIT: HabitAudit = HabitAudit(Habit {
    info: &INFO,
    kind: PracticeKind::LeftoverFile,
    does: "leaves files in `/tmp`",
    primary: "the next invocation in the same environment finds it, and the space fills up",
    remediation: "write in a `TemporaryDirectory`, or remove the file in a `finally`",
    confidence: Confidence::Low,
    severity: |_, _| Severity::Low,
});
