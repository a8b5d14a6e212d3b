//! Changes of the source that might make a program fit, least disturbing first: a rollout without surge, lower
//! low ends, a higher ceiling, fewer replicas, one service less, one component less, a larger machine. Each is a
//! guess by arithmetic; `compile.rs` applies it, compiles again, and keeps only those that hold.

use std::cmp::Reverse;

use std::collections::BTreeMap;

use super::excess::{Ceiling, Excess};
use super::model::{ComponentPlan, Draft, LEAST_LIMIT};
use super::reserve::price_of_pods;
use super::resources::Dimension;
use super::words::named;
use crate::base::id::{ids, numbered};
use crate::base::quantity::{Bytes, MIB, in_mib};
use crate::base::span::Span;
use crate::diag::{Edit, Help};
use crate::program::{
    ComponentId, Formula, Giver, Memory, NodeId, ServiceId, SettingValue, Subject,
};
use crate::syntax::ast::Operator;

/// Proposals beyond this many would only be read by nobody.
const MOST: usize = 6;

fn help(text: String, span: Span, by: String) -> Help {
    Help {
        text,
        edits: vec![Edit { span, text: by }],
        needs_machine: false,
    }
}

/// A proposal, and how much it frees.
struct Saving {
    help: Help,
    saved: u64,
}

pub(super) fn for_memory(
    draft: &Draft<'_, '_>,
    over: Excess,
    members: &[ServiceId],
    on_node: bool,
) -> Vec<Help> {
    let deficit = over
        .deficit
        .saturating_add(shims_to_come(draft, over.ceiling));
    let surge = without_surge(draft, members, on_node);
    let components = if on_node {
        fewer_components(draft)
    } else {
        Vec::new()
    };
    let enough = |savings: &[Saving]| -> Vec<Help> {
        let enough = savings.iter().filter(|saving| saving.saved >= deficit);
        enough.map(|saving| saving.help.clone()).collect()
    };
    let mut helps = enough(&surge);
    helps.extend(lower_ends(draft, members, on_node, over.ceiling, deficit));
    if let Ceiling::Budget(index) = over.ceiling
        && let Some(span) = draft.program.budgets[index].ceiling.origin.span
    {
        let budget = &draft.program.budgets[index];
        let needed = whole_mib(budget.ceiling.value.n.saturating_add(deficit));
        helps.push(help(
            format!("raise `{}` to {needed}", budget.name.value),
            span,
            needed.to_string(),
        ));
    }
    helps.extend(fewer_replicas(draft, members, on_node, deficit));
    helps.extend(enough(&components));
    helps.extend(one_less(draft, members, on_node, deficit));
    helps.truncate(MOST);
    helps.extend(pairs(
        draft,
        members,
        on_node,
        Excess { deficit, ..over },
        surge.into_iter().chain(components).collect(),
    ));
    let at = match over.ceiling {
        Ceiling::Node(at) | Ceiling::Limits(at) => Some(at),
        // The largest one: it can take what no other can.
        Ceiling::Together => {
            ids(&draft.nodes).max_by_key(|at| (draft.nodes[*at].capacity, Reverse(*at)))
        }
        Ceiling::Budget(_) => None,
    };
    if let Some(at) = at {
        let node = &draft.program.nodes[at];
        if let Some(span) = node.memory.origin.span {
            let needed = node
                .memory
                .value
                .n
                .saturating_add(deficit)
                .saturating_add(wanted_free(draft));
            let limits = limits_to_allow(draft, at);
            let needed = whole_mib(needed.max(wanted_for_limits(draft, at, limits)));
            helps.push(larger_machine(draft, at, needed, span));
        }
    }
    helps
}

