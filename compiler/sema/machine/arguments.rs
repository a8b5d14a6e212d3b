//! Arguments of the components of Kubernetes, such as `kubelet-arg`.

use std::borrow::Cow;

use super::errors;
use crate::base::quantity::{Bytes, Cpu, Millis};
use crate::base::span::Spanned;
use crate::base::suggest::nearest;
use crate::program::Dim;
use crate::sema::errors as general;
use crate::sema::layers::Fields;
use crate::sema::values::described;
use crate::stdlib;
use crate::syntax::ast::{Expr, ExprKind};

/// Arguments of the kubelet that bzc computes itself or that would break the proof, and what to write instead.
pub(crate) const COMPUTED: [(&str, &str); 8] = [
    (
        "kube-reserved",
        "set `memory`, `containerd` or `shim` in `k3s`",
    ),
    ("system-reserved", "set `reserve` in the node"),
    ("eviction-hard", "set `eviction-hard` in the node"),
    (
        "enforce-node-allocatable",
        "leave it out: without it pods are not held to what they may take",
    ),
    (
        "cgroups-per-qos",
        "leave it out: without it pods are not held to what they may take",
    ),
    (
        "cgroup-root",
        "leave it out: the reserve counts for the whole machine",
    ),
    (
        "config",
        "leave it out: a file could say otherwise, and K3s keeps a copy of it",
    ),
    (
        "config-dir",
        "leave it out: a file could say otherwise, and K3s keeps a copy of it",
    ),
];

/// The arguments of one component, sorted.
pub(crate) fn arguments<'a>(
    fields: &Fields<'_, 'a>,
    key: &'a str,
) -> Vec<(Spanned<&'a str>, Cow<'a, str>)> {
    let cx = fields.cx;
    let component = key.strip_suffix("-arg").unwrap_or(key);
    let mut arguments: Vec<(Spanned<&'a str>, Cow<'a, str>)> = Vec::new();
    for entry in fields.entries(key) {
        let written = cx.key(entry.item);
        let span = entry.item.key.span;
        let name = written.trim_start_matches('-');
        // `name+` and `name-` add to K3s's own value instead of replacing it.
        let base = name.trim_end_matches(['+', '-']);
        if base.is_empty()
            || !base
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        {
            cx.report(errors::not_an_argument(name, span));
            continue;
        }
        if let Some((_, instead)) = COMPUTED
            .iter()
            .find(|(arg, _)| component == "kubelet" && *arg == base)
        {
            cx.report(errors::computed_argument(base, instead, span));
            continue;
        }
        if let Some((first, _)) = arguments.iter().find(|(other, _)| other.value == name) {
            cx.report(general::given_twice(name, first.span, span));
            continue;
        }
        let row = stdlib::argument(component, base);
        if row.is_some_and(|row| row.status == "removed") {
            cx.report(errors::removed_argument(component, base, span));
        }
        if stdlib::arguments().any(|row| row.component == component) && row.is_none() {
            let known = stdlib::arguments()
                .filter(|row| row.component == component)
                .map(|row| row.name);
            cx.report(errors::unknown_argument(
                component,
                base,
                span,
                nearest(base, known),
            ));
        }
        let Some(value) = entry
            .value(cx)
            .and_then(|value| argument_value(fields, value))
        else {
            continue;
        };
        arguments.push((Spanned::new(name, span), value));
    }
    arguments.sort_by_key(|(name, _)| name.value);
    let elects = fields.has("datastore-endpoint") || fields.flag("cluster-init") == Some(true);
    super::rules::check(cx, component, &arguments, elects);
    arguments
}

/// A value of an argument, which is text to K3s: literals as they were written, computed numbers printed.
pub(crate) fn argument_value<'a>(fields: &Fields<'_, 'a>, value: &'a Expr) -> Option<Cow<'a, str>> {
    let cx = fields.cx;
    let value = cx.resolve(value);
    match &value.kind {
        ExprKind::Number => {
            let number = cx.number(value)?;
            let text = cx.text(value.span);
            Some(match number.dim {
                Dim::Duration => written_or(text, Millis(number.n)),
                _ => Cow::Borrowed(text),
            })
        }
        ExprKind::Text => cx.string(value),
        ExprKind::Path => Some(Cow::Borrowed(cx.text(value.span))),
        ExprKind::Hole => None,
        ExprKind::List(_) | ExprKind::Range(_) | ExprKind::Reference(_) | ExprKind::Tagged(..) => {
            cx.report(general::not_a_text(
                value.span,
                described(value),
                cx.text(value.span),
            ));
            None
        }
        ExprKind::Negative(_) | ExprKind::Binary(..) | ExprKind::Call(..) => {
            let number = cx.number(value)?;
            Some(Cow::Owned(match number.dim {
                Dim::Memory => Bytes::with_unit(number.n, number.unit).to_string(),
                Dim::Cpu => Cpu::milli(number.n).to_string(),
                Dim::Duration => Millis(number.n).to_string(),
                Dim::Percent | Dim::Verdict => number.to_string(),
                Dim::Count | Dim::Decimal => number.n.to_string(),
            }))
        }
    }
}

/// A duration as it was written where that is how Go writes one, else spelled out.
pub(crate) fn written_or(text: &str, duration: Millis) -> Cow<'_, str> {
    let go_spells_it_so = text.ends_with(['s', 'h', 'm']);
    match go_spells_it_so
        && text
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_digit())
    {
        true => Cow::Borrowed(text),
        false => Cow::Owned(duration.to_string()),
    }
}
