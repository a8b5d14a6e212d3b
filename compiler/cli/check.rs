//! `bzc check`: once, again and again, or behind the edits that mend what can be mended.

use std::path::Path;

use bzc::{Options, World as _};

use super::args::Check;
use super::ui::{Ui, err, fail, out};
use super::write::{Was, Written, write_all};
use super::{Exit, Input, diff, each_file, fix, prove, report_write, watch};

/// Proves every program as it is, and without `--env` in each of its environments.
pub(super) fn run(check: &Check) -> Exit {
    if check.watch {
        return watch::run(check);
    }
    let mended = if check.fix { mend(check) } else { Exit::Clean };
    match mended {
        Exit::Clean => prove::once(check, &mut |_, _, _| {}),
        stopped => stopped,
    }
}

/// Makes the edits of every program that say the same in bz, or shows them. What stops the command is the exit code.
fn mend(check: &Check) -> Exit {
    if check.inputs.files.iter().any(|path| path == Path::new("-")) {
        fail("`--fix` changes files: standard input is none", &[]);
        return Exit::Usage;
    }
    let options = Options {
        env: check.inputs.env.clone(),
        ..Options::default()
    };
    each_file(&check.inputs.files, &check.inputs.report, |_, input, ui| {
        let changes = fix::changes(input, &options);
        if check.diff {
            changes.iter().for_each(|change| shown(input, change));
            return if changes.is_empty() {
                Exit::Clean
            } else {
                Exit::Findings
            };
        }
        written(input, &changes, ui)
    })
}

fn shown(input: &Input, change: &fix::Change) {
    out(&diff(
        &change.old,
        &change.new,
        &input.disk.shown(&change.path),
    ));
}

fn written(input: &Input, changes: &[fix::Change], ui: &Ui) -> Exit {
    let paths: Vec<_> = changes
        .iter()
        .map(|change| input.disk.folder().join(&change.path))
        .collect();
    let files = paths.iter().zip(changes).map(|(path, change)| Written {
        path,
        was: Was::Content(change.old.as_bytes()),
        content: change.new.as_bytes(),
    });
    if let Err(error) = write_all(&files.collect::<Vec<_>>()) {
        return report_write(&error);
    }
    for change in changes.iter().filter(|_| ui.for_people()) {
        err(&format!("mended {}\n", input.disk.shown(&change.path)));
    }
    Exit::Clean
}
