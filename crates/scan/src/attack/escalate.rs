//! Identities that can make themselves stronger, and roles that let in whoever asks: findings, and the paths behind them.

use findings::{AttackPath, AuditInfo, Confidence, Finding, Label, PathStep, Severity};
use graph::{Application, Effect, Function, Identity, IdentityKind, Origin};
use iam::{Escalation, Reach};
use source::{Sources, Span};
use std::collections::BTreeSet;

pub(crate) const PRIVILEGE_ESCALATION: AuditInfo = AuditInfo {
    id: "privilege-escalation",
    title: "A user or role that can give itself more than it was given",
    severity: Severity::High,
    since: "0.1.0",
    cwe: &[269],
    docs: r#"A user, group or role may do something that ends with more permissions than its policies say: it writes policies, makes keys of
somebody stronger, hands a stronger role to a service that runs its code, or replaces the code of a stronger function. Several steps are
followed. The ways are those that security researchers have published; the finding names who described each.

## Why it matters
Whoever gets hold of it (a leaked key, a function that runs a stranger's code) has what it can reach, not what it was given.

## Remediation
Take the action away, or limit it to what it is for: policies, roles and functions by name, `iam:PassRole` with the roles' ARNs and
`iam:PassedToService`, and a permissions boundary for whoever has to make roles.

```yaml
- Effect: Allow
  Action: iam:PassRole
  Resource: !GetAtt ReportRole.Arn
  Condition: { StringEquals: { iam:PassedToService: lambda.amazonaws.com } }
```

## When it doesn't fire
Not for administrators, who have nothing to gain; not where a denial, a boundary or a condition stands in the way; not where what is
reached is no stronger, trusts another service, or is a policy that nobody has. A condition that can't be told from the source makes the
finding less sure, not silent.
"#,
};

pub(crate) const PERMISSIVE_ROLE_TRUST: AuditInfo = AuditInfo {
    id: "permissive-role-trust",
    title: "A role that lets in more than it needs to",
    severity: Severity::High,
    since: "0.1.0",
    cwe: &[284],
    docs: r#"The trust policy of a role names anyone (`*`), or the account as a whole.

## Why it matters
`*` lets every AWS customer act as the role. The account as a whole leaves the decision to everyone's own policies: whoever may
`sts:AssumeRole` on anything has this role as well.

## Remediation
Name the roles, users or services that are to have it; for another company's account, ask for an external id.

```yaml
AssumeRolePolicyDocument:
  Statement:
    - { Effect: Allow, Action: sts:AssumeRole, Principal: { AWS: !GetAtt DeployRole.Arn } }
```

## When it doesn't fire
Not for services, named principals and identity providers, and not where a condition narrows who is meant.
"#,
};

/// What is said of an application's identities.
pub(super) fn findings(application: &Application, ways: &[Escalation], sources: &Sources) -> Vec<Finding> {
    let mut found: Vec<Finding> = by_identity(application, ways)
        .map(|(identity, ways)| of_identity(application, identity, &ways, sources))
        .collect();
    for role in application.identities.iter().filter(|identity| identity.kind == IdentityKind::Role) {
        found.extend(trust(application, role));
    }
    found
}

fn by_identity<'a>(
    application: &'a Application,
    ways: &'a [Escalation],
) -> impl Iterator<Item = (&'a Identity, Vec<&'a Escalation>)> {
    application.identities.iter().filter_map(|identity| {
        let own: Vec<&Escalation> = ways.iter().filter(|way| way.identity == identity.name).collect();
        (!own.is_empty()).then_some((identity, own))
    })
}

/// What a person calls an identity: the name it is deployed under, or the one the template gives it.
pub(super) fn called(identity: &Identity) -> &str {
    identity
        .deployed_name
        .as_ref()
        .and_then(graph::Value::as_text)
        .filter(|name| !name.is_empty())
        .unwrap_or(&identity.name)
}

fn kind(identity: &Identity) -> &'static str {
    match identity.kind {
        IdentityKind::Role => "role",
        IdentityKind::User => "user",
        IdentityKind::Group => "group",
    }
}

fn shown(application: &Application, name: &str) -> String {
    application
        .identity(name)
        .map_or_else(|| format!("`{name}`"), |identity| format!("{} `{}`", kind(identity), called(identity)))
}

/// Where a way leads, to be read after "can".
pub(super) fn reach(application: &Application, way: &Escalation) -> String {
    match &way.reach {
        Reach::Administrator => "become administrator".to_string(),
        Reach::Boundary => "give itself everything that its permissions boundary leaves".to_string(),
        Reach::Identity(name) if *name == way.identity => "get rid of its permissions boundary".to_string(),
        Reach::Identity(name) => format!("act as {}", shown(application, name)),
        Reach::Others => "act as others of the account".to_string(),
    }
}

