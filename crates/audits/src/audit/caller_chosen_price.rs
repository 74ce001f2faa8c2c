//! `caller-chosen-price`: a price that the caller sends.

use crate::flow::{FlowAudit, Story, Weight};
use findings::{AuditInfo, Severity};
use graph::Sink;

const INFO: AuditInfo = AuditInfo {
    id: "caller-chosen-price",
    title: "A price that the caller sends",
    severity: Severity::Low,
    since: "0.1.0",
    cwe: &[602, 840],
    docs: r##"A price, total or discount from the event is stored or charged.

## Why it matters
Whoever calls orders for a cent.

## Remediation
Look prices up.

```python
total = sum(prices[item["sku"]] * int(item["quantity"]) for item in items)
```

## When it doesn't fire
Not for numbers under other names.
"##,
};

pub(super) const AUDIT: FlowAudit = FlowAudit(Story {
    info: &INFO,
    sinks: &[(Sink::Price, Weight::Trifle)],
    thing: "a price",
    primary: "the caller says what this costs",
    remediation: "work the price out on the server, from your own catalogue",
    once: false,
});
