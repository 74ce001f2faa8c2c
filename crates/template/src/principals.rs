//! Users and groups beside roles, and policies that stand in resources of their own and name whom they are for.

use crate::model::Template;
use crate::policy::{PolicyKind, statements};
use crate::reader::Reader;
use graph::{Identity, IdentityKind, Origin, Statement, Value};
use source::Node;

/// The resource type of a kind of identity, the property with its name, and what stands before the name in an ARN.
fn described(kind: IdentityKind) -> (&'static str, &'static str, &'static str) {
    match kind {
        IdentityKind::Role => ("AWS::IAM::Role", "RoleName", ":role/"),
        IdentityKind::User => ("AWS::IAM::User", "UserName", ":user/"),
        IdentityKind::Group => ("AWS::IAM::Group", "GroupName", ":group/"),
    }
}

impl Reader<'_, '_> {
    /// Reads users and groups, with who is in which.
    pub(crate) fn read_principals(&mut self, template: &Template) {
        // Groups first: users name them.
        for kind in [IdentityKind::Group, IdentityKind::User] {
            let (resource_type, name, _) = described(kind);
            for block in template.of_type(resource_type) {
                let mut identity = Identity {
                    name: block.name.clone(),
                    kind,
                    deployed_name: block.get(name).map(|name| template.value(name)),
                    groups: Vec::new(),
                    span: block.span,
                    generated: false,
                    statements: Vec::new(),
                    trusted: Vec::new(),
                    trust: Vec::new(),
                    boundary: block.get("PermissionsBoundary").map(|boundary| template.value(boundary)),
                    unresolved_policies: Vec::new(),
                };
                let groups = block.get("Groups").filter(|_| kind == IdentityKind::User);
                identity.groups = self.group_names(template, groups);
                self.read_own_policies(template, block, &mut identity);
                self.application.identities.push(identity);
            }
        }
        for block in template.of_type("AWS::IAM::UserToGroupAddition") {
            let groups = self.group_names(template, block.get("GroupName"));
            for user in block.get("Users").map(|users| template.values(users)).unwrap_or_default() {
                let Some(name) = self.identity_named(template, &user.value, IdentityKind::User) else { continue };
                if let Some(user) = self.application.identities.iter_mut().find(|identity| identity.name == name) {
                    let new: Vec<String> =
                        groups.iter().filter(|group| !user.groups.contains(group)).cloned().collect();
                    user.groups.extend(new);
                }
            }
        }
    }

    /// The groups that a node names: by logical id where they are of the template, else as written.
    fn group_names(&self, template: &Template, node: Option<&Node>) -> Vec<String> {
        let groups = node.map(|node| template.values(node)).unwrap_or_default();
        groups
            .iter()
            .map(|group| {
                self.identity_named(template, &group.value, IdentityKind::Group)
                    .unwrap_or_else(|| group.value.to_string())
            })
            .collect()
    }

    /// The identity of a kind that a value names: by reference, inside an ARN, or by its deployed name.
    pub(crate) fn identity_named(&self, template: &Template, value: &Value, kind: IdentityKind) -> Option<String> {
        let known = |name: &str| {
            self.application.identities.iter().any(|identity| identity.name == name && identity.kind == kind)
        };
        if let Some(name) = value.resources().find(|name| known(name)) {
            return Some(name.to_string());
        }
        let (resource_type, property, infix) = described(kind);
        let shown = value.to_string();
        let name = match shown.find(infix) {
            Some(at) => shown.get(at..)?.rsplit('/').next().unwrap_or(&shown),
            None => shown.as_str(),
        };
        template
            .of_type(resource_type)
            .find(|block| block.get(property).is_some_and(|own| template.value(own).to_string() == name))
            .map(|block| block.name.clone())
    }

    /// Attaches policies that name whom they are for.
    pub(crate) fn attach_policies(&mut self, template: &Template) {
        use IdentityKind::{Group, Role, User};
        for block in &template.blocks {
            let targets: &[(&str, IdentityKind)] = match block.resource_type.as_str() {
                "AWS::IAM::Policy" | "AWS::IAM::ManagedPolicy" => {
                    &[("Roles", Role), ("Users", User), ("Groups", Group)]
                }
                "AWS::IAM::RolePolicy" => &[("RoleName", Role)],
                "AWS::IAM::UserPolicy" => &[("UserName", User)],
                "AWS::IAM::GroupPolicy" => &[("GroupName", Group)],
                _ => continue,
            };
            let Some(document) = block.get("PolicyDocument") else { continue };
            let found = statements(template, document, PolicyKind::Identity, &Origin::Inline, self.diagnostics);
            for (property, kind) in targets {
                for target in block.get(property).map(|targets| template.values(targets)).unwrap_or_default() {
                    let Some(name) = self.identity_named(template, &target.value, *kind) else { continue };
                    let Some(identity) = self.application.identities.iter_mut().find(|identity| identity.name == name)
                    else {
                        continue;
                    };
                    // A policy may be attached from both sides.
                    let new: Vec<Statement> =
                        found.iter().filter(|statement| !identity.statements.contains(statement)).cloned().collect();
                    identity.statements.extend(new);
                }
            }
        }
    }
}
