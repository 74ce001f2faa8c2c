//! A template as data: its sections read, loops and includes expanded, `Globals` merged into every resource.

use crate::evaluate::{Piece, pieces};
use crate::files::{Files, Siblings};
use crate::nested::OUTER;
use crate::normalize::{intrinsic, normalize, text_node};
use crate::{READER, globals};
use findings::{Diagnostic, Level, near_miss};
use graph::Value;
use source::{Entry, FileId, Node, NodeKind, Span};
use std::collections::HashMap;
use std::rc::Rc;

/// The most nodes that all `Fn::ForEach` of one template may add.
const MAX_LOOP_NODES: usize = 200_000;
/// What opening an included file counts for beside its nodes.
const INCLUDE_NODES: usize = 1_000;

/// The longest default of a parameter that is read, which is also the longest that AWS takes.
const MAX_DEFAULT_BYTES: usize = 4096;

/// A parameter of the template.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parameter {
    /// The default as text.
    pub(crate) default: Option<String>,
    /// What a parent stack hands in.
    pub(crate) given: Option<Value>,
    /// Whether the default is not what the template will see: `NoEcho`, or the name of a value that lies elsewhere.
    pub(crate) opaque: bool,
    /// Whether it is a list.
    pub(crate) list: bool,
}

/// What a condition is known to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decision {
    /// Its value with the parameters' defaults, if that decides it.
    pub(crate) value: Option<bool>,
    /// Whether no parameter has a say in it.
    pub(crate) firm: bool,
}

impl Decision {
    /// Nothing known.
    pub(crate) const OPEN: Self = Self { value: None, firm: false };
}

/// A resource of the template as written.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    /// Logical id.
    pub(crate) name: String,
    /// Where the logical id stands.
    pub(crate) name_span: Span,
    /// The whole block, from its logical id on.
    pub(crate) span: Span,
    /// Its `Type`; empty where it is missing.
    pub(crate) resource_type: String,
    /// Its properties with `Globals` merged in, conditions not yet taken.
    pub(crate) raw: Node,
    /// Its properties with conditions taken.
    pub(crate) properties: Node,
    /// The whole block, for attributes beside `Properties`.
    pub(crate) node: Node,
}

impl Block {
    /// A property.
    pub(crate) fn get(&self, name: &str) -> Option<&Node> {
        self.properties.get(name)
    }

    /// A property at the end of a path.
    pub(crate) fn at(&self, path: &[&str]) -> Option<&Node> {
        self.properties.at(path)
    }
}

/// A template with everything a reader asks of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Template {
    /// Folder of the file, relative to what is scanned; empty at the top.
    pub(crate) folder: String,
    pub(crate) parameters: HashMap<String, Parameter>,
    pub(crate) mappings: HashMap<String, Node>,
    conditions: HashMap<String, Decision>,
    /// The resources in order.
    pub(crate) blocks: Vec<Block>,
    index: HashMap<String, usize>,
    /// `Globals`, if there are any.
    pub(crate) globals: Option<Node>,
    /// `Outputs`.
    pub(crate) outputs: Vec<Entry>,
    /// `Conditions` as written, for checking names.
    pub(crate) condition_nodes: Vec<Entry>,
    /// Outputs of nested stacks, by the stack's logical id.
    pub(crate) nested_outputs: HashMap<String, HashMap<String, Value>>,
    /// Types of a parent's resources that parameters may name, by the name they have here.
    pub(crate) foreign_types: HashMap<String, String>,
    /// What the application's other stacks are known by.
    pub(crate) siblings: Rc<Siblings>,
    /// How many stacks this one is nested in.
    pub(crate) depth: usize,
}

impl Template {
    /// The resource of a logical id.
    pub(crate) fn block(&self, name: &str) -> Option<&Block> {
        self.index.get(name).and_then(|at| self.blocks.get(*at))
    }

