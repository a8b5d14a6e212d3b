//! The faults that the reader of the parent module reports: one function a fault.

use crate::base::span::Span;
use crate::diag::Diagnostic;

pub(crate) fn label(key: &str, fault: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5011",
        format!("`{key}` cannot be a label or annotation here: {fault}"),
    )
    .at(span, "Kubernetes would refuse it")
}
