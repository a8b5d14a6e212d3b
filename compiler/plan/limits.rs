//! Non-interference: the most that the limits of the pods of one node can come to. What a node lets in is bounded by
//! requests alone, so it is the maximum over all sets of pods whose requests the scheduler and the kubelet admit
//! together; `spec/06-proof.md` says it as a rule.
//!
//! Where every request is its limit, that is never more than what is allocatable, whatever the pods are.

use std::collections::BTreeMap;

use crate::base::quantity::MIB;

/// Pods that are alike and may be on the node at once, those on their way out among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Alike {
    /// What the scheduler counts for one, in bytes.
    pub(super) request: u64,
    /// What one may take, in bytes.
    pub(super) limit: u64,
    /// How many.
    pub(super) count: u64,
}

/// The most that limits come to, in bytes, and by which pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Most {
    /// All pods that may be there at once come to no more than there is.
    All(u64),
    /// Every request is its limit: no more is let in than there is.
    Admitted(u64),
    /// The worst set: the number of pods of each kind, in the order given.
    Set(u64, Vec<u64>),
    /// More than the worst set can come to: there are too many sizes to look for it.
    Bound(u64),
}

impl Most {
    /// The bytes.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Most::All(bytes) | Most::Admitted(bytes) | Most::Set(bytes, _) | Most::Bound(bytes) => {
                *bytes
            }
        }
    }
}

/// With more steps than this the search for the worst set is left out: a tenth of a second.
const STEPS: u64 = 50_000_000;

/// The most that limits of pods on a node come to, with `allocatable` bytes for the requests of all.
pub(super) fn most(kinds: &[Alike], allocatable: u64) -> Most {
    let sum = |of: fn(&Alike) -> u64| {
        let each = kinds.iter().map(|kind| of(kind).saturating_mul(kind.count));
        each.fold(0, u64::saturating_add)
    };
    let all = sum(|kind| kind.limit);
    if all <= allocatable {
        return Most::All(all);
    }
    let gaps = sum(|kind| kind.limit.saturating_sub(kind.request));
    if gaps == 0 {
        return Most::Admitted(allocatable);
    }
    match Knapsack::new(kinds, allocatable) {
        Some(knapsack) => {
            let (bytes, set) = knapsack.fill(kinds);
            Most::Set(bytes, set)
        }
        None => Most::Bound(all.min(allocatable.saturating_add(gaps))),
    }
}

/// Several pods of one size that are in or out together.
struct Piece {
    /// Which size, by index.
    size: usize,
    pods: u64,
}

/// A knapsack in whole Mi. Requests are rounded down, and so is what there is for them: no set that fits is lost.
struct Knapsack {
    /// The sizes: a request in Mi and a limit in bytes, and how many pods there are of it.
    sizes: Vec<((u64, u64), u64)>,
    /// One, two, four, .. pods of a size: every number of them is a sum of pieces.
    pieces: Vec<Piece>,
    /// What there is for requests, in Mi.
    room: usize,
}

impl Knapsack {
    /// `None` if it would take too long to fill.
    fn new(kinds: &[Alike], allocatable: u64) -> Option<Knapsack> {
        let room = allocatable / MIB;
        let mut counts: BTreeMap<(u64, u64), u64> = BTreeMap::new();
        for kind in kinds {
            let count = counts.entry((kind.request / MIB, kind.limit)).or_default();
            *count = count.saturating_add(kind.count);
        }
        let sizes: Vec<((u64, u64), u64)> = counts.into_iter().collect();
        let mut pieces = Vec::new();
        for (size, ((request, _), count)) in sizes.iter().enumerate() {
            let mut left = room
                .checked_div(*request)
                .map_or(*count, |fit| fit.min(*count));
            let mut pods = 1;
            while left > 0 {
                pieces.push(Piece {
                    size,
                    pods: pods.min(left),
                });
                left = left.saturating_sub(pods);
                pods = pods.saturating_mul(2);
            }
        }
        let steps = (pieces.len() as u64).saturating_mul(room.saturating_add(1));
        let room = usize::try_from(room).ok()?;
        (steps <= STEPS).then_some(Knapsack {
            sizes,
            pieces,
            room,
        })
    }

