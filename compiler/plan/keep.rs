//! Numbers that stay: what the lock has is kept wherever it still fits, and what has to move moves as little as may be.
//!
//! A number that is kept is a range with one number in it. If that does not fit, numbers are released, as few of them as
//! it takes in the order of [`Keeper::order`]. What is released may shrink and not grow, and what the lock does not have is
//! chosen out of what the others leave. To fit means that there is no error, and that every promise about memory stands
//! as well as it would if all were chosen anew.

use std::cell::OnceCell;
use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::model::{Choice, Move, Outcome, Plan, Promise, Theorem, Verdict, Why, Workload};
use crate::base::id::{Id as _, numbered};
use crate::base::quantity::Bytes;
use crate::diag::Sink;
use crate::lock::Lock;
use crate::program::{Kind, Program, ServiceId};

/// How many released numbers are tried to be kept after all: those that come before the last that was needed may not
/// be needed any more with it, or be under another sum.
const MOST_TRIALS: usize = 64;

/// What may become of the number of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hold {
    /// Any number of its range.
    Free,
    /// This one.
    At(Bytes),
    /// Any number of its range up to this one.
    UpTo(Bytes),
}

/// Chooses numbers out of what ranges workloads have, and judges the promises.
type Decide<'d, 'p, 'a> = dyn Fn(Vec<Workload<'a>>, &mut Sink) -> Outcome<'p, 'a> + 'd;

/// The same as without a lock, with what `lock` has kept as far as it fits, unless all is to be filled anew.
pub(super) fn decide<'p, 'a>(
    program: &'p Program<'a>,
    ranges: &[Workload<'a>],
    (lock, refill): (Option<&Lock>, bool),
    decide: &Decide<'_, 'p, 'a>,
    sink: &mut Sink,
) -> Outcome<'p, 'a> {
    let keeper = Keeper {
        program,
        ranges,
        decide,
        anew: OnceCell::new(),
    };
    let kept: Vec<Hold> = numbered(ranges)
        .map(|(id, range)| keeper.hold(id, range, lock.filter(|_| !refill)))
        .collect();
    let (mut holds, mut why) = (kept, None);
    let mut tried = keeper.attempt(&holds);
    if holds.iter().any(|hold| matches!(hold, Hold::At(_))) {
        why = keeper.misfit(&tried);
        if why.is_some() {
            holds = keeper.settle(&holds);
            tried = keeper.attempt(&holds);
        }
    }
    if let (Outcome::Fits(plan), _) = &tried {
        // The next build finds these numbers in the lock: what it makes of them is made now.
        let chosen = keeper.chosen(plan);
        if chosen != holds
            && let again @ (Outcome::Fits(_), _) = keeper.attempt(&chosen)
        {
            tried = again;
        }
    }
    let (mut outcome, found) = tried;
    sink.append(found);
    if let Outcome::Fits(plan) = &mut outcome {
        keeper.mark(plan);
        plan.moves = keeper.moves(plan, (lock, refill), why);
    }
    outcome
}

/// What is looked at while numbers are kept.
struct Keeper<'k, 'p, 'a> {
    program: &'p Program<'a>,
    /// What is known of the services, with their ranges.
    ranges: &'k [Workload<'a>],
    decide: &'k Decide<'k, 'p, 'a>,
    /// The promises if all numbers are chosen anew; nothing if it does not fit then either.
    anew: OnceCell<Option<Vec<(Promise, Verdict)>>>,
}

