//! What is said of a program that does not fit: the excess first, every addend with its place, and proposals
//! that `compile.rs` applies and compiles again before anyone sees them.

use std::collections::BTreeMap;

use super::fixes;
use super::model::Plan;
use super::{Ceiling, Excess, floor};
use crate::base::quantity::{Bytes, Cpu, MIB, in_mib};
use crate::base::span::Span;
use crate::diag::{Addend, Diagnostic};
use crate::sema::hir::{Component, Expect, Extra, Given, Image, Memory, Metric, Program, Service, Subject};

fn addend(what: impl Into<String>, amount: u64, span: Option<Span>) -> Addend {
    Addend { what: what.into(), amount: in_mib(amount), span }
}

/// Bytes as an excess is told: in Mi, rounded up so that closing it is enough.
fn excess(bytes: u64) -> String {
    format!("{}Mi", bytes.div_ceil(MIB))
}

/// Names of services, the first few of them.
fn named(names: &[&str]) -> String {
    const SHOWN: usize = 6;
    let shown = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
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

fn groups<'a>(plan: &Plan<'_, 'a>, members: &[usize], on_node: bool) -> Vec<Group<'a>> {
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
        let place = if beside { Some(service.name.span) } else { place };
        let key = (place, each, workload.peak(), workload.surge);
        let group = groups.entry(key).or_insert_with(|| Group {
            names: Vec::new(),
            each,
            pods: workload.peak(),
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

fn group_addends(plan: &Plan<'_, '_>, members: &[usize], on_node: bool) -> (Vec<Addend>, u64) {
    let mut total = 0;
    let mut addends = Vec::new();
    for group in groups(plan, members, on_node) {
        let count = (group.names.len() as u64).saturating_mul(group.pods);
        let amount = group.each.saturating_mul(count);
        total = amount.saturating_add(total);
        let of = match (group.tier, group.names.len()) {
            (Some(tier), 2..) => format!(" of tier `{tier}`"),
            _ => String::new(),
        };
        let surge = if group.surge > 0 {
            format!(", {} of them for the rollout", group.surge * group.names.len() as u64)
        } else {
            String::new()
        };
        let beside = if group.beside { ", with what runs before and beside it" } else { "" };
        let raised = if group.raised { ", the floor of what it runs" } else { "" };
        let times = if count == 1 && surge.is_empty() {
            beside.to_owned()
        } else {
            format!(": {count} x {}{raised}{beside}{surge}", in_mib(group.each))
        };
        addends.push(addend(format!("{}{of}{times}", named(&group.names)), amount, group.place));
    }
    (addends, total)
}

/// The node or a budget is over even with every range at its low end.
pub(super) fn over_memory(plan: &Plan<'_, '_>, over: Excess, place: &dyn Fn(Span) -> String) -> Diagnostic {
    let program = plan.program;
    let all: Vec<usize> = (0..program.services.len()).collect();
    let on_node = over.ceiling == Ceiling::Node;
    let (subject, name, members, room, given) = match over.ceiling {
        Ceiling::Budget(index) => {
            let budget = &program.budgets[index];
            let members = budget.members.clone().unwrap_or(all);
            ("budget", budget.name.value, members, budget.ceiling.value.n, budget.ceiling.origin.span)
        }
        Ceiling::Node | Ceiling::Overcommit => {
            let node = &program.nodes[0];
            ("node", node.name.value, all, plan.node.allocatable, node.memory.origin.span)
        }
    };
    let mut addends = Vec::new();
    let mut total = 0;
    if on_node {
        addends.extend(reserve_addends(plan));
        total = plan.node.reserved();
        for component in plan.node.components.iter().filter(|component| component.request > 0) {
            let declared = &program.components[component.component];
            let span = declared.memory.and_then(|(request, _)| request.origin.span);
            let span = span.or(declared.bound.and_then(|bound| bound.origin.span));
            addends.push(addend(format!("`{}`, which K3s packages", declared.name), component.request, span));
            total = component.request.saturating_add(total);
        }
    }
    let (services, own) = group_addends(plan, &members, on_node);
    let mut lows: Vec<Span> = services.iter().filter_map(|addend| addend.span).collect();
    addends.extend(services);
    total = own.saturating_add(total);
    addends.push(addend("together", total, None));
    let holds = if on_node { plan.node.capacity } else { room };
    let holder = if on_node { format!("the memory of node `{name}`") } else { format!("budget `{name}`") };
    addends.push(addend(holder, holds, given));

    let what = match subject {
        "budget" => format!("budget `{name}` is over by {}", excess(over.deficit)),
        _ => format!("node `{name}` is over its memory by {}", excess(over.deficit)),
    };
    let mut error = Diagnostic::error("BZ4001", what);
    let fixed = plan.node.components.iter().map(|component| component.request).fold(0, u64::saturating_add);
    let left = if on_node { room.saturating_sub(fixed) } else { room };
    if let Some((service, needs, left)) = first_too_many(plan, &members, on_node, left) {
        let text = format!("the first that does not fit: it needs {}, {} left", in_mib(needs), in_mib(left));
        error = error.at(service.name.span, text);
    }
    if let Some(span) = given {
        let text = match (on_node, plan.node.shortfall) {
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
    error.addends = addends;
    error.helps = fixes::for_memory(plan, over, &members, on_node);
    error
}

/// The first service, by name, that finds less than it needs.
fn first_too_many<'p, 'a>(
    plan: &'p Plan<'_, 'a>,
    members: &[usize],
    on_node: bool,
    room: u64,
) -> Option<(&'p Service<'a>, u64, u64)> {
    let mut left = room;
    for &index in members {
        let needs = plan.workloads[index].charge(on_node).saturating_mul(plan.workloads[index].peak());
        match left.checked_sub(needs) {
            Some(rest) => left = rest,
            None => return Some((&plan.program.services[index], needs, left)),
        }
    }
    None
}

/// What no pod gets, term by term.
fn reserve_addends(plan: &Plan<'_, '_>) -> Vec<Addend> {
    let (program, node) = (plan.program, &plan.node);
    let declared = &program.nodes[0];
    let reserve = declared.reserve;
    let mut addends = vec![
        addend("the OS and what lives beside K3s", node.os, reserve.and_then(|reserve| reserve.origin.span)),
        addend("the K3s process", node.k3s, program.k3s.memory.origin.span),
        addend("containerd", node.containerd, program.k3s.containerd.origin.span),
        addend(
            format!("containerd's shims: {} pods x {}", node.shim_pods, in_mib(program.k3s.shim.value.n)),
            node.shims,
            program.k3s.shim.origin.span,
        ),
    ];
    if node.secrets > 0 {
        let what = format!("mounted Secrets: {} x 1Mi", node.secret_mounts);
        addends.push(addend(what, node.secrets, None));
    }
    for component in node.components.iter().filter(|component| component.held > 0) {
        let packaged = &program.components[component.component];
        let pods = if component.unbounded { component.peak } else { component.pods } * packaged.containers;
        let what = format!("held back for `{}`: {pods} x {}", packaged.name, in_mib(component.held / pods.max(1)));
        let limit = packaged.memory.and_then(|(_, limit)| limit).or(packaged.bound);
        addends.push(addend(what, component.held, limit.and_then(|limit| limit.origin.span)));
    }
    if declared.overcommit.is_none() {
        for (service, workload) in program.services.iter().zip(&plan.workloads) {
            let Memory::Burst { request, limit } = service.memory else { continue };
            debug_assert!(limit.value >= request.value, "sema has checked it");
            let gap = workload.pod_limit() - workload.pod_request();
            let what = format!("held back for `{}`: {} x {}", service.name.value, workload.pods, in_mib(gap));
            addends.push(addend(what, gap.saturating_mul(workload.pods), limit.origin.span));
        }
    }
    addends.push(addend("the kubelet's eviction threshold", node.eviction, declared.eviction.origin.span));
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
    let message = format!("`{name}` may have at most {}, and needs at least {}", written.value, least.value);
    let span = written.origin.span.unwrap_or(service.name.span);
    let mut error = Diagnostic::error("BZ4002", message).at(span, "the most it may have");
    if written.origin.kind != "service" {
        error = error.also(service.name.span, "this service");
    }
    error = match (least.origin.span, floor(program, service)) {
        (Some(span), Some(_)) => {
            let workers = match &service.image {
                Image::Built(image) => image.workers.map_or(0, |workers| workers.value - 1),
                Image::Name(_) => 0,
            };
            let error = error.also(span, "the least at which it was seen to answer");
            match workers {
                0 => error,
                n => error.note(format!("with {n} further worker{}", if n == 1 { "" } else { "s" })),
            }
        }
        _ => error.note("below 12Mi a container does not start: runc itself needs that before the program runs"),
    };
    if in_memory > 0 {
        error =
            error.note(format!("{} of it for volumes in memory, which are charged to the limit", in_mib(in_memory)));
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
pub(super) fn component_below_floor(component: &Component<'_>, limit: Given<'_, Bytes>, least: Bytes) -> Diagnostic {
    let message =
        format!("`{}` may have at most {}, and no container starts below {least}", component.name, limit.value);
    let error = Diagnostic::error("BZ4002", message);
    match limit.origin.span.or(component.span) {
        Some(span) => error.at(span, "the most it may have").fix("give it that much", span, least.to_string()),
        None => error,
    }
}

/// The same of a container beside the main one.
pub(super) fn extra_below_floor(extra: &Extra<'_>, least: Bytes) -> Diagnostic {
    let message =
        format!("`{}` may have {}, and no container starts below {least}", extra.name.value, extra.memory.value);
    let span = extra.memory.origin.span.unwrap_or(extra.name.span);
    Diagnostic::error("BZ4002", message).at(span, "too little").fix("give it that much", span, least.to_string())
}

/// More pods than the kubelet takes.
pub(super) fn too_many_pods(plan: &Plan<'_, '_>, own: u64, packaged: u64) -> Diagnostic {
    let node = &plan.program.nodes[0];
    let (limit, total) = (node.max_pods.value, own + packaged);
    let message = format!("node `{}` would have {total} pods, {} more than it takes", node.name.value, total - limit);
    let span = node.max_pods.origin.span.unwrap_or(node.name.span);
    let mut error = Diagnostic::error("BZ4003", message).at(span, format!("takes {limit} pods"));
    let count = |what: &str, n: u64, span| Addend { what: what.to_owned(), amount: n.to_string(), span };
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
    let milli = |what: String, n: u64, span| Addend { what, amount: format!("{n}m"), span };
    // Services by where their request stands and how much it is: their names, and how many pods they have.
    type Alike<'n> = (Vec<&'n str>, u64);
    let mut groups: BTreeMap<(Option<Span>, u64), Alike<'_>> = BTreeMap::new();
    for (service, workload) in plan.program.services.iter().zip(&plan.workloads) {
        if workload.cpu > 0 {
            let span = service.cpu.map_or(Some(service.name.span), |(request, _)| request.origin.span);
            let group = groups.entry((span, workload.cpu)).or_default();
            group.0.push(service.name.value);
            group.1 += workload.peak();
        }
    }
    for component in plan.node.components.iter().filter(|component| component.cpu > 0) {
        let declared = &plan.program.components[component.component];
        let span = declared.cpu.and_then(|(request, _)| request.origin.span);
        error.addends.push(milli(format!("`{}`, which K3s packages", declared.name), component.cpu, span));
    }
    for ((span, each), (names, pods)) in groups {
        error.addends.push(milli(format!("{}: {pods} x {each}m", named(&names)), each.saturating_mul(pods), span));
    }
    error.addends.push(milli("together".to_owned(), requested, None));
    error.addends.push(milli(format!("the CPU of node `{}`", node.name.value), cpu.value.milli, cpu.origin.span));
    error.helps = fixes::for_cpu(plan, over);
    error
}

/// Limits beyond what the program allows itself in writing, even with every range at its low end.
pub(super) fn over_overcommit(plan: &Plan<'_, '_>, deficit: u64) -> Diagnostic {
    let node = &plan.program.nodes[0];
    let Some(overcommit) = node.overcommit else {
        return Diagnostic::error("BZ4006", "limits are over what is allowed");
    };
    let allocatable = plan.node.allocatable;
    let allowed = u128::from(allocatable) * u128::from(overcommit.value) / 100;
    let allowed = u64::try_from(allowed).unwrap_or(u64::MAX);
    let limits = allowed.saturating_add(deficit);
    let percent = (u128::from(limits) * 100).div_ceil(u128::from(allocatable.max(1)));
    let span = overcommit.origin.span.unwrap_or(node.name.span);
    let (name, over) = (node.name.value, excess(deficit));
    let message = format!("limits on node `{name}` are {over} over the {}% that it allows", overcommit.value);
    let mut error = Diagnostic::error("BZ4006", message)
        .at(span, format!("{} of limits, {} allocatable", in_mib(limits), in_mib(allocatable)));
    for component in plan.node.components.iter().filter(|component| component.request > 0 || component.gap > 0) {
        let packaged = &plan.program.components[component.component];
        let span =
            packaged.memory.map(|(request, _)| request.origin.span).or(packaged.bound.map(|bound| bound.origin.span));
        let what = format!("`{}`, which K3s packages", packaged.name);
        error.addends.push(addend(what, component.request.saturating_add(component.gap), span.flatten()));
    }
    for (service, workload) in plan.program.services.iter().zip(&plan.workloads) {
        let least = match workload.choice {
            super::Choice::Burst => super::limits(workload),
            _ => i128::from(workload.pod_least()) * i128::from(workload.peak()),
        };
        let amount = u64::try_from(least).unwrap_or(u64::MAX);
        error.addends.push(addend(format!("`{}`", service.name.value), amount, Some(service.name.span)));
    }
    error.addends.push(addend("together", limits, None));
    error.addends.push(addend("allowed", allowed, overcommit.origin.span));
    error.helps = fixes::for_overcommit(plan, percent, limits, span);
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
        [(metric, value)] => format!("expected otherwise: {} is {value}, off by {by}", subject(metric)),
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
