//! JavaScript (CommonJS and ES modules), lowered to [`crate::syntax`]. What TypeScript adds is in [`crate::typescript`].

use crate::lower::{Lowering, chain, children, first_error, number, place};
use crate::python::unescape;
use crate::syntax::{
    Argument, Class, Comparison, Entry, Expression, Function, Imported, Kind, Module, Name, Parameter, ParameterKind,
    Pattern, Place, Spreading, Statement,
};
use crate::typescript::{has_word, implied_constructor, own_field};
use tree_sitter::Node;

/// Lowers one file; what doesn't parse is left out.
pub(crate) fn lower(text: &str, root: Node<'_>) -> Module {
    let mut lowering = JavaScript { base: Lowering::new(text), exports: Vec::new() };
    lowering.base.module.broken = first_error(root);
    let mut body = lowering.block(root);
    // `export { a }` may stand before `a` has its value.
    body.append(&mut lowering.exports);
    lowering.base.module.body = body;
    lowering.base.module
}

pub(crate) struct JavaScript<'t> {
    pub(crate) base: Lowering<'t>,
    exports: Vec<Statement>,
}

impl JavaScript<'_> {
    pub(crate) fn block(&mut self, node: Node<'_>) -> Vec<Statement> {
        let mut statements = Vec::new();
        if !self.base.enter(node) {
            return statements;
        }
        for child in children(node) {
            self.statement(child, &mut statements);
        }
        self.base.leave();
        statements
    }

    fn field_block(&mut self, node: Node<'_>, field: &str) -> Vec<Statement> {
        let Some(child) = node.child_by_field_name(field) else { return Vec::new() };
        self.as_block(child)
    }

    fn as_block(&mut self, node: Node<'_>) -> Vec<Statement> {
        if matches!(node.kind(), "statement_block" | "else_clause") {
            return self.block(node);
        }
        let mut statements = Vec::new();
        if self.base.enter(node) {
            self.statement(node, &mut statements);
            self.base.leave();
        }
        statements
    }

    fn statement(&mut self, node: Node<'_>, out: &mut Vec<Statement>) {
        match node.kind() {
            "expression_statement" => {
                for child in children(node) {
                    if self.typescript_statement(child, out) {
                        continue;
                    }
                    let value = self.expression(child);
                    out.push(Statement::Expression(value));
                }
            }
            "lexical_declaration" | "variable_declaration" | "using_declaration" => self.declaration(node, out),
            "function_declaration" | "generator_function_declaration" => {
                let Some(name) = node.child_by_field_name("name").map(|name| self.base.name(name)) else { return };
                let function = self.function(node);
                out.push(Statement::Define { name, function, decorators: Vec::new() });
            }
            "class_declaration" => self.class_statement(node, out),
            "return_statement" => {
                let value = children(node).first().map(|child| self.expression(*child));
                out.push(Statement::Return(value));
            }
            "throw_statement" => {
                for child in children(node) {
                    let value = self.expression(child);
                    out.push(Statement::Expression(value));
                }
                out.push(Statement::Stop);
            }
            "break_statement" | "continue_statement" => out.push(Statement::Break),
            "if_statement" => {
                // What a file does when it is run by itself isn't what the function does.
                let condition = node.child_by_field_name("condition").map(|test| self.base.slice(test));
                if condition.is_some_and(|test| test.contains("require.main")) {
                    return;
                }
                let condition = self.test(node, "condition");
                out.push(Statement::Expression(condition));
                let mut arms = vec![self.field_block(node, "consequence")];
                let alternative = node.child_by_field_name("alternative");
                if alternative.is_some() {
                    arms.push(self.field_block(node, "alternative"));
                }
                out.push(Statement::Branch { arms, exhaustive: alternative.is_some() });
            }
            "switch_statement" => {
                let value = self.field(node, "value");
                out.push(Statement::Expression(value));
                let mut arms = Vec::new();
                let mut exhaustive = false;
                for case in node.child_by_field_name("body").map(children).unwrap_or_default() {
                    exhaustive |= case.kind() == "switch_default";
                    let mut arm = Vec::new();
                    for child in children(case) {
                        let is_value = case.child_by_field_name("value").is_some_and(|value| value == child);
                        if !is_value {
                            self.statement(child, &mut arm);
                        }
                    }
                    if matches!(arm.last(), Some(Statement::Break)) {
                        arm.pop();
                    }
                    arms.push(arm);
                }
                out.push(Statement::Branch { arms, exhaustive });
            }
            "for_statement" => {
                let condition = node.child_by_field_name("condition").filter(|test| test.kind() != "empty_statement");
                let test = match condition {
                    // `expression;` is a statement of its own in some versions of the grammar.
                    Some(test) if test.kind() == "expression_statement" => {
                        let inner = children(test).first().copied().unwrap_or(test);
                        self.expression(inner)
                    }
                    Some(test) => self.expression(test),
                    None => Expression::new(Kind::Boolean(true), place(node)),
                };
                for field in ["initializer", "increment"] {
                    if let Some(child) = node.child_by_field_name(field) {
                        if child.kind().ends_with("declaration") {
                            self.declaration(child, out);
                        } else {
                            let value = self.expression(child);
                            out.push(Statement::Expression(value));
                        }
                    }
                }
                let body = self.field_block(node, "body");
                out.push(Statement::While { test, body });
            }
            "for_in_statement" => {
                let target = node.child_by_field_name("left").map_or(Pattern::Ignore, |left| self.pattern(left));
                let over = self.field(node, "right");
                let of = node.child_by_field_name("operator").is_some_and(|operator| operator.kind() == "of");
                let body = self.field_block(node, "body");
                if of {
                    out.push(Statement::Loop { each: Some((target, over)), body });
                } else {
                    let key = Expression::new(Kind::Keys(Box::new(over)), place(node));
                    out.push(Statement::Assign { target, value: key, declare: true });
                    out.push(Statement::Loop { each: None, body });
                }
            }
            "while_statement" | "do_statement" => {
                let test = self.test(node, "condition");
                let body = self.field_block(node, "body");
                out.push(Statement::While { test, body });
            }
            "try_statement" => {
                let body = self.field_block(node, "body");
                out.push(Statement::Branch { arms: vec![body], exhaustive: true });
                if let Some(handler) = node.child_by_field_name("handler") {
                    let mut arm = Vec::new();
                    if let Some(parameter) = handler.child_by_field_name("parameter") {
                        let value = Expression::new(Kind::Caught(None), place(parameter));
                        arm.push(Statement::Assign { target: self.pattern(parameter), value, declare: true });
                    }
                    arm.extend(self.field_block(handler, "body"));
                    out.push(Statement::Branch { arms: vec![arm], exhaustive: false });
                }
                if let Some(finalizer) = node.child_by_field_name("finalizer") {
                    let body = self.field_block(finalizer, "body");
                    out.push(Statement::Block(body));
                }
            }
            "labeled_statement" => {
                let body = self.field_block(node, "body");
                out.push(Statement::Block(body));
            }
            "import_statement" => self.import(node, out),
            "export_statement" => self.export(node, out),
            "statement_block" | "ERROR" => {
                let inner = self.block(node);
                out.push(Statement::Block(inner));
            }
            "empty_statement" | "debugger_statement" | "hash_bang_line" => {}
            _ if self.typescript_statement(node, out) => {}
            _ => {
                let value = self.expression(node);
                out.push(Statement::Expression(value));
            }
        }
    }

    pub(crate) fn class_statement(&mut self, node: Node<'_>, out: &mut Vec<Statement>) {
        let Some(name) = node.child_by_field_name("name").map(|name| self.base.name(name)) else { return };
        let decorators = self.decorators(node);
        let class = self.class(node);
        out.push(Statement::DefineClass { name, class, decorators });
    }

    fn decorators(&mut self, node: Node<'_>) -> Vec<Expression> {
        let mut decorators = Vec::new();
        for decorator in children(node).into_iter().filter(|child| child.kind() == "decorator") {
            decorators.extend(first_child(decorator).map(|inner| self.expression(inner)));
        }
        decorators
    }

    fn declaration(&mut self, node: Node<'_>, out: &mut Vec<Statement>) {
        for declarator in children(node) {
            let target = declarator.child_by_field_name("name").map_or(Pattern::Ignore, |name| self.pattern(name));
            let value = match declarator.child_by_field_name("value") {
                Some(value) => self.expression(value),
                None => Expression::new(Kind::Nothing, place(declarator)),
            };
            out.push(Statement::Assign { target, value, declare: true });
        }
    }

    fn import(&mut self, node: Node<'_>, out: &mut Vec<Statement>) {
        // `import type` is gone when the program runs.
        if has_word(node, &["type", "typeof"]) || self.import_require(node, out) {
            return;
        }
        let Some(source) = node.child_by_field_name("source") else { return };
        let module = self.text_of(source);
        let mut bindings = Vec::new();
        for clause in children(node).into_iter().filter(|child| child.kind() == "import_clause") {
            for child in children(clause) {
                match child.kind() {
                    "identifier" => bindings.push((Imported::Default, self.base.name(child))),
                    "namespace_import" => {
                        if let Some(name) = children(child).first() {
                            bindings.push((Imported::Whole, self.base.name(*name)));
                        }
                    }
                    "named_imports" => {
                        for specifier in children(child) {
                            if has_word(specifier, &["type", "typeof"]) {
                                continue;
                            }
                            let Some((name, alias)) = self.specifier(specifier) else { continue };
                            let imported = if &*name == "default" { Imported::Default } else { Imported::Named(name) };
                            bindings.push((imported, alias));
                        }
                    }
                    _ => {}
                }
            }
        }
        out.push(Statement::Import { module, bindings, place: place(source) });
    }

    fn specifier(&mut self, node: Node<'_>) -> Option<(Name, Name)> {
        let name = self.base.name(node.child_by_field_name("name")?);
        let alias = node.child_by_field_name("alias").map_or(name.clone(), |alias| self.base.name(alias));
        Some((name, alias))
    }

    fn export(&mut self, node: Node<'_>, out: &mut Vec<Statement>) {
        let here = place(node);
        if has_word(node, &["type"]) {
            return;
        }
        let source = node.child_by_field_name("source").map(|source| (self.text_of(source), place(source)));
        let mut cursor = node.walk();
        let is_default = node.children(&mut cursor).any(|child| child.kind() == "default");
        if let Some(declaration) = node.child_by_field_name("declaration") {
            let before = out.len();
            self.statement(declaration, out);
            let mut names = Vec::new();
            for statement in out.iter().skip(before) {
                match statement {
                    Statement::Define { name, .. } | Statement::DefineClass { name, .. } => names.push(name.clone()),
                    Statement::Assign { target, .. } => pattern_names(target, &mut names),
                    _ => {}
                }
            }
            for name in names {
                let value = Expression::new(Kind::Name(name.clone()), here);
                let name = if is_default { "default".into() } else { name };
                out.push(Statement::Export { name, value });
            }
            return;
        }
        if let Some(value) = node.child_by_field_name("value") {
            let value = self.expression(value);
            out.push(Statement::Export { name: "default".into(), value });
            return;
        }
        if has_word(node, &["="]) {
            // `export = value` is `module.exports = value`.
            let value = first_child(node).map_or(Expression::opaque(here), |value| self.expression(value));
            let object = Box::new(Expression::new(Kind::Name("module".into()), here));
            let member = Expression::new(Kind::Member { object, name: "exports".into(), optional: false }, here);
            out.push(Statement::Assign { target: Pattern::Part(Box::new(member)), value, declare: false });
            return;
        }
        let mut has_clause = false;
        for child in children(node) {
            match (child.kind(), &source) {
                ("export_clause", Some((module, at))) => {
                    has_clause = true;
                    for specifier in children(child) {
                        let Some((name, alias)) = self.specifier(specifier) else { continue };
                        let hidden = Name::from(format!("export {alias}"));
                        let imported = if &*name == "default" { Imported::Default } else { Imported::Named(name) };
                        out.push(Statement::Import {
                            module: module.clone(),
                            bindings: vec![(imported, hidden.clone())],
                            place: *at,
                        });
                        let value = Expression::new(Kind::Name(hidden), here);
                        out.push(Statement::Export { name: alias, value });
                    }
                }
                ("export_clause", None) => {
                    for specifier in children(child) {
                        let Some((name, alias)) = self.specifier(specifier) else { continue };
                        let value = Expression::new(Kind::Name(name), place(specifier));
                        self.exports.push(Statement::Export { name: alias, value });
                    }
                }
                ("namespace_export", Some((module, at))) => {
                    has_clause = true;
                    let name = children(child).first().map(|name| self.base.name(*name));
                    out.push(Statement::ExportAll { module: module.clone(), name, place: *at });
                }
                _ => {}
            }
        }
        if let (Some((module, at)), false) = (source, has_clause) {
            out.push(Statement::ExportAll { module, name: None, place: at });
        }
    }

    fn function(&mut self, node: Node<'_>) -> usize {
        let parameters = if let Some(list) = node.child_by_field_name("parameters") {
            children(list)
                .into_iter()
                .filter_map(|child| match child.kind() {
                    "required_parameter" | "optional_parameter" => self.typed_parameter(child),
                    "decorator" => None,
                    _ => Some(self.parameter(child)),
                })
                .collect()
        } else {
            node.child_by_field_name("parameter").map(|child| self.parameter(child)).into_iter().collect()
        };
        let body = match node.child_by_field_name("body") {
            Some(body) if body.kind() == "statement_block" => self.block(body),
            Some(body) => vec![Statement::Return(Some(self.expression(body)))],
            None => Vec::new(),
        };
        let mut cursor = node.walk();
        let words: Vec<_> = node.children(&mut cursor).map(|child| child.kind()).collect();
        self.base.add_function(Function {
            parameters,
            body,
            place: place(node),
            outer: Vec::new(),
            is_static: words.contains(&"static"),
            is_property: words.contains(&"get"),
        })
    }

    pub(crate) fn parameter(&mut self, node: Node<'_>) -> Parameter {
        match node.kind() {
            "assignment_pattern" => {
                let target = node.child_by_field_name("left").map_or(Pattern::Ignore, |left| self.pattern(left));
                let default = Some(self.field(node, "right"));
                Parameter { target, default, kind: ParameterKind::Plain }
            }
            "rest_pattern" => {
                let target = children(node).first().map_or(Pattern::Ignore, |inner| self.pattern(*inner));
                Parameter { target, default: None, kind: ParameterKind::Rest }
            }
            _ => Parameter { target: self.pattern(node), default: None, kind: ParameterKind::Plain },
        }
    }

    fn class(&mut self, node: Node<'_>) -> usize {
        let here = place(node);
        let mut bases = Vec::new();
        for heritage in children(node).into_iter().filter(|child| child.kind() == "class_heritage") {
            let base = match first_child(heritage) {
                Some(clause) if clause.kind() == "extends_clause" => clause.child_by_field_name("value"),
                Some(clause) if clause.kind() == "implements_clause" => None,
                other => other,
            };
            bases.extend(base.map(|base| self.expression(base)));
        }
        let mut body = Vec::new();
        let mut decorators = Vec::new();
        let mut constructor = None;
        let mut of_instance = Vec::new();
        for member in node.child_by_field_name("body").map(children).unwrap_or_default() {
            if member.kind() == "decorator" {
                decorators.extend(first_child(member).map(|inner| self.expression(inner)));
                continue;
            }
            let mut decorators = std::mem::take(&mut decorators);
            decorators.extend(self.decorators(member));
            match member.kind() {
                "method_definition" => {
                    let Some(name) = member.child_by_field_name("name") else { continue };
                    let name = self.base.name(name);
                    let function = self.function(member);
                    let name = if &*name == "constructor" {
                        constructor = Some(function);
                        let fields = self.parameter_fields(member);
                        of_instance.splice(0..0, fields);
                        "__init__".into()
                    } else {
                        name
                    };
                    body.push(Statement::Define { name, function, decorators });
                }
                "field_definition" | "public_field_definition" => {
                    let property = member.child_by_field_name("property").or(member.child_by_field_name("name"));
                    let (Some(property), Some(value)) = (property, member.child_by_field_name("value")) else {
                        continue;
                    };
                    let name = self.base.name(property);
                    let is_function = matches!(value.kind(), "arrow_function" | "function_expression");
                    let of_this = self.base.slice(value).contains("this.") && !has_word(member, &["static"]);
                    let value = self.expression(value);
                    if of_this && !is_function {
                        of_instance.push(own_field(&name, value, place(member)));
                    } else {
                        body.push(Statement::Assign { target: Pattern::Name(name), value, declare: true });
                    }
                }
                "class_static_block" => {
                    let inner = self.field_block(member, "body");
                    body.push(Statement::Block(inner));
                }
                _ => {}
            }
        }
        if !of_instance.is_empty() {
            let constructor = constructor.unwrap_or_else(|| {
                let function = self.base.add_function(implied_constructor(here));
                body.push(Statement::Define { name: "__init__".into(), function, decorators: Vec::new() });
                function
            });
            if let Some(function) = self.base.module.functions.get_mut(constructor) {
                // Fields are there before the rest of the constructor runs, and after what `super` does.
                let at = usize::from(function.body.first().is_some_and(is_super_call));
                function.body.splice(at..at, of_instance);
            }
        }
        self.base.module.classes.push(Class { bases, body });
        self.base.module.classes.len() - 1
    }

    fn pattern(&mut self, node: Node<'_>) -> Pattern {
        if !self.base.enter(node) {
            return Pattern::Ignore;
        }
        let pattern = match node.kind() {
            "identifier" | "shorthand_property_identifier_pattern" => Pattern::Name(self.base.name(node)),
            "member_expression" | "subscript_expression" => Pattern::Part(Box::new(self.expression(node))),
            "array_pattern" => Pattern::List(children(node).into_iter().map(|child| self.pattern(child)).collect()),
            "object_pattern" => {
                let mut entries = Vec::new();
                let mut rest = None;
                for child in children(node) {
                    match child.kind() {
                        "pair_pattern" => {
                            let key = child.child_by_field_name("key").and_then(|key| self.key(key));
                            let value =
                                child.child_by_field_name("value").map_or(Pattern::Ignore, |value| self.pattern(value));
                            entries.push((key, value));
                        }
                        "object_assignment_pattern" => {
                            let inner = self.pattern_with_default(child);
                            let name = child.child_by_field_name("left").map(|left| self.base.name(left));
                            entries.push((name, inner));
                        }
                        "rest_pattern" => rest = children(child).first().map(|inner| self.base.name(*inner)),
                        _ => {
                            let name = self.base.name(child);
                            entries.push((Some(name.clone()), Pattern::Name(name)));
                        }
                    }
                }
                Pattern::Map { entries, rest, place: place(node) }
            }
            "assignment_pattern" => self.pattern_with_default(node),
            "rest_pattern" => {
                let inner = children(node).first().map_or(Pattern::Ignore, |inner| self.pattern(*inner));
                Pattern::Rest(Box::new(inner))
            }
            "lexical_declaration"
            | "variable_declaration"
            | "variable_declarator"
            | "parenthesized_expression"
            | "non_null_expression"
            | "as_expression"
            | "satisfies_expression" => first_child(node).map_or(Pattern::Ignore, |inner| self.pattern(inner)),
            _ => Pattern::Ignore,
        };
        self.base.leave();
        pattern
    }

    fn pattern_with_default(&mut self, node: Node<'_>) -> Pattern {
        let target = node.child_by_field_name("left").map_or(Pattern::Ignore, |left| self.pattern(left));
        let default = self.field(node, "right");
        Pattern::Default(Box::new(target), Box::new(default))
    }

    pub(crate) fn key(&mut self, node: Node<'_>) -> Option<Name> {
        match node.kind() {
            "property_identifier" | "private_property_identifier" | "number" => Some(self.base.name(node)),
            "string" => Some(self.text_of(node)),
            _ => None,
        }
    }

    pub(crate) fn text_of(&mut self, node: Node<'_>) -> Name {
        match self.expression(node).kind {
            Kind::Text(text) => text,
            _ => Name::from(""),
        }
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

    fn all(&mut self, node: Node<'_>) -> Vec<Expression> {
        children(node).into_iter().map(|child| self.expression(child)).collect()
    }

    pub(crate) fn expression(&mut self, node: Node<'_>) -> Expression {
        if !self.base.enter(node) {
            return Expression::opaque(place(node));
        }
        let expression = self.expression_inner(node);
        self.base.leave();
        expression
    }

    fn expression_inner(&mut self, node: Node<'_>) -> Expression {
        let here = place(node);
        let optional = node.child_by_field_name("optional_chain").is_some();
        let kind = match node.kind() {
            "identifier" | "shorthand_property_identifier" | "property_identifier" => Kind::Name(self.base.name(node)),
            "this" => Kind::Name("this".into()),
            "super" => Kind::Name("super".into()),
            "import" => Kind::Name("import".into()),
            "undefined" | "null" => Kind::Nothing,
            "true" => Kind::Boolean(true),
            "false" => Kind::Boolean(false),
            "number" => return number(self.base.slice(node), here),
            "string" | "template_string" => return self.string(node),
            "parenthesized_expression" | "await_expression" => {
                return children(node).first().map_or(Expression::opaque(here), |inner| self.expression(*inner));
            }
            "sequence_expression" => Kind::Sequence(self.all(node)),
            "member_expression" => {
                let object = self.boxed(node, "object");
                let name = node.child_by_field_name("property").map(|name| self.base.name(name)).unwrap_or_default();
                Kind::Member { object, name, optional }
            }
            "subscript_expression" => {
                let object = self.boxed(node, "object");
                Kind::Index { object, index: self.boxed(node, "index"), optional }
            }
            "call_expression" => {
                let callee = self.boxed(node, "function");
                let arguments = self.arguments(node);
                Kind::Call { callee, arguments, construct: false }
            }
            "new_expression" => {
                let callee = self.boxed(node, "constructor");
                let arguments = self.arguments(node);
                Kind::Call { callee, arguments, construct: true }
            }
            "object" => self.object(node),
            "array" => Kind::List(self.all(node)),
            "spread_element" => {
                let inner = children(node).first().map_or(Expression::opaque(here), |inner| self.expression(*inner));
                Kind::Spread(Box::new(inner))
            }
            "arrow_function" | "function_expression" | "generator_function" => Kind::Function(self.function(node)),
            "class" => Kind::Class(self.class(node)),
            "ternary_expression" => {
                let test = self.test(node, "condition");
                let arms = vec![self.field(node, "consequence"), self.field(node, "alternative")];
                Kind::Sequence(vec![test, Expression::new(Kind::Choice(arms), here)])
            }
            "assignment_expression" => {
                let target = node.child_by_field_name("left").map_or(Pattern::Ignore, |left| self.pattern(left));
                let value = match node.child_by_field_name("right") {
                    Some(right) => self.expression(right),
                    None => Expression::opaque(here),
                };
                Kind::Assign(Box::new(target), Box::new(value))
            }
            "augmented_assignment_expression" => {
                let Some(left) = node.child_by_field_name("left") else { return Expression::opaque(here) };
                let target = self.pattern(left);
                let old = self.expression(left);
                let value = self.field(node, "right");
                let combined = match node.child_by_field_name("operator").map(|operator| operator.kind()) {
                    Some("+=") => Kind::Concat(vec![old, value]),
                    Some("||=" | "??=") => Kind::Fallback(Box::new(old), Box::new(value)),
                    _ => Kind::Opaque(vec![old, value]),
                };
                Kind::Assign(Box::new(target), Box::new(Expression::new(combined, here)))
            }
            "binary_expression" => return self.binary(node),
            "unary_expression" => {
                let negates = node.child_by_field_name("operator").is_some_and(|operator| operator.kind() == "!");
                let inner = self.boxed(node, "argument");
                let minus = node.child_by_field_name("operator").is_some_and(|operator| operator.kind() == "-");
                match inner.kind {
                    _ if negates => Kind::Test(inner),
                    Kind::Number(number) if minus => Kind::Number(-number),
                    _ => Kind::Opaque(vec![*inner]),
                }
            }
            "yield_expression" => {
                let inner = children(node).first().map_or(Expression::opaque(here), |inner| self.expression(*inner));
                Kind::Yield(Box::new(inner))
            }
            "regex" => Kind::Text(self.base.name(node)),
            "meta_property" => Kind::Opaque(Vec::new()),
            _ => match self.typescript_expression(node) {
                Some(inner) => return inner,
                None => Kind::Opaque(self.all(node)),
            },
        };
        Expression::new(kind, here)
    }

    fn arguments(&mut self, node: Node<'_>) -> Vec<Argument> {
        let Some(list) = node.child_by_field_name("arguments") else { return Vec::new() };
        if list.kind() == "template_string" {
            let value = self.expression(list);
            return vec![Argument { name: None, value, spread: Spreading::No }];
        }
        let mut arguments = Vec::new();
        for child in children(list) {
            let (inner, spread) = match (child.kind(), children(child).first()) {
                ("spread_element", Some(inner)) => (*inner, Spreading::Items),
                _ => (child, Spreading::No),
            };
            let value = self.expression(inner);
            arguments.push(Argument { name: None, value, spread });
        }
        arguments
    }

    fn object(&mut self, node: Node<'_>) -> Kind {
        let mut entries = Vec::new();
        for child in children(node) {
            let here = place(child);
            match child.kind() {
                "pair" => {
                    let key = match child.child_by_field_name("key") {
                        Some(key) => match self.key(key) {
                            Some(name) => Expression::new(Kind::Text(name), place(key)),
                            None => match children(key).first() {
                                Some(inner) => self.expression(*inner),
                                None => Expression::opaque(here),
                            },
                        },
                        None => Expression::opaque(here),
                    };
                    let value = match child.child_by_field_name("value") {
                        Some(value) => self.expression(value),
                        None => Expression::opaque(here),
                    };
                    entries.push(Entry::Pair(key, value));
                }
                "shorthand_property_identifier" => {
                    let name = self.base.name(child);
                    let key = Expression::new(Kind::Text(name.clone()), here);
                    entries.push(Entry::Pair(key, Expression::new(Kind::Name(name), here)));
                }
                "method_definition" => {
                    let name = child.child_by_field_name("name").map(|name| self.base.name(name)).unwrap_or_default();
                    let function = self.function(child);
                    let key = Expression::new(Kind::Text(name), here);
                    entries.push(Entry::Pair(key, Expression::new(Kind::Function(function), here)));
                }
                "spread_element" => {
                    if let Some(inner) = children(child).first() {
                        let inner = self.expression(*inner);
                        entries.push(Entry::Spread(inner));
                    }
                }
                _ => {}
            }
        }
        Kind::Map(entries)
    }

    fn binary(&mut self, node: Node<'_>) -> Expression {
        let here = place(node);
        let Some(operator) = node.child_by_field_name("operator").map(|operator| operator.kind()) else {
            return Expression::opaque(here);
        };
        let operands = chain(node, "binary_expression", operator);
        let nothing = operands.iter().any(|operand| matches!(operand.kind(), "null" | "undefined"));
        let mut operands: Vec<_> = operands.into_iter().map(|operand| self.expression(operand)).collect();
        let kind = match operator {
            "+" => Kind::Concat(operands),
            "||" | "??" => {
                let mut operands = operands.into_iter();
                let first = operands.next().unwrap_or(Expression::opaque(here));
                return operands
                    .fold(first, |left, right| Expression::new(Kind::Fallback(Box::new(left), Box::new(right)), here));
            }
            "&&" => {
                let last = operands.pop().unwrap_or(Expression::opaque(here));
                let tests = operands.into_iter().map(|test| Expression::new(Kind::Test(Box::new(test)), here));
                Kind::Sequence(tests.chain([last]).collect())
            }
            "in" if operands.len() == 2 => {
                let container = Box::new(operands.pop().unwrap_or(Expression::opaque(here)));
                let key = Box::new(operands.pop().unwrap_or(Expression::opaque(here)));
                Kind::Contains { key, container }
            }
            _ if nothing => Kind::Test(Box::new(Expression::new(Kind::Sequence(operands), here))),
            "==" | "===" | "!=" | "!==" => Kind::Compare(Comparison::Equality, operands),
            "<" | ">" | "<=" | ">=" => Kind::Compare(Comparison::Order, operands),
            "instanceof" => Kind::Compare(Comparison::Instance, operands),
            _ => Kind::Opaque(operands),
        };
        Expression::new(kind, here)
    }

    fn string(&mut self, node: Node<'_>) -> Expression {
        let here = place(node);
        let mut parts = Vec::new();
        let mut text = String::new();
        for child in children(node) {
            match child.kind() {
                "template_substitution" => {
                    push_text(&mut parts, &mut text, here);
                    parts.extend(children(child).first().map(|inner| self.expression(*inner)));
                }
                "escape_sequence" => text.push_str(&unescape(self.base.slice(child))),
                _ => text.push_str(self.base.slice(child)),
            }
        }
        if parts.is_empty() {
            return Expression::new(Kind::Text(text.into()), here);
        }
        push_text(&mut parts, &mut text, here);
        Expression::new(Kind::Concat(parts), here)
    }
}

fn push_text(parts: &mut Vec<Expression>, text: &mut String, here: Place) {
    if !text.is_empty() {
        parts.push(Expression::new(Kind::Text(std::mem::take(text).into()), here));
    }
}

pub(crate) fn first_child(node: Node<'_>) -> Option<Node<'_>> {
    children(node).first().copied()
}

fn is_super_call(statement: &Statement) -> bool {
    let Statement::Expression(Expression { kind: Kind::Call { callee, .. }, .. }) = statement else { return false };
    matches!(&callee.kind, Kind::Name(name) if &**name == "super")
}

/// The names a pattern binds.
fn pattern_names(pattern: &Pattern, names: &mut Vec<Name>) {
    match pattern {
        Pattern::Name(name) => names.push(name.clone()),
        Pattern::List(parts) => parts.iter().for_each(|part| pattern_names(part, names)),
        Pattern::Map { entries, rest, .. } => {
            entries.iter().for_each(|(_, part)| pattern_names(part, names));
            names.extend(rest.clone());
        }
        Pattern::Default(inner, _) | Pattern::Rest(inner) => pattern_names(inner, names),
        Pattern::Part(_) | Pattern::Ignore => {}
    }
}
