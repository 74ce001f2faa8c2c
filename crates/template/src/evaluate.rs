//! What a node amounts to before deployment: `Fn::If` and `Fn::FindInMap` taken, text put together, holes named.
//!
//! Parameters count with their defaults, because that is what a plain deployment gets; `NoEcho` parameters and those that
//! name a value elsewhere (`AWS::SSM::Parameter::Value<…>`) stay holes.

use crate::model::{Decision, Parameter, Template};
use crate::nested::{OUTER, renamed};
use crate::normalize::intrinsic;
use base64::Engine;
use graph::{Part, Setting, Value};
use source::{Entry, Node, NodeKind};
use std::collections::HashMap;

/// How deep one value may lead into others; templates of people stay under ten.
const MAX_DEPTH: usize = 64;
/// The longest text that a substitution may give, in bytes: code written into a template may have 4 MB.
const MAX_WEIGHT: usize = 5 << 20;

impl Template {
    /// The node with every `Fn::If` and `Fn::FindInMap` in it replaced by what they give and `AWS::NoValue` left out; none
    /// where the node itself is left out. Where a condition can't be decided, its first branch counts, or the second where the
    /// first is nothing.
    pub(crate) fn resolve(&self, node: &Node) -> Option<Node> {
        if let Some((name, argument)) = intrinsic(node) {
            match name {
                "Ref" if argument.as_str() == Some("AWS::NoValue") => return None,
                "Fn::If" => {
                    let [condition, then, otherwise] = argument.items() else { return Some(node.clone()) };
                    let decision = condition.as_str().map_or(Decision::OPEN, |name| self.condition(name));
                    return match decision.value {
                        Some(true) => self.resolve(then),
                        Some(false) => self.resolve(otherwise),
                        None => self.resolve(then).or_else(|| self.resolve(otherwise)),
                    };
                }
                "Fn::FindInMap" => {
                    if let Some(found) = self.find_in_map(argument, 0).filter(|found| is_map_value(found)) {
                        let mut found = found.clone();
                        found.span = node.span;
                        return Some(found);
                    }
                }
                _ => {}
            }
        }
        let kind = match &node.kind {
            NodeKind::Scalar { .. } => node.kind.clone(),
            NodeKind::Sequence(items) => {
                NodeKind::Sequence(items.iter().filter_map(|item| self.resolve(item)).collect())
            }
            NodeKind::Mapping(entries) => NodeKind::Mapping(
                entries
                    .iter()
                    .filter_map(|entry| {
                        let value = self.resolve(&entry.value)?;
                        Some(Entry { key: entry.key.clone(), key_span: entry.key_span, value })
                    })
                    .collect(),
            ),
        };
        Some(Node { span: node.span, tag: None, kind })
    }

    /// The value of a node; never fails, since what can't be told is a part of the value that says so.
    pub(crate) fn value(&self, node: &Node) -> Value {
        with_dynamic_references(self.value_at(node, 0))
    }

    /// The text of a node, if all of it is known.
    pub(crate) fn text(&self, node: &Node) -> Option<String> {
        self.value(node).as_text().map(str::to_string)
    }

    /// The text with its place.
    pub(crate) fn text_setting(&self, node: &Node) -> Option<Setting<String>> {
        if node.is_null() || node.is_sequence() {
            return None;
        }
        Some(Setting { value: self.text(node)?, span: node.span })
    }

    /// A whole number, also by way of a parameter.
    pub(crate) fn number(&self, node: &Node) -> Option<Setting<i64>> {
        let text = self.text_setting(node)?;
        Some(Setting { value: text.value.trim().parse().ok()?, span: text.span })
    }