/// On several nodes smaller pods are more that may be on one at once, and each brings a shim: a few of them.
fn shims_to_come(draft: &Draft<'_, '_>, ceiling: Ceiling) -> u64 {
    const FEW: u64 = 4;
    let (Ceiling::Node(at) | Ceiling::Limits(at), true) = (ceiling, draft.on_several_nodes())
    else {
        return 0;
    };
    let pods = draft
        .workloads
        .iter()
        .map(|workload| workload.on(at, workload.pods))
        .fold(0, u64::saturating_add);
    let components = draft.nodes[at].components.iter();
    let packaged: u64 = components.map(|component| component.pods).sum();
    let more = pods
        .saturating_add(packaged)
        .saturating_sub(draft.nodes[at].shim_pods());
    let node = &draft.program.nodes[at];
    price_of_pods(node, draft.nodes[at].shim_pods(), more.min(FEW))
}

/// A machine with more memory in the place of a node.
fn larger_machine(draft: &Draft<'_, '_>, at: NodeId, needed: Bytes, span: Span) -> Help {
    let text = match draft.on_several_nodes() {
        true => format!(
            "a machine whose MemTotal is {needed} for `{}`",
            draft.program.nodes[at].name.value
        ),
        false => format!("a machine whose MemTotal is {needed}"),
    };
    Help {
        needs_machine: true,
        ..help(text, span, needed.to_string())
    }
}

/// Two changes that together free enough where neither does alone: two savings, or a saving and a number that is
/// lowered by what is left. `compile.rs` shows them only where no single change holds.
fn pairs(
    draft: &Draft<'_, '_>,
    members: &[ServiceId],
    on_node: bool,
    over: Excess,
    savings: Vec<Saving>,
) -> Vec<Help> {
    let mut pairs = Vec::new();
    let mut both = |one: &Help, other: &Help| {
        // Two edits of one place would undo each other.
        let apart = |a: &Edit, b: &Edit| a.span.end < b.span.start || b.span.end < a.span.start;
        if one
            .edits
            .iter()
            .any(|edit| other.edits.iter().any(|second| !apart(edit, second)))
        {
            return;
        }
        let text = format!("{}, and {}", one.text, other.text);
        let edits = one.edits.iter().chain(&other.edits).cloned().collect();
        pairs.push(Help {
            text,
            edits,
            needs_machine: false,
        });
    };
    let small: Vec<&Saving> = savings
        .iter()
        .filter(|saving| (1..over.deficit).contains(&saving.saved))
        .collect();
    for (at, one) in small.iter().enumerate() {
        let left = over.deficit - one.saved;
        let lowered = lower_ends(draft, members, on_node, over.ceiling, left);
        let fewer = fewer_replicas(draft, members, on_node, left);
        lowered
            .iter()
            .chain(&fewer)
            .for_each(|other| both(&one.help, other));
        for other in small[at + 1..].iter().filter(|other| other.saved >= left) {
            both(&one.help, &other.help);
        }
        one_less(draft, members, on_node, left)
            .iter()
            .for_each(|other| both(&one.help, other));
    }
    pairs.truncate(MOST);
    pairs
}

/// Bytes in whole Mi, rounded up.
fn whole_mib(n: u64) -> Bytes {
    Bytes::new(n.div_ceil(MIB).saturating_mul(MIB))
}

/// Limits that a node has to allow: those at rest; and where it allows more than there is, those of all pods that may
/// be there at once.
fn limits_to_allow(draft: &Draft<'_, '_>, at: NodeId) -> u64 {
    let node = &draft.nodes[at];
    if draft.program.nodes[at].overcommit.is_none() {
        return node.at_rest;
    }
    let components = node.components.iter();
    let components = components.map(|component| component.limit.saturating_mul(component.pods));
    let services = draft.workloads.iter();
    let services = services.map(|w| w.pod_limit().saturating_mul(w.on(at, w.pods)));
    components.chain(services).fold(0, u64::saturating_add)
}

