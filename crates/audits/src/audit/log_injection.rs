//! `log-injection`: lines of the log made of what the caller wrote.

use crate::flow::{FlowAudit, Story, Weight};
use findings::{AuditInfo, Severity};
use graph::Sink;

const INFO: AuditInfo = AuditInfo {
    id: "log-injection",
    title: "Lines of the log made of what the caller wrote",
    severity: Severity::Low,
    since: "0.1.0",
    cwe: &[117],
    docs: r##"Text from the event goes into the log as it is. Reported once for each function.

## Why it matters
A line break starts a new entry, so that a sender can write entries that look like the function's own.

## Remediation
Log as JSON, with a logger that escapes.

```python
logger.info({"order": name})  # not print("order " + name)
```

## When it doesn't fire
Not for objects, for values that were converted or compared, and not for what is logged as JSON.
"##,
};

pub(super) const AUDIT: FlowAudit = FlowAudit(Story {
    info: &INFO,
    sinks: &[(Sink::Log, Weight::Trifle)],
    thing: "a line of the log",
    primary: "line breaks in this text make lines of their own",
    remediation: "log structures instead of text (`logger.info(\"order\", extra={…})`, `JSON.stringify`), or the text's `repr`",
    once: true,
});
