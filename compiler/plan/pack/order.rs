//! When no order of pods and no choice of nodes can get a pod stuck.
//!
//! A scheduler puts a pod on some node that has room. Which one, and which pod comes next, is taken
//! as the choice of an adversary.
//!
//! *Lemma.* Let A be the nodes that may take a pod `p` of size t, each large enough for it when
//! empty; B any part of A; y_d any prices of the dimensions; V_d what all other pods that may go to
//! some node of B ask for. Node j *can lack* d if t_d > 0 and `C_jd - t_d + 1 <= V_d`. Let a pod of
//! size s be worth the greatest `y_d s_d` over all d that some node of B can lack, and let node j
//! cost the least `y_d (C_jd - t_d + 1)` over all d that j can lack; if there are none, more than
//! anything. If all those other pods are worth less than B costs, `p` always finds a node.
//!
//! *Proof.* If `p` is stuck, each node j of B has too little left in some d: what is used there, no
//! more than C_jd and no more than V_d, is above `C_jd - t_d`. So t_d > 0, j can lack d, and the
//! pods on j are worth at least y_d times what they use, which is at least what j costs. In sum
//! the pods on B are worth what B costs, and they are among those other pods. ∎
//!
//! The pods may come in any order, pinned ones last: nothing is said of the state but that every
//! pod in it is where it may be and no node is over. So it also holds after evictions and restarts.
//!
//! - In one dimension the prices cancel: `S - t < sum_j (C_j - t + 1)`, on one node `S <= C`.
//! - A pod with a single node is safe if all that may go there fits there, pinned or not.
//! - Where no pod is restricted B = A is best; else a smaller B can lose more worth than cost.
//! - A pod is worth no more than the node of B that costs most: it is on one node, and if it is
//!   worth more than that costs, so are the pods there together.
//! - Of pods that may not share a node, only as many count as B has nodes for them. The r - 1
//!   others of `p`'s beyond_others class block a node each, at the cost of what they are worth themselves;
//!   at worst the dearest nodes.

use super::super::resources::COUNT;
use super::{Cluster, Kind, Size, add, members, take};
use crate::base::id::Id;
use crate::program::NodeId;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// With so many groups of nodes the lemma is tried on all their unions; with more, on each of the
/// groups and on what some pod is restricted to, up to the same number.
const UNIONS: usize = 8;

/// With so many kinds the worth of each is cut to what a node can cost, which is one more pass over
/// all of them for every one.
const FEW: usize = 128;

/// Whether the lemma holds for every kind: then for every class the set of nodes with which it does.
pub(super) fn any(cluster: &Cluster, classes: usize) -> Option<Vec<Vec<NodeId>>> {
    let sets = fields(cluster);
    let fields: Vec<Field> = sets
        .iter()
        .map(|nodes| Field::new(cluster, nodes))
        .collect();
    let mut shown = vec![Vec::new(); classes];
    for kind in &cluster.kinds {
        let at = fields
            .iter()
            .position(|field| field.has_room(cluster, kind))?;
        let mut nodes: Vec<NodeId> = sets[at].iter().map(|&node| NodeId::new(node)).collect();
        nodes.sort_unstable();
        kind.members
            .iter()
            .for_each(|&class| shown[class].clone_from(&nodes));
    }
    Some(shown)
}

/// The sets of nodes with which to try the lemma, in order of size. Nodes that are in the same
/// sets are not parted.
fn fields(cluster: &Cluster) -> Vec<Vec<usize>> {
    let mut groups: BTreeMap<Vec<bool>, Vec<usize>> = BTreeMap::new();
    for &node in &cluster.order {
        groups
            .entry(cluster.sets.iter().map(|set| set[node]).collect())
            .or_default()
            .push(node);
    }
    let groups: Vec<Vec<usize>> = groups.into_values().collect();
    let mut fields = if groups.len() <= UNIONS {
        let chosen = |mask: usize| {
            groups
                .iter()
                .enumerate()
                .filter(move |(group, _)| mask >> group & 1 == 1)
        };
        (1..1 << groups.len())
            .map(|mask| chosen(mask).flat_map(|(_, nodes)| nodes).copied().collect())
            .collect()
    } else {
        let sets = cluster.sets.iter().map(|set| members(set).collect());
        groups
            .into_iter()
            .chain(sets)
            .take(1 << UNIONS)
            .collect::<Vec<Vec<usize>>>()
    };
    fields.sort_by_key(|field| Reverse(field.len()));
    fields
}

