//! A bill of materials in CycloneDX 1.6 JSON. The same input gives the same bytes: no time and no random serial number.

use crate::{Ecosystem, Matching, Package, Vulnerable};
use serde_json::{Value, json};
use source::Sources;
use std::collections::{BTreeMap, BTreeSet};

/// The bill of packages and of what advisories say about them.
pub fn cyclonedx(name: &str, packages: &[Package], matching: Option<&Matching>, sources: &Sources) -> Value {
    let mut places: BTreeMap<String, (usize, Vec<Value>, bool)> = BTreeMap::new();
    for (at, package) in packages.iter().enumerate() {
        let entry = places.entry(package.purl()).or_insert((at, Vec::new(), true));
        let place = json!({"location": sources.path(package.span), "line": sources.position(package.span).line});
        if !entry.1.contains(&place) {
            entry.1.push(place);
        }
        entry.2 &= package.dev;
    }
    let components: Vec<Value> = places
        .iter()
        .filter_map(|(purl, (at, occurrences, dev))| Some(component(packages.get(*at)?, purl, occurrences, *dev)))
        .collect();
    let mut bill = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "tools": {"components": [{"type": "application", "name": "ringfence", "version": env!("CARGO_PKG_VERSION")}]},
            "component": {"type": "application", "bom-ref": "application", "name": name},
        },
        "components": components,
        "dependencies": dependencies(packages),
    });
    // Without advisories the bill says nothing of weaknesses, which is not the same as that there are none.
    if let Some(matching) = matching {
        bill["vulnerabilities"] = Value::Array(vulnerabilities(packages, matching));
    }
    bill
}

fn component(package: &Package, purl: &str, occurrences: &[Value], dev: bool) -> Value {
    let (group, name) = match (package.ecosystem, package.name.split_once('/')) {
        (Ecosystem::Npm, Some((scope, name))) => (Some(scope), name),
        _ => (None, package.name.as_str()),
    };
    let mut component = json!({"type": "library", "bom-ref": purl});
    if let Some(group) = group {
        component["group"] = group.into();
    }
    component["name"] = name.into();
    let mut properties = Vec::new();
    match package.version.exact() {
        Some(version) => component["version"] = version.into(),
        None => properties.push(json!({"name": "ringfence:range", "value": package.version.text()})),
    }
    component["scope"] = if dev { "excluded" } else { "required" }.into();
    component["purl"] = purl.into();
    if !properties.is_empty() {
        component["properties"] = properties.into();
    }
    component["evidence"] = json!({"occurrences": occurrences});
    component
}

/// Which package needs which, as far as the lockfiles tell; names are resolved inside the file that states them.
fn dependencies(packages: &[Package]) -> Vec<Value> {
    let mut by_name: BTreeMap<(source::FileId, String), Vec<String>> = BTreeMap::new();
    for package in packages {
        by_name.entry((package.file(), package.key())).or_default().push(package.purl());
    }
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in packages {
        let purl = package.purl();
        if package.direct == Some(true) {
            edges.entry("application".to_string()).or_default().insert(purl.clone());
        }
        for need in &package.requires {
            // Where one file holds a package at several versions, which one is meant isn't known: it isn't guessed.
            if let Some([only]) = by_name.get(&(package.file(), package.ecosystem.key(need))).map(Vec::as_slice)
                && *only != purl
            {
                edges.entry(purl.clone()).or_default().insert(only.clone());
            }
        }
    }
    edges.iter().map(|(from, to)| json!({"ref": from, "dependsOn": to})).collect()
}

