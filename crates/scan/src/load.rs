//! From a path to the graph: every template below it, and the code of its functions.

mod assets;

use crate::files::{Found, Root, walk};
use crate::progress::Progress;
use findings::{Diagnostic, Level};
use graph::{Application, Code, Estate, Function, ResourceKind};
use rayon::prelude::*;
use source::{FileId, SourceFile, Sources, Span};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How to read.
#[derive(Debug, Clone)]
pub struct Options {
    /// The largest file that is read, in bytes. CloudFormation itself takes templates up to 1 MB.
    pub max_file_bytes: u64,
    /// Whether the functions' code is read as well.
    pub code: bool,
    /// Counters that tell how far the work has come.
    pub progress: Arc<Progress>,
}

impl Default for Options {
    fn default() -> Self {
        Self { max_file_bytes: 16 << 20, code: true, progress: Arc::default() }
    }
}

/// What a path holds.
#[derive(Debug)]
pub struct Loaded {
    /// The folder that all paths are relative to.
    pub root: PathBuf,
    /// Every file that was read for the graph.
    pub sources: Sources,
    /// The applications.
    pub estate: Estate,
    /// What was not read or not understood.
    pub diagnostics: Vec<Diagnostic>,
    /// How many files there are below the path.
    pub files: usize,
    /// How many of them are templates, the ones that hold nothing readable included.
    pub templates: usize,
    /// Settings beside the code, which are looked through for credentials.
    pub settings: Vec<FileId>,
    /// The files below the path, where it is a folder.
    pub(crate) walked: Vec<Found>,
}

/// Why nothing could be loaded.
#[derive(Debug)]
pub enum LoadError {
    /// The path can't be opened.
    Path {
        /// The path as given.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The path is neither a file nor a folder.
    Kind(PathBuf),
}

impl std::fmt::Display for LoadError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Path { path, .. } => write!(formatter, "can't open `{}`", path.display()),
            Self::Kind(path) => write!(formatter, "`{}` is neither a file nor a folder", path.display()),
        }
    }
}

impl std::error::Error for LoadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Path { source, .. } => Some(source),
            Self::Kind(_) => None,
        }
    }
}

/// One template as it was read, with a segment of files of its own.
struct Unit {
    path: String,
    sources: Sources,
    application: Option<Application>,
    diagnostics: Vec<Diagnostic>,
    included: HashSet<String>,
}

/// Reads everything below `path`, or one template where it is a file.
///
/// # Errors
/// Where the path itself can't be read. Anything below it that can't is a diagnostic.
pub fn load(path: &Path, options: &Options) -> Result<Loaded, LoadError> {
    let unreadable = |source| LoadError::Path { path: path.to_path_buf(), source };
    let resolved = path.canonicalize().map_err(unreadable)?;
    let metadata = std::fs::metadata(&resolved).map_err(unreadable)?;
    let mut diagnostics = Vec::new();
    let (folder, candidates, files) = if metadata.is_dir() {
        std::fs::read_dir(&resolved).map_err(unreadable)?;
        let (found, errors) = walk(&resolved);
        // What can't be opened may be what matters: the report isn't whole, and its exit code says so.
        diagnostics.extend(errors.into_iter().map(|error| Diagnostic::general(Level::Error, "scan", error)));
        let count = found.len();
        (resolved, found, count)
    } else if metadata.is_file() {
        let name =
            resolved.file_name().and_then(|name| name.to_str()).ok_or_else(|| LoadError::Kind(path.to_path_buf()))?;
        let found = Found { path: name.to_string(), size: metadata.len() };
        (resolved.parent().unwrap_or(Path::new("/")).to_path_buf(), vec![found], 1)
    } else {
        return Err(LoadError::Kind(path.to_path_buf()));
    };
    let named_alone = metadata.is_file();
    let root = Root::new(folder, options.max_file_bytes);
    let may_be_template = |found: &Found| named_alone || has_template_extension(&found.path);
    options.progress.templates(files, candidates.iter().filter(|found| may_be_template(found)).count());
    let mut units: Vec<Unit> = candidates
        .par_iter()
        .enumerate()
        .filter(|(_, found)| may_be_template(found))
        .filter_map(|(index, found)| {
            options.progress.looked_at_one();
            read_template(&root, found, u32::try_from(index + 1).unwrap_or(u32::MAX), named_alone)
        })
        .collect();
    units.extend(read_configurations(&root, &candidates));
    units.sort_by(|left, right| left.path.cmp(&right.path));
    let templates = units.len();
    // A nested stack is part of the application that nests it.
    let nested: HashSet<String> = units.iter().flat_map(|unit| unit.included.iter().cloned()).collect();
    units.retain(|unit| !nested.contains(&unit.path));
    let mut sources = Sources::segment(0);
    let mut estate = Estate::default();
    for unit in units {
        sources.absorb(unit.sources);
        diagnostics.extend(unit.diagnostics);
        estate.applications.extend(unit.application.map(|application| named(application, &unit.path, &root.path)));
    }
    assets::trace(&root, &candidates, &mut estate);
    if options.code {
        options.progress.code(estate.functions().count());
        let counted = options.progress.counted(&root);
        read_code(&counted, &mut estate, &mut sources, &mut diagnostics);
    }
    let settings = if named_alone { Vec::new() } else { crate::secrets::read(&root, &candidates, &mut sources) };
    options.progress.audits();
    let walked = if named_alone { Vec::new() } else { candidates };
    Ok(Loaded { root: root.path, sources, estate, diagnostics, files, templates, settings, walked })
}

