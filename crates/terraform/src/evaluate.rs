//! Expressions into values, lazily: a local, variable or output is worked out when something asks for it, once, and whatever
//! leads back to itself or too deep is a hole. What resources' attributes mean is `attributes`' business, calls are `functions`'.

use crate::configuration::Folder;
use crate::datum::{Chunk, Datum, Field, Key, Kind, Reference, push};
use crate::files::Files;
use crate::syntax::{Block, Expr, ExprKind, For, Operator, Piece};
use findings::Diagnostic;
use graph::Part;
use source::Span;
use std::collections::HashMap;
use std::rc::Rc;

/// How deep one value may lead into others.
pub(crate) const MAX_DEPTH: usize = 160;
/// How much may be worked out for one configuration, in values; what is left after that are holes.
const MAX_STEPS: usize = 2_000_000;

/// The names that hold at one place.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    pub(crate) module: usize,
    pub(crate) each: Option<Rc<(Datum, Datum)>>,
    pub(crate) count: Option<usize>,
    /// Of loops and dynamic blocks, innermost last.
    pub(crate) names: Vec<(String, Rc<Datum>)>,
    /// Of a template file: nothing else is known there.
    pub(crate) closed: bool,
}

/// One module as it is used.
pub(crate) struct Module {
    /// `module.api.`, empty at the root.
    pub(crate) prefix: String,
    pub(crate) folder: Rc<Folder>,
    /// Who uses it: in which scope, by which block.
    pub(crate) call: Option<(Scope, Rc<Block>)>,
    pub(crate) variables: HashMap<String, Option<Rc<Datum>>>,
    pub(crate) locals: HashMap<String, Option<Rc<Datum>>>,
    pub(crate) outputs: HashMap<String, Option<Rc<Datum>>>,
    pub(crate) instances: HashMap<String, Option<Rc<Instances>>>,
    pub(crate) children: HashMap<String, Children>,
}

/// The uses of a module that one block makes: the key of each, where there is one, and which module it is.
pub(crate) type Children = Rc<Vec<(Option<Key>, usize)>>;

/// How often a block stands for something.
#[derive(Debug)]
pub(crate) enum Instances {
    /// Once, without a key; also where the number can't be told.
    One,
    Count(usize),
    Each(Vec<(String, Rc<Datum>)>),
}

/// Works out one configuration.
pub(crate) struct Evaluator<'a, 'files> {
    pub(crate) files: &'a mut Files<'files>,
    pub(crate) modules: Vec<Module>,
    pub(crate) folders: HashMap<String, Option<Rc<Folder>>>,
    pub(crate) diagnostics: &'a mut Vec<Diagnostic>,
    pub(crate) steps: usize,
    pub(crate) depth: usize,
    /// Attributes that are being worked out.
    pub(crate) open: Vec<(Reference, String)>,
}

impl<'a, 'files> Evaluator<'a, 'files> {
    pub(crate) fn new(files: &'a mut Files<'files>, diagnostics: &'a mut Vec<Diagnostic>) -> Self {
        Self { files, modules: Vec::new(), folders: HashMap::new(), diagnostics, steps: 0, depth: 0, open: Vec::new() }
    }

    pub(crate) fn add_module(&mut self, prefix: String, folder: Rc<Folder>, call: Option<(Scope, Rc<Block>)>) -> usize {
        self.modules.push(Module {
            prefix,
            folder,
            call,
            variables: HashMap::new(),
            locals: HashMap::new(),
            outputs: HashMap::new(),
            instances: HashMap::new(),
            children: HashMap::new(),
        });
        self.modules.len() - 1
    }

    pub(crate) fn folder(&self, module: usize) -> Rc<Folder> {
        self.modules.get(module).map(|module| Rc::clone(&module.folder)).unwrap_or_default()
    }

