//! T3, sufficiency: from readings of memory that was in use to a verdict for every container, every service and all of
//! them. The rules are `spec/15-evidence.md`.

#[cfg(test)]
mod tests;

use super::floor::too_low;
use super::model::{Plan, Promise, Theorem, Verdict, Workload};
use super::words::named;
use crate::base::quantity::{MIB, in_mib};
use crate::evidence::{How, Interval, Of, Reading, Subject};
use crate::program::{Measured, Program, Service, VolumeSource};

/// What the container that holds the pod's namespaces takes at the most, in the same cgroup as the others. It takes less
/// than a MiB, and was the one that was killed (kubernetes/kubernetes#86337).
pub(crate) const PAUSE: u64 = MIB;

/// What is known of what a container needs, and what it may have.
#[derive(Debug)]
pub(crate) struct Need<'p> {
    /// The container.
    pub container: &'p str,
    /// Its limit, in bytes; none if nothing limits it.
    pub limit: Option<u64>,
    /// What its volumes in memory may hold, in bytes.
    pub in_memory: u64,
    /// What was read.
    pub known: Interval<'p>,
}

impl Need<'_> {
    /// The least that it needs, in bytes.
    pub(crate) fn lower(&self) -> Option<u64> {
        self.known.lower.and_then(|(_, reading)| reading.lower)
    }

    /// The most that it was seen to need, in bytes.
    pub(crate) fn upper(&self) -> Option<u64> {
        self.known.upper.and_then(|(_, reading)| reading.upper)
    }

    /// The most that it needs with all that its volumes in memory may hold, in bytes. None where more was in use at some
    /// time than that: then the load was another.
    pub(crate) fn most(&self) -> Option<u64> {
        let upper = self.upper().filter(|upper| self.lower() <= Some(*upper));
        upper.map(|upper| upper.saturating_add(self.in_memory))
    }

    /// Whether its limit is enough.
    pub(crate) fn verdict(&self) -> Verdict {
        let Some(limit) = self.limit else {
            return Verdict::Unknown;
        };
        let over = |bound: Option<u64>| bound.is_some_and(|bound| bound > limit);
        let fits = |most: u64| most.saturating_add(PAUSE) <= limit;
        match self.most() {
            _ if over(self.lower()) || over(self.upper()) => Verdict::Refuted,
            Some(most) if fits(most) => Verdict::Proved,
            Some(_) | None => Verdict::Unknown,
        }
    }

    /// Why it is not proved, of a container of a service; none where it is, and where nothing was read.
    pub(crate) fn why(&self, service: &str) -> Option<String> {
        let name = match self.container == service {
            true => format!("`{service}`"),
            false => format!("`{}` of `{service}`", self.container),
        };
        let Some(limit) = self.limit else {
            return Some(format!("nothing limits {name}"));
        };
        let may = format!("{name} may take {}", in_mib(limit));
        let seen = |how: How, reading: &Reading| {
            let at = &reading.last;
            let (lower, upper) = (in_mib(reading.lower?), reading.upper.map(in_mib));
            Some(match how {
                How::Oom => format!("was killed at {}, {at}", in_mib(reading.limit?)),
                How::Sample | How::Peak | How::Bisect => format!(
                    "{} were in use, {at}",
                    if upper.is_some() { upper? } else { lower }
                ),
            })
        };
        let over = |bound: Option<u64>| bound.is_some_and(|bound| bound > limit);
        match (self.known.lower, self.known.upper) {
            (Some((origin, reading)), _) if over(self.lower()) => {
                Some(format!("{may}, and {}", seen(origin.how, reading)?))
            }
            (_, Some((origin, reading))) if over(self.upper()) => Some(format!(
                "{may}, and {} was {}, {}",
                origin.how.words(),
                in_mib(reading.upper?),
                reading.last
            )),
            (Some(_), Some(_)) if self.most().is_none() => Some(format!(
                "{name} had {} in use, more than the {} that it was measured with: measure it under that load",
                in_mib(self.lower()?),
                in_mib(self.upper()?)
            )),
            (_, Some(_)) if self.verdict() == Verdict::Unknown => {
                let volumes = match self.in_memory {
                    0 => String::new(),
                    bytes => format!(" {} for its volumes in memory and", in_mib(bytes)),
                };
                Some(format!(
                    "{may}, and {} were measured: with{volumes} {} for the pod itself that is more",
                    in_mib(self.upper()?),
                    in_mib(PAUSE)
                ))
            }
            (_, Some(_)) => None,
            (Some(_), None) => Some(format!(
                "{name} needs {} at least, and what would be enough was not measured",
                in_mib(self.lower()?)
            )),
            (None, None) => self.known.stale.map(|origin| {
                let image = origin.image.as_deref().or(origin.digest.as_deref());
                format!(
                    "what was read of {name} is of another image, `{}`",
                    image.unwrap_or_default()
                )
            }),
        }
    }
}

