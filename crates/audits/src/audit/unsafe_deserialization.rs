//! `unsafe-deserialization`: deserialising what the caller wrote with a format that can run code.

use crate::flow::{FlowAudit, Story, Weight};
use findings::{AuditInfo, Severity};
use graph::Sink;

const INFO: AuditInfo = AuditInfo {
    id: "unsafe-deserialization",
    title: "Deserialising what the caller wrote with a format that can run code",
    severity: Severity::Critical,
    since: "0.1.0",
    cwe: &[502],
    docs: r##"Part of the event is read by `pickle`, `marshal`, `yaml.load`, `jsonpickle`, `node-serialize` or the like.

## Why it matters
These formats can hold instructions, which run while the text is read and before anything could check it.

## Remediation
Read JSON, or YAML with the safe loader.

```python
preferences = json.loads(base64.b64decode(cookie))  # not pickle.loads
```

## When it doesn't fire
Not for `json`, `yaml.safe_load` or a safe loader.
"##,
};

pub(super) const AUDIT: FlowAudit = FlowAudit(Story {
    info: &INFO,
    sinks: &[(Sink::Deserialize, Weight::Heavy)],
    thing: "data that is deserialised",
    primary: "reading this can run code that it brings along",
    remediation: "use a format that holds nothing but data: `json.loads`, `yaml.safe_load`, `JSON.parse`",
    once: false,
});