    /// Whether it has resources that only SAM's transform knows.
    pub(crate) fn is_sam(&self) -> bool {
        self.blocks.iter().any(|block| block.resource_type.starts_with("AWS::Serverless::"))
    }

    /// Whether the CDK made it: its resources say which construct they come from.
    pub(crate) fn is_synthesized(&self) -> bool {
        self.blocks.iter().any(|block| {
            block.resource_type == "AWS::CDK::Metadata" || block.node.at(&["Metadata", "aws:cdk:path"]).is_some()
        })
    }

    /// The type of a resource, also of one that a parent handed in.
    pub(crate) fn type_of(&self, name: &str) -> Option<&str> {
        match self.block(name) {
            Some(block) => Some(&block.resource_type),
            None => self
                .foreign_types
                .get(name)
                .or_else(|| self.siblings.types.get(name.strip_prefix(OUTER)?.trim_start_matches(OUTER)))
                .map(String::as_str),
        }
    }

    /// The resources of a type.
    pub(crate) fn of_type<'a>(&'a self, resource_type: &'a str) -> impl Iterator<Item = &'a Block> {
        self.blocks.iter().filter(move |block| block.resource_type == resource_type)
    }

    /// What is known of a condition.
    pub(crate) fn condition(&self, name: &str) -> Decision {
        self.conditions.get(name).copied().unwrap_or(Decision::OPEN)
    }

    /// Whether there is a condition of that name.
    pub(crate) fn has_condition(&self, name: &str) -> bool {
        self.conditions.contains_key(name)
    }

    /// Reads a document's root. `given` are the parameters' values that a parent stack hands in.
    pub(crate) fn read(
        root: Node,
        file: FileId,
        files: &mut Files<'_>,
        given: &HashMap<String, Value>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Template {
        let path = files.path(file);
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder).to_string();
        let mut template = Template { folder, siblings: Rc::clone(&files.siblings), ..Template::default() };
        let root = normalize(root, diagnostics);
        if let Some(parameters) = section(&root, "Parameters", diagnostics) {
            for entry in parameters.entries() {
                let mut parameter = read_parameter(&entry.value);
                parameter.given = given.get(&entry.key).cloned();
                template.parameters.insert(entry.key.clone(), parameter);
            }
        }
        // Loops may draw on mappings, so these come first and are expanded without any.
        if let Some(mappings) = section(&root, "Mappings", diagnostics) {
            template.mappings =
                mappings.entries().iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect();
        }
        let mut expansion = Expansion { template: &template, files, diagnostics, added: 0, depth: 0 };
        let root = expansion.expand(&root, &template.folder);
        if let Some(conditions) = section(&root, "Conditions", diagnostics) {
            template.read_conditions(conditions, diagnostics);
        }
        template.globals = section(&root, "Globals", diagnostics).cloned();
        if let Some(outputs) = section(&root, "Outputs", diagnostics) {
            template.outputs = outputs.entries().to_vec();
        }
        match section(&root, "Resources", diagnostics) {
            Some(resources) => template.read_blocks(resources, diagnostics),
            None if root.get("Resources").is_none() => {
                let mut diagnostic =
                    Diagnostic::at(Level::Warning, READER, head(&root), "the template has no `Resources`");
                if let Some(near) = near_miss("Resources", root.entries().iter().map(|entry| entry.key.as_str())) {
                    diagnostic = diagnostic.help(format!("is `{near}` meant to be `Resources`?"));
                }
                diagnostics.push(diagnostic);
            }
            None => {}
        }
        template
    }

    fn read_conditions(&mut self, conditions: &Node, diagnostics: &mut Vec<Diagnostic>) {
        let entries: HashMap<&str, &Entry> =
            conditions.entries().iter().map(|entry| (entry.key.as_str(), entry)).collect();
        let mut known: HashMap<String, Decision> = HashMap::new();
        for entry in conditions.entries() {
            let mut open = Vec::new();
            decide(self, &entries, entry, &mut known, &mut open, diagnostics);
        }
        self.condition_nodes = conditions.entries().to_vec();
        self.conditions = known;
    }

