//! The tree as it was written: items with a key, names, a value and a body, whatever they will turn out
//! to mean. One shape for fields and declarations keeps the parser, the formatter and the layers of
//! `sema` small. Everything is a span into the source; what could not be read is an explicit hole.

use super::token::Token;
use crate::base::span::{FileId, Span};

/// The word before what replaces a value of a lower layer.
pub(crate) const OVERRIDE: &str = "override";

/// One source file.
#[derive(Debug)]
pub(crate) struct File {
    /// Which.
    pub id: FileId,
    /// What it declares, in order.
    pub items: Box<[Item]>,
    /// Its comments, in order. They belong to places, not to nodes; only `fmt` reads them.
    pub comments: Vec<Token>,
}

/// `key = value`, `key { .. }`, `kind name, name { .. }`, `kind name = value`, `override key = value`,
/// `expect value`, `use "file"`.
#[derive(Debug)]
pub(crate) struct Item {
    /// All of it.
    pub span: Span,
    /// Whether the word `override` begins it.
    pub overrides: bool,
    /// The first word: a field's key or a declaration's kind.
    pub key: Word,
    /// What follows the key before `=` or `{`.
    pub names: Box<[Word]>,
    /// What follows `=` (or, in `expect`, the key).
    pub value: Option<Expr>,
    /// What stands between braces. Few items have it, so that it is kept apart.
    pub body: Option<Box<Body>>,
}

impl Item {
    /// The word `override` before it.
    pub(crate) fn overriding(&self) -> Option<Span> {
        let end = self.span.start + OVERRIDE.len() as u32;
        self.overrides.then_some(Span { end, ..self.span })
    }

    /// Whether its value could not be read, which has been reported.
    pub(crate) fn is_hole(&self) -> bool {
        matches!(
            self.value,
            Some(Expr {
                kind: ExprKind::Hole,
                ..
            })
        )
    }
}

/// The items between two braces.
#[derive(Debug)]
pub(crate) struct Body {
    /// From `{` to `}`.
    pub span: Span,
    /// What is inside.
    pub items: Box<[Item]>,
}

impl Body {
    /// Right behind the `{`.
    pub(crate) fn inside(&self) -> Span {
        let start = self.span.start + 1;
        Span {
            start,
            end: start,
            ..self.span
        }
    }
}

/// A key or name: a bare word, a quoted text, or words joined by `.` or `/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word {
    /// With quotes where it has them.
    pub span: Span,
    /// How it was written.
    pub shape: WordShape,
}

/// How a [`Word`] was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WordShape {
    /// `agent`
    Bare,
    /// `"k8s/*.yaml"`
    Quoted,
    /// `web/nginx`, `std.tiers`
    Joined,
}

/// A value.
#[derive(Debug)]
pub(crate) struct Expr {
    /// All of it.
    pub span: Span,
    /// What it is.
    pub kind: ExprKind,
}

/// The kinds of value.
#[derive(Debug)]
pub(crate) enum ExprKind {
    /// `48Mi`; the text under the span says which.
    Number,
    /// `"text"` or `"""text"""`.
    Text,
    /// `agent`, `wsl.free`.
    Path,
    /// `[a, b]`
    List(Box<[Expr]>),
    /// `a..b`
    Range(Box<(Expr, Expr)>),
    /// `-a`
    Negative(Box<Expr>),
    /// `a + b`, `a >= b`
    Binary(Operator, Box<(Expr, Expr)>),
    /// `max(a, b)`
    Call(Box<Call>),
    /// `secret db/url`.
    Reference(Box<Reference>),
    /// `surge 25%`: a word and the number it takes.
    Tagged(Box<(Word, Expr)>),
    /// Something that could not be read, and was reported.
    Hole,
}

/// `max(a, b)`
#[derive(Debug)]
pub(crate) struct Call {
    /// What is called.
    pub function: Word,
    /// With what.
    pub arguments: Vec<Expr>,
}

/// `secret db/url`: a key of something in the cluster.
#[derive(Debug)]
pub(crate) struct Reference {
    /// `secret` or `config`.
    pub kind: Word,
    /// Its name.
    pub name: Word,
    /// The key in it.
    pub key: Word,
}

/// What stands between two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Plus,
    Minus,
    Times,
    Divide,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
    /// The second where there is nothing at the first.
    Or,
}

impl Operator {
    /// As it is written.
    pub(crate) const fn sign(self) -> &'static str {
        match self {
            Operator::Plus => "+",
            Operator::Minus => "-",
            Operator::Times => "*",
            Operator::Divide => "/",
            Operator::Less => "<",
            Operator::LessEqual => "<=",
            Operator::Greater => ">",
            Operator::GreaterEqual => ">=",
            Operator::Equal => "==",
            Operator::NotEqual => "!=",
            Operator::Or => "or",
        }
    }
}
