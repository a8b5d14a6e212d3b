//! The faults that the reader of the parent module reports: one function a fault.

use crate::base::span::Span;
use crate::diag::Diagnostic;

pub(crate) fn unknown_config_key(
    config: &str,
    key: &str,
    span: Span,
    near: Option<&str>,
) -> Diagnostic {
    let error = Diagnostic::error("BZ2001", format!("config `{config}` has no key `{key}`"))
        .at(span, "not in it");
    match near {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error,
    }
}

pub(crate) fn too_large_user(span: Span) -> Diagnostic {
    Diagnostic::error("BZ3007", "`user` must be 0 to 2147483647").at(span, "out of range")
}

pub(crate) fn empty_command(span: Span) -> Diagnostic {
    Diagnostic::error("BZ3009", "a probe runs a command, and this list is empty")
        .at(span, "nothing to run")
}

pub(crate) fn storage_of_others(span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5012",
        "only a `stateful` workload has storage for each of its pods",
    )
    .at(span, "would be shared or lost")
    .help("others mount a claim that exists: `claim = NAME`")
}

pub(crate) fn class_without_storage(span: Span) -> Diagnostic {
    Diagnostic::error("BZ3012", "`class` belongs to `storage`")
        .at(span, "a claim that exists has its class already")
}

pub(crate) fn same_port(kind: &str, number: u16, first: Span, span: Span) -> Diagnostic {
    Diagnostic::error("BZ5008", format!("{kind} {number} is taken"))
        .at(span, "again")
        .also(first, "first here")
}

pub(crate) fn probe_without_port(key: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ5010", format!("the {key} probe has no port to ask"))
        .at(span, "the service has no port")
        .help("give the service a `port`, or the probe its own")
}

pub(crate) fn probe_of_two(key: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5012",
        format!("the {key} probe asks in two ways at once"),
    )
    .at(span, "the second")
    .note("it is one of `path`, `tcp` and `exec`")
}

pub(crate) fn probe_path(path: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5010",
        format!("the path of a probe begins with `/`, and `{path}` does not"),
    )
    .at(span, "not a path")
    .fix("begin it with `/`", span, format!("\"/{path}\""))
}

pub(crate) fn port_without_port(span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5010",
        "a node or host port leads to the service's `port`, and it has none",
    )
    .at(span, "leads nowhere")
    .help("give the service a `port`")
}

pub(crate) fn not_a_variable(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5011",
        format!("`{name}` cannot be the name of an environment variable"),
    )
    .at(span, "Kubernetes would refuse it")
}

pub(crate) fn two_sources(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5012",
        format!("volume `{name}` has more than one source"),
    )
    .at(span, "the second")
}
