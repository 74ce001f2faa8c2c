//! npm: `package.json` by hand, `package-lock.json` through `npm` itself.
//!
//! The smallest version gets into the lockfile in two rounds: first with exact versions (and overrides for what others ask
//! for), then with the ranges that stay, which npm leaves alone where the lockfile satisfies them. What then still stands at
//! a vulnerable version is held there by what asks for it: that is lifted within its major version, and where this doesn't help,
//! the package gets an override that stays, to a version that may stand for the old one.

use super::{Job, Upgrades, judge, lifted};
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
    let mut ways: BTreeMap<usize, String> = BTreeMap::new();
    // What holds a package back is lifted within its own major version.
    let held: Vec<usize> = own.iter().copied().filter(|at| !mended.contains(at)).collect();
    let askers = askers(job, &held, &root);
    if !askers.is_empty() {
        scratch.write(lock_name, &after)?;
        let loosened = loosened(&final_manifest, &askers);
        let mut update = vec!["update".to_string()];
        update.extend(askers.iter().cloned());
        update.extend(arguments.iter().skip(1).cloned());
        let lifted_lock = scratch
            .write("package.json", &loosened)
            .and_then(|()| job.tools.run("npm", &update, scratch.path()))
            .ok()
            .and_then(|()| scratch.read(lock_name));
        let pinned = lifted_lock.map(|lock| pinned(job, &manifest.path, &lock, &final_manifest, &askers));
        if let Some(with) = pinned
            && let Ok(new_lock) = round(&with)
        {
            let now = judge(job, &manifest.path, &new_lock, own);
            if now.len() > mended.len() {
                let named = askers.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                for at in held.iter().filter(|at| now.contains(at)) {
                    ways.insert(*at, format!("by upgrading what asks for it: {named}"));
                }
                (final_manifest, after, mended) = (with, new_lock, now);
            }
        }
        scratch.write(lock_name, &after)?;
    }
    let mut overridden = BTreeSet::new();
    let mut overrides = Map::new();
    for at in own.iter().filter(|at| !mended.contains(at)) {
        let (Some(package), Some(target)) = (job.package(*at), job.targets.get(at)) else { continue };
        let Version::Exact(current) = &package.version else { continue };
        if package.direct != Some(true) && compatible(current, target) {
            overrides.insert(format!("{}@{current}", package.name), json!(target));
            overridden.insert(*at);
        }
    }
    if !overrides.is_empty() {
        let with = with_overrides(&final_manifest, &overrides);
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
            let past = || "by an entry in `overrides`, since what asks for it doesn't allow it".to_string();
            let how = ways.remove(at).or_else(|| overridden.contains(at).then(past));
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

/// Whether one version may stand for another by the rules of Semantic Versioning, where each minor version below 1.0 is a
/// major one.
fn compatible(from: &str, to: &str) -> bool {
    Ecosystem::Npm.allows(&format!("^{from}"), to) == Some(true)
}

/// The packages of the manifest through which others come.
fn askers(job: &Job<'_>, held: &[usize], root: &Node) -> BTreeSet<String> {
    let mut reached: BTreeSet<&str> = held.iter().filter_map(|at| Some(job.package(*at)?.name.as_str())).collect();
    let mut direct = BTreeSet::new();
    let files: BTreeSet<FileId> = held.iter().filter_map(|at| Some(job.package(*at)?.file())).collect();
    loop {
        let before = reached.len();
        for package in job.survey.packages.iter().filter(|package| files.contains(&package.file())) {
            if package.requires.iter().any(|need| reached.contains(need.as_str())) && reached.insert(&package.name) {
                let asked = LISTS.iter().any(|list| root.get(list).is_some_and(|own| own.get(&package.name).is_some()));
                if asked && package.direct == Some(true) {
                    direct.insert(package.name.clone());
                }
            }
        }
        if reached.len() == before {
            return direct;
        }
    }
}

/// The manifest with exact pins of some packages made into ranges.
fn loosened(manifest: &str, names: &BTreeSet<String>) -> String {
    replaced(manifest, names, |_, range| is_exact(range).then(|| format!("^{}", range.trim_start_matches('='))))
}

/// The manifest with what was an exact pin pinned to what the lockfile has now.
fn pinned(job: &Job<'_>, path: &str, lock: &str, manifest: &str, names: &BTreeSet<String>) -> String {
    let installed: BTreeMap<String, String> = super::read(path, lock, job.load)
        .into_iter()
        .filter(|package| package.direct == Some(true))
        .filter_map(|package| Some((package.name.clone(), package.version.exact()?.to_string())))
        .collect();
    replaced(manifest, names, |name, range| is_exact(range).then(|| installed.get(name).cloned()).flatten())
}

fn is_exact(range: &str) -> bool {
    let bare = range.trim().trim_start_matches('=');
    bare.split('.').count() >= 3
        && bare.starts_with(|c: char| c.is_ascii_digit())
        && Ecosystem::Npm.compare(bare, bare).is_some()
}

fn replaced(manifest: &str, names: &BTreeSet<String>, new: impl Fn(&str, &str) -> Option<String>) -> String {
    let root = Document::json(FileId(0), manifest).root;
    let entries = LISTS.iter().filter_map(|list| root.get(list)).flat_map(Node::entries);
    let edits: Vec<Edit> = entries
        .filter(|entry| names.contains(&entry.key))
        .filter_map(|entry| {
            let new = Value::from(new(&entry.key, entry.value.as_str()?)?).to_string();
            Some(Edit::new("", entry.value.span.start as usize, entry.value.span.end as usize, new))
        })
        .collect();
    let (mut texts, _) = apply(&edits, &|_| Some(manifest.to_string()));
    texts.remove("").unwrap_or_else(|| manifest.to_string())
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
    fn pins_are_loosened_and_only_what_may_stand_for_it_overrides_a_version() {
        let names = BTreeSet::from(["a".to_string(), "b".to_string()]);
        let text = "{ \"dependencies\": { \"a\": \"1.2.3\",  \"b\": \"~1.0\", \"c\": \"1.0.0\" } }";
        assert_eq!(loosened(text, &names), text.replace("1.2.3", "^1.2.3"));
        assert!(compatible("6.5.1", "6.5.3") && compatible("0.2.1", "0.2.4"));
        assert!(!compatible("0.16.0", "0.19.0") && !compatible("0.0.8", "0.2.4") && !compatible("1.0.0", "2.0.0"));
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
