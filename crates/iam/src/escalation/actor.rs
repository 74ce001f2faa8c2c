//! The rules, applied to one identity: what it needs, what of the template it reaches with that, and what it becomes.

use super::Step;
use super::rules::{EVERYDAY, Gain, Rule};
use super::trust::trusts_service;
use super::world::{Move, World, kind_of};
use crate::Pattern;
use crate::arn::{all_of, by_name, canonical};
use crate::condition::{CHOSEN, Context};
use crate::document;
use crate::effective::{Ability, Permissions, Reached};
use graph::{Application, Effect, Identity, IdentityKind, Part, Resource, Value};
use source::Span;
use std::collections::BTreeSet;

/// An identity that acts.
pub(super) struct Actor<'w, 'a> {
    pub(super) world: &'w World<'a>,
    pub(super) identity: &'a Identity,
    pub(super) permissions: &'w Permissions,
    pub(super) contexts: Vec<Context>,
}

/// How sure, and by what.
#[derive(Debug, Clone)]
struct Support {
    certain: bool,
    because: Vec<Span>,
}

impl Actor<'_, '_> {
    pub(super) fn application(&self) -> &Application {
        self.world.application
    }

    /// What an action reaches within a target, with more known of the request.
    fn reach(&self, action: &str, target: &Pattern, more: &[(&str, Vec<String>)]) -> Vec<Reached> {
        let mut best: Vec<Reached> = Vec::new();
        for context in &self.contexts {
            let mut context = context.clone();
            context.extend(more.iter().map(|(key, values)| ((*key).to_string(), values.clone())));
            best.extend(self.permissions.reach(action, target, &context));
        }
        best.sort_by_key(|reached| !reached.ability.certain);
        best
    }

    fn can(&self, action: &str, target: &Pattern, more: &[(&str, Vec<String>)]) -> Option<Ability> {
        self.reach(action, target, more).first().map(|reached| reached.ability)
    }

    fn span(&self, ability: Ability) -> Option<Span> {
        self.permissions.statement(ability.statement).map(|statement| statement.span)
    }

    /// Whether the actions behind a rule's first may be done on anything of their kind.
    fn support(&self, rule: &Rule) -> Option<Support> {
        let mut support = Support { certain: true, because: Vec::new() };
        for action in rule.needs.iter().skip(1) {
            let prefix = action.split(':').next().unwrap_or_default();
            let mut targets: Vec<Pattern> = facts::action(action)
                .into_iter()
                .flat_map(facts::Action::resource_types)
                .map(|kind| self.world.pattern(&all_of(prefix, kind.name)))
                .collect();
            if targets.is_empty() {
                targets.push(Pattern::arn("*"));
            }
            let ability = targets
                .iter()
                .filter_map(|target| self.can(action, target, &[]))
                .max_by_key(|ability| ability.certain)?;
            support.certain &= ability.certain;
            support.because.extend(self.span(ability));
        }
        Some(support)
    }

    fn step(
        &self,
        rule: &'static Rule,
        support: &Support,
        ability: Option<Ability>,
        words: String,
        node: Option<&str>,
    ) -> Step {
        let mut because: Vec<Span> =
            ability.and_then(|ability| self.span(ability)).into_iter().chain(support.because.iter().copied()).collect();
        let first = because.first().copied();
        because.sort();
        because.dedup();
        // The statement on the target goes first.
        because.sort_by_key(|span| Some(*span) != first);
        Step {
            identity: self.identity.name.clone(),
            rule: rule.id,
            words,
            node: node.map(str::to_string),
            actions: rule.needs.to_vec(),
            source: rule.source,
            because,
            certain: support.certain && ability.is_none_or(|ability| ability.certain),
        }
    }