/// An application whose template stands in the root bears the root's name: `template` says nothing.
fn named(mut application: Application, path: &str, root: &Path) -> Application {
    if !path.contains('/')
        && let Some(name) = root.file_name().and_then(|name| name.to_str())
    {
        application.name = name.to_string();
    }
    application
}

pub(crate) fn has_template_extension(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    // A service that is a program isn't read, which has to be said.
    matches!(name, "serverless.ts" | "serverless.js")
        || matches!(extension, "yaml" | "yml" | "json" | "template")
            && !matches!(name, "package-lock.json" | "package.json" | "tsconfig.json")
}

fn read_template(root: &Root, found: &Found, segment: u32, named_alone: bool) -> Option<Unit> {
    let mut sources = Sources::segment(segment);
    let blank = |diagnostics| Unit {
        path: found.path.clone(),
        sources: Sources::segment(segment),
        application: None,
        diagnostics,
        included: HashSet::new(),
    };
    if found.size > root.max_bytes() {
        let head = root.head(&found.path, 64 << 10)?;
        if !named_alone && !template::looks_like_template(&found.path, &head) {
            return None;
        }
        let message = format!(
            "`{}` is {} MiB, more than the {} MiB that are read of one file",
            found.path,
            found.size >> 20,
            root.max_bytes() >> 20
        );
        let help = match found.size <= template::MAX_BYTES as u64 {
            true => "CloudFormation takes templates up to 1 MB; `--max-file-mib` raises the limit",
            // The flag wouldn't help: the reader of templates has a limit of its own.
            false => "CloudFormation takes templates up to 1 MB",
        };
        return Some(blank(vec![Diagnostic::general(Level::Error, "template", message).help(help)]));
    }
    let Some(text) = root.read_walked(found) else {
        let message = format!("`{}` can't be read", found.path);
        return Some(blank(vec![Diagnostic::general(Level::Error, "template", message)]));
    };
    if terraform::looks_like_plan(&found.path, &text) {
        let file = sources.add(SourceFile::new(&found.path, text));
        let reading = terraform::read_plan(&mut sources, file, root);
        let (application, diagnostics) = (reading.application, reading.diagnostics);
        return Some(Unit { path: found.path.clone(), sources, application, diagnostics, included: HashSet::new() });
    }
    if terraform::is_configuration(&found.path) || !named_alone && !template::looks_like_template(&found.path, &text) {
        return None;
    }
    let file = sources.add(SourceFile::new(&found.path, text));
    let reading = template::read(&mut sources, file, &mut |path| root.read(path));
    let included = reading.included.iter().filter_map(|id| Some(sources.get(*id)?.path().to_string())).collect();
    let mut diagnostics = reading.diagnostics;
    if reading.application.is_none() && diagnostics.is_empty() {
        let help = "a template has `Resources`, each with a `Type`";
        diagnostics.push(
            Diagnostic::at(Level::Error, "template", Span::new(file, 0, 0), "no resources that could be read")
                .help(help),
        );
    }
    Some(Unit { path: found.path.clone(), sources, application: reading.application, diagnostics, included })
}

