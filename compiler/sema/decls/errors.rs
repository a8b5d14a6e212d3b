//! The faults that the reader of the parent module reports: one function a fault.

use crate::base::span::Span;
use crate::diag::Diagnostic;

pub(crate) fn value_and_block(kind: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ3009", format!("a {kind} has a block, not a value")).at(span, "not needed")
}
