//! One placement, or the proof that there is none, by looking at all that could matter.
//!
//! Node after node, the largest first, takes a *filling*: so many pods of each kind. Two
//! observations keep the fillings few. One that leaves room for an open pod is not needed: with
//! that pod moved here from a later node, any solution stays one. Nor is one of which a pod `a`
//! could be exchanged for an open `b` that is no smaller and may go nowhere that `a` may not: the
//! exchange keeps a solution, and as it only ever brings larger pods, or pickier ones, to the
//! earlier node, it cannot go on for ever.
//!
//! What is left of a node may not exceed what all nodes left have beyond the pods left, and states
//! that failed are remembered. The steps are counted, so that an answer takes bounded time; when
//! they are used up there is none.

use super::super::resources::COUNT;
use super::{Cluster, Kind, Size, add, fits, take, within};
use std::collections::BTreeSet;

/// Fillings that are enumerated before the one that wastes least is tried.
const BATCH: usize = 64;

pub(super) enum Outcome {
    /// Per node the number of pods of each kind.
    Found(Vec<Vec<u64>>),
    Exhausted(u64),
    GivenUp,
}

/// The exact search. A depth is an index into the order of the nodes.
pub(super) struct Search<'a> {
    cluster: &'a Cluster,
    /// `within[a][b]`: whether set `a` is a part of set `b`.
    within: Vec<Vec<bool>>,
    /// Per depth what the nodes from there on have together.
    rest: Vec<Size>,
    /// Per depth and kind: how many pods fit on these nodes, if there are no others.
    alone: Vec<Vec<u64>>,
    /// Per depth and kind: how many pods that are no smaller fit, wherever they may go.
    crowd: Vec<Vec<u64>>,
    /// Depths and open pods from which there is no way on.
    failed: BTreeSet<(usize, Vec<u64>)>,
    steps: u64,
}

/// One node and the pods that are open when its turn comes.
struct Level {
    /// Per kind.
    open: Vec<u64>,
    /// The kinds of which this node can take some; the fields below have an entry for each.
    kinds: Vec<usize>,
    /// Pods that the later nodes could not take.
    least: Vec<u64>,
    /// The volume that the kinds from one on can bring, and at the end none.
    tail: Vec<Size>,
    /// What the nodes from here on have beyond the open pods.
    slack: Size,
    /// The filling that was enumerated last, and what it leaves of the node.
    counts: Vec<u64>,
    left: Size,
    begun: bool,
    /// Fillings to be tried, the best last.
    batch: Vec<Vec<u64>>,
    /// The filling that is being tried.
    chosen: Vec<u64>,
}

impl<'a> Search<'a> {
    pub(super) fn new(cluster: &'a Cluster, steps: u64) -> Self {
        let kinds = &cluster.kinds;
        let mut rest = vec![[0; COUNT]];
        let mut alone = vec![vec![0_u64; kinds.len()]];
        let mut crowd = alone.clone();
        for (later, &node) in cluster.order.iter().rev().enumerate() {
            let room = &cluster.room[node];
            rest.push(add(&rest[later], room, 1));
            let fit = |kind: &Kind| {
                if cluster.sets[kind.set][node] {
                    kind.fit(room)
                } else {
                    0
                }
            };
            alone.push(
                kinds
                    .iter()
                    .zip(&alone[later])
                    .map(|(kind, sum)| sum.saturating_add(fit(kind)))
                    .collect(),
            );
            let fit = |kind: &Kind| {
                let count = room[cluster.tight].checked_div(kind.size[cluster.tight]);
                count
                    .and_then(|count| u64::try_from(count).ok())
                    .unwrap_or(u64::MAX)
            };
            crowd.push(
                kinds
                    .iter()
                    .zip(&crowd[later])
                    .map(|(kind, sum)| sum.saturating_add(fit(kind)))
                    .collect(),
            );
        }
        rest.reverse();
        alone.reverse();
        crowd.reverse();
        let within = cluster
            .sets
            .iter()
            .map(|a| cluster.sets.iter().map(|b| within(a, b)).collect())
            .collect();
        Search {
            cluster,
            within,
            rest,
            alone,
            crowd,
            failed: BTreeSet::new(),
            steps,
        }
    }

    pub(super) fn run(mut self) -> Outcome {
        let open = self.cluster.kinds.iter().map(|kind| kind.count).collect();
        let mut states = 1;
        let mut stack: Vec<Level> = self.level(0, open).into_iter().collect();
        while let Some(mut level) = stack.pop() {
            if level.batch.is_empty() {
                self.refill(&mut level);
            }
            if self.steps == 0 {
                return Outcome::GivenUp;
            }
            let Some(filling) = level.batch.pop() else {
                self.failed.insert((stack.len(), level.open));
                continue;
            };
            let mut open = level.open.clone();
            for (&kind, count) in level.kinds.iter().zip(&filling) {
                open[kind] -= count;
            }
            level.chosen = filling;
            stack.push(level);
            if open.iter().all(|&open| open == 0) {
                return Outcome::Found(self.filled(&stack));
            }
            self.spend(open.len());
            let state = (stack.len(), open);
            if !self.failed.contains(&state)
                && let Some(next) = self.level(state.0, state.1)
            {
                states += 1;
                stack.push(next);
            }
        }
        Outcome::Exhausted(states)
    }

    fn filled(&self, stack: &[Level]) -> Vec<Vec<u64>> {
        let mut filled = vec![vec![0; self.cluster.kinds.len()]; self.cluster.room.len()];
        for (level, &node) in stack.iter().zip(&self.cluster.order) {
            for (&kind, &count) in level.kinds.iter().zip(&level.chosen) {
                filled[node][kind] = count;
            }
        }
        filled
    }

