//! Which sums bound the memory of services, and a number out of every range under all of them: from nodes, budgets and
//! the moments of a rollout come ceilings and claims for `fill.rs`.

use std::collections::{BTreeMap, BTreeSet};

use super::fill::{Claim, Fill, Level, fill};
use super::model::{Choice, NodePlan, Wave, Workload};
use super::{Ceiling, Excess, limits};
use crate::base::quantity::{Bytes, MIB};
use crate::program::{FillPolicy, Program};

/// A moment at which rollouts that may happen at once have all started their new pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// No wave is rolled out.
    Calm,
    /// This wave is.
    Of(u64),
    /// The service of this index is, which lets no other be.
    Alone(usize),
}

impl Moment {
    /// Pods of a service that must find room then.
    pub fn pods(self, index: usize, workload: &Workload<'_>) -> u64 {
        let surges = match workload.wave {
            Wave::Every => true,
            Wave::Of(wave) => self == Moment::Of(wave),
            Wave::Alone => self == Moment::Alone(index),
        };
        if surges {
            workload.peak()
        } else {
            workload.replicas
        }
    }
}

/// The moments that can be the worst. Of services that roll alone and are alike, the first is enough.
pub(super) fn moments(program: &Program<'_>, workloads: &[Workload<'_>]) -> Vec<Moment> {
    let mut moments = Vec::new();
    let mut waves = BTreeSet::new();
    let mut alike = BTreeSet::new();
    for (index, workload) in workloads
        .iter()
        .enumerate()
        .filter(|(_, workload)| workload.surge > 0)
    {
        match workload.wave {
            Wave::Every => {}
            Wave::Of(wave) => {
                waves.insert(wave);
            }
            Wave::Alone if alike.insert(likeness(program, index, workload)) => {
                moments.push(Moment::Alone(index))
            }
            Wave::Alone => {}
        }
    }
    moments.extend(waves.into_iter().map(Moment::Of));
    if moments.is_empty() {
        moments.push(Moment::Calm);
    }
    moments
}

/// What services that roll alone have in common where the moment of one stands for those of the others: what a pod may
/// count for, with what stands beside its main container; how many there are; weight and budgets; where they may be.
type Likeness = (
    [u64; 6],
    [u64; 2],
    (Option<u64>, bool),
    Vec<bool>,
    (Option<Vec<u16>>, bool),
);

fn likeness(program: &Program<'_>, index: usize, workload: &Workload<'_>) -> Likeness {
    let budgets = program
        .budgets
        .iter()
        .map(|budget| budget.is_over(index))
        .collect();
    let service = &program.services[index];
    let share = (
        service.weight.map(|weight| weight.value),
        service.shrinks_first,
    );
    let (least, request, limit) = (
        workload.pod_least(),
        workload.pod_request(),
        workload.pod_limit(),
    );
    let pod = [
        least,
        request,
        limit,
        workload.cpu,
        workload.sidecars,
        workload.init_peak,
    ];
    let place = (workload.nodes.clone(), workload.one_a_node);
    (
        pod,
        [workload.replicas, workload.surge],
        share,
        budgets,
        place,
    )
}

/// Which services roll alone, and what each stands for.
fn alone(program: &Program<'_>, workloads: &[Workload<'_>]) -> Vec<(usize, Likeness)> {
    let all = workloads.iter().enumerate();
    let alone = all.filter(|(_, workload)| workload.surge > 0 && workload.wave == Wave::Alone);
    alone
        .map(|(index, workload)| (index, likeness(program, index, workload)))
        .collect()
}

