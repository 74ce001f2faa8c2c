//! Names into values: variables, locals, loops' own, modules' outputs, resources, and the steps behind them.

use crate::datum::{Chunk, Datum, Field, Key, Kind, Reference};
use crate::evaluate::{Evaluator, Instances, Scope, set};
use crate::syntax::{Expr, ExprKind, Piece, Step};
use graph::Part;
use source::Span;
use std::rc::Rc;

impl Evaluator<'_, '_> {
    /// What a name with steps behind it stands for.
    pub(crate) fn path(&mut self, name: &str, steps: &[Step], span: Span, scope: &mut Scope) -> Datum {
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
            ([child], _) if !steps.is_empty() => self.outputs_of(*child, steps, span, scope),
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
