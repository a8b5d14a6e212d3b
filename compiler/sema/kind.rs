//! `kind "GROUP/KIND" { .. }` to what operators make of objects, and `chart "NAME" { .. }` to what charts make of values
//! (`manifest::kind`). Those of a program are read with it; those of the library when a manifest has an object of their
//! group, or a release of their chart.

mod errors;
mod read;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use self::read::{OF_CHARTS, OF_OBJECTS, Reading};
use super::errors as general;
use super::layers::{Fields, Layer};
use super::load::{Library, Loaded};
use super::values::Cx;
use crate::base::span::Span;
use crate::manifest::kind::{Chart, Kinds, Maker};
use crate::program::Giver;
use crate::sema::assemble::lets::constants;
use crate::syntax::ast::{Item, WordShape};

/// Groups whose kinds are counted by Kubernetes' own rules.
const OWN_GROUPS: [&str; 4] = ["core", "apps", "batch", "extensions"];

/// The kinds that a program declares, and those of the library that its manifests need.
pub(super) struct Declared<'l> {
    own: BTreeMap<String, Arc<Maker>>,
    own_charts: BTreeMap<String, Vec<Chart>>,
    library: &'l Library,
    /// Those of the library, by group and then by name.
    read: RefCell<BTreeMap<String, BTreeMap<String, Arc<Maker>>>>,
}

impl<'l> Declared<'l> {
    /// The kinds of a program. What is wrong with them is said when the program is analyzed.
    pub(super) fn new(library: &'l Library, loaded: &Loaded) -> Declared<'l> {
        let cx = Cx {
            sources: &loaded.sources,
            sink: RefCell::default(),
            lets: BTreeMap::new(),
            tracer: None,
        };
        let items = loaded.files.iter().flat_map(|file| &file.items);
        let (mut kinds, mut charts) = (Vec::new(), Vec::new());
        for item in items {
            match cx.key(item) {
                "kind" => kinds.push(item),
                "chart" => charts.push(item),
                _ => {}
            }
        }
        let (own, own_charts) = match kinds.is_empty() && charts.is_empty() {
            true => (BTreeMap::new(), BTreeMap::new()),
            false => {
                let cx = constants(cx, loaded);
                (makers(&cx, &kinds), self::charts(&cx, &charts))
            }
        };
        Declared {
            own,
            own_charts,
            library,
            read: RefCell::default(),
        }
    }
}

impl Declared<'_> {
    /// All that is declared of charts with this name: by the program, else by the library.
    pub(super) fn charts(&self, name: &str) -> Vec<Chart> {
        match self.own_charts.get(name) {
            Some(own) => own.clone(),
            None => {
                let found = of_library(self.library, &format!("charts/{name}"), "chart", charts);
                found.into_values().flatten().collect()
            }
        }
    }
}

impl Kinds for Declared<'_> {
    fn maker(&self, group: &str, kind: &str) -> Option<Arc<Maker>> {
        let name = format!("{group}/{kind}");
        if let Some(own) = self.own.get(&name) {
            return Some(Arc::clone(own));
        }
        let mut read = self.read.borrow_mut();
        let of_group = read
            .entry(group.to_owned())
            .or_insert_with(|| of_library(self.library, &format!("kinds/{group}"), "kind", makers));
        of_group.get(&name).map(Arc::clone)
    }
}

/// What a module of the library declares under a key. It has no faults, which a test shows.
fn of_library<T: Default>(
    library: &Library,
    module: &str,
    key: &str,
    read: impl for<'a> Fn(&Cx<'a>, &[&'a Item]) -> T,
) -> T {
    let Some(tree) = library.tree(module) else {
        return T::default();
    };
    let sources = library.sources();
    let cx = Cx {
        sources: &sources,
        sink: RefCell::default(),
        lets: BTreeMap::new(),
        tracer: None,
    };
    let items = tree.items.iter();
    let items: Vec<&Item> = items.filter(|item| cx.key(item) == key).collect();
    read(&cx, &items)
}

/// Says what is wrong with the kinds and charts of a program.
pub(super) fn check<'a>(cx: &Cx<'a>, kinds: &[&'a Item], charts: &[&'a Item]) {
    makers(cx, kinds);
    self::charts(cx, charts);
}

/// The fields of a declaration whose names stand between quotes, one for each name.
fn quoted<'c, 'a>(
    cx: &'c Cx<'a>,
    item: &'a Item,
    key: &'static str,
    example: &str,
) -> Vec<Fields<'c, 'a>> {
    let is_quoted = |name: &&crate::syntax::ast::Word| name.shape == WordShape::Quoted;
    let body = item.body.as_ref();
    let Some(body) =
        body.filter(|_| !item.names.is_empty() && item.names.iter().all(|name| is_quoted(&name)))
    else {
        if !item.is_hole() {
            cx.report(general::malformed(key, example, item.span));
        }
        return Vec::new();
    };
    let names = item.names.iter();
    let fields = names.map(|word| {
        let layer = Layer {
            env: None,
            giver: Giver::Declaration(key),
            name: cx.word(*word),
            items: &body.items,
        };
        Fields::new(cx, key, word.span, vec![layer])
    });
    fields.collect()
}

