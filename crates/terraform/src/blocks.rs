//! Blocks into values: how often one stands for something, and what its attributes and inner blocks hold.

use crate::configuration::MAX_INSTANCES;
use crate::datum::{Datum, Field, Key, Kind, Reference};
use crate::evaluate::{Evaluator, Instances, MAX_DEPTH, Scope, entries, set};
use crate::syntax::{Block, Body, ExprKind};
use source::Span;
use std::rc::Rc;

impl Evaluator<'_, '_> {
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
        if self.depth >= MAX_DEPTH || !self.spend(1) {
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
            if self.is_exhausted() {
                break;
            }
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
