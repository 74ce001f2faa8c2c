//! What is derived now, merged into what the file says: evidence decides whose a line is.

use super::is_evidence;
use serde_json::{Map, Value as Json};

/// Fields of a line that people add to lines of ours; they stay when the line is brought up to date.
const PEOPLES_FIELDS: [&str; 3] = ["body", "allow", "kind"];
/// The sections that are lists of lines, with the fields that identify a line.
pub(super) const LISTS: [(&str, &[&str]); 6] = [
    ("events", &["source", "method", "path", "queue", "topic", "bucket", "table", "from"]),
    ("inputs", &["field"]),
    ("permissions", &["allow", "deny", "on"]),
    ("network", &["host", "port"]),
    ("processes", &["run"]),
    ("unresolved", &["what"]),
];

/// The file's content with everything that is ours replaced by what was derived.
pub(super) fn merge(existing: &Json, derived: &Json) -> Json {
    let mut out = Map::new();
    out.insert("version".into(), 1.into());
    let empty = Map::new();
    let section = |root: &Json, key: &str| root.get(key).and_then(Json::as_object).cloned().unwrap_or_default();
    let (old, new) = (section(existing, "functions"), section(derived, "functions"));
    let functions: Map<String, Json> = new
        .iter()
        .map(|(name, function)| {
            let earlier = old.get(name).and_then(Json::as_object).unwrap_or(&empty);
            (name.clone(), merge_function(earlier, function.as_object().unwrap_or(&empty)))
        })
        .collect();
    out.insert("functions".into(), Json::Object(functions));
    let mut schemas = section(existing, "schemas");
    schemas.retain(|_, schema| !ours(schema));
    for (name, schema) in section(derived, "schemas") {
        schemas.entry(name).or_insert(schema);
    }
    schemas.sort_keys();
    if !schemas.is_empty() {
        out.insert("schemas".into(), Json::Object(schemas));
    }
    Json::Object(out)
}

fn merge_function(existing: &Map<String, Json>, derived: &Map<String, Json>) -> Json {
    let mut out = derived.clone();
    for key in ["mode", "perimeter"] {
        if let Some(value) = existing.get(key) {
            out.insert(key.into(), value.clone());
        }
    }
    for (section, identity) in LISTS {
        let (Some(old), new) = (existing.get(section), derived.get(section)) else { continue };
        let (Json::Array(old), new) = (old, new.and_then(Json::as_array).cloned().unwrap_or_default()) else {
            // A word such as `any` in place of a list is a person's decision, unless it only says that there is nothing.
            if old != "none" && !old.is_null() {
                out.insert(section.into(), old.clone());
            }
            continue;
        };
        let lines = merge_list(old, &new, identity);
        if lines.is_empty() && section == "processes" {
            out.insert(section.into(), "none".into());
        } else {
            out.insert(section.into(), Json::Array(lines));
        }
    }
    for path in [&["files", "write"][..], &["invokes"][..]] {
        let at = |root: &Map<String, Json>| {
            let mut value = root.get(path[0])?;
            for key in &path[1..] {
                value = value.get(key)?;
            }
            value.as_array().cloned()
        };
        let mut lines = at(derived).unwrap_or_default();
        for line in at(existing).unwrap_or_default() {
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        match path {
            [key] if !lines.is_empty() => {
                out.insert((*key).into(), lines.into());
            }
            [outer, inner] => {
                out.insert((*outer).into(), serde_json::json!({ *inner: lines }));
            }
            _ => {}
        }
    }
    Json::Object(out)
}

fn merge_list(old: &[Json], new: &[Json], identity: &[&str]) -> Vec<Json> {
    let same = |left: &Json, right: &Json| identity.iter().all(|field| left.get(field) == right.get(field));
    // What a person refuses under the very same name needn't be allowed first: an `allow` turned into a `deny` stays one.
    let refused = |line: &Json| {
        old.iter().any(|other| {
            other.get("deny").is_some_and(|action| Some(action) == line.get("allow"))
                && other.get("on") == line.get("on")
        })
    };
    let mut lines: Vec<Json> = new
        .iter()
        .filter(|line| !refused(line) || old.iter().any(|other| same(other, line)))
        .map(|line| match old.iter().find(|candidate| same(candidate, line)) {
            Some(earlier) if !ours(earlier) => earlier.clone(),
            Some(earlier) => {
                let mut line = line.clone();
                if let (Some(object), Some(earlier)) = (line.as_object_mut(), earlier.as_object()) {
                    let because = object.shift_remove("because");
                    for field in PEOPLES_FIELDS.iter().filter(|field| !identity.contains(field)) {
                        if let Some(value) = earlier.get(*field) {
                            object.insert((*field).into(), value.clone());
                        }
                    }
                    object.extend(because.map(|because| ("because".to_string(), because)));
                }
                line
            }
            None => line.clone(),
        })
        .collect();
    let peoples = old.iter().filter(|line| !ours(line) && !new.iter().any(|other| same(line, other)));
    lines.extend(peoples.cloned());
    lines
}

/// Whether a line or schema was derived: its `because` names places in the source. A denial never is, whatever it names.
fn ours(line: &Json) -> bool {
    line.get("deny").is_none() && line.get("because").and_then(Json::as_str).is_some_and(is_evidence)
}

/// What identifies a line of a section, for finding its comments again.
pub(super) fn key_of(section: &str, line: &Json) -> String {
    let identity = LISTS.iter().find(|(name, _)| *name == section).map_or(&[][..], |(_, identity)| identity);
    identity.iter().map(|field| line.get(field).map_or_else(String::new, Json::to_string)).collect::<Vec<_>>().join("|")
}
