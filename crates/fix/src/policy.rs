//! Repairs of permissions: what a function's policies grant is replaced by what its code needs.

use crate::yaml::Template;
use crate::{Edit, Input, Repair};
use findings::Finding;
use graph::{Application, Effect, Function, Identity, Statement};
use iam::Policy;
use source::{Entry, Node};
use std::collections::BTreeSet;

const OTHER: &str =
    "only the `Policies` of a SAM function or of a role are rewritten; `ringfence policy` tells what the code needs";

/// The derived statements in place of the `Policies` that a finding points into.
pub(crate) fn least_privilege(input: &Input<'_>, finding: &Finding) -> Result<Repair, String> {
    let span = finding.primary.span;
    let template = Template::of(input, span).ok_or(OTHER)?;
    let application = input.application(span).ok_or(OTHER)?;
    let entry = template.resource_at(span.start).ok_or(OTHER)?;
    let properties = entry.value.get("Properties").ok_or(OTHER)?;
    let written = properties.entry("Policies").ok_or(OTHER)?;
    let inside = written.key_span.start <= span.start && span.end <= written.value.span.end.max(written.key_span.end);
    if !inside {
        return Err(OTHER.to_string());
    }
    let of_role = entry.value.get("Type").and_then(Node::as_str) == Some("AWS::IAM::Role");
    let identity = match application.function(&entry.key) {
        Some(function) => application.identity_of(function).filter(|identity| identity.generated),
        None => application.identity(&entry.key).filter(|_| of_role),
    };
    let identity = identity.ok_or(OTHER)?;
    let users: Vec<&Function> = application
        .functions
        .iter()
        .filter(|other| other.identity.as_deref() == Some(identity.name.as_str()))
        .collect();
    if users.is_empty() {
        return Err("no function of the template runs with this role, so what needs it isn't known".to_string());
    }
    if of_role && assumed_by_others(identity) {
        return Err("others than functions may take this role, and what they need isn't known".to_string());
    }
    let here = |span: source::Span| {
        span.file == finding.primary.span.file
            && written.value.span.start <= span.start
            && span.end <= written.value.span.end.max(written.key_span.end)
    };
    let own: Vec<&Statement> = identity.statements.iter().filter(|one| here(one.span)).collect();
    if own.iter().any(|one| one.effect == Effect::Deny || one.condition.is_some()) {
        return Err(
            "what it grants is limited by denials or conditions, which a derived policy wouldn't keep".to_string()
        );
    }
    let policy = needed(input, application, &users)?;
    // Where the code needs just what is granted, on everything, there is nothing to narrow.
    let as_wide = |one: &Statement, action: &String| {
        let granted = |resource: &graph::Value| one.resources.iter().any(|own| own.to_string() == resource.to_string());
        policy.statements.iter().any(|need| {
            need.actions.contains(action)
                && need.resources.iter().any(|resource| resource.as_text() == Some("*") || granted(resource))
        })
    };
    let pointed: Vec<&&Statement> = own
        .iter()
        .filter(|one| {
            one.span.start <= span.start && span.end <= one.span.end
                || span.start <= one.span.start && one.span.end <= span.end
        })
        .collect();
    if !pointed.is_empty()
        && pointed.iter().all(|one| !one.not_actions && one.actions.iter().all(|action| as_wide(one, action)))
    {
        return Err(
            "the code needs these actions, and they can't be limited to resources that the source tells".to_string()
        );
    }
    let because = |need: &iam::Need| {
        let places: BTreeSet<String> = need.because.iter().take(3).map(|span| input.sources.place(*span)).collect();
        places.into_iter().collect::<Vec<_>>().join(", ")
    };
    let text = iam::render::sam(&policy, of_role, &because);
    let text = if of_role { as_inline(&text, written, &entry.key) } else { text };
    let edit = replacement(&template, written, &text)?;
    let names = users.iter().map(|function| format!("`{}`", function.name)).collect::<Vec<_>>().join(", ");
    let mut repair = Repair::new(format!("grant {names} what the code needs and nothing else"), vec![edit]);
    let mut remarks = Vec::new();
    if let Some(need) = policy.statements.iter().find(wide) {
        remarks.push(format!("`{}` can't be limited to resources", need.actions.join("`, `")));
    }
    let old = template.text.get(written.value.span.range()).unwrap_or_default();
    let lost = old.lines().filter(|line| line.trim_start().starts_with('#')).count();
    if lost > 0 {
        remarks.push(format!("{lost} comments among the old statements go with them"));
    }
    if !remarks.is_empty() {
        repair = repair.remark(remarks.join("; "));
    }
    Ok(repair)
}

