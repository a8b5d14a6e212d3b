//! Which sums bound the memory of services, and a number out of every range under all of them: from nodes, budgets and
//! the moments of a rollout come ceilings and claims for `fill.rs`.

use std::collections::BTreeMap;

use super::excess::{Ceiling, Excess};
use super::fill::{Claim, Fill, Level, fill};
use super::model::{Choice, ComponentPlan, Moment, NodePlan, Wave, Workload};
use super::moments::{Likeness, likeness, moments};
use super::resources::Dimension;
use super::sums::{allowed, at_rest, component_at_rest, has_gaps, within_overcommit};
use crate::base::id::{Id, ids, numbered};
use crate::base::quantity::{Bytes, MIB};
use crate::program::{FillPolicy, Program, ServiceId};

/// Which services roll alone, and what each stands for.
fn alone(program: &Program<'_>, workloads: &[Workload<'_>]) -> Vec<(ServiceId, Likeness)> {
    let all = numbered(workloads);
    let alone = all.filter(|(_, workload)| workload.surge > 0 && workload.wave == Wave::Alone);
    alone
        .map(|(index, workload)| (index, likeness(program, index, workload)))
        .collect()
}

/// Of services that were alike, only the first was charged for its rollout. Another may have got a last step for which
/// its own rollout has no room: it gets no more than the first, and what it gives back is dealt again.
fn level_alike(
    program: &Program<'_>,
    (rooms, claims, ranged): (&[Room], &[Claim], &[ServiceId]),
    alone: &[(ServiceId, Likeness)],
    highest: &[Bytes],
    workloads: &mut [Workload<'_>],
) {
    let mut firsts: BTreeMap<&Likeness, ServiceId> = BTreeMap::new();
    let mut first_of: BTreeMap<ServiceId, ServiceId> = BTreeMap::new();
    let mut lowered = false;
    for (index, likeness) in alone {
        let like = *firsts.entry(likeness).or_insert(*index);
        first_of.insert(*index, like);
        let size = workloads[like].pod_limit();
        if workloads[*index].choice != Choice::Burst && workloads[*index].pod_limit() > size {
            workloads[*index].give_anew(size, highest[index.index()]);
            lowered = true;
        }
    }
    if !lowered {
        return;
    }
    let mut left: Vec<i128> = rooms.iter().map(|room| room.left).collect();
    for (claim, index) in claims.iter().zip(ranged) {
        let size = i128::from(workloads[*index].pod_limit());
        claim
            .under
            .iter()
            .for_each(|(room, copies)| left[usize::from(*room)] -= size * i128::from(*copies));
    }
    let mut deal = |last: bool| {
        let mut dealt = false;
        for (claim, &index) in claims.iter().zip(ranged) {
            let size = workloads[index].pod_limit();
            let next = claim.hi.min((size / MIB + 1) * MIB);
            let first = first_of.get(&index).filter(|first| **first != index);
            let behind = first.is_some_and(|first| workloads[*first].pod_limit() < next);
            if next <= size || behind || program.services[index].shrinks_first != last {
                continue;
            }
            let cost = |copies: u64| i128::from(next - size) * i128::from(copies);
            if claim
                .under
                .iter()
                .all(|(room, copies)| cost(*copies) <= left[usize::from(*room)])
            {
                claim
                    .under
                    .iter()
                    .for_each(|(room, copies)| left[usize::from(*room)] -= cost(*copies));
                workloads[index].give_anew(next, highest[index.index()]);
                dealt = true;
            }
        }
        dealt
    };
    while deal(false) {}
    while deal(true) {}
}

/// A sum that may not be exceeded at some moment.
struct Room {
    ceiling: Ceiling,
    moment: Moment,
    left: i128,
}

/// What holds the sum of all sizes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bounds {
    /// Every node for itself: pods are where they may be, and limits of pods that may take more than they request are
    /// within what there is, as far as this says.
    Nodes(Limits),
    /// All nodes together have this number of bytes, and each has room for its DaemonSets.
    Together(i128),
}

/// Which limits are held to what there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limits {
    /// Those of all pods that may be there at once: then nothing can go wrong.
    AllAtOnce,
    /// Those of what is there while nothing is rolled out, and what is assumed of pods that nothing limits.
    AtRest,
    /// Of those, the ones that are written down.
    Written,
}