fn vulnerabilities(packages: &[Package], matching: &Matching) -> Vec<Value> {
    let mut by_id: BTreeMap<&str, Vec<&Vulnerable>> = BTreeMap::new();
    for one in &matching.vulnerable {
        by_id.entry(&one.advisory.id).or_default().push(one);
    }
    by_id
        .into_iter()
        .filter_map(|(id, all)| {
            let advisory = &all.first()?.advisory;
            let source = |id: &str| json!({"name": "OSV", "url": format!("https://osv.dev/vulnerability/{id}")});
            let mut entry = json!({"bom-ref": id, "id": id, "source": source(id)});
            if !advisory.aliases.is_empty() {
                let references = advisory.aliases.iter().map(|alias| json!({"id": alias, "source": source(alias)}));
                entry["references"] = references.collect();
            }
            if let Some(severity) = advisory.severity {
                let mut rating = json!({"severity": severity.name()});
                if let Some(score) = advisory.score {
                    rating["score"] = (f64::from(score) / 10.0).into();
                }
                if let Some(vector) = advisory.vector.as_deref() {
                    let method = match vector {
                        _ if vector.starts_with("CVSS:3.1/") => "CVSSv31",
                        _ if vector.starts_with("CVSS:3.0/") => "CVSSv3",
                        _ if vector.starts_with("CVSS:4.0/") => "CVSSv4",
                        _ => "other",
                    };
                    rating["method"] = method.into();
                    rating["vector"] = vector.into();
                }
                entry["ratings"] = json!([rating]);
            }
            if !advisory.summary.is_empty() {
                entry["description"] = advisory.summary.as_str().into();
            }
            let fixes: BTreeSet<String> = all
                .iter()
                .filter_map(|one| Some(format!("{} {}", packages.get(one.package)?.name, one.fixed_in.as_ref()?)))
                .collect();
            if !fixes.is_empty() {
                let fixes: Vec<String> = fixes.into_iter().collect();
                entry["recommendation"] = format!("upgrade to {}", fixes.join(", ")).into();
            }
            let affects: BTreeSet<String> =
                all.iter().filter_map(|one| packages.get(one.package)).map(Package::purl).collect();
            entry["affects"] = affects.into_iter().map(|purl| json!({"ref": purl})).collect();
            Some(entry)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readers::testing::read_files;
    use crate::{Build, Index, match_packages};

    #[test]
    fn a_bill_of_two_packages_and_one_weakness() {
        let lock = r#"{ "lockfileVersion": 3, "packages": {
  "": { "dependencies": { "@s/a": "1" } },
  "node_modules/@s/a": { "version": "1.0.0", "dependencies": { "b": "*" } },
  "node_modules/b": { "version": "2.0.0" } } }"#;
        let (sources, reading) = read_files(&[("package-lock.json", lock)]);
        let mut build = Build::new();
        build.document("x", br#"{"id": "GHSA-1", "aliases": ["CVE-1"], "summary": "bad", "severity": [{"type": "CVSS_V3",
            "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}], "affected": [{"package": {"ecosystem": "npm", "name": "b"},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "2.0.1"}]}]}]}"#);
        let index = Index::of_bytes(build.finish().unwrap().0).unwrap();
        let matching = match_packages(&reading.packages, &index).unwrap();
        let bill = cyclonedx("shop", &reading.packages, Some(&matching), &sources);
        let component = &bill["components"][0];
        assert_eq!(component["purl"], "pkg:npm/%40s/a@1.0.0");
        assert_eq!((&component["group"], &component["name"]), (&json!("@s"), &json!("a")));
        assert_eq!(component["evidence"]["occurrences"][0], json!({"location": "package-lock.json", "line": 3}));
        assert_eq!(bill["dependencies"][1], json!({"ref": "pkg:npm/%40s/a@1.0.0", "dependsOn": ["pkg:npm/b@2.0.0"]}));
        let weakness = &bill["vulnerabilities"][0];
        assert_eq!(weakness["ratings"][0]["score"], 9.8);
        assert_eq!(weakness["recommendation"], "upgrade to b 2.0.1");
        assert_eq!(weakness["affects"][0]["ref"], "pkg:npm/b@2.0.0");
        assert!(cyclonedx("shop", &reading.packages, None, &sources).get("vulnerabilities").is_none());
    }
}
