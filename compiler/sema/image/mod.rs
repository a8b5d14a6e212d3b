//! Images that are built: for each service, and for those that others start from, what its templates are filled
//! with.

mod digests;
mod errors;
pub(super) mod reference;
mod runtime;
mod source;
mod values;

pub(super) use digests::digests;
pub(super) use runtime::runtimes;

use std::collections::BTreeMap;

use crate::base::id::Id;
use crate::base::span::{Span, Spanned};
use crate::base::suggest::nearest;
use crate::layout::{Language, Layout};
use crate::program::{BuiltImage, Image, ImageId, Param, Runtime, RuntimeId, Service, SharedImage};
use crate::schema;
use crate::sema::decls::{Decl, Decls, fields};
use crate::sema::errors as general;
use crate::sema::image::reference::check_image;
use crate::sema::image::source::look;
use crate::sema::image::values::{check_distroless, check_end, found, template_name, values};
use crate::sema::layers::Fields;
use crate::sema::names::check_label;

/// Fields that a shared image decides for the images that start from it.
pub(crate) const DECIDED: [&str; 7] = [
    "manager",
    "variant",
    "version",
    "base",
    "build-base",
    "build-packages",
    "run-packages",
];

/// What images are built from: runtimes, and the shared images by their index; `None` is one with a fault.
pub(crate) type ToBuild<'r, 'a> = (&'r [Runtime<'a>], &'r [Option<SharedImage<'a>>]);

pub(crate) fn image<'a>(
    decls: &Decls<'_, 'a>,
    fields: &Fields<'_, 'a>,
    to_build: ToBuild<'_, 'a>,
) -> Option<Image<'a>> {
    let cx = decls.cx;
    let Some(field) = fields.get("image") else {
        fields.missing("image", "image = \"ghcr.io/acme/app:1.0.0\"");
        return None;
    };
    if field.item.body.is_none() {
        let value = field.value(cx)?;
        let name = cx.string(value)?;
        let place = cx.resolve(value).span;
        check_image(cx, &name, place);
        return Some(Image::Name(Spanned::new(name, place)));
    }
    let block = Fields::of_body(cx, "image", field)?;
    let built = built(decls, &block, field.item.span, to_build, false)?;
    look(decls, fields.name_of(), &to_build.0[built.runtime], &built);
    Some(Image::Built(Box::new(built)))
}

/// The images that others start from, in the order of their names.
pub(crate) fn shared<'a>(
    decls: &Decls<'_, 'a>,
    runtimes: &[Runtime<'a>],
) -> Vec<Option<SharedImage<'a>>> {
    let read = |decl: Decl<'a>| {
        let cx = decls.cx;
        check_label(cx, "image", decl.name, decl.span);
        if let Some((kind, workload)) = decls.workload(decl.name) {
            cx.report(general::declared_twice(
                kind,
                decl.name,
                decl.span,
                workload.span,
            ));
        }
        let block = fields(decls, "image", decl)?;
        let image = built(decls, &block, decl.item.span, (runtimes, &[]), true)?;
        look(decls, decl.name, &runtimes[image.runtime], &image);
        Some(SharedImage {
            name: Spanned::new(decl.name, decl.span),
            image,
        })
    };
    decls.of("image").map(read).collect()
}

/// What a block says of an image. `is_base` where it is one that others start from.
pub(crate) fn built<'a>(
    decls: &Decls<'_, 'a>,
    block: &Fields<'_, 'a>,
    whole: Span,
    (runtimes, images): ToBuild<'_, 'a>,
    is_base: bool,
) -> Option<BuiltImage<'a>> {
    let cx = decls.cx;
    let Some(named) = block.name("runtime") else {
        let misspelt = block
            .keys()
            .into_iter()
            .find(|(key, _)| nearest(key, ["runtime"]).is_some());
        if let Some((key, span)) = misspelt.filter(|(key, _)| *key != "runtime") {
            cx.report(general::unknown_key(
                "image",
                "image",
                None,
                (key, span),
                &["runtime"],
            ));
        } else if !block.has("runtime") {
            block.missing("runtime", "runtime = fastapi");
        }
        return None;
    };
    let id = decls.id("runtime", named.value, named.origin.span.unwrap_or(whole));
    let runtime = id.and_then(|id: RuntimeId| runtimes.get(id.index()));
    let known = runtime.is_none_or(|runtime| check_keys(block, runtime, is_base));
    let source = block.string("source");
    if known && source.is_none() && !block.has("source") {
        block.missing("source", "source = \"services/app\"");
    }
    let name = block.string("name");
    if let Some(given) = &name {
        check_image(cx, &given.value, given.origin.span.unwrap_or(whole));
    }
    let (runtime, source) = (runtime?, source?);
    let workers = block.count("workers").filter(|_| runtime.worker.is_some());
    if let Some(given) = workers.filter(|given| given.value == 0 || given.value > 64) {
        cx.report(general::out_of_range(
            "workers",
            "1 to 64",
            given.origin.span.unwrap_or(whole),
        ));
    }
    let place = source.origin.span.unwrap_or(whole);
    if source.value.starts_with('/') || source.value.split('/').any(|part| part == "..") {
        cx.report(errors::source_outside(&source.value, place));
        return None;
    }
    if source.value.chars().any(char::is_control) {
        cx.report(errors::not_for_a_dockerfile("source", &source.value, place));
        return None;
    }
    let from = match block.name("from") {
        Some(given) => Some(decls.id("image", given.value, given.origin.span.unwrap_or(whole))?),
        None => None,
    };
    let base = match from.map(|id: ImageId| images.get(id.index())) {
        Some(base) => Some(base?.as_ref()?),
        None => None,
    };
    if !has_libraries(runtime) && (is_base || base.is_some()) {
        cx.report(errors::no_base(
            runtime.name,
            named.origin.span.unwrap_or(whole),
        ));
        return None;
    }
    let layout = decls.layout(&source.value, runtime);
    if layout.leads_out {
        cx.report(errors::source_outside(&source.value, place));
        return None;
    }
    let mut values = values(
        block,
        runtime,
        &layout,
        (&source.value, place),
        is_base || base.is_some(),
    );
    values.insert(
        "workers".to_owned(),
        Param::Count(workers.map_or(1, |given| given.value)),
    );
    values.insert("is_base".to_owned(), Param::Flag(is_base));
    values.insert(
        "shared".to_owned(),
        Param::Text(base.map(|base| base.reference()).unwrap_or_default()),
    );
    if let Some(base) = base {
        start_from(
            decls,
            block,
            base,
            (runtime, &runtimes[base.image.runtime]),
            &layout,
            &mut values,
        );
    }
    let is_distroless = values.get("variant") == Some(&Param::Text("distroless".to_owned()));
    let by_version = !block.has("base") && base.is_none();
    if is_distroless && by_version {
        check_distroless(block, runtime, &layout, place);
    } else if by_version && !block.has("build-base") {
        check_end(block, runtime, &values, place);
    }
    let has_its_version =
        runtime.language == Language::Python && is_distroless && !block.has("base");
    let listens = layout.listens.as_ref().map(|(port, _)| *port);
    Some(BuiltImage {
        runtime: id?,
        source: Spanned::new(source.value, place),
        name: name.map(|given| given.value),
        from,
        workers,
        found: found(block, runtime, &layout, base.is_some(), has_its_version),
        values,
        port: listens.unwrap_or(runtime.port),
        layout,
    })
}

