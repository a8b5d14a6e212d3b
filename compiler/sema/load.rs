//! A program and everything it uses: files of the project through `World`, modules of the library from the
//! binary. Each file once, circles and ways out of the project refused.

mod errors;

use std::collections::{BTreeMap, BTreeSet};

use crate::base::source::{Provenance, SourceFile, SourceMap};
use crate::base::span::{FileId, Span};
use crate::diag::Sink;
use crate::manifest::Manifest;
use crate::stdlib;
use crate::syntax::ast::{File, Item, WordShape};
use crate::syntax::parse;
use crate::world::{ReadError, World, resolve};

/// The files of a program, the program itself first.
#[derive(Debug)]
pub struct Loaded {
    /// Their texts.
    pub sources: SourceMap,
    /// Their trees, in the order of their ids.
    pub files: Vec<File>,
    /// Whether all braces pair. If not, only syntax errors are worth telling.
    pub braces_pair: bool,
    /// The manifests that the program adopts, sorted by path. Their texts are among the sources.
    pub manifests: Vec<Manifest>,
    /// Whether one of them could not be read, which was told.
    pub manifests_missing: bool,
}

/// `use` may chain this deep.
pub(crate) const MAX_USES: usize = 64;

pub(crate) struct Loader<'w> {
    world: &'w dyn World,
    loaded: Loaded,
    /// Path to id, for files that are done or being read. A project may call a file as the library calls its own.
    ids: BTreeMap<(Provenance, String), FileId>,
    /// The files being read, outermost first.
    chain: Vec<FileId>,
}

/// Reads `text`, the program called `name`, and what it uses.
pub fn load(world: &dyn World, name: &str, text: String, sink: &mut Sink) -> Loaded {
    let loaded = Loaded {
        sources: SourceMap::default(),
        files: Vec::new(),
        braces_pair: true,
        manifests: Vec::new(),
        manifests_missing: false,
    };
    let mut loader = Loader {
        world,
        loaded,
        ids: BTreeMap::new(),
        chain: Vec::new(),
    };
    loader.add(name.to_owned(), text, Provenance::Project, sink);
    loader.loaded
}

/// Adds a module of the library to what was loaded, unless it is there.
pub fn load_library(loaded: &mut Loaded, module: &str, sink: &mut Sink) {
    let name = format!("std/{module}.bz");
    let is_this = |file: &SourceFile| file.provenance == Provenance::Library && file.name == name;
    if loaded.sources.files().iter().any(is_this) {
        return;
    }
    if let Some(text) = stdlib::source(module) {
        let id = loaded
            .sources
            .add(name, text.to_owned(), Provenance::Library);
        let parsed = parse(id, text, sink);
        loaded.files.push(parsed.file);
    }
}

impl Loader<'_> {
    fn add(&mut self, name: String, text: String, provenance: Provenance, sink: &mut Sink) {
        let id = self.loaded.sources.add(name.clone(), text, provenance);
        let parsed = parse(id, &self.loaded.sources.file(id).text, sink);
        self.loaded.braces_pair &= parsed.braces_pair;
        let uses: Vec<(Span, WordShape)> = uses(&self.loaded.sources, &parsed.file.items);
        // Ids are given in the order files are met, and a file's tree is at the index of its id.
        self.loaded.files.push(parsed.file);
        self.ids.insert((provenance, name.clone()), id);
        self.chain.push(id);
        for (span, shape) in uses {
            match shape {
                WordShape::Quoted => self.use_file(&name, span, sink),
                WordShape::Joined => self.use_module(span, sink),
                WordShape::Bare => {
                    sink.push(errors::bare_use(self.loaded.sources.text(span), span))
                }
            }
        }
        self.chain.pop();
    }

    fn use_file(&mut self, from: &str, span: Span, sink: &mut Sink) {
        let quoted = self.loaded.sources.text(span);
        let written = quoted[1..quoted.len() - 1].to_owned();
        let Some(path) = resolve(from, &written) else {
            sink.push(errors::use_outside(&written, span));
            return;
        };
        let key = (Provenance::Project, path);
        if let Some(id) = self.ids.get(&key) {
            if self.chain.contains(id) {
                let circle = self.chain.iter().skip_while(|other| *other != id);
                let names: Vec<&str> = circle
                    .map(|id| self.loaded.sources.file(*id).name.as_str())
                    .chain([key.1.as_str()])
                    .collect();
                sink.push(errors::use_circle(&names.join(" uses "), span));
            }
            return;
        }
        if self.chain.len() >= MAX_USES {
            sink.push(errors::uses_too_deep(MAX_USES, span));
            return;
        }
        let (_, path) = key;
        match self.world.read(&path).map(String::from_utf8) {
            Ok(Ok(text)) => self.add(path, text, Provenance::Project, sink),
            Ok(Err(_)) => sink.push(errors::use_unreadable(&path, "it is not UTF-8", span)),
            Err(ReadError::Outside) => sink.push(errors::use_outside(&written, span)),
            Err(why) => sink.push(errors::use_unreadable(&path, &why.to_string(), span)),
        }
    }

    fn use_module(&mut self, span: Span, sink: &mut Sink) {
        let path = self.loaded.sources.text(span).to_owned();
        match path.strip_prefix("std.") {
            Some(module) if stdlib::MODULES.contains(&module) => {
                let name = format!("std/{module}.bz");
                let key = (Provenance::Library, name);
                if !self.ids.contains_key(&key) {
                    let text = stdlib::source(module).unwrap_or_default().to_owned();
                    self.add(key.1, text, Provenance::Library, sink);
                }
            }
            Some(module) => sink.push(errors::unknown_module(module, span)),
            None => sink.push(errors::bare_use(&path, span)),
        }
    }
}

/// What the top level of a file uses.
pub(crate) fn uses(sources: &SourceMap, items: &[Item]) -> Vec<(Span, WordShape)> {
    items
        .iter()
        .filter(|item| {
            item.value.is_none() && item.body.is_none() && sources.text(item.key.span) == "use"
        })
        .flat_map(|item| item.names.iter().map(|name| (name.span, name.shape)))
        .collect()
}

/// Adds the modules of the library that a program needs without naming them.
pub fn load_needed(loaded: &mut Loaded, sink: &mut Sink) {
    for module in library_needs(loaded) {
        load_library(loaded, &module, sink);
    }
}

/// Whether what was loaded needs the library's knowledge of K3s, and which runtimes it names.
pub(crate) fn library_needs(loaded: &Loaded) -> Vec<String> {
    let sources = &loaded.sources;
    let mut needs = Vec::new();
    let is_node = |item: &Item| sources.text(item.key.span) == "node";
    if loaded
        .files
        .iter()
        .flat_map(|file| &file.items)
        .any(is_node)
    {
        needs.push(stdlib::K3S.to_owned());
    }
    needs.extend(runtimes_named(loaded));
    needs
}

/// The library's runtimes whose names stand behind the word `runtime`, by their modules. One look at the text: a
/// large program names three of them ten thousand times.
pub(crate) fn runtimes_named(loaded: &Loaded) -> Vec<String> {
    let mut named = BTreeSet::new();
    for file in loaded.sources.files() {
        for (at, word) in file.text.match_indices("runtime") {
            let rest =
                file.text[at + word.len()..].trim_start_matches([' ', '=', '\t', '\n', '\r']);
            let end = rest
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'))
                .unwrap_or(rest.len());
            named.insert(&rest[..end]);
        }
    }
    let known = stdlib::RUNTIMES
        .iter()
        .filter(|(name, _)| named.contains(name));
    known.map(|(name, _)| format!("runtimes/{name}")).collect()
}
