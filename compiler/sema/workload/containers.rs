//! `sidecar` and `init`: the containers beside the main one.

use crate::base::span::{Span, Spanned};
use crate::program::{Extra, Pod};
use crate::sema::decls::Decls;
use crate::sema::errors as general;
use crate::sema::image::reference::check_image;
use crate::sema::layers::{Field, Fields};
use crate::sema::names::check_label;
use crate::sema::pod::env::env;
use crate::sema::values::Cx;
use crate::sema::workload::resources::cpu;

/// The containers beside the main one, in the order written.
pub(crate) fn extras<'a>(
    decls: &Decls<'_, 'a>,
    fields: &Fields<'_, 'a>,
    pod: &Pod<'a>,
) -> Vec<Extra<'a>> {
    let mut found: Vec<Field<'a>> = fields.all("sidecar");
    found.extend(fields.all("init"));
    if found.is_empty() {
        return Vec::new();
    }
    // Their order in the text is the order they start in.
    found.sort_by_key(|field| field.item.span);
    let mut extras: Vec<Extra<'a>> = Vec::new();
    for field in found {
        let Some(extra) = extra(decls, field, pod) else {
            continue;
        };
        if extra.name.value == fields.name_of() {
            decls.cx.report(general::declared_twice(
                "container",
                extra.name.value,
                fields.span,
                extra.name.span,
            ));
        }
        if let Some(other) = extras
            .iter()
            .find(|other| other.name.value == extra.name.value)
        {
            decls.cx.report(general::declared_twice(
                "container",
                extra.name.value,
                other.name.span,
                extra.name.span,
            ));
            continue;
        }
        extras.push(extra);
    }
    extras
}

pub(crate) fn extra<'a>(
    decls: &Decls<'_, 'a>,
    field: Field<'a>,
    pod: &Pod<'a>,
) -> Option<Extra<'a>> {
    let cx: &Cx<'a> = decls.cx;
    let stays = cx.key(field.item) == "sidecar";
    let kind = if stays { "sidecar" } else { "init" };
    let [name] = &*field.item.names else {
        if !field.item.is_hole() {
            let example = format!("{kind} NAME {{ image = \"..\"  memory = 32Mi }}");
            cx.report(general::malformed(kind, &example, field.item.span));
        }
        return None;
    };
    let name = Spanned::new(cx.word(*name), name.span);
    check_label(cx, "container", name.value, name.span);
    if let Some(word) = field.item.overriding() {
        cx.report(general::overrides_nothing(kind, field.item.key.span, word));
    }
    let block = Fields::of_body(cx, kind, field)?;
    block.check_keys(kind);
    let image = match block.string("image") {
        Some(given) => Spanned::new(given.value, given.origin.span.unwrap_or(name.span)),
        None => {
            if !block.has("image") {
                block.missing("image", "image = \"ghcr.io/acme/proxy:1.0.0\"");
            }
            return None;
        }
    };
    check_image(cx, &image.value, image.span);
    let memory = block.memory("memory");
    if memory.is_none() && !block.has("memory") {
        block.missing("memory", "memory = 32Mi");
    }
    let mounts = if block.has("mounts") {
        block.entries("mounts")
    } else {
        Vec::new()
    };
    let mut seen: Vec<(std::borrow::Cow<'a, str>, Span)> = Vec::new();
    let mounts = mounts.into_iter().filter_map(|entry| {
        let (volume, path) = (cx.key(entry.item), cx.string(entry.value(cx)?)?);
        let place = entry.origin.span.unwrap_or(name.span);
        if let Some((_, first)) = seen.iter().find(|(other, _)| *other == path) {
            cx.report(general::same_mount(&path, *first, place));
        }
        seen.push((path.clone(), place));
        if pod.volumes.iter().all(|known| known.name.value != volume) {
            let near = crate::base::suggest::nearest(
                volume,
                pod.volumes.iter().map(|known| known.name.value),
            );
            cx.report(general::unknown_name(
                "volume",
                volume,
                entry.item.key.span,
                near,
            ));
        }
        if !path.starts_with('/') || path.contains(':') {
            cx.report(general::mount_path(
                &path,
                entry.origin.span.unwrap_or(name.span),
            ));
        }
        Some((volume, path))
    });
    let mounts: Vec<(&'a str, std::borrow::Cow<'a, str>)> = mounts.collect();
    let configs = block.names("configs").unwrap_or_default();
    configs.iter().for_each(|(config, span)| {
        decls.check_declared("config", config, *span);
    });
    let secrets = block.names("secrets").unwrap_or_default();
    secrets
        .iter()
        .for_each(|(secret, span)| check_label(cx, "Secret", secret, *span));
    Some(Extra {
        name,
        stays,
        image,
        memory: memory?,
        request: None,
        cpu: cpu(&block),
        env: env(decls, &block),
        configs: configs.into_iter().map(|(config, _)| config).collect(),
        secrets: secrets.into_iter().map(|(secret, _)| secret).collect(),
        command: block.command("command").unwrap_or_default(),
        args: block.strings("args").unwrap_or_default(),
        mounts,
    })
}
