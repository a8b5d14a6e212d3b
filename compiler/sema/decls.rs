//! All files to one program: declarations by kind and name, the chosen environment laid over them, then each
//! declaration read by its own reader (`machine.rs`, `service.rs`).

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::cx::{Cx, Let};
use super::errors;
use super::layers::{Field, Fields, Layer};
use super::load::{Loaded, load_library};
use super::{image, machine, placement, service};
use crate::base::source::Provenance;
use crate::base::span::Span;
use crate::base::suggest::nearest;
use crate::diag::Sink;
use crate::layout::Layout;
use crate::layout::context::Held;
use crate::program::{FillPolicy, Given, Origin, Program};
use crate::stdlib;
use crate::syntax::ast::{Expr, ExprKind, Item, WordShape};
use crate::template::Filler;
use crate::world::World;

/// The kinds a program declares by name.
const NAMED: [&str; 14] = [
    "node",
    "component",
    "others",
    "budget",
    "tier",
    "service",
    "stateful",
    "daemon",
    "job",
    "cron",
    "config",
    "profile",
    "runtime",
    "image",
];
/// The kinds of workload. They share one set of names: those of files, labels and Kubernetes Services.
pub(super) const WORKLOADS: [&str; 5] = ["service", "stateful", "daemon", "job", "cron"];
/// What else may stand at the top of a file.
const OTHERS: [&str; 11] = [
    "edition",
    "namespace",
    "digests",
    "k3s",
    "survive",
    "fill",
    "env",
    "let",
    "use",
    "expect",
    "adopt",
];
/// What only the library declares.
const LIBRARY: [&str; 1] = ["figures"];

/// One declaration.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decl<'a> {
    pub(super) item: &'a Item,
    pub(super) name: &'a str,
    pub(super) span: Span,
}

/// Ignore lists by runtime, and what is left by source and ignore list.
type Contexts<'a> = (
    BTreeMap<&'a str, Filler>,
    BTreeMap<(String, String), Arc<Held>>,
);

/// All declarations of a program.
pub(super) struct Decls<'c, 'a> {
    pub(super) cx: &'c Cx<'a>,
    /// By kind, then by name: a program has ten thousand services and three tiers.
    named: BTreeMap<&'static str, BTreeMap<&'a str, Decl<'a>>>,
    /// All workloads, whose kinds share one set of names.
    workload_names: BTreeMap<&'a str, (&'static str, Decl<'a>)>,
    /// What the library says of the components K3s packages.
    pub(super) packaged: BTreeMap<&'a str, Decl<'a>>,
    pub(super) k3s: Option<&'a Item>,
    /// The chosen environment.
    pub(super) env: Option<&'a str>,
    changes: BTreeMap<(&'static str, &'a str), &'a Item>,
    /// What any environment mentions by name.
    pub(super) mentioned: BTreeSet<&'a str>,
    /// Where sources of images lie.
    pub(super) world: &'c dyn World,
    /// Layouts by source and runtime.
    pub(super) layouts: RefCell<BTreeMap<(String, &'a str), Arc<Layout>>>,
    /// What builds would send.
    pub(super) contexts: RefCell<Contexts<'a>>,
}

impl<'c, 'a> Decls<'c, 'a> {
    /// All declarations of a kind, sorted by name.
    pub(super) fn of(&self, kind: &'static str) -> impl Iterator<Item = Decl<'a>> {
        self.named
            .get(kind)
            .into_iter()
            .flat_map(|of_kind| of_kind.values().copied())
    }

    /// A declaration by its kind and name.
    pub(super) fn get(&self, kind: &str, name: &str) -> Option<Decl<'a>> {
        self.named.get(kind)?.get(name).copied()
    }

    /// All workloads with their kinds, sorted by name.
    pub(super) fn workloads(&self) -> impl Iterator<Item = (&'static str, Decl<'a>)> {
        self.workload_names.values().copied()
    }

    /// The workload of this name, of whatever kind.
    pub(super) fn workload(&self, name: &str) -> Option<(&'static str, Decl<'a>)> {
        self.workload_names.get(name).copied()
    }

    /// Whether a workload of any kind has this name.
    pub(super) fn has_workload(&self, name: &str) -> bool {
        self.workload_names.contains_key(name)
    }

