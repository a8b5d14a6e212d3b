//! What is said of a program that does not fit: the excess first, every addend with its place, and proposals
//! that `compile.rs` applies and compiles again before anyone sees them.

use std::collections::BTreeMap;

use super::cluster::{packaged, stays};
use super::fixes;
use super::model::{ComponentPlan, NodePlan, Plan, Workload};
use super::pack::{Certificate, Dimension};
use super::{Ceiling, Excess, floor};
use crate::base::quantity::{Bytes, Cpu, MIB, in_mib};
use crate::base::span::Span;
use crate::diag::{Addend, Diagnostic};
use crate::program::{
    Component, Expect, Extra, Given, Image, Memory, Metric, Node, Program, Service, Subject,
};

fn addend(what: impl Into<String>, amount: u64, span: Option<Span>) -> Addend {
    Addend {
        what: what.into(),
        amount: in_mib(amount),
        span,
    }
}

/// Bytes as an excess is told: in Mi, rounded up so that closing it is enough.
fn excess(bytes: u64) -> String {
    format!("{}Mi", bytes.div_ceil(MIB))
}

/// Names of services, the first few of them.
pub(super) fn named(names: &[&str]) -> String {
    const SHOWN: usize = 6;
    let shown = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Services that are charged alike: the same number from the same place, with the same number of pods.
struct Group<'a> {
    names: Vec<&'a str>,
    each: u64,
    pods: u64,
    surge: u64,
    place: Option<Span>,
    tier: Option<&'a str>,
    raised: bool,
    beside: bool,
}

/// On a node, by index, only the pods that may be there count.
fn groups<'a>(
    plan: &Plan<'_, 'a>,
    members: &[usize],
    on_node: bool,
    at: Option<usize>,
) -> Vec<Group<'a>> {
    let mut groups: BTreeMap<(Option<Span>, u64, u64, u64), Group<'a>> = BTreeMap::new();
    for &index in members {
        let (service, workload) = (&plan.program.services[index], &plan.workloads[index]);
        let each = workload.charge(on_node);
        let place = match service.memory {
            Memory::Range { low, .. } => low.origin.span,
            Memory::Burst { request, limit } => {
                if on_node {
                    request.origin.span
                } else {
                    limit.origin.span
                }
            }
        };
        // What other containers make of a pod is not told by the memory of its main one.
        let beside = workload.sidecars > 0 || workload.init_peak > 0;
        let place = if beside {
            Some(service.name.span)
        } else {
            place
        };
        let pods = at.map_or(workload.peak(), |at| workload.on(at, workload.peak()));
        let key = (place, each, pods, workload.surge);
        let group = groups.entry(key).or_insert_with(|| Group {
            names: Vec::new(),
            each,
            pods,
            surge: workload.surge,
            place,
            tier: service.tier.map(|tier| plan.program.tiers[tier].name.value),
            raised: workload.floor.is_some(),
            beside,
        });
        group.names.push(service.name.value);
    }
    groups.into_values().collect()
}

fn group_addends(
    plan: &Plan<'_, '_>,
    members: &[usize],
    on_node: bool,
    at: Option<usize>,
) -> Vec<Addend> {
    let mut addends = Vec::new();
    for group in groups(plan, members, on_node, at) {
        let count = (group.names.len() as u64).saturating_mul(group.pods);
        let amount = group.each.saturating_mul(count);
        let of = match (group.tier, group.names.len()) {
            (Some(tier), 2..) => format!(" of tier `{tier}`"),
            _ => String::new(),
        };
        let surge = if group.surge > 0 {
            format!(
                ", {} of them for the rollout",
                group.surge * group.names.len() as u64
            )
        } else {
            String::new()
        };
        let beside = if group.beside {
            ", with what runs before and beside it"
        } else {
            ""
        };
        let raised = if group.raised {
            ", the floor of what it runs"
        } else {
            ""
        };
        let times = if count == 1 && surge.is_empty() {
            beside.to_owned()
        } else {
            format!(": {count} x {}{raised}{beside}{surge}", in_mib(group.each))
        };
        addends.push(addend(
            format!("{}{of}{times}", named(&group.names)),
            amount,
            group.place,
        ));
    }
    addends
}

