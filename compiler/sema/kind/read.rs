//! The block of a `kind` or a `chart` to what is made of an object (`manifest::kind`).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::errors;
use crate::admission::Role;
use crate::base::span::Span;
use crate::manifest::kind::{
    Condition, Figure, Figures, GivenBy, Maker, Makes, Part, Path, Root, Unknown, Value, Volume,
    VolumeKind,
};
use crate::manifest::workload::WorkloadKind;
use crate::program::Dim;
use crate::sema::errors as general;
use crate::sema::layers::{Field, Fields};
use crate::sema::values::{Cx, described};
use crate::syntax::ast::{Expr, ExprKind, Operator, Word};
use crate::syntax::literal;

/// The most that a count in a declaration can be.
const MOST: u64 = 100_000;

/// The workloads that may be made, by the words of bz for them.
const MAKES: [(&str, WorkloadKind); 5] = [
    ("service", WorkloadKind::Deployment),
    ("stateful", WorkloadKind::StatefulSet),
    ("daemon", WorkloadKind::DaemonSet),
    ("job", WorkloadKind::Job),
    ("cron", WorkloadKind::CronJob),
];

/// The volumes that may be made.
const VOLUMES: [(&str, VolumeKind); 4] = [
    ("memory", VolumeKind::Memory),
    ("secret", VolumeKind::Secret),
    ("claim", VolumeKind::Claim),
    ("any", VolumeKind::Any),
];

/// What paths into an object begin with, and into the values of a chart.
pub(super) const OF_OBJECTS: [&str; 2] = ["spec", "metadata"];
pub(super) const OF_CHARTS: [&str; 1] = ["values"];

/// What a value may be besides a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// Nothing.
    Path,
    /// A count.
    Count,
    /// A count or a percentage.
    Surge,
    /// A text or a count.
    Text,
}

/// What reading a block needs.
#[derive(Clone, Copy)]
pub(super) struct Reading<'c, 'a> {
    pub(super) cx: &'c Cx<'a>,
    /// What paths into the object begin with.
    pub(super) roots: &'static [&'static str],
}

