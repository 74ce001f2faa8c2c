//! The evaluator's memory: scopes with their variables, objects with their fields, and what branches changed.

use crate::syntax::Name;
use crate::value::{ClassValue, ObjectId, ScopeId, Value};
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

/// The most items or fields that one object keeps; what more there is counts as what may stand anywhere in it.
pub(crate) const MAX_MEMBERS: usize = 4_000;
/// Items and fields of all objects together, after which new ones are kept small.
const MAX_HELD: usize = 1_000_000;
/// How many a new one keeps then.
const MAX_MEMBERS_WHEN_FULL: usize = 16;

#[derive(Default)]
pub(crate) struct Scope {
    pub(crate) variables: HashMap<Name, Value>,
    pub(crate) parent: Option<ScopeId>,
}

/// A dictionary, object, list or instance.
#[derive(Default, Clone)]
pub(crate) struct Object {
    pub(crate) class: Option<Rc<ClassValue>>,
    pub(crate) fields: Vec<(Name, Value)>,
    /// The items, where it is a list.
    pub(crate) items: Option<Vec<Value>>,
    /// What may stand under keys that can't be told.
    pub(crate) others: Option<Value>,
    /// Made while a module was loaded: it is there as long as the module.
    pub(crate) lasting: bool,
}

impl Object {
    pub(crate) fn field(&self, name: &str) -> Option<&Value> {
        self.fields.iter().find(|(field, _)| &**field == name).map(|(_, value)| value)
    }
}

/// What one arm of a branch overwrote.
struct Journal {
    /// Scopes made later belong to the arm alone.
    first_new_scope: ScopeId,
    old: HashMap<(ScopeId, Name), Option<Value>>,
}

#[derive(Default)]
pub(crate) struct Heap {
    pub(crate) scopes: Vec<Scope>,
    pub(crate) objects: Vec<Object>,
    /// Whether modules are being loaded rather than functions run.
    pub(crate) loading: bool,
    /// Items and fields of all objects when they were made.
    held: usize,
    journals: Vec<Journal>,
}

/// The variables an arm of a branch changed, with the values it left.
pub(crate) type Changes = HashMap<(ScopeId, Name), Value>;

/// One or another of some values.
fn one_of(first: Option<Value>, rest: impl IntoIterator<Item = Value>) -> Value {
    rest.into_iter().take(MAX_MEMBERS_WHEN_FULL).fold(first.unwrap_or(Value::Unknown), Value::or)
}

impl Heap {
    pub(crate) fn scope(&mut self, parent: Option<ScopeId>) -> ScopeId {
        self.scopes.push(Scope { variables: HashMap::new(), parent });
        self.scopes.len() - 1
    }

    pub(crate) fn variable(&self, scope: ScopeId, name: &str) -> Option<&Value> {
        self.scopes.get(scope)?.variables.get(name)
    }

    /// The scope that has the name, from the inside out.
    pub(crate) fn find(&self, scope: ScopeId, name: &str) -> Option<ScopeId> {
        let mut at = Some(scope);
        while let Some(scope) = at {
            let found = self.scopes.get(scope)?;
            if found.variables.contains_key(name) {
                return Some(scope);
            }
            at = found.parent;
        }
        None
    }

    pub(crate) fn set(&mut self, scope: ScopeId, name: Name, value: Value) {
        let Some(found) = self.scopes.get_mut(scope) else { return };
        let old = found.variables.insert(name.clone(), value);
        if let Some(journal) = self.journals.last_mut()
            && scope < journal.first_new_scope
        {
            journal.old.entry((scope, name)).or_insert(old);
        }
    }

    pub(crate) fn open_journal(&mut self) {
        let first_new_scope = self.scopes.len();
        self.journals.push(Journal { first_new_scope, old: HashMap::new() });
    }

    /// Ends an arm: takes its changes back and hands them over.
    pub(crate) fn close_journal(&mut self) -> Changes {
        let mut changes = Changes::new();
        let Some(journal) = self.journals.pop() else { return changes };
        for ((scope, name), old) in journal.old {
            let Some(found) = self.scopes.get_mut(scope) else { continue };
            let new = match old {
                Some(old) => found.variables.insert(name.clone(), old),
                None => found.variables.remove(&name),
            };
            if let Some(new) = new {
                changes.insert((scope, name), new);
            }
        }
        changes
    }

    /// Whether what is being run may not run.
    pub(crate) fn in_branch(&self) -> bool {
        !self.journals.is_empty()
    }

