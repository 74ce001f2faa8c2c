//! `shared-state`: data of one invocation that the next one sees.

use crate::practice::{Habit, HabitAudit, has_callers};
use findings::{AuditInfo, Confidence, Severity};
use graph::PracticeKind;

const INFO: AuditInfo = AuditInfo {
    id: "shared-state",
    title: "Data of one invocation that the next one sees",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[488, 567],
    docs: r##"Something of the event goes into a variable of the module: assigned, appended, or put under a fixed key. Low where every invocation overwrites it.

## Why it matters
An environment serves many callers one after the other: one sees what belongs to another, and lists grow until memory is full.

## Remediation
Keep it local.

```python
cart = [item]  # not CART.append(item)
```

## When it doesn't fire
Not for clients and connections, not for caches whose key comes from the event, and not for what is assigned while the module loads.
"##,
};

pub(super) const AUDIT: HabitAudit = HabitAudit(Habit {
    info: &INFO,
    kind: PracticeKind::SharedState,
    does: "keeps data of one invocation for the next one",
    primary: "this variable lives as long as the environment, and others are served by it",
    remediation: "keep it in a local variable, or under a key that is the caller's",
    confidence: Confidence::Medium,
    severity: |application, function| if has_callers(application, function) { Severity::Medium } else { Severity::Low },
});