/// What volumes in memory may hold, in bytes: what a container writes into one is charged to its limit.
pub(super) fn in_memory(service: &Service<'_>) -> u64 {
    let volumes = service.pod.volumes.iter();
    let sizes = volumes.map(|volume| match &volume.source {
        VolumeSource::Memory(size) => size.value.n,
        VolumeSource::Claim(_)
        | VolumeSource::OwnClaims
        | VolumeSource::Storage(_)
        | VolumeSource::Config(_)
        | VolumeSource::Secret(_)
        | VolumeSource::Disk(_)
        | VolumeSource::Host(_) => 0,
    });
    sizes.sum()
}

/// What is known of a container that runs this image.
fn known<'p>(measured: &'p Measured<'_>, service: &str, part: &str, image: &str) -> Interval<'p> {
    let subject = Subject {
        of: Of::Service,
        name: service.to_owned(),
        part: part.to_owned(),
    };
    measured.evidence.interval(&subject, Some(image))
}

/// What is known of the containers of a service, the main one first; empty where there are no readings at all.
pub(crate) fn needs<'p>(
    program: &'p Program<'_>,
    service: &'p Service<'_>,
    workload: &Workload<'_>,
) -> Vec<Need<'p>> {
    let Some(measured) = &program.evidence else {
        return Vec::new();
    };
    let held = |extra| service.adopted.as_ref()?.held(extra);
    let name = service.name.value;
    let limit = |extra, bytes: u64| match held(extra) {
        Some((_, held)) if held.unbounded => None,
        Some(_) | None => Some(bytes),
    };
    let main = service.main_container();
    let image = service.image_reference(&program.digests);
    let main = Need {
        container: main,
        limit: limit(None, workload.limit.n),
        in_memory: in_memory(service),
        known: known(measured, name, main, &image),
    };
    let extras = crate::base::id::numbered(&service.extras).map(|(id, extra)| Need {
        container: extra.name.value,
        limit: limit(Some(id), extra.memory.value.n),
        in_memory: 0,
        known: known(measured, name, extra.name.value, &extra.image.value),
    });
    std::iter::once(main).chain(extras).collect()
}

/// The most that the main container of a service was seen to need, with its volumes in memory, in bytes.
pub(super) fn measured(program: &Program<'_>, service: &Service<'_>) -> Option<u64> {
    let measured = program.evidence.as_ref()?;
    let image = service.image_reference(&program.digests);
    let known = known(
        measured,
        service.name.value,
        service.main_container(),
        &image,
    );
    let upper = known.upper?.1.upper?;
    let lower = known.lower.and_then(|(_, reading)| reading.lower);
    Some(
        upper
            .max(lower.unwrap_or(0))
            .saturating_add(in_memory(service)),
    )
}

