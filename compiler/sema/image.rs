//! Images that are built: the runtimes that programs and the library declare, and for each service what its templates
//! are filled with. Of every field the program's word counts first, then what the source shows, then what the
//! runtime takes.

mod errors;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::cx::Cx;
use super::decls::{Decl, Decls};
use super::errors as general;
use super::layers::{Field, Fields};
use super::service::check_label;
use crate::base::source::Provenance;
use crate::base::span::{Span, Spanned};
use crate::base::suggest::nearest;
use crate::layout::context::Held;
use crate::layout::{self, LANGUAGES, Language, Layout, Value};
use crate::program::{
    BuiltImage, Dim, Image, Param, Runtime, Service, SharedImage, template_values,
};
use crate::syntax::ast::{Expr, ExprKind, Item};
use crate::template::{self, Context, Filler, Templates};
use crate::world::{ReadError, resolve};

/// Fields of every image that is built.
const IMAGE_KEYS: [&str; 13] = [
    "runtime",
    "source",
    "name",
    "from",
    "app",
    "manager",
    "variant",
    "version",
    "base",
    "build-base",
    "start",
    "keep",
    "leave-out",
];
/// Those of them that are texts, and reach a Dockerfile as they are.
const PLAIN_TEXTS: [&str; 4] = ["app", "version", "base", "build-base"];
/// What an image that others start from decides for them.
const DECIDED: [&str; 5] = ["manager", "variant", "version", "base", "build-base"];
const TEXT_LISTS: [&str; 3] = ["start", "keep", "leave-out"];
const RUNTIME_KEYS: [&str; 18] = [
    "language",
    "entry",
    "floor",
    "calm",
    "worker",
    "worker-calm",
    "leaner",
    "port",
    "app",
    "base",
    "version",
    "variants",
    "managers",
    "libraries",
    "needs",
    "dockerfile",
    "ignore",
    "params",
];
/// What a source may show beyond the fields, as templates call it.
const FACTS: [&str; 18] = [
    "berry",
    "build",
    "includes",
    "local",
    "lock",
    "module",
    "output",
    "prepare",
    "public",
    "root",
    "script",
    "settings",
    "standalone",
    "tool",
    "toolchain",
    "vendor",
    "workspace",
    "yarnrc",
];
/// A context above this is worth a word: what a service of 48Mi is made from is a few MB.
const LARGE: u64 = 100 << 20;

/// What templates call a field.
fn template_name(key: &str) -> String {
    key.replace('-', "_")
}

/// All runtimes, sorted by name.
pub(super) fn runtimes<'a>(decls: &Decls<'_, 'a>) -> Vec<Runtime<'a>> {
    decls
        .of("runtime")
        .map(|decl| runtime(decls, decl))
        .collect()
}

fn runtime<'a>(decls: &Decls<'_, 'a>, decl: Decl<'a>) -> Runtime<'a> {
    let cx = decls.cx;
    // One without a body is reported, and still has its place in the list.
    let fields = super::decls::fields(decls, "runtime", decl)
        .unwrap_or_else(|| Fields::new(cx, "runtime", decl.span, Vec::new()));
    fields.check_keys(&RUNTIME_KEYS);
    let language = fields.name("language").map_or(Language::Other, |given| {
        let names = LANGUAGES.map(|(name, _)| name);
        let known = LANGUAGES.iter().find(|(name, _)| *name == given.value);
        known.map_or_else(
            || {
                let span = given.origin.span.unwrap_or(decl.span);
                cx.report(general::not_one_of("language", given.value, span, &names));
                Language::Other
            },
            |(_, language)| *language,
        )
    });
    let mut params: BTreeMap<&'a str, Param> = BTreeMap::new();
    for key in ["app", "base", "version"] {
        let text = fields.string(key).map(|given| given.value.into_owned());
        params.insert(key, Param::Text(text.unwrap_or_default()));
    }
    params.insert("build-base", Param::Text(String::new()));
    TEXT_LISTS.iter().for_each(|key| {
        params.insert(key, Param::Texts(Vec::new()));
    });
    for field in fields.entries("params") {
        let key = cx.key(field.item);
        if IMAGE_KEYS.contains(&key) || key == "workers" {
            cx.report(errors::reserved_parameter(key, field.item.key.span));
        } else if let Some(value) = field.value(cx).and_then(|value| default_of(cx, key, value)) {
            params.insert(key, value);
        }
    }
    let names = |key: &'a str| -> Vec<&'a str> {
        fields
            .names(key)
            .into_iter()
            .flatten()
            .map(|(name, _)| name)
            .collect()
    };
    let port = fields.count("port").map_or(8080, |given| {
        u16::try_from(given.value)
            .ok()
            .filter(|port| *port > 0)
            .unwrap_or_else(|| {
                cx.report(general::out_of_range(
                    "port",
                    "1 to 65535",
                    given.origin.span.unwrap_or(decl.span),
                ));
                8080
            })
    });
    let mut templates = Templates::new();
    let dockerfile = named_template(decls, &fields, decl, "dockerfile", &mut templates);
    let ignore = named_template(decls, &fields, decl, "ignore", &mut templates);
    if decl.item.body.is_some() && dockerfile.is_none() && !fields.has("dockerfile") {
        fields.missing("dockerfile", "dockerfile = \"images/bun.dockerfile\"");
    }
    Runtime {
        name: decl.name,
        language,
        entry: fields.strings("entry").unwrap_or_default(),
        floor: fields.memory("floor"),
        calm: fields.memory("calm"),
        worker: fields.memory("worker"),
        worker_calm: fields.memory("worker-calm"),
        leaner: fields.string("leaner").map(|given| given.value),
        port,
        libraries: fields.strings("libraries").unwrap_or_default(),
        needs: names("needs"),
        variants: names("variants"),
        managers: names("managers"),
        params,
        dockerfile: dockerfile
            .unwrap_or_else(|| Spanned::new("std/generic.dockerfile".to_owned(), decl.span)),
        ignore: ignore
            .unwrap_or_else(|| Spanned::new("std/other.dockerignore".to_owned(), decl.span)),
        templates,
    }
}

