//! The faults that the reader of the parent module reports: one function a fault.

use crate::base::span::Span;
use crate::diag::Diagnostic;

pub(crate) fn ambiguous(name: &str, kinds: &[&str], span: Span) -> Diagnostic {
    let first = kinds.first().copied().unwrap_or_default();
    Diagnostic::error(
        "BZ2018",
        format!("`{name}` is the name of {}", kinds.join(" and of ")),
    )
    .at(span, "which of them?")
    .help(format!("say the kind, as in `{first}.{name}`"))
}
