//! `sensitive-data-in-log`: private data in the log.

use crate::flow::{FlowAudit, Story, Weight};
use findings::{AuditInfo, Severity};
use graph::Sink;

const INFO: AuditInfo = AuditInfo {
    id: "sensitive-data-in-log",
    title: "Private data in the log",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[532],
    docs: r##"A password, token, card or another private field of the event goes into the log; or the event as a whole, which with HTTP has the caller's `Authorization` header in it. The whole event is low where the code reads no private field of it.

## Why it matters
Logs are kept long, copied often and read by many.

## Remediation
Log what you need to find the request again.

```python
logger.info("charged", extra={"order": order_id})
```

## When it doesn't fire
Not for identifiers, for the last digits of a number, and for hashes.
"##,
};

pub(super) const AUDIT: FlowAudit = FlowAudit(Story {
    info: &INFO,
    sinks: &[(Sink::PrivateLog, Weight::Light)],
    thing: "a line of the log",
    primary: "this stays in the log, for everyone who may read it",
    remediation: "log identifiers and outcomes rather than what was sent; mask what has to be there",
    once: false,
});