/// What a parameter is where nobody says so; its kind is that of all its values.
fn default_of<'a>(cx: &Cx<'a>, key: &str, value: &'a Expr) -> Option<Param> {
    let value = cx.resolve(value);
    match &value.kind {
        ExprKind::Text => cx.string(value).map(|text| Param::Text(text.into_owned())),
        ExprKind::List(_) => cx
            .strings(value)
            .map(|list| Param::Texts(list.into_iter().map(Cow::into_owned).collect())),
        ExprKind::Number => match cx.number(value)? {
            number if number.dim == Dim::Count => Some(Param::Count(number.n)),
            number if number.dim == Dim::Memory => cx.memory(value).map(Param::Memory),
            _ => {
                cx.report(errors::parameter_kind(
                    key,
                    "a text, a list, a count, memory, or true or false",
                    value.span,
                ));
                None
            }
        },
        ExprKind::Path if matches!(cx.text(value.span), "true" | "false") => {
            Some(Param::Flag(cx.text(value.span) == "true"))
        }
        ExprKind::Hole => None,
        _ => {
            cx.report(errors::parameter_kind(
                key,
                "a text, a list, a count, memory, or true or false",
                value.span,
            ));
            None
        }
    }
}

/// The value that a program gives to a parameter, of the kind of its default.
fn value_like<'a>(
    fields: &Fields<'_, 'a>,
    field: Field<'a>,
    key: &'a str,
    default: &Param,
) -> Option<Param> {
    Some(match default {
        Param::Text(_) => Param::Text(fields.string(key)?.value.into_owned()),
        Param::Flag(_) => Param::Flag(fields.flag(key)?),
        Param::Count(_) => Param::Count(fields.count(key)?.value),
        Param::Memory(_) => Param::Memory(fields.cx.memory(field.value(fields.cx)?)?),
        Param::Texts(_) => Param::Texts(
            fields
                .strings(key)?
                .into_iter()
                .map(Cow::into_owned)
                .collect(),
        ),
    })
}

