//! `bzc build` and `bzc diff`: the output folder is surveyed, compared or written, and what is to be run then is said.

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::thread::{self, ScopedJoinHandle};

use bzc::{Analysis, FileChange, Files, Options, Restarts, Session, View, restarts};

use super::args::{Build, Denied, Diff, Format, Inputs};
use super::deny::denial;
use super::generators::Generators;
use super::lock::Lock;
use super::ui::{Ui, err, fail, note, out};
use super::write::{self, Counts, Fate, Survey, Was, WriteError, Written, apply, survey};
use super::{Exit, Input, bug, diff as unified_diff, each_without_errors, report_write};

/// How many names of what restarts a line has for people.
const MOST_NAMED: usize = 12;

/// Shows what `build` would change, or what that would restart.
pub(super) fn diff(diff: &Diff) -> Exit {
    let build = Build {
        inputs: Inputs {
            files: diff.inputs.files.clone(),
            env: diff.inputs.env.clone(),
            offline: diff.inputs.offline,
            report: diff.inputs.report.clone(),
        },
        denied: Denied { what: Vec::new() },
        out: diff.out.clone(),
        check: true,
        diff: !diff.restarts,
        refill: false,
        write_sources: false,
        next: false,
        quiet: false,
    };
    run_all(&build, diff.restarts)
}

/// Compiles programs and writes their outputs, or compares them.
pub(super) fn run(build: &Build) -> Exit {
    run_all(build, false)
}

fn run_all(build: &Build, says_restarts: bool) -> Exit {
    if build.out.is_some() && build.inputs.files.len() > 1 {
        fail("`--out` takes one program at a time", &[]);
        return Exit::Usage;
    }
    let mut folders: Vec<PathBuf> = Vec::new();
    for file in &build.inputs.files {
        let folder = file.parent().map(Path::to_path_buf).unwrap_or_default();
        if folders.contains(&folder) {
            let lines = ["build them one by one, each with its own `--out`".to_owned()];
            fail(
                &format!(
                    "two programs would write the same folder, `{}`",
                    folder.join("out").display()
                ),
                &lines,
            );
            return Exit::Usage;
        }
        folders.push(folder);
    }
    each_without_errors(&build.inputs, build.refill, |input, analysis, view, ui| {
        let one = One {
            build,
            says_restarts,
            input,
            view,
        };
        // The report is verified on another core while files are printed and compared.
        thread::scope(|scope| {
            let verified = scope.spawn(|| view.disagreements_in_bytes());
            one.verified(analysis, verified, ui)
        })
    })
}

/// A program to build.
struct One<'b, 'v, 'a> {
    build: &'b Build,
    /// Whether what would restart is said instead of how files differ.
    says_restarts: bool,
    input: &'b Input,
    view: &'b View<'v, 'a>,
}

