//! `role-from-caller`: a decision by what the caller says of itself.

use crate::flow::{FlowAudit, Story, Weight};
use findings::{AuditInfo, Severity};
use graph::Sink;

const INFO: AuditInfo = AuditInfo {
    id: "role-from-caller",
    title: "A decision by what the caller says of itself",
    severity: Severity::High,
    since: "0.1.0",
    cwe: &[863, 807, 639],
    docs: r##"A condition rests on a role or a flag such as `isAdmin` that stands in the body, the query or a header.

## Why it matters
Whoever calls can write `true` there.

## Remediation
Take it from the verified token.

```python
is_admin = "admin" in event["requestContext"]["authorizer"]["claims"]["cognito:groups"]
```

## When it doesn't fire
Not for claims that an authorizer verified, and not for values that are only stored or shown.
"##,
};

pub(super) const AUDIT: FlowAudit = FlowAudit(Story {
    info: &INFO,
    sinks: &[(Sink::Identity, Weight::Middle)],
    thing: "what the caller may do",
    primary: "the caller writes this, and it decides what the caller may do",
    remediation: "take roles and identities from the verified token (`requestContext.authorizer`), or from your own records by the identity found there",
    once: false,
});
