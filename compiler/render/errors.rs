//! Errors about templates and adopted manifests that cannot take the numbers of the plan.

use crate::base::span::{Span, Spanned};
use crate::diag::Diagnostic;
use crate::template::Fault;

/// A template that cannot be filled. `name` is the template that the program names at `span`; the fault may lie in
/// another one that it takes in.
pub(super) fn unfillable(name: &str, fault: &Fault, span: Span) -> Diagnostic {
    let place = match &fault.place {
        Some((template, line)) if template == name => format!("line {line}: "),
        Some((template, line)) => format!("line {line} of `{template}`: "),
        None => String::new(),
    };
    let what = &fault.what;
    Diagnostic::error(
        "BZ7002",
        format!("the template `{name}` cannot be filled: {place}{what}"),
    )
    .at(span, "named here")
}

pub(super) fn not_patchable(path: &str, why: &str, place: Span, at: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ6004",
        format!("`{path}` cannot be patched in its own text: {why}"),
    )
    .at(place, "stands in the way")
    .also(at, "adopted here")
    .help("with `patch = kustomize` the file stays as it is, and a patch is laid over it")
}

/// What a kustomization makes is to change, and no patch can be laid over it.
pub(super) fn not_laid_over(path: &str, why: &str, help: &str, at: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ6004",
        format!("what `{path}` makes cannot be patched: {why}"),
    )
    .at(at, "adopted here")
    .help(help)
}

/// A workload that `keep` leaves as it is has to be held to nodes.
pub(super) fn held_but_kept(name: Spanned<&str>, nodes: &[&str], kept: Span) -> Diagnostic {
    let error = cannot_be_held(name.value, nodes)
        .at(name.span, "would change")
        .also(kept, "kept as it is");
    why_held(error)
}

/// The pods of an operator would have to be held to nodes.
pub(super) fn held_but_made(name: Spanned<&str>, nodes: &[&str]) -> Diagnostic {
    let error = cannot_be_held(name.value, nodes).at(name.span, "its operator writes its pods");
    why_held(error)
}

/// A workload with a node affinity has to be held to several nodes, which takes another node affinity.
pub(super) fn held_beside_affinity(
    name: Spanned<&str>,
    nodes: &[&str],
    affinity: Span,
    at: Span,
) -> Diagnostic {
    let error = cannot_be_held(name.value, nodes)
        .at(
            affinity,
            "it has a node affinity of its own, which would be replaced",
        )
        .also(at, "adopted here");
    why_held(error)
}

fn cannot_be_held(name: &str, nodes: &[&str]) -> Diagnostic {
    let listed: Vec<String> = nodes.iter().map(|node| format!("`{node}`")).collect();
    Diagnostic::error(
        "BZ6004",
        format!(
            "`{name}` has to be held to {}, and cannot be",
            listed.join(", ")
        ),
    )
}

fn why_held(error: Diagnostic) -> Diagnostic {
    error
        .note(
            "not every order of pods leaves room for all, so every workload is held to nodes that have room for it",
        )
        .help("hold it to nodes in the manifest, by a label that only nodes with room have")
}

pub(super) fn patch_of_nothing(
    service: &str,
    kind: &str,
    kinds: &[&str],
    span: Span,
) -> Diagnostic {
    let kinds: Vec<String> = kinds.iter().map(|kind| format!("`{kind}`")).collect();
    Diagnostic::error(
        "BZ5022",
        format!("the patch of `{service}` is about a `{kind}`, and there is none"),
    )
    .at(span, "laid over nothing")
    .note(format!("`{service}` has {}", kinds.join(", ")))
}

pub(super) fn patch_refused(service: &str, why: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5022",
        format!("the patch of `{service}` cannot be applied: {why}"),
    )
    .at(span, "this patch")
}

pub(super) fn patch_of_counted(service: &str, what: &str, say: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ5022", format!("the patch of `{service}` {what}"))
        .at(span, "this patch")
        .help(say.to_owned())
}