/// What a node's packaged components ask for.
fn packaged_addends<'c>(
    program: &Program<'_>,
    components: impl Iterator<Item = &'c ComponentPlan>,
    amount: fn(&ComponentPlan) -> u64,
) -> Vec<Addend> {
    let of = |component: &ComponentPlan| {
        let declared = &program.components[component.component];
        let span = declared.memory.and_then(|(request, _)| request.origin.span);
        let span = span.or(declared.bound.and_then(|bound| bound.origin.span));
        addend(
            format!("`{}`, {}", declared.name, declared.whose()),
            amount(component),
            span,
        )
    };
    components
        .filter(|component| amount(component) > 0)
        .map(of)
        .collect()
}

/// The node, all nodes together or a budget are over even with every range at its low end.
pub(super) fn over_memory(
    plan: &Plan<'_, '_>,
    over: Excess,
    place: &dyn Fn(Span) -> String,
) -> Diagnostic {
    let program = plan.program;
    let all: Vec<usize> = (0..program.services.len()).collect();
    let mut addends = Vec::new();
    // What holds, how much of it services could have, and which.
    let (holder, members, room, holds, given) = match over.ceiling {
        Ceiling::Budget(index) => {
            let budget = &program.budgets[index];
            let members = budget.members.clone().unwrap_or(all);
            let ceiling = budget.ceiling.value.n;
            (
                format!("budget `{}`", budget.name.value),
                members,
                ceiling,
                ceiling,
                budget.ceiling.origin.span,
            )
        }
        Ceiling::Together => {
            addends = plan
                .nodes
                .iter()
                .find(|node| !node.components.is_empty())
                .map_or(Vec::new(), |node| {
                    packaged_addends(program, node.components.iter(), |component| {
                        component.request
                    })
                });
            let allocatable = allocatable(plan);
            (
                "what all nodes have for pods".to_owned(),
                all,
                allocatable,
                allocatable,
                None,
            )
        }
        Ceiling::Node(at) | Ceiling::Overcommit(at) => {
            let (node, declared) = (&plan.nodes[at], &program.nodes[at]);
            addends = reserve_addends(plan, at);
            // On several nodes only what every node has is told apart from the rest.
            let several = plan.on_several_nodes();
            let every = node
                .components
                .iter()
                .filter(|component| component.every_node || !several);
            addends.extend(packaged_addends(program, every, |component| {
                component.request
            }));
            let here =
                |index: &usize| !plan.on_several_nodes() || plan.workloads[*index].is_fixed();
            let members = all.into_iter().filter(here).collect();
            let holder = format!("the memory of node `{}`", declared.name.value);
            (
                holder,
                members,
                node.allocatable,
                node.capacity,
                declared.memory.origin.span,
            )
        }
    };
    let on_node = !matches!(over.ceiling, Ceiling::Budget(_));
    let at = match over.ceiling {
        Ceiling::Node(at) | Ceiling::Overcommit(at) => Some(at),
        Ceiling::Together | Ceiling::Budget(_) => None,
    };
    let services = group_addends(plan, &members, on_node, at);
    let mut lows: Vec<Span> = services.iter().filter_map(|addend| addend.span).collect();
    addends.extend(services);
    // Every amount is over or under by what is told: what is taken is what holds and the excess.
    addends.push(addend("together", holds.saturating_add(over.deficit), None));
    addends.push(addend(holder.clone(), holds, given));

    let what = match over.ceiling {
        Ceiling::Budget(_) => format!("{holder} is over by {}", excess(over.deficit)),
        Ceiling::Together => format!(
            "the nodes together are over their memory by {}",
            excess(over.deficit)
        ),
        Ceiling::Node(at) | Ceiling::Overcommit(at) => {
            format!(
                "node `{}` is over its memory by {}",
                program.nodes[at].name.value,
                excess(over.deficit)
            )
        }
    };
    let mut error = Diagnostic::error("BZ4001", what);
    let left = match over.ceiling {
        Ceiling::Node(at) if !plan.on_several_nodes() => {
            room.saturating_sub(plan.nodes[at].packaged())
        }
        Ceiling::Together => {
            room.saturating_sub(packaged(&plan.nodes, |component| component.request))
        }
        Ceiling::Node(_) | Ceiling::Budget(_) | Ceiling::Overcommit(_) => room,
    };
    if let Some((service, needs, left)) = first_too_many(plan, &members, on_node, at, left) {
        let text = format!(
            "the first that does not fit: it needs {}, {} left",
            in_mib(needs),
            in_mib(left)
        );
        error = error.at(service.name.span, text);
    }
    if let Some(span) = given {
        let shortfall = if let Ceiling::Node(at) = over.ceiling {
            plan.nodes[at].shortfall
        } else {
            0
        };
        let text = match (on_node, shortfall) {
            (true, 0) => format!("{} of it left for pods", in_mib(room)),
            (true, short) => format!("{} less than what no pod gets", in_mib(short)),
            (false, _) => "holds this much".to_owned(),
        };
        error = match error.primary {
            Some(_) => error.also(span, text),
            None => error.at(span, text),
        };
    }
    lows.sort_unstable();
    lows.dedup();
    // A handful of places can be looked at; the sum has them all.
    for span in lows.into_iter().take(3) {
        error = error.also(span, "the least of this");
    }
    if members.len() > 1 {
        let names: Vec<String> = members
            .iter()
            .take(12)
            .map(|index| &program.services[*index])
            .map(|service| format!("`{}` {}", service.name.value, place(service.name.span)))
            .collect();
        let more = match members.len().saturating_sub(12) {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        error = error.note(format!("services: {}{more}", names.join(", ")));
    }
    if over.ceiling == Ceiling::Together {
        error = error.note(nodes_for_pods(plan));
    }
    error.addends = addends;
    error.helps = fixes::for_memory(plan, over, &members, on_node);
    error
}

/// What every node has for pods, in a line.
fn nodes_for_pods(plan: &Plan<'_, '_>) -> String {
    let of = |(node, planned): (&Node<'_>, &NodePlan<'_>)| {
        format!(
            "`{}` {} of {}",
            node.name.value,
            in_mib(planned.allocatable),
            in_mib(planned.capacity)
        )
    };
    let nodes: Vec<String> = plan
        .program
        .nodes
        .iter()
        .zip(&plan.nodes)
        .take(12)
        .map(of)
        .collect();
    let more = match plan.nodes.len().saturating_sub(12) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    format!("left for pods: {}{more}", nodes.join(", "))
}

/// The name of a class of pods: a service's, or a packaged component's behind them.
fn class_name<'a>(plan: &Plan<'_, 'a>, class: usize) -> (&'a str, Option<Span>) {
    match plan.program.services.get(class) {
        Some(service) => (service.name.value, Some(service.name.span)),
        None => {
            let component = plan.components().get(class - plan.program.services.len());
            (
                component.map_or("", |component| {
                    plan.program.components[component.component].name
                }),
                None,
            )
        }
    }
}

