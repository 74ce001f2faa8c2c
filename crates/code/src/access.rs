//! Reading parts of values: members, elements, and what a loop goes over.

use crate::Language;
use crate::call::Arguments;
use crate::evaluate::Evaluator;
use crate::syntax::{Name, Place};
use crate::value::{ClassValue, Closure, External, Resource, Value};
use crate::{event, library, taint};
use std::rc::Rc;

/// Paths of library things don't grow longer.
const MAX_PATH: usize = 160;

impl Evaluator<'_> {
    /// `object.name`.
    pub(crate) fn member(&mut self, object: &Value, name: &str, optional: bool, place: Place) -> Value {
        if let Value::Any(values) = object {
            let values = values.clone();
            return values
                .iter()
                .map(|value| self.member(value, name, true, place))
                .filter(|value| *value != Value::Nothing)
                .reduce(Value::or)
                .unwrap_or(Value::Unknown);
        }
        match object {
            Value::Event(path) => {
                if self.language == Language::Python {
                    return event::attribute(self, path, name, place);
                }
                if !optional {
                    event::require(self, object);
                } else {
                    event::guard(self, object);
                }
                match name {
                    "length" => taint::harmless(&[object], taint::EVERYWHERE),
                    _ => event::field(self, path, name, false, place),
                }
            }
            Value::FromEvent(_) if matches!(name, "length" | "size") => taint::harmless(&[object], taint::EVERYWHERE),
            // The last part of a path.
            Value::FromEvent(_) if self.language == Language::Python && matches!(name, "name" | "stem" | "suffix") => {
                taint::cleaned(&taint::part(object, name), taint::PATHS)
            }
            Value::FromEvent(_) => taint::part(object, name),
            // Parts of a URL say of its host what the whole does.
            Value::Text(_) | Value::Pattern(_) | Value::Environment(_)
                if matches!(name, "hostname" | "host" | "netloc" | "href" | "origin" | "parent") =>
            {
                object.clone()
            }
            Value::Object(id) => self.object_member(*id, object, name, place),
            Value::Module(module) => {
                if let Some(value) = self.export(*module, name) {
                    return value;
                }
                self.package_member(*module, name)
            }
            Value::External(external) => library::member(self, external, name),
            Value::Class(class) => match self.class_member(class, name, 0) {
                Some(Value::Function(closure)) => Value::Method(closure, Box::new(object.clone())),
                Some(value) => value,
                None => Value::Unknown,
            },
            Value::Client(client) => match name {
                "exceptions" | "meta" | "config" | "middlewareStack" => Value::external(name),
                _ => Value::ClientMethod(*client, name.into()),
            },
            Value::Resource(resource) => library::cloud::resource_attribute(self, resource, name),
            Value::Answer(answer) => match name {
                // The answer names what was asked for.
                "QueueUrl" | "TopicArn" | "Url" | "Arn" => Value::Answer(answer.clone()),
                _ => library::records::part(self, answer, name),
            },
            _ => Value::Unknown,
        }
    }

    fn object_member(&mut self, id: usize, receiver: &Value, name: &str, place: Place) -> Value {
        let Some(object) = self.heap.objects.get(id) else { return Value::Unknown };
        if let Some(value) = object.field(name) {
            let value = value.clone();
            // A framework's request has the event's parts under names of its own.
            if let Value::Event(path) = &value {
                let site = self.site(place);
                self.record.field(site, path.clone(), false);
            }
            return value;
        }
        let others = object.others.clone();
        let is_list = object.items.is_some();
        if let Some(class) = object.class.clone()
            && let Some(value) = self.class_member(&class, name, 0)
        {
            return match value {
                Value::Function(closure) => {
                    let is_property = self.definition(&closure, |function| function.is_property);
                    let is_static = self.definition(&closure, |function| function.is_static);
                    let receiver = (is_static != Some(true)).then(|| receiver.clone());
                    if is_property == Some(true) {
                        return self.apply(&closure, receiver, Arguments::new(place));
                    }
                    match receiver {
                        Some(receiver) => Value::Method(closure, Box::new(receiver)),
                        None => Value::Function(closure),
                    }
                }
                value => value,
            };
        }
        match others {
            Some(value) if !is_list => value,
            _ if is_list => Value::Unknown,
            _ => Value::Nothing,
        }
    }

    /// A method or variable of a class or of those it inherits from.
    pub(crate) fn class_member(&mut self, class: &Rc<ClassValue>, name: &str, depth: usize) -> Option<Value> {
        if let Some(value) = self.heap.variable(class.members, name) {
            return Some(value.clone());
        }
        if depth > 16 {
            return None;
        }
        for base in &class.bases {
            if let Value::Class(base) = base
                && let Some(value) = self.class_member(base, name, depth + 1)
            {
                return Some(value);
            }
        }
        None
    }

    pub(crate) fn definition<T>(&self, closure: &Closure, read: impl Fn(&crate::syntax::Function) -> T) -> Option<T> {
        self.modules.get(closure.module)?.file.module.functions.get(closure.function).map(read)
    }

    /// `package.module`, where the module is a file of its own.
    fn package_member(&mut self, module: usize, name: &str) -> Value {
        let Some(path) = self.modules.get(module).map(|module| module.file.path.clone()) else { return Value::Unknown };
        if let Some(folder) = path.strip_suffix("__init__.py") {
            let base = format!("{folder}{name}");
            if let Some(path) = self.project.python_module(&base)
                && let Some(module) = self.load(&path)
            {
                return Value::Module(module);
            }
        }
        Value::Unknown
    }

    /// `object[index]`.
    pub(crate) fn index(&mut self, object: &Value, index: &Value, optional: bool, place: Place) -> Value {
        if let Value::Any(values) = object {
            let values = values.clone();
            return values
                .iter()
                .map(|value| self.index(value, index, optional, place))
                .filter(|value| *value != Value::Nothing)
                .reduce(Value::or)
                .unwrap_or(Value::Unknown);
        }
        match (object, index) {
            (Value::Event(path), Value::Text(key)) => {
                if self.language == Language::Python {
                    return event::field(self, path, key, true, place);
                }
                self.member(object, key, optional, place)
            }
            (Value::Event(path), Value::Number(_)) => {
                event::require(self, object);
                event::element(path)
            }
            (Value::FromEvent(_), Value::Text(key)) => taint::part(object, key),
            (Value::Event(_) | Value::FromEvent(_), _) => taint::derived(&[object]),
            (Value::Object(id), Value::Number(number)) => {
                let Some(object) = self.heap.objects.get(*id) else { return Value::Unknown };
                let Some(items) = &object.items else {
                    // What bundlers number their modules by is a name like another.
                    let named = object.field(&number.to_string()).cloned();
                    return named.or_else(|| object.others.clone()).unwrap_or(Value::Unknown);
                };
                let at = if *number < 0 { items.len() as i64 + number } else { *number };
                let item = usize::try_from(at).ok().and_then(|at| items.get(at)).cloned();
                item.or_else(|| object.others.clone()).unwrap_or(Value::Unknown)
            }
            (Value::External(external), Value::Text(key)) => library::index(self, external, key),
            (_, Value::Text(key)) => self.member(object, key, optional, place),
            (Value::Object(id), _) => {
                // Any of the entries.
                let Some(object) = self.heap.objects.get(*id) else { return Value::Unknown };
                let values = object.fields.iter().map(|(_, value)| value).chain(object.items.iter().flatten());
                values.chain(&object.others).cloned().reduce(Value::or).unwrap_or(Value::Unknown)
            }
            (Value::Client(client), _) => {
                let service = client.service.boto3();
                self.doubt(place, format!("which operation of `{service}` is called is worked out at run time"));
                Value::Unknown
            }
            _ => Value::Unknown,
        }
    }

    /// The item that a pattern takes out at a position.
    pub(crate) fn item(&mut self, value: &Value, position: usize) -> Value {
        match value {
            Value::Object(id) => {
                let Some(object) = self.heap.objects.get(*id) else { return Value::Unknown };
                let item = object.items.as_ref().and_then(|items| items.get(position)).cloned();
                item.or_else(|| object.others.clone()).unwrap_or(Value::Unknown)
            }
            Value::Event(path) => event::element(path),
            Value::Any(values) => {
                let values = values.clone();
                values.iter().map(|value| self.item(value, position)).reduce(Value::or).unwrap_or(Value::Unknown)
            }
            Value::FromEvent(_) => value.clone(),
            _ => Value::Unknown,
        }
    }

    /// The items of a list, where all are known.
    pub(crate) fn items(&self, value: &Value) -> Option<Vec<Value>> {
        let Value::Object(id) = value else { return None };
        let object = self.heap.objects.get(*id)?;
        if object.others.is_some() {
            return None;
        }
        object.items.clone()
    }

    /// What a loop over a value sees.
    pub(crate) fn iterate(&mut self, value: &Value, place: Place) -> Value {
        match value {
            Value::Event(path) => {
                event::require(self, value);
                event::element(path)
            }
            Value::FromEvent(_) => value.clone(),
            Value::Object(id) => {
                let Some(object) = self.heap.objects.get(*id) else { return Value::Unknown };
                let all: Vec<Value> = match &object.items {
                    Some(items) => items.iter().chain(&object.others).cloned().collect(),
                    None => object.fields.iter().map(|(name, _)| Value::Text(name.clone())).collect(),
                };
                all.into_iter().reduce(Value::or).unwrap_or(Value::Unknown)
            }
            Value::Any(values) => {
                let values = values.clone();
                values.iter().map(|value| self.iterate(value, place)).reduce(Value::or).unwrap_or(Value::Unknown)
            }
            Value::Resource(resource) => library::cloud::iterate(self, resource, place),
            // Pages of an answer.
            Value::Answer(answer) if answer.read.is_some() => value.clone(),
            Value::Pending(operation, _) => {
                let operation = *operation;
                library::cloud::record_plain(self, operation, place);
                Value::Unknown
            }
            _ => Value::Unknown,
        }
    }

    /// A library's thing one step on.
    pub(crate) fn extend(&self, external: &External, step: &str) -> Value {
        if external.path.len() + step.len() > MAX_PATH {
            return Value::Unknown;
        }
        let path = format!("{}{step}", external.path);
        Value::External(Rc::new(External { path, carried: external.carried.clone() }))
    }

    /// A resource with another target or kind.
    pub(crate) fn resource(&self, resource: &Resource, kind: &'static str, target: Value) -> Value {
        Value::Resource(Rc::new(Resource {
            service: resource.service,
            kind,
            collection: None,
            target,
            another: resource.another,
        }))
    }

    /// Notes a function that something may call, or those in a list or dictionary.
    pub(crate) fn refer(&mut self, value: &Value) {
        self.refer_deep(value, 3);
    }

    fn refer_deep(&mut self, value: &Value, depth: usize) {
        for one in value.alternatives() {
            match one {
                Value::Function(_) | Value::Method(..) if self.referenced.len() < 2_000 => {
                    self.referenced.push(one.clone());
                }
                Value::Object(id) if depth > 0 => {
                    let Some(object) = self.heap.objects.get(*id) else { continue };
                    // An instance is called through its methods, not its fields.
                    if object.class.is_some() {
                        continue;
                    }
                    let fields = object.fields.iter().map(|(_, value)| value);
                    let inner: Vec<Value> = fields
                        .chain(object.items.iter().flatten())
                        .chain(&object.others)
                        .filter(|value| {
                            matches!(value, Value::Function(_) | Value::Method(..) | Value::Object(_) | Value::Any(_))
                        })
                        .take(50)
                        .cloned()
                        .collect();
                    for value in inner {
                        self.refer_deep(&value, depth - 1);
                    }
                }
                _ => {}
            }
        }
    }

    /// The name-value pairs of a dictionary.
    pub(crate) fn fields(&self, value: &Value) -> Vec<(Name, Value)> {
        match value {
            Value::Object(id) => self.heap.objects.get(*id).map(|object| object.fields.clone()).unwrap_or_default(),
            _ => Vec::new(),
        }
    }
}
