//! More pods than the kubelet takes, more CPU requested than there is.

use std::collections::BTreeMap;

use super::list::listed_components;
use crate::base::quantity::Cpu;
use crate::base::span::Span;
use crate::diag::{self, Diagnostic};
use crate::plan::fixes::for_cpu;
use crate::plan::model::Draft;
use crate::plan::resources::Dimension;
use crate::plan::words::named;
use crate::program::Given;

/// More pods than the kubelet takes.
pub(crate) fn too_many_pods(draft: &Draft<'_, '_>, own: u64, packaged: u64) -> Diagnostic {
    let node = &draft.program.nodes[0];
    let (limit, total) = (node.max_pods.value, own + packaged);
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
        count("pods of services, at the peak of a rollout", own, None),
        count("pods of packaged components", packaged, None),
        count("together", total, None),
        count("the kubelet takes", limit, node.max_pods.origin.span),
    ];
    match node.max_pods.origin.span {
        Some(span) => error.fix("let it take more", span, total.to_string()),
        None => {
            let insert = node.memory.origin.span.unwrap_or(node.name.span).after();
            error.note("110 is the kubelet's default").fix(
                "let it take more: each costs a shim",
                insert,
                format!("  max-pods = {total}"),
            )
        }
    }
}

/// More CPU requested than there is.
pub(crate) fn over_cpu(draft: &Draft<'_, '_>, requested: u64, cpu: Given<'_, Cpu>) -> Diagnostic {
    let node = &draft.program.nodes[0];
    let over = requested - cpu.value.milli;
    let message = format!("node `{}` is over its CPU by {over}m", node.name.value);
    let span = cpu.origin.span.unwrap_or(node.name.span);
    let mut error = Diagnostic::error("BZ4004", message).at(span, "has this much");
    let milli = |what: String, n: u64, span| diag::Addend {
        what,
        amount: format!("{n}m"),
        span,
    };
    // Services by where their request stands and how much it is: their names, and how many pods they have.
    type Alike<'n> = (Vec<&'n str>, u64);
    let mut groups: BTreeMap<(Option<Span>, u64), Alike<'_>> = BTreeMap::new();
    for (service, workload) in draft.program.services.iter().zip(&draft.workloads) {
        if workload.cpu > 0 {
            let span = service
                .cpu
                .map_or(Some(service.name.span), |(request, _)| request.origin.span);
            let group = groups.entry((span, workload.cpu)).or_default();
            group.0.push(service.name.value);
            group.1 += workload.peak();
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
        cpu.value.milli,
        cpu.origin.span,
    ));
    error.helps = for_cpu(draft, over);
    error
}
