//! One trial after the other: sources with some edits are compiled, and what the compiler says then is looked at.

use std::cell::Cell;

use super::edited::edited;
use crate::base::quantity::MIB;
use crate::base::source::SourceMap;
use crate::diag::{Diagnostic, Edit, Number};
use crate::world::World;

/// Each trial is a compilation. A program of a few services may have this many for all of its errors, one of many
/// services as many fewer as each takes longer; but never fewer than the least.
const TRIALS: usize = 1000;
const FEWEST_TRIALS: usize = 60;
const FEW_SERVICES: usize = 20;

/// Compiles a program of this name and text in a world, to what there is to say.
pub(crate) type Compile<'c> = dyn Fn(&dyn World, &str, String) -> Vec<Diagnostic> + 'c;

/// What trials of one program have in common.
pub(crate) struct Trials<'t> {
    sources: &'t SourceMap,
    world: &'t dyn World,
    compile: &'t Compile<'t>,
    /// The errors of the program as it is, or the warnings where it has none.
    errors: Vec<Fault>,
    /// What of all that is said counts as a fault.
    counts: fn(&Diagnostic) -> bool,
    /// How many more compilations there may be.
    left: Cell<usize>,
}

impl<'t> Trials<'t> {
    /// Trials of a program of so many services.
    pub(crate) fn new(
        sources: &'t SourceMap,
        world: &'t dyn World,
        compile: &'t Compile<'t>,
        services: usize,
    ) -> Trials<'t> {
        let trials = TRIALS * FEW_SERVICES / services.max(FEW_SERVICES);
        Trials {
            sources,
            world,
            compile,
            errors: Vec::new(),
            counts: Diagnostic::is_error,
            left: Cell::new(trials.max(FEWEST_TRIALS)),
        }
    }

    /// The same, of a program with these errors, or warnings, which `counts` knows.
    pub(super) fn of(self, errors: Vec<Fault>, counts: fn(&Diagnostic) -> bool) -> Trials<'t> {
        Trials {
            errors,
            counts,
            ..self
        }
    }

    /// The same, with no more compilations than these.
    pub(super) fn at_most(self, trials: usize) -> Trials<'t> {
        self.left.set(self.left.get().min(trials));
        self
    }

    /// The errors of the program as it is.
    pub(super) fn errors(&self) -> &[Fault] {
        &self.errors
    }

    /// Whether edits make an error go away and raise no other.
    pub(super) fn hold(&self, edits: &[Edit], own: &str) -> bool {
        let after = self.after(edits);
        after.is_some_and(|after| self.are_fewer(&after, own))
    }

    /// Whether errors are those of the program without one of them.
    pub(super) fn are_fewer(&self, after: &[Diagnostic], own: &str) -> bool {
        let mut left: Vec<&str> = self.errors.iter().map(|e| e.subject.as_str()).collect();
        if let Some(at) = left.iter().position(|error| *error == own) {
            left.remove(at);
        }
        after.iter().map(subject).all(|error| {
            let known = left.iter().position(|known| *known == error);
            known.map(|at| left.remove(at)).is_some()
        })
    }

    /// The errors that are left after some edits. `None` if the edits cannot be made, or were too many trials.
    pub(super) fn after(&self, edits: &[Edit]) -> Option<Vec<Diagnostic>> {
        self.left.set(self.left.get().checked_sub(1)?);
        let world = edited(self.world, self.sources, edits)?;
        let program = self.sources.files().first()?;
        let text = world.text(&program.name).unwrap_or(&program.text);
        let mut found = (self.compile)(&world, &program.name, text.to_owned());
        found.retain(self.counts);
        Some(found)
    }
}

/// What counts of an error.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    pub(super) id: &'static str,
    /// What it is about.
    pub(super) subject: String,
    pub(super) over: Option<u64>,
    pub(super) message: String,
}

impl Fault {
    /// The error of a diagnostic.
    pub(super) fn of(diagnostic: &Diagnostic) -> Fault {
        Fault {
            id: diagnostic.id,
            subject: subject(diagnostic),
            over: diagnostic.over,
            message: diagnostic.message.clone(),
        }
    }

    /// By how much it is still over, in few words.
    pub(super) fn left(&self) -> String {
        match (self.id, self.over) {
            ("BZ4001" | "BZ4005" | "BZ4006" | "BZ4009" | "limits-together", Some(bytes)) => {
                format!("{}Mi to go", bytes.div_ceil(MIB))
            }
            ("BZ4004", Some(milli)) => format!("{milli}m to go"),
            ("BZ4003", Some(pods)) => format!("{pods} pods to go"),
            _ => format!("then {}", self.message),
        }
    }
}

/// The number nearest to what the program has that `holds`, no further away than `bound`. The way there is searched from
/// what arithmetic says, in steps that double, and then halved: its neighbour on the near side does not hold.
pub(super) fn nearest(number: &Number, bound: u64, holds: impl Fn(u64) -> bool) -> Option<u64> {
    let lowers = bound < number.now;
    let far = number.now.abs_diff(bound);
    // By how much the number is changed.
    let at = |distance: u64| match lowers {
        true => number.now - distance,
        false => number.now + distance,
    };
    let towards = |n: u64| {
        if lowers {
            number.now.saturating_sub(n)
        } else {
            n.saturating_sub(number.now)
        }
    };
    let guess = towards(number.guess).clamp(1, far.max(1));
    if far == 0 {
        return None;
    }
    let (mut bad, mut good, mut step) = (0, guess, 1);
    if holds(at(guess)) {
        while good - bad > 1 {
            let next = good.saturating_sub(step).max(bad + 1);
            match holds(at(next)) {
                true => good = next,
                false => bad = next,
            }
            if bad > 0 {
                break;
            }
            step *= 2;
        }
    } else if guess == far || !holds(at(far)) {
        return None;
    } else {
        bad = guess;
        loop {
            let next = bad.saturating_add(step).min(far);
            if next == far || holds(at(next)) {
                good = next;
                break;
            }
            bad = next;
            step *= 2;
        }
    }
    while good - bad > 1 {
        let middle = bad + (good - bad) / 2;
        match holds(at(middle)) {
            true => good = middle,
            false => bad = middle,
        }
    }
    Some(at(good))
}

/// What an error is about, whatever its numbers are; digits of names between backticks belong to the names.
pub(super) fn subject(diagnostic: &Diagnostic) -> String {
    let mut subject = diagnostic.id.to_owned();
    for (index, part) in diagnostic.message.split('`').enumerate() {
        subject.push('`');
        let named = index % 2 == 1;
        subject.extend(
            part.chars()
                .filter(|c| named || !(c.is_ascii_digit() || *c == '.')),
        );
    }
    subject
}
