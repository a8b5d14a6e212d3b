//! The ledger as data: every sum that the proof states, with every addend, what it is of, how it comes about and where
//! it was given. It is made once, after the last decision; report.json, report.md, the terminal, the errors and the
//! comments of config.yaml print it and add nothing up themselves.

use std::borrow::Cow;

use super::resources::Dimension;
use crate::base::span::Span;
use crate::program::Origin;

/// How an amount comes about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum How {
    /// It was given as it is.
    Given,
    /// So many times the same: `12 pods x 7Mi`.
    Times {
        /// How many.
        count: u64,
        /// Of what, in the plural; may be empty.
        of: &'static str,
        /// Each.
        each: u64,
    },
    /// Another number of the report, by this formula over its keys.
    Formula(Cow<'static, str>),
}

/// One amount of a sum.
#[derive(Debug, Clone)]
pub(crate) struct Addend<'a> {
    /// What the spec calls it, `k3s` or `component.coredns`; once a sum.
    pub id: Cow<'a, str>,
    /// What it is, for people.
    pub what: Cow<'a, str>,
    /// How much, in the unit of the sum.
    pub amount: u64,
    /// How it comes about.
    pub how: How,
    /// Where it was given. An amount that follows from many numbers has none.
    pub origin: Option<Origin<'a>>,
    /// Which part of report.json it is taken from, as a JSON pointer.
    pub refers: Option<String>,
}

impl<'a> Addend<'a> {
    /// An amount that stands by itself.
    pub(crate) fn new(
        id: impl Into<Cow<'a, str>>,
        what: impl Into<Cow<'a, str>>,
        amount: u64,
        origin: Option<Origin<'a>>,
    ) -> Addend<'a> {
        Addend {
            id: id.into(),
            what: what.into(),
            amount,
            how: How::Given,
            origin,
            refers: None,
        }
    }

    /// An amount that is a number times `each`.
    pub(crate) fn product(
        id: impl Into<Cow<'a, str>>,
        what: impl Into<Cow<'a, str>>,
        (count, of): (u64, &'static str),
        each: u64,
        origin: Option<Origin<'a>>,
    ) -> Addend<'a> {
        Addend {
            how: How::Times { count, of, each },
            ..Addend::new(id, what, count.saturating_mul(each), origin)
        }
    }

    /// An amount that follows from a list of the report.
    pub(crate) fn formula(
        id: impl Into<Cow<'a, str>>,
        what: impl Into<Cow<'a, str>>,
        amount: u64,
        formula: impl Into<Cow<'static, str>>,
    ) -> Addend<'a> {
        Addend {
            how: How::Formula(formula.into()),
            ..Addend::new(id, what, amount, None)
        }
    }

    /// The same, taken from a part of report.json.
    pub(crate) fn from(self, pointer: impl Into<String>) -> Addend<'a> {
        Addend {
            refers: Some(pointer.into()),
            ..self
        }
    }

    /// How it comes about, in words: `12 pods x 7Mi`.
    pub(crate) fn in_words(&self, dimension: Dimension) -> Option<String> {
        match &self.how {
            How::Given => None,
            How::Times {
                count,
                of: "",
                each,
            } => Some(format!("{count} x {}", dimension.show(*each))),
            How::Times { count, of, each } => {
                let of = if *count == 1 {
                    of.trim_end_matches('s')
                } else {
                    of
                };
                Some(format!("{count} {of} x {}", dimension.show(*each)))
            }
            How::Formula(formula) => Some(formula.to_string()),
        }
    }

    /// The place in a source where it was given.
    pub(crate) fn span(&self) -> Option<Span> {
        self.origin.and_then(|origin| origin.span)
    }
}

/// Two sides of an inequality, the left one of which is not the larger where it holds.
#[derive(Debug, Clone)]
pub(crate) struct Sum<'a> {
    /// What it adds up.
    pub dimension: Dimension,
    /// What is taken.
    pub left: Vec<Addend<'a>>,
    /// What there is. `None` where that is not known.
    pub right: Option<Vec<Addend<'a>>>,
}

/// The sum of amounts; one that saturates is more than any node has.
pub(crate) fn total(addends: &[Addend<'_>]) -> u64 {
    addends
        .iter()
        .map(|addend| addend.amount)
        .fold(0, u64::saturating_add)
}

impl Sum<'_> {
    /// What is taken, in all.
    pub(crate) fn taken(&self) -> u64 {
        total(&self.left)
    }

    /// What there is, in all.
    pub(crate) fn there_is(&self) -> Option<u64> {
        self.right.as_deref().map(total)
    }
}
