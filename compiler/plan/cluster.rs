//! Several nodes: does every pod find room in whatever order they come, is there one placement to hold them to, or is
//! there none? The sums of one node are in `size.rs`, the search and its lemma in `pack.rs`.

use super::excess::Excess;
use super::model::{Choice, ComponentPlan, Moment, NodePlan, Placement, Plan, Workload};
use super::moments::moments;
use super::pack::{self, Certificate, Class, Packing, Spread};
use super::reserve::{self, price_of_pod};
use super::resources::{Capacity, Dimension, Resources};
use super::size::{Bounds, choose, choose_on_nodes, level as level_of};
use super::sums::{allowed, limits_at_rest, most_limits, packaged_asks, within_overcommit};
use super::tie::{Tie, tie};
use crate::base::id::{Id, ids, numbered};
use crate::base::quantity::MIB;
use crate::program::{Node, NodeId, Program, Service, ServiceId};

/// Why a program finds no place on its nodes.
#[derive(Debug)]
pub(super) enum Failure {
    /// Sums that are over.
    Over(Vec<Excess>),
    /// There is no placement, for this reason. A class is a service's index, or one beyond: a component's.
    Nowhere(Certificate),
    /// Without this node, or with all of them, some pod may find no room, though the program is to outlive a loss.
    Lost(Option<NodeId>, Option<Certificate>),
}

/// What was found, with numbers chosen out of all ranges.
pub(super) struct Found {
    pub(super) level: Option<(u64, u64)>,
    pub(super) placement: Placement,
}

impl Found {
    fn in_any_order(level: Option<(u64, u64)>, shown: Shown) -> Found {
        Found {
            level,
            placement: Placement::AnyOrder(shown),
        }
    }
}

/// Chooses numbers and, where no order of pods may be trusted, nodes.
pub(super) fn settle<'a>(
    program: &Program<'a>,
    nodes: &mut [NodePlan<'a>],
    workloads: &mut Vec<Workload<'a>>,
) -> Result<Found, Failure> {
    let low = lowest(workloads);
    // Whether budgets hold does not depend on nodes.
    let endless = Bounds::Together(i128::from(u64::MAX));
    choose(program, &[], endless, &mut workloads.clone()).map_err(Failure::Over)?;
    let mut declared = numbered(&program.nodes);
    if let Some(certificate) = declared.find_map(|(at, has)| crowded(nodes, at, &low, has)) {
        return Err(Failure::Nowhere(certificate));
    }
    let room = room_together(nodes);
    let mut filled = workloads.clone();
    let filled_to = choose(program, nodes, Bounds::Together(room), &mut filled);
    let low_shown = any_order(program, nodes, &low);
    if let (Ok(level), Ok(_), true) = (&filled_to, &low_shown, all_may_move(program, workloads)) {
        survival(program, nodes, &low)?;
        let free = Free {
            program,
            nodes,
            closely: limits_fit(program, nodes, &low, true),
        };
        if let Some((chosen, found)) = free.settle(workloads, (filled, *level), &low, room) {
            *workloads = chosen;
            return Ok(found);
        }
    }
    if program.survive.is_some() {
        return Err(filled_to
            .err()
            .map_or(Failure::Lost(None, None), Failure::Over));
    }
    if let Some(found) = pin(program, nodes, workloads) {
        return Ok(found);
    }
    match (filled_to, low_shown) {
        (Err(over), _) => Err(Failure::Over(over)),
        (Ok(_), Err(Packing::Impossible(certificate))) => Err(Failure::Nowhere(certificate)),
        (Ok(_), Ok(_) | Err(_)) => {
            *workloads = low;
            let why = "in some order of the pods one may find no room, and no way was found to hold each service to nodes";
            Ok(Found {
                level: level_of(program, workloads),
                placement: Placement::Unknown(why.to_owned()),
            })
        }
    }
}