/// The memory at which what a node allows covers all limits.
fn wanted_for_limits(draft: &Draft<'_, '_>, at: NodeId, limits: u64) -> u64 {
    let percent = draft.program.nodes[at]
        .overcommit
        .map_or(100, |overcommit| overcommit.value);
    let allocatable = (u128::from(limits) * 100).div_ceil(u128::from(percent.max(1)));
    let allocatable = u64::try_from(allocatable).unwrap_or(u64::MAX);
    allocatable
        .saturating_add(draft.nodes[at].reserved())
        .saturating_add(wanted_free(draft))
}

/// Limits that are over what a node has for them: lower ones, more of it allowed in writing, a larger machine.
pub(super) fn for_limits(
    draft: &Draft<'_, '_>,
    at: NodeId,
    limits: u64,
    allowed: u64,
) -> Vec<Help> {
    let declared = &draft.program.nodes[at];
    let mut helps = lower_limits(draft, at, limits - allowed);
    let node = &draft.nodes[at];
    // In writing, the limits of all pods that may be there at once are allowed.
    let most = u128::from(limits.max(node.limits.bytes()));
    let allocatable = node.allocatable();
    let percent = (most * 100).div_ceil(u128::from(allocatable.max(1)));
    let by = format!("{percent}%");
    match declared.overcommit.map(|overcommit| overcommit.origin.span) {
        Some(Some(span)) => helps.push(help(format!("allow {by}"), span, by)),
        Some(None) => {}
        None => {
            if let Some(span) = declared.memory.origin.span {
                let text = format!("allow limits of {by} of what there is, in writing");
                helps.push(help(text, span.after(), format!("  overcommit = {by}")));
            }
        }
    }
    if let Some(place) = declared.memory.origin.span {
        let needed = wanted_for_limits(draft, at, limits);
        helps.push(larger_machine(draft, at, whole_mib(needed), place));
    }
    helps
}

/// One limit lowered by what is over, of those above their requests.
fn lower_limits(draft: &Draft<'_, '_>, at: NodeId, over: u64) -> Vec<Help> {
    let services = draft.program.services.iter().zip(&draft.workloads);
    let lower = services.filter_map(|(service, workload)| {
        let Memory::Burst { request, limit } = service.memory else {
            return None;
        };
        let pods = workload.on(at, workload.replicas);
        let cut = whole_mib(over.checked_div(pods)?).n;
        let lower = limit
            .value
            .n
            .checked_sub(cut)
            .map(|lower| Bytes::new(lower / MIB * MIB))?;
        let lower = (lower >= request.value).then_some(lower)?;
        let text = format!("limit `{}` to {lower}", service.name.value);
        Some(help(text, limit.origin.span?, lower.to_string()))
    });
    lower.take(MOST).collect()
}

/// What the program expects to be left over on the node: a larger machine must have that too.
fn wanted_free(draft: &Draft<'_, '_>) -> u64 {
    let wanted = draft.program.expects.iter().filter_map(|expect| {
        match (&expect.left, expect.operator, &expect.right) {
            (
                Formula::Metric(metric),
                Operator::GreaterEqual | Operator::Greater,
                Formula::Constant(number),
            )
            | (
                Formula::Constant(number),
                Operator::LessEqual | Operator::Less,
                Formula::Metric(metric),
            ) if metric.key == "free" && matches!(metric.of, Subject::Node(_)) => {
                Some(number.n.saturating_add(1))
            }
            _ => None,
        }
    });
    wanted.max().unwrap_or(0)
}

/// Rolling out by replacement needs no second copy.
fn without_surge(draft: &Draft<'_, '_>, members: &[ServiceId], on_node: bool) -> Vec<Saving> {
    let mut by_place: Vec<(Span, u64)> = Vec::new();
    for &index in members {
        let workload = &draft.workloads[index];
        let Some(span) = draft.program.services[index].rollout.origin.span else {
            continue;
        };
        let saved = workload.charge(on_node).saturating_mul(workload.surge);
        match by_place.iter_mut().find(|(place, _)| *place == span) {
            Some((_, total)) => *total = total.saturating_add(saved),
            None => by_place.push((span, saved)),
        }
    }
    let savings = by_place
        .into_iter()
        .filter(|(_, saved)| *saved > 0)
        .map(|(span, saved)| {
            let text = format!(
                "roll out by replacement: no second copy, {} less",
                in_mib(saved)
            );
            Saving {
                help: help(text, span, "replace".to_owned()),
                saved,
            }
        });
    savings.collect()
}

