//! `timing-unsafe-comparison`: a signature compared as text.

use crate::practice::{Habit, HabitAudit};
use findings::{AuditInfo, Confidence, Severity};
use graph::PracticeKind;

const INFO: AuditInfo = AuditInfo {
    id: "timing-unsafe-comparison",
    title: "A signature compared as text",
    severity: Severity::Low,
    since: "0.1.0",
    cwe: &[208],
    docs: r##"A digest is compared with what the caller sent by `==`.

## Why it matters
With enough attempts a signature can be found byte by byte.

## Remediation
Compare in constant time.

```python
hmac.compare_digest(expected, given)
```

## When it doesn't fire
Not for other comparisons.
"##,
};

pub(super) const AUDIT: HabitAudit = HabitAudit(Habit {
    info: &INFO,
    kind: PracticeKind::TimedComparison,
    does: "compares a signature as text",
    primary: "the time it takes tells how much of it is right",
    remediation: "use `hmac.compare_digest` or `crypto.timingSafeEqual`",
    confidence: Confidence::Medium,
    severity: |_, _| Severity::Low,
});
