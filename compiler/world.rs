//! The compiler's only way to read files: the caller hands in a [`World`]. The command line gives the disk, tests and
//! editors give files in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Sources larger than this are refused: 32 MiB is a program of some hundred thousand services.
pub const MAX_SOURCE_BYTES: u64 = 32 << 20;

/// Why a file could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadError {
    /// There is no such file.
    NotFound,
    /// It is a folder.
    IsDirectory,
    /// It has more than [`MAX_SOURCE_BYTES`].
    TooLarge(u64),
    /// It lies outside the project, by way of a symbolic link.
    Outside,
    /// Anything else, in the words of the system.
    Other(String),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::NotFound => f.write_str("no such file"),
            ReadError::IsDirectory => f.write_str("it is a folder"),
            ReadError::TooLarge(bytes) => {
                write!(
                    f,
                    "it has {}, more than the {} bzc reads",
                    mib(*bytes),
                    mib(MAX_SOURCE_BYTES)
                )
            }
            ReadError::Outside => f.write_str("it is a link that leads out of the project"),
            ReadError::Other(why) => f.write_str(why),
        }
    }
}

fn mib(bytes: u64) -> String {
    crate::base::quantity::in_mib(bytes)
}

/// What a folder holds: a file or another folder. A link to a file is that file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Its name in the folder.
    pub name: String,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// How large a file is.
    pub bytes: u64,
}

/// A chart of the project that a program wants rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// Its folder, from that of the program.
    pub folder: String,
    /// The name of its release.
    pub release: String,
    /// The namespace of its release.
    pub namespace: Option<String>,
    /// Files of values, from the folder of the program, later ones over earlier ones.
    pub values: Vec<String>,
    /// Where what it renders to is kept, by the hash of all that it is made of.
    pub kept: String,
}

/// Where sources come from.
pub trait World {
    /// The bytes of a file, by its path relative to the folder of the program: forward slashes, no `.`, and no `..` but at
    /// the beginning, where a program uses a file of the same repository.
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError>;

    /// What is directly in a folder, sorted by name; the empty path is the folder of the program. A link to a
    /// folder is left out, so that no walk goes in circles.
    fn list(&self, folder: &str) -> Result<Vec<Entry>, ReadError>;

    /// What `helm template` prints of a chart, or why it cannot be had. It is asked only where nothing is kept at
    /// [`Chart::kept`].
    fn helm(&self, _chart: &Chart) -> Result<Vec<u8>, String> {
        Err("nothing here runs helm".to_owned())
    }

    /// The path of this file in messages, from where the user started bzc. Outputs never contain it.
    fn shown(&self, path: &str) -> String {
        path.to_owned()
    }
}

/// A world with some files as they are not on disk, or not yet: edited, or still to be written.
#[derive(Clone)]
pub struct Overlay<'w> {
    world: &'w dyn World,
    files: BTreeMap<String, Vec<u8>>,
}

impl<'w> Overlay<'w> {
    /// The world with these files, by their paths, in place of or beside its own.
    pub fn new(world: &'w dyn World, files: BTreeMap<String, Vec<u8>>) -> Overlay<'w> {
        Overlay { world, files }
    }

    /// These files, by their paths.
    pub fn files(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.files
    }

    /// The text of such a file.
    pub fn text(&self, path: &str) -> Option<&str> {
        std::str::from_utf8(self.files.get(path)?).ok()
    }
}

impl fmt::Debug for Overlay<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.files.keys()).finish()
    }
}

impl World for Overlay<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        match self.files.get(path) {
            Some(bytes) => Ok(bytes.clone()),
            None => self.world.read(path),
        }
    }

    fn list(&self, folder: &str) -> Result<Vec<Entry>, ReadError> {
        let mut entries = self.world.list(folder)?;
        let known: BTreeSet<String> = entries.iter().map(|entry| entry.name.clone()).collect();
        let directly = |path: &str| match (folder, path.rsplit_once('/')) {
            ("", None) => Some(path.to_owned()),
            (folder, Some((above, name))) if above == folder => Some(name.to_owned()),
            _ => None,
        };
        for (path, bytes) in &self.files {
            if let Some(name) = directly(path).filter(|name| !known.contains(name)) {
                entries.push(Entry {
                    name,
                    is_folder: false,
                    bytes: bytes.len() as u64,
                });
            }
        }
        entries.sort();
        Ok(entries)
    }

    fn helm(&self, chart: &Chart) -> Result<Vec<u8>, String> {
        self.world.helm(chart)
    }

    fn shown(&self, path: &str) -> String {
        self.world.shown(path)
    }
}

/// A world of files held in memory.
#[derive(Debug, Default, Clone)]
pub struct MemoryWorld {
    files: BTreeMap<String, Vec<u8>>,
}

impl MemoryWorld {
    /// A world with one file.
    pub fn with(path: impl Into<String>, text: impl Into<Vec<u8>>) -> MemoryWorld {
        let mut world = MemoryWorld::default();
        world.insert(path, text);
        world
    }

