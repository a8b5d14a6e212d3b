//! Limits that come to more than pods may take together.

use super::list::{addend, excess, listed};
use crate::base::quantity::in_mib;
use crate::diag::{self, Diagnostic};
use crate::plan::fixes::for_limits;
use crate::plan::model::{Draft, Plan, Promise, Verdict};
use crate::plan::resources::Dimension;
use crate::plan::sums::{at_rest, component_at_rest};
use crate::plan::terms::most_limits;
use crate::program::NodeId;

/// Changes are tried for programs of so many services at the most: each trial is a compilation, and this is a warning.
const FEW_SERVICES: usize = 200;

/// Limits on a node may come to more than there is, by surge, by pods on their way out, or by the nodes that the
/// scheduler chooses, and nothing else keeps non-interference from being proved.
pub(crate) fn limits_together(plan: &Plan<'_, '_>) -> Vec<Diagnostic> {
    let theorems = plan.theorems.iter();
    let unknown = theorems
        .filter(|one| one.promise == Promise::NonInterference && one.verdict == Verdict::Unknown);
    let may_exceed = unknown.filter_map(|theorem| {
        let at = theorem
            .node
            .filter(|_| theorem.why.len() - theorem.assumptions == 1)?;
        let node = &plan.nodes[at];
        (node.limits.bytes() > node.allocatable()).then_some(at)
    });
    may_exceed.map(|at| may_exceed_on(plan, at)).collect()
}

fn may_exceed_on(plan: &Plan<'_, '_>, at: NodeId) -> Diagnostic {
    let (node, planned) = (&plan.program.nodes[at], &plan.nodes[at]);
    let (most, allocatable) = (planned.limits.bytes(), planned.allocatable());
    let (name, over) = (node.name.value, excess(most - allocatable));
    let message =
        format!("limits on node `{name}` may come to {over} more than its pods may take together");
    let there = format!(
        "{} of limits at the most, {} allocatable",
        in_mib(most),
        in_mib(allocatable)
    );
    let choice = match plan.on_several_nodes() {
        true => "while pods start and end, or by the nodes that the scheduler chooses",
        false => "while pods start and end",
    };
    let mut lint = Diagnostic::lint("limits-together", message)
        .at(node.name.span, there)
        .note(format!(
            "it may be so {choice}: the kubelet then evicts pods, whatever their own limits are, and non-interference is unknown"
        ));
    lint.addends = limit_addends(plan, at, true);
    lint.addends.push(addend("together", most, None));
    let holder = addend("allocatable", allocatable, node.memory.origin.span);
    lint.addends.push(holder);
    lint.over = Some(most - allocatable);
    if plan.program.services.len() <= FEW_SERVICES {
        lint.proposals = for_limits(plan, at, most, allocatable);
        return lint;
    }
    lint.help("lower the limits to what is requested, or allow them in writing with `overcommit`")
}

/// Limits on a node are beyond what there is, or beyond what the program allows itself in writing, even with every
/// range at its low end.
pub(crate) fn over_limits(
    draft: &Draft<'_, '_>,
    at: NodeId,
    limits: u64,
    allowed: u64,
) -> Diagnostic {
    let (node, planned) = (&draft.program.nodes[at], &draft.nodes[at]);
    let allocatable = planned.allocatable();
    let (name, over) = (node.name.value, excess(limits - allowed));
    let there = format!(
        "{} of limits, {} allocatable",
        in_mib(limits),
        in_mib(allocatable)
    );
    let (mut error, holder) = match node.overcommit {
        Some(overcommit) => {
            let percent = overcommit.value;
            let message =
                format!("limits on node `{name}` are {over} over the {percent}% that it allows");
            let span = overcommit.origin.span.unwrap_or(node.name.span);
            let error = Diagnostic::error("BZ4006", message).at(span, there);
            (
                error,
                diag::Addend {
                    span: overcommit.origin.span,
                    ..addend("allowed", allowed, None)
                },
            )
        }
        None => {
            let message =
                format!("limits on node `{name}` are {over} over what its pods may take together");
            let error = Diagnostic::error("BZ4009", message)
                .at(node.name.span, there)
                .note("the kubelet evicts pods once all of them take more than is allocatable, whatever their own limits are");
            (
                error,
                addend("allocatable", allowed, node.memory.origin.span),
            )
        }
    };
    let every_pod = node.overcommit.is_some() && limits > planned.at_rest;
    error.addends = limit_addends(draft, at, every_pod);
    error.addends.push(addend("together", limits, None));
    error.addends.push(holder);
    error.over = Some(limits - allowed);
    error.proposals = for_limits(draft, at, limits, allowed);
    error
}

/// Limits of components and services on a node: of the worst set of pods, or of what is there at rest.
fn limit_addends(draft: &Draft<'_, '_>, at: NodeId, every_pod: bool) -> Vec<diag::Addend> {
    if every_pod {
        let addends = most_limits(draft, at);
        return addends
            .iter()
            .filter(|addend| addend.amount > 0)
            .map(|addend| listed(addend, Dimension::Memory))
            .collect();
    }
    let mut addends = Vec::new();
    for component in &draft.nodes[at].components {
        let pods = component_at_rest(component, &draft.nodes);
        let declared = &draft.program.components[component.component];
        let each = if component.unbounded {
            component.pod[Dimension::Memory]
        } else {
            component.limit
        };
        let what = format!("`{}`, {}", declared.name, declared.whose());
        let span = declared.memory.and_then(|(_, limit)| limit?.origin.span);
        addends.push(addend(what, each.saturating_mul(pods), span));
    }
    for (service, workload) in draft.program.services.iter().zip(&draft.workloads) {
        let pods = at_rest(workload, at, draft.nodes.len());
        let amount = workload.pod_limit().saturating_mul(pods);
        let times = if pods == 1 {
            String::new()
        } else {
            format!(": {pods} x {}", in_mib(workload.pod_limit()))
        };
        let what = format!("`{}`{times}", service.name.value);
        addends.push(addend(what, amount, Some(service.name.span)));
    }
    addends.retain(|addend| addend.amount != in_mib(0));
    addends
}
