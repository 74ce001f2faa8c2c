//! The page's other sections: where to start, the attack paths as stories, what the audits mean, the functions, and what wasn't read.

use super::finding::{by_function, excerpt, find};
use super::{Page, chip, counts, place, rank, text};
use crate::render::{capital, plural};
use diagram::escape;
use findings::{Label, Level};
use graph::Exposure;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Result, Write};

/// Attack paths at most.
const MAX_PATHS: usize = 200;
/// Functions at most.
const MAX_FUNCTIONS: usize = 3_000;
/// Diagnostics at most.
const MAX_UNREAD: usize = 500;
/// Lines of the tables in the summary.
const FEW: usize = 8;

/// Two short tables: the functions to begin with, and what there is most of.
pub(super) fn overview(out: &mut String, page: &Page<'_>) -> Result {
    if page.report.findings.is_empty() {
        return Ok(());
    }
    let mut functions: Vec<(String, [usize; 5])> = by_function(page).into_iter().collect();
    let worst_first = |counts: &[usize; 5]| {
        let mut counts = *counts;
        counts.reverse();
        std::cmp::Reverse(counts)
    };
    functions.sort_by_key(|(_, counts)| worst_first(counts));
    let mut audits: BTreeMap<String, [usize; 5]> = BTreeMap::new();
    for finding in &page.report.findings {
        audits.entry(finding.id.to_string()).or_default()[rank(finding.severity)] += 1;
    }
    let mut audits: Vec<_> = audits.into_iter().collect();
    audits.sort_by_key(|(_, counts)| worst_first(counts));
    out.push_str("<div class=\"overview\">");
    for (title, kind, rows) in [("Where to begin", "function", functions), ("What was found", "audit", audits)] {
        if rows.is_empty() {
            continue;
        }
        write!(out, "<div><h3>{title}</h3><ul>")?;
        for (name, numbers) in rows.iter().take(FEW) {
            write!(
                out,
                "<li><a href=\"#findings\" data-pick=\"{kind}\" data-value=\"{0}\">{0}</a>{1}</li>",
                escape(name),
                counts(numbers)
            )?;
        }
        out.push_str("</ul>");
        if rows.len() > FEW {
            write!(out, "<p class=\"note\">and {}</p>", plural(rows.len() - FEW, &format!("more {kind}")))?;
        }
        out.push_str("</div>");
    }
    out.push_str("</div>");
    Ok(())
}

pub(super) fn paths(out: &mut String, page: &Page<'_>) -> Result {
    let paths = &page.report.attack_paths;
    if paths.is_empty() {
        return Ok(());
    }
    out.push_str(
        "<section id=\"paths\"><h2>Attack paths</h2><p class=\"about\">Ways from where somebody stands to what matters, the worst first; \
         each step with its evidence.</p>",
    );
    for (number, path) in paths.iter().take(MAX_PATHS).enumerate() {
        write!(
            out,
            "<details class=\"story {}\"{}><summary>{}<span class=\"what\"><b>{}</b><small>{}</small></span></summary><ol class=\"steps\">",
            path.severity,
            if number < 3 { " open" } else { "" },
            chip(path.severity),
            text(&capital(&path.title)),
            escape(&path.functions.join(" → ")),
        )?;
        let functions: Vec<&str> = path.functions.iter().map(String::as_str).collect();
        for step in &path.steps {
            let node: Vec<&str> = step.node.as_deref().into_iter().collect();
            let around = if node.is_empty() { &functions } else { &node };
            let link = step.finding.and_then(|id| Some((id, find(page, id, around)?)));
            let link = link.map(|(id, index)| format!(" <a href=\"#n{index}\">{}</a>", escape(id))).unwrap_or_default();
            let at = step.span.map(|span| place(page.sources(), span)).unwrap_or_default();
            write!(out, "<li><p>{}{link} {at}</p>", text(&capital(&step.what)))?;
            if let Some(span) = step.span {
                excerpt(out, page, &Label { span, message: String::new() }, 0)?;
            }
            out.push_str("</li>");
        }
        out.push_str("</ol></details>");
    }
    if paths.len() > MAX_PATHS {
        write!(out, "<p class=\"note\">{} more are in the JSON.</p>", plural(paths.len() - MAX_PATHS, "path"))?;
    }
    out.push_str("</section>");
    Ok(())
}

/// For each audit that found something: why it matters.
pub(super) fn meanings(out: &mut String, page: &Page<'_>) -> Result {
    let ids: BTreeSet<&str> = page.report.findings.iter().map(|finding| finding.id).collect();
    let infos: Vec<_> = crate::own::all().filter(|info| ids.contains(info.id)).collect();
    if infos.is_empty() {
        return Ok(());
    }
    out.push_str("<section id=\"meanings\"><h2>What the audits mean</h2><div class=\"meanings\">");
    for info in infos {
        let risks: Vec<String> =
            findings::owasp(info.cwe).iter().map(|risk| format!("{} {}", risk.id, risk.name)).collect();
        write!(
            out,
            "<details id=\"audit-{}\"><summary><b>{}</b><small>{}</small></summary><p>{}</p><p class=\"classes\">",
            escape(info.id),
            text(info.title),
            escape(info.id),
            text(&part(info.docs, "## Why it matters")),
        )?;
        for class in info.cwe.iter().map(|cwe| format!("CWE-{cwe}")).chain(risks) {
            write!(out, "<span>{}</span>", escape(&class))?;
        }
        write!(
            out,
            "</p><p class=\"note\"><code>ringfence explain {}</code> tells more.</p></details>",
            escape(info.id)
        )?;
    }
    out.push_str("</div></section>");
    Ok(())
}

