#![no_main]
//! Manifests and lockfiles: a repository whose first file is one. Its name decides which reader reads it.

use fuzz::Repository;
use libfuzzer_sys::fuzz_target;
use source::{SourceFile, Sources};

fuzz_target!(|input: &[u8]| {
    let Some(repository) = Repository::of(input, "package-lock.json") else { return };
    let mut sources = Sources::new();
    let text = repository.text(&repository.first).unwrap_or_default();
    let file = sources.add(SourceFile::new(repository.first.clone(), text));
    let Some(reading) = deps::read(&mut sources, file, &mut |path| repository.text(path)) else { return };
    for package in &reading.packages {
        let text = repository.text(sources.path(package.span));
        let whole = text.is_none_or(|text| text.get(package.span.range()).is_some());
        assert!(whole, "the place of {package:?} is in its file");
        let _ = (package.key(), package.purl());
        let _ = package.ecosystem.allows(package.version.text(), "1.2.3");
    }
});