/// Pods that no placement on the nodes has room for.
pub(super) fn nowhere(plan: &Plan<'_, '_>, certificate: &Certificate) -> Diagnostic {
    let program = plan.program;
    let names = |nodes: &[u16]| -> Vec<&str> {
        nodes
            .iter()
            .map(|node| program.nodes[usize::from(*node)].name.value)
            .collect()
    };
    let error = match certificate {
        Certificate::TooLarge { class } => {
            let (name, span) = class_name(plan, *class);
            let each = plan
                .workloads
                .get(*class)
                .map_or(0, |workload| workload.charge(true));
            let text = format!(
                "no node has room for a pod of `{name}`, which needs {}",
                in_mib(each)
            );
            let error = Diagnostic::error("BZ4007", text);
            span.map_or(error.clone(), |span| {
                error.at(span, "too large for every node it may go to")
            })
        }
        Certificate::Apart {
            class,
            count,
            nodes,
        } => {
            let (name, span) = class_name(plan, *class);
            let text =
                format!("{count} pods of `{name}` may not share a node, and {nodes} can take one");
            let error = Diagnostic::error("BZ4007", text);
            span.map_or(error.clone(), |span| {
                error.at(span, "one a node, by its `anti-affinity`")
            })
        }
        Certificate::Volume {
            dimension,
            nodes,
            needed,
            have,
        } => {
            let show = |amount: u128| {
                let amount = u64::try_from(amount).unwrap_or(u64::MAX);
                match dimension {
                    Dimension::Memory => in_mib(amount),
                    Dimension::Cpu => format!("{amount}m"),
                    Dimension::Pods => amount.to_string(),
                }
            };
            let (code, of) = match dimension {
                Dimension::Memory => ("BZ4001", "memory"),
                Dimension::Cpu => ("BZ4004", "CPU"),
                Dimension::Pods => ("BZ4003", "pods"),
            };
            let over = show(needed.saturating_sub(*have));
            let which = match nodes.len() == program.nodes.len() {
                true => "the nodes together".to_owned(),
                false => named(&names(nodes)),
            };
            let text = format!("{which}: {over} too little {of}");
            let first = nodes.first().map_or(program.nodes[0].name.span, |node| {
                program.nodes[usize::from(*node)].name.span
            });
            Diagnostic::error(code, text).at(
                first,
                format!(
                    "{} asked for by all that may run nowhere else, {} there",
                    show(*needed),
                    show(*have)
                ),
            )
        }
        Certificate::Exhausted { states } => Diagnostic::error(
            "BZ4007",
            "there is room for all pods together, but not for each of them",
        )
        .at(
            program.nodes[0].name.span,
            "no way to share the pods among the nodes",
        )
        .note(format!(
            "every way of placing them was excluded; {states} had to be looked at"
        )),
    };
    let all: Vec<usize> = (0..program.services.len()).collect();
    let mut error = error.note(nodes_for_pods(plan));
    error.addends = group_addends(plan, &all, true, None);
    let (members, deficit) = match certificate {
        // What one pod has too much counts for each of its kind.
        Certificate::TooLarge { class } if *class < all.len() => {
            let workload = &plan.workloads[*class];
            let rooms = plan
                .nodes
                .iter()
                .enumerate()
                .filter(|(at, _)| workload.may_be_on(*at));
            let largest = rooms.map(|(_, node)| node.allocatable).max().unwrap_or(0);
            // A smaller pod may be there once more, beside one that ends, with a shim.
            let shim = program
                .nodes
                .iter()
                .map(|node| node.process.shim.value.n)
                .max()
                .unwrap_or(0);
            let over = workload
                .charge(true)
                .saturating_sub(largest)
                .saturating_add(shim);
            (vec![*class], over.saturating_mul(workload.peak()))
        }
        Certificate::Volume {
            dimension: Dimension::Memory,
            needed,
            have,
            ..
        } => (
            all,
            u64::try_from(needed.saturating_sub(*have)).unwrap_or(u64::MAX),
        ),
        Certificate::Volume {
            dimension: Dimension::Cpu | Dimension::Pods,
            ..
        }
        | Certificate::TooLarge { .. }
        | Certificate::Apart { .. }
        | Certificate::Exhausted { .. } => {
            (all, missing(plan, plan.nodes.len(), allocatable(plan)))
        }
    };
    error.helps = fixes::for_memory(
        plan,
        Excess {
            ceiling: Ceiling::Together,
            deficit,
        },
        &members,
        true,
    );
    error
}

