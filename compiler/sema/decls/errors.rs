//! What the reader beside says of a program: one function a fault.

use crate::base::span::Span;
use crate::diag::Diagnostic;

pub(crate) fn value_and_block(kind: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ3009", format!("a {kind} has a block, not a value")).at(span, "not needed")
}
