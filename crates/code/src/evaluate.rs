//! The evaluation core, one for both languages: runs lowered statements over abstract values.
//!
//! Every arm of a branch runs and the results are joined; loop bodies run once; calls of local functions are followed
//! with the arguments they got, each combination once. What libraries do is [`crate::library`]'s business.
//!
//! What it misses, on purpose: the order of callbacks, aliasing through containers whose keys can't be told, and
//! classes that are made at run time.

use crate::heap::{Heap, MAX_MEMBERS, Object};
use crate::project::{Loaded, Project, Roots};
use crate::record::{Record, Site, site};
use crate::syntax::{Entry, Expression, Imported, Kind, Name, Pattern, Place, Statement};
use crate::value::{ClassValue, Closure, ScopeId, Value};
use crate::{Language, event, library, taint};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

/// Expressions evaluated for one handler before the reader gives up.
const MAX_STEPS: usize = 400_000;
/// Branches of one function whose arms are told apart.
const MAX_ARMS: usize = 256;
/// Nesting of expressions and statements across calls.
pub(crate) const MAX_DEPTH: usize = 1_200;
/// Modules of one handler.
const MAX_MODULES: usize = 400;

pub(crate) struct LocalModule {
    pub(crate) file: Arc<Loaded>,
    pub(crate) scope: ScopeId,
    /// JavaScript: the object `module`, whose `exports` is what others see.
    pub(crate) module: Option<Value>,
}

/// How a statement or block ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// The next statement runs.
    On,
    /// It leaves the loop or `switch`, with the variables as they are.
    Breaks,
    /// It leaves the function.
    Leaves,
}

/// The function (or module, or class body) that runs.
pub(crate) struct Frame {
    pub(crate) module: usize,
    pub(crate) scope: ScopeId,
    /// The scope that functions defined here close over; differs in class bodies.
    pub(crate) closure_scope: ScopeId,
    pub(crate) function: Option<usize>,
    pub(crate) class: Option<Rc<ClassValue>>,
    pub(crate) receiver: Option<Value>,
    pub(crate) returns: Option<Value>,
    /// Where it is called, by module and place.
    pub(crate) called_at: Option<(usize, Place)>,
    /// What its callers were answered with of what they had handed in.
    pub(crate) handed_on: Vec<Value>,
    /// Which arms of which branches this is in, from the outside in.
    pub(crate) arms: Vec<Arm>,
    /// Arms that didn't come back.
    pub(crate) left: Vec<Arm>,
}

/// A branch that was run, and one of its arms; [`AFTER`] for what comes after those that left.
pub(crate) type Arm = (u32, u32);

/// Not one of the arms of a branch, but what follows where none of those that leave was taken.
pub(crate) const AFTER: u32 = u32::MAX;

pub(crate) struct Evaluator<'p> {
    pub(crate) project: &'p Project<'p>,
    pub(crate) language: Language,
    pub(crate) roots: Roots,
    /// What is in the code root, once that was asked.
    pub(crate) root_names: Option<HashSet<String>>,
    pub(crate) modules: Vec<LocalModule>,
    by_path: HashMap<String, usize>,
    pub(crate) heap: Heap,
    pub(crate) frames: Vec<Frame>,
    /// Results of calls, by function and arguments.
    pub(crate) results: HashMap<u64, Value>,
    /// How many branches were run.
    branches: u32,
    /// What calls handed on to the caller of the handler, by function and arguments.
    pub(crate) handed_on: HashMap<u64, Vec<Value>>,
    /// How deep a framework's route runs, and whether what it returns is a page.
    pub(crate) route: Option<(usize, bool)>,
    pub(crate) call_counts: HashMap<(usize, usize), usize>,
    /// Functions that ran.
    pub(crate) applied: HashSet<(usize, usize)>,
    /// Functions that were handed to something that may call them.
    pub(crate) referenced: Vec<Value>,
    /// Functions that a framework calls for requests.
    pub(crate) routes: Vec<library::routes::Route>,
    /// Methods called on something that can't be told.
    pub(crate) unknown_methods: Vec<Name>,
    pub(crate) instances: Vec<Value>,
    /// Services that boto3 clients were made for.
    pub(crate) clients: Vec<facts::Service>,
    /// Whether what runs is something that the handler doesn't get to.
    /// Where the handler stands.
    pub(crate) handler_place: Option<(usize, Place)>,
    /// What listens to events of the program's own, by their names.
    pub(crate) listeners: Vec<(String, Value)>,
    pub(crate) in_dead_code: bool,
    /// Whether the condition of a loop is looked at.
    pub(crate) in_loop_head: bool,
    /// The assignment that runs.
    pub(crate) statement_place: Option<Place>,
    steps: usize,
    pub(crate) depth: usize,
    pub(crate) record: Record,
}

