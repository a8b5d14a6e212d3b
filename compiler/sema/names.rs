//! Names, labels and annotations as Kubernetes takes them, and texts where it wants text.

mod errors;

use std::borrow::Cow;

use crate::base::span::Span;
use crate::sema::dns::label_fault;
use crate::sema::errors as general;
use crate::sema::layers::Fields;
use crate::sema::values::Cx;
use crate::syntax::ast::{Expr, ExprKind};

pub(crate) fn check_label(cx: &Cx<'_>, kind: &'static str, name: &str, span: Span) {
    if let Some(fault) = label_fault(name) {
        cx.report(general::not_a_label(kind, name, fault, span));
    }
}

/// What Kubernetes calls a qualified name, without its prefix: the name of a label or an annotation.
pub(crate) fn is_name(text: &str) -> bool {
    text.len() <= 63
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric())
}

/// A block of the user's own keys with texts.
pub(crate) fn texts<'a>(
    fields: &Fields<'_, 'a>,
    key: &'static str,
) -> Vec<(&'a str, Cow<'a, str>)> {
    let cx = fields.cx;
    if fields.get(key).is_none() {
        return Vec::new();
    }
    let texts = fields.entries(key).into_iter().filter_map(|entry| {
        let value = plain_text(cx, entry.value(cx)?)?;
        Some((cx.key(entry.item), value))
    });
    texts.collect()
}

/// Annotations, as Kubernetes takes them.
pub(crate) fn annotations<'a>(fields: &Fields<'_, 'a>) -> Vec<(&'a str, Cow<'a, str>)> {
    let annotations = texts(fields, "annotations");
    for (key, _) in &annotations {
        if !is_name(key.rsplit('/').next().unwrap_or(key)) {
            let place = fields
                .get("annotations")
                .and_then(|field| field.origin.span)
                .unwrap_or(fields.span);
            fields.cx.report(errors::label(
                key,
                "its name is not letters, digits, `-`, `_` and `.`",
                place,
            ));
        }
    }
    annotations
}

/// Labels, as Kubernetes takes them.
pub(crate) fn labels<'a>(
    fields: &Fields<'_, 'a>,
    key: &'static str,
) -> Vec<(&'a str, Cow<'a, str>)> {
    let labels = texts(fields, key);
    let Some(place) = fields
        .get(key)
        .and_then(|field| field.origin.span)
        .filter(|_| !labels.is_empty())
    else {
        return labels;
    };
    for (key, value) in &labels {
        let name = key.rsplit('/').next().unwrap_or(key);
        if [
            "app.kubernetes.io/name",
            "app.kubernetes.io/managed-by",
            "app.kubernetes.io/part-of",
        ]
        .contains(key)
        {
            fields.cx.report(errors::label(key, "bzc sets it", place));
        } else if !is_name(name) {
            fields.cx.report(errors::label(
                key,
                "its name is not letters, digits, `-`, `_` and `.`",
                place,
            ));
        } else if !value.is_empty() && !is_name(value) {
            fields.cx.report(errors::label(
                key,
                "its value is not letters, digits, `-`, `_` and `.`, 63 at most",
                place,
            ));
        }
    }
    labels
}

/// A value where Kubernetes wants text: a text, or a literal or bare word as it was written.
pub(crate) fn plain_text<'a>(cx: &Cx<'a>, expr: &'a Expr) -> Option<Cow<'a, str>> {
    let value = cx.resolve(expr);
    match value.kind {
        ExprKind::Number => Some(Cow::Borrowed(cx.text(value.span))),
        ExprKind::Path if matches!(cx.text(value.span), "true" | "false") => {
            Some(Cow::Borrowed(cx.text(value.span)))
        }
        _ => cx.string(value),
    }
}

/// Whether a text may be a key of a ConfigMap or a Secret.
pub(crate) fn is_config_key(key: &str) -> bool {
    let valid = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    !matches!(key, "" | "." | "..") && key.chars().all(valid)
}
