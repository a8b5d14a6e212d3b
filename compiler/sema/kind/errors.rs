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

pub(super) fn not_a_chart(name: &str, at: Span) -> Diagnostic {
    Diagnostic::error("BZ3012", format!("`{name}` is no name of a chart"))
        .at(at, "a name without `/`")
        .help("for example `chart \"app-template\" { from = [\"ghcr.io/bjw-s-labs/helm\"]  .. }`: the name in its Chart.yaml")
}

pub(super) fn not_a_volume(word: &str, at: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ3011",
        format!("`{word}` is no volume that a declaration makes"),
    )
    .at(at, "not one of `memory`, `secret`, `claim`, `any`")
}

pub(super) fn not_a_root(first: &str, roots: &[&str], at: Span) -> Diagnostic {
    let roots: Vec<String> = roots.iter().map(|root| format!("`{root}`")).collect();
    Diagnostic::error("BZ3011", format!("no path begins with `{first}`"))
        .at(at, "not a path into the object")
        .note(format!(
            "a path begins with {}, or in a block with `each` with `item`",
            roots.join(", ")
        ))
}

pub(super) fn surge_of(word: &str, at: Span) -> Diagnostic {
    Diagnostic::error("BZ3012", format!("a `{word}` has no `surge`"))
        .at(at, "only a `service` adds pods when it is rolled out")
}
