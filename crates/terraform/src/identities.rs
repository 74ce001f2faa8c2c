//! Policies and memberships that stand in resources of their own, joined to the roles, users and groups they are for.

use crate::datum::Datum;
use crate::lower::{Item, Lowering};
use crate::node::{append, node, plain, text_node};
use source::Span;

const KINDS: [(&str, &str); 3] = [("role", "AWS::IAM::Role"), ("user", "AWS::IAM::User"), ("group", "AWS::IAM::Group")];

impl Lowering {
    /// Attachments, memberships and boundaries.
    pub(crate) fn join_identities(&mut self) {
        for item in self.of_kind(&[
            "aws_iam_role_policy_attachment",
            "aws_iam_user_policy_attachment",
            "aws_iam_group_policy_attachment",
            "aws_iam_policy_attachment",
            "aws_iam_role_policy_attachments_exclusive",
            "aws_iam_user_policy_attachments_exclusive",
            "aws_iam_group_policy_attachments_exclusive",
        ]) {
            self.attach(&item);
        }
        for item in self.of_kind(&["aws_iam_group_membership", "aws_iam_user_group_membership"]) {
            let pairs: Vec<(Datum, Datum)> = {
                let list = |name: &str| item.body.get(name).map_or(&[][..], Datum::items);
                let (users, groups) = match item.kind.as_str() {
                    "aws_iam_group_membership" => (list("users"), list("group")),
                    _ => (list("user"), list("groups")),
                };
                users.iter().flat_map(|user| groups.iter().map(|group| (user.clone(), group.clone()))).collect()
            };
            for (user, group) in pairs {
                let group_node = match self.find(&group, "AWS::IAM::Group").and_then(|at| self.made.get(at)) {
                    Some(known) => reference(&known.name, group.span),
                    None => node(&group),
                };
                if let Some(user) = self.find(&user, "AWS::IAM::User")
                    && let Some(user) = self.made.get_mut(user)
                {
                    append(&mut user.properties, "Groups", item.head, group_node);
                }
            }
        }
    }

    fn attach(&mut self, item: &Item) {
        let (Some(policy), policies) = (
            item.body.field("policy_arn").or_else(|| item.body.field("policy_arns")),
            item.body.get("policy_arn").or_else(|| item.body.get("policy_arns")).map_or(&[][..], Datum::items),
        ) else {
            return;
        };
        let place = policy.key_span.to(policy.value.span);
        for (word, resource_type) in KINDS {
            let names = [word.to_string(), format!("{word}s"), format!("{word}_name")];
            for target in names.iter().filter_map(|name| item.body.get(name)).flat_map(Datum::items) {
                let Some(at) = self.find(target, resource_type) else { continue };
                for policy in policies {
                    let mut value = match self.find(policy, "AWS::IAM::ManagedPolicy").and_then(|at| self.made.get(at))
                    {
                        Some(known) => reference(&known.name, policy.span),
                        None => node(policy),
                    };
                    value.span = place;
                    if let Some(made) = self.made.get_mut(at) {
                        append(&mut made.properties, "ManagedPolicyArns", item.head, value);
                    }
                }
            }
        }
    }
}

/// `!Ref name`.
pub(crate) fn reference(name: &str, span: Span) -> source::Node {
    crate::node::mapping(vec![source::Entry { key: "Ref".into(), key_span: span, value: text_node(name, span) }], span)
}

/// A flag.
pub(crate) fn flag(value: bool, span: Span) -> source::Node {
    plain(if value { "true" } else { "false" }, span)
}
