//! Several nodes: does every pod find room in whatever order they come, is there one placement to hold them to, or is
//! there none? The sums of one node are in `size.rs`, the search and its lemma in `pack.rs`.

use super::model::{Choice, ComponentPlan, NodePlan, Placement, Plan, Workload};
use super::pack::{self, Certificate, Class, Dimension, Spread, Verdict};
use super::size::{Moment, choose, level, moments};
use super::{Excess, SECRET_BYTES, reserve};
use crate::base::quantity::MIB;
use crate::program::{Node, Program, Service, VolumeSource};

/// Why a program finds no place on its nodes.
#[derive(Debug)]
pub(super) enum Failure {
    /// Sums that are over.
    Over(Vec<Excess>),
    /// There is no placement, for this reason. A class is a service's index, or one beyond: a component's.
    Nowhere(Certificate),
    /// Without this node, or with all of them, some pod may find no room, though the program is to outlive a loss.
    Lost(Option<usize>, Option<Certificate>),
}

/// What was found, with numbers chosen out of all ranges.
pub(super) struct Found {
    pub(super) level: Option<(u64, u64)>,
    pub(super) placement: Placement,
}

/// Whether a pod has to come back to the node it first ran on: K3s's local storage is a folder of that node.
pub(super) fn stays(service: &Service<'_>) -> bool {
    let local = |source: &VolumeSource<'_>| {
        matches!(
            source,
            VolumeSource::Storage(_, None) | VolumeSource::Claim(_)
        )
    };
    service
        .pod
        .volumes
        .iter()
        .any(|volume| local(&volume.source))
}

/// Chooses numbers and, where no order of pods may be trusted, nodes.
pub(super) fn settle<'a>(
    program: &Program<'a>,
    nodes: &mut [NodePlan<'a>],
    workloads: &mut Vec<Workload<'a>>,
) -> Result<Found, Failure> {
    let low = lowest(workloads);
    // Whether budgets hold does not depend on nodes.
    choose(
        program,
        nodes,
        Some(i128::from(u64::MAX)),
        &mut workloads.clone(),
    )
    .map_err(Failure::Over)?;
    if let Some(crowded) = nodes
        .iter()
        .enumerate()
        .find_map(|(at, node)| crowded(node, at, &low, &program.nodes[at]))
    {
        return Err(Failure::Nowhere(crowded));
    }
    let room: i128 = nodes.iter().map(|node| i128::from(node.allocatable)).sum();
    let room = room - i128::from(packaged(nodes, |component| component.request));
    let mut filled = workloads.clone();
    let over = over_by_themselves(nodes, &low);
    let filled_to = match over.is_empty() {
        true => choose(program, nodes, Some(room), &mut filled),
        false => Err(over),
    };
    let free_to_move = |(service, workload): (&Service<'_>, &Workload<'_>)| {
        workload.peak() == 0
            || !stays(service)
            || workload
                .nodes
                .as_ref()
                .is_some_and(|nodes| nodes.len() == 1)
    };
    let movable = program
        .services
        .iter()
        .zip(workloads.iter())
        .all(free_to_move);
    let verdict = any_order(program, nodes, &low);
    if let (Ok(level), Ok(_), true) = (&filled_to, &verdict, movable) {
        survival(program, nodes, &low)?;
        let holds = |workloads: &[Workload<'_>]| {
            let shown = any_order(program, nodes, workloads).ok()?;
            let overcommitted =
                (0..nodes.len()).all(|at| super::within_overcommit(program, nodes, workloads, at));
            (overcommitted && survival(program, nodes, workloads).is_ok()).then_some(shown)
        };
        if let Some(shown) = holds(&filled) {
            *workloads = filled;
            return Ok(Found {
                level: *level,
                placement: Placement::AnyOrder(shown),
            });
        }
        // The sum that all may have, by bisection in whole Mi: the cost of a placement only grows with the sizes.
        let (mut most, mut least) = (room / i128::from(MIB), 0);
        let mut best = None;
        while most - least > 1 {
            let middle = least + (most - least) / 2;
            let mut tried = workloads.clone();
            let chosen = choose(program, nodes, Some(middle * i128::from(MIB)), &mut tried);
            match chosen.map(|level| (level, holds(&tried))) {
                Err(_) => least = middle,
                Ok((level, Some(shown))) => {
                    best = Some((tried, level, shown));
                    least = middle;
                }
                Ok((_, None)) => most = middle,
            }
        }
        if let Some((chosen, level, shown)) = best {
            *workloads = chosen;
            return Ok(Found {
                level,
                placement: Placement::AnyOrder(shown),
            });
        }
    }
    if program.survive.is_some() {
        return Err(filled_to
            .err()
            .map_or(Failure::Lost(None, None), Failure::Over));
    }
    if let Some(pins) = pins(program, nodes, workloads) {
        let mut held = workloads.clone();
        for (workload, nodes) in held.iter_mut().zip(pins) {
            workload.nodes = nodes;
        }
        let with_held: Vec<NodePlan<'a>> = (0..nodes.len())
            .map(|at| reserve::node(program, &held, at))
            .collect();
        if let Ok(level) = choose(program, &with_held, None, &mut held) {
            nodes
                .iter_mut()
                .zip(with_held)
                .for_each(|(node, held)| *node = held);
            *workloads = held;
            return Ok(Found {
                level,
                placement: Placement::Pinned,
            });
        }
    }
    match (filled_to, verdict) {
        (Err(over), _) => Err(Failure::Over(over)),
        (Ok(_), Err(Verdict::Impossible(certificate))) => Err(Failure::Nowhere(certificate)),
        (Ok(_), Ok(_) | Err(_)) => {
            *workloads = low;
            let why = "in some order of the pods one may find no room, and no way was found to hold each service to nodes";
            Ok(Found {
                level: level(program, workloads),
                placement: Placement::Unknown(why.to_owned()),
            })
        }
    }
}

