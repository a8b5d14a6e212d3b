//! The output folder: from the artifacts of one compilation, a folder that holds exactly them.
//!
//! `survey` reads and says what would change, `apply` changes it. `.bzc-manifest.json` remembers the hash of every
//! file bzc wrote. Only a file that still has a remembered hash is replaced or removed; all else is somebody's work.
//!
//! A run may be killed, or the power may fail, at any moment. So a run
//!
//! 1. writes a manifest that takes, for each path about to be touched, the old and the new hash as bzc's own (such a
//!    list marks a run that did not end),
//! 2. writes each new content whole into a temporary file beside its target and syncs it: a full disk shows here,
//!    while every target is still as it was,
//! 3. renames these files over their targets and removes the stale files,
//! 4. writes the final manifest, with one hash a path.
//!
//! Wherever that stops, each file is old or new and known to the next run. Folders are not synced: a journal keeps
//! renames in order, and order is all this needs. Two runs at once into one folder can make one of them, or the
//! next, fail; none loses work.

mod disk;
mod file;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read as _};
use std::ops::Range;
use std::path::{Component, Path, PathBuf};
use std::thread;

use bzc::Files;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use tempfile::TempPath;

use disk::TEMPORARY;
pub(crate) use file::{Was, WriteError, WriteErrorKind, Written, sweep, write_all, write_report};
use file::{check_writable, compare, io_error, lstat, name, read, stage, usage};

const MANIFEST: &str = ".bzc-manifest.json";
const FORMAT: u64 = 1;
/// Threads that write: a journal commits the syncs of several threads together.
const WRITERS: usize = 8;
const ADVICE: &str = "move the change into the program or delete the file, then build again";

/// How the folder differs from the artifacts.
#[derive(Debug)]
pub(crate) struct Survey<'a> {
    out: &'a Path,
    source: &'a str,
    files: &'a Files<'a>,
    /// The wanted files that differ, in the order of their paths, then the files no longer wanted.
    pub(crate) changes: Vec<Change>,
    /// What the folder's manifest remembers.
    owned: Map<String, Value>,
    /// Hashes of wanted files that it does not remember for sure.
    hashes: Vec<(&'a str, String)>,
    /// All paths in the manifest that are no longer wanted, on disk or not.
    unwanted: Vec<String>,
    /// The manifest has to be written even when no file changes.
    record: bool,
}

#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) path: String,
    pub(crate) fate: Fate,
    /// What is on disk, unless the file is new.
    pub(crate) old: Option<Vec<u8>>,
    /// The artifact, unless the file is no longer wanted.
    pub(crate) new: Option<Vec<u8>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    New,
    /// Replaced: it is as bzc wrote it.
    Changed,
    /// Removed: no longer wanted, and as bzc wrote it.
    Stale,
    /// Left alone and forgotten: no longer wanted, but changed by hand.
    Kept,
    /// In the way: bzc wrote it, and somebody changed it since. `apply` refuses.
    Edited,
    /// In the way: bzc did not write it. `apply` refuses.
    Foreign,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) new: usize,
    pub(crate) changed: usize,
    pub(crate) unchanged: usize,
    pub(crate) stale: usize,
    pub(crate) refused: usize,
}

/// What `apply` did.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) counts: Counts,
    /// Files bzc wrote once and no longer wants, left alone because they were changed by hand.
    pub(crate) kept: Vec<String>,
}

