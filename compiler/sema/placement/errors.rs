//! The faults that the reader of the parent module reports: one function a fault.

use crate::base::span::Span;
use crate::diag::Diagnostic;

pub(crate) fn even_servers(servers: usize, last: Span) -> Diagnostic {
    Diagnostic::error("BZ2016", format!("{servers} servers make no cluster"))
        .at(last, "the last of them")
        .note(
            "servers decide by majority: an even number survives no more losses than one server fewer, and two survive none",
        )
        .help("make it an agent: `role = agent`; or give `k3s` a `datastore-endpoint`")
}

pub(crate) fn unknown_taint(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ2001", format!("no node has the taint `{name}`"))
        .at(span, "nothing to tolerate")
        .help(match name.contains(['.', '/']) {
            true => format!("give it to a node: `taints = [\"{name}\"]`"),
            false => format!("give it to a node: `taints = [{name}]`"),
        })
}

/// `node-role.kubernetes.io/control-plane`, which is no name.
pub(crate) fn taint_without_quotes(text: &str, span: Span) -> Diagnostic {
    let message = format!("`{text}` is no plain name: as a taint it is the text `\"{text}\"`");
    Diagnostic::error("BZ3009", message)
        .at(span, "a name or a text was expected")
        .fix("between quotes it is a text", span, format!("\"{text}\""))
}

pub(crate) fn not_a_taint(text: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ3009", format!("`{text}` is not a taint"))
        .at(span, "not KEY, KEY=VALUE, KEY:EFFECT or KEY=VALUE:EFFECT")
        .note("an effect is `NoSchedule`, `PreferNoSchedule` or `NoExecute`")
}

pub(crate) fn apart_without_replicas(span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ2003",
        "`anti-affinity` is for services and stateful sets",
    )
    .at(span, "its pods are not replicas of each other")
}
