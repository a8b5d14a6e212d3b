//! `env`: the chosen environment, laid over the declarations.

use std::collections::{BTreeMap, BTreeSet};

use super::errors;
use crate::base::span::Span;
use crate::program::{Given, Giver, Origin};
use crate::sema::assemble::lets::names_in;
use crate::sema::decls::Decls;
use crate::sema::errors as general;
use crate::sema::layers::Field;
use crate::sema::load::Loaded;
use crate::sema::names::check_label;
use crate::sema::values::Cx;
use crate::syntax::NAMED;
use crate::syntax::ast::Item;

/// The environments that a program declares, sorted.
pub(crate) fn environments(loaded: &Loaded) -> Vec<String> {
    let text = |span: Span| loaded.sources.text(span);
    let items = loaded.files.iter().flat_map(|file| &file.items);
    let envs = items.filter(|item| item.body.is_some() && text(item.key.span) == "env");
    let names: BTreeSet<&str> = envs
        .flat_map(|item| &item.names)
        .map(|name| text(name.span))
        .collect();
    names.into_iter().map(str::to_owned).collect()
}

/// Lays the chosen environment over the declarations. `None` if it does not exist.
pub(crate) fn choose_env<'a>(
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
                let known: Vec<&str> = known.collect();
                cx.report(errors::unknown_declaration(
                    kind_text,
                    change.key.span,
                    &known,
                ));
                continue;
            };
            if let (Some(word), true) = (change.overriding(), change.value.is_none()) {
                cx.report(general::overrides_nothing(kind, change.key.span, word));
            }
            if kind == "k3s" {
                if chosen {
                    decls.add_change("k3s", "", change.key.span, change);
                }
                continue;
            }
            for word in &change.names {
                let text = cx.word(*word);
                if decls.check_declared(kind, text, word.span) && chosen {
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

/// Every name that an environment mentions, chosen or not: what only another environment uses is used.
pub(crate) fn names_of_envs<'a>(cx: &Cx<'a>, items: &'a [Item], names: &mut BTreeSet<&'a str>) {
    for item in items {
        item.value
            .iter()
            .for_each(|value| names_in(cx, value, names));
        item.body
            .iter()
            .for_each(|body| names_of_envs(cx, &body.items, names));
    }
}

/// The Kubernetes namespace of the services, which an environment may replace.
pub(crate) fn namespace<'a>(decls: &Decls<'_, 'a>, fields: &[&'a Item]) -> Given<'a, &'a str> {
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
                giver: Giver::Declaration("namespace"),
                name: "",
                key: "",
                span: item.value.as_ref().map(|value| value.span),
            },
        };
        match (index, item.overriding()) {
            (0, Some(word)) => {
                cx.report(general::overrides_nothing("namespace", item.key.span, word))
            }
            (1.., None) => {
                cx.report(general::override_missing(
                    "namespace",
                    item,
                    fields[0],
                    &field.origin,
                ));
            }
            _ => {}
        }
        let Some(value) = field.value(cx) else {
            continue;
        };
        let Some((name, span)) = cx.name(value, "namespace") else {
            continue;
        };
        check_label(cx, "namespace", name, span);
        if name == "kube-system" {
            cx.report(errors::namespace_of_k3s(span));
        }
        given = field.given(name);
    }
    given
}
