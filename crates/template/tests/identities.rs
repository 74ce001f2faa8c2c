//! Users, groups and policies that stand apart.

#![allow(clippy::unwrap_used)]

mod common;

use common::read;
use graph::IdentityKind;

#[test]
fn an_application_may_be_nothing_but_identities() {
    let read = read(
        r#"
Resources:
  Alice:
    Type: AWS::IAM::User
    Properties:
      UserName: alice
      Groups: [!Ref Developers, ops]
      PermissionsBoundary: arn:aws:iam::aws:policy/PowerUserAccess
      Policies:
        - PolicyName: own
          PolicyDocument: { Statement: { Effect: Allow, Action: iam:PassRole, Resource: "*" } }
  Bob: { Type: AWS::IAM::User, Properties: { UserName: bob } }
  Developers:
    Type: AWS::IAM::Group
    Properties: { ManagedPolicyArns: [!Sub "arn:aws:iam::${AWS::AccountId}:policy/deploy"] }
  Added: { Type: AWS::IAM::UserToGroupAddition, Properties: { GroupName: !Ref Developers, Users: [bob, !Ref Alice] } }
  Deploy:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      ManagedPolicyName: deploy
      Users: [bob]
      Roles: [!Ref Admin]
      PolicyDocument: { Statement: [{ Effect: Allow, Action: lambda:UpdateFunctionCode, Resource: "*" }] }
  Extra:
    Type: AWS::IAM::UserPolicy
    Properties:
      UserName: bob
      PolicyName: extra
      PolicyDocument: { Statement: { Effect: Deny, Action: s3:*, Resource: "*" } }
  Shared:
    Type: AWS::IAM::GroupPolicy
    Properties:
      GroupName: !Ref Developers
      PolicyName: shared
      PolicyDocument: { Statement: { Effect: Allow, Action: sts:AssumeRole, Resource: !GetAtt Admin.Arn } }
  Admin:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement:
          - Effect: Allow
            Principal: { AWS: !GetAtt Bob.Arn }
            Action: sts:AssumeRole
            Condition: { Bool: { aws:MultiFactorAuthPresent: true } }
      ManagedPolicyArns: [arn:aws:iam::aws:policy/AdministratorAccess]
  Profile: { Type: AWS::IAM::InstanceProfile, Properties: { Roles: [!Ref Admin] } }
"#,
    );
    assert_eq!(read.complaints(), Vec::<String>::new());
    let alice = read.identity("Alice");
    assert_eq!(alice.kind, IdentityKind::User);
    assert_eq!(alice.groups, ["Developers", "ops"]);
    assert_eq!(alice.boundary.as_ref().unwrap().to_string(), "arn:aws:iam::aws:policy/PowerUserAccess");
    assert_eq!(read.grants("Alice"), ["Allow iam:PassRole on *"]);
    assert_eq!(read.identity("Bob").groups, ["Developers"]);
    assert_eq!(read.grants("Bob"), ["Allow lambda:UpdateFunctionCode on *", "Deny s3:* on *"]);
    assert_eq!(read.identity("Developers").kind, IdentityKind::Group);
    assert_eq!(
        read.grants("Developers"),
        ["Allow lambda:UpdateFunctionCode on *", "Allow sts:AssumeRole on ${Admin.Arn}"]
    );
    assert_eq!(read.grants("Admin"), ["Allow * on *", "Allow lambda:UpdateFunctionCode on *"]);
    assert!(read.identity("Admin").trust[0].condition.is_some());
    assert!(read.application().resource("Profile").is_some());
}

#[test]
fn what_lets_others_use_a_layer_is_a_statement() {
    let read = read(
        r#"
Resources:
  Common: { Type: AWS::Lambda::LayerVersion, Properties: { Content: ./layer } }
  Everyone:
    Type: AWS::Lambda::LayerVersionPermission
    Properties: { Action: lambda:GetLayerVersion, LayerVersionArn: !Ref Common, Principal: "*" }
"#,
    );
    let policy = &read.application().resource("Everyone").unwrap().policy;
    assert_eq!(policy[0].principals[0].to_string(), "*");
    assert_eq!(policy[0].resources[0].to_string(), "${Common}");
}