impl<'a> Reading<'_, 'a> {
    /// What is made of an object, by the fields of a declaration with this name.
    pub(super) fn maker(self, fields: &Fields<'_, 'a>, name: &str) -> Maker {
        let cx = self.cx;
        let mut makes = Vec::new();
        for (word, kind) in MAKES {
            for field in fields.all(word) {
                makes.extend(self.made(word, kind, field, name));
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
        let volumes = fields.all("volume").into_iter();
        Maker {
            name: name.to_owned(),
            is_chart: self.roots == OF_CHARTS,
            makes,
            volumes: volumes.filter_map(|field| self.volume(field)).collect(),
            unknown: unknown
                .into_iter()
                .filter_map(|field| self.unknown(field))
                .collect(),
        }
    }

    /// `unknown spec.plugins = "may be given containers by its plugins"`, also with a block behind it.
    fn unknown(self, field: Field<'a>) -> Option<Unknown> {
        let (cx, item) = (self.cx, field.item);
        let malformed = || {
            if !item.is_hole() {
                let example = "unknown spec.plugins = \"may be given containers by its plugins\"";
                cx.report(general::malformed("unknown", example, item.span));
            }
            None
        };
        let when = match &*item.names {
            [] => None,
            [word] => Some(Value::At(self.path(cx.text(word.span), word.span)?)),
            _ => return malformed(),
        };
        let Some(value) = &item.value else {
            return malformed();
        };
        let why = cx.string(value)?.into_owned();
        let mut on = Condition {
            when,
            ..Condition::default()
        };
        if item.body.is_some() {
            let fields = Fields::of_body(cx, "unknown", field)?;
            fields.check_keys("kind.unknown");
            on.unless = self.value_of(&fields, "unless", Takes::Count);
            on.is = text(&fields, "is");
        }
        Some(Unknown { on, why })
    }

    fn condition(self, fields: &Fields<'_, 'a>) -> Condition {
        Condition {
            when: self.value_of(fields, "when", Takes::Text),
            is: text(fields, "is"),
            unless: self.value_of(fields, "unless", Takes::Count),
        }
    }

    /// A block `stateful NAME { .. }`, with its place.
    fn made(
        self,
        word: &'static str,
        kind: WorkloadKind,
        field: Field<'a>,
        of: &str,
    ) -> Option<(u32, Makes)> {
        let cx = self.cx;
        let [name] = &*field.item.names else {
            if !field.item.is_hole() {
                let example = format!("{word} db {{ replicas = spec.instances }}");
                cx.report(general::malformed(word, &example, field.item.span));
            }
            return None;
        };
        let fields = Fields::of_body(cx, word, field)?;
        fields.check_keys("kind.workload");
        let count = |key: &'static str| self.value_of(&fields, key, Takes::Count);
        let text = |key: &'static str| self.value_of(&fields, key, Takes::Text);
        let parts = fields.all("container").into_iter();
        let surge = self.value_of(&fields, "surge", Takes::Surge);
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
                each: self.path_of(&fields, "each"),
                on: self.condition(&fields),
                replicas: count("replicas"),
                surge,
                strategy: text("strategy"),
                schedule: text("schedule"),
                concurrency: text("concurrency"),
                suspend: count("suspend"),
                grace: count("grace"),
                template: self.path_of(&fields, "template"),
                pod: self.value_of(&fields, "pod", Takes::Path),
                containers: self.path_of(&fields, "containers"),
                inits: self.path_of(&fields, "init-containers"),
                container_defaults: self.path_of(&fields, "container-defaults"),
                place: self.path_of(&fields, "place"),
                claims: count("claims"),
                parts: parts.filter_map(|field| self.part(field, of)).collect(),
            },
        ))
    }

    /// `volume secret { each = values.persistence }`.
    fn volume(self, field: Field<'a>) -> Option<Volume> {
        let cx = self.cx;
        let example = "volume secret { each = values.secrets }";
        let [name] = &*field.item.names else {
            if !field.item.is_hole() {
                cx.report(general::malformed("volume", example, field.item.span));
            }
            return None;
        };
        let word = cx.word(*name);
        let Some((_, kind)) = VOLUMES.iter().find(|(known, _)| *known == word) else {
            cx.report(errors::not_a_volume(word, name.span));
            return None;
        };
        let fields = Fields::of_body(cx, "volume", field)?;
        fields.check_keys("kind.volume");
        let Some(each) = self.path_of(&fields, "each") else {
            if !fields.has("each") {
                fields.missing("each", example);
            }
            return None;
        };
        Some(Volume {
            kind: *kind,
            each,
            on: self.condition(&fields),
            only: self.path_of(&fields, "only"),
            all: self.path_of(&fields, "all"),
            at: self.path_of(&fields, "at"),
        })
    }

    /// `container NAME { .. }`.
    fn part(self, field: Field<'a>, of: &str) -> Option<Part> {
        let cx = self.cx;
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
        let by = |key: &str, span: Option<Span>| {
            Arc::new(GivenBy {
                kind: of.to_owned(),
                key: format!("{name}.{key}"),
                span: span.unwrap_or(fields.span),
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
            on: self.condition(&fields),
            resources: self.value_of(&fields, "resources", Takes::Path),
            memory: self.figures(&fields, "memory", &by).unwrap_or_default(),
            cpu: self.figures(&fields, "cpu", &by).unwrap_or_default(),
            least: fields.memory("least").map(|given| Figure {
                n: given.value.n,
                by: by("least", given.origin.span),
            }),
        })
    }

    /// Request and limit: one amount for both, or a block.
    fn figures(
        self,
        fields: &Fields<'_, 'a>,
        key: &'static str,
        by: &dyn Fn(&str, Option<Span>) -> Arc<GivenBy>,
    ) -> Option<Figures> {
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
            let (n, span) = number(fields, key)?;
            let figure = Figure {
                n,
                by: by(key, span),
            };
            return Some(Figures {
                request: Some(figure.clone()),
                limit: Some(figure),
            });
        }
        let block = Fields::of_body(self.cx, key, field)?;
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
    }

    /// A path alone.
    fn path_of(self, fields: &Fields<'_, 'a>, key: &'a str) -> Option<Path> {
        match self.value_of(fields, key, Takes::Path)? {
            Value::At(path) => Some(path),
            _ => {
                let field = fields.get(key)?;
                let span = field.origin.span.unwrap_or(fields.span);
                fields.cx.report(errors::one_path(key, span));
                None
            }
        }
    }

    /// Paths, and what else is taken, with what stands between them.
    fn value_of(self, fields: &Fields<'_, 'a>, key: &'a str, takes: Takes) -> Option<Value> {
        let field = fields.get(key)?;
        let expr = field.value(fields.cx)?;
        self.value(expr, takes)
    }

    fn value(self, expr: &'a Expr, takes: Takes) -> Option<Value> {
        let cx = self.cx;
        let counts = takes != Takes::Path;
        let sides = |sides: &'a (Expr, Expr)| {
            let (left, right) = (self.value(&sides.0, takes), self.value(&sides.1, takes));
            Some(Box::new((left?, right?)))
        };
        match &expr.kind {
            ExprKind::Hole => None,
            ExprKind::Path if self.is_path(cx.text(expr.span)) => {
                Some(Value::At(self.path(cx.text(expr.span), expr.span)?))
            }
            ExprKind::Binary(Operator::Or, both) => Some(Value::Either(sides(both)?)),
            ExprKind::Binary(Operator::Times, both) if counts => Some(Value::Product(sides(both)?)),
            ExprKind::Binary(Operator::Plus, both) if counts => Some(Value::Sum(sides(both)?)),
            ExprKind::Text if takes == Takes::Text => {
                Some(Value::Text(cx.string(expr)?.into_owned()))
            }
            ExprKind::Number | ExprKind::Path if counts => {
                let number = cx.number(expr)?;
                match number.dim {
                    Dim::Count if number.n <= MOST => Some(Value::Count(number.n)),
                    Dim::Percent if takes == Takes::Surge && number.n <= 1000 => {
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

    /// Whether a text is a path into an object, and no name of a constant.
    fn is_path(self, text: &str) -> bool {
        text.contains('.') || self.roots.contains(&text) || ["item", "volume"].contains(&text)
    }

    /// The keys of `spec.kafka.resources`, or of `metadata.annotations."autoscaling.knative.dev/max-scale"`.
    fn path(self, text: &'a str, span: Span) -> Option<Path> {
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
        let root = match first {
            "item" => Root::Item,
            "volume" => Root::Volume,
            first if self.roots.contains(&first) => Root::Object,
            first => {
                self.cx.report(errors::not_a_root(first, self.roots, span));
                return None;
            }
        };
        if root != Root::Object {
            keys.remove(0);
        }
        Some(Path { root, keys })
    }
}

fn text<'a>(fields: &Fields<'_, 'a>, key: &'static str) -> Option<String> {
    Some(fields.string(key)?.value.into_owned())
}
