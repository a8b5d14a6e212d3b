//! The faults that the reader of the parent module reports: one function a fault.

use crate::base::span::Span;
use crate::diag::Diagnostic;

pub(crate) fn unknown_verb(verb: &str, span: Span, near: Option<&str>) -> Diagnostic {
    let error = Diagnostic::error(
        "BZ3011",
        format!("`{verb}` is nothing that can be done with a resource"),
    )
    .at(span, "not a verb of Kubernetes");
    match near {
        Some(near) => error.guess(format!("did you mean `{near}`?"), span, near),
        None => error.help("for example `verbs = [get, list, watch]`; `\"*\"` is all, and other verbs stand between quotes"),
    }
}

pub(crate) fn unknown_resource(resource: &str, span: Span, near: Option<&str>) -> Diagnostic {
    let error = Diagnostic::error("BZ2001", format!("Kubernetes has no resource `{resource}`"))
        .at(span, "of which API group?");
    match near {
        Some(near) => error.guess(format!("did you mean `{near}`?"), span, near),
        None => error.help("a resource of another API group needs it: `group = \"cert-manager.io\"`; `group = \"*\"` is all"),
    }
}

pub(crate) fn in_no_namespace(resource: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ3012",
        format!("`{resource}` are in no namespace, and this account has rights in its own alone"),
    )
    .at(span, "would be without effect")
    .help("write `cluster-wide = true` in the `service-account`")
}

pub(crate) fn urls_of_one_namespace(span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ3012",
        "`urls` are in no namespace, and this account has rights in its own alone",
    )
    .at(span, "would be without effect")
    .help("write `cluster-wide = true` in the `service-account`")
}
