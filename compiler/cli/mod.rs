//! The command line: arguments to library calls, results to the terminal and the disk. It sees nothing of the
//! compiler that `lib.rs` does not export, and it alone touches the world.

mod args;
mod bug;
mod deny;
mod explain;
mod helm;
mod import;
mod plan;
mod ui;
mod world;
mod write;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::{self, ScopedJoinHandle};

use bzc::{Analysis, Files, Options, Provenance, Session, View, World as _};
use clap::{CommandFactory, Parser};

use args::{Build, Check, Cli, Command, Denied, Fmt, Init, Inputs, Report, Verify};
use deny::denial;
use ui::{Ui, err, fail, out};
use world::{Disk, read, read_stdin};
use write::{Fate, Survey, Was, WriteError, WriteErrorKind, Written, apply, survey};

/// How a command ended. If a command has several results, the largest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Exit {
    Clean = 0,
    Findings = 1,
    Usage = 2,
    Bug = 101,
}

/// Runs one command line.
pub(crate) fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    bug::report_panics(&args);
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, the rest is a mistake.
            let code = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Clean
            };
            let _ = error.print();
            return ExitCode::from(code as u8);
        }
    };
    let exit = match cli.command {
        Command::Build(build) => run_build(&build),
        Command::Check(check) => run_check(&check),
        Command::Plan(plan) => plan::run(&plan),
        Command::Diff(diff) => run_build(&Build {
            inputs: diff.inputs,
            denied: Denied { what: Vec::new() },
            out: diff.out,
            check: true,
            diff: true,
            write_sources: false,
        }),
        Command::Fmt(fmt) => run_fmt(&fmt),
        Command::Explain(explain) => explain::run(&explain),
        Command::Verify(verify) => run_verify(&verify),
        Command::Init(init) => run_init(&init),
        Command::Import(import) => import::run(&import),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "bzc", &mut script);
            out(&String::from_utf8_lossy(&script));
            Exit::Clean
        }
    };
    let exit = match ui::unwritten() {
        None => exit,
        Some(error) => {
            fail(&format!("standard output cannot be written: {error}"), &[]);
            exit.max(Exit::Usage)
        }
    };
    ExitCode::from(exit as u8)
}

/// A program to compile.
struct Input {
    /// Its name in its folder, which outputs use.
    name: String,
    /// Its path as it was given, which messages use.
    shown: String,
    /// The disk from its folder on.
    disk: Disk,
    text: String,
}

/// Reads a program, or reports why it cannot be read.
fn input(path: &Path, ui: &mut Ui) -> Option<Input> {
    let from_stdin = path == Path::new("-");
    let (bytes, name, folder) = if from_stdin {
        (read_stdin(), "<stdin>".to_owned(), Path::new("."))
    } else {
        let name = path.file_name().map_or_else(
            || path.display().to_string(),
            |name| name.to_string_lossy().into_owned(),
        );
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        (read(path), name, folder)
    };
    let called = if from_stdin {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    };
    match bzc::decode(&called, bytes) {
        Ok(text) => {
            let disk = Disk::new(folder.to_path_buf());
            let shown = disk.shown(&name);
            Some(Input {
                name,
                shown,
                disk,
                text,
            })
        }
        Err(diagnostic) => {
            ui.report(&[*diagnostic], &bzc::SourceMap::default());
            None
        }
    }
}

/// Reads every file and hands it to `then`. The largest exit code counts.
fn each_file(
    files: &[PathBuf],
    report: &Report,
    mut then: impl FnMut(&Path, &Input, &mut Ui) -> Exit,
) -> Exit {
    let mut ui = Ui::new(report);
    let mut exit = Exit::Clean;
    for path in files {
        exit = exit.max(match input(path, &mut ui) {
            Some(input) => then(path, &input, &mut ui),
            None => Exit::Usage,
        });
    }
    match ui.finish() {
        Ok(()) => exit,
        Err(error) => exit.max(report_write(&error)),
    }
}

/// Reads every program with all that it uses, in one session.
fn each_program(inputs: &Inputs, mut then: impl FnMut(&Input, &Analysis, &mut Ui) -> Exit) -> Exit {
    let session = Session::default();
    each_file(&inputs.files, &inputs.report, |_, input, ui| {
        input.disk.stay_offline(inputs.offline);
        let analysis = session.read(&input.disk, &input.name, input.text.clone());
        then(input, &analysis, ui)
    })
}

