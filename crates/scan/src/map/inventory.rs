//! What is counted and listed about an application, the same for the terminal and the page.

use crate::callers::Callers;
use graph::{Application, Exposure, Function, ResourceKind, Trigger, TriggerKind};
use std::collections::BTreeMap;

/// Numbers about an application.
pub(super) struct Numbers {
    pub(super) functions: usize,
    /// How many functions are of each exposure, widest first; those that are.
    pub(super) exposures: Vec<(Exposure, usize)>,
    pub(super) triggers: Vec<(TriggerKind, usize)>,
    pub(super) identities: usize,
    /// How many identities more than one function runs as.
    pub(super) shared: usize,
    pub(super) resources: Vec<(ResourceKind, usize)>,
    /// How many functions are allowed something on every resource of a service.
    pub(super) wide: usize,
}

impl Numbers {
    pub(super) fn of(application: &Application, callers: &Callers<'_>) -> Self {
        let mut exposures: BTreeMap<Exposure, usize> = BTreeMap::new();
        let mut users: BTreeMap<&str, usize> = BTreeMap::new();
        for function in &application.functions {
            *exposures.entry(callers.exposure(application, function)).or_default() += 1;
            if let Some(identity) = application.identity_of(function) {
                *users.entry(&identity.name).or_default() += 1;
            }
        }
        let mut triggers: BTreeMap<TriggerKind, usize> = BTreeMap::new();
        for trigger in &application.triggers {
            *triggers.entry(trigger.kind).or_default() += 1;
        }
        for function in &application.functions {
            if function.url.is_some() && !has_url_trigger(application, function) {
                *triggers.entry(TriggerKind::FunctionUrl).or_default() += 1;
            }
        }
        let mut resources: BTreeMap<ResourceKind, usize> = BTreeMap::new();
        for resource in &application.resources {
            *resources.entry(resource.kind).or_default() += 1;
        }
        Self {
            functions: application.functions.len(),
            exposures: exposures.into_iter().rev().collect(),
            triggers: triggers.into_iter().collect(),
            identities: application.identities.len(),
            shared: users.values().filter(|count| **count > 1).count(),
            resources: resources.into_iter().collect(),
            wide: application.functions.iter().filter(|function| !wide(application, function).is_empty()).count(),
        }
    }

    pub(super) fn public(&self) -> usize {
        self.exposures.iter().find(|(exposure, _)| *exposure == Exposure::Public).map_or(0, |(_, count)| *count)
    }
}

/// Whether a trigger already stands for a function's URL.
pub(super) fn has_url_trigger(application: &Application, function: &Function) -> bool {
    application.triggers_of(&function.name).any(|trigger| trigger.kind == TriggerKind::FunctionUrl)
}

/// What a function is allowed on every resource of a service.
pub(super) fn wide(application: &Application, function: &Function) -> Vec<String> {
    application.identity_of(function).map(|identity| diagram::wide_actions(&identity.statements)).unwrap_or_default()
}

/// What starts a function, in words.
pub(super) fn starts(application: &Application, callers: &Callers<'_>, function: &Function) -> Vec<String> {
    let mut starts: Vec<String> = application.triggers_of(&function.name).map(start).collect();
    if function.url.is_some() && !has_url_trigger(application, function) {
        starts.push("function URL".to_owned());
    }
    starts.extend(callers.names(function).iter().map(|name| format!("function {name}")));
    starts
}

/// One trigger in words: `POST /orders`, `sqs OrderPaid`, `schedule rate(1 day)`.
pub(super) fn start(trigger: &Trigger) -> String {
    if trigger.kind == TriggerKind::FunctionUrl {
        return "function URL".to_owned();
    }
    if trigger.path.is_some() {
        return trigger.label();
    }
    match (trigger.source.as_ref(), &trigger.filter) {
        (Some(source), _) => {
            let text = source.resource().map_or_else(|| source.to_string(), str::to_owned);
            format!("{} {text}", trigger.kind.name())
        }
        (None, Some(filter)) => format!("{} {}", trigger.kind.name(), diagram::pattern_words(filter)),
        (None, None) => trigger.kind.name().to_owned(),
    }
}

/// What each function may act on or acts on by name, in the order of its statements.
pub(super) fn touched(application: &Application) -> BTreeMap<String, Vec<String>> {
    let mut touched: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for access in diagram::accesses(application) {
        let names = touched.entry(access.function).or_default();
        if !names.contains(&access.target) {
            names.push(access.target);
        }
    }
    touched
}

/// The services in which a function may act on every resource, in words for a line of text.
pub(super) fn wide_services(application: &Application, function: &Function) -> Vec<String> {
    let mut services: Vec<String> = wide(application, function)
        .iter()
        .map(|action| match action.split_once(':') {
            Some((service, _)) => service.to_ascii_lowercase(),
            None => "everything".to_owned(),
        })
        .collect();
    services.sort();
    services.dedup();
    if services.iter().any(|service| service == "everything") {
        return vec!["everything".to_owned()];
    }
    let more = services.len().saturating_sub(4);
    if more > 1 {
        services.truncate(4);
        services.push(format!("{more} services more"));
    }
    services
}

/// How many functions run as each identity.
pub(super) fn users(application: &Application) -> BTreeMap<&str, usize> {
    let mut users = BTreeMap::new();
    for identity in application.functions.iter().filter_map(|function| function.identity.as_deref()) {
        *users.entry(identity).or_default() += 1;
    }
    users
}

/// Resources by kind, in words: `3 tables`, `8 others`.
pub(super) fn resource_counts(numbers: &Numbers) -> Vec<String> {
    let words = |(kind, count): &(ResourceKind, usize)| match kind {
        ResourceKind::Other => counted(*count, "other"),
        kind => counted(*count, diagram::kind_words(*kind)),
    };
    numbers.resources.iter().map(words).collect()
}

/// `3 tables`, `1 queue`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    let plural = match noun.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ if noun.ends_with(['s', 'x']) => format!("{noun}es"),
        _ => format!("{noun}s"),
    };
    if count == 1 { format!("1 {noun}") } else { format!("{count} {plural}") }
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn counts_read_well() {
        assert_eq!(counted(1, "table"), "1 table");
        assert_eq!(counted(0, "identity"), "0 identities");
        assert_eq!(counted(2, "event bus"), "2 event buses");
        assert_eq!(counted(2, "key"), "2 keys");
    }
}