impl Survey<'_> {
    pub(crate) fn counts(&self) -> Counts {
        let count = |fate| {
            self.changes
                .iter()
                .filter(|change| change.fate == fate)
                .count()
        };
        let (new, changed, refused) = (
            count(Fate::New),
            count(Fate::Changed),
            count(Fate::Edited) + count(Fate::Foreign),
        );
        let unchanged = self.files.len() - new - changed - refused;
        Counts {
            new,
            changed,
            unchanged,
            stale: count(Fate::Stale),
            refused,
        }
    }

    /// Whether a build would leave all files alone. A manifest that is missing or behind does not count: it is
    /// bookkeeping, and may be left out of git.
    pub(crate) fn is_clean(&self) -> bool {
        self.changes.is_empty()
    }

    /// The error `apply` gives before it touches anything, when files in the way hold work done by hand.
    pub(crate) fn refusal(&self) -> Option<WriteError> {
        let mut lines = Vec::new();
        for Change { path, fate, .. } in &self.changes {
            match fate {
                Fate::Edited => lines.push(format!("`{path}` was changed since bzc wrote it")),
                Fate::Foreign => lines.push(format!("`{path}` was not written by bzc")),
                Fate::New | Fate::Changed | Fate::Stale | Fate::Kept => {}
            }
        }
        let files = match lines.len() {
            0 => return None,
            1 => "a file".to_owned(),
            several => format!("{several} files"),
        };
        lines.push(ADVICE.to_owned());
        let message = format!(
            "{files} in `{}` would lose work done by hand",
            self.out.display()
        );
        Some(WriteError {
            kind: WriteErrorKind::Refused,
            message,
            lines,
        })
    }
}

/// Compares the folder with the artifacts, which are sorted by path. Reads only.
pub(crate) fn survey<'a>(
    out: &'a Path,
    source: &'a str,
    files: &'a Files<'a>,
) -> Result<Survey<'a>, WriteError> {
    if !files.paths().is_sorted_by(|one, next| one < next) {
        return Err(usage("the artifacts are not sorted by path", &[]));
    }
    // The folder of a program named without one. The empty path names nothing to the system.
    let out = if out.as_os_str().is_empty() {
        Path::new(".")
    } else {
        out
    };
    let mut folder = Folder::open(out)?;
    let (owned, ended) = read_manifest(&mut folder, source)?;
    let known = Known {
        out,
        files,
        owned: &owned,
        ended: ended.as_ref(),
    };
    let cores = thread::available_parallelism()
        .map_or(1, usize::from)
        .min(files.len() / WORTH_A_THREAD)
        .max(1);
    let parts: Vec<Compared<'_>> = if cores == 1 {
        vec![known.look_at(&mut folder, 0..files.len())?]
    } else {
        thread::scope(|scope| {
            let look = |part| scope.spawn(move || known.look_at(&mut Folder::open(out)?, part));
            let step = files.len().div_ceil(cores);
            let part = |from| from..files.len().min(from + step);
            let parts = (0..files.len()).step_by(step).map(part);
            let readers: Vec<_> = parts.map(look).collect();
            let stopped = |_| {
                Err(io_error(
                    "read",
                    out,
                    &io::Error::other("a thread stopped early"),
                ))
            };
            readers
                .into_iter()
                .map(|reader| reader.join().unwrap_or_else(stopped))
                .collect::<Result<_, _>>()
        })?
    };
    let (mut changes, mut hashes, mut record) = (Vec::new(), Vec::new(), ended.is_none());
    for part in parts {
        changes.extend(part.changes);
        hashes.extend(part.hashes);
        record |= part.record;
    }
    let mut unwanted = Vec::new();
    for (path, hashes) in owned.iter().filter(|(path, _)| files.find(path).is_none()) {
        record = true;
        unwanted.push(path.clone());
        if folder.look(path)?.is_some() {
            let old = read(&out.join(path))?;
            let fate = if knows(Some(hashes), &hash(&old)) {
                Fate::Stale
            } else {
                Fate::Kept
            };
            changes.push(Change {
                path: path.clone(),
                fate,
                old: Some(old),
                new: None,
            });
        }
    }
    Ok(Survey {
        out,
        source,
        files,
        changes,
        owned,
        hashes,
        unwanted,
        record,
    })
}

/// Below this many files a reader, a thread costs more than it saves.
const WORTH_A_THREAD: usize = 200;

/// How some of the artifacts compare with the folder.
#[derive(Default)]
struct Compared<'a> {
    changes: Vec<Change>,
    /// Hashes of artifacts that the folder's manifest does not remember for sure.
    hashes: Vec<(&'a str, String)>,
    /// The folder's manifest must be written anew.
    record: bool,
}

/// What a reader of the folder needs to know.
#[derive(Clone, Copy)]
struct Known<'k, 'a> {
    out: &'a Path,
    files: &'a Files<'a>,
    owned: &'k Map<String, Value>,
    ended: Option<&'k Metadata>,
}

