//! `prototype-pollution`: a member written or called under a name of the caller.

use crate::flow::{FlowAudit, Story, Weight};
use findings::{AuditInfo, Severity};
use graph::Sink;

const INFO: AuditInfo = AuditInfo {
    id: "prototype-pollution",
    title: "A member written or called under a name of the caller",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[1321, 470],
    docs: r##"Members of an object are written, merged or looked up under names from the event: `object[a][b] = value`, a merge that goes into nested objects, `lodash.merge`, or in Python `getattr(object, name)`.

## Why it matters
In JavaScript `__proto__` leads to what all objects share, for as long as the environment lives; in Python any method can be called.

## Remediation
Take known fields, or a dictionary of the names that are meant.

```js
const { unit, alarm } = body.settings;
```

## When it doesn't fire
Not for flat copies, for lookups in dictionaries of constants, and where `__proto__` or `constructor` is refused.
"##,
};

pub(super) const AUDIT: FlowAudit = FlowAudit(Story {
    info: &INFO,
    sinks: &[(Sink::MemberName, Weight::Light)],
    thing: "the name of a member",
    primary: "`__proto__`, `constructor` or another name that was never meant reaches more than this object",
    remediation: "copy the fields you know one by one; refuse `__proto__`, `constructor` and `prototype`; use a `Map`",
    once: false,
});
