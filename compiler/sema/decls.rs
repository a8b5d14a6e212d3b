//! The declarations of a program by kind and name, with the chosen environment over them: what every reader asks.

mod errors;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::base::id::Id;
use crate::base::span::Span;
use crate::base::suggest::nearest;
use crate::layout::Layout;
use crate::layout::context::BuildContext;
use crate::program::{Giver, WORKLOADS};
use crate::sema::errors as general;
use crate::sema::layers::{Fields, Layer};
use crate::sema::values::Cx;
use crate::syntax::ast::Item;
use crate::template::Filler;
use crate::world::World;

/// What else may stand at the top of a file.
pub(crate) const OTHERS: [&str; 15] = [
    "edition",
    "namespace",
    "digests",
    "evidence",
    "lock",
    "k3s",
    "survive",
    "fill",
    "env",
    "let",
    "use",
    "expect",
    "adopt",
    "kind",
    "chart",
];

/// What only the library declares.
pub(crate) const LIBRARY: [&str; 1] = ["figures"];

/// One declaration.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decl<'a> {
    pub(crate) item: &'a Item,
    pub(crate) name: &'a str,
    pub(crate) span: Span,
}

/// Ignore lists by runtime, and build contexts by source and ignore list.
pub(crate) type Contexts<'a> = (
    BTreeMap<&'a str, Filler>,
    BTreeMap<(String, String), Arc<BuildContext>>,
);

/// All declarations of a program.
pub(crate) struct Decls<'c, 'a> {
    pub(crate) cx: &'c Cx<'a>,
    /// By kind, then by name: a program has ten thousand services and three tiers.
    named: BTreeMap<&'static str, BTreeMap<&'a str, Decl<'a>>>,
    /// All workloads, whose kinds share one set of names.
    workload_names: BTreeMap<&'a str, (&'static str, Decl<'a>)>,
    /// What the library says of the components K3s packages.
    pub(crate) packaged: BTreeMap<&'a str, Decl<'a>>,
    pub(crate) k3s: Option<&'a Item>,
    /// The chosen environment.
    pub(crate) env: Option<&'a str>,
    changes: BTreeMap<(&'static str, &'a str), &'a Item>,
    /// What any environment mentions by name.
    pub(crate) mentioned: BTreeSet<&'a str>,
    /// Where sources of images lie.
    pub(crate) world: &'c dyn World,
    /// Layouts by source and runtime.
    pub(crate) layouts: RefCell<BTreeMap<(String, &'a str), Arc<Layout>>>,
    /// What builds of the sources would send.
    pub(crate) contexts: RefCell<Contexts<'a>>,
}

impl<'c, 'a> Decls<'c, 'a> {
    /// No declarations yet.
    pub(crate) fn new(cx: &'c Cx<'a>, world: &'c dyn World) -> Decls<'c, 'a> {
        Decls {
            cx,
            named: BTreeMap::new(),
            workload_names: BTreeMap::new(),
            packaged: BTreeMap::new(),
            k3s: None,
            env: None,
            changes: BTreeMap::new(),
            mentioned: BTreeSet::new(),
            world,
            layouts: RefCell::default(),
            contexts: RefCell::default(),
        }
    }

    /// Adds a declaration of a kind, unless another has its name: then that one.
    pub(crate) fn add(&mut self, kind: &'static str, decl: Decl<'a>) -> Option<Decl<'a>> {
        let is_workload = WORKLOADS.contains(&kind);
        let same_name = match is_workload {
            true => self.workload_names.get(decl.name).map(|(_, first)| *first),
            false => self.get(kind, decl.name),
        };
        if same_name.is_none() {
            self.named.entry(kind).or_default().insert(decl.name, decl);
            if is_workload {
                self.workload_names.insert(decl.name, (kind, decl));
            }
        }
        same_name
    }

    /// All declarations of a kind, sorted by name.
    pub(crate) fn of(&self, kind: &'static str) -> impl Iterator<Item = Decl<'a>> {
        self.named
            .get(kind)
            .into_iter()
            .flat_map(|of_kind| of_kind.values().copied())
    }

    /// A declaration by its kind and name.
    pub(crate) fn get(&self, kind: &str, name: &str) -> Option<Decl<'a>> {
        self.named.get(kind)?.get(name).copied()
    }

