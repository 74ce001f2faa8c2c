//! Which identities make themselves stronger, and which look as if they could and can't.

#![allow(clippy::unwrap_used)]

mod support;

use iam::{Reach, Situation, escalations};
use support::template;

/// `Weak` with these statements (JSON, comma separated), and whatever else stands in the template: rule and reach of each way up.
fn ways(statements: &str, rest: &str) -> Vec<String> {
    let text = format!(
        "{{\"Resources\": {{\"Weak\": {{\"Type\": \"AWS::IAM::Role\", \"Properties\": {{\
         \"AssumeRolePolicyDocument\": {{\"Statement\": [{{\"Effect\": \"Allow\", \"Principal\": {{\"Service\": \"lambda.amazonaws.com\"}}, \"Action\": \"sts:AssumeRole\"}}]}},\
         \"Policies\": [{{\"PolicyName\": \"p\", \"PolicyDocument\": {{\"Statement\": [{statements}]}}}}]}}}}{rest}}}}}"
    );
    let (application, _) = template(&text);
    told(&application, "Weak")
}

/// Rule and reach of each way up of one identity.
fn told(application: &graph::Application, name: &str) -> Vec<String> {
    let situation = Situation { today: Some((2026, 11, 24)), ..Situation::default() };
    escalations(application, &situation)
        .into_iter()
        .filter(|found| found.identity == name)
        .map(|found| {
            let rules: Vec<&str> = found.steps.iter().map(|step| step.rule).collect();
            let certain = found.steps.iter().all(|step| step.certain);
            let reach = match found.reach {
                Reach::Administrator => "administrator".to_string(),
                Reach::Identity(name) => name,
                Reach::Others => "others".to_string(),
                Reach::Boundary => "boundary".to_string(),
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
    for (action, resource, expected) in [
        // That a policy is one of somebody it can act as, nobody here says.
        ("iam:CreatePolicyVersion", "*", "administrator perhaps"),
        ("iam:SetDefaultPolicyVersion", "arn:aws:iam::*:policy/*", "administrator perhaps"),
        ("iam:AttachRolePolicy", "arn:aws:iam::123456789012:role/*", "administrator"),
        ("iam:PutRolePolicy", "*", "administrator"),
        ("iam:PutUserPolicy", "*", "administrator perhaps"),
        ("iam:UpdateAssumeRolePolicy", "*", "others"),
        ("iam:CreateAccessKey", "*", "others"),
        ("ssm:SendCommand", "*", "others"),
        ("cloudformation:UpdateStack", "*", "others"),
    ] {
        let found = ways(&allow(&format!("\"{action}\""), &format!("\"{resource}\"")), "");
        assert!(matches!(found.as_slice(), [one] if one.ends_with(&format!("-> {expected}"))), "{action}: {found:?}");
    }
}

#[test]
fn look_alikes_that_give_nothing() {
    for statements in [
        // The resource isn't of the type that the action is about.
        allow("\"iam:CreatePolicyVersion\"", "\"arn:aws:iam::*:group/x\""),
        allow("\"iam:PutUserPolicy\"", "\"arn:aws:iam::*:role/x\""),
        // Denied, in the same policy or by a wider pattern.
        allow("[\"iam:*\", \"lambda:*\"]", "\"*\"") + ", {\"Effect\": \"Deny\", \"Action\": [\"iam:*\", \"lambda:Update*\"], \"Resource\": \"*\"}",
        // Somebody else's user, whom it can't act as.
        allow("\"iam:PutUserPolicy\"", "\"arn:aws:iam::*:user/bob\""),
        // AWS's own policies have no versions that anyone writes.
        allow("\"iam:CreatePolicyVersion\"", "\"arn:aws:iam::aws:policy/fp-*\""),
        // A policy that gives little.
        "{\"Effect\": \"Allow\", \"Action\": \"iam:AttachRolePolicy\", \"Resource\": \"*\", \"Condition\": {\"ArnEquals\": {\"iam:PolicyARN\": \"arn:aws:iam::aws:policy/ReadOnlyAccess\"}}}".to_string(),
        // A second factor, which a function hasn't.
        "{\"Effect\": \"Allow\", \"Action\": \"iam:PutRolePolicy\", \"Resource\": \"*\", \"Condition\": {\"Bool\": {\"aws:MultiFactorAuthPresent\": \"true\"}}}".to_string(),
        // Long ago.
        "{\"Effect\": \"Allow\", \"Action\": \"iam:PutRolePolicy\", \"Resource\": \"*\", \"Condition\": {\"DateLessThan\": {\"aws:TokenIssueTime\": \"2020-01-01T00:00:01Z\"}}}".to_string(),
        // New roles, and only with a boundary.
        "{\"Effect\": \"Allow\", \"Action\": [\"iam:CreateRole\", \"iam:PutRolePolicy\"], \"Resource\": \"arn:aws:iam::*:role/app-*\", \"Condition\": {\"StringEquals\": {\"iam:PermissionsBoundary\": \"arn:aws:iam::123456789012:policy/limit\"}}}".to_string(),
        // Half of what it takes.
        allow("\"lambda:CreateFunction\"", "\"*\""),
        allow("\"iam:PassRole\"", "\"*\""),
        allow("[\"iam:PassRole\", \"ec2:DescribeInstances\"]", "\"*\""),
        // A condition that rules the service out.
        "{\"Effect\": \"Allow\", \"Action\": \"iam:PassRole\", \"Resource\": \"*\", \"Condition\": {\"StringEquals\": {\"iam:PassedToService\": \"glue.amazonaws.com\"}}}, ".to_string() + &allow("\"ec2:RunInstances\"", "\"*\""),
        // Its own keys.
        allow("\"iam:CreateAccessKey\"", "\"arn:aws:iam::*:user/${aws:username}\""),
        // All but what matters.
        "{\"Effect\": \"Allow\", \"NotAction\": [\"iam:*\", \"sts:*\", \"lambda:*\", \"glue:*\", \"ssm:*\", \"sagemaker:*\", \"ec2*\", \"cloudformation:*\", \"apprunner:*\", \"bedrock-agentcore:*\"], \"Resource\": \"*\"}".to_string(),
        allow("[\"iam:Get*\", \"iam:List*\", \"lambda:Get*\"]", "\"*\""),
    ] {
        assert_eq!(ways(&statements, ""), Vec::<String>::new(), "{statements}");
    }
}

#[test]
fn not_action_and_conditions_that_let_everyone_in_count() {
    let found = ways("{\"Effect\": \"Allow\", \"NotAction\": \"iam:DeleteUser\", \"Resource\": \"*\"}", "");
    assert!(found.iter().any(|way| way == "put-role-policy -> administrator"), "{found:?}");
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
    assert_eq!(ways(&make, &role("Other", "ec2.amazonaws.com", "s3:*")), ["pass-role-ec2 -> others perhaps"]);
}

#[test]
fn the_code_of_a_stronger_function_over_two_hops() {
    let rest = role("Middle", "lambda.amazonaws.com", "iam:CreatePolicyVersion") + &function("Tool", "Middle");
    let update = allow("\"lambda:UpdateFunctionCode\"", "{\"Fn::GetAtt\": [\"Tool\", \"Arn\"]}");
    let found = ways(&update, &rest);
    assert_eq!(
        found,
        ["update-function-code create-policy-version -> administrator perhaps", "update-function-code -> Middle"]
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
    assert!(escalations(&template(&text("s3:*")).0, &Situation::default()).is_empty());
    assert_eq!(escalations(&template(&text("iam:*")).0, &Situation::default()).len(), 1);
}

#[test]
fn an_administrator_has_nothing_to_gain() {
    assert!(ways(&allow("\"*\"", "\"*\""), "").is_empty());
}

/// Users, groups and roles of a template in YAML.
fn estate(text: &str) -> graph::Application {
    template(&format!("Resources:\n{text}")).0
}

#[test]
fn a_policy_version_is_worth_what_the_policy_is_attached_to() {
    let text = |resource: &str, attached: &str| {
        format!(
            r#"
  Own:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      ManagedPolicyName: team-own
      PolicyDocument:
        Statement: [{{Effect: Allow, Action: 'iam:CreatePolicyVersion', Resource: '{resource}'}}]
  Unused:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      ManagedPolicyName: unused-one
      PolicyDocument: {{Statement: [{{Effect: Allow, Action: 's3:GetObject', Resource: '*'}}]}}
  Ann:
    Type: AWS::IAM::User
    Properties: {{UserName: ann, ManagedPolicyArns: [!Ref Own{attached}]}}
"#
        )
    };
    let of = |resource: &str, attached: &str| told(&estate(&text(resource, attached)), "Ann");
    assert_eq!(of("arn:aws:iam::*:policy/team-*", ""), ["create-policy-version -> administrator"]);
    assert_eq!(of("*", ""), ["create-policy-version -> administrator"]);
    assert!(of("arn:aws:iam::*:policy/unused-*", "").is_empty());
    assert!(of("arn:aws:iam::aws:policy/team-*", "").is_empty());
    assert_eq!(of("arn:aws:iam::*:policy/unused-*", ", !Ref Unused"), ["create-policy-version -> administrator"]);
}

#[test]
fn users_have_what_their_groups_have() {
    let text = r#"
  Operators:
    Type: AWS::IAM::Group
    Properties:
      Policies: [{PolicyName: p, PolicyDocument: {Statement: [{Effect: Allow, Action: 'iam:PutGroupPolicy', Resource: '*'}]}}]
  Admins:
    Type: AWS::IAM::Group
    Properties:
      Policies: [{PolicyName: p, PolicyDocument: {Statement: [{Effect: Allow, Action: '*', Resource: '*'}]}}]
  Ann: {Type: AWS::IAM::User, Properties: {Groups: [!Ref Operators]}}
  Bob:
    Type: AWS::IAM::User
    Properties:
      Policies: [{PolicyName: p, PolicyDocument: {Statement: [{Effect: Allow, Action: 'iam:AddUserToGroup', Resource: !GetAtt Admins.Arn}]}}]
  Cid:
    Type: AWS::IAM::User
    Properties:
      Policies: [{PolicyName: p, PolicyDocument: {Statement: [{Effect: Allow, Action: 'iam:CreateAccessKey', Resource: !GetAtt Ann.Arn}]}}]
  Dan:
    Type: AWS::IAM::User
    Properties:
      Groups: [!Ref Operators]
      Policies: [{PolicyName: p, PolicyDocument: {Statement: [{Effect: Deny, Action: 'iam:*', Resource: '*'}]}}]
  Eve:
    Type: AWS::IAM::User
    Properties:
      Policies: [{PolicyName: p, PolicyDocument: {Statement: [{Effect: Allow, Action: ['iam:List*', 'iam:Get*'], Resource: '*'}]}}]
"#;
    let estate = estate(text);
    assert_eq!(told(&estate, "Ann"), ["put-group-policy -> administrator"]);
    assert_eq!(told(&estate, "Bob"), ["add-user-to-group -> administrator"]);
    assert_eq!(
        told(&estate, "Cid"),
        ["create-access-key put-group-policy -> administrator", "create-access-key -> Ann"]
    );
    assert!(told(&estate, "Dan").is_empty() && told(&estate, "Eve").is_empty());
}

/// Ann, who may do `action`, and a role that gives everything to whoever its trust lets in.
fn trusting(action: &str, trust: &str) -> Vec<String> {
    let text = format!(
        r#"
  Ann:
    Type: AWS::IAM::User
    Properties:
      UserName: ann
      Policies: [{{PolicyName: p, PolicyDocument: {{Statement: [{{Effect: Allow, Action: '{action}', Resource: '*'}}]}}}}]
  Middle:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {{Statement: [{{Effect: Allow, Action: 'sts:AssumeRole', {trust}}}]}}
  Top:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {{Statement: [{{Effect: Allow, Action: 'sts:AssumeRole', Principal: {{AWS: !GetAtt Middle.Arn}}}}]}}
      Policies: [{{PolicyName: p, PolicyDocument: {{Statement: [{{Effect: Allow, Action: '*', Resource: '*'}}]}}}}]
"#
    );
    told(&estate(&text), "Ann")
}

#[test]
fn trust_decides_who_assumes_what() {
    let up = ["assume-role assume-role -> administrator"];
    let perhaps = ["assume-role assume-role -> administrator perhaps"];
    // Who is named needs no permission; who is of the account needs one.
    assert_eq!(trusting("s3:ListAllMyBuckets", "Principal: {AWS: !GetAtt Ann.Arn}"), up);
    assert_eq!(trusting("s3:ListAllMyBuckets", "Principal: {AWS: 'arn:aws:iam::123456789012:user/ann'}"), up);
    assert_eq!(trusting("sts:AssumeRole", "Principal: {AWS: !Sub 'arn:aws:iam::${AWS::AccountId}:root'}"), up);
    assert!(trusting("sts:TagSession", "Principal: {AWS: !Sub 'arn:aws:iam::${AWS::AccountId}:root'}").is_empty());
    assert!(trusting("sts:AssumeRole", "Principal: {AWS: 'arn:aws:iam::123456789012:user/bob'}").is_empty());
    assert!(trusting("sts:AssumeRole", "Principal: {Service: ec2.amazonaws.com}").is_empty());
    let mfa = "Principal: {AWS: !GetAtt Ann.Arn}, Condition: {Bool: {'aws:MultiFactorAuthPresent': 'true'}}";
    assert_eq!(trusting("sts:AssumeRole", mfa), perhaps);
    let external = "Principal: {AWS: !GetAtt Ann.Arn}, Condition: {StringEquals: {'sts:ExternalId': 'x'}}";
    assert_eq!(trusting("sts:AssumeRole", external), perhaps);
    let other = "Principal: {AWS: '*'}, Condition: {ArnLike: {'aws:PrincipalArn': 'arn:aws:iam::*:role/ci-*'}}";
    assert!(trusting("sts:AssumeRole", other).is_empty());
}

#[test]
fn a_boundary_leaves_what_it_leaves() {
    let text = |boundary: &str, action: &str| {
        format!(
            r#"
  Limit:
    Type: AWS::IAM::ManagedPolicy
    Properties: {{PolicyDocument: {{Statement: [{{Effect: Allow, Action: [{boundary}], Resource: '*'}}]}}}}
  Ann:
    Type: AWS::IAM::User
    Properties:
      PermissionsBoundary: !Ref Limit
      Policies: [{{PolicyName: p, PolicyDocument: {{Statement: [{{Effect: Allow, Action: ['{action}'], Resource: '*'}}]}}}}]
"#
        )
    };
    let of = |boundary: &str, action: &str| told(&estate(&text(boundary, action)), "Ann");
    assert_eq!(of("'iam:PutUserPolicy', 's3:*'", "iam:PutUserPolicy"), ["put-user-policy -> boundary"]);
    assert!(of("'iam:PutUserPolicy'", "iam:PutUserPolicy").is_empty());
    assert_eq!(of("'*'", "iam:PutUserPolicy"), ["put-user-policy -> administrator"]);
    // Everything is allowed, and only the boundary stands in between.
    assert_eq!(of("'iam:DeleteUserPermissionsBoundary'", "*"), ["delete-user-boundary -> administrator"]);
}

#[test]
fn the_organisation_has_a_say() {
    let estate = estate(
        "  Ann:\n    Type: AWS::IAM::User\n    Properties:\n      Policies: [{PolicyName: p, PolicyDocument: {Statement: [{Effect: Allow, Action: 'iam:PutUserPolicy', Resource: '*'}]}}]\n",
    );
    let policy = |action: &str| {
        let document = serde_json::json!({"Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": action, "Resource": "*"},
        ]});
        Situation { service_control: vec![iam::document::statements(&document)], ..Situation::default() }
    };
    assert!(escalations(&estate, &policy("iam:Put*")).is_empty());
    assert_eq!(escalations(&estate, &policy("s3:*")).len(), 1);
}

#[test]
fn what_runs_in_the_template_is_known_by_its_role() {
    let text = |resource: &str| {
        format!(
            r#"
  Build:
    Type: AWS::CodeBuild::Project
    Properties: {{Name: release, ServiceRole: !GetAtt Deployer.Arn}}
  Deployer:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {{Statement: [{{Effect: Allow, Action: 'sts:AssumeRole', Principal: {{Service: codebuild.amazonaws.com}}}}]}}
      Policies: [{{PolicyName: p, PolicyDocument: {{Statement: [{{Effect: Allow, Action: '*', Resource: '*'}}]}}}}]
  Ann:
    Type: AWS::IAM::User
    Properties:
      Policies: [{{PolicyName: p, PolicyDocument: {{Statement: [{{Effect: Allow, Action: 'codebuild:StartBuild', Resource: '{resource}'}}]}}}}]
"#
        )
    };
    let of = |resource: &str| told(&estate(&text(resource)), "Ann");
    assert_eq!(of("arn:aws:codebuild:*:*:project/rel*"), ["start-build -> administrator"]);
    assert!(of("arn:aws:codebuild:*:*:project/docs").is_empty());
}