impl<'a> Known<'_, 'a> {
    /// Compares some of the artifacts with what is on disk. Each is printed, compared and, if it is the same, forgotten.
    fn look_at(
        self,
        folder: &mut Folder<'_>,
        part: Range<usize>,
    ) -> Result<Compared<'a>, WriteError> {
        let mut compared = Compared::default();
        let (mut text, mut on_disk) = (String::new(), Vec::new());
        for at in part {
            let path = self.files.path(at);
            check(path)?;
            let found = folder.look(path)?;
            let new = self.files.read(at, &mut text);
            let remembered = self.owned.get(path);
            let (fate, old) = match found {
                None => {
                    // A file that is there has no file above it, so only new ones can clash.
                    if let Some(dir) = parents(path).find(|dir| self.files.find(dir).is_some()) {
                        return Err(usage(
                            format!("the artifact `{path}` needs `{dir}` to be a folder"),
                            &[],
                        ));
                    }
                    (Fate::New, None)
                }
                Some(metadata) => {
                    let target = self.out.join(path);
                    if metadata.len() == new.len() as u64 && holds(&target, new, &mut on_disk)? {
                        if !self.is_settled(remembered, &metadata) {
                            let hash = hash(new);
                            compared.record |= !knows(remembered, &hash);
                            compared.hashes.push((path, hash));
                        }
                        continue;
                    }
                    let old = read(&target)?;
                    let fate = match remembered {
                        None => Fate::Foreign,
                        _ if knows(remembered, &hash(&old)) => Fate::Changed,
                        Some(_) => Fate::Edited,
                    };
                    (fate, Some(old))
                }
            };
            compared.hashes.push((path, hash(new)));
            compared.changes.push(Change {
                path: path.to_owned(),
                fate,
                old,
                new: Some(new.to_vec()),
            });
        }
        Ok(compared)
    }

    /// Whether what is remembered of a file is the hash of its content. A file older than the manifest has the content the
    /// manifest was made from. So only younger ones are hashed, and a run that changes nothing costs little more than the
    /// reading. If a clock lied, an outdated hash stays, and a later run refuses to replace the file: the safe side.
    fn is_settled(self, remembered: Option<&Value>, file: &Metadata) -> bool {
        let times = (file.modified(), self.ended.map(Metadata::modified));
        remembered.is_some() && matches!(times, (Ok(file), Some(Ok(manifest))) if file < manifest)
    }
}

/// Brings the folder to the state the survey announced, or refuses and leaves it as it is.
pub(crate) fn apply(survey: Survey<'_>) -> Result<Done, WriteError> {
    if let Some(refusal) = survey.refusal() {
        return Err(refusal);
    }
    let counts = survey.counts();
    let Survey {
        out,
        source,
        files,
        mut changes,
        owned,
        hashes,
        unwanted,
        record,
    } = survey;
    let kept = changes
        .extract_if(.., |change| change.fate == Fate::Kept)
        .map(|change| change.path)
        .collect();
    if record || !changes.is_empty() {
        disk::create_folder(out).map_err(|error| io_error("create", out, &error))?;
        let paths = files.paths().chain(unwanted.iter().map(String::as_str));
        let mut folders: BTreeSet<&str> = paths
            .filter_map(|path| Some(path.rsplit_once('/')?.0))
            .collect();
        folders.insert("");
        let folders: Vec<PathBuf> = folders.into_iter().map(|folder| out.join(folder)).collect();
        sweep(folders.iter().map(PathBuf::as_path));
        for change in changes.iter().filter(|change| change.old.is_some()) {
            let target = out.join(&change.path);
            if let Some(metadata) = lstat(&target)? {
                check_writable(&target, &metadata)?;
            }
        }
        let remembered = files
            .paths()
            .filter_map(|path| Some((path, owned.get(path)?.clone())));
        let mut last: BTreeMap<&str, Value> = remembered.collect();
        last.extend(hashes.into_iter().map(|(path, hash)| (path, hash.into())));
        if !changes.is_empty() {
            let mut both = last.clone();
            for Change { path, old, new, .. } in &changes {
                let contents = old.iter().chain(new);
                both.insert(path, contents.map(|content| hash(content)).collect());
            }
            write_manifest(out, source, &both)?;
        }
        for (change, staged) in changes.iter().zip(stage_all(out, &changes)?) {
            let target = out.join(&change.path);
            let was = change.old.as_deref().map_or(Was::Nothing, Was::Content);
            compare(&target, was)?;
            match staged.zip(change.new.as_deref()) {
                Some((temporary, new)) => name(temporary, &target, was, new)?,
                None => disk::remove_file(&target)
                    .map_err(|error| io_error("remove", &target, &error))?,
            }
        }
        for dir in unwanted
            .iter()
            .flat_map(|path| parents(path).collect::<Vec<_>>().into_iter().rev())
        {
            // Fails for a folder that still holds something, which is the wish.
            let _ = disk::remove_folder(&out.join(dir));
        }
        write_manifest(out, source, &last)?;
    }
    Ok(Done { counts, kept })
}