/// The name of a template. The library's are its own; those of a project lie beside the file that names them, and are
/// read here with all that they name.
fn named_template<'a>(
    decls: &Decls<'_, 'a>,
    fields: &Fields<'_, 'a>,
    decl: Decl<'a>,
    key: &'a str,
    templates: &mut Templates,
) -> Option<Spanned<String>> {
    let cx = decls.cx;
    let given = fields.string(key)?;
    let span = given.origin.span.unwrap_or(decl.span);
    let home = cx.sources.file(span.file);
    let first = match home.provenance {
        Provenance::Library => format!("std/{}", given.value),
        Provenance::Project | Provenance::Manifest => given.value.into_owned(),
    };
    // Templates call each other by the path that the program would use.
    let mut waiting = vec![first.clone()];
    while let Some(name) = waiting.pop() {
        if templates.contains_key(&name) {
            continue;
        }
        if name.starts_with("std/") {
            if template::text_of(templates, &name).is_none() {
                cx.report(errors::unreadable_template(
                    &name,
                    "the library has no such template",
                    span,
                ));
                return None;
            }
            continue;
        }
        let read =
            resolve(&home.name, &name).ok_or_else(|| "it lies outside the project".to_owned());
        let read = read.and_then(|path| decls.world.read(&path).map_err(|why| why.to_string()));
        match read
            .and_then(|bytes| String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned()))
        {
            Ok(text) => {
                waiting.extend(template::named(&text).map(str::to_owned));
                templates.insert(name, text);
            }
            Err(why) => {
                cx.report(errors::unreadable_template(&name, &why, span));
                return None;
            }
        }
    }
    Some(Spanned::new(first, span))
}

/// What images are built from: runtimes, and the shared images by their index; `None` is one with a fault.
pub(super) type ToBuild<'r, 'a> = (&'r [Runtime<'a>], &'r [Option<SharedImage<'a>>]);

pub(super) fn image<'a>(
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
pub(super) fn shared<'a>(
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
        let block = super::decls::fields(decls, "image", decl)?;
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
fn built<'a>(
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
            cx.report(general::unknown_key("image", key, span, &["runtime"]));
        } else if !block.has("runtime") {
            block.missing("runtime", "runtime = fastapi");
        }
        return None;
    };
    let index = decls.index("runtime", named.value, named.origin.span.unwrap_or(whole));
    let runtime = index.and_then(|index| runtimes.get(index));
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
        cx.report(general::source_outside(&source.value, place));
        return None;
    }
    if source.value.chars().any(char::is_control) {
        cx.report(errors::not_for_a_dockerfile("source", &source.value, place));
        return None;
    }
    let from = match block.name("from") {
        Some(given) => {
            Some(decls.index("image", given.value, given.origin.span.unwrap_or(whole))?)
        }
        None => None,
    };
    let base = match from.map(|index| images.get(index)) {
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
    let has_311 = runtime.language == Language::Python && is_distroless && !block.has("base");
    if has_311 && base.is_none() {
        check_distroless(block, &layout, place);
    }
    let listens = layout.listens.as_ref().map(|(port, _)| *port);
    Some(BuiltImage {
        runtime: index?,
        source: Spanned::new(source.value, place),
        name: name.map(|given| given.value),
        from,
        workers,
        found: found(block, runtime, &layout, base.is_some(), has_311),
        values,
        port: listens.unwrap_or(runtime.port),
        layout,
    })
}

/// The digests of images by target, from the metadata that `docker buildx bake` wrote into the file that `digests`
/// names. Before the first build there is none.
pub(super) fn digests<'a>(
    decls: &Decls<'_, 'a>,
    item: Option<&'a Item>,
) -> BTreeMap<String, String> {
    let mut digests = BTreeMap::new();
    let cx = decls.cx;
    let Some(value) = item.and_then(|item| item.value.as_ref()) else {
        return digests;
    };
    let Some(path) = cx.string(value) else {
        return digests;
    };
    let place = cx.resolve(value).span;
    let home = cx.sources.file(place.file).name.as_str();
    let Some(full) = resolve(home, &path) else {
        cx.report(errors::no_metadata(
            &path,
            "it lies outside the project",
            place,
        ));
        return digests;
    };
    let bytes = match decls.world.read(&full) {
        Ok(bytes) => bytes,
        Err(ReadError::NotFound) => return digests,
        Err(why) => {
            cx.report(errors::no_metadata(&path, &why.to_string(), place));
            return digests;
        }
    };
    let parsed: Result<BTreeMap<String, serde_json::Value>, _> = serde_json::from_slice(&bytes);
    let Ok(targets) = parsed else {
        cx.report(errors::no_metadata(
            &path,
            "it is not a JSON object by target",
            place,
        ));
        return digests;
    };
    for (target, told) in &targets {
        let Some(digest) = told.get("containerimage.digest") else {
            continue;
        };
        match digest.as_str().filter(|digest| is_digest(digest)) {
            Some(digest) => drop(digests.insert(target.clone(), digest.to_owned())),
            None => cx.report(errors::no_metadata(
                &path,
                &format!("the digest of `{target}` is none"),
                place,
            )),
        }
    }
    digests
}

