#![no_main]
//! YAML and JSON documents: every node's place is in the text, and JSON that serde reads is read without a complaint.

use libfuzzer_sys::fuzz_target;
use source::{Document, FileId};

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else { return };
    for document in
        [Document::yaml(FileId(0), text), Document::json(FileId(0), text), Document::detect(FileId(0), text)]
    {
        fuzz::check_spans(&document.root, text);
        document.complaints.iter().for_each(|complaint| fuzz::check_span(complaint.span, text));
        let _ = document.root.to_json();
        let _ = document.root.count();
    }
});
