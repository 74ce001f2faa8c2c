//! Documents that another reader has put into CloudFormation's form: the way in for formats that describe the same resources
//! in a language of their own. The rest of the crate can't tell them from templates.

use crate::Reading;
use crate::files::Files;
use crate::reader::{Nesting, Written, read_written};
use findings::Diagnostic;
use graph::Format;
use source::{FileId, Node, Sources};
use std::collections::HashMap;

/// The intrinsic function by which such a document says that a value can't be told; its argument says why.
pub const UNRESOLVED: &str = "Fn::Unresolved";

/// Reads a document with `Resources` (and `Parameters`) as if it had been written as a template in `file`.
///
/// Every node has the span of what a person wrote. Paths are relative to the folder of `file`. Logical ids may be any text:
/// a reference to an id with dots in it is no attribute. What other reader's words are needed for is left to the caller, so
/// nothing is said about names that lead nowhere.
pub fn read_lowered(
    sources: &mut Sources,
    file: FileId,
    document: Node,
    format: Format,
    name: &str,
    open: &mut dyn FnMut(&str) -> Option<String>,
) -> Reading {
    let mut files = Files::new(sources, open);
    let mut diagnostics: Vec<Diagnostic> = Vec::new();
    let mut nesting = Nesting { open: Vec::new(), count: 0 };
    let written = Written { file, root: document, whole: false, foreign_types: HashMap::new(), format: Some(format) };
    let outcome = read_written(&mut files, written, &HashMap::new(), &mut nesting, &mut diagnostics, &mut |_| {});
    let application = outcome.map(|outcome| {
        let mut application = outcome.application;
        application.name = name.to_string();
        application
    });
    Reading { application, diagnostics, included: files.included }
}
