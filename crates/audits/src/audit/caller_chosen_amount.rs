//! `caller-chosen-amount`: work repeated as often as the caller says.

use crate::flow::{FlowAudit, Story, Weight};
use findings::{AuditInfo, Severity};
use graph::Sink;

const INFO: AuditInfo = AuditInfo {
    id: "caller-chosen-amount",
    title: "Work repeated as often as the caller says",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[770, 834],
    docs: r##"A number from the event bounds a loop, a wait, or the size of something that is allocated.

## Why it matters
The function is billed by time: one request keeps it busy until its timeout, many take all concurrency of the account.

## Remediation
Bound the number.

```python
for page in range(min(int(body["pages"]), 20)):
```

## When it doesn't fire
Not for numbers that were compared with a bound, clamped with `min`, or are the length of what was sent.
"##,
};

pub(super) const AUDIT: FlowAudit = FlowAudit(Story {
    info: &INFO,
    sinks: &[(Sink::Amount, Weight::Light)],
    thing: "how often or long something is done",
    primary: "the caller decides how long this runs and what it costs",
    remediation: "bound it: `min(count, 100)`, or refuse what is larger",
    once: false,
});