    /// The index of a declaration among those of its kind, or an error that offers the nearest.
    pub(super) fn index(&self, kind: &'static str, name: &'a str, span: Span) -> Option<usize> {
        let Some(of_kind) = self
            .named
            .get(kind)
            .filter(|of_kind| of_kind.contains_key(name))
        else {
            let near = nearest(name, self.of(kind).map(|decl| decl.name));
            self.cx.report(errors::unknown_name(kind, name, span, near));
            return None;
        };
        Some(of_kind.range(..name).count())
    }

    /// Lays a block of the chosen environment over a declaration.
    fn add_change(&mut self, kind: &'static str, name: &'a str, span: Span, change: &'a Item) {
        if let Some(first) = self.changes.insert((kind, name), change) {
            self.cx
                .report(errors::declared_twice(kind, name, first.key.span, span));
        }
    }

    /// What the chosen environment says of a declaration.
    pub(super) fn change(&self, kind: &'static str, name: &'a str) -> Option<&'a Item> {
        self.changes.get(&(kind, name)).copied()
    }

    /// A declaration's own fields and those the environment lays over them.
    pub(super) fn layers(
        &self,
        kind: &'static str,
        name: &'a str,
        item: &'a Item,
    ) -> Vec<Layer<'a>> {
        let mut layers = Vec::with_capacity(4);
        if let Some(body) = &item.body {
            layers.push(Layer {
                env: None,
                kind,
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
                kind,
                name,
                items: &body.items,
            });
        }
        layers
    }
}

/// Whether what was loaded needs the library's knowledge of K3s, and which runtimes it names.
fn library_needs(loaded: &Loaded) -> Vec<String> {
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
fn runtimes_named(loaded: &Loaded) -> Vec<String> {
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

/// The environments that a program declares, sorted.
pub fn environments(loaded: &Loaded) -> Vec<String> {
    let text = |span: Span| loaded.sources.text(span);
    let items = loaded.files.iter().flat_map(|file| &file.items);
    let envs = items.filter(|item| item.body.is_some() && text(item.key.span) == "env");
    let names: BTreeSet<&str> = envs
        .flat_map(|item| &item.names)
        .map(|name| text(name.span))
        .collect();
    names.into_iter().map(str::to_owned).collect()
}

/// Adds the modules of the library that a program needs without naming them.
pub fn load_needed(loaded: &mut Loaded, sink: &mut Sink) {
    for module in library_needs(loaded) {
        load_library(loaded, &module, sink);
    }
}

/// Trees to program. `env` is the environment to compile for. `None` if there is nothing to plan: a fault was
/// found, or the file only declares things for others to use.
pub fn analyze<'a>(
    loaded: &'a Loaded,
    env: Option<&str>,
    world: &dyn World,
    sink: &mut Sink,
) -> Option<Program<'a>> {
    let mut lets = BTreeMap::new();
    let cx = Cx {
        sources: &loaded.sources,
        sink: RefCell::new(std::mem::take(sink)),
        lets: BTreeMap::new(),
    };
    collect_lets(&cx, loaded, &mut lets);
    let cx = Cx { lets, ..cx };
    compute_lets(&cx);
    let program = program(&cx, loaded, env, world);
    if !cx.sink.borrow().has_errors() {
        check_unused_lets(&cx);
    }
    *sink = cx.sink.into_inner();
    program
}

fn collect_lets<'a>(cx: &Cx<'a>, loaded: &'a Loaded, lets: &mut BTreeMap<&'a str, Let<'a>>) {
    for item in loaded
        .files
        .iter()
        .flat_map(|file| &file.items)
        .filter(|item| cx.key(item) == "let")
    {
        let ([name], Some(expr)) = (&*item.names, &item.value) else {
            if !item.is_hole() {
                cx.report(errors::malformed("let", "let base = 32Mi", item.span));
            }
            continue;
        };
        let text = cx.word(*name);
        if let Some(first) = lets.get(text) {
            cx.report(errors::declared_twice("let", text, first.name, name.span));
            continue;
        }
        lets.insert(
            text,
            Let {
                name: name.span,
                expr,
                used: Cell::new(false),
                number: Cell::new(None),
            },
        );
    }
}

