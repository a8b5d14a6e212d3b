//! From a program tree to a program that compiles: what the compiler refuses is taken out, and stands in its place as a
//! comment with the compiler's message. What does not fit stays, and the program says by how much and what would help.

use std::collections::{BTreeMap, BTreeSet};

use super::adopt::Adopted;
use super::tree::{Block, Item, Printed, Value, leave_at, left_out, print};
use crate::base::quantity::in_mib;
use crate::base::source::Provenance;
use crate::compile::{Asked, Options, Session};
use crate::diag::Diagnostic;
use crate::fmt::format;
use crate::world::World;

/// How a program is called while it is compiled.
const NAME: &str = "budget.bz";

/// What is to become a program.
#[derive(Debug, Default)]
pub(super) struct Program {
    /// Nodes and K3s.
    pub(super) head: Vec<Item>,
    pub(super) adopted: Adopted,
    pub(super) services: Vec<Item>,
    /// What is left out of no service.
    pub(super) left: Vec<String>,
    /// Whether a configuration says what K3s packages. Otherwise manifests that bring it themselves say so.
    pub(super) is_configured: bool,
    /// What manifests bring themselves, of what K3s packages.
    pub(super) disabled: BTreeSet<&'static str>,
}

/// What K3s packages, as messages call it, and the name that `disable` has for it.
const PACKAGED: [(&str, &str); 5] = [
    ("Traefik", "traefik"),
    ("`coredns`", "coredns"),
    ("`local-path-provisioner`", "local-storage"),
    ("`metrics-server`", "metrics-server"),
    ("`traefik`", "traefik"),
];

/// What of K3s's own a manifest stands for, if that is why it is refused.
fn own_of_k3s(fault: &str) -> Option<&'static str> {
    let is_brought = fault.starts_with("K3s packages ") || fault.ends_with(", for Traefik");
    let packaged = PACKAGED.iter().find(|(said, _)| fault.contains(said));
    packaged.filter(|_| is_brought).map(|(_, name)| *name)
}

/// A program that compiles, or does not fit.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) text: String,
    pub(super) left_out: Vec<String>,
    pub(super) services: usize,
    /// The paths of the manifests that it adopts.
    pub(super) adopted: Vec<String>,
}

impl Program {
    /// All parts, and which of them adopt which files.
    fn items(&self, world: &dyn World) -> (Vec<Item>, BTreeMap<usize, Vec<String>>) {
        let mut items = self.head.clone();
        let mut files = BTreeMap::new();
        for (item, of) in self.adopted.items(world) {
            files.insert(items.len(), of);
            items.push(item);
        }
        items.extend(self.services.iter().cloned());
        items.extend(self.adopted.others());
        let left = self.adopted.left.iter().chain(&self.left).cloned();
        items.extend(left.map(Item::Left));
        (items, files)
    }

    /// Writes down that K3s does not package what the manifests bring. `false` if the program says so already, or if a
    /// configuration says otherwise.
    fn disable(&mut self, name: &'static str) -> bool {
        if self.is_configured || !self.disabled.insert(name) {
            return false;
        }
        let is_k3s = |item: &Item| matches!(item, Item::Block(block) if block.is("k3s"));
        let at = self.head.iter().position(is_k3s);
        let mut block = match at.map(|at| self.head.remove(at)) {
            Some(Item::Block(block)) => block,
            _ => Block::plain("k3s"),
        };
        let is_disable = |item: &Item| matches!(item, Item::Field { key, .. } if key == "disable");
        block.items.retain(|item| !is_disable(item));
        let names = self.disabled.iter().map(|name| Value::word(name));
        let note = "the manifests bring their own, or need its ports";
        block.put_noted("disable", Value::list(names), note);
        self.head.push(Item::Block(block));
        true
    }

    /// Leaves out the part at a path of indices into all parts. `false` if nothing is there to be left out.
    fn leave(&mut self, path: &[usize], files: &BTreeMap<usize, Vec<String>>, why: &str) -> bool {
        let Some((first, rest)) = path.split_first() else {
            return false;
        };
        if let Some(files) = files.get(first) {
            if !rest.is_empty() && self.adopted.forbid_except() {
                return true;
            }
            let gone = files.iter().map(|file| self.adopted.leave(file, why));
            return gone.fold(false, |any, gone| any | gone);
        }
        let behind = self.head.len() + files.len();
        let (list, index) = match (*first < self.head.len(), first.checked_sub(behind)) {
            (true, _) => (&mut self.head, *first),
            (_, Some(index)) if index < self.services.len() => (&mut self.services, index),
            (_, Some(index)) => return self.adopted.forget(index - self.services.len()),
            (_, None) => return false,
        };
        let path: Vec<usize> = std::iter::once(index).chain(rest.iter().copied()).collect();
        let before = left_out(list).len();
        leave_at(list, &path, why);
        left_out(list).len() > before
    }
}

