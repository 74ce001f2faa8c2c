//! Calls: of local functions, classes and methods, and the methods every text, list and dictionary has.

use crate::evaluate::{Evaluator, Frame};
use crate::heap::Object;
use crate::syntax::{Argument, Expression, Kind, Name, ParameterKind, Pattern, Place, Spreading};
use crate::value::{Closure, External, Value};
use crate::{Language, event, library, taint};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

/// Local calls inside one another.
const MAX_FRAMES: usize = 48;
/// Different arguments one function is followed with.
const MAX_CONTEXTS: usize = 24;

/// What a call hands over.
#[derive(Debug, Clone, Default)]
pub(crate) struct Arguments {
    pub(crate) positional: Vec<Value>,
    pub(crate) named: Vec<(Name, Value)>,
    /// More may be there (`**something`).
    pub(crate) open: bool,
    pub(crate) construct: bool,
    pub(crate) place: Place,
}

impl Arguments {
    pub(crate) fn new(place: Place) -> Self {
        Self { place, ..Self::default() }
    }

    pub(crate) fn of(positional: Vec<Value>, place: Place) -> Self {
        Self { positional, place, ..Self::default() }
    }

    /// The argument at a position or of a name.
    pub(crate) fn get(&self, position: usize, name: &str) -> Option<&Value> {
        self.named(name).or_else(|| self.positional.get(position))
    }

    pub(crate) fn named(&self, name: &str) -> Option<&Value> {
        self.named.iter().find(|(argument, _)| &**argument == name).map(|(_, value)| value)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Value> {
        self.positional.iter().chain(self.named.iter().map(|(_, value)| value))
    }
}

impl Evaluator<'_> {
    pub(crate) fn call_expression(
        &mut self,
        callee: &Expression,
        arguments: &[Argument],
        construct: bool,
        place: Place,
    ) -> Value {
        if let Kind::Member { object, name, optional } = &callee.kind {
            let receiver = self.expression(object);
            let arguments = self.arguments(arguments, construct, place);
            if let Value::External(external) = &receiver
                && let Some(value) = self.super_call(external, name, &arguments)
            {
                return value;
            }
            return self.call_method(&receiver, name, *optional, arguments, callee.place);
        }
        // What compilers put around imports and asynchronous functions.
        if self.language == Language::JavaScript
            && let Kind::Name(name) = &callee.kind
        {
            match &**name {
                "__importDefault"
                | "__importStar"
                | "__toESM"
                | "_interopRequireDefault"
                | "_interopRequireWildcard"
                | "_interop_require_default"
                | "_interop_require_wildcard" => {
                    let arguments = self.arguments(arguments, construct, place);
                    return arguments.positional.into_iter().next().unwrap_or(Value::Unknown);
                }
                "__awaiter" | "_async_to_generator" | "_asyncToGenerator" => {
                    let arguments = self.arguments(arguments, construct, place);
                    let Some(body) = arguments.positional.last().cloned() else { return Value::Unknown };
                    return if &**name == "__awaiter" { self.call(&body, Arguments::new(place)) } else { body };
                }
                _ => {}
            }
        }
        let callee = self.expression(callee);
        let arguments = self.arguments(arguments, construct, place);
        if let Value::External(external) = &callee
            && external.path == "super"
            && self.language == Language::JavaScript
            && let Some(value) = self.super_call(external, "__init__", &arguments)
        {
            return value;
        }
        self.call(&callee, arguments)
    }

    fn arguments(&mut self, arguments: &[Argument], construct: bool, place: Place) -> Arguments {
        let mut out = Arguments { construct, place, ..Arguments::default() };
        for argument in arguments {
            let value = self.expression(&argument.value);
            match (argument.spread, &argument.name) {
                (Spreading::No, Some(name)) => out.named.push((name.clone(), value)),
                (Spreading::No, None) => out.positional.push(value),
                (Spreading::Items, _) => match self.items(&value) {
                    Some(items) => out.positional.extend(items),
                    None => {
                        let item = self.iterate(&value, place);
                        out.positional.push(item);
                        out.open = true;
                    }
                },
                (Spreading::Named, _) => {
                    let known = matches!(&value, Value::Object(id)
                        if self.heap.objects.get(*id).is_some_and(|object| object.others.is_none()));
                    out.open |= !known;
                    for one in value.alternatives() {
                        out.named.extend(self.fields(one));
                    }
                }
            }
        }
        out
    }

