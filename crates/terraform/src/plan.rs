//! Plans and states as `terraform show -json` prints them: everything is worked out already, apart from what only deployment
//! knows, whose references are taken from the configuration that a plan holds beside its values.

use crate::attributes::computed;
use crate::datum::{Chunk, Datum, Field, Kind, from_node};
use crate::lower::{Item, MAX_RESOURCES};
use source::{Document, FileId, Node, Span};
use std::collections::{HashMap, HashSet};

/// How deep modules and inner blocks may nest.
const MAX_DEPTH: usize = 16;

/// Cheap test on path and text: is this a plan or state in JSON?
pub fn looks_like_plan(path: &str, text: &str) -> bool {
    path.ends_with(".json")
        && text.contains("\"format_version\"")
        && ["\"planned_values\"", "\"resource_changes\"", "\"root_module\""].iter().any(|key| text.contains(key))
}

/// The resources of a plan.
pub(crate) fn read(file: FileId, text: &str) -> (Vec<Item>, Vec<source::Complaint>) {
    let document = Document::json(file, text);
    let root = &document.root;
    let mut found: Vec<&Node> = Vec::new();
    let values = root.at(&["planned_values", "root_module"]).or_else(|| root.at(&["values", "root_module"]));
    match values {
        Some(module) => modules(module, &mut found, 0),
        // Only changes: what they lead to.
        None => found.extend(root.get("resource_changes").map_or(&[][..], Node::items)),
    }
    let text = |node: &Node, key: &str| node.get(key).and_then(Node::as_str).unwrap_or("").to_string();
    let mut addresses: HashSet<String> = HashSet::new();
    let mut items = Vec::new();
    for node in found.into_iter().take(MAX_RESOURCES) {
        if node.get("mode").and_then(Node::as_str) == Some("data") {
            continue;
        }
        let values = node.get("values").or_else(|| node.at(&["change", "after"]));
        let Some(values) = values.filter(|values| values.is_mapping()) else { continue };
        let address = text(node, "address");
        if address.is_empty() || !addresses.insert(address.clone()) {
            continue;
        }
        let head = node.get("address").map_or(node.span, |address| address.span);
        items.push(Item {
            name: address,
            kind: text(node, "type"),
            module: 0,
            head,
            span: node.span,
            body: from_node(values, 0),
        });
    }
    link(&mut items);
    if let Some(configuration) = root.at(&["configuration", "root_module"]) {
        let known = Known {
            kinds: items.iter().map(|item| (item.name.clone(), item.kind.clone())).collect(),
            first: items.iter().rev().map(|item| (without_keys(&item.name), item.name.clone())).collect(),
        };
        for item in &mut items {
            fill_item(item, configuration, &known);
        }
    }
    (items, document.complaints)
}

/// By text, and whether it is an ARN: address, type and attribute of what has it.
type Owners = HashMap<(bool, String), (String, String, String)>;

/// Turns identifiers of what is deployed already into references: the ARN of a queue where a mapping names it, the id of an
/// API where a route does. Ids count only under a key that holds one, since they may be any word.
fn link(items: &mut [Item]) {
    let mut owners = Owners::new();
    for item in items.iter() {
        for attribute in ["arn", "invoke_arn", "execution_arn", "id", "root_resource_id"] {
            let Some(text) = item.body.get(attribute).and_then(Datum::as_text).filter(|text| !text.is_empty()) else {
                continue;
            };
            let owner = (item.name.clone(), item.kind.clone(), attribute.to_string());
            owners.entry((text.starts_with("arn:"), text)).or_insert(owner);
        }
    }
    for item in items {
        let name = item.name.clone();
        link_value(&mut item.body, "", &name, &owners, 0);
    }
}

