//! `self-assignable-role`: a role that users can give themselves.

use crate::{Audit, Context};
use findings::{AuditInfo, Confidence, Severity};
use graph::{Resource, words};
use serde_json::Value as Json;
use source::Span;

const INFO: AuditInfo = AuditInfo {
    id: "self-assignable-role",
    title: "A role that users can give themselves",
    severity: Severity::High,
    since: "0.1.0",
    cwe: &[269, 915],
    docs: r##"A Cognito user pool keeps a role in a custom attribute that may be changed, and a client of the pool lets users write it: clients
without `WriteAttributes` let them write everything.

## Why it matters
Every user can call `UpdateUserAttributes` with the token in their own browser, and is an administrator then.

## Remediation
Use groups, which only administrators assign; or list what a client may write.

```yaml
WriteAttributes: [email, name, phone_number]
```

## When it doesn't fire
Not for attributes that can't be changed or that only developers write, and not where every client lists what it may write
without the attribute.
"##,
};

pub(super) struct SelfAssignableRole;

impl Audit for SelfAssignableRole {
    fn info(&self) -> &'static AuditInfo {
        &INFO
    }

    fn resource(&self, pool: &Resource, context: &mut Context<'_>) {
        if pool.resource_type != "AWS::Cognito::UserPool" {
            return;
        }
        let Some(attributes) = pool.property("Schema").and_then(Json::as_array) else { return };
        let is = |value: Option<&Json>, wanted: bool| {
            value.is_some_and(|value| {
                *value == Json::Bool(wanted) || value.as_str() == Some(if wanted { "true" } else { "false" })
            })
        };
        for attribute in attributes {
            let Some(name) = attribute.get("Name").and_then(Json::as_str) else { continue };
            if !words::is_role(name)
                || is(attribute.get("Mutable"), false)
                || is(attribute.get("DeveloperOnlyAttribute"), true)
            {
                continue;
            }
            let custom = format!("custom:{name}");
            let client = context.application().resources.iter().find(|client| {
                let of_pool = client
                    .property("UserPoolId")
                    .is_some_and(|id| id.get("Ref").and_then(Json::as_str) == Some(&pool.name));
                let writes = match client.property("WriteAttributes").and_then(Json::as_array) {
                    Some(listed) => listed.iter().any(|one| one.as_str() == Some(&custom)),
                    None => true,
                };
                client.resource_type == "AWS::Cognito::UserPoolClient" && of_pool && writes
            });
            let Some(client) = client else { continue };
            let whole = pool.span;
            let at = context.text(whole).match_indices(name).map(|(at, _)| at).next();
            let span = at.map_or(whole, |at| {
                Span::new(whole.file, whole.start as usize + at, whole.start as usize + at + name.len())
            });
            let client_span = context.head(client.span);
            let client_name = client.name.clone();
            context
                .report(span, format!("every user of `{}` can set `{custom}` for themselves", pool.name))
                .confidence(Confidence::Medium)
                .primary("users may change this attribute of their own")
                .related(client_span, format!("`{client_name}` lets them"))
                .remediation("keep roles in groups, or list what users may write (`WriteAttributes`) without it");
        }
    }
}