/// Of services that were alike, only the first was charged for its rollout. Another may have got a last step for which
/// its own rollout has no room: it gets no more than the first, and what it gives back is dealt again.
fn level_alike(
    program: &Program<'_>,
    (rooms, claims, ranged): (&[Room], &[Claim], &[usize]),
    alone: &[(usize, Likeness)],
    highest: &[Bytes],
    workloads: &mut [Workload<'_>],
) {
    let mut firsts: BTreeMap<&Likeness, usize> = BTreeMap::new();
    let mut first_of: BTreeMap<usize, usize> = BTreeMap::new();
    let mut lowered = false;
    for (index, likeness) in alone {
        let like = *firsts.entry(likeness).or_insert(*index);
        first_of.insert(*index, like);
        let size = workloads[like].pod_limit();
        if workloads[*index].choice != Choice::Burst && workloads[*index].pod_limit() > size {
            workloads[*index].give_anew(size, highest[*index]);
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
                workloads[index].give_anew(next, highest[index]);
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

/// Chooses a number out of every range, with `held` to the nodes: each for itself, or all together for so many bytes.
/// The common level, or all that is over even at the low ends.
pub(super) fn choose(
    program: &Program<'_>,
    nodes: &[NodePlan<'_>],
    together: Option<i128>,
    workloads: &mut [Workload<'_>],
) -> Result<Option<(u64, u64)>, Vec<Excess>> {
    let mut rooms: Vec<Room> = Vec::new();
    for moment in moments(program, workloads) {
        let mut add = |ceiling, left| {
            rooms.push(Room {
                ceiling,
                moment,
                left,
            })
        };
        match together {
            Some(room) => add(Ceiling::Together, room),
            None => {
                for (index, node) in nodes.iter().enumerate() {
                    let left = i128::from(node.allocatable) - i128::from(node.shortfall);
                    add(Ceiling::Node(index), left - i128::from(node.packaged()));
                    if let Some(room) = overcommit_room(program, node, index, workloads) {
                        add(Ceiling::Overcommit(index), room);
                    }
                }
            }
        }
        for (index, budget) in program.budgets.iter().enumerate() {
            add(Ceiling::Budget(index), i128::from(budget.ceiling.value.n));
        }
    }
    let alone = alone(program, workloads);
    let highest: Vec<Bytes> = workloads.iter().map(|workload| workload.limit).collect();
    let mut claims: Vec<Claim> = Vec::with_capacity(workloads.len());
    let mut ranged: Vec<usize> = Vec::with_capacity(workloads.len());
    for (index, workload) in workloads.iter().enumerate() {
        let copies = |room: &Room| {
            let pods = room.moment.pods(index, workload);
            match room.ceiling {
                Ceiling::Together => pods,
                Ceiling::Node(node) | Ceiling::Overcommit(node) => workload.on(node, pods),
                Ceiling::Budget(budget) if program.budgets[budget].is_over(index) => pods,
                Ceiling::Budget(_) => 0,
            }
        };
        if workload.choice == Choice::Burst {
            // Nothing to choose: a node is charged the request (the rest is held back), a budget the limit.
            for room in &mut rooms {
                let each = match room.ceiling {
                    Ceiling::Node(_) | Ceiling::Together => workload.pod_request(),
                    Ceiling::Budget(_) => workload.pod_limit(),
                    Ceiling::Overcommit(_) => continue,
                };
                room.left -= i128::from(each) * i128::from(copies(room));
            }
            continue;
        }
        let counted = (0_u16..).zip(&rooms).map(|(at, room)| (at, copies(room)));
        claims.push(Claim {
            lo: workload.pod_least(),
            hi: workload.pod_limit(),
            weight: share(program, index, workload),
            under: counted.filter(|(_, copies)| *copies > 0).collect(),
        });
        ranged.push(index);
    }
    // A room below zero is over by itself; the claims must then be over by that much more.
    let clamp = |n: i128| u64::try_from(n.max(0)).unwrap_or(u64::MAX);
    let positive: Vec<u64> = rooms.iter().map(|room| clamp(room.left)).collect();
    let kept = if alone.is_empty() {
        Vec::new()
    } else {
        claims.clone()
    };
    let filled = in_turns(program, &ranged, claims, &positive);
    let mut deficits: Vec<u64> = rooms.iter().map(|room| clamp(-room.left)).collect();
    if let Fill::Over(over) = &filled {
        over.iter().for_each(|excess| {
            deficits[excess.ceiling] = deficits[excess.ceiling].saturating_add(excess.deficit)
        });
    }
    // Of several moments the worst is told.
    let mut over: Vec<Excess> = Vec::new();
    for (room, deficit) in rooms
        .iter()
        .zip(deficits)
        .filter(|(_, deficit)| *deficit > 0)
    {
        match over
            .iter_mut()
            .find(|excess| excess.ceiling == room.ceiling)
        {
            Some(excess) => excess.deficit = excess.deficit.max(deficit),
            None => over.push(Excess {
                ceiling: room.ceiling,
                deficit,
            }),
        }
    }
    match filled {
        Fill::Fits { sizes, .. } if over.is_empty() => {
            ranged
                .iter()
                .zip(sizes)
                .for_each(|(index, size)| workloads[*index].give(size));
            level_alike(
                program,
                (&rooms, &kept, &ranged),
                &alone,
                &highest,
                workloads,
            );
            Ok(level(program, workloads))
        }
        Fill::Fits { .. } | Fill::Over(_) => Err(over),
    }
}

/// Fills all but those that shrink first, and then these with what is left.
fn in_turns(
    program: &Program<'_>,
    ranged: &[usize],
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

/// The size of a service's pod that counts as level one.
fn share(program: &Program<'_>, index: usize, workload: &Workload<'_>) -> u64 {
    let weight = program.services[index]
        .weight
        .map_or(1, |weight| weight.value);
    match program.fill {
        FillPolicy::Proportional => workload.pod_least().saturating_mul(weight),
        FillPolicy::Equal => weight,
    }
}

/// The lowest level of the ranges that have not their upper end, reduced.
pub(super) fn level(program: &Program<'_>, workloads: &[Workload<'_>]) -> Option<(u64, u64)> {
    let stopped = workloads
        .iter()
        .enumerate()
        .filter(|(_, workload)| workload.choice == Choice::Level);
    let levels = stopped.map(|(index, workload)| {
        Level(workload.pod_limit(), share(program, index, workload).max(1))
    });
    levels.min().map(Level::reduced)
}

/// What `overcommit` leaves for the limits of services that have one number, once all that bursts is counted.
fn overcommit_room(
    program: &Program<'_>,
    node: &NodePlan<'_>,
    index: usize,
    workloads: &[Workload<'_>],
) -> Option<i128> {
    let overcommit = program.nodes[index].overcommit?;
    let allowed = i128::from(node.allocatable) * i128::from(overcommit.value) / 100;
    let packaged: i128 = node.components.iter().map(|c| i128::from(c.limits())).sum();
    let bursting = workloads
        .iter()
        .filter(|workload| workload.choice == Choice::Burst);
    Some(
        allowed
            - packaged
            - bursting
                .map(|workload| limits(workload, index))
                .sum::<i128>(),
    )
}
