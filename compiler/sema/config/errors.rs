//! The faults that the reader of the parent module reports: one function a fault.

use crate::base::span::Span;
use crate::diag::Diagnostic;

pub(crate) fn not_a_config_key(key: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ5011", format!("`{key}` cannot be a key of a ConfigMap"))
        .at(span, "only letters, digits, `-`, `_` and `.`")
}

pub(crate) fn unreadable(path: &str, why: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ5023", format!("`{path}` cannot be read: {why}")).at(span, "named here")
}

pub(crate) fn too_large(config: &str, bytes: usize, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5023",
        format!("config `{config}` has {bytes} bytes, and a ConfigMap takes 1048576 at the most"),
    )
    .at(span, "Kubernetes would refuse it")
}
