//! `let`: constants, each computed once, after those that it names.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use super::errors;
use crate::program::{Giver, Origin};
use crate::sema::errors as general;
use crate::sema::load::Loaded;
use crate::sema::values::{Cx, Let};
use crate::syntax::ast::{Expr, ExprKind};

/// The same context with the constants of all files.
pub(crate) fn constants<'a>(cx: Cx<'a>, loaded: &'a Loaded) -> Cx<'a> {
    let mut lets = BTreeMap::new();
    collect_lets(&cx, loaded, &mut lets);
    let cx = Cx { lets, ..cx };
    compute_lets(&cx);
    cx
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
                cx.report(general::malformed("let", "let base = 32Mi", item.span));
            }
            continue;
        };
        let text = cx.word(*name);
        if let Some(first) = lets.get(text) {
            cx.report(general::declared_twice("let", text, first.name, name.span));
            continue;
        }
        if let Some(tracer) = &cx.tracer {
            let origin = Origin {
                env: None,
                giver: Giver::Declaration("let"),
                name: text,
                key: "",
                span: Some(expr.span),
            };
            tracer.declared(item.span, Some(expr.span), origin);
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

/// Computes every constant, each after those it names, so that no chain is too long to follow. Constants that are
/// left over go in circles: each circle is reported once, and its constants have no value.
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
    let mut visited: BTreeSet<&str> = BTreeSet::new();
    for name in waiting.keys() {
        cx.lets[name].number.set(Some(None));
        cx.lets[name].used.set(true);
        // Walk until a name comes twice: the circle begins there. A name that another walk has visited leads to a
        // circle that is reported already.
        let mut path: Vec<&str> = Vec::new();
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        let mut at = *name;
        while visited.insert(at) {
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
pub(crate) fn names_in<'a>(cx: &Cx<'a>, expr: &'a Expr, names: &mut BTreeSet<&'a str>) {
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

pub(crate) fn check_unused_lets(cx: &Cx<'_>) {
    for (name, constant) in &cx.lets {
        let from_library = cx.sources.is_library(constant.name);
        if !constant.used.get() && !from_library {
            cx.report(general::unused("let", name, constant.name));
        }
    }
}
