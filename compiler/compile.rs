//! The pipeline: text, trees, program, plan, texts of others, files. One call an arrow, a gate between them.
//!
//! A [`Session`] keeps the parsed standard library. It reads a program into an [`Analysis`], which owns sources and
//! trees. Everything else is a function of an analysis and is worked out again whenever it is asked for: a [`View`]
//! borrows program and plan from it and lives as long as the closure that is given one.

mod decode;
mod trace;
mod trials;

use std::mem;
use std::sync::{Arc, OnceLock};
use std::thread;

pub use self::decode::decode;
use self::trials::Trials;
use crate::backend::{self, Artifact, Files};
use crate::base::id::numbered;
use crate::base::source::SourceMap;
use crate::base::span::Span;
use crate::diag::{Diagnostic, Sink};
use crate::kept::{Kept, kept};
use crate::ledger;
use crate::lint;
use crate::next;
use crate::plan;
use crate::plan::model::{Draft, NodePlan, Outcome, Plan, Promise, Verdict, Workload};
use crate::program::Program;
use crate::render::{Overlaid, Rendered, overlaid, render};
use crate::restarts::{FileChange, Restarts};
use crate::sema;
pub use crate::sema::Traced;
use crate::sema::load::{Library, Loaded, load};
use crate::syntax::ast::File;
use crate::verify::{agree, verify};
use crate::world::World;

/// What to compile a program for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The environment, as `--env` names it.
    pub env: Option<String>,
    /// Whether numbers are chosen anew that the lock of the program has.
    pub refill: bool,
}

/// What many programs share: the standard library, each module of it parsed once. A clone is the same session.
#[derive(Debug, Clone)]
pub struct Session {
    library: Arc<Library>,
    /// Whether changes that errors and warnings propose are tried, and given.
    proposes: bool,
}

impl Default for Session {
    fn default() -> Session {
        Session {
            library: Arc::new(Library::new()),
            proposes: true,
        }
    }
}

impl Session {
    /// The session for whoever has no use for proposed changes: nothing is compiled again to try them.
    pub fn without_proposals(self) -> Session {
        Session {
            proposes: false,
            ..self
        }
    }

    /// Reads `text`, the program called `name`, with all that it uses and adopts.
    pub fn read(&self, world: &dyn World, name: &str, text: String) -> Analysis {
        let mut faults = Sink::default();
        let mut loaded = load(world, &self.library, name, text, &mut faults);
        // Where braces do not pair, only that is worth telling.
        if loaded.braces_pair {
            sema::load_needed(&self.library, &mut loaded);
            sema::load_manifests(world, &self.library, &mut loaded, &mut faults);
        }
        Analysis {
            session: self.clone(),
            loaded,
            faults,
        }
    }

    /// Compiles the program `name` to its files.
    pub fn compile(
        &self,
        world: &dyn World,
        name: &str,
        text: String,
        options: &Options,
    ) -> Compilation {
        self.compilation(world, name, text, options, |view| view.output())
    }

    /// Finds out whether a program holds, and makes no files: there is no output.
    pub fn check(
        &self,
        world: &dyn World,
        name: &str,
        text: String,
        options: &Options,
    ) -> Compilation {
        self.compilation(world, name, text, options, |_| None)
    }

    fn compilation(
        &self,
        world: &dyn World,
        name: &str,
        text: String,
        options: &Options,
        output: impl FnOnce(&View<'_, '_>) -> Option<Output>,
    ) -> Compilation {
        let mut analysis = self.read(world, name, text);
        let (diagnostics, output) = analysis.view(world, options, |view| {
            (view.diagnostics.clone(), output(view))
        });
        Compilation {
            environments: analysis.environments(),
            sources: mem::take(&mut analysis.loaded.sources),
            diagnostics,
            output,
        }
    }
}

/// Compiles the program `name` with the given text to its files, in a session of its own.
pub fn compile(world: &dyn World, name: &str, text: String, options: &Options) -> Compilation {
    Session::default().compile(world, name, text, options)
}

/// A program as it was read: its texts and trees, with the manifests that it adopts. It can be kept, and looked at any
/// number of times.
#[derive(Debug)]
pub struct Analysis {
    session: Session,
    loaded: Loaded,
    /// What was found while reading.
    faults: Sink,
}

impl Analysis {
    /// The texts, for showing places.
    pub fn sources(&self) -> &SourceMap {
        &self.loaded.sources
    }

