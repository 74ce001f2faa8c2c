//! HCL as a tree: bodies, blocks, attributes, expressions, each with its span. Made by `parse`, given a meaning by `evaluate`.

use source::Span;

/// What stands between a block's braces, or in a whole file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Body {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) blocks: Vec<Block>,
}

impl Body {
    /// The expression of an attribute.
    pub(crate) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// The blocks of a kind.
    pub(crate) fn blocks<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Block> {
        self.blocks.iter().filter(move |block| block.kind == kind)
    }
}

/// `name = value`.
#[derive(Debug, Clone)]
pub(crate) struct Attribute {
    pub(crate) name: String,
    pub(crate) name_span: Span,
    pub(crate) value: Expr,
}

/// `kind "label" { … }`.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub(crate) kind: String,
    pub(crate) labels: Vec<String>,
    /// The keyword with its labels.
    pub(crate) head: Span,
    /// All of it.
    pub(crate) span: Span,
    pub(crate) body: Body,
}

impl Block {
    /// A label by position; empty where there is none.
    pub(crate) fn label(&self, at: usize) -> &str {
        self.labels.get(at).map_or("", String::as_str)
    }
}

/// An expression with its place.
#[derive(Debug, Clone)]
pub(crate) struct Expr {
    pub(crate) span: Span,
    pub(crate) kind: ExprKind,
}

/// What an expression is.
#[derive(Debug, Clone)]
pub(crate) enum ExprKind {
    Null,
    Bool(bool),
    Number(f64),
    /// A quoted string or heredoc.
    Template(Vec<Piece>),
    List(Vec<Expr>),
    Object(Vec<(Expr, Expr)>),
    Variable(String),
    /// Something followed by `.name`, `[index]`, `.*` or `[*]`.
    Path(Box<Expr>, Vec<Step>),
    /// A function with its arguments; the last one is spread where it ends in `...`.
    Call(String, Vec<Expr>, bool),
    Unary(Operator, Box<Expr>),
    /// Operators of one precedence in a row.
    Binary(Box<Expr>, Vec<(Operator, Expr)>),
    Conditional(Box<(Expr, Expr, Expr)>),
    For(Box<For>),
}

/// One step of a path.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Attribute(String),
    Index(Expr),
    Splat,
}

/// `[for k, v in c : r if p]` or `{for k, v in c : key => r… if p}`.
#[derive(Debug, Clone)]
pub(crate) struct For {
    pub(crate) key_name: Option<String>,
    pub(crate) value_name: String,
    pub(crate) collection: Expr,
    /// Of an object.
    pub(crate) key: Option<Expr>,
    pub(crate) value: Expr,
    pub(crate) condition: Option<Expr>,
    /// Values under one key are gathered.
    pub(crate) group: bool,
}

/// A piece of a template.
#[derive(Debug, Clone)]
pub(crate) enum Piece {
    /// Text with the place of its first byte.
    Text(String, Span),
    /// `${…}`.
    Value(Expr),
    /// `%{ if … }`.
    If(Box<(Expr, Vec<Piece>, Vec<Piece>)>),
    /// `%{ for … }`: names of key and value, the collection, the body.
    For(Box<(Option<String>, String, Expr, Vec<Piece>)>),
}

/// Operators, unary ones too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Or,
    And,
    Equal,
    Different,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Not,
}
