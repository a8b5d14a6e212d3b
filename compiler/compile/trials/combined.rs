//! Several changes one after the other, where none helps by itself: each time what saves most of that which takes least
//! away, until the program fits or nothing saves any more.

use super::edited::followed_by;
use super::trial::{Fault, Trials, nearest, subject};
use crate::diag::{Edit, Help, Proposal, Way};

/// A list of more changes would only be read by nobody.
const MOST_STEPS: usize = 6;

/// Of each kind of change so many are tried at a step.
const TRIED_AT_ONCE: usize = 6;

/// Kinds of change, those first that take least away.
const STAGES: [Stage; 5] = [
    Stage(Way::Switch, Reach::Whole),
    Stage(Way::Raise, Reach::Whole),
    Stage(Way::Lower, Reach::Half),
    Stage(Way::Lower, Reach::Whole),
    Stage(Way::Remove, Reach::Whole),
];

#[derive(Clone, Copy)]
struct Stage(Way, Reach);

/// How far a number may go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// To half of what it was.
    Half,
    /// As far as it may.
    Whole,
}

/// What has been changed so far, and what is left.
struct State {
    edits: Vec<Edit>,
    steps: Vec<(String, String)>,
    faults: Vec<Fault>,
    proposals: Vec<Proposal>,
}

/// How far from fitting: requests that are over, what is counted, pods without room, limits that are over, what the
/// program expects. Those behind are looked for only where those before are no more.
fn distance(faults: &[Fault]) -> [u128; 5] {
    let mut distance = [0; 5];
    for fault in faults {
        let at = match fault.id {
            "BZ4001" => 0,
            "BZ4007" | "BZ4008" => 2,
            "BZ4006" | "BZ4009" | "limits-together" => 3,
            "BZ4005" => 4,
            _ => 1,
        };
        distance[at] += u128::from(fault.over.unwrap_or(0)) + 1;
    }
    distance
}

/// Several changes together, which hold or leave the least that bzc knows.
pub(super) fn combined(trials: &Trials<'_>, proposals: &[Proposal], own: &str) -> Option<Help> {
    let mut state = State {
        edits: Vec::new(),
        steps: Vec::new(),
        faults: trials.errors().to_vec(),
        proposals: proposals.to_vec(),
    };
    let mut holds = false;
    while !holds && state.steps.len() < MOST_STEPS {
        let Some(held) = step(trials, &mut state, own) else {
            break;
        };
        holds = held;
    }
    // One change by itself was tried already.
    if state.steps.is_empty() || (holds && state.steps.len() == 1) {
        return None;
    }
    let texts: Vec<&str> = state.steps.iter().map(|(text, _)| text.as_str()).collect();
    let left = (!holds)
        .then(|| state.steps.last().map(|(_, left)| left.clone()))
        .flatten();
    let steps = state.steps.iter().map(|(text, left)| match left.as_str() {
        "" => text.clone(),
        left => format!("{text}: {left}"),
    });
    Some(Help {
        steps: steps.collect(),
        left,
        ..Help::new(texts.join(", and "), state.edits)
    })
}

/// The change that saves most of that which takes least away, made: whether the program holds then. `None` if there is
/// no such change.
fn step(trials: &Trials<'_>, state: &mut State, own: &str) -> Option<bool> {
    for Stage(way, reach) in STAGES {
        let of_stage = state
            .proposals
            .iter()
            .filter(|proposal| proposal.way == way);
        let mut of_stage: Vec<Proposal> = of_stage.cloned().collect();
        of_stage.sort_by_key(|proposal| std::cmp::Reverse(proposal.saves));
        for proposal in of_stage.iter().take(TRIED_AT_ONCE) {
            if let Some(holds) = taken(trials, state, proposal, reach, own) {
                return Some(holds);
            }
        }
    }
    None
}

/// Makes a change if it brings the program nearer to fitting: whether it holds then.
fn taken(
    trials: &Trials<'_>,
    state: &mut State,
    proposal: &Proposal,
    reach: Reach,
    own: &str,
) -> Option<bool> {
    let edits = |n| followed_by(&state.edits, proposal.with(n).1);
    let holds = |n| edits(Some(n)).is_some_and(|edits| trials.hold(&edits, own));
    let furthest = match (&proposal.number, reach) {
        (Some(number), Reach::Half) => Some(number.bound.max(number.now.div_ceil(2))),
        (Some(number), Reach::Whole) => Some(number.bound),
        (None, Reach::Half) => return None,
        (None, Reach::Whole) => None,
    };
    // What is allowed more is not saved: it is enough, or does away with what is over at least.
    let nearest_that = |bound, holds: &dyn Fn(u64) -> bool| {
        let number = proposal.number.as_ref()?;
        nearest(number, bound, holds)
    };
    let gone = |n| {
        let after = edits(Some(n)).and_then(|edits| trials.after(&edits));
        after.is_some_and(|after| !after.iter().any(|error| subject(error) == own))
    };
    let first = match proposal.way {
        Way::Raise => {
            let enough = nearest_that(furthest?, &holds);
            Some(enough.or_else(|| nearest_that(furthest?, &gone))?)
        }
        Way::Switch | Way::Lower | Way::Remove | Way::Machine => furthest,
    };
    let after = trials.after(&edits(first)?)?;
    let fits = trials.are_fewer(&after, own);
    let faults: Vec<Fault> = after.iter().map(Fault::of).collect();
    let known = |fault: &Fault| {
        let of_fitting = ["BZ4001", "BZ4005", "BZ4006", "BZ4007", "BZ4008", "BZ4009"];
        of_fitting.contains(&fault.id) || trials.errors().iter().any(|known| known.id == fault.id)
    };
    // What is over first may hide something else that is over further: to be rid of it is a step all the same.
    let has_own = |faults: &[Fault]| faults.iter().any(|fault| fault.subject == own);
    let is_mended = has_own(&state.faults) && !has_own(&faults);
    let is_nearer = is_mended || distance(&faults) < distance(&state.faults);
    if !fits && (!is_nearer || !faults.iter().all(known)) {
        return None;
    }
    let n = match (fits, furthest) {
        (true, Some(bound)) => Some(nearest_that(bound, &holds).unwrap_or(bound)),
        _ => first,
    };
    let is_new = |fault: &&Fault| trials.errors().iter().all(|e| e.subject != fault.subject);
    let same = faults.iter().find(|fault| fault.subject == own);
    let left = match (fits, same) {
        (true, _) => String::new(),
        (false, Some(same)) => same.left(),
        (false, None) => {
            let next = faults.iter().find(is_new).or(faults.first());
            next.map_or_else(String::new, |next| format!("then {}", next.message))
        }
    };
    let edits = edits(n)?;
    state.edits = edits;
    state.steps.push((proposal.with(n).0, left));
    state.faults = faults;
    let mut after = after;
    let place = |of: &dyn Fn(&Fault) -> bool| state.faults.iter().position(of);
    let same = place(&|fault| fault.subject == own);
    let next = same.or_else(|| place(&|fault| is_new(&fault))).unwrap_or(0);
    state.proposals = match after.get_mut(next) {
        Some(error) => std::mem::take(&mut error.proposals),
        None => Vec::new(),
    };
    Some(fits)
}
