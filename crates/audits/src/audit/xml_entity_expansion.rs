//! `xml-entity-expansion`: xML of the caller that may unfold without end.

use crate::practice::{Habit, HabitAudit};
use findings::{AuditInfo, Confidence, Severity};
use graph::PracticeKind;

const INFO: AuditInfo = AuditInfo {
    id: "xml-entity-expansion",
    title: "XML of the caller that may unfold without end",
    severity: Severity::Low,
    since: "0.1.0",
    cwe: &[776, 611],
    docs: r##"A document from the event is read by one of Python's own XML parsers.

## Why it matters
Entities that name each other unfold exponentially.

## Remediation
Use `defusedxml`.

```python
from defusedxml.ElementTree import fromstring
```

## When it doesn't fire
Not for `defusedxml`, and not for documents that do not come with the event.
"##,
};

pub(super) const AUDIT: HabitAudit = HabitAudit(Habit {
    info: &INFO,
    kind: PracticeKind::ExternalEntities,
    does: "reads XML with entities on",
    primary: "a small document can unfold into gigabytes",
    remediation: "read with `defusedxml`",
    confidence: Confidence::Medium,
    severity: |_, _| Severity::Low,
});
