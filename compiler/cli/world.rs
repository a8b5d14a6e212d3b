//! The disk, as the compiler sees it: files in and below the folder of the program.

use std::cell::Cell;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use bzc::{Chart, Entry, MAX_SOURCE_BYTES, ReadError, World};

use super::helm;
use super::write::{Was, Written, write_all};

/// The folder of a program.
pub(crate) struct Disk {
    root: PathBuf,
    /// Whether no chart may be rendered.
    is_offline: Cell<bool>,
}

impl Disk {
    pub(crate) fn new(root: PathBuf) -> Disk {
        let is_offline = Cell::new(false);
        Disk { root, is_offline }
    }

    /// Takes charts only from what is kept.
    pub(crate) fn stay_offline(&self, offline: bool) {
        self.is_offline.set(offline);
    }

    /// The folder of the program.
    pub(crate) fn folder(&self) -> &Path {
        &self.root
    }

    /// Where a path really is. A link may lead anywhere; what it leads to must lie in the project as well: in the folder of the
    /// program, and for a path that begins with `..` in its repository.
    fn real(&self, path: &str) -> Result<PathBuf, ReadError> {
        let mut root = self.root.canonicalize().map_err(|error| of(&error))?;
        if path.starts_with("../") {
            root = repository(&root).ok_or(ReadError::Outside)?;
        }
        let real = self
            .root
            .join(path)
            .canonicalize()
            .map_err(|error| of(&error))?;
        if real.starts_with(&root) {
            Ok(real)
        } else {
            Err(ReadError::Outside)
        }
    }
}

impl World for Disk {
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        let real = self.real(path)?;
        // Opening a pipe waits for somebody to write to it.
        let kind = fs::metadata(&real).map_err(|error| of(&error))?.file_type();
        if !kind.is_file() && !kind.is_dir() {
            return Err(ReadError::Other("it is no plain file".to_owned()));
        }
        read(&real)
    }

    fn list(&self, folder: &str) -> Result<Vec<Entry>, ReadError> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(self.real(folder)?).map_err(|error| of(&error))? {
            let entry = entry.map_err(|error| of(&error))?;
            let kind = entry.file_type().map_err(|error| of(&error))?;
            // A name that is no text cannot be meant by any pattern.
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let leads_to_folder = kind.is_symlink() && entry.path().is_dir();
            if !leads_to_folder {
                // Of what vanishes meanwhile, or leads nowhere, reading says what is wrong.
                let bytes = fs::metadata(entry.path()).map_or(0, |metadata| metadata.len());
                let is_folder = kind.is_dir();
                entries.push(Entry {
                    name,
                    is_folder,
                    bytes: if is_folder { 0 } else { bytes },
                });
            }
        }
        entries.sort();
        Ok(entries)
    }

    fn helm(&self, chart: &Chart) -> Result<Vec<u8>, String> {
        if self.is_offline.get() {
            return Err(format!(
                "`{}` is not there, and `--offline` was given",
                chart.kept
            ));
        }
        let printed = helm::template(&self.root, chart)?;
        let kept = self.root.join(&chart.kept);
        write_all(&[Written {
            path: &kept,
            was: Was::Anything,
            content: &printed,
        }])
        .map_err(|error| format!("`{}` cannot be written: {}", chart.kept, error.message))?;
        Ok(printed)
    }

    fn shown(&self, path: &str) -> String {
        let whole = plain(&self.root.join(path));
        let whole = whole.strip_prefix(".").unwrap_or(&whole);
        // Other tools look for the path in a repository, where folders end in `/` on every system.
        let parts = whole.iter().map(|part| part.to_string_lossy());
        match whole.is_absolute() {
            true => whole.display().to_string(),
            false => parts.collect::<Vec<_>>().join("/"),
        }
    }
}

/// The folder of git's repository that a folder lies in, if there is one: the nearest with `.git`, which is a file in a work
/// tree.
fn repository(folder: &Path) -> Option<PathBuf> {
    let mut all = folder.ancestors();
    all.find(|above| above.join(".git").exists())
        .map(Path::to_path_buf)
}

/// A path without the pairs of a folder and `..` in it.
fn plain(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        let is_pair = part == Component::ParentDir
            && matches!(out.components().next_back(), Some(Component::Normal(_)));
        if is_pair {
            out.pop();
        } else {
            out.push(part);
        }
    }
    out
}

/// The bytes of a file, up to what the compiler takes.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, ReadError> {
    let file = File::open(path).map_err(|error| of(&error))?;
    let metadata = file.metadata().map_err(|error| of(&error))?;
    if metadata.is_dir() {
        return Err(ReadError::IsDirectory);
    }
    if metadata.len() > MAX_SOURCE_BYTES {
        return Err(ReadError::TooLarge(metadata.len()));
    }
    limited(file, metadata.len())
}

/// All of standard input, up to what the compiler takes.
pub(crate) fn read_stdin() -> Result<Vec<u8>, ReadError> {
    limited(io::stdin().lock(), 0)
}

/// Reads all there is, `expected` bytes as far as is known.
fn limited(from: impl Read, expected: u64) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or(0) + 1);
    from.take(MAX_SOURCE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| of(&error))?;
    match bytes.len() as u64 > MAX_SOURCE_BYTES {
        true => Err(ReadError::TooLarge(bytes.len() as u64)),
        false => Ok(bytes),
    }
}

fn of(error: &io::Error) -> ReadError {
    match error.kind() {
        io::ErrorKind::NotFound => ReadError::NotFound,
        io::ErrorKind::IsADirectory => ReadError::IsDirectory,
        io::ErrorKind::PermissionDenied => ReadError::Other("permission denied".to_owned()),
        _ => ReadError::Other(error.to_string()),
    }
}
