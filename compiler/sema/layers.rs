//! The fields of a declaration, from all the places that may give them: its tier or profile, its own block,
//! and the chosen environment. There is one way to replace what a lower place gave, `override`, and it is an
//! error both to forget it and to write it where there is nothing to replace.

mod errors;

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;

use crate::base::quantity::{Bytes, Cpu, Millis};
use crate::base::span::{Span, Spanned};
use crate::program::{Dim, Given, Giver, Origin};
use crate::schema;
use crate::sema::errors as general;
use crate::sema::values::Cx;
use crate::syntax::ast::{Expr, ExprKind, Item};

/// The largest count: those of Kubernetes are 32 bits with a sign (`int32`).
const MOST: u64 = i32::MAX as u64;

/// One place that gives fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layer<'a> {
    /// The environment, if it belongs to one.
    pub env: Option<&'a str>,
    /// Who gives them.
    pub giver: Giver,
    /// The declaration's name.
    pub name: &'a str,
    /// Its fields.
    pub items: &'a [Item],
}

/// The fields of one declaration, lowest place first.
#[derive(Debug, Clone)]
pub(super) struct Fields<'c, 'a> {
    /// The context.
    pub cx: &'c Cx<'a>,
    /// `service`, ..: for messages.
    pub kind: &'static str,
    /// Where the declaration's name stands.
    pub span: Span,
    /// The word of the declaration whose own layers `check_keys` checks; others are checked where they are declared.
    owner: &'static str,
    layers: Vec<Layer<'a>>,
    /// All items of all layers with their key and the index of their layer, so that a look-up is one pass.
    keyed: Vec<(&'a str, usize, &'a Item)>,
    /// The `key_bit`s of all keys: most fields are not given, and a missing bit shows it without comparing keys.
    given: u64,
    /// Whether some key is unknown. A required field that seems to be missing may then only be misspelt.
    misspelt: Cell<bool>,
}

/// One of 64 bits for a key. Different keys may share a bit.
pub(crate) fn key_bit(key: &str) -> u64 {
    let bytes = key.as_bytes();
    let (first, last) = (
        bytes.first().copied().unwrap_or(0),
        bytes.last().copied().unwrap_or(0),
    );
    1 << ((usize::from(first) ^ usize::from(last) << 1 ^ bytes.len() << 2) & 63)
}

/// A field that was found, and where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'a> {
    /// The item.
    pub item: &'a Item,
    /// Its origin; the span is the value's.
    pub origin: Origin<'a>,
}

impl<'a> Field<'a> {
    /// The value of `key = value`.
    pub(super) fn value(&self, cx: &Cx<'a>) -> Option<&'a Expr> {
        match (&self.item.value, &self.item.body) {
            (Some(value), None) if self.item.names.is_empty() => Some(value),
            (
                Some(Expr {
                    kind: ExprKind::Hole,
                    ..
                }),
                _,
            ) => None,
            _ => {
                cx.report(errors::block_for_value(
                    cx.key(self.item),
                    self.item.key.span,
                ));
                None
            }
        }
    }

    /// Pairs a value with this field's origin.
    pub(super) fn given<T>(&self, value: T) -> Given<'a, T> {
        Given {
            value,
            origin: self.origin,
        }
    }
}

impl<'c, 'a> Fields<'c, 'a> {
    /// The fields of a declaration. `layers` from the lowest to the one that wins.
    pub(super) fn new(
        cx: &'c Cx<'a>,
        kind: &'static str,
        span: Span,
        layers: Vec<Layer<'a>>,
    ) -> Fields<'c, 'a> {
        let mut keyed = Vec::with_capacity(layers.iter().map(|layer| layer.items.len()).sum());
        for (index, layer) in layers.iter().enumerate() {
            keyed.extend(layer.items.iter().map(|item| (cx.key(item), index, item)));
        }
        let given = keyed.iter().fold(0, |bits, (key, ..)| bits | key_bit(key));
        Fields {
            cx,
            kind,
            span,
            owner: kind,
            layers,
            keyed,
            given,
            misspelt: Cell::new(false),
        }
    }

    /// The same declaration over lower layers.
    pub(super) fn over(self, mut lower: Vec<Layer<'a>>) -> Fields<'c, 'a> {
        lower.extend(self.layers);
        Fields::new(self.cx, self.kind, self.span, lower)
    }