/// What would have to go for the simplest sum to hold on nodes of so much room together: all pods, and on every node but
/// one as much as the largest pod may find in its way.
fn missing(plan: &Plan<'_, '_>, nodes: usize, have: u64) -> u64 {
    let each = plan
        .workloads
        .iter()
        .filter(|workload| workload.peak() > 0)
        .map(|workload| workload.charge(true));
    let lost = each.max().unwrap_or(0).saturating_mul(nodes as u64 - 1);
    let asked = plan
        .workloads
        .iter()
        .map(|w| w.charge(true).saturating_mul(w.peak()))
        .fold(0, u64::saturating_add);
    let asked = asked.saturating_add(packaged(&plan.nodes, |component| component.request));
    asked.saturating_add(lost).saturating_sub(have).max(MIB)
}

/// What all nodes have for pods.
fn allocatable(plan: &Plan<'_, '_>) -> u64 {
    plan.nodes
        .iter()
        .map(|node| node.allocatable)
        .fold(0, u64::saturating_add)
}

/// A node that the program says it outlives, and does not.
pub(super) fn lost(
    plan: &Plan<'_, '_>,
    node: Option<usize>,
    certificate: Option<&Certificate>,
) -> Diagnostic {
    let program = plan.program;
    let span = program
        .survive
        .and_then(|survive| survive.origin.span)
        .unwrap_or(program.nodes[0].name.span);
    let running = || {
        program
            .services
            .iter()
            .zip(&plan.workloads)
            .filter(|(_, workload)| workload.peak() > 0)
    };
    let bound = |workload: &Workload<'_>| {
        workload
            .nodes
            .as_ref()
            .is_some_and(|nodes| nodes.len() == 1)
    };
    let staying = running().find(|(service, _)| stays(service));
    let held = running().find(|(_, workload)| bound(workload) && !workload.is_fixed());
    let demand = "is to outlive the loss of one node";
    if let Some((service, why)) = staying
        .map(|(service, _)| {
            (
                service,
                "its volume is a folder of the node it first ran on",
            )
        })
        .or(held.map(|(service, _)| (service, "is held to one node")))
    {
        let message = format!("`{}` is lost with its node", service.name.value);
        return Diagnostic::error("BZ4008", message)
            .at(span, demand)
            .also(service.name.span, why);
    }
    let error = match node {
        Some(at) => {
            let name = program.nodes[at].name.value;
            Diagnostic::error(
                "BZ4008",
                format!("without `{name}` some pod may find no room"),
            )
            .at(span, demand)
            .also(program.nodes[at].name.span, "this one cannot be spared")
        }
        None => Diagnostic::error(
            "BZ4008",
            "some pod may find no room, even with every node there",
        )
        .at(span, demand),
    };
    let small = |n: u128| u64::try_from(n).unwrap_or(u64::MAX);
    let mut error = match certificate {
        Some(Certificate::Volume {
            dimension: Dimension::Memory,
            needed,
            have,
            ..
        }) => error.note(format!(
            "{} asked for, {} left",
            in_mib(small(*needed)),
            in_mib(small(*have))
        )),
        Some(Certificate::Apart { count, nodes, .. }) => error.note(format!(
            "{count} pods may not share a node, and {nodes} nodes are left"
        )),
        Some(_) => error.note("there is no placement of the pods on the nodes that are left"),
        None => error.note("there are orders of the pods in which one finds no room"),
    }
    .note(nodes_for_pods(plan));
    let most = plan
        .nodes
        .iter()
        .map(|node| node.allocatable)
        .max()
        .unwrap_or(0);
    let deficit = missing(plan, plan.nodes.len() - 1, allocatable(plan) - most);
    let members: Vec<usize> = (0..program.services.len()).collect();
    error.helps = fixes::for_memory(
        plan,
        Excess {
            ceiling: Ceiling::Together,
            deficit,
        },
        &members,
        true,
    );
    error
}

