//! A program and everything it uses: files of the project through `World`, modules of the library from the
//! binary. Each file is read once; circles, and paths that lead out of the project, are refused.

mod errors;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use crate::base::source::{Provenance, SourceFile, SourceMap};
use crate::base::span::{FileId, Span};
use crate::diag::Sink;
use crate::manifest::Manifest;
use crate::stdlib;
use crate::syntax::ast::{File, Item, WordShape};
use crate::syntax::parse;
use crate::world::{ReadError, World, is_above, resolve_above};

/// The files of a program, the program itself first.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// Their texts.
    pub sources: SourceMap,
    /// Their trees, in the order they were met. Those of the library are shared with other programs.
    pub files: Vec<Arc<File>>,
    /// Whether all braces pair. If they do not, only syntax errors are reported.
    pub braces_pair: bool,
    /// The manifests that the program adopts, sorted by path. Their texts are among the sources.
    pub manifests: Vec<Manifest>,
    /// Whether one of them could not be read, which has been reported.
    pub manifests_missing: bool,
    /// Files that a pattern means and that are no manifests, as messages name them, each with its pattern.
    pub left_out: Vec<(Span, String)>,
}

impl Loaded {
    /// The entries of a block with that key.
    pub(super) fn entries<'l>(
        &'l self,
        block: &'l Item,
        key: &'l str,
    ) -> impl Iterator<Item = &'l Item> {
        let items = block.body.as_ref().map_or(&[][..], |body| &body.items);
        let has_key = move |item: &&Item| self.sources.text(item.key.span) == key;
        items.iter().filter(has_key)
    }
}

/// The standard library. A module is parsed when a program first needs it, and its tree is kept for the next program.
#[derive(Debug)]
pub(crate) struct Library {
    /// The texts of all modules; the id of the first is [`FileId::LIBRARY`].
    texts: Arc<[SourceFile]>,
    /// Their trees, in the same order.
    trees: Box<[OnceLock<Arc<File>>]>,
}

impl Library {
    /// The library as it is in the binary, nothing parsed yet.
    pub(crate) fn new() -> Library {
        let text = |(module, text): (String, &'static str)| {
            let name = format!("std/{module}.bz");
            let text = Cow::Borrowed(text);
            SourceFile::new(name.clone(), name, text, Provenance::Library)
        };
        let texts: Arc<[SourceFile]> = stdlib::modules().map(text).collect();
        Library {
            trees: texts.iter().map(|_| OnceLock::new()).collect(),
            texts,
        }
    }

    /// The texts alone, for showing places in them.
    pub(crate) fn sources(&self) -> SourceMap {
        SourceMap::with_library(Arc::clone(&self.texts))
    }

    /// Adds a module (`tiers`, `runtimes/go`) to what was loaded, unless it is there.
    pub(crate) fn load(&self, module: &str, loaded: &mut Loaded) {
        let Some(tree) = self.tree(module) else {
            return;
        };
        if loaded.files.iter().all(|file| file.id != tree.id) {
            loaded.files.push(Arc::clone(tree));
        }
    }

    /// The tree of a module, if there is one of that name.
    pub(crate) fn tree(&self, module: &str) -> Option<&Arc<File>> {
        let name = format!("std/{module}.bz");
        let at = self.texts.iter().position(|file| file.name == name)?;
        let tree = self.trees[at].get_or_init(|| {
            let module = u32::try_from(at).expect("the library has few modules");
            // The library has no faults and uses no other files, which its tests show.
            let parsed = parse(
                FileId::new(FileId::LIBRARY + module),
                &self.texts[at].text,
                &mut Sink::default(),
            );
            Arc::new(parsed.file)
        });
        Some(tree)
    }
}

/// `use` may chain this deep.
const MAX_USES: usize = 64;

struct Loader<'w> {
    world: &'w dyn World,
    library: &'w Library,
    loaded: Loaded,
    /// Path to id, for files of the project that are done or being read.
    ids: BTreeMap<String, FileId>,
    /// The files being read, outermost first.
    chain: Vec<FileId>,
}

/// Reads `text`, the program called `name`, and what it uses.
pub(crate) fn load(
    world: &dyn World,
    library: &Library,
    name: &str,
    text: String,
    sink: &mut Sink,
) -> Loaded {
    let loaded = Loaded {
        sources: SourceMap::with_library(Arc::clone(&library.texts)),
        files: Vec::new(),
        braces_pair: true,
        manifests: Vec::new(),
        manifests_missing: false,
        left_out: Vec::new(),
    };
    let mut loader = Loader {
        world,
        library,
        loaded,
        ids: BTreeMap::new(),
        chain: Vec::new(),
    };
    loader.add(name.to_owned(), text, sink);
    loader.loaded
}

impl Loader<'_> {
    fn add(&mut self, name: String, text: String, sink: &mut Sink) {
        let sources = &mut self.loaded.sources;
        let shown = self.world.shown(&name);
        let id = sources.add(name.clone(), shown, text, Provenance::Project);
        let parsed = parse(id, &sources.file(id).text, sink);
        self.loaded.braces_pair &= parsed.braces_pair;
        if is_above(&name) {
            check_shared(&self.loaded.sources, &parsed.file.items, sink);
        }
        let uses: Vec<(Span, WordShape)> = uses(&self.loaded.sources, &parsed.file.items);
        self.loaded.files.push(Arc::new(parsed.file));
        self.ids.insert(name.clone(), id);
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
        let Some(path) = resolve_above(from, &written) else {
            sink.push(errors::use_outside(&written, span));
            return;
        };
        if let Some(id) = self.ids.get(&path) {
            if self.chain.contains(id) {
                let circle = self.chain.iter().skip_while(|other| *other != id);
                let names: Vec<&str> = circle
                    .chain([id])
                    .map(|id| self.loaded.sources.file(*id).shown.as_str())
                    .collect();
                sink.push(errors::use_circle(&names.join(" uses "), span));
            }
            return;
        }
        if self.chain.len() >= MAX_USES {
            sink.push(errors::uses_too_deep(MAX_USES, span));
            return;
        }
        let unreadable = |why: &str| errors::use_unreadable(&self.world.shown(&path), why, span);
        match self.world.read(&path).map(String::from_utf8) {
            Ok(Ok(text)) => self.add(path, text, sink),
            Ok(Err(_)) => sink.push(unreadable("it is not UTF-8")),
            Err(ReadError::Outside) => sink.push(errors::use_outside(&written, span)),
            Err(why) => sink.push(unreadable(&why.to_string())),
        }
    }

    fn use_module(&mut self, span: Span, sink: &mut Sink) {
        let path = self.loaded.sources.text(span);
        match path.strip_prefix("std.") {
            Some(module) => match stdlib::MODULES.iter().find(|known| **known == module) {
                Some(module) => self.library.load(module, &mut self.loaded),
                None => sink.push(errors::unknown_module(module, span)),
            },
            None => sink.push(errors::bare_use(path, span)),
        }
    }
}

/// Declarations whose files are read and written as those of the program.
const OF_THE_PROGRAM: [&str; 4] = ["adopt", "digests", "evidence", "secret"];

/// Reports what a file outside the folder of the program may not have: it would name files of another folder for the program's
/// own.
fn check_shared(sources: &SourceMap, items: &[Item], sink: &mut Sink) {
    for item in items {
        let word = sources.text(item.key.span);
        if OF_THE_PROGRAM.contains(&word) {
            sink.push(errors::not_to_be_shared(word, item.key.span));
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
pub(crate) fn load_needed(library: &Library, loaded: &mut Loaded) {
    for module in library_needs(loaded) {
        library.load(&module, loaded);
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
