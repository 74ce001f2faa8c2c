//! One function on the page: everything the graph knows about it, with its places.

use super::inventory::{has_url_trigger, start, touched, users, wide};
use crate::callers::Callers;
use diagram::escape;
use graph::{
    Application, Authorization, CallTarget, Code, Effect, Exposure, Function, Identity, Origin, Statement, TriggerKind,
    UrlAuth,
};
use source::{Sources, Span};
use std::collections::BTreeMap;
use std::fmt::{Result, Write};

/// Lines of a list at most.
const MOST: usize = 60;

/// The card of a function.
pub(super) fn card(
    out: &mut String,
    application: &Application,
    callers: &Callers<'_>,
    function: &Function,
    id: &str,
    sources: &Sources,
) -> Result {
    let exposure = callers.exposure(application, function);
    write!(
        out,
        "<article class=\"card\" id=\"{id}\" data-function=\"{name}\"><header><a class=\"close\" href=\"#{section}\" \
         aria-label=\"Close\">×</a><h3>{name}</h3><p>{}{}</p></header>",
        chip(exposure),
        place(sources, function.span),
        name = escape(&function.name),
        section = id.split('-').next().unwrap_or(""),
    )?;
    facts(out, application, function)?;
    triggers(out, application, callers, function, sources)?;
    identity(out, application, function, sources)?;
    behaviour(out, function, sources)?;
    out.push_str("</article>");
    Ok(())
}

/// From where a function can be reached, as a coloured word.
pub(super) fn chip(exposure: Exposure) -> String {
    format!(
        "<span class=\"chip {0}\" title=\"Reached by {1}\">{0}</span>",
        exposure.name(),
        diagram::describe(exposure)
    )
}

/// A place in the source.
pub(super) fn place(sources: &Sources, span: Span) -> String {
    format!("<span class=\"place\">{}</span>", escape(&sources.place(span)))
}

