//! A panic is a bug in bzc. This prints it as one, with the version and the command line, so that it can be reported.

use std::ffi::{OsStr, OsString};
use std::panic::PanicHookInfo;

use super::Exit;
use super::ui::{err, note};

/// The exit code after a bug, which `--help` documents.
const BUG: i32 = 101;

/// Installs a hook with which every panic, on any thread, reports itself and ends the process.
pub(crate) fn report_panics(args: &[OsString]) {
    let run = args.to_vec();
    std::panic::set_hook(Box::new(move |info| {
        err(&report(info, &run));
        // Release builds do not unwind panics, and an abort would exit with 134 and dump core.
        #[expect(
            clippy::exit,
            clippy::disallowed_methods,
            reason = "nothing can go on after a bug"
        )]
        std::process::exit(BUG);
    }));
    #[cfg(debug_assertions)]
    bug_for_tests(args.get(1).map(OsString::as_os_str));
}

fn report(info: &PanicHookInfo<'_>, args: &[OsString]) -> String {
    let place = info
        .location()
        .map_or_else(String::new, |at| format!(" at {}:{}", at.file(), at.line()));
    let payload = info.payload();
    let what = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    let command: Vec<String> = args.iter().skip(1).map(|word| shown(word)).collect();
    format!(
        "error[BZ9001]: a bug in bzc {version}{place}\n  {what}\n  It was run as: bzc {command}\n  \
         No file is half-written. Please report all of this, with the program that caused it, to whoever you have bzc from.\n",
        version = env!("CARGO_PKG_VERSION"),
        command = command.join(" "),
    )
}

/// Reports numbers of a plan that the verifier computes differently: what was stated, and what was counted. Nothing is
/// written then.
pub(crate) fn disagrees(faults: &[String]) -> Exit {
    let version = env!("CARGO_PKG_VERSION");
    err(&format!(
        "error[BZ9001]: a bug in bzc {version}: its own check disagrees with its plan\n"
    ));
    faults.iter().for_each(|fault| note(&format!("  {fault}")));
    err(
        "  Nothing was written. Please report all of this, with the program that caused it, to whoever you have bzc from.\n",
    );
    Exit::Bug
}

/// A word of the command line, in quotes where a shell needs them; control characters escaped.
fn shown(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.into_owned(),
        false => format!("{word:?}"),
    }
}

/// `bzc --bug` is one, in builds for tests only: that is how `tests/cli/bug.txt` sees this report.
#[cfg(debug_assertions)]
fn bug_for_tests(first: Option<&OsStr>) {
    assert!(
        first != Some(OsStr::new("--bug")),
        "somebody asked for a bug"
    );
}
