#![no_main]
//! Advisories in OSV's form into an index, and an index from bytes that may be anything.
//!
//! An input that begins with `{` is one or more documents, one per line; any other is the bytes of an index.

use deps::{Build, Ecosystem, Index, Package, Version, match_packages};
use libfuzzer_sys::fuzz_target;
use source::{FileId, Span};

fuzz_target!(|input: &[u8]| {
    let files = if input.first() == Some(&b'{') {
        let mut build = Build::new();
        for (number, document) in input.split(|byte| *byte == b'\n').take(16).enumerate() {
            build.document(&number.to_string(), document);
        }
        let (files, _) = build.finish().expect("an index of what was read");
        files
    } else {
        vec![(Ecosystem::Npm, input.to_vec())]
    };
    let Ok(index) = Index::of_bytes(files) else { return };
    let packages: Vec<Package> = Ecosystem::ALL
        .into_iter()
        .flat_map(|ecosystem| {
            let package = move |version| Package {
                ecosystem,
                name: "a".into(),
                version,
                direct: None,
                dev: false,
                requires: Vec::new(),
                span: Span::new(FileId(0), 0, 0),
            };
            [package(Version::Exact("1.2.3".into())), package(Version::Range("^1.0".into()))]
        })
        .collect();
    let _ = index.holds();
    if let Ok(matching) = match_packages(&packages, &index) {
        (0..packages.len()).for_each(|package| drop(matching.upgrade(package).map(str::to_string)));
    }
});