/// The temporary file of each change that has new content. They are removed again unless all succeed.
fn stage_all(out: &Path, changes: &[Change]) -> Result<Vec<Option<TempPath>>, WriteError> {
    let stage = |change: &Change| {
        change
            .new
            .as_deref()
            .map(|new| stage(&out.join(&change.path), new))
            .transpose()
    };
    thread::scope(|scope| {
        let mut writers = Vec::new();
        for part in changes.chunks(changes.len().div_ceil(WRITERS).max(1)) {
            let work = move || part.iter().map(stage).collect::<Vec<_>>();
            let writer = thread::Builder::new().spawn_scoped(scope, work);
            writers.push(writer.map_err(|error| io_error("start to write to", out, &error))?);
        }
        let stopped = |_| {
            vec![Err(io_error(
                "write to",
                out,
                &io::Error::other("a thread stopped early"),
            ))]
        };
        writers
            .into_iter()
            .flat_map(|writer| writer.join().unwrap_or_else(stopped))
            .collect()
    })
}

/// The hashes by path, each a text or a list of texts, and the manifest's metadata if the run that wrote it ended.
fn read_manifest(
    folder: &mut Folder<'_>,
    source: &str,
) -> Result<(Map<String, Value>, Option<Metadata>), WriteError> {
    let Some(metadata) = folder.look(MANIFEST)? else {
        return Ok((Map::new(), None));
    };
    let path = folder.out.join(MANIFEST);
    let shown = path.display();
    let damaged = |why: &str| {
        let advice = "restore it, or delete it and build again: files that already are as wanted are taken over";
        usage(format!("`{shown}` is damaged"), &[why, advice])
    };
    let mut json: Value =
        serde_json::from_slice(&read(&path)?).map_err(|error| damaged(&error.to_string()))?;
    let format = json.get("bzc").and_then(Value::as_u64);
    if format > Some(FORMAT) {
        return Err(usage(
            format!("`{shown}` was written by a newer bzc"),
            &["build with that version or a later one"],
        ));
    }
    let files = json.get_mut("files").map(Value::take);
    let other = json.get("source").and_then(Value::as_str);
    let (Some(_), Some(other), Some(Value::Object(files))) = (format, other, files) else {
        return Err(damaged("`bzc`, `source` or `files` is missing"));
    };
    if other != source {
        let message = format!(
            "the folder `{}` belongs to `{other}`, not to `{source}`",
            folder.out.display()
        );
        let renamed = format!("if the program was renamed, change `source` in `{shown}`");
        return Err(usage(
            message,
            &[
                "give each program a folder of its own with `--out`",
                &renamed,
            ],
        ));
    }
    for (path, hashes) in &files {
        check(path).map_err(|error| damaged(&error.message))?;
        let texts = hashes
            .as_array()
            .map_or(std::slice::from_ref(hashes), Vec::as_slice);
        if !texts.iter().all(Value::is_string) {
            return Err(damaged(&format!("`{path}` has no hash")));
        }
    }
    let ended = files.values().all(Value::is_string).then_some(metadata);
    Ok((files, ended))
}

/// Whether a hash is among those that are remembered of a file.
fn knows(hashes: Option<&Value>, hash: &str) -> bool {
    match hashes {
        Some(Value::Array(hashes)) => hashes.iter().any(|one| one == hash),
        Some(one) => one == hash,
        None => false,
    }
}

