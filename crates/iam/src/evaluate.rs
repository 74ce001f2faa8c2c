//! May this identity do this? The decision over all policies that have a say, and the statements that made it.

use crate::Pattern;
use crate::condition::{Context, Truth, holds};
use crate::pattern::covers_any;
use graph::{Effect, Statement, Value};

/// The policies that have a say.
#[derive(Debug, Clone, Copy, Default)]
pub struct Policies<'a> {
    /// Of the identity: inline and attached.
    pub identity: &'a [Statement],
    /// Of the resource.
    pub resource: &'a [Statement],
    /// The permissions boundary, if there is one.
    pub boundary: Option<&'a [Statement]>,
    /// The session's policy, if one was passed.
    pub session: Option<&'a [Statement]>,
    /// Service control policies, one list for each level of the organisation; each level has to allow.
    pub service_control: &'a [&'a [Statement]],
    /// Whether identity and resource are of different accounts, so that both have to allow.
    pub across_accounts: bool,
}

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `service:Action`.
    pub action: String,
    /// The ARN, as far as it is known.
    pub resource: Value,
    /// ARN of who asks, for resource policies; none where it isn't known.
    pub principal: Option<String>,
    /// What is known of the rest.
    pub context: Context,
}

/// What policies say to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Allowed.
    Allowed,
    /// A statement denies it.
    Denied,
    /// No statement allows it.
    Implicit,
    /// It depends on what isn't known: a condition, a principal, a resource that may or may not be meant.
    Conditional,
}

/// A decision with what led to it.
#[derive(Debug, Clone)]
pub struct Verdict<'a> {
    /// The decision.
    pub decision: Decision,
    /// The statements that decided: those that deny, or those that allow, or those on which it depends.
    pub because: Vec<&'a Statement>,
}

/// Whether a statement's actions hold this one.
pub fn names_action(statement: &Statement, action: &str) -> bool {
    statement.actions.iter().any(|pattern| matches_action(pattern, action)) != statement.not_actions
}

/// Whether an action is one of a pattern's, letter case aside. Steps back only to the last star.
fn matches_action(pattern: &str, action: &str) -> bool {
    let (pattern, action) = (pattern.as_bytes(), action.as_bytes());
    let (mut at_pattern, mut at_action) = (0, 0);
    let mut star = None;
    while let Some(letter) = action.get(at_action) {
        match pattern.get(at_pattern) {
            Some(b'*') => {
                at_pattern += 1;
                star = Some((at_pattern, at_action));
            }
            Some(own) if *own == b'?' || own.eq_ignore_ascii_case(letter) => {
                at_pattern += 1;
                at_action += 1;
            }
            _ => {
                let Some((behind, taken)) = star else { return false };
                (at_pattern, at_action) = (behind, taken + 1);
                star = Some((behind, taken + 1));
            }
        }
    }
    pattern.get(at_pattern..).is_some_and(|rest| rest.iter().all(|letter| *letter == b'*'))
}

/// Whether a statement's resources hold this one: surely, surely not, or unknown where it overlaps.
pub fn names_resource(statement: &Statement, resource: &Pattern) -> Truth {
    if statement.resources.is_empty() {
        // Resource policies may leave out what they are attached to.
        return Truth::Yes;
    }
    let patterns: Vec<Pattern> = statement.resources.iter().map(Pattern::value).collect();
    let inside = covers_any(&patterns, resource);
    let touches = patterns.iter().any(|pattern| pattern.intersects(resource));
    match (inside, touches, statement.not_resources) {
        (true, _, false) | (_, false, true) => Truth::Yes,
        (true, _, true) | (_, false, false) => Truth::No,
        _ => Truth::Unknown,
    }
}

fn applies(statement: &Statement, request: &Request, resource: &Pattern) -> Truth {
    if !names_action(statement, &request.action) {
        return Truth::No;
    }
    names_resource(statement, resource).and(holds(statement.condition.as_ref(), &request.context))
}

