//! Documents taken as they are: SAM policy templates and connectors, AWS managed policies, Lambda runtimes.

use std::fs;

use anyhow::{Context, Result, ensure};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde_json::Value;
use std::io::Write;

use super::packages::Packages;
use super::{Output, members, read_json, text};

/// A chunk is closed once it holds so much. `facts` refuses to inflate more than 1 MiB.
const CHUNK_BYTES: usize = 96 * 1024;

/// The policy templates and the connectors.
pub(crate) fn sam(packages: &Packages, output: &mut Output) -> Result<()> {
    let templates = read_json(&packages.path("sam", "samtranslator/policy_templates_data/policy_templates.json"))?;
    let mut rows = Vec::new();
    for (name, template) in members(&templates["Templates"]) {
        let parameters: Vec<&str> = members(&template["Parameters"]).map(|(name, _)| name.as_str()).collect();
        let statements = &template["Definition"]["Statement"];
        ensure!(statements.is_array(), "{name} has no list of statements");
        rows.push(vec![name.clone(), parameters.join(","), statements.to_string()]);
    }
    output.table("sam_policy_templates.txt", rows)?;

    let profiles = read_json(&packages.path("sam", "samtranslator/model/connector_profiles/profiles.json"))?;
    let mut rows = Vec::new();
    for (source, destinations) in members(&profiles["Permissions"]) {
        for (destination, grant) in members(destinations) {
            rows.push(vec![format!("{source} {destination}"), grant.to_string()]);
        }
    }
    ensure!(!rows.is_empty(), "no connector profiles");
    output.table("sam_connectors.txt", rows)
}

/// The AWS managed policies: an index and the documents, packed.
pub(crate) fn managed_policies(packages: &Packages, output: &mut Output) -> Result<()> {
    let source = fs::read_to_string(packages.path("moto", "moto/iam/aws_managed_policies.py"))?;
    // One Python string of JSON. An escape in it would need Python to read it.
    let parts: Vec<&str> = source.split("\"\"\"").collect();
    ensure!(parts.len() == 3 && !parts[1].contains('\\'), "the managed policies are in another form than expected");
    let policies: Value = serde_json::from_str(parts[1])?;

    let mut rows = Vec::new();
    let (mut packed, mut chunk, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
    let mut close = |chunk: &mut Vec<u8>, waiting: &mut Vec<(String, String, usize, usize)>| -> Result<()> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(chunk)?;
        let deflated = encoder.finish()?;
        for (name, path, start, length) in waiting.drain(..) {
            let numbers = [packed.len(), deflated.len(), start, length].map(|number| number.to_string());
            rows.push([vec![name, path], numbers.to_vec()].concat());
        }
        packed.extend_from_slice(&deflated);
        chunk.clear();
        Ok(())
    };
    for (name, policy) in members(&policies) {
        let path = text(policy, "/Path").with_context(|| format!("{name} has no path"))?;
        ensure!(policy["Document"].is_object(), "{name} has no document");
        let document = policy["Document"].to_string();
        waiting.push((name.clone(), path.to_owned(), chunk.len(), document.len()));
        chunk.extend_from_slice(document.as_bytes());
        if chunk.len() >= CHUNK_BYTES {
            close(&mut chunk, &mut waiting)?;
        }
    }
    close(&mut chunk, &mut waiting)?;
    println!("{} managed policies", rows.len());
    output.table("managed_policies.txt", rows)?;
    output.bytes("managed_policies.bin", packed);
    Ok(())
}

/// The Lambda runtimes.
pub(crate) fn runtimes(packages: &Packages, output: &mut Output) -> Result<()> {
    let runtimes = read_json(&packages.path("cfn-lint", "cfnlint/data/AdditionalSpecs/LmbdRuntimeLifecycle.json"))?;
    let rows = members(&runtimes).map(|(id, dates)| {
        let column = |name: &str| dates[name].as_str().unwrap_or_default().to_owned();
        vec![id.clone(), column("deprecated"), column("create-block"), column("update-block"), column("successor")]
    });
    output.table("runtimes.txt", rows)
}