fn link_value(datum: &mut Datum, key: &str, own: &str, owners: &Owners, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    let span = datum.span;
    match &mut datum.kind {
        Kind::List(items) => items.iter_mut().for_each(|item| link_value(item, key, own, owners, depth + 1)),
        Kind::Object(fields) => {
            for field in fields {
                link_value(&mut field.value, &field.key, own, owners, depth + 1);
            }
        }
        Kind::Text(_) => {
            let Some(text) = datum.as_text() else { return };
            let (before, rest) = match text.strip_prefix("integrations/") {
                Some(rest) if key == "target" => ("integrations/", rest),
                _ => ("", text.as_str()),
            };
            let arn = rest.starts_with("arn:");
            if !arn && !key.ends_with("_id") && before.is_empty() {
                return;
            }
            let Some((name, kind, attribute)) = owners.get(&(arn, rest.to_string())) else { return };
            if name == own {
                return;
            }
            let mut chunks = Vec::new();
            crate::datum::push(&mut chunks, Chunk::Known(before.to_string(), span));
            chunks.extend(computed(kind, attribute, name, span));
            datum.kind = Kind::Text(chunks);
        }
        _ => {}
    }
}

fn modules<'a>(module: &'a Node, found: &mut Vec<&'a Node>, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    found.extend(module.get("resources").map_or(&[][..], Node::items));
    for child in module.get("child_modules").map_or(&[][..], Node::items) {
        modules(child, found, depth + 1);
    }
}

/// What there is, by address.
struct Known {
    /// Type of each resource.
    kinds: HashMap<String, String>,
    /// The first instance of an address without keys.
    first: HashMap<String, String>,
}

/// `module.a["x"].aws_y.z[0]` without its keys.
fn without_keys(address: &str) -> String {
    let mut out = String::with_capacity(address.len());
    let (mut depth, mut quoted) = (0_usize, false);
    for letter in address.chars() {
        match letter {
            '"' if depth > 0 => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth = depth.saturating_sub(1),
            letter if depth == 0 => out.push(letter),
            _ => {}
        }
    }
    out
}

/// Puts references where a plan has no value yet.
fn fill_item(item: &mut Item, configuration: &Node, known: &Known) {
    let plain = without_keys(&item.name);
    let parts: Vec<&str> = plain.split('.').collect();
    let mut path: Vec<&str> = Vec::new();
    let mut rest = parts.as_slice();
    while let ["module", name, after @ ..] = rest {
        path.push(name);
        rest = after;
    }
    let local = rest.join(".");
    let Some(module) = configured(configuration, &path) else { return };
    let resources = module.get("resources").map_or(&[][..], Node::items);
    let Some(own) = resources.iter().find(|node| node.get("address").and_then(Node::as_str) == Some(&local)) else {
        return;
    };
    let prefix = item.name.strip_suffix(item_part(&item.name)).unwrap_or("").to_string();
    let resolver = Resolver { configuration, path: &path, prefix: &prefix, known };
    if let Some(expressions) = own.get("expressions") {
        resolver.fill(&mut item.body, expressions, 0);
    }
}

/// The part of an address behind its modules.
fn item_part(address: &str) -> &str {
    let mut start = 0;
    let (mut depth, mut quoted) = (0_usize, false);
    let mut dots = Vec::new();
    for (at, letter) in address.char_indices() {
        match letter {
            '"' if depth > 0 => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth = depth.saturating_sub(1),
            '.' if depth == 0 => dots.push(at),
            _ => {}
        }
    }
    let mut dots = dots.into_iter();
    while address.get(start..).is_some_and(|rest| rest.starts_with("module.")) {
        let (Some(_), Some(end)) = (dots.next(), dots.next()) else { break };
        start = end + 1;
    }
    address.get(start..).unwrap_or(address)
}

fn configured<'a>(root: &'a Node, path: &[&str]) -> Option<&'a Node> {
    path.iter().try_fold(root, |module, name| module.get("module_calls")?.get(name)?.get("module"))
}

struct Resolver<'a> {
    configuration: &'a Node,
    path: &'a [&'a str],
    /// The address of the module, with a dot behind it.
    prefix: &'a str,
    known: &'a Known,
}

