//! Memory, CPU and rollout, as services, tiers, sidecars and rules of `adopt` give them.

use super::errors;
use crate::base::quantity::{ByteUnit, Bytes, Cpu};
use crate::program::{Dim, Given, Memory, Origin, Rollout};
use crate::sema::errors as general;
use crate::sema::layers::Fields;
use crate::sema::values::Cx;
use crate::syntax::ast::{Expr, ExprKind, Operator};
use crate::syntax::literal;

/// Memory: one number, a range, or request and limit apart.
pub(crate) fn memory<'a>(fields: &Fields<'_, 'a>) -> Option<Memory<'a>> {
    let cx = fields.cx;
    let field = fields.get("memory")?;
    if field.item.body.is_some() {
        let block = Fields::of_body(cx, "memory", field)?;
        block.check_keys("memory");
        let (request, limit) = (block.memory("request"), block.memory("limit"));
        for (key, given) in [("request", request), ("limit", limit)] {
            if given.is_none() && block.get(key).is_none() {
                block.missing(key, "memory { request = 32Mi  limit = 64Mi }");
            }
        }
        check_order("memory", request, limit, cx);
        let (request, limit) = (request?, limit?);
        return Some(match request.value == limit.value {
            true => Memory::Range {
                low: request,
                high: limit,
            },
            false => Memory::Burst { request, limit },
        });
    }
    let expr = cx.resolve(field.value(cx)?);
    if is_range_otherwise(cx, "memory", expr) {
        return None;
    }
    let (low, high) = match &expr.kind {
        ExprKind::Range(ends) => {
            let (low, high) = (cx.memory(&ends.0), cx.memory(&ends.1));
            let origin = |end: &Expr| Origin {
                span: Some(end.span),
                ..field.origin
            };
            let low = Given {
                value: low?,
                origin: origin(&ends.0),
            };
            let high = Given {
                value: high?,
                origin: origin(&ends.1),
            };
            (low, high)
        }
        _ => {
            let value = field.given(cx.memory(expr)?);
            (value, value)
        }
    };
    if low.value > high.value {
        cx.report(errors::reversed_range(
            &low.value.to_string(),
            &high.value.to_string(),
            expr.span,
        ));
        return None;
    }
    if high.value.n == 0 {
        cx.report(general::out_of_range("memory", "more than 0", expr.span));
        return None;
    }
    Some(Memory::Range { low, high })
}

/// Whether a value is a range in another spelling: `64Mi-128Mi`, `64-128Mi`, `64Mi/128Mi` or `[64Mi, 128Mi]`. It is
/// reported then.
fn is_range_otherwise<'a>(cx: &Cx<'a>, key: &str, expr: &'a Expr) -> bool {
    let ends = match &expr.kind {
        ExprKind::Binary(Operator::Minus, ends) => Some((true, &ends.0, &ends.1)),
        ExprKind::Binary(Operator::Divide, ends) => Some((false, &ends.0, &ends.1)),
        ExprKind::List(values) => match values.as_ref() {
            [low, high] => Some((false, low, high)),
            _ => None,
        },
        _ => None,
    };
    let Some((is_difference, first, second)) = ends else {
        return false;
    };
    let kinds = [&first.kind, &second.kind];
    if !kinds.iter().all(|kind| matches!(kind, ExprKind::Number)) {
        return false;
    }
    let (low, high) = (cx.text(first.span), cx.text(second.span));
    let unit = high.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let low = match low.ends_with(|c: char| c.is_ascii_digit()) && !unit.is_empty() {
        true => format!("{low}{unit}"),
        false => low.to_owned(),
    };
    let amount = |text: &str| {
        let number = literal::number(text)?;
        let unit = match number.suffix {
            "m" => 1,
            "" if key == "cpu" => 1000,
            suffix => u128::from(ByteUnit::from_suffix(suffix)?.bytes()),
        };
        let scaled = u128::from(number.digits) * unit * 1_000_000;
        Some(scaled / 10_u128.checked_pow(number.decimals)?)
    };
    let (Some(from), Some(to)) = (amount(&low), amount(high)) else {
        return false;
    };
    // A smaller amount less a larger one is none, but a larger less a smaller one may well be meant.
    if is_difference && from >= to || unit.is_empty() && key == "memory" {
        return false;
    }
    let range = match from <= to {
        true => format!("{low}..{high}"),
        false => format!("{high}..{low}"),
    };
    cx.report(errors::not_a_range(
        key,
        cx.text(expr.span),
        is_difference,
        range,
        expr.span,
    ));
    true
}