/// Nodes that are too small for what no pod gets, or for what each of them has whatever happens.
fn over_by_themselves(nodes: &[NodePlan<'_>], low: &[Workload<'_>]) -> Vec<Excess> {
    let over = |(at, node): (usize, &NodePlan<'_>)| {
        let over = node
            .shortfall
            .saturating_add(fixed(node, at, low).saturating_sub(node.allocatable));
        (over > 0).then(|| Excess::of_node(at, over))
    };
    nodes.iter().enumerate().filter_map(over).collect()
}

/// All ranges at their low ends.
fn lowest<'a>(workloads: &[Workload<'a>]) -> Vec<Workload<'a>> {
    let mut low = workloads.to_vec();
    for workload in low
        .iter_mut()
        .filter(|workload| matches!(workload.choice, Choice::Level | Choice::Ceiling))
    {
        workload.give(workload.pod_least());
    }
    low
}

/// What K3s packages comes to on all nodes together: what moves once, what every node has as often.
pub(crate) fn packaged(nodes: &[NodePlan<'_>], of: impl Fn(&ComponentPlan) -> u64) -> u64 {
    let first = nodes.iter().position(|node| !node.components.is_empty());
    let on = |(at, node): (usize, &NodePlan<'_>)| {
        let there = node
            .components
            .iter()
            .filter(|component| component.every_node || Some(at) == first);
        there.map(&of).fold(0, u64::saturating_add)
    };
    nodes
        .iter()
        .enumerate()
        .map(on)
        .fold(0, u64::saturating_add)
}

/// CPU and number of the pods that a node has whatever happens.
fn fixed_counts(node: &NodePlan<'_>, at: usize, workloads: &[Workload<'_>]) -> (u64, u64) {
    let every = || {
        node.components
            .iter()
            .filter(|component| component.every_node)
    };
    let daemons = || {
        workloads
            .iter()
            .filter(|workload| workload.is_fixed() && workload.may_be_on(at))
    };
    let cpu = every()
        .map(|c| c.cpu)
        .chain(daemons().map(|w| w.cpu))
        .fold(0, u64::saturating_add);
    (
        cpu,
        every().map(|component| component.peak).sum::<u64>() + daemons().count() as u64,
    )
}