impl Resolver<'_> {
    fn fill(&self, body: &mut Datum, expressions: &Node, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        let Kind::Object(fields) = &mut body.kind else { return };
        for entry in expressions.entries() {
            let at = fields.iter().position(|field| field.key == entry.key);
            let missing = at.and_then(|at| fields.get(at)).is_none_or(|field| field.value.is_null());
            if let Some(references) = entry.value.get("references") {
                if missing && let Some(value) = self.value(references) {
                    let field = Field { key: entry.key.clone(), key_span: entry.key_span, value };
                    crate::evaluate::set(fields, field);
                }
                continue;
            }
            // Inner blocks: a list of them on both sides.
            let Some(field) = at.and_then(|at| fields.get_mut(at)) else { continue };
            let blocks = entry.value.one_or_many();
            match &mut field.value.kind {
                Kind::List(items) => {
                    for (item, block) in items.iter_mut().zip(blocks) {
                        self.fill(item, block, depth + 1);
                    }
                }
                Kind::Object(_) => {
                    if let Some(block) = blocks.first() {
                        self.fill(&mut field.value, block, depth + 1);
                    }
                }
                _ => {}
            }
        }
    }

    /// What references stand for: one by itself, several as a list.
    fn value(&self, references: &Node) -> Option<Datum> {
        let names: Vec<(&str, Span)> =
            references.items().iter().filter_map(|node| Some((node.as_str()?, node.span))).collect();
        // After each attribute its resource is listed as well.
        let longest = names.iter().filter(|(name, _)| {
            !names.iter().any(|(other, _)| other.len() > name.len() && other.starts_with(&format!("{name}.")))
                && !names.iter().any(|(other, _)| other.len() > name.len() && other.starts_with(&format!("{name}[")))
        });
        let mut found: Vec<Datum> =
            longest.filter_map(|(name, span)| self.reference(name, *span, self.path, self.prefix, 0)).collect();
        match found.len() {
            0 => None,
            1 => found.pop(),
            _ => Some(Datum::new(references.span, Kind::List(found))),
        }
    }

    fn reference(&self, name: &str, span: Span, path: &[&str], prefix: &str, depth: usize) -> Option<Datum> {
        if depth > MAX_DEPTH {
            return None;
        }
        let plain = without_keys(name);
        let mut parts = plain.split('.');
        match (parts.next()?, parts.next()?, parts.next()) {
            ("var", variable, _) => {
                // What the module is given where it is used.
                let (module, above) = path.split_last()?;
                let call = configured(self.configuration, above)?.get("module_calls")?.get(module)?;
                let references = call.get("expressions")?.get(variable)?.get("references")?;
                let outer = prefix.strip_suffix('.')?;
                let outer = outer.get(..outer.len().checked_sub(item_tail(outer))?)?;
                references
                    .items()
                    .iter()
                    .filter_map(Node::as_str)
                    .find_map(|name| self.reference(name, span, above, outer, depth + 1))
            }
            ("module", child, Some(output)) => {
                let mut inner: Vec<&str> = path.to_vec();
                inner.push(child);
                let module = configured(self.configuration, &inner)?;
                let references = module.get("outputs")?.get(output)?.get("expression")?.get("references")?;
                let inner_prefix = format!("{prefix}module.{child}.");
                references
                    .items()
                    .iter()
                    .filter_map(Node::as_str)
                    .find_map(|name| self.reference(name, span, &inner, &inner_prefix, depth + 1))
            }
            ("data", ..) | ("local", ..) | ("each", ..) | ("path", ..) | ("count", ..) => None,
            (kind, resource, attribute) => {
                let address = self.known.first.get(&without_keys(&format!("{prefix}{kind}.{resource}")))?;
                let kind = self.known.kinds.get(address)?;
                let chunks: Vec<Chunk> = computed(kind, attribute.unwrap_or("id"), address, span);
                Some(Datum::new(span, Kind::Text(chunks)))
            }
        }
    }
}

/// The length of the last `module.name[key]` of an address.
fn item_tail(address: &str) -> usize {
    let (mut depth, mut quoted, mut last, mut before) = (0_usize, false, 0, 0);
    for (at, letter) in address.char_indices() {
        match letter {
            '"' if depth > 0 => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth = depth.saturating_sub(1),
            '.' if depth == 0 => {
                before = last;
                last = at + 1;
            }
            _ => {}
        }
    }
    address.len() - before
}
