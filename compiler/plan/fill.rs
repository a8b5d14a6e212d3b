//! Sizes for memory ranges under several ceilings: weighted water-filling in whole mebibytes.
//!
//! A claim may take `lo`, `hi` and every multiple of 1Mi between them. At the level L it takes
//!
//! ```text
//! x_i(L) = clamp(least allowed value >= L * w_i, lo_i, hi_i)
//! ```
//!
//! and each ceiling above it pays `copies * x_i`, with the number of its pods that count there. From the claims and the room under each ceiling
//! comes one size per claim, in three moves: only the low ends decide whether there is an answer;
//! the level rises for all claims until the next step would break a ceiling, whose claims then stay
//! where they are while the others go on; what is left is dealt in single steps, lowest level
//! first.
//!
//! It is exact because nothing is rounded. `x_i` changes only just above a level `v / w_i` with `v`
//! allowed, so the highest common level is one of finitely many fractions. They are visited in
//! order and compared by cross-multiplication; the bisection in [`leap`] only skips those that a
//! full evaluation has shown to be safe. The order of the claims matters only for ties.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

#[cfg(test)]
mod tests;

/// Sizes between the two ends of a range are multiples of this many bytes.
const STEP: u64 = 1 << 20;

/// The bisection looks at levels that are multiples of 2^-FINE. Even for a weight of 2^50 there is
/// only 2^50 / 2^FINE / STEP = 1 inner value between two of them.
const FINE: u32 = 30;

/// The range of one service. Claims that are equal in every field are solved as one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Claim {
    /// The least size in bytes.
    pub(crate) lo: u64,
    /// The greatest size in bytes, not below `lo`.
    pub(crate) hi: u64,
    /// The size that counts as level one, usually `lo`; zero is taken as one.
    pub(crate) weight: u64,
    /// The ceilings above this claim: indices into the rooms, each at most once, and how many of its pods count
    /// there. A claim of which none count costs nothing and gets `hi`.
    pub(crate) under: Vec<(u16, u64)>,
}

/// A ceiling that is too low even when every claim has its least size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Excess {
    /// Index into the rooms.
    pub(crate) ceiling: usize,
    /// Bytes that are missing; `u64::MAX` stands for anything larger.
    pub(crate) deficit: u64,
}

/// What became of the claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fill {
    /// Every claim has a size and no ceiling is broken.
    Fits {
        /// In the order of the claims.
        sizes: Vec<u64>,
        /// The highest level that all claims reach together (or their `hi`), as a reduced fraction;
        /// none when every claim is at its `hi`.
        level: Option<(u64, u64)>,
    },
    /// All ceilings that are over, in ascending order.
    Over(Vec<Excess>),
}

/// Sizes the claims so that none of the ceilings, given by the bytes left under each, is broken.
///
/// Sums are signed 128-bit: 10^4 claims of 10^6 copies of 2^50 bytes stay below 2^84.
pub(crate) fn fill(claims: &[Claim], rooms: &[u64]) -> Fill {
    let mut order: Vec<usize> = (0..claims.len()).collect();
    order.sort_by(|&a, &b| claims[a].cmp(&claims[b])); // stable: members stay in index order
    let mut classes: Vec<Class<'_>> = order
        .chunk_by(|&a, &b| claims[a] == claims[b])
        .map(|members| Class {
            claim: &claims[members[0]],
            members,
            weight: claims[members[0]].weight.max(1),
            size: 0,
            ahead: 0,
        })
        .collect();

    let mut left: Vec<i128> = rooms.iter().map(|&room| i128::from(room)).collect();
    for class in &mut classes {
        let claim = class.claim;
        let free = claim.under.iter().all(|(_, copies)| *copies == 0);
        class.grow(&mut left, if free { claim.hi } else { claim.lo });
    }
    let over: Vec<Excess> = (0..)
        .zip(&left)
        .filter(|(_, left)| **left < 0)
        .map(|(ceiling, left)| Excess {
            ceiling,
            deficit: u64::try_from(-left).unwrap_or(u64::MAX),
        })
        .collect();
    if !over.is_empty() {
        return Fill::Over(over);
    }
    let level = raise(&mut classes, &mut left).map(Level::reduced);
    let sizes = deal(&mut classes, &mut left, claims.len());
    Fill::Fits { sizes, level }
}

