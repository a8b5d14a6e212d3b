//! What is said of declarations of kinds.

use crate::base::span::Span;
use crate::diag::Diagnostic;

pub(super) fn not_a_kind(name: &str, at: Span) -> Diagnostic {
    Diagnostic::error("BZ3012", format!("`{name}` is no group and kind"))
        .at(at, "incomplete")
        .help("for example `kind \"postgresql.cnpg.io/Cluster\" { .. }`: `apiVersion` without its version, and `kind`")
}

pub(super) fn of_kubernetes(name: &str, at: Span) -> Diagnostic {
    Diagnostic::error("BZ3012", format!("`{name}` is a kind of Kubernetes' own"))
        .at(at, "counted by what Kubernetes does")
        .note("`kind` is about what operators make of objects of other groups")
}

pub(super) fn not_a_path(at: Span, found: &str) -> Diagnostic {
    Diagnostic::error("BZ3009", format!("expected a path, found {found}"))
        .at(at, "expected a path into the object")
        .help("for example `spec.instances or 1`")
}

pub(super) fn one_path(key: &str, at: Span) -> Diagnostic {
    Diagnostic::error("BZ3009", format!("`{key}` takes one path"))
        .at(at, "expected a path into the object")
}

pub(super) fn not_a_root(first: &str, at: Span) -> Diagnostic {
    Diagnostic::error("BZ3011", format!("no path begins with `{first}`"))
        .at(at, "not a path into the object")
        .note("a path begins with `spec`, `metadata`, or in a block with `each` with `item`")
}

pub(super) fn surge_of(word: &str, at: Span) -> Diagnostic {
    Diagnostic::error("BZ3012", format!("a `{word}` has no `surge`"))
        .at(at, "only a `service` adds pods when it is rolled out")
}
