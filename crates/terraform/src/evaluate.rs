//! Expressions into values, lazily: a local, variable or output is worked out when something asks for it, once, and whatever
//! leads back to itself or too deep is a hole. What resources' attributes mean is `attributes`' business, calls are `functions`'.

use crate::configuration::{Folder, MAX_INSTANCES};
use crate::datum::{Chunk, Datum, Field, Key, Kind, Reference, push};
use crate::files::Files;
use crate::syntax::{Block, Body, Expr, ExprKind, For, Operator, Piece, Step};
use findings::Diagnostic;
use graph::Part;
use source::Span;
use std::collections::HashMap;
use std::rc::Rc;

/// How deep one value may lead into others.
const MAX_DEPTH: usize = 160;
/// How much may be worked out for one configuration, in values; what is left after that are holes.
const MAX_STEPS: usize = 4_000_000;

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
    variables: HashMap<String, Option<Rc<Datum>>>,
    locals: HashMap<String, Option<Rc<Datum>>>,
    outputs: HashMap<String, Option<Rc<Datum>>>,
    instances: HashMap<String, Option<Rc<Instances>>>,
    pub(crate) children: HashMap<String, Rc<Vec<(Option<Key>, usize)>>>,
}

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

    /// Whether there is room for `weight` more values.
    pub(crate) fn spend(&mut self, weight: usize) -> bool {
        self.steps = self.steps.saturating_add(weight);
        self.steps <= MAX_STEPS
    }

    fn copy(&mut self, datum: &Datum) -> Datum {
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
                // A key such as `aws.west` is a name, not a path.
                ExprKind::Path(..) | ExprKind::Template(_) => self.value(key, scope).shown(),
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

    /// What a name with steps behind it stands for.
    fn path(&mut self, name: &str, steps: &[Step], span: Span, scope: &mut Scope) -> Datum {
        if let Some((_, value)) = scope.names.iter().rev().find(|(known, _)| known == name) {
            let value = Rc::clone(value);
            let value = self.copy(&value);
            return self.walk(value, steps, span, scope);
        }
        if scope.closed {
            return Datum::unknown(span, format!("`{name}` of a template"));
        }
        let first = match steps.first() {
            Some(Step::Attribute(name)) => name.as_str(),
            Some(Step::Index(Expr { kind: ExprKind::Template(pieces), .. })) => match pieces.as_slice() {
                [Piece::Text(text, _)] => text.as_str(),
                _ => "",
            },
            _ => "",
        };
        let rest = steps.get(1..).unwrap_or(&[]);
        let module = scope.module;
        match name {
            "var" => {
                let value = self.variable(module, first, span);
                self.walk(value, rest, span, scope)
            }
            "local" => {
                let value = self.local(module, first, span);
                self.walk(value, rest, span, scope)
            }
            "each" => {
                let each = scope.each.clone();
                let value = match (&each, first) {
                    (Some(each), "key") => self.copy(&each.0),
                    (Some(each), _) => self.copy(&each.1),
                    (None, _) => Datum::unknown(span, format!("each.{first}")),
                };
                self.walk(value, rest, span, scope)
            }
            "count" => match scope.count {
                Some(count) => Datum::new(span, Kind::Number(count as f64)),
                None => Datum::unknown(span, "count.index"),
            },
            "path" => {
                let path = match first {
                    "module" => self.folder(module).relative.clone(),
                    _ => ".".to_string(),
                };
                Datum::text(span, path)
            }
            "terraform" => match first {
                "workspace" => Datum::text(span, "default"),
                _ => Datum::unknown(span, "terraform"),
            },
            "self" => Datum::unknown(span, "self"),
            "module" => self.module_path(module, first, rest, span, scope),
            "data" => {
                let name = match rest.first() {
                    Some(Step::Attribute(name)) => name.as_str(),
                    _ => "",
                };
                let rest = rest.get(1..).unwrap_or(&[]);
                self.resource_path(true, first, name, rest, span, scope)
            }
            // A name of a type by itself can only be a keyword that Terraform gives a meaning elsewhere.
            kind if steps.is_empty() => Datum::text(span, kind),
            kind => self.resource_path(false, kind, first, rest, span, scope),
        }
    }

    fn resource_path(
        &mut self,
        data: bool,
        kind: &str,
        name: &str,
        steps: &[Step],
        span: Span,
        scope: &mut Scope,
    ) -> Datum {
        let reference = Reference { module: scope.module, data, kind: kind.into(), name: name.into(), key: None };
        if self.block_of(&reference).is_none() {
            return Datum::unknown(span, format!("{kind}.{name} isn't there"));
        }
        let base = match &*self.instances_of(&reference) {
            Instances::One => Datum::new(span, Kind::Resource(Rc::new(reference))),
            Instances::Count(count) => {
                let items = (0..*count).map(|number| {
                    let key = Some(Key::Number(number));
                    Datum::new(span, Kind::Resource(Rc::new(Reference { key, ..reference.clone() })))
                });
                Datum::new(span, Kind::List(items.collect()))
            }
            Instances::Each(entries) => {
                let fields = entries.iter().map(|(key, _)| Field {
                    key: key.clone(),
                    key_span: span,
                    value: Datum::new(
                        span,
                        Kind::Resource(Rc::new(Reference { key: Some(Key::Text(key.clone())), ..reference.clone() })),
                    ),
                });
                Datum::new(span, Kind::Object(fields.collect()))
            }
        };
        self.spend(base.weight());
        self.walk(base, steps, span, scope)
    }

    /// Follows steps from a value.
    pub(crate) fn walk(&mut self, base: Datum, steps: &[Step], span: Span, scope: &mut Scope) -> Datum {
        let mut value = base;
        for (at, step) in steps.iter().enumerate() {
            match step {
                Step::Attribute(name) => value = self.attribute(value, name, span),
                Step::Index(index) => {
                    let index = self.value(index, scope);
                    value = self.index(value, &index, span);
                }
                Step::Splat => {
                    let rest = steps.get(at + 1..).unwrap_or(&[]);
                    let items: Vec<Datum> = match value.kind {
                        Kind::List(items) => items,
                        Kind::Null => Vec::new(),
                        Kind::Unknown(_) => return value,
                        // `values` are meant where people write a splat on a map.
                        _ => vec![value],
                    };
                    let items = items.into_iter().map(|item| self.walk(item, rest, span, scope)).collect();
                    return Datum::new(span, Kind::List(items));
                }
            }
        }
        value
    }

    /// An attribute of a value.
    pub(crate) fn attribute(&mut self, value: Datum, name: &str, span: Span) -> Datum {
        match value.kind {
            Kind::Object(fields) => match fields.into_iter().find(|field| field.key == name) {
                Some(field) => field.value,
                None => Datum::unknown(span, format!("no `{name}` there")),
            },
            Kind::Resource(reference) => self.resource_attribute(&reference, name, span),
            // The old splat and people's short cut: the one instance of a list.
            Kind::List(mut items) if items.len() == 1 => match items.pop() {
                Some(item) => self.attribute(item, name, span),
                None => Datum::null(span),
            },
            Kind::Json(_) => Datum::unknown(span, format!("`{name}` of text")),
            Kind::Text(chunks) => match chunks.as_slice() {
                [Chunk::Hole(Part::Attribute(resource, attribute), _)] => {
                    let attribute = format!("{attribute}.{}", crate::attributes::camel(name));
                    Datum::hole(span, Part::Attribute(resource.clone(), attribute))
                }
                [Chunk::Hole(Part::Parameter(parameter), _)] => {
                    Datum::hole(span, Part::Parameter(format!("{parameter}.{name}")))
                }
                _ => Datum::unknown(span, format!("`{name}` of text")),
            },
            Kind::Unknown(why) => Datum::unknown(span, why),
            _ => Datum::unknown(span, format!("no `{name}` there")),
        }
    }

    /// An item of a value.
    pub(crate) fn index(&mut self, value: Datum, index: &Datum, span: Span) -> Datum {
        match value.kind {
            Kind::List(items) => match index.as_index() {
                Some(at) => match items.into_iter().nth(at) {
                    Some(item) => item,
                    None => Datum::unknown(span, "an item that isn't there"),
                },
                // Which one can't be told; of one there is no choice.
                None if items.len() == 1 => items.into_iter().next().unwrap_or_else(|| Datum::null(span)),
                None => Datum::unknown(span, "an item of a list"),
            },
            Kind::Object(_) => match index.as_text() {
                Some(key) => self.attribute(value, &key, span),
                None => Datum::unknown(span, "an item of a map"),
            },
            // Instances that can't be told apart stand for each other; of a computed list the first is meant.
            Kind::Resource(reference) => match index.as_index() {
                Some(_) => Datum::new(value.span, Kind::Resource(reference)),
                None => match index.as_text() {
                    Some(name)
                        if reference.key.is_some()
                            || self
                                .block_of(&reference)
                                .is_some_and(|block| block.body.attribute("for_each").is_none()) =>
                    {
                        self.resource_attribute(&reference, &name, span)
                    }
                    _ => Datum::new(value.span, Kind::Resource(reference)),
                },
            },
            Kind::Text(_) => value,
            Kind::Unknown(why) => Datum::unknown(span, why),
            _ => Datum::unknown(span, "an item"),
        }
    }

    pub(crate) fn variable(&mut self, module: usize, name: &str, span: Span) -> Datum {
        let Some(known) = self.modules.get_mut(module).map(|module| &mut module.variables) else {
            return Datum::unknown(span, "no module");
        };
        match known.get(name) {
            Some(Some(value)) => {
                let value = Rc::clone(value);
                return self.copy(&value);
            }
            Some(None) => return Datum::unknown(span, format!("var.{name} depends on itself")),
            None => {}
        }
        known.insert(name.to_string(), None);
        let value = Rc::new(self.new_variable(module, name, span));
        if let Some(module) = self.modules.get_mut(module) {
            module.variables.insert(name.to_string(), Some(Rc::clone(&value)));
        }
        self.copy(&value)
    }

    fn new_variable(&mut self, module: usize, name: &str, span: Span) -> Datum {
        let folder = self.folder(module);
        let declared = folder.variables.get(name);
        let mut given = None;
        match self.modules.get(module).and_then(|module| module.call.clone()) {
            Some((mut scope, block)) => {
                if let Some(argument) = block.body.attribute(name) {
                    given = Some(self.value(&argument.value, &mut scope));
                }
            }
            None => {
                if let Some(value) = folder.values.get(name) {
                    given = Some(self.value(value, &mut Scope { module, closed: true, ..Scope::default() }));
                }
            }
        }
        let default = declared.and_then(|block| block.body.attribute("default"));
        let root = self.modules.get(module).is_some_and(|module| module.call.is_none());
        let value = match (given, default) {
            (Some(value), _) if !value.is_null() => value,
            (given, Some(default)) => {
                let nullable = declared
                    .and_then(|block| block.body.attribute("nullable"))
                    .is_none_or(|flag| !matches!(flag.value.kind, ExprKind::Bool(false)));
                match given {
                    // `null` given to a variable stays null unless it says that it can't be.
                    Some(null) if nullable => return null,
                    _ => self.value(&default.value, &mut Scope { module, ..Scope::default() }),
                }
            }
            (Some(null), None) => return null,
            (None, None) => {
                let simple = declared.and_then(|block| block.body.attribute("type")).is_none_or(|kind| {
                    matches!(&kind.value.kind, ExprKind::Variable(name) if name == "string" || name == "number")
                        || matches!(kind.value.kind, ExprKind::Template(_))
                });
                return match root && simple {
                    true => Datum::hole(span, Part::Parameter(name.to_string())),
                    false => Datum::unknown(span, format!("var.{name}")),
                };
            }
        };
        with_optional(
            value,
            declared.and_then(|block| block.body.attribute("type")).map(|kind| &kind.value),
            self,
            module,
            0,
        )
    }

    fn local(&mut self, module: usize, name: &str, span: Span) -> Datum {
        let Some(known) = self.modules.get_mut(module).map(|module| &mut module.locals) else {
            return Datum::unknown(span, "no module");
        };
        match known.get(name) {
            Some(Some(value)) => {
                let value = Rc::clone(value);
                return self.copy(&value);
            }
            Some(None) => return Datum::unknown(span, format!("local.{name} depends on itself")),
            None => {}
        }
        known.insert(name.to_string(), None);
        let folder = self.folder(module);
        let value = match folder.locals.get(name) {
            Some(expr) => self.value(expr, &mut Scope { module, ..Scope::default() }),
            None => Datum::unknown(span, format!("local.{name} isn't there")),
        };
        let value = Rc::new(value);
        if let Some(module) = self.modules.get_mut(module) {
            module.locals.insert(name.to_string(), Some(Rc::clone(&value)));
        }
        self.copy(&value)
    }

    fn module_path(&mut self, module: usize, name: &str, steps: &[Step], span: Span, scope: &mut Scope) -> Datum {
        let children = self.children_of(module, name);
        let mut steps = steps;
        // `module.a.out`, `module.a["k"].out`, `module.a[*].out`.
        let chosen: Vec<usize> = match steps.first() {
            Some(Step::Index(index)) => {
                steps = steps.get(1..).unwrap_or(&[]);
                let index = self.value(index, scope);
                let wanted = children.iter().find(|(key, _)| match key {
                    Some(Key::Number(number)) => index.as_index() == Some(*number),
                    Some(Key::Text(text)) => index.as_text().as_deref() == Some(text),
                    None => true,
                });
                wanted.map(|(_, child)| *child).into_iter().collect()
            }
            Some(Step::Splat) => {
                let rest = steps.get(1..).unwrap_or(&[]);
                let items = children.iter().map(|(_, child)| self.outputs_of(*child, rest, span, scope)).collect();
                return Datum::new(span, Kind::List(items));
            }
            _ => children.iter().map(|(_, child)| *child).collect(),
        };
        match (chosen.as_slice(), children.as_slice()) {
            ([child], [(None, _)]) => self.outputs_of(*child, steps, span, scope),
            ([child], [(Some(_), _)]) if !steps.is_empty() => self.outputs_of(*child, steps, span, scope),
            ([], _) => Datum::unknown(span, format!("module.{name}")),
            ([child], _) if steps.first().is_some() => self.outputs_of(*child, steps, span, scope),
            _ => {
                // The whole of a module that is there several times: a list or map of its outputs.
                let keyed = children.iter().any(|(key, _)| matches!(key, Some(Key::Text(_))));
                let mut fields = Vec::new();
                for (key, child) in children.iter() {
                    let value = self.outputs_of(*child, &[], span, scope);
                    let key = match key {
                        Some(Key::Text(text)) => text.clone(),
                        _ => String::new(),
                    };
                    fields.push(Field { key, key_span: span, value });
                }
                let whole = match keyed {
                    true => Kind::Object(fields),
                    false => Kind::List(fields.into_iter().map(|field| field.value).collect()),
                };
                self.walk(Datum::new(span, whole), steps, span, scope)
            }
        }
    }

    fn outputs_of(&mut self, child: usize, steps: &[Step], span: Span, scope: &mut Scope) -> Datum {
        if let Some(Step::Attribute(name)) = steps.first() {
            let value = self.output(child, name, span);
            return self.walk(value, steps.get(1..).unwrap_or(&[]), span, scope);
        }
        let folder = self.folder(child);
        let mut fields = Vec::new();
        for name in folder.outputs.keys() {
            let value = self.output(child, name, span);
            fields.push(Field { key: name.clone(), key_span: span, value });
        }
        fields.sort_by(|left, right| left.key.cmp(&right.key));
        self.walk(Datum::new(span, Kind::Object(fields)), steps, span, scope)
    }

    fn output(&mut self, module: usize, name: &str, span: Span) -> Datum {
        let Some(known) = self.modules.get_mut(module).map(|module| &mut module.outputs) else {
            return Datum::unknown(span, "no module");
        };
        match known.get(name) {
            Some(Some(value)) => {
                let value = Rc::clone(value);
                return self.copy(&value);
            }
            Some(None) => return Datum::unknown(span, format!("output {name} depends on itself")),
            None => {}
        }
        known.insert(name.to_string(), None);
        let folder = self.folder(module);
        let value = match folder.outputs.get(name).and_then(|block| block.body.attribute("value")) {
            Some(expr) => self.value(&expr.value, &mut Scope { module, ..Scope::default() }),
            None => {
                Datum::unknown(span, format!("{}{name}", self.modules.get(module).map_or("", |module| &module.prefix)))
            }
        };
        let value = Rc::new(value);
        if let Some(module) = self.modules.get_mut(module) {
            module.outputs.insert(name.to_string(), Some(Rc::clone(&value)));
        }
        self.copy(&value)
    }

    /// The block of a reference.
    pub(crate) fn block_of(&self, reference: &Reference) -> Option<Rc<Block>> {
        let folder = &self.modules.get(reference.module)?.folder;
        let blocks = if reference.data { &folder.data } else { &folder.resources };
        blocks.get(&(reference.kind.clone(), reference.name.clone())).cloned()
    }

    /// How often the block of a reference stands for something.
    pub(crate) fn instances_of(&mut self, reference: &Reference) -> Rc<Instances> {
        let address = format!("{}{}.{}", if reference.data { "data." } else { "" }, reference.kind, reference.name);
        let Some(module) = self.modules.get_mut(reference.module) else { return Rc::new(Instances::One) };
        match module.instances.get(&address) {
            Some(Some(known)) => return Rc::clone(known),
            // It depends on itself.
            Some(None) => return Rc::new(Instances::One),
            None => {}
        }
        module.instances.insert(address.clone(), None);
        let found = match self.block_of(reference) {
            Some(block) => self.repetition(&block.body, reference.module),
            None => Instances::One,
        };
        let found = Rc::new(found);
        if let Some(module) = self.modules.get_mut(reference.module) {
            module.instances.insert(address, Some(Rc::clone(&found)));
        }
        found
    }

    /// What `count` or `for_each` of a body make of it.
    pub(crate) fn repetition(&mut self, body: &Body, module: usize) -> Instances {
        let mut scope = Scope { module, ..Scope::default() };
        if let Some(count) = body.attribute("count") {
            let count = self.value(&count.value, &mut scope);
            return match count.as_index() {
                Some(count) => Instances::Count(count.min(MAX_INSTANCES)),
                None => Instances::One,
            };
        }
        if let Some(each) = body.attribute("for_each") {
            let collection = self.value(&each.value, &mut scope);
            let Some(entries) = entries(&collection) else { return Instances::One };
            let set = matches!(collection.kind, Kind::List(_));
            let keyed = entries.into_iter().take(MAX_INSTANCES).map(|(key, value)| {
                let key = if set { value.shown() } else { key.shown() };
                (key, Rc::new(value))
            });
            let mut known: Vec<(String, Rc<Datum>)> = Vec::new();
            for (key, value) in keyed {
                if !known.iter().any(|(other, _)| *other == key) {
                    known.push((key, value));
                }
            }
            return Instances::Each(known);
        }
        Instances::One
    }

    /// The scope inside one instance of a block.
    pub(crate) fn scope_of(&mut self, reference: &Reference) -> Scope {
        let mut scope = Scope { module: reference.module, ..Scope::default() };
        match &reference.key {
            Some(Key::Number(number)) => scope.count = Some(*number),
            Some(Key::Text(key)) => {
                if let Instances::Each(entries) = &*self.instances_of(reference)
                    && let Some((_, value)) = entries.iter().find(|(known, _)| known == key)
                {
                    scope.each = Some(Rc::new((Datum::text(value.span, key.clone()), (**value).clone())));
                }
            }
            None => {}
        }
        scope
    }

    /// A block's attributes and inner blocks as one object; blocks of a kind become a list.
    pub(crate) fn body(&mut self, body: &Body, span: Span, scope: &mut Scope) -> Datum {
        if self.depth >= MAX_DEPTH {
            return Datum::unknown(span, "nested too deep");
        }
        self.depth += 1;
        let mut fields: Vec<Field> = Vec::new();
        for attribute in &body.attributes {
            let value = self.value(&attribute.value, scope);
            set(&mut fields, Field { key: attribute.name.clone(), key_span: attribute.name_span, value });
        }
        for block in &body.blocks {
            if block.kind == "dynamic" {
                self.dynamic(block, scope, &mut fields);
            } else {
                let value = self.body(&block.body, block.span, scope);
                append(&mut fields, &block.kind, block.head, value);
            }
        }
        self.depth -= 1;
        Datum::new(span, Kind::Object(fields))
    }

    fn dynamic(&mut self, block: &Block, scope: &mut Scope, fields: &mut Vec<Field>) {
        let name = block.label(0);
        let Some(content) = block.body.blocks("content").next() else { return };
        let Some(each) = block.body.attribute("for_each") else { return };
        let collection = self.value(&each.value, scope);
        let iterator = match block.body.attribute("iterator").map(|iterator| &iterator.value.kind) {
            Some(ExprKind::Variable(iterator)) => iterator.clone(),
            _ => name.to_string(),
        };
        let entries = entries(&collection).unwrap_or_else(|| {
            // At least one is likelier than none: a condition that can't be told is what a loop over it means.
            vec![(Datum::unknown(collection.span, "a key"), Datum::unknown(collection.span, "a value"))]
        });
        let set = matches!(collection.kind, Kind::List(_));
        for (key, value) in entries.into_iter().take(MAX_INSTANCES) {
            let key = if set && !matches!(value.kind, Kind::Object(_)) { value.clone() } else { key };
            let pair = vec![
                Field { key: "key".into(), key_span: key.span, value: key },
                Field { key: "value".into(), key_span: value.span, value },
            ];
            scope.names.push((iterator.clone(), Rc::new(Datum::new(collection.span, Kind::Object(pair)))));
            let value = self.body(&content.body, content.span, scope);
            append(fields, name, block.head, value);
            scope.names.pop();
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

/// Fills in what `optional(type, default)` gives to attributes that are left out.
fn with_optional(
    value: Datum,
    kind: Option<&Expr>,
    evaluator: &mut Evaluator<'_, '_>,
    module: usize,
    depth: usize,
) -> Datum {
    let Some(Expr { kind: ExprKind::Call(name, arguments, _), .. }) = kind else { return value };
    let Some(inner) = arguments.first().filter(|_| depth < 16) else { return value };
    let span = value.span;
    match (name.as_str(), value.kind) {
        ("list" | "set", Kind::List(items)) => {
            let items = items.into_iter().map(|item| with_optional(item, Some(inner), evaluator, module, depth + 1));
            let items = items.collect();
            Datum::new(span, Kind::List(items))
        }
        ("map", Kind::Object(fields)) => {
            let fields = fields.into_iter().map(|field| Field {
                value: with_optional(field.value, Some(inner), evaluator, module, depth + 1),
                ..field
            });
            let fields = fields.collect();
            Datum::new(span, Kind::Object(fields))
        }
        ("object", Kind::Object(mut fields)) => {
            let ExprKind::Object(declared) = &inner.kind else { return Datum::new(span, Kind::Object(fields)) };
            for (key, kind) in declared {
                let ExprKind::Variable(key_name) = &key.kind else { continue };
                let (wanted, default) = match &kind.kind {
                    ExprKind::Call(name, arguments, _) if name == "optional" => (arguments.first(), arguments.get(1)),
                    _ => (Some(kind), None),
                };
                match fields.iter_mut().find(|field| field.key == *key_name && !field.value.is_null()) {
                    Some(field) => {
                        let given = std::mem::replace(&mut field.value, Datum::null(span));
                        field.value = with_optional(given, wanted, evaluator, module, depth + 1);
                    }
                    None => {
                        let value = match default {
                            Some(default) => {
                                let scope = &mut Scope { module, closed: true, ..Scope::default() };
                                let value = evaluator.value(default, scope);
                                with_optional(value, wanted, evaluator, module, depth + 1)
                            }
                            None => Datum::null(span),
                        };
                        set(&mut fields, Field { key: key_name.clone(), key_span: span, value });
                    }
                }
            }
            Datum::new(span, Kind::Object(fields))
        }
        (_, kind) => Datum::new(span, kind),
    }
}

/// Sets a field; a later one of the same name takes the place of an earlier one.
pub(crate) fn set(fields: &mut Vec<Field>, field: Field) {
    match fields.iter_mut().find(|known| known.key == field.key) {
        Some(known) => *known = field,
        None => fields.push(field),
    }
}

/// Adds one more block of a kind.
fn append(fields: &mut Vec<Field>, kind: &str, head: Span, value: Datum) {
    match fields.iter_mut().find(|field| field.key == kind) {
        Some(Field { value: Datum { kind: Kind::List(items), .. }, .. }) => items.push(value),
        Some(_) => {}
        None => {
            let value = Datum::new(value.span, Kind::List(vec![value]));
            fields.push(Field { key: kind.to_string(), key_span: head, value });
        }
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
