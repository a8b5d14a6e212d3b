//! What is known of a service before a number is chosen out of any range: how many pods there may be, and what one counts
//! for.

use super::admission::waits;
use super::errors;
use super::floor::floor;
use super::model::{Choice, LEAST_LIMIT, Wave, Workload};
use super::sufficiency::{in_memory, measured};
use crate::base::id::numbered;
use crate::base::quantity::Bytes;
use crate::diag::Sink;
use crate::program::{ExtraId, Given, Kind, Memory, Origin, Program, Service};

/// What is known of a service before the ranges are filled.
pub(super) fn workload<'a>(
    program: &Program<'a>,
    service: &Service<'a>,
    sink: &mut Sink,
) -> Workload<'a> {
    let nodes = service.pod.place.nodes.clone();
    let replicas = match service.kind {
        Kind::DaemonSet => nodes.as_ref().map_or(program.nodes.len(), Vec::len) as u64,
        Kind::Deployment(_) | Kind::StatefulSet | Kind::Job(_) | Kind::CronJob(..) => {
            service.replicas.value
        }
    };
    let lingers = service.lingers(program.survive.is_some());
    let doubles = service.doubles();
    let surge = match doubles {
        true => replicas,
        false => service.surge(replicas),
    };
    let ending = match doubles {
        true => surge,
        false => service.ending(replicas, lingers),
    };
    let [
        (sidecars, init_peak),
        (sidecar_requests, init_request_peak),
        (sidecar_cpu, cpu_peak),
    ] = sums_of_extras(service);
    let main_cpu = service.cpu.map_or(0, |(request, _)| request.value.milli);
    let (request, limit, choice) = match service.memory {
        Memory::Burst { request, limit } => (request.value, limit.value, Choice::Burst),
        Memory::Range { low, high } if low.value == high.value => {
            (low.value, high.value, Choice::Written)
        }
        Memory::Range { low, high } => (low.value, high.value, Choice::Level),
    };
    let floor = checked_floor(program, service, sink);
    let raised = choice == Choice::Level && floor.value > request;
    let mut workload = Workload {
        request,
        limit,
        choice,
        least: if raised { floor.value } else { request },
        floor: raised.then(|| Box::new(floor)),
        replicas,
        surge,
        wave: match service.wave {
            _ if service.rollout.value.is_alone() => Wave::Alone,
            Some(ref wave) => Wave::Of(wave.value),
            None => Wave::Every,
        },
        pods: replicas + ending,
        // The only node takes both pods of a DaemonSet that surges as it takes any others.
        one_a_node: matches!(service.kind, Kind::DaemonSet)
            && !(doubles && program.nodes.len() == 1)
            || service.pod.place.apart,
        on_each: if doubles { 2 } else { 1 },
        apart: service.pod.place.apart,
        lingers,
        hook: None,
        release: None,
        preempts: preempts(program, service),
        nodes,
        sidecars,
        init_peak,
        sidecar_requests,
        init_request_peak,
        cpu: (main_cpu + sidecar_cpu).max(cpu_peak),
        at_most: u64::MAX,
        main_measured: measured(program, service),
    };
    if workload.apart {
        let nodes = workload
            .nodes
            .as_ref()
            .map_or(program.nodes.len(), Vec::len) as u64;
        let needed = replicas + u64::from(waits(service, &workload));
        workload.at_most = nodes.max(needed);
        workload.surge = surge.min(workload.at_most.saturating_sub(replicas));
    }
    workload
}

/// The least memory of the main container: its runtime's floor or what runc needs, and what its volumes in memory hold.
/// Reports containers that have less. What an adopted manifest keeps runs as it does, however small it is.
fn checked_floor<'a>(
    program: &Program<'a>,
    service: &Service<'a>,
    sink: &mut Sink,
) -> Given<'a, Bytes> {
    let kept = |extra: Option<ExtraId>| {
        let mut containers = service.adopted.iter().flat_map(|one| &one.containers);
        containers.any(|held| held.extra == extra && !held.sets_memory)
    };
    for (id, extra) in numbered(&service.extras) {
        if extra.memory.value < LEAST_LIMIT && !kept(Some(id)) {
            sink.push(errors::extra_below_floor(extra, LEAST_LIMIT));
        }
    }
    let physical = Given {
        value: LEAST_LIMIT,
        origin: Origin::default("proof.least-limit"),
    };
    let measured = floor(program, service);
    let mut least = measured
        .filter(|floor| floor.value > LEAST_LIMIT)
        .unwrap_or(physical);
    let in_memory = in_memory(service);
    least.value = Bytes::new(least.value.n.saturating_add(in_memory));
    let written = match service.memory {
        Memory::Range { high, .. } => high,
        Memory::Burst { limit, .. } => limit,
    };
    if written.value < least.value && !kept(None) {
        let error = errors::below_floor(program, service, written, least, in_memory);
        sink.push(error);
    }
    least
}

/// Of all sidecars, and of the hungriest init container with the sidecars before it: limits of memory, requests of
/// memory, requests of CPU (Kubernetes, component-helpers `PodRequests`).
fn sums_of_extras(service: &Service<'_>) -> [(u64, u64); 3] {
    let mut sums = [(0_u64, 0_u64); 3];
    for extra in &service.extras {
        let request = extra.request.unwrap_or(extra.memory).value.n;
        let cpu = extra
            .cpu
            .as_ref()
            .map_or(0, |(request, _)| request.value.milli);
        for ((sidecars, peak), own) in sums.iter_mut().zip([extra.memory.value.n, request, cpu]) {
            match extra.stays {
                true => *sidecars += own,
                false => *peak = (*peak).max(*sidecars + own),
            }
        }
    }
    sums
}

/// Whether pods of a service may push out others, also while those that they replace are still ending. The classes that
/// bzc writes for tiers never do (`preemptionPolicy: Never`); its class for DaemonSets does, and a DaemonSet waits until
/// the pod before has ended. Of an adopted class that no manifest holds, the worst is assumed. Pods without a class have
/// that which is the cluster's default, else priority 0 and the policy of the API: they push out those below.
fn preempts(program: &Program<'_>, service: &Service<'_>) -> bool {
    let classes = || {
        let manifests = program.manifests.iter();
        manifests.flat_map(|manifest| &manifest.objects.classes)
    };
    let class = match &service.adopted {
        Some(adopted) => adopted.object.place.priority_class.as_deref(),
        None => {
            let tier = service.tier.map(|tier| &program.tiers[tier]);
            if tier.is_some_and(|tier| tier.priority.is_some()) {
                return false;
            }
            None
        }
    };
    match class {
        Some(name) => classes()
            .find(|class| class.name == name)
            .is_none_or(|class| !class.is_patient),
        None => match classes().find(|class| class.is_default) {
            Some(class) => !class.is_patient,
            None => classes().any(|class| class.is_negative),
        },
    }
}
