//! Numbers with what they measure, and formulas over numbers of the plan.

use super::id::{BudgetId, NodeId, ServiceId};
use std::fmt;

use crate::base::quantity::{ByteUnit, Bytes, Cpu, Millis};
use crate::base::span::Span;
use crate::syntax::ast::Operator;

/// What a number measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dim {
    /// How many.
    Count,
    /// A number with decimals, in thousandths: only CPU can be that.
    Decimal,
    /// Bytes.
    Memory,
    /// Thousandths of a core.
    Cpu,
    /// Milliseconds.
    Duration,
    /// Percent.
    Percent,
    /// How a promise stands: an index into [`VERDICTS`].
    Verdict,
}

/// What a verdict can say.
pub(crate) const VERDICTS: [&str; 5] = ["proved", "relaxed", "assumed", "unknown", "refuted"];

impl Dim {
    /// With its article, for messages.
    pub(crate) fn described(self) -> &'static str {
        match self {
            Dim::Count => "a count",
            Dim::Decimal => "a number with decimals",
            Dim::Memory => "an amount of memory",
            Dim::Cpu => "an amount of CPU",
            Dim::Duration => "a duration",
            Dim::Percent => "a percentage",
            Dim::Verdict => "a verdict",
        }
    }
}

/// A number with its dimension, and the unit its memory was written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Num {
    /// What it measures.
    pub dim: Dim,
    /// How much, in the dimension's integer unit.
    pub n: u64,
    /// For memory.
    pub unit: ByteUnit,
    /// Whether it is a literal with the bare suffix `m`, which is a thousandth of a core or a minute.
    pub bare_m: bool,
}

impl Num {
    /// A number of a dimension.
    pub(crate) fn of(dim: Dim, n: u64) -> Num {
        Num {
            dim,
            n,
            unit: ByteUnit::Mebi,
            bare_m: false,
        }
    }
}

impl fmt::Display for Num {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.dim {
            Dim::Count => write!(f, "{}", self.n),
            Dim::Decimal => {
                let decimals = format!("{:03}", self.n % 1000);
                let decimals = decimals.trim_end_matches('0');
                write!(
                    f,
                    "{}.{}",
                    self.n / 1000,
                    if decimals.is_empty() { "0" } else { decimals }
                )
            }
            Dim::Memory => Bytes::with_unit(self.n, self.unit).fmt(f),
            Dim::Cpu => Cpu::milli(self.n).fmt(f),
            Dim::Duration => Millis(self.n).fmt(f),
            Dim::Percent => write!(f, "{}%", self.n),
            Dim::Verdict => {
                let word = usize::try_from(self.n).ok().and_then(|n| VERDICTS.get(n));
                f.write_str(word.copied().unwrap_or("unknown"))
            }
        }
    }
}

/// A comparison the plan must meet.
#[derive(Debug)]
pub(crate) struct Expect<'a> {
    /// All of it, as written.
    pub span: Span,
    /// The left side.
    pub left: Formula<'a>,
    /// What stands between.
    pub operator: Operator,
    /// The right side.
    pub right: Formula<'a>,
}

/// A number that may depend on the plan.
#[derive(Debug)]
pub(crate) enum Formula<'a> {
    /// Known while compiling.
    Constant(Num),
    /// Known once the plan is made.
    Metric(Metric<'a>),
    /// `a + b` and its kin.
    Binary(Operator, Box<(Formula<'a>, Formula<'a>)>),
}

/// A number of the plan that `expect` may name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Metric<'a> {
    /// Of what.
    pub of: Subject,
    /// Which number.
    pub key: &'a str,
    /// Where it was named.
    pub span: Span,
}

/// What a [`Metric`] is a number of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A node.
    Node(NodeId),
    /// A budget.
    Budget(BudgetId),
    /// A service.
    Service(ServiceId),
}
