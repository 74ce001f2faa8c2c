//! npm: `package.json` by hand, `package-lock.json` through `npm` itself.
//!
//! The smallest version gets into the lockfile in two rounds: first with exact versions (and overrides for what others ask
//! for), then with the ranges that stay, which npm leaves alone where the lockfile satisfies them. What then still stands at
//! a vulnerable version is held there by what asks for it: it gets an override that stays, within its major version.

use super::{Job, Upgrades, judge, lifted, major};
use crate::edit::{Edit, apply};
use crate::tools::Scratch;
use deps::{Ecosystem, Format, Version};
use serde_json::{Map, Value, json};
use source::{Document, FileId, Node};
use std::collections::{BTreeMap, BTreeSet};

const LISTS: [&str; 4] = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];

/// Lifts packages of one folder.
pub(super) fn lift(job: &Job<'_>, manifest: &deps::Read, own: &[usize], out: &mut Upgrades) {
    if let Err(why) = folder(job, manifest, own, out) {
        let known: BTreeSet<usize> =
            out.left.iter().map(|(at, _)| *at).chain(out.lifted.iter().map(|one| one.package)).collect();
        out.left.extend(own.iter().filter(|at| !known.contains(at)).map(|at| (*at, why.clone())));
    }
}

fn folder(job: &Job<'_>, manifest: &deps::Read, own: &[usize], out: &mut Upgrades) -> Result<(), String> {
    let folder = manifest.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let path_of = |name: &str| if folder.is_empty() { name.to_string() } else { format!("{folder}/{name}") };
    let path = path_of("package.json");
    let text = (job.load)(&path).ok_or("there is no `package.json` beside the lockfile")?;
    let root = Document::json(FileId(0), &text).root;
    if root.get("workspaces").is_some() {
        return Err("workspaces aren't upgraded here: run `npm update` in their root".to_string());
    }
    // Names that the manifest asks for, with the edit that lifts each.
    let mut edits: BTreeMap<usize, Edit> = BTreeMap::new();
    for at in own {
        let (Some(package), Some(target)) = (job.package(*at), job.targets.get(at)) else { continue };
        if package.direct != Some(true) {
            continue;
        }
        let entry = LISTS.iter().find_map(|list| root.get(list)?.entry(&package.name));
        let Some(range) = entry.and_then(|entry| entry.value.as_str().map(|range| (range, entry.value.span))) else {
            continue;
        };
        // A range that already allows it stays, where a lockfile says what is taken.
        let allowed = Ecosystem::Npm.allows(range.0, target) == Some(true);
        if allowed && manifest.format == Format::PackageLock {
            continue;
        }
        let new = Value::from(lifted_range(range.0, target)).to_string();
        edits.insert(*at, Edit::new(&path, range.1.start as usize, range.1.end as usize, new));
    }
    let list: Vec<Edit> = edits.values().cloned().collect();
    let changed = |edits: &[Edit]| {
        let (mut texts, _) = apply(edits, &|_| Some(text.clone()));
        texts.remove(&path).unwrap_or_else(|| text.clone())
    };
    let new_manifest = changed(&list);
    if manifest.format == Format::PackageJson {
        for at in own {
            match edits.contains_key(at) {
                true => lifted(job, *at, None, out),
                false => {
                    out.left.push((*at, "`package.json` doesn't ask for it in a way that is understood".to_string()))
                }
            }
        }
        out.files.insert(path, new_manifest);
        return Ok(());
    }
    let lock_name = manifest.path.rsplit('/').next().unwrap_or("package-lock.json");
    if !job.tools.has("npm") {
        if !list.is_empty() {
            out.files.insert(path, new_manifest);
            out.remarks.push(format!(
                "`npm` isn't installed: run `npm install --package-lock-only` in `{}`, so that the lockfile follows",
                if folder.is_empty() { "." } else { folder }
            ));
        }
        return Err("`npm` isn't installed, so the lockfile can't follow".to_string());
    }
    let lock = (job.load)(&manifest.path).ok_or("the lockfile can't be read")?;
    let scratch = Scratch::new()?;
    if let Some(settings) = (job.load)(&path_of(".npmrc")) {
        scratch.write(".npmrc", &settings)?;
    }
    let arguments =
        ["install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    let arguments = arguments.map(str::to_string);
    let round = |manifest: &str| {
        scratch.write("package.json", manifest)?;
        job.tools.run("npm", &arguments, scratch.path())?;
        scratch.read(lock_name).ok_or_else(|| "npm left no lockfile".to_string())
    };
    scratch.write(lock_name, &lock)?;
    // The first round may fail where an override clashes with a range; what it would have kept small is then npm's choice.
    let first = round(&exactly(job, own, &text, &root)?);
    if first.is_err() {
        scratch.write(lock_name, &lock)?;
    }
    let mut final_manifest = new_manifest.clone();
    let mut after = round(&final_manifest)?;
    let mut mended = judge(job, &manifest.path, &after, own);
    let mut overridden = BTreeSet::new();
    let mut overrides = Map::new();
    for at in own.iter().filter(|at| !mended.contains(at)) {
        let (Some(package), Some(target)) = (job.package(*at), job.targets.get(at)) else { continue };
        let Version::Exact(current) = &package.version else { continue };
        if package.direct != Some(true) && major(current) == major(target) {
            overrides.insert(format!("{}@{current}", package.name), json!(target));
            overridden.insert(*at);
        }
    }
    if !overrides.is_empty() {
        let with = with_overrides(&new_manifest, &overrides);
        let outcome = with.and_then(|with| round(&with).ok().map(|after| (with, after)));
        match outcome {
            Some((with, new_lock)) => {
                let now = judge(job, &manifest.path, &new_lock, own);
                if now.len() > mended.len() {
                    (final_manifest, after, mended) = (with, new_lock, now);
                } else {
                    overridden.clear();
                }
            }
            None => overridden.clear(),
        }
    }
    for at in own {
        if mended.contains(at) {
            let how = overridden
                .contains(at)
                .then(|| "by an entry in `overrides`, since what asks for it doesn't allow it".to_string());
            lifted(job, *at, how, out);
        } else {
            out.left.push((*at, held_back(job, *at)));
        }
    }
    if own.iter().any(|at| mended.contains(at)) {
        if final_manifest != text {
            out.files.insert(path, final_manifest);
        }
        out.files.insert(manifest.path.clone(), after);
    }
    Ok(())
}

/// Why a package of others stays.
fn held_back(job: &Job<'_>, at: usize) -> String {
    let (Some(package), Some(target)) = (job.package(at), job.targets.get(&at)) else { return String::new() };
    let askers: BTreeSet<&str> = job
        .survey
        .packages
        .iter()
        .filter(|other| other.file() == package.file() && other.requires.contains(&package.name))
        .map(|other| other.name.as_str())
        .collect();
    let named = askers.iter().take(3).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match askers.is_empty() {
        true => format!("{target} isn't what npm comes to"),
        false => format!("{named} asks for it and doesn't allow {target}: upgrade that, or do without it"),
    }
}

/// What a range becomes: its operator stays, and so does the freedom it gave.
fn lifted_range(range: &str, target: &str) -> String {
    let trimmed = range.trim();
    let operator: String = trimmed.chars().take_while(|c| matches!(c, '^' | '~')).collect();
    let alias =
        trimmed.strip_prefix("npm:").and_then(|rest| rest.rsplit_once('@')).filter(|(name, _)| !name.is_empty());
    if let Some((name, inner)) = alias {
        return format!("npm:{name}@{}", lifted_range(inner, target));
    }
    let exact = trimmed.starts_with(|c: char| c.is_ascii_digit() || c == '=')
        && !trimmed.contains([' ', '|', 'x', '*', '<', '>']);
    match (operator.as_str(), exact) {
        ("^" | "~", _) => format!("{operator}{target}"),
        (_, true) if trimmed.trim_start_matches('=').split('.').count() == 3 => target.to_string(),
        _ => format!("^{target}"),
    }
}

/// The manifest of the first round: exact versions, and overrides for what others ask for.
fn exactly(job: &Job<'_>, own: &[usize], text: &str, root: &Node) -> Result<String, String> {
    let mut manifest: Value =
        serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap_or_else(|_| root.to_json());
    let mut overrides = Map::new();
    for at in own {
        let (Some(package), Some(target)) = (job.package(*at), job.targets.get(at)) else { continue };
        let asked = LISTS.iter().find(|list| manifest.get(**list).is_some_and(|own| own.get(&package.name).is_some()));
        match asked.filter(|_| package.direct == Some(true)) {
            Some(list) => {
                if let Some(slot) = manifest.get_mut(*list).and_then(|own| own.get_mut(&package.name)) {
                    *slot = json!(target);
                }
            }
            None => {
                if let Version::Exact(current) = &package.version {
                    overrides.insert(format!("{}@{current}", package.name), json!(target));
                }
            }
        }
    }
    let members = manifest.as_object_mut().ok_or("`package.json` isn't an object")?;
    if !overrides.is_empty() {
        if let Some(present) = members.get("overrides").and_then(Value::as_object) {
            let mut all = present.clone();
            all.extend(overrides);
            overrides = all;
        }
        members.insert("overrides".to_string(), Value::Object(overrides));
    }
    serde_json::to_string_pretty(&manifest).map_err(|error| error.to_string())
}

/// A manifest with overrides put in; none where it isn't understood.
fn with_overrides(text: &str, overrides: &Map<String, Value>) -> Option<String> {
    let root = Document::json(FileId(0), text).root;
    let (indent, line) = match root.entries().first() {
        Some(first) => {
            let start = first.key_span.start as usize;
            let from = text.get(..start)?.rfind('\n').map_or(start, |found| found + 1);
            (text.get(from..start)?.to_string(), from < start)
        }
        None => return None,
    };
    let inner = |indent: &str| {
        let lines: Vec<String> = overrides
            .iter()
            .map(|(name, version)| format!("{indent}{}: {version}", Value::from(name.as_str())))
            .collect();
        lines.join(",\n")
    };
    let mut text = text.to_string();
    if let Some(present) = root.get("overrides").filter(|present| present.is_mapping()) {
        let at = present.span.start as usize + 1;
        let comma = if present.entries().is_empty() { "" } else { "," };
        text.insert_str(at, &format!("\n{}{comma}", inner(&format!("{indent}{indent}"))));
        return Some(text);
    }
    let last = root.entries().last()?.value.span.end as usize;
    let new = if line {
        format!(",\n{indent}\"overrides\": {{\n{}\n{indent}}}", inner(&format!("{indent}{indent}")))
    } else {
        format!(", \"overrides\": {}", Value::Object(overrides.clone()))
    };
    text.insert_str(last, &new);
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_keep_their_operator() {
        for (range, lifted) in [
            ("^4.17.0", "^4.17.21"),
            ("~4.17.0", "~4.17.21"),
            ("4.17.4", "4.17.21"),
            ("=4.17.4", "4.17.21"),
            (">=4 <4.17.5", "^4.17.21"),
            ("4.x", "^4.17.21"),
            ("npm:real@^4.0.0", "npm:real@^4.17.21"),
        ] {
            assert_eq!(lifted_range(range, "4.17.21"), lifted, "{range}");
        }
    }

    #[test]
    fn overrides_are_put_in_without_touching_the_rest() {
        let mut overrides = Map::new();
        overrides.insert("a@1.0.0".to_string(), json!("1.0.1"));
        assert_eq!(
            with_overrides("{\n  \"name\": \"x\"\n}\n", &overrides).unwrap(),
            "{\n  \"name\": \"x\",\n  \"overrides\": {\n    \"a@1.0.0\": \"1.0.1\"\n  }\n}\n"
        );
        let text = with_overrides("{\"overrides\": {\"b\": \"2\"}}", &overrides).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["overrides"], json!({"a@1.0.0": "1.0.1", "b": "2"}));
    }
}
