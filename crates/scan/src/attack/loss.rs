//! What is lost: what a role may do, or what a function's code does, to the stores and functions of the application, in a few sentences.

use super::start::named;
use graph::{Application, Function, ResourceKind};
use iam::{Access, Matter, Verb};
use source::Span;
use std::collections::{BTreeMap, BTreeSet};

/// One sentence of loss.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Loss {
    /// "reads and deletes the tables `A` and `B`"
    pub(super) words: String,
    /// The shorter form for titles: "reads and deletes 2 tables".
    pub(super) short: String,
    pub(super) node: Option<String>,
    pub(super) span: Option<Span>,
    /// From 1 (another function starts) to 5 (every secret).
    pub(super) weight: u8,
    pub(super) certain: bool,
}

/// What a role may do, grouped by kind of thing and by what is done to it, the worst first.
pub(super) fn of_role(access: &[Access]) -> Vec<Loss> {
    let mut losses = Vec::new();
    let mut matters: BTreeMap<Matter, Vec<&Access>> = BTreeMap::new();
    for one in access {
        matters.entry(one.matter).or_default().push(one);
    }
    for (matter, all) in matters {
        let wide: Vec<&&Access> = all.iter().filter(|one| one.name.is_none()).collect();
        if !wide.is_empty() {
            let verbs: BTreeSet<Verb> = wide.iter().map(|one| one.verb).collect();
            let names: BTreeSet<&str> = all.iter().filter_map(|one| one.name.as_deref()).collect();
            losses.push(loss(matter, &verbs, &names, true, wide.first().copied()));
            continue;
        }
        let mut by_verbs: BTreeMap<BTreeSet<Verb>, BTreeSet<&str>> = BTreeMap::new();
        let names: BTreeSet<&str> = all.iter().filter_map(|one| one.name.as_deref()).collect();
        for name in names {
            let verbs = all.iter().filter(|one| one.name.as_deref() == Some(name)).map(|one| one.verb).collect();
            by_verbs.entry(verbs).or_default().insert(name);
        }
        for (verbs, names) in by_verbs {
            let example = all.iter().find(|one| one.name.as_deref().is_some_and(|name| names.contains(name)));
            losses.push(loss(matter, &verbs, &names, false, example));
        }
    }
    losses.sort_by_key(|loss| std::cmp::Reverse(loss.weight));
    losses
}

fn loss(matter: Matter, verbs: &BTreeSet<Verb>, names: &BTreeSet<&str>, wide: bool, example: Option<&&Access>) -> Loss {
    let done = verbs_in_words(matter, verbs);
    let (one, many) = matter.words();
    let (words, short) = match (wide, names.len()) {
        (true, 0) => (format!("{done} every {one} of the account"), format!("{done} every {one} of the account")),
        (true, _) => (
            format!("{done} every {one} of the account, {} among them", listed(names)),
            format!("{done} every {one} of the account"),
        ),
        (false, 1) => (format!("{done} {one} {}", listed(names)), format!("{done} {one} {}", listed(names))),
        (false, count) => (format!("{done} the {many} {}", listed(names)), format!("{done} {count} {many}")),
    };
    let writes = verbs.contains(&Verb::Write) || verbs.contains(&Verb::Delete);
    let weight = match matter {
        Matter::Secret => 5,
        Matter::Function if verbs.contains(&Verb::Rewrite) => 4,
        matter if matter.holds_data() => 2 + u8::from(writes) + u8::from(wide),
        Matter::Mail => 1,
        _ => 1 + u8::from(wide),
    };
    Loss {
        words,
        short,
        node: if wide { None } else { names.iter().next().map(|name| (*name).to_string()) },
        span: example.and_then(|one| one.because),
        weight,
        certain: example.is_none_or(|one| one.certain),
    }
}

fn verbs_in_words(matter: Matter, verbs: &BTreeSet<Verb>) -> String {
    let words: Vec<&str> = verbs
        .iter()
        .map(|verb| match (verb, matter) {
            (Verb::Read, _) => "read",
            (Verb::Write, Matter::Queue | Matter::Topic | Matter::EventBus | Matter::Stream) => "send to",
            (Verb::Write, Matter::Mail) => "send mail from",
            (Verb::Write, _) => "change",
            (Verb::Delete, _) => "delete",
            (Verb::Invoke, _) => "start",
            (Verb::Rewrite, _) => "replace the code of",
        })
        .collect();
    and(&words)
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn and(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_string(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

fn listed(names: &BTreeSet<&str>) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    if quoted.len() <= 4 {
        return and(&quoted.iter().map(String::as_str).collect::<Vec<_>>());
    }
    let shown: Vec<&str> = quoted.iter().take(3).map(String::as_str).collect();
    format!("{} and {} more", shown.join(", "), quoted.len() - 3)
}

/// What a function's own code does to stores that hold data.
pub(super) fn of_code(application: &Application, function: &Function) -> Vec<Loss> {
    let mut done: BTreeMap<(Matter, String), (BTreeSet<Verb>, Span)> = BTreeMap::new();
    for call in function.behaviour.iter().flat_map(|behaviour| &behaviour.calls) {
        let Some(target) = call.target.resolve(&function.environment) else { continue };
        let Some(name) = named(application, &target) else { continue };
        let Some(matter) = application.resource(name).and_then(|resource| matter(resource.kind)) else { continue };
        for action in call.actions.iter().filter_map(|action| facts::action(action)) {
            let verb = match action.access() {
                facts::Access::Tagging | facts::Access::Permissions => continue,
                // A secret that code reads is used, not shown; that it is shown is another finding.
                access if access.read_only() && matter == Matter::Secret => continue,
                access if access.read_only() => Verb::Read,
                _ if action.name().contains(":Delete") => Verb::Delete,
                _ => Verb::Write,
            };
            done.entry((matter, name.to_string())).or_insert_with(|| (BTreeSet::new(), call.span)).0.insert(verb);
        }
    }
    let access: Vec<Access> = done
        .into_iter()
        .flat_map(|((matter, name), (verbs, span))| {
            verbs.into_iter().map(move |verb| Access {
                matter,
                name: Some(name.clone()),
                verb,
                because: Some(span),
                certain: true,
            })
        })
        .collect();
    of_role(&access)
}

fn matter(kind: ResourceKind) -> Option<Matter> {
    Some(match kind {
        ResourceKind::Table => Matter::Table,
        ResourceKind::Bucket => Matter::Bucket,
        ResourceKind::Secret => Matter::Secret,
        ResourceKind::Database => Matter::Database,
        ResourceKind::UserPool => Matter::UserPool,
        _ => return None,
    })
}
