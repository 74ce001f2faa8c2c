#![no_main]
//! `fence.yaml`: reading one, bringing it up to date with another, and that what was written is read again as the same.
//!
//! What people have now and what was derived stand in one input, as two files; the second may be absent.

use fuzz::Repository;
use libfuzzer_sys::fuzz_target;
use source::FileId;

fuzz_target!(|input: &[u8]| {
    let Some(repository) = Repository::of(input, "fence.yaml") else { return };
    let existing = repository.text(&repository.first).unwrap_or_default();
    let reading = fence::read(FileId(0), &existing);
    reading.complaints.iter().for_each(|complaint| fuzz::check_span(complaint.span, &existing));
    let derived = repository
        .text("derived.yaml")
        .and_then(|text| fence::read(FileId(0), &text).fence)
        .or(reading.fence)
        .unwrap_or_default();
    let Ok(once) = fence::update(Some(&existing), &derived) else { return };
    let twice = fence::update(Some(&once.text), &derived).expect("what was written can be read");
    assert!(twice.changes.is_empty(), "bringing it up to date twice changes nothing more: {:?}", twice.changes);
});
