//! `unverified-tls`: a connection that takes any certificate.

use crate::practice::{Habit, HabitAudit};
use findings::{AuditInfo, Confidence, Severity};
use graph::PracticeKind;

const INFO: AuditInfo = AuditInfo {
    id: "unverified-tls",
    title: "A connection that takes any certificate",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[295],
    docs: r##"Checking the other side's certificate is turned off: `verify=False`, `rejectUnauthorized: false`, `NODE_TLS_REJECT_UNAUTHORIZED=0`, an
unverified context.

## Why it matters
Whoever stands in between reads and changes what is sent, credentials included.

## Remediation
Leave verification on. For a private authority hand over its certificate.

```python
requests.get(url, verify="/opt/ca.pem")
```

## When it doesn't fire
Not for switches that the environment decides, as long as the code doesn't turn them off itself.
"##,
};

pub(super) const AUDIT: HabitAudit = HabitAudit(Habit {
    info: &INFO,
    kind: PracticeKind::UnverifiedTls,
    does: "takes any certificate",
    primary: "whoever is on the way can answer in the other side's name",
    remediation: "leave verification on; for a private authority hand over its certificate (`verify=\"/opt/ca.pem\"`, `ca: fs.readFileSync(\"/opt/ca.pem\")`)",
    confidence: Confidence::High,
    severity: |_, _| Severity::Medium,
});
