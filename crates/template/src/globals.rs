//! SAM's `Globals`: what a resource gets without saying so.

use crate::normalize::intrinsic;
use source::{Node, NodeKind};

/// The name a SAM resource type has in `Globals`.
fn section(resource_type: &str) -> Option<&str> {
    resource_type.strip_prefix("AWS::Serverless::")
}

/// A resource's own properties with those of its section of `Globals`: objects are merged, lists appended to, anything else
/// overridden. Nodes keep the place they came from.
pub(crate) fn merged(globals: Option<&Node>, resource_type: &str, own: Node, ignore: Option<&Node>) -> Node {
    let shared = globals.and_then(|globals| globals.get(section(resource_type)?)).filter(|shared| shared.is_mapping());
    let Some(shared) = shared else { return own };
    let ignored = |name: &str| {
        ignore.is_some_and(|ignore| {
            ignore.as_str() == Some("*") || ignore.items().iter().any(|item| item.as_str() == Some(name))
        })
    };
    let mut base = shared.clone();
    if let NodeKind::Mapping(entries) = &mut base.kind {
        entries.retain(|entry| !ignored(&entry.key));
    }
    let span = own.span;
    let mut node = merge(base, own, resource_type, "");
    node.span = span;
    node
}

fn merge(shared: Node, own: Node, resource_type: &str, path: &str) -> Node {
    if intrinsic(&shared).is_some() || intrinsic(&own).is_some() {
        return own;
    }
    // SAM appends lists, but a function runs on one architecture.
    if resource_type == "AWS::Serverless::Function" && path == "Architectures" {
        return own;
    }
    let span = own.span;
    match (shared.kind, own.kind) {
        (NodeKind::Mapping(mut entries), NodeKind::Mapping(own)) => {
            for entry in own {
                match entries.iter().position(|shared| shared.key == entry.key) {
                    Some(at) => {
                        let below = if path.is_empty() { entry.key.clone() } else { format!("{path}.{}", entry.key) };
                        let mut merged = entry;
                        let base = entries.remove(at);
                        merged.value = merge(base.value, merged.value, resource_type, &below);
                        entries.insert(at, merged);
                    }
                    None => entries.push(entry),
                }
            }
            Node { span, tag: None, kind: NodeKind::Mapping(entries) }
        }
        (NodeKind::Sequence(mut items), NodeKind::Sequence(own)) => {
            items.extend(own);
            Node { span, tag: None, kind: NodeKind::Sequence(items) }
        }
        (_, own) => Node { span, tag: None, kind: own },
    }
}
