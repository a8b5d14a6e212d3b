//! The sums that the promises state, addend by addend. What is a maximum, over the moments of a rollout or over sets of
//! pods, states the addends of the moment or the set where it is reached.

use std::cmp::Reverse;

use super::ledger::{Addend, Sum};
use super::limits::Most;
use super::model::{ComponentPlan, Draft, EVICTION, OS, Plan};
use super::resources::{Capacity, Dimension};
use super::sums::{allowed, packaged_asks};
use crate::base::id::{Id, ids, numbered};
use crate::program::{Component, Node, NodeId, Origin};

/// Where what a pod of a component asks for is given.
fn asked_origin<'a>(component: &Component<'a>, dimension: Dimension) -> Option<Origin<'a>> {
    match dimension {
        Dimension::Memory => component_origin(component),
        Dimension::Cpu => component.cpu.map(|(request, _)| request.origin),
        Dimension::Pods => None,
    }
}

/// Where the memory of a component is given.
pub(crate) fn component_origin<'a>(component: &Component<'a>) -> Option<Origin<'a>> {
    let memory = component.memory.map(|(request, _)| request.origin);
    memory.or(component.bound.map(|bound| bound.origin))
}

/// What a number of pods of a component comes to.
fn of_component<'a>(
    draft: &Draft<'_, 'a>,
    (at, index): (NodeId, usize),
    (pods, each): (u64, u64),
    origin: Option<Origin<'a>>,
) -> Addend<'a> {
    let component = &draft.nodes[at].components[index];
    let declared = &draft.program.components[component.component];
    Addend::product(
        format!("component.{}", declared.name),
        declared.name.clone(),
        (pods, "pods"),
        each,
        origin,
    )
    .from(format!("/nodes/{}/components/{index}", at.index()))
}

/// An addend of services: it is to be computed from the list of services.
fn of_services<'a>(amount: u64, formula: &'static str) -> Addend<'a> {
    Addend::formula("services", "services", amount, formula).from("/services")
}

/// A number of a node.
fn of_node<'a>(
    at: NodeId,
    id: impl Into<String>,
    what: &'static str,
    amount: u64,
    key: &str,
) -> Addend<'a> {
    Addend::new(id.into(), what, amount, None).from(format!("/nodes/{}/{key}", at.index()))
}

/// T1: what K3s and the OS can take, and what the kubelet keeps for them. The eviction threshold is no part of it.
pub(super) fn isolation<'a>(draft: &Draft<'_, 'a>, at: NodeId) -> Sum<'a> {
    let node = &draft.nodes[at];
    let needed = node
        .reserved
        .iter()
        .enumerate()
        .filter(|(_, addend)| addend.id != EVICTION);
    let needed = needed.map(|(index, addend)| {
        addend
            .clone()
            .from(format!("/nodes/{}/reserved/{index}", at.index()))
    });
    let kept = |id: &str, what, amount, key| of_node(at, id, what, amount, key);
    Sum {
        dimension: Dimension::Memory,
        left: needed.collect(),
        right: Some(vec![
            kept(
                "system-reserved",
                "system-reserved of the kubelet",
                node.term(OS),
                "systemReservedBytes",
            ),
            kept(
                "kube-reserved",
                "kube-reserved of the kubelet",
                node.kube_reserved(),
                "kubeReservedBytes",
            ),
        ]),
    }
}

/// T2: the most that limits of pods can come to that may be there at once, and what there is for them.
pub(super) fn interference<'a>(draft: &Draft<'_, 'a>, at: NodeId) -> Sum<'a> {
    let node = &draft.nodes[at];
    let right = match draft.program.nodes[at].overcommit {
        Some(percent) => {
            let formula = format!("allocatableBytes * {} / 100", percent.value);
            let allowed = allowed(draft.program, node, at);
            Addend::formula("allowed", "limits allowed in writing", allowed, formula)
                .from(format!("/nodes/{}/allocatableBytes", at.index()))
        }
        None => {
            let (id, what, key) = Dimension::Memory.of_node();
            of_node(at, id, what, node.allocatable(), key)
        }
    };
    Sum {
        dimension: Dimension::Memory,
        left: most_limits(draft, at),
        right: Some(vec![right]),
    }
}

