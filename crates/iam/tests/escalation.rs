//! Which identities make themselves stronger, and which look as if they could and can't.

#![allow(clippy::unwrap_used)]

mod support;

use iam::{Reach, escalations};
use support::template;

/// `Weak` with these statements (JSON, comma separated), and whatever else stands in the template: rule and reach of each way up.
fn ways(statements: &str, rest: &str) -> Vec<String> {
    let text = format!(
        "{{\"Resources\": {{\"Weak\": {{\"Type\": \"AWS::IAM::Role\", \"Properties\": {{\
         \"AssumeRolePolicyDocument\": {{\"Statement\": [{{\"Effect\": \"Allow\", \"Principal\": {{\"Service\": \"lambda.amazonaws.com\"}}, \"Action\": \"sts:AssumeRole\"}}]}},\
         \"Policies\": [{{\"PolicyName\": \"p\", \"PolicyDocument\": {{\"Statement\": [{statements}]}}}}]}}}}{rest}}}}}"
    );
    let (application, _) = template(&text);
    escalations(&application)
        .into_iter()
        .filter(|found| found.identity == "Weak")
        .map(|found| {
            let rules: Vec<&str> = found.steps.iter().map(|step| step.rule).collect();
            let certain = found.steps.iter().all(|step| step.certain);
            let reach = match found.reach {
                Reach::Administrator => "administrator".to_string(),
                Reach::Identity(name) => name,
                Reach::Others => "others".to_string(),
            };
            format!("{} -> {reach}{}", rules.join(" "), if certain { "" } else { " perhaps" })
        })
        .collect()
}

/// A role that a service can be handed, with these statements.
fn role(name: &str, service: &str, action: &str) -> String {
    format!(
        ", \"{name}\": {{\"Type\": \"AWS::IAM::Role\", \"Properties\": {{\
         \"AssumeRolePolicyDocument\": {{\"Statement\": [{{\"Effect\": \"Allow\", \"Principal\": {{\"Service\": \"{service}\"}}, \"Action\": \"sts:AssumeRole\"}}]}},\
         \"Policies\": [{{\"PolicyName\": \"p\", \"PolicyDocument\": {{\"Statement\": [{{\"Effect\": \"Allow\", \"Action\": \"{action}\", \"Resource\": \"*\"}}]}}}}]}}}}"
    )
}

fn function(name: &str, role: &str) -> String {
    format!(
        ", \"{name}\": {{\"Type\": \"AWS::Lambda::Function\", \"Properties\": {{\"Runtime\": \"python3.12\", \"Handler\": \"a.b\", \
         \"Code\": {{\"S3Bucket\": \"b\", \"S3Key\": \"k\"}}, \"Role\": {{\"Fn::GetAtt\": [\"{role}\", \"Arn\"]}}}}}}"
    )
}

fn allow(action: &str, resource: &str) -> String {
    format!("{{\"Effect\": \"Allow\", \"Action\": {action}, \"Resource\": {resource}}}")
}

#[test]
fn single_actions_that_give_everything() {
    for (action, resource) in [
        ("iam:CreatePolicyVersion", "*"),
        ("iam:SetDefaultPolicyVersion", "arn:aws:iam::*:policy/*"),
        ("iam:AttachRolePolicy", "arn:aws:iam::123456789012:role/*"),
        ("iam:PutUserPolicy", "arn:aws:iam::*:user/bob"),
        ("iam:UpdateAssumeRolePolicy", "*"),
    ] {
        let found = ways(&allow(&format!("\"{action}\""), &format!("\"{resource}\"")), "");
        assert_eq!(found.len(), 1, "{action}: {found:?}");
        assert!(found[0].ends_with("-> administrator"), "{action}: {found:?}");
    }
    assert_eq!(ways(&allow("\"iam:CreateAccessKey\"", "\"*\""), ""), ["create-access-key -> others"]);
}

#[test]
fn look_alikes_that_give_nothing() {
    for statements in [
        // The resource isn't of the type that the action is about.
        allow("\"iam:CreatePolicyVersion\"", "\"arn:aws:iam::*:group/x\""),
        allow("\"iam:PutUserPolicy\"", "\"arn:aws:iam::*:role/x\""),
        // Denied, in the same policy or by a wider pattern.
        allow("\"*\"", "\"*\"") + ", {\"Effect\": \"Deny\", \"Action\": [\"iam:*\", \"sts:*\", \"lambda:*\", \"glue:*\", \"ssm:*\", \"sagemaker:*\", \"ec2*\", \"cloudformation:*\"], \"Resource\": \"*\"}",
        // Half of what it takes.
        allow("\"lambda:CreateFunction\"", "\"*\""),
        allow("\"iam:PassRole\"", "\"*\""),
        allow("[\"iam:PassRole\", \"ec2:DescribeInstances\"]", "\"*\""),
        // A condition that rules the service out.
        "{\"Effect\": \"Allow\", \"Action\": \"iam:PassRole\", \"Resource\": \"*\", \"Condition\": {\"StringEquals\": {\"iam:PassedToService\": \"glue.amazonaws.com\"}}}, ".to_string() + &allow("\"ec2:RunInstances\"", "\"*\""),
        // Its own keys.
        allow("\"iam:CreateAccessKey\"", "\"arn:aws:iam::*:user/${aws:username}\""),
        // All but what matters.
        "{\"Effect\": \"Allow\", \"NotAction\": [\"iam:*\", \"sts:*\", \"lambda:*\", \"glue:*\", \"ssm:*\", \"sagemaker:*\", \"ec2-instance-connect:*\", \"cloudformation:*\"], \"Resource\": \"*\"}".to_string(),
        allow("[\"iam:Get*\", \"iam:List*\", \"lambda:Get*\"]", "\"*\""),
    ] {
        assert_eq!(ways(&statements, ""), Vec::<String>::new(), "{statements}");
    }
}

