//! From manifests that were read to `adopt`: few patterns that mean them and no other file. The pods of those that cannot
//! be adopted are counted by `others`, so that nothing is proved without them.

use std::collections::{BTreeMap, BTreeSet};

use super::pods::Pods;
use super::sort::Manifest;
use super::tree::{Block, Item, Name, Value, said};
use crate::base::quantity::MIB;
use crate::world::World;

/// What is put in for a container without a limit, until the user says better.
const UNLIMITED: u64 = 128 * MIB;

/// How many entries of folders are looked at.
const MOST_ENTRIES: usize = 50_000;
/// How many files a pattern leaves out at the most.
const MOST_EXCEPT: usize = 24;
/// What marks a folder that bzc wrote.
const OUTPUT: &str = ".bzc-manifest.json";

/// A pattern, and the files that it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    pub(super) text: String,
    pub(super) files: Vec<String>,
    /// What it would mean as well.
    except: Vec<String>,
}

/// A manifest that is adopted.
#[derive(Debug, Clone, Default)]
struct Entry {
    /// The pods of its workloads.
    pods: Vec<Pods>,
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
    /// The pods of what is left out, each with its file.
    others: Vec<(String, Pods)>,
    /// Whether patterns may leave out files that they would mean.
    may_except: bool,
    /// Whether an overlay was left out in this round.
    has_left_overlay: bool,
}

/// Whether a manifest has nothing but nodes.
fn is_of_nodes(manifest: &Manifest) -> bool {
    let mut objects = manifest.objects.iter();
    !manifest.objects.is_empty() && objects.all(|object| object.text_at(&["kind"]) == Some("Node"))
}