/// `sha256:` and 64 hexadecimal digits.
fn is_digest(digest: &str) -> bool {
    let hex = digest.strip_prefix("sha256:");
    hex.is_some_and(|hex| {
        hex.len() == 64
            && hex
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

/// Images that nobody starts from.
pub(super) fn check_unused<'a>(
    decls: &Decls<'_, 'a>,
    images: &[Option<SharedImage<'a>>],
    services: &[Service<'a>],
) {
    let used = |index: usize| {
        services.iter().any(
            |service| matches!(&service.image, Image::Built(image) if image.from == Some(index)),
        )
    };
    for (index, shared) in images.iter().enumerate() {
        if let Some(shared) = shared
            .as_ref()
            .filter(|shared| !used(index) && !decls.mentioned.contains(shared.name.value))
        {
            decls.cx.report(general::unused(
                "image",
                shared.name.value,
                shared.name.span,
            ));
        }
    }
}

/// Whether its libraries are there at run time, so that they can be shared.
fn has_libraries(runtime: &Runtime<'_>) -> bool {
    matches!(runtime.language, Language::Python | Language::Node) && !runtime.managers.is_empty()
}

/// What a shared image decides for one that starts from it, and what it lacks.
fn start_from<'a>(
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

/// The fields of every image, those the runtime has a set for, and its parameters. Whether all keys are among them.
fn check_keys<'a>(block: &Fields<'_, 'a>, runtime: &Runtime<'a>, is_base: bool) -> bool {
    let has = |key: &str| match key {
        "app" | "start" | "from" if is_base => false,
        "workers" if is_base => false,
        "workers" => runtime.worker.is_some(),
        "manager" => !runtime.managers.is_empty(),
        "variant" => !runtime.variants.is_empty(),
        _ => true,
    };
    let mut known: Vec<&str> = IMAGE_KEYS
        .into_iter()
        .chain(["workers"])
        .filter(|key| has(key))
        .collect();
    known.extend(
        runtime
            .params
            .keys()
            .filter(|key| !IMAGE_KEYS.contains(key)),
    );
    let unknown: Vec<(&str, Span)> = block
        .keys()
        .into_iter()
        .filter(|(key, _)| !known.contains(key))
        .collect();
    for (key, span) in &unknown {
        block.cx.report(match *key {
            "workers" if !is_base => errors::unmeasured_workers(runtime.name, *span),
            _ => general::unknown_key("image", key, *span, &known),
        });
    }
    unknown.is_empty()
}

/// What the templates are filled with.
fn values<'a>(
    block: &Fields<'_, 'a>,
    runtime: &Runtime<'a>,
    layout: &Layout,
    (source, place): (&str, Span),
    is_part: bool,
) -> BTreeMap<String, Param> {
    let cx = block.cx;
    let mut values: BTreeMap<String, Param> = FACTS
        .iter()
        .map(|fact| ((*fact).to_owned(), Param::Text(String::new())))
        .collect();
    for (key, default) in &runtime.params {
        values.insert(template_name(key), default.clone());
    }
    for (key, known) in [
        ("variant", &runtime.variants),
        ("manager", &runtime.managers),
    ] {
        values.insert(
            key.to_owned(),
            Param::Text(known.first().copied().unwrap_or_default().to_owned()),
        );
    }
    for fact in &layout.facts {
        let is_one_of = |known: &[&str], text: &str| known.is_empty() || known.contains(&text);
        let value = match &fact.value {
            Value::Flag(flag) => Param::Flag(*flag),
            Value::Texts(texts) => Param::Texts(texts.clone()),
            Value::Text(text) if fact.key == "manager" && !is_one_of(&runtime.managers, text) => {
                continue;
            }
            Value::Text(text) => Param::Text(text.clone()),
        };
        values.insert(fact.key.to_owned(), value);
    }
    for (key, known) in [
        ("variant", &runtime.variants),
        ("manager", &runtime.managers),
    ] {
        if let Some(given) = block.name(key).filter(|_| !known.is_empty()) {
            if !known.contains(&given.value) {
                cx.report(general::not_one_of(
                    key,
                    given.value,
                    given.origin.span.unwrap_or(place),
                    known,
                ));
            }
            values.insert(key.to_owned(), Param::Text(given.value.to_owned()));
        }
    }
    for (key, default) in &runtime.params {
        let Some(field) = block.get(key) else {
            continue;
        };
        let Some(value) = value_like(block, field, key, default) else {
            continue;
        };
        if let (true, Param::Text(text)) = (PLAIN_TEXTS.contains(key), &value) {
            check_plain(cx, key, text, field.origin.span.unwrap_or(place));
        }
        values.insert(template_name(key), value);
    }
    for choice in &layout.choices {
        let is_answered = match choice.key {
            "app" if block.has("start") && can_start(runtime) => true,
            // A shared image starts nothing, and one that starts from it has its libraries.
            "app" => block.has("app") || (is_part && !block.has("from")),
            key => block.has(key) || block.has("from"),
        };
        if !is_answered {
            cx.report(errors::ambiguous(source, choice, place));
        }
    }
    for key in &runtime.needs {
        let open = layout.choices.iter().any(|choice| choice.key == *key);
        let value = values.get(&template_name(key));
        let empty = value.is_none_or(|value| {
            matches!(value, Param::Text(text) if text.is_empty())
                || *value == Param::Texts(Vec::new())
        });
        if empty && !open && !block.has(key) {
            block.missing(
                key,
                &format!(
                    "{key} = {}",
                    if *key == "start" {
                        "[\"/app/run\"]"
                    } else {
                        "\"..\""
                    }
                ),
            );
        }
    }
    values
}

/// Distroless images have Python 3.11, whatever is asked for.
fn check_distroless(block: &Fields<'_, '_>, layout: &Layout, place: Span) {
    let asked = match block.string("version") {
        Some(given) => Some((given.value.into_owned(), "`version`".to_owned()))
            .filter(|(text, _)| text != "3.11"),
        None => layout.needs_other.clone(),
    };
    if let Some((asked, by)) = asked {
        let span = block
            .name("variant")
            .and_then(|given| given.origin.span)
            .unwrap_or(place);
        block
            .cx
            .report(errors::distroless_python(&asked, &by, span));
    }
}

/// Whether a command alone says what is started: a compiler must still know what to build.
fn can_start(runtime: &Runtime<'_>) -> bool {
    matches!(
        runtime.language,
        Language::Python | Language::Node | Language::Other
    )
}

/// Texts that stand in shell commands and in `FROM` as they are.
fn check_plain(cx: &Cx<'_>, key: &str, text: &str, span: Span) {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/:@+=*()".contains(c);
    if key.ends_with("base") && !text.is_empty() {
        check_image(cx, text, span);
    } else if !text.chars().all(plain) || (text.is_empty() && key == "app") {
        cx.report(errors::not_for_a_dockerfile(key, text, span));
    }
}

/// What the source shows, a line each, as the Dockerfile and the report tell it.
fn found(
    block: &Fields<'_, '_>,
    runtime: &Runtime<'_>,
    layout: &Layout,
    from_base: bool,
    has_its_version: bool,
) -> Vec<String> {
    let told: &[&str] = match (from_base, has_its_version) {
        (true, _) => &["app", "root", "output"],
        (false, true) => &["app", "manager", "root", "output", "module"],
        (false, false) => &["app", "manager", "version", "root", "output", "module"],
    };
    let mut parts = Vec::new();
    for fact in layout
        .facts
        .iter()
        .filter(|fact| told.contains(&fact.key) && !block.has(fact.key))
    {
        if let Value::Text(text) = &fact.value {
            let known =
                fact.key != "manager" || runtime.managers.iter().any(|manager| manager == text);
            parts.extend(known.then(|| format!("{} {text} ({})", fact.key, fact.from)));
        }
    }
    parts.extend(
        layout
            .listens
            .as_ref()
            .map(|(port, file)| format!("port {port} ({file})")),
    );
    parts
}

/// What deserves a look in the source.
fn look<'a>(decls: &Decls<'_, 'a>, service: &str, runtime: &Runtime<'a>, image: &BuiltImage<'_>) {
    let (cx, layout) = (decls.cx, &image.layout);
    let (source, place) = (image.source.value.as_ref(), image.source.span);
    if layout.is_there == Some(false) {
        cx.report(errors::unseen(service, source, place));
    }
    if layout.is_there != Some(true) {
        return;
    }
    let manager = match image.values.get("manager") {
        Some(Param::Text(manager)) => manager.as_str(),
        _ => "",
    };
    let names_none = layout.text("manager") == Some("none") && manager != "none";
    if image.from.is_some() {
        // Its libraries are those of the image it starts from.
    } else if let Some(file) = &layout.unlocked {
        cx.report(errors::unlocked(source, Some(file), "", place));
    } else if names_none {
        let wanted = if runtime.language == Language::Python {
            "requirements.txt"
        } else {
            "package.json"
        };
        cx.report(errors::unlocked(source, None, wanted, place));
    }
    if runtime.libraries.iter().any(|library| library == "next")
        && layout.fact("standalone").is_none()
    {
        cx.report(errors::not_standalone(source, place));
    }
    let starts_own = image.from.is_some()
        || image
            .values
            .get("start")
            .is_some_and(|start| *start != Param::Texts(Vec::new()));
    if let Some(libraries) = layout
        .libraries
        .as_ref()
        .filter(|libraries| libraries.complete && !starts_own)
    {
        for library in runtime
            .libraries
            .iter()
            .filter(|library| !libraries.names.contains(library.as_ref()))
        {
            cx.report(errors::missing_library(
                runtime.name,
                library,
                &libraries.from,
                place,
            ));
        }
    }
    let context: Context = template_values(image)
        .chain([("header".to_owned(), "".into())])
        .collect();
    let Some(held) = decls.held(source, runtime, &context) else {
        return;
    };
    if !held.secrets.is_empty() {
        cx.report(errors::secrets(source, &held.secrets, place));
    }
    if held.bytes > LARGE || held.more {
        cx.report(errors::large(
            source,
            held.bytes,
            held.more,
            held.largest.as_ref(),
            place,
        ));
    }
}

impl<'a> Decls<'_, 'a> {
    /// What a build of a source would send. `None` if its ignore list cannot be filled, which is told elsewhere.
    fn held(&self, source: &str, runtime: &Runtime<'a>, context: &Context) -> Option<Arc<Held>> {
        let mut contexts = self.contexts.borrow_mut();
        let (ignores, known) = &mut *contexts;
        let name = runtime.ignore.value.as_str();
        let filler = ignores
            .entry(runtime.name)
            .or_insert_with(|| Filler::new(&runtime.templates, &[name]));
        let ignore = filler.fill(name, context).ok()?;
        let walked = known.entry((source.to_owned(), ignore));
        let held = walked.or_insert_with_key(|(_, ignore)| {
            Arc::new(layout::context::held(self.world, source, ignore))
        });
        Some(Arc::clone(held))
    }

    /// The layout of a source. Services of one source are read once.
    fn layout(&self, source: &str, runtime: &Runtime<'a>) -> Arc<Layout> {
        let mut layouts = self.layouts.borrow_mut();
        let layout = layouts
            .entry((source.to_owned(), runtime.name))
            .or_insert_with(|| {
                let entry: Vec<&str> = runtime.entry.iter().map(AsRef::as_ref).collect();
                Arc::new(layout::detect(self.world, source, runtime.language, &entry))
            });
        Arc::clone(layout)
    }
}

