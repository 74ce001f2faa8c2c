//! Reads Terraform configurations into the graph: the same functions, triggers, identities and resources as a template gives,
//! each pointing at the HCL a person wrote.
//!
//! A configuration is worked out as far as it can be without deploying it (variables with their defaults and `.tfvars`,
//! locals, loops, modules in folders here, common functions), then put into CloudFormation's terms and read by `template`'s
//! reader, so that what an audit knows of a bucket or a route it knows whatever the source. That is the one place where a
//! reader knows its neighbour.
//!
//! Deliberately absent: state files, workspaces other than `default`, values from outside (`-var`, data sources that ask the
//! account), `moved`, `import` and `check` blocks, regular expressions and dates among the functions, and modules that aren't
//! here, apart from the few that `modules` describes; those that are left out are listed.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod attributes;
mod blocks;
mod code;
mod configuration;
mod datum;
mod documents;
mod evaluate;
mod files;
mod functions;
mod identities;
mod join;
mod json;
mod lower;
mod modules;
mod names;
mod node;
mod parse;
mod parse_template;
mod plan;
mod syntax;
mod types;

pub use configuration::roots;
use evaluate::Evaluator;
use files::Files;
pub use files::{MAX_BYTES, Repository};
use findings::{Diagnostic, Level};
use graph::{Application, Format};
use lower::{Item, Lowering};
pub use plan::looks_like_plan;
use source::{FileId, Sources, Span};

/// The name diagnostics carry.
pub(crate) const READER: &str = "terraform";

/// What came of reading a configuration.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// The application; none where the folder deploys nothing.
    pub application: Option<Application>,
    /// What was not read or not understood.
    pub diagnostics: Vec<Diagnostic>,
    /// The files that were read for it: its own, its modules', templates and policies.
    pub included: Vec<FileId>,
}

/// Cheap test on a path: is this a file of a Terraform configuration?
pub fn is_configuration(path: &str) -> bool {
    configuration::is_configuration(path)
}

/// Reads the configuration in `folder` (relative to what is scanned, `""` for the top) with the modules it uses.
///
/// Every file that is read is added to `sources`.
pub fn read(sources: &mut Sources, folder: &str, repository: &dyn Repository) -> Reading {
    let mut diagnostics = Vec::new();
    let mut files = Files::new(sources, repository);
    let mut evaluator = Evaluator::new(&mut files, &mut diagnostics);
    let Some(root) = evaluator.read_folder(folder, folder) else {
        let included = files.included.clone();
        return Reading { application: None, diagnostics, included };
    };
    let (Some(file), true) = (root.file, root.holds_something()) else {
        let included = files.included.clone();
        return Reading { application: None, diagnostics, included };
    };
    evaluator.add_module(String::new(), root, None);
    let (items, archives) = evaluator.collect();
    if evaluator.is_exhausted() {
        evaluator.diagnostics.push(
            Diagnostic::at(
                Level::Warning,
                READER,
                Span::new(file, 0, 0),
                "the configuration is too large to be worked out",
            )
            .help("its loops and references make more values than are read; what is left is taken as unknown"),
        );
    }
    let name = folder.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("main");
    let application = lower(items, &archives, folder, file, name, &mut files, &mut diagnostics);
    let included = files.included.clone();
    Reading { application, diagnostics, included }
}

/// Reads a plan or state in JSON, the file `file` of `sources`; see [`looks_like_plan`].
pub fn read_plan(sources: &mut Sources, file: FileId, repository: &dyn Repository) -> Reading {
    let mut diagnostics = Vec::new();
    let mut files = Files::new(sources, repository);
    let (items, complaints) = plan::read(file, files.text(file));
    diagnostics.extend(complaints.into_iter().map(|complaint| Diagnostic::from_complaint(READER, complaint)));
    let path = files.sources().get(file).map(|file| file.path().to_string()).unwrap_or_default();
    let (folder, name) = configuration::split(&path);
    let stem = name.split('.').next().unwrap_or(name);
    let shown = folder.rsplit('/').next().filter(|folder| !folder.is_empty()).unwrap_or(stem);
    let application = lower(items, &[], folder, file, shown, &mut files, &mut diagnostics);
    let included = files.included.clone();
    Reading { application, diagnostics, included }
}

/// Brings resources into CloudFormation's terms and has them read.
fn lower(
    items: Vec<Item>,
    archives: &[Item],
    folder: &str,
    file: FileId,
    name: &str,
    files: &mut Files<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Application> {
    let mut lowering = Lowering::new(items);
    lowering.join_identities();
    lowering.join();
    lowering.join_code(archives, folder, files);
    if lowering.made.is_empty() {
        return None;
    }
    for (span, message) in std::mem::take(&mut lowering.unread) {
        let help = "what it allows is missing from what is said about this configuration";
        diagnostics.push(Diagnostic::at(Level::Note, READER, span, message).help(help));
    }
    let document = lowering.document(Span::new(file, 0, 0));
    let repository = files.repository();
    let mut open = |path: &str| repository.read(path);
    let reading = template::read_lowered(files.sources(), file, document, Format::Terraform, name, &mut open);
    diagnostics.extend(reading.diagnostics.into_iter().map(|diagnostic| Diagnostic { reader: READER, ..diagnostic }));
    reading.application
}
