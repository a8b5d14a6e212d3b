//! What pods cannot have on a node: the OS, K3s and what it needs for each pod that may be there, what is held back
//! for limits above requests, the eviction threshold. And what K3s packages, as it counts on one node.

use super::SECRET_BYTES;
use super::model::{Choice, ComponentPlan, NodePlan, Workload};
use crate::base::quantity::Bytes;
use crate::program::{Component, Given, Program, Service, namespace};

/// Everything about a node that depends only on which pods may be there.
pub(super) fn node<'a>(
    program: &Program<'a>,
    workloads: &[Workload<'a>],
    index: usize,
) -> NodePlan<'a> {
    let node = &program.nodes[index];
    let overcommitted = node.overcommit.is_some();
    let system_default = system_default(program);
    // Where the servers are, nobody said: what K3s packages runs there or here.
    let has_server = program.servers().next().is_some();
    let open = program
        .open_nodes
        .as_ref()
        .is_none_or(|nodes| nodes.iter().any(|open| usize::from(*open) == index));
    let components: Vec<ComponentPlan> = program
        .components
        .iter()
        .enumerate()
        .filter(|(_, component)| open && (has_server || component.foreign))
        .map(|(index, component)| component_plan(index, component, system_default, overcommitted))
        .collect();
    let mut held: u128 = components
        .iter()
        .map(|component| u128::from(component.held))
        .sum();
    let mut mounts: u128 = 0;
    let packaged: u128 = components
        .iter()
        .map(|component| u128::from(component.pods))
        .sum();
    let mut own: u128 = 0;
    for (service, workload) in program.services.iter().zip(workloads) {
        let here = u128::from(workload.on(index, workload.pods));
        if workload.choice == Choice::Burst && !overcommitted {
            held += u128::from(workload.pod_limit() - workload.pod_request()) * here;
        }
        mounts += u128::from(service.secret_mounts()) * here;
        own += here;
    }
    let os = node.reserve.map_or(0, |reserve| reserve.value.n);
    let (k3s, containerd) = (node.process.memory.value.n, node.process.containerd.value.n);
    let shim = u128::from(node.process.shim.value.n);
    let secrets = mounts * u128::from(SECRET_BYTES);
    let eviction = node.eviction.value.n;
    let capacity = node.memory.value.n;
    let taken = u128::from(os)
        + u128::from(k3s)
        + u128::from(containerd)
        + u128::from(eviction)
        + secrets
        + held;
    if program.nodes.len() > 1 {
        // Not all pods that may come can be here at once: each brings its request, also while it ends. With n shims
        // reserved there must be no room for n + 1 of the least requests: left - n * shim < (n + 1) * least.
        let here = workloads
            .iter()
            .filter(|workload| workload.on(index, workload.pods) > 0);
        let least = here
            .map(|workload| u128::from(workload.charge(true)))
            .min()
            .unwrap_or(0);
        let left = u128::from(capacity).saturating_sub(taken + packaged * shim);
        own = own.min((left + shim).checked_div(least + shim).unwrap_or(own));
    }
    // The kubelet admits no more; a pod that ends is one of them until it has ended.
    let shim_pods = (packaged + own).min(u128::from(node.max_pods.value));
    let shims = shim_pods * shim;
    let taken = taken + shims;
    // Every part of a sum that is below the capacity fits 64 bits as the capacity does.
    let small = |n: u128| u64::try_from(n).unwrap_or(u64::MAX);
    NodePlan {
        capacity,
        os,
        k3s,
        containerd,
        shims: small(shims),
        shim_pods: small(shim_pods),
        secrets: small(secrets),
        secret_mounts: small(mounts),
        held: small(held),
        eviction,
        allocatable: small(u128::from(capacity).saturating_sub(taken)),
        shortfall: small(taken.saturating_sub(u128::from(capacity))),
        requests: 0,
        limits: 0,
        pods: 0,
        cpu: 0,
        components,
        system_default,
    }
}

/// The limit a LimitRange gives to containers of kube-system that have none: the largest any of them needs.
/// Not where Helm installs something: its jobs take what they take, and dying they would install nothing.
fn system_default<'a>(program: &Program<'a>) -> Option<Given<'a, Bytes>> {
    let components = &program.components;
    if components
        .iter()
        .any(|component| component.name.starts_with("helm-install"))
        || program.services.iter().any(limitless_in_system)
        || super::admission::has_range(program, "kube-system")
    {
        return None;
    }
    let limitless = components.iter().filter(|component| !has_limit(component));
    limitless
        .filter_map(|component| component.bound)
        .max_by_key(|bound| bound.value)
}

/// Whether a service was adopted into kube-system with a container that gives no limit of its own: what the components of
/// K3s need is no limit for it, and one below its request would make its pods invalid.
fn limitless_in_system(service: &Service<'_>) -> bool {
    service.adopted.as_ref().is_some_and(|adopted| {
        let mut pairs = adopted.object.containers.iter().zip(&adopted.containers);
        namespace(adopted.object.namespace.as_deref()) == "kube-system"
            && pairs.any(|(read, held)| !held.sets_memory && read.memory.limit.is_none())
    })
}

fn has_limit(component: &Component<'_>) -> bool {
    component.memory.is_some_and(|(_, limit)| limit.is_some())
}

fn component_plan(
    index: usize,
    component: &Component<'_>,
    system_default: Option<Given<'_, Bytes>>,
    overcommitted: bool,
) -> ComponentPlan {
    let written = component
        .memory
        .map(|(request, limit)| (request.value.n, limit.map(|limit| limit.value.n)));
    let (request, worst, unbounded) = match (written, system_default) {
        (Some((request, Some(limit))), _) => (request, limit, false),
        // Admission gives a container without a limit the default as its limit, and as its request where it has none.
        (Some((request, None)), Some(default)) => (request, default.value.n.max(request), false),
        (None, Some(default)) => (default.value.n, default.value.n, false),
        (written, None) => {
            let request = written.map_or(0, |(request, _)| request);
            (
                request,
                component
                    .bound
                    .map_or(request, |bound| bound.value.n.max(request)),
                true,
            )
        }
    };
    let pods = component.pods + component.transient;
    // What nothing limits cannot be proved; what it is assumed to take at rest is held back all the same.
    let counted = if unbounded { component.pods } else { pods };
    let gap = (worst - request)
        .saturating_mul(component.containers)
        .saturating_mul(counted);
    let each = |bytes: u64, pods: u64| {
        bytes
            .saturating_mul(component.containers)
            .saturating_mul(pods)
    };
    let cpu = component.cpu.map_or(0, |(request, _)| request.value.milli);
    ComponentPlan {
        component: index,
        request: each(request, component.pods),
        gap,
        held: if overcommitted { 0 } else { gap },
        peak: component.pods,
        pods,
        cpu: each(cpu, component.pods),
        unbounded,
        every_node: component.every_node,
    }
}