fn facts(out: &mut String, application: &Application, function: &Function) -> Result {
    out.push_str("<dl>");
    let mut fact = |name: &str, value: &str| write!(out, "<dt>{name}</dt><dd>{}</dd>", escape(value));
    if let Some(runtime) = &function.runtime {
        fact("Runtime", &runtime.value)?;
    }
    if let Some(handler) = &function.handler {
        fact("Handler", &handler.value)?;
    }
    match &function.code {
        Code::Local(path) | Code::Image(path) | Code::Remote(path) => fact("Code", &path.value)?,
        Code::Inline(_) => fact("Code", "in the template")?,
        Code::Unknown => {}
    }
    let limits: Vec<String> = [
        function.timeout.as_ref().map(|setting| format!("{} s", setting.value)),
        function.memory.as_ref().map(|setting| format!("{} MiB", setting.value)),
        function.reserved_concurrency.as_ref().map(|setting| format!("{} at once", setting.value)),
        function.in_vpc.then(|| "in a VPC".to_owned()),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !limits.is_empty() {
        fact("Limits", &limits.join(", "))?;
    }
    // Names only: values may be secrets.
    if !function.environment.is_empty() {
        let names: Vec<&str> = function.environment.iter().map(|variable| variable.name.as_str()).collect();
        fact("Environment", &names.join(", "))?;
    }
    if let Some(things) = touched(application).get(&function.name) {
        fact("May act on", &things.join(", "))?;
    }
    out.push_str("</dl>");
    Ok(())
}

fn triggers(
    out: &mut String,
    application: &Application,
    callers: &Callers<'_>,
    function: &Function,
    sources: &Sources,
) -> Result {
    out.push_str("<h4>Started by</h4><ul>");
    let mut any = false;
    for trigger in application.triggers_of(&function.name) {
        any = true;
        let guard = match (&trigger.authorization, trigger.kind.is_http()) {
            (Some(Authorization::None), _) => "no authorization".to_owned(),
            (Some(authorization), _) => authorization.to_string(),
            (None, true) => "no authorization".to_owned(),
            (None, false) => String::new(),
        };
        write!(
            out,
            "<li><b>{}</b> {}<small>{}</small>",
            escape(diagram::trigger_words(trigger.kind)),
            if trigger.kind != TriggerKind::FunctionUrl && (trigger.path.is_some() || trigger.source.is_some()) {
                let start = start(trigger);
                let name = start.strip_prefix(trigger.kind.name()).unwrap_or(&start);
                format!("<code>{}</code> ", escape(name.trim()))
            } else {
                String::new()
            },
            place(sources, trigger.span)
        )?;
        if !guard.is_empty() {
            write!(out, "<small class=\"guard {}\">{}</small>", trigger.exposure().name(), escape(&guard))?;
        }
        if let Some(filter) = &trigger.filter {
            write!(out, "<small><code>{}</code></small>", escape(filter))?;
        }
        if let Some(schema) = &trigger.body_schema {
            write!(out, "<small>body checked against {}</small>", escape(&schema.name))?;
        }
        out.push_str("</li>");
    }
    if let Some(url) = function.url.as_ref().filter(|_| !has_url_trigger(application, function)) {
        any = true;
        let (class, words) = match url.auth {
            UrlAuth::None => ("public", "no authorization"),
            UrlAuth::Iam => ("authenticated", "IAM"),
            UrlAuth::Unknown => ("authenticated", "authorization can't be told"),
        };
        write!(
            out,
            "<li><b>Function URL</b> <small>{}</small><small class=\"guard {class}\">{words}</small></li>",
            place(sources, url.span)
        )?;
    }
    for caller in callers.names(function) {
        any = true;
        write!(
            out,
            "<li><b>Function</b> <code>{}</code> <small>its code invokes this one</small></li>",
            escape(caller)
        )?;
    }
    if !any {
        out.push_str("<li class=\"none\">nothing in the template</li>");
    }
    out.push_str("</ul>");
    Ok(())
}

fn identity(out: &mut String, application: &Application, function: &Function, sources: &Sources) -> Result {
    out.push_str("<h4>Runs as</h4>");
    let Some(identity) = application.identity_of(function) else {
        let role = function.role.as_ref().map_or_else(String::new, |role| role.value.to_string());
        write!(out, "<p>A role from outside the template <code>{}</code></p>", escape(&role))?;
        return Ok(());
    };
    let sharers = users(application).get(identity.name.as_str()).copied().unwrap_or(1);
    write!(out, "<p><b>{}</b> ", escape(&identity.name))?;
    match (identity.generated, sharers) {
        (true, _) => out.push_str("made for this function "),
        (false, 1) => {}
        (false, count) => write!(out, "<span class=\"warn\">shared by {count} functions</span> ")?,
    }
    write!(out, "{}</p>", place(sources, identity.span))?;
    if !wide(application, function).is_empty() {
        out.push_str(
            "<p class=\"warn\">Allowed on every resource of a service: the lines with <code>*</code> below.</p>",
        );
    }
    permissions(out, identity, sources)
}

/// Statements by service, each with its actions, what they are allowed on, and where that is written.
fn permissions(out: &mut String, identity: &Identity, sources: &Sources) -> Result {
    let mut services: BTreeMap<String, Vec<(&Statement, Vec<&str>)>> = BTreeMap::new();
    for statement in &identity.statements {
        let mut by_service: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for action in &statement.actions {
            let (service, name) = action.split_once(':').unwrap_or(("every service", action));
            by_service.entry(service.to_ascii_lowercase()).or_default().push(name);
        }
        for (service, names) in by_service {
            services.entry(service).or_default().push((statement, names));
        }
    }
    if services.is_empty() {
        out.push_str("<p class=\"none\">no permissions that are known here</p>");
    }
    out.push_str("<table class=\"permissions\"><tbody>");
    let mut left = MOST * 4;
    for (service, lines) in services {
        for (index, (statement, names)) in lines.iter().enumerate() {
            if left == 0 {
                break;
            }
            left -= 1;
            out.push_str("<tr>");
            if index == 0 {
                write!(out, "<th scope=\"row\" rowspan=\"{}\">{}</th>", lines.len(), escape(&service))?;
            }
            let mut actions = names.iter().take(MOST).map(|name| escape(name)).collect::<Vec<_>>().join("<wbr>, ");
            if names.len() > MOST {
                write!(actions, " and {} more", names.len() - MOST)?;
            }
            let deny = if statement.effect == Effect::Deny { "<span class=\"deny\">deny</span> " } else { "" };
            let not = if statement.not_actions { "all but " } else { "" };
            let mut on =
                statement.resources.iter().take(12).map(|on| escape(&on.to_string())).collect::<Vec<_>>().join("<br>");
            if statement.not_resources {
                on.insert_str(0, "all but<br>");
            }
            let condition = if statement.condition.is_some() { "<small>under a condition</small>" } else { "" };
            write!(
                out,
                "<td>{deny}{not}{actions}</td><td><code>{on}</code>{condition}<small>{} {}</small></td></tr>",
                escape(&origin(&statement.origin)),
                place(sources, statement.span)
            )?;
        }
    }
    out.push_str("</tbody></table>");
    for policy in identity.unresolved_policies.iter().take(MOST) {
        write!(
            out,
            "<p class=\"none\">and what <code>{}</code> allows, which isn't known here</p>",
            escape(&policy.value.to_string())
        )?;
    }
    Ok(())
}

fn origin(origin: &Origin) -> String {
    match origin {
        Origin::Inline => String::new(),
        Origin::Managed(name) | Origin::SamTemplate(name) | Origin::Connector(name) => name.clone(),
        Origin::Implied(by) => format!("implied by {by}"),
    }
}

fn behaviour(out: &mut String, function: &Function, sources: &Sources) -> Result {
    out.push_str("<h4>What its code does</h4>");
    let Some(behaviour) = &function.behaviour else {
        out.push_str("<p class=\"none\">not read: no code here, or a language that isn't understood</p>");
        return Ok(());
    };
    let mut items: Vec<(String, Span)> = Vec::new();
    for call in &behaviour.calls {
        let on = match &call.target {
            CallTarget::Environment(name) => match call.target.resolve(&function.environment) {
                Some(value) => format!(" on <code>{}</code>", escape(&value.to_string())),
                None => format!(" on <code>${}</code>", escape(name)),
            },
            CallTarget::Literal(name) => format!(" on <code>{}</code>", escape(name)),
            CallTarget::Pattern(_) => match call.target.resolve(&function.environment) {
                Some(value) => format!(" on <code>{}</code>", escape(&value.to_string())),
                None => String::new(),
            },
            CallTarget::Event => " <span class=\"warn\">on what the caller names</span>".to_owned(),
            CallTarget::None => String::new(),
            CallTarget::Unknown => " on something that can't be told".to_owned(),
        };
        items.push((format!("<b>{}:{}</b>{on}", escape(&call.service), escape(&call.operation)), call.span));
    }
    for host in &behaviour.hosts {
        let name = match (&host.host, &host.environment) {
            (Some(host), _) => host.clone(),
            (None, Some(variable)) => format!("${variable}"),
            (None, None) => "a host that can't be told".to_owned(),
        };
        let chosen = if host.from_event { " <span class=\"warn\">chosen by the caller</span>" } else { "" };
        items.push((format!("<b>connects to</b> <code>{}:{}</code>{chosen}", escape(&name), host.port), host.span));
    }
    for process in &behaviour.processes {
        let program = process.program.as_deref().unwrap_or("a program that can't be told");
        let shell = if process.shell { " <span class=\"warn\">through a shell</span>" } else { "" };
        items.push((format!("<b>starts</b> <code>{}</code>{shell}", escape(program)), process.span));
    }
    for write in &behaviour.writes {
        let path = write.path.as_deref().unwrap_or("a path that can't be told");
        items.push((format!("<b>writes</b> <code>{}</code>", escape(path)), write.span));
    }
    if items.is_empty() {
        out.push_str("<p class=\"none\">no cloud calls, connections, programs or files</p>");
        return Ok(());
    }
    out.push_str("<ul>");
    for (html, span) in items.iter().take(MOST) {
        write!(out, "<li>{html}<small>{}</small></li>", place(sources, *span))?;
    }
    if items.len() > MOST {
        write!(out, "<li class=\"none\">and {} more</li>", items.len() - MOST)?;
    }
    out.push_str("</ul>");
    Ok(())
}
