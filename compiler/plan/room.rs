//! How many more services like those that there are could be declared, and what is missing for one more.

use crate::base::id::{Id, numbered};
use crate::base::quantity::MIB;
use crate::program::{NodeId, ServiceId, TierId};
use std::collections::BTreeMap;

use super::cluster::{lowest, most_that_fit, room_for};
use super::model::{LEAST_LIMIT, Plan, SECRET_BYTES, Workload};
use super::reserve::price_of_pods;
use super::resources::{Capacity, Dimension, Resources};
use super::sums::{asked_on, budgets, limits_at_rest};

/// How many more services like one could be declared, and which budget stops there, if one does.
#[derive(Debug)]
pub(crate) struct Room<'a> {
    /// The tier of that service, if it has one.
    pub tier: Option<&'a str>,
    /// The service the others would be like: the largest of its tier, or of those without one.
    pub like: &'a str,
    /// How many more.
    pub more: u64,
    /// Where that is none, the bytes that one more lacks; 0 where it lacks something else, or that is not known.
    pub short: u64,
    /// The budget that is full then; the node otherwise.
    pub budget: Option<&'a str>,
}

/// Counted at the low ends of all ranges: what the compiler would choose then.
pub(crate) fn headroom<'a>(plan: &Plan<'_, 'a>) -> Vec<Room<'a>> {
    let program = plan.program;
    // Where limits may exceed what there is, how many more there could be is not a matter of one sum.
    if program.nodes.iter().any(|node| node.overcommit.is_some()) {
        return Vec::new();
    }
    let limited = |workload: &Workload<'_>| workload.charge(false) * workload.peak();
    let budgets: Vec<u64> = program
        .budgets
        .iter()
        .map(|budget| match &budget.members {
            None => plan.workloads.iter().map(limited).sum(),
            Some(members) => {
                let members = members.iter();
                members
                    .map(|member| limited(&plan.workloads[*member]))
                    .sum()
            }
        })
        .collect();
    let mut rooms = Vec::new();
    for (tier, at) in largest_of_tiers(plan) {
        let (like, workload) = (&program.services[at], &plan.workloads[at]);
        let more = match program.nodes.as_slice() {
            [_] => Some(on_one(plan, at)),
            _ => room_for(plan, at).map(|more| (more, 0)),
        };
        let Some((mut more, mut short)) = more else {
            continue;
        };
        let mut stops = None;
        for ((budget, planned), used) in program.budgets.iter().zip(&plan.budgets).zip(&budgets) {
            if !budget.is_over(at) {
                continue;
            }
            let left = planned.ceiling.saturating_sub(*used);
            let each = limited(workload);
            let fits = left / each.max(1);
            if fits < more || (fits == 0 && each - left > short) {
                (more, stops, short) = (fits, Some(budget.name.value), each.saturating_sub(left));
            }
        }
        rooms.push(Room {
            tier: tier.map(|tier| program.tiers[tier].name.value),
            like: like.name.value,
            more,
            short: if more == 0 { short } else { 0 },
            budget: stops,
        });
    }
    rooms
}

/// The service of each tier that takes most, and that of those without a tier.
fn largest_of_tiers(plan: &Plan<'_, '_>) -> BTreeMap<Option<TierId>, ServiceId> {
    let requested = |workload: &Workload<'_>| workload.charge(true) * workload.peak();
    let mut largest: BTreeMap<Option<TierId>, ServiceId> = BTreeMap::new();
    for (at, service) in numbered(&plan.program.services) {
        let workload = &plan.workloads[at];
        if workload.peak() == 0 || workload.hook.is_some() {
            continue;
        }
        let best = largest.entry(service.tier).or_insert(at);
        if requested(workload) > requested(&plan.workloads[*best]) {
            *best = at;
        }
    }
    largest
}

/// What the limits of pods at rest leave of the only node, which they must not exceed: at the low ends of all ranges.
fn left_of_limits(plan: &Plan<'_, '_>) -> u64 {
    let low = lowest(&plan.workloads);
    let at_rest = limits_at_rest(&plan.nodes, NodeId::new(0), &low);
    plan.nodes[0].allocatable().saturating_sub(at_rest)
}

/// What more pods cost the only node: it has shims of no more than it takes.
fn price(plan: &Plan<'_, '_>, pods: u64) -> u64 {
    let (node, shims) = (&plan.program.nodes[0], plan.nodes[0].shim_pods());
    let more = node.max_pods.value.saturating_sub(shims);
    price_of_pods(node, shims, pods.min(more))
}

/// Whether the only node takes one pod more.
fn takes_a_pod(plan: &Plan<'_, '_>) -> bool {
    let mut has = Capacity::of_node(&plan.program.nodes[0], 0);
    has[Dimension::Memory] = None;
    let mut asked = plan.together.asked;
    asked[Dimension::Pods] = asked[Dimension::Pods].saturating_add(1);
    has.less(asked).is_ok()
}

/// The largest amount of memory, in bytes, with which one more service of one pod fits: where the program has one node,
/// and any amount fits at all.
pub(crate) fn largest_more(plan: &Plan<'_, '_>) -> Option<u64> {
    let ([node], [planned]) = (plan.program.nodes.as_slice(), plan.nodes.as_slice()) else {
        return None;
    };
    if node.overcommit.is_some() || !takes_a_pod(plan) {
        return None;
    }
    let low = lowest(&plan.workloads);
    let asked = asked_on(plan.program, planned, NodeId::new(0), &low);
    let left = planned
        .allocatable()
        .saturating_sub(asked[Dimension::Memory]);
    // While a rollout replaces its only pod, the old one may still be ending.
    let on_node = left
        .min(left_of_limits(plan))
        .saturating_sub(price(plan, 2));
    let budgets = budgets(plan.program, &low);
    let over_all = plan.program.budgets.iter().zip(budgets);
    let over_all = over_all.filter(|(budget, _)| budget.members.is_none());
    let in_budgets = over_all.map(|(_, planned)| planned.ceiling.saturating_sub(planned.used));
    let least = in_budgets.chain([on_node]).min()?;
    let whole = least / MIB * MIB;
    (whole >= LEAST_LIMIT.n).then_some(whole)
}

/// How many more services like one fit on the node of a program that has one, and by how many bytes that is too little
/// for one.
fn on_one(plan: &Plan<'_, '_>, like: ServiceId) -> (u64, u64) {
    let (node, planned) = (&plan.program.nodes[0], &plan.nodes[0]);
    let (service, workload) = (&plan.program.services[like], &plan.workloads[like]);
    let pods = workload.pods;
    let low = lowest(&plan.workloads);
    let asked = asked_on(plan.program, planned, NodeId::new(0), &low);
    let left = planned
        .allocatable()
        .saturating_sub(asked[Dimension::Memory]);
    let left_of_limits = left_of_limits(plan);
    let price = |more: u64| {
        let mounts = service.secret_mounts() * SECRET_BYTES * pods * more;
        price(plan, pods * more) + mounts
    };
    let needs = |more: u64| {
        let requests = workload.charge(true) * workload.peak() * more + price(more);
        let limits = workload.charge(false) * workload.replicas * more + price(more);
        let over = limits.saturating_sub(left_of_limits);
        requests.saturating_sub(left).max(over)
    };
    // Memory is compared by `needs`.
    let mut has = Capacity::of_node(node, planned.allocatable());
    has[Dimension::Memory] = None;
    let fits = |more: u64| {
        let asked: Resources = workload.asked().times(workload.peak()).times(more);
        needs(more) == 0 && has.less(plan.together.asked.plus(asked)).is_ok()
    };
    (most_that_fit(fits), needs(1))
}
