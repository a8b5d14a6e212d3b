//! `expect` to a comparison whose names are resolved: constants are computed here, numbers of the plan are
//! named and computed by `plan`.

mod errors;

use crate::base::id::Id;
use crate::base::span::Span;
use crate::base::suggest::nearest;
use crate::program::{
    BudgetId, Dim, Expect, Formula, Metric, NodeId, Num, ServiceId, Subject, WORKLOADS,
};
use crate::sema::decls::Decls;
use crate::sema::errors as general;
use crate::syntax::ast::{Expr, ExprKind, Operator};

/// The numbers that `expect` can name, by kind, with their dimensions.
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

pub(crate) fn expects<'a>(decls: &Decls<'_, 'a>, written: &[(Span, &'a Expr)]) -> Vec<Expect<'a>> {
    written
        .iter()
        .filter_map(|(span, expr)| expect(decls, *span, expr))
        .collect()
}

pub(crate) fn expect<'a>(decls: &Decls<'_, 'a>, span: Span, expr: &'a Expr) -> Option<Expect<'a>> {
    let ExprKind::Binary(operator, sides) = &expr.kind else {
        decls.cx.report(general::malformed(
            "expect",
            "expect wsl.free >= 500Mi",
            span,
        ));
        return None;
    };
    if matches!(
        operator,
        Operator::Plus | Operator::Minus | Operator::Times | Operator::Divide
    ) {
        decls.cx.report(general::malformed(
            "expect",
            "expect wsl.free >= 500Mi",
            span,
        ));
        return None;
    }
    let (left, right) = (formula(decls, &sides.0), formula(decls, &sides.1));
    let ((left, left_dim), (right, right_dim)) = (left?, right?);
    if left_dim != right_dim {
        decls.cx.report(general::mixed_dimensions(
            operator.sign(),
            left_dim,
            right_dim,
            expr.span,
        ));
        return None;
    }
    Some(Expect {
        span,
        left,
        operator: *operator,
        right,
    })
}

pub(crate) fn formula<'a>(decls: &Decls<'_, 'a>, expr: &'a Expr) -> Option<(Formula<'a>, Dim)> {
    let cx = decls.cx;
    match &expr.kind {
        ExprKind::Path if cx.text(expr.span).contains('.') => metric(decls, expr.span),
        ExprKind::Binary(operator, sides) => {
            let (left, right) = (formula(decls, &sides.0), formula(decls, &sides.1));
            let ((left, left_dim), (right, right_dim)) = (left?, right?);
            match (&left, operator, &right) {
                (Formula::Constant(_), _, Formula::Constant(_)) => return constant(decls, expr),
                (_, Operator::Divide, Formula::Constant(Num { n: 0, .. })) => {
                    cx.report(general::division_by_zero(expr.span));
                    return None;
                }
                _ => {}
            }
            let dim = match operator {
                Operator::Plus | Operator::Minus if left_dim == right_dim => left_dim,
                Operator::Times if left_dim == Dim::Count || left_dim == Dim::Percent => right_dim,
                Operator::Times | Operator::Divide if right_dim == Dim::Count => left_dim,
                Operator::Times if right_dim == Dim::Percent => left_dim,
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
        _ => constant(decls, expr),
    }
}

pub(crate) fn constant<'a>(decls: &Decls<'_, 'a>, expr: &'a Expr) -> Option<(Formula<'a>, Dim)> {
    let number: Num = decls.cx.number(expr)?;
    Some((Formula::Constant(number), number.dim))
}

/// The names of a kind, sorted; of all workloads for `service`.
pub(crate) fn names<'a>(decls: &Decls<'_, 'a>, of: &'static str) -> Vec<&'a str> {
    match of {
        "service" => decls.workloads().map(|(_, decl)| decl.name).collect(),
        _ => decls.of(of).map(|decl| decl.name).collect(),
    }
}

/// `wsl.free`, or `node.wsl.free` where the bare name would be two things.
pub(crate) fn metric<'a>(decls: &Decls<'_, 'a>, span: Span) -> Option<(Formula<'a>, Dim)> {
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
                decls.has_workload(name)
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
            let near = nearest(name, METRICS.iter().flat_map(|(of, _)| names(decls, of)));
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
    let Some((key, dim)) = keys.iter().find(|(known, _)| *known == key) else {
        let known: Vec<&str> = keys.iter().map(|(key, _)| *key).collect();
        let key_span = Span {
            start: name_span.end + 1,
            ..span
        };
        cx.report(general::not_one_of(
            &format!("what is asked of {of} `{name}`"),
            key,
            key_span,
            &known,
        ));
        return None;
    };
    let index = names(decls, of).iter().position(|known| *known == name)?;
    let of = match of {
        "node" => Subject::Node(NodeId::new(index)),
        "budget" => Subject::Budget(BudgetId::new(index)),
        _ => Subject::Service(ServiceId::new(index)),
    };
    Some((Formula::Metric(Metric { of, key, span }), *dim))
}
