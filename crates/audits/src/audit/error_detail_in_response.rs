//! `error-detail-in-response`: the text of exceptions for the caller.

use crate::practice::{Habit, HabitAudit};
use findings::{AuditInfo, Confidence, Severity};
use graph::PracticeKind;

const INFO: AuditInfo = AuditInfo {
    id: "error-detail-in-response",
    title: "The text of exceptions for the caller",
    severity: Severity::Low,
    since: "0.1.0",
    cwe: &[209],
    docs: r##"A handler of any exception puts its text into the response.

## Why it matters
Messages of databases, clouds and libraries name tables, roles, accounts, paths and values.

## Remediation
Answer with a fixed text.

```python
except Exception:
    logger.exception("failed")
    return {"statusCode": 500, "body": "internal error"}
```

## When it doesn't fire
Not for exceptions of named types, which say what the caller did wrong.
"##,
};

pub(super) const AUDIT: HabitAudit = HabitAudit(Habit {
    info: &INFO,
    kind: PracticeKind::ErrorText,
    does: "answers with the text of whatever goes wrong",
    primary: "what libraries and services say of errors is told to the caller",
    remediation: "log it, and answer with a fixed text and the request's id",
    confidence: Confidence::Medium,
    severity: |_, _| Severity::Low,
});
