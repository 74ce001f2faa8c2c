//! `caller-chosen-resource`: a cloud call on a resource that the caller chose.

use crate::flow::{FlowAudit, Story, Weight};
use findings::{AuditInfo, Severity};
use graph::Sink;

const INFO: AuditInfo = AuditInfo {
    id: "caller-chosen-resource",
    title: "A cloud call on a resource that the caller chose",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[639, 73],
    docs: r##"Part of the event says which bucket, table, queue or function a call of the cloud acts on.

## Why it matters
The role decides what can be reached then, not the code, and roles tend to be wide.

## Remediation
Take names from the environment, or from a dictionary with the few that are meant.

```python
table = dynamodb.Table(TABLES[event["kind"]])  # not event["table"]
```

## When it doesn't fire
Not for keys inside a resource, not for the bucket that a notification of S3 names, and not for functions that only workflows start.
"##,
};

pub(super) const AUDIT: FlowAudit = FlowAudit(Story {
    info: &INFO,
    sinks: &[(Sink::CloudResource, Weight::Light)],
    thing: "the resource of a cloud call",
    primary: "this acts on whatever resource the text names",
    remediation: "take the name from the environment, or look it up in a dictionary of those it may be (`TABLES[kind]`)",
    once: false,
});
