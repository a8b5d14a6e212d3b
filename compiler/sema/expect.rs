//! `expect` to a comparison whose names are resolved: constants are computed here, numbers of the plan are
//! named and computed by `plan`.

mod errors;

use crate::base::id::Id;
use crate::base::span::Span;
use crate::base::suggest::nearest;
use crate::program::{
    BudgetId, Dim, Expect, Formula, Metric, NodeId, Num, Service, ServiceId, Subject, VERDICTS,
    WORKLOADS,
};
use crate::sema::decls::Decls;
use crate::sema::errors as general;
use crate::syntax::ast::{Expr, ExprKind, Operator};

/// The numbers and verdicts that `expect` can name, by kind, with their dimensions.
pub(crate) const METRICS: [(&str, &[(&str, Dim)]); 3] = [
    (
        "node",
        &[
            ("free", Dim::Memory),
            ("allocatable", Dim::Memory),
            ("reserved", Dim::Memory),
            ("memory", Dim::Memory),
            ("requests", Dim::Memory),
            ("limits", Dim::Memory),
            ("pods", Dim::Count),
            ("isolation", Dim::Verdict),
            ("non-interference", Dim::Verdict),
            ("sufficiency", Dim::Verdict),
            ("liveness", Dim::Verdict),
            ("survival", Dim::Verdict),
        ],
    ),
    (
        "budget",
        &[
            ("free", Dim::Memory),
            ("used", Dim::Memory),
            ("ceiling", Dim::Memory),
        ],
    ),
    (
        "service",
        &[
            ("memory", Dim::Memory),
            ("request", Dim::Memory),
            ("limit", Dim::Memory),
            ("pods", Dim::Count),
        ],
    ),
];

/// What is known of names: the declarations, and all workloads, adopted ones among them.
#[derive(Clone, Copy)]
struct Known<'k, 'd, 'a> {
    decls: &'k Decls<'d, 'a>,
    services: &'k [Service<'a>],
}

pub(crate) fn expects<'a>(
    decls: &Decls<'_, 'a>,
    services: &[Service<'a>],
    written: &[(Span, &'a Expr)],
) -> Vec<Expect<'a>> {
    let known = Known { decls, services };
    written
        .iter()
        .filter_map(|(span, expr)| expect(known, *span, expr))
        .collect()
}

fn expect<'a>(known: Known<'_, '_, 'a>, span: Span, expr: &'a Expr) -> Option<Expect<'a>> {
    let cx = known.decls.cx;
    let malformed = |example| {
        cx.report(general::malformed("expect", example, span));
        None
    };
    let ExprKind::Binary(operator, sides) = &expr.kind else {
        return malformed("expect wsl.free >= 500Mi");
    };
    if matches!(
        operator,
        Operator::Plus | Operator::Minus | Operator::Times | Operator::Divide | Operator::Or
    ) {
        return malformed("expect wsl.free >= 500Mi");
    }
    let (left, right) = match [&sides.0, &sides.1].map(|side| of_promise(known, side)) {
        [true, false] => (formula(known, &sides.0), verdict(known, &sides.1)),
        [false, true] => (verdict(known, &sides.0), formula(known, &sides.1)),
        [..] => (formula(known, &sides.0), formula(known, &sides.1)),
    };
    let ((left, left_dim), (right, right_dim)) = (left?, right?);
    if left_dim != right_dim {
        cx.report(general::mixed_dimensions(
            operator.sign(),
            left_dim,
            right_dim,
            expr.span,
        ));
        return None;
    }
    if left_dim == Dim::Verdict && !matches!(operator, Operator::Equal | Operator::NotEqual) {
        return malformed("expect wsl.isolation == proved");
    }
    Some(Expect {
        span,
        left,
        operator: *operator,
        right,
    })
}

/// Whether an expression is a path whose end is a promise.
fn of_promise(known: Known<'_, '_, '_>, expr: &Expr) -> bool {
    let text = known.decls.cx.text(expr.span);
    let key = text.rsplit_once('.').map(|(_, key)| key);
    let keys = METRICS.iter().flat_map(|(_, keys)| keys.iter());
    let mut promises = keys.filter(|(_, dim)| *dim == Dim::Verdict);
    matches!(expr.kind, ExprKind::Path) && promises.any(|(promise, _)| Some(*promise) == key)
}

/// `proved` and its kin, which are words only beside a promise.
fn verdict<'a>(known: Known<'_, '_, 'a>, expr: &'a Expr) -> Option<(Formula<'a>, Dim)> {
    let cx = known.decls.cx;
    let word = cx.text(expr.span);
    let index = (0..).zip(VERDICTS).find(|(_, verdict)| *verdict == word);
    let Some((index, _)) = index else {
        cx.report(general::not_one_of("a verdict", word, expr.span, &VERDICTS));
        return None;
    };
    Some((
        Formula::Constant(Num::of(Dim::Verdict, index)),
        Dim::Verdict,
    ))
}

