//! Functions of the handler's file that nothing calls: they are looked through for habits that weaken code by themselves, and for
//! nothing else. What they call, read or write is none of the function's behaviour.

use crate::call::Arguments;
use crate::evaluate::Evaluator;
use crate::record::Record;
use crate::syntax::{Place, Statement};
use crate::value::{Closure, Value};
use graph::PracticeKind;
use std::rc::Rc;

/// Functions that are looked through for one handler.
const MAX_FUNCTIONS: usize = 40;

/// Habits that are told of code that doesn't run.
const KINDS: [PracticeKind; 9] = [
    PracticeKind::StoredDeserialization,
    PracticeKind::UnverifiedTls,
    PracticeKind::UnverifiedToken,
    PracticeKind::WeakRandomness,
    PracticeKind::WeakCipher,
    PracticeKind::LiteralCredential,
    PracticeKind::PublicObject,
    PracticeKind::FetchedCode,
    PracticeKind::UnsafeExtraction,
];

/// Runs what nothing ran, and keeps the habits.
pub(crate) fn look_through(evaluator: &mut Evaluator<'_>, module: usize) {
    let Some(local) = evaluator.modules.get(module) else { return };
    let (file, scope) = (local.file.clone(), local.scope);
    let names = file.module.body.iter().filter_map(|statement| match statement {
        Statement::Define { name, decorators, .. } if decorators.is_empty() => Some(name.clone()),
        _ => None,
    });
    let functions: Vec<Rc<Closure>> = names
        .filter_map(|name| match evaluator.heap.variable(scope, &name) {
            Some(Value::Function(closure)) => Some(closure.clone()),
            _ => None,
        })
        .filter(|closure| closure.module == module && !evaluator.applied.contains(&(closure.module, closure.function)))
        .take(MAX_FUNCTIONS)
        .collect();
    if functions.is_empty() || evaluator.gave_up() {
        return;
    }
    let before: Record = std::mem::take(&mut evaluator.record);
    evaluator.in_dead_code = true;
    for closure in functions {
        let count = evaluator.definition(&closure, |function| function.parameters.len()).unwrap_or(0);
        evaluator.apply(&closure, None, Arguments::of(vec![Value::Unknown; count], Place::default()));
    }
    evaluator.in_dead_code = false;
    let found = std::mem::replace(&mut evaluator.record, before).practices;
    for ((site, kind), note) in found {
        if KINDS.contains(&kind) {
            evaluator.record.practices.entry((site, kind)).or_insert(note);
        }
    }
}
