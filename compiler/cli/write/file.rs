//! Files that the user named, and the way every single file is written: whole or not at all, by a temporary file
//! beside it that is renamed over it.
//!
//! A file that is replaced keeps its mode and its owner. One that is read-only stays as it is, and so does one that is
//! no longer what was read of it. A temporary file may be read by its owner alone until it has its content. What a
//! killed run left of them goes with the next run that writes to the folder.

use std::collections::BTreeSet;
use std::fs::{self, Metadata, Permissions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempPath;

use super::disk::{self, TEMPORARY};

/// Why nothing, or not everything, was written.
#[derive(Debug)]
pub(crate) struct WriteError {
    pub(crate) kind: WriteErrorKind,
    /// One sentence, lower case, no full stop.
    pub(crate) message: String,
    /// What more there is to say, one thought a line.
    pub(crate) lines: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriteErrorKind {
    /// Files hold work done by hand: exit code 1.
    Refused,
    /// The folder cannot be used as it is: exit code 2.
    Usage,
    /// The system said no: exit code 2.
    Io,
}

/// A file to write, and what has to be there just before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written<'a> {
    pub(crate) path: &'a Path,
    pub(crate) was: Was<'a>,
    pub(crate) content: &'a [u8],
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Was<'a> {
    /// No file, no link, no folder.
    Nothing,
    /// A file with this content. A link to one is followed: what it leads to is what the user edits.
    Content(&'a [u8]),
    /// Whatever bzc left there.
    Anything,
}

/// Writes files, each whole or not at all. All are staged, and all compared with what has to be there, before the
/// first gets its name.
pub(crate) fn write_all(files: &[Written<'_>]) -> Result<(), WriteError> {
    let targets: Vec<PathBuf> = files.iter().map(target).collect::<Result<_, _>>()?;
    sweep(targets.iter().map(|target| folder_of(target)));
    let both = || files.iter().zip(&targets);
    let staged: Vec<TempPath> = both()
        .map(|(file, target)| stage(target, file.content))
        .collect::<Result<_, _>>()?;
    for (file, target) in both() {
        match file.was {
            Was::Nothing if lstat(target)?.is_some() => return Err(exists(target)),
            was => compare(target, was)?,
        }
    }
    let mut made = Vec::new();
    for ((file, target), temporary) in both().zip(staged) {
        if let Err(error) = name(temporary, target, file.was, file.content) {
            // New files come all or none: one without the others is of no use.
            for (path, content) in made {
                if read(path).is_ok_and(|found| found == content) {
                    let _ = disk::remove_file(path);
                }
            }
            return Err(error);
        }
        if matches!(file.was, Was::Nothing) {
            made.push((target, file.content));
        }
    }
    Ok(())
}

/// Writes what machines read to a file that the user named. Only an earlier report is replaced.
pub(crate) fn write_report(path: &Path, text: &str) -> Result<(), WriteError> {
    let content = text.as_bytes();
    let found = match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => read(path)?,
        Ok(metadata) if metadata.is_dir() => {
            return Err(usage(format!("`{}` is a folder", path.display()), &[]));
        }
        Ok(_) => {
            return disk::write_through(path, content)
                .map_err(|error| io_error("write", path, &error));
        }
        Err(_) => {
            let was = Was::Nothing;
            return write_all(&[Written { path, was, content }]);
        }
    };
    if !is_report(&found) {
        let message = format!("`{}` is no report, and is left as it is", path.display());
        return Err(usage(
            message,
            &["`--output-file` names a new file, or one that a report was written to"],
        ));
    }
    let was = Was::Content(&found);
    write_all(&[Written { path, was, content }])
}

/// Whether a file holds what `--output-file` writes, by its first line or, of SARIF, its maker.
fn is_report(content: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(content) else {
        return false;
    };
    let first = text.lines().next().unwrap_or_default();
    let json = |text: &str| serde_json::from_str::<Value>(text).ok();
    let is_finding = || {
        json(first).is_some_and(|line| line["severity"].is_string() && line["message"].is_string())
    };
    let is_sarif =
        || json(text).is_some_and(|log| log["runs"][0]["tool"]["driver"]["name"] == "bzc");
    let is_command = first.starts_with("::error ") || first.starts_with("::warning ");
    text.is_empty() || is_command || is_finding() || is_sarif()
}

/// Removes what killed runs left in folders. A failure is no reason to stop: such files are in nobody's way.
pub(crate) fn sweep<'a>(folders: impl Iterator<Item = &'a Path>) {
    let folders: BTreeSet<&Path> = folders.collect();
    let entries = folders.into_iter().filter_map(|dir| fs::read_dir(dir).ok());
    for entry in entries.flatten().flatten() {
        let is_ours = entry.file_name().to_str().is_some_and(is_temporary);
        if is_ours && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            let _ = disk::remove_file(&entry.path());
        }
    }
}

fn is_temporary(name: &str) -> bool {
    name.strip_prefix(TEMPORARY).is_some_and(|random| {
        random.len() == 6 && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// The file that is written, behind links.
fn target(file: &Written<'_>) -> Result<PathBuf, WriteError> {
    let path = file.path;
    let follows = !matches!(file.was, Was::Nothing);
    match follows && path.is_symlink() {
        true => path
            .canonicalize()
            .map_err(|error| io_error("find", path, &error)),
        false => Ok(path.to_path_buf()),
    }
}

/// The folder of a file. The empty path names nothing to the system.
fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => file,
    }
}

/// Gives a staged file its name. A run at the same time may have swept it away: then it is staged once more.
pub(super) fn name(
    temporary: TempPath,
    target: &Path,
    was: Was<'_>,
    content: &[u8],
) -> Result<(), WriteError> {
    let call = match was {
        Was::Nothing => disk::rename_new,
        Was::Content(_) | Was::Anything => disk::rename,
    };
    let named = match call(temporary, target) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let again = stage(target, content)?;
            compare(target, was)?;
            call(again, target)
        }
        named => named,
    };
    named.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => exists(target),
        _ => io_error("write", target, &error),
    })
}

