//! `directory-injection`: a query of a directory or document made of what the caller wrote.

use crate::flow::{FlowAudit, Story, Weight};
use findings::{AuditInfo, Severity};
use graph::Sink;

const INFO: AuditInfo = AuditInfo {
    id: "directory-injection",
    title: "A query of a directory or document made of what the caller wrote",
    severity: Severity::High,
    since: "0.1.0",
    cwe: &[90, 643],
    docs: r##"Part of the event becomes part of an LDAP filter or an XPath.

## Why it matters
The text can widen what is found, up to everything, and get around checks of passwords.

## Remediation
Escape or bind.

```python
search(filter=f"(uid={escape_filter_chars(name)})")
```

## When it doesn't fire
Not for values that were converted, compared with constants or matched as a whole.
"##,
};

pub(super) const AUDIT: FlowAudit = FlowAudit(Story {
    info: &INFO,
    sinks: &[(Sink::DirectoryQuery, Weight::Middle)],
    thing: "a query",
    primary: "`*`, `)(` or a quote in the text changes what is asked",
    remediation: "escape the value (`ldap.filter.escape_filter_chars`), or bind it as a variable of the XPath",
    once: false,
});