    /// Whether more was to be worked out than there is room for.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.steps > MAX_STEPS
    }

    /// Whether there is room for `weight` more values.
    pub(crate) fn spend(&mut self, weight: usize) -> bool {
        self.steps = self.steps.saturating_add(weight);
        self.steps <= MAX_STEPS
    }

    pub(crate) fn copy(&mut self, datum: &Datum) -> Datum {
        if self.spend(datum.weight()) { datum.clone() } else { Datum::unknown(datum.span, "too large") }
    }

    /// The value of an expression.
    pub(crate) fn value(&mut self, expr: &Expr, scope: &mut Scope) -> Datum {
        if self.depth >= MAX_DEPTH || !self.spend(1) {
            return Datum::unknown(expr.span, "nested too deep");
        }
        self.depth += 1;
        let value = self.value_of(expr, scope);
        self.depth -= 1;
        value
    }

    fn value_of(&mut self, expr: &Expr, scope: &mut Scope) -> Datum {
        let span = expr.span;
        match &expr.kind {
            ExprKind::Null => Datum::null(span),
            ExprKind::Bool(flag) => Datum::new(span, Kind::Bool(*flag)),
            ExprKind::Number(number) => Datum::new(span, Kind::Number(*number)),
            ExprKind::Template(pieces) => self.template(pieces, span, scope),
            ExprKind::List(items) => {
                let items = items.iter().map(|item| self.value(item, scope)).collect();
                Datum::new(span, Kind::List(items))
            }
            ExprKind::Object(entries) => self.object(entries, span, scope),
            ExprKind::Variable(name) => self.path(name, &[], span, scope),
            ExprKind::Path(base, steps) => match &base.kind {
                ExprKind::Variable(name) => self.path(name, steps, span, scope),
                _ => {
                    let base = self.value(base, scope);
                    self.walk(base, steps, span, scope)
                }
            },
            ExprKind::Call(name, arguments, spread) => self.call(name, arguments, *spread, span, scope),
            ExprKind::Unary(operator, operand) => {
                let operand = self.value(operand, scope);
                let kind = match (operator, operand.as_bool(), operand.as_number()) {
                    (Operator::Not, Some(flag), _) => Kind::Bool(!flag),
                    (Operator::Subtract, _, Some(number)) => Kind::Number(-number),
                    _ => Kind::Unknown("a calculation".into()),
                };
                Datum::new(span, kind)
            }
            ExprKind::Binary(first, rest) => {
                let mut value = self.value(first, scope);
                for (operator, operand) in rest {
                    value = self.binary(value, *operator, operand, span, scope);
                }
                value
            }
            ExprKind::Conditional(parts) => {
                let (condition, then, otherwise) = parts.as_ref();
                match self.value(condition, scope).as_bool() {
                    Some(true) => self.value(then, scope),
                    Some(false) => self.value(otherwise, scope),
                    // What can't be decided is read as if the condition held, unless that says nothing.
                    None => {
                        let then = self.value(then, scope);
                        if then.is_null()
                            || then.is_unknown()
                            || matches!(&then.kind, Kind::List(items) if items.is_empty())
                        {
                            self.value(otherwise, scope)
                        } else {
                            then
                        }
                    }
                }
            }
            ExprKind::For(looped) => self.for_expression(looped, span, scope),
        }
    }

    fn binary(&mut self, left: Datum, operator: Operator, right: &Expr, span: Span, scope: &mut Scope) -> Datum {
        let decided = left.as_bool();
        match operator {
            Operator::And if decided == Some(false) => return Datum::new(span, Kind::Bool(false)),
            Operator::Or if decided == Some(true) => return Datum::new(span, Kind::Bool(true)),
            _ => {}
        }
        let right = self.value(right, scope);
        let numbers = || left.as_number().zip(right.as_number());
        let kind = match operator {
            Operator::And | Operator::Or => match (decided, right.as_bool()) {
                (Some(_), Some(flag)) => Kind::Bool(flag),
                (None, Some(flag)) if flag == (operator == Operator::Or) => Kind::Bool(flag),
                _ => Kind::Unknown("a condition".into()),
            },
            Operator::Equal | Operator::Different => match equal(&left, &right) {
                Some(same) => Kind::Bool(same == (operator == Operator::Equal)),
                None => Kind::Unknown("a condition".into()),
            },
            _ => match numbers() {
                Some((left, right)) => match operator {
                    Operator::Less => Kind::Bool(left < right),
                    Operator::LessOrEqual => Kind::Bool(left <= right),
                    Operator::Greater => Kind::Bool(left > right),
                    Operator::GreaterOrEqual => Kind::Bool(left >= right),
                    Operator::Add => Kind::Number(left + right),
                    Operator::Subtract => Kind::Number(left - right),
                    Operator::Multiply => Kind::Number(left * right),
                    Operator::Divide if right != 0.0 => Kind::Number(left / right),
                    Operator::Remainder if right != 0.0 => Kind::Number(left % right),
                    _ => Kind::Unknown("a calculation".into()),
                },
                None => Kind::Unknown("a calculation".into()),
            },
        };
        Datum::new(span, kind)
    }

    fn object(&mut self, entries: &[(Expr, Expr)], span: Span, scope: &mut Scope) -> Datum {
        let mut fields: Vec<Field> = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let name = match &key.kind {
                ExprKind::Variable(name) => name.clone(),
                _ => self.value(key, scope).shown(),
            };
            let value = self.value(value, scope);
            set(&mut fields, Field { key: name, key_span: key.span, value });
        }
        Datum::new(span, Kind::Object(fields))
    }

    fn for_expression(&mut self, looped: &For, span: Span, scope: &mut Scope) -> Datum {
        let collection = self.value(&looped.collection, scope);
        let Some(entries) = entries(&collection) else { return Datum::unknown(span, "a loop over what isn't known") };
        let mut items = Vec::new();
        let mut fields: Vec<Field> = Vec::new();
        for (key, value) in entries {
            let depth = scope.names.len();
            if let Some(name) = &looped.key_name {
                scope.names.push((name.clone(), Rc::new(key)));
            }
            scope.names.push((looped.value_name.clone(), Rc::new(value)));
            let wanted = match &looped.condition {
                Some(condition) => self.value(condition, scope).as_bool() != Some(false),
                None => true,
            };
            if wanted {
                match &looped.key {
                    Some(key) => {
                        let name = self.value(key, scope);
                        let value = self.value(&looped.value, scope);
                        let (key, key_span) = (name.shown(), name.span);
                        if looped.group {
                            match fields.iter_mut().find(|field| field.key == key) {
                                Some(Field { value: Datum { kind: Kind::List(list), .. }, .. }) => list.push(value),
                                _ => {
                                    let value = Datum::new(value.span, Kind::List(vec![value]));
                                    fields.push(Field { key, key_span, value });
                                }
                            }
                        } else {
                            set(&mut fields, Field { key, key_span, value });
                        }
                    }
                    None => items.push(self.value(&looped.value, scope)),
                }
            }
            scope.names.truncate(depth);
            if !self.spend(1) {
                break;
            }
        }
        let kind = if looped.key.is_some() { Kind::Object(fields) } else { Kind::List(items) };
        Datum::new(span, kind)
    }

    /// The text of a template; one that is nothing but a value is that value.
    pub(crate) fn template(&mut self, pieces: &[Piece], span: Span, scope: &mut Scope) -> Datum {
        if let [Piece::Value(expr)] = pieces {
            let value = self.value(expr, scope);
            return Datum { span, ..value };
        }
        let mut chunks = Vec::new();
        self.pieces(pieces, scope, &mut chunks);
        Datum::new(span, Kind::Text(chunks))
    }

    fn pieces(&mut self, pieces: &[Piece], scope: &mut Scope, chunks: &mut Vec<Chunk>) {
        for piece in pieces {
            if !self.spend(1) {
                return;
            }
            match piece {
                Piece::Text(text, span) => push(chunks, Chunk::Known(text.clone(), *span)),
                Piece::Value(expr) => {
                    let value = self.value(expr, scope);
                    self.spend(value.weight());
                    chunks.extend(value.chunks());
                }
                Piece::If(parts) => {
                    let (condition, then, otherwise) = parts.as_ref();
                    match self.value(condition, scope).as_bool() {
                        Some(false) => self.pieces(otherwise, scope, chunks),
                        _ => self.pieces(then, scope, chunks),
                    }
                }
                Piece::For(parts) => {
                    let (key_name, value_name, collection, body) = parts.as_ref();
                    let collection = self.value(collection, scope);
                    let Some(entries) = entries(&collection) else {
                        chunks.push(Chunk::Hole(Part::Unknown("a loop".into()), collection.span));
                        continue;
                    };
                    for (key, value) in entries {
                        let depth = scope.names.len();
                        if let Some(name) = key_name {
                            scope.names.push((name.clone(), Rc::new(key)));
                        }
                        scope.names.push((value_name.clone(), Rc::new(value)));
                        self.pieces(body, scope, chunks);
                        scope.names.truncate(depth);
                    }
                }
            }
        }
    }

    /// The address of an instance, by which the graph knows it.
    pub(crate) fn address(&self, reference: &Reference) -> String {
        let prefix = self.modules.get(reference.module).map_or("", |module| &module.prefix);
        let data = if reference.data { "data." } else { "" };
        let key = reference.key.as_ref().map(Key::to_string).unwrap_or_default();
        format!("{prefix}{data}{}.{}{key}", reference.kind, reference.name)
    }
}

