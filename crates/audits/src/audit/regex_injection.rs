//! `regex-injection`: a pattern that the caller wrote.

use crate::flow::{FlowAudit, Story, Weight};
use findings::{AuditInfo, Severity};
use graph::Sink;

const INFO: AuditInfo = AuditInfo {
    id: "regex-injection",
    title: "A pattern that the caller wrote",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[1333, 400],
    docs: r##"Part of the event is compiled as a regular expression.

## Why it matters
Some patterns take exponential time on some texts, and the function pays for all of it, up to its timeout.

## Remediation
Look for plain text, or escape what the caller sent.

```python
re.search(re.escape(query), text)
```

## When it doesn't fire
Not for escaped text and for values that were compared with constants or a whole pattern.
"##,
};

pub(super) const AUDIT: FlowAudit = FlowAudit(Story {
    info: &INFO,
    sinks: &[(Sink::Pattern, Weight::Light)],
    thing: "a pattern",
    primary: "a pattern can be written so that matching it never ends",
    remediation: "escape the text (`re.escape`, `escapeRegExp`), or look for it as plain text (`in`, `includes`)",
    once: false,
});
