//! What an identity may do after all: its allowances action by action, less what is denied, within its boundary.

use crate::Pattern;
use crate::arn::canonical;
use crate::condition::{Context, Truth, holds};
use crate::document;
use crate::evaluate::names_action;
use crate::pattern::covers_any;
use graph::{Application, Effect, Identity, IdentityKind, Part, Statement, Value};

/// An identity with its groups and its guard rails looked up, its resource patterns in a form that can be compared.
#[derive(Debug, Clone)]
pub struct Permissions {
    /// Its own statements, those of its groups behind them.
    statements: Vec<Statement>,
    /// What limits it, every one of which has to allow: boundary, session policy, service control policies.
    rails: Vec<Vec<Statement>>,
    /// Whether there is a boundary whose content isn't known; then everything is only perhaps.
    boundary_unknown: bool,
}

/// One action that an identity may perform.
#[derive(Debug, Clone, PartialEq)]
pub struct Grant {
    /// `service:Action`, spelled as AWS spells it.
    pub action: &'static str,
    /// On what, as ARN patterns; of `NotResource` where `except`.
    pub resources: Vec<Value>,
    /// Whether `resources` are those that are left out.
    pub except: bool,
    /// Whether it depends on a condition, or on a denial or boundary that can't be told.
    pub conditional: bool,
    /// The statement, as [`Permissions::statement`] has it: an index into [`Identity::statements`], those of groups behind them.
    pub statement: usize,
}

/// Whether and by which statements something may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ability {
    /// Surely, or under conditions.
    pub certain: bool,
    /// The statement that allows it, as [`Permissions::statement`] has it.
    pub statement: usize,
}

/// What some statement lets be acted on.
#[derive(Debug, Clone)]
pub(crate) struct Reached {
    /// What, the narrower of what was asked for and what is allowed.
    pub(crate) pattern: Pattern,
    /// How.
    pub(crate) ability: Ability,
}

impl Permissions {
    /// The permissions of an identity of an application.
    pub fn of(application: &Application, identity: &Identity) -> Self {
        let groups = identity.groups.iter().filter_map(|group| application.identity(group));
        let own = identity.statements.iter().chain(groups.flat_map(|group| &group.statements));
        let statements = own.filter_map(|statement| own_variables(application, identity, statement)).collect();
        let found = identity.boundary.as_ref().map(|boundary| boundary_statements(application, boundary));
        Self {
            statements,
            boundary_unknown: matches!(found, Some(None)),
            rails: found.flatten().map(|found| comparable(application, &found)).into_iter().collect(),
        }
    }

    /// The same within one more policy that has to allow: a session's, or a service control policy of the organisation.
    #[must_use]
    pub fn within(mut self, application: &Application, policy: &[Statement]) -> Self {
        self.rails.push(comparable(application, policy));
        self
    }

    /// The same as if it had no boundary; none where it has none.
    pub(crate) fn without_boundary(&self) -> Option<Self> {
        let bounded = self.boundary_unknown || !self.rails.is_empty();
        bounded.then(|| Self { statements: self.statements.clone(), rails: Vec::new(), boundary_unknown: false })
    }