    /// What an action reaches outside the template: everything of a kind, surely, or something of a name that nothing here has.
    fn outside<'n>(
        &self,
        reached: &[Reached],
        class: &Pattern,
        known: impl Iterator<Item = Pattern> + 'n,
    ) -> Option<(Ability, bool)> {
        if let Some(wide) = reached.iter().find(|reached| reached.pattern.covers(class)) {
            return Some((wide.ability, true));
        }
        let known: Vec<Pattern> = known.collect();
        reached
            .iter()
            .find(|reached| !reached.pattern.has_name() && !known.iter().any(|own| own.intersects(&reached.pattern)))
            .map(|reached| (Ability { certain: false, ..reached.ability }, false))
    }

    /// What a rule gives.
    pub(super) fn apply(&self, rule: &'static Rule) -> Vec<(Step, Move)> {
        let Some(support) = self.support(rule) else { return Vec::new() };
        match rule.gain {
            Gain::Policy => self.policies(rule, &support),
            Gain::User => self.empowers(rule, &support, IdentityKind::User),
            Gain::Group => self.empowers(rule, &support, IdentityKind::Group),
            Gain::Role => self.empowers(rule, &support, IdentityKind::Role),
            Gain::Join if self.identity.kind == IdentityKind::Group => Vec::new(),
            Gain::Join => self.takes(rule, &support, IdentityKind::Group),
            Gain::Become => self.takes(rule, &support, IdentityKind::User),
            Gain::Trust => self.takes(rule, &support, IdentityKind::Role),
            Gain::Assume => self.assumes(rule),
            Gain::Pass(services) => self.passes(rule, &support, services),
            Gain::Runs(types) => self.runs(rule, &support, types),
            Gain::Function => self.functions(rule, &support),
            Gain::Fresh => self.fresh(rule, &support),
            Gain::Boundary => self.boundary(rule),
            Gain::Federate => self.federates(rule, &support),
        }
    }

    fn identities(&self, kind: IdentityKind) -> impl Iterator<Item = &Identity> {
        self.application().identities.iter().filter(move |identity| identity.kind == kind)
    }

    fn class(&self, kind: &str) -> Pattern {
        self.world.pattern(&all_of("iam", kind))
    }

    /// Policies written into users, groups or roles.
    fn empowers(&self, rule: &'static Rule, support: &Support, kind: IdentityKind) -> Vec<(Step, Move)> {
        let Some(action) = rule.needs.first() else { return Vec::new() };
        let attach = action.contains(":Attach");
        // Only a policy that gives everything makes an administrator; of the template's own, one that does.
        let strong: Vec<String> = match attach {
            true => std::iter::once("arn:aws:iam::aws:policy/AdministratorAccess".to_string())
                .chain(self.strong_policies())
                .collect(),
            false => vec![CHOSEN.to_string()],
        };
        let more = |boundary: Option<&Identity>| -> Vec<Vec<(&'static str, Vec<String>)>> {
            strong
                .iter()
                .map(|policy| {
                    let mut more = vec![("iam:policyarn", vec![policy.clone()])];
                    if let Some(identity) = boundary {
                        more.push(("iam:permissionsboundary", self.boundary_of(identity)));
                    }
                    more
                })
                .collect()
        };
        let mut found = Vec::new();
        for target in self.identities(kind) {
            let pattern = self.world.own_arn(&target.name);
            let ability = more(Some(target))
                .iter()
                .filter_map(|more| self.can(action, &pattern, more))
                .max_by_key(|ability| ability.certain);
            let Some(ability) = ability else { continue };
            let own = target.name == self.identity.name || self.identity.groups.contains(&target.name);
            let words = match (own, kind) {
                (true, IdentityKind::Group) => {
                    format!("{}, {}, which it is in", rule.title, self.world.called(&target.name))
                }
                (true, _) => format!("{}: itself", rule.title),
                (false, _) => format!("{}, {}", rule.title, self.world.called(&target.name)),
            };
            let step = self.step(rule, support, Some(ability), words, Some(&target.name));
            match own {
                true => found.push((step, Move::Empower(self.identity.name.clone()))),
                false => {
                    // The members of a group have what it has.
                    let members =
                        self.application().identities.iter().filter(|user| user.groups.contains(&target.name));
                    found.extend(members.map(|user| (step.clone(), Move::Empower(user.name.clone()))));
                    found.push((step, Move::Empower(target.name.clone())));
                }
            }
        }
        let own = found.iter().any(|(_, reached)| *reached == Move::Empower(self.identity.name.clone()));
        if own {
            return found;
        }
        let class = self.class(kind_of(kind));
        for more in more(None) {
            let reached = self.reach(action, &class, &more);
            if let Some(wide) = reached.iter().find(|reached| reached.pattern.covers(&class)) {
                // Whoever may do this to anyone may do it to somebody it can act as; that there is one isn't known.
                let ability = Ability { certain: false, ..wide.ability };
                let words = format!("{}, one that it can act as", rule.title);
                found.push((self.step(rule, support, Some(ability), words, None), Move::Administrator));
                break;
            }
        }
        found
    }

    fn deployed(&self, name: &str) -> String {
        canonical(self.application(), &Value::part(Part::Ref(name.to_string())))
            .to_string()
            .rsplit('/')
            .next()
            .unwrap_or(name)
            .to_string()
    }

    /// ARNs of the template's policies that allow everything.
    fn strong_policies(&self) -> Vec<String> {
        let everything = |resource: &Resource| {
            resource.property("PolicyDocument").is_some_and(|document| {
                document::statements(document).iter().any(|statement| {
                    statement.effect == Effect::Allow
                        && statement.condition.is_none()
                        && !statement.not_actions
                        && statement.actions.iter().any(|action| action == "*" || action.eq_ignore_ascii_case("iam:*"))
                        && statement.resources.iter().any(|value| value.as_text() == Some("*"))
                })
            })
        };
        self.application()
            .resources
            .iter()
            .filter(|resource| resource.resource_type == "AWS::IAM::ManagedPolicy" && everything(resource))
            .map(|resource| format!("arn:aws:iam::${{AWS::AccountId}}:policy/{}", self.deployed(&resource.name)))
            .collect()
    }

    /// The boundary of an identity as a request's context has it.
    fn boundary_of(&self, identity: &Identity) -> Vec<String> {
        identity.boundary.iter().map(|boundary| canonical(self.application(), boundary).to_string()).collect()
    }

    /// New versions of managed policies.
    fn policies(&self, rule: &'static Rule, support: &Support) -> Vec<(Step, Move)> {
        let Some(action) = rule.needs.first() else { return Vec::new() };
        let class = self.class("policy");
        let reached = self.reach(action, &class, &[]);
        // What older versions hold isn't known.
        let sure = rule.id == "create-policy-version";
        let with = |ability: Ability| Ability { certain: ability.certain && sure, ..ability };
        let mut found = Vec::new();
        for policy in &self.world.policies {
            let arn = by_name("iam", "policy", Value::part(Part::Ref(policy.name.to_string()))).unwrap_or_default();
            let arn = canonical_policy(self.application(), &arn, policy.name);
            let Some(ability) = self.can(action, &Pattern::value(&arn), &[]) else { continue };
            for who in &policy.attached {
                let own = *who == self.identity.name || self.identity.groups.iter().any(|group| group == who);
                let (words, target) = match own {
                    true => (
                        format!("{}, {}, which it has itself", rule.title, self.world.called(policy.name)),
                        self.identity.name.as_str(),
                    ),
                    false => (
                        format!(
                            "{}, {}, which {} has",
                            rule.title,
                            self.world.called(policy.name),
                            self.world.called(who)
                        ),
                        *who,
                    ),
                };
                found.push((
                    self.step(rule, support, Some(with(ability)), words, Some(policy.name)),
                    Move::Empower(target.to_string()),
                ));
            }
        }
        let own = Move::Empower(self.identity.name.clone());
        if found.iter().any(|(_, reached)| *reached == own) {
            return found;
        }
        // A policy that is attached by name, and written elsewhere.
        for named in &self.identity.unresolved_policies {
            let arn = canonical(self.application(), &named.value);
            let aws = arn.to_string().contains(":iam::aws:");
            if let Some(ability) = self.can(action, &Pattern::value(&arn), &[]).filter(|_| !aws) {
                let words = format!("{}, {}, which it has itself", rule.title, named.value);
                found.push((self.step(rule, support, Some(with(ability)), words, None), own.clone()));
            }
        }
        if let Some(wide) = reached.iter().find(|reached| reached.pattern.covers(&class)) {
            let ability = Ability { certain: false, ..wide.ability };
            let words = format!("{}, one that somebody it can act as has", rule.title);
            found.push((self.step(rule, support, Some(ability), words, None), Move::Administrator));
        }
        found
    }

    /// Users whose keys it makes, roles whose trust it writes, groups it joins.
    fn takes(&self, rule: &'static Rule, support: &Support, kind: IdentityKind) -> Vec<(Step, Move)> {
        let Some(action) = rule.needs.first() else { return Vec::new() };
        let class = self.class(kind_of(kind));
        let mut found = Vec::new();
        for target in self.identities(kind).filter(|target| target.name != self.identity.name) {
            if self.identity.groups.contains(&target.name) {
                continue;
            }
            if let Some(ability) = self.can(action, &self.world.own_arn(&target.name), &[]) {
                // A role isn't in groups: somebody it can act as has to be.
                let certain =
                    ability.certain && !(kind == IdentityKind::Group && self.identity.kind != IdentityKind::User);
                let words = format!("{}, {}", rule.title, self.world.called(&target.name));
                let ability = Ability { certain, ..ability };
                found.push((
                    self.step(rule, support, Some(ability), words, Some(&target.name)),
                    Move::Become(target.name.clone()),
                ));
            }
        }
        let reached = self.reach(action, &class, &[]);
        let known = self.identities(kind).map(|identity| self.world.own_arn(&identity.name)).collect::<Vec<_>>();
        if let Some((ability, _)) = self.outside(&reached, &class, known.into_iter()) {
            found.push((self.step(rule, support, Some(ability), rule.title.to_string(), None), Move::Others));
        }
        found
    }

    /// Roles that let it in.
    fn assumes(&self, rule: &'static Rule) -> Vec<(Step, Move)> {
        let mut found = Vec::new();
        for role in self.identities(IdentityKind::Role).filter(|role| role.name != self.identity.name) {
            let Some(trust) = self.trusted_by(role) else { continue };
            let target = self.world.own_arn(&role.name);
            let ability = self.can("sts:AssumeRole", &target, &[]);
            if ability.is_none()
                && (!trust.named
                    || self.contexts.iter().all(|context| self.permissions.denies("sts:AssumeRole", &target, context)))
            {
                continue;
            }
            // Who is named in the trust needs no permission of its own.
            let ability = ability.filter(|ability| ability.certain || !trust.named);
            let support = Support { certain: trust.certain, because: trust.span.into_iter().collect() };
            let words = format!("{}, {}", rule.title, self.world.called(&role.name));
            found.push((self.step(rule, &support, ability, words, Some(&role.name)), Move::Become(role.name.clone())));
        }
        found
    }

    /// Roles handed to a service.
    fn passes(&self, rule: &'static Rule, support: &Support, services: &'static [&'static str]) -> Vec<(Step, Move)> {
        let class = self.class("role");
        let mut found: Vec<(Step, Move)> = Vec::new();
        for service in services {
            let to = [("iam:passedtoservice", vec![(*service).to_string()])];
            for role in self.identities(IdentityKind::Role).filter(|role| role.name != self.identity.name) {
                let Some((sure, span)) = trusts_service(role, service) else { continue };
                let Some(ability) = self.can("iam:PassRole", &self.world.own_arn(&role.name), &to) else { continue };
                let reached = Move::Become(role.name.clone());
                if found.iter().any(|(_, known)| *known == reached) {
                    continue;
                }
                let support = Support {
                    certain: support.certain && sure,
                    because: support.because.iter().copied().chain(span).collect(),
                };
                let words = format!("{}, {}", rule.title, self.world.called(&role.name));
                found.push((self.step(rule, &support, Some(ability), words, Some(&role.name)), reached));
            }
            // Roles that the template doesn't have can be meant, too.
            let reached = self.reach("iam:PassRole", &class, &to);
            let known: Vec<Pattern> =
                self.identities(IdentityKind::Role).map(|role| self.world.own_arn(&role.name)).collect();
            if let Some((ability, _)) = self.outside(&reached, &class, known.into_iter())
                && !found.iter().any(|(_, known)| *known == Move::Others)
            {
                found.push((self.step(rule, support, Some(ability), rule.title.to_string(), None), Move::Others));
            }
        }
        found
    }

    /// What runs already with a role of its own.
    fn runs(&self, rule: &'static Rule, support: &Support, types: &[(&str, &str)]) -> Vec<(Step, Move)> {
        let Some(action) = rule.needs.first() else { return Vec::new() };
        let prefix = action.split(':').next().unwrap_or_default();
        let kinds: Vec<&str> = facts::action(action)
            .into_iter()
            .flat_map(facts::Action::resource_types)
            .map(|kind| kind.name)
            .filter(|kind| !matches!(*kind, "document" | "type"))
            .collect();
        let mut found = Vec::new();
        let mut known = Vec::new();
        for resource in &self.application().resources {
            let Some((_, property)) = types.iter().find(|(kind, _)| *kind == resource.resource_type) else { continue };
            let own = Value::part(Part::Ref(resource.name.clone()));
            let patterns: Vec<Pattern> = kinds
                .iter()
                .filter_map(|kind| by_name(prefix, kind, own.clone()))
                .map(|arn| self.world.pattern(&arn))
                .collect();
            let ability = patterns
                .iter()
                .filter_map(|pattern| self.can(action, pattern, &[]))
                .max_by_key(|ability| ability.certain);
            known.extend(patterns);
            let Some(ability) = ability else { continue };
            for role in self.roles_named(resource, property).filter(|role| *role != self.identity.name) {
                let words = format!(
                    "{}, {}, and acts as its role {}",
                    rule.title,
                    self.world.called(&resource.name),
                    self.world.called(&role)
                );
                found.push((self.step(rule, support, Some(ability), words, Some(&resource.name)), Move::Become(role)));
            }
        }
        if EVERYDAY.contains(&rule.id) {
            return found;
        }
        let classes: Vec<Pattern> = match kinds.is_empty() {
            true => vec![Pattern::arn("*")],
            false => kinds.iter().map(|kind| self.world.pattern(&all_of(prefix, kind))).collect(),
        };
        for class in classes {
            let reached = self.reach(action, &class, &[]);
            if let Some((ability, _)) = self.outside(&reached, &class, known.iter().cloned()) {
                let words = rule.title.to_string();
                found.push((self.step(rule, support, Some(ability), words, None), Move::Others));
                break;
            }
        }
        found
    }

    /// The roles that a property of a resource names, by itself or by an instance profile.
    fn roles_named(&self, resource: &Resource, property: &str) -> impl Iterator<Item = String> {
        let application = self.application();
        let named = |resource: &Resource, property: &str| -> Vec<String> {
            let value = resource.property(property).map(|json| match json {
                serde_json::Value::Array(items) => items.iter().map(document::property_value).collect(),
                one => vec![document::property_value(one)],
            });
            value
                .into_iter()
                .flatten()
                .flat_map(|value| value.resources().map(str::to_string).collect::<Vec<_>>())
                .collect()
        };
        let mut roles: BTreeSet<String> = BTreeSet::new();
        for name in named(resource, property) {
            if application.identity(&name).is_some() {
                roles.insert(name);
            } else if let Some(profile) =
                application.resource(&name).filter(|found| found.resource_type == "AWS::IAM::InstanceProfile")
            {
                roles.extend(named(profile, "Roles").into_iter().filter(|name| application.identity(name).is_some()));
            }
        }
        let generated = format!("{}Role", resource.name);
        if roles.is_empty() && application.identity(&generated).is_some_and(|identity| identity.generated) {
            roles.insert(generated);
        }
        roles.into_iter()
    }

    /// Functions whose code or layers can be replaced, by the role they run as.
    fn functions(&self, rule: &'static Rule, support: &Support) -> Vec<(Step, Move)> {
        let Some(action) = rule.needs.first() else { return Vec::new() };
        let arn = |name: &str| self.world.pattern(&Value::part(Part::Attribute(name.to_string(), "Arn".into())));
        let mut found: Vec<(Step, Move)> = Vec::new();
        for function in &self.application().functions {
            let Some(role) = function.identity.as_deref().filter(|role| *role != self.identity.name) else { continue };
            let reached = Move::Become(role.to_string());
            if found.iter().any(|(_, known)| *known == reached) {
                continue;
            }
            if let Some(ability) = self.can(action, &arn(&function.name), &[]) {
                let words =
                    format!("{}, {}, and acts as its role {}", rule.title, function.name, self.world.called(role));
                found.push((self.step(rule, support, Some(ability), words, Some(&function.name)), reached));
            }
        }
        let class = self.world.pattern(&all_of("lambda", "function"));
        let reached = self.reach(action, &class, &[]);
        let known: Vec<Pattern> = self.application().functions.iter().map(|function| arn(&function.name)).collect();
        if let Some((ability, _)) = self.outside(&reached, &class, known.into_iter()) {
            found.push((self.step(rule, support, Some(ability), rule.title.to_string(), None), Move::Others));
        }
        found
    }

    /// Roles and users of its own making: the actions have to meet in one name, without a boundary.
    fn fresh(&self, rule: &'static Rule, support: &Support) -> Vec<(Step, Move)> {
        let kind = if rule.id.starts_with("create-role") { "role" } else { "user" };
        let class = self.class(kind);
        let more = [
            ("iam:permissionsboundary", Vec::new()),
            ("iam:policyarn", vec!["arn:aws:iam::aws:policy/AdministratorAccess".to_string()]),
        ];
        let mut certain = support.certain;
        let mut names: Option<Vec<Reached>> = None;
        for action in rule.needs {
            let reached = self.reach(action, &class, &more);
            names = Some(match names {
                None => reached,
                Some(names) => names
                    .into_iter()
                    .filter(|name| {
                        reached.iter().any(|own| {
                            own.pattern.intersects(&name.pattern)
                                && (own.ability.certain || {
                                    certain = false;
                                    true
                                })
                        })
                    })
                    .collect(),
            });
        }
        let Some(first) = names.and_then(|names| names.into_iter().next()) else { return Vec::new() };
        let ability = Ability { certain: certain && first.ability.certain, ..first.ability };
        vec![(self.step(rule, support, Some(ability), rule.title.to_string(), None), Move::Administrator)]
    }

    fn boundary(&self, rule: &'static Rule) -> Vec<(Step, Move)> {
        let user = rule.id.ends_with("user-boundary");
        let fits = match self.identity.kind {
            IdentityKind::User => user,
            IdentityKind::Role => !user,
            IdentityKind::Group => false,
        };
        let Some(action) = rule.needs.first().filter(|_| fits && self.identity.boundary.is_some()) else {
            return Vec::new();
        };
        let more = [(
            "iam:permissionsboundary",
            vec![match rule.id.starts_with("put") {
                true => "arn:aws:iam::aws:policy/AdministratorAccess".to_string(),
                false => self.boundary_of(self.identity).into_iter().next().unwrap_or_default(),
            }],
        )];
        let target = self.world.own_arn(&self.identity.name);
        let Some(ability) = self.can(action, &target, &more) else { return Vec::new() };
        let support = Support { certain: true, because: Vec::new() };
        vec![(
            self.step(rule, &support, Some(ability), rule.title.to_string(), Some(&self.identity.name)),
            Move::Unbound,
        )]
    }

    /// Roles that trust an identity provider it can change.
    fn federates(&self, rule: &'static Rule, support: &Support) -> Vec<(Step, Move)> {
        let (kind, word) = if rule.id.contains("saml") {
            ("saml-provider", ":saml-provider/")
        } else {
            ("oidc-provider", ":oidc-provider/")
        };
        let Some(ability) = rule.needs.first().and_then(|action| self.can(action, &self.class(kind), &[])) else {
            return Vec::new();
        };
        let provider = |value: &Value| {
            value.to_string().contains(word)
                || value.resource().and_then(|name| self.application().resource(name)).is_some_and(|found| {
                    matches!(found.resource_type.as_str(), "AWS::IAM::SAMLProvider" | "AWS::IAM::OIDCProvider")
                        && found.resource_type.to_ascii_lowercase().contains(&kind.replace("-provider", ""))
                })
        };
        self.identities(IdentityKind::Role)
            .filter(|role| role.trusted.iter().any(provider))
            .map(|role| {
                let words = format!("{}, {}", rule.title, self.world.called(&role.name));
                let ability = Ability { certain: false, ..ability };
                (self.step(rule, support, Some(ability), words, Some(&role.name)), Move::Become(role.name.clone()))
            })
            .collect()
    }
}

/// The ARN of a managed policy, by the name it is deployed under.
fn canonical_policy(application: &Application, fallback: &Value, name: &str) -> Value {
    let own = canonical(application, &Value::part(Part::Ref(name.to_string())));
    if own.to_string().starts_with("arn:") { own } else { canonical(application, fallback) }
}
