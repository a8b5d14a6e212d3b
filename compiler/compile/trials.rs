//! The changes that errors propose, tried: each is applied to the sources, the program is compiled again, and only those
//! that hold are shown.

use std::cmp::Reverse;

use crate::base::source::{Provenance, SourceMap};
use crate::diag::{Diagnostic, Edit, Help};
use crate::world::{Entry, ReadError, World};

/// Each trial is a compilation: whoever has many errors mends the first ones first.
const TRIED: usize = 8;

/// The whole pipeline: what it says of the program with this name and text.
type Compile<'c> = dyn Fn(&dyn World, &str, String) -> Vec<Diagnostic> + 'c;

/// Drops the proposals that do not make their error go away or that raise another.
pub(super) fn keep_those_that_hold(
    sources: &SourceMap,
    world: &dyn World,
    compile: &Compile<'_>,
    diagnostics: &mut [Diagnostic],
) {
    let errors = subjects(diagnostics);
    let mut tried = 0;
    for diagnostic in diagnostics {
        if diagnostic.helps.iter().any(|help| !help.edits.is_empty()) {
            tried += 1;
        }
        if tried > TRIED {
            diagnostic.helps.retain(|help| help.edits.is_empty());
            continue;
        }
        let own = subject(diagnostic);
        let proposed = diagnostic.helps.len();
        diagnostic.helps.retain(|help| {
            if help.edits.is_empty() {
                return true;
            }
            let mut left = errors.clone();
            if let Some(at) = left.iter().position(|error| *error == own) {
                left.remove(at);
            }
            let after = after(sources, world, compile, &help.edits);
            after.is_some_and(|after| {
                after.iter().all(|error| {
                    let known = left.iter().position(|known| known == error);
                    known.map(|at| left.remove(at)).is_some()
                })
            })
        });
        let alone = |help: &Help| help.edits.len() == 1 && !help.needs_machine;
        if diagnostic.helps.iter().any(alone) {
            diagnostic.helps.retain(|help| help.edits.len() < 2);
        }
        if proposed > 0 && diagnostic.helps.is_empty() {
            diagnostic.notes.push(
                "no single change that bzc knows makes it fit and breaks nothing else".to_owned(),
            );
        }
    }
}

/// What the errors are about that are left after some edits. `None` if the edits cannot be made.
fn after(
    sources: &SourceMap,
    world: &dyn World,
    compile: &Compile<'_>,
    edits: &[Edit],
) -> Option<Vec<String>> {
    let world = edited(world, sources, edits)?;
    let program = sources.files().first()?;
    let changed = world.files.iter().find(|(path, _)| *path == program.name);
    let text = changed.map_or(&*program.text, |(_, text)| text).to_owned();
    Some(subjects(&compile(&world, &program.name, text)))
}

/// What all errors are about.
fn subjects(diagnostics: &[Diagnostic]) -> Vec<String> {
    let errors = diagnostics.iter().filter(|found| found.is_error());
    errors.map(subject).collect()
}

/// What an error is about, whatever its numbers are; digits of names between backticks belong to the names.
fn subject(diagnostic: &Diagnostic) -> String {
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

/// A world in which some files have been edited.
struct Edited<'w> {
    world: &'w dyn World,
    files: Vec<(String, String)>,
}

impl World for Edited<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        match self.files.iter().find(|(name, _)| name == path) {
            Some((_, text)) => Ok(text.clone().into_bytes()),
            None => self.world.read(path),
        }
    }

    fn list(&self, folder: &str) -> Result<Vec<Entry>, ReadError> {
        self.world.list(folder)
    }

    fn shown(&self, path: &str) -> String {
        self.world.shown(path)
    }
}

/// The world with edits applied; `None` if one of them is in the standard library.
fn edited<'w>(world: &'w dyn World, sources: &SourceMap, edits: &[Edit]) -> Option<Edited<'w>> {
    let mut files: Vec<(String, String)> = Vec::new();
    // From the last to the first, so that earlier offsets stay right.
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by_key(|edit| Reverse(edit.span));
    for edit in edits {
        let file = sources.file(edit.span.file);
        if file.provenance == Provenance::Library {
            return None;
        }
        if files.iter().all(|(path, _)| *path != file.name) {
            files.push((file.name.clone(), file.text.to_string()));
        }
        let (_, content) = files.iter_mut().find(|(path, _)| *path == file.name)?;
        content.replace_range(edit.span.start as usize..edit.span.end as usize, &edit.text);
    }
    Some(Edited { world, files })
}
