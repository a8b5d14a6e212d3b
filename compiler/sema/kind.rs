//! `kind "GROUP/KIND" { .. }` to what operators make of objects (`manifest::kind`). The kinds of a program are read with
//! it; those of the library when a manifest has an object of their group.

mod errors;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::errors as general;
use super::layers::{Field, Fields, Layer};
use super::load::{Library, Loaded};
use super::values::{Cx, described};
use crate::admission::Role;
use crate::base::span::Span;
use crate::manifest::kind::{
    Figure, Figures, GivenBy, Kinds, Maker, Makes, Part, Path, Unknown, Value,
};
use crate::manifest::workload::WorkloadKind;
use crate::program::{Dim, Giver};
use crate::sema::assemble::lets::constants;
use crate::syntax::ast::{Expr, ExprKind, Item, Operator, Word, WordShape};
use crate::syntax::literal;

/// The most that a count in a declaration can be.
const MOST: u64 = 100_000;

/// Groups whose kinds are counted by Kubernetes' own rules.
const OWN_GROUPS: [&str; 4] = ["core", "apps", "batch", "extensions"];

/// The workloads that a kind may make, by the words of bz for them.
const MAKES: [(&str, WorkloadKind); 4] = [
    ("service", WorkloadKind::Deployment),
    ("stateful", WorkloadKind::StatefulSet),
    ("daemon", WorkloadKind::DaemonSet),
    ("job", WorkloadKind::Job),
];

/// The kinds that a program declares, and those of the library that its manifests need.
pub(super) struct Declared<'l> {
    own: BTreeMap<String, Arc<Maker>>,
    library: &'l Library,
    /// Those of the library, by group and then by name.
    read: RefCell<BTreeMap<String, BTreeMap<String, Arc<Maker>>>>,
}