    /// `super().method(...)` and `super(...)`.
    fn super_call(&mut self, external: &External, name: &str, arguments: &Arguments) -> Option<Value> {
        if !matches!(external.path.as_str(), "super" | "super()") {
            return None;
        }
        let frame = self.frames.iter().rev().find(|frame| frame.class.is_some())?;
        let (class, receiver) = (frame.class.clone()?, frame.receiver.clone());
        for base in &class.bases {
            if let Value::Class(base) = base
                && let Some(Value::Function(closure)) = self.class_member(base, name, 0)
            {
                return Some(self.apply(&closure, receiver.clone(), arguments.clone()));
            }
        }
        Some(Value::Unknown)
    }

    /// Calls whatever a value is.
    pub(crate) fn call(&mut self, callee: &Value, arguments: Arguments) -> Value {
        match callee {
            Value::Function(closure) if arguments.construct => self.construct_function(closure, arguments),
            Value::Function(closure) => self.apply(closure, None, arguments),
            Value::Method(closure, receiver) => self.apply(closure, Some((**receiver).clone()), arguments),
            Value::Class(_) => self.instantiate(callee, arguments),
            Value::External(external) => library::call(self, external, arguments),
            Value::ClientMethod(client, name) => library::cloud::client_method(self, *client, name, &arguments),
            Value::ResourceMember(resource, name) => library::cloud::resource_method(self, resource, name, &arguments),
            Value::Object(_) => match self.member(callee, "__call__", true, arguments.place) {
                method @ Value::Method(..) => self.call(&method, arguments),
                _ => self.hand_over(&arguments),
            },
            Value::Any(values) => {
                let values = values.clone();
                values
                    .iter()
                    .map(|value| self.call(value, arguments.clone()))
                    .reduce(Value::or)
                    .unwrap_or(Value::Unknown)
            }
            _ => self.hand_over(&arguments),
        }
    }

    /// What is handed to something that can't be told may be called by it.
    pub(crate) fn hand_over(&mut self, arguments: &Arguments) -> Value {
        let functions: Vec<Value> = arguments.all().cloned().collect();
        for value in functions {
            self.refer(&value);
        }
        Value::Unknown
    }

    /// `receiver.name(...)`.
    fn call_method(
        &mut self,
        receiver: &Value,
        name: &str,
        optional: bool,
        arguments: Arguments,
        place: Place,
    ) -> Value {
        if let Value::Any(values) = receiver {
            let values = values.clone();
            return values
                .iter()
                .filter(|value| **value != Value::Nothing)
                .map(|value| self.call_method(value, name, true, arguments.clone(), place))
                .reduce(Value::or)
                .unwrap_or(Value::Unknown);
        }
        match name {
            "then" if self.language == Language::JavaScript => {
                let callback = arguments.positional.first().cloned().unwrap_or(Value::Nothing);
                if let Some(rejected) = arguments.positional.get(1) {
                    self.refer(&rejected.clone());
                }
                return self.call(&callback, Arguments::of(vec![receiver.clone()], arguments.place));
            }
            "catch" if self.language == Language::JavaScript => {
                let callback = arguments.positional.first().cloned().unwrap_or(Value::Nothing);
                let otherwise = self.call(&callback, Arguments::of(vec![taint::any_error()], arguments.place));
                return receiver.clone().or(otherwise);
            }
            "finally" if self.language == Language::JavaScript => {
                self.hand_over(&arguments);
                return receiver.clone();
            }
            // Version 2 of the JavaScript SDK.
            "promise" if self.language == Language::JavaScript && arguments.positional.is_empty() => {
                return receiver.clone();
            }
            "bind" if matches!(receiver, Value::Function(_) | Value::Method(..)) => return receiver.clone(),
            "call" | "apply" if matches!(receiver, Value::Function(_) | Value::Method(..)) => {
                let mut rest = arguments.clone();
                if !rest.positional.is_empty() {
                    rest.positional.remove(0);
                }
                return self.call(receiver, rest);
            }
            _ => {}
        }
        match receiver {
            Value::Object(_) => {
                let method = self.member(receiver, name, optional, place);
                match method {
                    Value::Nothing | Value::Unknown => self.container_method(receiver, name, arguments),
                    method => self.call(&method, arguments),
                }
            }
            Value::FromEvent(_) if name == "get" && self.language == Language::Python => {
                let key = arguments.positional.first().cloned().unwrap_or(Value::Unknown);
                let value = self.index(receiver, &key, true, place);
                match arguments.positional.get(1) {
                    Some(default) => crate::evaluate::fallback(value, default.clone()),
                    None => value,
                }
            }
            Value::Event(_) | Value::FromEvent(_) | Value::Text(_) | Value::Pattern(_) | Value::Environment(_) => {
                self.text_method(receiver, name, optional, arguments)
            }
            Value::Answer(_) if name == "get" => {
                let key = arguments.positional.first().cloned().unwrap_or(Value::Unknown);
                self.index(receiver, &key, true, place)
            }
            Value::Pending(operation, _) => {
                let operation = *operation;
                library::cloud::pending_call(self, operation, &arguments)
            }
            Value::Unknown | Value::Nothing | Value::Answer(_) => {
                if let Some(answer) = library::cloud::by_name(self, name, &arguments) {
                    return answer;
                }
                library::sinks::unknown_method(self, name, &arguments);
                if self.unknown_methods.len() < 2_000 {
                    self.unknown_methods.push(name.into());
                }
                self.call_back(&Value::Unknown, &arguments)
            }
            _ => {
                let method = self.member(receiver, name, optional, place);
                self.call(&method, arguments)
            }
        }
    }

