//! `ringfence map`: what there is and how it hangs together, as a table, a page, a drawing or JSON.
//!
//! The drawing itself is `diagram`'s; the inventory beside it is made here. Findings are another command's.

mod card;
mod inventory;
mod page;
mod table;
#[cfg(test)]
mod tests;

use graph::Estate;
use source::Sources;

/// A format a map can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Functions, triggers, identities, resources and exposure for a terminal of 100 columns.
    Table,
    /// One page that opens offline.
    Html,
    /// Mermaid flow charts, one per application.
    Mermaid,
    /// Graphviz graphs, one per application.
    Dot,
    /// Nodes and edges with their places.
    Json,
}

/// Writes the map of all applications.
pub fn render(estate: &Estate, sources: &Sources, format: Format) -> String {
    match format {
        Format::Table => table::table(estate, sources),
        Format::Html => page::page(estate, sources),
        Format::Mermaid => {
            // A chart is a document of its own; a comment says which application it is.
            let charts = estate.applications.iter().map(|application| {
                let chart = diagram::mermaid(application);
                match estate.applications.len() {
                    1 => chart,
                    _ => format!("%% {}\n{chart}", diagram::visible(&application.name)),
                }
            });
            charts.collect::<Vec<_>>().join("\n")
        }
        Format::Dot => estate.applications.iter().map(diagram::dot).collect::<Vec<_>>().join("\n"),
        Format::Json => {
            let applications: Vec<_> =
                estate.applications.iter().map(|application| diagram::json(application, sources)).collect();
            let mut text =
                serde_json::to_string_pretty(&serde_json::json!({ "applications": applications })).unwrap_or_default();
            text.push('\n');
            text
        }
    }
}
