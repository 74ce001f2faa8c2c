//! `check-then-write`: a record that is checked and then written without a condition.

use crate::practice::{Habit, HabitAudit, has_callers};
use findings::{AuditInfo, Confidence, Severity};
use graph::PracticeKind;

const INFO: AuditInfo = AuditInfo {
    id: "check-then-write",
    title: "A record that is checked and then written without a condition",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[367, 362],
    docs: r##"A record is read, a decision rests on what it says (a state, a balance, a count), and then it is written, updated or deleted without a `ConditionExpression`; or a number is worked out from what was read and written back.

## Why it matters
Two requests at the same time both pass the check: an order changes after it was paid, a voucher is used twice, a balance goes below zero.

## Remediation
Let the table check.

```python
table.update_item(Key=key, UpdateExpression="SET #s = :paid", ConditionExpression="#s = :open", ...)
```

## When it doesn't fire
Not where the write carries a condition, not for other records than the one that was read, and not where only its presence or its owner was checked.
"##,
};

pub(super) const AUDIT: HabitAudit = HabitAudit(Habit {
    info: &INFO,
    kind: PracticeKind::CheckThenWrite,
    does: "checks a record and writes it without a condition",
    primary: "what was checked may have changed by the time this is written",
    remediation: "put the check into the write (`ConditionExpression=\"#status = :open\"`), or use a transaction",
    confidence: Confidence::Medium,
    severity: |application, function| if has_callers(application, function) { Severity::Medium } else { Severity::Low },
});
