//! Clusters at random, and what is true of a placement whoever made it.

use super::*;
use crate::base::random::Random;
use std::collections::BTreeSet;

impl Random {
    /// Up to three nodes and `pods` pods, about as large together as the nodes or somewhat smaller.
    pub(super) fn cluster(&mut self, pods: u64) -> (Vec<Node>, Vec<Class>) {
        let (two, restricted, spread) =
            (self.below(2) == 0, self.below(2) == 0, self.below(4) == 0);
        let many = 1 + self.below(3);
        let mut nodes = Vec::new();
        for _ in 0..many {
            let cpu = (two && self.below(8) > 0).then(|| 3 + self.below(9));
            let pods = if self.below(4) == 0 {
                2 + self.below(4)
            } else {
                110
            };
            nodes.push(Node {
                memory: 5 + self.below(9),
                cpu,
                pods,
            });
        }
        let mut left = pods.min(many * 4);
        let mut classes = Vec::new();
        let (most, cpus) = (1 + self.below(6), 1 + self.below(4));
        while left > 0 && (classes.is_empty() || self.below(7) > 0) {
            let count = 1 + self.below(left.min(4));
            left -= count;
            let some: Vec<u16> = (0..many as u16).filter(|_| self.below(2) == 0).collect();
            classes.push(Class {
                memory: self.below(6).min(1) + self.below(most),
                cpu: self.below(cpus),
                pods: 1,
                count,
                nodes: (restricted && self.below(2) == 0 && !some.is_empty()).then_some(some),
                spread: if spread && self.below(2) == 0 {
                    Spread::AtMostOnePerNode
                } else {
                    Spread::Any
                },
            });
        }
        (nodes, classes)
    }

    /// Two to four nodes that have hardly more than eight or so pods need, if as much.
    pub(super) fn tight(&mut self) -> (Vec<Node>, Vec<Class>) {
        let mut classes: Vec<Class> = (0..2 + self.below(3))
            .map(|_| class(3 + self.below(18), 1 + self.below(3)))
            .collect();
        let many = 2 + self.below(3);
        let sum: u64 = classes.iter().map(|class| class.memory * class.count).sum();
        let mut nodes: Vec<Node> = (0..many)
            .map(|_| node(sum / many + self.below(4)))
            .collect();
        for j in 1..many as usize {
            let moved = self.below(2) * self.below(nodes[j].memory / 2 + 1);
            nodes[j].memory -= moved;
            nodes[0].memory += moved;
        }
        if self.below(3) == 0 {
            classes
                .iter_mut()
                .for_each(|class| class.cpu = self.below(9));
            let sum: u64 = classes.iter().map(|class| class.cpu * class.count).sum();
            nodes
                .iter_mut()
                .for_each(|node| node.cpu = Some(sum / many + self.below(6)));
        }
        if self.below(3) == 0 {
            classes[0].nodes = Some((0..many as u16).filter(|_| self.below(3) > 0).collect());
            classes[1].spread = Spread::AtMostOnePerNode;
        }
        (nodes, classes)
    }
}

impl Random {
    /// Two to five nodes and up to forty pods, which take from a third of what there is to a little more than all.
    pub(super) fn wide(&mut self) -> (Vec<Node>, Vec<Class>) {
        let many = 2 + self.below(4);
        let (mut left, mut classes) = (4 + self.below(37), Vec::new());
        let most = 20 + self.below(200);
        let (two, restricted, spread) =
            (self.below(3) == 0, self.below(3) == 0, self.below(3) == 0);
        while left > 0 {
            let some: Vec<u16> = (0..many as u16).filter(|_| self.below(3) > 0).collect();
            let alone = spread && self.below(4) == 0;
            let count = 1 + self.below(left.min(if alone { many } else { 8 }));
            left -= count;
            classes.push(Class {
                memory: 12 + self.below(most),
                cpu: if two { self.below(6) * 10 } else { 0 },
                pods: 1,
                count,
                nodes: (restricted && self.below(3) == 0 && !some.is_empty()).then_some(some),
                spread: if alone {
                    Spread::AtMostOnePerNode
                } else {
                    Spread::Any
                },
            });
        }
        let sum = |of: fn(&Class) -> u64| {
            classes
                .iter()
                .map(|class| of(class) * class.count)
                .sum::<u64>()
        };
        let (memory, cpu) = (sum(|class| class.memory), sum(|class| class.cpu));
        let percent = [
            98 + self.below(8),
            110 + self.below(60),
            150 + self.below(150),
        ][self.below(3) as usize];
        let nodes = (0..many).map(|_| Node {
            memory: memory * percent / 100 / many * (70 + self.below(61)) / 100,
            cpu: (two && self.below(5) > 0)
                .then(|| cpu * percent / 100 / many * (80 + self.below(60)) / 100),
            pods: if self.below(5) == 0 {
                8 + self.below(10)
            } else {
                110
            },
        });
        (nodes.collect(), classes)
    }

