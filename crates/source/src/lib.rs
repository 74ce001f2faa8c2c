//! Text with positions: source files, spans into them, and YAML or JSON documents whose every node knows where it stands.
//!
//! Everything Ringfence says about an application points at source, so this crate is below all others. It reads no
//! files: the caller hands over text. It knows nothing of CloudFormation or of fences.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod document;
mod file;

pub use document::{Complaint, Document, Entry, Node, NodeKind};
pub use file::{FileId, MAX_SEGMENTS, Position, SourceFile, Sources, Span};
