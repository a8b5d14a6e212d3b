//! What adopted manifests bring that the sums do not hold, as reasons why a promise is unknown.

use super::model::{Plan, Promise};
use super::supplies::counts;
use crate::manifest::Manifest;
use crate::manifest::workload::beyond::Beyond;

/// Something of the pods of a service that no sum holds.
pub(crate) struct Found<'p> {
    /// The name of the service.
    pub service: &'p str,
    /// What it is.
    pub beyond: &'p Beyond,
    /// Where it stands.
    pub manifest: &'p Manifest,
}

/// Everything that pods ask for or are given and no sum holds, of services that are to run.
pub(crate) fn found<'p>(plan: &Plan<'p, '_>) -> Vec<Found<'p>> {
    let program = plan.program;
    let mut all = Vec::new();
    let running = program.services.iter().zip(&plan.workloads);
    for (service, workload) in running.filter(|(_, workload)| workload.peak() > 0) {
        let name = service.name.value;
        let mut add = |beyond, manifest| {
            all.push(Found {
                service: name,
                beyond,
                manifest,
            });
        };
        let adopted = service.adopted.as_ref();
        if let Some(adopted) = adopted {
            let manifest = &program.manifests[adopted.manifest];
            let is_counted = |beyond: &Beyond| {
                let resource = beyond.resource.as_ref();
                resource.is_some_and(|resource| counts(program, workload, resource))
            };
            let own = adopted.object.beyond.iter();
            own.filter(|beyond| !is_counted(beyond))
                .for_each(|beyond| add(beyond, manifest));
        }
        for manifest in program.manifests {
            for injected in &manifest.objects.injected {
                let refused = adopted
                    .is_some_and(|adopted| injected.is_refused(&adopted.object.refuses_injection));
                if injected.namespace == program.namespace_of(service) && !refused {
                    add(&injected.by, manifest);
                }
            }
        }
    }
    all
}

/// Why a promise is unknown for what pods ask for or are given and no sum holds: all of it is about liveness, what takes
/// memory about non-interference too.
pub(super) fn reasons(plan: &Plan<'_, '_>, promise: Promise) -> Vec<String> {
    let is_about = |beyond: &Beyond| match promise {
        Promise::Isolation => false,
        Promise::NonInterference => beyond.takes_memory,
        Promise::Sufficiency | Promise::Liveness | Promise::Survival => true,
    };
    let all = found(plan).into_iter().filter(|one| is_about(one.beyond));
    let why = all.map(|one| {
        let place = one.manifest.place(&one.beyond.at);
        format!("`{}` {} ({place})", one.service, one.beyond.what)
    });
    let services = plan.program.services.iter().zip(&plan.workloads);
    let running = services.filter(|(_, workload)| workload.peak() > 0);
    let running = running.filter(|_| promise == Promise::Liveness);
    let bounded = running.filter_map(|(service, _)| {
        let adopted = service.adopted.as_ref()?;
        let bound = bound_of(plan, plan.program.namespace_of(service));
        let name = service.name.value;
        match (bound.quota, bound.any) {
            (Some(quota), _) if adopted.object.made_of.is_some() => Some(format!(
                "the quota `{quota}` counts what the operator of `{name}` makes beside its pods"
            )),
            (_, Some(bound)) if adopted.resized => Some(format!(
                "`{bound}` is about `{name}` as a VerticalPodAutoscaler resizes it, which bzc does not follow"
            )),
            _ => None,
        }
    });
    why.chain(bounded).collect()
}

/// What bounds a namespace, by name.
struct Bound<'p> {
    /// A ResourceQuota.
    quota: Option<&'p str>,
    /// A ResourceQuota or a LimitRange.
    any: Option<&'p str>,
}

/// What was adopted into a namespace that bounds it.
fn bound_of<'p>(plan: &'p Plan<'_, '_>, here: &str) -> Bound<'p> {
    let is_here = |of: &Option<String>| of.as_deref().unwrap_or("default") == here;
    let all = || {
        plan.program
            .manifests
            .iter()
            .map(|manifest| &manifest.objects)
    };
    let mut quotas = all().flat_map(|objects| &objects.quotas);
    let quota = quotas.find(|quota| is_here(&quota.namespace));
    let mut ranges = all().flat_map(|objects| &objects.ranges);
    let range = ranges.find(|range| is_here(&range.namespace));
    let quota = quota.map(|quota| quota.known_as.as_str());
    let any = quota.or(range.map(|range| range.name.as_str()));
    Bound { quota, any }
}