/// Whether something is needed on everything.
fn wide(need: &&iam::Need) -> bool {
    need.resources.iter().any(|resource| resource.as_text() == Some("*"))
}

/// Whether a role's trust lets others in than the service that runs functions.
fn assumed_by_others(identity: &Identity) -> bool {
    identity
        .trusted
        .iter()
        .any(|principal| !matches!(principal.as_text(), Some("lambda.amazonaws.com" | "edgelambda.amazonaws.com")))
}

/// What all functions of a role need together.
fn needed(input: &Input<'_>, application: &Application, users: &[&Function]) -> Result<Policy, String> {
    let mut all: Option<Policy> = None;
    for function in users {
        let policy = iam::least_privilege(application, function, input.sources);
        if !policy.code_read {
            return Err(format!("the code of `{}` wasn't read, so what it needs isn't known", function.name));
        }
        if let Some(first) = policy.unresolved.first() {
            return Err(format!("what `{}` needs isn't known in full: {}", function.name, first.why));
        }
        match &mut all {
            None => all = Some(policy),
            Some(known) => {
                for need in policy.statements {
                    match known
                        .statements
                        .iter_mut()
                        .find(|own| own.actions == need.actions && own.resources == need.resources)
                    {
                        Some(own) => own.because.extend(need.because),
                        None => known.statements.push(need),
                    }
                }
                let same = |own: &iam::PlatformNeed, need: &iam::PlatformNeed| {
                    own.need.actions == need.need.actions && own.need.resources == need.need.resources
                };
                for need in policy.platform {
                    if !known.platform.iter().any(|own| same(own, &need)) {
                        known.platform.push(need);
                    }
                }
            }
        }
    }
    all.ok_or_else(|| OTHER.to_string())
}

/// A role's inline policies have names around their documents; the first one's name stays.
fn as_inline(text: &str, written: &Entry, role: &str) -> String {
    let present = written.value.items().first().and_then(|first| first.get("PolicyName")).and_then(Node::as_str);
    let name = present.map_or_else(|| format!("{role}Needs"), str::to_string);
    let mut lines = text.lines();
    let mut out = lines.next().unwrap_or("Policies:").to_string();
    for (number, line) in lines.enumerate() {
        if number == 0 {
            out.push_str(&format!("\n  - PolicyName: {}\n    PolicyDocument:", serde_json::Value::from(name.as_str())));
        }
        let line = line.strip_prefix("  - ").map_or_else(|| line.to_string(), |rest| format!("    {rest}"));
        out.push_str(&format!("\n  {line}"));
    }
    out
}

/// `Policies` and what they hold, replaced by lines of block style.
fn replacement(template: &Template<'_>, written: &Entry, text: &str) -> Result<Edit, String> {
    let start = written.key_span.start as usize;
    let line = template.text.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |found| found + 1);
    let indent = template.text.get(line..start).unwrap_or_default();
    if template.text.trim_start().starts_with('{') || !indent.chars().all(|c| c == ' ') {
        return Err("its policies stand in flow style, where lines with reasons have no room".to_string());
    }
    let mut lines = text.trim_end().lines();
    let first = lines.next().unwrap_or_default().to_string();
    let rest: String = lines.map(|line| format!("\n{indent}{line}")).collect();
    // A block ends where its last text ends: what follows on that line (a comment) and below stays.
    let old = template.text.get(start..written.value.span.end as usize).unwrap_or_default();
    Ok(Edit::new(template.path, start, start + old.trim_end().len(), format!("{first}{rest}")))
}
