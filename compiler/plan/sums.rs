//! The sums that follow from what was chosen: requests, pods and CPU at the worst moment of a rollout, on each node and
//! on all; limits at rest and at their most; budgets.

use super::limits::{Alike, Most, most};
use super::model::{BudgetPlan, ComponentPlan, Draft, Moment, NodePlan, Together, Workload};
use super::moments::moments;
use super::resources::{Dimension, Resources};
use crate::base::id::{ids, numbered};
use crate::program::{Budget, NodeId, Program, ServiceId};

/// Bytes that limits may come to: what is allocatable, or so much of it as the program allows in writing.
pub(crate) fn allowed(program: &Program<'_>, node: &NodePlan<'_>, at: NodeId) -> u64 {
    let percent = program.nodes[at]
        .overcommit
        .map_or(100, |percent| percent.value);
    let allowed = u128::from(node.allocatable()) * u128::from(percent) / 100;
    u64::try_from(allowed).unwrap_or(u64::MAX)
}

/// The pods that may be on a node at once: one entry a component of it, then one a service.
fn alike<'n>(
    node: &'n NodePlan<'_>,
    at: NodeId,
    workloads: &'n [Workload<'_>],
) -> impl Iterator<Item = Alike> + use<'n> {
    let components = node.components.iter().map(|component| Alike {
        request: component.pod[Dimension::Memory],
        limit: component.limit,
        count: component.pods,
    });
    let services = workloads.iter().map(move |workload| Alike {
        request: workload.pod_request(),
        limit: workload.pod_limit(),
        count: workload.on(at, workload.pods),
    });
    components.chain(services)
}

/// Whether a pod that may be on a node may take more than it requests.
pub(super) fn has_gaps(node: &NodePlan<'_>, at: NodeId, workloads: &[Workload<'_>]) -> bool {
    let mut components = node.components.iter();
    components.any(|component| component.pods > 0 && component.gap() > 0)
        || workloads
            .iter()
            .any(|workload| workload.on(at, workload.pods) > 0 && workload.gap() > 0)
}

/// The most that limits come to on a node.
pub(super) fn most_limits(node: &NodePlan<'_>, at: NodeId, workloads: &[Workload<'_>]) -> Most {
    let kinds: Vec<Alike> = alike(node, at, workloads).collect();
    most(&kinds, node.allocatable())
}

