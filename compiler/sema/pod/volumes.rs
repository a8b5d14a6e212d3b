//! `volume`: what a pod mounts.

use super::errors;
use crate::base::span::Spanned;
use crate::program::{Kind, Volume, VolumeSource};
use crate::sema::decls::Decls;
use crate::sema::errors as general;
use crate::sema::layers::Fields;
use crate::sema::names::check_label;

pub(crate) fn volumes<'a>(
    decls: &Decls<'_, 'a>,
    fields: &Fields<'_, 'a>,
    kind: &Kind<'a>,
) -> Vec<Volume<'a>> {
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
        if let Some(word) = field.item.overriding {
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
            ["storage"] => block.memory("storage").map(|given| {
                if !matches!(kind, Kind::StatefulSet) {
                    cx.report(errors::storage_of_others(
                        given.origin.span.unwrap_or(name.span),
                    ));
                }
                VolumeSource::Storage(given.value, block.name("class").map(|given| given.value))
            }),
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
                    "claim, config, secret, disk, memory or host",
                    "volume data { path = \"/data\"  claim = data }",
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
        if block.has("class") && !block.has("storage") {
            cx.report(errors::class_without_storage(
                block
                    .get("class")
                    .map_or(name.span, |field| field.item.key.span),
            ));
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
