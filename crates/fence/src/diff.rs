//! How two fences differ, in words a reviewer reads in a pull request.

use crate::{Fence, FunctionFence, Processes};
use serde::Serialize;
use std::collections::BTreeSet;

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The function it concerns; none for the schemas.
    pub function: Option<String>,
    /// Whether the fence gets wider (more may happen), rather than narrower.
    pub widens: bool,
    /// What changed, as the rest of a sentence that begins with the function: `now also talks to 203.0.113.9:443`.
    pub what: String,
    /// The place in the source, where the new line names one.
    pub because: Option<String>,
}

impl std::fmt::Display for Change {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {}", self.function.as_deref().unwrap_or("the application"), self.what)?;
        match &self.because {
            Some(because) => write!(formatter, "  ({because})"),
            None => Ok(()),
        }
    }
}

/// What changed from `before` to `after`. Evidence alone (a line number that moved) is no change.
pub fn difference(before: &Fence, after: &Fence) -> Vec<Change> {
    let mut changes = Vec::new();
    for (name, function) in &after.functions {
        match before.functions.get(name) {
            None => changes.push(Change {
                function: Some(name.clone()),
                widens: true,
                what: "is new".into(),
                because: function.code.clone(),
            }),
            Some(earlier) => compare(name, earlier, function, &mut changes),
        }
    }
    for (name, function) in before.functions.iter().filter(|(name, _)| !after.functions.contains_key(*name)) {
        // A renamed function is a new one here: what people wrote under its old name is theirs to carry over.
        let what = match of_people(function) {
            0 => "is gone".to_string(),
            1 => "is gone, and with it a line of yours".to_string(),
            lines => format!("is gone, and with it {lines} lines of yours"),
        };
        changes.push(Change { function: Some(name.clone()), widens: false, what, because: None });
    }
    let names: BTreeSet<&String> = before.schemas.keys().chain(after.schemas.keys()).collect();
    for name in names {
        let (earlier, later) =
            (before.schemas.get(name).map(without_evidence), after.schemas.get(name).map(without_evidence));
        if earlier != later {
            let (widens, verb) = match (&earlier, &later) {
                (None, _) => (false, "has the new"),
                (_, None) => (true, "no longer has the"),
                _ => (true, "has another"),
            };
            changes.push(Change { function: None, widens, what: format!("{verb} schema {name}"), because: None });
        }
    }
    changes
}

/// How many lines of a function's fence people wrote or wrote into.
fn of_people(function: &FunctionFence) -> usize {
    let own = |because: &Option<String>| !because.as_deref().is_some_and(crate::file::is_evidence);
    let events =
        function.events.iter().filter(|line| own(&line.because) || line.body.is_some() || !line.allow.is_empty());
    let permissions = function.permissions.iter().filter(|line| line.denies() || own(&line.because));
    let network = function.network.iter().filter(|line| own(&line.because));
    let processes = match &function.processes {
        Processes::List(list) => list.iter().filter(|line| own(&line.because)).count(),
        Processes::Word(word) => usize::from(*word == crate::model::ProcessWord::Any),
    };
    let inputs = function.inputs.iter().filter(|line| own(&line.because) || line.kind.is_some());
    events.count()
        + inputs.count()
        + permissions.count()
        + network.count()
        + processes
        + usize::from(function.mode.is_some())
}

fn without_evidence(schema: &serde_json::Value) -> serde_json::Value {
    let mut schema = schema.clone();
    if let Some(object) = schema.as_object_mut() {
        object.remove("because");
    }
    schema
}

/// One line of a fence, as far as it matters here: what identifies it in words, its remaining content, its evidence.
struct Line {
    key: String,
    content: String,
    because: Option<String>,
}

/// The lines of one section of a fence.
type Section = fn(&FunctionFence) -> Vec<Line>;

fn compare(name: &str, before: &FunctionFence, after: &FunctionFence, changes: &mut Vec<Change>) {
    let mut say = |widens: bool, what: String, because: Option<String>| {
        changes.push(Change { function: Some(name.to_string()), widens, what, because });
    };
    let sections: [(&str, &str, Section); 7] = [
        ("now also takes events of", "no longer takes events of", events),
        ("now hands on", "no longer hands on", inputs),
        ("now also wants", "no longer wants", permissions),
        ("now also talks to", "no longer talks to", network),
        ("now also starts", "no longer starts", processes),
        ("now also writes", "no longer writes", files),
        ("now also calls", "no longer calls", invokes),
    ];
    for (gained, lost, lines) in sections {
        let (earlier, later) = (lines(before), lines(after));
        for line in &later {
            match earlier.iter().find(|other| other.key == line.key) {
                None => say(!line.key.starts_with("deny "), format!("{gained} {}", line.key), line.because.clone()),
                Some(other) if other.content != line.content => say(
                    true,
                    format!("has another line for {}: `{}`, before `{}`", line.key, line.content, other.content),
                    line.because.clone(),
                ),
                Some(_) => {}
            }
        }
        for line in earlier.iter().filter(|line| later.iter().all(|other| other.key != line.key)) {
            say(line.key.starts_with("deny "), format!("{lost} {}", line.key), None);
        }
    }
    if before.code != after.code {
        say(true, format!("runs other code: {}", after.code.as_deref().unwrap_or("unknown")), None);
    }
    for line in after.unresolved.iter().filter(|line| before.unresolved.iter().all(|other| other.what != line.what)) {
        say(true, line.what.clone(), line.because.clone());
    }
    for line in before.unresolved.iter().filter(|line| after.unresolved.iter().all(|other| other.what != line.what)) {
        say(false, format!("is settled: {}", line.what), None);
    }
    if before.mode.unwrap_or_default() != after.mode.unwrap_or_default() {
        let observes = after.mode.unwrap_or_default() == crate::Mode::Observe;
        say(observes, format!("is now in {} mode", if observes { "observe" } else { "block" }), None);
    }
    if before.perimeter != after.perimeter {
        say(after.perimeter.is_none(), "demands another perimeter".into(), None);
    }
}

