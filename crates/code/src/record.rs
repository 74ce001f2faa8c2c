//! What evaluation came across, collected once per place.

use crate::syntax::{Name, Place};
use crate::taint::Harmless;
use facts::Operation;
use graph::{CallTarget, PracticeKind, Sink};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A place with its module.
pub(crate) type Site = (usize, u32, u32);

pub(crate) fn site(module: usize, place: Place) -> Site {
    (module, place.start, place.end)
}

/// Places on the way of a value, each with what happens there.
pub(crate) type Way = Vec<(Site, String)>;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Host {
    pub(crate) host: Option<String>,
    pub(crate) environment: Option<String>,
    pub(crate) port: u16,
    pub(crate) from_event: bool,
}

pub(crate) struct Call {
    pub(crate) operation: Operation,
    pub(crate) actions: Vec<String>,
    pub(crate) targets: Vec<CallTarget>,
}

#[derive(Default)]
pub(crate) struct Field {
    pub(crate) site: Site,
    pub(crate) required: bool,
}

#[derive(Default)]
pub(crate) struct Record {
    /// By place, operation and actions.
    pub(crate) calls: BTreeMap<(Site, &'static str, &'static str, Vec<String>), Call>,
    pub(crate) hosts: BTreeSet<(Site, Host)>,
    pub(crate) processes: BTreeSet<(Site, Option<String>, bool)>,
    pub(crate) writes: BTreeSet<(Site, Option<String>)>,
    pub(crate) fields: BTreeMap<Name, Field>,
    /// Parts of the event whose absence the code looks at.
    pub(crate) guarded: BTreeSet<Name>,
    pub(crate) imports: BTreeSet<String>,
    /// What of the event arrives in a sink, with the way it took and whether nothing else could stand there.
    pub(crate) flows: BTreeMap<(Site, Sink, Name), (Way, bool)>,
    /// Parts of the event that were looked at closely, with the sinks they are harmless to since.
    pub(crate) checked: HashMap<Name, Harmless>,
    pub(crate) practices: BTreeSet<(Site, PracticeKind)>,
    /// Whether some token's signature is checked.
    pub(crate) verifies_tokens: bool,
    /// Parts of the event that were held against a schema.
    pub(crate) validated: BTreeSet<Name>,
    /// Places that say why something can't be told.
    pub(crate) doubts: BTreeMap<Site, String>,
    /// The same for what is no concern of the reader, at a lower level.
    pub(crate) notes: BTreeMap<Site, String>,
}

impl Record {
    pub(crate) fn call(&mut self, site: Site, operation: Operation, actions: Vec<String>, targets: Vec<CallTarget>) {
        let key = (site, operation.service().boto3(), operation.name(), actions.clone());
        let call = self.calls.entry(key).or_insert(Call { operation, actions, targets: Vec::new() });
        for target in targets {
            if !call.targets.contains(&target) {
                call.targets.push(target);
            }
        }
    }

    pub(crate) fn field(&mut self, site: Site, path: Name, required: bool) {
        if path.is_empty() || path.len() > 300 {
            return;
        }
        let field = self.fields.entry(path).or_insert(Field { site, required: false });
        field.required |= required;
    }
}
