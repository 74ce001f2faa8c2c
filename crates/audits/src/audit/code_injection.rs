//! `code-injection`: code made of what the caller wrote.

use crate::flow::{FlowAudit, Story, Weight};
use findings::{AuditInfo, Severity};
use graph::Sink;

const INFO: AuditInfo = AuditInfo {
    id: "code-injection",
    title: "Code made of what the caller wrote",
    severity: Severity::Critical,
    since: "0.1.0",
    cwe: &[94, 95],
    docs: r##"Part of the event is evaluated as code (`eval`, `exec`, `new Function`, `vm`), or names the module that is loaded.

## Why it matters
Whoever writes that part of the event runs what they like in the function, with all it may do.

## Remediation
Read data as data. For formulas use a parser that knows only what a formula needs.

```js
const result = formulas[name](value); // functions written beforehand, not new Function(text)
```

## When it doesn't fire
Not for values that were compared with a list of constants or matched as a whole, and not for code made of constants.
"##,
};

pub(super) const AUDIT: FlowAudit = FlowAudit(Story {
    info: &INFO,
    sinks: &[(Sink::Eval, Weight::Heavy)],
    thing: "code that is evaluated",
    primary: "this is run as code",
    remediation: "don't evaluate text: read data with `JSON.parse` or `json.loads`, and formulas with a parser that knows only arithmetic",
    once: false,
});