impl<'p> Evaluator<'p> {
    pub(crate) fn new(project: &'p Project<'p>, roots: Roots, language: Language) -> Self {
        Self {
            project,
            language,
            roots,
            root_names: None,
            modules: Vec::new(),
            by_path: HashMap::new(),
            heap: Heap::default(),
            frames: Vec::new(),
            results: HashMap::new(),
            branches: 0,
            handed_on: HashMap::new(),
            route: None,
            call_counts: HashMap::new(),
            applied: HashSet::new(),
            referenced: Vec::new(),
            routes: Vec::new(),
            unknown_methods: Vec::new(),
            instances: Vec::new(),
            clients: Vec::new(),
            handler_place: None,
            listeners: Vec::new(),
            in_dead_code: false,
            in_loop_head: false,
            statement_place: None,
            steps: 0,
            depth: 0,
            record: Record::default(),
        }
    }

    /// Counts work that isn't the evaluation of an expression.
    pub(crate) fn work(&mut self, steps: usize) {
        self.steps = self.steps.saturating_add(steps);
    }

    /// Whether the limit of steps was reached.
    pub(crate) fn gave_up(&self) -> bool {
        self.steps >= MAX_STEPS
    }

    pub(crate) fn module(&self) -> usize {
        self.frames.last().map_or(0, |frame| frame.module)
    }

    fn scope(&self) -> ScopeId {
        self.frames.last().map_or(0, |frame| frame.scope)
    }

    pub(crate) fn site(&self, place: Place) -> Site {
        site(self.module(), place)
    }

    pub(crate) fn doubt(&mut self, place: Place, why: impl Into<String>) {
        let site = self.site(place);
        self.record.doubts.entry(site).or_insert_with(|| why.into());
    }

    // --- modules ---

    /// Runs a file of the repository, once.
    pub(crate) fn load(&mut self, path: &str) -> Option<usize> {
        if let Some(index) = self.by_path.get(path) {
            return Some(*index);
        }
        if self.modules.len() >= MAX_MODULES {
            return None;
        }
        let file = self.project.load(path, self.language)?;
        Some(self.run_module(file))
    }

    pub(crate) fn run_module(&mut self, file: Arc<Loaded>) -> usize {
        let index = self.modules.len();
        let scope = self.heap.scope(None);
        self.by_path.insert(file.path.clone(), index);
        let mut module = None;
        if self.language == Language::JavaScript {
            let exports = self.heap.object(Object::default());
            let object = Object { fields: vec![("exports".into(), exports.clone())], ..Object::default() };
            let object = self.heap.object(object);
            self.heap.set(scope, "exports".into(), exports);
            self.heap.set(scope, "module".into(), object.clone());
            module = Some(object);
        }
        self.modules.push(LocalModule { file: file.clone(), scope, module });
        self.enter_module(index);
        let loading =
            std::mem::replace(&mut self.heap.loading, self.frames.iter().all(|frame| frame.function.is_none()));
        self.block(&file.module.body);
        self.heap.loading = loading;
        self.frames.pop();
        index
    }

    /// What others see of a module.
    pub(crate) fn export(&mut self, module: usize, name: &str) -> Option<Value> {
        let local = self.modules.get(module)?;
        match &local.module {
            None => self.heap.variable(local.scope, name).cloned(),
            Some(object) => {
                let exports = self.own_field(&object.clone(), "exports")?;
                if !exports.alternatives().iter().any(|one| matches!(one, Value::Object(_))) {
                    // Put together by a bundler's helper: the name inside is all there is to go by.
                    return self.heap.variable(local.scope, name).cloned();
                }
                exports.alternatives().to_vec().iter().find_map(|one| self.own_field(one, name))
            }
        }
    }

    pub(crate) fn module_value(&mut self, module: usize) -> Value {
        match self.modules.get(module).and_then(|local| local.module.clone()) {
            Some(object) => self.own_field(&object, "exports").unwrap_or(Value::Unknown),
            None => Value::Module(module),
        }
    }

