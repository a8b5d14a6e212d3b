//! A program to a plan: what is reserved on the node, what each service gets, and whether every promise holds.
//! Afterwards no number is left to decide. What can still fail is a template or a patch, in `render/`.
//!
//! The rules are `spec/06-proof.md`; the arithmetic is in whole bytes.

#![deny(clippy::wildcard_enum_match_arm)]

pub(crate) mod admission;
pub(crate) mod beyond;
mod cluster;
mod errors;
mod excess;
mod expect;
mod fill;
mod fixes;
pub(crate) mod floor;
mod hooks;
mod keep;
pub(crate) mod ledger;
mod limits;
pub(crate) mod model;
mod moments;
mod pack;
mod reserve;
pub(crate) mod resources;
mod room;
pub(crate) mod size;
pub(crate) mod sufficiency;
mod sums;
pub(crate) mod supplies;
mod terms;
mod theorems;
mod tie;
mod words;
mod workload;

use crate::base::id::{ids, numbered};
use crate::base::span::Span;
use crate::diag::Sink;
use crate::program::Program;
use cluster::{Failure, Found};
pub(crate) use errors::limits_together;
use excess::Ceiling;
use model::{Draft, LEAST_LIMIT, NodePlan, Outcome, Placement, Plan, Together, Workload};
use pack::Certificate;
use resources::{Capacity, Dimension};
pub(crate) use room::{Room, headroom, largest_more};
pub(crate) use sums::{budgets, packaged, packaged_asks, services_at_worst};
pub(crate) use terms::component_origin;

/// Decides everything, or reports why it does not fit. `None` if a number is too small for anything to be decided.
/// With `refill` nothing is taken from a lock.
pub(crate) fn plan<'p, 'a>(
    program: &'p Program<'a>,
    refill: bool,
    place: &dyn Fn(Span) -> String,
    sink: &mut Sink,
) -> Option<Outcome<'p, 'a>> {
    let workloads = workloads(program, sink)?;
    Some(match &program.lock {
        None => decide(program, workloads, place, sink),
        Some(lock) => {
            let lock = lock.kept.as_ref().map(|(_, lock)| lock);
            let decide = |workloads, sink: &mut Sink| decide(program, workloads, place, sink);
            keep::decide(program, &workloads, (lock, refill), &decide, sink)
        }
    })
}

/// What is known of all services before a number is chosen out of any range.
fn workloads<'a>(program: &Program<'a>, sink: &mut Sink) -> Option<Vec<Workload<'a>>> {
    let mut workloads: Vec<Workload<'a>> = program
        .services
        .iter()
        .map(|service| workload::workload(program, service, sink))
        .collect();
    for component in program
        .components
        .iter()
        .filter(|component| component.owned)
    {
        let limit = component
            .memory
            .and_then(|(request, limit)| limit.or(Some(request)));
        if let Some(limit) = limit.filter(|limit| limit.value < LEAST_LIMIT) {
            sink.push(errors::component_below_floor(component, limit, LEAST_LIMIT));
        }
    }
    if sink.has_errors() {
        return None;
    }
    hooks::to_their_moments(program, &mut workloads);
    Some(workloads)
}

