//! The faults that the reader of the parent module reports: one function a fault.

use crate::base::span::Span;
use crate::diag::Diagnostic;
use crate::sema::errors::or_nearest;

pub(crate) fn two_sources(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5012",
        format!("Secret `{name}` has more than one source"),
    )
    .at(span, "the second")
    .note("it is one of `from`, `sealed` and `external`")
}

pub(crate) fn not_a_key(key: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ5011", format!("`{key}` cannot be a key of a Secret"))
        .at(span, "only letters, digits, `-`, `_` and `.`")
}

pub(crate) fn unreadable(path: &str, why: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ5023", format!("`{path}` cannot be read: {why}")).at(span, "named here")
}

pub(crate) fn sealed_for_another(
    path: &str,
    (what, found): (&str, &str),
    wanted: &str,
    span: Span,
) -> Diagnostic {
    Diagnostic::error(
        "BZ5023",
        format!("`{path}` is sealed for the {what} `{found}`, and this is `{wanted}`"),
    )
    .at(
        span,
        "its controller opens it for that name and namespace alone",
    )
}

pub(crate) fn no_store(text: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ3012", format!("`{text}` names no store and path"))
        .at(span, "incomplete")
        .help("for example `external = \"vault/shop/pg\"`: the ClusterSecretStore `vault`, and `shop/pg` in it")
}

pub(crate) fn unknown_key(
    (secret, key): (&str, &str),
    near: Option<&str>,
    span: Span,
) -> Diagnostic {
    let error = Diagnostic::error("BZ2001", format!("secret `{secret}` has no key `{key}`"))
        .at(span, "not in it");
    match near {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => or_nearest(error, None, span),
    }
}
