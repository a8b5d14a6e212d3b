//! What all of `sema` shares: the sources, the sink, the constants of `let`, and the evaluation of values.
//!
//! Evaluation is total and bounded: each `let` is computed once, and there is nothing that repeats.

mod errors;

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use crate::base::quantity::{ByteUnit, Bytes, Cpu, Millis};
use crate::base::source::SourceMap;
use crate::base::span::Span;
use crate::base::text::refused_in_yaml;
use crate::diag::{Diagnostic, Sink};
use crate::program::{Dim, Num, Origin};
use crate::sema::errors as general;
use crate::sema::trace::Tracer;
use crate::syntax::ast::{Expr, ExprKind, Item, Operator, Word, WordShape};
use crate::syntax::literal;

/// 64 TiB: no machine has more. A larger number is a typing error, and sums of such numbers would not fit 64 bits.
pub(crate) const MOST_MEMORY: u64 = 1 << 46;

/// The same for CPU, in thousandths of a core.
pub(crate) const MOST_CPU: u64 = 1_000_000_000;

/// A constant.
#[derive(Debug)]
pub(super) struct Let<'a> {
    /// Its name.
    pub name: Span,
    /// Its value as written.
    pub expr: &'a Expr,
    /// Whether anything uses it.
    pub used: Cell<bool>,
    /// Its number, once computed; `Some(None)` if a fault left it without one, `None` if it is something else.
    pub number: Cell<Option<Option<Num>>>,
}

/// What all of `sema` shares.
#[derive(Debug)]
pub(super) struct Cx<'a> {
    /// Texts.
    pub sources: &'a SourceMap,
    /// Findings.
    pub sink: RefCell<Sink>,
    /// Constants by name.
    pub lets: BTreeMap<&'a str, Let<'a>>,
    /// Records what is given at a place, if a caller asked for one.
    pub tracer: Option<Tracer<'a>>,
}

impl<'a> Cx<'a> {
    /// Reports a finding.
    pub(super) fn report(&self, diagnostic: Diagnostic) {
        self.sink.borrow_mut().push(diagnostic);
    }