    /// Places all pods in some order, each on a node of the adversary's choice, twice, with evictions between. The
    /// class of a pod that finds no room.
    pub(super) fn game(
        &mut self,
        nodes: &[Node],
        classes: &[Class],
        lost: Option<usize>,
    ) -> Result<(), usize> {
        let mut left: Vec<[u64; 3]> = nodes.iter().map(room).collect();
        let mut there = vec![vec![0; classes.len()]; nodes.len()];
        // Comes last, and finds as few nodes with room as the adversary can bring about.
        let victim = self.below(classes.len() as u64) as usize;
        let way = self.below(4);
        for _ in 0..2 {
            let placed = |there: &[Vec<u64>], k: usize| {
                there.iter().map(|row: &Vec<u64>| row[k]).sum::<u64>()
            };
            let missing =
                |k: usize| std::iter::repeat_n(k, (classes[k].count - placed(&there, k)) as usize);
            let mut pods: Vec<usize> = (0..classes.len()).flat_map(missing).collect();
            for at in (1..pods.len()).rev() {
                pods.swap(at, self.below(at as u64 + 1) as usize);
            }
            pods.sort_by_key(|&k| way > 0 && k == victim);
            for k in pods {
                let fits = |j: usize, k: usize, left: &[[u64; 3]], there: &[Vec<u64>]| {
                    (Some(j) != lost && may(&classes[k], j))
                        .then(|| with(left[j], &classes[k], there[j][k]))?
                };
                let choices = (0..nodes.len()).filter(|&j| fits(j, k, &left, &there).is_some());
                let key = |j: usize, random: &mut Random| match way {
                    0 => (false, random.below(1000)),
                    1 => (false, u64::MAX - left[j][0]),
                    _ => (fits(j, victim, &left, &there).is_none(), left[j][0]),
                };
                let j = choices.map(|j| (key(j, self), j)).min().ok_or(k)?.1;
                left[j] = with(left[j], &classes[k], there[j][k]).unwrap_or(left[j]);
                there[j][k] += 1;
            }
            for (left, row) in left.iter_mut().zip(&mut there) {
                for (class, here) in classes.iter().zip(row) {
                    let gone = self.below(*here + 1);
                    *here -= gone;
                    *left = [
                        left[0] + gone * class.memory,
                        left[1].saturating_add(gone * class.cpu),
                        left[2] + gone,
                    ];
                }
            }
        }
        Ok(())
    }
}

pub(super) const fn node(memory: u64) -> Node {
    Node {
        memory,
        cpu: None,
        pods: 110,
    }
}

pub(super) fn class(memory: u64, count: u64) -> Class {
    Class {
        memory,
        cpu: 0,
        pods: 1,
        count,
        nodes: None,
        spread: Spread::Any,
    }
}

/// What is left of a node, and of what it may still take of each class if only one may be there.
pub(super) fn room(node: &Node) -> [u64; 3] {
    [node.memory, node.cpu.unwrap_or(u64::MAX), node.pods]
}

pub(super) fn may(class: &Class, node: usize) -> bool {
    class
        .nodes
        .as_ref()
        .is_none_or(|only| only.contains(&(node as u16)))
}

/// What is left of a node with `here` pods of the class when one more comes.
pub(super) fn with(left: [u64; 3], class: &Class, here: u64) -> Option<[u64; 3]> {
    let [memory, cpu, pods] = left;
    (class.spread == Spread::Any || here == 0).then(|| {
        Some([
            memory.checked_sub(class.memory)?,
            cpu.checked_sub(class.cpu)?,
            pods.checked_sub(1)?,
        ])
    })?
}