/// The first service, by name, that finds less than it needs.
fn first_too_many<'p, 'a>(
    plan: &'p Plan<'_, 'a>,
    members: &[usize],
    on_node: bool,
    at: Option<usize>,
    room: u64,
) -> Option<(&'p Service<'a>, u64, u64)> {
    let mut left = room;
    for &index in members {
        let workload = &plan.workloads[index];
        let pods = at.map_or(workload.peak(), |at| workload.on(at, workload.peak()));
        let needs = workload.charge(on_node).saturating_mul(pods);
        match left.checked_sub(needs) {
            Some(rest) => left = rest,
            None => return Some((&plan.program.services[index], needs, left)),
        }
    }
    None
}

/// What no pod of a node gets, term by term.
fn reserve_addends(plan: &Plan<'_, '_>, at: usize) -> Vec<Addend> {
    let (program, node) = (plan.program, &plan.nodes[at]);
    let declared = &program.nodes[at];
    let process = &declared.process;
    let reserve = declared.reserve;
    let mut addends = vec![
        addend(
            "the OS and what lives beside K3s",
            node.os,
            reserve.and_then(|reserve| reserve.origin.span),
        ),
        addend("the K3s process", node.k3s, process.memory.origin.span),
        addend(
            "containerd",
            node.containerd,
            process.containerd.origin.span,
        ),
        addend(
            format!(
                "containerd's shims: {} pods x {}",
                node.shim_pods,
                in_mib(process.shim.value.n)
            ),
            node.shims,
            process.shim.origin.span,
        ),
    ];
    if node.secrets > 0 {
        let what = format!("mounted Secrets: {} x 1Mi", node.secret_mounts);
        addends.push(addend(what, node.secrets, None));
    }
    for component in node
        .components
        .iter()
        .filter(|component| component.held > 0)
    {
        let packaged = &program.components[component.component];
        let pods = component.containers_held(packaged.containers);
        let what = format!(
            "held back for `{}`: {pods} x {}",
            packaged.name,
            in_mib(component.held / pods.max(1))
        );
        let limit = packaged
            .memory
            .and_then(|(_, limit)| limit)
            .or(packaged.bound);
        addends.push(addend(
            what,
            component.held,
            limit.and_then(|limit| limit.origin.span),
        ));
    }
    if declared.overcommit.is_none() {
        for (service, workload) in program.services.iter().zip(&plan.workloads) {
            let Memory::Burst { request, limit } = service.memory else {
                continue;
            };
            debug_assert!(limit.value >= request.value, "sema has checked it");
            let gap = workload.pod_limit() - workload.pod_request();
            if gap == 0 {
                continue;
            }
            let pods = workload.on(at, workload.pods);
            let what = format!(
                "held back for `{}`: {pods} x {}",
                service.name.value,
                in_mib(gap)
            );
            addends.push(addend(what, gap.saturating_mul(pods), limit.origin.span));
        }
    }
    addends.push(addend(
        "the kubelet's eviction threshold",
        node.eviction,
        declared.eviction.origin.span,
    ));
    addends
}