    /// A boolean, also by way of a parameter.
    pub(crate) fn flag(&self, node: &Node) -> Option<bool> {
        match self.text(node)?.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Some(true),
            "false" | "no" | "off" => Some(false),
            _ => None,
        }
    }

    /// The values of a list, or the one value that may stand for a list of one. Lists in lists are flattened.
    pub(crate) fn values(&self, node: &Node) -> Vec<Setting<Value>> {
        if node.is_null() {
            return Vec::new();
        }
        match &node.kind {
            NodeKind::Sequence(items) => items.iter().flat_map(|item| self.values(item)).collect(),
            _ => match self.list(node, 0) {
                Some(values) => values.into_iter().map(|value| Setting { value, span: node.span }).collect(),
                None => vec![Setting { value: self.value(node), span: node.span }],
            },
        }
    }

    fn value_at(&self, node: &Node, depth: usize) -> Value {
        if depth > MAX_DEPTH {
            return Value::unknown("nested too deep");
        }
        let Some((name, argument)) = intrinsic(node) else {
            return match &node.kind {
                NodeKind::Scalar { .. } if node.is_null() => Value::default(),
                NodeKind::Scalar { text, .. } => Value::text(text.clone()),
                NodeKind::Sequence(items) => {
                    join(",", items.iter().map(|item| self.value_at(item, depth + 1)).collect())
                }
                NodeKind::Mapping(_) => Value::unknown("an object"),
            };
        };
        match name {
            "Ref" => argument.scalar().map_or_else(|| Value::unknown("Ref"), |name| self.reference(name)),
            "Fn::GetAtt" => self.attribute_of(argument, depth),
            "Fn::Sub" => self.substitute(argument, depth),
            "Fn::Join" => match argument.items() {
                [delimiter, list] => {
                    let delimiter = self.value_at(delimiter, depth + 1);
                    match (delimiter.as_text(), self.list(list, depth + 1)) {
                        (Some(delimiter), Some(items)) => join(delimiter, items),
                        // A list that isn't known here still names what it is made of.
                        (_, None) => self.value_at(list, depth + 1),
                        _ => Value::unknown("Fn::Join"),
                    }
                }
                _ => Value::unknown("Fn::Join"),
            },
            "Fn::Select" => self.select(argument, depth),
            "Fn::If" => match argument.items() {
                [condition, then, otherwise] => {
                    let decided = condition.as_str().and_then(|name| self.condition(name).value);
                    self.value_at(if decided == Some(false) { otherwise } else { then }, depth + 1)
                }
                _ => Value::unknown("Fn::If"),
            },
            "Fn::FindInMap" => match self.find_in_map(argument, depth) {
                Some(found) => literal(found),
                None => match argument.items().get(3).and_then(|options| options.get("DefaultValue")) {
                    Some(default) => self.value_at(default, depth + 1),
                    None => Value::unknown(format!("Fn::FindInMap {}", self.describe(argument, depth))),
                },
            },
            "Fn::ImportValue" => {
                let name = self.value_at(argument, depth + 1).to_string();
                self.imported(&name).unwrap_or_else(|| Value::unknown(format!("Fn::ImportValue {name}")))
            }
            "Fn::GetStackOutput" => {
                let text = |key: &str| argument.get(key).map(|node| self.value_at(node, depth + 1).to_string());
                let name =
                    format!("{}/{}", text("StackName").unwrap_or_default(), text("OutputName").unwrap_or_default());
                self.imported(&name).unwrap_or_else(|| Value::unknown(format!("Fn::GetStackOutput {name}")))
            }
            "Fn::Base64" => {
                let inner = self.value_at(argument, depth + 1);
                match inner.as_text() {
                    Some(text) => Value::text(base64::engine::general_purpose::STANDARD.encode(text)),
                    None => Value::unknown("Fn::Base64"),
                }
            }
            "Fn::Length" => match self.list(argument, depth + 1) {
                Some(items) => Value::text(items.len().to_string()),
                None => Value::unknown("Fn::Length"),
            },
            "Fn::ToJsonString" => {
                let mut value = Value::default();
                self.write_json(argument, &mut value, depth + 1);
                value
            }
            "Fn::Split" => match self.list(node, depth) {
                Some(items) => join(",", items),
                None => Value::unknown("Fn::Split"),
            },
            crate::UNRESOLVED => Value::unknown(self.describe(argument, depth)),
            other => Value::unknown(format!("{other} {}", self.describe(argument, depth)).trim_end().to_string()),
        }
    }

    /// What a name in a `Ref` or a `${…}` stands for.
    pub(crate) fn reference(&self, name: &str) -> Value {
        if name == "AWS::NoValue" {
            return Value::default();
        }
        if name.starts_with("AWS::") {
            return Value::part(Part::Pseudo(name.to_string()));
        }
        if let Some(parameter) = self.parameters.get(name) {
            return parameter_value(name, parameter);
        }
        match name.split_once('.').filter(|_| self.block(name).is_none()) {
            // SAM's references to what it generates: `Api.Stage`, `Function.Alias`.
            Some((resource, attribute)) => self.attribute(resource, attribute),
            None => Value::part(Part::Ref(name.to_string())),
        }
    }

    /// What another stack of the application exports under a name, its resources marked as none of this template's.
    fn imported(&self, name: &str) -> Option<Value> {
        let value = self.siblings.exports.get(name)?;
        let mark = OUTER.to_string().repeat(self.depth + 1);
        Some(renamed(value, &|name| Some(format!("{mark}{name}"))))
    }

    /// What an attribute of a resource is.
    fn attribute(&self, resource: &str, attribute: &str) -> Value {
        if let Some(output) = attribute.strip_prefix("Outputs.")
            && let Some(value) = self.nested_outputs.get(resource).and_then(|outputs| outputs.get(output))
        {
            return value.clone();
        }
        Value::part(Part::Attribute(resource.to_string(), attribute.to_string()))
    }

    fn attribute_of(&self, argument: &Node, depth: usize) -> Value {
        match argument.items() {
            [resource, rest @ ..] if !rest.is_empty() => {
                let resource = self.value_at(resource, depth + 1);
                let attribute = join(".", rest.iter().map(|part| self.value_at(part, depth + 1)).collect());
                match (resource.as_text(), attribute.as_text()) {
                    (Some(resource), Some(attribute)) => self.attribute(resource, attribute),
                    (Some(resource), None) => self.attribute(resource, &attribute.to_string()),
                    _ => Value::unknown("Fn::GetAtt"),
                }
            }
            _ => match argument.as_str() {
                Some(name) => Value::part(Part::Attribute(name.to_string(), String::new())),
                None => Value::unknown("Fn::GetAtt"),
            },
        }
    }

    fn substitute(&self, argument: &Node, depth: usize) -> Value {
        let (template, variables) = match argument.items() {
            [template, variables] => (template, Some(variables)),
            [template] => (template, None),
            _ => (argument, None),
        };
        let Some(template) = template.scalar() else { return Value::unknown("Fn::Sub") };
        let mut value = Value::default();
        // A variable is worked out once however often it is named, and what comes of it is bounded: variables that name
        // other variables ten times each would otherwise grow without end.
        let mut known: HashMap<&str, Value> = HashMap::new();
        let mut weight = 0;
        for piece in pieces(template) {
            let next = match piece {
                Piece::Text(text) => Value::text(text),
                Piece::Literal(name) => Value::text(format!("${{{name}}}")),
                Piece::Name(name) => match variables.and_then(|variables| variables.get(name)) {
                    Some(variable) => known.entry(name).or_insert_with(|| self.value_at(variable, depth + 1)).clone(),
                    None => self.reference(name),
                },
            };
            weight += weight_of(&next);
            if weight > MAX_WEIGHT {
                return Value::unknown("Fn::Sub (too long)");
            }
            value.extend(next);
        }
        value
    }

    fn select(&self, argument: &Node, depth: usize) -> Value {
        let [index, list] = argument.items() else { return Value::unknown("Fn::Select") };
        let index = self.value_at(index, depth + 1);
        let number = index.as_text().and_then(|text| text.trim().parse::<usize>().ok());
        match (number, self.list(list, depth + 1)) {
            (Some(number), Some(items)) => {
                items.get(number).cloned().unwrap_or_else(|| Value::unknown(format!("Fn::Select {number}")))
            }
            _ => Value::unknown(format!("Fn::Select {index} {}", self.describe(list, depth)).trim_end().to_string()),
        }
    }

    /// The items of a list, if they can be told apart.
    pub(crate) fn list(&self, node: &Node, depth: usize) -> Option<Vec<Value>> {
        if depth > MAX_DEPTH {
            return None;
        }
        if let NodeKind::Sequence(items) = &node.kind {
            return Some(items.iter().map(|item| self.value_at(item, depth + 1)).collect());
        }
        let (name, argument) = intrinsic(node)?;
        match name {
            "Ref" => {
                let parameter = self.parameters.get(argument.scalar()?)?;
                if !parameter.list {
                    return None;
                }
                Some(split(&parameter_value("", parameter), ",").into_iter().map(trim).collect())
            }
            "Fn::Split" => {
                let [delimiter, text] = argument.items() else { return None };
                let delimiter = self.value_at(delimiter, depth + 1);
                let text = self.value_at(text, depth + 1);
                let delimiter = delimiter.as_text().filter(|delimiter| !delimiter.is_empty())?;
                // An attribute (an ARN, a URL) has delimiters inside that can't be counted here.
                text.parts()
                    .iter()
                    .all(|part| matches!(part, Part::Text(_) | Part::Pseudo(_)))
                    .then(|| split(&text, delimiter))
            }
            "Fn::If" => {
                let [condition, then, otherwise] = argument.items() else { return None };
                let decided = condition.as_str().and_then(|name| self.condition(name).value);
                self.list(if decided == Some(false) { otherwise } else { then }, depth + 1)
            }
            "Fn::FindInMap" => match self.find_in_map(argument, depth) {
                Some(found) if found.is_sequence() => Some(found.items().iter().map(literal).collect()),
                Some(_) => None,
                None => self.list(argument.items().get(3)?.get("DefaultValue")?, depth + 1),
            },
            _ => None,
        }
    }

    fn find_in_map(&self, argument: &Node, depth: usize) -> Option<&Node> {
        let [map, top, second, ..] = argument.items() else { return None };
        let [map, top, second] = [map, top, second].map(|key| self.value_at(key, depth + 1));
        self.mappings.get(map.as_text()?)?.get(top.as_text()?)?.get(second.as_text()?)
    }

    /// What an argument says, for people.
    fn describe(&self, argument: &Node, depth: usize) -> String {
        match &argument.kind {
            NodeKind::Sequence(items) => {
                join(".", items.iter().map(|item| self.value_at(item, depth + 1)).collect()).to_string()
            }
            NodeKind::Scalar { text, .. } => text.clone(),
            NodeKind::Mapping(_) => intrinsic(argument).map_or("", |(name, _)| name).to_string(),
        }
    }

    fn write_json(&self, node: &Node, out: &mut Value, depth: usize) {
        let push = |out: &mut Value, text: &str| out.push(Part::Text(text.to_string()));
        if depth > MAX_DEPTH {
            return push(out, "null");
        }
        if intrinsic(node).is_some() {
            push(out, "\"");
            out.extend(self.value_at(node, depth + 1));
            return push(out, "\"");
        }
        match &node.kind {
            NodeKind::Scalar { .. } => push(out, &node.to_json().to_string()),
            NodeKind::Sequence(items) => {
                push(out, "[");
                for (index, item) in items.iter().enumerate() {
                    push(out, if index == 0 { "" } else { "," });
                    self.write_json(item, out, depth + 1);
                }
                push(out, "]");
            }
            NodeKind::Mapping(entries) => {
                push(out, "{");
                for (index, entry) in entries.iter().enumerate() {
                    push(out, if index == 0 { "" } else { "," });
                    push(out, &format!("{}:", serde_json::Value::from(entry.key.as_str())));
                    self.write_json(&entry.value, out, depth + 1);
                }
                push(out, "}");
            }
        }
    }

    /// What a condition's expression gives with the parameters' defaults.
    pub(crate) fn decide(&self, node: &Node, lookup: &mut dyn FnMut(&str) -> Decision, depth: usize) -> Decision {
        if depth > MAX_DEPTH {
            return Decision::OPEN;
        }
        let Some((name, argument)) = intrinsic(node) else {
            return match node.as_bool() {
                Some(value) => Decision { value: Some(value), firm: true },
                None => Decision::OPEN,
            };
        };
        let mut all = |nodes: &[Node]| -> Vec<Decision> {
            nodes.iter().map(|node| self.decide(node, lookup, depth + 1)).collect()
        };
        match name {
            "Condition" => argument.as_str().map_or(Decision::OPEN, lookup),
            "Fn::Equals" => match argument.items() {
                [left, right] => {
                    let firm = !self.names_parameter(left, 0) && !self.names_parameter(right, 0);
                    let [left, right] = [left, right].map(|side| self.comparable(side));
                    Decision { value: left.zip(right).map(|(left, right)| left == right), firm }
                }
                _ => Decision::OPEN,
            },
            "Fn::Not" => {
                let decided = all(argument.one_or_many()).first().copied().unwrap_or(Decision::OPEN);
                Decision { value: decided.value.map(|value| !value), firm: decided.firm }
            }
            "Fn::And" => combine(&all(argument.items()), false),
            "Fn::Or" => combine(&all(argument.items()), true),
            _ => Decision::OPEN,
        }
    }

    /// The text a condition compares: here the default of a `NoEcho` parameter counts too, since it is shown to nobody.
    fn comparable(&self, node: &Node) -> Option<String> {
        if let Some(("Ref", argument)) = intrinsic(node)
            && let Some(parameter) = argument.scalar().and_then(|name| self.parameters.get(name))
            && parameter.given.is_none()
        {
            return parameter.default.clone();
        }
        self.value_at(node, 0).as_text().map(str::to_string)
    }

    fn names_parameter(&self, node: &Node, depth: usize) -> bool {
        if depth > MAX_DEPTH {
            return true;
        }
        match &node.kind {
            NodeKind::Scalar { text, .. } => {
                pieces(text).any(|piece| matches!(piece, Piece::Name(name) if self.parameters.contains_key(name)))
            }
            NodeKind::Sequence(items) => items.iter().any(|item| self.names_parameter(item, depth + 1)),
            NodeKind::Mapping(entries) => entries.iter().any(|entry| {
                (entry.key == "Ref" && entry.value.scalar().is_some_and(|name| self.parameters.contains_key(name)))
                    || self.names_parameter(&entry.value, depth + 1)
            }),
        }
    }
}

