//! Resources into CloudFormation's terms: types and properties by `types`' table, and what stands in resources of its own here
//! but in a property there (attachments, notifications, integrations) joined to what it is for.

use crate::datum::{Datum, Field, Kind, Reference};
use crate::evaluate::{Evaluator, Instances};
use crate::node::{mapping, node, put, sequence, spelled, text_node};
use crate::types;
use source::{Entry, FileId, Node, NodeKind, Span};
use std::collections::{BTreeSet, HashMap, HashSet};

/// The most resources of one configuration.
pub(crate) const MAX_RESOURCES: usize = 20_000;

/// One instance of a resource with its configuration.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// Its address; the name the graph knows it by.
    pub(crate) name: String,
    /// Terraform's type.
    pub(crate) kind: String,
    /// Which use of a module it belongs to.
    pub(crate) module: usize,
    /// The keyword with its labels.
    pub(crate) head: Span,
    /// All of its block.
    pub(crate) span: Span,
    pub(crate) body: Datum,
}

/// What a resource becomes.
#[derive(Debug, Clone)]
pub(crate) struct Lowered {
    pub(crate) name: String,
    pub(crate) resource_type: String,
    pub(crate) head: Span,
    pub(crate) span: Span,
    pub(crate) properties: Vec<Entry>,
}

/// Resources as they are lowered, found by address or by the name they are deployed under.
#[derive(Debug, Default)]
pub(crate) struct Lowering {
    pub(crate) items: Vec<Item>,
    pub(crate) made: Vec<Lowered>,
    /// Where an address stands in `made`.
    index: HashMap<String, usize>,
    /// Policies whose content can't be told, and what to say about them.
    pub(crate) unread: Vec<(Span, String)>,
    /// Where a type and deployed name stand in `made`.
    deployed: HashMap<(String, String), usize>,
}

impl Evaluator<'_, '_> {
    /// Every resource of all modules, and the archives and other data sources that resources are made from.
    pub(crate) fn collect(&mut self) -> (Vec<Item>, Vec<Item>) {
        let (mut items, mut data) = (Vec::new(), Vec::new());
        let mut module = 0;
        while module < self.modules.len() {
            let folder = self.folder(module);
            for name in &folder.module_order {
                self.children_of(module, name);
            }
            for (kind, name) in &folder.order {
                self.collect_block(module, false, kind, name, &mut items);
            }
            for (kind, name) in folder.data_order.iter().filter(|(kind, _)| kind == "archive_file") {
                self.collect_block(module, true, kind, name, &mut data);
            }
            module += 1;
        }
        (items, data)
    }

    fn collect_block(&mut self, module: usize, data: bool, kind: &str, name: &str, items: &mut Vec<Item>) {
        let base = Reference { module, data, kind: kind.to_string(), name: name.to_string(), key: None };
        let Some(block) = self.block_of(&base) else { return };
        let keys = match &*self.instances_of(&base) {
            Instances::One => vec![None],
            Instances::Count(count) => (0..*count).map(|number| Some(crate::datum::Key::Number(number))).collect(),
            Instances::Each(entries) => {
                entries.iter().map(|(key, _)| Some(crate::datum::Key::Text(key.clone()))).collect::<Vec<_>>()
            }
        };
        // A module we describe ourselves has no source of its own: its resources stand where it is used.
        let home = match self.modules.get(module) {
            Some(known) if known.folder.known_module => {
                let file = known.folder.file;
                let mut call = known.call.clone();
                while let Some((scope, _)) = &call
                    && let Some(above) = self.modules.get(scope.module).filter(|above| above.folder.known_module)
                {
                    call = above.call.clone();
                }
                file.zip(call.map(|(_, block)| (block.head, block.span)))
            }
            _ => None,
        };
        for key in keys {
            if items.len() >= MAX_RESOURCES {
                return;
            }
            let reference = Reference { key, ..base.clone() };
            let mut scope = self.scope_of(&reference);
            let mut body = self.body(&block.body, block.span, &mut scope);
            let (mut head, mut span) = (block.head, block.span);
            if let Some((file, (at_head, at_span))) = home {
                rehome(&mut body, file, at_head);
                (head, span) = (at_head, at_span);
            }
            items.push(Item { name: self.address(&reference), kind: kind.to_string(), module, head, span, body });
        }
    }
}

