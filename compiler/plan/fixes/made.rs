//! What proposals are made of: a change, a number that is to be found, and where it counts.

use crate::base::quantity::MIB;
use crate::base::span::Span;
use crate::diag::{Edit, Number, Proposal, Unit, Way};
use crate::plan::excess::Ceiling;
use crate::plan::model::Draft;
use crate::program::{NodeId, ServiceId};

/// So many of a kind are tried, of those that arithmetic says are enough, and of the largest of those that are not.
pub(super) const MOST: usize = 8;

/// A change without a number that puts a text into one place.
pub(super) fn change(way: Way, text: String, span: Span, by: String, saves: u64) -> Proposal {
    Proposal {
        way,
        text,
        tail: String::new(),
        edits: vec![Edit { span, text: by }],
        number: None,
        saves,
    }
}

/// A change of one number at a place.
pub(super) fn number(
    way: Way,
    (text, tail): (String, String),
    span: Span,
    unit: Unit,
    [now, guess, bound]: [u64; 3],
    saves: u64,
) -> Proposal {
    let at = Edit {
        span,
        text: String::new(),
    };
    Proposal {
        way,
        text,
        tail,
        edits: Vec::new(),
        number: Some(Number {
            at,
            behind: String::new(),
            unit,
            now,
            guess,
            bound,
        }),
        saves,
    }
}

/// What services, or what one of them is charged, where a proposal counts.
#[derive(Clone, Copy)]
pub(super) struct Scope<'s> {
    /// The services whose numbers count under the ceiling.
    pub(super) members: &'s [ServiceId],
    /// Whether requests count, and not limits.
    pub(super) on_node: bool,
    pub(super) ceiling: Ceiling,
    /// What is to be saved, in bytes.
    pub(super) deficit: u64,
}

impl Scope<'_> {
    /// Pods of a service that count under the ceiling at the peak of a rollout. Of what is on every node, only the pod
    /// of this one counts there.
    pub(super) fn pods(&self, draft: &Draft<'_, '_>, index: ServiceId) -> u64 {
        let workload = &draft.workloads[index];
        match self.ceiling {
            Ceiling::Node(at) => workload.on(at, workload.peak()),
            Ceiling::Together | Ceiling::Budget(_) | Ceiling::Limits(_) => workload.peak(),
        }
    }
}

/// Those that are enough by arithmetic, in their order, then the largest of the others.
pub(super) fn worth_a_try(proposals: Vec<Proposal>, deficit: u64) -> Vec<Proposal> {
    let saving = proposals
        .into_iter()
        .filter(|proposal| proposal.saves > 0 || proposal.way == Way::Raise);
    let (mut enough, mut rest): (Vec<_>, Vec<_>) = saving.partition(|p| p.saves >= deficit);
    rest.sort_by_key(|proposal| std::cmp::Reverse(proposal.saves));
    enough.truncate(MOST);
    rest.truncate(MOST);
    enough.append(&mut rest);
    enough
}

/// A ceiling and a machine are tried up to so many times what arithmetic says.
pub(super) const FURTHEST: u64 = 8;

/// A machine with more memory in the place of a node, as arithmetic says it needs, in bytes.
pub(super) fn larger_machine(draft: &Draft<'_, '_>, at: NodeId, needed: u64) -> Option<Proposal> {
    let node = &draft.program.nodes[at];
    let tail = match draft.on_several_nodes() {
        true => format!(" for `{}`", node.name.value),
        false => String::new(),
    };
    let (now, guess) = (node.memory.value.n / MIB, mib(needed));
    Some(number(
        Way::Machine,
        ("a machine whose MemTotal is ".to_owned(), tail),
        node.memory.origin.span?,
        Unit::Mib,
        [now, guess, guess.saturating_mul(FURTHEST)],
        0,
    ))
}

/// Bytes in whole Mi, rounded up.
pub(super) fn mib(n: u64) -> u64 {
    n.div_ceil(MIB)
}
