//! `weak-password-policy`: a user pool that takes weak passwords.

use crate::{Audit, Context};
use findings::{AuditInfo, Severity};
use graph::Resource;
use serde_json::Value as Json;

const INFO: AuditInfo = AuditInfo {
    id: "weak-password-policy",
    title: "A user pool that takes weak passwords",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[521],
    docs: r##"The password policy of a Cognito user pool allows fewer than eight characters. Low where it allows eight or more but switches
off every kind of character.

## Why it matters
Short passwords are guessed, and people choose the shortest that is allowed.

## Remediation
Ask for length.

```yaml
Policies: { PasswordPolicy: { MinimumLength: 12 } }
```

## When it doesn't fire
Not without a policy, where Cognito's own asks for eight characters of four kinds.
"##,
};

pub(super) struct WeakPasswordPolicy;

impl Audit for WeakPasswordPolicy {
    fn info(&self) -> &'static AuditInfo {
        &INFO
    }

    fn resource(&self, resource: &Resource, context: &mut Context<'_>) {
        if resource.resource_type != "AWS::Cognito::UserPool" {
            return;
        }
        let Some(policy) = resource.property("Policies.PasswordPolicy") else { return };
        let length =
            policy.get("MinimumLength").and_then(|length| length.as_i64().or_else(|| length.as_str()?.parse().ok()));
        let off = |name: &str| {
            policy.get(name).is_some_and(|value| *value == Json::Bool(false) || value.as_str() == Some("false"))
        };
        let all_off =
            ["RequireLowercase", "RequireUppercase", "RequireNumbers", "RequireSymbols"].iter().all(|name| off(name));
        let short = length.is_some_and(|length| length < 8);
        let one_kind = all_off && length.is_none_or(|length| length < 12);
        if !short && !one_kind {
            return;
        }
        let span = context.head(resource.property_span("Policies.PasswordPolicy"));
        let title = match length {
            Some(length) => format!("user pool `{}` takes passwords of {length} characters", resource.name),
            None => format!("user pool `{}` takes passwords of any kind of characters", resource.name),
        };
        context
            .report(span, title)
            .severity(if short { Severity::Medium } else { Severity::Low })
            .primary("short passwords are guessed")
            .remediation("ask for twelve characters or more (`MinimumLength: 12`), and offer a second factor");
    }
}
