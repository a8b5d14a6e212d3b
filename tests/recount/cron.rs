//! When a CronJob runs, and how many runs that were replaced may still be on their way out.

/// How many runs may have been told to end within one grace. A run that is due while K3s is away starts when it is back,
/// if no later one is due by then: so the first of them may be due a whole period before.
pub(super) fn replaced_at_once(schedule: &str, grace: u64) -> u128 {
    let period = period(schedule);
    u128::from((grace + period).div_ceil(period))
}

/// Seconds between two times of a schedule at the least, no more than an hour but for `@every`.
fn period(schedule: &str) -> u64 {
    if let Some(every) = schedule.strip_prefix("@every ") {
        let number: u64 = every[..every.len() - 1].parse().unwrap_or(0);
        return match every.chars().last() {
            Some('h') => number * 3600,
            Some('m') => number * 60,
            Some('s') => number,
            _ => 1,
        }
        .max(1);
    }
    let minutes = schedule.split_whitespace().next().unwrap_or("*");
    let is_due = |minute: u64| {
        minutes.split(',').any(|part| {
            let (range, step) = part.split_once('/').unwrap_or((part, "1"));
            let step: u64 = step.parse().unwrap_or(1);
            let ends = range.split_once('-').map(|(a, b)| (a.parse(), b.parse()));
            let (first, last) = match (range, ends) {
                ("*", _) => (0, 59),
                (_, Some((Ok(first), Ok(last)))) => (first, last),
                (one, _) => match one.parse() {
                    Ok(one) if part.contains('/') => (one, 59),
                    Ok(one) => (one, one),
                    // A word: once an hour or less often.
                    Err(_) => (0, 0),
                },
            };
            (first..=last).contains(&minute) && (minute - first).is_multiple_of(step)
        })
    };
    let hour: Vec<u64> = (0..120).filter(|minute| is_due(minute % 60)).collect();
    let gaps = hour.windows(2).map(|pair| pair[1] - pair[0]);
    gaps.min().unwrap_or(1) * 60
}