/// Reads every Terraform configuration; its modules are part of it.
fn read_configurations(root: &Root, candidates: &[Found]) -> Vec<Unit> {
    let folders = terraform::roots(candidates.iter().map(|found| found.path.as_str()), root);
    let segment = |index: usize| u32::try_from(candidates.len() + index + 1).unwrap_or(u32::MAX);
    folders
        .par_iter()
        .enumerate()
        .filter_map(|(index, folder)| {
            let mut sources = Sources::segment(segment(index));
            let reading = terraform::read(&mut sources, folder, root);
            if reading.application.is_none() && reading.diagnostics.is_empty() {
                return None;
            }
            let template = reading.application.as_ref().and_then(|application| sources.get(application.template));
            let path = template.map_or_else(|| folder.clone(), |file| file.path().to_string());
            let (application, diagnostics) = (reading.application, reading.diagnostics);
            Some(Unit { path, sources, application, diagnostics, included: HashSet::new() })
        })
        .collect()
}

impl terraform::Repository for Root {
    fn read(&self, path: &str) -> Option<String> {
        Root::read(self, path)
    }

    fn list(&self, folder: &str) -> Vec<String> {
        Root::list(self, folder)
    }
}

/// Reads the code of all functions into their behaviour.
fn read_code(files: &dyn code::Files, estate: &mut Estate, sources: &mut Sources, diagnostics: &mut Vec<Diagnostic>) {
    let mut local: Vec<(&mut Function, code::Container, Vec<String>)> = Vec::new();
    for application in &mut estate.applications {
        let layers = layer_folders(application, sources);
        for function in &mut application.functions {
            if let Code::Image(_) = &function.code {
                if let Some(container) = image_code(files, sources, function) {
                    let beside = container.beside.clone();
                    local.push((function, container, beside));
                }
                continue;
            }
            let language = function.runtime.as_ref().and_then(|runtime| code::Language::of_runtime(&runtime.value));
            let (Some(language), Some(handler)) = (language, &function.handler) else { continue };
            match &function.code {
                Code::Local(path) if [".zip", ".jar", ".war"].iter().any(|end| path.value.ends_with(end)) => {
                    let message = format!(
                        "the code of `{}` is in the archive `{}`, which isn't opened",
                        function.name, path.value
                    );
                    diagnostics
                        .push(Diagnostic::at(Level::Note, "scan", path.span, message).help("what it does isn't known"));
                }
                Code::Local(code_root) => {
                    let container = code::Container {
                        code_root: code_root.value.clone(),
                        handler: handler.value.clone(),
                        language,
                        beside: Vec::new(),
                    };
                    let own = function.layers.iter().filter_map(|layer| layers.get(layer.value.resource()?)).cloned();
                    let own = own.collect();
                    local.push((function, container, own));
                }
                Code::Inline(text) => {
                    let reading = code::read_inline(sources, text.span, &text.value, &handler.value, language);
                    function.behaviour = reading.behaviour;
                    diagnostics.extend(reading.diagnostics);
                }
                _ => {}
            }
        }
    }
    let handlers: Vec<code::Handler<'_>> = local
        .iter()
        .map(|(_, container, layers)| code::Handler {
            code_root: &container.code_root,
            handler: &container.handler,
            language: container.language,
            layers,
        })
        .collect();
    let readings = code::read_handlers(files, sources, &handlers);
    for ((function, ..), mut reading) in local.into_iter().zip(readings) {
        function.behaviour = reading.behaviour;
        for diagnostic in &mut reading.diagnostics {
            // What has no place of its own is said where the template names the handler.
            let named = function.handler.as_ref().map_or(function.span, |handler| handler.span);
            diagnostic.span = diagnostic.span.or(Some(named));
        }
        diagnostics.extend(reading.diagnostics);
    }
}

/// What a container image is built from, where SAM builds it here: `DockerContext` and `Dockerfile` in the function's metadata.
fn image_code(files: &dyn code::Files, sources: &Sources, function: &Function) -> Option<code::Container> {
    let template = sources.path(function.span);
    let folder = template.rsplit_once('/').map_or("", |(folder, _)| folder);
    let text = sources.slice(function.span);
    // The block as a document of its own: its places aren't asked for.
    let document = match text.trim_start().starts_with('"') {
        true => source::Document::json(function.span.file, &format!("{{{text}}}")),
        false => source::Document::yaml(function.span.file, text),
    };
    let block = &document.root.entries().first()?.value;
    let metadata = block.get("Metadata")?;
    let within = |folder: &str, name: &str| {
        let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
        for part in name.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop()?;
                }
                part => parts.push(part),
            }
        }
        Some(parts.join("/"))
    };
    let context = within(folder, metadata.get("DockerContext")?.as_str()?)?;
    let name = metadata.get("Dockerfile").and_then(source::Node::as_str).unwrap_or("Dockerfile");
    let command: Option<Vec<String>> = block
        .at(&["Properties", "ImageConfig", "Command"])
        .map(|list| list.items().iter().filter_map(|item| item.as_str().map(str::to_string)).collect());
    code::container(files, &context, &within(&context, name)?, command.as_deref().filter(|list| !list.is_empty()))
}

