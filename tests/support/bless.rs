//! Files that hold what is expected: compared with what came out, or written by it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use similar::TextDiff;

use super::corpus;

/// Compares everything that came out with what is there; `BLESS=1` makes it so instead. `there` are the files on disk
/// that hold expectations: one of them that nothing came out for is stale.
pub(crate) fn settle(there: Vec<PathBuf>, came_out: &BTreeMap<PathBuf, Vec<u8>>) {
    let blessing = corpus::blessing();
    let mut faults = String::new();
    let stale = there.iter().filter(|path| !came_out.contains_key(*path));
    for path in stale {
        match blessing {
            true => corpus::remove(path),
            false => faults += &format!("{}: nothing comes out for it\n", corpus::shown(path)),
        }
    }
    for (path, new) in came_out {
        let old = path.is_file().then(|| corpus::bytes(path));
        if old.as_ref() == Some(new) {
            continue;
        }
        if blessing {
            corpus::replace(path, new);
            continue;
        }
        let name = corpus::shown(path);
        let old = old.unwrap_or_default();
        faults += &diff(
            &String::from_utf8_lossy(&old),
            &String::from_utf8_lossy(new),
            &name,
        );
        if old.is_empty() && new.is_empty() {
            let _ = writeln!(faults, "{name}: missing, and should be empty");
        }
    }
    assert!(
        faults.is_empty(),
        "not as expected; read the difference, then BLESS=1 cargo test\n{faults}"
    );
}

/// A unified diff, with a name for both sides.
pub(crate) fn diff(old: &str, new: &str, name: &str) -> String {
    let diff = TextDiff::from_lines(old, new);
    diff.unified_diff()
        .context_radius(2)
        .header(&format!("a/{name}"), &format!("b/{name}"))
        .to_string()
}

/// A whole folder of files against another, as one unified diff.
pub(crate) fn tree_diff(
    old: &BTreeMap<String, Vec<u8>>,
    new: &BTreeMap<String, Vec<u8>>,
) -> String {
    let mut text = String::new();
    let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        let side = |files: &BTreeMap<String, Vec<u8>>| {
            files
                .get(name)
                .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        };
        let (before, after) = (side(old), side(new));
        match (&before, &after) {
            (None, Some(_)) => text += &format!("only so: {name}\n"),
            (Some(_), None) => text += &format!("not so: {name}\n"),
            _ => {}
        }
        text += &diff(
            &before.unwrap_or_default(),
            &after.unwrap_or_default(),
            name,
        );
    }
    text
}

/// The files in and below a folder that are expectations.
pub(crate) fn there(folder: &Path, is_one: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    corpus::files(folder)
        .into_iter()
        .filter(|path| is_one(&corpus::below(path, folder)))
        .collect()
}
