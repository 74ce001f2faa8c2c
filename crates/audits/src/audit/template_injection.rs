//! `template-injection`: a template or format string that the caller wrote.

use crate::flow::{FlowAudit, Story, Weight};
use findings::{AuditInfo, Severity};
use graph::Sink;

const INFO: AuditInfo = AuditInfo {
    id: "template-injection",
    title: "A template or format string that the caller wrote",
    severity: Severity::High,
    since: "0.1.0",
    cwe: &[1336, 134],
    docs: r##"Part of the event is compiled as a template (Jinja2, Mako, EJS, Handlebars, Pug …) or is the text whose `.format()` is called.

## Why it matters
Placeholders reach attributes of what they are given: in Python from any object to its globals and from there to secrets; in most engines to running code.

## Remediation
Templates belong to the code. What callers write is a value in them.

```python
string.Template(greeting).safe_substitute(name=order.name)  # not greeting.format(order=order)
```

## When it doesn't fire
Not where the event is only handed over as a value.
"##,
};

pub(super) const AUDIT: FlowAudit = FlowAudit(Story {
    info: &INFO,
    sinks: &[(Sink::Template, Weight::Middle)],
    thing: "a template",
    primary: "placeholders in this text are filled in",
    remediation: "keep the template in the code and hand the caller's text over as a value; for placeholders use `string.Template` with a plain dictionary",
    once: false,
});
