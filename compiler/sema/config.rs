//! `config`: configuration texts.

mod errors;

use std::borrow::Cow;

use crate::base::span::Spanned;
use crate::program::Config;
use crate::sema::decls::{Decls, fields};
use crate::sema::names::{check_label, plain_text};

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
            let valid = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            if matches!(key, "" | "." | "..") || !key.chars().all(valid) {
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
        data.sort();
        configs.push(Config {
            name: Spanned::new(decl.name, decl.span),
            data,
        });
    }
    configs
}
