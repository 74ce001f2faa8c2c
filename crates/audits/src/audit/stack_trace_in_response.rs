//! `stack-trace-in-response`: a stack trace for the caller.

use crate::practice::{Habit, HabitAudit, is_public};
use findings::{AuditInfo, Confidence, Severity};
use graph::PracticeKind;

const INFO: AuditInfo = AuditInfo {
    id: "stack-trace-in-response",
    title: "A stack trace for the caller",
    severity: Severity::Low,
    since: "0.1.0",
    cwe: &[209],
    docs: r##"The body of a response holds `error.stack` or what Python's `traceback` gives. Medium where anyone can call the function.

## Why it matters
A trace names files, packages and their versions, sometimes values, and tells which input breaks what.

## Remediation
Log the trace, and answer with a fixed text.

```js
return { statusCode: 500, body: JSON.stringify({ error: "internal", id: context.awsRequestId }) };
```

## When it doesn't fire
Not for messages of errors without their trace.
"##,
};

pub(super) const AUDIT: HabitAudit = HabitAudit(Habit {
    info: &INFO,
    kind: PracticeKind::StackTrace,
    does: "answers with a stack trace",
    primary: "the caller learns names, paths and versions",
    remediation: "log the trace, and answer with a fixed text and the request's id",
    confidence: Confidence::High,
    severity: |application, function| if is_public(application, function) { Severity::Medium } else { Severity::Low },
});
