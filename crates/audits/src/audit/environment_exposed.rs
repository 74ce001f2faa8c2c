//! `environment-exposed`: all of the environment in a response or log.

use crate::practice::{Habit, HabitAudit, is_public};
use findings::{AuditInfo, Confidence, Severity};
use graph::PracticeKind;

const INFO: AuditInfo = AuditInfo {
    id: "environment-exposed",
    title: "All of the environment in a response or log",
    severity: Severity::High,
    since: "0.1.0",
    cwe: &[526, 200],
    docs: r##"The whole of `os.environ` or `process.env` goes into a response or the log.

## Why it matters
The credentials of the role are in there: whoever sees them can act as the function until they expire.

## Remediation
Name what is meant.

```js
body: JSON.stringify({ stage: process.env.STAGE })
```

## When it doesn't fire
Not for single variables.
"##,
};

pub(super) const AUDIT: HabitAudit = HabitAudit(Habit {
    info: &INFO,
    kind: PracticeKind::EnvironmentExposed,
    does: "hands out all of its environment",
    primary: "the environment holds the function's credentials and settings",
    remediation: "give out the settings that are meant, by name",
    confidence: Confidence::High,
    severity: |application, function| if is_public(application, function) { Severity::High } else { Severity::Medium },
});