/// What a block declares under one of its names. The same block is read for each name, and its faults are said once.
fn maker<'a>(
    fields: &Fields<'_, 'a>,
    is_first: bool,
    key: &'static str,
    roots: &'static [&'static str],
) -> Arc<Maker> {
    let cx = fields.cx;
    let said = (!is_first).then(|| cx.sink.borrow().clone());
    fields.check_keys(key);
    let maker = Reading { cx, roots }.maker(fields, fields.name_of());
    if let Some(said) = said {
        *cx.sink.borrow_mut() = said;
    }
    Arc::new(maker)
}

/// All kinds that these items declare, by name.
fn makers<'a>(cx: &Cx<'a>, items: &[&'a Item]) -> BTreeMap<String, Arc<Maker>> {
    let mut makers: BTreeMap<String, Arc<Maker>> = BTreeMap::new();
    let mut places: BTreeMap<&str, Span> = BTreeMap::new();
    let example = "kind \"postgresql.cnpg.io/Cluster\" { .. }";
    for item in items {
        for (index, fields) in quoted(cx, item, "kind", example).into_iter().enumerate() {
            let name = fields.name_of();
            let Some((group, _)) = name.split_once('/').filter(|(group, kind)| {
                !group.is_empty() && !kind.is_empty() && !kind.contains('/')
            }) else {
                cx.report(errors::not_a_kind(name, fields.span));
                continue;
            };
            if OWN_GROUPS.contains(&group) {
                cx.report(errors::of_kubernetes(name, fields.span));
                continue;
            }
            if let Some(first) = places.insert(name, fields.span) {
                cx.report(general::declared_twice("kind", name, first, fields.span));
                continue;
            }
            let maker = maker(&fields, index == 0, "kind", &OF_OBJECTS);
            makers.insert(name.to_owned(), maker);
        }
    }
    makers
}

/// All that these items declare of charts, by name. A chart may be declared once for each of its versions.
fn charts<'a>(cx: &Cx<'a>, items: &[&'a Item]) -> BTreeMap<String, Vec<Chart>> {
    let mut charts: BTreeMap<String, Vec<Chart>> = BTreeMap::new();
    let mut places: BTreeMap<(&str, String), Span> = BTreeMap::new();
    let example = "chart \"app-template\" { from = [\"ghcr.io/bjw-s-labs/helm\"]  .. }";
    for item in items {
        for (index, fields) in quoted(cx, item, "chart", example).into_iter().enumerate() {
            let name = fields.name_of();
            if name.is_empty() || name.contains('/') {
                cx.report(errors::not_a_chart(name, fields.span));
                continue;
            }
            let texts = |key: &'static str| -> Vec<String> {
                let found = fields.strings(key).unwrap_or_default().into_iter();
                found.map(|text| text.into_owned()).collect()
            };
            let (from, versions) = (texts("from"), texts("versions"));
            for (key, example) in [
                ("from", "from = [\"charts.example.org\"]"),
                ("versions", "versions = [\"4\"]"),
            ] {
                if !fields.has(key) && index == 0 {
                    fields.missing(key, example);
                }
            }
            for version in &versions {
                if let Some(first) = places.insert((name, version.clone()), fields.span) {
                    cx.report(general::declared_twice("chart", name, first, fields.span));
                }
            }
            let maker = maker(&fields, index == 0, "chart", &OF_CHARTS);
            let chart = Chart {
                from,
                versions,
                maker,
            };
            charts.entry(name.to_owned()).or_default().push(chart);
        }
    }
    charts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stdlib;

    /// What the library declares is without fault, and each kind stands in the file of its group.
    #[test]
    fn the_library_is_whole() {
        let library = Library::new();
        let sources = library.sources();
        for (group, _) in stdlib::KINDS {
            let tree = library.tree(&format!("kinds/{group}"));
            let tree = tree.expect("each group has a file");
            let cx = Cx {
                sources: &sources,
                sink: RefCell::default(),
                lets: BTreeMap::new(),
                tracer: None,
            };
            let items: Vec<&Item> = tree.items.iter().skip(1).collect();
            assert!(items.iter().all(|item| cx.key(item) == "kind"), "{group}");
            let makers = makers(&cx, &items);
            assert!(!makers.is_empty(), "{group}");
            for (name, maker) in makers {
                assert!(name.starts_with(&format!("{group}/")), "{name} in {group}");
                let parts = maker.makes.iter().filter(|makes| makes.template.is_none());
                assert!(
                    parts.into_iter().all(|makes| !makes.parts.is_empty()),
                    "{name}"
                );
            }
            assert!(cx.sink.into_inner().into_sorted().is_empty(), "{group}");
        }
    }
}
