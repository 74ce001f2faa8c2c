#![no_main]
//! Templates of CloudFormation and SAM, services of the Serverless Framework, what the CDK synthesises: a repository whose first
//! file is the template. The name of that file decides how it is read.

use fuzz::Repository;
use libfuzzer_sys::fuzz_target;
use source::{SourceFile, Sources};

fuzz_target!(|input: &[u8]| {
    let Some(repository) = Repository::of(input, "template.yaml") else { return };
    let text = repository.text(&repository.first).unwrap_or_default();
    let _ = template::looks_like_template(&repository.first, &text);
    let mut sources = Sources::new();
    let file = sources.add(SourceFile::new(repository.first.clone(), text));
    let reading = template::read(&mut sources, file, &mut |path| repository.text(path));
    let Some(application) = reading.application else { return };
    // What the fence and the engine for permissions make of it comes from the same text.
    let fence = fence::derive(&application, &sources);
    let update = fence::update(None, &fence).expect("a new fence can be written");
    assert!(fence::read(source::FileId(0), &update.text).fence.is_some(), "what was written can be read again");
    let _ = gateway::Routes::of(&application);
});
