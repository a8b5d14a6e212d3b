//! A program to a plan: what is reserved on the node, what each service gets, and whether every promise holds.
//! Afterwards nothing is left to decide and nothing can fail.
//!
//! The rules are `spec/06-proof.md`; the arithmetic is in whole bytes.

mod errors;
mod expect;
mod fill;
mod fixes;
pub mod model;
// Placing pods on several nodes, exactly. Tested on its own; a program still has one node (BZ2016), so nothing calls it.
#[cfg(test)]
mod pack;

use crate::base::quantity::{Bytes, Cpu, MIB};
use crate::base::span::Span;
use crate::diag::Sink;
use crate::sema::hir::{
    Component, Concurrency, Given, Image, Kind, Memory, Origin, Program, Role, Rollout, Schedule, Service,
    SettingValue, VolumeSource,
};
use fill::{Claim, Fill, fill};
use model::{BudgetPlan, Choice, ComponentPlan, NodePlan, Plan, Theorem, Verdict, Workload};

/// Below this a container does not even start: what runc needs inside the limit before the program runs.
/// CRI-O refuses less for that reason (cri-o/cri-o#1975, containers/nri-plugins#805).
const LEAST_LIMIT: Bytes = Bytes::mib(12);

/// The most a Secret can hold (Kubernetes `MaxSecretSize`): mounted, it lies in memory no pod pays for.
pub(crate) const SECRET_BYTES: u64 = MIB;

/// `ceil(percent * n / 100)`, Kubernetes' rounding of `maxSurge`.
fn percent_of(percent: u64, n: u64) -> u64 {
    (percent * n).div_ceil(100)
}

/// Decides everything, or reports why it does not fit.
pub fn plan<'p, 'a>(program: &'p Program<'a>, place: &dyn Fn(Span) -> String, sink: &mut Sink) -> Option<Plan<'p, 'a>> {
    let mut workloads: Vec<Workload<'a>> =
        program.services.iter().map(|service| workload(program, service, sink)).collect();
    for component in program.components.iter().filter(|component| component.owned) {
        let limit = component.memory.and_then(|(request, limit)| limit.or(Some(request)));
        if let Some(limit) = limit.filter(|limit| limit.value < LEAST_LIMIT) {
            sink.push(errors::component_below_floor(component, limit, LEAST_LIMIT));
        }
    }
    if sink.has_errors() {
        return None;
    }
    let node = node_before_pods(program, &workloads)?;
    let mut plan = Plan {
        program,
        node,
        budgets: Vec::new(),
        level: None,
        theorems: [(); 4].map(|()| Theorem {
            id: "",
            name: "",
            verdict: Verdict::Unknown,
            left: 0,
            right: 0,
            statement: String::new(),
            why: Vec::new(),
        }),
        workloads: Vec::new(),
    };
    let filled = fill_ranges(program, &plan.node, &mut workloads);
    plan.workloads = workloads;
    match filled {
        Ok(level) => plan.level = level,
        Err(over) => {
            for excess in over {
                sink.push(match excess.ceiling {
                    Ceiling::Overcommit => errors::over_overcommit(&plan, excess.deficit),
                    Ceiling::Node | Ceiling::Budget(_) => errors::over_memory(&plan, excess, place),
                });
            }
        }
    }
    check_counts(&plan, sink);
    if sink.has_errors() {
        return None;
    }
    settle(&mut plan);
    plan.theorems = theorems(&plan);
    expect::check(&plan, sink);
    (!sink.has_errors()).then_some(plan)
}