#[test]
fn not_action_and_conditions_that_let_everyone_in_count() {
    let found = ways("{\"Effect\": \"Allow\", \"NotAction\": \"iam:DeleteUser\", \"Resource\": \"*\"}", "");
    assert!(found.iter().any(|way| way == "create-policy-version -> administrator"), "{found:?}");
    let condition = |cidr: &str| {
        format!(
            "{{\"Effect\": \"Allow\", \"Action\": \"iam:PutRolePolicy\", \"Resource\": \"*\", \"Condition\": {{\"IpAddress\": {{\"aws:SourceIp\": \"{cidr}\"}}}}}}"
        )
    };
    assert_eq!(ways(&condition("0.0.0.0/0"), ""), ["put-role-policy -> administrator"]);
    assert_eq!(ways(&condition("10.0.0.0/8"), ""), ["put-role-policy -> administrator perhaps"]);
}

#[test]
fn a_role_is_handed_only_to_a_service_it_trusts() {
    let make = allow("[\"iam:PassRole\", \"lambda:CreateFunction\", \"lambda:InvokeFunction\"]", "\"*\"");
    let found = ways(&make, &role("Admin", "lambda.amazonaws.com", "*"));
    assert!(found.contains(&"pass-role-lambda-invoke -> administrator".to_string()), "{found:?}");
    let found = ways(&make, &role("Admin", "ec2.amazonaws.com", "*"));
    assert!(!found.iter().any(|way| way.ends_with("administrator")), "{found:?}");
}

#[test]
fn a_role_outside_the_template_is_some_other() {
    let make = allow("\"iam:PassRole\"", "\"arn:aws:iam::123456789012:role/admin\"")
        + ", "
        + &allow("\"ec2:RunInstances\"", "\"*\"");
    assert_eq!(ways(&make, &role("Other", "ec2.amazonaws.com", "s3:*")), ["pass-role-ec2 -> others"]);
}

#[test]
fn the_code_of_a_stronger_function_over_two_hops() {
    let rest = role("Middle", "lambda.amazonaws.com", "iam:CreatePolicyVersion") + &function("Tool", "Middle");
    let update = allow("\"lambda:UpdateFunctionCode\"", "{\"Fn::GetAtt\": [\"Tool\", \"Arn\"]}");
    let found = ways(&update, &rest);
    assert_eq!(
        found,
        ["update-function-code -> Middle", "update-function-code create-policy-version -> administrator"]
    );
    // Another function's code gives nothing here.
    let other = allow("\"lambda:UpdateFunctionCode\"", "\"arn:aws:lambda:*:*:function:elsewhere\"");
    assert!(!ways(&other, &rest).iter().any(|way| way.contains("administrator")));
}

#[test]
fn a_boundary_takes_the_way_up_away() {
    let text = |boundary: &str| {
        format!(
            "Resources:\n  Limit:\n    Type: AWS::IAM::ManagedPolicy\n    Properties:\n      PolicyDocument:\n        Statement:\n          - {{Effect: Allow, Action: '{boundary}', Resource: '*'}}\n  Weak:\n    Type: AWS::IAM::Role\n    Properties:\n      PermissionsBoundary: !Ref Limit\n      AssumeRolePolicyDocument: {{Statement: [{{Effect: Allow, Principal: {{Service: lambda.amazonaws.com}}, Action: 'sts:AssumeRole'}}]}}\n      Policies:\n        - PolicyName: p\n          PolicyDocument: {{Statement: [{{Effect: Allow, Action: 'iam:CreatePolicyVersion', Resource: '*'}}]}}\n"
        )
    };
    assert!(escalations(&template(&text("s3:*")).0).is_empty());
    assert_eq!(escalations(&template(&text("iam:*")).0).len(), 1);
}

#[test]
fn an_administrator_has_nothing_to_gain() {
    assert!(ways(&allow("\"*\"", "\"*\""), "").is_empty());
}
