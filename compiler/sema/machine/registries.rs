//! What K3s reads in addition to config.yaml: mirrors of registries, and what its own process is held to.

use std::borrow::Cow;

use super::errors;
use crate::base::quantity::Bytes;
use crate::program::{Given, Node};
use crate::sema::layers::Fields;
use crate::syntax::ast::ExprKind;

/// `registries { "docker.io" { mirror = "https://mirror.lan" } }`: what containerd asks for images of a registry.
pub(super) fn registries<'a>(fields: &Fields<'_, 'a>) -> Vec<(&'a str, Vec<Cow<'a, str>>)> {
    let cx = fields.cx;
    let mut found = Vec::new();
    if !fields.has("registries") {
        return found;
    }
    for entry in fields.entries("registries") {
        let (name, span) = (cx.key(entry.item), entry.item.key.span);
        if name.is_empty() || name.contains('/') {
            cx.report(errors::not_a_registry(name, span));
            continue;
        }
        let Some(block) = Fields::of_body(cx, "registry", entry) else {
            continue;
        };
        block.check_keys("registry");
        let Some(field) = block.get("mirror") else {
            block.missing("mirror", "mirror = \"https://mirror.lan\"");
            continue;
        };
        let Some(value) = field.value(cx) else {
            continue;
        };
        let mirrors = match cx.resolve(value).kind {
            ExprKind::Text => cx.string(value).map(|one| vec![one]),
            _ => cx.strings(value),
        };
        let mirrors = mirrors.unwrap_or_default();
        for mirror in &mirrors {
            let rest = { mirror.strip_prefix("https://") }.or(mirror.strip_prefix("http://"));
            match rest {
                None => cx.report(errors::mirror_without_scheme(mirror, value.span)),
                // A name before the host is a login.
                Some(rest) if rest.contains('@') => cx.report(errors::login_in_mirror(value.span)),
                Some(_) => {}
            }
        }
        found.push((name, mirrors));
    }
    found.sort();
    found
}

/// `limit = 700Mi`: at least what the proof counts of the process on this node.
pub(super) fn limit<'a>(fields: &Fields<'_, 'a>, node: &Node<'a>) -> Option<Given<'a, Bytes>> {
    let given = fields.memory("limit")?;
    let counted = node.process.memory.value;
    if given.value.n < counted.n {
        let span = given.origin.span.unwrap_or(fields.span);
        fields
            .cx
            .report(errors::limit_below_counted(given.value, counted, span));
    }
    Some(given)
}
