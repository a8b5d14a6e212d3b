//! The lock of a program as a build leaves it, and what to say of numbers that moved.

use std::collections::BTreeMap;

use crate::base::text::few;
use crate::lock::Lock;
use crate::plan::model::{Choice, Move, Plan, Why};
use crate::program::{Locked, Program};

/// The lock of a program: a file that is committed beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its path from the folder of the program.
    pub path: String,
    /// What is there; `None` before the first build.
    pub old: Option<Vec<u8>>,
    /// What is to be there.
    pub new: Vec<u8>,
    moves: Vec<Move>,
    /// Environments that it had numbers for and that are not declared any more.
    gone: Vec<String>,
}

/// The lock of a plan, if the program has one.
pub(crate) fn kept(program: &Program<'_>, plan: &Plan<'_, '_>) -> Option<Kept> {
    let locked: &Locked<'_> = program.lock.as_ref()?;
    let services = program.services.iter().zip(&plan.workloads);
    let chosen = services.filter(|(_, workload)| workload.choice == Choice::Locked);
    let numbers: BTreeMap<_, _> = chosen
        .map(|(service, workload)| (service.name.value.to_owned(), workload.limit))
        .collect();
    let none = Lock::default();
    let before = locked.kept.as_ref().map_or(&none, |(_, lock)| lock);
    let after = before.with(program.env, numbers, &locked.environments);
    let gone = before.environments();
    let gone = gone.filter(|env| !locked.environments.contains(env));
    let new = match &locked.kept {
        // The order of lines and their ends are whatever git made of them.
        Some((bytes, lock)) if *lock == after => bytes.clone(),
        _ => after.to_string().into_bytes(),
    };
    Some(Kept {
        path: locked.path.clone(),
        old: locked.kept.as_ref().map(|(bytes, _)| bytes.clone()),
        new,
        moves: plan.moves.clone(),
        gone: gone.map(str::to_owned).collect(),
    })
}

impl Kept {
    /// Whether it stays as it is.
    pub fn is_same(&self) -> bool {
        self.old.as_ref() == Some(&self.new)
    }

    /// Which numbers are not as they were and why, a line each reason, for people. No more than `most` are named in a line.
    pub fn lines(&self, most: usize) -> Vec<String> {
        let path = &self.path;
        if self.old.is_none() {
            let count = match self.moves.len() {
                1 => "1 number".to_owned(),
                count => format!("{count} numbers"),
            };
            return vec![format!("{path} is new, with {count}: commit it")];
        }
        let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
        for one in &self.moves {
            let (why, what) = (reason(&one.why), moved(one));
            match reasons.iter_mut().find(|(known, _)| *known == why) {
                Some((_, whats)) => whats.push(what),
                None => reasons.push((why, vec![what])),
            }
        }
        if !self.gone.is_empty() {
            let why = "no environment any more".to_owned();
            reasons.push((why, self.gone.clone()));
        }
        let line =
            |(why, whats): (String, Vec<String>)| format!("{path}: {}, {why}", few(&whats, most));
        reasons.into_iter().map(line).collect()
    }
}

fn reason(why: &Why) -> String {
    match why {
        Why::New => "new".to_owned(),
        Why::Refilled => "chosen anew".to_owned(),
        Why::Gone => "gone with the service".to_owned(),
        Why::Written => "no range any more".to_owned(),
        Why::Outside(least, most) => format!("for the range is {least}..{most} now"),
        Why::Room(why) => format!("for with all numbers kept {why}"),
    }
}

fn moved(one: &Move) -> String {
    let service = &one.service;
    match (one.was, one.is) {
        (Some(was), Some(is)) => format!("{service} {was} -> {is}"),
        (None, Some(is)) => format!("{service} {is}"),
        (Some(was), None) => format!("{service} (was {was})"),
        (None, None) => service.clone(),
    }
}
