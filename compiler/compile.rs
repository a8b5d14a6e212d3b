//! The pipeline: text, trees, program, plan, files. One call an arrow, a gate between them.

use std::thread;

use crate::backend;
use crate::base::source::{Provenance, SourceMap};
use crate::base::span::Span;
use crate::diag::{Diagnostic, Edit, Help, Sink};
use crate::lint;
use crate::patch::{self, Patched};
use crate::plan;
use crate::plan::model::Plan;
use crate::program::Program;
use crate::sema;
use crate::sema::load::{Loaded, load};
use crate::syntax::ast::File;
use crate::world::{Entry, ReadError, World};

/// What to compile.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The environment, as `--env` names it.
    pub env: Option<String>,
}

/// What became of a program.
#[derive(Debug)]
pub struct Compilation {
    /// The texts, for showing places.
    pub sources: SourceMap,
    /// What there is to say, in order.
    pub diagnostics: Vec<Diagnostic>,
    /// The environments that the program declares.
    pub environments: Vec<String>,
    /// What the caller asked of the plan, if there is one.
    pub output: Option<Output>,
}

impl Compilation {
    /// Whether anything stops output.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// What comes out of a program that holds.
#[derive(Debug)]
pub struct Output {
    /// The files, sorted by path. Empty if only a check was asked for.
    pub files: Vec<backend::Artifact>,
    /// Manifests of the user's own that are to change where they are, sorted by path: only if the user says so.
    pub sources: Vec<backend::Artifact>,
    /// The ledger in a few lines.
    pub summary: String,
    /// The ledger in full or the derivation of a number, where one was wanted.
    pub ledger: String,
}

/// How much of the output is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want<'w> {
    /// Only whether it holds.
    Check,
    /// The ledger, for a terminal of so many columns; and of the files report.json, if it is to be compared.
    Ledger {
        /// What the bars may take.
        columns: usize,
        /// Whether report.json is wanted too.
        with_report: bool,
    },
    /// Where the number of this path comes from.
    Derivation(&'w str),
    /// All files.
    Files,
}

/// A text that was read, or why it cannot be compiled at all.
pub fn decode(name: &str, bytes: Result<Vec<u8>, ReadError>) -> Result<String, Box<Diagnostic>> {
    let bytes = bytes
        .map_err(|why| Diagnostic::error("BZ0001", format!("`{name}` cannot be read: {why}")))
        .map_err(Box::new)?;
    let text = String::from_utf8(bytes)
        .map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let before = &error.as_bytes()[..at];
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            let column = before
                .iter()
                .rev()
                .take_while(|byte| **byte != b'\n')
                .count()
                + 1;
            Diagnostic::error(
                "BZ0002",
                format!("`{name}` is not UTF-8: line {line}, byte {column} of it"),
            )
            .note("bz programs are UTF-8 text; an editor may have saved it in another encoding")
        })
        .map_err(Box::new)?;
    if text.trim_start_matches('\u{feff}').trim().is_empty() {
        let error = Diagnostic::error("BZ0003", format!("`{name}` is empty"));
        return Err(Box::new(
            error.help("`bzc init` writes a program to begin with"),
        ));
    }
    Ok(text)
}

/// Compiles the program `name` with the given text.
pub fn compile(
    world: &dyn World,
    name: &str,
    text: String,
    options: &Options,
    want: Want<'_>,
) -> Compilation {
    let (mut compilation, helps_to_check) = compile_once(world, name, text, options, want);
    if helps_to_check {
        keep_helps_that_hold(world, name, options, &mut compilation);
    }
    compilation
}

/// Compiles the program as it is and in each of its environments: what a check must find. The environments follow
/// with their names.
pub fn compile_all(
    world: &dyn World,
    name: &str,
    text: &str,
) -> (Compilation, Vec<(String, Compilation)>) {
    let check =
        |env: Option<String>| compile(world, name, text.to_owned(), &Options { env }, Want::Check);
    let base = check(None);
    let rest = base
        .environments
        .iter()
        .map(|env| (env.clone(), check(Some(env.clone()))))
        .collect();
    (base, rest)
}

/// Compiles the program and says where one of its numbers comes from (`service.api.memory`).
pub fn derive(
    world: &dyn World,
    name: &str,
    text: String,
    options: &Options,
    path: &str,
) -> (Compilation, Option<String>) {
    let compilation = compile(world, name, text, options, Want::Derivation(path));
    let derivation = compilation
        .output
        .as_ref()
        .map(|output| output.ledger.clone())
        .filter(|text| !text.is_empty());
    (compilation, derivation)
}

