//! Services, operations and waiters from the botocore models, and the IAM actions each operation needs: the action of
//! the same name where it exists, else what `exceptions.txt` says, else unknown.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::actions::Actions;
use super::exceptions::{Exceptions, Source};
use super::packages::Packages;
use super::{Output, members, read_json, text};

/// The services, by boto3 name.
pub(crate) type Services = BTreeMap<String, Service>;

/// What other generators need to know of a service.
pub(crate) struct Service {
    pub(crate) id: String,
    pub(crate) operations: BTreeSet<String>,
    /// From a waiter's name to its operation.
    pub(crate) waiters: BTreeMap<String, String>,
}

#[derive(Default)]
struct Count {
    same_name: usize,
    endpoint: usize,
    unsigned: usize,
    method: usize,
    exception: usize,
    unknown: usize,
}

/// Writes the tables of services, operations and waiters.
pub(crate) fn generate(
    packages: &Packages,
    actions: &Actions,
    exceptions: &Exceptions,
    output: &mut Output,
) -> Result<Services> {
    let classes = super::javascript::version_2_classes(packages)?;
    let (mut services, mut count) = (Services::new(), Count::default());
    let (mut service_rows, mut rows, mut waiter_rows) = (Vec::new(), Vec::new(), Vec::new());
    let mut spelled = Vec::new();
    for (client, folder) in models(packages)? {
        let model = read_json(&folder.join("service-2.json.gz"))?;
        let paginators = read_if_there(&folder.join("paginators-1.json"))?;
        let waiters = read_if_there(&folder.join("waiters-2.json"))?;
        let id = text(&model, "/metadata/serviceId").with_context(|| format!("{client} has no serviceId"))?;
        let prefixes = prefixes(&client, &model, actions, exceptions);
        let mut operations = BTreeSet::new();
        for (name, operation) in members(&model["operations"]) {
            operations.insert(name.clone());
            let key = format!("{client}.{name}");
            let needs = needs(&key, operation, name, &prefixes, actions, exceptions, &mut count)?;
            let also = conditional(&key, operation, exceptions)?;
            let paginated = paginators.pointer(&format!("/pagination/{name}")).is_some();
            spelled.push((rows.len(), name.clone()));
            rows.push(vec![key, needs, also, if paginated { "paginated".to_owned() } else { String::new() }]);
        }
        let mut named = BTreeMap::new();
        for (name, waiter) in members(&waiters["waiters"]) {
            let operation = text(waiter, "/operation").with_context(|| format!("{client}: waiter {name}"))?;
            ensure!(operations.contains(operation), "{client}: waiter {name} calls the unknown {operation}");
            waiter_rows.push(vec![format!("{client}.{name}"), operation.to_owned()]);
            named.insert(name.clone(), operation.to_owned());
        }
        service_rows.push(vec![
            client.clone(),
            id.to_owned(),
            prefixes.join(","),
            id.to_lowercase().replace(' ', "-"),
            class(id),
            classes.get(id).map(|names| names.join(",")).unwrap_or_default(),
        ]);
        services.insert(client, Service { id: id.to_owned(), operations, waiters: named });
    }
    for key in exceptions.needs.keys().chain(exceptions.also.keys()) {
        let known =
            key.split_once('.').and_then(|(client, name)| Some(services.get(client)?.operations.contains(name)));
        ensure!(known == Some(true), "exceptions.txt: there is no operation {key}");
    }
    mark_irregular_methods(packages, &spelled, &mut rows)?;
    report(&services, &count);
    output.table("services.txt", service_rows)?;
    output.table("operations.txt", rows)?;
    output.table("waiters.txt", waiter_rows)?;
    Ok(services)
}

fn report(services: &Services, count: &Count) {
    let total: usize = services.values().map(|service| service.operations.len()).sum();
    println!("{} services, {total} operations:", services.len());
    println!("  {} need the action of the same name, verified", count.same_name);
    println!("    {} of them also the discovery of endpoints", count.endpoint);
    println!("  {} are unsigned by their model and need none", count.unsigned);
    println!("  {} are authorised by their HTTP method", count.method);
    println!("  {} by a reviewed exception", count.exception);
    println!("  {} are unresolved", count.unknown);
}

/// The newest model of each service.
fn models(packages: &Packages) -> Result<Vec<(String, PathBuf)>> {
    let mut models = Vec::new();
    for entry in fs::read_dir(packages.path("botocore", "botocore/data"))? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            continue;
        }
        // Versions are dates.
        let mut versions = fs::read_dir(entry.path())?
            .map(|version| version.map(|version| version.path()))
            .collect::<std::io::Result<Vec<_>>>()?;
        versions.sort();
        let newest = versions.into_iter().rfind(|version| version.join("service-2.json.gz").exists());
        if let Some(newest) = newest {
            models.push((entry.file_name().to_string_lossy().into_owned(), newest));
        }
    }
    models.sort();
    ensure!(models.len() > 300, "only {} service models: the package has another form than expected", models.len());
    Ok(models)
}

fn read_if_there(path: &Path) -> Result<Value> {
    if path.exists() { read_json(path) } else { Ok(Value::Null) }
}

