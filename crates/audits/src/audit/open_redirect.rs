//! `open-redirect`: a redirect to where the caller likes.

use crate::flow::{FlowAudit, Story, Weight};
use findings::{AuditInfo, Severity};
use graph::Sink;

const INFO: AuditInfo = AuditInfo {
    id: "open-redirect",
    title: "A redirect to where the caller likes",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[601],
    docs: r##"The `Location` of a response, or what a framework redirects to, begins with a part of the event.

## Why it matters
A link to your site that ends on another one is what a convincing mail needs; tokens in the address go along.

## Remediation
Keep to your own paths, or to a list.

```python
location = TARGETS.get(event["queryStringParameters"]["to"], "/")
```

## When it doesn't fire
Not where your own host or path stands in front, and not for values that were compared with constants.
"##,
};

pub(super) const AUDIT: FlowAudit = FlowAudit(Story {
    info: &INFO,
    sinks: &[(Sink::Redirect, Weight::Light)],
    thing: "the target of a redirect",
    primary: "the browser goes wherever this says",
    remediation: "redirect to paths of your own, or look the target up in a list of those it may be",
    once: false,
});