impl<'l> Declared<'l> {
    /// The kinds of a program. What is wrong with them is said when the program is analyzed.
    pub(super) fn new(library: &'l Library, loaded: &Loaded) -> Declared<'l> {
        let cx = Cx {
            sources: &loaded.sources,
            sink: Mutex::default(),
            lets: BTreeMap::new(),
            tracer: None,
        };
        let items = loaded.files.iter().flat_map(|file| &file.items);
        let kinds: Vec<&Item> = items.filter(|item| cx.key(item) == "kind").collect();
        let own = match kinds.is_empty() {
            true => BTreeMap::new(),
            false => makers(&constants(cx, loaded), &kinds),
        };
        Declared {
            own,
            library,
            read: RefCell::default(),
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
            .or_insert_with(|| of_library(self.library, group));
        of_group.get(&name).map(Arc::clone)
    }
}

/// The library's kinds of a group. They have no faults, which a test shows.
fn of_library(library: &Library, group: &str) -> BTreeMap<String, Arc<Maker>> {
    let Some(tree) = library.tree(&format!("kinds/{group}")) else {
        return BTreeMap::new();
    };
    let sources = library.sources();
    let cx = Cx {
        sources: &sources,
        sink: Mutex::default(),
        lets: BTreeMap::new(),
        tracer: None,
    };
    let kinds: Vec<&Item> = tree
        .items
        .iter()
        .filter(|item| cx.key(item) == "kind")
        .collect();
    makers(&cx, &kinds)
}

/// Says what is wrong with the kinds of a program.
pub(super) fn check<'a>(cx: &Cx<'a>, items: &[&'a Item]) {
    makers(cx, items);
}

/// All kinds that these items declare, by name.
fn makers<'a>(cx: &Cx<'a>, items: &[&'a Item]) -> BTreeMap<String, Arc<Maker>> {
    let mut makers: BTreeMap<String, Arc<Maker>> = BTreeMap::new();
    let mut places: BTreeMap<&str, Span> = BTreeMap::new();
    for item in items {
        let quoted = item
            .names
            .iter()
            .all(|name| name.shape == WordShape::Quoted);
        let Some(body) = item
            .body
            .as_ref()
            .filter(|_| quoted && !item.names.is_empty())
        else {
            if !item.is_hole() {
                let example = "kind \"postgresql.cnpg.io/Cluster\" { .. }";
                cx.report(general::malformed("kind", example, item.span));
            }
            continue;
        };
        for (index, word) in item.names.iter().enumerate() {
            let name = cx.word(*word);
            let Some((group, _)) = name.split_once('/').filter(|(group, kind)| {
                !group.is_empty() && !kind.is_empty() && !kind.contains('/')
            }) else {
                cx.report(errors::not_a_kind(name, word.span));
                continue;
            };
            if OWN_GROUPS.contains(&group) {
                cx.report(errors::of_kubernetes(name, word.span));
                continue;
            }
            if let Some(first) = places.insert(name, word.span) {
                cx.report(general::declared_twice("kind", name, first, word.span));
                continue;
            }
            let layer = Layer {
                env: None,
                giver: Giver::Declaration("kind"),
                name,
                items: &body.items,
            };
            let fields = Fields::new(cx, "kind", word.span, vec![layer]);
            // The same block is read for each name, and its faults are said once.
            let said = (index > 0).then(|| cx.with_sink(|sink| sink.clone()));
            let maker = maker(&fields, name);
            if let Some(said) = said {
                cx.with_sink(|sink| *sink = said);
            }
            makers.insert(name.to_owned(), Arc::new(maker));
        }
    }
    makers
}

fn maker<'a>(fields: &Fields<'_, 'a>, name: &str) -> Maker {
    let cx = fields.cx;
    fields.check_keys("kind");
    let mut makes = Vec::new();
    for (word, kind) in MAKES {
        for field in fields.all(word) {
            makes.extend(made(cx, word, kind, field, name));
        }
    }
    makes.sort_by_key(|(at, _)| *at);
    let makes: Vec<Makes> = makes.into_iter().map(|(_, makes)| makes).collect();
    let fields_of = |(word, _): &(&'static str, WorkloadKind)| fields.all(word);
    let mut names: Vec<Word> = MAKES
        .iter()
        .flat_map(fields_of)
        .flat_map(|field| field.item.names.iter().copied())
        .collect();
    names.sort_by_key(|name| name.span.start);
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    for name in names {
        let text = cx.word(name);
        if let Some(first) = seen.insert(text, name.span) {
            cx.report(general::declared_twice("workload", text, first, name.span));
        }
    }
    let unknown = fields.all("unknown");
    Maker {
        name: name.to_owned(),
        makes,
        unknown: unknown
            .into_iter()
            .filter_map(|field| unknown_of(cx, field))
            .collect(),
    }
}

/// `unknown spec.plugins = "may be given containers by its plugins"`, also with `{ unless = spec.sealed }` behind it.
fn unknown_of<'a>(cx: &Cx<'a>, field: Field<'a>) -> Option<Unknown> {
    let item = field.item;
    let malformed = || {
        if !item.is_hole() {
            let example = "unknown spec.plugins = \"may be given containers by its plugins\"";
            cx.report(general::malformed("unknown", example, item.span));
        }
        None
    };
    let named = match &*item.names {
        [] => None,
        [word] => Some(Value::At(path(cx, cx.text(word.span), word.span)?)),
        _ => return malformed(),
    };
    let Some(value) = &item.value else {
        return malformed();
    };
    let why = cx.string(value)?.into_owned();
    let block = match &item.body {
        Some(_) => Some(Fields::of_body(cx, "unknown", field)?),
        None => None,
    };
    let asked = |key: &'static str| {
        let fields = block.as_ref()?;
        value_of(fields, key, &[Dim::Count])
    };
    if let Some(fields) = &block {
        fields.check_keys("kind.unknown");
    }
    Some(Unknown {
        when: named,
        unless: asked("unless"),
        why,
    })
}