    /// A field that is written on the object itself.
    pub(crate) fn own_field(&self, value: &Value, name: &str) -> Option<Value> {
        match value {
            Value::Object(id) => self.heap.objects.get(*id)?.field(name).cloned(),
            Value::Class(class) => self.heap.variable(class.members, name).cloned(),
            _ => None,
        }
    }

    /// Finds and runs what an import names; none where it is a library.
    pub(crate) fn import(&mut self, name: &str, place: Place) -> Option<usize> {
        let from = self.modules.get(self.module())?.file.path.clone();
        if let Some(path) = self.project.resolve(&self.roots, &from, name, self.language) {
            return self.load(&path);
        }
        if name.starts_with('.') {
            let data = [".json", ".css", ".html", ".node", ".wasm", ".svg", ".png", ".jpg", ".txt", ".graphql"]
                .iter()
                .any(|end| name.ends_with(end));
            if !data && self.language == Language::JavaScript {
                self.doubt(place, format!("`{name}` isn't here, so what it does isn't known"));
            }
        } else if name.starts_with('/') {
            let site = self.site(place);
            self.record.notes.insert(site, format!("`{name}` comes from a layer, which isn't read"));
        } else if let Some(package) = library::package(name, self.language) {
            self.record.imports.insert(package.to_string());
        }
        None
    }

    fn import_statement(&mut self, name: &Name, bindings: &[(Imported, Name)], place: Place) {
        let local = self.import(name, place);
        let scope = self.scope();
        for (imported, alias) in bindings {
            let value = match (imported, local) {
                (Imported::Whole, Some(module)) => self.module_value(module),
                (Imported::Root, _) => {
                    let root = name.split('.').next().unwrap_or(name);
                    match self.import(root, place) {
                        Some(module) => Value::Module(module),
                        // A folder without `__init__.py`: its modules are found by their full name.
                        None => Value::external(root),
                    }
                }
                (Imported::Default, Some(module)) => {
                    self.export(module, "default").unwrap_or_else(|| self.module_value(module))
                }
                (Imported::Named(wanted), Some(module)) => match self.export(module, wanted) {
                    Some(value) => value,
                    None => self.submodule(name, wanted, place),
                },
                (Imported::Star, Some(module)) => {
                    let from = self.modules.get(module).map(|module| module.scope);
                    let all: Vec<_> = from
                        .and_then(|scope| self.heap.scopes.get(scope))
                        .map(|scope| {
                            scope.variables.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
                        })
                        .unwrap_or_default();
                    for (name, value) in all {
                        self.heap.set(scope, name, value);
                    }
                    continue;
                }
                (Imported::Whole | Imported::Default, None) => Value::external(library::normal(name)),
                (Imported::Named(wanted), None) => self.submodule(name, wanted, place),
                (Imported::Star, None) => {
                    for wanted in library::star_names(name) {
                        self.heap.set(scope, (*wanted).into(), Value::external(format!("{name}.{wanted}")));
                    }
                    continue;
                }
            };
            self.heap.set(scope, alias.clone(), value);
        }
    }

    /// `from package import module`.
    fn submodule(&mut self, name: &str, wanted: &str, place: Place) -> Value {
        if self.language == Language::Python {
            let full = if name.ends_with('.') { format!("{name}{wanted}") } else { format!("{name}.{wanted}") };
            let from = self.modules.get(self.module()).map(|module| module.file.path.clone()).unwrap_or_default();
            if let Some(path) = self.project.resolve(&self.roots, &from, &full, self.language)
                && let Some(module) = self.load(&path)
            {
                return Value::Module(module);
            }
            let found = self.project.resolve(&self.roots, &from, name, self.language).is_some();
            if name.starts_with('.') && !found {
                self.doubt(place, format!("`{wanted}` of `{name}` isn't here, so what it does isn't known"));
            }
        }
        Value::external(format!("{}.{wanted}", library::normal(name)))
    }

    /// Stands in a module, for notes about places in it.
    pub(crate) fn enter_module(&mut self, module: usize) {
        let scope = self.modules.get(module).map_or(0, |module| module.scope);
        self.frames.push(Frame {
            module,
            scope,
            closure_scope: scope,
            function: None,
            class: None,
            receiver: None,
            returns: None,
            called_at: None,
            handed_on: Vec::new(),
            arms: Vec::new(),
            left: Vec::new(),
        });
    }

