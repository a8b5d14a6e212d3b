//! Other numbers of a service that an `expect` is about: its memory, or how many there are of it.

use super::made::{FURTHEST, mib, number};
use crate::base::quantity::MIB;
use crate::base::span::Span;
use crate::diag::{Proposal, Unit, Way};
use crate::plan::model::Draft;
use crate::program::{Memory, ServiceId};

/// Each number of it raised and lowered by what the expectation is off: which of the two is meant the trials find out.
pub(crate) fn for_service(
    draft: &Draft<'_, '_>,
    index: ServiceId,
    is_of_pods: bool,
    gap: u64,
) -> Vec<Proposal> {
    let service = &draft.program.services[index];
    let name = service.name.value;
    let mut proposals = Vec::new();
    let mut other = |place: Option<Span>, text: String, unit, [now, least, step]: [u64; 3]| {
        let Some(span) = place else { return };
        let more = now.saturating_add(step);
        let more = [now, more, more.saturating_mul(FURTHEST)];
        let fewer = [now, now.saturating_sub(step).max(least), least];
        for (way, numbers) in [(Way::Raise, more), (Way::Lower, fewer)] {
            if numbers[0] != numbers[2] {
                let text = (text.clone(), String::new());
                proposals.push(number(way, text, span, unit, numbers, step));
            }
        }
    };
    if is_of_pods {
        let replicas = service.replicas;
        let text = format!("replicas of `{name}`: ");
        let numbers = [replicas.value, 1, gap];
        other(replicas.origin.span, text, Unit::Count, numbers);
        return proposals;
    }
    let (low, high) = match service.memory {
        Memory::Range { low, high } => (low, high),
        Memory::Burst { request, limit } => (request, limit),
    };
    let single = low.origin.span == high.origin.span;
    for (given, end) in [(low, "the least"), (high, "the most")] {
        let text = match single {
            true => format!("give `{name}` "),
            false => format!("{end} memory of `{name}`: "),
        };
        let numbers = [given.value.n / MIB, 1, mib(gap)];
        other(given.origin.span, text, Unit::Mib, numbers);
        if single {
            break;
        }
    }
    proposals
}