/// A request may not be above its limit.
pub(crate) fn check_order<'a>(
    what: &str,
    request: Option<Given<'a, Bytes>>,
    limit: Option<Given<'a, Bytes>>,
    cx: &Cx<'a>,
) {
    if let (Some(request), Some(limit)) = (request, limit)
        && request.value > limit.value
        && let (Some(first), Some(second)) = (request.origin.span, limit.origin.span)
    {
        let (low, high) = (request.value.to_string(), limit.value.to_string());
        cx.report(general::request_above_limit(
            what, &low, &high, first, second,
        ));
    }
}

pub(crate) type CpuPair<'a> = (Given<'a, Cpu>, Option<Given<'a, Cpu>>);

/// CPU: the low end of a range is the request, the high end the limit.
pub(crate) fn cpu<'a>(fields: &Fields<'_, 'a>) -> Option<CpuPair<'a>> {
    let cx = fields.cx;
    let field = fields.get("cpu")?;
    if field.item.body.is_some() {
        let block = Fields::of_body(cx, "cpu", field)?;
        block.check_keys("cpu");
        let (request, limit) = (block.cpu("request"), block.cpu("limit"));
        if request.is_none() && limit.is_none() {
            block.missing("request", "cpu { request = 25m }");
        }
        if let (Some(request), Some(limit)) = (request, limit)
            && request.value.milli > limit.value.milli
            && let (Some(first), Some(second)) = (request.origin.span, limit.origin.span)
        {
            let (low, high) = (request.value.to_string(), limit.value.to_string());
            cx.report(general::request_above_limit(
                "cpu", &low, &high, first, second,
            ));
        }
        return Some((request.or(limit)?, limit));
    }
    let expr = cx.resolve(field.value(cx)?);
    if is_range_otherwise(cx, "cpu", expr) {
        return None;
    }
    match &expr.kind {
        ExprKind::Range(ends) => {
            let (low, high) = (cx.cpu(&ends.0), cx.cpu(&ends.1));
            let (low, high) = (low?, high?);
            if low.milli > high.milli {
                cx.report(errors::reversed_range(
                    &low.to_string(),
                    &high.to_string(),
                    expr.span,
                ));
                return None;
            }
            Some((field.given(low), Some(field.given(high))))
        }
        _ => {
            let value = field.given(cx.cpu(expr)?);
            Some((value, Some(value)))
        }
    }
}

/// `replace`, `recreate`, `surge 1`, `surge 25%`.
pub(crate) fn rollout<'a>(fields: &Fields<'_, 'a>) -> Option<Given<'a, Rollout>> {
    let cx = fields.cx;
    let field = fields.get("rollout")?;
    let value = field.value(cx)?;
    const KNOWN: [&str; 4] = ["replace", "recreate", "surge 1", "serial"];
    let rollout = match &value.kind {
        ExprKind::Tagged(tagged) if cx.word(tagged.0) == "surge" => {
            let number = cx.number(&tagged.1)?;
            match number.dim {
                Dim::Count if number.n > 0 && number.n <= 100_000 => Rollout::Surge(number.n),
                Dim::Percent if number.n > 0 && number.n <= 1000 => Rollout::SurgePercent(number.n),
                Dim::Count | Dim::Percent => {
                    cx.report(general::out_of_range(
                        "surge",
                        "1 to 100000 pods or 1% to 1000%",
                        value.span,
                    ));
                    return None;
                }
                _ => {
                    cx.report(general::wrong_dimension(
                        cx.text(value.span),
                        number,
                        Dim::Count,
                        value.span,
                    ));
                    return None;
                }
            }
        }
        ExprKind::Hole => return None,
        _ => match cx.text(value.span) {
            "replace" => Rollout::Replace,
            "recreate" => Rollout::Recreate,
            "serial" => Rollout::Serial,
            other => {
                cx.report(general::not_one_of("rollout", other, value.span, &KNOWN));
                return None;
            }
        },
    };
    Some(field.given(rollout))
}
