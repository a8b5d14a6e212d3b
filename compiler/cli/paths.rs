//! Folders as arguments: the program that a folder stands for, and the programs below one.

use std::path::{Path, PathBuf};

use bzc::World as _;

use super::world::Disk;

/// The program that an argument names: a folder stands for the `budget.bz` in it.
pub(super) fn program(path: PathBuf) -> PathBuf {
    match path.is_dir() {
        true => path.join("budget.bz"),
        false => path,
    }
}

/// All programs that an argument of `fmt` names: a file is itself, a folder every `.bz` file below it, by name. Hidden
/// folders and those that hold what was installed or built are passed over.
pub(super) fn below(path: &Path) -> Vec<PathBuf> {
    if !path.is_dir() {
        return vec![path.to_path_buf()];
    }
    let disk = Disk::new(path.to_path_buf());
    let mut found = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        for entry in disk.list(&folder).unwrap_or_default() {
            let below = match folder.as_str() {
                "" => entry.name.clone(),
                folder => format!("{folder}/{}", entry.name),
            };
            let skipped = entry.name.starts_with('.')
                || ["node_modules", "target"].contains(&entry.name.as_str());
            if entry.is_folder && !skipped {
                folders.push(below);
            } else if !entry.is_folder && entry.name.ends_with(".bz") {
                found.push(path.join(below));
            }
        }
    }
    found.sort();
    found
}
