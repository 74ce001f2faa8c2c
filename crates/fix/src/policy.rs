//! Repairs of permissions: what a function's own policies grant is replaced by what its code needs.

use crate::yaml::Template;
use crate::{Edit, Input, Repair};
use findings::Finding;
use std::collections::BTreeSet;

/// The derived statements in place of a SAM function's `Policies`.
pub(crate) fn least_privilege(input: &Input<'_>, finding: &Finding) -> Result<Repair, String> {
    const OTHER: &str =
        "only the `Policies` of a SAM function are rewritten; `ringfence policy` tells what the code needs";
    let span = finding.primary.span;
    let template = Template::of(input, span).ok_or(OTHER)?;
    let application = input.application(span).ok_or(OTHER)?;
    let entry = template.resource_at(span.start).ok_or(OTHER)?;
    let function = application.function(&entry.key).ok_or(OTHER)?;
    let own = application.identity_of(function).filter(|identity| identity.generated).ok_or(OTHER)?;
    let shared =
        application.functions.iter().filter(|other| other.identity.as_deref() == Some(own.name.as_str())).count();
    if shared != 1 {
        return Err("several functions run with this role: split it first".to_string());
    }
    let policies = entry.value.at(&["Properties", "Policies"]).ok_or(OTHER)?;
    let key = entry.value.get("Properties").and_then(|own| own.entry("Policies")).ok_or(OTHER)?.key_span;
    let inside = policies.span.start <= span.start && span.end <= policies.span.end.max(key.end);
    let about_key = key.start <= span.start && span.end <= policies.span.end;
    if !inside && !about_key {
        return Err(OTHER.to_string());
    }
    let policy = iam::least_privilege(application, function, input.sources);
    if !policy.code_read {
        return Err("its code wasn't read, so what it needs isn't known".to_string());
    }
    if let Some(first) = policy.unresolved.first() {
        return Err(format!("what it needs isn't known in full: {}", first.why));
    }
    let wide = |need: &&iam::Need| need.resources.iter().any(|resource| resource.as_text() == Some("*"));
    let because = |need: &iam::Need| {
        let places: BTreeSet<String> = need.because.iter().take(3).map(|span| input.sources.place(*span)).collect();
        places.into_iter().collect::<Vec<_>>().join(", ")
    };
    let text = iam::render::sam(&policy, false, &because);
    let start = key.start as usize;
    let line = template.text.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |found| found + 1);
    let indent = template.text.get(line..start).unwrap_or_default();
    if template.text.trim_start().starts_with('{') || !indent.chars().all(|c| c == ' ') {
        return Err("its policies stand in flow style, where lines with reasons have no room".to_string());
    }
    let mut lines = text.trim_end().lines();
    let first = lines.next().unwrap_or_default().to_string();
    let rest: String = lines.map(|line| format!("\n{indent}{line}")).collect();
    // A block ends where its last text ends: what follows on that line (a comment) and below stays.
    let written = template.text.get(start..policies.span.end as usize).unwrap_or_default();
    let end = start + written.trim_end().len();
    let lost = written.lines().filter(|line| line.trim_start().starts_with('#')).count();
    let edit = Edit::new(template.path, start, end, format!("{first}{rest}"));
    let mut repair = Repair::new(format!("grant `{}` what its code needs and nothing else", function.name), vec![edit]);
    let mut remarks = Vec::new();
    if let Some(need) = policy.statements.iter().find(wide) {
        remarks.push(format!("`{}` can't be limited to resources", need.actions.join("`, `")));
    }
    if lost > 0 {
        remarks.push(format!("{lost} comments among the old statements go with them"));
    }
    if !remarks.is_empty() {
        repair = repair.remark(remarks.join("; "));
    }
    Ok(repair)
}
