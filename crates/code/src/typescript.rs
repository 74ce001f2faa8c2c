//! What TypeScript has beside JavaScript, lowered to the same form: types are passed over, enums become objects, namespaces
//! functions that are called once, and parameters of a constructor with a modifier become fields.
//!
//! Deliberately absent: what types say (a string literal type isn't taken for a value), and declarations of other files
//! (`declare`, `.d.ts`).

use crate::javascript::{JavaScript, first_child};
use crate::lower::{children, place};
use crate::syntax::{
    Entry, Expression, Function, Imported, Kind, Name, Parameter, ParameterKind, Pattern, Place, Statement,
};
use tree_sitter::Node;

/// Whether a path is of TypeScript, and whether it may hold markup.
pub(crate) fn dialect(path: &str) -> Option<bool> {
    let extension = path.rsplit_once('.')?.1;
    match extension {
        "ts" | "mts" | "cts" => Some(false),
        "tsx" => Some(true),
        _ => None,
    }
}

/// Whether a node has a keyword of its own: `import type`, `static`, `readonly`.
pub(crate) fn has_word(node: Node<'_>, words: &[&str]) -> bool {
    let mut cursor = node.walk();
    node.children(&mut cursor).any(|child| words.contains(&child.kind()))
}

impl JavaScript<'_> {
    /// Statements that JavaScript doesn't have; false where this is none.
    pub(crate) fn typescript_statement(&mut self, node: Node<'_>, out: &mut Vec<Statement>) -> bool {
        match node.kind() {
            "interface_declaration" | "type_alias_declaration" | "function_signature" | "ambient_declaration" => {}
            "abstract_class_declaration" => self.class_statement(node, out),
            "enum_declaration" => {
                let Some(name) = node.child_by_field_name("name").map(|name| self.base.name(name)) else { return true };
                let value = self.enumeration(node);
                out.push(Statement::Assign { target: Pattern::Name(name), value, declare: true });
            }
            "internal_module" | "module" => self.namespace(node, out),
            "import_alias" => {
                if let [name, target, ..] = children(node).as_slice() {
                    let name = self.base.name(*name);
                    let value = self.dotted(*target);
                    out.push(Statement::Assign { target: Pattern::Name(name), value, declare: true });
                }
            }
            _ => return false,
        }
        true
    }

    /// Expressions that only say of which type another is.
    pub(crate) fn typescript_expression(&mut self, node: Node<'_>) -> Option<Expression> {
        let inner = match node.kind() {
            "as_expression" | "satisfies_expression" | "non_null_expression" | "instantiation_expression" => {
                first_child(node)
            }
            "type_assertion" => children(node).last().copied(),
            _ => return None,
        };
        Some(inner.map_or(Expression::opaque(place(node)), |inner| self.expression(inner)))
    }

    /// `import name = require("module")`.
    pub(crate) fn import_require(&mut self, node: Node<'_>, out: &mut Vec<Statement>) -> bool {
        let Some(clause) = children(node).into_iter().find(|child| child.kind() == "import_require_clause") else {
            return false;
        };
        let (Some(name), Some(source)) = (first_child(clause), clause.child_by_field_name("source")) else {
            return true;
        };
        let bindings = vec![(Imported::Whole, self.base.name(name))];
        out.push(Statement::Import { module: self.text_of(source), bindings, place: place(source) });
        true
    }

    /// A parameter with its type; none for `this`, which isn't handed over.
    pub(crate) fn typed_parameter(&mut self, node: Node<'_>) -> Option<Parameter> {
        let pattern = node.child_by_field_name("pattern")?;
        if pattern.kind() == "this" {
            return None;
        }
        let mut parameter = self.parameter(pattern);
        if let Some(value) = node.child_by_field_name("value") {
            parameter.default = Some(self.expression(value));
        }
        Some(parameter)
    }

    /// `constructor(private readonly table: string)`: the parameters that are fields, too.
    pub(crate) fn parameter_fields(&mut self, function: Node<'_>) -> Vec<Statement> {
        let list = function.child_by_field_name("parameters").map(children).unwrap_or_default();
        let mut fields = Vec::new();
        for parameter in list {
            let is_field = has_word(parameter, &["accessibility_modifier", "readonly", "override_modifier"]);
            let Some(pattern) = parameter.child_by_field_name("pattern") else { continue };
            if is_field && pattern.kind() == "identifier" {
                let name = self.base.name(pattern);
                let here = place(parameter);
                fields.push(own_field(&name, Expression::new(Kind::Name(name.clone()), here), here));
            }
        }
        fields
    }

    fn enumeration(&mut self, node: Node<'_>) -> Expression {
        let mut entries = Vec::new();
        let mut next: i64 = 0;
        for member in node.child_by_field_name("body").map(children).unwrap_or_default() {
            let here = place(member);
            let (key, value) = match member.kind() {
                "enum_assignment" => {
                    let Some(name) = member.child_by_field_name("name") else { continue };
                    let value = member.child_by_field_name("value").map(|value| self.expression(value));
                    (self.key(name), value.unwrap_or(Expression::opaque(here)))
                }
                _ => (self.key(member), Expression::new(Kind::Number(next), here)),
            };
            if let Kind::Number(number) = value.kind {
                next = number.saturating_add(1);
            }
            if let Some(key) = key {
                entries.push(Entry::Pair(Expression::new(Kind::Text(key), here), value));
            }
        }
        Expression::new(Kind::Map(entries), place(node))
    }

    fn namespace(&mut self, node: Node<'_>, out: &mut Vec<Statement>) {
        let (Some(name), Some(body)) = (node.child_by_field_name("name"), node.child_by_field_name("body")) else {
            return;
        };
        if name.kind() == "string" {
            // It says more about the types of another module.
            return;
        }
        let here = place(node);
        let mut statements = Vec::new();
        let mut entries = Vec::new();
        for statement in self.block(body) {
            match statement {
                Statement::Export { name, value } => {
                    entries.push(Entry::Pair(Expression::new(Kind::Text(name), here), value));
                }
                other => statements.push(other),
            }
        }
        statements.push(Statement::Return(Some(Expression::new(Kind::Map(entries), here))));
        let function = self.base.add_function(Function {
            parameters: Vec::new(),
            body: statements,
            place: here,
            outer: Vec::new(),
            is_static: false,
            is_property: false,
        });
        let callee = Box::new(Expression::new(Kind::Function(function), here));
        let mut value = Expression::new(Kind::Call { callee, arguments: Vec::new(), construct: false }, here);
        // `namespace Shop.Orders` is one in the other.
        let whole = self.base.slice(name).to_string();
        let mut names = whole.split('.').map(str::trim);
        let first = names.next().unwrap_or_default();
        for inner in names.rev() {
            let key = Expression::new(Kind::Text(inner.into()), here);
            value = Expression::new(Kind::Map(vec![Entry::Pair(key, value)]), here);
        }
        out.push(Statement::Assign { target: Pattern::Name(first.into()), value, declare: true });
    }

    /// `Shop.Orders` as an expression.
    fn dotted(&self, node: Node<'_>) -> Expression {
        let here = place(node);
        let mut names = self.base.slice(node).split('.').map(|name| Name::from(name.trim()));
        let first = Expression::new(Kind::Name(names.next().unwrap_or_default()), here);
        names.fold(first, |object, name| {
            Expression::new(Kind::Member { object: Box::new(object), name, optional: false }, here)
        })
    }
}

/// `this.name = value`.
pub(crate) fn own_field(name: &Name, value: Expression, here: Place) -> Statement {
    let object = Box::new(Expression::new(Kind::Name("this".into()), here));
    let member = Expression::new(Kind::Member { object, name: name.clone(), optional: false }, here);
    Statement::Assign { target: Pattern::Part(Box::new(member)), value, declare: false }
}

/// `constructor(...all) { super(...all) }`, which a class has where it doesn't say.
pub(crate) fn implied_constructor(here: Place) -> Function {
    use crate::syntax::{Argument, Spreading};
    let all: Name = "arguments of the constructor".into();
    let callee = Box::new(Expression::new(Kind::Name("super".into()), here));
    let argument =
        Argument { name: None, value: Expression::new(Kind::Name(all.clone()), here), spread: Spreading::Items };
    let call = Expression::new(Kind::Call { callee, arguments: vec![argument], construct: false }, here);
    Function {
        parameters: vec![Parameter { target: Pattern::Name(all), default: None, kind: ParameterKind::Rest }],
        body: vec![Statement::Expression(call)],
        place: here,
        outer: Vec::new(),
        is_static: false,
        is_property: false,
    }
}
