//! Comparisons that the plan does not meet.

use crate::base::quantity::in_mib;
use crate::diag::Diagnostic;
use crate::program::{Expect, Metric, Subject};

/// What a number is of, in a word.
fn subject(metric: &Metric<'_>) -> String {
    let of = match metric.of {
        Subject::Node(_) => "the node",
        Subject::Budget(_) => "the budget",
        Subject::Service(_) => "the service",
    };
    format!("`{}` of {of}", metric.key)
}

/// A comparison the plan does not meet.
pub(crate) fn expectation(
    expect: &Expect<'_>,
    left: i128,
    right: i128,
    shown: &[(Metric<'_>, String)],
    in_memory: bool,
) -> Diagnostic {
    let gap = left.abs_diff(right);
    let by = match (in_memory, u64::try_from(gap)) {
        (true, Ok(bytes)) => in_mib(bytes),
        _ => gap.to_string(),
    };
    let message = match shown {
        [(metric, value)] => format!(
            "expected otherwise: {} is {value}, off by {by}",
            subject(metric)
        ),
        _ => format!("expected otherwise: off by {by}"),
    };
    let mut error = Diagnostic::error("BZ4005", message).at(expect.span, "does not hold");
    if shown.len() > 1 {
        for (metric, value) in shown {
            error = error.also(metric.span, format!("is {value}"));
        }
    }
    error
}

/// A promise that stands otherwise than expected, and why it does.
pub(crate) fn unmet_promise(
    expect: &Expect<'_>,
    shown: &[(Metric<'_>, String)],
    why: &[String],
) -> Diagnostic {
    let stand = shown
        .iter()
        .map(|(metric, value)| format!("{} is {value}", subject(metric)));
    let message = format!(
        "expected otherwise: {}",
        stand.collect::<Vec<_>>().join(", ")
    );
    let mut error = Diagnostic::error("BZ4005", message).at(expect.span, "does not hold");
    for reason in why {
        error = error.note(reason.as_str());
    }
    error
}
