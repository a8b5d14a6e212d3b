//! Which files an `adopt` means, and how they are read.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::{errors, helm};
use crate::base::encoding::text_of_bytes;
use crate::base::source::{Provenance, SourceMap};
use crate::base::span::{FileId, Span};
use crate::base::suggest::nearest;
use crate::base::text::{is_unseen, refused_in_yaml};
use crate::diag::Sink;
use crate::kustomize::{self, Files};
use crate::sema::assemble::lets::constants;
use crate::sema::load::Loaded;
use crate::sema::values::Cx;
use crate::syntax::ast::{Item, WordShape};
use crate::world::{Chart, Entry, ReadError, World, resolve};
use glob::{MatchOptions, Pattern};

/// All manifests of a program together have at most so many bytes.
const MOST_BYTES: usize = 48 << 20;
/// A walk gives up after so many files and asks for a narrower pattern.
const MOST_ENTRIES: usize = 100_000;
/// Folders below folders.
const DEEPEST: usize = 32;
/// What marks a folder that bzc wrote.
const OUTPUT: &str = ".bzc-manifest.json";

/// Why a file is adopted.
#[derive(Debug, Clone)]
pub(super) struct By {
    /// The pattern that means it.
    pub(super) at: Span,
    /// Whether that may mean what is no manifest, too.
    pub(super) is_wild: bool,
    /// Whether it comes back below a kustomization.
    pub(super) by_kustomize: bool,
    /// The chart that it is rendered from, if it is no file of the project.
    pub(super) chart: Option<Chart>,
}

/// The files that all `adopt` at the top of all files mean, by their paths, and whether something is wrong with that.
pub(super) fn taken(
    world: &dyn World,
    loaded: &Loaded,
    sink: &mut Sink,
) -> (BTreeMap<String, By>, bool) {
    let mut taken: BTreeMap<String, By> = BTreeMap::new();
    let mut is_wrong = false;
    let text = |span| loaded.sources.text(span);
    let items = loaded.files.iter().flat_map(|file| &file.items);
    for item in items.filter(|item| text(item.key.span) == "adopt") {
        let from = &loaded.sources.file(item.key.span.file).name;
        let by_kustomize = loaded.entries(item, "patch").any(|item| {
            let value = item.value.as_ref();
            value.is_some_and(|value| text(value.span) == "kustomize")
        });
        let mut excepts = excepts(item, loaded, from, sink);
        for name in item
            .names
            .iter()
            .filter(|name| name.shape == WordShape::Quoted)
        {
            let (at, written) = (name.span, text(name.span).trim_matches('"'));
            let chart = match helm::chart(world, item, loaded, written) {
                Some(Ok(chart)) => Some(chart),
                Some(Err(why)) => {
                    sink.push(errors::no_chart(written, &why, at));
                    is_wrong = true;
                    continue;
                }
                None => None,
            };
            let paths = match &chart {
                Some(chart) => Some(vec![format!("helm/{}.yaml", chart.release)]),
                None => matching(world, from, written, at, sink),
            };
            let Some(paths) = paths else {
                is_wrong = true;
                continue;
            };
            for path in paths {
                let mut is_excepted = false;
                for except in excepts.iter_mut().filter(|one| one.takes(&path)) {
                    (except.is_used, is_excepted) = (true, true);
                }
                if is_excepted {
                    continue;
                }
                if let Some(first) = taken.get(&path) {
                    sink.push(errors::adopted_twice(&world.shown(&path), first.at, at));
                    is_wrong = true;
                    continue;
                }
                let is_wild = is_wild(written);
                taken.insert(
                    path,
                    By {
                        at,
                        is_wild,
                        by_kustomize,
                        chart: chart.clone(),
                    },
                );
            }
        }
        for except in excepts.iter().filter(|except| !except.is_used) {
            sink.push(errors::excepts_nothing(&except.written, except.at));
        }
    }
    (taken, is_wrong)
}

/// A pattern of `except`.
struct Except {
    written: String,
    at: Span,
    /// The folder that its paths count from, with the `/` at its end.
    below: String,
    pattern: Pattern,
    is_used: bool,
}

impl Except {
    fn takes(&self, path: &str) -> bool {
        const OPTIONS: MatchOptions = MatchOptions {
            case_sensitive: true,
            require_literal_separator: true,
            require_literal_leading_dot: false,
        };
        let inside = path.strip_prefix(&self.below);
        inside.is_some_and(|inside| self.pattern.matches_with(inside, OPTIONS))
    }
}

