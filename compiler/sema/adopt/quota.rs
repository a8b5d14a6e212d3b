//! What adopted LimitRanges and ResourceQuotas mean for services while their numbers are still open: CPU that declared
//! services are given, and ceilings under which ranges are chosen.

use std::collections::BTreeSet;

use super::origin::origin;
use super::resize::CpuPair;
use super::workload::{entries, same_namespace};
use crate::admission::Amount;
use crate::base::id::numbered;
use crate::base::quantity::{Bytes, Cpu};
use crate::base::span::Spanned;
use crate::manifest::Manifest;
use crate::manifest::workload::bounds::Entry;
use crate::program::{Budget, Given, Image, Kind, Memory, Service, ServiceId};
use crate::sema::load::Loaded;

/// Gives declared services without CPU what a LimitRange of their namespace gives them: the API server would do it, and
/// the sums must count it. All declared services have memory.
pub(crate) fn complete<'a>(loaded: &'a Loaded, namespace: &str, services: &mut [Service<'a>]) {
    let entries = entries(loaded, Some(namespace));
    if entries.is_empty() {
        return;
    }
    let own = services
        .iter_mut()
        .filter(|service| service.adopted.is_none());
    for service in own {
        fill_in(&mut service.cpu, &entries);
        for extra in &mut service.extras {
            fill_in(&mut extra.cpu, &entries);
        }
    }
}

fn fill_in<'a>(cpu: &mut Option<CpuPair<'a>>, entries: &[(&'a Manifest, &'a Entry)]) {
    let given = |limit: bool| {
        let all = entries.iter().filter_map(|(from, entry)| {
            let (list, keys) = match limit {
                true => (&entry.limits.default, &["default", "max"][..]),
                false => (
                    &entry.limits.default_request,
                    &["defaultRequest", "default", "max", "min"][..],
                ),
            };
            let milli = u64::try_from(*list.get("cpu")?).ok()?;
            let mut places = keys
                .iter()
                .filter_map(|key| entry.places.get(&(*key, "cpu".to_owned())));
            Some(Given {
                value: Cpu::milli(milli),
                origin: origin(from, places.next()?),
            })
        });
        all.max_by_key(|given| given.value.milli)
    };
    match cpu {
        Some((_, limit)) => *limit = limit.or(given(true)),
        None => *cpu = given(false).map(|request| (request, given(true))),
    }
}

/// Turns memory quotas into budgets, so that ranges are chosen under them. This is done for a quota that counts a
/// service with a range, if the least limits of all its services fit, surge pods included. The budget's ceiling is
/// the quota's, and it counts no less than the quota does. Whether the API server refuses a pod is checked with the
/// numbers of the plan.
pub(crate) fn budgets<'a>(
    loaded: &'a Loaded,
    (namespace, nodes): (&str, usize),
    services: &[Service<'a>],
    budgets: &mut Vec<Budget<'a>>,
) {
    const OF_MEMORY: [&str; 3] = ["limits.memory", "requests.memory", "memory"];
    let mut names: BTreeSet<String> = budgets
        .iter()
        .map(|budget| budget.name.value.to_owned())
        .collect();
    for manifest in &loaded.manifests {
        let unscoped = manifest.objects.quotas.iter();
        for quota in unscoped.filter(|quota| quota.quota.scopes.is_empty()) {
            let held = OF_MEMORY.iter().filter_map(|name| {
                let amount = quota.quota.hard.get(*name)?;
                Some((amount.div_ceil(1000), quota.places.get(*name)?))
            });
            let Some((most, at)) = held.min_by_key(|(most, _)| *most) else {
                continue;
            };
            let inside = |service: &Service<'_>| {
                let of = match &service.adopted {
                    Some(adopted) => adopted.object.namespace.as_deref(),
                    None => Some(namespace),
                };
                same_namespace(of, quota.namespace.as_deref())
            };
            let members: Vec<ServiceId> = numbered(services)
                .filter(|(_, service)| inside(service))
                .map(|(id, _)| id)
                .collect();
            let all = || members.iter().map(|id| &services[*id]);
            let ranged = all().any(|service| match service.memory {
                Memory::Range { low, high } => low.value < high.value,
                Memory::Burst { .. } => false,
            });
            let least: Amount = all()
                .map(|service| least(service, nodes))
                .fold(0, Amount::saturating_add);
            let fits = least <= most && all().all(is_certain);
            if !ranged || !fits || !names.insert(quota.known_as.clone()) {
                continue;
            }
            budgets.push(Budget {
                name: Spanned::new(quota.known_as.as_str(), manifest.span(at)),
                ceiling: Given {
                    value: Bytes::new(u64::try_from(most).unwrap_or(u64::MAX)),
                    origin: origin(manifest, at),
                },
                members: Some(members),
            });
        }
    }
    budgets.sort_by_key(|budget| budget.name.value);
}

/// Whether the least that a service can have is known before the plan: nothing is without a limit, and no floor of a
/// runtime raises it.
fn is_certain(service: &Service<'_>) -> bool {
    match &service.adopted {
        Some(adopted) => adopted.unbounded().is_none(),
        None => matches!(service.image, Image::Name(_)),
    }
}

/// The least that the limits of all pods of a service come to, at the peak of a rollout, in bytes.
fn least(service: &Service<'_>, nodes: usize) -> Amount {
    let main = match service.memory {
        Memory::Range { low, .. } => low.value.n,
        Memory::Burst { limit, .. } => limit.value.n,
    };
    let (mut sidecars, mut peak) = (0_u64, 0_u64);
    for extra in &service.extras {
        match extra.stays {
            true => sidecars = sidecars.saturating_add(extra.memory.value.n),
            false => peak = peak.max(sidecars.saturating_add(extra.memory.value.n)),
        }
    }
    let pods = match service.kind {
        Kind::DaemonSet => nodes as u64,
        _ => {
            let replicas = service.replicas.value;
            replicas.saturating_add(service.surge(replicas))
        }
    };
    Amount::from(main.saturating_add(sidecars).max(peak)) * Amount::from(pods)
}