/// What is known of a service before the ranges are filled.
fn workload<'a>(program: &Program<'a>, service: &Service<'a>, sink: &mut Sink) -> Workload<'a> {
    let replicas = service.replicas.value;
    let surge = match (&service.kind, service.rollout.value) {
        // The new pods of a rollout are never more than the replicas.
        (Kind::Deployment(_), Rollout::Surge(n)) => n.min(replicas),
        (Kind::Deployment(_), Rollout::SurgePercent(percent)) => percent_of(percent, replicas).min(replicas),
        _ => 0,
    };
    // A pod that is told to end still has its shim until it has ended. In one rollout every replica leaves once
    // and comes once; `Recreate` waits until all have gone, StatefulSet and DaemonSet until each has, a Job until its
    // pod has failed (`podReplacementPolicy: Failed`), a CronJob that replaces does not wait.
    let pods = match (&service.kind, service.rollout.value) {
        (Kind::Deployment(_), Rollout::Replace | Rollout::Surge(_) | Rollout::SurgePercent(_)) => {
            replicas + replicas.max(surge)
        }
        // An autoscaler may take pods away and bring them back before the first have ended.
        (Kind::Deployment(Some(_)), Rollout::Recreate) => 2 * replicas,
        (Kind::CronJob(_, schedule), _) if schedule.concurrency == Concurrency::Replace => 2 * replicas,
        _ => replicas,
    };
    let (sidecars, init_peak, cpu) = beside(service);
    let floor = floor(program, service);
    // What a container writes into a volume in memory is charged to its limit.
    let in_memory: u64 = service
        .pod
        .volumes
        .iter()
        .map(|volume| match &volume.source {
            VolumeSource::Memory(size) => size.value.n,
            _ => 0,
        })
        .sum();
    let (request, limit, choice) = match service.memory {
        Memory::Burst { request, limit } => (request.value, limit.value, Choice::Burst),
        Memory::Range { low, high } if low.value == high.value => (low.value, high.value, Choice::Written),
        Memory::Range { low, high } => (low.value, high.value, Choice::Level),
    };
    let written = match service.memory {
        Memory::Range { high, .. } => high,
        Memory::Burst { limit, .. } => limit,
    };
    let physical = Given { value: LEAST_LIMIT, origin: Origin::default("proof.least-limit") };
    for extra in service.extras.iter().filter(|extra| extra.memory.value < LEAST_LIMIT) {
        sink.push(errors::extra_below_floor(extra, LEAST_LIMIT));
    }
    let mut binding = floor.filter(|floor| floor.value > LEAST_LIMIT).unwrap_or(physical);
    binding.value = Bytes::new(binding.value.n.saturating_add(in_memory));
    if written.value < binding.value {
        sink.push(errors::below_floor(program, service, written, binding, in_memory));
    }
    let raised = choice == Choice::Level && binding.value > request;
    Workload {
        request,
        limit,
        choice,
        least: if raised { binding.value } else { request },
        floor: raised.then_some(binding),
        replicas,
        surge,
        pods,
        sidecars,
        init_peak,
        cpu,
    }
}