/// The patterns of `except`. What else is wrong with the field is said where the other fields are read.
fn excepts(item: &Item, loaded: &Loaded, from: &str, sink: &mut Sink) -> Vec<Except> {
    let mut excepts = Vec::new();
    for field in loaded.entries(item, "except") {
        let cx = Cx {
            sources: &loaded.sources,
            sink: RefCell::default(),
            lets: BTreeMap::new(),
            tracer: None,
        };
        let cx = constants(cx, loaded);
        let Some(list) = field.value.as_ref().and_then(|value| cx.list(value)) else {
            continue;
        };
        for one in list {
            let Some(written) = cx.string(one) else {
                continue;
            };
            let folder = from
                .rsplit_once('/')
                .map(|(folder, _)| format!("{folder}/"));
            match Pattern::new(written.trim_start_matches("./")) {
                Ok(pattern) => excepts.push(Except {
                    pattern,
                    at: one.span,
                    below: folder.unwrap_or_default(),
                    written: written.into_owned(),
                    is_used: false,
                }),
                Err(error) => sink.push(errors::not_a_pattern(&written, error.msg, one.span)),
            }
        }
    }
    excepts
}

fn is_wild(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// Why a file is not read.
#[derive(Debug, Clone)]
pub(super) enum Refusal {
    /// With it there are more bytes than bzc reads.
    TooMuch,
    /// Anything else, in words.
    Unreadable(String),
    /// It is no text, from this line on.
    NoText(usize),
}

/// The files of a program's manifests, each read once.
pub(super) struct Reading<'w> {
    world: &'w dyn World,
    sources: &'w mut SourceMap,
    bytes_left: usize,
    known: BTreeMap<String, Result<FileId, Refusal>>,
}

impl<'w> Reading<'w> {
    pub(super) fn new(world: &'w dyn World, sources: &'w mut SourceMap) -> Reading<'w> {
        Reading {
            world,
            sources,
            bytes_left: MOST_BYTES,
            known: BTreeMap::new(),
        }
    }

    pub(super) fn sources(&self) -> &SourceMap {
        self.sources
    }

    pub(super) fn shown(&self, path: &str) -> String {
        self.world.shown(path)
    }

    /// What bzc reads of manifests at the most, in MiB.
    pub(super) fn most_mib() -> usize {
        MOST_BYTES >> 20
    }

    pub(super) fn file(&mut self, path: &str) -> Result<FileId, Refusal> {
        if let Some(known) = self.known.get(path) {
            return known.clone();
        }
        let read = self.read_once(path);
        self.known.insert(path.to_owned(), read.clone());
        read
    }

    /// What a chart renders to, by the path that it goes by.
    pub(super) fn rendered(&mut self, path: &str, chart: &Chart) -> Result<FileId, Refusal> {
        let bytes = helm::rendered(self.world, chart).map_err(Refusal::Unreadable)?;
        self.add(path, bytes)
    }

    fn read_once(&mut self, path: &str) -> Result<FileId, Refusal> {
        if path.chars().any(is_unseen) {
            let why = "its path has a character that is not seen";
            return Err(Refusal::Unreadable(why.to_owned()));
        }
        let bytes = self.world.read(path);
        let bytes = bytes.map_err(|why| Refusal::Unreadable(why.to_string()))?;
        self.add(path, bytes)
    }

    fn add(&mut self, path: &str, bytes: Vec<u8>) -> Result<FileId, Refusal> {
        let left = self.bytes_left.checked_sub(bytes.len());
        self.bytes_left = left.ok_or(Refusal::TooMuch)?;
        let text = text_of_bytes(bytes).map_err(|error| {
            let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            Refusal::NoText(before.iter().filter(|byte| **byte == b'\n').count() + 1)
        })?;
        if let Some((at, c)) = refused_in_yaml(&text) {
            let line = text[..at].matches('\n').count() + 1;
            let code = c.escape_unicode();
            let why =
                format!("line {line} has the character `{code}`, which readers of YAML refuse");
            return Err(Refusal::Unreadable(why));
        }
        let shown = self.world.shown(path);
        Ok(self
            .sources
            .add(path.to_owned(), shown, text, Provenance::Manifest))
    }
}

impl Files for Reading<'_> {
    fn read(&mut self, path: &str) -> Result<FileId, String> {
        self.file(path).map_err(|refusal| match refusal {
            Refusal::TooMuch => format!("all manifests have more than {} MiB", Self::most_mib()),
            Refusal::Unreadable(why) => why,
            Refusal::NoText(line) => format!("line {line} of it is not UTF-8"),
        })
    }

    fn text(&self, file: FileId) -> &str {
        &self.sources.file(file).text
    }

    fn kustomization(&self, folder: &str) -> Option<String> {
        kustomization_in(self.world, folder)
    }

    fn is_output(&self, path: &str) -> bool {
        let ends = path.match_indices('/').map(|(at, _)| &path[..at]);
        ends.into_iter()
            .any(|folder| self.world.read(&format!("{folder}/{OUTPUT}")).is_ok())
    }
}

/// Whether a folder is a chart of Helm.
fn is_chart(world: &dyn World, folder: &str) -> bool {
    world.read(&format!("{folder}/{}", helm::CHART)).is_ok()
}

