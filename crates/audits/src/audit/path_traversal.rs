//! `path-traversal`: a path made of what the caller wrote.

use crate::flow::{FlowAudit, Story, Weight};
use findings::{AuditInfo, Severity};
use graph::Sink;

const INFO: AuditInfo = AuditInfo {
    id: "path-traversal",
    title: "A path made of what the caller wrote",
    severity: Severity::High,
    since: "0.1.0",
    cwe: &[22],
    docs: r##"Part of the event becomes part of the path of a file that the function reads, writes or removes.

## Why it matters
With `../` or a leading slash the path leads elsewhere: to the code and the environment of the function (`/proc/self/environ`), or to files
that a later call trusts.

## Remediation
Keep only the last part of a name, or store under a name that the function makes itself.

```python
open(f"/tmp/{os.path.basename(order_id)}.txt")
```

## When it doesn't fire
Not after `basename`, a check for `..`, or a comparison of the normalised path with its folder.
"##,
};

pub(super) const AUDIT: FlowAudit = FlowAudit(Story {
    info: &INFO,
    sinks: &[(Sink::PathRead, Weight::Middle), (Sink::PathWrite, Weight::Middle)],
    thing: "a path",
    primary: "this path can lead out of its folder",
    remediation: "keep only the last part (`os.path.basename(name)`, `path.basename(name)`), or give the file a name of your own",
    once: false,
});