/// Services whose number stands in one place.
struct Sharing<'n> {
    span: Span,
    names: Vec<&'n str>,
    /// Pods of all of them that must find room at once.
    pods: u64,
    /// What one pod is charged.
    each: u64,
}

/// Adds a service to those that share a place.
fn share<'n>(places: &mut Vec<Sharing<'n>>, span: Span, name: &'n str, pods: u64, each: u64) {
    match places.iter_mut().find(|place| place.span == span) {
        Some(place) => {
            if !place.names.contains(&name) {
                place.names.push(name);
            }
            place.pods = place.pods.saturating_add(pods);
        }
        None => places.push(Sharing {
            span,
            names: vec![name],
            pods,
            each,
        }),
    }
}

/// A lower low end for all services that take theirs from one place.
fn lower_ends(
    draft: &Draft<'_, '_>,
    members: &[ServiceId],
    on_node: bool,
    ceiling: Ceiling,
    deficit: u64,
) -> Vec<Help> {
    let mut places: Vec<Sharing<'_>> = Vec::new();
    let mut kinds: Vec<(bool, Option<&str>)> = Vec::new();
    for &index in members {
        let workload = &draft.workloads[index];
        let service = &draft.program.services[index];
        let (low, one_number) = match service.memory {
            Memory::Range { low, high } => (low, low.origin.span == high.origin.span),
            Memory::Burst { request, .. } if on_node => (request, false),
            Memory::Burst { limit, .. } => (limit, false),
        };
        let Some(span) = low.origin.span else {
            continue;
        };
        // Of what is on every node, only the pod of this one counts there.
        let pods = match ceiling {
            Ceiling::Node(at) => workload.on(at, workload.peak()),
            Ceiling::Together | Ceiling::Budget(_) | Ceiling::Limits(_) => workload.peak(),
        };
        let tier = match (low.origin.giver, service.tier) {
            (Giver::Tier, Some(tier)) => Some(draft.program.tiers[tier].name.value),
            _ => None,
        };
        let known = places.len();
        share(
            &mut places,
            span,
            service.name.value,
            pods,
            workload.main_charge(on_node),
        );
        if places.len() > known {
            kinds.push((one_number, tier));
        }
        for extra in service.extras.iter().filter(|extra| extra.stays) {
            let Some(span) = extra.memory.origin.span else {
                continue;
            };
            let known = places.len();
            share(
                &mut places,
                span,
                extra.name.value,
                pods,
                extra.memory.value.n,
            );
            if places.len() > known {
                kinds.push((true, None));
            }
        }
    }
    let mut helps = Vec::new();
    for (place, (one_number, tier)) in places.into_iter().zip(kinds) {
        let Some(cut) = (place.pods > 0).then(|| whole_mib(deficit.div_ceil(place.pods)).n) else {
            continue;
        };
        let Some(lower) = place
            .each
            .checked_sub(cut)
            .filter(|lower| *lower / MIB * MIB >= LEAST_LIMIT.n)
        else {
            continue;
        };
        let lower = Bytes::new(lower / MIB * MIB);
        let of = tier.map_or_else(|| named(&place.names), |tier| format!("tier `{tier}`"));
        let text = match one_number {
            true => format!("give {of} {lower}"),
            false => format!("let {of} go down to {lower}"),
        };
        helps.push(help(text, place.span, lower.to_string()));
    }
    helps
}

