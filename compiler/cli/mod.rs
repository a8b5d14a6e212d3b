//! The command line: arguments to library calls, results to the terminal and the disk. It sees nothing of the
//! compiler that `lib.rs` does not export, and it alone touches the world.

mod args;
mod bug;
mod build;
mod candidates;
mod check;
mod comment;
mod complete;
mod deny;
mod doctor;
mod explain;
mod fix;
mod fmt;
mod generators;
mod helm;
mod import;
mod init;
mod kubectl;
mod lock;
mod paths;
mod plan;
mod prove;
mod ui;
mod watch;
mod world;
mod write;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bzc::{Analysis, Options, Session, View, World as _};
use clap::Parser;

use args::{Cli, Command, Diff, Format, Inputs, Report, Verify};
use ui::{Ui, fail, out};
use world::{Disk, read, read_stdin};
use write::{WriteError, WriteErrorKind};

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
    complete::answer();
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
        Command::Check(check) => check::run(&check),
        Command::Plan(plan) => plan::run(&plan),
        Command::Diff(Diff {
            earlier: Some(earlier),
            inputs,
            ..
        }) => comment::run(&inputs, &earlier),
        Command::Diff(diff) => build::diff(&diff),
        Command::Fmt(fmt) => fmt::run(&fmt),
        Command::Explain(explain) => explain::run(&explain),
        Command::Verify(verify) => run_verify(&verify),
        Command::Init(init) => init::run(&init),
        Command::Import(import) => import::run(&import),
        Command::Doctor(doctor) => doctor::run(&doctor),
        Command::Completions { shell } => complete::script(shell),
        Command::Man { folder } => complete::manual(&folder),
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
    if report.format == Format::Markdown {
        fail(
            "`--format markdown` is the form of `bzc diff --report FILE`",
            &[],
        );
        return Exit::Usage;
    }
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
    refill: bool,
    then: impl FnMut(&Input, &Analysis, &View<'_, '_>, &mut Ui) -> Exit,
) -> Exit {
    each_planned(inputs, refill, |_, _| {}, then)
}

/// The same, and hands programs with errors to `otherwise`.
fn each_planned(
    inputs: &Inputs,
    refill: bool,
    mut otherwise: impl FnMut(&View<'_, '_>, &mut Ui),
    mut then: impl FnMut(&Input, &Analysis, &View<'_, '_>, &mut Ui) -> Exit,
) -> Exit {
    let options = Options {
        env: inputs.env.clone(),
        refill,
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
