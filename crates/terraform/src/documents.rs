//! `aws_iam_policy_document`: the policy it makes, in the form policies have.

use crate::datum::{Chunk, Datum, Field, Kind, Reference};
use crate::evaluate::Evaluator;
use source::Span;
use std::rc::Rc;

/// How deep documents may build on documents.
const MAX_SOURCES: usize = 8;

impl Evaluator<'_, '_> {
    /// The document that a data source makes.
    pub(crate) fn policy_document(&mut self, reference: &Rc<Reference>, depth: usize) -> Option<Datum> {
        if depth > MAX_SOURCES {
            return None;
        }
        let block = self.block_of(reference)?;
        let mut scope = self.scope_of(reference);
        let body = self.body(&block.body, block.span, &mut scope);
        let mut statements: Vec<Datum> = Vec::new();
        for name in ["source_json", "source_policy_documents"] {
            for source in body.get(name).map_or(&[][..], Datum::items) {
                for statement in statements_of(source) {
                    add(&mut statements, statement);
                }
            }
        }
        for statement in body.get("statement").map_or(&[][..], Datum::items) {
            add(&mut statements, own_statement(statement));
        }
        for name in ["override_json", "override_policy_documents"] {
            for source in body.get(name).map_or(&[][..], Datum::items) {
                for statement in statements_of(source) {
                    add(&mut statements, statement);
                }
            }
        }
        let list = Datum::new(block.span, Kind::List(statements));
        // Documents that build on two documents each grow fast; looking through their statements costs as much as making them.
        if !self.spend(list.weight()) {
            return None;
        }
        Some(Datum::new(block.span, Kind::Object(vec![field("Statement", block.head, list)])))
    }
}

fn field(key: &str, key_span: Span, value: Datum) -> Field {
    Field { key: key.to_string(), key_span, value }
}

/// Adds a statement; one with the same `Sid` takes the place of the one before.
fn add(statements: &mut Vec<Datum>, statement: Datum) {
    let sid = statement.get("Sid").and_then(Datum::as_text).filter(|sid| !sid.is_empty());
    let same = sid.and_then(|sid| {
        statements.iter_mut().find(|known| known.get("Sid").and_then(Datum::as_text).as_deref() == Some(&sid))
    });
    match same {
        Some(known) => *known = statement,
        None => statements.push(statement),
    }
}

fn statements_of(source: &Datum) -> Vec<Datum> {
    let Some(document) = source.document() else { return Vec::new() };
    document.get("Statement").map(|statements| statements.items().to_vec()).unwrap_or_default()
}

/// A `statement` block as the policy will have it.
fn own_statement(block: &Datum) -> Datum {
    let mut fields = Vec::new();
    let mut take = |from: &str, to: &str| {
        if let Some(found) = block.field(from) {
            fields.push(field(to, found.key_span, unescaped(&found.value)));
        }
    };
    take("sid", "Sid");
    take("effect", "Effect");
    take("actions", "Action");
    take("not_actions", "NotAction");
    take("resources", "Resource");
    take("not_resources", "NotResource");
    if block.get("effect").is_none() {
        fields.push(field("Effect", block.span, Datum::text(block.span, "Allow")));
    }
    for (from, to) in [("principals", "Principal"), ("not_principals", "NotPrincipal")] {
        let Some(found) = block.field(from) else { continue };
        let mut kinds: Vec<Field> = Vec::new();
        for principal in found.value.items() {
            let kind = principal.get("type").and_then(Datum::as_text).unwrap_or_default();
            let Some(identifiers) = principal.get("identifiers") else { continue };
            let identifiers = unescaped(identifiers);
            match kinds.iter_mut().find(|known| known.key == kind) {
                Some(Field { value: Datum { kind: Kind::List(list), .. }, .. }) => {
                    list.extend(identifiers.items().iter().cloned());
                }
                _ => {
                    let list = Datum::new(identifiers.span, Kind::List(identifiers.items().to_vec()));
                    kinds.push(field(&kind, principal.span, list));
                }
            }
        }
        // Everyone is written as a bare star.
        let value = match kinds.as_slice() {
            [one] if one.key == "*" => Datum::text(one.value.span, "*"),
            _ => Datum::new(found.value.span, Kind::Object(kinds)),
        };
        fields.push(field(to, found.key_span, value));
    }
    if let Some(found) = block.field("condition") {
        let mut tests: Vec<Field> = Vec::new();
        for condition in found.value.items() {
            let text = |name: &str| condition.get(name).map(Datum::shown).unwrap_or_default();
            let (test, variable) = (text("test"), text("variable"));
            let values = condition.get("values").map(unescaped).unwrap_or_else(|| Datum::null(condition.span));
            let values = Datum::new(values.span, Kind::List(values.items().to_vec()));
            let entry = field(&variable, condition.span, values);
            match tests.iter_mut().find(|known| known.key == test) {
                Some(Field { value: Datum { kind: Kind::Object(entries), .. }, .. }) => {
                    match entries.iter_mut().find(|known| known.key == variable) {
                        Some(Field { value: Datum { kind: Kind::List(list), .. }, .. }) => {
                            list.extend(entry.value.items().iter().cloned());
                        }
                        _ => entries.push(entry),
                    }
                }
                _ => tests.push(field(&test, condition.span, Datum::new(condition.span, Kind::Object(vec![entry])))),
            }
        }
        fields.push(field("Condition", found.key_span, Datum::new(found.value.span, Kind::Object(tests))));
    }
    Datum::new(block.span, Kind::Object(fields))
}

/// `&{aws:username}` is how these documents write a policy variable.
fn unescaped(datum: &Datum) -> Datum {
    let kind = match &datum.kind {
        Kind::List(items) => Kind::List(items.iter().map(unescaped).collect()),
        Kind::Text(chunks) => Kind::Text(
            chunks
                .iter()
                .map(|chunk| match chunk {
                    Chunk::Known(text, span) => Chunk::Known(text.replace("&{", "${"), *span),
                    hole => hole.clone(),
                })
                .collect(),
        ),
        other => other.clone(),
    };
    Datum::new(datum.span, kind)
}
