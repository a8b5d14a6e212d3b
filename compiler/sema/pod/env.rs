//! Environment variables, and the keys of Secrets and ConfigMaps that they refer to.

use std::borrow::Cow;

use super::errors;
use crate::base::span::{Span, Spanned};
use crate::base::suggest::nearest;
use crate::program::{EnvValue, FIELDS};
use crate::sema::decls::Decls;
use crate::sema::errors as general;
use crate::sema::layers::Fields;
use crate::sema::names::{check_label, plain_text};
use crate::sema::values::Cx;
use crate::syntax::ast::{ExprKind, Reference, Word, WordShape};

/// Whether a path begins as those of a pod do.
fn is_of_a_pod(path: &str) -> bool {
    let first = path.split_once('.').map(|(first, _)| first);
    matches!(
        first,
        Some("limits" | "metadata" | "requests" | "spec" | "status")
    )
}

pub(crate) fn env<'a>(
    decls: &Decls<'_, 'a>,
    fields: &Fields<'_, 'a>,
) -> Vec<(Spanned<&'a str>, EnvValue<'a>)> {
    let cx = decls.cx;
    if !fields.has("env") {
        return Vec::new();
    }
    let entries = fields.entries("env");
    let mut variables = Vec::with_capacity(entries.len());
    for entry in entries {
        let name = cx.key(entry.item);
        let span = entry.item.key.span;
        // Before Kubernetes 1.34 a name is letters, digits, `-`, `_` and `.`, and begins with none of the digits.
        let inner = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty()
            || !name.chars().all(inner)
            || name.starts_with(|c: char| c.is_ascii_digit())
        {
            cx.report(errors::not_a_variable(name, span));
            continue;
        }
        let Some(value) = entry.value(cx) else {
            continue;
        };
        let value = match &value.kind {
            ExprKind::Reference(reference) => {
                let Reference { kind, name, key } = reference.as_ref();
                let key = word_text(cx, *key);
                match cx.word(*kind) {
                    "secret" => {
                        check_label(cx, "Secret", cx.word(*name), name.span);
                        EnvValue::Secret(cx.word(*name), key)
                    }
                    "config" => {
                        check_config_key(decls, *name, &key, value.span);
                        EnvValue::Config(cx.word(*name), key)
                    }
                    other => {
                        cx.report(general::not_one_of(
                            "a reference",
                            other,
                            kind.span,
                            &["secret", "config"],
                        ));
                        continue;
                    }
                }
            }
            ExprKind::Path if FIELDS.contains(&cx.text(value.span)) => {
                EnvValue::Field(cx.text(value.span))
            }
            ExprKind::Path if is_of_a_pod(cx.text(value.span)) => {
                let path = cx.text(value.span);
                cx.report(errors::unknown_field(
                    path,
                    value.span,
                    nearest(path, FIELDS),
                ));
                continue;
            }
            _ => match plain_text(cx, value) {
                Some(text) => EnvValue::Text(text),
                None => continue,
            },
        };
        variables.push((Spanned::new(name, span), value));
    }
    variables
}

pub(crate) fn word_text<'a>(cx: &Cx<'a>, word: Word) -> Cow<'a, str> {
    match word.shape {
        WordShape::Quoted => cx.text_literal(word.span).unwrap_or_default(),
        WordShape::Bare | WordShape::Joined => Cow::Borrowed(cx.word(word)),
    }
}

/// Reports a reference to a key that a ConfigMap of the program does not have.
pub(crate) fn check_config_key<'a>(decls: &Decls<'_, 'a>, name: Word, key: &str, span: Span) {
    let cx = decls.cx;
    let text = cx.word(name);
    if !decls.check_declared("config", text, name.span) {
        return;
    }
    let Some(decl) = decls.get("config", text) else {
        return;
    };
    let Some(body) = &decl.item.body else { return };
    let keys: Vec<&str> = body.items.iter().map(|item| cx.key(item)).collect();
    if !keys.contains(&key) {
        cx.report(errors::unknown_config_key(
            text,
            key,
            span,
            nearest(key, keys.iter().copied()),
        ));
    }
}