/// A block `stateful NAME { .. }` of a kind, with its place.
fn made<'a>(
    cx: &Cx<'a>,
    word: &'static str,
    kind: WorkloadKind,
    field: Field<'a>,
    of: &str,
) -> Option<(u32, Makes)> {
    let [name] = &*field.item.names else {
        if !field.item.is_hole() {
            let example = format!("{word} db {{ replicas = spec.instances }}");
            cx.report(general::malformed(word, &example, field.item.span));
        }
        return None;
    };
    let fields = Fields::of_body(cx, word, field)?;
    fields.check_keys("kind.workload");
    let value = |key: &'a str| value_of(&fields, key, &[Dim::Count]);
    let mut parts = Vec::new();
    for container in fields.all("container") {
        parts.extend(part(cx, container, of));
    }
    let surge = value_of(&fields, "surge", &[Dim::Count, Dim::Percent]);
    if let (Some(_), true) = (&surge, kind != WorkloadKind::Deployment) {
        let span = fields.get("surge").map_or(fields.span, |field| {
            field.origin.span.unwrap_or(field.item.span)
        });
        cx.report(errors::surge_of(word, span));
    }
    Some((
        field.item.span.start,
        Makes {
            kind,
            name: cx.word(*name).to_owned(),
            each: path_of(&fields, "each"),
            when: value("when"),
            unless: value("unless"),
            replicas: value("replicas"),
            surge,
            grace: value("grace"),
            template: path_of(&fields, "template"),
            containers: path_of(&fields, "containers"),
            inits: path_of(&fields, "init-containers"),
            place: path_of(&fields, "place"),
            claims: value("claims"),
            parts,
        },
    ))
}

/// `container NAME { .. }`.
fn part<'a>(cx: &Cx<'a>, field: Field<'a>, of: &str) -> Option<Part> {
    let [name] = &*field.item.names else {
        if !field.item.is_hole() {
            let example = "container db { resources = spec.resources }";
            cx.report(general::malformed("container", example, field.item.span));
        }
        return None;
    };
    let name = cx.word(*name);
    let fields = Fields::of_body(cx, "container", field)?;
    fields.check_keys("kind.container");
    let value = |key: &'a str| value_of(&fields, key, &[Dim::Count]);
    let by = |key: &str, span: Option<Span>| {
        Arc::new(GivenBy {
            kind: of.to_owned(),
            key: format!("{name}.{key}"),
            span: span.unwrap_or(fields.span),
        })
    };
    let figures = |key: &'static str| -> Option<Figures> {
        let field = fields.get(key)?;
        let number = |fields: &Fields<'_, 'a>, at: &'static str| match key {
            "memory" => fields
                .memory(at)
                .map(|given| (given.value.n, given.origin.span)),
            _ => fields
                .cpu(at)
                .map(|given| (given.value.milli, given.origin.span)),
        };
        if field.item.body.is_none() {
            let (n, span) = number(&fields, key)?;
            let figure = Figure {
                n,
                by: by(key, span),
            };
            return Some(Figures {
                request: Some(figure.clone()),
                limit: Some(figure),
            });
        }
        let block = Fields::of_body(cx, key, field)?;
        block.check_keys(key);
        let one = |side: &'static str| {
            let (n, span) = number(&block, side)?;
            Some(Figure {
                n,
                by: by(&format!("{key}.{side}"), span),
            })
        };
        Some(Figures {
            request: one("request"),
            limit: one("limit"),
        })
    };
    let role = match (fields.flag("init"), fields.flag("sidecar")) {
        (_, Some(true)) => Role::Sidecar,
        (Some(true), _) => Role::Init,
        _ => Role::Main,
    };
    Some(Part {
        name: name.to_owned(),
        role,
        when: value("when"),
        unless: value("unless"),
        resources: value_of(&fields, "resources", &[]),
        memory: figures("memory").unwrap_or_default(),
        cpu: figures("cpu").unwrap_or_default(),
        least: fields.memory("least").map(|given| Figure {
            n: given.value.n,
            by: by("least", given.origin.span),
        }),
    })
}

