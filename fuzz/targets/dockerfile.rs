#![no_main]
//! Dockerfiles: the base of an image, and where its handler lies.

use fuzz::Repository;
use libfuzzer_sys::fuzz_target;
use source::FileId;

fuzz_target!(|input: &[u8]| {
    let Some(repository) = Repository::of(input, "Dockerfile") else { return };
    let text = repository.text(&repository.first).unwrap_or_default();
    if let Some(base) = deps::image::base(FileId(0), &text) {
        fuzz::check_span(base.span, &text);
    }
    let _ = deps::image::reference(&text);
    let folder = repository.first.rsplit_once('/').map_or("", |(folder, _)| folder);
    let _ = code::container(&repository, folder, &repository.first, None);
    let command: Vec<String> = text.lines().next().unwrap_or_default().split(' ').map(str::to_string).collect();
    let _ = code::container(&repository, folder, &repository.first, Some(&command));
});
