//! Schedules of CronJobs, as far as anything depends on them: whether one is a schedule, and how soon after a run the
//! next one may be due. Syntax as of github.com/robfig/cron/v3, which Kubernetes reads them with.

const WORDS: [&str; 7] = [
    "@yearly",
    "@annually",
    "@monthly",
    "@weekly",
    "@daily",
    "@midnight",
    "@hourly",
];
/// Least and most of each field; a step is at least 1.
const BOUNDS: [(u32, u32); 5] = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 6)];
const NAMES: [&str; 19] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "sun",
    "mon", "tue", "wed", "thu", "fri", "sat",
];
const EVERY: &str = "@every ";
/// Seconds.
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// Five fields of numbers, names, ranges and steps in their bounds, or one of cron's words.
pub(crate) fn is_cron(text: &str) -> bool {
    let plain = |(field, (least, most)): (&str, &(u32, u32))| {
        field.split(',').all(|part| {
            let (range, step) = with_step(part);
            let in_range = |end: &str| match end.parse::<u32>() {
                Ok(number) => (*least..=*most).contains(&number),
                Err(_) => NAMES.contains(&end.to_ascii_lowercase().as_str()),
            };
            let range = is_any(range) || range.splitn(2, '-').all(in_range);
            range && step.is_none_or(|step| step.parse::<u32>().is_ok_and(|step| step > 0))
        })
    };
    let every = text
        .strip_prefix(EVERY)
        .is_some_and(|time| time.starts_with(|c: char| c.is_ascii_digit()));
    every
        || WORDS.contains(&text)
        || (text.split_whitespace().count() == 5 && text.split_whitespace().zip(&BOUNDS).all(plain))
}

/// Seconds between a run and the next at the least, and never more than there are: an hour at most for a schedule that
/// is not said with `@every`, for that is what lies between two hours whatever the clock does, and a minute or a second
/// for one that is not understood.
pub(super) fn least_period(text: &str) -> u64 {
    if let Some(time) = text.strip_prefix(EVERY) {
        return seconds(time).map_or(1, |seconds| seconds.max(1));
    }
    if WORDS.contains(&text) {
        return HOUR;
    }
    let mut fields = text.split_whitespace();
    let minutes = fields.find(|field| !field.contains('='));
    let Some(minutes) = minutes.and_then(minutes_of) else {
        return MINUTE;
    };
    let after = |minute: u64| {
        let later = minutes.iter().find(|other| **other > minute);
        later.or(minutes.first()).map(|next| match *next {
            next if next > minute => next - minute,
            next => next + 60 - minute,
        })
    };
    let gaps = minutes.iter().filter_map(|minute| after(*minute));
    gaps.min().unwrap_or(1) * MINUTE
}

/// The minutes that the first field of a schedule names, in order.
fn minutes_of(field: &str) -> Option<Vec<u64>> {
    let mut named = [false; 60];
    for part in field.split(',') {
        let (range, step) = with_step(part);
        let step: usize = step.map_or(Some(1), |step| step.parse().ok())?;
        let (first, last): (usize, usize) = match range.split_once('-') {
            _ if is_any(range) => (0, 59),
            Some((first, last)) => (first.parse().ok()?, last.parse().ok()?),
            // With a step the last minute is the end, without one it is the first.
            None if part.contains('/') => (range.parse().ok()?, 59),
            None => (range.parse().ok()?, range.parse().ok()?),
        };
        if step == 0 {
            return None;
        }
        for minute in (first..=last).step_by(step) {
            *named.get_mut(minute)? = true;
        }
    }
    let minutes = (0_u64..).zip(named).filter(|(_, is_named)| *is_named);
    Some(minutes.map(|(minute, _)| minute).collect())
}

/// Whole seconds of a duration as Go writes it, `1h30m`; none for one in parts of units.
fn seconds(time: &str) -> Option<u64> {
    let (mut sum, mut rest) = (0_u64, time.trim());
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at(end);
        let number: u64 = number.parse().ok()?;
        let unit = after.find(|c: char| c.is_ascii_digit() || c == '.');
        let (unit, after) = after.split_at(unit.unwrap_or(after.len()));
        let of = match unit {
            "h" => number.checked_mul(HOUR)?,
            "m" => number.checked_mul(MINUTE)?,
            "s" => number,
            _ => return None,
        };
        (sum, rest) = (sum.checked_add(of)?, after);
    }
    Some(sum)
}

fn with_step(part: &str) -> (&str, Option<&str>) {
    part.split_once('/')
        .map_or((part, None), |(range, step)| (range, Some(step)))
}

fn is_any(range: &str) -> bool {
    matches!(range, "*" | "?")
}

#[cfg(test)]
mod tests {
    use super::least_period;

    #[test]
    fn the_least_time_between_two_runs() {
        for (schedule, seconds) in [
            ("* * * * *", 60),
            ("*/15 * * * *", 900),
            // 56 and then 0.
            ("*/7 * * * *", 240),
            ("0,50 3 * * *", 600),
            ("5/20 * * * *", 1200),
            ("10-12 * * * *", 60),
            ("7 3 * * *", 3600),
            ("@daily", 3600),
            ("@every 90s", 90),
            ("@every 1h30m", 5400),
            ("@every 500ms", 1),
            ("@every 1.5h", 1),
            ("CRON_TZ=Europe/Berlin 30 3 * * *", 3600),
            ("nonsense", 60),
            ("", 60),
            ("70 * * * *", 60),
            ("*/0 * * * *", 60),
        ] {
            assert_eq!(least_period(schedule), seconds, "{schedule}");
        }
    }
}
