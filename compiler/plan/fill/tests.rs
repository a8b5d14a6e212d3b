//! The solver against two slow and obvious ones: all vectors, and all candidate levels.

use super::{Claim, Excess, Fill, STEP, fill};
use crate::base::random::Random;
use std::cmp::Ordering;

const MI: u64 = 1 << 20;

impl Random {
    /// A whole number of mebibytes, and one time in four some bytes more.
    fn bytes(&mut self, from: u64, to: u64) -> u64 {
        let odd = if self.below(4) == 0 {
            self.below(MI)
        } else {
            0
        };
        (from + self.below(to - from)) * MI + odd
    }

    fn claim(&mut self, span: u64, ceilings: u64) -> Claim {
        let lo = self.bytes(1, 7);
        let hi = lo + self.bytes(0, span);
        let weight = match self.below(3) {
            0 => lo,
            1 => 1 + self.below(5),
            _ => 1 + self.below(8 * MI),
        };
        let copies = self.below(5);
        let below: Vec<u16> = (1..ceilings as u16)
            .filter(|_| self.below(2) == 0)
            .collect();
        // At some ceilings not all pods count.
        let mut under: Vec<(u16, u64)> = below
            .into_iter()
            .map(|c| {
                (
                    c,
                    if self.below(3) == 0 {
                        self.below(5)
                    } else {
                        copies
                    },
                )
            })
            .collect();
        under.insert(self.below(under.len() as u64 + 1) as usize, (0, copies));
        Claim {
            lo,
            hi,
            weight,
            under,
        }
    }

    /// Claims under the node (ceiling 0) and some budgets, some of the claims alike.
    fn case(&mut self, most: u64, span: u64, ceilings: u64) -> (Vec<Claim>, Vec<u64>) {
        let mut claims: Vec<Claim> = Vec::new();
        for _ in 0..1 + self.below(most) {
            let twin = claims.last().filter(|_| self.below(4) == 0).cloned();
            claims.push(twin.unwrap_or_else(|| self.claim(span, ceilings)));
        }
        let rooms = (0..ceilings as usize).map(|ceiling| {
            let least = used(&claims, &los(&claims), ceiling);
            let most = used(&claims, &his(&claims), ceiling);
            // Mostly between the two, sometimes too low or more than enough.
            let room = least + self.below(most - least + 2 * MI);
            if self.below(12) == 0 {
                room.saturating_sub(self.bytes(1, 9))
            } else {
                room
            }
        });
        let rooms = rooms.collect();
        (claims, rooms)
    }
}

fn one(lo: u64, hi: u64, weight: u64, copies: u64) -> Claim {
    Claim {
        lo,
        hi,
        weight,
        under: vec![(0, copies)],
    }
}

/// How many pods of a claim count at a ceiling.
fn copies(claim: &Claim, ceiling: u16) -> u64 {
    claim
        .under
        .iter()
        .filter(|(c, _)| *c == ceiling)
        .map(|(_, copies)| copies)
        .sum()
}

fn los(claims: &[Claim]) -> Vec<u64> {
    claims.iter().map(|c| c.lo).collect()
}

fn his(claims: &[Claim]) -> Vec<u64> {
    claims.iter().map(|c| c.hi).collect()
}

fn used(claims: &[Claim], sizes: &[u64], ceiling: usize) -> u64 {
    claims
        .iter()
        .zip(sizes)
        .map(|(c, size)| copies(c, ceiling as u16) * size)
        .sum()
}

fn broken(claims: &[Claim], sizes: &[u64], rooms: &[u64]) -> Vec<u16> {
    let ceilings = 0..rooms.len();
    ceilings
        .filter(|&c| used(claims, sizes, c) > rooms[c])
        .map(|c| c as u16)
        .collect()
}

fn allowed(claim: &Claim) -> Vec<u64> {
    let inner = (0..=claim.hi / MI)
        .map(|n| n * MI)
        .filter(|&v| v > claim.lo && v < claim.hi);
    let mut values: Vec<u64> = std::iter::once(claim.lo).chain(inner).collect();
    if claim.hi > claim.lo {
        values.push(claim.hi);
    }
    values
}

type Fraction = (u64, u64);

fn compare(a: &Fraction, b: &Fraction) -> Ordering {
    (u128::from(a.0) * u128::from(b.1)).cmp(&(u128::from(b.0) * u128::from(a.1)))
}

/// The lowest level among the claims that are not at `hi`.
fn lowest(claims: &[Claim], sizes: &[u64]) -> Option<Fraction> {
    let levels = claims.iter().zip(sizes).filter(|(c, size)| **size < c.hi);
    levels.map(|(c, size)| (*size, c.weight)).min_by(compare)
}

