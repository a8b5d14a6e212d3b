//! Re-checks T3: what each container was seen to need against what it may have, and the verdict of each service and of
//! all of them.

use super::services::pod_of;
use super::{Check, Facts};
use crate::base::quantity::MIB;
use crate::report::{Need, Service, Verdict};

/// What readings say of the limit of a container: enough only if the most that was seen fits beside the pod's own
/// process, too little if more was in use.
fn verdict(need: &Need<'_>, pause: u64) -> Verdict {
    let Some(limit) = need.limit_bytes else {
        return Verdict::Unknown;
    };
    let (lower, upper) = (need.lower_bytes.unwrap_or(0), need.upper_bytes);
    if lower > limit || upper.is_some_and(|upper| upper > limit) {
        return Verdict::Refuted;
    }
    let with = |upper: u64| {
        let all = [upper, need.in_memory_bytes, pause];
        all.into_iter().map(u128::from).sum::<u128>()
    };
    match upper {
        Some(upper) if lower <= upper && with(upper) <= limit.into() => Verdict::Proved,
        Some(_) | None => Verdict::Unknown,
    }
}

impl Check {
    /// Re-checks what is stated of the readings of a service.
    pub(super) fn evidence(&mut self, place: &str, service: &Service<'_>) {
        let Some(stated) = &service.evidence else {
            return;
        };
        self.holds(place, service.pods_at_peak > 0, || {
            "nothing of it runs, and its verdict is about nothing".to_owned()
        });
        self.holds(place, stated.pause_bytes == MIB, || {
            format!("pauseBytes is {}, and not 1Mi", stated.pause_bytes)
        });
        let Some((main, beside)) = stated.containers.split_first() else {
            self.fault(place, "its evidence names no container");
            return;
        };
        let unlimited = { service.adopted.as_ref() }.is_some_and(|adopted| !adopted.bounded);
        let same = |need: &Need<'_>, bytes: u64| match need.limit_bytes {
            Some(limit) => limit == bytes,
            None => unlimited,
        };
        let agrees = same(main, service.main_limit_bytes)
            && beside.len() == service.beside.len()
            && { beside.iter().zip(&service.beside) }
                .all(|(need, extra)| need.name == extra.name && same(need, extra.bytes));
        self.holds(place, agrees, || {
            "its evidence is of other containers or limits than it has".to_owned()
        });
        for need in &stated.containers {
            let named = need.lower_bytes.is_some() == need.lower_origin.is_some()
                && need.upper_bytes.is_some() == need.upper_origin.is_some();
            self.holds(place, named, || {
                format!("a reading of `{}` has no origin", need.name)
            });
            let zero = [need.lower_bytes, need.upper_bytes].contains(&Some(0));
            self.holds(place, !zero, || {
                format!("a reading of `{}` is of 0 bytes", need.name)
            });
        }
        let seen = main.upper_bytes.map(|upper| {
            let most = upper.max(main.lower_bytes.unwrap_or(0));
            pod_of(
                most.saturating_add(main.in_memory_bytes),
                &service.beside,
                |extra| extra.bytes,
            )
        });
        self.holds(place, stated.peak_bytes.map(u128::from) == seen, || {
            format!(
                "peakBytes is {:?}, its containers make {seen:?}",
                stated.peak_bytes
            )
        });
        let each: Vec<Verdict> = { stated.containers.iter() }
            .map(|need| verdict(need, stated.pause_bytes))
            .collect();
        let worst = [Verdict::Refuted, Verdict::Unknown]
            .into_iter()
            .find(|verdict| each.contains(verdict))
            .unwrap_or(Verdict::Proved);
        self.holds(place, stated.verdict == worst, || {
            format!(
                "its verdict is {:?}, its readings make it {worst:?}",
                stated.verdict
            )
        });
    }
}

/// Whether every service that runs is known to have enough, and how T3 counts them in words.
pub(super) fn sufficiency(facts: &Facts<'_>) -> (bool, String) {
    let running = { facts.report.services.iter() }.filter(|service| service.pods_at_peak > 0);
    let count = running.clone().count();
    let measured: Vec<Verdict> = running
        .filter_map(|service| Some(service.evidence.as_ref()?.verdict))
        .collect();
    let proved = measured
        .iter()
        .filter(|verdict| **verdict == Verdict::Proved)
        .count();
    let of = match measured.is_empty() {
        true => String::new(),
        false => format!("{proved} of "),
    };
    let says = match count {
        0 => "no service".to_owned(),
        1 => format!("{of}1 service"),
        n => format!("{of}{n} services"),
    };
    (proved == count, says)
}

/// Whether a reading is against the limit of a container.
pub(super) fn refutes(facts: &Facts<'_>) -> bool {
    let mut measured = { facts.report.services.iter() }.filter_map(|one| one.evidence.as_ref());
    measured.any(|known| known.verdict == Verdict::Refuted)
}
