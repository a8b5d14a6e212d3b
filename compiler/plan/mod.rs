//! A program to a plan: what is reserved on the node, what each service gets, and whether every promise holds.
//! Afterwards nothing is left to decide and nothing can fail.
//!
//! The rules are `spec/06-proof.md`; the arithmetic is in whole bytes.

#![deny(clippy::wildcard_enum_match_arm)]

pub(crate) mod admission;
mod cluster;
mod errors;
mod expect;
mod fill;
mod fixes;
pub mod model;
mod pack;
mod reserve;
pub mod size;
mod theorems;

use crate::base::quantity::{Bytes, MIB};
use crate::base::span::Span;
use crate::diag::Sink;
use crate::program::{
    Budget, Extra, Given, Image, Kind, Memory, Origin, Program, Service, VolumeSource,
};
use cluster::{Failure, Found};
pub(crate) use cluster::{packaged, room_for};
use model::{BudgetPlan, Choice, NodePlan, Placement, Plan, Together, Wave, Workload};
use pack::Certificate;
use size::moments;

/// Below this a container does not even start: what runc needs inside the limit before the program runs.
/// CRI-O refuses less for that reason (cri-o/cri-o#1975, containers/nri-plugins#805).
const LEAST_LIMIT: Bytes = Bytes::mib(12);

/// The most a Secret can hold (Kubernetes `MaxSecretSize`): mounted, it lies in memory no pod pays for.
pub(crate) const SECRET_BYTES: u64 = MIB;

/// Decides everything, or reports why it does not fit.
pub fn plan<'p, 'a>(
    program: &'p Program<'a>,
    place: &dyn Fn(Span) -> String,
    sink: &mut Sink,
) -> Option<Plan<'p, 'a>> {
    let mut workloads: Vec<Workload<'a>> = program
        .services
        .iter()
        .map(|service| workload(program, service, sink))
        .collect();
    for component in program
        .components
        .iter()
        .filter(|component| component.owned)
    {
        let limit = component
            .memory
            .and_then(|(request, limit)| limit.or(Some(request)));
        if let Some(limit) = limit.filter(|limit| limit.value < LEAST_LIMIT) {
            sink.push(errors::component_below_floor(component, limit, LEAST_LIMIT));
        }
    }
    if sink.has_errors() {
        return None;
    }
    let mut nodes: Vec<NodePlan<'a>> = (0..program.nodes.len())
        .map(|index| reserve::node(program, &workloads, index))
        .collect();
    let found = match nodes.as_slice() {
        [_] if let Some(apart) = more_than_one(&workloads) => Err(Failure::Nowhere(apart)),
        [_] => size::choose(program, &nodes, None, &mut workloads)
            .map(|level| Found {
                level,
                placement: Placement::AnyOrder(Vec::new()),
            })
            .map_err(Failure::Over),
        _ => cluster::settle(program, &mut nodes, &mut workloads),
    };
    let mut plan = Plan {
        program,
        nodes,
        budgets: Vec::new(),
        level: None,
        placement: Placement::AnyOrder(Vec::new()),
        together: Together::default(),
        theorems: Vec::new(),
        workloads,
    };
    match found {
        Ok(found) => (plan.level, plan.placement) = (found.level, found.placement),
        Err(Failure::Over(over)) => {
            for excess in over {
                sink.push(match excess.ceiling {
                    Ceiling::Overcommit(node) => {
                        errors::over_overcommit(&plan, node, excess.deficit)
                    }
                    Ceiling::Node(_) | Ceiling::Together | Ceiling::Budget(_) => {
                        errors::over_memory(&plan, excess, place)
                    }
                });
            }
        }
        Err(Failure::Nowhere(certificate)) => sink.push(errors::nowhere(&plan, &certificate)),
        Err(Failure::Lost(node, certificate)) => {
            sink.push(errors::lost(&plan, node, certificate.as_ref()))
        }
    }
    check_counts(&plan, sink);
    if sink.has_errors() {
        return None;
    }
    settle(&mut plan);
    admission::report(&plan, sink);
    plan.theorems = theorems::of(&plan);
    expect::check(&plan, sink);
    (!sink.has_errors()).then_some(plan)
}

