//! The files of the repository, always in the same order. The one place of the tests that touches the disk.
#![expect(
    clippy::disallowed_methods,
    reason = "tests read their inputs and write their expectations"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// The top of the repository.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A path of the repository, from its top, with forward slashes.
pub(crate) fn shown(path: &Path) -> String {
    below(path, &root())
}

/// A path as seen from a folder above it, with forward slashes.
pub(crate) fn below(path: &Path, folder: &Path) -> String {
    path.strip_prefix(folder)
        .unwrap_or(path)
        .to_string_lossy()
        .replace('\\', "/")
}

/// Everything directly in a folder, sorted. Nothing if there is no such folder.
pub(crate) fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(found) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = found.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths
}

/// The folders directly in a folder, sorted.
pub(crate) fn folders(folder: &Path) -> Vec<PathBuf> {
    entries(folder)
        .into_iter()
        .filter(|path| path.is_dir())
        .collect()
}

/// All files in and below a folder, sorted; links are not followed, build and git folders are passed over.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in entries(folder) {
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let is_folder = path.is_dir() && !path.is_symlink();
        // In a work tree beside the main one `.git` is a file.
        if name == ".git" || (is_folder && name == "target") {
            continue;
        }
        if is_folder {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// All files below a folder of the repository whose name ends so.
pub(crate) fn ending(folder: &str, end: &str) -> Vec<PathBuf> {
    let all = files(&root().join(folder));
    all.into_iter()
        .filter(|path| path.to_string_lossy().ends_with(end))
        .collect()
}

/// The bytes of a file that is known to be there.
pub(crate) fn bytes(path: &Path) -> Vec<u8> {
    fs::read(path)
        .unwrap_or_else(|error| unreachable!("{} cannot be read: {error}", path.display()))
}

/// The text of a file that is known to be there.
pub(crate) fn text(path: &Path) -> String {
    String::from_utf8_lossy(&bytes(path)).into_owned()
}

/// The text of a file, if there is one.
pub(crate) fn text_if_any(path: &Path) -> Option<String> {
    path.is_file().then(|| text(path))
}

/// The name of a file without its folder and what follows the last dot.
pub(crate) fn stem(path: &Path) -> String {
    path.file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Writes a file and the folders above it.
pub(crate) fn write(path: &Path, content: &[u8]) {
    let folder = path.parent().unwrap_or(path);
    let done = fs::create_dir_all(folder).and_then(|()| fs::write(path, content));
    assert!(
        done.is_ok(),
        "{} cannot be written: {done:?}",
        path.display()
    );
}

/// Writes a file that other tests may be reading meanwhile: they see the old text or the new one, and no part of it.
pub(crate) fn replace(path: &Path, content: &[u8]) {
    let mut whole = path.as_os_str().to_owned();
    whole.push(".new");
    let whole = PathBuf::from(whole);
    write(&whole, content);
    let done = fs::rename(&whole, path);
    assert!(
        done.is_ok(),
        "{} cannot be replaced: {done:?}",
        path.display()
    );
}

/// Makes a file of so many bytes that takes no room on disk.
pub(crate) fn sparse(path: &Path, bytes: u64) {
    write(path, b"");
    let done = fs::OpenOptions::new()
        .write(true)
        .open(path)
        .and_then(|file| file.set_len(bytes));
    assert!(done.is_ok(), "{} cannot be made: {done:?}", path.display());
}

/// Removes a file, and the folders above it that are empty then.
pub(crate) fn remove(path: &Path) {
    let done = fs::remove_file(path);
    assert!(
        done.is_ok(),
        "{} cannot be removed: {done:?}",
        path.display()
    );
    let mut above = path.parent();
    while let Some(folder) = above.filter(|folder| fs::remove_dir(folder).is_ok()) {
        above = folder.parent();
    }
}

/// Whether expectations are written instead of compared. Never on a machine that only checks.
pub(crate) fn blessing() -> bool {
    let set = |name| std::env::var(name).is_ok_and(|value| !value.is_empty() && value != "0");
    let wanted = set("BLESS");
    assert!(
        !(wanted && set("CI")),
        "BLESS is set where CI is: expectations are blessed by people, who read them"
    );
    wanted
}
