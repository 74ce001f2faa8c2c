//! Folders of configuration: which there are, which are applications and which are modules of others, and what one holds.

use crate::READER;
use crate::datum::Key;
use crate::evaluate::{Children, Evaluator, Instances, Scope};
use crate::files::{Repository, local_path, relative};
use crate::json;
use crate::parse::parse;
use crate::syntax::{Block, Body, Expr, ExprKind, Piece};
use findings::{Diagnostic, Level};
use source::{FileId, Span};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

/// The most instances that one `count` or `for_each` is expanded to.
pub(crate) const MAX_INSTANCES: usize = 1_000;
/// The most modules that one configuration uses, each use counted.
const MAX_MODULES: usize = 1_000;
/// How deep modules may use modules.
const MAX_MODULE_DEPTH: usize = 16;

/// Everything that one folder declares.
#[derive(Debug, Default)]
pub(crate) struct Folder {
    /// Path relative to what is scanned.
    pub(crate) path: String,
    /// Path as seen from the root module's folder, where Terraform runs.
    pub(crate) relative: String,
    /// It is a description of our own of a module from a registry.
    pub(crate) known_module: bool,
    pub(crate) variables: HashMap<String, Rc<Block>>,
    pub(crate) locals: HashMap<String, Expr>,
    pub(crate) outputs: HashMap<String, Rc<Block>>,
    pub(crate) resources: HashMap<(String, String), Rc<Block>>,
    pub(crate) data: HashMap<(String, String), Rc<Block>>,
    /// Resources in the order they are written.
    pub(crate) order: Vec<(String, String)>,
    /// Data sources in the order they are written.
    pub(crate) data_order: Vec<(String, String)>,
    pub(crate) modules: HashMap<String, Rc<Block>>,
    pub(crate) module_order: Vec<String>,
    /// Of `terraform.tfvars` and `*.auto.tfvars`.
    pub(crate) values: HashMap<String, Expr>,
    /// Its first file.
    pub(crate) file: Option<FileId>,
}

impl Folder {
    /// Whether it has anything that is deployed, or uses modules that might.
    pub(crate) fn holds_something(&self) -> bool {
        !self.resources.is_empty() || !self.modules.is_empty()
    }

    fn add(&mut self, body: Body) {
        for block in body.blocks {
            let pair = (block.label(0).to_string(), block.label(1).to_string());
            match block.kind.as_str() {
                "variable" => {
                    self.variables.entry(block.label(0).to_string()).or_insert_with(|| Rc::new(block));
                }
                "output" => {
                    self.outputs.entry(block.label(0).to_string()).or_insert_with(|| Rc::new(block));
                }
                "locals" => {
                    for attribute in block.body.attributes {
                        self.locals.entry(attribute.name).or_insert(attribute.value);
                    }
                }
                "module" => {
                    let name = block.label(0).to_string();
                    if !self.modules.contains_key(&name) {
                        self.module_order.push(name.clone());
                        self.modules.insert(name, Rc::new(block));
                    }
                }
                "resource" if !self.resources.contains_key(&pair) => {
                    self.order.push(pair.clone());
                    self.resources.insert(pair, Rc::new(block));
                }
                "data" if !self.data.contains_key(&pair) => {
                    self.data_order.push(pair.clone());
                    self.data.insert(pair, Rc::new(block));
                }
                _ => {}
            }
        }
    }
}

/// Whether a path is one of a configuration's own files.
pub(crate) fn is_configuration(path: &str) -> bool {
    (path.ends_with(".tf") || path.ends_with(".tf.json")) && !path.ends_with("/.tf")
}

/// Folder and name of a path.
pub(crate) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// The folders that are applications: those with configuration that no other one uses as a module. Modules that use each
/// other in a circle, with no one from outside, are represented by the first of them.
///
/// `paths` are all files below what is scanned.
pub fn roots<'a>(paths: impl IntoIterator<Item = &'a str>, repository: &dyn Repository) -> Vec<String> {
    let mut folders: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for path in paths.into_iter().filter(|path| is_configuration(path)) {
        folders.entry(split(path).0).or_default().push(path);
    }
    let mut uses: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (folder, files) in &folders {
        let mut used = Vec::new();
        for path in files {
            let Some(text) = repository.read(path).filter(|text| text.contains("module") && text.contains("source"))
            else {
                continue;
            };
            let body = match path.ends_with(".json") {
                true => json::read(FileId(0), &text).0,
                false => parse(FileId(0), &text).0,
            };
            let sources = body.blocks("module").filter_map(|block| literal(&block.body.attribute("source")?.value));
            used.extend(sources.filter(|source| is_local(source)).filter_map(|source| local_path(folder, &source)));
        }
        used.retain(|used| folders.contains_key(used.as_str()) && used != folder);
        uses.insert(folder, used);
    }
    let used: BTreeSet<&str> = uses.values().flatten().map(String::as_str).collect();
    let mut roots: Vec<&str> = folders.keys().copied().filter(|folder| !used.contains(folder)).collect();
    let mut reached: BTreeSet<&str> = BTreeSet::new();
    let mut pending: Vec<&str> = roots.clone();
    let mut rest = folders.keys();
    loop {
        while let Some(folder) = pending.pop() {
            if reached.insert(folder) {
                pending.extend(uses.get(folder).into_iter().flatten().map(String::as_str));
            }
        }
        match rest.find(|folder| !reached.contains(*folder)) {
            Some(folder) => {
                roots.push(folder);
                pending.push(folder);
            }
            None => break,
        }
    }
    roots.sort_unstable();
    roots.into_iter().map(str::to_string).collect()
}