    /// What it would be with every permission that its guard rails leave: what it can make of itself.
    pub(crate) fn at_most(&self) -> Self {
        let mut all =
            Self { statements: Vec::new(), rails: self.rails.clone(), boundary_unknown: self.boundary_unknown };
        match all.rails.pop() {
            Some(rail) => all.statements = rail,
            None => {
                let document = serde_json::json!({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}});
                all.statements = document::statements(&document);
            }
        }
        all.statements.extend(self.statements.iter().filter(|own| own.effect == Effect::Deny).cloned());
        all
    }

    /// A statement by the index that abilities and grants carry.
    pub fn statement(&self, index: usize) -> Option<&Statement> {
        self.statements.get(index)
    }

    /// Whether any allowance names an action, whatever it is on.
    pub(crate) fn names(&self, action: &str) -> bool {
        self.statements.iter().any(|own| own.effect == Effect::Allow && names_action(own, action))
    }

    /// Whether some resource within `target` can be acted on.
    pub fn can(&self, action: &str, target: &Pattern, context: &Context) -> Option<Ability> {
        let reached = self.reach(action, target, context);
        reached
            .iter()
            .map(|reached| reached.ability)
            .max_by_key(|ability| (ability.certain, usize::MAX - ability.statement))
    }

    /// Whether all of `target` is denied, whatever allows it.
    pub(crate) fn denies(&self, action: &str, target: &Pattern, context: &Context) -> bool {
        self.survives(action, target, context).is_none()
    }

    /// Everything within `target` that can be acted on.
    pub(crate) fn reach(&self, action: &str, target: &Pattern, context: &Context) -> Vec<Reached> {
        let mut all = Vec::new();
        for (index, statement) in self.statements.iter().enumerate() {
            if statement.effect != Effect::Allow || !names_action(statement, action) {
                continue;
            }
            let condition = holds(statement.condition.as_ref(), context);
            if condition == Truth::No {
                continue;
            }
            let mut patterns: Vec<(Pattern, bool)> =
                reached(statement, target).into_iter().map(|pattern| (pattern, condition == Truth::Yes)).collect();
            for rail in &self.rails {
                patterns = within_rail(rail, action, &patterns, context);
            }
            for (pattern, certain) in patterns {
                if let Some(outlives) = self.survives(action, &pattern, context) {
                    let ability = Ability { certain: certain && outlives, statement: index };
                    all.push(Reached { pattern, ability });
                }
            }
        }
        all
    }

    /// Whether an allowance on `reached` outlives denials; none where it doesn't.
    fn survives(&self, action: &str, reached: &Pattern, context: &Context) -> Option<bool> {
        let mut certain = !self.boundary_unknown;
        for rail in std::iter::once(&self.statements).chain(&self.rails) {
            for deny in
                rail.iter().filter(|statement| statement.effect == Effect::Deny && names_action(statement, action))
            {
                match (denies_all(deny, reached), holds(deny.condition.as_ref(), context)) {
                    (_, Truth::No) => {}
                    (true, Truth::Yes) => return None,
                    // A condition that can't be told may deny; a denial of a part leaves the rest.
                    (true, Truth::Unknown) => certain = false,
                    (false, _) => {}
                }
            }
        }
        Some(certain)
    }

    /// Whether it may do everything to everything.
    pub fn administrator(&self) -> Option<Ability> {
        // No single known action stands for all; one that nobody writes out does. Who may not write policies is no administrator.
        self.can("iam:CreatePolicyVersion", &Pattern::arn("*"), &Context::new())?;
        self.can("ringfence-any:Action", &Pattern::arn("*"), &Context::new()).filter(|ability| {
            self.statements.get(ability.statement).is_some_and(|statement| {
                !statement.not_actions
                    && !statement.not_resources
                    && statement.resources.iter().any(|value| Pattern::value(value).is_everything())
            })
        })
    }

    /// Whether it allows something that another doesn't: an action with a resource that no statement of the other covers. Logs, traces and
    /// the network that the platform itself needs don't count.
    pub(crate) fn beyond(&self, other: &Self) -> bool {
        let allowances = |side: &Self| -> Vec<(Vec<Pattern>, Vec<Pattern>, bool, bool)> {
            side.statements
                .iter()
                .filter(|own| own.effect == Effect::Allow)
                .map(|own| {
                    let actions = own.actions.iter().map(|action| Pattern::action(action)).collect();
                    let resources = own.resources.iter().map(Pattern::value).collect();
                    (actions, resources, own.not_actions, own.not_resources)
                })
                .collect()
        };
        let others = allowances(other);
        self.statements.iter().filter(|statement| statement.effect == Effect::Allow).any(|statement| {
            let resources: Vec<Pattern> = statement.resources.iter().map(Pattern::value).collect();
            let covered = |action: &str| {
                let action = Pattern::action(action);
                resources.iter().all(|resource| {
                    others.iter().any(|(actions, own, not_actions, not_resources)| {
                        *not_actions == statement.not_actions
                            && *not_resources == statement.not_resources
                            && covers_any(actions, &action)
                            && covers_any(own, resource)
                    })
                })
            };
            let alive = statement.not_actions
                || statement.actions.iter().any(|action| {
                    !of_platform(action)
                        && !covered(action)
                        && (action.contains('*') || !self.reach(action, &Pattern::arn("*"), &Context::new()).is_empty())
                });
            alive && !(statement.not_actions && others.iter().any(|(.., not_actions, _)| *not_actions))
        })
    }

    /// How much it allows, roughly: to tell the stronger of two, not to be told.
    pub(crate) fn breadth(&self) -> usize {
        let weight = |statement: &Statement| {
            let actions: usize = match statement.not_actions {
                true => 50,
                false => statement.actions.iter().map(|action| if action.ends_with('*') { 5 } else { 1 }).sum(),
            };
            let wide = statement.not_resources
                || statement.resources.iter().any(|value| Pattern::value(value).is_everything());
            actions * if wide { 3 } else { 1 }
        };
        let relevant = |statement: &&Statement| {
            statement.effect == Effect::Allow
                && (statement.not_actions || !statement.actions.iter().all(|action| of_platform(action)))
        };
        self.statements.iter().filter(relevant).map(weight).sum()
    }

    /// Everything it may do, known action by known action. A wildcard becomes many grants.
    pub fn grants(&self) -> Vec<Grant> {
        let mut grants = Vec::new();
        for (index, statement) in self.statements.iter().enumerate().filter(|(_, found)| found.effect == Effect::Allow)
        {
            for action in expand(statement) {
                let context = Context::new();
                let mut patterns: Vec<(Pattern, bool)> =
                    reached(statement, &Pattern::arn("*")).into_iter().map(|pattern| (pattern, true)).collect();
                for rail in &self.rails {
                    patterns = within_rail(rail, action, &patterns, &context);
                }
                let outlives: Vec<bool> = patterns
                    .iter()
                    .filter_map(|(pattern, certain)| Some(self.survives(action, pattern, &context)? && *certain))
                    .collect();
                if outlives.is_empty() {
                    continue;
                }
                grants.push(Grant {
                    action,
                    resources: statement.resources.clone(),
                    except: statement.not_resources,
                    conditional: statement.condition.is_some() || outlives.iter().any(|certain| !certain),
                    statement: index,
                });
            }
        }
        grants
    }
}

