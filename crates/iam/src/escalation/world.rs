//! What is known of an application's identities: their permissions, what is known of their requests, and who has which policy.

use super::actor::Actor;
use super::rules::{Gain, RULES, Rule};
use super::{Reach, Situation, Step, permissions_of};
use crate::Pattern;
use crate::arn::{by_name, canonical};
use crate::condition::{CHOSEN, Context};
use crate::document;
use crate::effective::Permissions;
use graph::{Application, Effect, Identity, IdentityKind, Origin, Part, Resource, Statement, Value};
use source::Span;
use std::collections::{BTreeMap, BTreeSet};

/// Where one step leads.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Move {
    /// It acts as another identity.
    Become(String),
    /// It can give any permission to this identity.
    Empower(String),
    /// Everything.
    Administrator,
    /// Its boundary is gone.
    Unbound,
    /// Something that the template doesn't tell.
    Others,
}

/// A managed policy of the template.
pub(super) struct Policy<'a> {
    pub(super) name: &'a str,
    pub(super) attached: BTreeSet<&'a str>,
}

pub(super) struct World<'a> {
    pub(super) application: &'a Application,
    permissions: BTreeMap<&'a str, Permissions>,
    pub(super) policies: Vec<Policy<'a>>,
    /// ARNs of all identities.
    arns: BTreeMap<&'a str, Pattern>,
    now: Option<String>,
}

impl<'a> World<'a> {
    pub(super) fn new(application: &'a Application, situation: &Situation) -> Self {
        let now = situation.today.map(|(year, month, day)| format!("{year:04}-{month:02}-{day:02}T12:00:00Z"));
        let arns = application.identities.iter().map(|identity| {
            let name = Value::part(Part::Ref(identity.name.clone()));
            let arn = by_name("iam", kind_of(identity.kind), name).unwrap_or_else(|| Value::text("*"));
            (identity.name.as_str(), Pattern::value(&canonical(application, &arn)))
        });
        Self {
            application,
            permissions: permissions_of(application, situation),
            policies: policies(application),
            arns: arns.collect(),
            now,
        }
    }

    /// Whether any identity may do anything that a rule takes: most functions can't, and are done with.
    pub(super) fn anyone_may_act(&self) -> bool {
        self.permissions.values().any(|permissions| RULES.iter().any(|rule| named(permissions, rule)))
            // A trust that names somebody lets it in by itself.
            || self.application.identities.iter().any(|role| role.trusted.iter().any(|principal| {
                principal.resources().next().is_some() || principal.to_string().contains(":user/") || principal.to_string().contains("role/")
            }))
    }

    pub(super) fn permissions(&self, name: &str) -> Option<&Permissions> {
        self.permissions.get(name)
    }

    /// Rules in the order of the list: the plain ones first.
    pub(super) fn rank(&self, step: Option<&Step>) -> usize {
        step.and_then(|step| RULES.iter().position(|rule| rule.id == step.rule)).unwrap_or(usize::MAX)
    }

    /// What an identity has when it may give itself what it likes: all that its guard rails leave.
    pub(super) fn unleashed(&self, name: &str, own: &Permissions) -> Option<Reach> {
        let permissions = self.permissions(name)?;
        let most = permissions.at_most();
        let target = self.own_arn(name);
        let lifts = ["iam:DeleteRolePermissionsBoundary", "iam:DeleteUserPermissionsBoundary"];
        let lifts = || lifts.iter().any(|action| most.can(action, &target, &Context::new()).is_some());
        if most.administrator().is_some() || lifts() {
            return Some(Reach::Administrator);
        }
        most.beyond(own).then_some(Reach::Boundary)
    }

    /// What an identity has when its boundary is gone.
    pub(super) fn unbound(&self, name: &str, own: &Permissions) -> Option<Reach> {
        let free = self.permissions(name)?.without_boundary()?;
        if free.administrator().is_some() {
            return Some(Reach::Administrator);
        }
        free.beyond(own).then(|| Reach::Identity(name.to_string()))
    }

    /// Everything one identity can do in one step.
    pub(super) fn moves(&self, identity: &'a Identity, permissions: &Permissions) -> Vec<(Step, Move)> {
        let actor = Actor { world: self, identity, permissions, contexts: self.contexts(identity) };
        let mut found: Vec<(Step, Move)> = RULES
            .iter()
            .filter(|rule| rule.gain == Gain::Assume || named(permissions, rule))
            .flat_map(|rule| actor.apply(rule))
            .collect();
        found.dedup();
        found
    }

    pub(super) fn own_arn(&self, name: &str) -> Pattern {
        self.arns.get(name).cloned().unwrap_or_else(|| Pattern::arn("*"))
    }

    /// What a person calls something of the template: the name it is deployed under, where one is written.
    pub(super) fn called<'n>(&'n self, name: &'n str) -> &'n str {
        let identity = self.application.identity(name).map(|found| &found.deployed_name);
        let function = || self.application.function(name).map(|found| &found.deployed_name);
        let resource = || self.application.resource(name).map(|found| &found.deployed_name);
        let deployed = identity.or_else(function).or_else(resource).and_then(Option::as_ref).and_then(Value::as_text);
        deployed.filter(|name| !name.is_empty()).unwrap_or(name)
    }

    pub(super) fn pattern(&self, value: &Value) -> Pattern {
        Pattern::value(&canonical(self.application, value))
    }