/// The folders that an application's layers are made of, by logical id. Archives and what lies elsewhere aren't among them.
fn layer_folders(application: &Application, sources: &Sources) -> BTreeMap<String, String> {
    let mut folders = BTreeMap::new();
    for layer in application.resources.iter().filter(|resource| resource.kind == ResourceKind::Layer) {
        let written = ["ContentUri", "Content"].iter().find_map(|name| layer.property(name)?.as_str());
        let Some(written) = written.filter(|text| !text.contains("://") && !text.ends_with(".zip")) else { continue };
        let template = sources.path(layer.span);
        let mut parts: Vec<&str> = template.split('/').collect();
        parts.pop();
        let mut outside = false;
        for part in written.split('/') {
            match part {
                "" | "." => {}
                ".." => outside |= parts.pop().is_none(),
                part => parts.push(part),
            }
        }
        if !outside {
            folders.insert(layer.name.clone(), parts.join("/"));
        }
    }
    folders
}

impl code::Files for Root {
    fn read(&self, path: &str) -> Option<String> {
        Root::read(self, path)
    }

    fn exists(&self, path: &str) -> bool {
        self.is_file(path)
    }

    fn list(&self, directory: &str) -> Vec<String> {
        Root::list(self, directory)
    }
}

/// Where an application's fence is kept: `fence.yaml` beside its template, or `NAME.fence.yaml` where several templates
/// share the folder. Relative to the root of what was loaded.
pub fn fence_path(loaded: &Loaded, application: &Application) -> String {
    let (folder, _) = template_path(loaded, application);
    let siblings = loaded.estate.applications.iter().filter(|other| template_path(loaded, other).0 == folder).count();
    fence_path_among(loaded, application, siblings)
}

/// Where the fences of all applications are kept, in their order.
pub(crate) fn fence_paths(loaded: &Loaded) -> Vec<String> {
    let applications = &loaded.estate.applications;
    let mut siblings: HashMap<&str, usize> = HashMap::new();
    for application in applications {
        *siblings.entry(template_path(loaded, application).0).or_default() += 1;
    }
    let of = |application| siblings.get(template_path(loaded, application).0).copied().unwrap_or(0);
    applications.iter().map(|application| fence_path_among(loaded, application, of(application))).collect()
}

/// The folder of an application's template, with its `/`, and the template's name.
fn template_path<'l>(loaded: &'l Loaded, application: &Application) -> (&'l str, &'l str) {
    let path = loaded.sources.get(application.template).map_or("", SourceFile::path);
    path.split_at(path.rfind('/').map_or(0, |at| at + 1))
}

/// Where the fence is kept of an application whose folder has the templates of so many.
fn fence_path_among(loaded: &Loaded, application: &Application, siblings: usize) -> String {
    let (folder, name) = template_path(loaded, application);
    if siblings <= 1 {
        return format!("{folder}fence.yaml");
    }
    let stem = name.split('.').next().unwrap_or(name);
    format!("{folder}{stem}.fence.yaml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_both_kinds_has_an_application_for_each_and_none_for_a_module() {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in [
            ("sam/template.yaml", "Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n"),
            ("tf/main.tf", "module \"queue\" {\n  source = \"../modules/queue\"\n}\n"),
            ("modules/queue/main.tf", "resource \"aws_sqs_queue\" \"this\" {}\n"),
            ("settings/variables.tf", "variable \"x\" {}\n"),
        ] {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let loaded = load(folder.path(), &Options::default()).unwrap();
        let names: Vec<(&str, graph::Format)> = loaded
            .estate
            .applications
            .iter()
            .map(|application| (application.name.as_str(), application.format))
            .collect();
        assert_eq!(names, [("sam", graph::Format::CloudFormation), ("tf", graph::Format::Terraform)]);
        let queue = loaded.estate.applications[1].resource("module.queue.aws_sqs_queue.this").unwrap();
        assert_eq!(loaded.sources.path(queue.span), "modules/queue/main.tf");
        assert!(loaded.diagnostics.is_empty());
    }
}
