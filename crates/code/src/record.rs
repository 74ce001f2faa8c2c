//! What evaluation came across, collected once per place.

use crate::syntax::{Name, Place};
use crate::taint::Harmless;
use crate::value::Value;
use facts::Operation;
use graph::{AccessKind, CallTarget, PracticeKind, Sink};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

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
    /// The service as boto3 names it.
    pub(crate) service: &'static str,
    pub(crate) operation: &'static str,
    pub(crate) actions: Vec<String>,
    pub(crate) targets: Vec<CallTarget>,
}

/// Functions that run, the outermost first.
pub(crate) type Stack = Vec<(usize, usize)>;

/// A read of a store.
pub(crate) struct Read {
    pub(crate) service: &'static str,
    pub(crate) targets: Vec<CallTarget>,
    pub(crate) site: Site,
    /// What the record is found by.
    pub(crate) key: Vec<(Name, Value)>,
    /// In which function it is made, and in which arms of its branches.
    pub(crate) stack: Stack,
    pub(crate) arms: Vec<crate::evaluate::Arm>,
}

/// What of the event goes into a store.
pub(crate) struct Stored {
    pub(crate) service: &'static str,
    pub(crate) target: CallTarget,
    pub(crate) attribute: Option<String>,
    pub(crate) source: Name,
    pub(crate) way: Way,
    pub(crate) site: Site,
}

/// A record that is read or changed by a key.
pub(crate) struct Access {
    pub(crate) kind: AccessKind,
    pub(crate) service: &'static str,
    pub(crate) operation: &'static str,
    pub(crate) target: CallTarget,
    /// Names with the parts of the event.
    pub(crate) key: Vec<(Name, Vec<Name>)>,
    pub(crate) of_caller: bool,
    pub(crate) conditional: bool,
    pub(crate) way: Way,
    pub(crate) site: Site,
    pub(crate) stack: Stack,
}

/// A part of a record that a decision rests on.
pub(crate) struct Looked {
    pub(crate) read: usize,
    pub(crate) attribute: String,
    /// Whether it is more than whether the record is there, and whose it is.
    pub(crate) state: bool,
}

/// What is to be said of a habit.
#[derive(Clone)]
pub(crate) struct Note {
    pub(crate) detail: String,
    pub(crate) related: Option<Site>,
    pub(crate) reachable: bool,
}

#[derive(Default)]
pub(crate) struct Field {
    pub(crate) site: Site,
    pub(crate) required: bool,
}

#[derive(Default)]
pub(crate) struct Record {
    /// Places whose calls are made with credentials that aren't the function's, and those that are made with its own.
    as_another: BTreeSet<Site>,
    /// Whether a query names an index of its table, where that can be told.
    pub(crate) indexes: BTreeMap<Site, bool>,
    as_itself: BTreeSet<Site>,
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
    pub(crate) practices: BTreeMap<(Site, PracticeKind), Note>,
    pub(crate) reads: Vec<Read>,
    pub(crate) stores: Vec<Stored>,
    pub(crate) accesses: Vec<Access>,
    /// Where values were compared: the functions that ran, and whether the caller's verified identity was among the values.
    pub(crate) comparisons: Vec<(Stack, bool)>,
    pub(crate) looked: Vec<Looked>,
    /// Whether some file or folder is removed again.
    pub(crate) removes_files: bool,
    /// Where an authorizer allows what was asked for.
    pub(crate) allows: BTreeSet<Site>,
    /// Where the text of an exception goes into what may be an answer.
    pub(crate) error_texts: BTreeSet<Site>,
    /// Files of the scratch space whose name differs from one invocation to the next.
    pub(crate) scratch: BTreeSet<Site>,
    pub(crate) checks_roles: bool,
    pub(crate) checks_signatures: bool,
    /// Functions that call themselves.
    pub(crate) recursive: HashSet<(usize, usize)>,
    /// Members written under a name that isn't literal, with the function that does it and what the name comes from.
    pub(crate) member_writes: Vec<(Place, (usize, usize), Value)>,
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
    /// Whether the call at a place is only made with credentials that aren't the function's.
    pub(crate) fn is_of_another(&self, site: Site) -> bool {
        self.as_another.contains(&site) && !self.as_itself.contains(&site)
    }

    /// Says whose credentials the call at a place is made with.
    pub(crate) fn made_as(&mut self, site: Site, another: bool) {
        if another {
            self.as_another.insert(site)
        } else {
            self.as_itself.insert(site)
        };
    }

    pub(crate) fn call(&mut self, site: Site, operation: Operation, actions: Vec<String>, targets: Vec<CallTarget>) {
        self.named_call(site, (operation.service().boto3(), operation.name()), actions, targets);
    }

    /// The same where the call is none of the service's operations: a token that is made, a connection that is opened.
    pub(crate) fn named_call(
        &mut self,
        site: Site,
        (service, operation): (&'static str, &'static str),
        actions: Vec<String>,
        targets: Vec<CallTarget>,
    ) {
        let key = (site, service, operation, actions.clone());
        let call = self.calls.entry(key).or_insert(Call { service, operation, actions, targets: Vec::new() });
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
