//! One node: what is reserved on it, what is left, what pods ask for of it and may take.

use serde_yaml::Value;

use super::components::{Component, compare_components};
use super::kubelet::{eviction, reserved, single};
use super::nodes::Node;
use super::pods::Workload;
use super::{Counted, Demand, Faults, MIB, Machine, by_name, terms};

/// One node out of all, by its index. On one of several no more counts than it can have.
pub(super) fn count_node(
    report: &Value,
    machine: &Machine,
    node: &Node,
    (at, of): (usize, usize),
    (components, demand): (Vec<Component>, &Demand),
    faults: &mut Faults,
) -> Option<Counted> {
    let stated = by_name(&report["nodes"], &machine.name)?;
    faults.same("memoryBytes", machine.memory, &stated["memoryBytes"]);
    let arguments = &node.arguments;
    let kube = reserved(single(arguments, "kube-reserved", faults))?;
    let system = reserved(single(arguments, "system-reserved", faults))?;
    let evicted = eviction(
        &single(arguments, "eviction-hard", faults)?,
        machine.memory,
        faults,
    )?;
    let max_pods =
        single(arguments, "max-pods", faults).map_or(Some(110), |text| text.parse().ok())?;
    faults.same("kubeReservedBytes", kube, &stated["kubeReservedBytes"]);
    faults.same(
        "systemReservedBytes",
        system,
        &stated["systemReservedBytes"],
    );
    faults.same("evictionBytes", evicted, &stated["evictionBytes"]);
    faults.same("maxPods", max_pods, &stated["maxPods"]);
    faults.holds(kube + system + evicted <= machine.memory, || {
        "more is reserved than there is".to_owned()
    });
    let allocatable = machine.memory.saturating_sub(kube + system + evicted);
    faults.same("allocatableBytes", allocatable, &stated["allocatableBytes"]);

    let terms = terms(stated)?;
    let term = |id: &str| terms.get(id).copied().unwrap_or(0);
    faults.same(
        "reservedBytes, the sum of its terms",
        terms.values().sum(),
        &stated["reservedBytes"],
    );
    faults.same(
        "reservedBytes, the sum of the kubelet's",
        kube + system + evicted,
        &stated["reservedBytes"],
    );
    faults.holds(term("os") == system && term("eviction") == evicted, || {
        "terms os and eviction".to_owned()
    });
    compare_components(&components, stated, faults)?;

    let packaged = |of: &dyn Fn(&Component) -> u128| components.iter().map(of).sum::<u128>();
    // What may be there by the pods' own demands; the scheduler lets in no more than there is.
    let all = [
        demand.worst(|w, pods| w.pod.request * w.on(at, pods))
            + packaged(&|c| c.request * c.peak()),
        demand.worst(|w, pods| w.pod.cpu * w.on(at, pods)) + packaged(&|c| c.cpu * c.peak()),
        demand.worst(|w, pods| w.on(at, pods)) + packaged(&|c| c.peak()),
    ];
    let has = [allocatable, machine.cpu.unwrap_or(u128::MAX), max_pods];
    let held_to_nodes = report["placement"]["kind"].as_str() == Some("pinned");
    if of == 1 || held_to_nodes {
        faults.holds(all.iter().zip(&has).all(|(all, has)| all <= has), || {
            format!("{}: {all:?} asked for, {has:?} there", machine.name)
        });
    }
    let [requests, cpu, pods] = [0, 1, 2].map(|d| all[d].min(has[d]));
    faults.same("requestBytes", requests, &stated["requestBytes"]);
    // Where nothing limits a component, what it may take is the report's own assumption.
    let assumed = |component: &Component| {
        let stated = by_name(&stated["components"], &component.name);
        let stated = stated.and_then(|component| component["limitBytes"].as_u64());
        stated.map_or(component.request, u128::from)
    };
    let limit_of = |component: &Component| component.limit.unwrap_or_else(|| assumed(component));
    let there: Vec<(u128, u128, u128)> = components
        .iter()
        .map(|component| (component.request, limit_of(component), component.ending))
        .chain(demand.workloads.values().map(|w| {
            let ending = w.on(at, w.ending);
            (w.pod.request, w.pod.limit, ending)
        }))
        .collect();
    let limits = most_limits(&there, allocatable);
    faults.same("limitBytes", limits, &stated["limitBytes"]);
    let allowed = allocatable * machine.overcommit.unwrap_or(100) / 100;
    let at_rest = u128::from(stated["restLimitBytes"].as_u64()?);
    // Of a placement that is not known, nothing is said to be at rest.
    let known = report["placement"]["kind"].as_str() != Some("unknown");
    faults.holds(!known || at_rest <= allowed, || {
        format!("limits of {at_rest} at rest above {allowed}")
    });
    if of == 1 {
        let packaged = components
            .iter()
            .map(|component| component.limit.unwrap_or(component.request) * component.replicas);
        let own = demand.sum(|w| w.pod.limit * w.replicas);
        faults.same(
            "restLimitBytes",
            packaged.sum::<u128>() + own,
            &stated["restLimitBytes"],
        );
    }
    if machine.overcommit.is_some() {
        faults.holds(limits <= allowed, || {
            format!("limits {limits} above {allowed}, allowed in writing")
        });
    }
    faults.same("podsAtPeak", pods, &stated["podsAtPeak"]);
    faults.same("cpuRequestMilli", cpu, &stated["cpuRequestMilli"]);
    faults.same(
        "freeBytes",
        allocatable.saturating_sub(requests),
        &stated["freeBytes"],
    );

    // What the terms must cover.
    let secrets = demand.sum(|w| w.secrets * w.on(at, w.ending)) * MIB;
    faults.holds(term("secrets") == secrets, || {
        format!("secrets {}, counted {secrets}", term("secrets"))
    });
    let shims = stated["reserved"]
        .as_sequence()?
        .iter()
        .find(|term| term["id"].as_str() == Some("shims"))?;
    let stated_pods = u128::from(shims["times"][0].as_u64()?);
    let shim = u128::from(shims["times"][1].as_u64()?);
    faults.holds(term("shims") == stated_pods * shim && shim >= MIB, || {
        format!("shims {}: {stated_pods} x {shim}", term("shims"))
    });
    let of_services = demand.sum(|w| w.on(at, w.ending));
    // Of several nodes, one reserves for no more pods than there is room for beside their shims.
    let least = |name: &String, workload: &Workload| {
        let stated = by_name(&report["services"], name)?["leastBytes"]
            .as_u64()
            .map(u128::from)?;
        Some(stated.min(workload.pod.request))
    };
    let here = demand
        .workloads
        .iter()
        .filter(|(_, workload)| workload.on(at, workload.ending) > 0);
    let least = here
        .filter_map(|(name, workload)| least(name, workload))
        .min()
        .unwrap_or(0);
    let room = allocatable + term("shims") + term("pod-growth");
    let ending = packaged(&|c| c.ending);
    let crowd =
        |of_services: &u128| (of_services + 1) * least + (of_services + ending) * shim > room;
    let of_services = if of > 1 && least > 0 {
        (0..of_services).find(crowd).unwrap_or(of_services)
    } else {
        of_services
    };
    let counted = (of_services + ending).min(max_pods);
    faults.holds(stated_pods == counted, || {
        format!(
            "{}: shims of {stated_pods}, counted {counted} pods",
            machine.name
        )
    });
    let crowd = most_pods(at, demand, allocatable).min(max_pods);
    faults.holds(crowd <= stated_pods, || {
        format!(
            "{}: {crowd} pods find room, shims of {stated_pods}",
            machine.name
        )
    });
    let kept: u128 = terms
        .iter()
        .filter(|(id, _)| !["os", "eviction"].contains(&id.as_str()))
        .map(|(_, bytes)| bytes)
        .sum();
    faults.holds(kube == kept, || {
        format!("kube-reserved {kube}, its terms {kept}")
    });
    // What was measured of K3s is there, and with more pods than it was measured with, more.
    let measured = 22;
    let growth = terms.get("pod-growth").copied().unwrap_or(0);
    faults.holds((growth > 0) == (stated_pods > measured), || {
        format!("{stated_pods} pods, and K3s grows by {growth}")
    });
    for id in ["k3s", "file-pages", "containerd"] {
        faults.holds(term(id) >= MIB, || format!("{id}: {}", term(id)));
    }
    Some(Counted {
        allocatable,
        max_pods,
        limits,
        components,
    })
}