/// Computes every constant, each after those it names, so that no chain is too long to follow. What is left over
/// leads back to itself: told once a circle, and without a value.
fn compute_lets<'a>(cx: &Cx<'a>) {
    let mut waiting: BTreeMap<&'a str, BTreeSet<&'a str>> = BTreeMap::new();
    let mut users: BTreeMap<&'a str, Vec<&'a str>> = BTreeMap::new();
    for (name, constant) in &cx.lets {
        let mut named = BTreeSet::new();
        names_in(cx, constant.expr, &mut named);
        named.retain(|other| cx.lets.contains_key(other));
        named
            .iter()
            .for_each(|other| users.entry(other).or_default().push(name));
        waiting.insert(name, named);
    }
    let mut ready: Vec<&'a str> = waiting
        .iter()
        .filter(|(_, on)| on.is_empty())
        .map(|(name, _)| *name)
        .collect();
    while let Some(name) = ready.pop() {
        waiting.remove(name);
        cx.compute(name);
        for user in users.get(name).into_iter().flatten() {
            if let Some(on) = waiting.get_mut(user) {
                on.remove(name);
                if on.is_empty() {
                    ready.push(user);
                }
            }
        }
    }
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for name in waiting.keys() {
        cx.lets[name].number.set(Some(None));
        cx.lets[name].used.set(true);
        // Walk until a name comes twice: from there on it is the circle. What another walk has passed leads to a
        // circle that is told already.
        let mut path: Vec<&str> = Vec::new();
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        let mut at = *name;
        while told.insert(at) {
            places.insert(at, path.len());
            path.push(at);
            match waiting.get(at).and_then(|on| on.first()) {
                Some(next) => at = next,
                None => break,
            }
        }
        if let Some(start) = places
            .get(at)
            .filter(|_| path.last() != Some(&at) || path.len() == 1 || waiting[at].contains(at))
        {
            let circle = &path[*start..];
            cx.report(errors::circular_let(circle, cx.lets[circle[0]].name));
        }
    }
}

/// The bare names in a value, constants or not.
fn names_in<'a>(cx: &Cx<'a>, expr: &'a Expr, names: &mut BTreeSet<&'a str>) {
    match &expr.kind {
        ExprKind::Path => {
            names.insert(cx.text(expr.span));
        }
        ExprKind::List(values) => values.iter().for_each(|value| names_in(cx, value, names)),
        ExprKind::Call(call) => call
            .arguments
            .iter()
            .for_each(|value| names_in(cx, value, names)),
        ExprKind::Range(sides) | ExprKind::Binary(_, sides) => {
            names_in(cx, &sides.0, names);
            names_in(cx, &sides.1, names);
        }
        ExprKind::Negative(inner) => names_in(cx, inner, names),
        ExprKind::Tagged(tagged) => names_in(cx, &tagged.1, names),
        ExprKind::Number | ExprKind::Text | ExprKind::Reference(_) | ExprKind::Hole => {}
    }
}

/// Every name that an environment mentions, chosen or not: what only another environment uses is used.
fn names_of_envs<'a>(cx: &Cx<'a>, items: &'a [Item], names: &mut BTreeSet<&'a str>) {
    for item in items {
        item.value
            .iter()
            .for_each(|value| names_in(cx, value, names));
        item.body
            .iter()
            .for_each(|body| names_of_envs(cx, &body.items, names));
    }
}

fn check_unused_lets(cx: &Cx<'_>) {
    for (name, constant) in &cx.lets {
        let from_library = cx.sources.is_library(constant.name);
        if !constant.used.get() && !from_library {
            cx.report(errors::unused("let", name, constant.name));
        }
    }
}