fn events(function: &FunctionFence) -> Vec<Line> {
    function
        .events
        .iter()
        .map(|event| {
            let mut bare = event.clone();
            bare.because = None;
            let mut content = vec![];
            content.extend(bare.authorization.as_ref().map(|who| format!("authorization {who}")));
            content.extend(bare.name.as_ref().map(|name| format!("name {name}")));
            content.extend(bare.body.as_ref().map(|body| format!("body {}", body.0)));
            content.extend((!bare.allow.is_empty()).then(|| format!("allow {}", bare.allow.join(", "))));
            content.extend(bare.report_batch_item_failures.then(|| "report_batch_item_failures".to_string()));
            Line {
                key: format!("{} ({})", event.label(), event.source),
                content: content.join("; "),
                because: event.because.clone(),
            }
        })
        .collect()
}

fn inputs(function: &FunctionFence) -> Vec<Line> {
    function
        .inputs
        .iter()
        .map(|line| {
            let reaches: Vec<&str> = line.reaches.iter().map(|reach| reach.name()).collect();
            let key = match reaches.as_slice() {
                [] => format!("`{}`", line.field),
                _ => format!("`{}` to {}", line.field, reaches.join(", ")),
            };
            let content = line.kind.map(|kind| format!("{kind:?}")).unwrap_or_default();
            Line { key, content, because: line.because.clone() }
        })
        .collect()
}

fn permissions(function: &FunctionFence) -> Vec<Line> {
    function
        .permissions
        .iter()
        .map(|line| Line {
            key: format!("{}{} on {}", if line.denies() { "deny " } else { "" }, line.action(), line.on),
            content: line.name.clone().unwrap_or_default(),
            because: line.because.clone(),
        })
        .collect()
}

fn network(function: &FunctionFence) -> Vec<Line> {
    function
        .network
        .iter()
        .map(|line| Line {
            key: format!("{}:{}", line.host, line.port),
            content: String::new(),
            because: line.because.clone(),
        })
        .collect()
}

fn processes(function: &FunctionFence) -> Vec<Line> {
    match &function.processes {
        Processes::Word(crate::model::ProcessWord::Any) => {
            vec![Line { key: "any program".into(), content: String::new(), because: None }]
        }
        Processes::Word(_) => Vec::new(),
        Processes::List(list) => list
            .iter()
            .map(|line| Line { key: line.run.clone(), content: String::new(), because: line.because.clone() })
            .collect(),
    }
}

fn files(function: &FunctionFence) -> Vec<Line> {
    let line = |path: &String| Line { key: path.clone(), content: String::new(), because: None };
    function.files.write.iter().map(line).collect()
}

fn invokes(function: &FunctionFence) -> Vec<Line> {
    let line = |name: &String| Line { key: name.clone(), content: String::new(), because: None };
    function.invokes.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NetworkFence, PermissionFence};

    #[test]
    fn a_function_that_goes_says_what_goes_with_it() {
        let mut before = Fence::default();
        let deny = PermissionFence { deny: Some("s3:DeleteObject".into()), on: "*".into(), ..Default::default() };
        let host = NetworkFence { host: "pay.example".into(), port: 443, because: Some("app.py:3".into()) };
        let fence = FunctionFence { permissions: vec![deny], network: vec![host], ..Default::default() };
        before.functions.insert("Old".into(), fence);
        let changes = difference(&before, &Fence::default());
        assert_eq!(changes[0].to_string(), "Old is gone, and with it a line of yours");
    }

    #[test]
    fn a_wider_fence_is_told_in_words_and_moved_lines_are_not() {
        let line = |because: &str| PermissionFence {
            allow: Some("s3:GetObject".into()),
            on: "Catalog".into(),
            because: Some(because.into()),
            ..Default::default()
        };
        let mut before = Fence::default();
        before
            .functions
            .insert("ChargeCard".into(), FunctionFence { permissions: vec![line("app.py:3")], ..Default::default() });
        let mut after = before.clone();
        let charge = after.functions.get_mut("ChargeCard").unwrap();
        charge.permissions = vec![line("app.py:9")];
        assert_eq!(difference(&before, &after), []);
        let charge = after.functions.get_mut("ChargeCard").unwrap();
        charge.network.push(NetworkFence { host: "203.0.113.9".into(), port: 443, because: Some("app.py:12".into()) });
        let changes = difference(&before, &after);
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].to_string(), "ChargeCard now also talks to 203.0.113.9:443  (app.py:12)");
        assert!(changes[0].widens);
        assert!(!difference(&after, &before)[0].widens);
    }
}