/// A path alone.
fn path_of<'a>(fields: &Fields<'_, 'a>, key: &'a str) -> Option<Path> {
    match value_of(fields, key, &[])? {
        Value::At(path) => Some(path),
        _ => {
            let field = fields.get(key)?;
            let span = field.origin.span.unwrap_or(fields.span);
            fields.cx.report(errors::one_path(key, span));
            None
        }
    }
}

/// Paths, and numbers of these dimensions, with what stands between them.
fn value_of<'a>(fields: &Fields<'_, 'a>, key: &'a str, dims: &[Dim]) -> Option<Value> {
    let field = fields.get(key)?;
    let expr = field.value(fields.cx)?;
    value(fields.cx, expr, dims)
}

fn value<'a>(cx: &Cx<'a>, expr: &'a Expr, dims: &[Dim]) -> Option<Value> {
    let sides = |sides: &'a (Expr, Expr)| {
        let (left, right) = (value(cx, &sides.0, dims), value(cx, &sides.1, dims));
        Some(Box::new((left?, right?)))
    };
    match &expr.kind {
        ExprKind::Hole => None,
        ExprKind::Path if is_path(cx.text(expr.span)) => {
            Some(Value::At(path(cx, cx.text(expr.span), expr.span)?))
        }
        ExprKind::Binary(Operator::Or, both) => Some(Value::Either(sides(both)?)),
        ExprKind::Binary(Operator::Times, both) if !dims.is_empty() => {
            Some(Value::Product(sides(both)?))
        }
        ExprKind::Binary(Operator::Plus, both) if !dims.is_empty() => {
            Some(Value::Sum(sides(both)?))
        }
        ExprKind::Number | ExprKind::Path if !dims.is_empty() => {
            let number = cx.number(expr)?;
            match number.dim {
                Dim::Count if number.n <= MOST => Some(Value::Count(number.n)),
                Dim::Percent if dims.contains(&Dim::Percent) && number.n <= 1000 => {
                    Some(Value::Percent(number.n))
                }
                Dim::Count => {
                    cx.report(general::out_of_range("it", "at most 100000", expr.span));
                    None
                }
                dim => {
                    cx.report(errors::not_a_path(expr.span, dim.described()));
                    None
                }
            }
        }
        _ => {
            cx.report(errors::not_a_path(expr.span, described(expr)));
            None
        }
    }
}

/// What paths begin with.
const ROOTS: [&str; 3] = ["spec", "metadata", "item"];

/// Whether a text is a path into an object, and no name of a constant.
fn is_path(text: &str) -> bool {
    text.contains('.') || ROOTS.contains(&text)
}

/// The keys of `spec.kafka.resources`, or of `metadata.annotations."autoscaling.knative.dev/max-scale"`.
fn path<'a>(cx: &Cx<'a>, text: &'a str, span: Span) -> Option<Path> {
    let mut keys = Vec::new();
    let mut rest = text;
    loop {
        let (key, behind) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let end = quoted.find('"').unwrap_or(quoted.len());
                let key = literal::text(&rest[..(end + 2).min(rest.len())]).ok()?;
                (key.into_owned(), &quoted[(end + 1).min(quoted.len())..])
            }
            None => {
                let end = rest.find('.').unwrap_or(rest.len());
                (rest[..end].to_owned(), &rest[end..])
            }
        };
        keys.push(key);
        match behind.strip_prefix('.') {
            Some(more) => rest = more,
            None => break,
        }
    }
    let first = keys.first().map(String::as_str).unwrap_or_default();
    if !ROOTS.contains(&first) {
        cx.report(errors::not_a_root(first, span));
        return None;
    }
    let in_item = first == "item";
    if in_item {
        keys.remove(0);
    }
    Some(Path { in_item, keys })
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
                sink: Mutex::default(),
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
            assert!(cx.with_sink(|sink| sink.is_empty()), "{group}");
        }
    }
}