    fn read_blocks(&mut self, resources: &Node, diagnostics: &mut Vec<Diagnostic>) {
        let mut blocks = Vec::with_capacity(resources.entries().len());
        for entry in resources.entries() {
            let span = entry.key_span.to(entry.value.span);
            if !entry.value.is_mapping() {
                if entry.key != "Fn::Transform" {
                    diagnostics.push(
                        Diagnostic::at(
                            Level::Error,
                            READER,
                            span,
                            format!("resource `{}` is not an object", entry.key),
                        )
                        .help("a resource has a `Type` and `Properties`"),
                    );
                }
                continue;
            }
            if entry.key.starts_with("Fn::") {
                continue;
            }
            let resource_type = match entry.value.get("Type").and_then(Node::as_str) {
                Some(text) => text.trim().to_string(),
                None => {
                    let mut diagnostic = Diagnostic::at(
                        Level::Error,
                        READER,
                        entry.key_span,
                        format!("resource `{}` has no `Type`", entry.key),
                    );
                    let keys = entry.value.entries().iter().map(|entry| entry.key.as_str());
                    diagnostic = match near_miss("Type", keys) {
                        Some(near) => diagnostic.help(format!("is `{near}` meant to be `Type`?")),
                        None => diagnostic.help("add one, such as `Type: AWS::Serverless::Function`"),
                    };
                    diagnostics.push(diagnostic);
                    String::new()
                }
            };
            let empty = Node { span: entry.key_span, tag: None, kind: NodeKind::Mapping(Vec::new()) };
            let own = match entry.value.get("Properties") {
                Some(properties) if properties.is_mapping() => properties.clone(),
                Some(properties) if properties.is_null() => empty,
                Some(properties) => {
                    diagnostics.push(
                        Diagnostic::at(
                            Level::Error,
                            READER,
                            properties.span,
                            format!("`Properties` of `{}` is not an object", entry.key),
                        )
                        .help("its properties are read as if there were none"),
                    );
                    empty
                }
                None => empty,
            };
            if let Some(condition) = entry.value.get("Condition").and_then(Node::as_str) {
                // What a parameter could still turn on is read: a scan that loses a function is worse than one that shows one too many.
                if self.condition(condition) == (Decision { value: Some(false), firm: true }) {
                    continue;
                }
            }
            let raw = globals::merged(self.globals.as_ref(), &resource_type, own, entry.value.get("IgnoreGlobals"));
            let properties = self.resolve(&raw).unwrap_or_else(|| Node::null(raw.span));
            blocks.push(Block {
                name: entry.key.clone(),
                name_span: entry.key_span,
                span,
                resource_type,
                raw,
                properties,
                node: entry.value.clone(),
            });
        }
        self.index = blocks.iter().enumerate().map(|(at, block)| (block.name.clone(), at)).collect();
        self.blocks = blocks;
    }
}

/// The place of a document's head, to point at where something is missing altogether.
fn head(root: &Node) -> Span {
    root.entries().first().map_or(root.span, |entry| entry.key_span)
}

/// A top-level section, if it is there and an object.
fn section<'a>(root: &'a Node, name: &str, diagnostics: &mut Vec<Diagnostic>) -> Option<&'a Node> {
    let entry = root.entry(name)?;
    if entry.value.is_mapping() {
        return Some(&entry.value);
    }
    if !entry.value.is_null() || name == "Resources" {
        diagnostics.push(if entry.value.is_null() {
            Diagnostic::at(Level::Warning, READER, entry.key_span, format!("`{name}` is empty"))
        } else {
            Diagnostic::at(Level::Error, READER, entry.key_span, format!("`{name}` is not an object"))
                .help("it is passed over; write it as names with their definitions")
        });
    }
    None
}

