//! The map as one page that opens offline: numbers, picture, a card per function, tables.
//!
//! Everything from a template is escaped, and should something slip through, the policy in the head lets nothing run but our
//! own script, known by its hash, and lets nothing be fetched at all. Without the script the page still works: the names in
//! the table lead to the cards.

use super::card::{card, chip, place};
use super::inventory::{Numbers, counted, resource_counts, starts, touched, wide_services};
use crate::callers::Callers;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use diagram::escape;
use graph::{Application, Estate, Exposure, ResourceKind};
use sha2::{Digest, Sha256};
use source::{SourceFile, Sources};
use std::collections::BTreeMap;
use std::fmt::{Result, Write};

const SCRIPT: &str = include_str!("page.js");

/// The page.
pub(super) fn page(estate: &Estate, sources: &Sources) -> String {
    let style = format!("{}\n{}", diagram::css(), include_str!("page.css"));
    let mut out = String::new();
    // Writing to a string can't fail.
    let _ = write_page(&mut out, estate, sources, &style);
    out
}

fn hash(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text.as_bytes()))
}

fn write_page(out: &mut String, estate: &Estate, sources: &Sources, style: &str) -> Result {
    let title = match estate.applications.as_slice() {
        [application] => application.name.clone(),
        applications => counted(applications.len(), "application"),
    };
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; \
         base-uri 'none'; form-action 'none'\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><meta name=\"referrer\" content=\"no-referrer\">\
         <title>Map of {}</title><style>{style}</style></head><body>",
        hash(style),
        hash(SCRIPT),
        escape(&title)
    )?;
    out.push_str(
        "<header class=\"bar\"><span class=\"brand\"><svg viewBox=\"0 0 24 24\" aria-hidden=\"true\"><circle cx=\"12\" cy=\"12\" r=\"9\"/>\
         <circle class=\"core\" cx=\"12\" cy=\"12\" r=\"3.4\"/></svg>Ringfence</span><span class=\"what\">Application map</span>",
    );
    if estate.applications.len() > 1 {
        out.push_str("<nav aria-label=\"Applications\">");
        for (index, application) in estate.applications.iter().enumerate() {
            write!(
                out,
                "<a href=\"#a{index}\">{} <small>{}</small></a>",
                escape(&application.name),
                application.functions.len()
            )?;
        }
        out.push_str("</nav>");
    }
    out.push_str("</header><main>");
    if estate.applications.is_empty() {
        out.push_str("<p class=\"empty\">No application found: nothing here reads as a template.</p>");
    }
    for (index, application) in estate.applications.iter().enumerate() {
        section(out, application, index, sources)?;
    }
    writeln!(out, "</main><script>{SCRIPT}</script></body></html>")
}

fn section(out: &mut String, application: &Application, index: usize, sources: &Sources) -> Result {
    let path = sources.get(application.template).map_or("?", SourceFile::path);
    write!(
        out,
        "<section class=\"application\" id=\"a{index}\"><h1>{}</h1><p class=\"path\">{}</p>",
        escape(&application.name),
        escape(path)
    )?;
    let callers = Callers::of(application);
    numbers(out, &Numbers::of(application, &callers))?;
    out.push_str(
        "<div class=\"stage\"><figure class=\"map\"><div class=\"tools\" hidden><button type=\"button\" data-zoom=\"in\" \
         aria-label=\"Zoom in\">+</button><button type=\"button\" data-zoom=\"out\" aria-label=\"Zoom out\">−</button>\
         <button type=\"button\" data-zoom=\"fit\">Fit</button></div>",
    );
    let options = diagram::Options { prefix: format!("a{index}-"), ..diagram::Options::default() };
    out.push_str(&diagram::svg(application, &options));
    out.push_str("</figure><div class=\"cards\">");
    for (number, function) in application.functions.iter().enumerate() {
        card(out, application, &callers, function, &format!("a{index}-c{number}"), sources)?;
    }
    out.push_str("</div></div>");
    if !application.functions.is_empty() {
        functions(out, application, &callers, index, sources)?;
    }
    resources(out, application, sources)?;
    out.push_str("</section>");
    Ok(())
}

