#![no_main]
//! Terraform's plans and states as JSON.

use fuzz::Repository;
use libfuzzer_sys::fuzz_target;
use source::{SourceFile, Sources};

fuzz_target!(|input: &[u8]| {
    let Some(repository) = Repository::of(input, "plan.json") else { return };
    let text = repository.text(&repository.first).unwrap_or_default();
    let _ = terraform::looks_like_plan(&repository.first, &text);
    let mut sources = Sources::new();
    let file = sources.add(SourceFile::new(repository.first.clone(), text));
    let _ = terraform::read_plan(&mut sources, file, &repository);
});
