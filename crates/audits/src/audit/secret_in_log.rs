//! `secret-in-log`: a secret in the log.

use crate::practice::{Habit, HabitAudit};
use findings::{AuditInfo, Confidence, Severity};
use graph::PracticeKind;

const INFO: AuditInfo = AuditInfo {
    id: "secret-in-log",
    title: "A secret in the log",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[532],
    docs: r##"The value of a secret, or of an environment variable whose name says that it is one, goes into the log.

## Why it matters
Logs are kept long, copied often and read by many.

## Remediation
Leave it out.

```python
logger.info("using secret %s", secret_arn)
```

## When it doesn't fire
Not for names and ARNs of secrets.
"##,
};

pub(super) const AUDIT: HabitAudit = HabitAudit(Habit {
    info: &INFO,
    kind: PracticeKind::SecretInLog,
    does: "writes a secret to the log",
    primary: "everyone who may read the log has it from now on",
    remediation: "log where a secret comes from, never what it is; replace the secret",
    confidence: Confidence::High,
    severity: |_, _| Severity::Medium,
});