/// A limit below what its container needs to run at all.
pub(super) fn below_floor(
    program: &Program<'_>,
    service: &Service<'_>,
    written: Given<'_, Bytes>,
    least: Given<'_, Bytes>,
    in_memory: u64,
) -> Diagnostic {
    let name = service.name.value;
    let message = format!(
        "`{name}` may have at most {}, and needs at least {}",
        written.value, least.value
    );
    let span = written.origin.span.unwrap_or(service.name.span);
    let mut error = Diagnostic::error("BZ4002", message).at(span, "the most it may have");
    if written.origin.kind != "service" {
        error = error.also(service.name.span, "this service");
    }
    error = match (least.origin.span, floor(program, service)) {
        (Some(span), Some(_)) => {
            let (workers, each) = match &service.image {
                Image::Built(image) => {
                    let each = program
                        .runtimes
                        .get(image.runtime)
                        .and_then(|runtime| runtime.worker);
                    (
                        image.workers.map_or(0, |workers| workers.value - 1),
                        each.map_or(0, |each| each.value.n),
                    )
                }
                Image::Name(_) => (0, 0),
            };
            let error = error.also(span, "the least at which it was seen to answer");
            match workers {
                0 => error,
                1 => error.note(format!("with a further worker, {}", Bytes::new(each))),
                n => error.note(format!(
                    "with {n} further workers, {} each",
                    Bytes::new(each)
                )),
            }
        }
        _ => error.note(
            "below 12Mi a container does not start: runc itself needs that before the program runs",
        ),
    };
    if let (Image::Built(image), Some(_)) = (&service.image, least.origin.span) {
        let leaner = program
            .runtimes
            .get(image.runtime)
            .and_then(|runtime| runtime.leaner.as_ref());
        error.notes.extend(leaner.map(ToString::to_string));
    }
    if in_memory > 0 {
        error = error.note(format!(
            "{} of it for volumes in memory, which are charged to the limit",
            in_mib(in_memory)
        ));
    }
    match service.memory {
        Memory::Range { low, high } if low.origin.span != high.origin.span => {
            error.fix("raise the upper end", span, least.value.to_string())
        }
        Memory::Range { .. } => error.fix("give it that much", span, least.value.to_string()),
        Memory::Burst { .. } => error.fix("raise the limit", span, least.value.to_string()),
    }
}

