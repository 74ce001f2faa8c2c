//! `authorizer-allows-everyone`: an authorizer that lets everyone in.

use crate::practice::{Habit, HabitAudit};
use findings::{AuditInfo, Confidence, Severity};
use graph::PracticeKind;

const INFO: AuditInfo = AuditInfo {
    id: "authorizer-allows-everyone",
    title: "An authorizer that lets everyone in",
    severity: Severity::High,
    since: "0.1.0",
    cwe: &[287, 863],
    docs: r##"A function that answers as an authorizer allows what is asked for and has no way to deny it.

## Why it matters
Every route behind it is open, and looks closed.

## Remediation
Verify first.

```js
const claims = await verifier.verify(token); // throws where it is forged
```

## When it doesn't fire
Not where anything is denied or an exception is raised.
"##,
};

pub(super) const AUDIT: HabitAudit = HabitAudit(Habit {
    info: &INFO,
    kind: PracticeKind::AllowsEveryone,
    does: "lets everyone in",
    primary: "nothing that is asked for can be refused here",
    remediation: "verify the token, and deny where that fails",
    confidence: Confidence::Medium,
    severity: |_, _| Severity::High,
});