/// What a guard rail leaves of these patterns.
fn within_rail(
    rail: &[Statement],
    action: &str,
    patterns: &[(Pattern, bool)],
    context: &Context,
) -> Vec<(Pattern, bool)> {
    let mut left: Vec<(Pattern, bool)> = Vec::new();
    let allowances = rail.iter().filter(|found| found.effect == Effect::Allow && names_action(found, action));
    for statement in allowances {
        let condition = holds(statement.condition.as_ref(), context);
        if condition == Truth::No {
            continue;
        }
        for (pattern, certain) in patterns {
            let inside = reached(statement, pattern).into_iter();
            left.extend(inside.map(|inside| (inside, *certain && condition == Truth::Yes)));
        }
    }
    left
}

/// What every function needs to run at all, and what gives nobody anything.
fn of_platform(action: &str) -> bool {
    const SERVICES: [&str; 6] = ["logs:", "xray:", "cloudwatch:", "ec2messages:", "ssmmessages:", "tag:"];
    let action = action.to_ascii_lowercase();
    let reads = [
        "ec2:describe",
        "ec2:createnetworkinterface",
        "ec2:deletenetworkinterface",
        "ec2:assignprivate",
        "ec2:unassignprivate",
    ];
    SERVICES.iter().chain(&reads).any(|start| action.starts_with(start))
}

fn comparable(application: &Application, statements: &[Statement]) -> Vec<Statement> {
    statements
        .iter()
        .map(|statement| Statement {
            resources: statement.resources.iter().map(|value| canonical(application, value)).collect(),
            ..statement.clone()
        })
        .collect()
}

