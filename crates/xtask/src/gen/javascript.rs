//! JavaScript: class names of the SDK 2, and the functions of both SDKs that make other operations' calls.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, ensure};
use regex::Regex;

use super::exceptions::Exceptions;
use super::operations::Services;
use super::packages::Packages;
use super::{Output, members, read_json, text};

/// The class names of the SDK 2 by service identifier.
pub(crate) fn version_2_classes(packages: &Packages) -> Result<BTreeMap<String, Vec<String>>> {
    let metadata = read_json(&packages.path("aws-sdk", "apis/metadata.json"))?;
    let mut prefixes = BTreeMap::new();
    for (key, service) in members(&metadata) {
        let name = text(service, "/name").with_context(|| format!("{key} has no class"))?;
        prefixes.insert(text(service, "/prefix").unwrap_or(key).to_owned(), name.to_owned());
    }
    let dated = Regex::new(r"^(.+)-\d{4}-\d{2}-\d{2}\.min\.json$")?;
    let mut classes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in fs::read_dir(packages.path("aws-sdk", "apis"))? {
        let entry = entry?;
        let file = entry.file_name().to_string_lossy().into_owned();
        let Some(name) = dated.captures(&file).and_then(|found| prefixes.get(&found[1])) else { continue };
        let model = read_json(&entry.path())?;
        if let Some(id) = text(&model, "/metadata/serviceId") {
            let names = classes.entry(id.to_owned()).or_default();
            if !names.contains(name) {
                names.push(name.clone());
                names.sort();
            }
        }
    }
    ensure!(classes.len() > 300, "only {} classes of the JavaScript SDK 2", classes.len());
    Ok(classes)
}

/// Writes the table of helpers.
pub(crate) fn generate(
    packages: &Packages,
    services: &Services,
    exceptions: &Exceptions,
    output: &mut Output,
) -> Result<()> {
    let mut helpers: Vec<(String, &str, Vec<String>)> = Vec::new();

    // lib-dynamodb: every command's declaration imports the command it stands for.
    let imported = Regex::new(r"\b(\w+)Command as __\w+Command\b")?;
    for entry in fs::read_dir(packages.path("lib-dynamodb", "dist-types/commands"))? {
        let path = entry?.path();
        let Some(command) =
            path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix("Command.d.ts"))
        else {
            continue;
        };
        let declaration = fs::read_to_string(&path)?;
        let operation =
            imported.captures(&declaration).with_context(|| format!("{command}Command imports no command"))?;
        let operation = vec![operation[1].to_owned()];
        let method = lower_first(command);
        helpers.push((format!("js3:@aws-sdk/lib-dynamodb.{command}Command"), "dynamodb", operation.clone()));
        helpers.push((format!("js3:@aws-sdk/lib-dynamodb.DynamoDBDocument.{method}"), "dynamodb", operation));
    }

    // lib-storage: the commands its code makes.
    let code = fs::read_to_string(packages.path("lib-storage", "dist-cjs/index.js"))?;
    ensure!(code.contains("exports.Upload"), "lib-storage has no Upload");
    let made = Regex::new(r"new (?:\w+\.)?(\w+)Command\(")?;
    let mut operations: Vec<String> = made.captures_iter(&code).map(|found| found[1].to_owned()).collect();
    operations.sort();
    operations.dedup();
    helpers.push(("js3:@aws-sdk/lib-storage.Upload".to_owned(), "s3", operations));

    // The SDK 2's document client has a table of its own.
    let code = fs::read_to_string(packages.path("aws-sdk", "lib/dynamodb/document_client.js"))?;
    let (_, table) = code.split_once("serviceClientOperationsMap: {").context("the document client has no table")?;
    let (table, _) = table.split_once('}').context("the document client's table has no end")?;
    let pair = Regex::new(r"(\w+): '(\w+)'")?;
    for found in pair.captures_iter(table) {
        let operation = services
            .get("dynamodb")
            .and_then(|service| service.operations.iter().find(|name| lower_first(name) == found[2]))
            .with_context(|| format!("the document client calls the unknown {}", &found[2]))?;
        helpers.push((format!("js2:DynamoDB.DocumentClient.{}", &found[1]), "dynamodb", vec![operation.clone()]));
    }

    for helper in &exceptions.helpers {
        helpers.push((helper.key.clone(), &helper.client, helper.operations.clone()));
    }
    let mut rows = Vec::new();
    for (key, client, operations) in helpers {
        let service = services.get(client).with_context(|| format!("{key}: no client {client}"))?;
        ensure!(!operations.is_empty(), "{key} ({}) calls nothing", service.id);
        for operation in &operations {
            ensure!(service.operations.contains(operation), "{key} calls the unknown {operation}");
        }
        rows.push(vec![key, client.to_owned(), operations.join(",")]);
    }
    println!("{} helpers", rows.len());
    output.table("helpers.txt", rows)
}

fn lower_first(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map_or_else(String::new, |first| format!("{}{}", first.to_ascii_lowercase(), characters.as_str()))
}
