//! The changes that errors and some warnings propose, tried: each is applied to the sources, the program is compiled again, and only those
//! that hold are shown, with the number nearest to what the program has. Where none holds by itself, the largest savings
//! are taken one after the other.

mod combined;
mod edited;
mod trial;

use self::combined::combined;
pub(super) use self::trial::Trials;
use self::trial::{Fault, nearest, subject};
use crate::diag::{Diagnostic, Help, Proposal, Way};

/// Whoever has many errors mends the first ones first.
const TRIED: usize = 8;

/// Compilations that are worth a warning.
const OF_WARNINGS: usize = 100;

/// Proposals beyond this many would only be read by nobody.
const SHOWN: usize = 6;

/// Turns what errors propose into helps: those that make their error go away and raise no other. Where there is no error,
/// it is warnings whose proposals are tried, and those must not raise an error either.
pub(super) fn keep_those_that_hold(trials: Trials<'_>, diagnostics: &mut [Diagnostic]) {
    let fails = diagnostics.iter().any(Diagnostic::is_error);
    let counts = if fails {
        Diagnostic::is_error
    } else {
        proposes
    };
    let faults = diagnostics.iter().filter(|found| counts(found));
    let trials = trials.of(faults.map(Fault::of).collect(), counts);
    let trials = if fails {
        trials
    } else {
        trials.at_most(OF_WARNINGS)
    };
    let mut tried = 0;
    for diagnostic in diagnostics.iter_mut().filter(|found| counts(found)) {
        let untried = diagnostic.helps.iter().any(|help| !help.edits.is_empty());
        if !untried && diagnostic.proposals.is_empty() {
            continue;
        }
        tried += 1;
        let proposals = std::mem::take(&mut diagnostic.proposals);
        if tried > TRIED {
            diagnostic.helps.retain(|help| help.edits.is_empty());
            continue;
        }
        let own = subject(diagnostic);
        diagnostic
            .helps
            .retain(|help| help.edits.is_empty() || trials.hold(&help.edits, &own));
        let helps = helps(&trials, &proposals, &own);
        diagnostic.helps.extend(helps);
        if diagnostic.helps.is_empty() {
            diagnostic
                .notes
                .push("no change that bzc knows makes it fit and breaks nothing else".to_owned());
        }
    }
}

/// Leaves out what nobody tried.
pub(super) fn leave_out(diagnostics: &mut [Diagnostic]) {
    for diagnostic in diagnostics {
        diagnostic.proposals.clear();
        diagnostic.helps.retain(|help| help.edits.is_empty());
    }
}

/// Whether something is an error, or a warning with changes that may do away with it.
fn proposes(found: &Diagnostic) -> bool {
    found.is_error() || !found.proposals.is_empty()
}

/// What helps against one error: single changes that hold, and where the program is left as it is meant by none of
/// them, several changes together; a larger machine comes last.
fn helps(trials: &Trials<'_>, proposals: &[Proposal], own: &str) -> Vec<Help> {
    let mut singles: Vec<(bool, Help)> = Vec::new();
    let mut machines = Vec::new();
    for proposal in proposals {
        let Some((n, help)) = single(trials, proposal, own) else {
            continue;
        };
        match proposal.way {
            Way::Machine => machines.push(help),
            Way::Remove => singles.push((true, help)),
            Way::Switch | Way::Raise | Way::Lower => {
                singles.push((is_large(proposal, n), help));
            }
        }
    }
    let mut helps = Vec::new();
    if singles.iter().all(|(is_large, _)| *is_large) {
        helps.extend(combined(trials, proposals, own));
    }
    // What takes much away comes behind what does not.
    singles.sort_by_key(|(is_large, _)| *is_large);
    singles.truncate(SHOWN);
    let singles: Vec<Help> = singles.into_iter().map(|(_, help)| help).collect();
    if !singles.is_empty() {
        helps.retain(|combined| combined.left.is_none());
    }
    singles.into_iter().chain(helps).chain(machines).collect()
}

/// One change, if it holds, with its number.
fn single(trials: &Trials<'_>, proposal: &Proposal, own: &str) -> Option<(Option<u64>, Help)> {
    let n = match &proposal.number {
        Some(number) => {
            let holds = |n| trials.hold(&proposal.with(Some(n)).1, own);
            Some(nearest(number, number.bound, holds)?)
        }
        None => trials.hold(&proposal.with(None).1, own).then_some(None)?,
    };
    let (text, edits) = proposal.with(n);
    let help = Help {
        needs_machine: proposal.way == Way::Machine,
        ..Help::new(text, edits)
    };
    Some((n, help))
}

/// Whether a change leaves less than half of a number.
fn is_large(proposal: &Proposal, n: Option<u64>) -> bool {
    let numbers = proposal.number.as_ref().zip(n);
    numbers.is_some_and(|(number, n)| n < number.now && n.saturating_mul(2) < number.now)
}