    /// The environments that the program declares, sorted.
    pub fn environments(&self) -> Vec<String> {
        sema::environments(&self.loaded)
    }

    /// Analyses and plans, tries what errors propose, and hands what is known to `then`. `world` gives what is read of
    /// the project in addition to its sources: the layouts of images, templates, digests.
    pub fn view<R>(
        &self,
        world: &dyn World,
        options: &Options,
        then: impl FnOnce(&View<'_, '_>) -> R,
    ) -> R {
        self.pass(world, options, None, |mut view| {
            if view.untried && !self.session.proposes {
                trials::leave_out(&mut view.diagnostics);
            } else if view.untried {
                let compile = |world: &dyn World, name: &str, text: String| {
                    let edited = self.session.read(world, name, text);
                    edited.pass(world, options, None, |view| view.diagnostics)
                };
                let services = view.program.map_or(0, |program| program.services.len());
                let trials = Trials::new(self.sources(), world, &compile, services);
                trials::keep_those_that_hold(trials, &mut view.diagnostics);
            }
            then(&view)
        })
    }

    /// What there is to say, in order. What errors propose is not tried.
    pub(crate) fn findings(&self, world: &dyn World, options: &Options) -> Vec<Diagnostic> {
        self.pass(world, options, None, |view| view.diagnostics)
    }

    /// What was given at a place of the sources: by the narrowest field that holds it, or what the name there stands for.
    /// A field that several services share has the path of the first. Mostly it is one thing or nothing.
    pub fn trace(&self, world: &dyn World, options: &Options, at: Span) -> Vec<Traced> {
        self.pass(world, options, Some(at), |view| view.traced)
    }

    /// The whole pipeline behind the trees, once. With `at` it records what was given there.
    fn pass<R>(
        &self,
        world: &dyn World,
        options: &Options,
        at: Option<Span>,
        then: impl FnOnce(View<'_, '_>) -> R,
    ) -> R {
        let (loaded, mut sink) = (&self.loaded, self.faults.clone());
        let (program, mut traced) = match loaded.braces_pair {
            true => sema::analyze(loaded, options.env.as_deref(), world, at, &mut sink),
            false => (None, Vec::new()),
        };
        let may_plan = !sink.has_errors();
        let place = |span: Span| loaded.sources.place(span);
        let sound = program.as_ref().filter(|_| may_plan);
        let outcome =
            sound.and_then(|program| plan::plan(program, options.refill, &place, &mut sink));
        let (plan, draft) = match &outcome {
            Some(Outcome::Fits(plan)) => (Some(plan), Some(&plan.draft)),
            Some(Outcome::Over(draft)) => (None, Some(draft)),
            None => (None, None),
        };
        let is_over = may_plan && sink.has_errors();
        let rendered = plan.and_then(|plan| {
            let mut rendered = render(plan, &mut sink)?;
            rendered.overlaid = overlays(plan, &mut sink)?;
            Some(rendered)
        });
        let mut lints = Vec::new();
        if let Some(program) = &program {
            lint::run(program, plan, &mut lints);
        }
        lints.into_iter().for_each(|lint| sink.push(lint));
        let mut diagnostics = sink.into_sorted();
        if loaded.braces_pair {
            lint::apply_allows(&loaded.files, &loaded.sources, &mut diagnostics);
        }
        let warned = || { diagnostics.iter() }.any(|found| !found.proposals.is_empty());
        let fails = || diagnostics.iter().any(Diagnostic::is_error);
        let untried = is_over || (warned() && !fails());
        if let (true, Some(program), Some(at)) = (traced.is_empty(), &program, at) {
            traced = trace::others(program, at);
        }
        if let Some(plan) = plan {
            for given in &mut traced {
                given.decided = trace::decided(plan, given);
            }
        }
        then(View {
            diagnostics,
            sources: &loaded.sources,
            program: program.as_ref(),
            plan,
            draft,
            rendered,
            report: OnceLock::new(),
            untried,
            traced,
        })
    }
}

/// The objects of the workloads that have patches, with these. `None` if one cannot be applied, which is reported.
fn overlays(plan: &Plan<'_, '_>, sink: &mut Sink) -> Option<Overlaid> {
    let mut overlays = Overlaid::new();
    for (id, service) in numbered(&plan.program.services) {
        if !service.patches.is_empty() {
            let objects = backend::objects_of(plan, id);
            let laid = overlaid(service, objects, sink);
            overlays.extend(laid.map(|laid| (id, laid)));
        }
    }
    (!sink.has_errors()).then_some(overlays)
}