fn runs_as<'a>(application: &'a Application, identity: &'a Identity) -> impl Iterator<Item = &'a Function> {
    application.functions.iter().filter(|function| function.identity.as_deref() == Some(identity.name.as_str()))
}

fn severity(application: &Application, way: &Escalation) -> Severity {
    match (&way.reach, way.certain()) {
        (Reach::Administrator, true) => Severity::High,
        (Reach::Administrator, false) | (Reach::Boundary, _) => Severity::Medium,
        // The role of a helper that is handed on as it was meant to be is worth knowing, no more.
        (Reach::Identity(name), _) if is_strong(application, name) => Severity::Medium,
        (Reach::Identity(_), _) => Severity::Low,
        // What AWS's own policies for a service allow is wide for everybody who uses that service.
        (Reach::Others, true) if !by_managed_policies(application, way) => Severity::Medium,
        (Reach::Others, _) => Severity::Low,
    }
}

/// Whether an identity may do much: to all of some kind of store, to secrets, to the code of others or to permissions.
fn is_strong(application: &Application, name: &str) -> bool {
    let Some(identity) = application.identity(name) else { return false };
    let permissions = iam::Permissions::of(application, identity);
    let strong = |one: &iam::Access| {
        one.matter == iam::Matter::Secret
            || one.verb == iam::Verb::Rewrite
            || (one.name.is_none() && one.matter.holds_data())
    };
    iam::access(application, &permissions).iter().any(strong)
        || permissions.grants().iter().any(|grant| {
            facts::action(grant.action).is_some_and(|action| action.access() == facts::Access::Permissions)
        })
}

/// Whether the first step rests on managed policies of AWS alone.
fn by_managed_policies(application: &Application, way: &Escalation) -> bool {
    let Some(identity) = application.identity(&way.identity) else { return false };
    let spans = way.steps.first().map_or(&[][..], |step| &step.because);
    !spans.is_empty()
        && spans.iter().all(|span| {
            identity
                .statements
                .iter()
                .any(|statement| statement.span == *span && matches!(statement.origin, Origin::Managed(_)))
        })
}

fn of_identity(application: &Application, identity: &Identity, ways: &[&Escalation], sources: &Sources) -> Finding {
    let first = ways.first().copied();
    let steps = first.map_or(&[][..], |way| &way.steps);
    // `ways` are the best first, so that the first speaks for all.
    let others: BTreeSet<&str> =
        ways.iter().skip(1).filter_map(|way| way.steps.first()).map(|step| step.rule).collect();
    let place = steps.iter().flat_map(|step| &step.because).find(|span| is_known(sources, **span)).copied();
    let mut title = format!(
        "{} `{}` can {}",
        kind(identity),
        called(identity),
        first.map_or_else(String::new, |way| reach(application, way))
    );
    if let Some(step) = steps.first() {
        title.push_str(&format!(": it {}", step.words));
    }
    for step in steps.iter().skip(1) {
        title.push_str(&format!(", which {}", step.words));
    }
    let mut related = vec![Label { span: head(sources, identity.span), message: format!("this {}", kind(identity)) }];
    for step in steps {
        for span in step.because.iter().filter(|span| Some(**span) != place && is_known(sources, **span)) {
            related
                .push(Label { span: head(sources, *span), message: format!("allows `{}`", step.actions.join("`, `")) });
        }
    }
    related.dedup();
    related.truncate(8);
    let functions: Vec<&Function> = runs_as(application, identity).collect();
    let (severity, confidence) = match first {
        Some(way) if way.certain() => (severity(application, way), Confidence::High),
        Some(way) => (severity(application, way), Confidence::Medium),
        None => (Severity::Low, Confidence::Low),
    };
    let mut remediation = match steps.first() {
        Some(step) => format!(
            "limit `{}` to what it is for, or take it away; the way is described by {}",
            step.actions.first().copied().unwrap_or_default(),
            step.source
        ),
        None => String::new(),
    };
    if !others.is_empty() {
        let names: Vec<&str> = others.iter().take(6).copied().collect();
        let more = others.len().saturating_sub(names.len());
        remediation.push_str(&format!("; other ways: {}", names.join(", ")));
        if more > 0 {
            remediation.push_str(&format!(" and {more} more"));
        }
    }
    Finding {
        id: PRIVILEGE_ESCALATION.id,
        severity,
        confidence,
        title,
        function: match functions.as_slice() {
            [one] => Some(one.name.clone()),
            _ => None,
        },
        cwe: PRIVILEGE_ESCALATION.cwe.to_vec(),
        primary: Label {
            span: head(sources, place.unwrap_or(identity.span)),
            message: steps.first().map_or_else(String::new, |step| format!("allows `{}`", step.actions.join("`, `"))),
        },
        related,
        trace: Vec::new(),
        remediation,
    }
}