/// Chooses a number out of every range as [`choose`] does, with limits held as closely as they can be: first all that
/// may be there at once, else what is there at rest. Where the program allows limits above what there is, they are
/// within that.
pub(super) fn choose_on_nodes(
    program: &Program<'_>,
    nodes: &[NodePlan<'_>],
    workloads: &mut [Workload<'_>],
) -> Result<Option<(u64, u64)>, Vec<Excess>> {
    let gaps = numbered(nodes).any(|(at, node)| has_gaps(node, at, workloads));
    if gaps {
        for limits in [Limits::AllAtOnce, Limits::AtRest, Limits::Written] {
            let mut tried = workloads.to_vec();
            let chosen = choose(program, nodes, Bounds::Nodes(limits), &mut tried);
            let allowed = |at| within_overcommit(program, nodes, &tried, at);
            if chosen.is_ok() && ids(nodes).all(allowed) {
                workloads.clone_from_slice(&tried);
                return chosen;
            }
        }
    }
    choose(program, nodes, Bounds::Nodes(Limits::Written), workloads)
}

/// What a component takes of the room for limits.
fn component_limits(component: &ComponentPlan, limits: Limits, nodes: &[NodePlan<'_>]) -> u64 {
    let (pods, each) = match limits {
        Limits::AllAtOnce => (component.pods, component.limit),
        Limits::AtRest => (component_at_rest(component, nodes), component.limit),
        Limits::Written if component.unbounded => {
            let request = component.pod[Dimension::Memory];
            (component_at_rest(component, nodes), request)
        }
        Limits::Written => (component_at_rest(component, nodes), component.limit),
    };
    each.saturating_mul(pods)
}

/// All sums that bound sizes, at every moment that can be the worst.
fn rooms(
    program: &Program<'_>,
    nodes: &[NodePlan<'_>],
    bounds: Bounds,
    workloads: &[Workload<'_>],
) -> Vec<Room> {
    let mut rooms: Vec<Room> = Vec::new();
    for (number, moment) in moments(program, workloads).into_iter().enumerate() {
        let mut add = |ceiling, left| {
            rooms.push(Room {
                ceiling,
                moment,
                left,
            })
        };
        match bounds {
            Bounds::Together(room) => {
                add(Ceiling::Together, room);
                // A moment of a rollout changes nothing of what every node has.
                for (index, node) in numbered(nodes).filter(|_| number == 0) {
                    let every = node
                        .components
                        .iter()
                        .filter(|component| component.every_node);
                    let every: u64 = every.map(|c| c.asked()[Dimension::Memory]).sum();
                    add(Ceiling::Node(index), node.room - i128::from(every));
                }
            }
            Bounds::Nodes(limits) => {
                for (index, node) in numbered(nodes) {
                    let packaged = node.packaged()[Dimension::Memory];
                    add(Ceiling::Node(index), node.room - i128::from(packaged));
                    if number == 0 && has_gaps(node, index, workloads) {
                        let components = node.components.iter();
                        let components = components.map(|c| component_limits(c, limits, nodes));
                        let left = i128::from(allowed(program, node, index));
                        add(
                            Ceiling::Limits(index),
                            left - components.map(i128::from).sum::<i128>(),
                        );
                    }
                }
            }
        }
        for (index, budget) in numbered(&program.budgets) {
            add(Ceiling::Budget(index), i128::from(budget.ceiling.value.n));
        }
    }
    rooms
}

/// Chooses a number out of every range within what `bounds` it: the common level, or all that is over even at the low
/// ends.
pub(super) fn choose(
    program: &Program<'_>,
    nodes: &[NodePlan<'_>],
    bounds: Bounds,
    workloads: &mut [Workload<'_>],
) -> Result<Option<(u64, u64)>, Vec<Excess>> {
    let mut rooms = rooms(program, nodes, bounds, workloads);
    let alone = alone(program, workloads);
    let highest: Vec<Bytes> = workloads.iter().map(|workload| workload.limit).collect();
    let copies = |room: &Room, id: ServiceId, workload: &Workload<'_>| {
        copies(program, (room, bounds), (id, workload), nodes.len())
    };
    let mut claims: Vec<Claim> = Vec::with_capacity(workloads.len());
    let mut ranged: Vec<ServiceId> = Vec::with_capacity(workloads.len());
    for (id, workload) in numbered(workloads) {
        if workload.choice == Choice::Burst {
            // Nothing to choose: the scheduler counts the request, everything else the limit.
            for room in &mut rooms {
                let each = match room.ceiling {
                    Ceiling::Node(_) | Ceiling::Together => workload.pod_request(),
                    Ceiling::Budget(_) | Ceiling::Limits(_) => workload.pod_limit(),
                };
                room.left -= i128::from(each) * i128::from(copies(room, id, workload));
            }
            continue;
        }
        let counted = rooms.iter().map(|room| copies(room, id, workload));
        claims.push(Claim {
            lo: workload.pod_least(),
            hi: workload.pod_limit(),
            weight: share(program, id, workload),
            under: (0_u16..).zip(counted).filter(|(_, n)| *n > 0).collect(),
        });
        ranged.push(id);
    }
    // A room below zero is over by itself; the claims must then be over by that much more.
    let positive: Vec<u64> = rooms.iter().map(|room| clamped(room.left)).collect();
    // They are needed again only to level services that are alike.
    let kept = match alone.is_empty() {
        true => Vec::new(),
        false => claims.clone(),
    };
    match in_turns(program, &ranged, claims, &positive) {
        Fill::Fits { sizes, .. } if rooms.iter().all(|room| room.left >= 0) => {
            for (id, size) in ranged.iter().zip(sizes) {
                workloads[*id].give(size);
            }
            let dealt = (&*rooms, &*kept, &*ranged);
            level_alike(program, dealt, &alone, &highest, workloads);
            Ok(level(program, workloads))
        }
        filled @ (Fill::Fits { .. } | Fill::Over(_)) => Err(over(&rooms, &filled)),
    }
}

/// How many pods of a service count in a room.
fn copies(
    program: &Program<'_>,
    (room, bounds): (&Room, Bounds),
    (id, workload): (ServiceId, &Workload<'_>),
    nodes: usize,
) -> u64 {
    let pods = room.moment.pods(id, workload);
    match (room.ceiling, bounds) {
        (Ceiling::Together, _) => pods,
        // A DaemonSet has one pod on each node that takes it, and each has to have room for it.
        (Ceiling::Node(node), Bounds::Together(_)) if workload.is_fixed() => {
            workload.on(node, workload.on_each)
        }
        (Ceiling::Node(_), Bounds::Together(_)) => 0,
        (Ceiling::Node(node), Bounds::Nodes(_)) => workload.on(node, pods),
        (Ceiling::Limits(node), Bounds::Nodes(Limits::AllAtOnce)) => {
            workload.on(node, workload.pods)
        }
        (Ceiling::Limits(node), _) => at_rest(workload, node, nodes),
        (Ceiling::Budget(budget), _) if program.budgets[budget].is_over(id) => pods,
        (Ceiling::Budget(_), _) => 0,
    }
}

/// What is left of a room; nothing where it is over.
fn clamped(left: i128) -> u64 {
    u64::try_from(left.max(0)).unwrap_or(u64::MAX)
}

/// What is over by how much: by itself, and by what the claims have too much. Of several moments the worst counts.
fn over(rooms: &[Room], filled: &Fill) -> Vec<Excess> {
    let mut deficits: Vec<u64> = rooms.iter().map(|room| clamped(-room.left)).collect();
    if let Fill::Over(claims) = filled {
        for excess in claims {
            let deficit = &mut deficits[excess.ceiling];
            *deficit = deficit.saturating_add(excess.deficit);
        }
    }
    let mut over: Vec<Excess> = Vec::new();
    for (room, deficit) in rooms.iter().zip(deficits) {
        if deficit == 0 {
            continue;
        }
        match over.iter_mut().find(|one| one.ceiling == room.ceiling) {
            Some(excess) => excess.deficit = excess.deficit.max(deficit),
            None => over.push(Excess {
                ceiling: room.ceiling,
                deficit,
            }),
        }
    }
    over
}

/// Fills all but those that shrink first, and then these with what is left.
fn in_turns(
    program: &Program<'_>,
    ranged: &[ServiceId],
    mut claims: Vec<Claim>,
    rooms: &[u64],
) -> Fill {
    let last: Vec<bool> = ranged
        .iter()
        .map(|index| program.services[*index].shrinks_first)
        .collect();
    if !last.contains(&true) {
        return fill(&claims, rooms);
    }
    let most: Vec<u64> = claims.iter().map(|claim| claim.hi).collect();
    claims
        .iter_mut()
        .zip(&last)
        .filter(|(_, last)| **last)
        .for_each(|(claim, _)| claim.hi = claim.lo);
    let Fill::Fits { sizes, .. } = fill(&claims, rooms) else {
        return fill(&claims, rooms);
    };
    for (((claim, size), last), most) in claims.iter_mut().zip(sizes).zip(&last).zip(most) {
        (claim.lo, claim.hi) = if *last {
            (claim.lo, most)
        } else {
            (size, size)
        };
    }
    fill(&claims, rooms)
}

/// The size of a service's pod that counts as level one: what it was seen to need, or else its least.
fn share(program: &Program<'_>, index: ServiceId, workload: &Workload<'_>) -> u64 {
    let weight = program.services[index]
        .weight
        .as_ref()
        .map_or(1, |weight| weight.value);
    match program.fill {
        FillPolicy::Proportional => {
            let one = workload.measured().unwrap_or(workload.pod_least());
            one.saturating_mul(weight)
        }
        FillPolicy::Equal => weight,
    }
}

/// The lowest level of the ranges that have not their upper end, reduced.
pub(super) fn level(program: &Program<'_>, workloads: &[Workload<'_>]) -> Option<(u64, u64)> {
    let stopped = numbered(workloads).filter(|(_, workload)| workload.choice == Choice::Level);
    let levels = stopped.map(|(index, workload)| {
        Level(workload.pod_limit(), share(program, index, workload).max(1))
    });
    levels.min().map(Level::reduced)
}
