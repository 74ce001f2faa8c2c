//! `self-invocation`: a function that starts itself again.

use crate::practice::{Habit, HabitAudit};
use findings::{AuditInfo, Confidence, Severity};
use graph::PracticeKind;

const INFO: AuditInfo = AuditInfo {
    id: "self-invocation",
    title: "A function that starts itself again",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[674, 835],
    docs: r##"The function invokes the function it runs in.

## Why it matters
A condition that is never met makes it run for ever, in as many copies as the account allows.

## Remediation
Use a Step Functions loop with a bound, or a queue.

```yaml
ReservedConcurrentExecutions: 5
```

## When it doesn't fire
Not for invocations of other functions.
"##,
};

pub(super) const AUDIT: HabitAudit = HabitAudit(Habit {
    info: &INFO,
    kind: PracticeKind::SelfInvocation,
    does: "starts itself again",
    primary: "each run starts another one, unless something stops it",
    remediation: "use a queue or a workflow with a bound on the rounds; set reserved concurrency",
    confidence: Confidence::Medium,
    severity: |_, _| Severity::Medium,
});