/// Moves what stands in one file to another place.
fn rehome(datum: &mut Datum, file: FileId, home: Span) {
    if datum.span.file == file {
        datum.span = home;
    }
    match &mut datum.kind {
        Kind::List(items) => items.iter_mut().for_each(|item| rehome(item, file, home)),
        Kind::Object(fields) => {
            for field in fields {
                if field.key_span.file == file {
                    // What was handed in is pointed at where it was written.
                    field.key_span = if field.value.span.file == file { home } else { field.value.span };
                }
                rehome(&mut field.value, file, home);
            }
        }
        Kind::Json(inner) => rehome(inner, file, home),
        Kind::Text(chunks) => {
            for chunk in chunks {
                match chunk {
                    crate::datum::Chunk::Known(_, span) | crate::datum::Chunk::Hole(_, span) if span.file == file => {
                        *span = home;
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

impl Lowering {
    /// Lowers all items, and joins what belongs together.
    pub(crate) fn new(items: Vec<Item>) -> Self {
        let mut lowering = Self::default();
        for item in &items {
            let Some(made) = lowered(item, &mut lowering.unread) else { continue };
            let at = lowering.made.len();
            lowering.index.insert(made.name.clone(), at);
            for attribute in ["name", "function_name", "bucket", "identifier", "cluster_identifier"] {
                if let Some(name) = item.body.get(attribute) {
                    lowering.deployed.entry((made.resource_type.clone(), name.shown())).or_insert(at);
                }
            }
            lowering.made.push(made);
        }
        lowering.items = items;
        lowering
    }

    /// The resource of a type that a value names: by reference, by ARN or by its deployed name.
    pub(crate) fn find(&self, value: &Datum, resource_type: &str) -> Option<usize> {
        if let Some(at) = value.names().and_then(|name| self.index.get(name)) {
            let fits = self.made.get(*at).is_some_and(|made| made.resource_type == resource_type);
            return fits.then_some(*at);
        }
        let shown = value.shown();
        let by_name = |name: &str| self.deployed.get(&(resource_type.to_string(), name.to_string())).copied();
        by_name(&shown).or_else(|| {
            let last = shown.rsplit([':', '/']).next().filter(|_| shown.starts_with("arn:"))?;
            by_name(last)
        })
    }

    pub(crate) fn by_name(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    /// The items of a type, taken out so that the resources they are joined to can be changed.
    pub(crate) fn of_kind(&self, kinds: &[&str]) -> Vec<Item> {
        self.items.iter().filter(|item| kinds.contains(&item.kind.as_str())).cloned().collect()
    }

    /// The whole as a template's document.
    pub(crate) fn document(self, span: Span) -> Node {
        let mut parameters: BTreeSet<String> = BTreeSet::new();
        let mut resources = Vec::with_capacity(self.made.len());
        let known: HashSet<String> = self.made.iter().map(|made| made.name.clone()).collect();
        for made in self.made {
            let properties = mapping(made.properties, made.span);
            names_in(&properties, &known, &mut parameters, 0);
            let value = mapping(
                vec![
                    Entry { key: "Type".into(), key_span: made.head, value: text_node(made.resource_type, made.head) },
                    Entry { key: "Properties".into(), key_span: made.head, value: properties },
                ],
                made.span,
            );
            resources.push(Entry { key: made.name, key_span: made.head, value });
        }
        let declared = parameters.into_iter().map(|name| Entry {
            key: name,
            key_span: span,
            value: mapping(vec![Entry { key: "Type".into(), key_span: span, value: text_node("String", span) }], span),
        });
        mapping(
            vec![
                Entry { key: "Parameters".into(), key_span: span, value: mapping(declared.collect(), span) },
                Entry { key: "Resources".into(), key_span: span, value: mapping(resources, span) },
            ],
            span,
        )
    }
}

/// Names that are referred to and no resource has: those of parameters.
fn names_in(node: &Node, known: &HashSet<String>, parameters: &mut BTreeSet<String>, depth: usize) {
    if depth > 120 {
        return;
    }
    match &node.kind {
        NodeKind::Sequence(items) => items.iter().for_each(|item| names_in(item, known, parameters, depth + 1)),
        NodeKind::Mapping(entries) => {
            if let [entry] = entries.as_slice()
                && entry.key == "Ref"
                && let Some(name) = entry.value.scalar()
            {
                if !name.starts_with("AWS::") && !known.contains(name) {
                    parameters.insert(name.to_string());
                }
                return;
            }
            entries.iter().for_each(|entry| names_in(&entry.value, known, parameters, depth + 1));
        }
        NodeKind::Scalar { .. } => {}
    }
}

/// One resource by the table.
fn lowered(item: &Item, unread: &mut Vec<(Span, String)>) -> Option<Lowered> {
    let (resource_type, rules) = types::mapping(&item.kind)?;
    let mut made =
        Lowered { name: item.name.clone(), resource_type, head: item.head, span: item.span, properties: Vec::new() };
    let mut listed: HashSet<&str> = HashSet::new();
    for rule in rules.split_whitespace() {
        let (from, to) = rule.split_once('>').unwrap_or((rule, ""));
        let (from, document) = match from.strip_suffix('!') {
            Some(from) => (from, true),
            None => (from, false),
        };
        listed.insert(from.split('.').next().unwrap_or(from));
        if to == "-" {
            continue;
        }
        let Some((value, key_span)) = find(&item.body, from) else { continue };
        if is_empty(value) {
            continue;
        }
        let to = if to.is_empty() {
            from.split('.').map(crate::attributes::camel).collect::<Vec<_>>().join(".")
        } else {
            to.to_string()
        };
        let (to, many) = match to.strip_suffix("[]") {
            Some(to) => (to.to_string(), true),
            None => (to, false),
        };
        if document
            && from.contains("policy")
            && from != "redrive_policy"
            && from != "filter_policy"
            && value.document().is_none()
        {
            unread.push((value.span, format!("`{from}` of `{}` can't be told before deployment", item.name)));
        }
        let value = match (document.then(|| value.document()).flatten(), many) {
            (Some(document), _) => node(&document),
            (None, true) => sequence(
                value
                    .items()
                    .iter()
                    .map(|item| match item.kind {
                        Kind::Object(_) => spelled(&Datum::new(item.span, Kind::List(vec![item.clone()]))),
                        _ => node(item),
                    })
                    .collect(),
                value.span,
            ),
            (None, false) => spelled(value),
        };
        put(&mut made.properties, &to, key_span, value);
    }
    const META: [&str; 9] = [
        "count",
        "for_each",
        "depends_on",
        "provider",
        "lifecycle",
        "provisioner",
        "connection",
        "timeouts",
        "tags_all",
    ];
    for field in item.body.fields() {
        if listed.contains(field.key.as_str()) || META.contains(&field.key.as_str()) || is_empty(&field.value) {
            continue;
        }
        let key = crate::attributes::camel(&field.key);
        if !made.properties.iter().any(|entry| entry.key == key) {
            made.properties.push(Entry { key, key_span: field.key_span, value: spelled(&field.value) });
        }
    }
    Some(made)
}

/// Whether a value says no more than leaving it out would: null, or no blocks of its kind.
fn is_empty(value: &Datum) -> bool {
    match &value.kind {
        Kind::Null => true,
        Kind::List(items) => items.is_empty(),
        Kind::Text(chunks) => chunks.is_empty(),
        _ => false,
    }
}

/// The value at a path of a body, with the place of its key.
pub(crate) fn find<'a>(body: &'a Datum, path: &str) -> Option<(&'a Datum, Span)> {
    let (first, rest) = match path.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (path, None),
    };
    let field: &Field = body.field(first)?;
    match rest {
        None => Some((&field.value, field.key_span)),
        Some(rest) => find(&field.value, rest),
    }
}
