//! A whole export of advisories, from archive to verdict. Skipped, and said so, where the archive isn't there.

#![allow(clippy::unwrap_used)]

use deps::{Build, Ecosystem, Index, Package, Version, match_packages};
use source::{FileId, Span};

fn pinned(name: &str, version: &str) -> Package {
    Package {
        ecosystem: Ecosystem::PyPi,
        name: name.to_string(),
        version: Version::Exact(version.to_string()),
        direct: Some(true),
        dev: false,
        requires: Vec::new(),
        span: Span::new(FileId(0), 0, 0),
    }
}

#[test]
fn an_export_of_pypi_becomes_an_index_that_answers() {
    let archive = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/osv-pypi.zip");
    if !archive.is_file() {
        eprintln!("skipped: no export at `{}`", archive.display());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut build = Build::new();
    build.path(&archive).unwrap();
    let built = build.write(folder.path()).unwrap();
    assert!(built.documents > 2000 && built.broken == 0, "{built:?}");
    assert_eq!(built.holdings[0].advisories + built.withdrawn + built.silent, built.documents, "{built:?}");
    let size = std::fs::metadata(folder.path().join("pypi.advisories")).unwrap().len();
    assert!(size < 2 << 20, "{size} bytes");

    let index = Index::open(folder.path()).unwrap();
    assert!(index.covers(Ecosystem::PyPi));
    let packages =
        [pinned("PyYAML", "5.3"), pinned("pyyaml", "6.0.1"), pinned("requests", "2.19.0"), pinned("Django", "2.2")];
    let matching = match_packages(&packages, &index).unwrap();
    let of = |at: usize| matching.vulnerable.iter().filter(move |one| one.package == at);
    assert!(
        of(0).any(|one| one.advisory.aliases.iter().any(|alias| alias == "CVE-2020-1747")
            && one.fixed_in.as_deref() == Some("5.3.1")),
        "{:#?}",
        of(0).collect::<Vec<_>>()
    );
    assert_eq!(of(1).count(), 0);
    assert!(
        of(2).any(|one| one.advisory.aliases.iter().any(|alias| alias == "CVE-2018-18074")
            && one.fixed_in.as_deref() == Some("2.20.0")),
        "{:#?}",
        of(2).collect::<Vec<_>>()
    );
    assert!(of(3).count() > 10);
}

#[test]
fn every_package_of_a_large_index_is_found() {
    let mut build = Build::new();
    for n in 0..20_000 {
        let text = format!(
            r#"{{"id": "MAL-{n}", "affected": [{{"package": {{"ecosystem": "npm", "name": "package-{n}"}},
            "ranges": [{{"type": "SEMVER", "events": [{{"introduced": "0"}}]}}]}}]}}"#
        );
        build.document("x", text.as_bytes());
    }
    let folder = tempfile::tempdir().unwrap();
    let built = build.write(folder.path()).unwrap();
    assert_eq!(built.holdings[0].packages, 20_000);
    let package = Package { ecosystem: Ecosystem::Npm, ..pinned("package-19999", "1.0.0") };
    let matching = match_packages(&[package], &Index::open(folder.path()).unwrap()).unwrap();
    assert_eq!(matching.vulnerable[0].advisory.severity, Some(findings::Severity::Critical));
    assert_eq!(matching.vulnerable[0].fixed_in, None);
}
