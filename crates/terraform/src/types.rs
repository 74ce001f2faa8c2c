//! Which CloudFormation type each of Terraform's is, and how its attributes are called there: one row for each.
//!
//! A rule is `from>To`: paths into the configuration and into the properties, `To` left out where it is `from` in the other
//! spelling. `from!` holds a document, `To[]` is a list however often its block is written, `>-` leaves an attribute out.
//! Attributes without a rule keep their name in the other spelling.

type Row = (&'static str, &'static str, &'static str);

const ROWS: &[Row] = &[
    // Identities.
    (
        "aws_iam_role",
        "AWS::IAM::Role",
        "name>RoleName assume_role_policy!>AssumeRolePolicyDocument managed_policy_arns>ManagedPolicyArns[] \
         inline_policy>Policies[] permissions_boundary>PermissionsBoundary",
    ),
    ("aws_iam_policy", "AWS::IAM::ManagedPolicy", "name>ManagedPolicyName policy!>PolicyDocument"),
    ("aws_iam_role_policy", "AWS::IAM::Policy", "name>PolicyName policy!>PolicyDocument role>Roles[]"),
    ("aws_iam_user_policy", "AWS::IAM::Policy", "name>PolicyName policy!>PolicyDocument user>Users[]"),
    ("aws_iam_group_policy", "AWS::IAM::Policy", "name>PolicyName policy!>PolicyDocument group>Groups[]"),
    ("aws_iam_user", "AWS::IAM::User", "name>UserName"),
    ("aws_iam_group", "AWS::IAM::Group", "name>GroupName"),
    ("aws_iam_instance_profile", "AWS::IAM::InstanceProfile", "name>InstanceProfileName role>Roles[]"),
];

/// Types that only say how others belong together.
const JOINED: &[&str] = &[
    "aws_iam_role_policy_attachment",
    "aws_iam_user_policy_attachment",
    "aws_iam_group_policy_attachment",
    "aws_iam_policy_attachment",
    "aws_iam_role_policy_attachments_exclusive",
    "aws_iam_user_policy_attachments_exclusive",
    "aws_iam_group_policy_attachments_exclusive",
    "aws_iam_role_policies_exclusive",
    "aws_iam_user_policies_exclusive",
    "aws_iam_group_policies_exclusive",
    "aws_iam_group_membership",
    "aws_iam_user_group_membership",
];

/// The CloudFormation type and the rules of a type; none where it is no resource by itself.
pub(crate) fn mapping(kind: &str) -> Option<(String, &'static str)> {
    if JOINED.contains(&kind) || !kind.starts_with("aws_") {
        return None;
    }
    match ROWS.iter().find(|(known, ..)| *known == kind) {
        Some((_, resource_type, rules)) => Some((resource_type.to_string(), rules)),
        None => Some((format!("Terraform::{kind}"), "")),
    }
}