/// The room a value takes, roughly, in bytes.
fn weight_of(value: &Value) -> usize {
    let part = |part: &Part| match part {
        Part::Text(text) => text.len(),
        // What refers to something is followed later on, which costs more than text.
        _ => 512,
    };
    value.parts().iter().map(part).sum()
}

/// `Fn::And` (`deciding` false) and `Fn::Or` (`deciding` true): one such operand settles it.
fn combine(operands: &[Decision], deciding: bool) -> Decision {
    if let Some(settled) =
        operands.iter().filter(|operand| operand.value == Some(deciding)).max_by_key(|operand| operand.firm)
    {
        return *settled;
    }
    let firm = operands.iter().all(|operand| operand.firm);
    let known = operands.iter().all(|operand| operand.value.is_some());
    Decision { value: known.then_some(!deciding), firm }
}

fn parameter_value(name: &str, parameter: &Parameter) -> Value {
    match (&parameter.given, &parameter.default) {
        (Some(given), _) => given.clone(),
        (None, Some(default)) if !parameter.opaque => Value::text(default.clone()),
        _ => Value::part(Part::Parameter(name.to_string())),
    }
}

/// Whether a node is what a mapping may hold: text or a list of texts. Anything larger, named often, would grow without end.
fn is_map_value(node: &Node) -> bool {
    !node.is_mapping() && node.items().len() <= 1_000 && node.items().iter().all(|item| item.scalar().is_some())
}