fn read_parameter(node: &Node) -> Parameter {
    let kind = node.get("Type").and_then(Node::as_str).unwrap_or("String");
    let default = node.get("Default").and_then(|default| match &default.kind {
        NodeKind::Scalar { text, .. } if !default.is_null() || text.is_empty() => Some(text.clone()),
        NodeKind::Sequence(items) => Some(items.iter().filter_map(Node::scalar).collect::<Vec<_>>().join(",")),
        _ => None,
    });
    Parameter {
        default: default.filter(|default| default.len() <= MAX_DEFAULT_BYTES),
        given: None,
        opaque: kind.starts_with("AWS::SSM::Parameter") || node.get("NoEcho").and_then(Node::as_bool) == Some(true),
        list: kind == "CommaDelimitedList" || kind.contains("List<"),
    }
}

fn decide(
    template: &Template,
    entries: &HashMap<&str, &Entry>,
    entry: &Entry,
    known: &mut HashMap<String, Decision>,
    open: &mut Vec<String>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Decision {
    if let Some(decision) = known.get(&entry.key) {
        return *decision;
    }
    if open.len() > 64 || open.contains(&entry.key) {
        diagnostics.push(
            Diagnostic::at(
                Level::Error,
                READER,
                entry.key_span,
                format!("condition `{}` depends on itself", entry.key),
            )
            .help("both of its outcomes are taken as possible"),
        );
        known.insert(entry.key.clone(), Decision::OPEN);
        return Decision::OPEN;
    }
    open.push(entry.key.clone());
    let decision = template.decide(
        &entry.value,
        &mut |name| match entries.get(name) {
            Some(other) => decide(template, entries, other, known, open, diagnostics),
            None => Decision::OPEN,
        },
        0,
    );
    open.pop();
    *known.entry(entry.key.clone()).or_insert(decision)
}

/// Expands `Fn::ForEach` and `AWS::Include`.
struct Expansion<'a, 'files> {
    template: &'a Template,
    files: &'a mut Files<'files>,
    diagnostics: &'a mut Vec<Diagnostic>,
    added: usize,
    /// How many includes deep this is.
    depth: usize,
}

impl Expansion<'_, '_> {
    fn expand(&mut self, node: &Node, folder: &str) -> Node {
        if let Some(("Fn::Transform", argument)) = intrinsic(node)
            && let Some(included) = self.include(argument, folder)
        {
            return included;
        }
        let kind = match &node.kind {
            NodeKind::Scalar { .. } => return node.clone(),
            NodeKind::Sequence(items) => {
                NodeKind::Sequence(items.iter().map(|item| self.expand(item, folder)).collect())
            }
            NodeKind::Mapping(entries) => {
                let mut out: Vec<Entry> = Vec::with_capacity(entries.len());
                for entry in entries {
                    if entry.key.starts_with("Fn::ForEach") {
                        self.for_each(entry, folder, &mut out);
                    } else if entry.key == "Fn::Transform"
                        && let Some(included) = self.include(&entry.value, folder)
                    {
                        out.extend(included.entries().iter().cloned());
                    } else {
                        let value = self.expand(&entry.value, folder);
                        out.push(Entry { key: entry.key.clone(), key_span: entry.key_span, value });
                    }
                }
                NodeKind::Mapping(out)
            }
        };
        Node { span: node.span, tag: None, kind }
    }

    fn for_each(&mut self, entry: &Entry, folder: &str, out: &mut Vec<Entry>) {
        let [identifier, collection, body] = entry.value.items() else {
            self.diagnostics.push(
                Diagnostic::at(Level::Error, READER, entry.key_span, format!("`{}` is not a loop", entry.key))
                    .help("write it as a list of an identifier, a collection and an object"),
            );
            return;
        };
        let Some(identifier) = identifier.as_str() else { return };
        let Some(items) = self.template.list(collection, 0) else {
            self.diagnostics.push(
                Diagnostic::at(
                    Level::Warning,
                    READER,
                    collection.span,
                    format!("the collection of `{}` can't be told from the template", entry.key),
                )
                .help("give the parameter a default; until then the loop's contents are not read"),
            );
            return;
        };
        let weight = body.count();
        for item in items {
            let item = item.to_string();
            self.added = self.added.saturating_add(weight);
            if self.added > MAX_LOOP_NODES {
                self.diagnostics.push(
                    Diagnostic::at(Level::Error, READER, entry.key_span, format!("`{}` grows too large", entry.key))
                        .help(format!("loops may add {MAX_LOOP_NODES} nodes to a template; the rest is left out")),
                );
                return;
            }
            let body = replaced(body, identifier, &item);
            out.extend(self.expand(&body, folder).entries().iter().cloned());
        }
    }

    /// The content of a file that `AWS::Include` names, if it is a file of the repository.
    fn include(&mut self, argument: &Node, folder: &str) -> Option<Node> {
        if argument.get("Name").and_then(Node::as_str) != Some("AWS::Include") {
            return None;
        }
        let location = argument.at(&["Parameters", "Location"])?;
        if self.added > MAX_LOOP_NODES {
            return None;
        }
        let written = self.template.value(location);
        let loaded = written.as_text().filter(|_| self.depth < 8).and_then(|path| self.files.load(folder, path));
        let Some((file, path)) = loaded else {
            self.diagnostics.push(
                Diagnostic::at(Level::Note, READER, location.span, format!("`{written}` is not here to be included"))
                    .help("what it holds is missing from what is said about this template"),
            );
            return None;
        };
        let document = self.files.document(file);
        self.diagnostics.extend(document.complaints.into_iter().map(crate::complaint));
        let content = normalize(document.root, self.diagnostics);
        // Files that include each other many times over would grow without end.
        self.added = self.added.saturating_add(content.count() + INCLUDE_NODES);
        if self.added > MAX_LOOP_NODES {
            self.diagnostics.push(
                Diagnostic::at(Level::Error, READER, location.span, "what is included grows too large").help(format!(
                    "includes and loops may add {MAX_LOOP_NODES} nodes to a template; the rest is left out"
                )),
            );
            return None;
        }
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder).to_string();
        self.depth += 1;
        let expanded = self.expand(&content, &folder);
        self.depth -= 1;
        Some(expanded)
    }
}