/// None counts as higher than every level.
fn compare_lowest(a: &Option<Fraction>, b: &Option<Fraction>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => compare(a, b),
        (a, b) => a.is_none().cmp(&b.is_none()),
    }
}

/// The best lowest level over all vectors of allowed values; the outer None if none of them fits.
fn exhaust(claims: &[Claim], room: u64) -> Option<Option<Fraction>> {
    let values: Vec<Vec<u64>> = claims.iter().map(allowed).collect();
    let mut digits = vec![0; claims.len()];
    let mut best = None;
    loop {
        let sizes: Vec<u64> = digits
            .iter()
            .zip(&values)
            .map(|(&d, v): (&usize, _)| v[d])
            .collect();
        if used(claims, &sizes, 0) <= room {
            let here = lowest(claims, &sizes);
            if best
                .as_ref()
                .is_none_or(|best| compare_lowest(&here, best).is_gt())
            {
                best = Some(here);
            }
        }
        let Some(k) = (0..digits.len()).find(|&k| digits[k] + 1 < values[k].len()) else {
            return best;
        };
        digits[..k].fill(0);
        digits[k] += 1;
    }
}

/// Progressive filling by trying all candidate levels, then single steps by sorting every time.
fn reference(claims: &[Claim], rooms: &[u64]) -> Option<(Vec<u64>, Option<Fraction>)> {
    if !broken(claims, &los(claims), rooms).is_empty() {
        return None;
    }
    let values: Vec<Vec<u64>> = claims.iter().map(allowed).collect();
    let at = |i: usize, level: &Fraction| {
        let enough = |v: &u64| compare(&(*v, claims[i].weight), level).is_ge();
        let first = values[i].partition_point(|v| !enough(v));
        values[i].get(first).copied().unwrap_or(claims[i].hi)
    };
    let mut sizes = his(claims);
    let mut active: Vec<usize> = (0..claims.len())
        .filter(|&i| claims[i].under.iter().any(|c| c.1 > 0))
        .collect();
    let mut first = None;
    while !active.is_empty() {
        let mut levels: Vec<Fraction> = Vec::new();
        for &i in &active {
            levels.extend(values[i].iter().map(|&v| (v, claims[i].weight)));
        }
        levels.sort_by(compare);
        let mut end = Vec::new();
        let mut last = None;
        for level in levels {
            let mut tried = sizes.clone();
            for &i in &active {
                tried[i] = at(i, &level);
            }
            end = broken(claims, &tried, rooms);
            if !end.is_empty() {
                break;
            }
            (sizes, last) = (tried, Some(level));
        }
        if !end.is_empty() {
            first = first.or(last);
        }
        active.retain(|&i| sizes[i] < claims[i].hi);
        active.retain(|&i| !claims[i].under.iter().any(|(c, _)| end.contains(c)));
    }
    loop {
        let mut order: Vec<usize> = (0..claims.len()).collect();
        order.sort_by(|&a, &b| {
            compare(&(sizes[a], claims[a].weight), &(sizes[b], claims[b].weight)).then(a.cmp(&b))
        });
        let step = order
            .into_iter()
            .find_map(|i| step(claims, &sizes, rooms, i));
        let Some(next) = step else {
            return Some((sizes, first));
        };
        sizes = next;
    }
}

/// The sizes with the next allowed value for claim `i`, if that exists and breaks no ceiling.
fn step(claims: &[Claim], sizes: &[u64], rooms: &[u64], i: usize) -> Option<Vec<u64>> {
    let mut next = sizes.to_vec();
    next[i] = *allowed(&claims[i]).iter().find(|&&v| v > sizes[i])?;
    broken(claims, &next, rooms).is_empty().then_some(next)
}

fn fitted(claims: &[Claim], rooms: &[u64]) -> Option<(Vec<u64>, Option<Fraction>)> {
    match fill(claims, rooms) {
        Fill::Fits { sizes, level } => Some((sizes, level)),
        Fill::Over(_) => None,
    }
}

fn is_like_the_reference(claims: &[Claim], rooms: &[u64]) {
    let (got, want) = (fitted(claims, rooms), reference(claims, rooms));
    let sizes = |answer: &Option<(Vec<u64>, Option<Fraction>)>| answer.clone().map(|a| a.0);
    assert_eq!(sizes(&got), sizes(&want), "{claims:?} {rooms:?}");
    let level = |answer: Option<(Vec<u64>, Option<Fraction>)>| answer.and_then(|a| a.1);
    let (got, want) = (level(got), level(want));
    assert!(
        compare_lowest(&got, &want).is_eq(),
        "{claims:?} {rooms:?} {got:?} {want:?}"
    );
}

