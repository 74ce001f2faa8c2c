//! Paths that need no function: stores that stand open, roles that let anyone in, credentials that are handed to whoever asks.

use super::escalate::{self, called};
use super::head_of;
use super::loss::{self, and};
use super::start::named;
use findings::{AttackPath, Finding, PathStep, Severity};
use graph::{Application, Identity, ResourceKind};
use iam::{Escalation, Reach, document};
use source::{Sources, Span};

pub(super) fn paths(
    application: &Application,
    findings: &[Finding],
    ways: &[Escalation],
    sources: &Sources,
) -> Vec<AttackPath> {
    let mut found: Vec<AttackPath> = findings.iter().filter_map(|finding| open_store(application, finding)).collect();
    for finding in findings
        .iter()
        .filter(|finding| finding.id == escalate::PERMISSIVE_ROLE_TRUST.id && finding.severity >= Severity::High)
    {
        let role =
            application.identities.iter().find(|identity| finding.title.contains(&format!("`{}`", called(identity))));
        if let Some(role) = role {
            let start = PathStep {
                what: finding.title.clone(),
                node: Some(role.name.clone()),
                span: Some(finding.primary.span),
                finding: Some(finding.id),
            };
            found.extend(open_role(
                application,
                role,
                "anyone with an AWS account",
                start,
                Severity::Critical,
                ways,
                sources,
            ));
        }
    }
    found.extend(identity_pools(application, ways, sources));
    found
}

/// A bucket that anyone can read, and who fills it.
fn open_store(application: &Application, finding: &Finding) -> Option<AttackPath> {
    if finding.id != "public-bucket" || finding.severity < Severity::Medium {
        return None;
    }
    let quoted = |name: &str| finding.title.contains(&format!("`{name}`"));
    let bucket = application
        .resources
        .iter()
        .find(|resource| resource.kind == ResourceKind::Bucket && quoted(&resource.name))?;
    let writers: Vec<(&str, Span)> = application
        .functions
        .iter()
        .filter_map(|function| {
            let calls = &function.behaviour.as_ref()?.calls;
            let fills = calls.iter().find(|call| {
                call.actions.iter().any(|action| action == "s3:PutObject")
                    && call.target.resolve(&function.environment).and_then(|value| named(application, &value))
                        == Some(&bucket.name)
            })?;
            Some((function.name.as_str(), fills.span))
        })
        .collect();
    // A bucket that nothing of the application fills may well be meant to be read: pages, pictures.
    if writers.is_empty() && finding.severity < Severity::High {
        return None;
    }
    let mut steps = vec![PathStep {
        what: finding.title.clone(),
        node: Some(bucket.name.clone()),
        span: Some(finding.primary.span),
        finding: Some(finding.id),
    }];
    steps.extend(writers.iter().take(4).map(|(name, span)| PathStep {
        what: format!("`{name}` puts what it makes there"),
        node: Some((*name).to_string()),
        span: Some(*span),
        finding: None,
    }));
    if writers.is_empty() {
        steps.push(PathStep {
            what: format!("what is in `{}` is anyone's", bucket.name),
            node: Some(bucket.name.clone()),
            span: Some(bucket.span),
            finding: None,
        });
    }
    let from = match writers.as_slice() {
        [] => String::new(),
        [(one, _)] => format!(", where `{one}` puts what it makes"),
        many => format!(", where {} functions put what they make", many.len()),
    };
    Some(AttackPath {
        id: "open-store",
        severity: finding.severity.min(Severity::High),
        title: format!("anyone gets at bucket `{}`{from}", bucket.name),
        functions: writers.iter().map(|(name, _)| (*name).to_string()).collect(),
        steps,
    })
}

/// What somebody does who may act as a role.
fn open_role(
    application: &Application,
    role: &Identity,
    who: &str,
    start: PathStep,
    severity: Severity,
    ways: &[Escalation],
    sources: &Sources,
) -> Option<AttackPath> {
    let permissions = iam::Permissions::of(application, role);
    let losses = loss::of_role(&iam::access(application, &permissions));
    let administrator = permissions.administrator().is_some();
    let up = ways.iter().find(|way| way.identity == role.name && way.reach != Reach::Others);
    if losses.is_empty() && !administrator && up.is_none() {
        return None;
    }
    let worst = losses.iter().map(|loss| loss.weight).max().unwrap_or(0);
    let mut steps = vec![start];
    let mut gains: Vec<String> = losses.iter().take(3).map(|loss| loss.short.clone()).collect();
    if administrator {
        gains = vec!["do everything in the account".to_string()];
        steps.push(PathStep {
            what: format!("role `{}` is administrator of the account", called(role)),
            node: Some(role.name.clone()),
            span: head_of(sources, role.span),
            finding: None,
        });
    }
    steps.extend(losses.iter().take(if administrator { 0 } else { 6 }).map(|loss| PathStep {
        what: format!("role `{}` can {}", called(role), loss.words),
        node: loss.node.clone(),
        span: loss.span.and_then(|span| head_of(sources, span)),
        finding: None,
    }));
    if let Some(way) = up {
        steps.extend(escalate::steps(application, way, sources));
        gains.push(escalate::reach(application, way));
    }
    let gains: Vec<&str> = gains.iter().map(String::as_str).collect();
    let severity = if administrator || up.is_some() || worst > 2 { severity } else { severity.min(Severity::High) };
    Some(AttackPath {
        id: "open-role",
        severity,
        title: format!("{who} can act as role `{}` and {}", called(role), and(&gains)),
        functions: Vec::new(),
        steps,
    })
}

/// Roles that an identity pool hands out: to anyone where it takes guests, to whoever signs in.
fn identity_pools(application: &Application, ways: &[Escalation], sources: &Sources) -> Vec<AttackPath> {
    let mut found = Vec::new();
    let attachments = application
        .resources
        .iter()
        .filter(|resource| resource.resource_type == "AWS::Cognito::IdentityPoolRoleAttachment");
    for attachment in attachments {
        let pool = attachment
            .property("IdentityPoolId")
            .map(document::property_value)
            .and_then(|value| value.resources().find_map(|name| application.resource(name)));
        let guests = pool.and_then(|pool| pool.property("AllowUnauthenticatedIdentities")).is_some_and(|flag| {
            flag.as_bool() == Some(true) || flag.as_str().is_some_and(|text| text.eq_ignore_ascii_case("true"))
        });
        let kinds = [
            ("unauthenticated", "anyone", Severity::Critical, guests),
            ("authenticated", "a signed-in user", Severity::High, true),
        ];
        for (kind, who, severity, given) in kinds {
            let role = attachment
                .property(&format!("Roles.{kind}"))
                .map(document::property_value)
                .and_then(|value| value.resources().find_map(|name| application.identity(name)));
            let Some(role) = role.filter(|_| given) else { continue };
            let start = PathStep {
                what: format!("{who} is handed credentials of role `{}` by an identity pool", called(role)),
                node: Some(role.name.clone()),
                span: Some(attachment.property_span("Roles")),
                finding: None,
            };
            let path = open_role(application, role, who, start, severity, ways, sources);
            // Signed-in users are meant to do something: only what goes beyond their own is a path.
            let beyond = kind == "unauthenticated"
                || ways.iter().any(|way| way.identity == role.name)
                || wide(application, role);
            found.extend(path.filter(|_| beyond));
        }
    }
    found
}

/// Whether a role reaches all of some kind of thing that holds data.
fn wide(application: &Application, role: &Identity) -> bool {
    let permissions = iam::Permissions::of(application, role);
    iam::access(application, &permissions).iter().any(|one| one.name.is_none() && one.matter.holds_data())
}
