//! The faults that the reader of the parent module reports: one function a fault.

use crate::base::span::Span;
use crate::diag::Diagnostic;

pub(crate) fn reversed_range(low: &str, high: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ3005",
        format!("the range goes down, from {low} to {high}"),
    )
    .at(span, "the least comes first")
    .guess("swap the ends", span, format!("{high}..{low}"))
}

/// Two amounts that were meant as a range.
pub(crate) fn not_a_range(
    key: &str,
    text: &str,
    is_difference: bool,
    range: String,
    span: Span,
) -> Diagnostic {
    match is_difference {
        true => Diagnostic::error("BZ3008", "the result is below zero")
            .at(span, "no quantity is negative"),
        false => Diagnostic::error(
            "BZ3009",
            format!("`{text}` is no range, and `{key}` takes one"),
        )
        .at(span, "two ends of one range"),
    }
    .fix("a range is written with `..`", span, range)
}

pub(crate) fn host_port_of_many(port: u16, name: &str, pods: u64, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5008",
        format!("host port {port} is taken by another pod of `{name}` itself"),
    )
    .at(
        span,
        format!("{pods} pods of it would run at once, and a port of the node belongs to one"),
    )
    .help("one replica without surge, a `node-port`, which they share, or on several nodes `anti-affinity = node`")
}

pub(crate) fn scale_without_cpu(span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ3006",
        "a service that scales by its use of CPU has a container without `cpu`",
    )
    .at(span, "the target is a share of the request")
    .help("for example `cpu = 50m..200m`")
}

pub(crate) fn not_a_schedule(text: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ5015", format!("`{text}` is not a schedule of cron"))
        .at(span, "expected minute, hour, day, month and weekday")
        .help("for example `\"*/15 * * * *\"` or `\"@daily\"`")
}

pub(crate) fn unbounded_cron(span: Span) -> Diagnostic {
    Diagnostic::error("BZ3006", "runs that may overlap need a bound").at(span, "how many at once?").help(
        "write `at-most = 3`, or leave `concurrency` out: then a run is left out while the last one has not ended",
    )
}

pub(crate) fn storage_without_provider(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5016",
        format!("nothing provides the storage of `{name}`"),
    )
    .at(span, "its pods would stay Pending")
    .help("leave `local-storage` out of `disable`, or name the `class` of another provisioner")
}

pub(crate) fn local_path_for_many(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5016",
        format!("K3s's local storage gives no claim for several nodes, as `{name}` asks for"),
    )
    .at(span, "its pods would stay Pending")
    .help("leave out `access = many`: all pods of a node may share the claim; or name the `class` of shared storage")
}

pub(crate) fn claim_of_several_nodes(name: &str, pods: u64, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5021",
        format!("up to {pods} pods of `{name}` share a claim that one node may use at a time, and may be on several"),
    )
    .at(span, "`access = once`")
    .help("hold them to a node (`node = NAME`), give the claim `access = many` and a class that has it, or let one pod follow the other (`replicas = 1`  `rollout = replace`)")
}