/// What a round of the compiler refuses.
#[derive(Debug, Default)]
struct Refused {
    /// Parts of the program, by the way to them.
    parts: BTreeMap<Vec<usize>, String>,
    /// Manifests, by path: why, and the other manifest that it is about.
    files: BTreeMap<String, (String, Option<String>)>,
    /// One of all reasons.
    any: Option<String>,
}

/// Compiles the program and takes out what is refused, until nothing is.
pub(super) fn settle(mut program: Program, world: &dyn World) -> Settled {
    let session = Session::default();
    loop {
        let (items, files) = program.items(world);
        let printed = print(&items);
        let analysis = session.read(world, NAME, printed.text.clone());
        let found = analysis.findings(world, &Options::default());
        let refused = refused(&found, &printed, |label| {
            let file = analysis.sources().file(label.span.file);
            (
                file.provenance,
                file.name.clone(),
                label.span.start as usize,
            )
        });
        let mut is_less = false;
        program.adopted.begin_round();
        for (path, why) in refused.parts.iter().rev() {
            is_less |= program.leave(path, &files, why);
        }
        let mut disabled = BTreeSet::new();
        for (file, (why, other)) in &refused.files {
            let brought = own_of_k3s(why);
            is_less |= match brought {
                Some(name) if disabled.contains(name) => continue,
                Some(name) if program.disable(name) => disabled.insert(name),
                _ => program.adopted.refuse(file, other.as_deref(), why),
            };
        }
        if let Some(why) = refused.any.as_ref().filter(|_| !is_less) {
            is_less = program.adopted.leave_all(why);
        }
        if !is_less {
            break;
        }
    }
    finish(program, world, &session)
}

/// Sorts what is refused by the part that it is about.
fn refused(
    found: &[Diagnostic],
    printed: &Printed,
    place: impl Fn(&crate::diag::Label) -> (Provenance, String, usize),
) -> Refused {
    let mut refused = Refused::default();
    // If the program does not fit, the user has to decide; any other error is a fault of the import.
    let faults = found
        .iter()
        .filter(|found| found.is_error() && !found.id.starts_with("BZ4"));
    for fault in faults {
        refused.any = Some(fault.message.clone());
        let Some(primary) = &fault.primary else {
            continue;
        };
        let (provenance, name, start) = place(primary);
        let others = fault.secondary.iter().map(&place);
        let other = others
            .filter(|(provenance, other, _)| *provenance == Provenance::Manifest && *other != name)
            .map(|(_, name, _)| name)
            .last();
        let why = fault.message.clone();
        match (provenance, other, printed.at(start)) {
            (Provenance::Manifest, other, _) => {
                refused.files.insert(name, (why, other));
            }
            (Provenance::Project, Some(other), _) => {
                refused.files.insert(other, (why, None));
            }
            (Provenance::Project, None, Some(part)) => {
                refused.parts.insert(part.to_vec(), why);
            }
            (Provenance::Library | Provenance::Project, ..) => {}
        }
    }
    refused
}

/// Says what does not fit, and prints the program.
fn finish(mut program: Program, world: &dyn World, session: &Session) -> Settled {
    let (items, _) = program.items(world);
    let analysis = session.read(world, NAME, print(&items).text);
    let options = Options::default();
    let (found, asked) = analysis.view(world, &options, |view| {
        (view.diagnostics.clone(), view.asked())
    });
    let over = found
        .iter()
        .find(|found| found.is_error() && found.id.starts_with("BZ4"));
    let notes = asked.map(|asked| sums(&asked, over)).unwrap_or_default();
    let at = program.head.len();
    program
        .head
        .splice(at..at, notes.into_iter().map(Item::Note));
    let (items, _) = program.items(world);
    let text = print(&items).text;
    let is_service = |item: &&Item| matches!(item, Item::Block(block) if block.is_workload());
    Settled {
        text: format(&text).unwrap_or(text),
        left_out: left_out(&items),
        services: program.services.iter().filter(is_service).count(),
        adopted: program.adopted.paths(),
    }
}

/// What everything asks for, and what would make it fit.
fn sums(asked: &Asked, over: Option<&Diagnostic>) -> Vec<String> {
    let mut notes = Vec::new();
    let differ = asked.requests != asked.limits;
    if asked.requests > 0 && (differ || over.is_some()) {
        notes.push(format!(
            "The workloads ask for {} in requests and {} in limits; {} can be given to pods.",
            in_mib(asked.requests),
            in_mib(asked.limits),
            in_mib(asked.allocatable)
        ));
    }
    let Some(over) = over else {
        return notes;
    };
    notes.push(format!("It does not fit yet: {}.", over.message));
    let ways = over.helps.iter().filter(|help| help.is_fix());
    let ways: Vec<String> = ways.map(|help| help.text.clone()).collect();
    if !ways.is_empty() {
        notes.push(format!(
            "Any one of these makes it fit (`bzc check` shows them): {}; or give workloads less: a `tier`, or \
             `memory = 32Mi..128Mi` in a rule.",
            ways.join("; ")
        ));
    }
    notes
}
