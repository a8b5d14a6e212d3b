//! What an output is made of: files, most of which are printed only when somebody wants their bytes.

use std::fmt::{self, Debug, Formatter};
use std::sync::OnceLock;

/// One file of the output: its path below the output folder, with forward slashes, and its bytes.
pub type Artifact = (String, Vec<u8>);

/// All files of an output, sorted by path. The files of services are printed when they are asked for, by as many
/// threads as ask: ten thousand of them are compared with what is on disk without being held at once.
pub struct Files<'p>(Vec<(String, Content<'p>)>);

pub(super) enum Content<'p> {
    Printed(Vec<u8>),
    Later(Print<'p>),
    /// A large text that somebody else keeps, once it is made.
    Kept(&'p OnceLock<String>, Make<'p>),
}

/// Makes the text of a file.
pub(super) type Make<'p> = Box<dyn Fn() -> String + Send + Sync + 'p>;

/// Appends the text of a file.
pub(super) type Print<'p> = Box<dyn Fn(&mut String) + Send + Sync + 'p>;

impl<'p> Files<'p> {
    /// The files, in the order of their paths.
    pub(super) fn sorted(mut files: Vec<(String, Content<'p>)>) -> Files<'p> {
        files.sort_by(|(one, _), (other, _)| one.cmp(other));
        Files(files)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their paths, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(path, _)| path.as_str())
    }

    /// The place of a path among them.
    pub fn find(&self, path: &str) -> Option<usize> {
        let found = self
            .0
            .binary_search_by(|(other, _)| other.as_str().cmp(path));
        found.ok()
    }

    /// The path at a place below [`Files::len`].
    pub fn path(&self, at: usize) -> &str {
        &self.0[at].0
    }

    /// The bytes of the file at a place, which may come to stand in `buffer`.
    pub fn read<'b>(&'b self, at: usize, buffer: &'b mut String) -> &'b [u8] {
        match &self.0[at].1 {
            Content::Printed(bytes) => bytes,
            Content::Kept(text, make) => text.get_or_init(make).as_bytes(),
            Content::Later(print) => {
                buffer.clear();
                print(buffer);
                buffer.as_bytes()
            }
        }
    }

    /// Paths and bytes of all.
    pub fn all(&self) -> Vec<Artifact> {
        let mut buffer = String::new();
        (0..self.len())
            .map(|at| {
                (
                    self.path(at).to_owned(),
                    self.read(at, &mut buffer).to_vec(),
                )
            })
            .collect()
    }
}

/// Files whose bytes are there; they must be sorted by path, and no path may be there twice.
impl From<Vec<Artifact>> for Files<'_> {
    fn from(files: Vec<Artifact>) -> Self {
        let printed = |(path, bytes)| (path, Content::Printed(bytes));
        Files(files.into_iter().map(printed).collect())
    }
}

impl Debug for Files<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.paths()).finish()
    }
}
