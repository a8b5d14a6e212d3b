//! The command line: arguments to library calls, results to the terminal and the disk. It sees nothing of the
//! compiler that `lib.rs` does not export, and it alone touches the world.

mod args;
mod bug;
mod build;
mod deny;
mod doctor;
mod explain;
mod generators;
mod helm;
mod import;
mod init;
mod kubectl;
mod plan;
mod ui;
mod world;
mod write;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bzc::{Analysis, Options, Provenance, Session, View, World as _};
use clap::{CommandFactory, Parser};

use args::{Check, Cli, Command, Fmt, Inputs, Report, Verify};
use deny::denial;
use ui::{Ui, err, fail, out};
use world::{Disk, read, read_stdin};
use write::{Was, WriteError, WriteErrorKind, Written};

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
        Command::Build(build) => build::run(&build),
        Command::Check(check) => run_check(&check),
        Command::Plan(plan) => plan::run(&plan),
        Command::Diff(diff) => build::diff(&diff),
        Command::Fmt(fmt) => run_fmt(&fmt),
        Command::Explain(explain) => explain::run(&explain),
        Command::Verify(verify) => run_verify(&verify),
        Command::Init(init) => init::run(&init),
        Command::Import(import) => import::run(&import),
        Command::Doctor(doctor) => doctor::run(&doctor),
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