/// The B of the lemma.
struct Field {
    rooms: Vec<Size>,
    /// Which sets contain it.
    inside: Vec<bool>,
    prices: Size,
    /// The volume of all pods that may go to one of the nodes.
    volume: Size,
    /// How many there are of each kind.
    counts: Vec<u64>,
    /// What they are worth, for every choice of dimensions.
    worth: [u128; 1 << COUNT],
}

impl Field {
    fn new(cluster: &Cluster, nodes: &[usize]) -> Self {
        let rooms: Vec<Size> = nodes.iter().map(|&node| cluster.room[node]).collect();
        let sum = rooms
            .iter()
            .fold([0; COUNT], |sum, room| add(&sum, room, 1));
        // So that on average a whole node is worth the same in every dimension.
        let prices = sum.map(|sum| ((nodes.len() as u128) << 64) / sum.max(1) + 1);
        let shared: Vec<usize> = cluster
            .sets
            .iter()
            .map(|set| nodes.iter().filter(|&&node| set[node]).count())
            .collect();
        let counts: Vec<u64> = cluster
            .kinds
            .iter()
            .map(|kind| kind.at_once(kind.count, shared[kind.set]))
            .collect();
        let (mut volume, mut worth) = ([0; COUNT], [0; 1 << COUNT]);
        // A pod that goes to none of the nodes may be too large for the prices.
        for (kind, &count) in cluster
            .kinds
            .iter()
            .zip(&counts)
            .filter(|(_, count)| **count > 0)
        {
            volume = add(&volume, &kind.size, count);
            for (among, worth) in worth.iter_mut().enumerate() {
                *worth += u128::from(count) * worth_of(kind, among, &prices);
            }
        }
        let inside = shared.iter().map(|&shared| shared == nodes.len()).collect();
        Field {
            rooms,
            inside,
            prices,
            volume,
            counts,
            worth,
        }
    }

    /// The lemma for one pod of the kind.
    fn has_room(&self, cluster: &Cluster, kind: &Kind) -> bool {
        if !self.inside[kind.set] {
            return false;
        }
        let others = kind.at_once(kind.count - 1, self.rooms.len());
        let beyond_others = kind.at_once(kind.count, self.rooms.len()) - others;
        let volume = take(&self.volume, &kind.size, beyond_others);
        let lack = |room: &Size, d: usize| {
            Some(room[d] - kind.size[d] + 1).filter(|lack| *lack <= volume[d])
        };
        let cost = |room| {
            let lacks = (0..COUNT)
                .filter(|&d| kind.size[d] > 0)
                .filter_map(|d| Some(lack(room, d)? * self.prices[d]));
            lacks.min().unwrap_or(u128::MAX)
        };
        let mut costs: Vec<u128> = self.rooms.iter().map(cost).collect();
        let can =
            |d: &usize| kind.size[*d] > 0 && self.rooms.iter().any(|room| lack(room, *d).is_some());
        let among = (0..COUNT).filter(can).map(|d| 1 << d).sum();
        let worth = |kind: &Kind, most: u128| worth_of(kind, among, &self.prices).min(most);
        if kind.single {
            costs.sort_unstable_by_key(|&cost| Reverse(cost));
            for cost in costs
                .iter_mut()
                .take(usize::try_from(others).unwrap_or(usize::MAX))
            {
                *cost = worth(kind, *cost);
            }
        }
        let most = costs.iter().copied().max().unwrap_or(0);
        let all = costs.into_iter().fold(0, u128::saturating_add);
        if self.worth[among] - u128::from(beyond_others) * worth(kind, u128::MAX) < all {
            return true;
        }
        let there = cluster
            .kinds
            .iter()
            .zip(&self.counts)
            .filter(|(_, count)| **count > 0);
        let cut = |(kind, &count): (&Kind, &u64)| u128::from(count) * worth(kind, most);
        cluster.kinds.len() <= FEW
            && there.map(cut).sum::<u128>() - u128::from(beyond_others) * worth(kind, most) < all
    }
}

/// What the lemma says a pod is worth, among the dimensions whose bits are set.
fn worth_of(kind: &Kind, among: usize, prices: &Size) -> u128 {
    let priced = (0..COUNT)
        .filter(|d| among >> d & 1 == 1)
        .map(|d| kind.size[d] * prices[d]);
    priced.max().unwrap_or(0)
}