/// The IAM prefixes under which a service's actions may stand: what requests are signed for, then the host, then the
/// client's own name, as far as there are such actions.
fn prefixes(client: &str, model: &Value, actions: &Actions, exceptions: &Exceptions) -> Vec<String> {
    if let Some(prefix) = exceptions.prefixes.get(client).or_else(|| exceptions.methods.get(client)) {
        return vec![prefix.clone()];
    }
    let mut prefixes: Vec<String> = Vec::new();
    let candidates = [
        text(model, "/metadata/signingName").map(str::to_owned),
        text(model, "/metadata/endpointPrefix").map(str::to_owned),
        Some(client.to_owned()),
        Some(client.replace('-', "")),
    ];
    for candidate in candidates.into_iter().flatten() {
        if actions.has_prefix(&candidate) && !prefixes.contains(&candidate) {
            prefixes.push(candidate);
        }
    }
    prefixes
}

/// The second column of an operation: `=`, `-`, `?` or the actions.
fn needs(
    key: &str,
    operation: &Value,
    name: &str,
    prefixes: &[String],
    actions: &Actions,
    exceptions: &Exceptions,
    count: &mut Count,
) -> Result<String> {
    if let Some(needs) = exceptions.needs.get(key) {
        if needs.source == Source::Model {
            for action in needs.text.split([',', '/']) {
                let said = if action == "-" { "No permissions are required" } else { bare(action) };
                ensure!(documented(operation, said), "exceptions.txt: the model of {key} doesn't say {said:?}");
            }
        }
        count.exception += 1;
        return Ok(needs.text.clone());
    }
    if text(operation, "/authtype") == Some("none") {
        count.unsigned += 1;
        return Ok("-".to_owned());
    }
    if let Some(action) = prefixes.iter().find_map(|prefix| actions.find(prefix, name)) {
        count.same_name += 1;
        let prefix = action.split(':').next().unwrap_or_default();
        // A client has to find its endpoint first, by a call of its own.
        if operation.pointer("/endpointdiscovery/required") == Some(&Value::Bool(true))
            && let Some(discovery) = actions.find(prefix, "DescribeEndpoints")
        {
            count.endpoint += 1;
            return Ok(format!("{action},{discovery}"));
        }
        let usual = prefixes.first().is_some_and(|first| format!("{first}:{name}") == action);
        return Ok(if usual { "=".to_owned() } else { action.to_owned() });
    }
    let client = key.split('.').next().unwrap_or_default();
    if let Some(prefix) = exceptions.methods.get(client) {
        let method = text(operation, "/http/method").with_context(|| format!("{key} has no HTTP method"))?;
        let action = actions.find(prefix, method).with_context(|| format!("{prefix}:{method} doesn't exist"))?;
        count.method += 1;
        return Ok(action.to_owned());
    }
    count.unknown += 1;
    Ok("?".to_owned())
}

/// The third column of an operation.
fn conditional(key: &str, operation: &Value, exceptions: &Exceptions) -> Result<String> {
    let mut parts = Vec::new();
    for also in exceptions.also.get(key).into_iter().flatten() {
        if also.source == Source::Model {
            ensure!(
                documented(operation, bare(&also.action)),
                "exceptions.txt: the model of {key} doesn't name {}",
                also.action
            );
        }
        parts.push(format!("{}@{}", also.action, also.arguments.join(",")));
    }
    Ok(parts.join(";"))
}

/// An action without its prefix.
fn bare(action: &str) -> &str {
    action.split_once(':').map_or(action, |(_, name)| name)
}

fn documented(operation: &Value, words: &str) -> bool {
    text(operation, "/documentation").is_some_and(|documentation| documentation.contains(words))
}

/// The client class of the JavaScript SDK 3 without `Client`: the words of the identifier, each with a capital.
fn class(id: &str) -> String {
    let mut class = String::new();
    for word in id.split([' ', '-']) {
        let mut characters = word.chars();
        class.extend(characters.next().map(|first| first.to_ascii_uppercase()));
        class.push_str(characters.as_str());
    }
    class
}

/// Asks botocore itself for the method of every operation and notes where it differs from the rule in `facts`.
fn mark_irregular_methods(packages: &Packages, spelled: &[(usize, String)], rows: &mut [Vec<String>]) -> Result<()> {
    let script = "import sys\nsys.path.insert(0, sys.argv[1])\nfrom botocore import xform_name\n\
                  for line in sys.stdin:\n    print(xform_name(line.strip()))";
    let mut child = Command::new("python3")
        .args(["-B", "-c", script])
        .arg(packages.path("botocore", ""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut input = child.stdin.take().context("python3 has no standard input")?;
    let names: String = spelled.iter().map(|(_, name)| format!("{name}\n")).collect();
    // Written beside reading: both pipes fill.
    let writer = std::thread::spawn(move || input.write_all(names.as_bytes()));
    let answer = child.wait_with_output()?;
    writer.join().ok().context("writing to python3")??;
    ensure!(answer.status.success(), "asking botocore for method names ended with {}", answer.status);
    let answer = String::from_utf8(answer.stdout)?;
    let methods: Vec<&str> = answer.lines().collect();
    ensure!(methods.len() == spelled.len(), "botocore named {} of {} methods", methods.len(), spelled.len());
    let mut irregular = 0;
    for ((index, name), method) in spelled.iter().zip(methods) {
        ensure!(
            method.replace('_', "") == name.to_ascii_lowercase(),
            "the method {method} of {name} isn't found by leaving out underscores"
        );
        if facts::snake_case(name) != method {
            irregular += 1;
            let flags = &mut rows[*index][3];
            let separator = if flags.is_empty() { "" } else { "," };
            *flags = format!("{flags}{separator}method={method}");
        }
    }
    println!("{irregular} methods aren't named by the rule");
    Ok(())
}
