//! `cleartext-request`: a request that everyone on the way can read.

use crate::{Audit, Context};
use findings::{AuditInfo, Confidence, Severity};
use graph::Function;

const INFO: AuditInfo = AuditInfo {
    id: "cleartext-request",
    title: "A request that everyone on the way can read",
    severity: Severity::Low,
    since: "0.1.0",
    cwe: &[319],
    docs: r##"The code talks to a host outside over `http://`.

## Why it matters
Whoever is on the way reads what is sent, and writes what comes back.

## Remediation
Use `https://`.

```python
requests.get("https://api.example.com/rates")
```

## When it doesn't fire
Not for this machine, for addresses inside of a network, and for names without a dot.
"##,
};

pub(super) struct CleartextRequest;

impl Audit for CleartextRequest {
    fn info(&self) -> &'static AuditInfo {
        &INFO
    }

    fn function(&self, function: &Function, context: &mut Context<'_>) {
        let Some(behaviour) = &function.behaviour else { return };
        for found in behaviour.hosts.iter().filter(|found| found.port == 80) {
            let Some(host) = &found.host else { continue };
            let inside = !host.contains('.')
                || host.starts_with("127.")
                || host.starts_with("10.")
                || host.starts_with("169.254.")
                || host.starts_with("192.168.")
                || [".internal", ".local", ".localhost", ".test"].iter().any(|end| host.ends_with(end));
            if inside {
                continue;
            }
            context
                .report(found.span, format!("`{}` talks to `{host}` in the clear", function.name))
                .confidence(Confidence::Medium)
                .function(&function.name)
                .primary("everyone on the way can read and change this")
                .remediation("use `https://`");
        }
    }
}