/// Pods that may not share a node, where there is but one.
fn more_than_one(workloads: &[Workload<'_>]) -> Option<Certificate> {
    let class = workloads
        .iter()
        .position(|workload| workload.apart && workload.peak() > 1)?;
    Some(Certificate::Apart {
        class,
        count: workloads[class].peak(),
        nodes: 1,
    })
}

/// What is known of a service before the ranges are filled.
fn workload<'a>(program: &Program<'a>, service: &Service<'a>, sink: &mut Sink) -> Workload<'a> {
    let nodes = service.pod.place.nodes.clone();
    let replicas = match service.kind {
        Kind::DaemonSet => nodes.as_ref().map_or(program.nodes.len(), Vec::len) as u64,
        Kind::Deployment(_) | Kind::StatefulSet | Kind::Job(_) | Kind::CronJob(..) => {
            service.replicas.value
        }
    };
    let [
        (sidecars, init_peak),
        (sidecar_requests, init_request_peak),
        (sidecar_cpu, cpu_peak),
    ] = beside(service);
    let main_cpu = service.cpu.map_or(0, |(request, _)| request.value.milli);
    let floor = floor(program, service);
    // What a container writes into a volume in memory is charged to its limit.
    let in_memory: u64 = service
        .pod
        .volumes
        .iter()
        .map(|volume| match &volume.source {
            VolumeSource::Memory(size) => size.value.n,
            VolumeSource::Claim(_)
            | VolumeSource::Storage(..)
            | VolumeSource::Config(_)
            | VolumeSource::Secret(_)
            | VolumeSource::Disk(_)
            | VolumeSource::Host(_) => 0,
        })
        .sum();
    let (request, limit, choice) = match service.memory {
        Memory::Burst { request, limit } => (request.value, limit.value, Choice::Burst),
        Memory::Range { low, high } if low.value == high.value => {
            (low.value, high.value, Choice::Written)
        }
        Memory::Range { low, high } => (low.value, high.value, Choice::Level),
    };
    let written = match service.memory {
        Memory::Range { high, .. } => high,
        Memory::Burst { limit, .. } => limit,
    };
    let physical = Given {
        value: LEAST_LIMIT,
        origin: Origin::default("proof.least-limit"),
    };
    // What an adopted manifest keeps runs as it does, however small it is.
    let kept = |extra: Option<usize>| {
        let held = service
            .adopted
            .iter()
            .flat_map(|adopted| &adopted.containers);
        held.into_iter()
            .any(|held| held.extra == extra && !held.sets_memory)
    };
    let small =
        |(at, extra): &(usize, &Extra<'_>)| extra.memory.value < LEAST_LIMIT && !kept(Some(*at));
    for (_, extra) in service.extras.iter().enumerate().filter(small) {
        sink.push(errors::extra_below_floor(extra, LEAST_LIMIT));
    }
    let mut binding = floor
        .filter(|floor| floor.value > LEAST_LIMIT)
        .unwrap_or(physical);
    binding.value = Bytes::new(binding.value.n.saturating_add(in_memory));
    if written.value < binding.value && !kept(None) {
        sink.push(errors::below_floor(
            program, service, written, binding, in_memory,
        ));
    }
    let raised = choice == Choice::Level && binding.value > request;
    Workload {
        request,
        limit,
        choice,
        least: if raised { binding.value } else { request },
        floor: raised.then_some(binding),
        replicas,
        surge: service.surge(replicas),
        wave: match service.wave {
            _ if service.rollout.value.is_alone() => Wave::Alone,
            Some(wave) => Wave::Of(wave.value),
            None => Wave::Every,
        },
        pods: replicas + service.ending(replicas),
        one_a_node: matches!(service.kind, Kind::DaemonSet) || service.pod.place.apart,
        apart: service.pod.place.apart,
        nodes,
        sidecars,
        init_peak,
        sidecar_requests,
        init_request_peak,
        cpu: (main_cpu + sidecar_cpu).max(cpu_peak),
    }
}

/// Of all sidecars, and of the hungriest init container with the sidecars before it: limits of memory, requests of
/// memory, requests of CPU (Kubernetes, component-helpers `PodRequests`).
fn beside(service: &Service<'_>) -> [(u64, u64); 3] {
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

/// The measured floor of a service's runtime, with its further workers.
fn floor<'a>(program: &Program<'a>, service: &Service<'a>) -> Option<Given<'a, Bytes>> {
    let Image::Built(image) = &service.image else {
        return None;
    };
    let runtime = program.runtimes.get(image.runtime)?;
    let mut floor = runtime.floor?;
    if let (Some(workers), Some(worker)) = (image.workers, runtime.worker) {
        let further = (workers.value - 1) * worker.value.n;
        floor.value = Bytes::new(floor.value.n + further);
    }
    Some(floor)
}

/// What is over, and by how much.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Excess {
    /// What has too little room.
    pub(crate) ceiling: Ceiling,
    /// By how many bytes.
    pub(crate) deficit: u64,
}

impl Excess {
    fn of_node(node: usize, deficit: u64) -> Excess {
        Excess {
            ceiling: Ceiling::Node(node),
            deficit,
        }
    }
}

/// What bounds the memory of services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ceiling {
    /// What the scheduler may give on a node, by index.
    Node(usize),
    /// What it may give on all nodes together.
    Together,
    /// A named budget, by index.
    Budget(usize),
    /// The limits that a node allows in writing, by index.
    Overcommit(usize),
}

/// The limits of all pods of a service that may be on a node at once, as far as its requests do not hold others off.
fn limits(workload: &Workload<'_>, node: usize) -> i128 {
    let gap = i128::from(workload.pod_limit()) - i128::from(workload.pod_request());
    i128::from(workload.pod_request()) * i128::from(workload.on(node, workload.peak()))
        + gap * i128::from(workload.on(node, workload.pods))
}

/// The least those limits can come to.
fn least_limits(workload: &Workload<'_>, node: usize) -> i128 {
    match workload.choice {
        Choice::Burst => limits(workload, node),
        Choice::Written | Choice::Ceiling | Choice::Level => {
            i128::from(workload.pod_least()) * i128::from(workload.on(node, workload.peak()))
        }
    }
}

/// Bytes that an overcommit allows.
fn allowed(allocatable: u64, percent: u64) -> u64 {
    u64::try_from(u128::from(allocatable) * u128::from(percent) / 100).unwrap_or(u64::MAX)
}

/// Whether the limits of all that may be on a node are within what it allows in writing.
fn within_overcommit(
    program: &Program<'_>,
    nodes: &[NodePlan<'_>],
    workloads: &[Workload<'_>],
    at: usize,
) -> bool {
    let Some(percent) = program.nodes[at].overcommit else {
        return true;
    };
    let sums = on_node(program, &nodes[at], at, workloads);
    sums.limits <= allowed(nodes[at].allocatable, percent.value)
}

/// What is counted rather than filled, on one node: pods and CPU. On several the search counts them.
fn check_counts(plan: &Plan<'_, '_>, sink: &mut Sink) {
    if plan.on_several_nodes() {
        for at in 0..plan.nodes.len() {
            if !sink.has_errors()
                && !within_overcommit(plan.program, &plan.nodes, &plan.workloads, at)
            {
                let over = on_node(plan.program, &plan.nodes[at], at, &plan.workloads).limits;
                let percent = plan.program.nodes[at]
                    .overcommit
                    .map_or(100, |percent| percent.value);
                let deficit = over - allowed(plan.nodes[at].allocatable, percent);
                sink.push(errors::over_overcommit(plan, at, deficit));
            }
        }
        return;
    }
    let Some(node) = plan.program.nodes.first() else {
        return;
    };
    let sums = together(plan.program, &plan.nodes, &plan.workloads);
    let packaged: u64 = plan
        .components()
        .iter()
        .map(|component| component.peak)
        .sum();
    if sums.pods > node.max_pods.value {
        sink.push(errors::too_many_pods(plan, sums.pods - packaged, packaged));
    }
    if let Some(cpu) = node.cpu.filter(|cpu| sums.cpu > cpu.value.milli) {
        sink.push(errors::over_cpu(plan, sums.cpu, cpu));
    }
}

/// Sums of what may be on one node.
struct Sums {
    requests: u64,
    limits: u64,
    pods: u64,
    cpu: u64,
}

/// The most of `amount` that pods of all services can come to, over the moments of a rollout.
fn at_worst<'w, 'a: 'w>(
    program: &Program<'a>,
    workloads: &'w [Workload<'a>],
    amount: impl Fn(usize, &'w Workload<'a>, u64) -> u64,
) -> u64 {
    let at = |moment: size::Moment| {
        let each = workloads.iter().enumerate();
        each.map(|(index, workload)| amount(index, workload, moment.pods(index, workload)))
            .fold(0, u64::saturating_add)
    };
    moments(program, workloads)
        .into_iter()
        .map(at)
        .max()
        .unwrap_or(0)
}

fn on_node<'a>(
    program: &Program<'a>,
    node: &NodePlan<'_>,
    at: usize,
    workloads: &[Workload<'a>],
) -> Sums {
    let components = || node.components.iter();
    let packaged =
        |of: fn(&model::ComponentPlan) -> u64| components().map(of).fold(0, u64::saturating_add);
    let requests = at_worst(program, workloads, |_, w, pods| {
        w.pod_request().saturating_mul(w.on(at, pods))
    });
    let gaps = workloads
        .iter()
        .map(|w| (w.pod_limit() - w.pod_request()).saturating_mul(w.on(at, w.pods)));
    let pods = at_worst(program, workloads, |_, workload, pods| {
        workload.on(at, pods)
    });
    let cpu = at_worst(program, workloads, |_, workload, pods| {
        workload.cpu.saturating_mul(workload.on(at, pods))
    });
    // More than the node has, the scheduler does not let there be.
    let requests = requests
        .saturating_add(node.packaged())
        .min(node.allocatable);
    let declared = &program.nodes[at];
    let cpu = cpu.saturating_add(packaged(|component| component.cpu));
    Sums {
        requests,
        limits: gaps
            .fold(requests, u64::saturating_add)
            .saturating_add(packaged(|component| component.gap)),
        pods: pods
            .saturating_add(packaged(|component| component.peak))
            .min(declared.max_pods.value),
        cpu: declared.cpu.map_or(cpu, |has| cpu.min(has.value.milli)),
    }
}

/// Sums over all nodes.
fn together<'a>(
    program: &Program<'a>,
    nodes: &[NodePlan<'_>],
    workloads: &[Workload<'a>],
) -> Together {
    let packaged = |of: fn(&model::ComponentPlan) -> u64| cluster::packaged(nodes, of);
    Together {
        requests: at_worst(program, workloads, |_, w, pods| {
            w.pod_request().saturating_mul(pods)
        })
        .saturating_add(packaged(|component| component.request)),
        pods: at_worst(program, workloads, |_, _, pods| pods)
            .saturating_add(packaged(|component| component.peak)),
        cpu: at_worst(program, workloads, |_, workload, pods| {
            workload.cpu.saturating_mul(pods)
        })
        .saturating_add(packaged(|component| component.cpu)),
        allocatable: nodes
            .iter()
            .map(|node| node.allocatable)
            .fold(0, u64::saturating_add),
    }
}

/// The sums that follow from what was chosen.
fn settle(plan: &mut Plan<'_, '_>) {
    for at in 0..plan.nodes.len() {
        let sums = on_node(plan.program, &plan.nodes[at], at, &plan.workloads);
        let node = &mut plan.nodes[at];
        (node.requests, node.limits, node.pods, node.cpu) =
            (sums.requests, sums.limits, sums.pods, sums.cpu);
    }
    plan.together = together(plan.program, &plan.nodes, &plan.workloads);
    let used = |budget: &Budget<'_>| {
        let limit = |index, w: &Workload<'_>, pods| {
            if budget.is_over(index) {
                w.pod_limit() * pods
            } else {
                0
            }
        };
        at_worst(plan.program, &plan.workloads, limit)
    };
    let budgets = plan.program.budgets.iter();
    plan.budgets = budgets
        .map(|b| BudgetPlan {
            ceiling: b.ceiling.value.n,
            used: used(b),
        })
        .collect();
}
