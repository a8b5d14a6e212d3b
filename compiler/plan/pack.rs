//! Pods on several nodes: do they find room in any order, is there one placement, or is there none?
//!
//! A pod finds room on a node where it may go if what is left there is enough in every dimension:
//! memory, CPU, number of pods. The answers come in the order of what they cost:
//!
//! 1. a pod that is too large for its nodes, or nodes that are too small for all that may go
//!    nowhere else, exclude any placement;
//! 2. the lemma in [`order`] says that every order of pods and every choice of nodes ends well;
//! 3. a few greedy ways of placing the pods: any that succeeds is a placement;
//! 4. the exact search in [`search`], with a bound on its steps.
//!
//! From 2 on all sizes are divided by their greatest common divisor and rooms rounded down, in each
//! dimension. That changes nothing of what fits, for what is used is a multiple too; but the sums
//! lose what can never be used, and with it many a search that would have tried everything.

use crate::base::id::Id;
use crate::program::NodeId;
use std::array;
use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::resources::{COUNT, Capacity, Dimension, Resources};
use search::{Outcome, Search};

#[cfg(test)]
mod cases;
mod order;
mod search;
#[cfg(test)]
mod tests;

/// Steps of a search, each the work of placing one kind on one node.
const BUDGET: u64 = 2_000_000;

/// With more pods than this nothing is decided. With fewer, no sum can overflow: 2^64 * 2^32 * 2^16 nodes.
const PODS: u64 = 1 << 32;

/// An amount in every dimension.
type Size = [u128; COUNT];

/// Pods that are alike, the surplus of a rollout included.
#[derive(Clone, Debug)]
pub(crate) struct Class {
    /// What one pod asks for; or all pods of a service that is to have one node, which then go together.
    pub(crate) each: Resources,
    /// Number of such pods, or groups of them.
    pub(crate) count: u64,
    /// The only nodes that may take them; none if any may.
    pub(crate) nodes: Option<Vec<NodeId>>,
    /// Whether they may share a node.
    pub(crate) spread: Spread,
}

/// Whether pods of one class may share a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spread {
    /// They may.
    Any,
    /// They may not: a required anti-affinity of the class with itself.
    AtMostOnePerNode,
}

/// What is known of the placement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    /// Any scheduler that places a pod whenever some node has room places all, in every order. Per class the nodes
    /// with which the lemma shows it.
    AnyOrder(Vec<Vec<NodeId>>),
    /// One placement: per node the number of pods of each class. Only pins make it come true.
    Packed(Vec<Vec<u64>>),
    /// There is no placement.
    Impossible(Certificate),
    /// The search was given up; there may be a placement or not.
    Undecided,
}

/// Why there is no placement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Certificate {
    /// All pods that may go nowhere but to these nodes ask for more than the nodes have.
    Volume {
        dimension: Dimension,
        nodes: Vec<NodeId>,
        needed: u128,
        have: u128,
    },
    /// Not one pod of the class fits on any node that may take it, or no node may.
    TooLarge { class: usize },
    /// More pods that may not share a node than nodes that can take one.
    Apart {
        class: usize,
        count: u64,
        nodes: u64,
    },
    /// All placements were excluded. `states` is the number of partial placements that were looked at.
    Exhausted { states: u64 },
}

/// Places all pods, or says why not.
pub(crate) fn place(nodes: &[Capacity], classes: &[Class]) -> Packing {
    decide(nodes, classes, None, BUDGET)
}

/// One placement: per node the number of pods of each class. None if there is none, or none was found.
pub(crate) fn one(nodes: &[Capacity], classes: &[Class]) -> Option<Vec<Vec<u64>>> {
    let mut cluster = Cluster::new(nodes, classes, None);
    if cluster.hopeless().is_some() {
        return None;
    }
    cluster.reduce();
    // Spread out rather than heaped up, if that is possible: a lost node then takes less with it.
    let kinds: Vec<usize> = (0..cluster.kinds.len()).collect();
    let spread = cluster.try_way(&kinds, Way::Emptiest);
    let filled = spread.or_else(|| cluster.greedy()).or_else(|| {
        match Search::new(&cluster, BUDGET).run() {
            Outcome::Found(filled) => Some(filled),
            Outcome::Exhausted(_) | Outcome::GivenUp => None,
        }
    })?;
    Some(cluster.by_class(&filled, classes))
}