    /// Leaves what [`Self::enter_module`] entered.
    pub(crate) fn leave_module(&mut self) {
        self.frames.pop();
    }

    // --- statements ---

    /// Runs statements in order, up to one that ends the block.
    pub(crate) fn block(&mut self, statements: &[Statement]) -> Flow {
        self.depth += 1;
        let mut flow = Flow::On;
        if self.depth < MAX_DEPTH {
            // Functions exist before the statements that stand above them.
            for statement in statements {
                if let Statement::Define { name, function, decorators } = statement
                    && decorators.is_empty()
                {
                    let value = self.closure(*function);
                    let scope = self.scope();
                    self.heap.set(scope, name.clone(), value);
                }
            }
            for statement in statements {
                if self.gave_up() {
                    break;
                }
                flow = self.statement(statement);
                if flow != Flow::On {
                    break;
                }
            }
        }
        self.depth -= 1;
        flow
    }

    fn statement(&mut self, statement: &Statement) -> Flow {
        match statement {
            Statement::Expression(value) => {
                self.expression(value);
            }
            Statement::Assign { target, value, declare } => {
                let place = value.place;
                self.statement_place = Some(place);
                library::practices::assignment(self, target, value);
                let mut value = self.expression(value);
                if let Pattern::Name(name) = target {
                    value = library::practices::random(self, name, value, place);
                    value = taint::named(self, value, name, place);
                }
                self.statement_place = Some(place);
                self.assign(target, value, *declare);
            }
            Statement::Define { name, function, decorators } => {
                if !decorators.is_empty() {
                    let value = self.closure(*function);
                    let value = self.decorate(value, decorators);
                    let scope = self.scope();
                    self.heap.set(scope, name.clone(), value);
                }
            }
            Statement::DefineClass { name, class, decorators } => {
                let value = self.class(*class);
                for decorator in decorators {
                    self.expression(decorator);
                }
                let scope = self.scope();
                self.heap.set(scope, name.clone(), value);
            }
            Statement::Branch { arms, exhaustive } => return self.branch(arms, *exhaustive),
            Statement::Loop { each, body } => {
                let each = each.as_ref().map(|(target, over)| {
                    let over_value = self.expression(over);
                    (target, self.iterate(&over_value, over.place))
                });
                self.heap.open_journal();
                if let Some((target, item)) = each {
                    self.assign(target, item, true);
                }
                self.block(body);
                let changes = self.heap.close_journal();
                self.heap.join(vec![changes], false);
            }
            Statement::While { test, body } => {
                library::habits::endless(self, test, body);
                library::habits::bound(self, test);
                self.expression(test);
                self.heap.open_journal();
                self.block(body);
                let changes = self.heap.close_journal();
                self.heap.join(vec![changes], false);
            }
            Statement::Block(body) => return self.block(body),
            Statement::Return(value) => {
                let place = value.as_ref().map(|value| value.place);
                let value = value.as_ref().map_or(Value::Nothing, |value| self.expression(value));
                if let Some(place) = place {
                    library::routes::returned(self, &value, place);
                }
                self.give_back(value);
                return Flow::Leaves;
            }
            Statement::Stop => return Flow::Leaves,
            Statement::Break => return Flow::Breaks,
            Statement::Import { module, bindings, place } => self.import_statement(module, bindings, *place),
            Statement::Export { name, value } => {
                let value = self.expression(value);
                self.set_export(name.clone(), value);
            }
            Statement::ExportAll { module, name, place } => {
                let Some(index) = self.import(module, *place) else { return Flow::On };
                let exports = self.module_value(index);
                match (name, &exports) {
                    (Some(name), _) => self.set_export(name.clone(), exports),
                    (None, Value::Object(id)) => {
                        let fields = self.heap.objects.get(*id).map(|object| object.fields.clone()).unwrap_or_default();
                        for (name, value) in fields {
                            self.set_export(name, value);
                        }
                    }
                    _ => {}
                }
            }
        }
        Flow::On
    }

    fn set_export(&mut self, name: Name, value: Value) {
        let module = self.module();
        if let Value::Object(id) = self.module_value(module) {
            self.heap.set_field(id, name, value);
        }
    }

    pub(crate) fn give_back(&mut self, value: Value) {
        if let Some(frame) = self.frames.last_mut() {
            frame.returns = Some(match frame.returns.take() {
                Some(before) => before.or(value),
                None => value,
            });
        }
    }

