//! A change of the source that may help, before anyone has tried it: in words, as edits, and the number in it that is
//! still to be found.

use crate::base::quantity::{Bytes, Cpu};
use crate::base::span::Span;

/// One replacement of source text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; empty to insert.
    pub span: Span,
    /// The text that replaces it.
    pub text: String,
}

/// How much a change takes away from what the program asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// Something is done otherwise, or one thing that K3s packages is switched off.
    Switch,
    /// A ceiling of the program's own is raised.
    Raise,
    /// A number is lowered.
    Lower,
    /// Something is left out.
    Remove,
    /// Another machine is needed, which no program can change.
    Machine,
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Mi of memory.
    Mib,
    /// Things.
    Count,
    /// Percent.
    Percent,
    /// Thousandths of a core.
    Milli,
}

impl Unit {
    /// So many of it, as a program writes it.
    pub(crate) fn shown(self, n: u64) -> String {
        match self {
            Unit::Mib => Bytes::mib(n).to_string(),
            Unit::Count => n.to_string(),
            Unit::Percent => format!("{n}%"),
            Unit::Milli => Cpu::milli(n).to_string(),
        }
    }
}

/// The number in a change. What is wanted is the one nearest to `now` with which the program fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Number {
    /// Where it goes, and what stands before it there.
    pub(crate) at: Edit,
    /// What stands behind it there.
    pub(crate) behind: String,
    /// What it counts.
    pub(crate) unit: Unit,
    /// What the program has, or the whole number next to that, with which it does not fit.
    pub(crate) now: u64,
    /// What arithmetic says should do.
    pub(crate) guess: u64,
    /// As far from `now` as it may be: less than `now` where it is lowered.
    pub(crate) bound: u64,
}

/// A change that may help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proposal {
    /// How much it takes away.
    pub(crate) way: Way,
    /// In words, up to the number if there is one.
    pub(crate) text: String,
    /// What follows the number.
    pub(crate) tail: String,
    /// All edits without a number; all of them together.
    pub(crate) edits: Vec<Edit>,
    /// The number that is to be found.
    pub(crate) number: Option<Number>,
    /// About how many bytes it saves at most: it orders changes before they are tried.
    pub(crate) saves: u64,
}

impl Proposal {
    /// The change in words and as edits, with `n` as its number if it has one.
    pub(crate) fn with(&self, n: Option<u64>) -> (String, Vec<Edit>) {
        let mut edits = self.edits.clone();
        let mut shown = String::new();
        if let (Some(number), Some(n)) = (&self.number, n) {
            shown = number.unit.shown(n);
            edits.push(Edit {
                span: number.at.span,
                text: format!("{}{shown}{}", number.at.text, number.behind),
            });
        }
        (format!("{}{shown}{}", self.text, self.tail), edits)
    }
}