    /// Runs callbacks that were handed to a method of a container or of something unknown.
    fn call_back(&mut self, item: &Value, arguments: &Arguments) -> Value {
        let mut result = Value::Unknown;
        for value in arguments.all().cloned().collect::<Vec<_>>() {
            if matches!(value, Value::Function(_) | Value::Method(..)) {
                let index = Value::Unknown;
                result = self.call(&value, Arguments::of(vec![item.clone(), index], arguments.place));
            }
        }
        result
    }

    /// Methods of lists and dictionaries.
    fn container_method(&mut self, receiver: &Value, name: &str, arguments: Arguments) -> Value {
        let Value::Object(id) = *receiver else { return Value::Unknown };
        let first = arguments.positional.first().cloned();
        let is_list = self.heap.objects.get(id).is_some_and(|object| object.items.is_some());
        if let ("includes" | "has" | "hasOwnProperty" | "indexOf", Some(key)) = (name, &first) {
            library::checks::membership(self, key, receiver);
            library::habits::contained(self, &key.clone(), receiver, arguments.place);
        }
        match name {
            "append" | "push" | "add" | "unshift" | "insert" | "appendleft" => {
                for value in &arguments.positional {
                    library::habits::grows(self, id, value, arguments.place);
                    self.refer(value);
                    self.heap.add_other(id, value.clone());
                }
                Value::Nothing
            }
            "extend" => {
                let item = first.map_or(Value::Unknown, |first| self.iterate(&first, arguments.place));
                self.heap.add_other(id, item);
                Value::Nothing
            }
            "get" | "pop" | "setdefault" if !is_list => {
                let key = first.unwrap_or(Value::Unknown);
                let value = self.index(receiver, &key, true, arguments.place);
                match arguments.positional.get(1) {
                    Some(default) if matches!(value, Value::Nothing | Value::Unknown) => default.clone(),
                    _ => value,
                }
            }
            "update" => {
                let spread = first.unwrap_or(Value::Nothing);
                if spread.is_tainted() {
                    self.heap.add_other(id, taint::derived(&[&spread]));
                }
                for (name, value) in self.fields(&spread).into_iter().chain(arguments.named) {
                    self.heap.set_field(id, name, value);
                }
                Value::Nothing
            }
            "items" => {
                let pairs: Vec<Value> = self
                    .fields(receiver)
                    .into_iter()
                    .map(|(name, value)| self.heap.list(vec![Value::Text(name), value]))
                    .collect();
                self.heap.list(pairs)
            }
            "values" => {
                let values = self.fields(receiver).into_iter().map(|(_, value)| value).collect();
                self.heap.list(values)
            }
            "copy" | "slice" | "reverse" | "concat" | "flat" | "sort" => {
                self.call_back(&Value::Unknown, &arguments);
                receiver.clone()
            }
            "join" => {
                let separator = first.unwrap_or_else(|| Value::text(","));
                self.join_items(receiver, &separator)
            }
            "map" | "flatMap" => {
                let item = self.iterate(receiver, arguments.place);
                let result = self.call_back(&item, &arguments);
                self.heap.object(Object { items: Some(Vec::new()), others: Some(result), ..Object::default() })
            }
            "filter" => {
                let item = self.iterate(receiver, arguments.place);
                self.call_back(&item, &arguments);
                receiver.clone()
            }
            "find" | "shift" | "pop" | "at" => {
                let item = self.iterate(receiver, arguments.place);
                self.call_back(&item, &arguments);
                item
            }
            "reduce" | "reduceRight" => {
                let item = self.iterate(receiver, arguments.place);
                let start = arguments.positional.get(1).cloned().unwrap_or_else(|| item.clone());
                match first {
                    Some(callback) => self.call(&callback, Arguments::of(vec![start, item], arguments.place)),
                    None => Value::Unknown,
                }
            }
            _ => {
                let item = self.iterate(receiver, arguments.place);
                self.call_back(&item, &arguments)
            }
        }
    }

