//! `public-object`: an object that everyone may read.

use crate::practice::{Habit, HabitAudit};
use findings::{AuditInfo, Confidence, Severity};
use graph::PracticeKind;

const INFO: AuditInfo = AuditInfo {
    id: "public-object",
    title: "An object that everyone may read",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[732, 284],
    docs: r##"An object is written with `ACL: public-read`.

## Why it matters
Nobody can tell later which of the objects were meant to be open, and what callers upload is served from your address.

## Remediation
Sign addresses instead.

```python
s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=300)
```

## When it doesn't fire
Not without an access list, which keeps objects private.
"##,
};

pub(super) const AUDIT: HabitAudit = HabitAudit(Habit {
    info: &INFO,
    kind: PracticeKind::PublicObject,
    does: "writes objects that everyone may read",
    primary: "the access list opens this object to the internet",
    remediation: "leave the access list out, and hand out signed addresses that expire",
    confidence: Confidence::High,
    severity: |_, _| Severity::Medium,
});