/// Compiles every program, reports what there is to say, and hands those without errors to `then`.
fn each_without_errors(
    inputs: &Inputs,
    then: impl FnMut(&Input, &Analysis, &View<'_, '_>, &mut Ui) -> Exit,
) -> Exit {
    each_planned(inputs, |_, _| {}, then)
}

/// The same, and hands programs with errors to `otherwise`.
fn each_planned(
    inputs: &Inputs,
    mut otherwise: impl FnMut(&View<'_, '_>, &mut Ui),
    mut then: impl FnMut(&Input, &Analysis, &View<'_, '_>, &mut Ui) -> Exit,
) -> Exit {
    let options = Options {
        env: inputs.env.clone(),
    };
    each_program(inputs, |input, analysis, ui| {
        analysis.view(&input.disk, &options, |view| {
            ui.report(&view.diagnostics, analysis.sources());
            if view.has_errors() {
                otherwise(view, ui);
                Exit::Findings
            } else {
                then(input, analysis, view, ui)
            }
        })
    })
}

fn run_check(check: &Check) -> Exit {
    if check.inputs.env.is_none() {
        return check_all(check);
    }
    each_without_errors(&check.inputs, |input, _, view, ui| {
        let disagreements = view.disagreements();
        if !disagreements.is_empty() {
            return bug::disagrees(&disagreements);
        }
        if ui.for_people() {
            out(&proved(input, view, None));
        }
        denial(&check.denied, &view.diagnostics, view)
    })
}

/// The line that `check` prints for a program, or one of its environments, without errors.
fn proved(input: &Input, view: &View<'_, '_>, env: Option<&str>) -> String {
    let within = env.map_or_else(String::new, |env| format!("{env}: "));
    match view.summary() {
        Some(summary) => format!("{within}{summary}\n"),
        None => format!(
            "{} declares things for other programs: no node, nothing to prove\n",
            input.shown
        ),
    }
}

/// Proves every program as it is, and in each of its environments.
fn check_all(check: &Check) -> Exit {
    each_program(&check.inputs, |input, analysis, ui| {
        let mut exit = Exit::Clean;
        let mut reported: Vec<bzc::Diagnostic> = Vec::new();
        let envs = analysis.environments().into_iter().map(Some);
        for env in std::iter::once(None).chain(envs) {
            let options = Options { env: env.clone() };
            analysis.view(&input.disk, &options, |view| {
                // Findings that were reported for the program as it is are not repeated.
                let new = view
                    .diagnostics
                    .iter()
                    .filter(|found| !reported.contains(found));
                let new: Vec<bzc::Diagnostic> = new.cloned().collect();
                if let (Some(env), false) = (&env, new.is_empty()) {
                    ui.heading(&format!("in environment `{env}`:"));
                }
                ui.report(&new, analysis.sources());
                let disagreements = view.disagreements();
                if view.has_errors() {
                    exit = exit.max(Exit::Findings);
                } else if !disagreements.is_empty() {
                    exit = bug::disagrees(&disagreements);
                } else {
                    if ui.for_people() {
                        out(&proved(input, view, env.as_deref()));
                    }
                    exit = exit.max(denial(&check.denied, &new, view));
                }
                if env.is_none() {
                    reported = new;
                }
            });
        }
        exit
    })
}

fn run_build(build: &Build) -> Exit {
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
    each_without_errors(&build.inputs, |input, analysis, view, ui| {
        thread::scope(|scope| {
            // The report is verified on another core while files are printed and compared.
            let verified = scope.spawn(|| view.disagreements_in_bytes());
            build_one(build, (input, analysis, view), verified, ui)
        })
    })
}

