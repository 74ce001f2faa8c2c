//! `cross-site-scripting`: a page or header made of what the caller wrote.

use crate::flow::{FlowAudit, Story, Weight};
use findings::{AuditInfo, Severity};
use graph::Sink;

const INFO: AuditInfo = AuditInfo {
    id: "cross-site-scripting",
    title: "A page or header made of what the caller wrote",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[79],
    docs: r##"Part of the event comes back unescaped in a response whose content type is HTML. In a header of the response it is low: the gateway refuses line
breaks, but the address of a redirect, for one, is still the caller's.

## Why it matters
A link to the page with a script in it runs that script as the page, for whoever follows the link.

## Remediation
Escape text on its way into HTML.

```python
body = f"<p>no order {html.escape(id)}</p>"
```

## When it doesn't fire
Not for JSON and plain text, and not for escaped text. What the function has read from a store isn't followed.
"##,
};

pub(super) const AUDIT: FlowAudit = FlowAudit(Story {
    info: &INFO,
    sinks: &[(Sink::Html, Weight::Light), (Sink::ResponseHeader, Weight::Trifle)],
    thing: "a response",
    primary: "a browser reads this as part of the page or its headers",
    remediation: "escape it: `html.escape(text)` in Python, a template engine that escapes, or answer with `content-type: application/json`",
    once: false,
});