/// The kustomization in a folder, if it is a folder and has one.
pub(super) fn kustomization_in(world: &dyn World, folder: &str) -> Option<String> {
    let folder = if folder == "." { "" } else { folder };
    let entries = world.list(folder).ok()?;
    let names: BTreeSet<String> = entries.into_iter().map(|entry| entry.name).collect();
    let name = kustomize::FILES
        .iter()
        .find(|name| names.contains(**name))?;
    Some(match folder {
        "" => (*name).to_owned(),
        folder => format!("{folder}/{name}"),
    })
}

/// All files that a pattern means, sorted. `None` if there is none, which is reported.
fn matching(
    world: &dyn World,
    from: &str,
    written: &str,
    at: Span,
    sink: &mut Sink,
) -> Option<Vec<String>> {
    // A folder that is named means its kustomization, as it does for kustomize.
    if !is_wild(written)
        && let Some(folder) = resolve(from, written)
        && let Some(path) = kustomization_in(world, &folder)
    {
        return Some(vec![path]);
    }
    let parts: Vec<&str> = written.split('/').collect();
    let first_wild = parts
        .iter()
        .position(|part| is_wild(part))
        .unwrap_or(parts.len().saturating_sub(1));
    let (fixed, rest) = parts.split_at(first_wild);
    let folder = if fixed.is_empty() {
        "./x".to_owned()
    } else {
        format!("{}/x", fixed.join("/"))
    };
    let Some(folder) = resolve(from, &folder) else {
        sink.push(errors::adopt_outside(written, at));
        return None;
    };
    let folder = folder
        .strip_suffix('x')
        .unwrap_or(&folder)
        .trim_end_matches('/')
        .to_owned();
    let pattern = match Pattern::new(&rest.join("/")) {
        Ok(pattern) => pattern,
        Err(error) => {
            sink.push(errors::not_a_pattern(written, error.msg, at));
            return None;
        }
    };
    let depth = if rest.contains(&"**") {
        DEEPEST
    } else {
        rest.len()
    };
    let mut walk = Walk {
        world,
        pattern,
        found: Vec::new(),
        near: Vec::new(),
        seen: 0,
    };
    let done = walk.folder(&folder, "", depth);
    if let Err((path, why)) = done {
        // A folder that does not exist holds no file that matches, which is reported below.
        if why != ReadError::NotFound {
            sink.push(errors::manifest_unreadable(
                &world.shown(&path),
                &why.to_string(),
                at,
            ));
            return None;
        }
    }
    if walk.seen > MOST_ENTRIES {
        sink.push(errors::too_many_files(MOST_ENTRIES, at));
        return None;
    }
    if walk.found.is_empty()
        && resolve(from, written).is_some_and(|folder| is_chart(world, &folder))
    {
        sink.push(errors::chart_as_files(written, at));
        return None;
    }
    if walk.found.is_empty() {
        let near = nearest(written, walk.near.iter().map(String::as_str)).map(str::to_owned);
        sink.push(errors::matches_no_file(written, near.as_deref(), at));
        return None;
    }
    walk.found.sort();
    Some(walk.found)
}

struct Walk<'w> {
    world: &'w dyn World,
    pattern: Pattern,
    found: Vec<String>,
    /// Other files in the folder, for "did you mean".
    near: Vec<String>,
    seen: usize,
}

impl Walk<'_> {
    /// `below` is what lies between the folder the pattern begins in and this one.
    fn folder(
        &mut self,
        folder: &str,
        below: &str,
        depth: usize,
    ) -> Result<(), (String, ReadError)> {
        const OPTIONS: MatchOptions = MatchOptions {
            case_sensitive: true,
            require_literal_separator: true,
            require_literal_leading_dot: true,
        };
        let names = self
            .world
            .list(folder)
            .map_err(|why| (folder.to_owned(), why))?;
        // A folder that bzc wrote is never its input.
        if names.iter().any(|entry| entry.name == OUTPUT) {
            return Ok(());
        }
        let join = |folder: &str, name: &str| {
            if folder.is_empty() {
                name.to_owned()
            } else {
                format!("{folder}/{name}")
            }
        };
        for Entry {
            name, is_folder, ..
        } in names
        {
            self.seen += 1;
            if self.seen > MOST_ENTRIES {
                return Ok(());
            }
            let inside = join(below, &name);
            if is_folder {
                let path = join(folder, &name);
                if kustomization_in(self.world, &path).is_some() {
                    self.near.push(path);
                }
                if depth > 1 && !name.starts_with('.') {
                    self.folder(&join(folder, &name), &inside, depth - 1)?;
                }
            } else if self.pattern.matches_with(&inside, OPTIONS) {
                self.found.push(join(folder, &name));
            } else if name.ends_with(".yaml") || name.ends_with(".yml") {
                self.near.push(join(folder, &name));
            }
        }
        Ok(())
    }
}
