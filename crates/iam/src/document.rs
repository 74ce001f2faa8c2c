//! Policy documents as JSON into statements and values: boundaries, managed policies, documents of the template's resources.

use graph::{Effect, Origin, Part, Statement, Value};
use serde_json::Value as Json;
use source::{FileId, Span};

/// How deep intrinsics may nest.
const MAX_DEPTH: usize = 16;

/// The statements of a policy document. Spans are empty: a document read this way has no place.
pub fn statements(document: &Json) -> Vec<Statement> {
    let Some(found) = document.get("Statement") else { return Vec::new() };
    let list = std::slice::from_ref(found);
    found.as_array().map_or(list, Vec::as_slice).iter().filter_map(statement).collect()
}

fn statement(json: &Json) -> Option<Statement> {
    let effect = match json.get("Effect")?.as_str()? {
        "Deny" => Effect::Deny,
        _ => Effect::Allow,
    };
    let texts = |key: &str| json.get(key).map(|found| values(found).iter().map(Value::to_string).collect::<Vec<_>>());
    let (actions, not_actions) = match texts("Action") {
        Some(actions) => (actions, false),
        None => (texts("NotAction").unwrap_or_default(), true),
    };
    let (resources, not_resources) = match (json.get("Resource"), json.get("NotResource")) {
        (Some(resources), _) => (values(resources), false),
        (None, Some(resources)) => (values(resources), true),
        (None, None) => (Vec::new(), false),
    };
    let principals = match json.get("Principal") {
        Some(Json::Object(kinds)) if value(json.get("Principal")?, 0).has_unknown() => {
            kinds.values().flat_map(values).collect()
        }
        Some(other) => values(other),
        None => Vec::new(),
    };
    Some(Statement {
        effect,
        actions,
        not_actions,
        resources,
        not_resources,
        principals,
        condition: json.get("Condition").cloned(),
        origin: Origin::Inline,
        span: Span::new(FileId(0), 0, 0),
    })
}

fn values(json: &Json) -> Vec<Value> {
    match json {
        Json::Array(items) => items.iter().map(|item| value(item, 0)).collect(),
        one => vec![value(one, 0)],
    }
}

/// A value of a template's property in its long form: `{"Ref": ..}`, `{"Fn::GetAtt": ..}`, `{"Fn::Sub": ..}`, `{"Fn::Join": ..}`.
pub fn property_value(json: &Json) -> Value {
    value(json, 0)
}

fn value(json: &Json, depth: usize) -> Value {
    let unknown = || Value::unknown("an expression");
    match json {
        Json::String(text) => Value::text(text.clone()),
        Json::Bool(flag) => Value::text(flag.to_string()),
        Json::Number(number) => Value::text(number.to_string()),
        Json::Object(map) if map.len() == 1 && depth < MAX_DEPTH => {
            let Some((name, argument)) = map.iter().next() else { return unknown() };
            match (name.as_str(), argument) {
                ("Ref", Json::String(name)) => Value::part(reference(name)),
                ("Fn::GetAtt", Json::String(path)) => match path.split_once('.') {
                    Some((name, attribute)) => Value::part(Part::Attribute(name.into(), attribute.into())),
                    None => unknown(),
                },
                ("Fn::GetAtt", Json::Array(parts)) => match parts.as_slice() {
                    [Json::String(name), Json::String(attribute)] => {
                        Value::part(Part::Attribute(name.clone(), attribute.clone()))
                    }
                    _ => unknown(),
                },
                ("Fn::Sub", Json::String(text)) => substituted(text, None, depth),
                ("Fn::Sub", Json::Array(parts)) => match parts.as_slice() {
                    [Json::String(text), variables] => substituted(text, Some(variables), depth),
                    _ => unknown(),
                },
                ("Fn::Join", Json::Array(parts)) => match parts.as_slice() {
                    [Json::String(separator), Json::Array(items)] => {
                        let mut joined = Value::default();
                        for (at, item) in items.iter().enumerate() {
                            if at > 0 {
                                joined.push(Part::Text(separator.clone()));
                            }
                            joined.extend(value(item, depth + 1));
                        }
                        joined
                    }
                    _ => unknown(),
                },
                _ => unknown(),
            }
        }
        _ => unknown(),
    }
}

fn reference(name: &str) -> Part {
    if name.starts_with("AWS::") { Part::Pseudo(name.to_string()) } else { Part::Ref(name.to_string()) }
}

pub(crate) fn substituted(text: &str, variables: Option<&Json>, depth: usize) -> Value {
    let mut result = Value::default();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let (before, hole) = rest.split_at(start);
        result.push(Part::Text(before.to_string()));
        let Some(end) = hole.find('}') else {
            rest = hole;
            break;
        };
        let name = hole.get(2..end).unwrap_or_default();
        match (name.strip_prefix('!'), variables.and_then(|variables| variables.get(name)), name.split_once('.')) {
            (Some(literal), ..) => result.push(Part::Text(format!("${{{literal}}}"))),
            (None, Some(given), _) => result.extend(value(given, depth + 1)),
            (None, None, Some((owner, attribute))) => {
                result.push(Part::Attribute(owner.to_string(), attribute.to_string()));
            }
            (None, None, None) => result.push(reference(name)),
        }
        rest = hole.get(end + 1..).unwrap_or_default();
    }
    result.push(Part::Text(rest.to_string()));
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn intrinsics_become_values_with_holes() {
        for (json, shown) in [
            (json!({"Fn::Sub": "arn:${AWS::Partition}:s3:::${B}/${!x}"}), "arn:${AWS::Partition}:s3:::${B}/${x}"),
            (json!({"Fn::Sub": ["${N}-x", {"N": {"Fn::GetAtt": "T.Arn"}}]}), "${T.Arn}-x"),
            (json!({"Fn::Join": ["/", ["a", {"Ref": "B"}]]}), "a/${B}"),
            (json!({"Fn::Sub": "broken ${hole"}), "broken ${hole"),
            (json!({"Fn::If": ["A", "b", "c"]}), "?"),
        ] {
            assert_eq!(property_value(&json).to_string(), shown);
        }
    }
}
