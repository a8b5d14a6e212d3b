//! The faults that the reader of the parent module reports: one function a fault.

use crate::base::span::Span;
use crate::diag::Diagnostic;
use crate::sema::errors::with_example;

pub(crate) fn whole_seconds(what: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ3007", format!("`{what}` must be whole seconds"))
        .at(span, "Kubernetes counts seconds here")
}

pub(crate) fn missing_field(kind: &str, key: &str, span: Span, example: &str) -> Diagnostic {
    Diagnostic::error("BZ3006", format!("this {kind} has no `{key}`"))
        .at(span, format!("`{key}` is missing"))
        .help(format!("for example `{example}`"))
}

pub(crate) fn not_a_bool(name: &str, span: Span) -> Diagnostic {
    let error = Diagnostic::error(
        "BZ3009",
        format!("expected `true` or `false`, found `{name}`"),
    )
    .at(span, "neither");
    match name {
        "yes" | "on" => error.fix("bz writes `true`", span, "true"),
        "no" | "off" => error.fix("bz writes `false`", span, "false"),
        _ => error,
    }
}

pub(crate) fn block_for_value(key: &str, span: Span) -> Diagnostic {
    let error = Diagnostic::error("BZ3009", format!("`{key}` takes a value, not a block"))
        .at(span, format!("expected `{key} = ..`"));
    with_example(error, key)
}
