//! Lower numbers of services: the memory they begin with, and their replicas.

use super::made::{Scope, number};
use crate::base::quantity::{Bytes, MIB};
use crate::base::span::Span;
use crate::diag::{Proposal, Unit, Way};
use crate::plan::floor::floor;
use crate::plan::model::{Draft, LEAST_LIMIT};
use crate::plan::words::named;
use crate::program::{Giver, Memory};

/// Services whose number stands in one place.
struct Sharing<'n> {
    span: Span,
    names: Vec<&'n str>,
    /// Pods of all of them that count.
    pods: u64,
    /// The number that stands there: bytes, or replicas.
    now: u64,
    /// The least that it may be.
    least: u64,
    /// What one counts for, in bytes.
    each: u64,
    /// Whether it is a number, and not the low end of a range.
    single: bool,
    /// The tier it stands in.
    tier: Option<&'n str>,
}

/// Adds a service to those that share a place.
fn share<'n>(places: &mut Vec<Sharing<'n>>, new: Sharing<'n>) {
    match places.iter_mut().find(|place| place.span == new.span) {
        Some(place) => {
            let names = new.names.into_iter();
            let names: Vec<&str> = names.filter(|name| !place.names.contains(name)).collect();
            place.names.extend(names);
            place.pods = place.pods.saturating_add(new.pods);
            place.least = place.least.max(new.least);
            place.each = place.each.min(new.each);
        }
        None => places.push(new),
    }
}

/// A lower low end for all services that take theirs from one place.
pub(super) fn lower_ends(draft: &Draft<'_, '_>, scope: Scope<'_>) -> Vec<Proposal> {
    let mut places: Vec<Sharing<'_>> = Vec::new();
    for &index in scope.members {
        let workload = &draft.workloads[index];
        let service = &draft.program.services[index];
        let (low, single) = match service.memory {
            Memory::Range { low, high } => (low, low.origin.span == high.origin.span),
            Memory::Burst { request, .. } if scope.on_node => (request, false),
            Memory::Burst { limit, .. } => (limit, false),
        };
        let Some(span) = low.origin.span else {
            continue;
        };
        let pods = scope.pods(draft, index);
        let tier = match (low.origin.giver, service.tier) {
            (Giver::Tier, Some(tier)) => Some(draft.program.tiers[tier].name.value),
            _ => None,
        };
        let needs = floor(draft.program, service).map_or(0, |floor| floor.value.n);
        // What bursts is held to its limit; the least that it requests is any.
        let request = matches!(service.memory, Memory::Burst { .. }) && scope.on_node;
        let least = match request {
            true => MIB,
            false => needs.max(LEAST_LIMIT.n),
        };
        let now = workload.main_charge(scope.on_node);
        share(
            &mut places,
            Sharing {
                span,
                names: vec![service.name.value],
                pods,
                now,
                least,
                each: now,
                single,
                tier,
            },
        );
        for extra in service.extras.iter().filter(|extra| extra.stays) {
            let Some(span) = extra.memory.origin.span else {
                continue;
            };
            share(
                &mut places,
                Sharing {
                    span,
                    names: vec![extra.name.value],
                    pods,
                    now: extra.memory.value.n,
                    least: LEAST_LIMIT.n,
                    each: extra.memory.value.n,
                    single: true,
                    tier: None,
                },
            );
        }
    }
    let lower = |place: Sharing<'_>| {
        let tier = place.tier.map(|tier| format!("tier `{tier}`"));
        let of = tier.unwrap_or_else(|| named(&place.names));
        let (text, from) = match place.single {
            true => (format!("give {of} "), ", down from"),
            false => (format!("let {of} go down to "), " from"),
        };
        let tail = format!("{from} {}", Bytes::new(place.now));
        let ends = [place.now, place.least];
        lowered((text, tail), place.span, ends, place.pods, scope.deficit)
    };
    places.into_iter().filter_map(lower).collect()
}

/// An amount of so many bytes that is lowered by what is over, to a least amount at most: `pods` count it.
pub(super) fn lowered(
    (text, tail): (String, String),
    span: Span,
    [now, least]: [u64; 2],
    pods: u64,
    deficit: u64,
) -> Option<Proposal> {
    // The number is in whole Mi and below what there is.
    let (above, bound) = (now.div_ceil(MIB), least.div_ceil(MIB));
    let cut = deficit.checked_div(pods)?.div_ceil(MIB);
    let guess = (now / MIB).saturating_sub(cut).max(bound);
    let saves = now.checked_sub(bound * MIB)?.saturating_mul(pods);
    (bound < above).then(|| {
        let numbers = [above, guess, bound];
        number(Way::Lower, (text, tail), span, Unit::Mib, numbers, saves)
    })
}

/// Fewer replicas, of all services whose number stands in one place, those first that lose the fewest pods.
pub(super) fn fewer_replicas(draft: &Draft<'_, '_>, scope: Scope<'_>) -> Vec<Proposal> {
    let mut places: Vec<Sharing<'_>> = Vec::new();
    for &index in scope.members {
        let (service, workload) = (&draft.program.services[index], &draft.workloads[index]);
        let Some(span) = service.replicas.origin.span else {
            continue;
        };
        share(
            &mut places,
            Sharing {
                span,
                names: vec![service.name.value],
                pods: 1,
                now: workload.replicas,
                least: 1,
                // One replica less of each that the number is for.
                each: workload.charge(scope.on_node),
                single: true,
                tier: None,
            },
        );
    }
    let fewer = |place: Sharing<'_>| {
        let each = place.each.saturating_mul(place.pods);
        let cut = scope.deficit.div_ceil(each.max(1));
        let guess = place.now.saturating_sub(cut).max(1);
        let whom = named(&place.names);
        let tail = match place.names.len() {
            1 => format!(" of {} replicas", place.now),
            _ => format!(" of {} replicas each", place.now),
        };
        let saves = place.now.saturating_sub(1).saturating_mul(each);
        let lost = cut.saturating_mul(place.pods);
        let numbers = [place.now, guess, 1];
        let text = (format!("run {whom} with "), tail);
        let proposal = number(Way::Lower, text, place.span, Unit::Count, numbers, saves);
        (lost, proposal)
    };
    let several = places.into_iter().filter(|place| place.now > 1);
    let mut proposals: Vec<(u64, Proposal)> = several.map(fewer).collect();
    proposals.sort_by_key(|(lost, _)| *lost);
    proposals
        .into_iter()
        .map(|(_, proposal)| proposal)
        .collect()
}
