//! boto3's resource interface: which member of which resource calls which operation.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, ensure};
use facts::snake_case;
use serde_json::Value;

use super::exceptions::Exceptions;
use super::operations::{Service, Services};
use super::packages::Packages;
use super::{Output, members, read_json, text};

/// Key to sort, operations and the resource given.
type Rows = BTreeMap<String, (&'static str, Vec<String>, String)>;

/// Writes the table of members.
pub(crate) fn generate(
    packages: &Packages,
    services: &Services,
    exceptions: &Exceptions,
    output: &mut Output,
) -> Result<()> {
    let mut rows = Rows::new();
    for entry in fs::read_dir(packages.path("boto3", "boto3/data"))? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            continue;
        }
        let client = entry.file_name().to_string_lossy().into_owned();
        let service = services.get(&client).with_context(|| format!("boto3 has resources of the unknown {client}"))?;
        let mut versions = fs::read_dir(entry.path())?
            .map(|version| version.map(|version| version.path()))
            .collect::<std::io::Result<Vec<_>>>()?;
        versions.sort();
        let newest = versions.pop().with_context(|| format!("{client} has no version"))?;
        let model = read_json(&newest.join("resources-1.json"))?;
        let resources = &model["resources"];
        resource(&mut rows, &client, "ServiceResource", &model["service"], resources, service)?;
        for (name, definition) in members(resources) {
            resource(&mut rows, &client, name, definition, resources, service)?;
        }
        // Every resource can be made from the service itself.
        for (name, _) in members(resources) {
            let constructor = ("constructor", Vec::new(), name.clone());
            rows.entry(format!("{client}.ServiceResource.{name}")).or_insert(constructor);
        }
    }
    for (key, operations) in &exceptions.members {
        let client = key.split('.').next().unwrap_or_default();
        let service = services.get(client).with_context(|| format!("exceptions.txt: no client {client}"))?;
        for operation in operations {
            ensure!(service.operations.contains(operation), "exceptions.txt: {key} calls the unknown {operation}");
        }
        rows.insert(key.clone(), ("action", operations.clone(), String::new()));
    }
    println!("{} members of boto3 resources", rows.len());
    let rows = rows
        .into_iter()
        .map(|(key, (sort, operations, gives))| vec![key, sort.to_owned(), operations.join(","), gives]);
    output.table("boto3_resources.txt", rows)
}

fn resource(
    rows: &mut Rows,
    client: &str,
    name: &str,
    definition: &Value,
    resources: &Value,
    service: &Service,
) -> Result<()> {
    let key = |member: &str| format!("{client}.{name}.{member}");
    let operation = |value: &Value| -> Result<String> {
        let operation = text(value, "/request/operation").with_context(|| format!("{client}.{name}: {value}"))?;
        ensure!(service.operations.contains(operation), "{client}.{name} calls the unknown {operation}");
        Ok(operation.to_owned())
    };
    let gives = |value: &Value| text(value, "/resource/type").unwrap_or_default().to_owned();
    for (action, value) in members(&definition["actions"]) {
        rows.insert(key(&snake_case(action)), ("action", vec![operation(value)?], gives(value)));
    }
    if definition["load"].is_object() {
        for member in ["load", "reload"] {
            rows.insert(key(member), ("action", vec![operation(&definition["load"])?], String::new()));
        }
    }
    for (waiter, value) in members(&definition["waiters"]) {
        let waiter_name = text(value, "/waiterName").with_context(|| format!("{client}.{name}.{waiter}"))?;
        let called = service.waiters.get(waiter_name).with_context(|| format!("no waiter {waiter_name}"))?;
        let member = snake_case(&format!("WaitUntil{waiter}"));
        rows.insert(key(&member), ("action", vec![called.clone()], String::new()));
    }
    for (collection, value) in members(&definition["hasMany"]) {
        let listed = operation(value)?;
        let member = snake_case(collection);
        let kind = gives(value);
        for (batch, action) in members(&resources[&kind]["batchActions"]) {
            let operations = vec![listed.clone(), operation(action)?];
            rows.insert(key(&format!("{member}.{}", snake_case(batch))), ("batch", operations, String::new()));
        }
        rows.insert(key(&member), ("collection", vec![listed], kind));
    }
    for (child, value) in members(&definition["has"]) {
        // One that takes an identifier from the caller, or passes on its own, is a method named as it stands; one
        // that reads loaded data is an attribute in small letters.
        let reads_data = value["resource"]["identifiers"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|identifier| identifier["source"] == "data");
        let member = if reads_data { snake_case(child) } else { child.clone() };
        rows.entry(key(&member)).or_insert_with(|| ("constructor", Vec::new(), gives(value)));
    }
    Ok(())
}
