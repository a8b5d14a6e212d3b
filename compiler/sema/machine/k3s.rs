//! `k3s` and `profile`: what every node's K3s has in common, and what one node has for itself.

use std::borrow::Cow;

use super::errors;
use crate::base::span::Span;
use crate::program::{Given, Giver, K3s};
use crate::sema::decls::{Decl, Decls};
use crate::sema::errors as general;
use crate::sema::layers::{Fields, Layer};
use crate::stdlib::Release;

/// The Kubernetes minors whose tables bzc has.
pub(crate) const MINORS: std::ops::RangeInclusive<u32> = 30..=36;

/// The minor that is taken when the program names no version: K3s's stable channel when the tables were made.
pub(crate) const STABLE_MINOR: u32 = 36;

pub(crate) fn k3s<'a>(decls: &Decls<'_, 'a>) -> Option<K3s<'a>> {
    let cx = decls.cx;
    let span = match decls.k3s {
        Some(item) => item.key.span,
        None => decls.of("node").next()?.span,
    };
    let fields = Fields::new(cx, "k3s", span, k3s_layers(decls));
    let version = version(&fields);
    let release = version.map(|(_, release)| release);
    let minor = release.map_or(STABLE_MINOR, |release| {
        release.minor.clamp(*MINORS.start(), *MINORS.end())
    });
    Some(K3s {
        version: version.map(|(given, _)| given),
        inside: decls
            .k3s
            .and_then(|item| Some(item.body.as_ref()?.inside())),
        minor,
        release,
    })
}

pub(crate) fn version<'a>(fields: &Fields<'_, 'a>) -> Option<(Given<'a, &'a str>, Release)> {
    let given = fields.string("version")?;
    let Cow::Borrowed(text) = given.value else {
        return None;
    };
    let given = Given {
        value: text,
        origin: given.origin,
    };
    let span = given.origin.span.unwrap_or(fields.span);
    match Release::parse(text) {
        Some(release) => {
            if !MINORS.contains(&release.minor) {
                fields.cx.report(errors::unknown_minor(text, &MINORS, span));
            }
            Some((given, release))
        }
        None => {
            fields.cx.report(errors::not_a_version(text, span));
            None
        }
    }
}

/// What gives the keys of K3s on every node, lowest first: a profile, `k3s`, the environment.
pub(crate) fn k3s_layers<'a>(decls: &Decls<'_, 'a>) -> Vec<Layer<'a>> {
    let cx = decls.cx;
    let mut layers = Vec::new();
    for (env, item) in [(None, decls.k3s), (decls.env, decls.change("k3s", ""))] {
        let Some(item) = item else { continue };
        match &item.body {
            Some(body) => layers.push(Layer {
                env,
                giver: Giver::Declaration("k3s"),
                name: "",
                items: &body.items,
            }),
            None if item.is_hole() => {}
            None => cx.report(general::value_for_block("k3s", item.key.span)),
        }
    }
    let span = layers
        .first()
        .and_then(|layer| layer.items.first())
        .map_or(Span::default(), |item| item.span);
    let own = Fields::new(cx, "k3s", span, layers.clone());
    if let Some(profile) = own.name("profile") {
        let place = profile.origin.span.unwrap_or(span);
        let name = profile.value;
        if let Some(body) = decls
            .profile(name, place)
            .and_then(|item| item.body.as_ref())
        {
            let layer = Layer {
                env: None,
                giver: Giver::Declaration("profile"),
                name,
                items: &body.items,
            };
            layers.insert(0, layer);
        }
    }
    layers
}

/// The keys of K3s that one node gives for itself, lowest first.
pub(crate) fn own_k3s_layers<'a>(decls: &Decls<'_, 'a>, node: Decl<'a>) -> Vec<Layer<'a>> {
    let cx = decls.cx;
    let mut layers = Vec::new();
    for layer in decls.layers("node", node.name, node.item) {
        for item in layer.items.iter().filter(|item| cx.key(item) == "k3s") {
            match &item.body {
                Some(body) => layers.push(Layer {
                    env: layer.env,
                    giver: Giver::Declaration("k3s"),
                    name: node.name,
                    items: &body.items,
                }),
                None if item.is_hole() => {}
                None => cx.report(general::value_for_block("k3s", item.key.span)),
            }
        }
    }
    layers
}