fn formula<'a>(known: Known<'_, '_, 'a>, expr: &'a Expr) -> Option<(Formula<'a>, Dim)> {
    let cx = known.decls.cx;
    match &expr.kind {
        ExprKind::Path if cx.text(expr.span).contains('.') => metric(known, expr.span),
        ExprKind::Binary(operator, sides) => {
            let (left, right) = (formula(known, &sides.0), formula(known, &sides.1));
            let ((left, left_dim), (right, right_dim)) = (left?, right?);
            match (&left, operator, &right) {
                (Formula::Constant(_), _, Formula::Constant(_)) => {
                    return constant(known.decls, expr);
                }
                (_, Operator::Divide, Formula::Constant(Num { n: 0, .. })) => {
                    cx.report(general::division_by_zero(expr.span));
                    return None;
                }
                _ => {}
            }
            // Verdicts are compared, not added up.
            let are_numbers = ![left_dim, right_dim].contains(&Dim::Verdict);
            let dim = match operator {
                Operator::Plus | Operator::Minus if left_dim == right_dim && are_numbers => {
                    left_dim
                }
                Operator::Times
                    if are_numbers && (left_dim == Dim::Count || left_dim == Dim::Percent) =>
                {
                    right_dim
                }
                Operator::Times | Operator::Divide if right_dim == Dim::Count && are_numbers => {
                    left_dim
                }
                Operator::Times if right_dim == Dim::Percent && are_numbers => left_dim,
                _ => {
                    cx.report(general::mixed_dimensions(
                        operator.sign(),
                        left_dim,
                        right_dim,
                        expr.span,
                    ));
                    return None;
                }
            };
            Some((Formula::Binary(*operator, Box::new((left, right))), dim))
        }
        _ => constant(known.decls, expr),
    }
}

fn constant<'a>(decls: &Decls<'_, 'a>, expr: &'a Expr) -> Option<(Formula<'a>, Dim)> {
    let number: Num = decls.cx.number(expr)?;
    Some((Formula::Constant(number), number.dim))
}

/// The names of a kind, sorted; of all workloads for `service`.
fn names<'a>(known: Known<'_, '_, 'a>, of: &'static str) -> Vec<&'a str> {
    match of {
        "service" => known
            .services
            .iter()
            .map(|service| service.name.value)
            .collect(),
        _ => known.decls.of(of).map(|decl| decl.name).collect(),
    }
}

/// `wsl.free`, or `node.wsl.free` where the bare name would be two things.
fn metric<'a>(known: Known<'_, '_, 'a>, span: Span) -> Option<(Formula<'a>, Dim)> {
    let decls = known.decls;
    let cx = decls.cx;
    let parts: Vec<&'a str> = cx.text(span).split('.').collect();
    let (kind, name, key) = match parts.as_slice() {
        [kind, name, key] => (Some(*kind), *name, *key),
        [name, key] => (None, *name, *key),
        _ => {
            cx.report(general::malformed(
                "expect",
                "expect wsl.free >= 500Mi",
                span,
            ));
            return None;
        }
    };
    let found: Vec<&(&str, &[(&str, Dim)])> = METRICS
        .iter()
        .filter(|(of, _)| {
            kind.is_none_or(|kind| kind == *of || (*of == "service" && WORKLOADS.contains(&kind)))
        })
        .filter(|(of, _)| {
            if *of == "service" {
                decls.has_workload(name) || names(known, of).contains(&name)
            } else {
                decls.get(of, name).is_some()
            }
        })
        .collect();
    let name_span = Span {
        end: span.end - u32::try_from(key.len() + 1).unwrap_or_default(),
        ..span
    };
    let (of, keys) = match found.as_slice() {
        [one] => **one,
        [] => {
            let near = nearest(name, METRICS.iter().flat_map(|(of, _)| names(known, of)));
            cx.report(general::unknown_name(
                "node, budget or service",
                name,
                name_span,
                near,
            ));
            return None;
        }
        several => {
            let kinds: Vec<&str> = several.iter().map(|(of, _)| *of).collect();
            cx.report(errors::ambiguous(name, &kinds, name_span));
            return None;
        }
    };
    let Some((key, dim)) = keys.iter().find(|(other, _)| *other == key) else {
        let all: Vec<&str> = keys.iter().map(|(key, _)| *key).collect();
        let key_span = Span {
            start: name_span.end + 1,
            ..span
        };
        cx.report(general::not_one_of(
            &format!("what is asked of {of} `{name}`"),
            key,
            key_span,
            &all,
        ));
        return None;
    };
    let index = names(known, of).iter().position(|other| *other == name)?;
    let of = match of {
        "node" => Subject::Node(NodeId::new(index)),
        "budget" => Subject::Budget(BudgetId::new(index)),
        _ => Subject::Service(ServiceId::new(index)),
    };
    Some((Formula::Metric(Metric { of, key, span }), *dim))
}
