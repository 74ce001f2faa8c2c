//! `weak-hash`: a hash that can be forged.

use crate::practice::{Habit, HabitAudit};
use findings::{AuditInfo, Confidence, Severity};
use graph::PracticeKind;

const INFO: AuditInfo = AuditInfo {
    id: "weak-hash",
    title: "A hash that can be forged",
    severity: Severity::Low,
    since: "0.1.0",
    cwe: &[328],
    docs: r##"MD5 or SHA-1 is used.

## Why it matters
Texts with the same hash are cheap to make, so that neither signatures nor identities can rest on it; as a store for passwords it is
far too fast.

## Remediation
Use SHA-256, and for passwords a slow function. Where it is only a checksum, say so.

```python
hashlib.md5(data, usedforsecurity=False)
```

## When it doesn't fire
Not with `usedforsecurity=False`.
"##,
};

pub(super) const AUDIT: HabitAudit = HabitAudit(Habit {
    info: &INFO,
    kind: PracticeKind::WeakHash,
    does: "uses a hash that is too weak",
    primary: "two texts with the same hash can be made for this one",
    remediation: "use SHA-256 (`hashlib.sha256`, `createHash(\"sha256\")`), and for passwords a slow function (`hashlib.scrypt`, `crypto.scrypt`)",
    confidence: Confidence::Medium,
    severity: |_, _| Severity::Low,
});
