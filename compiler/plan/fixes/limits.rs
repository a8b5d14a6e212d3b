//! Limits that are over what a node has for them: lower ones, more of it allowed in writing, a larger machine.

use super::made::{MOST, change, larger_machine, number, worth_a_try};
use crate::base::quantity::{Bytes, MIB};
use crate::base::span::Span;
use crate::diag::{Edit, Proposal, Unit, Way};
use crate::plan::model::Draft;
use crate::plan::words::named;
use crate::program::{Memory, NodeId};

/// Limits that a node has to allow: those at rest; and where it allows more than there is, those of all pods that may
/// be there at once.
pub(super) fn to_allow(draft: &Draft<'_, '_>, at: NodeId) -> u64 {
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

/// The memory at which what a node allows covers all limits, in bytes.
pub(super) fn wanted_memory(draft: &Draft<'_, '_>, at: NodeId, limits: u64) -> u64 {
    let percent = draft.program.nodes[at]
        .overcommit
        .map_or(100, |overcommit| overcommit.value);
    let allocatable = (u128::from(limits) * 100).div_ceil(u128::from(percent.max(1)));
    let allocatable = u64::try_from(allocatable).unwrap_or(u64::MAX);
    allocatable.saturating_add(draft.nodes[at].reserved())
}

pub(crate) fn for_limits(
    draft: &Draft<'_, '_>,
    at: NodeId,
    limits: u64,
    allowed: u64,
) -> Vec<Proposal> {
    const MOST_PERCENT: u64 = 10_000;
    let declared = &draft.program.nodes[at];
    let over = limits - allowed;
    let (lower, whole) = lower_limits(draft, at, over);
    let mut proposals = worth_a_try(lower, over);
    proposals.extend(whole);
    proposals.truncate(2 * MOST);
    let node = &draft.nodes[at];
    // In writing, the limits of all pods that may be there at once are allowed.
    let most = u128::from(limits.max(node.limits.bytes()));
    let allocatable = node.allocatable();
    let percent = (most * 100).div_ceil(u128::from(allocatable.max(1)));
    let guess = u64::try_from(percent).unwrap_or(u64::MAX);
    let place = declared.overcommit.map(|overcommit| overcommit.origin.span);
    let (text, tail) = (
        "allow limits of ".to_owned(),
        " of what there is, in writing",
    );
    match (place, declared.memory.origin.span) {
        (Some(Some(span)), _) => {
            let now = declared.overcommit.map_or(100, |percent| percent.value);
            let numbers = [now, guess, MOST_PERCENT];
            let text = (text, tail.to_owned());
            proposals.push(number(Way::Raise, text, span, Unit::Percent, numbers, over));
        }
        (None, Some(span)) => {
            let numbers = [99, guess, MOST_PERCENT];
            let text = (text, tail.to_owned());
            let mut raise = number(Way::Raise, text, span.after(), Unit::Percent, numbers, over);
            if let Some(number) = &mut raise.number {
                number.at.text = "  overcommit = ".to_owned();
            }
            proposals.push(raise);
        }
        (Some(None), _) | (None, None) => {}
    }
    proposals.extend(larger_machine(draft, at, wanted_memory(draft, at, limits)));
    proposals
}

/// Where a limit stands that is above what its pods request, whose it is, and what it could save.
struct Place<'n> {
    span: Span,
    names: Vec<&'n str>,
    pods: u64,
    request: u64,
    limit: u64,
}

/// Each limit lowered, and all of them to what is requested.
fn lower_limits(draft: &Draft<'_, '_>, at: NodeId, over: u64) -> (Vec<Proposal>, Option<Proposal>) {
    let mut places: Vec<Place<'_>> = Vec::new();
    for (service, workload) in draft.program.services.iter().zip(&draft.workloads) {
        let Memory::Burst { request, limit } = service.memory else {
            continue;
        };
        let Some(span) = limit.origin.span else {
            continue;
        };
        let pods = workload.on(at, workload.replicas);
        match places.iter_mut().find(|place| place.span == span) {
            Some(place) => {
                place.names.push(service.name.value);
                place.pods = place.pods.saturating_add(pods);
                place.request = place.request.max(request.value.n);
            }
            None => places.push(Place {
                span,
                names: vec![service.name.value],
                pods,
                request: request.value.n,
                limit: limit.value.n,
            }),
        }
    }
    let saves = |place: &Place<'_>| {
        let gap = place.limit.saturating_sub(place.request);
        gap.saturating_mul(place.pods)
    };
    places.retain(|place| saves(place) > 0);
    let lower = |place: &Place<'_>| {
        let (now, bound) = (place.limit.div_ceil(MIB), place.request.div_ceil(MIB));
        let cut = over.checked_div(place.pods)?.div_ceil(MIB);
        let guess = (place.limit / MIB).saturating_sub(cut).max(bound);
        let text = format!("limit {} to ", named(&place.names));
        let tail = format!(", down from {}", Bytes::new(place.limit));
        let numbers = [now, guess, bound];
        (bound < now).then(|| {
            let saves = saves(place);
            number(
                Way::Lower,
                (text, tail),
                place.span,
                Unit::Mib,
                numbers,
                saves,
            )
        })
    };
    let whole = (places.len() > 1).then(|| {
        let names: Vec<&str> = places
            .iter()
            .flat_map(|p| p.names.iter().copied())
            .collect();
        let edit = |place: &Place<'_>| Edit {
            span: place.span,
            text: Bytes::new(place.request).to_string(),
        };
        let text = format!("limit {} to what they request", named(&names));
        let saved = places.iter().map(saves).fold(0, u64::saturating_add);
        let first = places[0].span;
        Proposal {
            edits: places.iter().map(edit).collect(),
            ..change(Way::Lower, text, first, String::new(), saved)
        }
    });
    (places.iter().filter_map(lower).collect(), whole)
}