impl Adopted {
    /// Takes the manifests that lie in the folder of the program.
    pub(super) fn of(manifests: &[Manifest]) -> Adopted {
        let mut adopted = Adopted {
            may_except: true,
            ..Adopted::default()
        };
        for manifest in manifests {
            match &manifest.path {
                Some(path) => {
                    let entry = Entry {
                        pods: manifest.pods.clone(),
                        unlimited: manifest.unlimited,
                        is_named: manifest.is_named,
                        is_template: manifest.objects.is_empty(),
                    };
                    adopted.files.insert(path.clone(), entry);
                }
                // All of a node was read.
                None if is_of_nodes(manifest) => {}
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
        let entry = self.files.remove(path).unwrap_or_default();
        self.left.push(format!("{}: {why}", said(path)));
        if !is_counted_elsewhere(why) {
            let pods = entry.pods.into_iter();
            self.others.extend(pods.map(|pods| (path.to_owned(), pods)));
        }
        true
    }

    /// Leaves out what is refused in a file, or what brings it: the other file that it clashes with, or a kustomization.
    pub(super) fn refuse(&mut self, path: &str, other: Option<&str>, why: &str) -> bool {
        if why.starts_with(TWICE) {
            return self.leave_overlay(path, why);
        }
        if self.leave(path, why) {
            return true;
        }
        // It was left out before, and a kustomization has it still.
        if let Some(other) = other
            && self.leave(other, why)
        {
            let gone = format!("{}: ", said(path));
            self.left.retain(|left| !left.starts_with(&gone));
            self.others.retain(|(file, _)| file != path);
            return true;
        }
        let name = |file: &&String| file.rsplit('/').next().is_some_and(is_kustomization);
        let is_near = |file: &&String| {
            let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
            path.starts_with(folder)
        };
        let all: Vec<String> = self.files.keys().filter(name).cloned().collect();
        let nearest = all.iter().filter(is_near).max_by_key(|file| file.len());
        let kustomization = nearest.or(all.last()).cloned();
        let why = format!("it brings {}: {why}", said(path));
        kustomization.is_some_and(|file| self.leave(&file, &why))
    }

    /// Leaves out one of several kustomizations that take a file: the first of those that lie nearest to it, but one a
    /// round, for the next may not be needed.
    fn leave_overlay(&mut self, path: &str, why: &str) -> bool {
        if std::mem::replace(&mut self.has_left_overlay, true) {
            return true;
        }
        let (own, _) = path.rsplit_once('/').unwrap_or_default();
        let shared = |file: &str| {
            let pairs = file.split('/').zip(path.split('/'));
            pairs.take_while(|(a, b)| a == b).count()
        };
        let overlays = self.files.keys().rev().filter(|file| {
            let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
            is_kustomization(name) && folder != own
        });
        let nearest = overlays.max_by_key(|file| shared(file)).cloned();
        nearest.is_some_and(|file| self.leave(&file, why))
    }

    /// Begins a round: another overlay may be left out.
    pub(super) fn begin_round(&mut self) {
        self.has_left_overlay = false;
    }

    /// Leaves out all files: nothing else would make a program that compiles.
    pub(super) fn leave_all(&mut self, why: &str) -> bool {
        let all = self.paths();
        all.iter()
            .fold(false, |any, path| any | self.leave(path, why))
    }

    /// Has no pattern leave out files that it would mean. `false` if none does already.
    pub(super) fn forbid_except(&mut self) -> bool {
        std::mem::take(&mut self.may_except)
    }

    /// Forgets the pods of the left out at this place, for `others` cannot say them.
    pub(super) fn forget(&mut self, index: usize) -> bool {
        let is_there = index < self.others.len();
        if is_there {
            self.others.remove(index);
        }
        is_there
    }

    /// `others` for the pods of what is left out.
    pub(super) fn others(&self) -> Vec<Item> {
        let mut names: BTreeSet<Name> = BTreeSet::new();
        let mut items = Vec::new();
        for (file, pods) in &self.others {
            let near = Name::near(&pods.name, 50).or_else(|| Name::of("left-out"));
            let wanted = near.into_iter().flat_map(|name| {
                let numbered = (2..1000).filter_map({
                    let name = name.clone();
                    move |n| Name::of(&format!("{}-{n}", name.as_str()))
                });
                std::iter::once(name.clone()).chain(numbered)
            });
            let mut wanted = wanted.filter(|name| !names.contains(name));
            let Some(name) = wanted.next() else {
                continue;
            };
            names.insert(name.clone());
            items.push(Item::Block(pods.block(&name, file)));
        }
        items
    }

    /// One `adopt` a pattern.
    pub(super) fn items(&self, world: &dyn World) -> Vec<(Item, Vec<String>)> {
        let mut items = Vec::new();
        for pattern in self.patterns(world) {
            let text = std::slice::from_ref(&pattern.text);
            let mut block = Block::texts("adopt", text, "");
            if !pattern.except.is_empty() {
                let except = pattern
                    .except
                    .iter()
                    .map(|path| Value::text(&escaped(path)));
                block.put("except", Value::list(except));
            }
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
                    may_except: self.may_except,
                };
                walk.below("", &mut patterns);
            }
        }
        for pattern in &mut patterns {
            if let [file] = pattern.files.as_slice()
                && pattern.except.is_empty()
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
        except: Vec::new(),
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
    may_except: bool,
}

/// The files in and below a folder.
#[derive(Debug, Default)]
struct Below {
    meant: Vec<String>,
    others: Vec<String>,
    /// Whether not everything was looked at.
    is_cut: bool,
}

impl Below {
    /// Whether one pattern may stand for all that is meant: there are few others, and they can be left out.
    fn is_one(&self, may_except: bool) -> bool {
        let few = self.others.len() * 4 <= self.meant.len() && self.others.len() <= MOST_EXCEPT;
        let few = may_except && few;
        self.meant.len() > 1 && !self.is_cut && (few || self.others.is_empty())
    }

    fn pattern(self, text: String) -> Pattern {
        Pattern {
            text,
            files: self.meant,
            except: self.others,
        }
    }
}

impl Walk<'_> {
    /// Puts patterns for what lies in a folder, and gives the files.
    fn below(&mut self, in_folder: &str, patterns: &mut Vec<Pattern>) -> Below {
        let entries = self.world.list(in_folder).unwrap_or_default();
        let Some(left) = self.left.checked_sub(entries.len()) else {
            return Below {
                is_cut: true,
                ..Below::default()
            };
        };
        self.left = left;
        // What bzc wrote no pattern means.
        if entries.iter().any(|entry| entry.name == OUTPUT) {
            return Below::default();
        }
        let path = |name: &str| match in_folder {
            "" => name.to_owned(),
            in_folder => format!("{in_folder}/{name}"),
        };
        let (mut here, mut all, mut inner) = (Below::default(), Below::default(), Vec::new());
        let mut folders_with = 0;
        for entry in entries.iter().filter(|entry| !entry.name.starts_with('.')) {
            let path = path(&entry.name);
            if entry.is_folder {
                let found = self.below(&path, &mut inner);
                folders_with += usize::from(!found.meant.is_empty());
                all.meant.extend(found.meant);
                all.others.extend(found.others);
                all.is_cut |= found.is_cut;
            } else if path.ends_with(self.ending) {
                match self.meant.contains(path.as_str()) {
                    true => here.meant.push(path),
                    false => here.others.push(path),
                }
            }
        }
        all.meant.extend(here.meant.iter().cloned());
        all.others.extend(here.others.iter().cloned());
        let of = |stars: &str| format!("{}{stars}{}", escaped(&path("")), self.ending);
        let several = inner.len() + usize::from(!here.meant.is_empty()) > 1;
        if folders_with > 0 && several && all.is_one(self.may_except) {
            let seen = Below {
                meant: all.meant.clone(),
                others: all.others.clone(),
                is_cut: false,
            };
            patterns.push(seen.pattern(of("**/*")));
            return all;
        }
        patterns.extend(inner);
        match here.is_one(self.may_except) {
            true => patterns.push(here.pattern(of("*"))),
            false => patterns.extend(here.meant.iter().map(|file| exact(file))),
        }
        all
    }
}

/// The names that a kustomization may have.
fn is_kustomization(name: &str) -> bool {
    ["kustomization.yaml", "kustomization.yml", "Kustomization"].contains(&name)
}

/// How the message about an object of two kustomizations begins.
const TWICE: &str = "two adopted kustomizations make ";

/// Whether what is left out for this reason counts as something else.
fn is_counted_elsewhere(why: &str) -> bool {
    why.ends_with("stands in the adopted manifests twice")
        || why.contains(TWICE)
        || why.ends_with("is declared, and adopted as well")
        || why.starts_with("K3s packages ")
}

#[cfg(test)]
mod tests {
    use crate::import::adopt::{Adopted, Entry};
    use crate::world::MemoryWorld;

    fn patterns(files: &[&str], others: &[&str]) -> Vec<String> {
        let may_except = others.len() * 4 <= files.len();
        let mut world = MemoryWorld::default();
        files
            .iter()
            .chain(others)
            .for_each(|file| world.insert(*file, ""));
        let mut adopted = Adopted {
            may_except,
            ..Adopted::default()
        };
        for file in files {
            let entry = Entry {
                is_template: file.contains("{{"),
                ..Entry::default()
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
