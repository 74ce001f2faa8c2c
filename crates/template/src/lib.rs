//! Reads CloudFormation and SAM templates (YAML and JSON), services of the Serverless Framework and what the CDK synthesises into
//! the graph: functions, what triggers them, the roles they run
//! as with every statement, and the resources around them, each with its place in the source.
//!
//! SAM is read as its translator would expand it (`Globals`, implicit APIs and roles, policy templates, connectors), without
//! being expanded: everything points at what a person wrote. Values that only deployment knows stay values with holes.
//! Parameters count with their defaults; where a condition stays open, its first branch counts. A resource is left out for its
//! condition only where no parameter could turn it on.
//!
//! Deliberately absent: checking a template against the resource schemas; macros other than `AWS::Include` and the language
//! extensions; files in buckets (only files of the repository are opened); values that a deployment configuration overrides;
//! roles that SAM makes for rules and schedules, since no function runs as them; further authentication modes of a GraphQL
//! API beside its first; Terraform, which has a reader of its own. What the readers of the framework and of the CDK leave out is said in `serverless` and `cdk`.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod apigateway;
mod cdk;
mod check;
mod connectors;
mod evaluate;
mod events;
mod files;
mod flow;
mod functions;
mod globals;
mod lowered;
mod model;
mod nested;
mod normalize;
mod openapi;
mod policy;
mod principals;
mod reader;
mod resources;
mod roles;
mod sam_api;
mod serverless;
mod triggers;

use files::Files;
pub use files::MAX_BYTES;
use findings::{Diagnostic, Level};
use graph::Application;
pub use lowered::{UNRESOLVED, read_lowered};
use source::{FileId, Sources};

/// The name diagnostics carry.
pub(crate) const READER: &str = "template";

/// What came of reading a template.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// The application; none where the file holds no resources that could be read.
    pub application: Option<Application>,
    /// What was not read or not understood.
    pub diagnostics: Vec<Diagnostic>,
    /// Other files that were read for it: nested stacks, API definitions, includes. A nested stack is part of this
    /// application, so it need not be read as one of its own.
    pub included: Vec<FileId>,
}

/// Cheap test on path and text: may this be something that describes an application?
///
/// True for a YAML or JSON file that has `AWSTemplateFormatVersion`, SAM's transform, or resources with an `AWS::` type; for a
/// service of the Serverless Framework, whatever its name; for `cdk.json` and the manifest of the CDK's output.
pub fn looks_like_template(path: &str, text: &str) -> bool {
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
    let name = path.rsplit('/').next().unwrap_or(path);
    if !matches!(extension.as_str(), "yaml" | "yml" | "json" | "template") {
        return matches!(name, "serverless.ts" | "serverless.js") && serverless::looks_like_service(path, text, false);
    }
    let json = is_json(text);
    if cdk::looks_like_application(path, text) {
        return true;
    }
    if serverless::looks_like_service(path, text, json) {
        return true;
    }
    if text.contains("AWSTemplateFormatVersion") {
        return has_key(text, json, "AWSTemplateFormatVersion") || has_key(text, json, "Resources");
    }
    if !has_key(text, json, "Resources") {
        return false;
    }
    text.contains("AWS::Serverless-2016-10-31") || names_aws_type(text)
}

fn is_json(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').trim_start().starts_with('{')
}

/// Whether a document has a key at its top: unindented in YAML, in the outermost object in JSON.
pub(crate) fn has_key(text: &str, json: bool, key: &str) -> bool {
    if json {
        return json_key(text, key);
    }
    text.match_indices(key).any(|(at, _)| {
        let before = text[..at].trim_end_matches(['"', '\'']);
        let after = text[at + key.len()..].trim_start_matches(['"', '\'']).trim_start_matches([' ', '\t']);
        after.starts_with(':') && (before.is_empty() || before.ends_with(['\n', '\u{feff}']))
    })
}

/// Whether the outermost object of a JSON text has a key.
fn json_key(text: &str, key: &str) -> bool {
    if !text.contains(key) {
        return false;
    }
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let start = at + 1;
                at = start;
                while bytes.get(at).is_some_and(|byte| *byte != b'"') {
                    at += if bytes.get(at) == Some(&b'\\') { 2 } else { 1 };
                }
                let named = bytes.get(start..at) == Some(key.as_bytes());
                let colon = bytes.iter().skip(at + 1).find(|byte| !byte.is_ascii_whitespace()) == Some(&b':');
                if depth == 1 && named && colon {
                    return true;
                }
            }
            _ => {}
        }
        at += 1;
    }
    false
}

/// Whether some `Type` is an AWS or custom resource's.
fn names_aws_type(text: &str) -> bool {
    text.match_indices("Type").any(|(at, _)| {
        let rest = text[at + 4..].trim_start_matches(['"', '\'', ' ', '\t']);
        rest.strip_prefix(':')
            .map(|rest| rest.trim_start_matches(['"', '\'', ' ', '\t', '\r', '\n']))
            .is_some_and(|value| value.starts_with("AWS::"))
    })
}

/// A document's complaint as a diagnostic. A duplicate key leaves everything readable, so it is no error.
pub(crate) fn complaint(complaint: source::Complaint) -> Diagnostic {
    let duplicate = complaint.message.starts_with("duplicate key");
    let mut diagnostic = Diagnostic::from_complaint(READER, complaint);
    if duplicate {
        diagnostic.level = Level::Warning;
    }
    diagnostic
}

/// Reads the template `file` of `sources`.
///
/// `open` gives the text of a file of the repository by its path relative to what is scanned; it is asked for nested stacks,
/// API definitions, state machines and includes. Those are added to `sources`, so that spans into them can be shown.
pub fn read(sources: &mut Sources, file: FileId, open: &mut dyn FnMut(&str) -> Option<String>) -> Reading {
    let mut files = Files::new(sources, open);
    let mut diagnostics = Vec::new();
    if files.length(file) > MAX_BYTES {
        let message = format!("`{}` is larger than {} MiB and was not read", files.path(file), MAX_BYTES >> 20);
        diagnostics.push(
            Diagnostic::general(Level::Error, READER, message).help("AWS itself accepts templates of at most 1 MB"),
        );
        return Reading { application: None, diagnostics, included: Vec::new() };
    }
    let (path, text) = (files.path(file), files.text(file));
    let application = if cdk::looks_like_application(&path, text) {
        cdk::read(&mut files, file, &mut diagnostics)
    } else if serverless::looks_like_service(&path, text, is_json(text)) {
        serverless::read(&mut files, file, &mut diagnostics)
    } else {
        reader::read_root(&mut files, file, &mut diagnostics)
    };
    Reading { application, diagnostics, included: files.included }
}
