//! Changes of the source that might make a program fit, least disturbing first: a rollout without surge, a component
//! less, a higher ceiling, lower numbers, fewer replicas, one service less, a larger machine. What each saves is
//! arithmetic; `compile/trials.rs` applies it, compiles again, finds the number nearest to what the program has, and
//! keeps what holds.

mod components;
mod expected;
mod limits;
mod made;
mod numbers;
mod rollouts;

use std::cmp::Reverse;
use std::collections::BTreeMap;

pub(super) use self::expected::for_service;
pub(super) use self::limits::for_limits;
use self::made::{FURTHEST, Scope, change, larger_machine, mib, number, worth_a_try};
use super::excess::{Ceiling, Excess};
use super::model::Draft;
use super::reserve::price_of_pods;
use super::supplies::{Short, each};
use crate::base::id::{Id, ids, numbered};
use crate::base::quantity::{MIB, in_mib};
use crate::base::span::Span;
use crate::diag::{Proposal, Unit, Way};
use crate::program::{EPHEMERAL, NodeId, ServiceId};

pub(super) fn for_memory(
    draft: &Draft<'_, '_>,
    over: Excess,
    members: &[ServiceId],
    on_node: bool,
) -> Vec<Proposal> {
    let scope = Scope {
        members,
        on_node,
        ceiling: over.ceiling,
        deficit: over
            .deficit
            .saturating_add(shims_to_come(draft, over.ceiling)),
    };
    let deficit = scope.deficit;
    let mut proposals = rollouts::quieter(draft, scope);
    proposals.extend(worth_a_try(numbers::lower_ends(draft, scope), deficit));
    if let Ceiling::Budget(index) = over.ceiling
        && let Some(span) = draft.program.budgets[index].ceiling.origin.span
    {
        let budget = &draft.program.budgets[index];
        let now = budget.ceiling.value.n / MIB;
        let needed = mib(budget.ceiling.value.n.saturating_add(deficit));
        proposals.push(number(
            Way::Raise,
            (format!("raise `{}` to ", budget.name.value), String::new()),
            span,
            Unit::Mib,
            [now, needed, needed.saturating_mul(FURTHEST)],
            deficit,
        ));
    }
    proposals.extend(worth_a_try(numbers::fewer_replicas(draft, scope), deficit));
    if on_node {
        proposals.extend(components::fewer(draft));
        proposals.extend(worth_a_try(components::smaller(draft, scope), deficit));
    }
    proposals.extend(one_less(draft, scope));
    let at = match over.ceiling {
        Ceiling::Node(at) | Ceiling::Limits(at) => Some(at),
        // The largest one: it can take what no other can.
        Ceiling::Together => {
            ids(&draft.nodes).max_by_key(|at| (draft.nodes[*at].capacity, Reverse(*at)))
        }
        Ceiling::Budget(_) => None,
    };
    if let Some(at) = at {
        let needed = draft.program.nodes[at].memory.value.n;
        let limits = limits::to_allow(draft, at);
        let needed = needed
            .saturating_add(deficit)
            .max(limits::wanted_memory(draft, at, limits));
        proposals.extend(larger_machine(draft, at, needed));
    }
    proposals
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

/// So many of the largest are worth leaving out.
const LARGEST: usize = 3;

/// Services without which the rest may fit: the smallest that is enough, and else the largest there are.
fn one_less(draft: &Draft<'_, '_>, scope: Scope<'_>) -> Vec<Proposal> {
    let taken = |index: ServiceId| {
        let charge = draft.workloads[index].charge(scope.on_node);
        charge.saturating_mul(scope.pods(draft, index))
    };
    let mut headers: BTreeMap<Span, usize> = BTreeMap::new();
    draft
        .program
        .services
        .iter()
        .for_each(|service| *headers.entry(service.span).or_default() += 1);
    let alone = |index: &ServiceId| headers[&draft.program.services[*index].span] == 1;
    let mut removable: Vec<ServiceId> = scope.members.iter().copied().filter(alone).collect();
    removable.sort_by_key(|index| taken(*index));
    let enough = removable.iter().position(|i| taken(*i) >= scope.deficit);
    let chosen: Vec<ServiceId> = match enough {
        Some(at) => vec![removable[at]],
        None => removable.into_iter().rev().take(LARGEST).collect(),
    };
    let leave_out = |index: ServiceId| {
        let service = &draft.program.services[index];
        let (name, saves) = (service.name.value, taken(index));
        let text = format!("leave out `{name}`, {} less", in_mib(saves));
        change(Way::Remove, text, service.span, String::new(), saves)
    };
    let chosen = chosen.into_iter().map(leave_out);
    chosen.filter(|proposal| proposal.saves > 0).collect()
}

/// More pods on the only node, of which there would be so many, or fewer of them.
pub(super) fn for_pods(draft: &Draft<'_, '_>, total: u64) -> Vec<Proposal> {
    let node = &draft.program.nodes[0];
    let limit = node.max_pods.value;
    let numbers = [limit, total, MOST_PODS.max(total)];
    let (text, tail) = (
        "let it take ".to_owned(),
        " pods: each costs a shim".to_owned(),
    );
    let place = node.max_pods.origin.span;
    let span = place.or(node.memory.origin.span.map(Span::after));
    let mut proposals = Vec::new();
    if let Some(span) = span {
        let over = total - limit;
        let mut raise = number(Way::Raise, (text, tail), span, Unit::Count, numbers, over);
        if let (None, Some(number)) = (place, &mut raise.number) {
            number.at.text = "  max-pods = ".to_owned();
        }
        proposals.push(raise);
    }
    let members: Vec<ServiceId> = ids(&draft.program.services).collect();
    let scope = Scope {
        members: &members,
        on_node: true,
        ceiling: Ceiling::Node(NodeId::new(0)),
        deficit: 1,
    };
    proposals.extend(rollouts::quieter(draft, scope));
    proposals.extend(worth_a_try(numbers::fewer_replicas(draft, scope), 1));
    proposals.extend(components::fewer(draft));
    proposals.extend(one_less(draft, scope));
    proposals
}

/// A larger disk or more devices, or fewer pods that ask for them.
pub(super) fn for_supply(draft: &Draft<'_, '_>, short: &Short<'_>) -> Vec<Proposal> {
    let scope = Scope {
        members: &short.members,
        on_node: true,
        ceiling: short.node.map_or(Ceiling::Together, Ceiling::Node),
        deficit: 1,
    };
    let mut proposals = rollouts::quieter(draft, scope);
    proposals.extend(rollouts::replaced(draft, &short.members));
    proposals.extend(worth_a_try(numbers::fewer_replicas(draft, scope), 1));
    let mut removable = short.members.clone();
    removable.sort_by_key(|id| Reverse(each(&draft.program.services[*id], short.resource)));
    for id in removable.into_iter().take(LARGEST) {
        let service = &draft.program.services[id];
        let text = format!("leave out `{}`", service.name.value);
        proposals.push(change(Way::Remove, text, service.span, String::new(), 1));
    }
    let over = short.asked - short.has;
    let nodes = numbered(&draft.program.nodes);
    let nodes = nodes.filter(|(at, _)| short.node.is_none_or(|node| node == *at));
    for (_, node) in nodes {
        let Some(supply) = node.supply(short.resource) else {
            continue;
        };
        let Some(span) = supply.has.origin.span else {
            continue;
        };
        let (now, name) = (supply.has.value, node.name.value);
        let needed = now.saturating_add(over);
        let (text, unit, now, guess) = match short.resource {
            EPHEMERAL => ("a disk of ", Unit::Mib, now / MIB, mib(needed)),
            _ => ("a machine with ", Unit::Count, now, needed),
        };
        let tail = match short.resource {
            EPHEMERAL => format!(" for `{name}`"),
            resource => format!(" of `{resource}` for `{name}`"),
        };
        let numbers = [now, guess, guess.saturating_mul(FURTHEST)];
        let text = (text.to_owned(), tail);
        proposals.push(number(Way::Machine, text, span, unit, numbers, 0));
    }
    proposals
}

/// The kubelet takes no more pods by any flag that is of use: an address each.
const MOST_PODS: u64 = 1024;

/// The loss of a node is borne by nobody: a program that does not ask for it.
pub(super) fn loss_borne(draft: &Draft<'_, '_>) -> Option<Proposal> {
    let span = draft.program.survive?.origin.span?;
    let text = "do not ask to outlive the loss of a node".to_owned();
    Some(change(Way::Remove, text, span, "0".to_owned(), 1))
}

pub(super) fn for_cpu(draft: &Draft<'_, '_>, over: u64) -> Vec<Proposal> {
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
    let lower = by_place.into_iter().map(|(span, pods, now)| {
        let guess = now.saturating_sub(over.div_ceil(pods.max(1)));
        number(
            Way::Lower,
            ("request ".to_owned(), format!(", down from {now}m")),
            span,
            Unit::Milli,
            [now, guess.max(1), 1],
            now.saturating_sub(1).saturating_mul(pods),
        )
    });
    let mut proposals = worth_a_try(lower.collect(), over);
    let node = &draft.program.nodes[0];
    if let Some((cpu, span)) = node.cpu.and_then(|cpu| Some((cpu, cpu.origin.span?))) {
        let needed = cpu.value.milli.saturating_add(over).div_ceil(1000);
        let text = ("a machine with ".to_owned(), " cores".to_owned());
        let numbers = [
            cpu.value.milli / 1000,
            needed,
            needed.saturating_mul(FURTHEST),
        ];
        proposals.push(number(Way::Machine, text, span, Unit::Count, numbers, 0));
    }
    proposals
}