/// Whether a module's source is a folder here.
pub(crate) fn is_local(source: &str) -> bool {
    source.starts_with("./") || source.starts_with("../") || source == "." || source == ".."
}

/// The text of an expression that is nothing but text.
pub(crate) fn literal(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Template(pieces) => match pieces.as_slice() {
            [] => Some(String::new()),
            [Piece::Text(text, _)] => Some(text.clone()),
            _ => None,
        },
        _ => None,
    }
}

impl Evaluator<'_, '_> {
    /// Reads a folder; none where it has no configuration. `root` is where Terraform runs.
    pub(crate) fn read_folder(&mut self, path: &str, root: &str) -> Option<Rc<Folder>> {
        if let Some(known) = self.folders.get(path) {
            return known.clone();
        }
        let mut folder = Folder { path: path.to_string(), relative: relative(root, path), ..Folder::default() };
        let at_root = path == root;
        let names = self.files.list(path);
        let full = |name: &str| if path.is_empty() { name.to_string() } else { format!("{path}/{name}") };
        // What stands in an override file takes the place of what it names.
        let (overrides, plain): (Vec<&String>, Vec<&String>) =
            names.iter().filter(|name| is_configuration(name)).partition(|name| {
                name.split('.').next().is_some_and(|stem| stem == "override" || stem.ends_with("_override"))
            });
        for name in plain {
            let Some((file, body)) = self.read_file(&full(name)) else { continue };
            let main = name == "main.tf";
            if folder.file.is_none() || main {
                folder.file = Some(file);
            }
            folder.add(body);
        }
        for name in overrides {
            if let Some((_, body)) = self.read_file(&full(name)) {
                override_with(&mut folder, body);
            }
        }
        if at_root {
            let mut given: Vec<&String> = names
                .iter()
                .filter(|name| name.ends_with(".auto.tfvars") || name.ends_with(".auto.tfvars.json"))
                .collect();
            for first in ["terraform.tfvars.json", "terraform.tfvars"] {
                if let Some(name) = names.iter().find(|name| *name == first) {
                    given.insert(0, name);
                }
            }
            for name in given {
                if let Some((_, body)) = self.read_file(&full(name)) {
                    folder
                        .values
                        .extend(body.attributes.into_iter().map(|attribute| (attribute.name, attribute.value)));
                }
            }
        }
        let folder = folder.file.is_some().then(|| Rc::new(folder));
        self.folders.insert(path.to_string(), folder.clone());
        folder
    }

    fn read_file(&mut self, path: &str) -> Option<(FileId, Body)> {
        let Some(file) = self.files.load(path) else {
            let message = format!("`{path}` can't be read");
            self.diagnostics.push(Diagnostic::general(Level::Error, READER, message));
            return None;
        };
        let text = self.files.text(file);
        let (body, complaints) = match (path.ends_with(".tfvars.json"), path.ends_with(".json")) {
            (true, _) => json::values(file, text),
            (_, true) => json::read(file, text),
            _ => parse(file, text),
        };
        self.diagnostics.extend(complaints.into_iter().map(|complaint| Diagnostic::from_complaint(READER, complaint)));
        Some((file, body))
    }

    /// The uses of a module that a block makes: each with its key, where it has one.
    pub(crate) fn children_of(&mut self, module: usize, name: &str) -> Children {
        if let Some(known) = self.modules.get(module).and_then(|module| module.children.get(name)) {
            return Rc::clone(known);
        }
        // Until it is known it is empty, which ends a circle.
        if let Some(module) = self.modules.get_mut(module) {
            module.children.insert(name.to_string(), Rc::new(Vec::new()));
        }
        let children = Rc::new(self.new_children(module, name));
        if let Some(module) = self.modules.get_mut(module) {
            module.children.insert(name.to_string(), Rc::clone(&children));
        }
        children
    }