impl Drop for Analysis {
    fn drop(&mut self) {
        free(mem::take(&mut self.loaded.files));
    }
}

/// Frees trees. Those of a large program have a hundred thousand nodes: another core does that while this one goes on.
fn free(files: Vec<Arc<File>>) {
    const LARGE: usize = 1000;
    if files.iter().map(|file| file.items.len()).sum::<usize>() > LARGE {
        // Where no thread is to be had, the closure and the trees in it are freed here.
        let _ = thread::Builder::new().spawn(move || drop(files));
    }
}

/// What is known of a program in one environment. Whatever needs a plan is `None` where an error stops the output, and
/// where the program has no node and so nothing to plan.
#[derive(Debug)]
pub struct View<'v, 'a> {
    /// What there is to say, in order.
    pub diagnostics: Vec<Diagnostic>,
    sources: &'a SourceMap,
    program: Option<&'v Program<'a>>,
    plan: Option<&'v Plan<'v, 'a>>,
    /// The numbers, of a program that does not fit too.
    draft: Option<&'v Draft<'v, 'a>>,
    /// Templates and adopted manifests with the numbers of the plan; none if anything stops the output.
    rendered: Option<Rendered<'v, 'a>>,
    /// The text of report.json, once somebody wanted it.
    report: OnceLock<String>,
    /// Whether an error, or where there is none a warning, proposes changes that nobody has tried yet.
    untried: bool,
    /// What was given at the place that was asked for.
    traced: Vec<Traced>,
}

impl<'v, 'a> View<'v, 'a> {
    /// Whether anything stops the output.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// Program and plan, where nothing stops the output.
    fn sound(&self) -> Option<(&'v Program<'a>, &'v Plan<'v, 'a>)> {
        self.rendered.as_ref()?;
        self.program.zip(self.plan)
    }

    /// The ledger in a few lines.
    pub fn summary(&self) -> Option<String> {
        let (program, plan) = self.sound()?;
        Some(ledger::summary(program, plan))
    }

    /// Where the verifier's arithmetic gives other numbers than the plan states: a bug in bzc. What is written is
    /// verified by its very bytes instead, see [`View::disagreements_in_bytes`].
    pub fn disagreements(&self) -> Vec<String> {
        let report = self.sound().map(|(_, plan)| backend::report::report(plan));
        report.map_or_else(Vec::new, |report| agree(&report).faults)
    }

    /// Where the verifier does not accept the bytes of report.json: a bug in bzc.
    pub fn disagreements_in_bytes(&self) -> Vec<String> {
        let verified = self.report().map(|report| verify(report.as_bytes()));
        match verified {
            Some(Ok(verified)) => verified.faults,
            Some(Err(why)) => vec![why],
            None => Vec::new(),
        }
    }

