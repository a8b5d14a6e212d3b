//! From manifests that were read to `adopt`: the fewest patterns that mean them and no other file.

use std::collections::{BTreeMap, BTreeSet};

use super::sort::Manifest;
use super::tree::{Block, Item, Value, said};
use crate::base::quantity::MIB;
use crate::world::World;

/// What is put in for a container without a limit, until the user says better.
const UNLIMITED: u64 = 128 * MIB;

/// How many entries of folders are looked at.
const MOST_ENTRIES: usize = 50_000;
/// What marks a folder that bzc wrote.
const OUTPUT: &str = ".bzc-manifest.json";

/// A pattern, and the files that it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    pub(super) text: String,
    pub(super) files: Vec<String>,
}

/// A manifest that is adopted.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Containers without a limit.
    unlimited: usize,
    /// Whether the user named the file.
    is_named: bool,
    /// Whether it is a template, which a pattern may meet and a name may not.
    is_template: bool,
}

/// The manifests that a program adopts.
#[derive(Debug, Default)]
pub(super) struct Adopted {
    files: BTreeMap<String, Entry>,
    /// What is left out of them.
    pub(super) left: Vec<String>,
    /// What is said about all of them together.
    pub(super) notes: Vec<String>,
}

impl Adopted {
    /// Takes the manifests that lie in the folder of the program.
    pub(super) fn of(manifests: &[Manifest]) -> Adopted {
        let mut adopted = Adopted::default();
        for manifest in manifests {
            match &manifest.path {
                Some(path) => {
                    let entry = Entry {
                        unlimited: manifest.unlimited,
                        is_named: manifest.is_named,
                        is_template: manifest.objects.is_empty(),
                    };
                    adopted.files.insert(path.clone(), entry);
                }
                None => adopted.left.push(format!(
                    "{}: it is no file in the folder of the program, so `adopt` cannot name it",
                    said(&manifest.name)
                )),
            }
        }
        adopted
    }

    /// The files, by path.
    pub(super) fn paths(&self) -> Vec<String> {
        self.files.keys().cloned().collect()
    }

    /// Leaves a file out, or has a template met by a pattern, so that it is uncounted by name. `false` if it is none of
    /// them.
    pub(super) fn leave(&mut self, path: &str, why: &str) -> bool {
        let Some(entry) = self.files.get_mut(path) else {
            return false;
        };
        if why.contains("template") && !entry.is_template && !entry.is_named {
            entry.is_template = true;
            return true;
        }
        self.files.remove(path);
        self.left.push(format!("{}: {why}", said(path)));
        true
    }

    /// One `adopt` a pattern.
    pub(super) fn items(&self, world: &dyn World) -> Vec<(Item, Vec<String>)> {
        let mut items = Vec::new();
        for pattern in self.patterns(world) {
            let text = std::slice::from_ref(&pattern.text);
            let mut block = Block::texts("adopt", text, "");
            let unlimited = pattern.files.iter().filter_map(|file| self.files.get(file));
            let unlimited: usize = unlimited.map(|entry| entry.unlimited).sum();
            if unlimited > 0 {
                let note = match unlimited {
                    1 => {
                        "put in what the one container without a limit takes at the most".to_owned()
                    }
                    n => format!(
                        "put in what any of the {n} containers without a limit takes at the most"
                    ),
                };
                block.put_noted("unlimited", Value::memory(UNLIMITED), note);
            }
            items.push((Item::Block(block), pattern.files));
        }
        items
    }

    fn patterns(&self, world: &dyn World) -> Vec<Pattern> {
        let mut patterns = Vec::new();
        let mut free: BTreeSet<&str> = BTreeSet::new();
        for (path, entry) in &self.files {
            match entry.is_named {
                true => patterns.push(exact(path)),
                false => drop(free.insert(path)),
            }
        }
        for ending in [".json", ".yaml", ".yml"] {
            let of_ending = free.iter().copied().filter(|path| path.ends_with(ending));
            let of_ending: BTreeSet<&str> = of_ending.collect();
            if !of_ending.is_empty() {
                let mut walk = Walk {
                    world,
                    ending,
                    meant: &of_ending,
                    left: MOST_ENTRIES,
                };
                walk.below("", &mut patterns);
            }
        }
        for pattern in &mut patterns {
            if let [file] = pattern.files.as_slice()
                && self.files.get(file).is_some_and(|entry| entry.is_template)
            {
                pattern.text = met(file);
            }
        }
        patterns.sort_by(|a, b| a.text.cmp(&b.text));
        patterns
    }
}

fn exact(path: &str) -> Pattern {
    Pattern {
        text: escaped(path),
        files: vec![path.to_owned()],
    }
}