fn principal(statement: &Statement, request: &Request) -> Truth {
    let mut found = Truth::No;
    for value in &statement.principals {
        let Some(text) = value.as_text() else {
            found = Truth::Unknown;
            continue;
        };
        if text == "*" {
            return Truth::Yes;
        }
        match request.principal.as_deref() {
            Some(asking) if text == asking => return Truth::Yes,
            Some(asking) => {
                // An account, or its root, hands the decision on to the account's own policies.
                let account = text.strip_suffix(":root").and_then(|arn| arn.rsplit(':').next()).unwrap_or(text);
                if asking.split(':').nth(4).is_some_and(|own| !own.is_empty() && own == account) {
                    found = Truth::Unknown;
                }
            }
            None => found = Truth::Unknown,
        }
    }
    found
}

/// The statements of one policy that allow a request: surely, and perhaps.
fn allowing<'a>(statements: &'a [Statement], test: &dyn Fn(&Statement) -> Truth) -> (Truth, Vec<&'a Statement>) {
    let mut sure = Vec::new();
    let mut perhaps = Vec::new();
    for statement in statements.iter().filter(|statement| statement.effect == Effect::Allow) {
        match test(statement) {
            Truth::Yes => sure.push(statement),
            Truth::Unknown => perhaps.push(statement),
            Truth::No => {}
        }
    }
    match (sure.is_empty(), perhaps.is_empty()) {
        (false, _) => (Truth::Yes, sure),
        (true, false) => (Truth::Unknown, perhaps),
        (true, true) => (Truth::No, Vec::new()),
    }
}