impl One<'_, '_, '_> {
    /// Whether a summary is printed.
    fn speaks(&self, ui: &Ui) -> bool {
        ui.for_people() && !self.build.quiet
    }

    /// Builds the program while its report is being verified.
    fn verified(
        &self,
        analysis: &Analysis,
        verified: ScopedJoinHandle<'_, Vec<String>>,
        ui: &Ui,
    ) -> Exit {
        if let Some(files) = self.view.files() {
            return self.run(&files, analysis, verified, ui);
        }
        let denied = denial(&self.build.denied, &self.view.diagnostics, self.view);
        if denied == Exit::Clean && self.speaks(ui) {
            out(&format!(
                "{} declares things for other programs: no node, nothing to build\n",
                self.input.shown
            ));
        }
        denied
    }

    fn run(
        &self,
        files: &Files<'_>,
        analysis: &Analysis,
        verified: ScopedJoinHandle<'_, Vec<String>>,
        ui: &Ui,
    ) -> Exit {
        let (build, input, view) = (self.build, self.input, self.view);
        let folder = build
            .out
            .clone()
            .unwrap_or_else(|| input.disk.folder().join("out"));
        if leads_astray(files, &folder, input.disk.folder()) {
            fail(
                &format!(
                    "patches over a kustomization find it from a folder beside the program, and `{}` is none",
                    folder.display()
                ),
                &["leave `--out` out, or name a folder beside the program".to_owned()],
            );
            return Exit::Usage;
        }
        let survey = survey(&folder, &input.name, files);
        let gone = |_| vec!["the verifier stopped early".to_owned()];
        let disagreements = verified.join().unwrap_or_else(gone);
        if !disagreements.is_empty() {
            return bug::disagrees(&disagreements);
        }
        let denied = denial(&build.denied, &view.diagnostics, view);
        if denied != Exit::Clean {
            return denied;
        }
        let survey = match survey {
            Ok(survey) => survey,
            Err(error) => return report_write(&error),
        };
        let changed_sources = view.changed_sources();
        let sources = Sources::of(input.disk.folder(), analysis.sources(), &changed_sources);
        let lock = Lock::of(input, view.kept());
        if build.diff {
            out(&unified(&survey));
            out(&lock.as_ref().map(Lock::diff).unwrap_or_default());
        }
        if build.diff || build.write_sources {
            out(&sources.diff());
        }
        if self.says_restarts {
            self.restarts(&survey, &sources, ui);
        }
        let generators = Generators::of(&input.disk, view.generators());
        if generators.check_foreign() != Exit::Clean {
            return Exit::Findings;
        }
        if build.check {
            let shown = build.diff || self.says_restarts;
            return check_result(&survey, &folder, shown)
                .max(sources.check_result(shown))
                .max(lock.map_or(Exit::Clean, |lock| lock.check_result(shown)))
                .max(generators.check_result());
        }
        let sources_of_user = sources.files.iter().filter_map(|(path, ..)| path.parent());
        write::sweep(sources_of_user.chain([input.disk.folder()]));
        let rewritten = match self.write(&sources) {
            Ok(rewritten) => rewritten,
            Err(exit) => return exit,
        };
        let (survey, files) = match &rewritten {
            Some(files) => match self::survey(&folder, &input.name, files) {
                Ok(survey) => (survey, files),
                Err(error) => return report_write(&error),
            },
            None => (survey, files),
        };
        let written = build.write_sources.then_some(&sources);
        let after = After::of(self, &survey, written, (&folder, files), ui);
        // With the numbers kept, a run that is stopped behind this makes the same output when it is run again.
        if let Some(Err(error)) = lock.as_ref().map(Lock::write) {
            return report_write(&error);
        }
        match apply(survey) {
            Ok(done) => {
                for kept in &done.kept {
                    note(&format!(
                        "note: `{kept}` is no longer part of the output, but was changed by hand: kept"
                    ));
                }
                if self.speaks(ui) {
                    self.summary(files.len(), done.counts, &folder);
                }
            }
            Err(error) => return report_write(&error),
        }
        if let (true, Some(lock)) = (self.speaks(ui), &lock) {
            lock.tell();
        }
        sources.tell(build.write_sources, self.speaks(ui));
        if let Err(error) = generators.write() {
            return report_write(&error);
        }
        // All steps have them among them.
        if self.speaks(ui) && !build.next {
            generators.tell();
        }
        after.print();
        Exit::Clean
    }

    /// Writes the sources, if they are to be written. What was written has its lines elsewhere, and needs no change any
    /// more: the output is that of the new sources.
    fn write(&self, sources: &Sources<'_>) -> Result<Option<Files<'static>>, Exit> {
        if !self.build.write_sources || sources.files.is_empty() {
            return Ok(None);
        }
        sources.write().map_err(|error| report_write(&error))?;
        again(self.input, self.build).map_err(|faults| {
            fail(
                "the manifests were changed, and with them the program does not compile: the outputs are as they were",
                &faults,
            );
            Exit::Findings
        })
    }

    fn summary(&self, files: usize, counts: Counts, folder: &Path) {
        let mut parts = Vec::new();
        for (n, word) in [
            (counts.new, "new"),
            (counts.changed, "changed"),
            (counts.stale, "removed"),
            (counts.unchanged, "unchanged"),
        ] {
            if n > 0 {
                parts.push(format!("{n} {word}"));
            }
        }
        let shown = folder.strip_prefix(".").unwrap_or(folder);
        out(&format!(
            "{}. {files} files in {}/ ({})\n",
            self.view.summary().unwrap_or_default(),
            shown.display(),
            parts.join(", ")
        ));
    }

    /// Says what starts again if what would be written is applied.
    fn restarts(&self, survey: &Survey<'_>, sources: &Sources<'_>, ui: &Ui) {
        let changes = changes(survey, Some(sources));
        let found = restarted(survey, &changes);
        let home = self.view.namespace().unwrap_or_default();
        if ui.format() == Format::Json {
            let line = found.json(&self.input.shown).unwrap_or_default();
            out(&format!("{line}\n"));
            return;
        }
        let lines = found.lines(home, usize::MAX);
        match lines.is_empty() {
            true => out("nothing restarts\n"),
            false => lines.iter().for_each(|line| out(&format!("{line}\n"))),
        }
    }
}

