//! `slow-pattern`: a pattern that takes exponential time.

use crate::practice::{Habit, HabitAudit, has_callers};
use findings::{AuditInfo, Confidence, Severity};
use graph::PracticeKind;

const INFO: AuditInfo = AuditInfo {
    id: "slow-pattern",
    title: "A pattern that takes exponential time",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[1333],
    docs: r##"A repetition inside a repetition, such as `(a+)+`, is matched with text from the event.

## Why it matters
Engines that go back try every way to cut the text: the time doubles with each character, and is billed.

## Remediation
Take the inner repetition out.

```python
re.fullmatch(r"[a-z]+", text)
```

## When it doesn't fire
Not where something fixed stands between the rounds.
"##,
};

pub(super) const AUDIT: HabitAudit = HabitAudit(Habit {
    info: &INFO,
    kind: PracticeKind::SlowPattern,
    does: "matches a pattern that takes exponential time",
    primary: "a text of some dozen characters keeps this busy for minutes",
    remediation: "write the repetition so that its rounds can be told apart, bound the length first",
    confidence: Confidence::Medium,
    severity: |application, function| if has_callers(application, function) { Severity::Medium } else { Severity::Low },
});
