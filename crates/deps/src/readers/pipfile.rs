//! `Pipfile`: what is asked for, where there is no `Pipfile.lock`.

use super::{Input, Node, asked};
use crate::{Ecosystem, Package};

pub(super) fn read(input: &mut Input<'_>) {
    let root = input.toml();
    for (list, dev) in [("packages", false), ("dev-packages", true)] {
        for entry in root.get(list).map(Node::entries).unwrap_or_default() {
            let range = entry.value.as_str().or_else(|| entry.value.get("version")?.as_str());
            let span = entry.key_span.to(entry.value.span);
            let Some(range) = range else {
                input.note(span, format!("`{}` doesn't come from the index: no advisory can speak of it", entry.key));
                continue;
            };
            let range = if range.trim() == "*" { "" } else { range };
            input.push(Package {
                ecosystem: Ecosystem::PyPi,
                name: entry.key.clone(),
                version: asked(Ecosystem::PyPi, range),
                direct: Some(true),
                dev,
                requires: Vec::new(),
                span,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::lines;

    #[test]
    fn pins_ranges_and_anything() {
        let text = "[packages]\nrequests = \"==2.19.0\"\nflask = \"*\"\ndjango = { version = \">=2,<3\", extras = [\"x\"] }\nmine = { path = \".\" }\n[dev-packages]\npytest = \"*\"\n[requires]\npython_version = \"3.8\"\n";
        assert_eq!(
            lines(&[("Pipfile", text)]),
            ["requests 2.19.0 direct :2", "flask [] direct :3", "django [>=2,<3] direct :4", "pytest [] direct dev :7"]
        );
    }
}