/// Whether a span points at text.
pub(super) fn is_known(sources: &Sources, span: Span) -> bool {
    span.end > span.start && sources.get(span.file).is_some()
}

/// The first line of a block.
pub(super) fn head(sources: &Sources, span: Span) -> Span {
    let line = sources.slice(span).lines().next().unwrap_or("").trim_end();
    if line.is_empty() {
        span
    } else {
        Span::new(span.file, span.start as usize, span.start as usize + line.len().min(160))
    }
}

/// A role that lets in anyone, or everyone of the account.
fn trust(application: &Application, role: &Identity) -> Option<Finding> {
    let open = role
        .trust
        .iter()
        .filter(|statement| statement.effect == Effect::Allow && statement.condition.is_none())
        .find_map(|statement| {
            statement.principals.iter().find_map(|principal| {
                let shown = principal.to_string();
                match shown.as_str() {
                    "*" => Some((statement.span, true)),
                    "${AWS::AccountId}" => Some((statement.span, false)),
                    shown if shown.contains("${AWS::AccountId}:root") => Some((statement.span, false)),
                    _ => None,
                }
            })
        });
    let (span, anyone) = open?;
    let grants = !iam::Permissions::of(application, role).grants().is_empty();
    let (severity, who) = match (anyone, grants) {
        (true, true) => (Severity::Critical, "anyone with an AWS account"),
        (true, false) => (Severity::Medium, "anyone with an AWS account"),
        (false, _) => (Severity::Low, "everyone of the account who may assume roles"),
    };
    Some(Finding {
        id: PERMISSIVE_ROLE_TRUST.id,
        severity,
        confidence: Confidence::High,
        title: format!("{who} can act as role `{}`", called(role)),
        function: None,
        cwe: PERMISSIVE_ROLE_TRUST.cwe.to_vec(),
        primary: Label { span, message: "this trust names nobody in particular".into() },
        related: Vec::new(),
        trace: Vec::new(),
        remediation: "name the principals that are to have it; for another company's account, with an external id"
            .into(),
    })
}

/// The steps of a way as a path tells them.
pub(super) fn steps(application: &Application, way: &Escalation, sources: &Sources) -> Vec<PathStep> {
    way.steps
        .iter()
        .enumerate()
        .map(|(index, step)| {
            let who = shown(application, &step.identity);
            let mut what = format!("{who} {}", step.words);
            if !step.certain {
                what.push_str(", if a condition or what isn't in the source lets it");
            }
            if index + 1 == way.steps.len() {
                match &way.reach {
                    Reach::Administrator => what.push_str("; that makes it administrator"),
                    Reach::Boundary => what.push_str("; that leaves it everything within its permissions boundary"),
                    _ => {}
                }
            }
            PathStep {
                what,
                node: step.node.clone(),
                span: step
                    .because
                    .iter()
                    .copied()
                    .find(|span| is_known(sources, *span))
                    .map(|span| head(sources, span)),
                finding: Some(PRIVILEGE_ESCALATION.id),
            }
        })
        .collect()
}

/// The paths of identities that somebody holds the keys of: the best way of each.
pub(super) fn paths(application: &Application, ways: &[Escalation], sources: &Sources) -> Vec<AttackPath> {
    by_identity(application, ways)
        .filter_map(|(identity, own)| {
            let way = own.first()?;
            let severity = severity(application, way);
            if severity < Severity::Medium {
                return None;
            }
            let functions: Vec<String> = runs_as(application, identity).map(|function| function.name.clone()).collect();
            let start = match (identity.kind, functions.as_slice()) {
                (IdentityKind::User, _) => format!("somebody has the keys of user `{}`", called(identity)),
                (IdentityKind::Group, _) => format!("somebody is in group `{}`", called(identity)),
                (IdentityKind::Role, []) => format!("somebody may act as role `{}`", called(identity)),
                (IdentityKind::Role, [one, ..]) => {
                    format!("somebody runs code in `{one}`, whose role is `{}`", called(identity))
                }
            };
            let mut told = vec![PathStep {
                what: start,
                node: Some(identity.name.clone()),
                span: is_known(sources, identity.span).then(|| head(sources, identity.span)),
                finding: None,
            }];
            told.extend(steps(application, way, sources));
            Some(AttackPath {
                id: "privilege-escalation",
                severity,
                title: format!("{} `{}` can {}", kind(identity), called(identity), reach(application, way)),
                functions,
                steps: told,
            })
        })
        .collect()
}