/// Everything the adversary can reach: whether a pod gets stuck, and whether all get placed. A
/// state has four bits for each node and class.
pub(super) fn reach(nodes: &[Node], classes: &[Class]) -> (bool, bool) {
    let at = |node: usize, class: usize| 4 * (node * classes.len() + class);
    let (mut seen, mut todo) = (BTreeSet::from([0_u128]), vec![0_u128]);
    let (mut stuck, mut done) = (false, false);
    while let Some(state) = todo.pop() {
        let count = |node: usize, class: usize| (state >> at(node, class) & 15) as u64;
        let mut left: Vec<[u64; 3]> = nodes.iter().map(room).collect();
        for (j, left) in left.iter_mut().enumerate() {
            for (k, class) in classes.iter().enumerate() {
                let count = count(j, k);
                *left = [
                    left[0] - count * class.memory,
                    left[1] - count * class.cpu,
                    left[2] - count,
                ];
            }
        }
        let mut all = true;
        for (k, class) in classes.iter().enumerate() {
            if (0..nodes.len()).map(|j| count(j, k)).sum::<u64>() == class.count {
                continue;
            }
            let mut blocked = true;
            for j in (0..nodes.len())
                .filter(|&j| may(class, j) && with(left[j], class, count(j, k)).is_some())
            {
                blocked = false;
                let next = state + (1 << at(j, k));
                if seen.insert(next) {
                    todo.push(next);
                }
            }
            stuck |= blocked;
            all = false;
        }
        done |= all;
    }
    (stuck, done)
}

/// Whether all pods of these classes, `more` of the first, have room, that first one's pods on the
/// nodes from `from` on.
pub(super) fn assign(
    left: &mut [[u64; 3]],
    classes: &[Class],
    more: u64,
    from: usize,
    here: u64,
) -> bool {
    let Some((class, others)) = classes.split_first() else {
        return true;
    };
    if more == 0 {
        return assign(
            left,
            others,
            others.first().map_or(0, |class| class.count),
            0,
            0,
        );
    }
    (from..left.len()).filter(|&j| may(class, j)).any(|j| {
        let (before, here) = (left[j], if j == from { here } else { 0 });
        with(before, class, here).is_some_and(|after| {
            left[j] = after;
            let found = assign(left, classes, more - 1, j, here + 1);
            left[j] = before;
            found
        })
    })
}

pub(super) fn packs(nodes: &[Node], classes: &[Class]) -> bool {
    let mut left: Vec<[u64; 3]> = nodes.iter().map(room).collect();
    assign(
        &mut left,
        classes,
        classes.first().map_or(0, |class| class.count),
        0,
        0,
    )
}

/// Whether the rows are a placement of all pods.
pub(super) fn is_placement(nodes: &[Node], classes: &[Class], rows: &[Vec<u64>]) -> bool {
    let fits = |(j, row): (usize, &Vec<u64>)| {
        let sum = |size: fn(&Class) -> u64| {
            classes
                .iter()
                .zip(row)
                .map(|(class, count)| size(class) * count)
                .sum()
        };
        let sums: [u64; 3] = [
            sum(|class| class.memory),
            sum(|class| class.cpu),
            sum(|_| 1),
        ];
        let allowed = |(class, &count): (&Class, &u64)| {
            count == 0 || may(class, j) && (count == 1 || class.spread == Spread::Any)
        };
        sums.iter()
            .zip(room(&nodes[j]))
            .all(|(sum, room)| *sum <= room)
            && classes.iter().zip(row).all(allowed)
    };
    let whole =
        |(k, class): (usize, &Class)| rows.iter().map(|row| row[k]).sum::<u64>() == class.count;
    rows.len() == nodes.len()
        && rows.iter().enumerate().all(fits)
        && classes.iter().enumerate().all(whole)
}

/// Whether the verdict is right, given whether there is a placement.
pub(super) fn is_right(
    verdict: &Packing,
    nodes: &[Node],
    classes: &[Class],
    feasible: bool,
) -> bool {
    match verdict {
        Packing::AnyOrder(_) => feasible,
        Packing::Packed(rows) => feasible && is_placement(nodes, classes, rows),
        Packing::Impossible(_) => !feasible,
        Packing::Undecided => false,
    }
}