fn program<'a>(
    cx: &Cx<'a>,
    loaded: &'a Loaded,
    env: Option<&str>,
    world: &dyn World,
) -> Option<Program<'a>> {
    let mut decls = Decls {
        cx,
        named: BTreeMap::new(),
        workload_names: BTreeMap::new(),
        packaged: BTreeMap::new(),
        k3s: None,
        env: None,
        changes: BTreeMap::new(),
        mentioned: BTreeSet::new(),
        world,
        layouts: RefCell::new(BTreeMap::new()),
        contexts: RefCell::default(),
    };
    let mut envs: BTreeMap<&'a str, &'a Item> = BTreeMap::new();
    let mut fields: Vec<&'a Item> = Vec::new();
    let mut expects = Vec::new();
    let (mut survives, mut fills): (Option<&Item>, Option<&Item>) = (None, None);
    let mut digests: Option<&'a Item> = None;
    let mut adopts = Vec::new();
    for file in &loaded.files {
        let from_library = cx.sources.file(file.id).provenance == Provenance::Library;
        check_edition(cx, &file.items, from_library);
        for item in &file.items {
            let key = cx.key(item);
            let named = NAMED
                .iter()
                .chain(LIBRARY.iter().filter(|_| from_library))
                .find(|kind| **kind == key);
            if let Some(kind) = named {
                declare(&mut decls, kind, item, from_library);
                continue;
            }
            match key {
                "k3s" if decls.k3s.is_none() && item.names.is_empty() => decls.k3s = Some(item),
                "k3s" => match decls.k3s {
                    Some(first) if item.names.is_empty() => {
                        cx.report(errors::declared_twice(
                            "k3s",
                            "",
                            first.key.span,
                            item.key.span,
                        ));
                    }
                    _ => cx.report(errors::malformed("k3s", "k3s { .. }", item.span)),
                },
                "env" => match &*item.names {
                    [name] if name.shape != WordShape::Bare => {
                        cx.report(errors::quoted_env(name.span))
                    }
                    [name] if item.body.is_some() => {
                        if let Some(first) = envs.insert(cx.word(*name), item) {
                            let name_text = cx.word(*name);
                            cx.report(errors::declared_twice(
                                "env",
                                name_text,
                                first.key.span,
                                name.span,
                            ));
                        }
                    }
                    _ => cx.report(errors::malformed("env", "env prod { .. }", item.span)),
                },
                "expect" => match &item.value {
                    Some(Expr {
                        kind: ExprKind::Hole,
                        ..
                    }) => {}
                    Some(expr) => expects.push((item.span, expr)),
                    None => cx.report(errors::malformed(
                        "expect",
                        "expect wsl.free >= 500Mi",
                        item.span,
                    )),
                },
                "namespace" => match fields.first() {
                    Some(first) => cx.report(errors::declared_twice(
                        "namespace",
                        "",
                        first.key.span,
                        item.key.span,
                    )),
                    None => fields.push(item),
                },
                "survive" => match survives {
                    Some(first) => cx.report(errors::declared_twice(
                        "survive",
                        "",
                        first.key.span,
                        item.key.span,
                    )),
                    None => survives = Some(item),
                },
                "fill" => match fills {
                    Some(first) => cx.report(errors::declared_twice(
                        "fill",
                        "",
                        first.key.span,
                        item.key.span,
                    )),
                    None => fills = Some(item),
                },
                "digests" => match digests {
                    None if item.value.is_some() && item.names.is_empty() => digests = Some(item),
                    Some(first) => {
                        cx.report(errors::declared_twice(
                            "digests",
                            "",
                            first.key.span,
                            item.key.span,
                        ));
                    }
                    None => cx.report(errors::malformed(
                        "digests",
                        "digests = \"images.json\"",
                        item.span,
                    )),
                },
                "edition" | "let" | "use" => {}
                "adopt" => adopts.push(item),
                _ => {
                    let known = NAMED.iter().chain(&OTHERS).copied();
                    cx.report(errors::unknown_declaration(
                        key,
                        item.key.span,
                        nearest(key, known),
                    ));
                }
            }
        }
    }
    for body in envs.values().filter_map(|item| item.body.as_ref()) {
        names_of_envs(cx, &body.items, &mut decls.mentioned);
    }
    for constant in decls.mentioned.iter().filter_map(|name| cx.lets.get(name)) {
        constant.used.set(true);
    }
    let program_start = loaded
        .files
        .first()
        .and_then(|file| file.items.first())
        .map(|item| item.key.span);
    let chosen = choose_env(&mut decls, &envs, env, &mut fields, program_start);
    let namespace = namespace(&decls, &fields);
    let mut nodes = machine::nodes(&decls);
    let tiers = service::tiers(&decls);
    let runtimes = image::runtimes(&decls);
    let images = image::shared(&decls, &runtimes);
    let configs = service::configs(&decls);
    let digests = image::digests(&decls, digests);
    let mut services = service::services(&decls, &tiers, (&runtimes, &images));
    let adopts = super::adopt::adopts(&decls, loaded, &adopts, &mut services);
    let mut budgets = machine::budgets(&decls, &services, &tiers);
    super::adopt::quotas(&decls, loaded, &services, &mut budgets);
    let is_library_file = nodes.is_empty() && services.is_empty() && expects.is_empty();
    if !is_library_file {
        // What is only misspelt where it is used is not worth calling unused.
        if !cx.sink.borrow().has_errors() {
            service::check_unused(&decls, &tiers, &services);
            image::check_unused(&decls, &images, &services);
        }
    } else {
        // What a file only declares, others use.
        cx.lets
            .values()
            .for_each(|constant| constant.used.set(true));
    }
    chosen?;
    if is_library_file {
        return None;
    }
    if nodes.is_empty() {
        if decls.of("node").next().is_none() {
            let place = services
                .first()
                .map(|service| service.name.span)
                .or(expects.first().map(|(span, _)| *span));
            cx.report(errors::no_node(place?));
        }
        return None;
    }
    let k3s = machine::k3s(&decls)?;
    machine::settle_settings(&decls, &k3s, &mut nodes);
    super::pod::check_node_ports(cx, &nodes, &services);
    // A node of which something is misspelt may be an agent.
    if !cx.sink.borrow().has_errors() {
        placement::check_servers(&decls, &nodes);
    }
    placement::settle(&decls, &nodes, &mut services);
    super::adopt::place::settle(&decls, loaded, &nodes, &mut services);
    let mut components = machine::components(&decls, &nodes);
    components.extend(machine::others(&decls));
    super::adopt::check_packaged(&decls, &components, &services);
    machine::check_host_ports(&decls, &components, &services);
    if placement::first_server(&nodes).is_some() {
        machine::check_storage(&decls, &components, &services);
    }
    let open_nodes = placement::of_components(&nodes);
    let survive = survives.and_then(|item| survive(cx, item, nodes.len()));
    let expects = super::expect::expects(&decls, &expects);
    let source = cx.sources.files().first()?.name.as_str();
    let env = decls.env;
    Some(Program {
        source,
        env,
        namespace,
        nodes,
        k3s,
        components,
        budgets,
        tiers,
        services,
        configs,
        open_nodes,
        survive,
        fill: fills
            .and_then(|item| fill_policy(cx, item))
            .unwrap_or(FillPolicy::Proportional),
        expects,
        runtimes,
        images: images.into_iter().flatten().collect(),
        digests,
        adopts,
        manifests: &loaded.manifests,
        sources: &loaded.sources,
    })
}

