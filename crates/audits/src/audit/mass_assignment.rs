//! `mass-assignment`: a record stored with whatever fields the caller sends.

use crate::flow::{FlowAudit, Story, Weight};
use findings::{AuditInfo, Severity};
use graph::Sink;

const INFO: AuditInfo = AuditInfo {
    id: "mass-assignment",
    title: "A record stored with whatever fields the caller sends",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[915],
    docs: r##"A whole body, or what is left of it, becomes a table's item.

## Why it matters
Fields that only the application may set can be set by the caller: a role, a price, a state, the owner.

## Remediation
Name the fields.

```python
table.put_item(Item={"id": new_id(), "name": body["name"], "owner": claims["sub"]})
```

## When it doesn't fire
Not where single fields are taken, and not after validation against a schema.
"##,
};

pub(super) const AUDIT: FlowAudit = FlowAudit(Story {
    info: &INFO,
    sinks: &[(Sink::WholeRecord, Weight::Light)],
    thing: "a record",
    primary: "every field that the caller sends is stored, `role` and `price` included",
    remediation: "store the fields you know, one by one, or validate against a schema without additional properties",
    once: false,
});
