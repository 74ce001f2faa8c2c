//! `unrestricted-upload`: uploads of any kind and size.

use crate::practice::{Habit, HabitAudit};
use findings::{AuditInfo, Confidence, Severity};
use graph::PracticeKind;

const INFO: AuditInfo = AuditInfo {
    id: "unrestricted-upload",
    title: "Uploads of any kind and size",
    severity: Severity::Low,
    since: "0.1.0",
    cwe: &[434, 770],
    docs: r##"A form for uploads is signed without conditions.

## Why it matters
Pages, programs and terabytes are stored in your name, and whatever reads the bucket has to cope.

## Remediation
Set conditions.

```python
s3.generate_presigned_post(bucket, key, Conditions=[["content-length-range", 1, 5_000_000]])
```

## When it doesn't fire
Not where conditions are given.
"##,
};

pub(super) const AUDIT: HabitAudit = HabitAudit(Habit {
    info: &INFO,
    kind: PracticeKind::OpenUpload,
    does: "signs addresses for uploads of any kind and size",
    primary: "whoever gets this uploads what it likes, as large as it likes",
    remediation: "add `Conditions` on length and type (`[\"content-length-range\", 1, 5000000]`)",
    confidence: Confidence::Medium,
    severity: |_, _| Severity::Low,
});
