//! The small program form that both languages are lowered to, once per file.
//!
//! It keeps what evaluation needs (names, calls, assignments, branches, text with holes) and drops the rest: operators
//! whose result tells nothing become [`Kind::Opaque`], whose operands are still evaluated. Holds no parser types, so a
//! [`Module`] can be shared between threads and between functions of the same code root.

use std::sync::Arc;

/// A name or a literal text.
pub(crate) type Name = Arc<str>;

/// A byte range of the module's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Place {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// One file.
#[derive(Debug, Default)]
pub(crate) struct Module {
    pub(crate) body: Vec<Statement>,
    pub(crate) functions: Vec<Function>,
    pub(crate) classes: Vec<Class>,
    /// The first place where the grammar lost its way.
    pub(crate) broken: Option<Place>,
    /// Whether something nests deeper than the reader follows.
    pub(crate) too_deep: Option<Place>,
}

#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Vec<Statement>,
    pub(crate) place: Place,
    /// Names that it assigns in an outer scope (`global`, `nonlocal`).
    pub(crate) outer: Vec<Name>,
    /// `@staticmethod` or `static`.
    pub(crate) is_static: bool,
    /// A getter or `@property`: reading it calls it.
    pub(crate) is_property: bool,
}

#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) target: Pattern,
    pub(crate) default: Option<Expression>,
    pub(crate) kind: ParameterKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParameterKind {
    Plain,
    /// `*args`, `...rest`.
    Rest,
    /// `**kwargs`.
    RestNamed,
}

#[derive(Debug)]
pub(crate) struct Class {
    pub(crate) bases: Vec<Expression>,
    /// Methods as [`Statement::Define`], fields as assignments.
    pub(crate) body: Vec<Statement>,
}

#[derive(Debug)]
pub(crate) enum Statement {
    Expression(Expression),
    Assign {
        target: Pattern,
        value: Expression,
        /// `const`, `let`, `var`: the name is new here.
        declare: bool,
    },
    Define {
        name: Name,
        function: usize,
        decorators: Vec<Expression>,
    },
    DefineClass {
        name: Name,
        class: usize,
        decorators: Vec<Expression>,
    },
    /// Runs one of the arms, or none where not exhaustive.
    Branch {
        arms: Vec<Vec<Statement>>,
        exhaustive: bool,
    },
    Loop {
        each: Option<(Pattern, Expression)>,
        body: Vec<Statement>,
    },
    /// A loop with a condition, which is evaluated where it stands.
    While {
        test: Expression,
        body: Vec<Statement>,
    },
    Block(Vec<Statement>),
    Return(Option<Expression>),
    /// `raise`, `throw`: what follows in the function doesn't run.
    Stop,
    /// `break`, `continue`: what follows in the same block doesn't run, what follows the loop or `switch` does.
    Break,
    Import {
        module: Name,
        bindings: Vec<(Imported, Name)>,
        place: Place,
    },
    /// `exports.name = value` in whatever form.
    Export {
        name: Name,
        value: Expression,
    },
    /// `export * from`, under a name or flat.
    ExportAll {
        module: Name,
        name: Option<Name>,
        place: Place,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Imported {
    /// The module itself.
    Whole,
    /// Its first part (`import a.b` binds `a`).
    Root,
    Default,
    Named(Name),
    /// `from x import *`.
    Star,
}

#[derive(Debug)]
pub(crate) enum Pattern {
    Name(Name),
    /// A member or an element of something.
    Part(Box<Expression>),
    List(Vec<Pattern>),
    Map {
        entries: Vec<(Option<Name>, Pattern)>,
        rest: Option<Name>,
        place: Place,
    },
    Default(Box<Pattern>, Box<Expression>),
    Rest(Box<Pattern>),
    Ignore,
}

#[derive(Debug)]
pub(crate) struct Expression {
    pub(crate) kind: Kind,
    pub(crate) place: Place,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Text(Name),
    Number(i64),
    /// `None`, `null`, `undefined`.
    Nothing,
    /// `True`, `False`.
    Boolean(bool),
    /// Text put together: `f"..."`, templates, `+`.
    Concat(Vec<Expression>),
    /// `"... %s" % value`.
    Percent(Box<Expression>, Box<Expression>),
    /// `a / b`: a path where the left side is one.
    Divide(Box<Expression>, Box<Expression>),
    Name(Name),
    Member {
        object: Box<Expression>,
        name: Name,
        optional: bool,
    },
    Index {
        object: Box<Expression>,
        index: Box<Expression>,
        optional: bool,
    },
    Call {
        callee: Box<Expression>,
        arguments: Vec<Argument>,
        construct: bool,
    },
    Map(Vec<Entry>),
    List(Vec<Expression>),
    Spread(Box<Expression>),
    Function(usize),
    Class(usize),
    /// One of them.
    Choice(Vec<Expression>),
    /// `a or b`, `a || b`, `a ?? b`.
    Fallback(Box<Expression>, Box<Expression>),
    /// Evaluated in turn; the last one's value.
    Sequence(Vec<Expression>),
    /// A condition: what it looks at may be missing.
    Test(Box<Expression>),
    /// `key in container`.
    Contains {
        key: Box<Expression>,
        container: Box<Expression>,
    },
    Opaque(Vec<Expression>),
    /// Values held against each other.
    Compare(Comparison, Vec<Expression>),
    /// What a handler of exceptions caught; the types it is for, where it says some.
    Caught(Option<Box<Expression>>),
    /// The last few characters of something.
    Tail(Box<Expression>),
    /// The keys of something.
    Keys(Box<Expression>),
    /// An entry of a dictionary that a comprehension makes.
    Pair(Box<Expression>, Box<Expression>),
    Assign(Box<Pattern>, Box<Expression>),
    Yield(Box<Expression>),
    Comprehension {
        clauses: Vec<(Pattern, Expression)>,
        tests: Vec<Expression>,
        element: Box<Expression>,
    },
}

/// How values are held against each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// `==`, `!=`, `===`, `is`.
    Equality,
    /// `<`, `>=`.
    Order,
    /// `instanceof`.
    Instance,
}

#[derive(Debug)]
pub(crate) struct Argument {
    pub(crate) name: Option<Name>,
    pub(crate) value: Expression,
    pub(crate) spread: Spreading,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spreading {
    No,
    /// `*args`, `...args`.
    Items,
    /// `**kwargs`.
    Named,
}

#[derive(Debug)]
pub(crate) enum Entry {
    Pair(Expression, Expression),
    Spread(Expression),
}

impl Expression {
    pub(crate) fn new(kind: Kind, place: Place) -> Self {
        Self { kind, place }
    }

    pub(crate) fn opaque(place: Place) -> Self {
        Self { kind: Kind::Opaque(Vec::new()), place }
    }
}