/// What a shared image decides for one that starts from it, and what it lacks.
pub(crate) fn start_from<'a>(
    decls: &Decls<'_, 'a>,
    block: &Fields<'_, 'a>,
    base: &SharedImage<'a>,
    (runtime, of_base): (&Runtime<'a>, &Runtime<'a>),
    layout: &Layout,
    values: &mut BTreeMap<String, Param>,
) {
    let cx = decls.cx;
    for key in DECIDED {
        if let Some(field) = block.get(key) {
            cx.report(errors::decided_by_base(
                key,
                base.name.value,
                field.item.key.span,
                base.name.span,
            ));
        }
        let name = template_name(key);
        if let Some(value) = base.image.values.get(&name) {
            values.insert(name, value.clone());
        }
    }
    let place = block
        .get("from")
        .map_or(block.span, |field| field.item.span);
    if runtime.language != of_base.language {
        cx.report(errors::other_language(
            runtime.name,
            base.name.value,
            of_base.name,
            place,
            base.name.span,
        ));
        return;
    }
    let known = base
        .image
        .layout
        .libraries
        .as_ref()
        .filter(|libraries| libraries.complete);
    let (Some(own), Some(known)) = (&layout.libraries, known) else {
        return;
    };
    for library in own
        .names
        .iter()
        .filter(|library| !known.names.contains(*library))
    {
        cx.report(errors::not_in_base(
            base.name.value,
            library,
            &own.from,
            place,
        ));
    }
}

/// Whether libraries of this runtime are separate files at run time, so that images can share them.
pub(crate) fn has_libraries(runtime: &Runtime<'_>) -> bool {
    matches!(runtime.language, Language::Python | Language::Node) && !runtime.managers.is_empty()
}

/// Whether all keys of an image are known: fields of every image, fields for which the runtime lists values, and
/// parameters of the runtime. Others are reported.
pub(crate) fn check_keys<'a>(block: &Fields<'_, 'a>, runtime: &Runtime<'a>, is_base: bool) -> bool {
    let has = |key: &str| match key {
        "app" | "start" | "from" if is_base => false,
        "workers" if is_base => false,
        "workers" => runtime.worker.is_some(),
        "manager" => !runtime.managers.is_empty(),
        // Elsewhere the image has all of the source.
        "files" => {
            let is_compiled = [Language::Go, Language::Rust, Language::Java];
            is_compiled.contains(&runtime.language)
                || !block.cx.sources.is_library(runtime.dockerfile.span)
        }
        "variant" => !runtime.variants.is_empty(),
        _ => true,
    };
    let of_all = schema::keys("image");
    let mut known: Vec<&str> = of_all.iter().copied().filter(|key| has(key)).collect();
    known.extend(runtime.params.keys().filter(|key| !of_all.contains(key)));
    let unknown: Vec<(&str, Span)> = block
        .keys()
        .into_iter()
        .filter(|(key, _)| !known.contains(key))
        .collect();
    for (key, span) in &unknown {
        block.cx.report(match *key {
            "workers" if !is_base => errors::unmeasured_workers(runtime.name, *span),
            _ => general::unknown_key("image", "image", None, (*key, *span), &known),
        });
    }
    unknown.is_empty()
}

/// Reports shared images that no image starts from.
pub(crate) fn check_unused<'a>(
    decls: &Decls<'_, 'a>,
    images: &[Option<SharedImage<'a>>],
    services: &[Service<'a>],
) {
    let used = |id: ImageId| {
        services
            .iter()
            .any(|service| matches!(&service.image, Image::Built(image) if image.from == Some(id)))
    };
    for (index, shared) in images.iter().enumerate() {
        if let Some(shared) = shared.as_ref().filter(|shared| {
            !used(ImageId::new(index)) && !decls.mentioned.contains(shared.name.value)
        }) {
            decls.cx.report(general::unused(
                "image",
                shared.name.value,
                shared.name.span,
            ));
        }
    }
}