    /// All workloads with their kinds, sorted by name.
    pub(crate) fn workloads(&self) -> impl Iterator<Item = (&'static str, Decl<'a>)> {
        self.workload_names.values().copied()
    }

    /// The workload of this name, of whatever kind.
    pub(crate) fn workload(&self, name: &str) -> Option<(&'static str, Decl<'a>)> {
        self.workload_names.get(name).copied()
    }

    /// Whether a workload of any kind has this name.
    pub(crate) fn has_workload(&self, name: &str) -> bool {
        self.workload_names.contains_key(name)
    }

    /// The `profile` of a name, or an error that offers the nearest.
    pub(crate) fn profile(&self, name: &str, span: Span) -> Option<&'a Item> {
        let found = self.get("profile", name);
        if found.is_none() {
            let near = nearest(name, self.of("profile").map(|decl| decl.name));
            self.cx.report(errors::unknown_profile(name, span, near));
        }
        found.map(|decl| decl.item)
    }

    /// The id of a declaration among those of its kind, or an error that offers the nearest.
    pub(crate) fn id<I: Id>(&self, kind: &'static str, name: &'a str, span: Span) -> Option<I> {
        self.check_declared(kind, name, span).then(|| {
            let before = self.of(kind).take_while(|decl| decl.name < name);
            I::new(before.count())
        })
    }

    /// Whether there is such a declaration; if there is none, an error that offers the nearest.
    pub(crate) fn check_declared(&self, kind: &'static str, name: &str, span: Span) -> bool {
        let is_declared = self.get(kind, name).is_some();
        if !is_declared {
            let near = nearest(name, self.of(kind).map(|decl| decl.name));
            self.cx
                .report(general::unknown_name(kind, name, span, near));
        }
        is_declared
    }

    /// Lays a block of the chosen environment over a declaration.
    pub(crate) fn add_change(
        &mut self,
        kind: &'static str,
        name: &'a str,
        span: Span,
        change: &'a Item,
    ) {
        if let Some(first) = self.changes.insert((kind, name), change) {
            self.cx
                .report(general::declared_twice(kind, name, first.key.span, span));
        }
    }

    /// What the chosen environment says of a declaration.
    pub(crate) fn change(&self, kind: &'static str, name: &'a str) -> Option<&'a Item> {
        self.changes.get(&(kind, name)).copied()
    }

    /// A declaration's own fields and those the environment lays over them.
    pub(crate) fn layers(
        &self,
        kind: &'static str,
        name: &'a str,
        item: &'a Item,
    ) -> Vec<Layer<'a>> {
        let mut layers = Vec::with_capacity(4);
        if let Some(body) = &item.body {
            layers.push(Layer {
                env: None,
                giver: Giver::declared(kind),
                name,
                items: &body.items,
            });
        }
        if let Some(body) = self
            .change(kind, name)
            .and_then(|change| change.body.as_ref())
        {
            layers.push(Layer {
                env: self.env,
                giver: Giver::declared(kind),
                name,
                items: &body.items,
            });
        }
        layers
    }
}

/// The fields of a declaration that stands alone, such as `node`.
pub(crate) fn fields<'c, 'a>(
    decls: &Decls<'c, 'a>,
    kind: &'static str,
    decl: Decl<'a>,
) -> Option<Fields<'c, 'a>> {
    if decl.item.body.is_none() {
        if !decl.item.is_hole() {
            decls.cx.report(general::malformed(
                kind,
                &format!("{kind} {} {{ .. }}", decl.name),
                decl.item.span,
            ));
        }
        return None;
    }
    if let Some(value) = &decl.item.value {
        decls.cx.report(errors::value_and_block(kind, value.span));
    }
    Some(Fields::new(
        decls.cx,
        kind,
        decl.span,
        decls.layers(kind, decl.name, decl.item),
    ))
}
