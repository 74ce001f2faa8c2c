//! What an expression can be, as far as the source tells.
//!
//! A value is one of a few shapes or [`Value::Any`] of several. Dictionaries, objects, lists and instances live in the
//! evaluator's heap, so that writing a field is seen through every name of the thing.

use crate::syntax::Name;
use crate::taint::{self, Taint};
use facts::{Operation, Service};
use graph::CallTarget;
use std::rc::Rc;

/// More alternatives than these are cut off with [`Value::Unknown`].
const MAX_ALTERNATIVES: usize = 32;
/// Longer text isn't put together.
const MAX_PIECES: usize = 24;
/// Nor is longer text, in bytes: what doubles itself in a loop would fill the memory.
const MAX_TEXT: usize = 64 << 10;

pub(crate) type ObjectId = usize;
pub(crate) type ScopeId = usize;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Unknown,
    /// `None`, `null`, `undefined`.
    Nothing,
    Boolean(bool),
    Number(i64),
    Text(Name),
    /// Text with holes: at least two pieces, none of them a pattern.
    Pattern(Rc<[Value]>),
    /// The value of an environment variable.
    Environment(Name),
    /// The event, or the part of it at a path.
    Event(Name),
    /// Something worked out from the event.
    FromEvent(Taint),
    /// A module of the repository.
    Module(usize),
    /// Something of a library, by its dotted path; `()` stands for a call.
    External(Rc<External>),
    Function(Rc<Closure>),
    /// A function with its receiver.
    Method(Rc<Closure>, Box<Value>),
    Class(Rc<ClassValue>),
    /// A dictionary, object, list or instance in the heap.
    Object(ObjectId),
    Client(Client),
    ClientMethod(Client, Name),
    Resource(Rc<Resource>),
    ResourceMember(Rc<Resource>, Name),
    /// A paginator or waiter: calling anything on it makes the call.
    Pending(Operation, bool),
    /// What a cloud call answered.
    Answer(Rc<Answer>),
    Any(Rc<[Value]>),
}