    /// What is known of an identity's requests. A user's may come with a session or without.
    fn contexts(&self, identity: &Identity) -> Vec<Context> {
        let one = |value: &str| vec![value.to_string()];
        let mut context = Context::from([
            ("aws:securetransport".to_string(), one("true")),
            ("aws:viaawsservice".to_string(), one("false")),
            ("aws:principalisawsservice".to_string(), one("false")),
            ("aws:calledvia".to_string(), Vec::new()),
            ("aws:requestedregion".to_string(), one(CHOSEN)),
            ("aws:useragent".to_string(), one(CHOSEN)),
            ("aws:referer".to_string(), one(CHOSEN)),
            ("aws:requesttag/".to_string(), one(CHOSEN)),
            ("aws:tagkeys".to_string(), one(CHOSEN)),
            ("sts:rolesessionname".to_string(), one(CHOSEN)),
            ("iam:associatedresourcearn".to_string(), one(CHOSEN)),
        ]);
        if let Some(now) = &self.now {
            context.insert("aws:currenttime".into(), one(now));
            context.insert("aws:epochtime".into(), one(now));
        }
        let name = identity.deployed_name.as_ref().and_then(Value::as_text).unwrap_or("${Name}");
        let arn = format!("arn:aws:iam::${{AWS::AccountId}}:{}/{name}", kind_of(identity.kind));
        context.insert("aws:principalarn".into(), one(&arn));
        let session = |mut context: Context| {
            if let Some(now) = &self.now {
                context.insert("aws:tokenissuetime".into(), one(now));
            }
            context
        };
        if identity.kind == IdentityKind::Role {
            context.insert("aws:username".into(), Vec::new());
            context.insert("aws:principaltype".into(), one("AssumedRole"));
            // A service that assumes a role has no second factor to show.
            if !identity.trusted.is_empty()
                && identity.trusted.iter().all(|value| value.to_string().ends_with(".amazonaws.com"))
            {
                context.insert("aws:multifactorauthpresent".into(), Vec::new());
                context.insert("aws:multifactorauthage".into(), Vec::new());
            }
            return vec![session(context)];
        }
        if identity.deployed_name.is_some() {
            context.insert("aws:username".into(), one(name));
        }
        context.insert("aws:principaltype".into(), one("User"));
        let mut without = context.clone();
        without.insert("aws:tokenissuetime".into(), Vec::new());
        vec![session(context), without]
    }
}

/// Whether the identity's allowances name every action of a rule, wherever.
fn named(permissions: &Permissions, rule: &Rule) -> bool {
    rule.needs.iter().all(|action| permissions.names(action))
}

pub(super) fn kind_of(kind: IdentityKind) -> &'static str {
    match kind {
        IdentityKind::Role => "role",
        IdentityKind::User => "user",
        IdentityKind::Group => "group",
    }
}

/// What a statement says, in a form that can be compared wherever it was read from.
type Form = (bool, bool, Vec<String>, bool, Vec<String>, Option<String>);

fn form(application: &Application, statement: &Statement) -> Form {
    let mut resources: Vec<String> =
        statement.resources.iter().map(|value| canonical(application, value).to_string()).collect();
    let mut actions = statement.actions.clone();
    resources.sort();
    actions.sort();
    let condition = statement.condition.as_ref().map(ToString::to_string);
    (statement.effect == Effect::Allow, statement.not_actions, actions, statement.not_resources, resources, condition)
}

/// The managed policies of the template and who has them: told by their statements, which are those of their holders as well.
fn policies(application: &Application) -> Vec<Policy<'_>> {
    let managed: Vec<&Resource> =
        application.resources.iter().filter(|resource| resource.resource_type == "AWS::IAM::ManagedPolicy").collect();
    if managed.is_empty() {
        return Vec::new();
    }
    let inside = |policy: &Resource, span: Span| {
        span.file == policy.span.file && policy.span.start <= span.start && span.end <= policy.span.end
    };
    // By the place of a statement the policy it stands in; by what it says who has one that says so.
    let mut placed: BTreeMap<Span, Option<&str>> = BTreeMap::new();
    let mut holders: BTreeMap<Form, BTreeSet<&str>> = BTreeMap::new();
    let mut attached: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for identity in &application.identities {
        for statement in identity.statements.iter().filter(|statement| statement.origin == Origin::Inline) {
            let owner = placed.entry(statement.span).or_insert_with(|| {
                managed.iter().find(|policy| inside(policy, statement.span)).map(|policy| policy.name.as_str())
            });
            match owner {
                Some(policy) => {
                    attached.entry(policy).or_default().insert(&identity.name);
                }
                None => {
                    holders.entry(form(application, statement)).or_default().insert(&identity.name);
                }
            }
        }
    }
    managed
        .into_iter()
        .map(|policy| {
            let mut known = attached.remove(policy.name.as_str()).unwrap_or_default();
            if known.is_empty() && !holders.is_empty() {
                // Its document may be written elsewhere.
                let parsed = policy.property("PolicyDocument").map(|document| {
                    let text = document.as_str().and_then(|text| serde_json::from_str(text).ok());
                    document::statements(text.as_ref().unwrap_or(document))
                });
                let mut statements = parsed.iter().flatten();
                let of =
                    |statement: &Statement| holders.get(&form(application, statement)).cloned().unwrap_or_default();
                if let Some(first) = statements.next() {
                    known = statements.fold(of(first), |known, next| known.intersection(&of(next)).copied().collect());
                }
            }
            Policy { name: &policy.name, attached: known }
        })
        .collect()
}