/// A file that does not say which edition of the language it is written in is of the first.
fn check_edition<'a>(cx: &Cx<'a>, items: &'a [Item], from_library: bool) {
    let mut editions = items.iter().filter(|item| cx.key(item) == "edition");
    let Some(item) = editions.next() else { return };
    if let Some(second) = editions.next() {
        cx.report(errors::given_twice(
            "edition",
            item.key.span,
            second.key.span,
        ));
    }
    let Some(value) = &item.value else {
        cx.report(errors::malformed("edition", "edition = 1", item.span));
        return;
    };
    if let Some(number) = cx.count(value)
        && number != stdlib::EDITION
        && !from_library
    {
        cx.report(errors::unknown_edition(number, value.span));
    }
}

/// Declares `kind a, b { .. }` under each of its names.
fn declare<'a>(decls: &mut Decls<'_, 'a>, kind: &'static str, item: &'a Item, from_library: bool) {
    let cx = decls.cx;
    if item.names.is_empty() {
        if !item.is_hole() {
            cx.report(errors::declaration_without_name(kind, item.key.span));
        }
        return;
    }
    if let Some(word) = item.overriding {
        cx.report(errors::overrides_nothing(kind, item.key.span, word));
    }
    for name in &item.names {
        let text = cx.word(*name);
        if name.shape != WordShape::Bare {
            cx.report(errors::not_a_plain_name(kind, text, name.span));
            continue;
        }
        let decl = Decl {
            item,
            name: text,
            span: name.span,
        };
        if kind == "component" && from_library {
            decls.packaged.insert(text, decl);
            continue;
        }
        let same_name = match WORKLOADS.contains(&kind) {
            true => decls.workload_names.get(text).map(|(_, decl)| *decl),
            false => decls
                .named
                .get(kind)
                .and_then(|of_kind| of_kind.get(text))
                .copied(),
        };
        match same_name {
            // The library comes last, and was first.
            Some(own) if from_library => {
                cx.report(errors::declared_twice(kind, text, name.span, own.span))
            }
            Some(first) => cx.report(errors::declared_twice(kind, text, first.span, name.span)),
            None => {
                decls.named.entry(kind).or_default().insert(text, decl);
                if WORKLOADS.contains(&kind) {
                    decls.workload_names.insert(text, (kind, decl));
                }
            }
        }
    }
}