/// The same of a component that the program changes.
pub(super) fn component_below_floor(
    component: &Component<'_>,
    limit: Given<'_, Bytes>,
    least: Bytes,
) -> Diagnostic {
    let message = format!(
        "`{}` may have at most {}, and no container starts below {least}",
        component.name, limit.value
    );
    let error = Diagnostic::error("BZ4002", message);
    match limit.origin.span.or(component.span) {
        Some(span) => {
            error
                .at(span, "the most it may have")
                .fix("give it that much", span, least.to_string())
        }
        None => error,
    }
}

/// The same of a container beside the main one.
pub(super) fn extra_below_floor(extra: &Extra<'_>, least: Bytes) -> Diagnostic {
    let message = format!(
        "`{}` may have {}, and no container starts below {least}",
        extra.name.value, extra.memory.value
    );
    let span = extra.memory.origin.span.unwrap_or(extra.name.span);
    Diagnostic::error("BZ4002", message)
        .at(span, "too little")
        .fix("give it that much", span, least.to_string())
}

/// More pods than the kubelet takes.
pub(super) fn too_many_pods(plan: &Plan<'_, '_>, own: u64, packaged: u64) -> Diagnostic {
    let node = &plan.program.nodes[0];
    let (limit, total) = (node.max_pods.value, own + packaged);
    let message = format!(
        "node `{}` would have {total} pods, {} more than it takes",
        node.name.value,
        total - limit
    );
    let span = node.max_pods.origin.span.unwrap_or(node.name.span);
    let mut error = Diagnostic::error("BZ4003", message).at(span, format!("takes {limit} pods"));
    let count = |what: &str, n: u64, span| Addend {
        what: what.to_owned(),
        amount: n.to_string(),
        span,
    };
    error.addends = vec![
        count("pods of services, at the peak of a rollout", own, None),
        count("pods of packaged components", packaged, None),
        count("together", total, None),
        count("the kubelet takes", limit, node.max_pods.origin.span),
    ];
    match node.max_pods.origin.span {
        Some(span) => error.fix("let it take more", span, total.to_string()),
        None => {
            let insert = node.memory.origin.span.unwrap_or(node.name.span).after();
            error.note("110 is the kubelet's default").fix(
                "let it take more: each costs a shim",
                insert,
                format!("  max-pods = {total}"),
            )
        }
    }
}

