//! The picture as a Mermaid flow chart, which code hosts draw inside Markdown.

use crate::picture::{Kind, Picture};
use crate::text::visible;
use graph::{Application, Exposure, FlowKind};
use std::fmt::Write;

/// Characters of a name at most.
const LONGEST: usize = 60;

/// The application as a Mermaid `flowchart`.
pub fn mermaid(application: &Application) -> String {
    let picture = Picture::of(application);
    let connected = picture.connected();
    let mut out = String::from("flowchart LR\n");
    // Writing to a string can't fail.
    let _ = write(&mut out, &picture, &connected);
    out
}

fn write(out: &mut String, picture: &Picture, connected: &[bool]) -> std::fmt::Result {
    for (index, node) in picture.nodes.iter().enumerate() {
        // Resources that nothing touches say nothing here; functions always do.
        if !connected[index] && node.kind != Kind::Function {
            continue;
        }
        let (open, close) = match node.kind {
            Kind::Outside(_) => ("([", "])"),
            Kind::Source(_) | Kind::Entry(_) => ("(", ")"),
            Kind::Function => ("[", "]"),
            Kind::Role => ("{{", "}}"),
            Kind::Resource(_) => ("[(", ")]"),
        };
        let mut label = quoted(&node.name);
        if !node.detail.is_empty() {
            let between = if matches!(node.kind, Kind::Entry(_)) { " " } else { "<br>" };
            label.push_str(between);
            label.push_str(&quoted(&node.detail));
        }
        let class = match node.exposure {
            Some(exposure) if exposure != Exposure::None => format!(":::{}", exposure.name()),
            _ => String::new(),
        };
        writeln!(out, "  n{index}{open}\"{label}\"{close}{class}")?;
    }
    for edge in &picture.edges {
        let arrow = match (edge.public, edge.kind, edge.both) {
            (true, _, false) => "==>",
            (true, _, true) => "<==>",
            (false, FlowKind::Triggers, false) => "-->",
            (false, FlowKind::Triggers, true) => "<-->",
            (false, FlowKind::Accesses, false) => "-.->",
            (false, FlowKind::Accesses, true) => "<-.->",
        };
        writeln!(out, "  n{} {arrow} n{}", edge.from, edge.to)?;
    }
    out.push_str(
        "  classDef public stroke:#c7361f,stroke-width:2px\n  classDef authenticated stroke:#b9770e\n  \
         classDef fed stroke:#2b6cb0\n  classDef internal stroke:#3f7f6b\n",
    );
    Ok(())
}

/// Text for the inside of a quoted label: what could end the quotes or be read as markup is written as a character number.
fn quoted(text: &str) -> String {
    let text = visible(text);
    let mut out = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == LONGEST {
            out.push('…');
            break;
        }
        match character {
            ' ' | '-' | '_' | '.' | '/' | ':' | ',' | '*' | '+' | '?' | '=' | '$' | '(' | ')' | '{' | '}' | '['
            | ']' | '·' => out.push(character),
            _ if character.is_alphanumeric() => out.push(character),
            _ => {
                let _ = write!(out, "#{};", u32::from(character));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_name_cannot_leave_its_quotes() {
        assert_eq!(
            quoted("a\"]; click n0 \"javascript:alert(1)\"\n%%{init}`<b>#quot;"),
            "a#34;]#59; click n0 #34;javascript:alert(1)#34; #37;#37;{init}#96;#60;b#62;#35;quot#59;"
        );
        assert_eq!(quoted("GET /orders/{id}"), "GET /orders/{id}");
    }
}