/// Whether limits are within what a node allows in writing, where it does.
pub(super) fn within_overcommit(
    program: &Program<'_>,
    nodes: &[NodePlan<'_>],
    workloads: &[Workload<'_>],
    at: NodeId,
) -> bool {
    program.nodes[at].overcommit.is_none()
        || most_limits(&nodes[at], at, workloads).bytes() <= allowed(program, &nodes[at], at)
}

/// Pods of a service that are on a node, and on no other, while nothing is rolled out.
pub(super) fn at_rest(workload: &Workload<'_>, at: NodeId, nodes: usize) -> u64 {
    let only_here = nodes == 1
        || workload.is_fixed()
        || workload
            .nodes
            .as_ref()
            .is_some_and(|nodes| nodes.len() == 1);
    if only_here {
        // A DaemonSet has one pod on each node then.
        let most = if workload.one_a_node { 1 } else { u64::MAX };
        workload.on(at, workload.replicas).min(most)
    } else {
        0
    }
}

/// The same of a component, of which one open node has all pods.
pub(super) fn component_at_rest(component: &ComponentPlan, nodes: &[NodePlan<'_>]) -> u64 {
    let open = nodes
        .iter()
        .filter(|node| !node.components.is_empty())
        .count();
    if component.every_node || open == 1 {
        component.replicas
    } else {
        0
    }
}

/// Limits of what is on a node, and on no other, while nothing is rolled out. What nothing limits counts its request.
pub(super) fn limits_at_rest(
    nodes: &[NodePlan<'_>],
    at: NodeId,
    workloads: &[Workload<'_>],
) -> u64 {
    let components = nodes[at].components.iter().map(|component| {
        let limit = match component.unbounded {
            true => component.pod[Dimension::Memory],
            false => component.limit,
        };
        limit.saturating_mul(component_at_rest(component, nodes))
    });
    let services = workloads.iter().map(|workload| {
        workload
            .pod_limit()
            .saturating_mul(at_rest(workload, at, nodes.len()))
    });
    components.chain(services).fold(0, u64::saturating_add)
}

/// The most of `amount` that pods of all services can come to, over the moments of a rollout.
fn at_worst<'w, 'a: 'w>(
    program: &Program<'a>,
    workloads: &'w [Workload<'a>],
    amount: impl Fn(ServiceId, &'w Workload<'a>, u64) -> u64,
) -> u64 {
    let at = |moment: Moment| {
        let amounts = numbered(workloads)
            .map(|(index, workload)| amount(index, workload, moment.pods(index, workload)));
        amounts.fold(0, u64::saturating_add)
    };
    moments(program, workloads)
        .into_iter()
        .map(at)
        .max()
        .unwrap_or(0)
}

/// The limits of all pods of services that must find room at once, in bytes.
pub(crate) fn services_at_worst<'a>(program: &Program<'a>, workloads: &[Workload<'a>]) -> u64 {
    at_worst(program, workloads, |_, workload, pods| {
        workload.pod_limit().saturating_mul(pods)
    })
}

/// The pods that each of some services has at the moment at which these come to most: on a node, or on all.
pub(super) fn pods_at_worst(
    draft: &Draft<'_, '_>,
    members: &[ServiceId],
    each: impl Fn(ServiceId) -> u64,
    at: Option<NodeId>,
) -> Vec<(ServiceId, u64)> {
    let pods = |moment: Moment, id: ServiceId| {
        let workload = &draft.workloads[id];
        let pods = moment.pods(id, workload);
        at.map_or(pods, |at| workload.on(at, pods))
    };
    let amount = |moment: &Moment| {
        let amounts = members.iter();
        let amounts = amounts.map(|&id| each(id).saturating_mul(pods(*moment, id)));
        amounts.fold(0, u64::saturating_add)
    };
    let worst = moments(draft.program, &draft.workloads)
        .into_iter()
        .rev()
        .max_by_key(amount);
    let worst = worst.into_iter();
    worst
        .flat_map(|moment| members.iter().map(move |&id| (id, pods(moment, id))))
        .collect()
}

/// What services ask for at the worst moment. `count` gives, of the pods that a service has then, the number that counts.
fn asked_at_worst<'a>(
    program: &Program<'a>,
    workloads: &[Workload<'a>],
    count: impl Fn(&Workload<'a>, u64) -> u64,
) -> Resources {
    Resources::of(|dimension| {
        at_worst(program, workloads, |_, workload, pods| {
            workload.asked()[dimension].saturating_mul(count(workload, pods))
        })
    })
}

/// What all that may be on a node asks for at the worst moment. More than the node has, the scheduler does not let
/// there be.
pub(super) fn asked_on<'a>(
    program: &Program<'a>,
    node: &NodePlan<'_>,
    at: NodeId,
    workloads: &[Workload<'a>],
) -> Resources {
    asked_at_worst(program, workloads, |workload, pods| workload.on(at, pods)).plus(node.packaged())
}

/// The pods of K3s's packages and those that the program declares as `others`, on all nodes together. Pods that may move
/// between nodes count once, pods that every node has count once for each node.
pub(crate) fn packaged<T>(nodes: &[NodePlan<'_>], of: impl Fn(&ComponentPlan) -> T) -> Vec<T> {
    let first = nodes.iter().position(|node| !node.components.is_empty());
    let mut all = Vec::new();
    for (at, node) in nodes.iter().enumerate() {
        let there = node.components.iter();
        all.extend(
            there
                .filter(|component| component.every_node || Some(at) == first)
                .map(&of),
        );
    }
    all
}

/// What those ask for.
pub(crate) fn packaged_asks(nodes: &[NodePlan<'_>]) -> Resources {
    Resources::sum(packaged(nodes, ComponentPlan::asked).into_iter())
}

/// Sums over all nodes.
pub(super) fn together<'a>(
    program: &Program<'a>,
    nodes: &[NodePlan<'_>],
    workloads: &[Workload<'a>],
) -> Together {
    let allocatable = nodes.iter().map(NodePlan::allocatable);
    Together {
        asked: asked_at_worst(program, workloads, |_, pods| pods).plus(packaged_asks(nodes)),
        allocatable: allocatable.fold(0, u64::saturating_add),
    }
}

/// The sums that follow from what was chosen.
pub(super) fn settle(draft: &mut Draft<'_, '_>) {
    for at in ids(&draft.nodes) {
        let asked = asked_on(draft.program, &draft.nodes[at], at, &draft.workloads);
        let limits = most_limits(&draft.nodes[at], at, &draft.workloads);
        let at_rest = limits_at_rest(&draft.nodes, at, &draft.workloads);
        let node = &mut draft.nodes[at];
        (node.asked, node.limits, node.at_rest) = (asked, limits, at_rest);
    }
    draft.together = together(draft.program, &draft.nodes, &draft.workloads);
}

/// How every budget stands.
pub(crate) fn budgets<'a>(program: &Program<'a>, workloads: &[Workload<'a>]) -> Vec<BudgetPlan> {
    let used = |budget: &Budget<'_>| {
        at_worst(program, workloads, |index, workload, pods| {
            if budget.is_over(index) {
                workload.pod_limit().saturating_mul(pods)
            } else {
                0
            }
        })
    };
    let budgets = program.budgets.iter();
    let plan = |budget: &Budget<'_>| BudgetPlan {
        ceiling: budget.ceiling.value.n,
        used: used(budget),
    };
    budgets.map(plan).collect()
}
