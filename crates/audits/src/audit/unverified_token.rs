//! `unverified-token`: a token whose signature nobody checks.

use crate::practice::{Habit, HabitAudit, checks_tokens_before};
use findings::{AuditInfo, Confidence, Severity};
use graph::{Application, Exposure, Function, PracticeKind};

const INFO: AuditInfo = AuditInfo {
    id: "unverified-token",
    title: "A token whose signature nobody checks",
    severity: Severity::High,
    since: "0.1.0",
    cwe: &[347, 287],
    docs: r##"The claims of a token are read without checking its signature: with an option that turns the check off, with a function that only decodes, or by
taking the `Authorization` header apart by hand.

## Why it matters
Anyone can write a token with any name in it. Only its signature says who made it.

## Remediation
Verify the token, or let an authorizer in front of the route do it and read what that found out.

```python
claims = jwt.decode(token, key, algorithms=["RS256"], audience="shop")
```

## When it doesn't fire
Low where every route of the function has an authorizer that checks tokens. Not where the code checks a signature as well: decoding first, to see
which key it is, is usual.
"##,
};

pub(super) const AUDIT: HabitAudit = HabitAudit(Habit {
    info: &INFO,
    kind: PracticeKind::UnverifiedToken,
    does: "believes a token without checking its signature",
    primary: "these claims are whatever the caller wrote",
    remediation: "verify it (`jwt.decode(token, key, algorithms=[\"RS256\"], audience=…)`, `jwtVerify`, `aws-jwt-verify`), or let an authorizer do it and read `requestContext.authorizer`",
    confidence: Confidence::Medium,
    severity: token_severity,
});

fn token_severity(application: &Application, function: &Function) -> Severity {
    match application.exposure(function) {
        _ if checks_tokens_before(application, function) => Severity::Low,
        Exposure::Public => Severity::High,
        Exposure::None => Severity::Low,
        _ => Severity::Medium,
    }
}