/// The one number of replicas that, cut, closes the gap with the least loss.
fn fewer_replicas(
    draft: &Draft<'_, '_>,
    members: &[ServiceId],
    on_node: bool,
    deficit: u64,
) -> Option<Help> {
    let mut places: Vec<Sharing<'_>> = Vec::new();
    let mut replicas: Vec<u64> = Vec::new();
    for &index in members {
        let (service, workload) = (&draft.program.services[index], &draft.workloads[index]);
        let Some(span) = service.replicas.origin.span else {
            continue;
        };
        let known = places.len();
        // One replica less of each that the number is for.
        let each = workload.charge(on_node);
        share(&mut places, span, service.name.value, 1, each);
        match places.len() > known {
            true => replicas.push(workload.replicas),
            false => {
                let shared = places.iter_mut().find(|place| place.span == span);
                shared
                    .into_iter()
                    .for_each(|place| place.each = place.each.min(each));
            }
        }
    }
    let candidate = |(place, replicas): (&Sharing<'_>, u64)| {
        let cut = deficit.div_ceil(place.each.saturating_mul(place.pods).max(1));
        let left = replicas.checked_sub(cut).filter(|left| *left > 0)?;
        let (whom, s) = (named(&place.names), if left == 1 { "" } else { "s" });
        let each = if place.names.len() > 1 { " each" } else { "" };
        Some((
            cut * place.pods,
            help(
                format!("run {whom} with {left} replica{s}{each}"),
                place.span,
                left.to_string(),
            ),
        ))
    };
    let found = places.iter().zip(replicas).filter_map(candidate);
    found.min_by_key(|(lost, _)| *lost).map(|(_, help)| help)
}

/// Components that can be switched off, or held smaller.
fn fewer_components(draft: &Draft<'_, '_>) -> Vec<Saving> {
    const SWITCHES: [(&str, &[&str], &str); 4] = [
        (
            "metrics-server",
            &["metrics-server"],
            "`kubectl top` and autoscaling stop",
        ),
        (
            "traefik",
            &["traefik", "svclb-traefik", "helm-install-traefik"],
            "no ingress controller",
        ),
        (
            "local-storage",
            &["local-path-provisioner"],
            "PersistentVolumeClaims stop being provisioned",
        ),
        (
            "traefik, servicelb, metrics-server",
            &[
                "traefik",
                "svclb-traefik",
                "helm-install-traefik",
                "metrics-server",
            ],
            "no ingress controller, no LoadBalancer, no `kubectl top`",
        ),
    ];
    let mut helps = Vec::new();
    let taken = |names: &[&str]| -> u64 {
        let of = |index: ComponentId| draft.program.components[index].name;
        let named = draft
            .components()
            .iter()
            .filter(|component| names.contains(&of(component.component)));
        named
            .map(|component| component.asked()[Dimension::Memory])
            .fold(0, u64::saturating_add)
    };
    for (switch, names, price) in SWITCHES {
        let saved = taken(names);
        if saved > 0 {
            let Some(edit) = disabling(draft, switch) else {
                continue;
            };
            let text = format!("disable `{switch}`, {} less: {price}", in_mib(saved));
            helps.push(Saving {
                help: help(text, edit.span, edit.text),
                saved,
            });
        }
    }
    // What CoreDNS takes when bzc writes its manifest: one pod at a time, bounded.
    const BOUNDED: Bytes = Bytes::mib(64);
    let coredns = draft
        .program
        .components
        .iter()
        .find(|component| component.name == "coredns");
    let pods = |component: &ComponentPlan| component.peak();
    let index = numbered(&draft.program.components)
        .find(|(_, component)| component.name == "coredns")
        .map(|(id, _)| id);
    let pods = draft
        .components()
        .iter()
        .find(|component| Some(component.component) == index)
        .map_or(0, pods);
    let saved = taken(&["coredns"]).saturating_sub(BOUNDED.n * pods);
    if coredns.is_some_and(|component| !component.owned) && saved > 0 {
        let declaration = format!("\ncomponent coredns {{ memory = {BOUNDED} }}");
        let text = format!(
            "keep CoreDNS at {BOUNDED}, one pod at a time, {} less",
            in_mib(saved)
        );
        helps.push(Saving {
            help: help(text, draft.program.nodes[0].behind, declaration),
            saved,
        });
    }
    helps
}