/// A statement as it holds for one identity: variables that are known of it filled in. None where it holds for others only.
fn own_variables(application: &Application, identity: &Identity, statement: &Statement) -> Option<Statement> {
    let mut resources = Vec::with_capacity(statement.resources.len());
    for value in &statement.resources {
        let value = canonical(application, value);
        if !value.parts().iter().any(|part| matches!(part, Part::Text(text) if text.contains("${"))) {
            resources.push(value);
            continue;
        }
        // A role has no user name, so that no resource is meant by one that holds it.
        if value.to_string().contains("${aws:username}") && identity.kind != IdentityKind::User {
            continue;
        }
        resources.push(filled(application, identity, &value));
    }
    if resources.is_empty() && !statement.resources.is_empty() {
        return None;
    }
    Some(Statement { resources, ..statement.clone() })
}

fn filled(application: &Application, identity: &Identity, value: &Value) -> Value {
    let mut result = Value::default();
    for part in value.parts() {
        let Part::Text(text) = part else {
            result.push(part.clone());
            continue;
        };
        let mut rest = text.as_str();
        while let Some((before, hole)) = rest.split_once("${") {
            result.push(Part::Text(before.to_string()));
            let Some((name, behind)) = hole.split_once('}') else {
                rest = "";
                break;
            };
            match name {
                "aws:username" => result.extend(canonical(application, &Value::part(Part::Ref(identity.name.clone())))),
                "aws:PrincipalAccount" | "aws:SourceAccount" => result.push(Part::Pseudo("AWS::AccountId".into())),
                "*" | "?" | "$" => result.push(Part::Text(name.to_string())),
                other => result.push(Part::Unknown(other.to_string())),
            }
            rest = behind;
        }
        result.push(Part::Text(rest.to_string()));
    }
    result
}

/// The effective permissions of an identity, known action by known action.
pub fn effective(application: &Application, identity: &Identity) -> Vec<Grant> {
    Permissions::of(application, identity).grants()
}

/// The known actions that a statement names.
pub(crate) fn expand(statement: &Statement) -> Vec<&'static str> {
    let mut actions: Vec<&'static str> = if statement.not_actions {
        facts::actions_matching("*").map(facts::Action::name).filter(|name| names_action(statement, name)).collect()
    } else {
        statement.actions.iter().flat_map(|pattern| facts::actions_matching(pattern)).map(facts::Action::name).collect()
    };
    actions.sort_unstable();
    actions.dedup();
    actions
}

/// The patterns of a statement's resources that overlap with a target, the narrower of the two where one holds the other.
fn reached(statement: &Statement, target: &Pattern) -> Vec<Pattern> {
    let patterns: Vec<Pattern> = statement.resources.iter().map(Pattern::value).collect();
    if statement.not_resources {
        return if covers_any(&patterns, target) { Vec::new() } else { vec![target.clone()] };
    }
    patterns
        .into_iter()
        .filter(|pattern| pattern.intersects(target))
        .map(|pattern| if pattern.covers(target) { target.clone() } else { pattern })
        .collect()
}

fn denies_all(deny: &Statement, reached: &Pattern) -> bool {
    let patterns: Vec<Pattern> = deny.resources.iter().map(Pattern::value).collect();
    match deny.not_resources {
        false => covers_any(&patterns, reached),
        true => !patterns.iter().any(|pattern| pattern.intersects(reached)),
    }
}

/// The statements of a boundary: an AWS managed policy, or one of the template.
fn boundary_statements(application: &Application, boundary: &Value) -> Option<Vec<Statement>> {
    if let Some(resource) = boundary.resource().and_then(|name| application.resource(name)) {
        return resource.property("PolicyDocument").map(document::statements);
    }
    let shown = canonical(application, boundary).to_string();
    let json: serde_json::Value = serde_json::from_str(&facts::managed_policy(&shown)?).ok()?;
    Some(document::statements(&json))
}