/// Memory of all sidecars, the most that an init container needs with the sidecars before it, and CPU of the whole pod
/// by the same formula (Kubernetes, component-helpers `PodRequests`).
fn beside(service: &Service<'_>) -> (u64, u64, u64) {
    let request = |cpu: &Option<(Given<'_, Cpu>, _)>| cpu.as_ref().map_or(0, |(request, _)| request.value.milli);
    let (mut memory, mut memory_peak) = (0_u64, 0_u64);
    let (mut cpu, mut cpu_peak) = (0_u64, 0_u64);
    for extra in &service.extras {
        if extra.stays {
            memory += extra.memory.value.n;
            cpu += request(&extra.cpu);
        } else {
            memory_peak = memory_peak.max(memory + extra.memory.value.n);
            cpu_peak = cpu_peak.max(cpu + request(&extra.cpu));
        }
    }
    let main = service.cpu.map_or(0, |(request, _)| request.value.milli);
    (memory, memory_peak, (main + cpu).max(cpu_peak))
}

/// The measured floor of a service's runtime, with its further workers.
fn floor<'a>(program: &Program<'a>, service: &Service<'a>) -> Option<Given<'a, Bytes>> {
    let Image::Built(image) = &service.image else { return None };
    let runtime = program.runtimes.get(image.runtime)?;
    let mut floor = runtime.floor?;
    if let (Some(workers), Some(worker)) = (image.workers, runtime.worker) {
        let further = (workers.value - 1) * worker.value.n;
        floor.value = Bytes::new(floor.value.n + further);
    }
    Some(floor)
}

/// Everything about the node that does not depend on how ranges are filled.
fn node_before_pods<'a>(program: &Program<'a>, workloads: &[Workload<'a>]) -> Option<NodePlan<'a>> {
    let node = program.nodes.first()?;
    let overcommitted = node.overcommit.is_some();
    let system_default = system_default(&program.components);
    let components: Vec<ComponentPlan> = match node.role {
        Role::Server => program
            .components
            .iter()
            .enumerate()
            .map(|(index, component)| component_plan(index, component, system_default, overcommitted))
            .collect(),
        // Where the servers are, nobody said: what K3s packages runs there or here.
        Role::Agent => Vec::new(),
    };
    let mut held: u128 = components.iter().map(|component| u128::from(component.held)).sum();
    let mut secret_mounts: u128 = 0;
    for (service, workload) in program.services.iter().zip(workloads) {
        if workload.choice == Choice::Burst && !overcommitted {
            held += u128::from(workload.pod_limit() - workload.pod_request()) * u128::from(workload.pods);
        }
        let mounts = service.pod.volumes.iter().filter(|volume| matches!(volume.source, VolumeSource::Secret(_)));
        secret_mounts += mounts.count() as u128 * u128::from(workload.pods);
    }
    let own_pods: u128 = workloads.iter().map(|workload| u128::from(workload.pods)).sum();
    let shim_pods = own_pods + components.iter().map(|component| u128::from(component.pods)).sum::<u128>();
    let os = node.reserve.map_or(0, |reserve| reserve.value.n);
    let (k3s, containerd) = (program.k3s.memory.value.n, program.k3s.containerd.value.n);
    let shims = shim_pods * u128::from(program.k3s.shim.value.n);
    let secrets = secret_mounts * u128::from(SECRET_BYTES);
    let eviction = node.eviction.value.n;
    let capacity = node.memory.value.n;
    let taken =
        u128::from(os) + u128::from(k3s) + u128::from(containerd) + u128::from(eviction) + shims + secrets + held;
    // Every part of a sum that is below the capacity fits 64 bits as the capacity does.
    let small = |n: u128| u64::try_from(n).unwrap_or(u64::MAX);
    Some(NodePlan {
        capacity,
        os,
        k3s,
        containerd,
        shims: small(shims),
        shim_pods: small(shim_pods),
        secrets: small(secrets),
        secret_mounts: small(secret_mounts),
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
    })
}

/// The limit a LimitRange gives to containers of kube-system that have none: the largest any of them needs.
/// Not where Helm installs something: its jobs take what they take, and dying they would install nothing.
fn system_default<'a>(components: &[Component<'a>]) -> Option<Given<'a, Bytes>> {
    if components.iter().any(|component| component.name.starts_with("helm-install")) {
        return None;
    }
    let limitless = components.iter().filter(|component| !has_limit(component));
    limitless.filter_map(|component| component.bound).max_by_key(|bound| bound.value)
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
    let written = component.memory.map(|(request, limit)| (request.value.n, limit.map(|limit| limit.value.n)));
    let (request, worst, unbounded) = match (written, system_default) {
        (Some((request, Some(limit))), _) => (request, limit, false),
        // Admission gives a container without a limit the default as its limit, and as its request where it has none.
        (Some((request, None)), Some(default)) => (request, default.value.n.max(request), false),
        (None, Some(default)) => (default.value.n, default.value.n, false),
        (written, None) => {
            let request = written.map_or(0, |(request, _)| request);
            (request, component.bound.map_or(request, |bound| bound.value.n.max(request)), true)
        }
    };
    let pods = component.pods + component.transient;
    // What nothing limits cannot be proved; what it is assumed to take at rest is held back all the same.
    let counted = if unbounded { component.pods } else { pods };
    let gap = (worst - request).saturating_mul(component.containers).saturating_mul(counted);
    let each = |bytes: u64, pods: u64| bytes.saturating_mul(component.containers).saturating_mul(pods);
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
    }
}

/// What is over, and by how much.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Excess {
    /// What has too little room.
    pub(crate) ceiling: Ceiling,
    /// By how many bytes.
    pub(crate) deficit: u64,
}