    fn spend(&mut self, steps: usize) {
        self.steps = self.steps.saturating_sub(steps as u64);
    }

    /// None if the pods cannot all go to the nodes that are left.
    fn level(&self, depth: usize, open: Vec<u64>) -> Option<Level> {
        let cluster = self.cluster;
        let mut slack = self.rest[depth];
        let mut sum = 0;
        for (index, (kind, &open)) in cluster.kinds.iter().zip(&open).enumerate() {
            sum += open;
            if open > self.alone[depth][index] || (open > 0 && sum > self.crowd[depth][index]) {
                return None;
            }
            for (slack, size) in slack.iter_mut().zip(&kind.size) {
                *slack = slack.checked_sub(size * u128::from(open))?;
            }
        }
        let node = *cluster.order.get(depth)?;
        let here = |&index: &usize| open[index] > 0 && cluster.sets[cluster.kinds[index].set][node];
        let kinds: Vec<usize> = (0..open.len()).filter(here).collect();
        let least = kinds
            .iter()
            .map(|&index| open[index].saturating_sub(self.alone[depth + 1][index]))
            .collect();
        let mut tail = vec![[0; COUNT]];
        for &index in kinds.iter().rev() {
            let kind = &cluster.kinds[index];
            let after = tail[tail.len() - 1];
            tail.push(add(&after, &kind.size, kind.at_once(open[index], 1)));
        }
        tail.reverse();
        let counts = vec![0; kinds.len()];
        let left = cluster.room[node];
        let (batch, chosen) = (Vec::new(), Vec::new());
        Some(Level {
            open,
            kinds,
            least,
            tail,
            slack,
            counts,
            left,
            begun: false,
            batch,
            chosen,
        })
    }

    /// Enumerates some more fillings.
    fn refill(&mut self, level: &mut Level) {
        let mut batch = Vec::new();
        while batch.len() < BATCH && self.next(level) {
            if self.is_needed(level) {
                let waste = level.left[self.cluster.tight];
                batch.push((waste, level.counts.clone()));
                if waste == 0 {
                    break;
                }
            }
        }
        batch.sort_by_key(|(waste, _)| *waste); // stable: of equal ones, large pods first
        level.batch = batch.into_iter().rev().map(|(_, counts)| counts).collect();
    }

    /// Goes on to the next filling in falling lexicographic order; false after the last.
    fn next(&mut self, level: &mut Level) -> bool {
        let end = level.kinds.len();
        let mut at = if level.begun { end } else { 0 };
        let mut back = level.begun;
        level.begun = true;
        while self.steps > 0 {
            self.spend(1);
            if back {
                let Some(before) = at.checked_sub(1) else {
                    return false;
                };
                at = before;
                back = !level.one_less(at, self.kind(level, at));
            } else if at < end {
                back = !level.most(at, self.kind(level, at));
            } else {
                return true;
            }
            at += usize::from(!back);
        }
        false
    }

    fn kind(&self, level: &Level, at: usize) -> &'a Kind {
        &self.cluster.kinds[level.kinds[at]]
    }

    /// Whether the filling is neither extended nor bettered by an open pod.
    fn is_needed(&mut self, level: &Level) -> bool {
        let spare = |at: &usize| {
            let (open, count) = (level.open[level.kinds[*at]], level.counts[*at]);
            count < self.kind(level, *at).at_once(open, 1)
        };
        let spare: Vec<usize> = (0..level.kinds.len()).filter(spare).collect();
        self.spend(spare.len());
        if spare
            .iter()
            .any(|&at| fits(&self.kind(level, at).size, &level.left))
        {
            return false;
        }
        for at in (0..level.kinds.len()).filter(|&at| level.counts[at] > 0) {
            let kind = self.kind(level, at);
            if kind.single {
                continue; // there may be one already where the other pod would come from
            }
            self.spend(spare.len());
            let room = add(&level.left, &kind.size, 1);
            let better = |other: &Kind| {
                self.within[other.set][kind.set]
                    && fits(&kind.size, &other.size)
                    && fits(&other.size, &room)
            };
            if spare
                .iter()
                .any(|&other| other != at && better(self.kind(level, other)))
            {
                return false;
            }
        }
        true
    }
}

impl Level {
    /// Takes as many pods of the kind as fit; false, and none are taken, if that leads nowhere.
    fn most(&mut self, at: usize, kind: &Kind) -> bool {
        let count = kind.fit(&self.left).min(self.open[self.kinds[at]]);
        if count < self.least[at] {
            return false;
        }
        self.counts[at] = count;
        self.left = take(&self.left, &kind.size, count);
        self.goes_on(at) || self.none(at, kind)
    }

    /// Gives one pod of the kind back; false, and none are left, if that leads nowhere.
    fn one_less(&mut self, at: usize, kind: &Kind) -> bool {
        if self.counts[at] > self.least[at] {
            self.counts[at] -= 1;
            self.left = add(&self.left, &kind.size, 1);
            // Where all that can still come leaves room for it, it could as well have stayed.
            let stays = fits(&add(&self.tail[at + 1], &kind.size, 1), &self.left);
            if !stays && self.goes_on(at) {
                return true;
            }
        }
        self.none(at, kind)
    }

    fn none(&mut self, at: usize, kind: &Kind) -> bool {
        self.left = add(&self.left, &kind.size, self.counts[at]);
        self.counts[at] = 0;
        false
    }

    /// Whether the kinds after this one can fill the node so far that no room is missing later.
    fn goes_on(&self, at: usize) -> bool {
        let bound = add(&self.slack, &self.tail[at + 1], 1);
        fits(&self.left, &bound)
    }
}
