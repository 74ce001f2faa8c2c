//! `unchecked-certificates-in-environment`: a variable that switches the checks of certificates off.

use crate::{Audit, Context};
use findings::{AuditInfo, Severity};
use graph::{Application, Function};
use source::Span;
use std::collections::BTreeMap;

const INFO: AuditInfo = AuditInfo {
    id: "unchecked-certificates-in-environment",
    title: "A variable that switches the checks of certificates off",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[295],
    docs: r##"The environment of a function has `NODE_TLS_REJECT_UNAUTHORIZED: 0`, `PYTHONHTTPSVERIFY: 0` or the like.

## Why it matters
Every connection of the function takes any certificate: whoever is on the way can be the other side.

## Remediation
Take the variable away, and give the runtime the authority that is missing.

```yaml
NODE_EXTRA_CA_CERTS: /opt/ca.pem
```

## When it doesn't fire
Not for other values, and not for variables that add an authority.
"##,
};

pub(super) struct UncheckedCertificatesInEnvironment;

impl Audit for UncheckedCertificatesInEnvironment {
    fn info(&self) -> &'static AuditInfo {
        &INFO
    }

    fn application(&self, application: &Application, context: &mut Context<'_>) {
        // One line of `Globals` reaches many functions.
        let mut found: BTreeMap<Span, (&str, Vec<&Function>)> = BTreeMap::new();
        for function in &application.functions {
            for variable in &function.environment {
                let off = matches!(
                    variable.name.as_str(),
                    "NODE_TLS_REJECT_UNAUTHORIZED" | "PYTHONHTTPSVERIFY" | "GIT_SSL_VERIFY"
                ) && matches!(variable.value.as_text(), Some("0" | "false"));
                if off {
                    found.entry(variable.span).or_insert((&variable.name, Vec::new())).1.push(function);
                }
            }
        }
        for (span, (name, functions)) in found {
            let mut report = context
                .report(span, format!("`{name}` switches the checks of certificates off"))
                .primary("every connection takes any certificate");
            if let [only] = functions.as_slice() {
                report = report.function(&only.name);
            }
            report.remediation(
                "take the variable away; give the runtime the missing authority instead (`NODE_EXTRA_CA_CERTS`)",
            );
        }
    }
}
