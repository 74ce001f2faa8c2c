//! Looks through lowered code as it is written, without running it. Functions inside aren't looked into.

use crate::syntax::{Entry, Expression, Kind, Pattern, Statement};

/// Each statement, those inside others included.
pub(crate) fn statements(block: &[Statement], each: &mut dyn FnMut(&Statement)) {
    for statement in block {
        each(statement);
        match statement {
            Statement::Branch { arms, .. } => arms.iter().for_each(|arm| statements(arm, each)),
            Statement::Loop { body, .. } | Statement::While { body, .. } | Statement::Block(body) => {
                statements(body, each)
            }
            _ => {}
        }
    }
}

/// Each expression of a block, those inside others included.
pub(crate) fn expressions(block: &[Statement], each: &mut dyn FnMut(&Expression)) {
    statements(block, &mut |statement| match statement {
        Statement::Expression(value) | Statement::Export { value, .. } | Statement::Return(Some(value)) => {
            expression(value, each);
        }
        Statement::Assign { target, value, .. } => {
            pattern(target, each);
            expression(value, each);
        }
        Statement::Loop { each: Some((_, over)), .. } => expression(over, each),
        Statement::While { test, .. } => expression(test, each),
        _ => {}
    });
}

fn pattern(target: &Pattern, each: &mut dyn FnMut(&Expression)) {
    match target {
        Pattern::Part(part) => expression(part, each),
        Pattern::List(parts) => parts.iter().for_each(|part| pattern(part, each)),
        Pattern::Map { entries, .. } => entries.iter().for_each(|(_, part)| pattern(part, each)),
        Pattern::Default(inner, default) => {
            pattern(inner, each);
            expression(default, each);
        }
        Pattern::Rest(inner) => pattern(inner, each),
        Pattern::Name(_) | Pattern::Ignore => {}
    }
}

/// An expression and each one inside it.
pub(crate) fn expression(whole: &Expression, each: &mut dyn FnMut(&Expression)) {
    let mut waiting = vec![whole];
    while let Some(expression) = waiting.pop() {
        each(expression);
        match &expression.kind {
            Kind::Concat(parts)
            | Kind::List(parts)
            | Kind::Choice(parts)
            | Kind::Sequence(parts)
            | Kind::Compare(_, parts)
            | Kind::Opaque(parts) => waiting.extend(parts),
            Kind::Percent(left, right)
            | Kind::Divide(left, right)
            | Kind::Fallback(left, right)
            | Kind::Pair(left, right)
            | Kind::Contains { key: left, container: right } => waiting.extend([&**left, &**right]),
            Kind::Member { object, .. } => waiting.push(object),
            Kind::Index { object, index, .. } => waiting.extend([&**object, &**index]),
            Kind::Call { callee, arguments, .. } => {
                waiting.push(callee);
                waiting.extend(arguments.iter().map(|argument| &argument.value));
            }
            Kind::Map(entries) => {
                for entry in entries {
                    match entry {
                        Entry::Pair(key, value) => waiting.extend([key, value]),
                        Entry::Spread(value) => waiting.push(value),
                    }
                }
            }
            Kind::Spread(inner) | Kind::Test(inner) | Kind::Yield(inner) | Kind::Keys(inner) | Kind::Tail(inner) => {
                waiting.push(inner)
            }
            Kind::Assign(target, value) => {
                if let Pattern::Part(part) = &**target {
                    waiting.push(part);
                }
                waiting.push(value);
            }
            Kind::Comprehension { clauses, tests, element } => {
                waiting.extend(clauses.iter().map(|(_, over)| over));
                waiting.extend(tests);
                waiting.push(element);
            }
            Kind::Caught(Some(types)) => waiting.push(types),
            _ => {}
        }
    }
}