pub(super) fn most_limits<'a>(draft: &Draft<'_, 'a>, at: NodeId) -> Vec<Addend<'a>> {
    let node = &draft.nodes[at];
    let component = |index: usize, pods: u64| {
        let component = &node.components[index];
        let declared = &draft.program.components[component.component];
        let limit = declared
            .memory
            .and_then(|(_, limit)| limit)
            .or(declared.bound);
        let origin = limit
            .map(|limit| limit.origin)
            .or(component_origin(declared));
        of_component(draft, (at, index), (pods, component.limit), origin)
    };
    match &node.limits {
        Most::All(_) => {
            let mut addends: Vec<Addend<'a>> = (0..node.components.len())
                .map(|index| component(index, node.components[index].pods))
                .collect();
            let services = draft.workloads.iter();
            let services = services.map(|w| w.pod_limit().saturating_mul(w.on(at, w.pods)));
            let services = services.fold(0, u64::saturating_add);
            addends.push(of_services(
                services,
                "sum of limitBytes * podsWithEnding that may be here",
            ));
            addends
        }
        Most::Admitted(bytes) => vec![
            Addend::formula(
                "admitted",
                "every request is its limit: what is let in",
                *bytes,
                "no more than allocatableBytes",
            )
            .from(format!("/nodes/{}/allocatableBytes", at.index())),
        ],
        Most::Set(_, pods) => {
            let (of_components, of_workloads) = pods.split_at(node.components.len());
            let mut addends: Vec<Addend<'a>> = of_components
                .iter()
                .enumerate()
                .map(|(index, pods)| component(index, *pods))
                .collect();
            let workloads = draft
                .program
                .services
                .iter()
                .zip(&draft.workloads)
                .zip(of_workloads);
            let mut others = 0_u64;
            for ((service, workload), pods) in workloads {
                if workload.gap() > 0 && *pods > 0 {
                    let name = service.name.value;
                    let id = format!("service.{name}");
                    addends.push(
                        Addend::product(id, name, (*pods, "pods"), workload.pod_limit(), None)
                            .from("/services"),
                    );
                } else {
                    others = others.saturating_add(workload.pod_limit().saturating_mul(*pods));
                }
            }
            addends.push(of_services(
                others,
                "limits of the others that fill what is left of allocatableBytes",
            ));
            addends
        }
        Most::Bound(bytes) => vec![
            Addend::formula(
                "bound",
                "more than any set of pods that is let in can take",
                *bytes,
                "allocatableBytes and all that pods may take beyond their requests",
            )
            .from(format!("/nodes/{}/allocatableBytes", at.index())),
        ],
    }
}

/// What one of all nodes has. Its name tells it apart from the addends of the others.
fn of_one_node<'a>(
    draft: &Draft<'_, 'a>,
    at: NodeId,
    dimension: Dimension,
    amount: u64,
) -> Addend<'a> {
    let (id, what, key) = dimension.of_node();
    let id = match draft.on_several_nodes() {
        true => format!("{id}.{}", draft.program.nodes[at].name.value),
        false => id.to_owned(),
    };
    of_node(at, id, what, amount, key)
}

/// T4: what is asked for at the peak of a rollout, and what nodes have, in every dimension.
pub(super) fn liveness<'a>(plan: &Plan<'_, 'a>) -> Vec<Sum<'a>> {
    Dimension::ALL
        .map(|dimension| asked(plan, dimension))
        .into()
}

fn asked<'a>(plan: &Plan<'_, 'a>, dimension: Dimension) -> Sum<'a> {
    let mut left = components_on_all(plan, dimension);
    let services = plan.together.asked[dimension] - packaged_asks(&plan.nodes)[dimension];
    left.push(of_services(services, dimension.of_services()));
    let has = |(at, node): (NodeId, &Node<'_>)| {
        let amount = Capacity::of_node(node, plan.nodes[at].allocatable())[dimension]?;
        Some(of_one_node(plan, at, dimension, amount))
    };
    Sum {
        dimension,
        left,
        right: numbered(&plan.program.nodes).map(has).collect(),
    }
}

/// What components ask for on all nodes: those that move once, those of every node as often.
fn components_on_all<'a>(plan: &Plan<'_, 'a>, dimension: Dimension) -> Vec<Addend<'a>> {
    let Some((at, node)) = numbered(&plan.nodes).find(|(_, node)| !node.components.is_empty())
    else {
        return Vec::new();
    };
    let of = |(index, component): (usize, &ComponentPlan)| {
        let there = plan
            .nodes
            .iter()
            .filter_map(|node| node.components.get(index));
        let pods = match component.every_node {
            true => there.map(ComponentPlan::peak).fold(0, u64::saturating_add),
            false => component.peak(),
        };
        let declared = &plan.program.components[component.component];
        let origin = asked_origin(declared, dimension);
        of_component(plan, (at, index), (pods, component.pod[dimension]), origin)
    };
    node.components.iter().enumerate().map(of).collect()
}

/// T5: all that is asked for, and what is left without the largest node.
pub(super) fn survival<'a>(plan: &Plan<'_, 'a>) -> Sum<'a> {
    let largest = ids(&plan.nodes).max_by_key(|at| (plan.nodes[*at].allocatable(), Reverse(*at)));
    let left = ids(&plan.nodes).filter(|at| Some(*at) != largest);
    let right =
        left.map(|at| of_one_node(plan, at, Dimension::Memory, plan.nodes[at].allocatable()));
    let memory = asked(plan, Dimension::Memory);
    Sum {
        dimension: Dimension::Memory,
        left: memory.left,
        right: Some(right.collect()),
    }
}

/// The pods of packaged and of declared components on one node or on all, as errors list them.
pub(super) fn component_addends<'a>(
    draft: &Draft<'_, 'a>,
    components: &[ComponentPlan],
    dimension: Dimension,
) -> Vec<Addend<'a>> {
    let of = |component: &ComponentPlan| {
        let declared = &draft.program.components[component.component];
        let origin = asked_origin(declared, dimension);
        let what = format!("`{}`, {}", declared.name, declared.whose());
        let id = format!("component.{}", declared.name);
        Addend::product(
            id,
            what,
            (component.peak(), "pods"),
            component.pod[dimension],
            origin,
        )
    };
    components
        .iter()
        .map(of)
        .filter(|addend| addend.amount > 0)
        .collect()
}
