//! More of a counted dimension requested than one node has: CPU, or pods.

use std::collections::BTreeMap;

use super::list::listed_components;
use crate::base::id::ids;
use crate::base::span::Span;
use crate::diag::{self, Diagnostic};
use crate::plan::fixes::{for_cpu, for_pods};
use crate::plan::model::Draft;
use crate::plan::resources::Dimension;
use crate::plan::sums::pods_at_worst;
use crate::plan::words::named;
use crate::program::ServiceId;

/// More requested of a dimension than the node has. Memory is filled and not counted: `over_memory` reports it.
pub(crate) fn over_count(
    draft: &Draft<'_, '_>,
    dimension: Dimension,
    requested: u64,
    has: u64,
) -> Option<Diagnostic> {
    match dimension {
        Dimension::Memory => None,
        Dimension::Cpu => Some(over_cpu(draft, requested, has)),
        Dimension::Pods => Some(too_many_pods(draft, requested, has)),
    }
}

/// More pods than the kubelet takes.
fn too_many_pods(draft: &Draft<'_, '_>, total: u64, limit: u64) -> Diagnostic {
    let node = &draft.program.nodes[0];
    let packaged = draft.nodes[0].packaged()[Dimension::Pods];
    let message = format!(
        "node `{}` would have {total} pods, {} more than it takes",
        node.name.value,
        total - limit
    );
    let span = node.max_pods.origin.span.unwrap_or(node.name.span);
    let mut error = Diagnostic::error("BZ4003", message).at(span, format!("takes {limit} pods"));
    let count = |what: &str, n: u64, span| diag::Addend {
        what: what.to_owned(),
        amount: n.to_string(),
        span,
    };
    error.addends = vec![
        count(
            "pods of services, at the peak of a rollout",
            total - packaged,
            None,
        ),
        count("pods of packaged components", packaged, None),
        count("together", total, None),
        count("the kubelet takes", limit, node.max_pods.origin.span),
    ];
    error.over = Some(total - limit);
    error.proposals = for_pods(draft, total);
    match node.max_pods.origin.span {
        Some(_) => error,
        None => error.note("110 is the kubelet's default"),
    }
}

/// More CPU requested than there is.
fn over_cpu(draft: &Draft<'_, '_>, requested: u64, has: u64) -> Diagnostic {
    let node = &draft.program.nodes[0];
    let written = node.cpu.and_then(|cpu| cpu.origin.span);
    let over = requested - has;
    let message = format!("node `{}` is over its CPU by {over}m", node.name.value);
    let span = written.unwrap_or(node.name.span);
    let mut error = Diagnostic::error("BZ4004", message).at(span, "has this much");
    let milli = |what: String, n: u64, span| diag::Addend {
        what,
        amount: format!("{n}m"),
        span,
    };
    // Services by where their request stands and how much it is: their names, and how many pods they have.
    type Alike<'n> = (Vec<&'n str>, u64);
    let mut groups: BTreeMap<(Option<Span>, u64), Alike<'_>> = BTreeMap::new();
    let all: Vec<ServiceId> = ids(&draft.program.services).collect();
    for (index, pods) in pods_at_worst(draft, &all, |id| draft.workloads[id].cpu, None) {
        let (service, workload) = (&draft.program.services[index], &draft.workloads[index]);
        if workload.cpu > 0 && pods > 0 {
            let span = service
                .cpu
                .map_or(Some(service.name.span), |(request, _)| request.origin.span);
            let group = groups.entry((span, workload.cpu)).or_default();
            group.0.push(service.name.value);
            group.1 += pods;
        }
    }
    error.addends = listed_components(draft, draft.components(), Dimension::Cpu);
    for ((span, each), (names, pods)) in groups {
        error.addends.push(milli(
            format!("{}: {pods} x {each}m", named(&names)),
            each.saturating_mul(pods),
            span,
        ));
    }
    error
        .addends
        .push(milli("together".to_owned(), requested, None));
    error.addends.push(milli(
        format!("the CPU of node `{}`", node.name.value),
        has,
        written,
    ));
    error.over = Some(over);
    error.proposals = for_cpu(draft, over);
    error
}