/// What starts again. Where nothing was built before, nothing was applied either.
fn restarted(survey: &Survey<'_>, changes: &[Changed<'_>]) -> Restarts {
    let mut output = survey.changes.iter();
    match output.any(|change| change.path == "report.json" && change.old.is_none()) {
        true => Restarts::default(),
        false => restarts(file_changes(changes)),
    }
}

/// A file before and after: its path, as [`FileChange`] wants it, and what it had and has.
type Changed<'c> = (String, Option<&'c [u8]>, Option<&'c [u8]>);

/// All that differs: the output, and the manifests that are changed in place.
fn changes<'c>(survey: &'c Survey<'_>, sources: Option<&'c Sources<'c>>) -> Vec<Changed<'c>> {
    let output = survey.changes.iter().filter(|change| {
        // What is left alone and forgotten does not change.
        change.fate != Fate::Kept
    });
    let output = output.map(|change| {
        (
            change.path.clone(),
            change.old.as_deref(),
            change.new.as_deref(),
        )
    });
    let sources = sources.into_iter().flat_map(|sources| {
        let all = sources.names.iter().zip(&sources.files);
        all.map(|(name, (_, old, new))| (format!("adopted/{name}"), Some(*old), Some(*new)))
    });
    output.chain(sources).collect()
}

fn file_changes<'c>(changes: &'c [Changed<'c>]) -> impl Iterator<Item = FileChange<'c>> {
    let change = |(path, old, new): &'c Changed<'c>| FileChange {
        path,
        old: *old,
        new: *new,
    };
    changes.iter().map(change)
}

/// What is said behind the summary: what restarts, and what to run next.
#[derive(Default)]
struct After {
    restarts: Vec<String>,
    next: Vec<String>,
}

impl After {
    /// Next steps are for somebody who looks on, or asked for them: then they are all of them.
    fn of(
        one: &One<'_, '_, '_>,
        survey: &Survey<'_>,
        written: Option<&Sources<'_>>,
        (folder, files): (&Path, &Files<'_>),
        ui: &Ui,
    ) -> After {
        if !one.speaks(ui) {
            return After::default();
        }
        let changes = changes(survey, written);
        let found = restarted(survey, &changes);
        let home = one.view.namespace().unwrap_or_default();
        let program = one.input.disk.folder();
        let mut next = Vec::new();
        if one.build.next || io::stdout().is_terminal() {
            let list: Vec<FileChange<'_>> = file_changes(&changes).collect();
            let changes = (!one.build.next).then_some((list.as_slice(), &found));
            let folder = seen_from(program, folder);
            next = one.view.next(&folder, files, changes);
        }
        if !next.is_empty() && !matches!(program.to_str(), Some("" | ".")) {
            next.insert(
                0,
                format!("cd {}", bzc::shell_word(&program.display().to_string())),
            );
        }
        After {
            restarts: found.lines(home, MOST_NAMED),
            next,
        }
    }

    fn print(self) {
        self.restarts
            .iter()
            .for_each(|line| out(&format!("{line}\n")));
        if !self.next.is_empty() {
            out("next, in this order:\n");
            self.next
                .iter()
                .for_each(|line| out(&format!("  {line}\n")));
        }
    }
}

/// A folder as it is seen from that of the program.
fn seen_from(program: &Path, folder: &Path) -> String {
    let is_here = matches!(program.to_str(), Some("" | "."));
    let below = match is_here {
        true => Some(folder.strip_prefix(".").unwrap_or(folder)),
        false => folder.strip_prefix(program).ok(),
    };
    match below {
        Some(below) => below.display().to_string(),
        None => {
            let whole = folder.canonicalize();
            let whole = whole.unwrap_or_else(|_| folder.to_path_buf());
            whole.display().to_string()
        }
    }
}

/// Whether a kustomization of the output would not find those of the project that it takes.
fn leads_astray(files: &Files<'_>, folder: &Path, program: &Path) -> bool {
    let real = |path: &Path| {
        let path = if path == Path::new("") {
            Path::new(".")
        } else {
            path
        };
        path.canonicalize().ok()
    };
    let is_beside = folder.parent().and_then(real) == real(program);
    let kustomization = files.find("patches/kustomization.yaml");
    let takes_some = kustomization.is_some_and(|at| {
        let mut buffer = String::new();
        let bytes = files.read(at, &mut buffer);
        String::from_utf8_lossy(bytes).contains("\n- ../../")
    });
    takes_some && !is_beside
}

/// What a program compiles to once its sources were written. It must compile as before: else what does not hold.
fn again(input: &Input, build: &Build) -> Result<Option<Files<'static>>, Vec<String>> {
    let options = Options {
        env: build.inputs.env.clone(),
        refill: build.refill,
    };
    let analysis = Session::default().read(&input.disk, &input.name, input.text.clone());
    analysis.view(&input.disk, &options, |view| {
        let disagreements = view.disagreements();
        if !disagreements.is_empty() {
            return Err(disagreements);
        }
        match view.files() {
            Some(files) => Ok(Some(files.all().into())),
            None => Err(view
                .diagnostics
                .iter()
                .filter(|found| found.is_error())
                .map(|found| found.message.clone())
                .collect()),
        }
    })
}

/// Adopted manifests that are to be changed in place.
struct Sources<'c> {
    /// Their paths, as seen from the program.
    names: Vec<&'c str>,
    /// One a name: path, text as it was read, new text.
    files: Vec<(PathBuf, &'c [u8], &'c [u8])>,
}

