//! Roles, users, groups and what each of them may do.

#![allow(clippy::unwrap_used)]

mod support;

use graph::IdentityKind;
use support::{read, read_main, shown};

#[test]
fn a_policy_attached_to_role_and_user_is_both_of_theirs_with_its_own_place() {
    let read = read_main(
        r#"resource "aws_iam_policy" "edit" {
  name   = "edit"
  policy = jsonencode({
    Statement = [
      { Effect = "Allow", Action = "iam:PutUserPolicy", Resource = "*" },
    ]
  })
}
resource "aws_iam_role" "editor" {
  name = "editor"
  assume_role_policy = jsonencode({
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
  })
  permissions_boundary = "arn:aws:iam::123456789012:policy/limit"
}
resource "aws_iam_user" "ann" { name = "ann" }
resource "aws_iam_role_policy_attachment" "editor" {
  role       = aws_iam_role.editor.name
  policy_arn = aws_iam_policy.edit.arn
}
resource "aws_iam_user_policy_attachment" "ann" {
  user       = "ann"
  policy_arn = aws_iam_policy.edit.arn
}
"#,
    );
    for name in ["aws_iam_role.editor", "aws_iam_user.ann"] {
        assert_eq!(read.statements(name), ["Allow iam:PutUserPolicy on *"], "{name}");
        assert_eq!(read.place(read.identity(name).statements[0].span), "main.tf:5");
    }
    let role = read.identity("aws_iam_role.editor");
    assert_eq!(role.trust.iter().map(shown).collect::<Vec<_>>(), ["Allow sts:AssumeRole by ec2.amazonaws.com"]);
    assert_eq!(role.boundary.as_ref().unwrap().to_string(), "arn:aws:iam::123456789012:policy/limit");
    assert_eq!(role.deployed_name.as_ref().unwrap().to_string(), "editor");
    assert_eq!(read.identity("aws_iam_user.ann").kind, IdentityKind::User);
    assert_eq!(read.messages(), [] as [&str; 0]);
}

#[test]
fn members_of_a_group_are_known_from_either_side() {
    let read = read_main(
        r#"resource "aws_iam_group" "admins" { name = "admins" }
resource "aws_iam_group" "readers" { name = "readers" }
resource "aws_iam_user" "ann" { name = "ann" }
resource "aws_iam_user" "bob" { name = "bob" }
resource "aws_iam_group_membership" "admins" {
  name  = "admins"
  users = [aws_iam_user.ann.name, "bob"]
  group = aws_iam_group.admins.name
}
resource "aws_iam_user_group_membership" "bob" {
  user   = aws_iam_user.bob.name
  groups = [aws_iam_group.readers.name]
}
resource "aws_iam_group_policy" "admins" {
  group  = aws_iam_group.admins.name
  policy = <<-EOT
    {
      "Statement": [{
        "Effect": "Allow",
        "Action": "s3:*",
        "Resource": "*"
      }]
    }
  EOT
}
resource "aws_iam_group_policy_attachment" "readers" {
  group      = aws_iam_group.readers.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess"
}
"#,
    );
    assert_eq!(read.identity("aws_iam_user.ann").groups, ["aws_iam_group.admins"]);
    assert_eq!(read.identity("aws_iam_user.bob").groups, ["aws_iam_group.admins", "aws_iam_group.readers"]);
    assert_eq!(read.statements("aws_iam_group.admins"), ["Allow s3:* on *"]);
    assert_eq!(read.place(read.identity("aws_iam_group.admins").statements[0].span), "main.tf:18");
    assert!(read.statements("aws_iam_group.readers")[0].contains("sqs:ListQueues"));
}

#[test]
fn policy_documents_build_on_each_other_and_keep_conditions_and_principals() {
    let read = read_main(
        r#"data "aws_iam_policy_document" "base" {
  statement {
    sid       = "Read"
    actions   = ["dynamodb:GetItem"]
    resources = [aws_dynamodb_table.orders.arn]
  }
  statement {
    sid       = "Own"
    actions   = ["s3:GetObject"]
    resources = ["arn:aws:s3:::home/&{aws:username}/*"]
  }
}
data "aws_iam_policy_document" "all" {
  source_policy_documents = [data.aws_iam_policy_document.base.json]
  override_policy_documents = [jsonencode({
    Statement = [{ Sid = "Read", Effect = "Deny", Action = "dynamodb:*", Resource = "*" }]
  })]
  statement {
    not_actions   = ["iam:*"]
    not_resources = ["${aws_dynamodb_table.orders.arn}/index/*"]
    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = ["eu-west-1"]
    }
  }
}
data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::${data.aws_caller_identity.current.account_id}:root"]
    }
  }
}
data "aws_caller_identity" "current" {}
resource "aws_dynamodb_table" "orders" { name = "orders" }
resource "aws_iam_role" "r" {
  assume_role_policy = data.aws_iam_policy_document.trust.json
  inline_policy {
    name   = "all"
    policy = data.aws_iam_policy_document.all.json
  }
}
"#,
    );
    assert_eq!(
        read.statements("aws_iam_role.r"),
        [
            "Deny dynamodb:* on *",
            "Allow s3:GetObject on arn:aws:s3:::home/${aws:username}/*",
            "Allow iam:* on ${aws_dynamodb_table.orders.Arn}/index/* if {\"StringEquals\":{\"aws:RequestedRegion\":[\"eu-west-1\"]}}",
        ]
    );
    let role = read.identity("aws_iam_role.r");
    assert!(role.statements[2].not_actions && role.statements[2].not_resources);
    assert_eq!(role.trusted[0].to_string(), "arn:aws:iam::${AWS::AccountId}:root");
    assert_eq!(read.place(role.statements[1].span), "main.tf:7");
}

