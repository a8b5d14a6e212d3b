//! Pods that find no room on several nodes, and nodes that cannot be spared.

use super::list::{allocatable, group_addends, nodes_for_pods};
use crate::base::id::{ids, numbered};
use crate::base::quantity::{MIB, in_mib};
use crate::base::span::Span;
use crate::diag::{Diagnostic, Proposal};
use crate::plan::excess::{Ceiling, Excess};
use crate::plan::fixes::for_memory;
use crate::plan::model::{Draft, Workload};
use crate::plan::pack::Certificate;
use crate::plan::reserve::price_of_pod;
use crate::plan::resources::Dimension;
use crate::plan::sums::packaged_asks;
use crate::plan::tie::{Tie, tie};
use crate::plan::words::named;
use crate::program::{NodeId, ServiceId};
/// The name of a class of pods: a service's, or a packaged component's behind them.
fn class_name<'a>(draft: &Draft<'_, 'a>, class: usize) -> (&'a str, Option<Span>) {
    match draft.program.services.get(class) {
        Some(service) => (service.name.value, Some(service.name.span)),
        None => {
            let component = draft.components().get(class - draft.program.services.len());
            (
                component.map_or("", |component| {
                    draft.program.components[component.component].name
                }),
                None,
            )
        }
    }
}

/// Pods that no placement on the nodes has room for.
pub(crate) fn nowhere(draft: &Draft<'_, '_>, certificate: &Certificate) -> Diagnostic {
    let program = draft.program;
    let names = |nodes: &[NodeId]| -> Vec<&str> {
        nodes
            .iter()
            .map(|node| program.nodes[*node].name.value)
            .collect()
    };
    let error = match certificate {
        Certificate::TooLarge { class } => {
            let (name, span) = class_name(draft, *class);
            let each = draft
                .workloads
                .get(*class)
                .map_or(0, |workload| workload.charge(true));
            let text = format!(
                "no node has room for a pod of `{name}`, which needs {}",
                in_mib(each)
            );
            let error = Diagnostic::error("BZ4007", text);
            span.map_or(error.clone(), |span| {
                error.at(span, "too large for every node it may go to")
            })
        }
        Certificate::Apart {
            class,
            count,
            nodes,
        } => {
            let (name, span) = class_name(draft, *class);
            let text =
                format!("{count} pods of `{name}` may not share a node, and {nodes} can take one");
            let error = Diagnostic::error("BZ4007", text);
            span.map_or(error.clone(), |span| {
                error.at(span, "one a node, by its `anti-affinity`")
            })
        }
        Certificate::Volume {
            dimension,
            nodes,
            needed,
            have,
        } => {
            let show = |amount: u128| dimension.show(u64::try_from(amount).unwrap_or(u64::MAX));
            let (code, of) = (dimension.code(), dimension.word());
            let over = show(needed.saturating_sub(*have));
            let which = match nodes.len() == program.nodes.len() {
                true => "the nodes together".to_owned(),
                false => named(&names(nodes)),
            };
            let text = format!("{which}: {over} too little {of}");
            let first = nodes.first().map_or(program.nodes[0].name.span, |node| {
                program.nodes[*node].name.span
            });
            Diagnostic::error(code, text).at(
                first,
                format!(
                    "{} asked for by all that may run nowhere else, {} there",
                    show(*needed),
                    show(*have)
                ),
            )
        }
        Certificate::Exhausted { states } => Diagnostic::error(
            "BZ4007",
            "there is room for all pods together, but not for each of them",
        )
        .at(
            program.nodes[0].name.span,
            "no way to share the pods among the nodes",
        )
        .note(format!(
            "every way of placing them was excluded; {states} had to be looked at"
        )),
    };
    let all: Vec<ServiceId> = ids(&program.services).collect();
    let mut error = error.note(nodes_for_pods(draft));
    error.addends = group_addends(draft, &all, true, None);
    let (members, deficit) = match certificate {
        // What one pod has too much counts for each of its kind.
        Certificate::TooLarge { class } if *class < all.len() => {
            let workload = &draft.workloads[*class];
            let rooms = numbered(&draft.nodes).filter(|(at, _)| workload.may_be_on(*at));
            let largest = rooms.map(|(_, node)| node.allocatable()).max().unwrap_or(0);
            // A smaller pod may be there once more, beside one that ends, at its price.
            let service = &program.services[*class];
            let prices = program.nodes.iter().map(|node| price_of_pod(node, service));
            let price = prices.max().unwrap_or(0);
            let over = workload
                .charge(true)
                .saturating_sub(largest)
                .saturating_add(price);
            (vec![all[*class]], over.saturating_mul(workload.peak()))
        }
        Certificate::Volume {
            dimension: Dimension::Memory,
            needed,
            have,
            ..
        } => (
            all,
            u64::try_from(needed.saturating_sub(*have)).unwrap_or(u64::MAX),
        ),
        Certificate::Volume { .. }
        | Certificate::TooLarge { .. }
        | Certificate::Apart { .. }
        | Certificate::Exhausted { .. } => {
            (all, missing(draft, draft.nodes.len(), allocatable(draft)))
        }
    };
    error.over = Some(deficit);
    error.proposals = together(draft, deficit, &members);
    error
}

