//! The files of a folder as the compiler asks for them.

use std::path::PathBuf;

use bzc::{ReadError, World};

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
        let full = self.root.join(path);
        if full.is_dir() {
            return Err(ReadError::IsDirectory);
        }
        if full.is_file() { Ok(corpus::bytes(&full)) } else { Err(ReadError::NotFound) }
    }
}