/// Builds one program whose report is being verified.
fn build_one(
    build: &Build,
    (input, analysis, view): (&Input, &Analysis, &View<'_, '_>),
    verified: ScopedJoinHandle<'_, Vec<String>>,
    ui: &mut Ui,
) -> Exit {
    let Some(files) = view.files() else {
        let denied = denial(&build.denied, &view.diagnostics, view);
        if denied == Exit::Clean && ui.for_people() {
            out(&format!(
                "{} declares things for other programs: no node, nothing to build\n",
                input.shown
            ));
        }
        return denied;
    };
    let folder = build
        .out
        .clone()
        .unwrap_or_else(|| input.disk.folder().join("out"));
    if leads_astray(&files, &folder, input.disk.folder()) {
        fail(
            &format!(
                "patches over a kustomization find it from a folder beside the program, and `{}` is none",
                folder.display()
            ),
            &["leave `--out` out, or name a folder beside the program".to_owned()],
        );
        return Exit::Usage;
    }
    let survey = survey(&folder, &input.name, &files);
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
    if build.diff {
        out(&unified(&survey));
    }
    if build.diff || build.write_sources {
        out(&sources.diff());
    }
    if build.check {
        return check_result(&survey, &folder, build.diff).max(sources.check_result(build.diff));
    }
    let sources_of_user = sources.0.iter().filter_map(|(path, ..)| path.parent());
    write::sweep(sources_of_user.chain([input.disk.folder()]));
    // What was written has its lines elsewhere, and needs no change any more: the output is that of the new sources.
    let rewritten = match build.write_sources && !sources.0.is_empty() {
        true => match sources.write() {
            Ok(()) => again(input, &build.inputs),
            Err(error) => return report_write(&error),
        },
        false => Ok(None),
    };
    let rewritten = match rewritten {
        Ok(rewritten) => rewritten,
        Err(faults) => {
            fail(
                "the manifests were changed, and with them the program does not compile: the outputs are as they were",
                &faults,
            );
            return Exit::Findings;
        }
    };
    let survey = match &rewritten {
        Some(files) => match self::survey(&folder, &input.name, files) {
            Ok(survey) => survey,
            Err(error) => return report_write(&error),
        },
        None => survey,
    };
    let counts = match apply(survey) {
        Ok(done) => {
            for kept in &done.kept {
                err(&format!(
                    "note: `{kept}` is no longer part of the output, but was changed by hand: kept\n"
                ));
            }
            done.counts
        }
        Err(error) => return report_write(&error),
    };
    if ui.for_people() {
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
        let shown = folder.strip_prefix(".").unwrap_or(&folder);
        let files = files.len();
        out(&format!(
            "{}. {files} files in {}/ ({})\n",
            view.summary().unwrap_or_default(),
            shown.display(),
            parts.join(", ")
        ));
    }
    sources.tell(build.write_sources, ui);
    Exit::Clean
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
fn again(input: &Input, inputs: &Inputs) -> Result<Option<Files<'static>>, Vec<String>> {
    let options = Options {
        env: inputs.env.clone(),
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

/// Adopted manifests that are to be changed in place: path, text as it was read, new text.
struct Sources<'c>(Vec<(PathBuf, &'c [u8], &'c [u8])>);

impl<'c> Sources<'c> {
    fn of(folder: &Path, sources: &'c bzc::SourceMap, files: &'c [bzc::Artifact]) -> Sources<'c> {
        let old = |path: &str| sources.files().iter().find(|file| file.name == path);
        Sources(
            files
                .iter()
                .filter_map(|(path, new)| {
                    Some((
                        folder.join(path),
                        old(path)?.text.as_bytes(),
                        new.as_slice(),
                    ))
                })
                .collect(),
        )
    }

    fn write(&self) -> Result<(), WriteError> {
        let files = self.0.iter().map(|(path, old, new)| Written {
            path,
            was: Was::Content(old),
            content: new,
        });
        write::write_all(&files.collect::<Vec<_>>())
    }

    fn diff(&self) -> String {
        let diffs = self.0.iter().map(|(path, old, new)| {
            let name = path.strip_prefix(".").unwrap_or(path).display().to_string();
            diff(
                &String::from_utf8_lossy(old),
                &String::from_utf8_lossy(new),
                &name,
            )
        });
        diffs.collect()
    }

    fn check_result(&self, shown: bool) -> Exit {
        if self.0.is_empty() {
            return Exit::Clean;
        }
        if !shown {
            let lines: Vec<String> = self
                .0
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

    fn tell(&self, written: bool, ui: &Ui) {
        let manifests = if self.0.len() == 1 {
            "1 manifest".to_owned()
        } else {
            format!("{} manifests", self.0.len())
        };
        match (self.0.is_empty(), written) {
            (true, _) => {}
            (false, true) if ui.for_people() => out(&format!("{manifests} changed in place\n")),
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
        text.push_str(&diff(&old, &new, &change.path));
    }
    text
}

fn diff(old: &str, new: &str, name: &str) -> String {
    let diff = similar::TextDiff::from_lines(old, new);
    diff.unified_diff()
        .context_radius(3)
        .header(&format!("a/{name}"), &format!("b/{name}"))
        .to_string()
}

fn report_write(error: &WriteError) -> Exit {
    fail(&error.message, &error.lines);
    match error.kind {
        WriteErrorKind::Refused => Exit::Findings,
        WriteErrorKind::Usage | WriteErrorKind::Io => Exit::Usage,
    }
}

fn run_fmt(fmt: &Fmt) -> Exit {
    each_file(&fmt.files, &fmt.report, |path, input, ui| {
        let formatted = match bzc::format(&input.text) {
            Ok(formatted) => formatted,
            Err(diagnostics) => {
                let mut sources = bzc::SourceMap::default();
                sources.add(
                    input.name.clone(),
                    input.shown.clone(),
                    input.text.clone(),
                    Provenance::Project,
                );
                ui.report(&diagnostics, &sources);
                return Exit::Findings;
            }
        };
        let to_stdout = path == Path::new("-") && !fmt.check && !fmt.diff;
        if to_stdout {
            out(&formatted);
            return Exit::Clean;
        }
        if formatted == input.text {
            return Exit::Clean;
        }
        if fmt.diff {
            out(&diff(&input.text, &formatted, &path.display().to_string()));
        }
        if fmt.check || fmt.diff {
            if !fmt.diff {
                err(&format!("not formatted: {}\n", path.display()));
            }
            return Exit::Findings;
        }
        let written = write::write_all(&[Written {
            path,
            was: Was::Content(input.text.as_bytes()),
            content: formatted.as_bytes(),
        }]);
        if let Err(error) = written {
            return report_write(&error);
        }
        err(&format!("formatted {}\n", path.display()));
        Exit::Clean
    })
}

/// Re-checks reports, each by itself.
fn run_verify(verify: &Verify) -> Exit {
    let mut exit = Exit::Clean;
    for path in &verify.reports {
        let from_stdin = path == Path::new("-");
        let name = if from_stdin {
            "standard input".to_owned()
        } else {
            path.display().to_string()
        };
        let bytes = if from_stdin { read_stdin() } else { read(path) };
        let verified = match bytes
            .map_err(|why| why.to_string())
            .and_then(|bytes| bzc::verify(&bytes))
        {
            Ok(verified) => verified,
            Err(why) => {
                fail(&format!("`{name}` cannot be verified: {why}"), &[]);
                exit = exit.max(Exit::Usage);
                continue;
            }
        };
        let count = |n: usize, word: &str| {
            if n == 1 {
                format!("1 {word}")
            } else {
                format!("{n} {word}s")
            }
        };
        if verified.faults.is_empty() {
            let (promises, budgets) = (
                count(verified.promises, "promise"),
                count(verified.budgets, "budget"),
            );
            out(&format!(
                "{name}: {promises} and {budgets} re-checked, {} agree\n",
                count(verified.sums, "sum")
            ));
        } else {
            let faults = count(verified.faults.len(), "disagreement");
            fail(
                &format!("`{name}` does not agree with itself: {faults}"),
                &verified.faults,
            );
            exit = exit.max(Exit::Findings);
        }
    }
    exit
}

const STARTER: &str = include_str!("starter.bz");

fn run_init(init: &Init) -> Exit {
    let written = write::write_all(&[Written {
        path: &init.file,
        was: Was::Nothing,
        content: STARTER.as_bytes(),
    }]);
    match written {
        Ok(()) => {
            out(&format!(
                "wrote {0}: put in what your machine has, then run `bzc build {0}`\n",
                init.file.display()
            ));
            Exit::Clean
        }
        Err(error) => report_write(&error),
    }
}