    fn branch(&mut self, arms: &[Vec<Statement>], exhaustive: bool) -> Flow {
        if let ([arm], true) = (arms, exhaustive) {
            self.block(arm);
            return Flow::On;
        }
        let mut results = Vec::new();
        let mut flow = if exhaustive { Flow::Leaves } else { Flow::On };
        self.branches = self.branches.wrapping_add(1);
        let branch = self.branches;
        let outside = self.frames.last().map_or(0, |frame| frame.arms.len());
        let mut any_left = false;
        for (at, arm) in (0..AFTER).zip(arms) {
            if let Some(frame) = self.frames.last_mut() {
                frame.arms.push((branch, at));
            }
            self.heap.open_journal();
            let ends = self.block(arm);
            let changes = self.heap.close_journal();
            if let Some(frame) = self.frames.last_mut() {
                frame.arms.truncate(outside);
                if ends == Flow::Leaves {
                    any_left = true;
                    if frame.left.len() < 2 * MAX_ARMS {
                        frame.left.push((branch, at));
                    }
                }
            }
            flow = match (flow, ends) {
                (Flow::On, _) | (_, Flow::On) => Flow::On,
                (Flow::Breaks, _) | (_, Flow::Breaks) => Flow::Breaks,
                _ => Flow::Leaves,
            };
            // What a break leaves behind is seen after the loop; telling that from what follows here isn't worth it.
            if ends != Flow::Leaves {
                results.push(changes);
            }
        }
        if !results.is_empty() {
            self.heap.join(results, exhaustive);
        }
        if let Some(frame) = self.frames.last_mut().filter(|frame| any_left && frame.arms.len() < MAX_ARMS) {
            frame.arms.push((branch, AFTER));
        }
        flow
    }

    fn decorate(&mut self, function: Value, decorators: &[Expression]) -> Value {
        let mut value = function;
        for decorator in decorators.iter().rev() {
            let with = self.expression(decorator);
            value = self.apply_decorator(with, value, decorator.place);
        }
        value
    }

    // --- assignment ---

    pub(crate) fn assign(&mut self, target: &Pattern, value: Value, declare: bool) {
        match target {
            Pattern::Name(name) => self.assign_name(name, value, declare),
            Pattern::Part(part) => self.assign_part(part, value),
            Pattern::List(parts) => {
                for (index, part) in parts.iter().enumerate() {
                    let item = match part {
                        Pattern::Rest(_) => value.clone(),
                        _ => self.item(&value, index),
                    };
                    self.assign(part, item, declare);
                }
            }
            Pattern::Map { entries, rest, place } => {
                for (key, part) in entries {
                    let (part, default) = match part {
                        Pattern::Default(inner, default) => (&**inner, Some(default)),
                        part => (part, None),
                    };
                    let nested = matches!(part, Pattern::Map { .. } | Pattern::List(_));
                    let mut item = match key {
                        Some(key) => self.member(&value, key, false, *place),
                        None => Value::Unknown,
                    };
                    if let Some(default) = default {
                        let otherwise = self.expression(default);
                        item = fallback(item, otherwise);
                    } else if nested {
                        event::require(self, &item);
                    }
                    self.assign(part, item, declare);
                }
                if let Some(rest) = rest {
                    self.assign_name(rest, value, declare);
                }
            }
            Pattern::Default(inner, default) => {
                let otherwise = self.expression(default);
                self.assign(inner, fallback(value, otherwise), declare);
            }
            Pattern::Rest(inner) => self.assign(inner, value, declare),
            Pattern::Ignore => {}
        }
    }

    fn assign_name(&mut self, name: &Name, value: Value, declare: bool) {
        let (scope, module, function) = match self.frames.last() {
            Some(frame) => (frame.scope, frame.module, frame.function),
            None => return,
        };
        let target = match self.language {
            Language::JavaScript if declare => scope,
            Language::JavaScript => self.heap.find(scope, name).unwrap_or(scope),
            Language::Python => {
                let outer = function.is_some_and(|function| {
                    self.modules
                        .get(module)
                        .and_then(|module| module.file.module.functions.get(function))
                        .is_some_and(|function| function.outer.contains(name))
                });
                if outer {
                    let parent = self.heap.scopes.get(scope).and_then(|scope| scope.parent);
                    let global = self.modules.get(module).map_or(scope, |module| module.scope);
                    parent.and_then(|parent| self.heap.find(parent, name)).unwrap_or(global)
                } else {
                    scope
                }
            }
        };
        if function.is_some() && self.modules.get(module).is_some_and(|module| module.scope == target) {
            library::habits::outlives(self, &value, name, false);
        }
        self.heap.set(target, name.clone(), value);
    }

