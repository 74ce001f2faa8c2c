//! `insecure-cookie`: a session cookie that others can read.

use crate::practice::{Habit, HabitAudit};
use findings::{AuditInfo, Confidence, Severity};
use graph::PracticeKind;

const INFO: AuditInfo = AuditInfo {
    id: "insecure-cookie",
    title: "A session cookie that others can read",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[614, 1004],
    docs: r##"A cookie whose name says that it keeps a session or token lacks `HttpOnly` or `Secure`.

## Why it matters
A script that gets into a page, or a listener on a plain connection, takes the session over.

## Remediation
Add both.

```python
"Set-Cookie": f"session={token}; HttpOnly; Secure; SameSite=Lax; Path=/"
```

## When it doesn't fire
Not for other cookies, and not for those that are taken away again.
"##,
};

pub(super) const AUDIT: HabitAudit = HabitAudit(Habit {
    info: &INFO,
    kind: PracticeKind::OpenCookie,
    does: "sets a session cookie without `HttpOnly` and `Secure`",
    primary: "scripts, or whoever listens, can read this cookie",
    remediation: "add `HttpOnly; Secure; SameSite=Lax`",
    confidence: Confidence::High,
    severity: |_, _| Severity::Medium,
});
