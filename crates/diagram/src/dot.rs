//! The picture in Graphviz's language.

use crate::picture::{Kind, Picture};
use crate::text::visible;
use graph::{Application, Exposure, FlowKind};
use std::fmt::Write;

/// The application as a Graphviz `digraph`.
pub fn dot(application: &Application) -> String {
    let picture = Picture::of(application);
    let mut out = String::new();
    // Writing to a string can't fail.
    let _ = write(&mut out, application, &picture);
    out
}

fn write(out: &mut String, application: &Application, picture: &Picture) -> std::fmt::Result {
    writeln!(out, "digraph {} {{", quoted(&application.name))?;
    out.push_str(
        "  rankdir=LR;\n  node [shape=box, style=rounded, fontname=\"Helvetica\", fontsize=11, color=\"#98a2b3\"];\n  \
         edge [color=\"#667085\", arrowsize=0.7];\n",
    );
    for (index, node) in picture.nodes.iter().enumerate() {
        let shape = match node.kind {
            Kind::Outside(_) => "oval",
            Kind::Source(_) | Kind::Entry(_) | Kind::Function => "box",
            Kind::Role => "hexagon",
            Kind::Resource(_) => "cylinder",
        };
        let color = match node.exposure {
            Some(Exposure::Public) => "#c7361f",
            Some(Exposure::Authenticated) => "#b9770e",
            Some(Exposure::Fed) => "#2b6cb0",
            Some(Exposure::Internal) => "#3f7f6b",
            Some(Exposure::None) | None => "#98a2b3",
        };
        let label = if node.detail.is_empty() { node.name.clone() } else { format!("{}\n{}", node.name, node.detail) };
        writeln!(
            out,
            "  n{index} [label={}, shape={shape}, color=\"{color}\", tooltip={}];",
            quoted(&label),
            quoted(&node.title)
        )?;
    }
    for edge in &picture.edges {
        let mut style = Vec::new();
        if edge.public {
            style.push("color=\"#c7361f\", penwidth=2");
        } else if edge.kind == FlowKind::Accesses {
            style.push("style=dashed");
        }
        if edge.both {
            style.push("dir=both");
        }
        let title = quoted(&picture.edge_title(edge));
        style.push("tooltip=");
        writeln!(out, "  n{} -> n{} [{}{title}];", edge.from, edge.to, style.join(", "))?;
    }
    out.push_str("}\n");
    Ok(())
}

/// A quoted string; lines stay lines.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for (index, line) in text.lines().enumerate() {
        if index > 0 {
            out.push_str("\\n");
        }
        for character in visible(line).chars() {
            if matches!(character, '"' | '\\') {
                out.push('\\');
            }
            out.push(character);
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_name_cannot_leave_its_quotes() {
        assert_eq!(quoted("a\"]; b -> c [\\"), r#""a\"]; b -> c [\\""#);
        assert_eq!(quoted("<b>html</b>\nsecond"), r#""<b>html</b>\nsecond""#);
    }
}