/// The value of a node of a mapping, where no intrinsics can stand.
fn literal(node: &Node) -> Value {
    match &node.kind {
        NodeKind::Scalar { .. } if node.is_null() => Value::default(),
        NodeKind::Scalar { text, .. } => Value::text(text.clone()),
        NodeKind::Sequence(items) => {
            join(",", items.iter().map(|item| Value::text(item.scalar().unwrap_or(""))).collect())
        }
        NodeKind::Mapping(_) => Value::unknown("an object"),
    }
}

fn join(delimiter: &str, items: Vec<Value>) -> Value {
    let mut value = Value::default();
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            value.push(Part::Text(delimiter.to_string()));
        }
        value.extend(item);
    }
    value
}

/// A value cut at every delimiter in its known text.
pub(crate) fn split(value: &Value, delimiter: &str) -> Vec<Value> {
    let mut items = vec![Value::default()];
    for part in value.parts() {
        match part {
            Part::Text(text) => {
                for (index, piece) in text.split(delimiter).enumerate() {
                    if index > 0 {
                        items.push(Value::default());
                    }
                    if let Some(last) = items.last_mut() {
                        last.push(Part::Text(piece.to_string()));
                    }
                }
            }
            other => {
                if let Some(last) = items.last_mut() {
                    last.push(other.clone());
                }
            }
        }
    }
    items
}