    /// The block behind one item.
    pub(super) fn of_body(
        cx: &'c Cx<'a>,
        kind: &'static str,
        field: Field<'a>,
    ) -> Option<Fields<'c, 'a>> {
        match &field.item.body {
            Some(body) => {
                let Origin {
                    env, giver, name, ..
                } = field.origin;
                let layer = Layer {
                    env,
                    giver,
                    name,
                    items: &body.items,
                };
                Some(Fields::new(cx, kind, field.item.key.span, vec![layer]))
            }
            None => {
                if !field.item.is_hole() {
                    cx.report(general::value_for_block(
                        cx.key(field.item),
                        field.item.key.span,
                    ));
                }
                None
            }
        }
    }

    /// The block behind a key, of every layer that gives one: a higher layer adds fields, and replaces those of a lower
    /// one, or the whole block, where it says `override`. `below` is a layer under all of them.
    pub(super) fn nested(
        &self,
        key: &'static str,
        below: impl Fn(&Fields<'c, 'a>) -> Option<Layer<'a>>,
    ) -> Option<Fields<'c, 'a>> {
        let mut layers = Vec::new();
        if !self.has(key) {
            return None;
        }
        for Field { item, origin } in self.all_bodies(key) {
            if let Some(word) = item.overriding() {
                if layers.is_empty() {
                    let place = item.key.span;
                    self.cx.report(general::overrides_nothing(key, place, word));
                }
                layers.clear();
            }
            let Origin {
                env, giver, name, ..
            } = origin;
            layers.extend(item.body.as_ref().map(|body| Layer {
                env,
                giver,
                name,
                items: &body.items,
            }));
        }
        let span = self.get_any(key)?.key.span;
        let mut nested = Fields::new(self.cx, key, span, layers.clone());
        if let Some(below) = below(&nested) {
            layers.insert(0, below);
            nested = Fields::new(self.cx, key, span, layers);
        }
        nested.owner = self.owner;
        Some(nested)
    }

