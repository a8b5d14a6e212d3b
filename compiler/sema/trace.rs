//! What was given at one place of the sources: recorded while the program is analysed, when somebody asks for a place.

use std::cell::RefCell;

use crate::base::source::SourceMap;
use crate::base::span::Span;
use crate::program::Origin;
use crate::syntax::ast::{File, Item};

/// What was given at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traced {
    /// The field, the constant or the name that stands there.
    pub span: Span,
    /// How outputs name what it gives: `tier.agent.memory`, `let.base`, `service.api`.
    pub path: String,
    /// The value as the compiler takes it, in the unit it was written in; of a list, a range or a text as it was written.
    /// `None` where a block or a name stands.
    pub value: Option<String>,
    /// The numbers that the plan decided out of it, each with its path: `service.api.memory` and `48Mi`. Empty where
    /// there is no plan.
    pub decided: Vec<(String, String)>,
}

/// Records what is given at one place.
#[derive(Debug)]
pub(super) struct Tracer<'a> {
    at: Span,
    /// Fields that hold the place, with the place of the value.
    fields: RefCell<Vec<Found<'a>>>,
    /// Values that hold the place.
    values: RefCell<Vec<(Span, String)>>,
}

#[derive(Debug)]
struct Found<'a> {
    span: Span,
    value: Option<Span>,
    origin: Origin<'a>,
}

impl<'a> Tracer<'a> {
    /// Asks for a place. One on the key of a field asks for its value.
    pub(super) fn new(files: impl Iterator<Item = &'a File>, at: Span) -> Tracer<'a> {
        let mut items: &'a [Item] = files
            .filter(|file| file.id == at.file)
            .map(|file| &*file.items)
            .next()
            .unwrap_or_default();
        let mut asked = at;
        while let Some(item) = items.iter().find(|item| item.span.holds(at)) {
            match (&item.value, &item.body) {
                (Some(value), _) if item.key.span.holds(at) => asked = value.span,
                _ => {}
            }
            items = item.body.as_ref().map_or(&[], |body| &*body.items);
        }
        Tracer {
            at: asked,
            fields: RefCell::default(),
            values: RefCell::default(),
        }
    }

    /// A field was read.
    pub(super) fn field(&self, item: &'a Item, origin: Origin<'a>) {
        let value = item.value.as_ref().map(|value| value.span);
        self.declared(item.span, value, origin);
    }

    /// Something was declared with a value.
    pub(super) fn declared(&self, span: Span, value: Option<Span>, origin: Origin<'a>) {
        if span.holds(self.at) {
            let found = Found {
                span,
                value,
                origin,
            };
            self.fields.borrow_mut().push(found);
        }
    }

    /// A value was computed. Of several at one place the last counts: it has the dimension that was wanted there.
    pub(super) fn value(&self, span: Span, value: impl FnOnce() -> String) {
        if span.holds(self.at) {
            self.values.borrow_mut().push((span, value()));
        }
    }

    /// What was given: by the narrowest field that holds the place, under each of its names.
    pub(super) fn into_traced(self, sources: &SourceMap) -> Vec<Traced> {
        let length = |span: Span| span.end - span.start;
        let values = self.values.into_inner();
        let narrowest = values.iter().map(|(span, _)| length(*span)).min();
        let value = values
            .iter()
            .rfind(|(span, _)| Some(length(*span)) == narrowest)
            .map(|(_, value)| value.as_str());
        let fields = self.fields.into_inner();
        let narrowest = fields.iter().map(|field| length(field.span)).min();
        let mut traced: Vec<Traced> = Vec::new();
        for field in fields {
            let path = field.origin.path();
            let known = traced.iter().any(|other| other.path == path);
            if Some(length(field.span)) != narrowest || known {
                continue;
            }
            let written = |span: Span| value.unwrap_or(sources.text(span)).to_owned();
            traced.push(Traced {
                span: field.span,
                path,
                value: field.value.map(written),
                decided: Vec::new(),
            });
        }
        traced
    }
}