fn numbers(out: &mut String, numbers: &Numbers) -> Result {
    let kinds = |list: Vec<String>| list.join(", ");
    let public = numbers.public();
    out.push_str("<dl class=\"numbers\">");
    let mut number = |class: &str, name: &str, value: usize, detail: &str| {
        write!(out, "<div class=\"{class}\"><dt>{name}</dt><dd>{value}<small>{}</small></dd></div>", escape(detail))
    };
    let others = numbers.exposures.iter().filter(|(exposure, _)| *exposure != Exposure::Public);
    number("", "Functions", numbers.functions, "")?;
    let detail = kinds(
        others
            .map(|(exposure, count)| match exposure {
                Exposure::None => format!("{count} that nothing triggers"),
                other => format!("{count} {}", other.name()),
            })
            .collect(),
    );
    number(if public > 0 { "bad" } else { "" }, "Reached by anyone", public, &detail)?;
    let triggers = numbers.triggers.iter().map(|(kind, count)| format!("{count} {}", kind.name())).collect();
    number("", "Triggers", numbers.triggers.iter().map(|(_, count)| count).sum(), &kinds(triggers))?;
    let shared = match numbers.shared {
        0 => "one per function at most".to_owned(),
        count => format!("{count} shared by several functions"),
    };
    number("", "Identities", numbers.identities, &shared)?;
    number(
        if numbers.wide > 0 { "bad" } else { "" },
        "With wide permissions",
        numbers.wide,
        if numbers.wide > 0 { "functions allowed something on every resource of a service" } else { "" },
    )?;
    let resources = resource_counts(numbers);
    number("", "Resources", numbers.resources.iter().map(|(_, count)| count).sum(), &kinds(resources))?;
    out.push_str("</dl>");
    Ok(())
}

fn functions(
    out: &mut String,
    application: &Application,
    callers: &Callers<'_>,
    index: usize,
    sources: &Sources,
) -> Result {
    out.push_str(
        "<div class=\"listing\"><div class=\"head\"><h2>Functions</h2><span class=\"filter\" hidden><input type=\"search\" \
         placeholder=\"Filter\" aria-label=\"Filter functions\"><select aria-label=\"Reached by\"><option value=\"\">any exposure</option>",
    );
    for exposure in [Exposure::Public, Exposure::Authenticated, Exposure::Fed, Exposure::Internal, Exposure::None] {
        write!(out, "<option>{}</option>", exposure.name())?;
    }
    out.push_str(
        "</select><output></output></span></div><table><thead><tr><th>Function</th><th>Exposure</th><th>Started by</th>\
         <th>Runs as</th><th>May act on</th><th>Place</th></tr></thead><tbody>",
    );
    let touched = touched(application);
    for (number, function) in application.functions.iter().enumerate() {
        let exposure = callers.exposure(application, function);
        let identity = match application.identity_of(function) {
            Some(identity) if identity.generated => "<span class=\"none\">own role</span>".to_owned(),
            Some(identity) => escape(&identity.name),
            None => "<span class=\"none\">role from elsewhere</span>".to_owned(),
        };
        let mut things: Vec<String> =
            touched.get(&function.name).into_iter().flatten().map(|name| escape(name)).collect();
        let services = wide_services(application, function);
        if !services.is_empty() {
            things.push(format!("<span class=\"warn\">every resource of {}</span>", escape(&services.join(", "))));
        }
        let starts: Vec<String> = starts(application, callers, function).iter().map(|start| escape(start)).collect();
        write!(
            out,
            "<tr data-exposure=\"{}\"><td><a href=\"#a{index}-c{number}\">{}</a><small>{}</small></td><td>{}</td><td>{}</td>\
             <td>{identity}</td><td>{}</td><td>{}</td></tr>",
            exposure.name(),
            escape(&function.name),
            escape(function.runtime.as_ref().map_or("", |runtime| &runtime.value)),
            chip(exposure),
            starts.join("<br>"),
            things.join(", "),
            place(sources, function.span),
        )?;
    }
    out.push_str("</tbody></table></div>");
    Ok(())
}

fn resources(out: &mut String, application: &Application, sources: &Sources) -> Result {
    if application.resources.is_empty() {
        return Ok(());
    }
    let mut users: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let touched = touched(application);
    for (function, things) in &touched {
        for thing in things {
            users.entry(thing).or_default().push(function);
        }
    }
    out.push_str(
        "<div class=\"listing\"><div class=\"head\"><h2>Resources</h2><span class=\"filter\" hidden><input type=\"search\" \
         placeholder=\"Filter\" aria-label=\"Filter resources\"><output></output></span></div><table><thead><tr><th>Resource</th>\
         <th>Kind</th><th>Starts</th><th>Functions that may act on it</th><th>Place</th></tr></thead><tbody>",
    );
    let mut resources: Vec<_> = application.resources.iter().collect();
    resources.sort_by_key(|resource| (resource.kind == ResourceKind::Other, resource.kind));
    for resource in resources {
        let mut starts: Vec<&str> = application
            .triggers
            .iter()
            .filter(|trigger| {
                trigger.source.as_ref().is_some_and(|source| source.resources().any(|name| name == resource.name))
            })
            .map(|trigger| trigger.function.as_str())
            .collect();
        starts.dedup();
        write!(
            out,
            "<tr><td>{}</td><td>{}<small>{}</small></td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escape(&resource.name),
            diagram::kind_words(resource.kind),
            escape(&resource.resource_type),
            escape(&starts.join(", ")),
            escape(&users.get(resource.name.as_str()).map(|names| names.join(", ")).unwrap_or_default()),
            place(sources, resource.span),
        )?;
    }
    out.push_str("</tbody></table></div>");
    Ok(())
}