/// The most that limits of pods can come to that are let in by their requests: request, limit and how many there are of
/// each. In whole Mi of requests, rounded down; a pod at a time.
pub(super) fn most_limits(there: &[(u128, u128, u128)], room: u128) -> u128 {
    let all: u128 = there.iter().map(|(_, limit, count)| limit * count).sum();
    if all <= room {
        return all;
    }
    if there
        .iter()
        .all(|(request, limit, count)| request == limit || *count == 0)
    {
        return room;
    }
    let rows = usize::try_from(room / MIB).expect("a machine has less memory");
    let mut best = vec![0_u128; rows + 1];
    for (request, limit, count) in there {
        let request = usize::try_from(request / MIB).expect("a pod asks for less");
        for _ in 0..*count {
            for row in (request..=rows).rev() {
                best[row] = best[row].max(best[row - request] + limit);
            }
        }
    }
    best[rows]
}

/// How many pods of services a node can have at once, those on their way out among them: the smallest first.
pub(super) fn most_pods(at: usize, demand: &Demand, mut left: u128) -> u128 {
    let mut sizes: Vec<(u128, u128)> = demand
        .workloads
        .values()
        .map(|w| (w.pod.request, w.on(at, w.ending)))
        .filter(|(_, pods)| *pods > 0)
        .collect();
    sizes.sort_unstable();
    let mut pods = 0;
    for (size, most) in sizes {
        let fit = left.checked_div(size).unwrap_or(most).min(most);
        pods += fit;
        left -= fit * size;
    }
    pods
}