#[test]
fn one_ceiling_equals_exhaustive_search() {
    let mut random = Random(1);
    let (mut fits, mut capped) = (0, 0);
    for _ in 0..10_000 {
        let (claims, rooms) = random.case(3, 5, 1);
        let best = exhaust(&claims, rooms[0]);
        let Some((sizes, level)) = fitted(&claims, &rooms) else {
            assert_eq!(best, None, "{claims:?} {rooms:?}");
            continue;
        };
        fits += 1;
        capped += u32::from(level.is_some());
        let best = best.unwrap_or_default();
        let lowest = lowest(&claims, &sizes);
        assert!(
            compare_lowest(&lowest, &best).is_eq(),
            "{claims:?} {rooms:?} {sizes:?}"
        );
        assert!(
            compare_lowest(&level, &best).is_eq(),
            "{claims:?} {rooms:?} {level:?}"
        );
        is_like_the_reference(&claims, &rooms);
    }
    assert!(fits > 8_000 && capped > 5_000, "{fits} {capped}");
}

#[test]
fn several_ceilings_equal_progressive_filling() {
    let mut random = Random(2);
    let mut capped = 0;
    for _ in 0..3_000 {
        let ceilings = 2 + random.below(4);
        let (claims, rooms) = random.case(6, 6, ceilings);
        is_like_the_reference(&claims, &rooms);
        let Some((sizes, level)) = fitted(&claims, &rooms) else {
            continue;
        };
        capped += u32::from(level.is_some());
        assert!(
            broken(&claims, &sizes, &rooms).is_empty(),
            "{claims:?} {rooms:?}"
        );
        for (i, claim) in claims.iter().enumerate() {
            assert!(allowed(claim).contains(&sizes[i]));
            assert_eq!(
                step(&claims, &sizes, &rooms, i),
                None,
                "{claims:?} {rooms:?} {sizes:?}"
            );
        }
        let mut wider = rooms.clone();
        wider[random.below(ceilings) as usize] += random.bytes(0, 9);
        let raised = fitted(&claims, &wider).and_then(|answer| answer.1);
        assert!(
            compare_lowest(&raised, &level).is_ge(),
            "{claims:?} {rooms:?} {wider:?}"
        );
    }
    assert!(capped > 1_500, "{capped}");
}

#[test]
fn wide_ranges_equal_the_reference() {
    let mut random = Random(3);
    for _ in 0..25 {
        let (claims, rooms) = random.case(6, 500, 3);
        is_like_the_reference(&claims, &rooms);
    }
}

#[test]
fn order_matters_only_for_ties() {
    let mut random = Random(4);
    // None of these primes divides so few whole mebibytes: two claims are never at one level.
    let primes = [
        1_000_003, 1_000_033, 1_000_037, 1_000_039, 1_000_081, 1_000_099,
    ];
    for _ in 0..500 {
        let (mut claims, rooms) = random.case(6, 9, 3);
        for (claim, prime) in claims.iter_mut().zip(primes) {
            (claim.weight, claim.lo, claim.hi) = (prime, claim.lo / MI * MI, claim.hi / MI * MI);
        }
        let mut order: Vec<usize> = (0..claims.len()).collect();
        for k in 1..order.len() {
            order.swap(k, random.below(k as u64 + 1) as usize);
        }
        let shuffled: Vec<Claim> = order.iter().map(|&i| claims[i].clone()).collect();
        let want = fitted(&claims, &rooms)
            .map(|(sizes, level)| (order.iter().map(|&i| sizes[i]).collect::<Vec<_>>(), level));
        assert_eq!(fitted(&shuffled, &rooms), want);
    }
}

#[test]
fn ties_go_to_the_lower_index() {
    let claims = vec![one(4 * MI, 9 * MI, 4 * MI, 1); 3];
    let answer = fitted(&claims, &[17 * MI + 5]);
    assert_eq!(answer, Some((vec![6 * MI, 6 * MI, 5 * MI], Some((5, 4)))));
}

#[test]
fn ends_need_not_be_whole_mebibytes() {
    let claim = [one(64_000_000, 100_000_000, 64_000_000, 1)];
    let size = |room: u64| fitted(&claim, &[room]).map(|answer| answer.0[0]);
    assert_eq!(size(63_999_999), None);
    assert_eq!(size(64_000_000), Some(64_000_000));
    assert_eq!(size(62 * MI - 1), Some(64_000_000));
    assert_eq!(size(62 * MI), Some(62 * MI));
    assert_eq!(size(99_999_999), Some(95 * MI));
    assert_eq!(size(100_000_000), Some(100_000_000));
    assert_eq!(fitted(&claim, &[u64::MAX]), Some((vec![100_000_000], None)));
    let narrow = [one(MI + 1, MI + 2, MI, 1)];
    assert_eq!(
        fitted(&narrow, &[MI + 1]),
        Some((vec![MI + 1], Some((MI + 1, MI))))
    );
    assert_eq!(fitted(&narrow, &[MI + 2]), Some((vec![MI + 2], None)));
}

