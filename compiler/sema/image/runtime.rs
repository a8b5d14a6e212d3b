//! `runtime`: what images are built for, as programs and the library declare them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::errors;
use crate::base::source::Provenance;
use crate::base::span::Spanned;
use crate::layout::{LANGUAGES, Language};
use crate::program::{Dim, Param, Runtime};
use crate::schema;
use crate::sema::decls::{Decl, Decls, fields};
use crate::sema::errors as general;
use crate::sema::layers::Fields;
use crate::sema::values::Cx;
use crate::syntax::ast::{Expr, ExprKind};
use crate::template::{self, Templates};
use crate::world::resolve;

pub(crate) const TEXT_LISTS: [&str; 6] = [
    "start",
    "keep",
    "leave-out",
    "build-packages",
    "run-packages",
    "files",
];

/// All runtimes, sorted by name.
pub(crate) fn runtimes<'a>(decls: &Decls<'_, 'a>) -> Vec<Runtime<'a>> {
    decls
        .of("runtime")
        .map(|decl| runtime(decls, decl))
        .collect()
}

pub(crate) fn runtime<'a>(decls: &Decls<'_, 'a>, decl: Decl<'a>) -> Runtime<'a> {
    let cx = decls.cx;
    // One without a body is reported, and still has its place in the list.
    let fields = fields(decls, "runtime", decl)
        .unwrap_or_else(|| Fields::new(cx, "runtime", decl.span, Vec::new()));
    fields.check_keys("runtime");
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
        if schema::keys("image").contains(&key) {
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

/// The default of a parameter. Every other value must be of the same kind.
pub(crate) fn default_of<'a>(cx: &Cx<'a>, key: &str, value: &'a Expr) -> Option<Param> {
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

/// The name of a template. The library's are its own; those of a project lie beside the file that names them, and are
/// read here with all that they name.
pub(crate) fn named_template<'a>(
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
