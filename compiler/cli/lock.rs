//! The lock of a program on the disk: compared, shown and written by `build`.

use std::path::{Path, PathBuf};

use bzc::Kept;

use super::ui::{fail, out};
use super::write::{Was, WriteError, Written, write_all};
use super::{Exit, Input, diff};

/// How many numbers a line has for people.
const MOST_NAMED: usize = 12;

/// The lock of a program, and where it lies.
pub(super) struct Lock {
    path: PathBuf,
    kept: Kept,
}

impl Lock {
    /// The lock, if the program has one.
    pub(super) fn of(input: &Input, kept: Option<Kept>) -> Option<Lock> {
        let kept = kept?;
        let path = input.disk.folder().join(&kept.path);
        Some(Lock { path, kept })
    }

    /// The path as people see it.
    fn shown(&self) -> &Path {
        self.path.strip_prefix(".").unwrap_or(&self.path)
    }

    /// How it changes, as a unified diff.
    pub(super) fn diff(&self) -> String {
        if self.kept.is_same() {
            return String::new();
        }
        let old = self.kept.old.as_deref().unwrap_or_default();
        let (old, new) = (
            String::from_utf8_lossy(old),
            String::from_utf8_lossy(&self.kept.new),
        );
        diff(&old, &new, &self.shown().display().to_string())
    }

    /// `--check`: reports a lock that would change, and why, if that is not shown already.
    pub(super) fn check_result(&self, shown: bool) -> Exit {
        if self.kept.is_same() {
            return Exit::Clean;
        }
        if !shown {
            let word = match self.kept.old {
                None => "missing:        ",
                Some(_) => "out of date:    ",
            };
            let mut lines = vec![format!("{word} {}", self.path.display())];
            if self.kept.old.is_some() {
                lines.extend(self.kept.lines(MOST_NAMED));
            }
            fail(
                "the lock has not the numbers of the program: run `bzc build` and commit it",
                &lines,
            );
        }
        Exit::Findings
    }

    /// Writes it, whole or not at all, unless somebody changed it meanwhile.
    pub(super) fn write(&self) -> Result<(), WriteError> {
        if self.kept.is_same() {
            return Ok(());
        }
        let was = match &self.kept.old {
            None => Was::Nothing,
            Some(old) => Was::Content(old),
        };
        write_all(&[Written {
            path: &self.path,
            was,
            content: &self.kept.new,
        }])
    }

    /// Says which numbers moved, and why.
    pub(super) fn tell(&self) {
        if !self.kept.is_same() {
            let lines = self.kept.lines(MOST_NAMED);
            lines.iter().for_each(|line| out(&format!("{line}\n")));
        }
    }
}
