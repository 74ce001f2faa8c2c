//! `identity-from-caller`: who somebody is, as the caller says.

use super::missing_ownership_check::{is_called, signs_in};
use crate::flow::who_writes;
use crate::{Audit, Context};
use findings::{AuditInfo, Confidence, Severity};
use graph::{AccessKind, Exposure, Function, words};

const INFO: AuditInfo = AuditInfo {
    id: "identity-from-caller",
    title: "Who somebody is, as the caller says",
    severity: Severity::High,
    since: "0.1.0",
    cwe: &[639, 290, 862],
    docs: r##"A record is found by a user's, an account's or an owner's identifier that stands in the body, the query or a header, and the
verified caller has no say in it.

## Why it matters
Whoever calls writes somebody else's identifier there, and is taken for them.

## Remediation
Take the identity from what an authorizer verified.

```python
user = event["requestContext"]["authorizer"]["claims"]["sub"]  # not body["userId"]
```

## When it doesn't fire
Not where the verified caller is part of the key or compared with something, not for signing in and up (there is no caller yet),
and not for identifiers that are only stored. Identifiers in the path are told by `missing-ownership-check`.
"##,
};

pub(super) struct IdentityFromCaller;

impl Audit for IdentityFromCaller {
    fn info(&self) -> &'static AuditInfo {
        &INFO
    }

    fn function(&self, function: &Function, context: &mut Context<'_>) {
        let Some(behaviour) = &function.behaviour else { return };
        let application = context.application();
        let asks_for_password = behaviour.event_fields.iter().any(|field| {
            let last = field.path.rsplit('.').next().unwrap_or("").to_ascii_lowercase();
            last.contains("password")
                || last.contains("passcode")
                || matches!(last.as_str(), "otp" | "code" | "pin" | "pwd")
        });
        if !is_called(application, function) || signs_in(application, function) || asks_for_password {
            return;
        }
        let mut told = std::collections::BTreeSet::new();
        for access in behaviour
            .accesses
            .iter()
            .filter(|access| !access.of_caller && !access.compared && access.kind != AccessKind::Write)
        {
            let source = access.key.iter().flat_map(|part| &part.sources).find(|source| {
                let named = words::is_identity(source.rsplit('.').next().unwrap_or(source));
                let in_path = source.starts_with("pathParameters") || source.starts_with("path");
                named
                    && !in_path
                    && who_writes(application, function, source).is_some_and(|who| who >= Exposure::Authenticated)
            });
            let Some(source) = source else { continue };
            let read = access.steps.first().map_or(access.span, |step| step.span);
            if !told.insert(source.clone()) {
                continue;
            }
            let public = application.exposure(function) == Exposure::Public;
            let severity = match access.kind {
                AccessKind::Read if public && !behaviour.checks_roles => Severity::Medium,
                _ => Severity::High,
            };
            let mut report = context
                .report(read, format!("`{}` takes the caller for whoever `{source}` names", function.name))
                .severity(severity)
                .confidence(Confidence::Medium)
                .function(&function.name)
                .primary("the caller writes this, and is taken for whoever it names")
                .related(access.span, "this record is found by it");
            for (index, step) in access.steps.iter().enumerate() {
                report = report.step(
                    step.span,
                    if index == 0 { format!("`{source}` {}", step.what) } else { format!("it {}", step.what) },
                );
            }
            report
                .step(access.span, "this record is found by it")
                .remediation("take the identity from what an authorizer verified (`requestContext.authorizer`), or verify the token here");
        }
    }
}
