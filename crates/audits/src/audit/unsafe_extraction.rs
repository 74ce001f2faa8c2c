//! `unsafe-extraction`: an archive unpacked wherever its names lead.

use crate::practice::{Habit, HabitAudit};
use findings::{AuditInfo, Confidence, Severity};
use graph::PracticeKind;

const INFO: AuditInfo = AuditInfo {
    id: "unsafe-extraction",
    title: "An archive unpacked wherever its names lead",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[22],
    docs: r##"A tar archive is unpacked without a filter, or a file is written under a name that an archive gave.

## Why it matters
The archive overwrites files elsewhere: code in the scratch space, caches, what the next invocation reads.

## Remediation
Filter.

```python
archive.extractall(folder, filter="data")
```

## When it doesn't fire
Not for `zipfile.extractall`, which cleans names itself, for names reduced to their last part, and for a resolved path that was compared with its folder.
"##,
};

pub(super) const AUDIT: HabitAudit = HabitAudit(Habit {
    info: &INFO,
    kind: PracticeKind::UnsafeExtraction,
    does: "unpacks an archive wherever its names lead",
    primary: "a name such as `../../var/task/x` leaves the folder",
    remediation: "use `extractall(path, filter=\"data\")`, or check each name after resolving it",
    confidence: Confidence::Medium,
    severity: |_, _| Severity::Medium,
});
