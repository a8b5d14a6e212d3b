//! How many more services like those that there are could be declared, and what is missing for one more.

use crate::base::id::numbered;
use crate::program::{ServiceId, TierId};
use std::collections::BTreeMap;

use super::cluster::{most_that_fit, room_for};
use super::model::SECRET_BYTES;
use super::model::{Plan, Workload};
use super::reserve::price_of_pods;
use super::resources::{Capacity, Dimension, Resources};

/// How many more services like one of a tier could be declared, and which budget stops there, if one does.
#[derive(Debug)]
pub(crate) struct Room<'a> {
    /// The tier.
    pub tier: &'a str,
    /// The service the others would be like: the largest of its tier.
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
            tier: program.tiers[tier].name.value,
            like: like.name.value,
            more,
            short: if more == 0 { short } else { 0 },
            budget: stops,
        });
    }
    rooms
}

/// The service of each tier that takes most, by tier.
fn largest_of_tiers(plan: &Plan<'_, '_>) -> BTreeMap<TierId, ServiceId> {
    let requested = |workload: &Workload<'_>| workload.charge(true) * workload.peak();
    let mut largest: BTreeMap<TierId, ServiceId> = BTreeMap::new();
    for (at, service) in numbered(&plan.program.services) {
        let workload = &plan.workloads[at];
        let Some(tier) = service.tier.filter(|_| workload.peak() > 0) else {
            continue;
        };
        let best = largest.entry(tier).or_insert(at);
        if requested(workload) > requested(&plan.workloads[*best]) {
            *best = at;
        }
    }
    largest
}

/// How many more services like one fit on the node of a program that has one, and by how many bytes that is too little
/// for one.
fn on_one(plan: &Plan<'_, '_>, like: ServiceId) -> (u64, u64) {
    let (node, planned) = (&plan.program.nodes[0], &plan.nodes[0]);
    let (service, workload) = (&plan.program.services[like], &plan.workloads[like]);
    let pods = workload.pods;
    let lowest = plan
        .workloads
        .iter()
        .map(|workload| workload.charge(true) * workload.peak());
    let taken = planned.packaged()[Dimension::Memory] + lowest.sum::<u64>();
    let left = planned.allocatable().saturating_sub(taken);
    // Limits at rest have to fit as well, wherever they are above requests.
    let left_of_limits = planned.allocatable().saturating_sub(planned.at_rest);
    let price = |more: u64| {
        let mounts = service.secret_mounts() * SECRET_BYTES * pods * more;
        price_of_pods(node, planned.shim_pods(), pods * more) + mounts
    };
    let needs = |more: u64| {
        let requests = workload.charge(true) * workload.peak() * more + price(more);
        let limits = workload.pod_limit() * workload.replicas * more + price(more);
        let over = limits.saturating_sub(left_of_limits);
        let bursts = workload.gap() > 0;
        requests
            .saturating_sub(left)
            .max(if bursts { over } else { 0 })
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