    fn assign_part(&mut self, part: &Expression, value: Value) {
        let (object, key) = match &part.kind {
            Kind::Member { object, name, .. } => (object, Some(name.clone())),
            Kind::Index { object, index, .. } => {
                let index = self.expression(index);
                library::habits::member_write(self, object, &index, &value, part.place);
                (object, index.as_text().map(Name::from))
            }
            _ => return,
        };
        let object = self.expression(object);
        library::habits::field_outlives(self, &object, key.as_deref(), &value, part.place);
        for one in object.alternatives() {
            match (one, &key) {
                (Value::Object(id), Some(key)) => self.heap.set_field(*id, key.clone(), value.clone()),
                (Value::Object(id), None) => self.heap.add_other(*id, value.clone()),
                (Value::Class(class), Some(key)) => self.heap.set(class.members, key.clone(), value.clone()),
                (Value::Module(module), Some(key)) => {
                    if let Some(scope) = self.modules.get(*module).map(|module| module.scope) {
                        self.heap.set(scope, key.clone(), value.clone());
                    }
                }
                // A function put where a library may find it.
                _ => self.refer(&value),
            }
        }
    }

    // --- expressions ---

    pub(crate) fn lookup(&self, name: &str) -> Value {
        match self.heap.find(self.scope(), name) {
            Some(scope) => self.heap.variable(scope, name).cloned().unwrap_or(Value::Unknown),
            None => Value::external(name),
        }
    }

    pub(crate) fn expression(&mut self, expression: &Expression) -> Value {
        self.steps += 1;
        if self.gave_up() || self.depth >= MAX_DEPTH {
            return Value::Unknown;
        }
        self.depth += 1;
        let value = self.evaluate(expression);
        self.depth -= 1;
        value
    }

