//! JavaScript's own ways of putting a name on an object and of asking for a module.

use crate::call::Arguments;
use crate::evaluate::Evaluator;
use crate::value::{External, Value};
use std::rc::Rc;

/// Calls that define names or load modules.
pub(crate) fn call(evaluator: &mut Evaluator<'_>, path: &str, arguments: &Arguments) -> Option<Value> {
    match path {
        "Object.defineProperty" | "Reflect.defineProperty" => {
            let [target, name, description, ..] = arguments.positional.as_slice() else { return None };
            let (target, description) = (target.clone(), description.clone());
            let name = name.as_text()?.to_string();
            define(evaluator, &target, &name, &description, arguments);
            Some(target)
        }
        "Object.defineProperties" => {
            let [target, descriptions, ..] = arguments.positional.as_slice() else { return None };
            let target = target.clone();
            for (name, description) in evaluator.fields(descriptions) {
                define(evaluator, &target, &name, &description, arguments);
            }
            Some(target)
        }
        "module.createRequire()" | "createRequire()" => {
            let require = Rc::new(External { path: "require".to_string(), carried: Vec::new() });
            Some(super::call(evaluator, &require, arguments.clone()))
        }
        _ => None,
    }
}

fn define(evaluator: &mut Evaluator<'_>, target: &Value, name: &str, description: &Value, arguments: &Arguments) {
    let Value::Object(id) = target else { return };
    let value = match evaluator.own_field(description, "value") {
        Some(value) => value,
        None => {
            let Some(getter) = evaluator.own_field(description, "get") else { return };
            evaluator.call(&getter, Arguments::new(arguments.place))
        }
    };
    evaluator.heap.set_field(*id, name.into(), value);
}
