//! What an identity may do after all: its allowances action by action, less what is denied, within its boundary.

use crate::Pattern;
use crate::arn::canonical;
use crate::condition::{Context, Truth, holds};
use crate::document;
use crate::evaluate::names_action;
use crate::pattern::covers_any;
use graph::{Application, Effect, Identity, Statement, Value};

/// An identity with its boundary looked up, its resource patterns in a form that can be compared.
#[derive(Debug, Clone)]
pub struct Permissions {
    statements: Vec<Statement>,
    boundary: Option<Vec<Statement>>,
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
    /// The statement, as an index into [`Identity::statements`].
    pub statement: usize,
}

/// Whether and by which statements something may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ability {
    /// Surely, or under conditions.
    pub certain: bool,
    /// The statement that allows it, as an index into [`Identity::statements`].
    pub statement: usize,
}

impl Permissions {
    /// The permissions of an identity of an application.
    pub fn of(application: &Application, identity: &Identity) -> Self {
        let comparable = |statements: &[Statement]| -> Vec<Statement> {
            statements
                .iter()
                .map(|statement| Statement {
                    resources: statement.resources.iter().map(|value| canonical(application, value)).collect(),
                    ..statement.clone()
                })
                .collect()
        };
        let found = identity.boundary.as_ref().map(|boundary| boundary_statements(application, boundary));
        Self {
            statements: comparable(&identity.statements),
            boundary_unknown: matches!(found, Some(None)),
            boundary: found.flatten().map(|statements| comparable(&statements)),
        }
    }

    /// Whether some resource within `target` can be acted on.
    pub fn can(&self, action: &str, target: &Pattern, context: &Context) -> Option<Ability> {
        self.reaches(action, target, context, &|_| true)
    }

    /// Whether something within `target` can be acted on that isn't of the template.
    pub(crate) fn can_outside(&self, action: &str, target: &Pattern, context: &Context) -> bool {
        self.reaches(action, target, context, &|reached| !reached.has_name()).is_some()
    }

    fn reaches(
        &self,
        action: &str,
        target: &Pattern,
        context: &Context,
        counts: &dyn Fn(&Pattern) -> bool,
    ) -> Option<Ability> {
        let mut best: Option<Ability> = None;
        for (index, statement) in self.statements.iter().enumerate() {
            if statement.effect != Effect::Allow || !names_action(statement, action) {
                continue;
            }
            let condition = holds(statement.condition.as_ref(), context);
            if condition == Truth::No {
                continue;
            }
            for reached in reached(statement, target).into_iter().filter(counts) {
                let Some(certain) = self.survives(action, &reached, context) else { continue };
                let certain = certain && condition == Truth::Yes;
                if best.is_none_or(|best| certain && !best.certain) {
                    best = Some(Ability { certain, statement: index });
                }
            }
        }
        best
    }

    /// Whether an allowance on `reached` outlives denials and boundary; none where it doesn't.
    fn survives(&self, action: &str, reached: &Pattern, context: &Context) -> Option<bool> {
        let mut certain = !self.boundary_unknown;
        for rail in std::iter::once(&self.statements).chain(&self.boundary) {
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
        if let Some(boundary) = &self.boundary {
            let mut allowed = None;
            for statement in boundary {
                if statement.effect != Effect::Allow
                    || !names_action(statement, action)
                    || self::reached(statement, reached).is_empty()
                {
                    continue;
                }
                match holds(statement.condition.as_ref(), context) {
                    Truth::Yes => allowed = Some(true),
                    Truth::Unknown => allowed = allowed.or(Some(false)),
                    Truth::No => {}
                }
            }
            certain &= allowed?;
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

    /// Whether it allows something that another doesn't: an action with a resource that no statement of the other covers.
    pub(crate) fn beyond(&self, other: &Self) -> bool {
        let covered = |statement: &Statement| {
            other.statements.iter().filter(|own| own.effect == Effect::Allow).any(|own| {
                let patterns: Vec<Pattern> = own.actions.iter().map(|action| Pattern::action(action)).collect();
                let resources: Vec<Pattern> = own.resources.iter().map(Pattern::value).collect();
                own.not_actions == statement.not_actions
                    && own.not_resources == statement.not_resources
                    && statement.actions.iter().all(|action| covers_any(&patterns, &Pattern::action(action)))
                    && statement.resources.iter().all(|value| covers_any(&resources, &Pattern::value(value)))
            })
        };
        self.statements
            .iter()
            .filter(|statement| statement.effect == Effect::Allow)
            .any(|statement| !covered(statement))
    }

    /// Everything it may do, known action by known action. A wildcard becomes many grants.
    pub fn grants(&self) -> Vec<Grant> {
        let mut grants = Vec::new();
        for (index, statement) in self.statements.iter().enumerate().filter(|(_, found)| found.effect == Effect::Allow)
        {
            for action in expand(statement) {
                let context = Context::new();
                let open = Pattern::arn("*");
                let outlives: Vec<bool> = reached(statement, &open)
                    .iter()
                    .filter_map(|pattern| self.survives(action, pattern, &context))
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