    fn evaluate(&mut self, expression: &Expression) -> Value {
        let place = expression.place;
        match &expression.kind {
            Kind::Text(text) => Value::Text(text.clone()),
            Kind::Number(number) => Value::Number(*number),
            Kind::Nothing => Value::Nothing,
            Kind::Boolean(value) => Value::Boolean(*value),
            Kind::Concat(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.expression(part)).collect();
                let text = self.concat(parts);
                taint::joined(self, text, place)
            }
            Kind::Percent(left, right) => {
                let left = self.expression(left);
                let right = self.expression(right);
                let text = self.percent(&left, right);
                taint::joined(self, text, place)
            }
            Kind::Divide(left, right) => {
                let left = self.expression(left);
                let right = self.expression(right);
                match left.is_textual() && right.is_textual() {
                    true => taint::joined(self, Value::concat(vec![left, Value::text("/"), right]), place),
                    false => Value::Unknown,
                }
            }
            Kind::Name(name) => self.lookup(name),
            Kind::Member { object, name, optional } => {
                let object = self.expression(object);
                self.member(&object, name, *optional, place)
            }
            Kind::Index { object, index, optional } => {
                let object = self.expression(object);
                let index = self.expression(index);
                self.index(&object, &index, *optional, place)
            }
            Kind::Call { callee, arguments, construct } => self.call_expression(callee, arguments, *construct, place),
            Kind::Map(entries) => {
                let map = self.map(entries);
                library::sinks::response(self, entries, &map);
                library::practices::map(self, entries, &map);
                map
            }
            Kind::List(items) => {
                let mut values = Vec::new();
                let mut others = None;
                for item in items {
                    if let Kind::Spread(inner) = &item.kind {
                        let inner = self.expression(inner);
                        match self.items(&inner) {
                            Some(items) if values.len() + items.len() > MAX_MEMBERS => {
                                self.steps += items.len() / 8;
                                others = Some(self.iterate(&inner, place));
                            }
                            Some(items) => values.extend(items),
                            None => others = Some(self.iterate(&inner, place)),
                        }
                    } else {
                        values.push(self.expression(item));
                    }
                }
                self.heap.object(Object { items: Some(values), others, ..Object::default() })
            }
            Kind::Spread(inner) => self.expression(inner),
            Kind::Function(function) => self.closure(*function),
            Kind::Class(class) => self.class(*class),
            Kind::Choice(arms) => {
                arms.iter().map(|arm| self.expression(arm)).reduce(Value::or).unwrap_or(Value::Unknown)
            }
            Kind::Fallback(left, right) => {
                let first = self.expression(left);
                event::guard(self, &first);
                let second = self.expression(right);
                library::practices::fallback(self, &first, &second, place);
                fallback(first, second)
            }
            Kind::Sequence(parts) => parts.iter().map(|part| self.expression(part)).last().unwrap_or(Value::Unknown),
            Kind::Test(inner) => {
                let value = self.test(inner);
                event::guard(self, &value);
                library::habits::tested(self, &value, place);
                Value::Unknown
            }
            Kind::Contains { key, container } => {
                let key = self.expression(key);
                let container = self.expression(container);
                event::guard_key(self, &container, &key, place);
                library::checks::membership(self, &key, &container);
                library::habits::contained(self, &key, &container, place);
                Value::Unknown
            }
            Kind::Compare(how, parts) => {
                let values: Vec<_> = parts.iter().map(|part| self.expression(part)).collect();
                library::habits::compared(self, *how, &values, place);
                taint::harmless(&values.iter().collect::<Vec<_>>(), taint::NOTHING_LEFT)
            }
            Kind::Caught(types) => {
                let types = types.as_ref().map(|types| self.expression(types));
                library::habits::caught(self, types.as_ref())
            }
            Kind::Tail(inner) => {
                let value = self.expression(inner);
                taint::cleaned(&value, taint::only(&[graph::Sink::PrivateLog, graph::Sink::PlainStore]))
            }
            Kind::Keys(over) => {
                let over = self.expression(over);
                let keys: Vec<Value> = self.fields(&over).into_iter().map(|(name, _)| Value::Text(name)).collect();
                match over.is_tainted() {
                    true => taint::derived(&[&over]),
                    false => keys.into_iter().reduce(Value::or).unwrap_or(Value::Unknown),
                }
            }
            Kind::Pair(key, value) => {
                self.expression(key);
                self.expression(value)
            }
            Kind::Opaque(parts) => {
                let values: Vec<_> = parts.iter().map(|part| self.expression(part)).collect();
                if let Some(both) = library::records::conditions(&values) {
                    return both;
                }
                // Arithmetic.
                taint::harmless(&values.iter().collect::<Vec<_>>(), taint::EVERYWHERE)
            }
            Kind::Assign(target, value) => {
                let value = self.expression(value);
                self.statement_place = Some(place);
                self.assign(target, value.clone(), false);
                value
            }
            Kind::Yield(inner) => {
                let value = self.expression(inner);
                let list = self.heap.list(vec![value]);
                self.give_back(list);
                Value::Unknown
            }
            Kind::Comprehension { clauses, tests, element } => {
                for (target, over) in clauses {
                    let over_value = self.expression(over);
                    let item = self.iterate(&over_value, over.place);
                    self.assign(target, item, true);
                }
                for test in tests {
                    self.expression(test);
                }
                let is_map = matches!(element.kind, Kind::Pair(..));
                let element = self.expression(element);
                if is_map && !element.is_tainted() {
                    // Which entry is meant can't be told, so nothing of it is certain.
                    return Value::Unknown;
                }
                let items = (!is_map).then(Vec::new);
                self.heap.object(Object { items, others: Some(element), ..Object::default() })
            }
        }
    }

    /// The value of a condition; a sequence in it is looked at part by part.
    fn test(&mut self, expression: &Expression) -> Value {
        match &expression.kind {
            Kind::Sequence(parts) => {
                for part in parts {
                    let value = self.expression(part);
                    event::guard(self, &value);
                    library::habits::tested(self, &value, part.place);
                }
                Value::Unknown
            }
            _ => self.expression(expression),
        }
    }

    fn map(&mut self, entries: &[Entry]) -> Value {
        let mut object = Object::default();
        for entry in entries {
            match entry {
                Entry::Pair(key, value) => {
                    let key = self.expression(key);
                    let value = self.expression(value);
                    match key.as_text() {
                        Some(key) => {
                            object.fields.retain(|(name, _)| &**name != key);
                            object.fields.push((key.into(), value));
                        }
                        None => {
                            // `{table_name: [...]}`: the key itself says something.
                            object.fields.push(("\0key".into(), key));
                            object.others = Some(match object.others.take() {
                                Some(old) => old.or(value),
                                None => value,
                            });
                        }
                    }
                }
                Entry::Spread(inner) => {
                    let inner = self.expression(inner);
                    for one in inner.alternatives() {
                        match one {
                            Value::Object(id) => {
                                let spread = self.heap.objects.get(*id).cloned().unwrap_or_default();
                                if !object.fields.is_empty() {
                                    let later: HashSet<&Name> = spread.fields.iter().map(|(name, _)| name).collect();
                                    object.fields.retain(|(name, _)| !later.contains(name));
                                }
                                object.fields.extend(spread.fields);
                                object.others = object.others.take().or(spread.others);
                            }
                            Value::Nothing | Value::Boolean(_) => {}
                            Value::External(all) if matches!(all.path.as_str(), "process.env" | "os.environ") => {
                                object.others = Some(taint::made(format!("{}environment", taint::SECRET)));
                            }
                            value if value.is_tainted() => object.others = Some(taint::derived(&[value])),
                            _ => object.others = Some(Value::Unknown),
                        }
                    }
                }
            }
        }
        self.heap.object(object)
    }

    /// A function of the current module, closed over the current scope.
    pub(crate) fn closure(&mut self, function: usize) -> Value {
        let Some(frame) = self.frames.last() else { return Value::Unknown };
        let class = frame.class.clone();
        Value::Function(Rc::new(Closure { module: frame.module, function, scope: frame.closure_scope, class }))
    }

    fn class(&mut self, class: usize) -> Value {
        let module = self.module();
        let Some(file) = self.modules.get(module).map(|module| module.file.clone()) else { return Value::Unknown };
        let Some(definition) = file.module.classes.get(class) else { return Value::Unknown };
        let bases = definition.bases.iter().map(|base| self.expression(base)).collect();
        let scope = self.scope();
        let members = self.heap.scope(Some(scope));
        let value = Rc::new(ClassValue { module, class, scope, members, bases });
        self.frames.push(Frame {
            module,
            scope: members,
            closure_scope: scope,
            function: None,
            class: Some(value.clone()),
            receiver: None,
            returns: None,
            called_at: None,
            handed_on: Vec::new(),
            arms: Vec::new(),
            left: Vec::new(),
        });
        self.block(&definition.body);
        self.frames.pop();
        Value::Class(value)
    }

    pub(crate) fn concat(&mut self, parts: Vec<Value>) -> Value {
        // `list + list`.
        if parts.iter().any(|part| matches!(part, Value::Object(_))) {
            let mut items = Vec::new();
            for part in &parts {
                items.extend(self.items(part).unwrap_or_else(|| vec![Value::Unknown]));
            }
            return self.heap.list(items);
        }
        if parts.iter().all(|part| matches!(part, Value::Unknown | Value::Number(_))) {
            return Value::Unknown;
        }
        Value::concat(parts)
    }

    fn percent(&mut self, left: &Value, right: Value) -> Value {
        let Some(text) = left.as_text() else {
            return taint::derived(&[left, &right]);
        };
        let values = match self.items(&right) {
            Some(items) => items,
            None => vec![right],
        };
        let mut values = values.into_iter();
        let mut parts = Vec::new();
        let mut pieces = text.split('%');
        parts.push(Value::text(pieces.next().unwrap_or_default()));
        for piece in pieces {
            parts.push(values.next().unwrap_or(Value::Unknown));
            let skip = piece.find(|character: char| character.is_ascii_alphabetic()).map_or(0, |at| at + 1);
            parts.push(Value::text(piece.get(skip..).unwrap_or_default()));
        }
        Value::concat(parts)
    }
}

/// `first or second`. What an environment variable falls back to is what it stands for, so the variable is enough; what a
/// part of the event falls back to matters only where it isn't a constant.
pub(crate) fn fallback(first: Value, second: Value) -> Value {
    match (&first, &second) {
        (Value::Environment(_), Value::Text(_) | Value::Nothing) => first,
        (
            Value::Event(_) | Value::FromEvent(_),
            Value::Text(_) | Value::Nothing | Value::Number(_) | Value::Object(_),
        ) => first,
        // A literal is never missing.
        (Value::Text(text), _) if !text.is_empty() => first,
        _ => first.or(second),
    }
}
