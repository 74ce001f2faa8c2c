//! `weak-randomness`: a secret made of predictable numbers.

use crate::practice::{Habit, HabitAudit, is_public};
use findings::{AuditInfo, Confidence, Severity};
use graph::PracticeKind;

const INFO: AuditInfo = AuditInfo {
    id: "weak-randomness",
    title: "A secret made of predictable numbers",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[338],
    docs: r##"A token, password, one-time code or nonce is made with `random` or `Math.random()`.

## Why it matters
These generators are made for speed: from a few of their numbers the rest follows.

## Remediation
Use the generators that are made for secrets.

```python
token = secrets.token_urlsafe(32)
```

## When it doesn't fire
Not for other random values: the name of what it is assigned to has to say that it is a secret.
"##,
};

pub(super) const AUDIT: HabitAudit = HabitAudit(Habit {
    info: &INFO,
    kind: PracticeKind::WeakRandomness,
    does: "makes a secret of predictable numbers",
    primary: "whoever sees a few of these can work out the next ones",
    remediation: "use `secrets.token_urlsafe()` in Python, `crypto.randomBytes()` or `crypto.randomUUID()` in JavaScript",
    confidence: Confidence::Medium,
    severity: |application, function| if is_public(application, function) { Severity::Medium } else { Severity::Low },
});
