//! The files of a folder as the compiler asks for them.

use std::path::PathBuf;

use bzc::{Entry, ReadError, World};

use super::corpus;

/// A folder and everything below it.
#[derive(Debug)]
pub(crate) struct Folder {
    root: PathBuf,
}

impl Folder {
    pub(crate) fn new(root: impl Into<PathBuf>) -> Folder {
        Folder { root: root.into() }
    }
}

impl World for Folder {
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        // No repository begins above a case.
        if path.starts_with("../") {
            return Err(ReadError::Outside);
        }
        let full = self.root.join(path);
        if full.is_dir() {
            return Err(ReadError::IsDirectory);
        }
        if full.is_file() {
            Ok(corpus::bytes(&full))
        } else {
            Err(ReadError::NotFound)
        }
    }

    fn list(&self, folder: &str) -> Result<Vec<Entry>, ReadError> {
        let full = self.root.join(folder);
        if !full.is_dir() {
            return Err(ReadError::NotFound);
        }
        let entry = |path: &PathBuf| {
            let is_folder = path.is_dir();
            let bytes = if is_folder {
                0
            } else {
                corpus::bytes(path).len() as u64
            };
            Entry {
                name: corpus::below(path, &full),
                is_folder,
                bytes,
            }
        };
        Ok(corpus::entries(&full).iter().map(entry).collect())
    }
}
