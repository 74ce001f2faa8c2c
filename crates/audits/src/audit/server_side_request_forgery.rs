//! `server-side-request-forgery`: a request to an address that the caller chose.

use crate::flow::{FlowAudit, Story, Weight};
use findings::{AuditInfo, Severity};
use graph::Sink;

const INFO: AuditInfo = AuditInfo {
    id: "server-side-request-forgery",
    title: "A request to an address that the caller chose",
    severity: Severity::High,
    since: "0.1.0",
    cwe: &[918],
    docs: r##"Part of the event decides which host the function sends a request to.

## Why it matters
The request comes from inside: it reaches private addresses, and with some clients `file:` as well, and the answer or the time it takes tells what is
there. Credentials in headers go along to any host.

## Remediation
Compare the host with a list. Where it must be open, resolve the name first and refuse private addresses.

```python
if urlparse(url).hostname not in ("logos.example.com",):
    raise ValueError("not one of ours")
```

## When it doesn't fire
Not where the event only decides what follows a host that is written in the code or the environment, and not after a comparison of the host with a
list of constants.
"##,
};

pub(super) const AUDIT: FlowAudit = FlowAudit(Story {
    info: &INFO,
    sinks: &[(Sink::Url, Weight::Middle)],
    thing: "the address of a request",
    primary: "this asks whatever host the text names",
    remediation: "compare the host with a list of those it may be before asking (`if urlparse(url).hostname not in ALLOWED: raise ValueError`), and allow `https` only",
    once: false,
});