#[test]
fn every_ceiling_that_is_over_is_named() {
    let mut claims = vec![one(4 * MI, 8 * MI, 1, 3), one(2 * MI, 2 * MI, 1, 1)];
    claims[0].under = vec![(2, 3), (0, 3)];
    claims[1].under = vec![(0, 1), (1, 1)];
    let excess = |ceiling, deficit| Excess { ceiling, deficit };
    let over = fill(&claims, &[14 * MI - 1, 2 * MI, 0]);
    assert_eq!(over, Fill::Over(vec![excess(0, 1), excess(2, 12 * MI)]));
    assert!(fitted(&claims, &[14 * MI, 2 * MI, 12 * MI]).is_some());
    let huge = vec![one(1 << 50, 1 << 50, 1, 1_000_000); 10_000];
    assert_eq!(fill(&huge, &[0]), Fill::Over(vec![excess(0, u64::MAX)]));
}

#[test]
fn what_costs_nothing_gets_everything() {
    assert_eq!(fitted(&[], &[0]), Some((vec![], None)));
    let mut claims = vec![
        one(MI, 5 * MI, MI, 0),
        one(MI, 5 * MI, MI, 1),
        one(MI, 3 * MI, MI, 1),
    ];
    claims[2].under.clear();
    let answer = fitted(&claims, &[2 * MI]);
    assert_eq!(answer, Some((vec![5 * MI, 2 * MI, 3 * MI], Some((2, 1)))));
}

/// A budget that is full holds back its own claims, and the others share what they leave.
#[test]
fn a_full_budget_does_not_stop_the_node() {
    let mut claims = vec![one(10 * MI, 90 * MI, 10 * MI, 1); 3];
    claims[1].under.push((1, 1));
    let answer = fitted(&claims, &[100 * MI, 15 * MI]);
    assert_eq!(
        answer,
        Some((vec![43 * MI, 15 * MI, 42 * MI], Some((3, 2))))
    );
}

#[test]
fn extremes_neither_overflow_nor_hang() {
    let end = 1 << 50;
    for weight in [0, 1, end - 1, end, u64::MAX] {
        let claims = [
            one(0, end, weight, 1_000_000),
            one(1, end, 1, 1),
            one(end, end, end, 0),
        ];
        let answer = fitted(&claims, &[end + 7]);
        assert!(answer.is_some_and(|(sizes, _)| {
            sizes[2] == end && broken(&claims, &sizes, &[end + 7]).is_empty()
        }));
    }
    let claims = [one(u64::MAX - STEP, u64::MAX, 1, 1)];
    assert_eq!(fitted(&claims, &[u64::MAX]), Some((vec![u64::MAX], None)));
    let claims = vec![one(end, end + STEP, end, 1); 4096];
    let want = Some((vec![end; 4096], Some((1, 1))));
    assert_eq!(fitted(&claims, &[end * 4096]), want);
}

#[test]
fn ten_thousand_different_claims_leave_no_step_untaken() {
    let mut random = Random(5);
    let claims: Vec<Claim> = (0..10_000)
        .map(|i| Claim {
            lo: random.bytes(8, 64),
            hi: random.bytes(64, 10_000),
            weight: 1 + random.below(1 << 30),
            under: vec![(0, 1 + random.below(9)), (1 + i % 8, 1 + random.below(9))],
        })
        .collect();
    let rooms: Vec<u64> = (0..9)
        .map(|c| used(&claims, &los(&claims), c) / 4 * (5 + c as u64 * 3))
        .collect();
    let sizes = fitted(&claims, &rooms).map_or(vec![], |answer| answer.0);
    assert_eq!(sizes.len(), claims.len());
    let left: Vec<u64> = (0..9)
        .map(|c| rooms[c] - used(&claims, &sizes, c))
        .collect();
    for (claim, size) in claims.iter().zip(sizes) {
        let next = claim.hi.min((size / MI + 1) * MI);
        let is_stuck = |&(c, copies): &(u16, u64)| copies * (next - size) > left[usize::from(c)];
        assert!(size == claim.hi || claim.under.iter().any(is_stuck));
    }
}