/// Chooses a number out of every range and judges the promises.
fn decide<'p, 'a>(
    program: &'p Program<'a>,
    mut workloads: Vec<Workload<'a>>,
    place: &dyn Fn(Span) -> String,
    sink: &mut Sink,
) -> Outcome<'p, 'a> {
    let mut nodes: Vec<NodePlan<'a>> = ids(&program.nodes)
        .map(|node| reserve::node(program, &workloads, node))
        .collect();
    let found = match nodes.as_slice() {
        [_] if let Some(apart) = more_than_one(&workloads) => Err(Failure::Nowhere(apart)),
        [_] => size::choose_on_nodes(program, &nodes, &mut workloads)
            .map(|level| Found {
                level,
                placement: Placement::AnyOrder(Vec::new()),
            })
            .map_err(Failure::Over),
        _ => cluster::settle(program, &mut nodes, &mut workloads),
    };
    if found.is_err() {
        cluster::lower(&mut workloads);
    }
    let mut draft = Draft {
        program,
        nodes,
        workloads,
        together: Together::default(),
    };
    sums::settle(&mut draft);
    let found = match found {
        Ok(found) => Some(found),
        Err(failure) => {
            report(&draft, failure, place, sink);
            None
        }
    };
    check_limits(&draft, sink);
    check_counts(&draft, sink);
    for short in supplies::all_short(&draft) {
        let error = errors::over_supply(&draft, &short);
        error.into_iter().for_each(|error| sink.push(error));
    }
    let (Some(Found { level, placement }), false) = (found, sink.has_errors()) else {
        return Outcome::Over(draft);
    };
    let mut plan = Plan {
        budgets: sums::budgets(draft.program, &draft.workloads),
        draft,
        level,
        placement,
        theorems: Vec::new(),
        moves: Vec::new(),
    };
    plan.theorems = theorems::of(&plan);
    admission::report(&plan, sink);
    expect::check(&plan, sink);
    match sink.has_errors() {
        true => Outcome::Over(plan.draft),
        false => Outcome::Fits(plan),
    }
}

fn report(
    draft: &Draft<'_, '_>,
    failure: Failure,
    place: &dyn Fn(Span) -> String,
    sink: &mut Sink,
) {
    match failure {
        Failure::Over(over) => {
            // Limits are checked for themselves, with what they come to.
            for excess in over {
                match excess.ceiling {
                    Ceiling::Limits(_) => {}
                    Ceiling::Node(_) | Ceiling::Together | Ceiling::Budget(_) => {
                        sink.push(errors::over_memory(draft, excess, place));
                    }
                }
            }
        }
        Failure::Nowhere(certificate) => sink.push(errors::nowhere(draft, &certificate)),
        Failure::Lost(node, certificate) => {
            sink.push(errors::lost(draft, node, certificate.as_ref()));
        }
    }
}

/// Pods that may not share a node, where there is but one.
fn more_than_one(workloads: &[Workload<'_>]) -> Option<Certificate> {
    let class = workloads
        .iter()
        .position(|workload| workload.apart && workload.peak() > 1)?;
    Some(Certificate::Apart {
        class,
        count: workloads[class].peak(),
        nodes: 1,
    })
}

/// Limits of what is there at rest are within what there is; and where the program allows more in writing, those of
/// all that may be there at once are within that.
fn check_limits(draft: &Draft<'_, '_>, sink: &mut Sink) {
    for (at, node) in numbered(&draft.nodes) {
        let allowed = sums::allowed(draft.program, node, at);
        let limits = match draft.program.nodes[at].overcommit {
            Some(_) => node.limits.bytes().max(node.at_rest),
            None => node.at_rest,
        };
        // Where no pod takes more than it requests, the error about requests says what is over.
        // Where requests are over by themselves, they are what is to be mended first.
        let requests_fit = draft.on_several_nodes() || node.excess() == 0;
        if limits > allowed && requests_fit && sums::has_gaps(node, at, &draft.workloads) {
            sink.push(errors::over_limits(draft, at, limits, allowed));
        }
    }
}

/// What is counted rather than filled, on one node: every dimension but memory. On several the search counts them.
fn check_counts(draft: &Draft<'_, '_>, sink: &mut Sink) {
    let ([declared], [node]) = (draft.program.nodes.as_slice(), draft.nodes.as_slice()) else {
        return;
    };
    let capacity = Capacity::of_node(declared, node.allocatable());
    for dimension in Dimension::ALL {
        let asked = draft.together.asked[dimension];
        if let Some(has) = capacity[dimension].filter(|has| asked > *has)
            && let Some(error) = errors::over_count(draft, dimension, asked, has)
        {
            sink.push(error);
        }
    }
}