/// The verdict of a service: that of the container that stands worst.
pub(crate) fn of_service(needs: &[Need<'_>]) -> Verdict {
    let has = |verdict| needs.iter().any(|need| need.verdict() == verdict);
    match (has(Verdict::Refuted), has(Verdict::Unknown)) {
        (true, _) => Verdict::Refuted,
        (false, true) => Verdict::Unknown,
        (false, false) if needs.is_empty() => Verdict::Unknown,
        (false, false) => Verdict::Proved,
    }
}

/// The promise of all services.
pub(super) fn theorem<'a>(plan: &Plan<'_, '_>) -> Theorem<'a> {
    let running = plan.program.services.iter().zip(&plan.workloads);
    let running = running.filter(|(_, workload)| workload.peak() > 0);
    let count = running.clone().count();
    let too_low = too_low(plan);
    let mut why: Vec<String> = too_low.iter().map(|one| {
        let (service, container) = (one.service, one.container);
        let (limit, least) = (one.limit, one.least);
        format!("`{container}` of `{service}` may have at most `{limit}`, and no container starts below {least}")
    }).collect();
    let (verdict, statement) = if count == 0 {
        (Verdict::Proved, "no service runs".to_owned())
    } else if plan.program.evidence.is_some() {
        let mut found = Found::default();
        running.for_each(|(service, workload)| found.add(plan.program, service, workload));
        let is_sound = why.is_empty();
        why.splice(0..0, found.refuted);
        if !found.unread.is_empty() {
            why.push(format!("nothing was read of {}", named(&found.unread)));
        }
        why.extend(found.unknown);
        let verdict = match (found.refutes, found.proved == count && is_sound) {
            (true, _) => Verdict::Refuted,
            (false, true) => Verdict::Proved,
            (false, false) => Verdict::Unknown,
        };
        let services = if count == 1 { "service" } else { "services" };
        let margin = match (verdict, safety(plan)) {
            (Verdict::Proved, Some(margin)) => {
                format!(", with {} times what they need at the least", times(margin))
            }
            _ => String::new(),
        };
        let enough = format!(
            "{} of {count} {services} were measured with no more than their limits{margin}",
            found.proved
        );
        (verdict, enough)
    } else {
        if why.is_empty() {
            let held = "limits are at or above every known floor, but no measurement says that they are enough";
            why.push(held.to_owned());
        }
        let statement = match count {
            1 => "no evidence for 1 service".to_owned(),
            n => format!("no evidence for {n} services"),
        };
        (Verdict::Unknown, statement)
    };
    Theorem {
        promise: Promise::Sufficiency,
        node: None,
        verdict,
        sums: Vec::new(),
        statement,
        why,
        assumptions: 0,
    }
}

/// What is found of services, one after the other.
#[derive(Default)]
struct Found<'p> {
    proved: usize,
    refutes: bool,
    refuted: Vec<String>,
    unknown: Vec<String>,
    unread: Vec<&'p str>,
}

impl<'p> Found<'p> {
    fn add(&mut self, program: &'p Program<'_>, service: &'p Service<'_>, workload: &Workload<'_>) {
        let needs = needs(program, service, workload);
        let name = service.name.value;
        match of_service(&needs) {
            Verdict::Proved => self.proved += 1,
            Verdict::Refuted => self.refutes = true,
            Verdict::Relaxed | Verdict::Assumed | Verdict::Unknown => {}
        }
        for need in &needs {
            match (need.verdict(), need.why(name)) {
                (Verdict::Refuted, why) => self.refuted.extend(why),
                (Verdict::Proved, _) => {}
                (_, Some(why)) => self.unknown.push(why),
                (_, None) => {
                    if self.unread.last() != Some(&name) {
                        self.unread.push(name);
                    }
                }
            }
        }
    }
}

/// The common safety factor: the least of what the pods of services may take by what they were seen to need, as numerator
/// and denominator. None if one of them was not measured, or none runs.
pub(crate) fn safety(plan: &Plan<'_, '_>) -> Option<(u64, u64)> {
    let running = plan.workloads.iter().filter(|workload| workload.peak() > 0);
    let factors: Option<Vec<(u64, u64)>> = running
        .map(|workload| Some((workload.pod_limit(), workload.measured()?.max(1))))
        .collect();
    factors?.into_iter().min_by(|a, b| {
        let product = |(a, b): (u64, u64)| u128::from(a) * u128::from(b);
        product((a.0, b.1)).cmp(&product((b.0, a.1)))
    })
}

/// A factor as a decimal number.
pub(crate) fn times((numerator, denominator): (u64, u64)) -> String {
    let hundredths = u128::from(numerator) * 100 / u128::from(denominator.max(1));
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}