    /// Adds or replaces a file.
    pub fn insert(&mut self, path: impl Into<String>, text: impl Into<Vec<u8>>) {
        self.files.insert(path.into(), text.into());
    }
}

impl World for MemoryWorld {
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        self.files.get(path).cloned().ok_or(ReadError::NotFound)
    }

    fn list(&self, folder: &str) -> Result<Vec<Entry>, ReadError> {
        let below = if folder.is_empty() {
            String::new()
        } else {
            format!("{folder}/")
        };
        let mut found: BTreeMap<&str, Entry> = BTreeMap::new();
        for (path, bytes) in self.files.range(below.clone()..) {
            let Some(rest) = path.strip_prefix(&below) else {
                break;
            };
            let (name, is_folder) = rest
                .split_once('/')
                .map_or((rest, false), |(name, _)| (name, true));
            let size = if is_folder { 0 } else { bytes.len() as u64 };
            found.entry(name).or_insert_with(|| Entry {
                name: name.to_owned(),
                is_folder,
                bytes: size,
            });
        }
        // A folder exists if it has something in it.
        if found.is_empty() {
            Err(ReadError::NotFound)
        } else {
            Ok(found.into_values().collect())
        }
    }
}

/// `path` as seen from the folder of `from`, in normal form; `None` if it climbs out of the root or is absolute.
pub(crate) fn resolve(from: &str, path: &str) -> Option<String> {
    let unix = path.replace('\\', "/");
    if unix.starts_with('/') || unix.as_bytes().get(1) == Some(&b':') {
        return None;
    }
    let climbs = |path: &str| path.split('/').take_while(|part| *part == "..").count();
    let whole = normal(from, &unix);
    (climbs(&whole) <= climbs(from)).then_some(whole)
}

/// As [`resolve`], but the path may climb out of the folder of the program: then it begins with `..`, once for each folder.
/// `None` if it is absolute.
pub(crate) fn resolve_above(from: &str, path: &str) -> Option<String> {
    let unix = path.replace('\\', "/");
    let is_absolute = unix.starts_with('/') || unix.contains(':');
    (!is_absolute).then(|| normal(from, &unix))
}

/// A relative path as seen from the folder of `from`, with `..` at its beginning alone.
fn normal(from: &str, path: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match (part, parts.last()) {
            ("" | ".", _) => {}
            ("..", Some(last)) if *last != ".." => _ = parts.pop(),
            (part, _) => parts.push(part),
        }
    }
    parts.join("/")
}

/// Whether a path leads out of the folder of the program.
pub(crate) fn is_above(path: &str) -> bool {
    path.starts_with("../")
}

#[cfg(test)]
mod tests {
    use super::{resolve, resolve_above};

    #[test]
    fn a_used_file_may_lie_above() {
        let above = |from, path| resolve_above(from, path);
        assert_eq!(above("budget.bz", "tiers.bz").as_deref(), Some("tiers.bz"));
        assert_eq!(
            above("budget.bz", "../shared/tiers.bz").as_deref(),
            Some("../shared/tiers.bz")
        );
        assert_eq!(above("a/b.bz", "../../c.bz").as_deref(), Some("../c.bz"));
        assert_eq!(above("b.bz", "../../c.bz").as_deref(), Some("../../c.bz"));
        assert_eq!(
            above("../shared/tiers.bz", "more.bz").as_deref(),
            Some("../shared/more.bz")
        );
        assert_eq!(
            above("../shared/tiers.bz", "../c.bz").as_deref(),
            Some("../c.bz")
        );
        assert_eq!(
            above("../shared/tiers.bz", "../../c.bz").as_deref(),
            Some("../../c.bz")
        );
        assert_eq!(above("budget.bz", "/etc/passwd"), None);
        assert_eq!(above("budget.bz", "../C:/x.bz"), None);
        assert_eq!(
            above("budget.bz", "a/../../c.bz").as_deref(),
            Some("../c.bz")
        );
    }

    #[test]
    fn paths_stay_inside_the_root() {
        assert_eq!(
            resolve("budget.bz", "tiers.bz").as_deref(),
            Some("tiers.bz")
        );
        assert_eq!(resolve("a/b.bz", "../c.bz").as_deref(), Some("c.bz"));
        assert_eq!(resolve("a/b.bz", "./d/./e.bz").as_deref(), Some("a/d/e.bz"));
        assert_eq!(resolve("budget.bz", "../c.bz"), None);
        assert_eq!(resolve("../shared/a.bz", "../../c.bz"), None);
        assert_eq!(
            resolve("../shared/a.bz", "b.conf").as_deref(),
            Some("../shared/b.conf")
        );
        assert_eq!(resolve("budget.bz", "/etc/passwd"), None);
        assert_eq!(resolve("budget.bz", "C:\\x.bz"), None);
    }
}