/// One pass. The flag says whether an error proposes changes that nobody has tried yet.
fn compile_once(
    world: &dyn World,
    name: &str,
    text: String,
    options: &Options,
    want: Want<'_>,
) -> (Compilation, bool) {
    let mut sink = Sink::default();
    let mut loaded = load(world, name, text, &mut sink);
    if !loaded.braces_pair {
        return (finish(loaded, sink.into_sorted(), None), false);
    }
    let faults_of_syntax = sink.has_errors();
    sema::load_needed(&mut loaded, &mut sink);
    sema::load_manifests(world, &mut loaded, &mut sink);
    let mut output = None;
    let mut to_check = false;
    let mut lints = Vec::new();
    if let Some(program) = sema::analyze(&loaded, options.env.as_deref(), world, &mut sink) {
        let place = |span: Span| loaded.sources.place(span);
        let may_plan = !sink.has_errors() && !faults_of_syntax;
        let plan = if may_plan {
            plan::plan(&program, &place, &mut sink)
        } else {
            None
        };
        to_check = may_plan && sink.has_errors();
        for (span, name, why) in plan
            .as_ref()
            .map(backend::template_faults)
            .unwrap_or_default()
        {
            let message = format!(
                "the template `{name}` cannot be filled: {}",
                why.replace(&format!(" of `{name}`"), "")
            );
            sink.push(Diagnostic::error("BZ7002", message).at(span, "named here"));
        }
        lint::run(&program, plan.as_ref(), &mut lints);
        if let Some(plan) = plan {
            let patched = patch::patch(&plan, &mut sink);
            output = (!sink.has_errors())
                .then(|| describe(&program, &plan, patched, &loaded.sources, want));
        }
    }
    lints.into_iter().for_each(|lint| sink.push(lint));
    let mut found = sink.into_sorted();
    lint::apply_allows(&loaded.files, &loaded.sources, &mut found);
    (finish(loaded, found, output), to_check)
}

fn finish(loaded: Loaded, diagnostics: Vec<Diagnostic>, output: Option<Output>) -> Compilation {
    let environments = sema::environments(&loaded);
    let Loaded {
        sources,
        files,
        manifests,
        ..
    } = loaded;
    drop(manifests);
    free(files);
    Compilation {
        sources,
        diagnostics,
        environments,
        output,
    }
}

/// Frees trees. Those of a large program have a hundred thousand nodes: another core does that while this one goes on.
fn free(files: Vec<File>) {
    const LARGE: usize = 1000;
    if files.iter().map(|file| file.items.len()).sum::<usize>() > LARGE {
        // Where no thread is to be had, the closure and the trees in it are freed here.
        let _ = thread::Builder::new().spawn(move || drop(files));
    }
}

fn describe(
    program: &Program<'_>,
    plan: &Plan<'_, '_>,
    patched: Vec<Patched>,
    sources: &SourceMap,
    want: Want<'_>,
) -> Output {
    Output {
        files: match want {
            Want::Files => backend::emit(plan, &patched),
            Want::Ledger {
                with_report: true, ..
            } => {
                vec![(
                    "report.json".to_owned(),
                    backend::report::json(plan).into_bytes(),
                )]
            }
            Want::Check | Want::Ledger { .. } | Want::Derivation(_) => Vec::new(),
        },
        sources: if want == Want::Files {
            backend::adopted::sources(plan, patched)
        } else {
            Vec::new()
        },
        summary: crate::ledger::summary(program, plan),
        ledger: match want {
            Want::Ledger { columns, .. } => crate::ledger::full(program, plan, sources, columns),
            Want::Derivation(path) => {
                crate::ledger::derivation(program, plan, sources, path).unwrap_or_default()
            }
            Want::Check | Want::Files => String::new(),
        },
    }
}

/// Applies every proposal of every budget error to the source, compiles again, and drops those that do not make
/// their error go away or that raise another.
fn keep_helps_that_hold(
    world: &dyn World,
    name: &str,
    options: &Options,
    compilation: &mut Compilation,
) {
    let errors: Vec<String> = compilation
        .diagnostics
        .iter()
        .filter(|d| d.is_error())
        .map(subject)
        .collect();
    let sources = &compilation.sources;
    // Each trial is a compilation: whoever has many errors mends the first ones first.
    const TRIED: usize = 8;
    let mut tried = 0;
    for diagnostic in &mut compilation.diagnostics {
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
            let Some((world, text)) = edited(world, sources, name, &help.edits) else {
                return false;
            };
            let (after, _) = compile_once(&world, name, text, options, Want::Check);
            let mut left = errors.clone();
            if let Some(at) = left.iter().position(|error| *error == own) {
                left.remove(at);
            }
            after
                .diagnostics
                .iter()
                .filter(|d| d.is_error())
                .map(subject)
                .all(|error| {
                    left.iter()
                        .position(|known| *known == error)
                        .map(|at| left.remove(at))
                        .is_some()
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
}

/// The world and the program's text with edits applied; `None` if one of them is in the standard library.
fn edited<'w>(
    world: &'w dyn World,
    sources: &SourceMap,
    name: &str,
    edits: &[Edit],
) -> Option<(Edited<'w>, String)> {
    let mut files: Vec<(String, String)> = Vec::new();
    // From the last to the first, so that earlier offsets stay right.
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.span));
    for edit in edits {
        let file = sources.file(edit.span.file);
        if file.provenance == Provenance::Library {
            return None;
        }
        if files.iter().all(|(path, _)| *path != file.name) {
            files.push((file.name.clone(), file.text.clone()));
        }
        let (_, content) = files.iter_mut().find(|(path, _)| *path == file.name)?;
        content.replace_range(edit.span.start as usize..edit.span.end as usize, &edit.text);
    }
    // The program is the first of its own sources.
    let own = sources.files().first()?.text.as_str();
    let program = files
        .iter()
        .find(|(path, _)| path == name)
        .map_or(own, |(_, text)| text.as_str())
        .to_owned();
    Some((Edited { world, files }, program))
}
