//! Addends of sums as errors list them: with what they are of, how they come about, and their places.

use std::collections::BTreeMap;

use crate::base::quantity::{MIB, in_mib};
use crate::base::span::Span;
use crate::diag;
use crate::plan::ledger::{Addend, How};
use crate::plan::model::{ComponentPlan, Draft, NodePlan};
use crate::plan::resources::Dimension;
use crate::plan::sums::pods_at_worst;
use crate::plan::terms::component_addends;
use crate::plan::words::named;
use crate::program::{Memory, Node, NodeId, ServiceId};

pub(super) fn addend(what: impl Into<String>, amount: u64, span: Option<Span>) -> diag::Addend {
    diag::Addend {
        what: what.into(),
        amount: in_mib(amount),
        span,
    }
}

/// An addend of the ledger as an error lists it. What is there once needs no factors.
pub(super) fn listed(addend: &Addend<'_>, dimension: Dimension) -> diag::Addend {
    let how = match &addend.how {
        How::Times { count: 0 | 1, .. } | How::Given | How::Formula(_) => None,
        How::Times { .. } => addend.in_words(dimension),
    };
    diag::Addend {
        what: how.map_or_else(
            || addend.what.to_string(),
            |how| format!("{}: {how}", addend.what),
        ),
        amount: dimension.show(addend.amount),
        span: addend.span(),
    }
}

/// What components of a node ask for.
pub(super) fn listed_components(
    draft: &Draft<'_, '_>,
    components: &[ComponentPlan],
    dimension: Dimension,
) -> Vec<diag::Addend> {
    let addends = component_addends(draft, components, dimension);
    addends
        .iter()
        .map(|addend| listed(addend, dimension))
        .collect()
}

/// An excess in Mi, rounded up so that closing it is enough.
pub(super) fn excess(bytes: u64) -> String {
    format!("{}Mi", bytes.div_ceil(MIB))
}

/// Services that are charged alike: the same number from the same place, with the same number of pods.
pub(super) struct Group<'a> {
    names: Vec<&'a str>,
    of_one: u64,
    pods: u64,
    surge: u64,
    is_hook: bool,
    place: Option<Span>,
    tier: Option<&'a str>,
    raised: bool,
    has_extras: bool,
}

/// At the moment of a rollout at which they come to most. On a node only the pods that may be there count.
pub(super) fn groups<'a>(
    draft: &Draft<'_, 'a>,
    members: &[ServiceId],
    on_node: bool,
    at: Option<NodeId>,
) -> Vec<Group<'a>> {
    let mut groups: BTreeMap<(Option<Span>, u64, u64, u64), Group<'a>> = BTreeMap::new();
    let charge = |id: ServiceId| draft.workloads[id].charge(on_node);
    for (index, pods) in pods_at_worst(draft, members, charge, at) {
        let (service, workload) = (&draft.program.services[index], &draft.workloads[index]);
        let of_one = workload.charge(on_node);
        let place = match service.memory {
            Memory::Range { low, .. } => low.origin.span,
            Memory::Burst { request, limit } => {
                if on_node {
                    request.origin.span
                } else {
                    limit.origin.span
                }
            }
        };
        // With other containers the memory of the main one does not explain what a pod takes.
        let has_extras = workload.sidecars > 0 || workload.init_peak > 0;
        let place = if has_extras {
            Some(service.name.span)
        } else {
            place
        };
        let surge = workload.surge.min(pods.saturating_sub(workload.replicas));
        let key = (place, of_one, pods, surge);
        let group = groups.entry(key).or_insert_with(|| Group {
            names: Vec::new(),
            of_one,
            pods,
            surge,
            is_hook: workload.hook.is_some(),
            place,
            tier: service
                .tier
                .map(|tier| draft.program.tiers[tier].name.value),
            raised: workload.floor.is_some(),
            has_extras,
        });
        group.names.push(service.name.value);
    }
    groups.into_values().collect()
}

pub(super) fn group_addends(
    draft: &Draft<'_, '_>,
    members: &[ServiceId],
    on_node: bool,
    at: Option<NodeId>,
) -> Vec<diag::Addend> {
    let mut addends = Vec::new();
    for group in groups(draft, members, on_node, at) {
        let count = (group.names.len() as u64).saturating_mul(group.pods);
        let amount = group.of_one.saturating_mul(count);
        let of = match (group.tier, group.names.len()) {
            (Some(tier), 2..) => format!(" of tier `{tier}`"),
            _ => String::new(),
        };
        let surge = if group.is_hook && group.pods > 0 {
            ", while Helm runs it".to_owned()
        } else if group.surge > 0 {
            format!(
                ", {} of them for the rollout",
                group.surge * group.names.len() as u64
            )
        } else {
            String::new()
        };
        let with_extras = if group.has_extras {
            ", with what runs before and beside it"
        } else {
            ""
        };
        let raised = if group.raised {
            ", the floor of what it runs"
        } else {
            ""
        };
        if count == 0 {
            continue;
        }
        let times = if count == 1 && surge.is_empty() {
            with_extras.to_owned()
        } else {
            format!(
                ": {count} x {}{raised}{with_extras}{surge}",
                in_mib(group.of_one)
            )
        };
        addends.push(addend(
            format!("{}{of}{times}", named(&group.names)),
            amount,
            group.place,
        ));
    }
    addends
}

/// What every node has for pods, in a line.
pub(super) fn nodes_for_pods(draft: &Draft<'_, '_>) -> String {
    let of = |(node, planned): (&Node<'_>, &NodePlan<'_>)| {
        format!(
            "`{}` {} of {}",
            node.name.value,
            in_mib(planned.allocatable()),
            in_mib(planned.capacity)
        )
    };
    let nodes: Vec<String> = draft
        .program
        .nodes
        .iter()
        .zip(&draft.nodes)
        .take(12)
        .map(of)
        .collect();
    let more = match draft.nodes.len().saturating_sub(12) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    format!("left for pods: {}{more}", nodes.join(", "))
}

/// What all nodes have for pods.
pub(super) fn allocatable(draft: &Draft<'_, '_>) -> u64 {
    draft
        .nodes
        .iter()
        .map(|node| node.allocatable())
        .fold(0, u64::saturating_add)
}
