//! Python, lowered to [`crate::syntax`].

use crate::lower::{Lowering, chain, children, first_error, number, place};
use crate::syntax::{
    Argument, Class, Comparison, Entry, Expression, Function, Imported, Kind, Module, Name, Parameter, ParameterKind,
    Pattern, Spreading, Statement,
};
use tree_sitter::Node;

/// Decorators that change how a function runs and hand it back; any other may register it with something that calls it.
const TRANSPARENT: [&str; 8] =
    ["staticmethod", "classmethod", "property", "cached_property", "abstractmethod", "overload", "override", "setter"];

/// Lowers one file; what doesn't parse is left out.
pub(crate) fn lower(text: &str, root: Node<'_>) -> Module {
    let mut lowering = Lowering::new(text);
    lowering.module.broken = first_error(root);
    let body = lowering.block(root);
    lowering.module.body = body;
    lowering.module
}

impl Lowering<'_> {
    fn block(&mut self, node: Node<'_>) -> Vec<Statement> {
        let mut statements = Vec::new();
        if !self.enter(node) {
            return statements;
        }
        for child in children(node) {
            self.statement(child, &mut statements);
        }
        self.leave();
        statements
    }

    fn field_block(&mut self, node: Node<'_>, field: &str) -> Vec<Statement> {
        node.child_by_field_name(field).map(|body| self.block(body)).unwrap_or_default()
    }

    fn statement(&mut self, node: Node<'_>, out: &mut Vec<Statement>) {
        match node.kind() {
            "expression_statement" => {
                for child in children(node) {
                    self.expression_statement(child, out);
                }
            }
            "return_statement" => {
                let value = children(node).first().map(|child| self.expression(*child));
                out.push(Statement::Return(value));
            }
            "raise_statement" => {
                for child in children(node) {
                    let value = self.expression(child);
                    out.push(Statement::Expression(value));
                }
                out.push(Statement::Stop);
            }
            "break_statement" | "continue_statement" => out.push(Statement::Break),
            "if_statement" => self.if_statement(node, out),
            "for_statement" => {
                let target = node.child_by_field_name("left").map_or(Pattern::Ignore, |left| self.pattern(left));
                let over = self.field(node, "right");
                let body = self.field_block(node, "body");
                out.push(Statement::Loop { each: Some((target, over)), body });
                self.alternatives(node, out);
            }
            "while_statement" => {
                let test = self.test(node, "condition");
                let body = self.field_block(node, "body");
                out.push(Statement::While { test, body });
                self.alternatives(node, out);
            }
            "try_statement" => self.try_statement(node, out),
            "with_statement" => self.with_statement(node, out),
            "match_statement" => self.match_statement(node, out),
            "function_definition" => self.function_statement(node, Vec::new(), out),
            "class_definition" => self.class_statement(node, Vec::new(), out),
            "decorated_definition" => {
                let mut decorators = Vec::new();
                for child in children(node) {
                    if child.kind() == "decorator"
                        && let Some(inner) = children(child).first()
                    {
                        decorators.push(self.expression(*inner));
                    }
                }
                match node.child_by_field_name("definition") {
                    Some(inner) if inner.kind() == "class_definition" => self.class_statement(inner, decorators, out),
                    Some(inner) => self.function_statement(inner, decorators, out),
                    None => {}
                }
            }
            "import_statement" => self.import(node, out),
            "import_from_statement" => self.import_from(node, out),
            "future_import_statement" | "global_statement" | "nonlocal_statement" | "pass_statement" => {}
            "block" | "ERROR" => {
                let inner = self.block(node);
                out.push(Statement::Block(inner));
            }
            _ => {
                for child in children(node) {
                    let value = self.expression(child);
                    out.push(Statement::Expression(value));
                }
            }
        }
    }

    fn expression_statement(&mut self, node: Node<'_>, out: &mut Vec<Statement>) {
        match node.kind() {
            "assignment" => {
                // `a = b = value` nests to the right.
                let mut targets = Vec::new();
                let mut at = node;
                let value = loop {
                    if let Some(left) = at.child_by_field_name("left") {
                        targets.push(self.pattern(left));
                    }
                    match at.child_by_field_name("right") {
                        Some(right) if right.kind() == "assignment" => at = right,
                        Some(right) => break self.expression(right),
                        None => return, // a bare annotation
                    }
                };
                let last = targets.pop();
                if let Some(target) = last {
                    let again = match &target {
                        Pattern::Name(name) => Some(Kind::Name(name.clone())),
                        _ => None,
                    };
                    out.push(Statement::Assign { target, value, declare: false });
                    if let Some(Kind::Name(name)) = again {
                        for target in targets {
                            let value = Expression::new(Kind::Name(name.clone()), place(node));
                            out.push(Statement::Assign { target, value, declare: false });
                        }
                    }
                }
            }
            "augmented_assignment" => {
                let value = self.field(node, "right");
                let Some(left) = node.child_by_field_name("left") else { return };
                let old = self.expression(left);
                let target = self.pattern(left);
                let plus = node.child_by_field_name("operator").is_some_and(|operator| operator.kind() == "+=");
                let kind = if plus { Kind::Concat(vec![old, value]) } else { Kind::Opaque(vec![old, value]) };
                out.push(Statement::Assign { target, value: Expression::new(kind, place(node)), declare: false });
            }
            _ => {
                let value = self.expression(node);
                out.push(Statement::Expression(value));
            }
        }
    }

    fn if_statement(&mut self, node: Node<'_>, out: &mut Vec<Statement>) {
        // What a file does when it is run by itself isn't what the function does.
        if node.child_by_field_name("condition").is_some_and(|test| self.slice(test).starts_with("__name__")) {
            return;
        }
        let condition = self.test(node, "condition");
        out.push(Statement::Expression(condition));
        let mut arms = vec![self.field_block(node, "consequence")];
        let mut exhaustive = false;
        let mut cursor = node.walk();
        let alternatives: Vec<_> = node.children_by_field_name("alternative", &mut cursor).collect();
        for alternative in alternatives {
            if alternative.kind() == "elif_clause" {
                let condition = self.test(alternative, "condition");
                let mut arm = vec![Statement::Expression(condition)];
                arm.extend(self.field_block(alternative, "consequence"));
                arms.push(arm);
            } else {
                arms.push(self.field_block(alternative, "body"));
                exhaustive = true;
            }
        }
        out.push(Statement::Branch { arms, exhaustive });
    }

    /// The `else` of a loop.
    fn alternatives(&mut self, node: Node<'_>, out: &mut Vec<Statement>) {
        if let Some(alternative) = node.child_by_field_name("alternative") {
            let body = self.field_block(alternative, "body");
            out.push(Statement::Block(body));
        }
    }

    fn try_statement(&mut self, node: Node<'_>, out: &mut Vec<Statement>) {
        let body = self.field_block(node, "body");
        // A return inside must not hide the handlers, so what is tried is an arm that may be left out.
        out.push(Statement::Branch { arms: vec![body], exhaustive: true });
        let mut arms = Vec::new();
        for clause in children(node) {
            match clause.kind() {
                "except_clause" | "except_group_clause" => {
                    let mut arm = Vec::new();
                    for child in children(clause) {
                        if child.kind() == "block" {
                            arm.extend(self.block(child));
                        } else if let ("as_pattern", [types, alias, ..]) = (child.kind(), children(child).as_slice()) {
                            let types = Box::new(self.expression(*types));
                            let alias = children(*alias).first().copied().unwrap_or(*alias);
                            let target = self.pattern(alias);
                            let value = Expression::new(Kind::Caught(Some(types)), place(child));
                            arm.push(Statement::Assign { target, value, declare: false });
                        } else {
                            let value = self.expression(child);
                            arm.push(Statement::Expression(value));
                        }
                    }
                    arms.push(arm);
                }
                "else_clause" => {
                    let body = self.field_block(clause, "body");
                    arms.push(body);
                }
                _ => {}
            }
        }
        out.push(Statement::Branch { arms, exhaustive: false });
        for clause in children(node).into_iter().filter(|clause| clause.kind() == "finally_clause") {
            let body = children(clause).first().map(|block| self.block(*block)).unwrap_or_default();
            out.push(Statement::Block(body));
        }
    }

    fn with_statement(&mut self, node: Node<'_>, out: &mut Vec<Statement>) {
        let clauses: Vec<_> = children(node).into_iter().filter(|child| child.kind() == "with_clause").collect();
        for item in clauses.into_iter().flat_map(children) {
            let Some(value) = item.child_by_field_name("value") else { continue };
            if value.kind() == "as_pattern" {
                let value_node = children(value).first().copied();
                let Some(value_node) = value_node else { continue };
                let inner = self.expression(value_node);
                let target = value
                    .child_by_field_name("alias")
                    .and_then(|alias| children(alias).first().copied())
                    .map_or(Pattern::Ignore, |alias| self.pattern(alias));
                out.push(Statement::Assign { target, value: inner, declare: false });
            } else {
                let value = self.expression(value);
                out.push(Statement::Expression(value));
            }
        }
        let body = self.field_block(node, "body");
        out.push(Statement::Block(body));
    }

    fn match_statement(&mut self, node: Node<'_>, out: &mut Vec<Statement>) {
        let subject = self.field(node, "subject");
        out.push(Statement::Expression(subject));
        let mut arms = Vec::new();
        if let Some(body) = node.child_by_field_name("body") {
            for case in children(body) {
                arms.push(self.field_block(case, "consequence"));
            }
        }
        out.push(Statement::Branch { arms, exhaustive: false });
    }

    fn function_statement(&mut self, node: Node<'_>, decorators: Vec<Expression>, out: &mut Vec<Statement>) {
        let Some(name) = node.child_by_field_name("name").map(|name| self.name(name)) else { return };
        let has = |wanted: &str| decorators.iter().any(|decorator| last_name(decorator) == Some(wanted));
        let (is_static, is_property) = (has("staticmethod"), has("property") || has("cached_property"));
        let decorators = decorators
            .into_iter()
            .filter(|decorator| last_name(decorator).is_none_or(|name| !TRANSPARENT.contains(&name)))
            .collect();
        let parameters = node.child_by_field_name("parameters").map(|node| self.parameters(node)).unwrap_or_default();
        let body = self.field_block(node, "body");
        let mut outer = Vec::new();
        if let Some(block) = node.child_by_field_name("body") {
            self.outer_names(block, &mut outer);
        }
        let function =
            self.add_function(Function { parameters, body, place: place(node), outer, is_static, is_property });
        out.push(Statement::Define { name, function, decorators });
    }

    fn outer_names(&mut self, node: Node<'_>, names: &mut Vec<Name>) {
        if !self.enter(node) {
            return;
        }
        for child in children(node) {
            match child.kind() {
                "global_statement" | "nonlocal_statement" => {
                    names.extend(children(child).into_iter().map(|name| self.name(name)));
                }
                "function_definition"
                | "class_definition"
                | "decorated_definition"
                | "expression_statement"
                | "return_statement" => {}
                kind if kind.ends_with("_statement") || kind.ends_with("_clause") || kind == "block" => {
                    self.outer_names(child, names);
                }
                _ => {}
            }
        }
        self.leave();
    }

    fn class_statement(&mut self, node: Node<'_>, decorators: Vec<Expression>, out: &mut Vec<Statement>) {
        let Some(name) = node.child_by_field_name("name").map(|name| self.name(name)) else { return };
        let mut bases = Vec::new();
        if let Some(list) = node.child_by_field_name("superclasses") {
            for child in children(list).into_iter().filter(|child| child.kind() != "keyword_argument") {
                bases.push(self.expression(child));
            }
        }
        let body = self.field_block(node, "body");
        self.module.classes.push(Class { bases, body });
        out.push(Statement::DefineClass { name, class: self.module.classes.len() - 1, decorators });
    }

    fn parameters(&mut self, node: Node<'_>) -> Vec<Parameter> {
        let mut parameters = Vec::new();
        for child in children(node) {
            let (target, default, kind) = match child.kind() {
                "identifier" => (Some(child), None, ParameterKind::Plain),
                "default_parameter" | "typed_default_parameter" => {
                    (child.child_by_field_name("name"), child.child_by_field_name("value"), ParameterKind::Plain)
                }
                "typed_parameter" => (children(child).first().copied(), None, ParameterKind::Plain),
                "list_splat_pattern" | "dictionary_splat_pattern" | "tuple_pattern" => {
                    (Some(child), None, ParameterKind::Plain)
                }
                _ => continue,
            };
            let Some(target) = target else { continue };
            let (target, kind) = match target.kind() {
                "list_splat_pattern" => (children(target).first().copied(), ParameterKind::Rest),
                "dictionary_splat_pattern" => (children(target).first().copied(), ParameterKind::RestNamed),
                _ => (Some(target), kind),
            };
            let target = target.map_or(Pattern::Ignore, |target| self.pattern(target));
            let default = default.map(|value| self.expression(value));
            parameters.push(Parameter { target, default, kind });
        }
        parameters
    }

    fn import(&mut self, node: Node<'_>, out: &mut Vec<Statement>) {
        for child in children(node) {
            let (module, binding) = if child.kind() == "aliased_import" {
                let module = child.child_by_field_name("name").map(|name| self.slice(name));
                let alias = child.child_by_field_name("alias").map(|alias| self.name(alias));
                (module, alias.map(|alias| (Imported::Whole, alias)))
            } else {
                let module = self.slice(child);
                let root = module.split('.').next().unwrap_or(module);
                let imported = if root == module { Imported::Whole } else { Imported::Root };
                (Some(module), Some((imported, Name::from(root))))
            };
            if let (Some(module), Some(binding)) = (module, binding) {
                out.push(Statement::Import { module: module.into(), bindings: vec![binding], place: place(child) });
            }
        }
    }

    fn import_from(&mut self, node: Node<'_>, out: &mut Vec<Statement>) {
        let Some(module_node) = node.child_by_field_name("module_name") else { return };
        let module: String = self.slice(module_node).split_whitespace().collect();
        let mut bindings = Vec::new();
        for child in children(node).into_iter().skip(1) {
            match child.kind() {
                "wildcard_import" => bindings.push((Imported::Star, Name::from("*"))),
                "aliased_import" => {
                    let name = child.child_by_field_name("name").map(|name| self.name(name));
                    let alias = child.child_by_field_name("alias").map(|alias| self.name(alias));
                    if let (Some(name), Some(alias)) = (name, alias) {
                        bindings.push((Imported::Named(name), alias));
                    }
                }
                "dotted_name" => {
                    let name = self.name(child);
                    bindings.push((Imported::Named(name.clone()), name));
                }
                _ => {}
            }
        }
        out.push(Statement::Import { module: module.into(), bindings, place: place(module_node) });
    }

    fn pattern(&mut self, node: Node<'_>) -> Pattern {
        if !self.enter(node) {
            return Pattern::Ignore;
        }
        let pattern = match node.kind() {
            "identifier" => Pattern::Name(self.name(node)),
            "attribute" | "subscript" => Pattern::Part(Box::new(self.expression(node))),
            "pattern_list" | "tuple_pattern" | "list_pattern" | "tuple" | "list" | "expression_list" => {
                Pattern::List(children(node).into_iter().map(|child| self.pattern(child)).collect())
            }
            "list_splat_pattern" => {
                let inner = children(node).first().map_or(Pattern::Ignore, |inner| self.pattern(*inner));
                Pattern::Rest(Box::new(inner))
            }
            "parenthesized_expression" => children(node).first().map_or(Pattern::Ignore, |inner| self.pattern(*inner)),
            _ => Pattern::Ignore,
        };
        self.leave();
        pattern
    }

    fn field(&mut self, node: Node<'_>, field: &str) -> Expression {
        match node.child_by_field_name(field) {
            Some(child) => self.expression(child),
            None => Expression::opaque(place(node)),
        }
    }

    fn boxed(&mut self, node: Node<'_>, field: &str) -> Box<Expression> {
        Box::new(self.field(node, field))
    }

    fn test(&mut self, node: Node<'_>, field: &str) -> Expression {
        let inner = self.boxed(node, field);
        Expression::new(Kind::Test(inner), place(node))
    }

    fn expression(&mut self, node: Node<'_>) -> Expression {
        if !self.enter(node) {
            return Expression::opaque(place(node));
        }
        let expression = self.expression_inner(node);
        self.leave();
        expression
    }

    fn all(&mut self, node: Node<'_>) -> Vec<Expression> {
        children(node).into_iter().map(|child| self.expression(child)).collect()
    }

    fn expression_inner(&mut self, node: Node<'_>) -> Expression {
        let here = place(node);
        let kind = match node.kind() {
            "identifier" => Kind::Name(self.name(node)),
            "string" => return self.string(node),
            "concatenated_string" => Kind::Concat(self.all(node)),
            "integer" => return number(self.slice(node), here),
            "none" => Kind::Nothing,
            "true" => Kind::Boolean(true),
            "false" => Kind::Boolean(false),
            "attribute" => {
                let object = self.boxed(node, "object");
                let name = node.child_by_field_name("attribute").map(|name| self.name(name)).unwrap_or_default();
                Kind::Member { object, name, optional: false }
            }
            "subscript" => {
                let object = self.boxed(node, "value");
                let index = match node.child_by_field_name("subscript") {
                    // A part of a sequence is as good as the sequence.
                    Some(index) if index.kind() == "slice" => {
                        let parts = self.all(index);
                        // The end of a text tells little of it.
                        if matches!(parts.first(), Some(Expression { kind: Kind::Number(number), .. }) if *number < 0) {
                            return Expression::new(Kind::Tail(object), here);
                        }
                        return Expression::new(Kind::Sequence(parts.into_iter().chain([*object]).collect()), here);
                    }
                    Some(index) => self.expression(index),
                    None => Expression::opaque(here),
                };
                Kind::Index { object, index: Box::new(index), optional: false }
            }
            "call" => return self.call(node),
            "binary_operator" => return self.binary(node),
            "boolean_operator" => {
                let is_or = node.child_by_field_name("operator").is_some_and(|operator| operator.kind() == "or");
                let operands = chain(node, "boolean_operator", if is_or { "or" } else { "and" });
                return self.logical(operands, is_or, here);
            }
            "unary_operator" => {
                let inner = self.boxed(node, "argument");
                let minus = node.child_by_field_name("operator").is_some_and(|operator| operator.kind() == "-");
                match inner.kind {
                    Kind::Number(number) if minus => Kind::Number(-number),
                    _ => Kind::Opaque(vec![*inner]),
                }
            }
            "not_operator" => {
                let inner = self.boxed(node, "argument");
                Kind::Test(inner)
            }
            "comparison_operator" => return self.comparison(node),
            "conditional_expression" => {
                let parts = children(node);
                let [then, condition, otherwise] = parts.as_slice() else { return Expression::opaque(here) };
                let condition = self.expression(*condition);
                let test = Expression::new(Kind::Test(Box::new(condition)), here);
                let arms = vec![self.expression(*then), self.expression(*otherwise)];
                Kind::Sequence(vec![test, Expression::new(Kind::Choice(arms), here)])
            }
            "dictionary" => {
                let mut entries = Vec::new();
                for child in children(node) {
                    if child.kind() == "pair" {
                        let key = self.field(child, "key");
                        let value = self.field(child, "value");
                        entries.push(Entry::Pair(key, value));
                    } else if let Some(inner) = children(child).first() {
                        let inner = self.expression(*inner);
                        entries.push(Entry::Spread(inner));
                    }
                }
                Kind::Map(entries)
            }
            "list" | "tuple" | "set" | "expression_list" | "pattern_list" => Kind::List(self.all(node)),
            "list_splat" | "dictionary_splat" => {
                let inner = children(node).first().map_or(Expression::opaque(here), |inner| self.expression(*inner));
                Kind::Spread(Box::new(inner))
            }
            "lambda" => {
                let parameters =
                    node.child_by_field_name("parameters").map(|node| self.parameters(node)).unwrap_or_default();
                let value = self.field(node, "body");
                let function = self.add_function(Function {
                    parameters,
                    body: vec![Statement::Return(Some(value))],
                    place: here,
                    outer: Vec::new(),
                    is_static: false,
                    is_property: false,
                });
                Kind::Function(function)
            }
            "list_comprehension" | "set_comprehension" | "generator_expression" | "dictionary_comprehension" => {
                self.comprehension(node)
            }
            "pair" => {
                let key = self.boxed(node, "key");
                Kind::Pair(key, self.boxed(node, "value"))
            }
            "named_expression" => {
                let target = node.child_by_field_name("name").map_or(Pattern::Ignore, |name| self.pattern(name));
                Kind::Assign(Box::new(target), self.boxed(node, "value"))
            }
            "await" | "parenthesized_expression" => {
                return children(node).first().map_or(Expression::opaque(here), |inner| self.expression(*inner));
            }
            "as_pattern" => {
                // `except X as name`: what is caught tells nothing.
                return children(node).first().map_or(Expression::opaque(here), |inner| self.expression(*inner));
            }
            "yield" => {
                let inner = children(node).first().map_or(Expression::opaque(here), |inner| self.expression(*inner));
                Kind::Yield(Box::new(inner))
            }
            "type" => return Expression::opaque(here),
            _ => Kind::Opaque(self.all(node)),
        };
        Expression::new(kind, here)
    }

    fn logical(&mut self, operands: Vec<Node<'_>>, is_or: bool, here: crate::syntax::Place) -> Expression {
        let mut operands = operands.into_iter().map(|operand| self.expression(operand)).collect::<Vec<_>>();
        if is_or {
            let mut operands = operands.into_iter();
            let first = operands.next().unwrap_or(Expression::opaque(here));
            return operands
                .fold(first, |left, right| Expression::new(Kind::Fallback(Box::new(left), Box::new(right)), here));
        }
        let last = operands.pop().unwrap_or(Expression::opaque(here));
        let mut sequence: Vec<_> =
            operands.into_iter().map(|test| Expression::new(Kind::Test(Box::new(test)), here)).collect();
        sequence.push(last);
        Expression::new(Kind::Sequence(sequence), here)
    }

    fn binary(&mut self, node: Node<'_>) -> Expression {
        let here = place(node);
        let kind = match node.child_by_field_name("operator").map(|operator| operator.kind()) {
            Some("+") => {
                let operands = chain(node, "binary_operator", "+");
                Kind::Concat(operands.into_iter().map(|operand| self.expression(operand)).collect())
            }
            Some("%") => {
                let left = self.boxed(node, "left");
                Kind::Percent(left, self.boxed(node, "right"))
            }
            Some("/") => {
                let operands = chain(node, "binary_operator", "/");
                let mut operands = operands.into_iter().map(|operand| self.expression(operand)).collect::<Vec<_>>();
                let first = operands.remove(0);
                return operands
                    .into_iter()
                    .fold(first, |left, right| Expression::new(Kind::Divide(Box::new(left), Box::new(right)), here));
            }
            Some(operator) => {
                let operands = chain(node, "binary_operator", operator);
                Kind::Opaque(operands.into_iter().map(|operand| self.expression(operand)).collect())
            }
            None => Kind::Opaque(Vec::new()),
        };
        Expression::new(kind, here)
    }

    fn comparison(&mut self, node: Node<'_>) -> Expression {
        let here = place(node);
        let mut cursor = node.walk();
        let operators: Vec<_> =
            node.children_by_field_name("operators", &mut cursor).map(|operator| operator.kind()).collect();
        let parts = children(node);
        if let (["in" | "not in"], [key, container]) = (operators.as_slice(), parts.as_slice()) {
            let key = Box::new(self.expression(*key));
            let container = Box::new(self.expression(*container));
            return Expression::new(Kind::Contains { key, container }, here);
        }
        let nothing = parts.iter().any(|part| part.kind() == "none");
        let parts: Vec<_> = parts.into_iter().map(|part| self.expression(part)).collect();
        let how = match operators.first().is_some_and(|operator| operator.starts_with(['<', '>']) && *operator != "<>")
        {
            true => Comparison::Order,
            false => Comparison::Equality,
        };
        let kind = match nothing {
            true => Kind::Test(Box::new(Expression::new(Kind::Sequence(parts), here))),
            false => Kind::Compare(how, parts),
        };
        Expression::new(kind, here)
    }

    fn comprehension(&mut self, node: Node<'_>) -> Kind {
        let (mut clauses, mut tests) = (Vec::new(), Vec::new());
        for child in children(node) {
            match child.kind() {
                "for_in_clause" => {
                    let target = child.child_by_field_name("left").map_or(Pattern::Ignore, |left| self.pattern(left));
                    clauses.push((target, self.field(child, "right")));
                }
                "if_clause" => {
                    let inner = children(child).first().map(|inner| self.expression(*inner));
                    tests.extend(inner.map(|inner| Expression::new(Kind::Test(Box::new(inner)), place(child))));
                }
                _ => {}
            }
        }
        let element = self.boxed(node, "body");
        Kind::Comprehension { clauses, tests, element }
    }

    fn call(&mut self, node: Node<'_>) -> Expression {
        let callee = self.boxed(node, "function");
        let mut arguments = Vec::new();
        if let Some(list) = node.child_by_field_name("arguments") {
            if list.kind() == "generator_expression" {
                let value = self.expression(list);
                arguments.push(Argument { name: None, value, spread: Spreading::No });
            } else {
                for child in children(list) {
                    arguments.push(self.argument(child));
                }
            }
        }
        Expression::new(Kind::Call { callee, arguments, construct: false }, place(node))
    }

    fn argument(&mut self, node: Node<'_>) -> Argument {
        let spread = match node.kind() {
            "list_splat" => Spreading::Items,
            "dictionary_splat" => Spreading::Named,
            "keyword_argument" => {
                let name = node.child_by_field_name("name").map(|name| self.name(name));
                return Argument { name, value: self.field(node, "value"), spread: Spreading::No };
            }
            _ => return Argument { name: None, value: self.expression(node), spread: Spreading::No },
        };
        let value = children(node).first().map_or(Expression::opaque(place(node)), |inner| self.expression(*inner));
        Argument { name: None, value, spread }
    }

    fn string(&mut self, node: Node<'_>) -> Expression {
        let here = place(node);
        let mut raw = false;
        let mut parts = Vec::new();
        let mut text = String::new();
        for child in children(node) {
            match child.kind() {
                "string_start" => raw = self.slice(child).contains(['r', 'R']),
                "string_content" => {
                    let content = self.slice(child);
                    text.push_str(&if raw { content.to_string() } else { unescape(content) });
                }
                "interpolation" => {
                    if !text.is_empty() {
                        parts.push(Expression::new(Kind::Text(std::mem::take(&mut text).into()), here));
                    }
                    parts.push(self.field(child, "expression"));
                }
                _ => {}
            }
        }
        if parts.is_empty() {
            return Expression::new(Kind::Text(text.into()), here);
        }
        if !text.is_empty() {
            parts.push(Expression::new(Kind::Text(text.into()), here));
        }
        Expression::new(Kind::Concat(parts), here)
    }
}

/// The last name of `a.b.c(...)`.
fn last_name(expression: &Expression) -> Option<&str> {
    match &expression.kind {
        Kind::Name(name) => Some(name),
        Kind::Member { name, .. } => Some(name),
        Kind::Call { callee, .. } => last_name(callee),
        _ => None,
    }
}

/// The escapes that matter in names, paths and URLs; any other stays as it is written.
pub(crate) fn unescape(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_string();
    }
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        match characters.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('\n') | None => {}
            Some(quoted @ ('\\' | '\'' | '"' | '`' | '/' | '$')) => out.push(quoted),
            Some(other) => {
                out.push('\\');
                out.push(other);
            }
        }
    }
    out
}
