//! The map for a terminal of 100 columns.

use super::inventory::{Numbers, counted, resource_counts, starts, touched, users, wide_services};
use crate::callers::Callers;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width};
use graph::{Application, Estate};
use source::{SourceFile, Sources};
use std::fmt::Write;

/// Lines of a cell at most.
const MOST: usize = 8;

/// All applications, one table each.
pub(super) fn table(estate: &Estate, sources: &Sources) -> String {
    let mut out = String::new();
    for (index, application) in estate.applications.iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        // Writing to a string can't fail.
        let _ = section(&mut out, application, sources);
    }
    if estate.applications.is_empty() {
        out.push_str("No application found: nothing here reads as a template.\n");
    }
    out
}

fn section(out: &mut String, application: &Application, sources: &Sources) -> std::fmt::Result {
    let path = sources.get(application.template).map_or("?", SourceFile::path);
    writeln!(out, "{} ({})", diagram::visible(&application.name), diagram::visible(path))?;
    let callers = Callers::of(application);
    if !application.functions.is_empty() {
        writeln!(out, "{}", rows(application, &callers))?;
    }
    summary(out, &Numbers::of(application, &callers))
}

fn rows(application: &Application, callers: &Callers<'_>) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic).set_width(100);
    table.set_header(["Function", "Started by", "Runs as", "May act on", "Reached by"]);
    let touched = touched(application);
    let users = users(application);
    for function in &application.functions {
        let identity = match application.identity_of(function) {
            Some(identity) if identity.generated => "own role".to_owned(),
            Some(identity) => match users.get(identity.name.as_str()).copied().unwrap_or(1) {
                1 => identity.name.clone(),
                count => format!("{}\n(role of {count})", identity.name),
            },
            None => "role from elsewhere".to_owned(),
        };
        let mut things: Vec<String> = touched.get(&function.name).cloned().unwrap_or_default();
        things.extend(wide_services(application, function).into_iter().map(|service| match service.as_str() {
            "everything" => service,
            words if words.contains(' ') => service,
            name => format!("{name} *"),
        }));
        table.add_row([
            cell(std::slice::from_ref(&function.name)),
            cell(&starts(application, callers, function)),
            cell(&identity.lines().map(str::to_owned).collect::<Vec<_>>()),
            cell(&things),
            callers.exposure(application, function).name().to_owned(),
        ]);
    }
    let widths = [(0, 26), (1, 30), (2, 20), (3, 22), (4, 15)];
    for (column, most) in widths {
        if let Some(column) = table.column_mut(column) {
            column.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(most)));
        }
    }
    table
}

/// Lines of text from a template, as a cell that can't speak to the terminal.
fn cell(lines: &[String]) -> String {
    let mut shown: Vec<String> = lines.iter().take(MOST).map(|line| diagram::visible(line)).collect();
    if lines.len() > MOST {
        shown.push(format!("and {} more", lines.len() - MOST));
    }
    shown.join("\n")
}

fn summary(out: &mut String, numbers: &Numbers) -> std::fmt::Result {
    let kinds = |list: Vec<String>| if list.is_empty() { String::new() } else { format!(": {}", list.join(", ")) };
    let exposures =
        numbers.exposures.iter().map(|(exposure, count)| format!("{count} {}", reached(*exposure))).collect();
    writeln!(out, "{}{}", counted(numbers.functions, "function"), kinds(exposures))?;
    let triggers: Vec<String> =
        numbers.triggers.iter().map(|(kind, count)| format!("{count} {}", kind.name())).collect();
    let count = numbers.triggers.iter().map(|(_, count)| count).sum();
    writeln!(out, "{}{}", counted(count, "trigger"), kinds(triggers))?;
    let mut notes = Vec::new();
    if numbers.shared > 0 {
        notes.push(format!("{} shared by several functions", numbers.shared));
    }
    if numbers.wide > 0 {
        notes.push(format!("{} allowed something on every resource of a service", counted(numbers.wide, "function")));
    }
    writeln!(out, "{}{}", counted(numbers.identities, "identity"), kinds(notes))?;
    let resources = resource_counts(numbers);
    let count = numbers.resources.iter().map(|(_, count)| count).sum();
    writeln!(out, "{}{}", counted(count, "resource"), kinds(resources))
}

fn reached(exposure: graph::Exposure) -> &'static str {
    match exposure {
        graph::Exposure::None => "that nothing triggers",
        other => other.name(),
    }
}