/// Equal claims and the size they have reached.
struct Class<'a> {
    claim: &'a Claim,
    members: &'a [usize],
    weight: u64,
    size: u64,
    /// The number of members, from the first on, that are one step beyond `size`. Only [`deal`] makes it more than 0.
    ahead: usize,
}

impl Class<'_> {
    fn is_full(&self) -> bool {
        self.size >= self.claim.hi
    }

    /// The least allowed value above `size`, which is not yet full.
    fn next(&self) -> u64 {
        self.round_up(self.size + 1)
    }

    /// The size at the level `fine / 2^FINE`, but not less than the present one. A product that
    /// saturates is beyond 2^98 bytes, and a quotient that is no u64 is beyond every `hi`.
    fn at(&self, fine: u128) -> u64 {
        let bytes = fine.saturating_mul(self.weight.into()).div_ceil(1 << FINE);
        match u64::try_from(bytes) {
            Ok(bytes) if bytes <= self.size => self.size,
            Ok(bytes) => self.round_up(bytes),
            Err(_) => self.claim.hi,
        }
    }

    /// The least allowed value from `bytes` on, which is above `lo`.
    fn round_up(&self, bytes: u64) -> u64 {
        let value = bytes.checked_next_multiple_of(STEP);
        value.map_or(self.claim.hi, |value| value.min(self.claim.hi))
    }

    /// The level at which the members have just `size`: above it they need the next one.
    fn level(&self) -> Level {
        Level(self.size, self.weight)
    }

    /// Has all members pay for another size; false when that breaks a ceiling.
    fn pay_all(&self, left: &mut [i128], to: u64) -> bool {
        self.pay(
            left,
            self.members.len() as i128 * i128::from(to - self.size),
        )
    }

    /// Has all members pay and take another size.
    fn grow(&mut self, left: &mut [i128], to: u64) {
        self.pay_all(left, to);
        self.size = to;
    }

    /// Takes a number of bytes for each copy from all ceilings above the class. False if one of them is broken then.
    fn pay(&self, left: &mut [i128], bytes: i128) -> bool {
        let mut whole = true;
        for &(ceiling, copies) in &self.claim.under {
            let left = &mut left[usize::from(ceiling)];
            *left -= i128::from(copies) * bytes;
            whole &= *left >= 0;
        }
        whole
    }
}

/// A size over a weight. Equality and order are those of the fractions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Level(pub(super) u64, pub(super) u64);

impl Level {
    /// As a fraction in lowest terms.
    pub(super) fn reduced(self) -> (u64, u64) {
        let (mut a, mut b) = (self.0, self.1);
        while b > 0 {
            (a, b) = (b, a % b);
        }
        let divisor = a.max(1);
        (self.0 / divisor, self.1 / divisor)
    }
}

impl Ord for Level {
    fn cmp(&self, other: &Self) -> Ordering {
        let (here, there) = (u128::from(self.0), u128::from(other.0));
        (here * u128::from(other.1)).cmp(&(there * u128::from(self.1)))
    }
}

