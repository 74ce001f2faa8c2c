//! Whom a role's trust policy lets in: services it is handed to, and identities that assume it.

use super::actor::Actor;
use crate::Pattern;
use crate::arn::canonical;
use crate::condition::{Context, Truth, holds};
use crate::evaluate::names_action;
use graph::{Effect, Identity, Value};
use source::Span;

/// How a role lets an identity in.
pub(super) struct Trust {
    pub(super) certain: bool,
    /// Whether by its name; else the account's own policies decide.
    pub(super) named: bool,
    pub(super) span: Option<Span>,
}

impl Actor<'_, '_> {
    /// Whether and how a role's trust lets the identity in.
    pub(super) fn trusted_by(&self, role: &Identity) -> Option<Trust> {
        let own = self.world.own_arn(&self.identity.name);
        let principal = |value: &Value| -> Option<(bool, bool)> {
            let shown = value.to_string();
            if shown == "*" || value.resource() == Some(&self.identity.name) {
                return Some((true, true));
            }
            if shown.ends_with(":root")
                || shown == "${AWS::AccountId}"
                || shown.bytes().all(|byte| byte.is_ascii_digit()) && shown.len() == 12
            {
                // The account's own; another's, where its number is written, may be meant as well.
                return Some((false, shown.contains("${AWS::AccountId}")));
            }
            let arn = canonical(self.application(), value);
            let named = shown.starts_with("arn:") || arn != *value;
            (named && Pattern::value(&arn).intersects(&own) && !arn.has_unknown()).then_some((true, true))
        };
        let mut best: Option<Trust> = None;
        for statement in &role.trust {
            if !names_action(statement, "sts:AssumeRole") {
                continue;
            }
            let Some((named, sure)) = statement.principals.iter().filter_map(&principal).max() else { continue };
            let holding = self.contexts.iter().map(|context| holds(statement.condition.as_ref(), context));
            let condition = holding.fold(Truth::No, |best, next| match (best, next) {
                (Truth::Yes, _) | (_, Truth::Yes) => Truth::Yes,
                (Truth::No, Truth::No) => Truth::No,
                _ => Truth::Unknown,
            });
            match (statement.effect, condition) {
                (_, Truth::No) => {}
                (Effect::Deny, Truth::Yes) => return None,
                (Effect::Deny, Truth::Unknown) => {}
                (Effect::Allow, condition) => {
                    let certain = sure && condition == Truth::Yes;
                    if best.as_ref().is_none_or(|best| (certain, named) > (best.certain, best.named)) {
                        best = Some(Trust { certain, named, span: Some(statement.span) });
                    }
                }
            }
        }
        best
    }
}

/// Whether a role can be handed to a service, how sure, and by which statement.
pub(super) fn trusts_service(role: &Identity, service: &str) -> Option<(bool, Option<Span>)> {
    let meant = |value: &Value| {
        let shown = value.to_string();
        shown == "*" || shown == service || shown.strip_prefix(service).is_some_and(|rest| rest == ".cn")
    };
    if role.trust.is_empty() {
        return role.trusted.iter().any(meant).then_some((true, None));
    }
    // A service acts for a resource of the same account, which the caller makes.
    let context = Context::from([
        ("aws:sourceaccount".to_string(), vec!["${AWS::AccountId}".to_string()]),
        ("aws:securetransport".to_string(), vec!["true".to_string()]),
    ]);
    let mut best: Option<(bool, Option<Span>)> = None;
    for statement in &role.trust {
        let actions = ["sts:AssumeRole", "sts:AssumeRoleWithWebIdentity"];
        if !actions.iter().any(|action| names_action(statement, action)) || !statement.principals.iter().any(meant) {
            continue;
        }
        // Whatever number is written for the account is the account's own.
        let own_account = statement.condition.as_ref().is_some_and(only_source_account);
        match (statement.effect, holds(statement.condition.as_ref(), &context)) {
            (Effect::Deny, Truth::Yes) => return None,
            (Effect::Deny, _) | (_, Truth::No) => {}
            (Effect::Allow, truth) => {
                let sure = truth == Truth::Yes || own_account;
                if best.is_none_or(|(known, _)| sure && !known) {
                    best = Some((sure, Some(statement.span)));
                }
            }
        }
    }
    best
}

/// Whether a condition asks for nothing but the account.
fn only_source_account(condition: &serde_json::Value) -> bool {
    condition.as_object().is_some_and(|operators| {
        operators.iter().all(|(operator, keys)| {
            operator.to_ascii_lowercase().starts_with("string")
                && keys
                    .as_object()
                    .is_some_and(|keys| keys.keys().all(|key| key.eq_ignore_ascii_case("aws:SourceAccount")))
        })
    })
}
