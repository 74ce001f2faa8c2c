//! What an identity is granted beyond what its functions' code and platform need, statement by statement, in words.

use crate::Pattern;
use crate::arn::{canonical, kind};
use crate::effective::expand;
use crate::need::Policy;
use crate::pattern::covers_any;
use graph::{Application, Effect, Identity, Origin, Statement, Value};
use source::Span;
use std::collections::BTreeSet;

/// How many actions are written out.
const SHOWN: usize = 5;

/// Something granted that nothing needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Excess {
    /// The statement, as an index into [`Identity::statements`].
    pub statement: usize,
    /// Where it was written.
    pub span: Span,
    /// The known actions it grants that nothing needs, the most powerful first.
    pub actions: Vec<&'static str>,
    /// Whether nothing needs any of it.
    pub unneeded: bool,
    /// Resource patterns that are wider than what is needed.
    pub wide: Vec<Value>,
    /// What would do in their place.
    pub enough: Vec<Value>,
    /// All of it in words.
    pub words: String,
}

/// What `identity` grants beyond the policies of all functions that run as it. None where the code of one of them wasn't read: then nothing
/// can be called too much.
pub fn excess(application: &Application, identity: &Identity, needed: &[&Policy]) -> Option<Vec<Excess>> {
    if needed.iter().any(|policy| !policy.code_read) {
        return None;
    }
    let wanted: Vec<(&str, &Value, Pattern)> = needed
        .iter()
        .flat_map(|policy| policy.statements.iter().chain(policy.platform.iter().map(|platform| &platform.need)))
        .flat_map(|need| {
            need.actions.iter().flat_map(|action| {
                need.resources
                    .iter()
                    .map(|value| (action.as_str(), value, Pattern::value(&canonical(application, value))))
            })
        })
        .collect();
    let mut found = Vec::new();
    for (index, statement) in identity.statements.iter().enumerate() {
        if statement.effect == Effect::Allow
            && !matches!(statement.origin, Origin::Implied(_))
            && let Some(excess) = of_statement(application, index, statement, &wanted)
        {
            found.push(excess);
        }
    }
    Some(found)
}

fn of_statement(
    application: &Application,
    index: usize,
    statement: &Statement,
    wanted: &[(&str, &Value, Pattern)],
) -> Option<Excess> {
    let granted = expand(statement);
    let patterns: Vec<Pattern> =
        statement.resources.iter().map(|value| Pattern::value(&canonical(application, value))).collect();
    let touches = |pattern: &Pattern| match statement.not_resources {
        false => patterns.iter().any(|own| own.intersects(pattern)),
        true => !covers_any(&patterns, pattern),
    };
    let used: Vec<&(&str, &Value, Pattern)> =
        wanted.iter().filter(|(action, _, pattern)| granted.contains(action) && touches(pattern)).collect();
    let used_actions: BTreeSet<&str> = used.iter().map(|(action, ..)| *action).collect();
    let mut unused: Vec<&'static str> =
        granted.iter().copied().filter(|action| !used_actions.contains(action)).collect();
    unused.sort_by_key(|name| std::cmp::Reverse(facts::action(name).map(facts::Action::access)));
    // Where a policy can't limit an action, its resource can't be too wide.
    let limited: Vec<&&(&str, &Value, Pattern)> =
        used.iter().filter(|(action, ..)| facts::action(action).is_some_and(|action| kind(action).is_some())).collect();
    let needed: Vec<Pattern> = limited.iter().map(|(.., pattern)| pattern.clone()).collect();
    let wide: Vec<Value> = match limited.len() == used.len() && !used.is_empty() && !statement.not_resources {
        true => statement
            .resources
            .iter()
            .zip(&patterns)
            .filter(|(_, pattern)| pattern.has_wildcard() && !covers_any(&needed, pattern))
            // `arn:aws:dynamodb:*:*:table/Orders` is wide in name only: the account is the function's own.
            .filter(|(_, pattern)| !needed.iter().any(|need| same_but_for_place(need, pattern)))
            .map(|(value, _)| value.clone())
            .collect(),
        false => Vec::new(),
    };
    let mut enough: Vec<Value> = Vec::new();
    for (_, value, _) in &limited {
        if !wide.is_empty() && !enough.contains(value) {
            enough.push((*value).clone());
        }
    }
    let unneeded = used.is_empty();
    // AWS's own policies for what the platform does are as narrow as those who attach them can have it.
    let of_platform = matches!(&statement.origin, Origin::Managed(name) if name.starts_with("AWSLambda") || name.starts_with("AWSXray"));
    if unused.is_empty() && (wide.is_empty() || of_platform) {
        return None;
    }
    let words = in_words(statement, &unused, unneeded, &used_actions, &wide, &enough);
    Some(Excess { statement: index, span: statement.span, actions: unused, unneeded, wide, enough, words })
}

/// Whether two ARNs differ only where region and account stand.
fn same_but_for_place(left: &Pattern, right: &Pattern) -> bool {
    left.without_place() == right.without_place()
}

fn in_words(
    statement: &Statement,
    unused: &[&str],
    unneeded: bool,
    used: &BTreeSet<&str>,
    wide: &[Value],
    enough: &[Value],
) -> String {
    let list = |values: &[Value]| {
        let shown: Vec<String> = values.iter().take(3).map(|value| format!("`{value}`")).collect();
        let more = values.len().saturating_sub(3);
        shown.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
    };
    let actions = |names: &[&str]| {
        let more = names.len().saturating_sub(SHOWN);
        let shown = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
        shown + &if more > 0 { format!(" and {more} more") } else { String::new() }
    };
    let origin = match &statement.origin {
        Origin::Managed(name) => format!("the managed policy {name}: "),
        Origin::SamTemplate(name) => format!("the policy template {name}: "),
        Origin::Connector(name) => format!("the connector {name}: "),
        Origin::Inline | Origin::Implied(_) => String::new(),
    };
    let on = if statement.not_resources {
        format!("all but {}", list(&statement.resources))
    } else {
        list(&statement.resources)
    };
    let mut sentences = Vec::new();
    if unneeded {
        sentences.push(format!("nothing needs {} on {on}", actions(unused)));
    } else if !unused.is_empty() {
        let needed: Vec<&str> = used.iter().copied().collect();
        sentences.push(format!("needs {} only, and also allows {} on {on}", actions(&needed), actions(unused)));
    }
    if !wide.is_empty() {
        sentences.push(format!("is on {}, where {} would do", list(wide), list(enough)));
    }
    origin + &sentences.join("; ")
}
