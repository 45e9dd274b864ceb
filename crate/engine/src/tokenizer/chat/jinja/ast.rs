//! A parsed template.

use std::sync::Arc;

/// A parsed template: its statements, and its macros by number.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) body: Vec<Statement>,
    pub(super) macros: Vec<Macro>,
}

/// A statement and its line, from 1.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) line: u32,
    pub(super) node: Node,
}

#[derive(Debug)]
pub(super) enum Node {
    Text(Arc<str>),
    Print(Expr),
    /// Branches in order; the last may have no condition.
    If(Vec<(Option<Expr>, Vec<Statement>)>),
    For(Box<For>),
    Set(Target, Expr),
    SetBlock(Target, Vec<Statement>),
    /// A macro by number.
    Macro(usize),
    With(Vec<(Target, Expr)>, Vec<Statement>),
    Break,
    Continue,
}

#[derive(Debug)]
pub(super) struct For {
    pub(super) target: Target,
    pub(super) over: Expr,
    pub(super) condition: Option<Expr>,
    pub(super) body: Vec<Statement>,
    pub(super) otherwise: Vec<Statement>,
}

#[derive(Debug)]
pub(super) struct Macro {
    pub(super) name: Arc<str>,
    pub(super) parameters: Vec<(Arc<str>, Option<Expr>)>,
    pub(super) body: Vec<Statement>,
}

/// What a value is given to.
#[derive(Debug)]
pub(super) enum Target {
    Name(Arc<str>),
    /// An attribute of a namespace.
    Attribute(Arc<str>, Arc<str>),
    Tuple(Vec<Target>),
}

/// An expression and how deep its tree is.
#[derive(Debug)]
pub(super) struct Expr {
    pub(super) kind: Kind,
    pub(super) depth: u32,
}

#[derive(Debug)]
pub(super) enum Kind {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Arc<str>),
    Name(Arc<str>),
    List(Vec<Expr>),
    Tuple(Vec<Expr>),
    Map(Vec<(Expr, Expr)>),
    Not(Box<Expr>),
    Negative(Box<Expr>),
    Positive(Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Arithmetic(Operator, Box<Expr>, Box<Expr>),
    Concat(Vec<Expr>),
    Compare(Box<Expr>, Vec<(Comparison, Expr)>),
    Choice { condition: Box<Expr>, then: Box<Expr>, otherwise: Option<Box<Expr>> },
    Attribute(Box<Expr>, Arc<str>),
    Item(Box<Expr>, Box<Expr>),
    Slice(Box<Expr>, [Option<Box<Expr>>; 3]),
    Call(Box<Expr>, Given),
    Filter(Box<Expr>, Arc<str>, Given),
    Test { value: Box<Expr>, name: Arc<str>, given: Given, negated: bool },
}

/// Arguments as written.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) positional: Vec<Expr>,
    pub(super) named: Vec<(Arc<str>, Expr)>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Remainder,
    Power,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
}