/// What all nodes together have for services, in bytes.
fn room_together(nodes: &[NodePlan<'_>]) -> i128 {
    let all = nodes.iter().map(|node| i128::from(node.allocatable()));
    all.sum::<i128>() - i128::from(packaged_asks(nodes)[Dimension::Memory])
}

/// Whether no service has pods that a volume ties to whichever node they came to first.
fn all_may_move(program: &Program<'_>, workloads: &[Workload<'_>]) -> bool {
    let mut all = program.services.iter().zip(workloads);
    all.all(|(service, workload)| {
        let nodes = workload.nodes.as_ref();
        let held = nodes.is_some_and(|nodes| nodes.len() == 1);
        workload.peak() == 0 || held || !matches!(tie(program, service), Tie::Node(_))
    })
}

/// A choice of numbers under which every pod finds room in whatever order pods come.
struct Free<'p, 'a> {
    program: &'p Program<'a>,
    nodes: &'p [NodePlan<'a>],
    /// Limits are held as closely as they can be: those of all pods that may be there at once, else those at rest.
    closely: bool,
}

impl<'a> Free<'_, 'a> {
    /// The largest numbers with which every order ends well: those that fill all nodes, else as much of their sum as
    /// bisection finds, else the low ends.
    fn settle(
        &self,
        workloads: &[Workload<'a>],
        (filled, level): (Vec<Workload<'a>>, Option<(u64, u64)>),
        low: &[Workload<'a>],
        room: i128,
    ) -> Option<(Vec<Workload<'a>>, Found)> {
        if let Some(shown) = self.shown(&filled) {
            return Some((filled, Found::in_any_order(level, shown)));
        }
        if let Some(found) = self.bisect(workloads, room) {
            return Some(found);
        }
        // The sums alone may still be what is too much: a DaemonSet that grew as far as its nodes allow leaves
        // nothing for what K3s packages.
        let shown = self.shown(low)?;
        let level = level_of(self.program, low);
        Some((low.to_vec(), Found::in_any_order(level, shown)))
    }

    /// The nodes with which the lemma shows that every order ends well; `None` if limits or the loss of a node do not
    /// hold either.
    fn shown(&self, workloads: &[Workload<'a>]) -> Option<Shown> {
        let (program, nodes) = (self.program, self.nodes);
        if !limits_fit(program, nodes, workloads, self.closely) {
            return None;
        }
        let shown = any_order(program, nodes, workloads).ok()?;
        let overcommitted = ids(nodes).all(|at| within_overcommit(program, nodes, workloads, at));
        (overcommitted && survival(program, nodes, workloads).is_ok()).then_some(shown)
    }

    /// The largest sum that all may have, in whole Mi: the cost of a placement only grows with the sizes.
    fn bisect(&self, workloads: &[Workload<'a>], room: i128) -> Option<(Vec<Workload<'a>>, Found)> {
        let (mut most, mut least) = (room / i128::from(MIB), 0);
        let mut best = None;
        while most - least > 1 {
            let middle = least + (most - least) / 2;
            let mut tried = workloads.to_vec();
            let bounds = Bounds::Together(middle * i128::from(MIB));
            let chosen = choose(self.program, self.nodes, bounds, &mut tried);
            match chosen.map(|level| (level, self.shown(&tried))) {
                Err(_) => least = middle,
                Ok((level, Some(shown))) => {
                    best = Some((tried, Found::in_any_order(level, shown)));
                    least = middle;
                }
                Ok((_, None)) => most = middle,
            }
        }
        best
    }
}

/// Holds every service to nodes and chooses numbers there. `None` if no way was found.
fn pin<'a>(
    program: &Program<'a>,
    nodes: &mut [NodePlan<'a>],
    workloads: &mut Vec<Workload<'a>>,
) -> Option<Found> {
    let pins = pins(program, nodes, workloads)?;
    let mut held = workloads.clone();
    for (workload, nodes) in held.iter_mut().zip(pins) {
        workload.nodes = nodes;
    }
    let with_held: Vec<NodePlan<'a>> = ids(nodes)
        .map(|at| reserve::node(program, &held, at))
        .collect();
    let level = choose_on_nodes(program, &with_held, &mut held).ok()?;
    for (node, held) in nodes.iter_mut().zip(with_held) {
        *node = held;
    }
    *workloads = held;
    Some(Found {
        level,
        placement: Placement::Pinned,
    })
}

/// Whether limits are within what every node has for them: those of all pods that may be there at once, or of what is
/// there at rest.
fn limits_fit(
    program: &Program<'_>,
    nodes: &[NodePlan<'_>],
    workloads: &[Workload<'_>],
    all_at_once: bool,
) -> bool {
    numbered(nodes).all(|(at, node)| {
        let limits = match all_at_once {
            true => most_limits(node, at, workloads).bytes(),
            false => limits_at_rest(nodes, at, workloads),
        };
        limits <= allowed(program, node, at)
    })
}

/// All ranges at their low ends.
pub(super) fn lower(workloads: &mut [Workload<'_>]) {
    for workload in workloads.iter_mut() {
        if matches!(workload.choice, Choice::Level | Choice::Ceiling) {
            workload.give(workload.pod_least());
        }
    }
}

/// The same of a copy.
pub(super) fn lowest<'a>(workloads: &[Workload<'a>]) -> Vec<Workload<'a>> {
    let mut low = workloads.to_vec();
    lower(&mut low);
    low
}

/// What a node has.
fn capacity(node: &NodePlan<'_>, declared: &Node<'_>) -> Capacity {
    Capacity::of_node(declared, node.allocatable())
}

/// Whether a component has its pods on every node and pushes out what is in their way there. Pods that bzc does not
/// manage have no priority that it knows: they wait as others do.
fn is_fixed(component: &ComponentPlan) -> bool {
    component.every_node && component.preempts
}

/// What the pods of DaemonSets ask for: every node has them, wherever other pods go.
fn fixed(node: &NodePlan<'_>, at: NodeId, workloads: &[Workload<'_>]) -> Resources {
    let every = node
        .components
        .iter()
        .filter(|component| is_fixed(component));
    let daemons = workloads
        .iter()
        .filter(|workload| workload.is_fixed() && workload.may_be_on(at));
    Resources::sum(
        every
            .map(ComponentPlan::asked)
            .chain(daemons.map(|daemon| daemon.asked().times(daemon.on_each))),
    )
}

/// Whether CPU or number of those alone are more than a node has; or those and what K3s packages, which has this node
/// alone.
fn crowded(
    nodes: &[NodePlan<'_>],
    at: NodeId,
    workloads: &[Workload<'_>],
    declared: &Node<'_>,
) -> Option<Certificate> {
    let node = &nodes[at];
    let mut fixed = fixed(node, at, workloads);
    let mut has = capacity(node, declared);
    let is_alone = numbered(nodes).all(|(other, node)| other == at || node.components.is_empty());
    if is_alone {
        fixed = fixed.plus(critical(node));
    } else {
        // Numbers are chosen to fit memory, and where none fits the error lists the addends.
        has[Dimension::Memory] = None;
    }
    let dimension = has.less(fixed).err()?;
    Some(Certificate::Volume {
        dimension,
        nodes: vec![at],
        needed: fixed[dimension].into(),
        have: has[dimension].unwrap_or(0).into(),
    })
}

/// What a node has for pods that may also go elsewhere: what its DaemonSets leave. `None` if those alone are too
/// much, or if what K3s packages can come to be in their way: its pods have the highest priority of all
/// (`system-cluster-critical`, `system-node-critical`), so a DaemonSet waits for ever where they came first.
fn room(
    node: &NodePlan<'_>,
    at: NodeId,
    workloads: &[Workload<'_>],
    declared: &Node<'_>,
) -> Option<Capacity> {
    let left = capacity(node, declared)
        .less(fixed(node, at, workloads))
        .ok()?;
    let has_daemons = workloads
        .iter()
        .any(|workload| workload.is_fixed() && workload.may_be_on(at));
    (!has_daemons || left.less(critical(node)).is_ok()).then_some(left)
}

/// What those packaged pods ask for that are not on every node and push out what is in their way.
fn critical(node: &NodePlan<'_>) -> Resources {
    let components = node.components.iter();
    let critical = components.filter(|component| component.preempts && !component.every_node);
    Resources::sum(critical.map(ComponentPlan::asked))
}

/// The pods that may go to more than one place, a class a service and then a class a component; and behind them those
/// that bzc does not manage and that every node has, a class a node; those of a lost node are gone with it.
fn classes(
    program: &Program<'_>,
    nodes: &[NodePlan<'_>],
    workloads: &[Workload<'_>],
    moment: Moment,
    lost: Option<NodeId>,
) -> Vec<Class> {
    // Of pods that must not share a node no more are there than nodes, after the loss of one too.
    let on_nodes = |workload: &Workload<'_>| match lost {
        Some(lost) if workload.apart && workload.may_be_on(lost) => {
            let taking = ids(nodes).filter(|at| workload.may_be_on(*at)).count() as u64;
            workload.replicas.max(taking - 1)
        }
        _ => u64::MAX,
    };
    let of_service = |(index, workload): (ServiceId, &Workload<'_>)| Class {
        each: workload.asked(),
        count: match workload.is_fixed() {
            true => 0,
            false => moment.pods(index, workload).min(on_nodes(workload)),
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
    let of_component =
        |component: &ComponentPlan, nodes: Option<Vec<NodeId>>, counts: bool| Class {
            each: component.pod,
            count: if counts { component.peak() } else { 0 },
            nodes,
            spread: Spread::Any,
        };
    let moving = packaged.into_iter().flatten().map(|component| {
        of_component(component, program.open_nodes.clone(), !component.every_node)
    });
    let everywhere = numbered(nodes).flat_map(|(at, node)| {
        let waiting = node
            .components
            .iter()
            .filter(|component| component.every_node && !is_fixed(component));
        let there = lost != Some(at);
        waiting.map(move |component| of_component(component, Some(vec![at]), there))
    });
    let services = numbered(workloads).map(of_service);
    services.chain(moving).chain(everywhere).collect()
}

fn rooms(
    program: &Program<'_>,
    nodes: &[NodePlan<'_>],
    workloads: &[Workload<'_>],
) -> Option<Vec<Capacity>> {
    numbered(nodes)
        .map(|(at, node)| room(node, at, workloads, &program.nodes[at]))
        .collect()
}

/// At each moment, for each class of pods, the nodes with which the lemma shows that they find room.
type Shown = Vec<(Moment, Vec<Vec<NodeId>>)>;

/// Whether every order of pods ends well, at each moment: then the nodes with which the lemma shows it.
fn any_order(
    program: &Program<'_>,
    nodes: &[NodePlan<'_>],
    workloads: &[Workload<'_>],
) -> Result<Shown, Packing> {
    let rooms = rooms(program, nodes, workloads).ok_or(Packing::Undecided)?;
    let mut shown = Vec::new();
    let mut worst = None;
    for moment in moments(program, workloads) {
        match pack::place(&rooms, &classes(program, nodes, workloads, moment, None)) {
            Packing::AnyOrder(with) => shown.push((moment, with)),
            impossible @ Packing::Impossible(_) => return Err(impossible),
            other @ (Packing::Packed(_) | Packing::Undecided) => worst = Some(other),
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
    let Some(rooms) = rooms(program, nodes, workloads) else {
        return Err(Failure::Lost(None, None));
    };
    for moment in moments(program, workloads) {
        for lost in ids(nodes) {
            let classes = classes(program, nodes, workloads, moment, Some(lost));
            match pack::without(&rooms, &classes, lost) {
                Packing::AnyOrder(_) => {}
                Packing::Impossible(certificate) => {
                    return Err(Failure::Lost(Some(lost), Some(certificate)));
                }
                Packing::Packed(_) | Packing::Undecided => {
                    return Err(Failure::Lost(Some(lost), None));
                }
            }
        }
    }
    Ok(())
}

/// Nodes for every service with which all pods find room in any order: one node for all pods of a service, or for pods
/// that may not share a node as many nodes as there are pods. Pods count with what they cost a node in addition to their
/// requests.
fn pins(
    program: &Program<'_>,
    nodes: &[NodePlan<'_>],
    workloads: &[Workload<'_>],
) -> Option<Vec<Option<Vec<NodeId>>>> {
    let low = lowest(workloads);
    let free: Vec<Capacity> = ids(nodes)
        .map(|at| free_for_pins(program, at, &low))
        .collect::<Option<_>>()?;
    // The price of a pod differs between nodes only in what K3s takes; the dearest counts.
    let dearest = |service: &Service<'_>| {
        let prices = program.nodes.iter().map(|node| price_of_pod(node, service));
        prices.max().unwrap_or(0)
    };
    let class = |(service, workload): (&Service<'_>, &Workload<'_>)| {
        let (together, count) = match (workload.is_fixed(), workload.apart) {
            (true, _) => (0, 0),
            (false, true) => (1, workload.peak()),
            (false, false) => (workload.peak(), u64::from(workload.peak() > 0)),
        };
        let with_ending = if workload.apart { 1 } else { workload.pods };
        let mut each = workload.asked().times(together);
        let price = dearest(service).saturating_mul(with_ending);
        each[Dimension::Memory] = each[Dimension::Memory].saturating_add(price);
        Class {
            each,
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
        let taking = ids(nodes).zip(&rows).filter(|(_, row)| row[index] > 0);
        Some(taking.map(|(node, _)| node).collect())
    });
    Some(chosen.collect())
}

/// What a node has for pods that are held to nodes: everything but what stays the same wherever they go.
fn free_for_pins(program: &Program<'_>, at: NodeId, low: &[Workload<'_>]) -> Option<Capacity> {
    let bare = reserve::node(program, &[], at);
    let daemons = program.services.iter().zip(low);
    let daemons = daemons.filter(|(_, workload)| workload.is_fixed() && workload.may_be_on(at));
    let daemons = daemons.map(|(service, workload)| {
        let mut asked = workload.asked();
        let price = price_of_pod(&program.nodes[at], service);
        asked[Dimension::Memory] = asked[Dimension::Memory].saturating_add(price);
        asked.times(workload.on_each)
    });
    let taken = Resources::sum(daemons).plus(bare.packaged());
    capacity(&bare, &program.nodes[at]).less(taken).ok()
}

/// How many more services like one would find room in any order, ranges at their low ends. None where pods are held to
/// nodes: then it is a matter of one search for each.
pub(crate) fn room_for(plan: &Plan<'_, '_>, index: ServiceId) -> Option<u64> {
    let Placement::AnyOrder(_) = plan.placement else {
        return None;
    };
    let program = plan.program;
    let (low, like) = (lowest(&plan.workloads), &plan.workloads[index]);
    let free = rooms(program, &plan.nodes, &low)?;
    let moments = moments(program, &low);
    let fits = |more: u64| {
        let price = |at: NodeId| {
            let each = price_of_pod(&program.nodes[at], &program.services[index]);
            let pods = like.on(at, like.pods).saturating_mul(more);
            Resources::memory(each.saturating_mul(pods))
        };
        let rooms = ids(&plan.nodes)
            .zip(&free)
            .map(|(at, room)| room.less(price(at)).ok());
        let Some(rooms) = rooms.collect::<Option<Vec<_>>>() else {
            return false;
        };
        moments.iter().all(|moment| {
            let mut all = classes(program, &plan.nodes, &low, *moment, None);
            all.push(Class {
                count: like.peak().saturating_mul(more),
                spread: Spread::Any,
                ..all[index.index()].clone()
            });
            matches!(pack::place(&rooms, &all), Packing::AnyOrder(_))
        })
    };
    Some(most_that_fit(fits))
}

/// The most that fit, below a million, where fewer than what fits fit as well.
pub(super) fn most_that_fit(fits: impl Fn(u64) -> bool) -> u64 {
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
    least
}
