//! `unverified-webhook`: a web hook that believes whoever calls.

use super::missing_ownership_check::is_called;
use crate::{Audit, Context};
use findings::{AuditInfo, Confidence, Severity};
use graph::{Exposure, Function};

const INFO: AuditInfo = AuditInfo {
    id: "unverified-webhook",
    title: "A web hook that believes whoever calls",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[345, 347],
    docs: r##"A route without an authorizer says by its path or function that it is a web hook, and the code checks no signature.

## Why it matters
Payment providers, repositories and messengers sign what they send, because the address is no secret. Without a check anyone
reports a payment that never was.

## Remediation
Check the signature over the raw body first.

```python
event = stripe.Webhook.construct_event(body, headers["stripe-signature"], SECRET)
```

## When it doesn't fire
Not where a signature is checked by any library, by `hmac`, or by comparing in constant time, and not behind an authorizer.
"##,
};

pub(super) struct UnverifiedWebhook;

impl Audit for UnverifiedWebhook {
    fn info(&self) -> &'static AuditInfo {
        &INFO
    }

    fn function(&self, function: &Function, context: &mut Context<'_>) {
        let Some(behaviour) = &function.behaviour else { return };
        let application = context.application();
        // What isn't read isn't believed.
        let reads = behaviour.event_fields.iter().any(|field| {
            field.path.is_empty() || field.path.starts_with("body") || field.path.starts_with("queryString")
        });
        if behaviour.checks_signatures
            || !reads
            || !is_called(application, function)
            || application.exposure(function) != Exposure::Public
        {
            return;
        }
        let says = |name: &str| {
            let name = name.to_ascii_lowercase().replace(['-', '_'], "");
            name.contains("webhook") || name.contains("/hook")
        };
        let trigger = application.triggers_of(&function.name).find(|trigger| trigger.path.as_deref().is_some_and(says));
        if trigger.is_none() && !says(&function.name) {
            return;
        }
        let Some(handler) = behaviour.handler else { return };
        let span = context.head(handler);
        context
            .report(span, format!("`{}` is a web hook that checks no signature", function.name))
            .confidence(Confidence::Medium)
            .function(&function.name)
            .primary("whoever calls is believed")
            .remediation("check the sender's signature over the raw body before anything else (`hmac.compare_digest`, `timingSafeEqual`, or the provider's library)");
    }
}