fn trim(value: Value) -> Value {
    match value.as_text() {
        Some(text) => Value::text(text.trim()),
        None => value,
    }
}

/// A `{{resolve:…}}` is a hole whatever it is made of: its text names where the value lies, not the value.
fn with_dynamic_references(value: Value) -> Value {
    const OPEN: &str = "{{resolve:";
    if !value.parts().iter().any(|part| matches!(part, Part::Text(text) if text.contains(OPEN))) {
        return value;
    }
    let mut out = Value::default();
    let mut reference: Option<String> = None;
    for part in value.parts() {
        let Part::Text(text) = part else {
            match &mut reference {
                Some(reference) => reference.push_str(&Value::part(part.clone()).to_string()),
                None => out.push(part.clone()),
            }
            continue;
        };
        let mut rest = text.as_str();
        while !rest.is_empty() {
            match reference.take() {
                None => match rest.find(OPEN) {
                    Some(at) => {
                        out.push(Part::Text(rest[..at].to_string()));
                        rest = &rest[at..];
                        reference = Some(String::new());
                    }
                    None => {
                        out.push(Part::Text(rest.to_string()));
                        rest = "";
                    }
                },
                Some(mut read) => match rest.find("}}") {
                    Some(at) => {
                        read.push_str(&rest[..at + 2]);
                        out.push(Part::Unknown(read));
                        rest = &rest[at + 2..];
                    }
                    None => {
                        read.push_str(rest);
                        reference = Some(read);
                        rest = "";
                    }
                },
            }
        }
    }
    if let Some(unclosed) = reference {
        out.push(Part::Unknown(unclosed));
    }
    out
}

/// A piece of a `Fn::Sub` template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// Text as it stands.
    Text(&'a str),
    /// `${!Name}`, which means the text `${Name}`.
    Literal(&'a str),
    /// `${Name}`.
    Name(&'a str),
}

/// The pieces of a `Fn::Sub` template in order.
pub(crate) fn pieces(template: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = template;
    let mut pending: Option<Piece<'_>> = None;
    std::iter::from_fn(move || {
        if let Some(piece) = pending.take() {
            return Some(piece);
        }
        if rest.is_empty() {
            return None;
        }
        let hole = rest.find("${").and_then(|start| Some((start, start + rest[start..].find('}')?)));
        let Some((start, end)) = hole else {
            let text = rest;
            rest = "";
            return Some(Piece::Text(text));
        };
        let name = rest[start + 2..end].trim();
        let piece = match name.strip_prefix('!') {
            Some(literal) => Piece::Literal(literal),
            None => Piece::Name(name),
        };
        let before = &rest[..start];
        rest = &rest[end + 1..];
        if before.is_empty() {
            return Some(piece);
        }
        pending = Some(piece);
        Some(Piece::Text(before))
    })
}