/// Places all pods on the nodes that are left when one is lost. Only [`Packing::AnyOrder`] means that nothing has to be
/// done then: the pins of one placement are of no use in another. The rows of a placement are those of all nodes, the
/// lost one's are zeros.
pub(crate) fn without(nodes: &[Capacity], classes: &[Class], lost: NodeId) -> Packing {
    let budget = BUDGET / (nodes.len() as u64).max(1);
    decide(nodes, classes, Some(lost.index()), budget)
}

fn decide(nodes: &[Capacity], classes: &[Class], lost: Option<usize>, budget: u64) -> Packing {
    let mut cluster = Cluster::new(nodes, classes, lost);
    if let Some(reason) = cluster.hopeless() {
        return Packing::Impossible(reason);
    }
    if cluster
        .kinds
        .iter()
        .fold(0, |sum: u64, kind| sum.saturating_add(kind.count))
        > PODS
    {
        return Packing::Undecided;
    }
    cluster.reduce();
    if let Some(shown) = order::any(&cluster, classes.len()) {
        Packing::AnyOrder(shown)
    } else if let Some(filled) = cluster.greedy() {
        Packing::Packed(cluster.by_class(&filled, classes))
    } else {
        match Search::new(&cluster, budget).run() {
            Outcome::Found(filled) => Packing::Packed(cluster.by_class(&filled, classes)),
            Outcome::Exhausted(states) => Packing::Impossible(Certificate::Exhausted { states }),
            Outcome::GivenUp => Packing::Undecided,
        }
    }
}

/// Classes that differ in nothing; such as may not share a node stay apart.
struct Kind {
    size: Size,
    count: u64,
    /// At most one on a node.
    single: bool,
    /// Index of the set of nodes.
    set: usize,
    /// Indices of the classes.
    members: Vec<usize>,
}

impl Kind {
    /// How many of them fit into this room of one node.
    fn fit(&self, room: &Size) -> u64 {
        let most = if self.single { 1 } else { u64::MAX };
        let each = self.size.iter().zip(room).filter(|(size, _)| **size > 0);
        each.map(|(size, room)| u64::try_from(room / size).unwrap_or(most))
            .fold(most, u64::min)
    }