impl PartialOrd for Level {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Level {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Level {}

/// Raises the common level round by round and returns the level at which the first round ended.
///
/// A round ends when the claims that would step at the lowest level break a ceiling together. Every
/// broken ceiling is closed, and what is under it stays, so there are no more rounds than ceilings.
fn raise(classes: &mut [Class<'_>], left: &mut Vec<i128>) -> Option<Level> {
    let mut first = None;
    let mut closed = vec![false; left.len()];
    let mut after = Vec::new();
    let mut group = Vec::new();
    loop {
        let is_open = |class: &&mut Class<'_>| {
            !class.is_full()
                && !class
                    .claim
                    .under
                    .iter()
                    .any(|&(c, _)| closed[usize::from(c)])
        };
        let mut active: Vec<&mut Class<'_>> = classes.iter_mut().filter(is_open).collect();
        leap(&mut active, left);
        let turn = |(k, class): (usize, &&mut Class<'_>)| {
            (!class.is_full()).then(|| Reverse((class.level(), k)))
        };
        let mut queue: BinaryHeap<_> = active.iter().enumerate().filter_map(turn).collect();
        loop {
            // With nobody left to step, all are at `hi` or under a closed ceiling.
            let Some(&Reverse((level, _))) = queue.peek() else {
                return first;
            };
            group.clear();
            while let Some(top) = queue.peek_mut()
                && top.0.0 == level
            {
                group.push(PeekMut::pop(top).0.1);
            }
            after.clone_from(left);
            for class in group.iter().map(|&k: &usize| &active[k]) {
                class.pay_all(&mut after, class.next());
            }
            if after.iter().any(|&left| left < 0) {
                first.get_or_insert(level);
                for (closed, left) in closed.iter_mut().zip(&after) {
                    *closed |= *left < 0;
                }
                break;
            }
            left.clone_from(&after);
            for &k in &group {
                active[k].size = active[k].next();
                if !active[k].is_full() {
                    queue.push(Reverse((active[k].level(), k)));
                }
            }
        }
    }
}

/// Brings the classes close below the level at which a ceiling breaks. Costs only grow with the
/// level, so bisection finds it, with one pass over the classes per bit. It ends when even the
/// heaviest claim moves by no more than a fraction of a step: the few steps left are then cheaper
/// to take one by one.
fn leap(active: &mut [&mut Class<'_>], left: &mut [i128]) {
    let full = |class: &&mut Class<'_>| {
        let hi = u128::from(class.claim.hi) << FINE;
        hi.div_ceil(class.weight.into())
    };
    let heaviest = active.iter().map(|class| class.weight).max().unwrap_or(1);
    let near = (u128::from(STEP) << FINE) / u128::from(heaviest) / 16;
    let mut safe = 0;
    let mut most = active.iter().map(full).max().unwrap_or(0);
    let mut after = Vec::new();
    while most - safe > near {
        let middle = most - (most - safe) / 2;
        after.clear();
        after.extend_from_slice(left);
        // One broken ceiling settles it: the classes still to come can only take more.
        let mut pays = active
            .iter()
            .map(|class| class.pay_all(&mut after, class.at(middle)));
        if pays.all(|whole| whole) {
            safe = middle;
        } else {
            most = middle - 1;
        }
    }
    for class in active {
        class.grow(left, class.at(safe));
    }
}

/// Deals what is left in single steps, each to the claim with the lowest level, then lowest index,
/// and returns the sizes.
///
/// Room only shrinks, so a claim that cannot take its step never can, and neither can its equals;
/// only those that are ahead go on, for the last step to `hi` may be smaller. Every claim here is
/// under a closed ceiling, which had less left than one step of all its claims costs: that bounds
/// the number of turns.
fn deal(classes: &mut [Class<'_>], left: &mut [i128], claims: usize) -> Vec<u64> {
    let mut sizes = vec![0; claims];
    for class in &*classes {
        for &member in class.members {
            sizes[member] = class.size;
        }
    }
    let turn = |(k, class): (usize, &Class<'_>)| {
        (!class.is_full()).then(|| Reverse((class.level(), class.members[0], k)))
    };
    let mut queue: BinaryHeap<_> = classes.iter().enumerate().filter_map(turn).collect();
    while let Some(mut top) = queue.peek_mut() {
        let Reverse((level, member, k)) = &mut *top;
        let class = &mut classes[*k];
        let next = class.next();
        let bytes = i128::from(next - class.size);
        if class.pay(left, bytes) {
            sizes[*member] = next;
            class.ahead += 1;
        } else {
            class.pay(left, -bytes);
            class.members = &class.members[..class.ahead];
        }
        if class.ahead == class.members.len() {
            (class.size, class.ahead) = (next, 0);
            if class.members.is_empty() || class.is_full() {
                PeekMut::pop(top);
                continue;
            }
        }
        (*level, *member) = (class.level(), class.members[class.ahead]);
    }
    sizes
}
