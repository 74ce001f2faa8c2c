//! `missing-role-check`: a function for administrators that asks nobody for a role.

use super::missing_ownership_check::is_called;
use crate::{Audit, Context};
use findings::{AuditInfo, Confidence, Severity};
use graph::{Authorization, Exposure, Function};

const INFO: AuditInfo = AuditInfo {
    id: "missing-role-check",
    title: "A function for administrators that asks for no role",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[862, 285],
    docs: r##"A function whose route or name says that it is for administrators or staff is called over HTTP, and its code looks at no
role, group or scope of the caller. Where the route has an authorizer, every user passes it; where it has none, everyone does.

## Why it matters
An authorizer tells who somebody is, not what they may do. Routes of administrators are the first that are tried.

## Remediation
Ask for the group in the code, for a scope in the route, or give the route an authorizer of its own.

```python
groups = event["requestContext"]["authorizer"]["claims"].get("cognito:groups", "")
if "admins" not in groups:
    return {"statusCode": 403}
```

## When it doesn't fire
Not where the code looks at a role, group, scope or permission from the verified token or from a record, not for routes that ask
for AWS signatures, and not for authorizers whose name says that they are for administrators or staff.
"##,
};

pub(super) struct MissingRoleCheck;

fn is_for_staff(name: &str) -> bool {
    let words: Vec<String> = split(name);
    words.iter().any(|word| {
        matches!(
            word.as_str(),
            "admin" | "admins" | "administrator" | "staff" | "backoffice" | "superuser" | "operator"
        )
    })
}

fn split(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before_lower = false;
    for letter in name.chars() {
        if !letter.is_alphanumeric() || letter.is_uppercase() && before_lower {
            words.push(String::new());
        }
        if letter.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(letter.to_lowercase());
        }
        before_lower = letter.is_lowercase();
    }
    words
}

impl Audit for MissingRoleCheck {
    fn info(&self) -> &'static AuditInfo {
        &INFO
    }

    fn function(&self, function: &Function, context: &mut Context<'_>) {
        let Some(behaviour) = &function.behaviour else { return };
        let application = context.application();
        if behaviour.checks_roles || !is_called(application, function) {
            return;
        }
        let handler = function.handler.as_ref().map_or("", |handler| handler.value.as_str());
        let triggers: Vec<_> =
            application.triggers_of(&function.name).filter(|trigger| trigger.kind.is_http()).collect();
        let named = is_for_staff(&function.name) || is_for_staff(handler.split('.').next().unwrap_or(""));
        let open = triggers.iter().find(|trigger| {
            let staff = named || trigger.path.as_deref().is_some_and(is_for_staff);
            let closed = match &trigger.authorization {
                Some(Authorization::Iam) => true,
                Some(
                    Authorization::Cognito(name)
                    | Authorization::Jwt(name)
                    | Authorization::Lambda(name)
                    | Authorization::Unknown(name),
                ) => is_for_staff(name),
                _ => false,
            };
            staff && !closed
        });
        let Some(trigger) = open else { return };
        let Some(span) = behaviour.handler else { return };
        let public = trigger.exposure() == Exposure::Public;
        let whom = if public { "anyone" } else { "every user" };
        let place = context.head(trigger.span);
        let span = context.head(span);
        context
            .report(span, format!("{whom} can call `{}`, which is for administrators", function.name))
            .severity(if public { Severity::High } else { Severity::Medium })
            .confidence(Confidence::Medium)
            .function(&function.name)
            .primary("nothing here looks at what the caller may do")
            .related(place, format!("`{}` leads here", trigger.label()))
            .remediation("look at the caller's group or scope first, or give the route an authorizer of its own");
    }
}
