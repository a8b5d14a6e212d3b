//! What nodes have of resources that are counted by their names, ephemeral storage and devices, against what the pods that
//! may be there ask for.
//!
//! They are no dimensions of the lemma. Where a node has enough for all that may come to it, no pod ever waits for such a
//! resource, whatever the order; that the others find room is the lemma's matter alone.

use super::model::{Draft, Plan, Workload};
use super::sums::pods_at_worst;
use super::words::named;
use crate::base::id::{ids, numbered};
use crate::base::quantity::in_mib;
use crate::program::{Ask, EPHEMERAL, NodeId, Program, Service, ServiceId, Supply};

/// What pods ask for of a resource that a node says it has.
#[derive(Debug)]
pub(crate) struct Asked<'p, 'a> {
    /// What the node has.
    pub supply: &'p Supply<'a>,
    /// What all that may be there ask for at the worst moment of a rollout.
    pub sum: u64,
}

/// An amount of a resource as people write it.
pub(crate) fn in_units(resource: &str, amount: u64) -> String {
    match resource {
        EPHEMERAL => in_mib(amount),
        _ => amount.to_string(),
    }
}

/// Where a service says what one of its pods asks for of a resource.
pub(crate) fn asks<'s, 'a>(
    service: &'s Service<'a>,
    resource: &'s str,
) -> impl Iterator<Item = &'s Ask<'a>> {
    let asks = service.adopted.iter().flat_map(|adopted| &adopted.asks);
    asks.filter(move |ask| ask.resource == resource)
}

/// What one pod of a service asks for of a resource.
pub(crate) fn each(service: &Service<'_>, resource: &str) -> u64 {
    asks(service, resource).map(|ask| ask.each.value).sum()
}

/// Whether it is counted what pods of a service ask for of a resource. Every node has storage, and has to say how much;
/// a device that one node says it has, the others do not have.
pub(super) fn counts(program: &Program<'_>, workload: &Workload<'_>, resource: &str) -> bool {
    let mut nodes = numbered(&program.nodes);
    match resource {
        EPHEMERAL => nodes
            .filter(|(at, _)| workload.may_be_on(*at))
            .all(|(_, node)| node.supply(resource).is_some()),
        _ => nodes.any(|(_, node)| node.supply(resource).is_some()),
    }
}

/// The services that ask for a resource.
fn asking(draft: &Draft<'_, '_>, resource: &str) -> Vec<ServiceId> {
    let services = numbered(&draft.program.services);
    services
        .filter(|(id, service)| draft.workloads[*id].peak() > 0 && each(service, resource) > 0)
        .map(|(id, _)| id)
        .collect()
}

/// What some services ask for at the moment at which that is most: on a node, or on all.
fn sum(draft: &Draft<'_, '_>, resource: &str, members: &[ServiceId], at: Option<NodeId>) -> u64 {
    let each = |id: ServiceId| each(&draft.program.services[id], resource);
    let pods = pods_at_worst(draft, members, each, at).into_iter();
    pods.map(|(id, pods)| each(id).saturating_mul(pods))
        .fold(0, u64::saturating_add)
}

/// What is asked of everything that a node says it has.
pub(crate) fn asked<'p, 'a>(draft: &'p Draft<'p, 'a>, at: NodeId) -> Vec<Asked<'p, 'a>> {
    let supplies = draft.program.nodes[at].supplies.iter();
    let asked = supplies.map(|supply| Asked {
        supply,
        sum: sum(
            draft,
            supply.resource,
            &asking(draft, supply.resource),
            Some(at),
        ),
    });
    asked.collect()
}

/// The names of all resources that some node says it has, sorted.
fn resources<'p>(program: &'p Program<'_>) -> Vec<&'p str> {
    let nodes = program.nodes.iter();
    let mut all: Vec<&str> = nodes
        .flat_map(|node| node.supplies.iter().map(|supply| supply.resource))
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// What a node can give to pods of a resource; nothing of a device that it does not say it has, and of storage what is not
/// known.
fn usable(program: &Program<'_>, at: NodeId, resource: &str) -> Option<u64> {
    match program.nodes[at].supply(resource) {
        Some(supply) => Some(supply.usable()),
        None => (resource != EPHEMERAL).then_some(0),
    }
}

/// More of a resource asked for than there is.
#[derive(Debug)]
pub(super) struct Short<'p> {
    /// The resource.
    pub resource: &'p str,
    /// The node, or none if it is about all.
    pub node: Option<NodeId>,
    /// Who asks for it there.
    pub members: Vec<ServiceId>,
    /// How much is asked for.
    pub asked: u64,
    /// How much there is.
    pub has: u64,
}

/// What is asked for beyond what there is, of each resource: by pods that can be on one node only, or by all pods on all
/// nodes.
pub(super) fn all_short<'p>(draft: &Draft<'p, '_>) -> Vec<Short<'p>> {
    let resources = resources(draft.program).into_iter();
    resources
        .filter_map(|resource| short(draft, resource))
        .collect()
}

fn short<'p>(draft: &Draft<'p, '_>, resource: &'p str) -> Option<Short<'p>> {
    let all = asking(draft, resource);
    for at in ids(&draft.program.nodes) {
        // A DaemonSet has its pod on each of its nodes, whatever there is of anything.
        let is_held = |id: &ServiceId| {
            let workload = &draft.workloads[*id];
            let nodes = &draft.program.services[*id].pod.place.nodes;
            let alone = nodes.as_ref().is_some_and(|nodes| nodes.as_slice() == [at]);
            alone || !draft.on_several_nodes() || workload.is_fixed()
        };
        let members: Vec<ServiceId> = all.iter().copied().filter(is_held).collect();
        let asked = sum(draft, resource, &members, Some(at));
        if let Some(has) = usable(draft.program, at, resource).filter(|has| asked > *has) {
            let node = Some(at);
            return Some(Short {
                resource,
                node,
                members,
                asked,
                has,
            });
        }
    }
    let asked = sum(draft, resource, &all, None);
    let nodes = ids(&draft.program.nodes).map(|at| usable(draft.program, at, resource));
    let has = nodes.sum::<Option<u64>>()?;
    (asked > has).then_some(Short {
        resource,
        node: None,
        members: all,
        asked,
        has,
    })
}

/// Why it is not known that every pod finds what it asks for by name.
pub(super) fn doubts(plan: &Plan<'_, '_>) -> Vec<String> {
    let program = plan.program;
    let mut why = Vec::new();
    for resource in resources(program) {
        let all = asking(plan, resource);
        for (at, node) in numbered(&program.nodes) {
            let Some(has) = usable(program, at, resource) else {
                continue;
            };
            let asked = sum(plan, resource, &all, Some(at));
            if asked > has {
                let there = all.iter().filter(|id| plan.workloads[**id].may_be_on(at));
                let names: Vec<&str> = there.map(|id| program.services[*id].name.value).collect();
                why.push(format!(
                    "pods of {} may ask for {} of `{resource}` on `{}`, which has {}",
                    named(&names),
                    in_units(resource, asked),
                    node.name.value,
                    in_units(resource, has),
                ));
            }
        }
    }
    why
}
