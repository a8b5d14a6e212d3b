//! What adopted manifests bring that the sums do not hold, as reasons why a promise is unknown.

use super::model::{Plan, Promise};
use crate::manifest::workload::beyond::Beyond;

/// Why a promise is unknown for what pods ask for or are given and no sum holds: all of it is about liveness, what takes
/// memory about non-interference too, and more pods about isolation.
pub(super) fn reasons(plan: &Plan<'_, '_>, promise: Promise) -> Vec<String> {
    let program = plan.program;
    let mut why = Vec::new();
    let running = program.services.iter().zip(&plan.workloads);
    for (service, _) in running.filter(|(_, workload)| workload.peak() > 0) {
        let name = service.name.value;
        let mut say = |beyond: &Beyond, place: &str| {
            let is_about = match promise {
                Promise::Isolation => beyond.adds_pods,
                Promise::NonInterference => beyond.takes_memory,
                Promise::Sufficiency | Promise::Liveness | Promise::Survival => true,
            };
            if is_about {
                why.push(format!("`{name}` {} ({place})", beyond.what));
            }
        };
        let adopted = service.adopted.as_ref();
        if let Some(adopted) = adopted {
            let manifest = &program.manifests[adopted.manifest];
            for beyond in &adopted.object.beyond {
                say(beyond, manifest.place(&beyond.at));
            }
        }
        for manifest in program.manifests {
            for injected in &manifest.objects.injected {
                let refused = adopted
                    .is_some_and(|adopted| injected.is_refused(&adopted.object.refuses_injection));
                if injected.namespace == program.namespace_of(service) && !refused {
                    say(&injected.by, manifest.place(&injected.by.at));
                }
            }
        }
        let made = adopted.is_some_and(|adopted| adopted.object.made_of.is_some());
        let quota = quota_of(plan, program.namespace_of(service));
        if let (Some(quota), true, Promise::Liveness) = (quota, made, promise) {
            why.push(format!(
                "the quota `{quota}` counts what the operator of `{name}` makes beside its pods"
            ));
        }
    }
    why
}

/// The name of a ResourceQuota that was adopted into a namespace.
fn quota_of<'p>(plan: &'p Plan<'_, '_>, here: &str) -> Option<&'p str> {
    let all = plan.program.manifests.iter();
    let mut quotas = all.flat_map(|manifest| &manifest.objects.quotas);
    let quota = quotas.find(|quota| quota.namespace.as_deref().unwrap_or("default") == here)?;
    Some(&quota.known_as)
}