/// The edit that adds names to `disable`, wherever that is.
fn disabling(draft: &Draft<'_, '_>, names: &str) -> Option<Edit> {
    let listed = draft.program.nodes[0]
        .config
        .iter()
        .find_map(|setting| match &setting.value {
            SettingValue::List(items) => (setting.key == "disable").then_some(items),
            SettingValue::Bool(_)
            | SettingValue::Int(_)
            | SettingValue::Text(_)
            | SettingValue::Arguments(_) => None,
        });
    match (listed, draft.program.k3s.inside) {
        (Some(items), _) => {
            let new: Vec<&str> = names
                .split(", ")
                .filter(|name| items.iter().all(|item| item.value != *name))
                .collect();
            Some(Edit {
                span: items.last()?.span.after(),
                text: format!(", {}", new.join(", ")),
            })
        }
        (None, Some(span)) => Some(Edit {
            span,
            text: format!(" disable = [{names}] "),
        }),
        (None, None) => Some(Edit {
            span: draft.program.nodes[0].behind,
            text: format!("\nk3s {{ disable = [{names}] }}"),
        }),
    }
}

/// The smallest single service without which the rest fits.
fn one_less(
    draft: &Draft<'_, '_>,
    members: &[ServiceId],
    on_node: bool,
    deficit: u64,
) -> Option<Help> {
    let taken = |index: ServiceId| {
        draft.workloads[index]
            .charge(on_node)
            .saturating_mul(draft.workloads[index].peak())
    };
    let mut headers: BTreeMap<Span, usize> = BTreeMap::new();
    draft
        .program
        .services
        .iter()
        .for_each(|service| *headers.entry(service.span).or_default() += 1);
    let alone = |index: ServiceId| headers[&draft.program.services[index].span] == 1;
    let index = members
        .iter()
        .copied()
        .filter(|index| taken(*index) >= deficit && alone(*index))
        .min_by_key(|index| taken(*index))?;
    let service = &draft.program.services[index];
    Some(help(
        format!(
            "leave out `{}`, {} less",
            service.name.value,
            in_mib(taken(index))
        ),
        service.span,
        String::new(),
    ))
}

pub(super) fn for_cpu(draft: &Draft<'_, '_>, over: u64) -> Vec<Help> {
    let mut by_place: Vec<(Span, u64, u64)> = Vec::new();
    for (service, workload) in draft.program.services.iter().zip(&draft.workloads) {
        let Some((request, limit)) = service.cpu else {
            continue;
        };
        let Some(span) = request.origin.span else {
            continue;
        };
        // A range stands under one span; only its low end is the request.
        if limit.is_some_and(|limit| limit.value.milli != request.value.milli)
            && limit.and_then(|l| l.origin.span) == Some(span)
        {
            continue;
        }
        match by_place.iter_mut().find(|(place, ..)| *place == span) {
            Some((_, pods, _)) => *pods += workload.peak(),
            None => by_place.push((span, workload.peak(), request.value.milli)),
        }
    }
    let mut helps: Vec<Help> = by_place
        .into_iter()
        .filter_map(|(span, pods, each)| {
            let cut = over.div_ceil(pods.max(1));
            let lower = each.checked_sub(cut).filter(|lower| *lower > 0)?;
            Some(help(format!("request {lower}m"), span, format!("{lower}m")))
        })
        .collect();
    let node = &draft.program.nodes[0];
    if let Some((cpu, span)) = node.cpu.and_then(|cpu| Some((cpu, cpu.origin.span?))) {
        let needed = cpu.value.milli.saturating_add(over).div_ceil(1000);
        helps.truncate(MOST);
        let larger = help(
            format!("a machine with {needed} cores"),
            span,
            needed.to_string(),
        );
        helps.push(Help {
            needs_machine: true,
            ..larger
        });
    }
    helps
}
