//! A least policy written out: as an IAM document, as SAM `Policies`, as Terraform.

use crate::need::{Need, Policy};
use graph::{Part, Value};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Ids of statements don't grow longer: policies have a size limit of their own.
const MAX_ID: usize = 60;

/// Everything a policy grants: what the code needs, then what the platform does.
fn all(policy: &Policy, without_sam: bool) -> impl Iterator<Item = (Option<&str>, &Need)> {
    let platform = policy.platform.iter().filter(move |platform| !(without_sam && platform.added_by_sam));
    policy
        .statements
        .iter()
        .map(|need| (None, need))
        .chain(platform.map(|platform| (Some(platform.label.as_str()), &platform.need)))
}

/// An IAM policy document, `because` telling why each statement is there; its `Sid` says so as far as its letters go
/// (`SrcAppPy31`). Parts that only deployment knows stand as `${..}`, as in a template's `Fn::Sub`.
pub fn document(policy: &Policy, because: &dyn Fn(&Need) -> String) -> Json {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let statements: Vec<Json> = all(policy, false)
        .map(|(label, need)| {
            let why = label.map_or_else(|| because(need), |label| format!("for {label}"));
            let base = statement_id(&why);
            let mut id = base.clone();
            let mut count = 1;
            while !taken.insert(id.clone()) {
                count += 1;
                id = format!("{base}N{count}");
            }
            json!({
                "Sid": id,
                "Effect": "Allow",
                "Action": need.actions,
                "Resource": need.resources.iter().map(Value::to_string).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// A reason as a statement's id, which has letters and digits only.
fn statement_id(why: &str) -> String {
    let mut id = String::new();
    for word in why.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        let (first, rest) = word.split_at(1);
        if id.len() + word.len() > MAX_ID {
            break;
        }
        id.push_str(&first.to_ascii_uppercase());
        id.push_str(rest);
    }
    if id.is_empty() { "Statement".into() } else { id }
}

/// A `Policies:` property of a SAM function, `because` telling why each statement is there. Left out is what SAM adds by itself to a
/// role it generates; `whole` keeps it, for roles that the template writes.
pub fn sam(policy: &Policy, whole: bool, because: &dyn Fn(&Need) -> String) -> String {
    let mut text = String::from("Policies:\n");
    let mut any = false;
    for (label, need) in all(policy, !whole) {
        if !any {
            text.push_str("  - Version: \"2012-10-17\"\n    Statement:\n");
            any = true;
        }
        let why = label.map_or_else(|| because(need), str::to_string);
        let _ = writeln!(text, "      # {}", one_line(&why));
        text.push_str("      - Effect: Allow\n        Action:\n");
        for action in &need.actions {
            let _ = writeln!(text, "          - {action}");
        }
        text.push_str("        Resource:\n");
        for resource in &need.resources {
            let _ = writeln!(text, "          - {}", yaml(resource));
        }
    }
    if any { text } else { "Policies: []\n".into() }
}

/// Text that stays within a comment.
fn one_line(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

/// A value with the shortest intrinsic that says it.
fn yaml(value: &Value) -> String {
    match value.parts() {
        [Part::Ref(name) | Part::Parameter(name) | Part::Pseudo(name)] => format!("!Ref {name}"),
        [Part::Attribute(name, attribute)] => format!("!GetAtt {name}.{attribute}"),
        _ => {
            let holes = value.parts().iter().any(|part| !matches!(part, Part::Text(_)));
            let quoted = Json::from(value.to_string()).to_string();
            if holes { format!("!Sub {quoted}") } else { quoted }
        }
    }
}

/// An `aws_iam_policy_document` data block. What has an address in Terraform stands under it. Resources of a CloudFormation template
/// have none, so they become variables named after them, which are declared, too.
pub fn terraform(name: &str, policy: &Policy, because: &dyn Fn(&Need) -> String) -> String {
    let mut variables: Vec<(String, String)> = Vec::new();
    let mut data: Vec<&str> = Vec::new();
    let mut body = String::new();
    for (label, need) in all(policy, false) {
        let why = label.map_or_else(|| because(need), str::to_string);
        let quote = |text: &str| Json::from(text).to_string();
        let actions: Vec<String> = need.actions.iter().map(|action| quote(action)).collect();
        let resources: Vec<String> =
            need.resources.iter().map(|value| format!("\"{}\"", hcl(value, &mut variables, &mut data))).collect();
        let _ = write!(
            body,
            "\n  # {}\n  statement {{\n    actions   = [{}]\n    resources = [{}]\n  }}\n",
            one_line(&why),
            actions.join(", "),
            resources.join(", ")
        );
    }
    let mut text = String::new();
    for source in data {
        let _ = writeln!(text, "data \"{source}\" \"current\" {{}}");
    }
    for (variable, what) in &variables {
        let _ = write!(
            text,
            "variable \"{variable}\" {{\n  type        = string\n  description = {}\n}}\n",
            Json::from(what.as_str())
        );
    }
    let _ = writeln!(text, "data \"aws_iam_policy_document\" \"{}\" {{{body}}}", terraform_name(name));
    text
}

fn hcl(value: &Value, variables: &mut Vec<(String, String)>, data: &mut Vec<&'static str>) -> String {
    let mut text = String::new();
    let mut variable = |name: &str, what: String| {
        let name = identifier(name);
        if !variables.iter().any(|(known, _)| *known == name) {
            variables.push((name.clone(), what));
        }
        format!("${{var.{name}}}")
    };
    for part in value.parts() {
        if let Some(address) = address(part) {
            text.push_str(&address);
            continue;
        }
        match part {
            Part::Text(known) => {
                let escaped = Json::from(known.as_str()).to_string();
                let inner = escaped.get(1..escaped.len().saturating_sub(1)).unwrap_or_default();
                text.push_str(&inner.replace("${", "$${").replace("%{", "%%{"));
            }
            Part::Ref(name) => text.push_str(&variable(name, format!("what `{name}` is called"))),
            Part::Attribute(name, attribute) => {
                text.push_str(&variable(&format!("{name}_{attribute}"), format!("{attribute} of `{name}`")));
            }
            Part::Parameter(name) => text.push_str(&variable(name, format!("parameter `{name}`"))),
            Part::Pseudo(name) => {
                let (source, expression) = match name.as_str() {
                    "AWS::Partition" => ("aws_partition", "${data.aws_partition.current.partition}"),
                    "AWS::Region" => ("aws_region", "${data.aws_region.current.name}"),
                    "AWS::AccountId" => ("aws_caller_identity", "${data.aws_caller_identity.current.account_id}"),
                    other => {
                        let name = other.trim_start_matches("AWS::");
                        text.push_str(&variable(name, format!("what CloudFormation calls {other}")));
                        continue;
                    }
                };
                if !data.contains(&source) {
                    data.push(source);
                }
                text.push_str(expression);
            }
            Part::Unknown(_) => text.push('*'),
        }
    }
    text
}

/// The name a function's policy has in Terraform: the function's own, as people write it there.
pub fn terraform_name(function: &str) -> String {
    identifier(function.rsplit_once("aws_lambda_function.").map_or(function, |(_, name)| name))
}

/// A part of an application that is described in Terraform, as its own expression.
fn address(part: &Part) -> Option<String> {
    let (name, attribute) = match part {
        Part::Ref(name) => (name, None),
        Part::Attribute(name, attribute) => (name, Some(attribute.as_str())),
        _ => return None,
    };
    let (kind, rest) = name.split_once('.')?;
    // What stands in a module can't be addressed from outside of it.
    if !kind.starts_with("aws_") || rest.contains('.') {
        return None;
    }
    let attribute = match attribute {
        Some("StreamArn") => "stream_arn",
        Some(arn) if arn.ends_with("Arn") => "arn",
        Some(_) => return None,
        // CloudFormation's reference is the ARN of these.
        None if matches!(
            kind,
            "aws_sns_topic" | "aws_secretsmanager_secret" | "aws_iam_policy" | "aws_msk_cluster"
        ) =>
        {
            "arn"
        }
        None => "id",
    };
    Some(format!("${{{name}.{attribute}}}"))
}

/// `OrdersTable` as Terraform people write it: `orders_table`.
fn identifier(name: &str) -> String {
    let mut text = String::new();
    let mut lower = false;
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            if lower {
                text.push('_');
            }
            text.push(character.to_ascii_lowercase());
            lower = false;
        } else if character.is_ascii_alphanumeric() {
            text.push(character);
            lower = true;
        } else {
            if !text.ends_with('_') && !text.is_empty() {
                text.push('_');
            }
            lower = false;
        }
    }
    if text.is_empty() || text.starts_with(|first: char| first.is_ascii_digit()) { format!("f_{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        let mut index = Value::part(Part::Attribute("OrdersTable".into(), "Arn".into()));
        index.push(Part::Text("/index/*".into()));
        let mut topic = Value::text("arn:");
        topic.push(Part::Pseudo("AWS::Partition".into()));
        topic.push(Part::Text(":sns:::it's \"quoted\"".into()));
        let need = Need {
            actions: vec!["dynamodb:Query".into()],
            resources: vec![
                Value::part(Part::Attribute("OrdersTable".into(), "Arn".into())),
                index,
                topic,
                Value::text("*"),
            ],
            because: Vec::new(),
        };
        Policy { statements: vec![need], code_read: true, ..Policy::default() }
    }

    #[test]
    fn sam_uses_the_shortest_intrinsic() {
        let text = sam(&policy(), false, &|_| "src/app.py:3\nx: y".into());
        for line in [
            "      # src/app.py:3 x: y",
            "          - !GetAtt OrdersTable.Arn",
            "          - !Sub \"${OrdersTable.Arn}/index/*\"",
            "          - !Sub \"arn:${AWS::Partition}:sns:::it's \\\"quoted\\\"\"",
            "          - \"*\"",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert_eq!(sam(&Policy::default(), false, &|_| String::new()), "Policies: []\n");
    }

    #[test]
    fn a_statement_names_the_line_that_needs_it_in_its_id() {
        let mut two = policy();
        two.statements.push(two.statements[0].clone());
        let document = document(&two, &|_| "src/my-app.py:31, src/db.py:4".into());
        assert_eq!(document["Statement"][0]["Sid"], "SrcMyAppPy31SrcDbPy4");
        assert_eq!(document["Statement"][1]["Sid"], "SrcMyAppPy31SrcDbPy4N2");
    }

    #[test]
    fn what_terraform_describes_stands_under_its_address() {
        let value = Value::part(Part::Attribute("aws_dynamodb_table.orders".into(), "Arn".into()));
        let topic = Value::part(Part::Ref("aws_sns_topic.alarms".into()));
        let need = Need { actions: vec!["x:Y".into()], resources: vec![value, topic], because: Vec::new() };
        let policy = Policy { statements: vec![need], code_read: true, ..Policy::default() };
        let text = terraform("aws_lambda_function.show", &policy, &|_| "why".into());
        assert!(text.contains("[\"${aws_dynamodb_table.orders.arn}\", \"${aws_sns_topic.alarms.arn}\"]"), "{text}");
        assert!(text.contains("\"aws_iam_policy_document\" \"show\"") && !text.contains("variable"), "{text}");
    }

    #[test]
    fn terraform_declares_what_it_uses() {
        let text = terraform("GetOrder", &policy(), &|_| "why".into());
        for part in [
            "data \"aws_partition\" \"current\" {}",
            "variable \"orders_table_arn\"",
            "\"${var.orders_table_arn}/index/*\"",
            "data \"aws_iam_policy_document\" \"get_order\"",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }
}