#[derive(Debug, PartialEq)]
pub(crate) struct External {
    pub(crate) path: String,
    /// Arguments of the call that made it, for what they say about it later: a URL, a wrapped handler.
    pub(crate) carried: Vec<Value>,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Closure {
    pub(crate) module: usize,
    pub(crate) function: usize,
    pub(crate) scope: ScopeId,
    /// The class it is a method of.
    pub(crate) class: Option<Rc<ClassValue>>,
}

#[derive(Debug, PartialEq)]
pub(crate) struct ClassValue {
    pub(crate) module: usize,
    pub(crate) class: usize,
    pub(crate) scope: ScopeId,
    /// Its methods and class variables.
    pub(crate) members: ScopeId,
    pub(crate) bases: Vec<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Client {
    pub(crate) service: Service,
    pub(crate) flavour: Flavour,
    /// Whether it was given credentials that aren't the function's own.
    pub(crate) another: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Flavour {
    /// boto3.
    Python,
    /// AWS SDK for JavaScript 3.
    JavaScript3,
    /// Its document client.
    Document3,
    /// AWS SDK for JavaScript 2.
    JavaScript2,
    /// Its document client.
    Document2,
}

/// A member of boto3's resource interface.
#[derive(Debug, PartialEq)]
pub(crate) struct Resource {
    pub(crate) service: Service,
    pub(crate) kind: &'static str,
    /// The collection that was taken from it (`objects`), with the kind of its entries.
    pub(crate) collection: Option<(Name, Option<&'static str>)>,
    /// What names it.
    pub(crate) target: Value,
    /// Whether it was given credentials that aren't the function's own.
    pub(crate) another: bool,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) operation: Operation,
    pub(crate) targets: Vec<CallTarget>,
    /// Where it was asked for.
    pub(crate) site: crate::record::Site,
    /// What was read, as an index into the record's reads.
    pub(crate) read: Option<usize>,
}

impl Value {
    pub(crate) fn external(path: impl Into<String>) -> Self {
        Self::External(Rc::new(External { path: path.into(), carried: Vec::new() }))
    }

    pub(crate) fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    /// The alternatives, one for all but [`Value::Any`].
    pub(crate) fn alternatives(&self) -> &[Value] {
        match self {
            Self::Any(values) => values,
            one => std::slice::from_ref(one),
        }
    }

    /// Either of the two. Nothing gives way to anything: an unset variable is set before it is used.
    pub(crate) fn or(self, other: Value) -> Value {
        if self == other || other == Self::Nothing {
            return self;
        }
        if self == Self::Nothing {
            return other;
        }
        let mut values: Vec<Value> = self.alternatives().to_vec();
        for value in other.alternatives() {
            if *value != Self::Nothing && !values.contains(value) {
                values.push(value.clone());
            }
        }
        if values.len() > MAX_ALTERNATIVES {
            values.truncate(MAX_ALTERNATIVES);
            if !values.contains(&Self::Unknown) {
                values.push(Self::Unknown);
            }
        }
        match values.len() {
            1 => values.remove(0),
            _ => Self::Any(values.into()),
        }
    }

    /// Each alternative through `each`, put together again.
    pub(crate) fn map(&self, mut each: impl FnMut(&Value) -> Value) -> Value {
        match self {
            Self::Any(values) => values.iter().map(&mut each).reduce(Self::or).unwrap_or(Self::Unknown),
            one => each(one),
        }
    }

    /// Text put together from values.
    pub(crate) fn concat(values: Vec<Value>) -> Value {
        // One alternative too many in one hole doesn't make the rest of the text unknown.
        // What of the event the others hold is kept behind the text.
        let mut left_out: Vec<&Value> = Vec::new();
        for value in &values {
            if let Self::Any(alternatives) = value {
                let chosen = alternatives.iter().position(|one| *one != Self::Unknown).unwrap_or(0);
                let others = alternatives.iter().enumerate().filter(|(index, _)| *index != chosen);
                left_out.extend(others.map(|(_, one)| one).filter(|one| one.is_tainted()));
            }
        }
        let left_out = taint::derived(&left_out);
        let single: Vec<Value> = values
            .iter()
            .map(|value| match value {
                Self::Any(values) => {
                    values.iter().find(|value| **value != Self::Unknown).cloned().unwrap_or(Self::Unknown)
                }
                one => one.clone(),
            })
            .collect();
        let mut pieces: Vec<Value> = Vec::new();
        let mut text = String::new();
        let mut length = 0;
        for value in single {
            let parts = match &value {
                Self::Pattern(parts) => parts.to_vec(),
                _ => vec![value],
            };
            for part in parts {
                match part {
                    Self::Text(more) if length + more.len() > MAX_TEXT => {
                        return taint::derived(&values.iter().collect::<Vec<_>>());
                    }
                    Self::Text(more) => {
                        length += more.len();
                        text.push_str(&more);
                    }
                    Self::Number(number) => text.push_str(&number.to_string()),
                    other => {
                        if !text.is_empty() {
                            pieces.push(Self::text(&std::mem::take(&mut text)));
                        }
                        pieces.push(match other {
                            hole @ (Self::Environment(_) | Self::Event(_) | Self::FromEvent(_)) => hole,
                            _ => Self::Unknown,
                        });
                    }
                }
            }
        }
        if !text.is_empty() || pieces.is_empty() {
            pieces.push(Self::text(&text));
        }
        if left_out.is_tainted() {
            pieces.push(left_out);
        }
        if pieces.len() > MAX_PIECES {
            return taint::derived(&pieces.iter().collect::<Vec<_>>());
        }
        match pieces.len() {
            1 => pieces.remove(0),
            _ => Self::Pattern(pieces.into()),
        }
    }

    /// The text, where all of it is known.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The text that it starts with, as far as that is known.
    pub(crate) fn prefix(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Pattern(parts) => parts.first().and_then(Self::as_text),
            _ => None,
        }
    }

    /// Whether the event has a say in it.
    pub(crate) fn is_of_event(&self) -> bool {
        match self {
            Self::Event(_) => true,
            Self::FromEvent(taint) => taint.is_of_event(),
            Self::Pattern(parts) | Self::Any(parts) => parts.iter().any(Self::is_of_event),
            _ => false,
        }
    }

    /// Whether it comes from somewhere that is kept track of: the event, a store, a token.
    pub(crate) fn is_tainted(&self) -> bool {
        match self {
            Self::Event(_) | Self::FromEvent(_) => true,
            Self::Pattern(parts) | Self::Any(parts) => parts.iter().any(Self::is_tainted),
            _ => false,
        }
    }

    /// Something that text can be made of.
    pub(crate) fn is_textual(&self) -> bool {
        matches!(
            self,
            Self::Text(_)
                | Self::Pattern(_)
                | Self::Environment(_)
                | Self::Event(_)
                | Self::FromEvent(_)
                | Self::Number(_)
        )
    }

    /// What a cloud call that is handed this value acts on.
    pub(crate) fn targets(&self) -> Vec<CallTarget> {
        let mut targets = Vec::new();
        for value in self.alternatives() {
            let found = match value {
                Self::Text(text) if !text.is_empty() => vec![CallTarget::Literal(text.to_string())],
                // What a variable is before it gets its value.
                Self::Text(_) if self.alternatives().len() > 1 => Vec::new(),
                Self::Environment(name) => vec![CallTarget::Environment(name.to_string())],
                Self::Pattern(parts) if telling(parts) => vec![CallTarget::Pattern(parts.iter().map(piece).collect())],
                value if value.is_of_event() => vec![CallTarget::Event],
                Self::Answer(answer) => answer.targets.clone(),
                Self::Resource(resource) => resource.target.targets(),
                _ => vec![CallTarget::Unknown],
            };
            for target in found {
                if !targets.contains(&target) {
                    targets.push(target);
                }
            }
        }
        targets
    }
}

/// Whether the pieces of a text say anything about what it names.
fn telling(parts: &[Value]) -> bool {
    parts.iter().any(|part| match part {
        Value::Environment(_) => true,
        Value::Text(text) => text.chars().any(char::is_alphanumeric),
        _ => false,
    })
}

fn piece(part: &Value) -> CallTarget {
    match part {
        Value::Text(text) => CallTarget::Literal(text.to_string()),
        Value::Environment(name) => CallTarget::Environment(name.to_string()),
        part if part.is_of_event() => CallTarget::Event,
        _ => CallTarget::Unknown,
    }
}