    fn new_children(&mut self, module: usize, name: &str) -> Vec<(Option<Key>, usize)> {
        let folder = self.folder(module);
        let Some(block) = folder.modules.get(name).cloned() else { return Vec::new() };
        let Some(source) = block.body.attribute("source") else { return Vec::new() };
        let span = source.value.span;
        let Some(written) = literal(&source.value) else { return Vec::new() };
        let mut depth = 0;
        let mut above = module;
        while let Some((scope, _)) = self.modules.get(above).and_then(|module| module.call.as_ref()) {
            above = scope.module;
            depth += 1;
        }
        if depth >= MAX_MODULE_DEPTH || self.modules.len() >= MAX_MODULES {
            self.note(span, format!("module `{name}` is not read"), "modules nest too deep, or there are too many");
            return Vec::new();
        }
        let root = self.folder(above);
        let found = if is_local(&written) {
            match local_path(&folder.path, &written) {
                Some(path) => self.read_folder(&path, &root.path),
                None => None,
            }
        } else {
            crate::modules::description(&written).map(|text| self.known_module(&written, text))
        };
        let Some(found) = found else {
            let (what, help) = match is_local(&written) {
                true => ("has no configuration here", "check the path"),
                false => ("is not here", "what it deploys is missing from what is said about this configuration"),
            };
            self.note(span, format!("module `{name}` (`{written}`) {what}"), help);
            return Vec::new();
        };
        let prefix = self.modules.get(module).map(|module| module.prefix.clone()).unwrap_or_default();
        let repetition = self.repetition(&block.body, module);
        let mut add = |key: Option<Key>, scope: Scope| {
            let shown = key.as_ref().map(Key::to_string).unwrap_or_default();
            let child = self.add_module(
                format!("{prefix}module.{name}{shown}."),
                Rc::clone(&found),
                Some((scope, Rc::clone(&block))),
            );
            (key, child)
        };
        let scope = Scope { module, ..Scope::default() };
        match repetition {
            Instances::One => vec![add(None, scope)],
            Instances::Count(count) => (0..count.min(MAX_MODULES))
                .map(|number| add(Some(Key::Number(number)), Scope { count: Some(number), ..scope.clone() }))
                .collect(),
            Instances::Each(entries) => entries
                .into_iter()
                .take(MAX_MODULES)
                .map(|(key, value)| {
                    let pair = (crate::datum::Datum::text(value.span, key.clone()), (*value).clone());
                    add(Some(Key::Text(key)), Scope { each: Some(Rc::new(pair)), ..scope.clone() })
                })
                .collect(),
        }
    }

    /// Our own description of a module that isn't here, read like any folder.
    fn known_module(&mut self, source: &str, text: &str) -> Rc<Folder> {
        let path = format!("{source}/main.tf");
        if let Some(Some(known)) = self.folders.get(&path) {
            return Rc::clone(known);
        }
        let file = self.files.virtual_file(&path, text);
        let mut folder = Folder { known_module: true, relative: ".".into(), file: Some(file), ..Folder::default() };
        folder.add(parse(file, text).0);
        let folder = Rc::new(folder);
        self.folders.insert(path, Some(Rc::clone(&folder)));
        folder
    }

    pub(crate) fn note(&mut self, span: Span, message: String, help: &str) {
        self.diagnostics.push(Diagnostic::at(Level::Note, READER, span, message).help(help));
    }
}

/// Takes over what an override file says.
fn override_with(folder: &mut Folder, body: Body) {
    for block in body.blocks {
        let pair = (block.label(0).to_string(), block.label(1).to_string());
        let known = match block.kind.as_str() {
            "resource" => folder.resources.get_mut(&pair),
            "data" => folder.data.get_mut(&pair),
            "variable" => folder.variables.get_mut(&pair.0),
            "module" => folder.modules.get_mut(&pair.0),
            "locals" => {
                folder
                    .locals
                    .extend(block.body.attributes.into_iter().map(|attribute| (attribute.name, attribute.value)));
                continue;
            }
            _ => None,
        };
        let Some(known) = known else { continue };
        let mut merged = (**known).clone();
        for attribute in block.body.attributes {
            merged.body.attributes.retain(|known| known.name != attribute.name);
            merged.body.attributes.push(attribute);
        }
        for inner in &block.body.blocks {
            merged.body.blocks.retain(|known| known.kind != inner.kind);
        }
        merged.body.blocks.extend(block.body.blocks);
        *known = Rc::new(merged);
    }
}