    /// The names of the promises that are unknown.
    pub fn unknown(&self) -> Vec<&'static str> {
        self.promises(Verdict::Unknown)
    }

    /// The names of the promises that were seen not to hold.
    pub fn refuted(&self) -> Vec<&'static str> {
        self.promises(Verdict::Refuted)
    }

    /// The names of the promises that hold if pods take no more than the program assumes of them.
    pub fn assumed(&self) -> Vec<&'static str> {
        self.promises(Verdict::Assumed)
    }

    fn promises(&self, verdict: Verdict) -> Vec<&'static str> {
        self.sound()
            .map_or_else(Vec::new, |(_, plan)| plan.promises(verdict))
    }

    /// The ledger in full, with bars for a terminal that is `columns` wide.
    pub fn ledger(&self, columns: usize) -> Option<String> {
        let (program, plan) = self.sound()?;
        Some(ledger::full(program, plan, self.sources, columns))
    }

    /// The memory of the nodes of a program that does not fit, with what is over.
    pub fn excess(&self, columns: usize) -> Option<String> {
        let draft = self.draft.filter(|_| self.has_errors())?;
        Some(ledger::memory(draft, self.sources, columns))
    }

    /// Where the number of a path (`service.api.memory`) comes from, of a program that does not fit too. `None` if there is
    /// no such number.
    pub fn derivation(&self, path: &str) -> Option<String> {
        let program = self.program?;
        let found = match (self.plan, self.draft) {
            (Some(plan), _) => ledger::Found::Fits(plan),
            (None, draft) => ledger::Found::Over(draft?),
        };
        ledger::derivation(program, found, self.sources, path)
    }

    /// What the workloads ask for and what there is, of a program that does not fit too.
    pub(crate) fn asked(&self) -> Option<Asked> {
        let draft = self.draft?;
        let sum = |of: &dyn Fn(&Workload<'_>) -> u64| {
            let each = draft
                .workloads
                .iter()
                .map(|one| of(one).saturating_mul(one.replicas));
            each.fold(0, u64::saturating_add)
        };
        let nodes = draft.nodes.iter().map(NodePlan::allocatable);
        Some(Asked {
            requests: sum(&|one| one.pod_request()),
            limits: sum(&|one| one.pod_limit()),
            allocatable: nodes.fold(0, u64::saturating_add),
        })
    }

    /// The text of report.json.
    pub fn report(&self) -> Option<&str> {
        let (_, plan) = self.sound()?;
        Some(self.report.get_or_init(|| backend::report::json(plan)))
    }

    /// All files, most of them to be printed.
    pub fn files(&self) -> Option<Files<'_>> {
        let (_, plan) = self.sound()?;
        let rendered = self.rendered.as_ref()?;
        Some(backend::emit(plan, rendered, &self.report))
    }

    /// What is to be run for the files of the output, in the folder of the program, from where the output folder is `out`:
    /// for what a build changed, with what that restarts, or for all of it. A line is a command of a shell or a comment.
    pub fn next(
        &self,
        out: &str,
        files: &Files<'_>,
        changes: Option<(&[FileChange<'_>], &Restarts)>,
    ) -> Vec<String> {
        let output = next::Output::new(out, files.paths(), changes);
        let known = self.sound().zip(self.rendered.as_ref());
        known.map_or_else(Vec::new, |((_, plan), rendered)| {
            next::next(plan, rendered, &output)
        })
    }

    /// The namespace of the program's own services.
    pub fn namespace(&self) -> Option<&'a str> {
        self.program.map(|program| program.namespace.value)
    }

    /// Manifests of the user's own that are to change where they are, sorted by path: only if the user says so.
    pub fn changed_sources(&self) -> Vec<Artifact> {
        let changed = self.sound().zip(self.rendered.as_ref());
        changed.map_or_else(Vec::new, |((_, plan), rendered)| {
            backend::adopted::sources(plan, &rendered.manifests)
        })
    }

    /// The lock of the program as it is to be, where it has one.
    pub fn kept(&self) -> Option<Kept> {
        let (program, plan) = self.sound()?;
        kept(program, plan)
    }

    /// Kustomizations that make Secrets of files of the project, by their paths from the folder of the program. They stand
    /// beside those files, outside of the output.
    pub fn generators(&self) -> Vec<Artifact> {
        self.sound()
            .map_or_else(Vec::new, |(_, plan)| backend::generators(plan))
    }

    /// All that comes out of it.
    pub fn output(&self) -> Option<Output> {
        Some(Output {
            files: self.files()?.all(),
            sources: self.changed_sources(),
            generators: self.generators(),
            summary: self.summary()?,
            disagreements: self.disagreements_in_bytes(),
        })
    }
}

/// What all workloads of a program ask for while nothing is rolled out, and what the nodes can give, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) requests: u64,
    pub(crate) limits: u64,
    pub(crate) allocatable: u64,
}

/// The names of all promises.
pub fn promises() -> impl Iterator<Item = &'static str> {
    Promise::ALL.into_iter().map(Promise::word)
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
    /// What comes out of it, if nothing stops that and the program has a node.
    pub output: Option<Output>,
}

impl Compilation {
    /// Whether anything stops the output.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// What comes out of a program that holds.
#[derive(Debug)]
pub struct Output {
    /// The files, sorted by path.
    pub files: Vec<Artifact>,
    /// [`View::changed_sources`].
    pub sources: Vec<Artifact>,
    /// [`View::generators`].
    pub generators: Vec<Artifact>,
    /// The ledger in a few lines.
    pub summary: String,
    /// [`View::disagreements_in_bytes`].
    pub disagreements: Vec<String>,
}
