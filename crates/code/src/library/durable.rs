//! Durable functions: what their context does in the function's name. It invokes other functions by itself, and runs the callbacks it
//! is handed with a context of their own.
//!
//! Deliberately absent: checkpoints, which the platform makes with permissions of its managed policy.

use crate::call::Arguments;
use crate::evaluate::Evaluator;
use crate::library::cloud::record_named;
use crate::value::{External, Value};
use std::rc::Rc;

/// How a handler's second argument is known by its path.
const CONTEXT: &str = "context";
/// How a function that runs as a step is known.
const STEP: &str = "durable step";

/// A function that runs as a step: what calls it hands over all of its arguments but the first, which is the step's own context.
pub(crate) fn decorated(decorator: &External, function: &Value) -> Option<Value> {
    let name = decorator.path.trim_end_matches("()").rsplit('.').next()?;
    let is_step = matches!(name, "durable_step" | "durable_with_child_context" | "durable_parallel_branch");
    is_step.then(|| Value::External(Rc::new(External { path: STEP.to_string(), carried: vec![function.clone()] })))
}

/// Calls a function that was made a step.
pub(crate) fn step(evaluator: &mut Evaluator<'_>, external: &External, arguments: &Arguments) -> Option<Value> {
    let function = external.carried.first().filter(|_| external.path == STEP)?.clone();
    let mut handed = arguments.clone();
    handed.positional.insert(0, Value::external(CONTEXT));
    Some(evaluator.call(&function, handed))
}

/// Calls of a durable context; none where something else is called, or the code isn't durable.
pub(crate) fn call(evaluator: &mut Evaluator<'_>, path: &str, arguments: &Arguments) -> Option<Value> {
    let name = path.strip_prefix(CONTEXT)?.strip_prefix('.')?;
    let durable = evaluator.record.imports.iter().any(|package| {
        package.starts_with("aws_durable_execution_sdk") || package.starts_with("@aws/durable-execution-sdk")
    });
    if !durable {
        return None;
    }
    match name {
        "invoke" => {
            let positional = &arguments.positional;
            // In JavaScript the step may have a name in front.
            let named_first = positional.len() > 2
                || matches!(
                    (positional.first(), positional.get(1)),
                    (Some(Value::Text(_)), Some(Value::Environment(_)))
                );
            let at = usize::from(evaluator.language == crate::Language::JavaScript && named_first);
            let function = arguments.get(at, "function_name").cloned();
            record_named(evaluator, "lambda", &["Invoke"], "FunctionName", function, arguments.place);
            Some(Value::Unknown)
        }
        "step"
        | "parallel"
        | "map"
        | "run_in_child_context"
        | "runInChildContext"
        | "wait_for_callback"
        | "waitForCallback"
        | "wait_for_condition"
        | "waitForCondition" => {
            let mut results = Value::Nothing;
            let item = arguments.positional.iter().find(|value| !super::callee_like(value)).cloned();
            for handed in arguments.all().cloned().collect::<Vec<_>>() {
                let callbacks = match evaluator.items(&handed) {
                    Some(items) => items,
                    None => vec![handed],
                };
                for callback in callbacks {
                    // A branch may have a name beside its function.
                    let callback = match evaluator.own_field(&callback, "func") {
                        Some(inner) => inner,
                        None => callback,
                    };
                    if super::callee_like(&callback) {
                        let mut given = vec![Value::external(CONTEXT)];
                        if name == "map" {
                            let over = item.clone().unwrap_or(Value::Unknown);
                            given.push(evaluator.iterate(&over, arguments.place));
                        }
                        results = results.or(evaluator.call(&callback, Arguments::of(given, arguments.place)));
                    }
                }
            }
            Some(results)
        }
        _ => None,
    }
}