/// What to change where so many bytes are missing on all nodes together.
fn together(draft: &Draft<'_, '_>, deficit: u64, members: &[ServiceId]) -> Vec<Proposal> {
    let excess = Excess {
        ceiling: Ceiling::Together,
        deficit,
    };
    for_memory(draft, excess, members, true)
}

/// What would have to go for the simplest sum to hold on nodes of so much room together: all pods, and on every node but
/// one as much as the largest pod may find in its way.
fn missing(draft: &Draft<'_, '_>, nodes: usize, have: u64) -> u64 {
    let each = draft
        .workloads
        .iter()
        .filter(|workload| workload.peak() > 0)
        .map(|workload| workload.charge(true));
    let lost = each.max().unwrap_or(0).saturating_mul(nodes as u64 - 1);
    let asked = draft
        .workloads
        .iter()
        .map(|w| w.charge(true).saturating_mul(w.peak()))
        .fold(0, u64::saturating_add);
    let asked = asked.saturating_add(packaged_asks(&draft.nodes)[Dimension::Memory]);
    asked.saturating_add(lost).saturating_sub(have).max(MIB)
}

/// A node that the program says it outlives, and does not.
pub(crate) fn lost(
    draft: &Draft<'_, '_>,
    node: Option<NodeId>,
    certificate: Option<&Certificate>,
) -> Diagnostic {
    let program = draft.program;
    let span = program
        .survive
        .and_then(|survive| survive.origin.span)
        .unwrap_or(program.nodes[0].name.span);
    let running = || {
        program
            .services
            .iter()
            .zip(&draft.workloads)
            .filter(|(_, workload)| workload.peak() > 0)
    };
    let bound = |workload: &Workload<'_>| {
        workload
            .nodes
            .as_ref()
            .is_some_and(|nodes| nodes.len() == 1)
    };
    let staying = running().find_map(|(service, _)| match tie(program, service) {
        Tie::Node(why) => Some((service, why)),
        Tie::None | Tie::Unknown(_) => None,
    });
    let held = running().find(|(_, workload)| bound(workload) && !workload.is_fixed());
    let demand = "is to outlive the loss of one node";
    if let Some((service, why)) =
        staying.or(held.map(|(service, _)| (service, "is held to one node")))
    {
        let message = format!("`{}` is lost with its node", service.name.value);
        return Diagnostic::error("BZ4008", message)
            .at(span, demand)
            .also(service.name.span, why);
    }
    let error = match node {
        Some(at) => {
            let name = program.nodes[at].name.value;
            Diagnostic::error(
                "BZ4008",
                format!("without `{name}` some pod may find no room"),
            )
            .at(span, demand)
            .also(program.nodes[at].name.span, "this one cannot be spared")
        }
        None => Diagnostic::error(
            "BZ4008",
            "some pod may find no room, even with every node there",
        )
        .at(span, demand),
    };
    let small = |n: u128| u64::try_from(n).unwrap_or(u64::MAX);
    let mut error = match certificate {
        Some(Certificate::Volume {
            dimension: Dimension::Memory,
            needed,
            have,
            ..
        }) => error.note(format!(
            "{} asked for, {} left",
            in_mib(small(*needed)),
            in_mib(small(*have))
        )),
        Some(Certificate::Apart { count, nodes, .. }) => error.note(format!(
            "{count} pods may not share a node, and {nodes} nodes are left"
        )),
        Some(_) => error.note("there is no placement of the pods on the nodes that are left"),
        None => error.note("there are orders of the pods in which one finds no room"),
    }
    .note(nodes_for_pods(draft));
    let most = draft
        .nodes
        .iter()
        .map(|node| node.allocatable())
        .max()
        .unwrap_or(0);
    let deficit = missing(draft, draft.nodes.len() - 1, allocatable(draft) - most);
    let members: Vec<ServiceId> = ids(&program.services).collect();
    error.over = Some(deficit);
    error.proposals = together(draft, deficit, &members);
    error
}