#[test]
fn attachments_in_loops_reach_every_role() {
    let read = read_main(
        r#"variable "teams" { default = ["red", "blue"] }
locals { policies = { logs = "CloudWatchLogsReadOnlyAccess", none = null } }
resource "aws_iam_role" "team" {
  for_each           = toset(var.teams)
  name               = "team-${each.key}"
  assume_role_policy = jsonencode({ Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = "*" }] })
}
resource "aws_iam_role_policy_attachment" "logs" {
  for_each   = aws_iam_role.team
  role       = each.value.name
  policy_arn = "arn:aws:iam::aws:policy/${local.policies["logs"]}"
}
resource "aws_iam_role_policy" "own" {
  count  = length(var.teams)
  role   = aws_iam_role.team[var.teams[count.index]].id
  policy = jsonencode({ Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = format("arn:aws:s3:::%s/*", var.teams[count.index]) }] })
}
"#,
    );
    let statements = read.statements("aws_iam_role.team[\"blue\"]");
    assert!(statements.iter().any(|text| text.starts_with("Allow logs:")), "{statements:?}");
    assert!(statements.contains(&"Allow s3:GetObject on arn:aws:s3:::blue/*".to_string()), "{statements:?}");
    assert_eq!(read.identity("aws_iam_role.team[\"red\"]").deployed_name.as_ref().unwrap().to_string(), "team-red");
}

#[test]
fn a_policy_that_is_not_here_is_listed_and_not_guessed() {
    let read = read_main(
        r#"variable "policy_arn" {}
resource "aws_iam_role" "r" { assume_role_policy = "{}" }
resource "aws_iam_role_policy_attachment" "given" {
  role       = aws_iam_role.r.name
  policy_arn = var.policy_arn
}
resource "aws_iam_policy_attachment" "own" {
  name       = "own"
  roles      = [aws_iam_role.r.name]
  policy_arn = "arn:aws:iam::123456789012:policy/ours"
}
"#,
    );
    let role = read.identity("aws_iam_role.r");
    let shown: Vec<String> = role.unresolved_policies.iter().map(|policy| policy.value.to_string()).collect();
    assert_eq!(shown, ["${policy_arn}", "arn:aws:iam::123456789012:policy/ours"]);
    assert_eq!(read.place(role.unresolved_policies[1].span), "main.tf:10");
}

#[test]
fn policies_come_out_of_files_and_templates_with_the_place_they_have_there() {
    let read = read(
        "infra",
        &[
            (
                "infra/main.tf",
                r#"resource "aws_s3_bucket" "b" { bucket = "b" }
resource "aws_iam_role" "r" { assume_role_policy = file("${path.module}/trust.json") }
resource "aws_iam_role_policy" "p" {
  role   = aws_iam_role.r.id
  policy = templatefile("${path.module}/policy.json.tftpl", { bucket = aws_s3_bucket.b.arn, actions = ["s3:GetObject", "s3:PutObject"] })
}
"#,
            ),
            (
                "infra/trust.json",
                "{\"Statement\": [{\"Effect\": \"Allow\", \"Action\": \"sts:AssumeRole\",\n\"Principal\": {\"Service\": \"lambda.amazonaws.com\"}}]}",
            ),
            (
                "infra/policy.json.tftpl",
                "{\n\"Statement\": [\n{\"Effect\": \"Allow\",\n\"Action\": ${jsonencode(actions)},\n\"Resource\": \"${bucket}/*\"}\n]}",
            ),
        ],
    );
    assert_eq!(read.statements("aws_iam_role.r"), ["Allow s3:GetObject s3:PutObject on ${aws_s3_bucket.b.Arn}/*"]);
    let role = read.identity("aws_iam_role.r");
    assert_eq!(read.place(role.statements[0].span), "infra/policy.json.tftpl:3");
    assert_eq!(role.trusted[0].to_string(), "lambda.amazonaws.com");
}