/// Whether those alone are more than a node takes.
fn crowded(
    node: &NodePlan<'_>,
    at: usize,
    workloads: &[Workload<'_>],
    declared: &Node<'_>,
) -> Option<Certificate> {
    let (cpu, pods) = fixed_counts(node, at, workloads);
    let has_cpu = declared.cpu.map_or(cpu, |has| has.value.milli);
    let counts = [
        (Dimension::Cpu, cpu, has_cpu),
        (Dimension::Pods, pods, declared.max_pods.value),
    ];
    let (dimension, needed, have) = counts.into_iter().find(|(_, needed, have)| needed > have)?;
    let nodes = u16::try_from(at).into_iter().collect();
    Some(Certificate::Volume {
        dimension,
        nodes,
        needed: needed.into(),
        have: have.into(),
    })
}

/// What a node has for pods that may also go elsewhere: what is allocatable less what every node has.
fn room(
    node: &NodePlan<'_>,
    at: usize,
    workloads: &[Workload<'_>],
    declared: &Node<'_>,
) -> pack::Node {
    let (cpu, pods) = fixed_counts(node, at, workloads);
    pack::Node {
        memory: node.allocatable.saturating_sub(fixed(node, at, workloads)),
        cpu: declared.cpu.map(|has| has.value.milli.saturating_sub(cpu)),
        pods: declared.max_pods.value.saturating_sub(pods),
    }
}

/// Requests of what a node has whatever happens: DaemonSets.
fn fixed(node: &NodePlan<'_>, at: usize, workloads: &[Workload<'_>]) -> u64 {
    let every = node
        .components
        .iter()
        .filter(|component| component.every_node)
        .map(|component| component.request);
    let daemons = workloads
        .iter()
        .filter(|workload| workload.is_fixed() && workload.may_be_on(at));
    every
        .chain(daemons.map(Workload::pod_request))
        .fold(0, u64::saturating_add)
}

/// The pods that may go to more than one place, a class a service and then a class a component.
fn classes(
    program: &Program<'_>,
    nodes: &[NodePlan<'_>],
    workloads: &[Workload<'_>],
    moment: Moment,
) -> Vec<Class> {
    let of_service = |(index, workload): (usize, &Workload<'_>)| Class {
        memory: workload.pod_request(),
        cpu: workload.cpu,
        pods: 1,
        count: if workload.is_fixed() {
            0
        } else {
            moment.pods(index, workload)
        },
        nodes: workload.nodes.clone(),
        spread: if workload.apart {
            Spread::AtMostOnePerNode
        } else {
            Spread::Any
        },
    };
    let packaged = nodes
        .iter()
        .map(|node| &node.components)
        .find(|components| !components.is_empty());
    let of_component = |component: &ComponentPlan| Class {
        memory: component.request.checked_div(component.peak).unwrap_or(0),
        cpu: component.cpu.checked_div(component.peak).unwrap_or(0),
        pods: 1,
        count: if component.every_node {
            0
        } else {
            component.peak
        },
        nodes: program.open_nodes.clone(),
        spread: Spread::Any,
    };
    workloads
        .iter()
        .enumerate()
        .map(of_service)
        .chain(packaged.into_iter().flatten().map(of_component))
        .collect()
}

fn rooms(
    program: &Program<'_>,
    nodes: &[NodePlan<'_>],
    workloads: &[Workload<'_>],
) -> Vec<pack::Node> {
    let rooms = nodes.iter().zip(&program.nodes).enumerate();
    rooms
        .map(|(at, (node, declared))| room(node, at, workloads, declared))
        .collect()
}

/// At each moment, for each class of pods, the nodes with which the lemma shows that they find room.
type Shown = Vec<(Moment, Vec<Vec<u16>>)>;

/// Whether every order of pods ends well, at each moment: then the nodes with which the lemma shows it.
fn any_order(
    program: &Program<'_>,
    nodes: &[NodePlan<'_>],
    workloads: &[Workload<'_>],
) -> Result<Shown, Verdict> {
    let rooms = rooms(program, nodes, workloads);
    let mut shown = Vec::new();
    let mut worst = None;
    for moment in moments(program, workloads) {
        match pack::place(&rooms, &classes(program, nodes, workloads, moment)) {
            Verdict::AnyOrder(with) => shown.push((moment, with)),
            impossible @ Verdict::Impossible(_) => return Err(impossible),
            other @ (Verdict::Packed(_) | Verdict::Undecided) => worst = Some(other),
        }
    }
    worst.map_or(Ok(shown), Err)
}

/// Whether every order ends well without any one node, where the program asks for that.
fn survival(
    program: &Program<'_>,
    nodes: &[NodePlan<'_>],
    workloads: &[Workload<'_>],
) -> Result<(), Failure> {
    if program.survive.is_none() {
        return Ok(());
    }
    let rooms = rooms(program, nodes, workloads);
    for moment in moments(program, workloads) {
        let verdicts = pack::survives_one(&rooms, &classes(program, nodes, workloads, moment));
        for (lost, verdict) in verdicts.into_iter().enumerate() {
            match verdict {
                Verdict::AnyOrder(_) => {}
                Verdict::Impossible(certificate) => {
                    return Err(Failure::Lost(Some(lost), Some(certificate)));
                }
                Verdict::Packed(_) | Verdict::Undecided => {
                    return Err(Failure::Lost(Some(lost), None));
                }
            }
        }
    }
    Ok(())
}

/// Nodes for every service so that all fit whatever happens: one for all pods of a service, with what they cost the
/// node beside their requests; for pods that may not share a node, as many as there are of them.
fn pins(
    program: &Program<'_>,
    nodes: &[NodePlan<'_>],
    workloads: &[Workload<'_>],
) -> Option<Vec<Option<Vec<u16>>>> {
    let low = lowest(workloads);
    let beside = |service: &Service<'_>, workload: &Workload<'_>, node: usize| {
        let held = match program.nodes[node].overcommit {
            None if workload.choice == Choice::Burst => {
                workload.pod_limit() - workload.pod_request()
            }
            _ => 0,
        };
        program.nodes[node].process.shim.value.n + service.secret_mounts() * SECRET_BYTES + held
    };
    // What stays the same wherever services go: everything but what their pods cost beside their requests.
    let free: Vec<pack::Node> = (0..nodes.len())
        .map(|at| {
            let bare = reserve::node(program, &[], at);
            let mut room = room(&bare, at, &[], &program.nodes[at]);
            let movable = || {
                bare.components
                    .iter()
                    .filter(|component| !component.every_node)
            };
            let mut less = |memory: u64, cpu: u64, pods: u64| {
                room.memory = room.memory.checked_sub(memory)?;
                room.pods = room.pods.checked_sub(pods)?;
                // CPU that nobody asks for is not missed.
                room.cpu = match room.cpu {
                    Some(has) if cpu > 0 => Some(has.checked_sub(cpu)?),
                    has => has,
                };
                Some(())
            };
            let of = |amount: fn(&ComponentPlan) -> u64| {
                movable().map(amount).fold(0, u64::saturating_add)
            };
            less(of(|c| c.request), of(|c| c.cpu), of(|c| c.peak))?;
            for (service, workload) in program
                .services
                .iter()
                .zip(&low)
                .filter(|(_, workload)| workload.is_fixed())
            {
                if workload.may_be_on(at) {
                    let memory = workload
                        .pod_request()
                        .saturating_add(beside(service, workload, at));
                    less(memory, workload.cpu, 1)?;
                }
            }
            Some(room)
        })
        .collect::<Option<_>>()?;
    // The cost of a pod beside its request differs between nodes only in the shim; the dearest counts.
    let dearest = |service: &Service<'_>, workload: &Workload<'_>| {
        (0..nodes.len())
            .map(|node| beside(service, workload, node))
            .max()
            .unwrap_or(0)
    };
    let class = |(service, workload): (&Service<'_>, &Workload<'_>)| {
        let (together, count) = match (workload.is_fixed(), workload.apart) {
            (true, _) => (0, 0),
            (false, true) => (1, workload.peak()),
            (false, false) => (workload.peak(), u64::from(workload.peak() > 0)),
        };
        let with_ending = if workload.apart { 1 } else { workload.pods };
        let memory = workload.pod_request().saturating_mul(together);
        Class {
            memory: memory.saturating_add(dearest(service, workload).saturating_mul(with_ending)),
            cpu: workload.cpu.saturating_mul(together),
            pods: together,
            count,
            nodes: workload.nodes.clone(),
            spread: if workload.apart {
                Spread::AtMostOnePerNode
            } else {
                Spread::Any
            },
        }
    };
    let classes: Vec<Class> = program.services.iter().zip(&low).map(class).collect();
    let rows = pack::one(&free, &classes)?;
    let chosen = workloads.iter().enumerate().map(|(index, workload)| {
        if workload.is_fixed() || workload.peak() == 0 {
            return workload.nodes.clone();
        }
        Some(
            (0_u16..)
                .zip(&rows)
                .filter(|(_, row)| row[index] > 0)
                .map(|(node, _)| node)
                .collect(),
        )
    });
    Some(chosen.collect())
}

/// How many more services like one would find room in any order, ranges at their low ends. None where pods are held to
/// nodes: then it is a matter of one search for each.
pub(crate) fn room_for(plan: &Plan<'_, '_>, index: usize) -> Option<u64> {
    let Placement::AnyOrder(_) = plan.placement else {
        return None;
    };
    let program = plan.program;
    let (low, like) = (lowest(&plan.workloads), &plan.workloads[index]);
    let free = rooms(program, &plan.nodes, &low);
    let moment = *moments(program, &low).first()?;
    let fits = |more: u64| {
        let beside = |at: usize| {
            let held = if program.nodes[at].overcommit.is_some() {
                0
            } else {
                like.pod_limit() - like.pod_request()
            };
            let each = program.nodes[at].process.shim.value.n
                + program.services[index].secret_mounts() * SECRET_BYTES;
            (each + held)
                .saturating_mul(like.on(at, like.pods))
                .saturating_mul(more)
        };
        let rooms = free.iter().enumerate().map(|(at, node)| {
            Some(pack::Node {
                memory: node.memory.checked_sub(beside(at))?,
                ..node.clone()
            })
        });
        let Some(rooms) = rooms.collect::<Option<Vec<_>>>() else {
            return false;
        };
        let mut all = classes(program, &plan.nodes, &low, moment);
        all.push(Class {
            count: like.peak().saturating_mul(more),
            spread: Spread::Any,
            ..all[index].clone()
        });
        matches!(pack::place(&rooms, &all), Verdict::AnyOrder(_))
    };
    let (mut least, mut most) = (0, 1);
    while most < 1 << 20 && fits(most) {
        (least, most) = (most, most * 2);
    }
    while most - least > 1 {
        let middle = least + (most - least) / 2;
        if fits(middle) {
            least = middle
        } else {
            most = middle
        }
    }
    Some(least)
}
