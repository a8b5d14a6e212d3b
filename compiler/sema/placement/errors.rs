//! What the reader beside says of a program: one function a fault.

use crate::base::span::Span;
use crate::diag::Diagnostic;

pub(crate) fn even_servers(servers: usize, last: Span) -> Diagnostic {
    Diagnostic::error("BZ2016", format!("{servers} servers make no cluster"))
        .at(last, "the last of them")
        .note(
            "servers agree by majority: with an even number one more is needed for the same, and of two none may fail",
        )
        .help("make it an agent: `role = agent`; or give `k3s` a `datastore-endpoint`")
}

pub(crate) fn unknown_taint(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ2001", format!("no node has the taint `{name}`"))
        .at(span, "nothing to tolerate")
        .help(format!("give it to a node: `taints = [{name}]`"))
}

pub(crate) fn apart_without_replicas(span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ2003",
        "`anti-affinity` is for services and stateful sets",
    )
    .at(span, "its pods are not replicas of each other")
}
