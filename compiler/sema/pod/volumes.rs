//! `volume`: what a pod mounts.

use super::errors;
use crate::base::span::Spanned;
use crate::program::{Storage, Volume, VolumeSource};
use crate::sema::decls::Decls;
use crate::sema::errors as general;
use crate::sema::layers::Fields;
use crate::sema::names::check_label;

pub(crate) fn volumes<'a>(decls: &Decls<'_, 'a>, fields: &Fields<'_, 'a>) -> Vec<Volume<'a>> {
    let cx = decls.cx;
    let mut volumes: Vec<Volume<'a>> = Vec::new();
    for field in fields.all("volume") {
        let [name] = &*field.item.names else {
            cx.report(general::malformed(
                "volume",
                "volume data { path = \"/data\"  claim = data }",
                field.item.span,
            ));
            continue;
        };
        let text = cx.word(*name);
        check_label(cx, "volume", text, name.span);
        if let Some(other) = volumes.iter().find(|volume| volume.name.value == text) {
            cx.report(general::declared_twice(
                "volume",
                text,
                other.name.span,
                name.span,
            ));
            continue;
        }
        if let Some(word) = field.item.overriding() {
            cx.report(general::overrides_nothing(
                "volume",
                field.item.key.span,
                word,
            ));
        }
        let Some(block) = Fields::of_body(cx, "volume", field) else {
            continue;
        };
        block.check_keys("volume");
        let Some(path) = block.string("path").map(|given| given.value) else {
            if !block.has("path") {
                block.missing("path", "path = \"/data\"");
            }
            continue;
        };
        let place = block
            .get("path")
            .and_then(|field| field.origin.span)
            .unwrap_or(name.span);
        if !path.starts_with('/') || path.contains(':') {
            cx.report(general::mount_path(&path, place));
        }
        if let Some(other) = volumes.iter().find(|volume| volume.path == path) {
            cx.report(general::same_mount(&path, other.name.span, place));
        }
        let sources = [
            "claim", "config", "secret", "disk", "memory", "host", "storage",
        ];
        let given: Vec<&'static str> = sources.into_iter().filter(|key| block.has(key)).collect();
        let source = match given.as_slice() {
            ["claim"] => block.name("claim").map(|given| {
                check_label(
                    cx,
                    "claim",
                    given.value,
                    given.origin.span.unwrap_or(name.span),
                );
                VolumeSource::Claim(given.value)
            }),
            ["config"] => block.name("config").map(|given| {
                decls.check_declared(
                    "config",
                    given.value,
                    given.origin.span.unwrap_or(name.span),
                );
                VolumeSource::Config(given.value)
            }),
            ["secret"] => block.name("secret").map(|given| {
                check_label(
                    cx,
                    "Secret",
                    given.value,
                    given.origin.span.unwrap_or(name.span),
                );
                VolumeSource::Secret(given.value)
            }),
            ["disk"] => block
                .memory("disk")
                .map(|given| VolumeSource::Disk(Some(given.value))),
            ["memory"] => block.memory("memory").map(VolumeSource::Memory),
            ["storage"] => storage(&block).map(VolumeSource::Storage),
            ["host"] => block.string("host").map(|given| {
                if !given.value.starts_with('/') || given.value.split('/').any(|part| part == "..")
                {
                    cx.report(general::mount_path(
                        &given.value,
                        given.origin.span.unwrap_or(name.span),
                    ));
                }
                VolumeSource::Host(given.value)
            }),
            [] => {
                block.missing(
                    "storage, claim, config, secret, disk, memory or host",
                    "volume data { path = \"/data\"  storage = 5Gi }",
                );
                None
            }
            several => {
                let place = several
                    .get(1)
                    .and_then(|key| block.get(key))
                    .map_or(name.span, |field| field.item.key.span);
                cx.report(errors::two_sources(text, place));
                None
            }
        };
        for key in ["class", "access"] {
            if let Some(field) = block.get(key).filter(|_| !block.has("storage")) {
                cx.report(errors::without_storage(key, field.item.key.span));
            }
        }
        let Some(source) = source else { continue };
        let read_only = block.flag("read-only").unwrap_or_default();
        volumes.push(Volume {
            name: Spanned::new(text, name.span),
            path,
            read_only,
            source,
        });
    }
    volumes
}

/// `storage = 5Gi  class = fast  access = many`.
fn storage<'a>(block: &Fields<'_, 'a>) -> Option<Storage<'a>> {
    let given = block.memory("storage")?;
    let access = block.name("access");
    let many = access.map_or(Some(false), |access| match access.value {
        "once" => Some(false),
        "many" => Some(true),
        other => {
            let span = access.origin.span.unwrap_or(block.span);
            let error = general::not_one_of("access", other, span, &["once", "many"]);
            block.cx.report(error);
            None
        }
    });
    Some(Storage {
        size: given.value,
        class: block.name("class").map(|given| given.value),
        many: many?,
    })
}