impl<'c> Sources<'c> {
    fn of(folder: &Path, sources: &'c bzc::SourceMap, files: &'c [bzc::Artifact]) -> Sources<'c> {
        let old = |path: &str| sources.files().iter().find(|file| file.name == path);
        let known = files.iter().filter_map(|(path, new)| {
            let text = old(path)?.text.as_bytes();
            Some((path.as_str(), (folder.join(path), text, new.as_slice())))
        });
        let (names, files) = known.unzip();
        Sources { names, files }
    }

    fn write(&self) -> Result<(), WriteError> {
        let files = self.files.iter().map(|(path, old, new)| Written {
            path,
            was: Was::Content(old),
            content: new,
        });
        write::write_all(&files.collect::<Vec<_>>())
    }

    fn diff(&self) -> String {
        let diffs = self.files.iter().map(|(path, old, new)| {
            let name = path.strip_prefix(".").unwrap_or(path).display().to_string();
            unified_diff(
                &String::from_utf8_lossy(old),
                &String::from_utf8_lossy(new),
                &name,
            )
        });
        diffs.collect()
    }

    fn check_result(&self, shown: bool) -> Exit {
        if self.files.is_empty() {
            return Exit::Clean;
        }
        if !shown {
            let lines: Vec<String> = self
                .files
                .iter()
                .map(|(path, ..)| format!("out of date:     {}", path.display()))
                .collect();
            fail(
                "adopted manifests are not what the program makes of them: run `bzc build --write-sources`",
                &lines,
            );
        }
        Exit::Findings
    }

    fn tell(&self, written: bool, speaks: bool) {
        let manifests = if self.files.len() == 1 {
            "1 manifest".to_owned()
        } else {
            format!("{} manifests", self.files.len())
        };
        match (self.files.is_empty(), written) {
            (true, _) => {}
            (false, true) if speaks => out(&format!("{manifests} changed in place\n")),
            (false, true) => {}
            (false, false) => err(&format!(
                "note: {manifests} would change in place, and until then the proof is of what is not there: `bzc diff` shows how, \
                 `bzc build --write-sources` does it\n"
            )),
        }
    }
}

/// `--check`: reports files that differ from what would be written.
fn check_result(survey: &Survey<'_>, folder: &Path, shown: bool) -> Exit {
    if survey.is_clean() {
        return Exit::Clean;
    }
    if !shown {
        let mut lines = Vec::new();
        for change in &survey.changes {
            lines.push(format!(
                "{} {}",
                fate_word(change.fate),
                folder.join(&change.path).display()
            ));
        }
        fail(
            "the output folder is not what the program compiles to: run `bzc build`",
            &lines,
        );
    }
    Exit::Findings
}

fn fate_word(fate: Fate) -> &'static str {
    match fate {
        Fate::New => "missing:        ",
        Fate::Changed => "out of date:    ",
        Fate::Stale | Fate::Kept => "no longer made: ",
        Fate::Edited => "changed by hand:",
        Fate::Foreign => "not bzc's:      ",
    }
}

/// All changes as a unified diff.
fn unified(survey: &Survey<'_>) -> String {
    let mut text = String::new();
    for change in &survey.changes {
        let old = String::from_utf8_lossy(change.old.as_deref().unwrap_or_default());
        let new = String::from_utf8_lossy(change.new.as_deref().unwrap_or_default());
        text.push_str(&unified_diff(&old, &new, &change.path));
    }
    text
}