    /// How many of `count` pods can be on `nodes` nodes at once.
    fn at_once(&self, count: u64, nodes: usize) -> u64 {
        if self.single || nodes == 0 {
            count.min(nodes as u64)
        } else {
            count
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    First,
    Fullest,
    Emptiest,
}

struct Cluster {
    room: Vec<Size>,
    /// The nodes that are there, the largest first.
    order: Vec<usize>,
    /// Sets of nodes, one flag per node: those that may take a pod of some kind and are large
    /// enough for it. Every set in use, once.
    sets: Vec<Vec<bool>>,
    /// In the dimension that is closest to full, the largest first.
    kinds: Vec<Kind>,
    /// That dimension.
    tight: usize,
}

/// The largest first in the dimension `tight`, kinds that are the same made one. Pods that may not share a node stay
/// apart: they are counted by class.
fn merged(mut kinds: Vec<Kind>, tight: usize) -> Vec<Kind> {
    // The sort is stable: the members of a kind stay in order.
    kinds.sort_by_key(|kind| {
        (
            Reverse((kind.size[tight], kind.size)),
            kind.set,
            kind.single,
        )
    });
    kinds.dedup_by(|next, kind| {
        let is_same =
            !next.single && !kind.single && (next.size, next.set) == (kind.size, kind.set);
        if is_same {
            kind.count = kind.count.saturating_add(next.count);
            kind.members.append(&mut next.members);
        }
        is_same
    });
    kinds
}

impl Cluster {
    /// The nodes that are there without the one that is lost, and the pods of all classes, alike ones together.
    fn new(nodes: &[Capacity], classes: &[Class], lost: Option<usize>) -> Self {
        let size = |class: &Class| Dimension::ALL.map(|d| u128::from(class.each[d]));
        let total = classes.iter().fold([0; COUNT], |sum, class| {
            add(&sum, &size(class), class.count)
        });
        // What is not known is never short: there is room for all.
        let room: Vec<Size> = nodes
            .iter()
            .map(|node| Dimension::ALL.map(|d| node[d].map_or(total[d as usize], u128::from)))
            .collect();
        let mut order: Vec<usize> = (0..nodes.len())
            .filter(|&node| Some(node) != lost)
            .collect();
        let have = order
            .iter()
            .fold([0; COUNT], |sum, &node| add(&sum, &room[node], 1));
        let load = |&d: &usize| total[d].saturating_mul(1000) / have[d].max(1);
        let tight = (0..COUNT).rev().max_by_key(load).unwrap_or(0);
        order.sort_by_key(|&node| Reverse((room[node][tight], room[node])));

        let takes = |class: &Class, node: usize| {
            let only = class.nodes.as_ref();
            let may = only.is_none_or(|only| only.contains(&NodeId::new(node)));
            may && Some(node) != lost && fits(&size(class), &room[node])
        };
        // Each class that has pods, with the nodes that take one.
        let taking: Vec<(usize, Vec<bool>)> = (0..)
            .zip(classes)
            .filter(|(_, class)| class.count > 0)
            .map(|(index, class)| {
                let taking = (0..nodes.len()).map(|node| takes(class, node));
                (index, taking.collect())
            })
            .collect();
        let sets: BTreeSet<&Vec<bool>> = taking.iter().map(|(_, set)| set).collect();
        let sets: Vec<Vec<bool>> = sets.into_iter().cloned().collect();
        let kind = |(index, set): &(usize, Vec<bool>)| Kind {
            size: size(&classes[*index]),
            count: classes[*index].count,
            single: classes[*index].spread == Spread::AtMostOnePerNode,
            set: sets.binary_search(set).unwrap_or(0),
            members: vec![*index],
        };
        Cluster {
            kinds: merged(taking.iter().map(kind).collect(), tight),
            room,
            order,
            sets,
            tight,
        }
    }

    /// What can be said without looking at single placements.
    fn hopeless(&self) -> Option<Certificate> {
        let width = |kind: &Kind| self.sets[kind.set].iter().filter(|takes| **takes).count();
        let large = self
            .kinds
            .iter()
            .filter(|kind| width(kind) == 0)
            .flat_map(|kind| &kind.members)
            .min();
        if let Some(&class) = large {
            return Some(Certificate::TooLarge { class });
        }
        if let Some(kind) = self
            .kinds
            .iter()
            .find(|kind| kind.at_once(kind.count, width(kind)) < kind.count)
        {
            let (class, nodes) = (kind.members[0], width(kind) as u64);
            return Some(Certificate::Apart {
                class,
                count: kind.count,
                nodes,
            });
        }
        let all: Vec<bool> = (0..self.room.len())
            .map(|node| self.order.contains(&node))
            .collect();
        [&all].into_iter().chain(&self.sets).find_map(|field| {
            let inside: Vec<bool> = self.sets.iter().map(|set| within(set, field)).collect();
            let kinds = self.kinds.iter().filter(|kind| inside[kind.set]);
            let needed = kinds.fold([0; COUNT], |sum, kind| add(&sum, &kind.size, kind.count));
            let nodes: Vec<usize> = members(field).collect();
            let have = nodes
                .iter()
                .fold([0; COUNT], |sum, &node| add(&sum, &self.room[node], 1));
            let over = |&(d, _): &(usize, Dimension)| needed[d] > have[d];
            let (d, dimension) = Dimension::ALL.into_iter().enumerate().find(over)?;
            let nodes = nodes.iter().map(|&node| NodeId::new(node)).collect();
            Some(Certificate::Volume {
                dimension,
                nodes,
                needed: needed[d],
                have: have[d],
            })
        })
    }

    /// Divides by what all sizes have in common.
    fn reduce(&mut self) {
        for d in 0..COUNT {
            let unit = self
                .kinds
                .iter()
                .fold(0, |unit, kind| common(unit, kind.size[d]))
                .max(1);
            self.kinds.iter_mut().for_each(|kind| kind.size[d] /= unit);
            self.room.iter_mut().for_each(|room| room[d] /= unit);
        }
    }

    /// The simple ways, kind after kind: the largest pods first, or those with the fewest nodes; on
    /// the first node with room, the fullest, or the emptiest.
    fn greedy(&self) -> Option<Vec<Vec<u64>>> {
        let large: Vec<usize> = (0..self.kinds.len()).collect();
        let mut picky = large.clone();
        picky.sort_by_key(|&kind| members(&self.sets[self.kinds[kind].set]).count());
        let ways = [Way::First, Way::Fullest, Way::Emptiest];
        ways.into_iter().find_map(|way| {
            self.try_way(&large, way)
                .or_else(|| self.try_way(&picky, way))
        })
    }

    fn try_way(&self, kinds: &[usize], way: Way) -> Option<Vec<Vec<u64>>> {
        let mut left = self.room.clone();
        let mut filled = vec![vec![0; self.kinds.len()]; self.room.len()];
        let mut steps = BUDGET / 4;
        for &index in kinds {
            let kind = &self.kinds[index];
            let mut nodes = self.order.clone();
            nodes.retain(|&node| self.sets[kind.set][node]);
            let mut open = kind.count;
            while open > 0 {
                nodes.retain(|&node| {
                    fits(&kind.size, &left[node]) && !(kind.single && filled[node][index] > 0)
                });
                let key = |node: &&usize| match way {
                    Way::First => 0,
                    Way::Fullest => left[**node][self.tight],
                    Way::Emptiest => u128::MAX - left[**node][self.tight],
                };
                let &node = nodes.iter().min_by_key(key)?;
                // The first and the fullest stay so until they have no more room for the kind.
                let most = if way == Way::Emptiest { 1 } else { open };
                let count = kind.fit(&left[node]).min(most);
                left[node] = take(&left[node], &kind.size, count);
                filled[node][index] += count;
                open -= count;
                steps = steps.checked_sub(nodes.len() as u64)?;
            }
        }
        Some(filled)
    }

    /// Per node the number of pods of each class, from those of each kind.
    fn by_class(&self, filled: &[Vec<u64>], classes: &[Class]) -> Vec<Vec<u64>> {
        let mut open: Vec<u64> = classes.iter().map(|class| class.count).collect();
        let mut rows = vec![vec![0; classes.len()]; filled.len()];
        for (index, kind) in self.kinds.iter().enumerate() {
            for (row, kinds) in rows.iter_mut().zip(filled) {
                let mut left = kinds[index];
                for &class in &kind.members {
                    row[class] = left.min(open[class]);
                    open[class] -= row[class];
                    left -= row[class];
                }
            }
        }
        rows
    }
}

fn fits(size: &Size, room: &Size) -> bool {
    size.iter().zip(room).all(|(size, room)| size <= room)
}

/// Only the sums over input that was not looked at yet can saturate, which leaves them too large
/// for any node.
fn add(sum: &Size, size: &Size, count: u64) -> Size {
    array::from_fn(|d| sum[d].saturating_add(size[d].saturating_mul(count.into())))
}

fn take(room: &Size, size: &Size, count: u64) -> Size {
    array::from_fn(|d| room[d] - size[d] * u128::from(count))
}

/// The greatest common divisor.
fn common(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { common(b, a % b) }
}

fn within(part: &[bool], whole: &[bool]) -> bool {
    part.iter().zip(whole).all(|(part, whole)| *whole || !*part)
}

fn members(set: &[bool]) -> impl Iterator<Item = usize> {
    set.iter()
        .enumerate()
        .filter(|(_, takes)| **takes)
        .map(|(node, _)| node)
}
