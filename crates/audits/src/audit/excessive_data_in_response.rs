//! `excessive-data-in-response`: a record handed out with what nobody is to see.

use crate::flow::{fillings, resource_of};
use crate::{Audit, Context};
use findings::{AuditInfo, Confidence, Severity};
use graph::{AccessKind, Application, Exposure, Function, Sink, words};

const INFO: AuditInfo = AuditInfo {
    id: "excessive-data-in-response",
    title: "A record handed out with what nobody is to see",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[200, 213],
    docs: r##"A whole item of a table goes into a response, and code of the application puts a password, its hash, a card or a secret into
items of that table.

## Why it matters
What the page doesn't show is in the answer all the same, for everyone who looks.

## Remediation
Name the fields that are meant.

```python
body = {name: item[name] for name in ("name", "city")}
```

## When it doesn't fire
Not where single fields are picked, not with a projection whose fields are picked in the code, and not for tables that nothing
private is put into by code that is read here.
"##,
};

pub(super) struct ExcessiveDataInResponse;

impl Audit for ExcessiveDataInResponse {
    fn info(&self) -> &'static AuditInfo {
        &INFO
    }

    fn function(&self, function: &Function, context: &mut Context<'_>) {
        let Some(behaviour) = &function.behaviour else { return };
        let application = context.application();
        for flow in behaviour.flows.iter().filter(|flow| flow.sink == Sink::Answer) {
            let Some(from) = &flow.from else { continue };
            let Some(store) = resource_of(application, function, &from.target) else { continue };
            let Some((attribute, place)) = private_part(application, &store) else { continue };
            let severity = if application.exposure(function) >= Exposure::Authenticated {
                Severity::Medium
            } else {
                Severity::Low
            };
            context
                .report(
                    flow.span,
                    format!("`{}` hands out whole items of `{store}`, `{attribute}` included", function.name),
                )
                .severity(severity)
                .confidence(Confidence::Medium)
                .function(&function.name)
                .primary("every field of the record is in this answer")
                .related(place, format!("`{attribute}` is put there"))
                .related(from.span, "the record is read here")
                .step(from.span, "the record is read from a store")
                .step(flow.span, "all of it goes into the answer")
                .remediation("answer with the fields that are meant, by name");
        }
    }
}

/// An attribute that nobody is to see, and where it is put into a store.
fn private_part(application: &Application, store: &str) -> Option<(String, source::Span)> {
    application.functions.iter().find_map(|function| {
        let filled =
            fillings(function).filter_map(|(flow, into)| Some((into.attribute.clone()?, &into.target, flow.span)));
        // New records list all that they hold, whether the event has a say in it or not.
        let accesses = function.behaviour.iter().flat_map(|behaviour| &behaviour.accesses);
        let written = accesses
            .filter(|access| access.kind == AccessKind::Write)
            .flat_map(|access| access.key.iter().map(|part| (part.name.clone(), &access.target, access.span)));
        filled.chain(written).find_map(|(attribute, target, span)| {
            let lower = attribute.to_ascii_lowercase();
            let hidden = words::is_private(&attribute) || lower.contains("password") || lower.ends_with("hash");
            let same = hidden && resource_of(application, function, target).as_deref() == Some(store);
            same.then_some((attribute, span))
        })
    })
}