/// The decision on a request. A denial anywhere wins; every guard rail has to allow; then the identity or the resource has to, both
/// where they are of different accounts.
pub fn evaluate<'a>(policies: &Policies<'a>, request: &Request) -> Verdict<'a> {
    let resource = Pattern::value(&request.resource);
    let of_identity = |statement: &Statement| applies(statement, request, &resource);
    let of_resource = |statement: &Statement| applies(statement, request, &resource).and(principal(statement, request));
    let rails: Vec<&'a [Statement]> =
        policies.service_control.iter().copied().chain(policies.boundary).chain(policies.session).collect();
    let mut denied = Vec::new();
    let mut doubts: Vec<&'a Statement> = Vec::new();
    let mut deny = |statements: &'a [Statement], test: &dyn Fn(&Statement) -> Truth| {
        for statement in statements.iter().filter(|statement| statement.effect == Effect::Deny) {
            match test(statement) {
                Truth::Yes => denied.push(statement),
                Truth::Unknown => doubts.push(statement),
                Truth::No => {}
            }
        }
    };
    deny(policies.identity, &of_identity);
    deny(policies.resource, &of_resource);
    rails.iter().for_each(|rail| deny(rail, &of_identity));
    if !denied.is_empty() {
        return Verdict { decision: Decision::Denied, because: denied };
    }
    let mut sure = Vec::new();
    for rail in rails {
        match allowing(rail, &of_identity) {
            (Truth::No, _) => return Verdict { decision: Decision::Implicit, because: Vec::new() },
            (Truth::Yes, _) => {}
            (Truth::Unknown, found) => doubts.extend(found),
        }
    }
    let (by_identity, identity) = allowing(policies.identity, &of_identity);
    let (by_resource, of_resources) = allowing(policies.resource, &of_resource);
    let (both, mut found) = match (policies.across_accounts, by_identity, by_resource) {
        (true, left, right) => (left.and(right), identity.into_iter().chain(of_resources).collect::<Vec<_>>()),
        (false, Truth::Yes, _) => (Truth::Yes, identity),
        (false, _, Truth::Yes) => (Truth::Yes, of_resources),
        (false, Truth::No, Truth::No) => (Truth::No, Vec::new()),
        (false, ..) => (Truth::Unknown, identity.into_iter().chain(of_resources).collect()),
    };
    match both {
        Truth::No => Verdict { decision: Decision::Implicit, because: Vec::new() },
        Truth::Yes if doubts.is_empty() => {
            sure.append(&mut found);
            Verdict { decision: Decision::Allowed, because: sure }
        }
        _ => {
            found.extend(doubts);
            Verdict { decision: Decision::Conditional, because: found }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::statements;
    use serde_json::json;

    fn ask(action: &str, resource: &str) -> Request {
        Request { action: action.into(), resource: Value::text(resource), ..Request::default() }
    }

    fn decide(document: &serde_json::Value, action: &str, resource: &str) -> Decision {
        let identity = statements(document);
        evaluate(&Policies { identity: &identity, ..Policies::default() }, &ask(action, resource)).decision
    }

    #[test]
    fn a_denial_wins_over_every_allowance() {
        let policy = json!({"Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": "s3:Delete*", "Resource": "arn:aws:s3:::vault/*"},
        ]});
        assert_eq!(decide(&policy, "s3:DeleteObject", "arn:aws:s3:::vault/x"), Decision::Denied);
        assert_eq!(decide(&policy, "S3:deleteobject", "arn:aws:s3:::VAULT/x"), Decision::Allowed);
        assert_eq!(decide(&policy, "s3:GetObject", "arn:aws:s3:::vault/x"), Decision::Allowed);
        // Asked for any object at all, it depends on which.
        assert_eq!(decide(&policy, "s3:DeleteObject", "arn:aws:s3:::*/*"), Decision::Conditional);
    }

    #[test]
    fn not_action_and_not_resource_are_everything_else() {
        let policy = json!({"Statement": [
            {"Effect": "Allow", "NotAction": ["iam:*", "sts:*"], "NotResource": "arn:aws:s3:::vault*"},
        ]});
        assert_eq!(decide(&policy, "iam:CreateUser", "*"), Decision::Implicit);
        assert_eq!(decide(&policy, "s3:GetObject", "arn:aws:s3:::open/x"), Decision::Allowed);
        assert_eq!(decide(&policy, "s3:GetObject", "arn:aws:s3:::vault/x"), Decision::Implicit);
    }

    #[test]
    fn a_boundary_and_the_organisation_take_away_what_they_dont_allow() {
        let identity = statements(&json!({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}));
        let boundary = statements(&json!({"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}));
        let control = statements(&json!({"Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": "s3:PutBucketPolicy", "Resource": "*"},
        ]}));
        let policies = Policies {
            identity: &identity,
            boundary: Some(&boundary),
            service_control: &[&control],
            ..Policies::default()
        };
        let decision = |action: &str| evaluate(&policies, &ask(action, "arn:aws:s3:::a")).decision;
        assert_eq!(decision("s3:GetObject"), Decision::Allowed);
        assert_eq!(decision("sqs:SendMessage"), Decision::Implicit);
        assert_eq!(decision("s3:PutBucketPolicy"), Decision::Denied);
    }

    #[test]
    fn a_condition_that_cant_be_told_leaves_it_open_and_names_its_statement() {
        let identity = statements(&json!({"Statement": {
            "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*",
            "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
        }}));
        let policies = Policies { identity: &identity, ..Policies::default() };
        let mut request = ask("s3:GetObject", "arn:aws:s3:::a/b");
        let verdict = evaluate(&policies, &request);
        assert_eq!((verdict.decision, verdict.because.len()), (Decision::Conditional, 1));
        request.context.insert("aws:sourceip".into(), vec!["8.8.8.8".into()]);
        assert_eq!(evaluate(&policies, &request).decision, Decision::Implicit);
    }

    #[test]
    fn a_resource_policy_can_allow_alone_within_an_account_but_not_across() {
        let resource = statements(&json!({"Statement": {
            "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::1:role/reader"}, "Action": "s3:GetObject", "Resource": "*"
        }}));
        let request =
            Request { principal: Some("arn:aws:iam::1:role/reader".into()), ..ask("s3:GetObject", "arn:aws:s3:::a/b") };
        let within = Policies { resource: &resource, ..Policies::default() };
        assert_eq!(evaluate(&within, &request).decision, Decision::Allowed);
        assert_eq!(evaluate(&Policies { across_accounts: true, ..within }, &request).decision, Decision::Implicit);
        let other = Request { principal: Some("arn:aws:iam::1:role/other".into()), ..request };
        assert_eq!(evaluate(&within, &other).decision, Decision::Implicit);
    }
}
