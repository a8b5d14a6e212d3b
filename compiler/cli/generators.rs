//! Kustomizations that `build` writes beside the files of Secrets. One that somebody else wrote, or changed, stays.

use std::path::{Path, PathBuf};

use bzc::{ReadError, World as _};

use super::Exit;
use super::ui::{fail, out};
use super::world::Disk;
use super::write::{Was, WriteError, Written, write_all};

/// What is there of a kustomization.
enum State {
    Missing,
    Same,
    /// Generated from another program, and not changed since.
    Old(Vec<u8>),
    /// Somebody's own.
    Foreign,
}

/// The kustomizations of a program: path, text and what is there.
pub(super) struct Generators(Vec<(PathBuf, Vec<u8>, State)>);

impl Generators {
    /// Compares them with what is there.
    pub(super) fn of(disk: &Disk, files: Vec<bzc::Artifact>) -> Generators {
        let files = files.into_iter().map(|(path, new)| {
            let state = match disk.read(&path) {
                Ok(old) if old == new => State::Same,
                Ok(old) => match std::str::from_utf8(&old).is_ok_and(bzc::is_generated) {
                    true => State::Old(old),
                    false => State::Foreign,
                },
                Err(ReadError::NotFound) => State::Missing,
                Err(_) => State::Foreign,
            };
            (disk.folder().join(path), new, state)
        });
        Generators(files.collect())
    }

    /// Reports those that are not bzc's to write.
    pub(super) fn check_foreign(&self) -> Exit {
        let foreign = self
            .0
            .iter()
            .filter(|(.., state)| matches!(state, State::Foreign));
        let lines: Vec<String> = foreign
            .map(|(path, ..)| format!("not bzc's:       {}", path.display()))
            .collect();
        if lines.is_empty() {
            return Exit::Clean;
        }
        fail(
            "a kustomization for Secrets is to stand where another file is: remove that, or put the Secrets into another folder",
            &lines,
        );
        Exit::Findings
    }

    /// `--check`: reports those that are not as the program makes them.
    pub(super) fn check_result(&self) -> Exit {
        let stale = self.0.iter().filter_map(|(path, _, state)| match state {
            State::Missing => Some(format!("missing:         {}", path.display())),
            State::Old(_) => Some(format!("out of date:     {}", path.display())),
            State::Same | State::Foreign => None,
        });
        let lines: Vec<String> = stale.collect();
        if lines.is_empty() {
            return Exit::Clean;
        }
        fail(
            "kustomizations for Secrets are not what the program makes: run `bzc build`",
            &lines,
        );
        Exit::Findings
    }

    /// Writes those that are missing or old.
    pub(super) fn write(&self) -> Result<(), WriteError> {
        let changed = self.0.iter().filter_map(|(path, new, state)| {
            let was = match state {
                State::Missing => Was::Nothing,
                State::Old(old) => Was::Content(old),
                State::Same | State::Foreign => return None,
            };
            Some(Written {
                path,
                was,
                content: new,
            })
        });
        write_all(&changed.collect::<Vec<_>>())
    }

    /// Says how Secrets come into the cluster.
    pub(super) fn tell(&self) {
        for (path, ..) in &self.0 {
            let folder = path.parent().unwrap_or(Path::new("."));
            let folder = folder.strip_prefix(".").unwrap_or(folder);
            let folder = match folder.as_os_str().is_empty() {
                true => Path::new("."),
                false => folder,
            };
            out(&format!(
                "Secrets are made by `kubectl apply -k {}`, once their namespace is there\n",
                folder.display()
            ));
        }
    }
}
