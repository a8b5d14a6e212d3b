//! `bzc check --watch`: checks again whenever a file that a program reads changes, and says what that changed in its
//! ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use bzc::{Provenance, SourceMap, View};

use super::args::Check;
use super::prove::once;
use super::ui::{err, fail, out};
use super::{Exit, Input};

/// How often files are looked at.
const PAUSE: Duration = Duration::from_millis(100);

/// What tells a changed file: when it was changed, and its length. `None` of a file that is not there.
#[expect(
    clippy::disallowed_types,
    reason = "it says when to look again, and reaches no output"
)]
type Stamp = Option<(std::time::SystemTime, u64)>;

fn stamp(path: &Path) -> Stamp {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// The reports of one round, by program and environment, and the files that were read.
#[derive(Default)]
struct Round {
    reports: BTreeMap<(String, Option<String>), String>,
    files: BTreeSet<PathBuf>,
}

impl Round {
    fn see(
        &mut self,
        (input, env): (&Input, Option<&str>),
        view: &View<'_, '_>,
        sources: &SourceMap,
    ) {
        let key = (input.shown.clone(), env.map(str::to_owned));
        if let Some(report) = view.report() {
            self.reports.insert(key, report.to_owned());
        }
        let files = sources.files().iter();
        let ours = files.filter(|file| file.provenance != Provenance::Library);
        let folder = input.disk.folder();
        self.files.extend(ours.map(|file| folder.join(&file.name)));
    }
}

/// Checks until the user stops it.
pub(super) fn run(check: &Check) -> Exit {
    if check.inputs.files.iter().any(|path| path == Path::new("-")) {
        fail("`--watch` looks at files: standard input is none", &[]);
        return Exit::Usage;
    }
    let mut last = Round::default();
    loop {
        let mut round = Round::default();
        // A program that cannot be read is waited for.
        round.files.extend(check.inputs.files.iter().cloned());
        once(check, &mut |of, view, sources| round.see(of, view, sources));
        for (key, report) in &round.reports {
            let before = last.reports.get(key).filter(|before| *before != report);
            if let Some(changes) = before.and_then(|before| bzc::changes(before, report).ok()) {
                out(&format!("\n{changes}"));
            }
        }
        // What cannot be planned at the moment is compared with what it was when it could.
        let files = std::mem::take(&mut round.files);
        last.reports.extend(round.reports);
        err(&format!(
            "\nwatching {} files; Ctrl-C ends it\n",
            files.len()
        ));
        let before: Vec<Stamp> = files.iter().map(|path| stamp(path)).collect();
        while files
            .iter()
            .map(|path| stamp(path))
            .eq(before.iter().copied())
        {
            thread::sleep(PAUSE);
        }
    }
}
