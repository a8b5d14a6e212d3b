//! `config`: configuration texts.

mod errors;

use std::borrow::Cow;

use crate::base::span::Spanned;
use crate::program::Config;
use crate::sema::decls::{Decls, fields};
use crate::sema::errors as general;
use crate::sema::layers::Field;
use crate::sema::names::{check_label, is_config_key, plain_text};
use crate::world::resolve;

/// What the API server takes of one ConfigMap (pkg/apis/core/validation: `ValidateConfigMap`), in bytes.
const MOST_BYTES: usize = 1 << 20;

pub(crate) fn configs<'a>(decls: &Decls<'_, 'a>) -> Vec<Config<'a>> {
    let cx = decls.cx;
    let mut configs = Vec::new();
    for decl in decls.of("config") {
        check_label(cx, "config", decl.name, decl.span);
        let Some(fields) = fields(decls, "config", decl) else {
            continue;
        };
        let mut data: Vec<(Cow<'a, str>, Cow<'a, str>)> = Vec::new();
        for (key, span) in fields.keys() {
            if !is_config_key(key) {
                cx.report(errors::not_a_config_key(key, span));
                continue;
            }
            if data.iter().any(|(other, _)| other == key) {
                continue;
            }
            let Some(field) = fields.get(key) else {
                continue;
            };
            let Some(value) = field.value(cx).and_then(|value| plain_text(cx, value)) else {
                continue;
            };
            data.push((Cow::Borrowed(key), value));
        }
        for field in fields.all("file") {
            let Some((key, text)) = of_file(decls, field) else {
                continue;
            };
            if data.iter().any(|(other, _)| other == key) {
                let place = field.item.key.span;
                cx.report(general::given_twice(key, decl.span, place));
            } else {
                data.push((Cow::Borrowed(key), Cow::Owned(text)));
            }
        }
        let bytes: usize = { data.iter() }
            .map(|(key, text)| key.len() + text.len())
            .sum();
        if bytes > MOST_BYTES {
            cx.report(errors::too_large(decl.name, bytes, decl.span));
        }
        data.sort();
        configs.push(Config {
            name: Spanned::new(decl.name, decl.span),
            data,
        });
    }
    configs
}

/// `file "nginx.conf" = "deploy/nginx.conf"`: the text of a file of the project, and the key that it has.
fn of_file<'a>(decls: &Decls<'_, 'a>, field: Field<'a>) -> Option<(&'a str, String)> {
    let cx = decls.cx;
    let [name] = &*field.item.names else {
        return None;
    };
    let key = cx.word(*name);
    if !is_config_key(key) {
        cx.report(errors::not_a_config_key(key, name.span));
        return None;
    }
    let value = field.item.value.as_ref();
    let Some(path) = value.and_then(|value| cx.string(value)) else {
        if value.is_none() {
            let example = "file \"nginx.conf\" = \"deploy/nginx.conf\"";
            cx.report(general::malformed("file", example, field.item.span));
        }
        return None;
    };
    let place = value.map_or(field.item.span, |value| value.span);
    let home = cx.sources.file(place.file).name.as_str();
    let read = || {
        let full = resolve(home, &path).ok_or("it lies outside the project".to_owned())?;
        let bytes = decls.world.read(&full).map_err(|why| why.to_string())?;
        String::from_utf8(bytes).map_err(|_| "it is no text in UTF-8".to_owned())
    };
    match read() {
        Ok(text) => Some((key, text)),
        Err(why) => {
            cx.report(errors::unreadable(&path, &why, place));
            None
        }
    }
}
