//! Re-checks the largest sum of limits on one node: over all sets of pods whose requests are admitted together,
//! `spec/06-proof.md` r[proof.interference].

use std::collections::BTreeMap;

use crate::base::quantity::MIB;

/// Equal pods that may be on a node at once: request and limit of one, and how many there are.
pub(super) type Pods = (u64, u64, u64);

/// Steps of the search after which the rule takes the simpler bound.
const STEPS: u128 = 50_000_000;

/// The most, in bytes.
pub(super) fn most(pods: &[Pods], allocatable: u64) -> u128 {
    let sum = |of: fn(&Pods) -> u128| pods.iter().map(of).fold(0_u128, u128::saturating_add);
    let all = sum(|(_, limit, count)| u128::from(*limit) * u128::from(*count));
    let room = u128::from(allocatable);
    if all <= room {
        return all;
    }
    let gaps = sum(|(request, limit, count)| {
        u128::from(limit.saturating_sub(*request)) * u128::from(*count)
    });
    if gaps == 0 {
        return room;
    }
    // Pods are grouped by their requests in whole Mi, rounded down, and their limits.
    let mut sizes: BTreeMap<(u64, u64), u64> = BTreeMap::new();
    for (request, limit, count) in pods {
        let alike = sizes.entry((request / MIB, *limit)).or_default();
        *alike = alike.saturating_add(*count);
    }
    let rows = allocatable / MIB;
    let fit = |request: u64, count: u64| {
        rows.checked_div(request)
            .map_or(count, |most| most.min(count))
    };
    // Halving a number until nothing is left takes as many steps as it has binary digits.
    let digits = |count: u64| u128::from(u64::BITS - count.leading_zeros());
    let steps: u128 = sizes
        .iter()
        .map(|((request, _), count)| digits(fit(*request, *count)))
        .sum();
    let steps = steps.saturating_mul(u128::from(rows) + 1);
    let Some(rows) = usize::try_from(rows).ok().filter(|_| steps <= STEPS) else {
        return all.min(room.saturating_add(gaps));
    };
    let mut best = vec![0_u128; rows + 1];
    for ((request, limit), count) in sizes {
        let count = fit(request, count);
        let limit = u128::from(limit);
        let of_all = limit.saturating_mul(count.into());
        match usize::try_from(request) {
            Ok(0) => best
                .iter_mut()
                .for_each(|best| *best = best.saturating_add(of_all)),
            Ok(request) => best = with_pods_of(&best, request, limit, count),
            Err(_) => {}
        }
    }
    best[rows]
}

/// The best sums when up to `count` pods of one size may join. Of all rooms that differ by whole pods, a window of so
/// many slides over what they were before, less what the pods in between take.
fn with_pods_of(before: &[u128], request: usize, limit: u128, count: u64) -> Vec<u128> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let mut after = before.to_vec();
    for start in 0..request.min(before.len()) {
        // Positions in the window, best first; the value of one is its sum without the pods up to it.
        let mut window: std::collections::VecDeque<(usize, i128)> =
            std::collections::VecDeque::new();
        for (at, room) in (start..before.len()).step_by(request).enumerate() {
            let shift =
                |at: usize| i128::try_from(limit.saturating_mul(at as u128)).unwrap_or(i128::MAX);
            let value = i128::try_from(before[room]).unwrap_or(i128::MAX) - shift(at);
            while window.back().is_some_and(|(_, last)| *last <= value) {
                window.pop_back();
            }
            window.push_back((at, value));
            while window.front().is_some_and(|(first, _)| at - first > count) {
                window.pop_front();
            }
            if let Some((_, value)) = window.front() {
                after[room] = u128::try_from(value.saturating_add(shift(at))).unwrap_or(0);
            }
        }
    }
    after
}

#[cfg(test)]
mod tests {
    use super::{MIB, Pods, most};

    #[test]
    fn the_most_is_that_of_the_worst_set() {
        let pods: Vec<Pods> = vec![(300 * MIB, 300 * MIB, 2), (64 * MIB, 100 * MIB, 1)];
        assert_eq!(most(&pods, 600 * MIB), u128::from(600 * MIB));
        assert_eq!(most(&pods, 664 * MIB), u128::from(700 * MIB));
        assert_eq!(most(&pods, 1000 * MIB), u128::from(700 * MIB));
        assert_eq!(
            most(&[(64 * MIB, 64 * MIB, 99)], 640 * MIB),
            u128::from(640 * MIB)
        );
        let bursting: Vec<Pods> = vec![(64 * MIB, 256 * MIB, 6), (0, 8 * MIB, 3)];
        assert_eq!(most(&bursting, 200 * MIB), u128::from((3 * 256 + 24) * MIB));
    }
}
