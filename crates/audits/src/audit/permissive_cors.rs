//! `permissive-cors`: answers that every page may read with credentials.

use crate::practice::{Habit, HabitAudit};
use findings::{AuditInfo, Confidence, Severity};
use graph::PracticeKind;

const INFO: AuditInfo = AuditInfo {
    id: "permissive-cors",
    title: "Answers that every page may read with credentials",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[942],
    docs: r##"`Access-Control-Allow-Origin` is the origin that was asked for, or `*`, together with `Access-Control-Allow-Credentials`.

## Why it matters
A page on any site acts with the cookies of whoever visits it, and reads the answers.

## Remediation
Keep a list of origins.

```js
const origin = ALLOWED.has(event.headers.origin) ? event.headers.origin : "https://shop.example";
```

## When it doesn't fire
Not without credentials, and not where the origin was looked up in a list.
"##,
};

pub(super) const AUDIT: HabitAudit = HabitAudit(Habit {
    info: &INFO,
    kind: PracticeKind::OpenCors,
    does: "lets every page read its answers with the caller's credentials",
    primary: "any page the caller has open can read this",
    remediation: "answer with the origins you know, and only then with `Access-Control-Allow-Credentials`",
    confidence: Confidence::High,
    severity: |_, _| Severity::Medium,
});