    /// The source text of a span.
    pub(super) fn text(&self, span: Span) -> &'a str {
        self.sources.text(span)
    }

    /// A key or name without its quotes, if it has any.
    pub(super) fn word(&self, word: Word) -> &'a str {
        let text = self.text(word.span);
        match word.shape {
            WordShape::Quoted => &text[1..text.len() - 1],
            WordShape::Bare | WordShape::Joined => text,
        }
    }

    /// The key of an item.
    pub(super) fn key(&self, item: &Item) -> &'a str {
        self.word(item.key)
    }

    /// Follows a name to the constant it stands for, if it stands for one.
    pub(super) fn resolve(&self, expr: &'a Expr) -> &'a Expr {
        let mut at = expr;
        // A chain is at most as long as there are constants; a longer one goes in a circle.
        for _ in 0..=self.lets.len() {
            let ExprKind::Path = at.kind else { return at };
            let Some(constant) = self.lets.get(self.text(at.span)) else {
                return at;
            };
            constant.used.set(true);
            at = constant.expr;
            self.trace(expr.span, || self.text(at.span).to_owned());
        }
        at
    }

    /// Records which field stands at this place, for a caller who asked for it.
    pub(super) fn trace_field(&self, item: &'a Item, origin: Origin<'a>) {
        if let Some(tracer) = &self.tracer {
            tracer.field(item, origin);
        }
    }

    /// Records the value at this place, for a caller who asked for it.
    fn trace(&self, span: Span, value: impl FnOnce() -> String) {
        if let Some(tracer) = &self.tracer {
            tracer.value(span, value);
        }
    }

    /// The number an expression stands for. `None` if it has none, which is reported here or was reported before.
    pub(super) fn number(&self, expr: &'a Expr) -> Option<Num> {
        let number = self.evaluated(expr)?;
        self.trace(expr.span, || number.to_string());
        Some(number)
    }

    fn evaluated(&self, expr: &'a Expr) -> Option<Num> {
        match &expr.kind {
            ExprKind::Number => self.literal(expr.span),
            ExprKind::Path => self.constant(expr),
            ExprKind::Negative(inner) => {
                let number = self.number(inner)?;
                if number.n != 0 {
                    self.report(errors::negative(expr.span));
                    return None;
                }
                Some(number)
            }
            ExprKind::Binary(operator, sides) => {
                let (left, right) = (self.number(&sides.0), self.number(&sides.1));
                self.arithmetic(*operator, left?, right?, expr.span)
            }
            ExprKind::Call(call) => self.call(call.function, &call.arguments, expr.span),
            ExprKind::Hole => None,
            ExprKind::Text
            | ExprKind::List(_)
            | ExprKind::Range(_)
            | ExprKind::Reference(_)
            | ExprKind::Tagged(..) => {
                self.report(errors::not_a_number(
                    expr.span,
                    described(expr),
                    self.text(expr.span),
                ));
                None
            }
        }
    }

    fn constant(&self, expr: &'a Expr) -> Option<Num> {
        let name = self.text(expr.span);
        let Some(constant) = self.lets.get(name) else {
            self.report(errors::unknown_constant(
                name,
                expr.span,
                self.lets.keys().copied(),
            ));
            return None;
        };
        constant.used.set(true);
        if let Some(number) = constant.number.get() {
            return number;
        }
        if !matches!(constant.expr.kind, ExprKind::Hole) {
            self.report(errors::not_a_number(
                expr.span,
                described(self.resolve(constant.expr)),
                "",
            ));
        }
        None
    }

    /// Computes the number of a constant, if it is one; all that it names have been computed.
    pub(super) fn compute(&self, name: &str) {
        let Some(constant) = self.lets.get(name) else {
            return;
        };
        let number = match &constant.expr.kind {
            ExprKind::Number | ExprKind::Negative(_) | ExprKind::Binary(..) | ExprKind::Call(_) => {
                self.number(constant.expr)
            }
            ExprKind::Path => self
                .lets
                .get(self.text(constant.expr.span))
                .and_then(|other| {
                    other.used.set(true);
                    other.number.get().flatten()
                }),
            ExprKind::Text
            | ExprKind::List(_)
            | ExprKind::Range(_)
            | ExprKind::Reference(_)
            | ExprKind::Tagged(..)
            | ExprKind::Hole => return,
        };
        constant.number.set(Some(number));
    }

    /// A number literal: its digits and the dimension of its suffix.
    fn literal(&self, span: Span) -> Option<Num> {
        let text = self.text(span);
        let Some(number) = literal::number(text) else {
            self.report(errors::too_large(span));
            return None;
        };
        if text.len() > 1 && text.starts_with('0') && text.as_bytes()[1].is_ascii_digit() {
            self.report(errors::leading_zero(text, span));
            return None;
        }
        let scaled = |factor: u64| {
            let whole = u128::from(number.digits) * u128::from(factor);
            let divisor = 10_u128.checked_pow(number.decimals)?;
            whole
                .is_multiple_of(divisor)
                .then(|| u64::try_from(whole / divisor).ok())
                .flatten()
        };
        let (dim, factor) = match number.suffix {
            "" if number.decimals == 0 => (Dim::Count, 1),
            "" => (Dim::Decimal, 1000),
            "m" => (Dim::Cpu, 1),
            "ms" => (Dim::Duration, 1),
            "s" => (Dim::Duration, 1000),
            "min" => (Dim::Duration, 60_000),
            "h" => (Dim::Duration, 3_600_000),
            "%" => (Dim::Percent, 1),
            suffix => match ByteUnit::from_suffix(suffix) {
                Some(unit) => (Dim::Memory, unit.bytes()),
                None => {
                    self.report(errors::unknown_unit(text, suffix, span));
                    return None;
                }
            },
        };
        let Some(n) = scaled(factor) else {
            self.report(
                match u128::from(number.digits) * u128::from(factor) > u128::from(u64::MAX) {
                    true => errors::too_large(span),
                    false => errors::not_whole(text, dim, span),
                },
            );
            return None;
        };
        let unit = ByteUnit::from_suffix(number.suffix).unwrap_or(ByteUnit::B);
        Some(Num {
            dim,
            n,
            unit,
            bare_m: number.suffix == "m",
        })
    }

    fn arithmetic(&self, operator: Operator, left: Num, right: Num, span: Span) -> Option<Num> {
        use Dim::{Count, Percent};
        let mixed = || {
            self.report(general::mixed_dimensions(
                operator.sign(),
                left.dim,
                right.dim,
                span,
            ));
            None
        };
        let unit = if left.dim == Dim::Memory {
            left.unit
        } else {
            right.unit
        };
        let computed = match operator {
            Operator::Plus | Operator::Minus if left.dim != right.dim => return mixed(),
            Operator::Plus => left.n.checked_add(right.n).map(|n| (left.dim, n)),
            Operator::Minus => match left.n.checked_sub(right.n) {
                Some(n) => Some((left.dim, n)),
                None => {
                    self.report(errors::negative(span));
                    return None;
                }
            },
            Operator::Times => match (left.dim, right.dim) {
                (Count, dim) | (dim, Count) => left.n.checked_mul(right.n).map(|n| (dim, n)),
                (Percent, dim) | (dim, Percent) => {
                    let product = u128::from(left.n) * u128::from(right.n) / 100;
                    u64::try_from(product).ok().map(|n| (dim, n))
                }
                _ => return mixed(),
            },
            Operator::Divide if right.n == 0 => {
                self.report(general::division_by_zero(span));
                return None;
            }
            Operator::Divide => match (left.dim, right.dim) {
                (dim, Count) => Some((dim, left.n / right.n)),
                (dim, other) if dim == other => Some((Count, left.n / right.n)),
                _ => return mixed(),
            },
            Operator::Less
            | Operator::LessEqual
            | Operator::Greater
            | Operator::GreaterEqual
            | Operator::Equal
            | Operator::NotEqual => {
                self.report(errors::comparison_as_value(span));
                return None;
            }
            Operator::Or => {
                self.report(errors::or_outside_a_kind(span));
                return None;
            }
        };
        if computed.is_none() {
            self.report(errors::too_large(span));
        }
        computed.map(|(dim, n)| Num {
            unit,
            ..Num::of(dim, n)
        })
    }

    fn call(&self, name: Word, arguments: &'a [Expr], span: Span) -> Option<Num> {
        let function = self.word(name);
        if !["min", "max", "sum"].contains(&function) {
            self.report(errors::unknown_function(function, name.span));
            return None;
        }
        let mut numbers = Vec::with_capacity(arguments.len());
        for argument in arguments {
            numbers.push(self.number(argument)?);
        }
        let Some((first, rest)) = numbers.split_first() else {
            self.report(errors::no_arguments(function, span));
            return None;
        };
        let mut result = *first;
        for next in rest {
            if next.dim != result.dim {
                self.report(general::mixed_dimensions(
                    function, result.dim, next.dim, span,
                ));
                return None;
            }
            result = match function {
                "min" => {
                    if next.n < result.n {
                        *next
                    } else {
                        result
                    }
                }
                "max" => {
                    if next.n > result.n {
                        *next
                    } else {
                        result
                    }
                }
                _ => self.arithmetic(Operator::Plus, result, *next, span)?,
            };
        }
        Some(Num {
            bare_m: false,
            ..result
        })
    }

    /// A number of one dimension, or an error that says what it is instead.
    pub(super) fn expect(&self, expr: &'a Expr, wanted: Dim) -> Option<Num> {
        let number = self.number(expr)?;
        match (number.dim, wanted) {
            (dim, wanted) if dim == wanted => Some(number),
            (Dim::Count, Dim::Cpu) => match number.n.checked_mul(1000) {
                Some(n) => Some(Num::of(Dim::Count, n)),
                None => {
                    self.report(errors::too_large(expr.span));
                    None
                }
            },
            (Dim::Decimal, Dim::Cpu) => Some(Num::of(Dim::Cpu, number.n)),
            (Dim::Cpu, Dim::Duration) if number.bare_m => {
                let millis = number.n.checked_mul(60_000);
                millis.map(|n| Num::of(Dim::Duration, n))
            }
            (Dim::Count, Dim::Memory) if number.n == 0 => Some(Num::of(Dim::Memory, 0)),
            _ => {
                self.report(general::wrong_dimension(
                    self.text(expr.span),
                    number,
                    wanted,
                    expr.span,
                ));
                None
            }
        }
    }

    /// An amount of memory.
    pub(super) fn memory(&self, expr: &'a Expr) -> Option<Bytes> {
        let number = self.expect(expr, Dim::Memory)?;
        if number.n > MOST_MEMORY {
            self.report(general::out_of_range(
                self.text(expr.span),
                "at most 65536Gi",
                expr.span,
            ));
            return None;
        }
        Some(Bytes::with_unit(number.n, number.unit))
    }

    /// An amount of CPU.
    pub(super) fn cpu(&self, expr: &'a Expr) -> Option<Cpu> {
        let number = self.expect(expr, Dim::Cpu)?;
        if number.n > MOST_CPU {
            self.report(general::out_of_range(
                self.text(expr.span),
                "at most 1000000 cores",
                expr.span,
            ));
            return None;
        }
        let cpu = Cpu {
            milli: number.n,
            written_in_cores: number.dim == Dim::Count,
        };
        self.trace(expr.span, || cpu.to_string());
        Some(cpu)
    }

    /// A length of time.
    pub(super) fn duration(&self, expr: &'a Expr) -> Option<Millis> {
        let number = self.expect(expr, Dim::Duration)?;
        self.trace(expr.span, || number.to_string());
        Some(Millis(number.n))
    }

    /// A count.
    pub(super) fn count(&self, expr: &'a Expr) -> Option<u64> {
        self.expect(expr, Dim::Count).map(|number| number.n)
    }

    /// A text; `None` with a report if it is something else.
    pub(super) fn string(&self, expr: &'a Expr) -> Option<Cow<'a, str>> {
        let resolved = self.resolve(expr);
        match resolved.kind {
            ExprKind::Text => {
                self.trace(expr.span, || self.text(resolved.span).to_owned());
                self.text_literal(resolved.span)
            }
            ExprKind::Hole => None,
            ExprKind::Path => {
                self.report(errors::bare_text(self.text(resolved.span), resolved.span));
                None
            }
            _ => {
                self.report(general::not_a_text(
                    expr.span,
                    described(resolved),
                    self.text(resolved.span),
                ));
                None
            }
        }
    }

    /// What a text literal says.
    pub(super) fn text_literal(&self, span: Span) -> Option<Cow<'a, str>> {
        match literal::text(self.text(span)) {
            Ok(text) => {
                let refused = refused_in_yaml(&text);
                if let Some((_, c)) = refused {
                    self.report(errors::no_character_of_yaml(c, span));
                }
                refused.is_none().then_some(text)
            }
            Err(at) => {
                let start = span.start + u32::try_from(at).unwrap_or_default();
                self.report(errors::unknown_escape(Span {
                    start,
                    end: start + 1,
                    ..span
                }));
                None
            }
        }
    }

    /// A bare name, such as `agent` in `tier = agent`.
    pub(super) fn name(&self, expr: &'a Expr, what: &str) -> Option<(&'a str, Span)> {
        match expr.kind {
            ExprKind::Path if !self.text(expr.span).contains('.') => {
                self.trace(expr.span, || self.text(expr.span).to_owned());
                Some((self.text(expr.span), expr.span))
            }
            ExprKind::Hole => None,
            ExprKind::Text => {
                self.report(errors::quoted_name(what, self.text(expr.span), expr.span));
                None
            }
            _ => {
                self.report(errors::not_a_name(what, expr.span, described(expr)));
                None
            }
        }
    }

    /// The elements of a list. A single value is not one.
    pub(super) fn list(&self, expr: &'a Expr) -> Option<&'a [Expr]> {
        let resolved = self.resolve(expr);
        match &resolved.kind {
            ExprKind::List(values) => Some(values),
            ExprKind::Hole => None,
            _ => {
                self.report(errors::not_a_list(expr.span, self.text(expr.span)));
                None
            }
        }
    }

    /// A list of texts.
    pub(super) fn strings(&self, expr: &'a Expr) -> Option<Vec<Cow<'a, str>>> {
        let resolved = self.resolve(expr);
        if let ExprKind::Text = resolved.kind {
            let text = self.text_literal(resolved.span)?;
            self.report(errors::text_for_words(&text, expr.span));
            return None;
        }
        let values = self.list(expr)?.iter().map(|value| {
            let is_computed = matches!(
                value.kind,
                ExprKind::Negative(_) | ExprKind::Binary(..) | ExprKind::Tagged(..)
            );
            if is_computed {
                self.report(errors::words_without_quotes(
                    self.text(value.span),
                    value.span,
                ));
                return None;
            }
            self.string(value)
        });
        let values: Vec<Option<Cow<'a, str>>> = values.collect();
        values.into_iter().collect()
    }

    /// The words of a command line, of which the first is a program.
    pub(super) fn command(&self, expr: &'a Expr) -> Option<Vec<Cow<'a, str>>> {
        let words = self.strings(expr)?;
        if let (ExprKind::List(all), [program, ..]) = (&self.resolve(expr).kind, words.as_slice())
            && let Some(first) = all.first()
            && program.contains(' ')
            && !program.starts_with('/')
        {
            self.report(errors::blank_in_command(program, first.span));
        }
        Some(words)
    }

    /// A list of bare names.
    pub(super) fn names(&self, expr: &'a Expr, what: &str) -> Option<Vec<(&'a str, Span)>> {
        self.list(expr)?
            .iter()
            .map(|value| self.name(value, what))
            .collect()
    }
}

/// What an expression is, for messages.
pub(super) fn described(expr: &Expr) -> &'static str {
    match expr.kind {
        ExprKind::Number => "a number",
        ExprKind::Text => "a text",
        ExprKind::Path => "a name",
        ExprKind::List(_) => "a list",
        ExprKind::Range(_) => "a range",
        ExprKind::Negative(_) | ExprKind::Binary(..) | ExprKind::Call(..) => "a computed number",
        ExprKind::Reference(_) => "a reference",
        ExprKind::Tagged(..) => "a word with a number",
        ExprKind::Hole => "nothing",
    }
}
