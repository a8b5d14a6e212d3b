//! Work on many things, by as many threads as there are cores, with the results in the order of the things.

use std::panic::resume_unwind;
use std::thread;

/// Cuts `items` into as many parts as there are cores, of at least `least` items each, and works on all parts at once.
/// The results stand in the order of the parts. With one part, or no threads to be had, this thread does the work.
pub fn in_parts<T: Sync, R: Send>(
    items: &[T],
    least: usize,
    work: impl Fn(&[T]) -> R + Sync,
) -> Vec<R> {
    let most = items.len() / least.max(1);
    let cores = match most {
        // Asking the system costs as much as a small program.
        0 | 1 => 1,
        _ => thread::available_parallelism()
            .map_or(1, usize::from)
            .min(most),
    };
    let mut parts = items.chunks(items.len().div_ceil(cores).max(1));
    let Some(first) = parts.next() else {
        return Vec::new();
    };
    thread::scope(|scope| {
        let work = &work;
        let others: Vec<_> = parts
            .map(|part| {
                let spawned = thread::Builder::new().spawn_scoped(scope, move || work(part));
                spawned.map_err(|_| part)
            })
            .collect();
        let mut results = vec![work(first)];
        results.extend(others.into_iter().map(|other| match other {
            Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            Err(part) => work(part),
        }));
        results
    })
}

#[cfg(test)]
mod tests {
    use super::in_parts;

    #[test]
    fn results_stand_in_the_order_of_the_items() {
        for (count, least) in [(0, 1), (1, 1), (7, 1), (1000, 10), (1000, 5000)] {
            let items: Vec<usize> = (0..count).collect();
            let parts = in_parts(&items, least, <[usize]>::to_vec);
            assert_eq!(parts.concat(), items, "{count} by at least {least}");
        }
    }
}