/// More CPU requested than there is.
pub(super) fn over_cpu(plan: &Plan<'_, '_>, requested: u64, cpu: Given<'_, Cpu>) -> Diagnostic {
    let node = &plan.program.nodes[0];
    let over = requested - cpu.value.milli;
    let message = format!("node `{}` is over its CPU by {over}m", node.name.value);
    let span = cpu.origin.span.unwrap_or(node.name.span);
    let mut error = Diagnostic::error("BZ4004", message).at(span, "has this much");
    let milli = |what: String, n: u64, span| Addend {
        what,
        amount: format!("{n}m"),
        span,
    };
    // Services by where their request stands and how much it is: their names, and how many pods they have.
    type Alike<'n> = (Vec<&'n str>, u64);
    let mut groups: BTreeMap<(Option<Span>, u64), Alike<'_>> = BTreeMap::new();
    for (service, workload) in plan.program.services.iter().zip(&plan.workloads) {
        if workload.cpu > 0 {
            let span = service
                .cpu
                .map_or(Some(service.name.span), |(request, _)| request.origin.span);
            let group = groups.entry((span, workload.cpu)).or_default();
            group.0.push(service.name.value);
            group.1 += workload.peak();
        }
    }
    for component in plan
        .components()
        .iter()
        .filter(|component| component.cpu > 0)
    {
        let declared = &plan.program.components[component.component];
        let span = declared.cpu.and_then(|(request, _)| request.origin.span);
        error.addends.push(milli(
            format!("`{}`, {}", declared.name, declared.whose()),
            component.cpu,
            span,
        ));
    }
    for ((span, each), (names, pods)) in groups {
        error.addends.push(milli(
            format!("{}: {pods} x {each}m", named(&names)),
            each.saturating_mul(pods),
            span,
        ));
    }
    error
        .addends
        .push(milli("together".to_owned(), requested, None));
    error.addends.push(milli(
        format!("the CPU of node `{}`", node.name.value),
        cpu.value.milli,
        cpu.origin.span,
    ));
    error.helps = fixes::for_cpu(plan, over);
    error
}

/// Limits beyond what the program allows itself in writing, even with every range at its low end.
pub(super) fn over_overcommit(plan: &Plan<'_, '_>, at: usize, deficit: u64) -> Diagnostic {
    let node = &plan.program.nodes[at];
    let Some(overcommit) = node.overcommit else {
        return Diagnostic::error("BZ4006", "limits are over what is allowed");
    };
    let allocatable = plan.nodes[at].allocatable;
    let allowed = super::allowed(allocatable, overcommit.value);
    let limits = allowed.saturating_add(deficit);
    let percent = (u128::from(limits) * 100).div_ceil(u128::from(allocatable.max(1)));
    let span = overcommit.origin.span.unwrap_or(node.name.span);
    let (name, over) = (node.name.value, excess(deficit));
    let message = format!(
        "limits on node `{name}` are {over} over the {}% that it allows",
        overcommit.value
    );
    let mut error = Diagnostic::error("BZ4006", message).at(
        span,
        format!(
            "{} of limits, {} allocatable",
            in_mib(limits),
            in_mib(allocatable)
        ),
    );
    error.addends = packaged_addends(
        plan.program,
        plan.nodes[at].components.iter(),
        ComponentPlan::limits,
    );
    for (service, workload) in plan.program.services.iter().zip(&plan.workloads) {
        let amount = u64::try_from(super::least_limits(workload, at)).unwrap_or(u64::MAX);
        error.addends.push(addend(
            format!("`{}`", service.name.value),
            amount,
            Some(service.name.span),
        ));
    }
    error.addends.push(addend("together", limits, None));
    error
        .addends
        .push(addend("allowed", allowed, overcommit.origin.span));
    error.helps = fixes::for_overcommit(plan, at, percent, limits, span);
    error
}

/// What a number is of, in a word.
fn subject(metric: &Metric<'_>) -> String {
    let of = match metric.of {
        Subject::Node(_) => "the node",
        Subject::Budget(_) => "the budget",
        Subject::Service(_) => "the service",
    };
    format!("`{}` of {of}", metric.key)
}

/// A comparison the plan does not meet.
pub(super) fn expectation(
    expect: &Expect<'_>,
    left: i128,
    right: i128,
    shown: &[(Metric<'_>, String)],
    in_memory: bool,
) -> Diagnostic {
    let gap = left.abs_diff(right);
    let by = match (in_memory, u64::try_from(gap)) {
        (true, Ok(bytes)) => in_mib(bytes),
        _ => gap.to_string(),
    };
    let message = match shown {
        [(metric, value)] => format!(
            "expected otherwise: {} is {value}, off by {by}",
            subject(metric)
        ),
        _ => format!("expected otherwise: off by {by}"),
    };
    let mut error = Diagnostic::error("BZ4005", message).at(expect.span, "does not hold");
    if shown.len() > 1 {
        for (metric, value) in shown {
            error = error.also(metric.span, format!("is {value}"));
        }
    }
    error
}