/// An image reference as containerd reads it, roughly: no blanks, lower case before the tag, not empty.
pub(super) fn check_image(cx: &Cx<'_>, name: &str, span: Span) {
    let path = name.split('@').next().unwrap_or(name);
    let after_slash = path.rfind('/').map_or(0, |at| at + 1);
    let repository = path[after_slash..]
        .find(':')
        .map_or(path, |at| &path[..after_slash + at]);
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-/".contains(c);
    let (host, rest) = repository.split_once('/').unwrap_or(("", repository));
    let host_is_fine = host
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || ".-:_".contains(c));
    let (tag, digest) = (
        path[repository.len()..].strip_prefix(':'),
        name.split_once('@').map(|(_, digest)| digest),
    );
    let tag_is_fine = |tag: &str| {
        tag.len() <= 128
            && tag
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
    };
    let fault = if name.is_empty() {
        "it is empty"
    } else if name.contains("://") {
        "it is a URL; leave out what stands before `//`, and that"
    } else if name.chars().any(char::is_whitespace) {
        "it has a blank"
    } else if !rest.chars().all(allowed) || !host_is_fine || rest.is_empty() || rest.ends_with('/')
    {
        "a repository is lower-case letters, digits, `.`, `_`, `-` and `/`"
    } else if name.ends_with(':') || name.ends_with('@') {
        "nothing follows its tag or digest sign"
    } else if tag.is_some_and(|tag| !tag_is_fine(tag)) {
        "a tag is letters, digits, `_`, `.` and `-`, 128 at most"
    } else if digest.is_some_and(|digest| !is_digest(digest)) {
        "a digest is `sha256:` and 64 hexadecimal digits"
    } else {
        return;
    };
    cx.report(general::not_an_image(name, fault, span));
}