    /// The most, and how many pods of each kind make it.
    fn fill(&self, kinds: &[Alike]) -> (u64, Vec<u64>) {
        // For every room the most that the pieces so far come to in it; and which of them are in.
        let mut best = vec![0_u64; self.room + 1];
        let mut taken: Vec<Vec<bool>> = Vec::with_capacity(self.pieces.len());
        for piece in &self.pieces {
            let ((request, limit), _) = self.sizes[piece.size];
            let mut is_in = vec![false; self.room + 1];
            if let Some(weight) = weight(request, piece.pods).filter(|weight| *weight <= self.room)
            {
                for room in (weight..=self.room).rev() {
                    let with = best[room - weight].saturating_add(limit.saturating_mul(piece.pods));
                    if with > best[room] {
                        best[room] = with;
                        is_in[room] = true;
                    }
                }
            }
            taken.push(is_in);
        }
        let mut room = self.room;
        let mut of_size = vec![0_u64; self.sizes.len()];
        for (piece, is_in) in self.pieces.iter().zip(&taken).rev() {
            if is_in[room] {
                of_size[piece.size] += piece.pods;
                let ((request, _), _) = self.sizes[piece.size];
                room -= weight(request, piece.pods).unwrap_or(0);
            }
        }
        (best[self.room], self.by_kind(kinds, of_size))
    }

    /// The pods of each size, dealt to the kinds that have it.
    fn by_kind(&self, kinds: &[Alike], mut of_size: Vec<u64>) -> Vec<u64> {
        let deal = |kind: &Alike| {
            let key = (kind.request / MIB, kind.limit);
            let Ok(size) = self.sizes.binary_search_by_key(&key, |(size, _)| *size) else {
                return 0;
            };
            let pods = of_size[size].min(kind.count);
            of_size[size] -= pods;
            pods
        };
        kinds.iter().map(deal).collect()
    }
}

fn weight(request: u64, pods: u64) -> Option<usize> {
    request
        .checked_mul(pods)
        .and_then(|mib| usize::try_from(mib).ok())
}

#[cfg(test)]
mod tests {
    use super::{Alike, MIB, Most, most};
    use crate::base::random::Random;

    fn alike(request: u64, limit: u64, count: u64) -> Alike {
        Alike {
            request: request * MIB,
            limit: limit * MIB,
            count,
        }
    }

    #[test]
    fn the_worst_set_is_found() {
        // Everything fits by its limits.
        assert_eq!(most(&[alike(64, 256, 3)], 1000 * MIB), Most::All(768 * MIB));
        // Nothing bursts: whatever is let in is within what there is.
        assert_eq!(
            most(&[alike(64, 64, 30)], 1000 * MIB),
            Most::Admitted(1000 * MIB)
        );
        // Two pods of 300 leave no room for the one that bursts: it is they or it.
        let kinds = [alike(300, 300, 2), alike(64, 100, 1)];
        assert_eq!(most(&kinds, 600 * MIB), Most::Set(600 * MIB, vec![2, 0]));
        assert_eq!(most(&kinds, 664 * MIB), Most::Set(700 * MIB, vec![2, 1]));
        // What requests nothing is let in without end.
        assert_eq!(
            most(&[alike(0, 128, 8), alike(50, 50, 1)], 40 * MIB),
            Most::Set(1024 * MIB, vec![8, 0])
        );
    }

    /// All sets of pods, one by one.
    fn by_trying(kinds: &[Alike], room: u64) -> u64 {
        let Some((first, rest)) = kinds.split_first() else {
            return 0;
        };
        let with = |pods: u64| {
            let left = room.checked_sub(first.request * pods)?;
            Some(first.limit * pods + by_trying(rest, left))
        };
        (0..=first.count).map_while(with).max().unwrap_or(0)
    }

    #[test]
    fn the_worst_set_is_that_of_a_search_through_all() {
        let mut random = Random(7);
        for _ in 0..2000 {
            let kinds: Vec<Alike> = (0..1 + random.below(4))
                .map(|_| {
                    let request = random.below(9);
                    alike(
                        request,
                        request + random.below(3) * random.below(9),
                        random.below(4),
                    )
                })
                .collect();
            let room = random.below(40) * MIB;
            let found = most(&kinds, room);
            let tried = by_trying(&kinds, room);
            match &found {
                Most::Admitted(bytes) => assert!(tried <= *bytes, "{kinds:?} {room}"),
                Most::All(bytes) => {
                    assert_eq!((*bytes, true), (tried, tried <= room), "{kinds:?} {room}")
                }
                Most::Set(bytes, set) => {
                    assert_eq!(*bytes, tried, "{kinds:?} {room}");
                    let sum = |of: fn(&Alike) -> u64| -> u64 {
                        kinds
                            .iter()
                            .zip(set)
                            .map(|(kind, pods)| of(kind) * pods)
                            .sum()
                    };
                    assert_eq!(sum(|kind| kind.limit), *bytes);
                    assert!(sum(|kind| kind.request) <= room);
                }
                Most::Bound(_) => unreachable!("there are few sizes"),
            }
        }
    }
}