    /// Joins the arms of a branch into the state before it.
    pub(crate) fn join(&mut self, arms: Vec<Changes>, exhaustive: bool) {
        let mut names: Vec<(ScopeId, Name)> = arms.iter().flat_map(|arm| arm.keys().cloned()).collect();
        names.sort_unstable();
        names.dedup();
        for key in names {
            let mut joined: Option<Value> = None;
            let mut keeps_old = !exhaustive;
            for arm in &arms {
                match arm.get(&key) {
                    Some(value) => {
                        joined = Some(match joined {
                            Some(before) => before.or(value.clone()),
                            None => value.clone(),
                        });
                    }
                    None => keeps_old = true,
                }
            }
            let Some(mut value) = joined else { continue };
            if keeps_old && let Some(old) = self.variable(key.0, &key.1) {
                value = old.clone().or(value);
            }
            self.set(key.0, key.1, value);
        }
    }

    pub(crate) fn object(&mut self, mut object: Object) -> Value {
        let room = if self.held < MAX_HELD { MAX_MEMBERS } else { MAX_MEMBERS_WHEN_FULL };
        if let Some(items) = &mut object.items
            && items.len() > room
        {
            let rest = items.split_off(room);
            object.others = Some(one_of(object.others.take(), rest));
        }
        if object.fields.len() > room {
            let rest = object.fields.split_off(room).into_iter().map(|(_, value)| value);
            object.others = Some(one_of(object.others.take(), rest));
        }
        self.held += object.fields.len() + object.items.as_ref().map_or(0, Vec::len);
        self.objects.push(Object { lasting: self.loading, ..object });
        Value::Object(self.objects.len() - 1)
    }

    pub(crate) fn list(&mut self, items: Vec<Value>) -> Value {
        self.object(Object { items: Some(items), ..Object::default() })
    }

    /// Writes a field; in a branch the old value stays possible.
    pub(crate) fn set_field(&mut self, object: ObjectId, name: Name, value: Value) {
        let weak = self.in_branch();
        let Some(object) = self.objects.get_mut(object) else { return };
        match object.fields.iter_mut().find(|(field, _)| *field == name) {
            Some((_, old)) if weak => *old = std::mem::replace(old, Value::Nothing).or(value),
            Some((_, old)) => *old = value,
            None => object.fields.push((name, value)),
        }
    }

    pub(crate) fn add_other(&mut self, object: ObjectId, value: Value) {
        if let Some(object) = self.objects.get_mut(object) {
            object.others = Some(match object.others.take() {
                Some(old) => old.or(value),
                None => value,
            });
        }
    }

    /// A hash of what a value says, objects to a few levels: two calls with equal arguments do the same.
    pub(crate) fn fingerprint(&self, value: &Value, depth: usize, hasher: &mut impl Hasher) {
        std::mem::discriminant(value).hash(hasher);
        match value {
            Value::Unknown | Value::Nothing => {}
            Value::FromEvent(taint) => taint.identity().for_each(|origin| origin.hash(hasher)),
            Value::Boolean(value) => value.hash(hasher),
            Value::Number(value) => value.hash(hasher),
            Value::Text(text) | Value::Environment(text) | Value::Event(text) => text.hash(hasher),
            Value::Pattern(parts) | Value::Any(parts) => {
                parts.iter().for_each(|part| self.fingerprint(part, depth, hasher));
            }
            Value::Module(module) => module.hash(hasher),
            Value::External(external) => {
                external.path.hash(hasher);
                if depth > 0 {
                    external.carried.iter().for_each(|part| self.fingerprint(part, depth - 1, hasher));
                }
            }
            Value::Function(closure) => (closure.module, closure.function, closure.scope).hash(hasher),
            Value::Method(closure, receiver) => {
                (closure.module, closure.function, closure.scope).hash(hasher);
                if depth > 0 {
                    self.fingerprint(receiver, depth - 1, hasher);
                }
            }
            Value::Class(class) => (class.module, class.class, class.scope).hash(hasher),
            Value::Object(id) => {
                let Some(object) = self.objects.get(*id) else { return };
                if depth == 0 {
                    return;
                }
                if let Some(class) = &object.class {
                    (class.module, class.class).hash(hasher);
                }
                for (name, value) in &object.fields {
                    name.hash(hasher);
                    self.fingerprint(value, depth - 1, hasher);
                }
                for value in object.items.iter().flatten().chain(&object.others) {
                    self.fingerprint(value, depth - 1, hasher);
                }
            }
            Value::Client(client) => (client.service.boto3(), client.flavour).hash(hasher),
            Value::ClientMethod(client, name) => (client.service.boto3(), client.flavour, name).hash(hasher),
            Value::Resource(resource) => {
                (resource.service.boto3(), resource.kind).hash(hasher);
                self.fingerprint(&resource.target, depth, hasher);
            }
            Value::ResourceMember(resource, name) => {
                (resource.service.boto3(), resource.kind, name).hash(hasher);
                self.fingerprint(&resource.target, depth, hasher);
            }
            Value::Pending(operation, _) => operation.name().hash(hasher),
            Value::Answer(answer) => answer.operation.name().hash(hasher),
        }
    }
}
