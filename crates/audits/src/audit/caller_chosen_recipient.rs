//! `caller-chosen-recipient`: a message sent to whom the caller names.

use crate::flow::{FlowAudit, Story, Weight};
use findings::{AuditInfo, Severity};
use graph::Sink;

const INFO: AuditInfo = AuditInfo {
    id: "caller-chosen-recipient",
    title: "A message sent to whom the caller names",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[799, 20],
    docs: r##"The address of a mail, or the number of a text message, comes out of the event.

## Why it matters
An open function of this kind is a relay: for spam in the name of your domain, and for bills of premium-rate numbers.

## Remediation
Take the address from the record of the authenticated caller.

```python
to = users.get_item(Key={"id": claims["sub"]})["Item"]["email"]
```

## When it doesn't fire
Not for values that were compared with a list of constants.
"##,
};

pub(super) const AUDIT: FlowAudit = FlowAudit(Story {
    info: &INFO,
    sinks: &[(Sink::Recipient, Weight::Light)],
    thing: "the recipient of a message",
    primary: "whoever calls says who gets this message, in your name",
    remediation: "send to addresses you know (the account's verified one), or confirm them first and limit how often",
    once: false,
});