/// Lays the chosen environment over the declarations. `None` if it does not exist.
fn choose_env<'a>(
    decls: &mut Decls<'_, 'a>,
    envs: &BTreeMap<&'a str, &'a Item>,
    wanted: Option<&str>,
    fields: &mut Vec<&'a Item>,
    program_start: Option<Span>,
) -> Option<()> {
    let cx = decls.cx;
    for (name, item) in envs {
        let chosen = wanted == Some(*name);
        if chosen {
            decls.env = Some(name);
        }
        for change in item.body.iter().flat_map(|body| &body.items) {
            let kind_text = cx.key(change);
            if kind_text == "namespace" {
                if chosen {
                    fields.push(change);
                }
                continue;
            }
            let kind = NAMED
                .iter()
                .chain(&["k3s"])
                .copied()
                .find(|kind| *kind == kind_text);
            let Some(kind) = kind else {
                let known = NAMED.iter().copied().chain(["k3s", "namespace"]);
                cx.report(errors::unknown_declaration(
                    kind_text,
                    change.key.span,
                    nearest(kind_text, known),
                ));
                continue;
            };
            if let (Some(word), true) = (change.overriding, change.value.is_none()) {
                cx.report(errors::overrides_nothing(kind, change.key.span, word));
            }
            if kind == "k3s" {
                if chosen {
                    decls.add_change("k3s", "", change.key.span, change);
                }
                continue;
            }
            for word in &change.names {
                let text = cx.word(*word);
                if decls.index(kind, text, word.span).is_some() && chosen {
                    decls.add_change(kind, text, word.span, change);
                }
            }
        }
    }
    match wanted {
        Some(name) if decls.env.is_none() => {
            let place = program_start?;
            cx.report(errors::unknown_env(name, place, envs.keys().copied()));
            None
        }
        _ => Some(()),
    }
}

/// The namespace of the services.
/// `fill = equal`: how ranges share what there is.
fn fill_policy<'a>(cx: &Cx<'a>, item: &'a Item) -> Option<FillPolicy> {
    let origin = Origin {
        env: None,
        kind: "fill",
        name: "",
        key: "",
        span: None,
    };
    let (name, span) = cx.name(Field { item, origin }.value(cx)?, "fill")?;
    match name {
        "proportional" => Some(FillPolicy::Proportional),
        "equal" => Some(FillPolicy::Equal),
        _ => {
            cx.report(errors::not_one_of(
                "fill",
                name,
                span,
                &["proportional", "equal"],
            ));
            None
        }
    }
}

/// `survive = 1`: the nodes that may be lost.
fn survive<'a>(cx: &Cx<'a>, item: &'a Item, nodes: usize) -> Option<Given<'a, u64>> {
    let span = item.value.as_ref().map_or(item.span, |value| value.span);
    let origin = Origin {
        env: None,
        kind: "survive",
        name: "",
        key: "",
        span: Some(span),
    };
    let field = Field { item, origin };
    let value = cx.count(field.value(cx)?)?;
    match value {
        0 => None,
        1 if nodes > 1 => Some(field.given(1)),
        1 => {
            cx.report(errors::survive_without_nodes(nodes, span));
            None
        }
        _ => {
            cx.report(errors::out_of_range("survive", "0 or 1 node", span));
            None
        }
    }
}

fn namespace<'a>(decls: &Decls<'_, 'a>, fields: &[&'a Item]) -> Given<'a, &'a str> {
    let cx = decls.cx;
    let mut given = Given {
        value: "apps",
        origin: Origin::default("output.namespace"),
    };
    for (index, item) in fields.iter().enumerate() {
        let field = Field {
            item,
            origin: Origin {
                env: if index == 0 { None } else { decls.env },
                kind: "namespace",
                name: "",
                key: "",
                span: item.value.as_ref().map(|value| value.span),
            },
        };
        match (index, item.overriding) {
            (0, Some(word)) => {
                cx.report(errors::overrides_nothing("namespace", item.key.span, word))
            }
            (1.., None) => {
                let first = Field {
                    item: fields[0],
                    ..field
                };
                cx.report(errors::override_missing("namespace", item, &first));
            }
            _ => {}
        }
        let Some(value) = field.value(cx) else {
            continue;
        };
        let Some((name, span)) = cx.name(value, "namespace") else {
            continue;
        };
        service::check_label(cx, "namespace", name, span);
        if name == "kube-system" {
            cx.report(errors::namespace_of_k3s(span));
        }
        given = field.given(name);
    }
    given
}

/// The fields of a declaration that stands alone, such as `node`.
pub(super) fn fields<'c, 'a>(
    decls: &Decls<'c, 'a>,
    kind: &'static str,
    decl: Decl<'a>,
) -> Option<Fields<'c, 'a>> {
    if decl.item.body.is_none() {
        if !decl.item.is_hole() {
            decls.cx.report(errors::malformed(
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
