//! What both lowerings share: positions, the depth limit, and taking chains of operators apart without recursion.

use crate::syntax::{Expression, Function, Kind, Module, Name, Place};
use tree_sitter::Node;

/// Expressions and blocks that nest deeper are left out, with a diagnostic.
pub(crate) const MAX_DEPTH: usize = 400;

/// The state of one file's lowering.
pub(crate) struct Lowering<'t> {
    pub(crate) text: &'t str,
    pub(crate) module: Module,
    depth: usize,
}

pub(crate) fn place(node: Node<'_>) -> Place {
    let clamp = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
    Place { start: clamp(node.start_byte()), end: clamp(node.end_byte()) }
}

impl<'t> Lowering<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, module: Module::default(), depth: 0 }
    }

    pub(crate) fn slice(&self, node: Node<'_>) -> &'t str {
        self.text.get(node.byte_range()).unwrap_or("")
    }

    pub(crate) fn name(&self, node: Node<'_>) -> Name {
        Name::from(self.slice(node))
    }

    /// Goes one level down unless that is too deep. Every call that returns true needs a [`Self::leave`].
    pub(crate) fn enter(&mut self, node: Node<'_>) -> bool {
        if self.depth >= MAX_DEPTH {
            self.module.too_deep.get_or_insert(place(node));
            return false;
        }
        self.depth += 1;
        true
    }

    pub(crate) fn leave(&mut self) {
        self.depth -= 1;
    }

    pub(crate) fn add_function(&mut self, function: Function) -> usize {
        self.module.functions.push(function);
        self.module.functions.len() - 1
    }
}

/// The children that mean something.
pub(crate) fn children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).filter(|child| child.kind() != "comment").collect()
}

/// The operands of a left-leaning chain of one operator (`a + b + c`), in order, without recursion.
pub(crate) fn chain<'a>(node: Node<'a>, kind: &str, operator: &str) -> Vec<Node<'a>> {
    let mut operands = Vec::new();
    let mut at = node;
    loop {
        let same =
            at.kind() == kind && at.child_by_field_name("operator").is_some_and(|found| found.kind() == operator);
        let (Some(left), Some(right), true) = (at.child_by_field_name("left"), at.child_by_field_name("right"), same)
        else {
            operands.push(at);
            break;
        };
        operands.push(right);
        at = left;
    }
    operands.reverse();
    operands
}

pub(crate) fn number(text: &str, place: Place) -> Expression {
    let digits = text.replace('_', "").to_ascii_lowercase();
    let read = match (digits.strip_prefix("0o"), digits.strip_prefix("0x")) {
        (Some(octal), _) => i64::from_str_radix(octal, 8).ok(),
        (_, Some(hexadecimal)) => i64::from_str_radix(hexadecimal, 16).ok(),
        _ => digits.parse().ok(),
    };
    let kind = read.map_or(Kind::Opaque(Vec::new()), Kind::Number);
    Expression::new(kind, place)
}

/// The first place where the parser lost its way, looking only where the tree says there is one.
pub(crate) fn first_error(root: Node<'_>) -> Option<Place> {
    let mut at = root;
    loop {
        if !at.has_error() {
            return None;
        }
        if at.is_error() || at.is_missing() {
            return Some(place(at));
        }
        let mut cursor = at.walk();
        let Some(next) = at.children(&mut cursor).find(|child| child.has_error() || child.is_missing()) else {
            return Some(place(at));
        };
        at = next;
    }
}
