//! The faults that the reader of the parent module reports: one function a fault.

use crate::base::span::Span;
use crate::diag::Diagnostic;

pub(crate) fn not_a_config_key(key: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ5011", format!("`{key}` cannot be a key of a ConfigMap"))
        .at(span, "only letters, digits, `-`, `_` and `.`")
}
