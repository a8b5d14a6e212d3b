//! Which of the kustomizations that an `adopt` meets are built, and which files are read only through them.

use std::collections::{BTreeMap, BTreeSet};

use super::files::By;
use crate::kustomize::{Built, Files, Named, build, is_kustomization, named};

/// What a file is to the kustomizations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// A kustomization that is read: what it makes of other files, or where not `is_built` only what it makes itself.
    Root { is_built: bool },
    /// It is read through a kustomization.
    Elsewhere,
    /// A component that no kustomization takes.
    Unused,
}

/// What becomes of files.
#[derive(Debug, Default)]
pub(super) struct Chosen {
    /// Files that are not read by themselves.
    pub(super) parts: BTreeMap<String, Part>,
    /// The namespaces that kustomizations put the objects of files into, which are read by themselves.
    pub(super) namespaces: BTreeMap<String, String>,
    /// What the roots make, by their paths.
    pub(super) built: BTreeMap<String, Built>,
}

struct Choice<'f> {
    files: &'f mut dyn Files,
    taken: &'f BTreeMap<String, By>,
    all: BTreeMap<&'f str, Named>,
    seen: BTreeSet<String>,
    /// Files that are read by themselves although a kustomization names them.
    apart: BTreeSet<String>,
    chosen: Chosen,
}

/// Decides about every file that was met. A kustomization that another one takes is no root. A root that changes nothing
/// that is counted leaves its files to be read by themselves; any other is built, and what it names is read through it.
pub(super) fn choose(files: &mut dyn Files, taken: &BTreeMap<String, By>) -> Chosen {
    let mut all = BTreeMap::new();
    for path in taken.keys().filter(|path| is_kustomization(path)) {
        // Of what cannot be read the reader of manifests says why.
        if let Ok(named) = named(files, path) {
            all.insert(path.as_str(), named);
        }
    }
    let inner: BTreeSet<String> = all
        .values()
        .flat_map(|named| named.kustomizations.clone())
        .collect();
    let paths: Vec<&str> = all.keys().copied().collect();
    let mut choice = Choice {
        files,
        taken,
        all,
        seen: BTreeSet::new(),
        apart: BTreeSet::new(),
        chosen: Chosen::default(),
    };
    let outer = paths.iter().filter(|path| !inner.contains(**path));
    outer.for_each(|path| choice.visit(path));
    // Where kustomizations take each other in a circle, there is no outer one, and building says so.
    for path in &paths {
        let is_known = choice.chosen.parts.contains_key(*path);
        if !is_known {
            choice.visit(path);
        }
    }
    for path in &choice.apart {
        choice.chosen.parts.remove(path);
    }
    choice.chosen
}

impl Choice<'_> {
    fn visit(&mut self, path: &str) {
        if !self.seen.insert(path.to_owned()) {
            return;
        }
        let Some(named) = self.all.get(path) else {
            return;
        };
        if named.is_component {
            self.chosen
                .parts
                .entry(path.to_owned())
                .or_insert(Part::Unused);
            return;
        }
        let by_kustomize = self.taken.get(path).is_some_and(|by| by.by_kustomize);
        let mut names = named.files.iter().chain(&named.kustomizations);
        let is_plain = named.is_plain
            && !by_kustomize
            && (named.namespace.is_none() || named.kustomizations.is_empty())
            && names.all(|name| self.taken.contains_key(name));
        let root = Part::Root {
            is_built: !is_plain,
        };
        self.chosen.parts.insert(path.to_owned(), root);
        let built = build(self.files, path, !is_plain);
        if !is_plain {
            built.reached.iter().for_each(|path| self.elsewhere(path));
            self.chosen.built.insert(path.to_owned(), built);
            return;
        }
        self.chosen.built.insert(path.to_owned(), built);
        let Some(named) = self.all.get(path) else {
            return;
        };
        let (files, others) = (named.files.clone(), named.others.clone());
        let (namespace, inner) = (named.namespace.clone(), named.kustomizations.clone());
        others.iter().for_each(|other| self.elsewhere(other));
        for file in files {
            if let Some(namespace) = &namespace {
                self.chosen
                    .namespaces
                    .insert(file.clone(), namespace.clone());
            }
            self.apart.insert(file);
        }
        inner.iter().for_each(|path| self.visit(path));
    }

    fn elsewhere(&mut self, path: &str) {
        let part = self.chosen.parts.entry(path.to_owned());
        part.or_insert(Part::Elsewhere);
    }
}