/// The text under a heading of an audit's documentation, up to the next heading or example.
fn part(docs: &str, heading: &str) -> String {
    let after = docs.split_once(heading).map_or(docs, |(_, after)| after);
    let lines = after.lines().skip_while(|line| line.trim().is_empty());
    lines.take_while(|line| !line.starts_with("## ") && !line.starts_with("```")).collect::<Vec<_>>().join(" ")
}

pub(super) fn functions(out: &mut String, page: &Page<'_>) -> Result {
    let total = page.loaded.estate.functions().count();
    if total == 0 {
        return Ok(());
    }
    out.push_str(
        "<section id=\"functions\"><h2>Functions</h2><form class=\"filters\" hidden><input type=\"search\" name=\"text\" placeholder=\"Filter\" \
         aria-label=\"Filter functions\"><select name=\"exposure\" aria-label=\"Exposure\"><option value=\"\">Any exposure</option>",
    );
    for exposure in [Exposure::Public, Exposure::Authenticated, Exposure::Fed, Exposure::Internal, Exposure::None] {
        write!(out, "<option>{}</option>", exposure.name())?;
    }
    out.push_str(
        "</select><output aria-live=\"polite\"></output></form><div class=\"wide\"><table><thead><tr><th scope=\"col\">Function</th>\
         <th scope=\"col\">Exposure</th><th scope=\"col\">Started by</th><th scope=\"col\">Runs as</th><th scope=\"col\">Findings</th>\
         <th scope=\"col\">Place</th></tr></thead><tbody>",
    );
    let found = by_function(page);
    let several = page.applications.len() > 1;
    let mut written = 0;
    'all: for (owner, part) in page.applications.iter().enumerate() {
        for function in &part.application.functions {
            if written == MAX_FUNCTIONS {
                break 'all;
            }
            written += 1;
            let exposure = part.callers.exposure(part.application, function);
            let mut starts: Vec<String> =
                part.application.triggers_of(&function.name).map(|trigger| escape(&trigger.label())).collect();
            starts.extend(part.callers.names(function).iter().map(|name| format!("function {}", escape(name))));
            let more = starts.len().saturating_sub(6);
            starts.truncate(6);
            if more > 0 {
                starts.push(format!("and {more} more"));
            }
            let identity = match part.application.identity_of(function) {
                Some(identity) if identity.generated => "<span class=\"none\">own role</span>".to_owned(),
                Some(identity) => escape(&identity.name),
                None => "<span class=\"none\">role from elsewhere</span>".to_owned(),
            };
            let named = page.named(Some(owner), &function.name);
            let numbers = found.get(&named).copied().unwrap_or_default();
            let findings = match numbers.iter().sum::<usize>() {
                0 => "<span class=\"none\">none</span>".to_string(),
                _ => format!(
                    "<a href=\"#findings\" data-pick=\"function\" data-value=\"{}\" aria-label=\"Findings of {0}\">{}</a>",
                    escape(&named),
                    counts(&numbers)
                ),
            };
            write!(
                out,
                "<tr data-exposure=\"{0}\"><th scope=\"row\">{1}<small>{2}</small></th><td><span class=\"exposure {0}\" title=\"Reached by {3}\">{0}</span></td>\
                 <td>{4}</td><td>{identity}</td><td>{findings}</td><td>{5}</td></tr>",
                exposure.name(),
                escape(&function.name),
                escape(
                    &[
                        function.runtime.as_ref().map_or("", |runtime| &runtime.value),
                        if several { part.application.name.as_str() } else { "" },
                    ]
                    .iter()
                    .filter(|part| !part.is_empty())
                    .copied()
                    .collect::<Vec<_>>()
                    .join(" · ")
                ),
                diagram::describe(exposure),
                starts.join("<br>"),
                place(page.sources(), function.span),
            )?;
        }
    }
    out.push_str("</tbody></table></div>");
    if total > written {
        write!(out, "<p class=\"note\">{} more are in the JSON.</p>", plural(total - written, "function"))?;
    }
    out.push_str("</section>");
    Ok(())
}

pub(super) fn unread(out: &mut String, page: &Page<'_>) -> Result {
    let mut said: Vec<_> = page.report.diagnostics.iter().filter(|diagnostic| diagnostic.level > Level::Note).collect();
    if said.is_empty() {
        return Ok(());
    }
    said.sort_by_key(|diagnostic| std::cmp::Reverse(diagnostic.level));
    out.push_str(
        "<section id=\"unread\"><h2>Not read, or not wholly understood</h2><p class=\"about\">About these, silence means nothing.</p><ul class=\"unread\">",
    );
    for diagnostic in said.iter().take(MAX_UNREAD) {
        let level = if diagnostic.level == Level::Error { "not read" } else { "partly" };
        let at = diagnostic.span.map(|span| place(page.sources(), span)).unwrap_or_default();
        let help =
            diagnostic.help.as_ref().map(|help| format!("<small>{}</small>", text(&capital(help)))).unwrap_or_default();
        write!(
            out,
            "<li><span class=\"chip {}\">{level}</span><p>{} {at}{help}</p></li>",
            if diagnostic.level == Level::Error { "high" } else { "info" },
            text(&capital(&diagnostic.message)),
        )?;
    }
    out.push_str("</ul>");
    if said.len() > MAX_UNREAD {
        write!(out, "<p class=\"note\">{} more are in the JSON.</p>", plural(said.len() - MAX_UNREAD, "place"))?;
    }
    out.push_str("</section>");
    Ok(())
}
