//! `nosql-injection`: a filter or expression made of what the caller wrote.

use crate::flow::{FlowAudit, Story, Weight};
use findings::{AuditInfo, Severity};
use graph::Sink;

const INFO: AuditInfo = AuditInfo {
    id: "nosql-injection",
    title: "A filter or expression made of what the caller wrote",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[943],
    docs: r##"Part of the event becomes part of an expression of DynamoDB (`FilterExpression`, `KeyConditionExpression` …), or is an object inside the filter of a
document store, where it can bring operators such as `$ne` along.

## Why it matters
The condition then matches other records than the code means.

## Remediation
Use placeholders for values, and convert to text what should be text.

```python
table.scan(FilterExpression="email = :email", ExpressionAttributeValues={":email": email})
```

## When it doesn't fire
Not for values given through placeholders, and not for conditions built with boto3's `Attr` and `Key`.
"##,
};

pub(super) const AUDIT: FlowAudit = FlowAudit(Story {
    info: &INFO,
    sinks: &[(Sink::Expression, Weight::Light)],
    thing: "a filter or expression",
    primary: "this text or object is read as a condition",
    remediation: "leave placeholders in the expression and give values in `ExpressionAttributeValues`; for documents make sure the value is text (`str(value)`, `String(value)`)",
    once: false,
});