/// What bounds the memory of services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ceiling {
    /// What the scheduler may give on the node.
    Node,
    /// A named budget, by index.
    Budget(usize),
    /// The limits that the node allows in writing.
    Overcommit,
}

/// Chooses a number out of every range. The common level, or all that is over even at the low ends.
fn fill_ranges(
    program: &Program<'_>,
    node: &NodePlan<'_>,
    workloads: &mut [Workload<'_>],
) -> Result<Option<(u64, u64)>, Vec<Excess>> {
    // Ceiling 0 is the node, 1 what overcommit allows where it is written, the others are the budgets.
    let overcommit = overcommit_room(program, node, workloads);
    let mut under: Vec<Vec<u16>> = vec![if overcommit.is_some() { vec![0, 1] } else { vec![0] }; workloads.len()];
    let first_budget = if overcommit.is_some() { 2 } else { 1 };
    for (index, budget) in program.budgets.iter().enumerate() {
        let ceiling = u16::try_from(index + first_budget).expect("fewer than 65,534 budgets");
        match &budget.members {
            None => under.iter_mut().for_each(|under| under.push(ceiling)),
            Some(members) => members.iter().for_each(|member| under[*member].push(ceiling)),
        }
    }
    let component_requests: u64 = node.components.iter().map(|component| component.request).sum();
    let mut rooms = vec![i128::from(node.allocatable) - i128::from(node.shortfall) - i128::from(component_requests)];
    rooms.extend(overcommit);
    rooms.extend(program.budgets.iter().map(|budget| i128::from(budget.ceiling.value.n)));
    let mut claims: Vec<Claim> = Vec::with_capacity(workloads.len());
    let mut ranged: Vec<usize> = Vec::with_capacity(workloads.len());
    for (index, (workload, under)) in workloads.iter().zip(under).enumerate() {
        if workload.choice == Choice::Burst {
            // Nothing to choose: the node is charged the request (the rest is held back), a budget the limit.
            for ceiling in under.into_iter().filter(|ceiling| *ceiling == 0 || usize::from(*ceiling) >= first_budget) {
                let each = if ceiling == 0 { workload.pod_request() } else { workload.pod_limit() };
                rooms[usize::from(ceiling)] -= i128::from(each) * i128::from(workload.peak());
            }
            continue;
        }
        let weight = program.services[index].weight.map_or(1, |weight| weight.value);
        claims.push(Claim {
            lo: workload.pod_least(),
            hi: workload.pod_limit(),
            weight: workload.pod_least().saturating_mul(weight),
            copies: workload.peak(),
            under,
        });
        ranged.push(index);
    }
    // A room below zero is over by itself; the claims must then be over by that much more.
    let clamp = |n: i128| u64::try_from(n.max(0)).unwrap_or(u64::MAX);
    let below: Vec<u64> = rooms.iter().map(|room| clamp(-room)).collect();
    let positive: Vec<u64> = rooms.iter().map(|room| clamp(*room)).collect();
    let filled = fill(&claims, &positive);
    let mut deficits = below;
    if let Fill::Over(over) = &filled {
        over.iter()
            .for_each(|excess| deficits[excess.ceiling] = deficits[excess.ceiling].saturating_add(excess.deficit));
    }
    // Claims under a ceiling without any room are over by all they ask for, which `fill` has told already.
    let over: Vec<Excess> = deficits
        .iter()
        .enumerate()
        .filter(|(_, deficit)| **deficit > 0)
        .map(|(index, deficit)| {
            let ceiling = match index.checked_sub(first_budget) {
                Some(budget) => Ceiling::Budget(budget),
                None if index == 0 => Ceiling::Node,
                None => Ceiling::Overcommit,
            };
            Excess { ceiling, deficit: *deficit }
        })
        .collect();
    match filled {
        Fill::Fits { sizes, level } if over.is_empty() => {
            for (index, size) in ranged.into_iter().zip(sizes) {
                let workload = &mut workloads[index];
                // The pod got `size`; its main container what the sidecars leave of it.
                let size = (size - workload.sidecars).min(workload.limit.n);
                if workload.choice == Choice::Level && size == workload.limit.n {
                    workload.choice = Choice::Ceiling;
                }
                if size != workload.limit.n {
                    workload.limit = Bytes::new(size);
                }
                workload.request = workload.limit;
            }
            Ok(level)
        }
        _ => Err(over),
    }
}

/// What `overcommit` leaves for the limits of services that have one number, once all that bursts is counted.
fn overcommit_room(program: &Program<'_>, node: &NodePlan<'_>, workloads: &[Workload<'_>]) -> Option<i128> {
    let overcommit = program.nodes.first()?.overcommit?;
    let allowed = i128::from(node.allocatable) * i128::from(overcommit.value) / 100;
    let packaged: i128 = node.components.iter().map(|c| i128::from(c.request) + i128::from(c.gap)).sum();
    let bursting = workloads.iter().filter(|workload| workload.choice == Choice::Burst).map(limits).sum::<i128>();
    Some(allowed - packaged - bursting)
}

/// The limits of all pods of a service that may be there at once, as far as its requests do not hold others off.
fn limits(workload: &Workload<'_>) -> i128 {
    let gap = i128::from(workload.pod_limit()) - i128::from(workload.pod_request());
    i128::from(workload.pod_request()) * i128::from(workload.peak()) + gap * i128::from(workload.pods)
}

/// What is counted rather than filled: pods and CPU.
fn check_counts(plan: &Plan<'_, '_>, sink: &mut Sink) {
    let Some(node) = plan.program.nodes.first() else { return };
    let own: u64 = plan.workloads.iter().map(Workload::peak).sum();
    let packaged: u64 = plan.node.components.iter().map(|component| component.peak).sum();
    if own + packaged > node.max_pods.value {
        sink.push(errors::too_many_pods(plan, own, packaged));
    }
    let Some(cpu) = node.cpu else { return };
    let requested = cpu_requests(plan);
    if requested > cpu.value.milli {
        sink.push(errors::over_cpu(plan, requested, cpu));
    }
}

fn cpu_requests(plan: &Plan<'_, '_>) -> u64 {
    let own = plan.workloads.iter().map(|workload| workload.cpu.saturating_mul(workload.peak()));
    let packaged = plan.node.components.iter().map(|component| component.cpu);
    own.chain(packaged).fold(0, u64::saturating_add)
}

/// The sums that follow from what was chosen.
fn settle(plan: &mut Plan<'_, '_>) {
    let components = &plan.node.components;
    let own_requests: u64 = plan.workloads.iter().map(|w| w.pod_request() * w.peak()).sum();
    let own_limits: i128 = plan.workloads.iter().map(limits).sum();
    let packaged: i128 = components.iter().map(|c| i128::from(c.request) + i128::from(c.gap)).sum();
    plan.node.requests = components.iter().map(|component| component.request).sum::<u64>() + own_requests;
    plan.node.limits = u64::try_from(own_limits + packaged).unwrap_or(u64::MAX);
    plan.node.pods =
        components.iter().map(|c| c.peak).sum::<u64>() + plan.workloads.iter().map(Workload::peak).sum::<u64>();
    plan.node.cpu = cpu_requests(plan);
    plan.budgets = plan
        .program
        .budgets
        .iter()
        .map(|budget| {
            let used = |workload: &Workload<'_>| workload.pod_limit() * workload.peak();
            let used = match &budget.members {
                None => plan.workloads.iter().map(used).sum(),
                Some(members) => members.iter().map(|member| used(&plan.workloads[*member])).sum(),
            };
            BudgetPlan { ceiling: budget.ceiling.value.n, used }
        })
        .collect();
}

/// The four promises, each with its inequality.
fn theorems(plan: &Plan<'_, '_>) -> [Theorem; 4] {
    use crate::base::quantity::in_mib;
    let node = &plan.node;
    let declared = plan.program.nodes.first();
    let server = declared.is_some_and(|node| node.role == Role::Server);
    let elsewhere = || "this node is an agent: what K3s packages may run here too".to_owned();
    let unbounded: Vec<&str> = node
        .components
        .iter()
        .filter(|component| component.unbounded)
        .map(|component| plan.program.components[component.component].name)
        .collect();
    let verdict = |why: &[String]| if why.is_empty() { Verdict::Proved } else { Verdict::Unknown };

    let mut isolation = Vec::new();
    if declared.is_none_or(|node| node.reserve.is_none()) {
        isolation.push("the node has no `reserve`: nothing is known of the OS and what lives beside K3s".to_owned());
    }
    if !server {
        isolation.push(elsewhere());
    }
    isolation.extend(voided(plan, "T1"));
    let needed = node.os + node.k3s + node.containerd + node.shims + node.secrets;
    let t1 = Theorem {
        id: "T1",
        name: "isolation",
        verdict: verdict(&isolation),
        left: needed,
        right: node.reserved() - node.held,
        statement: format!(
            "{} reserved for {} that K3s and the OS can take",
            in_mib(node.reserved() - node.held),
            in_mib(needed)
        ),
        why: isolation,
    };

    let mut interference: Vec<String> =
        unbounded.iter().map(|name| format!("nothing limits `{name}`, which K3s packages without a limit")).collect();
    if !server {
        interference.push(elsewhere());
    }
    interference.extend(voided(plan, "T2"));
    let overcommit = declared.and_then(|node| node.overcommit);
    let room = node.allocatable + node.held;
    // Without anything held back, a pod on its way out may still burst while its successor is there.
    let all_at_once: i128 = plan.workloads.iter().map(|w| i128::from(w.pod_limit()) * i128::from(w.pods)).sum::<i128>()
        + node.components.iter().map(|c| i128::from(c.request) + i128::from(c.gap)).sum::<i128>();
    let bursts = node.limits > node.requests;
    let t2 = Theorem {
        id: "T2",
        name: "non-interference",
        verdict: match overcommit {
            Some(_) if node.limits > node.allocatable || (bursts && all_at_once > i128::from(node.allocatable)) => {
                Verdict::Relaxed
            }
            _ => verdict(&interference),
        },
        left: node.limits,
        right: match overcommit {
            Some(percent) => {
                let allowed = u128::from(node.allocatable) * u128::from(percent.value) / 100;
                u64::try_from(allowed).unwrap_or(u64::MAX)
            }
            None => room,
        },
        statement: match overcommit {
            Some(percent) => format!(
                "{} of limits, {} allocatable, {}% of it allowed in writing",
                in_mib(node.limits),
                in_mib(node.allocatable),
                percent.value
            ),
            None => format!("{} of limits, {} for pods", in_mib(node.limits), in_mib(room)),
        },
        why: interference,
    };

    let without_evidence = plan.workloads.iter().filter(|workload| workload.replicas > 0).count();
    let t3 = Theorem {
        id: "T3",
        name: "sufficiency",
        verdict: if without_evidence == 0 { Verdict::Proved } else { Verdict::Unknown },
        left: 0,
        right: 0,
        statement: match without_evidence {
            0 => "no service runs".to_owned(),
            1 => "no evidence for 1 service".to_owned(),
            n => format!("no evidence for {n} services"),
        },
        why: match without_evidence {
            0 => Vec::new(),
            _ => vec![
                "limits are at or above every known floor, but no measurement says that they are enough".to_owned(),
            ],
        },
    };

    let mut liveness = Vec::new();
    if declared.is_none_or(|node| node.cpu.is_none()) {
        liveness.push("the node has no `cpu`: memory and pods fit, of CPU nothing is known".to_owned());
    }
    if !server {
        liveness.push(elsewhere());
    }
    for (service, _) in plan.program.services.iter().zip(&plan.workloads) {
        if let Kind::CronJob(_, Schedule { concurrency: Concurrency::Allow(runs), .. }) = &service.kind {
            liveness.push(format!(
                "nothing in Kubernetes holds `{}` to the {runs} runs at once that it states",
                service.name.value
            ));
        }
    }
    let local_volumes = plan
        .program
        .services
        .iter()
        .flat_map(|service| &service.pod.volumes)
        .any(|volume| matches!(volume.source, VolumeSource::Storage(_, None) | VolumeSource::Claim(_)));
    if let Some(default) = node.system_default
        && local_volumes
        && node.free() < default.value.n
    {
        liveness
            .push(format!("a volume of K3s's local storage is made by a pod of {}, and less is free", default.value));
    }
    liveness.extend(voided(plan, "T4"));
    let t4 = Theorem {
        id: "T4",
        name: "liveness",
        verdict: verdict(&liveness),
        left: node.requests,
        right: node.allocatable,
        statement: format!(
            "{} requested at the peak of a rollout, {} allocatable; {} of {} pods{}",
            in_mib(node.requests),
            in_mib(node.allocatable),
            node.pods,
            declared.map_or(0, |node| node.max_pods.value),
            match declared.and_then(|node| node.cpu) {
                Some(cpu) => format!("; {}m of {} CPU", node.cpu, cpu.value),
                None => String::new(),
            }
        ),
        why: liveness,
    };
    [t1, t2, t3, t4]
}

/// Keys of K3s and arguments of its components under which a promise is no longer a matter of sums, and why.
const VOIDED: [(&str, &str, &str); 21] = [
    ("T4", "node-taint", "pods that do not tolerate the taint stay Pending"),
    ("T4", "disable-scheduler", "nothing places pods"),
    ("T4", "disable-agent", "the node runs no pods"),
    ("T4", "disable-controller-manager", "nothing makes pods of Deployments"),
    ("T4", "flannel-backend=none", "pods wait for a network that K3s does not bring"),
    ("T4", "kubelet-arg.register-with-taints", "pods that do not tolerate the taint stay Pending"),
    ("T4", "kubelet-arg.pods-per-core", "the kubelet may take fewer pods than `max-pods`"),
    ("T4", "kubelet-arg.reserved-cpus", "the kubelet keeps cores from pods"),
    ("T4", "kubelet-arg.qos-reserved", "the kubelet keeps memory from pods"),
    ("T4", "kubelet-arg.memory-manager-policy", "the kubelet admits pods by NUMA node"),
    ("T4", "kubelet-arg.topology-manager-policy", "the kubelet admits pods by NUMA node"),
    ("T4", "kubelet-arg.cpu-manager-policy", "the kubelet gives whole cores away"),
    ("T2", "kubelet-arg.eviction-soft", "pods are evicted before their limits are reached"),
    ("T2", "kubelet-arg.experimental-allocatable-ignore-eviction", "the eviction threshold is not kept from pods"),
    ("T2", "kube-apiserver-arg.disable-admission-plugins", "the quota and the limit ranges may not be enforced"),
    ("T2", "kubelet-arg.pod-manifest-path", "pods from files are not counted"),
    ("T2", "kubelet-arg.manifest-url", "pods from a URL are not counted"),
    ("T4", "kubelet-arg.pod-manifest-path", "pods from files are not counted"),
    ("T4", "kubelet-arg.manifest-url", "pods from a URL are not counted"),
    ("T1", "kubelet-arg.pod-manifest-path", "the shims of pods from files are not counted"),
    ("T1", "kubelet-arg.manifest-url", "the shims of pods from a URL are not counted"),
];

/// What the node's K3s is told that takes a promise out of the proof's reach.
fn voided(plan: &Plan<'_, '_>, promise: &str) -> Vec<String> {
    let Some(node) = plan.program.nodes.first() else { return Vec::new() };
    let mut said: Vec<String> = Vec::new();
    for setting in &node.config {
        match &setting.value {
            SettingValue::Bool(false) => {}
            SettingValue::Arguments(arguments) => {
                let names = arguments.iter().map(|(name, _)| name.value.trim_end_matches(['+', '-']));
                said.extend(names.map(|name| format!("{}.{name}", setting.key)));
            }
            SettingValue::Text(text) => said.push(format!("{}={text}", setting.key)),
            SettingValue::Bool(true) | SettingValue::Int(_) | SettingValue::List(_) => {
                said.push(setting.key.to_owned())
            }
        }
    }
    let voided = VOIDED.iter().filter(|(of, key, _)| *of == promise && said.iter().any(|said| said == key));
    voided.map(|(_, key, why)| format!("with `{}`, {why}", key.replace('.', " "))).collect()
}
