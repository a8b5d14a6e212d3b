//! `bzc check --fix`: from the findings of a program to its files with those edits made that say the same in bz.
//! Every edit is compiled before it counts; what makes nothing better is left out.

use std::collections::BTreeMap;
use std::ops::Range;

use bzc::{Diagnostic, Edit, Options, Overlay, Provenance, Session};

use super::Input;
use super::world::Disk;

/// Texts by path from the folder of the program on.
type Texts = BTreeMap<String, String>;

/// The disk with some files as they will be.
fn mended<'d>(disk: &'d Disk, texts: &Texts) -> Overlay<'d> {
    let files = texts.iter();
    let files = files.map(|(path, text)| (path.clone(), text.clone().into_bytes()));
    Overlay::new(disk, files.collect())
}

/// A file that edits change.
pub(super) struct Change {
    /// Its path from the folder of the program on.
    pub(super) path: String,
    /// Its text as it is.
    pub(super) old: String,
    /// Its text with the edits made.
    pub(super) new: String,
}

/// How many edits are tried one after the other where they do not help together.
const MOST_BY_THEMSELVES: usize = 64;

/// The errors of a program by the first digit of their codes, then its warnings: edits have to make it less. What an
/// error of syntax kept from being found may be more.
type Measure = [usize; 11];

fn measure(found: &[Diagnostic]) -> Measure {
    let mut measure = [0; 11];
    for one in found {
        let digit = one
            .id
            .strip_prefix("BZ")
            .and_then(|id| id.chars().next()?.to_digit(10));
        measure[digit.map_or(10, |digit| digit as usize)] += 1;
    }
    measure
}

/// An edit of a file of the project.
#[derive(Clone)]
struct FileEdit {
    path: String,
    range: Range<usize>,
    text: String,
}

/// What is found of a program, in the environment that was asked for.
struct Tried {
    measure: Measure,
    /// The edits of each finding that has some, all of them in files of the project.
    sets: Vec<Vec<FileEdit>>,
    /// The texts of the project by path.
    texts: Texts,
}

fn tried(world: &Overlay<'_>, name: &str, options: &Options) -> Option<Tried> {
    let text = world.text(name)?.to_owned();
    let analysis = Session::default()
        .without_proposals()
        .read(world, name, text);
    let found = analysis.view(world, options, |view| view.diagnostics.clone());
    let sources = analysis.sources();
    let edit = |edit: &Edit| {
        let file = sources.file(edit.span.file);
        (file.provenance == Provenance::Project).then(|| FileEdit {
            path: file.name.clone(),
            range: edit.span.start as usize..edit.span.end as usize,
            text: edit.text.clone(),
        })
    };
    let sets = found.iter().filter_map(Diagnostic::certain_edits);
    let project = sources
        .files()
        .iter()
        .filter(|file| file.provenance == Provenance::Project);
    Some(Tried {
        measure: measure(&found),
        sets: sets
            .filter_map(|set| set.iter().map(edit).collect())
            .collect(),
        texts: project
            .map(|file| (file.name.clone(), file.text.to_string()))
            .collect(),
    })
}

/// The texts that edits change. Of those that overlap or touch the later ones are left out.
fn applied(texts: &Texts, sets: &[Vec<FileEdit>]) -> Texts {
    let mut taken: Vec<&FileEdit> = Vec::new();
    for set in sets {
        let is_free = |edit: &FileEdit| {
            let clash = |other: &&FileEdit| {
                other.path == edit.path
                    && other.range.start <= edit.range.end
                    && edit.range.start <= other.range.end
            };
            !taken.iter().any(clash)
        };
        if set.iter().all(is_free) {
            taken.extend(set);
        }
    }
    taken.sort_by_key(|edit| (&edit.path, edit.range.start));
    let mut changed = Texts::new();
    for edit in taken.into_iter().rev() {
        let Some(text) = texts.get(&edit.path) else {
            continue;
        };
        let text = changed
            .entry(edit.path.clone())
            .or_insert_with(|| text.clone());
        text.replace_range(edit.range.clone(), &edit.text);
    }
    changed
}

/// What `--fix` makes of the files of a program.
pub(super) fn changes(input: &Input, options: &Options) -> Vec<Change> {
    let try_them = |texts: &Texts| tried(&mended(&input.disk, texts), &input.name, options);
    let mut now = Texts::from([(input.name.clone(), input.text.clone())]);
    let mut olds = Texts::new();
    while let Some(before) = try_them(&now) {
        for (path, text) in &before.texts {
            olds.entry(path.clone()).or_insert_with(|| text.clone());
        }
        let together = std::iter::once(before.sets.clone());
        let singly = before.sets.iter().take(MOST_BY_THEMSELVES);
        let singly = singly.map(|set| vec![set.clone()]);
        let mut ways = together.chain(singly).filter(|way| !way.is_empty());
        let better = ways.find_map(|way| {
            let mut texts = now.clone();
            texts.extend(applied(&before.texts, &way));
            let helps = try_them(&texts)?.measure < before.measure;
            helps.then_some(texts)
        });
        match better {
            Some(better) => now = better,
            None => break,
        }
    }
    let changed = olds.into_iter().filter_map(|(path, old)| {
        let new = now.get(&path)?.clone();
        (new != old).then_some(Change { path, old, new })
    });
    changed.collect()
}
