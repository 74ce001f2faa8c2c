//! Reads every template under a folder and prints what was found: one line per file, the diagnostics, the totals.
//! `cargo run -p template --example survey -- FOLDER [--diagnostics] [--triggers] [--detail] [--json FILE]`

#![allow(clippy::unwrap_used)]

use source::{SourceFile, Sources};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(root) = arguments.first().map(PathBuf::from) else {
        eprintln!("usage: survey FOLDER [--diagnostics] [--triggers] [--detail]");
        return;
    };
    let wants = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let mut files = Vec::new();
    walk(&root, &mut files, 0);
    files.sort();
    let mut totals = BTreeMap::<&str, usize>::new();
    let mut messages = BTreeMap::<String, usize>::new();
    let mut spent = std::time::Duration::ZERO;
    let mut slowest = (std::time::Duration::ZERO, String::new());
    for path in files {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let shown = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().into_owned();
        if !template::looks_like_template(&shown, &text) {
            continue;
        }
        let mut sources = Sources::new();
        let file = sources.add(SourceFile::new(shown.clone(), text));
        let started = std::time::Instant::now();
        let reading =
            template::read(&mut sources, file, &mut |path: &str| std::fs::read_to_string(root.join(path)).ok());
        let elapsed = started.elapsed();
        spent += elapsed;
        if elapsed > slowest.0 {
            slowest = (elapsed, shown.clone());
        }
        *totals.entry("templates").or_default() += 1;
        let counts = reading.application.as_ref().map_or([0; 5], |application| {
            [
                application.functions.len(),
                application.triggers.len(),
                application.identities.len(),
                application.identities.iter().map(|identity| identity.statements.len()).sum(),
                application.resources.len(),
            ]
        });
        let [functions, triggers, roles, statements, resources] = counts;
        println!(
            "{shown}: {functions} functions, {triggers} triggers, {roles} roles, {statements} statements, {resources} resources, {} diagnostics",
            reading.diagnostics.len()
        );
        if wants("--detail")
            && let Some(application) = &reading.application
        {
            detail(application);
        }
        for (name, count) in ["functions", "triggers", "roles", "statements", "resources"].into_iter().zip(counts) {
            *totals.entry(name).or_default() += count;
        }
        if reading.application.is_none() {
            *totals.entry("without application").or_default() += 1;
        }
        if wants("--triggers")
            && let Some(application) = &reading.application
        {
            for function in &application.functions {
                println!(
                    "  {} {:?} {:?} {:?} as {:?} logs {:?}",
                    function.name,
                    function.runtime.as_ref().map(|setting| &setting.value),
                    function.handler.as_ref().map(|setting| &setting.value),
                    function.code,
                    function.identity,
                    function.log_group
                );
                for trigger in application.triggers_of(&function.name) {
                    println!(
                        "    {} {} auth={} filter={:?} schema={} at {}",
                        trigger.kind.name(),
                        trigger.label(),
                        trigger.authorization.as_ref().map_or("-".into(), ToString::to_string),
                        trigger.filter,
                        trigger.body_schema.is_some(),
                        sources.place(trigger.span)
                    );
                }
            }
            for identity in &application.identities {
                println!(
                    "  {} trusted by {:?}",
                    identity.name,
                    identity.trusted.iter().map(ToString::to_string).collect::<Vec<_>>()
                );
                for statement in &identity.statements {
                    println!(
                        "    {:?} {} on {:?} ({:?}) at {}",
                        statement.effect,
                        statement.actions.join(","),
                        statement.resources.iter().map(ToString::to_string).collect::<Vec<_>>(),
                        statement.origin,
                        sources.place(statement.span)
                    );
                }
                for policy in &identity.unresolved_policies {
                    println!("    unresolved {}", policy.value);
                }
            }
        }
        for diagnostic in &reading.diagnostics {
            *totals.entry("diagnostics").or_default() += 1;
            let general: Vec<&str> = diagnostic.message.split('`').step_by(2).collect();
            *messages.entry(format!("{:?} {}", diagnostic.level, general.join("`…`"))).or_default() += 1;
            if wants("--diagnostics") {
                let place = diagnostic.span.map_or_else(|| shown.clone(), |span| sources.place(span));
                println!(
                    "  {place}: {:?}: {} ({})",
                    diagnostic.level,
                    diagnostic.message,
                    diagnostic.help.as_deref().unwrap_or("")
                );
            }
        }
    }
    println!("\n{totals:#?}\n{messages:#?}\n{spent:?} in all, slowest {slowest:?}");
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>, depth: usize) {
    if depth > 32 {
        return;
    }
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        let name = entry.file_name();
        if kind.is_dir() && !matches!(name.to_str(), Some("node_modules" | ".git" | "cdk.out")) {
            walk(&entry.path(), files, depth + 1);
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
}

/// Everything that was found, to be compared with what another tool makes of the same file.
fn detail(application: &graph::Application) {
    for function in &application.functions {
        let text = |setting: &Option<graph::Setting<String>>| setting.as_ref().map(|one| one.value.clone());
        println!(
            "  function {} {:?} {:?} code {:?} as {:?}",
            function.name,
            text(&function.runtime),
            text(&function.handler),
            function.code,
            function.identity
        );
        for variable in &function.environment {
            println!("    {}={}", variable.name, variable.value);
        }
        for trigger in application.triggers_of(&function.name) {
            println!("    {} {} {:?}", trigger.kind.name(), trigger.label(), trigger.authorization);
        }
    }
    for identity in &application.identities {
        println!("  {:?} {} generated {}", identity.kind, identity.name, identity.generated);
        for statement in &identity.statements {
            let resources: Vec<String> = statement.resources.iter().map(ToString::to_string).collect();
            println!("    {:?} {:?} on {}", statement.effect, statement.actions, resources.join(" "));
        }
    }
    for resource in &application.resources {
        println!("  {} {} {:?}", resource.resource_type, resource.name, resource.kind);
    }
}