impl<'p, 'a> Keeper<'_, 'p, 'a> {
    /// What the lock says of a service: nothing where it has no range, or the number is not in it.
    fn hold(&self, id: ServiceId, range: &Workload<'_>, lock: Option<&Lock>) -> Hold {
        let name = self.program.services[id].name.value;
        match lock.and_then(|lock| lock.number(self.program.env, name)) {
            Some(number) if is_ranged(range) && is_within(range, number) => Hold::At(number),
            Some(_) | None => Hold::Free,
        }
    }

    /// Decides with what is held.
    fn attempt(&self, holds: &[Hold]) -> (Outcome<'p, 'a>, Sink) {
        let mut workloads = self.ranges.to_vec();
        for (workload, hold) in workloads.iter_mut().zip(holds) {
            match *hold {
                Hold::Free => {}
                Hold::At(number) => {
                    (workload.least, workload.request, workload.limit) = (number, number, number);
                }
                Hold::UpTo(number) => workload.limit = number,
            }
        }
        let mut sink = Sink::default();
        let outcome = (self.decide)(workloads, &mut sink);
        (outcome, sink)
    }

    /// Why an attempt does not fit; nothing if it does.
    fn misfit(&self, (outcome, found): &(Outcome<'p, 'a>, Sink)) -> Option<String> {
        match outcome {
            Outcome::Fits(plan) => self.worse(plan),
            Outcome::Over(_) => Some(found.first_error().unwrap_or_default().to_owned()),
        }
    }

    /// The promise that stands worse than it would if all were chosen anew. What a service was seen to need is a matter
    /// of the evidence: the lint `insufficient` says it.
    fn worse(&self, plan: &Plan<'_, '_>) -> Option<String> {
        let is_good = |(_, verdict): &(Promise, Verdict)| {
            matches!(verdict, Verdict::Proved | Verdict::Relaxed)
        };
        let verdicts = about_memory(&plan.theorems);
        if verdicts.iter().all(is_good) {
            return None;
        }
        let anew =
            self.anew.get_or_init(
                || match self.attempt(&vec![Hold::Free; self.ranges.len()]) {
                    (Outcome::Fits(plan), _) => Some(about_memory(&plan.theorems)),
                    (Outcome::Over(_), _) => None,
                },
            );
        let mut both = verdicts.iter().zip(anew.as_ref()?);
        let ((promise, verdict), (_, anew)) =
            both.find(|((_, verdict), (_, anew))| rank(*verdict) > rank(*anew))?;
        Some(format!(
            "{} would be {} and not {}",
            promise.word(),
            verdict.word(),
            anew.word()
        ))
    }

    /// As many kept as fit, of those that do not all fit. None is kept where it does not even fit if all of them shrink.
    fn settle(&self, kept: &[Hold]) -> Vec<Hold> {
        let order = self.order(kept);
        let released = |those: &BTreeSet<ServiceId>| {
            let held = numbered_holds(kept).map(|(id, hold)| match hold {
                Hold::At(number) if those.contains(&id) => Hold::UpTo(number),
                hold @ (Hold::Free | Hold::At(_) | Hold::UpTo(_)) => hold,
            });
            held.collect::<Vec<Hold>>()
        };
        let first = |count: usize| order[..count].iter().copied().collect::<BTreeSet<_>>();
        let fits = |those: &BTreeSet<ServiceId>| {
            let tried = self.attempt(&released(those));
            self.misfit(&tried).is_none()
        };
        // What an `expect` says need not get better with every number that is released, so few are tried before many.
        let (mut least, mut most) = (0, 1.min(order.len()));
        while !fits(&first(most)) {
            if most == order.len() {
                return vec![Hold::Free; kept.len()];
            }
            (least, most) = (most, (2 * most).min(order.len()));
        }
        // `most` of them are enough, and `least` are not.
        while most - least > 1 {
            let middle = least + (most - least) / 2;
            match fits(&first(middle)) {
                true => most = middle,
                false => least = middle,
            }
        }
        let mut those = first(most);
        // The last of them is needed: with one less it did not fit.
        let others = order[..most.saturating_sub(1)].iter().rev();
        for id in others.take(MOST_TRIALS) {
            those.remove(id);
            if !fits(&those) {
                those.insert(*id);
            }
        }
        released(&those)
    }

    /// Those that can shrink: first those of which the program says that they shrink first, StatefulSets last, for a
    /// database that starts again is missed most; among equals those of which all pods together give most.
    fn order(&self, kept: &[Hold]) -> Vec<ServiceId> {
        let gives = numbered_holds(kept).filter_map(|(id, hold)| match hold {
            Hold::At(number) => {
                let (range, service) = (&self.ranges[id], &self.program.services[id]);
                let bytes = (number.n - range.least.n).saturating_mul(range.peak().max(1));
                let turn = match &service.kind {
                    _ if service.shrinks_first => 0,
                    Kind::StatefulSet => 2,
                    Kind::Deployment(_) | Kind::DaemonSet | Kind::Job(_) | Kind::CronJob(..) => 1,
                };
                (bytes > 0).then_some((turn, Reverse(bytes), id))
            }
            Hold::Free | Hold::UpTo(_) => None,
        });
        let mut gives: Vec<(u8, Reverse<u64>, ServiceId)> = gives.collect();
        gives.sort_unstable();
        gives.into_iter().map(|(.., id)| id).collect()
    }

    /// The numbers of a plan, to hold.
    fn chosen(&self, plan: &Plan<'_, '_>) -> Vec<Hold> {
        let both = self.ranges.iter().zip(&plan.workloads);
        both.map(|(range, chosen)| match is_ranged(range) {
            true => Hold::At(chosen.limit),
            false => Hold::Free,
        })
        .collect()
    }

    /// Gives the workloads their ranges back, and says that the numbers are the lock's.
    fn mark(&self, plan: &mut Plan<'_, '_>) {
        plan.level = None;
        for (range, chosen) in self.ranges.iter().zip(&mut plan.draft.workloads) {
            if is_ranged(range) {
                (chosen.least, chosen.choice) = (range.least, Choice::Locked);
            }
        }
    }

    /// What is not as in the lock, by name, and why.
    fn moves(
        &self,
        plan: &Plan<'_, '_>,
        (lock, refill): (Option<&Lock>, bool),
        why: Option<String>,
    ) -> Vec<Move> {
        let mut moves = Vec::new();
        let mut known = BTreeSet::new();
        for (id, range) in numbered(self.ranges) {
            let service = self.program.services[id].name.value;
            let was = lock.and_then(|lock| lock.number(self.program.env, service));
            let is = is_ranged(range).then(|| plan.workloads[id].limit);
            known.insert(service);
            if was == is {
                continue;
            }
            let why = match (was, is) {
                (None, _) => Why::New,
                (Some(_), None) => Why::Written,
                (Some(_), Some(_)) if refill => Why::Refilled,
                (Some(was), Some(_)) if !is_within(range, was) => {
                    Why::Outside(range.least, range.limit)
                }
                (Some(_), Some(_)) => Why::Room(why.clone().unwrap_or_default()),
            };
            let service = service.to_owned();
            moves.push(Move {
                service,
                was,
                is,
                why,
            });
        }
        let all = lock
            .into_iter()
            .flat_map(|lock| lock.numbers(self.program.env));
        let gone = all.filter(|(service, _)| !known.contains(service));
        moves.extend(gone.map(|(service, was)| Move {
            service: service.to_owned(),
            was: Some(was),
            is: None,
            why: Why::Gone,
        }));
        moves.sort_by(|one, other| one.service.cmp(&other.service));
        moves
    }
}

fn numbered_holds(holds: &[Hold]) -> impl Iterator<Item = (ServiceId, Hold)> {
    holds
        .iter()
        .enumerate()
        .map(|(at, hold)| (ServiceId::new(at), *hold))
}

/// Whether a number is chosen out of a range.
fn is_ranged(range: &Workload<'_>) -> bool {
    range.choice == Choice::Level
}

/// Whether a range that nothing was chosen out of yet has a number in it.
fn is_within(range: &Workload<'_>, number: Bytes) -> bool {
    (range.least..=range.limit).contains(&number)
}

/// How the promises stand that the sums of memory decide.
fn about_memory(theorems: &[Theorem<'_>]) -> Vec<(Promise, Verdict)> {
    let about = theorems
        .iter()
        .filter(|one| one.promise != Promise::Sufficiency);
    about.map(|one| (one.promise, one.verdict)).collect()
}

/// The larger, the worse.
fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Proved => 0,
        Verdict::Relaxed => 1,
        Verdict::Assumed => 2,
        Verdict::Unknown => 3,
        Verdict::Refuted => 4,
    }
}
