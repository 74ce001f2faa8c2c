//! Code that the CDK copied into its output, traced back to the folder that people edit.
//!
//! An asset is a copy under a name made of its hash. Where a folder of the repository holds the same handler with the same text,
//! the function's code is that folder. Deliberately absent: bundles, which are no copies; they are read where they are.

use crate::files::{Found, Root};
use graph::{Code, Estate, Format};
use std::collections::HashMap;

/// The most folders that are compared for one asset.
const MAX_COMPARED: usize = 200;

/// Points functions whose code is a copy at the original.
pub(crate) fn trace(root: &Root, found: &[Found], estate: &mut Estate) {
    let copied = |path: &str| path.split('/').any(|part| part.starts_with("asset."));
    if !estate.applications.iter().any(|application| application.format == Format::Cdk) {
        return;
    }
    let mut by_name: HashMap<&str, Vec<&Found>> = HashMap::new();
    for file in found.iter().filter(|file| !copied(&file.path)) {
        by_name.entry(file.path.rsplit('/').next().unwrap_or(&file.path)).or_default().push(file);
    }
    let mut known: HashMap<(String, String), Option<String>> = HashMap::new();
    for application in estate.applications.iter_mut().filter(|application| application.format == Format::Cdk) {
        for function in &mut application.functions {
            let (Code::Local(code), Some(handler)) = (&mut function.code, &function.handler) else { continue };
            let Some((module, _)) = handler.value.rsplit_once('.').filter(|_| copied(&code.value)) else { continue };
            let original = known
                .entry((code.value.clone(), module.to_string()))
                .or_insert_with(|| original(root, &by_name, &code.value, module));
            if let Some(original) = original {
                code.value.clone_from(original);
            }
        }
    }
}

/// The folder that an asset was copied from.
fn original(root: &Root, by_name: &HashMap<&str, Vec<&Found>>, asset: &str, module: &str) -> Option<String> {
    let path = module.replace('.', "/");
    let names = [
        format!("{path}.py"),
        format!("{module}.js"),
        format!("{module}.mjs"),
        format!("{module}.cjs"),
        format!("{module}.ts"),
    ];
    let (name, text) = names.into_iter().find_map(|name| {
        let text = root.read(&format!("{asset}/{name}"))?;
        Some((name, text))
    })?;
    // The application's own folder comes first: that is where the output stands.
    let project = asset.split("cdk.out").next().unwrap_or("").trim_end_matches('/');
    let inside = |path: &str| project.is_empty() || path.starts_with(&format!("{project}/"));
    let beside = root.list(asset);
    let mut folders: Vec<String> = by_name
        .get(name.rsplit('/').next()?)?
        .iter()
        .filter(|file| file.size == text.len() as u64)
        .filter_map(|file| {
            let before = file.path.strip_suffix(name.as_str())?;
            (before.is_empty() || before.ends_with('/')).then(|| before.trim_end_matches('/').to_string())
        })
        .take(MAX_COMPARED)
        .filter(|folder| root.read(&joined(folder, &name)).as_deref() == Some(text.as_str()))
        .collect();
    folders.sort_by_key(|folder| !inside(&joined(folder, &name)));
    // Of folders with the same handler, the one that has what else was copied.
    let whole = folders.iter().position(|folder| {
        let here = root.list(if folder.is_empty() { "." } else { folder });
        beside.iter().all(|file| here.binary_search(file).is_ok())
    });
    let chosen = folders.into_iter().nth(whole.unwrap_or(0))?;
    Some(if chosen.is_empty() { ".".to_string() } else { chosen })
}

fn joined(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_string() } else { format!("{folder}/{name}") }
}

#[cfg(test)]
mod tests {
    use crate::{Options, load};
    use graph::Code;

    #[test]
    fn a_copied_asset_is_its_original_and_a_bundle_stays_where_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let function = |name: &str, asset: &str| {
            format!(
                r#""{name}": {{ "Type": "AWS::Lambda::Function",
                  "Properties": {{ "Handler": "index.handler", "Runtime": "nodejs20.x", "Code": {{ "S3Key": "x" }} }},
                  "Metadata": {{ "aws:asset:path": "{asset}", "aws:asset:property": "Code" }} }}"#
            )
        };
        write("cdk.json", r#"{ "app": "node app.js" }"#);
        write(".gitignore", "cdk.out\n");
        write(
            "cdk.out/manifest.json",
            r#"{ "artifacts": { "S": { "type": "aws:cloudformation:stack", "properties": { "templateFile": "S.template.json" } } } }"#,
        );
        write(
            "cdk.out/S.template.json",
            &format!(
                r#"{{ "Resources": {{ {}, {} }} }}"#,
                function("Copied", "asset.aa"),
                function("Bundled", "asset.bb")
            ),
        );
        write("cdk.out/asset.aa/index.js", "exports.handler = async () => 1;\n");
        write("cdk.out/asset.aa/util.js", "");
        write("cdk.out/asset.bb/index.js", "var x=1;exports.handler=async()=>x;\n");
        write("other/index.js", "exports.handler = async () => 1;\n");
        write("src/orders/index.js", "exports.handler = async () => 1;\n");
        write("src/orders/util.js", "");
        let loaded = load(folder.path(), &Options { code: false, ..Options::default() }).unwrap();
        assert_eq!(loaded.estate.applications.len(), 1, "the ignored output is read, and once");
        let codes: Vec<String> = loaded.estate.applications[0]
            .functions
            .iter()
            .map(|function| match &function.code {
                Code::Local(path) => path.value.clone(),
                other => format!("{other:?}"),
            })
            .collect();
        assert_eq!(codes, ["src/orders", "cdk.out/asset.bb"]);
    }
}