    /// The item of the highest layer that has this key.
    fn get_any(&self, key: &str) -> Option<&'a Item> {
        let mut highest_first = self.keyed.iter().rev();
        highest_first
            .find(|(other, ..)| *other == key)
            .map(|(_, _, item)| *item)
    }

    /// Reports keys that `place` does not have and keys given twice, in the layers that are this declaration's own.
    pub(super) fn check_keys(&self, place: &str) {
        let known = schema::keys(place);
        for (at, (key, layer, item)) in self.keyed.iter().enumerate() {
            if self.layers[*layer].giver.word() != self.owner && self.layers.len() > 1 {
                continue;
            }
            if !known.contains(key) {
                self.misspelt.set(true);
                self.cx.report(general::unknown_key(
                    self.kind,
                    place,
                    Some(item),
                    (key, item.key.span),
                    known,
                ));
            } else if !REPEATABLE.contains(key) {
                self.check_given_once(at);
            }
        }
    }

    /// Reports the item at this index of `keyed` if its layer gives its key before.
    fn check_given_once(&self, at: usize) {
        let (key, layer, item) = self.keyed[at];
        let earlier = self.keyed[..at]
            .iter()
            .find(|(other, of, _)| *of == layer && *other == key);
        if let Some((_, _, first)) = earlier {
            self.cx
                .report(general::given_twice(key, first.key.span, item.key.span));
        }
    }

    /// The declaration's own name.
    pub(super) fn name_of(&self) -> &'a str {
        self.layers.last().map_or("", |layer| layer.name)
    }

    /// Whether any layer has this key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.given & key_bit(key) != 0 && self.keyed.iter().any(|(other, ..)| *other == key)
    }

    /// All keys of all layers that have no name behind them, with where each stands; one given twice in a layer is
    /// reported.
    pub(super) fn keys(&self) -> Vec<(&'a str, Span)> {
        // A ConfigMap may have thousands.
        let mut first: BTreeMap<(usize, &str), Span> = BTreeMap::new();
        let plain = |item: &Item| item.names.is_empty();
        for (key, layer, item) in self.keyed.iter().filter(|(.., item)| plain(item)) {
            if let Some(first) = first.insert((*layer, key), item.key.span) {
                self.cx
                    .report(general::given_twice(key, first, item.key.span));
            }
        }
        self.keyed
            .iter()
            .filter(|(.., item)| plain(item))
            .map(|(key, _, item)| (*key, item.key.span))
            .collect()
    }

    /// The field that counts, with `override` checked on the way.
    pub(super) fn get(&self, key: &'a str) -> Option<Field<'a>> {
        if self.given & key_bit(key) == 0 {
            return None;
        }
        let mut found: Option<Field<'a>> = None;
        let mut last_layer = usize::MAX;
        for (other, index, item) in &self.keyed {
            // Of a key given twice in one layer the first counts; `check_keys` has reported the second.
            if *other != key || *index == last_layer {
                continue;
            }
            last_layer = *index;
            let layer = &self.layers[*index];
            match (found, item.overriding()) {
                (Some(lower), None) => {
                    self.cx.report(general::override_missing(
                        key,
                        item,
                        lower.item,
                        &lower.origin,
                    ));
                }
                (None, Some(word)) => {
                    self.cx
                        .report(general::overrides_nothing(key, item.key.span, word))
                }
                _ => {}
            }
            let value = item.value.as_ref().map(|value| value.span);
            let span = value
                .or(item.body.as_ref().map(|body| body.span))
                .unwrap_or(item.span);
            let origin = Origin {
                env: layer.env,
                giver: layer.giver,
                name: layer.name,
                key,
                span: Some(span),
            };
            self.cx.trace_field(item, origin);
            found = Some(Field { item, origin });
        }
        found
    }

    /// All items of all layers with this key that declare something by name (`volume data { .. }`).
    pub(super) fn all(&self, key: &'static str) -> Vec<Field<'a>> {
        let mut found = Vec::new();
        if self.given & key_bit(key) == 0 {
            return found;
        }
        for layer in &self.layers {
            for item in layer.items.iter().filter(|item| self.cx.key(item) == key) {
                let origin = Origin {
                    env: layer.env,
                    giver: layer.giver,
                    name: layer.name,
                    key,
                    span: Some(item.span),
                };
                self.cx.trace_field(item, origin);
                found.push(Field { item, origin });
            }
        }
        found
    }

    /// The entries of a block whose keys are the user's own (`env`, `labels`, `kubelet-arg`): those of every
    /// layer, later ones replacing earlier ones where they say `override`.
    pub(super) fn entries(&self, key: &'a str) -> Vec<Field<'a>> {
        let mut entries: Vec<Field<'a>> = Vec::new();
        for field in self.all_bodies(key) {
            let Some(body) = &field.item.body else {
                continue;
            };
            if let Some(word) = field.item.overriding() {
                if entries.is_empty() {
                    self.cx
                        .report(general::overrides_nothing(key, field.item.key.span, word));
                }
                entries.clear();
            }
            let first_of_layer = entries.len();
            entries.reserve(body.items.len());
            for item in &body.items {
                let name = self.cx.key(item);
                let place = item.value.as_ref().map_or(item.span, |value| value.span);
                let origin = Origin {
                    key: name,
                    span: Some(place),
                    ..field.origin
                };
                self.cx.trace_field(item, origin);
                let entry = Field { item, origin };
                match entries
                    .iter()
                    .position(|other| self.cx.key(other.item) == name)
                {
                    Some(at) if at >= first_of_layer => {
                        self.cx.report(general::given_twice(
                            name,
                            entries[at].item.key.span,
                            item.key.span,
                        ));
                    }
                    Some(at) => {
                        if item.overriding().is_none() {
                            self.cx.report(general::override_missing(
                                name,
                                item,
                                entries[at].item,
                                &entries[at].origin,
                            ));
                        }
                        entries[at] = entry;
                    }
                    None => {
                        if let Some(word) = item.overriding() {
                            self.cx
                                .report(general::overrides_nothing(name, item.key.span, word));
                        }
                        entries.push(entry);
                    }
                }
            }
        }
        entries
    }

    fn all_bodies(&self, key: &'a str) -> impl Iterator<Item = Field<'a>> {
        self.layers.iter().filter_map(move |layer| {
            let item = layer.items.iter().find(|item| self.cx.key(item) == key)?;
            let origin = Origin {
                env: layer.env,
                giver: layer.giver,
                name: layer.name,
                key,
                span: Some(item.span),
            };
            if item.body.is_none() && !item.is_hole() {
                self.cx.report(general::value_for_block(key, item.key.span));
            }
            item.body.is_some().then_some(Field { item, origin })
        })
    }

    /// Whether any layer has an item that could not be read. The missing field may be that item.
    fn has_hole(&self) -> bool {
        self.layers
            .iter()
            .any(|layer| layer.items.iter().any(Item::is_hole))
    }

    /// The same fields, once `check_keys` has reported unknown keys. If the declaration has one, it may be a misspelt
    /// required field, so that no field is reported as missing.
    pub(super) fn noting_unknown_keys(self, place: &str) -> Fields<'c, 'a> {
        let known = schema::keys(place);
        let own = |layer: usize| self.layers[layer].giver.word() == self.kind;
        let mut keys = self.keyed.iter();
        let misspelt = keys.any(|(key, layer, _)| own(*layer) && !known.contains(key));
        self.misspelt.set(misspelt);
        self
    }

    /// Reports that a required field is missing.
    pub(super) fn missing(&self, key: &str, example: &str) {
        if !self.has_hole() && !self.misspelt.get() {
            self.cx
                .report(errors::missing_field(self.kind, key, self.span, example));
        }
    }

    /// An amount of memory.
    pub(super) fn memory(&self, key: &'a str) -> Option<Given<'a, Bytes>> {
        let field = self.get(key)?;
        let value = self.cx.memory(field.value(self.cx)?)?;
        Some(field.given(value))
    }

    /// An amount of CPU.
    pub(super) fn cpu(&self, key: &'a str) -> Option<Given<'a, Cpu>> {
        let field = self.get(key)?;
        let value = self.cx.cpu(field.value(self.cx)?)?;
        Some(field.given(value))
    }

    /// A count.
    pub(super) fn count(&self, key: &'a str) -> Option<Given<'a, u64>> {
        let field = self.get(key)?;
        let expr = field.value(self.cx)?;
        let value = self.cx.count(expr)?;
        if value > MOST {
            self.cx
                .report(general::out_of_range(key, "at most 2147483647", expr.span));
            return None;
        }
        Some(field.given(value))
    }

    /// A percentage.
    pub(super) fn percent(&self, key: &'a str) -> Option<Given<'a, u64>> {
        let field = self.get(key)?;
        let number = self.cx.expect(field.value(self.cx)?, Dim::Percent)?;
        Some(field.given(number.n))
    }

    /// A length of time.
    pub(super) fn duration(&self, key: &'a str) -> Option<Millis> {
        let field = self.get(key)?;
        self.cx.duration(field.value(self.cx)?)
    }

    /// A text.
    pub(super) fn string(&self, key: &'a str) -> Option<Given<'a, Cow<'a, str>>> {
        let field = self.get(key)?;
        let value = self.cx.string(field.value(self.cx)?)?;
        Some(field.given(value))
    }

    /// A list of texts.
    pub(super) fn strings(&self, key: &'a str) -> Option<Vec<Cow<'a, str>>> {
        let field = self.get(key)?;
        self.cx.strings(field.value(self.cx)?)
    }

    /// The words of a command line.
    pub(super) fn command(&self, key: &'a str) -> Option<Vec<Cow<'a, str>>> {
        let field = self.get(key)?;
        self.cx.command(field.value(self.cx)?)
    }

    /// A list of texts, each with its place.
    pub(super) fn placed_strings(&self, key: &'a str) -> Option<Vec<Spanned<Cow<'a, str>>>> {
        let field = self.get(key)?;
        let list = self.cx.list(field.value(self.cx)?)?;
        let one = |value: &'a Expr| Some(Spanned::new(self.cx.string(value)?, value.span));
        list.iter().map(one).collect()
    }

    /// A bare name.
    pub(super) fn name(&self, key: &'a str) -> Option<Given<'a, &'a str>> {
        let field = self.get(key)?;
        let (name, _) = self.cx.name(field.value(self.cx)?, key)?;
        Some(field.given(name))
    }

    /// What a bare name stands for, of those that `words` has; another is reported.
    pub(super) fn one_of<T: Copy>(
        &self,
        key: &'static str,
        words: &[(&'static str, T)],
    ) -> Option<T> {
        let given = self.name(key)?;
        let known = words.iter().find(|(word, _)| *word == given.value);
        if known.is_none() {
            let span = given.origin.span.unwrap_or(self.span);
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.cx
                .report(general::not_one_of(key, given.value, span, &words));
        }
        known.map(|(_, meant)| *meant)
    }

    /// A list of bare names.
    pub(super) fn names(&self, key: &'a str) -> Option<Vec<(&'a str, Span)>> {
        let field = self.get(key)?;
        self.cx.names(field.value(self.cx)?, key)
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, key: &'a str) -> Option<bool> {
        let field = self.get(key)?;
        let value = field.value(self.cx)?;
        let (name, span) = self.cx.name(value, "true or false")?;
        match name {
            "true" => Some(true),
            "false" => Some(false),
            _ => {
                self.cx.report(errors::not_a_bool(name, span));
                None
            }
        }
    }
}

/// Keys that may come any number of times.
pub(crate) const REPEATABLE: [&str; 13] = [
    "rule",
    "volume",
    "ingress",
    "sidecar",
    "init",
    "workload",
    "keep",
    "container",
    "service",
    "stateful",
    "daemon",
    "job",
    "unknown",
];

/// A duration where Kubernetes counts seconds.
pub(crate) fn whole_seconds<'a>(fields: &Fields<'_, 'a>, key: &'a str) -> Option<Millis> {
    let given = fields.duration(key)?;
    if !given.0.is_multiple_of(1000) {
        let span = fields
            .get(key)
            .and_then(|field| field.origin.span)
            .unwrap_or(fields.span);
        fields.cx.report(errors::whole_seconds(key, span));
    }
    Some(given)
}