/// The content, whole and synced, in a temporary file beside `target`, with the mode and the owner that `target` has.
/// New files are synced like replaced ones: a power cut could leave an unsynced one empty, and the next run would take
/// that for an edit. The file is closed, because a thousand open ones are more than many systems allow.
pub(super) fn stage(target: &Path, content: &[u8]) -> Result<TempPath, WriteError> {
    let folder = folder_of(target);
    disk::create_folder(folder).map_err(|error| io_error("create", folder, &error))?;
    let old = lstat(target)?.filter(Metadata::is_file);
    if let Some(old) = &old {
        check_writable(target, old)?;
    }
    let write = || {
        let mut file = disk::create_in(folder, 0o600)?;
        disk::write(file.as_file_mut(), content)?;
        let permissions = match &old {
            Some(old) => {
                keep_owner(file.as_file(), old)?;
                Some(old.permissions())
            }
            None => permissions_of_new(folder)?,
        };
        // A mode is set behind the owner: a change of the owner may take bits away.
        if let Some(permissions) = permissions {
            disk::set_permissions(file.as_file(), permissions)?;
        }
        disk::sync(file.as_file())?;
        Ok(file.into_temp_path())
    };
    write().map_err(|error| io_error("write", target, &error))
}

/// An error if nobody may write to a file: then bzc does not, whatever the folder allows.
pub(super) fn check_writable(path: &Path, metadata: &Metadata) -> Result<(), WriteError> {
    if !metadata.permissions().readonly() {
        return Ok(());
    }
    let shown = path.display();
    Err(WriteError {
        kind: WriteErrorKind::Refused,
        message: format!("`{shown}` is read-only, and stays as it is"),
        lines: vec![format!(
            "`chmod u+w {shown}` if it is to change; nothing was changed"
        )],
    })
}

/// Gives a new file the owner of the one that it replaces: under `sudo` that is another user.
#[cfg(unix)]
fn keep_owner(new: &fs::File, old: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let made = new.metadata()?;
    let owner = |metadata: &Metadata| (metadata.uid(), metadata.gid());
    match owner(&made) == owner(old) {
        true => Ok(()),
        false => disk::set_owner(new, owner(old)),
    }
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "it can fail elsewhere")]
fn keep_owner(_: &fs::File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

/// The mode of files that are new: anybody may read them, but for what the umask takes away. Only a file that is made
/// shows the umask, so an empty one is.
#[cfg(unix)]
fn permissions_of_new(folder: &Path) -> io::Result<Option<Permissions>> {
    use std::sync::OnceLock;
    static SEEN: OnceLock<Permissions> = OnceLock::new();
    if let Some(seen) = SEEN.get() {
        return Ok(Some(seen.clone()));
    }
    let made = disk::create_in(folder, 0o644)?
        .as_file()
        .metadata()?
        .permissions();
    Ok(Some(SEEN.get_or_init(|| made).clone()))
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "it can fail elsewhere")]
fn permissions_of_new(_: &Path) -> io::Result<Option<Permissions>> {
    Ok(None)
}

/// Just before a file is touched: an error when it no longer is what was read, so that what an editor saved while bzc
/// ran is not lost.
pub(super) fn compare(target: &Path, was: Was<'_>) -> Result<(), WriteError> {
    let found = lstat(target)?;
    let is_same = match (was, &found) {
        (Was::Anything, _) | (Was::Nothing, None) => true,
        (Was::Content(content), Some(metadata)) => metadata.is_file() && content == read(target)?,
        (Was::Nothing, Some(_)) | (Was::Content(_), None) => false,
    };
    if is_same {
        return Ok(());
    }
    Err(WriteError {
        kind: WriteErrorKind::Refused,
        message: format!("`{}` changed while bzc was at work", target.display()),
        lines: vec!["it is left as it is: run bzc again".to_owned()],
    })
}

pub(super) fn lstat(path: &Path) -> Result<Option<Metadata>, WriteError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error("look at", path, &error)),
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "this module reads what it may have to replace"
)]
pub(super) fn read(path: &Path) -> Result<Vec<u8>, WriteError> {
    fs::read(path).map_err(|error| io_error("read", path, &error))
}

/// The error for a file that is to be new, and is there.
fn exists(path: &Path) -> WriteError {
    usage(
        format!("`{}` exists, and is left as it is", path.display()),
        &[],
    )
}

pub(super) fn usage(message: impl Into<String>, lines: &[&str]) -> WriteError {
    let lines = lines.iter().map(|&line| line.to_owned()).collect();
    WriteError {
        kind: WriteErrorKind::Usage,
        message: message.into(),
        lines,
    }
}

pub(super) fn io_error(doing: &str, path: &Path, error: &io::Error) -> WriteError {
    let message = format!("cannot {doing} `{}`: {error}", path.display());
    WriteError {
        kind: WriteErrorKind::Io,
        message,
        lines: Vec::new(),
    }
}