/// A loop's body with its identifier replaced, in keys as well.
fn replaced(node: &Node, identifier: &str, item: &str) -> Node {
    if let Some(("Ref", argument)) = intrinsic(node)
        && argument.as_str() == Some(identifier)
    {
        return text_node(item, node.span);
    }
    let kind = match &node.kind {
        NodeKind::Scalar { text, plain } => {
            NodeKind::Scalar { text: replace_text(text, identifier, item), plain: *plain }
        }
        NodeKind::Sequence(items) => {
            NodeKind::Sequence(items.iter().map(|node| replaced(node, identifier, item)).collect())
        }
        NodeKind::Mapping(entries) => NodeKind::Mapping(
            entries
                .iter()
                .map(|entry| Entry {
                    key: replace_text(&entry.key, identifier, item),
                    key_span: entry.key_span,
                    value: replaced(&entry.value, identifier, item),
                })
                .collect(),
        ),
    };
    Node { span: node.span, tag: node.tag.clone(), kind }
}

/// `${Identifier}` becomes the item, `&{Identifier}` the item's letters and digits.
fn replace_text(text: &str, identifier: &str, item: &str) -> String {
    if !text.contains('{') {
        return text.to_string();
    }
    let alphanumeric: String = item.chars().filter(char::is_ascii_alphanumeric).collect();
    let text = text.replace(&format!("&{{{identifier}}}"), &alphanumeric);
    let mut out = String::with_capacity(text.len());
    for piece in pieces(&text) {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Name(name) if name == identifier => out.push_str(item),
            Piece::Name(name) => out.push_str(&format!("${{{name}}}")),
            Piece::Literal(name) => out.push_str(&format!("${{!{name}}}")),
        }
    }
    out
}