/// Sets a field; a later one of the same name takes the place of an earlier one.
pub(crate) fn set(fields: &mut Vec<Field>, field: Field) {
    match fields.iter_mut().find(|known| known.key == field.key) {
        Some(known) => *known = field,
        None => fields.push(field),
    }
}

/// Keys and values of a collection; none where it isn't known.
pub(crate) fn entries(collection: &Datum) -> Option<Vec<(Datum, Datum)>> {
    match &collection.kind {
        Kind::Object(fields) => Some(
            fields.iter().map(|field| (Datum::text(field.key_span, field.key.clone()), field.value.clone())).collect(),
        ),
        Kind::List(items) => Some(
            items
                .iter()
                .enumerate()
                .map(|(at, item)| (Datum::new(item.span, Kind::Number(at as f64)), item.clone()))
                .collect(),
        ),
        Kind::Null => Some(Vec::new()),
        _ => None,
    }
}

/// Whether two values are the same, where that can be told.
pub(crate) fn equal(left: &Datum, right: &Datum) -> Option<bool> {
    match (&left.kind, &right.kind) {
        (Kind::Unknown(_), _) | (_, Kind::Unknown(_)) => None,
        (Kind::Null, Kind::Null) => Some(true),
        // Text with holes is set by somebody, so it isn't null.
        (Kind::Null, other) | (other, Kind::Null) => match other {
            Kind::Text(chunks)
                if chunks
                    .iter()
                    .any(|chunk| matches!(chunk, Chunk::Hole(Part::Parameter(_) | Part::Unknown(_), _))) =>
            {
                None
            }
            _ => Some(false),
        },
        (Kind::List(left), Kind::List(right)) => {
            if left.len() != right.len() {
                return Some(false);
            }
            left.iter().zip(right).try_fold(true, |same, (left, right)| Some(same && equal(left, right)?))
        }
        (Kind::Object(left), Kind::Object(right)) => {
            if left.len() != right.len() {
                return Some(false);
            }
            left.iter().try_fold(true, |same, field| match right.iter().find(|other| other.key == field.key) {
                Some(other) => Some(same && equal(&field.value, &other.value)?),
                None => Some(false),
            })
        }
        (Kind::List(_) | Kind::Object(_), _) | (_, Kind::List(_) | Kind::Object(_)) => Some(false),
        _ => match (left.as_text(), right.as_text()) {
            (Some(left), Some(right)) => Some(left == right),
            // An attribute of a resource is never the empty text.
            (None, Some(known)) | (Some(known), None) if known.is_empty() => {
                let other = if left.as_text().is_none() { left } else { right };
                match &other.kind {
                    Kind::Text(chunks) => chunks
                        .iter()
                        .any(|chunk| match chunk {
                            Chunk::Known(text, _) => !text.is_empty(),
                            Chunk::Hole(part, _) => {
                                matches!(part, Part::Ref(_) | Part::Attribute(..) | Part::Pseudo(_))
                            }
                        })
                        .then_some(false),
                    _ => None,
                }
            }
            _ => None,
        },
    }
}