/// Nothing of the time, the host or the place goes in: the same program gives the same manifest.
fn write_manifest(
    out: &Path,
    source: &str,
    files: &BTreeMap<&str, Value>,
) -> Result<(), WriteError> {
    let line = |(path, hashes): (&&str, &Value)| format!("    {}: {hashes}", Value::from(*path));
    let files = files.iter().map(line).collect::<Vec<_>>().join(",\n");
    let source = Value::from(source);
    let text = format!(
        "{{\n  \"bzc\": {FORMAT},\n  \"source\": {source},\n  \"files\": {{\n{files}\n  }}\n}}\n"
    );
    let target = out.join(MANIFEST);
    name(
        stage(&target, text.as_bytes())?,
        &target,
        Was::Anything,
        text.as_bytes(),
    )
}

/// The output folder, which may be a symbolic link. Below it no link is followed.
struct Folder<'a> {
    out: &'a Path,
    exists: bool,
    /// The folders below that were looked at, and whether they exist.
    dirs: BTreeMap<String, bool>,
}

impl<'a> Folder<'a> {
    fn open(out: &'a Path) -> Result<Folder<'a>, WriteError> {
        let exists = match fs::metadata(out) {
            Ok(metadata) if metadata.is_dir() => true,
            Ok(_) => return Err(usage(format!("`{}` is not a folder", out.display()), &[])),
            Err(error) if error.kind() == ErrorKind::NotFound => false,
            Err(error) => return Err(io_error("look at", out, &error)),
        };
        Ok(Folder {
            out,
            exists,
            dirs: BTreeMap::new(),
        })
    }

    /// The plain file at `path`, if there is one. Whatever else is there or on the way is an error.
    fn look(&mut self, path: &str) -> Result<Option<Metadata>, WriteError> {
        let mut exists = self.exists;
        for dir in parents(path) {
            if exists && let Some(known) = self.dirs.get(dir) {
                exists = *known;
            } else if exists {
                exists = expect(&self.out.join(dir), "folder", Metadata::is_dir)?.is_some();
                self.dirs.insert(dir.to_owned(), exists);
            }
        }
        if exists {
            expect(&self.out.join(path), "file", Metadata::is_file)
        } else {
            Ok(None)
        }
    }
}

fn expect(
    path: &Path,
    what: &str,
    right: fn(&Metadata) -> bool,
) -> Result<Option<Metadata>, WriteError> {
    let found = lstat(path)?;
    match &found {
        Some(metadata) if metadata.is_symlink() => Err(usage(
            format!("`{}` is a symbolic link", path.display()),
            &[
                "bzc neither follows nor replaces links inside the output folder: remove it, then build again",
            ],
        )),
        Some(metadata) if !right(metadata) => Err(usage(
            format!("`{}` is in the way of a {what}", path.display()),
            &["move or remove what is there, then build again"],
        )),
        _ => Ok(found),
    }
}

/// Artifacts are trusted to have such paths, a manifest is not: it decides what is removed.
fn check(path: &str) -> Result<(), WriteError> {
    let odd =
        |part: &str| matches!(part, "" | "." | ".." | MANIFEST) || part.starts_with(TEMPORARY);
    // `components` knows drive letters where there are such, but skips `.` and empty parts.
    let normal = Path::new(path)
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if normal && !path.contains(['\\', '\0']) && !path.split('/').any(odd) {
        return Ok(());
    }
    Err(usage(
        format!("`{}` is no path for an artifact", path.escape_debug()),
        &[],
    ))
}

/// The folders above `path`, outermost first.
fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

/// Whether a file of the same length has this content.
fn holds(path: &Path, content: &[u8], buffer: &mut Vec<u8>) -> Result<bool, WriteError> {
    buffer.resize(content.len(), 0);
    let read = File::open(path).and_then(|mut file| file.read_exact(buffer));
    read.map_err(|error| io_error("read", path, &error))?;
    Ok(buffer == content)
}

fn hash(content: &[u8]) -> String {
    let digits = Sha256::digest(content)
        .into_iter()
        .flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

#[cfg(test)]
mod tests;