    fn join_items(&mut self, list: &Value, separator: &Value) -> Value {
        let Some(items) = self.items(list) else {
            let item = self.iterate(list, Place::default());
            return taint::derived(&[&item]);
        };
        let mut parts = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                parts.push(separator.clone());
            }
            parts.push(item);
        }
        Value::concat(parts)
    }

    /// Methods of text and of parts of the event.
    fn text_method(&mut self, receiver: &Value, name: &str, optional: bool, arguments: Arguments) -> Value {
        let place = arguments.place;
        if let Some(answer) = library::cloud::by_name(self, name, &arguments) {
            return answer;
        }
        library::checks::text_method(self, receiver, name, &arguments);
        if matches!(name, "includes" | "indexOf" | "some" | "find" | "has") {
            let key = arguments.positional.first().cloned().unwrap_or(Value::Unknown);
            library::habits::contained(self, &key, receiver, place);
        }
        if matches!(name, "repeat" | "padStart" | "padEnd" | "ljust" | "rjust" | "zfill") {
            let times = arguments.positional.first().cloned().unwrap_or(Value::Unknown);
            taint::sink(self, graph::Sink::Amount, &times, place);
        }
        if let Value::Event(path) = receiver {
            let python = self.language == Language::Python;
            match (name, arguments.positional.first()) {
                ("get", Some(Value::Text(key))) if python => {
                    let value = event::field(self, path, key, false, place);
                    event::guard(self, &value);
                    return match arguments.positional.get(1) {
                        Some(default) => crate::evaluate::fallback(value, default.clone()),
                        None => value,
                    };
                }
                // Powertools' events.
                ("get_query_string_value" | "get_header_value", _) if python => {
                    let part = if name == "get_header_value" { "headers" } else { "queryStringParameters" };
                    let whole = event::field(self, path, part, false, place);
                    return match (whole, arguments.get(0, "name").and_then(Value::as_text)) {
                        (Value::Event(whole), Some(key)) => event::field(self, &whole, key, false, place),
                        (whole, _) => whole,
                    };
                }
                ("pop" | "setdefault", Some(Value::Text(key))) if python => {
                    let required = name == "pop" && arguments.positional.len() < 2;
                    return event::field(self, path, key, required, place);
                }
                ("hasOwnProperty", Some(key)) => {
                    event::guard_key(self, receiver, &key.clone(), place);
                    return Value::Unknown;
                }
                _ => {}
            }
            if optional {
                event::guard(self, receiver);
            } else {
                event::require(self, receiver);
            }
            match name {
                "forEach" | "some" | "every" | "find" | "filter" | "map" | "flatMap" | "reduce" => {
                    let item = event::element(path);
                    if name == "reduce" {
                        let start = arguments.positional.get(1).cloned().unwrap_or(item.clone());
                        let callback = arguments.positional.first().cloned().unwrap_or(Value::Unknown);
                        return self.call(&callback, Arguments::of(vec![start, item], place));
                    }
                    let result = self.call_back(&item, &arguments);
                    return match name {
                        "find" => item,
                        "filter" => receiver.clone(),
                        "map" | "flatMap" => self.heap.object(Object {
                            items: Some(Vec::new()),
                            others: Some(result),
                            ..Object::default()
                        }),
                        _ => taint::harmless(&[receiver], taint::EVERYWHERE),
                    };
                }
                "items" | "keys" | "values" | "entries" | "split" => return taint::derived(&[receiver]),
                "slice" if matches!(arguments.positional.first(), Some(Value::Number(from)) if *from < 0) => {
                    return taint::cleaned(receiver, taint::only(&[graph::Sink::PrivateLog, graph::Sink::PlainStore]));
                }
                "strip" | "trim" | "toString" | "decode" | "encode" | "copy" | "slice" | "raw_event" => {
                    return receiver.clone();
                }
                _ => {}
            }
        }
        match name {
            "format" => {
                let text = self.format(receiver, &arguments);
                taint::joined(self, text, place)
            }
            "join" if self.language == Language::Python => {
                let list = arguments.positional.first().cloned().unwrap_or(Value::Unknown);
                self.join_items(&list, receiver)
            }
            "strip" | "trim" | "rstrip" | "lstrip" | "toString" | "encode" | "decode" | "as_posix" | "resolve"
            | "absolute" | "toLowerCase" | "lower" | "expanduser" => receiver.clone(),
            "concat" => {
                let mut parts = vec![receiver.clone()];
                parts.extend(arguments.positional);
                Value::concat(parts)
            }
            "joinpath" => {
                let mut parts = vec![receiver.clone()];
                for part in arguments.positional {
                    parts.push(Value::text("/"));
                    parts.push(part);
                }
                Value::concat(parts)
            }
            "replace" | "replaceAll" | "split" | "rsplit" | "match" | "matchAll" | "search" | "substring" | "slice" => {
                library::sinks::pattern_method(self, receiver, name, &arguments);
                let part = taint::derived(&[receiver]);
                self.call_back(&part, &arguments);
                library::checks::replaced(name, receiver, &arguments)
            }
            _ => {
                library::path_method(self, receiver, name, &arguments);
                let part = taint::derived(&[receiver]);
                self.call_back(&part, &arguments);
                match library::checks::tells(name) {
                    true => taint::harmless(&[receiver], taint::EVERYWHERE),
                    false => part,
                }
            }
        }
    }

    fn format(&mut self, receiver: &Value, arguments: &Arguments) -> Value {
        let Some(text) = receiver.as_text() else {
            library::sinks::format(self, receiver, arguments);
            let all: Vec<&Value> = std::iter::once(receiver).chain(arguments.all()).collect();
            return taint::derived(&all);
        };
        let mut parts = Vec::new();
        let mut next = 0;
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            parts.push(Value::text(before));
            let Some((name, after)) = after.split_once('}') else { break };
            rest = after;
            let name = name.split([':', '!', '.', '[']).next().unwrap_or(name);
            let value = if name.is_empty() {
                next += 1;
                arguments.positional.get(next - 1)
            } else if let Ok(index) = name.parse::<usize>() {
                arguments.positional.get(index)
            } else {
                arguments.named(name)
            };
            parts.push(value.cloned().unwrap_or(Value::Unknown));
        }
        parts.push(Value::text(rest));
        Value::concat(parts)
    }

    /// A function handed to a decorator: a local one is followed, a library's is taken to call it.
    pub(crate) fn apply_decorator(&mut self, decorator: Value, function: Value, place: Place) -> Value {
        match &decorator {
            Value::Function(_) | Value::Method(..) | Value::Class(_) => {
                let result = self.call(&decorator, Arguments::of(vec![function.clone()], place));
                match result {
                    Value::Function(_) | Value::Method(..) | Value::Object(_) => result,
                    _ => function,
                }
            }
            Value::External(external) if library::is_transparent_decorator(&external.path) => function,
            Value::External(external) if library::durable::decorated(external, &function).is_some() => {
                library::durable::decorated(external, &function).unwrap_or(function)
            }
            Value::External(external) => {
                library::routes::decorated(self, external, &function);
                self.refer(&function);
                function
            }
            _ => {
                self.refer(&function);
                function
            }
        }
    }

    // --- local functions and classes ---

    fn instantiate(&mut self, class: &Value, arguments: Arguments) -> Value {
        let Value::Class(definition) = class else { return Value::Unknown };
        let instance = self.heap.object(Object { class: Some(definition.clone()), ..Object::default() });
        if let Some(Value::Function(constructor)) = self.class_member(definition, "__init__", 0) {
            self.apply(&constructor, Some(instance.clone()), arguments);
        } else if let Value::Object(id) = instance {
            // A data class takes its fields by name.
            for (name, value) in arguments.named {
                self.heap.set_field(id, name, value);
            }
        }
        if self.instances.len() < 1_000 {
            self.instances.push(instance.clone());
        }
        instance
    }

    /// `new f()` of a plain function.
    fn construct_function(&mut self, closure: &Rc<Closure>, arguments: Arguments) -> Value {
        let instance = self.heap.object(Object::default());
        match self.apply(closure, Some(instance.clone()), arguments) {
            result @ Value::Object(_) => result,
            _ => instance,
        }
    }

    /// Runs a local function.
    pub(crate) fn apply(&mut self, closure: &Rc<Closure>, receiver: Option<Value>, arguments: Arguments) -> Value {
        let key = (closure.module, closure.function);
        self.applied.insert(key);
        let running = self
            .frames
            .iter()
            .filter(|frame| frame.module == closure.module && frame.function == Some(closure.function))
            .count();
        if running >= 1 {
            self.record.recursive.insert(key);
        }
        if running >= 2 || self.frames.len() >= MAX_FRAMES || self.gave_up() {
            self.hand_over(&arguments);
            return Value::Unknown;
        }
        let mut hasher = DefaultHasher::new();
        (key, closure.scope, arguments.open).hash(&mut hasher);
        for value in receiver.iter().chain(&arguments.positional) {
            self.heap.fingerprint(value, 4, &mut hasher);
        }
        for (name, value) in &arguments.named {
            name.hash(&mut hasher);
            self.heap.fingerprint(value, 4, &mut hasher);
        }
        let print = hasher.finish();
        if let Some(result) = self.results.get(&print).cloned() {
            for value in self.handed_on.get(&print).cloned().unwrap_or_default() {
                library::habits::answered(self, &value, arguments.place);
            }
            return result;
        }
        let count = self.call_counts.entry(key).or_default();
        *count += 1;
        if *count > MAX_CONTEXTS {
            return Value::Unknown;
        }
        let Some(file) = self.modules.get(closure.module).map(|module| module.file.clone()) else {
            return Value::Unknown;
        };
        let Some(function) = file.module.functions.get(closure.function) else { return Value::Unknown };
        let scope = self.heap.scope(Some(closure.scope));
        let place = arguments.place;
        let caller = self.module();
        self.frames.push(Frame {
            module: closure.module,
            scope,
            closure_scope: scope,
            function: Some(closure.function),
            class: closure.class.clone(),
            receiver: receiver.clone(),
            returns: None,
            called_at: Some((caller, place)),
            handed_on: Vec::new(),
            arms: Vec::new(),
            left: Vec::new(),
        });
        let mut positional = arguments.positional.into_iter();
        let mut named = arguments.named;
        let mut parameters = function.parameters.iter();
        if let Some(receiver) = receiver {
            match self.language {
                Language::JavaScript => self.heap.set(scope, "this".into(), receiver),
                Language::Python if !function.is_static => {
                    if let Some(first) = parameters.next() {
                        self.assign(&first.target, receiver, true);
                    }
                }
                Language::Python => {}
            }
        }
        if self.language == Language::JavaScript {
            let all = self.heap.list(positional.as_slice().to_vec());
            self.heap.set(scope, "arguments".into(), all);
        }
        for parameter in parameters {
            let value = match parameter.kind {
                ParameterKind::Rest => {
                    let rest: Vec<Value> = positional.by_ref().collect();
                    let others = arguments.open.then_some(Value::Unknown);
                    Some(self.heap.object(Object { items: Some(rest), others, ..Object::default() }))
                }
                ParameterKind::RestNamed => {
                    let fields = std::mem::take(&mut named);
                    let others = arguments.open.then_some(Value::Unknown);
                    Some(self.heap.object(Object { fields, others, ..Object::default() }))
                }
                ParameterKind::Plain => {
                    let by_name = match &parameter.target {
                        Pattern::Name(name) => named.iter().position(|(argument, _)| argument == name),
                        _ => None,
                    };
                    match by_name {
                        Some(at) => Some(named.remove(at).1),
                        None => positional.next(),
                    }
                }
            };
            let value = match (value, &parameter.default) {
                (Some(value), Some(default)) if self.language == Language::JavaScript => {
                    let default = self.expression(default);
                    crate::evaluate::fallback(value, default)
                }
                (Some(value), _) => value,
                (None, Some(default)) => self.expression(default),
                (None, None) => Value::Unknown,
            };
            let value = match &parameter.target {
                Pattern::Name(name) => taint::handed(caller, value, name, place),
                _ => value,
            };
            self.assign(&parameter.target, value, true);
        }
        let loading = std::mem::replace(&mut self.heap.loading, false);
        self.block(&function.body);
        self.heap.loading = loading;
        let ended = self.frames.pop();
        let (result, handed_on) = ended.map(|frame| (frame.returns, frame.handed_on)).unwrap_or_default();
        let result = result.unwrap_or(Value::Nothing);
        if !handed_on.is_empty() {
            self.handed_on.insert(print, handed_on);
        }
        self.results.insert(print, result.clone());
        result
    }
}