/// A path as a pattern that means it alone and is none of its name.
fn met(path: &str) -> String {
    let (folder, file) = match path.rsplit_once('/') {
        Some((folder, file)) => (format!("{}/", escaped(folder)), file),
        None => (String::new(), path),
    };
    let mut rest = file.chars();
    let first = rest.next().unwrap_or_default();
    format!("{folder}[{first}]{}", escaped(rest.as_str()))
}

/// A path as a pattern that means it alone.
fn escaped(path: &str) -> String {
    let mut out = String::new();
    for c in path.chars() {
        match c {
            '*' | '?' | '[' => out.extend(['[', c, ']']),
            c => out.push(c),
        }
    }
    out
}

/// A look for the files of one ending that are not meant.
struct Walk<'w> {
    world: &'w dyn World,
    ending: &'static str,
    meant: &'w BTreeSet<&'w str>,
    /// How many more entries are looked at: behind them everything may be.
    left: usize,
}

impl Walk<'_> {
    /// Puts patterns for what lies in a folder, and says whether everything in it with that ending is meant.
    fn below(&mut self, in_folder: &str, patterns: &mut Vec<Pattern>) -> bool {
        let (ending, meant) = (self.ending, self.meant);
        let entries = self.world.list(in_folder).unwrap_or_default();
        let Some(left) = self.left.checked_sub(entries.len()) else {
            return false;
        };
        self.left = left;
        // What bzc wrote no pattern means.
        if entries.iter().any(|entry| entry.name == OUTPUT) {
            return true;
        }
        let path = |name: &str| match in_folder {
            "" => name.to_owned(),
            in_folder => format!("{in_folder}/{name}"),
        };
        let seen = entries.iter().filter(|entry| !entry.name.starts_with('.'));
        let (folders, files): (Vec<_>, Vec<_>) = seen.partition(|entry| entry.is_folder);
        let files = files.into_iter().map(|entry| path(&entry.name));
        let files: Vec<String> = files.filter(|file| file.ends_with(ending)).collect();
        let mut all = files.iter().all(|file| meant.contains(file.as_str()));
        let (mut inner, mut folders_with) = (Vec::new(), 0);
        for entry in folders {
            let before = inner.len();
            all &= self.below(&path(&entry.name), &mut inner);
            folders_with += usize::from(inner.len() > before);
        }
        let here: Vec<String> = files
            .iter()
            .filter(|file| meant.contains(file.as_str()))
            .cloned()
            .collect();
        let several = here.len() + inner.len() > 1;
        if all && several && folders_with > 0 {
            let files = inner.into_iter().flat_map(|pattern| pattern.files);
            let files: Vec<String> = files.chain(here).collect();
            let text = format!("{}**/*{ending}", escaped(&path("")));
            patterns.push(Pattern { text, files });
            return true;
        }
        patterns.extend(inner);
        match here.len() == files.len() && here.len() > 1 {
            true => patterns.push(Pattern {
                text: format!("{}*{ending}", escaped(&path(""))),
                files: here,
            }),
            false => patterns.extend(here.iter().map(|file| exact(file))),
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use crate::import::adopt::{Adopted, Entry};
    use crate::world::MemoryWorld;

    fn patterns(files: &[&str], others: &[&str]) -> Vec<String> {
        let mut world = MemoryWorld::default();
        files
            .iter()
            .chain(others)
            .for_each(|file| world.insert(*file, ""));
        let mut adopted = Adopted::default();
        for file in files {
            let entry = Entry {
                unlimited: 0,
                is_named: false,
                is_template: file.contains("{{"),
            };
            adopted.files.insert((*file).to_owned(), entry);
        }
        let patterns = adopted.patterns(&world);
        patterns.into_iter().map(|pattern| pattern.text).collect()
    }

    #[test]
    fn a_folder_of_manifests_is_one_pattern() {
        let files = ["k8s/a.yaml", "k8s/b/c.yaml", "k8s/b/d.yaml"];
        assert_eq!(patterns(&files, &["k8s/x.txt"]), ["k8s/**/*.yaml"]);
        assert_eq!(patterns(&files, &["ci.yaml"]), ["k8s/**/*.yaml"]);
        assert_eq!(
            patterns(&files, &["ci.yaml", "k8s/values.yaml"]),
            ["k8s/a.yaml", "k8s/b/*.yaml"]
        );
    }

    #[test]
    fn a_file_with_signs_of_patterns_is_itself() {
        assert_eq!(patterns(&["[a]*.yaml"], &["b.yaml"]), ["[[]a][*].yaml"]);
        assert_eq!(patterns(&["k/{{.yaml"], &["k/b.yaml"]), ["k/[{]{.yaml"]);
    }
}
